/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm.c - matrices of f32 multiplied, 96 rows and columns. Both builds add the products of an
 * element in the same order. size: products.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { N = 96 };

#ifdef __wasm_simd128__
/* 2 rows by 8 columns at a time. */
static void multiply(float *out, const float *a, const float *b)
{
    for (u32 i = 0; i < N; i += 2) {
        for (u32 j = 0; j < N; j += 8) {
            v128_t sum00 = wasm_f32x4_const_splat(0), sum01 = sum00, sum10 = sum00, sum11 = sum00;
            for (u32 k = 0; k < N; k++) {
                v128_t left = wasm_v128_load(b + k * N + j),
                       right = wasm_v128_load(b + k * N + j + 4);
                v128_t upper = wasm_v128_load32_splat(a + i * N + k);
                v128_t lower = wasm_v128_load32_splat(a + (i + 1) * N + k);
                sum00 = wasm_f32x4_add(sum00, wasm_f32x4_mul(upper, left));
                sum01 = wasm_f32x4_add(sum01, wasm_f32x4_mul(upper, right));
                sum10 = wasm_f32x4_add(sum10, wasm_f32x4_mul(lower, left));
                sum11 = wasm_f32x4_add(sum11, wasm_f32x4_mul(lower, right));
            }
            wasm_v128_store(out + i * N + j, sum00);
            wasm_v128_store(out + i * N + j + 4, sum01);
            wasm_v128_store(out + (i + 1) * N + j, sum10);
            wasm_v128_store(out + (i + 1) * N + j + 4, sum11);
        }
    }
}
#else
static void multiply(float *out, const float *a, const float *b)
{
    for (u32 i = 0; i < N; i++) {
        for (u32 j = 0; j < N; j++) {
            float sum = 0;
            for (u32 k = 0; k < N; k++) sum += a[i * N + k] * b[k * N + j];
            out[i * N + j] = sum;
        }
    }
}
#endif

u64 workload(u32 size)
{
    float *a = wl_alloc(N * N * sizeof *a), *b = wl_alloc(N * N * sizeof *b);
    float *out = wl_alloc(N * N * sizeof *out);
    u32 seed = 96;
    u64 sum = 0;
    for (u32 i = 0; i < N * N; i++) {
        a[i] = (float)(wl_random(&seed) >> 16) / 32768 - 1;
        b[i] = (float)(wl_random(&seed) >> 16) / 32768 - 1;
    }
    for (u32 round = 0; round < size; round++) {
        multiply(out, a, b);
        u32 at = round % (N * N);
        a[at] = out[at] / 16;
        sum = wl_mix(sum, wl_double_bits((double)out[at]));
    }
    for (u32 i = 0; i < N * N; i++) sum = wl_mix(sum, wl_double_bits((double)out[i]));
    return sum;
}
