/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the vector instructions that move single lanes, one pure function each, named after
 * the mnemonic. `lane` is below the number of lanes.
 */
#ifndef VM_SEM_VEC_LANE_H
#define VM_SEM_VEC_LANE_H

#include "base/fbits.h"
#include "sem/vec_types.h"

/* -------- splat: every lane the same value. Integers keep their low bits */

VM_INLINE v128 sem_i8x16_splat(u32 x) { return (v128)((u8x16){0} + (u8)x); }
VM_INLINE v128 sem_i16x8_splat(u32 x) { return (v128)((u16x8){0} + (u16)x); }
VM_INLINE v128 sem_i32x4_splat(u32 x) { return (v128)((u32x4){0} + x); }
VM_INLINE v128 sem_i64x2_splat(u64 x) { return (v128){x, x}; }
VM_INLINE v128 sem_f32x4_splat(f32 x) { return (v128)(f32x4){x, x, x, x}; }
VM_INLINE v128 sem_f64x2_splat(f64 x) { return (v128)(f64x2){x, x}; }

/*
 * -------- extract_lane. The lane is known at run time only, and indexing a vector would go through
 * the C stack, which handlers do not touch: so the half is chosen, then shifted.
 */

VM_INLINE u64 sem_i64x2_extract_lane(v128 a, u32 lane) { return lane & 1 ? a[1] : a[0]; }
VM_INLINE u32 sem_i32x4_extract_lane(v128 a, u32 lane)
{
    return (u32)(sem_i64x2_extract_lane(a, lane >> 1) >> (lane & 1) * 32);
}
VM_INLINE u32 sem_i16x8_extract_lane_u(v128 a, u32 lane)
{
    return (u16)(sem_i64x2_extract_lane(a, lane >> 2) >> (lane & 3) * 16);
}
VM_INLINE u32 sem_i16x8_extract_lane_s(v128 a, u32 lane)
{
    return (u32)(i32)(i16)sem_i16x8_extract_lane_u(a, lane);
}
VM_INLINE u32 sem_i8x16_extract_lane_u(v128 a, u32 lane)
{
    return (u8)(sem_i64x2_extract_lane(a, lane >> 3) >> (lane & 7) * 8);
}
VM_INLINE u32 sem_i8x16_extract_lane_s(v128 a, u32 lane)
{
    return (u32)(i32)(i8)sem_i8x16_extract_lane_u(a, lane);
}
VM_INLINE f32 sem_f32x4_extract_lane(v128 a, u32 lane)
{
    return vm_f32_from_bits(sem_i32x4_extract_lane(a, lane));
}
VM_INLINE f64 sem_f64x2_extract_lane(v128 a, u32 lane)
{
    return vm_f64_from_bits(sem_i64x2_extract_lane(a, lane));
}

/* -------- replace_lane: the lane whose number is equal takes the value */

VM_INLINE v128 sem_i8x16_replace_lane(v128 a, u32 x, u32 lane)
{
    u8x16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    v128 here = (v128)(lanes == (u8x16)sem_i8x16_splat(lane));
    return vm_v128_select(here, sem_i8x16_splat(x), a);
}
VM_INLINE v128 sem_i16x8_replace_lane(v128 a, u32 x, u32 lane)
{
    u16x8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    v128 here = (v128)(lanes == (u16x8)sem_i16x8_splat(lane));
    return vm_v128_select(here, sem_i16x8_splat(x), a);
}
VM_INLINE v128 sem_i32x4_replace_lane(v128 a, u32 x, u32 lane)
{
    u32x4 lanes = {0, 1, 2, 3};
    v128 here = (v128)(lanes == (u32x4)sem_i32x4_splat(lane));
    return vm_v128_select(here, sem_i32x4_splat(x), a);
}
VM_INLINE v128 sem_i64x2_replace_lane(v128 a, u64 x, u32 lane)
{
    u32x4 lanes = {0, 0, 1, 1}; /* 32 bits a comparison: SSE2 has no wider one */
    v128 here = (v128)(lanes == (u32x4)sem_i32x4_splat(lane));
    return vm_v128_select(here, sem_i64x2_splat(x), a);
}
VM_INLINE v128 sem_f32x4_replace_lane(v128 a, f32 x, u32 lane)
{
    return sem_i32x4_replace_lane(a, vm_f32_bits(x), lane);
}
VM_INLINE v128 sem_f64x2_replace_lane(v128 a, f64 x, u32 lane)
{
    return sem_i64x2_replace_lane(a, vm_f64_bits(x), lane);
}

#endif
