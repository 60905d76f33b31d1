/* SPDX-License-Identifier: Apache-2.0 */
/* Memories whose pages are one byte: size, growth, bounds, segments, imports, in all modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_OF_BOUNDS "out of bounds memory access"
#define LIT(...) (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})

/** Functions over memory 0 with addresses of `address`: size, grow, load8, load32, store8, fill. */
static struct wasm_bytes module_of(const u8 *memory, u32 memory_size, const char *address,
                                   const u8 *data, u32 data_size)
{
    struct wasm m = {0};
    char one[8], grow[8], load[8], store[8], fill[8];
    (void)snprintf(one, sizeof one, ":%s", address);
    (void)snprintf(grow, sizeof grow, "%s:%s", address, address);
    (void)snprintf(load, sizeof load, "%s:i", address);
    (void)snprintf(store, sizeof store, "%si:", address);
    (void)snprintf(fill, sizeof fill, "%s%s:", address, address);
    wasm_func(&m, one, "size", "", CODE(MEMORY_SIZE));
    wasm_func(&m, grow, "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    wasm_func(&m, load, "load8", "", CODE(LOCAL_GET(0), I32_LOAD8_U(0)));
    wasm_func(&m, load, "load32", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(&m, load, "load_at_2", "", CODE(LOCAL_GET(0), I32_LOAD8_U(2)));
    wasm_func(&m, store, "store8", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE8(0)));
    wasm_func(&m, fill, "fill", "", CODE(LOCAL_GET(0), I32(0x5a), LOCAL_GET(1), MEMORY_FILL));
    wasm_put(&m.memories.bytes, memory, memory_size);
    m.memories.count = m.memory_count = 1;
    wasm_export(&m, "memory", 2, 0);
    wasm_put(&m.datas.bytes, data, data_size);
    m.datas.count = data_size > 0;
    return wasm_finish(&m);
}

static wr_status_t try_bytes(struct world *w, struct wasm_bytes b, wr_instance_t **in)
{
    wr_features_t set = wr_features_default();
    assert_int_equal(wr_features_parse("+custom-page-sizes", &set, NULL), WR_OK);
    wr_engine_set_features(w->engine, set);
    wr_module_t *module = NULL;
    wr_status_t s = wr_module_new(w->engine, b.data, b.size, &module, &w->err);
    free(b.data);
    if (s != WR_OK) return s;
    w->modules[w->module_count++] = module;
    return wr_linker_instantiate(w->linker, w->store, module, NULL, in, &w->err);
}

static void bytewise(struct world *w)
{
    static const u8 memory[] = {0x09, 10, 100, 0}; /* 10 to 100 pages of 2^0 */
    wr_instance_t *in = NULL;
    assert_int_equal(
        try_bytes(w, module_of(memory, sizeof memory, "i", LIT(0, 0x41, 7, 0x0b, 3, 'x', 'y', 'z')),
                  &in),
        WR_OK);
    const wr_memory_t *mem = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    world_gives(w, in, "size", NO_ARGS, ARGS(10));
    assert_int_equal(wr_memory_size(mem), 10);
    world_gives(w, in, "load8", ARGS(9), ARGS('z'));
    world_traps(w, in, "load8", ARGS(10), OUT_OF_BOUNDS);
    world_traps(w, in, "load8", ARGS(UINT32_MAX), OUT_OF_BOUNDS);
    world_gives(w, in, "load_at_2", ARGS(7), ARGS('z'));
    world_traps(w, in, "load_at_2", ARGS(8), OUT_OF_BOUNDS);
    world_gives(w, in, "load32", ARGS(6), ARGS('x' << 8 | 'y' << 16 | (u32)'z' << 24));
    world_traps(w, in, "load32", ARGS(7), OUT_OF_BOUNDS);
    world_traps(w, in, "store8", ARGS(10, 1), OUT_OF_BOUNDS);
    world_traps(w, in, "fill", ARGS(8, 3), OUT_OF_BOUNDS);
    world_gives(w, in, "load8", ARGS(9), ARGS('z')); /* nothing was written */
    world_gives(w, in, "grow", ARGS(1), ARGS(10));
    world_gives(w, in, "load8", ARGS(10), ARGS(0));
    world_traps(w, in, "load8", ARGS(11), OUT_OF_BOUNDS);
    world_gives(w, in, "grow", ARGS(90), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(89), ARGS(11));
    world_gives(w, in, "fill", ARGS(0, 100), NO_ARGS);
    world_gives(w, in, "load8", ARGS(99), ARGS(0x5a));
    world_traps(w, in, "load8", ARGS(100), OUT_OF_BOUNDS);
    assert_int_equal(wr_memory_size(mem), 100);
}
static void test_pages_of_one_byte_end_where_they_say(void **state)
{
    (void)state;
    world_each(bytewise);
}

/* Growth over a page of the host, one byte at a time: what is new is zero. */
static void creeping(struct world *w)
{
    static const u8 memory[] = {0x08, 0xfe, 0x1f, 0}; /* 4094 */
    wr_instance_t *in = NULL;
    assert_int_equal(try_bytes(w, module_of(memory, sizeof memory, "i", NULL, 0), &in), WR_OK);
    for (u32 size = 4094; size < 4100; size++) {
        world_traps(w, in, "store8", ARGS(size, 7), OUT_OF_BOUNDS);
        world_gives(w, in, "grow", ARGS(1), ARGS(size));
        world_gives(w, in, "load8", ARGS(size), ARGS(0));
        world_gives(w, in, "store8", ARGS(size, 7), NO_ARGS);
        world_gives(w, in, "size", NO_ARGS, ARGS(size + 1));
    }
}
static void test_growth_by_bytes_crosses_pages_of_the_host(void **state)
{
    (void)state;
    world_each(creeping);
}

static void bytewise_64(struct world *w)
{
    static const u8 memory[] = {0x0c, 5, 0}; /* i64 */
    wr_instance_t *in = NULL;
    assert_int_equal(
        try_bytes(w, module_of(memory, sizeof memory, "I", LIT(0, 0x42, 4, 0x0b, 1, 'x')), &in),
        WR_OK);
    world_gives(w, in, "size", NO_ARGS, ARGS(5));
    world_gives(w, in, "load8", ARGS(4), ARGS('x'));
    world_traps(w, in, "load8", ARGS(5), OUT_OF_BOUNDS);
    world_traps(w, in, "load8", ARGS(UINT64_MAX), OUT_OF_BOUNDS);
    world_gives(w, in, "grow", ARGS(70000), ARGS(5));
    world_gives(w, in, "store8", ARGS(70004, 9), NO_ARGS);
    world_gives(w, in, "load8", ARGS(70004), ARGS(9));
    world_traps(w, in, "load8", ARGS(70005), OUT_OF_BOUNDS);
    world_gives(w, in, "grow", ARGS(UINT64_MAX), ARGS(UINT64_MAX));
}
static void test_pages_of_one_byte_with_64_bit_addresses(void **state)
{
    (void)state;
    world_each(bytewise_64);
}

/* The page size said: also 64 KiB, with guard pages where a store has them. */
static void said_64k(struct world *w)
{
    static const u8 memory[] = {0x08, 1, 16};
    wr_instance_t *in = NULL;
    assert_int_equal(try_bytes(w, module_of(memory, sizeof memory, "i", NULL, 0), &in), WR_OK);
    world_gives(w, in, "size", NO_ARGS, ARGS(1));
    world_gives(w, in, "load8", ARGS(65535), ARGS(0));
    world_traps(w, in, "load8", ARGS(65536), OUT_OF_BOUNDS);
}
static void test_the_usual_page_size_may_be_said(void **state)
{
    (void)state;
    world_each(said_64k);
}

static void segments(struct world *w)
{
    static const u8 memory[] = {0x08, 3, 0};
    wr_instance_t *in = NULL;
    assert_int_equal(
        try_bytes(w, module_of(memory, sizeof memory, "i", LIT(0, 0x41, 1, 0x0b, 3, 'x', 'y', 'z')),
                  &in),
        WR_TRAP);
    assert_string_equal(w->err.trap, OUT_OF_BOUNDS);
}
static void test_a_segment_past_the_last_byte_traps(void **state)
{
    (void)state;
    world_each(segments);
}

/* An import wants its page size; the message tells both types. */
static void imports(struct world *w)
{
    static const u8 memory[] = {0x08, 100, 0};
    wr_instance_t *in = NULL;
    assert_int_equal(try_bytes(w, module_of(memory, sizeof memory, "i", NULL, 0), &in), WR_OK);
    assert_int_equal(wr_linker_define_instance(w->linker, world_name("m"), in, &w->err), WR_OK);
    static const struct {
        u8 flags, min, log2;
        u32 size;
        wr_status_t want;
    } cases[] = {{8, 100, 0, 3, WR_OK},
                 {8, 99, 0, 3, WR_OK},
                 {8, 101, 0, 3, WR_LINK},
                 {8, 0, 16, 3, WR_LINK},
                 {0, 0, 0, 2, WR_LINK}};
    for (u32 i = 0; i < VM_COUNT(cases); i++) {
        struct wasm m = {0};
        wasm_put_name(&m.imports.bytes, "m");
        wasm_put_name(&m.imports.bytes, "memory");
        wasm_put_u8(&m.imports.bytes, 2);
        const u8 type[] = {cases[i].flags, cases[i].min, cases[i].log2};
        wasm_put(&m.imports.bytes, type, cases[i].size);
        m.imports.count = 1;
        assert_int_equal(try_bytes(w, wasm_finish(&m), &in), cases[i].want);
        char text[64];
        const wr_module_t *module = w->modules[w->module_count - 1];
        (void)wr_module_import_type(module, 0, text, sizeof text);
        bool one = cases[i].size == 3 && cases[i].log2 == 0;
        assert_int_equal(strstr(text, "(pagesize 1)") != NULL, one);
    }
}
static void test_imports_match_by_page_size(void **state)
{
    (void)state;
    world_each(imports);
}

/* As many pages as an address counts, if there is so much: never 2^32, which i32 cannot tell. */
static void largest(struct world *w)
{
    static const u8 memory[] = {0x08, 0, 0};
    wr_instance_t *in = NULL;
    assert_int_equal(try_bytes(w, module_of(memory, sizeof memory, "i", NULL, 0), &in), WR_OK);
    const u64 all = world_one(w, in, "grow", ARGS(UINT32_MAX));
    assert_true(all == 0 || all == UINT32_MAX);
    if (all == 0) {
        world_gives(w, in, "size", NO_ARGS, ARGS(UINT32_MAX));
        world_gives(w, in, "load8", ARGS(UINT32_MAX - 1), ARGS(0));
        world_traps(w, in, "load8", ARGS(UINT32_MAX), OUT_OF_BOUNDS);
        wr_memory_t *mem = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
        assert_true(wr_memory_grow(mem, 1) == UINT64_MAX);
    }
}
static void test_the_largest_memory_of_bytes(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, NULL);
    largest(&w);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_of_one_byte_end_where_they_say),
        cmocka_unit_test(test_growth_by_bytes_crosses_pages_of_the_host),
        cmocka_unit_test(test_pages_of_one_byte_with_64_bit_addresses),
        cmocka_unit_test(test_the_usual_page_size_may_be_said),
        cmocka_unit_test(test_a_segment_past_the_last_byte_traps),
        cmocka_unit_test(test_imports_match_by_page_size),
        cmocka_unit_test(test_the_largest_memory_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
