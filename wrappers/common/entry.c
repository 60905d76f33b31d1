/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c - finds the program of a container in its root file system and tells what it is. */
#include "common/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIRS_MAX = 64, HEAD_BYTES = 8192, TRIES_MAX = 100 };

/* ---------------------------------------------------------------- annotations */

struct kind_word {
    const char *key, *value;
    enum wrap_kind kind;
};
static const struct kind_word kind_words[] = {
    {"module.wasm.image/variant", "compat", WRAP_KIND_WASM},
    {"module.wasm.image/variant", "compat-smart", WRAP_KIND_LOOK},
    {"run.oci.handler", "wasm", WRAP_KIND_WASM},
    {"run.oci.handler", "wasmrun", WRAP_KIND_WASM},
    {"run.oci.handler", "wasm-smart", WRAP_KIND_LOOK},
};
/* What the container of a pod is called that holds its namespaces. */
static const struct kind_word sandbox_words[] = {
    {"io.kubernetes.cri.container-type", "sandbox", WRAP_KIND_PAUSE},
    {"io.kubernetes.cri-o.ContainerType", "sandbox", WRAP_KIND_PAUSE},
};

static bool is_sandbox(const struct wrap_spec *spec)
{
    for (size_t i = 0; i < sizeof sandbox_words / sizeof sandbox_words[0]; i++) {
        const char *value = wrap_spec_annotation(spec, sandbox_words[i].key);
        if (value && strcmp(value, sandbox_words[i].value) == 0) {
            return true;
        }
    }
    return false;
}

/* Looks `value` up; false when the key has no such value. */
static bool kind_for(const char *key, const char *value, enum wrap_kind *out)
{
    for (size_t i = 0; i < sizeof kind_words / sizeof kind_words[0]; i++) {
        if (strcmp(kind_words[i].key, key) == 0 && strcmp(kind_words[i].value, value) == 0) {
            *out = kind_words[i].kind;
            return true;
        }
    }
    return false;
}

bool wrap_kind_of(const struct wrap_spec *spec, enum wrap_kind *out, struct wrap_error *err)
{
    static const char *const keys[] = {"module.wasm.image/variant", "run.oci.handler"};
    *out = WRAP_KIND_LOOK;
    /* Annotations of a pod reach its sandbox too, which they do not mean. */
    if (is_sandbox(spec)) {
        const struct wrap_strings *args = &spec->process.args;
        bool pause = args->count == 1 && strcmp(args->items[0], "/pause") == 0;
        *out = pause ? WRAP_KIND_PAUSE : WRAP_KIND_LOOK;
        return true;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = wrap_spec_annotation(spec, keys[i]);
        enum wrap_kind kind = WRAP_KIND_LOOK;
        if (value && !kind_for(keys[i], value, &kind)) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "annotation %s: unknown value '%.100s'",
                             keys[i], value);
        }
        if (kind == WRAP_KIND_WASM) {
            *out = kind;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- args[0] */

bool wrap_entry_parse(const struct wrap_process *process, struct wrap_entry *out,
                      struct wrap_error *err)
{
    *out = (struct wrap_entry){0};
    if (!process->args.count) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "process.args: is empty");
    }
    /* The first one: names of functions may have a '#', and other shims read it so as well. */
    const char *text = process->args.items[0];
    size_t length = strcspn(text, "#");
    if (!length || (text[length] && !text[length + 1])) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "process.args[0]: '%.100s' has no %s", text,
                         length ? "function behind its #" : "path");
    }
    out->path = strndup(text, length);
    out->func = text[length] ? strdup(text + length + 1) : NULL;
    if (!out->path || (text[length] && !out->func)) {
        wrap_entry_fini(out);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    return true;
}

void wrap_entry_fini(struct wrap_entry *entry)
{
    free(entry->path);
    free(entry->func);
    *entry = (struct wrap_entry){0};
}

/* ---------------------------------------------------------------- opening */

/* Opens a regular file, all links resolved beneath the root; -1 with errno. */
static int open_inside(int rootfs_fd, const char *path)
{
    const struct open_how how = {
        /* A FIFO or a device in its place must not make us wait. */
        .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    struct stat status;
    int fd = -1;
    unsigned tries = 0;
    do { /* a rename or mount elsewhere at the same time is EAGAIN */
        fd = (int)syscall(SYS_openat2, rootfs_fd, path, &how, sizeof how);
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < TRIES_MAX);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        return fd;
    }
    close(fd);
    errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
    return -1;
}

/* Tries FOLDER/PATH, where FOLDER has `length` bytes; -1 with errno. */
static int open_in(int rootfs_fd, const char *folder, size_t length, const char *path)
{
    char whole[PATH_MAX];
    int size = snprintf(whole, sizeof whole, "%.*s/%s",
                        length < sizeof whole ? (int)length : PATH_MAX, folder, path);
    if (size < 0 || (size_t)size >= sizeof whole) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open_inside(rootfs_fd, whole);
}

/* Looks in the folders of PATH; -1: in none of them. */
static int open_from_path(int rootfs_fd, const char *folders, const char *name)
{
    for (unsigned i = 0; i < DIRS_MAX; i++) {
        size_t length = strcspn(folders, ":");
        /* An empty folder is the current one, which is tried anyway. */
        int fd = length ? open_in(rootfs_fd, folders, length, name) : -1;
        if (fd >= 0) {
            return fd;
        }
        if (!folders[length]) {
            break;
        }
        folders += length + 1;
    }
    return -1;
}

static int search(int rootfs_fd, const struct wrap_process *process, const char *folders,
                  const char *name)
{
    int fd = open_from_path(rootfs_fd, folders, name);
    if (fd < 0) {
        fd = open_in(rootfs_fd, process->cwd, strlen(process->cwd), name);
    }
    return fd < 0 ? open_in(rootfs_fd, "", 0, name) : fd;
}

bool wrap_entry_open(int rootfs_fd, const struct wrap_process *process,
                     const struct wrap_entry *entry, int *fd, struct wrap_error *err)
{
    static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *path = entry->path;
    if (!strchr(path, '/')) {
        const char *folders = wrap_process_env(process, "PATH");
        folders = folders ? folders : usual;
        *fd = search(rootfs_fd, process, folders, path);
        return *fd >= 0 || wrap_fail(err, WRAP_NOT_FOUND,
                                     "no file '%.100s' in PATH (%.200s), in '%.100s' or in '/'",
                                     path, folders, process->cwd);
    }
    *fd = path[0] == '/' ? open_inside(rootfs_fd, path)
                         : open_in(rootfs_fd, process->cwd, strlen(process->cwd), path);
    if (*fd >= 0) {
        return true;
    }
    const char *from = path[0] == '/' ? "" : process->cwd;
    return wrap_fail_errno(err, errno, "'%.200s'%s%.100s%s", path, from[0] ? " in '" : "", from,
                           from[0] ? "'" : "");
}

/* ---------------------------------------------------------------- looking */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The end of "(; ... ;)", which may have others inside; NULL: it does not end here. */
static const char *skip_block(const char *at, const char *end)
{
    size_t depth = 0;
    while (end - at >= 2) {
        bool opens = at[0] == '(' && at[1] == ';';
        bool closes = at[0] == ';' && at[1] == ')';
        depth += opens;
        depth -= closes;
        at += opens || closes ? 2 : 1;
        if (!depth) {
            return at;
        }
    }
    return NULL;
}

/* Behind white space and comments; NULL: that is all there is. */
static const char *skip_blank(const char *at, const char *end)
{
    while (at && at < end) {
        if (is_space(*at)) {
            at++;
        } else if (end - at >= 2 && at[0] == ';' && at[1] == ';') {
            at = memchr(at, '\n', (size_t)(end - at));
        } else if (end - at >= 2 && at[0] == '(' && at[1] == ';') {
            at = skip_block(at, end);
        } else {
            return at;
        }
    }
    return NULL;
}

/* "(module" or "(component", and then something that ends the word. */
static bool is_text(const char *at, const char *end)
{
    static const char *const words[] = {"module", "component"};
    at = skip_blank(at, end);
    if (!at || *at != '(') {
        return false;
    }
    at = skip_blank(at + 1, end);
    for (size_t i = 0; at && i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) > length && memcmp(at, words[i], length) == 0) {
            return is_space(at[length]) || strchr("();$\"", at[length]);
        }
    }
    return false;
}

enum wrap_kind wrap_entry_look(int fd)
{
    static const char magic[4] = {0, 'a', 's', 'm'};
    char head[HEAD_BYTES];
    ssize_t size = pread(fd, head, sizeof head, 0);
    if (size < (ssize_t)sizeof magic) {
        return WRAP_KIND_LINUX;
    }
    if (memcmp(head, magic, sizeof magic) == 0 || is_text(head, head + size)) {
        return WRAP_KIND_WASM;
    }
    return WRAP_KIND_LINUX;
}
