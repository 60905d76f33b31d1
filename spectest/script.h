/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - the state of one running script, shared by script.c, action.c and command.c. */
#ifndef SPECTEST_SCRIPT_H
#define SPECTEST_SCRIPT_H

#include "spectest.h"

enum spec_state { SPEC_READY, SPEC_SKIPPED, SPEC_BROKEN };

/** An exported memory of another thread's instance. */
struct spec_shared {
    wr_name_t name; /**< lives as long as the module */
    wr_shared_memory_t *memory;
};

/** A definition, an instance or a registration; `name` and `reason` are owned. */
struct spec_item {
    char *name; /**< may hold NUL bytes; NULL when the script gives none */
    size_t name_size;
    enum spec_state state;
    char *reason; /**< of SPEC_SKIPPED and SPEC_BROKEN */
    wr_module_t *module;
    wr_instance_t
        *instance; /**< NULL in SPEC_READY: another thread's, whose memories are `shared` */
    struct spec_shared *shared;
    size_t shared_count;
};

struct spec_items {
    struct spec_item *list;
    size_t count;
    size_t cap;
};

struct spec_thread;

/** A script, or a thread of one with its own store and names. */
struct spec_script {
    struct spec_context *ctx;
    const char *path;
    const char *dir; /**< with a final '/', or empty */
    long line;       /**< of the command that is running */
    struct spec_tally tally;
    struct spec_thread *threads; /**< started and not yet waited for */
    struct spec_watch watch;
    wr_engine_t *engine; /**< all threads' */
    wr_store_t *store;
    wr_linker_t *linker;
    wr_exec_t *exec; /**< made when first needed, remade after a cancel */
    wr_module_t **modules;
    size_t module_count;
    size_t module_cap;
    struct spec_items definitions;
    struct spec_items instances;
    struct spec_items registered;
};

/** Makes store, linker and host module; the engine, path and dir are filled in. False: said why. */
bool spec_script_setup(struct spec_script *script);
void spec_script_commands(struct spec_script *script, const json_t *commands);
/** Frees all but the engine. */
void spec_script_teardown(struct spec_script *script);

/** Commands `thread` and `wait`. */
void spec_thread_start(struct spec_script *script, const json_t *command, struct spec_outcome *out);
void spec_thread_wait(struct spec_script *script, const json_t *command, struct spec_outcome *out);
/** Waits for those that are left. */
void spec_threads_join(struct spec_script *script);
/** Defines what another thread's instance shares under a module name. */
wr_status_t spec_shared_define(struct spec_script *script, wr_name_t as,
                               const struct spec_item *item, wr_error_t *err);

/** The bytes of a JSON string; data is NULL when `json` is not a string. */
wr_name_t spec_json_name(const json_t *json);
/** Appends an item named by `name` (a JSON string or NULL). The pointer lives until the next add.
 */
struct spec_item *spec_items_add(struct spec_items *items, const json_t *name);
/** The newest item of that name, or with `name` NULL the newest of all; NULL when none. */
struct spec_item *spec_items_find(const struct spec_items *items, const json_t *name);
void spec_items_fini(struct spec_items *items);

/** The script's exec, made when needed; NULL (with a failing outcome) when that fails. */
wr_exec_t *spec_script_exec(struct spec_script *script, struct spec_outcome *out);
/** Ends the watch over the exec; true when the watchdog had to cancel it. */
bool spec_script_exec_done(struct spec_script *script);

/** What an action ended in. */
struct spec_result {
    wr_status_t status;
    wr_error_t err;
    wr_val_t values[SPEC_MAX_VALUES];
    size_t count;
};

/** Performs an action; false when `out` already holds a verdict (skipped, or not performable). */
bool spec_action_perform(struct spec_script *script, const json_t *action,
                         struct spec_result *result, struct spec_outcome *out);
/** Compares results with an `expected` list. */
void spec_result_check(const struct spec_result *result, const json_t *expected,
                       struct spec_outcome *out);
/** Says that a status other than the expected one came; unsupported ones become skips. */
void spec_wrong_status(struct spec_outcome *out, const char *expected, wr_status_t status,
                       const wr_error_t *err);
/** Copies an item's state into a verdict: true when it is not ready. */
bool spec_item_blocks(const struct spec_item *item, struct spec_outcome *out);

/** Runs one command of a script. */
void spec_command_run(struct spec_script *script, const json_t *command, struct spec_outcome *out);

#endif
