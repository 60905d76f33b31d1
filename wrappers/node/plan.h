/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - the changes of a run: made first, so that what can't be done is known before anything is
 * changed; then printed, or carried out one by one, or taken back.
 */
#ifndef WRAPPERS_NODE_PLAN_H
#define WRAPPERS_NODE_PLAN_H

#include "node/distro.h"
#include "node/file.h"
#include "node/node.h"

/** Behind the name of a configuration: its first original. */
#define WRAP_NODE_BACKUP ".wasmrun-backup"

/** One file. */
struct wrap_node_change {
    char *path;
    const struct wrap_node_distro *distro; /**< whose configuration it is; NULL: a binary */
    bool remove, backup, done;
    struct wrap_node_file before, content;
};

/** Zero-initialise; free with wrap_node_plan_free. */
struct wrap_node_plan {
    struct wrap_node_change *changes;
    size_t count;
};

/**
 * Adds that `path` gets these bytes, unless it has them; `before` and `data` are taken over in any
 * case. `mode` is for a file that is new. A configuration that was there is backed up.
 */
bool wrap_node_plan_write(struct wrap_node_plan *plan, const struct wrap_node_change *change,
                          mode_t mode, struct wrap_error *err);
/** Adds that a file is removed; `before` is taken over. */
bool wrap_node_plan_remove(struct wrap_node_plan *plan, const struct wrap_node_change *change,
                           struct wrap_error *err);
void wrap_node_plan_free(struct wrap_node_plan *plan);

/** Whether a distribution's configuration is changed; NULL: whether any file is. */
bool wrap_node_plan_changes(const struct wrap_node_plan *plan,
                            const struct wrap_node_distro *distro);
/** Prints the changes on stdout, those of configurations as a diff. */
void wrap_node_plan_print(const struct wrap_node_plan *plan);
/** Carries out the changes of binaries or of configurations; after an error none of them stays. */
bool wrap_node_plan_apply(const struct wrap_node *node, struct wrap_node_plan *plan, bool binaries,
                          struct wrap_error *err);
/** Takes back what was done to the configurations of a distribution (NULL: of all). */
bool wrap_node_plan_undo(const struct wrap_node *node, struct wrap_node_plan *plan,
                         const struct wrap_node_distro *distro, struct wrap_error *err);

#endif
