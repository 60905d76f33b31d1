/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.c - the largest base rights of each file type.
 */
#include "fd/rights.h"

#include "abi/p1_types.h"

#define R(name) WASI_RIGHT_##name

/* What every open thing can do. */
#define ANY (R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_DATASYNC) | R(FD_FILESTAT_GET))
#define STREAM (ANY | R(FD_READ) | R(FD_WRITE) | R(POLL_FD_READWRITE))
#define FILE_ALL                                                                                   \
    (STREAM | R(FD_SEEK) | R(FD_TELL) | R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) |  \
     R(FD_FILESTAT_SET_TIMES))
/* No FD_SEEK and no FD_FILESTAT_SET_SIZE: guests tell directories from files by them. */
#define DIR_ALL                                                                                    \
    (ANY | R(FD_FILESTAT_SET_TIMES) | R(FD_READDIR) | R(PATH_CREATE_DIRECTORY) |                   \
     R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) |              \
     R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_FILESTAT_GET) |     \
     R(PATH_FILESTAT_SET_SIZE) | R(PATH_FILESTAT_SET_TIMES) | R(PATH_SYMLINK) |                    \
     R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE))
#define SOCKET (STREAM | R(SOCK_SHUTDOWN) | R(SOCK_ACCEPT))

u64 wasi_rights_of_type(u8 filetype, bool is_tty)
{
    switch (filetype) {
    case WASI_FILETYPE_DIR: return DIR_ALL;
    case WASI_FILETYPE_REGULAR:
    case WASI_FILETYPE_BLOCK: return FILE_ALL;
    case WASI_FILETYPE_SOCKET_DGRAM:
    case WASI_FILETYPE_SOCKET_STREAM: return SOCKET | R(FD_SEEK) | R(FD_TELL);
    case WASI_FILETYPE_CHAR:
        /* wasi-libc's isatty: a character device that cannot seek or tell. */
        return is_tty ? STREAM : STREAM | R(FD_SEEK) | R(FD_TELL);
    default:
        /* Pipes keep SEEK and TELL so that the guest sees SPIPE, as in POSIX. */
        return STREAM | R(FD_SEEK) | R(FD_TELL);
    }
}
