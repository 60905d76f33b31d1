/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator door and the C library behind it; the only file of vm/ that names malloc. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *libc_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

const struct vm_alloc vm_alloc_libc = {libc_realloc, NULL};

void *vm_alloc_zero(const struct vm_alloc *a, usize bytes)
{
    if (bytes == 0 || bytes > (usize)PTRDIFF_MAX) return NULL;
    void *p = a->realloc(a->ctx, NULL, 0, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *vm_alloc_array(const struct vm_alloc *a, usize count, usize size)
{
    usize bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return vm_alloc_zero(a, bytes);
}

void *vm_alloc_resize(const struct vm_alloc *a, void *ptr, usize old_bytes, usize new_bytes)
{
    /* A size of 0 would free the block, which callers of a "resize" that failed do not expect. */
    if (new_bytes == 0 || new_bytes > (usize)PTRDIFF_MAX) return NULL;
    return a->realloc(a->ctx, ptr, ptr ? old_bytes : 0, new_bytes);
}

void vm_alloc_free(const struct vm_alloc *a, void *ptr, usize bytes)
{
    if (ptr) a->realloc(a->ctx, ptr, bytes, 0);
}
