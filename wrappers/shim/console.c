/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - one connection, one message with one descriptor. */
#include "shim/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 200 };

bool wrap_console_listen(struct wrap_console *console, struct wrap_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *console = (struct wrap_console){.fd = -1, .folder = "/run/wasmrun-console-XXXXXX"};
    if (!mkdtemp(console->folder)) {
        int problem = errno;
        console->folder[0] = 0;
        return wrap_fail_errno(err, problem, "no folder for a console socket");
    }
    snprintf(console->path, sizeof console->path, "%.60s/tty.sock", console->folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", console->path);
    console->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (console->fd < 0 ||
        bind(console->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(console->fd, 1) != 0) {
        wrap_fail_errno(err, errno, "console socket");
        wrap_console_close(console);
        return false;
    }
    return true;
}

/* The first descriptor in a message; others are closed. */
static int receive(int socket)
{
    char byte[256];
    struct iovec iov = {byte, sizeof byte};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    int master = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) {
        return -1;
    }
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
            if (master < 0) {
                master = fd;
            } else {
                close(fd);
            }
        }
    }
    return master;
}

int wrap_console_take(struct wrap_console *console, struct wrap_error *err)
{
    struct pollfd poll_fd = {.fd = console->fd, .events = POLLIN};
    int peer = poll(&poll_fd, 1, 0) == 1 ? accept4(console->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (peer < 0) {
        wrap_fail(err, WRAP_INTERNAL, "the runtime did not connect to the console socket");
        return -1;
    }
    poll_fd.fd = peer;
    int master = poll(&poll_fd, 1, PATIENCE_MS) == 1 ? receive(peer) : -1;
    close(peer);
    if (master < 0) {
        wrap_fail(err, WRAP_INTERNAL, "the runtime did not send a terminal");
    }
    return master;
}

void wrap_console_close(struct wrap_console *console)
{
    if (console->fd >= 0) {
        close(console->fd);
        console->fd = -1;
    }
    if (console->folder[0]) {
        unlink(console->path);
        rmdir(console->folder);
        console->folder[0] = 0;
    }
}
