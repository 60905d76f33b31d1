/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the conversions, one pure function each, named after the mnemonic. A function f with a
 * partner f_trap may only be called where that answered 0.
 */
#ifndef VM_SEM_CONVERT_H
#define VM_SEM_CONVERT_H

#include "base/fbits.h"
#include "base/trap.h"

/* spec op-wrap, op-extend_s, op-extend_u */
static inline u32 sem_i32_wrap_i64(u64 a) { return (u32)a; }
static inline u64 sem_i64_extend_i32_s(u32 a) { return (u64)(i64)(i32)a; }
static inline u64 sem_i64_extend_i32_u(u32 a) { return a; }

/* spec op-reinterpret: the bits, unchanged */
static inline u32 sem_i32_reinterpret_f32(f32 a) { return vm_f32_bits(a); }
static inline u64 sem_i64_reinterpret_f64(f64 a) { return vm_f64_bits(a); }
static inline f32 sem_f32_reinterpret_i32(u32 a) { return vm_f32_from_bits(a); }
static inline f64 sem_f64_reinterpret_i64(u64 a) { return vm_f64_from_bits(a); }

/* spec op-demote, op-promote: the conversion makes NaNs quiet */
static inline f32 sem_f32_demote_f64(f64 a) { return (f32)a; }
static inline f64 sem_f64_promote_f32(f32 a) { return (f64)a; }

/* spec op-convert_s, op-convert_u: to nearest, ties to even */
static inline f32 sem_f32_convert_i32_s(u32 a) { return (f32)(i32)a; }
static inline f32 sem_f32_convert_i32_u(u32 a) { return (f32)a; }
static inline f32 sem_f32_convert_i64_s(u64 a) { return (f32)(i64)a; }
static inline f32 sem_f32_convert_i64_u(u64 a) { return (f32)a; }
static inline f64 sem_f64_convert_i32_s(u32 a) { return (f64)(i32)a; }
static inline f64 sem_f64_convert_i32_u(u32 a) { return (f64)a; }
static inline f64 sem_f64_convert_i64_s(u64 a) { return (f64)(i64)a; }
static inline f64 sem_f64_convert_i64_u(u64 a) { return (f64)a; }

/*
 * The open or closed ranges of floats whose whole part is an integer of the target type. The lower
 * bound of a signed target is itself a float, except i32 from f64: there the next lower integer is.
 */
static inline bool sem_i32_s_holds_f32(f32 a) { return a >= -0x1p31f && a < 0x1p31f; }
static inline bool sem_i32_u_holds_f32(f32 a) { return a > -1.0f && a < 0x1p32f; }
static inline bool sem_i32_s_holds_f64(f64 a) { return a > -2147483649.0 && a < 0x1p31; }
static inline bool sem_i32_u_holds_f64(f64 a) { return a > -1.0 && a < 0x1p32; }
static inline bool sem_i64_s_holds_f32(f32 a) { return a >= -0x1p63f && a < 0x1p63f; }
static inline bool sem_i64_u_holds_f32(f32 a) { return a > -1.0f && a < 0x1p64f; }
static inline bool sem_i64_s_holds_f64(f64 a) { return a >= -0x1p63 && a < 0x1p63; }
static inline bool sem_i64_u_holds_f64(f64 a) { return a > -1.0 && a < 0x1p64; }

/* spec op-trunc_s, op-trunc_u: NaN has no integer, the rest is a matter of range */
static inline u32 sem_i32_trunc_f32_s_trap(f32 a)
{
    if (VM_LIKELY(sem_i32_s_holds_f32(a))) return VM_TRAP_NONE;
    return vm_f32_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u32 sem_i32_trunc_f32_s(f32 a) { return (u32)(i32)a; }
static inline u32 sem_i32_trunc_f32_u_trap(f32 a)
{
    if (VM_LIKELY(sem_i32_u_holds_f32(a))) return VM_TRAP_NONE;
    return vm_f32_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u32 sem_i32_trunc_f32_u(f32 a) { return (u32)a; }
static inline u32 sem_i32_trunc_f64_s_trap(f64 a)
{
    if (VM_LIKELY(sem_i32_s_holds_f64(a))) return VM_TRAP_NONE;
    return vm_f64_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u32 sem_i32_trunc_f64_s(f64 a) { return (u32)(i32)a; }
static inline u32 sem_i32_trunc_f64_u_trap(f64 a)
{
    if (VM_LIKELY(sem_i32_u_holds_f64(a))) return VM_TRAP_NONE;
    return vm_f64_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u32 sem_i32_trunc_f64_u(f64 a) { return (u32)a; }
static inline u32 sem_i64_trunc_f32_s_trap(f32 a)
{
    if (VM_LIKELY(sem_i64_s_holds_f32(a))) return VM_TRAP_NONE;
    return vm_f32_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u64 sem_i64_trunc_f32_s(f32 a) { return (u64)(i64)a; }
static inline u32 sem_i64_trunc_f32_u_trap(f32 a)
{
    if (VM_LIKELY(sem_i64_u_holds_f32(a))) return VM_TRAP_NONE;
    return vm_f32_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u64 sem_i64_trunc_f32_u(f32 a) { return (u64)a; }
static inline u32 sem_i64_trunc_f64_s_trap(f64 a)
{
    if (VM_LIKELY(sem_i64_s_holds_f64(a))) return VM_TRAP_NONE;
    return vm_f64_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u64 sem_i64_trunc_f64_s(f64 a) { return (u64)(i64)a; }
static inline u32 sem_i64_trunc_f64_u_trap(f64 a)
{
    if (VM_LIKELY(sem_i64_u_holds_f64(a))) return VM_TRAP_NONE;
    return vm_f64_is_nan(a) ? VM_TRAP_INT_CONVERSION : VM_TRAP_INT_OVERFLOW;
}
static inline u64 sem_i64_trunc_f64_u(f64 a) { return (u64)a; }

/* spec op-trunc_sat_s, op-trunc_sat_u: NaN is 0, out of range the nearest end */
static inline u32 sem_i32_trunc_sat_f32_s(f32 a)
{
    if (VM_LIKELY(sem_i32_s_holds_f32(a))) return (u32)(i32)a;
    if (a > 0.0f) return INT32_MAX;
    return a < 0.0f ? (u32)INT32_MIN : 0;
}
static inline u32 sem_i32_trunc_sat_f32_u(f32 a)
{
    if (VM_LIKELY(sem_i32_u_holds_f32(a))) return (u32)a;
    return a > 0.0f ? UINT32_MAX : 0;
}
static inline u32 sem_i32_trunc_sat_f64_s(f64 a)
{
    if (VM_LIKELY(sem_i32_s_holds_f64(a))) return (u32)(i32)a;
    if (a > 0.0) return INT32_MAX;
    return a < 0.0 ? (u32)INT32_MIN : 0;
}
static inline u32 sem_i32_trunc_sat_f64_u(f64 a)
{
    if (VM_LIKELY(sem_i32_u_holds_f64(a))) return (u32)a;
    return a > 0.0 ? UINT32_MAX : 0;
}
static inline u64 sem_i64_trunc_sat_f32_s(f32 a)
{
    if (VM_LIKELY(sem_i64_s_holds_f32(a))) return (u64)(i64)a;
    if (a > 0.0f) return INT64_MAX;
    return a < 0.0f ? (u64)INT64_MIN : 0;
}
static inline u64 sem_i64_trunc_sat_f32_u(f32 a)
{
    if (VM_LIKELY(sem_i64_u_holds_f32(a))) return (u64)a;
    return a > 0.0f ? UINT64_MAX : 0;
}
static inline u64 sem_i64_trunc_sat_f64_s(f64 a)
{
    if (VM_LIKELY(sem_i64_s_holds_f64(a))) return (u64)(i64)a;
    if (a > 0.0) return INT64_MAX;
    return a < 0.0 ? (u64)INT64_MIN : 0;
}
static inline u64 sem_i64_trunc_sat_f64_u(f64 a)
{
    if (VM_LIKELY(sem_i64_u_holds_f64(a))) return (u64)a;
    return a > 0.0 ? UINT64_MAX : 0;
}

#endif
