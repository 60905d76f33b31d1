/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_v2.c - limits, freezing, killing and the news of lacking memory on hosts with cgroup v2.
 * Not here: figures (cgroup_stats_v2.c), conversions of numbers (cgroup_limits.c).
 *
 * Rules about devices need a program of eBPF on v2. A Wasm guest can open no device: its root is
 * mounted nodev and mknod is no call that its filter allows; so there is none.
 *
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
 */
#include "sandbox/cgroup_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { LIST_MAX = 512 };

static bool listed(const char *list, const char *word, size_t size)
{
    for (const char *at = list; (at = strstr(at, word)); at += size) {
        bool begins = at == list || at[-1] == ' ' || at[-1] == '\n';
        if (begins && (at[size] == ' ' || at[size] == '\n' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Passes on every controller that `parent` has. One that can't be is missed by who needs it. */
static void prepare(int parent, int child)
{
    char have[LIST_MAX];
    char on[LIST_MAX];
    char wanted[2 * LIST_MAX] = "";
    size_t at = 0;
    char *rest = NULL;
    (void)child;
    if (wrap_cgroup_read(parent, "cgroup.controllers", have, sizeof have) <= 0 ||
        wrap_cgroup_read(parent, "cgroup.subtree_control", on, sizeof on) < 0) {
        return;
    }
    for (char *word = strtok_r(have, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        if (!listed(on, word, strlen(word))) {
            at += (size_t)snprintf(wanted + at, sizeof wanted - at, "+%s ", word);
        }
    }
    if (at == 0 || wrap_cgroup_write(parent, "cgroup.subtree_control", wanted) == 0) {
        return;
    }
    for (char *word = strtok_r(wanted, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        (void)wrap_cgroup_write(parent, "cgroup.subtree_control", word);
    }
}

/* A folder that has every controller of the host got them from all that are on the way. */
static bool is_prepared(const char *mount, const char *folder)
{
    const char *const folders[] = {mount, folder};
    char lists[2][LIST_MAX];
    char path[WRAP_FOLDER_MAX + 32];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/cgroup.controllers", folders[i]);
        if (wrap_cgroup_read(AT_FDCWD, path, lists[i], sizeof lists[i]) < 0) {
            return false;
        }
    }
    return strcmp(lists[0], lists[1]) == 0;
}

/* ---------------------------------------------------------------- limits */

static bool put_or_max(int dir, const char *file, int64_t value, struct wrap_error *err)
{
    return value < 0 ? wrap_cgroup_put(dir, file, "max", err)
                     : wrap_cgroup_put_number(dir, file, value, err);
}

static bool cannot(const char *what, struct wrap_error *err)
{
    return wrap_fail(err, WRAP_FAILED_PRECONDITION, "resources: %s is not there on cgroup v2",
                     what);
}

static bool limit_memory(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    if (r->memory_kernel.value > 0 || r->memory_kernel_tcp.value > 0) {
        return cannot("memory.kernel", err);
    }
    if (r->memory_swappiness.given && r->memory_swappiness.value >= 0) {
        return cannot("memory.swappiness", err);
    }
    if (r->memory_disable_oom_killer) {
        return cannot("memory.disableOOMKiller", err);
    }
    if (wrap_given(&r->memory_swap)) {
        int64_t swap;
        if (!wrap_swap_of(r, &swap, err) || !put_or_max(dir, "memory.swap.max", swap, err)) {
            return false;
        }
    }
    return (!wrap_given(&r->memory_limit) ||
            put_or_max(dir, "memory.max", r->memory_limit.value, err)) &&
           (!wrap_given(&r->memory_reservation) ||
            put_or_max(dir, "memory.low", r->memory_reservation.value, err));
}

/* "QUOTA PERIOD"; what is not given stays. */
static void quota_line(int dir, const struct wrap_resources *r, struct wrap_cgroup_setting *out)
{
    char now[64] = "";
    char quota[24] = "max";
    long long period = 100000;
    if (wrap_cgroup_read(dir, "cpu.max", now, sizeof now) > 0) {
        (void)sscanf(now, "%23s %lld", quota, &period);
    }
    if (wrap_given(&r->cpu_quota) && r->cpu_quota.value < 0) {
        snprintf(quota, sizeof quota, "max");
    } else if (wrap_given(&r->cpu_quota)) {
        snprintf(quota, sizeof quota, "%lld", (long long)r->cpu_quota.value);
    }
    if (wrap_given(&r->cpu_period)) {
        period = r->cpu_period.value;
    }
    *out = (struct wrap_cgroup_setting){.file = "cpu.max"};
    snprintf(out->value, sizeof out->value, "%s %lld", quota, period);
}

static bool limit_cpu(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    struct wrap_cgroup_setting settings[2];
    size_t count = 0;
    bool idle = r->cpu_idle.given && r->cpu_idle.value != 0;
    if (wrap_given(&r->cpu_realtime_runtime) || wrap_given(&r->cpu_realtime_period)) {
        return cannot("cpu.realtimeRuntime", err);
    }
    if (r->cpu_idle.given && !wrap_cgroup_put_number(dir, "cpu.idle", r->cpu_idle.value, err)) {
        return false;
    }
    /* Idle groups have no weight: the kernel refuses it. */
    if (wrap_given(&r->cpu_shares) && !idle &&
        !wrap_cgroup_put_number(dir, "cpu.weight",
                                (int64_t)wrap_weight_of_shares(r->cpu_shares.value), err)) {
        return false;
    }
    if (wrap_given(&r->cpu_quota) || wrap_given(&r->cpu_period)) {
        quota_line(dir, r, &settings[count++]);
    }
    if (r->cpu_burst.given) {
        settings[count] = (struct wrap_cgroup_setting){.file = "cpu.max.burst"};
        snprintf(settings[count].value, sizeof settings[count].value, "%lld",
                 (long long)r->cpu_burst.value);
        count++;
    }
    return wrap_cgroup_settle(dir, settings, count, err);
}

static bool limit_cpuset(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    return (!r->cpus || !*r->cpus || wrap_cgroup_put(dir, "cpuset.cpus", r->cpus, err)) &&
           (!r->mems || !*r->mems || wrap_cgroup_put(dir, "cpuset.mems", r->mems, err));
}

static bool limit_pids(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    return put_or_max(dir, "pids.max", r->pids_limit.value, err);
}

/* BFQ weighs as v1 did; without it io.weight has another scale. `device`: "" or "MAJ:MIN ". */
static bool put_io_weight(int dir, const char *device, int64_t weight, struct wrap_error *err)
{
    char value[80];
    snprintf(value, sizeof value, "%s%lld", device, (long long)weight);
    int problem = wrap_cgroup_write(dir, "io.bfq.weight", value);
    if (problem == 0) {
        return true;
    }
    if (problem != ENOENT && problem != EOPNOTSUPP) {
        return wrap_cgroup_put(dir, "io.bfq.weight", value, err);
    }
    snprintf(value, sizeof value, "%s%llu", *device ? device : "default ",
             (unsigned long long)wrap_weight_of_blkio(weight));
    return wrap_cgroup_put(dir, "io.weight", value, err);
}

static bool limit_io_device(int dir, const struct wrap_io_limit *limit, struct wrap_error *err)
{
    char value[96];
    if (strcmp(limit->file, "blkio.weight_device") == 0) {
        snprintf(value, sizeof value, "%lld:%lld ", (long long)limit->major,
                 (long long)limit->minor);
        return put_io_weight(dir, value, (int64_t)(limit->value & 0xffff), err);
    }
    if (!wrap_io_max_of(limit, value, sizeof value)) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "blockIO: %.100s can't be honoured", limit->file);
    }
    return wrap_cgroup_put(dir, "io.max", value, err);
}

static bool limit_io(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    if (wrap_given(&r->io_weight) && !put_io_weight(dir, "", r->io_weight.value, err)) {
        return false;
    }
    for (size_t i = 0; i < r->io_limit_count; i++) {
        if (!limit_io_device(dir, &r->io_limits[i], err)) {
            return false;
        }
    }
    return true;
}

static bool limit_huge(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    return wrap_cgroup_limit_huge(dir, r, "max", err);
}

static bool wants_network(const struct wrap_resources *r)
{
    return wrap_wants_net_class(r) || wrap_wants_net_priority(r);
}

static bool limit_network(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    (void)dir;
    (void)r;
    return cannot("network", err);
}

static bool wants_unified(const struct wrap_resources *r) { return r->unified_count > 0; }

/* A file with several rows takes one at a time. */
static bool put_lines(int dir, const struct wrap_key_value *pair, struct wrap_error *err)
{
    char line[256];
    for (const char *at = pair->value; *at;) {
        size_t size = strcspn(at, "\n");
        if (size >= sizeof line) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "resources.unified: %s: too long a line",
                             pair->key);
        }
        memcpy(line, at, size);
        line[size] = '\0';
        if (size > 0 && !wrap_cgroup_put(dir, pair->key, line, err)) {
            return false;
        }
        at += size + (at[size] == '\n');
    }
    return true;
}

static bool limit_unified(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    char controllers[LIST_MAX] = "";
    (void)wrap_cgroup_read(dir, "cgroup.controllers", controllers, sizeof controllers);
    for (size_t i = 0; i < r->unified_count; i++) {
        const char *key = r->unified[i].key;
        if (!wrap_unified_key_valid(key, controllers)) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                             "resources.unified: '%.100s' is no file of an enabled controller",
                             key);
        }
        if (!put_lines(dir, &r->unified[i], err)) {
            return false;
        }
    }
    return true;
}

static bool limit(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                  struct wrap_error *err)
{
    static const struct wrap_cgroup_part parts[] = {
        {WRAP_CTL_UNIFIED, "memory", wrap_wants_memory, limit_memory},
        {WRAP_CTL_UNIFIED, "cpu", wrap_wants_cpu, limit_cpu},
        {WRAP_CTL_UNIFIED, "cpuset", wrap_wants_cpuset, limit_cpuset},
        {WRAP_CTL_UNIFIED, "pids", wrap_wants_pids, limit_pids},
        {WRAP_CTL_UNIFIED, "io", wrap_wants_io, limit_io},
        {WRAP_CTL_UNIFIED, "hugetlb", wrap_wants_huge, limit_huge},
        {WRAP_CTL_UNIFIED, "network", wants_network, limit_network},
        {WRAP_CTL_UNIFIED, "unified", wants_unified,
         limit_unified}, /* last: it has the last word */
    };
    return wrap_cgroup_apply(cgroup, parts, sizeof parts / sizeof parts[0], resources, err);
}

/* ---------------------------------------------------------------- freezing, killing */

enum { FREEZE_NS = 1000000000, KILL_ROUNDS = 64 };

static bool wait_for_frozen(int dir, uint64_t wanted)
{
    uint64_t deadline = wrap_cgroup_now_ns() + FREEZE_NS;
    for (unsigned turn = 0;;) {
        char text[256];
        uint64_t now = 0;
        if (wrap_cgroup_read(dir, "cgroup.events", text, sizeof text) > 0 &&
            wrap_cgroup_field(text, "frozen", &now) && now == wanted) {
            return true;
        }
        if (!wrap_cgroup_pause(deadline, &turn)) {
            return false;
        }
    }
}

static bool freeze(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_UNIFIED);
    if (dir < 0) {
        return wrap_fail_errno(err, errno, "cgroup: %.200s can't be frozen", cgroup->place.path);
    }
    bool good = wrap_cgroup_put(dir, "cgroup.freeze", frozen ? "1" : "0", err);
    if (good && !wait_for_frozen(dir, frozen)) {
        (void)wrap_cgroup_write(dir, "cgroup.freeze", "0");
        good = wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "cgroup: not %s within a second",
                         frozen ? "frozen" : "thawed");
    }
    close(dir);
    return good;
}

/* For kernels without cgroup.kill (5.14): frozen ones can't fork, and SIGKILL wakes them. */
static bool kill_each(struct wrap_cgroup *cgroup, int dir, struct wrap_error *err)
{
    bool good = true;
    bool frozen = wrap_cgroup_write(dir, "cgroup.freeze", "1") == 0 && wait_for_frozen(dir, 1);
    for (int round = 0; good && round < (frozen ? 1 : KILL_ROUNDS); round++) {
        pid_t *pids = NULL;
        size_t count = 0;
        good = wrap_cgroup_pids(cgroup, &pids, &count, err);
        for (size_t i = 0; i < count; i++) {
            (void)kill(pids[i], SIGKILL);
        }
        free(pids);
        round = count == 0 ? KILL_ROUNDS : round;
    }
    (void)wrap_cgroup_write(dir, "cgroup.freeze", "0");
    return good;
}

static bool kill_all(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_UNIFIED);
    if (dir < 0) {
        return errno == ENOENT || wrap_fail_errno(err, errno, "cgroup: %.200s", cgroup->place.path);
    }
    int problem = wrap_cgroup_write(dir, "cgroup.kill", "1");
    bool good = problem == 0 || problem == ENODEV ||
                (problem == ENOENT ? kill_each(cgroup, dir, err)
                                   : wrap_fail_errno(err, problem, "cgroup: cgroup.kill"));
    close(dir);
    return good;
}

/* ---------------------------------------------------------------- lack of memory */

static void oom_open(struct wrap_cgroup *cgroup)
{
    char file[WRAP_FOLDER_MAX + 16];
    const struct wrap_hierarchy *unified = wrap_host_with(cgroup->host, WRAP_CTL_UNIFIED);
    if (!unified || !wrap_cgroup_folder(cgroup, unified, file)) {
        return;
    }
    strcat(file, "/memory.events");
    int count = open(file, O_RDONLY | O_CLOEXEC);
    int events = count < 0 ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (events >= 0 && inotify_add_watch(events, file, IN_MODIFY) >= 0) {
        cgroup->oom_fd = events;
        cgroup->oom_count_fd = count;
        return;
    }
    if (events >= 0) {
        close(events);
    }
    if (count >= 0) {
        close(count);
    }
}

const struct wrap_cgroup_ops wrap_cgroup_v2 = {
    .prepare_all = true,
    .prepared = 1u << WRAP_CTL_UNIFIED,
    .prepare = prepare,
    .is_prepared = is_prepared,
    .limit = limit,
    .freeze = freeze,
    .kill = kill_all,
    .oom_open = oom_open,
    .stats = wrap_cgroup_v2_stats,
};
