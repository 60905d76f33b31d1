/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - a doubly linked list through its members. A link outside any list points to itself.
 */
#ifndef WASI_LOOP_LIST_H
#define WASI_LOOP_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct wasi_link {
    struct wasi_link *next, *prev;
};

/** The structure of type `type` whose member `member` is at `link`. */
#define WASI_LINK_OWNER(link, type, member)                                                        \
    ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void wasi_link_init(struct wasi_link *l) { l->next = l->prev = l; }

static inline bool wasi_link_is_alone(const struct wasi_link *l) { return l->next == l; }

static inline void wasi_link_remove(struct wasi_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    wasi_link_init(l);
}

/** Puts a link that is in no list at the end of `list`. */
static inline void wasi_link_append(struct wasi_link *list, struct wasi_link *l)
{
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

/** Moves all of `from` to the empty list `to`. */
static inline void wasi_link_take(struct wasi_link *to, struct wasi_link *from)
{
    wasi_link_init(to);
    if (wasi_link_is_alone(from)) return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    wasi_link_init(from);
}

#endif
