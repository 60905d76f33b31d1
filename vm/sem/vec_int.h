/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the vector instructions on integer lanes that stay in their lane, one pure function
 * each, named after the mnemonic. What needs its own sequence on each target is in vec_target.h.
 */
#ifndef VM_SEM_VEC_INT_H
#define VM_SEM_VEC_INT_H

#include "sem/vec_types.h"

/* -------- v128. spec op-inot, op-iand, op-iandnot, op-ior, op-ixor, op-ibitselect */

VM_INLINE v128 sem_v128_not(v128 a) { return ~a; }
VM_INLINE v128 sem_v128_and(v128 a, v128 b) { return a & b; }
VM_INLINE v128 sem_v128_andnot(v128 a, v128 b) { return a & ~b; }
VM_INLINE v128 sem_v128_or(v128 a, v128 b) { return a | b; }
VM_INLINE v128 sem_v128_xor(v128 a, v128 b) { return a ^ b; }
/** The bits of `a` where `mask` has ones, those of `b` elsewhere. */
VM_INLINE v128 sem_v128_bitselect(v128 a, v128 b, v128 mask) { return vm_v128_select(mask, a, b); }

/* -------- i8x16 */

/* spec op-iabs, op-ineg: modulo 2^N, the least integer is its own magnitude */
VM_INLINE v128 sem_i8x16_abs(v128 a)
{
    u8x16 negative = (u8x16)((i8x16)a < (i8x16){0});
    return (v128)(((u8x16)a ^ negative) - negative);
}
VM_INLINE v128 sem_i8x16_neg(v128 a) { return (v128)(-(u8x16)a); }
/* spec op-iadd, op-isub: modulo 2^N */
VM_INLINE v128 sem_i8x16_add(v128 a, v128 b) { return (v128)((u8x16)a + (u8x16)b); }
VM_INLINE v128 sem_i8x16_sub(v128 a, v128 b) { return (v128)((u8x16)a - (u8x16)b); }
/* spec op-ishl, op-ishr_u: distances modulo the lane's width; shr_s is in vec_target.h */
VM_INLINE v128 sem_i8x16_shl(v128 a, u32 n) { return (v128)((u8x16)a << (u8)(n & 7)); }
VM_INLINE v128 sem_i8x16_shr_u(v128 a, u32 n) { return (v128)((u8x16)a >> (u8)(n & 7)); }
/* spec op-ieq, op-ine, op-ilt_s …: all ones or zero in each lane */
VM_INLINE v128 sem_i8x16_eq(v128 a, v128 b) { return (v128)((u8x16)a == (u8x16)b); }
VM_INLINE v128 sem_i8x16_ne(v128 a, v128 b) { return (v128)((u8x16)a != (u8x16)b); }
VM_INLINE v128 sem_i8x16_lt_s(v128 a, v128 b) { return (v128)((i8x16)a < (i8x16)b); }
VM_INLINE v128 sem_i8x16_lt_u(v128 a, v128 b) { return (v128)((u8x16)a < (u8x16)b); }
VM_INLINE v128 sem_i8x16_gt_s(v128 a, v128 b) { return (v128)((i8x16)a > (i8x16)b); }
VM_INLINE v128 sem_i8x16_gt_u(v128 a, v128 b) { return (v128)((u8x16)a > (u8x16)b); }
VM_INLINE v128 sem_i8x16_le_s(v128 a, v128 b) { return (v128)((i8x16)a <= (i8x16)b); }
VM_INLINE v128 sem_i8x16_le_u(v128 a, v128 b) { return (v128)((u8x16)a <= (u8x16)b); }
VM_INLINE v128 sem_i8x16_ge_s(v128 a, v128 b) { return (v128)((i8x16)a >= (i8x16)b); }
VM_INLINE v128 sem_i8x16_ge_u(v128 a, v128 b) { return (v128)((u8x16)a >= (u8x16)b); }
/* spec op-imin_s, op-imin_u, op-imax_s, op-imax_u */
VM_INLINE v128 sem_i8x16_min_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i8x16_lt_s(a, b), a, b);
}
VM_INLINE v128 sem_i8x16_min_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i8x16_lt_u(a, b), a, b);
}
VM_INLINE v128 sem_i8x16_max_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i8x16_gt_s(a, b), a, b);
}
VM_INLINE v128 sem_i8x16_max_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i8x16_gt_u(a, b), a, b);
}

/* -------- i16x8 */

/* spec op-iabs, op-ineg: modulo 2^N, the least integer is its own magnitude */
VM_INLINE v128 sem_i16x8_abs(v128 a)
{
    u16x8 negative = (u16x8)((i16x8)a < (i16x8){0});
    return (v128)(((u16x8)a ^ negative) - negative);
}
VM_INLINE v128 sem_i16x8_neg(v128 a) { return (v128)(-(u16x8)a); }
/* spec op-iadd, op-isub, op-imul: modulo 2^N */
VM_INLINE v128 sem_i16x8_add(v128 a, v128 b) { return (v128)((u16x8)a + (u16x8)b); }
VM_INLINE v128 sem_i16x8_sub(v128 a, v128 b) { return (v128)((u16x8)a - (u16x8)b); }
VM_INLINE v128 sem_i16x8_mul(v128 a, v128 b) { return (v128)((u16x8)a * (u16x8)b); }
/* spec op-ishl, op-ishr_s, op-ishr_u: distances modulo the lane's width */
VM_INLINE v128 sem_i16x8_shl(v128 a, u32 n) { return (v128)((u16x8)a << (u16)(n & 15)); }
VM_INLINE v128 sem_i16x8_shr_s(v128 a, u32 n) { return (v128)((i16x8)a >> (i16)(n & 15)); }
VM_INLINE v128 sem_i16x8_shr_u(v128 a, u32 n) { return (v128)((u16x8)a >> (u16)(n & 15)); }
/* spec op-ieq, op-ine, op-ilt_s …: all ones or zero in each lane */
VM_INLINE v128 sem_i16x8_eq(v128 a, v128 b) { return (v128)((u16x8)a == (u16x8)b); }
VM_INLINE v128 sem_i16x8_ne(v128 a, v128 b) { return (v128)((u16x8)a != (u16x8)b); }
VM_INLINE v128 sem_i16x8_lt_s(v128 a, v128 b) { return (v128)((i16x8)a < (i16x8)b); }
VM_INLINE v128 sem_i16x8_lt_u(v128 a, v128 b) { return (v128)((u16x8)a < (u16x8)b); }
VM_INLINE v128 sem_i16x8_gt_s(v128 a, v128 b) { return (v128)((i16x8)a > (i16x8)b); }
VM_INLINE v128 sem_i16x8_gt_u(v128 a, v128 b) { return (v128)((u16x8)a > (u16x8)b); }
VM_INLINE v128 sem_i16x8_le_s(v128 a, v128 b) { return (v128)((i16x8)a <= (i16x8)b); }
VM_INLINE v128 sem_i16x8_le_u(v128 a, v128 b) { return (v128)((u16x8)a <= (u16x8)b); }
VM_INLINE v128 sem_i16x8_ge_s(v128 a, v128 b) { return (v128)((i16x8)a >= (i16x8)b); }
VM_INLINE v128 sem_i16x8_ge_u(v128 a, v128 b) { return (v128)((u16x8)a >= (u16x8)b); }
/* spec op-imin_s, op-imin_u, op-imax_s, op-imax_u */
VM_INLINE v128 sem_i16x8_min_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i16x8_lt_s(a, b), a, b);
}
VM_INLINE v128 sem_i16x8_min_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i16x8_lt_u(a, b), a, b);
}
VM_INLINE v128 sem_i16x8_max_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i16x8_gt_s(a, b), a, b);
}
VM_INLINE v128 sem_i16x8_max_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i16x8_gt_u(a, b), a, b);
}

/* -------- i32x4 */

/* spec op-iabs, op-ineg: modulo 2^N, the least integer is its own magnitude */
VM_INLINE v128 sem_i32x4_abs(v128 a)
{
    u32x4 negative = (u32x4)((i32x4)a < (i32x4){0});
    return (v128)(((u32x4)a ^ negative) - negative);
}
VM_INLINE v128 sem_i32x4_neg(v128 a) { return (v128)(-(u32x4)a); }
/* spec op-iadd, op-isub, op-imul: modulo 2^N */
VM_INLINE v128 sem_i32x4_add(v128 a, v128 b) { return (v128)((u32x4)a + (u32x4)b); }
VM_INLINE v128 sem_i32x4_sub(v128 a, v128 b) { return (v128)((u32x4)a - (u32x4)b); }
VM_INLINE v128 sem_i32x4_mul(v128 a, v128 b) { return (v128)((u32x4)a * (u32x4)b); }
/* spec op-ishl, op-ishr_s, op-ishr_u: distances modulo the lane's width */
VM_INLINE v128 sem_i32x4_shl(v128 a, u32 n) { return (v128)((u32x4)a << (u32)(n & 31)); }
VM_INLINE v128 sem_i32x4_shr_s(v128 a, u32 n) { return (v128)((i32x4)a >> (i32)(n & 31)); }
VM_INLINE v128 sem_i32x4_shr_u(v128 a, u32 n) { return (v128)((u32x4)a >> (u32)(n & 31)); }
/* spec op-ieq, op-ine, op-ilt_s …: all ones or zero in each lane */
VM_INLINE v128 sem_i32x4_eq(v128 a, v128 b) { return (v128)((u32x4)a == (u32x4)b); }
VM_INLINE v128 sem_i32x4_ne(v128 a, v128 b) { return (v128)((u32x4)a != (u32x4)b); }
VM_INLINE v128 sem_i32x4_lt_s(v128 a, v128 b) { return (v128)((i32x4)a < (i32x4)b); }
VM_INLINE v128 sem_i32x4_lt_u(v128 a, v128 b) { return (v128)((u32x4)a < (u32x4)b); }
VM_INLINE v128 sem_i32x4_gt_s(v128 a, v128 b) { return (v128)((i32x4)a > (i32x4)b); }
VM_INLINE v128 sem_i32x4_gt_u(v128 a, v128 b) { return (v128)((u32x4)a > (u32x4)b); }
VM_INLINE v128 sem_i32x4_le_s(v128 a, v128 b) { return (v128)((i32x4)a <= (i32x4)b); }
VM_INLINE v128 sem_i32x4_le_u(v128 a, v128 b) { return (v128)((u32x4)a <= (u32x4)b); }
VM_INLINE v128 sem_i32x4_ge_s(v128 a, v128 b) { return (v128)((i32x4)a >= (i32x4)b); }
VM_INLINE v128 sem_i32x4_ge_u(v128 a, v128 b) { return (v128)((u32x4)a >= (u32x4)b); }
/* spec op-imin_s, op-imin_u, op-imax_s, op-imax_u */
VM_INLINE v128 sem_i32x4_min_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i32x4_lt_s(a, b), a, b);
}
VM_INLINE v128 sem_i32x4_min_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i32x4_lt_u(a, b), a, b);
}
VM_INLINE v128 sem_i32x4_max_s(v128 a, v128 b)
{
    return vm_v128_select(sem_i32x4_gt_s(a, b), a, b);
}
VM_INLINE v128 sem_i32x4_max_u(v128 a, v128 b)
{
    return vm_v128_select(sem_i32x4_gt_u(a, b), a, b);
}

/* -------- i64x2 */

/* spec op-iabs, op-ineg: modulo 2^N, the least integer is its own magnitude */
VM_INLINE v128 sem_i64x2_abs(v128 a)
{
    u64x2 negative = (u64x2)((i64x2)a < (i64x2){0});
    return (v128)(((u64x2)a ^ negative) - negative);
}
VM_INLINE v128 sem_i64x2_neg(v128 a) { return (v128)(-(u64x2)a); }
/* spec op-iadd, op-isub, op-imul: modulo 2^N */
VM_INLINE v128 sem_i64x2_add(v128 a, v128 b) { return (v128)((u64x2)a + (u64x2)b); }
VM_INLINE v128 sem_i64x2_sub(v128 a, v128 b) { return (v128)((u64x2)a - (u64x2)b); }
VM_INLINE v128 sem_i64x2_mul(v128 a, v128 b) { return (v128)((u64x2)a * (u64x2)b); }
/* spec op-ishl, op-ishr_s, op-ishr_u: distances modulo the lane's width */
VM_INLINE v128 sem_i64x2_shl(v128 a, u32 n) { return (v128)((u64x2)a << (u64)(n & 63)); }
VM_INLINE v128 sem_i64x2_shr_s(v128 a, u32 n) { return (v128)((i64x2)a >> (i64)(n & 63)); }
VM_INLINE v128 sem_i64x2_shr_u(v128 a, u32 n) { return (v128)((u64x2)a >> (u64)(n & 63)); }
/* spec op-ieq, op-ine, op-ilt_s …: all ones or zero in each lane */
VM_INLINE v128 sem_i64x2_eq(v128 a, v128 b) { return (v128)((u64x2)a == (u64x2)b); }
VM_INLINE v128 sem_i64x2_ne(v128 a, v128 b) { return (v128)((u64x2)a != (u64x2)b); }
VM_INLINE v128 sem_i64x2_lt_s(v128 a, v128 b) { return (v128)((i64x2)a < (i64x2)b); }
VM_INLINE v128 sem_i64x2_gt_s(v128 a, v128 b) { return (v128)((i64x2)a > (i64x2)b); }
VM_INLINE v128 sem_i64x2_le_s(v128 a, v128 b) { return (v128)((i64x2)a <= (i64x2)b); }
VM_INLINE v128 sem_i64x2_ge_s(v128 a, v128 b) { return (v128)((i64x2)a >= (i64x2)b); }

#endif
