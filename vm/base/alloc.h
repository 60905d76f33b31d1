/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to the heap: every allocation of vm/ passes the embedder's allocator. */
#ifndef VM_BASE_ALLOC_H
#define VM_BASE_ALLOC_H

#include "base/port.h"

/** An allocator; must be callable from any thread. Immutable after creation. */
struct vm_alloc {
    /** (ctx, NULL, 0, n) allocates; (ctx, p, old, n) resizes; (ctx, p, old, 0) frees, NULL result.
     */
    void *(*realloc)(void *ctx, void *ptr, usize old_bytes, usize new_bytes);
    void *ctx;
};

/** The C library's allocator. */
extern const struct vm_alloc vm_alloc_libc;

/** `bytes` zeroed bytes; NULL when out of memory or bytes is 0. */
void *vm_alloc_zero(const struct vm_alloc *a, usize bytes) VM_MUST_USE;
/** count * size zeroed bytes with the product checked; NULL on overflow, 0 or no memory. */
void *vm_alloc_array(const struct vm_alloc *a, usize count, usize size) VM_MUST_USE;
/** Resizes; new bytes are not zeroed. NULL: the old block stays as it was. */
void *vm_alloc_resize(const struct vm_alloc *a, void *ptr, usize old_bytes, usize new_bytes)
    VM_MUST_USE;
/** Frees; `bytes` is the size it was allocated with. NULL is allowed. */
void vm_alloc_free(const struct vm_alloc *a, void *ptr, usize bytes);

#endif
