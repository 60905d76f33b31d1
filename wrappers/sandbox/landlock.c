/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.c - rules about files, connections, signals. Rights are named here and not taken from
 * the system's header, which may be older than the kernel; the kernel says which it knows.
 */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux UAPI, linux/landlock.h; the same numbers on all architectures. */
enum { NR_CREATE_RULESET = 444, NR_ADD_RULE = 445, NR_RESTRICT_SELF = 446 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_ALL_V1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)     /* 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define NET_BIND_TCP (UINT64_C(1) << 0)  /* 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

#define READ_ONLY (FS_READ_FILE | FS_READ_DIR)
#define WRITABLE                                                                                   \
    (READ_ONLY | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |      \
     FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
/* Those that mean something for a file that is no directory. */
#define FILE_RIGHTS (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
    uint64_t fs;
    uint64_t net;    /* from version 4 on */
    uint64_t scoped; /* from version 6 on */
};

struct path_rule {
    uint64_t rights;
    int32_t fd;
} __attribute__((packed));

/* What looking names up reads (nss, resolv.conf). */
static const char *const resolver_files[] = {
    "/etc/hosts",    "/etc/resolv.conf", "/etc/nsswitch.conf",   "/etc/host.conf",
    "/etc/gai.conf", "/etc/services",    "/run/systemd/resolve",
};

int wrap_landlock_version(void)
{
    long version = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);
    return version > 0 ? (int)version : 0;
}

static uint64_t fs_rights(int version)
{
    return FS_ALL_V1 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) |
           (version >= 5 ? FS_IOCTL_DEV : 0);
}

static int make_ruleset(int version, bool network)
{
    struct ruleset rules = {.fs = fs_rights(version)};
    size_t size = sizeof rules.fs;
    if (version >= 4) {
        rules.net = network ? 0 : NET_BIND_TCP | NET_CONNECT_TCP;
        size += sizeof rules.net;
    }
    if (version >= 6) {
        rules.scoped = SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX; /* guests have paths only */
        size += sizeof rules.scoped;
    }
    return (int)syscall(NR_CREATE_RULESET, &rules, size, 0);
}

/* 0, or an errno. */
static int allow(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    struct path_rule rule = {.rights = rights, .fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.fd < 0) {
        return errno;
    }
    if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        rule.rights &= FILE_RIGHTS;
    }
    long done = syscall(NR_ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0);
    int problem = done == 0 ? 0 : errno;
    close(rule.fd);
    return problem;
}

/* Whether all that can be opened is readable already. */
static bool has_root(const struct wrap_sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->path_count; i++) {
        if (strcmp(sandbox->paths[i].host, "/") == 0) {
            return true;
        }
    }
    return false;
}

static int add_paths(int rules, const struct wrap_sandbox *sandbox, uint64_t known,
                     const char **what)
{
    for (size_t i = 0; i < sandbox->path_count; i++) {
        const struct wrap_sandbox_path *path = &sandbox->paths[i];
        uint64_t rights = path->read_only ? READ_ONLY : WRITABLE;
        rights |= !path->read_only && sandbox->network == WRAP_SANDBOX_UNIX ? FS_MAKE_SOCK : 0;
        int problem = allow(rules, path->host, rights & known);
        if (problem) {
            *what = path->host;
            return problem;
        }
    }
    bool names = sandbox->resolve && !has_root(sandbox);
    for (size_t i = 0; names && i < sizeof resolver_files / sizeof resolver_files[0]; i++) {
        (void)allow(rules, resolver_files[i], READ_ONLY & known); /* some are not there */
    }
    return 0;
}

int wrap_landlock_apply(const struct wrap_sandbox *sandbox, const char **what)
{
    int version = wrap_landlock_version();
    *what = "Landlock";
    if (!version) {
        return ENOSYS;
    }
    int rules = make_ruleset(version, sandbox && sandbox->network != WRAP_SANDBOX_NO_NET);
    if (rules < 0) {
        return errno;
    }
    int problem = sandbox ? add_paths(rules, sandbox, fs_rights(version), what) : 0;
    if (!problem && syscall(NR_RESTRICT_SELF, rules, 0) != 0) {
        problem = errno;
    }
    close(rules);
    return problem;
}
