/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping until somebody wakes the thread up or a time has come. Knows no reasons. */
#ifndef VM_PLATFORM_WAKEUP_H
#define VM_PLATFORM_WAKEUP_H

#include "base/port.h"

#include <semaphore.h>

/** One thread sleeps on it. A wake-up that comes before the sleep ends that sleep. */
struct vm_wakeup {
    sem_t sem;
};

void vm_wakeup_init(struct vm_wakeup *w);
void vm_wakeup_fini(struct vm_wakeup *w);
/** Any thread, also a signal handler. */
void vm_wakeup_post(struct vm_wakeup *w);
/** Forgets the wake-ups that have come so far. */
void vm_wakeup_drain(struct vm_wakeup *w);
/** Returns at a wake-up, at `deadline_ns` of vm_now_ns (UINT64_MAX: never), or for no reason. */
void vm_wakeup_wait(struct vm_wakeup *w, u64 deadline_ns);

/** A clock that only goes forward. */
u64 vm_now_ns(void);

#endif
