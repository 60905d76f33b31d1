/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds.h - what threads of one guest wait for, or use. A host descriptor that its guest closes
 * meanwhile stays open until nobody does any more: its number can't become another file's under a
 * wait. Everything here is under the lock of the context.
 */
#ifndef WASI_LOOP_HOLDS_H
#define WASI_LOOP_HOLDS_H

#include "abi/ints.h"
#include "abi/p1_types.h"
#include "loop/list.h"
#include "loop/wait.h"

#include <poll.h>

/** Of one host descriptor. */
struct wasi_hold {
    u32 count;    /**< waits for it, and uses */
    bool closing; /**< the last of them closes it */
};

struct wasi_holds {
    struct wasi_hold *slot; /**< by host descriptor */
    u32 size;
    struct wasi_link waiting; /**< struct wasi_wait.waiting of all that wait */
};

void wasi_holds_init(struct wasi_holds *h);
/** Nobody waits any more. */
void wasi_holds_fini(struct wasi_holds *h);

/** A wait begins: for `fd[0..count)`, with `w`. NOMEM. */
WASI_MUST_USE wasi_errno wasi_holds_enter(struct wasi_holds *h, struct wasi_wait *w,
                                          const struct pollfd *fd, u32 count);
/** It is over: closes what nobody but the closer waited for. */
void wasi_holds_leave(struct wasi_holds *h, struct wasi_wait *w, const struct pollfd *fd,
                      u32 count);
/** The same without a wait: `host` is in use. NOMEM. */
WASI_MUST_USE wasi_errno wasi_holds_take(struct wasi_holds *h, int host);
void wasi_holds_give_back(struct wasi_holds *h, int host);
/**
 * A guest descriptor over `host` is closed: those that wait are tried again. True when the last of
 * them closes `host` (not with `borrowed`); false: it is the caller's to close.
 */
bool wasi_holds_close(struct wasi_holds *h, int host, bool borrowed);
/** Makes all that wait look again. */
void wasi_holds_kick(struct wasi_holds *h);

#endif
