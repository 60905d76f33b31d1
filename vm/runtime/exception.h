/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions that something refers to, and the collector that frees the others. They never move; an
 * exnref value is a pointer to one. Who throws and who catches is interp/throw.c's.
 */
#ifndef VM_RUNTIME_EXCEPTION_H
#define VM_RUNTIME_EXCEPTION_H

#include "base/vec.h"
#include "isa/ir.h"

struct vm_store;
struct vm_tag;

/** spec syntax-exninst. Owner thread of the store. */
struct vm_exception {
    struct vm_tag *tag;
    struct vm_exception
        *link; /* free list; while marking: those whose values are to be looked at */
    u32 holds; /* by the embedder */
    u32 slots; /* room for values */
    bool marked;
    union vm_slot values[]; /* the tag's */
};

/** A store's. Zero-initialised is empty. */
struct vm_exceptions {
    struct VM_VEC(struct vm_exception *) live;
    struct vm_exception **table; /* own: a hash set of the live ones, made by each collection */
    u32 table_size; /* a power of two */
    struct vm_exception *free; /* small ones */
    u64 bytes; /* of the live ones */
    u64 count_goal, bytes_goal; /* that call for the next collection */
};

/**
 * New exception of a store's tag, values copied; collects first when enough have been made, with
 * `values` as roots. The frames of all execs of the store must be in place (x->now.fp). NULL: the
 * store's limit is reached, or no memory.
 */
struct vm_exception *vm_exception_new(struct vm_store *store, struct vm_tag *tag,
                                      const union vm_slot *values) VM_MUST_USE;
void vm_exceptions_free(struct vm_store *store);

#endif
