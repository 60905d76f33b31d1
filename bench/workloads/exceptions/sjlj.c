/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sjlj.c - what clang-19 -mllvm -wasm-enable-sjlj calls for setjmp and longjmp: wasi-libc has none.
 * A longjmp throws; a function that has called setjmp catches and asks whose it is.
 */
#include "sjlj.h"

#ifdef __wasm__

/** The least that the compiler's calls need; it also knows the first two fields of `thrown`. */
struct record {
    struct {
        void *env;
        int value;
    } thrown;
    void *call;     /* whose setjmp: unique to one call of a function */
    unsigned place; /* which setjmp of that function, from 1 */
};
_Static_assert(sizeof(struct record) <= sizeof(sjlj_buf), "a record has its place in a buffer");

void __wasm_setjmp(void *env, unsigned place, void *call);
unsigned __wasm_setjmp_test(void *env, void *call);
_Noreturn void __wasm_longjmp(void *env, int value);

void __wasm_setjmp(void *env, unsigned place, void *call)
{
    struct record *record = env;
    record->call = call;
    record->place = place;
}

unsigned __wasm_setjmp_test(void *env, void *call)
{
    const struct record *record = env;
    return record->call == call ? record->place : 0;
}

_Noreturn void __wasm_longjmp(void *env, int value)
{
    struct record *record = env;
    record->thrown.env = env;
    record->thrown.value = value ? value : 1;
    __builtin_wasm_throw(1, &record->thrown);
}

#endif
