/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images where the system gets in the way: threads that instantiate one module at the same time,
 * descriptors and file sizes that are refused, allocations that fail.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module_builder.h"
#include "tests/image_data.h"
#include "tests/world.h"

/* -------- threads: one module, one linker, a store each */

enum { THREADS = 4 };

struct shared {
    wr_engine_t *engine;
    wr_linker_t *linker;
    wr_module_t *module;
    const wr_store_config_t *config;
    u32 rounds; /* of each thread */
    pthread_barrier_t start;
};

static wr_status_t host_add(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)env;
    slots[0].i32 += 1;
    return WR_OK;
}

static u32 c_twice(u32 a) { return 2 * a; }

/** What a thread found wrong, or NULL. */
static const char *one_instance(const struct shared *s, u32 seed)
{
    wr_store_t *store = NULL;
    wr_instance_t *in = NULL;
    wr_extern_t e, f;
    const char *problem = NULL;
    if (wr_store_new(s->engine, s->config, &store, NULL) != WR_OK) return "store";
    if (wr_linker_instantiate(s->linker, store, s->module, NULL, &in, NULL) != WR_OK ||
        !wr_instance_export(in, world_name("memory"), &e) ||
        !wr_instance_export(in, world_name("sum"), &f)) {
        wr_store_delete(store);
        return "instance";
    }
    u8 want[BIG], *p = wr_memory_data(e.of.memory) + 10;
    fill(want, BIG, 1);
    if (memcmp(p, want, BIG) != 0) problem = "somebody else's bytes";
    wr_val_t arg = {.kind = WR_I32, .of.i32 = 1000}, sum = {.kind = WR_I32};
    u32 sum_want = 0;
    for (u32 i = 1; i <= 1000; i++) sum_want += i < 10 ? 0u : want[i - 10];
    if (wr_call(store, f.of.func, &arg, 1, &sum, 1, NULL) != WR_OK ||
        sum.of.i32 != 2 * (sum_want + 1))
        problem = "a wrong sum";
    memset(p, (int)seed, BIG);
    wr_store_delete(store);
    return problem;
}

static void *instantiate_often(void *arg)
{
    struct shared *s = arg;
    const char *problem = NULL;
    (void)pthread_barrier_wait(&s->start);
    for (u32 i = 0; i < s->rounds && !problem; i++) problem = one_instance(s, i);
    return (void *)(uintptr_t)problem;
}

static void many_threads(struct world *w)
{
    u32 modules = rounds_of(5);
    for (u32 i = 0; i < modules; i++) { /* each with a new module: no image, no code yet */
        struct wasm m = {0};
        u32 add = wasm_import_func(&m, "h", "add", "i:i");
        u32 twice = wasm_import_func(&m, "h", "twice", "i:i");
        wasm_memory(&m, 2, 2, "memory");
        /* sum of the bytes 1 … n, then the host's one more, then twice that */
        u32 sum = wasm_func(&m, "i:i", "sum", "i",
                            CODE(LOOP(VOID), LOCAL_GET(0), I32_LOAD8_U(0), LOCAL_GET(1), I32_ADD,
                                 LOCAL_SET(1), LOCAL_GET(0), I32(1), I32_SUB, LOCAL_TEE(0),
                                 BR_IF(0), END, LOCAL_GET(1), CALL((u8)add), CALL((u8)twice)));
        wasm_table(&m, 'r', 1, 1, NULL);
        wasm_elem(&m, 0, 0, &sum, 1);
        big_data(&m, 0, 10, BIG, 1);
        struct shared s = {.engine = w->engine,
                           .linker = w->linker,
                           .module = world_module(w, &m),
                           .config = &w->config,
                           .rounds = rounds_of(10)};
        assert_int_equal(
            wr_linker_define_raw(w->linker, "h", "add", "i:i", host_add, NULL, &w->err), WR_OK);
        assert_int_equal(
            wr_linker_define_c(w->linker, "h", "twice", "(i)i", (wr_c_fn)c_twice, &w->err), WR_OK);
        pthread_t threads[THREADS];
        assert_int_equal(pthread_barrier_init(&s.start, NULL, THREADS), 0);
        for (u32 k = 0; k < THREADS; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, instantiate_often, &s), 0);
        for (u32 k = 0; k < THREADS; k++) {
            void *problem = NULL;
            assert_int_equal(pthread_join(threads[k], &problem), 0);
            if (problem) print_error("%s\n", (const char *)problem);
            assert_null(problem);
        }
        (void)pthread_barrier_destroy(&s.start);
    }
}
static void test_threads_share_one_module(void **state)
{
    (void)state;
    world_each(many_threads);
}

/* -------- systems that refuse: in children, where cmocka may not be used */

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%d: %s\n", __LINE__, #x), _exit(1)))

static void check_contents(void (*refuse)(void))
{
    static u8 want[BIG];
    struct wasm m = {0};
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module;
    wr_linker_t *linker;
    wr_store_t *store;
    fill(want, BIG, 1);
    wasm_memory(&m, 2, 2, "memory");
    wasm_data(&m, 0, 0, (const char *)want, BIG);
    struct wasm_bytes b = wasm_finish(&m);
    CHECK(wr_module_new(engine, b.data, b.size, &module, NULL) == WR_OK);
    CHECK(wr_linker_new(engine, &linker, NULL) == WR_OK);
    CHECK(wr_store_new(engine, NULL, &store, NULL) == WR_OK);
    refuse();
    for (u32 i = 0; i < 3; i++) {
        wr_instance_t *in;
        wr_extern_t e;
        CHECK(wr_linker_instantiate(linker, store, module, NULL, &in, NULL) == WR_OK);
        CHECK(wr_instance_export(in, world_name("memory"), &e));
        CHECK(memcmp(wr_memory_data(e.of.memory), want, BIG) == 0);
        memset(wr_memory_data(e.of.memory), 0, BIG);
    }
    free(b.data);
    wr_store_delete(store);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
}

static void no_files(void)
{
    const struct rlimit none = {0};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
}
static void no_file_bytes(void)
{
    const struct rlimit few = {.rlim_cur = 1000, .rlim_max = 1000};
    CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
}

static void little_address_space(void)
{
    const struct rlimit gib = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = (rlim_t)1 << 30};
    CHECK(setrlimit(RLIMIT_AS, &gib) == 0);
}

static int in_child(void (*refuse)(void))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        check_contents(refuse);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_no_descriptors_means_copying(void **state)
{
    (void)state;
    assert_int_equal(in_child(no_files), 0);
}
static void test_file_size_limit_means_copying(void **state)
{
    (void)state;
    assert_int_equal(in_child(no_file_bytes), 0); /* SIGXFSZ would kill */
}

static void test_little_address_space_changes_nothing(void **state)
{
    (void)state;
    if (VM_SANITIZED) skip(); /* its shadow needs more */
    assert_int_equal(in_child(little_address_space), 0);
}

/* -------- failing allocations */

static wr_status_t round_once(const wr_store_config_t *config, const struct wasm_bytes *code,
                              struct counter *n)
{
    wr_allocator_t alloc = {.realloc = counting_realloc, .ctx = n};
    wr_engine_t *engine = wr_engine_new(&alloc);
    wr_module_t *module = NULL;
    wr_linker_t *linker = NULL;
    wr_store_t *store = NULL;
    wr_instance_t *in;
    wr_status_t s = engine ? wr_module_new(engine, code->data, code->size, &module, NULL) : WR_OOM;
    if (s == WR_OK) s = wr_linker_new(engine, &linker, NULL);
    if (s == WR_OK) s = wr_store_new(engine, config, &store, NULL);
    for (u32 i = 0; s == WR_OK && i < 3; i++)
        s = wr_linker_instantiate(linker, store, module, NULL, &in, NULL);
    wr_store_delete(store);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return s;
}

static void test_failing_allocations_leak_nothing(void **state)
{
    (void)state;
    struct wasm m = {0};
    u32 before = open_files();
    /* hundreds of reservations */
    wr_store_config_t config = {.memory_mode =
                                    rounds_of(5) < 5 ? WR_MEMORY_EXPLICIT : WR_MEMORY_AUTO};
    wasm_memory(&m, 2, 2, "memory");
    wasm_table(&m, 'r', 1, 1, NULL);
    u32 f = wasm_func(&m, "i:i", "f", "", CODE(LOCAL_GET(0)));
    wasm_elem(&m, 0, 0, &f, 1);
    big_data(&m, 0, 0, BIG, 1);
    struct wasm_bytes code = wasm_finish(&m);
    struct counter whole = {0};
    assert_int_equal(round_once(&config, &code, &whole), WR_OK);
    assert_int_equal(whole.live, 0);
    for (u32 i = 1; i <= whole.calls; i++) {
        struct counter n = {.fail_at = i};
        wr_status_t s = round_once(&config, &code, &n);
        assert_true(s == WR_OOM || s == WR_OK);
        assert_int_equal(n.live, 0);
        assert_int_equal(open_files(), before);
    }
    free(code.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_share_one_module),
        cmocka_unit_test(test_no_descriptors_means_copying),
        cmocka_unit_test(test_file_size_limit_means_copying),
        cmocka_unit_test(test_little_address_space_changes_nothing),
        cmocka_unit_test(test_failing_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
