/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - `wasmrun [run]`: its options; what they lead to is in guest.c. */
#include "run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum run_option {
    RUN_DIR = 1,
    RUN_MAPDIR,
    RUN_VOLUME,
    RUN_CWD,
    RUN_ENV,
    RUN_ENV_INHERIT,
    RUN_ENV_FILE,
    RUN_STDIN,
    RUN_PRELOAD,
    RUN_INVOKE,
    RUN_ARGV0,
    RUN_MAX_MEMORY,
    RUN_MAX_STACK,
    RUN_MAX_THREADS,
    RUN_TIMEOUT,
    RUN_FUEL,
    RUN_PROFILE,
    RUN_COREDUMP,
    RUN_STATS,
    RUN_ERROR_FORMAT,
    RUN_SANDBOX,
    RUN_BACKEND,
    RUN_MEMORY
};

// clang-format off
static const struct wrap_option run_options[] = {
    {"dir",          0,   "HOST[::GUEST][:ro]", RUN_DIR,          "let the guest use a directory; repeatable"},
    {"mapdir",       0,   "GUEST::HOST",        RUN_MAPDIR,       "the same the other way around; repeatable"},
    {"volume",       'v', "HOST:GUEST[:ro]",    RUN_VOLUME,       "the same with one colon; repeatable"},
    {"cwd",          0,   "DIR",                RUN_CWD,          "the guest's working directory, as it sees it"},
    {"env",          0,   "K[=V]",              RUN_ENV,          "set a variable, or pass on the host's; repeatable"},
    {"env-inherit",  0,   NULL,                 RUN_ENV_INHERIT,  "pass on all variables of the host"},
    {"env-file",     0,   "FILE",               RUN_ENV_FILE,     "variables from a file, K[=V] a line; repeatable"},
    {"stdin",        0,   "FILE",               RUN_STDIN,        "standard input from a file (inherited)"},
    {"preload",      0,   "NAME=FILE",          RUN_PRELOAD,      "offer a module's exports as NAME; repeatable"},
    {"invoke",       0,   "FUNC",               RUN_INVOKE,       "call this export with ARGS, print its results"},
    {"argv0",        0,   "NAME",               RUN_ARGV0,        "the guest's name (FILE without directory, .wasm)"},
    {"config",       0,   "FILE",               WRAP_OPT_CONFIG,  "take options from a JSON file; repeatable"},
    {"max-memory",   0,   "SIZE",               RUN_MAX_MEMORY,   "limit of all linear memory (4g for each); k, m, g"},
    {"max-stack",    0,   "SIZE",               RUN_MAX_STACK,    "size of the call stack (8m)"},
    {"max-threads",  0,   "COUNT",              RUN_MAX_THREADS,  "how many threads the guest may make at a time (256)"},
    {"timeout",      0,   "TIME",               RUN_TIMEOUT,      "end the guest after 5, 500ms, 2s, 1m (none)"},
    {"fuel",         0,   "COUNT",              RUN_FUEL,         "end the guest after so many instructions (none)"},
    {"profile",      0,   "FILE.svg|.folded",   RUN_PROFILE,      "sample the guest's functions into a file"},
    {"coredump",     0,   "FILE",               RUN_COREDUMP,     "write the guest's state there when it traps"},
    {"stats",        0,   NULL,                 RUN_STATS,        "print times, translated code and memory at the end"},
    {"error-format", 0,   "text|json",          RUN_ERROR_FORMAT, "how messages on stderr are written (text)"},
    {"sandbox",      0,   "auto|strict|off",    RUN_SANDBOX,      "give up what the guest does not need (" WRAP_SANDBOX_DEFAULT_NAME ")"},
    {"backend",      0,   "auto|tail|tail-v3|loop", RUN_BACKEND,  "engine: which interpreter loop (auto)"},
    {"memory",       0,   "auto|guard|explicit", RUN_MEMORY,      "engine: how memory accesses are checked (auto)"},
    WRAP_FEATURES_OPTION,
    WRAP_NET_OPTIONS,
};
// clang-format on

static const char run_notes[] =
    "Everything after FILE is given to the guest. FILE - is a module read from stdin.\n"
    "Nothing is given to the guest unless asked for: no directories, no environment.\n"
    "--dir: GUEST is HOST as written when left out; :ro makes all below it read-only.\n"
    "--cwd: sets PWD, and gives the directory once more as '.' unless there is a '/'.\n"
    "--config: {\"module\": FILE, \"args\": [...], \"dir\": [...], \"stats\": true, ...}; options\n"
    "further right win. $NO_COLOR turns colours off.\n"
    "\n"
    "A command module is entered at its export _start. With --invoke the export\n"
    "_initialize, if there is one, is called first (as it is of each --preload, in\n"
    "order, with the same directories and streams); integers are decimal or 0x\n"
    "hexadecimal, floats also nan and inf, references null; results are one a line.\n"
    "\n" WRAP_NET_NOTES
    "A module that imports wasi.thread-spawn may make threads; --max-threads 0 forbids\n"
    "it. The first that traps or exits, and the main one's end, end all of them.\n"
    "--profile looks 1000 times a second which functions are running, at their next\n"
    "call or taken branch; .svg is a flame graph, .folded one line for each stack.\n"
    "\n"
    "--sandbox: before the guest runs, wasmrun gives up for good: programs (execve),\n"
    "executable memory, new sockets, files outside of the guest's directories. auto\n"
    "says what the kernel lacks, strict fails then.\n"
    "\n"
    "Limits without an option: 10,000,000 table elements, 10,000 instances, 1 GiB a\n"
    "module, 1 MiB of arguments and environment, 1,024 vectors of one read or write.\n"
    "\n"
    "Exit codes: the guest's own (its low 8 bits; 0 when it returns), or\n"
    "  124  --timeout is over, or --fuel used up\n"
    "  125  the command line is wrong, or what wasmrun prints cannot be written\n"
    "  126  the module is invalid, cannot be linked or cannot be read\n"
    "  127  no such file\n"
    "  134  a trap or an uncaught exception\n"
    "A guest may itself end with 124 to 134: then nothing is printed by wasmrun.\n";

/* ---------------------------------------------------------------- values of options */

static bool set_size(const char *option, const char *value, uint64_t *out)
{
    if (wrap_parse_size(value, out)) {
        return true;
    }
    wrap_say("--%s '%s' is not a size like 65536, 512k, 64m or 2g", option, value);
    return false;
}

static bool set_timeout(struct wrap_run_options *run, const char *value)
{
    if (wrap_parse_duration(value, &run->timeout_ns)) {
        return true;
    }
    wrap_say("--timeout '%s' is not a time like 5, 500ms, 2s or 1m", value);
    return false;
}

/* A decimal number of at most `max`. */
static bool read_count(const char *value, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoull(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && !*end && errno == 0 && *out <= max;
}

static bool set_fuel(struct wrap_run_options *run, const char *value)
{
    run->store.use_fuel = true;
    if (read_count(value, UINT64_MAX, &run->fuel)) {
        return true;
    }
    wrap_say("--fuel '%s' is not a number of instructions", value);
    return false;
}

static bool set_max_threads(struct wrap_run_options *run, const char *value)
{
    enum { MOST = 65536 };
    uint64_t count = 0;
    if (read_count(value, MOST, &count)) {
        run->max_threads = (uint32_t)count;
        return true;
    }
    wrap_say("--max-threads '%s' is not a number from 0 to %d", value, MOST);
    return false;
}

static bool set_profile(struct wrap_run_options *run, const char *value)
{
    run->profile = value;
    if (wrap_profile_path_good(value)) {
        return true;
    }
    wrap_say("--profile '%s' ends neither in .svg (a flame graph) nor in .folded (stacks)", value);
    return false;
}

/* The index of a word is its choice; the first is the default. NULL ends the words. */
static bool set_choice(const char *option, const char *value, const char *const *words, int *out)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return true;
        }
    }
    char all[128] = "";
    for (int i = 0; words[i]; i++) {
        size_t length = strlen(all);
        snprintf(all + length, sizeof all - length, "%s%s", i ? ", " : "", words[i]);
    }
    wrap_say("--%s '%s' is none of %s", option, value, all);
    return false;
}

static bool set_error_format(const char *value)
{
    static const char *const formats[] = {"text", "json", NULL};
    int choice = 0;
    bool good = set_choice("error-format", value, formats, &choice);
    if (good) {
        wrap_errors_set_json(choice == 1);
    }
    return good;
}

static bool set_sandbox(struct wrap_run_options *run, const char *value)
{
    static const char *const modes[] = {"auto", "strict", "off", NULL};
    int choice = 0;
    bool good = set_choice("sandbox", value, modes, &choice);
    run->sandbox = (enum wrap_sandbox_mode)choice;
    return good;
}

static bool set_engine(struct wrap_run_options *run, int id, const char *value)
{
    static const char *const backends[] = {"auto", "tail", "loop", "tail-v3", NULL};
    static const char *const memories[] = {"auto", "guard", "explicit", NULL};
    int choice = 0;
    if (id == RUN_BACKEND) {
        if (!set_choice("backend", value, backends, &choice)) {
            return false;
        }
        run->store.backend = (wr_backend_t)choice;
        return true;
    }
    if (!set_choice("memory", value, memories, &choice)) {
        return false;
    }
    run->store.memory_mode = (wr_memory_mode_t)choice;
    return true;
}

/* Options whose value, if any, is kept as it is written. */
static bool apply_plain(struct wrap_run_options *run, int id, const char *value)
{
    switch (id) {
    case RUN_CWD: run->cwd = value; return true;
    case RUN_STDIN: run->stdin_file = value; return true;
    case RUN_INVOKE: run->invoke = value; return true;
    case RUN_ARGV0: run->argv0 = value; return true;
    case RUN_COREDUMP: run->coredump = value; return true;
    case RUN_STATS: run->stats = true; return true;
    default: return false; /* wrap_opts_next has said what is wrong */
    }
}

static bool apply(struct wrap_run_options *run, int id, const char *value)
{
    if (id >= WRAP_NET_NET && id < WRAP_NET_END) {
        return wrap_net_option(&run->net, id, value);
    }
    switch (id) {
    case RUN_DIR: return wrap_dir_add(run, WRAP_DIR, value);
    case RUN_MAPDIR: return wrap_dir_add(run, WRAP_MAPDIR, value);
    case RUN_VOLUME: return wrap_dir_add(run, WRAP_VOLUME, value);
    case RUN_ENV: return wrap_env_add(run, "env", value);
    case RUN_ENV_INHERIT: return wrap_env_inherit(run);
    case RUN_ENV_FILE: return wrap_env_file(run, value);
    case RUN_PRELOAD: return wrap_preload_add(run, value);
    case WRAP_OPT_CONFIG: return wrap_config_apply(run, &wrap_command_run, value, apply);
    case WRAP_OPT_FEATURES: return wrap_features_apply(&run->features, value);
    case RUN_MAX_MEMORY: return set_size("max-memory", value, &run->store.max_memory_bytes);
    case RUN_MAX_STACK: return set_size("max-stack", value, &run->store.stack_bytes);
    case RUN_MAX_THREADS: return set_max_threads(run, value);
    case RUN_TIMEOUT: return set_timeout(run, value);
    case RUN_FUEL: return set_fuel(run, value);
    case RUN_PROFILE: return set_profile(run, value);
    case RUN_SANDBOX: return set_sandbox(run, value);
    case RUN_ERROR_FORMAT: return set_error_format(value);
    case RUN_BACKEND:
    case RUN_MEMORY: return set_engine(run, id, value);
    default: return apply_plain(run, id, value);
    }
}

/* ---------------------------------------------------------------- the command */

/* Behind the options: FILE, unless a --config names the module, and then ARGS. */
static bool take_words(struct wrap_run_options *run, const struct wrap_opts *opts)
{
    int at = opts->at;
    if (!run->file && at >= opts->argc) {
        wrap_say("no FILE given");
        return false;
    }
    if (!run->file) {
        run->file = opts->argv[at++];
    }
    for (; at < opts->argc; at++) {
        if (!wrap_list_add(&run->args, &run->arg_count, opts->argv[at])) {
            return false;
        }
    }
    return true;
}

static int run_with(const struct wrap_command *self, struct wrap_run_options *run,
                    struct wrap_opts *opts)
{
    int id = 0;
    while ((id = wrap_opts_next(opts)) != WRAP_OPTS_END) {
        if (wrap_common_option(self, id)) {
            return WRAP_EXIT_OK;
        }
        if (!apply(run, id, opts->value)) {
            return wrap_opts_hint(self);
        }
    }
    return take_words(run, opts) ? wrap_run_guest(run) : wrap_opts_hint(self);
}

static int cmd_run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_run_options run = {.sandbox = WRAP_SANDBOX_DEFAULT,
                                   .max_threads = WR_WASI_MAX_THREADS,
                                   .features = wr_features_default()};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int code = run_with(self, &run, &opts);
    wrap_options_free(&run);
    return code;
}

/*
 * `wasmrun-binfmt`, which the kernel starts for a module that is executed (binfmt_misc with the
 * flag P): the file, the name it was called by, its arguments. Nothing of it is an option.
 */
int wrap_run_binfmt(int argc, char **argv)
{
    if (argc < 3) {
        wrap_say("wasmrun-binfmt is started by the kernel: FILE ARGV0 [ARGS...]");
        return WRAP_EXIT_USAGE;
    }
    struct wrap_run_options run = {
        .file = argv[1],
        .argv0 = argv[2],
        .sandbox = WRAP_SANDBOX_DEFAULT,
        .max_threads = WR_WASI_MAX_THREADS,
        .features = wr_features_default(),
    };
    bool good = true;
    for (int i = 3; i < argc && good; i++) {
        good = wrap_list_add(&run.args, &run.arg_count, argv[i]);
    }
    int code = good ? wrap_run_guest(&run) : WRAP_EXIT_INVALID;
    wrap_options_free(&run);
    return code;
}

const struct wrap_command wrap_command_run = {
    .name = "run",
    .usage = "wasmrun [run] [OPTIONS] FILE|- [ARGS...]",
    .summary = "Runs a WebAssembly program (the default command).",
    .notes = run_notes,
    .options = run_options,
    .option_count = sizeof run_options / sizeof run_options[0],
    .run = cmd_run,
    .operands = "file any",
};
