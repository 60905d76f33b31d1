/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_config.c - see otlp_config.h. */
#include "shim/otlp_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char service_default[] = "containerd-shim-wasmrun-v1";
enum { TIMEOUT_MS = 10000, DELAY_MS = 5000, QUEUE = 2048, BATCH = 512, TIMES_MAX = 600000 };

struct reader {
    wrap_otlp_get get;
    void *env;
};

/* An empty value is none. */
static const char *value_of(const struct reader *reader, const char *name)
{
    const char *value = reader->get(name, reader->env);
    return value && value[0] ? value : NULL;
}

/* Of an exporter's variable the one of traces counts more than that of all signals. */
static const char *exporter_value(const struct reader *reader, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_TRACES_%s", what);
    const char *value = value_of(reader, name);
    snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s", what);
    return value ? value : value_of(reader, name);
}

static unsigned number_or(const char *text, unsigned least, unsigned most, unsigned otherwise)
{
    char *end = NULL;
    if (!text || text[0] < '0' || text[0] > '9') {
        return otherwise;
    }
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value < least) {
        return otherwise;
    }
    return value > most ? most : (unsigned)value;
}

/* ---------------------------------------------------------------- lists */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Takes percent-encoding and blanks around it away, in place; NULL: not for a header's line. */
static char *clean(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t", text[length - 1])) {
        text[--length] = '\0';
    }
    char *to = text;
    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? digit(from[1]) : -1;
        int low = high >= 0 ? digit(from[2]) : -1;
        *to = low >= 0 ? (char)(high * 16 + low) : *from;
        from += low >= 0 ? 2 : 0;
        if ((unsigned char)*to < 0x20 || (unsigned char)*to == 0x7f) {
            return NULL;
        }
        to++;
    }
    *to = '\0';
    return text;
}

static bool is_token(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "!#$&'*+-.^_`|~/") == strlen(name);
}

/* "a=b,c=d": rows that are not so are left out. */
static void read_pairs(const char *list, struct wrap_otlp_pairs *out)
{
    char *next = NULL;
    out->count = 0;
    if (!list || strlen(list) >= sizeof out->text) {
        return;
    }
    strcpy(out->text, list);
    for (char *row = strtok_r(out->text, ",", &next); row && out->count < WRAP_OTLP_PAIRS_MAX;
         row = strtok_r(NULL, ",", &next)) {
        char *equal = strchr(row, '=');
        if (!equal) {
            continue;
        }
        *equal = '\0';
        const char *name = clean(row);
        const char *value = clean(equal + 1);
        if (name && value && is_token(name)) {
            out->items[out->count++] = (struct wrap_otlp_pair){name, value};
        }
    }
}

/* ---------------------------------------------------------------- where to */

static bool refuse(char note[256], const char *format, const char *value)
{
    snprintf(note, 256, format, value);
    return false;
}

static bool is_port(const char *text, size_t length)
{
    return length > 0 && length <= 5 && strspn(text, "0123456789") >= length && atol(text) <= 65535;
}

/* host:port of a URL; what follows is its path. */
static bool read_place(const char *at, struct wrap_otlp_config *out, const char **path)
{
    bool bracket = *at == '[';
    at += bracket;
    size_t host = strcspn(at, bracket ? "]" : ":/?#");
    if (host == 0 || host >= sizeof out->host || memchr(at, '@', host) ||
        (bracket && at[host] != ']')) {
        return false;
    }
    for (size_t i = 0; i < host; i++) {
        if ((unsigned char)at[i] <= 0x20 || (unsigned char)at[i] >= 0x7f) {
            return false;
        }
    }
    memcpy(out->host, at, host);
    out->host[host] = '\0';
    at += host + bracket;
    strcpy(out->port, out->grpc ? "4317" : "4318");
    if (*at == ':') {
        size_t port = strcspn(++at, "/?#");
        if (!is_port(at, port)) {
            return false;
        }
        memcpy(out->port, at, port);
        out->port[port] = '\0';
        at += port;
    }
    *path = at;
    return *at == '\0' || *at == '/';
}

static bool read_endpoint(const struct reader *reader, struct wrap_otlp_config *out, char note[256])
{
    const char *own = value_of(reader, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    const char *url = own ? own : value_of(reader, "OTEL_EXPORTER_OTLP_ENDPOINT");
    const char *path = NULL;
    if (!url) {
        return false; /* nobody asks */
    }
    if (strncasecmp(url, "https://", 8) == 0) {
        return refuse(note, "spans can't be sent to %.150s: there is no TLS here", url);
    }
    if (strncasecmp(url, "http://", 7) != 0 || !read_place(url + 7, out, &path)) {
        return refuse(note, "spans can't be sent to %.150s: not an http:// URL", url);
    }
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f) {
            return refuse(note, "spans can't be sent to %.150s: not an http:// URL", url);
        }
    }
    size_t length = strlen(path);
    while (!own && length && path[length - 1] == '/') {
        length--;
    }
    int wrote = own ? snprintf(out->path, sizeof out->path, "%s", path[0] ? path : "/")
                    : snprintf(out->path, sizeof out->path, "%.*s/v1/traces", (int)length, path);
    return (size_t)wrote < sizeof out->path ||
           refuse(note, "spans can't be sent to %.150s: too long", url);
}

/* ---------------------------------------------------------------- which */

static void read_sampler(const struct reader *reader, struct wrap_otlp_config *out)
{
    static const struct {
        const char *name;
        enum wrap_otlp_sampler sampler;
        bool heeds_parent;
    } known[] = {
        {"parentbased_always_on", WRAP_OTLP_ALWAYS, true},
        {"parentbased_always_off", WRAP_OTLP_NEVER, true},
        {"parentbased_traceidratio", WRAP_OTLP_RATIO, true},
        {"always_on", WRAP_OTLP_ALWAYS, false},
        {"always_off", WRAP_OTLP_NEVER, false},
        {"traceidratio", WRAP_OTLP_RATIO, false},
    };
    const char *name = value_of(reader, "OTEL_TRACES_SAMPLER");
    const char *arg = value_of(reader, "OTEL_TRACES_SAMPLER_ARG");
    char *end = NULL;
    double ratio = arg ? strtod(arg, &end) : 1;
    if (!arg || *end || !(ratio >= 0 && ratio <= 1)) {
        ratio = 1;
    }
    out->bound = ratio >= 1 ? UINT64_MAX : (uint64_t)(ratio * 0x1p63);
    out->sampler = WRAP_OTLP_ALWAYS;
    out->heeds_parent = true;
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            out->sampler = known[i].sampler;
            out->heeds_parent = known[i].heeds_parent;
        }
    }
}

static void read_service(const struct reader *reader, struct wrap_otlp_config *out)
{
    const char *name = value_of(reader, "OTEL_SERVICE_NAME");
    for (size_t i = 0; !name && i < out->attributes.count; i++) {
        const struct wrap_otlp_pair *pair = &out->attributes.items[i];
        name = strcmp(pair->name, "service.name") == 0 ? pair->value : NULL;
    }
    snprintf(out->service, sizeof out->service, "%s", name ? name : service_default);
}

bool wrap_otlp_config_read(wrap_otlp_get get, void *env, struct wrap_otlp_config *out,
                           char note[256])
{
    const struct reader reader = {get, env};
    note[0] = '\0';
    const char *disabled = value_of(&reader, "OTEL_SDK_DISABLED");
    const char *exporter = value_of(&reader, "OTEL_TRACES_EXPORTER");
    const char *protocol = exporter_value(&reader, "PROTOCOL");
    if ((disabled && strcasecmp(disabled, "true") == 0) ||
        (exporter && strcmp(exporter, "none") == 0)) {
        return false;
    }
    memset(out, 0, sizeof *out);
    out->grpc = protocol && strcmp(protocol, "grpc") == 0;
    if (!read_endpoint(&reader, out, note)) {
        return false;
    }
    if (exporter && strcmp(exporter, "otlp") != 0) {
        return refuse(note, "no spans are sent: there is no exporter %.150s here", exporter);
    }
    if (protocol && !out->grpc && strcmp(protocol, "http/protobuf") != 0) {
        return refuse(note, "no spans are sent: the protocol %.150s is not supported", protocol);
    }
    out->timeout_ms = number_or(exporter_value(&reader, "TIMEOUT"), 1, TIMES_MAX, TIMEOUT_MS);
    out->delay_ms = number_or(value_of(&reader, "OTEL_BSP_SCHEDULE_DELAY"), 0, TIMES_MAX, DELAY_MS);
    out->queue_max = number_or(value_of(&reader, "OTEL_BSP_MAX_QUEUE_SIZE"), 1, QUEUE * 8, QUEUE);
    out->batch_max =
        number_or(value_of(&reader, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), 1, QUEUE * 8, BATCH);
    out->batch_max = out->batch_max < out->queue_max ? out->batch_max : out->queue_max;
    read_pairs(exporter_value(&reader, "HEADERS"), &out->headers);
    read_pairs(value_of(&reader, "OTEL_RESOURCE_ATTRIBUTES"), &out->attributes);
    read_sampler(&reader, out);
    read_service(&reader, out);
    return true;
}
