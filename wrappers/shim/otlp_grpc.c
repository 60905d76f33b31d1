/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_grpc.c - a request of OTLP by gRPC, which blocks. */
#include "shim/grpc.h"
#include "shim/spans_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct way {
    int socket;
    bool ended;
    struct wrap_error failure;
};

static bool send_bytes(void *env, const void *bytes, size_t size)
{
    const struct way *way = env;
    return wrap_otlp_write(way->socket, bytes, size);
}

/* What a collector could not use is its affair. */
static bool take_message(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err)
{
    (void)env;
    (void)bytes;
    (void)size;
    (void)err;
    return true;
}

static void on_ended(void *env, const struct wrap_error *err)
{
    struct way *way = env;
    way->ended = true;
    if (err) {
        way->failure = *err;
    }
}

static bool receive(struct wrap_grpc *grpc, struct way *way, struct wrap_error *err)
{
    char bytes[4096];
    while (!way->ended) {
        ssize_t got = recv(way->socket, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? wrap_fail_errno(err, errno, "the answer")
                           : wrap_fail(err, WRAP_UNAVAILABLE, "no answer");
        }
        if (!wrap_grpc_feed(grpc, bytes, (size_t)got, err)) {
            return false;
        }
    }
    if (way->failure.code) {
        *err = way->failure;
    }
    return !way->failure.code;
}

bool wrap_otlp_grpc(const struct wrap_otlp_config *config, int socket, const uint8_t *request,
                    size_t size, struct wrap_error *err)
{
    enum { ANSWER_MAX = 64 << 10 };
    struct way way = {.socket = socket};
    struct wrap_grpc_header headers[WRAP_OTLP_PAIRS_MAX];
    char names[WRAP_OTLP_PAIRS_MAX][64]; /* HTTP/2 has lower case only */
    char authority[sizeof config->host + 16];
    size_t count = 0;
    for (size_t i = 0; i < config->headers.count; i++) {
        const struct wrap_otlp_pair *pair = &config->headers.items[i];
        size_t length = strlen(pair->name);
        for (size_t k = 0; k <= length && length < sizeof names[i]; k++) {
            names[i][k] = (char)tolower((unsigned char)pair->name[k]);
        }
        if (length < sizeof names[i]) {
            headers[count++] = (struct wrap_grpc_header){names[i], pair->value};
        }
    }
    snprintf(authority, sizeof authority, strchr(config->host, ':') ? "[%s]:%s" : "%s:%s",
             config->host, config->port);
    const struct wrap_grpc_config grpc_config = {
        .authority = authority,
        .headers = headers,
        .header_count = count,
        .send = send_bytes,
        .env = &way,
    };
    const struct wrap_grpc_call call = {
        .path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        .request = request,
        .request_size = size,
        .message_max = ANSWER_MAX,
        .message = take_message,
        .ended = on_ended,
        .env = &way,
    };
    struct wrap_grpc *grpc = wrap_grpc_new(&grpc_config, err);
    bool good = grpc && wrap_grpc_call(grpc, &call, err) && receive(grpc, &way, err);
    wrap_grpc_free(grpc);
    return good;
}
