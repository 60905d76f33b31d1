/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.c - tasks and processes whoever runs them: finding, making, freeing, beginning steps. How a
 * step is done is native.c's and delegated.c's; how a process ends, ends.c's.
 */
#include "shim/task.h"

#include "shim/log.h"
#include "shim/spans.h"
#include "shim/steps.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_MAX = 128, EXECS_MAX = 1024 };

/* ---------------------------------------------------------------- finding */

bool wrap_id_is_good(const char *id)
{
    size_t length = strlen(id);
    if (length == 0 || length > ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (i == 0 || i + 1 == length || (c != '-' && c != '_' && c != '.'))) {
            return false;
        }
    }
    return true;
}

struct wrap_proc *wrap_task_init_proc(const struct wrap_task *task) { return task->processes; }

bool wrap_is_init(const struct wrap_proc *proc) { return proc == proc->task->processes; }

struct wrap_task *wrap_task_find(struct wrap_shim *shim, const char *id, struct wrap_error *err)
{
    for (struct wrap_task *task = shim->tasks; task; task = task->next) {
        if (strcmp(task->id, id) == 0) {
            return task;
        }
    }
    wrap_fail(err, WRAP_NOT_FOUND, "container %s: not found", id);
    return NULL;
}

struct wrap_proc *wrap_task_proc(struct wrap_task *task, const char *exec_id,
                                 struct wrap_error *err)
{
    struct wrap_proc *proc = task->processes;
    if (!exec_id || !exec_id[0]) {
        return proc;
    }
    for (proc = proc->next; proc; proc = proc->next) {
        if (strcmp(proc->exec_id, exec_id) == 0) {
            return proc;
        }
    }
    wrap_fail(err, WRAP_NOT_FOUND, "process %s of container %s: not found", exec_id, task->id);
    return NULL;
}

const struct wrap_way *wrap_way_of(const struct wrap_task *task)
{
    return task->kind == WRAP_KIND_LINUX ? &wrap_way_delegated : &wrap_way_native;
}

/* ---------------------------------------------------------------- making and freeing */

static char *copy(const char *text) { return strdup(text ? text : ""); }

void wrap_proc_free(struct wrap_proc *proc)
{
    wrap_reap_forget(&proc->reap);
    wrap_native_close(proc);
    wrap_streams_close(&proc->streams);
    wrap_spec_free(proc->spec);
    free(proc->exec_id);
    free(proc->in);
    free(proc->out);
    free(proc->err);
    free(proc->process_json);
    free(proc);
}

/* NULL: no memory. The last of its task's processes. */
static struct wrap_proc *proc_new(struct wrap_task *task, const char *exec_id,
                                  const char *const streams[3], bool terminal)
{
    struct wrap_proc *proc = calloc(1, sizeof *proc);
    if (!proc) {
        return NULL;
    }
    proc->task = task;
    proc->reap.ended = wrap_proc_on_ended;
    proc->terminal = terminal;
    proc->exec_id = copy(exec_id);
    proc->in = copy(streams[0]);
    proc->out = copy(streams[1]);
    proc->err = copy(streams[2]);
    proc->child = (struct wrap_child){.pidfd = -1, .report_fd = -1, .control_fd = -1};
    proc->streams = (struct wrap_streams){
        .hold = {-1, -1, -1}, .child = {-1, -1, -1}, .slave = -1, .master = -1};
    if (!proc->exec_id || !proc->in || !proc->out || !proc->err) {
        wrap_proc_free(proc);
        return NULL;
    }
    struct wrap_proc **at = &task->processes;
    while (*at) {
        at = &(*at)->next;
    }
    *at = proc;
    return proc;
}

static void free_root_mounts(struct wrap_task *task)
{
    for (size_t i = 0; i < task->root_mount_count; i++) {
        struct wrap_root_mount *mount = &task->root_mounts[i];
        free((char *)mount->type);
        free((char *)mount->source);
        free((char *)mount->target);
        for (size_t k = 0; k < mount->options.count; k++) {
            free((char *)mount->options.items[k]);
        }
        free(mount->options.items);
    }
    free(task->root_mounts);
}

static bool copy_root_mounts(struct wrap_task *task, const struct wrap_task_create *config)
{
    size_t count = config->root_mount_count;
    task->root_mounts = calloc(count + 1, sizeof task->root_mounts[0]);
    if (!task->root_mounts) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        const struct wrap_root_mount *from = &config->root_mounts[i];
        struct wrap_root_mount *to = &task->root_mounts[task->root_mount_count++];
        to->type = copy(from->type);
        to->source = copy(from->source);
        to->target = copy(from->target);
        to->options.items = calloc(from->options.count + 1, sizeof to->options.items[0]);
        good = good && to->type && to->source && to->target && to->options.items;
        for (size_t k = 0; good && k < from->options.count; k++) {
            to->options.items[k] = copy(from->options.items[k]);
            good = to->options.items[k] != NULL;
            to->options.count += good;
        }
    }
    return good;
}

static void close_poll(uv_poll_t **poll)
{
    if (*poll) {
        uv_close((uv_handle_t *)*poll, (uv_close_cb)free);
        *poll = NULL;
    }
}

void wrap_task_free(struct wrap_task *task)
{
    struct wrap_shim *shim = task->shim;
    for (struct wrap_task **at = &shim->tasks; *at; at = &(*at)->next) {
        if (*at == task) {
            *at = task->next;
            break;
        }
    }
    while (task->processes) {
        struct wrap_proc *proc = task->processes;
        wrap_proc_tell_waiters(proc);
        task->processes = proc->next;
        wrap_proc_free(proc);
    }
    wrap_hooks_forget(task);
    close_poll(&task->oom_poll);
    if (task->timer) {
        uv_close((uv_handle_t *)task->timer, (uv_close_cb)free);
    }
    wrap_span_drop(task->making);
    wrap_span_drop(task->life);
    wrap_cgroup_free(task->cgroup);
    if (task->artifact > 0) {
        close(task->artifact);
    }
    if (task->config >= 0) {
        close(task->config);
    }
    if (task->usage > 0) {
        close(task->usage);
    }
    free_root_mounts(task);
    wrap_spec_free(task->spec);
    free(task->options.binary);
    free(task->options.root);
    free(task->bundle);
    free(task->id);
    free(task);
    if (shim->settled) {
        shim->settled(shim);
    }
}

static struct wrap_task *task_new(struct wrap_shim *shim, const struct wrap_task_create *config)
{
    struct wrap_task *task = calloc(1, sizeof *task);
    if (!task) {
        return NULL;
    }
    const char *const streams[3] = {config->in, config->out, config->err};
    task->shim = shim;
    task->config = -1;
    task->id = copy(config->id);
    task->bundle = copy(config->bundle);
    task->options = *config->options;
    task->options.binary = copy(config->options->binary);
    task->options.root = copy(config->options->root);
    task->options.shim_cgroup = NULL; /* no task's business */
    if (config->traceparent && strlen(config->traceparent) < sizeof task->traceparent) {
        strcpy(task->traceparent, config->traceparent);
    }
    if (config->tracestate && strlen(config->tracestate) < sizeof task->tracestate) {
        strcpy(task->tracestate, config->tracestate);
    }
    task->life = wrap_span_within(config->span, "wasmrun.container");
    wrap_span_text(task->life, "container.id", config->id);
    (void)wrap_span_traceparent(task->life, task->traceparent);
    bool good = copy_root_mounts(task, config) && task->id && task->bundle &&
                task->options.binary && task->options.root &&
                proc_new(task, "", streams, config->terminal);
    task->next = shim->tasks;
    shim->tasks = task;
    if (!good) {
        wrap_task_free(task);
        return NULL;
    }
    return task;
}

/* ---------------------------------------------------------------- steps */

bool wrap_step_begin(struct wrap_proc *proc, wrap_step_done done, void *context,
                     struct wrap_error *err)
{
    if (proc->done || proc->deleting) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                         "container %s: another operation is in progress", proc->task->id);
    }
    proc->done = done;
    proc->context = context;
    return true;
}

void wrap_step_end(struct wrap_proc *proc, const struct wrap_error *err)
{
    wrap_step_done done = proc->done;
    bool deleting = proc->deleting; /* then it may be gone afterwards */
    proc->done = NULL;
    if (done) {
        done(proc, err, proc->context);
    }
    if (deleting) {
        return;
    }
    if (proc->deletion) {
        wrap_proc_end_for_deletion(proc);
    }
    wrap_proc_finish_end(proc);
}

void wrap_create_failed(struct wrap_proc *init, const struct wrap_error *err)
{
    struct wrap_task *task = init->task;
    wrap_step_done done = init->done;
    init->done = NULL;
    if (done) {
        done(init, err, init->context);
    }
    wrap_deletion_refuse(init);
    wrap_task_free(task);
}

/* ShimCgroup: a group that all shims of a runtime share; made when it is not there. */
static bool enter_cgroup(struct wrap_shim *shim, const char *path, struct wrap_error *err)
{
    const struct wrap_cgroup_config config = {.path = path, .id = ""};
    struct wrap_cgroup *cgroup = NULL;
    if (shim->in_cgroup || !path || !path[0]) {
        return true;
    }
    shim->in_cgroup =
        (wrap_cgroup_open(&config, &cgroup, NULL) || wrap_cgroup_create(&config, &cgroup, err)) &&
        wrap_cgroup_add(cgroup, getpid(), err);
    wrap_cgroup_free(cgroup);
    if (!shim->in_cgroup) {
        wrap_error_prefix(err, "ShimCgroup");
    }
    return shim->in_cgroup;
}

bool wrap_task_create(struct wrap_shim *shim, const struct wrap_task_create *config,
                      wrap_step_done done, void *context, struct wrap_error *err)
{
    char path[PATH_MAX];
    if (!wrap_id_is_good(config->id)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "not a container's id: '%.64s'", config->id);
    }
    if (wrap_task_find(shim, config->id, NULL)) {
        return wrap_fail(err, WRAP_ALREADY_EXISTS, "container %s: exists already", config->id);
    }
    if (config->bundle[0] != '/' ||
        (size_t)snprintf(path, sizeof path, "%s/config.json", config->bundle) >= sizeof path) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "bundle '%.128s': not an absolute path",
                         config->bundle);
    }
    if (!enter_cgroup(shim, config->options->shim_cgroup, err)) {
        return false;
    }
    struct wrap_task *task = task_new(shim, config);
    if (!task) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    struct wrap_proc *init = wrap_task_init_proc(task);
    struct wrap_span *reading = wrap_span_within(config->span, "wasmrun.config");
    bool good = wrap_spec_open(path, &task->config, &task->spec, err) &&
                (task->spec->has_process ||
                 wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: no process", path)) &&
                wrap_kind_of(task->spec, &task->kind, err) &&
                wrap_step_begin(init, done, context, err);
    wrap_span_end(reading, good ? NULL : err);
    if (good) {
        task->making = wrap_span_within(config->span, "wasmrun.sandbox");
        good = wrap_way_of(task)->create(init, err);
        if (!good) {
            init->done = NULL;
        }
    }
    if (!good) {
        wrap_task_free(task);
    }
    return good;
}

bool wrap_task_exec(struct wrap_task *task, const struct wrap_exec_config *config,
                    struct wrap_error *err)
{
    const char *const streams[3] = {config->in, config->out, config->err};
    struct wrap_proc *init = wrap_task_init_proc(task);
    size_t count = 0;
    for (const struct wrap_proc *proc = init; proc; proc = proc->next) {
        count++;
    }
    if (!wrap_id_is_good(config->exec_id)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "not an id: '%.64s'", config->exec_id);
    }
    if (wrap_task_proc(task, config->exec_id, NULL)) {
        return wrap_fail(err, WRAP_ALREADY_EXISTS, "process %s: exists already", config->exec_id);
    }
    if (init->gone || (init->state != WRAP_STATE_RUNNING && init->state != WRAP_STATE_CREATED)) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "container %s: not running", task->id);
    }
    if (count > EXECS_MAX) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "container %s: too many processes",
                         task->id);
    }
    struct wrap_spec *spec = NULL;
    if (!wrap_spec_parse_process(config->process_json, config->process_json_size, &spec, err)) {
        return false;
    }
    char *json = strndup(config->process_json, config->process_json_size);
    struct wrap_proc *proc =
        json ? proc_new(task, config->exec_id, streams, config->terminal) : NULL;
    if (!proc) {
        wrap_spec_free(spec);
        free(json);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    proc->spec = spec;
    proc->process_json = json;
    wrap_event_exec_added(task->shim->events, task->id, config->exec_id);
    return true;
}

bool wrap_proc_open_streams(struct wrap_proc *proc, bool own_terminal, struct wrap_error *err)
{
    const struct wrap_streams_config config = {
        .in = proc->in,
        .out = proc->out,
        .err = proc->err,
        .terminal = proc->terminal,
        .ns = proc->task->shim->ns,
        .id = proc->task->id,
    };
    const struct wrap_process *process =
        proc->spec ? &proc->spec->process : &proc->task->spec->process;
    if (!wrap_streams_open(proc->task->shim->loop, &config, own_terminal, &proc->streams, err)) {
        return false;
    }
    if (proc->input_closed) {
        wrap_streams_close_input(&proc->streams);
    }
    if (process->rows && process->columns && proc->terminal) {
        (void)wrap_streams_resize(&proc->streams, process->rows, process->columns, NULL);
    }
    return true;
}

bool wrap_proc_start(struct wrap_proc *proc, wrap_step_done done, void *context,
                     struct wrap_error *err)
{
    bool startable =
        wrap_is_init(proc) ? proc->state == WRAP_STATE_CREATED : proc->state == WRAP_STATE_NEW;
    if (proc->state == WRAP_STATE_STOPPED && proc->failure.code) { /* its module is no good */
        *err = proc->failure;
        return false;
    }
    if (!startable) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                         proc->state == WRAP_STATE_STOPPED ? "%s has stopped"
                                                           : "%s is started already",
                         wrap_is_init(proc) ? proc->task->id : proc->exec_id);
    }
    const struct wrap_proc *init = wrap_task_init_proc(proc->task);
    /* Gone, its pid may be another process's; it waits for others to end. */
    if (!wrap_is_init(proc) && (init->gone || init->state != WRAP_STATE_RUNNING)) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "container %s: not running",
                         proc->task->id);
    }
    if (!wrap_step_begin(proc, done, context, err)) {
        return false;
    }
    bool good = wrap_way_of(proc->task)->start(proc, err);
    if (!good) {
        proc->done = NULL;
    }
    return good;
}

/* ---------------------------------------------------------------- signals, limits, figures */

static bool signal_all(struct wrap_task *task, int number, struct wrap_error *err)
{
    struct wrap_cgroup *cgroup = wrap_task_cgroup(task, err);
    pid_t *pids = NULL;
    size_t count = 0;
    if (!cgroup) {
        return false;
    }
    if (number == SIGKILL) {
        return wrap_cgroup_kill(cgroup, err);
    }
    if (!wrap_cgroup_pids(cgroup, &pids, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        kill(pids[i], number);
    }
    free(pids);
    return true;
}

bool wrap_proc_kill(struct wrap_proc *proc, int number, bool all, struct wrap_error *err)
{
    if (number < 1 || number > SIGRTMAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "no signal has the number %d", number);
    }
    bool frozen = proc->state == WRAP_STATE_PAUSED && number == SIGKILL;
    if ((all || frozen) && wrap_is_init(proc) && signal_all(proc->task, number, NULL)) {
        if (number == SIGKILL && proc->pid && !proc->gone) {
            kill(proc->pid, SIGKILL); /* wherever it may be accounted */
        }
        return true;
    }
    if (proc->gone || proc->state == WRAP_STATE_STOPPED) {
        return wrap_fail(err, WRAP_NOT_FOUND, "process already finished");
    }
    if (!proc->pid) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "process %s: not started",
                         wrap_is_init(proc) ? proc->task->id : proc->exec_id);
    }
    if (kill(proc->pid, number) != 0) { /* ours: not reaped, so the pid is its own */
        return wrap_fail_errno(err, errno, "cannot signal process %d", (int)proc->pid);
    }
    return true;
}

void wrap_task_settle(struct wrap_task *task)
{
    struct wrap_spec *small = NULL;
    if (task->reduced || !wrap_spec_reduce(task->spec, &small)) {
        return;
    }
    if (task->cgroup) {
        wrap_cgroup_forget_limits(task->cgroup);
    }
    wrap_spec_free(task->spec);
    task->spec = small;
    task->reduced = true;
}

struct wrap_cgroup_config wrap_task_cgroup_config(const struct wrap_task *task)
{
    return (struct wrap_cgroup_config){
        .path = task->spec->cgroups_path,
        .id = task->id,
        .systemd = task->options.systemd_cgroup,
        .resources = task->spec->has_resources ? &task->spec->resources : NULL,
    };
}

struct wrap_cgroup *wrap_task_cgroup(struct wrap_task *task, struct wrap_error *err)
{
    if (!task->cgroup) {
        const struct wrap_cgroup_config config = wrap_task_cgroup_config(task);
        (void)wrap_cgroup_open(&config, &task->cgroup, err);
    }
    return task->cgroup;
}

static void on_memory(uv_poll_t *poll, int status, int events)
{
    struct wrap_task *task = poll->data;
    (void)events;
    if (status != 0) {
        uv_poll_stop(poll);
        return;
    }
    wrap_task_tell_memory(task);
}

void wrap_task_tell_memory(struct wrap_task *task)
{
    if (task->oom_poll && wrap_cgroup_oom_happened(task->cgroup)) {
        wrap_event_oom(task->shim->events, task->id);
    }
}

void wrap_task_watch_memory(struct wrap_task *task)
{
    struct wrap_cgroup *cgroup = wrap_task_cgroup(task, NULL);
    int fd = cgroup ? wrap_cgroup_oom_fd(cgroup) : -1;
    if (fd < 0 || task->oom_poll) {
        return;
    }
    task->oom_poll = calloc(1, sizeof *task->oom_poll);
    if (task->oom_poll && uv_poll_init(task->shim->loop, task->oom_poll, fd) != 0) {
        free(task->oom_poll);
        task->oom_poll = NULL;
    }
    if (task->oom_poll) {
        task->oom_poll->data = task;
        uv_poll_start(task->oom_poll, UV_READABLE | UV_PRIORITIZED, on_memory);
    }
}

void wrap_tell_created(const struct wrap_proc *init)
{
    const struct wrap_task *task = init->task;
    const struct wrap_event_create event = {
        .id = task->id,
        .bundle = task->bundle,
        .rootfs = task->root_mounts,
        .rootfs_count = task->root_mount_count,
        .in = init->in,
        .out = init->out,
        .err = init->err,
        .terminal = init->terminal,
        .pid = init->pid,
    };
    wrap_event_create(task->shim->events, &event);
}

void wrap_set_paused(struct wrap_proc *init, bool pause)
{
    const struct wrap_task *task = init->task;
    init->state = pause ? WRAP_STATE_PAUSED : WRAP_STATE_RUNNING;
    if (pause) {
        wrap_event_paused(task->shim->events, task->id);
    } else {
        wrap_event_resumed(task->shim->events, task->id);
    }
}

bool wrap_task_pause(struct wrap_task *task, bool pause, wrap_step_done done, void *context,
                     struct wrap_error *err)
{
    struct wrap_proc *init = wrap_task_init_proc(task);
    enum wrap_state wanted = pause ? WRAP_STATE_RUNNING : WRAP_STATE_PAUSED;
    if (init->gone || init->state != wanted) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "container %s: not %s", task->id,
                         pause ? "running" : "paused");
    }
    if (!wrap_step_begin(init, done, context, err)) {
        return false;
    }
    bool good = wrap_way_of(task)->pause(init, pause, err);
    if (!good) {
        init->done = NULL;
    }
    return good;
}

bool wrap_task_update(struct wrap_task *task, const char *json, size_t size, wrap_step_done done,
                      void *context, struct wrap_error *err)
{
    struct wrap_proc *init = wrap_task_init_proc(task);
    if (init->gone || init->state == WRAP_STATE_STOPPED) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "container %s: has stopped", task->id);
    }
    if (!wrap_step_begin(init, done, context, err)) {
        return false;
    }
    bool good = wrap_way_of(task)->update(init, json, size, err);
    if (!good) {
        init->done = NULL;
    }
    return good;
}

bool wrap_task_usage(const struct wrap_task *task, wr_usage_t *out)
{
    return task->kind == WRAP_KIND_WASM && task->usage > 0 && wrap_usage_read(task->usage, out);
}
