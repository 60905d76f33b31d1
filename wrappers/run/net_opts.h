/* SPDX-License-Identifier: Apache-2.0 */
/* net_opts.h - the options of `run` about sockets and polling. */
#ifndef WRAPPERS_RUN_NET_OPTS_H
#define WRAPPERS_RUN_NET_OPTS_H

#include "common/opts.h"
#include "wasmrun_wasi.h"

enum wrap_net_id {
    WRAP_NET_NET = 500,
    WRAP_NET_LISTEN,
    WRAP_NET_LISTEN_FDS,
    WRAP_NET_RESOLVE,
    WRAP_NET_STRICT_POLL,
    WRAP_NET_END
};

enum { WRAP_NET_MAX = 64 };

/** What was asked for; zero: no network. Texts are borrowed from the command line. */
struct wrap_net {
    const char *rules[WRAP_NET_MAX]; /**< of --net, as given */
    size_t rule_count;
    const char *listen[WRAP_NET_MAX];
    size_t listen_count;
    bool listen_fds, resolve, strict_poll;
};

/** Their rows in the table of options. */
// clang-format off
#define WRAP_NET_OPTIONS                                                                           \
    {"net",           0, "none|inherit|allow=RULE,...", WRAP_NET_NET, "addresses the guest may use (none)"}, \
    {"listen",        0, "HOST:PORT", WRAP_NET_LISTEN, "give the guest a listening socket; repeatable"}, \
    {"listen-fds",    0, NULL, WRAP_NET_LISTEN_FDS, "give it those of the service manager ($LISTEN_FDS)"}, \
    {"allow-resolve", 0, NULL, WRAP_NET_RESOLVE, "let the guest look names up"},                   \
    {"strict-poll",   0, NULL, WRAP_NET_STRICT_POLL, "never hold readiness to write back"}
// clang-format on

/** For --help. */
#define WRAP_NET_NOTES                                                                             \
    "--net allow= takes rules like 10.0.0.0/8, 127.0.0.1:8080, [fd00::/8]:443 and unix\n"          \
    "(sockets beneath --dir). Sockets of --listen and --listen-fds are descriptors of\n"           \
    "the guest after its directories, from 3 on; they need no --net.\n"                            \
    "\n"

/** Takes one of these options; false after saying what is wrong. */
bool wrap_net_option(struct wrap_net *net, int id, const char *value);
/** True when the guest may make sockets of its own. */
bool wrap_net_wanted(const struct wrap_net *net);
/** True when Unix sockets are among them. */
bool wrap_net_wants_unix(const struct wrap_net *net);
/** Gives a guest what was asked for, after its directories; false after saying what failed. */
bool wrap_net_apply(const struct wrap_net *net, wr_wasi_t *wasi);

#endif
