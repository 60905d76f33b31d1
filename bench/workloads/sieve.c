/* SPDX-License-Identifier: Apache-2.0 */
/* sieve.c - primes below half a million, once with bytes, once with bits. size: repetitions. */
#include "workload.h"

enum { LIMIT = 1 << 19 };

static u8 composite[LIMIT];
static u32 bits[LIMIT / 64]; /* odd numbers only */

static u64 bytes_round(u64 sum)
{
    memset(composite, 0, sizeof composite);
    for (u32 i = 2; i * i < LIMIT; i++) {
        if (composite[i]) continue;
        for (u32 k = i * i; k < LIMIT; k += i) composite[k] = 1;
    }
    u32 count = 0;
    for (u32 i = 2; i < LIMIT; i++) {
        if (!composite[i]) count++;
    }
    return wl_mix(sum, count);
}

static u64 bits_round(u64 sum)
{
    memset(bits, 0, sizeof bits);
    for (u32 i = 3; i * i < LIMIT; i += 2) {
        if (bits[i >> 6] >> (i >> 1 & 31) & 1) continue;
        for (u32 k = i * i; k < LIMIT; k += 2 * i) bits[k >> 6] |= 1u << (k >> 1 & 31);
    }
    u64 total = 0;
    for (u32 i = 0; i < LIMIT / 64; i++) {
        total += (u64)__builtin_popcount(~bits[i]) * (i + 1);
    }
    return wl_mix(sum, total);
}

u64 workload(u32 size)
{
    u64 sum = 0;
    for (u32 i = 0; i < size; i++) sum = bits_round(bytes_round(sum));
    return sum;
}
