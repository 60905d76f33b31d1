/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads_call.c - a WASI call of a guest that has threads: alone in the context while its handler
 * is tried, outside of the lock while it waits or a disk takes its time.
 */
#include "row.h"
#include "threads.h"

#include <stdlib.h>

/* The row's descriptor, as it is when a wait begins; -1: it has none. */
static int row_host(const struct wasi_call *c)
{
    return c->row->fd >= 0 && c->fd != NULL ? c->fd->host : -1;
}

/* What the wait of this thread is over with before it begins; SUCCESS: it begins. The descriptor
 * `host` of the row (-1: none) is held even if the call waits for something else. */
static wasi_errno begin_wait(struct wr_wasi_threads *group, const struct wasi_want *want, int host)
{
    wasi_errno e;
    struct wasi_wait *wait = wasi_threads_wait(group, &e);
    if (wait == NULL) return e;
    if (host >= 0) e = wasi_holds_take(&group->holds, host);
    if (e != WASI_E_SUCCESS) return e;
    e = wasi_holds_enter(&group->holds, wait, want->fd, want->count);
    if (e != WASI_E_SUCCESS && host >= 0) wasi_holds_give_back(&group->holds, host);
    return e;
}

static void drop_want(struct wasi_want *want)
{
    free(want->heap);
    want->heap = NULL;
}

/* Whether the handler needs nothing of the context but its descriptor: that of a file. What appends
 * may do so in two steps, where the host can't in one. */
static bool is_long(const struct wasi_call *c)
{
    return (c->row->flags & WASI_P1_LONG) != 0 && !c->fd->may_block &&
           (c->fd->flags & WASI_FDFLAG_APPEND) == 0;
}

/* A handler that may take long, without the lock: its descriptor as it is now, held open. */
static wasi_errno run_unlocked(struct wasi_call *c)
{
    struct wasi_holds *holds = &c->wasi->group->holds;
    struct wasi_fd fd = *c->fd;
    wasi_errno e = wasi_holds_take(holds, fd.host);
    if (e != WASI_E_SUCCESS) return e;
    c->fd = &fd;
    pthread_mutex_unlock(&c->wasi->lock);
    e = wasi_handle(c);
    pthread_mutex_lock(&c->wasi->lock);
    wasi_holds_give_back(holds, fd.host);
    c->fd = NULL;
    return e;
}

static wasi_errno try(struct wasi_call *c)
{
    wasi_errno e = wasi_prepare(c);
    if (e != WASI_E_SUCCESS) return e;
    return is_long(c) ? run_unlocked(c) : wasi_handle(c);
}

/* Tries once. WASI_PARK: what it waits for is held, and the descriptor of the row, `*host`. Under
 * the lock. */
static wasi_errno try_and_hold(struct wasi_call *c, int *host)
{
    struct wr_wasi_threads *group = c->wasi->group;
    wasi_errno e = try(c);
    if (e != WASI_PARK) return e;
    if (group->ended) {
        drop_want(c->want);
        c->end = WR_CANCELLED;
        return WASI_E_SUCCESS;
    }
    *host = row_host(c);
    c->stop = begin_wait(group, c->want, *host);
    if (c->stop == WASI_E_SUCCESS) return e;
    drop_want(c->want); /* there is no way to wait: the handler answers what it has */
    return try(c);
}

/* Ends the hold of the row's descriptor. Whether it has been closed, or replaced, meanwhile: it was
 * open in the host until now, so no other can have the same number. */
static bool is_gone(const struct wasi_call *c, int host)
{
    if (host < 0) return false;
    const struct wasi_fd *fd = wasi_fdtable_get(&c->wasi->fds, c->arg[c->row->fd].i32);
    bool gone = fd == NULL || fd->host != host;
    wasi_holds_give_back(&c->wasi->group->holds, host);
    return gone;
}

/* Waits, and tries again. */
static wasi_errno wait_and_try(struct wasi_call *c, int *host)
{
    struct wr_wasi_threads *group = c->wasi->group;
    wasi_errno e;
    struct wasi_wait *wait = wasi_threads_wait(group, &e); /* begin_wait has opened it */
    struct wasi_want *want = c->want;
    int ready;
    c->stop = wasi_wait_until(wait, want->fd, want->count, want->deadline_ns, &ready);
    pthread_mutex_lock(&c->wasi->lock);
    bool gone = is_gone(c, *host);
    wasi_holds_leave(&group->holds, wait, want->fd, want->count);
    drop_want(want);
    e = WASI_E_SUCCESS;
    if (group->ended)
        c->end = WR_CANCELLED;
    else
        e = gone ? WASI_E_BADF : try_and_hold(c, host);
    pthread_mutex_unlock(&c->wasi->lock);
    return e;
}

wasi_errno wasi_threads_call(struct wasi_call *c)
{
    if ((c->row->flags & WASI_P1_FREE) != 0) return wasi_try(c);
    int host = -1;
    pthread_mutex_lock(&c->wasi->lock);
    wasi_errno e = try_and_hold(c, &host);
    pthread_mutex_unlock(&c->wasi->lock);
    while (e == WASI_PARK) e = wait_and_try(c, &host);
    return e;
}
