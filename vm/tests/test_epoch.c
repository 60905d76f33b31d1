/* SPDX-License-Identifier: Apache-2.0 */
/* Time slices by the engine's epoch clock. */
#include "wasmrun.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

/* (func (export "f") (loop (br 0)))  (func (export "g") a loop of 3,000,000 turns) */
static const unsigned char wasm[] = {
    0, 'a',  's', 'm',  1,    0,    0,    0,    1,    4,    1, 0x60, 0,    0,    3,    3,
    2, 0,    0,   7,    9,    2,    1,    'f',  0,    0,    1, 'g',  0,    1,    10,   32,
    2, 7,    0,   0x03, 0x40, 0x0c, 0,    0x0b, 0x0b, 22,   1, 1,    0x7f, 0x03, 0x40, 0x20,
    0, 0x41, 1,   0x6a, 0x22, 0,    0x41, 0xc0, 0x8d, 0xb7, 1, 0x48, 0x0d, 0,    0x0b, 0x0b};

struct world {
    wr_engine_t *engine;
    wr_module_t *module;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_instance_t *instance;
    pthread_t ticker;
    atomic_bool stop;
};

static void *tick(void *arg)
{
    struct world *w = arg;
    while (!atomic_load(&w->stop)) wr_engine_tick(w->engine);
    return NULL;
}

static void world_init(struct world *w)
{
    w->engine = wr_engine_new(NULL);
    assert_non_null(w->engine);
    assert_int_equal(wr_module_new(w->engine, wasm, sizeof wasm, &w->module, NULL), WR_OK);
    assert_int_equal(wr_linker_new(w->engine, &w->linker, NULL), WR_OK);
    assert_int_equal(wr_store_new(w->engine, NULL, &w->store, NULL), WR_OK);
    assert_int_equal(
        wr_linker_instantiate(w->linker, w->store, w->module, NULL, &w->instance, NULL), WR_OK);
    atomic_init(&w->stop, false);
    assert_int_equal(pthread_create(&w->ticker, NULL, tick, w), 0);
}

static void world_fini(struct world *w)
{
    atomic_store(&w->stop, true);
    assert_int_equal(pthread_join(w->ticker, NULL), 0);
    wr_store_delete(w->store);
    wr_linker_delete(w->linker);
    wr_module_delete(w->module);
    wr_engine_delete(w->engine);
}

static wr_exec_t *start(struct world *w, const char *name, uint32_t ticks)
{
    wr_extern_t item;
    wr_exec_t *exec = NULL;
    assert_true(wr_instance_export(w->instance, (wr_name_t){name, 1}, &item));
    assert_int_equal(wr_exec_new(w->store, &exec, NULL), WR_OK);
    wr_exec_set_epochs(exec, ticks);
    assert_int_equal(wr_exec_start(exec, item.of.func, NULL, 0, NULL), WR_OK);
    return exec;
}

static void test_an_endless_guest_yields_at_each_slice(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    wr_exec_t *a = start(&w, "f", 1), *b = start(&w, "f", 3);
    for (int i = 0; i < 200; i++) { /* two guests by turns */
        assert_int_equal(wr_exec_run(a, NULL), WR_YIELD);
        assert_int_equal(wr_exec_run(b, NULL), WR_YIELD);
    }
    wr_exec_cancel(a);
    assert_int_equal(wr_exec_run(a, NULL), WR_CANCELLED);
    wr_exec_delete(a);
    wr_exec_delete(b);
    world_fini(&w);
}

static void test_a_guest_without_slices_is_left_alone(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    wr_exec_t *exec = start(&w, "g", 0);
    assert_int_equal(wr_exec_run(exec, NULL), WR_OK);
    wr_exec_delete(exec);
    world_fini(&w);
}

static void test_a_sliced_guest_ends(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    int slices = 0;
    for (int i = 0; slices == 0 && i < 1000; i++) { /* a busy machine may let the clock stand */
        wr_exec_t *exec = start(&w, "g", 1);
        wr_status_t s;
        while ((s = wr_exec_run(exec, NULL)) == WR_YIELD) slices++;
        assert_int_equal(s, WR_OK);
        wr_exec_delete(exec);
    }
    assert_true(slices > 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_endless_guest_yields_at_each_slice),
        cmocka_unit_test(test_a_guest_without_slices_is_left_alone),
        cmocka_unit_test(test_a_sliced_guest_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
