/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wamr_test.c - WAMR's socket functions from a guest; one word says which test: tcp4 tcp6 udp
 * options names denied. Both ends of each connection are this guest's.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WAMR(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

struct addr {
    int32_t kind;
    union {
        struct {
            uint8_t addr[4];
            uint16_t port;
        } v4;
        struct {
            uint16_t addr[8];
            uint16_t port;
        } v6;
    } of;
};
struct info {
    struct addr addr;
    int32_t type;
};
struct hints {
    int32_t type, family;
    uint8_t enabled;
};
struct iov {
    void *buf;
    uint32_t len;
};
_Static_assert(sizeof(struct addr) == 24 && sizeof(struct info) == 28, "the ABI");

WAMR(sock_open) int s_open(int pool, int family, int type, int *fd);
WAMR(sock_bind) int s_bind(int fd, struct addr *addr);
WAMR(sock_connect) int s_connect(int fd, struct addr *addr);
WAMR(sock_listen) int s_listen(int fd, int backlog);
WAMR(sock_accept) int s_accept(int fd, int flags, int *out);
WAMR(sock_recv) int s_recv(int fd, struct iov *iov, int n, int flags, uint32_t *len, uint16_t *ro);
WAMR(sock_send) int s_send(int fd, struct iov *iov, int n, int flags, uint32_t *len);
WAMR(sock_recv_from)
int s_recv_from(int fd, struct iov *iov, int n, int flags, struct addr *from, uint32_t *len);
WAMR(sock_send_to)
int s_send_to(int fd, struct iov *iov, int n, int flags, struct addr *to, uint32_t *len);
WAMR(sock_addr_local) int s_local(int fd, struct addr *addr);
WAMR(sock_addr_remote) int s_remote(int fd, struct addr *addr);
WAMR(sock_addr_resolve)
int s_resolve(const char *host, const char *service, struct hints *hints, struct info *list,
              uint32_t room, uint32_t *count);
WAMR(sock_close) int s_close(int fd);
WAMR(sock_set_recv_timeout) int s_set_recv_timeout(int fd, uint64_t us);
WAMR(sock_get_recv_timeout) int s_get_recv_timeout(int fd, uint64_t *us);
WAMR(sock_set_recv_buf_size) int s_set_recv_buf(int fd, uint32_t size);
WAMR(sock_get_recv_buf_size) int s_get_recv_buf(int fd, uint32_t *size);
WAMR(sock_set_linger) int s_set_linger(int fd, int on, int seconds);
WAMR(sock_get_linger) int s_get_linger(int fd, uint8_t *on, int *seconds);
WAMR(sock_set_ip_multicast_loop) int s_set_loop(int fd, int v6, int on);
WAMR(sock_get_ip_multicast_loop) int s_get_loop(int fd, int v6, uint8_t *on);
#define BYTE(name)                                                                                 \
    WAMR(sock_set_##name) int set_##name(int fd, int value);                                       \
    WAMR(sock_get_##name) int get_##name(int fd, uint8_t *value)
BYTE(reuse_addr);
BYTE(reuse_port);
BYTE(keep_alive);
BYTE(broadcast);
BYTE(tcp_no_delay);
BYTE(tcp_fastopen_connect);
BYTE(ip_multicast_ttl);
BYTE(ip_ttl);
BYTE(ipv6_only);
WAMR(sock_set_tcp_quick_ack) int set_quick_ack(int fd, int value);
WAMR(sock_get_tcp_quick_ack) int get_quick_ack(int fd, uint8_t *value);
WAMR(sock_set_tcp_keep_idle) int set_idle(int fd, uint32_t s);
WAMR(sock_get_tcp_keep_idle) int get_idle(int fd, uint32_t *s);
WAMR(sock_set_tcp_keep_intvl) int set_intvl(int fd, uint32_t s);
WAMR(sock_get_tcp_keep_intvl) int get_intvl(int fd, uint32_t *s);
WAMR(sock_set_send_timeout) int s_set_send_timeout(int fd, uint64_t us);
WAMR(sock_get_send_timeout) int s_get_send_timeout(int fd, uint64_t *us);
WAMR(sock_set_send_buf_size) int s_set_send_buf(int fd, uint32_t size);
WAMR(sock_get_send_buf_size) int s_get_send_buf(int fd, uint32_t *size);
WAMR(sock_set_ip_add_membership) int s_join(int fd, void *group, uint32_t interface);
WAMR(sock_set_ip_drop_membership) int s_leave(int fd, void *group, uint32_t interface);

enum { V4, V6, DGRAM = 0, STREAM = 1, ACCES = 2, AGAIN = 6 };

#define CHECK(good)                                                                                \
    do {                                                                                           \
        if (!(good)) {                                                                             \
            printf("line %d: %s\n", __LINE__, #good);                                              \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static struct addr loopback(int kind, int port)
{
    struct addr a;
    memset(&a, 0, sizeof a);
    a.kind = kind;
    if (kind == V4) {
        a.of.v4.addr[0] = 127;
        a.of.v4.addr[3] = 1;
        a.of.v4.port = (uint16_t)port;
    } else {
        a.of.v6.addr[7] = 1; /* host order: 0:0:0:0:0:0:0:1 */
        a.of.v6.port = (uint16_t)port;
    }
    return a;
}

static int port_of(const struct addr *a) { return a->kind == V4 ? a->of.v4.port : a->of.v6.port; }

static int tcp(int kind)
{
    int server, client, conn;
    struct addr at = loopback(kind, 0), name, peer;
    char buf[16] = "";
    struct iov out = {"hello", 5}, in = {buf, 15};
    uint32_t len = 0;
    uint16_t ro;
    CHECK(s_open(-1, kind, STREAM, &server) == 0);
    CHECK(s_bind(server, &at) == 0 && s_listen(server, 4) == 0 && s_local(server, &name) == 0);
    CHECK(name.kind == kind && port_of(&name) != 0);
    at = loopback(kind, port_of(&name));
    CHECK(memcmp(&at, &name, sizeof at) == 0);
    CHECK(s_open(-1, kind, STREAM, &client) == 0 && s_connect(client, &at) == 0);
    CHECK(s_accept(server, 0, &conn) == 0);
    CHECK(s_remote(conn, &peer) == 0 && s_local(client, &name) == 0);
    CHECK(memcmp(&peer, &name, sizeof peer) == 0);
    CHECK(s_send(client, &out, 1, 0, &len) == 0 && len == 5);
    CHECK(s_recv(conn, &in, 1, 0, &len, &ro) == 0 && len == 5 && strcmp(buf, "hello") == 0);
    return s_close(conn) | s_close(client) | s_close(server);
}

static int udp(void)
{
    int a, b;
    struct addr at = loopback(V4, 0), name, from;
    char buf[16] = "";
    struct iov out = {"dgram", 5}, in = {buf, 15};
    uint32_t len = 0;
    CHECK(s_open(-1, V4, DGRAM, &a) == 0 && s_bind(a, &at) == 0 && s_local(a, &at) == 0);
    CHECK(s_open(-1, V4, DGRAM, &b) == 0);
    CHECK(s_send_to(b, &out, 1, 0, &at, &len) == 0 && len == 5);
    CHECK(s_recv_from(a, &in, 1, 0, &from, &len) == 0 && len == 5 && strcmp(buf, "dgram") == 0);
    CHECK(s_local(b, &name) == 0 && name.of.v4.port == from.of.v4.port);
    CHECK(from.kind == V4 && from.of.v4.addr[0] == 127 && from.of.v4.addr[3] == 1);
    CHECK(s_send_to(a, &out, 1, 0, &from, &len) == 0);
    CHECK(s_recv_from(b, &in, 1, 0, &from, &len) == 0 && port_of(&from) == port_of(&at));
    return s_close(a) | s_close(b);
}

#define BOTH(name, fd, value)                                                                      \
    do {                                                                                           \
        uint8_t got = 77;                                                                          \
        CHECK(set_##name(fd, value) == 0 && get_##name(fd, &got) == 0 && got == (value));          \
    } while (0)

static int options(void)
{
    int tcp4, udp4, udp6, seconds = 0;
    uint8_t on = 0;
    uint32_t size = 0;
    uint64_t us = 0;
    struct addr at = loopback(V4, 0);
    struct iov in = {&size, 4};
    struct {
        int32_t kind;
        uint8_t bytes[16];
    } group = {V4, {224, 0, 0, 251}};
    CHECK(s_open(-1, V4, STREAM, &tcp4) == 0 && s_open(-1, V4, DGRAM, &udp4) == 0);
    CHECK(s_open(-1, V6, DGRAM, &udp6) == 0);
    BOTH(reuse_addr, tcp4, 1);
    BOTH(reuse_port, tcp4, 1);
    BOTH(keep_alive, tcp4, 1);
    BOTH(tcp_no_delay, tcp4, 1);
    BOTH(tcp_fastopen_connect, tcp4, 1);
    BOTH(ip_ttl, tcp4, 33);
    BOTH(broadcast, udp4, 1);
    BOTH(ip_multicast_ttl, udp4, 3);
    BOTH(ipv6_only, udp6, 1);
    CHECK(set_quick_ack(tcp4, 0) == 0 && get_quick_ack(tcp4, &on) == 0);
    CHECK(set_idle(tcp4, 99) == 0 && get_idle(tcp4, &size) == 0 && size == 99);
    CHECK(set_intvl(tcp4, 9) == 0 && get_intvl(tcp4, &size) == 0 && size == 9);
    CHECK(s_set_recv_buf(tcp4, 8192) == 0 && s_get_recv_buf(tcp4, &size) == 0 && size >= 8192);
    CHECK(s_set_send_buf(tcp4, 8192) == 0 && s_get_send_buf(tcp4, &size) == 0 && size >= 8192);
    CHECK(s_set_send_buf(tcp4, 0xffffffffu) == 0 && s_get_send_buf(tcp4, &size) == 0);
    CHECK(size <= 8 << 20);
    CHECK(s_set_linger(tcp4, 1, 5) == 0 && s_get_linger(tcp4, &on, &seconds) == 0);
    CHECK(on == 1 && seconds == 5);
    CHECK(s_set_linger(tcp4, 0, 0) == 0 && s_get_linger(tcp4, &on, &seconds) == 0 && on == 0);
    CHECK(s_set_loop(udp4, 0, 0) == 0 && s_get_loop(udp4, 0, &on) == 0 && on == 0);
    CHECK(s_set_loop(udp6, 1, 1) == 0 && s_get_loop(udp6, 1, &on) == 0 && on == 1);
    CHECK(s_join(udp4, &group, 0x0100007f) == 0 && s_leave(udp4, &group, 0x0100007f) == 0);
    CHECK(s_set_send_timeout(udp4, 1) == 0 && s_get_send_timeout(udp4, &us) == 0 && us == 1);
    CHECK(s_set_recv_timeout(udp4, 20000) == 0 && s_get_recv_timeout(udp4, &us) == 0);
    CHECK(us == 20000 && s_bind(udp4, &at) == 0);
    CHECK(s_recv_from(udp4, &in, 1, 0, &at, &size) == AGAIN);
    return s_close(tcp4) | s_close(udp4) | s_close(udp6);
}

static int names(void)
{
    struct info list[4];
    struct hints hints = {STREAM, 0, 1};
    uint32_t count = 0;
    CHECK(s_resolve("127.0.0.1", "8080", &hints, list, 4, &count) == 0 && count == 1);
    CHECK(list[0].type == STREAM && list[0].addr.kind == V4 && list[0].addr.of.v4.port == 8080);
    CHECK(list[0].addr.of.v4.addr[0] == 127 && list[0].addr.of.v4.addr[3] == 1);
    CHECK(s_resolve("::1", 0, 0, list, 4, &count) == 0 && count >= 1 && list[0].addr.kind == V6);
    CHECK(list[0].addr.of.v6.addr[7] == 1);
    CHECK(s_resolve("localhost", "80", &hints, list, 0, &count) == 0 && count >= 1);
    return 0;
}

static int denied(void)
{
    int fd;
    uint32_t count;
    struct info list[1];
    CHECK(s_open(-1, V4, STREAM, &fd) == ACCES && s_open(-1, V6, DGRAM, &fd) == ACCES);
    CHECK(s_resolve("127.0.0.1", "80", 0, list, 1, &count) == ACCES);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "tcp4") == 0) return tcp(V4);
    if (strcmp(what, "tcp6") == 0) return tcp(V6);
    if (strcmp(what, "udp") == 0) return udp();
    if (strcmp(what, "options") == 0) return options();
    if (strcmp(what, "names") == 0) return names();
    if (strcmp(what, "denied") == 0) return denied();
    return 99;
}
