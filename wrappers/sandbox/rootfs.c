/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.c - the root of a container: mounted in the child's own namespace, closed where the
 * specification wants it closed, made the root of the process.
 * Not here: mounts of the specification (mounts.c), those for delegated containers (rootmount.c).
 */
#include "sandbox/child.h"

#include "sandbox/rootmount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---------------------------------------------------------------- making */

/* Nothing that is mounted here may reach the host; "shared" gets what "slave" does. */
static unsigned long propagation(const struct wrap_spec *spec)
{
    const char *word = spec->rootfs_propagation;
    word += word[0] == 'r';
    return strcmp(word, "private") == 0 || strcmp(word, "unbindable") == 0 ? MS_PRIVATE : MS_SLAVE;
}

static bool root_path(const struct wrap_setup *setup, char out[PATH_MAX], struct wrap_error *err)
{
    const char *root = setup->spec->root && setup->spec->root[0] ? setup->spec->root : "rootfs";
    const char *bundle = setup->config->bundle;
    int length = setup->config->kind == WRAP_KIND_PAUSE ? snprintf(out, PATH_MAX, "%s", bundle)
                 : root[0] == '/'                       ? snprintf(out, PATH_MAX, "%s", root)
                                  : snprintf(out, PATH_MAX, "%s/%s", bundle, root);
    return length < PATH_MAX || wrap_fail(err, WRAP_INVALID_ARGUMENT, "root.path is too long");
}

static bool open_root(struct wrap_setup *setup, const char *path, struct wrap_error *err)
{
    /* A pause container runs no program: a part of the host's own tree, empty for it, will do. */
    bool pause = setup->config->kind == WRAP_KIND_PAUSE;
    bool plain = setup->config->root_mount_count == 0 || pause;
    if (plain && mount(path, path, NULL, MS_BIND | (pause ? 0 : MS_REC), NULL) != 0) {
        return wrap_fail_errno(err, errno, "root %s", path);
    }
    setup->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (setup->root < 0) return wrap_fail_errno(err, errno, "root %s", path);
    int problem = wrap_mount_set(setup->root,
                                 MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
    return !problem || wrap_fail_errno(err, problem, "flags of the root");
}

bool wrap_rootfs_make(struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_container_config *config = setup->config;
    char path[PATH_MAX];
    if (mount(NULL, "/", NULL, MS_REC | propagation(setup->spec), NULL) != 0) {
        return wrap_fail_errno(err, errno, "making mounts private");
    }
    if (!root_path(setup, path, err)) return false;
    if (config->kind != WRAP_KIND_PAUSE && config->root_mount_count > 0) {
        (void)!mkdir(path, 0711); /* mounting says what is wrong with it */
        if (!wrap_root_mount_here(config->root_mounts, config->root_mount_count, path, err)) {
            return false;
        }
    }
    return open_root(setup, path, err);
}

/* ---------------------------------------------------------------- finishing */

/* An existing path beneath the root; -1 with *fine when there is nothing to be done. */
static int existing(const struct wrap_setup *setup, const char *path, bool *fine)
{
    int fd = wrap_beneath(setup->root, path, WRAP_MISSING_FAIL);
    *fine = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    return fd;
}

static bool mask(const struct wrap_setup *setup, const char *path, struct wrap_error *err)
{
    char link[32];
    struct stat st;
    bool fine;
    int fd = existing(setup, path, &fine);
    if (fd < 0) return fine || wrap_fail_errno(err, errno, "masked path %s", path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    bool is_directory = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    int done = is_directory
                   ? mount("tmpfs", link, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                           "nr_inodes=1,mode=555")
                   : mount("/dev/null", link, NULL, MS_BIND, NULL);
    if (done != 0) wrap_fail_errno(err, errno, "masked path %s", path);
    close(fd);
    return done == 0;
}

static bool close_path(const struct wrap_setup *setup, const char *path, struct wrap_error *err)
{
    bool fine;
    int fd = existing(setup, path, &fine);
    if (fd < 0) return fine || wrap_fail_errno(err, errno, "read-only path %s", path);
    int tree =
        open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    bool good = tree >= 0;
    int problem = good ? wrap_mount_set(tree, MOUNT_ATTR_RDONLY, false) : errno;
    if (good && move_mount(tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) {
        problem = errno;
    } else if (good && problem) { /* an old kernel sets it when the mount is in the tree */
        problem = wrap_mount_set(tree, MOUNT_ATTR_RDONLY, false);
    }
    if (problem) wrap_fail_errno(err, problem, "read-only path %s", path);
    if (tree >= 0) close(tree);
    close(fd);
    return !problem;
}

/* Those of type tmpfs, which were writable until all was mounted in them. */
static bool close_mount(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                        struct wrap_error *err)
{
    if (wrap_mount_is_bind(mount) || strcmp(mount->type, "tmpfs") != 0 ||
        !wrap_mount_has(mount, "ro")) {
        return true;
    }
    int fd = wrap_beneath(setup->root, mount->destination, WRAP_MISSING_FAIL);
    int problem = fd < 0 ? errno : wrap_mount_set(fd, MOUNT_ATTR_RDONLY, false);
    if (problem) wrap_fail_errno(err, problem, "mount on %s: ro", mount->destination);
    if (fd >= 0) close(fd);
    return !problem;
}

bool wrap_rootfs_finish(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    for (size_t i = 0; i < spec->masked_paths.count; i++) {
        if (!mask(setup, spec->masked_paths.items[i], err)) return false;
    }
    for (size_t i = 0; i < spec->readonly_paths.count; i++) {
        if (!close_path(setup, spec->readonly_paths.items[i], err)) return false;
    }
    for (size_t i = 0; i < spec->mount_count; i++) {
        if (!close_mount(setup, &spec->mounts[i], err)) return false;
    }
    if (!spec->root_readonly && setup->config->kind != WRAP_KIND_PAUSE) return true;
    int problem = wrap_mount_set(setup->root, MOUNT_ATTR_RDONLY, false);
    return !problem || wrap_fail_errno(err, problem, "read-only root");
}

/* ---------------------------------------------------------------- entering */

/* Undoes \ooo of mountinfo in place. */
static void unescape(char *text)
{
    char *out = text;
    for (const char *p = text; *p; out++) {
        bool octal = p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
                     p[3] >= '0' && p[3] <= '7';
        *out = octal ? (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0')) : *p;
        p += octal ? 4 : 1;
    }
    *out = '\0';
}

/* The point of a mount whose type is proc, else NULL. Fields: id parent dev root POINT options
 * [tags] - TYPE source options. */
static char *procfs_point(char *line)
{
    char *type = strstr(line, " - ");
    if (!type || strncmp(type + 3, "proc ", 5) != 0) return NULL;
    char *point = line;
    for (int i = 0; i < 4; i++) {
        point = strchr(point, ' ');
        if (!point) return NULL;
        point++;
    }
    point[strcspn(point, " ")] = '\0';
    unescape(point);
    return point;
}

/* All of mountinfo, malloc'ed, terminated; NULL and errno. Not by stdio, whose first use costs four
 * pages. */
static char *read_mounts(const struct wrap_setup *setup)
{
    enum { FIRST = 4096, MOST = 64 << 20 };
    int fd = openat(setup->proc, "mountinfo", O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t used = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    for (size_t room = FIRST; got > 0 && room <= MOST; room *= 2) {
        char *more = realloc(text, room);
        got = more ? 1 : -1;
        text = more ? more : text;
        while (got > 0 && used < room - 1) {
            got = read(fd, text + used, room - 1 - used);
            used += got > 0 ? (size_t)got : 0;
        }
    }
    int problem = got > 0 ? EFBIG : errno;
    if (fd >= 0) close(fd);
    if (got == 0) {
        text[used] = '\0';
        return text;
    }
    free(text);
    errno = problem;
    return NULL;
}

/* One round: true when there was none. */
static bool drop_round(char *text, int *problem)
{
    bool none = true;
    char *next = NULL;
    for (char *line = strtok_r(text, "\n", &next); line && !*problem;
         line = strtok_r(NULL, "\n", &next)) {
        char *point = procfs_point(line);
        if (!point) continue;
        none = false;
        if (umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) != 0) *problem = errno;
    }
    return none;
}

/* A volume that is a part of the host's tree may bring a procfs. */
static bool drop_procfs(const struct wrap_setup *setup, struct wrap_error *err)
{
    enum { ROUNDS = 8 };
    bool none = false;
    int problem = 0;
    for (int i = 0; i < ROUNDS && !none && !problem; i++) {
        char *text = read_mounts(setup);
        if (text) {
            none = drop_round(text, &problem);
        } else {
            problem = errno;
        }
        free(text);
    }
    if (problem) return wrap_fail_errno(err, problem, "taking procfs out of the container");
    return none || wrap_fail(err, WRAP_INTERNAL, "a procfs stays in the container");
}

bool wrap_rootfs_enter(const struct wrap_setup *setup, struct wrap_error *err)
{
    if (fchdir(setup->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) {
        return wrap_fail_errno(err, errno, "changing the root");
    }
    /* The old root lies on top of the new one now. */
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
        return wrap_fail_errno(err, errno, "leaving the old root");
    }
    return setup->config->kind == WRAP_KIND_PAUSE || drop_procfs(setup, err);
}
