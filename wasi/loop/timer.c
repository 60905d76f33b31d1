/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.c - deadlines of a loop's guests: a heap over one timerfd.
 */
#include "loop/wait.h"
#include "loop/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static void put(struct wasi_timers *ts, u32 i, struct wasi_timer *t)
{
    ts->heap[i] = t;
    t->index = i + 1;
}

static void sift_up(struct wasi_timers *ts, u32 i, struct wasi_timer *t)
{
    for (; i > 0 && ts->heap[(i - 1) / 2]->at_ns > t->at_ns; i = (i - 1) / 2)
        put(ts, i, ts->heap[(i - 1) / 2]);
    put(ts, i, t);
}

static void sift_down(struct wasi_timers *ts, u32 i, struct wasi_timer *t)
{
    for (;;) {
        u32 child = 2 * i + 1;
        if (child + 1 < ts->count && ts->heap[child + 1]->at_ns < ts->heap[child]->at_ns) child++;
        if (child >= ts->count || ts->heap[child]->at_ns >= t->at_ns) break;
        put(ts, i, ts->heap[child]);
        i = child;
    }
    put(ts, i, t);
}

/* Sets the timerfd when an earlier deadline than it is set to has come. It is not set back: a wake
 * too much is cheaper than a system call for each wait that ends in time. */
static void set_clock(struct wasi_timers *ts)
{
    u64 at = ts->count > 0 ? ts->heap[0]->at_ns : WASI_FOREVER;
    if (at >= ts->set_ns) return;
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)}};
    if (at == 0) spec.it_value.tv_nsec = 1; /* zero would mean never */
    (void)timerfd_settime(ts->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    ts->set_ns = at;
}

static void on_clock(struct wasi_waiter *w)
{
    struct wasi_timers *ts = w->owner;
    u64 expired;
    ssize_t r = read(ts->timer_fd, &expired, sizeof(expired));
    (void)r; /* EAGAIN: it has been set anew meanwhile */
    ts->set_ns = WASI_FOREVER;
    u64 now = wasi_clock_now(CLOCK_MONOTONIC);
    while (ts->count > 0 && ts->heap[0]->at_ns <= now) {
        struct wasi_timer *t = ts->heap[0];
        wasi_timer_stop(ts, t);
        t->fire(t);
    }
    set_clock(ts);
    wasi_errno e = wasi_watch_add(ts->watches, w, ts->timer_fd, POLLIN);
    (void)e; /* the descriptor is known already: changing that needs no memory */
}

wasi_errno wasi_timers_init(struct wasi_timers *ts, struct wasi_watches *ws)
{
    *ts = (struct wasi_timers){.set_ns = WASI_FOREVER, .watches = ws};
    ts->waiter = (struct wasi_waiter){.fire = on_clock, .owner = ts};
    ts->timer_fd = wasi_above_streams(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (ts->timer_fd < 0) return wasi_errno_from_host(errno);
    return wasi_watch_add(ws, &ts->waiter, ts->timer_fd, POLLIN);
}

void wasi_timers_fini(struct wasi_timers *ts)
{
    free(ts->heap);
    if (ts->timer_fd >= 0) close(ts->timer_fd);
    *ts = (struct wasi_timers){.timer_fd = -1};
}

wasi_errno wasi_timer_start(struct wasi_timers *ts, struct wasi_timer *t, u64 at_ns)
{
    if (ts->count == ts->room) {
        u32 room = ts->room == 0 ? 64 : ts->room * 2;
        struct wasi_timer **heap = realloc(ts->heap, room * sizeof(struct wasi_timer *));
        if (heap == NULL) return WASI_E_NOMEM;
        ts->heap = heap;
        ts->room = room;
    }
    t->at_ns = at_ns;
    sift_up(ts, ts->count++, t);
    set_clock(ts);
    return WASI_E_SUCCESS;
}

void wasi_timer_stop(struct wasi_timers *ts, struct wasi_timer *t)
{
    if (t->index == 0) return;
    u32 i = t->index - 1;
    struct wasi_timer *last = ts->heap[--ts->count];
    t->index = 0;
    if (last == t) return;
    if (i > 0 && ts->heap[(i - 1) / 2]->at_ns > last->at_ns)
        sift_up(ts, i, last);
    else
        sift_down(ts, i, last);
}
