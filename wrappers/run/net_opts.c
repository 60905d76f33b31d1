/* SPDX-License-Identifier: Apache-2.0 */
/* net_opts.c - the options of `run` about sockets and polling. */
#include "run/net_opts.h"

#include "common/process.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WRAP_STATIC
#define WRAP_STATIC 0 /* wasmrun-static must load no library of nsswitch.conf */
#endif

enum { FIRST_LISTEN_FD = 3, LISTEN_MAX = 1024, RULE_TEXT = 100 };

static bool add(const char **list, size_t *count, const char *option, const char *value)
{
    if (*count == WRAP_NET_MAX) {
        wrap_say("more than %d --%s", WRAP_NET_MAX, option);
        return false;
    }
    list[(*count)++] = value;
    return true;
}

static bool is_rule(const char *value)
{
    return strcmp(value, "none") == 0 || strcmp(value, "inherit") == 0 ||
           (strncmp(value, "allow=", 6) == 0 && value[6]);
}

bool wrap_net_option(struct wrap_net *net, int id, const char *value)
{
    switch (id) {
    case WRAP_NET_NET:
        if (!is_rule(value)) {
            wrap_say("--net '%s' is none of none, inherit, allow=RULE[,RULE...]", value);
            return false;
        }
        return add(net->rules, &net->rule_count, "net", value);
    case WRAP_NET_LISTEN: return add(net->listen, &net->listen_count, "listen", value);
    case WRAP_NET_LISTEN_FDS: net->listen_fds = true; return true;
    case WRAP_NET_RESOLVE: net->resolve = true; return true;
    default: net->strict_poll = true; return true;
    }
}

/* The first rule that counts: behind the last none. */
static size_t first_rule(const struct wrap_net *net)
{
    size_t first = 0;
    for (size_t i = 0; i < net->rule_count; i++) {
        if (strcmp(net->rules[i], "none") == 0) {
            first = i + 1;
        }
    }
    return first;
}

bool wrap_net_wanted(const struct wrap_net *net) { return first_rule(net) < net->rule_count; }

/* Whether "RULE,RULE" has the rule "unix". */
static bool has_unix(const char *rules)
{
    for (;;) {
        size_t length = strcspn(rules, ",");
        if (length == 4 && strncmp(rules, "unix", 4) == 0) {
            return true;
        }
        if (!rules[length]) {
            return false;
        }
        rules += length + 1;
    }
}

bool wrap_net_wants_unix(const struct wrap_net *net)
{
    for (size_t i = first_rule(net); i < net->rule_count; i++) {
        if (strcmp(net->rules[i], "inherit") == 0 || has_unix(net->rules[i] + 6)) {
            return true;
        }
    }
    return false;
}

/* "RULE,RULE" */
static bool allow(wr_wasi_t *wasi, const char *rules)
{
    wr_error_t err = {0};
    while (*rules) {
        char rule[RULE_TEXT];
        size_t length = strcspn(rules, ",");
        snprintf(rule, sizeof rule, "%.*s", (int)(length < RULE_TEXT ? length : RULE_TEXT), rules);
        if (wr_wasi_net_allow(wasi, rule, &err) != WR_OK) {
            wrap_say("--net: %s", err.text);
            return false;
        }
        rules += length + (rules[length] == ',');
    }
    return true;
}

static bool apply_rules(const struct wrap_net *net, wr_wasi_t *wasi)
{
    for (size_t i = first_rule(net); i < net->rule_count; i++) {
        if (strcmp(net->rules[i], "inherit") == 0) {
            wr_wasi_net_inherit(wasi);
        } else if (!allow(wasi, net->rules[i] + 6)) {
            return false;
        }
    }
    return true;
}

/* Sockets that the service manager opened for this very process. */
static bool give_listen_fds(wr_wasi_t *wasi)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    wr_error_t err = {0};
    long sockets = count ? strtol(count, NULL, 10) : 0;
    if (!pid || strtol(pid, NULL, 10) != (long)getpid() || sockets < 1 || sockets > LISTEN_MAX) {
        wrap_say("--listen-fds: no sockets were passed to this process (LISTEN_PID, LISTEN_FDS)");
        return false;
    }
    long end = FIRST_LISTEN_FD + sockets;
    for (long fd = FIRST_LISTEN_FD; fd < end; fd++) {
        if (wr_wasi_preopen_socket(wasi, (int)fd, &err) != WR_OK) {
            wrap_say("--listen-fds: %s", err.text);
            return false;
        }
    }
    return true;
}

bool wrap_net_apply(const struct wrap_net *net, wr_wasi_t *wasi)
{
    wr_error_t err = {0};
    if (net->strict_poll) {
        wr_wasi_set_strict_poll(wasi, true);
    }
    if (net->resolve) {
        if (WRAP_STATIC) {
            wrap_choose_names();
        }
        wr_wasi_net_allow_resolve(wasi);
    }
    if (!apply_rules(net, wasi) || (net->listen_fds && !give_listen_fds(wasi))) {
        return false;
    }
    for (size_t i = 0; i < net->listen_count; i++) {
        if (wr_wasi_listen(wasi, net->listen[i], NULL, &err) != WR_OK) {
            wrap_say("--listen: %s", err.text);
            return false;
        }
    }
    return true;
}
