/* SPDX-License-Identifier: Apache-2.0 */
/* Plain C functions as host functions: wr_linker_define_c, letter by letter, and hostile pointers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

#define FN(f) ((wr_c_fn)(f))

/** The world of the running test, for what C functions can't be told otherwise. */
static struct world *now;
static wr_memory_t *memory;
static u32 calls;

static void define(const char *name, const char *signature, wr_c_fn fn)
{
    wr_status_t s = wr_linker_define_c(now->linker, "c", name, signature, fn, &now->err);
    if (s != WR_OK) print_error("%s\n", now->err.text);
    assert_int_equal(s, WR_OK);
}

/** A module that imports c.`name` and exports "f", which passes its parameters on; one memory. */
static wr_instance_t *caller(const char *name, const char *signature)
{
    struct wasm m = {0};
    struct wasm_bytes code = {0};
    u32 n = (u32)(strchr(signature, ':') - signature);
    u32 import = wasm_import_func(&m, "c", name, signature);
    wasm_memory(&m, 1, 2, "memory");
    for (u32 i = 0; i < n; i++) wasm_put(&code, (const u8[]){LOCAL_GET((u8)i)}, 2);
    wasm_put(&code, (const u8[]){CALL((u8)import)}, 2);
    wasm_func(&m, signature, "f", "", (struct wasm_code){code.data, code.size});
    free(code.data);
    wr_instance_t *in = world_instance(now, &m);
    memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    return in;
}

static void put(u32 addr, const char *bytes, u32 size)
{
    assert_true(wr_memory_write(memory, addr, bytes, size));
}

/* -------- numbers */

static u32 c_i32(u32 a, u32 b) { return a - b; }
static int64_t c_i64(int64_t a) { return a * 2; }
static float c_f32(float a, double b) { return a + (float)b; }
static double c_f64(double a, float b) { return a - (double)b; }
static void *c_ref(void *a) { return a; }
static void c_nothing(void) { calls++; }
static int32_t c_negative(int32_t a) { return -a; }
static double c_many(u32 a, u64 b, float c, double d, u32 e, u64 f, float g, double h, u32 i, u64 j,
                     float k, double l)
{
    return a + (double)b + (double)c + d + e + (double)f + (double)g + h + i + (double)j +
           (double)k + l;
}

static u64 f64_bits(double v)
{
    u64 bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static u32 f32_bits(float v)
{
    u32 bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static void numbers(struct world *w)
{
    now = w;
    calls = 0;
    define("i32", "(ii)i", FN(c_i32));
    define("i64", "(I)I", FN(c_i64));
    define("f32", "(fF)f", FN(c_f32));
    define("f64", "(Ff)F", FN(c_f64));
    define("ref", "(e)e", FN(c_ref));
    define("nothing", "()", FN(c_nothing));
    define("negative", "(i)i", FN(c_negative));
    define("many", "(iIfFiIfFiIfF)F", FN(c_many));
    world_gives(w, caller("i32", "ii:i"), "f", ARGS(1, 2), ARGS(0xffffffff));
    world_gives(w, caller("i64", "I:I"), "f", ARGS(UINT64_MAX), ARGS(UINT64_MAX - 1));
    world_gives(w, caller("f32", "fF:f"), "f", ARGS(f32_bits(1.5f), f64_bits(2.25)),
                ARGS(f32_bits(3.75f)));
    world_gives(w, caller("f64", "Ff:F"), "f", ARGS(f64_bits(1.5), f32_bits(2.25f)),
                ARGS(f64_bits(-0.75)));
    world_gives(w, caller("ref", "e:e"), "f", ARGS((u64)(uintptr_t)w), ARGS((u64)(uintptr_t)w));
    world_gives(w, caller("ref", "e:e"), "f", ARGS(0), ARGS(0));
    world_gives(w, caller("nothing", ":"), "f", NO_ARGS, NO_ARGS);
    assert_int_equal(calls, 1);
    world_gives(w, caller("negative", "i:i"), "f", ARGS(5), ARGS(0xfffffffb));
    u64 one = f64_bits(1), onef = f32_bits(1);
    world_gives(w, caller("many", "iIfFiIfFiIfF:F"), "f",
                ARGS(1, 1, onef, one, 1, 1, onef, one, 1, 1, onef, one), ARGS(f64_bits(12)));
    /* the type is part of the name: an import of another type does not match */
    struct wasm m = {0};
    wasm_import_func(&m, "c", "i32", "iI:i");
    wr_instance_t *in = NULL;
    assert_int_equal(world_try(w, &m, &in), WR_LINK);
}
static void test_numbers_and_references(void **state)
{
    (void)state;
    world_each(numbers);
}

/* -------- pointers */

static u32 c_first(const u8 *p) { return *p; }
static u32 c_sum(const u8 *p, u32 n)
{
    u32 sum = 0;
    calls++;
    for (u32 i = 0; i < n; i++) sum += p[i];
    return sum;
}
static void c_fill(u8 *p, u32 n, u32 value)
{
    for (u32 i = 0; i < n; i++) p[i] = (u8)value;
}
static u32 c_length(const char *s)
{
    calls++;
    return (u32)strlen(s);
}
static u32 c_two(const u8 *a, u32 a_len, const char *s, const u8 *b)
{
    return a_len * 100 + (u32)strlen(s) * 10 + *b + (a_len ? *a : 0);
}

static const char oob[] = "out of bounds memory access";

static void pointers(struct world *w)
{
    now = w;
    define("first", "(*)i", FN(c_first));
    define("sum", "(*~)i", FN(c_sum));
    define("fill", "(*~i)", FN(c_fill));
    wr_instance_t *in = caller("first", "i:i");
    put(65535, "\x2a", 1);
    world_gives(w, in, "f", ARGS(65535), ARGS(42));
    world_traps(w, in, "f", ARGS(65536), oob);
    world_traps(w, in, "f", ARGS(0xffffffff), oob);
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(wr_memory_grow(memory, 1), 1);
    world_gives(w, in, "f", ARGS(65536), ARGS(0)); /* the size of the moment counts */
    in = caller("sum", "ii:i");
    put(0, "\1\2\3", 3);
    calls = 0;
    world_gives(w, in, "f", ARGS(0, 3), ARGS(6));
    world_gives(w, in, "f", ARGS(0, 65536), ARGS(6));
    world_gives(w, in, "f", ARGS(65536, 0), ARGS(0)); /* nothing, at the end */
    assert_int_equal(calls, 3);
    world_traps(w, in, "f", ARGS(0, 65537), oob);
    world_traps(w, in, "f", ARGS(65537, 0), oob);
    world_traps(w, in, "f", ARGS(1, 65536), oob);
    world_traps(w, in, "f", ARGS(0xffffffff, 2), oob); /* no sum in 32 bits */
    world_traps(w, in, "f", ARGS(2, 0xffffffff), oob);
    assert_int_equal(calls, 3); /* never called with a bad pointer */
    in = caller("fill", "iii:");
    world_gives(w, in, "f", ARGS(10, 4, 7), NO_ARGS);
    assert_memory_equal(wr_memory_data(memory) + 9, "\0\7\7\7\7\0", 6);
}
static void test_pointers_are_checked(void **state)
{
    (void)state;
    world_each(pointers);
}

static void strings(struct world *w)
{
    now = w;
    define("length", "($)i", FN(c_length));
    define("two", "(*~$*)i", FN(c_two));
    wr_instance_t *in = caller("length", "i:i");
    put(100, "hello", 6);
    put(65533, "xyz", 3); /* no NUL before the end */
    calls = 0;
    world_gives(w, in, "f", ARGS(100), ARGS(5));
    world_gives(w, in, "f", ARGS(105), ARGS(0));
    world_traps(w, in, "f", ARGS(65533), oob);
    world_traps(w, in, "f", ARGS(65536), oob);
    world_traps(w, in, "f", ARGS(0xffffffff), oob);
    assert_int_equal(calls, 2);
    put(65535, "\0", 1);
    world_gives(w, in, "f", ARGS(65533), ARGS(2));
    in = caller("two", "iiii:i");
    put(100, "hello", 6);
    world_gives(w, in, "f", ARGS(100, 1, 101, 0), ARGS(100 + 40 + 'h'));
    world_traps(w, in, "f", ARGS(100, 1, 101, 65536), oob);
    world_traps(w, in, "f", ARGS(65536, 1, 101, 0), oob);
}
static void test_strings_end_inside_the_memory(void **state)
{
    (void)state;
    world_each(strings);
}

/** A caller without a memory, and none at all. */
static void no_memory(struct world *w)
{
    now = w;
    define("first", "(*)i", FN(c_first));
    struct wasm m = {0};
    u32 first = wasm_import_func(&m, "c", "first", "i:i");
    wasm_func(&m, "i:i", "f", "", CODE(LOCAL_GET(0), CALL((u8)first)));
    wasm_export(&m, "host", 0, first);
    wr_instance_t *in = world_instance(w, &m);
    world_traps(w, in, "f", ARGS(0), oob);
    world_traps(w, in, "host", ARGS(0), oob);
    assert_int_equal(w->err.frames, 0);
}
static void test_pointers_without_a_memory_trap(void **state)
{
    (void)state;
    world_each(no_memory);
}

/* -------- the call itself */

static u32 c_call(wr_call_t *call, u32 what)
{
    if (what == 1) return (u32)wr_call_trap(call, "said C");
    if (what == 2) return (u32)wr_call_exit(call, 9);
    assert_ptr_equal(wr_call_store(call), now->store);
    assert_ptr_equal(wr_call_memory(call, 0), memory);
    return what;
}
static u32 c_call_last(u32 what, wr_call_t *call) { return c_call(call, what); }

static void the_call(struct world *w)
{
    now = w;
    define("call", "(@i)i", FN(c_call));
    define("last", "(i@)i", FN(c_call_last));
    static const char *const names[] = {"call", "last"};
    for (u32 i = 0; i < 2; i++) {
        struct world_values r;
        wr_instance_t *in = caller(names[i], "i:i");
        world_gives(w, in, "f", ARGS(7), ARGS(7));
        world_traps(w, in, "f", ARGS(1), "host function failed");
        assert_string_equal(w->err.text, "said C");
        world_gives(w, in, "f", ARGS(7), ARGS(7));
        assert_int_equal(world_call(w, in, "f", ARGS(2), &r), WR_EXIT);
    }
}
static void test_c_functions_can_trap_and_exit(void **state)
{
    (void)state;
    world_each(the_call);
}

/* -------- signatures */

static void test_bad_signatures_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "(",     ")",    "()ii", "(i",   "i",     "(x)",
                                      "()x",  "()*",   "()~",  "()$",  "()@",  "(~)",   "(i~)",
                                      "($~)", "(*~~)", "(V)",  "()V",  "(r)i", "( i)i", "(i) i",
                                      "i)i",  "((i)",  "(i))", "()~",  "(*)*"};
    struct world w;
    world_init(&w, NULL);
    for (u32 i = 0; i < VM_COUNT(bad); i++) {
        wr_status_t s = wr_linker_define_c(w.linker, "c", "f", bad[i], FN(c_nothing), &w.err);
        if (s != WR_ARGUMENT) print_error("\"%s\" is accepted\n", bad[i]);
        assert_int_equal(s, WR_ARGUMENT);
        assert_non_null(strstr(w.err.text, "signature"));
    }
    char many[100] = "(";
    memset(many + 1, 'i', 33);
    many[34] = ')';
    assert_int_equal(wr_linker_define_c(w.linker, "c", "f", many, FN(c_nothing), NULL),
                     WR_ARGUMENT);
    many[33] = ')';
    many[34] = 0;
    assert_int_equal(wr_linker_define_c(w.linker, "c", "f", many, FN(c_nothing), NULL), WR_OK);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_references),
        cmocka_unit_test(test_pointers_are_checked),
        cmocka_unit_test(test_strings_end_inside_the_memory),
        cmocka_unit_test(test_pointers_without_a_memory_trap),
        cmocka_unit_test(test_c_functions_can_trap_and_exit),
        cmocka_unit_test(test_bad_signatures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
