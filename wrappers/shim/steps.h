/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps.h - what task.c, native.c and delegated.c share: the steps of a process for each way of
 * running it. Nobody else includes this.
 */
#ifndef WRAPPERS_SHIM_STEPS_H
#define WRAPPERS_SHIM_STEPS_H

#include "shim/task.h"

/**
 * How the processes of a task are run. A step begins with `done` stored in the process, and ends in
 * wrap_step_end, at once or later; false: it did not begin, `err` says why.
 */
struct wrap_way {
    bool (*create)(struct wrap_proc *init, struct wrap_error *err);
    bool (*start)(struct wrap_proc *proc, struct wrap_error *err);
    /** Frees what the kernel and others hold for a process that has stopped. */
    bool (*remove)(struct wrap_proc *proc, struct wrap_error *err);
    bool (*pause)(struct wrap_proc *init, bool pause, struct wrap_error *err);
    bool (*update)(struct wrap_proc *init, const char *json, size_t size, struct wrap_error *err);
};
extern const struct wrap_way wrap_way_native;
extern const struct wrap_way wrap_way_delegated;
const struct wrap_way *wrap_way_of(const struct wrap_task *task);

/** The first process; there always is one. */
struct wrap_proc *wrap_task_init_proc(const struct wrap_task *task);
bool wrap_is_init(const struct wrap_proc *proc);

/** Stores who is told of the end of a step; false: one is in progress. */
bool wrap_step_begin(struct wrap_proc *proc, wrap_step_done done, void *context,
                     struct wrap_error *err);
/** Ends the step in progress; then what has waited for that: the end of the process, say. */
void wrap_step_end(struct wrap_proc *proc, const struct wrap_error *err);
/** A process that was to be deleted has never come to be: NOT_FOUND. */
void wrap_deletion_refuse(struct wrap_proc *proc);
/** The command to delete came while the process was made or runs: it is killed, its end goes on. */
void wrap_proc_end_for_deletion(struct wrap_proc *proc);
/** Ends a creation that has failed; the task is gone afterwards. */
void wrap_create_failed(struct wrap_proc *init, const struct wrap_error *err);
/** Ends the start of an exec that has failed: it has stopped without having run. */
void wrap_start_failed(struct wrap_proc *proc, const struct wrap_error *err);
/** A pid is known: its end is expected from now on; `mark`: see reaper.h. */
void wrap_proc_follow(struct wrap_proc *proc, pid_t pid, uint64_t mark);
/** ends.c: the reaper's callback of every process. */
void wrap_proc_on_ended(struct wrap_reap *reap, unsigned status, struct timespec when);
/** Tells the end of a process when nothing has to come before it; it may be gone afterwards. */
void wrap_proc_finish_end(struct wrap_proc *proc);
/** Answers those that wait for a process that goes without ever having run. */
void wrap_proc_tell_waiters(struct wrap_proc *proc);
/** Frees a process that is on no list any more, or a task with all of its. */
void wrap_proc_free(struct wrap_proc *proc);
void wrap_task_free(struct wrap_task *task);
/** native.c: the end of a child that was not known to be ready; false: it was. */
bool wrap_native_ended_early(struct wrap_proc *proc);
/** The end of a first process that may have been at its module; it may be gone afterwards. */
void wrap_native_ended_loading(struct wrap_proc *init);
/** Closes what leads to a child; again, or without one, is fine. */
void wrap_native_close(struct wrap_proc *proc);

/** Opens the standard streams of a process. */
bool wrap_proc_open_streams(struct wrap_proc *proc, bool own_terminal, struct wrap_error *err);
/** Events of what has just become true. */
void wrap_tell_created(const struct wrap_proc *init);
/** Frozen or thawed: state and event. */
void wrap_set_paused(struct wrap_proc *init, bool pause);
/** Out-of-memory kills are told from now on. */
void wrap_task_watch_memory(struct wrap_task *task);
/** Tells of a kill that is not told yet: v1 gives notice before it happens, so that it has to be
 * looked for once more at the end. */
void wrap_task_tell_memory(struct wrap_task *task);
/** A native container is ready: of its configuration only what is asked about is kept; an exec
 * reads the file again, which stays open. */
void wrap_task_settle(struct wrap_task *task);
/** What names the task's control group. */
struct wrap_cgroup_config wrap_task_cgroup_config(const struct wrap_task *task);

/** Runs the hooks of a stage one after the other; `done` gets NULL or the first failure. At once
 * when there are none. `status`: as the state document has it. */
void wrap_hooks_run(struct wrap_task *task, enum wrap_hook_stage stage, const char *status,
                    void (*done)(struct wrap_task *task, const struct wrap_error *err));
/** The task goes while a stage of it may still run: its end is not told. */
void wrap_hooks_forget(struct wrap_task *task);

#endif
