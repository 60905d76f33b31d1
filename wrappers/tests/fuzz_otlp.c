/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_otlp.c - what containerd's environment may say about spans, the trace context of a call, the
 * first bytes of a collector. Whatever they are: settings keep their bounds, and no text could end
 * a line of a request.
 */
#include "shim/spans_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz_otlp: %s\n", what);
        abort();
    }
}

/* The input is rows NAME=VALUE. */
static const char *look_up(const char *name, void *env)
{
    size_t length = strlen(name);
    const char *rows = env;
    for (const char *row = rows; *row; row += strlen(row) + 1) {
        if (strncmp(row, name, length) == 0 && row[length] == '=') {
            return row + length + 1;
        }
    }
    return NULL;
}

static bool is_one_line(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static void check_pairs(const struct wrap_otlp_pairs *pairs)
{
    check(pairs->count <= WRAP_OTLP_PAIRS_MAX, "too many pairs");
    for (size_t i = 0; i < pairs->count; i++) {
        const struct wrap_otlp_pair *pair = &pairs->items[i];
        check(pair->name[0] && is_one_line(pair->name) && is_one_line(pair->value), "a pair");
        check(!strpbrk(pair->name, " :\t"), "a name");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wrap_otlp_config config;
    struct wrap_span_context context;
    char note[256];
    char *rows = calloc(size + 2, 1);
    if (!rows) {
        return 0;
    }
    if (size) {
        memcpy(rows, data, size);
    }
    int status = wrap_otlp_http_status(rows, size);
    check(status == -1 || status == 0 || (status >= 100 && status <= 999), "a status");
    if (wrap_traceparent_read(rows, &context)) {
        check(rows[2] == '-', "a trace context");
    }
    for (size_t i = 0; i < size; i++) {
        rows[i] = rows[i] == '\n' ? '\0' : rows[i];
    }
    if (wrap_otlp_config_read(look_up, rows, &config, note)) {
        check(config.host[0] && is_one_line(config.host) && !strpbrk(config.host, " /@"), "host");
        check(atoi(config.port) <= 65535 && config.port[0], "port");
        check(config.path[0] == '/' && is_one_line(config.path) && !strchr(config.path, ' '),
              "path");
        check(config.batch_max >= 1 && config.batch_max <= config.queue_max, "a batch");
        check(config.timeout_ms >= 1, "a limit");
        check_pairs(&config.headers);
        check_pairs(&config.attributes);
        check(note[0] == '\0', "a note");
    }
    free(rows);
    return 0;
}
