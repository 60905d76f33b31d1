/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttrpc.h - the RPC of containerd's shims over Unix sockets, server and client, on libuv. Frames
 * are hostile: too long, cut, of an unknown type, for streams that are taken; each gets an error
 * answer where the protocol has one, else its connection is closed, and nothing else is touched.
 * Not here: what methods mean (service tables), messages (proto/).
 *
 * One thread: the loop's. The program ignores SIGPIPE. Source: containerd/ttrpc, PROTOCOL.md.
 */
#ifndef WRAPPERS_SHIM_TTRPC_H
#define WRAPPERS_SHIM_TTRPC_H

#include "common/error.h"
#include "shim/spans.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { WRAP_TTRPC_MESSAGE_MAX = 4 << 20 };

/** A request that waits for its answer; ends with exactly one of reply and refuse, at any later
 * time, also when the connection is gone by then. */
struct wrap_ttrpc_call;

/** One method: unpacks `request`, then calls `handle` with it; freed after `handle` has returned.
 */
struct wrap_ttrpc_method {
    const char *name;
    const ProtobufCMessageDescriptor *request;
    void (*handle)(struct wrap_ttrpc_call *call, const ProtobufCMessage *request, void *env);
};
struct wrap_ttrpc_service {
    const char *name; /**< e.g. "containerd.task.v2.Task" */
    const struct wrap_ttrpc_method *methods;
    size_t method_count;
};

/** Answers with a message; the caller keeps it. */
void wrap_ttrpc_reply(struct wrap_ttrpc_call *call, const ProtobufCMessage *response);
/** Answers with an error. */
void wrap_ttrpc_refuse(struct wrap_ttrpc_call *call, const struct wrap_error *err);
/** A value of the request's metadata, e.g. "traceparent" (keys in any case); NULL: none. Valid
 * until `handle` returns. */
const char *wrap_ttrpc_metadata(const struct wrap_ttrpc_call *call, const char *key);

/** The span that the call is, NULL: none. Valid until its answer. */
const struct wrap_span *wrap_ttrpc_span(const struct wrap_ttrpc_call *call);

struct wrap_ttrpc_server;
/** Serves on a bound socket (taken over, also by a failure); the tables stay the caller's. Memory
 * for all that waits in a connection is bounded: a peer that does not read its answers is not read
 * from. */
bool wrap_ttrpc_serve(uv_loop_t *loop, int socket, const struct wrap_ttrpc_service *services,
                      size_t service_count, void *env, struct wrap_ttrpc_server **out,
                      struct wrap_error *err);
/** From now on each call is a span of `spans`. */
void wrap_ttrpc_trace(struct wrap_ttrpc_server *server, struct wrap_spans *spans);
/** Calls that have no answer yet and whose peers are still there. */
size_t wrap_ttrpc_pending(const struct wrap_ttrpc_server *server);
/** Stops listening, sends the answers that are queued (for at most two seconds) and then closes;
 * `done`, if not NULL, afterwards. Calls without an answer get none: end them first. */
void wrap_ttrpc_close(struct wrap_ttrpc_server *server, void (*done)(void *env), void *env);

struct wrap_ttrpc_client;
/** A client of the socket at `address` ("unix://…", or a path), connected when it is needed and
 * again, with patience, when the other side went away; requests are sent in their order, one after
 * the other is answered. */
bool wrap_ttrpc_client_new(uv_loop_t *loop, const char *address, struct wrap_ttrpc_client **out,
                           struct wrap_error *err);
/** Queues a request; `done`, if not NULL, gets NULL or an error, the peer's or ours. At most
 * `patience_ms` are spent on it, then it is dropped (DEADLINE_EXCEEDED). The queue holds 4096
 * requests and 4 MiB: when it is full the oldest that is not on its way is dropped
 * (RESOURCE_EXHAUSTED). A request is sent again when its connection is lost before the answer: the
 * peer may see it twice. False: no memory, or too long, and `done` is not called. */
bool wrap_ttrpc_client_send(struct wrap_ttrpc_client *client, const char *service,
                            const char *method, const ProtobufCMessage *request,
                            unsigned patience_ms,
                            void (*done)(const struct wrap_error *err, void *env), void *env);
/** Requests that are queued or wait for their answer. */
size_t wrap_ttrpc_client_pending(const struct wrap_ttrpc_client *client);
/** Drops what is queued and closes; `done` afterwards. */
void wrap_ttrpc_client_close(struct wrap_ttrpc_client *client, void (*done)(void *env), void *env);

/**
 * Unpacks a message that a peer made. The memory it takes is bounded (a small multiple of `size`,
 * at least 64 KiB, at most 32 MiB); NULL: malformed or too large. Freed by wrap_message_free.
 */
ProtobufCMessage *wrap_message_unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                                      size_t size);
void wrap_message_free(ProtobufCMessage *message);

#endif
