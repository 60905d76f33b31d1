/* SPDX-License-Identifier: Apache-2.0 */
/* spans.c - spans from their begin until a helper sends them. */
#include "shim/spans.h"

#include "common/json.h"
#include "shim/aside.h"
#include "shim/log.h"
#include "shim/spans_impl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct wrap_spans {
    struct wrap_otlp_config config;
    const char *ns;
    uv_timer_t timer;
    struct wrap_span *first, **last; /* finished, the oldest first */
    size_t count;
    struct wrap_span *sending; /* a batch on its way */
    uint64_t dropped;
    bool told; /* that a batch was lost */
};

/* ---------------------------------------------------------------- contexts */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex(text[2 * i]);
        int low = high < 0 ? -1 : hex(text[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= bytes[i];
    }
    return all == 0;
}

bool wrap_traceparent_read(const char *text, struct wrap_span_context *out)
{
    enum { SIZE = WRAP_TRACEPARENT_SIZE - 1 };
    uint8_t version;
    if (!text || strnlen(text, SIZE) < SIZE || text[2] != '-' || text[35] != '-' ||
        text[52] != '-' || !read_hex(text, &version, 1) || version == 0xff ||
        (text[SIZE] && (version == 0 || text[SIZE] != '-'))) {
        return false;
    }
    return read_hex(text + 3, out->trace, sizeof out->trace) &&
           read_hex(text + 36, out->span, sizeof out->span) &&
           read_hex(text + 53, &out->flags, 1) && !is_zero(out->trace, sizeof out->trace) &&
           !is_zero(out->span, sizeof out->span);
}

bool wrap_span_is_sampled(const struct wrap_otlp_config *config,
                          const struct wrap_span_context *parent, const uint8_t trace[16])
{
    if (parent && config->heeds_parent) {
        return parent->flags & 1;
    }
    if (config->sampler != WRAP_OTLP_RATIO) {
        return config->sampler == WRAP_OTLP_ALWAYS;
    }
    uint64_t number = 0;
    for (int i = 8; i < 16; i++) {
        number = number << 8 | trace[i];
    }
    return number >> 1 < config->bound;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---------------------------------------------------------------- in progress */

static struct wrap_span *span_new(struct wrap_spans *spans, const struct wrap_span_context *parent)
{
    struct wrap_span *span = calloc(1, sizeof *span);
    if (!span) {
        spans->dropped++;
        return NULL;
    }
    span->spans = spans;
    span->context.flags = 1;
    if (parent) {
        memcpy(span->context.trace, parent->trace, sizeof parent->trace);
        memcpy(span->parent, parent->span, sizeof parent->span);
    }
    if ((!parent && getrandom(span->context.trace, sizeof span->context.trace, 0) < 0) ||
        getrandom(span->context.span, sizeof span->context.span, 0) < 0) {
        wrap_span_drop(span);
        return NULL;
    }
    span->begun_ns = now_ns();
    return span;
}

struct wrap_span *wrap_span_serve(struct wrap_spans *spans, const char *traceparent,
                                  const char *service, const char *method)
{
    struct wrap_span_context context;
    if (!spans) {
        return NULL;
    }
    bool has_parent = wrap_traceparent_read(traceparent, &context);
    if (has_parent && !wrap_span_is_sampled(&spans->config, &context, context.trace)) {
        return NULL;
    }
    struct wrap_span *span = span_new(spans, has_parent ? &context : NULL);
    if (!span) {
        return NULL;
    }
    if ((!has_parent && !wrap_span_is_sampled(&spans->config, NULL, span->context.trace)) ||
        asprintf(&span->own_name, "%s/%s", service, method) < 0) {
        span->own_name = NULL;
        wrap_span_drop(span);
        return NULL;
    }
    span->name = span->own_name;
    span->kind = WRAP_SPAN_SERVER;
    wrap_span_text(span, "rpc.system", "ttrpc");
    wrap_span_text(span, "rpc.service", service);
    wrap_span_text(span, "rpc.method", method);
    return span;
}

struct wrap_span *wrap_span_within(const struct wrap_span *parent, const char *name)
{
    struct wrap_span *span = parent ? span_new(parent->spans, &parent->context) : NULL;
    if (span) {
        span->name = name;
        span->kind = WRAP_SPAN_INTERNAL;
    }
    return span;
}

void wrap_span_begin_again(struct wrap_span *span)
{
    if (span) {
        span->begun_ns = now_ns();
    }
}

/* A copy that is UTF-8, whatever the bytes are, and not too long. */
static void copy_text(char out[WRAP_SPAN_TEXT], const char *text)
{
    size_t left = strlen(text);
    size_t used = 0;
    while (left) {
        size_t length = wrap_utf8_sequence((const unsigned char *)text, left);
        size_t taken = length ? length : 1;
        if (used + taken >= WRAP_SPAN_TEXT) {
            break;
        }
        if (length) {
            memcpy(out + used, text, length);
        } else {
            out[used] = '?';
        }
        used += taken;
        text += taken;
        left -= taken;
    }
    out[used] = '\0';
}

static struct wrap_span_attribute *attribute(struct wrap_span *span, const char *key)
{
    if (!span || span->attribute_count == WRAP_SPAN_ATTRIBUTES) {
        return NULL;
    }
    struct wrap_span_attribute *row = &span->attributes[span->attribute_count++];
    *row = (struct wrap_span_attribute){.key = key};
    return row;
}

void wrap_span_text(struct wrap_span *span, const char *key, const char *value)
{
    char text[WRAP_SPAN_TEXT];
    struct wrap_span_attribute *row = attribute(span, key);
    if (row) {
        copy_text(text, value);
        row->text = strdup(text);
        span->attribute_count -= !row->text; /* no memory: it is left out */
    }
}

void wrap_span_number(struct wrap_span *span, const char *key, int64_t value)
{
    struct wrap_span_attribute *row = attribute(span, key);
    if (row) {
        row->number = value;
    }
}

bool wrap_span_traceparent(const struct wrap_span *span, char out[WRAP_TRACEPARENT_SIZE])
{
    if (!span) {
        return false;
    }
    const struct wrap_span_context *context = &span->context;
    char *to = out + sprintf(out, "00-");
    for (size_t i = 0; i < sizeof context->trace; i++) {
        to += sprintf(to, "%02x", context->trace[i]);
    }
    to += sprintf(to, "-");
    for (size_t i = 0; i < sizeof context->span; i++) {
        to += sprintf(to, "%02x", context->span[i]);
    }
    sprintf(to, "-%02x", context->flags);
    return true;
}

void wrap_span_drop(struct wrap_span *span)
{
    if (span) {
        for (size_t i = 0; i < span->attribute_count; i++) {
            free(span->attributes[i].text);
        }
        free(span->own_name);
        free(span);
    }
}

static void drop_list(struct wrap_span *first)
{
    while (first) {
        struct wrap_span *next = first->next;
        wrap_span_drop(first);
        first = next;
    }
}

/* ---------------------------------------------------------------- sending */

static void send_batch(struct wrap_spans *spans);

static void on_timer(uv_timer_t *timer) { send_batch(timer->data); }

static void wake(struct wrap_spans *spans)
{
    if (spans->sending || !spans->count) {
        return;
    }
    if (spans->count >= spans->config.batch_max) {
        send_batch(spans);
    } else if (!uv_is_active((uv_handle_t *)&spans->timer)) {
        uv_timer_start(&spans->timer, on_timer, spans->config.delay_ms, 0);
    }
}

static bool work(void *context, struct wrap_error *err)
{
    const struct wrap_spans *spans = context;
    const struct wrap_otlp_batch batch = {&spans->config, spans->ns, spans->sending};
    struct wrap_error why = {0};
    wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "not taken in time"); /* when a signal ends this */
    bool good = wrap_otlp_send(&batch, &why);
    *err = why;
    return good;
}

static void on_sent(const struct wrap_error *err, void *context)
{
    struct wrap_spans *spans = context;
    size_t count = 0;
    for (const struct wrap_span *each = spans->sending; each; each = each->next) {
        count++;
    }
    drop_list(spans->sending);
    spans->sending = NULL;
    spans->dropped += err ? count : 0;
    if (err && !spans->told) {
        wrap_log(WRAP_LOG_WARNING, NULL, "spans can't be sent to %s:%s: %s", spans->config.host,
                 spans->config.port, err->text);
    } else if (!err && spans->dropped) {
        wrap_log(WRAP_LOG_WARNING, NULL, "%llu spans were lost",
                 (unsigned long long)spans->dropped);
        spans->dropped = 0;
    }
    spans->told = err != NULL;
    wake(spans);
}

/* The oldest of the queue, as many as a batch may have. */
static void take_batch(struct wrap_spans *spans, size_t most)
{
    struct wrap_span **end = &spans->first;
    spans->sending = spans->first;
    for (size_t i = 0; i < most && *end; i++) {
        end = &(*end)->next;
        spans->count--;
    }
    struct wrap_span *rest = *end;
    *end = NULL;
    spans->first = rest;
    spans->last = rest ? spans->last : &spans->first;
}

static void send_batch(struct wrap_spans *spans)
{
    const struct wrap_aside_config aside = {.work = work, .done = on_sent, .context = spans};
    struct wrap_error err = {0};
    uv_timer_stop(&spans->timer);
    take_batch(spans, spans->config.batch_max);
    if (!wrap_aside(&aside, &err)) {
        on_sent(&err, spans);
    }
}

void wrap_span_end(struct wrap_span *span, const struct wrap_error *err)
{
    if (!span) {
        return;
    }
    struct wrap_spans *spans = span->spans;
    span->ended_ns = now_ns();
    span->failed = err != NULL;
    if (err) {
        copy_text(span->status, err->text);
    }
    if (spans->count >= spans->config.queue_max) {
        spans->dropped++;
        wrap_span_drop(span);
        return;
    }
    span->next = NULL;
    *spans->last = span;
    spans->last = &span->next;
    spans->count++;
    wake(spans);
}

/* ---------------------------------------------------------------- the whole */

static const char *get(const char *name, void *env)
{
    (void)env;
    return getenv(name);
}

struct wrap_spans *wrap_spans_new(uv_loop_t *loop, const char *ns)
{
    char note[256];
    static const char *const asking[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                         "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"};
    if (!getenv(asking[0]) && !getenv(asking[1])) {
        return NULL; /* not a page is touched for nothing */
    }
    struct wrap_spans *spans = calloc(1, sizeof *spans);
    if (!spans) {
        return NULL;
    }
    if (!wrap_otlp_config_read(get, NULL, &spans->config, note) ||
        uv_timer_init(loop, &spans->timer) != 0) {
        if (note[0]) {
            wrap_log(WRAP_LOG_WARNING, NULL, "%s", note);
        }
        free(spans);
        return NULL;
    }
    spans->timer.data = spans;
    uv_unref((uv_handle_t *)&spans->timer);
    spans->ns = ns;
    spans->last = &spans->first;
    return spans;
}

/* A batch that is on its way already has a process of its own; so has each of these. */
void wrap_spans_finish(struct wrap_spans *spans)
{
    while (spans && spans->count) {
        struct wrap_error err = {0};
        take_batch(spans, spans->config.batch_max);
        if (fork() == 0) {
            (void)syscall(SYS_close_range, 0, ~0U, 0);
            _exit(work(spans, &err) ? 0 : 1);
        }
    }
}
