/* SPDX-License-Identifier: Apache-2.0 */
/* Calls, and what host functions may ask of theirs. */
#include "api/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- typed arguments and results */

static wr_status_t check_call(const struct vm_store *store, const struct vm_func *f,
                              const wr_val_t *args, size_t n, wr_error_t *err)
{
    if (f->store != store)
        return api_error_text(err, WR_ARGUMENT, "the function belongs to another store");
    if (n != f->sig->param_count)
        return api_error_text(err, WR_ARGUMENT, "%zu arguments given, the function takes %u", n,
                              f->sig->param_count);
    for (u32 i = 0; i < n; i++)
        if (!api_val_matches(store, &args[i], f->sig->types[i]))
            return api_error_text(err, WR_ARGUMENT, "argument %u has the wrong type", i);
    return WR_OK;
}

/** Puts checked arguments where the started call wants them. */
static void put_args(struct vm_exec *x, const wr_val_t *args)
{
    const struct vm_functype *t = x->now.start_func->sig;
    union vm_slot *slot = vm_exec_args(x);
    for (u32 i = 0; i < t->param_count; i++) {
        api_val_to_slots(&args[i], slot);
        slot += vm_valtype_slots(t->types[i]);
    }
}

static wr_status_t results_of(const struct vm_exec *x, wr_val_t *results, size_t n)
{
    bool finished = x->now.state == VM_EXEC_ENDED && x->stop == VM_STOP_DONE;
    const struct vm_functype *t = finished ? x->now.start_func->sig : NULL;
    if (!t || n != t->result_count) return WR_ARGUMENT;
    const union vm_slot *slot = vm_exec_args(x);
    for (u32 i = 0; i < n; i++) {
        api_val_from_slots(x->store->types, &results[i], t->types[t->param_count + i], slot);
        slot += vm_valtype_slots(t->types[t->param_count + i]);
    }
    return WR_OK;
}

/* ---- execs */

wr_status_t wr_exec_new(wr_store_t *store, wr_exec_t **out, wr_error_t *err)
{
    struct vm_exec *x = NULL;
    struct vm_err e;
    vm_err_init(&e);
    vm_status s = vm_exec_new(store->store, &x, &e);
    if (s != VM_OK) return api_error(err, &e, NULL);
    api_error_clear(err);
    *out = (wr_exec_t *)x;
    return WR_OK;
}

void wr_exec_delete(wr_exec_t *exec) { vm_exec_delete(exec ? to_exec(exec) : NULL); }

wr_status_t wr_exec_start(wr_exec_t *exec, wr_func_t *func, const wr_val_t *args, size_t arg_count,
                          wr_error_t *err)
{
    struct vm_exec *x = to_exec(exec);
    struct vm_func *f = to_func(func);
    api_error_clear(err);
    wr_status_t s = check_call(x->store, f, args, arg_count, err);
    if (s != WR_OK) return s;
    if (vm_exec_start(x, f) != VM_OK)
        return api_error_text(err, WR_ARGUMENT, "a call is in progress");
    put_args(x, args);
    return WR_OK;
}

wr_status_t wr_exec_run(wr_exec_t *exec, wr_error_t *err)
{
    struct vm_exec *x = to_exec(exec);
    vm_status s = vm_exec_run(x);
    return api_exec_error(err, x, s);
}

wr_status_t wr_exec_results(const wr_exec_t *exec, wr_val_t *results, size_t result_count)
{
    return results_of(to_exec(exec), results, result_count);
}

wr_status_t wr_exec_complete(wr_exec_t *exec, wr_status_t status, const wr_slot_t *results,
                             size_t result_slots, int code)
{
    if (result_slots > UINT32_MAX) return WR_ARGUMENT;
    return api_status(vm_exec_complete(to_exec(exec), api_to_status(status),
                                       (const union vm_slot *)(const void *)results,
                                       (u32)result_slots, code));
}

void wr_exec_set_epochs(wr_exec_t *exec, uint32_t ticks) { to_exec(exec)->epoch_ticks = ticks; }
void wr_exec_interrupt(wr_exec_t *exec) { vm_exec_interrupt(to_exec(exec)); }
void wr_exec_cancel(wr_exec_t *exec) { vm_exec_cancel(to_exec(exec)); }
wr_status_t wr_exec_complete_throw(wr_exec_t *exec, wr_exception_t *exception)
{
    return api_status(vm_exec_complete_throw(to_exec(exec), to_exception(exception)));
}

int wr_exec_exit_code(const wr_exec_t *exec) { return to_exec(exec)->exit_code; }

/* ---- blocking calls */

/** Runs a prepared call that can't suspend to its end; it yields to nobody. */
static wr_status_t run_to_end(struct vm_exec *x, wr_error_t *err)
{
    vm_status s;
    do s = vm_exec_run(x);
    while (s == VM_YIELD);
    return api_exec_error(err, x, s);
}

/** Nested in the exec that is running on this thread. */
static wr_status_t call_nested(struct vm_exec *x, struct vm_func *f, const wr_val_t *args,
                               wr_val_t *results, wr_error_t *err)
{
    struct vm_store *vs = x->store;
    struct vm_activation saved;
    if (vm_exec_nest(x, f, &saved) != VM_OK) {
        api_error_text(err, WR_TRAP, "%s", vm_trap_text(VM_TRAP_STACK));
        if (err) err->trap = vm_trap_text(VM_TRAP_STACK);
        return WR_TRAP;
    }
    put_args(x, args);
    wr_status_t s = run_to_end(x, err);
    if (s == WR_OK) (void)results_of(x, results, f->sig->result_count);
    vs->exception = s == WR_EXCEPTION ? x->exception : NULL;
    vm_exec_unnest(x, &saved);
    return s;
}

static wr_status_t call_new(struct vm_store *vs, struct vm_func *f, const wr_val_t *args,
                            wr_val_t *results, wr_error_t *err)
{
    struct vm_exec *x = NULL;
    struct vm_err e;
    vm_err_init(&e);
    if (vm_exec_new(vs, &x, &e) != VM_OK) return api_error(err, &e, NULL);
    x->now.no_suspend = true;
    wr_status_t s = WR_INTERNAL;
    if (vm_exec_start(x, f) == VM_OK) {
        put_args(x, args);
        s = run_to_end(x, err);
    }
    if (s == WR_OK) (void)results_of(x, results, f->sig->result_count);
    vs->exception = s == WR_EXCEPTION ? x->exception : NULL;
    vm_exec_delete(x);
    return s;
}

wr_status_t api_call(struct vm_store *vs, struct vm_func *f, const wr_val_t *args,
                     wr_val_t *results, wr_error_t *err)
{
    return vs->running ? call_nested(vs->running, f, args, results, err)
                       : call_new(vs, f, args, results, err);
}

wr_status_t wr_call(wr_store_t *store, wr_func_t *func, const wr_val_t *args, size_t arg_count,
                    wr_val_t *results, size_t result_count, wr_error_t *err)
{
    struct vm_store *vs = store->store;
    struct vm_func *f = to_func(func);
    api_error_clear(err);
    if (result_count != f->sig->result_count)
        return api_error_text(err, WR_ARGUMENT, "%zu results wanted, the function has %u",
                              result_count, f->sig->result_count);
    wr_status_t s = check_call(vs, f, args, arg_count, err);
    if (s != WR_OK) return s;
    return api_call(vs, f, args, results, err);
}

/* ---- what host functions may ask */

wr_store_t *wr_call_store(const wr_call_t *call) { return to_call(call)->exec->store->handle; }
wr_exec_t *wr_call_exec(const wr_call_t *call) { return (wr_exec_t *)to_call(call)->exec; }
wr_instance_t *wr_call_instance(const wr_call_t *call)
{
    return (wr_instance_t *)to_call(call)->inst;
}

wr_memory_t *wr_call_memory(const wr_call_t *call, uint32_t index)
{
    const struct vm_instance *in = to_call(call)->inst;
    if (!in || index >= in->program->module.memory_count) return NULL;
    return (wr_memory_t *)in->memories[index];
}

wr_call_view_t wr_call_look(const wr_call_t *call)
{
    struct vm_exec *x = to_call(call)->exec;
    const wr_store_t *store = x->store->handle;
    return (wr_call_view_t){(wr_exec_t *)x, store->data, !x->now.no_suspend};
}

wr_bytes_t wr_call_bytes(const wr_call_t *call, uint32_t index)
{
    const struct vm_instance *in = to_call(call)->inst;
    if (!in || index >= in->program->module.memory_count) return (wr_bytes_t){NULL, 0};
    const struct vm_memory *m = in->memories[index];
    return (wr_bytes_t){m->base, vm_memory_size(m)};
}

bool wr_call_can_suspend(const wr_call_t *call) { return !to_call(call)->exec->now.no_suspend; }

wr_status_t wr_call_trap(wr_call_t *call, const char *text)
{
    struct vm_exec *x = to_call(call)->exec;
    x->trap = VM_TRAP_HOST;
    (void)snprintf(x->trap_text, sizeof x->trap_text, "%s", text);
    to_call(call)->answer = VM_TRAP;
    return WR_TRAP;
}

wr_status_t wr_call_throw(wr_call_t *call, wr_tag_t *tag, const wr_val_t *values, size_t count)
{
    wr_exception_t *e = NULL;
    wr_status_t s = wr_exception_new(wr_call_store(call), tag, values, count, &e, NULL);
    if (s == WR_OK) s = wr_call_throw_ref(call, e);
    wr_exception_delete(e);
    return s;
}

wr_status_t wr_call_throw_ref(wr_call_t *call, wr_exception_t *exception)
{
    struct vm_exec *x = to_call(call)->exec;
    if (to_exception(exception)->tag->store != x->store) return WR_ARGUMENT;
    x->exception = to_exception(exception);
    to_call(call)->answer = VM_EXCEPTION;
    return WR_EXCEPTION;
}

wr_status_t wr_call_exit(wr_call_t *call, int code)
{
    to_call(call)->exec->exit_code = code;
    to_call(call)->answer = VM_EXIT;
    return WR_EXIT;
}
