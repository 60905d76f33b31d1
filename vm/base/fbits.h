/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit patterns of floats and rounding to whole numbers. Moves here never change a bit: NaN payloads
 * and the signalling bit survive. No instruction semantics (sem/float.h).
 */
#ifndef VM_BASE_FBITS_H
#define VM_BASE_FBITS_H

#include "base/port.h"

#include <string.h>

#define VM_F32_SIGN 0x80000000u
#define VM_F32_QUIET 0x00400000u
#define VM_F32_INF 0x7f800000u
#define VM_F32_NAN 0x7fc00000u /* the positive canonical NaN */
#define VM_F64_SIGN 0x8000000000000000u
#define VM_F64_QUIET 0x0008000000000000u
#define VM_F64_INF 0x7ff0000000000000u
#define VM_F64_NAN 0x7ff8000000000000u

static inline u32 vm_f32_bits(f32 x)
{
    u32 bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline u64 vm_f64_bits(f64 x)
{
    u64 bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline f32 vm_f32_from_bits(u32 bits)
{
    f32 x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static inline f64 vm_f64_from_bits(u64 bits)
{
    f64 x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/** Magnitude, with `sign`'s sign bit. */
static inline f32 vm_f32_copysign(f32 x, f32 sign)
{
    return vm_f32_from_bits((vm_f32_bits(x) & ~VM_F32_SIGN) | (vm_f32_bits(sign) & VM_F32_SIGN));
}
static inline f64 vm_f64_copysign(f64 x, f64 sign)
{
    return vm_f64_from_bits((vm_f64_bits(x) & ~VM_F64_SIGN) | (vm_f64_bits(sign) & VM_F64_SIGN));
}

static inline bool vm_f32_is_nan(f32 x) { return x != x; }
static inline bool vm_f64_is_nan(f64 x) { return x != x; }

/** The same NaN made quiet. Only for NaNs. */
static inline f32 vm_f32_quiet(f32 nan)
{
    return vm_f32_from_bits(vm_f32_bits(nan) | VM_F32_QUIET);
}
static inline f64 vm_f64_quiet(f64 nan)
{
    return vm_f64_from_bits(vm_f64_bits(nan) | VM_F64_QUIET);
}

/*
 * Rounding to a whole number; the sign of zero is x's, a NaN comes out quiet. One instruction where
 * the target has it; otherwise arithmetic, since a call of the C library would give every handler a
 * stack frame: from 2^23 (2^52) on all floats are whole, and below they fit an i32 (i64).
 */
#if defined(__SSE4_1__) || defined(__aarch64__)

static inline f32 vm_f32_ceil(f32 x) { return __builtin_ceilf(x); }
static inline f32 vm_f32_floor(f32 x) { return __builtin_floorf(x); }
static inline f32 vm_f32_trunc(f32 x) { return __builtin_truncf(x); }
static inline f32 vm_f32_nearest(f32 x) { return __builtin_rintf(x); }
static inline f64 vm_f64_ceil(f64 x) { return __builtin_ceil(x); }
static inline f64 vm_f64_floor(f64 x) { return __builtin_floor(x); }
static inline f64 vm_f64_trunc(f64 x) { return __builtin_trunc(x); }
static inline f64 vm_f64_nearest(f64 x) { return __builtin_rint(x); }

#else

#define VM_F32_WHOLE 0x1p23f
#define VM_F64_WHOLE 0x1p52

/* True when x has no fraction to lose: large, infinite or NaN. */
static inline bool vm_f32_is_whole(f32 x) { return !(vm_f32_copysign(x, 1.0f) < VM_F32_WHOLE); }
static inline bool vm_f64_is_whole(f64 x) { return !(vm_f64_copysign(x, 1.0) < VM_F64_WHOLE); }
/* x itself, quiet when a NaN. */
static inline f32 vm_f32_same(f32 x) { return vm_f32_is_nan(x) ? vm_f32_quiet(x) : x; }
static inline f64 vm_f64_same(f64 x) { return vm_f64_is_nan(x) ? vm_f64_quiet(x) : x; }

static inline f32 vm_f32_ceil(f32 x)
{
    if (VM_UNLIKELY(vm_f32_is_whole(x))) return vm_f32_same(x);
    f32 t = (f32)(i32)x;
    return vm_f32_copysign(t < x ? t + 1.0f : t, x);
}
static inline f32 vm_f32_floor(f32 x)
{
    if (VM_UNLIKELY(vm_f32_is_whole(x))) return vm_f32_same(x);
    f32 t = (f32)(i32)x;
    return vm_f32_copysign(t > x ? t - 1.0f : t, x);
}
static inline f32 vm_f32_trunc(f32 x)
{
    if (VM_UNLIKELY(vm_f32_is_whole(x))) return vm_f32_same(x);
    return vm_f32_copysign((f32)(i32)x, x);
}
static inline f32 vm_f32_nearest(f32 x)
{
    if (VM_UNLIKELY(vm_f32_is_whole(x))) return vm_f32_same(x);
    /* The sum has no fraction bits left: the addition itself rounds half to even. */
    f32 big = vm_f32_copysign(VM_F32_WHOLE, x);
    return vm_f32_copysign((x + big) - big, x);
}

static inline f64 vm_f64_ceil(f64 x)
{
    if (VM_UNLIKELY(vm_f64_is_whole(x))) return vm_f64_same(x);
    f64 t = (f64)(i64)x;
    return vm_f64_copysign(t < x ? t + 1.0 : t, x);
}
static inline f64 vm_f64_floor(f64 x)
{
    if (VM_UNLIKELY(vm_f64_is_whole(x))) return vm_f64_same(x);
    f64 t = (f64)(i64)x;
    return vm_f64_copysign(t > x ? t - 1.0 : t, x);
}
static inline f64 vm_f64_trunc(f64 x)
{
    if (VM_UNLIKELY(vm_f64_is_whole(x))) return vm_f64_same(x);
    return vm_f64_copysign((f64)(i64)x, x);
}
static inline f64 vm_f64_nearest(f64 x)
{
    if (VM_UNLIKELY(vm_f64_is_whole(x))) return vm_f64_same(x);
    f64 big = vm_f64_copysign(VM_F64_WHOLE, x);
    return vm_f64_copysign((x + big) - big, x);
}

#endif

#endif
