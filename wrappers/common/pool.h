/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - memory that is given up all at once, with an end: what a hostile text may cost.
 * Owner thread.
 */
#ifndef WRAPPERS_COMMON_POOL_H
#define WRAPPERS_COMMON_POOL_H

#include <stddef.h>

struct wrap_pool;

/** NULL: no memory. `most_bytes`: what all of it may come to. */
struct wrap_pool *wrap_pool_new(size_t most_bytes);
/** NULL is allowed. */
void wrap_pool_delete(struct wrap_pool *pool);
/** `count` zeroed items of `size` bytes, fit for any type; NULL: too many, or no memory. */
void *wrap_pool_take(struct wrap_pool *pool, size_t count, size_t size);

#endif
