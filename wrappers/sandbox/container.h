/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - the isolated process of a container: namespaces, root, mounts, identity, limits,
 * then our sandbox, then the guest. The parent makes a child with wrap_container_fork and follows
 * it by what it reports on a pipe; the child does everything itself and never returns.
 *
 * Mounts are made in the child's own mount namespace: when it dies, whatever the reason, nothing of
 * them is left. The child dies with its parent, unless it is detached.
 *
 * What differs from a Linux container: proc, sysfs, cgroup, mqueue and devpts are never mounted,
 * and a procfs that a volume brings along is taken out again. A guest has no calls that could use
 * them, and one that could open /proc/self/mem would own its interpreter. The root and all mounts
 * are nosuid and noexec, the root is nodev as well. Of the capabilities those stay that mean
 * something without execve. no_new_privs is always set. The guest sees "/", and one directory more
 * for each mount that is writable in a read-only one or the other way round. Not here: waiting,
 * events, streams (shim/), control groups (cgroup.h).
 */
#ifndef WRAPPERS_SANDBOX_CONTAINER_H
#define WRAPPERS_SANDBOX_CONTAINER_H

#include "common/entry.h"
#include "common/spec.h"
#include "sandbox/cgroup.h"

#include <sys/types.h>

/** A mount of the root file system, as containerd gives it; mounted one over the other. */
struct wrap_root_mount {
    const char *type;   /**< overlay, bind, … */
    const char *source;
    const char *target; /**< beneath the root; "" or "/": the root */
    struct wrap_strings options;
};

struct wrap_container_config {
    const char *id;
    const char *bundle; /**< absolute path */
    const struct wrap_spec *spec;
    const struct wrap_root_mount *root_mounts; /**< none: spec->root is there already */
    size_t root_mount_count;
    enum wrap_kind kind; /**< LOOK, WASM or PAUSE */
    struct wrap_cgroup *cgroup; /**< NULL: the parent's */
    /** The group is only planned (wrap_cgroup_plan). The caller makes it while the child is busy
     * with its mounts, then writes a byte; the child enters it before it changes its root. With
     * hooks_wait the byte comes after the one for CREATED. */
    bool group_late;
    int stdio[3]; /**< become 0, 1, 2 of the child; -1: /dev/null */
    int console; /**< slave of a terminal that becomes its controlling one; -1: none */
    int usage; /**< > 0: of usage.h, where the first process tells what its guest holds */
    int artifact; /**< > 0: the module itself, readable; nothing of that name is in the root */
    const char *traceparent; /**< W3C trace context for the guest's environment; NULL */
    const char *tracestate; /**< NULL */
    bool hooks_wait; /**< after CREATED the child waits until it may go on */
    bool detached; /**< outlives its parent from the byte after READY on; before that it ends with
                      it */
    int start_fd; /**< detached: after that byte it also waits for one from here, a FIFO that is
                     open in both directions, so that anybody can start it; else -1 */
};

/** For a process beside the first one of a container (Exec). */
struct wrap_container_join {
    pid_t pid; /**< of the container's first process, in the caller's namespace */
    const struct wrap_process *process; /**< what to run; spec: the container's own */
    bool last; /**< the caller makes no other process: those might be in the container's pid
                  namespace */
};

/** What a child says, one after the other. */
enum wrap_report_kind {
    WRAP_REPORT_CREATED, /**< with hooks_wait only: namespaces, mounts and cgroup stand, the root is
                            not changed yet: hooks may run, and it waits */
    WRAP_REPORT_LINUX, /**< kind was LOOK and the entry is no Wasm; it ends with 0 */
    WRAP_REPORT_LOCKED, /**< a guest's process: all of its configuration is applied and the sandbox
                           stands; it goes on to its module. `error.text`, if not "", says what the
                           kernel lacks for our sandbox */
    WRAP_REPORT_READY, /**< module loaded; it waits for the start, whose byte may be there already
                        */
    WRAP_REPORT_FAILED, /**< `error` says why; it ends with 127 (not found), 126 or 1 */
    WRAP_REPORT_REASON, /**< after the start: why it ended, when not by the guest's own will */
};
struct wrap_report {
    enum wrap_report_kind kind;
    struct wrap_error error; /**< of FAILED and REASON */
    bool no_entry; /**< of FAILED: the program is not there */
};

struct wrap_child {
    pid_t pid; /**< in the caller's namespace */
    int pidfd; /**< close-on-exec; the caller's */
    int report_fd; /**< read end, non-blocking; end of file: it is gone (or began to run) */
    int control_fd; /**< write one byte after CREATED (hooks_wait), one when the group is
                       made (group_late), one after LOCKED or READY (start) */
};

/** For who makes many: does once what each child would do of its signals. Real-time ones end the
 * caller from now on with an exit code, as they would end it anyhow. */
void wrap_signals_prepare(void);

/**
 * Forks the first process of a container. The caller has one thread. What `config` points at must
 * stay until the child has reported LOCKED, READY or FAILED (it has its own copy of the memory:
 * until this returns, for a caller that does not share it). On failure nothing is left.
 */
bool wrap_container_fork(const struct wrap_container_config *config, struct wrap_child *out,
                         struct wrap_error *err);
/** The same for another process in a running container: its namespaces, root, cgroup and limits. */
bool wrap_container_fork_into(const struct wrap_container_config *config,
                              const struct wrap_container_join *join, struct wrap_child *out,
                              struct wrap_error *err);

/** Reads one report. 1: `*out` is filled; 0: nothing yet; -1: end of file or an error. What comes
 * after LOCKED is as hostile as the module: then READY or FAILED count, after READY a REASON. */
int wrap_container_report(int report_fd, struct wrap_report *out);
/** Lets a child go on; false: it is gone. */
bool wrap_container_go(int control_fd);

/**
 * Mounts `mounts` on `target` in the caller's own namespace, for containers that are delegated;
 * undone by wrap_root_unmount (all that is mounted there; absent is fine).
 */
bool wrap_root_mount(const struct wrap_root_mount *mounts, size_t count, const char *target,
                     struct wrap_error *err);
bool wrap_root_unmount(const char *target, struct wrap_error *err);

/** Names of the mount options that are known, by number; NULL behind the last one. */
const char *wrap_mount_option(size_t index);

#endif
