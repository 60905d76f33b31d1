/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c - random_get: the kernel's generator straight into guest memory, in pieces.
 */
#include "p1/p1.h"

#include <errno.h>
#include <sys/random.h>

/* What a guest gets before others have their turn: about half a millisecond. */
enum { TURN = 256 * 1024 };

wasi_errno wasi_p1_random_get(struct wasi_call *c)
{
    size_t len = c->arg[1].i32;
    u8 *p = wasi_mem_at(&c->mem, c->arg[0].i32, len);
    if (p == NULL) return WASI_E_FAULT;
    size_t done = (size_t)c->progress.done;
    size_t end = len - done > TURN ? done + TURN : len;
    while (done < end) {
        ssize_t n = getrandom(p + done, end - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wasi_errno_from_host(errno);
        done += (size_t)n;
    }
    c->progress.done = done;
    return done < len ? wasi_park(c, NULL, 0, WASI_AT_ONCE) : WASI_E_SUCCESS;
}
