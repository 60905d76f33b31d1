/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec_target.h for x86-64-v3 (AVX2 and all below it).
 */
#ifndef VM_SEM_VEC_X86_64_V3_H
#define VM_SEM_VEC_X86_64_V3_H

/* Compiles to nothing elsewhere. */
#if defined(__AVX2__)

#include "sem/vec_x86_64.h"

/* spec exec-vshuffle (lanes below 32), op-vswizzlop (0 from index 16 on) */
/* The byte shuffle answers 0 where bit 7 is set, else looks at the low four bits. */
VM_INLINE v128 sem_i8x16_shuffle(v128 a, v128 b, v128 lanes)
{
    __m128i in_a = _mm_add_epi8((__m128i)lanes, _mm_set1_epi8(0x70));
    __m128i in_b = _mm_sub_epi8((__m128i)lanes, _mm_set1_epi8(0x10));
    return (v128)_mm_shuffle_epi8((__m128i)a, in_a) | (v128)_mm_shuffle_epi8((__m128i)b, in_b);
}
/** A shuffle of one vector: lanes below 16. */
VM_INLINE v128 vm_v128_permute(v128 a, v128 lanes)
{
    return (v128)_mm_shuffle_epi8((__m128i)a, (__m128i)lanes);
}
VM_INLINE v128 sem_i8x16_swizzle(v128 a, v128 indices)
{
    __m128i at = _mm_adds_epu8((__m128i)indices, _mm_set1_epi8(0x70));
    return (v128)_mm_shuffle_epi8((__m128i)a, at);
}

/* spec op-ipopcnt: a table of 16 for each half of a byte */
VM_INLINE v128 sem_i8x16_popcnt(v128 a)
{
    __m128i ones = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    __m128i nibble = _mm_set1_epi8(0x0f);
    __m128i low = _mm_and_si128((__m128i)a, nibble);
    __m128i high = _mm_and_si128(_mm_srli_epi16((__m128i)a, 4), nibble);
    return (v128)_mm_add_epi8(_mm_shuffle_epi8(ones, low), _mm_shuffle_epi8(ones, high));
}

/* spec exec-vvtestop, exec-vtestop: 0 or 1 */
VM_INLINE u32 sem_v128_any_true(v128 a) { return !_mm_testz_si128((__m128i)a, (__m128i)a); }
VM_INLINE u32 sem_i8x16_all_true(v128 a)
{
    return !sem_v128_any_true((v128)_mm_cmpeq_epi8((__m128i)a, _mm_setzero_si128()));
}
VM_INLINE u32 sem_i16x8_all_true(v128 a)
{
    return !sem_v128_any_true((v128)_mm_cmpeq_epi16((__m128i)a, _mm_setzero_si128()));
}
VM_INLINE u32 sem_i32x4_all_true(v128 a)
{
    return !sem_v128_any_true((v128)_mm_cmpeq_epi32((__m128i)a, _mm_setzero_si128()));
}
VM_INLINE u32 sem_i64x2_all_true(v128 a)
{
    return !sem_v128_any_true((v128)_mm_cmpeq_epi64((__m128i)a, _mm_setzero_si128()));
}

/* spec op-narrow */
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    return (v128)_mm_packus_epi32((__m128i)a, (__m128i)b);
}

/* spec op-iq15mulr_sat_s: only -1 * -1 comes out as INT16_MIN, and should be INT16_MAX */
VM_INLINE v128 sem_i16x8_q15mulr_sat_s(v128 a, v128 b)
{
    __m128i r = _mm_mulhrs_epi16((__m128i)a, (__m128i)b);
    return (v128)_mm_xor_si128(r, _mm_cmpeq_epi16(r, _mm_set1_epi16(INT16_MIN)));
}

/* spec exec-vextunop: the instruction multiplies unsigned by signed bytes */
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_s(v128 a)
{
    return (v128)_mm_maddubs_epi16(_mm_set1_epi8(1), (__m128i)a);
}
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_u(v128 a)
{
    return (v128)_mm_maddubs_epi16((__m128i)a, _mm_set1_epi8(1));
}

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest */
VM_INLINE v128 sem_f32x4_ceil(v128 a)
{
    return (v128)_mm_round_ps((__m128)a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f32x4_floor(v128 a)
{
    return (v128)_mm_round_ps((__m128)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f32x4_trunc(v128 a)
{
    return (v128)_mm_round_ps((__m128)a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f32x4_nearest(v128 a)
{
    return (v128)_mm_round_ps((__m128)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f64x2_ceil(v128 a)
{
    return (v128)_mm_round_pd((__m128d)a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f64x2_floor(v128 a)
{
    return (v128)_mm_round_pd((__m128d)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f64x2_trunc(v128 a)
{
    return (v128)_mm_round_pd((__m128d)a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
VM_INLINE v128 sem_f64x2_nearest(v128 a)
{
    return (v128)_mm_round_pd((__m128d)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* spec op-trunc_sat_u: the magic number 2^52 leaves the integer in the low bits */
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_u_zero(v128 a)
{
    __m128d x = _mm_max_pd((__m128d)a, _mm_setzero_pd()); /* NaN: the second */
    x = (__m128d)sem_f64x2_trunc((v128)_mm_min_pd(x, _mm_set1_pd(4294967295.0)));
    x = _mm_add_pd(x, _mm_set1_pd(0x1p52));
    return (v128)_mm_shuffle_ps((__m128)x, _mm_setzero_ps(), 0x88);
}

#endif
#endif
