/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns.c - the process of a container and its namespaces: made with it, joined by path, named.
 * Not here: user namespaces (userns.c), what is done inside of them.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those that are made with the process; a cgroup namespace has to wait until it is in its group,
 * a user namespace until all is mounted. */
static const struct {
    enum wrap_namespace which;
    int flag;
} kinds[] = {
    {WRAP_NS_NETWORK, CLONE_NEWNET},
    {WRAP_NS_IPC, CLONE_NEWIPC},
    {WRAP_NS_UTS, CLONE_NEWUTS},
    {WRAP_NS_CGROUP, CLONE_NEWCGROUP},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool is_new(const struct wrap_spec *spec, enum wrap_namespace which)
{
    return (spec->namespaces_new & (UINT32_C(1) << which)) != 0;
}

bool wrap_ns_own(const struct wrap_spec *spec, enum wrap_namespace which)
{
    return is_new(spec, which) || spec->namespace_paths[which];
}

/* ---------------------------------------------------------------- in the parent */

static uint64_t clone_flags(const struct wrap_setup *setup)
{
    uint64_t flags = 0;
    if (setup->joined >= 0) return 0;
    for (size_t i = 0; i < KINDS; i++) {
        flags |= is_new(setup->spec, kinds[i].which) ? (uint64_t)kinds[i].flag : 0;
    }
    flags |= is_new(setup->spec, WRAP_NS_PID) ? CLONE_NEWPID : 0;
    return (flags & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_NEWNS;
}

/* A raw clone leaves the parent's thread id in the C library, unless the kernel writes the new one
 * where the library keeps it. */
static long clone_raw(struct wrap_setup *setup, int *pidfd)
{
    int *tid = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &tid, 0, 0, 0) != 0 || !tid) {
        errno = ENOSYS;
        return -1;
    }
    struct wrap_cgroup *cgroup = setup->config->cgroup;
    int group = cgroup ? wrap_cgroup_clone_fd(cgroup) : -1;
    struct clone_args args = {
        .flags = clone_flags(setup) | CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                 (group >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .child_tid = (uint64_t)(uintptr_t)tid,
        .exit_signal = SIGCHLD,
        .cgroup = group >= 0 ? (uint64_t)group : 0,
    };
    long made = syscall(SYS_clone3, &args, sizeof args);
    setup->in_group = made == 0 && group >= 0;
    return made;
}

/* Where clone3 is missing (an outer filter answers ENOSYS). The pid namespace of children is left
 * new: the caller puts it back. */
static long clone_old(const struct wrap_setup *setup, int *pidfd)
{
    int flags = (int)clone_flags(setup);
    if ((flags & CLONE_NEWPID) && unshare(CLONE_NEWPID) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(flags & ~CLONE_NEWPID) != 0) _exit(126);
        return 0;
    }
    if (pid < 0) return -1;
    *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*pidfd < 0) {
        kill(pid, SIGKILL);
        (void)!syscall(SYS_wait4, pid, NULL, 0, NULL);
        errno = ENOSYS;
        return -1;
    }
    return pid;
}

/* Children are made in the pid namespace that is joined here, not the caller itself. */
static bool enter_pids(const struct wrap_setup *setup, struct wrap_error *err)
{
    const char *path = setup->spec->namespace_paths[WRAP_NS_PID];
    if (setup->joined >= 0) {
        return setns(setup->joined, CLONE_NEWPID) == 0 ||
               wrap_fail_errno(err, errno, "pid namespace of the container");
    }
    if (!path) return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && setns(fd, CLONE_NEWPID) == 0;
    if (!good) wrap_fail_errno(err, errno, "pid namespace %s", path);
    if (fd >= 0) close(fd);
    return good;
}

static int open_own_pids(struct wrap_error *err)
{
    int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (fd < 0) wrap_fail_errno(err, errno, "/proc/self/ns/pid");
    return fd;
}

bool wrap_ns_fork(struct wrap_setup *setup, pid_t *pid, int *pidfd, struct wrap_error *err)
{
    bool moved = setup->joined >= 0 || setup->spec->namespace_paths[WRAP_NS_PID];
    int own = moved ? open_own_pids(err) : -1;
    long made = -1;
    if ((!moved || own >= 0) && enter_pids(setup, err)) {
        made = clone_raw(setup, pidfd);
        if (made < 0 && errno == ENOSYS) {
            moved = true;
            own = own >= 0 ? own : open_own_pids(err);
            made = own >= 0 ? clone_old(setup, pidfd) : -1;
        }
        if (made < 0) wrap_fail_errno(err, errno, "making the container's process");
    }
    if (made == 0) {
        *pid = 0;
        return true;
    }
    /* The way back takes privilege over it, which root of a user namespace may lack. */
    if (moved && setns(own, CLONE_NEWPID) != 0 && made > 0 && !setup->last) {
        wrap_fail_errno(err, errno, "own pid namespace");
        kill((pid_t)made, SIGKILL);
        (void)!syscall(SYS_wait4, (pid_t)made, NULL, 0, NULL);
        close(*pidfd);
        made = -1;
    }
    if (own >= 0) close(own);
    *pid = (pid_t)made;
    return made > 0;
}

/* ---------------------------------------------------------------- in the child */

static bool join_path(const char *path, int flag, struct wrap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && setns(fd, flag) == 0;
    if (!good) wrap_fail_errno(err, errno, "namespace %s", path);
    if (fd >= 0) close(fd);
    return good;
}

bool wrap_ns_join(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    if (setup->joined >= 0) {
        int flags = CLONE_NEWNS;
        for (size_t i = 0; i < KINDS; i++) {
            flags |= wrap_ns_own(spec, kinds[i].which) ? kinds[i].flag : 0;
        }
        return setns(setup->joined, flags) == 0 ||
               wrap_fail_errno(err, errno, "namespaces of the container");
    }
    for (size_t i = 0; i < KINDS; i++) {
        const char *path = spec->namespace_paths[kinds[i].which];
        if (path && !join_path(path, kinds[i].flag, err)) return false;
    }
    return true;
}

bool wrap_ns_group(const struct wrap_setup *setup, struct wrap_error *err)
{
    return !is_new(setup->spec, WRAP_NS_CGROUP) || unshare(CLONE_NEWCGROUP) == 0 ||
           wrap_fail_errno(err, errno, "a new cgroup namespace");
}

static bool raise_loopback(struct wrap_error *err)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = IFF_UP;
    bool good = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (!good) wrap_fail_errno(err, errno, "loopback interface");
    if (fd >= 0) close(fd);
    return good;
}

/* ---------------------------------------------------------------- sysctl */

/* Those of the IPC namespace, beside fs.mqueue. */
static const char *const ipc_names[] = {
    "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
    "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
};

/* "a.b.c" and "a/b.1/c" become a path: whatever separates first is the separator. */
static bool sysctl_path(const char *key, char out[256])
{
    size_t length = strlen(key);
    const char *first = strpbrk(key, "./");
    if (length == 0 || length >= 256 || !first) return false;
    for (size_t i = 0; i <= length; i++) {
        bool swap = *first == '.' && (key[i] == '.' || key[i] == '/');
        out[i] = swap ? (key[i] == '.' ? '/' : '.') : key[i];
    }
    char with_ends[260];
    snprintf(with_ends, sizeof with_ends, "/%s/", out);
    return !strstr(with_ends, "/../") && !strstr(with_ends, "/./") && !strstr(with_ends, "//");
}

/* Whether a setting belongs to a namespace that the container has for itself. */
static bool sysctl_is_own(const struct wrap_spec *spec, const char *path)
{
    if (strncmp(path, "net/", 4) == 0) return wrap_ns_own(spec, WRAP_NS_NETWORK);
    if (strncmp(path, "fs/mqueue/", 10) == 0) return wrap_ns_own(spec, WRAP_NS_IPC);
    if (strcmp(path, "kernel/domainname") == 0) return wrap_ns_own(spec, WRAP_NS_UTS);
    for (size_t i = 0; i < sizeof ipc_names / sizeof ipc_names[0]; i++) {
        if (strcmp(path, ipc_names[i]) == 0) return wrap_ns_own(spec, WRAP_NS_IPC);
    }
    return false;
}

/* The kernel shows each process its own namespaces there, in any procfs. */
static bool set_sysctl(const struct wrap_spec *spec, const struct wrap_key_value *row,
                       struct wrap_error *err)
{
    char path[256];
    char full[300];
    if (!sysctl_path(row->key, path) || !sysctl_is_own(spec, path)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "linux.sysctl %s is not in a namespace of the container", row->key);
    }
    snprintf(full, sizeof full, "/proc/sys/%s", path);
    int fd = open(full, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t length = strlen(row->value);
    bool good = fd >= 0 && write(fd, row->value, length) == (ssize_t)length;
    if (!good) wrap_fail_errno(err, errno, "linux.sysctl %s", row->key);
    if (fd >= 0) close(fd);
    return good;
}

bool wrap_ns_names(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    if ((spec->hostname[0] || spec->domainname[0]) && !wrap_ns_own(spec, WRAP_NS_UTS)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "hostname without a uts namespace");
    }
    if (spec->hostname[0] && sethostname(spec->hostname, strlen(spec->hostname)) != 0) {
        return wrap_fail_errno(err, errno, "hostname %s", spec->hostname);
    }
    if (spec->domainname[0] && setdomainname(spec->domainname, strlen(spec->domainname)) != 0) {
        return wrap_fail_errno(err, errno, "domainname %s", spec->domainname);
    }
    if (is_new(spec, WRAP_NS_NETWORK) && !raise_loopback(err)) return false;
    for (size_t i = 0; i < spec->sysctl_count; i++) {
        if (!set_sysctl(spec, &spec->sysctl[i], err)) return false;
    }
    return true;
}
