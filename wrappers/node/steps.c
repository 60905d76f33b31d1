/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - see steps.h. */
#include "node/steps.h"

#include "common/text.h"
#include "node/restart.h"

#include <stdio.h>
#include <unistd.h>

void wrap_node_print_restarts(const struct wrap_node *node, const struct wrap_node_plan *plan,
                              const struct wrap_node_state *state)
{
    const struct wrap_node_distro *distro;
    for (size_t i = 0; (distro = wrap_node_distro_at(i)); i++) {
        char hint[128];
        if (!wrap_node_plan_changes(plan, distro) &&
            !wrap_node_state_is_pending(state, distro->name)) {
            continue;
        }
        if (wrap_node_follows_files(node, distro)) {
            printf("%s follows changes of its files\n", distro->name);
            continue;
        }
        wrap_node_restart_hint(distro, hint, sizeof hint);
        printf("%s%s\n", node->no_restart ? "left to do: " : "", hint);
    }
}

/* The reason stays the first error, whatever comes of the way back. */
static void go_back(const struct wrap_node *node, const struct wrap_node_distro *distro,
                    struct wrap_node_plan *plan, struct wrap_error *err)
{
    struct wrap_error second = {0};
    if (!wrap_node_plan_changes(plan, distro)) return;
    if (!wrap_node_plan_undo(node, plan, distro, &second)) {
        wrap_error_prefix(err, "the old configuration is not back (%s)", second.text);
        return;
    }
    if (wrap_node_restart(node, distro, &second) == WRAP_NODE_BROKEN) {
        wrap_error_prefix(err, "the old configuration is back, and %s", second.text);
    } else {
        wrap_error_prefix(err, "the old configuration is back, and was restarted");
    }
}

static bool restart(const struct wrap_node *node, const struct wrap_node_distro *distro,
                    struct wrap_node_plan *plan, struct wrap_node_state *state,
                    struct wrap_error *err)
{
    char hint[128];
    wrap_node_restart_hint(distro, hint, sizeof hint);
    enum wrap_node_restarted done = node->no_restart && !wrap_node_follows_files(node, distro)
                                        ? WRAP_NODE_NOT_HERE
                                        : wrap_node_restart(node, distro, err);
    if (done == WRAP_NODE_BROKEN) {
        go_back(node, distro, plan, err);
        return false;
    }
    if (done == WRAP_NODE_NOT_HERE) {
        printf("left to do: %s\n", hint);
        return true;
    }
    if (done == WRAP_NODE_NOT_RUNNING) printf("%s is not running\n", distro->name);
    wrap_node_state_not_pending(state, distro->name);
    return true;
}

bool wrap_node_restart_all(const struct wrap_node *node, struct wrap_node_plan *plan,
                           struct wrap_node_state *state, struct wrap_error *err)
{
    const struct wrap_node_distro *distro;
    for (size_t i = 0; (distro = wrap_node_distro_at(i)); i++) {
        if (wrap_node_state_is_pending(state, distro->name) &&
            !restart(node, distro, plan, state, err)) {
            return false;
        }
    }
    return true;
}

int wrap_node_change_by(const struct wrap_command *self, int argc, char **argv,
                        bool (*change)(const struct wrap_node *node, struct wrap_error *err),
                        struct wrap_node *node)
{
    struct wrap_error err = {0};
    int code = 0;
    if (!wrap_node_begin(self, argc, argv, node, &code)) {
        node->wait = false;
        return code;
    }
    int lock = node->dry_run ? -1 : wrap_node_lock(node->root, &err);
    bool good = (node->dry_run || lock >= 0) && change(node, &err);
    /* The folder that was made for the lock, if nothing came into it. */
    if (!node->dry_run) wrap_node_folder_remove(node->root, WRAP_NODE_STATE_DIR);
    if (lock >= 0) close(lock);
    wrap_node_end(node);
    return good ? WRAP_NODE_OK : wrap_node_complain(&err);
}
