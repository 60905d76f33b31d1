/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration of the engine running a program for diff.c. Uses the public API only. */
#ifndef FUZZ_DIFF_ENGINE_H
#define FUZZ_DIFF_ENGINE_H

#include "gen.h"
#include "host.h"
#include "wasmrun.h"

struct engine;
struct engine_env {
    struct engine *e;
    enum host_func f;
};

/** How a configuration runs its calls. */
enum engine_style {
    STYLE_EXEC,   /* one exec, run to the end */
    STYLE_CALL,   /* blocking calls */
    STYLE_SLICED, /* interrupted from host functions and by a timer; host functions suspend */
    STYLE_FUEL    /* little fuel at a time */
};

struct engine {
    const char *name;
    enum engine_style style;
    wr_store_t *store;
    wr_linker_t *linker;
    wr_exec_t *exec;
    wr_instance_t *inst[GEN_MODULES];
    wr_memory_t *host_memory; /* may be NULL */
    wr_table_t *host_table;
    wr_global_t *host_globals[HOST_GLOBALS];
    struct host_state host;
    struct engine_env envs[HOST_FUNC_COUNT];
    u64 rng;
    bool exhausted; /* some call ran out of stack */
    wr_tag_t *host_tag;
    wr_exception_t *pending_throw, *completed_throw; /* held until the exec has run again */
    wr_slot_t pending[HOST_SLOTS];
    u32 pending_count;
    bool pending_trap;
    wr_exception_t *exception; /* what the last call ended with, or NULL */
    wr_exception_t *held;      /* one of an earlier call: an argument of later ones */
    u32 yields, suspensions, refuels;
    u64 fuel_given; /* STYLE_FUEL: in the last call */
};

enum { ENGINE_KINDS = 7 };

/**
 * Opens configuration `kind`; false when this build does not have it. Aborts when out of memory.
 * Reserving memory takes time: the host has one only `with_memory`.
 */
bool engine_open(struct engine *e, u32 kind, wr_engine_t *engine, u64 seed, bool with_memory);
void engine_close(struct engine *e);
wr_status_t engine_instantiate(struct engine *e, u32 i, const wr_module_t *m, wr_error_t *err);
/** Calls in the configuration's style; WR_OK, WR_TRAP, WR_EXCEPTION, or something unexpected. */
wr_status_t engine_call(struct engine *e, wr_func_t *f, const wr_val_t *args, wr_val_t *results,
                        wr_error_t *err);

#endif
