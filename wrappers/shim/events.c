/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - each event becomes an envelope, and the client's queue keeps their order. */
#include "shim/events.h"

#include "sandbox/container.h"
#include "shim/log.h"
#include "shim/proto/events.pb-c.h"
#include "shim/ttrpc.h"

#include <stdlib.h>
#include <string.h>

/* containerd may be away for as long as an upgrade of it takes. What it has missed after that it
 * finds out with State, as it does for shims that it did not know. */
enum { PATIENCE_MS = 10 * 60 * 1000 };

struct wrap_events {
    struct wrap_ttrpc_client *client; /* NULL: nobody listens */
    uv_timer_t timer;
    char *ns;
    size_t lost;
    bool closing, client_closing;
    unsigned handles; /* open: the timer and the client */
    void (*done)(void *env);
    void *done_env;
};

/* protobuf-c knows no const; it does not write to what it packs. */
static char *text(const char *string) { return (char *)(uintptr_t)(string ? string : ""); }

static Wire__Timestamp timestamp(struct timespec when)
{
    Wire__Timestamp out = WIRE__TIMESTAMP__INIT;
    out.seconds = when.tv_sec;
    out.nanos = (int32_t)when.tv_nsec;
    return out;
}

/* ---------------------------------------------------------------- the end */

static void part_closed(struct wrap_events *events)
{
    if (--events->handles) {
        return;
    }
    void (*done)(void *) = events->done;
    void *env = events->done_env;
    free(events->ns);
    free(events);
    if (done) {
        done(env);
    }
}

static void timer_closed(uv_handle_t *handle) { part_closed(handle->data); }

static void client_closed(void *env) { part_closed(env); }

static void close_now(struct wrap_events *events)
{
    if (events->client_closing) {
        return;
    }
    events->client_closing = true;
    uv_close((uv_handle_t *)&events->timer, timer_closed);
    if (events->client) {
        wrap_ttrpc_client_close(events->client, client_closed, events);
    } else {
        part_closed(events);
    }
}

static void patience_over(uv_timer_t *timer) { close_now(timer->data); }

void wrap_events_close(struct wrap_events *events, unsigned patience_ms, void (*done)(void *env),
                       void *env)
{
    if (events->closing) {
        return;
    }
    events->closing = true;
    events->done = done;
    events->done_env = env;
    if (wrap_events_pending(events) == 0 || patience_ms == 0) {
        close_now(events);
    } else {
        uv_timer_start(&events->timer, patience_over, patience_ms, 0);
    }
}

/* ---------------------------------------------------------------- sending */

/* What containerd has not been told it may wait for; a line for the first ones, then for ever more
 * of them. */
static void lose(struct wrap_events *events, const char *why)
{
    events->lost++;
    if ((events->lost & (events->lost - 1)) == 0) {
        wrap_log(WRAP_LOG_WARNING, NULL, "%zu events are lost for containerd: %s", events->lost,
                 why);
    }
}

static void told(const struct wrap_error *err, void *env)
{
    struct wrap_events *events = env;
    if (err) {
        lose(events, err->text);
    }
    if (events->closing && wrap_events_pending(events) == 0) {
        close_now(events);
    }
}

/* `topic`: behind "/tasks/"; `type`: behind "containerd.events.". */
static void tell(struct wrap_events *events, const char *topic, const char *type,
                 const ProtobufCMessage *message)
{
    static const char service[] = "containerd.services.events.ttrpc.v1.Events";
    if (!events->client || events->closing) {
        return;
    }
    char full_topic[64] = "/tasks/";
    char full_type[64] = "containerd.events.";
    strncat(full_topic, topic, sizeof full_topic - strlen(full_topic) - 1);
    strncat(full_type, type, sizeof full_type - strlen(full_type) - 1);
    Events__ForwardRequest request = EVENTS__FORWARD_REQUEST__INIT;
    Events__Envelope envelope = EVENTS__ENVELOPE__INIT;
    Wire__Any event = WIRE__ANY__INIT;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Wire__Timestamp when = timestamp(now);
    event.type_url = full_type;
    event.value.data = malloc(protobuf_c_message_get_packed_size(message) + 1);
    if (!event.value.data) {
        lose(events, "out of memory");
        return;
    }
    event.value.len = protobuf_c_message_pack(message, event.value.data);
    envelope.timestamp = &when;
    envelope.namespace_ = events->ns;
    envelope.topic = full_topic;
    envelope.event = &event;
    request.envelope = &envelope;
    if (!wrap_ttrpc_client_send(events->client, service, "Forward", &request.base, PATIENCE_MS,
                                told, events)) {
        lose(events, "not sent");
    }
    free(event.value.data);
}

/* ---------------------------------------------------------------- events */

static Wire__Mount *make_mount(const struct wrap_root_mount *mount)
{
    Wire__Mount *out = malloc(sizeof *out);
    if (!out) {
        return NULL;
    }
    wire__mount__init(out);
    out->type = text(mount->type);
    out->source = text(mount->source);
    out->target = text(mount->target);
    out->n_options = mount->options.count;
    out->options = (char **)(uintptr_t)mount->options.items;
    return out;
}

void wrap_event_create(struct wrap_events *events, const struct wrap_event_create *what)
{
    Events__TaskCreate message = EVENTS__TASK_CREATE__INIT;
    Events__TaskIO io = EVENTS__TASK_IO__INIT;
    io.stdin = text(what->in);
    io.stdout = text(what->out);
    io.stderr = text(what->err);
    io.terminal = what->terminal;
    message.container_id = text(what->id);
    message.bundle = text(what->bundle);
    message.io = &io;
    message.pid = (uint32_t)what->pid;
    message.rootfs = calloc(what->rootfs_count + 1, sizeof *message.rootfs);
    for (size_t i = 0; message.rootfs && i < what->rootfs_count; i++) {
        Wire__Mount *mount = make_mount(&what->rootfs[i]);
        if (mount) message.rootfs[message.n_rootfs++] = mount;
    }
    tell(events, "create", "TaskCreate", &message.base);
    for (size_t i = 0; i < message.n_rootfs; i++) {
        free(message.rootfs[i]);
    }
    free(message.rootfs);
}

void wrap_event_start(struct wrap_events *events, const char *id, pid_t pid)
{
    Events__TaskStart message = EVENTS__TASK_START__INIT;
    message.container_id = text(id);
    message.pid = (uint32_t)pid;
    tell(events, "start", "TaskStart", &message.base);
}

void wrap_event_exit(struct wrap_events *events, const char *id, const char *process, pid_t pid,
                     uint32_t status, struct timespec when)
{
    Events__TaskExit message = EVENTS__TASK_EXIT__INIT;
    Wire__Timestamp exited = timestamp(when);
    message.container_id = text(id);
    message.id = text(process);
    message.pid = (uint32_t)pid;
    message.exit_status = status;
    message.exited_at = &exited;
    tell(events, "exit", "TaskExit", &message.base);
}

void wrap_event_delete(struct wrap_events *events, const char *id, const char *exec_id, pid_t pid,
                       uint32_t status, struct timespec when)
{
    Events__TaskDelete message = EVENTS__TASK_DELETE__INIT;
    Wire__Timestamp exited = timestamp(when);
    message.container_id = text(id);
    message.id = text(exec_id);
    message.pid = (uint32_t)pid;
    message.exit_status = status;
    message.exited_at = &exited;
    tell(events, "delete", "TaskDelete", &message.base);
}

void wrap_event_exec_added(struct wrap_events *events, const char *id, const char *exec_id)
{
    Events__TaskExecAdded message = EVENTS__TASK_EXEC_ADDED__INIT;
    message.container_id = text(id);
    message.exec_id = text(exec_id);
    tell(events, "exec-added", "TaskExecAdded", &message.base);
}

void wrap_event_exec_started(struct wrap_events *events, const char *id, const char *exec_id,
                             pid_t pid)
{
    Events__TaskExecStarted message = EVENTS__TASK_EXEC_STARTED__INIT;
    message.container_id = text(id);
    message.exec_id = text(exec_id);
    message.pid = (uint32_t)pid;
    tell(events, "exec-started", "TaskExecStarted", &message.base);
}

static void tell_id(struct wrap_events *events, const char *topic, const char *type, const char *id)
{
    Events__TaskId message = EVENTS__TASK_ID__INIT;
    message.container_id = text(id);
    tell(events, topic, type, &message.base);
}

void wrap_event_oom(struct wrap_events *events, const char *id)
{
    tell_id(events, "oom", "TaskOOM", id);
}

void wrap_event_paused(struct wrap_events *events, const char *id)
{
    tell_id(events, "paused", "TaskPaused", id);
}

void wrap_event_resumed(struct wrap_events *events, const char *id)
{
    tell_id(events, "resumed", "TaskResumed", id);
}

/* ---------------------------------------------------------------- the whole */

size_t wrap_events_pending(const struct wrap_events *events)
{
    return events->client ? wrap_ttrpc_client_pending(events->client) : 0;
}

size_t wrap_events_lost(const struct wrap_events *events) { return events->lost; }

bool wrap_events_new(uv_loop_t *loop, const char *address, const char *ns, struct wrap_events **out,
                     struct wrap_error *err)
{
    struct wrap_events *events = calloc(1, sizeof *events);
    char *name = strdup(ns);
    if (!events || !name) {
        free(events);
        free(name);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for events");
    }
    if (address && *address && !wrap_ttrpc_client_new(loop, address, &events->client, err)) {
        free(events);
        free(name);
        return false;
    }
    events->ns = name;
    events->handles = 2;
    uv_timer_init(loop, &events->timer);
    events->timer.data = events;
    *out = events;
    return true;
}
