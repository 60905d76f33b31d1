/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the integer instructions, one pure function each, named after the mnemonic.
 * A function f with a partner f_trap may only be called where that answered 0. No memory access.
 */
#ifndef VM_SEM_INT_H
#define VM_SEM_INT_H

#include "base/bits.h"
#include "base/trap.h"

/* -------- i32. spec exec-numeric; iunop, ibinop, itestop, irelop */

/* spec op-iclz, op-ictz, op-ipopcnt */
static inline u32 sem_i32_clz(u32 a) { return vm_clz32(a); }
static inline u32 sem_i32_ctz(u32 a) { return vm_ctz32(a); }
static inline u32 sem_i32_popcnt(u32 a) { return vm_popcnt32(a); }

/* spec op-iadd, op-isub, op-imul: modulo 2^N */
static inline u32 sem_i32_add(u32 a, u32 b) { return a + b; }
static inline u32 sem_i32_sub(u32 a, u32 b) { return a - b; }
static inline u32 sem_i32_mul(u32 a, u32 b) { return a * b; }

/* spec op-idiv_s, op-idiv_u: towards zero */
static inline u32 sem_i32_div_s_trap(u32 a, u32 b)
{
    if (b == 0) return VM_TRAP_DIV_ZERO;
    return a == (u32)1 << 31 && b == ~(u32)0 ? VM_TRAP_INT_OVERFLOW : VM_TRAP_NONE;
}
static inline u32 sem_i32_div_s(u32 a, u32 b) { return (u32)((i32)a / (i32)b); }
static inline u32 sem_i32_div_u_trap(u32 a, u32 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u32 sem_i32_div_u(u32 a, u32 b) { return a / b; }

/* spec op-irem_s, op-irem_u: the sign of the dividend; x rem -1 is 0 for every x */
static inline u32 sem_i32_rem_s_trap(u32 a, u32 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u32 sem_i32_rem_s(u32 a, u32 b) { return b == ~(u32)0 ? 0 : (u32)((i32)a % (i32)b); }
static inline u32 sem_i32_rem_u_trap(u32 a, u32 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u32 sem_i32_rem_u(u32 a, u32 b) { return a % b; }

/* spec op-iand, op-ior, op-ixor */
static inline u32 sem_i32_and(u32 a, u32 b) { return a & b; }
static inline u32 sem_i32_or(u32 a, u32 b) { return a | b; }
static inline u32 sem_i32_xor(u32 a, u32 b) { return a ^ b; }

/* spec op-ishl, op-ishr_s, op-ishr_u, op-irotl, op-irotr: distances modulo the width */
static inline u32 sem_i32_shl(u32 a, u32 b) { return a << (b & 31); }
static inline u32 sem_i32_shr_s(u32 a, u32 b) { return (u32)((i32)a >> (b & 31)); }
static inline u32 sem_i32_shr_u(u32 a, u32 b) { return a >> (b & 31); }
static inline u32 sem_i32_rotl(u32 a, u32 b) { return vm_rotl32(a, b); }
static inline u32 sem_i32_rotr(u32 a, u32 b) { return vm_rotr32(a, b); }

/* spec op-ieqz, op-ieq, op-ine, op-ilt_s …: 0 or 1 */
static inline u32 sem_i32_eqz(u32 a) { return a == 0; }
static inline u32 sem_i32_eq(u32 a, u32 b) { return a == b; }
static inline u32 sem_i32_ne(u32 a, u32 b) { return a != b; }
static inline u32 sem_i32_lt_s(u32 a, u32 b) { return (i32)a < (i32)b; }
static inline u32 sem_i32_lt_u(u32 a, u32 b) { return a < b; }
static inline u32 sem_i32_gt_s(u32 a, u32 b) { return (i32)a > (i32)b; }
static inline u32 sem_i32_gt_u(u32 a, u32 b) { return a > b; }
static inline u32 sem_i32_le_s(u32 a, u32 b) { return (i32)a <= (i32)b; }
static inline u32 sem_i32_le_u(u32 a, u32 b) { return a <= b; }
static inline u32 sem_i32_ge_s(u32 a, u32 b) { return (i32)a >= (i32)b; }
static inline u32 sem_i32_ge_u(u32 a, u32 b) { return a >= b; }

/* spec op-iextendn_s */
static inline u32 sem_i32_extend8_s(u32 a) { return (u32)(i32)(i8)a; }
static inline u32 sem_i32_extend16_s(u32 a) { return (u32)(i32)(i16)a; }

/* -------- i64. spec exec-numeric; iunop, ibinop, itestop, irelop */

/* spec op-iclz, op-ictz, op-ipopcnt */
static inline u64 sem_i64_clz(u64 a) { return vm_clz64(a); }
static inline u64 sem_i64_ctz(u64 a) { return vm_ctz64(a); }
static inline u64 sem_i64_popcnt(u64 a) { return vm_popcnt64(a); }

/* spec op-iadd, op-isub, op-imul: modulo 2^N */
static inline u64 sem_i64_add(u64 a, u64 b) { return a + b; }
static inline u64 sem_i64_sub(u64 a, u64 b) { return a - b; }
static inline u64 sem_i64_mul(u64 a, u64 b) { return a * b; }

/* spec op-idiv_s, op-idiv_u: towards zero */
static inline u32 sem_i64_div_s_trap(u64 a, u64 b)
{
    if (b == 0) return VM_TRAP_DIV_ZERO;
    return a == (u64)1 << 63 && b == ~(u64)0 ? VM_TRAP_INT_OVERFLOW : VM_TRAP_NONE;
}
static inline u64 sem_i64_div_s(u64 a, u64 b) { return (u64)((i64)a / (i64)b); }
static inline u32 sem_i64_div_u_trap(u64 a, u64 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u64 sem_i64_div_u(u64 a, u64 b) { return a / b; }

/* spec op-irem_s, op-irem_u: the sign of the dividend; x rem -1 is 0 for every x */
static inline u32 sem_i64_rem_s_trap(u64 a, u64 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u64 sem_i64_rem_s(u64 a, u64 b) { return b == ~(u64)0 ? 0 : (u64)((i64)a % (i64)b); }
static inline u32 sem_i64_rem_u_trap(u64 a, u64 b)
{
    return (void)a, b == 0 ? VM_TRAP_DIV_ZERO : VM_TRAP_NONE;
}
static inline u64 sem_i64_rem_u(u64 a, u64 b) { return a % b; }

/* spec op-iand, op-ior, op-ixor */
static inline u64 sem_i64_and(u64 a, u64 b) { return a & b; }
static inline u64 sem_i64_or(u64 a, u64 b) { return a | b; }
static inline u64 sem_i64_xor(u64 a, u64 b) { return a ^ b; }

/* spec op-ishl, op-ishr_s, op-ishr_u, op-irotl, op-irotr: distances modulo the width */
static inline u64 sem_i64_shl(u64 a, u64 b) { return a << (b & 63); }
static inline u64 sem_i64_shr_s(u64 a, u64 b) { return (u64)((i64)a >> (b & 63)); }
static inline u64 sem_i64_shr_u(u64 a, u64 b) { return a >> (b & 63); }
static inline u64 sem_i64_rotl(u64 a, u64 b) { return vm_rotl64(a, b); }
static inline u64 sem_i64_rotr(u64 a, u64 b) { return vm_rotr64(a, b); }

/* spec op-ieqz, op-ieq, op-ine, op-ilt_s …: 0 or 1 */
static inline u32 sem_i64_eqz(u64 a) { return a == 0; }
static inline u32 sem_i64_eq(u64 a, u64 b) { return a == b; }
static inline u32 sem_i64_ne(u64 a, u64 b) { return a != b; }
static inline u32 sem_i64_lt_s(u64 a, u64 b) { return (i64)a < (i64)b; }
static inline u32 sem_i64_lt_u(u64 a, u64 b) { return a < b; }
static inline u32 sem_i64_gt_s(u64 a, u64 b) { return (i64)a > (i64)b; }
static inline u32 sem_i64_gt_u(u64 a, u64 b) { return a > b; }
static inline u32 sem_i64_le_s(u64 a, u64 b) { return (i64)a <= (i64)b; }
static inline u32 sem_i64_le_u(u64 a, u64 b) { return a <= b; }
static inline u32 sem_i64_ge_s(u64 a, u64 b) { return (i64)a >= (i64)b; }
static inline u32 sem_i64_ge_u(u64 a, u64 b) { return a >= b; }

/* spec op-iextendn_s */
static inline u64 sem_i64_extend8_s(u64 a) { return (u64)(i64)(i8)a; }
static inline u64 sem_i64_extend16_s(u64 a) { return (u64)(i64)(i16)a; }
static inline u64 sem_i64_extend32_s(u64 a) { return (u64)(i64)(i32)a; }

#endif
