/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of one element type, on an allocator. Element type by macro, code by function. */
#ifndef VM_BASE_VEC_H
#define VM_BASE_VEC_H

#include "base/alloc.h"

/** struct VM_VEC(T): data, len and cap count elements; zero-initialised is empty. */
#define VM_VEC(T)                                                                                  \
    {                                                                                              \
        T *data;                                                                                   \
        u32 len, cap;                                                                              \
    }

/**
 * Makes room for `extra` more elements of `size` bytes: the (perhaps moved) data, with *cap raised,
 * or NULL when out of memory or past 2^31 elements, and then nothing has changed.
 */
void *vm_vec_grow(const struct vm_alloc *a, void *data, u32 *cap, u32 len, u32 extra, usize size)
    VM_MUST_USE;

/** Reserves room in vector `v` for `extra` elements: bool. */
#define VM_VEC_RESERVE(a, v, extra)                                                                \
    ((v)->cap - (v)->len >= (u32)(extra) || __extension__({                                        \
         void *grown_ =                                                                            \
             vm_vec_grow((a), (v)->data, &(v)->cap, (v)->len, (u32)(extra), sizeof(*(v)->data));   \
         if (grown_) (v)->data = grown_;                                                           \
         grown_ != NULL;                                                                           \
     }))
/** Appends after a successful reserve. */
#define VM_VEC_PUSH(v, x) ((v)->data[(v)->len++] = (x))
#define VM_VEC_FREE(a, v)                                                                          \
    (vm_alloc_free((a), (v)->data, (usize)(v)->cap * sizeof(*(v)->data)), (v)->data = NULL,        \
     (v)->len = (v)->cap = 0)

#endif
