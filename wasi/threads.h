/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.h - the threads of one guest: each an instance of its module in a store of its own, on an
 * OS thread of its own, over the same shared memories and the same WASI context.
 *
 *   a call      tries its handler under the context's lock, waits without it (threads_call.c)
 *   an end      the first thread to exit, trap or (the main one) return ends all: execs are
 *               cancelled, waits kicked; wr_wasi_threads_finish waits for them
 */
#ifndef WASI_THREADS_H
#define WASI_THREADS_H

#include "context.h"
#include "loop/holds.h"

#include <pthread.h>

struct wasi_starting;

/** A thread that the guest has made. */
struct wasi_thread {
    struct wr_wasi_threads *group;
    u32 tid;
    u32 start_arg;
    struct wasi_starting *starting; /**< its maker waits; NULL: no more; lock: wasi->lock */
    wr_store_t *store; /**< own; its owner is the making thread, then its own, then who joins */
    wr_exec_t *exec;   /**< own */
    wr_error_t err;    /**< of its end */
    struct wasi_link link; /**< in `alive`, then in `gone` */
    pthread_t handle;      /**< in `gone` */
    struct wasi_wait wait; /**< opened by the first call that waits */
};

struct wr_wasi_threads {
    /* Immutable. */
    wr_wasi_threads_config_t config;
    wr_store_config_t store_config;
    wr_wasi_t *wasi;
    bool startable; /**< the module exports wasi_thread_start */
    /* Under wasi->lock. */
    struct wasi_holds holds;
    struct wasi_link alive;
    struct wasi_link gone; /**< to be joined */
    u32 count;             /**< alive */
    u32 last_tid;
    wr_status_t end;           /**< once ended: what in */
    struct wasi_thread *ender; /**< by whom; NULL: by the main thread */
    bool ended;
    pthread_cond_t left; /**< one of `alive` has gone */
};

/** The wait state of the calling thread in this group, open. NULL: NFILE, MFILE, NOMEM. */
struct wasi_wait *wasi_threads_wait(struct wr_wasi_threads *group, wasi_errno *e);

/** A call of a guest that has made threads, to its answer; as wasi_try, but never a wait. */
wasi_errno wasi_threads_call(struct wasi_call *c);

#endif
