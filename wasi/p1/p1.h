/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p1.h - the handlers of p1.def and the checks that come before them.
 */
#ifndef WASI_P1_P1_H
#define WASI_P1_P1_H

#include "context.h"
#include "row.h"

enum wasi_p1_since { WASI_P1_UNSTABLE, WASI_P1_SNAPSHOT1 };

extern const struct wasi_row wasi_p1_table[WASI_P1_COUNT];

#define P1(name, signature, fd, rights, fd2, rights2, flags, since) wasi_handler wasi_p1_##name;
#include "abi/p1.def"
#undef P1

/** poll_oneoff; with `edge`, epoll_oneoff: readiness is reported once, and anew after it was used.
 */
wasi_errno wasi_poll(struct wasi_call *c, bool edge);

/** Writes a filestat at `out`, which has WASI_FILESTAT_BYTES. */
void wasi_put_filestat(u8 *out, const struct stat *st, u8 filetype);

/** The two timespecs of utimensat from guest times and fstflags. INVAL. */
WASI_MUST_USE wasi_errno wasi_times(u64 atim, u64 mtim, u32 fstflags, struct timespec out[2]);

/** Sets a host file's times by its descriptor (O_PATH allowed). */
WASI_MUST_USE wasi_errno wasi_set_times(int host, const struct timespec times[2]);

#endif
