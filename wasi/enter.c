/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter.c - the way from a host call to a handler, and from its answer to the guest: at once, after
 * a wait in this thread, or from the loop.
 */
#include "fd/rights.h"
#include "loop/dns.h"
#include "p1/p1.h"

static bool is_socket(const struct wasi_fd *fd)
{
    return fd->filetype == WASI_FILETYPE_SOCKET_STREAM ||
           fd->filetype == WASI_FILETYPE_SOCKET_DGRAM;
}

/* One descriptor of a row: exists, is of the kind, has the rights, may be changed. */
static wasi_errno check_fd(const struct wasi_fd *fd, u8 flags, u64 rights)
{
    if (fd == NULL) return WASI_E_BADF;
    bool is_dir = fd->filetype == WASI_FILETYPE_DIR;
    if ((flags & WASI_P1_DIR) != 0 && !is_dir) return WASI_E_NOTDIR;
    if ((flags & WASI_P1_NONDIR) != 0 && is_dir) return WASI_E_BADF;
    if ((flags & WASI_P1_SOCK) != 0 && !is_socket(fd)) return WASI_E_NOTSOCK;
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

wasi_errno wasi_try(struct wasi_call *c)
{
    wasi_mem_init(&c->mem, c->memory);
    c->fd = NULL;
    c->fd2 = NULL;
    wasi_errno e = check_fds(c);
    return e == WASI_E_SUCCESS ? c->row->handler(c) : e;
}

/* Calls that park before their handler runs: one that reads files slowly, one of a context that a
 * worker has, all of them in tests. WASI_E_COUNT: none of these. */
static wasi_errno park_first(const struct wasi_call *c)
{
    if (c->wasi->working || wasi_loop_forces(c->wasi->fds.loop)) return WASI_E_SUCCESS;
    return (c->row->flags & WASI_P1_WORK) != 0 ? WASI_WORK : WASI_E_COUNT;
}

/* Tries until there is an answer; WASI_PARK when the guest has been parked. */
static wasi_errno run(struct wasi_call *c, wr_call_t *call)
{
    struct wr_loop *loop = c->wasi->fds.loop;
    c->can_park = loop != NULL && wasi_loop_may_park(loop, c->wasi, call);
    if (!c->can_park && c->wasi->working) {
        c->end = wr_call_trap(call, "a worker thread has this call's WASI context");
        return WASI_E_SUCCESS;
    }
    wasi_errno e = c->can_park ? park_first(c) : WASI_E_COUNT;
    if (e == WASI_E_COUNT)
        e = wasi_try(c);
    else if ((e = wasi_loop_park(loop, c, e)) == WASI_E_SUCCESS)
        return WASI_PARK;
    while (e == WASI_PARK || e == WASI_WORK) {
        if (c->can_park) {
            c->stop = wasi_loop_park(loop, c, e);
            if (c->stop == WASI_E_SUCCESS) return WASI_PARK;
        } else if (loop != NULL && c->want->deadline_ns == WASI_AT_ONCE) {
            c->stop = WASI_E_SUCCESS; /* nothing to wait for: its turn goes on */
        } else if (loop != NULL) {
            c->end = wr_call_trap(call, "a WASI function has to wait where it cannot be suspended");
            return WASI_E_SUCCESS;
        } else {
            c->stop = wasi_block(c);
        }
        e = wasi_try(c);
    }
    return e;
}

wr_status_t wasi_enter(wr_call_t *call, wr_slot_t *slots, void *env)
{
    const struct wasi_bind *bind = env;
    struct wasi_want want;
    wr_wasi_t *wasi = bind->wasi != NULL ? bind->wasi : wr_store_data(wr_call_store(call));
    if (wasi == NULL) return wr_call_trap(call, "the store has no WASI context");
    struct wasi_call c = {.wasi = wasi,
                          .row = bind->row,
                          .p0 = bind->p0,
                          .arg = slots,
                          .memory = wr_call_memory(call, 0),
                          .want = &want,
                          .end = WR_OK};
    wasi_errno e = run(&c, call);
    if (e == WASI_PARK) return WR_PENDING;
    if (c.progress.dns != NULL) wasi_dns_drop(c.progress.dns);
    if (c.end == WR_EXIT) return wr_call_exit(call, c.exit_code);
    if (c.end == WR_OK) slots[0].i64 = (u64)e;
    return c.end;
}
