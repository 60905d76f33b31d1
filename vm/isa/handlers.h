/* SPDX-License-Identifier: Apache-2.0 */
/* The backends, defined by interp; all that the other folders know of execution. */
#ifndef VM_ISA_HANDLERS_H
#define VM_ISA_HANDLERS_H

#include "isa/code.h"

/** Code that belongs to no function. */
struct vm_stubs {
    union vm_word lazy[1];           /* entry of an untranslated function */
    union vm_word link[1];           /* where a call of one goes */
    union vm_word start[2];          /* call_start, exit: the bottom of every exec */
    union vm_word return_foreign[1]; /* return address of a call from another instance */
};

struct vm_regs;

/** One way to run internal code. Immutable. */
struct vm_backend {
    /**
     * Handlers, each as the distance from its own entry here: nothing to relocate, so processes
     * share the table. 0: that of `alike`, a table of the same order, which may be the same one.
     * NULL: an instruction begins with its op's number, counted from `first`.
     */
    const i32 *handlers, *alike;
    u64 first;
    u32 ops; /* has none of vm_ir from this on */
    struct vm_stubs stubs;
    /** Runs from *r until a step stops; *r is then where it stopped. The reason. interp's own. */
    u32 (*dispatch)(struct vm_regs *r);
};

/** False for chains that the tables were made without. */
static inline bool vm_backend_has(const struct vm_backend *b, vm_ir op)
{
    return op < b->ops && (!b->handlers || b->handlers[op] || b->alike[op]);
}

/** First word of an instruction that it has. */
static inline union vm_word vm_backend_word(const struct vm_backend *b, vm_ir op)
{
    if (!b->handlers) return (union vm_word){.u = b->first + op};
    const i32 *at = (b->handlers[op] ? b->handlers : b->alike) + op;
    return (union vm_word){.ptr = (const char *)at + *at};
}

/** A usable backend. Any thread. */
const struct vm_backend *vm_backend_get(enum vm_code_backend backend);
/** True when this build and this processor have it. */
bool vm_backend_usable(enum vm_code_backend backend);
/** The fastest one there is. */
enum vm_code_backend vm_backend_best(void);

#endif
