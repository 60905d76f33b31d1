/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_install.c - `install`: programs, configuration, restart, in this order. */
#include "common/text.h"
#include "node/binaries.h"
#include "node/config.h"
#include "node/steps.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What all distributions that are on the node, or the one that is named, need. */
static bool plan_configs(const struct wrap_node *node, struct wrap_node_plan *plan,
                         struct wrap_error *err)
{
    const struct wrap_node_distro *distro;
    size_t found = 0, skipped = 0;
    for (size_t i = 0; (distro = wrap_node_distro_at(i)); i++) {
        struct wrap_node_config config;
        bool wanted = node->distro ? strcmp(node->distro, distro->name) == 0
                                   : wrap_node_distro_found(node->root, distro);
        if (!wanted) continue;
        if (!wrap_node_config_plan(node, distro, plan, &config, err)) return false;
        found++;
        skipped += config.skipped;
        if (config.skipped) wrap_print(stdout, "%s: left alone: %s\n", distro->name, config.where);
    }
    if (found == 0) {
        return wrap_fail(err, WRAP_NOT_FOUND,
                         "no container runtime is found on the node; --distro names one");
    }
    return found > skipped || wrap_fail(err, WRAP_FAILED_PRECONDITION,
                                        "no container runtime of this node serves Kubernetes");
}

static bool carry_out(const struct wrap_node *node, struct wrap_node_plan *plan,
                      struct wrap_node_state *state, struct wrap_error *err)
{
    if (!wrap_node_state_intend(node->root, state, plan, err) ||
        !wrap_node_state_write(node->root, state, err) ||
        !wrap_node_plan_apply(node, plan, true, err)) {
        return false;
    }
    if (!wrap_node_plan_apply(node, plan, false, err)) return false;
    bool good = wrap_node_restart_all(node, plan, state, err);
    return wrap_node_state_write(node->root, state, err) && good;
}

static void tell_label(void)
{
    const char *name = getenv("NODE_NAME");
    wrap_print(stdout, "label the node: kubectl label node %s " WRAP_NODE_LABEL " --overwrite\n",
               name && name[0] ? name : "NODE");
}

static bool install(const struct wrap_node *node, struct wrap_error *err)
{
    static struct wrap_node_state state; /* some hundred KiB; of this run */
    struct wrap_node_plan plan = {0};
    bool good = wrap_node_state_read(node->root, &state, err);
    if (good && !node->dry_run) wrap_node_state_tidy(node->root, &state);
    good = good && wrap_node_binaries_plan(node, &plan, err) && plan_configs(node, &plan, err);
    bool nothing = plan.count == 0 && state.pending == 0;
    if (good && nothing) {
        puts("already installed: nothing changed, nothing restarted");
    } else if (good && node->dry_run) {
        wrap_node_plan_print(&plan);
        wrap_node_print_restarts(node, &plan, &state);
    } else if (good) {
        good = carry_out(node, &plan, &state, err);
    }
    if (good && !node->dry_run) tell_label();
    wrap_node_plan_free(&plan);
    return good;
}

/* As the one process of a pod: until the pod ends. */
static void wait_for_end(void)
{
    sigset_t ends;
    int number = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    puts("waiting for SIGTERM");
    (void)fflush(stdout);
    while (sigwait(&ends, &number) != 0) {
    }
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_node node;
    int code = wrap_node_change_by(self, argc, argv, install, &node);
    if (code == WRAP_NODE_OK && node.wait && !node.dry_run) wait_for_end();
    return code;
}

static const struct wrap_option options[] = {
    WRAP_NODE_ROOT_ROW,
    WRAP_NODE_FROM_ROW,
    WRAP_NODE_BIN_DIR_ROW,
    WRAP_NODE_RUNTIME_ROW,
    WRAP_NODE_DISTRO_ROW,
    WRAP_NODE_RESTART_ROWS,
    {"wait", 0, NULL, WRAP_NODE_OPT_WAIT, "afterwards stay until SIGTERM, as a pod does"},
};
const struct wrap_command wrap_node_install = {
    .name = "install",
    .usage = WRAP_NODE_PROGRAM " install [OPTIONS]",
    .summary = "Copies the programs, adds the runtime to the configuration, restarts.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
