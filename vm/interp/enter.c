/* SPDX-License-Identifier: Apache-2.0 */
/* The only code that enters handlers from C, and what their stops mean. */
#include "interp/enter.h"

#include "interp/dispatch.h"
#include "interp/slow.h"

vm_status vm_exec_start(struct vm_exec *x, struct vm_func *f)
{
    if (x->state != VM_EXEC_IDLE && x->state != VM_EXEC_ENDED) return VM_ARGUMENT;
    union vm_slot *fp = x->stack;
    fp[VM_FRAME_RET].ptr = NULL;
    fp[VM_FRAME_CALLER].ptr = NULL;
    fp[VM_FRAME_CODE].ptr = NULL;
    x->start_func = f;
    x->inst = f->inst;
    x->cells = f->inst ? f->inst->cells : NULL;
    x->pc = vm_backend_get(x->store->backend)->stubs.start;
    x->fp = fp;
    x->stop = VM_STOP_NONE;
    x->trap = VM_TRAP_NONE;
    x->trap_text[0] = 0;
    x->state = VM_EXEC_READY;
    if (VM_STRESS)
        atomic_fetch_or_explicit(&x->interrupt, VM_INTERRUPT_STRESS, memory_order_relaxed);
    return VM_OK;
}

static vm_status end(struct vm_exec *x, vm_status s)
{
    x->state = VM_EXEC_ENDED;
    return s;
}

static vm_status on_interrupt(struct vm_exec *x)
{
    u32 bits = atomic_load_explicit(&x->interrupt, memory_order_acquire);
    if (bits & VM_INTERRUPT_CANCEL) {
        atomic_fetch_and_explicit(&x->interrupt, (u32)VM_INTERRUPT_STRESS, memory_order_relaxed);
        return end(x, VM_CANCELLED);
    }
    /* cleared with a read-modify-write, so that a cancel set meanwhile is not lost */
    atomic_fetch_and_explicit(&x->interrupt, ~(u32)VM_INTERRUPT_YIELD, memory_order_acq_rel);
    x->state = VM_EXEC_READY;
    return VM_YIELD;
}

static vm_status on_host(struct vm_exec *x)
{
    if (x->host_status == VM_PENDING) {
        x->state = VM_EXEC_PENDING;
        return VM_PENDING;
    }
    if (x->host_status == VM_TRAP && x->trap == VM_TRAP_NONE) x->trap = VM_TRAP_HOST;
    return end(x, x->host_status);
}

static vm_status on_stop(struct vm_exec *x)
{
    switch (x->stop) {
    case VM_STOP_DONE: return end(x, VM_OK);
    case VM_STOP_INTERRUPT: return on_interrupt(x);
    case VM_STOP_HOST: return on_host(x);
    case VM_STOP_FUEL: x->state = VM_EXEC_READY; return VM_FUEL;
    case VM_STOP_OOM: return end(x, VM_OOM);
    default: x->trap = (vm_trap)x->stop; return end(x, VM_TRAP);
    }
}

/** Handlers run from the saved state to the next stop. */
static void dispatch(struct vm_exec *x)
{
    struct vm_regs r = {.pc = x->pc, .fp = x->fp, .mem = vm_memory_base(x->inst), .x = x};
    x->stop = vm_backend_get(x->store->backend)->dispatch(&r);
    x->pc = r.pc;
    x->fp = r.fp;
}

/** Stress builds: true when nothing but the stress itself made the handlers stop. */
static bool is_stress_stop(const struct vm_exec *x)
{
    if (!VM_STRESS) return false;
    if (x->stop == VM_STOP_HOST) return x->host_status == VM_OK;
    return x->stop == VM_STOP_INTERRUPT &&
           atomic_load_explicit(&x->interrupt, memory_order_relaxed) == VM_INTERRUPT_STRESS;
}

vm_status vm_exec_run(struct vm_exec *x)
{
    if (x->state == VM_EXEC_PENDING &&
        !(atomic_load_explicit(&x->interrupt, memory_order_acquire) & VM_INTERRUPT_CANCEL))
        return VM_PENDING;
    if (x->state == VM_EXEC_PENDING) return on_interrupt(x);
    if (x->state == VM_EXEC_FAILED) return on_host(x);
    if (x->state != VM_EXEC_READY) return VM_ARGUMENT;
    if (atomic_load_explicit(&x->interrupt, memory_order_acquire) & ~(u32)VM_INTERRUPT_STRESS) {
        vm_status s = on_interrupt(x);
        if (s != VM_YIELD) return s; /* an interrupt from before this run has nothing to stop */
    }
    x->state = VM_EXEC_RUNNING;
    x->outer = x->store->running;
    x->store->running = x;
    do dispatch(x);
    while (is_stress_stop(x));
    x->store->running = x->outer;
    x->outer = NULL;
    return on_stop(x);
}

vm_status vm_exec_complete(struct vm_exec *x, vm_status status, const union vm_slot *results,
                           u32 result_slots, int exit_code)
{
    if (x->state != VM_EXEC_PENDING) return VM_ARGUMENT;
    if (status == VM_OK) {
        for (u32 i = 0; i < result_slots; i++) x->pending_slots[i] = results[i];
        x->state = VM_EXEC_READY;
        return VM_OK;
    }
    x->host_status = status;
    x->exit_code = exit_code;
    x->state = VM_EXEC_FAILED;
    return VM_OK;
}

void vm_exec_interrupt(struct vm_exec *x)
{
    atomic_fetch_or_explicit(&x->interrupt, (u32)VM_INTERRUPT_YIELD, memory_order_release);
}

void vm_exec_cancel(struct vm_exec *x)
{
    atomic_fetch_or_explicit(&x->interrupt, (u32)VM_INTERRUPT_CANCEL, memory_order_release);
}

bool vm_guard_available(void) { return vm_signal_install(__start_vm_extable, __stop_vm_extable); }
