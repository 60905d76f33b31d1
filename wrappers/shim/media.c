/* SPDX-License-Identifier: Apache-2.0 */
/* media.c - media types, and documents of images as JSON. */
#include "shim/media.h"

#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker.distribution.manifest."

struct type {
    const char *name;
    enum wrap_media media;
};
/* Those of Wasm: the CNCF's; wasm-to-oci, Krustlet and Spin; runwasi, for modules and components.
 */
static const struct type types[] = {
    {OCI "index.v1+json", WRAP_MEDIA_INDEX},
    {DOCKER "list.v2+json", WRAP_MEDIA_INDEX},
    {OCI "manifest.v1+json", WRAP_MEDIA_MANIFEST},
    {DOCKER "v2+json", WRAP_MEDIA_MANIFEST},
    {"application/wasm", WRAP_MEDIA_WASM},
    {"application/vnd.wasm.content.layer.v1+wasm", WRAP_MEDIA_WASM},
    {"application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", WRAP_MEDIA_WASM},
};

enum wrap_media wrap_media_of(const char *type)
{
    for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, type) == 0) {
            return types[i].media;
        }
    }
    return WRAP_MEDIA_OTHER;
}

bool wrap_blob_set(struct wrap_blob *out, const char *type, const char *digest, int64_t size,
                   struct wrap_error *err)
{
    const char *hex = digest && strncmp(digest, "sha256:", 7) == 0 ? digest + 7 : "";
    *out = (struct wrap_blob){.media = wrap_media_of(type)};
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "'%.100s' is no digest of SHA-256",
                         digest ? digest : "");
    }
    if (size < 0) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: a negative size", digest);
    }
    memcpy(out->digest, digest, sizeof out->digest);
    out->size = (uint64_t)size;
    return true;
}

static bool blob_of(const json_t *row, struct wrap_blob *out, struct wrap_error *err)
{
    const json_t *size = json_object_get(row, "size");
    return wrap_blob_set(out, json_string_value(json_object_get(row, "mediaType")),
                         json_string_value(json_object_get(row, "digest")),
                         json_is_integer(size) ? json_integer_value(size) : -1, err);
}

/* As images name architectures. */
static const char *machine(void)
{
    static struct utsname name;
    if (uname(&name) != 0) {
        return "";
    }
    return strcmp(name.machine, "x86_64") == 0    ? "amd64"
           : strcmp(name.machine, "aarch64") == 0 ? "arm64"
                                                  : name.machine;
}

/* The better one of an index has more points. */
static int points(const json_t *row)
{
    const char *arch =
        json_string_value(json_object_get(json_object_get(row, "platform"), "architecture"));
    return !arch ? 0 : strcmp(arch, "wasm") == 0 ? 2 : strcmp(arch, machine()) == 0;
}

static bool choose(const json_t *rows, struct wrap_blob *out, struct wrap_error *err)
{
    const json_t *best = NULL;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *type = json_string_value(json_object_get(row, "mediaType"));
        enum wrap_media media = wrap_media_of(type);
        bool leads = media == WRAP_MEDIA_MANIFEST || media == WRAP_MEDIA_INDEX;
        if (leads && (!best || points(row) > points(best))) {
            best = row;
        }
    }
    return !best || blob_of(best, out, err);
}

static bool find_module(const json_t *rows, struct wrap_blob *out, struct wrap_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *type = json_string_value(json_object_get(row, "mediaType"));
        if (wrap_media_of(type) == WRAP_MEDIA_WASM && ++count == 1 && !blob_of(row, out, err)) {
            return false;
        }
    }
    return count <= 1 ||
           wrap_fail(err, WRAP_UNIMPLEMENTED, "%zu Wasm layers: only one can be run", count);
}

bool wrap_blob_next(enum wrap_media media, const char *json, size_t size, struct wrap_blob *out,
                    struct wrap_error *err)
{
    json_error_t problem;
    *out = (struct wrap_blob){.media = WRAP_MEDIA_OTHER};
    json_t *doc = json_loadb(json, size, 0, &problem);
    if (!doc) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "not JSON: %s", problem.text);
    }
    bool good = media == WRAP_MEDIA_INDEX ? choose(json_object_get(doc, "manifests"), out, err)
                                          : find_module(json_object_get(doc, "layers"), out, err);
    json_decref(doc);
    return good;
}
