/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of all vector instructions, one pure function each, sem_<mnemonic>; accesses to memory
 * aside. Lane 0 is in the low bits. spec exec-instr-vec
 */
#ifndef VM_SEM_VEC_H
#define VM_SEM_VEC_H

#include "sem/vec_move.h"

#if defined(__x86_64__)
#include "sem/vec_x86_64.h"
#elif defined(__aarch64__)
#include "sem/vec_aarch64.h"
#else
#include "sem/vec_none.h"
#endif

/* -------- relaxed: the same on every machine (docs/decisions/0011-relaxed-simd.md) */

V3(f32x4_relaxed_madd, f32, 4, a *b + c)
V3(f32x4_relaxed_nmadd, f32, 4, -(a *b) + c)
V3(f64x2_relaxed_madd, f64, 2, a *b + c)
V3(f64x2_relaxed_nmadd, f64, 2, -(a *b) + c)
#define sem_i8x16_relaxed_swizzle sem_i8x16_swizzle
#define sem_f32x4_relaxed_min sem_f32x4_min
#define sem_f32x4_relaxed_max sem_f32x4_max
#define sem_f64x2_relaxed_min sem_f64x2_min
#define sem_f64x2_relaxed_max sem_f64x2_max
#define sem_i32x4_relaxed_trunc_f32x4_s sem_i32x4_trunc_sat_f32x4_s
#define sem_i32x4_relaxed_trunc_f32x4_u sem_i32x4_trunc_sat_f32x4_u
#define sem_i32x4_relaxed_trunc_f64x2_s_zero sem_i32x4_trunc_sat_f64x2_s_zero
#define sem_i32x4_relaxed_trunc_f64x2_u_zero sem_i32x4_trunc_sat_f64x2_u_zero
#define sem_i8x16_relaxed_laneselect sem_v128_bitselect
#define sem_i16x8_relaxed_laneselect sem_v128_bitselect
#define sem_i32x4_relaxed_laneselect sem_v128_bitselect
#define sem_i64x2_relaxed_laneselect sem_v128_bitselect
#define sem_i16x8_relaxed_q15mulr_s sem_i16x8_q15mulr_sat_s
/* both signed; sums wrap at 16 bits */
VM_INLINE v128 sem_i16x8_relaxed_dot_i8x16_i7x16_s(v128 v, v128 q)
{
    VEC_LANES(i8) x = {.v = v}, y = {.v = q};
    VEC_LANES(u16) z = VEC_ZERO;
    for (u32 i = 0; i < 8; i++)
        z.l[i] = (u16)(x.l[2 * i] * y.l[2 * i] + x.l[2 * i + 1] * y.l[2 * i + 1]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_relaxed_dot_i8x16_i7x16_add_s(v128 a, v128 b, v128 c)
{
    v128 dot = sem_i16x8_relaxed_dot_i8x16_i7x16_s(a, b);
    return sem_i32x4_add(sem_i32x4_extadd_pairwise_i16x8_s(dot), c);
}

#endif
