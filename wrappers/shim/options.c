/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - what containerd's configuration says about a runtime: runc's message, or the CRI's
 * generic one, which carries a table of TOML or the path of one. Of TOML only what such a table is
 * made of is read: `Key = value` lines, comments. What else stands there is an error.
 */
#include "shim/proto/options.pb-c.h"
#include "shim/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLE_MAX = 64 * 1024, VALUE_MAX = 4096 };

static bool take(char **to, const char *value)
{
    free(*to);
    *to = strdup(value ? value : "");
    return *to != NULL;
}

static bool no_memory(struct wrap_error *err)
{
    return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

void wrap_options_free(struct wrap_task_options *options)
{
    free(options->binary);
    free(options->root);
    free(options->shim_cgroup);
    *options = (struct wrap_task_options){0};
}

/* ---------------------------------------------------------------- the generic message */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\r') {
        at++;
    }
    return at;
}

/* A quoted string; NULL: it is none. Escapes that paths need only. */
static const char *read_string(const char *at, char out[VALUE_MAX])
{
    char quote = *at++;
    size_t length = 0;
    while (*at != quote) {
        if (quote == '"' && *at == '\\') {
            at++;
            if (*at != '\\' && *at != '"') {
                return NULL;
            }
        }
        if (!*at || *at == '\n' || length + 1 >= VALUE_MAX) {
            return NULL;
        }
        out[length++] = *at++;
    }
    out[length] = 0;
    return at + 1;
}

static bool set(struct wrap_task_options *options, const char *key, const char *value,
                struct wrap_error *err)
{
    bool on = strcmp(value, "true") == 0;
    if (strcmp(key, "SystemdCgroup") == 0) {
        options->systemd_cgroup = on;
    } else if (strcmp(key, "NoPivotRoot") == 0) {
        options->no_pivot = on;
    } else if (strcmp(key, "BinaryName") == 0) {
        return take(&options->binary, value) || no_memory(err);
    } else if (strcmp(key, "Root") == 0) {
        return take(&options->root, value) || no_memory(err);
    } else if (strcmp(key, "ShimCgroup") == 0) {
        return take(&options->shim_cgroup, value) || no_memory(err);
    } /* others concern checkpoints and keyrings, which Wasm containers have not */
    return true;
}

/* One line, `Key = value`; NULL: malformed, else what follows. */
static const char *read_line(const char *at, char key[64], char value[VALUE_MAX])
{
    size_t length = 0;
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' || *at == '-' ||
           (*at >= '0' && *at <= '9')) {
        if (length + 1 >= 64) {
            return NULL;
        }
        key[length++] = *at++;
    }
    key[length] = 0;
    at = skip_space(at);
    if (!length || *at != '=') {
        return NULL;
    }
    at = skip_space(at + 1);
    if (*at == '"' || *at == '\'') {
        return read_string(at, value);
    }
    length = strcspn(at, " \t\r\n#");
    if (!length || length >= VALUE_MAX || *at == '[' || *at == '{') {
        return NULL;
    }
    memcpy(value, at, length);
    value[length] = 0;
    return at + length;
}

static bool read_table(const char *text, struct wrap_task_options *options, struct wrap_error *err)
{
    char key[64];
    char value[VALUE_MAX];
    for (unsigned line = 1; *text; line++) {
        const char *at = skip_space(text);
        if (*at && *at != '\n' && *at != '#') {
            at = read_line(at, key, value);
            at = at ? skip_space(at) : NULL;
            if (!at || (*at && *at != '\n' && *at != '#')) {
                return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                                 "runtime options, line %u: not a 'Key = value'", line);
            }
            if (!set(options, key, value, err)) {
                return false;
            }
        }
        at += strcspn(at, "\n");
        text = *at ? at + 1 : at;
    }
    return true;
}

static bool read_file(const char *path, struct wrap_task_options *options, struct wrap_error *err)
{
    char *text = calloc(1, TABLE_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = text && fd >= 0 ? read(fd, text, TABLE_MAX) : -1;
    bool good = size >= 0 || wrap_fail_errno(err, text ? errno : ENOMEM, "ConfigPath %s", path);
    if (fd >= 0) {
        close(fd);
    }
    good = good && read_table(text, options, err);
    free(text);
    return good;
}

static bool read_generic(const Options__Generic *generic, struct wrap_task_options *options,
                         struct wrap_error *err)
{
    const ProtobufCBinaryData *body = &generic->config_body;
    if (body->len > TABLE_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "runtime options: too long");
    }
    if (body->len) {
        char *text = strndup((const char *)body->data, body->len);
        bool good = text ? read_table(text, options, err) : no_memory(err);
        free(text);
        return good;
    }
    return !generic->config_path[0] || read_file(generic->config_path, options, err);
}

/* ---------------------------------------------------------------- either */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text);
    size_t tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

bool wrap_options_read(const char *type_url, const void *bytes, size_t size,
                       struct wrap_task_options *out, struct wrap_error *err)
{
    *out = (struct wrap_task_options){0};
    if (!take(&out->binary, "") || !take(&out->root, "") || !take(&out->shim_cgroup, "")) {
        return no_memory(err);
    }
    bool runc = ends_with(type_url, "containerd.runc.v1.Options");
    bool generic = ends_with(type_url, "runtimeoptions.v1.Options");
    if (!type_url[0] && !size) {
        return true;
    }
    if (!runc && !generic) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "runtime options of an unknown type: %.128s",
                         type_url);
    }
    ProtobufCMessage *message = wrap_message_unpack(
        runc ? &options__runc__descriptor : &options__generic__descriptor, bytes, size);
    if (!message) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "runtime options: malformed");
    }
    bool good = true;
    if (generic) {
        good = read_generic((const Options__Generic *)message, out, err);
    } else {
        const Options__Runc *from = (const Options__Runc *)message;
        out->systemd_cgroup = from->systemd_cgroup;
        out->no_pivot = from->no_pivot_root;
        good = (take(&out->binary, from->binary_name) && take(&out->root, from->root) &&
                take(&out->shim_cgroup, from->shim_cgroup)) ||
               no_memory(err);
    }
    wrap_message_free(message);
    return good;
}
