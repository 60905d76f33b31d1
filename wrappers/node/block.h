/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h - what is ours in a file of others: lines between two marks, at its end. Taking them away
 * gives the bytes that were there before. And the tables that stand there.
 */
#ifndef WRAPPERS_NODE_BLOCK_H
#define WRAPPERS_NODE_BLOCK_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Bytes of malloc that end with a zero byte that is not counted; the owner frees `data`. */
struct wrap_node_text {
    char *data;
    size_t size;
};

/**
 * All but our lines. `*ours`: there were some. False: a mark lacks its other one, or no memory.
 */
bool wrap_node_block_strip(const char *data, size_t size, struct wrap_node_text *rest, bool *ours,
                           struct wrap_error *err);
/** `rest`, then `lines` between marks. */
bool wrap_node_block_append(const struct wrap_node_text *rest, const struct wrap_node_text *lines,
                            struct wrap_node_text *out, struct wrap_error *err);

/** What a runtime's table says. */
struct wrap_node_table {
    const char *runtime; /**< its name */
    const char *bin_dir;
    unsigned version; /**< of containerd's configuration */
    bool with_version; /**< put it first: the file has none */
    bool with_base; /**< put the base template of k3s first */
    bool with_runc; /**< containerd 1 forgets runc once another runtime is configured */
    const char *systemd; /**< SystemdCgroup: "true", "false" or a template */
};

/** The name of containerd's plug-in that has the runtimes, in a version. */
const char *wrap_node_plugin(unsigned version);
/** Lines for containerd. */
bool wrap_node_table_containerd(const struct wrap_node_table *table, struct wrap_node_text *out,
                                struct wrap_error *err);
/** Lines for CRI-O. */
bool wrap_node_table_crio(const struct wrap_node_table *table, struct wrap_node_text *out,
                          struct wrap_error *err);

#endif
