/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userns.c - user namespaces as descriptors: for the container, entered last, and for mounts whose
 * ids are mapped. A helper process is born in the namespace and does nothing but show it.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAPS_MAX = 340 /* the kernel's */, ROW_MAX = 34 };

uint32_t wrap_host_id(const struct wrap_id_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (maps->items[i].container_id == 0 && maps->items[i].size > 0) {
            return maps->items[i].host_id;
        }
    }
    return 0;
}

static bool write_map(int helper, const char *name, const struct wrap_id_maps *maps,
                      struct wrap_error *err)
{
    if (maps->count == 0 || maps->count > MAPS_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "a user namespace with %zu ranges in %s",
                         maps->count, name);
    }
    char text[MAPS_MAX * ROW_MAX];
    size_t used = 0;
    for (size_t i = 0; i < maps->count; i++) {
        const struct wrap_id_map *row = &maps->items[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%u %u %u\n", row->container_id,
                                 row->host_id, row->size);
    }
    int fd = openat(helper, name, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, used) == (ssize_t)used;
    if (!good) wrap_fail_errno(err, errno, "%s of a user namespace", name);
    if (fd >= 0) close(fd);
    return good;
}

/* The helper shares the table of descriptors, so what it opens is ours; /proc/self needs no number,
 * which would be another one in each pid namespace. */
static _Noreturn void help(int to_us, int from_us)
{
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char byte;
    (void)!write(to_us, &self, sizeof self);
    (void)!read(from_us, &byte, 1);
    _exit(0);
}

/* `helper`: /proc/self of the helper, closed here. */
static int take(int helper, const struct wrap_id_maps *uids, const struct wrap_id_maps *gids,
                struct wrap_error *err)
{
    int out = -1;
    if (write_map(helper, "uid_map", uids, err) && write_map(helper, "gid_map", gids, err)) {
        out = openat(helper, "ns/user", O_RDONLY | O_CLOEXEC);
        if (out < 0) wrap_fail_errno(err, errno, "a new user namespace");
    }
    close(helper);
    return out;
}

int wrap_ns_mapped(const struct wrap_id_maps *uids, const struct wrap_id_maps *gids,
                   struct wrap_error *err)
{
    int ready[2];
    int leave[2];
    int helper = -1;
    int out = -1;
    if (pipe2(ready, O_CLOEXEC) != 0) {
        wrap_fail_errno(err, errno, "a pipe");
        return -1;
    }
    if (pipe2(leave, O_CLOEXEC) != 0) {
        wrap_fail_errno(err, errno, "a pipe");
        close(ready[0]);
        close(ready[1]);
        return -1;
    }
    long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) help(ready[1], leave[0]);
    if (pid < 0) {
        wrap_fail_errno(err, errno, "a new user namespace");
    } else if (read(ready[0], &helper, sizeof helper) == sizeof helper && helper >= 0) {
        out = take(helper, uids, gids, err);
    } else {
        wrap_fail(err, WRAP_INTERNAL, "a new user namespace: no /proc");
    }
    (void)!write(leave[1], "", 1);
    if (pid > 0) {
        (void)!waitpid((pid_t)pid, NULL, 0);
    }
    for (size_t i = 0; i < 2; i++) {
        close(ready[i]);
        close(leave[i]);
    }
    return out;
}

bool wrap_ns_users(struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    const char *path = spec->namespace_paths[WRAP_NS_USER];
    if (!wrap_ns_own(spec, WRAP_NS_USER)) return true;
    if (setup->joined >= 0) {
        setup->users = setup->joined;
        return true;
    }
    if (path) {
        setup->users = open(path, O_RDONLY | O_CLOEXEC);
        return setup->users >= 0 || wrap_fail_errno(err, errno, "user namespace %s", path);
    }
    setup->users = wrap_ns_mapped(&spec->uid_maps, &spec->gid_maps, err);
    return setup->users >= 0;
}
