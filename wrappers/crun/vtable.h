/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vtable.h - what crun expects of a handler, in our words: crun installs no headers. Facts from
 * src/libcrun/custom-handler.h and error.h of crun 1.8.1 and of 2026, which agree but for what is
 * marked; its other types are opaque here.
 *
 * Who calls what, in crun 1.8.1 and since:
 * - each start of crun that has to do with a container opens every file of its handlers' folder and
 *   takes the vtable; a file that can't be opened ends crun.
 * - create, run, exec and update (newer: mounts, too) look for a handler: not for a container with
 * the annotation io.kubernetes.cri.container-type=sandbox; by the annotation run.oci.handler or by
 * argv[0]
 *   ("crun-NAME"), if one of that name or alias is there; else can_handle_container is asked, of
 * each handler until one answers 1. Then load, all of this in the host's namespaces before any
 * fork.
 * - create and run: modify_oci_configuration, after the fork configure_container (both may be
 * NULL).
 * - run_func: in the container's first process after the start, close_fds (may be NULL, then all
 *   descriptors are closed) and seccomp, as the user it is for; must not return.
 * - exec_func: the same for exec. 1.8.1 itself looks for the program first and wants it executable.
 * - unload: at the end, also of a handler whose load failed, without a test for NULL.
 */
#ifndef WRAPPERS_CRUN_VTABLE_H
#define WRAPPERS_CRUN_VTABLE_H

/** libcrun_error_t points at one, made by malloc, as is its text: crun frees both. crun reads it
 * when a function has failed, without a test for NULL. */
struct crun_error {
    int status; /**< an errno whose text is appended, or 0 */
    char *text;
};

/** The first phase of configure_container, in all versions: the new process, before its mounts. An
 * error ends the create or run, and all that it made is removed. */
enum { CRUN_BEFORE_MOUNTS = 1 };

struct crun_handler {
    const char *name;
    const char *feature; /**< in `crun --version` */
    const char *alias;
    int (*load)(void **cookie, struct crun_error **err);
    int (*unload)(void *cookie, struct crun_error **err);
    int (*run_func)(void *cookie, void *container, const char *path, char *const argv[]);
    int (*exec_func)(void *cookie, void *container, const char *path, char *const argv[]);
    int (*configure_container)(void *cookie, int phase, void *context, void *container,
                               const char *rootfs, struct crun_error **err);
    int (*can_handle_container)(void *container, struct crun_error **err);
    int (*modify_oci_configuration)(void *cookie, void *context, void *config,
                                    struct crun_error **err);
    int (*close_fds)(void *cookie, void *container, int preserved, struct crun_error **err);
    /** close_fds came after 1.22; what comes next finds NULL, which has meant "none" so far. */
    void *later[16];
};

/** The one symbol that crun looks up. */
struct crun_handler *run_oci_handler_get_handler(void);

#endif
