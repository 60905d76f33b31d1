/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy-on-write images of data segments: every instance begins with what the segments say and sees
 * nobody else's writes; what can't be an image is copied, with the same result and the same traps.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/image_data.h"
#include "tests/world.h"

/* -------- helpers */

static void accessors(struct wasm *m)
{
    wasm_func(m, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD8_U(0)));
    wasm_func(m, "ii:", "store", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE8(0)));
    wasm_func(m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
}

static wr_memory_t *memory_of(wr_instance_t *in)
{
    return world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
}

static wr_instance_t *again(struct world *w, wr_module_t *module)
{
    wr_instance_t *in = NULL;
    wr_status_t s = wr_linker_instantiate(w->linker, w->store, module, NULL, &in, &w->err);
    if (s != WR_OK) print_error("%s\n", w->err.text);
    assert_int_equal(s, WR_OK);
    return in;
}

/** Bytes of [p, p+n) that are mapped from an image. */
static usize mapped_bytes(const void *p, usize n)
{
    char line[512];
    usize sum = 0, at = (usize)p;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long long begin, end;
        if (!strstr(line, "memfd:wasm-data") || sscanf(line, "%llx-%llx", &begin, &end) != 2)
            continue;
        if (begin >= at && end <= at + n) sum += (usize)(end - begin);
    }
    if (maps) (void)fclose(maps);
    return sum;
}

static void expect_image(wr_instance_t *in, bool wanted)
{
    wr_memory_t *memory = memory_of(in);
    usize n = mapped_bytes(wr_memory_data(memory), (usize)wr_memory_size(memory));
    if (wanted && has_images()) assert_true(n > 0);
    if (!wanted) assert_int_equal(n, 0);
}

static void expect_bytes(wr_instance_t *in, const u8 *want, usize n)
{
    wr_memory_t *memory = memory_of(in);
    assert_int_equal(wr_memory_size(memory), n);
    const u8 *have = wr_memory_data(memory);
    if (memcmp(have, want, n) == 0) return;
    for (usize i = 0; i < n; i++) {
        if (have[i] == want[i]) continue;
        print_error("byte %zu is %u, not %u\n", i, have[i], want[i]);
        assert_int_equal(have[i], want[i]);
    }
}

/* -------- instances do not see each other */

static void pristine(struct world *w)
{
    enum { PAGES = 4 };
    struct wasm m = {0};
    u8 *want = calloc(PAGES, PAGE);
    fill(want + 1000, BIG, 1);
    wasm_memory(&m, PAGES, 8, "memory");
    accessors(&m);
    big_data(&m, 0, 1000, BIG, 1);
    wr_module_t *module = world_module(w, &m);
    for (u32 round = 0; round < 4; round++) {
        wr_instance_t *in = again(w, module);
        expect_image(in, true);
        expect_bytes(in, want, (usize)PAGES * PAGE);
        world_gives(w, in, "load", ARGS(1000), ARGS(want[1000]));
        for (u32 at = 0; at < PAGES * PAGE; at += 997)
            world_gives(w, in, "store", ARGS(at, 0), NO_ARGS);
        world_gives(w, in, "load", ARGS(997), ARGS(0));
        memset(wr_memory_data(memory_of(in)), 0xee, (usize)PAGES * PAGE); /* the host writes too */
    }
    /* and in another store, while the first is there */
    wr_store_t *first = w->store;
    assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
    expect_bytes(again(w, module), want, (usize)PAGES * PAGE);
    wr_store_delete(w->store);
    w->store = first;
    free(want);
}
static void test_instances_do_not_see_each_others_writes(void **state)
{
    (void)state;
    world_each(pristine);
}

static void growth(struct world *w)
{
    struct wasm m = {0};
    u8 *want = calloc(3, PAGE);
    fill(want + 2 * PAGE - BIG, BIG, 2);
    wasm_memory(&m, 2, 4, "memory");
    accessors(&m);
    big_data(&m, 0, 2 * PAGE - BIG, BIG, 2); /* to the very end */
    wr_module_t *module = world_module(w, &m);
    for (u32 round = 0; round < 3; round++) {
        wr_instance_t *in = again(w, module);
        expect_image(in, true);
        world_traps(w, in, "load", ARGS(2 * PAGE), "out of bounds memory access");
        world_gives(w, in, "load", ARGS(2 * PAGE - 1), ARGS(want[2 * PAGE - 1]));
        world_gives(w, in, "grow", ARGS(1), ARGS(2));
        expect_bytes(in, want, (usize)3 * PAGE);
        world_gives(w, in, "store", ARGS(3 * PAGE - 1, 7), NO_ARGS);
        world_traps(w, in, "store", ARGS(3 * PAGE, 7), "out of bounds memory access");
        world_gives(w, in, "grow", ARGS(1), ARGS(3));
        world_gives(w, in, "load", ARGS(3 * PAGE - 1), ARGS(7));
        world_gives(w, in, "grow", ARGS(1), ARGS(UINT32_MAX));
    }
    assert_int_equal(wr_store_memory_bytes(w->store), 3 * 4 * PAGE);
    free(want);
}
static void test_memory_with_an_image_grows(void **state)
{
    (void)state;
    world_each(growth);
}

static void dropped(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 3, 3, "memory");
    accessors(&m);
    big_data(&m, 0, 0, BIG, 3);
    wasm_data_passive(&m, "passive", 7);
    wasm_data(&m, 0, 5, "five", 4);
    wasm_func(&m, "ii:", "init0", "", CODE(I32(0), LOCAL_GET(0), LOCAL_GET(1), MEMORY_INIT(0)));
    wasm_func(&m, "ii:", "init1", "", CODE(I32(PAGE), LOCAL_GET(0), LOCAL_GET(1), MEMORY_INIT(1)));
    wasm_func(&m, ":", "drop1", "", CODE(0xfc, 9, 1));
    wr_module_t *module = world_module(w, &m);
    for (u32 round = 0; round < 3; round++) {
        wr_instance_t *in = again(w, module);
        expect_image(in, true);
        world_gives(w, in, "load", ARGS(5), ARGS('f'));
        world_gives(w, in, "init0", ARGS(0, 0), NO_ARGS); /* active ones are dropped */
        world_traps(w, in, "init0", ARGS(0, 1), "out of bounds memory access");
        world_gives(w, in, "init1", ARGS(0, 7), NO_ARGS);
        world_gives(w, in, "load", ARGS(PAGE), ARGS('p'));
        world_gives(w, in, "drop1", NO_ARGS, NO_ARGS);
        world_traps(w, in, "init1", ARGS(0, 7), "out of bounds memory access");
    }
}
static void test_segments_of_an_image_are_dropped(void **state)
{
    (void)state;
    world_each(dropped);
}

/* -------- any segments at all */

static u32 next_random(u32 *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/** Random segments, also overlapping, out of order and empty; `want` becomes what they make. */
static void random_segments(struct wasm *m, u8 *want, u32 total, u32 *random)
{
    u32 count = 1 + next_random(random) % 60, spread = next_random(random) % 3;
    wasm_memory(m, total / PAGE, UINT32_MAX, "memory");
    for (u32 i = 0; i < count; i++) {
        u32 size = next_random(random) % (next_random(random) % 5 ? 300 : 40000);
        u32 at = spread ? next_random(random) % (total - size) : i * 5000 % (total - size);
        if (next_random(random) % 16 == 0) at = total - size;
        if (next_random(random) % 16 == 0) size = 0;
        if (spread == 2) at = at % 3 * (total / 3) + at % 1000; /* clusters far apart */
        fill(want + at, size, i);
        big_data(m, 0, at, size, i);
    }
}

static void any_segments(struct world *w)
{
    enum { TOTAL = 30 * PAGE };
    u32 random = 1, images = 0, rounds = rounds_of(40);
    u8 *want = malloc(TOTAL);
    for (u32 i = 0; i < rounds; i++) {
        struct world own;
        world_init(&own, &w->config);
        struct wasm m = {0};
        memset(want, 0, TOTAL);
        random_segments(&m, want, TOTAL, &random);
        wr_module_t *module = world_module(&own, &m);
        for (u32 k = 0; k < 2; k++) {
            wr_instance_t *in = again(&own, module);
            images += mapped_bytes(wr_memory_data(memory_of(in)), TOTAL) > 0;
            expect_bytes(in, want, TOTAL);
        }
        world_free(&own);
    }
    free(want);
    if (has_images()) assert_true(images > rounds / 4);
}
static void test_any_segments_make_what_copying_makes(void **state)
{
    (void)state;
    world_each(any_segments);
}

static void little_or_sparse(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 2, 2, "memory");
    wasm_data(&m, 0, 70000, "little", 6);
    wr_module_t *module = world_module(w, &m);
    (void)again(w, module);
    expect_image(again(w, module), false);
    /* many bytes far from each other: their pages would be much more than the data */
    wasm_memory(&m, 700, 700, "memory");
    for (u32 i = 0; i < 600; i++) big_data(&m, 0, i * PAGE, 64, i);
    module = world_module(w, &m);
    (void)again(w, module);
    wr_instance_t *in = again(w, module);
    expect_image(in, false);
    u8 want[64];
    fill(want, 64, 599);
    assert_memory_equal(wr_memory_data(memory_of(in)) + 599 * PAGE, want, 64);
}
static void test_little_or_sparse_data_has_no_image(void **state)
{
    (void)state;
#ifdef VM_STRESS
    skip(); /* there everything has one */
#endif
    world_each(little_or_sparse);
}

/* -------- what can't be in an image, and traps */

/** An active segment at the value of global 0. */
static void data_at_global(struct wasm *m, const char *bytes, u32 size)
{
    struct wasm_bytes *b = &m->datas.bytes;
    m->datas.count++;
    wasm_put(b, (const u8[]){0, GLOBAL_GET(0), END}, 4);
    wasm_put_u32(b, size);
    wasm_put(b, bytes, size);
}

static void offset_of_global(struct world *w)
{
    wr_store_t *first = w->store;
    for (u32 with_image = 0; with_image < 2; with_image++) {
        struct wasm m = {0};
        (void)wasm_import_global(&m, "env", "at", 'i', false);
        wasm_memory(&m, 2, 2, "memory");
        if (with_image) big_data(&m, 0, 0, BIG, 1);
        data_at_global(&m, "global", 6);
        big_data(&m, 0, 10, 40000, 2); /* over it when it is low */
        wr_module_t *module = world_module(w, &m);
        for (u32 at = 0; at < 3; at++) {
            wr_val_t v = {.kind = WR_I32, .of.i32 = at * 30000};
            wr_extern_t e = {.kind = WR_EXTERN_GLOBAL};
            assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
            assert_int_equal(wr_global_new(w->store, false, &v, &e.of.global, &w->err), WR_OK);
            assert_int_equal(wr_linker_define(w->linker, world_name("env"), world_name("at"),
                                              w->store, e, &w->err),
                             WR_OK);
            u8 *want = calloc(2, PAGE);
            if (with_image) fill(want, BIG, 1);
            memcpy(want + v.of.i32, "global", 6);
            fill(want + 10, 40000, 2);
            wr_instance_t *in = again(w, module);
            expect_image(in, with_image);
            expect_bytes(in, want, (usize)2 * PAGE);
            free(want);
            wr_store_delete(w->store);
        }
    }
    w->store = first;
}
static void test_offset_of_an_imported_global_is_copied(void **state)
{
    (void)state;
    world_each(offset_of_global);
}

/**
 * A module that fails, but has put its function into the table of another, through which its
 * memory is seen. `bad_elem`: an element segment traps, before any data; else a data segment.
 */
static void failing(struct world *w, bool bad_elem, u32 want)
{
    struct wasm m = {0};
    wasm_table(&m, 'r', 2, 2, "table");
    u32 type = wasm_type(&m, "i:i");
    wasm_func(&m, "i:i", "load", "", CODE(LOCAL_GET(0), I32(0), CALL_INDIRECT((u8)type, 0)));
    wr_instance_t *in = world_named(w, &m, "owner");
    (void)wasm_import_table(&m, "owner", "table", 2);
    wasm_memory(&m, 2, 2, "memory");
    u32 f = wasm_func(&m, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD8_U(0)));
    wasm_elem(&m, 0, 0, &f, 1);
    if (bad_elem) wasm_elem(&m, 0, 2, &f, 1);
    big_data(&m, 0, 0, BIG, 1);
    wasm_data(&m, 0, 17, "!", 1);
    if (!bad_elem) wasm_data(&m, 0, 2 * PAGE, "x", 1);
    wasm_data(&m, 0, 17, "?", 1);
    wr_module_t *module = world_module(w, &m);
    for (u32 round = 0; round < 2; round++) {
        wr_instance_t *none = NULL;
        wr_status_t s = wr_linker_instantiate(w->linker, w->store, module, NULL, &none, &w->err);
        assert_int_equal(s, WR_TRAP);
        assert_string_equal(w->err.trap, bad_elem ? "out of bounds table access"
                                                  : "out of bounds memory access");
        world_gives(w, in, "load", ARGS(17), ARGS(want));
    }
}
static void bad_data(struct world *w) { failing(w, false, '!'); }
static void bad_elem(struct world *w) { failing(w, true, 0); }
static void test_trapping_segment_leaves_those_before_it(void **state)
{
    (void)state;
    world_each(bad_data);
}
static void test_trapping_element_segment_leaves_memory_empty(void **state)
{
    (void)state;
    world_each(bad_elem);
}

static void edges(struct world *w)
{
    /* empty segments at the end of the memory are fine, behind it they trap */
    for (u32 behind = 0; behind < 2; behind++) {
        struct wasm m = {0};
        wr_instance_t *in = NULL;
        wasm_memory(&m, 2, 2, "memory");
        big_data(&m, 0, 0, 2 * PAGE, 1);
        wasm_data(&m, 0, 2 * PAGE + behind, "", 0);
        wr_module_t *module = world_module(w, &m);
        for (u32 round = 0; round < 2; round++) {
            wr_status_t s = wr_linker_instantiate(w->linker, w->store, module, NULL, &in, &w->err);
            assert_int_equal(s, behind ? WR_TRAP : WR_OK);
        }
        if (!behind) expect_image(in, true);
    }
}
static void test_empty_segments_at_the_edge(void **state)
{
    (void)state;
    world_each(edges);
}

static void imported(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 2, 2, "memory");
    wr_instance_t *owner = world_named(w, &m, "owner");
    memcpy(wr_memory_data(memory_of(owner)) + 2 * PAGE - 4, "kept", 4);
    (void)wasm_import_memory(&m, "owner", "memory", 2);
    big_data(&m, 0, 0, BIG, 4);
    wr_module_t *module = world_module(w, &m);
    u8 *want = calloc(2, PAGE);
    fill(want, BIG, 4);
    memcpy(want + 2 * PAGE - 4, "kept", 4);
    for (u32 round = 0; round < 2; round++) {
        (void)again(w, module);
        expect_image(owner, false);
        expect_bytes(owner, want, (usize)2 * PAGE);
        memset(wr_memory_data(memory_of(owner)), 0xaa, 1000);
    }
    free(want);
}
static void test_imported_memory_is_written_to(void **state)
{
    (void)state;
    world_each(imported);
}

static void several(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 2, 2, "other");
    wasm_memory(&m, 2, 2, "memory");
    big_data(&m, 1, 100, BIG, 1); /* the image: memory 1 */
    wasm_data(&m, 0, 3, "zero", 4);
    wasm_data(&m, 1, 100, "one", 3);
    wr_module_t *module = world_module(w, &m);
    u8 *want = calloc(2, PAGE);
    fill(want + 100, BIG, 1);
    memcpy(want + 100, "one", 3);
    for (u32 round = 0; round < 2; round++) {
        wr_instance_t *in = again(w, module);
        wr_memory_t *other = world_export(in, "other", WR_EXTERN_MEMORY).of.memory;
        expect_image(in, true);
        expect_bytes(in, want, (usize)2 * PAGE);
        assert_memory_equal(wr_memory_data(other) + 3, "zero", 4);
    }
    free(want);
}
static void test_several_memories(void **state)
{
    (void)state;
    world_each(several);
}

/* -------- what is left behind */

static void reuse(struct world *w)
{
    struct wasm m = {0};
    u8 *zeroes = calloc(4, PAGE);
    wasm_memory(&m, 4, 4, "memory");
    big_data(&m, 0, 0, BIG, 1);
    wr_module_t *full = world_module(w, &m);
    wasm_memory(&m, 4, 4, "memory");
    wr_module_t *empty = world_module(w, &m);
    wr_store_t *first = w->store;
    for (u32 i = 0; i < 10; i++) {
        assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
        wr_instance_t *in = again(w, full);
        memset(wr_memory_data(memory_of(in)), 0xdd, (usize)4 * PAGE);
        wr_store_delete(w->store);
        /* most likely at the same address */
        assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
        in = again(w, empty);
        expect_image(in, false);
        expect_bytes(in, zeroes, (usize)4 * PAGE);
        wr_store_delete(w->store);
    }
    w->store = first;
    free(zeroes);
}
static void test_deleted_memories_leave_nothing(void **state)
{
    (void)state;
    world_each(reuse);
}

static void test_module_gives_its_file_back(void **state)
{
    (void)state;
    u32 before = open_files();
    for (u32 i = 0; i < 3; i++) {
        struct world w;
        struct wasm m = {0};
        world_init(&w, NULL);
        wasm_memory(&m, 2, 2, "memory");
        big_data(&m, 0, 0, BIG, 1);
        wr_module_t *module = world_module(&w, &m);
        assert_int_equal(open_files(), before);
        (void)again(&w, module);
        (void)again(&w, module);
        assert_int_equal(open_files(), before + has_images());
        world_free(&w);
    }
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances_do_not_see_each_others_writes),
        cmocka_unit_test(test_memory_with_an_image_grows),
        cmocka_unit_test(test_segments_of_an_image_are_dropped),
        cmocka_unit_test(test_any_segments_make_what_copying_makes),
        cmocka_unit_test(test_little_or_sparse_data_has_no_image),
        cmocka_unit_test(test_offset_of_an_imported_global_is_copied),
        cmocka_unit_test(test_trapping_segment_leaves_those_before_it),
        cmocka_unit_test(test_trapping_element_segment_leaves_memory_empty),
        cmocka_unit_test(test_empty_segments_at_the_edge),
        cmocka_unit_test(test_imported_memory_is_written_to),
        cmocka_unit_test(test_several_memories),
        cmocka_unit_test(test_deleted_memories_leave_nothing),
        cmocka_unit_test(test_module_gives_its_file_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
