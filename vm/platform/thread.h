/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for work inside one call: started and joined by the same function. */
#ifndef VM_PLATFORM_THREAD_H
#define VM_PLATFORM_THREAD_H

#include "base/port.h"

#include <pthread.h>

/** Processors this process may run on, at least 1. */
u32 vm_cpu_count(void);
/** Starts a thread with all signals blocked; false when the system refuses. */
bool vm_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg);
void vm_thread_join(pthread_t thread);

#endif
