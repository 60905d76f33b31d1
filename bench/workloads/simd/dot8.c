/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dot8.c - dot products of signed bytes, as a layer of a quantised network is: rows of weights with
 * one vector of activations. size: layers of 256 rows and 1,024 columns.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { ROWS = 256, COLUMNS = 1024 };

#ifdef __wasm_simd128__
static i32 dot(const int8_t *a, const int8_t *b, u32 count)
{
    v128_t sum = wasm_i32x4_const_splat(0);
    for (u32 i = 0; i < count; i += 16) {
        v128_t x = wasm_v128_load(a + i), y = wasm_v128_load(b + i);
        v128_t low = wasm_i16x8_extmul_low_i8x16(x, y), high = wasm_i16x8_extmul_high_i8x16(x, y);
        sum = wasm_i32x4_add(sum, wasm_i32x4_extadd_pairwise_i16x8(low));
        sum = wasm_i32x4_add(sum, wasm_i32x4_extadd_pairwise_i16x8(high));
    }
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
           wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
}
#else
static i32 dot(const int8_t *a, const int8_t *b, u32 count)
{
    i32 sum = 0;
    for (u32 i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}
#endif

/* Back to bytes: scaled, kept within their range; the next layer's input. */
static void activate(int8_t *to, const i32 *sums)
{
    for (u32 i = 0; i < COLUMNS; i++) {
        i32 value = (sums[i % ROWS] + (i32)i) >> 11;
        to[i] = (int8_t)(value > 127 ? 127 : value < -128 ? -128 : value);
    }
}

u64 workload(u32 size)
{
    int8_t *weights = wl_alloc((size_t)ROWS * COLUMNS), *input = wl_alloc(COLUMNS);
    i32 sums[ROWS];
    u32 seed = 31;
    u64 sum = 0;
    for (u32 i = 0; i < ROWS * COLUMNS; i++) weights[i] = (int8_t)wl_random(&seed);
    for (u32 i = 0; i < COLUMNS; i++) input[i] = (int8_t)wl_random(&seed);
    for (u32 layer = 0; layer < size; layer++) {
        for (u32 row = 0; row < ROWS; row++)
            sums[row] = dot(weights + row * COLUMNS, input, COLUMNS);
        activate(input, sums);
        sum = wl_mix(sum, (u32)sums[layer % ROWS]);
    }
    for (u32 row = 0; row < ROWS; row++) sum = wl_mix(sum, (u32)sums[row]);
    return sum;
}
