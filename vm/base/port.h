/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler and integer vocabulary. Only attributes and aliases: no functions with meaning. */
#ifndef VM_BASE_PORT_H
#define VM_BASE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef float f32;
typedef double f64;
typedef size_t usize;
/** 16 bytes, lane 0 in the low ones; casts to other 16-byte vector types keep the bits. */
typedef u64 v128 __attribute__((vector_size(16)));
__extension__ typedef unsigned __int128 u128;

#define VM_LIKELY(x) __builtin_expect(!!(x), 1)
#define VM_UNLIKELY(x) __builtin_expect(!!(x), 0)
/** True, as the caller knows and the compiler can't; nothing is checked. */
#define VM_ASSUME(x)                                                                               \
    do {                                                                                           \
        if (!(x)) __builtin_unreachable();                                                         \
    } while (0)
#define VM_INLINE static inline __attribute__((always_inline, unused))
#define VM_NOINLINE __attribute__((noinline))
#define VM_COLD __attribute__((cold))
#define VM_MUST_USE __attribute__((warn_unused_result))
#define VM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Our own bugs only, never bad input: checked in debug and sanitizer builds. */
#if defined(VM_ASSERT) && VM_ASSERT
#define vm_assert(x) ((x) ? (void)0 : __builtin_trap())
#else
#define vm_assert(x) ((void)sizeof(x))
#endif

#endif
