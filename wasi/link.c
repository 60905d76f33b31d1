/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - defines preview1 in a linker from p1.def, and the way from a host call to a handler.
 */
#include "fd/rights.h"
#include "p1/p1.h"

#define R(name) WASI_RIGHT_##name
#define DIR WASI_P1_DIR
#define NONDIR WASI_P1_NONDIR
#define CHANGES WASI_P1_CHANGES
#define SOCK WASI_P1_SOCK

const struct wasi_p1_fn wasi_p1_table[WASI_P1_COUNT] = {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since)                                \
    {#name, signature, wasi_p1_##name, rights, rights2, fd, fd2, flags, WASI_P1_##since},
#include "abi/p1.def"
#undef P1
};

enum {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since) ROW_##name,
#include "abi/p1.def"
#undef P1
    ROW_COUNT
};
_Static_assert((int)ROW_COUNT == (int)WASI_P1_COUNT, "p1.def: preview1 has 46 functions");

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

static wasi_errno check_fds(struct wasi_call *c, const struct wasi_p1_fn *fn)
{
    wasi_errno e = WASI_E_SUCCESS;
    if (fn->fd >= 0) {
        c->fd = wasi_fdtable_get(&c->wasi->fds, c->arg[fn->fd].i32);
        e = check_fd(c->fd, fn->flags, fn->rights);
    }
    if (e == WASI_E_SUCCESS && fn->fd2 >= 0) {
        c->fd2 = wasi_fdtable_get(&c->wasi->fds, c->arg[fn->fd2].i32);
        e = check_fd(c->fd2, fn->flags, fn->rights2);
    }
    return e;
}

wr_status_t wasi_p1_enter(wr_call_t *call, wr_slot_t *slots, void *env)
{
    const struct wasi_bind *bind = env;
    struct wasi_call c = {.wasi = bind->wasi, .call = call, .arg = slots, .end = WR_OK};
    wasi_mem_init(&c.mem, wr_call_memory(call, 0));
    wasi_errno e = check_fds(&c, bind->fn);
    if (e == WASI_E_SUCCESS) e = bind->fn->handler(&c);
    if (c.end == WR_OK) slots[0].i64 = (u64)e;
    return c.end;
}

wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err)
{
    for (size_t i = 0; i < WASI_P1_COUNT; i++) {
        const struct wasi_p1_fn *fn = &wasi_p1_table[i];
        wasi->bind[i] = (struct wasi_bind){.wasi = wasi, .fn = fn};
        wr_status_t s = wr_linker_define_raw(linker, "wasi_snapshot_preview1", fn->name,
                                             fn->signature, wasi_p1_enter, &wasi->bind[i], err);
        if (s != WR_OK) return s;
    }
    return WR_OK;
}
