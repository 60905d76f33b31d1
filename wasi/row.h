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

/** A row of p1.def and of the tables of socket extensions. */
struct wasi_row {
    const char *name;
    const char *signature;
    wasi_handler *handler;
    u64 rights, rights2;
    signed char fd, fd2; /**< argument indices, -1: none */
    u8 flags;            /**< WASI_P1_* */
    u8 since;            /**< WASI_P1_UNSTABLE or WASI_P1_SNAPSHOT1 */
    u8 extra;            /**< the handler's own: which option, which end */
};

#endif
