/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_v1.c - limits, freezing, killing and the news of lacking memory on hosts with hierarchies
 * of cgroup v1. Not here: figures (cgroup_stats_v1.c).
 *
 * Source: Linux, Documentation/admin-guide/cgroup-v1.
 */
#include "sandbox/cgroup_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A group without processors or memory nodes takes no process; new ones have none. */
static void copy_when_empty(int parent, int child, const char *file)
{
    char text[1024];
    ssize_t size = wrap_cgroup_read(child, file, text, sizeof text);
    if (size >= 0 && text[strspn(text, " \n")] == '\0' &&
        wrap_cgroup_read(parent, file, text, sizeof text) > 0) {
        (void)wrap_cgroup_write(child, file, text); /* attaching would say that it failed */
    }
}

static void prepare(int parent, int child)
{
    copy_when_empty(parent, child, "cpuset.cpus");
    copy_when_empty(parent, child, "cpuset.mems");
}

/* ---------------------------------------------------------------- limits */

static void add(struct wrap_cgroup_setting *settings, size_t *count, const char *file,
                int64_t value)
{
    struct wrap_cgroup_setting *setting = &settings[(*count)++];
    setting->file = file;
    setting->done = false;
    snprintf(setting->value, sizeof setting->value, "%lld", (long long)value);
}

static bool limit_memory(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    static const char both[] = "memory.memsw.limit_in_bytes";
    struct wrap_cgroup_setting settings[2];
    size_t count = 0;
    if (wrap_given(&r->memory_limit)) {
        add(settings, &count, "memory.limit_in_bytes", r->memory_limit.value);
    }
    if (wrap_given(&r->memory_swap)) {
        add(settings, &count, both, r->memory_swap.value);
    } else if (wrap_given(&r->memory_limit) && r->memory_limit.value < 0 &&
               faccessat(dir, both, F_OK, 0) == 0) {
        add(settings, &count, both, -1); /* the sum can't be less than memory alone */
    }
    if (!wrap_cgroup_settle(dir, settings, count, err)) {
        return false;
    }
    if (wrap_given(&r->memory_reservation) &&
        !wrap_cgroup_put_number(dir, "memory.soft_limit_in_bytes", r->memory_reservation.value,
                                err)) {
        return false;
    }
    if (wrap_given(&r->memory_kernel) && r->memory_kernel.value > 0 &&
        !wrap_cgroup_put_number(dir, "memory.kmem.limit_in_bytes", r->memory_kernel.value, err)) {
        return false;
    }
    if (wrap_given(&r->memory_kernel_tcp) &&
        !wrap_cgroup_put_number(dir, "memory.kmem.tcp.limit_in_bytes", r->memory_kernel_tcp.value,
                                err)) {
        return false;
    }
    if (r->memory_swappiness.given && r->memory_swappiness.value >= 0 &&
        !wrap_cgroup_put_number(dir, "memory.swappiness", r->memory_swappiness.value, err)) {
        return false;
    }
    return !r->memory_disable_oom_killer || wrap_cgroup_put(dir, "memory.oom_control", "1", err);
}

static bool limit_cpu(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    struct wrap_cgroup_setting settings[5];
    size_t count = 0;
    bool idle = r->cpu_idle.given && r->cpu_idle.value != 0;
    if (r->cpu_idle.given && !wrap_cgroup_put_number(dir, "cpu.idle", r->cpu_idle.value, err)) {
        return false;
    }
    /* Idle groups have no shares: the kernel refuses them. */
    if (wrap_given(&r->cpu_shares) && !idle &&
        !wrap_cgroup_put_number(dir, "cpu.shares", r->cpu_shares.value, err)) {
        return false;
    }
    if (wrap_given(&r->cpu_period)) {
        add(settings, &count, "cpu.cfs_period_us", r->cpu_period.value);
    }
    if (wrap_given(&r->cpu_quota)) {
        add(settings, &count, "cpu.cfs_quota_us", r->cpu_quota.value < 0 ? -1 : r->cpu_quota.value);
    }
    if (r->cpu_burst.given) {
        add(settings, &count, "cpu.cfs_burst_us", r->cpu_burst.value);
    }
    if (wrap_given(&r->cpu_realtime_period)) {
        add(settings, &count, "cpu.rt_period_us", r->cpu_realtime_period.value);
    }
    if (wrap_given(&r->cpu_realtime_runtime)) {
        add(settings, &count, "cpu.rt_runtime_us", r->cpu_realtime_runtime.value);
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
    return r->pids_limit.value < 0
               ? wrap_cgroup_put(dir, "pids.max", "max", err)
               : wrap_cgroup_put_number(dir, "pids.max", r->pids_limit.value, err);
}

/* Names of the plain scheduler's weights and of those that BFQ brings. */
static bool put_weight(int dir, const char *suffix, const char *value, struct wrap_error *err)
{
    char file[64];
    snprintf(file, sizeof file, "blkio.%s", suffix);
    int problem = wrap_cgroup_write(dir, file, value);
    if (problem == ENOENT || problem == EOPNOTSUPP) {
        snprintf(file, sizeof file, "blkio.bfq.%s", suffix);
    } else if (problem == 0) {
        return true;
    }
    return wrap_cgroup_put(dir, file, value, err);
}

static bool limit_io_device(int dir, const struct wrap_io_limit *limit, struct wrap_error *err)
{
    char value[96];
    char line[96];
    snprintf(value, sizeof value, "%lld:%lld %llu", (long long)limit->major,
             (long long)limit->minor, (unsigned long long)limit->value);
    if (strcmp(limit->file, "blkio.weight_device") == 0) {
        return put_weight(dir, "weight_device", value, err);
    }
    if (!wrap_io_max_of(limit, line, sizeof line)) { /* those files are all that is known */
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "blockIO: %.100s can't be honoured", limit->file);
    }
    return wrap_cgroup_put(dir, limit->file, value, err);
}

static bool limit_io(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    if (wrap_given(&r->io_weight)) {
        char value[32];
        snprintf(value, sizeof value, "%lld", (long long)r->io_weight.value);
        if (!put_weight(dir, "weight", value, err)) {
            return false;
        }
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
    return wrap_cgroup_limit_huge(dir, r, "limit_in_bytes", err);
}

static bool limit_net_class(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    return wrap_cgroup_put_number(dir, "net_cls.classid", r->net_class_id.value, err);
}

static bool limit_net_priority(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    for (size_t i = 0; i < r->net_priority_count; i++) {
        char value[128];
        int size = snprintf(value, sizeof value, "%s %s", r->net_priorities[i].key,
                            r->net_priorities[i].value);
        if (size < 0 || (size_t)size >= sizeof value) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "network.priorities: too long a name");
        }
        if (!wrap_cgroup_put(dir, "net_prio.ifpriomap", value, err)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- devices */

/* What any guest can rely on: null, zero, full, random, urandom. */
static const struct wrap_device_rule usual_devices[] = {
    {true, 'c', 1, 3, "rwm"}, {true, 'c', 1, 5, "rwm"}, {true, 'c', 1, 7, "rwm"},
    {true, 'c', 1, 8, "rwm"}, {true, 'c', 1, 9, "rwm"},
};

/* devices.deny and devices.allow: one rule a write, so they stay open; -1: not yet. */
struct device_files {
    int dir;
    int fds[2];
};

static bool put_device(struct device_files *files, const struct wrap_device_rule *rule, char type,
                       struct wrap_error *err)
{
    static const char *const names[] = {"devices.deny", "devices.allow"};
    int *fd = &files->fds[rule->allow];
    char value[80];
    char major[24] = "*";
    char minor[24] = "*";
    if (rule->major >= 0) {
        snprintf(major, sizeof major, "%lld", (long long)rule->major);
    }
    if (rule->minor >= 0) {
        snprintf(minor, sizeof minor, "%lld", (long long)rule->minor);
    }
    snprintf(value, sizeof value, "%c %s:%s %.3s", type, major, minor,
             *rule->access ? rule->access : "rwm");
    if (*fd < 0) {
        *fd = openat(files->dir, names[rule->allow], O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (*fd < 0 || write(*fd, value, strlen(value)) < 0) {
        return wrap_fail_errno(err, errno, "cgroup: %s refuses '%s'", names[rule->allow], value);
    }
    return true;
}

static bool is_all(const struct wrap_device_rule *rule)
{
    const char *access = rule->access;
    return rule->major < 0 && rule->minor < 0 &&
           (!*access || (strchr(access, 'r') && strchr(access, 'w') && strchr(access, 'm')));
}

/* The kernel takes "a" for everything, whatever stands behind it. */
static bool limit_device(struct device_files *files, const struct wrap_device_rule *rule,
                         struct wrap_error *err)
{
    if (rule->type != 'a' || is_all(rule)) {
        return put_device(files, rule, rule->type, err);
    }
    return put_device(files, rule, 'c', err) && put_device(files, rule, 'b', err);
}

static bool wants_devices(const struct wrap_resources *r) { return r->device_rule_count > 0; }

static bool limit_devices(int dir, const struct wrap_resources *r, struct wrap_error *err)
{
    struct device_files files = {dir, {-1, -1}};
    bool good = true;
    for (size_t i = 0; good && i < r->device_rule_count; i++) {
        good = limit_device(&files, &r->device_rules[i], err);
    }
    for (size_t i = 0; good && i < sizeof usual_devices / sizeof usual_devices[0]; i++) {
        good = limit_device(&files, &usual_devices[i], err);
    }
    for (int i = 0; i < 2; i++) {
        if (files.fds[i] >= 0) {
            close(files.fds[i]);
        }
    }
    return good;
}

static bool limit(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                  struct wrap_error *err)
{
    static const struct wrap_cgroup_part parts[] = {
        {WRAP_CTL_MEMORY, "memory", wrap_wants_memory, limit_memory},
        {WRAP_CTL_CPU, "cpu", wrap_wants_cpu, limit_cpu},
        {WRAP_CTL_CPUSET, "cpuset", wrap_wants_cpuset, limit_cpuset},
        {WRAP_CTL_PIDS, "pids", wrap_wants_pids, limit_pids},
        {WRAP_CTL_BLKIO, "blkio", wrap_wants_io, limit_io},
        {WRAP_CTL_HUGETLB, "hugetlb", wrap_wants_huge, limit_huge},
        {WRAP_CTL_NET_CLS, "net_cls", wrap_wants_net_class, limit_net_class},
        {WRAP_CTL_NET_PRIO, "net_prio", wrap_wants_net_priority, limit_net_priority},
        {WRAP_CTL_DEVICES, "devices", wants_devices, limit_devices},
    };
    if (resources->unified_count > 0) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "resources.unified has files of cgroup v2, this host has v1");
    }
    return wrap_cgroup_apply(cgroup, parts, sizeof parts / sizeof parts[0], resources, err);
}

/* ---------------------------------------------------------------- freezing, killing */

enum { FREEZE_NS = 1000000000 };

/* Processes that are forked meanwhile can keep a group FREEZING: asking again takes them in. */
static bool wait_for_state(int dir, const char *wanted)
{
    uint64_t deadline = wrap_cgroup_now_ns() + FREEZE_NS;
    char state[32];
    for (unsigned turn = 0;;) {
        if (wrap_cgroup_read(dir, "freezer.state", state, sizeof state) > 0 &&
            strncmp(state, wanted, strlen(wanted)) == 0) {
            return true;
        }
        if (!wrap_cgroup_pause(deadline, &turn)) {
            return false;
        }
        if (turn % 16 == 0) {
            (void)wrap_cgroup_write(dir, "freezer.state", wanted);
        }
    }
}

static bool freeze(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err)
{
    const char *wanted = frozen ? "FROZEN" : "THAWED";
    if (!wrap_host_with(cgroup->host, WRAP_CTL_FREEZER)) {
        return wrap_cgroup_v2.freeze(cgroup, frozen, err);
    }
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_FREEZER);
    if (dir < 0) {
        return wrap_fail_errno(err, errno, "cgroup: freezer of %.200s", cgroup->place.path);
    }
    bool good = wrap_cgroup_put(dir, "freezer.state", wanted, err);
    if (good && !wait_for_state(dir, wanted)) {
        (void)wrap_cgroup_write(dir, "freezer.state", "THAWED");
        good = wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "cgroup: not %s within a second", wanted);
    }
    close(dir);
    return good;
}

static bool kill_each(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    pid_t *pids = NULL;
    size_t count = 0;
    if (!wrap_cgroup_pids(cgroup, &pids, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        (void)kill(pids[i], SIGKILL);
    }
    free(pids);
    return true;
}

static void freezer_state(struct wrap_cgroup *cgroup, const char *state)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_FREEZER);
    if (dir >= 0) {
        (void)wrap_cgroup_write(dir, "freezer.state", state);
        close(dir);
    }
}

static bool kill_all(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    int unified = wrap_cgroup_dir_of(cgroup, WRAP_CTL_UNIFIED);
    bool killed = unified >= 0 && wrap_cgroup_write(unified, "cgroup.kill", "1") == 0;
    if (unified >= 0) {
        close(unified);
    }
    if (!killed) {
        /* Frozen ones can't fork while they are counted; half frozen is good enough. */
        freezer_state(cgroup, "FROZEN");
        killed = kill_each(cgroup, err);
    }
    freezer_state(cgroup, "THAWED"); /* frozen ones would not die */
    return killed;
}

/* ---------------------------------------------------------------- lack of memory */

static void oom_open(struct wrap_cgroup *cgroup)
{
    char text[48];
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_MEMORY);
    if (dir < 0) {
        return;
    }
    int control = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
    int event = control < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(text, sizeof text, "%d %d", event, control);
    if (event >= 0 && wrap_cgroup_write(dir, "cgroup.event_control", text) == 0) {
        cgroup->oom_fd = event;
        cgroup->oom_count_fd = control;
        event = control = -1;
    }
    if (event >= 0) {
        close(event);
    }
    if (control >= 0) {
        close(control);
    }
    close(dir);
}

const struct wrap_cgroup_ops wrap_cgroup_v1 = {
    .prepared = 1u << WRAP_CTL_CPUSET,
    .prepare = prepare,
    .limit = limit,
    .freeze = freeze,
    .kill = kill_all,
    .oom_open = oom_open,
    .stats = wrap_cgroup_v1_stats,
};
