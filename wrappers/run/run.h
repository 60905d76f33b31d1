/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - the commands of bin/wasmrun and what they share about modules and guests. */
#ifndef WRAPPERS_RUN_RUN_H
#define WRAPPERS_RUN_RUN_H

#include "run/net_opts.h"
#include "run/opts.h"
#include "run/text.h"
#include "wasmrun.h"
#include "wasmrun_wasi.h"

/* ---------------------------------------------------------------- commands */

extern const struct wrap_command wrap_command_run;
extern const struct wrap_command wrap_command_validate;
extern const struct wrap_command wrap_command_inspect;
extern const struct wrap_command wrap_command_explore;

/** Prints help or the version when `id` is one of the common options; true when it was. */
bool wrap_common_option(const struct wrap_command *command, int id);

/* ---------------------------------------------------------------- modules and errors */

/** Loads FILE, or stdin for "-". On failure prints why and sets the exit code. */
bool wrap_module_load(wr_engine_t *engine, const char *file, wr_module_t **out, int *code);
/** What messages call a file: itself, or "<stdin>" for "-". */
const char *wrap_file_name(const char *file);
/**
 * Prints what a failed call says about `file` (a trap with its backtrace) and returns the exit
 * code that stands for it.
 */
int wrap_report(const char *file, wr_status_t status, const wr_error_t *err);
/** Prints all imports of `module` that `linker` cannot satisfy; how many. */
size_t wrap_report_missing(const char *file, const wr_linker_t *linker, const wr_module_t *module);
/** Prints the exports of one kind (or none at all) as a hint on stderr. */
void wrap_report_exports(const wr_module_t *module, wr_extern_kind_t kind);
/** "func", "table", … */
const char *wrap_extern_kind(wr_extern_kind_t kind);

/* ---------------------------------------------------------------- running a guest */

struct wrap_dir {
    char *host;  /**< own; `guest` points into it or at it */
    char *guest;
    bool read_only;
};

struct wrap_run_options {
    const char *file;
    char **args; /**< of the guest, without argv[0] */
    size_t arg_count;
    const char *argv0; /**< NULL: made from `file` */
    const char *invoke;
    struct wrap_dir *dirs;
    size_t dir_count;
    const char **envs; /**< K=V, or K to inherit */
    size_t env_count;
    uint64_t timeout_ns; /**< 0: none */
    uint64_t fuel; /**< with store.use_fuel */
    const char *profile; /**< file, NULL: none */
    bool stats;
    struct wrap_net net;
    wr_store_config_t store;
};

/** Loads, links, runs and reports; returns the exit code of the program. */
int wrap_run_guest(const struct wrap_run_options *options);

/* ---------------------------------------------------------------- --invoke */

enum { WRAP_MAX_VALUES = 256 };

/** Makes the arguments of `func` from words; false after printing what does not fit. */
bool wrap_invoke_args(const char *name, const wr_func_t *func, char **words, size_t count,
                      wr_val_t *out);
/** Prints results on stdout, one a line. */
void wrap_invoke_print(const wr_val_t *values, size_t count);

/* ---------------------------------------------------------------- --timeout */

/** Ends the guest after a time; also the process, should the guest not end. */
bool wrap_timeout_start(uint64_t ns);
/** What to cancel when the time is over; NULLs before that exists and after it is gone. */
void wrap_timeout_watch(wr_exec_t *exec, wr_wasi_t *wasi);
/** Whether the time is over. */
bool wrap_timeout_fired(void);

/* ---------------------------------------------------------------- --profile */

struct wrap_profile;

/** True when the name's end says what to write: .svg or .folded. */
bool wrap_profile_path_good(const char *path);
/** Opens the file, emptied; NULL after saying why not. */
struct wrap_profile *wrap_profile_open(const char *path);
/**
 * Interrupts `exec` regularly from now on: at each WR_YIELD wrap_profile_sample is due. SIGINT and
 * SIGTERM cancel it, so that the profile is written. False: no thread.
 */
bool wrap_profile_start(struct wrap_profile *profile, wr_exec_t *exec, wr_wasi_t *wasi);
void wrap_profile_sample(struct wrap_profile *profile);
/** Stops, writes the file and frees; `exec` must still live. False after saying what failed. */
bool wrap_profile_stop(struct wrap_profile *profile, const wr_module_t *module);
/** Ends the process by the signal that was caught; returns when there was none. */
void wrap_profile_raise(void);

/* ---------------------------------------------------------------- --stats */

/** How long the parts of a run took; 0: it did not get there. */
struct wrap_times {
    uint64_t load_ns;
    uint64_t instantiate_ns; /**< the start function included */
    uint64_t run_ns;
};

uint64_t wrap_now_ns(void);
/** Prints times, translated code and memory; `store` may be NULL. */
void wrap_stats_print(const char *file, const struct wrap_times *times, const wr_module_t *module,
                      const wr_store_t *store);

#endif
