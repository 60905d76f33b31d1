/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.c - threads that serve and connect, wait for connections that are closed, and look names
 * up; the first word names which. Exit codes as threaded.c has them. Sockets are WAMR's.
 */
#include "thr.h"

struct addr {
    int32_t kind; /* 0: IPv4 */
    uint8_t v4[4];
    uint16_t port, rest[7];
};
_Static_assert(sizeof(struct addr) == 24, "the ABI");

WASI(sock_open) int sock_open(int pool, int family, int type, int *fd);
WASI(sock_bind) int sock_bind(int fd, const struct addr *at);
WASI(sock_listen) int sock_listen(int fd, int backlog);
WASI(sock_connect) int sock_connect(int fd, const struct addr *to);
WASI(sock_accept) int sock_accept(int fd, int flags, int *out);
WASI(sock_shutdown) int sock_shutdown(int fd, int how);
WASI(sock_addr_local) int sock_addr_local(int fd, struct addr *out);
WASI(sock_addr_resolve)
int sock_addr_resolve(const char *host, const char *service, void *hints, void *list, u32 room,
                      u32 *count);

enum { IPV4 = 0, STREAM = 1, SHUT_WRITE = 2, PAIRS = 6, PIECES = 30, PIECE = 3000 };

static int listener;
static struct addr local = {.v4 = {127, 0, 0, 1}};

static void listen_here(void)
{
    CHECK(sock_open(-1, IPV4, STREAM, &listener) == E_SUCCESS);
    CHECK(sock_bind(listener, &local) == E_SUCCESS && sock_listen(listener, 16) == E_SUCCESS);
    CHECK(sock_addr_local(listener, &local) == E_SUCCESS && local.port != 0);
}

static int connect_here(void)
{
    int fd = -1;
    CHECK(sock_open(-1, IPV4, STREAM, &fd) == E_SUCCESS);
    CHECK(sock_connect(fd, &local) == E_SUCCESS);
    return fd;
}

/* ---------------------------------------------------------------- serving */

/* Gives back what comes, to its end. */
static void serve(struct thread *self)
{
    char buf[1000];
    int fd;
    u32 n = 1;
    (void)self;
    CHECK(sock_accept(listener, 0, &fd) == E_SUCCESS);
    while (n > 0) {
        const struct iov in = {buf, sizeof(buf)};
        CHECK(fd_read(fd, &in, 1, &n) == E_SUCCESS);
        const struct iov out = {buf, n};
        CHECK(n == 0 || (fd_write(fd, &out, 1, &n) == E_SUCCESS && n == out.len));
    }
    CHECK(fd_close(fd) == E_SUCCESS);
}

static void ask(struct thread *self)
{
    static char data[PAIRS][PIECE];
    char *mine = data[self->arg], buf[1000];
    int fd = connect_here();
    for (u32 i = 0; i < PIECE; i++) mine[i] = (char)('a' + self->arg);
    for (int i = 0; i < PIECES; i++) {
        const struct iov out = {mine, PIECE};
        u32 n, got = 0;
        CHECK(fd_write(fd, &out, 1, &n) == E_SUCCESS && n == PIECE);
        while (got < PIECE) {
            const struct iov in = {buf, sizeof(buf)};
            CHECK(fd_read(fd, &in, 1, &n) == E_SUCCESS && n > 0);
            for (u32 k = 0; k < n; k++) CHECK(buf[k] == mine[0]);
            got += n;
        }
    }
    CHECK(sock_shutdown(fd, SHUT_WRITE) == E_SUCCESS);
    const struct iov in = {buf, sizeof(buf)};
    u32 n;
    CHECK(fd_read(fd, &in, 1, &n) == E_SUCCESS && n == 0 && fd_close(fd) == E_SUCCESS);
}

static void echo(void)
{
    listen_here();
    for (int i = 0; i < PAIRS; i++) CHECK(begin(i, serve, i) > 0);
    for (int i = 0; i < PAIRS; i++) CHECK(begin(PAIRS + i, ask, i) > 0);
    for (int i = 0; i < 2 * PAIRS; i++) join(i);
}

/* ---------------------------------------------------------------- ends */

static _Atomic int answer;

static void accept_one(struct thread *self)
{
    int fd;
    (void)self;
    answer = sock_accept(listener, 0, &fd);
}

static void receive(struct thread *self)
{
    char byte;
    const struct iov in = {&byte, 1};
    u32 n;
    answer = fd_read(self->arg, &in, 1, &n);
}

static void closing(void)
{
    listen_here();
    int fd = connect_here();
    answer = -1;
    CHECK(begin(0, receive, fd) > 0);
    sleep_ms(200);
    CHECK(answer == -1 && fd_close(fd) == E_SUCCESS);
    join(0);
    CHECK(answer == E_BADF);
    int taken;
    CHECK(sock_accept(listener, 0, &taken) == E_SUCCESS); /* that of the one just closed */
    answer = -1;
    CHECK(begin(0, accept_one, 0) > 0);
    sleep_ms(200);
    CHECK(answer == -1 && fd_close(listener) == E_SUCCESS);
    join(0);
    CHECK(answer == E_BADF);
}

static void exiting(void)
{
    listen_here();
    int fd = connect_here(), taken;
    CHECK(sock_accept(listener, 0, &taken) == E_SUCCESS);
    CHECK(begin(0, accept_one, 0) > 0 && begin(1, receive, fd) > 0);
    sleep_ms(200);
    proc_exit(33);
}

/* ---------------------------------------------------------------- names */

static void look_up(struct thread *self)
{
    uint8_t list[8 * 28];
    (void)self;
    for (int i = 0; i < 3; i++) {
        u32 count = 0;
        CHECK(sock_addr_resolve("localhost", "80", 0, list, 8, &count) == E_SUCCESS && count > 0);
    }
}

static void names(void)
{
    for (int i = 0; i < 4; i++) CHECK(begin(i, look_up, i) > 0);
    for (int i = 0; i < 4; i++) join(i);
}

__attribute__((export_name("_start"))) void start_main(void)
{
    static char text[256], *argv[8];
    u32 count, bytes;
    CHECK(args_sizes_get(&count, &bytes) == E_SUCCESS && count == 2 && bytes <= sizeof(text));
    CHECK(args_get(argv, text) == E_SUCCESS);
    if (same(argv[1], "echo")) return echo();
    if (same(argv[1], "closing")) return closing();
    if (same(argv[1], "exiting")) return exiting();
    if (same(argv[1], "names")) return names();
    fail("a case of that name", 0);
}
