/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's machine while it runs: stacks, labels, frames. Private to ref_*.c. */
#ifndef FUZZ_REF_MACHINE_H
#define FUZZ_REF_MACHINE_H

#include "isa/opcode.h"
#include "ref_interp.h"

/** What a label catches, besides being branched to. */
enum label_kind {
    LABEL_PLAIN,
    LABEL_TRY_TABLE,
    LABEL_TRY,  /* legacy, in its body */
    LABEL_CATCH /* legacy, in a handler: `exn` is what rethrow throws */
};

struct label {
    const u8 *to; /* where a branch goes on */
    u32 height, arity;
    u8 kind;
    const u8 *clauses; /* LABEL_TRY_TABLE: their vector; LABEL_TRY: the try itself */
    const struct ref_exn *exn;
};

struct frame {
    struct ref_instance *inst;
    const struct ref_body *body;
    u32 func;
    const u8 *p;
    const u8 *insn; /* being executed */
    u32 locals, labels; /* bases */
    u32 results;
};

struct machine {
    struct ref_store *store;
    struct ref_val *vals;
    struct label *labels;
    struct frame *frames;
    u32 val_count, val_cap, label_count, label_cap, frame_count, frame_cap;
    vm_trap trap;
    const struct ref_exn *thrown; /* by the last instruction; uncaught when `uncaught` */
    bool skip, done, uncaught;
    bool from_host; /* some exception came out of a host function */
    struct frame *f; /* the innermost */
};

void ref_push(struct machine *m, struct ref_val v);
static inline void ref_push_bits(struct machine *m, u64 bits)
{
    ref_push(m, (struct ref_val){.bits = bits});
}
static inline struct ref_val ref_pop(struct machine *m) { return m->vals[--m->val_count]; }
/** An address or size popped. */
static inline u64 ref_pop_size(struct machine *m, bool is_64)
{
    u64 v = ref_pop(m).bits;
    return is_64 ? v : (u32)v;
}
/** Moves the top `n` values down to `height`. */
void ref_unwind(struct machine *m, u32 height, u32 n);
void ref_branch(struct machine *m, u64 depth);

/* Each executes the instruction when it is one of its own. */
bool ref_load_store(struct machine *m, u32 op);
bool ref_atomic(struct machine *m, u32 op);
bool ref_bulk(struct machine *m, u32 op);
bool ref_vector(struct machine *m, u32 op);
/** throw, throw_ref, rethrow, and what ends a body or a handler of a legacy try. */
bool ref_exceptions(struct machine *m, u32 op);
/** An exception of a tag with the values on the stack, popped. */
const struct ref_exn *ref_exn_new(struct machine *m, const struct ref_tag *tag);
/** Brings `m->thrown` to its handler, or sets `uncaught` and leaves all as it was. */
void ref_throw(struct machine *m);

/** The bytes that a memarg at the instruction pointer means, or NULL and a trap. */
u8 *ref_access(struct machine *m, u32 size);

#endif
