/* SPDX-License-Identifier: Apache-2.0 */
/* sjlj.h - setjmp and longjmp for workloads: sjlj.c in a guest, the C library's natively. */
#ifndef BENCH_WORKLOADS_SJLJ_H
#define BENCH_WORKLOADS_SJLJ_H

#ifdef __wasm__
typedef struct {
    _Alignas(16) unsigned char bytes[32];
} sjlj_buf[1];
/* The compiler knows these two by their names. */
int setjmp(sjlj_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(sjlj_buf env, int value);
#else
#include <setjmp.h>
typedef jmp_buf sjlj_buf;
#endif

#endif
