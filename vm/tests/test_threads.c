/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: a store each, one shared memory, one module that all of them translate at first calls.
 * What is shared among stores without threads is test_shared_memory.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "tests/world.h"

#if defined(VM_ASSERT) && VM_ASSERT
enum { COUNTS = 2000, LOCKS = 300, ROUNDS = 6 };
#else
enum { COUNTS = 50000, LOCKS = 5000, ROUNDS = 25 };
#endif
enum { THREADS = 4, PAGE = 65536, MAX_PAGES = 300 };

/* Where the guest keeps what. */
enum { COUNTER = 0, WIDE = 8, NARROW = 16, MUTEX = 20, GUARDED = 24, FLAG = 28, QUEUE = 32 };
enum { BLOCK_AT = 1024, BLOCK_BYTES = 4096 };

static void nap_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static u64 now_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- the guest */

/** for (local 0; local 0 != 0; local 0--) body; */
#define TIMES(...)                                                                                 \
    BLOCK(VOID), LOOP(VOID), LOCAL_GET(0), I32_EQZ, BR_IF(1), __VA_ARGS__, LOCAL_GET(0), I32(1),   \
        I32_SUB, LOCAL_SET(0), BR(0), END, END

/* 0: free, 1: taken, 2: taken and perhaps waited for */
#define LOCK                                                                                       \
    I32(MUTEX), I32(0), I32(1), I32_CMPXCHG(0), IF(VOID), LOOP(VOID), I32(MUTEX), I32(2),          \
        I32_RMW_XCHG(0), IF(VOID), I32(MUTEX), I32(2), I64(-1), WAIT32(0), DROP, BR(1), END, END,  \
        END
#define UNLOCK                                                                                     \
    I32(MUTEX), I32(1), I32_RMW_SUB(0), I32(1), I32_NE, IF(VOID), I32(MUTEX), I32(0),              \
        I32_ATOMIC_STORE(0), I32(MUTEX), I32(1), NOTIFY(0), DROP, END

static void write_guest(struct wasm *c)
{
    wasm_import_shared_memory(c, "env", "memory", 1, MAX_PAGES);
    wasm_func(c, "i:", "count", "",
              CODE(TIMES(I32(COUNTER), I32(1), I32_RMW_ADD(0), DROP, I32(WIDE), I64(1),
                         I64_RMW_ADD(0), DROP, I32(NARROW), I32(1), I32_RMW8_ADD(0), DROP)));
    wasm_func(c, "i:", "count_locked", "",
              CODE(TIMES(LOCK, I32(GUARDED), I32(GUARDED), I32_LOAD(0), I32(1), I32_ADD,
                         I32_STORE(0), UNLOCK)));
    wasm_func(c, "iiI:i", "wait32", "", CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), WAIT32(0)));
    wasm_func(c, "iII:i", "wait64", "", CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), WAIT64(0)));
    wasm_func(c, "ii:i", "notify", "", CODE(LOCAL_GET(0), LOCAL_GET(1), NOTIFY(0)));
    wasm_func(c, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(c, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    wasm_func(c, "i:i", "size_after_flag", "",
              CODE(LOOP(VOID), I32(FLAG), I32_ATOMIC_LOAD(0), I32_EQZ, BR_IF(0), END, LOCAL_GET(0),
                   I32_LOAD(0), DROP, MEMORY_SIZE));
    wasm_func(c, "i:", "set_flag", "", CODE(I32(FLAG), LOCAL_GET(0), I32_ATOMIC_STORE(0), FENCE));
    wasm_func(c, "i:", "fill", "",
              CODE(TIMES(I32(BLOCK_AT), I32(255), I32(BLOCK_BYTES), MEMORY_FILL, I32(BLOCK_AT),
                         I32(BLOCK_AT + BLOCK_BYTES), I32(BLOCK_BYTES), MEMORY_COPY)));
    /* counts the words that are neither zero nor all ones */
    wasm_func(c, "i:i", "torn", "iI",
              CODE(TIMES(I32(BLOCK_AT), LOCAL_GET(0), I32(511), I32_AND, I32(3), 0x74, I32_ADD,
                         I64_ATOMIC_LOAD(0), I64(1), I64_ADD, LOCAL_SET(2), LOCAL_GET(1),
                         LOCAL_GET(2), I64(1), 0x56, I32_ADD, LOCAL_SET(1)),
                   LOCAL_GET(1)));
}

/** One thread's world. */
struct guest {
    wr_store_t *store;
    wr_exec_t *exec;
    wr_instance_t *in;
    wr_memory_t *memory;
    /* what its thread is to do, and what came of it */
    const char *name;
    u32 arg_count;
    wr_val_t args[3];
    wr_status_t status;
    u32 result;
    pthread_t thread;
};

struct guests {
    struct world *w;
    wr_module_t *module;
    wr_shared_memory_t *shared;
    struct guest of[THREADS];
};

static void guest_init(struct guests *g, struct guest *t)
{
    wr_error_t err;
    memset(t, 0, sizeof *t);
    assert_int_equal(wr_store_new(g->w->engine, &g->w->config, &t->store, &err), WR_OK);
    assert_int_equal(wr_linker_instantiate(g->w->linker, t->store, g->module, NULL, &t->in, &err),
                     WR_OK);
    assert_int_equal(wr_exec_new(t->store, &t->exec, &err), WR_OK);
    t->memory = wr_store_add_shared_memory(t->store, g->shared);
    assert_non_null(t->memory);
}

static void guest_free(struct guest *t)
{
    wr_exec_delete(t->exec);
    wr_store_delete(t->store);
}

static void guests_init(struct guests *g, struct world *w)
{
    struct wasm c = {0};
    g->w = w;
    write_guest(&c);
    g->module = world_module(w, &c);
    assert_int_equal(wr_shared_memory_new(w->engine, 1, MAX_PAGES, &g->shared, &w->err), WR_OK);
    assert_int_equal(wr_linker_define_shared_memory(w->linker, world_name("env"),
                                                    world_name("memory"), g->shared, &w->err),
                     WR_OK);
    for (u32 i = 0; i < THREADS; i++) guest_init(g, &g->of[i]);
}

static void guests_free(struct guests *g)
{
    for (u32 i = 0; i < THREADS; i++) guest_free(&g->of[i]);
    wr_shared_memory_delete(g->shared);
}

/* No assertions on other threads than the test's: cmocka's jump. */

static wr_status_t finish(struct guest *t)
{
    wr_error_t err;
    do t->status = wr_exec_run(t->exec, &err);
    while (t->status == WR_YIELD);
    wr_val_t value = {0};
    if (t->status == WR_OK && wr_exec_results(t->exec, &value, 1) == WR_OK)
        t->result = value.of.i32;
    return t->status;
}

static void begin(struct guest *t, const char *name, struct world_values args)
{
    wr_error_t err;
    wr_func_t *f = world_func(t->in, name);
    world_typed(f, args, t->args);
    assert_int_equal(wr_exec_start(t->exec, f, t->args, args.count, &err), WR_OK);
}

static u32 call(struct guest *t, const char *name, struct world_values args)
{
    begin(t, name, args);
    assert_int_equal(finish(t), WR_OK);
    return t->result;
}

static void *run(void *arg)
{
    (void)finish(arg);
    return NULL;
}

static void go(struct guest *t, const char *name, struct world_values args)
{
    begin(t, name, args);
    assert_int_equal(pthread_create(&t->thread, NULL, run, t), 0);
}

static wr_status_t join(struct guest *t)
{
    assert_int_equal(pthread_join(t->thread, NULL), 0);
    return t->status;
}

static void all(struct guests *g, const char *name, struct world_values args)
{
    for (u32 i = 0; i < THREADS; i++) go(&g->of[i], name, args);
    for (u32 i = 0; i < THREADS; i++) assert_int_equal(join(&g->of[i]), WR_OK);
}

static u64 peek(const struct guests *g, u64 addr)
{
    u64 value = 0;
    assert_true(wr_memory_read(g->of[0].memory, addr, &value, sizeof value));
    return value;
}

/** Interrupts an exec again and again, until its run has ended. */
struct pest {
    wr_exec_t *exec;
    atomic_bool stop;
    pthread_t thread;
};

static void *pester(void *arg)
{
    struct pest *p = arg;
    while (!atomic_load(&p->stop)) {
        wr_exec_interrupt(p->exec);
        nap_ms(1);
    }
    return NULL;
}

/** Runs what has begun until it yields, or ends. */
static wr_status_t run_interrupted(struct guest *t)
{
    wr_error_t err;
    struct pest p = {.exec = t->exec};
    assert_int_equal(pthread_create(&p.thread, NULL, pester, &p), 0);
    wr_status_t s = wr_exec_run(t->exec, &err);
    atomic_store(&p.stop, true);
    assert_int_equal(pthread_join(p.thread, NULL), 0);
    return s;
}

/** Queues it, on this thread: it yields while it waits. */
static void queue(struct guest *t, struct world_values args)
{
    begin(t, "wait32", args);
    /* the interrupt may come before the wait */
    for (u32 i = 0; i < 3; i++) assert_int_equal(run_interrupted(t), WR_YIELD);
}

#define FOREVER ((u64) - 1)

/* ---------------------------------------------------------------- counting */

static void counters_are_exact(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    all(&g, "count", ARGS(COUNTS));
    assert_int_equal((u32)peek(&g, COUNTER), THREADS * COUNTS);
    assert_int_equal(peek(&g, WIDE), THREADS * COUNTS);
    assert_int_equal((u32)peek(&g, NARROW), (u8)(THREADS * COUNTS));
    guests_free(&g);
}

static void mutex_excludes(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    all(&g, "count_locked", ARGS(LOCKS));
    assert_int_equal((u32)peek(&g, GUARDED), THREADS * LOCKS);
    assert_int_equal((u32)peek(&g, MUTEX), 0);
    guests_free(&g);
}

/** Bulk operations neither race nor tear aligned words. */
static void bulk_operations_leave_words_whole(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    go(&g.of[0], "fill", ARGS(COUNTS / 50));
    go(&g.of[1], "torn", ARGS(COUNTS));
    go(&g.of[2], "torn", ARGS(COUNTS));
    for (u32 i = 0; i < COUNTS / 50; i++) { /* host copies at the same time */
        u64 word;
        assert_true(wr_memory_read(g.of[3].memory, BLOCK_AT + 8 * (i % 512), &word, sizeof word));
        assert_true(word == 0 || word == UINT64_MAX);
    }
    for (u32 i = 0; i < 3; i++) assert_int_equal(join(&g.of[i]), WR_OK);
    assert_int_equal(g.of[1].result, 0);
    assert_int_equal(g.of[2].result, 0);
    guests_free(&g);
}

/* ---------------------------------------------------------------- waiting */

static void wait_answers(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    struct guest *t = &g.of[0];
    assert_int_equal(call(t, "wait32", ARGS(QUEUE, 1, FOREVER)), 1);
    assert_int_equal(call(t, "wait64", ARGS(QUEUE, 1ull << 32, FOREVER)), 1);
    assert_int_equal(call(t, "wait32", ARGS(QUEUE, 0, 0)), 2);
    u64 start = now_ms();
    assert_int_equal(call(t, "wait64", ARGS(QUEUE, 0, 30000000)), 2);
    assert_true(now_ms() - start >= 29);
    assert_int_equal(call(t, "notify", ARGS(QUEUE, UINT32_MAX)), 0); /* it is gone */
    guests_free(&g);
}

/** Notifies until `count` have been woken. */
static void wake(struct guest *t, u32 count)
{
    for (u32 woken = 0; woken < count; nap_ms(1)) {
        u32 n = call(t, "notify", ARGS(QUEUE, count - woken));
        assert_true(n <= count - woken);
        woken += n;
    }
}

static void notify_wakes_waiting_threads(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    go(&g.of[1], "wait32", ARGS(QUEUE, 0, FOREVER));
    go(&g.of[2], "wait64", ARGS(QUEUE, 0, INT64_MAX)); /* so far away that it is never */
    go(&g.of[3], "wait32", ARGS(QUEUE, 0, INT64_MAX - 1));
    assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE + 8, UINT32_MAX)), 0);
    wake(&g.of[0], 3);
    for (u32 i = 1; i < THREADS; i++) {
        assert_int_equal(join(&g.of[i]), WR_OK);
        assert_int_equal(g.of[i].result, 0);
    }
    guests_free(&g);
}

static void cancel_ends_a_wait(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    for (u32 i = 0; i < ROUNDS; i++) {
        go(&g.of[1], "wait32", ARGS(QUEUE, 0, i % 2 ? FOREVER : INT64_MAX));
        nap_ms(i % 3); /* before it waits, or while it does */
        wr_exec_cancel(g.of[1].exec);
        assert_int_equal(join(&g.of[1]), WR_CANCELLED);
        assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 1)), 0);
    }
    guests_free(&g);
}

static wr_exec_t *volatile to_cancel;
static void on_signal(int sig)
{
    (void)sig;
    wr_exec_cancel(to_cancel);
}

/** Which interrupts the very thread that waits. */
static void cancel_in_a_signal_handler_ends_a_wait(struct world *w)
{
    struct guests g;
    struct sigaction action = {.sa_handler = on_signal}, before;
    guests_init(&g, w);
    to_cancel = g.of[1].exec;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    go(&g.of[1], "wait32", ARGS(QUEUE, 0, FOREVER));
    nap_ms(2);
    assert_int_equal(pthread_kill(g.of[1].thread, SIGUSR1), 0);
    assert_int_equal(join(&g.of[1]), WR_CANCELLED);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    guests_free(&g);
}

static void yield_leaves_the_wait_in_progress(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    queue(&g.of[1], ARGS(QUEUE, 0, FOREVER));
    u32 other = 7; /* the comparison is not made again */
    assert_true(wr_memory_write(g.of[0].memory, QUEUE, &other, sizeof other));
    assert_int_equal(run_interrupted(&g.of[1]), WR_YIELD);
    assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 5)), 1);
    assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 5)), 0);
    assert_int_equal(finish(&g.of[1]), WR_OK);
    assert_int_equal(g.of[1].result, 0);
    guests_free(&g);
}

static void yield_keeps_the_deadline(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    struct guest *t = &g.of[1];
    queue(t, ARGS(QUEUE, 0, 500000000)); /* one yield alone may come before the wait */
    nap_ms(510);
    /* time is up: it does not wait any more, and has nothing to yield in */
    assert_int_equal(run_interrupted(t), WR_OK);
    guests_free(&g);
}

static void epochs_end_a_slice_in_a_wait(struct world *w)
{
    struct guests g;
    wr_error_t err;
    guests_init(&g, w);
    struct guest *t = &g.of[1];
    wr_exec_set_epochs(t->exec, 1);
    go(t, "wait32", ARGS(QUEUE, 0, FOREVER)); /* which runs again after each yield */
    for (u32 i = 0; i < 10; i++) {
        wr_engine_tick(w->engine);
        nap_ms(1);
    }
    wake(&g.of[0], 1);
    assert_int_equal(join(t), WR_OK);
    assert_int_equal(t->result, 0);
    begin(t, "wait32", ARGS(QUEUE, 0, FOREVER));
    struct pest p = {.exec = g.of[0].exec}; /* somebody else's interrupts do nothing */
    assert_int_equal(pthread_create(&p.thread, NULL, pester, &p), 0);
    wr_exec_cancel(t->exec);
    assert_int_equal(wr_exec_run(t->exec, &err), WR_CANCELLED);
    atomic_store(&p.stop, true);
    assert_int_equal(pthread_join(p.thread, NULL), 0);
    guests_free(&g);
}

static void notify_wakes_the_longest_waiting_first(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    for (u32 i = 1; i < THREADS; i++) queue(&g.of[i], ARGS(QUEUE, 0, FOREVER));
    for (u32 i = 1; i < THREADS; i++) {
        assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 0)), 0);
        assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 1)), 1);
        for (u32 k = i + 1; k < THREADS; k++) assert_int_equal(run_interrupted(&g.of[k]), WR_YIELD);
        assert_int_equal(finish(&g.of[i]), WR_OK);
    }
    guests_free(&g);
}

static void whoever_goes_away_leaves_the_queue(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    for (u32 i = 1; i < THREADS; i++) queue(&g.of[i], ARGS(QUEUE, 0, FOREVER));
    wr_exec_cancel(g.of[2].exec); /* the middle one */
    assert_int_equal(finish(&g.of[2]), WR_CANCELLED);
    wr_exec_delete(g.of[1].exec);
    g.of[1].exec = NULL;
    wr_store_delete(g.of[3].store); /* an exec may outlive its store */
    g.of[3].store = NULL;
    assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 1)), 1);
    wr_exec_delete(g.of[3].exec);
    g.of[3].exec = NULL;
    assert_int_equal(call(&g.of[0], "notify", ARGS(QUEUE, 1)), 0);
    guests_free(&g);
}

/** Writes a module with an unshared memory. */
static wr_instance_t *unshared(struct world *w)
{
    struct wasm c = {0};
    wasm_memory(&c, 1, 1, NULL);
    wasm_func(&c, "iiI:i", "wait32", "", CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), WAIT32(0)));
    wasm_func(&c, "ii:i", "notify", "", CODE(LOCAL_GET(0), LOCAL_GET(1), NOTIFY(0)));
    wasm_func(&c, "ii:i", "add", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_RMW_ADD(4)));
    return world_instance(w, &c);
}

static void traps_are_the_specs(struct world *w)
{
    wr_instance_t *in = unshared(w);
    world_traps(w, in, "wait32", ARGS(0, 0, 0), "expected shared memory");
    world_traps(w, in, "wait32", ARGS(PAGE, 0, 0), "expected shared memory");
    world_traps(w, in, "wait32", ARGS(2, 0, 0), "unaligned atomic");
    world_traps(w, in, "notify", ARGS(1, 0), "unaligned atomic");
    world_traps(w, in, "notify", ARGS(PAGE, 0), "out of bounds memory access");
    assert_int_equal(world_one(w, in, "notify", ARGS(0, 9)), 0);
    world_traps(w, in, "add", ARGS(PAGE - 4, 1), "out of bounds memory access");
    world_traps(w, in, "add", ARGS(UINT32_MAX - 3, 1), "out of bounds memory access");
    world_traps(w, in, "add", ARGS(PAGE - 6, 1), "unaligned atomic");
    assert_int_equal(world_one(w, in, "add", ARGS(PAGE - 8, 5)), 0);
    assert_int_equal(world_one(w, in, "add", ARGS(PAGE - 8, 5)), 5);
}

/* ---------------------------------------------------------------- growth */

static void growth_is_seen_by_all(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    for (u32 i = 1; i < THREADS; i++) go(&g.of[i], "size_after_flag", ARGS(4 * PAGE - 4));
    assert_int_equal(call(&g.of[0], "grow", ARGS(3)), 1);
    (void)call(&g.of[0], "set_flag", ARGS(1));
    for (u32 i = 1; i < THREADS; i++) {
        assert_int_equal(join(&g.of[i]), WR_OK);
        assert_int_equal(g.of[i].result, 4);
    }
    guests_free(&g);
}

static void *grow_often(void *arg)
{
    struct guest *t = arg;
    u64 before = 0;
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 old = wr_memory_grow(t->memory, 1);
        bool good = old != UINT64_MAX && old >= before && wr_memory_size(t->memory) > old * PAGE;
        if (!good) t->result++;
        wr_memory_data(t->memory)[old * PAGE] = 1; /* nobody else's page */
        before = old;
    }
    return NULL;
}

static void growth_by_many_adds_up(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    for (u32 i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&g.of[i].thread, NULL, grow_often, &g.of[i]), 0);
    for (u32 i = 0; i < THREADS; i++) {
        (void)join(&g.of[i]);
        assert_int_equal(g.of[i].result, 0);
    }
    assert_int_equal(wr_memory_size(g.of[0].memory), (1 + THREADS * ROUNDS) * PAGE);
    for (u32 i = 1; i <= THREADS * ROUNDS; i++)
        assert_int_equal(wr_memory_data(g.of[0].memory)[i * PAGE], 1);
    guests_free(&g);
}

/* ---------------------------------------------------------------- looking inside */

/** Grown bytes of a dump. */
static void keep(void *ctx, const char *text, size_t size) { wasm_put(ctx, text, size); }

/** A dump while others write and grow: whatever it caught, it is a module. */
static void coredumps_are_whole(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    begin(&g.of[0], "wait32", ARGS(QUEUE, 0, FOREVER));
    assert_int_equal(run_interrupted(&g.of[0]), WR_YIELD);
    go(&g.of[1], "fill", ARGS(COUNTS / 50));
    assert_int_equal(pthread_create(&g.of[2].thread, NULL, grow_often, &g.of[2]), 0);
    for (u32 i = 0; i < 5; i++) {
        struct wasm_bytes dump = {0};
        wr_module_t *module = NULL;
        assert_int_equal(wr_exec_coredump(g.of[0].exec, "guest", keep, &dump, &w->err), WR_OK);
        assert_int_equal(wr_module_new(w->engine, dump.data, dump.size, &module, &w->err), WR_OK);
        wr_module_delete(module);
        free(dump.data);
    }
    assert_int_equal(join(&g.of[1]), WR_OK);
    (void)join(&g.of[2]);
    guests_free(&g);
}

static void explored_text(struct world *w)
{
    static const char *const wanted[] = {"i32.atomic.rmw.cmpxchg", "i32_atomic_rmw_cmpxchg_sss",
                                         "i32_atomic_store_sc",    "memory.atomic.wait32",
                                         "atomic_wait32",          "atomic_notify"};
    struct wasm_bytes text = {0};
    struct wasm c = {0};
    write_guest(&c);
    wr_module_t *module = world_module(w, &c);
    assert_int_equal(wr_module_explore(module, "count_locked", keep, &text, &w->err), WR_OK);
    wasm_put_u8(&text, 0);
    for (u32 i = 0; i < VM_COUNT(wanted); i++)
        if (!strstr((const char *)text.data, wanted[i]))
            fail_msg("%s not in\n%s", wanted[i], (const char *)text.data);
    assert_null(strstr((const char *)text.data, "no known instruction"));
    free(text.data);
}

/* ---------------------------------------------------------------- life and death */

struct crowd {
    struct guests *g;
    atomic_uint failures;
};

/** Stores come and go, each translating, counting, and leaving. */
static void *come_and_go(void *arg)
{
    struct crowd *c = arg;
    wr_extern_t e;
    for (u32 i = 0; i < ROUNDS; i++) {
        wr_store_t *store = NULL;
        wr_instance_t *in = NULL;
        wr_val_t n = {.kind = WR_I32, .of.i32 = 10};
        bool good =
            wr_store_new(c->g->w->engine, &c->g->w->config, &store, NULL) == WR_OK &&
            wr_linker_instantiate(c->g->w->linker, store, c->g->module, NULL, &in, NULL) == WR_OK &&
            wr_instance_export(in, world_name(i % 2 ? "count" : "count_locked"), &e) &&
            wr_call(store, e.of.func, &n, 1, NULL, 0, NULL) == WR_OK;
        if (!good) atomic_fetch_add(&c->failures, 1);
        wr_store_delete(store);
    }
    return NULL;
}

static void instances_come_and_go(struct world *w)
{
    struct guests g;
    guests_init(&g, w);
    struct crowd c = {.g = &g};
    pthread_t threads[THREADS];
    for (u32 i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &c), 0);
    for (u32 i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&c.failures), 0);
    u32 counted = THREADS * (ROUNDS / 2), locked = THREADS * (ROUNDS - ROUNDS / 2);
    assert_int_equal((u32)peek(&g, COUNTER), 10 * counted);
    assert_int_equal((u32)peek(&g, GUARDED), 10 * locked);
    guests_free(&g);
}

/** Each thread is the last to use the memory, or not: nobody knows. */
struct heir {
    wr_store_t *store;
    wr_shared_memory_t *shared;
    pthread_t thread;
};

static void *use_and_leave(void *arg)
{
    struct heir *h = arg;
    wr_memory_t *m = wr_store_add_shared_memory(h->store, h->shared);
    u32 value = 1;
    if (m) (void)wr_memory_write(m, 0, &value, sizeof value);
    if (m) wr_shared_memory_delete(wr_memory_shared(m));
    wr_shared_memory_delete(h->shared);
    wr_store_delete(h->store);
    return NULL;
}

static atomic_size_t live_bytes;

static void *counting(void *ctx, void *p, size_t old_bytes, size_t new_bytes)
{
    void *q = NULL;
    (void)ctx;
    if (new_bytes == 0)
        free(p);
    else if ((q = realloc(p, new_bytes)) == NULL)
        return NULL;
    atomic_fetch_add(&live_bytes, new_bytes - old_bytes);
    return q;
}

static void test_the_last_thread_frees_the_memory(void **state)
{
    (void)state;
    wr_allocator_t allocator = {.realloc = counting};
    wr_engine_t *engine = wr_engine_new(&allocator);
    size_t before = atomic_load(&live_bytes);
    for (u32 round = 0; round < ROUNDS; round++) {
        struct heir heirs[THREADS];
        wr_shared_memory_t *shared = NULL;
        assert_int_equal(wr_shared_memory_new(engine, 1, 1, &shared, NULL), WR_OK);
        for (u32 i = 0; i < THREADS; i++) {
            assert_int_equal(wr_store_new(engine, NULL, &heirs[i].store, NULL), WR_OK);
            heirs[i].shared = wr_shared_memory_clone(shared);
        }
        for (u32 i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&heirs[i].thread, NULL, use_and_leave, &heirs[i]), 0);
        wr_shared_memory_delete(shared);
        for (u32 i = 0; i < THREADS; i++) assert_int_equal(pthread_join(heirs[i].thread, NULL), 0);
        assert_int_equal(atomic_load(&live_bytes), before);
    }
    wr_engine_delete(engine);
}

#define EACH(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        world_each(name);                                                                          \
    }
#define EACH_TEST(X)                                                                               \
    X(counters_are_exact)                                                                          \
    X(mutex_excludes)                                                                              \
    X(bulk_operations_leave_words_whole)                                                           \
    X(wait_answers)                                                                                \
    X(notify_wakes_waiting_threads)                                                                \
    X(cancel_ends_a_wait)                                                                          \
    X(cancel_in_a_signal_handler_ends_a_wait)                                                      \
    X(yield_leaves_the_wait_in_progress)                                                           \
    X(yield_keeps_the_deadline)                                                                    \
    X(epochs_end_a_slice_in_a_wait)                                                                \
    X(notify_wakes_the_longest_waiting_first)                                                      \
    X(whoever_goes_away_leaves_the_queue)                                                          \
    X(traps_are_the_specs)                                                                         \
    X(growth_is_seen_by_all)                                                                       \
    X(growth_by_many_adds_up)                                                                      \
    X(coredumps_are_whole)                                                                         \
    X(explored_text)                                                                               \
    X(instances_come_and_go)
EACH_TEST(EACH)

int main(void)
{
#define ENTRY(name) cmocka_unit_test(test_##name),
    const struct CMUnitTest tests[] = {EACH_TEST(ENTRY)
                                           cmocka_unit_test(test_the_last_thread_frees_the_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
