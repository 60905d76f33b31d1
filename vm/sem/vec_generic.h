/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec_target.h for targets without a file of their own: plain C, little-endian lanes.
 */
#ifndef VM_SEM_VEC_GENERIC_H
#define VM_SEM_VEC_GENERIC_H

#include "sem/convert.h"
#include "sem/float.h"
#include "sem/vec_float.h"
#include "sem/vec_int.h"
#include "sem/vec_lane.h"
#include "sem/vec_soft.h"
#include "sem/vec_widen.h"

/* spec exec-vshuffle (lanes below 32), op-vswizzlop (0 from index 16 on) */
VM_INLINE v128 sem_i8x16_shuffle(v128 a, v128 b, v128 lanes)
{
    return vm_v128_shuffle(a, b, lanes);
}
/** A shuffle of one vector: lanes below 16. */
VM_INLINE v128 vm_v128_permute(v128 a, v128 lanes) { return vm_v128_shuffle(a, a, lanes); }
VM_INLINE v128 sem_i8x16_swizzle(v128 a, v128 indices) { return vm_v128_swizzle(a, indices); }
/* spec op-ipopcnt */
VM_INLINE v128 sem_i8x16_popcnt(v128 a) { return vm_v128_popcnt8(a); }

/* spec op-ishr_s: distances modulo 8 */
VM_INLINE v128 sem_i8x16_shr_s(v128 a, u32 n) { return (v128)((i8x16)a >> (i8)(n & 7)); }

/* spec exec-vvtestop, exec-vtestop: 0 or 1 */
VM_INLINE u32 sem_v128_any_true(v128 a) { return (a[0] | a[1]) != 0; }
VM_INLINE u32 sem_i8x16_all_true(v128 a)
{
    return !sem_v128_any_true((v128)((u8x16)a == (u8x16){0}));
}
VM_INLINE u32 sem_i16x8_all_true(v128 a)
{
    return !sem_v128_any_true((v128)((u16x8)a == (u16x8){0}));
}
VM_INLINE u32 sem_i32x4_all_true(v128 a)
{
    return !sem_v128_any_true((v128)((u32x4)a == (u32x4){0}));
}
VM_INLINE u32 sem_i64x2_all_true(v128 a)
{
    return !sem_v128_any_true((v128)((u64x2)a == (u64x2){0}));
}

/* spec exec-vbitmask: the sign bits, lane 0's lowest */
VM_INLINE u32 sem_i8x16_bitmask(v128 a)
{
    u32 mask = 0;
    for (u32 i = 0; i < 16; i++) mask |= (u32)(((u8x16)a)[i] >> 7) << i;
    return mask;
}
VM_INLINE u32 sem_i16x8_bitmask(v128 a)
{
    u32 mask = 0;
    for (u32 i = 0; i < 8; i++) mask |= (u32)(((u16x8)a)[i] >> 15) << i;
    return mask;
}
VM_INLINE u32 sem_i32x4_bitmask(v128 a)
{
    u32 mask = 0;
    for (u32 i = 0; i < 4; i++) mask |= (u32)(((u32x4)a)[i] >> 31) << i;
    return mask;
}
VM_INLINE u32 sem_i64x2_bitmask(v128 a)
{
    u32 mask = 0;
    for (u32 i = 0; i < 2; i++) mask |= (u32)(((u64x2)a)[i] >> 63) << i;
    return mask;
}

/* spec op-narrow: both operands signed, saturating; a's lanes come first */
VM_INLINE v128 sem_i8x16_narrow_i16x8_s(v128 a, v128 b)
{
    v128 low = sem_i16x8_splat((u32)INT8_MIN), high = sem_i16x8_splat(INT8_MAX);
    a = sem_i16x8_min_s(sem_i16x8_max_s(a, low), high);
    b = sem_i16x8_min_s(sem_i16x8_max_s(b, low), high);
    return (v128)__builtin_shufflevector((u8x16)a, (u8x16)b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
                                         22, 24, 26, 28, 30);
}
VM_INLINE v128 sem_i8x16_narrow_i16x8_u(v128 a, v128 b)
{
    v128 low = sem_i16x8_splat((u32)0), high = sem_i16x8_splat(UINT8_MAX);
    a = sem_i16x8_min_s(sem_i16x8_max_s(a, low), high);
    b = sem_i16x8_min_s(sem_i16x8_max_s(b, low), high);
    return (v128)__builtin_shufflevector((u8x16)a, (u8x16)b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
                                         22, 24, 26, 28, 30);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_s(v128 a, v128 b)
{
    v128 low = sem_i32x4_splat((u32)INT16_MIN), high = sem_i32x4_splat(INT16_MAX);
    a = sem_i32x4_min_s(sem_i32x4_max_s(a, low), high);
    b = sem_i32x4_min_s(sem_i32x4_max_s(b, low), high);
    return (v128)__builtin_shufflevector((u16x8)a, (u16x8)b, 0, 2, 4, 6, 8, 10, 12, 14);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    v128 low = sem_i32x4_splat((u32)0), high = sem_i32x4_splat(UINT16_MAX);
    a = sem_i32x4_min_s(sem_i32x4_max_s(a, low), high);
    b = sem_i32x4_min_s(sem_i32x4_max_s(b, low), high);
    return (v128)__builtin_shufflevector((u16x8)a, (u16x8)b, 0, 2, 4, 6, 8, 10, 12, 14);
}

/* spec op-iadd_sat, op-isub_sat: signed ones overflow towards the sign of a */
VM_INLINE v128 sem_i8x16_add_sat_u(v128 a, v128 b)
{
    return sem_i8x16_add(a, b) | sem_i8x16_lt_u(sem_i8x16_add(a, b), a);
}
VM_INLINE v128 sem_i8x16_sub_sat_u(v128 a, v128 b)
{
    return sem_i8x16_sub(a, b) & sem_i8x16_ge_u(a, b);
}
VM_INLINE v128 sem_i8x16_add_sat_s(v128 a, v128 b)
{
    v128 sum = sem_i8x16_add(a, b);
    v128 over = sem_i8x16_shr_s((a ^ sum) & (b ^ sum), 7);
    v128 end = sem_i8x16_shr_s(a, 7) ^ sem_i8x16_splat(INT8_MAX);
    return vm_v128_select(over, end, sum);
}
VM_INLINE v128 sem_i8x16_sub_sat_s(v128 a, v128 b)
{
    v128 sum = sem_i8x16_sub(a, b);
    v128 over = sem_i8x16_shr_s((a ^ b) & (a ^ sum), 7);
    v128 end = sem_i8x16_shr_s(a, 7) ^ sem_i8x16_splat(INT8_MAX);
    return vm_v128_select(over, end, sum);
}
VM_INLINE v128 sem_i16x8_add_sat_u(v128 a, v128 b)
{
    return sem_i16x8_add(a, b) | sem_i16x8_lt_u(sem_i16x8_add(a, b), a);
}
VM_INLINE v128 sem_i16x8_sub_sat_u(v128 a, v128 b)
{
    return sem_i16x8_sub(a, b) & sem_i16x8_ge_u(a, b);
}
VM_INLINE v128 sem_i16x8_add_sat_s(v128 a, v128 b)
{
    v128 sum = sem_i16x8_add(a, b);
    v128 over = sem_i16x8_shr_s((a ^ sum) & (b ^ sum), 15);
    v128 end = sem_i16x8_shr_s(a, 15) ^ sem_i16x8_splat(INT16_MAX);
    return vm_v128_select(over, end, sum);
}
VM_INLINE v128 sem_i16x8_sub_sat_s(v128 a, v128 b)
{
    v128 sum = sem_i16x8_sub(a, b);
    v128 over = sem_i16x8_shr_s((a ^ b) & (a ^ sum), 15);
    v128 end = sem_i16x8_shr_s(a, 15) ^ sem_i16x8_splat(INT16_MAX);
    return vm_v128_select(over, end, sum);
}
/* spec op-iavgr_u: (a + b + 1) / 2 without the carry */
VM_INLINE v128 sem_i8x16_avgr_u(v128 a, v128 b)
{
    return sem_i8x16_sub(a | b, sem_i8x16_shr_u(a ^ b, 1));
}
VM_INLINE v128 sem_i16x8_avgr_u(v128 a, v128 b)
{
    return sem_i16x8_sub(a | b, sem_i16x8_shr_u(a ^ b, 1));
}

/* spec op-iq15mulr_sat_s: (a * b + 2^14) / 2^15 */
VM_INLINE v128 vm_v128_q15_round(v128 product)
{
    return sem_i32x4_shr_s(sem_i32x4_add(product, sem_i32x4_splat(1 << 14)), 15);
}
VM_INLINE v128 sem_i16x8_q15mulr_sat_s(v128 a, v128 b)
{
    v128 low = vm_v128_q15_round(sem_i32x4_extmul_low_i16x8_s(a, b));
    v128 high = vm_v128_q15_round(sem_i32x4_extmul_high_i16x8_s(a, b));
    return sem_i16x8_narrow_i32x4_s(low, high);
}

/* spec exec-vextunop: the sums of neighbours, exact */
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_s(v128 a)
{
    return sem_i16x8_add(sem_i16x8_shr_s(sem_i16x8_shl(a, 8), 8), sem_i16x8_shr_s(a, 8));
}
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_u(v128 a)
{
    return sem_i16x8_add(sem_i16x8_shr_u(sem_i16x8_shl(a, 8), 8), sem_i16x8_shr_u(a, 8));
}
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_s(v128 a)
{
    return sem_i32x4_add(sem_i32x4_shr_s(sem_i32x4_shl(a, 16), 16), sem_i32x4_shr_s(a, 16));
}
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_u(v128 a)
{
    return sem_i32x4_add(sem_i32x4_shr_u(sem_i32x4_shl(a, 16), 16), sem_i32x4_shr_u(a, 16));
}

/* spec op-dot: sums of neighbours' products, modulo 2^32 */
VM_INLINE v128 sem_i32x4_dot_i16x8_s(v128 a, v128 b)
{
    v128 even = sem_i32x4_mul(sem_i32x4_shr_s(sem_i32x4_shl(a, 16), 16),
                              sem_i32x4_shr_s(sem_i32x4_shl(b, 16), 16));
    return sem_i32x4_add(even, sem_i32x4_mul(sem_i32x4_shr_s(a, 16), sem_i32x4_shr_s(b, 16)));
}

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest */
VM_INLINE v128 sem_f32x4_ceil(v128 a) { return vm_v128_f32x4_ceil(a); }
VM_INLINE v128 sem_f32x4_floor(v128 a) { return vm_v128_f32x4_floor(a); }
VM_INLINE v128 sem_f32x4_trunc(v128 a) { return vm_v128_f32x4_trunc(a); }
VM_INLINE v128 sem_f32x4_nearest(v128 a) { return vm_v128_f32x4_nearest(a); }
VM_INLINE v128 sem_f64x2_ceil(v128 a) { return vm_v128_f64x2_ceil(a); }
VM_INLINE v128 sem_f64x2_floor(v128 a) { return vm_v128_f64x2_floor(a); }
VM_INLINE v128 sem_f64x2_trunc(v128 a) { return vm_v128_f64x2_trunc(a); }
VM_INLINE v128 sem_f64x2_nearest(v128 a) { return vm_v128_f64x2_nearest(a); }

/* spec op-fsqrt */
VM_INLINE v128 sem_f32x4_sqrt(v128 a)
{
    f32x4 x = (f32x4)a;
    return (v128)(f32x4){sem_f32_sqrt(x[0]), sem_f32_sqrt(x[1]), sem_f32_sqrt(x[2]),
                         sem_f32_sqrt(x[3])};
}
VM_INLINE v128 sem_f64x2_sqrt(v128 a)
{
    f64x2 x = (f64x2)a;
    return (v128)(f64x2){sem_f64_sqrt(x[0]), sem_f64_sqrt(x[1])};
}

/* spec op-fmin, op-fmax: a NaN wins; equal values differ in the sign bit at most, -0 is below +0 */
VM_INLINE v128 sem_f32x4_min(v128 a, v128 b)
{
    f32x4 x = (f32x4)a, y = (f32x4)b;
    v128 ordered = vm_v128_select((v128)(x < y), a, b);
    v128 r = vm_v128_select((v128)(x == y), a | b, ordered);
    return vm_v128_select((v128)((x != x) | (y != y)), (v128)(x + y), r);
}
VM_INLINE v128 sem_f32x4_max(v128 a, v128 b)
{
    f32x4 x = (f32x4)a, y = (f32x4)b;
    v128 ordered = vm_v128_select((v128)(x > y), a, b);
    v128 r = vm_v128_select((v128)(x == y), a & b, ordered);
    return vm_v128_select((v128)((x != x) | (y != y)), (v128)(x + y), r);
}
VM_INLINE v128 sem_f64x2_min(v128 a, v128 b)
{
    f64x2 x = (f64x2)a, y = (f64x2)b;
    v128 ordered = vm_v128_select((v128)(x < y), a, b);
    v128 r = vm_v128_select((v128)(x == y), a | b, ordered);
    return vm_v128_select((v128)((x != x) | (y != y)), (v128)(x + y), r);
}
VM_INLINE v128 sem_f64x2_max(v128 a, v128 b)
{
    f64x2 x = (f64x2)a, y = (f64x2)b;
    v128 ordered = vm_v128_select((v128)(x > y), a, b);
    v128 r = vm_v128_select((v128)(x == y), a & b, ordered);
    return vm_v128_select((v128)((x != x) | (y != y)), (v128)(x + y), r);
}
/* spec op-fpmin, op-fpmax: b where it is less (greater), else a */
VM_INLINE v128 sem_f32x4_pmin(v128 a, v128 b) { return vm_v128_select(sem_f32x4_lt(b, a), b, a); }
VM_INLINE v128 sem_f32x4_pmax(v128 a, v128 b) { return vm_v128_select(sem_f32x4_lt(a, b), b, a); }
VM_INLINE v128 sem_f64x2_pmin(v128 a, v128 b) { return vm_v128_select(sem_f64x2_lt(b, a), b, a); }
VM_INLINE v128 sem_f64x2_pmax(v128 a, v128 b) { return vm_v128_select(sem_f64x2_lt(a, b), b, a); }

/* spec op-trunc_sat_s, op-trunc_sat_u: NaN is 0, out of range the nearest end */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_s(v128 a)
{
    f32x4 x = (f32x4)a;
    return (v128)(u32x4){sem_i32_trunc_sat_f32_s(x[0]), sem_i32_trunc_sat_f32_s(x[1]),
                         sem_i32_trunc_sat_f32_s(x[2]), sem_i32_trunc_sat_f32_s(x[3])};
}
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_s_zero(v128 a)
{
    f64x2 x = (f64x2)a;
    return (v128)(u32x4){sem_i32_trunc_sat_f64_s(x[0]), sem_i32_trunc_sat_f64_s(x[1]), 0, 0};
}
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_u(v128 a)
{
    f32x4 x = (f32x4)a;
    return (v128)(u32x4){sem_i32_trunc_sat_f32_u(x[0]), sem_i32_trunc_sat_f32_u(x[1]),
                         sem_i32_trunc_sat_f32_u(x[2]), sem_i32_trunc_sat_f32_u(x[3])};
}
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_u_zero(v128 a)
{
    f64x2 x = (f64x2)a;
    return (v128)(u32x4){sem_i32_trunc_sat_f64_u(x[0]), sem_i32_trunc_sat_f64_u(x[1]), 0, 0};
}

/* spec op-demote, op-promote: NaNs become quiet */
VM_INLINE v128 sem_f32x4_demote_f64x2_zero(v128 a)
{
    f64x2 x = (f64x2)a;
    return (v128)(f32x4){(f32)x[0], (f32)x[1], 0, 0};
}
VM_INLINE v128 sem_f64x2_promote_low_f32x4(v128 a)
{
    f32x4 x = (f32x4)a;
    return (v128)(f64x2){(f64)x[0], (f64)x[1]};
}

#endif
