/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the relaxed vector instructions: of the results the specification allows, the same one
 * on every target (docs/decisions/0011-relaxed-simd.md).
 */
#ifndef VM_SEM_VEC_RELAXED_H
#define VM_SEM_VEC_RELAXED_H

#include "sem/vec_float.h"
#include "sem/vec_int.h"
#include "sem/vec_target.h"

/* Indices of 16 and more give 0; NaN gives 0, out of range the nearest end. */
VM_INLINE v128 sem_i8x16_relaxed_swizzle(v128 a, v128 indices)
{
    return sem_i8x16_swizzle(a, indices);
}
VM_INLINE v128 sem_i32x4_relaxed_trunc_f32x4_s(v128 a) { return sem_i32x4_trunc_sat_f32x4_s(a); }
VM_INLINE v128 sem_i32x4_relaxed_trunc_f32x4_u(v128 a) { return sem_i32x4_trunc_sat_f32x4_u(a); }
VM_INLINE v128 sem_i32x4_relaxed_trunc_f64x2_s_zero(v128 a)
{
    return sem_i32x4_trunc_sat_f64x2_s_zero(a);
}
VM_INLINE v128 sem_i32x4_relaxed_trunc_f64x2_u_zero(v128 a)
{
    return sem_i32x4_trunc_sat_f64x2_u_zero(a);
}

/* a * b + c and -(a * b) + c, rounded twice */
VM_INLINE v128 sem_f32x4_relaxed_madd(v128 a, v128 b, v128 c)
{
    return sem_f32x4_add(sem_f32x4_mul(a, b), c);
}
VM_INLINE v128 sem_f32x4_relaxed_nmadd(v128 a, v128 b, v128 c)
{
    return sem_f32x4_sub(c, sem_f32x4_mul(a, b));
}
VM_INLINE v128 sem_f64x2_relaxed_madd(v128 a, v128 b, v128 c)
{
    return sem_f64x2_add(sem_f64x2_mul(a, b), c);
}
VM_INLINE v128 sem_f64x2_relaxed_nmadd(v128 a, v128 b, v128 c)
{
    return sem_f64x2_sub(c, sem_f64x2_mul(a, b));
}

/* bit by bit */
VM_INLINE v128 sem_i8x16_relaxed_laneselect(v128 a, v128 b, v128 mask)
{
    return sem_v128_bitselect(a, b, mask);
}
VM_INLINE v128 sem_i16x8_relaxed_laneselect(v128 a, v128 b, v128 mask)
{
    return sem_v128_bitselect(a, b, mask);
}
VM_INLINE v128 sem_i32x4_relaxed_laneselect(v128 a, v128 b, v128 mask)
{
    return sem_v128_bitselect(a, b, mask);
}
VM_INLINE v128 sem_i64x2_relaxed_laneselect(v128 a, v128 b, v128 mask)
{
    return sem_v128_bitselect(a, b, mask);
}

/* as the strict ones */
VM_INLINE v128 sem_f32x4_relaxed_min(v128 a, v128 b) { return sem_f32x4_min(a, b); }
VM_INLINE v128 sem_f32x4_relaxed_max(v128 a, v128 b) { return sem_f32x4_max(a, b); }
VM_INLINE v128 sem_f64x2_relaxed_min(v128 a, v128 b) { return sem_f64x2_min(a, b); }
VM_INLINE v128 sem_f64x2_relaxed_max(v128 a, v128 b) { return sem_f64x2_max(a, b); }
VM_INLINE v128 sem_i16x8_relaxed_q15mulr_s(v128 a, v128 b) { return sem_i16x8_q15mulr_sat_s(a, b); }

/* Both operands signed; the one sum of two products that is no i16 (-128 four times) saturates. */
VM_INLINE v128 sem_i16x8_relaxed_dot_i8x16_i7x16_s(v128 a, v128 b)
{
    i16x8 even = ((i16x8)sem_i16x8_shl(a, 8) >> 8) * ((i16x8)sem_i16x8_shl(b, 8) >> 8);
    i16x8 odd = ((i16x8)a >> 8) * ((i16x8)b >> 8);
    return sem_i16x8_add_sat_s((v128)even, (v128)odd);
}
VM_INLINE v128 sem_i32x4_relaxed_dot_i8x16_i7x16_add_s(v128 a, v128 b, v128 c)
{
    v128 pairs = sem_i16x8_relaxed_dot_i8x16_i7x16_s(a, b);
    return sem_i32x4_add(sem_i32x4_extadd_pairwise_i16x8_s(pairs), c);
}

#endif
