/* SPDX-License-Identifier: Apache-2.0 */
/* devices.c - device nodes: those that each container has, and those it asks for. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* tty is missing: a guest has its terminal as a stream or not at all. */
static const struct wrap_device usual[] = {
    {'c', "/dev/null", 1, 3, 0666, 0, 0},    {'c', "/dev/zero", 1, 5, 0666, 0, 0},
    {'c', "/dev/full", 1, 7, 0666, 0, 0},    {'c', "/dev/random", 1, 8, 0666, 0, 0},
    {'c', "/dev/urandom", 1, 9, 0666, 0, 0},
};

static bool has_dev(const struct wrap_spec *spec)
{
    for (size_t i = 0; i < spec->mount_count; i++) {
        if (wrap_mount_is_dev(&spec->mounts[i])) return true;
    }
    return false;
}

static mode_t type_of(const struct wrap_device *device)
{
    return device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
}

/* What is there already has to be the same. */
static bool is_same(int at, const char *name, const struct wrap_device *device)
{
    struct stat st;
    return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (st.st_mode & S_IFMT) == type_of(device) &&
           (device->type == 'p' || st.st_rdev == makedev(device->major, device->minor));
}

/* Where nodes can't be made (a host that is itself a container): the host's own. */
static int borrow(int at, const char *name, const struct wrap_device *device)
{
    char path[32];
    if (!is_same(AT_FDCWD, device->path, device)) return EPERM;
    int fd = openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0) return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int problem = mount(device->path, path, NULL, MS_BIND, NULL) == 0 ? 0 : errno;
    close(fd);
    return problem;
}

/* 0, or an errno. */
static int make(const struct wrap_setup *setup, int at, const char *name,
                const struct wrap_device *device)
{
    const struct wrap_spec *spec = setup->spec;
    if (mknodat(at, name, type_of(device) | (device->mode & 07777),
                makedev(device->major, device->minor)) != 0) {
        return errno == EEXIST && is_same(at, name, device) ? 0
               : errno == EPERM                             ? borrow(at, name, device)
                                                            : errno;
    }
    uid_t uid = device->uid ? device->uid : wrap_host_id(&spec->uid_maps);
    gid_t gid = device->gid ? device->gid : wrap_host_id(&spec->gid_maps);
    if ((uid || gid) && fchownat(at, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    return 0;
}

static bool make_at(const struct wrap_setup *setup, const struct wrap_device *device,
                    struct wrap_error *err)
{
    char folder[PATH_MAX];
    const char *name = strrchr(device->path, '/');
    if (strncmp(device->path, "/dev/", 5) != 0 || !name[1] || strcmp(name, "/..") == 0 ||
        (size_t)(name - device->path) >= sizeof folder) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "device %s is not beneath /dev", device->path);
    }
    memcpy(folder, device->path, (size_t)(name - device->path));
    folder[name - device->path] = '\0';
    int at = wrap_beneath(setup->root, folder, WRAP_MISSING_DIRECTORY);
    int problem = at < 0 ? errno : make(setup, at, name + 1, device);
    if (at >= 0) close(at);
    return !problem || wrap_fail_errno(err, problem, "device %s", device->path);
}

bool wrap_devices_make(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    if (!has_dev(spec)) {
        return spec->device_count == 0 ||
               wrap_fail(err, WRAP_INVALID_ARGUMENT, "devices without a tmpfs on /dev");
    }
    mode_t before = umask(0);
    bool good = true;
    int at = wrap_beneath(setup->root, "/dev", WRAP_MISSING_FAIL);
    for (size_t i = 0; good && i < sizeof usual / sizeof usual[0]; i++) {
        int problem = make(setup, at, strrchr(usual[i].path, '/') + 1, &usual[i]);
        good = !problem || wrap_fail_errno(err, problem, "device %s", usual[i].path);
    }
    if (at >= 0) close(at);
    for (size_t i = 0; good && i < spec->device_count; i++) {
        good = make_at(setup, &spec->devices[i], err);
    }
    umask(before);
    return good;
}
