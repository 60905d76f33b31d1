/* SPDX-License-Identifier: Apache-2.0 */
/* holds.c - counts of waits, by host descriptor. */
#include "loop/holds.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void wasi_holds_init(struct wasi_holds *h)
{
    *h = (struct wasi_holds){0};
    wasi_link_init(&h->waiting);
}

void wasi_holds_fini(struct wasi_holds *h)
{
    free(h->slot);
    *h = (struct wasi_holds){0};
}

/* Descriptors are numbers below the process's limit of them. */
static wasi_errno reserve(struct wasi_holds *h, int host)
{
    if ((u32)host < h->size) return WASI_E_SUCCESS;
    u32 size = h->size < 64 ? 64 : h->size;
    while (size <= (u32)host) size *= 2;
    struct wasi_hold *slot = realloc(h->slot, size * sizeof(*slot));
    if (slot == NULL) return WASI_E_NOMEM;
    memset(slot + h->size, 0, (size - h->size) * sizeof(*slot));
    h->slot = slot;
    h->size = size;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_holds_take(struct wasi_holds *h, int host)
{
    wasi_errno e = reserve(h, host);
    if (e == WASI_E_SUCCESS) h->slot[host].count++;
    return e;
}

void wasi_holds_give_back(struct wasi_holds *h, int host)
{
    struct wasi_hold *hold = &h->slot[host];
    if (--hold->count > 0 || !hold->closing) return;
    hold->closing = false;
    (void)close(host);
}

wasi_errno wasi_holds_enter(struct wasi_holds *h, struct wasi_wait *w, const struct pollfd *fd,
                            u32 count)
{
    for (u32 i = 0; i < count; i++) {
        wasi_errno e = reserve(h, fd[i].fd);
        if (e != WASI_E_SUCCESS) return e;
    }
    for (u32 i = 0; i < count; i++) h->slot[fd[i].fd].count++;
    wasi_link_append(&h->waiting, &w->waiting);
    return WASI_E_SUCCESS;
}

void wasi_holds_leave(struct wasi_holds *h, struct wasi_wait *w, const struct pollfd *fd, u32 count)
{
    wasi_link_remove(&w->waiting);
    for (u32 i = 0; i < count; i++) wasi_holds_give_back(h, fd[i].fd);
}

bool wasi_holds_close(struct wasi_holds *h, int host, bool borrowed)
{
    if ((u32)host >= h->size || h->slot[host].count == 0) return false;
    wasi_holds_kick(h);
    if (borrowed) return false;
    h->slot[host].closing = true;
    return true;
}

void wasi_holds_kick(struct wasi_holds *h)
{
    for (struct wasi_link *l = h->waiting.next; l != &h->waiting; l = l->next)
        wasi_wait_kick(WASI_LINK_OWNER(l, struct wasi_wait, waiting));
}
