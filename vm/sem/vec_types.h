/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors by the type of their lanes. Arithmetic that wraps is done on unsigned lanes. No meaning.
 */
#ifndef VM_SEM_VEC_TYPES_H
#define VM_SEM_VEC_TYPES_H

#include "base/port.h"

typedef u8 u8x16 __attribute__((vector_size(16)));
typedef i8 i8x16 __attribute__((vector_size(16)));
typedef u16 u16x8 __attribute__((vector_size(16)));
typedef i16 i16x8 __attribute__((vector_size(16)));
typedef u32 u32x4 __attribute__((vector_size(16)));
typedef i32 i32x4 __attribute__((vector_size(16)));
typedef u64 u64x2 __attribute__((vector_size(16)));
typedef i64 i64x2 __attribute__((vector_size(16)));
typedef f32 f32x4 __attribute__((vector_size(16)));
typedef f64 f64x2 __attribute__((vector_size(16)));

/** Bit by bit: `yes` where `mask` has ones, `no` elsewhere. */
VM_INLINE v128 vm_v128_select(v128 mask, v128 yes, v128 no) { return (yes & mask) | (no & ~mask); }

#endif
