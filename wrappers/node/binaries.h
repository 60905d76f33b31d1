/* SPDX-License-Identifier: Apache-2.0 */
/* binaries.h - the programs that go to the node, and whether they are there. */
#ifndef WRAPPERS_NODE_BINARIES_H
#define WRAPPERS_NODE_BINARIES_H

#include "node/plan.h"
#include "node/state.h"

enum { WRAP_NODE_BINARIES = 2 };

/** Name of program `i` and its path on the node. */
const char *wrap_node_binary(const struct wrap_node *node, size_t i, char path[PATH_MAX]);
/** Adds to the plan that they are copied, unless they are the same. */
bool wrap_node_binaries_plan(const struct wrap_node *node, struct wrap_node_plan *plan,
                             struct wrap_error *err);
/**
 * Adds to the plan that those go that an earlier run placed; what was changed since stays, and a
 * line says so.
 */
bool wrap_node_binaries_remove(const struct wrap_node *node, const struct wrap_node_state *state,
                               struct wrap_node_plan *plan, struct wrap_error *err);

enum wrap_node_presence {
    WRAP_NODE_MISSING,
    WRAP_NODE_SAME,      /**< as the one in --from, or without that as it was placed */
    WRAP_NODE_DIFFERENT, /**< of another version, say */
};
/** What a look at a program on the node has found. */
struct wrap_node_found {
    char path[PATH_MAX];
    char hash[WRAP_NODE_HASH]; /**< "": it is missing */
    enum wrap_node_presence presence;
};
/** Looks at program `i`. */
bool wrap_node_binary_look(const struct wrap_node *node, const struct wrap_node_state *state,
                           size_t i, struct wrap_node_found *out, struct wrap_error *err);

#endif
