/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter.c - the way from a host call to a handler, and from its answer to the guest: at once, after
 * a wait in this thread, or from the loop. With threads: threads_call.c.
 */
#include "fd/io.h"
#include "fd/rights.h"
#include "loop/dns.h"
#include "p1/p1.h"
#include "threads.h"

#include <stdlib.h>

/* One descriptor of a row: exists, is of the kind, has the rights, may be changed. */
static wasi_errno check_fd(const struct wasi_fd *fd, u8 flags, u64 rights)
{
    if (fd == NULL) return WASI_E_BADF;
    bool is_dir = fd->filetype == WASI_FILETYPE_DIR;
    if ((flags & WASI_P1_DIR) != 0 && !is_dir) return WASI_E_NOTDIR;
    if ((flags & WASI_P1_NONDIR) != 0 && is_dir) return WASI_E_BADF;
    if ((flags & WASI_P1_SOCK) != 0 && !wasi_fd_is_socket(fd)) return WASI_E_NOTSOCK;
    if ((fd->rights & rights) != rights) return WASI_E_NOTCAPABLE;
    if ((flags & WASI_P1_CHANGES) != 0 && fd->read_only) return WASI_E_PERM;
    return WASI_E_SUCCESS;
}

static wasi_errno check_fds(struct wasi_call *c)
{
    const struct wasi_row *row = c->row;
    wasi_errno e = WASI_E_SUCCESS;
    if (row->fd >= 0) {
        c->fd = wasi_fdtable_get(&c->wasi->fds, c->arg[row->fd].i32);
        e = check_fd(c->fd, row->flags, row->rights);
    }
    if (e == WASI_E_SUCCESS && row->fd2 >= 0) {
        c->fd2 = wasi_fdtable_get(&c->wasi->fds, c->arg[row->fd2].i32);
        e = check_fd(c->fd2, row->flags, row->rights2);
    }
    return e;
}

/* Descriptors and handler; `c->mem` is there. */
static inline wasi_errno try(struct wasi_call *c)
{
    wasi_errno e = check_fds(c);
    return e == WASI_E_SUCCESS ? wasi_handle(c) : e;
}

wasi_errno wasi_prepare(struct wasi_call *c)
{
    wasi_mem_init(&c->mem, c->memory); /* it may have grown since */
    c->fd = NULL;
    c->fd2 = NULL;
    return check_fds(c);
}

wasi_errno wasi_try(struct wasi_call *c)
{
    wasi_errno e = wasi_prepare(c);
    return e == WASI_E_SUCCESS ? wasi_handle(c) : e;
}

/* Calls that park before their handler runs: one that reads files slowly, one of a context that a
 * worker has, all of them in tests. WASI_E_COUNT: none of these. */
static wasi_errno park_first(const struct wasi_call *c)
{
    if (c->wasi->working || wasi_loop_forces(c->wasi->fds.loop)) return WASI_E_SUCCESS;
    return (c->row->flags & WASI_P1_WORK) != 0 ? WASI_WORK : WASI_E_COUNT;
}

static bool is_wait(wasi_errno e) { return e == WASI_PARK || e == WASI_WORK; }

/* The guest is parked: the loop answers. */
static wasi_errno parked(struct wasi_call *c)
{
    c->end = WR_PENDING;
    return WASI_E_SUCCESS;
}

/* Waits and tries again until there is an answer or the guest has been parked; `e` is what the last
 * try wants. */
static wasi_errno wait_and_try(struct wasi_call *c, wr_call_t *call, wasi_errno e)
{
    struct wr_loop *loop = c->wasi->fds.loop;
    while (is_wait(e)) {
        if (c->can_park) {
            c->stop = wasi_loop_park(loop, c, e);
            if (c->stop == WASI_E_SUCCESS) return parked(c);
        } else if (loop != NULL && c->want->deadline_ns == WASI_AT_ONCE) {
            c->stop = WASI_E_SUCCESS; /* nothing to wait for: its turn goes on */
        } else if (loop != NULL) {
            free(c->want->heap); /* of what it would wait for */
            c->end = wr_call_trap(call, "a WASI function has to wait where it cannot be suspended");
            return WASI_E_SUCCESS;
        } else {
            c->stop = wasi_block(c);
        }
        e = wasi_try(c);
    }
    return e;
}

/* With a loop: the first try, unless the guest is parked before it. */
static wasi_errno run_in_loop(struct wasi_call *c, wr_call_t *call)
{
    struct wr_loop *loop = c->wasi->fds.loop;
    c->can_park = wasi_loop_may_park(loop, c->wasi, call);
    if (!c->can_park && c->wasi->working) {
        c->end = wr_call_trap(call, "a worker thread has this call's WASI context");
        return WASI_E_SUCCESS;
    }
    wasi_errno first = c->can_park ? park_first(c) : WASI_E_COUNT;
    if (first == WASI_E_COUNT) return try(c);
    c->memory = wr_call_memory(call, 0);
    first = wasi_loop_park(loop, c, first);
    return first == WASI_E_SUCCESS ? parked(c) : first;
}

/* Whether neither a loop nor threads share the context. */
static inline bool is_plain(const wr_wasi_t *wasi)
{
    return wasi->fds.loop == NULL && wasi->group == NULL;
}

static wasi_errno run_elsewhere(struct wasi_call *c, wr_call_t *call)
{
    if (c->wasi->fds.loop != NULL) return run_in_loop(c, call);
    c->memory = wr_call_memory(call, 0);
    return wasi_threads_call(c);
}

/* What is seldom: the call waits or is parked, ends the guest, or has looked up a name. */
static wr_status_t end_slowly(struct wasi_call *c, wr_call_t *call, wr_slot_t *slots, wasi_errno e)
{
    if (is_wait(e)) {
        c->memory = wr_call_memory(call, 0);
        e = wait_and_try(c, call, e);
    }
    if (c->end == WR_PENDING) return WR_PENDING;
    wasi_dns_drop(c->progress.dns);
    if (c->end == WR_EXIT) return wr_call_exit(call, c->exit_code);
    if (c->end == WR_OK) slots[0].i64 = (u64)e;
    return c->end;
}

wr_status_t wasi_enter(wr_call_t *call, wr_slot_t *slots, void *env)
{
    const struct wasi_bind *bind = env;
    struct wasi_want want;
    wr_wasi_t *wasi = bind->wasi != NULL ? bind->wasi : wr_call_look(call).store_data;
    if (wasi == NULL) return wr_call_trap(call, "the store has no WASI context");
    const wr_bytes_t memory = wr_call_bytes(call, 0);
    struct wasi_call c = {.wasi = wasi,
                          .row = bind->row,
                          .p0 = bind->p0,
                          .arg = slots,
                          .mem = {memory.data, memory.size},
                          .want = &want,
                          .end = WR_OK};
    wasi_errno e = is_plain(wasi) ? try(&c) : run_elsewhere(&c, call);
    if (is_wait(e) || c.end != WR_OK || c.progress.dns != NULL)
        return end_slowly(&c, call, slots, e);
    slots[0].i64 = (u64)e;
    return WR_OK;
}
