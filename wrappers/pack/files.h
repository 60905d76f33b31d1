/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the files of an image, in memory, and the layer they make. */
#ifndef WRAPPERS_PACK_FILES_H
#define WRAPPERS_PACK_FILES_H

#include "pack/tar.h"

struct wrap_pack_file {
    char *path; /**< own; in the image, without the leading slash */
    char *bytes; /**< own; NULL: a folder */
    size_t size;
    unsigned mode;
};

struct wrap_pack_files {
    struct wrap_pack_file *rows; /**< own */
    size_t count;
    size_t total; /**< bytes of all of them */
};

/** All files of an image together. */
#define WRAP_PACK_MAX ((size_t)2 << 30)

/** Reads a file of the host ("-": standard input) and adds it as `path`. */
bool wrap_pack_file_add(struct wrap_pack_files *files, const char *host, const char *path,
                        unsigned mode, struct wrap_error *err);
/** Adds a file, or a folder and all that it holds, which may be files and folders alone. */
bool wrap_pack_tree_add(struct wrap_pack_files *files, const char *host, const char *path,
                        struct wrap_error *err);
/**
 * Adds the folders that the files are in, and sorts. Two of one name are an error. Call it once,
 * after the last file; indices are no longer what they were.
 */
bool wrap_pack_files_finish(struct wrap_pack_files *files, struct wrap_error *err);
/** The one at `path`, which may begin with a slash; NULL: there is none. */
const struct wrap_pack_file *wrap_pack_file_find(const struct wrap_pack_files *files,
                                                 const char *path);
/** Writes them as a layer, in their order. */
bool wrap_pack_layer(const struct wrap_pack_files *files, int64_t time, wrap_tar_sink sink,
                     void *ctx, struct wrap_error *err);
void wrap_pack_files_free(struct wrap_pack_files *files);

#endif
