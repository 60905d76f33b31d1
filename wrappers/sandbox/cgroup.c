/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - the life of a group: made, entered, limited, removed. What differs between the
 * versions is behind wrap_cgroup_ops; what systemd does, in cgroup_systemd.c.
 */
#include "sandbox/cgroup_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail_at(int problem, const char *folder, struct wrap_error *err)
{
    return wrap_fail_errno(err, problem, "cgroup: %.300s", folder);
}

/* ---------------------------------------------------------------- the object */

static bool new_group(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err)
{
    const struct wrap_host *host = wrap_host_get();
    if (host->count == 0) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "cgroup: this host has none mounted");
    }
    struct wrap_cgroup *made = calloc(1, sizeof *made);
    if (!made) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    made->host = host;
    made->ops = host->version == WRAP_CGROUP_V2 ? &wrap_cgroup_v2 : &wrap_cgroup_v1;
    made->clone_fd = made->oom_fd = made->oom_count_fd = -1;
    made->resources = config->resources;
    if (!wrap_cgroup_place_of(config, &made->place, err)) {
        free(made);
        return false;
    }
    *out = made;
    return true;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void wrap_cgroup_forget_limits(struct wrap_cgroup *cgroup) { cgroup->resources = NULL; }

void wrap_cgroup_free(struct wrap_cgroup *cgroup)
{
    if (cgroup) {
        close_if_open(&cgroup->clone_fd);
        close_if_open(&cgroup->oom_fd);
        close_if_open(&cgroup->oom_count_fd);
        wrap_cgroup_place_fini(&cgroup->place);
        free(cgroup);
    }
}

/* ---------------------------------------------------------------- folders */

/* Makes the last folder of `path`, and those on the way to it behind the mount. 0, or an errno:
 * EEXIST when it was there. */
static int make_folders(char *path, size_t mount, struct wrap_cgroup_trace *trace)
{
    if (mkdir(path, 0755) == 0) {
        trace->first = strlen(path);
        return 0;
    }
    if (errno != ENOENT) {
        return errno;
    }
    for (char *slash = path + mount + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        int problem = mkdir(path, 0755) == 0 ? 0 : errno;
        if (problem == 0 && !trace->first) {
            trace->first = strlen(path);
        }
        *slash = '/';
        if (problem && problem != EEXIST) {
            return problem;
        }
    }
    if (mkdir(path, 0755) < 0) {
        return errno;
    }
    trace->first = trace->first ? trace->first : strlen(path);
    return 0;
}

static void undo_folders(char *path, const struct wrap_cgroup_trace *trace)
{
    while (trace->first && strlen(path) >= trace->first) {
        (void)rmdir(path);
        *strrchr(path, '/') = '\0';
    }
}

/* Shows each folder and the one in it to the version's `prepare`, from the top down; the first one
 * inside has a path of more than `above` bytes. */
static int prepare_folders(const struct wrap_cgroup *cgroup, char *path, size_t above)
{
    char *slash = path + above;
    *slash = '\0';
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    while (parent >= 0 && slash) {
        char *next = strchr(slash + 1, '/');
        if (next) {
            *next = '\0';
        }
        int child = openat(parent, slash + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int problem = errno;
        if (next) {
            *next = '/';
        }
        if (child >= 0) {
            cgroup->ops->prepare(parent, child);
        }
        close(parent);
        errno = problem;
        parent = child;
        slash = next;
    }
    if (parent < 0) {
        return errno;
    }
    close(parent);
    return 0;
}

/* A group that was there may be used when nobody is in it. */
static bool check_empty(const struct wrap_cgroup *cgroup, const char *folder,
                        struct wrap_error *err)
{
    struct wrap_pid_list list = {0};
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        return errno == ENOENT || fail_at(errno, folder, err);
    }
    bool good = wrap_cgroup_collect(dir, &list, err);
    (void)wrap_cgroup_write(dir, "freezer.state", "THAWED"); /* or the next one would hang */
    close(dir);
    free(list.items);
    return good &&
           (list.count == 0 || wrap_fail(err, WRAP_ALREADY_EXISTS, "cgroup: %.200s holds processes",
                                         cgroup->place.path));
}

static bool make_in(const struct wrap_cgroup *cgroup, const struct wrap_hierarchy *hierarchy,
                    struct wrap_cgroup_trace *trace, struct wrap_error *err)
{
    char path[WRAP_FOLDER_MAX];
    if (!wrap_cgroup_folder(cgroup, hierarchy, path)) {
        return fail_at(ENAMETOOLONG, cgroup->place.path, err);
    }
    size_t mount = strlen(hierarchy->mount);
    int problem = make_folders(path, mount, trace);
    if (problem == EEXIST) {
        problem = 0;
        /* systemd's scope has its process already. */
        if (!cgroup->place.unit && !check_empty(cgroup, path, err)) {
            return false;
        }
    }
    const struct wrap_cgroup_ops *ops = cgroup->ops;
    if (problem == 0 && trace->first && (hierarchy->controllers & ops->prepared) &&
        !(ops->is_prepared && ops->is_prepared(hierarchy->mount, path))) {
        size_t above = mount;
        if (!cgroup->ops->prepare_all) { /* the folder that the first new one is in */
            above = trace->first - 1;
            while (path[above] != '/') {
                above--;
            }
        }
        problem = prepare_folders(cgroup, path, above);
    }
    return problem == 0 || fail_at(problem, path, err);
}

static void undo(const struct wrap_cgroup *cgroup, const struct wrap_cgroup_trace *traces)
{
    for (size_t i = 0; i < cgroup->host->count; i++) {
        char path[WRAP_FOLDER_MAX];
        if (wrap_cgroup_folder(cgroup, &cgroup->host->items[i], path)) {
            undo_folders(path, &traces[i]);
        }
    }
}

/* Folders in all hierarchies (the unified one may be there since the group was planned), and
 * limits. */
static bool make_all(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    struct wrap_cgroup_trace traces[WRAP_HIERARCHIES_MAX] = {0};
    bool good = true;
    for (size_t i = 0; good && i < cgroup->host->count; i++) {
        if (cgroup->host->items[i].controllers & (1u << WRAP_CTL_UNIFIED) &&
            cgroup->planned.first) {
            traces[i] = cgroup->planned;
        } else {
            good = make_in(cgroup, &cgroup->host->items[i], &traces[i], err);
        }
    }
    good = good && (!cgroup->resources || cgroup->ops->limit(cgroup, cgroup->resources, err));
    if (!good) {
        undo(cgroup, traces);
    }
    cgroup->is_planned = false;
    return good;
}

/* Whether any of its folders is there. */
static bool is_there(const struct wrap_cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->host->count; i++) {
        int dir = wrap_cgroup_dir(cgroup, &cgroup->host->items[i]);
        if (dir >= 0) {
            close(dir);
            return true;
        }
    }
    return false;
}

/* A scope comes with its first process; what a crash has left of its name goes first. */
static bool make_way(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    cgroup->pending = true;
    if (!is_there(cgroup)) {
        return true;
    }
    for (size_t i = 0; i < cgroup->host->count; i++) {
        char path[WRAP_FOLDER_MAX];
        if (wrap_cgroup_folder(cgroup, &cgroup->host->items[i], path) &&
            !check_empty(cgroup, path, err)) {
            return false;
        }
    }
    return wrap_cgroup_delete(cgroup, 0, err);
}

bool wrap_cgroup_plan(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err)
{
    struct wrap_cgroup *made = NULL;
    *out = NULL;
    if ((config->resources && !wrap_shares_check(config->resources, err)) ||
        !new_group(config, &made, err)) {
        return false;
    }
    const struct wrap_hierarchy *unified = wrap_host_with(made->host, WRAP_CTL_UNIFIED);
    bool good = true;
    if (made->place.unit) {
        good = make_way(made, err);
    } else if (unified) {
        good = make_in(made, unified, &made->planned, err);
        made->is_planned = true;
    }
    if (!good) {
        wrap_cgroup_free(made);
        return false;
    }
    *out = made;
    return true;
}

bool wrap_cgroup_make(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    return cgroup->place.unit ? true : make_all(cgroup, err);
}

bool wrap_cgroup_create(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                        struct wrap_error *err)
{
    if (!wrap_cgroup_plan(config, out, err)) {
        return false;
    }
    if (!wrap_cgroup_make(*out, err)) {
        wrap_cgroup_free(*out);
        *out = NULL;
        return false;
    }
    return true;
}

bool wrap_cgroup_open(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err)
{
    struct wrap_cgroup *made = NULL;
    *out = NULL;
    if (!new_group(config, &made, err)) {
        return false;
    }
    if (!is_there(made)) {
        wrap_fail(err, WRAP_NOT_FOUND, "cgroup: %.200s is not there", made->place.path);
        wrap_cgroup_free(made);
        return false;
    }
    *out = made;
    return true;
}

bool wrap_cgroup_delete(struct wrap_cgroup *cgroup, unsigned patience_ms, struct wrap_error *err)
{
    uint64_t deadline = wrap_cgroup_now_ns() + patience_ms * UINT64_C(1000000);
    char path[WRAP_FOLDER_MAX];
    if (cgroup->place.unit && is_there(cgroup)) {
        wrap_systemd_stop(cgroup);
    }
    for (unsigned turn = 0;;) {
        const struct wrap_hierarchy *busy = NULL;
        int problem = 0;
        for (size_t i = 0; i < cgroup->host->count; i++) {
            const struct wrap_hierarchy *hierarchy = &cgroup->host->items[i];
            int now = wrap_cgroup_folder(cgroup, hierarchy, path) ? wrap_cgroup_remove(path) : 0;
            busy = now ? hierarchy : busy;
            problem = now ? now : problem;
        }
        if (!busy) {
            return true;
        }
        if (problem != EBUSY || !wrap_cgroup_pause(deadline, &turn)) {
            return wrap_fail_errno(err, problem, "cgroup: %.100s%.200s can't be removed",
                                   busy->mount, cgroup->place.path);
        }
    }
}

/* ---------------------------------------------------------------- processes */

int wrap_cgroup_clone_fd(struct wrap_cgroup *cgroup)
{
    if (cgroup->clone_fd < 0 && !cgroup->place.unit) {
        cgroup->clone_fd = wrap_cgroup_dir_of(cgroup, WRAP_CTL_UNIFIED);
    }
    return cgroup->clone_fd;
}

/*
 * `pid` 0: the caller, which has one thread; `cloned`: it is in the unified hierarchy already. All
 * hierarchies in their order: who is in any is in the first.
 *
 * A thread that moves itself by `tasks` of v1 takes no lock of all processes of the host, as every
 * other move does, which waits for a grace period of the kernel: milliseconds.
 */
static bool join(const struct wrap_cgroup *cgroup, pid_t pid, bool cloned, struct wrap_error *err)
{
    char number[16];
    char file[WRAP_FOLDER_MAX + 16];
    snprintf(number, sizeof number, "%d", (int)pid);
    for (size_t i = 0; i < cgroup->host->count; i++) {
        const struct wrap_hierarchy *hierarchy = &cgroup->host->items[i];
        bool unified = hierarchy->controllers & (1u << WRAP_CTL_UNIFIED);
        if (unified && cloned) {
            continue;
        }
        if (!wrap_cgroup_folder(cgroup, hierarchy, file)) {
            return fail_at(ENAMETOOLONG, cgroup->place.path, err);
        }
        strcat(file, unified || pid ? "/cgroup.procs" : "/tasks");
        int problem = wrap_cgroup_write(AT_FDCWD, file, number);
        if (problem) {
            return wrap_fail_errno(err, problem, "cgroup: process %s can't join %.300s", number,
                                   file);
        }
    }
    return true;
}

/* The caller's number where the folder /proc comes from: systemd's, unlike getpid's after
 * CLONE_NEWPID. */
static pid_t own_pid(void)
{
    char text[32] = "";
    ssize_t size = readlink("/proc/self", text, sizeof text - 1);
    long pid = size > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 ? (pid_t)pid : getpid();
}

static bool add(struct wrap_cgroup *cgroup, pid_t pid, bool cloned, struct wrap_error *err)
{
    if (!cgroup->pending || is_there(cgroup)) {
        cgroup->pending = false;
        return join(cgroup, pid, cloned, err);
    }
    if (!wrap_systemd_start(cgroup, cgroup->resources, pid ? pid : own_pid(), err)) {
        return false;
    }
    cgroup->pending = false;
    /* systemd knows some controllers and some limits: the rest is done as without it. */
    if (make_all(cgroup, err) && join(cgroup, pid, cloned, err)) {
        return true;
    }
    wrap_systemd_stop(cgroup);
    return false;
}

bool wrap_cgroup_add(struct wrap_cgroup *cgroup, pid_t pid, struct wrap_error *err)
{
    return add(cgroup, pid, false, err);
}

bool wrap_cgroup_enter(struct wrap_cgroup *cgroup, bool cloned, struct wrap_error *err)
{
    return add(cgroup, 0, cloned, err);
}

bool wrap_cgroup_pids(const struct wrap_cgroup *cgroup, pid_t **pids, size_t *count,
                      struct wrap_error *err)
{
    struct wrap_pid_list list = {0};
    bool good = true;
    int dir = wrap_cgroup_dir(cgroup, &cgroup->host->items[0]);
    if (dir >= 0) {
        good = wrap_cgroup_collect(dir, &list, err);
        close(dir);
    } else if (errno != ENOENT) {
        good = fail_at(errno, cgroup->place.path, err);
    }
    if (!good) {
        free(list.items);
        list = (struct wrap_pid_list){0};
    }
    *pids = list.items;
    *count = list.count;
    return good;
}

bool wrap_cgroup_freeze(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err)
{
    return cgroup->ops->freeze(cgroup, frozen, err);
}

bool wrap_cgroup_kill(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    return cgroup->ops->kill(cgroup, err);
}

/* ---------------------------------------------------------------- limits, lack of memory */

bool wrap_cgroup_update(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                        struct wrap_error *err)
{
    if (!wrap_shares_check(resources, err)) {
        return false;
    }
    if (cgroup->place.unit && !cgroup->pending && !wrap_systemd_update(cgroup, resources, err)) {
        return false;
    }
    return cgroup->ops->limit(cgroup, resources, err);
}

static bool read_kills(const struct wrap_cgroup *cgroup, uint64_t *out)
{
    char text[512];
    ssize_t size = pread(cgroup->oom_count_fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return size > 0 && wrap_cgroup_field(text, "oom_kill", out);
}

int wrap_cgroup_oom_fd(struct wrap_cgroup *cgroup)
{
    if (cgroup->oom_fd < 0) {
        cgroup->ops->oom_open(cgroup);
        if (cgroup->oom_fd >= 0) {
            (void)read_kills(cgroup, &cgroup->oom_kills);
        }
    }
    return cgroup->oom_fd;
}

bool wrap_cgroup_oom_happened(struct wrap_cgroup *cgroup)
{
    char drained[1024];
    uint64_t kills = 0;
    if (cgroup->oom_fd < 0) {
        return false;
    }
    while (read(cgroup->oom_fd, drained, sizeof drained) > 0) {
    }
    /* Notices also come when a group is removed, or of lacking memory that was found at last. */
    bool happened = read_kills(cgroup, &kills) && kills > cgroup->oom_kills;
    cgroup->oom_kills = happened ? kills : cgroup->oom_kills;
    return happened;
}
