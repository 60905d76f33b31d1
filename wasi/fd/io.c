/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.c - reads and writes: in a form that cannot block, and parked when that would have blocked.
 */
#include "fd/io.h"

#include "context.h"
#include "fd/sock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Linux 6.9; a kernel without it answers EOPNOTSUPP, which is handled. */
enum { RWF_NOAPPEND_VALUE = 0x20 };

size_t wasi_io_total(const struct wasi_io *io)
{
    size_t total = 0; /* at most WASI_IO_MAX: see wasi_mem_iovecs */
    for (int i = 0; i < io->count; i++) total += io->iov[i].iov_len;
    return total;
}

int wasi_io_rest(const struct wasi_io *io, size_t skip, size_t room,
                 struct iovec piece[WASI_PIECE_IOVECS])
{
    int n = 0;
    for (int i = 0; i < io->count && n < WASI_PIECE_IOVECS && room > 0; i++) {
        size_t len = io->iov[i].iov_len;
        size_t cut = skip < len ? skip : len;
        skip -= cut;
        len -= cut;
        if (len == 0) continue;
        if (len > room) len = room;
        piece[n++] = (struct iovec){(u8 *)io->iov[i].iov_base + cut, len};
        room -= len;
    }
    return n;
}

/* The kernel or this file knows no RWF_NOWAIT. */
static bool is_unsupported(int error)
{
    return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

/* Whether the kernel is asked not to wait for a disk: in the loop's thread, for a file. */
static bool asks_first(const struct wasi_call *c)
{
    return c->can_park && !c->on_worker && !c->fd->never_waits;
}

static bool is_ready(int host, short events)
{
    struct pollfd one = {.fd = host, .events = events};
    return poll(&one, 1, 0) != 0; /* also for an error: the call itself then tells */
}

wasi_errno wasi_io_wait(struct wasi_call *c, short events)
{
    const struct wasi_fd *fd = c->fd;
    const struct pollfd one = {.fd = fd->host, .events = events};
    u64 timeout = events == POLLIN ? fd->recv_timeout_ns : fd->send_timeout_ns;
    if (timeout == 0) return wasi_park(c, &one, 1, WASI_FOREVER);
    u64 now = wasi_clock_now(CLOCK_MONOTONIC);
    if (c->progress.begin_ns == 0) c->progress.begin_ns = now;
    u64 begin = c->progress.begin_ns;
    if (now - begin >= timeout) return WASI_E_AGAIN;
    u64 end = timeout > WASI_FOREVER - begin ? WASI_FOREVER : begin + timeout;
    return wasi_park(c, &one, 1, end);
}

/* ---------------------------------------------------------------- reading */

static ssize_t read_polled(const struct wasi_fd *fd, const struct iovec *iov, int n)
{
    if (is_ready(fd->host, POLLIN)) return readv(fd->host, iov, n);
    errno = EAGAIN;
    return -1;
}

/* Reads what is there; EAGAIN when that is nothing. */
static ssize_t read_now(struct wasi_fd *fd, const struct iovec *iov, int n)
{
    if (wasi_fd_is_socket(fd)) {
        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
        return recvmsg(fd->host, &msg, MSG_DONTWAIT);
    }
    if (fd->no_nowait) return read_polled(fd, iov, n);
    ssize_t r = preadv2(fd->host, iov, n, -1, RWF_NOWAIT);
    if (r >= 0 || (errno == EAGAIN && fd->is_fifo)) return r;
    /* Of other files "not now" may mean "not without waiting for something else". */
    if (errno != EAGAIN && !is_unsupported(errno)) return r;
    fd->no_nowait = errno != EAGAIN;
    return read_polled(fd, iov, n);
}

static wasi_errno read_stream(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    struct iovec piece[WASI_PIECE_IOVECS];
    const struct iovec *iov = io->iov;
    int n = io->count;
    if (wasi_io_total(io) > WASI_IO_TURN) { /* a stream may always give less */
        n = wasi_io_rest(io, 0, WASI_IO_TURN, piece);
        iov = piece;
    }
    for (;;) {
        ssize_t r = read_now(c->fd, iov, n);
        if (r >= 0) {
            *done = (size_t)r;
            return WASI_E_SUCCESS;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN || !wasi_fd_blocks(c->fd)) return wasi_errno_from_host(errno);
        return wasi_io_wait(c, POLLIN);
    }
}

/* Whether a file ends where a read that began at `at` stopped short. */
static bool at_end(const struct wasi_fd *fd, i64 at)
{
    struct stat st;
    if (at == WASI_IO_HERE) at = lseek(fd->host, 0, SEEK_CUR);
    return at < 0 || fstat(fd->host, &st) != 0 || at >= st.st_size;
}

static ssize_t read_piece(const struct wasi_fd *fd, const struct iovec *iov, int n, i64 offset,
                          int flags)
{
    if (flags != 0) return preadv2(fd->host, iov, n, offset, flags);
    if (offset != WASI_IO_HERE) return preadv(fd->host, iov, n, offset);
    return n == 1 ? read(fd->host, iov->iov_base, iov->iov_len) : readv(fd->host, iov, n);
}

/* A file. With a loop, what is not in memory is read by a worker thread. */
static wasi_errno read_file(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    bool inline_only = c->can_park && !c->on_worker;
    if (inline_only && wasi_io_total(io) > WASI_IO_TURN) return WASI_WORK;
    struct iovec piece[WASI_PIECE_IOVECS];
    const struct iovec *iov = io->iov;
    int n = io->count;
    if (c->progress.done > 0) { /* begun before the worker had it */
        n = wasi_io_rest(io, c->progress.done, SIZE_MAX, piece);
        iov = piece;
    }
    i64 offset = io->offset == WASI_IO_HERE ? io->offset : io->offset + (i64)c->progress.done;
    ssize_t r;
    do {
        r = read_piece(c->fd, iov, n, offset, asks_first(c) ? RWF_NOWAIT : 0);
    } while (r < 0 && errno == EINTR);
    if (r < 0 && inline_only && (errno == EAGAIN || is_unsupported(errno))) return WASI_WORK;
    if (r < 0 && c->progress.done == 0) return wasi_errno_from_host(errno);
    if (r > 0) c->progress.done += (u64)r;
    *done = (size_t)c->progress.done;
    bool is_short = inline_only && *done < wasi_io_total(io);
    if (is_short && offset != WASI_IO_HERE) offset += r;
    return is_short && !at_end(c->fd, offset) ? WASI_WORK : WASI_E_SUCCESS;
}

wasi_errno wasi_io_read(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    *done = 0;
    c->fd->told &= (u8)~WASI_TOLD_READ;
    if (c->fd->filetype == WASI_FILETYPE_SOCKET_DGRAM && io->offset == WASI_IO_HERE) {
        struct wasi_sock_msg msg = {.io = io}; /* who sent it may not be allowed */
        wasi_errno e = wasi_sock_recv(c, &msg);
        *done = msg.done;
        return e;
    }
    bool waits = c->fd->may_block && !c->fd->never_waits;
    bool stream = waits && io->offset == WASI_IO_HERE && wasi_io_total(io) > 0;
    return stream ? read_stream(c, io, done) : read_file(c, io, done);
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
    bool to_end = (flags & RWF_APPEND) != 0 && wasi_io_total(io) > 0; /* nothing moves nothing */
    if (to_end && lseek(fd->host, 0, SEEK_END) < 0) return -1;
    ssize_t r = io->offset == WASI_IO_HERE ? writev(fd->host, io->iov, io->count)
                                           : pwritev(fd->host, io->iov, io->count, io->offset);
    if (r < 0) return r;
    if ((flags & RWF_SYNC) != 0 && fsync(fd->host) != 0) return -1;
    if ((flags & RWF_DSYNC) != 0 && fdatasync(fd->host) != 0) return -1;
    return r;
}

static ssize_t write_once(const struct wasi_fd *fd, const struct wasi_io *io, bool nowait)
{
    int flags = write_flags(fd, io);
    if (nowait) return pwritev2(fd->host, io->iov, io->count, io->offset, flags | RWF_NOWAIT);
    if (flags == 0 && io->offset != WASI_IO_HERE)
        return pwritev(fd->host, io->iov, io->count, io->offset);
    if (flags == 0 && io->count == 1) /* the shortest way through the kernel */
        return write(fd->host, io->iov->iov_base, io->iov->iov_len);
    if (flags == 0) return writev(fd->host, io->iov, io->count);
    ssize_t r = pwritev2(fd->host, io->iov, io->count, io->offset, flags);
    return r < 0 && is_unsupported(errno) ? write_in_steps(fd, io, flags) : r;
}

/* A file. With a loop, what would wait for the disk is written by a worker thread. */
static wasi_errno write_file(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    bool inline_only = c->can_park && !c->on_worker;
    if (inline_only && wasi_io_total(io) > WASI_IO_TURN) return WASI_WORK;
    struct iovec piece[WASI_PIECE_IOVECS];
    struct wasi_io now = *io;
    if (c->progress.done > 0) {
        now.count = wasi_io_rest(io, c->progress.done, SIZE_MAX, piece);
        now.iov = piece;
        if (io->offset != WASI_IO_HERE) now.offset += (i64)c->progress.done;
    }
    ssize_t r;
    do {
        r = write_once(c->fd, &now, asks_first(c));
    } while (r < 0 && errno == EINTR);
    if (r < 0 && inline_only && (errno == EAGAIN || is_unsupported(errno))) return WASI_WORK;
    if (r < 0 && c->progress.done == 0) return wasi_errno_from_host(errno);
    if (r > 0) c->progress.done += (u64)r;
    *done = (size_t)c->progress.done;
    return inline_only && *done < wasi_io_total(io) ? WASI_WORK : WASI_E_SUCCESS;
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

/* At most PIPE_BUF bytes, which a pipe or terminal that is ready takes without blocking. */
static ssize_t write_polled(const struct wasi_fd *fd, const struct wasi_io *io, size_t skip)
{
    struct iovec piece[WASI_PIECE_IOVECS];
    if (is_ready(fd->host, POLLOUT))
        return writev(fd->host, piece, wasi_io_rest(io, skip, PIPE_BUF, piece));
    errno = EAGAIN;
    return -1;
}

static ssize_t write_plain(struct wasi_fd *fd, const struct wasi_io *io, size_t skip)
{
    struct iovec piece[WASI_PIECE_IOVECS];
    if (fd->no_nowait) return write_polled(fd, io, skip);
    int n = wasi_io_rest(io, skip, SIZE_MAX, piece);
    ssize_t r = pwritev2(fd->host, piece, n, -1, RWF_NOWAIT);
    if (r >= 0 || (errno == EAGAIN && fd->is_fifo)) return r;
    if (errno != EAGAIN && !is_unsupported(errno)) return r;
    fd->no_nowait = errno != EAGAIN;
    return write_polled(fd, io, skip);
}

/* Writes what fits; EAGAIN when that is nothing. Only a pipe raises SIGPIPE in spite of that. */
static ssize_t write_now(struct wasi_fd *fd, const struct wasi_io *io, size_t skip)
{
    if (wasi_fd_is_socket(fd)) {
        struct iovec piece[WASI_PIECE_IOVECS];
        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)io->iov,
                             .msg_iovlen = (size_t)io->count};
        if (skip > 0) {
            msg.msg_iovlen = (size_t)wasi_io_rest(io, skip, SIZE_MAX, piece);
            msg.msg_iov = piece;
        }
        return sendmsg(fd->host, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (!fd->is_fifo) return write_plain(fd, io, skip);
    struct sigpipe_guard guard;
    sigpipe_hold(&guard);
    ssize_t r = write_plain(fd, io, skip);
    int error = errno;
    sigpipe_release(&guard, r < 0 && error == EPIPE);
    errno = error;
    return r;
}

/* A stream takes all of it, piece by piece; a datagram is one message and never cut. */
static wasi_errno write_stream(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    size_t total = wasi_io_total(io), moved = (size_t)c->progress.done;
    wasi_errno e = WASI_E_SUCCESS;
    bool datagram = c->fd->filetype == WASI_FILETYPE_SOCKET_DGRAM, sent = false;
    size_t turn = moved + WASI_IO_TURN;
    while (e == WASI_E_SUCCESS && (moved < total || (datagram && !sent))) {
        if (moved >= turn) { /* who reads is fast: the others go first */
            e = wasi_fd_blocks(c->fd) ? wasi_io_wait(c, POLLOUT) : WASI_E_AGAIN;
            break;
        }
        ssize_t r = write_now(c->fd, io, moved);
        if (r >= 0) {
            moved += (size_t)r;
            sent = true;
        } else if (errno == EAGAIN && wasi_fd_blocks(c->fd)) {
            e = wasi_io_wait(c, POLLOUT);
        } else if (errno != EINTR) {
            e = wasi_errno_from_host(errno);
        }
    }
    c->progress.done = moved;
    *done = moved;
    /* What has been written is reported; the failure comes again with the next call. */
    return e == WASI_PARK || moved == 0 ? e : WASI_E_SUCCESS;
}

wasi_errno wasi_io_write(struct wasi_call *c, const struct wasi_io *io, size_t *done)
{
    *done = 0;
    c->fd->told &= (u8)~WASI_TOLD_WRITE;
    bool waits = c->fd->may_block && !c->fd->never_waits;
    bool stream = waits && io->offset == WASI_IO_HERE;
    return stream ? write_stream(c, io, done) : write_file(c, io, done);
}
