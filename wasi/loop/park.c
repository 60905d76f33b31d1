/* SPDX-License-Identifier: Apache-2.0 */
/*
 * park.c - what a handler waits for, written down; and waiting for it without a loop.
 */
#include "loop/park.h"

#include "context.h"

#include <stdlib.h>
#include <string.h>

wasi_errno wasi_park(struct wasi_call *c, const struct pollfd *fd, u32 count, u64 deadline_ns)
{
    if (c->stop != WASI_E_SUCCESS) return c->stop;
    struct wasi_want *w = c->want;
    w->heap = NULL;
    w->fd = w->few;
    if (count > WASI_WANT_FEW) {
        w->heap = w->fd = malloc(((size_t)count + 1) * sizeof(*fd));
        if (w->heap == NULL) return WASI_E_NOMEM;
    }
    if (count > 0) memcpy(w->fd, fd, count * sizeof(*fd));
    w->count = count;
    w->deadline_ns = deadline_ns;
    return WASI_PARK;
}

wasi_errno wasi_block(struct wasi_call *c)
{
    struct wasi_want *w = c->want;
    int ready;
    wasi_errno e = wasi_wait_until(&c->wasi->wait, w->fd, w->count, w->deadline_ns, &ready);
    free(w->heap);
    w->heap = NULL;
    return e;
}
