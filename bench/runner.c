/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - wasm-bench: options, choosing workloads, interleaved rounds. */
#include "inside.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both come from the build; an installed program needs --corpus and names of workloads. */
#ifndef WASM_BENCH_CORPUS
#define WASM_BENCH_CORPUS ""
#endif
#ifndef WASM_BENCH_LIST
#define WASM_BENCH_LIST ""
#endif

static const char own_default[] = "{dirs} {envs} {module} {args}";

struct bench {
    struct bench_engine *engines;
    size_t engine_count;
    struct bench_workloads all;
    const struct bench_workload **chosen;
    size_t chosen_count;
    const char *own;
    const char *corpus;
    const char *modules;
    const char *json;
    unsigned rounds;
    unsigned timeout_s;
    bool list, load, latency, instantiate;
};

/* ---------------------------------------------------------------- options */

enum option_id {
    OPT_HELP = 'h',
    OPT_PEER = 256,
    OPT_PEER_DIR,
    OPT_OWN,
    OPT_ROUNDS,
    OPT_JSON,
    OPT_CORPUS,
    OPT_MODULES,
    OPT_TIMEOUT,
    OPT_LIST,
    OPT_LOAD,
    OPT_LATENCY,
    OPT_INSTANTIATE
};

struct option_row {
    const char *name;
    const char *value; /* NULL: a switch */
    int id;
    const char *help;
};

// clang-format off
static const struct option_row option_rows[] = {
    {"peer",     "NAME=COMMAND", OPT_PEER,     "also time this command; repeatable"},
    {"peer-dir", "NAME=FORMAT",  OPT_PEER_DIR, "what {dirs} becomes for that peer, for each directory"},
    {"own",      "COMMAND",      OPT_OWN,      "the first column (the wasmrun beside this program)"},
    {"rounds",   "N",            OPT_ROUNDS,   "rounds, engines interleaved (5; 7 for loads, 200 interrupts)"},
    {"json",     "FILE",         OPT_JSON,     "also write all figures there"},
    {"corpus",   "DIR",          OPT_CORPUS,   "where manifest.json and the programs are"},
    {"modules",  "DIR",          OPT_MODULES,  "where fetched modules are (NAME.wasm)"},
    {"timeout",  "SECONDS",      OPT_TIMEOUT,  "CPU time after which a run is killed (300)"},
    {"list",     NULL,           OPT_LIST,     "print the workloads there are"},
    {"load",     NULL,           OPT_LOAD,     "instead: what loading FILEs (the corpus) costs, in process"},
    {"latency",  NULL,           OPT_LATENCY,  "instead: how soon an interrupt stops the guest"},
    {"instantiate", NULL,        OPT_INSTANTIATE, "instead: what the instances of generated modules and FILEs cost"},
    {"help",     NULL,           OPT_HELP,     "print this text (also -h)"},
};
// clang-format on
enum { OPTION_COUNT = sizeof option_rows / sizeof option_rows[0] };

static void print_help(void)
{
    puts("usage: wasm-bench [OPTIONS] [WORKLOAD...]\n"
         "       wasm-bench --load [--rounds N] [--json FILE] [--modules DIR] [FILE...]\n"
         "       wasm-bench --latency [--rounds N] [--json FILE]\n"
         "       wasm-bench --instantiate [--rounds N] [--json FILE] [FILE...]\n"
         "Times programs of the corpus (NAME or NAME:RUN; those of bench/workloads.list when none\n"
         "is given) on wasmrun and on peers, and compares their output.\n\nOptions:");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", option_rows[i].name,
                 option_rows[i].value ? " " : "", option_rows[i].value ? option_rows[i].value : "");
        printf("  %-26s %s\n", left, option_rows[i].help);
    }
    puts("\nIn a COMMAND, {module} is the program, {args} its arguments, {dirs} its directories\n"
         "(--dir={host}::{guest} each unless --peer-dir says otherwise), {envs} its environment,\n"
         "{cwd} the directory that stands for the guest's root and that each command runs in.\n"
         "An example: --peer 'wasm3=wasm3 {module} {args}'\n"
         "Exit: 0, 1 when a run failed or outputs differ, 2 for a usage or file error.");
}

static struct bench_engine *find_engine(struct bench *bench, const char *name, size_t length)
{
    for (size_t i = 0; i < bench->engine_count; i++) {
        struct bench_engine *engine = &bench->engines[i];
        if (strlen(engine->name) == length && memcmp(engine->name, name, length) == 0) {
            return engine;
        }
    }
    return NULL;
}

/* Commands run in another directory: a relative path to one must become absolute. */
static void make_absolute(char **word)
{
    char *real = word && *word && strchr(*word, '/') ? realpath(*word, NULL) : NULL;
    if (!real) return;
    free(*word);
    *word = real;
}

static bool add_engine(struct bench *bench, const char *name, size_t length, const char *command)
{
    struct bench_engine engine = {.name = bench_format("%.*s", (int)length, name),
                                  .dir_format = bench_strdup("--dir={host}::{guest}"),
                                  .env_format = bench_strdup("--env={env}")};
    bench_words_split(&engine.command, command);
    make_absolute(engine.command.list);
    bench->engines = bench_realloc(bench->engines, (bench->engine_count + 1) * sizeof engine);
    bench->engines[bench->engine_count++] = engine;
    return engine.command.count > 0;
}

static bool add_peer(struct bench *bench, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals && equals != text && !find_engine(bench, text, (size_t)(equals - text)) &&
        add_engine(bench, text, (size_t)(equals - text), equals + 1)) {
        return true;
    }
    fprintf(stderr, "wasm-bench: --peer '%s' is not NAME=COMMAND with a new name\n", text);
    return false;
}

static bool set_peer_dir(struct bench *bench, const char *text)
{
    const char *equals = strchr(text, '=');
    struct bench_engine *engine = equals ? find_engine(bench, text, (size_t)(equals - text)) : NULL;
    if (!engine) {
        fprintf(stderr, "wasm-bench: --peer-dir '%s' names no peer given before it\n", text);
        return false;
    }
    free(engine->dir_format);
    engine->dir_format = bench_strdup(equals + 1);
    return true;
}

static bool set_number(const char *text, unsigned max, unsigned *out)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || !number || number > max) {
        fprintf(stderr, "wasm-bench: '%s' is not a number from 1 to %u\n", text, max);
        return false;
    }
    *out = (unsigned)number;
    return true;
}

static bool apply(struct bench *bench, int id, const char *value)
{
    switch (id) {
    case OPT_PEER: return add_peer(bench, value);
    case OPT_PEER_DIR: return set_peer_dir(bench, value);
    case OPT_OWN: bench->own = value; return true;
    case OPT_ROUNDS: return set_number(value, 10000, &bench->rounds);
    case OPT_JSON: bench->json = value; return true;
    case OPT_CORPUS: bench->corpus = value; return true;
    case OPT_MODULES: bench->modules = value; return true;
    case OPT_TIMEOUT: return set_number(value, 1000000, &bench->timeout_s);
    case OPT_LIST: bench->list = true; return true;
    case OPT_LOAD: bench->load = true; return true;
    case OPT_LATENCY: bench->latency = true; return true;
    case OPT_INSTANTIATE: bench->instantiate = true; return true;
    default: return false; /* getopt has said why */
    }
}

/* 0: go on; otherwise the exit code + 1. */
static int parse_options(struct bench *bench, int argc, char **argv)
{
    struct option longs[OPTION_COUNT + 1];
    memset(longs, 0, sizeof longs);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        longs[i].name = option_rows[i].name;
        longs[i].has_arg = option_rows[i].value ? required_argument : no_argument;
        longs[i].val = option_rows[i].id;
    }
    int id = 0;
    while ((id = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (id == OPT_HELP) {
            print_help();
            return 1;
        }
        if (!apply(bench, id, optarg)) {
            fputs("try 'wasm-bench --help'\n", stderr);
            return 3;
        }
    }
    return 0;
}

/* The first engine is known before the peers, whatever the order of the options. */
static void set_own(struct bench *bench)
{
    char self[PATH_MAX];
    struct bench_engine *engine = &bench->engines[0];
    if (bench->own) {
        bench_words_fini(&engine->command);
        memset(&engine->command, 0, sizeof engine->command);
        bench_words_split(&engine->command, bench->own);
        if (!strstr(bench->own, "{module}")) bench_words_split(&engine->command, own_default);
        make_absolute(engine->command.list);
        return;
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash) *slash = 0;
    free(engine->command.list[0]);
    engine->command.list[0] = bench_format("%s/wasmrun", self);
}

/* ---------------------------------------------------------------- workloads */

static bool selects(const char *word, const char *name)
{
    size_t length = strlen(word);
    return strcmp(word, name) == 0 || (strncmp(word, name, length) == 0 && name[length] == ':');
}

static bool choose(struct bench *bench, const char *word)
{
    bool found = false;
    for (size_t i = 0; i < bench->all.count; i++) {
        const struct bench_workload *workload = &bench->all.list[i];
        if (!selects(word, workload->name)) continue;
        size_t bytes = (bench->chosen_count + 1) * sizeof bench->chosen[0];
        bench->chosen = bench_realloc(bench->chosen, bytes);
        bench->chosen[bench->chosen_count++] = workload;
        found = true;
    }
    if (!found) fprintf(stderr, "wasm-bench: no workload '%s' (--list prints all)\n", word);
    return found;
}

static bool choose_from_list(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "wasm-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    char *line = NULL;
    size_t cap = 0;
    bool good = true;
    while (getline(&line, &cap, file) >= 0) {
        line[strcspn(line, "# \t\r\n")] = 0;
        if (line[0]) good &= choose(bench, line);
    }
    free(line);
    fclose(file);
    return good;
}

static bool load_corpus(struct bench *bench)
{
    const char *shared = getenv("WASMRUN_SHARED");
    char *corpus = bench->corpus ? bench_strdup(bench->corpus)
                   : shared      ? bench_format("%s/corpus", shared)
                                 : bench_strdup(WASM_BENCH_CORPUS);
    char *manifest = bench_format("%s/manifest.json", corpus);
    char *modules = bench->modules ? realpath(bench->modules, NULL) : NULL;
    bool good = bench_workloads_load(&bench->all, manifest, modules);
    free(modules);
    free(manifest);
    free(corpus);
    return good;
}

static bool load_workloads(struct bench *bench, int argc, char **argv)
{
    bool good = load_corpus(bench);
    for (int i = optind; good && i < argc; i++) {
        good = choose(bench, argv[i]);
    }
    if (good && optind == argc && !bench->list) good = choose_from_list(bench, WASM_BENCH_LIST);
    return good;
}

/* The files given, else all modules of the corpus, each once. */
static int run_load(struct bench *bench, int argc, char **argv)
{
    struct bench_words files = {0};
    for (int i = optind; i < argc; i++) bench_words_add(&files, bench_strdup(argv[i]));
    if (!files.count && load_corpus(bench)) {
        for (size_t i = 0; i < bench->all.count; i++) {
            const char *module = bench->all.list[i].module;
            bool is_new = i == 0 || strcmp(module, bench->all.list[i - 1].module) != 0;
            if (is_new) bench_words_add(&files, bench_strdup(module));
        }
    }
    int code = 2;
    if (files.count) code = bench_load_main(&files, bench->rounds ? bench->rounds : 7, bench->json);
    bench_words_fini(&files);
    return code;
}

static int run_instantiate(const struct bench *bench, int argc, char **argv)
{
    struct bench_words files = {0};
    for (int i = optind; i < argc; i++) bench_words_add(&files, bench_strdup(argv[i]));
    int code = bench_instantiate_main(&files, bench->rounds ? bench->rounds : 101, bench->json);
    bench_words_fini(&files);
    return code;
}

/* ---------------------------------------------------------------- rounds */

/* Engines must agree with each other where the corpus does not say what is right. */
static void check_same(const struct bench_run *first, struct bench_run *run)
{
    if (first->good && run->good && strcmp(first->sha256, run->sha256) != 0) {
        run->good = false;
        snprintf(run->problem, sizeof run->problem, "output differs from the first engine's");
    }
}

static void run_round(const struct bench *bench, const struct bench_results *results,
                      const char *scratch, unsigned round)
{
    size_t count = bench->engine_count;
    struct bench_run *runs = bench_realloc(NULL, count * sizeof runs[0]);
    for (size_t w = 0; w < bench->chosen_count; w++) {
        /* Each round begins with another engine, so that none always runs first. */
        for (size_t k = 0; k < count; k++) {
            size_t e = (k + round) % count;
            bench_run_once(&bench->engines[e], bench->chosen[w], scratch, bench->timeout_s,
                           &runs[e]);
        }
        for (size_t e = 0; e < count; e++) {
            check_same(&runs[0], &runs[e]);
            bench_cell_add(bench_results_cell(results, w, e), &runs[e]);
        }
    }
    free(runs);
}

static bool any_problem(const struct bench_results *results)
{
    bool found = false;
    for (size_t i = 0; i < results->workload_count * results->engine_count; i++) {
        found |= results->cells[i].problem[0] != 0;
    }
    return found;
}

static int run_all(struct bench *bench)
{
    const char *tmp = getenv("TMPDIR");
    char *scratch = bench_format("%s/wasm-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(scratch)) {
        fprintf(stderr, "wasm-bench: %s: %s\n", scratch, strerror(errno));
        free(scratch);
        return 2;
    }
    size_t cells = bench->chosen_count * bench->engine_count;
    struct bench_results results = {bench->engines, bench->engine_count, bench->chosen,
                                    bench->chosen_count,
                                    bench_realloc(NULL, cells * sizeof results.cells[0])};
    memset(results.cells, 0, cells * sizeof results.cells[0]);
    for (unsigned round = 0; round < bench->rounds; round++) {
        fprintf(stderr, "round %u of %u\n", round + 1, bench->rounds);
        run_round(bench, &results, scratch, round);
    }
    bench_results_print(&results, stdout);
    int code = any_problem(&results) ? 1 : 0;
    if (bench->json && !bench_results_write_json(&results, bench->json)) {
        fprintf(stderr, "wasm-bench: cannot write %s\n", bench->json);
        code = 2;
    }
    for (size_t i = 0; i < cells; i++) {
        free(results.cells[i].cpu_ms);
        free(results.cells[i].wall_ms);
    }
    free(results.cells);
    bench_remove_tree(scratch);
    free(scratch);
    return code;
}

static int run_programs(struct bench *bench, int argc, char **argv)
{
    set_own(bench);
    if (!bench->rounds) bench->rounds = 5;
    if (!load_workloads(bench, argc, argv)) return 2;
    for (size_t i = 0; bench->list && i < bench->all.count; i++) puts(bench->all.list[i].name);
    return bench->list ? 0 : run_all(bench);
}

static void fini(struct bench *bench)
{
    for (size_t i = 0; i < bench->engine_count; i++) {
        free(bench->engines[i].name);
        free(bench->engines[i].dir_format);
        free(bench->engines[i].env_format);
        bench_words_fini(&bench->engines[i].command);
    }
    free(bench->engines);
    free(bench->chosen);
    bench_workloads_fini(&bench->all);
}

int main(int argc, char **argv)
{
    struct bench bench = {.timeout_s = 300};
    char *own = bench_format("wasmrun %s", own_default);
    add_engine(&bench, "wasmrun", strlen("wasmrun"), own);
    free(own);
    int code = parse_options(&bench, argc, argv);
    if (code) {
        fini(&bench);
        return code - 1;
    }
    if (bench.load) {
        code = run_load(&bench, argc, argv);
    } else if (bench.latency) {
        code = bench_latency_main(bench.rounds ? bench.rounds : 200, bench.json);
    } else if (bench.instantiate) {
        code = run_instantiate(&bench, argc, argv);
    } else {
        code = run_programs(&bench, argc, argv);
    }
    fini(&bench);
    return code;
}
