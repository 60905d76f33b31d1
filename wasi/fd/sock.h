/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.h - sockets on a guest's behalf, shared by preview1 and the socket extensions. Addresses are
 * checked against the policy of the context here and nowhere else: at bind, listen (which binds
 * when nobody has), connect, and for every datagram to or from an address. ACCES is the answer to
 * what is not allowed.
 *
 * All of these are for `c->fd` (but open) and park or answer AGAIN as wasi_io_read does.
 */
#ifndef WASI_FD_SOCK_H
#define WASI_FD_SOCK_H

#include "context.h"
#include "fd/io.h"
#include "fd/net.h"

/** A socket of AF_INET, AF_INET6 or AF_UNIX, SOCK_STREAM or SOCK_DGRAM. ACCES, AFNOSUPPORT, MFILE.
 */
WASI_MUST_USE wasi_errno wasi_sock_open(struct wasi_call *c, int family, int type, u32 *guest_fd);
WASI_MUST_USE wasi_errno wasi_sock_bind(struct wasi_call *c, const struct wasi_addr *addr);
WASI_MUST_USE wasi_errno wasi_sock_connect(struct wasi_call *c, const struct wasi_addr *addr);
WASI_MUST_USE wasi_errno wasi_sock_listen(struct wasi_call *c, u32 backlog);
/** `flags`: fdflags of the new descriptor; only NONBLOCK is known (INVAL). */
WASI_MUST_USE wasi_errno wasi_sock_accept(struct wasi_call *c, u32 flags, u32 *guest_fd);
WASI_MUST_USE wasi_errno wasi_sock_shutdown(struct wasi_call *c, u32 how);
/** The local address, or the peer's. */
WASI_MUST_USE wasi_errno wasi_sock_name(struct wasi_call *c, bool peer, struct wasi_addr *out);

/** One message. */
struct wasi_sock_msg {
    const struct wasi_io *io;
    u32 flags;              /**< riflags; nothing is known for sending */
    struct wasi_addr *addr; /**< where to, or filled with where from; NULL: not asked for */
    size_t done;
    u32 roflags;
};
WASI_MUST_USE wasi_errno wasi_sock_recv(struct wasi_call *c, struct wasi_sock_msg *msg);
WASI_MUST_USE wasi_errno wasi_sock_send(struct wasi_call *c, struct wasi_sock_msg *msg);

/** Options that both extensions know, under names of our own. */
enum wasi_sockopt {
    WASI_SO_REUSEADDR,
    WASI_SO_REUSEPORT,
    WASI_SO_DONTROUTE,
    WASI_SO_BROADCAST,
    WASI_SO_SNDBUF,
    WASI_SO_RCVBUF,
    WASI_SO_KEEPALIVE,
    WASI_SO_OOBINLINE,
    WASI_SO_RCVLOWAT,
    WASI_SO_ACCEPTCONN,
    WASI_SO_NODELAY,
    WASI_SO_QUICKACK,
    WASI_SO_KEEPIDLE,
    WASI_SO_KEEPINTVL,
    WASI_SO_FASTOPEN_CONNECT,
    WASI_SO_MULTICAST_LOOP4,
    WASI_SO_MULTICAST_LOOP6,
    WASI_SO_MULTICAST_TTL,
    WASI_SO_TTL,
    WASI_SO_V6ONLY,
    WASI_SO_COUNT
};
WASI_MUST_USE wasi_errno wasi_sock_get_int(struct wasi_call *c, enum wasi_sockopt opt, int *value);
WASI_MUST_USE wasi_errno wasi_sock_set_int(struct wasi_call *c, enum wasi_sockopt opt, int value);
/** Takes the pending error of a socket, as a guest errno. */
WASI_MUST_USE wasi_errno wasi_sock_take_error(struct wasi_call *c, wasi_errno *error);
/** `seconds` < 0: does not linger. */
WASI_MUST_USE wasi_errno wasi_sock_get_linger(struct wasi_call *c, int *seconds);
WASI_MUST_USE wasi_errno wasi_sock_set_linger(struct wasi_call *c, int seconds);
/** Joins or leaves a multicast group; `interface` is an address (IPv4) or an index (IPv6). */
WASI_MUST_USE wasi_errno wasi_sock_group(struct wasi_call *c, const struct wasi_addr *group,
                                         u32 interface, bool join);

/** A Unix socket address from a guest path; needs a preopen above it. */
WASI_MUST_USE wasi_errno wasi_sock_unix(struct wasi_call *c, const char *path, bool bind,
                                        struct wasi_addr *out, int *keep_open);

#endif
