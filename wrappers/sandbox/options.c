/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - options of mounts by name, as mount(8) and the OCI specification have them. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

struct option {
    const char *name;
    unsigned long set;
    unsigned long clear;
};

// clang-format off
static const struct option flag_options[] = {
    {"async",         0,              MS_SYNCHRONOUS},
    {"atime",         0,              MS_NOATIME},
    {"bind",          MS_BIND,        0},
    {"defaults",      0,              0},
    {"dev",           0,              MS_NODEV},
    {"diratime",      0,              MS_NODIRATIME},
    {"dirsync",       MS_DIRSYNC,     0},
    {"exec",          0,              MS_NOEXEC},
    {"iversion",      MS_I_VERSION,   0},
    {"lazytime",      MS_LAZYTIME,    0},
    {"loud",          0,              MS_SILENT},
    {"mand",          MS_MANDLOCK,    0},
    {"noatime",       MS_NOATIME,     0},
    {"nodev",         MS_NODEV,       0},
    {"nodiratime",    MS_NODIRATIME,  0},
    {"noexec",        MS_NOEXEC,      0},
    {"noiversion",    0,              MS_I_VERSION},
    {"nolazytime",    0,              MS_LAZYTIME},
    {"nomand",        0,              MS_MANDLOCK},
    {"norelatime",    0,              MS_RELATIME},
    {"nostrictatime", 0,              MS_STRICTATIME},
    {"nosuid",        MS_NOSUID,      0},
    {"nosymfollow",   MS_NOSYMFOLLOW, 0},
    {"rbind",         MS_BIND|MS_REC, 0},
    {"relatime",      MS_RELATIME,    0},
    {"ro",            MS_RDONLY,      0},
    {"rw",            0,              MS_RDONLY},
    {"silent",        MS_SILENT,      0},
    {"strictatime",   MS_STRICTATIME, 0},
    {"suid",          0,              MS_NOSUID},
    {"symfollow",     0,              MS_NOSYMFOLLOW},
    {"sync",          MS_SYNCHRONOUS, 0},
};
/* "shared" would let mounts of the container out; it has none, and what the host mounts comes in
 * with "slave" as well. */
static const struct option propagations[] = {
    {"private",     MS_PRIVATE,        0},
    {"rprivate",    MS_PRIVATE|MS_REC, 0},
    {"rshared",     MS_SLAVE|MS_REC,   0},
    {"rslave",      MS_SLAVE|MS_REC,   0},
    {"runbindable", MS_PRIVATE|MS_REC, 0},
    {"shared",      MS_SLAVE,          0},
    {"slave",       MS_SLAVE,          0},
    {"unbindable",  MS_PRIVATE,        0},
};
/* Attributes of all mounts beneath. Those that would take a restriction away are not given: a
 * restriction of the host stays one. */
static const struct option deep_options[] = {
    {"ratime",        0,                         0},
    {"rdev",          0,                         0},
    {"rdiratime",     0,                         0},
    {"rexec",         0,                         0},
    {"rnodev",        MOUNT_ATTR_NODEV,          0},
    {"rnodiratime",   MOUNT_ATTR_NODIRATIME,     0},
    {"rnoexec",       MOUNT_ATTR_NOEXEC,         0},
    {"rnosuid",       MOUNT_ATTR_NOSUID,         0},
    {"rnosymfollow",  MOUNT_ATTR_NOSYMFOLLOW,    0},
    {"rro",           MOUNT_ATTR_RDONLY,         0},
    {"rrw",           0,                         0},
    {"rsuid",         0,                         0},
    {"rsymfollow",    0,                         0},
};
static const struct { unsigned long flag; uint64_t attribute; } attributes[] = {
    {MS_RDONLY,      MOUNT_ATTR_RDONLY},
    {MS_NOSUID,      MOUNT_ATTR_NOSUID},
    {MS_NODEV,       MOUNT_ATTR_NODEV},
    {MS_NOEXEC,      MOUNT_ATTR_NOEXEC},
    {MS_NOATIME,     MOUNT_ATTR_NOATIME},
    {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
    {MS_NODIRATIME,  MOUNT_ATTR_NODIRATIME},
    {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
};
// clang-format on
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct option *find(const struct option *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) return &table[i];
    }
    return NULL;
}

static bool add_data(struct wrap_mount_options *out, const char *option, struct wrap_error *err)
{
    size_t used = strlen(out->data);
    size_t room = sizeof out->data - used;
    int length = snprintf(out->data + used, room, "%s%s", used ? "," : "", option);
    if ((size_t)length >= room) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "options of a mount are longer than a page");
    }
    return true;
}

bool wrap_mount_options(const struct wrap_strings *options, struct wrap_mount_options *out,
                        struct wrap_error *err)
{
    *out = (struct wrap_mount_options){0};
    for (size_t i = 0; i < options->count; i++) {
        const char *name = options->items[i];
        const struct option *found = find(flag_options, COUNT(flag_options), name);
        if (found) {
            out->flags = (out->flags & ~found->clear) | found->set;
        } else if ((found = find(propagations, COUNT(propagations), name)) != NULL) {
            out->propagate = found->set;
        } else if ((found = find(deep_options, COUNT(deep_options), name)) != NULL) {
            out->deep |= found->set;
        } else if (strcmp(name, "tmpcopyup") == 0) {
            out->tmpcopyup = true;
        } else if (strcmp(name, "idmap") == 0 || strcmp(name, "ridmap") == 0) {
            out->idmap = true;
        } else if (name[0] && !add_data(out, name, err)) {
            return false;
        }
    }
    return true;
}

uint64_t wrap_mount_attributes(unsigned long flags)
{
    uint64_t out = 0;
    for (size_t i = 0; i < COUNT(attributes); i++) {
        out |= flags & attributes[i].flag ? attributes[i].attribute : 0;
    }
    return out;
}

/* Before Linux 5.12: by path, with what the mount has already. */
static int set_by_remount(int mount_fd, uint64_t wanted)
{
    char path[32];
    struct statvfs now;
    snprintf(path, sizeof path, "/proc/self/fd/%d", mount_fd);
    if (fstatvfs(mount_fd, &now) != 0) return errno;
    unsigned long flags =
        MS_REMOUNT | MS_BIND |
        (now.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME));
    for (size_t i = 0; i < COUNT(attributes); i++) {
        flags |= wanted & attributes[i].attribute ? attributes[i].flag : 0;
    }
    return mount(NULL, path, NULL, flags, NULL) == 0 ? 0 : errno;
}

int wrap_mount_set(int mount_fd, uint64_t wanted, bool deep)
{
    struct mount_attr attr = {.attr_set = wanted};
    if (!wanted) return 0;
    if (wanted & MOUNT_ATTR__ATIME) attr.attr_clr = MOUNT_ATTR__ATIME;
    unsigned flags = AT_EMPTY_PATH | (deep ? AT_RECURSIVE : 0);
    if (mount_setattr(mount_fd, "", flags, &attr, sizeof attr) == 0) return 0;
    return errno == ENOSYS && !deep ? set_by_remount(mount_fd, wanted) : errno;
}

const char *wrap_mount_option(size_t index)
{
    static const struct {
        const struct option *items;
        size_t count;
    } tables[] = {
        {flag_options, sizeof flag_options / sizeof flag_options[0]},
        {propagations, sizeof propagations / sizeof propagations[0]},
        {deep_options, sizeof deep_options / sizeof deep_options[0]},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (index < tables[i].count) {
            return tables[i].items[index].name;
        }
        index -= tables[i].count;
    }
    return NULL;
}
