/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preopen.h - the descriptors a guest starts with: preopened directories and standard streams.
 */
#ifndef WASI_FD_PREOPEN_H
#define WASI_FD_PREOPEN_H

#include "fd/table.h"

/** Opens `host` and adds it as directory `guest`. */
WASI_MUST_USE wasi_errno wasi_preopen_dir(struct wasi_fdtable *table, const char *host,
                                          const char *guest, bool read_only);

/**
 * Puts `host` (borrowed; -1: closed) at guest number 0, 1 or 2. Rights follow the access mode.
 * A directory is refused every path and readdir operation: it is not a preopen.
 */
WASI_MUST_USE wasi_errno wasi_preopen_stdio(struct wasi_fdtable *table, u32 guest_fd, int host);

/** Adds a socket, which is taken over on success and made non-blocking. NOTSOCK, MFILE, NOMEM. */
WASI_MUST_USE wasi_errno wasi_preopen_socket(struct wasi_fdtable *table, int host);

#endif
