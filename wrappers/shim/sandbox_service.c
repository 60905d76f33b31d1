/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_service.c - the Sandbox service of shims that answer version 3: a pod's sandbox is a task
 * like others, the one that its containers join.
 */
#include "shim/service.h"

#include "shim/answers.h"
#include "shim/proto/sandbox.pb-c.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

typedef struct wrap_ttrpc_call call_t;

enum { DEFAULT_STOP_S = 10 };

/* One sandbox a shim; what a task does not know of it. */
static struct {
    char id[129];
    struct timespec created_at;
    bool known;
} sandbox;

/* The sandbox's process; NULL: refused. */
static struct wrap_proc *find(call_t *call, struct wrap_shim *shim, const char *id)
{
    struct wrap_error err = {0};
    struct wrap_task *task = wrap_task_find(shim, id, &err);
    if (!task) {
        wrap_ttrpc_refuse(call, &err);
        return NULL;
    }
    return task->processes;
}

/* ---------------------------------------------------------------- CreateSandbox */

static void on_created(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    (void)proc;
    if (err) {
        sandbox.known = false;
        wrap_ttrpc_refuse(context, err);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &sandbox.created_at);
    wrap_reply_empty(context);
}

static bool create(call_t *call, const Sandbox__CreateSandboxRequest *request,
                   struct wrap_shim *shim, struct wrap_error *err)
{
    struct wrap_task_options options = {0};
    struct wrap_root_mount *mounts = NULL;
    bool good = wrap_options_of(request->options, &options, err) &&
                wrap_mounts_read(request->rootfs, request->n_rootfs, &mounts, err);
    const struct wrap_task_create config = {
        .id = request->sandbox_id,
        .bundle = request->bundle_path,
        .root_mounts = mounts,
        .root_mount_count = request->n_rootfs,
        .in = "",
        .out = "",
        .err = "",
        .options = &options,
    };
    good = good && wrap_task_create(shim, &config, on_created, call, err);
    free(mounts);
    wrap_options_free(&options);
    return good;
}

static void create_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Sandbox__CreateSandboxRequest *request = (const Sandbox__CreateSandboxRequest *)message;
    struct wrap_error err = {0};
    if (sandbox.known && wrap_task_find(env, sandbox.id, NULL)) {
        wrap_fail(&err, WRAP_ALREADY_EXISTS, "this shim serves sandbox %s", sandbox.id);
        wrap_ttrpc_refuse(call, &err);
    } else if (create(call, request, env, &err)) {
        strcpy(sandbox.id, request->sandbox_id); /* its length is checked (wrap_id_is_good) */
        sandbox.known = true;
    } else {
        wrap_ttrpc_refuse(call, &err);
    }
}

/* ---------------------------------------------------------------- its life */

static void on_started(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    if (err) {
        wrap_ttrpc_refuse(context, err);
        return;
    }
    Sandbox__StartSandboxResponse response = SANDBOX__START_SANDBOX_RESPONSE__INIT;
    Wire__Timestamp when = wrap_timestamp(sandbox.created_at);
    response.pid = (uint32_t)proc->pid;
    response.created_at = &when;
    wrap_ttrpc_reply(context, &response.base);
}

static void start_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    struct wrap_proc *proc =
        find(call, env, ((const Sandbox__SandboxRequest *)message)->sandbox_id);
    if (proc && !wrap_proc_start(proc, on_started, call, &err)) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void platform(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct utsname names;
    Sandbox__PlatformResponse response = SANDBOX__PLATFORM_RESPONSE__INIT;
    Sandbox__Platform host = SANDBOX__PLATFORM__INIT;
    (void)message;
    (void)env;
    bool arm = uname(&names) == 0 && strcmp(names.machine, "aarch64") == 0;
    host.os = (char *)"linux";
    host.architecture = (char *)(arm ? "arm64" : "amd64"); /* as Go names them */
    response.platform = &host;
    wrap_ttrpc_reply(call, &response.base);
}

/* A sandbox that is asked to stop; it is killed when it has not in time. */
struct stop {
    uv_timer_t timer;
    struct wrap_shim *shim;
    call_t *call;
    char id[129];
};

static void on_stop_closed(uv_handle_t *handle) { free(handle->data); }

static void on_stopped(struct wrap_proc *proc, void *context)
{
    struct stop *stop = context;
    (void)proc;
    wrap_reply_empty(stop->call);
    uv_timer_stop(&stop->timer);
    uv_close((uv_handle_t *)&stop->timer, on_stop_closed);
}

static void on_stop_timeout(uv_timer_t *timer)
{
    struct stop *stop = timer->data;
    struct wrap_task *task = wrap_task_find(stop->shim, stop->id, NULL);
    if (task) {
        (void)wrap_proc_kill(task->processes, SIGKILL, true, NULL);
    }
}

static void stop_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Sandbox__StopSandboxRequest *request = (const Sandbox__StopSandboxRequest *)message;
    struct wrap_shim *shim = env;
    struct wrap_proc *proc = find(call, shim, request->sandbox_id);
    if (!proc) {
        return;
    }
    struct stop *stop = calloc(1, sizeof *stop);
    struct wrap_waiter *waiter = calloc(1, sizeof *waiter);
    if (!stop || !waiter || uv_timer_init(shim->loop, &stop->timer) != 0) {
        const struct wrap_error err = {WRAP_RESOURCE_EXHAUSTED, "out of memory"};
        free(stop);
        free(waiter);
        wrap_ttrpc_refuse(call, &err);
        return;
    }
    unsigned seconds = request->timeout_secs ? request->timeout_secs : DEFAULT_STOP_S;
    stop->shim = shim;
    stop->call = call;
    stop->timer.data = stop;
    strcpy(stop->id, proc->task->id);
    uv_timer_start(&stop->timer, on_stop_timeout, (uint64_t)seconds * 1000, 0);
    waiter->ended = on_stopped;
    waiter->context = stop;
    (void)wrap_proc_kill(proc, SIGTERM, false, NULL); /* an error: it has stopped */
    wrap_proc_wait(proc, waiter);
}

static void on_waited(struct wrap_proc *proc, void *context)
{
    Sandbox__WaitSandboxResponse response = SANDBOX__WAIT_SANDBOX_RESPONSE__INIT;
    Wire__Timestamp when = wrap_timestamp(proc->exited_at);
    response.exit_status = proc->exit_status;
    response.exited_at = &when;
    wrap_ttrpc_reply(context, &response.base);
}

static void wait_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_proc *proc =
        find(call, env, ((const Sandbox__SandboxRequest *)message)->sandbox_id);
    struct wrap_waiter *waiter = proc ? calloc(1, sizeof *waiter) : NULL;
    if (proc && !waiter) {
        const struct wrap_error err = {WRAP_RESOURCE_EXHAUSTED, "out of memory"};
        wrap_ttrpc_refuse(call, &err);
    }
    if (waiter) {
        waiter->ended = on_waited;
        waiter->context = call;
        wrap_proc_wait(proc, waiter);
    }
}

static void sandbox_status(call_t *call, const ProtobufCMessage *message, void *env)
{
    const Sandbox__SandboxStatusRequest *request = (const Sandbox__SandboxStatusRequest *)message;
    struct wrap_proc *proc = find(call, env, request->sandbox_id);
    if (!proc) {
        return;
    }
    Sandbox__SandboxStatusResponse response = SANDBOX__SANDBOX_STATUS_RESPONSE__INIT;
    Wire__Timestamp created = wrap_timestamp(sandbox.created_at);
    Wire__Timestamp exited = wrap_timestamp(proc->exited_at);
    bool running = proc->state == WRAP_STATE_RUNNING;
    response.sandbox_id = request->sandbox_id;
    response.pid = (uint32_t)proc->pid;
    response.state = (char *)(running ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
    response.created_at = &created;
    if (proc->state == WRAP_STATE_STOPPED) {
        response.exited_at = &exited;
    }
    wrap_ttrpc_reply(call, &response.base);
}

static void ping_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    if (find(call, env, ((const Sandbox__SandboxRequest *)message)->sandbox_id)) {
        wrap_reply_empty(call);
    }
}

/* ---------------------------------------------------------------- its end */

static void on_gone(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    struct wrap_shim *shim = proc->task->shim;
    if (err) {
        wrap_ttrpc_refuse(context, err);
        return;
    }
    sandbox.known = false;
    wrap_reply_empty(context);
    shim->shut_down(shim);
}

static void shut_down_sandbox(call_t *call, const ProtobufCMessage *message, void *env)
{
    const char *id = ((const Sandbox__SandboxRequest *)message)->sandbox_id;
    struct wrap_shim *shim = env;
    struct wrap_error err = {0};
    struct wrap_task *task = wrap_task_find(shim, id, NULL);
    if (!task) { /* it never was, or it is gone */
        wrap_reply_empty(call);
        shim->shut_down(shim);
        return;
    }
    if (!wrap_proc_delete(task->processes, true, on_gone, call, &err)) {
        wrap_ttrpc_refuse(call, &err);
    }
}

static void sandbox_metrics(call_t *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    struct wrap_proc *proc =
        find(call, env, ((const Sandbox__SandboxRequest *)message)->sandbox_id);
    Wire__Any any;
    if (!proc) {
        return;
    }
    if (!wrap_metrics_of(proc->task, &any, &err)) {
        wrap_ttrpc_refuse(call, &err);
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Sandbox__SandboxMetricsResponse response = SANDBOX__SANDBOX_METRICS_RESPONSE__INIT;
    Sandbox__Metric metric = SANDBOX__METRIC__INIT;
    Wire__Timestamp when = wrap_timestamp(now);
    metric.timestamp = &when;
    metric.id = proc->task->id;
    metric.data = &any;
    response.metrics = &metric;
    wrap_ttrpc_reply(call, &response.base);
    free(any.value.data);
}

#define METHOD(name, request, handler) {name, &sandbox__##request##__descriptor, handler}
const struct wrap_ttrpc_method wrap_sandbox_methods[] = {
    METHOD("CreateSandbox", create_sandbox_request, create_sandbox),
    METHOD("StartSandbox", sandbox_request, start_sandbox),
    METHOD("Platform", sandbox_request, platform),
    METHOD("StopSandbox", stop_sandbox_request, stop_sandbox),
    METHOD("WaitSandbox", sandbox_request, wait_sandbox),
    METHOD("SandboxStatus", sandbox_status_request, sandbox_status),
    METHOD("PingSandbox", sandbox_request, ping_sandbox),
    METHOD("ShutdownSandbox", sandbox_request, shut_down_sandbox),
    METHOD("SandboxMetrics", sandbox_request, sandbox_metrics),
};
const size_t wrap_sandbox_method_count =
    sizeof wrap_sandbox_methods / sizeof wrap_sandbox_methods[0];
