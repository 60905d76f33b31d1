/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical type numbers: who owns which, and the map from number to definition. Internal to
 * types/; no hashing, no equality (rectype.c).
 */
#ifndef VM_TYPES_TYPEIDS_H
#define VM_TYPES_TYPEIDS_H

#include "types/deftype.h"

#include "base/bits.h"

#include <stdatomic.h>

enum {
    VM_TYPEIDS_CHUNK_LOG2 = 6, /* words in the first chunk; each one has twice as many */
    VM_TYPEIDS_CHUNKS = 18,
    VM_TYPEIDS_MAX = VM_HEAP_ABSTRACT & ~63,
    VM_TYPEIDS_EXACT = 16, /* classes of free runs: one a length up to here, then powers of two */
    VM_TYPEIDS_CLASSES = VM_TYPEIDS_EXACT + 20
};

/* A small module takes one small chunk: most of what a process does before its guest runs is to
 * touch memory for the first time. */
_Static_assert((UINT64_C(1) << (VM_TYPEIDS_CHUNK_LOG2 + VM_TYPEIDS_CHUNKS)) -
                       (1 << VM_TYPEIDS_CHUNK_LOG2) >=
                   VM_TYPEIDS_MAX,
               "all numbers have a place");

/*
 * One word a number:
 *   in use     the address of its definition (bit 0 clear)
 *   free run   its first word: bit 0 set, bits 1-31 length, bits 32-63 first number of the next
 *              run of the class; the other words of the run are undefined
 */
typedef u64 vm_typeid_slot;

/* lock: of the struct vm_types around it; vm_typeids_get: any thread, for numbers it knows. */
struct vm_typeids {
    const struct vm_alloc *alloc;
    u32 fresh;                         /* numbers from here on were never used */
    u32 in_use;                        /* numbers in use */
    u32 free_runs[VM_TYPEIDS_CLASSES]; /* first number or VM_NO_TYPE */
    _Atomic(vm_typeid_slot *) chunks[VM_TYPEIDS_CHUNKS];
};

void vm_typeids_init(struct vm_typeids *ids, const struct vm_alloc *alloc);
void vm_typeids_free(struct vm_typeids *ids);
/** Takes `count` >= 1 numbers in a row: VM_OK, VM_LIMIT or VM_OOM. */
vm_status vm_typeids_take(struct vm_typeids *ids, u32 count, u32 *first);
/** Sets the definitions of numbers just taken: types[0..count). */
void vm_typeids_set(struct vm_typeids *ids, u32 first, const struct vm_deftype *types, u32 count);
/** Gives back what one take gave. Cannot fail. */
void vm_typeids_put(struct vm_typeids *ids, u32 first, u32 count);

/** Words in a chunk. */
static inline u32 vm_typeids_room(u32 chunk) { return 1u << (VM_TYPEIDS_CHUNK_LOG2 + chunk); }
/** The chunk that has a number's word. */
static inline u32 vm_typeids_chunk_of(u32 id)
{
    return 31 - vm_clz32(id + (1u << VM_TYPEIDS_CHUNK_LOG2)) - VM_TYPEIDS_CHUNK_LOG2;
}

static inline vm_typeid_slot *vm_typeids_slot(struct vm_typeids *ids, u32 id)
{
    u32 k = vm_typeids_chunk_of(id);
    /* acquire: pairs with the release that publishes the (zeroed) chunk */
    vm_typeid_slot *chunk = atomic_load_explicit(&ids->chunks[k], memory_order_acquire);
    return &chunk[id + (1u << VM_TYPEIDS_CHUNK_LOG2) - vm_typeids_room(k)];
}

static inline const struct vm_deftype *vm_typeids_get(struct vm_typeids *ids, u32 id)
{
    return (const struct vm_deftype *)(uintptr_t)*vm_typeids_slot(ids, id);
}

#endif
