/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the options of `wasmrun run` amount to, and reading those whose value is more
 * than a word. Not here: the table of options (cmd_run.c), acting on them (guest.c).
 */
#ifndef WRAPPERS_RUN_OPTIONS_H
#define WRAPPERS_RUN_OPTIONS_H

#include "common/opts.h"
#include "run/net_opts.h"
#include "sandbox/sandbox.h"
#include "wasmrun.h"

struct wrap_dir {
    char *host; /**< own */
    char *guest; /**< own */
    bool read_only;
};

struct wrap_preload {
    char *name; /**< own; what the main module calls it */
    const char *file; /**< points into `name` */
};

struct wrap_run_options {
    const char *file;
    char **args; /**< of the guest, without argv[0]; own */
    size_t arg_count;
    const char *argv0; /**< NULL: made from `file` */
    const char *invoke;
    struct wrap_dir *dirs;
    size_t dir_count;
    char **envs; /**< own, each "K=V"; a later one wins */
    size_t env_count;
    const char *cwd; /**< a directory as the guest sees it, NULL: none */
    const char *stdin_file; /**< NULL: inherited */
    struct wrap_preload *preloads;
    size_t preload_count;
    uint64_t timeout_ns; /**< 0: none */
    uint32_t max_threads; /**< that the guest may make */
    uint64_t fuel;       /**< with store.use_fuel */
    const char *profile; /**< file, NULL: none */
    const char *coredump; /**< file, NULL: none */
    bool stats;
    wr_features_t features; /**< what modules may use */
    wr_store_config_t store;
    enum wrap_sandbox_mode sandbox;
    struct wrap_net net;
    struct wrap_configs *configs; /**< texts of --config, which the above may point into */
};

/** The --sandbox of who gives none: sanitizers and coverage open files at the end. */
#ifdef WRAP_SANDBOX_UNFIT
#define WRAP_SANDBOX_DEFAULT WRAP_SANDBOX_OFF
#define WRAP_SANDBOX_DEFAULT_NAME "off"
#else
#define WRAP_SANDBOX_DEFAULT WRAP_SANDBOX_AUTO
#define WRAP_SANDBOX_DEFAULT_NAME "auto"
#endif

/** Frees all that `run` owns. */
void wrap_options_free(struct wrap_run_options *run);

/**
 * Makes room for one more element of `size` bytes: the list, perhaps moved, or NULL after saying
 * so. Lists grow by doubling; `count` is the caller's.
 */
void *wrap_list_grow(void *list, size_t count, size_t size);
/** Appends a copy of a word to a list of strings. False after saying so. */
bool wrap_list_add(char ***list, size_t *count, const char *word);
/** Frees such a list. */
void wrap_list_free(char **list, size_t count);

/* ---------------------------------------------------------------- directories */

enum wrap_dir_form {
    WRAP_DIR,    /**< HOST[::GUEST][:ro] */
    WRAP_MAPDIR, /**< GUEST::HOST */
    WRAP_VOLUME  /**< HOST:GUEST[:ro], as in other container tools */
};

/** Reads one value; false after saying what was read and what is wrong. `out` is the caller's. */
bool wrap_dir_parse(enum wrap_dir_form form, const char *value, struct wrap_dir *out);
/** The same, and adds it. */
bool wrap_dir_add(struct wrap_run_options *run, enum wrap_dir_form form, const char *value);
/**
 * The host's path of the guest's absolute or relative directory `guest`, through that of `dirs`
 * which covers the most of it. NULL after saying why there is none; else the caller's, and `out`
 * tells which.
 */
char *wrap_dir_locate(const struct wrap_run_options *run, const char *guest, size_t *out);

/* ---------------------------------------------------------------- environment */

/** K=V, or K for the host's value (left out when the host has none). */
bool wrap_env_add(struct wrap_run_options *run, const char *option, const char *value);
/** All of the host's. */
bool wrap_env_inherit(struct wrap_run_options *run);
/** Lines K=V or K; empty ones and those that begin with # are left out. */
bool wrap_env_file(struct wrap_run_options *run, const char *path);

/* ---------------------------------------------------------------- others */

/** NAME=FILE */
bool wrap_preload_add(struct wrap_run_options *run, const char *value);

/** Takes one option as if it stood on the command line; false after saying what is wrong. */
typedef bool (*wrap_apply_fn)(struct wrap_run_options *run, int id, const char *value);
/**
 * Reads a JSON object whose members are named like options of `command`: a string or an integer
 * (an array of them: several times), true for a switch; "env" may be an object; "module"
 * and "args" stand for FILE and ARGS. False after saying what is wrong.
 */
bool wrap_config_apply(struct wrap_run_options *run, const struct wrap_command *command,
                       const char *path, wrap_apply_fn apply);
void wrap_configs_free(struct wrap_configs *configs);

/** Reads a file of at most `cap` bytes into memory of its own, with a final NUL. NULL: says why. */
char *wrap_file_read(const char *option, const char *path, size_t cap, size_t *size);

#endif
