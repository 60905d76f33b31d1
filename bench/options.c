/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of wasm-bench: options, the engines that they name, the help text.
 */
#include "runner.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char own_default[] = "{dirs} {envs} {module} {args}";

enum option_id {
    OPT_HELP = 'h',
    OPT_PEER = 256,
    OPT_PEER_DIR,
    OPT_PEER_BASE,
    OPT_OWN,
    OPT_SET,
    OPT_LABEL,
    OPT_HTML,
    OPT_HISTORY,
    OPT_PROGRAMS,
    OPT_INPUTS,
    OPT_CHECK,
    OPT_INSTRUCTIONS,
    OPT_REPORT,
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
    {"set",       "SET",          OPT_SET,       "of workloads.list; repeatable (training, validation, fixed)"},
    {"peer",      "NAME=COMMAND", OPT_PEER,      "also time this command; repeatable"},
    {"peer-dir",  "NAME=FORMAT",  OPT_PEER_DIR,  "what {dirs} becomes for that peer, for each directory"},
    {"peer-base", "NAME=COMMAND", OPT_PEER_BASE, "subtract the time of this command from that peer's"},
    {"own",       "COMMAND",      OPT_OWN,       "the first column (the wasmrun beside this program)"},
    {"rounds",    "N",            OPT_ROUNDS,    "rounds, engines interleaved (5; 7 for loads, 200 interrupts)"},
    {"json",      "FILE",         OPT_JSON,      "also write all figures there"},
    {"html",      "FILE",         OPT_HTML,      "also write a page with charts there"},
    {"history",   "FILE",         OPT_HISTORY,   "earlier --json for the page's lines; repeatable, oldest first"},
    {"label",     "TEXT",         OPT_LABEL,     "the name of this run in JSON and charts"},
    {"timeout",   "SECONDS",      OPT_TIMEOUT,   "CPU time after which a run is killed (300)"},
    {"corpus",    "DIR",          OPT_CORPUS,    "where manifest.json and the programs are"},
    {"modules",   "DIR",          OPT_MODULES,   "where fetched modules are (NAME.wasm)"},
    {"programs",  "DIR",          OPT_PROGRAMS,  "where the compiled programs of bench/workloads are"},
    {"inputs",    "DIR",          OPT_INPUTS,    "where the files that bench/fixed.py writes are"},
    {"instructions", NULL,        OPT_INSTRUCTIONS, "count instructions (valgrind, one round) instead of time"},
    {"list",      NULL,           OPT_LIST,      "print the workloads there are"},
    {"check",     NULL,           OPT_CHECK,     "instead: run each own program once, tiny, and compare"},
    {"report",    NULL,           OPT_REPORT,    "instead: the page from the --json files that are given"},
    {"load",      NULL,           OPT_LOAD,      "instead: what loading FILEs (the corpus) costs, in process"},
    {"latency",   NULL,           OPT_LATENCY,   "instead: how soon an interrupt stops the guest"},
    {"instantiate", NULL,         OPT_INSTANTIATE, "instead: what the instances of generated modules and FILEs cost"},
    {"help",      NULL,           OPT_HELP,      "print this text (also -h)"},
};
// clang-format on
enum { OPTION_COUNT = sizeof option_rows / sizeof option_rows[0] };

static void print_help(void)
{
    puts(
        "usage: wasm-bench [OPTIONS] [WORKLOAD...]\n"
        "       wasm-bench --report --html FILE JSON...\n"
        "       wasm-bench --load [--rounds N] [--json FILE] [--modules DIR] [FILE...]\n"
        "       wasm-bench --latency [--rounds N] [--json FILE]\n"
        "Times the programs of bench/workloads.list (or those named: NAME or NAME:RUN) on wasmrun\n"
        "and on peers, and compares what they print.\n\nOptions:");
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
         "Ratios are other/first: above 1, the first column is faster.\n"
         "Exit: 0, 1 when a run failed or outputs differ, 2 for a usage or file error.");
}

static struct bench_engine *find_engine(struct bench_options *options, const char *name,
                                        size_t length)
{
    for (size_t i = 0; i < options->engine_count; i++) {
        struct bench_engine *engine = &options->engines[i];
        if (strlen(engine->name) == length && memcmp(engine->name, name, length) == 0) {
            return engine;
        }
    }
    return NULL;
}

/* Commands run in another directory: words that name a file must become absolute paths. */
static void make_absolute_word(char **word)
{
    char *real = strchr(*word, '/') ? realpath(*word, NULL) : NULL;
    if (!real) return;
    free(*word);
    *word = real;
}

static void make_absolute(struct bench_words *words)
{
    for (size_t i = 0; i < words->count; i++) make_absolute_word(&words->list[i]);
}

static bool add_engine(struct bench_options *options, const char *name, size_t length,
                       const char *command)
{
    struct bench_engine engine = {.name = bench_format("%.*s", (int)length, name),
                                  .dir_format = bench_strdup("--dir={host}::{guest}"),
                                  .env_format = bench_strdup("--env={env}")};
    bench_words_split(&engine.command, command);
    make_absolute(&engine.command);
    options->engines = bench_realloc(options->engines, (options->engine_count + 1) * sizeof engine);
    options->engines[options->engine_count++] = engine;
    return engine.command.count > 0;
}

static bool add_peer(struct bench_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals && equals != text && !find_engine(options, text, (size_t)(equals - text)) &&
        add_engine(options, text, (size_t)(equals - text), equals + 1)) {
        return true;
    }
    fprintf(stderr, "wasm-bench: --peer '%s' is not NAME=COMMAND with a new name\n", text);
    return false;
}

/* NAME=VALUE for a peer that was given before; its VALUE in `value`. */
static struct bench_engine *peer_of(struct bench_options *options, const char *text,
                                    const char **value)
{
    const char *equals = strchr(text, '=');
    struct bench_engine *engine =
        equals ? find_engine(options, text, (size_t)(equals - text)) : NULL;
    if (!engine) fprintf(stderr, "wasm-bench: '%s' names no peer given before it\n", text);
    *value = equals ? equals + 1 : "";
    return engine;
}

static bool set_peer_dir(struct bench_options *options, const char *text)
{
    const char *format = NULL;
    struct bench_engine *engine = peer_of(options, text, &format);
    if (!engine) return false;
    free(engine->dir_format);
    engine->dir_format = bench_strdup(format);
    return true;
}

static bool set_peer_base(struct bench_options *options, const char *text)
{
    const char *command = NULL;
    struct bench_engine *engine = peer_of(options, text, &command);
    if (!engine || engine->base.count) return false;
    bench_words_split(&engine->base, command);
    make_absolute(&engine->base);
    return engine->base.count > 0;
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

static bool apply(struct bench_options *options, int id, const char *value)
{
    switch (id) {
    case OPT_SET: bench_words_add(&options->sets, bench_strdup(value)); return true;
    case OPT_PEER: return add_peer(options, value);
    case OPT_PEER_DIR: return set_peer_dir(options, value);
    case OPT_PEER_BASE: return set_peer_base(options, value);
    case OPT_OWN: options->own = value; return true;
    case OPT_ROUNDS: return set_number(value, 10000, &options->rounds);
    case OPT_JSON: options->json = value; return true;
    case OPT_HTML: options->html = value; return true;
    case OPT_HISTORY: bench_words_add(&options->history, bench_strdup(value)); return true;
    case OPT_LABEL: options->label = value; return true;
    case OPT_TIMEOUT: return set_number(value, 1000000, &options->timeout_s);
    case OPT_CORPUS: options->corpus = value; return true;
    case OPT_MODULES: options->modules = value; return true;
    case OPT_PROGRAMS: options->programs = value; return true;
    case OPT_INPUTS: options->inputs = value; return true;
    case OPT_INSTRUCTIONS: options->instructions = true; return true;
    case OPT_LIST: options->list = true; return true;
    case OPT_CHECK: options->check = true; return true;
    case OPT_REPORT: options->report = true; return true;
    case OPT_LOAD: options->load = true; return true;
    case OPT_LATENCY: options->latency = true; return true;
    case OPT_INSTANTIATE: options->instantiate = true; return true;
    default: return false; /* getopt has said why */
    }
}

static int parse(struct bench_options *options, int argc, char **argv)
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
        if (!apply(options, id, optarg)) {
            fputs("try 'wasm-bench --help'\n", stderr);
            return 3;
        }
    }
    return 0;
}

/* The first engine is known before the peers, whatever the order of the options. */
static void set_own(struct bench_options *options)
{
    char self[PATH_MAX];
    struct bench_engine *engine = &options->engines[0];
    if (options->own) {
        bench_words_fini(&engine->command);
        memset(&engine->command, 0, sizeof engine->command);
        bench_words_split(&engine->command, options->own);
        if (!strstr(options->own, "{module}")) bench_words_split(&engine->command, own_default);
        make_absolute(&engine->command);
        return;
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash) *slash = 0;
    free(engine->command.list[0]);
    engine->command.list[0] = bench_format("%s/wasmrun", self);
}

int bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    char *own = bench_format("wasmrun %s", own_default);
    memset(options, 0, sizeof *options);
    options->timeout_s = 300;
    add_engine(options, "wasmrun", strlen("wasmrun"), own);
    free(own);
    int code = parse(options, argc, argv);
    if (code) return code;
    for (int i = optind; i < argc; i++) bench_words_add(&options->names, bench_strdup(argv[i]));
    set_own(options);
    for (size_t e = 0; e < options->engine_count; e++) {
        options->engines[e].is_counted = options->instructions;
    }
    return 0;
}

void bench_options_fini(struct bench_options *options)
{
    for (size_t i = 0; i < options->engine_count; i++) {
        free(options->engines[i].name);
        free(options->engines[i].dir_format);
        free(options->engines[i].env_format);
        bench_words_fini(&options->engines[i].command);
        bench_words_fini(&options->engines[i].base);
    }
    free(options->engines);
    bench_words_fini(&options->sets);
    bench_words_fini(&options->history);
    bench_words_fini(&options->names);
}
