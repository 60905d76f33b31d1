/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - the parts of a container's process and what they pass on. For the files of sandbox/
 * that stand behind container.h only; all of it runs in the child unless it says otherwise.
 */
#ifndef WRAPPERS_SANDBOX_CHILD_H
#define WRAPPERS_SANDBOX_CHILD_H

#include "sandbox/container.h"
#include "sandbox/profile.h"
#include "sandbox/sandbox.h"

#include <limits.h>
#include <stdint.h>

/** All that a child knows; descriptors are -1 when absent. */
struct wrap_setup {
    const struct wrap_container_config *config;
    const struct wrap_spec *spec;
    const struct wrap_process *process;
    int start;        /**< FIFO that is waited at last, for the start */
    int joined;       /**< pidfd of the container's first process, when this is another one */
    bool last; /**< see struct wrap_container_join */
    bool in_group;    /**< made by CLONE_INTO_CGROUP */
    int report;       /**< write end */
    int control;      /**< read end */
    int console;      /**< as in the configuration */
    int proc; /**< /proc/self of the host's procfs, still good after the root is changed */
    int root; /**< O_PATH of the container's root */
    int users; /**< the user namespace that is entered last */
    int module; /**< the entry, open for reading */
    struct wr_usage *usage; /**< the engine tells here what the guest holds; NULL: nowhere */
    bool no_entry; /**< it is not there, which is why this ends */
    int termination; /**< where the reason of an abnormal end goes */
    struct wrap_profile_filter profile;
    struct wrap_error profile_error; /**< the profile could not be compiled */
    bool inside; /**< somebody else isolated it (inside.h), and may forbid what our locks need */
    struct wrap_sandbox_result locks; /**< what is in force */
};

/* ---------------------------------------------------------------- ns.c */

/** In the parent: makes the process. `*pid` is 0 in the child. */
bool wrap_ns_fork(struct wrap_setup *setup, pid_t *pid, int *pidfd, struct wrap_error *err);
/** Joins namespaces given by path, or (`joined`) those of a process; all but the user's. */
bool wrap_ns_join(const struct wrap_setup *setup, struct wrap_error *err);
/** A new cgroup namespace, if asked for; the process has to be in its group by now. */
bool wrap_ns_group(const struct wrap_setup *setup, struct wrap_error *err);
/** Makes or opens the user namespace, `setup->users`. Needs /proc. */
bool wrap_ns_users(struct wrap_setup *setup, struct wrap_error *err);
/** A new user namespace with these maps as a descriptor; -1: see `err`. Needs /proc. */
int wrap_ns_mapped(const struct wrap_id_maps *uids, const struct wrap_id_maps *gids,
                   struct wrap_error *err);
/** Host name, domain name, loopback of a new network, sysctl. Needs /proc. */
bool wrap_ns_names(const struct wrap_setup *setup, struct wrap_error *err);
/** Whether the container has a namespace of this kind for itself or its pod. */
bool wrap_ns_own(const struct wrap_spec *spec, enum wrap_namespace which);

/* ---------------------------------------------------------------- beneath.c */

enum wrap_missing {
    WRAP_MISSING_FAIL, /**< answer -1 with ENOENT */
    WRAP_MISSING_DIRECTORY, /**< make it and the folders above */
    WRAP_MISSING_FILE, /**< the same, the last one an empty file */
};
/**
 * Opens (O_PATH) what `path` is for a process whose root is `root`: symbolic links and ".." cannot
 * leave it, whoever changes the tree meanwhile. -1 with errno.
 */
int wrap_beneath(int root, const char *path, enum wrap_missing missing);

/* ---------------------------------------------------------------- options.c */

/** Options of a mount, taken apart. */
struct wrap_mount_options {
    unsigned long flags; /**< MS_… */
    unsigned long propagate; /**< MS_PRIVATE or MS_SLAVE, perhaps with MS_REC; 0: not given */
    uint64_t deep; /**< MOUNT_ATTR_… for all mounts beneath as well */
    bool tmpcopyup;
    bool idmap; /**< asked for by name */
    char data[4096]; /**< the rest, for the file system */
};
bool wrap_mount_options(const struct wrap_strings *options, struct wrap_mount_options *out,
                        struct wrap_error *err);
/** MS_… as MOUNT_ATTR_…; those that have no such name are left out. */
uint64_t wrap_mount_attributes(unsigned long flags);
/** Sets attributes of the mount whose root `mount` is. 0, or an errno. */
int wrap_mount_set(int mount, uint64_t attributes, bool deep);

/* ---------------------------------------------------------------- mounts.c, rootfs.c, devices.c */

/** Whether a mount of the specification is never made for a Wasm guest. */
bool wrap_mount_skipped(const struct wrap_spec_mount *mount);
bool wrap_mount_is_bind(const struct wrap_spec_mount *mount);
/** Whether it is the tmpfs that device nodes are made in. */
bool wrap_mount_is_dev(const struct wrap_spec_mount *mount);
bool wrap_mount_has(const struct wrap_spec_mount *mount, const char *option);
/** The id on the host of id 0 in the container. */
uint32_t wrap_host_id(const struct wrap_id_maps *maps);

/** Mounts the root, for us alone, and opens it. */
bool wrap_rootfs_make(struct wrap_setup *setup, struct wrap_error *err);
/** Mounts of the specification, in its order. */
bool wrap_mounts_make(const struct wrap_setup *setup, struct wrap_error *err);
bool wrap_devices_make(const struct wrap_setup *setup, struct wrap_error *err);
/** Masked and read-only paths, then the flags that would have been in the way of mounting. */
bool wrap_rootfs_finish(const struct wrap_setup *setup, struct wrap_error *err);
/** Changes the root; nothing of the old one is left, and no procfs in the new one. */
bool wrap_rootfs_enter(const struct wrap_setup *setup, struct wrap_error *err);

/* ---------------------------------------------------------------- user.c, limits.c, lsm.c */

bool wrap_limits_set(const struct wrap_process *process, struct wrap_error *err);
bool wrap_oom_score_set(int score, struct wrap_error *err);
/** AppArmor profile and SELinux label, for this process as it is: nothing is executed later. */
bool wrap_labels_set(const struct wrap_setup *setup, struct wrap_error *err);
/** The bounding set, which changes nothing for this process: 60 us that can be spent whenever it
 * has to wait anyhow. */
bool wrap_bounding_drop(const struct wrap_process *process, struct wrap_error *err);
/** User namespace, groups, ids, capabilities, umask, no_new_privs; dies with its parent again. */
bool wrap_identity_set(const struct wrap_setup *setup, struct wrap_error *err);
/** For a process that got its ids and capabilities from others: leaves it what execve would have,
 * and of that what is useful. */
bool wrap_identity_reduce(struct wrap_error *err);

/* ---------------------------------------------------------------- pause.c, signals.c */

/** Signals as a process without execve has to have them: those that end it by default do so. */
void wrap_signals_reset(void);
/** Waits for a signal that ends it, reaping; takes almost no memory and no calls. */
void wrap_pause_prepare(const struct wrap_setup *setup);
_Noreturn void wrap_pause(void);

/* ---------------------------------------------------------------- guest.c */

/** Opens the entry beneath the root. `*kind`: WASM or LINUX; false: not found. */
bool wrap_guest_find(struct wrap_setup *setup, enum wrap_kind *kind, struct wrap_error *err);
struct wrap_program;
/** What the guest will see, for the two functions below. */
struct wrap_guest_view;
/** Opens the file that Kubernetes reads the last words of a container from, if there is one. */
void wrap_guest_open_termination(struct wrap_setup *setup);
/** Writes the reason of an end there; nothing when there is none. */
void wrap_guest_last_words(const struct wrap_setup *setup, const struct wrap_error *why);
/** Locks the process down: the profile, Landlock, our filter. */
bool wrap_guest_lock(struct wrap_setup *setup, struct wrap_guest_view **out,
                     struct wrap_error *err);
/** Loads the module. Frees the view. */
bool wrap_guest_load(const struct wrap_setup *setup, struct wrap_guest_view *view,
                     struct wrap_program **out, struct wrap_error *err);

#endif
