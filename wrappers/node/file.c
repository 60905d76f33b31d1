/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - see file.h. */
#include "node/file.h"

#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LINKS_MAX = 40, NOT_REGULAR = -1 /* beside errnos */ };

/* Where a file is or would be. */
struct place {
    int dir; /* O_PATH */
    char name[NAME_MAX + 1];
};

/* ---------------------------------------------------------------- finding */

/* "a/b/c" into "a/b" and "c". 0, or an errno. */
static int split(const char *path, char parent[PATH_MAX], char name[NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (strlen(last) > NAME_MAX || size >= PATH_MAX) return ENAMETOOLONG;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) return EINVAL;
    memcpy(parent, path, size);
    parent[size] = '\0';
    strcpy(name, last);
    return 0;
}

/* A link's text is a path again, from the folder that it lies in. */
static int follow(char path[PATH_MAX], const char *parent, const char *text)
{
    char next[2 * PATH_MAX];
    int length = text[0] == '/' ? snprintf(next, sizeof next, "%s", text)
                                : snprintf(next, sizeof next, "%s/%s", parent, text);
    if (length < 0 || length >= PATH_MAX) return ENAMETOOLONG;
    memcpy(path, next, (size_t)length + 1);
    return 0;
}

static int find(int root, const char *path, bool make, struct place *out)
{
    char at[PATH_MAX], parent[PATH_MAX], text[PATH_MAX];
    if (strlen(path) >= sizeof at) return ENAMETOOLONG;
    strcpy(at, path);
    for (int links = 0; links < LINKS_MAX; links++) {
        int problem = split(at, parent, out->name);
        if (problem) return problem;
        out->dir = wrap_beneath(root, parent, make ? WRAP_MISSING_DIRECTORY : WRAP_MISSING_FAIL);
        if (out->dir < 0) return errno;
        ssize_t length = readlinkat(out->dir, out->name, text, sizeof text - 1);
        if (length < 0) {
            if (errno == EINVAL || errno == ENOENT) return 0; /* no link, or not there yet */
            problem = errno;
            close(out->dir);
            return problem;
        }
        close(out->dir);
        text[length] = '\0';
        problem = follow(at, parent, text);
        if (problem) return problem;
    }
    return ELOOP;
}

bool wrap_node_exists(int root, const char *path)
{
    int fd = wrap_beneath(root, path, WRAP_MISSING_FAIL);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* ---------------------------------------------------------------- reading */

static int read_all(int fd, size_t max, struct wrap_node_file *out)
{
    if (!S_ISREG(out->st.st_mode)) return NOT_REGULAR;
    if (out->st.st_size < 0 || (size_t)out->st.st_size > max) return EFBIG;
    size_t room = (size_t)out->st.st_size;
    out->data = malloc(room + 1);
    if (!out->data) return ENOMEM;
    while (out->size < room) {
        ssize_t got = pread(fd, out->data + out->size, room - out->size, (off_t)out->size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        out->size += (size_t)got;
    }
    out->data[out->size] = '\0';
    return 0;
}

static bool cannot(int problem, const char *what, const char *path, struct wrap_error *err)
{
    if (problem == NOT_REGULAR) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "%s: not a regular file", path);
    }
    return wrap_fail_errno(err, problem, "%s: cannot %s it", path, what);
}

bool wrap_node_file_read(int root, const char *path, size_t max, struct wrap_node_file *out,
                         struct wrap_error *err)
{
    *out = (struct wrap_node_file){0};
    struct place place = {.dir = -1};
    int problem = 0, fd = -1;
    if (root == AT_FDCWD) {
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    } else if ((problem = find(root, path, false, &place)) == 0) {
        fd = openat(place.dir, place.name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (!problem && fd < 0) problem = errno;
    if (place.dir >= 0) close(place.dir);
    if (problem == ENOENT || problem == ENOTDIR) return true;
    if (!problem && fstat(fd, &out->st) < 0) problem = errno;
    if (!problem) problem = read_all(fd, max, out);
    if (fd >= 0) close(fd);
    if (problem) {
        wrap_node_file_free(out);
        return cannot(problem, "read", path, err);
    }
    out->exists = true;
    return true;
}

void wrap_node_file_free(struct wrap_node_file *file)
{
    free(file->data);
    *file = (struct wrap_node_file){0};
}

void wrap_node_hash(const char *data, size_t size, char out[WRAP_NODE_HASH])
{
    SHA256_CTX context;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)data, size);
    SHA256Final(digest, &context);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

/* ---------------------------------------------------------------- writing */

/*
 * Its name until it is whole: of no kind that a runtime reads (*.toml), and always the same, so
 * that what a killed run left is used up by the next.
 */
static void temporary_name(const char *name, char out[NAME_MAX + 1])
{
    snprintf(out, NAME_MAX + 1, ".%.200s.wasmrun-tmp", name);
}

static int write_all(int fd, const struct wrap_node_file *content)
{
    for (size_t done = 0; done < content->size;) {
        ssize_t put = write(fd, content->data + done, content->size - done);
        if (put < 0 && errno != EINTR) return errno;
        if (put > 0) done += (size_t)put;
    }
    return 0;
}

/* What is in the file now is what was to be written. */
static int compare(int fd, const struct wrap_node_file *content)
{
    struct wrap_node_file again = {0};
    char want[WRAP_NODE_HASH], got[WRAP_NODE_HASH];
    if (fstat(fd, &again.st) < 0) return errno;
    int problem = read_all(fd, WRAP_NODE_PROGRAM_MAX, &again);
    if (!problem) {
        wrap_node_hash(content->data, content->size, want);
        wrap_node_hash(again.data, again.size, got);
        problem = strcmp(want, got) == 0 ? 0 : EIO;
    }
    wrap_node_file_free(&again);
    return problem;
}

static int own_like(int fd, const struct wrap_node_file *content, const struct wrap_node_file *like)
{
    const struct wrap_node_file *model = like && like->exists ? like : content;
    struct stat st;
    if (fstat(fd, &st) < 0) return errno;
    bool same = st.st_uid == model->st.st_uid && st.st_gid == model->st.st_gid;
    if (model == like && !same && fchown(fd, model->st.st_uid, model->st.st_gid) < 0) return errno;
    return fchmod(fd, model->st.st_mode & 07777) < 0 ? errno : 0;
}

/* SELinux: a new file's label comes from its folder, which need not be that of the old one. */
static void label_like(int fd, const struct place *place)
{
    char label[256];
    int old = openat(place->dir, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t size = old < 0 ? -1 : fgetxattr(old, "security.selinux", label, sizeof label);
    if (size > 0) (void)fsetxattr(fd, "security.selinux", label, (size_t)size, 0);
    if (old >= 0) close(old);
}

/* A file without a name where the file system can do that: CRI-O reads all there is in a folder. */
static int make(const struct place *place, const char *temporary, bool *named)
{
    (void)unlinkat(place->dir, temporary, 0);
    int fd = openat(place->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    *named = fd < 0;
    if (fd >= 0) return fd;
    return openat(place->dir, temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
}

static int give_name(int fd, const struct place *place, const char *temporary)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, place->dir, temporary, AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
}

static int sync_folder(const struct place *place)
{
    int fd = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int problem = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return problem == EINVAL ? 0 : problem; /* file systems that have no such thing */
}

static int replace(const struct place *place, const struct wrap_node_file *content,
                   const struct wrap_node_file *like)
{
    char temporary[NAME_MAX + 1];
    bool named = false;
    temporary_name(place->name, temporary);
    int fd = make(place, temporary, &named);
    if (fd < 0) return errno;
    int problem = write_all(fd, content);
    if (!problem) problem = own_like(fd, content, like);
    if (!problem) label_like(fd, place);
    if (!problem && fsync(fd) < 0) problem = errno;
    if (!problem) problem = compare(fd, content);
    if (!problem && !named) problem = give_name(fd, place, temporary);
    close(fd);
    if (!problem && renameat(place->dir, temporary, place->dir, place->name) < 0) problem = errno;
    if (problem) {
        (void)unlinkat(place->dir, temporary, 0);
        return problem;
    }
    return sync_folder(place);
}

bool wrap_node_file_write(int root, const char *path, const struct wrap_node_file *content,
                          const struct wrap_node_file *like, struct wrap_error *err)
{
    struct place place;
    int problem = find(root, path, true, &place);
    if (!problem) {
        problem = replace(&place, content, like);
        close(place.dir);
    }
    return !problem || cannot(problem, "write", path, err);
}

bool wrap_node_file_remove(int root, const char *path, struct wrap_error *err)
{
    struct place place;
    int problem = find(root, path, false, &place);
    if (!problem) {
        problem = unlinkat(place.dir, place.name, 0) < 0 ? errno : sync_folder(&place);
        close(place.dir);
    }
    return !problem || problem == ENOENT || problem == ENOTDIR ||
           cannot(problem, "remove", path, err);
}

void wrap_node_file_tidy(int root, const char *path)
{
    struct place place;
    char temporary[NAME_MAX + 1];
    if (find(root, path, false, &place) == 0) {
        temporary_name(place.name, temporary);
        (void)unlinkat(place.dir, temporary, 0);
        close(place.dir);
    }
}

void wrap_node_folder_remove(int root, const char *path)
{
    struct place place;
    if (find(root, path, false, &place) == 0) {
        (void)unlinkat(place.dir, place.name, AT_REMOVEDIR);
        close(place.dir);
    }
}
