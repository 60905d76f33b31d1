/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - a list of chunks; an item larger than a chunk gets one of its own. */
#include "common/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct chunk {
    struct chunk *next;
    size_t size; /* keeps `bytes` aligned, too */
    unsigned char bytes[];
};
_Static_assert(sizeof(struct chunk) % ALIGNMENT == 0, "bytes are aligned as malloc's");

struct wrap_pool {
    struct chunk *chunks; /* the newest first, which is the one with room */
    size_t used;          /* of it */
    size_t left;          /* bytes that chunks may still have */
};

struct wrap_pool *wrap_pool_new(size_t most_bytes)
{
    struct wrap_pool *pool = calloc(1, sizeof *pool);
    if (pool) {
        pool->left = most_bytes;
    }
    return pool;
}

void wrap_pool_delete(struct wrap_pool *pool)
{
    struct chunk *chunk = pool ? pool->chunks : NULL;
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(pool);
}

static struct chunk *add_chunk(struct wrap_pool *pool, size_t least)
{
    size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    size = size > pool->left && least <= pool->left ? pool->left : size; /* the last one */
    struct chunk *chunk = size <= pool->left ? malloc(sizeof *chunk + size) : NULL;
    if (!chunk) {
        return NULL;
    }
    chunk->next = pool->chunks;
    chunk->size = size;
    pool->chunks = chunk;
    pool->used = 0;
    pool->left -= size;
    return chunk;
}

void *wrap_pool_take(struct wrap_pool *pool, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *chunk = pool->chunks;
    if (!chunk || chunk->size - pool->used < bytes) {
        chunk = add_chunk(pool, bytes);
    }
    if (!chunk) {
        return NULL;
    }
    void *item = chunk->bytes + pool->used;
    pool->used += bytes;
    return memset(item, 0, bytes);
}
