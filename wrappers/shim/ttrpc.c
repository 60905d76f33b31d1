/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttrpc.c - the server's half of ttrpc.h. What is wrong with a request is answered as containerd's
 * own server does: an error on that stream, and the connection goes on; only a connection whose
 * bytes can't be followed any more is closed.
 */
#include "shim/ttrpc.h"

#include "shim/frames.h"
#include "shim/proto/ttrpc.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 32, /* more wait in the socket's queue */
    CALLS_MAX = 4096,     /* without an answer, for each connection: Wait takes one for long */
    QUEUE_STOP = 256 << 10, /* bytes that a peer has not read: nothing is read from it any more */
    QUEUE_GO = 64 << 10,
    READ_SIZE = 16 << 10,
    CLOSE_PATIENCE_MS = 2000,
    BACKLOG = 64,
};

struct connection;

/* A request while its `handle` runs; `call` is NULL when that has ended it. */
struct serving {
    const Ttrpc__Request *request;
    struct wrap_ttrpc_call *call;
};

struct wrap_ttrpc_call {
    struct connection *connection; /* NULL: it is gone */
    struct wrap_ttrpc_call *next, **link;
    struct serving *serving; /* while `handle` runs */
    struct wrap_span *span;
    uint32_t stream;
    bool spoiled; /* the stream has got an error already: the answer is not sent */
};

struct connection {
    uv_pipe_t pipe;
    struct wrap_ttrpc_server *server;
    struct connection *next, **link;
    struct wrap_frames frames;
    struct wrap_ttrpc_call *calls;
    size_t call_count;
    size_t queued; /* bytes that wait to be written */
    uint32_t last_stream;
    bool full;     /* QUEUE_STOP was reached: not reading */
    bool working;  /* in `work` */
    bool draining; /* closes when all is written */
    bool closed;
};

struct wrap_ttrpc_server {
    uv_pipe_t listener;
    uv_timer_t patience;
    const struct wrap_ttrpc_service *services;
    size_t service_count;
    void *env;
    struct wrap_spans *spans;
    struct connection *connections;
    size_t connection_count;
    size_t call_count;
    unsigned handles; /* of listener and patience, open ones */
    bool waiting;     /* a peer waits to be accepted */
    bool closing;
    void (*done)(void *env);
    void *done_env;
};

/* A frame on its way. */
struct output {
    uv_write_t request;
    struct connection *connection;
    size_t size;
    uint8_t bytes[];
};

static void accept_one(struct wrap_ttrpc_server *server);
static void work(struct connection *connection);

/* ---------------------------------------------------------------- the end of things */

static void server_part_gone(uv_handle_t *handle);

/* Goes one step towards the end when the server is closing: connections, the timer, itself. */
static void finish(struct wrap_ttrpc_server *server)
{
    if (!server->closing || server->connections) {
        return;
    }
    if (!uv_is_closing((uv_handle_t *)&server->patience)) {
        uv_close((uv_handle_t *)&server->patience, server_part_gone);
    }
    if (server->handles) {
        return;
    }
    void (*done)(void *) = server->done;
    void *env = server->done_env;
    free(server);
    if (done) {
        done(env);
    }
}

static void connection_gone(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct wrap_ttrpc_server *server = connection->server;
    *connection->link = connection->next;
    if (connection->next) {
        connection->next->link = connection->link;
    }
    wrap_frames_fini(&connection->frames);
    free(connection);
    server->connection_count--;
    if (server->waiting && !server->closing) {
        accept_one(server);
    }
    finish(server);
}

/* Forgets that a call is open; its answer will go nowhere. */
static void call_detach(struct wrap_ttrpc_call *call)
{
    if (!call->connection) {
        return;
    }
    *call->link = call->next;
    if (call->next) {
        call->next->link = call->link;
    }
    call->connection->call_count--;
    call->connection->server->call_count--;
    call->connection = NULL;
}

static void detach_all(struct connection *connection)
{
    while (connection->calls) {
        call_detach(connection->calls);
    }
}

static void close_connection(struct connection *connection)
{
    if (!connection->closed) {
        connection->closed = true;
        detach_all(connection);
        uv_close((uv_handle_t *)&connection->pipe, connection_gone);
    }
}

static void call_free(struct wrap_ttrpc_call *call)
{
    if (call->serving) {
        call->serving->call = NULL;
    }
    wrap_span_drop(call->span);
    free(call);
}

/* ---------------------------------------------------------------- answers */

static void written(uv_write_t *request, int status)
{
    struct output *output = request->data;
    struct connection *connection = output->connection;
    connection->queued -= output->size;
    free(output);
    if (connection->closed) {
        return;
    }
    if (status < 0 || (connection->draining && connection->queued == 0)) {
        close_connection(connection);
        return;
    }
    if (connection->full && connection->queued <= QUEUE_GO) {
        work(connection);
    }
}

/* Takes `output` over. */
static void send_output(struct connection *connection, struct output *output)
{
    uv_buf_t buffer = uv_buf_init((char *)output->bytes, (unsigned)output->size);
    int sent = uv_try_write((uv_stream_t *)&connection->pipe, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        free(output);
        close_connection(connection);
        return;
    }
    if (sent > 0) {
        buffer.base += sent;
        buffer.len -= (size_t)sent;
    }
    if (buffer.len == 0) {
        free(output);
        return;
    }
    output->connection = connection;
    output->request.data = output;
    connection->queued += output->size;
    if (uv_write(&output->request, (uv_stream_t *)&connection->pipe, &buffer, 1, written) != 0) {
        connection->queued -= output->size;
        free(output);
        close_connection(connection);
    }
}

static void send_response(struct connection *connection, uint32_t stream,
                          const Ttrpc__Response *response)
{
    if (connection->closed || connection->draining) {
        return;
    }
    size_t size = ttrpc__response__get_packed_size(response);
    struct output *output = malloc(sizeof *output + WRAP_FRAME_HEADER + size);
    if (!output) {
        close_connection(connection); /* a peer must not wait for an answer that can't come */
        return;
    }
    struct wrap_frame frame = {
        .size = (uint32_t)size, .stream = stream, .type = WRAP_FRAME_RESPONSE};
    wrap_frame_header(&frame, output->bytes);
    ttrpc__response__pack(response, output->bytes + WRAP_FRAME_HEADER);
    output->size = WRAP_FRAME_HEADER + size;
    send_output(connection, output);
}

static void send_status(struct connection *connection, uint32_t stream, int code, const char *text)
{
    char message[sizeof((struct wrap_error *)0)->text];
    snprintf(message, sizeof message, "%s", text);
    Ttrpc__Status status = TTRPC__STATUS__INIT;
    status.code = code;
    status.message = message;
    Ttrpc__Response response = TTRPC__RESPONSE__INIT;
    response.status = &status;
    send_response(connection, stream, &response);
}

const struct wrap_span *wrap_ttrpc_span(const struct wrap_ttrpc_call *call) { return call->span; }

static void end_span(struct wrap_ttrpc_call *call, const struct wrap_error *err)
{
    wrap_span_number(call->span, "rpc.grpc.status_code", err ? (int)err->code : 0);
    wrap_span_end(call->span, err);
    call->span = NULL;
}

void wrap_ttrpc_refuse(struct wrap_ttrpc_call *call, const struct wrap_error *err)
{
    struct connection *connection = call->connection;
    call_detach(call);
    if (connection && !call->spoiled) {
        /* An error without a code must not read as success. */
        send_status(connection, call->stream, err->code ? (int)err->code : WRAP_UNKNOWN, err->text);
    }
    end_span(call, err);
    call_free(call);
}

void wrap_ttrpc_reply(struct wrap_ttrpc_call *call, const ProtobufCMessage *response)
{
    size_t size = protobuf_c_message_get_packed_size(response);
    /* The payload's own tag and length, at most 5 bytes, count as well. */
    if (size > WRAP_TTRPC_MESSAGE_MAX - 5) {
        struct wrap_error err = {0};
        wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "an answer of %zu bytes is too long", size);
        wrap_ttrpc_refuse(call, &err);
        return;
    }
    struct connection *connection = call->connection;
    call_detach(call);
    uint8_t *bytes = connection && !call->spoiled ? malloc(size + 1) : NULL;
    if (bytes) {
        Ttrpc__Response frame = TTRPC__RESPONSE__INIT;
        frame.payload.len = protobuf_c_message_pack(response, bytes);
        frame.payload.data = bytes;
        send_response(connection, call->stream, &frame);
    } else if (connection && !call->spoiled) {
        close_connection(connection);
    }
    free(bytes);
    end_span(call, NULL);
    call_free(call);
}

const char *wrap_ttrpc_metadata(const struct wrap_ttrpc_call *call, const char *key)
{
    const Ttrpc__Request *request = call->serving ? call->serving->request : NULL;
    for (size_t i = 0; request && i < request->n_metadata; i++) {
        if (strcasecmp(request->metadata[i]->key, key) == 0) {
            return request->metadata[i]->value;
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- requests */

static const struct wrap_ttrpc_service *find_service(const struct wrap_ttrpc_server *server,
                                                     const char *name)
{
    for (size_t i = 0; i < server->service_count; i++) {
        if (strcmp(server->services[i].name, name) == 0) {
            return &server->services[i];
        }
    }
    return NULL;
}

static const struct wrap_ttrpc_method *find_method(const struct wrap_ttrpc_service *service,
                                                   const char *name)
{
    for (size_t i = 0; i < service->method_count; i++) {
        if (strcmp(service->methods[i].name, name) == 0) {
            return &service->methods[i];
        }
    }
    return NULL;
}

static struct wrap_ttrpc_call *call_new(struct connection *connection, uint32_t stream)
{
    struct wrap_ttrpc_call *call = malloc(sizeof *call);
    if (!call) {
        return NULL;
    }
    *call = (struct wrap_ttrpc_call){.connection = connection,
                                     .next = connection->calls,
                                     .link = &connection->calls,
                                     .stream = stream};
    if (call->next) {
        call->next->link = &call->next;
    }
    connection->calls = call;
    connection->call_count++;
    connection->server->call_count++;
    return call;
}

/* Looks up what a request is for; NULL: `err` says why not. */
static const struct wrap_ttrpc_method *route(const struct connection *connection,
                                             const Ttrpc__Request *request, struct wrap_error *err)
{
    const struct wrap_ttrpc_service *service = find_service(connection->server, request->service);
    const struct wrap_ttrpc_method *method = service ? find_method(service, request->method) : NULL;
    if (!service) {
        wrap_fail(err, WRAP_UNIMPLEMENTED, "service %s", request->service);
    } else if (!method) {
        wrap_fail(err, WRAP_UNIMPLEMENTED, "method %s", request->method);
    } else if (connection->call_count >= CALLS_MAX) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "%d calls wait for their answers", CALLS_MAX);
        method = NULL;
    }
    return method;
}

/* `handle` may end the call, which is freed by then, or keep it. */
static void serve(struct connection *connection, uint32_t stream, const Ttrpc__Request *request)
{
    struct wrap_error err = {0};
    const struct wrap_ttrpc_method *method = route(connection, request, &err);
    ProtobufCMessage *message =
        method ? wrap_message_unpack(method->request, request->payload.data, request->payload.len)
               : NULL;
    if (!message) {
        wrap_fail(&err, WRAP_INTERNAL, "ttrpc: error unmarshalling payload: malformed %s",
                  method ? method->request->short_name : "");
        send_status(connection, stream, (int)err.code, err.text);
        return;
    }
    struct serving serving = {.request = request, .call = call_new(connection, stream)};
    if (serving.call) {
        serving.call->serving = &serving;
        serving.call->span = wrap_span_serve(connection->server->spans,
                                             wrap_ttrpc_metadata(serving.call, "traceparent"),
                                             request->service, request->method);
        method->handle(serving.call, message, connection->server->env);
    } else {
        close_connection(connection);
    }
    if (serving.call) {
        serving.call->serving = NULL;
    }
    wrap_message_free(message);
}

static void take_request(struct connection *connection, const struct wrap_frame *frame)
{
    if (frame->stream <= connection->last_stream) {
        send_status(connection, frame->stream, WRAP_INVALID_ARGUMENT,
                    "StreamID cannot be re-used and must increment");
        return;
    }
    connection->last_stream = frame->stream;
    ProtobufCMessage *request =
        wrap_message_unpack(&ttrpc__request__descriptor, frame->data, frame->size);
    if (!request) {
        send_status(connection, frame->stream, WRAP_INVALID_ARGUMENT,
                    "unmarshal request error: malformed ttrpc.Request");
        return;
    }
    serve(connection, frame->stream, (const Ttrpc__Request *)request);
    wrap_message_free(request);
}

/* No method of ours has a stream. The end of one, on a call that waits for its answer, is what a
 * client that knows no better sends. */
static void take_data(struct connection *connection, const struct wrap_frame *frame)
{
    struct wrap_ttrpc_call *call = connection->calls;
    while (call && call->stream != frame->stream) {
        call = call->next;
    }
    if (call && frame->size == 0 && (frame->flags & WRAP_FRAME_NO_DATA)) {
        return;
    }
    if (!call || !call->spoiled) {
        send_status(connection, frame->stream, WRAP_INVALID_ARGUMENT,
                    call ? "data handling error: the method has no stream"
                         : "StreamID is no longer active");
    }
    if (call) {
        call->spoiled = true;
    }
}

static void take_frame(struct connection *connection, const struct wrap_frame *frame)
{
    if (!frame->data) {
        char text[96];
        snprintf(text, sizeof text, "message length %" PRIu32 " exceed maximum message size of %d",
                 frame->size, WRAP_FRAME_DATA_MAX);
        send_status(connection, frame->stream, WRAP_RESOURCE_EXHAUSTED, text);
    } else if (frame->stream % 2 != 1) {
        send_status(connection, frame->stream, WRAP_INVALID_ARGUMENT,
                    "StreamID must be odd for client initiated streams");
    } else if (frame->type == WRAP_FRAME_REQUEST) {
        take_request(connection, frame);
    } else if (frame->type == WRAP_FRAME_DATA) {
        take_data(connection, frame);
    } /* else: of a newer protocol, ignored as containerd's server does */
}

/* ---------------------------------------------------------------- connections */

static void provide(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    static char bytes[READ_SIZE]; /* one for all: what was read is copied at once */
    *out = uv_buf_init(bytes, sizeof bytes);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (size < 0 || !wrap_frames_add(&connection->frames, buffer->base, (size_t)size)) {
        close_connection(connection);
        return;
    }
    work(connection);
}

/* Handles the frames that have arrived, as long as the peer takes its answers. */
static void work(struct connection *connection)
{
    struct wrap_frame frame;
    if (connection->working) {
        return;
    }
    connection->working = true;
    while (!connection->closed && !connection->draining && connection->queued < QUEUE_STOP &&
           wrap_frames_next(&connection->frames, &frame)) {
        take_frame(connection, &frame);
    }
    connection->working = false;
    if (connection->closed || connection->draining) {
        return;
    }
    connection->full = connection->queued >= QUEUE_STOP;
    uv_stream_t *stream = (uv_stream_t *)&connection->pipe;
    if (connection->full) {
        uv_read_stop(stream);
        return;
    }
    int problem = uv_read_start(stream, provide, received);
    if (problem != 0 && problem != UV_EALREADY) {
        close_connection(connection);
    }
}

static void accept_one(struct wrap_ttrpc_server *server)
{
    struct connection *connection = NULL;
    server->waiting = server->connection_count >= CONNECTIONS_MAX;
    if (!server->waiting) {
        connection = calloc(1, sizeof *connection);
    }
    if (!connection) {
        server->waiting = true; /* libuv asks for no more until this one is accepted */
        return;
    }
    uv_pipe_init(server->listener.loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    connection->server = server;
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next) {
        connection->next->link = &connection->next;
    }
    server->connections = connection;
    server->connection_count++;
    if (uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&connection->pipe) != 0) {
        close_connection(connection);
        return;
    }
    work(connection);
}

static void connected(uv_stream_t *listener, int status)
{
    struct wrap_ttrpc_server *server = listener->data;
    if (status == 0 && !server->closing) {
        accept_one(server);
    }
}

/* ---------------------------------------------------------------- the server */

static void server_part_gone(uv_handle_t *handle)
{
    struct wrap_ttrpc_server *server = handle->data;
    server->handles--;
    finish(server);
}

bool wrap_ttrpc_serve(uv_loop_t *loop, int socket, const struct wrap_ttrpc_service *services,
                      size_t service_count, void *env, struct wrap_ttrpc_server **out,
                      struct wrap_error *err)
{
    struct wrap_ttrpc_server *server = calloc(1, sizeof *server);
    if (!server) {
        close(socket);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for a server");
    }
    server->services = services;
    server->service_count = service_count;
    server->env = env;
    server->handles = 2;
    uv_pipe_init(loop, &server->listener, 0);
    uv_timer_init(loop, &server->patience);
    server->listener.data = server;
    server->patience.data = server;
    int problem = uv_pipe_open(&server->listener, socket);
    if (problem != 0) {
        close(socket);
    } else {
        problem = uv_listen((uv_stream_t *)&server->listener, BACKLOG, connected);
    }
    if (problem != 0) {
        wrap_ttrpc_close(server, NULL, NULL);
        return wrap_fail_errno(err, -problem, "can't serve on the socket");
    }
    *out = server;
    return true;
}

void wrap_ttrpc_trace(struct wrap_ttrpc_server *server, struct wrap_spans *spans)
{
    server->spans = spans;
}

size_t wrap_ttrpc_pending(const struct wrap_ttrpc_server *server) { return server->call_count; }

static void patience_ends(uv_timer_t *timer)
{
    struct wrap_ttrpc_server *server = timer->data;
    for (struct connection *each = server->connections; each; each = each->next) {
        close_connection(each);
    }
}

void wrap_ttrpc_close(struct wrap_ttrpc_server *server, void (*done)(void *env), void *env)
{
    if (server->closing) {
        return;
    }
    server->closing = true;
    server->done = done;
    server->done_env = env;
    uv_close((uv_handle_t *)&server->listener, server_part_gone);
    for (struct connection *each = server->connections; each; each = each->next) {
        uv_read_stop((uv_stream_t *)&each->pipe);
        each->draining = true;
        detach_all(each);
        if (each->queued == 0) {
            close_connection(each);
        }
    }
    uv_timer_start(&server->patience, patience_ends, CLOSE_PATIENCE_MS, 0);
}
