/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call in progress: its value stack, where it stands, why it stopped. Data and life cycle;
 * running it is interp/enter.c's.
 */
#ifndef VM_RUNTIME_EXEC_H
#define VM_RUNTIME_EXEC_H

#include "isa/handlers.h"
#include "runtime/epoch.h"
#include "runtime/objects.h"
#include "runtime/waiters.h"

/** Why handlers returned to C: below VM_TRAP_COUNT a vm_trap, else one of these. */
enum vm_stop {
    VM_STOP_NONE = 0,
    VM_STOP_INTERRUPT = 0x100, /* pc is the next instruction */
    VM_STOP_DONE,
    VM_STOP_FUEL, /* pc is the instruction that wants more */
    VM_STOP_HOST, /* exec->host_status tells; pc is behind the call */
    VM_STOP_OOM,
    VM_STOP_EXCEPTION, /* nobody catches exec->exception; pc is in the instruction that threw it */
    VM_STOP_LIMIT /* a function is too large to be translated */
};

/** Bits of the interrupt word: others set them, only vm_exec_run's slow path clears them. */
enum { VM_INTERRUPT_YIELD = 1, VM_INTERRUPT_CANCEL = 2, VM_INTERRUPT_STRESS = 4 };

/* Stress builds stop at every back-edge, call and host call, and go on. */
#ifndef VM_STRESS
#define VM_STRESS 0
#endif

enum vm_exec_state {
    VM_EXEC_IDLE,
    VM_EXEC_READY,
    VM_EXEC_RUNNING,
    VM_EXEC_PENDING, /* a host function has not answered; vm_exec.answer tells when it has */
    VM_EXEC_ENDED
};

/** Answer of a pending host function; any thread moves it from WAITING on, the owner back. */
enum vm_answer {
    VM_ANSWER_NONE, /* no host function is running or pending */
    VM_ANSWER_WAITING, /* one is */
    VM_ANSWER_WRITING, /* somebody writes its results */
    VM_ANSWER_GIVEN /* host_answer holds VM_OK or the failure */
};

/** The call in progress: what a nested call saves and puts back. Owner thread. */
struct vm_activation {
    const union vm_word *pc; /* written when handlers stop, with fp */
    union vm_slot *fp;
    /* the accumulators: a loop's start may count on them; copies of slots of this frame */
    u64 acc;
    f64 facc;
    union vm_slot vacc[2];
    union vm_slot pins[VM_PIN_END - 1]; /* by number - 1; copies of slots of this frame, too */
    struct vm_instance *inst; /* whose code runs; NULL at the bottom of a host call */
    union vm_slot **cells; /* inst->cells */
    struct vm_func *start_func;
    union vm_slot *bottom; /* frame below the first function's */
    enum vm_exec_state state;
    bool no_suspend;
    union vm_slot *host_slots; /* of the host function that is running or pending */
    struct vm_func *host_func;
};

struct vm_exec {
    /* read by handlers */
    _Atomic u32 interrupt; /* any thread stores; handlers only read */
    union vm_slot *stack_limit; /* a frame must end at or below this */
    struct vm_activation now;
    /* the rest */
    u32 stop;
    u32 place; /* of a trap: which of its instruction's parts that may trap it was */
    vm_status host_status;
    _Atomic u32 answer; /* enum vm_answer */
    vm_status host_answer; /* published by `answer` */
    vm_trap trap;
    char trap_text[128]; /* of a host function's own; empty: the trap's */
    int exit_code;
    struct vm_exception *exception; /* thrown by the host function or uncaught; NULL: none */
    struct vm_exception *host_exception; /* with host_answer VM_EXCEPTION; the embedder holds it */
    struct vm_store *store; /* NULL once deleted */
    struct vm_exec *next, **back; /* of the store */
    const struct vm_alloc *alloc; /* the store's, which may be deleted before the exec */
    union vm_slot *stack; /* lowest slot */
    u64 stack_bytes; /* reserved, guard page included */
    u32 epoch_ticks; /* of each run, then YIELD; 0: none */
    u64 epoch_deadline; /* with the two links: lock: store->epochs->lock */
    struct vm_exec *epoch_next, **epoch_back;
    bool yield_later; /* a YIELD came during a nested call, which can't */
    struct vm_waiter waiter;
};

/** What a host function is given. Lives on the C stack during the host call. */
struct vm_call {
    struct vm_exec *exec;
    struct vm_instance *inst; /* the caller, or NULL */
    vm_status
        answer; /* VM_TRAP, VM_EXCEPTION or VM_EXIT once asked for; plain C functions return none */
};

/** New exec; VM_OOM when its stack can't be reserved. */
vm_status vm_exec_new(struct vm_store *store, struct vm_exec **out, struct vm_err *err);
void vm_exec_delete(struct vm_exec *x);

/** Sets bits of the interrupt word and wakes it up. Any thread, also a signal handler. */
static inline void vm_exec_request(struct vm_exec *x, u32 bits)
{
    atomic_fetch_or_explicit(&x->interrupt, bits, memory_order_release);
    vm_wakeup_post(&x->waiter.wakeup);
}

/** Where the arguments of the call in progress are put, and where its results stand. */
static inline union vm_slot *vm_exec_args(const struct vm_exec *x)
{
    return x->now.bottom + VM_FRAME_SLOTS;
}
/** Slots that the bottom frame needs: parameters and results of one function at most. */
enum { VM_BOTTOM_SLOTS = VM_FRAME_SLOTS + 2 * (VM_MAX_PARAMS + VM_MAX_RESULTS) };

/** First slot above what the call in progress uses; now.fp must be in place. */
static inline union vm_slot *vm_exec_top(const struct vm_exec *x)
{
    const struct vm_code *code = x->now.fp[VM_FRAME_CODE].cptr;
    u32 slots = code ? atomic_load_explicit(&code->frame_slots, memory_order_relaxed)
                     : (u32)VM_BOTTOM_SLOTS;
    return x->now.fp + slots;
}
/** The store is being deleted; its execs may be deleted later. */
void vm_execs_forget_store(struct vm_store *store);

/** Where a frame stands: what runs in it, and for whom. */
struct vm_frame_at {
    union vm_slot *fp;
    const union vm_word *pc;
    struct vm_instance *inst;
};
/** On to its caller's, pc behind the call. `foreign`: vm_return_stub. */
static inline void vm_frame_up(struct vm_frame_at *f, const union vm_word *foreign)
{
    const union vm_slot *fp = f->fp;
    bool is_foreign = fp[VM_FRAME_RET].cptr == foreign;
    if (is_foreign) f->inst = fp[VM_FRAME_INST].ptr;
    f->pc = fp[is_foreign ? VM_FRAME_REAL_RET : VM_FRAME_RET].cptr;
    f->fp = fp[is_foreign ? VM_FRAME_REAL_CALLER : VM_FRAME_CALLER].ptr;
}
/** The return address that marks a foreign frame. */
static inline const union vm_word *vm_return_stub(const struct vm_exec *x)
{
    return vm_backend_get(x->store->backend)->stubs.return_foreign;
}

/** A frame of a stopped exec. */
struct vm_frame_info {
    const struct vm_code *code;
    u32 offset; /* file offset of its current instruction */
    bool entered; /* its locals are in place; else only the parameters are */
    const union vm_slot *fp;
    const struct vm_instance *inst; /* whose code it runs */
};
/**
 * Walks the frames of a stopped exec, innermost first; calls `fn` for each until it answers false.
 */
void vm_exec_walk(const struct vm_exec *x, bool (*fn)(const struct vm_frame_info *, void *env),
                  void *env);
#endif
