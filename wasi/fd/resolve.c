/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - path resolution by openat2, the choice of resolver, and parents of last components.
 */
#include "fd/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Concurrent renames make openat2 answer EAGAIN; past this the path is refused. */
enum { RETRIES = 256 };

int wasi_close(int fd) { return close(fd); }

static int openat2_beneath(int dir, const char *path, int flags)
{
    struct open_how how = {
        .flags = (u64)(unsigned)flags,
        .mode = (flags & O_CREAT) != 0 ? WASI_NEW_FILE_MODE : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* A seccomp filter may answer EPERM, an old kernel ENOSYS. Asked of a path that cannot fail else.
 */
static enum wasi_resolve_mode probe(int dir)
{
    int fd = openat2_beneath(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
        return WASI_RESOLVE_WALK;
    return WASI_RESOLVE_OPENAT2;
}

static wasi_errno open_by_kernel(struct wasi_resolver *r, int dir, const char *path, int flags,
                                 int *out)
{
    for (int i = 0; i < RETRIES; i++) {
        int fd = openat2_beneath(dir, path, flags);
        if (fd >= 0) {
            *out = fd;
            return WASI_E_SUCCESS;
        }
        if (errno == ENOSYS) { /* a filter was installed after the probe */
            r->mode = WASI_RESOLVE_WALK;
            return wasi_walk_open(dir, path, flags, out);
        }
        if (errno == EXDEV) return WASI_E_PERM;
        if (errno != EAGAIN && errno != EINTR) return wasi_errno_from_host(errno);
    }
    return WASI_E_PERM;
}

wasi_errno wasi_resolve_open(struct wasi_resolver *r, int dir, const char *path, int flags,
                             int *out)
{
    *out = -1;
    if (path[0] == '\0') return WASI_E_NOENT;
    if (path[0] == '/') return WASI_E_PERM;
    if (r->mode == WASI_RESOLVE_PROBE) r->mode = probe(dir);
    flags |= O_CLOEXEC;
    if (r->mode == WASI_RESOLVE_WALK) return wasi_walk_open(dir, path, flags, out);
    return open_by_kernel(r, dir, path, flags, out);
}

wasi_errno wasi_resolve_parent(struct wasi_resolver *r, int dir, char *path, struct wasi_at *out)
{
    *out = (struct wasi_at){.dir = dir};
    if (path[0] == '\0') return WASI_E_NOENT;
    if (path[0] == '/') return WASI_E_PERM;
    size_t end = strlen(path);
    while (path[end - 1] == '/') /* ends: path[0] is not a slash */
        end--;
    out->slashes = path[end] == '/';
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    out->last = path + start;
    if (start == 0) return WASI_E_SUCCESS;
    path[start - 1] = '\0';
    wasi_errno e = wasi_resolve_open(r, dir, path, O_PATH | O_DIRECTORY, &out->dir);
    out->owned = e == WASI_E_SUCCESS;
    return e;
}

void wasi_at_close(struct wasi_at *at)
{
    if (at->owned) close(at->dir);
    at->owned = false;
}
