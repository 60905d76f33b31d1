/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ttrpc.c - a server with a small service and raw bytes from its peers: whole, cut at each
 * byte, too long, of unknown types, many at once, from peers that go away or do not read.
 */
#include "shim/frames.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/ttrpc.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURNS_MAX = 2000 /* of 10 ms without anything happening */ };

struct fixture {
    uv_loop_t loop;
    struct wrap_ttrpc_server *server;
    struct sockaddr_un address;
    socklen_t address_size;
    int peer; /* a connected client, non-blocking */
    struct wrap_frames frames;
    struct wrap_ttrpc_call *kept[5000];
    size_t kept_count;
    size_t echoed;
    size_t big;       /* length of the answers of Big */
    size_t big_count; /* its calls */
    char metadata[64];
    bool closed;
};

/* ---------------------------------------------------------------- the service */

static void echo(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct fixture *fixture = env;
    const Task__IdRequest *request = (const Task__IdRequest *)message;
    const char *value = wrap_ttrpc_metadata(call, "TraceParent");
    snprintf(fixture->metadata, sizeof fixture->metadata, "%s", value ? value : "-");
    fixture->echoed++;
    wrap_ttrpc_reply(call, &request->base);
}

static void keep(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct fixture *fixture = env;
    (void)message;
    assert_true(fixture->kept_count < 5000);
    fixture->kept[fixture->kept_count++] = call;
}

static void refuse(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    (void)env;
    wrap_fail(&err, WRAP_NOT_FOUND, "no %s", ((const Task__IdRequest *)message)->id);
    wrap_ttrpc_refuse(call, &err);
}

static void big(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct fixture *fixture = env;
    (void)message;
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    fixture->big_count++;
    answer.id = malloc(fixture->big + 1);
    memset(answer.id, 'x', fixture->big);
    answer.id[fixture->big] = 0;
    wrap_ttrpc_reply(call, &answer.base);
    free(answer.id);
}

static void server_closed(void *env) { ((struct fixture *)env)->closed = true; }

static void close_server(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct fixture *fixture = env;
    wrap_ttrpc_reply(call, message);
    wrap_ttrpc_close(fixture->server, server_closed, fixture);
}

static const struct wrap_ttrpc_method methods[] = {
    {"Echo", &task__id_request__descriptor, echo},
    {"Keep", &task__id_request__descriptor, keep},
    {"Refuse", &task__id_request__descriptor, refuse},
    {"Big", &task__id_request__descriptor, big},
    {"Close", &task__id_request__descriptor, close_server},
};
static const struct wrap_ttrpc_service services[] = {
    {"test.Other", methods, 0},
    {"test.Service", methods, sizeof methods / sizeof *methods},
};

/* ---------------------------------------------------------------- peers */

static int connect_peer(struct fixture *fixture)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&fixture->address, fixture->address_size), 0);
    return fd;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sa_family_t family = AF_UNIX; /* alone: the kernel gives it an abstract name */
    assert_int_equal(bind(fd, (struct sockaddr *)&family, sizeof family), 0);
    fixture->address_size = sizeof fixture->address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&fixture->address, &fixture->address_size),
                     0);
    struct wrap_error err = {0};
    assert_true(wrap_ttrpc_serve(&fixture->loop, fd, services, 2, fixture, &fixture->server, &err));
    fixture->peer = connect_peer(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    for (size_t i = 0; i < fixture->kept_count; i++) {
        wrap_ttrpc_reply(fixture->kept[i], &answer.base);
    }
    if (fixture->peer >= 0) close(fixture->peer);
    wrap_ttrpc_close(fixture->server, server_closed, fixture);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(fixture->closed);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    wrap_frames_fini(&fixture->frames);
    free(fixture);
    return 0;
}

static void turn(struct fixture *fixture) { uv_run(&fixture->loop, UV_RUN_NOWAIT); }

static void send_bytes(struct fixture *fixture, int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (int idle = 0; size; idle++) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
            idle = 0;
        } else {
            assert_int_equal(errno, EAGAIN);
            assert_true(idle < TURNS_MAX);
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, 10);
        }
        turn(fixture);
    }
}

/* A frame with a request; freed by the caller. */
static uint8_t *make_request(uint32_t stream, const char *service, const char *method,
                             const char *id, size_t *size)
{
    Task__IdRequest inner = TASK__ID_REQUEST__INIT;
    Ttrpc__KeyValue pair = TTRPC__KEY_VALUE__INIT;
    Ttrpc__KeyValue *pairs[] = {&pair};
    Ttrpc__Request request = TTRPC__REQUEST__INIT;
    inner.id = (char *)(uintptr_t)id;
    pair.key = (char *)(uintptr_t)"traceparent";
    pair.value = (char *)(uintptr_t)"00-ab-cd-01";
    request.service = (char *)(uintptr_t)service;
    request.method = (char *)(uintptr_t)method;
    request.payload.len = task__id_request__get_packed_size(&inner);
    request.payload.data = malloc(request.payload.len + 1);
    task__id_request__pack(&inner, request.payload.data);
    request.timeout_nano = 1000000000;
    request.n_metadata = 1;
    request.metadata = pairs;
    struct wrap_frame frame = {.stream = stream, .type = WRAP_FRAME_REQUEST};
    frame.size = (uint32_t)ttrpc__request__get_packed_size(&request);
    *size = WRAP_FRAME_HEADER + frame.size;
    uint8_t *bytes = malloc(*size);
    wrap_frame_header(&frame, bytes);
    ttrpc__request__pack(&request, bytes + WRAP_FRAME_HEADER);
    free(request.payload.data);
    return bytes;
}

static void send_request(struct fixture *fixture, uint32_t stream, const char *method,
                         const char *id)
{
    size_t size;
    uint8_t *bytes = make_request(stream, "test.Service", method, id, &size);
    send_bytes(fixture, fixture->peer, bytes, size);
    free(bytes);
}

static void send_frame(struct fixture *fixture, struct wrap_frame frame)
{
    uint8_t header[WRAP_FRAME_HEADER];
    wrap_frame_header(&frame, header);
    send_bytes(fixture, fixture->peer, header, sizeof header);
    if (frame.data) send_bytes(fixture, fixture->peer, frame.data, frame.size);
}

/* The next response, freed by the caller; NULL: the server has closed the connection. */
static Ttrpc__Response *receive(struct fixture *fixture, uint32_t *stream)
{
    static uint8_t bytes[65536];
    struct wrap_frame frame;
    for (int idle = 0; !wrap_frames_next(&fixture->frames, &frame); idle++) {
        assert_true(idle < TURNS_MAX);
        turn(fixture);
        struct pollfd wait = {.fd = fixture->peer, .events = POLLIN};
        poll(&wait, 1, idle ? 10 : 0);
        ssize_t size = recv(fixture->peer, bytes, sizeof bytes, 0);
        if (size == 0 || (size < 0 && errno != EAGAIN)) {
            return NULL;
        }
        if (size > 0) {
            assert_true(wrap_frames_add(&fixture->frames, bytes, (size_t)size));
            idle = 0;
        }
    }
    assert_int_equal(frame.type, WRAP_FRAME_RESPONSE);
    assert_int_equal(frame.flags, 0);
    assert_non_null(frame.data);
    *stream = frame.stream;
    Ttrpc__Response *response = ttrpc__response__unpack(NULL, frame.size, frame.data);
    assert_non_null(response);
    return response;
}

static void expect_echo(struct fixture *fixture, uint32_t stream, const char *id)
{
    uint32_t got;
    Ttrpc__Response *response = receive(fixture, &got);
    assert_non_null(response);
    assert_int_equal(got, stream);
    assert_null(response->status);
    Task__IdRequest *answer =
        task__id_request__unpack(NULL, response->payload.len, response->payload.data);
    assert_non_null(answer);
    assert_string_equal(answer->id, id);
    task__id_request__free_unpacked(answer, NULL);
    ttrpc__response__free_unpacked(response, NULL);
}

static void expect_error(struct fixture *fixture, uint32_t stream, int code, const char *text)
{
    uint32_t got;
    Ttrpc__Response *response = receive(fixture, &got);
    assert_non_null(response);
    assert_int_equal(got, stream);
    assert_non_null(response->status);
    assert_int_equal(response->status->code, code);
    assert_string_equal(response->status->message, text);
    ttrpc__response__free_unpacked(response, NULL);
}

static void expect_alive(struct fixture *fixture, uint32_t stream)
{
    send_request(fixture, stream, "Echo", "alive");
    expect_echo(fixture, stream, "alive");
}

/* ---------------------------------------------------------------- cases */

static void test_request_is_answered(void **state)
{
    struct fixture *fixture = *state;
    send_request(fixture, 1, "Echo", "hello");
    expect_echo(fixture, 1, "hello");
    assert_string_equal(fixture->metadata, "00-ab-cd-01");
    send_request(fixture, 3, "Echo", "");
    expect_echo(fixture, 3, "");
    assert_int_equal(wrap_ttrpc_pending(fixture->server), 0);
}

static void test_request_cut_anywhere_is_answered(void **state)
{
    struct fixture *fixture = *state;
    size_t size;
    uint8_t *probe = make_request(1, "test.Service", "Echo", "pieces", &size);
    free(probe);
    for (size_t cut = 1; cut < size; cut++) {
        uint32_t stream = (uint32_t)(2 * cut + 1);
        uint8_t *bytes = make_request(stream, "test.Service", "Echo", "pieces", &size);
        send_bytes(fixture, fixture->peer, bytes, cut);
        turn(fixture);
        assert_int_equal(fixture->echoed, cut - 1);
        send_bytes(fixture, fixture->peer, bytes + cut, size - cut);
        expect_echo(fixture, stream, "pieces");
        free(bytes);
    }
}

static void test_peer_gone_in_mid_request_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    size_t size;
    uint8_t *bytes = make_request(1, "test.Service", "Echo", "pieces", &size);
    for (size_t cut = 0; cut < size; cut++) {
        int fd = connect_peer(fixture);
        send_bytes(fixture, fd, bytes, cut);
        close(fd);
        turn(fixture);
    }
    free(bytes);
    expect_alive(fixture, 1);
    assert_int_equal(fixture->echoed, 1);
}

static void test_unknown_names_are_unimplemented(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[][3] = {
        {"test.None", "Echo", "service test.None"},
        {"", "", "service "},
        {"test.Service", "Nothing", "method Nothing"},
        {"test.Other", "Echo", "method Echo"},
    };
    for (uint32_t i = 0; i < 4; i++) {
        size_t size;
        uint8_t *bytes = make_request(2 * i + 1, names[i][0], names[i][1], "", &size);
        send_bytes(fixture, fixture->peer, bytes, size);
        free(bytes);
        expect_error(fixture, 2 * i + 1, WRAP_UNIMPLEMENTED, names[i][2]);
    }
    expect_alive(fixture, 9);
}

static void test_refusal_has_code_and_text(void **state)
{
    struct fixture *fixture = *state;
    send_request(fixture, 1, "Refuse", "such thing");
    expect_error(fixture, 1, WRAP_NOT_FOUND, "no such thing");
}

static void test_streams_must_be_odd_and_rise(void **state)
{
    struct fixture *fixture = *state;
    static const char odd[] = "StreamID must be odd for client initiated streams";
    static const char rising[] = "StreamID cannot be re-used and must increment";
    send_request(fixture, 2, "Echo", "x");
    expect_error(fixture, 2, WRAP_INVALID_ARGUMENT, odd);
    send_request(fixture, 0, "Echo", "x");
    expect_error(fixture, 0, WRAP_INVALID_ARGUMENT, odd);
    expect_alive(fixture, 7);
    send_request(fixture, 7, "Echo", "x");
    expect_error(fixture, 7, WRAP_INVALID_ARGUMENT, rising);
    send_request(fixture, 5, "Echo", "x");
    expect_error(fixture, 5, WRAP_INVALID_ARGUMENT, rising);
    expect_alive(fixture, UINT32_MAX);
    send_request(fixture, 1, "Echo", "x");
    expect_error(fixture, 1, WRAP_INVALID_ARGUMENT, rising);
}

static void test_unknown_types_and_flags_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t data[] = "data";
    static const uint8_t types[] = {0, WRAP_FRAME_RESPONSE, 4, 255};
    for (size_t i = 0; i < sizeof types; i++) {
        send_frame(fixture,
                   (struct wrap_frame){
                       .size = 5, .stream = 1, .type = types[i], .flags = 0xff, .data = data});
    }
    size_t size;
    uint8_t *bytes = make_request(1, "test.Service", "Echo", "flags", &size);
    bytes[9] = 0xff;
    send_bytes(fixture, fixture->peer, bytes, size);
    free(bytes);
    expect_echo(fixture, 1, "flags");
}

static void test_data_without_a_stream_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t data[] = "data";
    struct wrap_frame frame = {.size = 5, .stream = 1, .type = WRAP_FRAME_DATA, .data = data};
    send_frame(fixture, frame);
    expect_error(fixture, 1, WRAP_INVALID_ARGUMENT, "StreamID is no longer active");
    expect_alive(fixture, 3);
    send_request(fixture, 5, "Keep", "x");
    frame.stream = 5;
    frame.size = 0;
    frame.flags = WRAP_FRAME_REMOTE_CLOSED | WRAP_FRAME_NO_DATA;
    send_frame(fixture, frame); /* the end of a stream that had nothing: no harm */
    expect_alive(fixture, 7);
    frame.size = 5;
    frame.flags = 0;
    send_frame(fixture, frame);
    send_frame(fixture, frame); /* one error for a stream, then silence */
    expect_error(fixture, 5, WRAP_INVALID_ARGUMENT,
                 "data handling error: the method has no stream");
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    wrap_ttrpc_reply(fixture->kept[0], &answer.base);
    fixture->kept_count = 0;
    expect_alive(fixture, 9);
}

static void test_malformed_messages_are_errors(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t cut[] = {0x0a, 0x7f, 'x'};          /* a string that is not there */
    static const uint8_t text[] = {0x0a, 0x02, 0xc3, 0x28};  /* a name that is not UTF-8 */
    static const char malformed[] = "unmarshal request error: malformed ttrpc.Request";
    struct wrap_frame frame = {.stream = 1, .type = WRAP_FRAME_REQUEST, .size = 3, .data = cut};
    send_frame(fixture, frame);
    expect_error(fixture, 1, WRAP_INVALID_ARGUMENT, malformed);
    frame = (struct wrap_frame){.stream = 3, .type = WRAP_FRAME_REQUEST, .size = 4, .data = text};
    send_frame(fixture, frame);
    expect_error(fixture, 3, WRAP_INVALID_ARGUMENT, malformed);
    frame = (struct wrap_frame){.stream = 5, .type = WRAP_FRAME_REQUEST};
    send_frame(fixture, frame); /* nothing at all is a request for nothing */
    expect_error(fixture, 5, WRAP_UNIMPLEMENTED, "service ");
    size_t size;
    uint8_t *bytes = make_request(7, "test.Service", "Echo", "\xc3(", &size);
    send_bytes(fixture, fixture->peer, bytes, size);
    free(bytes);
    expect_error(fixture, 7, WRAP_INTERNAL,
                 "ttrpc: error unmarshalling payload: malformed IdRequest");
    expect_alive(fixture, 9);
}

static void test_oversize_frame_is_refused_and_skipped(void **state)
{
    struct fixture *fixture = *state;
    enum { TOO_MUCH = WRAP_FRAME_DATA_MAX + 1 };
    uint8_t *data = calloc(1, TOO_MUCH);
    struct wrap_frame frame = {
        .stream = 1, .type = WRAP_FRAME_REQUEST, .size = TOO_MUCH, .data = data};
    send_frame(fixture, frame);
    expect_error(fixture, 1, WRAP_RESOURCE_EXHAUSTED,
                 "message length 4194305 exceed maximum message size of 4194304");
    expect_alive(fixture, 1);
    memset(data, 0xff, TOO_MUCH); /* the longest that is allowed: read, and malformed */
    frame.size = WRAP_FRAME_DATA_MAX;
    frame.stream = 3;
    send_frame(fixture, frame);
    expect_error(fixture, 3, WRAP_INVALID_ARGUMENT,
                 "unmarshal request error: malformed ttrpc.Request");
    free(data);
    expect_alive(fixture, 5);
}

static void test_answer_after_the_peer_is_gone_goes_nowhere(void **state)
{
    struct fixture *fixture = *state;
    send_request(fixture, 1, "Keep", "x");
    send_request(fixture, 3, "Keep", "y");
    for (int i = 0; i < TURNS_MAX && wrap_ttrpc_pending(fixture->server) < 2; i++) turn(fixture);
    assert_int_equal(wrap_ttrpc_pending(fixture->server), 2);
    close(fixture->peer);
    for (int i = 0; i < TURNS_MAX && wrap_ttrpc_pending(fixture->server); i++) turn(fixture);
    assert_int_equal(wrap_ttrpc_pending(fixture->server), 0);
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    struct wrap_error err = {.code = WRAP_UNKNOWN};
    wrap_ttrpc_reply(fixture->kept[0], &answer.base);
    wrap_ttrpc_refuse(fixture->kept[1], &err);
    fixture->kept_count = 0;
    fixture->peer = connect_peer(fixture);
    expect_alive(fixture, 1);
}

static void test_answers_come_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < 3; i++) send_request(fixture, 2 * i + 1, "Keep", "x");
    expect_alive(fixture, 7);
    assert_int_equal(fixture->kept_count, 3);
    for (size_t i = 3; i-- > 0;) {
        Task__IdRequest answer = TASK__ID_REQUEST__INIT;
        wrap_ttrpc_reply(fixture->kept[i], &answer.base);
        expect_echo(fixture, (uint32_t)(2 * i + 1), "");
    }
    fixture->kept_count = 0;
}

static void test_too_many_open_calls_are_refused(void **state)
{
    struct fixture *fixture = *state;
    enum { ALLOWED = 4096 };
    for (uint32_t i = 0; i < ALLOWED; i++) send_request(fixture, 2 * i + 1, "Keep", "x");
    send_request(fixture, 2 * ALLOWED + 1, "Keep", "x");
    expect_error(fixture, 2 * ALLOWED + 1, WRAP_RESOURCE_EXHAUSTED,
                 "4096 calls wait for their answers");
    assert_int_equal(wrap_ttrpc_pending(fixture->server), ALLOWED);
}

static void test_many_pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 2000 };
    for (uint32_t i = 0; i < COUNT; i++) send_request(fixture, 2 * i + 1, "Echo", "pipeline");
    for (uint32_t i = 0; i < COUNT; i++) expect_echo(fixture, 2 * i + 1, "pipeline");
}

static void test_slow_reader_is_not_read_from(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 200 };
    uint32_t sent = 0;
    fixture->big = 100000;
    size_t size;
    for (; sent < COUNT; sent++) { /* they all fit the socket's buffer */
        uint8_t *bytes = make_request(2 * sent + 1, "test.Service", "Big", "x", &size);
        send_bytes(fixture, fixture->peer, bytes, size);
        free(bytes);
    }
    for (int i = 0; i < 100; i++) turn(fixture);
    /* 256 KiB of answers and what the socket holds, two more for good measure */
    assert_in_range(fixture->big_count, 1, 10);
    int other = connect_peer(fixture);
    uint8_t *bytes = make_request(1, "test.Service", "Echo", "x", &size);
    send_bytes(fixture, other, bytes, size);
    for (int i = 0; i < TURNS_MAX && fixture->echoed == 0; i++) turn(fixture);
    assert_int_equal(fixture->echoed, 1); /* others are served meanwhile */
    free(bytes);
    close(other);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t stream;
        Ttrpc__Response *response = receive(fixture, &stream);
        assert_non_null(response);
        assert_int_equal(stream, 2 * i + 1);
        assert_true(response->payload.len > fixture->big);
        ttrpc__response__free_unpacked(response, NULL);
    }
}

static void test_answer_too_long_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    uint32_t stream;
    fixture->big = WRAP_TTRPC_MESSAGE_MAX - 10; /* tags and lengths: exactly the maximum */
    send_request(fixture, 1, "Big", "x");
    Ttrpc__Response *response = receive(fixture, &stream);
    assert_non_null(response);
    assert_int_equal(response->payload.len, WRAP_TTRPC_MESSAGE_MAX - 5);
    ttrpc__response__free_unpacked(response, NULL);
    fixture->big++;
    send_request(fixture, 3, "Big", "x");
    expect_error(fixture, 3, WRAP_RESOURCE_EXHAUSTED, "an answer of 4194300 bytes is too long");
}

static void test_more_connections_than_allowed_wait(void **state)
{
    struct fixture *fixture = *state;
    enum { COUNT = 40 };
    int peers[COUNT];
    size_t size;
    uint8_t *bytes = make_request(1, "test.Service", "Echo", "x", &size);
    for (size_t i = 0; i < COUNT; i++) {
        peers[i] = connect_peer(fixture);
        send_bytes(fixture, peers[i], bytes, size);
    }
    for (int i = 0; i < 100; i++) turn(fixture);
    assert_int_equal(fixture->echoed, 31); /* and the fixture's own peer */
    for (size_t i = 0; i < COUNT; i++) {
        close(peers[i]);
        for (int k = 0; k < 5; k++) turn(fixture);
    }
    assert_int_equal(fixture->echoed, COUNT);
    free(bytes);
}

static void test_close_in_a_handler_sends_its_answer(void **state)
{
    struct fixture *fixture = *state;
    uint32_t stream;
    send_request(fixture, 1, "Keep", "x");
    send_request(fixture, 3, "Close", "bye");
    expect_echo(fixture, 3, "bye");
    assert_null(receive(fixture, &stream));
    int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&fixture->address, fixture->address_size),
                     -1);
    close(late);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(fixture->closed);
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    wrap_ttrpc_reply(fixture->kept[0], &answer.base);
    close(fixture->peer);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    wrap_frames_fini(&fixture->frames);
    free(fixture);
    *state = NULL;
}

static int tear_nothing(void **state)
{
    assert_null(*state);
    return 0;
}

static void test_close_does_not_wait_for_a_deaf_peer(void **state)
{
    struct fixture *fixture = *state;
    fixture->big = 3000000;
    send_request(fixture, 1, "Big", "x");
    for (int i = 0; i < 10; i++) turn(fixture);
    int deaf = fixture->peer;
    fixture->peer = -1;
    wrap_ttrpc_close(fixture->server, server_closed, fixture);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(fixture->closed);
    close(deaf);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    free(fixture);
    *state = NULL;
}

/* ---------------------------------------------------------------- unpacking */

static void test_unpack_takes_bounded_memory(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    uint8_t *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i += 2) { /* an empty mount for each two bytes */
        bytes[i] = 0x1a;
        bytes[i + 1] = 0;
    }
    assert_null(wrap_message_unpack(&task__create_task_request__descriptor, bytes, SIZE));
    ProtobufCMessage *few = wrap_message_unpack(&task__create_task_request__descriptor, bytes, 200);
    assert_non_null(few);
    assert_int_equal(((Task__CreateTaskRequest *)few)->n_rootfs, 100);
    wrap_message_free(few);
    memset(bytes, 'x', SIZE); /* one long string is fine */
    memcpy(bytes, "\x0a\xfb\xff\xff\x01", 5);
    ProtobufCMessage *one =
        wrap_message_unpack(&task__create_task_request__descriptor, bytes, SIZE);
    assert_non_null(one);
    assert_int_equal(strlen(((Task__CreateTaskRequest *)one)->id), SIZE - 5);
    wrap_message_free(one);
    free(bytes);
    wrap_message_free(NULL);
}

static void test_unpack_refuses_what_is_not_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"plain", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xc0\x80", false},
        {"\xe0\x80\x80", false},
        {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xe2\x82", false},
        {"\x80", false},
        {"ab\xf0\x9f", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[16] = {0x0a, (uint8_t)strlen(cases[i].text)};
        memcpy(bytes + 2, cases[i].text, bytes[1]);
        ProtobufCMessage *message =
            wrap_message_unpack(&task__id_request__descriptor, bytes, 2U + bytes[1]);
        assert_int_equal(message != NULL, cases[i].good);
        wrap_message_free(message);
    }
    static const uint8_t nested[] = {0x1a, 0x03, 0x22, 0x01, 0xff}; /* an option of a mount */
    assert_null(wrap_message_unpack(&task__create_task_request__descriptor, nested, sizeof nested));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_request_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_request_cut_anywhere_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peer_gone_in_mid_request_is_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_names_are_unimplemented, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusal_has_code_and_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_streams_must_be_odd_and_rise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_types_and_flags_are_ignored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_data_without_a_stream_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed_messages_are_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_oversize_frame_is_refused_and_skipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_answer_after_the_peer_is_gone_goes_nowhere, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_answers_come_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_open_calls_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_pipelined_requests_are_answered_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_slow_reader_is_not_read_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer_too_long_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_connections_than_allowed_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_in_a_handler_sends_its_answer, set_up,
                                        tear_nothing),
        cmocka_unit_test_setup_teardown(test_close_does_not_wait_for_a_deaf_peer, set_up,
                                        tear_nothing),
        cmocka_unit_test(test_unpack_takes_bounded_memory),
        cmocka_unit_test(test_unpack_refuses_what_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
