/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the float instructions, one pure function each, named after the mnemonic. Needs
 * -ffp-contract=off and round-to-nearest. A NaN result of arithmetic is quiet: the hardware's.
 * abs, neg and copysign only touch the sign bit. No conversions (convert.h).
 */
#ifndef VM_SEM_FLOAT_H
#define VM_SEM_FLOAT_H

#include "base/fbits.h"

/* -------- f32. spec exec-numeric; funop, fbinop, frelop */

/* spec op-fabs, op-fneg, op-fcopysign */
static inline f32 sem_f32_abs(f32 a) { return vm_f32_from_bits(vm_f32_bits(a) & ~VM_F32_SIGN); }
static inline f32 sem_f32_neg(f32 a) { return vm_f32_from_bits(vm_f32_bits(a) ^ VM_F32_SIGN); }
static inline f32 sem_f32_copysign(f32 a, f32 b) { return vm_f32_copysign(a, b); }

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest (half to even), op-fsqrt */
static inline f32 sem_f32_ceil(f32 a) { return vm_f32_ceil(a); }
static inline f32 sem_f32_floor(f32 a) { return vm_f32_floor(a); }
static inline f32 sem_f32_trunc(f32 a) { return vm_f32_trunc(a); }
static inline f32 sem_f32_nearest(f32 a) { return vm_f32_nearest(a); }
static inline f32 sem_f32_sqrt(f32 a) { return __builtin_sqrtf(a); }

/* spec op-fadd, op-fsub, op-fmul, op-fdiv */
static inline f32 sem_f32_add(f32 a, f32 b) { return a + b; }
static inline f32 sem_f32_sub(f32 a, f32 b) { return a - b; }
static inline f32 sem_f32_mul(f32 a, f32 b) { return a * b; }
static inline f32 sem_f32_div(f32 a, f32 b) { return a / b; }

/* spec op-fmin: a NaN wins; -0 is below +0, and equal values differ in the sign bit at most */
static inline f32 sem_f32_min(f32 a, f32 b)
{
    if (VM_UNLIKELY(vm_f32_is_nan(a) || vm_f32_is_nan(b))) return a + b;
    if (a == b) return vm_f32_from_bits(vm_f32_bits(a) | vm_f32_bits(b));
    return a < b ? a : b;
}

/* spec op-fmax: a NaN wins; +0 is above -0 */
static inline f32 sem_f32_max(f32 a, f32 b)
{
    if (VM_UNLIKELY(vm_f32_is_nan(a) || vm_f32_is_nan(b))) return a + b;
    if (a == b) return vm_f32_from_bits(vm_f32_bits(a) & vm_f32_bits(b));
    return a > b ? a : b;
}

/* spec op-feq, op-fne, op-flt …: 0 or 1; with a NaN only ne holds */
static inline u32 sem_f32_eq(f32 a, f32 b) { return a == b; }
static inline u32 sem_f32_ne(f32 a, f32 b) { return a != b; }
static inline u32 sem_f32_lt(f32 a, f32 b) { return a < b; }
static inline u32 sem_f32_gt(f32 a, f32 b) { return a > b; }
static inline u32 sem_f32_le(f32 a, f32 b) { return a <= b; }
static inline u32 sem_f32_ge(f32 a, f32 b) { return a >= b; }

/* -------- f64. spec exec-numeric; funop, fbinop, frelop */

/* spec op-fabs, op-fneg, op-fcopysign */
static inline f64 sem_f64_abs(f64 a) { return vm_f64_from_bits(vm_f64_bits(a) & ~VM_F64_SIGN); }
static inline f64 sem_f64_neg(f64 a) { return vm_f64_from_bits(vm_f64_bits(a) ^ VM_F64_SIGN); }
static inline f64 sem_f64_copysign(f64 a, f64 b) { return vm_f64_copysign(a, b); }

/* spec op-fceil, op-ffloor, op-ftrunc, op-fnearest (half to even), op-fsqrt */
static inline f64 sem_f64_ceil(f64 a) { return vm_f64_ceil(a); }
static inline f64 sem_f64_floor(f64 a) { return vm_f64_floor(a); }
static inline f64 sem_f64_trunc(f64 a) { return vm_f64_trunc(a); }
static inline f64 sem_f64_nearest(f64 a) { return vm_f64_nearest(a); }
static inline f64 sem_f64_sqrt(f64 a) { return __builtin_sqrt(a); }

/* spec op-fadd, op-fsub, op-fmul, op-fdiv */
static inline f64 sem_f64_add(f64 a, f64 b) { return a + b; }
static inline f64 sem_f64_sub(f64 a, f64 b) { return a - b; }
static inline f64 sem_f64_mul(f64 a, f64 b) { return a * b; }
static inline f64 sem_f64_div(f64 a, f64 b) { return a / b; }

/* spec op-fmin: a NaN wins; -0 is below +0, and equal values differ in the sign bit at most */
static inline f64 sem_f64_min(f64 a, f64 b)
{
    if (VM_UNLIKELY(vm_f64_is_nan(a) || vm_f64_is_nan(b))) return a + b;
    if (a == b) return vm_f64_from_bits(vm_f64_bits(a) | vm_f64_bits(b));
    return a < b ? a : b;
}

/* spec op-fmax: a NaN wins; +0 is above -0 */
static inline f64 sem_f64_max(f64 a, f64 b)
{
    if (VM_UNLIKELY(vm_f64_is_nan(a) || vm_f64_is_nan(b))) return a + b;
    if (a == b) return vm_f64_from_bits(vm_f64_bits(a) & vm_f64_bits(b));
    return a > b ? a : b;
}

/* spec op-feq, op-fne, op-flt …: 0 or 1; with a NaN only ne holds */
static inline u32 sem_f64_eq(f64 a, f64 b) { return a == b; }
static inline u32 sem_f64_ne(f64 a, f64 b) { return a != b; }
static inline u32 sem_f64_lt(f64 a, f64 b) { return a < b; }
static inline u32 sem_f64_gt(f64 a, f64 b) { return a > b; }
static inline u32 sem_f64_le(f64 a, f64 b) { return a <= b; }
static inline u32 sem_f64_ge(f64 a, f64 b) { return a >= b; }

#endif
