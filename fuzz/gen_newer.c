/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and values of the drawn features: which one; atomics and wide arithmetic. */
#include "gen_state.h"

/* ---- atomics */

/** Mostly a multiple of `n`; the memarg's alignment is the natural one. */
static void aligned_address(struct gen *g, u32 memory, u32 n, u32 depth)
{
    bool wide = g->m->memories[memory].is_64;
    gen_address(g, memory, depth);
    if (n == 1 || gen_percent(g, 6)) return;
    gen_op(g, wide ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, -(i64)n);
    gen_op(g, wide ? VM_OP_I64_AND : VM_OP_I32_AND);
}

static void atomic_memarg(struct gen *g, vm_op op, u32 memory, u32 n)
{
    u64 offset = gen_percent(g, 60) ? 0 : gen_below(g, 64);
    if (!gen_percent(g, 6)) offset -= offset % n;
    bytes_u64(&g->code, vm_op_natural_align(op) | (memory ? 0x40 : 0));
    if (memory) bytes_u64(&g->code, memory);
    bytes_u64(&g->code, offset);
}

/** A wait must not wait: for nothing, or for a value that is hardly ever there. */
static void timeout(struct gen *g)
{
    gen_op(g, VM_OP_I64_CONST);
    bytes_s64(&g->code, gen_percent(g, 70) ? 0 : (i64)gen_below(g, 2000));
    gen_push(g, VM_I64);
}

static void expect_zero(struct gen *g, vm_valtype t)
{
    gen_op(g, t == VM_I64 ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, gen_percent(g, 80) ? 0 : (i64)256 << gen_below(g, 20));
    gen_push(g, t);
}

static void atomic(struct gen *g, vm_op op, u32 depth)
{
    const char *sig = vm_op_sig(op), *p = sig + 1;
    u32 n = 1u << vm_op_natural_align(op), height = g->height;
    u32 memory = gen_percent(g, 70) ? 0 : gen_below(g, g->m->memory_count);
    bool waits = strstr(vm_op_name(op), ".wait") != NULL;
    aligned_address(g, memory, n, depth);
    for (; *p != ':'; p++) {
        if (waits && p[1] == ':')
            timeout(g);
        else if (p[1] != ':' && gen_percent(g, 50))
            expect_zero(g, gen_letter(*p)); /* what is often there */
        else
            gen_value(g, gen_letter(*p), depth);
    }
    gen_op(g, op);
    atomic_memarg(g, op, memory, n);
    gen_pop(g, g->height - height);
    if (p[1]) gen_push(g, gen_letter(p[1]));
}

static void atomic_statement(struct gen *g, u32 depth)
{
    if (gen_percent(g, 5)) {
        gen_op_u(g, VM_OP_ATOMIC_FENCE, 0);
    } else if (g->m->memory_count) {
        u32 floor = g->floor;
        g->floor = g->height;
        atomic(g, gen_pick_atomic(g, VM_BOT), depth);
        g->floor = floor;
    }
}

/* ---- wide arithmetic */

static void wide(struct gen *g, u32 depth)
{
    static const vm_op ops[] = {VM_OP_I64_ADD128, VM_OP_I64_SUB128, VM_OP_I64_MUL_WIDE_S,
                                VM_OP_I64_MUL_WIDE_U};
    vm_op op = ops[gen_below(g, VM_COUNT(ops))];
    struct gen_types args = {.n = (u32)(strchr(vm_op_sig(op), ':') - vm_op_sig(op))};
    for (u32 i = 0; i < args.n; i++) args.t[i] = VM_I64;
    gen_operands(g, &args, depth);
    gen_op(g, op);
    gen_pop(g, args.n);
    gen_push(g, VM_I64);
    gen_push(g, VM_I64);
}

/* ---- which */

static void vector_statement(struct gen *g, u32 depth)
{
    u32 local;
    if (gen_percent(g, 30)) {
        gen_kernel(g, depth);
        return;
    }
    gen_plain(g, gen_pick_num(g, VM_V128), depth);
    local = gen_percent(g, 60) ? gen_local_of(g, VM_V128, true) : GEN_NONE;
    if (local == GEN_NONE) return;
    gen_op_u(g, VM_OP_LOCAL_SET, local);
    gen_pop(g, 1);
}

void gen_newer(struct gen *g, u32 depth)
{
    static const u32 kinds[] = {GEN_SIMD,    GEN_SIMD,    GEN_EXCEPTIONS,     GEN_LEGACY_EXCEPTIONS,
                                GEN_THREADS, GEN_THREADS, GEN_WIDE_ARITHMETIC};
    u32 first = gen_below(g, VM_COUNT(kinds)), i = 0;
    while (i < VM_COUNT(kinds) && !gen_has(g, kinds[(first + i) % VM_COUNT(kinds)])) i++;
    if (i == VM_COUNT(kinds)) return; /* custom page sizes only */
    u32 less = depth ? depth - 1 : 0;
    switch (kinds[(first + i) % VM_COUNT(kinds)]) {
    case GEN_SIMD: vector_statement(g, less); break;
    case GEN_EXCEPTIONS: gen_exceptions(g, less); break;
    case GEN_LEGACY_EXCEPTIONS: gen_legacy(g, less); break;
    case GEN_THREADS: atomic_statement(g, less); break;
    default: wide(g, less); break;
    }
}

bool gen_newer_value(struct gen *g, vm_valtype t, u32 depth)
{
    u32 height = g->height;
    bool is_int = t == VM_I32 || t == VM_I64;
    if (t == VM_EXNREF && g->m->tag_count) {
        gen_caught(g, depth - 1);
    } else if (gen_has(g, GEN_THREADS) && is_int && g->m->memory_count) {
        atomic(g, gen_pick_atomic(g, t), depth - 1);
    } else if (gen_has(g, GEN_WIDE_ARITHMETIC) && t == VM_I64) {
        wide(g, depth - 1);
        gen_keep_last(g, height, t);
    } else {
        return false;
    }
    return true;
}
