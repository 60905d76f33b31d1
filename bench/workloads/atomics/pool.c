/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - a lock-free stack of free blocks with a counted head, objects with reference counts in
 * these blocks, a table read under a sequence lock; one thread, so nothing is contended.
 * size: thousands of objects.
 */
#include "workload.h"

#include <stdatomic.h>

enum { BLOCKS = 4096, LIVE = 512, FIELDS = 8 };

/* ---------------------------------------------------------------- the stack */

struct object {
    _Atomic u32 next; /* index + 1 of a free block; 0: the last */
    _Atomic u32 references;
    u32 value, other; /* other: index + 1 of an object it holds */
};

/** Head: index + 1 in the low half, how often it changed in the high half. */
struct pool {
    _Atomic u64 head;
    _Atomic u32 frees;
    struct object objects[BLOCKS];
};

static void put(struct pool *pool, u32 index)
{
    u64 head = atomic_load_explicit(&pool->head, memory_order_relaxed), now;
    do {
        atomic_store_explicit(&pool->objects[index].next, (u32)head, memory_order_relaxed);
        now = ((head >> 32) + 1) << 32 | (index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, now, memory_order_release,
                                                    memory_order_relaxed));
}

/* An index, or BLOCKS when none is free. */
static u32 take(struct pool *pool)
{
    u64 head = atomic_load_explicit(&pool->head, memory_order_acquire), now;
    do {
        if (!(u32)head) return BLOCKS;
        u32 next = atomic_load_explicit(&pool->objects[(u32)head - 1].next, memory_order_relaxed);
        now = ((head >> 32) + 1) << 32 | next;
    } while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, now, memory_order_acquire,
                                                    memory_order_acquire));
    return (u32)head - 1;
}

/* ---------------------------------------------------------------- references */

static void hold(struct object *object)
{
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
}

/* What the last reference held is let go, too. */
static void drop(struct pool *pool, u32 index)
{
    for (u32 next = 0;; index = next - 1) {
        struct object *object = &pool->objects[index];
        u32 before = atomic_fetch_sub_explicit(&object->references, 1, memory_order_release);
        if (before != 1) return;
        atomic_thread_fence(memory_order_acquire);
        next = object->other;
        put(pool, index);
        atomic_fetch_add(&pool->frees, 1);
        if (!next) return;
    }
}

/* ---------------------------------------------------------------- a sequence lock */

struct table {
    _Atomic u32 sequence; /* odd while it is written */
    _Atomic u32 fields[FIELDS];
};

static void write_table(struct table *table, u32 value)
{
    atomic_fetch_add_explicit(&table->sequence, 1, memory_order_acquire);
    for (u32 i = 0; i < FIELDS; i++) {
        atomic_store_explicit(&table->fields[i], value * (i + 1), memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&table->sequence, 1, memory_order_release);
}

static u32 read_table(struct table *table)
{
    u32 sum, before;
    do {
        before = atomic_load_explicit(&table->sequence, memory_order_acquire);
        sum = 0;
        for (u32 i = 0; i < FIELDS; i++) {
            sum += atomic_load_explicit(&table->fields[i], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
    } while (before & 1 || before != atomic_load_explicit(&table->sequence, memory_order_relaxed));
    return sum;
}

/* A new object takes a place; half of them hold the object of another place. */
static u64 replace(struct pool *pool, u32 *live, u32 random, u64 sum)
{
    u32 at = random % LIVE, other = live[random >> 9 & (LIVE - 1)], index = take(pool);
    if (index == BLOCKS) return wl_mix(sum, 0);
    struct object *object = &pool->objects[index];
    object->value = random;
    object->other = 0;
    atomic_store_explicit(&object->references, 1, memory_order_relaxed);
    if (random >> 31 && other) {
        hold(&pool->objects[other - 1]);
        object->other = other;
    }
    if (live[at]) {
        sum += pool->objects[live[at] - 1].value;
        drop(pool, live[at] - 1);
    }
    live[at] = index + 1;
    return sum;
}

u64 workload(u32 size)
{
    struct pool *pool = wl_alloc(sizeof *pool);
    struct table *table = wl_alloc(sizeof *table);
    u32 *live = wl_alloc(LIVE * sizeof *live);
    u32 seed = 77;
    u64 sum = 0;
    for (u32 i = 0; i < BLOCKS; i++) put(pool, i);
    for (u64 i = 0; i < (u64)size * 1000; i++) {
        sum = replace(pool, live, wl_random(&seed), sum);
        if (i % 8 == 0) write_table(table, (u32)i);
        sum += read_table(table);
        if (i % 256 == 0) sum = wl_mix(sum, i);
    }
    for (u32 i = 0; i < LIVE; i++) sum = wl_mix(sum, live[i]);
    return wl_mix(sum, pool->frees);
}
