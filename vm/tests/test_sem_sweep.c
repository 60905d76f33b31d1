/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of vm/sem by independent references over edge and random bit patterns: NaN classes of every
 * float instruction, rounding against the C library, truncation, conversion, demotion and promotion
 * against exact integer arithmetic.
 */
#include "sem_uniform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 100000 };

static u64 random_state = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same numbers in every run. */
static u64 random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

/* Bits with the exponent near `bias`, so that the interesting range is met often. */
static u32 random_f32(void)
{
    u64 r = random_u64();
    if (r % 4 == 0) return (u32)(r >> 32);
    u32 exponent = 127 - 4 + (u32)(r >> 8) % 75;
    return ((u32)(r >> 32) & 0x807fffff) | exponent << 23;
}
static u64 random_f64(void)
{
    u64 r = random_u64(), pick = random_u64();
    if (pick % 4 == 0) return r;
    u64 exponent = 1023 - 4 + (pick >> 8) % 75;
    return (r & 0x800fffffffffffffu) | exponent << 52;
}

static const u32 grid32[] = {
    0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000, 0x3effffff, 0x3f000000,
    0x3f000001, 0x3f7fffff, 0x3f800000, 0xbf800000, 0x3fc00000, 0x40200000, 0xc0200000, 0x4affffff,
    0x4b000000, 0x4b000001, 0xcb000000, 0x4f000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
    0x7fc00000, 0xffc00000, 0x7fc00001, 0x7fa00000, 0xffa00000, 0x7f800001, 0x7fffffff, 0xffffffff,
};

static u64 widen(u32 x) /* the f64 of like shape */
{
    u64 sign = (u64)(x >> 31) << 63, exponent = x >> 23 & 0xff, fraction = x & 0x7fffff;
    u64 wide = exponent == 0 ? 0 : exponent == 0xff ? 0x7ff : exponent - 127 + 1023;
    u64 low = fraction & 1 ? ((u64)1 << 29) - 1 : 0;
    return sign | wide << 52 | (fraction << 29 | low);
}

static bool is_nan(u64 x, u32 width)
{
    return width == 32 ? ((u32)x & ~VM_F32_SIGN) > VM_F32_INF : (x & ~VM_F64_SIGN) > VM_F64_INF;
}
static bool is_canonical(u64 x, u32 width)
{
    return width == 32 ? is_canonical32((u32)x) : is_canonical64(x);
}
static bool is_arithmetic(u64 x, u32 width)
{
    return width == 32 ? is_arithmetic32((u32)x) : is_arithmetic64(x);
}

/* -------- NaN classes. spec aux-nans */

struct nan_op {
    const char *name;
    uniform_fn fn;
    u8 from, to; /* widths */
    u8 operands;
};

static void check_nan(const struct nan_op *op, u64 a, u64 b)
{
    u64 got = op->fn(a, b);
    bool a_nan = is_nan(a, op->from), b_nan = op->operands == 2 && is_nan(b, op->from);
    bool plain = (!a_nan || is_canonical(a, op->from)) && (!b_nan || is_canonical(b, op->from));
    bool good = true;
    if (a_nan || b_nan) good = is_nan(got, op->to);
    if (is_nan(got, op->to)) good = good && is_arithmetic(got, op->to);
    if (is_nan(got, op->to) && plain) good = good && is_canonical(got, op->to);
    if (!good)
        fail_msg("%s(%llx, %llx) = %llx", op->name, (unsigned long long)a, (unsigned long long)b,
                 (unsigned long long)got);
}

#define UN32(op) {"f32_" #op, w_f32_##op, 32, 32, 1}
#define UN64(op) {"f64_" #op, w_f64_##op, 64, 64, 1}
#define BIN32(op) {"f32_" #op, w_f32_##op, 32, 32, 2}
#define BIN64(op) {"f64_" #op, w_f64_##op, 64, 64, 2}

static void test_nan_results_are_quiet_and_canonical_where_due(void **state)
{
    (void)state;
    static const struct nan_op ops[] = {
        UN32(ceil),
        UN32(floor),
        UN32(trunc),
        UN32(nearest),
        UN32(sqrt),
        BIN32(add),
        BIN32(sub),
        BIN32(mul),
        BIN32(div),
        BIN32(min),
        BIN32(max),
        UN64(ceil),
        UN64(floor),
        UN64(trunc),
        UN64(nearest),
        UN64(sqrt),
        BIN64(add),
        BIN64(sub),
        BIN64(mul),
        BIN64(div),
        BIN64(min),
        BIN64(max),
        {"f64_promote_f32", w_f64_promote_f32, 32, 64, 1},
        {"f32_demote_f64", w_f32_demote_f64, 64, 32, 1},
    };
    for (usize i = 0; i < VM_COUNT(ops); i++) {
        for (usize j = 0; j < VM_COUNT(grid32); j++) {
            for (usize k = 0; k < VM_COUNT(grid32); k++) {
                bool narrow = ops[i].from == 32;
                check_nan(&ops[i], narrow ? grid32[j] : widen(grid32[j]),
                          narrow ? grid32[k] : widen(grid32[k]));
            }
        }
    }
}

/* -------- min and max, by the order of the bits */

/* Integers in the order of the floats, -0 just below +0. */
static i64 order(u64 x, u32 width)
{
    if (width == 32) return x >> 31 ? -(i64)(x & INT32_MAX) - 1 : (i64)x;
    return x >> 63 ? -(i64)(x & INT64_MAX) - 1 : (i64)x;
}

static void check_min_max(u64 a, u64 b, u32 width)
{
    if (is_nan(a, width) || is_nan(b, width)) return;
    u64 low = order(a, width) < order(b, width) ? a : b, high = low == a ? b : a;
    assert_int_equal(width == 32 ? w_f32_min(a, b) : w_f64_min(a, b), low);
    assert_int_equal(width == 32 ? w_f32_max(a, b) : w_f64_max(a, b), high);
}

static void test_min_max_follow_the_order(void **state)
{
    (void)state;
    for (usize j = 0; j < VM_COUNT(grid32); j++) {
        for (usize k = 0; k < VM_COUNT(grid32); k++) {
            check_min_max(grid32[j], grid32[k], 32);
            check_min_max(widen(grid32[j]), widen(grid32[k]), 64);
        }
    }
    for (u32 i = 0; i < ROUNDS; i++) {
        check_min_max(random_f32(), random_f32(), 32);
        check_min_max(random_f64(), random_f64(), 64);
    }
}

/* -------- rounding, against the C library */

static void check_round32(u32 bits)
{
    if (is_nan(bits, 32)) return;
    f32 x = vm_f32_from_bits(bits);
    assert_int_equal(w_f32_ceil(bits, 0), vm_f32_bits(ceilf(x)));
    assert_int_equal(w_f32_floor(bits, 0), vm_f32_bits(floorf(x)));
    assert_int_equal(w_f32_trunc(bits, 0), vm_f32_bits(truncf(x)));
    assert_int_equal(w_f32_nearest(bits, 0), vm_f32_bits(rintf(x)));
}

static void check_round64(u64 bits)
{
    if (is_nan(bits, 64)) return;
    f64 x = vm_f64_from_bits(bits);
    assert_int_equal(w_f64_ceil(bits, 0), vm_f64_bits(ceil(x)));
    assert_int_equal(w_f64_floor(bits, 0), vm_f64_bits(floor(x)));
    assert_int_equal(w_f64_trunc(bits, 0), vm_f64_bits(trunc(x)));
    assert_int_equal(w_f64_nearest(bits, 0), vm_f64_bits(rint(x)));
}

static void test_rounding_agrees_with_libm(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(grid32); i++) {
        check_round32(grid32[i]);
        check_round64(widen(grid32[i]));
    }
    for (i32 half = -2000; half <= 2000; half++) { /* ties, and just off them */
        u32 x = vm_f32_bits((f32)half * 0.5f);
        u64 y = vm_f64_bits((f64)half * 0.5);
        for (i32 off = -1; off <= 1; off++) {
            check_round32(x + (u32)off);
            check_round64(y + (u64)(i64)off);
        }
    }
    for (u32 i = 0; i < ROUNDS; i++) {
        check_round32(random_f32());
        check_round64(random_f64());
    }
}

/* -------- truncation, by exact integers */

struct whole {
    bool nan, large; /* large: beyond 2^100 or infinite */
    bool negative;
    unsigned __int128 magnitude; /* of the whole part */
};

static struct whole whole_of(u64 bits, u32 width)
{
    u32 fraction_bits = width == 32 ? 23 : 52, exponent_bits = width == 32 ? 8 : 11;
    u64 fraction = bits & (((u64)1 << fraction_bits) - 1);
    i32 exponent = (i32)(bits >> fraction_bits & (((u64)1 << exponent_bits) - 1));
    i32 top = (1 << exponent_bits) - 1, bias = top / 2;
    struct whole w = {.negative = bits >> (width - 1) & 1};
    w.nan = exponent == top && fraction != 0;
    w.large = exponent - bias > 100;
    if (w.nan || w.large || exponent < bias) return w; /* below 1: whole part 0 */
    unsigned __int128 m = fraction | (u64)1 << fraction_bits;
    i32 shift = exponent - bias - (i32)fraction_bits;
    w.magnitude = shift >= 0 ? m << shift : m >> -shift;
    return w;
}

struct trunc_op {
    const char *name;
    uniform_fn trap, value, sat;
    u8 from, to;
    bool is_signed;
};

static void check_trunc(const struct trunc_op *op, u64 bits)
{
    struct whole w = whole_of(bits, op->from);
    unsigned __int128 limit = (unsigned __int128)1 << (op->is_signed ? op->to - 1 : op->to);
    u64 mask = op->to == 32 ? UINT32_MAX : UINT64_MAX, ends[2] = {0, mask};
    if (op->is_signed) {
        ends[0] = (u64)1 << (op->to - 1);
        ends[1] = ends[0] - 1;
    }
    bool fits = w.negative ? w.magnitude <= (op->is_signed ? limit : 0) : w.magnitude < limit;
    u32 trap = w.nan ? VM_TRAP_INT_CONVERSION : w.large || !fits ? VM_TRAP_INT_OVERFLOW : 0;
    u64 m = (u64)w.magnitude, value = (w.negative ? 0 - m : m) & mask;
    u64 sat = w.nan ? 0 : trap ? ends[!w.negative] : value;
    bool good = op->trap(bits, 0) == trap && op->sat(bits, 0) == sat;
    if (!trap) good = good && op->value(bits, 0) == value;
    if (!good) fail_msg("%s(0x%llx)", op->name, (unsigned long long)bits);
}

#define TRUNC(to, from, sign, is_signed)                                                           \
    {"i" #to "_trunc_f" #from "_" #sign,                                                           \
     w_i##to##_trunc_f##from##_##sign##_trap,                                                      \
     w_i##to##_trunc_f##from##_##sign,                                                             \
     w_i##to##_trunc_sat_f##from##_##sign,                                                         \
     from,                                                                                         \
     to,                                                                                           \
     is_signed}

static void test_truncation_is_exact(void **state)
{
    (void)state;
    static const struct trunc_op ops[] = {
        TRUNC(32, 32, s, true),  TRUNC(32, 32, u, false), TRUNC(32, 64, s, true),
        TRUNC(32, 64, u, false), TRUNC(64, 32, s, true),  TRUNC(64, 32, u, false),
        TRUNC(64, 64, s, true),  TRUNC(64, 64, u, false),
    };
    for (usize i = 0; i < VM_COUNT(ops); i++) {
        bool narrow = ops[i].from == 32;
        for (usize j = 0; j < VM_COUNT(grid32); j++) {
            check_trunc(&ops[i], narrow ? grid32[j] : widen(grid32[j]));
        }
        for (u32 power = 0; power < 70; power++) { /* each power of two and both neighbours */
            for (i32 off = -1; off <= 1; off++) {
                u64 x = narrow ? (127ull + power) << 23 : (1023ull + power) << 52;
                u64 sign = narrow ? VM_F32_SIGN : VM_F64_SIGN;
                check_trunc(&ops[i], x + (u64)(i64)off);
                check_trunc(&ops[i], (x + (u64)(i64)off) | sign);
            }
        }
        for (u32 k = 0; k < ROUNDS; k++) {
            check_trunc(&ops[i], narrow ? random_f32() : random_f64());
        }
    }
}

/* -------- integers to floats, and demotion: one exact rounding to nearest even */

/* Float bits of magnitude * 2^exponent, for results in the normal or subnormal range. */
static u64 round_to(u64 magnitude, i32 exponent, bool negative, u32 width)
{
    u32 fraction_bits = width == 32 ? 23 : 52;
    i32 bias = width == 32 ? 127 : 1023;
    u64 sign = (u64)negative << (width - 1);
    if (magnitude == 0) return sign;
    i32 top = 63 - (i32)vm_clz64(magnitude);             /* 2^top <= magnitude */
    i32 scale = top + exponent;                          /* of the value */
    i32 unit = (scale < 1 - bias ? 1 - bias : scale) - (i32)fraction_bits; /* 2^unit: last bit */
    i32 drop = unit - exponent;
    u64 kept;
    if (drop <= 0) {
        kept = magnitude << -drop;
    } else if (drop > 64) {
        kept = 0;
    } else {
        u64 whole = drop == 64 ? 0 : magnitude >> drop, half = (u64)1 << (drop - 1);
        u64 rest = drop == 64 ? magnitude : magnitude & (((u64)1 << drop) - 1);
        kept = whole + (rest > half || (rest == half && (whole & 1)));
    }
    /* The leading bit of a normal result, and any carry, add to the exponent field by themselves.
     */
    u64 field = scale < 1 - bias ? 0 : (u64)(scale + bias - 1);
    u64 bits = (field << fraction_bits) + kept;
    u64 inf = width == 32 ? VM_F32_INF : VM_F64_INF;
    return sign | (bits > inf ? inf : bits);
}

static void check_convert(u64 x)
{
    bool low_negative = (u32)x >> 31, negative = x >> 63;
    u64 low = low_negative ? (u32) - (u32)x : (u32)x, all = negative ? 0 - x : x;
    assert_int_equal(w_f32_convert_i32_s(x, 0), round_to(low, 0, low_negative, 32));
    assert_int_equal(w_f64_convert_i32_s(x, 0), round_to(low, 0, low_negative, 64));
    assert_int_equal(w_f32_convert_i32_u(x, 0), round_to((u32)x, 0, false, 32));
    assert_int_equal(w_f64_convert_i32_u(x, 0), round_to((u32)x, 0, false, 64));
    assert_int_equal(w_f32_convert_i64_s(x, 0), round_to(all, 0, negative, 32));
    assert_int_equal(w_f64_convert_i64_s(x, 0), round_to(all, 0, negative, 64));
    assert_int_equal(w_f32_convert_i64_u(x, 0), round_to(x, 0, false, 32));
    assert_int_equal(w_f64_convert_i64_u(x, 0), round_to(x, 0, false, 64));
}

static void test_conversion_rounds_once_to_even(void **state)
{
    (void)state;
    for (u32 power = 0; power < 64; power++) {
        for (u32 second = 0; second <= power; second++) { /* ties and their neighbours */
            for (i32 off = -1; off <= 1; off++) {
                u64 x = ((u64)1 << power | (u64)1 << second) + (u64)(i64)off;
                check_convert(x);
                check_convert(0 - x);
                check_convert(x | x << 1);
            }
        }
    }
    for (u32 i = 0; i < ROUNDS; i++) {
        check_convert(random_u64() >> random_u64() % 64);
    }
}

static void check_demote(u64 bits)
{
    i32 exponent = (i32)(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff) return;
    u64 fraction = bits & 0xfffffffffffffu;
    u64 magnitude = exponent ? fraction | (u64)1 << 52 : fraction;
    i32 unit = (exponent ? exponent : 1) - 1023 - 52;
    u64 want =
        unit > 127 ? (bits >> 63) << 31 | VM_F32_INF : round_to(magnitude, unit, bits >> 63, 32);
    if (w_f32_demote_f64(bits, 0) != want) fail_msg("demote 0x%llx", (unsigned long long)bits);
}

static void test_demotion_and_promotion_are_exact(void **state)
{
    (void)state;
    for (u64 exponent = 1023 - 152; exponent <= 1023 + 130; exponent++) {
        for (u32 i = 0; i < 300; i++) {
            u64 fraction = random_u64() >> 12;
            if (i % 3 == 0) fraction &= ~(u64)0 << (26 + i % 26); /* ties */
            check_demote((u64)(i & 1) << 63 | exponent << 52 | fraction);
        }
    }
    check_demote(VM_F64_SIGN);
    check_demote(1);
    for (u32 i = 0; i < ROUNDS; i++) {
        u32 x = (u32)random_u64();
        if (!is_nan(x, 32)) assert_int_equal(w_f32_demote_f64(w_f64_promote_f32(x, 0), 0), x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nan_results_are_quiet_and_canonical_where_due),
        cmocka_unit_test(test_min_max_follow_the_order),
        cmocka_unit_test(test_rounding_agrees_with_libm),
        cmocka_unit_test(test_truncation_is_exact),
        cmocka_unit_test(test_conversion_rounds_once_to_even),
        cmocka_unit_test(test_demotion_and_promotion_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
