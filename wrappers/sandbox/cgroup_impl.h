/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_impl.h - what the files cgroup*.c share: the host's hierarchies, a group's place in them,
 * reading and writing of its files. Not for anybody else.
 */
#ifndef WRAPPERS_SANDBOX_CGROUP_IMPL_H
#define WRAPPERS_SANDBOX_CGROUP_IMPL_H

#include "sandbox/cgroup.h"

#include <stddef.h>
#include <stdio.h>

/* ---------------------------------------------------------------- hierarchies of the host */

enum wrap_controller {
    WRAP_CTL_UNIFIED, /**< the hierarchy of cgroup v2, with whatever it controls */
    WRAP_CTL_FREEZER,
    WRAP_CTL_PIDS,
    WRAP_CTL_MEMORY,
    WRAP_CTL_CPU,
    WRAP_CTL_CPUACCT,
    WRAP_CTL_CPUSET,
    WRAP_CTL_DEVICES,
    WRAP_CTL_BLKIO,
    WRAP_CTL_HUGETLB,
    WRAP_CTL_NET_CLS,
    WRAP_CTL_NET_PRIO,
    WRAP_CTL_PERF_EVENT,
    WRAP_CTL_RDMA,
    WRAP_CTL_MISC,
    WRAP_CTL_SYSTEMD, /**< name=systemd */
    WRAP_CTL_COUNT
};

struct wrap_hierarchy {
    char *mount;          /**< where it is mounted */
    char *own; /**< the group of this process in it, seen from `mount`; "" for its top */
    unsigned controllers; /**< 1 << WRAP_CTL_… */
};
enum { WRAP_HIERARCHIES_MAX = WRAP_CTL_COUNT };
/** Immutable once read. Hierarchies in the order of their first controller. */
struct wrap_host {
    enum wrap_cgroup_version version;
    size_t count;
    struct wrap_hierarchy items[WRAP_HIERARCHIES_MAX];
};

/** The host's, read at the first call; a host without cgroups has no hierarchies. */
const struct wrap_host *wrap_host_get(void);
/** Reads texts like /proc/self/mountinfo and /proc/self/cgroup; `mounted` says whether a mount
 * point can be reached (another may hide it). */
void wrap_host_read(FILE *mountinfo, FILE *own, bool (*mounted)(const char *path, bool v2),
                    struct wrap_host *out);
void wrap_host_free(struct wrap_host *host);

/* ---------------------------------------------------------------- a group's place */

/** Names as the configuration has them, made safe. */
struct wrap_cgroup_place {
    char *path; /**< begins with a slash; beneath `own` when relative, else beneath the mount */
    bool relative;
    char *unit; /**< of systemd, e.g. "cri-containerd-ID.scope"; NULL: by files */
    char *slice; /**< e.g. "kubepods-burstable.slice" */
};
bool wrap_cgroup_place_of(const struct wrap_cgroup_config *config, struct wrap_cgroup_place *out,
                          struct wrap_error *err);
void wrap_cgroup_place_fini(struct wrap_cgroup_place *place);

/** What was made in one hierarchy: the length of the path of the first folder; 0: nothing. */
struct wrap_cgroup_trace {
    size_t first;
};

struct wrap_cgroup_ops;
struct wrap_cgroup {
    const struct wrap_host *host;
    const struct wrap_cgroup_ops *ops;
    struct wrap_cgroup_place place;
    bool pending; /**< a scope that is made when the first process comes, with `resources` */
    const struct wrap_resources *resources;
    struct wrap_cgroup_trace planned; /**< in the unified hierarchy, by wrap_cgroup_plan */
    bool is_planned;
    int clone_fd; /**< -1 */
    int oom_fd; /**< -1 */
    int oom_count_fd; /**< the file that counts kills; -1 */
    uint64_t oom_kills; /**< when it was read last */
};

/** What differs between the versions. */
struct wrap_cgroup_ops {
    unsigned prepared; /**< hierarchies (1 << WRAP_CTL_…) that need `prepare` */
    bool prepare_all; /**< folders that were there, too */
    /** Of a folder and one in it, from the top down to the group: makes the inner one usable. */
    void (*prepare)(int parent, int child);
    /** Whether all that `prepare` would do on the way from `mount` to `folder` is done; NULL:
     * nobody knows. */
    bool (*is_prepared)(const char *mount, const char *folder);
    bool (*limit)(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                  struct wrap_error *err);
    bool (*freeze)(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err);
    bool (*kill)(struct wrap_cgroup *cgroup, struct wrap_error *err);
    /** Opens oom_fd and oom_count_fd, or leaves them. */
    void (*oom_open)(struct wrap_cgroup *cgroup);
    void (*stats)(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out);
};
extern const struct wrap_cgroup_ops wrap_cgroup_v1;
extern const struct wrap_cgroup_ops wrap_cgroup_v2;
void wrap_cgroup_v1_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out);
void wrap_cgroup_v2_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out);

enum { WRAP_FOLDER_MAX = 4096 };
/** The group's folder in a hierarchy; false: too long. */
bool wrap_cgroup_folder(const struct wrap_cgroup *cgroup, const struct wrap_hierarchy *hierarchy,
                        char out[WRAP_FOLDER_MAX]);
/** Opens it, the caller's; -1 and errno. */
int wrap_cgroup_dir(const struct wrap_cgroup *cgroup, const struct wrap_hierarchy *hierarchy);
/** NULL: this host has no such controller. */
const struct wrap_hierarchy *wrap_host_with(const struct wrap_host *host,
                                            enum wrap_controller controller);
/** The two together; -1 also when the controller or the folder is missing. */
int wrap_cgroup_dir_of(const struct wrap_cgroup *cgroup, enum wrap_controller controller);

/* ---------------------------------------------------------------- files */

/** Writes at once; 0, or an errno. */
int wrap_cgroup_write(int dir, const char *file, const char *value);
/** The same; an error names file and value. */
bool wrap_cgroup_put(int dir, const char *file, const char *value, struct wrap_error *err);
/** A file that is read as text, cut after the last whole line when it is longer; -1: it can't be
 * read. */
ssize_t wrap_cgroup_read(int dir, const char *file, char *out, size_t size);
/** A number alone in a file; "max" is UINT64_MAX. False: not there. */
bool wrap_cgroup_number(int dir, const char *file, uint64_t *out);
/** The value behind "NAME " at the begin of a line. */
bool wrap_cgroup_field(const char *text, const char *name, uint64_t *out);

/** Files whose limits depend on each other: written in whatever order the kernel takes them. */
struct wrap_cgroup_setting {
    const char *file;
    char value[72];
    bool done;
};
bool wrap_cgroup_settle(int dir, struct wrap_cgroup_setting *settings, size_t count,
                        struct wrap_error *err);

struct wrap_pid_list {
    pid_t *items;
    size_t count, room;
};
/** Adds the processes of a folder and of those beneath it. */
bool wrap_cgroup_collect(int dir, struct wrap_pid_list *list, struct wrap_error *err);
/** Removes a folder and those beneath it; 0, or an errno. ENOENT is 0. */
int wrap_cgroup_remove(const char *path);
/** A pause of a waiting loop, longer each time; false: `deadline_ns` (CLOCK_MONOTONIC) is over. */
bool wrap_cgroup_pause(uint64_t deadline_ns, unsigned *turn);
uint64_t wrap_cgroup_now_ns(void);

/** One of them by number. */
bool wrap_cgroup_put_number(int dir, const char *file, int64_t value, struct wrap_error *err);
/** A group of limits: one controller's. */
struct wrap_cgroup_part {
    enum wrap_controller controller;
    const char *name; /**< for errors */
    bool (*wanted)(const struct wrap_resources *resources);
    bool (*apply)(int dir, const struct wrap_resources *resources, struct wrap_error *err);
};
/** Applies those that are wanted; `controller` UNIFIED: all in the one folder of v2. */
bool wrap_cgroup_apply(const struct wrap_cgroup *cgroup, const struct wrap_cgroup_part *parts,
                       size_t count, const struct wrap_resources *resources,
                       struct wrap_error *err);

/* ---------------------------------------------------------------- conversions */

bool wrap_wants_memory(const struct wrap_resources *resources);
bool wrap_wants_cpu(const struct wrap_resources *resources);
bool wrap_wants_cpuset(const struct wrap_resources *resources);
bool wrap_wants_pids(const struct wrap_resources *resources);
bool wrap_wants_io(const struct wrap_resources *resources);
bool wrap_wants_huge(const struct wrap_resources *resources);
bool wrap_wants_net_class(const struct wrap_resources *resources);
bool wrap_wants_net_priority(const struct wrap_resources *resources);
/** "2MB" and the like; part of a file's name. */
bool wrap_page_size_valid(const char *page_size);

/** Limits of huge pages; `limit_file`: what the file is called behind "hugetlb.SIZE.". */
bool wrap_cgroup_limit_huge(int dir, const struct wrap_resources *r, const char *limit_file,
                            struct wrap_error *err);

/** cpu.shares (2 to 262144) as cpu.weight (1 to 10000), on a line. */
uint64_t wrap_weight_of_shares(int64_t shares);
/** Whether cpu.shares, if they are to be set, are any that v1 has: the kernel would take others for
 * the nearest, and runc refuses them. */
bool wrap_shares_check(const struct wrap_resources *resources, struct wrap_error *err);
/** blkio.weight (10 to 1000) as io.weight (1 to 10000), on a line. */
uint64_t wrap_weight_of_blkio(int64_t weight);
/**
 * memory.swap.max out of a configuration's swap, which counts memory and swap together. -1: none;
 * an error when there is no limit of memory to take away, or a larger one.
 */
bool wrap_swap_of(const struct wrap_resources *resources, int64_t *out, struct wrap_error *err);
/** A line for io.max. False: an unknown limit. */
bool wrap_io_max_of(const struct wrap_io_limit *limit, char *out, size_t size);
/** Whether a key of `unified` is a plain file of a controller that the list `controllers` ("cpu io
 * memory") has. */
bool wrap_unified_key_valid(const char *key, const char *controllers);
/** A limit that is given; 0 means none is, as in runc's configurations. */
bool wrap_given(const struct wrap_maybe *maybe);

/* ---------------------------------------------------------------- systemd */

/** Asks for the scope with process `pid` in it and waits until the process is there. */
bool wrap_systemd_start(const struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                        pid_t pid, struct wrap_error *err);
bool wrap_systemd_update(const struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                         struct wrap_error *err);
/** Stops the scope; that it is gone already is fine. */
void wrap_systemd_stop(const struct wrap_cgroup *cgroup);

#endif
