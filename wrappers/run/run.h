/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - the commands of bin/wasmrun and what they share about modules and guests. */
#ifndef WRAPPERS_RUN_RUN_H
#define WRAPPERS_RUN_RUN_H

#include "common/opts.h"
#include "common/text.h"
#include "run/options.h"
#include "wasmrun.h"
#include "wasmrun_wasi.h"

/* ---------------------------------------------------------------- commands */

extern const struct wrap_command wrap_command_run;
extern const struct wrap_command wrap_command_validate;
extern const struct wrap_command wrap_command_inspect;
extern const struct wrap_command wrap_command_explore;
extern const struct wrap_command wrap_command_pack;
extern const struct wrap_command wrap_command_completion;

/** All commands, in the order of --help; `count` of them. */
const struct wrap_command *const *wrap_commands(size_t *count);
/** Runs what the kernel hands over for a module that is executed; argv as main has it. */
int wrap_run_binfmt(int argc, char **argv);

/** Prints help or the version when `id` is one of the common options; true when it was. */
bool wrap_common_option(const struct wrap_command *command, int id);

/* ---------------------------------------------------------------- modules and errors */

/** A new engine for modules that may use `features`; NULL after saying that memory is out. */
wr_engine_t *wrap_engine_new(wr_features_t features);
/** Applies a --features value to *features; false after saying what is wrong. */
bool wrap_features_apply(wr_features_t *features, const char *value);
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

/** Loads, links, runs and reports; returns the exit code of the program. */
int wrap_run_guest(const struct wrap_run_options *options);

/* ---------------------------------------------------------------- --sandbox */

/**
 * Applies --sandbox: from here on no file, program or socket can be opened but what the guest was
 * given. False after saying what is missing.
 */
bool wrap_lock_down(const struct wrap_run_options *options);

/* ---------------------------------------------------------------- --invoke */

enum { WRAP_MAX_VALUES = 256 };

/** Makes the arguments of `func` from words; false after printing what does not fit. */
bool wrap_invoke_args(const char *name, const wr_func_t *func, char **words, size_t count,
                      wr_val_t *out);
/** Prints results on stdout, one a line. */
void wrap_invoke_print(const wr_val_t *values, size_t count);

/* ---------------------------------------------------------------- --timeout */

/**
 * Ends the guest after a time; also the process, should the guest not end. With `locked` the
 * helper thread gives up all files at once.
 */
bool wrap_timeout_start(uint64_t ns, bool locked);
/** Waits until that has happened: afterwards a filter could forbid it. */
void wrap_timeout_settle(void);
/** What to cancel when the time is over; NULLs before that exists and after it is gone. */
void wrap_timeout_watch(wr_exec_t *exec, wr_wasi_t *wasi);
/** The guest has ended: its process is left alone from now on. */
void wrap_timeout_ended(void);
/** Whether the time is over. */
bool wrap_timeout_fired(void);

/* ---------------------------------------------------------------- --profile */

struct wrap_profile;

/** True when the name's end says what to write: .svg or .folded. */
bool wrap_profile_path_good(const char *path);
/** Opens the file, emptied; NULL after saying why not. The title is kept, not copied. */
struct wrap_profile *wrap_profile_open(const char *path, const char *title);
/**
 * Interrupts `exec` regularly from now on: at each WR_YIELD wrap_profile_sample is due. SIGINT and
 * SIGTERM cancel it, so that the profile is written. False: no thread.
 */
bool wrap_profile_start(struct wrap_profile *profile, wr_exec_t *exec, wr_wasi_t *wasi);
void wrap_profile_sample(struct wrap_profile *profile);
/** Stops, writes the file and frees; the exec and its modules must still live. False after saying
 * what failed. */
bool wrap_profile_stop(struct wrap_profile *profile);
/** Ends the process by the signal that was caught; returns when there was none. */
void wrap_profile_raise(void);

/* ---------------------------------------------------------------- --coredump */

struct wrap_core;

/** Opens the file, emptied; NULL after saying why not. The path is kept, not copied. */
struct wrap_core *wrap_core_open(const char *path);
/** Writes what a trapped exec and its store hold; says what failed. `name` is the program's. */
void wrap_core_write(struct wrap_core *core, const wr_exec_t *exec, const char *name);
/** NULL is allowed. */
void wrap_core_close(struct wrap_core *core);

/* ---------------------------------------------------------------- --stats */

/** How long the parts of a run took; 0: it did not get there. */
struct wrap_times {
    uint64_t load_ns;
    uint64_t instantiate_ns; /**< the start function included */
    uint64_t run_ns;
    uint64_t fuel; /**< given at first; 0: instructions are not counted */
};

uint64_t wrap_now_ns(void);
/** Prints times, translated code, memory, instructions if counted; `store` may be NULL. */
void wrap_stats_print(const char *file, const struct wrap_times *times, const wr_module_t *module,
                      const wr_store_t *store);

#endif
