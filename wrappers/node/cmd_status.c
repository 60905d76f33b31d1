/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c - `status`: what is on the node, as lines or as JSON. */
#include "common/json.h"
#include "common/text.h"
#include "node/binaries.h"
#include "node/config.h"
#include "node/restart.h"

#include <stdio.h>
#include <string.h>

enum { DISTROS = 16 };

struct look {
    const struct wrap_node_distro *distro;
    struct wrap_node_config config;
    bool complete, pending;
    struct wrap_error err; /* the configuration is broken */
};

struct status {
    struct wrap_node_found binary[WRAP_NODE_BINARIES];
    struct look distro[DISTROS];
    size_t distros;
    bool installed, broken;
};

static const char *const presences[] = {"missing", "same", "different"};

static const char *word(const struct look *look)
{
    return look->err.code         ? "broken"
           : look->config.skipped ? "not for Kubernetes"
           : look->complete       ? "configured"
           : look->config.present ? "outdated"
                                  : "not configured";
}

static void look_at(const struct wrap_node *node, const struct wrap_node_state *state,
                    const struct wrap_node_distro *distro, struct look *out)
{
    struct wrap_node_plan plan = {0};
    *out = (struct look){.distro = distro};
    bool good = wrap_node_config_plan(node, distro, &plan, &out->config, &out->err);
    out->complete = good && !out->config.skipped && plan.count == 0;
    out->pending = wrap_node_state_is_pending(state, distro->name);
    wrap_node_plan_free(&plan);
}

/* Installed: both programs, at least one distribution, nothing left to do for any. */
static bool find_out(const struct wrap_node *node, const struct wrap_node_state *state,
                     struct status *out, struct wrap_error *err)
{
    const struct wrap_node_distro *distro;
    size_t complete = 0;
    out->installed = true;
    for (size_t i = 0; i < WRAP_NODE_BINARIES; i++) {
        if (!wrap_node_binary_look(node, state, i, &out->binary[i], err)) {
            return false;
        }
        out->installed = out->installed && out->binary[i].presence == WRAP_NODE_SAME;
    }
    for (size_t i = 0; (distro = wrap_node_distro_at(i)) && out->distros < DISTROS; i++) {
        bool wanted = node->distro ? strcmp(node->distro, distro->name) == 0
                                   : wrap_node_distro_found(node->root, distro);
        if (!wanted) continue;
        struct look *look = &out->distro[out->distros++];
        look_at(node, state, distro, look);
        complete += look->complete;
        out->broken = out->broken || look->err.code;
        bool fine = look->config.skipped || (look->complete && !look->pending);
        out->installed = out->installed && fine;
    }
    out->installed = out->installed && complete > 0;
    return true;
}

static void print_text(const struct status *status, const struct wrap_node_state *state)
{
    printf("installed: %s\n", status->installed ? "yes" : "no");
    for (size_t i = 0; i < WRAP_NODE_BINARIES; i++) {
        wrap_print(stdout, "%s: %s%s%s\n", status->binary[i].path,
                   presences[status->binary[i].presence],
                   status->binary[i].hash[0] ? ", sha256 " : "", status->binary[i].hash);
    }
    if (state->version[0])
        wrap_print(stdout, "placed by: " WRAP_NODE_PROGRAM " %s\n", state->version);
    for (size_t i = 0; i < status->distros; i++) {
        const struct look *look = &status->distro[i];
        char hint[128];
        const char *more = look->err.code ? look->err.text : look->config.where;
        wrap_print(stdout, "%s: %s%s%s%s\n", look->distro->name, word(look), more[0] ? " (" : "",
                   more, more[0] ? ")" : "");
        wrap_node_restart_hint(look->distro, hint, sizeof hint);
        if (look->pending) printf("%s: restart needed: %s\n", look->distro->name, hint);
    }
    if (status->distros == 0) puts("no container runtime found");
}

static void field(const char *key, const char *text)
{
    wrap_json_field(stdout, key, text, strlen(text));
}

static void print_json(const struct status *status, const struct wrap_node_state *state)
{
    printf("{\"installed\":%s,", status->installed ? "true" : "false");
    field("version", state->version);
    fputs(",\"binaries\":[", stdout);
    for (size_t i = 0; i < WRAP_NODE_BINARIES; i++) {
        fputs(i ? ",{" : "{", stdout);
        field("path", status->binary[i].path);
        wrap_json_more(stdout, "state", presences[status->binary[i].presence]);
        wrap_json_more(stdout, "sha256", status->binary[i].hash);
        fputs("}", stdout);
    }
    fputs("],\"distributions\":[", stdout);
    for (size_t i = 0; i < status->distros; i++) {
        const struct look *look = &status->distro[i];
        fputs(i ? ",{" : "{", stdout);
        field("name", look->distro->name);
        wrap_json_more(stdout, "state", word(look));
        wrap_json_more(stdout, "where", look->config.where);
        wrap_json_more(stdout, "error", look->err.text);
        printf(",\"restart_needed\":%s}", look->pending ? "true" : "false");
    }
    puts("]}");
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static struct wrap_node_state state; /* some hundred KiB each; of this run */
    static struct status status;
    struct wrap_node node;
    struct wrap_error err = {0};
    int code = 0;
    if (!wrap_node_begin(self, argc, argv, &node, &code)) return code;
    bool good =
        wrap_node_state_read(node.root, &state, &err) && find_out(&node, &state, &status, &err);
    if (good) (node.json ? print_json : print_text)(&status, &state);
    wrap_node_end(&node);
    if (!good) return wrap_node_complain(&err);
    return status.broken ? WRAP_NODE_FAILED : status.installed ? WRAP_NODE_OK : WRAP_NODE_ABSENT;
}

static const struct wrap_option options[] = {
    WRAP_NODE_ROOT_ROW,    WRAP_NODE_FROM_ROW,   WRAP_NODE_BIN_DIR_ROW,
    WRAP_NODE_RUNTIME_ROW, WRAP_NODE_DISTRO_ROW, {"json", 0, NULL, WRAP_NODE_OPT_JSON, "as JSON"},
};
const struct wrap_command wrap_node_status = {
    .name = "status",
    .usage = WRAP_NODE_PROGRAM " status [OPTIONS]",
    .summary = "Says what is on the node; ends with 0 (installed), 3 (not) or 1 (broken).",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
