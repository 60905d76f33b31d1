/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of every kind: tail calls with frames of other sizes, calls into other instances with other
 * memories, host functions in every position, backtraces through them, stack exhaustion.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "tests/world.h"

/* -------- tail calls inside one instance */

static void tail_calls(struct world *w)
{
    struct wasm m = {0};
    u32 sub = wasm_func(&m, "ii:i", "sub", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_SUB));
    u32 six = wasm_func(
        &m, "iiiiii:i", "six", "i",
        CODE(LOCAL_GET(0), I32(10), I32_MUL, LOCAL_GET(5), I32_ADD, LOCAL_GET(6), I32_ADD));
    u32 none = wasm_func(&m, ":i", "none", "i", CODE(I32(42), LOCAL_GET(0), I32_ADD));
    u32 five =
        wasm_func(&m, "i:iiiii", "five", "", CODE(I32(1), I32(2), I32(3), I32(4), LOCAL_GET(0)));
    /* the callee has more parameters than the caller, fewer, none; arguments cross */
    wasm_func(&m, "i:i", "to_more", "",
              CODE(LOCAL_GET(0), I32(1), I32(2), I32(3), I32(4), I32(5), RETURN_CALL((u8)six)));
    wasm_func(&m, "iiiiii:i", "to_fewer", "",
              CODE(LOCAL_GET(5), LOCAL_GET(0), RETURN_CALL((u8)sub)));
    wasm_func(&m, "iii:i", "to_none", "iii", CODE(RETURN_CALL((u8)none)));
    wasm_func(&m, "ii:i", "crossed", "", CODE(LOCAL_GET(1), LOCAL_GET(0), RETURN_CALL((u8)sub)));
    wasm_func(&m, ":iiiii", "to_results", "", CODE(I32(9), RETURN_CALL((u8)five)));
    /* the frame of the caller's caller is untouched by a bigger frame in between */
    wasm_func(&m, "i:i", "around", "i",
              CODE(I32(1000), LOCAL_GET(0), CALL(4), I32_ADD, I32(7), LOCAL_GET(0), CALL(4),
                   I32_SUB, I32_ADD));
    /* mutual recursion of different shapes, a million deep in constant space */
    u32 even = m.func_count, odd = even + 1;
    wasm_func(&m, "i:i", "even", "",
              CODE(LOCAL_GET(0), I32_EQZ, IF(T_I32), I32(1), ELSE, I32(5), I32(6), LOCAL_GET(0),
                   I32(1), I32_SUB, RETURN_CALL((u8)odd), END));
    wasm_func(&m, "iii:i", "odd", "iiiiiii",
              CODE(LOCAL_GET(2), I32_EQZ, IF(T_I32), I32(0), ELSE, LOCAL_GET(2), I32(1), I32_SUB,
                   RETURN_CALL((u8)even), END));
    wasm_func(&m, "i:i", "in_block", "",
              CODE(BLOCK(T_I32), LOCAL_GET(0), IF(VOID), LOCAL_GET(0), I32(1), RETURN_CALL((u8)sub),
                   END, I32(50), END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "to_more", ARGS(7), ARGS(75));
    world_gives(w, in, "to_fewer", ARGS(9, 0, 0, 0, 0, 30), ARGS(21));
    world_gives(w, in, "to_none", ARGS(1, 2, 3), ARGS(42));
    world_gives(w, in, "crossed", ARGS(1, 5), ARGS(4));
    world_gives(w, in, "to_results", NO_ARGS, ARGS(1, 2, 3, 4, 9));
    world_gives(w, in, "around", ARGS(2), ARGS(1025 + 7 - 25));
    world_gives(w, in, "even", ARGS(1000000), ARGS(1));
    world_gives(w, in, "even", ARGS(1000001), ARGS(0));
    world_gives(w, in, "in_block", ARGS(9), ARGS(8));
    world_gives(w, in, "in_block", ARGS(0), ARGS(50));
}
static void test_tail_calls_of_other_shapes(void **state)
{
    (void)state;
    world_each(tail_calls);
}

/* -------- calls into other instances: each has its own memory and global */

/** Exports: get (a byte of its memory), set, id (its global), trap, and a table of get and id. */
static void write_peer(struct wasm *m, u32 id)
{
    wasm_memory(m, 1, 2, "memory");
    wasm_table(m, 'r', 4, UINT32_MAX, "table");
    wasm_global(m, 'i', true, CODE(I32(id)), "global");
    u32 get = wasm_func(m, "i:i", "get", "", CODE(LOCAL_GET(0), I32_LOAD8_U(0)));
    wasm_func(m, "ii:", "set", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE8(0)));
    u32 self = wasm_func(m, ":i", "id", "", CODE(GLOBAL_GET(0)));
    wasm_func(m, "i:i", "trap", "", CODE(NOP, LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(m, "iiiiii:i", "wide", "",
              CODE(LOCAL_GET(0), LOCAL_GET(5), I32_SUB, GLOBAL_GET(0), I32_ADD));
    wasm_elem(m, 0, 0, (const u32[]){get, self}, 2);
}

static void other_instances(struct world *w)
{
    struct wasm a = {0}, m = {0};
    write_peer(&a, 100);
    world_named(w, &a, "a");
    u32 get = wasm_import_func(&m, "a", "get", "i:i");
    u32 set = wasm_import_func(&m, "a", "set", "ii:");
    u32 id = wasm_import_func(&m, "a", "id", ":i");
    u32 wide = wasm_import_func(&m, "a", "wide", "iiiiii:i");
    u32 table = wasm_import_table(&m, "a", "table", 4);
    wasm_memory(&m, 1, 1, NULL);
    wasm_global(&m, 'i', true, CODE(I32(7)), NULL);
    u32 t_get = wasm_type(&m, "i:i"), t_id = wasm_type(&m, ":i");
    wasm_declare(&m, get);
    u32 mine = wasm_func(&m, "i:i", "mine", "", CODE(LOCAL_GET(0), I32_LOAD8_U(0)));
    /* own memory before and after a foreign call, foreign memory in it */
    wasm_func(&m, "i:i", "direct", "",
              CODE(LOCAL_GET(0), I32(1), I32_STORE8(0), LOCAL_GET(0), I32(2), CALL((u8)set),
                   LOCAL_GET(0), I32_LOAD8_U(0), I32(10), I32_MUL, LOCAL_GET(0), CALL((u8)get),
                   I32_ADD, I32(10), I32_MUL, LOCAL_GET(0), I32_LOAD8_U(0), I32_ADD));
    wasm_func(&m, "i:i", "indirect", "",
              CODE(LOCAL_GET(0), I32(0), CALL_INDIRECT((u8)t_get, (u8)table), I32(1),
                   CALL_INDIRECT((u8)t_id, (u8)table), I32_ADD, GLOBAL_GET(0), I32_ADD));
    wasm_func(&m, "i:i", "by_ref", "",
              CODE(LOCAL_GET(0), REF_FUNC((u8)get), CALL_REF(0), GLOBAL_GET(0), I32_ADD));
    wasm_func(&m, "i:i", "tail", "", CODE(LOCAL_GET(0), RETURN_CALL((u8)get)));
    wasm_func(&m, "i:i", "tail_indirect", "",
              CODE(LOCAL_GET(0), I32(0), RETURN_CALL_INDIRECT((u8)t_get, (u8)table)));
    wasm_func(&m, "i:i", "tail_ref", "", CODE(LOCAL_GET(0), REF_FUNC((u8)get), RETURN_CALL_REF(0)));
    wasm_func(&m, ":i", "tail_id", "iii", CODE(RETURN_CALL((u8)id)));
    wasm_func(&m, "i:i", "tail_wide", "",
              CODE(LOCAL_GET(0), I32(0), I32(0), I32(0), I32(0), I32(3), RETURN_CALL((u8)wide)));
    /* a local function that leaves by a foreign tail call; then own memory must be back */
    u32 tail = mine + 4;
    wasm_func(&m, "i:i", "after_tail", "",
              CODE(LOCAL_GET(0), CALL((u8)tail), I32(100), I32_MUL, LOCAL_GET(0), CALL((u8)mine),
                   I32_ADD, GLOBAL_GET(0), I32(1000), I32_MUL, I32_ADD));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "direct", ARGS(60), ARGS(121));
    world_gives(w, in, "indirect", ARGS(60), ARGS(109));
    world_gives(w, in, "by_ref", ARGS(60), ARGS(9));
    world_gives(w, in, "tail", ARGS(60), ARGS(2));
    world_gives(w, in, "tail_indirect", ARGS(60), ARGS(2));
    world_gives(w, in, "tail_ref", ARGS(60), ARGS(2));
    world_gives(w, in, "tail_id", NO_ARGS, ARGS(100));
    world_gives(w, in, "tail_wide", ARGS(50), ARGS(147));
    world_gives(w, in, "after_tail", ARGS(60), ARGS(7201));
}
static void test_calls_into_another_instance(void **state)
{
    (void)state;
    world_each(other_instances);
}

/** Two instances that tail-call each other through a table, a million times, in constant space. */
static void ping_pong(struct world *w)
{
    for (u32 side = 0; side < 2; side++) {
        struct wasm m = {0};
        if (side == 0)
            wasm_table(&m, 'r', 2, UINT32_MAX, "table");
        else
            (void)wasm_import_table(&m, "ping", "table", 2);
        wasm_global(&m, 'i', true, CODE(I32(0)), "count");
        u32 type = wasm_type(&m, "i:i");
        u32 f = wasm_func(&m, "i:i", "f", side ? "ii" : "",
                          CODE(GLOBAL_GET(0), I32(1), I32_ADD, GLOBAL_SET(0), LOCAL_GET(0), I32_EQZ,
                               IF(T_I32), GLOBAL_GET(0), ELSE, LOCAL_GET(0), I32(1), I32_SUB,
                               I32(1 - side), RETURN_CALL_INDIRECT((u8)type, 0), END));
        /* an ordinary call in front, so that something has to be come back to */
        wasm_func(&m, "i:i", "start", "", CODE(LOCAL_GET(0), CALL((u8)f), GLOBAL_GET(0), I32_ADD));
        wasm_elem(&m, 0, side, &f, 1);
        wr_instance_t *in = world_named(w, &m, side ? "pong" : "ping");
        if (side == 1) {
            world_gives(w, in, "start", ARGS(1000000), ARGS(500001 + 500001));
            world_gives(w, in, "start", ARGS(1), ARGS(500001 + 500002));
        }
    }
}
static void test_tail_calls_between_instances_in_constant_space(void **state)
{
    (void)state;
    world_each(ping_pong);
}

/** A function that is first called, and so translated, from another instance. */
static void lazily_from_outside(struct world *w)
{
    struct wasm a = {0}, m = {0};
    write_peer(&a, 5);
    wr_instance_t *peer = world_named(w, &a, "a");
    u32 get = wasm_import_func(&m, "a", "get", "i:i");
    wasm_func(&m, "i:i", "f", "", CODE(LOCAL_GET(0), CALL((u8)get)));
    wasm_export(&m, "reexported", 0, get);
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "f", ARGS(0), ARGS(0));
    assert_ptr_equal(world_func(in, "reexported"), world_func(peer, "get"));
    world_gives(w, in, "reexported", ARGS(0), ARGS(0));
    world_traps(w, in, "reexported", ARGS(65536), "out of bounds memory access");
}
static void test_first_call_from_another_instance(void **state)
{
    (void)state;
    world_each(lazily_from_outside);
}

/* -------- backtraces through other instances and tail calls */

static u32 offset_in(const wr_error_t *err, u32 i) { return (u32)err->frame[i].file_offset; }

static void foreign_backtrace(struct world *w)
{
    struct wasm a = {0}, m = {0};
    write_peer(&a, 5);
    wr_instance_t *peer = world_named(w, &a, "a");
    u32 trap = wasm_import_func(&m, "a", "trap", "i:i");
    u32 inner = wasm_func(&m, "i:i", "inner", "", CODE(NOP, NOP, LOCAL_GET(0), CALL((u8)trap)));
    u32 outer = wasm_func(&m, "i:i", "outer", "", CODE(LOCAL_GET(0), CALL((u8)inner)));
    u32 tail = wasm_func(&m, "i:i", "tail", "", CODE(LOCAL_GET(0), RETURN_CALL((u8)trap)));
    u32 over = wasm_func(&m, "i:i", "over", "", CODE(LOCAL_GET(0), CALL((u8)tail)));
    wr_instance_t *in = world_instance(w, &m);
    const wr_module_t *mine = wr_instance_module(in), *its = wr_instance_module(peer);
    world_traps(w, in, "outer", ARGS(70000), "out of bounds memory access");
    assert_int_equal(w->err.frames, 3);
    assert_int_equal(w->err.frames_left_out, 0);
    assert_ptr_equal(w->err.frame[0].module, its);
    assert_int_equal(w->err.frame[0].func_idx, 3);
    assert_ptr_equal(w->err.frame[1].module, mine);
    assert_int_equal(w->err.frame[1].func_idx, inner);
    assert_ptr_equal(w->err.frame[2].module, mine);
    assert_int_equal(w->err.frame[2].func_idx, outer);
    /* inner: 2 nop, local.get, call: 4 bytes before the call; outer: 2; bodies are 5 + 4 apart */
    u32 inner_call = offset_in(&w->err, 1), outer_call = offset_in(&w->err, 2);
    assert_int_equal(outer_call - inner_call,
                     2 /* call */ + 1 /* end */ + 2 /* size, locals */ + 2);
    world_traps(w, in, "over", ARGS(70000), "out of bounds memory access");
    assert_int_equal(w->err.frames, 2); /* the tail call left no frame */
    assert_ptr_equal(w->err.frame[0].module, its);
    assert_ptr_equal(w->err.frame[1].module, mine);
    assert_int_equal(w->err.frame[1].func_idx, over);
}
static void test_backtrace_through_another_instance(void **state)
{
    (void)state;
    world_each(foreign_backtrace);
}

/* -------- one module in stores of several threads: each function's first call may race */

enum { SHARED_FUNCS = 60, SHARED_THREADS = 3 };

struct sharer {
    struct world *w; /* engine and module */
    pthread_t thread;
    u64 sum;
};

static void *share(void *arg)
{
    struct sharer *s = arg;
    wr_store_t *store = NULL;
    wr_linker_t *linker = NULL;
    wr_instance_t *in = NULL;
    wr_extern_t e;
    wr_val_t v = {.kind = WR_I32, .of.i32 = 5}, r;
    if (wr_store_new(s->w->engine, &s->w->config, &store, NULL) != WR_OK ||
        wr_linker_new(s->w->engine, &linker, NULL) != WR_OK ||
        wr_linker_instantiate(linker, store, s->w->modules[0], NULL, &in, NULL) != WR_OK ||
        !wr_instance_export(in, world_name("f"), &e))
        return NULL;
    if (wr_call(store, e.of.func, &v, 1, &r, 1, NULL) == WR_OK) s->sum = r.of.i32;
    wr_store_delete(store);
    wr_linker_delete(linker);
    return NULL;
}

static void shared_module(struct world *w)
{
    struct wasm m = {0};
    /* each calls the next with a frame of another size, directly and by tail call in turn */
    for (u32 i = 0; i < SHARED_FUNCS; i++) {
        u8 next = (u8)(i + 1);
        struct wasm_code direct = CODE(LOCAL_GET(0), I32(1), I32_ADD, CALL(next));
        struct wasm_code tail = CODE(LOCAL_GET(0), I32(1), I32_ADD, RETURN_CALL(next));
        wasm_func_locals(&m, "i:i", i ? NULL : "f", 1 + i * 37 % 900, 'I', i % 3 ? direct : tail);
    }
    wasm_func(&m, "i:i", NULL, "", CODE(LOCAL_GET(0)));
    (void)world_module(w, &m);
    struct sharer s[SHARED_THREADS];
    for (u32 i = 0; i < SHARED_THREADS; i++) {
        s[i] = (struct sharer){.w = w};
        assert_int_equal(pthread_create(&s[i].thread, NULL, share, &s[i]), 0);
    }
    for (u32 i = 0; i < SHARED_THREADS; i++) {
        assert_int_equal(pthread_join(s[i].thread, NULL), 0);
        assert_int_equal(s[i].sum, 5 + SHARED_FUNCS);
    }
}
static void test_module_shared_by_threads(void **state)
{
    (void)state;
    for (u32 i = 0; i < 10; i++) world_each(shared_module);
}

/* -------- host functions */

static wr_status_t host_add(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    slots[0].i32 += slots[1].i32 + *(const u32 *)env;
    return WR_OK;
}

static wr_status_t host_five(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)env;
    u32 x = slots[0].i32;
    for (u32 i = 0; i < 5; i++) slots[i].i64 = x + i;
    return WR_OK;
}

/** What is told in one call is what the single questions tell. */
static void same_in_one_call(const wr_call_t *call)
{
    const wr_memory_t *memory = wr_call_memory(call, 0);
    wr_bytes_t bytes = wr_call_bytes(call, 0);
    assert_ptr_equal(bytes.data, memory ? wr_memory_data(memory) : NULL);
    assert_int_equal(bytes.size, memory ? wr_memory_size(memory) : 0);
    bytes = wr_call_bytes(call, 1);
    assert_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    wr_call_view_t view = wr_call_look(call);
    assert_ptr_equal(view.exec, wr_call_exec(call));
    assert_ptr_equal(view.store_data, wr_store_data(wr_call_store(call)));
    assert_int_equal(view.can_suspend, wr_call_can_suspend(call));
}

static wr_status_t host_caller(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct world *w = env;
    same_in_one_call(call);
    assert_ptr_equal(wr_call_store(call), w->store);
    assert_true(!wr_call_can_suspend(call)); /* under wr_call */
    wr_memory_t *memory = wr_call_memory(call, 0);
    assert_null(wr_call_memory(call, 1));
    slots[0].i32 = memory ? *wr_memory_data(memory) : 99;
    assert_int_equal(wr_call_instance(call) != NULL, memory != NULL);
    return WR_OK;
}

static void host_functions(struct world *w)
{
    u32 one = 1;
    wr_linker_t *l = w->linker;
    assert_int_equal(wr_linker_define_raw(l, "h", "add", "ii:i", host_add, &one, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "five", "i:iiiii", host_five, NULL, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "caller", ":i", host_caller, w, NULL), WR_OK);
    struct wasm m = {0};
    u32 add = wasm_import_func(&m, "h", "add", "ii:i");
    u32 five = wasm_import_func(&m, "h", "five", "i:iiiii");
    u32 caller = wasm_import_func(&m, "h", "caller", ":i");
    u32 type = wasm_type(&m, "ii:i");
    wasm_memory(&m, 1, 1, NULL);
    wasm_table(&m, 'r', 2, UINT32_MAX, NULL);
    wasm_elem(&m, 0, 0, &add, 1);
    wasm_data(&m, 0, 0, "\x2a", 1);
    wasm_func(&m, "ii:i", "direct", "",
              CODE(I32(9), LOCAL_GET(0), LOCAL_GET(1), CALL((u8)add), I32_MUL));
    wasm_func(&m, "ii:i", "indirect", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32(0), CALL_INDIRECT((u8)type, 0)));
    wasm_func(&m, "ii:i", "by_ref", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), REF_FUNC((u8)add), CALL_REF((u8)type)));
    wasm_func(&m, "ii:i", "tail", "iii",
              CODE(I32(5), DROP, LOCAL_GET(1), LOCAL_GET(0), RETURN_CALL((u8)add)));
    wasm_func(&m, "ii:i", "tail_indirect", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32(0), RETURN_CALL_INDIRECT((u8)type, 0)));
    wasm_func(&m, "ii:i", "tail_ref", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), REF_FUNC((u8)add), RETURN_CALL_REF((u8)type)));
    wasm_func(&m, "i:iiiii", "five", "", CODE(LOCAL_GET(0), CALL((u8)five)));
    wasm_func(&m, ":iiiii", "tail_five", "", CODE(I32(20), RETURN_CALL((u8)five)));
    wasm_func(&m, ":i", "caller", "", CODE(CALL((u8)caller)));
    wasm_export(&m, "host", 0, add);
    wasm_export(&m, "host_caller", 0, caller);
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "direct", ARGS(3, 4), ARGS(72));
    static const char *const names[] = {"indirect",      "by_ref",   "tail",
                                        "tail_indirect", "tail_ref", "host"};
    for (u32 i = 0; i < VM_COUNT(names); i++) world_gives(w, in, names[i], ARGS(3, 4), ARGS(8));
    world_gives(w, in, "five", ARGS(10), ARGS(10, 11, 12, 13, 14));
    world_gives(w, in, "tail_five", NO_ARGS, ARGS(20, 21, 22, 23, 24));
    world_gives(w, in, "caller", NO_ARGS, ARGS(42));
    world_gives(w, in, "host_caller", NO_ARGS, ARGS(99));
}
static void test_host_functions_in_every_kind_of_call(void **state)
{
    (void)state;
    world_each(host_functions);
}

/* -------- stack exhaustion in every kind of call, and life after it */

static void exhaustion(struct world *w)
{
    struct wasm a = {0}, m = {0};
    wasm_table(&a, 'r', 2, UINT32_MAX, "table");
    u32 ta = wasm_type(&a, ":");
    u32 fa = wasm_func(&a, ":", "f", "iii", CODE(I32(1), CALL_INDIRECT((u8)ta, 0)));
    wasm_elem(&a, 0, 0, &fa, 1);
    world_named(w, &a, "a");
    u32 f = wasm_import_func(&m, "a", "f", ":");
    (void)wasm_import_table(&m, "a", "table", 2);
    u32 type = wasm_type(&m, ":");
    wasm_table(&m, 'r', 1, UINT32_MAX, NULL);
    u32 direct = wasm_func(&m, ":", "direct", "iiii", CODE(CALL(1)));
    u32 indirect = wasm_func(&m, ":", "indirect", "i", CODE(I32(0), CALL_INDIRECT((u8)type, 1)));
    u32 by_ref = wasm_func(&m, ":", "by_ref", "i", CODE(REF_FUNC(3), CALL_REF((u8)type)));
    u32 foreign = wasm_func(&m, ":", "foreign", "i", CODE(CALL((u8)f)));
    wasm_func(&m, "ii:ii", "results", "i", CODE(LOCAL_GET(0), LOCAL_GET(1), CALL(5)));
    /* big frames: the stack check must see the translated size, at the first call too */
    wasm_func_locals(&m, "i:i", "big", 49990, 'I',
                     CODE(LOCAL_GET(0), I32_EQZ, IF(T_I32), I32(1), ELSE, LOCAL_GET(0), I32(1),
                          I32_SUB, CALL(6), END));
    /* a tail call into a frame that does not fit behind many small ones */
    wasm_func(&m, "i:i", "tail_big", "",
              CODE(LOCAL_GET(0), I32_EQZ, IF(T_I32), I32(0), RETURN_CALL(6), ELSE, LOCAL_GET(0),
                   I32(1), I32_SUB, CALL(7), END));
    wasm_func(&m, "i:i", "fine", "", CODE(LOCAL_GET(0)));
    wasm_declare(&m, by_ref);
    wasm_elem(&m, 1, 0, &indirect, 1);
    wasm_elem(&m, 0, 1, &foreign, 1);
    assert_int_equal(direct, 1);
    wr_instance_t *in = world_instance(w, &m);
    static const char *const names[] = {"direct", "indirect", "by_ref", "foreign"};
    for (u32 i = 0; i < VM_COUNT(names); i++) {
        world_traps(w, in, names[i], NO_ARGS, "call stack exhausted");
        assert_int_equal(w->err.frames, WR_ERROR_FRAMES);
        assert_true(w->err.frames_left_out > 1000);
        world_gives(w, in, "fine", ARGS(5), ARGS(5));
    }
    world_traps(w, in, "results", ARGS(1, 2), "call stack exhausted");
    world_gives(w, in, "big", ARGS(1), ARGS(1));
    world_gives(w, in, "tail_big", ARGS(10), ARGS(1));
    world_traps(w, in, "big", ARGS(1000), "call stack exhausted");
    /* some depth of small frames leaves too little for the big one; all depths end well */
    u32 traps = 0;
    for (u32 depth = 130000; depth < 160000; depth += 2000) {
        struct world_values r;
        wr_status_t s = world_call(w, in, "tail_big", ARGS(depth), &r);
        assert_true(s == WR_OK || s == WR_TRAP);
        if (s == WR_TRAP) assert_string_equal(w->err.trap, "call stack exhausted");
        traps += s == WR_TRAP;
    }
    assert_true(traps > 0 && traps < 15);
    world_gives(w, in, "fine", ARGS(5), ARGS(5));
}
static void test_stack_exhaustion_is_a_trap_in_every_kind_of_call(void **state)
{
    (void)state;
    world_each(exhaustion);
}

/** One exec exhausts its stack, then is used again. */
static void exhausted_exec(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, ":", "down", "", CODE(CALL(0)));
    wasm_func(&m, "i:i", "fine", "", CODE(LOCAL_GET(0)));
    wr_instance_t *in = world_instance(w, &m);
    wr_exec_t *x = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, NULL), WR_OK);
    for (u32 i = 0; i < 3; i++) {
        wr_val_t v = {.kind = WR_I32, .of.i32 = i}, r;
        assert_int_equal(wr_exec_start(x, world_func(in, "down"), NULL, 0, NULL), WR_OK);
        assert_int_equal(wr_exec_run(x, &w->err), WR_TRAP);
        assert_string_equal(w->err.trap, "call stack exhausted");
        assert_int_equal(wr_exec_start(x, world_func(in, "fine"), &v, 1, NULL), WR_OK);
        assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
        assert_int_equal(wr_exec_results(x, &r, 1), WR_OK);
        assert_int_equal(r.of.i32, i);
    }
    wr_exec_delete(x);
}
static void test_exec_is_reusable_after_exhaustion(void **state)
{
    (void)state;
    world_each(exhausted_exec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_calls_of_other_shapes),
        cmocka_unit_test(test_calls_into_another_instance),
        cmocka_unit_test(test_tail_calls_between_instances_in_constant_space),
        cmocka_unit_test(test_first_call_from_another_instance),
        cmocka_unit_test(test_backtrace_through_another_instance),
        cmocka_unit_test(test_module_shared_by_threads),
        cmocka_unit_test(test_host_functions_in_every_kind_of_call),
        cmocka_unit_test(test_stack_exhaustion_is_a_trap_in_every_kind_of_call),
        cmocka_unit_test(test_exec_is_reusable_after_exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
