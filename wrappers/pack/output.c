/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - files without a name, named when they are whole. */
#include "pack/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A nameless file beside `path`: a process that is killed leaves nothing. */
static int open_nameless(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    free(copy);
    return fd;
}

/* Names of ours beside `path`, others at each call. */
static char *draft_name(const char *path)
{
    static unsigned count;
    char *name = NULL;
    return asprintf(&name, "%s.%ld.%u.new", path, (long)getpid(), count++) < 0 ? NULL : name;
}

static bool open_file(struct wrap_output *out, const char *path, struct wrap_error *err)
{
    out->path = realpath(path, NULL); /* a link stays, what it leads to is replaced */
    if (!out->path && errno == ENOENT) {
        out->path = strdup(path);
    }
    out->fd = out->path ? open_nameless(out->path) : -1;
    if (out->fd >= 0) {
        return true;
    }
    out->draft = out->path ? draft_name(out->path) : NULL;
    if (out->draft) { /* there are file systems without nameless files */
        out->fd = open(out->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    }
    if (out->fd < 0) {
        wrap_fail_errno(err, errno, "%s", path);
        free(out->draft);
        out->draft = NULL;
        wrap_output_close(out, false, err);
        return false;
    }
    return true;
}

bool wrap_output_open(struct wrap_output *out, const char *path, struct wrap_error *err)
{
    struct stat st;
    *out = (struct wrap_output){.fd = -1};
    if (strcmp(path, "-") == 0) {
        out->fd = isatty(STDOUT_FILENO) ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return out->fd >= 0 ||
               wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "standard output is a terminal or closed: no place for a tar file");
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return wrap_fail_errno(err, EISDIR, "%s", path);
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return out->fd >= 0 || wrap_fail_errno(err, errno, "%s", path);
    }
    return open_file(out, path, err);
}

bool wrap_output_write(void *ctx, const void *data, size_t size)
{
    struct wrap_output *out = ctx;
    for (const char *at = data; size;) {
        ssize_t done = write(out->fd, at, size);
        if (done < 0 && errno != EINTR) {
            out->problem = errno;
            return false;
        }
        at += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool name_it(struct wrap_output *out)
{
    char self[40];
    snprintf(self, sizeof self, "/proc/self/fd/%d", out->fd);
    if (!out->draft) {
        char *name = draft_name(out->path);
        if (!name || linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0) {
            free(name);
            return false;
        }
        out->draft = name;
    }
    return rename(out->draft, out->path) == 0;
}

bool wrap_output_close(struct wrap_output *out, bool good, struct wrap_error *err)
{
    if (good && out->path && !name_it(out)) {
        good = wrap_fail_errno(err, errno, "%s", out->path);
    }
    if (!good && out->draft) {
        unlink(out->draft);
    }
    if (out->fd >= 0 && close(out->fd) != 0 && good && !out->path) {
        good = wrap_fail_errno(err, errno, "standard output");
    }
    free(out->draft);
    free(out->path);
    *out = (struct wrap_output){.fd = -1};
    return good;
}
