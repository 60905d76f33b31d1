/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec_target.h for AArch64 with Advanced SIMD. Not FPCR.DN or .FZ: the defaults of the host.
 */
#ifndef VM_SEM_VEC_AARCH64_H
#define VM_SEM_VEC_AARCH64_H

/* Compiles to nothing elsewhere. */
#if defined(__aarch64__)

#include "sem/vec_float.h"
#include "sem/vec_int.h"

#include <arm_neon.h>

/* spec exec-vshuffle (lanes below 32), op-vswizzlop (0 from index 16 on) */
VM_INLINE v128 sem_i8x16_shuffle(v128 a, v128 b, v128 lanes)
{
    uint8x16x2_t both = {{(uint8x16_t)a, (uint8x16_t)b}};
    return (v128)vqtbl2q_u8(both, (uint8x16_t)lanes);
}
/** A shuffle of one vector: lanes below 16. */
VM_INLINE v128 vm_v128_permute(v128 a, v128 lanes)
{
    return (v128)vqtbl1q_u8((uint8x16_t)a, (uint8x16_t)lanes);
}
VM_INLINE v128 sem_i8x16_swizzle(v128 a, v128 indices)
{
    return (v128)vqtbl1q_u8((uint8x16_t)a, (uint8x16_t)indices);
}
/* spec op-ipopcnt */
VM_INLINE v128 sem_i8x16_popcnt(v128 a) { return (v128)vcntq_u8((uint8x16_t)a); }

/* spec op-ishr_s: distances modulo 8 */
VM_INLINE v128 sem_i8x16_shr_s(v128 a, u32 n) { return (v128)((i8x16)a >> (i8)(n & 7)); }

/* spec exec-vvtestop, exec-vtestop: 0 or 1 */
VM_INLINE u32 sem_v128_any_true(v128 a) { return vmaxvq_u32((uint32x4_t)a) != 0; }
VM_INLINE u32 sem_i8x16_all_true(v128 a) { return vminvq_u8((uint8x16_t)a) != 0; }
VM_INLINE u32 sem_i16x8_all_true(v128 a) { return vminvq_u16((uint16x8_t)a) != 0; }
VM_INLINE u32 sem_i32x4_all_true(v128 a) { return vminvq_u32((uint32x4_t)a) != 0; }
VM_INLINE u32 sem_i64x2_all_true(v128 a)
{
    return vminvq_u32((uint32x4_t)vtstq_u64((uint64x2_t)a, (uint64x2_t)a)) != 0;
}

/* spec exec-vbitmask: each lane's sign in a bit of its own, then their sum */
VM_INLINE u32 sem_i8x16_bitmask(v128 a)
{
    u8x16 weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = (uint8x16_t)vshrq_n_s8((int8x16_t)a, 7) & (uint8x16_t)weights;
    uint8x16_t pairs = vzip1q_u8(bits, vextq_u8(bits, bits, 8));
    return vaddvq_u16((uint16x8_t)pairs);
}
VM_INLINE u32 sem_i16x8_bitmask(v128 a)
{
    u16x8 weights = {1, 2, 4, 8, 16, 32, 64, 128};
    return vaddvq_u16((uint16x8_t)vshrq_n_s16((int16x8_t)a, 15) & (uint16x8_t)weights);
}
VM_INLINE u32 sem_i32x4_bitmask(v128 a)
{
    u32x4 weights = {1, 2, 4, 8};
    return vaddvq_u32((uint32x4_t)vshrq_n_s32((int32x4_t)a, 31) & (uint32x4_t)weights);
}
VM_INLINE u32 sem_i64x2_bitmask(v128 a) { return (u32)(a[0] >> 63) | (u32)(a[1] >> 63) << 1; }

/* spec op-narrow: both operands signed, saturating; a's lanes come first */
VM_INLINE v128 sem_i8x16_narrow_i16x8_s(v128 a, v128 b)
{
    return (v128)vqmovn_high_s16(vqmovn_s16((int16x8_t)a), (int16x8_t)b);
}
VM_INLINE v128 sem_i8x16_narrow_i16x8_u(v128 a, v128 b)
{
    return (v128)vqmovun_high_s16(vqmovun_s16((int16x8_t)a), (int16x8_t)b);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_s(v128 a, v128 b)
{
    return (v128)vqmovn_high_s32(vqmovn_s32((int32x4_t)a), (int32x4_t)b);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    return (v128)vqmovun_high_s32(vqmovun_s32((int32x4_t)a), (int32x4_t)b);
}

/* spec op-iadd_sat, op-isub_sat, op-iavgr_u, op-iq15mulr_sat_s */
VM_INLINE v128 sem_i8x16_add_sat_s(v128 a, v128 b)
{
    return (v128)vqaddq_s8((int8x16_t)a, (int8x16_t)b);
}
VM_INLINE v128 sem_i8x16_add_sat_u(v128 a, v128 b)
{
    return (v128)vqaddq_u8((uint8x16_t)a, (uint8x16_t)b);
}
VM_INLINE v128 sem_i8x16_sub_sat_s(v128 a, v128 b)
{
    return (v128)vqsubq_s8((int8x16_t)a, (int8x16_t)b);
}
VM_INLINE v128 sem_i8x16_sub_sat_u(v128 a, v128 b)
{
    return (v128)vqsubq_u8((uint8x16_t)a, (uint8x16_t)b);
}
VM_INLINE v128 sem_i16x8_add_sat_s(v128 a, v128 b)
{
    return (v128)vqaddq_s16((int16x8_t)a, (int16x8_t)b);
}
VM_INLINE v128 sem_i16x8_add_sat_u(v128 a, v128 b)
{
    return (v128)vqaddq_u16((uint16x8_t)a, (uint16x8_t)b);
}
VM_INLINE v128 sem_i16x8_sub_sat_s(v128 a, v128 b)
{
    return (v128)vqsubq_s16((int16x8_t)a, (int16x8_t)b);
}
VM_INLINE v128 sem_i16x8_sub_sat_u(v128 a, v128 b)
{
    return (v128)vqsubq_u16((uint16x8_t)a, (uint16x8_t)b);
}
VM_INLINE v128 sem_i8x16_avgr_u(v128 a, v128 b)
{
    return (v128)vrhaddq_u8((uint8x16_t)a, (uint8x16_t)b);
}
VM_INLINE v128 sem_i16x8_avgr_u(v128 a, v128 b)
{
    return (v128)vrhaddq_u16((uint16x8_t)a, (uint16x8_t)b);
}
VM_INLINE v128 sem_i16x8_q15mulr_sat_s(v128 a, v128 b)
{
    return (v128)vqrdmulhq_s16((int16x8_t)a, (int16x8_t)b);
}

/* spec exec-vextunop: the sums of neighbours, exact */
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_s(v128 a) { return (v128)vpaddlq_s8((int8x16_t)a); }
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_u(v128 a) { return (v128)vpaddlq_u8((uint8x16_t)a); }
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_s(v128 a) { return (v128)vpaddlq_s16((int16x8_t)a); }
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_u(v128 a)
{
    return (v128)vpaddlq_u16((uint16x8_t)a);
}
/* spec op-dot: sums of neighbours' products, modulo 2^32 */
VM_INLINE v128 sem_i32x4_dot_i16x8_s(v128 a, v128 b)
{
    int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y));
    return (v128)vpaddq_s32(low, vmull_high_s16(x, y));
}

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest, op-fsqrt */
VM_INLINE v128 sem_f32x4_ceil(v128 a) { return (v128)vrndpq_f32((float32x4_t)a); }
VM_INLINE v128 sem_f32x4_floor(v128 a) { return (v128)vrndmq_f32((float32x4_t)a); }
VM_INLINE v128 sem_f32x4_trunc(v128 a) { return (v128)vrndq_f32((float32x4_t)a); }
VM_INLINE v128 sem_f32x4_nearest(v128 a) { return (v128)vrndnq_f32((float32x4_t)a); }
VM_INLINE v128 sem_f32x4_sqrt(v128 a) { return (v128)vsqrtq_f32((float32x4_t)a); }
VM_INLINE v128 sem_f64x2_ceil(v128 a) { return (v128)vrndpq_f64((float64x2_t)a); }
VM_INLINE v128 sem_f64x2_floor(v128 a) { return (v128)vrndmq_f64((float64x2_t)a); }
VM_INLINE v128 sem_f64x2_trunc(v128 a) { return (v128)vrndq_f64((float64x2_t)a); }
VM_INLINE v128 sem_f64x2_nearest(v128 a) { return (v128)vrndnq_f64((float64x2_t)a); }
VM_INLINE v128 sem_f64x2_sqrt(v128 a) { return (v128)vsqrtq_f64((float64x2_t)a); }

/* spec op-fmin, op-fmax */
VM_INLINE v128 sem_f32x4_min(v128 a, v128 b)
{
    return (v128)vminq_f32((float32x4_t)a, (float32x4_t)b);
}
VM_INLINE v128 sem_f32x4_max(v128 a, v128 b)
{
    return (v128)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
}
VM_INLINE v128 sem_f64x2_min(v128 a, v128 b)
{
    return (v128)vminq_f64((float64x2_t)a, (float64x2_t)b);
}
VM_INLINE v128 sem_f64x2_max(v128 a, v128 b)
{
    return (v128)vmaxq_f64((float64x2_t)a, (float64x2_t)b);
}
/* spec op-fpmin, op-fpmax: b where it is less (greater), else a */
VM_INLINE v128 sem_f32x4_pmin(v128 a, v128 b) { return vm_v128_select(sem_f32x4_lt(b, a), b, a); }
VM_INLINE v128 sem_f32x4_pmax(v128 a, v128 b) { return vm_v128_select(sem_f32x4_lt(a, b), b, a); }
VM_INLINE v128 sem_f64x2_pmin(v128 a, v128 b) { return vm_v128_select(sem_f64x2_lt(b, a), b, a); }
VM_INLINE v128 sem_f64x2_pmax(v128 a, v128 b) { return vm_v128_select(sem_f64x2_lt(a, b), b, a); }

/* spec op-trunc_sat_s, op-trunc_sat_u: what the instructions do */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_s(v128 a) { return (v128)vcvtq_s32_f32((float32x4_t)a); }
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_u(v128 a) { return (v128)vcvtq_u32_f32((float32x4_t)a); }
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_s_zero(v128 a)
{
    int32x2_t low = vqmovn_s64(vcvtq_s64_f64((float64x2_t)a));
    return (v128)vcombine_s32(low, vdup_n_s32(0));
}
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_u_zero(v128 a)
{
    uint32x2_t low = vqmovn_u64(vcvtq_u64_f64((float64x2_t)a));
    return (v128)vcombine_u32(low, vdup_n_u32(0));
}

/* spec op-demote, op-promote: the conversion makes NaNs quiet */
VM_INLINE v128 sem_f32x4_demote_f64x2_zero(v128 a)
{
    return (v128)vcombine_f32(vcvt_f32_f64((float64x2_t)a), vdup_n_f32(0));
}
VM_INLINE v128 sem_f64x2_promote_low_f32x4(v128 a)
{
    return (v128)vcvt_f64_f32(vget_low_f32((float32x4_t)a));
}

#endif
#endif
