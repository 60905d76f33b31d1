/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execs: pending host functions and their answers, interrupts and cancels from another thread,
 * nested calls. In every backend and memory mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "tests/world.h"

/* -------- the guest */

static wr_status_t host_wait(wr_call_t *call, wr_slot_t *slots, void *env)
{
    u32 *calls = env;
    (void)slots;
    if (calls) ++*calls;
    assert_int_equal(wr_call_look(call).can_suspend, wr_call_can_suspend(call));
    /* a host that may not suspend here can know; answering anyway is a trap */
    return wr_call_can_suspend(call) ? WR_PENDING : wr_call_trap(call, "cannot wait");
}

static wr_status_t host_wait_blindly(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_PENDING;
}

/** Calls the guest function `env` names from inside the host. */
static wr_status_t host_reenter(wr_call_t *call, wr_slot_t *slots, void *env)
{
    wr_extern_t e;
    wr_error_t err;
    assert_true(wr_instance_export(wr_call_instance(call), world_name(env), &e));
    wr_val_t arg = {.kind = WR_I32, .of.i32 = slots[0].i32}, result;
    wr_status_t s = wr_call(wr_call_store(call), e.of.func, &arg, 1, &result, 1, &err);
    if (s == WR_OK) slots[0].i32 = result.of.i32;
    return s;
}

/** Imports wait (i:iI), blind (i:i); a memory; calls of wait at several depths, endless things. */
static wr_instance_t *guest(struct world *w, u32 *calls)
{
    wr_linker_t *l = w->linker;
    assert_int_equal(wr_linker_define_raw(l, "h", "wait", "i:iI", host_wait, calls, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "blind", "i:i", host_wait_blindly, NULL, NULL),
                     WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "reenter", "i:i", host_reenter, "sum", NULL),
                     WR_OK);
    struct wasm m = {0};
    u32 wait = wasm_import_func(&m, "h", "wait", "i:iI");
    u32 blind = wasm_import_func(&m, "h", "blind", "i:i");
    u32 reenter = wasm_import_func(&m, "h", "reenter", "i:i");
    wasm_memory(&m, 1024, 1024, "memory");
    u32 pair = wasm_type(&m, ":iI");
    /* sum(x) = wait(x).0 + wait(x).1 + 1000 + x, waiting twice with operands on the stack */
    u32 once = wasm_func(&m, "i:i", "once", "Ii",
                         CODE(I32(1000), LOCAL_GET(0), CALL((u8)wait), LOCAL_SET(1), I32_ADD,
                              LOCAL_GET(1), I32_WRAP_I64, I32_ADD));
    wasm_func(&m, "i:i", "sum", "",
              CODE(LOCAL_GET(0), CALL((u8)once), LOCAL_GET(0), CALL((u8)once), I32_ADD,
                   LOCAL_GET(0), I32_ADD));
    wasm_func(&m, "i:iI", "tail", "", CODE(LOCAL_GET(0), RETURN_CALL((u8)wait)));
    wasm_func(&m, "i:iI", "block", "", CODE(BLOCK((u8)pair), LOCAL_GET(0), CALL((u8)wait), END));
    wasm_func(&m, "i:i", "nested", "", CODE(LOCAL_GET(0), CALL((u8)reenter)));
    wasm_func(&m, "i:i", "blind", "", CODE(LOCAL_GET(0), CALL((u8)blind)));
    wasm_export(&m, "host", 0, wait);
    /* endless: a loop, recursion that comes back, mutual tail calls, a fill of 64 MiB again and
     * again */
    wasm_func(&m, ":", "loop", "", CODE(LOOP(VOID), BR(0), END));
    wasm_func(&m, "i:", "loop_if", "",
              CODE(LOOP(VOID), LOCAL_GET(0), I32(1), I32_EQ, BR_IF(0), END));
    wasm_func(&m, "i:", "loop_table", "",
              CODE(LOOP(VOID), BLOCK(VOID), LOCAL_GET(0), BR_TABLE, 2, 1, 1, 0, END, END));
    u32 tree = m.func_count;
    wasm_func(&m, "i:", "tree", "",
              CODE(LOCAL_GET(0), IF(VOID), LOCAL_GET(0), I32(1), I32_SUB, CALL((u8)tree),
                   LOCAL_GET(0), I32(1), I32_SUB, CALL((u8)tree), END));
    wasm_func(&m, "i:", "tail_a", "", CODE(LOCAL_GET(0), I32(0), RETURN_CALL((u8)(tree + 2))));
    wasm_func(&m, "ii:", "tail_b", "i", CODE(LOCAL_GET(0), RETURN_CALL((u8)(tree + 1))));
    wasm_func(&m, ":", "fill", "",
              CODE(LOOP(VOID), I32(0), I32(7), I32(64 << 20), MEMORY_FILL, BR(0), END));
    wasm_func(&m, ":", "copy", "",
              CODE(LOOP(VOID), I32(1), I32(0), I32((64 << 20) - 1), MEMORY_COPY, BR(0), END));
    return world_instance(w, &m);
}

static wr_exec_t *started(struct world *w, wr_instance_t *in, const char *name,
                          struct world_values args)
{
    wr_exec_t *x = NULL;
    wr_val_t values[WORLD_VALUES];
    wr_func_t *f = world_func(in, name);
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    world_typed(f, args, values);
    assert_int_equal(wr_exec_start(x, f, values, args.count, &w->err), WR_OK);
    return x;
}

static void answer(wr_exec_t *x, u32 first, u64 second)
{
    wr_slot_t slots[2];
    memset(slots, 0xff, sizeof slots); /* the upper half of an i32 may be anything */
    slots[0].i32 = first;
    slots[1].i64 = second;
    assert_int_equal(wr_exec_complete(x, WR_OK, slots, 2, 0), WR_OK);
}

static u32 result(wr_exec_t *x)
{
    wr_val_t v;
    assert_int_equal(wr_exec_results(x, &v, 1), WR_OK);
    assert_int_equal(v.kind, WR_I32);
    return v.of.i32;
}

/* -------- pending */

static void pending(struct world *w)
{
    u32 calls = 0;
    wr_instance_t *in = guest(w, &calls);
    wr_exec_t *x = started(w, in, "sum", ARGS(5));
    wr_val_t v[2];
    assert_int_equal(wr_exec_results(x, v, 1), WR_ARGUMENT); /* nothing has finished */
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING); /* still */
    assert_int_equal(calls, 1);
    /* wrong answers change nothing */
    wr_slot_t slots[3] = {{.i32 = 1}};
    assert_int_equal(wr_exec_complete(x, WR_OK, slots, 1, 0), WR_ARGUMENT);
    assert_int_equal(wr_exec_complete(x, WR_OK, slots, 3, 0), WR_ARGUMENT);
    assert_int_equal(wr_exec_complete(x, WR_PENDING, NULL, 0, 0), WR_ARGUMENT);
    assert_int_equal(wr_exec_complete(x, WR_YIELD, NULL, 0, 0), WR_ARGUMENT);
    assert_int_equal(wr_exec_start(x, world_func(in, "sum"), NULL, 0, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    answer(x, 10, 20);
    assert_int_equal(wr_exec_complete(x, WR_OK, slots, 2, 0), WR_ARGUMENT); /* once */
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(calls, 2);
    assert_int_equal(wr_exec_results(x, v, 1), WR_ARGUMENT);
    answer(x, 100, ((u64)1 << 32) + 200);
    assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    assert_int_equal(w->err.status, WR_OK);
    assert_int_equal(result(x), 1030 + 1300 + 5);
    assert_int_equal(wr_exec_results(x, v, 2), WR_ARGUMENT);
    assert_int_equal(wr_exec_run(x, &w->err), WR_ARGUMENT); /* over */
    assert_int_equal(wr_exec_complete(x, WR_OK, slots, 2, 0), WR_ARGUMENT);
    wr_exec_delete(x);
}
static void test_pending_host_function_is_answered_later(void **state)
{
    (void)state;
    world_each(pending);
}

/** Multi-value results, from a tail call, a block, and the host function called as such. */
static void pending_results(struct world *w)
{
    static const char *const names[] = {"tail", "block", "host"};
    wr_instance_t *in = guest(w, NULL);
    for (u32 i = 0; i < VM_COUNT(names); i++) {
        wr_exec_t *x = started(w, in, names[i], ARGS(5));
        wr_val_t v[2];
        assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
        answer(x, 7 + i, (u64)3 << 40);
        assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
        assert_int_equal(wr_exec_results(x, v, 2), WR_OK);
        assert_int_equal(v[0].of.i32, 7 + i);
        assert_true(v[1].of.i64 == (u64)3 << 40);
        wr_exec_delete(x);
    }
}
static void test_pending_results_of_every_kind_of_call(void **state)
{
    (void)state;
    world_each(pending_results);
}

static void pending_failures(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    wr_exec_t *x = started(w, in, "sum", ARGS(5));
    wr_val_t five = {.kind = WR_I32, .of.i32 = 5};
    wr_func_t *sum = world_func(in, "sum");
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_complete(x, WR_TRAP, NULL, 0, 0), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_TRAP);
    assert_int_equal(w->err.frames, 2); /* once, sum */
    assert_string_equal(w->err.trap, "host function failed");
    assert_int_equal(wr_exec_start(x, sum, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_complete(x, WR_EXIT, NULL, 0, 42), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_EXIT);
    assert_int_equal(wr_exec_exit_code(x), 42);
    assert_int_equal(wr_exec_start(x, sum, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_complete(x, WR_CANCELLED, NULL, 0, 0), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    assert_int_equal(w->err.frames, 2);
    /* two execs pending in one store do not mix; one is deleted as it stands */
    wr_exec_t *y = started(w, in, "sum", ARGS(6));
    assert_int_equal(wr_exec_start(x, sum, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    assert_int_equal(wr_exec_run(y, &w->err), WR_PENDING);
    answer(y, 1, 1);
    assert_int_equal(wr_exec_run(y, &w->err), WR_PENDING);
    wr_exec_delete(x);
    answer(y, 1, 1);
    assert_int_equal(wr_exec_run(y, &w->err), WR_OK);
    assert_int_equal(result(y), 2010);
    wr_exec_delete(y);
}
static void test_pending_answered_by_failures(void **state)
{
    (void)state;
    world_each(pending_failures);
}

static void no_suspend(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    world_traps(w, in, "sum", ARGS(1), "host function failed");
    assert_string_equal(w->err.text, "cannot wait");
    world_traps(w, in, "blind", ARGS(1), "host function would suspend where it can not");
    /* nested in a host function: not even on an exec that could */
    wr_exec_t *x = started(w, in, "nested", ARGS(1));
    assert_int_equal(wr_exec_run(x, &w->err), WR_TRAP);
    assert_string_equal(w->err.text, "cannot wait");
    wr_exec_delete(x);
    /* in a start function */
    struct wasm m = {0};
    u32 blind = wasm_import_func(&m, "h", "blind", "i:i");
    u32 start = wasm_func(&m, ":", NULL, "", CODE(I32(0), CALL((u8)blind), DROP));
    wasm_start(&m, start);
    wr_instance_t *out = NULL;
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_null(out);
    assert_string_equal(w->err.trap, "host function would suspend where it can not");
    assert_int_equal(w->err.frames, 1);
}
static void test_no_suspension_in_calls_and_start_functions(void **state)
{
    (void)state;
    world_each(no_suspend);
}

/* -------- interrupts and cancels from another thread */

struct poker {
    wr_exec_t *x;
    void (*poke)(wr_exec_t *x);
    pthread_t thread;
    _Atomic bool over;
};

/** Again and again, since an interrupt before the run has nothing to stop; a cancel stays: once. */
static void *poke_until_over(void *arg)
{
    struct poker *p = arg;
    struct timespec t = {.tv_nsec = 3000000};
    do {
        (void)nanosleep(&t, NULL);
        p->poke(p->x);
    } while (!p->over && p->poke == wr_exec_interrupt);
    return NULL;
}

static void poke(struct poker *p, wr_exec_t *x, void (*how)(wr_exec_t *x))
{
    *p = (struct poker){.x = x, .poke = how};
    assert_int_equal(pthread_create(&p->thread, NULL, poke_until_over, p), 0);
}

static void poke_end(struct poker *p)
{
    p->over = true;
    assert_int_equal(pthread_join(p->thread, NULL), 0);
}

static const struct endless {
    const char *name;
    u32 arg, has_arg;
} endless[] = {{"loop", 0, 0},   {"loop_if", 1, 1}, {"loop_table", 1, 1}, {"tree", 60, 1},
               {"tail_a", 5, 1}, {"fill", 0, 0},    {"copy", 0, 0}};

static void interrupted(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    for (u32 i = 0; i < VM_COUNT(endless); i++) {
        struct world_values args = {.count = endless[i].has_arg, .bits = {endless[i].arg}};
        wr_exec_t *x = started(w, in, endless[i].name, args);
        for (u32 round = 0; round < 3; round++) {
            struct poker p;
            wr_exec_interrupt(x); /* before the run: nothing to stop */
            poke(&p, x, wr_exec_interrupt);
            assert_int_equal(wr_exec_run(x, &w->err), WR_YIELD);
            assert_int_equal(w->err.status, WR_YIELD);
            poke_end(&p);
        }
        struct poker p;
        poke(&p, x, wr_exec_cancel);
        assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
        assert_true(w->err.frames > 0);
        poke_end(&p);
        assert_int_equal(wr_exec_run(x, &w->err), WR_ARGUMENT);
        wr_exec_delete(x);
    }
}
static void test_interrupt_and_cancel_reach_every_endless_guest(void **state)
{
    (void)state;
    world_each(interrupted);
}

/** Calls and returns between two instances, without a loop or a call inside one instance. */
static void interrupted_between_instances(struct world *w)
{
    struct wasm a = {0}, b = {0};
    wasm_table(&a, 'r', 1, UINT32_MAX, "table");
    u32 type = wasm_type(&a, "i:");
    wasm_func(&a, "i:", "tree", "",
              CODE(LOCAL_GET(0), IF(VOID), LOCAL_GET(0), I32(1), I32_SUB, I32(0),
                   CALL_INDIRECT((u8)type, 0), LOCAL_GET(0), I32(1), I32_SUB, I32(0),
                   CALL_INDIRECT((u8)type, 0), END));
    wr_instance_t *in = world_named(w, &a, "a");
    u32 tree = wasm_import_func(&b, "a", "tree", "i:");
    (void)wasm_import_table(&b, "a", "table", 1);
    u32 f = wasm_func(&b, "i:", "f", "", CODE(LOCAL_GET(0), CALL((u8)tree)));
    wasm_elem(&b, 0, 0, &f, 1);
    world_instance(w, &b);
    wr_exec_t *x = started(w, in, "tree", ARGS(60));
    struct poker p;
    poke(&p, x, wr_exec_interrupt);
    assert_int_equal(wr_exec_run(x, &w->err), WR_YIELD);
    poke_end(&p);
    poke(&p, x, wr_exec_cancel);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    poke_end(&p);
    wr_exec_delete(x);
}
static void test_interrupt_reaches_calls_between_instances(void **state)
{
    (void)state;
    world_each(interrupted_between_instances);
}

/* -------- interrupts change no result: as many as possible while something is computed */

struct storm {
    wr_exec_t *x;
    _Atomic bool over;
};

static void *interrupt_all_the_time(void *arg)
{
    struct storm *s = arg;
    while (!s->over) {
        wr_exec_interrupt(s->x);
        struct timespec t = {.tv_nsec = 1000};
        (void)nanosleep(&t, NULL);
    }
    return NULL;
}

static void storm(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 64, 64, "memory");
    u32 fib = wasm_func(&m, "i:i", "fib", "",
                        CODE(LOCAL_GET(0), I32(2), I32_LT_S, IF(T_I32), LOCAL_GET(0), ELSE,
                             LOCAL_GET(0), I32(1), I32_SUB, CALL(0), LOCAL_GET(0), I32(2), I32_SUB,
                             CALL(0), I32_ADD, END));
    /* fills, copies up and down in more than one chunk, and a checksum of what came out */
    wasm_func(&m, "i:i", "all", "ii",
              CODE(I32(0), I32(3), I32(4 << 20), MEMORY_FILL, I32(1 << 20), I32(9), I32(1 << 20),
                   MEMORY_FILL, I32(100), I32(0), I32(3 << 20), MEMORY_COPY, I32(0), I32(50),
                   I32(3 << 20), MEMORY_COPY, LOOP(VOID), LOCAL_GET(1), I32(31), I32_MUL,
                   LOCAL_GET(2), I32_LOAD8_U(0), I32_ADD, LOCAL_SET(1), LOCAL_GET(2), I32(1),
                   I32_ADD, LOCAL_TEE(2), I32(4 << 20), I32_LT_U, BR_IF(0), END, LOCAL_GET(0),
                   CALL((u8)fib), LOCAL_GET(1), I32_ADD));
    wr_instance_t *in = world_instance(w, &m);
    u64 want = world_one(w, in, "all", ARGS(20));
    u32 yields = 0;
    for (u32 round = 0; round < 5; round++) {
        wr_exec_t *x = started(w, in, "all", ARGS(20));
        struct storm s = {.x = x};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_all_the_time, &s), 0);
        wr_status_t status;
        while ((status = wr_exec_run(x, &w->err)) == WR_YIELD) yields++;
        s.over = true;
        (void)pthread_join(thread, NULL);
        assert_int_equal(status, WR_OK);
        assert_int_equal(result(x), want);
        wr_exec_delete(x);
    }
    assert_true(yields > 0);
}
static void test_interrupts_change_no_result(void **state)
{
    (void)state;
    world_each(storm);
}

/* -------- cancel at every time */

static void cancelled(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    wr_val_t five = {.kind = WR_I32, .of.i32 = 5};
    wr_func_t *once = world_func(in, "once");
    wr_exec_t *x = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    /* before any call: the next one is cancelled, and only that */
    wr_exec_cancel(x);
    assert_int_equal(wr_exec_start(x, once, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    assert_int_equal(w->err.frames, 0);
    assert_int_equal(wr_exec_start(x, once, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    /* while pending; a late answer finds nobody */
    wr_exec_cancel(x);
    wr_exec_cancel(x);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(wr_exec_complete(x, WR_OK, NULL, 0, 0), WR_ARGUMENT);
    /* answered, then cancelled: the cancel wins */
    assert_int_equal(wr_exec_start(x, once, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    answer(x, 1, 1);
    wr_exec_cancel(x);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    /* an interrupt and a cancel together are a cancel */
    assert_int_equal(wr_exec_start(x, once, &five, 1, &w->err), WR_OK);
    wr_exec_interrupt(x);
    wr_exec_cancel(x);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    /* and the exec lives on */
    assert_int_equal(wr_exec_start(x, once, &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
    answer(x, 1, 1);
    assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    assert_int_equal(result(x), 1002);
    wr_exec_delete(x);
}
static void test_cancel_before_pending_and_answered(void **state)
{
    (void)state;
    world_each(cancelled);
}

/** Another thread will cancel the call in progress, whose frame is there already. */
static wr_status_t host_poke(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    poke(env, wr_call_exec(call), wr_exec_cancel);
    return WR_OK;
}

/** A start function that never ends is cancelled through the exec given. */
static void cancelled_start(struct world *w)
{
    struct wasm m = {0};
    struct poker p;
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "poke", ":", host_poke, &p, NULL), WR_OK);
    wasm_import_func(&m, "h", "poke", ":");
    u32 start = wasm_func(&m, ":", NULL, "", CODE(CALL(0), LOOP(VOID), BR(0), END));
    wasm_start(&m, start);
    wr_module_t *module = world_module(w, &m);
    wr_exec_t *x = NULL;
    wr_instance_t *in = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(wr_linker_instantiate(w->linker, w->store, module, x, &in, &w->err),
                     WR_CANCELLED);
    assert_null(in);
    assert_int_equal(w->err.frames, 1);
    poke_end(&p);
    /* an exec with a call in progress is refused before anything happens */
    wr_instance_t *g = guest(w, NULL);
    wr_val_t five = {.kind = WR_I32, .of.i32 = 5};
    assert_int_equal(wr_exec_start(x, world_func(g, "once"), &five, 1, &w->err), WR_OK);
    assert_int_equal(wr_linker_instantiate(w->linker, w->store, module, x, &in, &w->err),
                     WR_ARGUMENT);
    assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING); /* which still works, and may suspend */
    wr_exec_delete(x);
}
static void test_cancel_of_a_start_function(void **state)
{
    (void)state;
    world_each(cancelled_start);
}

/* -------- nested calls */

struct nest {
    wr_exec_t *x;
    wr_store_t *store;
    wr_func_t *f;
    u32 deepest, depth;
    wr_status_t innermost;
};

/** Calls its caller's function again with one less, until the engine refuses. */
static wr_status_t host_deeper(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct nest *n = env;
    wr_error_t err;
    wr_val_t arg = {.kind = WR_I32, .of.i32 = slots[0].i32 - 1}, r = {.kind = WR_I32};
    if (slots[0].i32 == 0) return WR_OK;
    if (++n->depth > n->deepest) n->deepest = n->depth;
    wr_status_t s = wr_call(wr_call_store(call), n->f, &arg, 1, &r, 1, &err);
    n->depth--;
    if (s != WR_OK && n->innermost == WR_OK) n->innermost = s;
    slots[0].i32 = s == WR_OK ? r.of.i32 + 1 : 0;
    return WR_OK;
}

static wr_instance_t *nesting_guest(struct world *w, struct nest *n)
{
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "deeper", "i:i", host_deeper, n, NULL),
                     WR_OK);
    struct wasm m = {0};
    u32 deeper = wasm_import_func(&m, "h", "deeper", "i:i");
    /* a value on the stack and a local around the host call must survive what happens inside */
    wasm_func(&m, "i:i", "f", "i",
              CODE(LOCAL_GET(0), I32(3), I32_MUL, LOCAL_SET(1), LOCAL_GET(1), LOCAL_GET(0),
                   CALL((u8)deeper), I32_ADD, LOCAL_GET(0), I32(3), I32_MUL, I32_SUB));
    wasm_func(&m, ":", "loop", "", CODE(LOOP(VOID), BR(0), END));
    wr_instance_t *in = world_instance(w, &m);
    n->f = world_func(in, "f");
    n->store = w->store;
    return in;
}

static void nested(struct world *w)
{
    struct nest n = {0};
    wr_instance_t *in = nesting_guest(w, &n);
    world_gives(w, in, "f", ARGS(4), ARGS(4));
    assert_int_equal(n.deepest, 4);
    assert_int_equal(n.innermost, WR_OK);
    /* seven levels are allowed; the one beyond traps inside the host function, nothing else */
    world_call(w, in, "f", ARGS(100), &(struct world_values){0});
    assert_int_equal(n.innermost, WR_TRAP);
    assert_int_equal(n.deepest, 7);
    /* the same through an exec, and afterwards blocking calls work */
    n.innermost = WR_OK;
    wr_exec_t *x = started(w, in, "f", ARGS(3));
    assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    assert_int_equal(result(x), 3);
    wr_exec_delete(x);
    world_gives(w, in, "f", ARGS(2), ARGS(2));
    assert_int_equal(n.innermost, WR_OK);
}
static void test_nested_calls_to_the_limit(void **state)
{
    (void)state;
    static const wr_store_config_t config = {.max_nested_calls = 7};
    world_each_with(&config, nested);
}

/** Runs an endless guest function nested; another thread pokes the exec around it. */
static wr_status_t host_loop(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct nest *n = env;
    (void)slots;
    wr_exec_t *x = wr_call_exec(call);
    assert_ptr_equal(x, n->x);
    struct poker p;
    poke(&p, x, wr_exec_cancel);
    n->innermost = wr_call(wr_call_store(call), n->f, NULL, 0, NULL, 0, NULL);
    poke_end(&p);
    return WR_OK; /* the cancel is for the guest around it, too */
}

static void nested_cancel(struct world *w)
{
    struct nest n = {0};
    wr_instance_t *in = nesting_guest(w, &n);
    n.f = world_func(in, "loop");
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "loop", ":", host_loop, &n, NULL), WR_OK);
    struct wasm m = {0};
    u32 loop = wasm_import_func(&m, "h", "loop", ":");
    wasm_func(&m, ":", "f", "", CODE(CALL((u8)loop), LOOP(VOID), BR(0), END));
    wr_instance_t *outer = world_instance(w, &m);
    n.x = started(w, outer, "f", NO_ARGS);
    assert_int_equal(wr_exec_run(n.x, &w->err), WR_CANCELLED);
    assert_int_equal(n.innermost, WR_CANCELLED);
    assert_int_equal(w->err.frames, 1);
    wr_exec_delete(n.x);
}
static void test_cancel_reaches_nested_calls(void **state)
{
    (void)state;
    world_each(nested_cancel);
}

/** Interrupts its own exec, then calls into Wasm, which cannot yield there. */
static wr_status_t host_interrupt(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct nest *n = env;
    wr_val_t arg = {.kind = WR_I32, .of.i32 = 3}, r;
    wr_exec_interrupt(wr_call_exec(call));
    n->innermost = wr_call(wr_call_store(call), n->f, &arg, 1, &r, 1, NULL);
    slots[0].i32 = r.of.i32;
    return WR_OK;
}

static void nested_interrupt(struct world *w)
{
    struct nest n = {0};
    wr_instance_t *in = nesting_guest(w, &n);
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "int", ":i", host_interrupt, &n, NULL),
                     WR_OK);
    struct wasm m = {0};
    u32 import = wasm_import_func(&m, "h", "int", ":i");
    wasm_func(&m, ":i", "f", "",
              CODE(CALL((u8)import), LOOP(VOID), I32(0), BR_IF(0), END, CALL(2)));
    wasm_func(&m, "i:i", NULL, "", CODE(LOCAL_GET(0)));
    wr_instance_t *outer = world_instance(w, &m);
    assert_non_null(in);
    wr_exec_t *x = started(w, outer, "f", NO_ARGS);
    assert_int_equal(wr_exec_run(x, &w->err), WR_YIELD); /* at the call behind the host's */
    assert_int_equal(n.innermost, WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    assert_int_equal(result(x), 3);
    wr_exec_delete(x);
}
static void test_interrupt_of_a_nested_call_yields_after_it(void **state)
{
    (void)state;
    world_each(nested_interrupt);
}

/** An exec that another exec's host function runs; each is pending and traps for itself. */
static wr_status_t host_run_other(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    slots[0].i32 = (u32)wr_exec_run(env, NULL);
    return WR_OK;
}

static void other_exec(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    wr_exec_t *inner = started(w, in, "once", ARGS(1));
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "run", ":i", host_run_other, inner, NULL),
                     WR_OK);
    struct wasm m = {0};
    u32 run = wasm_import_func(&m, "h", "run", ":i");
    wasm_func(&m, ":i", "f", "", CODE(CALL((u8)run)));
    wr_instance_t *outer = world_instance(w, &m);
    assert_int_equal(world_one(w, outer, "f", NO_ARGS), WR_PENDING);
    answer(inner, 1, 2);
    assert_int_equal(world_one(w, outer, "f", NO_ARGS), WR_OK);
    assert_int_equal(result(inner), 1003);
    assert_int_equal(world_one(w, outer, "f", NO_ARGS), WR_ARGUMENT);
    wr_exec_delete(inner);
}
static void test_exec_run_inside_a_host_function(void **state)
{
    (void)state;
    world_each(other_exec);
}

/* -------- answers from another thread */

struct answerer {
    wr_exec_t *x;
    u32 delay_ns;
};

static void *answer_from_thread(void *arg)
{
    struct answerer *a = arg;
    struct timespec t = {.tv_nsec = a->delay_ns};
    wr_slot_t slots[2] = {{.i64 = 5}, {.i64 = 6}};
    (void)nanosleep(&t, NULL);
    (void)wr_exec_complete(a->x, WR_OK, slots, 2, 0);
    return NULL;
}

static void threads(struct world *w)
{
    wr_instance_t *in = guest(w, NULL);
    for (u32 i = 0; i < 200; i++) {
        wr_exec_t *x = started(w, in, "once", ARGS(1));
        assert_int_equal(wr_exec_run(x, &w->err), WR_PENDING);
        struct answerer a = {.x = x, .delay_ns = i * 100};
        pthread_t thread;
        wr_status_t s;
        assert_int_equal(pthread_create(&thread, NULL, answer_from_thread, &a), 0);
        if (i % 4 == 0) wr_exec_cancel(x); /* races with the answer: one of them wins */
        while ((s = wr_exec_run(x, &w->err)) == WR_PENDING);
        assert_int_equal(s, i % 4 == 0 ? WR_CANCELLED : WR_OK);
        if (s == WR_OK) assert_int_equal(result(x), 1011);
        (void)pthread_join(thread, NULL);
        wr_exec_delete(x);
    }
}
static void test_answers_from_another_thread(void **state)
{
    (void)state;
    world_each(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pending_host_function_is_answered_later),
        cmocka_unit_test(test_pending_results_of_every_kind_of_call),
        cmocka_unit_test(test_pending_answered_by_failures),
        cmocka_unit_test(test_no_suspension_in_calls_and_start_functions),
        cmocka_unit_test(test_interrupt_and_cancel_reach_every_endless_guest),
        cmocka_unit_test(test_interrupt_reaches_calls_between_instances),
        cmocka_unit_test(test_interrupts_change_no_result),
        cmocka_unit_test(test_cancel_before_pending_and_answered),
        cmocka_unit_test(test_cancel_of_a_start_function),
        cmocka_unit_test(test_nested_calls_to_the_limit),
        cmocka_unit_test(test_cancel_reaches_nested_calls),
        cmocka_unit_test(test_interrupt_of_a_nested_call_yields_after_it),
        cmocka_unit_test(test_exec_run_inside_a_host_function),
        cmocka_unit_test(test_answers_from_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
