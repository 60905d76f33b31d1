/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootmount.c - mounts of a root file system with containerd's meaning of their options. Lists of
 * overlay's layers that do not fit into a page are made relative to the folder they share.
 */
#include "sandbox/rootmount.h"

#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UMOUNT_ROUNDS = 64, DATA_MAX = 4000, LAYERS_MAX = 64 << 10 };

/* ---------------------------------------------------------------- long lists of layers */

static const char lower[] = "lowerdir=";
#define LOWER_LENGTH (sizeof lower - 1)

/* How many bytes all layers share, up to and with a slash. */
static size_t shared_length(const char *layers)
{
    size_t shared = strcspn(layers, ":");
    for (const char *p = layers; *p;) {
        size_t length = strcspn(p, ":");
        size_t same = 0;
        while (same < shared && same < length && p[same] == layers[same]) same++;
        shared = same;
        p += length;
        p += *p == ':';
    }
    while (shared > 0 && layers[shared - 1] != '/') shared--;
    return shared;
}

/* "lowerdir=" with the layers relative to *folder, both malloc'ed; NULL: no memory or nothing
 * shared. */
static char *shorten(const char *option, char **folder)
{
    const char *layers = option + LOWER_LENGTH;
    size_t shared = shared_length(layers);
    char *out = calloc(1, strlen(option) + 1);
    *folder = strndup(layers, shared);
    if (!out || !*folder || shared < 2 || strchr(layers, '\\')) {
        free(out);
        free(*folder);
        *folder = NULL;
        return NULL;
    }
    char *to = out + sprintf(out, "%s", lower);
    for (const char *p = layers; *p;) {
        size_t length = strcspn(p, ":");
        memcpy(to, p + shared, length - shared);
        to += length - shared;
        p += length;
        if (*p == ':') *to++ = *p++;
    }
    return out;
}

/* The options with the one of the layers replaced; NULL: they fit as they are. */
static const char **shortened(const struct wrap_strings *options, char **folder, char **made)
{
    size_t total = 0;
    size_t which = options->count;
    for (size_t i = 0; i < options->count; i++) {
        total += strlen(options->items[i]) + 1;
        if (strncmp(options->items[i], lower, LOWER_LENGTH) == 0) which = i;
    }
    if (total < DATA_MAX || total > LAYERS_MAX || which == options->count) return NULL;
    const char **items = calloc(options->count, sizeof items[0]);
    *made = items ? shorten(options->items[which], folder) : NULL;
    if (!*made) {
        free(items);
        return NULL;
    }
    memcpy(items, options->items, options->count * sizeof items[0]);
    items[which] = *made;
    return items;
}

/* ---------------------------------------------------------------- mounting */

static bool mount_with(const struct wrap_root_mount *what, const struct wrap_strings *words,
                       const char *target, struct wrap_error *err)
{
    struct wrap_mount_options options;
    if (!wrap_mount_options(words, &options, err)) return false;
    if (options.idmap || options.tmpcopyup) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "idmap or tmpcopyup of a root");
    }
    unsigned long flags = options.flags;
    flags |= strcmp(what->type, "bind") == 0 || strcmp(what->type, "rbind") == 0 ? MS_BIND : 0;
    flags |= strcmp(what->type, "rbind") == 0 ? MS_REC : 0;
    bool is_bind = (flags & MS_BIND) != 0;
    unsigned long first = is_bind ? flags & (MS_BIND | MS_REC) : flags;
    if (mount(what->source, target, is_bind ? NULL : what->type, first,
              is_bind ? NULL : options.data) != 0) {
        return wrap_fail_errno(err, errno, "mounting %s (%s)", what->source, what->type);
    }
    if (options.propagate && mount(NULL, target, NULL, options.propagate, NULL) != 0) {
        return wrap_fail_errno(err, errno, "propagation of %s", what->source);
    }
    uint64_t attributes = is_bind ? wrap_mount_attributes(flags) : 0;
    if (!attributes && !options.deep) return true;
    int fd = open(target, O_PATH | O_CLOEXEC);
    int problem = fd < 0 ? errno : wrap_mount_set(fd, attributes, false);
    if (!problem) problem = wrap_mount_set(fd, options.deep, true);
    if (fd >= 0) close(fd);
    return !problem || wrap_fail_errno(err, problem, "options of %s", what->source);
}

static bool mount_one(const struct wrap_root_mount *what, const char *target,
                      struct wrap_error *err)
{
    char *folder = NULL;
    char *made = NULL;
    const char **items = shortened(&what->options, &folder, &made);
    struct wrap_strings words = {items, what->options.count};
    bool good = !items || chdir(folder) == 0;
    if (!good) wrap_fail_errno(err, errno, "%s", folder);
    good = good && mount_with(what, items ? &words : &what->options, target, err);
    free(items);
    free(folder);
    free(made);
    return good;
}

/* A mount beneath the root goes where the container would see that path. */
static bool mount_at(const struct wrap_root_mount *what, const char *target, struct wrap_error *err)
{
    const char *beneath = what->target ? what->target + strspn(what->target, "/") : "";
    if (!beneath[0]) return mount_one(what, target, err);
    char path[32];
    int root = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int at = root < 0 ? -1 : wrap_beneath(root, beneath, WRAP_MISSING_DIRECTORY);
    int problem = errno;
    if (root >= 0) close(root);
    if (at < 0) return wrap_fail_errno(err, problem, "%s", what->target);
    snprintf(path, sizeof path, "/proc/self/fd/%d", at);
    bool good = mount_one(what, path, err);
    close(at);
    return good;
}

bool wrap_root_mount_here(const struct wrap_root_mount *mounts, size_t count, const char *target,
                          struct wrap_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (mount_at(&mounts[i], target, err)) continue;
        wrap_error_prefix(err, "root file system");
        return false;
    }
    return true;
}

bool wrap_root_mount(const struct wrap_root_mount *mounts, size_t count, const char *target,
                     struct wrap_error *err)
{
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool good = wrap_root_mount_here(mounts, count, target, err);
    if (here >= 0) {
        (void)!fchdir(here);
        close(here);
    }
    if (!good) (void)wrap_root_unmount(target, NULL);
    return good;
}

bool wrap_root_unmount(const char *target, struct wrap_error *err)
{
    for (int i = 0; i < UMOUNT_ROUNDS; i++) {
        if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
            return errno == EINVAL || errno == ENOENT ||
                   wrap_fail_errno(err, errno, "unmounting %s", target);
        }
    }
    return wrap_fail(err, WRAP_INTERNAL, "unmounting %s: still mounted", target);
}
