/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.c - fd_*: reading, writing, seeking and the state of one descriptor. Directories: dir.c.
 */
#include "fd/io.h"
#include "fd/rights.h"
#include "p1/p1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static wasi_errno host_result(int r)
{
    return r == 0 ? WASI_E_SUCCESS : wasi_errno_from_host(errno);
}

/* ---------------------------------------------------------------- reading and writing */

typedef wasi_errno transfer_fn(struct wasi_call *c, const struct wasi_io *io, size_t *done);

/* The iovecs are arguments 1 and 2; `out` is the address of the count of bytes moved. */
static wasi_errno transfer(struct wasi_call *c, transfer_fn *move, i64 offset, u32 out)
{
    struct iovec iov[WASI_IOV_MAX];
    u32 count = c->arg[2].i32;
    wasi_errno e = wasi_mem_iovecs(&c->mem, c->arg[1].i32, count, iov);
    if (e != WASI_E_SUCCESS) return e;
    u8 *moved = wasi_mem_at(&c->mem, out, 4);
    if (moved == NULL) return WASI_E_FAULT;
    struct wasi_io io = {.iov = iov, .count = (int)count, .offset = offset};
    size_t done;
    e = move(c, &io, &done);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(moved, (u32)done);
    return e;
}

wasi_errno wasi_p1_fd_read(struct wasi_call *c)
{
    return transfer(c, wasi_io_read, WASI_IO_HERE, c->arg[3].i32);
}

wasi_errno wasi_p1_fd_write(struct wasi_call *c)
{
    return transfer(c, wasi_io_write, WASI_IO_HERE, c->arg[3].i32);
}

wasi_errno wasi_p1_fd_pread(struct wasi_call *c)
{
    if (c->arg[3].i64 > INT64_MAX) return WASI_E_INVAL;
    return transfer(c, wasi_io_read, (i64)c->arg[3].i64, c->arg[4].i32);
}

wasi_errno wasi_p1_fd_pwrite(struct wasi_call *c)
{
    if (c->arg[3].i64 > INT64_MAX) return WASI_E_INVAL;
    return transfer(c, wasi_io_write, (i64)c->arg[3].i64, c->arg[4].i32);
}

/* ---------------------------------------------------------------- the position */

static wasi_errno seek(struct wasi_call *c, i64 delta, int whence, u32 out)
{
    u8 *result = wasi_mem_at(&c->mem, out, 8);
    if (result == NULL) return WASI_E_FAULT;
    off_t at = lseek(c->fd->host, delta, whence);
    if (at < 0) return wasi_errno_from_host(errno);
    wasi_guest_put64(result, (u64)at);
    return WASI_E_SUCCESS;
}

/* Asking for the position (CUR, 0) needs only FD_TELL; FD_SEEK implies it. */
wasi_errno wasi_p1_fd_seek(struct wasi_call *c)
{
    static const int whences[] = {
        [WASI_WHENCE_SET] = SEEK_SET, [WASI_WHENCE_CUR] = SEEK_CUR, [WASI_WHENCE_END] = SEEK_END};
    i64 delta = (i64)c->arg[1].i64;
    u32 whence = c->p0 ? wasi_p0_whence(c->arg[2].i32) : c->arg[2].i32;
    u64 enough = WASI_RIGHT_FD_SEEK;
    if (whence == WASI_WHENCE_CUR && delta == 0) enough |= WASI_RIGHT_FD_TELL;
    if ((c->fd->rights & enough) == 0) return WASI_E_NOTCAPABLE;
    if (whence > WASI_WHENCE_END) return WASI_E_INVAL;
    return seek(c, delta, whences[whence], c->arg[3].i32);
}

wasi_errno wasi_p1_fd_tell(struct wasi_call *c) { return seek(c, 0, SEEK_CUR, c->arg[1].i32); }

/* ---------------------------------------------------------------- closing and numbers */

wasi_errno wasi_p1_fd_close(struct wasi_call *c)
{
    return wasi_fdtable_close(&c->wasi->fds, c->arg[0].i32);
}

wasi_errno wasi_p1_fd_renumber(struct wasi_call *c)
{
    return wasi_fdtable_renumber(&c->wasi->fds, c->arg[0].i32, c->arg[1].i32);
}

/* ---------------------------------------------------------------- flags and rights */

wasi_errno wasi_p1_fd_fdstat_get(struct wasi_call *c)
{
    u8 stat[WASI_FDSTAT_BYTES] = {0};
    stat[0] = c->fd->filetype;
    wasi_put16(stat + 2, c->fd->flags);
    wasi_put64(stat + 8, c->fd->rights);
    wasi_put64(stat + 16, c->fd->inheriting);
    return wasi_mem_write(&c->mem, c->arg[1].i32, stat, sizeof(stat));
}

/* The flags live in our table only: see fd/io.h. */
wasi_errno wasi_p1_fd_fdstat_set_flags(struct wasi_call *c)
{
    u32 flags = c->arg[1].i32;
    if ((flags & ~(u32)WASI_FDFLAGS_ALL) != 0) return WASI_E_INVAL;
    c->fd->flags = (u16)flags;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_p1_fd_fdstat_set_rights(struct wasi_call *c)
{
    u64 rights = c->arg[1].i64, inheriting = c->arg[2].i64;
    if ((rights & ~c->fd->rights) != 0 || (inheriting & ~c->fd->inheriting) != 0)
        return WASI_E_NOTCAPABLE;
    c->fd->rights = rights;
    c->fd->inheriting = inheriting;
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- the file behind it */

static u64 file_time(const struct timespec *ts)
{
    if (ts->tv_sec < 0) return 0;
    if ((u64)ts->tv_sec > UINT64_MAX / NS_PER_S - 1) return UINT64_MAX;
    return (u64)ts->tv_sec * NS_PER_S + (u64)ts->tv_nsec;
}

wasi_errno wasi_put_filestat(struct wasi_call *c, u32 addr, const struct stat *st, u8 filetype)
{
    u8 out[WASI_FILESTAT_BYTES], old[WASI_FILESTAT_BYTES];
    wasi_put64(out, (u64)st->st_dev);
    wasi_put64(out + 8, (u64)st->st_ino);
    wasi_put64(out + 16, filetype);
    wasi_put64(out + 24, (u64)st->st_nlink);
    wasi_put64(out + 32, (u64)st->st_size);
    wasi_put64(out + 40, file_time(&st->st_atim));
    wasi_put64(out + 48, file_time(&st->st_mtim));
    wasi_put64(out + 56, file_time(&st->st_ctim));
    if (!c->p0) return wasi_mem_write(&c->mem, addr, out, sizeof(out));
    return wasi_mem_write(&c->mem, addr, old, wasi_p0_filestat(old, out));
}

wasi_errno wasi_p1_fd_filestat_get(struct wasi_call *c)
{
    struct stat st;
    if (fstat(c->fd->host, &st) != 0) return wasi_errno_from_host(errno);
    return wasi_put_filestat(c, c->arg[1].i32, &st, c->fd->filetype);
}

wasi_errno wasi_p1_fd_filestat_set_size(struct wasi_call *c)
{
    if (c->arg[1].i64 > INT64_MAX) return WASI_E_INVAL;
    return host_result(ftruncate(c->fd->host, (off_t)c->arg[1].i64));
}

static struct timespec one_time(u64 ns, bool set, bool now)
{
    struct timespec ts = {.tv_nsec = UTIME_OMIT};
    if (now) ts.tv_nsec = UTIME_NOW;
    if (set)
        ts = (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
    return ts;
}

wasi_errno wasi_times(u64 atim, u64 mtim, u32 fstflags, struct timespec out[2])
{
    const u32 both_atim = WASI_FST_ATIM | WASI_FST_ATIM_NOW;
    const u32 both_mtim = WASI_FST_MTIM | WASI_FST_MTIM_NOW;
    if ((fstflags & ~(u32)WASI_FST_ALL) != 0 || (fstflags & both_atim) == both_atim ||
        (fstflags & both_mtim) == both_mtim)
        return WASI_E_INVAL;
    out[0] = one_time(atim, (fstflags & WASI_FST_ATIM) != 0, (fstflags & WASI_FST_ATIM_NOW) != 0);
    out[1] = one_time(mtim, (fstflags & WASI_FST_MTIM) != 0, (fstflags & WASI_FST_MTIM_NOW) != 0);
    return WASI_E_SUCCESS;
}

wasi_errno wasi_set_times(int host, const struct timespec times[2])
{
    if (utimensat(host, "", times, AT_EMPTY_PATH) == 0) return WASI_E_SUCCESS;
    if (errno != EINVAL) return wasi_errno_from_host(errno);
    /* Before Linux 5.8 there is no AT_EMPTY_PATH here; the link leads to the very same inode. */
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", host);
    return host_result(utimensat(AT_FDCWD, path, times, 0));
}

wasi_errno wasi_p1_fd_filestat_set_times(struct wasi_call *c)
{
    struct timespec times[2];
    wasi_errno e = wasi_times(c->arg[1].i64, c->arg[2].i64, c->arg[3].i32, times);
    return e == WASI_E_SUCCESS ? wasi_set_times(c->fd->host, times) : e;
}

/* Space is allocated for real or not at all: no emulation by writing zeros. */
wasi_errno wasi_p1_fd_allocate(struct wasi_call *c)
{
    u64 offset = c->arg[1].i64, len = c->arg[2].i64;
    if (offset > INT64_MAX || len > INT64_MAX) return WASI_E_INVAL;
    int r;
    do {
        r = fallocate(c->fd->host, 0, (off_t)offset, (off_t)len);
    } while (r != 0 && errno == EINTR);
    return host_result(r);
}

wasi_errno wasi_p1_fd_advise(struct wasi_call *c)
{
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    u64 offset = c->arg[1].i64, len = c->arg[2].i64;
    u32 advice = c->arg[3].i32;
    if (offset > INT64_MAX || len > INT64_MAX || advice >= sizeof(advices) / sizeof(advices[0]))
        return WASI_E_INVAL;
    int error = posix_fadvise(c->fd->host, (off_t)offset, (off_t)len, advices[advice]);
    return wasi_errno_from_host(error);
}

wasi_errno wasi_p1_fd_sync(struct wasi_call *c) { return host_result(fsync(c->fd->host)); }

wasi_errno wasi_p1_fd_datasync(struct wasi_call *c) { return host_result(fdatasync(c->fd->host)); }
