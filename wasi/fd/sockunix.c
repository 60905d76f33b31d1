/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockunix.c - Unix socket paths of a guest: resolved beneath its preopens as every other path is,
 * and handed to the kernel through the descriptor that was found.
 */
#include "fd/rights.h"
#include "fd/sock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* Bytes of `path` that the preopen `name` stands for, -1: it is not beneath it. */
static int prefix(const char *name, const char *path)
{
    if (strcmp(name, ".") == 0) return path[0] == '/' ? -1 : 0;
    if (strcmp(name, "/") == 0) return path[0] == '/' ? 1 : -1;
    size_t len = strlen(name);
    while (len > 1 && name[len - 1] == '/') len--;
    if (strncmp(name, path, len) != 0 || path[len] != '/') return -1;
    return (int)len + 1;
}

/* The preopen with the longest name above `path`. */
static struct wasi_fd *find_preopen(const struct wasi_fdtable *fds, const char *path, int *skip)
{
    struct wasi_fd *best = NULL;
    *skip = -1;
    for (u32 i = WASI_FD_FIRST; i < fds->size; i++) {
        struct wasi_fd *fd = fds->slot[i];
        int len = fd != NULL && fd->preopen != NULL ? prefix(fd->preopen, path) : -1;
        if (len <= *skip) continue;
        best = fd;
        *skip = len;
    }
    return best;
}

static wasi_errno set_path(struct wasi_addr *out, int fd, const char *last)
{
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&out->of;
    memset(out, 0, sizeof(*out));
    un->sun_family = AF_UNIX;
    out->len = sizeof(*un);
    const char *slash = last != NULL ? "/" : "";
    int n = snprintf(un->sun_path, sizeof(un->sun_path), "/proc/self/fd/%d%s%s", fd, slash,
                     last != NULL ? last : "");
    return n < (int)sizeof(un->sun_path) ? WASI_E_SUCCESS : WASI_E_NAMETOOLONG;
}

wasi_errno wasi_sock_unix(struct wasi_call *c, const char *path, bool bind, struct wasi_addr *out,
                          int *keep_open)
{
    char copy[WASI_PATH_MAX + 1];
    int skip;
    *keep_open = -1;
    if (path[0] == '\0') return WASI_E_NOENT; /* an abstract name, or none */
    struct wasi_fd *dir = find_preopen(&c->wasi->fds, path, &skip);
    if (dir == NULL) return WASI_E_NOTCAPABLE;
    u64 right = bind ? WASI_RIGHT_PATH_CREATE_FILE : WASI_RIGHT_PATH_OPEN;
    if ((dir->rights & right) == 0) return WASI_E_NOTCAPABLE;
    if (bind && dir->read_only) return WASI_E_PERM;
    if (snprintf(copy, sizeof(copy), "%s", path + skip) > WASI_PATH_MAX) return WASI_E_NAMETOOLONG;
    if (!bind) {
        wasi_errno e = wasi_resolve_open(&c->wasi->resolver, dir->host, copy, O_PATH, keep_open);
        return e == WASI_E_SUCCESS ? set_path(out, *keep_open, NULL) : e;
    }
    struct wasi_at at = {.dir = -1};
    wasi_errno e = wasi_resolve_parent(&c->wasi->resolver, dir->host, copy, &at);
    if (e == WASI_E_SUCCESS && at.slashes) e = WASI_E_NOTDIR;
    if (e == WASI_E_SUCCESS) e = set_path(out, at.dir, at.last);
    if (at.owned) *keep_open = at.dir; /* until the caller has bound */
    return e;
}
