/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the vector instructions on float lanes that C says well on every target, one pure
 * function each, named after the mnemonic. Needs -ffp-contract=off and round-to-nearest. A NaN
 * result of arithmetic is the hardware's. Rounding, square roots, min and max, and conversions to
 * integers are in vec_target.h.
 */
#ifndef VM_SEM_VEC_FLOAT_H
#define VM_SEM_VEC_FLOAT_H

#include "base/fbits.h"
#include "sem/vec_types.h"

/* -------- f32x4 */

/* spec op-fabs, op-fneg: only the sign bit, also of NaNs */
VM_INLINE v128 sem_f32x4_abs(v128 a) { return (v128)((u32x4)a & ~VM_F32_SIGN); }
VM_INLINE v128 sem_f32x4_neg(v128 a) { return (v128)(-(f32x4)a); }
/* spec op-fadd, op-fsub, op-fmul, op-fdiv */
VM_INLINE v128 sem_f32x4_add(v128 a, v128 b) { return (v128)((f32x4)a + (f32x4)b); }
VM_INLINE v128 sem_f32x4_sub(v128 a, v128 b) { return (v128)((f32x4)a - (f32x4)b); }
VM_INLINE v128 sem_f32x4_mul(v128 a, v128 b) { return (v128)((f32x4)a * (f32x4)b); }
VM_INLINE v128 sem_f32x4_div(v128 a, v128 b) { return (v128)((f32x4)a / (f32x4)b); }
/* spec op-feq, op-fne, op-flt …: all ones or zero; with a NaN only ne holds */
VM_INLINE v128 sem_f32x4_eq(v128 a, v128 b) { return (v128)((f32x4)a == (f32x4)b); }
VM_INLINE v128 sem_f32x4_ne(v128 a, v128 b) { return (v128)((f32x4)a != (f32x4)b); }
VM_INLINE v128 sem_f32x4_lt(v128 a, v128 b) { return (v128)((f32x4)a < (f32x4)b); }
VM_INLINE v128 sem_f32x4_gt(v128 a, v128 b) { return (v128)((f32x4)a > (f32x4)b); }
VM_INLINE v128 sem_f32x4_le(v128 a, v128 b) { return (v128)((f32x4)a <= (f32x4)b); }
VM_INLINE v128 sem_f32x4_ge(v128 a, v128 b) { return (v128)((f32x4)a >= (f32x4)b); }

/* -------- f64x2 */

/* spec op-fabs, op-fneg: only the sign bit, also of NaNs */
VM_INLINE v128 sem_f64x2_abs(v128 a) { return (v128)((u64x2)a & ~VM_F64_SIGN); }
VM_INLINE v128 sem_f64x2_neg(v128 a) { return (v128)(-(f64x2)a); }
/* spec op-fadd, op-fsub, op-fmul, op-fdiv */
VM_INLINE v128 sem_f64x2_add(v128 a, v128 b) { return (v128)((f64x2)a + (f64x2)b); }
VM_INLINE v128 sem_f64x2_sub(v128 a, v128 b) { return (v128)((f64x2)a - (f64x2)b); }
VM_INLINE v128 sem_f64x2_mul(v128 a, v128 b) { return (v128)((f64x2)a * (f64x2)b); }
VM_INLINE v128 sem_f64x2_div(v128 a, v128 b) { return (v128)((f64x2)a / (f64x2)b); }
/* spec op-feq, op-fne, op-flt …: all ones or zero; with a NaN only ne holds */
VM_INLINE v128 sem_f64x2_eq(v128 a, v128 b) { return (v128)((f64x2)a == (f64x2)b); }
VM_INLINE v128 sem_f64x2_ne(v128 a, v128 b) { return (v128)((f64x2)a != (f64x2)b); }
VM_INLINE v128 sem_f64x2_lt(v128 a, v128 b) { return (v128)((f64x2)a < (f64x2)b); }
VM_INLINE v128 sem_f64x2_gt(v128 a, v128 b) { return (v128)((f64x2)a > (f64x2)b); }
VM_INLINE v128 sem_f64x2_le(v128 a, v128 b) { return (v128)((f64x2)a <= (f64x2)b); }
VM_INLINE v128 sem_f64x2_ge(v128 a, v128 b) { return (v128)((f64x2)a >= (f64x2)b); }

/* -------- from integers. spec op-convert_s, op-convert_u: to nearest, ties to even */

VM_INLINE v128 sem_f32x4_convert_i32x4_s(v128 a)
{
    return (v128) __builtin_convertvector((i32x4)a, f32x4);
}
VM_INLINE v128 sem_f32x4_convert_i32x4_u(v128 a)
{
    return (v128) __builtin_convertvector((u32x4)a, f32x4);
}
VM_INLINE v128 sem_f64x2_convert_low_i32x4_s(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((i32x4)a, (i32x4)a, 0, 1), f64x2);
}
VM_INLINE v128 sem_f64x2_convert_low_i32x4_u(v128 a)
{
    return (v128) __builtin_convertvector(__builtin_shufflevector((u32x4)a, (u32x4)a, 0, 1), f64x2);
}

#endif
