/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload.h - what all workloads share: the function each defines, numbers, a running checksum.
 * Not here: anything that one workload alone needs.
 */
#ifndef BENCH_WORKLOADS_WORKLOAD_H
#define BENCH_WORKLOADS_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/** The work; its checksum. What `size` counts is said at the head of each file. */
u64 workload(u32 size);

/** Zeroed memory; ends the program when there is none. */
void *wl_alloc(size_t bytes);

/** The next pseudo-random number (xorshift); the state must not be 0. */
static inline u32 wl_random(u32 *state)
{
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/** A checksum that takes in one more value. */
static inline u64 wl_mix(u64 sum, u64 value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static inline u64 wl_double_bits(double value)
{
    u64 bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/** Fills `text` with words of 2 to 9 letters, some much more frequent than others, and newlines. */
void wl_text(char *text, size_t length, u32 seed);

#endif
