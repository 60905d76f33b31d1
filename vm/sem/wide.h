/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the wide-arithmetic proposal's instructions on 128-bit values, which Wasm has as two
 * i64, the lower half first. No slots, no memory access.
 */
#ifndef VM_SEM_WIDE_H
#define VM_SEM_WIDE_H

#include "base/port.h"

static inline u128 sem_wide(u64 lo, u64 hi) { return (u128)hi << 64 | lo; }
static inline u64 sem_wide_lo(u128 a) { return (u64)a; }
static inline u64 sem_wide_hi(u128 a) { return (u64)(a >> 64); }

/* modulo 2^128 */
static inline u128 sem_i64_add128(u128 a, u128 b) { return a + b; }
static inline u128 sem_i64_sub128(u128 a, u128 b) { return a - b; }

/* all 128 bits of the product */
static inline u128 sem_i64_mul_wide_u(u64 a, u64 b) { return (u128)a * b; }
static inline u128 sem_i64_mul_wide_s(u64 a, u64 b)
{
    __extension__ typedef __int128 i128;
    return (u128)((i128)(i64)a * (i64)b);
}

#endif
