/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_task.c - loops and tasks through their API alone: a guest that is pending in a host function
 * of the embedder's, ended, stopped, left over.
 */
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

/* cmocka wants the four above first. */
#include <cmocka.h>

/* (import "e" "f" (func)) (func (export "s") call 0) */
static const unsigned char module_bytes[] = {
    0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1,   0x60, 0, 0,    2, 7, 1, 1, 'e',  1, 'f',
    0, 0,   3,   2,   1, 0, 7, 5, 1, 1, 's', 0,    1, 0x0a, 6, 1, 4, 0, 0x10, 0, 0x0b};

struct world {
    wr_engine_t *engine;
    wr_module_t *module;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_wasi_t *wasi;
    wr_loop_t *loop;
    wr_task_t *task;
    int ends;
    wr_status_t status; /* of the last end */
};

static wr_status_t pend(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_PENDING;
}

static void on_done(wr_task_t *task, wr_status_t status, const wr_error_t *err, void *env)
{
    struct world *w = env;
    (void)err;
    assert_ptr_equal(task, w->task);
    w->ends++;
    w->status = status;
}

static void spawn(struct world *w)
{
    wr_instance_t *instance;
    wr_extern_t start;
    const wr_task_config_t config = {w->exec, w->wasi, on_done, w};
    assert_int_equal(
        wr_linker_instantiate(w->linker, w->store, w->module, w->exec, &instance, NULL), WR_OK);
    assert_true(wr_instance_export(instance, (wr_name_t){"s", 1}, &start));
    assert_int_equal(wr_exec_start(w->exec, start.of.func, NULL, 0, NULL), WR_OK);
    assert_int_equal(wr_loop_spawn(w->loop, &config, &w->task, NULL), WR_OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->engine = wr_engine_new(NULL);
    assert_int_equal(wr_module_new(w->engine, module_bytes, sizeof module_bytes, &w->module, NULL),
                     WR_OK);
    assert_int_equal(wr_linker_new(w->engine, &w->linker, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(w->linker, "e", "f", ":", pend, NULL, NULL), WR_OK);
    assert_int_equal(wr_store_new(w->engine, NULL, &w->store, NULL), WR_OK);
    assert_int_equal(wr_exec_new(w->store, &w->exec, NULL), WR_OK);
    assert_int_equal(wr_wasi_new(&w->wasi, NULL), WR_OK);
    assert_int_equal(wr_loop_new(NULL, &w->loop, NULL), WR_OK);
    spawn(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    wr_loop_delete(w->loop);
    wr_exec_delete(w->exec);
    wr_store_delete(w->store);
    wr_linker_delete(w->linker);
    wr_wasi_delete(w->wasi);
    wr_module_delete(w->module);
    wr_engine_delete(w->engine);
    free(w);
    return 0;
}

/* Runs `later` on another thread 20 ms from now, and the loop meanwhile. */
static void run_with(struct world *w, void *(*later)(void *))
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, later, w), 0);
    wr_loop_run(w->loop);
    pthread_join(thread, NULL);
}

static void *complete(void *arg)
{
    struct world *w = arg;
    usleep(20000);
    assert_int_equal(wr_exec_complete(w->exec, WR_OK, NULL, 0, 0), WR_OK);
    wr_task_ready(w->task);
    return NULL;
}

static void *end_by_kill(void *arg)
{
    usleep(20000);
    wr_task_kill(((struct world *)arg)->task);
    return NULL;
}

static void *end_after_grace(void *arg)
{
    usleep(20000);
    wr_task_stop(((struct world *)arg)->task, 30000000);
    return NULL;
}

static void *halt(void *arg)
{
    usleep(20000);
    wr_loop_stop(((struct world *)arg)->loop);
    return NULL;
}

static void test_a_host_function_answers_from_another_thread(void **state)
{
    struct world *w = *state;
    run_with(w, complete);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->status, WR_OK);
    wr_loop_run(w->loop); /* nothing is left */
}

static void test_kill_reaches_a_host_function(void **state)
{
    struct world *w = *state;
    run_with(w, end_by_kill);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->status, WR_CANCELLED);
}

static void test_stop_kills_after_the_grace(void **state)
{
    struct world *w = *state;
    run_with(w, end_after_grace);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->status, WR_CANCELLED);
}

static void test_a_halted_loop_can_be_run_again(void **state)
{
    struct world *w = *state;
    run_with(w, halt);
    assert_int_equal(w->ends, 0);
    run_with(w, complete);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->status, WR_OK);
}

static void test_an_exec_can_be_used_again_for_a_second_task(void **state)
{
    struct world *w = *state;
    run_with(w, end_by_kill);
    spawn(w);
    run_with(w, complete);
    assert_int_equal(w->ends, 2);
    assert_int_equal(w->status, WR_OK);
}

static void test_deleting_a_loop_ends_its_tasks(void **state)
{
    struct world *w = *state;
    wr_loop_delete(w->loop);
    w->loop = NULL;
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->status, WR_CANCELLED);
}

/** It hangs where the thread that ends slices sleeps through its loop's end. */
static void test_an_endless_slice_ends_with_its_loop(void **state)
{
    struct world *w = *state;
    wr_loop_set_slice(w->loop, UINT64_MAX);
    run_with(w, complete);
    assert_int_equal(w->ends, 1);
    wr_loop_delete(w->loop);
    w->loop = NULL;
}

static void test_a_context_is_in_one_loop(void **state)
{
    struct world *w = *state;
    wr_loop_t *other;
    wr_error_t err;
    const wr_task_config_t config = {w->exec, w->wasi, on_done, w};
    assert_int_equal(wr_loop_new(NULL, &other, NULL), WR_OK);
    assert_int_equal(wr_loop_spawn(other, &config, NULL, &err), WR_ARGUMENT);
    assert_string_equal(err.text, "the WASI context is in another loop");
    wr_loop_delete(other);
    assert_int_equal(w->ends, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_host_function_answers_from_another_thread),
        T(test_kill_reaches_a_host_function),
        T(test_stop_kills_after_the_grace),
        T(test_a_halted_loop_can_be_run_again),
        T(test_an_exec_can_be_used_again_for_a_second_task),
        T(test_deleting_a_loop_ends_its_tasks),
        T(test_an_endless_slice_ends_with_its_loop),
        T(test_a_context_is_in_one_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
