/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a wanted type: constants, operations, loads, calls, blocks. */
#include "gen_state.h"

/* ---- leaves */

void gen_const(struct gen *g, vm_valtype t)
{
    switch (t) {
    case VM_I32:
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, (i32)gen_i32(g));
        break;
    case VM_I64:
        gen_op(g, VM_OP_I64_CONST);
        bytes_s64(&g->code, (i64)gen_i64(g));
        break;
    case VM_F32:
        gen_op(g, VM_OP_F32_CONST);
        bytes_le(&g->code, gen_f32(g), 4);
        break;
    case VM_V128: {
        u8 bytes[16];
        gen_v128(g, bytes);
        gen_op(g, VM_OP_V128_CONST);
        bytes_put(&g->code, bytes, sizeof bytes);
        break;
    }
    default:
        gen_op(g, VM_OP_F64_CONST);
        bytes_le(&g->code, gen_f64(g), 8);
        break;
    }
    gen_push(g, t);
}

static void i32_const(struct gen *g, u32 v)
{
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, (i32)v);
    gen_push(g, VM_I32);
}

/** A constant of an address type. */
static void size_const(struct gen *g, bool is_64, u64 v)
{
    if (!is_64) {
        i32_const(g, (u32)v);
        return;
    }
    gen_op(g, VM_OP_I64_CONST);
    bytes_s64(&g->code, (i64)v);
    gen_push(g, VM_I64);
}

static void ref_leaf(struct gen *g, vm_valtype t)
{
    u32 heap = vm_valtype_heap(t), func = GEN_NONE;
    bool is_null = vm_valtype_is_nullable(t) && gen_percent(g, 30);
    if (!is_null && heap != (VM_HEAP_ABSTRACT | VM_HEAP_EXTERN) &&
        heap != (VM_HEAP_ABSTRACT | VM_HEAP_EXN))
        func = vm_heap_is_abstract(heap) ? gen_below(g, g->m->func_count) : gen_func_of(g, heap);
    if (func != GEN_NONE) {
        gen_op_u(g, VM_OP_REF_FUNC, func); /* all functions are exported, so declared */
    } else {
        gen_op(g, VM_OP_REF_NULL);
        gen_put_heaptype(&g->code, t);
        if (!vm_valtype_is_nullable(t)) gen_op(g, VM_OP_REF_AS_NON_NULL);
    }
    gen_push(g, t);
}

void gen_leaf(struct gen *g, vm_valtype t)
{
    u32 local = gen_percent(g, 60) ? gen_local_of(g, t, false) : GEN_NONE;
    if (local != GEN_NONE) {
        gen_op_u(g, VM_OP_LOCAL_GET, local);
        gen_push(g, t);
        return;
    }
    u32 global = gen_percent(g, 20) ? gen_global_of(g, t, false) : GEN_NONE;
    if (global != GEN_NONE) {
        gen_op_u(g, VM_OP_GLOBAL_GET, global);
        gen_push(g, t);
    } else if (vm_valtype_is_ref(t)) {
        ref_leaf(g, t);
    } else {
        gen_const(g, t);
    }
}

/* ---- plain operations */

static bool is_division(vm_op op)
{
    return (op >= VM_OP_I32_DIV_S && op <= VM_OP_I32_REM_U) ||
           (op >= VM_OP_I64_DIV_S && op <= VM_OP_I64_REM_U);
}
_Static_assert(VM_OP_I32_REM_U - VM_OP_I32_DIV_S == 3, "divisions are neighbours");
_Static_assert(VM_OP_I64_REM_U - VM_OP_I64_DIV_S == 3, "divisions are neighbours");

/** The saturating truncation instead of the trapping one. */
static vm_op without_trap(vm_op op)
{
    switch (op) {
    case VM_OP_I32_TRUNC_F32_S: return VM_OP_I32_TRUNC_SAT_F32_S;
    case VM_OP_I32_TRUNC_F32_U: return VM_OP_I32_TRUNC_SAT_F32_U;
    case VM_OP_I32_TRUNC_F64_S: return VM_OP_I32_TRUNC_SAT_F64_S;
    case VM_OP_I32_TRUNC_F64_U: return VM_OP_I32_TRUNC_SAT_F64_U;
    case VM_OP_I64_TRUNC_F32_S: return VM_OP_I64_TRUNC_SAT_F32_S;
    case VM_OP_I64_TRUNC_F32_U: return VM_OP_I64_TRUNC_SAT_F32_U;
    case VM_OP_I64_TRUNC_F64_S: return VM_OP_I64_TRUNC_SAT_F64_S;
    case VM_OP_I64_TRUNC_F64_U: return VM_OP_I64_TRUNC_SAT_F64_U;
    default: return op;
    }
}

void gen_canonicalise(struct gen *g)
{
    vm_valtype t = g->stack[g->height - 1];
    bool f32_ = t == VM_F32;
    if (t == VM_V128 && gen_percent(g, 75)) gen_canonical_lanes(g);
    if ((!f32_ && t != VM_F64) || gen_percent(g, 25)) return;
    u32 tmp = gen_local_of(g, t, true);
    if (tmp == GEN_NONE) tmp = gen_local_new(g, t, false);
    if (tmp == GEN_NONE) return;
    gen_op_u(g, VM_OP_LOCAL_TEE, tmp);
    gen_op(g, f32_ ? VM_OP_F32_CONST : VM_OP_F64_CONST);
    bytes_le(&g->code, f32_ ? 0x7fc00000 : 0x7ff8000000000000, f32_ ? 4 : 8);
    gen_op_u(g, VM_OP_LOCAL_GET, tmp);
    gen_op_u(g, VM_OP_LOCAL_GET, tmp);
    gen_op(g, f32_ ? VM_OP_F32_EQ : VM_OP_F64_EQ);
    gen_op(g, VM_OP_SELECT);
}

static bool shows_bits(vm_op op)
{
    return op == VM_OP_I32_REINTERPRET_F32 || op == VM_OP_I64_REINTERPRET_F64 ||
           op == VM_OP_F32_COPYSIGN || op == VM_OP_F64_COPYSIGN;
}

/** A divisor is mostly made odd, so not zero. */
static void make_odd(struct gen *g, vm_op op)
{
    bool wide = op >= VM_OP_I64_DIV_S && op <= VM_OP_I64_REM_U;
    if (gen_percent(g, 6)) return;
    gen_op(g, wide ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, 1);
    gen_op(g, wide ? VM_OP_I64_OR : VM_OP_I32_OR);
}

void gen_plain(struct gen *g, vm_op op, u32 depth)
{
    struct gen_types args = {0};
    const char *sig;
    if (!gen_percent(g, 8)) op = without_trap(op);
    sig = vm_op_sig(op);
    for (; *sig != ':'; sig++) args.t[args.n++] = gen_letter(*sig);
    gen_operands(g, &args, depth);
    if (is_division(op)) make_odd(g, op);
    if (shows_bits(op)) gen_canonicalise(g);
    gen_op(g, op);
    gen_lanes(g, op);
    gen_pop(g, args.n);
    if (sig[1]) gen_push(g, gen_letter(sig[1]));
    if (sig[1] == 'V' && vm_op_name(op)[0] == 'f') {
        g->lanes = vm_op_name(op)[4] == '4' ? 4 : 2;
        if (gen_percent(g, 60)) gen_canonical_lanes(g);
    }
}

void gen_cond(struct gen *g, u32 depth)
{
    u32 k = gen_below(g, 10), floor = g->floor;
    g->floor = g->height;
    if (depth == 0 || k == 0) {
        gen_leaf(g, VM_I32);
    } else if (k < 7) {
        gen_plain(g, gen_pick_cmp(g), depth - 1);
        for (u32 n = gen_percent(g, 25) ? gen_range(g, 1, 2) : 0; n; n--) gen_op(g, VM_OP_I32_EQZ);
    } else {
        gen_value(g, VM_I32, depth - 1);
    }
    g->floor = floor;
}

/* ---- memory */

void gen_index(struct gen *g, bool is_64, u64 bound, u32 depth)
{
    u32 k = gen_below(g, 20);
    if (k < 11 || depth == 0) {
        size_const(g, is_64, bound ? gen_below(g, bound < 65536 ? (u32)bound : 65536) : 0);
    } else if (k < 16) {
        u64 mask = 1;
        while (mask * 2 <= bound && mask < 65536) mask *= 2;
        gen_value(g, is_64 ? VM_I64 : VM_I32, depth - 1);
        gen_op(g, is_64 ? VM_OP_I64_CONST : VM_OP_I32_CONST);
        bytes_s64(&g->code, (i64)(mask - 1));
        gen_op(g, is_64 ? VM_OP_I64_AND : VM_OP_I32_AND);
    } else if (k < 19) {
        size_const(g, is_64, bound ? bound - 1 - gen_below(g, bound < 20 ? (u32)bound : 20) : 0);
    } else if (gen_percent(g, 50)) {
        size_const(g, is_64, bound - gen_below(g, 3));
    } else {
        gen_value(g, is_64 ? VM_I64 : VM_I32, depth - 1);
    }
}

/** A local with an offset added, as array accesses have it. */
static void scaled_address(struct gen *g)
{
    u32 local = gen_local_of(g, VM_I32, false);
    if (local == GEN_NONE) {
        i32_const(g, gen_below(g, 4096));
        return;
    }
    gen_op_u(g, VM_OP_LOCAL_GET, local);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, 0xfff);
    gen_op(g, VM_OP_I32_AND);
    if (gen_percent(g, 50)) {
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, (i64)gen_below(g, 4));
        gen_op(g, VM_OP_I32_SHL);
    }
    if (gen_percent(g, 50)) {
        gen_op(g, VM_OP_I32_CONST);
        bytes_s64(&g->code, (i64)gen_below(g, 1000));
        gen_op(g, VM_OP_I32_ADD);
    }
    gen_push(g, VM_I32);
}

void gen_address(struct gen *g, u32 memory, u32 depth)
{
    const struct gen_limits *m = &g->m->memories[memory];
    if (!m->is_64 && gen_percent(g, 25))
        scaled_address(g);
    else
        gen_index(g, m->is_64, gen_bytes(m), depth);
}

/** spec binary-memarg: bit 6 of the alignment says that a memory index follows. */
void gen_memarg(struct gen *g, vm_op op, u32 memory)
{
    const struct gen_limits *m = &g->m->memories[memory];
    bool multi = memory != 0 || (gen_has(g, GEN_MULTI_MEMORY) && gen_percent(g, 5));
    u32 align = gen_below(g, vm_op_natural_align(op) + 1);
    u64 offset = gen_percent(g, 50) ? 0 : gen_below(g, 64);
    if (gen_percent(g, 8)) offset = gen_below(g, 65536);
    if (gen_percent(g, 3)) {
        offset = 0xffffffff - gen_below(g, 16);
        if (m->is_64 && gen_percent(g, 70)) offset = gen_i64(g);
    }
    bytes_u64(&g->code, align | (multi ? 0x40 : 0));
    if (multi) bytes_u64(&g->code, memory);
    bytes_u64(&g->code, offset);
    if (vm_op_imm(op) == VM_IMM_MEMARG_LANE)
        bytes_u8(&g->code, (u8)gen_below(g, 16u >> vm_op_natural_align(op)));
}

static void gen_load(struct gen *g, vm_valtype t, u32 depth)
{
    u32 memory = gen_percent(g, 70) ? 0 : gen_below(g, g->m->memory_count);
    vm_op op = gen_pick_load(g, t);
    bool lane = vm_op_sig(op)[1] == 'V';
    gen_address(g, memory, depth);
    if (lane) gen_value(g, VM_V128, depth);
    gen_op(g, op);
    gen_memarg(g, op, memory);
    gen_pop(g, lane ? 2 : 1);
    gen_push(g, t);
}

/* ---- calls */

/** True when calling `func` gives `result` last (VM_BOT: whatever). */
static bool answers(const struct gen *g, u32 func, vm_valtype result)
{
    const struct gen_types *r = &g->m->types[g->m->funcs[func].type].results;
    if (g->is_leaf) return false; /* has no fuel check, so must not be in a cycle */
    return result == VM_BOT || (r->n && gen_type_matches(r->t[r->n - 1], result));
}

static u32 pick_func(struct gen *g, vm_valtype result)
{
    u32 n = g->m->func_count, first = n ? gen_below(g, n) : 0;
    for (u32 i = 0; i < n; i++)
        if (answers(g, (first + i) % n, result)) return (first + i) % n;
    return GEN_NONE;
}

/** The index of an element of `type` that a segment put into a table; any table if there is none.
 */
static u32 find_element(struct gen *g, u32 type, u32 *table)
{
    u32 n = g->m->table_count, first = n ? gen_below(g, n) : 0;
    *table = GEN_NONE;
    for (u32 i = 0; i < n; i++) {
        const struct gen_table *t = &g->m->tables[(first + i) % n];
        if (!gen_type_matches(t->elem, VM_FUNCREF)) continue;
        *table = (first + i) % n;
        for (u32 k = 0; k < GEN_KNOWN; k++)
            if (t->known[k] && g->m->funcs[t->known[k] - 1].type == type) return k;
    }
    return GEN_NONE;
}

/** The call itself, the arguments being there: direct, indirect or by reference. */
static void emit_call(struct gen *g, u32 func, bool tail, u32 depth)
{
    static const vm_op ops[2][3] = {
        {VM_OP_CALL, VM_OP_CALL_INDIRECT, VM_OP_CALL_REF},
        {VM_OP_RETURN_CALL, VM_OP_RETURN_CALL_INDIRECT, VM_OP_RETURN_CALL_REF}};
    u32 type = g->m->funcs[func].type, how = gen_below(g, 10), table;
    if (how >= 7 && gen_has(g, GEN_FUNC_REFS)) {
        gen_value(g, VM_REFTYPE(true, type), depth ? depth - 1 : 0);
        gen_op_u(g, ops[tail][2], type);
        gen_pop(g, 1);
        return;
    }
    u32 at = how >= 4 ? find_element(g, type, &table) : GEN_NONE;
    if (how < 4 || table == GEN_NONE || (at == GEN_NONE && !gen_percent(g, 5))) {
        gen_op_u(g, ops[tail][0], func);
        return;
    }
    const struct gen_table *t = &g->m->tables[table];
    if (at != GEN_NONE && !gen_percent(g, 4))
        size_const(g, t->limits.is_64, at);
    else
        gen_index(g, t->limits.is_64, t->limits.min, depth);
    gen_op_u(g, ops[tail][1], type);
    bytes_u64(&g->code, table);
    gen_pop(g, 1);
}

bool gen_call(struct gen *g, vm_valtype result, u32 depth)
{
    u32 func = pick_func(g, result);
    if (func == GEN_NONE) return false;
    const struct gen_type *type = &g->m->types[g->m->funcs[func].type];
    gen_operands(g, &type->params, depth ? depth - 1 : 0);
    emit_call(g, func, false, depth);
    gen_pop(g, type->params.n);
    for (u32 i = 0; i < type->results.n; i++) gen_push(g, type->results.t[i]);
    return true;
}

bool gen_tail_call(struct gen *g, u32 depth)
{
    u32 n = g->m->func_count, first = gen_below(g, n), func = GEN_NONE;
    if (g->is_leaf || !gen_has(g, GEN_TAIL_CALL)) return false;
    for (u32 i = 0; i < n && func == GEN_NONE; i++) {
        const struct gen_type *t = &g->m->types[g->m->funcs[(first + i) % n].type];
        bool same = t->results.n == g->sig->results.n;
        for (u32 k = 0; k < t->results.n && same; k++)
            same = gen_type_matches(t->results.t[k], g->sig->results.t[k]);
        if (same) func = (first + i) % n;
    }
    if (func == GEN_NONE) return false;
    gen_operands(g, &g->m->types[g->m->funcs[func].type].params, depth);
    emit_call(g, func, true, depth);
    gen_set_dead(g);
    return true;
}

/* ---- the choice */

static void drop_to(struct gen *g, u32 height)
{
    while (g->height > height) {
        u32 l = gen_percent(g, 50) ? gen_local_of(g, g->stack[g->height - 1], true) : GEN_NONE;
        if (l != GEN_NONE)
            gen_op_u(g, VM_OP_LOCAL_SET, l);
        else
            gen_op(g, VM_OP_DROP);
        gen_pop(g, 1);
    }
}

void gen_keep_last(struct gen *g, u32 height, vm_valtype t)
{
    if (g->height == height + 1) return;
    bool has_default = !vm_valtype_is_ref(t) || vm_valtype_is_nullable(t);
    u32 tmp = has_default ? gen_local_new(g, t, true) : GEN_NONE;
    if (tmp == GEN_NONE) {
        drop_to(g, height);
        gen_leaf(g, t);
        return;
    }
    gen_op_u(g, VM_OP_LOCAL_SET, tmp);
    gen_pop(g, 1);
    drop_to(g, height);
    gen_op_u(g, VM_OP_LOCAL_GET, tmp);
    gen_push(g, t);
}

static void value_select(struct gen *g, vm_valtype t, u32 depth)
{
    gen_value(g, t, depth - 1);
    gen_value(g, t, depth - 1);
    gen_cond(g, depth);
    if (vm_valtype_is_ref(t) || gen_percent(g, 20)) {
        gen_op_u(g, VM_OP_SELECT_T, 1);
        gen_put_valtype(&g->code, t);
    } else {
        gen_op(g, VM_OP_SELECT);
    }
    gen_pop(g, 3);
    gen_push(g, t);
}

static void value_tee(struct gen *g, vm_valtype t, u32 depth)
{
    gen_value(g, t, depth - 1);
    u32 l = gen_local_of(g, t, true);
    if (l != GEN_NONE && g->locals[l] == t) gen_op_u(g, VM_OP_LOCAL_TEE, l);
}

static void value_block(struct gen *g, vm_valtype t, u32 depth)
{
    static const vm_op ops[] = {VM_OP_BLOCK, VM_OP_IF, VM_OP_IF, VM_OP_LOOP};
    struct gen_types results = {.n = 1, .t = {t}};
    u32 np = gen_percent(g, 20) ? gen_range(g, 1, 3) : 0;
    for (u32 i = 0; i < np; i++) gen_value(g, gen_any_type(g), depth - 1);
    gen_block(g, ops[gen_below(g, VM_COUNT(ops))], np, &results, depth - 1);
}

/** Values of one type only. */
static bool value_special(struct gen *g, vm_valtype t, u32 depth)
{
    struct gen_module *m = g->m;
    u32 table = m->table_count ? gen_below(g, m->table_count) : GEN_NONE;
    u32 memory = m->memory_count ? gen_below(g, m->memory_count) : GEN_NONE;
    if (vm_valtype_is_ref(t)) {
        if (table == GEN_NONE || !gen_type_matches(m->tables[table].elem, t)) return false;
        gen_index(g, m->tables[table].limits.is_64, m->tables[table].limits.min, depth);
        gen_op_u(g, VM_OP_TABLE_GET, table);
        gen_pop(g, 1);
        gen_push(g, t);
        return true;
    }
    if (t != VM_I32 && t != VM_I64) return false;
    u32 k = gen_below(g, 3);
    if (k == 0 && memory != GEN_NONE && m->memories[memory].is_64 == (t == VM_I64)) {
        gen_op_u(g, VM_OP_MEMORY_SIZE, memory);
    } else if (k == 1 && table != GEN_NONE && m->tables[table].limits.is_64 == (t == VM_I64)) {
        gen_op_u(g, VM_OP_TABLE_SIZE, table);
    } else if (t == VM_I32) {
        gen_value(g, gen_percent(g, 50) ? VM_FUNCREF : VM_EXTERNREF, depth - 1);
        gen_op(g, VM_OP_REF_IS_NULL);
        gen_pop(g, 1);
    } else {
        return false;
    }
    gen_push(g, t);
    return true;
}

static void value_of(struct gen *g, vm_valtype t, u32 depth)
{
    if (gen_has(g, GEN_DRAWN) && gen_percent(g, 12) && gen_newer_value(g, t, depth)) return;
    u32 k = gen_below(g, 27), height = g->height;
    bool is_ref = vm_valtype_is_ref(t);
    if (k < 5) {
        gen_leaf(g, t);
    } else if (k < 12 && !is_ref) {
        gen_plain(g, gen_pick_num(g, t), depth - 1);
    } else if (k < 15 && !is_ref && g->m->memory_count) {
        gen_load(g, t, depth - 1);
    } else if (k < 16) {
        value_select(g, t, depth);
    } else if (k < 18) {
        value_tee(g, t, depth);
    } else if (k < 20) {
        value_block(g, t, depth);
    } else if (k < 23) {
        gen_statement(g, depth - 1);
        gen_value(g, t, depth - 1);
    } else if (k < 25 && gen_call(g, t, depth - 1)) {
        gen_keep_last(g, height, t);
    } else if (!value_special(g, t, depth)) {
        gen_leaf(g, t);
    }
}

void gen_value(struct gen *g, vm_valtype t, u32 depth)
{
    u32 height = g->height, floor = g->floor;
    g->floor = height; /* what is below belongs to somebody else */
    if (depth == 0 || g->ops == 0 || height > GEN_STACK / 2)
        gen_leaf(g, t);
    else
        value_of(g, t, depth);
    g->floor = floor;
    if (g->height != height + 1) abort();
    g->stack[height] = t;
}
