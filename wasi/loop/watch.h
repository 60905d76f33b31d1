/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - one registration for each host descriptor that guests of a loop wait for, with the list
 * of who waits; and their deadlines.
 *
 * The kernel's readiness comes through one epoll descriptor of our own (the loop polls that), since
 * uv_poll_init sets O_NONBLOCK on what it is given: an inherited stream shares that flag with other
 * processes. Registrations are one-shot: a wait that nobody takes up costs nothing.
 */
#ifndef WASI_LOOP_WATCH_H
#define WASI_LOOP_WATCH_H

#include "abi/ints.h"
#include "abi/p1_types.h"
#include "loop/list.h"

struct wasi_watch;
struct wasi_waiter;
typedef void wasi_fire_fn(struct wasi_waiter *w);

/** Somebody who waits for one host descriptor, once; zero when he waits for nothing. */
struct wasi_waiter {
    struct wasi_link link; /**< in the list of the watch */
    struct wasi_watch *watch; /**< NULL: waits for nothing */
    wasi_fire_fn *fire; /**< called after the waiter has been taken off */
    void *owner;
    u32 events; /**< EPOLL* */
};

/** All registrations of one loop; its thread only. */
struct wasi_watches {
    int epoll_fd;
    struct wasi_watch **slot; /**< by host descriptor */
    u32 size;
};

/** NFILE, MFILE, NOMEM. */
WASI_MUST_USE wasi_errno wasi_watches_init(struct wasi_watches *ws);
void wasi_watches_fini(struct wasi_watches *ws);
/** Begins a wait for poll(2) `events`; `w->fire` and `w->owner` are set. One that can't be waited
 * for fires at once. NOMEM, NOSPC (the kernel's limit), BADF. */
WASI_MUST_USE wasi_errno wasi_watch_add(struct wasi_watches *ws, struct wasi_waiter *w, int host,
                                        short events);
/** Ends a wait that has not fired; nothing for one that has. */
void wasi_watch_remove(struct wasi_waiter *w);
/** Whether the kernel has been told of a descriptor: it must be dropped before it is closed. */
bool wasi_watch_knows(const struct wasi_watches *ws, int host);
/** Fires what is ready, without waiting. */
void wasi_watches_run(struct wasi_watches *ws);
/** Unregisters a descriptor; with `fire` those that wait for it are fired, without it one that
 * somebody waits for stays. */
void wasi_watch_drop(struct wasi_watches *ws, int host, bool fire);

/* ---------------------------------------------------------------- deadlines */

struct wasi_timer {
    u64 at_ns; /**< CLOCK_MONOTONIC */
    u32 index; /**< place in the heap plus one; 0: not running */
    void (*fire)(struct wasi_timer *t); /**< called after it has been stopped */
};

/** A heap of timers over one timerfd, exact to the nanosecond and never early. */
struct wasi_timers {
    int timer_fd;
    struct wasi_timer **heap;
    u32 count, room;
    u64 set_ns; /**< what the timerfd is set to, WASI_FOREVER: nothing */
    struct wasi_waiter waiter; /**< of the timerfd */
    struct wasi_watches *watches;
};

WASI_MUST_USE wasi_errno wasi_timers_init(struct wasi_timers *ts, struct wasi_watches *ws);
void wasi_timers_fini(struct wasi_timers *ts);
/** Starts a timer that is not running. NOMEM. */
WASI_MUST_USE wasi_errno wasi_timer_start(struct wasi_timers *ts, struct wasi_timer *t, u64 at_ns);
void wasi_timer_stop(struct wasi_timers *ts, struct wasi_timer *t);

#endif
