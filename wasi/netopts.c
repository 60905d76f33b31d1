/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netopts.c - what the embedder says about the network of a context.
 */
#include "context.h"
#include "fd/preopen.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void wr_wasi_net_inherit(wr_wasi_t *wasi) { wasi->net.all = true; }

void wr_wasi_net_allow_resolve(wr_wasi_t *wasi) { wasi->net.resolve = true; }

wr_status_t wr_wasi_net_allow(wr_wasi_t *wasi, const char *rule, wr_error_t *err)
{
    if (wasi->net.count == WASI_NET_RULES)
        return wasi_fail(err, WR_LIMIT, "more than %d network rules", WASI_NET_RULES);
    if (wasi_net_add(&wasi->net, rule)) return WR_OK;
    return wasi_fail(err, WR_ARGUMENT,
                     "\"%.100s\" is not a network rule like 10.0.0.0/8, 127.0.0.1:8080, "
                     "[fd00::/8]:443 or unix",
                     rule);
}

wr_status_t wr_wasi_preopen_socket(wr_wasi_t *wasi, int socket, wr_error_t *err)
{
    wasi_errno e = wasi_preopen_socket(&wasi->fds, socket);
    switch (e) {
    case WASI_E_SUCCESS: return WR_OK;
    case WASI_E_NOTSOCK:
    case WASI_E_BADF: return wasi_fail(err, WR_ARGUMENT, "descriptor %d is not a socket", socket);
    case WASI_E_MFILE: return wasi_fail(err, WR_LIMIT, "too many descriptors for the guest");
    default:
        return wasi_fail(err, e == WASI_E_NOMEM ? WR_OOM : WR_IO, "descriptor %d: %s", socket,
                         wasi_errno_name(e));
    }
}

/* A listener; -1 with errno set. */
static int make_listener(struct wasi_addr *addr)
{
    const int on = 1;
    int fd = wasi_above_streams(socket(addr->of.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0) return -1;
    socklen_t len = sizeof(addr->of);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, &addr->of.any, addr->len) == 0 && listen(fd, SOMAXCONN) == 0 &&
        getsockname(fd, &addr->of.any, &len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

wr_status_t wr_wasi_listen(wr_wasi_t *wasi, const char *address, uint16_t *port, wr_error_t *err)
{
    struct wasi_addr addr;
    if (!wasi_addr_parse(address, &addr))
        return wasi_fail(err, WR_ARGUMENT,
                         "\"%.100s\" is not a numeric address like 127.0.0.1:8080 or [::1]:8080",
                         address);
    int fd = make_listener(&addr);
    if (fd < 0)
        return wasi_fail(err, WR_IO, "cannot listen on %.100s: %s", address, strerror(errno));
    wr_status_t s = wr_wasi_preopen_socket(wasi, fd, err);
    if (s != WR_OK) close(fd);
    if (s == WR_OK && port != NULL) *port = wasi_addr_port(&addr);
    return s;
}
