/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of every backend and memory mode, host functions, and ways to run a call. */
#include "diff_engine.h"

#include "choice.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct kind {
    const char *name;
    wr_backend_t backend;
    wr_memory_mode_t mode;
    enum engine_style style;
};
static const struct kind kinds[ENGINE_KINDS] = {
    {"tail/guard", WR_BACKEND_TAIL, WR_MEMORY_GUARD, STYLE_EXEC},
    {"tail-v3/guard", WR_BACKEND_TAIL_V3, WR_MEMORY_GUARD, STYLE_EXEC},
    {"loop/guard", WR_BACKEND_LOOP, WR_MEMORY_GUARD, STYLE_CALL},
    {"tail/explicit", WR_BACKEND_TAIL, WR_MEMORY_EXPLICIT, STYLE_CALL},
    {"loop/explicit", WR_BACKEND_LOOP, WR_MEMORY_EXPLICIT, STYLE_EXEC},
    {"auto, sliced", WR_BACKEND_AUTO, WR_MEMORY_AUTO, STYLE_SLICED},
    {"auto, fuel", WR_BACKEND_AUTO, WR_MEMORY_AUTO, STYLE_FUEL},
};

static void must(bool holds)
{
    if (!holds) abort();
}

/* ---- host functions */

static bool is_reference(char c) { return c == 'r' || c == 'e'; }

static void note_trap(struct engine *e, const wr_error_t *err)
{
    if (err->trap && strcmp(err->trap, "call stack exhausted") == 0) e->exhausted = true;
}

/** Calls back into Wasm: WR_OK, WR_TRAP or WR_EXCEPTION. */
static wr_status_t call_back(struct engine *e, u64 slots[HOST_SLOTS])
{
    wr_func_t *f = (wr_func_t *)(uintptr_t)slots[0];
    wr_val_t v = {.kind = WR_I32, .of.i32 = (u32)slots[1]};
    wr_error_t err;
    (void)host_apply(&e->host, HOST_CALL, slots);
    if (!f || wr_func_param_count(f) != 1 || wr_func_result_count(f) != 1) return WR_OK;
    if (wr_func_param(f, 0) != WR_I32 || wr_func_result(f, 0) != WR_I32) return WR_OK;
    if (e->host.depth >= HOST_CALL_DEPTH) return WR_OK;
    u64 fuel = wr_store_fuel(e->store);
    wr_store_set_fuel(e->store, UINT64_MAX / 2);
    e->host.depth++;
    wr_status_t s = wr_call(e->store, f, &v, 1, &v, 1, &err);
    e->host.depth--;
    wr_store_set_fuel(e->store, fuel);
    if (s != WR_OK) note_trap(e, &err);
    must(s == WR_OK || s == WR_TRAP || s == WR_EXCEPTION);
    slots[0] = v.of.i32;
    return s;
}

static wr_status_t suspend(struct engine *e, const wr_slot_t *slots, u32 n, bool ok)
{
    if (n) memcpy(e->pending, slots, n * sizeof *slots);
    e->pending_count = n;
    e->pending_trap = !ok;
    e->suspensions++;
    return WR_PENDING;
}

/** Moves between slots and values, as the letters up to ':' or the end say. */
static void convert(const char *letters, wr_slot_t *slots, u64 *values, bool to_slots)
{
    for (; *letters && *letters != ':'; letters++) {
        for (u32 n = *letters == 'V' ? 2 : 1; n; n--, slots++, values++) {
            if (is_reference(*letters) && to_slots)
                slots->ref = (void *)(uintptr_t)*values;
            else if (is_reference(*letters))
                *values = (u64)(uintptr_t)slots->ref;
            else if (to_slots)
                slots->i64 = *values;
            else
                *values = slots->i64;
        }
    }
}

static u32 slot_count(const char *letters)
{
    u32 n = 0;
    for (; *letters && *letters != ':'; letters++) n += *letters == 'V' ? 2 : 1;
    return n;
}

/** Throws from a host function, now or when it is completed. */
static wr_status_t throw_values(struct engine *e, wr_call_t *call, const u64 *v, bool suspends)
{
    wr_val_t values[] = {{.kind = WR_I32, .of.i32 = (u32)v[0]}, {.kind = WR_I64, .of.i64 = v[1]}};
    wr_error_t err;
    if (!suspends) return wr_call_throw(call, e->host_tag, values, VM_COUNT(values));
    must(wr_exception_new(e->store, e->host_tag, values, VM_COUNT(values), &e->pending_throw,
                          &err) == WR_OK);
    return suspend(e, NULL, 0, true);
}

static wr_status_t host_entry(wr_call_t *call, wr_slot_t *slots, void *env)
{
    const struct engine_env *x = env;
    struct engine *e = x->e;
    const char *params = host_func_signature[x->f], *results = strchr(params, ':') + 1;
    u64 values[HOST_SLOTS] = {0};
    convert(params, slots, values, false);
    wr_status_t s = x->f == HOST_CALL                    ? call_back(e, values)
                    : host_apply(&e->host, x->f, values) ? WR_OK
                                                         : WR_TRAP;
    if (s == WR_OK) convert(results, slots, values, true);
    u64 random = e->style == STYLE_SLICED ? choice_next(&e->rng) : 0;
    bool suspends = random & 2 && wr_call_can_suspend(call);
    if (random & 1) wr_exec_interrupt(wr_call_exec(call));
    if (s == WR_EXCEPTION) return s;
    if (host_throws(x->f, values)) return throw_values(e, call, values, suspends);
    if (suspends) return suspend(e, slots, slot_count(results), s == WR_OK);
    return s == WR_OK ? WR_OK : wr_call_trap(call, "host.trap");
}

/* ---- stores */

static wr_name_t name_of(const char *s) { return (wr_name_t){s, strlen(s)}; }

static void define(struct engine *e, const char *name, wr_extern_t item)
{
    wr_error_t err;
    must(wr_linker_define(e->linker, name_of("host"), name_of(name), e->store, item, &err) ==
         WR_OK);
}

static void define_global(struct engine *e, u32 i)
{
    static const char letters[] = "iIfF";
    static const wr_valkind_t kind[] = {WR_I32, WR_I64, WR_F32, WR_F64};
    const struct host_global *g = &host_globals[i];
    const char *at = strchr(letters, g->type);
    wr_val_t v = {.kind = at ? kind[at - letters] : WR_EXTERNREF, .of.i64 = g->bits};
    wr_error_t err;
    char name[8];
    if (!at) v.of.ref = (void *)(uintptr_t)g->bits;
    must(wr_global_new(e->store, g->is_mutable, &v, &e->host_globals[i], &err) == WR_OK);
    (void)snprintf(name, sizeof name, "g%u", i);
    define(e, name, (wr_extern_t){.kind = WR_EXTERN_GLOBAL, .of.global = e->host_globals[i]});
}

static void define_host(struct engine *e, bool with_memory)
{
    wr_error_t err;
    wr_limits_t memory = {.min = HOST_MEMORY_MIN, .max = HOST_MEMORY_MAX};
    wr_limits_t table = {.min = HOST_TABLE_MIN, .max = HOST_TABLE_MAX};
    for (u32 i = 0; i < HOST_FUNC_COUNT; i++) {
        e->envs[i] = (struct engine_env){e, (enum host_func)i};
        must(wr_linker_define_raw(e->linker, "host", host_func_name[i], host_func_signature[i],
                                  host_entry, &e->envs[i], &err) == WR_OK);
    }
    must(wr_table_new(e->store, WR_FUNCREF, table, &e->host_table, &err) == WR_OK);
    if (with_memory) {
        must(wr_memory_new(e->store, memory, &e->host_memory, &err) == WR_OK);
        define(e, "memory", (wr_extern_t){.kind = WR_EXTERN_MEMORY, .of.memory = e->host_memory});
    }
    must(wr_tag_new(e->store, HOST_TAG_SIGNATURE, &e->host_tag, &err) == WR_OK);
    define(e, "tag", (wr_extern_t){.kind = WR_EXTERN_TAG, .of.tag = e->host_tag});
    define(e, "table", (wr_extern_t){.kind = WR_EXTERN_TABLE, .of.table = e->host_table});
    for (u32 i = 0; i < HOST_GLOBALS; i++) define_global(e, i);
}

bool engine_open(struct engine *e, u32 kind, wr_engine_t *engine, u64 seed, bool with_memory)
{
    const struct kind *k = &kinds[kind];
    wr_store_config_t config = {.backend = k->backend,
                                .memory_mode = k->mode,
                                .stack_bytes = (u64)1 << 20,
                                .use_fuel = k->style == STYLE_FUEL};
    wr_error_t err;
    *e = (struct engine){.name = k->name, .style = k->style, .rng = seed};
    if (config.backend == WR_BACKEND_AUTO && choice_next(&e->rng) & 1)
        config.backend = WR_BACKEND_LOOP; /* all styles on all backends */
    wr_status_t s = wr_store_new(engine, &config, &e->store, &err);
    if (s == WR_UNSUPPORTED) return false;
    must(s == WR_OK);
    must(wr_linker_new(engine, &e->linker, &err) == WR_OK);
    must(wr_exec_new(e->store, &e->exec, &err) == WR_OK);
    define_host(e, with_memory);
    return true;
}

/** Another call begins, or none will. */
static void forget_exception(struct engine *e)
{
    wr_exception_delete(e->exception);
    e->exception = NULL;
}

void engine_close(struct engine *e)
{
    forget_exception(e);
    wr_exception_delete(e->held);
    wr_exec_delete(e->exec);
    wr_linker_delete(e->linker);
    wr_store_delete(e->store);
    *e = (struct engine){0};
}

wr_status_t engine_instantiate(struct engine *e, u32 i, const wr_module_t *m, wr_error_t *err)
{
    forget_exception(e);
    wr_store_set_fuel(e->store, UINT64_MAX / 2);
    wr_status_t s = wr_linker_instantiate(e->linker, e->store, m, NULL, &e->inst[i], err);
    if (s == WR_OK) s = wr_linker_define_instance(e->linker, name_of("a"), e->inst[i], err);
    if (s != WR_OK) note_trap(e, err);
    if (s == WR_EXCEPTION) e->exception = wr_store_exception(e->store);
    return s;
}

/* ---- calls */

/* The exec that the timer interrupts. Its handler runs on this thread, so nothing is torn. */
static wr_exec_t *volatile ticking;

static void on_tick(int sig)
{
    wr_exec_t *x = ticking;
    (void)sig;
    if (x) wr_exec_interrupt(x);
}

/** Interrupts at times that nobody chose; `us` 0 ends it. */
static void tick(wr_exec_t *x, u32 us)
{
    struct itimerval t = {{0, (suseconds_t)us}, {0, (suseconds_t)us}};
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART | SA_ONSTACK};
    ticking = x;
    must(sigaction(SIGVTALRM, &action, NULL) == 0);
    must(setitimer(ITIMER_VIRTUAL, &t, NULL) == 0);
}

static void complete(struct engine *e)
{
    if (e->pending_throw) {
        must(wr_exec_complete_throw(e->exec, e->pending_throw) == WR_OK);
        e->completed_throw = e->pending_throw;
        e->pending_throw = NULL;
        return;
    }
    wr_status_t s = wr_exec_complete(e->exec, e->pending_trap ? WR_TRAP : WR_OK, e->pending,
                                     e->pending_trap ? 0 : e->pending_count, 0);
    must(s == WR_OK);
}

static void give_fuel(struct engine *e, u64 n)
{
    wr_store_set_fuel(e->store, wr_store_fuel(e->store) + n);
    e->fuel_given += n;
}

static wr_status_t run_exec(struct engine *e, wr_error_t *err)
{
    for (;;) {
        wr_status_t s = wr_exec_run(e->exec, err);
        wr_exception_delete(e->completed_throw);
        e->completed_throw = NULL;
        if (s == WR_YIELD)
            e->yields++;
        else if (s == WR_PENDING)
            complete(e);
        else if (s == WR_FUEL) {
            give_fuel(e, 1 + choice_next(&e->rng) % 40);
            e->refuels++;
        } else
            return s;
    }
}

wr_status_t engine_call(struct engine *e, wr_func_t *f, const wr_val_t *args, wr_val_t *results,
                        wr_error_t *err)
{
    usize params = wr_func_param_count(f), n = wr_func_result_count(f);
    wr_status_t s;
    forget_exception(e);
    if (e->style == STYLE_CALL) {
        s = wr_call(e->store, f, args, params, results, n, err);
        if (s == WR_EXCEPTION) e->exception = wr_store_exception(e->store);
    } else {
        bool sliced = e->style == STYLE_SLICED;
        s = wr_exec_start(e->exec, f, args, params, err);
        if (s != WR_OK) return s;
        wr_store_set_fuel(e->store, 0);
        e->fuel_given = 0;
        give_fuel(e, choice_next(&e->rng) % 60);
        if (sliced) tick(e->exec, 1000);
        s = run_exec(e, err);
        if (sliced) tick(NULL, 0);
        if (s == WR_OK) s = wr_exec_results(e->exec, results, n);
        if (s == WR_EXCEPTION) e->exception = wr_exec_exception(e->exec);
    }
    if (s != WR_OK) note_trap(e, err);
    return s;
}
