/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.h - the rights bits of preview1 and the masks that a descriptor of each type starts with.
 * A descriptor's masks only ever lose bits; mutation beneath a read-only preopen is refused by the
 * read-only bit, not by these masks (guests derive what they ask for from them).
 */
#ifndef WASI_FD_RIGHTS_H
#define WASI_FD_RIGHTS_H

#include "abi/ints.h"

#define WASI_RIGHT_BIT(n) (UINT64_C(1) << (n))
// clang-format off
#define WASI_RIGHT_FD_DATASYNC             WASI_RIGHT_BIT(0)
#define WASI_RIGHT_FD_READ                 WASI_RIGHT_BIT(1)
#define WASI_RIGHT_FD_SEEK                 WASI_RIGHT_BIT(2)
#define WASI_RIGHT_FD_FDSTAT_SET_FLAGS     WASI_RIGHT_BIT(3)
#define WASI_RIGHT_FD_SYNC                 WASI_RIGHT_BIT(4)
#define WASI_RIGHT_FD_TELL                 WASI_RIGHT_BIT(5)
#define WASI_RIGHT_FD_WRITE                WASI_RIGHT_BIT(6)
#define WASI_RIGHT_FD_ADVISE               WASI_RIGHT_BIT(7)
#define WASI_RIGHT_FD_ALLOCATE             WASI_RIGHT_BIT(8)
#define WASI_RIGHT_PATH_CREATE_DIRECTORY   WASI_RIGHT_BIT(9)
#define WASI_RIGHT_PATH_CREATE_FILE        WASI_RIGHT_BIT(10)
#define WASI_RIGHT_PATH_LINK_SOURCE        WASI_RIGHT_BIT(11)
#define WASI_RIGHT_PATH_LINK_TARGET        WASI_RIGHT_BIT(12)
#define WASI_RIGHT_PATH_OPEN               WASI_RIGHT_BIT(13)
#define WASI_RIGHT_FD_READDIR              WASI_RIGHT_BIT(14)
#define WASI_RIGHT_PATH_READLINK           WASI_RIGHT_BIT(15)
#define WASI_RIGHT_PATH_RENAME_SOURCE      WASI_RIGHT_BIT(16)
#define WASI_RIGHT_PATH_RENAME_TARGET      WASI_RIGHT_BIT(17)
#define WASI_RIGHT_PATH_FILESTAT_GET       WASI_RIGHT_BIT(18)
#define WASI_RIGHT_PATH_FILESTAT_SET_SIZE  WASI_RIGHT_BIT(19)
#define WASI_RIGHT_PATH_FILESTAT_SET_TIMES WASI_RIGHT_BIT(20)
#define WASI_RIGHT_FD_FILESTAT_GET         WASI_RIGHT_BIT(21)
#define WASI_RIGHT_FD_FILESTAT_SET_SIZE    WASI_RIGHT_BIT(22)
#define WASI_RIGHT_FD_FILESTAT_SET_TIMES   WASI_RIGHT_BIT(23)
#define WASI_RIGHT_PATH_SYMLINK            WASI_RIGHT_BIT(24)
#define WASI_RIGHT_PATH_REMOVE_DIRECTORY   WASI_RIGHT_BIT(25)
#define WASI_RIGHT_PATH_UNLINK_FILE        WASI_RIGHT_BIT(26)
#define WASI_RIGHT_POLL_FD_READWRITE       WASI_RIGHT_BIT(27)
#define WASI_RIGHT_SOCK_SHUTDOWN           WASI_RIGHT_BIT(28)
#define WASI_RIGHT_SOCK_ACCEPT             WASI_RIGHT_BIT(29)
// clang-format on

#define WASI_RIGHTS_ALL (WASI_RIGHT_BIT(30) - 1)

/** What writes through a descriptor; asking for one of them opens a file for writing. */
#define WASI_RIGHTS_WRITING                                                                        \
    (WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE | WASI_RIGHT_FD_FILESTAT_SET_SIZE)

/** Every base right that a descriptor of this preview1 file type can have. */
u64 wasi_rights_of_type(u8 filetype, bool is_tty);

#endif
