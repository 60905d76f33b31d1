/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a store, through wasmrun.h: its limits, memories, globals, tables, calls, traps with
 * frames, failed instantiation. Loading and linking: test_api.c; suspending: test_exec.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/world.h"

static void put_add(struct wasm *m)
{
    wasm_func(m, "ii:i", "add", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_ADD));
}

/* -------- limits of a store */

static void limited(struct world *w)
{
    wr_instance_t *in = NULL;
    wr_memory_t *memory = NULL;
    wr_table_t *table = NULL;
    wr_usage_t usage = {1, 2, 3};
    struct wasm m = {0};
    wr_store_set_usage(w->store, &usage);
    assert_true(!usage.memory_bytes && !usage.memory_limit_bytes && !usage.table_elems);
    wasm_memory(&m, 5, UINT32_MAX, NULL);
    assert_int_equal(world_try(w, &m, &in), WR_LIMIT);
    wasm_memory(&m, 2, UINT32_MAX, "memory");
    wasm_func(&m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    in = world_instance(w, &m);
    assert_int_equal(wr_store_memory_bytes(w->store), 2 * 65536);
    assert_int_equal(usage.memory_bytes, 2 * 65536);
    assert_int_equal(usage.memory_limit_bytes, 4 * 65536); /* declared without a maximum */
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){.min = 3, .max = 3}, &memory, NULL),
                     WR_LIMIT);
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){.min = 1, .max = 9}, &memory, NULL),
                     WR_OK);
    world_gives(w, in, "grow", ARGS(2), ARGS(UINT32_MAX)); /* 4 pages in all */
    world_gives(w, in, "grow", ARGS(1), ARGS(2));
    world_gives(w, in, "grow", ARGS(0), ARGS(3));
    world_gives(w, in, "grow", ARGS(1), ARGS(UINT32_MAX));
    assert_true(wr_memory_grow(memory, 1) == UINT64_MAX);
    assert_true(wr_memory_grow(memory, UINT64_MAX) == UINT64_MAX);
    assert_true(wr_memory_grow(memory, (u64)1 << 48) == UINT64_MAX);
    assert_int_equal(wr_memory_grow(memory, 0), 1);
    assert_int_equal(wr_store_memory_bytes(w->store), 4 * 65536);
    assert_int_equal(usage.memory_bytes, 4 * 65536);
    assert_int_equal(usage.memory_limit_bytes, 4 * 65536); /* of both, by the store's */
    /* tables */
    assert_int_equal(wr_table_new(w->store, WR_FUNCREF,
                                  (wr_limits_t){.min = 101, .max = UINT64_MAX}, &table, NULL),
                     WR_LIMIT);
    assert_int_equal(wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){.min = 60, .max = UINT64_MAX},
                                  &table, NULL),
                     WR_OK);
    wasm_table(&m, 'r', 30, UINT32_MAX, NULL);
    wasm_func(&m, "i:i", "grow", "", CODE(REF_NULL_FUNC, LOCAL_GET(0), TABLE_GROW(0)));
    in = world_instance(w, &m);
    assert_int_equal(usage.table_elems, 90);
    world_gives(w, in, "grow", ARGS(11), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(10), ARGS(30));
    /* instances: the failed ones count, too, since parts of them may be in use */
    wr_status_t s = WR_OK;
    u32 more = 0;
    while (s == WR_OK && more < 10) {
        put_add(&m);
        s = world_try(w, &m, &in);
        more += s == WR_OK;
    }
    assert_int_equal(s, WR_LIMIT);
    assert_true(more >= 2 && more <= 3);
}
static void test_store_limits(void **state)
{
    (void)state;
    static const wr_store_config_t config = {
        .max_memory_bytes = 4 * 65536, .max_table_elems = 100, .max_instances = 5};
    world_each_with(&config, limited);
}

static u64 depth_with(u64 stack_bytes)
{
    wr_store_config_t config = {.stack_bytes = stack_bytes};
    struct world w;
    world_init(&w, &config);
    struct wasm m = {0};
    wasm_global(&m, 'i', true, CODE(I32(0)), "depth");
    wasm_func(&m, ":", "f", "", CODE(GLOBAL_GET(0), I32(1), I32_ADD, GLOBAL_SET(0), CALL(0)));
    wr_instance_t *in = world_instance(&w, &m);
    world_traps(&w, in, "f", NO_ARGS, "call stack exhausted");
    wr_val_t v;
    wr_global_get(world_export(in, "depth", WR_EXTERN_GLOBAL).of.global, &v);
    world_free(&w);
    return v.of.i32;
}
static void test_stack_bytes_bound_the_depth(void **state)
{
    (void)state;
    u64 small = depth_with((u64)1 << 20), big = depth_with((u64)4 << 20);
    assert_true(small > 5000 && small < 40000);
    assert_true(big > 3 * small && big < 5 * small);
    assert_true(depth_with(1) > 0); /* there is a least size */
    /* sizes that no machine has are refused, without a sum running over */
    static const u64 huge[] = {UINT64_MAX, UINT64_MAX - 4096, (u64)1 << 63, (u64)1 << 50};
    for (u32 i = 0; i < VM_COUNT(huge); i++) {
        wr_store_config_t config = {.stack_bytes = huge[i]};
        struct world w;
        world_init(&w, &config);
        wr_exec_t *x = NULL;
        wr_status_t s = wr_exec_new(w.store, &x, &w.err);
        assert_true(s == WR_LIMIT || s == WR_OOM);
        assert_null(x);
        world_free(&w);
    }
}

/* -------- memories, globals, tables */

static void memories(struct world *w)
{
    wr_memory_t *m = NULL;
    u8 bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){.min = 2, .max = 1}, &m, &w->err),
                     WR_ARGUMENT);
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){.min = 1, .max = 3}, &m, &w->err),
                     WR_OK);
    u8 *base = wr_memory_data(m);
    assert_int_equal(wr_memory_size(m), 65536);
    assert_true(wr_memory_write(m, 65528, bytes, 8));
    assert_true(wr_memory_read(m, 65528, back, 8));
    assert_memory_equal(bytes, back, 8);
    assert_false(wr_memory_write(m, 65529, back, 8));
    assert_false(wr_memory_read(m, 65529, back, 8));
    assert_false(wr_memory_read(m, UINT64_MAX, back, 1));
    assert_false(wr_memory_read(m, UINT64_MAX - 3, back, 8));
    assert_false(wr_memory_read(m, 0, back, SIZE_MAX));
    assert_true(wr_memory_read(m, 65536, back, 0));
    assert_false(wr_memory_read(m, 65537, back, 0));
    assert_int_equal(base[65535], 8); /* the refused write wrote nothing */
    assert_int_equal(wr_memory_grow(m, 2), 1);
    assert_ptr_equal(wr_memory_data(m), base);
    assert_int_equal(base[65536 * 3 - 1], 0);
    assert_true(wr_memory_grow(m, 1) == UINT64_MAX);
}

static void globals(struct world *w)
{
    wr_global_t *g = NULL;
    wr_val_t v = {.kind = WR_F64, .of.i64 = 0x7ff0000000000001}, back;
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_int_equal(back.kind, WR_F64);
    assert_true(back.of.i64 == v.of.i64); /* a signalling NaN survives */
    v.kind = WR_I64;
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_OTHERREF};
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_I32, .of.i64 = UINT64_MAX};
    assert_int_equal(wr_global_new(w->store, false, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_int_equal(back.of.i32, UINT32_MAX);
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT); /* immutable */
    v = (wr_val_t){.kind = WR_V128};
    for (u32 i = 0; i < 16; i++) v.of.v128[i] = (u8)(i + 1);
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_memory_equal(back.of.v128, v.of.v128, 16);
    v = (wr_val_t){.kind = WR_EXTERNREF, .of.ref = w};
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_ptr_equal(back.of.ref, w);
}

static void tables(struct world *w)
{
    struct wasm m = {0};
    put_add(&m);
    wr_func_t *add = world_func(world_instance(w, &m), "add");
    wr_table_t *t = NULL;
    wr_val_t func = {.kind = WR_FUNCREF, .of.func = add}, v;
    assert_int_equal(wr_table_new(w->store, WR_I32, (wr_limits_t){.min = 1, .max = 1}, &t, &w->err),
                     WR_ARGUMENT);
    assert_int_equal(
        wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){.min = 2, .max = 1}, &t, &w->err),
        WR_ARGUMENT);
    assert_int_equal(
        wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){.min = 2, .max = 2}, &t, &w->err), WR_OK);
    assert_int_equal(wr_table_size(t), 2);
    assert_int_equal(wr_table_set(t, 1, &func), WR_OK);
    assert_int_equal(wr_table_set(t, 2, &func), WR_ARGUMENT);
    assert_true(wr_table_get(t, 1, &v));
    assert_int_equal(v.kind, WR_FUNCREF);
    assert_ptr_equal(v.of.func, add);
    assert_true(wr_table_get(t, 0, &v));
    assert_null(v.of.func);
    assert_false(wr_table_get(t, 2, &v));
    v = (wr_val_t){.kind = WR_EXTERNREF, .of.ref = w};
    assert_int_equal(wr_table_set(t, 0, &v), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_FUNCREF};
    assert_int_equal(wr_table_set(t, 1, &v), WR_OK); /* null */
    /* a function of another store must not get in: its code may be of another backend */
    struct world other;
    world_init(&other, NULL);
    put_add(&m);
    wr_func_t *foreign = world_func(world_instance(&other, &m), "add");
    v = (wr_val_t){.kind = WR_FUNCREF, .of.func = foreign};
    assert_int_equal(wr_table_set(t, 0, &v), WR_ARGUMENT);
    wr_global_t *g = NULL;
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_global_new(w->store, true, &func, &g, &w->err), WR_OK);
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT);
    assert_int_equal(wr_call(w->store, foreign, NULL, 0, NULL, 0, &w->err), WR_ARGUMENT);
    world_free(&other);
}

static void objects(struct world *w)
{
    memories(w);
    globals(w);
    tables(w);
}
static void test_memories_globals_and_tables_from_outside(void **state)
{
    (void)state;
    world_each(objects);
}

/* -------- calls: arguments and results */

static void call_arguments(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "iIfF:FfIi", "all", "",
              CODE(LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(1), LOCAL_GET(0)));
    wasm_func(&m, "re:er", "refs", "", CODE(LOCAL_GET(1), LOCAL_GET(0)));
    wr_instance_t *in = world_instance(w, &m);
    wr_func_t *all = world_func(in, "all"), *refs = world_func(in, "refs");
    assert_int_equal(wr_func_param_count(all), 4);
    assert_int_equal(wr_func_result_count(all), 4);
    static const wr_valkind_t kinds[] = {WR_I32, WR_I64, WR_F32, WR_F64};
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(wr_func_param(all, i), kinds[i]);
        assert_int_equal(wr_func_result(all, i), kinds[3 - i]);
    }
    assert_int_equal(wr_func_param(refs, 0), WR_FUNCREF);
    wr_val_t a[4], r[4];
    world_typed(all, ARGS(0xfffffffe, UINT64_MAX - 1, 0x7fa00001, 0x7ff4000000000001), a);
    assert_int_equal(wr_call(w->store, all, a, 3, r, 4, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "3 arguments given, the function takes 4");
    assert_int_equal(wr_call(w->store, all, a, 4, r, 3, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "3 results wanted, the function has 4");
    a[2].kind = WR_I32;
    assert_int_equal(wr_call(w->store, all, a, 4, r, 4, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "argument 2 has the wrong type");
    a[2].kind = WR_F32;
    assert_int_equal(wr_call(w->store, all, a, 4, r, 4, NULL), WR_OK);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(r[i].kind, kinds[3 - i]);
        assert_true(world_bits(&r[i]) == world_bits(&a[3 - i])); /* NaN bits, too */
    }
    wr_val_t b[2] = {{.kind = WR_FUNCREF, .of.func = all}, {.kind = WR_EXTERNREF, .of.ref = w}};
    assert_int_equal(wr_call(w->store, refs, b, 2, r, 2, NULL), WR_OK);
    assert_ptr_equal(r[0].of.ref, w);
    assert_ptr_equal(r[1].of.func, all);
    wr_extern_t e;
    assert_false(wr_instance_export(in, world_name("al"), &e));
    assert_false(wr_instance_export(in, (wr_name_t){"all\0", 4}, &e));
}
static void test_call_arguments_are_checked(void **state)
{
    (void)state;
    world_each(call_arguments);
}

/* -------- traps: text, frames, exit codes */

static wr_status_t host_exit(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)env;
    return wr_call_exit(call, (int)slots[0].i32);
}

static wr_status_t host_fail(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    return env ? wr_call_trap(call, env) : WR_MALFORMED; /* which no host function may answer */
}

/** Prepares a trap and then answers WR_OK. */
static wr_status_t host_undecided(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    (void)env;
    (void)wr_call_trap(call, "never mind");
    return WR_OK;
}

static void traps(struct world *w)
{
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    wr_linker_t *l = w->linker;
    assert_int_equal(wr_linker_define_raw(l, "h", "exit", "i:", host_exit, NULL, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "fail", ":", host_fail, "my reason", NULL),
                     WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "long", ":", host_fail, longest, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "odd", ":", host_fail, NULL, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "undecided", ":", host_undecided, NULL, NULL),
                     WR_OK);
    struct wasm m = {0};
    static const char *const names[] = {"exit", "fail", "long", "odd", "undecided"};
    for (u32 i = 0; i < 5; i++) wasm_import_func(&m, "h", names[i], i ? ":" : "i:");
    wasm_func(&m, "i:", "exit", "", CODE(LOCAL_GET(0), CALL(0)));
    for (u32 i = 1; i < 4; i++) wasm_func(&m, ":", names[i], "", CODE(NOP, CALL((u8)i)));
    wasm_func(&m, ":", "undecided", "", CODE(CALL(4), UNREACHABLE));
    wr_instance_t *in = world_instance(w, &m);
    wr_exec_t *x = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, NULL), WR_OK);
    wr_val_t v = {.kind = WR_I32, .of.i32 = (u32)-7};
    assert_int_equal(wr_exec_start(x, world_func(in, "exit"), &v, 1, NULL), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_EXIT);
    assert_int_equal(wr_exec_exit_code(x), -7);
    assert_int_equal(w->err.status, WR_EXIT);
    assert_null(w->err.trap);
    wr_exec_delete(x);
    world_traps(w, in, "fail", NO_ARGS, "host function failed");
    assert_string_equal(w->err.text, "my reason");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(w->err.frame[0].func_idx, 6);
    world_traps(w, in, "long", NO_ARGS, "host function failed");
    assert_int_equal(strncmp(w->err.text, longest, strlen(w->err.text)), 0);
    world_traps(w, in, "odd", NO_ARGS, "host function failed");
    assert_string_equal(w->err.text, "host function failed");
    world_traps(w, in, "undecided", NO_ARGS, "unreachable");
    assert_string_equal(w->err.text, "unreachable");
}
static void test_traps_and_exits_of_host_functions(void **state)
{
    (void)state;
    world_each(traps);
}

/** A chain of functions f0 -> f1 -> ... -> f99, whose last one traps, with known offsets. */
static void frames(struct world *w)
{
    enum { CHAIN = 100, HALF = WR_ERROR_FRAMES / 2 };
    struct wasm m = {0};
    char name[16];
    for (u32 i = 0; i + 1 < CHAIN; i++)
        wasm_func(&m, ":", i % 10 ? NULL : (snprintf(name, sizeof name, "f%u", i), name), "",
                  CODE(NOP, 0x10, LEB5_U(i + 1)));
    wasm_func(&m, ":", "last", "", CODE(NOP, NOP, UNREACHABLE));
    wasm_name(&m, 98, "ninety-eight");
    wr_instance_t *in = world_instance(w, &m);
    const wr_module_t *mod = wr_instance_module(in);
    /* bodies are 10 bytes: size, locals, nop, call and its 5, end; the call is at 3 */
    wr_section_t code;
    size_t i = 0;
    while (wr_module_section(mod, i, &code) && code.id != 10) i++;
    u64 first = code.file_offset + 1;
    world_traps(w, in, "last", NO_ARGS, "unreachable");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(w->err.frame[0].file_offset, first + 99 * 10 + 4);
    assert_int_equal(w->err.offset, UINT64_MAX);
    for (u32 start = 0; start < CHAIN; start += 10) {
        u32 total = CHAIN - start, left_out = total > WR_ERROR_FRAMES ? total - WR_ERROR_FRAMES : 0;
        (void)snprintf(name, sizeof name, "f%u", start);
        world_traps(w, in, name, NO_ARGS, "unreachable");
        assert_int_equal(w->err.frames, total - left_out);
        assert_int_equal(w->err.frames_left_out, left_out);
        for (u32 k = 0; k < w->err.frames; k++) {
            u32 func = CHAIN - 1 - k - (k >= HALF ? left_out : 0);
            assert_int_equal(w->err.frame[k].func_idx, func);
            assert_ptr_equal(w->err.frame[k].module, mod);
            if (k) assert_int_equal(w->err.frame[k].file_offset, first + func * 10 + 3);
        }
        assert_int_equal(w->err.frame[w->err.frames - 1].func_idx, start);
    }
    char text[32];
    (void)wr_module_func_name(mod, 98, text, sizeof text);
    assert_string_equal(text, "ninety-eight");
    (void)wr_module_func_name(mod, 90, text, sizeof text);
    assert_string_equal(text, "f90");
    (void)wr_module_func_name(mod, 91, text, sizeof text);
    assert_string_equal(text, "func[91]");
}
static void test_frames_of_a_trap_in_order_with_the_middle_left_out(void **state)
{
    (void)state;
    world_each(frames);
}

/* -------- failed instantiation */

static void failed(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, "memory");
    wasm_table(&m, 'r', 4, 4, "table");
    u32 type = wasm_type(&m, ":i");
    wasm_func(&m, "i:i", "call", "", CODE(LOCAL_GET(0), CALL_INDIRECT((u8)type, 0)));
    wr_instance_t *in = world_named(w, &m, "a"), *out = NULL;
    wr_memory_t *memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    /* elements and the first data segment are written, then the second is out of bounds */
    wasm_import_memory(&m, "a", "memory", 1);
    wasm_import_table(&m, "a", "table", 4);
    u32 f = wasm_func(&m, ":i", NULL, "", CODE(I32(77)));
    wasm_elem(&m, 0, 2, &f, 1);
    wasm_data(&m, 0, 10, "abc", 3);
    wasm_data(&m, 0, 65535, "xy", 2);
    wasm_data(&m, 0, 20, "zz", 2);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_null(out);
    assert_string_equal(w->err.trap, "out of bounds memory access");
    assert_memory_equal(wr_memory_data(memory) + 10, "abc", 3);
    assert_int_equal(wr_memory_data(memory)[65535], 0);
    assert_int_equal(wr_memory_data(memory)[20], 0);
    world_gives(w, in, "call", ARGS(2), ARGS(77)); /* the failed instance's function lives */
    /* an element segment out of bounds */
    wasm_import_table(&m, "a", "table", 4);
    f = wasm_func(&m, ":i", NULL, "", CODE(I32(78)));
    wasm_elem(&m, 0, 1, &f, 1);
    wasm_elem(&m, 0, 4, &f, 1);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_string_equal(w->err.trap, "out of bounds table access");
    world_gives(w, in, "call", ARGS(1), ARGS(78));
    /* a start function that traps, after it wrote */
    wasm_import_memory(&m, "a", "memory", 1);
    wasm_name(&m, 0, "start");
    f = wasm_func(&m, ":", NULL, "", CODE(I32(0), I32(55), I32_STORE8(0), UNREACHABLE));
    wasm_start(&m, f);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_null(out);
    assert_string_equal(w->err.trap, "unreachable");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(wr_memory_data(memory)[0], 55);
    world_traps(w, in, "call", ARGS(0), "uninitialized element");
    world_traps(w, in, "call", ARGS(4), "undefined element");
    put_add(&m);
    in = world_instance(w, &m);
    world_gives(w, in, "add", ARGS(1, 2), ARGS(3));
}
static void test_failed_instantiation_keeps_what_was_written(void **state)
{
    (void)state;
    world_each(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_limits),
        cmocka_unit_test(test_stack_bytes_bound_the_depth),
        cmocka_unit_test(test_memories_globals_and_tables_from_outside),
        cmocka_unit_test(test_call_arguments_are_checked),
        cmocka_unit_test(test_traps_and_exits_of_host_functions),
        cmocka_unit_test(test_frames_of_a_trap_in_order_with_the_middle_left_out),
        cmocka_unit_test(test_failed_instantiation_keeps_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
