/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: constants, lane indices, canonical NaNs, loops that compute with them. */
#include "gen_state.h"

/* ---- constants */

static void fill(u8 out[16], u32 size, u32 lane, u64 bits)
{
    for (u32 k = 0; k < size; k++) out[lane * size + k] = (u8)(bits >> 8 * k);
}

void gen_v128(struct gen *g, u8 out[16])
{
    u32 how = gen_below(g, 7);
    bool same = gen_percent(g, 30);
    u32 size = how == 0 ? 16 : how < 2 ? 1 : how < 3 ? 2 : how < 5 ? 4 : 8;
    u64 bits = 0;
    memset(out, 0, 16);
    for (u32 i = 0; i < 16 / size && how; i++) {
        if (i == 0 || !same)
            bits = how == 4   ? gen_f32(g)
                   : how == 5 ? gen_f64(g)
                   : how == 6 ? gen_i64(g)
                              : gen_i32(g);
        fill(out, size, i, bits);
    }
}

static void put_const(struct gen *g, u32 size, u64 bits)
{
    u8 bytes[16];
    for (u32 i = 0; i < 16 / size; i++) fill(bytes, size, i, bits);
    gen_op(g, VM_OP_V128_CONST);
    bytes_put(&g->code, bytes, sizeof bytes);
}

/* ---- immediates */

void gen_lanes(struct gen *g, vm_op op)
{
    vm_imm imm = vm_op_imm(op);
    if (imm == VM_IMM_LANE) {
        u32 lanes = (u32)strtoul(strchr(vm_op_name(op), 'x') + 1, NULL, 10);
        bytes_u8(&g->code, (u8)gen_below(g, lanes));
    } else if (imm == VM_IMM_LANES16) {
        u32 how = gen_below(g, 4), at = gen_below(g, 17), size = 1u << gen_below(g, 4);
        for (u32 i = 0; i < 16; i++) {
            u32 from = how == 0 ? i + at : how == 1 ? gen_below(g, 32) : i;
            if (how >= 2 && i % size == 0) at = gen_below(g, 32 / size); /* lanes as a whole */
            if (how >= 2) from = at * size + i % size;
            bytes_u8(&g->code, (u8)(from % 32));
        }
    }
}

/* ---- NaNs */

void gen_canonical_lanes(struct gen *g)
{
    bool wide = g->lanes == 2;
    u32 tmp = gen_local_of(g, VM_V128, true);
    if (tmp == GEN_NONE) tmp = gen_local_new(g, VM_V128, false);
    if (tmp == GEN_NONE) return;
    gen_op_u(g, VM_OP_LOCAL_TEE, tmp);
    put_const(g, wide ? 8 : 4, wide ? 0x7ff8000000000000 : 0x7fc00000);
    gen_op_u(g, VM_OP_LOCAL_GET, tmp);
    gen_op_u(g, VM_OP_LOCAL_GET, tmp);
    gen_op(g, wide ? VM_OP_F64X2_EQ : VM_OP_F32X4_EQ);
    gen_op(g, VM_OP_V128_BITSELECT);
}

/* ---- kernels */

struct kernel {
    u32 memory, index, step, times;
    u32 acc, scalar; /* locals: v128; and one of `type` */
    vm_valtype type;
};

/** The address of this round, or one a little further. */
static void kernel_address(struct gen *g, const struct kernel *k)
{
    gen_op_u(g, VM_OP_LOCAL_GET, k->index);
    if (g->m->memories[k->memory].is_64) gen_op(g, VM_OP_I64_EXTEND_I32_U);
}

static void kernel_memarg(struct gen *g, const struct kernel *k, vm_op op)
{
    bool multi = k->memory != 0;
    bytes_u64(&g->code, gen_below(g, vm_op_natural_align(op) + 1) | (multi ? 0x40 : 0));
    if (multi) bytes_u64(&g->code, k->memory);
    bytes_u64(&g->code, gen_percent(g, 60) ? 0 : 16 * gen_below(g, 9));
    if (vm_op_imm(op) == VM_IMM_MEMARG_LANE)
        bytes_u8(&g->code, (u8)gen_below(g, 16u >> vm_op_natural_align(op)));
}

/** A vector: loaded from here, the accumulator, another local, a constant. */
static void kernel_operand(struct gen *g, const struct kernel *k)
{
    u32 how = gen_below(g, 6), local = gen_local_of(g, VM_V128, false);
    if (how < 3) {
        vm_op op = how ? VM_OP_V128_LOAD : gen_pick_load(g, VM_V128);
        kernel_address(g, k);
        if (vm_op_sig(op)[1] == 'V') gen_op_u(g, VM_OP_LOCAL_GET, k->acc);
        gen_op(g, op);
        kernel_memarg(g, k, op);
    } else if (how == 3) {
        gen_op_u(g, VM_OP_LOCAL_GET, k->acc);
    } else if (how == 4 && local != GEN_NONE) {
        gen_op_u(g, VM_OP_LOCAL_GET, local);
    } else {
        u8 bytes[16];
        gen_v128(g, bytes);
        gen_op(g, VM_OP_V128_CONST);
        bytes_put(&g->code, bytes, sizeof bytes);
    }
}

/** One more operation on the vector at the top. */
static void kernel_step(struct gen *g, const struct kernel *k)
{
    vm_op op = gen_pick_num(g, VM_V128);
    const char *sig = vm_op_sig(op);
    for (u32 tries = 0; tries < 6 && sig[0] != 'V'; tries++)
        sig = vm_op_sig(op = gen_pick_num(g, VM_V128));
    if (sig[0] != 'V') return;
    for (const char *p = sig + 1; *p != ':'; p++) {
        if (*p == 'V') {
            kernel_operand(g, k);
        } else if (*p == 'i' && gen_percent(g, 50)) {
            gen_op_u(g, VM_OP_LOCAL_GET, k->index);
        } else {
            gen_leaf(g, gen_letter(*p));
            g->height--;
        }
    }
    gen_op(g, op);
    gen_lanes(g, op);
    if (vm_op_name(op)[0] == 'f') g->lanes = vm_op_name(op)[4] == '4' ? 4 : 2;
    if (vm_op_name(op)[0] == 'f' && gen_percent(g, 50)) gen_canonical_lanes(g);
}

/** Ends a round's chain: into the accumulator, into memory, or as a number into the scalar one. */
static void kernel_sink(struct gen *g, const struct kernel *k)
{
    u32 how = gen_below(g, 6);
    if (how == 0) {
        vm_op op = k->type == VM_I64 ? VM_OP_I64X2_EXTRACT_LANE : VM_OP_I32X4_EXTRACT_LANE;
        gen_op(g, op);
        gen_lanes(g, op);
        gen_op_u(g, VM_OP_LOCAL_GET, k->scalar);
        gen_op(g, k->type == VM_I64 ? VM_OP_I64_ADD : VM_OP_I32_ADD);
        gen_op_u(g, VM_OP_LOCAL_SET, k->scalar);
    } else if (how == 1) {
        u32 tmp = gen_local_of(g, VM_V128, true);
        if (tmp == GEN_NONE) tmp = k->acc;
        gen_op_u(g, VM_OP_LOCAL_SET, tmp);
        kernel_address(g, k);
        gen_op_u(g, VM_OP_LOCAL_GET, tmp);
        gen_op(g, VM_OP_V128_STORE);
        kernel_memarg(g, k, VM_OP_V128_STORE);
    } else {
        gen_op_u(g, VM_OP_LOCAL_SET, k->acc);
    }
}

/** acc = op(acc, …): mostly the left operand, so that it can stay where it is. */
static void kernel_round(struct gen *g, const struct kernel *k, u32 depth)
{
    for (u32 chains = gen_range(g, 1, 3); chains; chains--) {
        if (gen_percent(g, 70))
            gen_op_u(g, VM_OP_LOCAL_GET, k->acc);
        else
            kernel_operand(g, k);
        for (u32 n = gen_range(g, 1, 4); n; n--) kernel_step(g, k);
        kernel_sink(g, k);
    }
    if (depth && gen_percent(g, 20)) gen_statement(g, depth - 1);
}

void gen_kernel(struct gen *g, u32 depth)
{
    static const struct gen_types none = {0};
    struct kernel k = {.step = 1u << gen_below(g, 6), .times = gen_range(g, 1, 24)};
    if (g->m->memory_count == 0 || g->ctl_count >= GEN_CTL || g->ops < 20) return;
    k.memory = gen_percent(g, 70) ? 0 : gen_below(g, g->m->memory_count);
    k.type = gen_percent(g, 50) ? VM_I64 : VM_I32;
    k.index = gen_local_new(g, VM_I32, true);
    k.acc = gen_local_of(g, VM_V128, true);
    if (k.acc == GEN_NONE) k.acc = gen_local_new(g, VM_V128, false);
    k.scalar = gen_local_of(g, k.type, true);
    if (k.scalar == GEN_NONE) k.scalar = gen_local_new(g, k.type, false);
    if (k.index == GEN_NONE || k.acc == GEN_NONE || k.scalar == GEN_NONE) return;
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, 0);
    gen_op_u(g, VM_OP_LOCAL_SET, k.index);
    gen_op_u(g, VM_OP_LOOP, 0x40);
    gen_enter(g, &none, &none);
    g->ctl[g->ctl_count - 1].is_loop = true;
    g->ctl[g->ctl_count - 1].no_branch = true;
    kernel_round(g, &k, depth);
    gen_op_u(g, VM_OP_LOCAL_GET, k.index);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, (i64)k.step);
    gen_op(g, VM_OP_I32_ADD);
    gen_op_u(g, VM_OP_LOCAL_TEE, k.index);
    gen_op(g, VM_OP_I32_CONST);
    bytes_s64(&g->code, (i64)k.step * k.times);
    gen_op(g, VM_OP_I32_LT_U);
    gen_op_u(g, VM_OP_BR_IF, 0);
    gen_op(g, VM_OP_END);
    gen_leave(g);
}
