/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the vector instructions whose lanes are twice as wide as their operands', one pure
 * function each. Pairwise ones are in vec_target.h.
 */
#ifndef VM_SEM_VEC_WIDEN_H
#define VM_SEM_VEC_WIDEN_H

#include "sem/vec_int.h"

/* -------- i16x8 from i8x16 */

/* spec op-extend: the low or the high half of the lanes */
VM_INLINE v128 sem_i16x8_extend_low_i8x16_s(v128 a)
{
    return (v128) __builtin_convertvector(
        __builtin_shufflevector((i8x16)a, (i8x16)a, 0, 1, 2, 3, 4, 5, 6, 7), i16x8);
}
VM_INLINE v128 sem_i16x8_extend_low_i8x16_u(v128 a)
{
    return (v128) __builtin_convertvector(
        __builtin_shufflevector((u8x16)a, (u8x16)a, 0, 1, 2, 3, 4, 5, 6, 7), u16x8);
}
VM_INLINE v128 sem_i16x8_extend_high_i8x16_s(v128 a)
{
    return (v128) __builtin_convertvector(
        __builtin_shufflevector((i8x16)a, (i8x16)a, 8, 9, 10, 11, 12, 13, 14, 15), i16x8);
}
VM_INLINE v128 sem_i16x8_extend_high_i8x16_u(v128 a)
{
    return (v128) __builtin_convertvector(
        __builtin_shufflevector((u8x16)a, (u8x16)a, 8, 9, 10, 11, 12, 13, 14, 15), u16x8);
}
/* spec op-imul of the extended lanes: exact */
VM_INLINE v128 sem_i16x8_extmul_low_i8x16_s(v128 a, v128 b)
{
    return sem_i16x8_mul(sem_i16x8_extend_low_i8x16_s(a), sem_i16x8_extend_low_i8x16_s(b));
}
VM_INLINE v128 sem_i16x8_extmul_low_i8x16_u(v128 a, v128 b)
{
    return sem_i16x8_mul(sem_i16x8_extend_low_i8x16_u(a), sem_i16x8_extend_low_i8x16_u(b));
}
VM_INLINE v128 sem_i16x8_extmul_high_i8x16_s(v128 a, v128 b)
{
    return sem_i16x8_mul(sem_i16x8_extend_high_i8x16_s(a), sem_i16x8_extend_high_i8x16_s(b));
}
VM_INLINE v128 sem_i16x8_extmul_high_i8x16_u(v128 a, v128 b)
{
    return sem_i16x8_mul(sem_i16x8_extend_high_i8x16_u(a), sem_i16x8_extend_high_i8x16_u(b));
}

/* -------- i32x4 from i16x8 */

/* spec op-extend: the low or the high half of the lanes */
VM_INLINE v128 sem_i32x4_extend_low_i16x8_s(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((i16x8)a, (i16x8)a, 0, 1, 2, 3),
                                          i32x4);
}
VM_INLINE v128 sem_i32x4_extend_low_i16x8_u(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((u16x8)a, (u16x8)a, 0, 1, 2, 3),
                                          u32x4);
}
VM_INLINE v128 sem_i32x4_extend_high_i16x8_s(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((i16x8)a, (i16x8)a, 4, 5, 6, 7),
                                          i32x4);
}
VM_INLINE v128 sem_i32x4_extend_high_i16x8_u(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((u16x8)a, (u16x8)a, 4, 5, 6, 7),
                                          u32x4);
}
/* spec op-imul of the extended lanes: exact */
VM_INLINE v128 sem_i32x4_extmul_low_i16x8_s(v128 a, v128 b)
{
    return sem_i32x4_mul(sem_i32x4_extend_low_i16x8_s(a), sem_i32x4_extend_low_i16x8_s(b));
}
VM_INLINE v128 sem_i32x4_extmul_low_i16x8_u(v128 a, v128 b)
{
    return sem_i32x4_mul(sem_i32x4_extend_low_i16x8_u(a), sem_i32x4_extend_low_i16x8_u(b));
}
VM_INLINE v128 sem_i32x4_extmul_high_i16x8_s(v128 a, v128 b)
{
    return sem_i32x4_mul(sem_i32x4_extend_high_i16x8_s(a), sem_i32x4_extend_high_i16x8_s(b));
}
VM_INLINE v128 sem_i32x4_extmul_high_i16x8_u(v128 a, v128 b)
{
    return sem_i32x4_mul(sem_i32x4_extend_high_i16x8_u(a), sem_i32x4_extend_high_i16x8_u(b));
}

/* -------- i64x2 from i32x4 */

/* spec op-extend: the low or the high half of the lanes */
VM_INLINE v128 sem_i64x2_extend_low_i32x4_s(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((i32x4)a, (i32x4)a, 0, 1), i64x2);
}
VM_INLINE v128 sem_i64x2_extend_low_i32x4_u(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((u32x4)a, (u32x4)a, 0, 1), u64x2);
}
VM_INLINE v128 sem_i64x2_extend_high_i32x4_s(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((i32x4)a, (i32x4)a, 2, 3), i64x2);
}
VM_INLINE v128 sem_i64x2_extend_high_i32x4_u(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((u32x4)a, (u32x4)a, 2, 3), u64x2);
}
/* spec op-imul of the extended lanes: exact */
VM_INLINE v128 sem_i64x2_extmul_low_i32x4_s(v128 a, v128 b)
{
    return sem_i64x2_mul(sem_i64x2_extend_low_i32x4_s(a), sem_i64x2_extend_low_i32x4_s(b));
}
VM_INLINE v128 sem_i64x2_extmul_low_i32x4_u(v128 a, v128 b)
{
    return sem_i64x2_mul(sem_i64x2_extend_low_i32x4_u(a), sem_i64x2_extend_low_i32x4_u(b));
}
VM_INLINE v128 sem_i64x2_extmul_high_i32x4_s(v128 a, v128 b)
{
    return sem_i64x2_mul(sem_i64x2_extend_high_i32x4_s(a), sem_i64x2_extend_high_i32x4_s(b));
}
VM_INLINE v128 sem_i64x2_extmul_high_i32x4_u(v128 a, v128 b)
{
    return sem_i64x2_mul(sem_i64x2_extend_high_i32x4_u(a), sem_i64x2_extend_high_i32x4_u(b));
}

#endif
