/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap.c - see bootstrap.h. */
#include "shim/bootstrap.h"

#include "shim/proto/bootstrap.pb-c.h"
#include "shim/ttrpc.h"

#include <jansson.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const char default_socket_dir[] = "/run/containerd/s";
enum { LOG_LEVEL_DEBUG = -4 /* of Params.log_level, and all beneath it */ };

/* ---------------------------------------------------------------- arguments */

struct flag {
    const char *name;
    size_t offset; /* in struct wrap_bootstrap_args */
    bool is_bool;
};
#define TEXT(name, member) {name, offsetof(struct wrap_bootstrap_args, member), false}
#define BOOL(name, member) {name, offsetof(struct wrap_bootstrap_args, member), true}
static const struct flag flags[] = {
    TEXT("address", address), TEXT("bundle", bundle),
    BOOL("debug", debug),     TEXT("debug-socket", debug_socket),
    TEXT("id", id),           BOOL("info", info),
    TEXT("namespace", ns),    TEXT("publish-binary", publish_binary),
    TEXT("socket", socket),   BOOL("v", version),
    BOOL("version", version),
};

static const struct flag *find_flag(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strlen(flags[i].name) == length && memcmp(flags[i].name, name, length) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

static bool read_bool(const char *text, bool *out)
{
    static const char *const words[][2] = {{"1", "0"},        {"t", "f"},        {"T", "F"},
                                           {"TRUE", "FALSE"}, {"true", "false"}, {"True", "False"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (int k = 0; k < 2; k++) {
            if (strcmp(text, words[i][k]) == 0) {
                *out = k == 0;
                return true;
            }
        }
    }
    return false;
}

/* Reads the flag at argv[*at], and its value, which may be the argument after it. */
static bool read_flag(int argc, char *const *argv, int *at, struct wrap_bootstrap_args *out,
                      struct wrap_error *err)
{
    const char *word = argv[*at];
    const char *name = word + (word[1] == '-' ? 2 : 1);
    if (*name == 0 || *name == '-' || *name == '=') {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "bad flag syntax: %s", word);
    }
    size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : NULL;
    const struct flag *flag = find_flag(name, length);
    if (!flag) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "flag provided but not defined: -%.*s",
                         (int)(length < 100 ? length : 100), name);
    }
    char *target = (char *)out + flag->offset;
    if (flag->is_bool) {
        bool on = true;
        if (value && !read_bool(value, &on)) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                             "invalid boolean value \"%s\" for -%s: parse error", value,
                             flag->name);
        }
        memcpy(target, &on, sizeof on);
        return true;
    }
    if (!value && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (!value) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "flag needs an argument: -%s", flag->name);
    }
    memcpy(target, &value, sizeof value);
    return true;
}

bool wrap_bootstrap_parse(int argc, char *const *argv, struct wrap_bootstrap_args *out,
                          struct wrap_error *err)
{
    *out = (struct wrap_bootstrap_args){"", "", "", "", "", "", "", "", false, false, false};
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (!read_flag(argc, argv, &at, out, err)) {
            return false;
        }
    }
    if (at < argc) {
        out->action = argv[at];
    }
    return true;
}

/* ---------------------------------------------------------------- stdin of start */

static void take_options(const Wire__Any *any, struct wrap_bootstrap *out)
{
    out->options_type = any->type_url;
    out->options = any->value.data;
    out->options_size = any->value.len;
}

static bool is_for(const Bootstrap__Params *params, const struct wrap_bootstrap_args *args)
{
    return *params->instance_id && strcmp(params->instance_id, args->id) == 0 &&
           strcmp(params->namespace_, args->ns) == 0;
}

/* Extensions of other kinds may come to be sent as well. */
static bool is_options(const char *type)
{
    static const char end[] = "Options";
    size_t length = strlen(type);
    return length >= sizeof end - 1 && strcmp(type + length - (sizeof end - 1), end) == 0;
}

static bool take_params(const struct wrap_bootstrap_args *args, const void *bytes, size_t size,
                        struct wrap_bootstrap *out)
{
    ProtobufCMessage *message = wrap_message_unpack(&bootstrap__params__descriptor, bytes, size);
    const Bootstrap__Params *params = (const Bootstrap__Params *)message;
    if (!params || !is_for(params, args)) {
        wrap_message_free(message);
        return false;
    }
    out->owner = message;
    out->dialect = WRAP_BOOTSTRAP_MESSAGE;
    out->version = WRAP_BOOTSTRAP_VERSION_MAX;
    out->debug = out->debug || params->log_level <= LOG_LEVEL_DEBUG;
    out->ttrpc_address = params->containerd_ttrpc_address;
    if (*params->socket_dir) {
        out->socket_dir = params->socket_dir;
    }
    for (size_t i = 0; i < params->n_extensions && !*out->options_type; i++) {
        const Wire__Any *any = params->extensions[i]->value;
        if (any && is_options(any->type_url)) {
            take_options(any, out);
        }
    }
    return true;
}

static bool take_any(const void *bytes, size_t size, struct wrap_bootstrap *out)
{
    ProtobufCMessage *message = wrap_message_unpack(&wire__any__descriptor, bytes, size);
    const Wire__Any *any = (const Wire__Any *)message;
    if (!any || !*any->type_url) {
        wrap_message_free(message);
        return false;
    }
    out->owner = message;
    take_options(any, out);
    return true;
}

void wrap_bootstrap_read(const struct wrap_bootstrap_args *args, const void *bytes, size_t size,
                         const char *max_version, struct wrap_bootstrap *out)
{
    *out = (struct wrap_bootstrap){.dialect = WRAP_BOOTSTRAP_PLAIN,
                                   .version = 2,
                                   .debug = args->debug,
                                   .socket_dir = default_socket_dir,
                                   .ttrpc_address = "",
                                   .options_type = ""};
    if (max_version && *max_version) {
        char *end;
        long version = strtol(max_version, &end, 10);
        out->dialect = WRAP_BOOTSTRAP_JSON;
        if (*end == 0 && version >= WRAP_BOOTSTRAP_VERSION_MAX) {
            out->version = WRAP_BOOTSTRAP_VERSION_MAX;
        }
    }
    if (size && !take_params(args, bytes, size, out)) {
        out->unreadable = !take_any(bytes, size, out);
    }
}

void wrap_bootstrap_fini(struct wrap_bootstrap *bootstrap)
{
    wrap_message_free(bootstrap->owner);
    bootstrap->owner = NULL;
}

/* ---------------------------------------------------------------- answers */

static bool pack(const ProtobufCMessage *message, uint8_t **bytes, size_t *size,
                 struct wrap_error *err)
{
    *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
    if (!*bytes) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for an answer");
    }
    *size = protobuf_c_message_pack(message, *bytes);
    return true;
}

static char *answer_json(int version, const char *address)
{
    json_t *object =
        json_pack("{s:i, s:s, s:s}", "version", version, "address", address, "protocol", "ttrpc");
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

bool wrap_bootstrap_answer(const struct wrap_bootstrap *bootstrap, const char *address,
                           uint8_t **bytes, size_t *size, struct wrap_error *err)
{
    if (bootstrap->dialect == WRAP_BOOTSTRAP_MESSAGE) {
        Bootstrap__Result result = BOOTSTRAP__RESULT__INIT;
        result.version = bootstrap->version;
        result.address = (char *)(uintptr_t)address;
        result.protocol = (char *)(uintptr_t)"ttrpc";
        return pack(&result.base, bytes, size, err);
    }
    char *text = bootstrap->dialect == WRAP_BOOTSTRAP_JSON
                     ? answer_json(bootstrap->version, address)
                     : strdup(address);
    if (!text) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for an answer");
    }
    *bytes = (uint8_t *)text;
    *size = strlen(text);
    return true;
}

bool wrap_bootstrap_info(const struct wrap_bootstrap_info *info, const void *stdin_bytes,
                         size_t stdin_size, uint8_t **bytes, size_t *size, struct wrap_error *err)
{
    Bootstrap__RuntimeInfo message = BOOTSTRAP__RUNTIME_INFO__INIT;
    Bootstrap__RuntimeVersion version = BOOTSTRAP__RUNTIME_VERSION__INIT;
    Wire__Any features = WIRE__ANY__INIT;
    ProtobufCMessage *options = NULL;
    if (stdin_size) {
        options = wrap_message_unpack(&wire__any__descriptor, stdin_bytes, stdin_size);
        if (!options) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "malformed options on stdin");
        }
    }
    version.version = (char *)(uintptr_t)info->version;
    version.revision = (char *)(uintptr_t)info->revision;
    message.name = (char *)(uintptr_t)info->name;
    message.version = &version;
    message.options = (Wire__Any *)options;
    if (info->features) {
        /* The document is no protobuf: containerd names the Go type of its JSON. */
        features.type_url = (char *)(uintptr_t)"types.containerd.io/opencontainers/runtime-spec/1/"
                                               "features/Features";
        features.value.data = (uint8_t *)(uintptr_t)info->features;
        features.value.len = strlen(info->features);
        message.features = &features;
    }
    bool good = pack(&message.base, bytes, size, err);
    wrap_message_free(options);
    return good;
}

/* ---------------------------------------------------------------- addresses */

/* Removes the last element of a path of `length` bytes that clean_append has made. */
static size_t drop_element(const char *path, size_t length)
{
    while (length && path[length - 1] != '/') {
        length--;
    }
    return length ? length - 1 : 0;
}

/* Appends the elements of `part` to a cleaned absolute path, with room for them: no empty ones, no
 * ".", and ".." takes one away (Go: filepath.Join). */
static size_t clean_append(char *path, size_t length, const char *part)
{
    while (*part) {
        size_t size = strcspn(part, "/");
        bool dots = size == 2 && memcmp(part, "..", 2) == 0;
        if (dots) {
            length = drop_element(path, length);
        } else if (size && !(size == 1 && *part == '.')) {
            path[length++] = '/';
            memcpy(path + length, part, size);
            length += size;
        }
        part += size;
        part += *part == '/';
    }
    return length;
}

bool wrap_bootstrap_address(const char *dir, const struct wrap_bootstrap_args *args,
                            const char *group, char *out, size_t room, struct wrap_error *err)
{
    const char *const parts[] = {args->address, args->ns, group};
    size_t length = 0;
    char *path = malloc(strlen(args->address) + strlen(args->ns) + strlen(group) + 8);
    if (!path) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for an address");
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        length = clean_append(path, length, parts[i]);
    }
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256Data((const uint8_t *)path, length, hex);
    free(path);
    int size = snprintf(out, room, "unix://%s/%s", dir, hex);
    size_t path_size = strlen(dir) + 1 + strlen(hex);
    if (size < 0 || (size_t)size >= room ||
        path_size >= sizeof((struct sockaddr_un *)0)->sun_path) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "the folder is too long for sockets: %s", dir);
    }
    return true;
}
