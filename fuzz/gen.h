/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generates valid programs: one module, or two of which the second imports from the first. They
 * always end: every function that calls and every loop consumes the module's global "fuel" or
 * counts down. Whatever features.def marks executable may appear.
 */
#ifndef FUZZ_GEN_H
#define FUZZ_GEN_H

#include "choice.h"

/** What may be used beyond the second edition of the standard. */
enum {
    GEN_TAIL_CALL = 1,
    GEN_EXTENDED_CONST = 2,
    GEN_MULTI_MEMORY = 4,
    GEN_FUNC_REFS = 8,
    GEN_MEMORY64 = 16,
    GEN_TABLE64 = 32,
    /* From here on: each is drawn for a case, and in many cases none of them is. */
    GEN_SIMD = 64,
    GEN_RELAXED_SIMD = 128,
    GEN_EXCEPTIONS = 256,
    GEN_LEGACY_EXCEPTIONS = 512,
    GEN_MIXED_EXCEPTIONS = 1024, /* both kinds in one module */
    GEN_THREADS = 2048,
    GEN_WIDE_ARITHMETIC = 4096,
    GEN_CUSTOM_PAGES = 8192,
    GEN_DRAWN = 16384 - GEN_SIMD,
    GEN_HOST_MORE = 65536, /* host functions that JavaScript can't be */
    GEN_ALL = 16383 + GEN_HOST_MORE,
    GEN_EVERYWHERE = 16384, /* also what this build can't execute */
    GEN_ALWAYS = 32768      /* draws no features: the cases have all that are asked for */
};

enum { GEN_MODULES = 2 };

struct gen_case {
    struct bytes module[GEN_MODULES]; /* the first is imported by the second as "a" */
    u32 count;
};

/** Every export "fuel" is a mutable i32 global to be set before each call. */
void gen_case_new(struct choice *choice, u32 features, struct gen_case *out);
void gen_case_free(struct gen_case *c);

#endif
