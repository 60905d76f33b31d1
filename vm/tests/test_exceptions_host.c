/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions between guests and their host: thrown by host functions, passed on by them, read when
 * nobody caught them; the collector's bounds; interrupts, fuel, and memory that runs out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "module_builder.h"
#include "tests/world.h"

/* A tag of the host's, three values. */
static wr_tag_t *define_tag(struct world *w)
{
    wr_tag_t *tag = NULL;
    assert_int_equal(wr_tag_new(w->store, "iIF:", &tag, &w->err), WR_OK);
    wr_extern_t e = {.kind = WR_EXTERN_TAG, .of.tag = tag};
    assert_int_equal(
        wr_linker_define(w->linker, world_name("h"), world_name("tag"), w->store, e, &w->err),
        WR_OK);
    return tag;
}

static void fill(wr_val_t v[3], u32 i, u64 l, f64 d)
{
    memset(v, 0, 3 * sizeof *v);
    v[0] = (wr_val_t){.kind = WR_I32, .of.i32 = i};
    v[1] = (wr_val_t){.kind = WR_I64, .of.i64 = l};
    v[2] = (wr_val_t){.kind = WR_F64, .of.f64 = d};
}

static wr_status_t host_throw(wr_call_t *call, wr_slot_t *slots, void *env)
{
    wr_val_t v[3];
    fill(v, slots[0].i32, 1000, 1.5);
    return wr_call_throw(call, env, v, 3);
}

static wr_tag_t *c_tag;

static void c_throw(wr_call_t *call, u32 i)
{
    wr_val_t v[3];
    fill(v, i, 2000, 2.5);
    assert_int_equal(wr_call_throw(call, c_tag, v, 3), WR_EXCEPTION);
}

static void define_throwers(struct world *w, wr_tag_t *tag)
{
    c_tag = tag;
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "raw", "i:", host_throw, tag, &w->err),
                     WR_OK);
    assert_int_equal(wr_linker_define_c(w->linker, "h", "c", "(@i)", (wr_c_fn)c_throw, &w->err),
                     WR_OK);
}

/** Each function of the host called in a region, and as its tail call. */
static wr_instance_t *catcher(struct world *w)
{
    struct wasm m = {0};
    u8 raw = (u8)wasm_import_func(&m, "h", "raw", "i:");
    u8 c = (u8)wasm_import_func(&m, "h", "c", "i:");
    wasm_import_tag(&m, "h", "tag", "iIF:");
    wasm_func(&m, "i:iIF", "raw", "",
              CODE(TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), CALL(raw), END, UNREACHABLE));
    wasm_func(&m, "i:iIF", "c", "",
              CODE(TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), CALL(c), END, UNREACHABLE));
    wasm_func(&m, "i:", "tail", "",
              CODE(TRY_TABLE(VOID, 1), ON_ALL(0), LOCAL_GET(0), RETURN_CALL(raw), END));
    wasm_func(&m, "i:", "bare", "", CODE(LOCAL_GET(0), CALL(raw)));
    return world_instance(w, &m);
}

#define BITS_1_5 0x3ff8000000000000u
#define BITS_2_5 0x4004000000000000u

static void host_throws(struct world *w)
{
    struct world_values r;
    wr_val_t v[3];
    wr_tag_t *tag = define_tag(w);
    define_throwers(w, tag);
    wr_instance_t *in = catcher(w);
    world_gives(w, in, "raw", ARGS(5), ARGS(5, 1000, BITS_1_5));
    world_gives(w, in, "c", ARGS(6), ARGS(6, 2000, BITS_2_5));
    assert_int_equal(world_call(w, in, "tail", ARGS(7), &r), WR_EXCEPTION);
    assert_string_equal(w->err.text, "host tag(7, 1000, 1.5)");
    wr_exception_t *e = wr_store_exception(w->store);
    assert_non_null(e);
    assert_int_equal(world_call(w, in, "bare", ARGS(8), &r), WR_EXCEPTION);
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(w->err.frame[0].func_idx, 5);
    assert_ptr_equal(wr_exception_tag(e), tag);
    assert_int_equal(wr_exception_values(e, v, 3), 3);
    assert_int_equal(v[0].of.i32, 7);
    assert_int_equal(v[1].of.i64, 1000);
    assert_true(v[2].of.f64 == 1.5);
    wr_exception_delete(e);
}

static void test_host_functions_throw_where_they_were_called(void **state)
{
    (void)state;
    world_each(host_throws);
}

/** What has not been thrown can't be passed on. */
static wr_status_t host_lies(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_EXCEPTION;
}

static void lies(struct world *w)
{
    struct wasm m = {0};
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "lie", ":", host_lies, NULL, &w->err),
                     WR_OK);
    u8 lie = (u8)wasm_import_func(&m, "h", "lie", ":");
    wasm_func(&m, ":", "f", "", CODE(TRY_TABLE(VOID, 1), ON_ALL(0), CALL(lie), END));
    world_traps(w, world_instance(w, &m), "f", NO_ARGS, "host function failed");
}

static void test_an_exception_without_one_is_a_trap(void **state)
{
    (void)state;
    world_each(lies);
}

/* ---- nested calls */

/** Calls the guest's "thrower"; what `env` says of its exception: passed on, or swallowed. */
static wr_status_t host_nest(wr_call_t *call, wr_slot_t *slots, void *env)
{
    const bool *pass = env;
    wr_val_t arg = {.kind = WR_I32, .of.i32 = slots[0].i32}, result;
    wr_func_t *f = world_func(wr_call_instance(call), "thrower");
    wr_status_t s = wr_call(wr_call_store(call), f, &arg, 1, &result, 1, NULL);
    if (s == WR_OK) slots[0].i32 = result.of.i32;
    if (s != WR_EXCEPTION) return s;
    wr_exception_t *e = wr_store_exception(wr_call_store(call));
    wr_val_t v;
    assert_int_equal(wr_exception_values(e, &v, 1), 1);
    wr_exception_delete(e);
    slots[0].i32 = v.of.i32 + 1;
    return *pass ? s : WR_OK;
}

static void nested(struct world *w)
{
    bool pass = true;
    struct wasm m = {0};
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "nest", "i:i", host_nest, &pass, &w->err),
                     WR_OK);
    u8 nest = (u8)wasm_import_func(&m, "h", "nest", "i:i");
    wasm_tag(&m, "i:", "t");
    wasm_func(&m, "i:i", "thrower", "",
              CODE(LOCAL_GET(0), IF(VOID), LOCAL_GET(0), THROW(0), END, I32(9)));
    wasm_func(&m, "i:i", "f", "",
              CODE(I32(100), BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON(0, 0), LOCAL_GET(0), CALL(nest),
                   END, END, I32_ADD));
    wasm_func(&m, "i:i", "bare", "", CODE(LOCAL_GET(0), CALL(nest)));
    wr_instance_t *in = world_instance(w, &m);
    struct world_values r;
    assert_int_equal(world_one(w, in, "f", ARGS(0)), 109);
    assert_int_equal(world_one(w, in, "f", ARGS(5)), 105);
    assert_int_equal(world_call(w, in, "bare", ARGS(5), &r), WR_EXCEPTION);
    assert_string_equal(w->err.text, "t(5)");
    pass = false;
    assert_int_equal(world_one(w, in, "f", ARGS(5)), 106);
    assert_int_equal(world_one(w, in, "bare", ARGS(5)), 6);
}

static void test_exceptions_of_nested_calls_are_passed_on(void **state)
{
    (void)state;
    world_each(nested);
}

/* ---- answers that come later */

static wr_status_t host_wait(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_PENDING;
}

static void pending(struct world *w)
{
    struct wasm m = {0};
    wr_tag_t *tag = define_tag(w);
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "wait", ":", host_wait, NULL, &w->err),
                     WR_OK);
    u8 wait = (u8)wasm_import_func(&m, "h", "wait", ":");
    wasm_import_tag(&m, "h", "tag", "iIF:");
    wasm_func(&m, ":iIF", "f", "",
              CODE(TRY_TABLE(VOID, 1), ON(0, 0), CALL(wait), END, UNREACHABLE));
    wasm_func(&m, ":", "bare", "", CODE(CALL(wait)));
    wr_instance_t *in = world_instance(w, &m);
    wr_exec_t *x = NULL;
    wr_exception_t *e = NULL;
    wr_val_t v[3];
    fill(v, 1, 2, 3.0);
    assert_int_equal(wr_exception_new(w->store, tag, v, 2, &e, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_exception_new(w->store, tag, v, 3, &e, &w->err), WR_OK);
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(wr_exec_start(x, world_func(in, "f"), NULL, 0, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_complete_throw(x, e), WR_OK);
    assert_int_equal(wr_exec_complete_throw(x, e), WR_ARGUMENT);
    assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    assert_null(wr_exec_exception(x));
    memset(v, 0, sizeof v);
    assert_int_equal(wr_exec_results(x, v, 3), WR_OK);
    assert_int_equal(v[1].of.i64, 2);
    assert_int_equal(wr_exec_start(x, world_func(in, "bare"), NULL, 0, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_complete_throw(x, e), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_EXCEPTION);
    assert_int_equal(w->err.frames, 1);
    assert_string_equal(w->err.text, "host tag(1, 2, 3)");
    wr_exception_t *same = wr_exec_exception(x);
    assert_ptr_equal(same, e);
    wr_exception_delete(same);
    wr_exception_delete(e);
    wr_exec_delete(x);
}

static void test_an_answer_may_be_an_exception(void **state)
{
    (void)state;
    world_each(pending);
}

/* ---- what nobody catches */

static void uncaught(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, ":x");
    wasm_tag(&m, "iF:", NULL);
    u8 leaf = (u8)wasm_func(&m, "i:", NULL, "",
                            CODE(LOCAL_GET(0), 0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, THROW(0)));
    u8 mid = (u8)wasm_func(&m, "i:", NULL, "", CODE(LOCAL_GET(0), CALL(leaf)));
    wasm_func(
        &m, "i:", "f", "",
        CODE(BLOCK(VOID), TRY_TABLE(VOID, 1), ON_ALL(0), NOP, END, END, LOCAL_GET(0), CALL(mid)));
    wasm_func(&m, "i:", "again", "",
              CODE(BLOCK(type), TRY_TABLE(VOID, 1), ON_ALL_REF(0), LOCAL_GET(0), CALL(mid), END,
                   UNREACHABLE, END, THROW_REF));
    wr_instance_t *in = world_instance(w, &m);
    struct world_values r;
    assert_int_equal(world_call(w, in, "f", ARGS((u32)-3), &r), WR_EXCEPTION);
    assert_string_equal(w->err.text, "tag[0](-3, 1.5)");
    assert_int_equal(w->err.frames, 3);
    for (u32 i = 0; i < 3; i++) assert_int_equal(w->err.frame[i].func_idx, i);
    assert_int_equal(world_call(w, in, "again", ARGS(4), &r), WR_EXCEPTION);
    assert_string_equal(w->err.text, "tag[0](4, 1.5)");
    assert_int_equal(w->err.frames, 1); /* where it was thrown last */
    assert_int_equal(w->err.frame[0].func_idx, 3);
}

static void test_the_backtrace_is_the_throws(void **state)
{
    (void)state;
    world_each(uncaught);
}

static void vectors(struct world *w)
{
    struct wasm m = {0};
    wr_tag_t *tag = NULL;
    wr_val_t v[2] = {{.kind = WR_V128}, {.kind = WR_I32, .of.i32 = 8}}, out[2];
    memset(v[0].of.v128, 0x5a, 16);
    assert_int_equal(wr_tag_new(w->store, "Vi:", &tag, &w->err), WR_OK);
    wr_extern_t e = {.kind = WR_EXTERN_TAG, .of.tag = tag};
    assert_int_equal(
        wr_linker_define(w->linker, world_name("h"), world_name("v"), w->store, e, &w->err), WR_OK);
    wasm_import_tag(&m, "h", "v", "Vi:");
    wasm_func(&m, "x:Vi", "f", "",
              CODE(TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), THROW_REF, END, UNREACHABLE));
    wr_instance_t *in = world_instance(w, &m);
    wr_exception_t *x = NULL;
    assert_int_equal(wr_exception_new(w->store, tag, v, 2, &x, &w->err), WR_OK);
    wr_val_t arg = {.kind = WR_EXNREF, .of.exn = x};
    assert_int_equal(wr_call(w->store, world_func(in, "f"), &arg, 1, out, 2, &w->err), WR_OK);
    assert_memory_equal(out[0].of.v128, v[0].of.v128, 16);
    assert_int_equal(out[1].of.i32, 8);
    wr_exception_delete(x);
    assert_int_equal(wr_tag_param_count(tag), 2);
    assert_int_equal(wr_tag_param(tag, 0), WR_V128);
    assert_int_equal(wr_tag_new(w->store, "i:i", &tag, &w->err), WR_ARGUMENT);
}

static void test_vectors_are_values_too(void **state)
{
    (void)state;
    world_each(vectors);
}

/* ---- the collector */

#if defined(VM_ASSERT) && VM_ASSERT
enum { THROWS = 200000, TURNS = 20000 };
#else
enum { THROWS = 5000000, TURNS = 300000 };
#endif
enum { RING = 256 };

/** An engine that counts its bytes. */
static void count_world(struct world *w, struct counter *n, const wr_store_config_t *config)
{
    wr_allocator_t alloc = {.realloc = counting_realloc, .ctx = n};
    memset(w, 0, sizeof *w);
    w->config = *config;
    w->engine = wr_engine_new(&alloc);
    assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
    assert_int_equal(wr_linker_new(w->engine, &w->linker, &w->err), WR_OK);
}

/** Throws, with references kept in a ring; and a chain where each refers to the one before. */
static wr_instance_t *keepers(struct world *w)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, ":x");
    wasm_tag(&m, "i:", "t");
    wasm_tag(&m, "x:", "link");
    wasm_table(&m, 'x', RING, RING, NULL);
    u8 head = (u8)wasm_global(&m, 'x', true, CODE(REF_NULL_EXN), NULL);
    wasm_func(&m, "i:", "ring", "x",
              CODE(LOOP(VOID), BLOCK(type), TRY_TABLE(VOID, 1), ON_ALL_REF(0), LOCAL_GET(0),
                   THROW(0), END, UNREACHABLE, END, LOCAL_SET(1), LOCAL_GET(0), I32(RING - 1),
                   I32_AND, LOCAL_GET(1), TABLE_SET(0), LOCAL_GET(0), I32(1), I32_SUB, LOCAL_TEE(0),
                   BR_IF(0), END));
    wasm_func(&m, "i:i", "read", "",
              CODE(BLOCK(T_I32), TRY_TABLE(VOID, 1), ON(0, 0), LOCAL_GET(0), TABLE_GET(0),
                   THROW_REF, END, UNREACHABLE, END));
    wasm_func(&m, "i:", "chain", "",
              CODE(LOOP(VOID), BLOCK(type), TRY_TABLE(VOID, 1), ON_ALL_REF(0), GLOBAL_GET(head),
                   THROW(1), END, UNREACHABLE, END, GLOBAL_SET(head), LOCAL_GET(0), I32(1), I32_SUB,
                   LOCAL_TEE(0), BR_IF(0), END));
    wasm_func(&m, ":", "drop", "", CODE(REF_NULL_EXN, GLOBAL_SET(head)));
    wasm_func(&m, ":i", "length", "xi",
              CODE(GLOBAL_GET(head), LOCAL_SET(0), LOOP(VOID), LOCAL_GET(0), REF_IS_NULL, I32_EQZ,
                   IF(VOID), LOCAL_GET(1), I32(1), I32_ADD, LOCAL_SET(1), BLOCK(type),
                   TRY_TABLE(VOID, 1), ON(1, 0), LOCAL_GET(0), THROW_REF, END, UNREACHABLE, END,
                   LOCAL_SET(0), BR(1), END, END, LOCAL_GET(1)));
    return world_instance(w, &m);
}

static void each_counted(const wr_store_config_t *base,
                         void (*test)(struct world *w, struct counter *n))
{
    static const wr_backend_t backends[] = {WR_BACKEND_AUTO, WR_BACKEND_LOOP};
    for (u32 i = 0; i < 2; i++) {
        struct counter n = {0};
        struct world w;
        wr_store_config_t config = *base;
        config.backend = backends[i];
        config.memory_mode = WR_MEMORY_EXPLICIT;
        count_world(&w, &n, &config);
        test(&w, &n);
        world_free(&w);
        assert_int_equal(n.live, 0);
    }
}

static void ring(struct world *w, struct counter *n)
{
    struct world_values r;
    wr_instance_t *in = keepers(w);
    n->peak = n->live;
    usize before = n->live;
    assert_int_equal(world_call(w, in, "ring", ARGS(THROWS), &r), WR_OK);
    assert_true(n->peak - before < 1 << 20);
    for (u64 i = 1; i < RING; i++) assert_int_equal(world_one(w, in, "read", ARGS(i)), i);
    assert_int_equal(world_one(w, in, "read", ARGS(0)), RING);
}

static void test_millions_of_throws_stay_in_bounded_memory(void **state)
{
    (void)state;
    const wr_store_config_t config = {0};
    each_counted(&config, ring);
}

static void chain(struct world *w, struct counter *n)
{
    struct world_values r;
    wr_instance_t *in = keepers(w);
    assert_int_equal(world_call(w, in, "chain", ARGS(5000), &r), WR_OK);
    assert_int_equal(world_one(w, in, "length", NO_ARGS), 5000);
    assert_int_equal(world_call(w, in, "chain", ARGS(10000000), &r), WR_OOM);
    assert_true(n->peak < (usize)12 << 20);
    assert_int_equal(world_call(w, in, "chain", ARGS(1), &r), WR_OOM);
    assert_int_equal(world_call(w, in, "drop", NO_ARGS, &r), WR_OK);
    assert_int_equal(world_call(w, in, "chain", ARGS(5000), &r), WR_OK);
    assert_int_equal(world_one(w, in, "length", NO_ARGS), 5000);
}

static void test_a_guest_that_keeps_all_meets_the_limit(void **state)
{
    (void)state;
    const wr_store_config_t config = {.max_exception_bytes = (u64)4 << 20};
    each_counted(&config, chain);
}

static void held(struct world *w, struct counter *n)
{
    (void)n;
    struct world_values r;
    wr_instance_t *in = keepers(w);
    wr_exec_t *x = NULL;
    wr_val_t arg = {.kind = WR_I32}, v;
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(world_call(w, in, "ring", ARGS(3), &r), WR_OK);
    arg.of.i32 = 0; /* a null: traps */
    assert_int_equal(wr_exec_start(x, world_func(in, "read"), &arg, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_TRAP);
    wr_tag_t *tag = world_export(in, "t", WR_EXTERN_TAG).of.tag;
    wr_exception_t *e = NULL;
    v = (wr_val_t){.kind = WR_I32, .of.i32 = 99};
    assert_int_equal(wr_exception_new(w->store, tag, &v, 1, &e, &w->err), WR_OK);
    assert_int_equal(world_call(w, in, "ring", ARGS(10000), &r), WR_OK);
    v.of.i32 = 0;
    assert_int_equal(wr_exception_values(e, &v, 1), 1);
    assert_int_equal(v.of.i32, 99);
    char name[8];
    assert_int_equal(wr_tag_name(tag, name, sizeof name), 1);
    assert_string_equal(name, "t");
    wr_exception_delete(e);
    wr_store_delete(w->store); /* before its exec */
    w->store = NULL;
    wr_exec_delete(x);
}

static void test_what_the_host_holds_lives(void **state)
{
    (void)state;
    const wr_store_config_t config = {0};
    each_counted(&config, held);
}

/* ---- loops that are nothing but throws */

static wr_instance_t *spinner(struct world *w)
{
    struct wasm m = {0};
    wasm_tag(&m, ":", "t");
    wasm_func(&m, "i:i", "turns", "i",
              CODE(LOOP(VOID), LOCAL_GET(1), I32(1), I32_ADD, LOCAL_TEE(1), LOCAL_GET(0), I32_NE,
                   IF(VOID), TRY_TABLE(VOID, 1), ON(0, 1), THROW(0), END, END, END, LOCAL_GET(1)));
    wasm_func(&m, ":", "forever", "",
              CODE(LOOP(VOID), TRY_TABLE(VOID, 1), ON(0, 0), THROW(0), END, END));
    return world_instance(w, &m);
}

struct nuisance {
    wr_exec_t *exec;
    _Atomic bool done;
    bool cancel;
};

static void *annoy(void *arg)
{
    struct nuisance *n = arg;
    const struct timespec t = {.tv_nsec = 200000};
    while (!atomic_load(&n->done)) {
        (void)nanosleep(&t, NULL);
        if (n->cancel)
            wr_exec_cancel(n->exec);
        else
            wr_exec_interrupt(n->exec);
        if (n->cancel) break;
    }
    return NULL;
}

static wr_status_t run_annoyed(struct world *w, wr_exec_t *x, bool cancel)
{
    pthread_t thread;
    struct nuisance n = {.exec = x, .cancel = cancel};
    assert_int_equal(pthread_create(&thread, NULL, annoy, &n), 0);
    wr_status_t s;
    do s = wr_exec_run(x, &w->err);
    while (s == WR_YIELD);
    atomic_store(&n.done, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return s;
}

static void interrupted(struct world *w)
{
    wr_instance_t *in = spinner(w);
    wr_exec_t *x = NULL;
    wr_val_t v = {.kind = WR_I32, .of.i32 = TURNS};
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(wr_exec_start(x, world_func(in, "turns"), &v, 1, &w->err), WR_OK);
    assert_int_equal(run_annoyed(w, x, false), WR_OK);
    assert_int_equal(wr_exec_results(x, &v, 1), WR_OK);
    assert_int_equal(v.of.i32, TURNS);
    assert_int_equal(wr_exec_start(x, world_func(in, "forever"), NULL, 0, &w->err), WR_OK);
    assert_int_equal(run_annoyed(w, x, true), WR_CANCELLED);
    wr_exec_delete(x);
}

static void test_throwing_loops_are_interrupted_and_cancelled(void **state)
{
    (void)state;
    world_each(interrupted);
}

static void fuelled(struct world *w)
{
    wr_instance_t *in = spinner(w);
    wr_exec_t *x = NULL;
    wr_val_t v = {.kind = WR_I32, .of.i32 = 1000};
    u64 used[2] = {0, 0};
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    for (u32 i = 0; i < 2; i++) { /* at once, then in portions */
        u64 portion = i ? 100 : 100000, given = 0;
        wr_status_t s = WR_FUEL;
        wr_store_set_fuel(w->store, 0);
        assert_int_equal(wr_exec_start(x, world_func(in, "turns"), &v, 1, &w->err), WR_OK);
        while (s == WR_FUEL) {
            wr_store_set_fuel(w->store, wr_store_fuel(w->store) + portion);
            given += portion;
            s = wr_exec_run(x, &w->err);
        }
        assert_int_equal(s, WR_OK);
        used[i] = given - wr_store_fuel(w->store);
    }
    assert_true(used[0] == used[1] && used[0] > 5000);
    assert_int_equal(wr_exec_start(x, world_func(in, "forever"), NULL, 0, &w->err), WR_OK);
    wr_store_set_fuel(w->store, 100000);
    assert_int_equal(wr_exec_run(x, &w->err), WR_FUEL);
    wr_exec_delete(x);
}

static void test_throwing_loops_pay_fuel(void **state)
{
    (void)state;
    const wr_store_config_t config = {.use_fuel = true};
    world_each_with(&config, fuelled);
}

/* ---- no memory */

static wr_status_t use_all(struct counter *n, wr_backend_t backend, const struct wasm_bytes *code)
{
    const wr_allocator_t alloc = {.realloc = counting_realloc, .ctx = n};
    const wr_store_config_t config = {.backend = backend, .memory_mode = WR_MEMORY_EXPLICIT};
    wr_engine_t *engine = wr_engine_new(&alloc);
    wr_store_t *store = NULL;
    wr_linker_t *linker = NULL;
    wr_module_t *module = NULL;
    wr_instance_t *in = NULL;
    wr_tag_t *tag = NULL;
    wr_extern_t e = {.kind = WR_EXTERN_TAG};
    wr_val_t v = {.kind = WR_I32, .of.i32 = 1500};
    wr_status_t s = engine ? wr_store_new(engine, &config, &store, NULL) : WR_OOM;
    if (s == WR_OK) s = wr_linker_new(engine, &linker, NULL);
    if (s == WR_OK) s = wr_tag_new(store, "iIF:", &tag, NULL);
    e.of.tag = tag;
    if (s == WR_OK)
        s = wr_linker_define(linker, world_name("h"), world_name("tag"), store, e, NULL);
    if (s == WR_OK) s = wr_linker_define_raw(linker, "h", "raw", "i:", host_throw, tag, NULL);
    if (s == WR_OK) s = wr_module_new(engine, code->data, code->size, &module, NULL);
    if (s == WR_OK) s = wr_linker_instantiate(linker, store, module, NULL, &in, NULL);
    if (s == WR_OK) s = wr_call(store, world_func(in, "all"), &v, 1, NULL, 0, NULL);
    if (s == WR_OK) s = wr_call(store, world_func(in, "loose"), &v, 1, NULL, 0, NULL);
    if (s == WR_EXCEPTION) s = WR_OK;
    wr_store_delete(store);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return s;
}

static struct wasm_bytes user(void)
{
    struct wasm m = {0};
    u8 type = (u8)wasm_type(&m, ":x");
    u8 raw = (u8)wasm_import_func(&m, "h", "raw", "i:");
    wasm_import_tag(&m, "h", "tag", "iIF:");
    wasm_func(&m, "i:", "all", "",
              CODE(LOOP(VOID), BLOCK(type), TRY_TABLE(VOID, 1), ON_ALL_REF(0), LOCAL_GET(0),
                   CALL(raw), END, UNREACHABLE, END, DROP, TRY(VOID), I32(1), I64(2), 0x44, 0, 0, 0,
                   0, 0, 0, 0, 0, THROW(0), CATCH_ALL, END, LOCAL_GET(0), I32(1), I32_SUB,
                   LOCAL_TEE(0), BR_IF(0), END));
    wasm_func(&m, "i:", "loose", "", CODE(LOCAL_GET(0), CALL(raw)));
    return wasm_finish(&m);
}

static void test_failing_allocations_are_reported_and_leak_nothing(void **state)
{
    (void)state;
    static const wr_backend_t backends[] = {WR_BACKEND_AUTO, WR_BACKEND_LOOP};
    struct wasm_bytes code = user();
    for (u32 b = 0; b < 2; b++) {
        struct counter whole = {0};
        assert_int_equal(use_all(&whole, backends[b], &code), WR_OK);
        assert_int_equal(whole.live, 0);
        u32 step = whole.calls / 500 + 1; /* all of the first, then some */
        for (u32 i = 1; i <= whole.calls; i += i < 300 ? 1 : step) {
            struct counter n = {.fail_at = i};
            wr_status_t s = use_all(&n, backends[b], &code);
            if (s != WR_OOM && s != WR_OK) print_error("allocation %u: %s\n", i, wr_status_name(s));
            assert_true(s == WR_OOM || s == WR_OK);
            assert_int_equal(n.live, 0);
        }
    }
    free(code.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_functions_throw_where_they_were_called),
        cmocka_unit_test(test_an_exception_without_one_is_a_trap),
        cmocka_unit_test(test_exceptions_of_nested_calls_are_passed_on),
        cmocka_unit_test(test_an_answer_may_be_an_exception),
        cmocka_unit_test(test_the_backtrace_is_the_throws),
        cmocka_unit_test(test_vectors_are_values_too),
        cmocka_unit_test(test_millions_of_throws_stay_in_bounded_memory),
        cmocka_unit_test(test_a_guest_that_keeps_all_meets_the_limit),
        cmocka_unit_test(test_what_the_host_holds_lives),
        cmocka_unit_test(test_throwing_loops_are_interrupted_and_cancelled),
        cmocka_unit_test(test_throwing_loops_pay_fuel),
        cmocka_unit_test(test_failing_allocations_are_reported_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
