/* SPDX-License-Identifier: Apache-2.0 */
/* grpc.c - frames of messages in HTTP/2 streams. Source: gRPC's "PROTOCOL-HTTP2". */
#include "shim/grpc.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 5, /* of a message: whether it is compressed, its size */
    WINDOW = 1 << 20,
    ACKS_MAX = 100, /* answers to pings and settings that wait to be sent */
    OWN_HEADERS = 6,
    HEADERS_MAX = 32,
    STATUS_NONE = -1,
    STATUS_LAST = 16 /* UNAUTHENTICATED */
};

struct wrap_grpc {
    struct wrap_grpc_config config;
    nghttp2_session *session;
    struct wrap_grpc_call call;
    bool busy;
    bool closed; /* the stream of the call has ended */
    int32_t stream;
    uint8_t *request; /* own: head and message */
    size_t request_size, request_sent;
    uint8_t head[HEAD];
    size_t head_got;
    uint8_t *message; /* own; of `message_size` bytes */
    size_t message_size, message_got;
    int http_status, status;
    char text[256]; /* grpc-message */
    struct wrap_error failure;
};

static void forget_call(struct wrap_grpc *grpc)
{
    free(grpc->request);
    free(grpc->message);
    grpc->request = NULL;
    grpc->message = NULL;
    grpc->request_size = grpc->request_sent = 0;
    grpc->head_got = grpc->message_size = grpc->message_got = 0;
    grpc->http_status = grpc->status = STATUS_NONE;
    grpc->text[0] = 0;
    grpc->busy = grpc->closed = false;
}

/* ---------------------------------------------------------------- sending */

static bool flush(struct wrap_grpc *grpc, struct wrap_error *err)
{
    const uint8_t *bytes = NULL;
    ssize_t size = 0;
    while ((size = nghttp2_session_mem_send(grpc->session, &bytes)) > 0) {
        if (!grpc->config.send(grpc->config.env, bytes, (size_t)size)) {
            return wrap_fail(err, WRAP_UNAVAILABLE, "the connection takes no more");
        }
    }
    return size == 0 || wrap_fail(err, WRAP_INTERNAL, "HTTP/2: %s", nghttp2_strerror((int)size));
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *env)
{
    struct wrap_grpc *grpc = env;
    size_t left = grpc->request_size - grpc->request_sent;
    size_t size = left < room ? left : room;
    (void)session;
    (void)stream;
    (void)source;
    if (size) {
        memcpy(out, grpc->request + grpc->request_sent, size);
        grpc->request_sent += size;
    }
    if (size == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)size;
}

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

bool wrap_grpc_call(struct wrap_grpc *grpc, const struct wrap_grpc_call *call,
                    struct wrap_error *err)
{
    forget_call(grpc);
    grpc->call = *call;
    grpc->busy = true;
    grpc->request = malloc(HEAD + call->request_size);
    if (!grpc->request) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    memset(grpc->request, 0, HEAD);
    for (int i = 0; i < 4; i++) {
        grpc->request[1 + i] = (uint8_t)(call->request_size >> (24 - 8 * i));
    }
    if (call->request_size) {
        memcpy(grpc->request + HEAD, call->request, call->request_size);
    }
    grpc->request_size = HEAD + call->request_size;
    const char *authority = grpc->config.authority;
    nghttp2_nv headers[OWN_HEADERS + HEADERS_MAX] = {
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", call->path),
        header(":authority", authority ? authority : "localhost"),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
    };
    size_t count = OWN_HEADERS;
    for (size_t i = 0; i < grpc->config.header_count && i < HEADERS_MAX; i++) {
        headers[count++] = header(grpc->config.headers[i].name, grpc->config.headers[i].value);
    }
    const nghttp2_data_provider body = {.read_callback = read_request};
    grpc->stream = nghttp2_submit_request(grpc->session, NULL, headers, count, &body, NULL);
    if (grpc->stream < 0) {
        return wrap_fail(err, WRAP_INTERNAL, "HTTP/2: %s", nghttp2_strerror(grpc->stream));
    }
    return flush(grpc, err);
}

/* ---------------------------------------------------------------- receiving */

static int stop(struct wrap_grpc *grpc)
{
    (void)grpc;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* The head of a message is whole: room for what it says will come. */
static bool begin_message(struct wrap_grpc *grpc)
{
    size_t size = 0;
    for (int i = 1; i < HEAD; i++) {
        size = size << 8 | grpc->head[i];
    }
    if (grpc->head[0]) {
        return wrap_fail(&grpc->failure, WRAP_INTERNAL, "a compressed answer");
    }
    if (size > grpc->call.message_max) {
        return wrap_fail(&grpc->failure, WRAP_RESOURCE_EXHAUSTED, "an answer of %zu bytes", size);
    }
    grpc->message = malloc(size + 1);
    grpc->message_size = size;
    grpc->message_got = 0;
    return grpc->message || wrap_fail(&grpc->failure, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static bool take_bytes(struct wrap_grpc *grpc, const uint8_t *bytes, size_t size)
{
    for (;;) {
        while (size && grpc->head_got < HEAD) {
            grpc->head[grpc->head_got++] = *bytes++;
            size--;
        }
        if (grpc->head_got < HEAD) {
            return true;
        }
        if (!grpc->message && !begin_message(grpc)) {
            return false;
        }
        size_t missing = grpc->message_size - grpc->message_got;
        size_t part = size < missing ? size : missing;
        if (part) {
            memcpy(grpc->message + grpc->message_got, bytes, part);
        }
        grpc->message_got += part;
        bytes += part;
        size -= part;
        if (grpc->message_got < grpc->message_size) {
            return true;
        }
        bool good =
            grpc->call.message(grpc->call.env, grpc->message, grpc->message_size, &grpc->failure);
        free(grpc->message);
        grpc->message = NULL;
        grpc->head_got = 0;
        if (!good) {
            return false;
        }
    }
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *env)
{
    struct wrap_grpc *grpc = env;
    (void)session;
    (void)flags;
    if (!grpc->busy || stream != grpc->stream) {
        return 0;
    }
    return take_bytes(grpc, bytes, size) ? 0 : stop(grpc);
}

/* A number of at most three digits, as both kinds of status are; -1: it is none. */
static int number_of(const uint8_t *text, size_t size)
{
    int value = size && size <= 3 ? 0 : -1;
    for (size_t i = 0; value >= 0 && i < size; i++) {
        value = text[i] >= '0' && text[i] <= '9' ? value * 10 + (text[i] - '0') : -1;
    }
    return value;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *env)
{
    struct wrap_grpc *grpc = env;
    (void)session;
    (void)flags;
    (void)name_size; /* both end with a NUL */
    if (!grpc->busy || frame->hd.stream_id != grpc->stream) {
        return 0;
    }
    if (strcmp((const char *)name, ":status") == 0) {
        grpc->http_status = number_of(value, value_size);
    } else if (strcmp((const char *)name, "grpc-status") == 0) {
        grpc->status = number_of(value, value_size);
    } else if (strcmp((const char *)name, "grpc-message") == 0) {
        snprintf(grpc->text, sizeof grpc->text, "%s", (const char *)value);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *env)
{
    struct wrap_grpc *grpc = env;
    (void)session;
    if (grpc->busy && stream == grpc->stream) {
        grpc->closed = true;
        if (code != NGHTTP2_NO_ERROR && grpc->status == STATUS_NONE) {
            wrap_fail(&grpc->failure, WRAP_UNAVAILABLE, "HTTP/2: the call was ended: %s",
                      nghttp2_http2_strerror(code));
        }
    }
    return 0;
}

/* The text is percent-encoded. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned byte = 0;
        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1 && byte && from[1] && from[2]) {
            *to++ = (char)byte;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

/* How the call has ended; false: `err`. */
static bool outcome(struct wrap_grpc *grpc, struct wrap_error *err)
{
    if (grpc->http_status != 200) {
        return wrap_fail(err, WRAP_UNAVAILABLE, "HTTP status %d", grpc->http_status);
    }
    if (grpc->status > 0) {
        decode(grpc->text);
        return wrap_fail(err,
                         grpc->status > STATUS_LAST ? WRAP_UNKNOWN : (enum wrap_code)grpc->status,
                         "%s", grpc->text);
    }
    if (grpc->status != 0 || grpc->head_got) {
        return wrap_fail(err, WRAP_UNAVAILABLE, "an answer that is not whole");
    }
    return true;
}

bool wrap_grpc_feed(struct wrap_grpc *grpc, const void *bytes, size_t size, struct wrap_error *err)
{
    ssize_t used = nghttp2_session_mem_recv(grpc->session, bytes, size);
    if (grpc->failure.code) {
        return wrap_fail(err, grpc->failure.code, "%s", grpc->failure.text);
    }
    if (used < 0) {
        return wrap_fail(err, WRAP_INTERNAL, "HTTP/2: %s", nghttp2_strerror((int)used));
    }
    if (!flush(grpc, err)) {
        return false;
    }
    if (grpc->busy && grpc->closed) {
        struct wrap_error end = {0};
        bool good = outcome(grpc, &end);
        const struct wrap_grpc_call call = grpc->call;
        forget_call(grpc);
        call.ended(call.env, good ? NULL : &end); /* it may be gone now */
        return true;
    }
    return nghttp2_session_want_read(grpc->session) ||
           wrap_fail(err, WRAP_UNAVAILABLE, "HTTP/2: the connection was ended");
}

/* ---------------------------------------------------------------- making and freeing */

static bool open_session(struct wrap_grpc *grpc)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    bool good = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;
    if (good) {
        nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        good =
            nghttp2_session_client_new2(&grpc->session, callbacks, grpc, option) == 0 &&
            nghttp2_submit_settings(grpc->session, NGHTTP2_FLAG_NONE, settings,
                                    sizeof settings / sizeof settings[0]) == 0 &&
            nghttp2_session_set_local_window_size(grpc->session, NGHTTP2_FLAG_NONE, 0, WINDOW) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return good;
}

struct wrap_grpc *wrap_grpc_new(const struct wrap_grpc_config *config, struct wrap_error *err)
{
    struct wrap_grpc *grpc = calloc(1, sizeof *grpc);
    if (!grpc) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    grpc->config = *config;
    forget_call(grpc);
    if (!open_session(grpc)) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "HTTP/2: out of memory");
        wrap_grpc_free(grpc);
        return NULL;
    }
    if (!flush(grpc, err)) {
        wrap_grpc_free(grpc);
        return NULL;
    }
    return grpc;
}

void wrap_grpc_free(struct wrap_grpc *grpc)
{
    if (grpc) {
        forget_call(grpc);
        nghttp2_session_del(grpc->session);
        free(grpc);
    }
}
