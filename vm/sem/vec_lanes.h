/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing vector instructions as loops over lanes: fixed counts, which compilers turn into the
 * vector instructions of the machine. One expansion, of V2(i8x16_add, u8, u8, 16, (u32)a + b):
 *
 *   VM_INLINE v128 sem_i8x16_add(v128 v, v128 q)
 *   {
 *       union { v128 v; u8 l[16]; } x = {.v = v}, y = {.v = q};
 *       union { v128 v; u8 l[16]; } z = {.v = {0, 0}};
 *       for (u32 i = 0; i < 16; i++) {
 *           const u8 a = x.l[i], b = y.l[i];
 *           z.l[i] = (u8)((u32)a + b);
 *       }
 *       return z.v;
 *   }
 */
#ifndef VM_SEM_VEC_LANES_H
#define VM_SEM_VEC_LANES_H

#include "base/port.h"

/** A v128 and its lanes. */
#define VEC_LANES(A)                                                                               \
    union {                                                                                        \
        v128 v;                                                                                    \
        A l[16 / sizeof(A)];                                                                       \
    }
#define VEC_ZERO {.v = {0, 0}}

/* From lanes of type A to the first n of type R, the others 0: of one vector, of two, of three. */
#define V1(name, A, R, n, expr)                                                                    \
    VM_INLINE v128 sem_##name(v128 v)                                                              \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v};                                                                 \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i];                                                                    \
            z.l[i] = (R)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define V2(name, A, R, n, expr)                                                                    \
    VM_INLINE v128 sem_##name(v128 v, v128 q)                                                      \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v}, y = {.v = q};                                                   \
        VEC_LANES(R) z = VEC_ZERO;                                                                 \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i], b = y.l[i];                                                        \
            z.l[i] = (R)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define V3(name, A, n, expr)                                                                       \
    VM_INLINE v128 sem_##name(v128 v, v128 q, v128 p)                                              \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v}, y = {.v = q}, w = {.v = p}, z = VEC_ZERO;                       \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i], b = y.l[i], c = w.l[i];                                            \
            z.l[i] = (A)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
/* By a scalar s, below the bits of a lane. */
#define VS(name, A, expr)                                                                          \
    VM_INLINE v128 sem_##name(v128 v, u32 s)                                                       \
    {                                                                                              \
        VEC_LANES(A) x = {.v = v}, z = VEC_ZERO;                                                   \
        s &= 8 * (u32)sizeof(A) - 1;                                                               \
        for (u32 i = 0; i < 16 / sizeof(A); i++) {                                                 \
            const A a = x.l[i];                                                                    \
            z.l[i] = (A)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }

#endif
