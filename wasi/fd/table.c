/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - the table of guest descriptors: numbering, closing, renumbering.
 */
#include "fd/table.h"

#include "fd/rights.h"
#include "loop/holds.h"
#include "loop/park.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static u8 socket_type(int host)
{
    int type = 0;
    socklen_t len = sizeof(type);
    if (host >= 0 && getsockopt(host, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM)
        return WASI_FILETYPE_SOCKET_DGRAM;
    return WASI_FILETYPE_SOCKET_STREAM;
}

u8 wasi_filetype(const struct stat *st, int host)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG: return WASI_FILETYPE_REGULAR;
    case S_IFDIR: return WASI_FILETYPE_DIR;
    case S_IFCHR: return WASI_FILETYPE_CHAR;
    case S_IFBLK: return WASI_FILETYPE_BLOCK;
    case S_IFLNK: return WASI_FILETYPE_SYMLINK;
    case S_IFSOCK: return socket_type(host);
    default: return WASI_FILETYPE_UNKNOWN; /* preview1 has no name for a pipe */
    }
}

static bool type_may_block(u8 filetype)
{
    return filetype != WASI_FILETYPE_REGULAR && filetype != WASI_FILETYPE_DIR &&
           filetype != WASI_FILETYPE_BLOCK;
}

/* /dev/null, zero, full, random, urandom: the same numbers on every Linux. */
static bool is_memory_device(const struct stat *st)
{
    unsigned number = minor(st->st_rdev);
    return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 &&
           (number == 3 || number == 5 || (number >= 7 && number <= 9));
}

struct wasi_fd *wasi_fd_new(int host, bool borrowed, wasi_errno *e)
{
    struct stat st;
    if (fstat(host, &st) != 0) {
        *e = wasi_errno_from_host(errno);
        return NULL;
    }
    struct wasi_fd *fd = calloc(1, sizeof(*fd));
    if (fd == NULL) {
        *e = WASI_E_NOMEM;
        return NULL;
    }
    fd->host = host;
    fd->borrowed = borrowed;
    fd->filetype = wasi_filetype(&st, host);
    fd->may_block = type_may_block(fd->filetype);
    fd->never_waits = is_memory_device(&st);
    fd->is_fifo = S_ISFIFO(st.st_mode);
    fd->rights = wasi_rights_of_type(fd->filetype, isatty(host) == 1);
    fd->poll_slot = -1;
    fd->dev = st.st_dev;
    fd->ino = st.st_ino;
    *e = WASI_E_SUCCESS;
    return fd;
}

void wasi_fd_delete(struct wasi_fd *fd)
{
    if (fd == NULL) return;
    if (!fd->borrowed) (void)close(fd->host); /* Linux closes even when it answers an error */
    free(fd->preopen);
    free(fd);
}

/* Who waits for the descriptor, the loop or threads, lets go of it first: the kernel may use its
 * number anew. */
static void release(struct wasi_fdtable *table, struct wasi_fd *fd)
{
    if (fd != NULL && fd->watched) wasi_watch_forget(table->loop, fd->host, !fd->borrowed);
    if (fd != NULL && table->holds != NULL &&
        wasi_holds_close(table->holds, fd->host, fd->borrowed))
        fd->borrowed = true; /* its last waiter closes it */
    wasi_fd_delete(fd);
}

void wasi_fdtable_unwatch(struct wasi_fdtable *table)
{
    for (u32 i = 0; i < table->size; i++) {
        struct wasi_fd *fd = table->slot[i];
        if (fd == NULL || !fd->watched) continue;
        wasi_watch_forget(table->loop, fd->host, !fd->borrowed);
        fd->watched = false;
    }
}

void wasi_fdtable_fini(struct wasi_fdtable *table)
{
    for (u32 i = 0; i < table->size; i++) release(table, table->slot[i]);
    free(table->slot);
    *table = (struct wasi_fdtable){0};
}

/* Makes slot `guest_fd` exist. */
static wasi_errno reserve(struct wasi_fdtable *table, u32 guest_fd)
{
    u32 limit = table->limit != 0 ? table->limit : WASI_FD_LIMIT;
    if (guest_fd >= limit) return WASI_E_MFILE;
    if (guest_fd < table->size) return WASI_E_SUCCESS;
    u32 size = table->size < 16 ? 16 : table->size * 2;
    while (size <= guest_fd) size *= 2;
    struct wasi_fd **slot = realloc(table->slot, size * sizeof(struct wasi_fd *));
    if (slot == NULL) return WASI_E_NOMEM;
    memset(slot + table->size, 0, (size - table->size) * sizeof(struct wasi_fd *));
    table->slot = slot;
    table->size = size;
    return WASI_E_SUCCESS;
}

static u32 lowest_free(const struct wasi_fdtable *table)
{
    u32 n = WASI_FD_FIRST;
    while (n < table->size && table->slot[n] != NULL) n++;
    return n;
}

wasi_errno wasi_fdtable_make_room(struct wasi_fdtable *table)
{
    return reserve(table, lowest_free(table));
}

wasi_errno wasi_fdtable_add(struct wasi_fdtable *table, struct wasi_fd *fd, u32 *guest_fd)
{
    u32 n = lowest_free(table);
    wasi_errno e = reserve(table, n);
    if (e != WASI_E_SUCCESS) return e;
    table->slot[n] = fd;
    *guest_fd = n;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_fdtable_set(struct wasi_fdtable *table, u32 guest_fd, struct wasi_fd *fd)
{
    wasi_errno e = reserve(table, guest_fd);
    if (e != WASI_E_SUCCESS) return e;
    release(table, table->slot[guest_fd]);
    table->slot[guest_fd] = fd;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_fdtable_close(struct wasi_fdtable *table, u32 guest_fd)
{
    struct wasi_fd *fd = wasi_fdtable_get(table, guest_fd);
    if (fd == NULL) return WASI_E_BADF;
    table->slot[guest_fd] = NULL;
    release(table, fd);
    return WASI_E_SUCCESS;
}

wasi_errno wasi_fdtable_renumber(struct wasi_fdtable *table, u32 from, u32 to)
{
    struct wasi_fd *source = wasi_fdtable_get(table, from);
    struct wasi_fd *target = wasi_fdtable_get(table, to);
    if (source == NULL || target == NULL) return WASI_E_BADF;
    if (source == target) return WASI_E_SUCCESS;
    table->slot[to] = source;
    table->slot[from] = NULL;
    release(table, target);
    return WASI_E_SUCCESS;
}
