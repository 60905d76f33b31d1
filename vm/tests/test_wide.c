/* SPDX-License-Identifier: Apache-2.0 */
/* Wide arithmetic: its meaning, and where the two results of an instruction may go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sem/wide.h"
#include "tests/world.h"

#define ADD128 0xfc, 0x13
#define SUB128 0xfc, 0x14
#define MUL_WIDE_S 0xfc, 0x15
#define MUL_WIDE_U 0xfc, 0x16

static const u64 corners[] = {0,
                              1,
                              2,
                              0x7fffffff,
                              0xffffffff,
                              0x100000000,
                              INT64_MAX,
                              (u64)INT64_MAX + 1,
                              (u64)INT64_MAX + 2,
                              UINT64_MAX - 1,
                              UINT64_MAX,
                              0x123456789abcdef0};
enum { CORNERS = VM_COUNT(corners) };

/* ---- meaning, against 32-bit pieces by hand */

static void school_mul(u64 a, u64 b, u64 *lo, u64 *hi)
{
    u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
    u64 mid = (a0 * b0 >> 32) + (u32)(a0 * b1) + (u32)(a1 * b0);
    *lo = mid << 32 | (u32)(a0 * b0);
    *hi = a1 * b1 + (a0 * b1 >> 32) + (a1 * b0 >> 32) + (mid >> 32);
}

static void test_products_have_all_bits(void **state)
{
    (void)state;
    for (u32 i = 0; i < CORNERS * CORNERS; i++) {
        u64 a = corners[i / CORNERS], b = corners[i % CORNERS], lo, hi;
        school_mul(a, b, &lo, &hi);
        u128 u = sem_i64_mul_wide_u(a, b), s = sem_i64_mul_wide_s(a, b);
        assert_true(sem_wide_lo(u) == lo && sem_wide_hi(u) == hi);
        /* a negative factor counts 2^64 too much of the other */
        u64 signed_hi = hi - (a >> 63 ? b : 0) - (b >> 63 ? a : 0);
        assert_true(sem_wide_lo(s) == lo && sem_wide_hi(s) == signed_hi);
    }
}

static void test_sums_and_differences_carry(void **state)
{
    (void)state;
    for (u32 i = 0; i < CORNERS * CORNERS * CORNERS; i++) {
        u64 a = corners[i % CORNERS], b = corners[i / CORNERS % CORNERS],
            c = corners[i / CORNERS / CORNERS];
        u128 sum = sem_i64_add128(sem_wide(a, c), sem_wide(b, a));
        assert_true(sem_wide_lo(sum) == a + b && sem_wide_hi(sum) == c + a + (a + b < a));
        u128 rest = sem_i64_sub128(sem_wide(a, c), sem_wide(b, a));
        assert_true(sem_wide_lo(rest) == a - b && sem_wide_hi(rest) == c - a - (a < b));
    }
}

/* ---- execution */

static wr_instance_t *instance(struct world *w, struct wasm *m)
{
    wr_features_t set = wr_features_default();
    assert_int_equal(wr_features_parse("+wide-arithmetic", &set, NULL), WR_OK);
    wr_engine_set_features(w->engine, set);
    return world_instance(w, m);
}

static struct world_values pair(u128 v) { return ARGS(sem_wide_lo(v), sem_wide_hi(v)); }

static void all_corners(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "IIII:II", "add", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(3), ADD128));
    wasm_func(&m, "IIII:II", "sub", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(3), SUB128));
    wasm_func(&m, "II:II", "mul_s", "", CODE(LOCAL_GET(0), LOCAL_GET(1), MUL_WIDE_S));
    wasm_func(&m, "II:II", "mul_u", "", CODE(LOCAL_GET(0), LOCAL_GET(1), MUL_WIDE_U));
    wr_instance_t *in = instance(w, &m);
    for (u32 i = 0; i < CORNERS * CORNERS; i++) {
        u64 a = corners[i / CORNERS], b = corners[i % CORNERS];
        world_gives(w, in, "mul_s", ARGS(a, b), pair(sem_i64_mul_wide_s(a, b)));
        world_gives(w, in, "mul_u", ARGS(a, b), pair(sem_i64_mul_wide_u(a, b)));
        u128 x = sem_wide(a, b), y = sem_wide(b ^ 5, a);
        world_gives(w, in, "add", ARGS(a, b, b ^ 5, a), pair(sem_i64_add128(x, y)));
        world_gives(w, in, "sub", ARGS(a, b, b ^ 5, a), pair(sem_i64_sub128(x, y)));
    }
}
static void test_execution_is_the_meaning(void **state)
{
    (void)state;
    world_each(all_corners);
}

/* Every function gives the product of its parameters, by way of locals and blocks. */
static void destinations(struct world *w)
{
    struct wasm m = {0};
    u32 two = wasm_type(&m, ":II");
#define PRODUCT LOCAL_GET(0), LOCAL_GET(1), MUL_WIDE_U
    static const char *const names[] = {"sets", "tee", "over", "one", "block", "later", "far"};
    wasm_func(&m, "II:II", "sets", "II",
              CODE(PRODUCT, LOCAL_SET(3), LOCAL_SET(2), LOCAL_GET(2), LOCAL_GET(3)));
    wasm_func(&m, "II:II", "tee", "II",
              CODE(PRODUCT, LOCAL_TEE(3), LOCAL_SET(2), LOCAL_SET(1), LOCAL_GET(1), LOCAL_GET(2)));
    /* onto the instruction's own inputs */
    wasm_func(&m, "II:II", "over", "",
              CODE(PRODUCT, LOCAL_SET(0), LOCAL_SET(1), LOCAL_GET(1), LOCAL_GET(0)));
    /* both into one local: the lower half comes last; then only the upper one */
    wasm_func(&m, "II:II", "one", "I",
              CODE(PRODUCT, LOCAL_SET(2), LOCAL_SET(2), LOCAL_GET(2), PRODUCT, LOCAL_SET(2), DROP,
                   LOCAL_GET(2)));
    /* a branch comes in between the instruction and local.set */
    wasm_func(&m, "II:II", "block", "II",
              CODE(BLOCK((u8)two), PRODUCT, LOCAL_GET(0), I64_EQZ, BR_IF(0), DROP, DROP, PRODUCT,
                   END, LOCAL_SET(3), LOCAL_SET(2), LOCAL_GET(2), LOCAL_GET(3)));
    /* an old value of the local is still wanted: it is multiplied once more */
    wasm_func(&m, "II:II", "later", "I",
              CODE(LOCAL_GET(0), PRODUCT, LOCAL_SET(0), LOCAL_SET(2), LOCAL_GET(1), MUL_WIDE_U));
    wasm_func_locals(&m, "II:II", "far", 40000, 'I',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(35000), LOCAL_GET_FAR(35000), LOCAL_GET(1),
                          MUL_WIDE_U, LOCAL_SET_FAR(39000), LOCAL_TEE_FAR(39001),
                          LOCAL_GET_FAR(39000)));
#undef PRODUCT
    wasm_func_locals(&m, "IIII:II", "far_sum", 40000, 'I',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(35000), LOCAL_GET(1), LOCAL_SET_FAR(35001),
                          LOCAL_GET(2), LOCAL_SET_FAR(35002), LOCAL_GET(3), LOCAL_SET_FAR(35003),
                          LOCAL_GET_FAR(35000), LOCAL_GET_FAR(35001), LOCAL_GET_FAR(35002),
                          LOCAL_GET_FAR(35003), ADD128));
    /* x + 2 * 2^64 + 7: constants */
    wasm_func(&m, "II:II", "constants", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I64(7), I64(2), ADD128));
    wr_instance_t *in = instance(w, &m);
    for (u32 i = 0; i < CORNERS * CORNERS; i++) {
        u64 a = corners[i / CORNERS], b = corners[i % CORNERS];
        u128 product = sem_i64_mul_wide_u(a, b), x = sem_wide(a, b), y = sem_wide(b + 3, a);
        for (u32 k = 0; k < VM_COUNT(names); k++)
            world_gives(w, in, names[k], ARGS(a, b), pair(product));
        world_gives(w, in, "far_sum", ARGS(a, b, b + 3, a), pair(sem_i64_add128(x, y)));
        world_gives(w, in, "constants", ARGS(a, b), pair(sem_i64_add128(x, sem_wide(7, 2))));
    }
}
static void test_results_go_where_local_set_sends_them(void **state)
{
    (void)state;
    world_each(destinations);
}

static void test_fuel_counts_them(void **state)
{
    (void)state;
    wr_store_config_t config = {.use_fuel = true};
    struct world w;
    world_init(&w, &config);
    wr_store_set_fuel(w.store, 1000);
    struct wasm m = {0};
    wasm_func(&m, "II:II", "mul", "", CODE(LOCAL_GET(0), LOCAL_GET(1), MUL_WIDE_U));
    wr_instance_t *in = instance(&w, &m);
    world_gives(&w, in, "mul", ARGS(1, 2), ARGS(2, 0));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_have_all_bits),
        cmocka_unit_test(test_sums_and_differences_carry),
        cmocka_unit_test(test_execution_is_the_meaning),
        cmocka_unit_test(test_results_go_where_local_set_sends_them),
        cmocka_unit_test(test_fuel_counts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
