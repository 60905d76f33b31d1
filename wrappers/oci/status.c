/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - what state a container is in, by what the kernel says, and how it is told. */
#include "oci/oci.h"
#include "oci/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char start_name[] = "wasmrun.start";
static const char usage_name[] = "wasmrun.usage";

/* ---------------------------------------------------------------- the process */

bool wrap_oci_process_started(pid_t pid, uint64_t *ticks)
{
    enum { STATE = 0, START = 19 }; /* fields behind the name: proc(5), 3 and 22 */
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) close(fd);
    text[size > 0 ? size : 0] = 0;
    char *at = size > 0 ? strrchr(text, ')') : NULL; /* the name is anything */
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X') return false;
    at += 2;
    for (int i = STATE; i < START; i++) {
        at = strchr(at, ' ');
        if (!at) return false;
        at++;
    }
    *ticks = strtoull(at, NULL, 10);
    return true;
}

static bool lives(const struct wrap_oci_state_doc *state)
{
    uint64_t ticks = 0;
    return wrap_oci_process_started(state->pid, &ticks) && ticks == state->started;
}

int wrap_oci_state_pidfd(const struct wrap_oci_state_doc *state)
{
    int fd = state->pid > 0 ? (int)syscall(SYS_pidfd_open, state->pid, 0) : -1;
    if (fd >= 0 && !lives(state)) { /* the number is another's by now */
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---------------------------------------------------------------- status */

static bool is_being_made(const struct wrap_oci_state_doc *state)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", state->dir);
    /* A lock belongs to an open file: ours, if we have it, would be in the way of a second one. */
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool locked = dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) != 0;
    if (dir >= 0) close(dir);
    return locked;
}

enum wrap_oci_status wrap_oci_status_of(const struct wrap_oci_state_doc *state)
{
    struct stat st;
    if (!state->pid) return is_being_made(state) ? WRAP_OCI_CREATING : WRAP_OCI_STOPPED;
    if (!lives(state)) return WRAP_OCI_STOPPED;
    if (state->paused) return WRAP_OCI_PAUSED;
    return fstatat(state->dir, start_name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? WRAP_OCI_CREATED
                                                                          : WRAP_OCI_RUNNING;
}

const char *wrap_oci_status_name(enum wrap_oci_status status)
{
    static const char *const names[] = {
        [WRAP_OCI_CREATING] = "creating", [WRAP_OCI_CREATED] = "created",
        [WRAP_OCI_RUNNING] = "running",   [WRAP_OCI_PAUSED] = "paused",
        [WRAP_OCI_STOPPED] = "stopped",
    };
    return names[status];
}

/* Names of other users would have to be looked up in the host's files: the number does. */
json_t *wrap_oci_state_json(const struct wrap_oci_state_doc *state, const char *status)
{
    bool stopped = strcmp(status, wrap_oci_status_name(WRAP_OCI_STOPPED)) == 0;
    char owner[16] = "root";
    if (state->owner) snprintf(owner, sizeof owner, "%u", (unsigned)state->owner);
    json_t *doc =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "ociVersion", state->version, "id",
                  state->id, "pid", stopped ? 0 : (int)state->pid, "status", status, "bundle",
                  state->bundle, "rootfs", state->rootfs, "created", state->created);
    if (doc && json_object_size(state->annotations)) {
        json_object_set(doc, "annotations", state->annotations);
    }
    if (doc) json_object_set_new(doc, "owner", json_string(owner));
    return doc;
}

/* ---------------------------------------------------------------- the start */

int wrap_oci_start_make(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    int fd = -1;
    if (mkfifoat(state->dir, start_name, 0600) == 0) {
        fd = openat(state->dir, start_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) wrap_fail_errno(err, errno, "%s", start_name);
    return fd;
}

bool wrap_oci_start_go(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    int fd = openat(state->dir, start_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool waits = fd >= 0 && write(fd, "", 1) == 1;
    if (fd >= 0) close(fd);
    /* Also when nobody waits: a `start` that was killed between the two. */
    (void)unlinkat(state->dir, start_name, 0);
    return waits || wrap_fail(err, WRAP_FAILED_PRECONDITION,
                              "container %s: its process does not wait for a start", state->id);
}

/* ---------------------------------------------------------------- what its guest holds */

int wrap_oci_usage_make(const struct wrap_oci_state_doc *state)
{
    return wrap_usage_make(state->dir, usage_name);
}

bool wrap_oci_usage_read(const struct wrap_oci_state_doc *state, wr_usage_t *out)
{
    int fd = openat(state->dir, usage_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool good = fd >= 0 && wrap_usage_read(fd, out);
    if (fd >= 0) close(fd);
    return good;
}

/* ---------------------------------------------------------------- the group */

struct wrap_cgroup *wrap_oci_state_cgroup(const struct wrap_oci_state_doc *state,
                                          struct wrap_error *err)
{
    const struct wrap_cgroup_config config = {
        .path = state->cgroup, .id = state->id, .systemd = state->systemd};
    struct wrap_cgroup *cgroup = NULL;
    if (!state->cgroup || (!state->cgroup[0] && !state->systemd)) {
        wrap_fail(err, WRAP_NOT_FOUND, "container %s has no control group", state->id);
        return NULL;
    }
    return wrap_cgroup_open(&config, &cgroup, err) ? cgroup : NULL;
}
