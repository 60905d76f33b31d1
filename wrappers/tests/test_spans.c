/* SPDX-License-Identifier: Apache-2.0 */
/* test_spans.c - OpenTelemetry's environment, trace contexts, sampling, packed requests, the queue;
 * this process is the collector. */
#include "shim/proto/otlp.pb-c.h"
#include "shim/reaper.h"
#include "shim/spans_impl.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---------------------------------------------------------------- the environment */

/* "A=1\nB=2" as an environment. */
static const char *look_up(const char *name, void *env)
{
    static char values[8][512]; /* until the eighth next call */
    static unsigned next;
    char *value = values[next++ % 8];
    size_t length = strlen(name);
    for (const char *row = env; *row; row += strcspn(row, "\n"), row += *row == '\n') {
        if (strncmp(row, name, length) == 0 && row[length] == '=') {
            size_t size = strcspn(row + length + 1, "\n");
            assert_true(size < sizeof values[0]);
            memcpy(value, row + length + 1, size);
            value[size] = '\0';
            return value;
        }
    }
    return NULL;
}

static bool read_config(const char *rows, struct wrap_otlp_config *out, char note[256])
{
    return wrap_otlp_config_read(look_up, (void *)(uintptr_t)rows, out, note);
}

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT="
#define TRACES "OTEL_EXPORTER_OTLP_TRACES_"

static void test_endpoints(void **state)
{
    static const struct {
        const char *rows, *host, *port, *path;
        bool grpc;
    } cases[] = {
        {ENDPOINT "http://a", "a", "4318", "/v1/traces", false},
        {ENDPOINT "HTTP://a:1/", "a", "1", "/v1/traces", false},
        {ENDPOINT "http://a/b//", "a", "4318", "/b/v1/traces", false},
        {ENDPOINT "http://[::1]:65535/b", "::1", "65535", "/b/v1/traces", false},
        {ENDPOINT "http://a\n" TRACES "ENDPOINT=http://b:9", "b", "9", "/", false},
        {TRACES "ENDPOINT=http://b/x", "b", "4318", "/x", false},
        {ENDPOINT "http://a\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", "a", "4317", "/v1/traces", true},
        {ENDPOINT "http://a\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\n" TRACES "PROTOCOL=http/protobuf",
         "a", "4318", "/v1/traces", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wrap_otlp_config config;
        char note[256];
        assert_true(read_config(cases[i].rows, &config, note));
        assert_string_equal(note, "");
        assert_string_equal(config.host, cases[i].host);
        assert_string_equal(config.port, cases[i].port);
        assert_string_equal(config.path, cases[i].path);
        assert_int_equal(config.grpc, cases[i].grpc);
    }
}

static void test_what_is_not_taken(void **state)
{
    static const struct {
        const char *rows, *note; /* "": silently */
    } cases[] = {
        {"", ""},
        {ENDPOINT, ""},
        {ENDPOINT "http://a\nOTEL_SDK_DISABLED=True", ""},
        {ENDPOINT "http://a\nOTEL_TRACES_EXPORTER=none", ""},
        {"OTEL_TRACES_EXPORTER=zipkin", ""}, /* no endpoint: nobody asks us */
        {ENDPOINT "https://a", "no TLS"},
        {ENDPOINT "a:4317", "not an http:// URL"},
        {ENDPOINT "http://", "not an http:// URL"},
        {ENDPOINT "http://a:", "not an http:// URL"},
        {ENDPOINT "http://a:65536", "not an http:// URL"},
        {ENDPOINT "http://a:1x", "not an http:// URL"},
        {ENDPOINT "http://u@a", "not an http:// URL"},
        {ENDPOINT "http://[::1", "not an http:// URL"},
        {ENDPOINT "http://a b", "not an http:// URL"},
        {ENDPOINT "http://a/\r", "not an http:// URL"},
        {ENDPOINT "http://a\nOTEL_EXPORTER_OTLP_PROTOCOL=http/json", "http/json is not supported"},
        {ENDPOINT "http://a\nOTEL_TRACES_EXPORTER=zipkin", "exporter zipkin"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wrap_otlp_config config;
        char note[256];
        assert_false(read_config(cases[i].rows, &config, note));
        if (cases[i].note[0]) {
            assert_non_null(strstr(note, cases[i].note));
        } else {
            assert_string_equal(note, "");
        }
    }
}

static void test_settings(void **state)
{
    struct wrap_otlp_config config;
    char note[256];
    (void)state;
    assert_true(read_config(ENDPOINT "http://a", &config, note));
    assert_int_equal(config.timeout_ms, 10000);
    assert_int_equal(config.delay_ms, 5000);
    assert_int_equal(config.queue_max, 2048);
    assert_int_equal(config.batch_max, 512);
    assert_int_equal(config.sampler, WRAP_OTLP_ALWAYS);
    assert_true(config.heeds_parent);
    assert_string_equal(config.service, "containerd-shim-wasmrun-v1");
    assert_int_equal(config.headers.count + config.attributes.count, 0);
    assert_true(read_config(ENDPOINT "http://a\nOTEL_EXPORTER_OTLP_TIMEOUT=5\n" TRACES "TIMEOUT=7\n"
                                     "OTEL_BSP_SCHEDULE_DELAY=0\nOTEL_BSP_MAX_QUEUE_SIZE=3\n"
                                     "OTEL_TRACES_SAMPLER=traceidratio\n"
                                     "OTEL_TRACES_SAMPLER_ARG=0.25\n"
                                     "OTEL_EXPORTER_OTLP_HEADERS= a = b%20c ,x,=y,d=e%0af,g=%zz\n"
                                     "OTEL_RESOURCE_ATTRIBUTES=service.name=s,k=v=w",
                            &config, note));
    assert_int_equal(config.timeout_ms, 7);
    assert_int_equal(config.delay_ms, 0);
    assert_int_equal(config.queue_max, 3);
    assert_int_equal(config.batch_max, 3);
    assert_int_equal(config.sampler, WRAP_OTLP_RATIO);
    assert_false(config.heeds_parent);
    assert_true(config.bound == UINT64_C(1) << 61);
    assert_int_equal(config.headers.count, 2); /* a line feed in a value is no header */
    assert_string_equal(config.headers.items[0].name, "a");
    assert_string_equal(config.headers.items[0].value, "b c");
    assert_string_equal(config.headers.items[1].value, "%zz");
    assert_string_equal(config.service, "s");
    assert_string_equal(config.attributes.items[1].value, "v=w");
    assert_true(read_config(ENDPOINT "http://a\nOTEL_EXPORTER_OTLP_TIMEOUT=soon\n"
                                     "OTEL_BSP_MAX_QUEUE_SIZE=0\nOTEL_TRACES_SAMPLER=mine\n"
                                     "OTEL_TRACES_SAMPLER_ARG=nan\nOTEL_SERVICE_NAME=t",
                            &config, note));
    assert_int_equal(config.timeout_ms, 10000);
    assert_int_equal(config.queue_max, 2048);
    assert_int_equal(config.sampler, WRAP_OTLP_ALWAYS);
    assert_string_equal(config.service, "t");
}

/* ---------------------------------------------------------------- contexts and sampling */

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void test_trace_contexts(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"00-" TRACE "-" PARENT "-01", true},
        {"00-" TRACE "-" PARENT "-00", true},
        {"cc-" TRACE "-" PARENT "-01-more", true},
        {"cc-" TRACE "-" PARENT "-01", true},
        {"00-" TRACE "-" PARENT "-01-more", false},
        {"cc-" TRACE "-" PARENT "-01x", false},
        {"ff-" TRACE "-" PARENT "-01", false},
        {"00-" TRACE "-" PARENT "-0", false},
        {"00-" TRACE "-" PARENT "-0x", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false},
        {"00-00000000000000000000000000000000-" PARENT "-01", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00_" TRACE "-" PARENT "-01", false},
        {"", false},
        {NULL, false},
    };
    struct wrap_span_context context;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(wrap_traceparent_read(cases[i].text, &context), cases[i].good);
    }
    assert_true(wrap_traceparent_read(cases[0].text, &context));
    assert_int_equal(context.trace[0], 0x0a);
    assert_int_equal(context.trace[15], 0x9c);
    assert_int_equal(context.span[7], 0x31);
    assert_int_equal(context.flags, 1);
}

static void test_sampling(void **state)
{
    const struct wrap_span_context yes = {.flags = 1};
    const struct wrap_span_context no = {.flags = 0};
    const uint8_t low[16] = {[8] = 0x3f, [9] = 0xff};
    const uint8_t high[16] = {[8] = 0x40};
    struct wrap_otlp_config config = {.sampler = WRAP_OTLP_ALWAYS, .heeds_parent = true};
    (void)state;
    assert_true(wrap_span_is_sampled(&config, NULL, low));
    assert_true(wrap_span_is_sampled(&config, &yes, low));
    assert_false(wrap_span_is_sampled(&config, &no, low));
    config.heeds_parent = false;
    assert_true(wrap_span_is_sampled(&config, &no, low));
    config.sampler = WRAP_OTLP_NEVER;
    assert_false(wrap_span_is_sampled(&config, &yes, low));
    config.sampler = WRAP_OTLP_RATIO;
    config.bound = UINT64_C(1) << 61; /* a quarter */
    assert_true(wrap_span_is_sampled(&config, NULL, low));
    assert_false(wrap_span_is_sampled(&config, NULL, high));
    config.bound = 0;
    assert_false(wrap_span_is_sampled(&config, NULL, (const uint8_t[16]){0}));
    config.bound = UINT64_MAX;
    assert_true(wrap_span_is_sampled(&config, NULL, high));
}

/* ---------------------------------------------------------------- answers */

static void test_answers_of_http(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n", 200},
        {"HTTP/1.0 503", 503},
        {"HTTP/1.1 2", 0},
        {"", 0},
        {"HTTP/2 200", -1},
        {"HTTP/1.1 20x", -1},
        {"SSH", -1},
        {"HTTP/1.9 200", -1},
        {"HTTP/1.1 099 x", -1},
        {"HTTP/1.1_200", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(wrap_otlp_http_status(cases[i].text, strlen(cases[i].text)),
                         cases[i].status);
    }
}

/* ---------------------------------------------------------------- from begin to collector */

struct collector {
    int listener;
    uv_loop_t loop;
    struct wrap_spans *spans;
};

static void begin(struct collector *out)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    struct wrap_error err = {0};
    char url[64];
    out->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(out->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(out->listener, 8), 0);
    assert_int_equal(getsockname(out->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url, 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "600000", 1);
    setenv("OTEL_BSP_MAX_QUEUE_SIZE", "2", 1);
    assert_int_equal(uv_loop_init(&out->loop), 0);
    if (!wrap_reaper_start(&out->loop, &err)) { /* an emulator knows no subreapers */
        close(out->listener);
        assert_int_equal(uv_loop_close(&out->loop), 0);
        print_message("SKIPPED: %s\n", err.text);
        skip();
    }
    out->spans = wrap_spans_new(&out->loop, "ns");
    assert_non_null(out->spans);
}

/* The next batch, answered. */
static Otlp__ExportRequest *take(struct collector *collector)
{
    static char text[1 << 16];
    size_t used = 0;
    size_t whole = 0;
    int stream = accept(collector->listener, NULL, NULL);
    assert_true(stream >= 0);
    while (!whole || used < whole) {
        ssize_t got = read(stream, text + used, sizeof text - 1 - used);
        assert_true(got > 0);
        used += (size_t)got;
        text[used] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        if (body) {
            const char *length = strstr(text, "Content-Length: ");
            assert_true(length && length < body);
            whole = (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10);
        }
    }
    assert_int_equal(used, whole);
    assert_memory_equal(text, "POST /v1/traces HTTP/1.1\r\n", 26);
    const char *body = strstr(text, "\r\n\r\n") + 4;
    Otlp__ExportRequest *request =
        otlp__export_request__unpack(NULL, (size_t)(text + used - body), (const uint8_t *)body);
    assert_non_null(request);
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(write(stream, answer, sizeof answer - 1), sizeof answer - 1);
    close(stream);
    return request;
}

static const Otlp__ScopeSpans *spans_of(const Otlp__ExportRequest *request)
{
    assert_int_equal(request->n_resource_spans, 1);
    assert_int_equal(request->resource_spans[0]->n_scope_spans, 1);
    return request->resource_spans[0]->scope_spans[0];
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

/* All spans are sent. */
static void end(struct collector *collector)
{
    wrap_reaper_stop();
    uv_walk(&collector->loop, close_handle, NULL);
    uv_run(&collector->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&collector->loop), 0);
    close(collector->listener);
    free(collector->spans);
}

static void test_a_span_and_one_within(void **state)
{
    struct collector collector;
    struct wrap_error err = {0};
    char text[WRAP_TRACEPARENT_SIZE];
    (void)state;
    begin(&collector);
    struct wrap_span *call =
        wrap_span_serve(collector.spans, "00-" TRACE "-" PARENT "-01", "a.Service", "Method");
    assert_non_null(call);
    struct wrap_span *part = wrap_span_within(call, "part");
    wrap_span_number(part, "n", -3);
    wrap_span_text(part, "bytes", "a\xff\xc3\xa9");
    wrap_fail(&err, WRAP_NOT_FOUND, "no such thing");
    assert_true(wrap_span_traceparent(part, text));
    wrap_span_end(part, &err);
    wrap_span_end(call, NULL);
    Otlp__ExportRequest *request = take(&collector);
    const Otlp__ScopeSpans *scope = spans_of(request);
    assert_int_equal(scope->n_spans, 2);
    const Otlp__Span *inner = scope->spans[0];
    const Otlp__Span *outer = scope->spans[1];
    assert_string_equal(outer->name, "a.Service/Method");
    assert_int_equal(outer->kind, 2);
    assert_null(outer->status);
    assert_int_equal(outer->parent_span_id.len, 8);
    assert_int_equal(outer->parent_span_id.data[0], 0xb7);
    assert_int_equal(outer->n_attributes, 3);
    assert_string_equal(inner->name, "part");
    assert_int_equal(inner->kind, 1);
    assert_int_equal(inner->status->code, 2);
    assert_string_equal(inner->status->message, "no such thing");
    assert_memory_equal(inner->parent_span_id.data, outer->span_id.data, 8);
    assert_memory_equal(inner->trace_id.data, outer->trace_id.data, 16);
    assert_int_equal(inner->attributes[0]->value->int_value, -3);
    assert_string_equal(inner->attributes[1]->value->string_value, "a?\xc3\xa9");
    assert_true(inner->start_time_unix_nano <= inner->end_time_unix_nano);
    assert_memory_equal(text, "00-" TRACE "-", 36);
    assert_string_equal(text + 52, "-01");
    otlp__export_request__free_unpacked(request, NULL);
    uv_run(&collector.loop, UV_RUN_ONCE); /* the helper's end */
    end(&collector);
}

static void test_a_full_queue_drops_the_newest(void **state)
{
    struct collector collector;
    char name[16];
    (void)state;
    begin(&collector);
    for (int i = 0; i < 5; i++) { /* two are sent at once, two wait */
        snprintf(name, sizeof name, "M%d", i);
        wrap_span_end(wrap_span_serve(collector.spans, NULL, "s", name), NULL);
    }
    Otlp__ExportRequest *request = take(&collector);
    assert_int_equal(spans_of(request)->n_spans, 2);
    assert_string_equal(spans_of(request)->spans[0]->name, "s/M0");
    assert_int_equal(spans_of(request)->spans[0]->parent_span_id.len, 0);
    otlp__export_request__free_unpacked(request, NULL);
    uv_run(&collector.loop, UV_RUN_ONCE);
    request = take(&collector);
    assert_int_equal(spans_of(request)->n_spans, 2);
    assert_string_equal(spans_of(request)->spans[1]->name, "s/M3");
    otlp__export_request__free_unpacked(request, NULL);
    uv_run(&collector.loop, UV_RUN_ONCE);
    end(&collector);
}

static void test_nobody_asks(void **state)
{
    uv_loop_t loop;
    char text[WRAP_TRACEPARENT_SIZE] = "as it was";
    (void)state;
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_null(wrap_spans_new(&loop, "ns"));
    struct wrap_span *span = wrap_span_serve(NULL, NULL, "s", "m");
    assert_null(span);
    assert_null(wrap_span_within(span, "x"));
    wrap_span_begin_again(span);
    wrap_span_text(span, "a", "b");
    wrap_span_number(span, "a", 1);
    assert_false(wrap_span_traceparent(span, text));
    assert_string_equal(text, "as it was");
    wrap_span_end(span, NULL);
    wrap_span_drop(span);
    wrap_spans_finish(NULL);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_what_is_not_taken),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_trace_contexts),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_answers_of_http),
        cmocka_unit_test(test_a_span_and_one_within),
        cmocka_unit_test(test_a_full_queue_drops_the_newest),
        cmocka_unit_test(test_nobody_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
