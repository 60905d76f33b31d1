/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - the parts of wasm-bench: workloads, engines, one measured run, the results.
 * Not here: the engine's API; every engine is timed as a whole process, our own too.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** realloc that ends the program with exit 2 when memory runs out; the tool's only policy. */
void *bench_realloc(void *ptr, size_t bytes);
char *bench_strdup(const char *text);
/** printf into a new string. */
char *bench_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---------------------------------------------------------------- lists of words */

struct bench_words {
    char **list; /**< own strings, NULL at the end when made by bench_words_add */
    size_t count;
};

/** Takes the string over. */
void bench_words_add(struct bench_words *words, char *word);
void bench_words_fini(struct bench_words *words);
/** Splits a command line: blanks, 'single' and "double" quotes. */
void bench_words_split(struct bench_words *words, const char *line);

/* ---------------------------------------------------------------- SHA-256 */

enum { BENCH_SHA_TEXT = 65 };

/** Hash of a file's contents as 64 hexadecimal digits; false when it cannot be read. */
bool bench_sha256_file(const char *path, char out[BENCH_SHA_TEXT]);

/* ---------------------------------------------------------------- workloads */

struct bench_dir {
    char *guest;
    char *fixture; /**< copied fresh for each run */
};

/** One run of one corpus program. */
struct bench_workload {
    char *name; /**< "sqlite3:memory" */
    char *module;
    struct bench_words args;
    struct bench_words envs; /**< K=V */
    struct bench_dir *dirs;
    size_t dir_count;
    char *stdin_file; /**< NULL: see stdin_text */
    char *stdin_text; /**< NULL: empty */
    char *sha256;     /**< of the expected output; NULL: unknown */
    int exit_code;
};

struct bench_workloads {
    struct bench_workload *list;
    size_t count;
};

/**
 * Reads a corpus manifest. Modules that have no file there are looked for as NAME.wasm in
 * `modules` (may be NULL). False with a message on stderr.
 */
bool bench_workloads_load(struct bench_workloads *out, const char *manifest, const char *modules);
void bench_workloads_fini(struct bench_workloads *workloads);

/* ---------------------------------------------------------------- engines and runs */

struct bench_engine {
    char *name;
    struct bench_words command; /**< words with {dirs} {envs} {module} {args} {cwd} */
    char *dir_format;           /**< for {dirs}, with {host} and {guest} */
    char *env_format;           /**< for {envs}, with {env} */
};

struct bench_run {
    bool good;
    char problem[256]; /**< when not good */
    double cpu_ms;     /**< user + system */
    double wall_ms;
    long rss_kib;
    char sha256[BENCH_SHA_TEXT];
};

/** Runs a workload once in a fresh directory below `scratch`. */
void bench_run_once(const struct bench_engine *engine, const struct bench_workload *workload,
                    const char *scratch, unsigned timeout_s, struct bench_run *out);
/** Removes a directory and all below it. */
void bench_remove_tree(const char *path);

/* ---------------------------------------------------------------- results */

/** All rounds of one engine on one workload. */
struct bench_cell {
    double *cpu_ms;
    double *wall_ms;
    size_t rounds;
    long rss_kib;
    char problem[256]; /**< empty: all rounds were good */
};

struct bench_results {
    const struct bench_engine *engines;
    size_t engine_count;
    const struct bench_workload *const *workloads;
    size_t workload_count;
    struct bench_cell *cells; /**< [workload * engine_count + engine] */
};

struct bench_cell *bench_results_cell(const struct bench_results *results, size_t workload,
                                      size_t engine);
void bench_cell_add(struct bench_cell *cell, const struct bench_run *run);
double bench_median(const double *values, size_t count);
double bench_minimum(const double *values, size_t count);
void bench_results_print(const struct bench_results *results, FILE *to);
/** False when the file cannot be written. */
bool bench_results_write_json(const struct bench_results *results, const char *path);

#endif
