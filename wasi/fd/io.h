/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - reading and writing a descriptor on a guest's behalf, shared by every ABI front end.
 * Blocking, non-blocking, append and sync behaviour come from the guest's flags, never from flags
 * of the host description: that may be shared with the embedder's own process.
 *
 * The system call comes first, straight into guest memory and in a form that cannot block; only
 * when it would have blocked does the call park (loop/park.h), to be tried again from the start.
 */
#ifndef WASI_FD_IO_H
#define WASI_FD_IO_H

#include "fd/table.h"
#include "loop/park.h"

#include <sys/uio.h>

/** One transfer over host iovecs. */
struct wasi_io {
    const struct iovec *iov;
    int count;
    i64 offset; /**< file offset, or WASI_IO_HERE for the descriptor's own */
};
#define WASI_IO_HERE INT64_C(-1)

/**
 * Reads into `c->fd`'s iovecs; `*done` is the number of bytes, 0 at the end. AGAIN, WASI_PARK,
 * WASI_WORK, INTR and CANCELED when the wait was ended, else as readv.
 */
WASI_MUST_USE wasi_errno wasi_io_read(struct wasi_call *c, const struct wasi_io *io, size_t *done);
/** The same for writing; never raises SIGPIPE. A broken pipe is PIPE. */
WASI_MUST_USE wasi_errno wasi_io_write(struct wasi_call *c, const struct wasi_io *io, size_t *done);

enum { WASI_PIECE_IOVECS = 16 };
/** Bytes of all iovecs. */
size_t wasi_io_total(const struct wasi_io *io);
/** What is left of a transfer after `skip` bytes, at most `room` bytes of it; how many iovecs. */
int wasi_io_rest(const struct wasi_io *io, size_t skip, size_t room,
                 struct iovec piece[WASI_PIECE_IOVECS]);
/** Waits for POLLIN or POLLOUT on `c->fd`; AGAIN when the timeout of that direction is over. */
WASI_MUST_USE wasi_errno wasi_io_wait(struct wasi_call *c, short events);

/** Whether the guest wants to wait. */
static inline bool wasi_fd_blocks(const struct wasi_fd *fd)
{
    return (fd->flags & WASI_FDFLAG_NONBLOCK) == 0;
}
/** Bytes a guest moves at most before others have their turn; of a file in this thread, in a loop.
 */
enum { WASI_IO_TURN = 1 << 20 };
static inline bool wasi_fd_is_socket(const struct wasi_fd *fd)
{
    return fd->filetype == WASI_FILETYPE_SOCKET_STREAM ||
           fd->filetype == WASI_FILETYPE_SOCKET_DGRAM;
}

#endif
