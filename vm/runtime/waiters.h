/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting on an address of a shared memory, and waking those that do. spec
 * exec-memory.atomic.wait, exec-memory.atomic.notify. Knows no instructions and no execs.
 */
#ifndef VM_RUNTIME_WAITERS_H
#define VM_RUNTIME_WAITERS_H

#include "platform/wakeup.h"

#include <stdatomic.h>

struct vm_memory;

/** Owner thread but where it says otherwise; zeroed, then `wakeup` initialised. */
struct vm_waiter {
    struct vm_memory *memory; /* own reference; NULL: no wait is in progress */
    u64 addr;                 /* as the owner writes it before it is queued */
    u64 deadline_ns;          /* UINT64_MAX: none */
    bool notified;            /* and out of the queue; lock: the memory's sharing->lock */
    struct vm_waiter *next, *prev; /* the same lock */
    struct vm_wakeup wakeup;       /* any thread may post */
};

enum { VM_WAIT_QUEUES = 32 };
/** Those that wait at addresses of one hash value, the longest first. lock: sharing->lock */
struct vm_waitqueue {
    struct vm_waiter *first, *last;
};

/** What a waiter asks for: `size` bytes, 4 or 8, in bounds and aligned. */
struct vm_wait {
    u64 addr, expected;
    u32 size;
    i64 timeout_ns; /* negative: none */
};

/** The first three are what the instruction answers. */
enum vm_wait_result { VM_WAIT_WOKEN, VM_WAIT_NOT_EQUAL, VM_WAIT_TIMED_OUT, VM_WAIT_STOPPED };

/**
 * Queues a waiter if memory holds what it expects, in one step as notifiers see it; false if not.
 * Then it is in progress until vm_waiter_sleep answers or vm_waiter_leave.
 */
bool vm_waiter_begin(struct vm_waiter *w, struct vm_memory *m, const struct vm_wait *wait);
/**
 * Sleeps until it is notified, its time is over, or `interrupt` has any of `bits`, whose setter
 * posts `wakeup`. VM_WAIT_STOPPED: still in progress, to be slept on again or left.
 */
enum vm_wait_result vm_waiter_sleep(struct vm_waiter *w, const _Atomic u32 *interrupt, u32 bits);
/** Ends a wait in progress, if there is one. */
void vm_waiter_leave(struct vm_waiter *w);

/** Wakes up to `count` of those that wait at `addr` of a shared memory; how many. Any thread. */
u32 vm_waiters_notify(struct vm_memory *m, u64 addr, u32 count);

#endif
