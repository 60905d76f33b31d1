/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembling modules by hand and counting what decoding them allocates. For tests of the decoder
 * and of what follows it; include it behind cmocka.h.
 */
#ifndef VM_TESTS_MODULE_BUILDER_H
#define VM_TESTS_MODULE_BUILDER_H

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* -------- a counting allocator that can fail */

struct counter {
    usize live, peak; /* bytes */
    u32 calls, fail_at; /* fail_at 0: never */
};

static inline void *counting_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct counter *n = ctx;
    if (new_bytes > 0 && ++n->calls == n->fail_at) return NULL;
    if (new_bytes == 0) {
        free(ptr);
    } else {
        ptr = realloc(ptr, new_bytes);
        assert_non_null(ptr);
    }
    n->live += new_bytes;
    if (n->live > n->peak) n->peak = n->live; /* while a block moves, both halves exist */
    n->live -= ptr || new_bytes == 0 ? old_bytes : 0;
    return new_bytes == 0 ? NULL : ptr;
}

/* -------- assembling */

enum { BUILDER_BYTES = 1024, BUILDER_SECTIONS = 32 };

struct builder {
    u8 bytes[BUILDER_BYTES];
    usize size;
    usize ends[BUILDER_SECTIONS]; /* where the header and each section end */
    u32 end_count;
};

static inline void put(struct builder *b, const void *bytes, usize size)
{
    assert_true(b->size + size <= sizeof b->bytes);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

static inline void end_part(struct builder *b)
{
    assert_true(b->end_count < BUILDER_SECTIONS);
    b->ends[b->end_count++] = b->size;
}

static inline void section(struct builder *b, u8 id, const char *content, usize size)
{
    u8 head[3] = {id, (u8)(0x80 | (size & 0x7f)), (u8)(size >> 7)};
    put(b, head, sizeof head);
    put(b, content, size);
    end_part(b);
}

#define HEADER "\0asm\1\0\0\0"
#define SECTION(b, id, literal) section(b, id, literal, sizeof(literal) - 1)

/* Something of everything. */
// clang-format off
static inline void build_rich(struct builder *b)
{
    *b = (struct builder){0};
    put(b, HEADER, 8);
    end_part(b);
    SECTION(b, 0, "\2hi" "payload");
    SECTION(b, 1, "\4"
                  "\x60\2\x7f\x7e\1\x7d"             /* 0: [i32 i64] -> [f32] */
                  "\x4e\2"                           /* 1, 2: a group */
                  "\x50\0\x5f\2\x63\2\1\x78\0"       /* sub (struct (mut (ref null 2)) i8) */
                  "\x4f\1\1\x5f\2\x63\2\1\x78\0"     /* sub final 1 (the same) */
                  "\x5e\x77\1"                       /* 3: array (mut i16) */
                  "\x60\0\0");                       /* 4: [] -> [] */
    SECTION(b, 2, "\5"
                  "\1m\1f\0\4"
                  "\1m\1t\1\x70\1\1\2"
                  "\1m\2me\2\1\1\2"
                  "\1m\1g\3\x7f\0"
                  "\1m\0\4\0\4");
    SECTION(b, 3, "\2\4\0");
    SECTION(b, 4, "\2" "\x6f\0\1" "\x40\0\x70\1\1\2\xd0\x70\x0b");
    SECTION(b, 5, "\2\4\1" "\3\1\2");
    SECTION(b, 13, "\1\0\4");
    SECTION(b, 6, "\2" "\x7f\1\x41\x2a\x0b" "\x63\1\0\xd0\1\x0b");
    SECTION(b, 7, "\2" "\1e\0\1" "\0\2\0");
    SECTION(b, 8, "\1");
    SECTION(b, 9, "\x8"
                  "\0\x41\0\x0b\2\0\1"
                  "\1\0\1\0"
                  "\2\1\x41\0\x0b\0\1\2"
                  "\3\0\1\1"
                  "\4\x41\0\x0b\1\xd2\0\x0b"
                  "\5\x70\2\xd2\0\x0b\xd0\x70\x0b"
                  "\6\1\x41\0\x0b\x6f\1\xd0\x6f\x0b"
                  "\7\x63\4\1\xd0\4\x0b");
    SECTION(b, 12, "\3");
    SECTION(b, 10, "\2" "\2\0\x0b" "\7\0\x43\0\0\0\0\x0b");
    SECTION(b, 11, "\3" "\0\x41\0\x0b\2hi" "\1\0" "\2\1\x42\0\x0b\1x");
    SECTION(b, 0, "\4name" "\0\4\3mod" "\1\x9\2\0\3imp\1\1f");
}
// clang-format on

#endif
