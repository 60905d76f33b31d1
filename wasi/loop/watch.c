/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c - descriptors that guests of a loop wait for, over one epoll descriptor.
 */
#include "loop/watch.h"

#include "loop/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Events taken in one go, and descriptors at most. */
enum { BATCH = 64, DESCRIPTORS = 1 << 24 };

struct wasi_watch {
    int host;
    u32 generation; /* of the registration: an event of an older one is none of ours */
    u32 armed;      /* EPOLL* now wanted from the kernel, 0 after it fired */
    bool added;     /* epoll knows the descriptor */
    struct wasi_link waiters;
};

wasi_errno wasi_watches_init(struct wasi_watches *ws)
{
    *ws = (struct wasi_watches){.epoll_fd = wasi_above_streams(epoll_create1(EPOLL_CLOEXEC))};
    return ws->epoll_fd < 0 ? wasi_errno_from_host(errno) : WASI_E_SUCCESS;
}

void wasi_watches_fini(struct wasi_watches *ws)
{
    for (u32 i = 0; i < ws->size; i++) free(ws->slot[i]);
    free(ws->slot);
    if (ws->epoll_fd >= 0) close(ws->epoll_fd);
    *ws = (struct wasi_watches){.epoll_fd = -1};
}

static wasi_errno reserve(struct wasi_watches *ws, int host)
{
    if (host < 0 || host >= DESCRIPTORS) return WASI_E_BADF;
    if ((u32)host < ws->size) return WASI_E_SUCCESS;
    u32 size = ws->size < 64 ? 64 : ws->size;
    while (size <= (u32)host) size *= 2;
    struct wasi_watch **slot = realloc(ws->slot, size * sizeof(struct wasi_watch *));
    if (slot == NULL) return WASI_E_NOMEM;
    memset(slot + ws->size, 0, (size - ws->size) * sizeof(struct wasi_watch *));
    ws->slot = slot;
    ws->size = size;
    return WASI_E_SUCCESS;
}

static struct wasi_watch *watch_of(struct wasi_watches *ws, int host)
{
    if (reserve(ws, host) != WASI_E_SUCCESS) return NULL;
    struct wasi_watch *watch = ws->slot[host];
    if (watch != NULL) return watch;
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL) return NULL;
    watch->host = host;
    wasi_link_init(&watch->waiters);
    ws->slot[host] = watch;
    return watch;
}

/* Asks the kernel for what the waiters want. */
static int arm(struct wasi_watches *ws, struct wasi_watch *watch)
{
    u32 wanted = 0;
    for (struct wasi_link *l = watch->waiters.next; l != &watch->waiters; l = l->next)
        wanted |= WASI_LINK_OWNER(l, struct wasi_waiter, link)->events;
    if (wanted == 0 || (wanted & ~watch->armed) == 0) return 0; /* more than wanted does no harm */
    struct epoll_event event = {.events = wanted | EPOLLONESHOT,
                                .data.u64 = (u64)watch->generation << 32 | (u32)watch->host};
    int op = watch->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int r = epoll_ctl(ws->epoll_fd, op, watch->host, &event);
    if (r != 0 && errno == ENOENT) /* closed and opened anew behind our back */
        r = epoll_ctl(ws->epoll_fd, EPOLL_CTL_ADD, watch->host, &event);
    if (r == 0) {
        watch->added = true;
        watch->armed = wanted;
    }
    return r;
}

static u32 epoll_events(short events)
{
    u32 out = 0;
    if ((events & POLLIN) != 0) out |= EPOLLIN;
    if ((events & POLLOUT) != 0) out |= EPOLLOUT;
    if ((events & POLLRDHUP) != 0) out |= EPOLLRDHUP;
    return out;
}

wasi_errno wasi_watch_add(struct wasi_watches *ws, struct wasi_waiter *w, int host, short events)
{
    struct wasi_watch *watch = watch_of(ws, host);
    if (watch == NULL) return host < 0 || host >= DESCRIPTORS ? WASI_E_BADF : WASI_E_NOMEM;
    w->events = epoll_events(events);
    w->watch = watch;
    wasi_link_append(&watch->waiters, &w->link);
    if (arm(ws, watch) == 0) return WASI_E_SUCCESS;
    int error = errno;
    wasi_watch_remove(w);
    if (error != EPERM) return wasi_errno_from_host(error);
    w->fire(w); /* a file: it never has to be waited for */
    return WASI_E_SUCCESS;
}

void wasi_watch_remove(struct wasi_waiter *w)
{
    if (w->watch == NULL) return;
    wasi_link_remove(&w->link);
    w->watch = NULL;
}

/* Fires those of a list that want one of `events`; a waiter that fires may add itself again. */
static void fire_some(struct wasi_watch *watch, u32 events)
{
    struct wasi_link list;
    wasi_link_take(&list, &watch->waiters);
    while (!wasi_link_is_alone(&list)) {
        struct wasi_waiter *w = WASI_LINK_OWNER(list.next, struct wasi_waiter, link);
        wasi_link_remove(&w->link);
        if ((w->events & events) == 0) {
            wasi_link_append(&watch->waiters, &w->link);
            continue;
        }
        w->watch = NULL;
        w->fire(w);
    }
}

static void on_event(struct wasi_watches *ws, const struct epoll_event *event)
{
    u32 host = (u32)event->data.u64;
    struct wasi_watch *watch = host < ws->size ? ws->slot[host] : NULL;
    if (watch == NULL || watch->generation != (u32)(event->data.u64 >> 32)) return;
    watch->armed = 0;
    u32 events = event->events;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) events = UINT32_MAX; /* the call itself tells what */
    fire_some(watch, events);
    if (arm(ws, watch) != 0) fire_some(watch, UINT32_MAX);
}

bool wasi_watch_knows(const struct wasi_watches *ws, int host)
{
    const struct wasi_watch *watch = host >= 0 && (u32)host < ws->size ? ws->slot[host] : NULL;
    return watch != NULL && watch->added;
}

void wasi_watches_run(struct wasi_watches *ws)
{
    struct epoll_event events[BATCH];
    int n = epoll_wait(ws->epoll_fd, events, BATCH, 0);
    for (int i = 0; i < n; i++) on_event(ws, &events[i]);
}

void wasi_watch_drop(struct wasi_watches *ws, int host, bool fire)
{
    struct wasi_watch *watch = host >= 0 && (u32)host < ws->size ? ws->slot[host] : NULL;
    if (watch == NULL || (!fire && !wasi_link_is_alone(&watch->waiters))) return;
    if (watch->added) (void)epoll_ctl(ws->epoll_fd, EPOLL_CTL_DEL, host, NULL);
    watch->added = false;
    watch->armed = 0;
    watch->generation++;
    fire_some(watch, UINT32_MAX);
}
