/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_grpc.c - bytes of a containerd into the client of gRPC, cut where the input says, and into
 * the reader of manifests. Whatever they are: a call ends at most once, no message is larger than
 * allowed, nothing is left.
 */
#include "shim/grpc.h"
#include "shim/media.h"
#include "shim/proto/containerd.pb-c.h"
#include "shim/ttrpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 1 << 16, CALLS_MAX = 4, SENT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct wrap_grpc *grpc;
    unsigned calls, ends;
    size_t sent;
};

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz_grpc: %s\n", what);
        abort();
    }
}

static bool send_bytes(void *env, const void *bytes, size_t size)
{
    struct world *world = env;
    check(bytes && size, "nothing is sent");
    world->sent += size;
    return world->sent < SENT_MAX;
}

static bool message(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &containerd__container_response__descriptor,
        &containerd__image_response__descriptor,
        &containerd__read_response__descriptor,
    };
    const struct world *world = env;
    check(size <= MESSAGE_MAX, "a message is too large");
    ProtobufCMessage *unpacked = wrap_message_unpack(types[world->calls % 3], bytes, size);
    bool good = unpacked || wrap_fail(err, WRAP_INTERNAL, "malformed");
    wrap_message_free(unpacked);
    return good;
}

static void ended(void *env, const struct wrap_error *err);

static bool begin(struct world *world)
{
    const struct wrap_grpc_call call = {
        .path = "/containerd.services.images.v1.Images/Get",
        .request = "request",
        .request_size = 7,
        .message_max = MESSAGE_MAX,
        .message = message,
        .ended = ended,
        .env = world,
    };
    struct wrap_error err = {0};
    world->calls++;
    return wrap_grpc_call(world->grpc, &call, &err);
}

static void ended(void *env, const struct wrap_error *err)
{
    struct world *world = env;
    check(++world->ends <= world->calls, "a call has ended twice");
    check(!err || (err->code && !strchr(err->text, '\n')), "an error is one line");
    if (world->calls < CALLS_MAX) {
        (void)begin(world);
    }
}

static void feed(const uint8_t *data, size_t size, size_t step)
{
    struct world world = {0};
    struct wrap_error err = {0};
    const struct wrap_grpc_header header = {"containerd-namespace", "ns"};
    const struct wrap_grpc_config config = {
        .headers = &header, .header_count = 1, .send = send_bytes, .env = &world};
    world.grpc = wrap_grpc_new(&config, &err);
    check(world.grpc && begin(&world), "it cannot begin");
    while (size) {
        size_t part = step && step < size ? step : size;
        if (!wrap_grpc_feed(world.grpc, data, part, &err)) {
            check(err.code != WRAP_OK, "an error says why");
            break;
        }
        data += part;
        size -= part;
    }
    wrap_grpc_free(world.grpc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wrap_error err = {0};
    struct wrap_blob blob;
    if (!size) {
        return 0;
    }
    enum wrap_media media = data[0] & 1 ? WRAP_MEDIA_INDEX : WRAP_MEDIA_MANIFEST;
    if (data[0] & 2) {
        bool good = wrap_blob_next(media, (const char *)data + 1, size - 1, &blob, &err);
        check(good != (err.code != WRAP_OK), "an error, or none");
        check(!good || blob.media == WRAP_MEDIA_OTHER || strlen(blob.digest) == 71, "a digest");
    } else {
        feed(data + 1, size - 1, data[0] >> 2);
    }
    return 0;
}
