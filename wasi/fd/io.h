/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - reading and writing a descriptor on a guest's behalf, shared by every ABI front end.
 * Blocking, non-blocking, append and sync behaviour come from the guest's flags, never from flags
 * of the host description: that may be shared with the embedder's own process.
 */
#ifndef WASI_FD_IO_H
#define WASI_FD_IO_H

#include "fd/table.h"
#include "loop/wait.h"

#include <sys/uio.h>

/** One transfer over host iovecs. */
struct wasi_io {
    const struct iovec *iov;
    int count;
    i64 offset; /**< file offset, or WASI_IO_HERE for the descriptor's own */
};
#define WASI_IO_HERE INT64_C(-1)

/** `*done` is the number of bytes, 0 at the end. AGAIN, INTR when woken, else as readv. */
WASI_MUST_USE wasi_errno wasi_io_read(struct wasi_wait *wait, struct wasi_fd *fd,
                                      const struct wasi_io *io, size_t *done);
/** The same for writing; never raises SIGPIPE. A broken pipe is PIPE. */
WASI_MUST_USE wasi_errno wasi_io_write(struct wasi_wait *wait, struct wasi_fd *fd,
                                       const struct wasi_io *io, size_t *done);

#endif
