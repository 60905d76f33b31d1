/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with the encodings of the binary format. Test tools only: no memory, abort.
 */
#ifndef FUZZ_BYTES_H
#define FUZZ_BYTES_H

#include "base/port.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
    u8 *data;
    usize size, cap;
};

static inline void bytes_put(struct bytes *b, const void *data, usize size)
{
    if (b->cap - b->size < size) {
        b->cap = 2 * b->cap + size + 64;
        b->data = realloc(b->data, b->cap);
        if (!b->data) abort();
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void bytes_u8(struct bytes *b, u8 v) { bytes_put(b, &v, 1); }

/** Little-endian, `n` bytes. spec binary-f32 */
static inline void bytes_le(struct bytes *b, u64 v, u32 n)
{
    for (u32 i = 0; i < n; i++) bytes_u8(b, (u8)(v >> 8 * i));
}

/** Unsigned LEB128. spec binary-int */
static inline void bytes_u64(struct bytes *b, u64 v)
{
    while (v >= 0x80) {
        bytes_u8(b, (u8)(v | 0x80));
        v >>= 7;
    }
    bytes_u8(b, (u8)v);
}

/** Signed LEB128. */
static inline void bytes_s64(struct bytes *b, i64 v)
{
    while (v < -64 || v > 63) {
        bytes_u8(b, (u8)((u64)v | 0x80));
        v >>= 7;
    }
    bytes_u8(b, (u8)(v & 0x7f));
}

static inline void bytes_append(struct bytes *b, const struct bytes *more)
{
    bytes_put(b, more->data, more->size);
}

static inline void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

#endif
