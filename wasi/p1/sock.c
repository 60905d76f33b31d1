/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.c - sock_*: descriptors are checked by their rows (BADF, NOTSOCK); sockets are not served
 * yet.
 */
#include "p1/p1.h"

wasi_errno wasi_p1_sock_accept(struct wasi_call *c)
{
    (void)c;
    return WASI_E_NOSYS;
}

wasi_errno wasi_p1_sock_recv(struct wasi_call *c)
{
    (void)c;
    return WASI_E_NOSYS;
}

wasi_errno wasi_p1_sock_send(struct wasi_call *c)
{
    (void)c;
    return WASI_E_NOSYS;
}

wasi_errno wasi_p1_sock_shutdown(struct wasi_call *c)
{
    (void)c;
    return WASI_E_NOSYS;
}
