/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation in blocks that double in size up to a bound. */
#include "base/arena.h"

#include <string.h>

enum { ARENA_ALIGN = 16, ARENA_MIN_BLOCK = 1 << 12, ARENA_MAX_BLOCK = 1 << 18 };

/* Its bytes follow. */
struct vm_arena_block {
    _Alignas(ARENA_ALIGN) struct vm_arena_block *older;
    usize bytes; /* of the whole block, this header included */
};

static u8 *block_start(struct vm_arena_block *b) { return (u8 *)(b + 1); }
static u8 *block_end(struct vm_arena_block *b) { return (u8 *)b + b->bytes; }

void vm_arena_init(struct vm_arena *arena, const struct vm_alloc *alloc)
{
    *arena = (struct vm_arena){.alloc = alloc};
}

static void free_blocks(struct vm_arena *arena, struct vm_arena_block *keep)
{
    struct vm_arena_block *b = arena->head;
    while (b) {
        struct vm_arena_block *older = b->older;
        if (b != keep) vm_alloc_free(arena->alloc, b, b->bytes);
        b = older;
    }
    arena->head = keep;
    arena->next = arena->end = NULL;
    arena->total_bytes = 0;
}

void vm_arena_free(struct vm_arena *arena) { free_blocks(arena, NULL); }

void vm_arena_reset(struct vm_arena *arena)
{
    struct vm_arena_block *largest = arena->head;
    for (struct vm_arena_block *b = arena->head; b; b = b->older) {
        if (b->bytes > largest->bytes) largest = b;
    }
    free_blocks(arena, largest);
    if (!largest) return;
    largest->older = NULL;
    arena->next = block_start(largest);
    arena->end = block_end(largest);
    arena->total_bytes = largest->bytes;
}

/* A block with room for `bytes`; larger than that when `bytes` is small. */
static struct vm_arena_block *add_block(struct vm_arena *arena, usize bytes)
{
    usize want = arena->head ? arena->head->bytes * 2 : ARENA_MIN_BLOCK;
    if (want > ARENA_MAX_BLOCK) want = ARENA_MAX_BLOCK;
    if (want < bytes + sizeof(struct vm_arena_block)) want = bytes + sizeof(struct vm_arena_block);
    struct vm_arena_block *b = vm_alloc_resize(arena->alloc, NULL, 0, want);
    if (!b) return NULL;
    b->bytes = want;
    arena->total_bytes += want;
    return b;
}

static void *alloc_slow(struct vm_arena *arena, usize bytes)
{
    struct vm_arena_block *b = add_block(arena, bytes);
    if (!b) return NULL;
    u8 *start = block_start(b);
    usize left = (usize)(block_end(b) - start) - bytes;
    if (arena->head && (usize)(arena->end - arena->next) > left) {
        /* A block of its own for a large piece: the head keeps serving small ones. */
        b->older = arena->head->older;
        arena->head->older = b;
        return start;
    }
    b->older = arena->head;
    arena->head = b;
    arena->next = start + bytes;
    arena->end = block_end(b);
    return start;
}

void *vm_arena_alloc(struct vm_arena *arena, usize bytes)
{
    if (bytes > (usize)PTRDIFF_MAX / 2) return NULL;
    usize size = bytes ? (bytes + ARENA_ALIGN - 1) & ~(usize)(ARENA_ALIGN - 1) : ARENA_ALIGN;
    void *p;
    if (size <= (usize)(arena->end - arena->next)) {
        p = arena->next;
        arena->next += size;
    } else {
        p = alloc_slow(arena, size);
    }
    if (p) memset(p, 0, size);
    return p;
}

void *vm_arena_array(struct vm_arena *arena, usize count, usize size)
{
    usize bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return vm_arena_alloc(arena, bytes);
}
