/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions for which aarch64 has better than what compilers make of loops. */
#ifndef VM_SEM_VEC_AARCH64_H
#define VM_SEM_VEC_AARCH64_H

#if defined(__aarch64__)

#include "sem/vec_plain.h"

#include <arm_neon.h>

VM_INLINE u32 sem_i8x16_bitmask(v128 v)
{
    const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t set = vandq_u8((uint8x16_t)vshrq_n_s8((int8x16_t)v, 7), bits);
    return vaddv_u8(vget_low_u8(set)) | (u32)vaddv_u8(vget_high_u8(set)) << 8;
}
VM_INLINE u32 sem_i16x8_bitmask(v128 v)
{
    const uint16x8_t bits = {1, 2, 4, 8, 16, 32, 64, 128};
    return vaddvq_u16(vandq_u16((uint16x8_t)vshrq_n_s16((int16x8_t)v, 15), bits));
}
VM_INLINE u32 sem_i32x4_bitmask(v128 v)
{
    const uint32x4_t bits = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32((uint32x4_t)vshrq_n_s32((int32x4_t)v, 31), bits));
}
VM_INLINE u32 sem_i64x2_bitmask(v128 v) { return (u32)(v[0] >> 63 | v[1] >> 63 << 1); }

#define NEON2(name, T, insn)                                                                       \
    VM_INLINE v128 sem_##name(v128 a, v128 b) { return (v128)insn((T)a, (T)b); }
NEON2(i8x16_add_sat_u, uint8x16_t, vqaddq_u8)
NEON2(i8x16_sub_sat_u, uint8x16_t, vqsubq_u8)
NEON2(i16x8_add_sat_u, uint16x8_t, vqaddq_u16)
NEON2(i16x8_sub_sat_u, uint16x8_t, vqsubq_u16)
NEON2(i16x8_q15mulr_sat_s, int16x8_t, vqrdmulhq_s16)
NEON2(i8x16_swizzle, uint8x16_t, vqtbl1q_u8) /* numbers past the last lane select 0 */
NEON2(f32x4_min, float32x4_t, vminq_f32)     /* NaN and signs of zeroes as the spec has them */
NEON2(f32x4_max, float32x4_t, vmaxq_f32)
NEON2(f64x2_min, float64x2_t, vminq_f64)
NEON2(f64x2_max, float64x2_t, vmaxq_f64)
#undef NEON2

VM_INLINE v128 sem_i8x16_shuffle(v128 a, v128 b, v128 lanes)
{
    uint8x16x2_t table = {{(uint8x16_t)a, (uint8x16_t)b}};
    return (v128)vqtbl2q_u8(table, (uint8x16_t)lanes);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    return (v128)vcombine_u16(vqmovun_s32((int32x4_t)a), vqmovun_s32((int32x4_t)b));
}

#define NEON1(name, T, insn)                                                                       \
    VM_INLINE v128 sem_##name(v128 a) { return (v128)insn((T)a); }
NEON1(f32x4_ceil, float32x4_t, vrndpq_f32)
NEON1(f32x4_floor, float32x4_t, vrndmq_f32)
NEON1(f32x4_trunc, float32x4_t, vrndq_f32)
NEON1(f32x4_nearest, float32x4_t, vrndnq_f32)
NEON1(f64x2_ceil, float64x2_t, vrndpq_f64)
NEON1(f64x2_floor, float64x2_t, vrndmq_f64)
NEON1(f64x2_trunc, float64x2_t, vrndq_f64)
NEON1(f64x2_nearest, float64x2_t, vrndnq_f64)
/* These saturate, and NaN is 0. */
NEON1(i32x4_trunc_sat_f32x4_s, float32x4_t, vcvtq_s32_f32)
NEON1(i32x4_trunc_sat_f32x4_u, float32x4_t, vcvtq_u32_f32)
#undef NEON1
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

#endif /* __aarch64__ */
#endif
