/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - what happened to tasks, told to containerd in the order in which it happened, and kept
 * while containerd is away.
 */
#ifndef WRAPPERS_SHIM_EVENTS_H
#define WRAPPERS_SHIM_EVENTS_H

#include "common/error.h"

#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <uv.h>

struct wrap_events;
struct wrap_root_mount;

/** `address`: TTRPC_ADDRESS, "" or NULL: nobody listens. Loop's thread, as all here. */
bool wrap_events_new(uv_loop_t *loop, const char *address, const char *ns, struct wrap_events **out,
                     struct wrap_error *err);

struct wrap_event_create {
    const char *id;
    const char *bundle;
    const struct wrap_root_mount *rootfs;
    size_t rootfs_count;
    const char *in, *out, *err; /**< paths of the streams */
    bool terminal;
    pid_t pid;
};
void wrap_event_create(struct wrap_events *events, const struct wrap_event_create *what);
void wrap_event_start(struct wrap_events *events, const char *id, pid_t pid);
/** `process`: `id` for the first process, else the exec id. */
void wrap_event_exit(struct wrap_events *events, const char *id, const char *process, pid_t pid,
                     uint32_t status, struct timespec when);
/** `exec_id` "" for the task itself. */
void wrap_event_delete(struct wrap_events *events, const char *id, const char *exec_id, pid_t pid,
                       uint32_t status, struct timespec when);
void wrap_event_exec_added(struct wrap_events *events, const char *id, const char *exec_id);
void wrap_event_exec_started(struct wrap_events *events, const char *id, const char *exec_id,
                             pid_t pid);
void wrap_event_oom(struct wrap_events *events, const char *id);
void wrap_event_paused(struct wrap_events *events, const char *id);
void wrap_event_resumed(struct wrap_events *events, const char *id);

/** Not yet told. At most 4096 wait, each for ten minutes; then the oldest are given up. */
size_t wrap_events_pending(const struct wrap_events *events);
/** Given up, or refused by containerd. */
size_t wrap_events_lost(const struct wrap_events *events);
/** Tells what is left for at most `patience_ms`, then closes and frees; `done` afterwards. What
 * happens from now on is not told. */
void wrap_events_close(struct wrap_events *events, unsigned patience_ms, void (*done)(void *env),
                       void *env);

#endif
