/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.h - how a WASI call waits: what a handler tells about it, and the two ways to do it. With a
 * loop the guest is parked (WR_PENDING) and its handler tried again later; without one the thread
 * blocks in ppoll. Handlers know neither: they answer WASI_PARK and are tried again from the start.
 */
#ifndef WASI_LOOP_PARK_H
#define WASI_LOOP_PARK_H

#include "loop/wait.h"
#include "wasmrun.h"

struct wr_loop;
struct wr_wasi;
struct wasi_call;
struct wasi_dns;

enum { WASI_WANT_FEW = 4 };

/** What a call waits for: filled by the handler that answers WASI_PARK. */
struct wasi_want {
    struct pollfd *fd; /**< host descriptors; `few` or `heap` */
    u32 count;
    u64 deadline_ns; /**< CLOCK_MONOTONIC, WASI_FOREVER: none */
    struct pollfd few[WASI_WANT_FEW + 1]; /**< one more: see wasi_wait_until */
    void *heap; /**< freed when the wait is over or has been handed to the loop; NULL: none */
};

/** What a call keeps from one try to the next; all zero at the first. */
struct wasi_progress {
    u64 begin_ns; /**< CLOCK_MONOTONIC of the first try, once the handler asks; 0: it has not */
    u64 done;     /**< bytes moved so far */
    u32 stage;    /**< the handler's own */
    struct wasi_dns *dns; /**< a name that is being looked up; own */
};

/**
 * Waits for any of `fd[0..count)` (copied; count may be 0) or the deadline. WASI_PARK, or what ends
 * the wait at once: INTR, CANCELED, NOMEM. The handler then answers what it has.
 */
WASI_MUST_USE wasi_errno wasi_park(struct wasi_call *c, const struct pollfd *fd, u32 count,
                                   u64 deadline_ns);
/** Blocks the thread for what `c->want` names; INTR when woken. Frees what it holds. */
WASI_MUST_USE wasi_errno wasi_block(struct wasi_call *c);

/* ---------------------------------------------------------------- with a loop (loop/task.c) */

/** Whether a call may park: exec and context are those that the loop runs, and no call around it
 * waits. */
bool wasi_loop_may_park(const struct wr_loop *loop, const struct wr_wasi *wasi,
                        const wr_call_t *call);
/** Whether every call parks once before its handler runs (tests). */
bool wasi_loop_forces(const struct wr_loop *loop);
/**
 * Parks the running guest until what `c->want` names has come (why: WASI_PARK), a worker thread has
 * run the handler (WASI_WORK), or at once (SUCCESS). SUCCESS: the answer to the engine is
 * WR_PENDING. NOMEM, or what epoll_ctl answers.
 */
WASI_MUST_USE wasi_errno wasi_loop_park(struct wr_loop *loop, const struct wasi_call *c,
                                        wasi_errno why);
/**
 * Takes a host descriptor out of the loop. With `closing` those that wait for it are tried again;
 * else it stays for as long as somebody does.
 */
void wasi_watch_forget(struct wr_loop *loop, int host, bool closing);

#endif
