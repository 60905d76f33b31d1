/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.c - fd_prestat_* and fd_readdir.
 *
 * The cookie of an entry is the kernel's own offset of the entry after it (d_off): resumable, valid
 * while the directory changes, and nothing is kept here between calls. 0 starts again.
 */
#include "p1/p1.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

wasi_errno wasi_p1_fd_prestat_get(struct wasi_call *c)
{
    if (c->fd->preopen == NULL) return WASI_E_BADF; /* ends a guest's scan */
    u8 out[WASI_PRESTAT_BYTES] = {0};
    wasi_put32(out + 4, c->fd->preopen_len);
    return wasi_mem_write(&c->mem, c->arg[1].i32, out, sizeof(out));
}

wasi_errno wasi_p1_fd_prestat_dir_name(struct wasi_call *c)
{
    if (c->fd->preopen == NULL) return WASI_E_BADF;
    if (c->arg[2].i32 < c->fd->preopen_len) return WASI_E_NAMETOOLONG;
    return wasi_mem_write(&c->mem, c->arg[1].i32, c->fd->preopen, c->fd->preopen_len);
}

/* ---------------------------------------------------------------- fd_readdir */

/* getdents64 wants room for one entry at least; more than the guest asked for is thrown away. */
enum { BATCH_MIN = 512, BATCH_MAX = 32 * 1024 };

struct listing {
    const struct wasi_fd *fd;
    u8 *out;  /* guest memory */
    u32 room; /* of it */
    u32 used;
};

static u8 filetype_of_dirent(unsigned char d_type)
{
    switch (d_type) {
    case DT_REG: return WASI_FILETYPE_REGULAR;
    case DT_DIR: return WASI_FILETYPE_DIR;
    case DT_LNK: return WASI_FILETYPE_SYMLINK;
    case DT_CHR: return WASI_FILETYPE_CHAR;
    case DT_BLK: return WASI_FILETYPE_BLOCK;
    case DT_SOCK: return WASI_FILETYPE_SOCKET_STREAM;
    default: return WASI_FILETYPE_UNKNOWN;
    }
}

/* As much of `bytes` as fits: an entry is cut at the end of the guest's buffer. */
static void put(struct listing *l, const void *bytes, size_t len)
{
    if (len > l->room - l->used) len = l->room - l->used;
    wasi_guest_write(l->out + l->used, bytes, len);
    l->used += (u32)len;
}

static void put_entry(struct listing *l, const struct dirent64 *d)
{
    u8 head[WASI_DIRENT_BYTES] = {0};
    u8 type = filetype_of_dirent(d->d_type);
    u64 ino = d->d_ino;
    struct stat st;
    bool is_parent = strcmp(d->d_name, "..") == 0;
    /* At a mount point the directory holds another inode number than stat tells. What is above a
     * preopen is none of the guest's business: its root is its own parent, like "/". */
    const char *name = is_parent && l->fd->root ? "." : d->d_name;
    if (fstatat(l->fd->host, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        ino = (u64)st.st_ino;
        type = wasi_filetype(&st, -1);
    }
    size_t name_len = strlen(d->d_name);
    wasi_put64(head, (u64)d->d_off);
    wasi_put64(head + 8, ino);
    wasi_put32(head + 16, (u32)name_len);
    head[20] = type;
    put(l, head, sizeof(head));
    put(l, d->d_name, name_len);
}

/* One batch of entries; `*end` when there are no more. */
static wasi_errno list_batch(struct listing *l, bool *end)
{
    _Alignas(struct dirent64) char batch[BATCH_MAX];
    size_t want = l->room - l->used;
    want = want < BATCH_MIN ? BATCH_MIN : want > BATCH_MAX ? BATCH_MAX : want;
    ssize_t got = getdents64(l->fd->host, batch, want);
    if (got < 0 && errno == ENOENT) got = 0; /* removed while open: an empty directory */
    if (got < 0) return wasi_errno_from_host(errno);
    *end = got == 0;
    for (ssize_t at = 0; at < got && l->used < l->room;) {
        const struct dirent64 *d = (const struct dirent64 *)(const void *)(batch + at);
        put_entry(l, d);
        at += d->d_reclen;
    }
    return WASI_E_SUCCESS;
}

wasi_errno wasi_p1_fd_readdir(struct wasi_call *c)
{
    u32 len = c->arg[2].i32;
    u64 cookie = c->arg[3].i64;
    u8 *used = wasi_mem_at(&c->mem, c->arg[4].i32, 4);
    struct listing l = {.fd = c->fd, .out = wasi_mem_at(&c->mem, c->arg[1].i32, len), .room = len};
    if (l.out == NULL || used == NULL) return WASI_E_FAULT;
    if (cookie > INT64_MAX) return WASI_E_INVAL;
    if (lseek(c->fd->host, (off_t)cookie, SEEK_SET) < 0) /* EBADF: a preopen that we may not list */
        return errno == EBADF ? WASI_E_ACCES : wasi_errno_from_host(errno);
    bool end = false;
    while (!end && l.used < l.room) {
        wasi_errno e = list_batch(&l, &end);
        if (e != WASI_E_SUCCESS) return e;
    }
    wasi_guest_put32(used, l.used);
    return WASI_E_SUCCESS;
}
