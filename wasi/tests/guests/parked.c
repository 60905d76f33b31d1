/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parked.c - parks in one operation, named by the first word, until somebody outside ends it. Says
 * "ready" on standard error before; after it "errno N", and N is the exit code. 98: it did not
 * wait.
 */
#include "we.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <wasi/api.h>

struct wamr_addr {
    int32_t kind;
    uint8_t v4[4];
    uint16_t port, rest[7];
};
_Static_assert(sizeof(struct wamr_addr) == 24, "the ABI");

WE(sock_open) int wamr_open(int pool, int family, int type, int *fd);
WE(sock_connect) int wamr_connect(int fd, struct wamr_addr *addr);
WE(sock_recv_from)
int wamr_recv_from(int fd, struct we_iov *iov, int n, int flags, struct wamr_addr *from,
                   uint32_t *len);
WE(sock_addr_resolve)
int wamr_resolve(const char *host, const char *service, void *hints, void *list, uint32_t room,
                 uint32_t *count);
WE(sock_send_to)
int wamr_send_to(int fd, struct we_iov *iov, int n, int flags, struct wamr_addr *to, uint32_t *len);
WE(sock_recv_v2)
int we_recv_v2(int fd, struct we_iov *iov, int n, int flags, uint32_t *len, uint16_t *ro);
WE(sock_send_v2) int we_send_v2(int fd, struct we_iov *iov, int n, int flags, uint32_t *len);

static uint8_t loop4[4] = {127, 0, 0, 1};
static char big[70000];

/* ---------------------------------------------------------------- sockets to wait for */

static int listener(uint32_t *port, int backlog)
{
    uint8_t room[16];
    int fd = -1;
    struct we_addr at = we_bytes(loop4, 4), name = we_bytes(room, 16);
    uint32_t type;
    if (we_open(INET4, STREAM, &fd) != 0 || we_bind(fd, &at, 0) != 0 ||
        we_listen(fd, backlog) != 0 || we_local(fd, &name, &type, port) != 0)
        exit(97);
    return fd;
}

static int connected(void)
{
    uint32_t port;
    int client = -1;
    struct we_addr to = we_bytes(loop4, 4);
    (void)listener(&port, 8);
    if (we_open(INET4, STREAM, &client) != 0 || we_connect(client, &to, (int)port) != 0) exit(97);
    return client;
}

/* A port whose listener has as many connections as it takes: the next one waits. */
static int full_port(void)
{
    uint32_t port;
    struct we_addr to = we_bytes(loop4, 4);
    (void)listener(&port, 0);
    for (int i = 0; i < 4; i++) {
        int fd = -1;
        if (we_open(INET4, STREAM, &fd) != 0 || we_set_flags(fd, 4) != 0) exit(97);
        (void)we_connect(fd, &to, (int)port);
    }
    return (int)port;
}

static int bound_udp(void)
{
    int fd = -1;
    struct we_addr at = we_bytes(loop4, 4);
    if (we_open(INET4, DGRAM, &fd) != 0 || we_bind(fd, &at, 0) != 0) exit(97);
    return fd;
}

static struct we_addr unix_name(const char *path)
{
    static uint8_t room[128];
    memset(room, 0, sizeof room);
    room[0] = UNIX;
    strcpy((char *)room + 2, path);
    return we_bytes(room, 128);
}

static struct we_iov whole(void) { return (struct we_iov){big, sizeof big}; }

/* ---------------------------------------------------------------- operations */

static int do_accept(void)
{
    uint32_t port;
    int fd;
    return we_accept(listener(&port, 8), &fd);
}

static int do_accept_v2(void) /* preview1's and WAMR's is the same import */
{
    uint32_t port;
    int fd;
    return we_accept_v2(listener(&port, 8), 0, &fd);
}

static int do_connect(void)
{
    int fd = -1, port = full_port();
    struct we_addr to = we_bytes(loop4, 4);
    if (we_open(INET4, STREAM, &fd) != 0) return 97;
    return we_connect(fd, &to, port);
}

static int do_connect_wamr(void)
{
    int fd = -1, port = full_port();
    struct wamr_addr to = {0, {127, 0, 0, 1}, (uint16_t)port, {0}};
    if (wamr_open(-1, 0, 1, &fd) != 0) return 97;
    return wamr_connect(fd, &to);
}

/* A Unix stream whose listener has a full backlog. */
static int do_connect_unix(void)
{
    int server = -1;
    struct we_addr at = unix_name("/s");
    if (we_open(UNIX, STREAM, &server) != 0 || we_bind(server, &at, 0) != 0 ||
        we_listen(server, 0) != 0)
        return 97;
    for (int i = 0, e = 0;; i++) {
        int fd = -1;
        if (we_open(UNIX, STREAM, &fd) != 0) return 97;
        if ((e = we_connect(fd, &at, 0)) != 0) return e;
        if (i == 8) return 98;
    }
}

static int do_recv(void)
{
    struct we_iov iov = whole();
    uint32_t len;
    uint16_t ro;
    return we_recv(connected(), &iov, 1, 0, &len, &ro);
}

static int do_recv_v2(void)
{
    struct we_iov iov = whole();
    uint32_t len;
    uint16_t ro;
    return we_recv_v2(connected(), &iov, 1, 0, &len, &ro);
}

/* WAITALL: some of it is there. */
static int do_recv_all(void)
{
    struct we_iov iov = whole(), out = {"x", 1};
    uint32_t len, port;
    uint16_t ro;
    int client = -1, server = listener(&port, 8), conn = -1;
    struct we_addr to = we_bytes(loop4, 4);
    if (we_open(INET4, STREAM, &client) != 0 || we_connect(client, &to, (int)port) != 0 ||
        we_accept(server, &conn) != 0 || we_send(client, &out, 1, 0, &len) != 0)
        return 97;
    int e = we_recv(conn, &iov, 1, 2, &len, &ro);
    return e == 0 && len == 1 ? 11 : e == 0 ? 98 : e; /* what had come is told */
}

static int do_recv_from(void)
{
    uint8_t room[16];
    struct we_iov iov = whole();
    struct we_addr from = we_bytes(room, 16);
    uint32_t len;
    uint16_t ro;
    return we_recv_from(bound_udp(), &iov, 1, &from, 0, &len, &ro);
}

static int do_recv_from_v2(void)
{
    uint8_t room[128];
    struct we_iov iov = whole();
    struct we_addr from = we_bytes(room, 128);
    uint32_t len, port;
    uint16_t ro;
    return we_recv_from_v2(bound_udp(), &iov, 1, &from, 0, &port, &len, &ro);
}

static int do_recv_from_wamr(void)
{
    struct we_iov iov = whole();
    struct wamr_addr from;
    uint32_t len;
    return wamr_recv_from(bound_udp(), &iov, 1, 0, &from, &len);
}

/* What was moved before is told as a success; the next call ends. */
static int until_it_ends(int fd, int (*send)(int, struct we_iov *, int, int, uint32_t *))
{
    struct we_iov iov = whole();
    uint32_t len;
    int e;
    while ((e = send(fd, &iov, 1, 0, &len)) == 0) continue;
    return e;
}

static int do_send(void) { return until_it_ends(connected(), we_send); }
static int do_send_v2(void) { return until_it_ends(connected(), we_send_v2); }

/* To a Unix datagram socket that nobody reads. */
static int do_send_to(void)
{
    int a = -1, b = -1, e;
    struct we_iov iov = {big, 100};
    struct we_addr at = unix_name("/d");
    uint32_t len;
    if (we_open(UNIX, DGRAM, &a) != 0 || we_bind(a, &at, 0) != 0 || we_open(UNIX, DGRAM, &b) != 0)
        return 97;
    while ((e = we_send_to(b, &iov, 1, &at, 0, 0, &len)) == 0) continue;
    return e;
}

static __wasi_subscription_t read_of(int fd)
{
    __wasi_subscription_t s;
    memset(&s, 0, sizeof s);
    s.u.tag = __WASI_EVENTTYPE_FD_READ;
    s.u.u.fd_read.file_descriptor = fd;
    return s;
}

static int poll_with(int epoll, int fd)
{
    __wasi_subscription_t subs[2];
    __wasi_event_t events[2];
    __wasi_size_t count;
    uint32_t told;
    memset(subs, 0, sizeof subs);
    subs[0].u.tag = __WASI_EVENTTYPE_CLOCK;
    subs[0].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    subs[0].u.u.clock.timeout = 3600000000000ull;
    subs[1] = read_of(fd);
    uint32_t n = fd >= 0 ? 2 : 1;
    return epoll ? we_epoll(subs, events, n, &told) : __wasi_poll_oneoff(subs, events, n, &count);
}

static int do_poll_clock(void) { return poll_with(0, -1); }
static int do_poll_read(void) { return poll_with(0, 0); }
static int do_poll_socket(void) { return poll_with(0, connected()); }
static int do_epoll(void) { return poll_with(1, connected()); }

static int do_poll_write(void)
{
    __wasi_subscription_t sub = read_of(1);
    __wasi_event_t event;
    __wasi_size_t count;
    __wasi_ciovec_t iov = {(uint8_t *)big, sizeof big};
    sub.u.tag = __WASI_EVENTTYPE_FD_WRITE;
    int e = we_set_flags(1, 4);
    while (e == 0) { /* a terminal finds room for a while, though nobody reads */
        while (__wasi_fd_write(1, &iov, 1, &count) == 0) continue;
        e = __wasi_poll_oneoff(&sub, &event, 1, &count);
    }
    return e;
}

static int do_read(void)
{
    __wasi_iovec_t iov = {(uint8_t *)big, sizeof big};
    __wasi_size_t count;
    return __wasi_fd_read(0, &iov, 1, &count);
}

static int do_write(void)
{
    __wasi_ciovec_t iov = {(uint8_t *)big, sizeof big};
    __wasi_size_t count;
    int e;
    while ((e = __wasi_fd_write(1, &iov, 1, &count)) == 0) continue;
    return e;
}

static int do_names(void)
{
    struct we_info info = {0}, hints = {.family = INET4, .socktype = STREAM}, *list = &info;
    uint8_t data[26];
    struct we_sockaddr addr = {0, 26, data};
    uint32_t count;
    info.addr = &addr;
    return we_getaddrinfo("localhost", 9, "80", 2, &hints, &list, 1, &count);
}

static int do_names_wamr(void)
{
    uint8_t hints[12] = {0}, list[28];
    uint32_t count;
    return wamr_resolve("localhost", "80", hints, list, 1, &count);
}

/* In the hands of a worker thread: over when that is. */
static int do_sync(void)
{
    int fd = open("/f", O_RDWR | O_CREAT, 0666);
    return fd < 0 ? 97 : __wasi_fd_sync(fd) != 0 ? 96 : poll_with(0, -1);
}

static int do_yield(void)
{
    int e = 0;
    while (e == 0) e = __wasi_sched_yield();
    return e;
}

static int do_random(void)
{
    int e = 0;
    uint8_t *bytes = malloc(50000000);
    while (bytes && e == 0) e = __wasi_random_get(bytes, 50000000);
    return e;
}

static const struct {
    const char *name;
    int (*call)(void);
} table[] = {
    {"accept", do_accept},
    {"accept_v2", do_accept_v2},
    {"connect", do_connect},
    {"connect_wamr", do_connect_wamr},
    {"connect_unix", do_connect_unix},
    {"recv", do_recv},
    {"recv_v2", do_recv_v2},
    {"recv_all", do_recv_all},
    {"recv_from", do_recv_from},
    {"recv_from_v2", do_recv_from_v2},
    {"recv_from_wamr", do_recv_from_wamr},
    {"send", do_send},
    {"send_v2", do_send_v2},
    {"send_to", do_send_to},
    {"poll_clock", do_poll_clock},
    {"poll_read", do_poll_read},
    {"poll_socket", do_poll_socket},
    {"poll_write", do_poll_write},
    {"epoll", do_epoll},
    {"read", do_read},
    {"write", do_write},
    {"names", do_names},
    {"names_wamr", do_names_wamr},
    {"sync", do_sync},
    {"yield", do_yield},
    {"random", do_random},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, argv[1]) != 0) continue;
        fputs("ready\n", stderr);
        int e = table[i].call();
        fprintf(stderr, "errno %d\n", e);
        return e == 0 ? 98 : e;
    }
    return 99;
}
