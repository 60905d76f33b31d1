/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - the terminal of a process: made, and sent to who serves it. */
#include "oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void drop(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void wrap_oci_terminal_close(struct wrap_oci_terminal *terminal)
{
    drop(&terminal->master);
    drop(&terminal->slave);
}

bool wrap_oci_terminal_open(bool wanted, const char *console_socket, bool detach,
                            struct wrap_oci_terminal *out, struct wrap_error *err)
{
    *out = (struct wrap_oci_terminal){-1, -1};
    if (wanted && detach && !console_socket) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "a terminal for a process that is detached needs --console-socket");
    }
    if (console_socket && !(wanted && detach)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "--console-socket is for a process with a terminal that is detached");
    }
    if (!wanted) return true;
    int unlock = 0;
    out->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (out->master < 0 || ioctl(out->master, TIOCSPTLCK, &unlock) != 0 ||
        (out->slave = ioctl(out->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        wrap_fail_errno(err, errno, "cannot make a terminal");
        wrap_oci_terminal_close(out);
        return false;
    }
    return true;
}

/* One message: the terminal's name, and its master as a right. */
static bool send_fd(int to, int fd, const char *name)
{
    struct iovec iov = {(void *)(uintptr_t)name, strlen(name)};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *row = CMSG_FIRSTHDR(&message);
    row->cmsg_level = SOL_SOCKET;
    row->cmsg_type = SCM_RIGHTS;
    row->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(row), &fd, sizeof fd);
    ssize_t sent;
    do {
        sent = sendmsg(to, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent > 0;
}

/* A path may be too long for an address: then through the descriptor of its folder. */
static bool address_of(const char *path, struct sockaddr_un *out, int *folder)
{
    const char *slash = strrchr(path, '/');
    *folder = -1;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof out->sun_path) {
        strcpy(out->sun_path, path);
        return true;
    }
    char name[4096];
    if (!slash ||
        (size_t)snprintf(name, sizeof name, "%.*s/", (int)(slash - path), path) >= sizeof name) {
        errno = ENAMETOOLONG;
        return false;
    }
    *folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    errno = *folder < 0 ? errno : ENAMETOOLONG;
    return *folder >= 0 &&
           (size_t)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d%.80s", *folder,
                            slash) < sizeof out->sun_path;
}

bool wrap_oci_terminal_send(const struct wrap_oci_terminal *terminal, const char *console_socket,
                            struct wrap_error *err)
{
    struct sockaddr_un address;
    char name[64] = "/dev/ptmx";
    int folder = -1;
    unsigned number = 0;
    if (ioctl(terminal->master, TIOCGPTN, &number) == 0) {
        snprintf(name, sizeof name, "/dev/pts/%u", number);
    }
    int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = to >= 0 && address_of(console_socket, &address, &folder) &&
                connect(to, (const struct sockaddr *)&address, sizeof address) == 0 &&
                send_fd(to, terminal->master, name);
    if (!good) wrap_fail_errno(err, errno, "console socket %.200s", console_socket);
    drop(&to);
    drop(&folder);
    return good;
}
