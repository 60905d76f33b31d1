/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - the list of commands, the options before them, and walking those of a command. */
#include "common/text.h"
#include "oci/oci.h"
#include "wasmrun.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct wrap_command *const commands[] = {
    &wrap_oci_create, &wrap_oci_start,  &wrap_oci_run,      &wrap_oci_state,
    &wrap_oci_kill,   &wrap_oci_delete, &wrap_oci_list,     &wrap_oci_ps,
    &wrap_oci_exec,   &wrap_oci_pause,  &wrap_oci_resume,   &wrap_oci_update,
    &wrap_oci_events, &wrap_oci_spec,   &wrap_oci_features, &wrap_oci_completion,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct wrap_command *const *wrap_oci_commands(size_t *count)
{
    *count = COMMANDS;
    return commands;
}

const struct wrap_command *wrap_oci_find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- before the command */

enum { OPT_ROOT = 1, OPT_LOG, OPT_LOG_FORMAT, OPT_SYSTEMD, OPT_DEBUG, OPT_ROOTLESS, OPT_CRIU };

// clang-format off
static const struct wrap_option global_options[] = {
    {"root",           0, "DIR",             OPT_ROOT,       "where states are kept (" WRAP_OCI_ROOT ")"},
    {"log",            0, "FILE",            OPT_LOG,        "append messages to FILE"},
    {"log-format",     0, "text|json",       OPT_LOG_FORMAT, "of that file (text)"},
    {"systemd-cgroup", 0, NULL,              OPT_SYSTEMD,    "control groups are systemd's scopes"},
    {"debug",          0, NULL,              OPT_DEBUG,      "more messages in the log"},
    {"rootless",       0, "auto|true|false", OPT_ROOTLESS,   "whether privilege is lacking (auto)"},
    {"criu",           0, "FILE",            OPT_CRIU,       "accepted for Linux containers"},
};
// clang-format on
const struct wrap_command wrap_oci_global_command = {
    .name = "",
    .usage = WRAP_OCI_PROGRAM " [OPTIONS] COMMAND [OPTIONS] ...",
    .summary = "An OCI runtime for WebAssembly; Linux containers are given to runc or crun.",
    .options = global_options,
    .option_count = sizeof global_options / sizeof global_options[0],
};

static struct wrap_oci globals = {.root = WRAP_OCI_ROOT};

const struct wrap_oci *wrap_oci_globals(void) { return &globals; }

void wrap_oci_set(const struct wrap_oci *values) { globals = *values; }

/* As the kernel's own user namespace has it: all numbers, each for itself. */
static bool is_rootless(void)
{
    unsigned inside = 1;
    unsigned outside = 1;
    unsigned count = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    int got = map ? fscanf(map, "%u %u %u", &inside, &outside, &count) : 3;
    if (map) fclose(map);
    return geteuid() != 0 || got != 3 || (map && (inside || outside || count != UINT32_MAX));
}

static bool take_rootless(const char *value)
{
    static const char *const known[] = {"auto", "true", "false"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], value) == 0) {
            globals.rootless = i ? i == 1 : globals.rootless;
            return true;
        }
    }
    wrap_say("option '--rootless': '%s' is neither auto, true nor false", value);
    return false;
}

static void choose_root(void)
{
    static char path[PATH_MAX];
    const char *run = getenv("XDG_RUNTIME_DIR");
    if (globals.root_given || !globals.rootless || !run || run[0] != '/') return;
    if ((size_t)snprintf(path, sizeof path, "%s/" WRAP_OCI_PROGRAM, run) < sizeof path) {
        globals.root = path;
    }
}

static bool take_global(int id, const char *value)
{
    switch (id) {
    case OPT_ROOT:
        if (value[0] != '/') {
            wrap_say("option '--root' needs an absolute path, not '%s'", value);
            return false;
        }
        globals.root = value;
        globals.root_given = true;
        return true;
    case OPT_LOG: globals.log = value; return true;
    case OPT_LOG_FORMAT:
        globals.log_json = strcmp(value, "json") == 0;
        if (!globals.log_json && strcmp(value, "text") != 0) {
            wrap_say("option '--log-format': '%s' is neither text nor json", value);
            return false;
        }
        return true;
    case OPT_SYSTEMD: globals.systemd_cgroup = true; return true;
    case OPT_DEBUG: globals.debug = true; return true;
    case OPT_ROOTLESS: return take_rootless(value);
    default: return true;
    }
}

static void print_version(void)
{
    printf(WRAP_OCI_PROGRAM " version %s\nspec: " WRAP_OCI_SPEC_VERSION "\n", wr_version());
}

static void print_overview(void)
{
    wrap_opts_help(&wrap_oci_global_command);
    puts("\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    }
    puts("\n'" WRAP_OCI_PROGRAM " COMMAND --help' lists the options of a command.");
}

int wrap_oci_parse_globals(int argc, char **argv, int *code)
{
    struct wrap_opts opts = {
        .command = &wrap_oci_global_command, .argc = argc, .argv = argv, .at = 1};
    globals = (struct wrap_oci){.root = WRAP_OCI_ROOT, .argv = argv, .rootless = is_rootless()};
    *code = WRAP_OCI_FAILED;
    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        print_version();
        *code = 0;
        return 0;
    }
    for (int id; (id = wrap_opts_next(&opts)) != WRAP_OPTS_END;) {
        if (id == WRAP_OPT_HELP || id == WRAP_OPT_VERSION) {
            id == WRAP_OPT_HELP ? print_overview() : print_version();
            *code = 0;
            return 0;
        }
        if (id == WRAP_OPTS_BAD || !take_global(id, opts.value)) {
            return 0;
        }
    }
    wrap_say_as(WRAP_OCI_PROGRAM, wrap_oci_log_error, false);
    choose_root();
    if (opts.at < argc && strcmp(argv[opts.at], "help") == 0) {
        print_overview();
        *code = 0;
        return 0;
    }
    if (opts.at >= argc) {
        wrap_say("no command given; try '" WRAP_OCI_PROGRAM " --help'");
        return 0;
    }
    return opts.at;
}

/* ---------------------------------------------------------------- of a command */

int wrap_oci_parse(struct wrap_opts *opts, wrap_oci_take take, void *out, const int words[2],
                   int *code)
{
    *code = WRAP_OCI_FAILED;
    for (int id; (id = wrap_opts_next(opts)) != WRAP_OPTS_END;) {
        struct wrap_error err = {0};
        if (id == WRAP_OPT_HELP || id == WRAP_OPT_VERSION) {
            id == WRAP_OPT_HELP ? wrap_opts_help(opts->command) : print_version();
            *code = 0;
            return -1;
        }
        if (id == WRAP_OPTS_BAD) {
            return -1;
        }
        if (take && !take(out, id, opts->value, &err)) {
            *code = wrap_oci_complain(&err);
            return -1;
        }
    }
    int count = opts->argc - opts->at;
    if (count < words[0] || (words[1] >= 0 && count > words[1])) {
        wrap_say("%s: %s; usage: %s", opts->command->name,
                 count < words[0] ? "something is missing" : "too many words",
                 opts->command->usage);
        return -1;
    }
    return opts->at;
}

bool wrap_oci_number(const char *name, const char *value, long long *out, struct wrap_error *err)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(value, &end, 10);
    return (!errno && end != value && !*end) ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "option '--%s': '%.60s' is no number", name,
                     value);
}
