/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - the documents of an image, its blobs, and the tar file around them. */
#include "pack/pack.h"

#include "common/text.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "application/vnd.oci.image."

/** What is found by the hash of its bytes. */
struct blob {
    uint64_t size;
    char digest[sizeof "sha256:" + SHA256_DIGEST_LENGTH * 2];
    const char *bytes; /* NULL: the layer, which is made as it is written */
    char *own;         /* what `bytes` is, when it is freed with the blob */
};

enum { CONFIG, LAYER, MANIFEST, BLOBS };

static bool no_memory(struct wrap_error *err)
{
    return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---------------------------------------------------------------- digests */

static const char *hex_of(const struct blob *blob) { return blob->digest + strlen("sha256:"); }

static void set_digest(struct blob *blob, SHA2_CTX *hash)
{
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256End(hash, hex);
    snprintf(blob->digest, sizeof blob->digest, "sha256:%s", hex);
}

static void blob_of(struct blob *blob, const char *bytes, size_t size)
{
    SHA2_CTX hash;
    SHA256Init(&hash);
    SHA256Update(&hash, (const uint8_t *)bytes, size);
    blob->bytes = bytes;
    blob->size = size;
    set_digest(blob, &hash);
}

/* Takes the document. */
static bool blob_of_json(struct blob *blob, json_t *doc, struct wrap_error *err)
{
    blob->own = doc ? json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(doc);
    if (!blob->own) {
        return no_memory(err);
    }
    blob_of(blob, blob->own, strlen(blob->own));
    return true;
}

struct counted {
    SHA2_CTX hash;
    uint64_t size;
};

static bool count(void *ctx, const void *data, size_t size)
{
    struct counted *counted = ctx;
    SHA256Update(&counted->hash, data, size);
    counted->size += size;
    return true;
}

/* The layer is written twice, first for its digest alone: it is never in memory. */
static bool blob_of_layer(struct blob *blob, const struct wrap_pack *pack, struct wrap_error *err)
{
    struct counted counted = {.size = 0};
    SHA256Init(&counted.hash);
    if (!wrap_pack_layer(&pack->files, pack->time, count, &counted, err)) {
        return false;
    }
    blob->size = counted.size;
    set_digest(blob, &counted.hash);
    return true;
}

/* ---------------------------------------------------------------- documents */

static json_t *time_text(int64_t seconds)
{
    char text[WRAP_TIME_SIZE];
    return wrap_time_text(seconds, text) ? json_sprintf("%sZ", text) : NULL;
}

/* NULL when empty: then the member is left out. */
static json_t *unless_empty(json_t *list)
{
    size_t size = json_is_array(list) ? json_array_size(list) : json_object_size(list);
    return size ? list : NULL;
}

static json_t *image_config(const struct wrap_pack *pack, const struct blob *layer)
{
    json_t *run = json_pack("{s:[s], s:O*, s:O*, s:O*, s:s*}", "Entrypoint", pack->entrypoint,
                            "Cmd", unless_empty(pack->args), "Env", unless_empty(pack->env),
                            "Labels", unless_empty(pack->labels), "WorkingDir", pack->workdir);
    json_t *created = time_text(pack->time);
    json_t *config = json_pack("{s:O, s:s, s:s, s:s*, s:o, s:{s:s, s:[s]}, s:[{s:o, s:s}]}",
                               "created", created, "architecture", pack->arch, "os", pack->os,
                               "variant", pack->variant[0] ? pack->variant : NULL, "config", run,
                               "rootfs", "type", "layers", "diff_ids", layer->digest, "history",
                               "created", created, "created_by", "wasmrun pack");
    return config;
}

static json_t *artifact_config(const struct wrap_pack *pack, const struct blob *layer,
                               struct wrap_error *err)
{
    json_t *names = NULL;
    const struct wrap_pack_file *module = &pack->files.rows[0];
    if (wrap_component_is(module->bytes, module->size)) {
        names = wrap_component_names(module->bytes, module->size);
        if (!names) {
            wrap_fail(err, WRAP_FAILED_PRECONDITION, "%s: malformed component", module->path);
            return NULL;
        }
    }
    return json_pack("{s:o, s:s, s:s, s:[s], s:o*}", "created", time_text(pack->time),
                     "architecture", pack->arch, "os", pack->os, "layerDigests", layer->digest,
                     "component", names);
}

static json_t *descriptor(const char *kind, const struct blob *blob)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", kind, "digest", blob->digest, "size",
                     (json_int_t)blob->size);
}

static json_t *manifest_of(const struct wrap_pack *pack, const struct blob *blobs)
{
    bool image = pack->format == WRAP_PACK_OCI;
    return json_pack(
        "{s:i, s:s, s:o, s:[o], s:O*}", "schemaVersion", 2, "mediaType", KIND "manifest.v1+json",
        "config",
        descriptor(image ? KIND "config.v1+json" : "application/vnd.wasm.config.v0+json",
                   &blobs[CONFIG]),
        "layers", descriptor(image ? KIND "layer.v1.tar" : "application/wasm", &blobs[LAYER]),
        "annotations", unless_empty(pack->annotations));
}

static json_t *index_of(const struct wrap_pack *pack, const struct blob *manifest)
{
    json_t *row = descriptor(KIND "manifest.v1+json", manifest);
    json_t *more =
        json_pack("{s:{s:s, s:s, s:s*}, s:{s:s, s:s}}", "platform", "architecture", pack->arch,
                  "os", pack->os, "variant", pack->variant[0] ? pack->variant : NULL, "annotations",
                  "org.opencontainers.image.ref.name", pack->ref.tag, "io.containerd.image.name",
                  pack->ref.full);
    if (!row || !more || json_object_update(row, more) != 0) {
        json_decref(row);
        row = NULL;
    }
    json_decref(more);
    return json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", KIND "index.v1+json",
                     "manifests", row);
}

/* What readers of docker's own format look for. */
static json_t *docker_manifest(const struct wrap_pack *pack, const struct blob *blobs)
{
    return json_pack("[{s:s++, s:[s], s:[s+]}]", "Config", "blobs/", "sha256/",
                     hex_of(&blobs[CONFIG]), "RepoTags", pack->ref.full, "Layers", "blobs/sha256/",
                     hex_of(&blobs[LAYER]));
}

static bool make_blobs(const struct wrap_pack *pack, struct blob *blobs, struct wrap_error *err)
{
    json_t *config = NULL;
    if (pack->format == WRAP_PACK_OCI) {
        if (!blob_of_layer(&blobs[LAYER], pack, err)) {
            return false;
        }
        config = image_config(pack, &blobs[LAYER]);
    } else {
        blob_of(&blobs[LAYER], pack->files.rows[0].bytes, pack->files.rows[0].size);
        config = artifact_config(pack, &blobs[LAYER], err);
    }
    return blob_of_json(&blobs[CONFIG], config, err) &&
           blob_of_json(&blobs[MANIFEST], manifest_of(pack, blobs), err);
}

/* ---------------------------------------------------------------- the tar file */

struct inner {
    struct wrap_tar *tar;
    struct wrap_error *err;
};

static bool into_tar(void *ctx, const void *data, size_t size)
{
    const struct inner *inner = ctx;
    return wrap_tar_data(inner->tar, data, size, inner->err);
}

static bool put_blob(struct wrap_tar *tar, const struct wrap_pack *pack, const struct blob *blob,
                     struct wrap_error *err)
{
    char path[sizeof "blobs/sha256/" + sizeof blob->digest];
    snprintf(path, sizeof path, "blobs/sha256/%s", hex_of(blob));
    struct wrap_tar_entry entry = {path, blob->size, 0644, false};
    struct inner inner = {tar, err};
    return wrap_tar_add(tar, &entry, err) &&
           (blob->bytes ? wrap_tar_data(tar, blob->bytes, (size_t)blob->size, err)
                        : wrap_pack_layer(&pack->files, pack->time, into_tar, &inner, err));
}

/* Takes the document. */
static bool put_json(struct wrap_tar *tar, const char *path, json_t *doc, struct wrap_error *err)
{
    char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(doc);
    struct wrap_tar_entry entry = {path, text ? strlen(text) : 0, 0644, false};
    bool good = text ? wrap_tar_add(tar, &entry, err) && wrap_tar_data(tar, text, entry.size, err)
                     : no_memory(err);
    free(text);
    return good;
}

static int by_digest(const void *a, const void *b)
{
    const struct blob *left = a;
    const struct blob *right = b;
    return strcmp(left->digest, right->digest);
}

static bool put_all(struct wrap_tar *tar, const struct wrap_pack *pack, const struct blob *blobs,
                    struct wrap_error *err)
{
    struct blob sorted[BLOBS];
    memcpy(sorted, blobs, sizeof sorted);
    qsort(sorted, BLOBS, sizeof sorted[0], by_digest);
    bool good = wrap_tar_add(tar, &(struct wrap_tar_entry){"blobs", 0, 0755, true}, err) &&
                wrap_tar_add(tar, &(struct wrap_tar_entry){"blobs/sha256", 0, 0755, true}, err);
    for (size_t i = 0; good && i < BLOBS; i++) {
        good = put_blob(tar, pack, &sorted[i], err);
    }
    good = good && put_json(tar, "index.json", index_of(pack, &blobs[MANIFEST]), err);
    if (good && pack->format == WRAP_PACK_OCI) {
        good = put_json(tar, "manifest.json", docker_manifest(pack, blobs), err);
    }
    return good &&
           put_json(tar, "oci-layout", json_pack("{s:s}", "imageLayoutVersion", "1.0.0"), err);
}

bool wrap_pack_write(const struct wrap_pack *pack, wrap_tar_sink sink, void *ctx,
                     struct wrap_error *err)
{
    struct blob blobs[BLOBS] = {0};
    bool good = make_blobs(pack, blobs, err);
    struct wrap_tar *tar = good ? wrap_tar_new(sink, ctx, pack->time, err) : NULL;
    good = tar && wrap_tar_end(tar, put_all(tar, pack, blobs, err), err);
    for (size_t i = 0; i < BLOBS; i++) {
        free(blobs[i].own);
    }
    return good;
}

void wrap_pack_free(struct wrap_pack *pack)
{
    free(pack->entrypoint);
    json_decref(pack->args);
    json_decref(pack->env);
    json_decref(pack->labels);
    json_decref(pack->annotations);
    wrap_pack_files_free(&pack->files);
}
