/* SPDX-License-Identifier: Apache-2.0 */
/* The queues of a shared memory. Whoever is queued holds a reference to it. */
#include "runtime/waiters.h"

#include "runtime/objects.h"
#include "runtime/sharing.h"

static struct vm_waitqueue *queue_of(const struct vm_memory *m, u64 addr)
{
    u64 hash = addr * 0x9e3779b97f4a7c15u; /* neighbours apart */
    return &m->sharing->queues[hash >> 32 & (VM_WAIT_QUEUES - 1)];
}

static void lock(const struct vm_memory *m) { (void)pthread_mutex_lock(&m->sharing->lock); }
static void unlock(const struct vm_memory *m) { (void)pthread_mutex_unlock(&m->sharing->lock); }

static void enqueue(struct vm_waitqueue *q, struct vm_waiter *w)
{
    w->next = NULL;
    w->prev = q->last;
    if (q->last)
        q->last->next = w;
    else
        q->first = w;
    q->last = w;
}

static void dequeue(struct vm_waitqueue *q, struct vm_waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        q->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        q->last = w->prev;
}

static u64 load(const struct vm_memory *m, const struct vm_wait *wait)
{
    typedef u32 __attribute__((may_alias)) cell32;
    typedef u64 __attribute__((may_alias)) cell64;
    const void *p = m->base + wait->addr;
    return wait->size == 8 ? __atomic_load_n((const cell64 *)p, __ATOMIC_SEQ_CST)
                           : __atomic_load_n((const cell32 *)p, __ATOMIC_SEQ_CST);
}

/** When a wait that begins now ends; far away is never. */
static u64 deadline(i64 timeout_ns)
{
    u64 at;
    if (timeout_ns < 0 || __builtin_add_overflow(vm_now_ns(), (u64)timeout_ns, &at) ||
        at > INT64_MAX)
        return UINT64_MAX;
    return at;
}

bool vm_waiter_begin(struct vm_waiter *w, struct vm_memory *m, const struct vm_wait *wait)
{
    w->addr = wait->addr;
    w->deadline_ns = deadline(wait->timeout_ns);
    vm_wakeup_drain(&w->wakeup); /* whoever posted has left its reason, which is looked at later */
    lock(m);
    bool equal = load(m, wait) == wait->expected;
    if (equal) {
        w->notified = false;
        enqueue(queue_of(m, w->addr), w);
    }
    unlock(m);
    if (!equal) return false;
    vm_memory_retain(m);
    w->memory = m;
    return true;
}

/** Out of the queue, in which it still is unless it has been notified. */
static void finish(struct vm_waiter *w)
{
    vm_memory_release(w->memory);
    w->memory = NULL;
}

enum vm_wait_result vm_waiter_sleep(struct vm_waiter *w, const _Atomic u32 *interrupt, u32 bits)
{
    struct vm_memory *m = w->memory;
    for (;;) {
        bool late = w->deadline_ns != UINT64_MAX && vm_now_ns() >= w->deadline_ns;
        /* under the lock: a notifier that is about to post must not find this exec deleted */
        lock(m);
        bool notified = w->notified;
        if (late && !notified) dequeue(queue_of(m, w->addr), w);
        unlock(m);
        if (notified || late) {
            finish(w);
            return notified ? VM_WAIT_WOKEN : VM_WAIT_TIMED_OUT;
        }
        /* acquire: pairs with the request's release */
        if (atomic_load_explicit(interrupt, memory_order_acquire) & bits) return VM_WAIT_STOPPED;
        vm_wakeup_wait(&w->wakeup, w->deadline_ns);
    }
}

void vm_waiter_leave(struct vm_waiter *w)
{
    struct vm_memory *m = w->memory;
    if (!m) return;
    lock(m);
    if (!w->notified) dequeue(queue_of(m, w->addr), w);
    unlock(m);
    finish(w);
}

u32 vm_waiters_notify(struct vm_memory *m, u64 addr, u32 count)
{
    struct vm_waitqueue *q = queue_of(m, addr);
    u32 woken = 0;
    lock(m);
    for (struct vm_waiter *w = q->first, *next; w && woken < count; w = next) {
        next = w->next;
        if (w->addr != addr) continue;
        dequeue(q, w);
        w->notified = true;
        vm_wakeup_post(&w->wakeup);
        woken++;
    }
    unlock(m);
    return woken;
}
