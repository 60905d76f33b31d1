/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec_target.h for x86-64: what SSE2 does best. The rest is in vec_x86_64_v1.h or vec_x86_64_v3.h.
 */
#ifndef VM_SEM_VEC_X86_64_H
#define VM_SEM_VEC_X86_64_H

/* Compiles to nothing elsewhere. */
#if defined(__x86_64__)

#include "sem/vec_int.h"

#include <immintrin.h>

/* spec op-ishr_s: bytes in the upper half of 16 bits, which the pack never has to saturate */
VM_INLINE v128 sem_i8x16_shr_s(v128 a, u32 n)
{
    __m128i distance = _mm_cvtsi32_si128((int)(8 + (n & 7)));
    __m128i low = _mm_sra_epi16(_mm_unpacklo_epi8((__m128i)a, (__m128i)a), distance);
    __m128i high = _mm_sra_epi16(_mm_unpackhi_epi8((__m128i)a, (__m128i)a), distance);
    return (v128)_mm_packs_epi16(low, high);
}

/* spec exec-vbitmask: the sign bits, lane 0's lowest */
VM_INLINE u32 sem_i8x16_bitmask(v128 a) { return (u32)_mm_movemask_epi8((__m128i)a); }
VM_INLINE u32 sem_i16x8_bitmask(v128 a)
{
    return (u32)_mm_movemask_epi8(_mm_packs_epi16((__m128i)a, _mm_setzero_si128()));
}
VM_INLINE u32 sem_i32x4_bitmask(v128 a) { return (u32)_mm_movemask_ps((__m128)a); }
VM_INLINE u32 sem_i64x2_bitmask(v128 a) { return (u32)_mm_movemask_pd((__m128d)a); }

/* spec op-narrow: both operands signed, saturating; a's lanes come first */
VM_INLINE v128 sem_i8x16_narrow_i16x8_s(v128 a, v128 b)
{
    return (v128)_mm_packs_epi16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i8x16_narrow_i16x8_u(v128 a, v128 b)
{
    return (v128)_mm_packus_epi16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_s(v128 a, v128 b)
{
    return (v128)_mm_packs_epi32((__m128i)a, (__m128i)b);
}

/* spec op-iadd_sat, op-isub_sat, op-iavgr_u, op-dot */
VM_INLINE v128 sem_i8x16_add_sat_s(v128 a, v128 b)
{
    return (v128)_mm_adds_epi8((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i8x16_add_sat_u(v128 a, v128 b)
{
    return (v128)_mm_adds_epu8((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i8x16_sub_sat_s(v128 a, v128 b)
{
    return (v128)_mm_subs_epi8((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i8x16_sub_sat_u(v128 a, v128 b)
{
    return (v128)_mm_subs_epu8((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_add_sat_s(v128 a, v128 b)
{
    return (v128)_mm_adds_epi16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_add_sat_u(v128 a, v128 b)
{
    return (v128)_mm_adds_epu16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_sub_sat_s(v128 a, v128 b)
{
    return (v128)_mm_subs_epi16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_sub_sat_u(v128 a, v128 b)
{
    return (v128)_mm_subs_epu16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i8x16_avgr_u(v128 a, v128 b)
{
    return (v128)_mm_avg_epu8((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i16x8_avgr_u(v128 a, v128 b)
{
    return (v128)_mm_avg_epu16((__m128i)a, (__m128i)b);
}
VM_INLINE v128 sem_i32x4_dot_i16x8_s(v128 a, v128 b)
{
    return (v128)_mm_madd_epi16((__m128i)a, (__m128i)b);
}

/* spec exec-vextunop: the sums of neighbours, exact */
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_s(v128 a)
{
    return (v128)_mm_madd_epi16((__m128i)a, _mm_set1_epi16(1));
}
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_u(v128 a)
{
    return sem_i32x4_add(sem_i32x4_shr_u(sem_i32x4_shl(a, 16), 16), sem_i32x4_shr_u(a, 16));
}

/* spec op-fsqrt */
VM_INLINE v128 sem_f32x4_sqrt(v128 a) { return (v128)_mm_sqrt_ps((__m128)a); }
VM_INLINE v128 sem_f64x2_sqrt(v128 a) { return (v128)_mm_sqrt_pd((__m128d)a); }

/*
 * spec op-fmin, op-fmax. The instruction answers its second operand for a NaN and for equal zeros;
 * both orders together hold what is wanted of zeros, and lanes with a NaN become the canonical one.
 */
VM_INLINE v128 vm_v128_f32x4_with_nan(v128 r, v128 a, v128 b)
{
    v128 nan = (v128)_mm_cmpunord_ps((__m128)a, (__m128)b);
    return (r | nan) & ~(v128)_mm_srli_epi32((__m128i)nan, 10);
}
VM_INLINE v128 sem_f32x4_min(v128 a, v128 b)
{
    v128 r = (v128)_mm_min_ps((__m128)a, (__m128)b) | (v128)_mm_min_ps((__m128)b, (__m128)a);
    return vm_v128_f32x4_with_nan(r, a, b);
}
VM_INLINE v128 sem_f32x4_max(v128 a, v128 b)
{
    v128 r = (v128)_mm_max_ps((__m128)a, (__m128)b) & (v128)_mm_max_ps((__m128)b, (__m128)a);
    return vm_v128_f32x4_with_nan(r, a, b);
}
VM_INLINE v128 vm_v128_f64x2_with_nan(v128 r, v128 a, v128 b)
{
    v128 nan = (v128)_mm_cmpunord_pd((__m128d)a, (__m128d)b);
    return (r | nan) & ~(v128)_mm_srli_epi64((__m128i)nan, 13);
}
VM_INLINE v128 sem_f64x2_min(v128 a, v128 b)
{
    v128 r = (v128)_mm_min_pd((__m128d)a, (__m128d)b) | (v128)_mm_min_pd((__m128d)b, (__m128d)a);
    return vm_v128_f64x2_with_nan(r, a, b);
}
VM_INLINE v128 sem_f64x2_max(v128 a, v128 b)
{
    v128 r = (v128)_mm_max_pd((__m128d)a, (__m128d)b) & (v128)_mm_max_pd((__m128d)b, (__m128d)a);
    return vm_v128_f64x2_with_nan(r, a, b);
}
/* spec op-fpmin, op-fpmax: b where it is less (greater), else a */
VM_INLINE v128 sem_f32x4_pmin(v128 a, v128 b) { return (v128)_mm_min_ps((__m128)b, (__m128)a); }
VM_INLINE v128 sem_f32x4_pmax(v128 a, v128 b) { return (v128)_mm_max_ps((__m128)b, (__m128)a); }
VM_INLINE v128 sem_f64x2_pmin(v128 a, v128 b) { return (v128)_mm_min_pd((__m128d)b, (__m128d)a); }
VM_INLINE v128 sem_f64x2_pmax(v128 a, v128 b) { return (v128)_mm_max_pd((__m128d)b, (__m128d)a); }

/* spec op-trunc_sat_s: the instruction answers INT32_MIN for what does not fit; NaN becomes 0 first
 */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_s(v128 a)
{
    __m128 x = (__m128)(a & (v128)_mm_cmpord_ps((__m128)a, (__m128)a));
    v128 over = (v128)_mm_cmpge_ps(x, _mm_set1_ps(0x1p31f));
    return (v128)_mm_cvttps_epi32(x) ^ over;
}
/* spec op-trunc_sat_u: from 2^31 on the upper half is converted less 2^31, from 2^32 on all ones */
VM_INLINE v128 sem_i32x4_trunc_sat_f32x4_u(v128 a)
{
    __m128 x = _mm_max_ps((__m128)a, _mm_setzero_ps()); /* NaN: the second */
    __m128 upper = _mm_cmpge_ps(x, _mm_set1_ps(0x1p31f));
    v128 over = (v128)_mm_cmpge_ps(x, _mm_set1_ps(0x1p32f));
    __m128 rest = _mm_sub_ps(x, _mm_and_ps(upper, _mm_set1_ps(0x1p31f)));
    v128 whole = (v128)_mm_cvttps_epi32(rest);
    return (whole ^ (v128)_mm_slli_epi32((__m128i)upper, 31)) | over;
}
VM_INLINE v128 sem_i32x4_trunc_sat_f64x2_s_zero(v128 a)
{
    __m128d x = (__m128d)(a & (v128)_mm_cmpord_pd((__m128d)a, (__m128d)a));
    return (v128)_mm_cvttpd_epi32(_mm_min_pd(x, _mm_set1_pd(2147483647.0)));
}

/* spec op-demote, op-promote: the conversion makes NaNs quiet */
VM_INLINE v128 sem_f32x4_demote_f64x2_zero(v128 a) { return (v128)_mm_cvtpd_ps((__m128d)a); }
VM_INLINE v128 sem_f64x2_promote_low_f32x4(v128 a) { return (v128)_mm_cvtps_pd((__m128)a); }

#endif
#endif
