/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preopen.c - opens preopened directories and wraps inherited standard streams.
 */
#include "fd/preopen.h"

#include "fd/io.h"
#include "fd/rights.h"
#include "loop/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A directory that may be searched but not listed still serves every path operation. */
static int open_dir(const char *host)
{
    int fd = open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) fd = open(host, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

wasi_errno wasi_preopen_dir(struct wasi_fdtable *table, const char *host, const char *guest,
                            bool read_only)
{
    int host_fd = open_dir(host);
    if (host_fd < 0) return wasi_errno_from_host(errno);
    wasi_errno e;
    struct wasi_fd *fd = wasi_fd_new(host_fd, false, &e);
    if (fd == NULL) {
        close(host_fd);
        return e;
    }
    fd->inheriting = WASI_RIGHTS_ALL;
    fd->read_only = read_only;
    fd->root = true;
    fd->preopen_len = (u32)strlen(guest);
    fd->preopen = strdup(guest);
    u32 guest_fd;
    e = fd->preopen != NULL ? wasi_fdtable_add(table, fd, &guest_fd) : WASI_E_NOMEM;
    if (e != WASI_E_SUCCESS) wasi_fd_delete(fd);
    return e;
}

/*
 * The terminal `host` opened anew, -1: it is none, or may not be opened. Nothing but O_NONBLOCK
 * keeps a write to a terminal from blocking, and a flag of our own open file is nobody else's.
 */
static int reopen_terminal(int host, int status)
{
    enum { OTHER_EACH_TIME = 5 }; /* major number of /dev/tty, /dev/console and masters (ptmx) */
    char path[32];
    struct stat st;
    if ((status & O_PATH) != 0 || isatty(host) != 1 || fstat(host, &st) != 0) return -1;
    if (major(st.st_rdev) == OTHER_EACH_TIME) return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", host);
    int flags = (status & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    return wasi_above_streams(open(path, flags));
}

wasi_errno wasi_preopen_stdio(struct wasi_fdtable *table, u32 guest_fd, int host)
{
    if (host < 0) return wasi_fdtable_set(table, guest_fd, NULL);
    int status = fcntl(host, F_GETFL);
    if (status < 0) return wasi_errno_from_host(errno);
    wasi_errno e;
    int own = reopen_terminal(host, status);
    struct wasi_fd *fd = wasi_fd_new(own >= 0 ? own : host, own < 0, &e);
    if (fd == NULL) {
        if (own >= 0) close(own);
        return e;
    }
    fd->sock = WASI_SOCK_BOUND; /* if it is one: given, so allowed */
    if (fd->filetype == WASI_FILETYPE_DIR || (status & O_PATH) != 0) {
        fd->filetype = WASI_FILETYPE_UNKNOWN;
        fd->rights = WASI_RIGHT_FD_FILESTAT_GET;
    }
    if ((status & O_ACCMODE) == O_RDONLY) {
        fd->rights &= ~WASI_RIGHTS_WRITING;
        fd->read_only = true; /* nor its times, which the host lets an owner set */
    }
    if ((status & O_ACCMODE) == O_WRONLY) fd->rights &= ~WASI_RIGHT_FD_READ;
    if ((status & O_APPEND) != 0) {
        fd->host_append = true;
        fd->flags |= WASI_FDFLAG_APPEND;
    }
    e = wasi_fdtable_set(table, guest_fd, fd);
    if (e != WASI_E_SUCCESS) wasi_fd_delete(fd);
    return e;
}

wasi_errno wasi_preopen_socket(struct wasi_fdtable *table, int host)
{
    int status = fcntl(host, F_GETFL);
    if (status < 0 || fcntl(host, F_SETFL, status | O_NONBLOCK) != 0 ||
        fcntl(host, F_SETFD, FD_CLOEXEC) != 0)
        return wasi_errno_from_host(errno);
    wasi_errno e;
    struct wasi_fd *fd = wasi_fd_new(host, false, &e);
    if (fd == NULL) return e;
    u32 guest_fd;
    fd->sock = WASI_SOCK_BOUND;
    e = wasi_fd_is_socket(fd) ? wasi_fdtable_add(table, fd, &guest_fd) : WASI_E_NOTSOCK;
    if (e != WASI_E_SUCCESS) {
        fd->borrowed = true; /* it stays the caller's */
        wasi_fd_delete(fd);
    }
    return e;
}
