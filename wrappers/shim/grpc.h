/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.h - the client's half of gRPC: calls into bytes, bytes into messages, over HTTP/2 by
 * libnghttp2. One call at a time. No sockets, no time: who has those feeds it. Whatever bytes come,
 * a message is no larger than its call allows, and what is wrong is one error.
 */
#ifndef WRAPPERS_SHIM_GRPC_H
#define WRAPPERS_SHIM_GRPC_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct wrap_grpc;

struct wrap_grpc_header {
    const char *name; /**< lower case */
    const char *value;
};

struct wrap_grpc_config {
    const char *authority; /**< NULL: localhost; this and the headers are kept, not copied */
    const struct wrap_grpc_header *headers; /**< of all calls */
    size_t header_count; /**< at most 32 */
    /** Sends bytes, which are the caller's again afterwards. False: it can't. */
    bool (*send)(void *env, const void *bytes, size_t size);
    void *env;
};

struct wrap_grpc_call {
    const char *path; /**< "/package.Service/Method"; must stay until its end */
    const void *request; /**< packed; copied */
    size_t request_size;
    size_t message_max; /**< of an answer, which may be one message or many */
    /** False: `err` says why, and the call is over. */
    bool (*message)(void *env, const uint8_t *bytes, size_t size, struct wrap_error *err);
    /** The other side has ended the call; `err` NULL: with success. The next one may begin here,
     * or the client be freed. */
    void (*ended)(void *env, const struct wrap_error *err);
    void *env;
};

/** The settings are sent at once. NULL: `err`. Thread rule: the caller's. */
struct wrap_grpc *wrap_grpc_new(const struct wrap_grpc_config *config, struct wrap_error *err);
/** Begins a call; none may be in progress. */
bool wrap_grpc_call(struct wrap_grpc *grpc, const struct wrap_grpc_call *call,
                    struct wrap_error *err);
/** Bytes of the other side. False: `err`, and the connection is of no use any more. Afterwards the
 * client may be gone, see `ended`. */
bool wrap_grpc_feed(struct wrap_grpc *grpc, const void *bytes, size_t size, struct wrap_error *err);
/** NULL is allowed. A call in progress is forgotten. */
void wrap_grpc_free(struct wrap_grpc *grpc);

#endif
