/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions that need more than a loop to become good code, as loops all the same:
 * sem_plain_<mnemonic>, for machines without a header of their own and for tests.
 */
#ifndef VM_SEM_VEC_PLAIN_H
#define VM_SEM_VEC_PLAIN_H

#include "sem/vec_float.h"
#include "sem/vec_int.h"

VM_INLINE u32 sem_plain_i8x16_bitmask(v128 v)
{
    VEC_LANES(i8) x = {.v = v};
    u32 mask = 0;
    for (u32 i = 0; i < 16; i++) mask |= (u32)(x.l[i] < 0) << i;
    return mask;
}
VM_INLINE u32 sem_plain_i16x8_bitmask(v128 v)
{
    VEC_LANES(i16) x = {.v = v};
    u32 mask = 0;
    for (u32 i = 0; i < 8; i++) mask |= (u32)(x.l[i] < 0) << i;
    return mask;
}
VM_INLINE u32 sem_plain_i32x4_bitmask(v128 v)
{
    VEC_LANES(i32) x = {.v = v};
    u32 mask = 0;
    for (u32 i = 0; i < 4; i++) mask |= (u32)(x.l[i] < 0) << i;
    return mask;
}
VM_INLINE u32 sem_plain_i64x2_bitmask(v128 v)
{
    VEC_LANES(i64) x = {.v = v};
    u32 mask = 0;
    for (u32 i = 0; i < 2; i++) mask |= (u32)(x.l[i] < 0) << i;
    return mask;
}

V2(plain_i8x16_add_sat_u, u8, u8, 16, vec_sat(a + b, 0, 255))
V2(plain_i8x16_sub_sat_u, u8, u8, 16, vec_sat(a - b, 0, 255))
V2(plain_i16x8_add_sat_u, u16, u16, 8, vec_sat(a + b, 0, 65535))
V2(plain_i16x8_sub_sat_u, u16, u16, 8, vec_sat(a - b, 0, 65535))
NARROW(plain_i16x8_narrow_i32x4_u, i32, u16, 0, 65535)
/* spec op-iq15mulr_sat */
V2(plain_i16x8_q15mulr_sat_s, i16, i16, 8, vec_sat((a * b + 0x4000) >> 15, -32768, 32767))

/* spec op-swizzle_lanes: 0 where the number is none of a lane */
VM_INLINE v128 sem_plain_i8x16_swizzle(v128 v, v128 lanes)
{
    VEC_LANES(u8) x = {.v = v}, y = {.v = lanes}, z = VEC_ZERO;
    for (u32 i = 0; i < 16; i++) z.l[i] = y.l[i] < 16 ? x.l[y.l[i] & 15] : 0;
    return z.v;
}
/* spec vshuffle: lane numbers are below 32 */
VM_INLINE v128 sem_plain_i8x16_shuffle(v128 v, v128 q, v128 lanes)
{
    VEC_LANES(u8) x = {.v = v}, w = {.v = q}, y = {.v = lanes}, z = VEC_ZERO;
    for (u32 i = 0; i < 16; i++) z.l[i] = y.l[i] < 16 ? x.l[y.l[i] & 15] : w.l[y.l[i] & 15];
    return z.v;
}

V1(plain_f32x4_ceil, f32, f32, 4, sem_f32_ceil(a))
V1(plain_f32x4_floor, f32, f32, 4, sem_f32_floor(a))
V1(plain_f32x4_trunc, f32, f32, 4, sem_f32_trunc(a))
V1(plain_f32x4_nearest, f32, f32, 4, sem_f32_nearest(a))
V2(plain_f32x4_min, f32, f32, 4, sem_f32_min(a, b))
V2(plain_f32x4_max, f32, f32, 4, sem_f32_max(a, b))
V1(plain_f64x2_ceil, f64, f64, 2, sem_f64_ceil(a))
V1(plain_f64x2_floor, f64, f64, 2, sem_f64_floor(a))
V1(plain_f64x2_trunc, f64, f64, 2, sem_f64_trunc(a))
V1(plain_f64x2_nearest, f64, f64, 2, sem_f64_nearest(a))
V2(plain_f64x2_min, f64, f64, 2, sem_f64_min(a, b))
V2(plain_f64x2_max, f64, f64, 2, sem_f64_max(a, b))
V1(plain_i32x4_trunc_sat_f32x4_s, f32, u32, 4, sem_i32_trunc_sat_f32_s(a))
V1(plain_i32x4_trunc_sat_f32x4_u, f32, u32, 4, sem_i32_trunc_sat_f32_u(a))
V1(plain_i32x4_trunc_sat_f64x2_s_zero, f64, u32, 2, sem_i32_trunc_sat_f64_s(a))
V1(plain_i32x4_trunc_sat_f64x2_u_zero, f64, u32, 2, sem_i32_trunc_sat_f64_u(a))

#endif
