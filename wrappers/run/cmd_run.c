/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - `wasmrun [run]`: its options; what they lead to is in guest.c. */
#include "run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum run_option {
    RUN_DIR = 1,
    RUN_ENV,
    RUN_INVOKE,
    RUN_ARGV0,
    RUN_MAX_MEMORY,
    RUN_MAX_STACK,
    RUN_TIMEOUT,
    RUN_FUEL,
    RUN_PROFILE,
    RUN_STATS,
    RUN_BACKEND,
    RUN_MEMORY
};

// clang-format off
static const struct wrap_option run_options[] = {
    {"dir",        0, "HOST[::GUEST][:ro]", RUN_DIR,        "let the guest use a directory; repeatable"},
    {"env",        0, "K[=V]",              RUN_ENV,        "set a variable, or pass on the host's; repeatable"},
    {"invoke",     0, "FUNC",               RUN_INVOKE,     "call this export with ARGS, print its results"},
    {"argv0",      0, "NAME",               RUN_ARGV0,      "the guest's name (FILE without directory, .wasm)"},
    {"max-memory", 0, "SIZE",               RUN_MAX_MEMORY, "limit of all linear memory; k, m, g suffix"},
    {"max-stack",  0, "SIZE",               RUN_MAX_STACK,  "size of the call stack (8m)"},
    {"timeout",    0, "TIME",               RUN_TIMEOUT,    "end the guest after 5, 500ms, 2s, 1m"},
    {"fuel",       0, "COUNT",              RUN_FUEL,       "end the guest after so many instructions"},
    {"profile",    0, "FILE.svg|.folded",   RUN_PROFILE,    "sample the guest's functions into a file"},
    {"stats",      0, NULL,                 RUN_STATS,      "print times, translated code and memory at the end"},
    {"backend",    0, "tail|tail-v3|loop",  RUN_BACKEND,    "engine: which interpreter loop"},
    {"memory",     0, "guard|explicit",     RUN_MEMORY,     "engine: how memory accesses are checked"},
    WRAP_NET_OPTIONS,
};
// clang-format on

static const char run_notes[] =
    "Everything after FILE is given to the guest. FILE - is a module read from stdin.\n"
    "Nothing is given to the guest unless asked for: no directories, no environment.\n"
    "--dir: GUEST is HOST as written when left out; :ro makes all below it read-only.\n"
    "\n"
    "A command module is entered at its export _start. With --invoke the export\n"
    "_initialize, if there is one, is called first; integers are decimal or 0x\n"
    "hexadecimal, floats also nan and inf, references null; results are one a line.\n"
    "\n" WRAP_NET_NOTES
    "--profile looks 1000 times a second which functions are running, at their next\n"
    "call or taken branch; .svg is a flame graph, .folded one line for each stack.\n"
    "\n"
    "Exit codes: the guest's own (its low 8 bits; 0 when it returns), or\n"
    "  124  --timeout is over, or --fuel used up\n"
    "  125  the command line is wrong, or what wasmrun prints cannot be written\n"
    "  126  the module is invalid, cannot be linked or cannot be read\n"
    "  127  no such file\n"
    "  134  a trap or an uncaught exception\n"
    "A guest may itself end with 124 to 134: then nothing is printed by wasmrun.\n";

/* ---------------------------------------------------------------- values of options */

/* Makes room for one more element: the list, perhaps moved, or NULL after saying so. */
static void *grow(void *list, size_t count, size_t size)
{
    if (count & (count - 1)) {
        return list; /* between powers of two there is room */
    }
    void *grown = realloc(list, (count ? count * 2 : 1) * size);
    if (!grown) {
        wrap_say("out of memory");
    }
    return grown;
}

/* HOST[::GUEST][:ro] */
static bool add_dir(struct wrap_run_options *run, const char *value)
{
    struct wrap_dir dir = {.host = strdup(value)};
    struct wrap_dir *dirs = grow(run->dirs, run->dir_count, sizeof run->dirs[0]);
    run->dirs = dirs ? dirs : run->dirs;
    if (!dir.host || !dirs) {
        free(dir.host);
        return false;
    }
    char *split = strstr(dir.host, "::");
    dir.guest = dir.host;
    if (split) { /* first, so that "HOST::ro" has a guest named "ro" */
        *split = 0;
        dir.guest = split + 2;
    }
    size_t length = strlen(dir.guest);
    if (length >= 3 && strcmp(dir.guest + length - 3, ":ro") == 0) {
        dir.guest[length - 3] = 0;
        dir.read_only = true;
    }
    run->dirs[run->dir_count++] = dir;
    if (!dir.host[0] || !dir.guest[0]) {
        wrap_say("--dir '%s': host '%s' and guest '%s' must not be empty", value, dir.host,
                 dir.guest);
        return false;
    }
    return true;
}

static bool add_env(struct wrap_run_options *run, const char *value)
{
    if (!value[0] || value[0] == '=') {
        wrap_say("--env '%s': no name before the '='", value);
        return false;
    }
    const char **envs = grow(run->envs, run->env_count, sizeof run->envs[0]);
    if (!envs) {
        return false;
    }
    run->envs = envs;
    run->envs[run->env_count++] = value;
    return true;
}

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

static bool set_fuel(struct wrap_run_options *run, const char *value)
{
    char *end = NULL;
    errno = 0;
    run->fuel = strtoull(value, &end, 10);
    run->store.use_fuel = true;
    if (value[0] >= '0' && value[0] <= '9' && !*end && errno == 0) {
        return true;
    }
    wrap_say("--fuel '%s' is not a number of instructions", value);
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

/* The index of a word is its choice; 0, "auto", is the default. NULL ends the words. */
static bool set_choice(const char *option, const char *value, const char *const *words, int *out)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return true;
        }
    }
    wrap_say("--%s '%s' is none of auto, %s, %s%s%s", option, value, words[1], words[2],
             words[3] ? ", " : "", words[3] ? words[3] : "");
    return false;
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

static bool apply(struct wrap_run_options *run, int id, const char *value)
{
    if (id >= WRAP_NET_NET && id < WRAP_NET_END) {
        return wrap_net_option(&run->net, id, value);
    }
    switch (id) {
    case RUN_DIR: return add_dir(run, value);
    case RUN_ENV: return add_env(run, value);
    case RUN_INVOKE: run->invoke = value; return true;
    case RUN_ARGV0: run->argv0 = value; return true;
    case RUN_MAX_MEMORY: return set_size("max-memory", value, &run->store.max_memory_bytes);
    case RUN_MAX_STACK: return set_size("max-stack", value, &run->store.stack_bytes);
    case RUN_TIMEOUT: return set_timeout(run, value);
    case RUN_FUEL: return set_fuel(run, value);
    case RUN_PROFILE: return set_profile(run, value);
    case RUN_STATS: run->stats = true; return true;
    case RUN_BACKEND:
    case RUN_MEMORY: return set_engine(run, id, value);
    default: return false; /* wrap_opts_next has said what is wrong */
    }
}

/* ---------------------------------------------------------------- the command */

static void free_options(struct wrap_run_options *run)
{
    for (size_t i = 0; i < run->dir_count; i++) {
        free(run->dirs[i].host);
    }
    free(run->dirs);
    free(run->envs);
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
    if (opts->at >= opts->argc) {
        wrap_say("no FILE given");
        return wrap_opts_hint(self);
    }
    run->file = opts->argv[opts->at];
    run->args = opts->argv + opts->at + 1;
    run->arg_count = (size_t)(opts->argc - opts->at - 1);
    return wrap_run_guest(run);
}

static int cmd_run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_run_options run = {0};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int code = run_with(self, &run, &opts);
    free_options(&run);
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
};
