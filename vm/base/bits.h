/* SPDX-License-Identifier: Apache-2.0 */
/* Bit counting, rotation, sign extension and unaligned access, total for every input. No floats. */
#ifndef VM_BASE_BITS_H
#define VM_BASE_BITS_H

#include "base/port.h"

#include <string.h>

/** Leading zeros; the width for 0. */
static inline u32 vm_clz32(u32 x) { return x ? (u32)__builtin_clz(x) : 32; }
static inline u32 vm_clz64(u64 x) { return x ? (u32)__builtin_clzll(x) : 64; }
/** Trailing zeros; the width for 0. */
static inline u32 vm_ctz32(u32 x) { return x ? (u32)__builtin_ctz(x) : 32; }
static inline u32 vm_ctz64(u64 x) { return x ? (u32)__builtin_ctzll(x) : 64; }
static inline u32 vm_popcnt32(u32 x) { return (u32)__builtin_popcount(x); }
static inline u32 vm_popcnt64(u64 x) { return (u32)__builtin_popcountll(x); }

/** Rotations by `n` modulo the width. */
static inline u32 vm_rotl32(u32 x, u32 n) { return x << (n & 31) | x >> (-n & 31); }
static inline u32 vm_rotr32(u32 x, u32 n) { return x >> (n & 31) | x << (-n & 31); }
static inline u64 vm_rotl64(u64 x, u64 n) { return x << (n & 63) | x >> (-n & 63); }
static inline u64 vm_rotr64(u64 x, u64 n) { return x >> (n & 63) | x << (-n & 63); }

/** Native-order access to our own bytes at any alignment. Not for guest memory. */
static inline u16 vm_load_u16(const void *p)
{
    u16 x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline u32 vm_load_u32(const void *p)
{
    u32 x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline u64 vm_load_u64(const void *p)
{
    u64 x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline void vm_store_u16(void *p, u16 x) { memcpy(p, &x, sizeof x); }
static inline void vm_store_u32(void *p, u32 x) { memcpy(p, &x, sizeof x); }
static inline void vm_store_u64(void *p, u64 x) { memcpy(p, &x, sizeof x); }

#endif
