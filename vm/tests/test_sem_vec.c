/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions for which a machine has its own code against the loops over lanes, and what
 * moves lanes against arrays. The loops themselves: the specification's suite, and the fuzzers'
 * interpreter, which shares nothing with them. Compiled for the baseline, and for x86-64-v3 as
 * test_sem_vec_v3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sem/vec.h"

enum { RANDOM = 20000 };

/* ---- values: hostile lanes of every width in turn, then noise */

static const u64 lanes64[] = {0,
                              1,
                              UINT64_MAX,
                              0x8000000000000000,
                              0x7fffffffffffffff,
                              0x8000000080000000,
                              0x7fffffff7fffffff,
                              0x8000800080008000,
                              0x7fff7fff7fff7fff,
                              0x8080808080808080,
                              0x7f7f7f7f7f7f7f7f,
                              0x0f1f0e1e10110f0f,
                              0xff80007f0180ffff,
                              0x7fc000007f800000, /* f32: NaN, infinity */
                              0xffc00000ff800000,
                              0x7f800001ffa00000, /* signalling */
                              0x000000013f800000,
                              0xbf0000003fc00000, /* -0.5, 1.5 */
                              0x4f0000004effffff, /* 2^31, less */
                              0xcf000000cf000001,
                              0x4f8000004f7fffff, /* 2^32, less */
                              0x3ff8000000000000, /* f64: 1.5 */
                              0xbfe0000000000000,
                              0x7ff8000000000000,
                              0x7ff0000000000001,
                              0xfff0000000000000,
                              0x41e0000000000000, /* 2^31 */
                              0x41dfffffffe00000, /* 2^31 - 0.5 */
                              0xc1e0000000200000,
                              0x41f0000000000000, /* 2^32 */
                              0x41efffffffffffff,
                              0x4330000000000001};

static u64 next(u64 *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

/** The `i`-th of the vectors that everything is tried on. */
static v128 vector(u32 i, u64 *noise)
{
    const u32 n = VM_COUNT(lanes64);
    if (i < n * n) return (v128){lanes64[i / n], lanes64[i % n]};
    u64 a = next(noise), b = next(noise);
    /* floats near the limits of integers are rare among bits: some of each */
    if (i % 4 == 0) a = (a & 0x803fffff807fffff) | 0x4e0000004f000000;
    if (i % 4 == 1) b = (b & 0x800fffffffffffff) | 0x41d0000000000000;
    return (v128){a, b};
}

static void differ(const char *name, v128 a, v128 b, v128 got, v128 want)
{
    fail_msg("%s of %016llx%016llx, %016llx%016llx: %016llx%016llx, not %016llx%016llx", name,
             (unsigned long long)a[1], (unsigned long long)a[0], (unsigned long long)b[1],
             (unsigned long long)b[0], (unsigned long long)got[1], (unsigned long long)got[0],
             (unsigned long long)want[1], (unsigned long long)want[0]);
}

/** NaNs of `bits` may differ in what is not fixed: they become one. */
static v128 one_nan(v128 v, u32 bits)
{
    VEC_LANES(u32) w = {.v = v};
    VEC_LANES(u64) d = {.v = v};
    for (u32 i = 0; i < 4 && bits == 32; i++)
        if ((w.l[i] & 0x7fffffff) > 0x7f800000 && w.l[i] & 0x400000) w.l[i] = 0x7fc00000;
    for (u32 i = 0; i < 2 && bits == 64; i++)
        if ((d.l[i] & INT64_MAX) > 0x7ff0000000000000 && d.l[i] & (u64)1 << 51)
            d.l[i] = 0x7ff8000000000000;
    return bits == 32 ? w.v : bits == 64 ? d.v : v;
}

static bool same(v128 a, v128 b) { return a[0] == b[0] && a[1] == b[1]; }

#define TRY1(name, nan)                                                                            \
    do {                                                                                           \
        v128 got = one_nan(sem_##name(a), nan), want = one_nan(sem_plain_##name(a), nan);          \
        if (!same(got, want)) differ(#name, a, a, got, want);                                      \
    } while (0)
#define TRY2(name, nan)                                                                            \
    do {                                                                                           \
        v128 got = one_nan(sem_##name(a, b), nan), want = one_nan(sem_plain_##name(a, b), nan);    \
        if (!same(got, want)) differ(#name, a, b, got, want);                                      \
    } while (0)
#define TRY_MASK(name)                                                                             \
    do {                                                                                           \
        v128 got = {sem_##name(a), 0}, want = {sem_plain_##name(a), 0};                            \
        if (!same(got, want)) differ(#name, a, a, got, want);                                      \
    } while (0)

static void try_one(v128 a)
{
    TRY_MASK(i8x16_bitmask);
    TRY_MASK(i16x8_bitmask);
    TRY_MASK(i32x4_bitmask);
    TRY_MASK(i64x2_bitmask);
    TRY1(f32x4_ceil, 32);
    TRY1(f32x4_floor, 32);
    TRY1(f32x4_trunc, 32);
    TRY1(f32x4_nearest, 32);
    TRY1(f64x2_ceil, 64);
    TRY1(f64x2_floor, 64);
    TRY1(f64x2_trunc, 64);
    TRY1(f64x2_nearest, 64);
    TRY1(i32x4_trunc_sat_f32x4_s, 0);
    TRY1(i32x4_trunc_sat_f32x4_u, 0);
    TRY1(i32x4_trunc_sat_f64x2_s_zero, 0);
    TRY1(i32x4_trunc_sat_f64x2_u_zero, 0);
}

static void try_two(v128 a, v128 b)
{
    TRY2(i8x16_add_sat_u, 0);
    TRY2(i8x16_sub_sat_u, 0);
    TRY2(i16x8_add_sat_u, 0);
    TRY2(i16x8_sub_sat_u, 0);
    TRY2(i16x8_narrow_i32x4_u, 0);
    TRY2(i16x8_q15mulr_sat_s, 0);
    TRY2(i8x16_swizzle, 0);
    TRY2(f32x4_min, 32);
    TRY2(f32x4_max, 32);
    TRY2(f64x2_min, 64);
    TRY2(f64x2_max, 64);
    const v128 low = {0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f};
    v128 lanes = (b & low) | ((a ^ b) & (v128){0x1010101010101010, 0x1010101010101010});
    v128 got = sem_i8x16_shuffle(a, b, lanes), want = sem_plain_i8x16_shuffle(a, b, lanes);
    if (!same(got, want)) differ("i8x16_shuffle", a, b, got, want);
}

static void test_the_machines_own_are_the_loops(void **state)
{
    (void)state;
    const u32 fixed = VM_COUNT(lanes64) * VM_COUNT(lanes64);
    u64 noise = 7;
    v128 before = {0, 0};
    for (u32 i = 0; i < fixed + RANDOM; i++) {
        v128 a = vector(i, &noise);
        try_one(a);
        try_two(a, before);
        try_two(before, a);
        try_two(a, a);
        before = a;
    }
    for (u32 i = 0; i < fixed; i += 7)
        for (u32 k = 0; k < fixed; k++) try_two(vector(i, &noise), vector(k, &noise));
}

/* ---- lanes */

#define TRY_LANES(shape, T, extract, arg)                                                          \
    for (u32 lane = 0; lane < 16 / sizeof(T); lane++) {                                            \
        VEC_LANES(T) x = {.v = v};                                                                 \
        assert_true((arg)x.l[lane] == sem_##shape##_##extract(v, lane));                           \
    }
#define TRY_PUT(shape, T, arg)                                                                     \
    for (u32 lane = 0; lane < 16 / sizeof(T); lane++) {                                            \
        VEC_LANES(T) x = {.v = v};                                                                 \
        x.l[lane] = (T)value;                                                                      \
        if (!same(x.v, sem_##shape##_replace_lane(v, (arg)value, lane)))                           \
            differ(#shape "_replace_lane", v, v, sem_##shape##_replace_lane(v, (arg)value, lane),  \
                   x.v);                                                                           \
    }

static void test_lanes_are_those_of_an_array(void **state)
{
    (void)state;
    u64 noise = 11;
    for (u32 i = 0; i < 200; i++) {
        const v128 v = {next(&noise), next(&noise)};
        const u64 value = next(&noise);
        TRY_LANES(i8x16, u8, extract_lane_u, u32)
        TRY_LANES(i8x16, i8, extract_lane_s, u32)
        TRY_LANES(i16x8, u16, extract_lane_u, u32)
        TRY_LANES(i16x8, i16, extract_lane_s, u32)
        TRY_LANES(i32x4, u32, extract_lane, u32)
        TRY_LANES(i64x2, u64, extract_lane, u64)
        TRY_PUT(i8x16, u8, u32)
        TRY_PUT(i16x8, u16, u32)
        TRY_PUT(i32x4, u32, u32)
        TRY_PUT(i64x2, u64, u64)
    }
    for (u32 lane = 0; lane < 4; lane++) { /* also bits that are no number */
        const v128 v = {0x7f8000013f800000, 0xffc0000080000000};
        VEC_LANES(u32) x = {.v = v};
        assert_int_equal(vm_f32_bits(sem_f32x4_extract_lane(v, lane)), x.l[lane]);
        x.l[lane] = 0x42f60000;
        assert_true(same(sem_f32x4_replace_lane(v, 123.0f, lane), x.v));
    }
    for (u32 lane = 0; lane < 2; lane++) {
        const v128 v = {0x7ff0000000000001, 0x8000000000000000};
        VEC_LANES(u64) x = {.v = v};
        assert_int_equal(vm_f64_bits(sem_f64x2_extract_lane(v, lane)), x.l[lane]);
        x.l[lane] = 0x405ec00000000000;
        assert_true(same(sem_f64x2_replace_lane(v, 123.0, lane), x.v));
    }
}

/* ---- relaxed: what the decision says */

static void test_relaxed_results_are_the_documented_ones(void **state)
{
    (void)state;
    /* a product that only a fused addition would not round: (1 + 2^-12)^2 - 1 */
    const v128 a = sem_f32x4_splat(1.000244140625f), c = sem_f32x4_splat(-1.0f);
    assert_true(same(sem_f32x4_relaxed_madd(a, a, c), sem_f32x4_add(sem_f32x4_mul(a, a), c)));
    assert_int_equal(vm_f32_bits(sem_f32x4_extract_lane(sem_f32x4_relaxed_madd(a, a, c), 0)),
                     0x3a000000);
    const v128 low = sem_i8x16_splat(0x80), dot = sem_i16x8_relaxed_dot_i8x16_i7x16_s(low, low);
    assert_int_equal(sem_i16x8_extract_lane_u(dot, 3), 0x8000); /* 2 * 16384 wraps */
    const v128 far = sem_i8x16_splat(16);
    assert_int_equal(sem_v128_any_true(sem_i8x16_relaxed_swizzle(low, far)), 0);
    const v128 nan = sem_f32x4_splat(vm_f32_from_bits(0x7fc00000));
    assert_int_equal(sem_v128_any_true(sem_i32x4_relaxed_trunc_f32x4_s(nan)), 0);
}

int main(void)
{
#if defined(__x86_64__) && defined(__AVX2__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) {
        (void)puts("SKIPPED: test_sem_vec_v3: this processor is not x86-64-v3");
        return 0;
    }
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_machines_own_are_the_loops),
        cmocka_unit_test(test_lanes_are_those_of_an_array),
        cmocka_unit_test(test_relaxed_results_are_the_documented_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
