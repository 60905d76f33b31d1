/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - what `install` and `uninstall` do in the same way. */
#ifndef WRAPPERS_NODE_STEPS_H
#define WRAPPERS_NODE_STEPS_H

#include "node/plan.h"
#include "node/state.h"

/** Prints what restarts a plan and the state make necessary. */
void wrap_node_print_restarts(const struct wrap_node *node, const struct wrap_node_plan *plan,
                              const struct wrap_node_state *state);
/**
 * Restarts what is to be restarted, unless --no-restart, and strikes it off the state. A service
 * that does not come up gets its old configuration back and is restarted with that; false.
 */
bool wrap_node_restart_all(const struct wrap_node *node, struct wrap_node_plan *plan,
                           struct wrap_node_state *state, struct wrap_error *err);
/**
 * A command that changes the node: reads its options into *node, which owns nothing afterwards, and
 * calls `change` with the node locked, unless it is a dry run. The exit code.
 */
int wrap_node_change_by(const struct wrap_command *self, int argc, char **argv,
                        bool (*change)(const struct wrap_node *node, struct wrap_error *err),
                        struct wrap_node *node);

#endif
