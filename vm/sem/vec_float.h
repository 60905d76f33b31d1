/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the float vector instructions, named after the mnemonics; but those that vec_x86_64.h
 * and vec_aarch64.h have. Needs -ffp-contract=off. spec exec-instr-vec
 */
#ifndef VM_SEM_VEC_FLOAT_H
#define VM_SEM_VEC_FLOAT_H

#include "sem/convert.h"
#include "sem/float.h"
#include "sem/vec_lanes.h"

/* -------- f32x4: each lane as vm/sem/float.h says */

V1(f32x4_abs, f32, f32, 4, sem_f32_abs(a))
V1(f32x4_neg, f32, f32, 4, sem_f32_neg(a))
V1(f32x4_sqrt, f32, f32, 4, sem_f32_sqrt(a))
V2(f32x4_add, f32, f32, 4, sem_f32_add(a, b))
V2(f32x4_sub, f32, f32, 4, sem_f32_sub(a, b))
V2(f32x4_mul, f32, f32, 4, sem_f32_mul(a, b))
V2(f32x4_div, f32, f32, 4, sem_f32_div(a, b))
/* spec op-fpmin, op-fpmax: what the comparison says, also of NaN and of zeroes */
V2(f32x4_pmin, f32, f32, 4, b < a ? b : a)
V2(f32x4_pmax, f32, f32, 4, a < b ? b : a)
V2(f32x4_eq, f32, u32, 4, a == b ? -1 : 0)
V2(f32x4_ne, f32, u32, 4, a != b ? -1 : 0)
V2(f32x4_lt, f32, u32, 4, a < b ? -1 : 0)
V2(f32x4_gt, f32, u32, 4, a > b ? -1 : 0)
V2(f32x4_le, f32, u32, 4, a <= b ? -1 : 0)
V2(f32x4_ge, f32, u32, 4, a >= b ? -1 : 0)

/* -------- f64x2: each lane as vm/sem/float.h says */

V1(f64x2_abs, f64, f64, 2, sem_f64_abs(a))
V1(f64x2_neg, f64, f64, 2, sem_f64_neg(a))
V1(f64x2_sqrt, f64, f64, 2, sem_f64_sqrt(a))
V2(f64x2_add, f64, f64, 2, sem_f64_add(a, b))
V2(f64x2_sub, f64, f64, 2, sem_f64_sub(a, b))
V2(f64x2_mul, f64, f64, 2, sem_f64_mul(a, b))
V2(f64x2_div, f64, f64, 2, sem_f64_div(a, b))
/* spec op-fpmin, op-fpmax: what the comparison says, also of NaN and of zeroes */
V2(f64x2_pmin, f64, f64, 2, b < a ? b : a)
V2(f64x2_pmax, f64, f64, 2, a < b ? b : a)
V2(f64x2_eq, f64, u64, 2, a == b ? -1 : 0)
V2(f64x2_ne, f64, u64, 2, a != b ? -1 : 0)
V2(f64x2_lt, f64, u64, 2, a < b ? -1 : 0)
V2(f64x2_gt, f64, u64, 2, a > b ? -1 : 0)
V2(f64x2_le, f64, u64, 2, a <= b ? -1 : 0)
V2(f64x2_ge, f64, u64, 2, a >= b ? -1 : 0)

/* -------- conversions: each lane as vm/sem/convert.h says. spec vcvtop */

V1(f32x4_convert_i32x4_s, u32, f32, 4, sem_f32_convert_i32_s(a))
V1(f32x4_convert_i32x4_u, u32, f32, 4, sem_f32_convert_i32_u(a))
V1(f64x2_convert_low_i32x4_s, u32, f64, 2, sem_f64_convert_i32_s(a))
V1(f64x2_convert_low_i32x4_u, u32, f64, 2, sem_f64_convert_i32_u(a))
V1(f32x4_demote_f64x2_zero, f64, f32, 2, sem_f32_demote_f64(a))
V1(f64x2_promote_low_f32x4, f32, f64, 2, sem_f64_promote_f32(a))

#endif
