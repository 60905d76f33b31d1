/* SPDX-License-Identifier: Apache-2.0 */
/* mangling_none.c - for builds without libiberty: names stay as they are. */
#include "common/demangle.h"

bool wrap_demangle_pieces(const char *name, wrap_piece_fn piece, void *ctx)
{
    (void)name;
    (void)piece;
    (void)ctx;
    return false;
}
