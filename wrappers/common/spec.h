/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.h - an OCI runtime configuration (config.json) as plain data. Every byte of it is hostile:
 * wrong types, absurd numbers and unknown words are errors that name the member.
 *
 * Members that mean something here are read; the ones that would change how a container is isolated
 * or limited and that we can't honour are kept as `unsupported`, for an error or a delegation.
 * Not here: what is done with any of it (sandbox/), which program is meant (entry.h).
 *
 * Source: OCI runtime specification 1.0 to 1.2, config.md and config-linux.md.
 */
#ifndef WRAPPERS_COMMON_SPEC_H
#define WRAPPERS_COMMON_SPEC_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Strings of the configuration; none is NULL. */
struct wrap_strings {
    const char **items;
    size_t count;
};

/** linux.namespaces; the values are bits of `wrap_spec.namespaces_new`. */
enum wrap_namespace {
    WRAP_NS_PID,
    WRAP_NS_NETWORK,
    WRAP_NS_MOUNT,
    WRAP_NS_IPC,
    WRAP_NS_UTS,
    WRAP_NS_USER,
    WRAP_NS_CGROUP,
    WRAP_NS_TIME,
    WRAP_NS_COUNT
};

struct wrap_id_map {
    uint32_t container_id;
    uint32_t host_id;
    uint32_t size;
};
struct wrap_id_maps {
    struct wrap_id_map *items;
    size_t count;
};

struct wrap_spec_mount {
    const char *destination; /**< absolute */
    const char *type;        /**< "" when not given; "bind" or options with bind: a bind mount */
    const char *source;      /**< "" when not given */
    struct wrap_strings options;
    struct wrap_id_maps uid_maps; /**< idmapped mounts */
    struct wrap_id_maps gid_maps;
};

struct wrap_rlimit {
    int resource; /**< RLIMIT_… */
    uint64_t soft;
    uint64_t hard;
};

/** Sets of capabilities as bits (1 << CAP_…). */
struct wrap_caps {
    uint64_t bounding;
    uint64_t effective;
    uint64_t inheritable;
    uint64_t permitted;
    uint64_t ambient;
};

/** `process`, of a configuration or of an Exec request. */
struct wrap_process {
    bool terminal;
    uint16_t rows, columns; /**< consoleSize, 0: not given */
    uint32_t uid, gid;
    uint32_t umask; /**< (uint32_t)-1: not given */
    uint32_t *groups;
    size_t group_count;
    struct wrap_strings args; /**< at least one */
    struct wrap_strings env;  /**< NAME=VALUE each */
    const char *cwd;          /**< absolute */
    bool has_caps;
    struct wrap_caps caps;
    struct wrap_rlimit *rlimits;
    size_t rlimit_count;
    bool no_new_privileges;
    const char *apparmor_profile; /**< "" when not given */
    const char *selinux_label;    /**< "" when not given */
    bool has_oom_score_adj;
    int oom_score_adj;
};

struct wrap_hook {
    const char *path;
    struct wrap_strings args;
    struct wrap_strings env;
    unsigned timeout_s; /**< 0: none */
};
enum wrap_hook_stage {
    WRAP_HOOK_PRESTART,
    WRAP_HOOK_CREATE_RUNTIME,
    WRAP_HOOK_CREATE_CONTAINER,
    WRAP_HOOK_START_CONTAINER,
    WRAP_HOOK_POSTSTART,
    WRAP_HOOK_POSTSTOP,
    WRAP_HOOK_STAGES
};
struct wrap_hooks {
    struct wrap_hook *items;
    size_t count;
};

/** linux.devices */
struct wrap_device {
    char type; /**< c, u (the same), b or p */
    const char *path;
    uint32_t major, minor;
    uint32_t mode; /**< permission bits */
    uint32_t uid, gid;
};
/** linux.resources.devices */
struct wrap_device_rule {
    bool allow;
    char type;            /**< a, b or c */
    int64_t major, minor; /**< -1: all */
    char access[4];       /**< of r, w, m */
};

/** A number that may be missing. */
struct wrap_maybe {
    bool given;
    int64_t value;
};

/** linux.resources.blockIO…Device rows; `file`: which limit, as cgroup v1 names it. */
struct wrap_io_limit {
    const char *file; /**< e.g. "blkio.throttle.read_bps_device" */
    int64_t major, minor;
    uint64_t value;
};
struct wrap_huge_limit {
    const char *page_size; /**< e.g. "2MB" */
    uint64_t bytes;
};
struct wrap_key_value {
    const char *key;
    const char *value;
};

/** linux.resources, of a configuration or of an Update request. -1 in a limit: none. */
struct wrap_resources {
    struct wrap_maybe memory_limit, memory_reservation, memory_swap, memory_kernel,
        memory_kernel_tcp, memory_swappiness; /**< bytes; swappiness 0 to 100 */
    bool memory_disable_oom_killer;
    struct wrap_maybe cpu_shares, cpu_quota, cpu_period, cpu_burst, cpu_realtime_runtime,
        cpu_realtime_period, cpu_idle; /**< times in microseconds */
    const char *cpus, *mems;           /**< lists as cpusets have them; NULL: not given */
    struct wrap_maybe pids_limit;
    struct wrap_maybe io_weight;
    struct wrap_io_limit *io_limits;
    size_t io_limit_count;
    struct wrap_huge_limit *huge_limits;
    size_t huge_limit_count;
    struct wrap_maybe net_class_id;
    struct wrap_key_value *net_priorities; /**< interface, priority */
    size_t net_priority_count;
    struct wrap_key_value *unified; /**< cgroup v2 files, plain names */
    size_t unified_count;
    struct wrap_device_rule *device_rules;
    size_t device_rule_count;
};

/** One condition of a rule of the seccomp profile. */
struct wrap_seccomp_arg {
    unsigned index; /**< 0 to 5 */
    uint64_t value;
    uint64_t value_two;
    int op; /**< enum wrap_seccomp_op */
};
enum wrap_seccomp_op {
    WRAP_CMP_NE,
    WRAP_CMP_LT,
    WRAP_CMP_LE,
    WRAP_CMP_EQ,
    WRAP_CMP_GE,
    WRAP_CMP_GT,
    WRAP_CMP_MASKED_EQ, /**< (argument & value) == value_two */
};
enum wrap_seccomp_action {
    WRAP_SCMP_KILL_THREAD,
    WRAP_SCMP_KILL_PROCESS,
    WRAP_SCMP_TRAP,
    WRAP_SCMP_ERRNO,
    WRAP_SCMP_TRACE,
    WRAP_SCMP_LOG,
    WRAP_SCMP_ALLOW,
    WRAP_SCMP_NOTIFY,
};
struct wrap_seccomp_rule {
    struct wrap_strings names;
    enum wrap_seccomp_action action;
    uint32_t errno_ret; /**< for ERRNO and TRACE; EPERM when not given */
    struct wrap_seccomp_arg *args;
    size_t arg_count;
};
/** linux.seccomp */
struct wrap_seccomp {
    enum wrap_seccomp_action default_action;
    uint32_t default_errno;
    struct wrap_strings architectures; /**< SCMP_ARCH_… */
    struct wrap_strings flags;         /**< SECCOMP_FILTER_FLAG_… */
    struct wrap_seccomp_rule *rules;
    size_t rule_count;
};

struct wrap_spec {
    const char *version;
    const char *hostname;   /**< "" when not given */
    const char *domainname; /**< "" when not given */
    const char *root;       /**< root.path, relative to the bundle or absolute */
    bool root_readonly;
    bool has_process;
    struct wrap_process process;
    struct wrap_spec_mount *mounts;
    size_t mount_count;
    struct wrap_hooks hooks[WRAP_HOOK_STAGES];
    struct wrap_key_value *annotations;
    size_t annotation_count;

    uint32_t namespaces_new;                     /**< 1 << WRAP_NS_…: made new */
    const char *namespace_paths[WRAP_NS_COUNT]; /**< joined; NULL: new or the runtime's */
    struct wrap_id_maps uid_maps, gid_maps;      /**< of a new user namespace */
    struct wrap_device *devices;
    size_t device_count;
    const char *cgroups_path; /**< "" when not given */
    bool has_resources;
    struct wrap_resources resources;
    const char *rootfs_propagation; /**< "" when not given */
    bool has_seccomp;
    struct wrap_seccomp seccomp;
    struct wrap_strings masked_paths;
    struct wrap_strings readonly_paths;
    const char *mount_label; /**< "" when not given */
    struct wrap_key_value *sysctl;
    size_t sysctl_count;

    /** The first member that is present and that we can't honour, e.g. "linux.intelRdt"; NULL. */
    const char *unsupported;
    void *owner; /**< what all of this lies in */
};

/** Reads FILE (at most 4 MiB). `out` is freed by wrap_spec_free; any process. */
bool wrap_spec_load(const char *file, struct wrap_spec **out, struct wrap_error *err);
/** The same; `*fd` (close-on-exec) stays open for wrap_spec_load_fd, -1 after an error. */
bool wrap_spec_open(const char *file, int *fd, struct wrap_spec **out, struct wrap_error *err);
/** Reads an open file from its beginning. */
bool wrap_spec_load_fd(int fd, struct wrap_spec **out, struct wrap_error *err);
/**
 * A small copy of what is asked about a container that runs: version, arguments, which namespaces
 * are its own, the control group's path. All else is empty. A spec that has hooks can't be
 * reduced. False: it is not, or there is no memory. `out` is freed by wrap_spec_free.
 */
bool wrap_spec_reduce(const struct wrap_spec *spec, struct wrap_spec **out);
/** As wrap_spec_load, from `size` bytes of JSON. */
bool wrap_spec_parse(const char *json, size_t size, struct wrap_spec **out, struct wrap_error *err);
/** NULL is allowed. */
void wrap_spec_free(struct wrap_spec *spec);

/** `process` alone, as an Exec request has it: a spec whose other members are empty. */
bool wrap_spec_parse_process(const char *json, size_t size, struct wrap_spec **out,
                             struct wrap_error *err);
/** `linux.resources` alone, as an Update request has it: `out->resources`. */
bool wrap_spec_parse_resources(const char *json, size_t size, struct wrap_spec **out,
                               struct wrap_error *err);

/** The value of an annotation; NULL: none. */
const char *wrap_spec_annotation(const struct wrap_spec *spec, const char *key);
/** The value of NAME in the environment of a process, "" included; NULL: none. */
const char *wrap_process_env(const struct wrap_process *process, const char *name);

#endif
