/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h - the containers of a pod and the processes in them: what state they are in, and the steps
 * from one to the next. Every step that has to wait for somebody ends in a `done`; nothing blocks.
 *
 * A task is one container. Its first process and those of Exec are the same kind of thing. Wasm
 * and pause tasks are children of ours (sandbox/container.h); Linux tasks are made by runc or crun.
 * Not here: messages (service.c).
 *
 * One thread: the loop's.
 */
#ifndef WRAPPERS_SHIM_TASK_H
#define WRAPPERS_SHIM_TASK_H

#include "common/entry.h"
#include "common/spec.h"
#include "sandbox/cgroup.h"
#include "sandbox/container.h"
#include "sandbox/usage.h"
#include "shim/events.h"
#include "shim/reaper.h"
#include "shim/streams.h"

#include <time.h>
#include <uv.h>

enum wrap_state {
    WRAP_STATE_NEW, /**< being created, or an exec that was not started yet */
    WRAP_STATE_CREATED,
    WRAP_STATE_RUNNING,
    WRAP_STATE_PAUSED,
    WRAP_STATE_STOPPED,
};

struct wrap_proc;
struct wrap_hooks_stage;
/** The end of a step; `err` NULL: it succeeded. */
typedef void (*wrap_step_done)(struct wrap_proc *process, const struct wrap_error *err,
                               void *context);

/** Somebody who waits for the end of a process. */
struct wrap_waiter {
    struct wrap_waiter *next;
    void (*ended)(struct wrap_proc *process, void *context);
    void *context;
};

struct wrap_proc {
    struct wrap_reap reap; /**< first: it is what the reaper gives back */
    struct wrap_proc *next;
    struct wrap_task *task;
    char *exec_id; /**< "": the first process */
    enum wrap_state state;
    pid_t pid; /**< 0: none yet */
    unsigned exit_status;
    struct timespec exited_at;
    char *in, *out, *err; /**< as containerd named them */
    bool terminal;
    struct wrap_spec *spec; /**< of an exec: its process */
    char *process_json;     /**< of an exec, for a Linux runtime */
    bool input_closed;      /**< CloseIO came before its start */
    struct wrap_streams streams;

    /* A step in progress. */
    wrap_step_done done;
    void *context;
    bool gone;      /**< reaped; told when the step in progress is over */
    bool announced; /**< the end has been told */
    bool is_loading; /**< the child is locked down and reads its module */
    bool may_go;     /**< the first process: a start waits for that */
    bool is_linux;  /**< the child has found a Linux program */
    bool no_entry;  /**< the child has found no program */
    struct wrap_error failure;
    struct wrap_child child;
    uv_poll_t *report_poll;
    struct wrap_waiter *waiters;
    bool deleting;
    struct deletion *deletion; /**< task.c's; when the end is told, it goes on */
};

/** How Linux containers are run, and more of a runtime's options. */
struct wrap_task_options {
    char *binary; /**< "" : the usual ones */
    char *root;   /**< "" : /run/containerd/runc */
    char *shim_cgroup; /**< where the shim itself is accounted; "": where it is */
    bool systemd_cgroup;
    bool no_pivot;
};

struct wrap_task {
    struct wrap_task *next;
    struct wrap_shim *shim;
    char *id;
    char *bundle;
    struct wrap_spec *spec; /**< reduced when the container is ready */
    int config;             /**< config.json, open; -1: not yet */
    bool reduced;           /**< `spec` is */
    enum wrap_kind kind;
    struct wrap_root_mount *root_mounts;
    size_t root_mount_count;
    struct wrap_task_options options;
    struct wrap_cgroup *cgroup;
    uv_poll_t *oom_poll;
    uv_timer_t *timer; /**< of a deletion that is tried again */
    unsigned tries;
    struct wrap_hooks_stage *hooks; /**< hooks.c's, while a stage runs */
    bool asked;   /**< containerd was, for an artifact */
    int usage;    /**< where the first process tells what its guest holds (usage.h); 0: nowhere */
    int artifact; /**< the module, when it came so; 0: it did not */
    bool mounted; /**< the root file system is mounted for a Linux runtime */
    char traceparent[64];
    char tracestate[512];
    struct wrap_span *making; /**< from the configuration to the end of Create */
    struct wrap_span
        *life;   /**< from Start, or Create without one, to the end; the guest's trace context */
    struct wrap_proc *processes; /**< the first one first */
};

/** All of a shim. */
struct wrap_shim {
    uv_loop_t *loop;
    const char *ns;
    const char *grpc; /**< containerd's socket, for artifacts; NULL or "": none */
    struct wrap_events *events;
    struct wrap_spans *spans; /**< NULL: nobody asks for them */
    struct wrap_task *tasks;
    bool told_lacks; /**< what the kernel does not have for our sandbox is in the log */
    bool in_cgroup; /**< has been put where the options say (ShimCgroup) */
    void (*settled)(struct wrap_shim *shim); /**< a task was created or is gone, an exec runs; may
                                                be NULL */
    void (*shut_down)(struct wrap_shim *shim); /**< asked for; the answer is sent first */
};

struct wrap_task_create {
    const char *id;
    const char *bundle;
    const struct wrap_root_mount *root_mounts; /**< copied */
    size_t root_mount_count;
    bool terminal;
    const char *in, *out, *err;
    const struct wrap_task_options *options; /**< copied */
    const char *traceparent, *tracestate; /**< NULL: none */
    const struct wrap_span *span; /**< of the call */
};

/** The task of that id; NOT_FOUND. */
struct wrap_task *wrap_task_find(struct wrap_shim *shim, const char *id, struct wrap_error *err);
/** A process of it; "" or NULL: the first one. */
struct wrap_proc *wrap_task_proc(struct wrap_task *task, const char *exec_id,
                                 struct wrap_error *err);

/** Creates a container, up to the point where all of its configuration is applied; a module is read
 * meanwhile, and what is wrong with it is the answer to the start. False: `err` says why and `done`
 * is not called; true: it will be. After a failure nothing is left. */
bool wrap_task_create(struct wrap_shim *shim, const struct wrap_task_create *config,
                      wrap_step_done done, void *context, struct wrap_error *err);
struct wrap_exec_config {
    const char *exec_id;
    const char *process_json; /**< of the OCI specification */
    size_t process_json_size;
    bool terminal;
    const char *in, *out, *err;
};
/** Adds a process that is not started yet. */
bool wrap_task_exec(struct wrap_task *task, const struct wrap_exec_config *config,
                    struct wrap_error *err);
bool wrap_proc_start(struct wrap_proc *process, wrap_step_done done, void *context,
                     struct wrap_error *err);
/** NOT_FOUND when it has ended. `all`: every process of the container. */
bool wrap_proc_kill(struct wrap_proc *process, int signal, bool all, struct wrap_error *err);
/** Calls `waiter->ended` when the process has ended, perhaps at once, or is removed without having
 * run; the waiter is malloc'ed and freed after that. */
void wrap_proc_wait(struct wrap_proc *process, struct wrap_waiter *waiter);
/** Removes what has stopped (or never started); `done` may read the process, which is gone when it
 * has returned. A container that is being created is removed as soon as it is there; with `force`
 * one that runs is killed first. Not from a waiter's `ended`. */
bool wrap_proc_delete(struct wrap_proc *process, bool force, wrap_step_done done, void *context,
                      struct wrap_error *err);
bool wrap_task_pause(struct wrap_task *task, bool pause, wrap_step_done done, void *context,
                     struct wrap_error *err);
/** `json`: linux.resources. */
bool wrap_task_update(struct wrap_task *task, const char *json, size_t size, wrap_step_done done,
                      void *context, struct wrap_error *err);
/** The control group of a task, found again where it is not known; NULL: `err`. */
struct wrap_cgroup *wrap_task_cgroup(struct wrap_task *task, struct wrap_error *err);

/** What the guest of a Wasm task holds, or held at its end; false: not known. */
bool wrap_task_usage(const struct wrap_task *task, wr_usage_t *out);

/** Whether an id can be a name of files and groups: containerd's rule for identifiers. */
bool wrap_id_is_good(const char *id);

#endif
