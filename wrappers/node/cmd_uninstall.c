/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_uninstall.c - `uninstall`: what `install` did, backwards, and nothing else. */
#include "common/text.h"
#include "node/binaries.h"
#include "node/config.h"
#include "node/restart.h"
#include "node/steps.h"

#include <stdio.h>
#include <string.h>

/* Our lines, where they are recorded and where they usually are: a record may have been lost. */
static bool plan_configs(const struct wrap_node *node, const struct wrap_node_state *state,
                         struct wrap_node_plan *plan, struct wrap_error *err)
{
    const struct wrap_node_distro *distro;
    for (size_t i = 0; i < state->configs; i++) {
        distro = wrap_node_distro_find(state->config[i].distro);
        if (distro && !wrap_node_config_remove(node, distro, state->config[i].path, plan, err)) {
            return false;
        }
    }
    for (size_t i = 0; (distro = wrap_node_distro_at(i)); i++) {
        for (size_t k = 0; k < WRAP_NODE_FILES && distro->files[k]; k++) {
            if (!wrap_node_config_remove(node, distro, distro->files[k], plan, err)) return false;
        }
    }
    return true;
}

static bool is_free(const struct wrap_node *node, struct wrap_error *err)
{
    int pid = 0;
    size_t running = node->force ? 0 : wrap_node_running(node, &pid);
    return running == 0 ||
           wrap_fail(err, WRAP_FAILED_PRECONDITION,
                     "%zu processes of containers of ours are running (pid %d, say); remove their "
                     "pods first, or use --force",
                     running, pid);
}

static bool carry_out(const struct wrap_node *node, struct wrap_node_plan *plan,
                      struct wrap_node_state *state, struct wrap_error *err)
{
    if (!wrap_node_state_intend(node->root, state, plan, err) ||
        !wrap_node_state_write(node->root, state, err) ||
        !wrap_node_plan_apply(node, plan, false, err)) {
        return false;
    }
    if (!wrap_node_restart_all(node, plan, state, err)) {
        struct wrap_error second = {0};
        (void)wrap_node_state_write(node->root, state, &second);
        return false;
    }
    if (!wrap_node_plan_apply(node, plan, true, err)) return false;
    for (size_t i = state->folders; i-- > 0;) {
        wrap_node_folder_remove(node->root, state->folder[i]);
    }
    return wrap_node_state_remove(node->root, err);
}

static bool uninstall(const struct wrap_node *node, struct wrap_error *err)
{
    static struct wrap_node_state state; /* some hundred KiB; of this run */
    struct wrap_node_plan plan = {0};
    bool good = wrap_node_state_read(node->root, &state, err);
    if (good && !node->dry_run) wrap_node_state_tidy(node->root, &state);
    good = good && plan_configs(node, &state, &plan, err) &&
           wrap_node_binaries_remove(node, &state, &plan, err);
    bool nothing = plan.count == 0 && state.pending == 0 && !state.exists;
    if (good && !nothing) good = is_free(node, err);
    if (good && nothing) {
        puts("not installed: nothing changed, nothing restarted");
    } else if (good && node->dry_run) {
        wrap_node_plan_print(&plan);
        wrap_node_print_restarts(node, &plan, &state);
    } else if (good) {
        good = carry_out(node, &plan, &state, err);
    }
    wrap_node_plan_free(&plan);
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_node node;
    return wrap_node_change_by(self, argc, argv, uninstall, &node);
}

static const struct wrap_option options[] = {
    WRAP_NODE_ROOT_ROW,
    WRAP_NODE_RESTART_ROWS,
    {"force", 'f', NULL, WRAP_NODE_OPT_FORCE, "also while containers of ours run"},
};
const struct wrap_command wrap_node_uninstall = {
    .name = "uninstall",
    .usage = WRAP_NODE_PROGRAM " uninstall [OPTIONS]",
    .summary = "Takes away what install added, and restarts.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
