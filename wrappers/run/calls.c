/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the tree of sampled calls. */
#include "run/profile.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct wrap_calls *calls)
{
    if (calls->count < calls->room) {
        return true;
    }
    uint32_t room = calls->room ? calls->room * 2 : 256;
    struct wrap_node *nodes =
        room <= WRAP_NODES_MAX ? realloc(calls->nodes, room * sizeof nodes[0]) : NULL;
    if (!nodes) {
        return false;
    }
    calls->nodes = nodes;
    calls->room = room;
    if (!calls->count) {
        nodes[0] = (struct wrap_node){0};
        calls->count = 1;
    }
    return true;
}

/* The child of `parent` for `func`, made when there is none; `parent` when there is no room. */
static uint32_t enter(struct wrap_calls *calls, uint32_t parent, uint32_t func)
{
    for (uint32_t i = calls->nodes[parent].child; i; i = calls->nodes[i].next) {
        if (calls->nodes[i].func == func) {
            return i;
        }
    }
    if (!make_room(calls)) {
        return parent;
    }
    struct wrap_node *up = &calls->nodes[parent];
    calls->nodes[calls->count] = (struct wrap_node){
        .func = func, .parent = parent, .next = up->child, .depth = up->depth + 1};
    up->child = calls->count;
    return calls->count++;
}

void wrap_calls_add(struct wrap_calls *calls, const uint32_t *funcs, size_t count, bool cut)
{
    calls->samples++;
    if (!calls->count && !make_room(calls)) {
        return;
    }
    uint32_t node = cut ? enter(calls, 0, WRAP_NODE_DEEP) : 0;
    for (size_t i = count; i-- > 0;) {
        node = enter(calls, node, funcs[i]);
    }
    calls->nodes[node].self++;
}

/* Puts node `i` into its parent's list of children, before smaller ones. */
static void place(struct wrap_node *nodes, uint32_t i)
{
    uint32_t *at = &nodes[nodes[i].parent].child;
    while (*at && nodes[*at].total >= nodes[i].total) {
        at = &nodes[*at].next;
    }
    nodes[i].next = *at;
    *at = i;
}

void wrap_calls_finish(struct wrap_calls *calls)
{
    struct wrap_node *nodes = calls->nodes;
    for (uint32_t i = 0; i < calls->count; i++) {
        nodes[i].total = nodes[i].self;
        nodes[i].child = 0;
    }
    for (uint32_t i = calls->count; i-- > 1;) {
        nodes[nodes[i].parent].total += nodes[i].total;
    }
    for (uint32_t i = 1; i < calls->count; i++) {
        place(nodes, i);
    }
}

uint32_t wrap_calls_walk(const struct wrap_calls *calls, uint32_t node)
{
    const struct wrap_node *nodes = calls->nodes;
    if (!calls->count) {
        return 0;
    }
    if (nodes[node].child) {
        return nodes[node].child;
    }
    while (node && !nodes[node].next) {
        node = nodes[node].parent;
    }
    return node ? nodes[node].next : 0;
}

void wrap_calls_free(struct wrap_calls *calls)
{
    free(calls->nodes);
    *calls = (struct wrap_calls){0};
}
