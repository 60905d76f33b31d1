/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p1.h - the handlers of p1.def and the checks that come before them.
 */
#ifndef WASI_P1_P1_H
#define WASI_P1_P1_H

#include "context.h"

/** Answers one function; `c->arg`, `c->mem` and the descriptors of its row are filled. */
typedef wasi_errno wasi_handler(struct wasi_call *c);

enum wasi_p1_flag {
    WASI_P1_DIR = 1 << 0,
    WASI_P1_NONDIR = 1 << 1,
    WASI_P1_CHANGES = 1 << 2,
    WASI_P1_SOCK = 1 << 3
};

enum wasi_p1_since { WASI_P1_UNSTABLE, WASI_P1_SNAPSHOT1 };

/** A row of p1.def. */
struct wasi_p1_fn {
    const char *name;
    const char *signature;
    wasi_handler *handler;
    u64 rights, rights2;
    signed char fd, fd2; /**< argument indices, -1: none */
    u8 flags;            /**< WASI_P1_* */
    u8 since;            /**< WASI_P1_UNSTABLE or WASI_P1_SNAPSHOT1 */
};

extern const struct wasi_p1_fn wasi_p1_table[WASI_P1_COUNT];

#define P1(name, signature, fd, rights, fd2, rights2, flags, since) wasi_handler wasi_p1_##name;
#include "abi/p1.def"
#undef P1

/** The wr_host_fn of every row; `env` is a struct wasi_bind. */
wr_status_t wasi_p1_enter(wr_call_t *call, wr_slot_t *slots, void *env);

/** Writes a filestat at `out`, which has WASI_FILESTAT_BYTES. */
void wasi_put_filestat(u8 *out, const struct stat *st, u8 filetype);

/** The two timespecs of utimensat from guest times and fstflags. INVAL. */
WASI_MUST_USE wasi_errno wasi_times(u64 atim, u64 mtim, u32 fstflags, struct timespec out[2]);

/** Sets a host file's times by its descriptor (O_PATH allowed). */
WASI_MUST_USE wasi_errno wasi_set_times(int host, const struct timespec times[2]);

#endif
