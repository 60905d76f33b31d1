/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec_target.h for x86-64 with SSE2 only.
 */
#ifndef VM_SEM_VEC_X86_64_V1_H
#define VM_SEM_VEC_X86_64_V1_H

/* Compiles to nothing elsewhere. */
#if defined(__x86_64__)

#include "sem/vec_soft.h"
#include "sem/vec_x86_64.h"

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

/* spec exec-vvtestop, exec-vtestop: 0 or 1 */
VM_INLINE u32 sem_v128_any_true(v128 a)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi8((__m128i)a, _mm_setzero_si128())) != 0xffff;
}
VM_INLINE u32 sem_i8x16_all_true(v128 a)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi8((__m128i)a, _mm_setzero_si128())) == 0;
}
VM_INLINE u32 sem_i16x8_all_true(v128 a)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi16((__m128i)a, _mm_setzero_si128())) == 0;
}
VM_INLINE u32 sem_i32x4_all_true(v128 a)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi32((__m128i)a, _mm_setzero_si128())) == 0;
}
VM_INLINE u32 sem_i64x2_all_true(v128 a) { return (a[0] != 0) & (a[1] != 0); }

/* spec op-narrow: the signed pack, with 0 moved to the least integer */
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    v128 low = sem_i32x4_sub(a & ~sem_i32x4_shr_s(a, 31), (v128)_mm_set1_epi32(0x8000));
    v128 high = sem_i32x4_sub(b & ~sem_i32x4_shr_s(b, 31), (v128)_mm_set1_epi32(0x8000));
    return (v128)_mm_packs_epi32((__m128i)low, (__m128i)high) ^ (v128)_mm_set1_epi16(INT16_MIN);
}

/* spec op-iq15mulr_sat_s: (a * b + 2^14) / 2^15, in 32 bits */
VM_INLINE v128 sem_i16x8_q15mulr_sat_s(v128 a, v128 b)
{
    __m128i low = _mm_mullo_epi16((__m128i)a, (__m128i)b);
    __m128i high = _mm_mulhi_epi16((__m128i)a, (__m128i)b);
    __m128i half = _mm_set1_epi32(1 << 14);
    __m128i first = _mm_add_epi32(_mm_unpacklo_epi16(low, high), half);
    __m128i last = _mm_add_epi32(_mm_unpackhi_epi16(low, high), half);
    return (v128)_mm_packs_epi32(_mm_srai_epi32(first, 15), _mm_srai_epi32(last, 15));
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

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest */
VM_INLINE v128 sem_f32x4_ceil(v128 a) { return vm_v128_f32x4_ceil(a); }
VM_INLINE v128 sem_f32x4_floor(v128 a) { return vm_v128_f32x4_floor(a); }
VM_INLINE v128 sem_f32x4_trunc(v128 a) { return vm_v128_f32x4_trunc(a); }
VM_INLINE v128 sem_f32x4_nearest(v128 a) { return vm_v128_f32x4_nearest(a); }
VM_INLINE v128 sem_f64x2_ceil(v128 a) { return vm_v128_f64x2_ceil(a); }
VM_INLINE v128 sem_f64x2_floor(v128 a) { return vm_v128_f64x2_floor(a); }
VM_INLINE v128 sem_f64x2_trunc(v128 a) { return vm_v128_f64x2_trunc(a); }
VM_INLINE v128 sem_f64x2_nearest(v128 a) { return vm_v128_f64x2_nearest(a); }

/* spec op-trunc_sat_u: the magic number 2^52 leaves the integer in the low bits */
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_u_zero(v128 a)
{
    __m128d x = _mm_max_pd((__m128d)a, _mm_setzero_pd()); /* NaN: the second */
    x = (__m128d)vm_v128_f64x2_trunc((v128)_mm_min_pd(x, _mm_set1_pd(4294967295.0)));
    x = _mm_add_pd(x, _mm_set1_pd(0x1p52));
    return (v128)_mm_shuffle_ps((__m128)x, _mm_setzero_ps(), 0x88);
}

#endif
#endif
