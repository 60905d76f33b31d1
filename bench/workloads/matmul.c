/* SPDX-License-Identifier: Apache-2.0 */
/* matmul.c - dense matrices of f64, f32 and i32 multiplied. size: rows and columns. */
#include "workload.h"

#define DEFINE_MULTIPLY(name, type)                                                                \
    static void name(type *out, const type *a, const type *b, u32 n)                               \
    {                                                                                              \
        for (u32 i = 0; i < n; i++) {                                                              \
            for (u32 j = 0; j < n; j++) {                                                          \
                type sum = 0;                                                                      \
                for (u32 k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];                    \
                out[i * n + j] = sum;                                                              \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_MULTIPLY(multiply_f64, double)
DEFINE_MULTIPLY(multiply_f32, float)
DEFINE_MULTIPLY(multiply_u32, u32)

u64 workload(u32 size)
{
    size_t count = (size_t)size * size;
    double *f64s = wl_alloc(3 * count * sizeof f64s[0]);
    float *f32s = wl_alloc(3 * count * sizeof f32s[0]);
    u32 *u32s = wl_alloc(3 * count * sizeof u32s[0]);
    u32 seed = 99;
    for (size_t i = count; i < 3 * count; i++) {
        u32 random = wl_random(&seed);
        f64s[i] = (double)(random >> 16) / 1024 - 32;
        f32s[i] = (float)(random & 1023) / 512 - 1;
        u32s[i] = random;
    }
    multiply_f64(f64s, f64s + count, f64s + 2 * count, size);
    multiply_f32(f32s, f32s + count, f32s + 2 * count, size);
    multiply_u32(u32s, u32s + count, u32s + 2 * count, size);
    u64 sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum = wl_mix(sum, wl_double_bits(f64s[i]));
        sum = wl_mix(sum, wl_double_bits((double)f32s[i]) + u32s[i]);
    }
    return sum;
}
