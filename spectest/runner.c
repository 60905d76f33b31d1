/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - wasm-spectest: options, finding the scripts, the final count. */
#include "spectest.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fts.h>

struct runner {
    struct spec_context ctx;
    const char *filter;
    const char *skip_list;
    unsigned timeout_s;
    char **scripts;
    size_t count;
    size_t cap;
};

/* ---------------------------------------------------------------- options */

enum option_id {
    OPT_HELP = 'h',
    OPT_VERBOSE = 'v',
    OPT_FILTER = 256,
    OPT_BACKEND,
    OPT_MEMORY,
    OPT_SKIP_LIST,
    OPT_MAX_MEMORY,
    OPT_TIMEOUT,
    OPT_VERSION
};

struct option_row {
    const char *name;
    const char *value; /* NULL: a switch */
    int id;
    const char *help;
};

// clang-format off
static const struct option_row option_rows[] = {
    {"verbose",   NULL,                  OPT_VERBOSE,   "print every command (also -v)"},
    {"filter",    "SUBSTR",              OPT_FILTER,    "only scripts whose path holds SUBSTR"},
    {"backend",   "auto|tail|tail-v3|loop",    OPT_BACKEND,   "which interpreter loop to test"},
    {"memory",    "auto|guard|explicit", OPT_MEMORY,    "how memory accesses are checked"},
    {"max-memory", "MIB",                OPT_MAX_MEMORY, "limit of a script's memories together"},
    {"skip-list", "FILE",                OPT_SKIP_LIST, "lines `script.json:LINE reason` (LINE * is all)"},
    {"timeout",   "SECONDS",             OPT_TIMEOUT,   "cancel a call after this long (60)"},
    {"help",      NULL,                  OPT_HELP,      "print this text (also -h)"},
    {"version",   NULL,                  OPT_VERSION,   "print the version"},
};
// clang-format on
enum { OPTION_COUNT = sizeof option_rows / sizeof option_rows[0] };

static void print_help(void)
{
    puts("usage: wasm-spectest [OPTIONS] PATH...\n"
         "Runs WebAssembly conformance scripts (.json); a directory is searched for them.\n"
         "\nOptions:");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", option_rows[i].name,
                 option_rows[i].value ? " " : "", option_rows[i].value ? option_rows[i].value : "");
        printf("  %-30s %s\n", left, option_rows[i].help);
    }
    puts("\nThe last line is `N passed, N failed, N skipped`. Exit: 0, 1 when something failed,\n"
         "2 for a usage or file error.");
}

/* The index of the name is the choice; NULL ends the names. */
static bool choose(const char *text, const char *const *names, int *out)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    fprintf(stderr, "wasm-spectest: '%s' is none of %s, %s, %s%s%s\n", text, names[0], names[1],
            names[2], names[3] ? ", " : "", names[3] ? names[3] : "");
    return false;
}

static bool apply(struct runner *runner, int id, const char *value)
{
    static const char *const backends[] = {"auto", "tail", "loop", "tail-v3", NULL};
    static const char *const memories[] = {"auto", "guard", "explicit", NULL};
    int choice = 0;
    char *end = NULL;
    switch (id) {
    case OPT_VERBOSE: runner->ctx.verbose = true; return true;
    case OPT_FILTER: runner->filter = value; return true;
    case OPT_SKIP_LIST: runner->skip_list = value; return true;
    case OPT_BACKEND:
        if (!choose(value, backends, &choice)) {
            return false;
        }
        runner->ctx.store_config.backend = (wr_backend_t)choice;
        return true;
    case OPT_MEMORY:
        if (!choose(value, memories, &choice)) {
            return false;
        }
        runner->ctx.store_config.memory_mode = (wr_memory_mode_t)choice;
        return true;
    case OPT_MAX_MEMORY:
        runner->ctx.store_config.max_memory_bytes = (uint64_t)strtoul(value, &end, 10) << 20;
        if (*end || !runner->ctx.store_config.max_memory_bytes) {
            fprintf(stderr, "wasm-spectest: bad memory limit '%s'\n", value);
            return false;
        }
        return true;
    case OPT_TIMEOUT:
        runner->timeout_s = (unsigned)strtoul(value, &end, 10);
        if (*end || !runner->timeout_s || runner->timeout_s > 100000) {
            fprintf(stderr, "wasm-spectest: bad timeout '%s'\n", value);
            return false;
        }
        return true;
    default: return false; /* getopt has said why */
    }
}

/* 0: go on; otherwise the exit code + 1. */
static int parse_options(struct runner *runner, int argc, char **argv)
{
    struct option longs[OPTION_COUNT + 1];
    memset(longs, 0, sizeof longs);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        longs[i].name = option_rows[i].name;
        longs[i].has_arg = option_rows[i].value ? required_argument : no_argument;
        longs[i].val = option_rows[i].id;
    }
    int id = 0;
    while ((id = getopt_long(argc, argv, "hv", longs, NULL)) != -1) {
        if (id == OPT_HELP) {
            print_help();
            return 1;
        }
        if (id == OPT_VERSION) {
            printf("wasm-spectest %s\n", wr_version());
            return 1;
        }
        if (!apply(runner, id, optarg)) {
            fputs("try 'wasm-spectest --help'\n", stderr);
            return 3;
        }
    }
    if (optind == argc) {
        fputs("wasm-spectest: no script or directory given\ntry 'wasm-spectest --help'\n", stderr);
        return 3;
    }
    return 0;
}

/* ---------------------------------------------------------------- scripts */

static void add_script(struct runner *runner, const char *path)
{
    if (runner->filter && !strstr(path, runner->filter)) {
        return;
    }
    if (runner->count == runner->cap) {
        runner->cap = runner->cap ? runner->cap * 2 : 64;
        runner->scripts = spec_realloc(runner->scripts, runner->cap * sizeof runner->scripts[0]);
    }
    runner->scripts[runner->count++] = spec_strdup(path);
}

static int by_name(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static bool is_script(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static bool find_scripts(struct runner *runner, char *path)
{
    char *const roots[] = {path, NULL};
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        path[--length] = 0;
    }
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk) {
        fprintf(stderr, "wasm-spectest: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = true;
    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk)) {
        bool file = entry->fts_info == FTS_F;
        if (file && (entry->fts_level == FTS_ROOTLEVEL || is_script(entry->fts_name))) {
            add_script(runner, entry->fts_path);
        } else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                   entry->fts_info == FTS_NS || entry->fts_info == FTS_SLNONE) {
            fprintf(stderr, "wasm-spectest: %s: %s\n", entry->fts_path,
                    strerror(entry->fts_errno ? entry->fts_errno : ENOENT));
            good = false;
        }
    }
    fts_close(walk);
    return good;
}

/* The build says where the tree's own list is; without it (an installed program) there is none. */
#ifndef WASMRUN_SKIP_LIST
#define WASMRUN_SKIP_LIST ""
#endif

static bool load_skip_list(struct runner *runner)
{
    if (runner->skip_list) {
        return spec_skip_list_load(&runner->ctx.skips, runner->skip_list);
    }
    if (access(WASMRUN_SKIP_LIST, R_OK) != 0) {
        return true;
    }
    return spec_skip_list_load(&runner->ctx.skips, WASMRUN_SKIP_LIST);
}

static bool run_all(struct runner *runner)
{
    bool good = true;
    if (!spec_watchdog_start(&runner->ctx.dog, runner->timeout_s)) {
        fputs("wasm-spectest: cannot start a thread\n", stderr);
        return false;
    }
    spec_crash_install();
    for (size_t i = 0; i < runner->count; i++) {
        good &= spec_script_run(&runner->ctx, runner->scripts[i]);
    }
    spec_watchdog_stop(&runner->ctx.dog);
    return good;
}

int main(int argc, char **argv)
{
    struct runner runner = {.timeout_s = 60};
    int done = parse_options(&runner, argc, argv);
    if (done) {
        return done - 1;
    }
    bool good = load_skip_list(&runner);
    for (int i = optind; i < argc; i++) {
        good &= find_scripts(&runner, argv[i]);
    }
    if (good && !runner.count) {
        fputs("wasm-spectest: no script found\n", stderr);
        good = false;
    }
    if (good) {
        good = run_all(&runner);
        spec_tally_print(&runner.ctx.tally);
    }
    int code = !good ? 2 : runner.ctx.tally.failed ? 1 : 0;
    for (size_t i = 0; i < runner.count; i++) {
        free(runner.scripts[i]);
    }
    free(runner.scripts);
    spec_tally_fini(&runner.ctx.tally);
    spec_skip_list_fini(&runner.ctx.skips);
    return code;
}
