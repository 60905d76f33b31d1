/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockopt.c - socket options, from one table.
 */
#include "fd/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

/* Buffers that a guest may make the kernel hold for one socket. */
enum { BUFFER_MAX = 4 << 20 };

static const struct {
    int level, name;
} options[WASI_SO_COUNT] = {
    [WASI_SO_REUSEADDR] = {SOL_SOCKET, SO_REUSEADDR},
    [WASI_SO_REUSEPORT] = {SOL_SOCKET, SO_REUSEPORT},
    [WASI_SO_DONTROUTE] = {SOL_SOCKET, SO_DONTROUTE},
    [WASI_SO_BROADCAST] = {SOL_SOCKET, SO_BROADCAST},
    [WASI_SO_SNDBUF] = {SOL_SOCKET, SO_SNDBUF},
    [WASI_SO_RCVBUF] = {SOL_SOCKET, SO_RCVBUF},
    [WASI_SO_KEEPALIVE] = {SOL_SOCKET, SO_KEEPALIVE},
    [WASI_SO_OOBINLINE] = {SOL_SOCKET, SO_OOBINLINE},
    [WASI_SO_RCVLOWAT] = {SOL_SOCKET, SO_RCVLOWAT},
    [WASI_SO_ACCEPTCONN] = {SOL_SOCKET, SO_ACCEPTCONN},
    [WASI_SO_NODELAY] = {IPPROTO_TCP, TCP_NODELAY},
    [WASI_SO_QUICKACK] = {IPPROTO_TCP, TCP_QUICKACK},
    [WASI_SO_KEEPIDLE] = {IPPROTO_TCP, TCP_KEEPIDLE},
    [WASI_SO_KEEPINTVL] = {IPPROTO_TCP, TCP_KEEPINTVL},
    [WASI_SO_FASTOPEN_CONNECT] = {IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
    [WASI_SO_MULTICAST_LOOP4] = {IPPROTO_IP, IP_MULTICAST_LOOP},
    [WASI_SO_MULTICAST_LOOP6] = {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    [WASI_SO_MULTICAST_TTL] = {IPPROTO_IP, IP_MULTICAST_TTL},
    [WASI_SO_TTL] = {IPPROTO_IP, IP_TTL},
    [WASI_SO_V6ONLY] = {IPPROTO_IPV6, IPV6_V6ONLY},
};

static wasi_errno host_result(int r)
{
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

wasi_errno wasi_sock_get_int(struct wasi_call *c, enum wasi_sockopt opt, int *value)
{
    socklen_t len = sizeof(*value);
    *value = 0;
    return host_result(getsockopt(c->fd->host, options[opt].level, options[opt].name, value, &len));
}

wasi_errno wasi_sock_set_int(struct wasi_call *c, enum wasi_sockopt opt, int value)
{
    bool is_buffer = opt == WASI_SO_SNDBUF || opt == WASI_SO_RCVBUF;
    if (opt == WASI_SO_ACCEPTCONN) return WASI_E_NOPROTOOPT; /* can only be asked for */
    if (is_buffer && (value < 0 || value > BUFFER_MAX)) value = BUFFER_MAX;
    return host_result(
        setsockopt(c->fd->host, options[opt].level, options[opt].name, &value, sizeof(value)));
}

wasi_errno wasi_sock_take_error(struct wasi_call *c, wasi_errno *error)
{
    int host = 0;
    socklen_t len = sizeof(host);
    wasi_errno e = host_result(getsockopt(c->fd->host, SOL_SOCKET, SO_ERROR, &host, &len));
    *error = wasi_errno_from_host(host);
    return e;
}

wasi_errno wasi_sock_get_linger(struct wasi_call *c, int *seconds)
{
    struct linger l = {0};
    socklen_t len = sizeof(l);
    wasi_errno e = host_result(getsockopt(c->fd->host, SOL_SOCKET, SO_LINGER, &l, &len));
    *seconds = l.l_onoff != 0 ? l.l_linger : -1;
    if (c->fd->linger_s > 0) *seconds = c->fd->linger_s;
    return e;
}

/* A close that lingers blocks its thread whatever O_NONBLOCK says. The kernel goes on sending after
 * a plain one, so only the abortive zero is handed on; the rest is remembered for who asks. */
wasi_errno wasi_sock_set_linger(struct wasi_call *c, int seconds)
{
    const struct linger l = {.l_onoff = seconds == 0};
    wasi_errno e = host_result(setsockopt(c->fd->host, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    if (e == WASI_E_SUCCESS) c->fd->linger_s = seconds > 0 ? seconds : 0;
    return e;
}

wasi_errno wasi_sock_group(struct wasi_call *c, const struct wasi_addr *group, u32 interface,
                           bool join)
{
    if (!wasi_net_allows(&c->wasi->net, group)) return WASI_E_ACCES;
    if (group->of.any.sa_family == AF_INET6) {
        const struct ipv6_mreq m = {.ipv6mr_multiaddr = group->of.v6.sin6_addr,
                                    .ipv6mr_interface = interface};
        int name = join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
        return host_result(setsockopt(c->fd->host, IPPROTO_IPV6, name, &m, sizeof(m)));
    }
    const struct ip_mreq m = {.imr_multiaddr = group->of.v4.sin_addr,
                              .imr_interface.s_addr = interface};
    int name = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
    return host_result(setsockopt(c->fd->host, IPPROTO_IP, name, &m, sizeof(m)));
}
