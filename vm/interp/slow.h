/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handlers do out of line: calls that leave the instance, first calls, bulk operations.
 * Each takes the state by value, leaves the new one in x->now.pc and x->now.fp (the memory base
 * follows from x->now.inst), and answers 0 or why to stop. Owner thread.
 */
#ifndef VM_INTERP_SLOW_H
#define VM_INTERP_SLOW_H

#include "runtime/exec.h"

/** Calls any function: arguments at `args`, to go on at `next` with frame `fp`. */
u32 vm_slow_call(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args);
/** The same for a host function. Answering 0, instance and frame are as before; VM_TAKEN: it has
 *  thrown, and x->now is in a handler. */
u32 vm_slow_host(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args);
/** Tail-calls any function from frame `fp`: `n` argument slots at `args`. A host function's
 *  results are left at `args`, and the code at `next` returns them. */
u32 vm_slow_tail(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args, u32 n);
/** call_indirect and return_call_indirect at `pc`, whatever the table holds. */
u32 vm_slow_call_indirect(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp);
u32 vm_slow_tail_indirect(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp);
/** Translates the function whose frame was just set up at `fp`, and enters it. */
u32 vm_slow_lazy(struct vm_exec *x, union vm_slot *fp);
/** The same where a call led to; that leads to the entry then. */
u32 vm_slow_link(struct vm_exec *x, union vm_slot *fp);
/** throw and throw_ref at `pc`: goes on in a handler with VM_TAKEN, or stops as they stand. */
u32 vm_slow_throw(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp);
u32 vm_slow_throw_ref(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp);
/** The same for an exception of a host function, which was called before x->now.pc. */
u32 vm_throw_at_call(struct vm_exec *x, struct vm_exception *e);
/** Returns from a foreign frame. */
u32 vm_slow_return_foreign(struct vm_exec *x, union vm_slot *fp);

/* Bulk operations over consecutive slots at `s`; a, b are the instruction's indices. They may stop
 * with VM_STOP_INTERRUPT half-way, with the slots changed to what is left to do. */
u32 vm_slow_memory_grow(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_memory_fill(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_memory_copy(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_memory_init(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_data_drop(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_table_grow(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_table_fill(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_table_copy(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_table_init(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);
u32 vm_slow_elem_drop(struct vm_exec *x, union vm_slot *s, u32 a, u32 b);

/* Waiting and notifying, over consecutive slots at `s`, the first one for the answer. A wait that
 * stops with VM_STOP_INTERRUPT is in progress: the same instruction goes on with it. */
u32 vm_slow_atomic_notify(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset);
u32 vm_slow_atomic_wait32(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset);
u32 vm_slow_atomic_wait64(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset);

/** Memory base for an instance: of memory 0, or NULL. */
static inline u8 *vm_memory_base(const struct vm_instance *inst)
{
    return inst && inst->program->module.memory_count ? inst->memories[0]->base : NULL;
}

#endif
