/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - reads what goes into an image and sorts it. */
#include "pack/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 100000, DEPTH_MAX = 64, PIECE = 1 << 16 };

static bool no_memory(struct wrap_error *err)
{
    return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---------------------------------------------------------------- names */

/* In a layer a name that begins with .wh. removes a file. */
static bool path_good(const char *path)
{
    for (const char *at = path;;) {
        size_t size = strcspn(at, "/");
        bool dots = (size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.');
        if (!size || dots || strncmp(at, ".wh.", 4) == 0) {
            return false;
        }
        if (!at[size]) {
            return true;
        }
        at += size + 1;
    }
}

/* Takes `bytes`, also when it fails. */
static bool take(struct wrap_pack_files *files, const char *path, struct wrap_pack_file file,
                 struct wrap_error *err)
{
    path += path[0] == '/';
    struct wrap_pack_file *rows = files->rows;
    bool good =
        path_good(path) || wrap_fail(err, WRAP_INVALID_ARGUMENT,
                                     "'/%s' cannot be the name of a file in an image", path);
    good = good && (files->count < FILES_MAX ||
                    wrap_fail(err, WRAP_INVALID_ARGUMENT, "more than %d files", FILES_MAX));
    if (good && !(files->count & (files->count - 1))) { /* doubled at powers of two */
        rows = realloc(rows, (files->count ? files->count * 2 : 1) * sizeof *rows);
    }
    file.path = good && rows ? strdup(path) : NULL;
    files->rows = rows ? rows : files->rows;
    if (!file.path) {
        free(file.bytes);
        return no_memory(err); /* the first error stays */
    }
    files->rows[files->count++] = file;
    files->total += file.size;
    return true;
}

/* ---------------------------------------------------------------- reading */

/* All of `fd`; NULL: `err`. */
static char *read_all(int fd, const char *name, size_t most, size_t *size, struct wrap_error *err)
{
    char *bytes = NULL;
    size_t room = 0;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        room = (size_t)st.st_size < most ? (size_t)st.st_size : most;
    }
    for (*size = 0;;) {
        if (!bytes || *size == room) {
            room = bytes ? room * 2 : room + PIECE; /* a byte more than it has shows its end */
            char *grown = realloc(bytes, room);
            if (!grown) {
                no_memory(err);
                break;
            }
            bytes = grown;
        }
        ssize_t got = read(fd, bytes + *size, room - *size);
        if (got == 0) {
            return bytes;
        }
        if (got < 0 && errno != EINTR) {
            wrap_fail_errno(err, errno, "%s", name);
            break;
        }
        *size += got > 0 ? (size_t)got : 0;
        if (*size > most) {
            wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: more than 2 GiB in one image", name);
            break;
        }
    }
    free(bytes);
    return NULL;
}

bool wrap_pack_file_add(struct wrap_pack_files *files, const char *host, const char *path,
                        unsigned mode, struct wrap_error *err)
{
    bool from_stdin = strcmp(host, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(host, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return wrap_fail_errno(err, errno, "%s", host);
    }
    struct wrap_pack_file file = {.mode = mode};
    const char *name = from_stdin ? "<stdin>" : host;
    file.bytes = read_all(fd, name, WRAP_PACK_MAX - files->total, &file.size, err);
    if (!from_stdin) {
        close(fd);
    }
    return file.bytes && take(files, path, file, err);
}

static bool is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool add_below(struct wrap_pack_files *files, const char *host, const char *path,
                      unsigned depth, struct wrap_error *err);

static bool add_folder(struct wrap_pack_files *files, const char *host, const char *path,
                       unsigned depth, struct wrap_error *err)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(host) : NULL;
    if (!dir) {
        return wrap_fail_errno(err, depth < DEPTH_MAX ? errno : ELOOP, "%s", host);
    }
    bool good = take(files, path, (struct wrap_pack_file){.mode = 0755}, err);
    for (const struct dirent *entry = NULL; good && (entry = readdir(dir));) {
        char inner[PATH_MAX];
        char outer[PATH_MAX];
        if (!is_entry(entry)) {
            continue;
        }
        bool fits = snprintf(inner, PATH_MAX, "%s/%s", path, entry->d_name) < PATH_MAX &&
                    snprintf(outer, PATH_MAX, "%s/%s", host, entry->d_name) < PATH_MAX;
        good = (fits || wrap_fail_errno(err, ENAMETOOLONG, "%s", host)) &&
               add_below(files, outer, inner, depth + 1, err);
    }
    closedir(dir);
    return good;
}

static bool add_below(struct wrap_pack_files *files, const char *host, const char *path,
                      unsigned depth, struct wrap_error *err)
{
    struct stat st;
    /* Below what was named, links are not followed: they could lead out of the folder. */
    if (fstatat(AT_FDCWD, host, &st, depth ? AT_SYMLINK_NOFOLLOW : 0) != 0) {
        return wrap_fail_errno(err, errno, "%s", host);
    }
    if (S_ISDIR(st.st_mode)) {
        return add_folder(files, host, path, depth, err);
    }
    return S_ISREG(st.st_mode)
               ? wrap_pack_file_add(files, host, path, 0644, err)
               : wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: neither a file nor a folder", host);
}

bool wrap_pack_tree_add(struct wrap_pack_files *files, const char *host, const char *path,
                        struct wrap_error *err)
{
    return add_below(files, host, path, 0, err);
}

/* ---------------------------------------------------------------- order */

static int by_path(const void *a, const void *b)
{
    const struct wrap_pack_file *left = a;
    const struct wrap_pack_file *right = b;
    return strcmp(left->path, right->path);
}

/* Each folder above a file, if nobody has added it. `files` is sorted up to `count`. */
static bool add_parents(struct wrap_pack_files *files, size_t count, struct wrap_error *err)
{
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s", files->rows[i].path) >= PATH_MAX) {
            return wrap_fail_errno(err, ENAMETOOLONG, "%s", path);
        }
        for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
            *slash = 0;
            struct wrap_pack_file key = {.path = path};
            const struct wrap_pack_file *there =
                bsearch(&key, files->rows, count, sizeof key, by_path);
            if (there && there->bytes) {
                return wrap_fail(err, WRAP_INVALID_ARGUMENT, "'/%s' is a file and a folder", path);
            }
            if (!there && !take(files, path, (struct wrap_pack_file){.mode = 0755}, err)) {
                return false;
            }
        }
    }
    return true;
}

static void sort(struct wrap_pack_files *files)
{
    qsort(files->rows, files->count, sizeof files->rows[0], by_path);
}

bool wrap_pack_files_finish(struct wrap_pack_files *files, struct wrap_error *err)
{
    sort(files);
    if (!add_parents(files, files->count, err)) {
        return false;
    }
    sort(files);
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        struct wrap_pack_file *row = &files->rows[i];
        if (!kept || strcmp(files->rows[kept - 1].path, row->path) != 0) {
            struct wrap_pack_file moved = *row;
            *row = (struct wrap_pack_file){0}; /* freed once, also when what follows is wrong */
            files->rows[kept++] = moved;
        } else if (row->bytes || files->rows[kept - 1].bytes) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "two files would be '/%s'", row->path);
        } else {
            free(row->path); /* the folder above several files */
            row->path = NULL;
        }
    }
    files->count = kept;
    return true;
}

const struct wrap_pack_file *wrap_pack_file_find(const struct wrap_pack_files *files,
                                                 const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->rows[i].path, path + (path[0] == '/')) == 0) {
            return &files->rows[i];
        }
    }
    return NULL;
}

bool wrap_pack_layer(const struct wrap_pack_files *files, int64_t time, wrap_tar_sink sink,
                     void *ctx, struct wrap_error *err)
{
    struct wrap_tar *tar = wrap_tar_new(sink, ctx, time, err);
    bool good = tar != NULL;
    for (size_t i = 0; good && i < files->count; i++) {
        const struct wrap_pack_file *row = &files->rows[i];
        struct wrap_tar_entry entry = {row->path, row->size, row->mode, !row->bytes};
        good = wrap_tar_add(tar, &entry, err) && wrap_tar_data(tar, row->bytes, row->size, err);
    }
    return tar && wrap_tar_end(tar, good, err);
}

void wrap_pack_files_free(struct wrap_pack_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->rows[i].path);
        free(files->rows[i].bytes);
    }
    free(files->rows);
    *files = (struct wrap_pack_files){0};
}
