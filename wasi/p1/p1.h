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

/** Writes a filestat at a guest address, in the layout of the caller's module. FAULT. */
WASI_MUST_USE wasi_errno wasi_put_filestat(struct wasi_call *c, u32 addr, const struct stat *st,
                                           u8 filetype);

/* What wasi_unstable lays out otherwise (p0.c). */

/** A filestat of wasi_unstable from one of preview1; its bytes. */
size_t wasi_p0_filestat(u8 out[WASI_FILESTAT_BYTES], const u8 in[WASI_FILESTAT_BYTES]);
/** A subscription of preview1 from one of wasi_unstable. */
void wasi_p0_subscription(u8 out[WASI_SUBSCRIPTION_BYTES], const u8 in[WASI_P0_SUBSCRIPTION_BYTES]);
/** A whence of preview1 from one of wasi_unstable; another number stays as it is. */
u32 wasi_p0_whence(u32 whence);

/** The two timespecs of utimensat from guest times and fstflags. INVAL. */
WASI_MUST_USE wasi_errno wasi_times(u64 atim, u64 mtim, u32 fstflags, struct timespec out[2]);

/** Sets a host file's times by its descriptor (O_PATH allowed). */
WASI_MUST_USE wasi_errno wasi_set_times(int host, const struct timespec times[2]);

#endif
