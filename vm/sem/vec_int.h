/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the integer vector instructions, named after the mnemonics. What a machine does better
 * than compilers see is in vec_x86_64.h and vec_aarch64.h. spec exec-instr-vec
 */
#ifndef VM_SEM_VEC_INT_H
#define VM_SEM_VEC_INT_H

#include "sem/vec_lanes.h"

VM_INLINE i32 vec_sat(i32 v, i32 lo, i32 hi) { return v < lo ? lo : v > hi ? hi : v; }

/* -------- i8x16 */

/* spec op-iadd, op-isub, op-ineg, op-iabs */
V2(i8x16_add, u8, u8, 16, (u32)a + b)
V2(i8x16_sub, u8, u8, 16, (u32)a - b)
V1(i8x16_neg, u8, u8, 16, (u32)0 - a)
V1(i8x16_abs, i8, u8, 16, a < 0 ? (u32)0 - (u32)a : (u32)a)
/* comparisons: all bits, or none */
V2(i8x16_eq, u8, u8, 16, a == b ? -1 : 0)
V2(i8x16_ne, u8, u8, 16, a != b ? -1 : 0)
V2(i8x16_lt_s, i8, u8, 16, a < b ? -1 : 0)
V2(i8x16_lt_u, u8, u8, 16, a < b ? -1 : 0)
V2(i8x16_gt_s, i8, u8, 16, a > b ? -1 : 0)
V2(i8x16_gt_u, u8, u8, 16, a > b ? -1 : 0)
V2(i8x16_le_s, i8, u8, 16, a <= b ? -1 : 0)
V2(i8x16_le_u, u8, u8, 16, a <= b ? -1 : 0)
V2(i8x16_ge_s, i8, u8, 16, a >= b ? -1 : 0)
V2(i8x16_ge_u, u8, u8, 16, a >= b ? -1 : 0)
V2(i8x16_min_s, i8, i8, 16, a < b ? a : b)
V2(i8x16_min_u, u8, u8, 16, a < b ? a : b)
V2(i8x16_max_s, i8, i8, 16, a > b ? a : b)
V2(i8x16_max_u, u8, u8, 16, a > b ? a : b)
VS(i8x16_shl, u8, (u32)a << s)
VS(i8x16_shr_u, u8, a >> s)
VS(i8x16_shr_s, i8, a >> s)
VM_INLINE u32 sem_i8x16_all_true(v128 v)
{
    VEC_LANES(u8) x = {.v = v};
    u32 all = 1;
    for (u32 i = 0; i < 16; i++) all &= x.l[i] != 0;
    return all;
}
/* spec op-iadd_sat, op-isub_sat: the signed ones; the others are in vec_<machine>.h */
V2(i8x16_add_sat_s, i8, i8, 16, vec_sat(a + b, -128, 127))
V2(i8x16_sub_sat_s, i8, i8, 16, vec_sat(a - b, -128, 127))
V2(i8x16_avgr_u, u8, u8, 16, ((u32)a + b + 1) >> 1)

/* -------- i16x8 */

/* spec op-iadd, op-isub, op-imul, op-ineg, op-iabs */
V2(i16x8_add, u16, u16, 8, (u32)a + b)
V2(i16x8_sub, u16, u16, 8, (u32)a - b)
V2(i16x8_mul, u16, u16, 8, (u32)a *b)
V1(i16x8_neg, u16, u16, 8, (u32)0 - a)
V1(i16x8_abs, i16, u16, 8, a < 0 ? (u32)0 - (u32)a : (u32)a)
/* comparisons: all bits, or none */
V2(i16x8_eq, u16, u16, 8, a == b ? -1 : 0)
V2(i16x8_ne, u16, u16, 8, a != b ? -1 : 0)
V2(i16x8_lt_s, i16, u16, 8, a < b ? -1 : 0)
V2(i16x8_lt_u, u16, u16, 8, a < b ? -1 : 0)
V2(i16x8_gt_s, i16, u16, 8, a > b ? -1 : 0)
V2(i16x8_gt_u, u16, u16, 8, a > b ? -1 : 0)
V2(i16x8_le_s, i16, u16, 8, a <= b ? -1 : 0)
V2(i16x8_le_u, u16, u16, 8, a <= b ? -1 : 0)
V2(i16x8_ge_s, i16, u16, 8, a >= b ? -1 : 0)
V2(i16x8_ge_u, u16, u16, 8, a >= b ? -1 : 0)
V2(i16x8_min_s, i16, i16, 8, a < b ? a : b)
V2(i16x8_min_u, u16, u16, 8, a < b ? a : b)
V2(i16x8_max_s, i16, i16, 8, a > b ? a : b)
V2(i16x8_max_u, u16, u16, 8, a > b ? a : b)
VS(i16x8_shl, u16, (u32)a << s)
VS(i16x8_shr_u, u16, a >> s)
VS(i16x8_shr_s, i16, a >> s)
VM_INLINE u32 sem_i16x8_all_true(v128 v)
{
    VEC_LANES(u16) x = {.v = v};
    u32 all = 1;
    for (u32 i = 0; i < 8; i++) all &= x.l[i] != 0;
    return all;
}
/* spec op-iadd_sat, op-isub_sat: the signed ones; the others are in vec_<machine>.h */
V2(i16x8_add_sat_s, i16, i16, 8, vec_sat(a + b, -32768, 32767))
V2(i16x8_sub_sat_s, i16, i16, 8, vec_sat(a - b, -32768, 32767))
V2(i16x8_avgr_u, u16, u16, 8, ((u32)a + b + 1) >> 1)

/* -------- i32x4 */

/* spec op-iadd, op-isub, op-imul, op-ineg, op-iabs */
V2(i32x4_add, u32, u32, 4, (u32)a + b)
V2(i32x4_sub, u32, u32, 4, (u32)a - b)
V2(i32x4_mul, u32, u32, 4, (u32)a *b)
V1(i32x4_neg, u32, u32, 4, (u32)0 - a)
V1(i32x4_abs, i32, u32, 4, a < 0 ? (u32)0 - (u32)a : (u32)a)
/* comparisons: all bits, or none */
V2(i32x4_eq, u32, u32, 4, a == b ? -1 : 0)
V2(i32x4_ne, u32, u32, 4, a != b ? -1 : 0)
V2(i32x4_lt_s, i32, u32, 4, a < b ? -1 : 0)
V2(i32x4_lt_u, u32, u32, 4, a < b ? -1 : 0)
V2(i32x4_gt_s, i32, u32, 4, a > b ? -1 : 0)
V2(i32x4_gt_u, u32, u32, 4, a > b ? -1 : 0)
V2(i32x4_le_s, i32, u32, 4, a <= b ? -1 : 0)
V2(i32x4_le_u, u32, u32, 4, a <= b ? -1 : 0)
V2(i32x4_ge_s, i32, u32, 4, a >= b ? -1 : 0)
V2(i32x4_ge_u, u32, u32, 4, a >= b ? -1 : 0)
V2(i32x4_min_s, i32, i32, 4, a < b ? a : b)
V2(i32x4_min_u, u32, u32, 4, a < b ? a : b)
V2(i32x4_max_s, i32, i32, 4, a > b ? a : b)
V2(i32x4_max_u, u32, u32, 4, a > b ? a : b)
VS(i32x4_shl, u32, (u32)a << s)
VS(i32x4_shr_u, u32, a >> s)
VS(i32x4_shr_s, i32, a >> s)
VM_INLINE u32 sem_i32x4_all_true(v128 v)
{
    VEC_LANES(u32) x = {.v = v};
    u32 all = 1;
    for (u32 i = 0; i < 4; i++) all &= x.l[i] != 0;
    return all;
}

/* -------- i64x2 */

/* spec op-iadd, op-isub, op-imul, op-ineg, op-iabs */
V2(i64x2_add, u64, u64, 2, (u64)a + b)
V2(i64x2_sub, u64, u64, 2, (u64)a - b)
V2(i64x2_mul, u64, u64, 2, (u64)a *b)
V1(i64x2_neg, u64, u64, 2, (u64)0 - a)
V1(i64x2_abs, i64, u64, 2, a < 0 ? (u64)0 - (u64)a : (u64)a)
/* comparisons: all bits, or none */
V2(i64x2_eq, u64, u64, 2, a == b ? -1 : 0)
V2(i64x2_ne, u64, u64, 2, a != b ? -1 : 0)
V2(i64x2_lt_s, i64, u64, 2, a < b ? -1 : 0)
V2(i64x2_gt_s, i64, u64, 2, a > b ? -1 : 0)
V2(i64x2_le_s, i64, u64, 2, a <= b ? -1 : 0)
V2(i64x2_ge_s, i64, u64, 2, a >= b ? -1 : 0)
VS(i64x2_shl, u64, (u64)a << s)
VS(i64x2_shr_u, u64, a >> s)
VS(i64x2_shr_s, i64, a >> s)
VM_INLINE u32 sem_i64x2_all_true(v128 v)
{
    VEC_LANES(u64) x = {.v = v};
    u32 all = 1;
    for (u32 i = 0; i < 2; i++) all &= x.l[i] != 0;
    return all;
}

/* -------- between widths. spec op-narrow, op-extend, vextternop */

#define NARROW(name, A, R, lo, hi)                                                                 \
    VM_INLINE v128 sem_##name(v128 v, v128 q)                                                      \
    {                                                                                              \
        const u32 n = 16 / sizeof(A);                                                              \
        VEC_LANES(A) x = {.v = v}, y = {.v = q};                                                   \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < n; i++) {                                                              \
            z.l[i] = (R)vec_sat(x.l[i], lo, hi);                                                   \
            z.l[i + n] = (R)vec_sat(y.l[i], lo, hi);                                               \
        }                                                                                          \
        return z.v;                                                                                \
    }
NARROW(i8x16_narrow_i16x8_s, i16, i8, -128, 127)
NARROW(i8x16_narrow_i16x8_u, i16, u8, 0, 255)
NARROW(i16x8_narrow_i32x4_s, i32, i16, -32768, 32767)

/* Lanes of A to twice the width; `from` is the first. */
#define EXTEND(name, A, R, from)                                                                   \
    VM_INLINE v128 sem_##name(v128 v)                                                              \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v};                                                                 \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < 16 / sizeof(R); i++) z.l[i] = x.l[i + (from)];                         \
        return z.v;                                                                                \
    }
#define EXTMUL(name, A, R, from)                                                                   \
    VM_INLINE v128 sem_##name(v128 v, v128 q)                                                      \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v}, y = {.v = q};                                                   \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < 16 / sizeof(R); i++)                                                   \
            z.l[i] = (R)((R)x.l[i + (from)] * (R)y.l[i + (from)]);                                 \
        return z.v;                                                                                \
    }
#define PAIRWISE(name, A, R)                                                                       \
    VM_INLINE v128 sem_##name(v128 v)                                                              \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v};                                                                 \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < 16 / sizeof(R); i++) z.l[i] = (R)((R)x.l[2 * i] + (R)x.l[2 * i + 1]);  \
        return z.v;                                                                                \
    }
EXTEND(i16x8_extend_low_i8x16_s, i8, i16, 0)
EXTMUL(i16x8_extmul_low_i8x16_s, i8, i16, 0)
EXTEND(i16x8_extend_high_i8x16_s, i8, i16, 8)
EXTMUL(i16x8_extmul_high_i8x16_s, i8, i16, 8)
PAIRWISE(i16x8_extadd_pairwise_i8x16_s, i8, i16)
EXTEND(i16x8_extend_low_i8x16_u, u8, u16, 0)
EXTMUL(i16x8_extmul_low_i8x16_u, u8, u16, 0)
EXTEND(i16x8_extend_high_i8x16_u, u8, u16, 8)
EXTMUL(i16x8_extmul_high_i8x16_u, u8, u16, 8)
PAIRWISE(i16x8_extadd_pairwise_i8x16_u, u8, u16)
EXTEND(i32x4_extend_low_i16x8_s, i16, i32, 0)
EXTMUL(i32x4_extmul_low_i16x8_s, i16, i32, 0)
EXTEND(i32x4_extend_high_i16x8_s, i16, i32, 4)
EXTMUL(i32x4_extmul_high_i16x8_s, i16, i32, 4)
PAIRWISE(i32x4_extadd_pairwise_i16x8_s, i16, i32)
EXTEND(i32x4_extend_low_i16x8_u, u16, u32, 0)
EXTMUL(i32x4_extmul_low_i16x8_u, u16, u32, 0)
EXTEND(i32x4_extend_high_i16x8_u, u16, u32, 4)
EXTMUL(i32x4_extmul_high_i16x8_u, u16, u32, 4)
PAIRWISE(i32x4_extadd_pairwise_i16x8_u, u16, u32)
EXTEND(i64x2_extend_low_i32x4_s, i32, i64, 0)
EXTMUL(i64x2_extmul_low_i32x4_s, i32, i64, 0)
EXTEND(i64x2_extend_high_i32x4_s, i32, i64, 2)
EXTMUL(i64x2_extmul_high_i32x4_s, i32, i64, 2)
EXTEND(i64x2_extend_low_i32x4_u, u32, u64, 0)
EXTMUL(i64x2_extmul_low_i32x4_u, u32, u64, 0)
EXTEND(i64x2_extend_high_i32x4_u, u32, u64, 2)
EXTMUL(i64x2_extmul_high_i32x4_u, u32, u64, 2)

V1(i8x16_popcnt, u8, u8, 16, __builtin_popcount(a))
/* spec op-dot: sums wrap */
VM_INLINE v128 sem_i32x4_dot_i16x8_s(v128 v, v128 q)
{
    VEC_LANES(i16) x = {.v = v}, y = {.v = q};
    VEC_LANES(u32) z = VEC_ZERO;
    for (u32 i = 0; i < 4; i++)
        z.l[i] = (u32)(x.l[2 * i] * y.l[2 * i]) + (u32)(x.l[2 * i + 1] * y.l[2 * i + 1]);
    return z.v;
}

/* -------- v128. spec vvunop, vvbinop, vvternop, vvtestop */

VM_INLINE v128 sem_v128_not(v128 a) { return ~a; }
VM_INLINE v128 sem_v128_and(v128 a, v128 b) { return a & b; }
VM_INLINE v128 sem_v128_andnot(v128 a, v128 b) { return a & ~b; }
VM_INLINE v128 sem_v128_or(v128 a, v128 b) { return a | b; }
VM_INLINE v128 sem_v128_xor(v128 a, v128 b) { return a ^ b; }
VM_INLINE v128 sem_v128_bitselect(v128 a, v128 b, v128 mask) { return (a & mask) | (b & ~mask); }
VM_INLINE u32 sem_v128_any_true(v128 a) { return (a[0] | a[1]) != 0; }

#endif
