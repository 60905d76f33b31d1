/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, structured control, branches; the body of a function. */
#include "gen_state.h"

/* ---- ends of blocks */

static struct gen_ctl *top(struct gen *g) { return &g->ctl[g->ctl_count - 1]; }

static void drop_one(struct gen *g)
{
    u32 l = gen_percent(g, 30) ? gen_local_of(g, g->stack[g->height - 1], true) : GEN_NONE;
    if (l != GEN_NONE)
        gen_op_u(g, VM_OP_LOCAL_SET, l);
    else
        gen_op(g, VM_OP_DROP);
    gen_pop(g, 1);
}

/** Leaves exactly the innermost block's results, or nothing in dead code. */
void gen_finish(struct gen *g, u32 depth)
{
    struct gen_ctl *f = top(g);
    struct gen_types results = f->results;
    u32 how = gen_below(g, 4);
    if (how == 3 && !f->is_loop) { /* a branch to the end drops what is below the results */
        gen_operands(g, &results, depth);
        gen_op_u(g, VM_OP_BR, 0);
        gen_set_dead(g);
        return;
    }
    if (how >= 1 && gen_avail(g) <= results.n) {
        u32 have = gen_avail(g), i = 0;
        struct gen_types rest = {.n = results.n - have};
        while (i < have && gen_type_matches(g->stack[f->height + i], results.t[i])) i++;
        if (i == have) {
            for (u32 k = 0; k < rest.n; k++) rest.t[k] = results.t[have + k];
            g->floor = g->height;
            gen_operands(g, &rest, depth);
            g->floor = f->height;
            return;
        }
    }
    while (gen_avail(g)) drop_one(g);
    if (f->dead && gen_percent(g, 70)) return;
    gen_operands(g, &results, depth);
}

/* ---- fuel */

/** Leaves the function with some results, or traps. */
static void give_up(struct gen *g)
{
    if (gen_percent(g, 40)) {
        gen_op(g, VM_OP_UNREACHABLE);
        return;
    }
    u32 height = g->height;
    for (u32 i = 0; i < g->sig->results.n; i++) gen_leaf(g, g->sig->results.t[i]);
    gen_op(g, VM_OP_RETURN);
    g->height = height;
}

/** Takes one unit; when there is none, ends the function. */
static void take_fuel(struct gen *g)
{
    u32 fuel = g->m->fuel;
    gen_op_u(g, VM_OP_GLOBAL_GET, fuel);
    gen_op(g, VM_OP_I32_EQZ);
    gen_op_u(g, VM_OP_IF, 0x40);
    give_up(g);
    gen_op(g, VM_OP_END);
    gen_op_u(g, VM_OP_GLOBAL_GET, fuel);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, 1);
    gen_op(g, VM_OP_I32_SUB);
    gen_op_u(g, VM_OP_GLOBAL_SET, fuel);
}

/* ---- blocks */

/** spec binary-blocktype */
bool gen_block_type(struct gen *g, const struct gen_types *params, const struct gen_types *results,
                    struct bytes *out)
{
    if (params->n == 0 && results->n == 0 && !gen_percent(g, 5)) {
        bytes_u8(out, 0x40);
    } else if (params->n == 0 && results->n == 1 && !gen_percent(g, 10)) {
        gen_put_valtype(out, results->t[0]);
    } else {
        u32 type = gen_type_index(g, params, results);
        if (type == GEN_NONE) return false;
        bytes_s64(out, type);
    }
    return true;
}

/** The counter of a loop: set before it, counted at its end. */
struct counter {
    u32 local;
    u32 times;
    bool up;
};

static void counter_start(struct gen *g, struct counter *k)
{
    k->local = gen_local_new(g, VM_I32, true);
    if (k->local == GEN_NONE) return;
    k->times = gen_range(g, 1, 6);
    k->up = gen_percent(g, 50);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, k->up ? 0 : (i64)k->times);
    gen_op_u(g, VM_OP_LOCAL_SET, k->local);
}

/** The back-branch, with the parameters as operands. */
static void counter_end(struct gen *g, const struct counter *k, const struct gen_types *params)
{
    static const vm_op cmp[] = {VM_OP_I32_LT_U, VM_OP_I32_LT_S, VM_OP_I32_NE};
    gen_operands(g, params, 1);
    gen_op_u(g, VM_OP_LOCAL_GET, k->local);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, 1);
    gen_op(g, k->up ? VM_OP_I32_ADD : VM_OP_I32_SUB);
    gen_op_u(g, VM_OP_LOCAL_TEE, k->local);
    if (k->up) {
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, (i64)k->times);
        gen_op(g, cmp[gen_below(g, VM_COUNT(cmp))]);
    }
    gen_op_u(g, VM_OP_BR_IF, 0);
    gen_settle(g, params->n);
}

static void push_ctl(struct gen *g, const struct gen_types *params, const struct gen_types *results,
                     bool is_loop)
{
    g->ctl[g->ctl_count++] = (struct gen_ctl){.label = is_loop ? *params : *results,
                                              .results = *results,
                                              .height = g->height,
                                              .is_loop = is_loop};
    g->floor = g->height;
    for (u32 i = 0; i < params->n; i++) gen_push(g, params->t[i]);
}

void gen_enter(struct gen *g, const struct gen_types *params, const struct gen_types *results)
{
    push_ctl(g, params, results, false);
}

void gen_leave(struct gen *g)
{
    struct gen_ctl *f = top(g);
    struct gen_types results = f->results;
    g->height = f->height;
    g->floor = f->floor;
    g->ctl_count--;
    for (u32 i = 0; i < results.n; i++) gen_push(g, results.t[i]);
}

static u32 body_length(struct gen *g, u32 depth)
{
    return depth ? gen_below(g, 2 + depth) : gen_below(g, 2);
}

void gen_arm(struct gen *g, u32 depth)
{
    gen_sequence(g, body_length(g, depth), depth);
    gen_finish(g, depth);
}

static void loop_body(struct gen *g, const struct gen_types *params, const struct counter *k,
                      u32 depth)
{
    bool counted = k->local != GEN_NONE;
    top(g)->no_branch = counted;
    if (!counted) take_fuel(g);
    gen_sequence(g, body_length(g, depth), depth);
    if (counted)
        counter_end(g, k, params);
    else if (gen_percent(g, 70)) {
        gen_operands(g, params, depth);
        gen_cond(g, depth);
        gen_op_u(g, VM_OP_BR_IF, 0);
        gen_pop(g, 1);
        gen_settle(g, params->n);
    }
    gen_finish(g, depth);
}

/** An `if` without `else` needs its parameters as results. */
static bool needs_else(const struct gen_types *params, const struct gen_types *results)
{
    if (params->n != results->n) return true;
    for (u32 i = 0; i < params->n; i++)
        if (!gen_type_matches(params->t[i], results->t[i])) return true;
    return false;
}

static void if_body(struct gen *g, const struct gen_types *params, const struct gen_types *results,
                    u32 depth)
{
    gen_arm(g, depth);
    if (!needs_else(params, results) && !gen_percent(g, 40)) return;
    gen_op(g, VM_OP_ELSE);
    g->height = top(g)->height;
    top(g)->dead = false;
    for (u32 i = 0; i < params->n; i++) gen_push(g, params->t[i]);
    gen_arm(g, depth);
}

/** Without room or a type: the results as values. */
static void instead_of_block(struct gen *g, u32 np, const struct gen_types *results)
{
    for (u32 i = 0; i < np; i++) drop_one(g);
    for (u32 i = 0; i < results->n; i++) gen_leaf(g, results->t[i]);
}

void gen_block(struct gen *g, vm_op op, u32 np, const struct gen_types *results, u32 depth)
{
    struct gen_types params = {.n = np};
    struct bytes type = {0};
    struct counter k = {.local = GEN_NONE};
    for (u32 i = 0; i < np; i++) params.t[i] = g->stack[g->height - np + i];
    if (g->ctl_count >= GEN_CTL || g->ops < 10 || !gen_block_type(g, &params, results, &type)) {
        instead_of_block(g, np, results);
        bytes_free(&type);
        return;
    }
    if (op == VM_OP_LOOP && (g->is_leaf || gen_percent(g, 60))) counter_start(g, &k);
    if (op == VM_OP_LOOP && g->is_leaf && k.local == GEN_NONE) op = VM_OP_BLOCK;
    if (op == VM_OP_IF) {
        gen_cond(g, depth);
        gen_pop(g, 1);
    }
    gen_op(g, op);
    bytes_append(&g->code, &type);
    bytes_free(&type);
    g->height -= np;
    push_ctl(g, &params, results, op == VM_OP_LOOP);
    if (op == VM_OP_LOOP)
        loop_body(g, &params, &k, depth);
    else if (op == VM_OP_IF)
        if_body(g, &params, results, depth);
    else
        gen_arm(g, depth);
    gen_op(g, VM_OP_END);
    gen_leave(g);
}

/* ---- branches */

/** A label that may be branched to; GEN_NONE when there is none. */
static u32 pick_label(struct gen *g)
{
    u32 first = gen_below(g, g->ctl_count);
    for (u32 i = 0; i < g->ctl_count; i++) {
        u32 depth = (first + i) % g->ctl_count;
        if (!g->ctl[g->ctl_count - 1 - depth].no_branch) return depth;
    }
    return GEN_NONE;
}

static const struct gen_types *label_types(struct gen *g, u32 label)
{
    return &g->ctl[g->ctl_count - 1 - label].label;
}

static bool same_types(const struct gen_types *a, const struct gen_types *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->t, b->t, a->n * sizeof a->t[0]) == 0);
}

u32 gen_label_for(struct gen *g, const struct gen_types *t)
{
    u32 first = gen_below(g, g->ctl_count);
    for (u32 i = 0; i < g->ctl_count; i++) {
        u32 depth = (first + i) % g->ctl_count;
        if (g->ctl[g->ctl_count - 1 - depth].no_branch) continue;
        if (same_types(label_types(g, depth), t)) return depth;
    }
    return GEN_NONE;
}

static bool same_label(struct gen *g, u32 a, u32 b)
{
    return !g->ctl[g->ctl_count - 1 - b].no_branch &&
           same_types(label_types(g, a), label_types(g, b));
}

static void br_table(struct gen *g, u32 label, u32 depth)
{
    u32 same[GEN_CTL], n = 0, entries = gen_percent(g, 5) ? gen_below(g, 60) : gen_below(g, 6);
    for (u32 i = 0; i < g->ctl_count; i++)
        if (same_label(g, label, i)) same[n++] = i;
    gen_operands(g, label_types(g, label), depth);
    gen_value(g, VM_I32, depth);
    if (gen_percent(g, 60)) {
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, 7);
        gen_op(g, VM_OP_I32_AND);
    }
    gen_op_u(g, VM_OP_BR_TABLE, entries);
    for (u32 i = 0; i <= entries; i++) bytes_u64(&g->code, same[gen_below(g, n)]);
    gen_set_dead(g);
}

/** br_on_null keeps a non-null reference behind it; br_on_non_null takes it along. */
static void br_on_null(struct gen *g, u32 label, u32 depth)
{
    struct gen_types t = *label_types(g, label);
    if (t.n && vm_valtype_is_ref(t.t[t.n - 1]) && gen_percent(g, 60)) {
        u32 heap = vm_valtype_heap(t.t[t.n - 1]);
        t.t[t.n - 1] = VM_REFTYPE(true, heap);
        gen_operands(g, &t, depth);
        gen_op_u(g, VM_OP_BR_ON_NON_NULL, label);
        gen_pop(g, 1);
        gen_settle(g, t.n - 1);
        return;
    }
    if (t.n == GEN_ARITY) return;
    t.t[t.n++] = gen_percent(g, 50) && g->m->func_count
                     ? VM_REFTYPE(true, g->m->funcs[gen_below(g, g->m->func_count)].type)
                 : gen_percent(g, 50) ? VM_EXTERNREF
                                      : VM_FUNCREF;
    gen_operands(g, &t, depth);
    gen_op_u(g, VM_OP_BR_ON_NULL, label);
    gen_settle(g, t.n);
    g->stack[g->height - 1] = VM_REFTYPE(false, vm_valtype_heap(t.t[t.n - 1]));
}

static void branch(struct gen *g, u32 depth)
{
    u32 label = pick_label(g), k = gen_below(g, 20);
    if (label == GEN_NONE) return;
    if (k < 9) {
        gen_operands(g, label_types(g, label), depth);
        gen_cond(g, depth);
        gen_op_u(g, VM_OP_BR_IF, label);
        gen_pop(g, 1);
        gen_settle(g, label_types(g, label)->n);
    } else if (k < 12) {
        br_table(g, label, depth);
    } else if (k < 15 && gen_has(g, GEN_FUNC_REFS)) {
        br_on_null(g, label, depth);
    } else if (k < 17) {
        gen_operands(g, label_types(g, label), depth);
        gen_op_u(g, VM_OP_BR, label);
        gen_set_dead(g);
    } else if (k == 17) {
        gen_operands(g, &g->sig->results, depth);
        gen_op(g, VM_OP_RETURN);
        gen_set_dead(g);
    } else if (k == 18) {
        (void)gen_tail_call(g, depth);
    } else if (gen_percent(g, 10)) {
        gen_op(g, VM_OP_UNREACHABLE);
        gen_set_dead(g);
    }
}

/* ---- statements */

/** Result types of a block: few as a rule, eight or twenty at times. */
static struct gen_types block_results(struct gen *g)
{
    struct gen_types r = {.n = gen_percent(g, 60) ? gen_below(g, 3) : 0};
    if (gen_percent(g, 8)) r.n = gen_below(g, 9);
    if (gen_percent(g, 1)) r.n = GEN_ARITY;
    for (u32 i = 0; i < r.n; i++) r.t[i] = gen_any_type(g);
    return r;
}

static void block(struct gen *g, u32 depth)
{
    static const vm_op ops[] = {VM_OP_BLOCK, VM_OP_IF, VM_OP_LOOP};
    struct gen_types results = block_results(g);
    u32 np = gen_percent(g, 40) ? gen_below(g, 5) : 0, avail = gen_avail(g);
    if (np > avail) np = avail;
    for (u32 i = 0; i < np; i++) /* what is missing would not be there in the block */
        if (g->missing[g->height - np + i]) np = 0;
    gen_block(g, ops[gen_below(g, VM_COUNT(ops))], np, &results, depth ? depth - 1 : 0);
}

/**
 * A switch: blocks in each other with the same results, a br_table in the innermost to all of them,
 * and something behind each.
 */
static void nested_switch(struct gen *g, u32 depth)
{
    u32 n = gen_range(g, 2, 5), floor = g->floor;
    struct gen_types results = {.n = gen_below(g, 3)}, none = {0};
    struct bytes type = {0};
    for (u32 i = 0; i < results.n; i++) results.t[i] = gen_any_type(g);
    if (g->ctl_count + n < GEN_CTL && g->ops > 20 && gen_block_type(g, &none, &results, &type)) {
        for (u32 i = 0; i < n; i++) {
            gen_op(g, VM_OP_BLOCK);
            bytes_append(&g->code, &type);
            push_ctl(g, &none, &results, false);
        }
        gen_sequence(g, gen_below(g, 2), depth);
        if (!gen_dead(g)) br_table(g, 0, depth);
        for (u32 i = 0; i < n; i++) {
            gen_op(g, VM_OP_END);
            g->height = top(g)->height;
            g->ctl_count--;
            g->floor = i + 1 < n ? top(g)->height : floor;
            for (u32 k = 0; k < results.n; k++) gen_push(g, results.t[k]);
            if (i + 1 == n) break;
            gen_sequence(g, gen_below(g, 3), depth);
            gen_finish(g, depth);
        }
    }
    bytes_free(&type);
}

/** Says, most times, where the machine is to go, and mostly goes there: `loop` labels out. */
static void next_state(struct gen *g, u32 pc, u32 states, u32 loop, u32 depth)
{
    bool says = gen_percent(g, 80);
    gen_cond(g, depth);
    gen_pop(g, 1);
    gen_op_u(g, VM_OP_IF, 0x40);
    if (says) {
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, gen_below(g, states + 2));
        gen_op_u(g, VM_OP_LOCAL_SET, pc);
    }
    if (gen_percent(g, 80)) gen_op_u(g, VM_OP_BR, loop + 1);
    gen_op(g, VM_OP_END);
}

/** Unstructured control: a loop around a br_table on a local, which the places it leads to set. */
static void state_machine(struct gen *g, u32 depth)
{
    u32 n = gen_range(g, 2, 5), floor = g->floor, pc = gen_local_new(g, VM_I32, true);
    struct gen_types none = {0};
    if (pc == GEN_NONE || g->is_leaf || g->ctl_count + n + 1 >= GEN_CTL || g->ops <= 20) return;
    gen_op_u(g, VM_OP_LOOP, 0x40);
    push_ctl(g, &none, &none, true);
    for (u32 i = 0; i < n; i++) {
        gen_op_u(g, VM_OP_BLOCK, 0x40);
        push_ctl(g, &none, &none, false);
    }
    gen_op_u(g, VM_OP_LOCAL_GET, pc);
    gen_op_u(g, VM_OP_BR_TABLE, n);
    for (u32 i = 0; i <= n; i++) bytes_u64(&g->code, i < n ? i : gen_below(g, n));
    for (u32 i = 0; i <= n; i++) {
        gen_op(g, VM_OP_END);
        g->height = top(g)->height;
        g->ctl_count--;
        g->floor = i < n ? top(g)->height : floor;
        if (i == n) break;
        take_fuel(g);
        gen_sequence(g, gen_below(g, 3), depth);
        if (!gen_dead(g)) next_state(g, pc, n, n - 1 - i, depth);
        if (!gen_dead(g) && gen_percent(g, 50)) next_state(g, pc, n, n - 1 - i, depth);
        gen_finish(g, depth);
    }
}

static void set_something(struct gen *g, u32 depth)
{
    bool use_top = gen_avail(g) && gen_percent(g, 50);
    struct gen_types t = {.n = 1, .t = {use_top ? g->stack[g->height - 1] : gen_defaultable(g)}};
    u32 global = gen_percent(g, 30) ? gen_global_of(g, t.t[0], true) : GEN_NONE;
    u32 local = gen_local_of(g, t.t[0], true);
    if (global == GEN_NONE && local == GEN_NONE) return;
    gen_operands(g, &t, depth);
    if (global != GEN_NONE) {
        gen_op_u(g, VM_OP_GLOBAL_SET, global);
        gen_pop(g, 1);
    } else if (gen_percent(g, 25)) {
        gen_op_u(g, VM_OP_LOCAL_TEE, local);
        gen_settle(g, 1);
        g->stack[g->height - 1] = g->locals[local];
    } else {
        gen_op_u(g, VM_OP_LOCAL_SET, local);
        gen_pop(g, 1);
    }
}

static void store(struct gen *g, u32 depth)
{
    if (g->m->memory_count == 0) return;
    vm_op op = gen_pick_store(g);
    u32 memory = gen_percent(g, 70) ? 0 : gen_below(g, g->m->memory_count);
    vm_valtype t = gen_letter(vm_op_sig(op)[1]);
    gen_address(g, memory, depth);
    gen_value(g, t, depth);
    gen_canonicalise(g);
    gen_op(g, op);
    gen_memarg(g, op, memory);
    gen_pop(g, 2);
}

/** An operation on what happens to be at the top, or on new values. */
static void plain(struct gen *g, u32 depth)
{
    vm_op op = gen_pick_num(g, gen_num_type(g));
    for (u32 tries = 0; tries < 4 && gen_avail(g); tries++) {
        const char *sig = vm_op_sig(op);
        const char *last = strchr(sig, ':') - 1;
        if (gen_letter(*last) == g->stack[g->height - 1]) break;
        op = gen_pick_num(g, gen_num_type(g));
    }
    gen_plain(g, op, depth);
}

static void one(struct gen *g, u32 depth)
{
    if (gen_has(g, GEN_DRAWN) && gen_percent(g, 30)) {
        gen_newer(g, depth);
        return;
    }
    u32 k = gen_below(g, 26);
    if (k < 2) {
        gen_op(g, VM_OP_NOP);
    } else if (k < 5) {
        gen_value(g, gen_any_type(g), depth);
    } else if (k < 9) {
        set_something(g, depth);
    } else if (k < 12) {
        store(g, depth);
    } else if (k < 15) {
        plain(g, depth);
    } else if (k < 18) {
        (void)gen_call(g, VM_BOT, depth);
    } else if (k < 20) {
        block(g, depth);
    } else if (k < 21) {
        if (gen_percent(g, 70))
            block(g, depth);
        else if (gen_percent(g, 50))
            nested_switch(g, depth ? depth - 1 : 0);
        else
            state_machine(g, depth ? depth - 1 : 0);
    } else if (k < 24) {
        branch(g, depth);
    } else if (k < 25 || gen_avail(g) == 0) {
        gen_bulk(g, depth);
    } else {
        drop_one(g);
    }
}

void gen_sequence(struct gen *g, u32 count, u32 depth)
{
    for (u32 i = 0; i < count && g->ops; i++) {
        one(g, depth);
        while (gen_avail(g) > 40) drop_one(g);
    }
}

void gen_statement(struct gen *g, u32 depth)
{
    static const struct gen_types none = {0};
    u32 k = gen_below(g, 4), height = g->height;
    if (k == 0) {
        gen_op(g, VM_OP_NOP);
    } else if (k == 1) {
        gen_block(g, VM_OP_BLOCK, 0, &none, depth);
    } else if (k == 2) {
        store(g, depth);
    } else {
        u32 floor = g->floor;
        g->floor = height;
        set_something(g, depth);
        while (g->height > height) drop_one(g);
        g->floor = floor;
    }
}

/* ---- functions */

/** spec binary-local: runs of one type. */
static void put_locals(struct gen *g, struct bytes *out)
{
    u32 first = g->sig->params.n, runs = 0;
    struct bytes list = {0};
    for (u32 i = first; i < g->local_count; runs++) {
        u32 n = 1;
        while (i + n < g->local_count && g->locals[i + n] == g->locals[i]) n++;
        bytes_u64(&list, n);
        gen_put_valtype(&list, g->locals[i]);
        i += n;
    }
    if (g->spare) {
        bytes_u64(&list, g->spare);
        gen_put_valtype(&list, VM_I64);
        runs++;
    }
    bytes_u64(out, runs);
    bytes_append(out, &list);
    bytes_free(&list);
}

void gen_body(struct gen *g, u32 func, struct bytes *out)
{
    const struct gen_func *f = &g->m->funcs[func];
    g->func = func;
    g->sig = &g->m->types[f->type];
    g->is_leaf = f->is_leaf;
    g->code.size = 0;
    g->local_count = 0;
    g->height = g->ctl_count = g->floor = 0;
    g->ops = gen_percent(g, 10) ? gen_range(g, 100, 600) : gen_range(g, 5, 120);
    g->spare = gen_percent(g, 1) && gen_percent(g, 50) ? gen_range(g, 32500, 33000) : 0;
    for (u32 i = 0; i < g->sig->params.n; i++) (void)gen_local_new(g, g->sig->params.t[i], false);
    for (u32 n = gen_below(g, 9); n; n--) (void)gen_local_new(g, gen_defaultable(g), false);
    static const struct gen_types none = {0};
    push_ctl(g, &none, &g->sig->results, false);
    if (!f->is_leaf) take_fuel(g);
    gen_sequence(g, gen_range(g, 1, 10), GEN_DEPTH);
    gen_finish(g, 2);
    gen_op(g, VM_OP_END);
    put_locals(g, out);
    bytes_append(out, &g->code);
}
