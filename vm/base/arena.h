/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation for things that die together. No destructors, no resizing. */
#ifndef VM_BASE_ARENA_H
#define VM_BASE_ARENA_H

#include "base/alloc.h"

struct vm_arena_block;

/** Caller's storage; one thread at a time. */
struct vm_arena {
    const struct vm_alloc *alloc;
    struct vm_arena_block *head; /* newest block */
    u8 *next, *end;              /* free part of head */
    usize total_bytes;           /* held from the allocator */
};

void vm_arena_init(struct vm_arena *arena, const struct vm_alloc *alloc);
/** Frees everything; the arena may be used again. */
void vm_arena_free(struct vm_arena *arena);
/** Forgets all contents but keeps the largest block for the next use. */
void vm_arena_reset(struct vm_arena *arena);
/** Zeroed, 16-byte aligned; NULL when out of memory. A 0-byte request gives a valid pointer. */
void *vm_arena_alloc(struct vm_arena *arena, usize bytes) VM_MUST_USE;
/** count * size with the product checked. */
void *vm_arena_array(struct vm_arena *arena, usize count, usize size) VM_MUST_USE;

#endif
