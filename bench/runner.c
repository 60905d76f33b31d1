/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - wasm-bench: the modes, interleaved rounds, the check of all own programs. */
#include "runner.h"

#include "inside.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SKIP_CODE = 77 };

/* ---------------------------------------------------------------- scratch */

/* A new directory; NULL with a message on stderr. */
static char *make_scratch(void)
{
    const char *tmp = getenv("TMPDIR");
    char *scratch = bench_format("%s/wasm-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(scratch)) return scratch;
    fprintf(stderr, "wasm-bench: %s: %s\n", scratch, strerror(errno));
    free(scratch);
    return NULL;
}

static void remove_scratch(char *scratch)
{
    bench_remove_tree(scratch);
    free(scratch);
}

/* ---------------------------------------------------------------- rounds */

/* Engines must agree with each other where nothing says what is right. */
static void check_same(const struct bench_run *first, struct bench_run *run)
{
    if (first->good && run->good && strcmp(first->sha256, run->sha256) != 0) {
        run->good = false;
        snprintf(run->problem, sizeof run->problem, "output differs from the first engine's");
    }
}

static void run_workload(const struct bench_results *results, size_t w, const char *scratch,
                         const struct bench_options *options, unsigned round)
{
    size_t count = results->engine_count;
    struct bench_run *runs = bench_realloc(NULL, count * sizeof runs[0]);
    /* Each round begins with another engine, so that none always runs first. */
    for (size_t k = 0; k < count; k++) {
        size_t e = (k + round) % count;
        bench_run_once(&results->engines[e], results->workloads[w], scratch, options->timeout_s,
                       &runs[e]);
    }
    for (size_t e = 0; e < count; e++) {
        check_same(&runs[0], &runs[e]);
        bench_cell_add(bench_results_cell(results, w, e), &runs[e]);
    }
    free(runs);
}

static void run_bases(const struct bench_results *results, const char *scratch,
                      const struct bench_options *options)
{
    const struct bench_workload nothing = {.name = (char[]){"base"}, .module = (char[]){""}};
    for (size_t e = 0; e < results->engine_count; e++) {
        if (!results->engines[e].base.count) continue;
        const struct bench_engine base = {.command = results->engines[e].base,
                                          .is_counted = results->is_counted};
        struct bench_run run;
        bench_run_once(&base, &nothing, scratch, options->timeout_s, &run);
        bench_cell_add(&results->bases[e], &run);
    }
}

static void run_rounds(const struct bench_results *results, const char *scratch,
                       const struct bench_options *options)
{
    for (unsigned round = 0; round < results->rounds; round++) {
        fprintf(stderr, "round %u of %u\n", round + 1, results->rounds);
        run_bases(results, scratch, options);
        for (size_t w = 0; w < results->workload_count; w++) {
            run_workload(results, w, scratch, options, round);
        }
    }
}

/* ---------------------------------------------------------------- modes */

static int write_reports(const struct bench_options *options, const struct bench_results *results)
{
    json_t *now = bench_results_json(results);
    bool good = true;
    if (options->json && json_dump_file(now, options->json, BENCH_JSON_FLAGS) != 0) {
        fprintf(stderr, "wasm-bench: cannot write %s\n", options->json);
        good = false;
    }
    if (options->html && options->instructions) {
        fputs("wasm-bench: the page is made from times only\n", stderr);
        good = false;
    } else if (options->html) {
        good &= bench_report(options->html, &options->history, now);
    }
    json_decref(now);
    return good ? 0 : 2;
}

static bool any_problem(const struct bench_results *results)
{
    bool found = false;
    for (size_t i = 0; i < results->workload_count * results->engine_count; i++) {
        found |= results->cells[i].problem[0] != 0;
    }
    for (size_t e = 0; e < results->engine_count; e++) found |= results->bases[e].problem[0] != 0;
    return found;
}

static struct bench_cell *make_cells(size_t count)
{
    struct bench_cell *cells = bench_realloc(NULL, count * sizeof cells[0]);
    memset(cells, 0, count * sizeof cells[0]);
    return cells;
}

static void free_cells(struct bench_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) bench_cell_fini(&cells[i]);
    free(cells);
}

static int run_timing(const struct bench_options *options, const struct bench_choice *choice)
{
    char *scratch = make_scratch();
    if (!scratch) return 2;
    size_t cell_count = choice->count * options->engine_count;
    struct bench_results results = {.label = options->label,
                                    .rounds = options->rounds         ? options->rounds
                                              : options->instructions ? 1
                                                                      : 5,
                                    .is_counted = options->instructions,
                                    .engines = options->engines,
                                    .engine_count = options->engine_count,
                                    .workloads = choice->list,
                                    .workload_count = choice->count,
                                    .cells = make_cells(cell_count),
                                    .bases = make_cells(options->engine_count)};
    run_rounds(&results, scratch, options);
    bench_results_print(&results, stdout);
    int code = write_reports(options, &results);
    if (!code && any_problem(&results)) code = 1;
    free_cells(results.cells, cell_count);
    free_cells(results.bases, options->engine_count);
    remove_scratch(scratch);
    return code;
}

/* Each own program once, on its tiny size, on the first engine. */
static int run_check(const struct bench_options *options, const struct bench_choice *choice)
{
    char *scratch = choice->count ? make_scratch() : NULL;
    size_t failed = 0;
    for (size_t i = 0; scratch && i < choice->count; i++) {
        struct bench_workload tiny = *choice->list[i];
        char *args[] = {tiny.tiny_size, NULL};
        struct bench_run run;
        tiny.args = (struct bench_words){args, 1};
        tiny.line = tiny.tiny_line;
        bench_run_once(&options->engines[0], &tiny, scratch, options->timeout_s, &run);
        if (run.good) continue;
        printf("FAILED %s %s: %s\n", tiny.name, tiny.tiny_size, run.problem);
        failed++;
    }
    printf("%zu passed, %zu failed, %zu skipped\n", choice->count - failed, failed,
           choice->skipped);
    if (!choice->count) return SKIP_CODE;
    if (!scratch) return 2;
    remove_scratch(scratch);
    return failed ? 1 : 0;
}

static int run_programs(const struct bench_options *options)
{
    struct bench_choice choice;
    int code = bench_choice_make(&choice, options) ? 0 : 2;
    for (size_t i = 0; !code && options->list && i < choice.count; i++) {
        printf("%-12s %s\n", bench_set_name(choice.list[i]), choice.list[i]->name);
    }
    if (!code && !options->list) {
        code = options->check ? run_check(options, &choice) : run_timing(options, &choice);
    }
    bench_choice_fini(&choice);
    return code;
}

/* The files given, else all modules of the corpus, each once. */
static int run_load(const struct bench_options *options)
{
    struct bench_words files = {0};
    struct bench_choice choice = {0};
    struct bench_options every = *options;
    every.list = true;
    every.names = (struct bench_words){0};
    for (size_t i = 0; i < options->names.count; i++) {
        bench_words_add(&files, bench_strdup(options->names.list[i]));
    }
    if (!files.count && bench_choice_make(&choice, &every)) {
        for (size_t i = 0; i < choice.all.count; i++) {
            const struct bench_workload *workload = &choice.all.list[i];
            bool is_new = i == 0 || strcmp(workload->module, choice.all.list[i - 1].module) != 0;
            bool is_corpus = strchr(workload->name, ':') && !workload->set;
            if (is_new && is_corpus && access(workload->module, R_OK) == 0) {
                bench_words_add(&files, bench_strdup(workload->module));
            }
        }
    }
    int code = 2;
    if (files.count) {
        code = bench_load_main(&files, options->rounds ? options->rounds : 7, options->json);
    }
    bench_choice_fini(&choice);
    bench_words_fini(&files);
    return code;
}

static int run_report(const struct bench_options *options)
{
    if (options->html && options->names.count) {
        return bench_report(options->html, &options->names, NULL) ? 0 : 2;
    }
    fputs("wasm-bench: --report needs --html FILE and JSON files\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    int code = bench_options_parse(&options, argc, argv);
    if (code) {
        code--;
    } else if (options.load) {
        code = run_load(&options);
    } else if (options.instantiate) {
        code = bench_instantiate_main(&options.names, options.rounds ? options.rounds : 101,
                                      options.json);
    } else if (options.latency) {
        code = bench_latency_main(options.rounds ? options.rounds : 200, options.json);
    } else if (options.report) {
        code = run_report(&options);
    } else {
        code = run_programs(&options);
    }
    bench_options_fini(&options);
    return code;
}
