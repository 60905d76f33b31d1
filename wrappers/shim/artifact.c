/* SPDX-License-Identifier: Apache-2.0 */
/* artifact.c - one connection, a few calls one after the other, a file in memory. */
#include "shim/artifact.h"

#include "shim/grpc.h"
#include "shim/media.h"
#include "shim/proto/containerd.pb-c.h"
#include "shim/ttrpc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TICK_MS = 50,
    PATIENCE_MS = 10000,
    TOTAL_MS = 120000,
    DOC_MAX = 4 << 20,
    MESSAGE_MAX = 16 << 20, /* what containerd sends at most; its pieces of content are 1 MiB */
    READ_SIZE = 64 << 10,
    QUEUE_MAX = 256 << 10, /* bytes that the other side does not take */
    DEPTH_MAX = 3,         /* an index, perhaps another one, a manifest */
};
#define SIZE_USUAL ((uint64_t)256 << 20)
/* Beside the blobs: messages, frames. */
#define EXTRA_BYTES ((uint64_t)64 << 20)

struct fetch {
    struct wrap_artifact_config config;
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_timer_t timer;
    unsigned open_handles;
    uint64_t begun_ms, heard_ms;
    uint64_t received;
    struct wrap_grpc_header header;
    struct wrap_grpc *grpc;
    char *image; /* own: its name */
    struct wrap_blob blob; /* what is being read; OTHER: not yet */
    unsigned depth;
    SHA2_CTX hash;
    uint64_t got;
    char *doc; /* own: an index or manifest, blob.size bytes */
    int fd;    /* the module */
    bool over;
    struct wrap_error failure;
    char buffer[READ_SIZE];
};

/* ---------------------------------------------------------------- the end */

static void on_closed(uv_handle_t *handle)
{
    struct fetch *fetch = handle->data;
    if (--fetch->open_handles) {
        return;
    }
    const struct wrap_artifact_config config = fetch->config;
    const struct wrap_error err = fetch->failure;
    int fd = fetch->fd;
    wrap_grpc_free(fetch->grpc);
    free(fetch->image);
    free(fetch->doc);
    free(fetch);
    if (err.code && fd >= 0) {
        close(fd);
        fd = -1;
    }
    config.done(fd, err.code ? &err : NULL, config.context);
}

/* Nothing is freed before the handles are closed: callers may go on for a moment. */
static void finish(struct fetch *fetch, const struct wrap_error *err)
{
    if (fetch->over) {
        return;
    }
    fetch->over = true;
    if (err) {
        fetch->failure = *err;
    }
    uv_close((uv_handle_t *)&fetch->pipe, on_closed);
    uv_close((uv_handle_t *)&fetch->timer, on_closed);
}

/* ---------------------------------------------------------------- bytes */

struct sending {
    uv_write_t request;
    char bytes[];
};

static void on_sent(uv_write_t *request, int status)
{
    (void)status; /* a connection that is lost ends reading as well */
    free(request);
}

static bool send_bytes(void *env, const void *bytes, size_t size)
{
    struct fetch *fetch = env;
    if (fetch->over || uv_stream_get_write_queue_size((uv_stream_t *)&fetch->pipe) > QUEUE_MAX) {
        return false;
    }
    struct sending *sending = malloc(sizeof *sending + size);
    if (!sending) {
        return false;
    }
    memcpy(sending->bytes, bytes, size);
    uv_buf_t buf = uv_buf_init(sending->bytes, (unsigned)size);
    if (uv_write(&sending->request, (uv_stream_t *)&fetch->pipe, &buf, 1, on_sent) != 0) {
        free(sending);
        return false;
    }
    return true;
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct fetch *fetch = handle->data;
    (void)wanted;
    *out = uv_buf_init(fetch->buffer, sizeof fetch->buffer);
}

static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct fetch *fetch = stream->data;
    struct wrap_error err = {0};
    if (fetch->over || size == 0) {
        return;
    }
    fetch->received += size > 0 ? (uint64_t)size : 0;
    bool good = size > 0 || wrap_fail(&err, WRAP_UNAVAILABLE, "containerd has hung up");
    good = good && (fetch->received <= fetch->config.size_max + EXTRA_BYTES ||
                    wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "containerd sends without an end"));
    if (!good || !wrap_grpc_feed(fetch->grpc, buf->base, (size_t)size, &err)) {
        finish(fetch, &err);
    }
}

/* ---------------------------------------------------------------- calls */

struct method {
    const char *path;
    size_t message_max;
    bool (*message)(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err);
    void (*ended)(void *env, const struct wrap_error *err);
};

static void call(struct fetch *fetch, const struct method *method, const ProtobufCMessage *request)
{
    struct wrap_error err = {0};
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = malloc(size + 1);
    bool good = bytes || wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    if (good) {
        protobuf_c_message_pack(request, bytes);
        const struct wrap_grpc_call what = {
            .path = method->path,
            .request = bytes,
            .request_size = size,
            .message_max = method->message_max,
            .message = method->message,
            .ended = method->ended,
            .env = fetch,
        };
        good = wrap_grpc_call(fetch->grpc, &what, &err);
    }
    free(bytes);
    if (!good) {
        finish(fetch, &err);
    }
}

/* NULL: it is malformed, `err`. Freed by wrap_message_free. */
static void *unpack(struct fetch *fetch, const ProtobufCMessageDescriptor *type,
                    const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    ProtobufCMessage *message = wrap_message_unpack(type, bytes, size);
    fetch->heard_ms = uv_now(fetch->config.loop);
    if (!message) {
        wrap_fail(err, WRAP_INTERNAL, "a malformed message");
    }
    return message;
}

/* ---------------------------------------------------------------- content */

static void read_blob(struct fetch *fetch);

static bool take_piece(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    struct fetch *fetch = env;
    Containerd__ReadResponse *response =
        unpack(fetch, &containerd__read_response__descriptor, bytes, size, err);
    if (!response) {
        return false;
    }
    const ProtobufCBinaryData data = response->data;
    bool good =
        ((uint64_t)response->offset == fetch->got && data.len <= fetch->blob.size - fetch->got) ||
        wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: other bytes than its size says",
                  fetch->blob.digest);
    if (good && fetch->doc && data.len) {
        memcpy(fetch->doc + fetch->got, data.data, data.len);
    } else if (good && !fetch->doc && data.len) {
        good = write(fetch->fd, data.data, data.len) == (ssize_t)data.len ||
               wrap_fail_errno(err, errno ? errno : ENOSPC, "the module in memory");
    }
    if (good) {
        SHA256Update(&fetch->hash, data.data, data.len);
        fetch->got += data.len;
    }
    wrap_message_free(&response->base);
    return good;
}

static bool digest_good(struct fetch *fetch, struct wrap_error *err)
{
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256End(&fetch->hash, hex);
    if (fetch->got != fetch->blob.size) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: ends before its size",
                         fetch->blob.digest);
    }
    return strcmp(hex, fetch->blob.digest + strlen("sha256:")) == 0 ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: its bytes have the digest %s",
                     fetch->blob.digest, hex);
}

/* A document is whole: on to what it leads to. */
static void follow(struct fetch *fetch)
{
    struct wrap_error err = {0};
    struct wrap_blob next;
    bool good =
        wrap_blob_next(fetch->blob.media, fetch->doc, (size_t)fetch->blob.size, &next, &err);
    if (!good) {
        wrap_error_prefix(&err, "%s", fetch->blob.digest);
    }
    free(fetch->doc);
    fetch->doc = NULL;
    if (!good || next.media == WRAP_MEDIA_OTHER) {
        finish(fetch, good ? NULL : &err);
        return;
    }
    fetch->blob = next;
    read_blob(fetch);
}

static void on_read(void *env, const struct wrap_error *problem)
{
    struct fetch *fetch = env;
    struct wrap_error err = problem ? *problem : (struct wrap_error){0};
    if (problem || !digest_good(fetch, &err)) {
        finish(fetch, &err);
    } else if (fetch->doc) {
        follow(fetch);
    } else {
        (void)fcntl(fetch->fd, F_ADD_SEALS,
                    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
        finish(fetch, NULL);
    }
}

static bool prepare(struct fetch *fetch, struct wrap_error *err)
{
    const struct wrap_blob *blob = &fetch->blob;
    bool module = blob->media == WRAP_MEDIA_WASM;
    if (blob->size > (module ? fetch->config.size_max : DOC_MAX)) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "%s: %llu bytes are too many", blob->digest,
                         (unsigned long long)blob->size);
    }
    if (++fetch->depth > (module ? DEPTH_MAX + 1u : DEPTH_MAX)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "indices in indices");
    }
    fetch->got = 0;
    SHA256Init(&fetch->hash);
    if (module) {
        fetch->fd = memfd_create("module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fetch->fd >= 0 || wrap_fail_errno(err, errno, "memfd_create");
    }
    fetch->doc = malloc((size_t)blob->size + 1);
    return fetch->doc || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static void read_blob(struct fetch *fetch)
{
    static const struct method method = {"/containerd.services.content.v1.Content/Read",
                                         MESSAGE_MAX, take_piece, on_read};
    struct wrap_error err = {0};
    Containerd__ReadRequest request = CONTAINERD__READ_REQUEST__INIT;
    request.digest = fetch->blob.digest;
    if (prepare(fetch, &err)) {
        call(fetch, &method, &request.base);
    } else {
        finish(fetch, &err);
    }
}

/* ---------------------------------------------------------------- container and image */

static bool take_image(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    struct fetch *fetch = env;
    Containerd__ImageResponse *response =
        unpack(fetch, &containerd__image_response__descriptor, bytes, size, err);
    if (!response) {
        return false;
    }
    const Containerd__Descriptor *target = response->image ? response->image->target : NULL;
    bool good =
        target && wrap_media_of(target->media_type) != WRAP_MEDIA_OTHER
            ? wrap_blob_set(&fetch->blob, target->media_type, target->digest, target->size, err)
            : true;
    wrap_message_free(&response->base);
    return good;
}

static void on_image(void *env, const struct wrap_error *err)
{
    struct fetch *fetch = env;
    bool none = err && err->code == WRAP_NOT_FOUND;
    if (none || (!err && fetch->blob.media == WRAP_MEDIA_OTHER)) {
        finish(fetch, NULL);
    } else if (err) {
        finish(fetch, err);
    } else {
        read_blob(fetch);
    }
}

static bool take_container(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    struct fetch *fetch = env;
    Containerd__ContainerResponse *response =
        unpack(fetch, &containerd__container_response__descriptor, bytes, size, err);
    if (!response) {
        return false;
    }
    free(fetch->image);
    fetch->image = strdup(response->container ? response->container->image : "");
    wrap_message_free(&response->base);
    return fetch->image || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static void on_container(void *env, const struct wrap_error *err)
{
    static const struct method method = {"/containerd.services.images.v1.Images/Get", MESSAGE_MAX,
                                         take_image, on_image};
    struct fetch *fetch = env;
    bool none = err && err->code == WRAP_NOT_FOUND;
    if (none || (!err && (!fetch->image || !fetch->image[0]))) {
        finish(fetch, NULL); /* a root file system without an image */
    } else if (err) {
        finish(fetch, err);
    } else {
        Containerd__GetRequest request = CONTAINERD__GET_REQUEST__INIT;
        request.name = fetch->image;
        call(fetch, &method, &request.base);
    }
}

/* ---------------------------------------------------------------- the beginning */

static void on_connected(uv_connect_t *request, int status)
{
    static const struct method method = {"/containerd.services.containers.v1.Containers/Get",
                                         MESSAGE_MAX, take_container, on_container};
    struct fetch *fetch = request->data;
    struct wrap_error err = {0};
    if (fetch->over) {
        return;
    }
    const struct wrap_grpc_config config = {
        .headers = &fetch->header, .header_count = 1, .send = send_bytes, .env = fetch};
    fetch->header = (struct wrap_grpc_header){"containerd-namespace", fetch->config.ns};
    bool good = status == 0 || wrap_fail_errno(&err, -status, "%s", fetch->config.address);
    if (good) {
        fetch->grpc = wrap_grpc_new(&config, &err);
    }
    if (!fetch->grpc) {
        finish(fetch, &err);
        return;
    }
    uv_read_start((uv_stream_t *)&fetch->pipe, on_room, on_bytes);
    Containerd__GetRequest container = CONTAINERD__GET_REQUEST__INIT;
    container.name = (char *)fetch->config.id;
    call(fetch, &method, &container.base);
}

static void on_tick(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    struct wrap_error err = {0};
    uint64_t now = uv_now(fetch->config.loop);
    if (fetch->config.given_up && fetch->config.given_up(fetch->config.context)) {
        wrap_fail(&err, WRAP_CANCELLED, "given up");
    } else if (now - fetch->heard_ms > fetch->config.patience_ms) {
        wrap_fail(&err, WRAP_DEADLINE_EXCEEDED, "containerd is silent");
    } else if (now - fetch->begun_ms > fetch->config.total_ms) {
        wrap_fail(&err, WRAP_DEADLINE_EXCEEDED, "containerd is too slow");
    }
    if (err.code) {
        finish(fetch, &err);
    }
}

bool wrap_artifact_fetch(const struct wrap_artifact_config *config, struct wrap_error *err)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    const char *path = config->address;
    path += strncmp(path, "unix://", 7) == 0 ? 7 : 0;
    fetch->config = *config;
    fetch->config.size_max = config->size_max ? config->size_max : SIZE_USUAL;
    fetch->config.patience_ms = config->patience_ms ? config->patience_ms : PATIENCE_MS;
    fetch->config.total_ms = config->total_ms ? config->total_ms : TOTAL_MS;
    fetch->fd = -1;
    fetch->open_handles = 2;
    fetch->pipe.data = fetch->timer.data = fetch->connect.data = fetch;
    uv_update_time(config->loop);
    fetch->begun_ms = fetch->heard_ms = uv_now(config->loop);
    uv_pipe_init(config->loop, &fetch->pipe, 0);
    uv_timer_init(config->loop, &fetch->timer);
    uv_timer_start(&fetch->timer, on_tick, TICK_MS, TICK_MS);
    uv_pipe_connect(&fetch->connect, &fetch->pipe, path, on_connected);
    return true;
}
