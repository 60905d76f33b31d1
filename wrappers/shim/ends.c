/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ends.c - the ends of processes, told once and in the right order, and the deletion of what has
 * stopped. Order: the answer to a start, exits of other processes, the exit of the first one, who
 * waits for it, who wants it deleted.
 */
#include "shim/log.h"
#include "shim/spans.h"
#include "shim/steps.h"

#include <signal.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- ends */

void wrap_proc_follow(struct wrap_proc *proc, pid_t pid, uint64_t mark)
{
    proc->pid = pid;
    proc->reap.pid = pid;
    wrap_reap_expect(&proc->reap, mark);
}

static void remove_ended(struct wrap_proc *proc);

enum { NEVER_RAN = 255 };

static void tell_waiters(struct wrap_proc *proc)
{
    proc->announced = true;
    while (proc->waiters) {
        struct wrap_waiter *waiter = proc->waiters;
        proc->waiters = waiter->next;
        waiter->ended(proc, waiter->context);
        free(waiter);
    }
}

void wrap_proc_tell_waiters(struct wrap_proc *proc)
{
    if (!proc->announced && proc->waiters) {
        proc->exit_status = NEVER_RAN;
        clock_gettime(CLOCK_REALTIME, &proc->exited_at);
    }
    tell_waiters(proc);
}

/* Everybody is told: events first, then those that wait, at last who wants it deleted. */
static void announce(void *context)
{
    struct wrap_proc *proc = context;
    struct wrap_task *task = proc->task;
    bool is_init = wrap_is_init(proc);
    wrap_streams_close(&proc->streams);
    wrap_task_tell_memory(task);
    wrap_event_exit(task->shim->events, task->id, is_init ? task->id : proc->exec_id, proc->pid,
                    proc->exit_status, proc->exited_at);
    tell_waiters(proc);
    if (is_init) {
        wrap_span_number(task->life, "process.exit.code", proc->exit_status);
        wrap_span_end(task->life, NULL);
        task->life = NULL;
    }
    if (proc->deletion) {
        remove_ended(proc);
    }
    if (!is_init) {
        wrap_proc_finish_end(wrap_task_init_proc(task)); /* it may have waited for this one */
    }
}

void wrap_start_failed(struct wrap_proc *proc, const struct wrap_error *err)
{
    struct wrap_task *task = proc->task;
    proc->gone = true;
    proc->state = WRAP_STATE_STOPPED;
    proc->exit_status = NEVER_RAN;
    clock_gettime(CLOCK_REALTIME, &proc->exited_at);
    wrap_streams_close(&proc->streams);
    wrap_step_end(proc, err);
    tell_waiters(proc);
    wrap_proc_finish_end(wrap_task_init_proc(task)); /* it may have waited for this one */
}

/* A process of the task, beside the first one, whose end was not told, or that a runtime is just
 * making: that has no pid yet. */
static bool others_live(const struct wrap_task *task)
{
    for (const struct wrap_proc *proc = task->processes->next; proc; proc = proc->next) {
        if ((proc->pid && !proc->announced) || proc->done) {
            return true;
        }
    }
    return false;
}

/* Tells the end of a process when nothing has to come before it: the answer to its start, and for
 * the first process the ends of all others. */
void wrap_proc_finish_end(struct wrap_proc *proc)
{
    if (!proc->gone || proc->announced || proc->state == WRAP_STATE_STOPPED || proc->done) {
        return;
    }
    if (wrap_is_init(proc) && others_live(proc->task)) {
        return;
    }
    proc->state = WRAP_STATE_STOPPED;
    wrap_streams_drain(&proc->streams, announce, proc);
}

/* Without its first process a container is over. All processes in one of ours are children of ours:
 * none of them can fork. Those of a Linux container end with its pid namespace; when it has none,
 * others can be left in its group. */
static void kill_rest(struct wrap_task *task)
{
    for (struct wrap_proc *proc = task->processes->next; proc; proc = proc->next) {
        if (proc->pid && !proc->gone) {
            kill(proc->pid, SIGKILL);
        }
    }
    if (task->kind == WRAP_KIND_LINUX && !(task->spec->namespaces_new & (1u << WRAP_NS_PID))) {
        struct wrap_cgroup *cgroup = wrap_task_cgroup(task, NULL);
        (void)(cgroup && wrap_cgroup_kill(cgroup, NULL));
    }
}

void wrap_proc_on_ended(struct wrap_reap *reap, unsigned status, struct timespec when)
{
    struct wrap_proc *proc = (struct wrap_proc *)reap;
    proc->gone = true;
    proc->exit_status = status;
    proc->exited_at = when;
    if (proc->child.pid && proc->state == WRAP_STATE_NEW && wrap_native_ended_early(proc)) {
        return;
    }
    if (wrap_is_init(proc)) {
        kill_rest(proc->task);
    }
    if (proc->is_loading) {
        wrap_native_ended_loading(proc);
    } else {
        wrap_proc_finish_end(proc);
    }
}

void wrap_proc_wait(struct wrap_proc *proc, struct wrap_waiter *waiter)
{
    if (proc->announced) {
        waiter->ended(proc, waiter->context);
        free(waiter);
        return;
    }
    struct wrap_waiter **at = &proc->waiters;
    while (*at) {
        at = &(*at)->next;
    }
    waiter->next = NULL;
    *at = waiter;
}

/* ---------------------------------------------------------------- deletion */

/* What is kept between the request and the end of a removal. */
struct deletion {
    wrap_step_done done;
    void *context;
};

static void on_poststop(struct wrap_task *task, const struct wrap_error *err)
{
    struct wrap_proc *init = wrap_task_init_proc(task);
    struct deletion *deletion = init->context;
    if (err) {
        wrap_log(WRAP_LOG_WARNING, task->id, "poststop: %s", err->text);
    }
    wrap_event_delete(task->shim->events, task->id, "", init->pid, init->exit_status,
                      init->exited_at);
    deletion->done(init, NULL, deletion->context);
    free(deletion);
    wrap_task_free(task);
}

static void on_removed(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    struct deletion *deletion = context;
    struct wrap_task *task = proc->task;
    if (err) {
        proc->deleting = false;
        deletion->done(proc, err, deletion->context);
        free(deletion);
        return;
    }
    if (wrap_is_init(proc)) {
        proc->context = deletion;
        wrap_hooks_run(task, WRAP_HOOK_POSTSTOP, "stopped", on_poststop);
        return;
    }
    deletion->done(proc, NULL, deletion->context);
    free(deletion);
    wrap_proc_tell_waiters(proc);
    for (struct wrap_proc **at = &task->processes; *at; at = &(*at)->next) {
        if (*at == proc) {
            *at = proc->next;
            break;
        }
    }
    wrap_proc_free(proc);
}

static void remove_ended(struct wrap_proc *proc)
{
    struct deletion *deletion = proc->deletion;
    struct wrap_error err = {0};
    proc->deletion = NULL;
    proc->done = on_removed; /* others may not begin a step since `deleting` is set */
    proc->context = deletion;
    if (!wrap_way_of(proc->task)->remove(proc, &err)) {
        proc->done = NULL;
        on_removed(proc, &err, deletion);
    }
}

void wrap_proc_end_for_deletion(struct wrap_proc *proc)
{
    proc->deleting = true;
    if (proc->pid && !proc->gone) { /* announce() goes on */
        (void)wrap_proc_kill(proc, SIGKILL, false, NULL);
    }
}

/* Whether a process may be deleted in its state. */
static bool is_deletable(const struct wrap_proc *proc, bool force, struct wrap_error *err)
{
    const char *name = wrap_is_init(proc) ? proc->task->id : proc->exec_id;
    bool being_made =
        wrap_is_init(proc) && (proc->state == WRAP_STATE_NEW || (proc->is_loading && proc->may_go));
    if (proc->deleting || proc->deletion || (proc->done && !being_made)) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "%s: another operation is in progress",
                         name);
    }
    bool runs = proc->state == WRAP_STATE_RUNNING || proc->state == WRAP_STATE_PAUSED;
    return !runs || force ||
           wrap_fail(err, WRAP_FAILED_PRECONDITION, "%s has to be stopped before its deletion",
                     name);
}

bool wrap_proc_delete(struct wrap_proc *proc, bool force, wrap_step_done done, void *context,
                      struct wrap_error *err)
{
    if (!is_deletable(proc, force, err)) {
        return false;
    }
    proc->deletion = malloc(sizeof *proc->deletion);
    if (!proc->deletion) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    *proc->deletion = (struct deletion){done, context};
    if (proc->done) {
        /* Its creation is in progress, or its start waits for its module; it is given up where that
         * is possible: see wrap_step_end and wrap_create_failed. */
        if (proc->pid && !proc->gone) {
            wrap_fail(&proc->failure, WRAP_CANCELLED, "%s: deleted while it was made",
                      proc->task->id);
            kill(proc->pid, SIGKILL);
        }
    } else if (!proc->pid || proc->announced) {
        proc->deleting = true;
        remove_ended(proc); /* or an exec that was never started */
    } else {
        wrap_proc_end_for_deletion(proc);
    }
    return true;
}

void wrap_deletion_refuse(struct wrap_proc *proc)
{
    struct deletion *deletion = proc->deletion;
    struct wrap_error err = {0};
    if (deletion) {
        proc->deletion = NULL;
        wrap_fail(&err, WRAP_NOT_FOUND, "container %s: not found", proc->task->id);
        deletion->done(proc, &err, deletion->context);
        free(deletion);
    }
}
