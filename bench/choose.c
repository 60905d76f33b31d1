/* SPDX-License-Identifier: Apache-2.0 */
/* choose.c - finds all workloads and picks those that the command line means. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All from the build; an installed program needs options. */
#ifndef WASM_BENCH_CORPUS
#define WASM_BENCH_CORPUS ""
#define WASM_BENCH_SOURCES ""
#define WASM_BENCH_MODULES ""
#define WASM_BENCH_PROGRAMS ""
#define WASM_BENCH_INPUTS ""
#endif

/* Runs have working directories of their own, so paths must be absolute. New string. */
static char *absolute(const char *given, const char *otherwise)
{
    const char *path = given ? given : otherwise;
    char *real = realpath(path, NULL);
    return real ? real : bench_strdup(path);
}

static char *corpus_dir(const struct bench_options *options)
{
    const char *shared = getenv("WASMRUN_SHARED");
    if (options->corpus || !shared) return absolute(options->corpus, WASM_BENCH_CORPUS);
    char *path = bench_format("%s/corpus", shared);
    char *found = absolute(path, "");
    free(path);
    return found;
}

static bool load_all(struct bench_workloads *all, const struct bench_places *places)
{
    bool good = true;
    struct bench_places own = *places;
    char *manifest = bench_format("%s/manifest.json", places->corpus);
    own.inputs = places->corpus;
    if (access(manifest, R_OK) == 0) {
        good = bench_workloads_load(all, manifest, &own);
    } else {
        fprintf(stderr, "wasm-bench: SKIPPED: no corpus: no file %s (see --corpus)\n", manifest);
    }
    free(manifest);
    return good && bench_workloads_load(all, WASM_BENCH_SOURCES "/fixed.json", places) &&
           bench_workloads_load_list(all, WASM_BENCH_SOURCES "/workloads.list", places);
}

/* ---------------------------------------------------------------- which */

/* NAME, NAME:RUN */
static bool is_named(const char *word, const char *name)
{
    size_t length = strlen(word);
    return strcmp(word, name) == 0 || (strncmp(word, name, length) == 0 && name[length] == ':');
}

static bool contains(const struct bench_words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->list[i], word) == 0) return true;
    }
    return false;
}

/* In the order of reports. Those of one feature are left out where no set is named. */
static const struct {
    const char *name;
    bool is_default;
} known_sets[] = {
    {"training", true},           {"validation", true},           {"fixed", true},
    {"training-simd", false},     {"validation-simd", false},     {"training-scalar", false},
    {"validation-scalar", false}, {"training-exceptions", false}, {"validation-exceptions", false},
    {"training-atomics", false},  {"validation-atomics", false},
};
enum { SETS = sizeof known_sets / sizeof known_sets[0] };

/* SETS for a workload in none. */
static size_t set_order(const struct bench_workload *workload)
{
    size_t i = 0;
    while (i < SETS && !(workload->set && strcmp(known_sets[i].name, workload->set) == 0)) i++;
    return i;
}

static bool is_default(const struct bench_workload *workload)
{
    size_t order = set_order(workload);
    return order < SETS && known_sets[order].is_default;
}

static bool is_meant(const struct bench_options *options, const struct bench_workload *workload)
{
    if (options->check && !workload->tiny_size) return false;
    if (options->sets.count && (!workload->set || !contains(&options->sets, workload->set))) {
        return false;
    }
    for (size_t i = 0; i < options->names.count; i++) {
        if (is_named(options->names.list[i], workload->name)) return true;
    }
    if (options->names.count) return false;
    return options->list || options->check || options->sets.count || is_default(workload);
}

static bool all_names_exist(const struct bench_options *options, const struct bench_workloads *all)
{
    for (size_t i = 0; i < options->names.count; i++) {
        bool found = false;
        for (size_t k = 0; k < all->count; k++) {
            found |= is_named(options->names.list[i], all->list[k].name);
        }
        if (found) continue;
        fprintf(stderr, "wasm-bench: no workload '%s' (--list prints all)\n",
                options->names.list[i]);
        return false;
    }
    return true;
}

static bool all_sets_exist(const struct bench_options *options, const struct bench_workloads *all)
{
    for (size_t i = 0; i < options->sets.count; i++) {
        bool found = strcmp(options->sets.list[i], "fixed") == 0; /* may lack all its modules */
        for (size_t k = 0; k < all->count; k++) {
            found |= all->list[k].set && strcmp(options->sets.list[i], all->list[k].set) == 0;
        }
        if (found) continue;
        fprintf(stderr, "wasm-bench: no set '%s' in workloads.list\n", options->sets.list[i]);
        return false;
    }
    return true;
}

static void choose(struct bench_choice *choice, const struct bench_options *options,
                   const struct bench_workload *workload)
{
    if (!options->list && access(workload->module, R_OK) != 0) {
        fprintf(stderr, "wasm-bench: SKIPPED %s: no file %s\n", workload->name, workload->module);
        choice->skipped++;
        return;
    }
    size_t bytes = (choice->count + 1) * sizeof choice->list[0];
    choice->list = bench_realloc(choice->list, bytes);
    choice->list[choice->count++] = workload;
}

static void choose_all(struct bench_choice *choice, const struct bench_options *options)
{
    for (size_t order = 0; order <= SETS; order++) {
        for (size_t i = 0; i < choice->all.count; i++) {
            const struct bench_workload *workload = &choice->all.list[i];
            if (set_order(workload) == order && is_meant(options, workload)) {
                choose(choice, options, workload);
            }
        }
    }
}

bool bench_choice_make(struct bench_choice *choice, const struct bench_options *options)
{
    memset(choice, 0, sizeof *choice);
    char *corpus = corpus_dir(options);
    char *modules = absolute(options->modules, WASM_BENCH_MODULES);
    char *inputs = absolute(options->inputs, WASM_BENCH_INPUTS);
    char *programs = absolute(options->programs, WASM_BENCH_PROGRAMS);
    struct bench_places places = {corpus, modules, inputs, programs};
    bool good = load_all(&choice->all, &places) && all_names_exist(options, &choice->all) &&
                all_sets_exist(options, &choice->all);
    if (good) choose_all(choice, options);
    if (choice->skipped) {
        fprintf(stderr, "wasm-bench: SKIPPED %zu workloads in all\n", choice->skipped);
    }
    free(programs);
    free(inputs);
    free(modules);
    free(corpus);
    return good;
}

void bench_choice_fini(struct bench_choice *choice)
{
    free(choice->list);
    bench_workloads_fini(&choice->all);
}
