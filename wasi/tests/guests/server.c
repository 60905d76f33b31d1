/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - an HTTP server over WasmEdge's sockets, or over a listener it was given ("fd N"). Like
 * the programs of that field it asks for readiness to read and to write of every connection.
 *
 *   server port N | server fd N
 */
#include "we.h"

#include <stdlib.h>
#include <wasi/api.h>

enum { MOST = 1200, NONBLOCK = 4 };

static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, World!";
static int conns[MOST], count;
static __wasi_subscription_t subs[2 * MOST + 1];
static __wasi_event_t events[2 * MOST + 1];

static void subscribe(__wasi_subscription_t *s, int fd, int type, unsigned long long who)
{
    memset(s, 0, sizeof *s);
    s->userdata = who;
    s->u.tag = (uint8_t)type;
    s->u.u.fd_read.file_descriptor = fd;
}

static int serve_one(int i)
{
    char buf[2048];
    struct we_iov in = {buf, sizeof buf}, out = {(void *)answer, sizeof answer - 1};
    uint32_t len = 0;
    uint16_t ro;
    int e = we_recv(conns[i], &in, 1, 0, &len, &ro);
    if (e == AGAIN) return 1;
    if (e != 0 || len == 0) return 0;
    return we_send(conns[i], &out, 1, 0, &len) == 0;
}

static void serve(int listener)
{
    for (;;) {
        uint32_t n = 1;
        __wasi_size_t got = 0;
        int added = -1;
        subscribe(&subs[0], listener, __WASI_EVENTTYPE_FD_READ, MOST);
        for (int i = 0; i < count; i++) {
            subscribe(&subs[n++], conns[i], __WASI_EVENTTYPE_FD_READ, (unsigned)i);
            subscribe(&subs[n++], conns[i], __WASI_EVENTTYPE_FD_WRITE, (unsigned)i);
        }
        if (__wasi_poll_oneoff(subs, events, n, &got) != 0) return;
        for (__wasi_size_t k = 0; k < got; k++) {
            int i = (int)events[k].userdata;
            if (events[k].type != __WASI_EVENTTYPE_FD_READ) continue;
            if (i == MOST) {
                while (count < MOST && we_accept_v2(listener, NONBLOCK, &added) == 0)
                    conns[count++] = added;
            } else if (conns[i] >= 0 && !serve_one(i)) {
                we_close(conns[i]);
                conns[i] = -1;
            }
        }
        int kept = 0;
        for (int i = 0; i < count; i++)
            if (conns[i] >= 0) conns[kept++] = conns[i];
        count = kept;
    }
}

int main(int argc, char **argv)
{
    int fd, one = 1;
    uint8_t any[4] = {127, 0, 0, 1};
    struct we_addr at = we_bytes(any, 4);
    if (argc < 3) return 99;
    if (strcmp(argv[1], "fd") == 0) {
        fd = atoi(argv[2]);
    } else {
        IS(we_open(INET4, STREAM, &fd), OK);
        IS(we_setsockopt(fd, 0, 0, &one, 4), OK);
        IS(we_bind(fd, &at, atoi(argv[2])), OK);
        IS(we_listen(fd, 1024), OK);
    }
    IS(we_set_flags(fd, NONBLOCK), OK);
    printf("ready\n");
    fflush(stdout);
    serve(fd);
    return 1;
}
