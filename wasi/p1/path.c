/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c - path_*: everything that names a file beneath a directory descriptor.
 *
 * Two ways only: open the file itself with wasi_resolve_open (O_PATH where nothing is read), or
 * open its parent and give an *at() call the last component, in calls that never follow a symlink
 * there.
 */
#include "fd/rights.h"
#include "p1/p1.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

typedef char path_buf[WASI_PATH_MAX + 1];

static wasi_errno host_result(int r)
{
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

/* The path whose pointer is argument `i` and whose length is the next one. */
static wasi_errno get_path(struct wasi_call *c, int i, path_buf out)
{
    return wasi_mem_path(&c->mem, c->arg[i].i32, c->arg[i + 1].i32, out);
}

/* Reads the path at argument `i` and opens its parent beneath `fd`. */
static wasi_errno get_parent(struct wasi_call *c, const struct wasi_fd *fd, int i, path_buf path,
                             struct wasi_at *at)
{
    *at = (struct wasi_at){.dir = -1};
    wasi_errno e = get_path(c, i, path);
    if (e != WASI_E_SUCCESS) return e;
    return wasi_resolve_parent(&c->wasi->resolver, fd->host, path, at);
}

/* Opens the file named at argument `i` without access to its contents. */
static wasi_errno open_named(struct wasi_call *c, int i, bool follow, int *out)
{
    path_buf path;
    *out = -1;
    wasi_errno e = get_path(c, i, path);
    if (e != WASI_E_SUCCESS) return e;
    int flags = O_PATH | (follow ? 0 : O_NOFOLLOW);
    return wasi_resolve_open(&c->wasi->resolver, c->fd->host, path, flags, out);
}

static wasi_errno check_lookup(u32 flags)
{
    return (flags & ~(u32)WASI_LOOKUP_SYMLINK_FOLLOW) == 0 ? WASI_E_SUCCESS : WASI_E_INVAL;
}

/* ---------------------------------------------------------------- directories and removal */

wasi_errno wasi_p1_path_create_directory(struct wasi_call *c)
{
    path_buf path;
    WASI_AUTO_AT struct wasi_at at = {.dir = -1};
    wasi_errno e = get_parent(c, c->fd, 1, path, &at);
    return e == WASI_E_SUCCESS ? host_result(mkdirat(at.dir, at.last, 0777)) : e;
}

/* rmdir and unlink look at the last component itself, with or without slashes after it. */
static wasi_errno remove_named(struct wasi_call *c, int flags)
{
    path_buf path;
    WASI_AUTO_AT struct wasi_at at = {.dir = -1};
    wasi_errno e = get_parent(c, c->fd, 1, path, &at);
    return e == WASI_E_SUCCESS ? host_result(unlinkat(at.dir, at.last, flags)) : e;
}

wasi_errno wasi_p1_path_remove_directory(struct wasi_call *c)
{
    return remove_named(c, AT_REMOVEDIR);
}

wasi_errno wasi_p1_path_unlink_file(struct wasi_call *c) { return remove_named(c, 0); }

/* ---------------------------------------------------------------- two names */

/* renameat follows no final symlink and answers NOTDIR for "file/". */
wasi_errno wasi_p1_path_rename(struct wasi_call *c)
{
    path_buf old_path, new_path;
    WASI_AUTO_AT struct wasi_at from = {.dir = -1}, to = {.dir = -1};
    if (c->fd->read_only != c->fd2->read_only) return WASI_E_PERM;
    wasi_errno e = get_parent(c, c->fd, 1, old_path, &from);
    if (e == WASI_E_SUCCESS) e = get_parent(c, c->fd2, 4, new_path, &to);
    return e == WASI_E_SUCCESS ? host_result(renameat(from.dir, from.last, to.dir, to.last)) : e;
}

/* linkat follows a final symlink when slashes come after it, so such a source is opened first. */
static wasi_errno link_source_slashes(struct wasi_call *c)
{
    WASI_AUTO_CLOSE int dir = -1;
    wasi_errno e = open_named(c, 2, true, &dir);
    return e == WASI_E_SUCCESS ? WASI_E_PERM : e; /* a directory cannot be linked */
}

/* Links what the source leads to: by descriptor, since its name may change under us. */
static wasi_errno link_followed(struct wasi_call *c, const struct wasi_at *to)
{
    WASI_AUTO_CLOSE int source = -1;
    wasi_errno e = open_named(c, 2, true, &source);
    if (e != WASI_E_SUCCESS) return e;
    struct stat st;
    if (fstat(source, &st) == 0 && S_ISDIR(st.st_mode)) return WASI_E_PERM;
    char proc[32];
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", source);
    return host_result(linkat(AT_FDCWD, proc, to->dir, to->last, AT_SYMLINK_FOLLOW));
}

wasi_errno wasi_p1_path_link(struct wasi_call *c)
{
    path_buf old_path, new_path;
    WASI_AUTO_AT struct wasi_at from = {.dir = -1}, to = {.dir = -1};
    wasi_errno e = check_lookup(c->arg[1].i32);
    if (e != WASI_E_SUCCESS) return e;
    if (c->fd->read_only != c->fd2->read_only) return WASI_E_PERM;
    e = get_parent(c, c->fd, 2, old_path, &from);
    if (e == WASI_E_SUCCESS) e = get_parent(c, c->fd2, 5, new_path, &to);
    if (e != WASI_E_SUCCESS) return e;
    if (from.slashes) return link_source_slashes(c);
    if (c->arg[1].i32 != 0) return link_followed(c, &to);
    return host_result(linkat(from.dir, from.last, to.dir, to.last, 0));
}

/* ---------------------------------------------------------------- symlinks */

/* Any relative target may be stored: it is checked when it is followed. */
wasi_errno wasi_p1_path_symlink(struct wasi_call *c)
{
    path_buf target, path;
    WASI_AUTO_AT struct wasi_at at = {.dir = -1};
    wasi_errno e = get_path(c, 0, target);
    if (e != WASI_E_SUCCESS) return e;
    if (target[0] == '/') return WASI_E_PERM;
    if (target[0] == '\0') return WASI_E_NOENT;
    e = get_parent(c, c->fd, 3, path, &at);
    return e == WASI_E_SUCCESS ? host_result(symlinkat(target, at.dir, at.last)) : e;
}

wasi_errno wasi_p1_path_readlink(struct wasi_call *c)
{
    u32 len = c->arg[4].i32;
    u8 *out = wasi_mem_at(&c->mem, c->arg[3].i32, len);
    u8 *used = wasi_mem_at(&c->mem, c->arg[5].i32, 4);
    if (out == NULL || used == NULL) return WASI_E_FAULT;
    WASI_AUTO_CLOSE int link = -1;
    wasi_errno e = open_named(c, 1, false, &link);
    if (e != WASI_E_SUCCESS) return e;
    char target[PATH_MAX];
    ssize_t n = readlinkat(link, "", target, sizeof(target));
    if (n < 0) /* an empty path and not a symlink is ENOENT to the kernel */
        return errno == ENOENT ? WASI_E_INVAL : wasi_errno_from_host(errno);
    u32 put = (u32)n < len ? (u32)n : len;
    wasi_guest_write(out, target, put);
    wasi_guest_put32(used, put);
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- stat and times */

wasi_errno wasi_p1_path_filestat_get(struct wasi_call *c)
{
    wasi_errno e = check_lookup(c->arg[1].i32);
    if (e != WASI_E_SUCCESS) return e;
    WASI_AUTO_CLOSE int file = -1;
    e = open_named(c, 2, c->arg[1].i32 != 0, &file);
    if (e != WASI_E_SUCCESS) return e;
    struct stat st;
    if (fstat(file, &st) != 0) return wasi_errno_from_host(errno);
    return wasi_put_filestat(c, c->arg[4].i32, &st, wasi_filetype(&st, -1));
}

wasi_errno wasi_p1_path_filestat_set_times(struct wasi_call *c)
{
    struct timespec times[2];
    wasi_errno e = check_lookup(c->arg[1].i32);
    if (e == WASI_E_SUCCESS) e = wasi_times(c->arg[4].i64, c->arg[5].i64, c->arg[6].i32, times);
    if (e != WASI_E_SUCCESS) return e;
    WASI_AUTO_CLOSE int file = -1;
    e = open_named(c, 2, c->arg[1].i32 != 0, &file);
    return e == WASI_E_SUCCESS ? wasi_set_times(file, times) : e;
}

/* ---------------------------------------------------------------- path_open */

struct open_request {
    u32 lookup, oflags, fdflags;
    u64 rights, inheriting;
};

static wasi_errno check_request(const struct wasi_fd *dir, const struct open_request *q)
{
    wasi_errno e = check_lookup(q->lookup);
    if (e != WASI_E_SUCCESS) return e;
    if ((q->oflags & ~(u32)WASI_OFLAGS_ALL) != 0 || (q->fdflags & ~(u32)WASI_FDFLAGS_ALL) != 0)
        return WASI_E_INVAL;
    const u32 makes_file = WASI_OFLAG_CREAT | WASI_OFLAG_EXCL | WASI_OFLAG_TRUNC;
    if ((q->oflags & WASI_OFLAG_DIRECTORY) != 0 && (q->oflags & makes_file) != 0)
        return WASI_E_INVAL;
    u64 needed = 0;
    if ((q->oflags & WASI_OFLAG_CREAT) != 0) needed |= WASI_RIGHT_PATH_CREATE_FILE;
    if ((q->oflags & WASI_OFLAG_TRUNC) != 0) needed |= WASI_RIGHT_PATH_FILESTAT_SET_SIZE;
    if ((dir->rights & needed) != needed || ((q->rights | q->inheriting) & ~dir->inheriting) != 0)
        return WASI_E_NOTCAPABLE;
    bool changes = (q->oflags & (WASI_OFLAG_CREAT | WASI_OFLAG_TRUNC)) != 0 ||
                   (q->fdflags & WASI_FDFLAG_APPEND) != 0 || (q->rights & WASI_RIGHTS_WRITING) != 0;
    return dir->read_only && changes ? WASI_E_PERM : WASI_E_SUCCESS;
}

/*
 * Never blocks (a FIFO without a writer), never becomes our terminal. Append, sync and blocking
 * behaviour are applied at each read and write, so the host description carries none of them.
 */
static int host_flags(const struct open_request *q)
{
    int flags = O_NOCTTY | O_NONBLOCK;
    bool writes = (q->rights & WASI_RIGHTS_WRITING) != 0;
    bool reads = (q->rights & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_READDIR)) != 0;
    if (writes) flags |= reads ? O_RDWR : O_WRONLY;
    if ((q->lookup & WASI_LOOKUP_SYMLINK_FOLLOW) == 0) flags |= O_NOFOLLOW;
    if ((q->oflags & WASI_OFLAG_CREAT) != 0) flags |= O_CREAT;
    if ((q->oflags & WASI_OFLAG_DIRECTORY) != 0) flags |= O_DIRECTORY;
    if ((q->oflags & WASI_OFLAG_EXCL) != 0) flags |= O_EXCL;
    if ((q->oflags & WASI_OFLAG_TRUNC) != 0) flags |= O_TRUNC;
    return flags;
}

/* Gives an opened host file its guest number; takes `host` over in every case. */
static wasi_errno add_opened(struct wasi_call *c, const struct open_request *q, int host, u8 *out)
{
    wasi_errno e;
    struct wasi_fd *fd = wasi_fd_new(host, false, &e);
    if (fd == NULL) {
        wasi_close(host);
        return e;
    }
    fd->read_only = c->fd->read_only;
    fd->root = c->fd->root && fd->dev == c->fd->dev && fd->ino == c->fd->ino;
    fd->flags = (u16)q->fdflags;
    fd->rights &= q->rights;
    fd->inheriting = q->inheriting;
    u32 guest_fd;
    e = wasi_fdtable_add(&c->wasi->fds, fd, &guest_fd);
    if (e != WASI_E_SUCCESS) {
        wasi_fd_delete(fd);
        return e;
    }
    wasi_guest_put32(out, guest_fd);
    return WASI_E_SUCCESS;
}

/* /proc/self/mem is the memory of this process: whoever writes it has left the sandbox. */
static bool is_hidden_procfs(const struct wasi_call *c, const struct open_request *q, int host)
{
    struct statfs fs;
    return ((q->rights & WASI_RIGHTS_WRITING) != 0 || c->wasi->no_procfs) &&
           (fstatfs(host, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC);
}

wasi_errno wasi_p1_path_open(struct wasi_call *c)
{
    struct open_request q = {
        .lookup = c->arg[1].i32,
        .oflags = c->arg[4].i32,
        .rights = c->arg[5].i64 & WASI_RIGHTS_ALL,
        .inheriting = c->arg[6].i64 & WASI_RIGHTS_ALL,
        .fdflags = c->arg[7].i32,
    };
    u8 *out = wasi_mem_at(&c->mem, c->arg[8].i32, 4);
    if (out == NULL) return WASI_E_FAULT;
    path_buf path;
    wasi_errno e = get_path(c, 2, path);
    if (e == WASI_E_SUCCESS) e = check_request(c->fd, &q);
    /* Before the file is made or emptied. */
    if (e == WASI_E_SUCCESS) e = wasi_fdtable_make_room(&c->wasi->fds);
    if (e != WASI_E_SUCCESS) return e;
    int host;
    e = wasi_resolve_open(&c->wasi->resolver, c->fd->host, path, host_flags(&q), &host);
    if (e != WASI_E_SUCCESS) return e;
    if (is_hidden_procfs(c, &q, host)) {
        wasi_close(host);
        return WASI_E_PERM;
    }
    return add_opened(c, &q, host, out);
}
