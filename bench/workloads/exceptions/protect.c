/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protect.c - an evaluator of expression trees in C whose errors are longjmps to the innermost
 * protected node, as interpreters written in C do. size: trees evaluated.
 */
#include "sjlj.h"
#include "workload.h"

enum { TREES = 64, DEPTH = 12, NODES = 4096 };

/* PROTECT: its second child is evaluated when its first one fails. */
enum kind { LEAF, ADD, MULTIPLY, DIVIDE, CHECK, PROTECT };

struct node {
    u8 kind;
    u32 value;
    struct node *left, *right;
};

/** Where an error goes. */
struct handler {
    sjlj_buf env;
    struct handler *outer;
    u32 depth;
};

static struct handler *innermost;
static u32 depth_now, failures[4];

static _Noreturn __attribute__((noinline)) void fail(int why)
{
    failures[why]++;
    longjmp(innermost->env, why);
}

/* ---------------------------------------------------------------- trees */

static struct node *pool;
static u32 used;

static struct node *make(u32 *seed, u32 depth)
{
    struct node *node = &pool[used++];
    u32 random = wl_random(seed);
    node->value = random >> 8;
    if (!depth || used > NODES - 2 * DEPTH - 2 || random % 16 == 0) {
        node->kind = LEAF;
        return node;
    }
    /* mostly sums and products; of divisions and checks one in eight fails */
    static const u8 kinds[16] = {ADD,      ADD,      ADD,     MULTIPLY, MULTIPLY, MULTIPLY,
                                 ADD,      ADD,      DIVIDE,  DIVIDE,   CHECK,    CHECK,
                                 MULTIPLY, MULTIPLY, PROTECT, PROTECT};
    node->kind = kinds[random >> 4 & 15];
    node->left = make(seed, depth - 1);
    node->right = make(seed, depth - 1 - (random >> 12 & 1 && depth > 1));
    return node;
}

/* ---------------------------------------------------------------- evaluation */

static u32 evaluate(const struct node *node, u32 salt);

/* A function with setjmp keeps its variables in memory: only this one. */
static __attribute__((noinline)) u32 protect(const struct node *node, u32 salt)
{
    struct handler handler = {.outer = innermost, .depth = depth_now};
    volatile u32 value = 0;
    innermost = &handler;
    int why = setjmp(handler.env);
    if (!why) value = evaluate(node->left, salt);
    innermost = handler.outer;
    if (!why) return value;
    u32 lost = depth_now - handler.depth;
    depth_now = handler.depth;
    return evaluate(node->right, salt + (u32)why) + lost;
}

static u32 evaluate(const struct node *node, u32 salt)
{
    u32 left, right;
    if (node->kind == LEAF) return node->value ^ salt;
    if (node->kind == PROTECT) return protect(node, salt);
    depth_now++;
    left = evaluate(node->left, salt * 3 + 1);
    right = evaluate(node->right, salt + 7);
    depth_now--;
    switch (node->kind) {
    case ADD: return left + right;
    case MULTIPLY: return left * (right | 1);
    case DIVIDE:
        if (!(right & 7)) fail(1);
        return left / (right & 7);
    default:
        if (((left ^ right) & 7) == 3) fail(2);
        return left ^ right >> 3;
    }
}

u64 workload(u32 size)
{
    struct node *trees[TREES];
    struct node root = {.kind = PROTECT}, nothing = {.kind = LEAF};
    u32 seed = 5;
    u64 sum = 0;
    pool = wl_alloc((size_t)TREES * NODES * sizeof *pool);
    for (u32 i = 0; i < TREES; i++) {
        used = 0;
        trees[i] = make(&seed, DEPTH - i % 4);
        pool += used;
    }
    root.right = &nothing;
    for (u32 i = 0; i < size; i++) {
        root.left = trees[i % TREES];
        sum = wl_mix(sum, protect(&root, i));
    }
    for (u32 i = 0; i < 4; i++) sum = wl_mix(sum, failures[i]);
    return wl_mix(sum, depth_now);
}
