/* SPDX-License-Identifier: Apache-2.0 */
/* Meaning of the vector instructions that only move bits: splats, lanes, loads and stores. */
#ifndef VM_SEM_VEC_MOVE_H
#define VM_SEM_VEC_MOVE_H

#include "base/fbits.h"
#include "sem/vec_int.h"

/* -------- splats. spec vsplat */

#define SPLAT(name, T, A)                                                                          \
    VM_INLINE v128 sem_##name(T a)                                                                 \
    {                                                                                              \
        VEC_LANES(A) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < 16 / sizeof(A); i++) z.l[i] = (A)a;                                    \
        return z.v;                                                                                \
    }
SPLAT(i8x16_splat, u32, u8)
SPLAT(i16x8_splat, u32, u16)
SPLAT(i32x4_splat, u32, u32)
SPLAT(i64x2_splat, u64, u64)
SPLAT(f32x4_splat, f32, f32)
SPLAT(f64x2_splat, f64, f64)

/* -------- one lane, by a number known at run time only: without going through memory that would
 * have to be written first. spec vextract_lane, vreplace_lane */

/** The 64-bit half that holds lane `lane` of `n`, shifted down to it. */
VM_INLINE u64 vec_lane(v128 v, u32 lane, u32 n)
{
    u64 half = lane & n / 2 ? v[1] : v[0];
    return half >> (128 / n * (lane & (n / 2 - 1)));
}
/** All bits of lane `lane` of `n`, no others. */
VM_INLINE v128 vec_lane_mask(u32 lane, u32 n)
{
    static const u8 ones[4][48] = {{[16] = 255, 255, 255, 255, 255, 255, 255, 255},
                                   {[16] = 255, 255, 255, 255},
                                   {[16] = 255, 255},
                                   {[16] = 255}};
    const u32 row = n == 2 ? 0 : n == 4 ? 1 : n == 8 ? 2 : 3;
    v128 mask;
    __builtin_memcpy(&mask, ones[row] + 16 - 16 / n * (lane & (n - 1)), sizeof mask);
    return mask;
}
VM_INLINE v128 vec_put_lane(v128 v, v128 splat, u32 lane, u32 n)
{
    v128 mask = vec_lane_mask(lane, n);
    return (v & ~mask) | (splat & mask);
}

VM_INLINE u32 sem_i8x16_extract_lane_s(v128 v, u32 lane) { return (u32)(i8)vec_lane(v, lane, 16); }
VM_INLINE u32 sem_i8x16_extract_lane_u(v128 v, u32 lane) { return (u8)vec_lane(v, lane, 16); }
VM_INLINE u32 sem_i16x8_extract_lane_s(v128 v, u32 lane) { return (u32)(i16)vec_lane(v, lane, 8); }
VM_INLINE u32 sem_i16x8_extract_lane_u(v128 v, u32 lane) { return (u16)vec_lane(v, lane, 8); }
VM_INLINE u32 sem_i32x4_extract_lane(v128 v, u32 lane) { return (u32)vec_lane(v, lane, 4); }
VM_INLINE u64 sem_i64x2_extract_lane(v128 v, u32 lane) { return lane ? v[1] : v[0]; }
VM_INLINE f32 sem_f32x4_extract_lane(v128 v, u32 lane)
{
    return vm_f32_from_bits((u32)vec_lane(v, lane, 4));
}
VM_INLINE f64 sem_f64x2_extract_lane(v128 v, u32 lane)
{
    return vm_f64_from_bits(lane ? v[1] : v[0]);
}

#define REPLACE(name, T, splat, n)                                                                 \
    VM_INLINE v128 sem_##name(v128 v, T a, u32 lane)                                               \
    {                                                                                              \
        return vec_put_lane(v, sem_##splat(a), lane, n);                                           \
    }
REPLACE(i8x16_replace_lane, u32, i8x16_splat, 16)
REPLACE(i16x8_replace_lane, u32, i16x8_splat, 8)
REPLACE(i32x4_replace_lane, u32, i32x4_splat, 4)
REPLACE(i64x2_replace_lane, u64, i64x2_splat, 2)
REPLACE(f32x4_replace_lane, f32, f32x4_splat, 4)
REPLACE(f64x2_replace_lane, f64, f64x2_splat, 2)

/* -------- from and to memory: of the integer that was loaded. spec vload-pack, vload-splat,
 * vload-zero, vload_lane, vstore_lane */

VM_INLINE v128 sem_v128_load32_zero(u32 a) { return (v128){a, 0}; }
VM_INLINE v128 sem_v128_load64_zero(u64 a) { return (v128){a, 0}; }
VM_INLINE v128 sem_v128_load8_splat(u32 a) { return sem_i8x16_splat(a); }
VM_INLINE v128 sem_v128_load16_splat(u32 a) { return sem_i16x8_splat(a); }
VM_INLINE v128 sem_v128_load32_splat(u32 a) { return sem_i32x4_splat(a); }
VM_INLINE v128 sem_v128_load64_splat(u64 a) { return sem_i64x2_splat(a); }

VM_INLINE v128 sem_v128_load8x8_s(u64 a)
{
    return sem_i16x8_extend_low_i8x16_s(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load8x8_u(u64 a)
{
    return sem_i16x8_extend_low_i8x16_u(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load16x4_s(u64 a)
{
    return sem_i32x4_extend_low_i16x8_s(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load16x4_u(u64 a)
{
    return sem_i32x4_extend_low_i16x8_u(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load32x2_s(u64 a)
{
    return sem_i64x2_extend_low_i32x4_s(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load32x2_u(u64 a)
{
    return sem_i64x2_extend_low_i32x4_u(sem_v128_load64_zero(a));
}
VM_INLINE v128 sem_v128_load8_lane(v128 v, u32 a, u32 lane)
{
    return sem_i8x16_replace_lane(v, a, lane);
}
VM_INLINE u32 sem_v128_store8_lane(v128 v, u32 lane) { return sem_i8x16_extract_lane_u(v, lane); }
VM_INLINE v128 sem_v128_load16_lane(v128 v, u32 a, u32 lane)
{
    return sem_i16x8_replace_lane(v, a, lane);
}
VM_INLINE u32 sem_v128_store16_lane(v128 v, u32 lane) { return sem_i16x8_extract_lane_u(v, lane); }
VM_INLINE v128 sem_v128_load32_lane(v128 v, u32 a, u32 lane)
{
    return sem_i32x4_replace_lane(v, a, lane);
}
VM_INLINE u32 sem_v128_store32_lane(v128 v, u32 lane) { return sem_i32x4_extract_lane(v, lane); }
VM_INLINE v128 sem_v128_load64_lane(v128 v, u64 a, u32 lane)
{
    return sem_i64x2_replace_lane(v, a, lane);
}
VM_INLINE u64 sem_v128_store64_lane(v128 v, u32 lane) { return sem_i64x2_extract_lane(v, lane); }
#endif
