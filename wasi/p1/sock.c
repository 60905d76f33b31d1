/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.c - sock_accept, sock_recv, sock_send, sock_shutdown, and what the extensions share with
 * them: messages over guest iovecs.
 */
#include "p1/message.h"
#include "p1/p1.h"

wasi_errno wasi_put_accepted(struct wasi_call *c, u32 flags, u32 out)
{
    u8 *number = wasi_mem_at(&c->mem, out, 4);
    u32 guest_fd = 0;
    if (number == NULL) return WASI_E_FAULT;
    wasi_errno e = wasi_sock_accept(c, flags, &guest_fd);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(number, guest_fd);
    return e;
}

wasi_errno wasi_p1_sock_accept(struct wasi_call *c)
{
    return wasi_put_accepted(c, c->arg[1].i32, c->arg[2].i32);
}

wasi_errno wasi_message(struct wasi_call *c, struct wasi_sock_msg *msg, wasi_message_fn *move)
{
    struct iovec iov[WASI_IOV_MAX];
    u32 count = c->arg[2].i32;
    wasi_errno e = wasi_mem_iovecs(&c->mem, c->arg[1].i32, count, iov);
    if (e != WASI_E_SUCCESS) return e;
    const struct wasi_io io = {.iov = iov, .count = (int)count, .offset = WASI_IO_HERE};
    msg->io = &io;
    e = move(c, msg);
    msg->io = NULL;
    return e;
}

/* `roflags` is 16 bits. */
wasi_errno wasi_recv_to(struct wasi_call *c, struct wasi_sock_msg *msg, u32 len, u32 roflags)
{
    u8 *moved = wasi_mem_at(&c->mem, len, 4);
    u8 *flags = wasi_mem_at(&c->mem, roflags, 2);
    if (moved == NULL || flags == NULL) return WASI_E_FAULT;
    wasi_errno e = wasi_message(c, msg, wasi_sock_recv);
    if (e != WASI_E_SUCCESS) return e;
    wasi_guest_put32(moved, (u32)msg->done);
    wasi_guest_put16(flags, (u16)msg->roflags);
    return e;
}

wasi_errno wasi_p1_sock_recv(struct wasi_call *c)
{
    struct wasi_sock_msg msg = {.flags = c->arg[3].i32};
    return wasi_recv_to(c, &msg, c->arg[4].i32, c->arg[5].i32);
}

wasi_errno wasi_send_from(struct wasi_call *c, struct wasi_sock_msg *msg, u32 len)
{
    u8 *moved = wasi_mem_at(&c->mem, len, 4);
    if (moved == NULL) return WASI_E_FAULT;
    wasi_errno e = wasi_message(c, msg, wasi_sock_send);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(moved, (u32)msg->done);
    return e;
}

wasi_errno wasi_p1_sock_send(struct wasi_call *c)
{
    struct wasi_sock_msg msg = {.flags = c->arg[3].i32};
    return wasi_send_from(c, &msg, c->arg[4].i32);
}

wasi_errno wasi_p1_sock_shutdown(struct wasi_call *c)
{
    return wasi_sock_shutdown(c, c->arg[1].i32);
}
