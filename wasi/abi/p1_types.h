/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p1_types.h - numbers and structure layouts of wasi_snapshot_preview1, as offsets in guest memory.
 * No C structs for guest data: the guest may place it unaligned and every field is little-endian.
 */
#ifndef WASI_ABI_P1_TYPES_H
#define WASI_ABI_P1_TYPES_H

#include "abi/ints.h"

/** Guest errno: never mixed with the host's, see errno.def. */
typedef enum wasi_errno {
#define E(name, number, host) WASI_E_##name = (number),
#define N(name, number) WASI_E_##name = (number),
#include "abi/errno.def"
#undef E
#undef N
    WASI_E_COUNT,
    /* Answers of a handler that no guest ever sees. */
    WASI_PARK = 0x1000, /**< it has to wait for what its wasi_want names; it is then tried again */
    WASI_WORK /**< it may block on a file: it is to be run again on a worker thread */
} wasi_errno;

/** The guest errno for a host errno; IO for one that is not in the table. */
wasi_errno wasi_errno_from_host(int host);
/** "NOENT" for WASI_E_NOENT; "?" outside the table. */
const char *wasi_errno_name(wasi_errno e);

enum {
    WASI_FILETYPE_UNKNOWN = 0,
    WASI_FILETYPE_BLOCK = 1,
    WASI_FILETYPE_CHAR = 2,
    WASI_FILETYPE_DIR = 3,
    WASI_FILETYPE_REGULAR = 4,
    WASI_FILETYPE_SOCKET_DGRAM = 5,
    WASI_FILETYPE_SOCKET_STREAM = 6,
    WASI_FILETYPE_SYMLINK = 7
};

enum {
    WASI_FDFLAG_APPEND = 1 << 0,
    WASI_FDFLAG_DSYNC = 1 << 1,
    WASI_FDFLAG_NONBLOCK = 1 << 2,
    WASI_FDFLAG_RSYNC = 1 << 3,
    WASI_FDFLAG_SYNC = 1 << 4,
    WASI_FDFLAGS_ALL = (1 << 5) - 1
};

enum {
    WASI_OFLAG_CREAT = 1 << 0,
    WASI_OFLAG_DIRECTORY = 1 << 1,
    WASI_OFLAG_EXCL = 1 << 2,
    WASI_OFLAG_TRUNC = 1 << 3,
    WASI_OFLAGS_ALL = (1 << 4) - 1
};

enum { WASI_LOOKUP_SYMLINK_FOLLOW = 1 };

enum {
    WASI_FST_ATIM = 1 << 0,
    WASI_FST_ATIM_NOW = 1 << 1,
    WASI_FST_MTIM = 1 << 2,
    WASI_FST_MTIM_NOW = 1 << 3,
    WASI_FST_ALL = (1 << 4) - 1
};

enum { WASI_WHENCE_SET = 0, WASI_WHENCE_CUR = 1, WASI_WHENCE_END = 2 };

enum {
    WASI_CLOCK_REALTIME = 0,
    WASI_CLOCK_MONOTONIC = 1,
    WASI_CLOCK_PROCESS_CPUTIME = 2,
    WASI_CLOCK_THREAD_CPUTIME = 3
};

enum { WASI_EVENT_CLOCK = 0, WASI_EVENT_FD_READ = 1, WASI_EVENT_FD_WRITE = 2 };
enum { WASI_SUBCLOCK_ABSTIME = 1 };
enum { WASI_EVENT_FD_HANGUP = 1 };
enum { WASI_RI_PEEK = 1, WASI_RI_WAITALL = 2 };
enum { WASI_RO_TRUNC = 1 };
enum { WASI_SD_RD = 1, WASI_SD_WR = 2, WASI_SD_ALL = 3 };

/* dirent: d_next u64@0, d_ino u64@8, d_namlen u32@16, d_type u8@20, then the name */
enum { WASI_DIRENT_BYTES = 24 };
/* fdstat: filetype u8@0, flags u16@2, rights base u64@8, rights inheriting u64@16 */
enum { WASI_FDSTAT_BYTES = 24 };
/* filestat: dev@0, ino@8, filetype u8@16, nlink u64@24, size@32, atim@40, mtim@48, ctim@56 */
enum { WASI_FILESTAT_BYTES = 64 };
/* in wasi_unstable: nlink u32@20, size@24, atim@32, mtim@40, ctim@48 */
enum { WASI_P0_FILESTAT_BYTES = 56 };
/* prestat: tag u8@0 (0: directory), name length u32@4 */
enum { WASI_PRESTAT_BYTES = 8 };
/* iovec: buf u32@0, len u32@4 */
enum { WASI_IOVEC_BYTES = 8 };
/* subscription: userdata u64@0, tag u8@8, then fd u32@16, or
 * clock id u32@16, timeout u64@24, precision u64@32, flags u16@40 */
enum { WASI_SUBSCRIPTION_BYTES = 48 };
/* in wasi_unstable: identifier u64@16, clock id u32@24, timeout@32, precision@40, flags@48 */
enum { WASI_P0_SUBSCRIPTION_BYTES = 56 };
/* event: userdata u64@0, error u16@8, type u8@10, nbytes u64@16, flags u16@24 */
enum { WASI_EVENT_BYTES = 32 };

#endif
