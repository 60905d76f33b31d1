/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - over WasmEdge's sockets:
 *   http serve PORT        answers every request on any address, one connection after the other
 *   http get A.B.C.D PORT  asks, and prints what it got
 *   http name NAME         prints its first address and the port of "http"
 *   http open              says whether a socket can be made at all
 */
#include "guests/we.h"

#include <stdlib.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
                             "from a guest";

static int serve(int port)
{
    int fd, peer, one = 1;
    uint8_t any[4] = {0, 0, 0, 0};
    struct we_addr at = we_bytes(any, 4);
    IS(we_open(INET4, STREAM, &fd), OK);
    IS(we_setsockopt(fd, 0, 0, &one, 4), OK);
    IS(we_bind(fd, &at, port), OK);
    IS(we_listen(fd, 16), OK);
    printf("ready\n");
    fflush(stdout);
    while (we_accept_v2(fd, 0, &peer) == 0) {
        char buf[2048];
        struct we_iov in = {buf, sizeof buf}, out = {(void *)answer, sizeof answer - 1};
        uint32_t len = 0;
        uint16_t ro;
        if (we_recv(peer, &in, 1, 0, &len, &ro) == 0 && len > 0) we_send(peer, &out, 1, 0, &len);
        we_close(peer);
    }
    return 1;
}

static int get(const char *host, int port)
{
    int fd, parts[4];
    uint8_t ip[4];
    char buf[2048];
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct we_addr at = we_bytes(ip, 4);
    struct we_iov in = {buf, sizeof buf}, out = {(void *)request, sizeof request - 1};
    uint32_t len = 0;
    uint16_t ro;
    if (sscanf(host, "%d.%d.%d.%d", &parts[0], &parts[1], &parts[2], &parts[3]) != 4) return 99;
    for (int i = 0; i < 4; i++) ip[i] = (uint8_t)parts[i];
    IS(we_open(INET4, STREAM, &fd), OK);
    IS(we_connect(fd, &at, port), OK);
    IS(we_send(fd, &out, 1, 0, &len), OK);
    while (we_recv(fd, &in, 1, 0, &len, &ro) == 0 && len > 0) fwrite(buf, 1, len, stdout);
    return 0;
}

static int name(const char *host)
{
    uint8_t data[26] = {0};
    char canon[64];
    struct we_sockaddr addr = {0, sizeof data, data};
    struct we_info hints = {.family = INET4, .socktype = STREAM};
    struct we_info info = {.addr = &addr, .canonname = canon, .canonname_len = sizeof canon};
    struct we_info *list = &info;
    uint32_t count = 0;
    IS(we_getaddrinfo(host, (uint32_t)strlen(host) + 1, "http", 5, &hints, &list, 1, &count), OK);
    printf("%d.%d.%d.%d %d\n", data[2], data[3], data[4], data[5], data[0] << 8 | data[1]);
    return 0;
}

int main(int argc, char **argv)
{
    int fd;
    if (argc > 2 && strcmp(argv[1], "serve") == 0) return serve(atoi(argv[2]));
    if (argc > 3 && strcmp(argv[1], "get") == 0) return get(argv[2], atoi(argv[3]));
    if (argc > 2 && strcmp(argv[1], "name") == 0) return name(argv[2]);
    int result = we_open(INET4, STREAM, &fd);
    printf("open: errno %d\n", result);
    return result == 0 ? 0 : 1;
}
