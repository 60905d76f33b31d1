/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttrpc_client.c - the client's half of ttrpc.h. One request at a time is on its way, the first of
 * the queue; it stays there until it is answered or its time is over, and is sent again when the
 * connection was lost meanwhile: the other side may see it twice, never out of order.
 */
#include "shim/ttrpc.h"

#include "shim/frames.h"
#include "shim/proto/ttrpc.pb-c.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum {
    QUEUE_MAX = 4096,
    QUEUE_BYTES_MAX = 4 << 20,
    RETRY_MIN_MS = 20,
    RETRY_MAX_MS = 1000,
    READ_SIZE = 512, /* answers of events are empty */
};

struct request {
    struct request *next;
    uint64_t deadline; /* of uv_now, ms */
    void (*done)(const struct wrap_error *err, void *env);
    void *env;
    const char *service, *method; /* behind `payload` */
    size_t size;                  /* of `payload` */
    size_t cost;                  /* all of this */
    uint8_t payload[];
};

/* One attempt to reach the other side; outlives the client's interest in it until it is closed. */
struct link {
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct wrap_ttrpc_client *client; /* NULL: given up */
    struct wrap_frames frames;
    uint32_t stream; /* of the request that waits for its answer; 0: none does */
    uint32_t next_stream;
    bool connected;
};

struct output {
    uv_write_t request;
    uint8_t bytes[];
};

struct wrap_ttrpc_client {
    uv_loop_t *loop;
    uv_timer_t retry, deadline;
    struct link *link; /* NULL: not connected, nor about to be */
    struct request *first, **last;
    size_t count, bytes;
    uint64_t next_deadline; /* none in the queue is earlier */
    unsigned retry_ms;
    unsigned handles; /* open: two timers and links */
    bool closing;
    void (*done)(void *env);
    void *done_env;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static void pump(struct wrap_ttrpc_client *client);

/* ---------------------------------------------------------------- the queue */

/* Takes the request behind `at` out of the queue and ends it. */
static void end_request(struct wrap_ttrpc_client *client, struct request **at,
                        const struct wrap_error *err)
{
    struct request *request = *at;
    *at = request->next;
    if (!request->next) {
        client->last = at;
    }
    client->count--;
    client->bytes -= request->cost;
    if (request->done) {
        request->done(err, request->env);
    }
    free(request);
}

/* Makes room by giving up the oldest that is not on its way. */
static void drop_oldest(struct wrap_ttrpc_client *client)
{
    struct wrap_error err = {0};
    bool sending = client->link && client->link->stream;
    struct request **at = sending ? &client->first->next : &client->first;
    wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "too many requests wait for %s", client->path);
    if (*at) {
        end_request(client, at, &err);
    }
}

static void wait_for_deadline(struct wrap_ttrpc_client *client);

/* ---------------------------------------------------------------- the connection */

static void finish(struct wrap_ttrpc_client *client)
{
    if (!client->closing || client->handles) {
        return;
    }
    void (*done)(void *) = client->done;
    void *env = client->done_env;
    free(client);
    if (done) {
        done(env);
    }
}

static void link_gone(uv_handle_t *handle)
{
    struct link *link = handle->data;
    struct wrap_ttrpc_client *client = link->client;
    wrap_frames_fini(&link->frames);
    free(link);
    client->handles--;
    finish(client);
}

static void drop_link(struct wrap_ttrpc_client *client)
{
    if (client->link) {
        uv_close((uv_handle_t *)&client->link->pipe, link_gone);
        client->link = NULL;
    }
}

static void retry_now(uv_timer_t *timer) { pump(timer->data); }

/* The other side is away: again later, when there is something to say. */
static void lose_link(struct wrap_ttrpc_client *client)
{
    drop_link(client);
    if (!client->closing && client->first) {
        uv_timer_start(&client->retry, retry_now, client->retry_ms, 0);
        client->retry_ms =
            client->retry_ms * 2 < RETRY_MAX_MS ? client->retry_ms * 2 : RETRY_MAX_MS;
    }
}

static bool is_current(const struct link *link) { return link->client->link == link; }

static void take_answer(struct link *link, const struct wrap_frame *frame)
{
    struct wrap_ttrpc_client *client = link->client;
    if (frame->type != WRAP_FRAME_RESPONSE || frame->stream != link->stream || !link->stream) {
        return;
    }
    struct wrap_error err = {0};
    ProtobufCMessage *message =
        frame->data ? wrap_message_unpack(&ttrpc__response__descriptor, frame->data, frame->size)
                    : NULL;
    const Ttrpc__Response *response = (const Ttrpc__Response *)message;
    if (!response) {
        wrap_fail(&err, WRAP_INTERNAL, "the answer of %s is malformed", client->path);
    } else if (response->status && response->status->code != 0) {
        wrap_fail(&err, (enum wrap_code)response->status->code, "%s", response->status->message);
    }
    wrap_message_free(message);
    link->stream = 0;
    client->retry_ms = RETRY_MIN_MS;
    end_request(client, &client->first, err.code ? &err : NULL);
}

static void provide(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    static char bytes[READ_SIZE];
    *out = uv_buf_init(bytes, sizeof bytes);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct link *link = stream->data;
    struct wrap_ttrpc_client *client = link->client;
    if (size < 0 || !wrap_frames_add(&link->frames, buffer->base, (size_t)size)) {
        lose_link(client);
        return;
    }
    struct wrap_frame frame;
    while (is_current(link) && wrap_frames_next(&link->frames, &frame)) {
        take_answer(link, &frame);
    }
    pump(client);
}

static void connected(uv_connect_t *request, int status)
{
    struct link *link = request->data;
    if (!is_current(link)) {
        return;
    }
    if (status != 0 || uv_read_start((uv_stream_t *)&link->pipe, provide, received) != 0) {
        lose_link(link->client);
        return;
    }
    link->connected = true;
    pump(link->client);
}

static void start_link(struct wrap_ttrpc_client *client)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link) {
        lose_link(client); /* no memory: later */
        return;
    }
    uv_pipe_init(client->loop, &link->pipe, 0);
    link->pipe.data = link;
    link->connect.data = link;
    link->client = client;
    link->next_stream = 1;
    client->handles++;
    client->link = link;
    uv_pipe_connect(&link->connect, &link->pipe, client->path, connected);
}

/* ---------------------------------------------------------------- requests */

static void written(uv_write_t *write, int status)
{
    (void)status; /* a connection that is lost ends reading as well */
    free(write->data);
}

/* The frame for the first request of the queue; NULL: no memory. */
static struct output *make_output(const struct wrap_ttrpc_client *client, uint32_t stream,
                                  size_t *size)
{
    struct request *first = client->first;
    uint64_t now = uv_now(client->loop);
    Ttrpc__Request request = TTRPC__REQUEST__INIT;
    request.service = (char *)(uintptr_t)first->service; /* protobuf-c knows no const */
    request.method = (char *)(uintptr_t)first->method;
    request.payload.data = first->payload;
    request.payload.len = first->size;
    request.timeout_nano = (int64_t)(first->deadline > now ? first->deadline - now : 1) * 1000000;
    struct wrap_frame frame = {.stream = stream, .type = WRAP_FRAME_REQUEST};
    frame.size = (uint32_t)ttrpc__request__get_packed_size(&request);
    *size = WRAP_FRAME_HEADER + (size_t)frame.size;
    struct output *output = malloc(sizeof *output + *size);
    if (output) {
        wrap_frame_header(&frame, output->bytes);
        ttrpc__request__pack(&request, output->bytes + WRAP_FRAME_HEADER);
    }
    return output;
}

static void send_first(struct wrap_ttrpc_client *client)
{
    if (client->link->next_stream == UINT32_MAX) { /* a connection has each id only once */
        drop_link(client);
        start_link(client);
        return;
    }
    struct link *link = client->link;
    size_t size;
    struct output *output = make_output(client, link->next_stream, &size);
    if (!output) {
        lose_link(client);
        return;
    }
    output->request.data = output;
    uv_buf_t buffer = uv_buf_init((char *)output->bytes, (unsigned)size);
    if (uv_write(&output->request, (uv_stream_t *)&link->pipe, &buffer, 1, written) != 0) {
        free(output);
        lose_link(client);
        return;
    }
    link->stream = link->next_stream;
    link->next_stream += 2;
}

/* Does what can be done next: connect, send, or nothing. */
static void pump(struct wrap_ttrpc_client *client)
{
    if (client->closing || !client->first || uv_is_active((uv_handle_t *)&client->retry)) {
        return;
    }
    if (!client->link) {
        start_link(client);
    } else if (client->link->connected && !client->link->stream) {
        send_first(client);
    }
}

static void deadline_over(uv_timer_t *timer)
{
    struct wrap_ttrpc_client *client = timer->data;
    uint64_t now = uv_now(client->loop);
    struct wrap_error err = {0};
    wrap_fail(&err, WRAP_DEADLINE_EXCEEDED, "no answer from %s", client->path);
    client->next_deadline = UINT64_MAX;
    struct request **at = &client->first;
    while (*at && !client->closing) {
        if ((*at)->deadline > now) {
            if ((*at)->deadline < client->next_deadline) client->next_deadline = (*at)->deadline;
            at = &(*at)->next;
            continue;
        }
        if (at == &client->first && client->link && client->link->stream) {
            drop_link(client); /* a late answer must not be taken for another's */
        }
        end_request(client, at, &err);
        at = &client->first; /* `done` may have changed the queue */
    }
    if (!client->closing) {
        wait_for_deadline(client);
        pump(client);
    }
}

static void wait_for_deadline(struct wrap_ttrpc_client *client)
{
    if (client->next_deadline != UINT64_MAX) {
        uint64_t now = uv_now(client->loop);
        uint64_t left = client->next_deadline > now ? client->next_deadline - now : 0;
        uv_timer_start(&client->deadline, deadline_over, left, 0);
    }
}

static struct request *request_new(const char *service, const char *method,
                                   const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    size_t service_size = strlen(service) + 1;
    size_t method_size = strlen(method) + 1;
    if (size > WRAP_TTRPC_MESSAGE_MAX - 1024 || service_size > 256 || method_size > 256) {
        return NULL; /* with its names and time it must fit a frame */
    }
    size_t cost = sizeof(struct request) + size + service_size + method_size;
    struct request *request = malloc(cost);
    if (!request) {
        return NULL;
    }
    *request = (struct request){.size = size, .cost = cost};
    protobuf_c_message_pack(message, request->payload);
    char *names = (char *)request->payload + size;
    memcpy(names, service, service_size);
    memcpy(names + service_size, method, method_size);
    request->service = names;
    request->method = names + service_size;
    return request;
}

bool wrap_ttrpc_client_send(struct wrap_ttrpc_client *client, const char *service,
                            const char *method, const ProtobufCMessage *request,
                            unsigned patience_ms,
                            void (*done)(const struct wrap_error *err, void *env), void *env)
{
    struct request *added = client->closing ? NULL : request_new(service, method, request);
    if (!added) {
        return false;
    }
    while (client->count &&
           (client->count >= QUEUE_MAX || client->bytes + added->cost > QUEUE_BYTES_MAX)) {
        size_t before = client->count;
        drop_oldest(client);
        if (client->count == before) {
            break;
        }
    }
    added->deadline = uv_now(client->loop) + patience_ms;
    added->done = done;
    added->env = env;
    *client->last = added;
    client->last = &added->next;
    client->count++;
    client->bytes += added->cost;
    if (added->deadline < client->next_deadline) {
        client->next_deadline = added->deadline;
        wait_for_deadline(client);
    }
    pump(client);
    return true;
}

/* ---------------------------------------------------------------- the client */

bool wrap_ttrpc_client_new(uv_loop_t *loop, const char *address, struct wrap_ttrpc_client **out,
                           struct wrap_error *err)
{
    static const char scheme[] = "unix://";
    const char *path =
        strncmp(address, scheme, sizeof scheme - 1) == 0 ? address + sizeof scheme - 1 : address;
    struct wrap_ttrpc_client *client = calloc(1, sizeof *client);
    if (!client) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for a client");
    }
    if (path[0] != '/' || strlen(path) >= sizeof client->path) {
        free(client);
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "no path of a socket: %s", address);
    }
    memcpy(client->path, path, strlen(path));
    client->loop = loop;
    client->last = &client->first;
    client->next_deadline = UINT64_MAX;
    client->retry_ms = RETRY_MIN_MS;
    client->handles = 2;
    uv_timer_init(loop, &client->retry);
    uv_timer_init(loop, &client->deadline);
    client->retry.data = client;
    client->deadline.data = client;
    *out = client;
    return true;
}

size_t wrap_ttrpc_client_pending(const struct wrap_ttrpc_client *client) { return client->count; }

static void timer_gone(uv_handle_t *handle)
{
    struct wrap_ttrpc_client *client = handle->data;
    client->handles--;
    finish(client);
}

void wrap_ttrpc_client_close(struct wrap_ttrpc_client *client, void (*done)(void *env), void *env)
{
    if (client->closing) {
        return;
    }
    struct wrap_error err = {0};
    wrap_fail(&err, WRAP_CANCELLED, "the client of %s is closed", client->path);
    client->closing = true;
    client->done = done;
    client->done_env = env;
    drop_link(client);
    while (client->first) {
        end_request(client, &client->first, &err);
    }
    uv_close((uv_handle_t *)&client->retry, timer_gone);
    uv_close((uv_handle_t *)&client->deadline, timer_gone);
}
