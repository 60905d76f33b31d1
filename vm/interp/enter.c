/* SPDX-License-Identifier: Apache-2.0 */
/* The only code that enters handlers from C, and what their stops mean. */
#include "interp/enter.h"

#include "interp/dispatch.h"
#include "interp/slow.h"

#include <sched.h>

/** Sets up the call of `f` on the stack from `bottom` on. */
static void prepare(struct vm_exec *x, struct vm_func *f, union vm_slot *bottom)
{
    bottom[VM_FRAME_RET].ptr = NULL;
    bottom[VM_FRAME_CALLER].ptr = NULL;
    bottom[VM_FRAME_CODE].ptr = NULL;
    x->now = (struct vm_activation){.pc = vm_backend_get(x->store->backend)->stubs.start,
                                    .fp = bottom,
                                    .inst = f->inst,
                                    .cells = f->inst ? f->inst->cells : NULL,
                                    .start_func = f,
                                    .bottom = bottom,
                                    .state = VM_EXEC_READY,
                                    .no_suspend = x->now.no_suspend};
    x->stop = VM_STOP_NONE;
    x->place = 0;
    x->exception = NULL;
    x->trap = VM_TRAP_NONE;
    x->trap_text[0] = 0;
    if (VM_STRESS)
        atomic_fetch_or_explicit(&x->interrupt, VM_INTERRUPT_STRESS, memory_order_relaxed);
}

vm_status vm_exec_start(struct vm_exec *x, struct vm_func *f)
{
    if (x->now.state != VM_EXEC_IDLE && x->now.state != VM_EXEC_ENDED) return VM_ARGUMENT;
    prepare(x, f, x->stack);
    return VM_OK;
}

static vm_status end(struct vm_exec *x, vm_status s)
{
    vm_waiter_leave(&x->waiter);
    x->now.state = VM_EXEC_ENDED;
    return s;
}

void vm_exec_drop_answer(struct vm_exec *x)
{
    for (;;) {
        u32 a = atomic_load_explicit(&x->answer, memory_order_acquire);
        if (a == VM_ANSWER_WRITING)
            (void)sched_yield();
        else if (atomic_compare_exchange_weak_explicit(&x->answer, &a, VM_ANSWER_NONE,
                                                       memory_order_acquire, memory_order_relaxed))
            return;
    }
}

/** The cancel has ended this call; it stays for the calls around a nested one. */
static vm_status end_cancelled(struct vm_exec *x)
{
    if (x->now.bottom == x->stack)
        atomic_fetch_and_explicit(&x->interrupt, ~(u32)VM_INTERRUPT_CANCEL, memory_order_relaxed);
    return end(x, VM_CANCELLED);
}

/** Takes the request out of the interrupt word. */
static vm_status on_interrupt(struct vm_exec *x)
{
    bool nested = x->now.bottom != x->stack;
    /* read-modify-write, so that a cancel set meanwhile is not lost */
    u32 bits =
        atomic_fetch_and_explicit(&x->interrupt, ~(u32)VM_INTERRUPT_YIELD, memory_order_acq_rel);
    if (bits & VM_INTERRUPT_CANCEL) {
        vm_exec_drop_answer(x);
        return end_cancelled(x);
    }
    if (nested) x->yield_later = true;
    x->now.state = VM_EXEC_READY;
    return VM_YIELD;
}

static vm_status on_host(struct vm_exec *x, vm_status s)
{
    switch (s) {
    case VM_PENDING: x->now.state = VM_EXEC_PENDING; return VM_PENDING;
    case VM_EXIT:
    case VM_OOM:
    case VM_LIMIT: return end(x, s);
    case VM_CANCELLED: return end_cancelled(x); /* passed on from a nested call */
    default: /* a trap, or what a host function has no business to answer */
        if (x->trap == VM_TRAP_NONE) x->trap = VM_TRAP_HOST;
        return end(x, VM_TRAP);
    }
}

static vm_status on_stop(struct vm_exec *x)
{
    switch (x->stop) {
    case VM_STOP_DONE: return end(x, VM_OK);
    case VM_STOP_INTERRUPT: return on_interrupt(x);
    case VM_STOP_HOST: return on_host(x, x->host_status);
    case VM_STOP_FUEL: x->now.state = VM_EXEC_READY; return VM_FUEL;
    case VM_STOP_EXCEPTION: return end(x, VM_EXCEPTION);
    case VM_STOP_OOM: return end(x, VM_OOM);
    case VM_STOP_LIMIT: return end(x, VM_LIMIT);
    default:
        x->trap = (vm_trap)x->stop;
        if (x->trap != VM_TRAP_UNSUPPORTED) x->trap_text[0] = 0; /* it names the instruction */
        return end(x, VM_TRAP);
    }
}

/** Handlers run from the saved state to the next stop. */
static void dispatch(struct vm_exec *x)
{
    struct vm_regs r = {.pc = x->now.pc,
                        .fp = x->now.fp,
                        .mem = vm_memory_base(x->now.inst),
                        .x = x,
                        .acc = x->now.acc,
                        .facc = x->now.facc,
                        .vacc = get_v128(x->now.vacc)};
#define PIN(n, T) r.pin##n = x->now.pins[n - 1].T;
    VM_EACH_PIN(PIN)
#undef PIN
    u32 stop = vm_backend_get(x->store->backend)->dispatch(&r);
    x->stop = stop & ((1u << VM_PLACE_SHIFT) - 1);
    x->place = stop >> VM_PLACE_SHIFT;
    x->now.pc = r.pc;
    x->now.fp = r.fp;
    x->now.acc = r.acc;
    x->now.facc = r.facc;
    put_v128(x->now.vacc, r.vacc);
#define PIN(n, T) x->now.pins[n - 1].T = r.pin##n;
    VM_EACH_PIN(PIN)
#undef PIN
}

/** Stress builds: true when nothing but the stress itself made the handlers stop. */
static bool is_stress_stop(const struct vm_exec *x)
{
    if (!VM_STRESS) return false;
    if (x->stop == VM_STOP_HOST) return x->host_status == VM_OK;
    return x->stop == VM_STOP_INTERRUPT &&
           atomic_load_explicit(&x->interrupt, memory_order_relaxed) == VM_INTERRUPT_STRESS;
}

/** Throws where the pending host function was called; VM_OK: a handler is ready to be run. */
static vm_status throw_answer(struct vm_exec *x)
{
    u32 stop = vm_throw_at_call(x, x->host_exception);
    x->host_exception = NULL;
    x->now.state = VM_EXEC_READY;
    u32 bits = atomic_load_explicit(&x->interrupt, memory_order_relaxed);
    bool cancelled = stop == VM_STOP_INTERRUPT && (bits & VM_INTERRUPT_CANCEL);
    if (stop == VM_TAKEN || (stop == VM_STOP_INTERRUPT && !cancelled)) return VM_OK;
    x->stop = stop;
    x->place = 0;
    return on_stop(x);
}

/** Takes an answer that has been given to a pending host function; VM_PENDING if there is none. */
static vm_status take_answer(struct vm_exec *x)
{
    if (atomic_load_explicit(&x->answer, memory_order_acquire) != VM_ANSWER_GIVEN)
        return VM_PENDING;
    atomic_store_explicit(&x->answer, VM_ANSWER_NONE, memory_order_relaxed);
    if (x->host_answer == VM_TRAP) { /* not that of a nested call which trapped before */
        x->trap = VM_TRAP_HOST;
        x->trap_text[0] = 0;
    }
    if (x->host_answer == VM_EXCEPTION) return throw_answer(x);
    if (x->host_answer != VM_OK) return on_host(x, x->host_answer);
    x->now.state = VM_EXEC_READY;
    return VM_OK;
}

vm_status vm_exec_run(struct vm_exec *x)
{
    struct vm_store *store = x->store;
    struct vm_exec *outer = store->running;
    u32 bits = atomic_load_explicit(&x->interrupt, memory_order_acquire);
    if (x->now.state != VM_EXEC_READY && x->now.state != VM_EXEC_PENDING) return VM_ARGUMENT;
    if (bits & VM_INTERRUPT_CANCEL) return on_interrupt(x);
    if (x->now.state == VM_EXEC_PENDING) {
        vm_status s = take_answer(x);
        if (s != VM_OK) return s;
    }
    /* an interrupt from before this run has nothing to stop, but the run around a nested one */
    bool nested = x->now.bottom != x->stack;
    if ((bits & VM_INTERRUPT_YIELD) && !nested)
        atomic_fetch_and_explicit(&x->interrupt, ~(u32)VM_INTERRUPT_YIELD, memory_order_relaxed);
    if (store->nested_calls >= store->limits.nested_calls) {
        x->stop = VM_TRAP_STACK;
        return on_stop(x);
    }
    x->now.state = VM_EXEC_RUNNING;
    store->running = x;
    store->nested_calls++;
    bool timed = x->epoch_ticks && !nested;
    if (timed) vm_epochs_enter(store->epochs, x);
    do dispatch(x);
    while (is_stress_stop(x));
    if (timed) vm_epochs_leave(store->epochs, x);
    store->nested_calls--;
    store->running = outer;
    return on_stop(x);
}

/** The right to answer, once for each question. */
static bool claim_answer(struct vm_exec *x)
{
    u32 waiting = VM_ANSWER_WAITING;
    return atomic_compare_exchange_strong_explicit(&x->answer, &waiting, VM_ANSWER_WRITING,
                                                   memory_order_acquire, memory_order_relaxed);
}

vm_status vm_exec_complete(struct vm_exec *x, vm_status status, const union vm_slot *results,
                           u32 result_slots, int exit_code)
{
    if (status != VM_OK && status != VM_TRAP && status != VM_EXIT && status != VM_CANCELLED)
        return VM_ARGUMENT;
    if (!claim_answer(x)) return VM_ARGUMENT;
    bool fits = status != VM_OK || result_slots == x->now.host_func->sig->result_slots;
    if (fits) {
        for (u32 i = 0; status == VM_OK && i < result_slots; i++) x->now.host_slots[i] = results[i];
        if (status == VM_EXIT) x->exit_code = exit_code;
        x->host_answer = status;
    }
    atomic_store_explicit(&x->answer, fits ? VM_ANSWER_GIVEN : VM_ANSWER_WAITING,
                          memory_order_release);
    return fits ? VM_OK : VM_ARGUMENT;
}

vm_status vm_exec_complete_throw(struct vm_exec *x, struct vm_exception *e)
{
    if (!claim_answer(x)) return VM_ARGUMENT;
    x->host_exception = e;
    x->host_answer = VM_EXCEPTION;
    atomic_store_explicit(&x->answer, VM_ANSWER_GIVEN, memory_order_release);
    return VM_OK;
}

/* ---- nested calls */

vm_status vm_exec_nest(struct vm_exec *x, struct vm_func *f, struct vm_activation *saved)
{
    union vm_slot *bottom = vm_exec_top(x);
    if (bottom > x->stack_limit || (usize)(x->stack_limit - bottom) < VM_BOTTOM_SLOTS)
        return VM_LIMIT;
    *saved = x->now;
    prepare(x, f, bottom);
    x->now.no_suspend = true;
    return VM_OK;
}

void vm_exec_unnest(struct vm_exec *x, const struct vm_activation *saved)
{
    x->now = *saved;
    x->stop = VM_STOP_HOST;
    atomic_store_explicit(&x->answer, VM_ANSWER_WAITING, memory_order_release);
    if (x->yield_later && x->now.bottom == x->stack) {
        x->yield_later = false;
        vm_exec_interrupt(x);
    }
}

void vm_exec_interrupt(struct vm_exec *x) { vm_exec_request(x, VM_INTERRUPT_YIELD); }
void vm_exec_cancel(struct vm_exec *x) { vm_exec_request(x, VM_INTERRUPT_CANCEL); }

bool vm_guard_available(void) { return vm_signal_install(__start_vm_extable, __stop_vm_extable); }
