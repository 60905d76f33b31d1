/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memories that several stores use, on one thread: who owns them, what they are charged to, where
 * they may be imported, what data segments do to them. Threads are test_threads.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/world.h"

enum { PAGE = 65536 };

static wr_shared_memory_t *new_shared(struct world *w, u64 min, u64 max)
{
    wr_shared_memory_t *shared = NULL;
    assert_int_equal(wr_shared_memory_new(w->engine, min, max, &shared, &w->err), WR_OK);
    return shared;
}

static wr_store_t *new_store(struct world *w)
{
    wr_store_t *store = NULL;
    assert_int_equal(wr_store_new(w->engine, &w->config, &store, &w->err), WR_OK);
    return store;
}

/** Exports "load", "store", "size", "grow" over memory 0, which is imported or defined. */
static void write_accessors(struct wasm *c)
{
    wasm_func(c, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(c, "ii:", "store", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE(0)));
    wasm_func(c, ":i", "size", "", CODE(MEMORY_SIZE));
    wasm_func(c, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
}

static wr_module_t *importer(struct world *w, u32 min, u32 max)
{
    struct wasm c = {0};
    wasm_import_shared_memory(&c, "env", "memory", min, max);
    write_accessors(&c);
    return world_module(w, &c);
}

static u32 call1(struct world *w, wr_store_t *store, wr_instance_t *in, const char *name, u32 arg)
{
    wr_func_t *f = world_func(in, name);
    wr_val_t args = {.kind = WR_I32, .of.i32 = arg}, result = {.kind = WR_I32};
    assert_int_equal(wr_call(store, f, &args, wr_func_param_count(f), &result, 1, &w->err), WR_OK);
    return result.of.i32;
}

static void store_at(struct world *w, wr_store_t *store, wr_instance_t *in, u32 addr, u32 value)
{
    wr_val_t args[2] = {{.kind = WR_I32, .of.i32 = addr}, {.kind = WR_I32, .of.i32 = value}};
    assert_int_equal(wr_call(store, world_func(in, "store"), args, 2, NULL, 0, &w->err), WR_OK);
}

/* ---------------------------------------------------------------- references */

static void limits_are_checked(struct world *w)
{
    wr_shared_memory_t *shared = NULL;
    wr_memory_t *m;
    assert_int_equal(wr_shared_memory_new(w->engine, 2, 1, &shared, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_shared_memory_new(w->engine, 1, 65537, &shared, &w->err), WR_ARGUMENT);
    assert_null(shared);
    wr_shared_memory_delete(NULL);
    wr_limits_t endless = {.min = 1, .max = UINT64_MAX, .is_shared = true};
    assert_int_equal(wr_memory_new(w->store, endless, &m, &w->err), WR_ARGUMENT);
    wr_limits_t unshared = {.min = 1, .max = 2};
    assert_int_equal(wr_memory_new(w->store, unshared, &m, &w->err), WR_OK);
    assert_false(wr_memory_is_shared(m));
    assert_null(wr_memory_shared(m));
}

static void two_stores_see_the_same_bytes(struct world *w)
{
    wr_shared_memory_t *shared = new_shared(w, 1, 3);
    wr_store_t *other = new_store(w);
    wr_memory_t *a = wr_store_add_shared_memory(w->store, shared);
    wr_memory_t *b = wr_store_add_shared_memory(other, shared);
    assert_ptr_equal(a, wr_store_add_shared_memory(w->store, shared));
    wr_shared_memory_delete(shared);
    assert_true(wr_memory_is_shared(a));
    u32 value = 0x12345678, got = 0;
    assert_true(wr_memory_write(a, PAGE - 5, &value, sizeof value));
    assert_true(wr_memory_read(b, PAGE - 5, &got, sizeof got));
    assert_int_equal(got, value);
    assert_false(wr_memory_read(b, PAGE - 3, &got, sizeof got));
    assert_int_equal(wr_memory_grow(a, 1), 1);
    assert_int_equal(wr_memory_size(b), 2 * PAGE);
    assert_int_equal(wr_memory_grow(b, 2), UINT64_MAX);
    wr_store_delete(w->store);
    w->store = NULL;
    assert_true(wr_memory_read(b, PAGE - 5, &got, sizeof got));
    assert_int_equal(got, value);
    wr_shared_memory_t *again = wr_memory_shared(b);
    wr_store_delete(other);
    wr_shared_memory_delete(again);
}

/** Live bytes of an engine's heap. */
static void *counting(void *ctx, void *p, size_t old_bytes, size_t new_bytes)
{
    usize *live = ctx;
    void *q = NULL;
    if (new_bytes == 0)
        free(p);
    else if ((q = realloc(p, new_bytes)) == NULL)
        return NULL;
    *live += new_bytes - old_bytes;
    return q;
}

/** Holders of references: two stores and the one that made it. */
static void delete_holder(u32 i, wr_store_t *stores[2], wr_shared_memory_t *shared)
{
    if (i < 2)
        wr_store_delete(stores[i]);
    else
        wr_shared_memory_delete(shared);
}

static void test_memory_dies_with_its_last_reference_in_every_order(void **state)
{
    static const u8 orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (u32 o = 0; o < VM_COUNT(orders); o++) {
        usize live = 0;
        wr_allocator_t allocator = {.realloc = counting, .ctx = &live};
        wr_engine_t *engine = wr_engine_new(&allocator);
        usize before = live;
        wr_store_t *stores[2];
        wr_shared_memory_t *shared;
        assert_int_equal(wr_shared_memory_new(engine, 1, 2, &shared, NULL), WR_OK);
        for (u32 i = 0; i < 2; i++) {
            assert_int_equal(wr_store_new(engine, NULL, &stores[i], NULL), WR_OK);
            assert_non_null(wr_store_add_shared_memory(stores[i], shared));
        }
        uint8_t *data = wr_memory_data(wr_store_add_shared_memory(stores[0], shared));
        for (u32 i = 0; i < 3; i++) {
            data[0] = (u8)i; /* still mapped */
            delete_holder(orders[o][i], stores, shared);
        }
        assert_int_equal(live, before);
        wr_engine_delete(engine);
        assert_int_equal(live, 0);
    }
}

/* ---------------------------------------------------------------- limits */

static void growth_is_charged_to_the_store_that_made_it(struct world *w)
{
    wr_store_config_t config = w->config;
    config.max_memory_bytes = 4 * PAGE;
    wr_store_t *maker = NULL;
    assert_int_equal(wr_store_new(w->engine, &config, &maker, &w->err), WR_OK);
    wr_memory_t *m, *own;
    wr_limits_t limits = {.min = 1, .max = 100, .is_shared = true};
    assert_int_equal(wr_memory_new(maker, limits, &m, &w->err), WR_OK);
    assert_int_equal(wr_memory_new(maker, (wr_limits_t){.min = 1, .max = 100}, &own, &w->err),
                     WR_OK);
    wr_shared_memory_t *shared = wr_memory_shared(m);
    wr_memory_t *there = wr_store_add_shared_memory(w->store, shared);
    assert_int_equal(wr_memory_grow(there, 1), 1);
    assert_int_equal(wr_store_memory_bytes(maker), 3 * PAGE);
    assert_int_equal(wr_store_memory_bytes(w->store), 0);
    assert_int_equal(wr_memory_grow(there, 2), UINT64_MAX);
    assert_int_equal(wr_memory_grow(own, 1), 1);
    assert_int_equal(wr_memory_grow(there, 1), UINT64_MAX);
    wr_store_delete(maker); /* the limit stays */
    assert_int_equal(wr_memory_grow(there, 1), UINT64_MAX);
    wr_shared_memory_delete(shared);
}

/* ---------------------------------------------------------------- imports and exports */

static void import_types_tell_shared(struct world *w)
{
    wr_limits_t l;
    char text[64];
    wr_module_t *module = importer(w, 2, 5);
    assert_true(wr_module_import_memory_type(module, 0, &l));
    assert_true(l.min == 2 && l.max == 5 && l.is_shared && !l.is_64);
    assert_false(wr_module_import_memory_type(module, 1, &l));
    assert_true(wr_module_memory_type(module, 0, &l));
    assert_false(wr_module_memory_type(module, 1, &l));
    (void)wr_module_import_type(module, 0, text, sizeof text);
    assert_string_equal(text, "(memory 2 5 shared)");
}

static wr_status_t try_import(struct world *w, wr_memory_t *memory, bool shared_wanted)
{
    struct wasm c = {0};
    wr_linker_t *linker = NULL;
    wr_instance_t *in;
    if (shared_wanted)
        wasm_import_shared_memory(&c, "env", "memory", 1, 3);
    else
        wasm_import_memory(&c, "env", "memory", 1);
    wr_module_t *module = world_module(w, &c);
    wr_extern_t item = {.kind = WR_EXTERN_MEMORY, .of.memory = memory};
    assert_int_equal(wr_linker_new(w->engine, &linker, &w->err), WR_OK);
    assert_int_equal(
        wr_linker_define(linker, world_name("env"), world_name("memory"), w->store, item, &w->err),
        WR_OK);
    wr_status_t s = wr_linker_instantiate(linker, w->store, module, NULL, &in, &w->err);
    wr_linker_delete(linker);
    return s;
}

static void shared_must_match(struct world *w)
{
    wr_memory_t *shared, *unshared;
    wr_limits_t limits = {.min = 1, .max = 3, .is_shared = true};
    assert_int_equal(wr_memory_new(w->store, limits, &shared, &w->err), WR_OK);
    limits.is_shared = false;
    assert_int_equal(wr_memory_new(w->store, limits, &unshared, &w->err), WR_OK);
    assert_int_equal(try_import(w, shared, true), WR_OK);
    assert_int_equal(try_import(w, unshared, false), WR_OK);
    assert_int_equal(try_import(w, shared, false), WR_LINK);
    assert_int_equal(try_import(w, unshared, true), WR_LINK);
}

static void one_definition_serves_all_stores(struct world *w)
{
    wr_shared_memory_t *shared = new_shared(w, 1, 4);
    wr_module_t *module = importer(w, 1, 4);
    wr_store_t *stores[3];
    wr_instance_t *in[3];
    assert_int_equal(wr_linker_define_shared_memory(w->linker, world_name("env"),
                                                    world_name("memory"), shared, &w->err),
                     WR_OK);
    wr_shared_memory_delete(shared);
    assert_int_equal(wr_linker_missing(w->linker, module, NULL, NULL), 0);
    for (u32 i = 0; i < 3; i++) {
        stores[i] = new_store(w);
        assert_int_equal(wr_linker_instantiate(w->linker, stores[i], module, NULL, &in[i], &w->err),
                         WR_OK);
    }
    store_at(w, stores[0], in[0], 100, 42);
    assert_int_equal(call1(w, stores[1], in[1], "load", 100), 42);
    assert_int_equal(call1(w, stores[1], in[1], "grow", 2), 1);
    wr_store_delete(stores[0]);
    wr_store_delete(stores[1]);
    assert_int_equal(call1(w, stores[2], in[2], "size", 0), 3);
    assert_int_equal(call1(w, stores[2], in[2], "load", 100), 42);
    wr_store_delete(stores[2]);
}

/** Whether accesses are checked is the store's affair, whether there are guard pages the memory's.
 */
static void memory_of_either_mode_serves_stores_of_both(struct world *w)
{
    static const wr_memory_mode_t modes[] = {WR_MEMORY_AUTO, WR_MEMORY_EXPLICIT};
    wr_module_t *module = importer(w, 1, 2);
    for (u32 i = 0; i < VM_COUNT(modes); i++) {
        wr_store_config_t config = w->config;
        wr_store_t *maker = NULL, *user = new_store(w);
        wr_memory_t *m = NULL;
        wr_instance_t *in = NULL;
        wr_limits_t limits = {.min = 1, .max = 2, .is_shared = true};
        config.memory_mode = modes[i];
        assert_int_equal(wr_store_new(w->engine, &config, &maker, &w->err), WR_OK);
        assert_int_equal(wr_memory_new(maker, limits, &m, &w->err), WR_OK);
        wr_shared_memory_t *shared = wr_memory_shared(m);
        assert_int_equal(wr_linker_define_shared_memory(w->linker, world_name("env"),
                                                        world_name("memory"), shared, &w->err),
                         WR_OK);
        wr_shared_memory_delete(shared);
        assert_int_equal(wr_linker_instantiate(w->linker, user, module, NULL, &in, &w->err), WR_OK);
        store_at(w, user, in, PAGE - 4, 77);
        assert_int_equal(call1(w, user, in, "load", PAGE - 4), 77);
        wr_val_t arg = {.kind = WR_I32, .of.i32 = PAGE - 3}, result;
        assert_int_equal(wr_call(user, world_func(in, "load"), &arg, 1, &result, 1, &w->err),
                         WR_TRAP);
        assert_int_equal(call1(w, user, in, "grow", 1), 1);
        assert_int_equal(call1(w, user, in, "load", PAGE - 3), 77 >> 8); /* the rest of it */
        wr_store_delete(maker);
        wr_store_delete(user);
    }
}

static void defined_memory_goes_to_another_store(struct world *w)
{
    struct wasm c = {0};
    wasm_shared_memory(&c, 1, 4, "memory");
    write_accessors(&c);
    wasm_data(&c, 0, 8, "abcd", 4);
    wr_instance_t *in = world_instance(w, &c);
    wr_extern_t e = world_export(in, "memory", WR_EXTERN_MEMORY);
    wr_shared_memory_t *shared = wr_memory_shared(e.of.memory);
    assert_non_null(shared);
    wr_store_t *other = new_store(w);
    wr_memory_t *there = wr_store_add_shared_memory(other, shared);
    wr_shared_memory_delete(shared);
    char text[4];
    assert_true(wr_memory_read(there, 8, text, 4));
    assert_memory_equal(text, "abcd", 4);
    store_at(w, w->store, in, 16, 7);
    u32 got = 0;
    assert_true(wr_memory_read(there, 16, &got, sizeof got));
    assert_int_equal(got, 7);
    wr_store_delete(other);
}

/** More data than an image needs: an instance must not map it over what others have written. */
static void later_instances_write_only_their_segments(struct world *w)
{
    enum { DATA = 40000 };
    static char bytes[DATA];
    struct wasm c = {0};
    memset(bytes, 'x', sizeof bytes);
    wasm_shared_memory(&c, 1, 1, "memory");
    wasm_data(&c, 0, 0, bytes, DATA);
    wr_instance_t *in = world_named(w, &c, "env");
    wr_memory_t *m = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    uint8_t *data = wr_memory_data(m);
    data[DATA] = 'y'; /* the same page as the end of the data */
    data[0] = 'y';
    struct wasm d = {0};
    wasm_import_shared_memory(&d, "env", "memory", 1, 1);
    wasm_data(&d, 0, 0, bytes, DATA);
    (void)world_instance(w, &d);
    assert_int_equal(data[0], 'x');
    assert_int_equal(data[DATA], 'y');
}

static void copies_are_like_memmove(struct world *w)
{
    u8 from[64], to[64], want[64];
    (void)w;
    for (u32 i = 0; i < sizeof from; i++) from[i] = (u8)(i * 7 + 1);
    for (u32 a = 0; a < 9; a++)
        for (u32 b = 0; b < 9; b++)
            for (u32 n = 0; n < 40; n++) {
                memset(to, 0xee, sizeof to);
                memset(want, 0xee, sizeof want);
                memcpy(want + b, from + a, n);
                wr_guest_copy(to + b, from + a, n);
                assert_memory_equal(to, want, sizeof to);
            }
}

/* ---------------------------------------------------------------- C functions */

static const char *seen;
static uint32_t c_length(const char *text)
{
    seen = text;
    return (uint32_t)strlen(text);
}

/** "a" to the NUL at `end`; the length that the C function sees. */
static wr_status_t length_of(struct world *w, wr_memory_t *m, u32 end, wr_val_t *result)
{
    struct wasm c = {0};
    wr_instance_t *in;
    wasm_import_func(&c, "host", "length", "i:i");
    wasm_import_shared_memory(&c, "env", "memory", 1, 32);
    wasm_func(&c, "i:i", "length", "", CODE(LOCAL_GET(0), CALL(0)));
    memset(wr_memory_data(m), 'a', (usize)wr_memory_size(m));
    if (end < wr_memory_size(m)) wr_memory_data(m)[end] = 0;
    assert_int_equal(
        wr_linker_instantiate(w->linker, w->store, world_module(w, &c), NULL, &in, &w->err), WR_OK);
    wr_val_t arg = {.kind = WR_I32, .of.i32 = 1};
    return wr_call(w->store, world_func(in, "length"), &arg, 1, result, 1, &w->err);
}

/** Another thread could take the end away while the host reads. */
static void strings_are_copied(struct world *w)
{
    wr_shared_memory_t *shared = new_shared(w, 32, 32);
    wr_memory_t *m = wr_store_add_shared_memory(w->store, shared);
    wr_val_t result;
    assert_int_equal(wr_linker_define_shared_memory(w->linker, world_name("env"),
                                                    world_name("memory"), shared, &w->err),
                     WR_OK);
    wr_shared_memory_delete(shared);
    assert_int_equal(
        wr_linker_define_c(w->linker, "host", "length", "($)i", (wr_c_fn)c_length, &w->err), WR_OK);
    static const u32 ends[] = {1, 2, 255, 256, 257, 258, PAGE, 1 << 20};
    for (u32 i = 0; i < VM_COUNT(ends); i++) {
        assert_int_equal(length_of(w, m, ends[i], &result), WR_OK);
        assert_int_equal(result.of.i32, ends[i] - 1);
        const u8 *data = wr_memory_data(m);
        assert_true((const u8 *)seen < data || (const u8 *)seen >= data + wr_memory_size(m));
    }
    assert_int_equal(length_of(w, m, (1 << 20) + 1, &result), WR_TRAP);
    assert_int_equal(length_of(w, m, UINT32_MAX, &result), WR_TRAP);
    assert_string_equal(w->err.trap, "out of bounds memory access");
}

#define EACH(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        world_each(name);                                                                          \
    }
EACH(limits_are_checked)
EACH(two_stores_see_the_same_bytes)
EACH(growth_is_charged_to_the_store_that_made_it)
EACH(import_types_tell_shared)
EACH(shared_must_match)
EACH(one_definition_serves_all_stores)
EACH(memory_of_either_mode_serves_stores_of_both)
EACH(defined_memory_goes_to_another_store)
EACH(later_instances_write_only_their_segments)
EACH(copies_are_like_memmove)
EACH(strings_are_copied)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_are_checked),
        cmocka_unit_test(test_two_stores_see_the_same_bytes),
        cmocka_unit_test(test_memory_dies_with_its_last_reference_in_every_order),
        cmocka_unit_test(test_growth_is_charged_to_the_store_that_made_it),
        cmocka_unit_test(test_import_types_tell_shared),
        cmocka_unit_test(test_shared_must_match),
        cmocka_unit_test(test_one_definition_serves_all_stores),
        cmocka_unit_test(test_memory_of_either_mode_serves_stores_of_both),
        cmocka_unit_test(test_defined_memory_goes_to_another_store),
        cmocka_unit_test(test_later_instances_write_only_their_segments),
        cmocka_unit_test(test_copies_are_like_memmove),
        cmocka_unit_test(test_strings_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
