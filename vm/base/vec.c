/* SPDX-License-Identifier: Apache-2.0 */
/* Growth of the arrays of vec.h. */
#include "base/vec.h"

enum { VEC_MIN_CAP = 8 };
#define VEC_MAX_CAP ((u64)1 << 31)

void *vm_vec_grow(const struct vm_alloc *a, void *data, u32 *cap, u32 len, u32 extra, usize size)
{
    u64 need = (u64)len + extra;
    u64 want = (u64)*cap + *cap / 2;
    if (need > VEC_MAX_CAP) return NULL;
    if (want < need) want = need;
    if (want < VEC_MIN_CAP) want = VEC_MIN_CAP;
    if (want > VEC_MAX_CAP) want = VEC_MAX_CAP;

    usize bytes;
    if (__builtin_mul_overflow((usize)want, size, &bytes)) return NULL;
    void *grown = vm_alloc_resize(a, data, (usize)*cap * size, bytes);
    if (grown) *cap = (u32)want;
    return grown;
}
