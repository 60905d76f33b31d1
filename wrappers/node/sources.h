/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources.h - the files that a container runtime reads its configuration from: one and what it
 * imports, or a folder. Without our lines, which are told apart by their marks.
 */
#ifndef WRAPPERS_NODE_SOURCES_H
#define WRAPPERS_NODE_SOURCES_H

#include "node/block.h"
#include "node/file.h"
#include "node/toml.h"

enum { WRAP_NODE_SOURCES_MAX = 64 };

struct wrap_node_source {
    char *path;
    struct wrap_node_file file; /**< may have been taken away */
    struct stat st;
    struct wrap_node_text rest; /**< without our lines */
    bool ours; /**< there were some */
    struct wrap_toml *tree; /**< of `rest`; NULL: it was not read as TOML */
};

/** Zero-initialise and set the root; free with wrap_node_sources_free. */
struct wrap_node_sources {
    int root; /**< O_PATH, the caller's */
    struct wrap_node_source all[WRAP_NODE_SOURCES_MAX];
    size_t count;
};

/**
 * Adds a file, unless it is there already; `*out` (if not NULL) is it, NULL when there is no such
 * file. `toml`: it must be correct.
 */
bool wrap_node_sources_add(struct wrap_node_sources *sources, const char *path, bool toml,
                           struct wrap_node_source **out, struct wrap_error *err);
/**
 * Adds what the files that are there import, in containerd's order: their paths may be relative,
 * and have wildcards in the last part.
 */
bool wrap_node_sources_follow(struct wrap_node_sources *sources, struct wrap_error *err);
/** Adds the files of a folder whose names match, sorted; that there is no folder is fine. */
bool wrap_node_sources_folder(struct wrap_node_sources *sources, const char *folder,
                              const char *pattern, struct wrap_error *err);
void wrap_node_sources_free(struct wrap_node_sources *sources);

/** The folder of the first import of all *.toml of a folder; false: there is none. */
bool wrap_node_source_drop_ins(const struct wrap_node_source *source, char out[PATH_MAX]);

#endif
