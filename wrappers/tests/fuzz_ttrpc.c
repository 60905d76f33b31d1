/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ttrpc.c - a peer's bytes into a server with a small service. The first byte says whether
 * the rest is the stream itself or a list of frames to build, and how it is cut when it is sent.
 * Whatever it is, each answer is a whole response, and when the peer is gone nothing is left.
 */
#include "shim/frames.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/ttrpc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { KEPT_MAX = 8, STREAM_MAX = 1 << 20, QUIET_TURNS = 3 };

static uv_loop_t loop;
static struct wrap_ttrpc_server *server;
static struct sockaddr_un server_address;
static socklen_t server_address_size = sizeof server_address;
static struct wrap_ttrpc_call *kept[KEPT_MAX];
static size_t kept_count;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---------------------------------------------------------------- the service */

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz_ttrpc: %s\n", what);
        abort();
    }
}

static void echo(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    (void)env;
    (void)wrap_ttrpc_metadata(call, "traceparent");
    wrap_ttrpc_reply(call, message);
}

static void refuse(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct wrap_error err = {0};
    (void)env;
    wrap_fail(&err, WRAP_NOT_FOUND, "no %s", ((const Task__IdRequest *)message)->id);
    wrap_ttrpc_refuse(call, &err);
}

static void end_kept(size_t count)
{
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    while (kept_count > count) wrap_ttrpc_reply(kept[--kept_count], &answer.base);
}

static void keep(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    (void)message;
    (void)env;
    if (kept_count == KEPT_MAX) end_kept(KEPT_MAX / 2);
    kept[kept_count++] = call;
}

static void big(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    static char text[60001];
    Task__IdRequest answer = TASK__ID_REQUEST__INIT;
    (void)message;
    (void)env;
    memset(text, 'x', sizeof text - 1);
    answer.id = text;
    wrap_ttrpc_reply(call, &answer.base);
}

static const struct wrap_ttrpc_method methods[] = {
    {"Echo", &task__create_task_request__descriptor, echo},
    {"Refuse", &task__id_request__descriptor, refuse},
    {"Keep", &task__id_request__descriptor, keep},
    {"Big", &task__id_request__descriptor, big},
};
static const struct wrap_ttrpc_service services[] = {{"s", methods, 4}};

static void start(void)
{
    struct wrap_error err = {0};
    sa_family_t family = AF_UNIX; /* alone: the kernel gives it an abstract name */
    signal(SIGPIPE, SIG_IGN);
    check(uv_loop_init(&loop) == 0, "no loop");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(bind(fd, (struct sockaddr *)&family, sizeof family) == 0, "no socket");
    getsockname(fd, (struct sockaddr *)&server_address, &server_address_size);
    check(wrap_ttrpc_serve(&loop, fd, services, 1, NULL, &server, &err), "no server");
}

/* ---------------------------------------------------------------- the peer */

/* Reads what is there; false: the connection is closed. */
static bool take_answers(int fd, struct wrap_frames *frames, bool *progress)
{
    static uint8_t bytes[65536];
    struct wrap_frame frame;
    ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    if (size <= 0) {
        return size < 0 && errno == EAGAIN;
    }
    *progress = true;
    check(wrap_frames_add(frames, bytes, (size_t)size), "no memory");
    while (wrap_frames_next(frames, &frame)) {
        check(frame.type == WRAP_FRAME_RESPONSE && frame.flags == 0 && frame.data,
              "an answer is no response");
        Ttrpc__Response *response = ttrpc__response__unpack(NULL, frame.size, frame.data);
        check(response != NULL, "an answer is malformed");
        check(!response->status || response->status->code != 0, "an error without a code");
        ttrpc__response__free_unpacked(response, NULL);
    }
    return true;
}

static void talk(const uint8_t *bytes, size_t size, size_t chunk)
{
    struct wrap_frames frames = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(connect(fd, (struct sockaddr *)&server_address, server_address_size) == 0,
          "no connection");
    bool open = true;
    for (int quiet = 0; open && quiet < QUIET_TURNS;) {
        bool progress = false;
        ssize_t sent = size ? send(fd, bytes, size < chunk ? size : chunk, MSG_NOSIGNAL) : 0;
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
            progress = true;
        }
        uv_run(&loop, UV_RUN_NOWAIT);
        open = take_answers(fd, &frames, &progress);
        quiet = progress ? 0 : quiet + 1;
    }
    check(!open || frames.end == frames.start, "half an answer");
    check(!open || size == 0, "bytes are not read");
    end_kept(kept_count / 2); /* some are answered before the peer goes, some after */
    uv_run(&loop, UV_RUN_NOWAIT);
    close(fd);
    for (int i = 0; i < QUIET_TURNS; i++) uv_run(&loop, UV_RUN_NOWAIT);
    end_kept(0);
    check(wrap_ttrpc_pending(server) == 0, "a call is left");
    wrap_frames_fini(&frames);
}

/* ---------------------------------------------------------------- frames */

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t take_byte(struct input *input)
{
    if (input->left == 0) return 0;
    input->left--;
    return *input->at++;
}

/* Appends a request whose payload are the next bytes of the input. */
static size_t build_request(struct input *input, uint8_t *out, uint32_t stream)
{
    static const char *const names[] = {"Echo", "Refuse", "Keep", "Big", "None", ""};
    Ttrpc__Request request = TTRPC__REQUEST__INIT;
    Ttrpc__KeyValue pair = TTRPC__KEY_VALUE__INIT;
    Ttrpc__KeyValue *pairs[] = {&pair};
    uint8_t pick = take_byte(input);
    size_t size = take_byte(input);
    if (size > input->left) size = input->left;
    request.service = (char *)(uintptr_t)(pick & 0x80 ? "t" : "s");
    request.method = (char *)(uintptr_t)names[(pick & 0x3f) % 6];
    request.payload.data = (uint8_t *)(uintptr_t)input->at;
    request.payload.len = size;
    request.n_metadata = pick & 0x40 ? 1 : 0;
    request.metadata = pairs;
    input->at += size;
    input->left -= size;
    struct wrap_frame frame = {.stream = stream, .type = WRAP_FRAME_REQUEST, .flags = pick};
    frame.size = (uint32_t)ttrpc__request__get_packed_size(&request);
    wrap_frame_header(&frame, out);
    return WRAP_FRAME_HEADER + ttrpc__request__pack(&request, out + WRAP_FRAME_HEADER);
}

/* Appends a frame of any kind; one of ten is longer than allowed. */
static size_t build_odd(struct input *input, uint8_t *out, uint32_t stream)
{
    struct wrap_frame frame = {.type = take_byte(input), .flags = take_byte(input)};
    frame.size = take_byte(input);
    frame.stream = frame.flags & 0x80 ? stream : take_byte(input);
    wrap_frame_header(&frame, out);
    for (size_t i = 0; i < frame.size; i++) out[WRAP_FRAME_HEADER + i] = take_byte(input);
    return WRAP_FRAME_HEADER + frame.size;
}

static size_t build_stream(struct input *input, uint8_t *out)
{
    size_t size = 0;
    uint32_t stream = 1;
    while (input->left && size < STREAM_MAX - 4096) {
        uint8_t kind = take_byte(input);
        if (kind < 0xc0) {
            size += build_request(input, out + size, stream);
            stream += kind & 0x10 ? 1 : 2;
        } else {
            size += build_odd(input, out + size, stream);
        }
    }
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static uint8_t stream[STREAM_MAX];
    if (!started) {
        started = true;
        start();
    }
    if (size == 0) {
        return 0;
    }
    static const size_t chunks[] = {1 << 16, 1, 7, 1000};
    size_t chunk = chunks[data[0] >> 6];
    if (chunk == 1 && size > 512) chunk = 64;
    struct input input = {data + 1, size - 1};
    if (data[0] & 1) {
        talk(stream, build_stream(&input, stream), chunk);
    } else {
        talk(input.at, input.left, chunk);
    }
    return 0;
}
