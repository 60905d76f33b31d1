/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_file.c - files and folders of a group: where they are, reading, writing, walking over
 * those beneath. Not here: which file means what.
 */
#include "sandbox/cgroup_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Groups within groups: nobody nests deeper, and each level holds a descriptor. */
enum { DEPTH_MAX = 32, PIDS_MAX = 1 << 22 };

bool wrap_cgroup_folder(const struct wrap_cgroup *cgroup, const struct wrap_hierarchy *hierarchy,
                        char out[WRAP_FOLDER_MAX])
{
    const char *base = cgroup->place.relative ? hierarchy->own : "";
    const char *cut = base + strlen(base);
    if (cgroup->place.relative && cgroup->host->version == WRAP_CGROUP_V2) {
        /* This process is in `own`, so no controller can be passed on from there: beside it. */
        cut = strrchr(base, '/');
        cut = cut ? cut : base;
    }
    int wrote = snprintf(out, WRAP_FOLDER_MAX, "%s%.*s%s", hierarchy->mount, (int)(cut - base),
                         base, cgroup->place.path);
    return wrote > 0 && wrote < WRAP_FOLDER_MAX;
}

int wrap_cgroup_dir(const struct wrap_cgroup *cgroup, const struct wrap_hierarchy *hierarchy)
{
    char folder[WRAP_FOLDER_MAX];
    if (!wrap_cgroup_folder(cgroup, hierarchy, folder)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int wrap_cgroup_dir_of(const struct wrap_cgroup *cgroup, enum wrap_controller controller)
{
    const struct wrap_hierarchy *hierarchy = wrap_host_with(cgroup->host, controller);
    errno = ENOENT;
    return hierarchy ? wrap_cgroup_dir(cgroup, hierarchy) : -1;
}

int wrap_cgroup_write(int dir, const char *file, const char *value)
{
    int fd = openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    size_t size = strlen(value);
    ssize_t wrote;
    do {
        wrote = write(fd, value, size);
    } while (wrote < 0 && errno == EINTR);
    int problem = wrote < 0 ? errno : (size_t)wrote < size ? EIO : 0;
    close(fd);
    return problem;
}

static bool put_failed(int problem, const char *file, const char *value, struct wrap_error *err)
{
    if (problem == ENOENT) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                         "cgroup: this host has no %s (wanted: %.100s)", file, value);
    }
    return wrap_fail_errno(err, problem, "cgroup: %s refuses '%.100s'", file, value);
}

bool wrap_cgroup_put(int dir, const char *file, const char *value, struct wrap_error *err)
{
    int problem = wrap_cgroup_write(dir, file, value);
    return problem == 0 || put_failed(problem, file, value, err);
}

bool wrap_cgroup_settle(int dir, struct wrap_cgroup_setting *settings, size_t count,
                        struct wrap_error *err)
{
    const struct wrap_cgroup_setting *failed = NULL;
    int problem = 0;
    for (bool progress = true; progress;) {
        progress = false;
        failed = NULL;
        for (size_t i = 0; i < count; i++) {
            if (settings[i].done) {
                continue;
            }
            int now = wrap_cgroup_write(dir, settings[i].file, settings[i].value);
            settings[i].done = now == 0;
            progress = progress || now == 0;
            if (now && !failed) {
                failed = &settings[i];
                problem = now;
            }
        }
        progress = progress && failed;
    }
    return !failed || put_failed(problem, failed->file, failed->value, err);
}

ssize_t wrap_cgroup_read(int dir, const char *file, char *out, size_t size)
{
    int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t at = 0;
    if (fd < 0) {
        return -1;
    }
    ssize_t got = 0;
    while (at < size - 1) {
        got = read(fd, out + at, size - 1 - at);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            break;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    if (got < 0) {
        return -1;
    }
    if (at == size - 1) {
        while (at > 0 && out[at - 1] != '\n') {
            at--;
        }
    }
    out[at] = '\0';
    return (ssize_t)at;
}

bool wrap_cgroup_number(int dir, const char *file, uint64_t *out)
{
    char text[64];
    char *end = text;
    if (wrap_cgroup_read(dir, file, text, sizeof text) <= 0) {
        return false;
    }
    if (strncmp(text, "max", 3) == 0) {
        *out = UINT64_MAX;
        return true;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || errno) {
        return false;
    }
    *out = value;
    return true;
}

bool wrap_cgroup_field(const char *text, const char *name, uint64_t *out)
{
    size_t size = strlen(name);
    while (text && *text) {
        if (strncmp(text, name, size) == 0 && text[size] == ' ') {
            *out = strtoull(text + size + 1, NULL, 10);
            return true;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return false;
}

/* ---------------------------------------------------------------- folders beneath */

/* The next folder in `stream`; NULL: no more. */
static const char *next_folder(DIR *stream)
{
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            return entry->d_name;
        }
    }
    return NULL;
}

/* A stream over a folder, whose descriptor stays the caller's. */
static DIR *stream_of(int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream && copy >= 0) {
        close(copy);
    }
    return stream;
}

static bool add_pid(struct wrap_pid_list *list, pid_t pid)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        pid_t *items = room > PIDS_MAX ? NULL : realloc(list->items, room * sizeof *items);
        if (!items) {
            return false;
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = pid;
    return true;
}

static bool read_pids(int dir, struct wrap_pid_list *list, struct wrap_error *err)
{
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        int problem = errno;
        if (fd >= 0) {
            close(fd);
        }
        /* It went away meanwhile, with its processes. */
        return problem == ENOENT || problem == ENODEV ||
               wrap_fail_errno(err, problem, "cgroup: cgroup.procs");
    }
    bool good = true;
    char line[32];
    while (good && fgets(line, sizeof line, file)) {
        long pid = strtol(line, NULL, 10);
        /* 0: a process that this namespace can't see. */
        good = pid <= 0 || add_pid(list, (pid_t)pid);
    }
    fclose(file);
    return good || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "cgroup: too many processes");
}

static bool collect(int dir, unsigned depth, struct wrap_pid_list *list, struct wrap_error *err)
{
    bool good = read_pids(dir, list, err);
    DIR *stream = good && depth < DEPTH_MAX ? stream_of(dir) : NULL;
    const char *name;
    while (stream && good && (name = next_folder(stream))) {
        int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0) {
            good = collect(inner, depth + 1, list, err);
            close(inner);
        }
    }
    if (stream) {
        closedir(stream);
    }
    return good;
}

bool wrap_cgroup_collect(int dir, struct wrap_pid_list *list, struct wrap_error *err)
{
    return collect(dir, 0, list, err);
}

static int remove_beneath(int dir, unsigned depth)
{
    DIR *stream = depth < DEPTH_MAX ? stream_of(dir) : NULL;
    int problem = 0;
    const char *name;
    while (stream && (name = next_folder(stream))) {
        if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
            continue;
        }
        int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0) {
            (void)remove_beneath(inner, depth + 1);
            close(inner);
        }
        if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
            problem = errno;
        }
    }
    if (stream) {
        closedir(stream);
    }
    return problem;
}

int wrap_cgroup_remove(const char *path)
{
    if (rmdir(path) == 0 || errno == ENOENT) {
        return 0;
    }
    int problem = errno;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        return errno == ENOENT ? 0 : problem;
    }
    int beneath = remove_beneath(dir, 0);
    close(dir);
    if (rmdir(path) == 0 || errno == ENOENT) {
        return 0;
    }
    return beneath ? beneath : errno;
}

/* ---------------------------------------------------------------- waiting */

uint64_t wrap_cgroup_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool wrap_cgroup_pause(uint64_t deadline_ns, unsigned *turn)
{
    if (wrap_cgroup_now_ns() >= deadline_ns) {
        return false;
    }
    unsigned shift = *turn < 6 ? *turn : 6; /* 50 us to 3.2 ms */
    ++*turn;
    nanosleep(&(struct timespec){.tv_nsec = 50000L << shift}, NULL);
    return true;
}
