/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - a file system in memory, small and slow, that says what calls on a real one must do:
 * directories, files, hard and symbolic links. It knows nothing of WASI or of the host.
 */
#ifndef WASI_TESTS_MODEL_H
#define WASI_TESTS_MODEL_H

#include "abi/ints.h"

#include <stdbool.h>

enum {
    MODEL_NODES = 96,
    MODEL_ENTRIES = 96,
    MODEL_NAME = 8,    /* bytes of a name, its NUL included */
    MODEL_BYTES = 256, /* of a file, or of a symlink's target */
    MODEL_ROOT = 0
};

enum model_kind { MODEL_FREE, MODEL_DIR, MODEL_FILE, MODEL_LINK };

struct model_node {
    enum model_kind kind;
    u32 size;  /* of `bytes` */
    u32 opens; /* descriptors that keep it */
    u8 bytes[MODEL_BYTES];
};

struct model_entry {
    int dir, node; /* dir -1: free */
    char name[MODEL_NAME];
};

struct model {
    struct model_node node[MODEL_NODES];
    struct model_entry entry[MODEL_ENTRIES];
};

/** ESCAPE: the path leads above the directory it starts from, or is absolute. */
enum model_result { MODEL_OK, MODEL_FAIL, MODEL_ESCAPE };

struct model_open {
    bool follow, create, exclusive, truncate, directory, write;
};

/** An empty root. */
void model_init(struct model *m);
/** Whether any call still finds room; else the caller stops. */
bool model_has_room(const struct model *m);

/* Paths start from directory `dir` and never leave it. */
enum model_result model_find(const struct model *m, int dir, const char *path, bool follow,
                             int *node);
enum model_result model_open(struct model *m, int dir, const char *path, struct model_open how,
                             int *node);
enum model_result model_mkdir(struct model *m, int dir, const char *path);
enum model_result model_rmdir(struct model *m, int dir, const char *path);
enum model_result model_unlink(struct model *m, int dir, const char *path);
enum model_result model_symlink(struct model *m, const char *target, int dir, const char *path);
enum model_result model_link(struct model *m, int dir, const char *path, bool follow, int dir2,
                             const char *path2);
enum model_result model_rename(struct model *m, int dir, const char *path, int dir2,
                               const char *path2);

/** Bytes read from `at` on. */
u32 model_read(const struct model *m, int file, u64 at, u8 *out, u32 n);
/** FAIL: more than MODEL_BYTES. */
enum model_result model_write(struct model *m, int file, u64 at, const u8 *bytes, u32 n);
enum model_result model_set_size(struct model *m, int file, u64 size);
/** Names that a node has, the root one. */
u32 model_links(const struct model *m, int node);
/** Entries of a directory. */
u32 model_count(const struct model *m, int dir);
/** The node called `name` in `dir`, -1: none. */
int model_at(const struct model *m, int dir, const char *name);
/** A descriptor of `node` more, or one less. */
void model_hold(struct model *m, int node);
void model_drop(struct model *m, int node);

#endif
