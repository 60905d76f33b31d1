/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.h - what the command line of wasm-bench says, and which workloads it means.
 * Not here: measuring (bench.h), reports (report.h).
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "bench.h"

struct bench_options {
    struct bench_engine *engines; /**< the first is our own */
    size_t engine_count;
    struct bench_words sets;    /**< --set */
    struct bench_words history; /**< --history */
    struct bench_words names;   /**< the words that are no options */
    const char *own;
    const char *corpus;
    const char *modules;
    const char *programs;
    const char *inputs;
    const char *json;
    const char *html;
    const char *label;
    unsigned rounds; /**< 0: not given */
    unsigned timeout_s;
    bool instructions, list, check, report, load, latency, instantiate;
};

/** 0: go on; otherwise the exit code + 1. */
int bench_options_parse(struct bench_options *options, int argc, char **argv);
void bench_options_fini(struct bench_options *options);

/** All workloads there are and those that the options choose, the sets one after the other. */
struct bench_choice {
    struct bench_workloads all;
    const struct bench_workload **list;
    size_t count;
    size_t skipped; /**< chosen, but without a module; said on stderr */
};

/** False with a message on stderr. */
bool bench_choice_make(struct bench_choice *choice, const struct bench_options *options);
void bench_choice_fini(struct bench_choice *choice);

#endif
