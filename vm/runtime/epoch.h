/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs: an engine-wide clock that somebody ticks, and execs that are to be interrupted some ticks
 * after they began to run. Costs nothing to execs that do not ask.
 */
#ifndef VM_RUNTIME_EPOCH_H
#define VM_RUNTIME_EPOCH_H

#include "base/port.h"

#include <pthread.h>

struct vm_exec;

/** One per engine. lock: `lock`. */
struct vm_epochs {
    pthread_mutex_t lock;
    u64 now;
    struct vm_exec *running; /* execs with a deadline, linked by epoch_next and epoch_back */
};

void vm_epochs_init(struct vm_epochs *e);
void vm_epochs_free(struct vm_epochs *e);
/** One tick: interrupts what is due. Any thread, not from a signal handler. */
void vm_epochs_tick(struct vm_epochs *e);
/** Before and after a run of an exec with epoch_ticks set. Its thread. */
void vm_epochs_enter(struct vm_epochs *e, struct vm_exec *x);
void vm_epochs_leave(struct vm_epochs *e, struct vm_exec *x);

#endif
