/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.c - opening, connecting, accepting, and messages. Options: sockopt.c, Unix paths:
 * sockunix.c.
 */
#include "fd/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Datagrams from addresses that are not allowed, thrown away in one go. */
enum { DROPS = 64 };

static const struct wasi_net *net_of(const struct wasi_call *c) { return &c->wasi->net; }

static wasi_errno allow(const struct wasi_call *c, const struct wasi_addr *addr)
{
    const struct wasi_net *net = net_of(c);
    if (addr->of.any.sa_family == AF_UNIX) /* wasi_sock_unix made it: beneath a preopen */
        return net->all || net->unix_too ? WASI_E_SUCCESS : WASI_E_ACCES;
    return wasi_net_allows(net, addr) ? WASI_E_SUCCESS : WASI_E_ACCES;
}

static bool is_zero(const u8 *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/* To Linux "no address" as a destination is this host: that is what is checked, and used. */
static void name_loopback(struct wasi_addr *addr)
{
    if (addr->of.any.sa_family == AF_INET && addr->of.v4.sin_addr.s_addr == 0)
        addr->of.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (addr->of.any.sa_family != AF_INET6) return;
    u8 *bytes = addr->of.v6.sin6_addr.s6_addr;
    bool mapped = is_zero(bytes, 10) && bytes[10] == 0xff && bytes[11] == 0xff;
    if (mapped && is_zero(bytes + 12, 4)) {
        bytes[12] = 127;
        bytes[15] = 1;
    } else if (is_zero(bytes, 16)) {
        bytes[15] = 1;
    }
}

/* ---------------------------------------------------------------- opening and binding */

/* Gives a host socket its guest number; takes `host` over in every case. */
static wasi_errno add_socket(struct wasi_call *c, int host, u8 state, u32 *guest_fd)
{
    wasi_errno e;
    host = wasi_above_streams(host);
    if (host < 0) return wasi_errno_from_host(errno);
    struct wasi_fd *fd = wasi_fd_new(host, false, &e);
    if (fd == NULL) {
        close(host);
        return e;
    }
    fd->sock = state;
    e = wasi_fdtable_add(&c->wasi->fds, fd, guest_fd);
    if (e != WASI_E_SUCCESS) wasi_fd_delete(fd);
    return e;
}

wasi_errno wasi_sock_open(struct wasi_call *c, int family, int type, u32 *guest_fd)
{
    const struct wasi_net *net = net_of(c);
    bool is_unix = family == AF_UNIX;
    if (!wasi_net_is_on(net) || (is_unix && !net->all && !net->unix_too)) return WASI_E_ACCES;
    wasi_errno e = wasi_fdtable_make_room(&c->wasi->fds);
    if (e != WASI_E_SUCCESS) return e;
    int host = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (host < 0) return wasi_errno_from_host(errno);
    return add_socket(c, host, 0, guest_fd);
}

wasi_errno wasi_sock_bind(struct wasi_call *c, const struct wasi_addr *addr)
{
    wasi_errno e = allow(c, addr);
    if (e != WASI_E_SUCCESS) return e;
    if (bind(c->fd->host, &addr->of.any, addr->len) != 0) return wasi_errno_from_host(errno);
    c->fd->sock |= WASI_SOCK_BOUND;
    return WASI_E_SUCCESS;
}

/* Listening without an address means all of them and a port of the kernel's choice. */
static wasi_errno allow_implicit_bind(struct wasi_call *c)
{
    static const u8 zero[16];
    struct wasi_addr any;
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    if ((c->fd->sock & WASI_SOCK_BOUND) != 0) return WASI_E_SUCCESS;
    if (getsockname(c->fd->host, (struct sockaddr *)&name, &len) != 0)
        return wasi_errno_from_host(errno);
    if (name.ss_family == AF_UNIX) return WASI_E_SUCCESS; /* the kernel refuses it */
    wasi_addr_set(&any, name.ss_family, zero, 0);
    return allow(c, &any);
}

wasi_errno wasi_sock_listen(struct wasi_call *c, u32 backlog)
{
    wasi_errno e = allow_implicit_bind(c);
    if (e != WASI_E_SUCCESS) return e;
    int length = backlog > SOMAXCONN ? SOMAXCONN : (int)backlog;
    if (listen(c->fd->host, length) != 0) return wasi_errno_from_host(errno);
    c->fd->sock |= WASI_SOCK_BOUND;
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- connecting and accepting */

/* A Unix socket is always ready to send or to connect, and nobody tells when the other side has
 * room again. */
static wasi_errno wait_for_room(struct wasi_call *c)
{
    const u64 look_again = 5000000, timeout = c->fd->send_timeout_ns;
    u64 now = wasi_clock_now(CLOCK_MONOTONIC);
    if (c->progress.begin_ns == 0) c->progress.begin_ns = now;
    if (timeout != 0 && now - c->progress.begin_ns >= timeout) return WASI_E_AGAIN;
    return wasi_park(c, NULL, 0, now + look_again);
}

/* After EINPROGRESS: how it went. */
static wasi_errno connected(struct wasi_call *c)
{
    struct pollfd one = {.fd = c->fd->host, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof(error);
    if (poll(&one, 1, 0) == 0) return wasi_io_wait(c, POLLOUT);
    if (getsockopt(c->fd->host, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    return wasi_errno_from_host(error);
}

wasi_errno wasi_sock_connect(struct wasi_call *c, const struct wasi_addr *addr)
{
    enum { CONNECTING = 1 };
    struct wasi_addr to = *addr;
    c->fd->told = 0;
    if (c->progress.stage == CONNECTING) return connected(c);
    name_loopback(&to);
    wasi_errno e = allow(c, &to);
    if (e != WASI_E_SUCCESS) return e;
    int r;
    do {
        r = connect(c->fd->host, &to.of.any, to.len);
    } while (r != 0 && errno == EINTR);
    if (r != 0 && errno == EINPROGRESS && wasi_fd_blocks(c->fd)) {
        c->progress.stage = CONNECTING;
        return wasi_io_wait(c, POLLOUT);
    }
    if (r != 0 && errno == EAGAIN && to.of.any.sa_family == AF_UNIX && wasi_fd_blocks(c->fd))
        return wait_for_room(c); /* its listener has as many as it takes */
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

/* An inherited listener may block: it is asked first. */
static int accept_now(const struct wasi_fd *fd)
{
    struct pollfd one = {.fd = fd->host, .events = POLLIN};
    if (fd->borrowed && poll(&one, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    int host;
    do {
        host = accept4(fd->host, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (host < 0 && (errno == EINTR || errno == ECONNABORTED));
    return host;
}

wasi_errno wasi_sock_accept(struct wasi_call *c, u32 flags, u32 *guest_fd)
{
    if ((flags & ~(u32)WASI_FDFLAG_NONBLOCK) != 0) return WASI_E_INVAL;
    c->fd->told &= (u8)~WASI_TOLD_READ;
    wasi_errno e = wasi_fdtable_make_room(&c->wasi->fds); /* before a connection is taken */
    if (e != WASI_E_SUCCESS) return e;
    int host = accept_now(c->fd);
    if (host < 0 && errno == EAGAIN && wasi_fd_blocks(c->fd)) return wasi_io_wait(c, POLLIN);
    if (host < 0) return wasi_errno_from_host(errno);
    e = add_socket(c, host, WASI_SOCK_BOUND, guest_fd);
    if (e == WASI_E_SUCCESS) wasi_fdtable_get(&c->wasi->fds, *guest_fd)->flags = (u16)flags;
    return e;
}

wasi_errno wasi_sock_shutdown(struct wasi_call *c, u32 how)
{
    static const int hows[] = {
        [WASI_SD_RD] = SHUT_RD, [WASI_SD_WR] = SHUT_WR, [WASI_SD_ALL] = SHUT_RDWR};
    if (how == 0 || how > WASI_SD_ALL) return WASI_E_INVAL;
    c->fd->told = 0;
    return shutdown(c->fd->host, hows[how]) == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

wasi_errno wasi_sock_name(struct wasi_call *c, bool peer, struct wasi_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->len = sizeof(out->of.room);
    int r = peer ? getpeername(c->fd->host, &out->of.any, &out->len)
                 : getsockname(c->fd->host, &out->of.any, &out->len);
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

/* ---------------------------------------------------------------- messages */

static bool is_datagram(const struct wasi_fd *fd)
{
    return fd->filetype == WASI_FILETYPE_SOCKET_DGRAM;
}

/*
 * The kernel bound such a socket when it sent: it hears everybody, its guest may not. Who sent the
 * next datagram is asked before any of it is in guest memory; -1 when it has been thrown away.
 */
static int drop_forbidden(struct wasi_call *c)
{
    struct wasi_addr from = {.len = sizeof(from.of)};
    u8 byte; /* somewhere to put one: not every system (nor emulator of one) looks up the sender
                else */
    if (!is_datagram(c->fd) || (c->fd->sock & WASI_SOCK_BOUND) != 0 || net_of(c)->all) return 0;
    if (recvfrom(c->fd->host, &byte, 1, MSG_PEEK | MSG_DONTWAIT, &from.of.any, &from.len) < 0)
        return -1;
    if (wasi_addr_bytes(&from) == NULL || wasi_net_allows(net_of(c), &from)) return 0;
    (void)recv(c->fd->host, &byte, 1, MSG_DONTWAIT);
    errno = EINTR;
    return -1;
}

static ssize_t recv_once(struct wasi_call *c, struct wasi_sock_msg *msg, struct wasi_addr *from)
{
    struct iovec piece[WASI_PIECE_IOVECS];
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)msg->io->iov,
                       .msg_iovlen = (size_t)msg->io->count,
                       .msg_name = &from->of,
                       .msg_namelen = sizeof(from->of)};
    if (c->progress.done > 0) {
        m.msg_iovlen = (size_t)wasi_io_rest(msg->io, c->progress.done, SIZE_MAX, piece);
        m.msg_iov = piece;
    }
    int flags = MSG_DONTWAIT | ((msg->flags & WASI_RI_PEEK) != 0 ? MSG_PEEK : 0);
    if (drop_forbidden(c) != 0) return -1;
    ssize_t r = recvmsg(c->fd->host, &m, flags);
    if (r < 0) return r;
    from->len = m.msg_namelen;
    msg->roflags = is_datagram(c->fd) && (m.msg_flags & MSG_TRUNC) != 0 ? WASI_RO_TRUNC : 0;
    return r;
}

/* After a piece of a stream: whether more is to come. */
static bool wants_more(const struct wasi_call *c, const struct wasi_sock_msg *msg, ssize_t got)
{
    bool all = (msg->flags & WASI_RI_WAITALL) != 0 && (msg->flags & WASI_RI_PEEK) == 0;
    return got > 0 && all && !is_datagram(c->fd) && wasi_fd_blocks(c->fd) &&
           c->progress.done < wasi_io_total(msg->io);
}

wasi_errno wasi_sock_recv(struct wasi_call *c, struct wasi_sock_msg *msg)
{
    struct wasi_addr from = {.len = 0};
    int drops = 0;
    msg->done = 0;
    msg->roflags = 0;
    if ((msg->flags & ~(u32)(WASI_RI_PEEK | WASI_RI_WAITALL)) != 0) return WASI_E_INVAL;
    c->fd->told &= (u8)~WASI_TOLD_READ;
    wasi_errno e = WASI_E_SUCCESS;
    for (u64 begun = c->progress.done;;) {
        ssize_t r = recv_once(c, msg, &from);
        if (r < 0 && errno == EINTR && drops++ < DROPS) continue;
        if (r < 0 && (errno == EAGAIN || errno == EINTR) && wasi_fd_blocks(c->fd))
            e = wasi_io_wait(c, POLLIN);
        else if (r < 0)
            e = wasi_errno_from_host(errno == EINTR ? EAGAIN : errno);
        else
            c->progress.done += (u64)r;
        if (r < 0 || !wants_more(c, msg, r)) break;
        if (c->progress.done - begun < WASI_IO_TURN) continue;
        e = wasi_io_wait(c, POLLIN); /* who sends is fast: the others go first */
        break;
    }
    msg->done = (size_t)c->progress.done;
    if (msg->addr != NULL) *msg->addr = from;
    return e == WASI_PARK || msg->done == 0 ? e : WASI_E_SUCCESS;
}

static wasi_errno send_to(struct wasi_call *c, struct wasi_sock_msg *msg)
{
    struct wasi_addr to = *msg->addr;
    name_loopback(&to);
    wasi_errno e = allow(c, &to);
    if (e != WASI_E_SUCCESS) return e;
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)msg->io->iov,
                       .msg_iovlen = (size_t)msg->io->count,
                       .msg_name = &to.of,
                       .msg_namelen = to.len};
    ssize_t r;
    do {
        r = sendmsg(c->fd->host, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (r < 0 && errno == EINTR);
    if (r < 0 && errno == EAGAIN && wasi_fd_blocks(c->fd))
        return to.of.any.sa_family == AF_UNIX ? wait_for_room(c) : wasi_io_wait(c, POLLOUT);
    if (r < 0) return wasi_errno_from_host(errno);
    msg->done = (size_t)r;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_sock_send(struct wasi_call *c, struct wasi_sock_msg *msg)
{
    msg->done = 0;
    if (msg->flags != 0) return WASI_E_INVAL;
    if (msg->addr == NULL || !is_datagram(c->fd)) return wasi_io_write(c, msg->io, &msg->done);
    c->fd->told &= (u8)~WASI_TOLD_WRITE;
    return send_to(c, msg);
}
