/* SPDX-License-Identifier: Apache-2.0 */
/* mangling_libiberty.c - demangling by GNU libiberty, for C++ and both manglings of Rust. */
#include "common/demangle.h"

#include <libiberty/demangle.h>

#include <string.h>

bool wrap_demangle_pieces(const char *name, wrap_piece_fn piece, void *ctx)
{
    if (rust_demangle_callback(name, DMGL_RUST, piece, ctx) != 0) {
        return true;
    }
    /* "__Z" is how some tools write it, with the underscore of another system. */
    name += strncmp(name, "__Z", 3) == 0;
    return cplus_demangle_v3_callback(name, DMGL_PARAMS | DMGL_ANSI, piece, ctx) != 0;
}
