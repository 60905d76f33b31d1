/* SPDX-License-Identifier: Apache-2.0 */
/* adler.c - the checksum Adler-32 (RFC 1950) of a buffer. size: buffers of 64 KiB. */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

/* PIECE: so many bytes that 32 bits hold the sums; of whole vectors. */
enum { BYTES = 64 * 1024, MODULUS = 65521, PIECE = 4096 };

#ifdef __wasm_simd128__
static u32 sum_of(v128_t words)
{
    return wasm_u32x4_extract_lane(words, 0) + wasm_u32x4_extract_lane(words, 1) +
           wasm_u32x4_extract_lane(words, 2) + wasm_u32x4_extract_lane(words, 3);
}

/* `high` counts each byte as often as there are bytes from it to the end. */
static void add_piece(u32 *low, u32 *high, const u8 *bytes, u32 count)
{
    const v128_t weights = wasm_i8x16_const(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    v128_t lows = wasm_i32x4_const_splat(0), befores = lows, highs = lows;
    for (u32 i = 0; i < count; i += 16) {
        v128_t in = wasm_v128_load(bytes + i);
        befores = wasm_i32x4_add(befores, lows);
        v128_t pairs = wasm_u16x8_extadd_pairwise_u8x16(in);
        lows = wasm_i32x4_add(lows, wasm_u32x4_extadd_pairwise_u16x8(pairs));
        v128_t left = wasm_u16x8_extmul_low_u8x16(in, weights);
        v128_t right = wasm_u16x8_extmul_high_u8x16(in, weights);
        highs = wasm_i32x4_add(highs, wasm_u32x4_extadd_pairwise_u16x8(left));
        highs = wasm_i32x4_add(highs, wasm_u32x4_extadd_pairwise_u16x8(right));
    }
    *high += *low * count + 16 * sum_of(befores) + sum_of(highs);
    *low += sum_of(lows);
}
#else
static void add_piece(u32 *low, u32 *high, const u8 *bytes, u32 count)
{
    u32 a = *low, b = *high;
    for (u32 i = 0; i < count; i++) {
        a += bytes[i];
        b += a;
    }
    *low = a;
    *high = b;
}
#endif

static u32 adler(const u8 *bytes, u32 count)
{
    u32 low = 1, high = 0;
    for (u32 i = 0; i < count; i += PIECE) {
        add_piece(&low, &high, bytes + i, PIECE);
        low %= MODULUS;
        high %= MODULUS;
    }
    return high << 16 | low;
}

u64 workload(u32 size)
{
    u8 *bytes = wl_alloc(BYTES);
    u32 seed = 1950;
    u64 sum = 0;
    for (u32 i = 0; i < BYTES; i++) bytes[i] = (u8)wl_random(&seed);
    for (u32 round = 0; round < size; round++) {
        bytes[wl_random(&seed) % BYTES] ^= (u8)round;
        sum = wl_mix(sum, adler(bytes, BYTES));
    }
    return sum;
}
