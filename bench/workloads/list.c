/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - linked lists: malloc and free in odd orders, chasing, sorting. size: rounds. */
#include "workload.h"

#include <stdlib.h>

enum { CHAINS = 256, NODES = 8000 };

struct node {
    struct node *next;
    u32 value;
    u32 length;
    u8 bytes[];
};

static struct node *make(u32 *seed)
{
    u32 random = wl_random(seed);
    u32 length = random % 61;
    struct node *node = malloc(sizeof *node + length);
    if (!node) abort();
    node->value = random;
    node->length = length;
    memset(node->bytes, (int)(random >> 24), length);
    return node;
}

static struct node *reverse(struct node *list)
{
    struct node *back = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = back;
        back = list;
        list = next;
    }
    return back;
}

static struct node *merge(struct node *a, struct node *b)
{
    struct node *first = NULL;
    struct node **last = &first;
    while (a && b) {
        struct node **least = a->value <= b->value ? &a : &b;
        *last = *least;
        last = &(*least)->next;
        *least = *last;
    }
    *last = a ? a : b;
    return first;
}

static struct node *sort(struct node *list)
{
    if (!list || !list->next) return list;
    struct node *middle = list;
    for (struct node *end = list->next; end && end->next; end = end->next->next) {
        middle = middle->next;
    }
    struct node *rest = middle->next;
    middle->next = NULL;
    return merge(sort(list), sort(rest));
}

static u64 drop_some(struct node **link, u64 sum)
{
    while (*link) {
        struct node *node = *link;
        sum = wl_mix(sum, node->value + (node->length ? node->bytes[node->length - 1] : 0u));
        if (wl_random(&node->value) % 3) {
            *link = node->next;
            free(node);
        } else {
            link = &node->next;
        }
    }
    return sum;
}

u64 workload(u32 size)
{
    static struct node *chains[CHAINS];
    u32 seed = 4;
    u64 sum = 0;
    for (u32 round = 0; round < size; round++) {
        for (u32 i = 0; i < NODES; i++) {
            struct node *node = make(&seed);
            struct node **chain = &chains[node->value >> 8 & (CHAINS - 1)];
            node->next = *chain;
            *chain = node;
        }
        for (u32 i = 0; i < CHAINS; i++) {
            chains[i] = sort(reverse(chains[i]));
            sum = drop_some(&chains[i], sum);
        }
    }
    return sum;
}
