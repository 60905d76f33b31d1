/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of vm/sem's vector instructions: every one, on hostile and on random vectors, against its
 * meaning for one lane (vec_int.def, vec_float.def). Compiled for the baseline, for x86-64-v3 and
 * with the plain C of vec_generic.h.
 */
#include "base/fbits.h"
#include "sem/vec_float.h"
#include "sem/vec_int.h"
#include "sem/vec_lane.h"
#include "sem/vec_mem.h"
#include "sem/vec_relaxed.h"
#include "sem/vec_target.h"
#include "sem/vec_widen.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 6000, SKIPPED = 77 };

/* What an instruction may take: up to three vectors, a scalar, a distance or the like. */
struct input {
    v128 v[3];
    u64 x;
    u32 number;
};

/* -------- References: plain arithmetic on one lane */

static i64 saturated(i64 x, i64 least, i64 most) { return x < least ? least : x > most ? most : x; }
static u32 ones_of(u32 x)
{
    u32 ones = 0;
    for (; x != 0; x >>= 1) ones += x & 1;
    return ones;
}
static u32 count_nonzero8(const u8 *lanes)
{
    u32 count = 0;
    for (u32 i = 0; i < 16; i++) count += lanes[i] != 0;
    return count;
}
static i64 dot2(const i8 *a, const i8 *b)
{
    return saturated(a[0] * b[0] + a[1] * b[1], INT16_MIN, INT16_MAX);
}
static i64 integer_of(f64 x, f64 least, f64 most)
{
    if (isnan(x)) return 0;
    return (i64)(x < least ? least : x > most ? most : x);
}
static f32 min_of_f32(f32 a, f32 b)
{
    if (isnan(a) || isnan(b)) return NAN;
    if (a == b) return signbit(a) ? a : b;
    return a < b ? a : b;
}
static f32 max_of_f32(f32 a, f32 b)
{
    if (isnan(a) || isnan(b)) return NAN;
    if (a == b) return signbit(a) ? b : a;
    return a > b ? a : b;
}
static f64 min_of_f64(f64 a, f64 b)
{
    if (isnan(a) || isnan(b)) return (f64)NAN;
    if (a == b) return signbit(a) ? a : b;
    return a < b ? a : b;
}
static f64 max_of_f64(f64 a, f64 b)
{
    if (isnan(a) || isnan(b)) return (f64)NAN;
    if (a == b) return signbit(a) ? b : a;
    return a > b ? a : b;
}
/* Through memory: a product that is rounded before it is added. */
static f32 rounded_f32(f32 x)
{
    volatile f32 memory = x;
    return memory;
}
static f64 rounded_f64(f64 x)
{
    volatile f64 memory = x;
    return memory;
}

/* -------- Every instruction behind one signature, and its reference behind the same */

static v128 from_u32(u32 x) { return (v128){x, 0}; }
static v128 from_u64(u64 x) { return (v128){x, 0}; }
static v128 from_f32(f32 x) { return (v128){vm_f32_bits(x), 0}; }
static v128 from_f64(f64 x) { return (v128){vm_f64_bits(x), 0}; }
static v128 from_v128(v128 x) { return x; }
#define RESULT(x)                                                                                  \
    _Generic((x), u32: from_u32, u64: from_u64, f32: from_f32, f64: from_f64, v128: from_v128)(x)

#define V(name, arguments, from, to, lane)                                                         \
    static v128 got_##name(const struct input *in)                                                 \
    {                                                                                              \
        v128 a = in->v[0], b = in->v[1], c = in->v[2];                                             \
        (void)a, (void)b, (void)c;                                                                 \
        return RESULT(sem_##name arguments);                                                       \
    }                                                                                              \
    static v128 want_##name(const struct input *in)                                                \
    {                                                                                              \
        _Alignas(16) from a[16 / sizeof(from)], b[16 / sizeof(from)], c[16 / sizeof(from)];        \
        _Alignas(16) to r[16 / sizeof(to)];                                                        \
        v128 result;                                                                               \
        memcpy(a, &in->v[0], 16);                                                                  \
        memcpy(b, &in->v[1], 16);                                                                  \
        memcpy(c, &in->v[2], 16);                                                                  \
        (void)a, (void)b, (void)c;                                                                 \
        for (u32 i = 0; i < VM_COUNT(r); i++) r[i] = lane;                                         \
        memcpy(&result, r, 16);                                                                    \
        return result;                                                                             \
    }
#define N V
#include "tests/vec_float.def"
#include "tests/vec_int.def"
#undef N
#undef V

/* from_bytes, to_bytes: of an operand's and a result's lane where NaNs go by class, else 0 */
struct row {
    const char *name;
    v128 (*got)(const struct input *in);
    v128 (*want)(const struct input *in);
    u32 from_bytes, to_bytes;
};

#define V(name, arguments, from, to, lane) {#name, got_##name, want_##name, 0, 0},
#define N(name, arguments, from, to, lane)                                                         \
    {#name, got_##name, want_##name, sizeof(from), sizeof(to)},
static const struct row int_rows[] = {
#include "tests/vec_int.def"
};
static const struct row float_rows[] = {
#include "tests/vec_float.def"
};
#undef N
#undef V

/* -------- Comparison. spec aux-nans: canonical when every NaN among the operands is */

static u64 lane_of(v128 v, u32 bytes, u32 i)
{
    u64 lane = 0;
    memcpy(&lane, (const u8 *)&v + bytes * i, bytes);
    return lane;
}
static bool is_nan(u64 x, u32 bytes)
{
    return bytes == 4 ? (x & ~(u64)VM_F32_SIGN) > VM_F32_INF : (x & ~VM_F64_SIGN) > VM_F64_INF;
}
static bool is_canonical(u64 x, u32 bytes)
{
    return bytes == 4 ? (x & ~(u64)VM_F32_SIGN) == VM_F32_NAN : (x & ~VM_F64_SIGN) == VM_F64_NAN;
}
static bool is_quiet(u64 x, u32 bytes)
{
    return bytes == 4 ? (x & VM_F32_NAN) == VM_F32_NAN : (x & VM_F64_NAN) == VM_F64_NAN;
}
static bool has_odd_nan(const struct input *in, u32 bytes, u32 i)
{
    bool odd = false;
    for (u32 k = 0; k < 3 && bytes * (i + 1) <= 16; k++) {
        u64 lane = lane_of(in->v[k], bytes, i);
        odd |= is_nan(lane, bytes) && !is_canonical(lane, bytes);
    }
    return odd;
}
static bool is_lane_right(const struct row *row, const struct input *in, const v128 *both, u32 i)
{
    u32 bytes = row->to_bytes;
    u64 got = lane_of(both[0], bytes, i), want = lane_of(both[1], bytes, i);
    if (!is_nan(want, bytes)) return got == want;
    return is_quiet(got, bytes) &&
           (is_canonical(got, bytes) || has_odd_nan(in, row->from_bytes, i));
}
static void check_row(const struct row *row, const struct input *in)
{
    v128 both[] = {row->got(in), row->want(in)};
    bool right = memcmp(&both[0], &both[1], 16) == 0;
    if (!right && row->to_bytes != 0) {
        right = true;
        for (u32 i = 0; i < 16 / row->to_bytes; i++) right &= is_lane_right(row, in, both, i);
    }
    if (right) return;
    v128 all[] = {in->v[0], in->v[1], in->v[2], {in->x, in->number}, both[0], both[1]};
    for (usize i = 0; i < VM_COUNT(all); i++)
        print_error("%s 0x%016llx %016llx\n",
                    i == 4   ? "got "
                    : i == 5 ? "want"
                             : "    ",
                    (unsigned long long)all[i][1], (unsigned long long)all[i][0]);
    fail_msg("sem_%s", row->name);
}

/* -------- Operands */

static u64 random_state = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same numbers in every run. */
static u64 random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

static const u32 hostile32[] = {
    0,          1,          2,          0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, 0x80000001,
    0x80008000, 0x7fff7fff, 0x80808080, 0x7f7f7f7f, 0x00ff00ff, 0xff00ff00, 0x0000ffff, 0x00010000,
    0xffff8000, 0x00007fff, 0x00008000, 0xffffff80, 0x0000007f, 0x00000080, 0x40004000, 0x01010101,
    0x007fffff, 0x00800000, 0x3effffff, 0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0xbf800000,
    0xbf000000, 0xbf7fffff, 0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000, 0x4affffff, 0x4b000000,
    0x4b000001, 0xcaffffff, 0xcb000000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff,
    0x4f800000, 0x4f800001, 0x5f000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc00000, 0x7fc00001, 0xffc00001, 0x7fa00000, 0xffa00000, 0x7f800001, 0xffbfffff,
};
static const u64 hostile64[] = {
    0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0x000fffffffffffff,
    0x0010000000000000, 0x3fdfffffffffffff, 0x3fe0000000000000, 0x3fe0000000000001,
    0x3fefffffffffffff, 0x3ff0000000000000, 0xbfe0000000000000, 0xbfefffffffffffff,
    0xbff0000000000000, 0x3ff8000000000000, 0x4004000000000000, 0xc004000000000000,
    0x432fffffffffffff, 0x4330000000000000, 0x4330000000000001, 0xc32fffffffffffff,
    0x4340000000000000, 0x41dfffffffc00000, 0x41dfffffffffffff, 0x41e0000000000000,
    0xc1e0000000000000, 0xc1e0000000100000, 0xc1e0000000200000, 0x41efffffffe00000,
    0x41efffffffffffff, 0x41f0000000000000, 0x47efffffe0000000, 0x47efffffefffffff,
    0x47effffff0000000, 0x380fffffffffffff, 0x36a0000000000000, 0x369fffffffffffff,
    0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
    0x7ff8000000000000, 0xfff8000000000000, 0x7ff8000000000001, 0x7ff4000000000000,
    0xfff0000000000001, 0xfff7ffffffffffff, 0x0000000080000000, 0xffffffff80000000,
};

/* A float of a magnitude where rounding has something to do, as f32 or f64. */
static u64 random_float(u64 r)
{
    u64 exponent = (r >> 8) % 70;
    if (r & 1) return (random_u64() & 0x800fffffffffffffu) | (1023 - 4 + exponent) << 52;
    u64 two = random_u64() & 0x807fffff807fffffu;
    return two | (127 - 4 + exponent) << 23 | (127 - 4 + (r >> 16) % 70) << 55;
}
static u64 random_half(void)
{
    u64 r = random_u64(), pick = random_u64();
    u64 low = hostile32[(r >> 8) % VM_COUNT(hostile32)];
    u64 high = hostile32[(r >> 40) % VM_COUNT(hostile32)];
    switch (pick % 8) {
    case 0:
    case 1: return low | high << 32;
    case 2:
    case 3: return hostile64[(r >> 8) % VM_COUNT(hostile64)];
    case 4: return r & 0x8080808080808080u;
    case 5: return r & (r >> 32) & 0x1f1f1f1f1f1f1f1fu;
    case 6: return random_float(pick);
    default: return r;
    }
}
static struct input random_input(void)
{
    struct input in;
    for (u32 i = 0; i < 3; i++) in.v[i] = (v128){random_half(), random_half()};
    u64 r = random_u64();
    if (r % 8 == 0) in.v[1] = in.v[0];
    if (r % 8 == 1) in.v[1] = -in.v[0];
    if (r % 8 == 2) in.v[1] = ~in.v[0];
    in.x = random_half();
    in.number = r & 256 ? (u32)(r >> 32) : (u32)(r >> 32) % 80;
    return in;
}
/* Lanes of all widths that hold one hostile constant against those that hold another. */
static struct input hostile_input(u64 a, u64 b)
{
    struct input in = {{{a, b}, {b, b}, {b, a}}, a, (u32)b};
    return in;
}

static void check_rows(const struct row *rows, usize count)
{
    u64 all[VM_COUNT(hostile32) + VM_COUNT(hostile64)];
    for (usize i = 0; i < VM_COUNT(hostile32); i++) all[i] = hostile32[i] | (u64)hostile32[i] << 32;
    memcpy(all + VM_COUNT(hostile32), hostile64, sizeof hostile64);
    for (usize r = 0; r < count; r++) {
        for (usize i = 0; i < VM_COUNT(all) * VM_COUNT(all); i++) {
            struct input in = hostile_input(all[i / VM_COUNT(all)], all[i % VM_COUNT(all)]);
            check_row(&rows[r], &in);
        }
        for (usize i = 0; i < ROUNDS; i++) {
            struct input in = random_input();
            check_row(&rows[r], &in);
        }
    }
}

/* -------- Tests */

static void test_integer_lanes_equal_reference(void **state)
{
    (void)state;
    check_rows(int_rows, VM_COUNT(int_rows));
}
static void test_float_lanes_equal_reference(void **state)
{
    (void)state;
    check_rows(float_rows, VM_COUNT(float_rows));
}

/* All pairs of bytes: an operand counts up while the other stays. */
static void test_bytes_all_pairs_equal_reference(void **state)
{
    (void)state;
    u8x16 steps = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (usize r = 0; r < VM_COUNT(int_rows); r++) {
        if (strstr(int_rows[r].name, "i8x16") == NULL) continue;
        for (u32 i = 0; i < 16 * 256; i++) {
            struct input in = {{(v128)(steps + (u8)(i >> 8 << 4)), sem_i8x16_splat(i)}, 0, i};
            in.v[2] = in.v[1];
            check_row(&int_rows[r], &in);
        }
    }
}

static bool is_tested(const char *name, const struct row *rows, usize count)
{
    bool found = false;
    for (usize i = 0; i < count; i++) found |= strcmp(rows[i].name, name) == 0;
    return found;
}

#define OP(id, prefix, code, ...) {#id, prefix},
static const struct {
    const char *id;
    u32 prefix;
} instructions[] = {
#include "isa/wasm_ops.def"
};
#undef OP

/* The access of v128.load and v128.store, and a constant, are nothing to be computed. */
static void test_every_vector_instruction_is_tested(void **state)
{
    (void)state;
    const char *bare[] = {"v128_load", "v128_store", "v128_const"};
    u32 count = 0;
    for (usize i = 0; i < VM_COUNT(instructions); i++) {
        char name[64] = {0};
        if (instructions[i].prefix != 0xfd) continue;
        for (usize k = 0; k < sizeof name - 1 && instructions[i].id[k] != 0; k++)
            name[k] = (char)tolower((unsigned char)instructions[i].id[k]);
        bool is_bare = false;
        for (usize k = 0; k < VM_COUNT(bare); k++) is_bare |= strcmp(name, bare[k]) == 0;
        count++;
        if (is_bare || is_tested(name, int_rows, VM_COUNT(int_rows))) continue;
        if (!is_tested(name, float_rows, VM_COUNT(float_rows))) fail_msg("%s has no row", name);
    }
    assert_int_equal(count, 256);
    assert_int_equal(VM_COUNT(int_rows) + VM_COUNT(float_rows) + VM_COUNT(bare), count);
}

static void test_relaxed_dot_of_least_bytes_saturates(void **state)
{
    (void)state;
    v128 least = sem_i8x16_splat(0x80), r = sem_i16x8_relaxed_dot_i8x16_i7x16_s(least, least);
    assert_int_equal(sem_i16x8_extract_lane_s(r, 5), INT16_MAX);
    r = sem_i32x4_relaxed_dot_i8x16_i7x16_add_s(least, least, sem_i32x4_splat(3));
    assert_int_equal(sem_i32x4_extract_lane(r, 2), 2 * INT16_MAX + 3);
}

#if defined(__AVX2__)
static bool has_processor(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}
#else
static bool has_processor(void) { return true; }
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integer_lanes_equal_reference),
        cmocka_unit_test(test_float_lanes_equal_reference),
        cmocka_unit_test(test_bytes_all_pairs_equal_reference),
        cmocka_unit_test(test_every_vector_instruction_is_tested),
        cmocka_unit_test(test_relaxed_dot_of_least_bytes_saturates),
    };
    if (!has_processor()) {
        printf("0 passed, 0 failed, %zu skipped\n", VM_COUNT(tests));
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
