/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guests see of exceptions, standard and legacy: where they land, with which values, locals
 * and operands; which regions catch. Hosts and the collector are test_exceptions_host.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

static void world_throws(struct world *w, wr_instance_t *in, const char *name,
                         struct world_values args, const char *text)
{
    struct world_values r;
    wr_status_t s = world_call(w, in, name, args, &r);
    if (s != WR_EXCEPTION) print_error("%s: %s, no exception\n", name, wr_status_name(s));
    assert_int_equal(s, WR_EXCEPTION);
    assert_string_equal(w->err.text, text);
}

/** Throws 3 * x of tag 0 when x is 100 or more, else answers x. */
static u32 add_thrower(struct wasm *m)
{
    return wasm_func(m, "i:i", NULL, "",
                     CODE(LOCAL_GET(0), I32(100), I32_GE_U, IF(VOID), LOCAL_GET(0), I32(3), I32_MUL,
                          THROW(0), END, LOCAL_GET(0)));
}

/* ---- landing */

static void landing(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    u32 thrower = add_thrower(&m);
    wasm_func(&m, "i:i", "f", "i",
              CODE(I32(1000), LOCAL_GET(0), BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON(0, 0),
                   LOCAL_GET(0), I32(5), I32_ADD, LOCAL_TEE(0), LOCAL_SET(1), LOCAL_GET(0),
                   LOCAL_GET(1), I32_ADD, CALL((u8)thrower), END, END, LOCAL_GET(0), I32_ADD,
                   LOCAL_GET(1), I32_ADD, I32_ADD, I32_ADD));
    wr_instance_t *in = world_instance(w, &m);
    for (u64 a = 0; a < 100; a += 9) {
        u64 n = a + 5, r = 2 * n >= 100 ? 6 * n : 2 * n;
        assert_int_equal(world_one(w, in, "f", ARGS(a)), 1000 + a + r + 2 * n);
    }
}

static void test_locals_operands_and_constants_are_there_in_the_handler(void **state)
{
    (void)state;
    world_each(landing);
}

static void borders(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    u8 maybe =
        (u8)wasm_func(&m, "ii:i", NULL, "",
                      CODE(LOCAL_GET(0), LOCAL_GET(1), I32_EQ, IF(VOID), LOCAL_GET(0), I32(10),
                           I32_MUL, THROW(0), END, LOCAL_GET(0), LOCAL_GET(1), I32_ADD));
    wasm_func(&m, "i:i", "f", "i",
              CODE(LOCAL_GET(0), I32(1), CALL(maybe), I32(1), I32_ADD, LOCAL_SET(1), BLOCK(T_I32),
                   TRY_TABLE(T_I32, 1), ON(0, 0), LOCAL_GET(1), I32(1), I32_ADD, LOCAL_SET(1),
                   LOCAL_GET(0), I32(2), CALL(maybe), LOCAL_GET(1), I32_ADD, END, I32(1), I32_ADD,
                   LOCAL_SET(1), LOCAL_GET(0), I32(3), CALL(maybe), LOCAL_GET(1), I32_ADD, END));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "f", ARGS(0)), 9);
    world_throws(w, in, "f", ARGS(1), "t(10)");
    assert_int_equal(world_one(w, in, "f", ARGS(2)), 20);
    world_throws(w, in, "f", ARGS(3), "t(30)");
}

static void test_calls_before_and_behind_a_region_are_outside_of_it(void **state)
{
    (void)state;
    world_each(borders);
}

/** Loops and arithmetic that would be fused over the borders, in and out of a region. */
static void fused_borders(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    u32 thrower = add_thrower(&m);
    /* sum += x; try { x = x + x } ; sum += x; try { thrower(x) } catch v { sum += v } */
    wasm_func(&m, "i:i", "f", "ii",
              CODE(BLOCK(VOID), LOOP(VOID), LOCAL_GET(1), LOCAL_GET(0), I32_ADD, LOCAL_SET(1),
                   BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), LOCAL_GET(0), LOCAL_GET(0), I32_ADD,
                   LOCAL_SET(2), END, END, LOCAL_GET(1), LOCAL_GET(2), I32_ADD, LOCAL_SET(1),
                   BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON(0, 0), LOCAL_GET(2), CALL((u8)thrower),
                   END, END, LOCAL_GET(1), I32_ADD, LOCAL_SET(1), LOCAL_GET(0), I32(1), I32_SUB,
                   LOCAL_TEE(0), BR_IF(0), END, END, LOCAL_GET(1)));
    wr_instance_t *in = world_instance(w, &m);
    for (u64 n = 1; n < 80; n += 7) {
        u64 sum = 0;
        for (u64 x = n; x > 0; x--) sum += x + 2 * x + (2 * x >= 100 ? 6 * x : 2 * x);
        assert_int_equal(world_one(w, in, "f", ARGS(n)), sum);
    }
}

static void test_code_around_regions_computes_the_same(void **state)
{
    (void)state;
    world_each(fused_borders);
}

static void loop_label(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, "i:i");
    wasm_tag(&m, "i:", "t");
    wasm_func(&m, "i:i", "f", "ii",
              CODE(LOCAL_GET(0), LOOP(type), LOCAL_SET(1), LOCAL_GET(2), LOCAL_GET(1), I32_ADD,
                   LOCAL_SET(2), LOCAL_GET(1), IF(VOID), TRY_TABLE(VOID, 1), ON(0, 1), LOCAL_GET(1),
                   I32(1), I32_SUB, THROW(0), END, END, LOCAL_GET(2), END));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "f", ARGS(0)), 0);
    assert_int_equal(world_one(w, in, "f", ARGS(1000)), 500500);
}

static void test_a_handler_may_be_the_start_of_a_loop(void **state)
{
    (void)state;
    world_each(loop_label);
}

static void function_label(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    wasm_tag(&m, "iIF:", NULL);
    u8 one = (u8)wasm_func(&m, "i:i", NULL, "",
                           CODE(TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), THROW(0), END, I32(1)));
    wasm_func(&m, "i:i", "one", "", CODE(LOCAL_GET(0), CALL(one), I32(1), I32_ADD));
    wasm_func(&m, "iI:iIF", "three", "",
              CODE(TRY_TABLE(VOID, 1), ON(1, 0), LOCAL_GET(0), LOCAL_GET(1), 0x44, 0, 0, 0, 0, 0, 0,
                   0xf8, 0x3f, THROW(1), END, UNREACHABLE));
    wasm_func(&m, ":", "none", "", CODE(TRY_TABLE(VOID, 1), ON_ALL(0), I32(1), THROW(0), END));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "one", ARGS(41)), 42);
    world_gives(w, in, "none", NO_ARGS, NO_ARGS);
    world_gives(w, in, "three", ARGS(7, 8), ARGS(7, 8, 0x3ff8000000000000));
}

static void test_a_handler_may_be_the_end_of_the_function(void **state)
{
    (void)state;
    world_each(function_label);
}

/* ---- which region, which frame */

enum { NESTED = 60 };

static void nested_regions(struct world *w)
{
    struct wasm m = {0};
    struct wasm_bytes b = {0};
    for (u32 i = 0; i < NESTED; i++) wasm_tag(&m, ":", NULL);
    for (u32 i = 0; i < NESTED; i++) {
        const u8 code[] = {LOCAL_GET(0), I32(i), I32_EQ, IF(VOID), THROW((u8)i), END};
        wasm_put(&b, code, sizeof code);
    }
    u32 thrower = wasm_func(&m, "i:", NULL, "", (struct wasm_code){b.data, b.size});
    b.size = 0;
    for (u32 i = 0; i < NESTED; i++) {
        const u8 code[] = {BLOCK(VOID), TRY_TABLE(VOID, 1), ON((u8)i, 0)};
        wasm_put(&b, code, sizeof code);
    }
    const u8 call[] = {LOCAL_GET(0), CALL((u8)thrower)};
    wasm_put(&b, call, sizeof call);
    for (u32 i = NESTED; i-- > 0;) {
        const u8 code[] = {END, I32(1000), RETURN, END, I32(i), RETURN};
        wasm_put(&b, code, sizeof code);
    }
    wasm_put_u8(&b, UNREACHABLE);
    wasm_func(&m, "i:i", "f", "", (struct wasm_code){b.data, b.size});
    free(b.data);
    wr_instance_t *in = world_instance(w, &m);
    for (u64 i = 0; i < NESTED; i++) assert_int_equal(world_one(w, in, "f", ARGS(i)), i);
    assert_int_equal(world_one(w, in, "f", ARGS(NESTED)), 1000);
}

static void test_the_innermost_region_with_the_tag_catches(void **state)
{
    (void)state;
    world_each(nested_regions);
}

static void deep(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "iI:", "t");
    u8 down = (u8)m.func_count;
    wasm_func(&m, "iI:", NULL, "",
              CODE(LOCAL_GET(0), I32_EQZ, IF(VOID), LOCAL_GET(0), LOCAL_GET(1), THROW(0), END,
                   LOCAL_GET(0), I32(1), I32_SUB, LOCAL_GET(1), CALL(down)));
    u8 type = (u8)wasm_type(&m, ":iI");
    wasm_func(&m, "iI:I", "f", "",
              CODE(BLOCK(type), TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), LOCAL_GET(1),
                   CALL(down), END, I32(5), I64(6), END, LOCAL_SET(1), DROP, LOCAL_GET(1)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 depths[] = {0, 1, 10, 1000, 20000};
    for (u32 i = 0; i < 5; i++)
        for (u64 v = 1; v < 4; v++) assert_int_equal(world_one(w, in, "f", ARGS(depths[i], v)), v);
}

static void test_thousands_of_frames_are_left_at_once(void **state)
{
    (void)state;
    world_each(deep);
}

static void foreign(struct world *w)
{
    struct wasm t = {0}, b = {0}, c = {0}, a = {0};
    wasm_tag(&t, "i:", "t");
    (void)world_named(w, &t, "tags");
    wasm_import_tag(&b, "tags", "t", "i:");
    wasm_tag(&b, "i:", "own");
    wasm_memory(&b, 1, 1, NULL);
    wasm_func(&b, "i:", "throw", "", CODE(LOCAL_GET(0), THROW(0)));
    wasm_func(&b, "i:", "throw_own", "", CODE(LOCAL_GET(0), THROW(1)));
    (void)world_named(w, &b, "b");
    wasm_import_func(&c, "b", "throw", "i:");
    wasm_memory(&c, 1, 1, NULL);
    wasm_func(&c, "i:", "mid", "", CODE(LOCAL_GET(0), CALL(0), UNREACHABLE));
    (void)world_named(w, &c, "c");
    u8 mid = (u8)wasm_import_func(&a, "c", "mid", "i:");
    u8 own = (u8)wasm_import_func(&a, "b", "throw_own", "i:");
    wasm_import_tag(&a, "tags", "t", "i:");
    wasm_import_tag(&a, "b", "own", "i:");
    wasm_memory(&a, 1, 1, NULL);
    wasm_data(&a, 0, 0, "\x4d", 1);
    u8 g = (u8)wasm_global(&a, 'i', true, CODE(I32(200)), NULL);
    wasm_func(&a, "i:i", "f", "",
              CODE(BLOCK(T_I32), TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), CALL(mid), END,
                   UNREACHABLE, END, I32(0), I32_LOAD(0), I32_ADD, GLOBAL_GET(g), I32_ADD));
    wasm_func(&a, "i:i", "other", "",
              CODE(BLOCK(T_I32), TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), CALL(own), END,
                   UNREACHABLE, END));
    wasm_func(&a, "i:i", "both", "",
              CODE(BLOCK(T_I32), BLOCK(T_I32), TRY_TABLE(VOID, 2), ON(0, 0), ON(1, 1), LOCAL_GET(0),
                   CALL(own), END, UNREACHABLE, END, DROP, UNREACHABLE, END));
    wr_instance_t *in = world_instance(w, &a);
    assert_int_equal(world_one(w, in, "f", ARGS(1)), 1 + 0x4d + 200);
    world_throws(w, in, "other", ARGS(5), "own(5)");
    assert_int_equal(world_one(w, in, "both", ARGS(9)), 9);
    assert_int_equal(world_one(w, in, "f", ARGS(2)), 2 + 0x4d + 200);
}

static void test_exceptions_cross_instances_by_tag(void **state)
{
    (void)state;
    world_each(foreign);
}

static void tail_calls(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    u32 thrower = add_thrower(&m), type = wasm_type(&m, "i:i");
    wasm_table(&m, 'r', 1, 1, NULL);
    wasm_elem(&m, 0, 0, &thrower, 1);
    u8 leaf = (u8)wasm_func(&m, "i:i", "f", "",
                            CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), LOCAL_GET(0),
                                 RETURN_CALL((u8)thrower), END, END, I32(1)));
    wasm_func(&m, "i:i", "indirect", "",
              CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), LOCAL_GET(0), I32(0),
                   RETURN_CALL_INDIRECT((u8)type, 0), END, END, I32(1)));
    wasm_func(&m, "i:i", "outer", "",
              CODE(BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON(0, 0), LOCAL_GET(0), CALL(leaf), END, END,
                   I32(1), I32_ADD));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "f", ARGS(7)), 7);
    world_throws(w, in, "f", ARGS(100), "t(300)");
    world_throws(w, in, "indirect", ARGS(100), "t(300)");
    assert_int_equal(world_one(w, in, "outer", ARGS(100)), 301);
}

static void test_tail_calls_leave_the_region(void **state)
{
    (void)state;
    world_each(tail_calls);
}

static void traps(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, ":", "unreachable", "",
              CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), UNREACHABLE, END, END));
    wasm_func(&m, "i:", "divide", "",
              CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), I32(1), LOCAL_GET(0), I32_DIV_S,
                   DROP, END, END));
    u8 self = (u8)m.func_count;
    wasm_func(&m, ":", "recurse", "",
              CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), CALL(self), END, END));
    wasm_func(&m, ":", "legacy", "", CODE(TRY(VOID), UNREACHABLE, CATCH_ALL, END));
    wasm_func(&m, ":", "null", "",
              CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), REF_NULL_EXN, THROW_REF, END, END));
    wr_instance_t *in = world_instance(w, &m);
    world_traps(w, in, "unreachable", NO_ARGS, "unreachable");
    world_traps(w, in, "divide", ARGS(0), "integer divide by zero");
    world_traps(w, in, "recurse", NO_ARGS, "call stack exhausted");
    world_traps(w, in, "legacy", NO_ARGS, "unreachable");
    world_traps(w, in, "null", NO_ARGS, "null exception reference");
}

static void test_traps_are_not_caught(void **state)
{
    (void)state;
    world_each(traps);
}

/* ---- references */

static void references(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, ":ix"), param = (u8)wasm_type(&m, "x:");
    wasm_tag(&m, "i:", "t");
    u8 g = (u8)wasm_global(&m, 'x', true, CODE(REF_NULL_EXN), "g");
    u8 t = (u8)wasm_table(&m, 'x', 2, 2, "table"), funcs = (u8)wasm_table(&m, 'r', 1, 1, NULL);
    u32 rethrow = wasm_func(&m, "x:", NULL, "", CODE(LOCAL_GET(0), THROW_REF));
    (void)t;
    wasm_elem(&m, funcs, 0, &rethrow, 1);
    wasm_func(&m, "i:i", "keep", "x",
              CODE(BLOCK(type), TRY_TABLE(VOID, 1), ON_REF(0, 0), LOCAL_GET(0), THROW(0), END,
                   UNREACHABLE, END, LOCAL_TEE(1), GLOBAL_SET(g), I32(1), LOCAL_GET(1),
                   TABLE_SET(0)));
    wasm_func(&m, ":i", "again", "",
              CODE(BLOCK(T_I32), TRY_TABLE(VOID, 1), ON(0, 0), GLOBAL_GET(g), I32(0),
                   CALL_INDIRECT(param, funcs), END, UNREACHABLE, END));
    wasm_func(&m, ":i", "table_again", "",
              CODE(BLOCK(T_I32), TRY_TABLE(VOID, 1), ON(0, 0), I32(1), TABLE_GET(0), THROW_REF, END,
                   UNREACHABLE, END));
    wasm_func(&m, ":x", "all_ref", "",
              CODE(TRY_TABLE(VOID, 1), ON_ALL_REF(0), I32(77), THROW(0), END, REF_NULL_EXN));
    wasm_func(&m, ":i", "is_null", "", CODE(GLOBAL_GET(g), REF_IS_NULL));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "is_null", NO_ARGS), 1);
    assert_int_equal(world_one(w, in, "keep", ARGS(12)), 12);
    assert_int_equal(world_one(w, in, "is_null", NO_ARGS), 0);
    assert_int_equal(world_one(w, in, "again", NO_ARGS), 12);
    assert_int_equal(world_one(w, in, "table_again", NO_ARGS), 12);
    wr_exception_t *e = (wr_exception_t *)(uintptr_t)world_one(w, in, "all_ref", NO_ARGS);
    wr_val_t v;
    assert_int_equal(wr_exception_values(e, &v, 1), 1);
    assert_int_equal(v.of.i32, 77);
}

static void test_references_are_values_like_others(void **state)
{
    (void)state;
    world_each(references);
}

/* ---- legacy */

static void legacy(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, "i:i");
    wasm_tag(&m, "i:", "t");
    u8 thrower = (u8)add_thrower(&m);
    wasm_func(&m, "i:i", "values", "i",
              CODE(I32(7), LOCAL_GET(0), TRY(type), CALL(thrower), CATCH(0), LOCAL_TEE(1), I32(1),
                   I32_ADD, CATCH_ALL, I32(0), END, I32_ADD, LOCAL_GET(1), I32_ADD));
    wasm_func(&m, "i:i", "outer", "",
              CODE(TRY(T_I32), LOCAL_GET(0), THROW(0), CATCH(0), DROP, TRY(T_I32), I32(5), THROW(0),
                   CATCH(0), DROP, RETHROW(1), END, END));
    wasm_func(&m, "i:i", "all", "",
              CODE(TRY(T_I32), LOCAL_GET(0), CALL(thrower), CATCH_ALL, RETHROW(0), END));
    wasm_func(&m, "i:i", "loop", "ii",
              CODE(LOOP(VOID), TRY(VOID), LOCAL_GET(0), I32(100), I32_ADD, CALL(thrower), DROP,
                   CATCH(0), LOCAL_GET(1), I32_ADD, LOCAL_SET(1), LOCAL_GET(0), I32(1), I32_SUB,
                   LOCAL_TEE(0), BR_IF(1), END, END, LOCAL_GET(1)));
    wasm_func(&m, "i:i", "leave", "",
              CODE(BLOCK(T_I32), TRY(T_I32), LOCAL_GET(0), THROW(0), CATCH(0), I32(1), I32_ADD,
                   BR(1), END, DROP, I32(0), END));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "values", ARGS(3)), 7 + 3);
    assert_int_equal(world_one(w, in, "values", ARGS(100)), 7 + 301 + 300);
    world_throws(w, in, "outer", ARGS(9), "t(9)");
    assert_int_equal(world_one(w, in, "all", ARGS(8)), 8);
    world_throws(w, in, "all", ARGS(200), "t(600)");
    assert_int_equal(world_one(w, in, "loop", ARGS(10)), 3 * (1000 + 55));
    assert_int_equal(world_one(w, in, "leave", ARGS(4)), 5);
}

static void test_legacy_handlers_catch_rethrow_and_leave(void **state)
{
    (void)state;
    world_each(legacy);
}

/** The body throws its argument; delegated `depth` blocks out. */
static void add_delegate(struct wasm *m, const char *name, u8 depth)
{
    wasm_func(m, "i:i", name, "",
              CODE(TRY(T_I32), BLOCK(T_I32), TRY(T_I32), TRY(T_I32), LOCAL_GET(0), THROW(0),
                   DELEGATE(depth), CATCH(0), I32(100), I32_ADD, END, END, CATCH(0), I32(1000),
                   I32_ADD, END));
}

static void delegates(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    add_delegate(&m, "next", 0);
    add_delegate(&m, "block", 1);
    add_delegate(&m, "outermost", 2);
    add_delegate(&m, "caller", 3);
    wasm_func(&m, "i:i", "handler", "",
              CODE(TRY(T_I32), TRY(T_I32), I32(1), THROW(0), CATCH(0), DROP, TRY(T_I32),
                   LOCAL_GET(0), THROW(0), DELEGATE(0), END, CATCH(0), I32(50), I32_ADD, END));
    wasm_func(&m, "i:i", "quiet", "", CODE(TRY(T_I32), LOCAL_GET(0), DELEGATE(0)));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "next", ARGS(1)), 101);
    assert_int_equal(world_one(w, in, "block", ARGS(2)), 1002);
    assert_int_equal(world_one(w, in, "outermost", ARGS(3)), 1003);
    world_throws(w, in, "caller", ARGS(4), "t(4)");
    assert_int_equal(world_one(w, in, "handler", ARGS(5)), 55);
    assert_int_equal(world_one(w, in, "quiet", ARGS(6)), 6);
}

static void test_delegates_pass_the_handlers_between(void **state)
{
    (void)state;
    world_each(delegates);
}

/** Handlers behind code that is never reached, and tries in it. */
static void dead_code(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    wasm_func(&m, "i:i", "f", "",
              CODE(TRY(T_I32), LOCAL_GET(0), THROW(0), TRY(VOID), TRY_TABLE(VOID, 1), ON_ALL(0),
                   TRY(VOID), DELEGATE(0), END, CATCH(0), DROP, CATCH_ALL, RETHROW(0), END,
                   CATCH(0), RETURN, TRY(VOID), CATCH_ALL, END, CATCH_ALL, UNREACHABLE, END));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "f", ARGS(3)), 3);
}

static void test_dead_code_holds_tries(void **state)
{
    (void)state;
    world_each(dead_code);
}

/** Slots beyond what 16 bits reach. */
static void far_slots(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, ":ix"), ref = (u8)wasm_type(&m, "x:i");
    wasm_tag(&m, "i:", "t");
    wasm_func_locals(&m, "i:i", "f", 40000, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(39000), BLOCK(type), TRY_TABLE(VOID, 1),
                          ON_REF(0, 0), LOCAL_GET_FAR(39000), THROW(0), END, UNREACHABLE, END,
                          BLOCK(ref), TRY_TABLE(ref, 1), ON(0, 0), THROW_REF, END, END, I32_ADD,
                          TRY(T_I32), TRY(T_I32), LOCAL_GET(0), THROW(0), CATCH(0), DROP,
                          RETHROW(0), END, CATCH(0), END, I32_ADD));
    wr_instance_t *in = world_instance(w, &m);
    assert_int_equal(world_one(w, in, "f", ARGS(7)), 21);
}

static void test_far_slots(void **state)
{
    (void)state;
    world_each(far_slots);
}

/* ---- looking */

static void explored(struct world *w)
{
    static struct world_text text;
    struct wasm m = {0};
    wasm_tag(&m, "i:", "t");
    wasm_func(&m, "i:i", "f", "",
              CODE(BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON(0, 0), LOCAL_GET(0), THROW(0), END, END));
    wr_module_t *module = world_module(w, &m);
    text.len = 0;
    assert_int_equal(wr_module_explore(module, "f", world_keep, &text, &w->err), WR_OK);
    assert_non_null(strstr(text.bytes, "throw"));
    assert_non_null(strstr(text.bytes, "try 0: "));
    assert_null(strstr(text.bytes, "no known instruction"));
}

static void test_functions_that_throw_can_be_explored(void **state)
{
    (void)state;
    world_each(explored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locals_operands_and_constants_are_there_in_the_handler),
        cmocka_unit_test(test_calls_before_and_behind_a_region_are_outside_of_it),
        cmocka_unit_test(test_code_around_regions_computes_the_same),
        cmocka_unit_test(test_a_handler_may_be_the_start_of_a_loop),
        cmocka_unit_test(test_a_handler_may_be_the_end_of_the_function),
        cmocka_unit_test(test_the_innermost_region_with_the_tag_catches),
        cmocka_unit_test(test_thousands_of_frames_are_left_at_once),
        cmocka_unit_test(test_exceptions_cross_instances_by_tag),
        cmocka_unit_test(test_tail_calls_leave_the_region),
        cmocka_unit_test(test_traps_are_not_caught),
        cmocka_unit_test(test_references_are_values_like_others),
        cmocka_unit_test(test_legacy_handlers_catch_rethrow_and_leave),
        cmocka_unit_test(test_delegates_pass_the_handlers_between),
        cmocka_unit_test(test_dead_code_holds_tries),
        cmocka_unit_test(test_far_slots),
        cmocka_unit_test(test_functions_that_throw_can_be_explored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
