/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.c - `delete`: containerd calls it after every end of a shim, also a good one, to have
 * nothing left. Everything is found again from the bundle; nobody else is asked.
 */
#include "common/delegate.h"
#include "common/spec.h"
#include "sandbox/cgroup.h"
#include "sandbox/container.h"
#include "shim/serve.h"
#include "shim/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000, ANSWER_MS = 1000 };

extern char **environ;

static void clean_cgroup(const struct wrap_spec *spec, const char *id, bool systemd,
                         struct wrap_error *err)
{
    const struct wrap_cgroup_config config = {
        .path = spec->cgroups_path, .id = id, .systemd = systemd};
    struct wrap_cgroup *cgroup = NULL;
    if (!wrap_cgroup_open(&config, &cgroup, NULL)) {
        return; /* there is none */
    }
    struct wrap_error problem = {0};
    if (!wrap_cgroup_kill(cgroup, &problem) || !wrap_cgroup_delete(cgroup, PATIENCE_MS, &problem)) {
        wrap_fail(err, problem.code, "%s", problem.text);
    }
    wrap_cgroup_free(cgroup);
}

/* Runs the runtime and waits for it: this process has nothing else to do. */
static void run(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return;
    }
    for (int fd = 0; fd < 3; fd++) { /* standard output is the answer */
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) == 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    posix_spawn_file_actions_destroy(&actions);
}

/* The delegation of a container, if there was one: it is known by the runtime's folder. */
static void clean_delegated(const char *id, const char *ns)
{
    static const char *const names[] = {"runc", "crun"};
    char root[PATH_MAX];
    char state[PATH_MAX];
    char binary[PATH_MAX];
    char number[16];
    struct stat st;
    snprintf(root, sizeof root, "/run/containerd/runc/%s", ns);
    if ((size_t)snprintf(state, sizeof state, "%s/%s", root, id) >= sizeof state ||
        stat(state, &st) != 0) {
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0] && stat(state, &st) == 0; i++) {
        const char *argv[WRAP_DELEGATE_ARGS];
        if (!wrap_delegate_find(names[i], binary, sizeof binary, NULL)) {
            continue;
        }
        const struct wrap_delegate delegate = {.binary = binary, .root = root};
        const struct wrap_delegate_call call = {
            .op = WRAP_DELEGATE_DELETE, .id = id, .force = true};
        wrap_delegate_argv(&delegate, &call, number, argv);
        run(argv);
    }
}

/* Whether a shim is behind a connection: asked for a method that does not exist, it says so. One
 * that is being killed can still be connected to, until the kernel has closed all it had. */
static bool answers(int fd)
{
    static const unsigned char request[] = {0, 0, 0, 6, 0, 0, 0, 1, 1, 0, 10, 1, 'x', 0x12, 1, 'x'};
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    char byte;
    if (send(fd, request, sizeof request, MSG_NOSIGNAL) != sizeof request) {
        return false;
    }
    return poll(&waits, 1, ANSWER_MS) == 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

/* The socket that the bundle names, when nobody answers there any more. */
static void clean_socket(const char *bundle)
{
    char path[PATH_MAX];
    char text[256];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(path, sizeof path, "%s/address", bundle) >= sizeof path) {
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (size <= 0) {
        return;
    }
    text[size] = 0;
    const char *name = strncmp(text, "unix://", 7) == 0 ? text + 7 : text;
    if (strlen(name) >= sizeof address.sun_path) {
        return;
    }
    strcpy(address.sun_path, name);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof address) == 0;
    if (connected ? !answers(probe) : probe >= 0 && errno == ECONNREFUSED) {
        unlink(name);
    }
    if (probe >= 0) {
        close(probe);
    }
}

bool wrap_clean(const char *bundle, const char *id, const char *ns, struct wrap_error *err)
{
    char path[PATH_MAX];
    struct wrap_spec *spec = NULL;
    struct wrap_error first = {0};
    if ((size_t)snprintf(path, sizeof path, "%s/config.json", bundle) >= sizeof path) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "bundle '%.128s': path too long", bundle);
    }
    if (!wrap_id_is_good(id) || !wrap_id_is_good(ns)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "not an id: '%.64s' in '%.64s'", id, ns);
    }
    clean_delegated(id, ns);
    if (wrap_spec_load(path, &spec, NULL)) {
        /* The options are not known here: whether a name without a slash is systemd's. */
        if (spec->cgroups_path[0] != '/') {
            clean_cgroup(spec, id, true, &first);
        }
        clean_cgroup(spec, id, false, &first);
        wrap_spec_free(spec);
    }
    if ((size_t)snprintf(path, sizeof path, "%s/rootfs", bundle) < sizeof path) {
        (void)wrap_root_unmount(path, &first);
    }
    clean_socket(bundle);
    return !first.code || wrap_fail(err, first.code, "%s", first.text);
}
