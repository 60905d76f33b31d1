/* SPDX-License-Identifier: Apache-2.0 */
/* dijkstra.c - shortest paths in a random graph, binary heap. size: thousands of vertices. */
#include "workload.h"

enum { DEGREE = 6, FAR = 0x7fffffff };

struct edge {
    u32 to;
    u32 length;
};

struct entry {
    u32 distance;
    u32 vertex;
};

struct heap {
    struct entry *list;
    u32 count;
};

static void push(struct heap *heap, struct entry entry)
{
    u32 at = heap->count++;
    while (at && heap->list[(at - 1) / 2].distance > entry.distance) {
        heap->list[at] = heap->list[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->list[at] = entry;
}

static struct entry pop(struct heap *heap)
{
    struct entry top = heap->list[0];
    struct entry last = heap->list[--heap->count];
    u32 at = 0;
    for (u32 child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count &&
            heap->list[child + 1].distance < heap->list[child].distance) {
            child++;
        }
        if (heap->list[child].distance >= last.distance) break;
        heap->list[at] = heap->list[child];
        at = child;
    }
    heap->list[at] = last;
    return top;
}

static void search(const struct edge *edges, u32 *distances, struct heap *heap, u32 from)
{
    distances[from] = 0;
    push(heap, (struct entry){0, from});
    while (heap->count) {
        struct entry entry = pop(heap);
        if (entry.distance > distances[entry.vertex]) continue;
        const struct edge *edge = &edges[entry.vertex * DEGREE];
        for (u32 i = 0; i < DEGREE; i++, edge++) {
            u32 distance = entry.distance + edge->length;
            if (distance >= distances[edge->to]) continue;
            distances[edge->to] = distance;
            push(heap, (struct entry){distance, edge->to});
        }
    }
}

u64 workload(u32 size)
{
    u32 vertices = size * 1000;
    u32 seed = 21;
    u64 sum = 0;
    struct edge *edges = wl_alloc(vertices * DEGREE * sizeof edges[0]);
    u32 *distances = wl_alloc(vertices * sizeof distances[0]);
    struct heap heap = {wl_alloc(vertices * DEGREE * sizeof heap.list[0]), 0};
    for (u32 i = 0; i < vertices * DEGREE; i++) {
        u32 random = wl_random(&seed);
        u32 near = (i / DEGREE + (random >> 24)) % vertices;
        edges[i] = (struct edge){i % 2 ? near : random % vertices, 1 + wl_random(&seed) % 1000};
    }
    for (u32 round = 0; round < 5; round++) {
        for (u32 i = 0; i < vertices; i++) distances[i] = FAR;
        search(edges, distances, &heap, wl_random(&seed) % vertices);
        for (u32 i = 0; i < vertices; i++) sum = wl_mix(sum, distances[i]);
    }
    return sum;
}
