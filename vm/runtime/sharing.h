/* SPDX-License-Identifier: Apache-2.0 */
/* What a shared memory has besides an unshared one. Not for code that only reads and writes it. */
#ifndef VM_RUNTIME_SHARING_H
#define VM_RUNTIME_SHARING_H

#include "runtime/waiters.h"

#include <pthread.h>
#include <stdatomic.h>

/** Any thread. */
struct vm_sharing {
    _Atomic usize refs;
    pthread_mutex_t lock; /* growth, and the queues */
    struct vm_waitqueue queues[VM_WAIT_QUEUES];
};

#endif
