/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wasi_threads.c - threads of a guest through their API alone: what a thread is given, how its
 * end comes back, where there are none. What guests with threads do: ../test_threads.py.
 */
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the four above first. */
#include <cmocka.h>

/*
 * (module (import "wasi" "thread-spawn" (func $s (param i32) (result i32))) (import "e" "f" (func
 * $f (param i32))) (import "a" "b" (memory 1 2 shared)) (func $w (export "w") i32.const 0 i32.const
 * 0 i64.const -1 memory.atomic.wait32 drop) (func (export "wasi_thread_start") (param i32 i32)
 * local.get 1 call $f call $w) (func (export "s") (param i32) (result i32) local.get 0 call $s))
 */
// clang-format off
static const unsigned char module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x12, 0x04, 0x60, 0x01, 0x7f, 0x01, 0x7f,
    0x60, 0x01, 0x7f, 0x00, 0x60, 0x00, 0x00, 0x60, 0x02, 0x7f, 0x7f, 0x00, 0x02, 0x23, 0x03, 0x04,
    0x77, 0x61, 0x73, 0x69, 0x0c, 0x74, 0x68, 0x72, 0x65, 0x61, 0x64, 0x2d, 0x73, 0x70, 0x61, 0x77,
    0x6e, 0x00, 0x00, 0x01, 0x65, 0x01, 0x66, 0x00, 0x01, 0x01, 0x61, 0x01, 0x62, 0x02, 0x03, 0x01,
    0x02, 0x03, 0x04, 0x03, 0x02, 0x03, 0x00, 0x07, 0x1d, 0x03, 0x01, 0x77, 0x00, 0x02, 0x11, 0x77,
    0x61, 0x73, 0x69, 0x5f, 0x74, 0x68, 0x72, 0x65, 0x61, 0x64, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74,
    0x00, 0x03, 0x01, 0x73, 0x00, 0x04, 0x0a, 0x1f, 0x03, 0x0d, 0x00, 0x41, 0x00, 0x41, 0x00, 0x42,
    0x7f, 0xfe, 0x01, 0x02, 0x00, 0x1a, 0x0b, 0x08, 0x00, 0x20, 0x01, 0x10, 0x01, 0x10, 0x02, 0x0b,
    0x06, 0x00, 0x20, 0x00, 0x10, 0x00, 0x0b,
};
/* (module (func (export "s"))) */
static const unsigned char plain_bytes[] = {
    0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 's', 0, 0,
    0x0a, 4, 1, 2, 0, 0x0b};
// clang-format on

enum { FUEL = 100000, NOTSUP = 58, EXIT_CODE = 300 };
/* What the host function does: the argument of a thread. */
enum { ACT_NOTHING, ACT_NOTE, ACT_PEND, ACT_TRAP, ACT_EXIT, ACT_CANCEL };

struct world {
    wr_engine_t *engine;
    wr_module_t *module;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_wasi_t *wasi;
    wr_wasi_threads_t *threads;
    wr_instance_t *instance;
    wr_store_config_t config;
    /* of ACT_NOTE, by one thread */
    pthread_t thread;
    void *data;
    uint64_t fuel;
    atomic_bool noted;
};

static void note(struct world *w, wr_call_t *call)
{
    w->thread = pthread_self();
    w->data = wr_store_data(wr_call_store(call));
    w->fuel = wr_store_fuel(wr_call_store(call));
    atomic_store(&w->noted, true);
}

static wr_status_t act(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct world *w = env;
    switch (slots[0].i32) {
    case ACT_NOTE: note(w, call); return WR_OK;
    case ACT_PEND: return WR_PENDING;
    case ACT_TRAP: return wr_call_trap(call, "enough");
    case ACT_EXIT: return wr_call_exit(call, EXIT_CODE);
    case ACT_CANCEL: wr_exec_cancel(w->exec); return WR_OK;
    default: return WR_OK;
    }
}

/* `max_threads` and w->config; the answer of wr_wasi_threads_new. */
static wr_status_t try_begin(struct world *w, uint32_t max_threads)
{
    w->engine = wr_engine_new(NULL);
    assert_int_equal(wr_module_new(w->engine, module_bytes, sizeof module_bytes, &w->module, NULL),
                     WR_OK);
    assert_int_equal(wr_linker_new(w->engine, &w->linker, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(w->linker, "e", "f", "i:", act, w, NULL), WR_OK);
    assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, NULL), WR_OK);
    wr_store_set_data(w->store, w);
    wr_store_set_fuel(w->store, FUEL);
    assert_int_equal(wr_exec_new(w->store, &w->exec, NULL), WR_OK);
    assert_int_equal(wr_wasi_new(&w->wasi, NULL), WR_OK);
    const wr_wasi_threads_config_t config = {.engine = w->engine,
                                             .linker = w->linker,
                                             .module = w->module,
                                             .store = w->store,
                                             .exec = w->exec,
                                             .store_config = &w->config,
                                             .max_threads = max_threads};
    return wr_wasi_threads_new(w->wasi, &config, &w->threads, NULL);
}

static void begin(struct world *w, uint32_t max_threads)
{
    assert_int_equal(try_begin(w, max_threads), WR_OK);
    assert_int_equal(
        wr_linker_instantiate(w->linker, w->store, w->module, w->exec, &w->instance, NULL), WR_OK);
}

static void end(struct world *w)
{
    wr_wasi_threads_delete(w->threads);
    wr_exec_delete(w->exec);
    wr_store_delete(w->store);
    wr_linker_delete(w->linker);
    wr_wasi_delete(w->wasi);
    wr_module_delete(w->module);
    wr_engine_delete(w->engine);
}

static wr_func_t *find(const struct world *w, const char *name)
{
    wr_extern_t item;
    assert_true(wr_instance_export(w->instance, (wr_name_t){name, strlen(name)}, &item));
    return item.of.func;
}

static wr_status_t call_spawn(struct world *w, uint32_t what)
{
    const wr_val_t arg = {.kind = WR_I32, .of.i32 = what};
    assert_int_equal(wr_exec_start(w->exec, find(w, "s"), &arg, 1, NULL), WR_OK);
    return wr_exec_run(w->exec, NULL);
}

/* What thread-spawn answers. */
static int spawn(struct world *w, uint32_t what)
{
    wr_val_t result = {0};
    assert_int_equal(call_spawn(w, what), WR_OK);
    assert_int_equal(wr_exec_results(w->exec, &result, 1), WR_OK);
    return (int)result.of.i32;
}

/* Makes a thread that ends all, and waits for ever; what that ends in. */
static wr_status_t spawn_and_wait(struct world *w, uint32_t what)
{
    wr_status_t status = call_spawn(w, what);
    if (status != WR_OK) return status; /* so soon */
    assert_int_equal(wr_exec_start(w->exec, find(w, "w"), NULL, 0, NULL), WR_OK);
    return wr_exec_run(w->exec, NULL);
}

static void test_only_modules_that_import_it_want_threads(void **state)
{
    struct world w = {0};
    wr_module_t *plain;
    (void)state;
    begin(&w, 1);
    assert_int_equal(wr_module_new(w.engine, plain_bytes, sizeof plain_bytes, &plain, NULL), WR_OK);
    assert_true(wr_wasi_threads_wanted(w.module));
    assert_false(wr_wasi_threads_wanted(plain));
    wr_module_delete(plain);
    end(&w);
}

static void test_a_thread_has_its_makers_data_and_half_its_fuel(void **state)
{
    struct world w = {.config = {.use_fuel = true}};
    wr_exec_t *exec = NULL;
    (void)state;
    begin(&w, 1);
    assert_true(spawn(&w, ACT_NOTE) > 0);
    while (!atomic_load(&w.noted)) sched_yield();
    assert_int_equal(wr_wasi_threads_finish(w.threads, WR_OK, &exec, NULL), WR_OK);
    assert_ptr_equal(exec, w.exec);
    assert_false(pthread_equal(w.thread, pthread_self()));
    assert_ptr_equal(w.data, &w);
    assert_in_range(w.fuel, FUEL / 2 - 100, FUEL / 2);
    assert_in_range(wr_store_fuel(w.store), FUEL / 2 - 100, FUEL / 2);
    end(&w);
}

/* Ends in `want` by a thread that does `what`. */
static void check_end(uint32_t what, wr_status_t want, const char *text, int code)
{
    struct world w = {0};
    wr_exec_t *exec = NULL;
    wr_error_t err = {0};
    begin(&w, 1);
    wr_status_t status = spawn_and_wait(&w, what);
    assert_int_equal(status, WR_CANCELLED);
    assert_int_equal(wr_wasi_threads_finish(w.threads, status, &exec, &err), want);
    assert_ptr_not_equal(exec, w.exec);
    if (want == WR_EXIT) assert_int_equal(wr_exec_exit_code(exec), code);
    assert_non_null(strstr(err.text, text));
    end(&w);
}

static void test_who_ends_the_guest_is_reported(void **state)
{
    (void)state;
    check_end(ACT_TRAP, WR_TRAP, "enough", 0);
    check_end(ACT_EXIT, WR_EXIT, "", EXIT_CODE);
    check_end(ACT_PEND, WR_TRAP, "suspended a thread", 0);
}

static void test_a_cancel_of_the_main_call_ends_all(void **state)
{
    struct world w = {0};
    wr_exec_t *exec = NULL;
    (void)state;
    begin(&w, 4);
    for (int i = 0; i < 3; i++) assert_true(spawn(&w, ACT_NOTHING) > 0);
    wr_status_t status = spawn_and_wait(&w, ACT_CANCEL);
    assert_int_equal(status, WR_CANCELLED);
    assert_int_equal(wr_wasi_threads_finish(w.threads, status, &exec, NULL), WR_CANCELLED);
    assert_ptr_equal(exec, w.exec);
    end(&w);
}

static void test_deleting_ends_threads(void **state)
{
    struct world w = {0};
    (void)state;
    begin(&w, 3);
    for (int i = 0; i < 3; i++) assert_true(spawn(&w, ACT_NOTHING) > 0);
    end(&w);
}

static void test_no_thread_is_made_where_they_are_forbidden(void **state)
{
    struct world w = {0};
    (void)state;
    begin(&w, 0);
    assert_int_equal(spawn(&w, ACT_NOTHING), -NOTSUP);
    end(&w);
}

static void test_memories_are_charged_to_the_store(void **state)
{
    struct world w = {.config = {.max_memory_bytes = 1}};
    (void)state;
    assert_int_equal(try_begin(&w, 1), WR_LIMIT);
    assert_null(w.threads);
    end(&w);
}

struct loop_end {
    wr_status_t status;
    int ends;
};

static void on_done(wr_task_t *task, wr_status_t status, const wr_error_t *err, void *env)
{
    struct loop_end *ended = env;
    (void)task;
    (void)err;
    ended->status = status;
    ended->ends++;
}

static void test_no_thread_is_made_in_a_loop(void **state)
{
    struct world w = {0};
    struct loop_end ended = {0};
    const wr_val_t arg = {.kind = WR_I32};
    wr_val_t result = {0};
    wr_loop_t *loop;
    (void)state;
    begin(&w, 1);
    assert_int_equal(wr_loop_new(NULL, &loop, NULL), WR_OK);
    const wr_task_config_t task = {w.exec, w.wasi, on_done, &ended};
    assert_int_equal(wr_exec_start(w.exec, find(&w, "s"), &arg, 1, NULL), WR_OK);
    assert_int_equal(wr_loop_spawn(loop, &task, NULL, NULL), WR_OK);
    wr_loop_run(loop);
    assert_true(ended.ends == 1 && ended.status == WR_OK);
    assert_int_equal(wr_exec_results(w.exec, &result, 1), WR_OK);
    assert_int_equal((int)result.of.i32, -NOTSUP);
    /* and none enters a loop once it has made some */
    assert_true(spawn(&w, ACT_NOTHING) > 0);
    assert_int_equal(wr_exec_start(w.exec, find(&w, "s"), &arg, 1, NULL), WR_OK);
    assert_int_equal(wr_loop_spawn(loop, &task, NULL, NULL), WR_ARGUMENT);
    wr_loop_delete(loop);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_modules_that_import_it_want_threads),
        cmocka_unit_test(test_a_thread_has_its_makers_data_and_half_its_fuel),
        cmocka_unit_test(test_who_ends_the_guest_is_reported),
        cmocka_unit_test(test_a_cancel_of_the_main_call_ends_all),
        cmocka_unit_test(test_deleting_ends_threads),
        cmocka_unit_test(test_no_thread_is_made_where_they_are_forbidden),
        cmocka_unit_test(test_memories_are_charged_to_the_store),
        cmocka_unit_test(test_no_thread_is_made_in_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
