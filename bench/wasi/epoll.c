/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll.c - a native HTTP server to compare with: one thread, epoll, keep-alive; it answers each
 * request that ends in an empty line with "Hello, World!". `epoll PORT`. Not a server to use: it
 * reads no headers.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, REQUEST = 4096, BACKLOG = 4096 };

static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\n"
                             "content-length: 13\r\n\r\nHello, World!";

static int epoll_fd;

static int listen_at(unsigned short port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0) {
        perror("epoll");
        exit(2);
    }
    return fd;
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void take_all(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(fd);
    }
}

/* A request of one piece: what load generators send. */
static void serve(int fd)
{
    char request[REQUEST];
    ssize_t n = recv(fd, request, sizeof request, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || n < 4 || memcmp(request + n - 4, "\r\n\r\n", 4) != 0 ||
        send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof answer - 1))
        close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_at((unsigned short)(argc > 1 ? atoi(argv[1]) : 8081));
    watch(listener);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                take_all(listener);
            else
                serve(events[i].data.fd);
        }
    }
}
