/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.c - containers that our own children are: what they report, hooks on the way, control
 * groups. A child that finds a Linux program ends, and a Linux runtime takes over.
 */
#include "shim/artifact.h"
#include "shim/aside.h"
#include "shim/log.h"
#include "shim/spans.h"
#include "shim/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_MS = 2, TRIES_MAX = 1000, ASIDE_MS = 2000 };

void wrap_native_close(struct wrap_proc *proc)
{
    int *fds[] = {&proc->child.pidfd, &proc->child.report_fd, &proc->child.control_fd};
    if (proc->report_poll) {
        uv_poll_stop(proc->report_poll);
        uv_close((uv_handle_t *)proc->report_poll, (uv_close_cb)free);
        proc->report_poll = NULL;
    }
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0) {
            close(*fds[i]);
            *fds[i] = -1;
        }
    }
}

/* The step can't succeed any more: the child goes, wrap_native_ended_early goes on. */
static void give_up(struct wrap_proc *proc, const struct wrap_error *err)
{
    if (!proc->failure.code) {
        proc->failure = *err;
    }
    if (!proc->gone) {
        kill(proc->pid, SIGKILL);
    }
}

/* ---------------------------------------------------------------- reports */

static void run_next_hooks(struct wrap_task *task, const struct wrap_error *err)
{
    static const enum wrap_hook_stage stages[] = {WRAP_HOOK_PRESTART, WRAP_HOOK_CREATE_RUNTIME,
                                                  WRAP_HOOK_CREATE_CONTAINER};
    struct wrap_proc *init = wrap_task_init_proc(task);
    if (err) {
        give_up(init, err);
    } else if (task->tries < sizeof stages / sizeof stages[0]) {
        wrap_hooks_run(task, stages[task->tries++], "creating", run_next_hooks);
    } else if (!wrap_container_go(init->child.control_fd)) {
        kill(init->pid, SIGKILL);
    }
}

static bool has_create_hooks(const struct wrap_spec *spec)
{
    return spec->hooks[WRAP_HOOK_PRESTART].count || spec->hooks[WRAP_HOOK_CREATE_RUNTIME].count ||
           spec->hooks[WRAP_HOOK_CREATE_CONTAINER].count;
}

static void tell_started(struct wrap_proc *proc)
{
    struct wrap_task *task = proc->task;
    proc->state = WRAP_STATE_RUNNING;
    if (wrap_is_init(proc)) {
        wrap_span_begin_again(task->life);
        wrap_event_start(task->shim->events, task->id, proc->pid);
    } else {
        wrap_event_exec_started(task->shim->events, task->id, proc->exec_id, proc->pid);
    }
}

static void tell_settled(struct wrap_shim *shim)
{
    if (shim->settled) {
        shim->settled(shim);
    }
}

/* Create is answered while the module is read: the client comes back with Start meanwhile. */
static void on_created(struct wrap_proc *init)
{
    struct wrap_shim *shim = init->task->shim;
    init->state = WRAP_STATE_CREATED;
    if (init->task->kind == WRAP_KIND_LOOK) {
        init->task->kind = WRAP_KIND_WASM;
    }
    wrap_tell_created(init);
    wrap_step_end(init, NULL);
    wrap_task_watch_memory(init->task); /* nobody has to wait for that */
    wrap_task_settle(init->task);
    tell_settled(shim);
}

static void on_exec_ready(struct wrap_proc *proc)
{
    struct wrap_shim *shim = proc->task->shim;
    if (!wrap_container_go(proc->child.control_fd)) {
        return; /* it is gone: its end is told */
    }
    tell_started(proc);
    wrap_step_end(proc, NULL);
    tell_settled(shim);
}

static void on_poststart(struct wrap_task *task, const struct wrap_error *err)
{
    if (err) {
        wrap_log(WRAP_LOG_WARNING, task->id, "poststart: %s", err->text);
    }
    wrap_step_end(wrap_task_init_proc(task), NULL);
}

/* It may go, and its module is loaded. */
static void on_started(struct wrap_proc *init)
{
    tell_started(init);
    /* config.md: they are called before the start operation returns. */
    wrap_hooks_run(init->task, WRAP_HOOK_POSTSTART, "running", on_poststart);
}

static void on_loaded(struct wrap_proc *proc)
{
    proc->is_loading = false;
    if (proc->gone) {
        return; /* its end is told */
    }
    if (!wrap_is_init(proc)) {
        on_exec_ready(proc);
    } else if (proc->may_go) {
        on_started(proc);
    }
}

/* The kernel is the same for all: one line is enough. */
static void tell_lacks(struct wrap_task *task, const char *lacks)
{
    if (lacks[0] && !task->shim->told_lacks) {
        task->shim->told_lacks = true;
        wrap_log(WRAP_LOG_WARNING, task->id, "sandbox: %s", lacks);
    }
}

/* Of a child that is new. */
static void take_report(struct wrap_proc *proc, const struct wrap_report *report)
{
    bool is_init = wrap_is_init(proc);
    switch (report->kind) {
    case WRAP_REPORT_CREATED:
        proc->task->tries = 0;
        if (is_init && !proc->gone && has_create_hooks(proc->task->spec)) {
            run_next_hooks(proc->task, NULL);
        }
        break;
    case WRAP_REPORT_LINUX: proc->is_linux = is_init; break;
    case WRAP_REPORT_LOCKED:
        tell_lacks(proc->task, report->error.text);
        proc->is_loading = true;
        if (is_init && !proc->gone) { /* else it can't be started any more */
            on_created(proc);
        }
        break;
    case WRAP_REPORT_READY: /* of a pause: it has no module */
        if (is_init && !proc->gone) {
            on_created(proc);
        }
        break;
    case WRAP_REPORT_FAILED:
        if (!proc->failure.code) {
            proc->failure = report->error;
            proc->no_entry = is_init && report->no_entry;
        }
        break;
    case WRAP_REPORT_REASON: break;
    }
}

static void on_report(uv_poll_t *poll, int status, int events)
{
    struct wrap_proc *proc = poll->data;
    struct wrap_report report;
    int got = 0;
    (void)events;
    while (proc->report_poll && (got = wrap_container_report(proc->child.report_fd, &report)) > 0) {
        if (proc->state == WRAP_STATE_NEW && !proc->is_loading) {
            take_report(proc, &report);
            continue;
        }
        if (proc->is_loading && report.kind == WRAP_REPORT_READY) {
            on_loaded(proc);
            continue;
        }
        /* Perhaps a module or a guest has taken over its interpreter: each has one word. */
        if (proc->is_loading && report.kind == WRAP_REPORT_FAILED) {
            proc->failure = proc->failure.code ? proc->failure : report.error;
        } else if (!proc->is_loading && report.kind == WRAP_REPORT_REASON) {
            wrap_log(WRAP_LOG_INFO, proc->task->id, "%s", report.error.text);
        }
        got = -1;
        break;
    }
    if ((got < 0 || status != 0) && proc->report_poll) {
        uv_poll_stop(proc->report_poll);
    }
}

static bool watch_reports(struct wrap_proc *proc, struct wrap_error *err)
{
    proc->report_poll = calloc(1, sizeof *proc->report_poll);
    if (!proc->report_poll) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    int wrong = uv_poll_init(proc->task->shim->loop, proc->report_poll, proc->child.report_fd);
    if (wrong) {
        free(proc->report_poll);
        proc->report_poll = NULL;
        return wrap_fail_errno(err, -wrong, "cannot wait for a container");
    }
    proc->report_poll->data = proc;
    uv_poll_start(proc->report_poll, UV_READABLE | UV_DISCONNECT, on_report);
    return true;
}

/* ---------------------------------------------------------------- steps */

static struct wrap_container_config config_of(struct wrap_proc *proc)
{
    struct wrap_task *task = proc->task;
    struct wrap_container_config config = {
        .id = task->id,
        .bundle = task->bundle,
        .spec = task->spec,
        .root_mounts = task->root_mounts,
        .root_mount_count = task->root_mount_count,
        .kind = task->kind,
        .cgroup = task->cgroup,
        .console = proc->streams.slave,
        .traceparent = task->traceparent[0] ? task->traceparent : NULL,
        .tracestate = task->tracestate[0] ? task->tracestate : NULL,
        .hooks_wait = has_create_hooks(task->spec),
        .usage = task->usage,
    };
    for (int i = 0; i < 3; i++) {
        config.stdio[i] = config.console >= 0 ? config.console : proc->streams.child[i];
    }
    return config;
}

/* The program of an artifact's container, or of an exec of the same program: a file of its own,
 * with an offset of its own. `*out` 0: it is in the root, as usual. */
static bool open_artifact(const struct wrap_proc *proc, int *out, struct wrap_error *err)
{
    const struct wrap_task *task = proc->task;
    const struct wrap_strings *args = &task->spec->process.args;
    const struct wrap_strings *own = proc->spec ? &proc->spec->process.args : args;
    char path[40];
    *out = 0;
    if (task->artifact <= 0 || !args->count || !own->count) {
        return true;
    }
    size_t length = strcspn(args->items[0], "#");
    if (strcspn(own->items[0], "#") != length ||
        strncmp(own->items[0], args->items[0], length) != 0) {
        return true;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", task->artifact);
    *out = open(path, O_RDONLY | O_CLOEXEC);
    return *out > 0 || wrap_fail_errno(err, errno, "the module of %s", task->id);
}

static void close_artifact(int fd)
{
    if (fd > 0) {
        close(fd);
    }
}

/* From here on the child's end goes through the reaper. */
static void follow_child(struct wrap_proc *proc)
{
    wrap_streams_given(&proc->streams);
    wrap_proc_follow(proc, proc->child.pid, wrap_reap_mark());
    struct wrap_error problem = {0};
    if (!watch_reports(proc, &problem)) {
        give_up(proc, &problem);
    }
}

static void drop_cgroup(struct wrap_task *task)
{
    struct wrap_error err = {0};
    if (task->cgroup && !wrap_cgroup_delete(task->cgroup, RETRY_MS * 10, &err)) {
        wrap_log(WRAP_LOG_WARNING, task->id, "%s", err.text);
    }
    wrap_cgroup_free(task->cgroup);
    task->cgroup = NULL;
}

/* In a helper: systemd is asked first. */
static bool delete_scope(void *context, struct wrap_error *err)
{
    struct wrap_proc *init = context;
    return wrap_cgroup_delete(init->task->cgroup, ASIDE_MS, err);
}

/* Whether systemd has anything of the task: it removes a scope of its own when it is empty. */
static bool has_scope(const struct wrap_task *task)
{
    const struct wrap_cgroup_config config = wrap_task_cgroup_config(task);
    struct wrap_cgroup *cgroup = NULL;
    bool found =
        task->options.systemd_cgroup && task->cgroup && wrap_cgroup_open(&config, &cgroup, NULL);
    wrap_cgroup_free(cgroup);
    return found;
}

static bool native_create(struct wrap_proc *init, struct wrap_error *err)
{
    struct wrap_task *task = init->task;
    if (task->spec->unsupported && task->kind != WRAP_KIND_LOOK) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "%s/config.json: %s is not supported",
                         task->bundle, task->spec->unsupported);
    }
    const struct wrap_cgroup_config group = wrap_task_cgroup_config(task);
    if (!wrap_proc_open_streams(init, true, err)) {
        return false;
    }
    if (!wrap_cgroup_plan(&group, &task->cgroup, err)) {
        wrap_streams_close(&init->streams);
        return false;
    }
    if (task->usage <= 0 && task->kind != WRAP_KIND_PAUSE) {
        task->usage = wrap_usage_new(); /* containers do without */
    }
    struct wrap_container_config config = config_of(init);
    config.group_late = !config.hooks_wait && !task->options.systemd_cgroup;
    bool good = (config.group_late || wrap_cgroup_make(task->cgroup, err)) &&
                open_artifact(init, &config.artifact, err) &&
                wrap_container_fork(&config, &init->child, err);
    close_artifact(config.artifact);
    if (!good) {
        drop_cgroup(task);
        wrap_streams_close(&init->streams);
        return false;
    }
    follow_child(init);
    struct wrap_error problem = {0};
    if (config.group_late && !wrap_cgroup_make(task->cgroup, &problem)) {
        give_up(init, &problem);
    } else if (config.group_late) {
        (void)wrap_container_go(init->child.control_fd); /* or it is gone, and has said why */
    }
    return true;
}

static bool start_exec(struct wrap_proc *proc, struct wrap_error *err)
{
    struct wrap_task *task = proc->task;
    if (!wrap_proc_open_streams(proc, true, err)) {
        return false;
    }
    struct wrap_spec *spec = NULL;
    if (task->reduced && !wrap_spec_load_fd(task->config, &spec, err)) {
        wrap_error_prefix(err, "%s/config.json", task->bundle);
        wrap_streams_close(&proc->streams);
        return false;
    }
    struct wrap_container_config config = config_of(proc);
    config.spec = spec ? spec : config.spec;
    const struct wrap_container_join join = {
        .pid = wrap_task_init_proc(task)->pid,
        .process = &proc->spec->process,
    };
    bool good = open_artifact(proc, &config.artifact, err) &&
                wrap_container_fork_into(&config, &join, &proc->child, err);
    close_artifact(config.artifact);
    wrap_spec_free(spec);
    if (!good) {
        wrap_streams_close(&proc->streams);
        return false;
    }
    follow_child(proc);
    return true;
}

static void on_start_hooks(struct wrap_task *task, const struct wrap_error *err)
{
    struct wrap_proc *init = wrap_task_init_proc(task);
    struct wrap_error problem = {0};
    if (!err && (init->gone || !wrap_container_go(init->child.control_fd))) {
        problem = init->failure;
        if (!problem.code) {
            wrap_fail(&problem, WRAP_FAILED_PRECONDITION, "container %s has stopped", task->id);
        }
        err = &problem;
    }
    if (err) {
        wrap_step_end(init, err);
    } else if (init->is_loading) {
        init->may_go = true; /* on_loaded, or the end, goes on */
    } else {
        on_started(init);
    }
}

static bool native_start(struct wrap_proc *proc, struct wrap_error *err)
{
    if (!wrap_is_init(proc)) {
        return start_exec(proc, err);
    }
    wrap_hooks_run(proc->task, WRAP_HOOK_START_CONTAINER, "created", on_start_hooks);
    return true;
}

/* Nothing has happened yet: everything again, in a way that is known now. FIFOs stay open
 * meanwhile, or containerd would read their end. */
static void begin_again(struct wrap_proc *proc, enum wrap_kind kind)
{
    struct wrap_task *task = proc->task;
    struct wrap_error err = {0};
    int kept[3];
    memcpy(kept, proc->streams.hold, sizeof kept);
    for (int i = 0; i < 3; i++) {
        proc->streams.hold[i] = -1;
    }
    wrap_streams_close(&proc->streams);
    proc->gone = false;
    proc->is_linux = false;
    proc->no_entry = false;
    proc->pid = 0;
    proc->child.pid = 0;
    task->kind = kind;
    memset(&proc->failure, 0, sizeof proc->failure);
    bool begun = wrap_way_of(task)->create(proc, &err);
    for (int i = 0; i < 3; i++) {
        if (kept[i] >= 0) {
            close(kept[i]);
        }
    }
    if (!begun) {
        wrap_create_failed(proc, &err);
    }
}

static void on_artifact(int fd, const struct wrap_error *err, void *context)
{
    struct wrap_proc *init = context;
    struct wrap_error failure = init->failure;
    if (fd >= 0) {
        init->task->artifact = fd;
    }
    if (fd >= 0 && !init->deletion) {
        begin_again(init, WRAP_KIND_WASM);
        return;
    }
    if (err) {
        failure = (struct wrap_error){0};
        wrap_fail(&failure, err->code, "%.200s; its image, as a Wasm artifact: %s",
                  init->failure.text, err->text);
    }
    wrap_create_failed(init, &failure);
}

static bool is_given_up(void *context) { return ((struct wrap_proc *)context)->deletion != NULL; }

/* No such program in the root: the image may be an artifact, whose layer containerd has not
 * unpacked. False: nobody can be asked. */
static bool ask_for_artifact(struct wrap_proc *init)
{
    struct wrap_task *task = init->task;
    const struct wrap_artifact_config config = {
        .loop = task->shim->loop,
        .address = task->shim->grpc,
        .ns = task->shim->ns,
        .id = task->id,
        .given_up = is_given_up,
        .done = on_artifact,
        .context = init,
    };
    struct wrap_error err = {0};
    if (task->asked || !task->shim->grpc || !task->shim->grpc[0]) {
        return false;
    }
    task->asked = true;
    bool begun = wrap_artifact_fetch(&config, &err);
    if (!begun) {
        wrap_log(WRAP_LOG_DEBUG, task->id, "no artifact: %s", err.text);
    }
    return begun;
}

/* What follows the end of a first process that was not ready; its group is removed. */
static void after_early_end(struct wrap_proc *init)
{
    if (init->is_linux && !init->deletion) {
        begin_again(init, WRAP_KIND_LINUX);
    } else if (!init->no_entry || init->deletion || !ask_for_artifact(init)) {
        const struct wrap_error err = init->failure;
        wrap_create_failed(init, &err);
    }
}

static void on_scope_dropped(const struct wrap_error *err, void *context)
{
    struct wrap_proc *init = context;
    if (err) {
        wrap_log(WRAP_LOG_WARNING, init->task->id, "%s", err->text);
    }
    wrap_cgroup_free(init->task->cgroup);
    init->task->cgroup = NULL;
    after_early_end(init);
}

/* Of a child that has not told why. */
static void explain_end(struct wrap_proc *proc)
{
    if (!proc->failure.code) {
        wrap_fail(&proc->failure, WRAP_UNKNOWN,
                  "container %s died with status %u while it was made%s", proc->task->id,
                  proc->exit_status, proc->exit_status == 128 + SIGKILL ? " (out of memory?)" : "");
    }
}

void wrap_native_ended_loading(struct wrap_proc *init)
{
    if (init->report_poll) {
        on_report(init->report_poll, 0, 0); /* what it said last */
    }
    bool has_loaded = !init->is_loading;
    init->is_loading = false;
    if (!has_loaded) {
        explain_end(init);
    }
    const struct wrap_error err = init->failure;
    if (!init->may_go) {
        wrap_proc_finish_end(init);
    } else if (has_loaded) {
        on_started(init); /* and has ended */
    } else {
        wrap_step_end(init, &err);
    }
}

bool wrap_native_ended_early(struct wrap_proc *proc)
{
    struct wrap_task *task = proc->task;
    if (proc->report_poll) {
        on_report(proc->report_poll, 0, 0); /* what it said last */
    }
    if (proc->state != WRAP_STATE_NEW) {
        return false;
    }
    wrap_native_close(proc);
    explain_end(proc);
    if (!wrap_is_init(proc)) {
        const struct wrap_error err = proc->failure;
        wrap_start_failed(proc, &err);
        return true;
    }
    const struct wrap_aside_config aside = {
        .work = delete_scope, .done = on_scope_dropped, .context = proc};
    if (!has_scope(task) || !wrap_aside(&aside, NULL)) {
        drop_cgroup(task);
        after_early_end(proc);
    }
    return true;
}

/* ---------------------------------------------------------------- the rest of a life */

static void on_retry(uv_timer_t *timer)
{
    struct wrap_task *task = timer->data;
    struct wrap_error err = {0};
    bool gone = wrap_cgroup_delete(task->cgroup, 0, &err);
    if (!gone && task->tries++ < TRIES_MAX) {
        return;
    }
    uv_timer_stop(timer);
    if (!gone) {
        wrap_log(WRAP_LOG_ERROR, task->id, "%s", err.text);
    }
    wrap_step_end(wrap_task_init_proc(task), NULL);
}

static void on_scope_deleted(const struct wrap_error *err, void *context)
{
    struct wrap_proc *init = context;
    if (err) {
        wrap_log(WRAP_LOG_ERROR, init->task->id, "%s", err->text);
    }
    wrap_step_end(init, NULL);
}

static void log_usage(const struct wrap_task *task)
{
    wr_usage_t usage;
    if (wrap_task_usage(task, &usage)) {
        wrap_log(WRAP_LOG_DEBUG, task->id,
                 "the guest had %" PRIu64 " bytes of linear memory, of %" PRIu64
                 " at most, and %" PRIu64 " table elements",
                 usage.memory_bytes, usage.memory_limit_bytes, usage.table_elems);
    }
}

static bool native_remove(struct wrap_proc *proc, struct wrap_error *err)
{
    struct wrap_task *task = proc->task;
    wrap_native_close(proc);
    if (wrap_is_init(proc)) {
        log_usage(task);
    }
    if (wrap_is_init(proc) && has_scope(task)) {
        const struct wrap_aside_config aside = {
            .work = delete_scope, .done = on_scope_deleted, .context = proc};
        return wrap_aside(&aside, err);
    }
    if (!wrap_is_init(proc) || !task->cgroup || wrap_cgroup_delete(task->cgroup, 0, NULL)) {
        wrap_step_end(proc, NULL);
        return true;
    }
    /* Somebody in it is still on the way out. */
    task->timer = calloc(1, sizeof *task->timer);
    if (!task->timer || uv_timer_init(task->shim->loop, task->timer) != 0) {
        free(task->timer);
        task->timer = NULL;
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    task->timer->data = task;
    task->tries = 0;
    uv_timer_start(task->timer, on_retry, RETRY_MS, RETRY_MS);
    return true;
}

static bool native_pause(struct wrap_proc *init, bool pause, struct wrap_error *err)
{
    struct wrap_task *task = init->task;
    if (!task->cgroup || !wrap_cgroup_freeze(task->cgroup, pause, err)) {
        return false;
    }
    wrap_set_paused(init, pause);
    wrap_step_end(init, NULL);
    return true;
}

/* An Update of a task with systemd, in a helper. */
struct update {
    struct wrap_proc *init;
    struct wrap_spec *spec;
};

static bool update_scope(void *context, struct wrap_error *err)
{
    const struct update *update = context;
    const struct wrap_cgroup_config config = wrap_task_cgroup_config(update->init->task);
    struct wrap_cgroup *cgroup = NULL; /* ours does not know that its child has made the scope */
    return wrap_cgroup_open(&config, &cgroup, err) &&
           wrap_cgroup_update(cgroup, &update->spec->resources, err);
}

static void on_scope_updated(const struct wrap_error *err, void *context)
{
    struct update *update = context;
    wrap_step_end(update->init, err);
    wrap_spec_free(update->spec);
    free(update);
}

/* Takes `spec` over when it succeeds. */
static bool begin_update(struct wrap_proc *init, struct wrap_spec *spec, struct wrap_error *err)
{
    struct update *update = malloc(sizeof *update);
    if (!update) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    *update = (struct update){init, spec};
    const struct wrap_aside_config aside = {
        .work = update_scope, .done = on_scope_updated, .context = update};
    if (!wrap_aside(&aside, err)) {
        free(update);
        return false;
    }
    return true;
}

static bool native_update(struct wrap_proc *init, const char *json, size_t size,
                          struct wrap_error *err)
{
    struct wrap_task *task = init->task;
    struct wrap_spec *spec = NULL;
    if (!wrap_spec_parse_resources(json, size, &spec, err)) {
        return false;
    }
    if (task->options.systemd_cgroup && begin_update(init, spec, err)) {
        return true;
    }
    bool good = !task->options.systemd_cgroup && task->cgroup &&
                wrap_cgroup_update(task->cgroup, &spec->resources, err);
    wrap_spec_free(spec);
    if (good) {
        wrap_step_end(init, NULL);
    }
    return good;
}

const struct wrap_way wrap_way_native = {
    .create = native_create,
    .start = native_start,
    .remove = native_remove,
    .pause = native_pause,
    .update = native_update,
};
