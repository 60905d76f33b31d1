/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - what has to be in the configuration of each distribution, and where. Not here: reading
 * and writing of files.
 */
#ifndef WRAPPERS_NODE_CONFIG_H
#define WRAPPERS_NODE_CONFIG_H

#include "node/plan.h"

/** Of one distribution. */
struct wrap_node_config {
    bool skipped; /**< it needs no table: `where` has the reason */
    bool present; /**< lines of ours are there, these or others */
    char where[2 * PATH_MAX]; /**< the files, with commas between them */
};

/**
 * Adds to the plan what makes the runtime known; nothing when all is there. Errors say which file
 * and why: it is broken, or has a runtime of that name that is not ours.
 */
bool wrap_node_config_plan(const struct wrap_node *node, const struct wrap_node_distro *distro,
                           struct wrap_node_plan *plan, struct wrap_node_config *out,
                           struct wrap_error *err);
/** Adds to the plan that one file loses our lines, or goes when it has no others. */
bool wrap_node_config_remove(const struct wrap_node *node, const struct wrap_node_distro *distro,
                             const char *path, struct wrap_node_plan *plan, struct wrap_error *err);

#endif
