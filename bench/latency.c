/* SPDX-License-Identifier: Apache-2.0 */
/* latency.c - wasm-bench --latency: from wr_exec_interrupt to the return of wr_exec_run. */
#include "inside.h"
#include "wasmrun.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double bar_ms = 1;

/* ---------------------------------------------------------------- the guest */

// clang-format off
/* Three endless functions () -> () and "down", with a memory of 1 GiB. */
static const unsigned char guest[] = {
    0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00,
    0x01, 0x08, 0x02, 0x60, 0x00, 0x00, 0x60, 0x01, 0x7f, 0x00, /* types: () -> (), (i32) -> () */
    0x03, 0x05, 0x04, 0x00, 0x00, 0x00, 0x01,
    0x05, 0x05, 0x01, 0x00, 0x80, 0x80, 0x01, /* memory: 16,384 pages */
    0x07, 0x1b, 0x03,
    0x04, 'l', 'o', 'o', 'p', 0x00, 0x00,
    0x04, 'f', 'i', 'l', 'l', 0x00, 0x01,
    0x09, 'r', 'e', 'c', 'u', 'r', 's', 'i', 'o', 'n', 0x00, 0x02,
    0x0a, 0x3c, 0x04,
    0x07, 0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b, /* loop: loop br 0 end */
    /* fill: loop i32.const 0 i32.const 7 i32.const 0x40000000 memory.fill br 0 end */
    0x14, 0x00, 0x03, 0x40, 0x41, 0x00, 0x41, 0x07, 0x41, 0x80, 0x80, 0x80, 0x80, 0x04,
    0xfc, 0x0b, 0x00, 0x0c, 0x00, 0x0b, 0x0b,
    0x08, 0x00, 0x41, 0x90, 0xce, 0x00, 0x10, 0x03, 0x0b, /* recursion: 10,000 deep, see below */
    /* down(n): if n: down(n - 1), down(n - 1): 2^10,000 calls, most of them at the bottom */
    0x14, 0x00, 0x20, 0x00, 0x04, 0x40, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x10, 0x03,
    0x20, 0x00, 0x10, 0x03, 0x0b, 0x0b,
};
// clang-format on

static const char *const functions[] = {"loop", "fill", "recursion"};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static const struct {
    const char *name;
    wr_backend_t backend;
} backends[] = {{"default", WR_BACKEND_AUTO}, {"loop", WR_BACKEND_LOOP}};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

/* ---------------------------------------------------------------- one row */

struct row {
    const char *function, *backend;
    struct bench_times times;
    size_t again; /* rounds that did not count */
};

/** The interrupting thread. `running` and `over` are the other one's; `asked_ms` is read behind. */
struct asker {
    wr_exec_t *exec;
    unsigned wait_us;
    _Atomic bool running, over;
    clockid_t clock; /* of the running thread's CPU time */
    double asked_ms, asked_cpu_ms;
    unsigned asked;
};

static double thread_ms(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void nap(unsigned us)
{
    struct timespec wait = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&wait, NULL);
}

/*
 * An interrupt before a run has nothing to stop: should this machine have been so busy that the
 * run had not begun, it is asked again, and the round does not count.
 */
static void *ask(void *arg)
{
    struct asker *asker = arg;
    while (!atomic_load(&asker->running)) nap(10);
    nap(asker->wait_us);
    do {
        asker->asked++;
        asker->asked_ms = bench_now_ms();
        asker->asked_cpu_ms = thread_ms(asker->clock);
        wr_exec_interrupt(asker->exec);
        for (unsigned i = 0; i < 2000 && !atomic_load(&asker->over); i++) nap(1000);
    } while (!atomic_load(&asker->over));
    return NULL;
}

enum outcome { GOOD, ASKED_AGAIN, BROKEN };

/* Runs until interrupted at some moment. */
static enum outcome one_interrupt(wr_exec_t *exec, unsigned wait_us, double *wall_ms,
                                  double *cpu_ms)
{
    struct asker asker = {.exec = exec, .wait_us = wait_us};
    pthread_t thread;
    if (pthread_getcpuclockid(pthread_self(), &asker.clock) != 0 ||
        pthread_create(&thread, NULL, ask, &asker) != 0) {
        return BROKEN;
    }
    atomic_store(&asker.running, true);
    wr_status_t status = wr_exec_run(exec, NULL);
    double cpu = thread_ms(asker.clock), now = bench_now_ms();
    atomic_store(&asker.over, true);
    (void)pthread_join(thread, NULL);
    *wall_ms = now - asker.asked_ms;
    *cpu_ms = cpu - asker.asked_cpu_ms;
    if (status != WR_YIELD) return BROKEN;
    return asker.asked == 1 ? GOOD : ASKED_AGAIN;
}

static bool measure(struct row *row, wr_store_t *store, wr_instance_t *instance, unsigned rounds)
{
    wr_exec_t *exec = NULL;
    wr_extern_t item;
    wr_name_t name = {row->function, strlen(row->function)};
    unsigned random = 12345;
    bool good = wr_instance_export(instance, name, &item) &&
                wr_exec_new(store, &exec, NULL) == WR_OK &&
                wr_exec_start(exec, item.of.func, NULL, 0, NULL) == WR_OK;
    /* the first run touches the memory and is not counted */
    double wall, cpu;
    good = good && one_interrupt(exec, 1000000, &wall, &cpu) != BROKEN;
    while (good && row->times.count < rounds) {
        random = random * 1103515245 + 12345;
        enum outcome outcome = one_interrupt(exec, 1000 + (random >> 16) % 4000, &wall, &cpu);
        good = outcome != BROKEN && row->again < rounds;
        if (outcome == GOOD) bench_times_add(&row->times, wall, cpu);
        row->again += outcome == ASKED_AGAIN;
    }
    wr_exec_delete(exec);
    return good;
}

static bool measure_backend(struct row *rows, size_t backend, const wr_module_t *module,
                            wr_engine_t *engine, unsigned rounds)
{
    wr_store_config_t config = {.backend = backends[backend].backend, .stack_bytes = 16 << 20};
    wr_store_t *store = NULL;
    wr_linker_t *linker = NULL;
    wr_instance_t *instance = NULL;
    bool good = wr_store_new(engine, &config, &store, NULL) == WR_OK &&
                wr_linker_new(engine, &linker, NULL) == WR_OK &&
                wr_linker_instantiate(linker, store, module, NULL, &instance, NULL) == WR_OK;
    for (size_t i = 0; good && i < FUNCTIONS; i++) {
        rows[i].function = functions[i];
        rows[i].backend = backends[backend].name;
        good = measure(&rows[i], store, instance, rounds);
    }
    wr_linker_delete(linker);
    wr_store_delete(store);
    return good;
}

/* ---------------------------------------------------------------- report */

static double maximum(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = values[i] > most ? values[i] : most;
    return most;
}

static size_t over_bar(const double *values, size_t count)
{
    size_t over = 0;
    for (size_t i = 0; i < count; i++) over += values[i] >= bar_ms;
    return over;
}

static json_t *json_rows(const struct row *rows)
{
    json_t *out = json_array();
    for (size_t i = 0; i < (size_t)FUNCTIONS * BACKENDS; i++) {
        const struct bench_times *times = &rows[i].times;
        json_t *one = bench_times_json(times);
        json_object_set_new(one, "guest", json_string(rows[i].function));
        json_object_set_new(one, "backend", json_string(rows[i].backend));
        json_object_set_new(one, "wall_ms_maximum",
                            json_real(maximum(times->wall_ms, times->count)));
        json_object_set_new(one, "cpu_ms_maximum", json_real(maximum(times->cpu_ms, times->count)));
        json_object_set_new(one, "asked_again", json_integer((json_int_t)rows[i].again));
        json_array_append_new(out, one);
    }
    return out;
}

static bool write_json(const struct row *rows, const char *path)
{
    json_t *root = json_object();
    json_object_set_new(root, "measures", json_string("interrupt latency"));
    json_object_set_new(root, "machine", bench_machine_json());
    json_object_set_new(root, "rows", json_rows(rows));
    bool good = json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(4)) == 0;
    json_decref(root);
    if (!good) fprintf(stderr, "wasm-bench: cannot write %s\n", path);
    return good;
}

static int report(const struct row *rows, const char *json)
{
    size_t over = 0;
    printf("%-10s %-8s | %10s %10s %8s | %10s %10s %8s\n", "microsec.", "", "wall", "", "", "CPU",
           "", "");
    printf("%-10s %-8s | %10s %10s %8s | %10s %10s %8s\n", "guest", "backend", "median", "maximum",
           ">= 1 ms", "median", "maximum", ">= 1 ms");
    for (size_t i = 0; i < (size_t)FUNCTIONS * BACKENDS; i++) {
        const double *wall = rows[i].times.wall_ms, *cpu = rows[i].times.cpu_ms;
        size_t count = rows[i].times.count, late = over_bar(cpu, count);
        printf("%-10s %-8s | %10.1f %10.1f %8zu | %10.1f %10.1f %8zu\n", rows[i].function,
               rows[i].backend, bench_median(wall, count) * 1e3, maximum(wall, count) * 1e3,
               over_bar(wall, count), bench_median(cpu, count) * 1e3, maximum(cpu, count) * 1e3,
               late);
        over += late;
    }
    printf("Of %zu interrupts each. CPU: of the running thread, from the interrupt to its return;\n"
           "wall is that and what the system gives to others. The bar, 1 ms, is for CPU.\n",
           rows[0].times.count);
    if (json && !write_json(rows, json)) return 2;
    return over ? 1 : 0;
}

int bench_latency_main(unsigned rounds, const char *json)
{
    struct row rows[FUNCTIONS * BACKENDS];
    wr_error_t *err = bench_realloc(NULL, sizeof *err);
    wr_module_t *module = NULL;
    wr_engine_t *engine = wr_engine_new(NULL);
    memset(rows, 0, sizeof rows);
    memset(err, 0, sizeof *err);
    bool good = engine && wr_module_new(engine, guest, sizeof guest, &module, err) == WR_OK;
    for (size_t i = 0; good && i < BACKENDS; i++) {
        good = measure_backend(&rows[i * FUNCTIONS], i, module, engine, rounds);
    }
    int code = 2;
    if (good) code = report(rows, json);
    if (!good) fprintf(stderr, "wasm-bench: the guest did not run: %s\n", err->text);
    for (size_t i = 0; i < (size_t)FUNCTIONS * BACKENDS; i++) bench_times_fini(&rows[i].times);
    wr_module_delete(module);
    wr_engine_delete(engine);
    free(err);
    return code;
}
