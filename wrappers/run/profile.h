/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - --profile: samples of the guest's calls, and their two forms in a file. */
#ifndef WRAPPERS_RUN_PROFILE_H
#define WRAPPERS_RUN_PROFILE_H

#include "run/run.h"

#include <stdio.h>

/**
 * The tree of calls seen: node 0 is the root, children stand behind their parents. A node is a
 * function called in a certain way; `self` counts samples that were in it and in no callee.
 */
struct wrap_node {
    uint32_t func; /* WRAP_NODE_DEEP: callers left out */
    uint32_t parent;
    uint32_t child, next; /* first child, next sibling; 0: none */
    uint32_t depth;
    uint64_t self;
    uint64_t total; /* filled by wrap_calls_finish */
};
enum { WRAP_NODES_MAX = 1 << 20, WRAP_STACK_MAX = 512 };
#define WRAP_NODE_DEEP UINT32_MAX

struct wrap_calls {
    struct wrap_node *nodes;
    uint32_t count, room;
    uint64_t samples;
};

/** Counts a stack, innermost first; what no memory is left for goes to its callers. */
void wrap_calls_add(struct wrap_calls *calls, const uint32_t *funcs, size_t count, bool cut);
/** Fills `total` and orders siblings by it, largest first. */
void wrap_calls_finish(struct wrap_calls *calls);
void wrap_calls_free(struct wrap_calls *calls);
/** The node behind `node` in depth-first order; 0 at the end. */
uint32_t wrap_calls_walk(const struct wrap_calls *calls, uint32_t node);

/** Writes the name of a node's function. */
typedef void (*wrap_node_name_fn)(const void *ctx, uint32_t func, char *buf, size_t cap);

/** "main;foo;bar 12", one line for each stack. */
void wrap_write_folded(FILE *to, const struct wrap_calls *calls, wrap_node_name_fn name,
                       const void *ctx);
/** A flame graph: one SVG file without scripts, callers below. `title` is any text. */
void wrap_write_flames(FILE *to, const struct wrap_calls *calls, const char *title,
                       wrap_node_name_fn name, const void *ctx);

#endif
