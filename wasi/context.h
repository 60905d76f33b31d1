/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h - one guest's world (wr_wasi_t) and one call into it; private to wasi/.
 */
#ifndef WASI_CONTEXT_H
#define WASI_CONTEXT_H

#include "abi/guest_mem.h"
#include "abi/ints.h"
#include "abi/p1_types.h"
#include "fd/resolve.h"
#include "fd/table.h"
#include "loop/wait.h"
#include "wasmrun_wasi.h"

enum {
    WASI_TEXT_LIMIT = 1 << 20,      /**< bytes of arguments and environment, NULs included */
    WASI_SUBSCRIPTION_LIMIT = 4096, /**< of one poll_oneoff */
    WASI_P1_COUNT = 46              /**< rows of p1.def */
};

/** Strings, one after the other, each with its NUL. */
struct wasi_strings {
    char *text;
    u32 bytes;
    u32 count;
};

struct wasi_p1_fn;

/** What a linker entry points to: a row of p1.def for one context. */
struct wasi_bind {
    struct wr_wasi *wasi;
    const struct wasi_p1_fn *fn;
};

/* Owner thread of the store; only `wait.wake_fd` is used by others. */
struct wr_wasi {
    struct wasi_fdtable fds;
    struct wasi_resolver resolver;
    struct wasi_wait wait;
    struct wasi_strings args;
    struct wasi_strings env;
    struct wasi_bind bind[WASI_P1_COUNT];
};

/** One call of a WASI function. */
struct wasi_call {
    struct wr_wasi *wasi;
    wr_call_t *call;
    const wr_slot_t *arg; /**< the guest's arguments */
    struct wasi_mem mem;  /**< the caller's memory 0; empty when it has none */
    struct wasi_fd *fd;   /**< descriptors named by the row, checked */
    struct wasi_fd *fd2;
    wr_status_t end; /**< WR_OK; else the call does not return to the guest */
};

/** Fills `err` (may be NULL) and returns `status`. */
wr_status_t wasi_fail(wr_error_t *err, wr_status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
