/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancels and interrupts by the ten thousand: none is lost, none comes twice, and slices change no
 * result. What a single one does is test_exec.c's; how soon it is obeyed, wasm-bench --latency's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "tests/world.h"

/*
 * BATCH execs are cancelled one after the other by a thread that waits for nothing in between. The
 * whole number, 108,000 in four configurations, is for release builds; on a machine with no two
 * processors free both tests of numbers stop after BUDGET_MS and say how far they came.
 */
#if defined(VM_ASSERT) && VM_ASSERT
enum { BATCH = 40, BATCHES = 2, SLICES = 10 };
#else
enum { BATCH = 250, BATCHES = 12, SLICES = 40 };
#endif
enum { BUDGET_MS = 15000 }; /* of each configuration */
enum { LOST_AFTER_MS = 60000 };
enum { SEGMENT_BYTES = 300000 };

static u32 next_random(u32 *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void spin(u32 turns)
{
    for (volatile u32 i = 0; i < turns; i++) {
    }
}

static void nap_ms(void)
{
    struct timespec t = {.tv_nsec = 1000000};
    (void)nanosleep(&t, NULL);
}

static u64 now_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- the guest */

static wr_status_t host_nothing(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_OK;
}

static wr_status_t host_wait(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_PENDING;
}

/** Runs "loop" nested; with an `env` the guest around it hears of its end at once. */
static wr_status_t host_nest(wr_call_t *call, wr_slot_t *slots, void *env)
{
    wr_extern_t e;
    (void)slots;
    if (!wr_instance_export(wr_call_instance(call), world_name("loop"), &e)) return WR_TRAP;
    wr_status_t s = wr_call(wr_call_store(call), e.of.func, NULL, 0, NULL, 0, NULL);
    return env ? s : WR_OK;
}

static wr_instance_t *guest(struct world *w)
{
    static const struct {
        const char *name;
        wr_host_fn fn;
        void *env;
    } hosts[] = {{"nothing", host_nothing, NULL},
                 {"wait", host_wait, NULL},
                 {"nest", host_nest, NULL},
                 {"nest_pass", host_nest, (void *)"pass"}};
    struct wasm m = {0};
    for (u32 i = 0; i < VM_COUNT(hosts); i++) {
        assert_int_equal(wr_linker_define_raw(w->linker, "h", hosts[i].name, ":", hosts[i].fn,
                                              hosts[i].env, NULL),
                         WR_OK);
        assert_int_equal(wasm_import_func(&m, "h", hosts[i].name, ":"), i);
    }
    wasm_memory(&m, 2, 2, NULL);
    wasm_func(&m, ":", "loop", "", CODE(LOOP(VOID), BR(0), END));
    wasm_func(&m, ":", "host_loop", "", CODE(LOOP(VOID), CALL(0), BR(0), END));
    wasm_func(&m, ":", "wait", "", CODE(LOOP(VOID), CALL(1), BR(0), END));
    wasm_func(&m, ":", "nest", "", CODE(CALL(2), LOOP(VOID), BR(0), END));
    wasm_func(&m, ":", "nest_pass", "", CODE(CALL(3)));
    wasm_func(&m, ":", "fill", "",
              CODE(LOOP(VOID), I32(0), I32(7), I32(1 << 17), MEMORY_FILL, BR(0), END));
    u32 tail = m.func_count;
    wasm_func(&m, ":", "tail", "", CODE(RETURN_CALL((u8)(tail + 1))));
    wasm_func(&m, ":", NULL, "i", CODE(RETURN_CALL((u8)tail)));
    /* 2^60 calls, most of them at the bottom */
    u32 tree = m.func_count;
    wasm_func(&m, "i:", NULL, "",
              CODE(LOCAL_GET(0), IF(VOID), LOCAL_GET(0), I32(1), I32_SUB, LOCAL_TEE(0),
                   CALL((u8)tree), LOCAL_GET(0), CALL((u8)tree), END));
    wasm_func(&m, ":", "recursion", "", CODE(I32(60), CALL((u8)tree)));
    /* ends by itself, after about as long as the other thread takes to cancel */
    wasm_func(&m, ":", "short", "i",
              CODE(LOOP(VOID), LOCAL_GET(0), I32(1), I32_ADD, LOCAL_TEE(0), I32(100), I32_LT_U,
                   BR_IF(0), END));
    return world_instance(w, &m);
}

/* ---------------------------------------------------------------- cancel */

/** Execs that two threads go through; the numbers say how far each is. */
struct race {
    wr_exec_t *execs[BATCH];
    wr_func_t *func, *loop;
    u32 seed;
    _Atomic u32 at; /* 2k: about to start exec k, 2k + 1: about to run it */
    _Atomic bool lost;
};

/** Before the start, right behind it or in the run of each exec, cancels it once. */
static void *cancel_all(void *arg)
{
    struct race *r = arg;
    u32 random = r->seed;
    for (u32 k = 0; k < BATCH; k++) {
        u32 choice = next_random(&random), turns = 0;
        u32 when = choice % 4 == 0 ? 0 : choice % 4 == 1 ? 2 * k : 2 * k + 1;
        while (atomic_load(&r->at) < when) {
            if (++turns > 5000) (void)sched_yield();
        }
        spin(choice / 4 % 600);
        wr_exec_cancel(r->execs[k]);
    }
    /* who still runs after so long has not heard it: end the test, not the machine's patience */
    for (u32 ms = 0; atomic_load(&r->at) < 2 * BATCH; ms++) {
        nap_ms();
        if (ms < LOST_AFTER_MS) continue;
        atomic_store(&r->lost, true);
        for (u32 k = 0; k < BATCH; k++) wr_exec_cancel(r->execs[k]);
    }
    return NULL;
}

/** Runs until the exec's one cancel ends a call: this one or, should it be over, an endless one. */
static bool run_to_cancel(struct race *r, wr_exec_t *x)
{
    wr_status_t s;
    while ((s = wr_exec_run(x, NULL)) == WR_PENDING) (void)sched_yield();
    if (s == WR_OK) {
        if (wr_exec_start(x, r->loop, NULL, 0, NULL) != WR_OK) return false;
        s = wr_exec_run(x, NULL);
    }
    return s == WR_CANCELLED;
}

static u32 run_all(struct race *r)
{
    u32 random = ~r->seed, bad = 0;
    for (u32 k = 0; k < BATCH; k++) {
        atomic_store(&r->at, 2 * k);
        spin(next_random(&random) % 300);
        bad += wr_exec_start(r->execs[k], r->func, NULL, 0, NULL) != WR_OK;
        atomic_store(&r->at, 2 * k + 1);
        bad += !run_to_cancel(r, r->execs[k]);
    }
    atomic_store(&r->at, 2 * BATCH);
    return bad;
}

static void one_batch(struct race *r, wr_func_t *after)
{
    pthread_t thread;
    atomic_store(&r->at, 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel_all, r), 0);
    u32 bad = run_all(r);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(atomic_load(&r->lost));
    assert_int_equal(bad, 0);
    /* every cancel has ended one call: none is left for these */
    for (u32 k = 0; k < BATCH; k++) {
        assert_int_equal(wr_exec_start(r->execs[k], after, NULL, 0, NULL), WR_OK);
        assert_int_equal(wr_exec_run(r->execs[k], NULL), WR_OK);
    }
}

static void cancelled(struct world *w)
{
    static const char *const names[] = {"loop",  "recursion", "tail", "host_loop", "fill",
                                        "short", "wait",      "nest", "nest_pass"};
    static struct race r; /* larger than a stack frame should be */
    wr_instance_t *in = guest(w);
    memset(&r, 0, sizeof r);
    r.loop = world_func(in, "loop");
    for (u32 k = 0; k < BATCH; k++)
        assert_int_equal(wr_exec_new(w->store, &r.execs[k], &w->err), WR_OK);
    u64 end = now_ms() + BUDGET_MS;
    u32 batches = VM_COUNT(names) * BATCHES;
    for (u32 i = 0; i < batches; i++) {
        if (i >= VM_COUNT(names) && now_ms() > end) {
            print_message("no time for more than %u of %u cancels\n", i * BATCH, batches * BATCH);
            break;
        }
        r.func = world_func(in, names[i % VM_COUNT(names)]);
        r.seed = i;
        one_batch(&r, world_func(in, "short"));
    }
    for (u32 k = 0; k < BATCH; k++) wr_exec_delete(r.execs[k]);
}
static void test_no_cancel_is_lost_or_comes_twice(void **state)
{
    (void)state;
    static const wr_store_config_t config = {.stack_bytes = 256 << 10};
    world_each_with(&config, cancelled);
}

/** A cancel that a nested call passes on has ended the call around it; the next one runs. */
static void passed_on(struct world *w)
{
    wr_instance_t *in = guest(w);
    wr_exec_t *x = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(wr_exec_start(x, world_func(in, "nest_pass"), NULL, 0, NULL), WR_OK);
        wr_exec_cancel(x);
        assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
        assert_int_equal(wr_exec_start(x, world_func(in, "short"), NULL, 0, NULL), WR_OK);
        assert_int_equal(wr_exec_run(x, &w->err), WR_OK);
    }
    wr_exec_delete(x);
}
static void test_cancel_before_the_run_is_used_up(void **state)
{
    (void)state;
    world_each(passed_on);
}

/* ---------------------------------------------------------------- slices */

static wr_status_t host_mix(wr_call_t *call, wr_slot_t *slots, void *env)
{
    u32 *calls = env;
    /* every seventh call interrupts its own exec, whatever the other thread does */
    if (++*calls % 7 == 0) wr_exec_interrupt(wr_call_exec(call));
    slots[0].i32 = slots[0].i32 * 31 + 7;
    return WR_OK;
}

/* Adds `step` to local 1 and goes on while it is below local 0. */
#define NEXT(step) LOCAL_GET(1), I32(step), I32_ADD, LOCAL_TEE(1), LOCAL_GET(0), I32_LT_U, BR_IF(0)

/** Functions n -> a sum that every one of n turns goes into. */
static wr_instance_t *computing_guest(struct world *w, u32 *calls)
{
    struct wasm m = {0};
    assert_int_equal(wr_linker_define_raw(w->linker, "h", "mix", "i:i", host_mix, calls, NULL),
                     WR_OK);
    wasm_import_func(&m, "h", "mix", "i:i");
    wasm_memory(&m, 16, 16, NULL);
    u32 unary = wasm_type(&m, "i:i");
    wasm_func(&m, "i:i", "arithmetic", "ii",
              CODE(LOOP(VOID), LOCAL_GET(2), I32(1664525), I32_MUL, LOCAL_GET(1), I32_ADD,
                   LOCAL_SET(2), NEXT(1), END, LOCAL_GET(2)));
    wasm_func(&m, "i:i", "memory", "ii",
              CODE(LOOP(VOID), LOCAL_GET(1), I32(0xffff), I32_AND, LOCAL_GET(1), I32_STORE(4),
                   LOCAL_GET(2), I32(17), I32_MUL, LOCAL_GET(1), I32(0x7f3f), I32_AND, I32_LOAD(0),
                   I32_ADD, LOCAL_SET(2), NEXT(3), END, LOCAL_GET(2)));
    wasm_func(&m, "i:i", "table", "ii",
              CODE(LOOP(VOID), BLOCK(VOID), BLOCK(VOID), BLOCK(VOID), LOCAL_GET(1), I32(3), I32_AND,
                   BR_TABLE, 2, 0, 1, 2, END, LOCAL_GET(2), I32(5), I32_ADD, LOCAL_SET(2), END,
                   LOCAL_GET(2), I32(3), I32_MUL, LOCAL_SET(2), END, NEXT(1), END, LOCAL_GET(2)));
    wasm_func(&m, "i:i", "bulk", "ii",
              CODE(LOOP(VOID), LOCAL_GET(1), LOCAL_GET(1), I32(90000), MEMORY_FILL, I32(1000),
                   I32(7), I32(500000), MEMORY_COPY, LOCAL_GET(2), I32(31), I32_MUL, LOCAL_GET(1),
                   I32_LOAD(1000), I32_ADD, LOCAL_SET(2), NEXT(2048), END, LOCAL_GET(2)));
    wasm_func(&m, "i:i", "init", "ii",
              CODE(LOOP(VOID), LOCAL_GET(1), I32(3), I32(SEGMENT_BYTES - 3), MEMORY_INIT(0),
                   LOCAL_GET(2), I32(31), I32_MUL, LOCAL_GET(1), I32_LOAD(SEGMENT_BYTES - 8),
                   I32_ADD, LOCAL_SET(2), NEXT(2048), END, LOCAL_GET(2)));
    wasm_func(&m, "i:i", "host", "ii",
              CODE(LOOP(VOID), LOCAL_GET(2), CALL(0), LOCAL_SET(2), NEXT(16), END, LOCAL_GET(2)));
    u32 first = m.func_count;
    wasm_func(&m, "ii:i", NULL, "", /* tail(n, sum) */
              CODE(LOCAL_GET(0), I32_EQZ, IF(VOID), LOCAL_GET(1), RETURN, END, LOCAL_GET(0), I32(1),
                   I32_SUB, LOCAL_GET(1), I32(31), I32_MUL, LOCAL_GET(0), I32_ADD,
                   RETURN_CALL((u8)first)));
    wasm_func(&m, "i:i", "tail", "", CODE(LOCAL_GET(0), I32(0), CALL((u8)first)));
    wasm_func(&m, "i:i", NULL, "", /* fib(n) */
              CODE(LOCAL_GET(0), I32(2), I32_LT_S, IF(T_I32), LOCAL_GET(0), ELSE, LOCAL_GET(0),
                   I32(1), I32_SUB, CALL((u8)(first + 2)), LOCAL_GET(0), I32(2), I32_SUB, I32(0),
                   CALL_INDIRECT((u8)unary, 0), I32_ADD, END));
    wasm_func(&m, "i:i", "recursion", "", CODE(I32(19), CALL((u8)(first + 2))));
    wasm_table(&m, 'r', 1, 1, NULL);
    wasm_elem(&m, 0, 0, (const u32[]){first + 2}, 1);
    static char segment[SEGMENT_BYTES];
    for (u32 i = 0, random = 1; i < SEGMENT_BYTES; i++) segment[i] = (char)next_random(&random);
    wasm_data_passive(&m, segment, SEGMENT_BYTES);
    return world_instance(w, &m);
}

struct interrupter {
    wr_exec_t *x;
    _Atomic bool over;
    u32 seed;
};

static void *interrupt_at_random(void *arg)
{
    struct interrupter *i = arg;
    while (!atomic_load(&i->over)) {
        wr_exec_interrupt(i->x);
        u32 r = next_random(&i->seed);
        spin(r % 3000);
        if (r % 8 == 0) (void)sched_yield();
    }
    return NULL;
}

/** Result of one call in slices; *yields counts them. */
static u32 in_slices(struct world *w, wr_func_t *f, u32 n, u32 seed, u32 *yields)
{
    wr_val_t arg = {.kind = WR_I32, .of.i32 = n}, result = {.kind = WR_F64};
    struct interrupter i = {.seed = seed};
    pthread_t thread;
    wr_status_t s;
    assert_int_equal(wr_exec_new(w->store, &i.x, &w->err), WR_OK);
    assert_int_equal(wr_exec_start(i.x, f, &arg, 1, &w->err), WR_OK);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_at_random, &i), 0);
    while ((s = wr_exec_run(i.x, NULL)) == WR_YIELD) ++*yields;
    atomic_store(&i.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(s, WR_OK);
    assert_int_equal(wr_exec_results(i.x, &result, 1), WR_OK);
    wr_exec_delete(i.x);
    assert_int_equal(result.kind, WR_I32);
    return result.of.i32;
}

static void sliced(struct world *w)
{
    static const char *const names[] = {"arithmetic", "memory", "table", "bulk",
                                        "init",       "host",   "tail",  "recursion"};
    u32 calls = 0, all_yields = 0;
    wr_instance_t *in = computing_guest(w, &calls);
    for (u32 i = 0; i < VM_COUNT(names); i++) {
        u32 n = 20000, yields = 0, rounds = 0;
        u64 want = world_one(w, in, names[i], ARGS(n));
        /* on a busy machine the other thread may sleep through a whole call */
        u64 end = now_ms() + BUDGET_MS / VM_COUNT(names);
        while (yields < SLICES && (rounds == 0 || now_ms() < end)) {
            assert_int_equal(in_slices(w, world_func(in, names[i]), n, rounds, &yields), want);
            rounds++;
        }
        all_yields += yields;
    }
    assert_true(all_yields >= SLICES);
}
static void test_slices_at_random_change_no_result(void **state)
{
    (void)state;
    world_each(sliced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_cancel_is_lost_or_comes_twice),
        cmocka_unit_test(test_cancel_before_the_run_is_used_up),
        cmocka_unit_test(test_slices_at_random_change_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
