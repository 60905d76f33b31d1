/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h - one guest's world (wr_wasi_t) and one call into it; private to wasi/.
 */
#ifndef WASI_CONTEXT_H
#define WASI_CONTEXT_H

#include "abi/guest_mem.h"
#include "abi/ints.h"
#include "abi/p1_types.h"
#include "fd/net.h"
#include "fd/resolve.h"
#include "fd/table.h"
#include "loop/park.h"
#include "loop/wait.h"
#include "wasmrun_wasi.h"

#include <pthread.h>

enum {
    WASI_TEXT_LIMIT = 1 << 20,      /**< bytes of arguments and environment, NULs included */
    WASI_SUBSCRIPTION_LIMIT = 4096, /**< of one poll_oneoff */
    WASI_P1_COUNT = 46,             /**< rows of p1.def */
    WASI_ARGS_MAX = 10 /**< parameters of any function */
};

/** Strings, one after the other, each with its NUL. */
struct wasi_strings {
    char *text;
    u32 bytes;
    u32 count;
};

struct wasi_row;

/** What a linker entry points to: a row of a function table for one context. */
struct wasi_bind {
    struct wr_wasi *wasi; /**< NULL: the data pointer of the caller's store */
    const struct wasi_row *row;
    bool p0; /**< imported from wasi_unstable */
};

struct wr_wasi_threads;

/*
 * Owner thread of the store; only `wait` is used by others. While `working` is set, a worker thread
 * runs a handler and nobody else touches the context. Once the guest has made threads (`group`),
 * everything is under `lock`, but `args`, `env`, `net` and the first two flags, which do not change
 * any more, and `wait`, which stays the main thread's.
 */
struct wr_wasi {
    struct wasi_fdtable fds;
    struct wasi_resolver resolver;
    struct wasi_wait wait;
    struct wasi_net net;
    struct wasi_strings args;
    struct wasi_strings env;
    bool no_procfs;    /**< nothing there can be opened */
    bool strict_poll;  /**< a poll never waits for more than it was asked to */
    bool working;      /**< a worker thread has the context */
    bool wake_pending; /**< with a loop: the next wait ends at once */
    u32 gated;         /**< with a loop: tasks that wait for the worker to be done */
    u32 tasks;         /**< execs of this context in the loop */
    struct wasi_waiter *wake_waiter; /**< the loop's, for `wait.wake_fd`; own */
    struct wasi_bind *bind; /**< of wr_wasi_link; own, NULL before */
    struct wr_wasi_threads *group; /**< set by the first thread-spawn; never with a loop */
    pthread_mutex_t lock;
};

/** One try of one call of a WASI function. */
struct wasi_call {
    struct wr_wasi *wasi;
    const struct wasi_row *row;
    const wr_slot_t *arg; /**< the guest's arguments */
    struct wasi_mem mem;  /**< the caller's memory 0 as it is now */
    wr_memory_t *memory;  /**< the same, at a try that may be followed by another; NULL: none */
    struct wasi_fd *fd;   /**< descriptors named by the row, checked */
    struct wasi_fd *fd2;
    struct wasi_want *want;        /**< what WASI_PARK waits for; not initialised before */
    struct wasi_progress progress; /**< carried over from the last try */
    wr_status_t
        end; /**< WR_OK; WR_EXIT: the call does not return to the guest; WR_PENDING: parked */
    int exit_code;   /**< with WR_EXIT */
    wasi_errno stop; /**< SUCCESS; else waiting is over: wasi_park answers this */
    struct wr_task *task; /**< at a later try by the loop, else NULL */
    bool p0;         /**< called as a function of wasi_unstable: other layouts */
    bool can_park;   /**< there is a loop that parks the guest */
    bool on_worker;  /**< this is a worker thread: blocking is allowed */
};

/** Looks at the memory as it is now and checks the descriptors of the row. */
wasi_errno wasi_prepare(struct wasi_call *c);
/** The same, and runs the handler once. */
wasi_errno wasi_try(struct wasi_call *c);

/** The wr_host_fn of every row; `env` is a struct wasi_bind. */
wr_status_t wasi_enter(wr_call_t *call, wr_slot_t *slots, void *env);

/** Fills `err` (may be NULL) and returns `status`. */
wr_status_t wasi_fail(wr_error_t *err, wr_status_t status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
