/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - turns a guest path into a host descriptor without ever leaving the directory it
 * starts from: openat2(RESOLVE_BENEATH), or a component walk where the kernel or a filter has no
 * openat2. The only files that open anything by a guest's path are resolve.c and walk.c.
 */
#ifndef WASI_FD_RESOLVE_H
#define WASI_FD_RESOLVE_H

#include "abi/ints.h"
#include "abi/p1_types.h"

/** How paths are resolved; found once per context, forced by tests. */
enum wasi_resolve_mode { WASI_RESOLVE_PROBE = 0, WASI_RESOLVE_OPENAT2, WASI_RESOLVE_WALK };

/** Permissions of files made by O_CREAT, before the umask. */
enum { WASI_NEW_FILE_MODE = 0666 };

struct wasi_resolver {
    enum wasi_resolve_mode mode;
};

/**
 * Opens `path` beneath `dir`. `flags` are open(2) flags; with O_NOFOLLOW a final symlink is not
 * followed (and with O_PATH it is what is opened). O_CLOEXEC is added. A new file is 0666 & ~umask.
 * PERM for a path that leaves the directory; else the errno of open.
 */
WASI_MUST_USE wasi_errno wasi_resolve_open(struct wasi_resolver *r, int dir, const char *path,
                                           int flags, int *out);

/** The directory that holds a path's last component, and that component for an *at() call. */
struct wasi_at {
    int dir;          /**< O_PATH descriptor, or the starting directory itself */
    bool owned;       /**< `dir` is to be closed */
    const char *last; /**< last component with its trailing slashes; points into the path */
    bool slashes;     /**< it has trailing slashes */
};

/**
 * Resolves all but the last component of `path` (cut in place). No *at() call that may follow a
 * symlink may be given `last` when `slashes` is set. NOENT for an empty path, PERM for an absolute
 * one.
 */
WASI_MUST_USE wasi_errno wasi_resolve_parent(struct wasi_resolver *r, int dir, char *path,
                                             struct wasi_at *out);
/** Closes what wasi_resolve_parent opened. */
void wasi_at_close(struct wasi_at *at);

/** The walker of walk.c: the same contract as wasi_resolve_open. */
WASI_MUST_USE wasi_errno wasi_walk_open(int dir, const char *path, int flags, int *out);

/** For __attribute__((cleanup)): closes a descriptor that is not negative. */
static inline void wasi_auto_close(int *fd);
#define WASI_AUTO_CLOSE __attribute__((cleanup(wasi_auto_close)))
#define WASI_AUTO_AT __attribute__((cleanup(wasi_at_close)))

int wasi_close(int fd);
static inline void wasi_auto_close(int *fd)
{
    if (*fd >= 0) (void)wasi_close(*fd);
}

#endif
