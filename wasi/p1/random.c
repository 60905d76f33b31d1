/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c - random_get: the kernel's generator straight into guest memory, in pieces.
 */
#include "p1/p1.h"

#include <errno.h>
#include <sys/random.h>

/* One getrandom call; bounds the time between looks at EINTR. */
enum { PIECE = 256 * 1024 };

wasi_errno wasi_p1_random_get(struct wasi_call *c)
{
    size_t left = c->arg[1].i32;
    u8 *p = wasi_mem_at(&c->mem, c->arg[0].i32, left);
    if (p == NULL) return WASI_E_FAULT;
    while (left > 0) {
        ssize_t n = getrandom(p, left < PIECE ? left : PIECE, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wasi_errno_from_host(errno);
        p += n;
        left -= (size_t)n;
    }
    return WASI_E_SUCCESS;
}
