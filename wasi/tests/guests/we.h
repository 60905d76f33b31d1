/* SPDX-License-Identifier: Apache-2.0 */
/* we.h - WasmEdge's socket functions as a C guest imports them, and helpers over them. */
#ifndef GUESTS_WE_H
#define GUESTS_WE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WE(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

struct we_addr {
    void *buf;
    uint32_t len;
};
struct we_iov {
    void *buf;
    uint32_t len;
};
struct we_sockaddr {
    uint8_t family;
    uint32_t data_len;
    uint8_t *data;
};
struct we_info {
    uint16_t flags;
    uint8_t family, socktype, protocol;
    uint32_t addrlen;
    struct we_sockaddr *addr;
    char *canonname;
    uint32_t canonname_len;
    struct we_info *next;
};
_Static_assert(sizeof(struct we_info) == 28, "the ABI");

WE(sock_open) int we_open(int family, int type, int *fd);
WE(sock_bind) int we_bind(int fd, struct we_addr *addr, int port);
WE(sock_listen) int we_listen(int fd, int backlog);
WE(sock_accept) int we_accept(int fd, int *out);
WE(sock_accept_v2) int we_accept_v2(int fd, int flags, int *out);
WE(sock_connect) int we_connect(int fd, struct we_addr *addr, int port);
WE(sock_recv)
int we_recv(int fd, struct we_iov *iov, int n, int flags, uint32_t *len, uint16_t *ro);
WE(sock_send) int we_send(int fd, struct we_iov *iov, int n, int flags, uint32_t *len);
WE(sock_recv_from)
int we_recv_from(int fd, struct we_iov *iov, int n, struct we_addr *addr, int flags, uint32_t *len,
                 uint16_t *ro);
WE(sock_recv_from)
int we_recv_from_v2(int fd, struct we_iov *iov, int n, struct we_addr *addr, int flags,
                    uint32_t *port, uint32_t *len, uint16_t *ro);
WE(sock_send_to)
int we_send_to(int fd, struct we_iov *iov, int n, struct we_addr *addr, int port, int flags,
               uint32_t *len);
WE(sock_shutdown) int we_shutdown(int fd, int how);
WE(sock_getsockopt) int we_getsockopt(int fd, int level, int name, void *value, uint32_t *len);
WE(sock_setsockopt) int we_setsockopt(int fd, int level, int name, const void *value, uint32_t len);
WE(sock_getlocaladdr) int we_local(int fd, struct we_addr *addr, uint32_t *type, uint32_t *port);
WE(sock_getpeeraddr) int we_peer(int fd, struct we_addr *addr, uint32_t *type, uint32_t *port);
WE(sock_getlocaladdr) int we_local_v2(int fd, struct we_addr *addr, uint32_t *port);
WE(sock_getaddrinfo)
int we_getaddrinfo(const char *node, uint32_t node_len, const char *service, uint32_t service_len,
                   const struct we_info *hints, struct we_info **list, uint32_t max,
                   uint32_t *count);
WE(epoll_oneoff) int we_epoll(const void *subs, void *events, uint32_t n, uint32_t *count);
WE(fd_close) int we_close(int fd);
WE(fd_fdstat_set_flags) int we_set_flags(int fd, int flags);

enum { INET4 = 1, INET6 = 2, UNIX = 3, DGRAM = 1, STREAM = 2 };

/* The line at which a check failed is the guest's exit code. */
#define CHECK(good)                                                                                \
    do {                                                                                           \
        if (!(good)) {                                                                             \
            printf("line %d: %s\n", __LINE__, #good);                                              \
            return __LINE__ & 0x7f ? __LINE__ & 0x7f : 1;                                          \
        }                                                                                          \
    } while (0)
#define IS(call, errno_wanted)                                                                     \
    do {                                                                                           \
        int errno_got = (call);                                                                    \
        if (errno_got != (errno_wanted)) {                                                         \
            printf("line %d: %s: errno %d\n", __LINE__, #call, errno_got);                         \
            return __LINE__ & 0x7f ? __LINE__ & 0x7f : 1;                                          \
        }                                                                                          \
    } while (0)
enum { OK = 0, ACCES = 2, AGAIN = 6, CONNREFUSED = 14, INPROGRESS = 26, INVAL = 28 };

static inline struct we_addr we_bytes(void *buf, uint32_t len)
{
    return (struct we_addr){buf, len};
}

#endif
