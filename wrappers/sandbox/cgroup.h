/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the control group of a container on hosts with cgroup v1, v2 and both, by files
 * (cgroupfs) or through systemd. All state is in the kernel: what was made can be found again from
 * the configuration alone, after any crash (for a relative path: by a process that is in the same
 * group as the one that made it).
 *
 * Limits that are 0 are not given, as in runc's configurations, but for swappiness, burst and idle.
 * Rules about devices are for v1 only; v2 would need a program of eBPF, and a Wasm guest can open
 * no device there either: its root is mounted nodev, and no mknod is in its filter.
 */
#ifndef WRAPPERS_SANDBOX_CGROUP_H
#define WRAPPERS_SANDBOX_CGROUP_H

#include "common/spec.h"

#include <stdint.h>
#include <sys/types.h>

enum wrap_cgroup_version {
    WRAP_CGROUP_V1, /**< controllers in hierarchies of v1, perhaps with an empty v2 beside (hybrid)
                     */
    WRAP_CGROUP_V2,
};

struct wrap_cgroup;

struct wrap_cgroup_config {
    const char
        *path; /**< linux.cgroupsPath: absolute, relative, or slice:prefix:name for systemd */
    const char *id; /**< of the container: its group's name when `path` is "" */
    bool systemd; /**< SystemdCgroup: ask systemd for a scope */
    /** NULL: no limits. Must stay as long as the group's object. */
    const struct wrap_resources *resources;
};

/** What this host has, read once per process from /proc/self/mountinfo. */
enum wrap_cgroup_version wrap_cgroup_host(void);

/**
 * Makes the group and sets its limits; parents are made as needed. ALREADY_EXISTS when it holds
 * processes. Nothing is left behind by a failure. Files that the host's kernel lacks are an error
 * when the limit that they stand for is asked for.
 */
bool wrap_cgroup_create(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                        struct wrap_error *err);
/** Whether a group would be needed: limits, but for rules about devices and limits that are none.
 */
bool wrap_cgroup_has_limits(const struct wrap_resources *resources);
/**
 * The same in two steps: `plan` checks the names and makes what wrap_cgroup_clone_fd needs, `make`
 * the rest and the limits, while a child that was cloned into it is busy with other things. A plan
 * that is not carried out leaves an empty folder: wrap_cgroup_delete.
 */
bool wrap_cgroup_plan(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err);
bool wrap_cgroup_make(struct wrap_cgroup *cgroup, struct wrap_error *err);
/** Names the same group without making it, for a cleanup or after a crash; NOT_FOUND: none of its
 * folders is there. */
bool wrap_cgroup_open(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err);
/** The configuration's limits are in force and will not be looked at again: they may be freed. */
void wrap_cgroup_forget_limits(struct wrap_cgroup *cgroup);
/** Forgets; the group stays. NULL is allowed. */
void wrap_cgroup_free(struct wrap_cgroup *cgroup);

/** For CLONE_INTO_CGROUP: a descriptor of the folder of v2, the group's; -1 without v2 and with
 * systemd. A child that was cloned so has to enter what there is of v1. */
int wrap_cgroup_clone_fd(struct wrap_cgroup *cgroup);
/**
 * Puts a process into the group, by pid in the caller's namespace (systemd: in the host's). With
 * systemd the scope is made here, with its first process, and then gets its limits: 10 ms and more,
 * which an asynchronous caller leaves to the child. NOT_FOUND: the process is gone.
 */
bool wrap_cgroup_add(struct wrap_cgroup *cgroup, pid_t pid, struct wrap_error *err);
/** The same for the calling process, which has one thread, as long as it sees the host's
 * /sys/fs/cgroup (with systemd: and /proc, and /run): before pivot_root, and before it changes its
 * identity. `cloned`: it was made by CLONE_INTO_CGROUP. */
bool wrap_cgroup_enter(struct wrap_cgroup *cgroup, bool cloned, struct wrap_error *err);

/** Changes limits that are given; those that are not stay. With systemd: 10 ms. */
bool wrap_cgroup_update(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                        struct wrap_error *err);
/** Freezes or thaws all processes and waits until it is so, at most a second. */
bool wrap_cgroup_freeze(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err);
/** SIGKILL to every process of the group and of those beneath it, frozen ones too. */
bool wrap_cgroup_kill(struct wrap_cgroup *cgroup, struct wrap_error *err);
/** All processes of the group and beneath; `*pids` is freed by the caller. */
bool wrap_cgroup_pids(const struct wrap_cgroup *cgroup, pid_t **pids, size_t *count,
                      struct wrap_error *err);
/** Removes the group and those beneath it. A folder that is busy is tried again for up to
 * `patience_ms`; absent ones are fine. With systemd its scope is stopped first (10 ms). */
bool wrap_cgroup_delete(struct wrap_cgroup *cgroup, unsigned patience_ms, struct wrap_error *err);

/**
 * A descriptor, the group's, that polls readable when the group may have run out of memory (v1:
 * eventfd of memory.oom_control; v2: inotify of memory.events); -1: this host can't.
 */
int wrap_cgroup_oom_fd(struct wrap_cgroup *cgroup);
/** After the descriptor was readable: drains it and says whether there was a kill since the last
 * call. */
bool wrap_cgroup_oom_happened(struct wrap_cgroup *cgroup);

/* ---------------------------------------------------------------- figures */

struct wrap_cgroup_io {
    uint64_t major, minor;
    const char *op; /**< "Read", "Write", …; static */
    uint64_t bytes;
    uint64_t operations;
};
enum { WRAP_CGROUP_HUGE_MAX = 8, WRAP_CGROUP_IO_MAX = 64, WRAP_CGROUP_STAT_MAX = 96 };
/** A row of memory.stat, e.g. total_rss on v1 or anon on v2. */
struct wrap_cgroup_stat {
    char name[32];
    uint64_t value;
};
struct wrap_cgroup_huge {
    char page_size[16];
    uint64_t usage, max, failcnt;
};
/** What a host does not count is 0. Times in nanoseconds on both versions. */
struct wrap_cgroup_stats {
    enum wrap_cgroup_version version;
    uint64_t cpu_total_ns, cpu_user_ns, cpu_system_ns;
    uint64_t cpu_periods, cpu_throttled, cpu_throttled_ns;
    uint64_t memory_usage, memory_limit, memory_max_usage, memory_failcnt; /**< bytes */
    uint64_t swap_usage, swap_limit; /**< v1: memory.memsw.*, memory and swap */
    uint64_t kernel_usage, kernel_limit, tcp_usage, tcp_limit;
    uint64_t events_low, events_high, events_max, events_oom, events_oom_kill;
    uint64_t pids_current, pids_limit; /**< limit 0: none */
    struct wrap_cgroup_stat memory[WRAP_CGROUP_STAT_MAX];
    size_t memory_count;
    struct wrap_cgroup_io io[WRAP_CGROUP_IO_MAX];
    size_t io_count;
    struct wrap_cgroup_huge huge[WRAP_CGROUP_HUGE_MAX];
    size_t huge_count;
};
bool wrap_cgroup_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out,
                       struct wrap_error *err);

/* Processors and characters of a list like "0-3,8": what there is no room for is left out. */
enum { WRAP_CGROUP_CPU_MAX = 1024, WRAP_CGROUP_LIST_MAX = 1024, WRAP_CGROUP_SETS = 9 };
struct wrap_cgroup_peak {
    uint64_t max, failcnt; /**< bytes; how often it could not grow */
};
/** What only runc's events have besides, all of it of cgroup v1; else 0 and "". */
struct wrap_cgroup_rare {
    uint64_t cpu_ns[WRAP_CGROUP_CPU_MAX];
    size_t cpu_count;
    uint64_t cpu_user_ns[WRAP_CGROUP_CPU_MAX], cpu_system_ns[WRAP_CGROUP_CPU_MAX];
    size_t mode_count; /**< of these two */
    char cpus[WRAP_CGROUP_LIST_MAX], mems[WRAP_CGROUP_LIST_MAX];
    struct {
        const char *name; /**< of cpuset.NAME, there on every host */
        int64_t value;
    } sets[WRAP_CGROUP_SETS];
    struct wrap_cgroup_peak swap, kernel, tcp;
};
void wrap_cgroup_rare(const struct wrap_cgroup *cgroup, struct wrap_cgroup_rare *out);

#endif
