/* SPDX-License-Identifier: Apache-2.0 */
/* service.c - the Task service: messages in, steps of task.h, messages out. */
#include "shim/service.h"

#include "shim/answers.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/task.pb-c.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct wrap_ttrpc_call call_t;

/* The end of steps that are answered with nothing, or with a pid. */
static void on_done(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    (void)proc;
    if (err) {
        wrap_ttrpc_refuse(context, err);
    } else {
        wrap_reply_empty(context);
    }
}

/* The process that a request is about; NULL: it has been refused. */
static struct wrap_proc *find(call_t *call, struct wrap_shim *shim, const char *id,
                              const char *exec_id)
{
    struct wrap_error err = {0};
    struct wrap_task *task = wrap_task_find(shim, id, &err);
    struct wrap_proc *proc = task ? wrap_task_proc(task, exec_id, &err) : NULL;
    if (!proc) {
        wrap_ttrpc_refuse(call, &err);
    }
    return proc;
}

/* ---------------------------------------------------------------- Create */

static void on_created(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    struct wrap_task *task = proc->task;
    wrap_span_text(task->making, "wasmrun.kind",
                   task->kind == WRAP_KIND_LINUX   ? "linux"
                   : task->kind == WRAP_KIND_PAUSE ? "pause"
                                                   : "wasm");
    wrap_span_end(task->making, err);
    task->making = NULL;
    if (err) {
        wrap_ttrpc_refuse(context, err);
        return;
    }
    Task__CreateTaskResponse response = TASK__CREATE_TASK_RESPONSE__INIT;
    response.pid = (uint32_t)proc->pid;
    wrap_ttrpc_reply(context, &response.base);
}

static void create(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__CreateTaskRequest *request = (const Task__CreateTaskRequest *)message;
    struct wrap_shim *shim = env;
    struct wrap_error err = {0};
    struct wrap_task_options options = {0};
    struct wrap_root_mount *mounts = NULL;
    bool good = wrap_options_of(request->options, &options, &err) &&
                wrap_mounts_read(request->rootfs, request->n_rootfs, &mounts, &err);
    if (good && request->checkpoint[0]) {
        good = wrap_fail(&err, WRAP_UNIMPLEMENTED, "checkpoints are not supported");
    }
    if (good) {
        const struct wrap_task_create config = {
            .id = request->id,
            .bundle = request->bundle,
            .root_mounts = mounts,
            .root_mount_count = request->n_rootfs,
            .terminal = request->terminal,
            .in = request->stdin,
            .out = request->stdout,
            .err = request->stderr,
            .options = &options,
            .traceparent = wrap_ttrpc_metadata(call, "traceparent"),
            .tracestate = wrap_ttrpc_metadata(call, "tracestate"),
            .span = wrap_ttrpc_span(call),
        };
        good = wrap_task_create(shim, &config, on_created, call, &err);
    }
    if (!good) {
        wrap_ttrpc_refuse(call, &err);
    }
    free(mounts);
    wrap_options_free(&options);
}

/* ---------------------------------------------------------------- Start, Delete, Wait, State */

static void on_started(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    if (err) {
        wrap_ttrpc_refuse(context, err);
        return;
    }
    Task__StartResponse response = TASK__START_RESPONSE__INIT;
    response.pid = (uint32_t)proc->pid;
    wrap_ttrpc_reply(context, &response.base);
}

static void start(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__StartRequest *request = (const Task__StartRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (proc && !wrap_proc_start(proc, on_started, call, &err)) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void on_deleted(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    if (err) {
        wrap_ttrpc_refuse(context, err);
        return;
    }
    Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
    Wire__Timestamp when = wrap_timestamp(proc->exited_at);
    response.pid = (uint32_t)proc->pid;
    response.exit_status = proc->exit_status;
    response.exited_at = &when;
    wrap_ttrpc_reply(context, &response.base);
}

static void delete_task(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__DeleteRequest *request = (const Task__DeleteRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (proc && !wrap_proc_delete(proc, false, on_deleted, call, &err)) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void on_waited(struct wrap_proc *proc, void *context)
{
    Task__WaitResponse response = TASK__WAIT_RESPONSE__INIT;
    Wire__Timestamp when = wrap_timestamp(proc->exited_at);
    response.exit_status = proc->exit_status;
    response.exited_at = &when;
    wrap_ttrpc_reply(context, &response.base);
}

static void wait_for(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__WaitRequest *request = (const Task__WaitRequest *)message;
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (!proc) {
        return;
    }
    struct wrap_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        const struct wrap_error err = {WRAP_RESOURCE_EXHAUSTED, "out of memory"};
        wrap_ttrpc_refuse(call, &err);
        return;
    }
    waiter->ended = on_waited;
    waiter->context = call;
    wrap_proc_wait(proc, waiter);
}

static Task__Status status_of(const struct wrap_proc *proc)
{
    switch (proc->state) {
    case WRAP_STATE_NEW:
    case WRAP_STATE_CREATED: return TASK__STATUS__CREATED;
    case WRAP_STATE_RUNNING:
        return proc->task->processes->state == WRAP_STATE_PAUSED ? TASK__STATUS__PAUSED
                                                                 : TASK__STATUS__RUNNING;
    case WRAP_STATE_PAUSED: return TASK__STATUS__PAUSED;
    case WRAP_STATE_STOPPED: return TASK__STATUS__STOPPED;
    }
    return TASK__STATUS__UNKNOWN;
}

static void state(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__StateRequest *request = (const Task__StateRequest *)message;
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (!proc) {
        return;
    }
    Task__StateResponse response = TASK__STATE_RESPONSE__INIT;
    Wire__Timestamp when = wrap_timestamp(proc->exited_at);
    response.id = proc->task->id;
    response.bundle = proc->task->bundle;
    response.pid = (uint32_t)proc->pid;
    response.status = status_of(proc);
    response.stdin = proc->in;
    response.stdout = proc->out;
    response.stderr = proc->err;
    response.terminal = proc->terminal;
    response.exec_id = proc->exec_id;
    if (proc->state == WRAP_STATE_STOPPED) {
        response.exit_status = proc->exit_status;
        response.exited_at = &when;
    }
    wrap_ttrpc_reply(call, &response.base);
}

/* ---------------------------------------------------------------- Exec, Kill, streams */

static void exec(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__ExecProcessRequest *request = (const Task__ExecProcessRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *init = find(call, env, request->id, NULL);
    if (!init) {
        return;
    }
    const struct wrap_exec_config config = {
        .exec_id = request->exec_id,
        .process_json = request->spec ? (const char *)request->spec->value.data : "",
        .process_json_size = request->spec ? request->spec->value.len : 0,
        .terminal = request->terminal,
        .in = request->stdin,
        .out = request->stdout,
        .err = request->stderr,
    };
    if (wrap_task_exec(init->task, &config, &err)) {
        wrap_reply_empty(call);
    } else {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void kill_process(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__KillRequest *request = (const Task__KillRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (!proc) {
        return;
    }
    int number = request->signal > INT32_MAX ? -1 : (int)request->signal;
    if (wrap_proc_kill(proc, number, request->all, &err)) {
        wrap_reply_empty(call);
    } else {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void resize(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__ResizePtyRequest *request = (const Task__ResizePtyRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (!proc) {
        return;
    }
    proc->streams.terminal = proc->terminal;
    if (wrap_streams_resize(&proc->streams, request->height, request->width, &err)) {
        wrap_reply_empty(call);
    } else {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void close_io(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__CloseIORequest *request = (const Task__CloseIORequest *)message;
    struct wrap_proc *proc = find(call, env, request->id, request->exec_id);
    if (proc) {
        if (request->stdin) {
            proc->input_closed = true;
            wrap_streams_close_input(&proc->streams);
        }
        wrap_reply_empty(call);
    }
}

/* ---------------------------------------------------------------- Pause, Update, figures */

static void pause_task(call_t *call, const char *id, void *env, bool pause)
{
    struct wrap_error err = {0};
    struct wrap_proc *init = find(call, env, id, NULL);
    if (init && !wrap_task_pause(init->task, pause, on_done, call, &err)) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void pause_request(call_t *call, const ProtobufCMessage *message, void *env)
{
    pause_task(call, ((const Task__IdRequest *)message)->id, env, true);
}

static void resume_request(call_t *call, const ProtobufCMessage *message, void *env)
{
    pause_task(call, ((const Task__IdRequest *)message)->id, env, false);
}

static void update(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__UpdateTaskRequest *request = (const Task__UpdateTaskRequest *)message;
    struct wrap_error err = {0};
    struct wrap_proc *init = find(call, env, request->id, NULL);
    if (!init) {
        return;
    }
    bool good =
        request->resources || wrap_fail(&err, WRAP_INVALID_ARGUMENT, "no resources are given");
    good = good && wrap_task_update(init->task, (const char *)request->resources->value.data,
                                    request->resources->value.len, on_done, call, &err);
    if (!good) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static const char *exec_id_of(const struct wrap_task *task, pid_t pid)
{
    for (const struct wrap_proc *proc = task->processes->next; proc; proc = proc->next) {
        if (proc->pid == pid && !proc->gone) {
            return proc->exec_id;
        }
    }
    return NULL;
}

/* ProcessInfo for each pid, with the exec id of those that Exec has made. */
static bool fill_pids(const struct wrap_task *task, const pid_t *pids, size_t count,
                      Task__PidsResponse *response)
{
    Task__ProcessInfo *infos = calloc(count + 1, sizeof infos[0]);
    Task__ProcessInfo **list = calloc(count + 1, sizeof(Task__ProcessInfo *));
    Wire__Any *anys = calloc(count + 1, sizeof anys[0]);
    response->processes = list;
    if (!infos || !list || !anys) {
        free(infos);
        free(anys);
        return false;
    }
    list[count] = infos; /* kept behind the end for the freeing */
    infos[count].info = anys;
    for (size_t i = 0; i < count; i++) {
        const char *exec_id = exec_id_of(task, pids[i]);
        task__process_info__init(&infos[i]);
        infos[i].pid = (uint32_t)pids[i];
        list[i] = &infos[i];
        if (exec_id) {
            Options__ProcessDetails details = OPTIONS__PROCESS_DETAILS__INIT;
            wire__any__init(&anys[i]);
            details.exec_id = (char *)exec_id;
            anys[i].type_url = (char *)"containerd.runc.v1.ProcessDetails";
            anys[i].value.data = malloc(options__process_details__get_packed_size(&details) + 1);
            if (anys[i].value.data) {
                anys[i].value.len = options__process_details__pack(&details, anys[i].value.data);
                infos[i].info = &anys[i];
            }
        }
    }
    response->n_processes = count;
    return true;
}

static void free_pids(Task__PidsResponse *response)
{
    size_t count = response->n_processes;
    Task__ProcessInfo *infos = response->processes[count];
    Wire__Any *anys = infos[count].info;
    for (size_t i = 0; i < count; i++) {
        free(anys[i].value.data);
    }
    free(anys);
    free(infos);
    free(response->processes);
}

static void pids(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    struct wrap_proc *init = find(call, env, ((const Task__IdRequest *)message)->id, NULL);
    if (!init) {
        return;
    }
    pid_t *list = NULL;
    size_t count = 0;
    Task__PidsResponse response = TASK__PIDS_RESPONSE__INIT;
    struct wrap_cgroup *cgroup = wrap_task_cgroup(init->task, &err);
    bool good = cgroup && wrap_cgroup_pids(cgroup, &list, &count, &err);
    if (good && !fill_pids(init->task, list, count, &response)) {
        free(response.processes);
        good = wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (good) {
        wrap_ttrpc_reply(call, &response.base);
        free_pids(&response);
    } else {
        wrap_ttrpc_refuse(call, &err);
    }
    free(list);
}

static void stats(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    struct wrap_proc *init = find(call, env, ((const Task__IdRequest *)message)->id, NULL);
    if (!init) {
        return;
    }
    Task__StatsResponse response = TASK__STATS_RESPONSE__INIT;
    Wire__Any any;
    if (!wrap_metrics_of(init->task, &any, &err)) {
        wrap_ttrpc_refuse(call, &err);
        return;
    }
    response.stats = &any;
    wrap_ttrpc_reply(call, &response.base);
    free(any.value.data);
}

/* Answered for a container that is not there, too: containerd asks when it finds the shim again. */
static void connect_request(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_task *task = wrap_task_find(env, ((const Task__IdRequest *)message)->id, NULL);
    const struct wrap_proc *init = task ? wrap_task_proc(task, NULL, NULL) : NULL;
    Task__ConnectResponse response = TASK__CONNECT_RESPONSE__INIT;
    response.shim_pid = (uint32_t)getpid();
    response.task_pid = init ? (uint32_t)init->pid : 0;
    wrap_ttrpc_reply(call, &response.base);
}

static void checkpoint(call_t *call, const ProtobufCMessage *message, void *env)
{
    const struct wrap_error err = {WRAP_UNIMPLEMENTED, "checkpoints are not supported"};
    (void)message;
    (void)env;
    wrap_ttrpc_refuse(call, &err);
}

static void shut_down(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Task__ShutdownRequest *request = (const Task__ShutdownRequest *)message;
    struct wrap_shim *shim = env;
    wrap_reply_empty(call);
    if (!shim->tasks || request->now) {
        shim->shut_down(shim);
    }
}

#define METHOD(name, request, handler) {name, &task__##request##__descriptor, handler}
const struct wrap_ttrpc_method wrap_task_methods[] = {
    METHOD("State", state_request, state),
    METHOD("Create", create_task_request, create),
    METHOD("Start", start_request, start),
    METHOD("Delete", delete_request, delete_task),
    METHOD("Pids", id_request, pids),
    METHOD("Pause", id_request, pause_request),
    METHOD("Resume", id_request, resume_request),
    METHOD("Checkpoint", id_request, checkpoint),
    METHOD("Kill", kill_request, kill_process),
    METHOD("Exec", exec_process_request, exec),
    METHOD("ResizePty", resize_pty_request, resize),
    METHOD("CloseIO", close_iorequest, close_io),
    METHOD("Update", update_task_request, update),
    METHOD("Wait", wait_request, wait_for),
    METHOD("Stats", id_request, stats),
    METHOD("Connect", id_request, connect_request),
    METHOD("Shutdown", shutdown_request, shut_down),
};
const size_t wrap_task_method_count = sizeof wrap_task_methods / sizeof wrap_task_methods[0];
