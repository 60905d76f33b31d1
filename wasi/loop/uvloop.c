/* SPDX-License-Identifier: Apache-2.0 */
/* uvloop.c - see uvloop.h. */
#include "loop/uvloop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* libuv 1.44: two for all signals of the process, without which it aborts, and four a loop. */
enum { NEEDED = 8 };

/* Whether there are as many descriptors as a loop needs: takes them all, once. */
static wasi_errno probe(void)
{
    int fd[NEEDED], n = 0; /* files of their own: the whole system may have none left */
    while (n < NEEDED && (fd[n] = eventfd(0, EFD_CLOEXEC)) >= 0) n++;
    wasi_errno e = n == NEEDED ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
    while (n > 0) close(fd[--n]);
    return e;
}

wasi_errno wasi_uv_loop_init(uv_loop_t *uv)
{
    wasi_errno e = probe();
    if (e != WASI_E_SUCCESS) return e;
    int r = uv_loop_init(uv);
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(-r);
}
