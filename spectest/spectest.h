/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spectest.h - the parts of wasm-spectest: tally, skip list, values, host module, watchdog, script.
 * Not here: anything about how the engine works inside; only wasmrun.h is used.
 */
#ifndef SPECTEST_SPECTEST_H
#define SPECTEST_SPECTEST_H

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wasmrun.h"

/** malloc/realloc that end the program with exit 2 when memory runs out; the tool's only policy. */
void *spec_realloc(void *ptr, size_t bytes);
char *spec_strdup(const char *text);

/* ---------------------------------------------------------------- outcomes and counts */

enum spec_verdict { SPEC_PASS, SPEC_FAIL, SPEC_SKIP };

enum { SPEC_TEXT = 1024 };

/** What became of one command. `text` says why it failed or was skipped; a note when it passed. */
struct spec_outcome {
    enum spec_verdict verdict;
    bool consequence; /**< failed only because an earlier module of the script failed */
    char text[SPEC_TEXT];
};

void spec_pass(struct spec_outcome *out);
void spec_note(struct spec_outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spec_fail(struct spec_outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spec_skip(struct spec_outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct spec_reason {
    char *text;
    size_t count;
};

struct spec_tally {
    size_t passed;
    size_t failed;
    size_t skipped;
    struct spec_reason *reasons;
    size_t reason_count;
    size_t reason_cap;
};

void spec_tally_add(struct spec_tally *tally, const struct spec_outcome *outcome);
/** Adds another tally's counts, and empties it. */
void spec_tally_merge(struct spec_tally *tally, struct spec_tally *from);
/** Prints the skip reasons with their counts and the last line. */
void spec_tally_print(struct spec_tally *tally);
void spec_tally_fini(struct spec_tally *tally);

/* ---------------------------------------------------------------- skip list */

struct spec_skip_line {
    char *script; /**< matches scripts whose path ends in it, at a '/' */
    long line; /**< -1: the whole script */
    char *reason;
};

struct spec_skip_list {
    struct spec_skip_line *lines;
    size_t count;
    size_t cap;
};

/** Reads `path`; false (with a message on stderr) when it cannot be read or has a bad line. */
bool spec_skip_list_load(struct spec_skip_list *list, const char *path);
/** The reason to skip the command at script:line, or NULL. */
const char *spec_skip_list_find(const struct spec_skip_list *list, const char *script, long line);
void spec_skip_list_fini(struct spec_skip_list *list);

/* ---------------------------------------------------------------- values */

enum { SPEC_MAX_VALUES = 64 };

/** Makes an argument; false with `skip` set (a static text) when the API cannot express it. */
bool spec_value_from_json(const json_t *json, wr_val_t *out, const char **skip);

enum spec_match { SPEC_MATCH, SPEC_MISMATCH, SPEC_CANNOT_TELL };

/** Compares a result with an expected value of a script. */
enum spec_match spec_value_match(const json_t *expected, const wr_val_t *got);
/** Writes a value for people ("f32:0x7fc00000"), NUL-terminated, cut to `cap`. */
void spec_value_print(const wr_val_t *value, char *buf, size_t cap);

/* ---------------------------------------------------------------- host module */

/** Defines a fresh `spectest` module. Its memory, tables and globals belong to `store`. */
wr_status_t spec_host_define(wr_linker_t *linker, wr_store_t *store, wr_error_t *err);

/* ---------------------------------------------------------------- watchdog */

/** An exec that is being watched, and the command that runs it. */
struct spec_watch {
    wr_exec_t *exec;
    const char *script;
    long line;
    unsigned elapsed_s;
    bool fired;
    struct spec_watch *next;
};

/** Cancels execs that run too long; one thread for the whole program. */
struct spec_watchdog {
    pthread_t thread;
    pthread_mutex_t lock; /**< guards all below */
    pthread_cond_t wake;
    bool stop;
    unsigned limit_s;
    struct spec_watch *watches;
};

bool spec_watchdog_start(struct spec_watchdog *dog, unsigned limit_s);
/** Watches `watch`, with its exec and place filled in, until it is disarmed. Any thread. */
void spec_watchdog_arm(struct spec_watchdog *dog, struct spec_watch *watch);
/** True when the exec was cancelled by the watchdog. */
bool spec_watchdog_disarm(struct spec_watchdog *dog, struct spec_watch *watch);
void spec_watchdog_stop(struct spec_watchdog *dog);

/* ---------------------------------------------------------------- running scripts */

struct spec_context {
    bool verbose;
    wr_store_config_t store_config;
    struct spec_tally tally;
    struct spec_skip_list skips;
    struct spec_watchdog dog;
};

/** Remembers what is running on this thread, for the message of a fatal signal. */
void spec_crash_install(void);
void spec_crash_place(const char *script, long line);

/** Runs one .json script; false when it cannot be read or set up (message on stderr). */
bool spec_script_run(struct spec_context *ctx, const char *path);

#endif
