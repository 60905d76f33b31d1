/* SPDX-License-Identifier: Apache-2.0 */
/* spans_impl.h - a span, for those that make (spans.c) and send them (otlp.c), and their tests. */
#ifndef WRAPPERS_SHIM_SPANS_IMPL_H
#define WRAPPERS_SHIM_SPANS_IMPL_H

#include "shim/otlp_config.h"
#include "shim/spans.h"

enum { WRAP_SPAN_ATTRIBUTES = 6, WRAP_SPAN_TEXT = 160 };
enum wrap_span_kind { WRAP_SPAN_INTERNAL = 1, WRAP_SPAN_SERVER = 2 };

struct wrap_span_context {
    uint8_t trace[16], span[8];
    uint8_t flags; /**< 1: sampled */
};

struct wrap_span_attribute {
    const char *key;
    char *text; /**< own; NULL: `number` */
    int64_t number;
};

struct wrap_span {
    struct wrap_span *next; /**< in the queue */
    struct wrap_spans *spans;
    struct wrap_span_context context;
    uint8_t parent[8]; /**< all 0: none */
    enum wrap_span_kind kind;
    const char *name; /**< `own_name`, or somebody's who stays */
    char *own_name;
    uint64_t begun_ns, ended_ns; /**< since 1970 */
    struct wrap_span_attribute attributes[WRAP_SPAN_ATTRIBUTES];
    size_t attribute_count;
    bool failed;
    char status[WRAP_SPAN_TEXT]; /**< of a failure; UTF-8 */
};

/** "00-…-…-01" as version 00, and what later ones begin with. False: it is none. */
bool wrap_traceparent_read(const char *text, struct wrap_span_context *out);
/** Whether a span shall be taken whose parent is `parent` (NULL: none), in trace `trace`. */
bool wrap_span_is_sampled(const struct wrap_otlp_config *config,
                          const struct wrap_span_context *parent, const uint8_t trace[16]);

struct wrap_otlp_batch {
    const struct wrap_otlp_config *config;
    const char *ns; /**< containerd's namespace */
    const struct wrap_span *first; /**< a list */
};
/** The packed request, malloc'ed; NULL: no memory. */
uint8_t *wrap_otlp_pack(const struct wrap_otlp_batch *batch, size_t *size);
/** Sends it and waits for the answer, at most as long as the settings say; blocks. In a process of
 * its own, which has no use for descriptors or signals, and no rights any more afterwards. */
bool wrap_otlp_send(const struct wrap_otlp_batch *batch, struct wrap_error *err);
/** All of it, without SIGPIPE; false: errno. */
bool wrap_otlp_write(int socket, const void *data, size_t size);
/** The status of an answer of HTTP/1; -1: that is none, 0: it is not whole yet. Pure. */
int wrap_otlp_http_status(const char *text, size_t size);
/** The same by gRPC on a connected socket, without a limit of time; UNIMPLEMENTED in builds without
 * HTTP/2. */
bool wrap_otlp_grpc(const struct wrap_otlp_config *config, int socket, const uint8_t *request,
                    size_t size, struct wrap_error *err);

#endif
