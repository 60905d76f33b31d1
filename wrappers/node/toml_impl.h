/* SPDX-License-Identifier: Apache-2.0 */
/* toml_impl.h - between toml.c (tables, keys, lines) and toml_value.c (what is behind the "="). */
#ifndef WRAPPERS_NODE_TOML_IMPL_H
#define WRAPPERS_NODE_TOML_IMPL_H

#include "node/toml.h"

struct wrap_toml_reader {
    const char *at, *end;
    unsigned line;
    size_t nodes;
    struct wrap_error *err;
};

/** "line N: …"; false. */
bool wrap_toml_bad(struct wrap_toml_reader *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A new last child of `parent` (NULL: of nobody), whose key it takes over; NULL: `err` is set. */
struct wrap_toml *wrap_toml_add(struct wrap_toml_reader *in, struct wrap_toml *parent, char *key,
                                size_t key_size);
/** Spaces and tabs. */
void wrap_toml_blanks(struct wrap_toml_reader *in);
/** Spaces, comments and ends of lines. */
bool wrap_toml_space(struct wrap_toml_reader *in);
/** A comment, if one is here. */
bool wrap_toml_comment(struct wrap_toml_reader *in);
/** The end of a line, if it is here. */
bool wrap_toml_newline(struct wrap_toml_reader *in);
/** A string in single or double quotes, one line unless `lines`; the caller frees `*text`. */
bool wrap_toml_string(struct wrap_toml_reader *in, bool lines, char **text, size_t *size);
/** `key = value` of a table. */
bool wrap_toml_pair(struct wrap_toml_reader *in, struct wrap_toml *table, unsigned depth);
/** What is behind the "=", into `into`. */
bool wrap_toml_value(struct wrap_toml_reader *in, struct wrap_toml *into, unsigned depth);

#endif
