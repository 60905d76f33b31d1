/* SPDX-License-Identifier: Apache-2.0 */
/* otlp.c - spans as a request of OTLP, and its way to a collector. Blocks: see spans_impl.h. */
#include "sandbox/sandbox.h"
#include "shim/proto/otlp.pb-c.h"
#include "shim/spans_impl.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---------------------------------------------------------------- packing */

/* Memory of a request, given back at once. */
struct heap {
    void *items[4];
    size_t count;
};

static void *take(struct heap *heap, size_t count, size_t size)
{
    void *item = calloc(count + 1, size);
    if (item) {
        heap->items[heap->count++] = item;
    }
    return item;
}

struct row {
    Otlp__Attribute attribute;
    Otlp__Value value;
};

static void set_row(struct row *row, const char *key, const char *text, int64_t number)
{
    otlp__attribute__init(&row->attribute);
    otlp__value__init(&row->value);
    row->attribute.key = (char *)key;
    row->attribute.value = &row->value;
    if (text) {
        row->value.value_case = OTLP__VALUE__VALUE_STRING_VALUE;
        row->value.string_value = (char *)text;
    } else {
        row->value.value_case = OTLP__VALUE__VALUE_INT_VALUE;
        row->value.int_value = number;
    }
}

struct packed_span {
    Otlp__Span span;
    Otlp__Status status;
    struct row rows[WRAP_SPAN_ATTRIBUTES];
    Otlp__Attribute *attributes[WRAP_SPAN_ATTRIBUTES];
};

static void set_span(struct packed_span *out, const struct wrap_span *span)
{
    static const uint8_t none[sizeof span->parent];
    otlp__span__init(&out->span);
    out->span.trace_id =
        (ProtobufCBinaryData){sizeof span->context.trace, (uint8_t *)span->context.trace};
    out->span.span_id =
        (ProtobufCBinaryData){sizeof span->context.span, (uint8_t *)span->context.span};
    if (memcmp(span->parent, none, sizeof none) != 0) {
        out->span.parent_span_id =
            (ProtobufCBinaryData){sizeof span->parent, (uint8_t *)span->parent};
    }
    out->span.name = (char *)span->name;
    out->span.kind = (int32_t)span->kind;
    out->span.start_time_unix_nano = span->begun_ns;
    out->span.end_time_unix_nano = span->ended_ns;
    out->span.flags = span->context.flags;
    for (size_t i = 0; i < span->attribute_count; i++) {
        const struct wrap_span_attribute *from = &span->attributes[i];
        set_row(&out->rows[i], from->key, from->text, from->number);
        out->attributes[i] = &out->rows[i].attribute;
    }
    out->span.attributes = out->attributes;
    out->span.n_attributes = span->attribute_count;
    if (span->failed) {
        otlp__status__init(&out->status);
        out->status.code = 2;
        out->status.message = (char *)span->status;
        out->span.status = &out->status;
    }
}

/* What all spans share: the service, the process, what the environment adds. */
static size_t set_resource(const struct wrap_otlp_batch *batch, struct row *rows)
{
    const struct wrap_otlp_pairs *more = &batch->config->attributes;
    size_t count = 0;
    set_row(&rows[count++], "service.name", batch->config->service, 0);
    set_row(&rows[count++], "service.version", WASMRUN_VERSION, 0);
    set_row(&rows[count++], "process.pid", NULL, getppid());
    set_row(&rows[count++], "containerd.namespace", batch->ns, 0);
    for (size_t i = 0; i < more->count; i++) {
        if (strcmp(more->items[i].name, "service.name") != 0) {
            set_row(&rows[count++], more->items[i].name, more->items[i].value, 0);
        }
    }
    return count;
}

static uint8_t *pack(const struct wrap_otlp_batch *batch, struct heap *heap, size_t *size)
{
    enum { ROWS_MAX = WRAP_OTLP_PAIRS_MAX + 4 };
    struct row rows[ROWS_MAX];
    Otlp__Attribute *attributes[ROWS_MAX];
    Otlp__ExportRequest request = OTLP__EXPORT_REQUEST__INIT;
    Otlp__ResourceSpans resource_spans = OTLP__RESOURCE_SPANS__INIT;
    Otlp__ScopeSpans scope_spans = OTLP__SCOPE_SPANS__INIT;
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    Otlp__Scope scope = OTLP__SCOPE__INIT;
    Otlp__ResourceSpans *resources[] = {&resource_spans};
    Otlp__ScopeSpans *scopes[] = {&scope_spans};
    size_t count = 0;
    for (const struct wrap_span *each = batch->first; each; each = each->next) {
        count++;
    }
    struct packed_span *packed = take(heap, count, sizeof *packed);
    Otlp__Span **spans = take(heap, count, sizeof(Otlp__Span *));
    if (!packed || !spans) {
        return NULL;
    }
    const struct wrap_span *span = batch->first;
    for (size_t i = 0; i < count; i++, span = span->next) {
        set_span(&packed[i], span);
        spans[i] = &packed[i].span;
    }
    resource.n_attributes = set_resource(batch, rows);
    for (size_t i = 0; i < resource.n_attributes; i++) {
        attributes[i] = &rows[i].attribute;
    }
    resource.attributes = attributes;
    scope.name = (char *)"wasmrun";
    scope.version = (char *)WASMRUN_VERSION;
    scope_spans.scope = &scope;
    scope_spans.spans = spans;
    scope_spans.n_spans = count;
    resource_spans.resource = &resource;
    resource_spans.scope_spans = scopes;
    resource_spans.n_scope_spans = 1;
    request.resource_spans = resources;
    request.n_resource_spans = 1;
    uint8_t *out = malloc(otlp__export_request__get_packed_size(&request) + 1);
    if (out) {
        *size = otlp__export_request__pack(&request, out);
    }
    return out;
}

uint8_t *wrap_otlp_pack(const struct wrap_otlp_batch *batch, size_t *size)
{
    struct heap heap = {.count = 0};
    uint8_t *out = pack(batch, &heap, size);
    for (size_t i = 0; i < heap.count; i++) {
        free(heap.items[i]);
    }
    return out;
}

/* ---------------------------------------------------------------- HTTP */

int wrap_otlp_http_status(const char *text, size_t size)
{
    static const char start[] = "HTTP/1.";
    enum { START = sizeof start - 1, END = START + 5 }; /* "1 200" */
    size_t known = size < START ? size : START;
    if (memcmp(text, start, known) != 0) {
        return -1;
    }
    if (size < END) {
        return 0;
    }
    int status = 0;
    for (int i = END - 3; i < END; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        status = status * 10 + (text[i] - '0');
    }
    bool good = (text[START] == '0' || text[START] == '1') && text[START + 1] == ' ';
    return good && status >= 100 ? status : -1;
}

bool wrap_otlp_write(int socket, const void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t wrote = send(socket, (const char *)data + at, size - at, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

/* 1xx answers are followed by the one that counts, which none of ours asks for. */
static bool read_answer(int fd, struct wrap_error *err)
{
    char text[64];
    size_t used = 0;
    int status = 0;
    while (status == 0 && used < sizeof text) {
        ssize_t got = recv(fd, text + used, sizeof text - used, 0);
        if (got <= 0) {
            return got < 0 ? wrap_fail_errno(err, errno, "the answer")
                           : wrap_fail(err, WRAP_UNAVAILABLE, "no answer");
        }
        used += (size_t)got;
        status = wrap_otlp_http_status(text, used);
    }
    return status / 100 == 2 ||
           wrap_fail(err, WRAP_UNAVAILABLE,
                     status < 0 ? "not an answer of HTTP/1" : "HTTP status %d", status);
}

static bool send_http(const struct wrap_otlp_config *config, int fd, const uint8_t *request,
                      size_t size, struct wrap_error *err)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (!to) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    bool is_v6 = strchr(config->host, ':') != NULL;
    fprintf(to,
            "POST %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nContent-Type: application/x-protobuf\r\n"
            "Content-Length: %zu\r\nConnection: close\r\n",
            config->path, is_v6 ? "[" : "", config->host, is_v6 ? "]" : "", config->port, size);
    for (size_t i = 0; i < config->headers.count; i++) {
        const struct wrap_otlp_pair *pair = &config->headers.items[i];
        fprintf(to, "%s: %s\r\n", pair->name, pair->value);
    }
    fprintf(to, "\r\n");
    bool good = fclose(to) == 0 && text;
    if (!good) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    } else if (!wrap_otlp_write(fd, text, length) || !wrap_otlp_write(fd, request, size)) {
        good = wrap_fail_errno(err, errno, "sending");
    }
    free(text);
    return good && read_answer(fd, err);
}

/* ---------------------------------------------------------------- the way there */

/* -1: `err` has what the last address said. */
static int open_way(const struct wrap_otlp_config *config, struct wrap_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int problem = getaddrinfo(config->host, config->port, &hints, &found);
    int fd = -1;
    if (problem) {
        wrap_fail(err, WRAP_UNAVAILABLE, "%s: %s", config->host, gai_strerror(problem));
        return -1;
    }
    for (const struct addrinfo *each = found; each && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            wrap_fail_errno(err, errno, "connecting");
            close(fd);
            fd = -1;
        } else if (fd < 0) {
            wrap_fail_errno(err, errno, "a socket");
        }
    }
    freeaddrinfo(found);
    if (fd >= 0) {
        *err = (struct wrap_error){0};
    }
    return fd;
}

/* For the whole of it, however often something comes: by the default of the signal. */
static void limit_time(unsigned ms)
{
    const struct itimerval timer = {.it_value = {ms / 1000, (suseconds_t)(ms % 1000) * 1000}};
    sigset_t set;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

bool wrap_otlp_send(const struct wrap_otlp_batch *batch, struct wrap_error *err)
{
    size_t size = 0;
    limit_time(batch->config->timeout_ms);
    uint8_t *request = wrap_otlp_pack(batch, &size);
    if (!request) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    int fd = open_way(batch->config, err);
    bool good =
        fd >= 0 && (batch->config->grpc ? wrap_otlp_grpc(batch->config, fd, request, size, err)
                                        : send_http(batch->config, fd, request, size, err));
    if (fd >= 0) {
        close(fd);
    }
    free(request);
    return good;
}
