/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.h - a function of an ABI as its table describes it: what every call of it is checked for.
 */
#ifndef WASI_ROW_H
#define WASI_ROW_H

#include "abi/ints.h"
#include "abi/p1_types.h"

struct wasi_call;

/** Answers one function; `c->arg`, `c->mem` and the descriptors of its row are filled. */
typedef wasi_errno wasi_handler(struct wasi_call *c);
/** Does so with the handler of `c->row`. */
wasi_handler wasi_handle;

/** `flags` of a row; see abi/p1.def. */
enum wasi_p1_flag {
    WASI_P1_DIR = 1 << 0,
    WASI_P1_NONDIR = 1 << 1,
    WASI_P1_CHANGES = 1 << 2,
    WASI_P1_SOCK = 1 << 3,
    WASI_P1_WORK = 1 << 4,
    WASI_P1_FREE = 1 << 5,
    WASI_P1_LONG = 1 << 6
};

enum { WASI_NAME_SIZE = 30, WASI_SIGNATURE_SIZE = 12 };

/** A row of p1.def and of the tables of socket extensions. No pointers: nothing to relocate. */
struct wasi_row {
    u32 rights, rights2;
    char name[WASI_NAME_SIZE];
    char signature[WASI_SIGNATURE_SIZE];
    u8 handler;          /**< a number of link.c */
    signed char fd, fd2; /**< argument indices, -1: none */
    u8 flags;            /**< WASI_P1_* */
    u8 since;            /**< WASI_P1_UNSTABLE or WASI_P1_SNAPSHOT1 */
    u8 extra;            /**< the handler's own: which option, which end */
};

#endif
