/* SPDX-License-Identifier: Apache-2.0 */
/*
 * we_test.c - WasmEdge's sockets from a guest; one word says which test: tcp4 tcp6 udp4 udp6 unix
 * options names edge blocked denied unbound serve. Both ends of each connection are this guest's.
 */
#include "we.h"

#include <stdlib.h>
#include <time.h>
#include <wasi/api.h>

static uint8_t loop4[4] = {127, 0, 0, 1}, any4[4], loop6[16] = {[15] = 1};

static int send_text(int fd, const char *text)
{
    struct we_iov iov[2] = {{(void *)text, 2}, {(void *)(text + 2), (uint32_t)strlen(text) - 2}};
    uint32_t len = 0;
    int e = we_send(fd, iov, 2, 0, &len);
    return e != 0 ? e : len == strlen(text) ? 0 : -1;
}

static int expect_text(int fd, const char *text)
{
    char buf[64] = "";
    struct we_iov iov[2] = {{buf, 3}, {buf + 3, sizeof buf - 4}};
    uint32_t len = 0;
    uint16_t ro = 9;
    int e = we_recv(fd, iov, 2, 0, &len, &ro);
    return e != 0 ? e : len == strlen(text) && strcmp(buf, text) == 0 && ro == 0 ? 0 : -1;
}

/* A listener at any port of loopback; its port. */
static int listener(int family, int *fd, uint32_t *port)
{
    struct we_addr at = family == INET4 ? we_bytes(loop4, 4) : we_bytes(loop6, 16);
    uint8_t room[16];
    struct we_addr name = we_bytes(room, 16);
    uint32_t type = 0;
    IS(we_open(family, STREAM, fd), OK);
    IS(we_bind(*fd, &at, 0), OK);
    IS(we_listen(*fd, 16), OK);
    IS(we_local(*fd, &name, &type, port), OK);
    CHECK(type == (family == INET4 ? 4 : 6) && *port != 0);
    CHECK(memcmp(room, at.buf, at.len) == 0);
    return 0;
}

static int tcp(int family)
{
    int server, client, conn;
    uint32_t port, len = 0;
    uint16_t ro;
    uint8_t storage[128];
    struct we_addr to = family == INET4 ? we_bytes(loop4, 4) : we_bytes(loop6, 16);
    struct we_addr name = we_bytes(storage, 128);
    IS(listener(family, &server, &port), OK);
    IS(we_open(family, STREAM, &client), OK);
    IS(we_connect(client, &to, (int)port), OK);
    IS(we_accept(server, &conn), OK);
    uint32_t peer_port = 0, own_port = 1, type;
    IS(we_peer(conn, &name, &type, &peer_port), OK);
    IS(we_local_v2(client, &name, &own_port), OK);
    CHECK(peer_port == own_port && storage[0] == family && storage[1] == 0);
    CHECK(memcmp(storage + 2, to.buf, to.len) == 0);
    IS(send_text(client, "hello"), OK);
    IS(expect_text(conn, "hello"), OK);
    IS(send_text(conn, "and back"), OK);
    char peek[4];
    struct we_iov iov = {peek, 4};
    IS(we_recv(client, &iov, 1, 1, &len, &ro), OK); /* PEEK */
    CHECK(len == 4 && memcmp(peek, "and ", 4) == 0);
    IS(expect_text(client, "and back"), OK);
    IS(we_set_flags(client, 4), OK);
    IS(we_recv(client, &iov, 1, 0, &len, &ro), AGAIN);
    IS(we_recv(client, &iov, 1, 8, &len, &ro), INVAL);
    IS(we_shutdown(conn, 2), OK);
    IS(we_set_flags(client, 0), OK);
    IS(we_recv(client, &iov, 1, 0, &len, &ro), OK);
    CHECK(len == 0);
    IS(we_close(conn) | we_close(client) | we_close(server), OK);
    IS(we_open(family, STREAM, &client), OK);
    IS(we_connect(client, &to, (int)port), CONNREFUSED);
    return we_close(client);
}

static int udp(int family)
{
    int a, b;
    uint32_t port = 0, from_port = 0, own_port, len = 0, type;
    uint16_t ro = 9;
    uint8_t room[16], storage[128];
    char buf[4];
    struct we_addr at = family == INET4 ? we_bytes(loop4, 4) : we_bytes(loop6, 16);
    struct we_addr name = we_bytes(room, 16), full = we_bytes(storage, 128);
    struct we_iov out = {"datagram", 8}, in = {buf, 4};
    IS(we_open(family, DGRAM, &a), OK);
    IS(we_open(family, DGRAM, &b), OK);
    IS(we_bind(a, &at, 0), OK);
    IS(we_local(a, &name, &type, &port), OK);
    IS(we_send_to(b, &out, 1, &at, (int)port, 0, &len), OK);
    CHECK(len == 8);
    IS(we_recv_from_v2(a, &in, 1, &full, 0, &from_port, &len, &ro), OK);
    CHECK(len == 4 && ro == 1 && memcmp(buf, "data", 4) == 0); /* cut */
    CHECK(storage[0] == family && memcmp(storage + 2, at.buf, at.len) == 0);
    IS(we_local(b, &name, &type, &own_port), OK);
    CHECK(own_port == from_port);
    IS(we_send_to(a, &out, 1, &at, (int)own_port, 0, &len), OK);
    IS(we_recv_from(b, &in, 1, &name, 0, &len, &ro), OK);
    CHECK(len == 4 && memcmp(room, at.buf, at.len) == 0);
    return we_close(a) | we_close(b);
}

static int unix_sockets(const char *path)
{
    int server, client, conn;
    uint8_t at[128] = {UNIX, 0};
    struct we_addr addr = we_bytes(at, 128);
    strncpy((char *)at + 2, path, 120);
    IS(we_open(UNIX, STREAM, &server), OK);
    IS(we_bind(server, &addr, 0), OK);
    IS(we_listen(server, 4), OK);
    IS(we_open(UNIX, STREAM, &client), OK);
    IS(we_connect(client, &addr, 0), OK);
    IS(we_accept_v2(server, 4, &conn), OK);
    IS(send_text(client, "local"), OK);
    IS(expect_text(conn, "local"), OK);
    IS(we_close(conn) | we_close(client) | we_close(server), OK);
    strncpy((char *)at + 2, "/../escape", 120);
    IS(we_open(UNIX, STREAM, &server), OK);
    CHECK(we_bind(server, &addr, 0) != OK);
    CHECK(we_connect(server, &addr, 0) != OK);
    return we_close(server);
}

static int options(void)
{
    int fd, value = 0, linger[2] = {1, 7};
    int64_t timeout[2] = {0, 30000};
    uint32_t len = 4;
    uint16_t ro;
    char buf[4];
    struct we_iov in = {buf, 4};
    struct we_addr at = we_bytes(loop4, 4);
    IS(we_open(INET4, DGRAM, &fd), OK);
    IS(we_getsockopt(fd, 0, 1, &value, &len), OK);
    CHECK(value == DGRAM && len == 4);
    IS(we_getsockopt(fd, 0, 2, &value, &len), OK);
    CHECK(value == 0);
    value = 1;
    IS(we_setsockopt(fd, 0, 0, &value, 4), OK);
    value = 0;
    IS(we_getsockopt(fd, 0, 0, &value, &len), OK);
    CHECK(value == 1);
    IS(we_setsockopt(fd, 0, 9, linger, 8), OK);
    linger[0] = linger[1] = 0;
    len = 8;
    IS(we_getsockopt(fd, 0, 9, linger, &len), OK);
    CHECK(linger[0] == 1 && linger[1] == 7 && len == 8);
    IS(we_setsockopt(fd, 0, 11, timeout, 16), OK);
    len = 16;
    IS(we_getsockopt(fd, 0, 11, timeout, &len), OK);
    CHECK(len == 16 && timeout[0] == 0 && timeout[1] == 30000);
    CHECK(we_setsockopt(fd, 0, 14, "lo", 2) != OK); /* BINDTODEVICE is not for guests */
    CHECK(we_setsockopt(fd, 0, 99, &value, 4) != OK);
    CHECK(we_setsockopt(fd, 6, 0, &value, 4) != OK);
    IS(we_bind(fd, &at, 0), OK);
    IS(we_recv(fd, &in, 1, 0, &len, &ro), AGAIN); /* after 30 ms */
    return we_close(fd);
}

static int names(void)
{
    struct we_info info[8], hints = {.family = INET4, .socktype = STREAM}, *list = info;
    struct we_sockaddr addr[8];
    uint8_t data[8][26];
    char canon[8][32];
    uint32_t count = 0;
    memset(info, 0, sizeof info);
    for (int i = 0; i < 8; i++) {
        addr[i] = (struct we_sockaddr){0, 26, data[i]};
        info[i].addr = &addr[i];
        info[i].canonname = canon[i];
        info[i].canonname_len = 32;
        info[i].next = i < 7 ? &info[i + 1] : 0;
    }
    IS(we_getaddrinfo("127.0.0.1", 9, "8080", 4, &hints, &list, 8, &count), OK);
    CHECK(count == 1 && info[0].family == INET4 && info[0].socktype == STREAM);
    CHECK(addr[0].data_len == 6 && data[0][0] == 8080 >> 8 && data[0][1] == (8080 & 255));
    CHECK(memcmp(data[0] + 2, loop4, 4) == 0);
    addr[0].data_len = 26;
    IS(we_getaddrinfo("localhost", 9, "80", 2, &hints, &list, 8, &count), OK);
    CHECK(count >= 1 && memcmp(data[0] + 2, loop4, 4) == 0);
    hints.flags = 4; /* a number it shall be */
    IS(we_getaddrinfo("no number", 9, "80", 2, &hints, &list, 8, &count), 84);
    addr[0].data_len = 5; /* less room than the address needs */
    hints.flags = 0;
    CHECK(we_getaddrinfo("127.0.0.1", 9, "80", 2, &hints, &list, 8, &count) != OK);
    return 0;
}

/* epoll_oneoff tells readiness once, and again after it was used. */
static int edge(void)
{
    int server, client, conn;
    uint32_t port, count = 0, len;
    uint16_t ro;
    struct we_addr to = we_bytes(loop4, 4);
    __wasi_subscription_t subs[3];
    __wasi_event_t events[3];
    char buf[2];
    struct we_iov in = {buf, 2};
    IS(listener(INET4, &server, &port), OK);
    IS(we_open(INET4, STREAM, &client), OK);
    IS(we_connect(client, &to, (int)port), OK);
    IS(we_accept(server, &conn), OK);
    memset(subs, 0, sizeof subs);
    subs[0].userdata = 1;
    subs[0].u.tag = __WASI_EVENTTYPE_FD_READ;
    subs[0].u.u.fd_read.file_descriptor = conn;
    subs[1].userdata = 2;
    subs[1].u.tag = __WASI_EVENTTYPE_FD_WRITE;
    subs[1].u.u.fd_write.file_descriptor = conn;
    subs[2].userdata = 3;
    subs[2].u.tag = __WASI_EVENTTYPE_CLOCK;
    subs[2].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    subs[2].u.u.clock.timeout = 20000000;
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 2);
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 3); /* nothing new but the clock */
    IS(send_text(client, "abcd"), OK);
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 1 && events[0].fd_readwrite.nbytes == 4);
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 3);
    IS(we_recv(conn, &in, 1, 0, &len, &ro), OK);
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 1); /* it was used and there is more */
    subs[2].u.u.clock.timeout = 5000000000ull;
    IS(we_shutdown(client, 2), OK); /* what is there is not read, but no more will come */
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 1 && events[0].fd_readwrite.flags == 1);
    subs[2].u.u.clock.timeout = 20000000;
    IS(we_epoll(subs, events, 3, &count), OK);
    CHECK(count == 1 && events[0].userdata == 3);
    return 0;
}

/* What blocks until a thread outside ends the guest: connecting to nowhere is not among them. */
static int blocked(const char *what)
{
    int server, client, conn;
    uint32_t port, len;
    uint16_t ro;
    struct we_addr to = we_bytes(loop4, 4);
    static char big[100000];
    struct we_iov iov = {big, sizeof big};
    IS(listener(INET4, &server, &port), OK);
    if (strcmp(what, "accept") == 0) return we_accept(server, &conn);
    IS(we_open(INET4, STREAM, &client), OK);
    IS(we_connect(client, &to, (int)port), OK);
    if (strcmp(what, "recv") == 0) return we_recv(client, &iov, 1, 0, &len, &ro);
    for (int e = 0;;)
        if ((e = we_send(client, &iov, 1, 0, &len)) != OK) return e;
}

/* Run with a policy that allows 127.0.0.1 and nothing else. */
static int denied(void)
{
    static uint8_t other4[4] = {127, 0, 0, 2}, mapped[16] = {[10] = 255, 255, 127, 0, 0, 2};
    static uint8_t good[16] = {[10] = 255, 255, 127, 0, 0, 1};
    int fd, udp_fd;
    uint32_t len = 0;
    struct we_addr bad = we_bytes(other4, 4), any = we_bytes(any4, 4), six = we_bytes(loop6, 16);
    struct we_addr map = we_bytes(mapped, 16), ok = we_bytes(loop4, 4), ok6 = we_bytes(good, 16);
    struct we_iov out = {"x", 1};
    IS(we_open(INET4, STREAM, &fd), OK);
    IS(we_bind(fd, &bad, 0), ACCES);
    IS(we_bind(fd, &any, 0), ACCES);
    IS(we_connect(fd, &bad, 1), ACCES);
    IS(we_connect(fd, &any, 1), CONNREFUSED); /* that is 127.0.0.1 */
    IS(we_close(fd), OK);
    IS(we_open(INET4, STREAM, &fd), OK);
    IS(we_listen(fd, 1), ACCES); /* would bind to all */
    IS(we_open(INET6, STREAM, &fd), OK);
    IS(we_connect(fd, &six, 1), ACCES);
    IS(we_connect(fd, &map, 1), ACCES);
    IS(we_connect(fd, &ok6, 1), CONNREFUSED);
    IS(we_open(INET4, DGRAM, &udp_fd), OK);
    IS(we_send_to(udp_fd, &out, 1, &bad, 9, 0, &len), ACCES);
    IS(we_connect(udp_fd, &bad, 9), ACCES);
    IS(we_send_to(udp_fd, &out, 1, &ok, 9, 0, &len), OK);
    CHECK(we_open(UNIX, STREAM, &fd) == ACCES);
    return 0;
}

/* A socket that only ever sent hears nobody who is not allowed: prints its port, waits for one. */
static int unbound(void)
{
    int fd;
    uint32_t len = 0, port = 0, type, from = 0;
    uint16_t ro;
    char buf[8] = "";
    uint8_t room[16], storage[128];
    struct we_addr to = we_bytes(loop4, 4), name = we_bytes(room, 16),
                   full = we_bytes(storage, 128);
    struct we_iov out = {"x", 1}, in = {buf, 7};
    IS(we_open(INET4, DGRAM, &fd), OK);
    IS(we_send_to(fd, &out, 1, &to, 9, 0, &len), OK);
    IS(we_local(fd, &name, &type, &port), OK);
    printf("%u\n", (unsigned)port);
    fflush(stdout);
    IS(we_recv_from_v2(fd, &in, 1, &full, 0, &from, &len, &ro), OK);
    printf("%s from %d.%d.%d.%d\n", buf, storage[2], storage[3], storage[4], storage[5]);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "tcp4") == 0) return tcp(INET4);
    if (strcmp(what, "tcp6") == 0) return tcp(INET6);
    if (strcmp(what, "udp4") == 0) return udp(INET4);
    if (strcmp(what, "udp6") == 0) return udp(INET6);
    if (strcmp(what, "unix") == 0) return unix_sockets(argv[2]);
    if (strcmp(what, "options") == 0) return options();
    if (strcmp(what, "names") == 0) return names();
    if (strcmp(what, "edge") == 0) return edge();
    if (strcmp(what, "blocked") == 0) return blocked(argv[2]);
    if (strcmp(what, "denied") == 0) return denied();
    if (strcmp(what, "unbound") == 0) return unbound();
    return 99;
}
