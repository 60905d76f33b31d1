/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions, standard and legacy: what throws, what catches, with values below and around. */
#include "gen_state.h"

enum { CATCH = 0, CATCH_REF = 1, CATCH_ALL = 2, CATCH_ALL_REF = 3, CLAUSES = 3 };

static const struct gen_types none;

static struct gen_ctl *top(struct gen *g) { return &g->ctl[g->ctl_count - 1]; }

static struct gen_types some_types(struct gen *g)
{
    struct gen_types t = {.n = gen_percent(g, 60) ? gen_below(g, 3) : 0};
    for (u32 i = 0; i < t.n; i++) t.t[i] = gen_any_type(g);
    return t;
}

static const struct gen_types *tag_types(const struct gen *g, u32 tag)
{
    return &g->m->types[g->m->tags[tag]].params;
}

/* ---- throwing */

static void throw_tag(struct gen *g, u32 depth)
{
    u32 tag = gen_below(g, g->m->tag_count);
    gen_operands(g, tag_types(g, tag), depth);
    gen_op_u(g, VM_OP_THROW, tag);
    gen_set_dead(g);
}

/** A label of a handler that is being made; GEN_NONE when there is none. */
static u32 handler_label(const struct gen *g)
{
    for (u32 i = 0; i < g->ctl_count; i++)
        if (g->ctl[g->ctl_count - 1 - i].is_catch) return i;
    return GEN_NONE;
}

static void throw_something(struct gen *g, u32 depth)
{
    u32 handler = handler_label(g);
    struct gen_types exn = {.n = 1, .t = {VM_EXNREF}};
    if (handler != GEN_NONE && gen_percent(g, 60)) {
        gen_op_u(g, VM_OP_RETHROW, handler);
        gen_set_dead(g);
    } else if (gen_has(g, GEN_EXCEPTIONS) && gen_percent(g, 30)) {
        gen_operands(g, &exn, depth);
        gen_op(g, VM_OP_THROW_REF);
        gen_set_dead(g);
    } else {
        throw_tag(g, depth);
    }
}

/** Throws in some rounds only, so that what follows is reached as well. */
static void throw_sometimes(struct gen *g, u32 depth)
{
    gen_cond(g, depth);
    gen_pop(g, 1);
    gen_op_u(g, VM_OP_IF, 0x40);
    gen_enter(g, &none, &none);
    throw_something(g, depth);
    gen_op(g, VM_OP_END);
    gen_leave(g);
}

static bool is_inside_try(const struct gen *g)
{
    for (u32 i = 0; i < g->ctl_count; i++)
        if (g->ctl[i].is_try) return true;
    return false;
}

static void throwing(struct gen *g, u32 depth)
{
    u32 odds = is_inside_try(g) ? 50 : 8;
    if (g->ctl_count >= GEN_CTL - 1) return;
    if (gen_percent(g, odds))
        throw_something(g, depth);
    else if (gen_percent(g, 2 * odds))
        throw_sometimes(g, depth);
    else
        (void)gen_call(g, VM_BOT, depth);
}

/** The body of a try: something that may throw among other things. */
static void body(struct gen *g, u32 depth)
{
    top(g)->is_try = true;
    gen_sequence(g, gen_below(g, 3), depth);
    if (!gen_dead(g)) throwing(g, depth);
    gen_sequence(g, gen_below(g, 2), depth);
    gen_finish(g, depth);
}

/* ---- try_table */

struct clause {
    u32 kind, tag, label; /* label: from where the try_table stands */
    struct gen_types types;
    struct bytes block; /* encoded type of the block made for it; empty: goes to a label there is */
};

static struct gen_types clause_types(const struct gen *g, const struct clause *c)
{
    struct gen_types t = {0};
    if (c->kind == CATCH || c->kind == CATCH_REF) t = *tag_types(g, c->tag);
    if ((c->kind == CATCH_REF || c->kind == CATCH_ALL_REF) && t.n < GEN_ARITY)
        t.t[t.n++] = VM_EXNREF;
    return t;
}

/** False: no type is left for its block. */
static bool make_clause(struct gen *g, struct clause *c)
{
    c->kind = gen_below(g, 4);
    c->tag = gen_below(g, g->m->tag_count);
    if (tag_types(g, c->tag)->n == GEN_ARITY) c->kind = CATCH;
    c->types = clause_types(g, c);
    return gen_block_type(g, &none, &c->types, &c->block);
}

/** Some clauses go to labels that were there before; `blocks` are in between. */
static void reuse_labels(struct gen *g, struct clause *c, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        u32 label = gen_percent(g, 20) ? gen_label_for(g, &c[i].types) : GEN_NONE;
        c[i].label = label;
        if (label != GEN_NONE) c[i].block.size = 0;
    }
}

static void put_clauses(struct gen *g, const struct clause *c, u32 n, u32 blocks)
{
    u32 own = 0;
    bytes_u64(&g->code, n);
    for (u32 i = 0; i < n; i++) {
        bytes_u8(&g->code, (u8)c[i].kind);
        if (c[i].kind < CATCH_ALL) bytes_u64(&g->code, c[i].tag);
        bytes_u64(&g->code, c[i].block.size ? own++ : c[i].label + blocks);
    }
}

/** From the end of the try_table or of a handler on: to the end of all, or on into the next one. */
static void go_on(struct gen *g, const struct gen_types *results, u32 out, u32 depth)
{
    gen_sequence(g, gen_below(g, 2), depth);
    if (!gen_dead(g) && gen_percent(g, 60)) {
        gen_operands(g, results, depth);
        gen_op_u(g, VM_OP_BR, out);
        gen_set_dead(g);
    }
    gen_finish(g, depth);
}

static void try_table(struct gen *g, struct clause *c, u32 n, u32 depth)
{
    struct gen_types results = some_types(g), inner = some_types(g), params = {0};
    struct bytes out_type = {0}, type = {0};
    u32 blocks = 1;
    if (gen_percent(g, 40)) params = some_types(g);
    bool room =
        gen_block_type(g, &none, &results, &out_type) && gen_block_type(g, &params, &inner, &type);
    for (u32 i = 0; i < n && room; i++) room = make_clause(g, &c[i]);
    if (room) {
        reuse_labels(g, c, n);
        gen_op(g, VM_OP_BLOCK);
        bytes_append(&g->code, &out_type);
        gen_enter(g, &none, &results);
        for (u32 i = n; i-- > 0;) {
            if (!c[i].block.size) continue;
            gen_op(g, VM_OP_BLOCK);
            bytes_append(&g->code, &c[i].block);
            gen_enter(g, &none, &c[i].types);
            blocks++;
        }
        gen_operands(g, &params, depth);
        gen_op(g, VM_OP_TRY_TABLE);
        bytes_append(&g->code, &type);
        put_clauses(g, c, n, blocks);
        g->height -= params.n;
        gen_enter(g, &params, &inner);
        body(g, depth);
        gen_op(g, VM_OP_END);
        gen_leave(g);
        while (--blocks) {
            go_on(g, &results, blocks, depth);
            gen_op(g, VM_OP_END);
            gen_leave(g);
        }
        gen_sequence(g, gen_below(g, 2), depth);
        gen_finish(g, depth);
        gen_op(g, VM_OP_END);
        gen_leave(g);
    }
    bytes_free(&out_type);
    bytes_free(&type);
}

void gen_exceptions(struct gen *g, u32 depth)
{
    struct clause c[CLAUSES] = {{0}};
    u32 n = gen_below(g, CLAUSES + 1);
    if (g->m->tag_count == 0) return;
    if (gen_percent(g, 30) || g->ctl_count + n + 3 >= GEN_CTL || g->ops < 20)
        throwing(g, depth);
    else
        try_table(g, c, n, depth);
    for (u32 i = 0; i < n; i++) bytes_free(&c[i].block);
}

void gen_caught(struct gen *g, u32 depth)
{
    struct gen_types exn = {.n = 1, .t = {VM_EXNREF}};
    if (g->ctl_count + 3 >= GEN_CTL || g->ops < 10) {
        gen_leaf(g, VM_EXNREF);
        return;
    }
    gen_op_u(g, VM_OP_BLOCK, VM_HEAP_EXN);
    gen_enter(g, &none, &exn);
    gen_op_u(g, VM_OP_TRY_TABLE, 0x40);
    bytes_put(&g->code, "\1\3\0", 3); /* catch_all_ref to the block */
    gen_enter(g, &none, &none);
    body(g, depth);
    gen_op(g, VM_OP_END);
    gen_leave(g);
    gen_finish(g, depth);
    gen_op(g, VM_OP_END);
    gen_leave(g);
}

/* ---- legacy */

static void handler(struct gen *g, const struct gen_types *values, u32 depth)
{
    struct gen_ctl *f = top(g);
    g->height = f->height;
    g->floor = f->height;
    f->dead = false;
    f->is_try = false;
    f->is_catch = true;
    for (u32 i = 0; i < values->n; i++) gen_push(g, values->t[i]);
    gen_sequence(g, gen_below(g, 3), depth);
    if (!gen_dead(g) && gen_percent(g, 40)) throwing(g, depth);
    gen_finish(g, depth);
}

/** Where a try delegates to, from outside of it: often to another try's body. */
static u32 delegate_label(struct gen *g)
{
    u32 n = g->ctl_count - 1, first = gen_below(g, n);
    bool any = gen_percent(g, 40);
    for (u32 i = 0; i < n && !any; i++)
        if (g->ctl[n - 1 - (first + i) % n].is_try) return (first + i) % n;
    return first;
}

static void legacy_try(struct gen *g, u32 depth)
{
    struct gen_types results = some_types(g), params = {0};
    struct bytes type = {0};
    if (gen_percent(g, 40)) params = some_types(g);
    if (gen_block_type(g, &params, &results, &type)) {
        gen_operands(g, &params, depth);
        gen_op(g, VM_OP_TRY);
        bytes_append(&g->code, &type);
        g->height -= params.n;
        gen_enter(g, &params, &results);
        body(g, depth);
        if (gen_percent(g, 25)) {
            gen_op_u(g, VM_OP_DELEGATE, delegate_label(g));
        } else {
            for (u32 n = gen_below(g, 3); n; n--) {
                u32 tag = gen_below(g, g->m->tag_count);
                gen_op_u(g, VM_OP_CATCH, tag);
                handler(g, tag_types(g, tag), depth);
            }
            if (gen_percent(g, 50)) {
                gen_op(g, VM_OP_CATCH_ALL);
                handler(g, &none, depth);
            }
            gen_op(g, VM_OP_END);
        }
        gen_leave(g);
    }
    bytes_free(&type);
}

void gen_legacy(struct gen *g, u32 depth)
{
    if (g->m->tag_count == 0) return;
    if (gen_percent(g, 30) || g->ctl_count + 3 >= GEN_CTL || g->ops < 20)
        throwing(g, depth);
    else
        legacy_try(g, depth);
}
