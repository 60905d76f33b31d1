/* SPDX-License-Identifier: Apache-2.0 */
/* media.h - which layer of a manifest is a Wasm module. Pure functions, any thread. */
#ifndef WRAPPERS_SHIM_MEDIA_H
#define WRAPPERS_SHIM_MEDIA_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

enum wrap_media {
    WRAP_MEDIA_OTHER, /**< nothing that we run by itself */
    WRAP_MEDIA_INDEX,
    WRAP_MEDIA_MANIFEST,
    WRAP_MEDIA_WASM, /**< a module (or component) as it is */
};
/** What a media type stands for; NULL is OTHER. */
enum wrap_media wrap_media_of(const char *type);

enum { WRAP_DIGEST_SIZE = sizeof "sha256:" + 64 };

/** A blob of an image. */
struct wrap_blob {
    enum wrap_media media;
    char digest[WRAP_DIGEST_SIZE]; /**< "sha256:" and 64 hexadecimal digits */
    uint64_t size;
};

/** Checks and copies; INVALID_ARGUMENT for a digest that is no SHA-256 or a negative size. */
bool wrap_blob_set(struct wrap_blob *out, const char *type, const char *digest, int64_t size,
                   struct wrap_error *err);
/**
 * What a document of an image leads to: of an index the manifest for Wasm, else for this machine,
 * else the first; of a manifest its only Wasm layer. OTHER: there is none, it is an ordinary image.
 * False: it is malformed, or has more than one module.
 */
bool wrap_blob_next(enum wrap_media media, const char *json, size_t size, struct wrap_blob *out,
                    struct wrap_error *err);

#endif
