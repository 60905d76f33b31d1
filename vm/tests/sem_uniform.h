/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every function of vm/sem behind one signature, w_i32_add(u64, u64) for sem_i32_add, values as
 * bits; and the NaN classes. No assertions.
 */
#ifndef VM_TESTS_SEM_UNIFORM_H
#define VM_TESTS_SEM_UNIFORM_H

#include "sem/convert.h"
#include "sem/float.h"
#include "sem/int.h"

typedef u64 (*uniform_fn)(u64 a, u64 b);

/* spec syntax-nan: canonical has only the top bit of the payload, arithmetic at least that. */
static inline bool is_canonical32(u32 x) { return (x & ~VM_F32_SIGN) == VM_F32_NAN; }
static inline bool is_canonical64(u64 x) { return (x & ~VM_F64_SIGN) == VM_F64_NAN; }
static inline bool is_arithmetic32(u32 x) { return (x & VM_F32_NAN) == VM_F32_NAN; }
static inline bool is_arithmetic64(u64 x) { return (x & VM_F64_NAN) == VM_F64_NAN; }

/* To and from bits, by type name. */
#define IN_i32(x) ((u32)(x))
#define IN_i64(x) (x)
#define IN_f32(x) vm_f32_from_bits((u32)(x))
#define IN_f64(x) vm_f64_from_bits(x)
#define OUT_i32(x) (x)
#define OUT_i64(x) (x)
#define OUT_f32(x) vm_f32_bits(x)
#define OUT_f64(x) vm_f64_bits(x)

/* UN(i32, i64, i32_wrap_i64): result type, operand type, name. */
#define UN(to, from, name)                                                                         \
    static inline u64 w_##name(u64 a, u64 b)                                                       \
    {                                                                                              \
        (void)b;                                                                                   \
        return OUT_##to(sem_##name(IN_##from(a)));                                                 \
    }
#define BIN(to, from, name)                                                                        \
    static inline u64 w_##name(u64 a, u64 b)                                                       \
    {                                                                                              \
        return OUT_##to(sem_##name(IN_##from(a), IN_##from(b)));                                   \
    }

// clang-format off
UN(i32, i32, i32_clz) UN(i32, i32, i32_ctz) UN(i32, i32, i32_popcnt) UN(i32, i32, i32_extend8_s)
UN(i32, i32, i32_extend16_s) UN(i32, i32, i32_eqz) BIN(i32, i32, i32_add) BIN(i32, i32, i32_sub)
BIN(i32, i32, i32_mul) BIN(i32, i32, i32_div_s) BIN(i32, i32, i32_div_u) BIN(i32, i32, i32_rem_s)
BIN(i32, i32, i32_rem_u) BIN(i32, i32, i32_and) BIN(i32, i32, i32_or) BIN(i32, i32, i32_xor)
BIN(i32, i32, i32_shl) BIN(i32, i32, i32_shr_s) BIN(i32, i32, i32_shr_u) BIN(i32, i32, i32_rotl)
BIN(i32, i32, i32_rotr) BIN(i32, i32, i32_eq) BIN(i32, i32, i32_ne) BIN(i32, i32, i32_lt_s)
BIN(i32, i32, i32_lt_u) BIN(i32, i32, i32_gt_s) BIN(i32, i32, i32_gt_u) BIN(i32, i32, i32_le_s)
BIN(i32, i32, i32_le_u) BIN(i32, i32, i32_ge_s) BIN(i32, i32, i32_ge_u)
BIN(i32, i32, i32_div_s_trap) BIN(i32, i32, i32_div_u_trap) BIN(i32, i32, i32_rem_s_trap)
BIN(i32, i32, i32_rem_u_trap) UN(i64, i64, i64_clz) UN(i64, i64, i64_ctz)
UN(i64, i64, i64_popcnt) UN(i64, i64, i64_extend8_s) UN(i64, i64, i64_extend16_s)
UN(i64, i64, i64_extend32_s) UN(i32, i64, i64_eqz) BIN(i64, i64, i64_add) BIN(i64, i64, i64_sub)
BIN(i64, i64, i64_mul) BIN(i64, i64, i64_div_s) BIN(i64, i64, i64_div_u) BIN(i64, i64, i64_rem_s)
BIN(i64, i64, i64_rem_u) BIN(i64, i64, i64_and) BIN(i64, i64, i64_or) BIN(i64, i64, i64_xor)
BIN(i64, i64, i64_shl) BIN(i64, i64, i64_shr_s) BIN(i64, i64, i64_shr_u) BIN(i64, i64, i64_rotl)
BIN(i64, i64, i64_rotr) BIN(i32, i64, i64_eq) BIN(i32, i64, i64_ne) BIN(i32, i64, i64_lt_s)
BIN(i32, i64, i64_lt_u) BIN(i32, i64, i64_gt_s) BIN(i32, i64, i64_gt_u) BIN(i32, i64, i64_le_s)
BIN(i32, i64, i64_le_u) BIN(i32, i64, i64_ge_s) BIN(i32, i64, i64_ge_u)
BIN(i32, i64, i64_div_s_trap) BIN(i32, i64, i64_div_u_trap) BIN(i32, i64, i64_rem_s_trap)
BIN(i32, i64, i64_rem_u_trap) UN(f32, f32, f32_abs) UN(f32, f32, f32_neg) UN(f32, f32, f32_ceil)
UN(f32, f32, f32_floor) UN(f32, f32, f32_trunc) UN(f32, f32, f32_nearest) UN(f32, f32, f32_sqrt)
BIN(f32, f32, f32_add) BIN(f32, f32, f32_sub) BIN(f32, f32, f32_mul) BIN(f32, f32, f32_div)
BIN(f32, f32, f32_min) BIN(f32, f32, f32_max) BIN(f32, f32, f32_copysign) BIN(i32, f32, f32_eq)
BIN(i32, f32, f32_ne) BIN(i32, f32, f32_lt) BIN(i32, f32, f32_gt) BIN(i32, f32, f32_le)
BIN(i32, f32, f32_ge) UN(f64, f64, f64_abs) UN(f64, f64, f64_neg) UN(f64, f64, f64_ceil)
UN(f64, f64, f64_floor) UN(f64, f64, f64_trunc) UN(f64, f64, f64_nearest) UN(f64, f64, f64_sqrt)
BIN(f64, f64, f64_add) BIN(f64, f64, f64_sub) BIN(f64, f64, f64_mul) BIN(f64, f64, f64_div)
BIN(f64, f64, f64_min) BIN(f64, f64, f64_max) BIN(f64, f64, f64_copysign) BIN(i32, f64, f64_eq)
BIN(i32, f64, f64_ne) BIN(i32, f64, f64_lt) BIN(i32, f64, f64_gt) BIN(i32, f64, f64_le)
BIN(i32, f64, f64_ge) UN(i32, i64, i32_wrap_i64) UN(i64, i32, i64_extend_i32_s)
UN(i64, i32, i64_extend_i32_u) UN(i32, f32, i32_reinterpret_f32)
UN(i64, f64, i64_reinterpret_f64) UN(f32, i32, f32_reinterpret_i32)
UN(f64, i64, f64_reinterpret_i64) UN(f32, f64, f32_demote_f64) UN(f64, f32, f64_promote_f32)
UN(f32, i32, f32_convert_i32_s) UN(f32, i32, f32_convert_i32_u) UN(f32, i64, f32_convert_i64_s)
UN(f32, i64, f32_convert_i64_u) UN(f64, i32, f64_convert_i32_s) UN(f64, i32, f64_convert_i32_u)
UN(f64, i64, f64_convert_i64_s) UN(f64, i64, f64_convert_i64_u) UN(i32, f32, i32_trunc_f32_s)
UN(i32, f32, i32_trunc_sat_f32_s) UN(i32, f32, i32_trunc_f32_s_trap)
UN(i32, f32, i32_trunc_f32_u) UN(i32, f32, i32_trunc_sat_f32_u)
UN(i32, f32, i32_trunc_f32_u_trap) UN(i32, f64, i32_trunc_f64_s)
UN(i32, f64, i32_trunc_sat_f64_s) UN(i32, f64, i32_trunc_f64_s_trap)
UN(i32, f64, i32_trunc_f64_u) UN(i32, f64, i32_trunc_sat_f64_u)
UN(i32, f64, i32_trunc_f64_u_trap) UN(i64, f32, i64_trunc_f32_s)
UN(i64, f32, i64_trunc_sat_f32_s) UN(i32, f32, i64_trunc_f32_s_trap)
UN(i64, f32, i64_trunc_f32_u) UN(i64, f32, i64_trunc_sat_f32_u)
UN(i32, f32, i64_trunc_f32_u_trap) UN(i64, f64, i64_trunc_f64_s)
UN(i64, f64, i64_trunc_sat_f64_s) UN(i32, f64, i64_trunc_f64_s_trap)
UN(i64, f64, i64_trunc_f64_u) UN(i64, f64, i64_trunc_sat_f64_u)
UN(i32, f64, i64_trunc_f64_u_trap)
// clang-format on

#endif
