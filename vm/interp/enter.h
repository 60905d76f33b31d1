/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, running and finishing calls. Includes nothing of handlers. */
#ifndef VM_INTERP_ENTER_H
#define VM_INTERP_ENTER_H

#include "runtime/exec.h"

/**
 * Prepares a call of `f`; arguments stand in vm_exec_args(x), where results will stand.
 * VM_ARGUMENT when a call is in progress.
 */
vm_status vm_exec_start(struct vm_exec *x, struct vm_func *f) VM_MUST_USE;
/**
 * Runs until something happens: VM_OK, VM_PENDING, VM_YIELD or an end: VM_TRAP (x->trap),
 * VM_EXIT (x->exit_code), VM_EXCEPTION (x->exception), VM_CANCELLED, VM_OOM. Owner thread.
 */
vm_status vm_exec_run(struct vm_exec *x) VM_MUST_USE;
/** Answers the pending host function. VM_ARGUMENT when there is none. */
vm_status vm_exec_complete(struct vm_exec *x, vm_status status, const union vm_slot *results,
                           u32 result_slots, int exit_code) VM_MUST_USE;
/** The same with an exception of the store, which the embedder holds until the exec has run. */
vm_status vm_exec_complete_throw(struct vm_exec *x, struct vm_exception *e) VM_MUST_USE;
/**
 * Begins a call above the one in progress, on the same stack, from inside a host function; run it
 * with vm_exec_run, then vm_exec_unnest. It can't suspend. VM_LIMIT: too deep. Owner thread.
 */
vm_status vm_exec_nest(struct vm_exec *x, struct vm_func *f, struct vm_activation *saved)
    VM_MUST_USE;
void vm_exec_unnest(struct vm_exec *x, const struct vm_activation *saved);
/**
 * Takes the question back from whoever may be answering it: an answer being written is waited for,
 * so that it can't end up in a later call. Owner thread.
 */
void vm_exec_drop_answer(struct vm_exec *x);
/** Any thread, also a signal handler. */
void vm_exec_interrupt(struct vm_exec *x);
void vm_exec_cancel(struct vm_exec *x);

/** True when guest accesses can trap by fault on this machine; installs the signal handler. */
bool vm_guard_available(void);

#endif
