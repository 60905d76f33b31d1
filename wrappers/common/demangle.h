/* SPDX-License-Identifier: Apache-2.0 */
/* demangle.h - names of C++ and Rust as people write them. */
#ifndef WRAPPERS_COMMON_DEMANGLE_H
#define WRAPPERS_COMMON_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum { WRAP_NAME_BYTES = 512 };

/**
 * Replaces each of `count` names (at most 4096) that is mangled (Itanium C++, Rust legacy and v0)
 * by what it stands for, cut to its length. A name can be made to stand for an endless one: those
 * that take longer than a moment stay as they are.
 */
void wrap_demangle(char (*names)[WRAP_NAME_BYTES], size_t count);

/** Takes a piece of a name. */
typedef void (*wrap_piece_fn)(const char *text, size_t size, void *ctx);
/**
 * Writes what one name stands for, however long; false when it is not mangled. Of the two files
 * mangling_*.c the build chooses one.
 */
bool wrap_demangle_pieces(const char *name, wrap_piece_fn piece, void *ctx);

#endif
