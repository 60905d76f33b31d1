/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files of the node: found beneath the root, read whole, replaced or removed in one step.
 * Not here: what is in them.
 */
#ifndef WRAPPERS_NODE_FILE_H
#define WRAPPERS_NODE_FILE_H

#include "common/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum {
    WRAP_NODE_TEXT_MAX = 1 << 20,     /**< of a configuration */
    WRAP_NODE_PROGRAM_MAX = 256 << 20 /**< of a binary */
};
enum { WRAP_NODE_HASH = 65 }; /**< a SHA-256 in hexadecimal, with its end */

/** A whole file; the owner frees it with wrap_node_file_free. */
struct wrap_node_file {
    bool exists;
    char *data; /**< ends with a zero byte that is not counted */
    size_t size;
    struct stat st;
};

/**
 * Reads what `path` is beneath `root` (AT_FDCWD: as this process sees it). That there is none is no
 * error: `exists` is false. False: no regular file, more than `max` bytes, or it can't be read.
 */
bool wrap_node_file_read(int root, const char *path, size_t max, struct wrap_node_file *out,
                         struct wrap_error *err);
void wrap_node_file_free(struct wrap_node_file *file);
/** Whether there is anything of that path beneath `root`. */
bool wrap_node_exists(int root, const char *path);

/**
 * Writes a file so that its path names the old one or the whole new one at any moment, also after a
 * crash: it is written without a name, made durable, read again and compared, then put in place.
 * Folders above are made. `like`, if it exists: who owns it and its mode and label; else `mode`. A
 * link is followed, beneath root, and stays.
 */
bool wrap_node_file_write(int root, const char *path, const struct wrap_node_file *content,
                          const struct wrap_node_file *like, struct wrap_error *err);
/** Removes a file; that there is none is fine. */
bool wrap_node_file_remove(int root, const char *path, struct wrap_error *err);
/** Removes what a write of `path` left that was killed. */
void wrap_node_file_tidy(int root, const char *path);
/** Removes an empty folder if it is one; says nothing. */
void wrap_node_folder_remove(int root, const char *path);

/** Writes the SHA-256 of bytes. */
void wrap_node_hash(const char *data, size_t size, char out[WRAP_NODE_HASH]);

#endif
