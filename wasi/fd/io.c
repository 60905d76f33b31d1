/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.c - reads and writes: files at once, streams after readiness, in pieces that cannot block.
 */
#include "fd/io.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Linux 6.9; a kernel without it answers EOPNOTSUPP, which is handled. */
enum { RWF_NOAPPEND_VALUE = 0x20 };

/* iovecs of one piece of a stream write. */
enum { PIECE_IOVECS = 16 };

static bool blocks(const struct wasi_fd *fd) { return (fd->flags & WASI_FDFLAG_NONBLOCK) == 0; }

static bool is_empty(const struct wasi_io *io)
{
    for (int i = 0; i < io->count; i++)
        if (io->iov[i].iov_len != 0) return false;
    return true;
}

wasi_errno wasi_io_read(struct wasi_wait *wait, struct wasi_fd *fd, const struct wasi_io *io,
                        size_t *done)
{
    *done = 0;
    bool stream = fd->may_block && io->offset == WASI_IO_HERE && !is_empty(io);
    for (;;) {
        if (stream) {
            wasi_errno e = wasi_wait_fd(wait, fd->host, POLLIN, blocks(fd));
            if (e != WASI_E_SUCCESS) return e;
        }
        ssize_t r = io->offset == WASI_IO_HERE ? readv(fd->host, io->iov, io->count)
                                               : preadv(fd->host, io->iov, io->count, io->offset);
        if (r >= 0) {
            *done = (size_t)r;
            return WASI_E_SUCCESS;
        }
        /* EAGAIN after readiness: another reader was faster. */
        bool again = errno == EAGAIN && stream && blocks(fd);
        if (errno != EINTR && !again) return wasi_errno_from_host(errno);
    }
}

/* ---------------------------------------------------------------- files */

static int write_flags(const struct wasi_fd *fd, const struct wasi_io *io)
{
    int flags = 0;
    if ((fd->flags & WASI_FDFLAG_DSYNC) != 0) flags |= RWF_DSYNC;
    if ((fd->flags & (WASI_FDFLAG_SYNC | WASI_FDFLAG_RSYNC)) != 0) flags |= RWF_SYNC;
    bool append = (fd->flags & WASI_FDFLAG_APPEND) != 0 && io->offset == WASI_IO_HERE;
    if (append)
        flags |= RWF_APPEND;
    else if (fd->host_append)
        flags |= RWF_NOAPPEND_VALUE; /* else Linux appends even in pwrite */
    return flags;
}

/* What pwritev2's flags do, in steps, where the file or the kernel has no such flags. */
static ssize_t write_in_steps(const struct wasi_fd *fd, const struct wasi_io *io, int flags)
{
    if (io->offset != WASI_IO_HERE && fd->host_append) {
        errno = ENOTSUP; /* there is no way to write anywhere but at the end */
        return -1;
    }
    if ((flags & RWF_APPEND) != 0 && lseek(fd->host, 0, SEEK_END) < 0) return -1;
    ssize_t r = io->offset == WASI_IO_HERE ? writev(fd->host, io->iov, io->count)
                                           : pwritev(fd->host, io->iov, io->count, io->offset);
    if (r < 0) return r;
    if ((flags & RWF_SYNC) != 0 && fsync(fd->host) != 0) return -1;
    if ((flags & RWF_DSYNC) != 0 && fdatasync(fd->host) != 0) return -1;
    return r;
}

static ssize_t write_file_once(const struct wasi_fd *fd, const struct wasi_io *io)
{
    int flags = write_flags(fd, io);
    if (flags == 0)
        return io->offset == WASI_IO_HERE ? writev(fd->host, io->iov, io->count)
                                          : pwritev(fd->host, io->iov, io->count, io->offset);
    ssize_t r = pwritev2(fd->host, io->iov, io->count, io->offset, flags);
    if (r < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
        return write_in_steps(fd, io, flags);
    return r;
}

static wasi_errno write_file(const struct wasi_fd *fd, const struct wasi_io *io, size_t *done)
{
    ssize_t r;
    do {
        r = write_file_once(fd, io);
    } while (r < 0 && errno == EINTR);
    if (r < 0) return wasi_errno_from_host(errno);
    *done = (size_t)r;
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- streams */

/* Holds SIGPIPE back in this thread; one that our own write raised is taken off again. */
struct sigpipe_guard {
    sigset_t old;
    bool keep_pending; /* one was already waiting and is not ours */
};

static void sigpipe_hold(struct sigpipe_guard *g)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &g->old);
    sigset_t pending;
    g->keep_pending = sigismember(&g->old, SIGPIPE) == 1 && sigpending(&pending) == 0 &&
                      sigismember(&pending, SIGPIPE) == 1;
}

static void sigpipe_release(struct sigpipe_guard *g, bool raised)
{
    if (raised && !g->keep_pending) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        const struct timespec now = {0, 0};
        while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &g->old, NULL);
}

/* Where a stream write stands in the caller's iovecs. */
struct cursor {
    const struct wasi_io *io;
    int index;
    size_t skip; /* bytes of iov[index] already written */
};

/* The next piece: at most PIPE_BUF bytes, which a pipe that is ready takes without blocking. */
static int next_piece(const struct cursor *c, struct iovec piece[PIECE_IOVECS])
{
    size_t room = PIPE_BUF, skip = c->skip;
    int n = 0;
    for (int i = c->index; i < c->io->count && n < PIECE_IOVECS && room > 0; i++) {
        size_t len = c->io->iov[i].iov_len - skip;
        if (len > room) len = room;
        if (len > 0) piece[n++] = (struct iovec){(u8 *)c->io->iov[i].iov_base + skip, len};
        room -= len;
        skip = 0;
    }
    return n;
}

static void advance(struct cursor *c, size_t bytes)
{
    while (c->index < c->io->count) {
        size_t left = c->io->iov[c->index].iov_len - c->skip;
        if (bytes < left) {
            c->skip += bytes;
            return;
        }
        bytes -= left;
        c->index++;
        c->skip = 0;
    }
}

static ssize_t send_piece(const struct wasi_fd *fd, struct iovec *piece, int n)
{
    if (fd->filetype != WASI_FILETYPE_SOCKET_STREAM) return writev(fd->host, piece, n);
    struct msghdr msg = {.msg_iov = piece, .msg_iovlen = (size_t)n};
    return sendmsg(fd->host, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static wasi_errno write_pieces(struct wasi_wait *wait, const struct wasi_fd *fd, struct cursor *c,
                               size_t *done)
{
    struct iovec piece[PIECE_IOVECS];
    int n;
    while ((n = next_piece(c, piece)) > 0) {
        wasi_errno e = wasi_wait_fd(wait, fd->host, POLLOUT, blocks(fd));
        if (e != WASI_E_SUCCESS) return e;
        ssize_t r = send_piece(fd, piece, n);
        if (r < 0 && (errno == EINTR || (errno == EAGAIN && blocks(fd)))) continue;
        if (r < 0) return wasi_errno_from_host(errno);
        *done += (size_t)r;
        advance(c, (size_t)r);
    }
    return WASI_E_SUCCESS;
}

/* A datagram is one message: it is never cut. */
static wasi_errno write_datagram(struct wasi_wait *wait, const struct wasi_fd *fd,
                                 const struct wasi_io *io, size_t *done)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)io->iov,
                         .msg_iovlen = (size_t)io->count};
    for (;;) {
        wasi_errno e = wasi_wait_fd(wait, fd->host, POLLOUT, blocks(fd));
        if (e != WASI_E_SUCCESS) return e;
        ssize_t r = sendmsg(fd->host, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r < 0 && (errno == EINTR || (errno == EAGAIN && blocks(fd)))) continue;
        if (r < 0) return wasi_errno_from_host(errno);
        *done = (size_t)r;
        return WASI_E_SUCCESS;
    }
}

static wasi_errno write_stream(struct wasi_wait *wait, const struct wasi_fd *fd,
                               const struct wasi_io *io, size_t *done)
{
    if (fd->filetype == WASI_FILETYPE_SOCKET_DGRAM) return write_datagram(wait, fd, io, done);
    struct sigpipe_guard guard;
    struct cursor c = {.io = io};
    sigpipe_hold(&guard);
    wasi_errno e = write_pieces(wait, fd, &c, done);
    sigpipe_release(&guard, e == WASI_E_PIPE);
    /* What has been written is reported; the failure comes again with the next call. */
    return *done > 0 ? WASI_E_SUCCESS : e;
}

wasi_errno wasi_io_write(struct wasi_wait *wait, struct wasi_fd *fd, const struct wasi_io *io,
                         size_t *done)
{
    *done = 0;
    if (fd->may_block && io->offset == WASI_IO_HERE) return write_stream(wait, fd, io, done);
    return write_file(fd, io, done);
}
