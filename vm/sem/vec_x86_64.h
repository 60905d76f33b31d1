/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions for which x86-64 has better than what compilers make of loops. Compiled for
 * the baseline (SSE2) and for x86-64-v3, so functions are chosen by what the compiler may use.
 */
#ifndef VM_SEM_VEC_X86_64_H
#define VM_SEM_VEC_X86_64_H

#if defined(__x86_64__)

#include "sem/vec_plain.h"

#include <immintrin.h>

#define VEC_I(v) ((__m128i)(v))
#define VEC_PS(v) ((__m128)(v))
#define VEC_PD(v) ((__m128d)(v))

VM_INLINE u32 sem_i8x16_bitmask(v128 v) { return (u32)_mm_movemask_epi8(VEC_I(v)); }
VM_INLINE u32 sem_i16x8_bitmask(v128 v)
{
    return (u32)_mm_movemask_epi8(_mm_packs_epi16(VEC_I(v), _mm_setzero_si128()));
}
VM_INLINE u32 sem_i32x4_bitmask(v128 v) { return (u32)_mm_movemask_ps(VEC_PS(v)); }
VM_INLINE u32 sem_i64x2_bitmask(v128 v) { return (u32)_mm_movemask_pd(VEC_PD(v)); }

VM_INLINE v128 sem_i8x16_add_sat_u(v128 a, v128 b)
{
    return (v128)_mm_adds_epu8(VEC_I(a), VEC_I(b));
}
VM_INLINE v128 sem_i8x16_sub_sat_u(v128 a, v128 b)
{
    return (v128)_mm_subs_epu8(VEC_I(a), VEC_I(b));
}
VM_INLINE v128 sem_i16x8_add_sat_u(v128 a, v128 b)
{
    return (v128)_mm_adds_epu16(VEC_I(a), VEC_I(b));
}
VM_INLINE v128 sem_i16x8_sub_sat_u(v128 a, v128 b)
{
    return (v128)_mm_subs_epu16(VEC_I(a), VEC_I(b));
}

#if defined(__SSSE3__)
/* A lane number of 16 and more becomes one with the highest bit set, which selects 0. */
VM_INLINE v128 sem_i8x16_swizzle(v128 v, v128 lanes)
{
    return (v128)_mm_shuffle_epi8(VEC_I(v), _mm_adds_epu8(VEC_I(lanes), _mm_set1_epi8(0x70)));
}
VM_INLINE v128 sem_i8x16_shuffle(v128 a, v128 b, v128 lanes)
{
    __m128i low = _mm_add_epi8(VEC_I(lanes), _mm_set1_epi8(0x70));
    __m128i high = _mm_sub_epi8(VEC_I(lanes), _mm_set1_epi8(16));
    return (v128)_mm_or_si128(_mm_shuffle_epi8(VEC_I(a), low), _mm_shuffle_epi8(VEC_I(b), high));
}
/* Only -1 * -1 is out of range: what would be 1 comes as -1. */
VM_INLINE v128 sem_i16x8_q15mulr_sat_s(v128 a, v128 b)
{
    __m128i product = _mm_mulhrs_epi16(VEC_I(a), VEC_I(b));
    return (v128)_mm_xor_si128(product, _mm_cmpeq_epi16(product, _mm_set1_epi16(INT16_MIN)));
}
#else
#define sem_i8x16_swizzle sem_plain_i8x16_swizzle
#define sem_i8x16_shuffle sem_plain_i8x16_shuffle
#define sem_i16x8_q15mulr_sat_s sem_plain_i16x8_q15mulr_sat_s
#endif

#if defined(__SSE4_1__)
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 a, v128 b)
{
    return (v128)_mm_packus_epi32(VEC_I(a), VEC_I(b));
}
#define ROUND(name, how)                                                                           \
    VM_INLINE v128 sem_f32x4_##name(v128 a)                                                        \
    {                                                                                              \
        return (v128)_mm_round_ps(VEC_PS(a), how | _MM_FROUND_NO_EXC);                             \
    }                                                                                              \
    VM_INLINE v128 sem_f64x2_##name(v128 a)                                                        \
    {                                                                                              \
        return (v128)_mm_round_pd(VEC_PD(a), how | _MM_FROUND_NO_EXC);                             \
    }
ROUND(ceil, _MM_FROUND_TO_POS_INF)
ROUND(floor, _MM_FROUND_TO_NEG_INF)
ROUND(trunc, _MM_FROUND_TO_ZERO)
ROUND(nearest, _MM_FROUND_TO_NEAREST_INT)
#undef ROUND
#else
#define sem_i16x8_narrow_i32x4_u sem_plain_i16x8_narrow_i32x4_u
#define sem_f32x4_ceil sem_plain_f32x4_ceil
#define sem_f32x4_floor sem_plain_f32x4_floor
#define sem_f32x4_trunc sem_plain_f32x4_trunc
#define sem_f32x4_nearest sem_plain_f32x4_nearest
#define sem_f64x2_ceil sem_plain_f64x2_ceil
#define sem_f64x2_floor sem_plain_f64x2_floor
#define sem_f64x2_trunc sem_plain_f64x2_trunc
#define sem_f64x2_nearest sem_plain_f64x2_nearest
#endif

/*
 * spec op-fmin, op-fmax. minps answers its second operand when they are equal or one is NaN: both
 * orders together have the sign of either zero. NaN lanes take what an addition makes of them.
 */
#define MINMAX(name, suffix, V, join)                                                              \
    VM_INLINE v128 sem_##name(v128 a, v128 b)                                                      \
    {                                                                                              \
        v128 nan = (v128)_mm_cmpunord_##suffix(V(a), V(b));                                        \
        v128 sum = (v128)_mm_add_##suffix(V(a), V(b));                                             \
        v128 both = join(V(a), V(b));                                                              \
        return (both & ~nan) | (sum & nan);                                                        \
    }
#define MIN_PS(a, b) ((v128)_mm_or_ps(_mm_min_ps(a, b), _mm_min_ps(b, a)))
#define MIN_PD(a, b) ((v128)_mm_or_pd(_mm_min_pd(a, b), _mm_min_pd(b, a)))
#define MAX_PS(a, b) ((v128)_mm_and_ps(_mm_max_ps(a, b), _mm_max_ps(b, a)))
#define MAX_PD(a, b) ((v128)_mm_and_pd(_mm_max_pd(a, b), _mm_max_pd(b, a)))
MINMAX(f32x4_min, ps, VEC_PS, MIN_PS)
MINMAX(f32x4_max, ps, VEC_PS, MAX_PS)
MINMAX(f64x2_min, pd, VEC_PD, MIN_PD)
MINMAX(f64x2_max, pd, VEC_PD, MAX_PD)
#undef MINMAX
#undef MIN_PS
#undef MIN_PD
#undef MAX_PS
#undef MAX_PD

/* spec op-trunc_sat. cvttps answers 0x80000000 for what does not fit: right for the lowest, one
 * less than that for the highest; NaN is made 0 before. */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_s(v128 v)
{
    __m128 a = _mm_and_ps(VEC_PS(v), _mm_cmpord_ps(VEC_PS(v), VEC_PS(v)));
    __m128i high = _mm_castps_si128(_mm_cmpge_ps(a, _mm_set1_ps(0x1p31f)));
    return (v128)_mm_xor_si128(_mm_cvttps_epi32(a), high);
}
/* What is 2^31 and more in two parts: that, which cvttps answers by itself, and the rest. */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_u(v128 v)
{
    const __m128 half = _mm_set1_ps(0x1p31f);
    __m128 a = _mm_max_ps(VEC_PS(v), _mm_setzero_ps()), rest = _mm_sub_ps(a, half);
    __m128i high = _mm_castps_si128(_mm_cmpge_ps(a, half));
    __m128i over = _mm_castps_si128(_mm_cmpge_ps(rest, half));
    __m128i more = _mm_and_si128(_mm_xor_si128(_mm_cvttps_epi32(rest), over), high);
    return (v128)_mm_add_epi32(_mm_cvttps_epi32(a), more);
}
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_s_zero(v128 v)
{
    __m128d a = _mm_and_pd(VEC_PD(v), _mm_cmpord_pd(VEC_PD(v), VEC_PD(v)));
    return (v128)_mm_cvttpd_epi32(_mm_min_pd(a, _mm_set1_pd(0x7fffffff)));
}
#define sem_i32x4_trunc_sat_f64x2_u_zero sem_plain_i32x4_trunc_sat_f64x2_u_zero

#endif /* __x86_64__ */
#endif
