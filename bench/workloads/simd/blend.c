/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blend.c - pictures laid over each other: to = from + to * (255 - alpha) / 255, rounded, for
 * premultiplied pixels of four bytes. size: pictures of 64 KiB.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { BYTES = 64 * 1024 };

#ifdef __wasm_simd128__
/* Eight products of bytes over 255, rounded: (x + 128 + ((x + 128) >> 8)) >> 8 is exact. */
static v128_t over_255(v128_t products)
{
    v128_t x = wasm_i16x8_add(products, wasm_i16x8_const_splat(128));
    return wasm_u16x8_shr(wasm_i16x8_add(x, wasm_u16x8_shr(x, 8)), 8);
}

static void blend(u8 *to, const u8 *from, u32 bytes)
{
    for (u32 i = 0; i < bytes; i += 16) {
        v128_t over = wasm_v128_load(from + i), under = wasm_v128_load(to + i);
        v128_t alpha =
            wasm_i8x16_shuffle(over, over, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15);
        v128_t rest = wasm_v128_not(alpha); /* 255 - alpha */
        v128_t low = over_255(wasm_u16x8_extmul_low_u8x16(under, rest));
        v128_t high = over_255(wasm_u16x8_extmul_high_u8x16(under, rest));
        wasm_v128_store(to + i, wasm_u8x16_add_sat(over, wasm_u8x16_narrow_i16x8(low, high)));
    }
}
#else
static u8 blend_byte(u32 over, u32 under, u32 rest)
{
    u32 x = under * rest + 128;
    u32 sum = over + ((x + (x >> 8)) >> 8);
    return (u8)(sum < 255 ? sum : 255);
}

static void blend(u8 *to, const u8 *from, u32 bytes)
{
    for (u32 i = 0; i < bytes; i += 4) {
        u32 rest = 255u - from[i + 3];
        to[i] = blend_byte(from[i], to[i], rest);
        to[i + 1] = blend_byte(from[i + 1], to[i + 1], rest);
        to[i + 2] = blend_byte(from[i + 2], to[i + 2], rest);
        to[i + 3] = blend_byte(from[i + 3], to[i + 3], rest);
    }
}
#endif

u64 workload(u32 size)
{
    u8 *to = wl_alloc(BYTES), *from = wl_alloc(2 * BYTES);
    u32 seed = 255;
    u64 sum = 0;
    for (u32 i = 0; i < 2 * BYTES; i += 4) {
        u32 alpha = wl_random(&seed) >> 24;
        for (u32 k = 0; k < 3; k++) from[i + k] = (u8)((wl_random(&seed) >> 24) * alpha / 255);
        from[i + 3] = (u8)alpha;
    }
    for (u32 round = 0; round < size; round++) {
        blend(to, from + round % 1000 * 4, BYTES);
        sum = wl_mix(sum, to[round * 7 % BYTES]);
    }
    for (u32 i = 0; i < BYTES; i++) sum = wl_mix(sum, to[i]);
    return sum;
}
