/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.c - path resolution one component at a time, for hosts without openat2.
 *
 * The way down is a stack of open directories and ".." pops it, so that no rename and no symlink
 * can lead above the start. Every open is O_NOFOLLOW; symlinks are read and spliced in by hand.
 */
#include "fd/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_DEPTH = 256,  /* directories open at once */
    MAX_LINKS = 40,   /* symlinks followed, as in Linux */
    MAX_REST = 8192,  /* bytes still to walk: a path and a symlink before it */
    MAX_SWAPS = 64    /* times a component may change type under us */
};

struct walk {
    int start;           /* borrowed */
    int stack[MAX_DEPTH];
    int depth;
    int links;
    int swaps;
    size_t pos;          /* of the unread part of `rest` */
    char rest[MAX_REST]; /* NUL-terminated */
    char name[NAME_MAX + 1];
    bool last;  /* `name` is the last component */
    bool slash; /* and slashes follow it */
};

/* What a step says: go on with the next component, or stop with `errno` or a descriptor. */
enum step { STEP_NEXT, STEP_DONE, STEP_FAIL };

static int top(const struct walk *w) { return w->depth > 0 ? w->stack[w->depth - 1] : w->start; }

static enum step fail(int error)
{
    errno = error;
    return STEP_FAIL;
}

/* Cuts the next component off; false at the end of the path. */
static enum step next_name(struct walk *w, bool *end)
{
    while (w->rest[w->pos] == '/') w->pos++;
    size_t len = strcspn(w->rest + w->pos, "/");
    *end = len == 0;
    if (len > NAME_MAX) return fail(ENAMETOOLONG);
    memcpy(w->name, w->rest + w->pos, len);
    w->name[len] = '\0';
    w->pos += len;
    w->slash = w->rest[w->pos] == '/';
    w->last = w->rest[w->pos + strspn(w->rest + w->pos, "/")] == '\0';
    return STEP_NEXT;
}

static enum step push(struct walk *w, int fd)
{
    if (w->depth == MAX_DEPTH) {
        close(fd);
        return fail(ENAMETOOLONG);
    }
    w->stack[w->depth++] = fd;
    return STEP_NEXT;
}

static enum step pop(struct walk *w)
{
    if (w->depth == 0) return fail(EXDEV); /* above the start */
    close(w->stack[--w->depth]);
    return STEP_NEXT;
}

/* Puts the target of symlink `link` (an O_PATH descriptor) in front of what is left to walk. */
static enum step expand(struct walk *w, int link)
{
    char target[PATH_MAX];
    if (++w->links > MAX_LINKS) return fail(ELOOP);
    ssize_t len = readlinkat(link, "", target, sizeof(target));
    if (len < 0) return STEP_FAIL;
    if (len == 0) return fail(ENOENT);
    if (target[0] == '/') return fail(EXDEV);
    size_t left = strlen(w->rest + w->pos);
    if ((size_t)len + left + 1 > sizeof(w->rest)) return fail(ENAMETOOLONG);
    memmove(w->rest + len, w->rest + w->pos, left + 1);
    memcpy(w->rest, target, (size_t)len);
    w->pos = 0;
    return STEP_NEXT;
}

/* A component that is not the last (or has slashes after it): a directory, or a symlink to one. */
static enum step walk_dir(struct walk *w)
{
    int fd = openat(top(w), w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return STEP_FAIL;
    struct stat st;
    enum step s = STEP_FAIL;
    if (fstat(fd, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return push(w, fd);
        s = S_ISLNK(st.st_mode) ? expand(w, fd) : fail(ENOTDIR);
    }
    int error = errno;
    close(fd);
    errno = error;
    return s;
}

/* True when the last component, to be followed, is a symlink now; it is spliced in. */
static bool follow_last(struct walk *w, enum step *s)
{
    WASI_AUTO_CLOSE int fd = openat(top(w), w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISLNK(st.st_mode)) return false;
    *s = expand(w, fd);
    return true;
}

static bool is_symlink(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Opens the last component. A symlink that appears between look and open is never followed. */
static enum step walk_last(struct walk *w, int flags, int *out)
{
    bool follow = (flags & O_NOFOLLOW) == 0 && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    enum step s;
    if (follow && follow_last(w, &s)) return s;
    int fd = openat(top(w), w->name, flags | O_NOFOLLOW, WASI_NEW_FILE_MODE);
    if (fd < 0 && follow && (errno == ELOOP || errno == ENOTDIR) && w->swaps++ < MAX_SWAPS &&
        follow_last(w, &s))
        return s;
    if (fd < 0) return STEP_FAIL;
    if (follow && (flags & O_PATH) != 0 && is_symlink(fd)) {
        s = expand(w, fd);
        int error = errno;
        close(fd);
        errno = error;
        return s;
    }
    *out = fd;
    return STEP_DONE;
}

/* The path ended in ".", ".." or slashes: the directory we stand in is what is to be opened. */
static enum step reopen_top(struct walk *w, int flags, int *out)
{
    if ((flags & O_CREAT) != 0) return fail((flags & O_EXCL) != 0 ? EEXIST : EISDIR);
    *out = openat(top(w), ".", flags & ~O_NOFOLLOW);
    return *out < 0 ? STEP_FAIL : STEP_DONE;
}

static enum step walk_step(struct walk *w, int flags, int *out)
{
    bool end;
    enum step s = next_name(w, &end);
    if (s != STEP_NEXT) return s;
    if (end) return reopen_top(w, flags, out);
    if (strcmp(w->name, ".") == 0) return STEP_NEXT;
    if (strcmp(w->name, "..") == 0) return pop(w);
    if (w->last && w->slash && (flags & O_CREAT) != 0) return fail(EISDIR);
    if (!w->last || w->slash) return walk_dir(w);
    return walk_last(w, flags, out);
}

wasi_errno wasi_walk_open(int dir, const char *path, int flags, int *out)
{
    struct walk w;
    w.start = dir;
    w.depth = w.links = w.swaps = 0;
    w.pos = 0;
    *out = -1;
    size_t len = strlen(path);
    if (len == 0) return WASI_E_NOENT;
    if (len >= PATH_MAX) return WASI_E_NAMETOOLONG;
    if (path[0] == '/') return WASI_E_PERM;
    memcpy(w.rest, path, len + 1);
    enum step s;
    do {
        s = walk_step(&w, flags | O_CLOEXEC, out);
    } while (s == STEP_NEXT);
    int error = errno;
    while (w.depth > 0) close(w.stack[--w.depth]);
    if (s == STEP_DONE) return WASI_E_SUCCESS;
    return error == EXDEV ? WASI_E_PERM : wasi_errno_from_host(error);
}
