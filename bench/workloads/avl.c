/* SPDX-License-Identifier: Apache-2.0 */
/* avl.c - a balanced binary tree: inserts, removals, look-ups, walks. size: thousands of keys. */
#include "workload.h"

#include <stdlib.h>

struct node {
    struct node *kids[2];
    u32 key;
    i32 height;
};

static i32 height(const struct node *node) { return node ? node->height : 0; }

static void measure(struct node *node)
{
    i32 left = height(node->kids[0]);
    i32 right = height(node->kids[1]);
    node->height = 1 + (left > right ? left : right);
}

/* The child on `side` comes up. */
static struct node *rotate(struct node *node, u32 side)
{
    struct node *top = node->kids[side];
    node->kids[side] = top->kids[!side];
    top->kids[!side] = node;
    measure(node);
    measure(top);
    return top;
}

static struct node *balance(struct node *node)
{
    measure(node);
    i32 lean = height(node->kids[1]) - height(node->kids[0]);
    if (lean > -2 && lean < 2) return node;
    u32 side = lean > 0;
    struct node *kid = node->kids[side];
    if (height(kid->kids[!side]) > height(kid->kids[side])) node->kids[side] = rotate(kid, !side);
    return rotate(node, side);
}

static struct node *insert(struct node *node, u32 key)
{
    if (!node) {
        node = wl_alloc(sizeof *node);
        node->key = key;
        node->height = 1;
        return node;
    }
    if (key == node->key) return node;
    u32 side = key > node->key;
    node->kids[side] = insert(node->kids[side], key);
    return balance(node);
}

static struct node *take_least(struct node *node, struct node **least)
{
    if (!node->kids[0]) {
        *least = node;
        return node->kids[1];
    }
    node->kids[0] = take_least(node->kids[0], least);
    return balance(node);
}

static struct node *take(struct node *node, u32 key)
{
    if (!node) return NULL;
    if (key != node->key) {
        u32 side = key > node->key;
        node->kids[side] = take(node->kids[side], key);
        return balance(node);
    }
    struct node *heir = node->kids[0];
    if (node->kids[1]) {
        struct node *rest = take_least(node->kids[1], &heir);
        heir->kids[0] = node->kids[0];
        heir->kids[1] = rest;
        heir = balance(heir);
    }
    free(node);
    return heir;
}

static u32 contains(const struct node *node, u32 key)
{
    while (node && node->key != key) node = node->kids[key > node->key];
    return node != NULL;
}

static u64 walk(const struct node *node, u64 sum)
{
    for (; node; node = node->kids[1]) sum = wl_mix(walk(node->kids[0], sum), node->key);
    return sum;
}

u64 workload(u32 size)
{
    u32 count = size * 1000;
    u32 seed = 5;
    u32 found = 0;
    struct node *root = NULL;
    for (u32 i = 0; i < count; i++) root = insert(root, wl_random(&seed) % (2 * count));
    for (u32 i = 0; i < 2 * count; i++) found += contains(root, i);
    u64 sum = walk(root, found);
    for (u32 i = 0; i < count; i++) root = take(root, wl_random(&seed) % (2 * count));
    return walk(root, wl_mix(sum, (u64)height(root)));
}
