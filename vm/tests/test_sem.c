/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vm/sem: edge tables of every scalar numeric instruction. Sweeps are in test_sem_sweep.c.
 */
#include "sem_uniform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a result must be: the bits, or a NaN of a class (spec aux-nans). */
enum want { BITS, CANONICAL, ARITHMETIC };

struct row {
    const char *name;
    uniform_fn fn;
    u64 a, b, bits;
    enum want want;
    u8 width; /* of the result, for NaN classes */
};

#define R(op, a, b, bits) {#op, w_##op, a, b, bits, BITS, 0}
#define C(op, a, b, width) {#op, w_##op, a, b, 0, CANONICAL, width}
#define A(op, a, b, width) {#op, w_##op, a, b, 0, ARITHMETIC, width}

static bool is_wanted(const struct row *r, u64 got)
{
    switch (r->want) {
    case CANONICAL: return r->width == 32 ? is_canonical32((u32)got) : is_canonical64(got);
    case ARITHMETIC: return r->width == 32 ? is_arithmetic32((u32)got) : is_arithmetic64(got);
    default: return got == r->bits;
    }
}

static void check_rows(const struct row *rows, usize count)
{
    for (usize i = 0; i < count; i++) {
        u64 got = rows[i].fn(rows[i].a, rows[i].b);
        if (!is_wanted(&rows[i], got))
            fail_msg("%s(0x%llx, 0x%llx) = 0x%llx, not 0x%llx", rows[i].name,
                     (unsigned long long)rows[i].a, (unsigned long long)rows[i].b,
                     (unsigned long long)got, (unsigned long long)rows[i].bits);
    }
}

#define MIN32 0x80000000u
#define MAX32 0x7fffffffu
#define ONES32 0xffffffffu
#define MIN64 0x8000000000000000u
#define MAX64 0x7fffffffffffffffu
#define ONES64 0xffffffffffffffffu

// clang-format off
static const struct row i32_rows[] = {
    R(i32_clz, 0, 0, 32), R(i32_clz, 1, 0, 31), R(i32_clz, MIN32, 0, 0), R(i32_clz, ONES32, 0, 0),
    R(i32_ctz, 0, 0, 32), R(i32_ctz, 1, 0, 0), R(i32_ctz, MIN32, 0, 31), R(i32_ctz, 0x10, 0, 4),
    R(i32_popcnt, 0, 0, 0), R(i32_popcnt, ONES32, 0, 32), R(i32_popcnt, 0xdeadbeef, 0, 24),
    R(i32_add, ONES32, 1, 0), R(i32_add, MAX32, 1, MIN32), R(i32_add, MIN32, MIN32, 0),
    R(i32_sub, 0, 1, ONES32), R(i32_sub, MIN32, 1, MAX32), R(i32_sub, 5, 5, 0),
    R(i32_mul, 0x10000, 0x10000, 0), R(i32_mul, MIN32, ONES32, MIN32), R(i32_mul, ONES32, ONES32, 1),
    R(i32_mul, 0x01234567, 0x76543210, 0x358e7470),
    R(i32_div_s, 7, (u32)-3, (u32)-2), R(i32_div_s, (u32)-7, 3, (u32)-2), R(i32_div_s, MIN32, 1, MIN32),
    R(i32_div_s, MIN32, 2, 0xc0000000), R(i32_div_s, MAX32, ONES32, 0x80000001), R(i32_div_s, 0, ONES32, 0),
    R(i32_div_u, 7, 3, 2), R(i32_div_u, MIN32, ONES32, 0), R(i32_div_u, ONES32, 1, ONES32),
    R(i32_rem_s, 7, (u32)-3, 1), R(i32_rem_s, (u32)-7, 3, (u32)-1), R(i32_rem_s, MIN32, ONES32, 0),
    R(i32_rem_s, MIN32, 3, (u32)-2), R(i32_rem_s, 5, ONES32, 0),
    R(i32_rem_u, 7, 3, 1), R(i32_rem_u, MIN32, ONES32, MIN32), R(i32_rem_u, (u32)-5, 2, 1),
    R(i32_and, 0xf0f0f0f0, 0xffff0000, 0xf0f00000), R(i32_or, 0xf0f0f0f0, 0xffff0000, 0xfffff0f0),
    R(i32_xor, 0xf0f0f0f0, 0xffff0000, 0x0f0ff0f0),
    R(i32_shl, 1, 31, MIN32), R(i32_shl, 1, 32, 1), R(i32_shl, 1, 33, 2), R(i32_shl, 1, ONES32, MIN32),
    R(i32_shr_s, MIN32, 31, ONES32), R(i32_shr_s, MIN32, 32, MIN32), R(i32_shr_s, MAX32, 30, 1),
    R(i32_shr_s, ONES32, ONES32, ONES32),
    R(i32_shr_u, MIN32, 31, 1), R(i32_shr_u, MIN32, 32, MIN32), R(i32_shr_u, ONES32, 33, MAX32),
    R(i32_rotl, 0xabcd9876, 1, 0x579b30ed), R(i32_rotl, 1, 0, 1), R(i32_rotl, 1, 32, 1),
    R(i32_rotl, MIN32, 33, 1), R(i32_rotl, 0xfe00dc00, 4, 0xe00dc00f), R(i32_rotl, 1, ONES32, MIN32),
    R(i32_rotr, 1, 1, MIN32), R(i32_rotr, 1, 0, 1), R(i32_rotr, 1, 32, 1),
    R(i32_rotr, 0xb0c1d2e3, 0xff05, 0x1d860e97), R(i32_rotr, MIN32, 31, 1),
    R(i32_eqz, 0, 0, 1), R(i32_eqz, 1, 0, 0), R(i32_eqz, MIN32, 0, 0),
    R(i32_eq, 5, 5, 1), R(i32_eq, 5, MIN32, 0), R(i32_ne, 5, 5, 0), R(i32_ne, 5, MIN32, 1),
    R(i32_lt_s, MIN32, MAX32, 1), R(i32_lt_u, MIN32, MAX32, 0), R(i32_lt_s, 1, 1, 0), R(i32_lt_u, 0, ONES32, 1),
    R(i32_gt_s, MIN32, MAX32, 0), R(i32_gt_u, MIN32, MAX32, 1), R(i32_gt_s, 0, ONES32, 1), R(i32_gt_u, 1, 1, 0),
    R(i32_le_s, ONES32, 0, 1), R(i32_le_u, ONES32, 0, 0), R(i32_le_s, 1, 1, 1), R(i32_le_u, 1, 1, 1),
    R(i32_ge_s, ONES32, 0, 0), R(i32_ge_u, ONES32, 0, 1), R(i32_ge_s, 1, 1, 1), R(i32_ge_u, 0, 1, 0),
    R(i32_extend8_s, 0x7f, 0, 0x7f), R(i32_extend8_s, 0x80, 0, 0xffffff80), R(i32_extend8_s, 0x12345600, 0, 0),
    R(i32_extend16_s, 0x7fff, 0, 0x7fff), R(i32_extend16_s, 0x8000, 0, 0xffff8000),
    R(i32_extend16_s, 0xfedc0000, 0, 0),
    R(i32_wrap_i64, 0xfedcba9880000000, 0, MIN32), R(i32_wrap_i64, ONES64, 0, ONES32),
};

static const struct row i64_rows[] = {
    R(i64_clz, 0, 0, 64), R(i64_clz, 1, 0, 63), R(i64_clz, MIN64, 0, 0), R(i64_clz, 1ull << 32, 0, 31),
    R(i64_ctz, 0, 0, 64), R(i64_ctz, 1, 0, 0), R(i64_ctz, MIN64, 0, 63), R(i64_ctz, 1ull << 32, 0, 32),
    R(i64_popcnt, 0, 0, 0), R(i64_popcnt, ONES64, 0, 64), R(i64_popcnt, 0xdeadbeefdeadbeef, 0, 48),
    R(i64_add, ONES64, 1, 0), R(i64_add, MAX64, 1, MIN64), R(i64_add, ONES32, 1, 1ull << 32),
    R(i64_sub, 0, 1, ONES64), R(i64_sub, MIN64, 1, MAX64),
    R(i64_mul, 1ull << 32, 1ull << 32, 0), R(i64_mul, MIN64, ONES64, MIN64), R(i64_mul, ONES64, ONES64, 1),
    R(i64_div_s, 7, -3ull, -2ull), R(i64_div_s, -7ull, 3, -2ull), R(i64_div_s, MIN64, 2, 0xc000000000000000),
    R(i64_div_s, MAX64, ONES64, MIN64 + 1),
    R(i64_div_u, MIN64, ONES64, 0), R(i64_div_u, ONES64, 10, 1844674407370955161),
    R(i64_rem_s, 7, -3ull, 1), R(i64_rem_s, -7ull, 3, -1ull), R(i64_rem_s, MIN64, ONES64, 0),
    R(i64_rem_s, MIN64, 3, -2ull),
    R(i64_rem_u, MIN64, ONES64, MIN64), R(i64_rem_u, ONES64, 10, 5),
    R(i64_and, 0xf0f0f0f0ffffffff, 0xfffff0f0f0f0, 0xf0f0f0f0f0f0),
    R(i64_or, 1ull << 63, 1, MIN64 + 1), R(i64_xor, ONES64, 1, ONES64 - 1),
    R(i64_shl, 1, 63, MIN64), R(i64_shl, 1, 64, 1), R(i64_shl, 1, ONES64, MIN64), R(i64_shl, 1, 1ull << 32, 1),
    R(i64_shr_s, MIN64, 63, ONES64), R(i64_shr_s, MIN64, 64, MIN64), R(i64_shr_s, MAX64, 62, 1),
    R(i64_shr_u, MIN64, 63, 1), R(i64_shr_u, MIN64, 64, MIN64), R(i64_shr_u, ONES64, 65, MAX64),
    R(i64_rotl, 1, 0, 1), R(i64_rotl, 1, 64, 1), R(i64_rotl, MIN64, 1, 1), R(i64_rotl, 1, ONES64, MIN64),
    R(i64_rotl, 0xabcd987602468ace, 1, 0x579b30ec048d159d),
    R(i64_rotr, 1, 1, MIN64), R(i64_rotr, 1, 0, 1), R(i64_rotr, 1, 64, 1), R(i64_rotr, MIN64, 63, 1),
    R(i64_eqz, 0, 0, 1), R(i64_eqz, 1ull << 32, 0, 0), R(i64_eqz, MIN64, 0, 0),
    R(i64_eq, 1ull << 32, 0, 0), R(i64_eq, ONES64, ONES64, 1), R(i64_ne, 1ull << 32, 0, 1), R(i64_ne, 3, 3, 0),
    R(i64_lt_s, MIN64, MAX64, 1), R(i64_lt_u, MIN64, MAX64, 0), R(i64_lt_s, 1, 1, 0), R(i64_lt_u, 0, ONES64, 1),
    R(i64_gt_s, MIN64, MAX64, 0), R(i64_gt_u, MIN64, MAX64, 1), R(i64_gt_s, 0, ONES64, 1), R(i64_gt_u, 1, 1, 0),
    R(i64_le_s, ONES64, 0, 1), R(i64_le_u, ONES64, 0, 0), R(i64_le_s, 1, 1, 1), R(i64_le_u, 1, 1, 1),
    R(i64_ge_s, ONES64, 0, 0), R(i64_ge_u, ONES64, 0, 1), R(i64_ge_s, 1, 1, 1), R(i64_ge_u, 0, 1, 0),
    R(i64_extend8_s, 0x7f, 0, 0x7f), R(i64_extend8_s, 0x80, 0, -128ull), R(i64_extend8_s, 0x0123456789abcd00, 0, 0),
    R(i64_extend16_s, 0x8000, 0, -32768ull), R(i64_extend16_s, 0x123456789abc7fff, 0, 0x7fff),
    R(i64_extend32_s, 0x80000000, 0, 0xffffffff80000000), R(i64_extend32_s, 0xfedcba987fffffff, 0, MAX32),
    R(i64_extend_i32_s, MIN32, 0, 0xffffffff80000000), R(i64_extend_i32_s, MAX32, 0, MAX32),
    R(i64_extend_i32_u, MIN32, 0, MIN32), R(i64_extend_i32_u, ONES32, 0, ONES32),
};

/* f32 patterns */
#define F_0 0x00000000u
#define F_N0 0x80000000u
#define F_1 0x3f800000u
#define F_N1 0xbf800000u
#define F_INF 0x7f800000u
#define F_NINF 0xff800000u
#define F_NAN 0x7fc00000u
#define F_NNAN 0xffc00000u
#define F_SNAN 0x7fa00000u
#define F_NSNAN 0xff800001u
#define F_PNAN 0x7fe12345u
#define F_MIN 0x00000001u
#define F_MAX 0x7f7fffffu

static const struct row f32_rows[] = {
    R(f32_abs, F_N0, 0, F_0), R(f32_abs, F_NSNAN, 0, 0x7f800001), R(f32_abs, F_NINF, 0, F_INF),
    R(f32_neg, F_0, 0, F_N0), R(f32_neg, F_SNAN, 0, 0xffa00000), R(f32_neg, F_NNAN, 0, F_NAN),
    R(f32_copysign, F_SNAN, F_NNAN, 0xffa00000), R(f32_copysign, F_NINF, F_NAN, F_INF),
    R(f32_copysign, F_1, F_N0, F_N1), R(f32_copysign, F_N1, F_N1, F_N1),
    R(f32_ceil, F_N0, 0, F_N0), R(f32_ceil, 0xbf000000, 0, F_N0), R(f32_ceil, 0x3f000000, 0, F_1),
    R(f32_ceil, F_MIN, 0, F_1), R(f32_ceil, 0x80000001, 0, F_N0), R(f32_ceil, F_INF, 0, F_INF),
    R(f32_ceil, 0x4affffff, 0, 0x4b000000), R(f32_ceil, F_MAX, 0, F_MAX), C(f32_ceil, F_NAN, 0, 32),
    A(f32_ceil, F_SNAN, 0, 32),
    R(f32_floor, F_N0, 0, F_N0), R(f32_floor, 0xbf000000, 0, F_N1), R(f32_floor, 0x3f7fffff, 0, F_0),
    R(f32_floor, 0x80000001, 0, F_N1), R(f32_floor, F_NINF, 0, F_NINF), R(f32_floor, 0xcaffffff, 0, 0xcb000000),
    C(f32_floor, F_NNAN, 0, 32), A(f32_floor, F_NSNAN, 0, 32),
    R(f32_trunc, 0xbf7fffff, 0, F_N0), R(f32_trunc, F_N0, 0, F_N0), R(f32_trunc, 0x4affffff, 0, 0x4afffffe),
    R(f32_trunc, F_MAX, 0, F_MAX), A(f32_trunc, F_SNAN, 0, 32),
    R(f32_nearest, 0x3f000000, 0, F_0), R(f32_nearest, 0xbf000000, 0, F_N0), R(f32_nearest, 0x3fc00000, 0, 0x40000000),
    R(f32_nearest, 0x40200000, 0, 0x40000000), R(f32_nearest, 0xc0200000, 0, 0xc0000000),
    R(f32_nearest, 0x4affffff, 0, 0x4b000000), R(f32_nearest, 0x4b000001, 0, 0x4b000001),
    R(f32_nearest, F_N0, 0, F_N0), R(f32_nearest, 0x3f000001, 0, F_1), A(f32_nearest, F_SNAN, 0, 32),
    R(f32_sqrt, F_N0, 0, F_N0), R(f32_sqrt, 0x40800000, 0, 0x40000000), R(f32_sqrt, 0x40000000, 0, 0x3fb504f3),
    R(f32_sqrt, F_INF, 0, F_INF), C(f32_sqrt, F_N1, 0, 32), C(f32_sqrt, F_NINF, 0, 32), A(f32_sqrt, F_SNAN, 0, 32),
    R(f32_add, F_0, F_N0, F_0), R(f32_add, F_N0, F_N0, F_N0), R(f32_add, F_MAX, F_MAX, F_INF),
    R(f32_add, F_1, 0x33800000, F_1), R(f32_add, F_1, 0x33800001, 0x3f800001),
    R(f32_add, F_MIN, F_MIN, 2), C(f32_add, F_INF, F_NINF, 32), A(f32_add, F_1, F_SNAN, 32), A(f32_add, F_PNAN, F_1, 32),
    R(f32_sub, F_0, F_0, F_0), R(f32_sub, F_N0, F_0, F_N0), C(f32_sub, F_INF, F_INF, 32),
    R(f32_mul, F_0, F_N1, F_N0), R(f32_mul, F_MIN, 0x3f000000, F_0), C(f32_mul, F_0, F_INF, 32),
    R(f32_mul, F_MAX, 0x40000000, F_INF), C(f32_mul, F_NAN, F_0, 32),
    R(f32_div, F_1, F_0, F_INF), R(f32_div, F_1, F_N0, F_NINF), R(f32_div, F_1, 0x40400000, 0x3eaaaaab),
    C(f32_div, F_0, F_N0, 32), C(f32_div, F_INF, F_INF, 32), R(f32_div, F_N1, F_INF, F_N0),
    R(f32_min, F_0, F_N0, F_N0), R(f32_min, F_N0, F_0, F_N0), R(f32_min, F_0, F_0, F_0), R(f32_min, F_1, F_N1, F_N1),
    R(f32_min, F_INF, F_1, F_1), R(f32_min, F_NINF, F_1, F_NINF), C(f32_min, F_NAN, F_1, 32), C(f32_min, F_1, F_NNAN, 32),
    A(f32_min, F_SNAN, F_1, 32), A(f32_min, F_1, F_NSNAN, 32), A(f32_min, F_NAN, F_SNAN, 32),
    R(f32_max, F_0, F_N0, F_0), R(f32_max, F_N0, F_0, F_0), R(f32_max, F_N0, F_N0, F_N0), R(f32_max, F_1, F_N1, F_1),
    R(f32_max, F_NINF, F_N1, F_N1), C(f32_max, F_NAN, F_INF, 32), A(f32_max, F_1, F_SNAN, 32), A(f32_max, F_SNAN, F_NAN, 32),
    R(f32_eq, F_0, F_N0, 1), R(f32_eq, F_NAN, F_NAN, 0), R(f32_ne, F_NAN, F_NAN, 1), R(f32_ne, F_0, F_N0, 0),
    R(f32_lt, F_N1, F_1, 1), R(f32_lt, F_NAN, F_1, 0), R(f32_gt, F_INF, F_MAX, 1), R(f32_gt, F_1, F_NAN, 0),
    R(f32_le, F_0, F_N0, 1), R(f32_le, F_NAN, F_NAN, 0), R(f32_ge, F_N0, F_0, 1), R(f32_ge, F_SNAN, F_1, 0),
    R(f32_lt, F_N0, F_0, 0), R(f32_gt, F_1, F_1, 0), R(f32_le, F_1, F_N1, 0), R(f32_ge, F_N1, F_1, 0),
    R(f32_reinterpret_i32, F_SNAN, 0, F_SNAN), R(i32_reinterpret_f32, F_NSNAN, 0, F_NSNAN),
    R(f32_demote_f64, 0x3ff0000000000000, 0, F_1), R(f32_demote_f64, 0x8000000000000001, 0, F_N0),
    R(f32_demote_f64, 0x47efffffefffffff, 0, F_MAX), R(f32_demote_f64, 0x47effffff0000000, 0, F_INF),
    R(f32_demote_f64, 0x36a0000000000000, 0, F_MIN), R(f32_demote_f64, 0x3690000000000000, 0, F_0),
    R(f32_demote_f64, 0x3690000000000001, 0, F_MIN), C(f32_demote_f64, 0x7ff8000000000000, 0, 32),
    A(f32_demote_f64, 0x7ff4000000000000, 0, 32), A(f32_demote_f64, 0x7ff0000000000001, 0, 32),
    R(f32_convert_i32_s, MIN32, 0, 0xcf000000), R(f32_convert_i32_s, MAX32, 0, 0x4f000000),
    R(f32_convert_i32_s, 16777217, 0, 0x4b800000), R(f32_convert_i32_s, 16777219, 0, 0x4b800002),
    R(f32_convert_i32_s, ONES32, 0, F_N1), R(f32_convert_i32_u, ONES32, 0, 0x4f800000),
    R(f32_convert_i32_u, MIN32, 0, 0x4f000000), R(f32_convert_i32_u, 0x80000080, 0, 0x4f000000),
    R(f32_convert_i32_u, 0x80000081, 0, 0x4f000001), R(f32_convert_i32_u, 0, 0, 0),
    R(f32_convert_i64_s, MIN64, 0, 0xdf000000), R(f32_convert_i64_s, MAX64, 0, 0x5f000000),
    R(f32_convert_i64_s, 0x7fffff4000000001, 0, 0x5effffff), R(f32_convert_i64_s, 0x8000004000000001, 0, 0xdeffffff),
    R(f32_convert_i64_u, ONES64, 0, 0x5f800000), R(f32_convert_i64_u, 0x8000008000000000, 0, 0x5f000000),
    R(f32_convert_i64_u, 0x8000008000000001, 0, 0x5f000001), R(f32_convert_i64_u, 0xfffffe8000000001, 0, 0x5f7fffff),
    R(f32_convert_i64_u, 0x0020000020000001, 0, 0x5a000001),
};

/* f64 patterns */
#define D_0 0x0000000000000000u
#define D_N0 0x8000000000000000u
#define D_1 0x3ff0000000000000u
#define D_N1 0xbff0000000000000u
#define D_INF 0x7ff0000000000000u
#define D_NINF 0xfff0000000000000u
#define D_NAN 0x7ff8000000000000u
#define D_NNAN 0xfff8000000000000u
#define D_SNAN 0x7ff4000000000000u
#define D_NSNAN 0xfff0000000000001u
#define D_MIN 0x0000000000000001u
#define D_MAX 0x7fefffffffffffffu

static const struct row f64_rows[] = {
    R(f64_abs, D_N0, 0, D_0), R(f64_abs, D_NSNAN, 0, 0x7ff0000000000001), R(f64_neg, D_0, 0, D_N0),
    R(f64_neg, D_SNAN, 0, 0xfff4000000000000), R(f64_copysign, D_SNAN, D_N0, 0xfff4000000000000),
    R(f64_copysign, D_NINF, D_NAN, D_INF),
    R(f64_ceil, D_N0, 0, D_N0), R(f64_ceil, 0xbfe0000000000000, 0, D_N0), R(f64_ceil, D_MIN, 0, D_1),
    R(f64_ceil, 0x432fffffffffffff, 0, 0x4330000000000000), R(f64_ceil, D_MAX, 0, D_MAX), C(f64_ceil, D_NAN, 0, 64),
    A(f64_ceil, D_SNAN, 0, 64), R(f64_ceil, 0x8000000000000001, 0, D_N0),
    R(f64_floor, D_N0, 0, D_N0), R(f64_floor, 0x8000000000000001, 0, D_N1), R(f64_floor, 0x3fefffffffffffff, 0, D_0),
    R(f64_floor, 0xc32fffffffffffff, 0, 0xc330000000000000), A(f64_floor, D_NSNAN, 0, 64),
    R(f64_trunc, 0xbfefffffffffffff, 0, D_N0), R(f64_trunc, 0x432fffffffffffff, 0, 0x432ffffffffffffe),
    R(f64_trunc, D_NINF, 0, D_NINF), A(f64_trunc, D_SNAN, 0, 64),
    R(f64_nearest, 0x3fe0000000000000, 0, D_0), R(f64_nearest, 0xbfe0000000000000, 0, D_N0),
    R(f64_nearest, 0x3ff8000000000000, 0, 0x4000000000000000), R(f64_nearest, 0x4004000000000000, 0, 0x4000000000000000),
    R(f64_nearest, 0x3fe0000000000001, 0, D_1), R(f64_nearest, 0x3fdfffffffffffff, 0, D_0),
    R(f64_nearest, 0x432fffffffffffff, 0, 0x4330000000000000), R(f64_nearest, D_N0, 0, D_N0),
    A(f64_nearest, D_SNAN, 0, 64),
    R(f64_sqrt, D_N0, 0, D_N0), R(f64_sqrt, 0x4000000000000000, 0, 0x3ff6a09e667f3bcd), C(f64_sqrt, D_N1, 0, 64),
    A(f64_sqrt, D_NSNAN, 0, 64),
    R(f64_add, D_0, D_N0, D_0), R(f64_add, D_MAX, D_MAX, D_INF), R(f64_add, D_1, 0x3ca0000000000000, D_1),
    R(f64_add, D_1, 0x3ca0000000000001, 0x3ff0000000000001), C(f64_add, D_INF, D_NINF, 64), A(f64_add, D_SNAN, D_1, 64),
    R(f64_sub, D_0, D_0, D_0), C(f64_sub, D_INF, D_INF, 64), R(f64_mul, D_0, D_N1, D_N0), C(f64_mul, D_0, D_INF, 64),
    R(f64_mul, D_MIN, 0x3fe0000000000000, D_0), R(f64_div, D_1, D_0, D_INF), R(f64_div, D_1, D_N0, D_NINF),
    R(f64_div, D_1, 0x4008000000000000, 0x3fd5555555555555), C(f64_div, D_0, D_0, 64),
    R(f64_min, D_0, D_N0, D_N0), R(f64_min, D_N0, D_0, D_N0), R(f64_min, D_1, D_N1, D_N1), C(f64_min, D_NAN, D_NINF, 64),
    C(f64_min, D_1, D_NNAN, 64), A(f64_min, D_SNAN, D_1, 64), A(f64_min, D_1, D_NSNAN, 64),
    R(f64_max, D_0, D_N0, D_0), R(f64_max, D_N0, D_0, D_0), R(f64_max, D_N0, D_N0, D_N0), R(f64_max, D_1, D_N1, D_1),
    C(f64_max, D_INF, D_NAN, 64), A(f64_max, D_SNAN, D_1, 64),
    R(f64_eq, D_0, D_N0, 1), R(f64_eq, D_NAN, D_NAN, 0), R(f64_ne, D_NAN, D_NAN, 1), R(f64_ne, D_0, D_N0, 0),
    R(f64_lt, D_N1, D_1, 1), R(f64_lt, D_NAN, D_1, 0), R(f64_gt, D_INF, D_MAX, 1), R(f64_gt, D_1, D_NAN, 0),
    R(f64_le, D_0, D_N0, 1), R(f64_le, D_NAN, D_NAN, 0), R(f64_ge, D_N0, D_0, 1), R(f64_ge, D_SNAN, D_1, 0),
    R(f64_reinterpret_i64, D_SNAN, 0, D_SNAN), R(i64_reinterpret_f64, D_NSNAN, 0, D_NSNAN),
    R(f64_promote_f32, F_1, 0, D_1), R(f64_promote_f32, F_MIN, 0, 0x36a0000000000000), R(f64_promote_f32, F_N0, 0, D_N0),
    C(f64_promote_f32, F_NAN, 0, 64), A(f64_promote_f32, F_SNAN, 0, 64), A(f64_promote_f32, F_NSNAN, 0, 64),
    R(f64_convert_i32_s, MIN32, 0, 0xc1e0000000000000), R(f64_convert_i32_s, MAX32, 0, 0x41dfffffffc00000),
    R(f64_convert_i32_u, ONES32, 0, 0x41efffffffe00000), R(f64_convert_i32_u, MIN32, 0, 0x41e0000000000000),
    R(f64_convert_i64_s, MIN64, 0, 0xc3e0000000000000), R(f64_convert_i64_s, MAX64, 0, 0x43e0000000000000),
    R(f64_convert_i64_s, 9007199254740993, 0, 0x4340000000000000), R(f64_convert_i64_s, 9007199254740995, 0, 0x4340000000000002),
    R(f64_convert_i64_u, ONES64, 0, 0x43f0000000000000), R(f64_convert_i64_u, MIN64, 0, 0x43e0000000000000),
    R(f64_convert_i64_u, 0x8000000000000400, 0, 0x43e0000000000000),
    R(f64_convert_i64_u, 0x8000000000000401, 0, 0x43e0000000000001),
    R(f64_convert_i64_u, 0xfffffffffffffbff, 0, 0x43efffffffffffff),
};
// clang-format on

static void test_i32_edges(void **state)
{
    (void)state;
    check_rows(i32_rows, VM_COUNT(i32_rows));
}
static void test_i64_edges(void **state)
{
    (void)state;
    check_rows(i64_rows, VM_COUNT(i64_rows));
}
static void test_f32_edges(void **state)
{
    (void)state;
    check_rows(f32_rows, VM_COUNT(f32_rows));
}
static void test_f64_edges(void **state)
{
    (void)state;
    check_rows(f64_rows, VM_COUNT(f64_rows));
}

/* -------- traps */

#define NONE VM_TRAP_NONE
#define ZERO VM_TRAP_DIV_ZERO
#define OVER VM_TRAP_INT_OVERFLOW
#define CONV VM_TRAP_INT_CONVERSION

// clang-format off
static const struct row trap_rows[] = {
    R(i32_div_s_trap, 1, 0, ZERO), R(i32_div_s_trap, MIN32, ONES32, OVER), R(i32_div_s_trap, MIN32, 1, NONE),
    R(i32_div_s_trap, MIN32 + 1, ONES32, NONE), R(i32_div_s_trap, MIN32, 0, ZERO),
    R(i32_div_u_trap, 1, 0, ZERO), R(i32_div_u_trap, MIN32, ONES32, NONE),
    R(i32_rem_s_trap, 1, 0, ZERO), R(i32_rem_s_trap, MIN32, ONES32, NONE),
    R(i32_rem_u_trap, 0, 0, ZERO), R(i32_rem_u_trap, 0, 1, NONE),
    R(i64_div_s_trap, 1, 0, ZERO), R(i64_div_s_trap, MIN64, ONES64, OVER), R(i64_div_s_trap, MIN64, 1, NONE),
    R(i64_div_s_trap, MIN32, ONES64, NONE), R(i64_div_s_trap, MIN64, ONES32, NONE), R(i64_div_s_trap, 1, 1ull << 32, NONE),
    R(i64_div_u_trap, 1, 0, ZERO), R(i64_div_u_trap, MIN64, ONES64, NONE), R(i64_div_u_trap, 1, 1ull << 32, NONE),
    R(i64_rem_s_trap, 1, 0, ZERO), R(i64_rem_s_trap, MIN64, ONES64, NONE),
    R(i64_rem_u_trap, 0, 0, ZERO), R(i64_rem_u_trap, 0, 1ull << 32, NONE),
};
// clang-format on

static void test_division_traps(void **state)
{
    (void)state;
    check_rows(trap_rows, VM_COUNT(trap_rows));
}

/* A float and what truncation makes of it; saturation where it traps is told by `sat`. */
struct trunc_row {
    u64 from;
    u32 trap;
    u64 value; /* or the saturated value when trap is not 0 */
};

struct trunc_op {
    const char *name;
    uniform_fn trap, value, sat;
    struct trunc_row rows[16];
    u32 count;
};

#define OP(int, float, sign, ...)                                                                  \
    {#int "_trunc_" #float "_" #sign,                                                              \
     w_##int##_trunc_##float##_##sign##_trap,                                                      \
     w_##int##_trunc_##float##_##sign,                                                             \
     w_##int##_trunc_sat_##float##_##sign,                                                         \
     {__VA_ARGS__},                                                                                \
     sizeof((struct trunc_row[]){__VA_ARGS__}) / sizeof(struct trunc_row)}

// clang-format off
static const struct trunc_op trunc_ops[] = {
    OP(i32, f32, s, {F_0, NONE, 0}, {F_N0, NONE, 0}, {F_MIN, NONE, 0}, {0xbf7fffff, NONE, 0}, {F_N1, NONE, ONES32},
       {0x4effffff, NONE, 0x7fffff80}, {0x4f000000, OVER, MAX32}, {0xcf000000, NONE, MIN32}, {0xcf000001, OVER, MIN32},
       {F_INF, OVER, MAX32}, {F_NINF, OVER, MIN32}, {F_NAN, CONV, 0}, {F_SNAN, CONV, 0}, {F_NNAN, CONV, 0}),
    OP(i32, f32, u, {F_0, NONE, 0}, {F_N0, NONE, 0}, {0xbf7fffff, NONE, 0}, {F_N1, OVER, 0}, {0x4f000000, NONE, MIN32},
       {0x4f7fffff, NONE, 0xffffff00}, {0x4f800000, OVER, ONES32}, {F_INF, OVER, ONES32}, {F_NINF, OVER, 0},
       {F_NAN, CONV, 0}, {F_NSNAN, CONV, 0}, {0x80000001, NONE, 0}),
    OP(i32, f64, s, {D_0, NONE, 0}, {D_N0, NONE, 0}, {0xbfefffffffffffff, NONE, 0}, {0x41dfffffffc00000, NONE, MAX32},
       {0x41dfffffffffffff, NONE, MAX32}, {0x41e0000000000000, OVER, MAX32}, {0xc1e0000000000000, NONE, MIN32},
       {0xc1e00000001fffff, NONE, MIN32}, {0xc1e0000000200000, OVER, MIN32}, {D_INF, OVER, MAX32}, {D_NINF, OVER, MIN32},
       {D_NAN, CONV, 0}, {D_SNAN, CONV, 0}, {0xc005000000000000, NONE, (u32)-2}),
    OP(i32, f64, u, {D_0, NONE, 0}, {D_N0, NONE, 0}, {0xbfefffffffffffff, NONE, 0}, {D_N1, OVER, 0},
       {0x41efffffffe00000, NONE, ONES32}, {0x41efffffffffffff, NONE, ONES32}, {0x41f0000000000000, OVER, ONES32},
       {D_INF, OVER, ONES32}, {D_NINF, OVER, 0}, {D_NAN, CONV, 0}, {D_NSNAN, CONV, 0}),
    OP(i64, f32, s, {F_N0, NONE, 0}, {F_N1, NONE, ONES64}, {0x5effffff, NONE, 0x7fffff8000000000}, {0x5f000000, OVER, MAX64},
       {0xdf000000, NONE, MIN64}, {0xdf000001, OVER, MIN64}, {F_INF, OVER, MAX64}, {F_NINF, OVER, MIN64},
       {F_NAN, CONV, 0}, {F_SNAN, CONV, 0}),
    OP(i64, f32, u, {F_N0, NONE, 0}, {0xbf7fffff, NONE, 0}, {F_N1, OVER, 0}, {0x5f000000, NONE, MIN64},
       {0x5f7fffff, NONE, 0xffffff0000000000}, {0x5f800000, OVER, ONES64}, {F_INF, OVER, ONES64}, {F_NINF, OVER, 0},
       {F_NAN, CONV, 0}, {F_SNAN, CONV, 0}),
    OP(i64, f64, s, {D_N0, NONE, 0}, {D_N1, NONE, ONES64}, {0x43dfffffffffffff, NONE, 0x7ffffffffffffc00},
       {0x43e0000000000000, OVER, MAX64}, {0xc3e0000000000000, NONE, MIN64}, {0xc3e0000000000001, OVER, MIN64},
       {D_INF, OVER, MAX64}, {D_NINF, OVER, MIN64}, {D_NAN, CONV, 0}, {D_SNAN, CONV, 0}),
    OP(i64, f64, u, {D_N0, NONE, 0}, {0xbfefffffffffffff, NONE, 0}, {D_N1, OVER, 0}, {0x43e0000000000000, NONE, MIN64},
       {0x43efffffffffffff, NONE, 0xfffffffffffff800}, {0x43f0000000000000, OVER, ONES64}, {D_INF, OVER, ONES64},
       {D_NINF, OVER, 0}, {D_NAN, CONV, 0}, {D_NSNAN, CONV, 0}, {0x4330000000000001, NONE, 0x10000000000001}),
};
// clang-format on

static void test_truncation_boundaries(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(trunc_ops); i++) {
        const struct trunc_op *op = &trunc_ops[i];
        assert_true(op->count >= 10);
        for (u32 k = 0; k < op->count; k++) {
            const struct trunc_row *r = &op->rows[k];
            bool good = op->trap(r->from, 0) == r->trap && op->sat(r->from, 0) == r->value;
            if (r->trap == NONE) good = good && op->value(r->from, 0) == r->value;
            if (!good) fail_msg("%s(0x%llx)", op->name, (unsigned long long)r->from);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i32_edges),      cmocka_unit_test(test_i64_edges),
        cmocka_unit_test(test_f32_edges),      cmocka_unit_test(test_f64_edges),
        cmocka_unit_test(test_division_traps), cmocka_unit_test(test_truncation_boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
