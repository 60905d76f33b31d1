/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.c - mounts of the specification. Sources are the runtime's to trust; destinations belong
 * to the image and to volumes that others write to, so a mount goes onto a descriptor and not onto
 * a path, with all its attributes set before it can be seen.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *const skipped_types[] = {"proc",    "sysfs",  "cgroup",
                                            "cgroup2", "mqueue", "devpts"};

bool wrap_mount_has(const struct wrap_spec_mount *mount, const char *option)
{
    for (size_t i = 0; i < mount->options.count; i++) {
        if (strcmp(mount->options.items[i], option) == 0) return true;
    }
    return false;
}

bool wrap_mount_is_bind(const struct wrap_spec_mount *mount)
{
    return strcmp(mount->type, "bind") == 0 || strcmp(mount->type, "rbind") == 0 ||
           wrap_mount_has(mount, "bind") || wrap_mount_has(mount, "rbind");
}

bool wrap_mount_is_dev(const struct wrap_spec_mount *mount)
{
    return strcmp(mount->type, "tmpfs") == 0 &&
           (strcmp(mount->destination, "/dev") == 0 || strcmp(mount->destination, "/dev/") == 0);
}

bool wrap_mount_skipped(const struct wrap_spec_mount *mount)
{
    if (wrap_mount_is_bind(mount)) return false;
    for (size_t i = 0; i < sizeof skipped_types / sizeof skipped_types[0]; i++) {
        if (strcmp(mount->type, skipped_types[i]) == 0) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- bind mounts */

static bool set_ids(const struct wrap_setup *setup, const struct wrap_spec_mount *mount, int tree,
                    struct wrap_error *err)
{
    const struct wrap_id_maps *uids = &mount->uid_maps;
    const struct wrap_id_maps *gids = &mount->gid_maps;
    if (uids->count == 0 && gids->count == 0) { /* asked for by name: those of the container */
        uids = &setup->spec->uid_maps;
        gids = &setup->spec->gid_maps;
    }
    int users = wrap_ns_mapped(uids, gids, err);
    if (users < 0) return false;
    bool deep = wrap_mount_has(mount, "ridmap");
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users};
    int done =
        mount_setattr(tree, "", AT_EMPTY_PATH | (deep ? AT_RECURSIVE : 0), &attr, sizeof attr);
    if (done != 0) wrap_fail_errno(err, errno, "mapped ids");
    close(users);
    return done == 0;
}

/* An old kernel can't change a mount that is not in a tree yet: then it is done afterwards. */
static int propagate(int tree, const struct wrap_mount_options *options, bool attached)
{
    char path[32];
    unsigned long how = options->propagate ? options->propagate : MS_PRIVATE | MS_REC;
    struct mount_attr attr = {.propagation = how & ~(unsigned long)MS_REC};
    unsigned flags = AT_EMPTY_PATH | (how & MS_REC ? AT_RECURSIVE : 0);
    if (mount_setattr(tree, "", flags, &attr, sizeof attr) == 0) return 0;
    if (errno != ENOSYS || !attached) return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", tree);
    return mount(NULL, path, NULL, how, NULL) == 0 ? 0 : errno;
}

/* What the mount shall be, before it can be seen. */
static bool prepare(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                    const struct wrap_mount_options *options, int tree, struct wrap_error *err)
{
    if (options->idmap || mount->uid_maps.count || mount->gid_maps.count) {
        if (!set_ids(setup, mount, tree, err)) return false;
    }
    int problem = wrap_mount_set(tree, options->deep, true);
    return !problem || wrap_fail_errno(err, problem, "options of all mounts beneath");
}

static bool is_procfs(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Where a mount goes. The root itself is taken: what is mounted there would not be seen. */
static int destination(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                       enum wrap_missing missing, struct wrap_error *err)
{
    struct stat root;
    struct stat st;
    int at = wrap_beneath(setup->root, mount->destination, missing);
    if (at < 0) {
        wrap_fail_errno(err, errno, "destination");
    } else if (fstat(at, &st) == 0 && fstat(setup->root, &root) == 0 && st.st_dev == root.st_dev &&
               st.st_ino == root.st_ino) {
        wrap_fail(err, WRAP_INVALID_ARGUMENT, "the destination is the root");
        close(at);
        at = -1;
    }
    return at;
}

static bool attach(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                   const struct wrap_mount_options *options, int tree, struct wrap_error *err)
{
    struct stat st;
    if (fstat(tree, &st) != 0) return wrap_fail_errno(err, errno, "%s", mount->source);
    if (is_procfs(tree)) {
        return wrap_fail(err, WRAP_PERMISSION_DENIED, "a procfs is nothing for a Wasm guest");
    }
    uint64_t attributes = wrap_mount_attributes(options->flags | MS_NOSUID | MS_NOEXEC);
    int at = destination(setup, mount,
                         S_ISDIR(st.st_mode) ? WRAP_MISSING_DIRECTORY : WRAP_MISSING_FILE, err);
    if (at < 0) return false;
    bool good = prepare(setup, mount, options, tree, err);
    int first = good ? propagate(tree, options, false) : 0;
    int second = good ? wrap_mount_set(tree, attributes, false) : 0;
    if (good && move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) {
        good = wrap_fail_errno(err, errno, "mount");
    }
    if (good && first) first = propagate(tree, options, true);
    if (good && second) second = wrap_mount_set(tree, attributes, false);
    if (good && (first || second)) {
        good = wrap_fail_errno(err, first ? first : second, "options");
    }
    close(at);
    return good;
}

static bool bind(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                 const struct wrap_mount_options *options, struct wrap_error *err)
{
    bool deep = (options->flags & MS_REC) || strcmp(mount->type, "rbind") == 0;
    int tree = open_tree(AT_FDCWD, mount->source,
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (deep ? AT_RECURSIVE : 0));
    if (tree < 0) return wrap_fail_errno(err, errno, "%s", mount->source);
    bool good = attach(setup, mount, options, tree, err);
    close(tree);
    return good;
}

/* ---------------------------------------------------------------- file systems */

static bool add_option(struct wrap_mount_options *options, const char *name, const char *value,
                       struct wrap_error *err)
{
    size_t used = strlen(options->data);
    size_t room = sizeof options->data - used;
    int length = snprintf(options->data + used, room, "%s%s=%s", used ? "," : "", name, value);
    return (size_t)length < room || wrap_fail(err, WRAP_INVALID_ARGUMENT, "options are too long");
}

/* In a user namespace the container's root owns what is mounted for it. */
static bool complete(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                     struct wrap_mount_options *options, struct wrap_error *err)
{
    char number[16];
    const struct wrap_spec *spec = setup->spec;
    uint32_t uid = wrap_host_id(&spec->uid_maps);
    uint32_t gid = wrap_host_id(&spec->gid_maps);
    bool is_tmpfs = strcmp(mount->type, "tmpfs") == 0;
    snprintf(number, sizeof number, "%u", uid);
    if (is_tmpfs && uid && !strstr(options->data, "uid=") &&
        !add_option(options, "uid", number, err)) {
        return false;
    }
    snprintf(number, sizeof number, "%u", gid);
    if (is_tmpfs && gid && !strstr(options->data, "gid=") &&
        !add_option(options, "gid", number, err)) {
        return false;
    }
    char label[512];
    if (!spec->mount_label[0]) return true;
    if (snprintf(label, sizeof label, "\"%s\"", spec->mount_label) >= (int)sizeof label ||
        strchr(spec->mount_label, '"')) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "linux.mountLabel");
    }
    return add_option(options, "context", label, err);
}

static bool fresh(const struct wrap_setup *setup, const struct wrap_spec_mount *mount_of,
                  struct wrap_mount_options *options, struct wrap_error *err)
{
    if (options->tmpcopyup || options->idmap || mount_of->uid_maps.count) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "%s on a new file system is not supported",
                         options->tmpcopyup ? "tmpcopyup" : "idmap");
    }
    if (!complete(setup, mount_of, options, err)) return false;
    /* A tmpfs becomes read-only when all is mounted in it: wrap_rootfs_finish. */
    unsigned long flags = options->flags | MS_NOSUID | MS_NOEXEC;
    flags &= strcmp(mount_of->type, "tmpfs") == 0 ? ~(unsigned long)MS_RDONLY : ~0UL;
    flags |= wrap_mount_is_dev(mount_of) ? 0 : MS_NODEV;
    int at = destination(setup, mount_of, WRAP_MISSING_DIRECTORY, err);
    if (at < 0) return false;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", at);
    bool good = mount(mount_of->source[0] ? mount_of->source : mount_of->type, path, mount_of->type,
                      flags, options->data) == 0;
    if (!good) wrap_fail_errno(err, errno, "mount");
    close(at);
    return good;
}

static bool make(const struct wrap_setup *setup, const struct wrap_spec_mount *mount,
                 struct wrap_error *err)
{
    struct wrap_mount_options options;
    if (!wrap_mount_options(&mount->options, &options, err)) return false;
    return wrap_mount_is_bind(mount) ? bind(setup, mount, &options, err)
                                     : fresh(setup, mount, &options, err);
}

bool wrap_mounts_make(const struct wrap_setup *setup, struct wrap_error *err)
{
    for (size_t i = 0; i < setup->spec->mount_count; i++) {
        const struct wrap_spec_mount *mount = &setup->spec->mounts[i];
        if (wrap_mount_skipped(mount) || make(setup, mount, err)) continue;
        wrap_error_prefix(err, "mount on %s", mount->destination);
        return false;
    }
    return true;
}
