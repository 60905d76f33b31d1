/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.h - the one place where a WASI call blocks the thread: ppoll with a wake descriptor.
 */
#ifndef WASI_LOOP_WAIT_H
#define WASI_LOOP_WAIT_H

#include "abi/ints.h"
#include "abi/p1_types.h"
#include "loop/list.h"

#include <poll.h>
#include <stdatomic.h>
#include <time.h>

/** No deadline. */
#define WASI_FOREVER UINT64_MAX
/** A deadline that is over: only to let others go first. */
#define WASI_AT_ONCE UINT64_C(0)

/** How one thread waits. */
struct wasi_wait {
    int wake_fd; /**< eventfd; written by any thread or a signal handler, -1 when not open */
    _Atomic bool woken; /**< wasi_wait_wake since the last INTR; ordered by `wake_fd` */
    struct wasi_link waiting; /**< with threads: in wasi_holds; lock: the context's */
};

/** Not open: nothing can be waited for or woken. */
void wasi_wait_clear(struct wasi_wait *w);
/** NFILE, MFILE, NOMEM. */
WASI_MUST_USE wasi_errno wasi_wait_init(struct wasi_wait *w);
void wasi_wait_fini(struct wasi_wait *w);
/** Ends the present wait, or the next one when there is none. Async-signal-safe; keeps errno. */
void wasi_wait_wake(struct wasi_wait *w);
/** Makes the present wait, or the next one, return SUCCESS with nothing ready: what it waits for
 * has to be looked at again. Any thread. */
void wasi_wait_kick(const struct wasi_wait *w);

/** Nanoseconds of a host clock, saturated. */
static inline u64 wasi_clock_now(clockid_t clock)
{
    const u64 ns_per_s = 1000000000;
    struct timespec ts;
    if (clock_gettime(clock, &ts) != 0 || ts.tv_sec < 0) return 0;
    if ((u64)ts.tv_sec > UINT64_MAX / ns_per_s - 1) return UINT64_MAX;
    return (u64)ts.tv_sec * ns_per_s + (u64)ts.tv_nsec;
}

/**
 * Waits until one of `fds[0..n)` has an event, CLOCK_MONOTONIC passes `deadline_ns`, or somebody
 * wakes. `fds` has room for n + 1 entries. `*ready` is how many have events (0: deadline). A signal
 * does not end the wait. INTR when woken and nothing is ready.
 */
WASI_MUST_USE wasi_errno wasi_wait_until(struct wasi_wait *w, struct pollfd *fds, size_t n,
                                         u64 deadline_ns, int *ready);

/**
 * `fd`, or a duplicate of it above 2: in a process with a closed standard stream that number is
 * free and not to be taken. A negative one is passed through; errno as left by the failed call.
 */
int wasi_above_streams(int fd);

#endif
