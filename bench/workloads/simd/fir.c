/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fir.c - a filter of f32 samples with 32 coefficients, mixed into a second track with a fading
 * volume. size: blocks of 4,096 samples.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { SAMPLES = 4096, TAPS = 32 };

#ifdef __wasm_simd128__
/* Four outputs at a time; each adds its products in the order of the coefficients. */
static void filter(float *to, const float *from, const float *taps)
{
    for (u32 i = 0; i < SAMPLES; i += 4) {
        v128_t sum = wasm_f32x4_const_splat(0);
        for (u32 k = 0; k < TAPS; k++) {
            v128_t product =
                wasm_f32x4_mul(wasm_v128_load32_splat(taps + k), wasm_v128_load(from + i + k));
            sum = wasm_f32x4_add(sum, product);
        }
        wasm_v128_store(to + i, sum);
    }
}

static void mix(float *to, const float *from, float volume, float step)
{
    v128_t volumes = wasm_f32x4_make(volume, volume + step, volume + 2 * step, volume + 3 * step);
    v128_t steps = wasm_f32x4_splat(4 * step);
    for (u32 i = 0; i < SAMPLES; i += 4) {
        v128_t sum =
            wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(from + i), volumes),
                           wasm_f32x4_mul(wasm_v128_load(to + i), wasm_f32x4_const_splat(0.5f)));
        sum = wasm_f32x4_pmin(wasm_f32x4_pmax(sum, wasm_f32x4_const_splat(-1)),
                              wasm_f32x4_const_splat(1));
        wasm_v128_store(to + i, sum);
        volumes = wasm_f32x4_add(volumes, steps);
    }
}
#else
static void filter(float *to, const float *from, const float *taps)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        float sum = 0;
        for (u32 k = 0; k < TAPS; k++) sum += taps[k] * from[i + k];
        to[i] = sum;
    }
}

/* Volumes are exact in both builds: `step` is a power of two. */
static void mix(float *to, const float *from, float volume, float step)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        float sum = from[i] * volume + to[i] * 0.5f;
        to[i] = sum > 1 ? 1 : sum < -1 ? -1 : sum;
        volume += step;
    }
}
#endif

u64 workload(u32 size)
{
    float *from = wl_alloc((SAMPLES + TAPS) * sizeof *from), *to = wl_alloc(SAMPLES * sizeof *to);
    float *filtered = wl_alloc(SAMPLES * sizeof *filtered);
    float taps[TAPS];
    u32 seed = 44100;
    u64 sum = 0;
    for (u32 i = 0; i < TAPS; i++) taps[i] = (float)(wl_random(&seed) >> 20) / 32768 - 0.0625f;
    for (u32 i = 0; i < SAMPLES + TAPS; i++) {
        from[i] = (float)(wl_random(&seed) >> 16) / 32768 - 1;
    }
    for (u32 round = 0; round < size; round++) {
        filter(filtered, from, taps);
        mix(to, filtered, (float)(round % 64) / 64, 1.0f / 8192);
        memcpy(from + round % TAPS, to, TAPS * sizeof *to);
        sum = wl_mix(sum, wl_double_bits((double)to[round % SAMPLES]));
    }
    for (u32 i = 0; i < SAMPLES; i++) sum = wl_mix(sum, wl_double_bits((double)to[i]));
    return sum;
}
