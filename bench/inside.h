/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - what wasm-bench measures inside its own process, through the public API: loading
 * (--load) and how soon an interrupt is obeyed (--latency). Not here: whole programs (bench.h).
 */
#ifndef BENCH_INSIDE_H
#define BENCH_INSIDE_H

#include "bench.h"

#include <jansson.h>

/** Wall clock in milliseconds, monotonic. */
double bench_now_ms(void);
/** CPU time of the whole process in milliseconds. */
double bench_cpu_ms(void);
/** Processor, number of processors, system: what a reader of the figures needs. New reference. */
json_t *bench_machine_json(void);

/** Wall and CPU time of the rounds of one step. */
struct bench_times {
    double *wall_ms, *cpu_ms;
    size_t count;
};

void bench_times_add(struct bench_times *times, double wall_ms, double cpu_ms);
void bench_times_fini(struct bench_times *times);
/** Lists and medians. New reference. */
json_t *bench_times_json(const struct bench_times *times);

/* ---------------------------------------------------------------- loading */

/** What one module costs before its first instruction. */
struct bench_load {
    const char *path;
    char problem[512];  /**< not empty: the module was not loaded */
    char note[512];     /**< not empty: why it was not instantiated */
    uint64_t file_bytes, code_bytes;
    uint64_t data_bytes; /**< of the data section: what memories hold at first */
    unsigned funcs;
    size_t stubs;               /**< imports that are not WASI's, answered by a trap */
    struct bench_times one;     /**< decoded and validated, one thread */
    struct bench_times all;     /**< the same with as many threads as the engine likes */
    struct bench_times instance; /**< store, linker, WASI, instance, start function */
    /* of a fresh process that loads the file and instantiates, on one thread */
    uint64_t heap_peak;   /**< asked from the allocator at the same time, at most */
    uint64_t heap_after;  /**< still held when instantiated */
    uint64_t linear;      /**< pages of linear memory that are there */
    uint64_t rss_growth;  /**< of the process's peak, code of this program included */
};

/** Begins a row with the memory that a module needs; all rows before the first is timed. */
void bench_load_weigh(struct bench_load *load, const char *path);
/** Loads and instantiates `rounds` times. */
void bench_load_time(struct bench_load *load, unsigned rounds);
void bench_load_fini(struct bench_load *load);
/** Whole mode: measures, prints a table, writes JSON (may be NULL). The exit code. */
int bench_load_main(const struct bench_words *files, unsigned rounds, const char *json);

/* ---------------------------------------------------------------- latency */

/** Whole mode: from wr_exec_interrupt to the return of wr_exec_run. The exit code. */
int bench_latency_main(unsigned rounds, const char *json);

/* ---------------------------------------------------------------- instantiation */

/** Whole mode: first and later instances of generated modules and of `files`. The exit code. */
int bench_instantiate_main(const struct bench_words *files, unsigned rounds, const char *json);

#endif
