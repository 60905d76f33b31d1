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

/** One run of one program: of bench/workloads ("fib") or of a manifest ("sqlite3:memory"). */
struct bench_workload {
    char *name;
    char *set; /**< of workloads.list; NULL: in none */
    char *module;
    struct bench_words args;
    struct bench_words envs; /**< K=V */
    struct bench_dir *dirs;
    size_t dir_count;
    char *stdin_file; /**< NULL: see stdin_text */
    char *stdin_text; /**< NULL: empty */
    char *sha256;     /**< of the expected output; NULL: unknown */
    char *line;       /**< the expected first line of the output; NULL: unknown */
    char *tiny_size;  /**< another argument, for a quick check; NULL: none */
    char *tiny_line;  /**< what is expected then */
    int exit_code;
};

struct bench_workloads {
    struct bench_workload *list;
    size_t count;
};

/** Where programs and their files are. */
struct bench_places {
    const char *corpus;   /**< modules that a manifest gives a file for; files named "corpus:…" */
    const char *modules;  /**< other modules of a manifest: NAME.wasm */
    const char *inputs;   /**< all other files */
    const char *programs; /**< programs of the list: NAME.wasm */
};

/** Adds the runs of a manifest in the corpus's format. False with a message on stderr. */
bool bench_workloads_load(struct bench_workloads *out, const char *manifest,
                          const struct bench_places *places);
/**
 * Reads workloads.list: adds its programs and writes the set into the runs it names; names of
 * runs that no manifest has are left out. False with a message on stderr.
 */
bool bench_workloads_load_list(struct bench_workloads *out, const char *path,
                               const struct bench_places *places);
struct bench_workload *bench_workloads_find(const struct bench_workloads *workloads,
                                            const char *name);
void bench_workloads_fini(struct bench_workloads *workloads);

/* ---------------------------------------------------------------- engines and runs */

struct bench_engine {
    char *name;
    struct bench_words command; /**< words with {dirs} {envs} {module} {args} {cwd} */
    char *dir_format;           /**< for {dirs}, with {host} and {guest} */
    char *env_format;           /**< for {envs}, with {env} */
    struct bench_words base;    /**< command whose time is subtracted; empty: none */
    bool is_counted;            /**< run under cachegrind: instructions instead of time */
};

struct bench_run {
    bool good;
    char problem[256]; /**< when not good */
    double cpu_ms;     /**< user + system; million instructions when they are counted */
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
    const char *label; /**< of the whole run; may be NULL */
    unsigned rounds;
    bool is_counted; /**< cpu_ms of all cells are million instructions */
    const struct bench_engine *engines;
    size_t engine_count;
    const struct bench_workload *const *workloads; /**< those of a set stand together */
    size_t workload_count;
    struct bench_cell *cells; /**< [workload * engine_count + engine] */
    struct bench_cell *bases; /**< [engine]: what is subtracted, without rounds where nothing is */
};

typedef double (*bench_statistic)(const double *values, size_t count);

/** One engine on one set, beside engine 0. */
struct bench_summary {
    size_t used; /**< workloads that both finished */
    double median; /**< geometric mean of (its time / time of engine 0), from medians */
    double minimum; /**< the same from minima */
    double least; /**< the smallest of these ratios, from medians */
    const char *where; /**< its workload; NULL when `used` is 0 */
};

struct bench_cell *bench_results_cell(const struct bench_results *results, size_t workload,
                                      size_t engine);
void bench_cell_add(struct bench_cell *cell, const struct bench_run *run);
void bench_cell_fini(struct bench_cell *cell);
double bench_median(const double *values, size_t count);
double bench_minimum(const double *values, size_t count);
/** CPU time in ms less the engine's base; NaN where a run failed. */
double bench_results_time(const struct bench_results *results, size_t workload, size_t engine,
                          bench_statistic of);
/** `set` NULL: all workloads. */
void bench_results_sum(const struct bench_results *results, const char *set, size_t engine,
                       struct bench_summary *out);
/** The set of a workload for readers: "corpus" when it is in none. */
const char *bench_set_name(const struct bench_workload *workload);
void bench_results_print(const struct bench_results *results, FILE *to);

#endif
