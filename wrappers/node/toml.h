/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.h - reads TOML 1.0 as far as an installer needs it: which keys and tables there are, the
 * text of strings, whole numbers and booleans. A file that would not load must be known before it
 * is changed, so syntax and doubled definitions are checked. Not here: writing, and what keys mean.
 *
 * Our own since Debian has no C library for it. Source: toml.io/en/v1.0.0.
 */
#ifndef WRAPPERS_NODE_TOML_H
#define WRAPPERS_NODE_TOML_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum wrap_toml_kind {
    WRAP_TOML_TABLE,
    WRAP_TOML_TABLES, /**< an array of tables, [[…]]: the children are tables without a key */
    WRAP_TOML_ARRAY,  /**< the children are values without a key */
    WRAP_TOML_STRING,
    WRAP_TOML_INTEGER,
    WRAP_TOML_BOOLEAN,
    WRAP_TOML_OTHER, /**< floats, dates, times, integers that do not fit */
};

/** Immutable once read; owned by the root, which the reader's caller frees. */
struct wrap_toml {
    enum wrap_toml_kind kind;
    bool closed; /**< an inline table: nothing can be added to it */
    bool
        named; /**< has had its own header, or was made by a dotted key: no header may come again */
    bool headed; /**< by a header: dotted keys from elsewhere can't add to it */
    unsigned line;
    size_t key_size;
    char *key; /**< NULL in arrays and for the root; ends with a zero byte, may hold others */
    size_t text_size;
    char *text; /**< of a string; ends with a zero byte, may hold others */
    long long number; /**< of an integer or boolean */
    struct wrap_toml *next, *first, *last; /**< sibling; children */
};

enum {
    WRAP_TOML_BYTES_MAX = 1 << 20,
    WRAP_TOML_NODES_MAX = 20000, /**< siblings are searched one by one */
    WRAP_TOML_DEPTH_MAX = 64, /**< of values in values, and parts of a dotted key */
};

/**
 * Reads a whole file. NULL: `err` has "line N: …" (INVALID_ARGUMENT), or that it is too big. Free
 * with wrap_toml_free.
 */
struct wrap_toml *wrap_toml_read(const char *text, size_t size, struct wrap_error *err);
/** NULL is fine. */
void wrap_toml_free(struct wrap_toml *root);

/** The child of a table (of the last one, of an array of tables); NULL: there is none. */
const struct wrap_toml *wrap_toml_get(const struct wrap_toml *table, const char *key);
/** The same along a path of keys that ends with NULL. */
const struct wrap_toml *wrap_toml_find(const struct wrap_toml *root, const char *const *path);
/** Whether it is this string. NULL is none. */
bool wrap_toml_is(const struct wrap_toml *value, const char *text);

/**
 * The keys of a table's header, which begins at `line`, as of [a."b c".d]: put into `parts`, one
 * after the other, each ended by a zero byte. Their number; 0: it is no such line, or they do not
 * fit. For files that are not TOML as a whole (templates).
 */
size_t wrap_toml_header(const char *line, size_t size, char *parts, size_t parts_size);

#endif
