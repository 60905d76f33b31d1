/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - messages over guest iovecs (arguments 1 and 2), for preview1 and the extensions.
 */
#ifndef WASI_P1_MESSAGE_H
#define WASI_P1_MESSAGE_H

#include "fd/sock.h"

typedef wasi_errno wasi_message_fn(struct wasi_call *c, struct wasi_sock_msg *msg);

/** Receives into the iovecs; puts the byte count and the roflags (u16) at two guest addresses. */
WASI_MUST_USE wasi_errno wasi_recv_to(struct wasi_call *c, struct wasi_sock_msg *msg, u32 len,
                                      u32 roflags);
/** Moves the message as `move` does; `msg->io` is filled for it. */
WASI_MUST_USE wasi_errno wasi_message(struct wasi_call *c, struct wasi_sock_msg *msg,
                                      wasi_message_fn *move);
/** Sends the iovecs; puts the byte count at a guest address. */
WASI_MUST_USE wasi_errno wasi_send_from(struct wasi_call *c, struct wasi_sock_msg *msg, u32 len);
/** Accepts; puts the new descriptor at a guest address. */
WASI_MUST_USE wasi_errno wasi_put_accepted(struct wasi_call *c, u32 flags, u32 out);

#endif
