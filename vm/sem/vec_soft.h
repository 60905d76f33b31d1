/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences in plain C for what a target has no instruction for. Used by the files behind
 * vec_target.h.
 */
#ifndef VM_SEM_VEC_SOFT_H
#define VM_SEM_VEC_SOFT_H

#include "base/fbits.h"
#include "sem/vec_types.h"

#include <string.h>

/* spec op-ipopcnt: sums of 2, 4, 8 bits */
VM_INLINE v128 vm_v128_popcnt8(v128 a)
{
    u8x16 x = (u8x16)a;
    x -= (x >> 1) & 0x55;
    x = (x & 0x33) + ((x >> 2) & 0x33);
    return (v128)((x + (x >> 4)) & 0x0f);
}

/* spec exec-vshuffle, op-vswizzlop: byte by byte through memory */
VM_INLINE v128 vm_v128_shuffle(v128 a, v128 b, v128 lanes)
{
    u8 from[32], at[16], to[16];
    memcpy(from, &a, 16);
    memcpy(from + 16, &b, 16);
    memcpy(at, &lanes, 16);
    for (u32 i = 0; i < 16; i++) to[i] = from[at[i] & 31];
    memcpy(&a, to, 16);
    return a;
}
VM_INLINE v128 vm_v128_swizzle(v128 a, v128 indices)
{
    v128 inside = (v128)((u8x16)indices < 16);
    return vm_v128_shuffle(a, a, indices) & inside;
}

/*
 * spec op-fnearest, op-ffloor, op-fceil, op-ftrunc, branch-free: below 2^23 (2^52), adding and
 * subtracting that number rounds half to even, and one more step goes to the neighbour asked for.
 * From there on all floats are whole. The sign is x's; NaNs become quiet.
 */

/* `whole` where it is the answer (x has a fraction to lose), x elsewhere; x's sign. */
VM_INLINE v128 vm_v128_f32x4_rounded(f32x4 x, f32x4 whole)
{
    u32x4 sign = (u32x4)x & VM_F32_SIGN;
    u32x4 magnitude = (u32x4)x & ~VM_F32_SIGN;
    u32x4 quiet = (u32x4)(x != x) & VM_F32_QUIET;
    v128 small = (v128)((f32x4)magnitude < 0x1p23f);
    return vm_v128_select(small, (v128)(((u32x4)whole & ~VM_F32_SIGN) | sign),
                          (v128)((u32x4)x | quiet));
}
/* Half to even; only for magnitudes below 2^23. */
VM_INLINE f32x4 vm_v128_f32x4_even(f32x4 x)
{
    f32x4 big = (f32x4)(((u32x4)x & VM_F32_SIGN) | (u32x4)((f32x4){0} + 0x1p23f));
    return (x + big) - big;
}
VM_INLINE v128 vm_v128_f32x4_nearest(v128 a)
{
    return vm_v128_f32x4_rounded((f32x4)a, vm_v128_f32x4_even((f32x4)a));
}
VM_INLINE v128 vm_v128_f32x4_floor(v128 a)
{
    f32x4 x = (f32x4)a;
    f32x4 near = vm_v128_f32x4_even(x);
    u32x4 step = (u32x4)(near > x) & (u32x4)((f32x4){0} + 1.0f);
    return vm_v128_f32x4_rounded(x, near - (f32x4)step);
}
VM_INLINE v128 vm_v128_f32x4_ceil(v128 a)
{
    f32x4 x = (f32x4)a;
    f32x4 near = vm_v128_f32x4_even(x);
    u32x4 step = (u32x4)(near < x) & (u32x4)((f32x4){0} + 1.0f);
    return vm_v128_f32x4_rounded(x, near + (f32x4)step);
}
VM_INLINE v128 vm_v128_f32x4_trunc(v128 a)
{
    f32x4 x = (f32x4)((u32x4)a & ~VM_F32_SIGN);
    f32x4 near = vm_v128_f32x4_even(x);
    u32x4 step = (u32x4)(near > x) & (u32x4)((f32x4){0} + 1.0f);
    return vm_v128_f32x4_rounded((f32x4)a, near - (f32x4)step);
}

/* `whole` where it is the answer (x has a fraction to lose), x elsewhere; x's sign. */
VM_INLINE v128 vm_v128_f64x2_rounded(f64x2 x, f64x2 whole)
{
    u64x2 sign = (u64x2)x & VM_F64_SIGN;
    u64x2 magnitude = (u64x2)x & ~VM_F64_SIGN;
    u64x2 quiet = (u64x2)(x != x) & VM_F64_QUIET;
    v128 small = (v128)((f64x2)magnitude < 0x1p52);
    return vm_v128_select(small, (v128)(((u64x2)whole & ~VM_F64_SIGN) | sign),
                          (v128)((u64x2)x | quiet));
}
/* Half to even; only for magnitudes below 2^52. */
VM_INLINE f64x2 vm_v128_f64x2_even(f64x2 x)
{
    f64x2 big = (f64x2)(((u64x2)x & VM_F64_SIGN) | (u64x2)((f64x2){0} + 0x1p52));
    return (x + big) - big;
}
VM_INLINE v128 vm_v128_f64x2_nearest(v128 a)
{
    return vm_v128_f64x2_rounded((f64x2)a, vm_v128_f64x2_even((f64x2)a));
}
VM_INLINE v128 vm_v128_f64x2_floor(v128 a)
{
    f64x2 x = (f64x2)a;
    f64x2 near = vm_v128_f64x2_even(x);
    u64x2 step = (u64x2)(near > x) & (u64x2)((f64x2){0} + 1.0);
    return vm_v128_f64x2_rounded(x, near - (f64x2)step);
}
VM_INLINE v128 vm_v128_f64x2_ceil(v128 a)
{
    f64x2 x = (f64x2)a;
    f64x2 near = vm_v128_f64x2_even(x);
    u64x2 step = (u64x2)(near < x) & (u64x2)((f64x2){0} + 1.0);
    return vm_v128_f64x2_rounded(x, near + (f64x2)step);
}
VM_INLINE v128 vm_v128_f64x2_trunc(v128 a)
{
    f64x2 x = (f64x2)((u64x2)a & ~VM_F64_SIGN);
    f64x2 near = vm_v128_f64x2_even(x);
    u64x2 step = (u64x2)(near > x) & (u64x2)((f64x2){0} + 1.0);
    return vm_v128_f64x2_rounded((f64x2)a, near - (f64x2)step);
}

#endif
