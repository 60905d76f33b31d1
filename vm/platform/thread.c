/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for work inside one call. No pools: nothing outlives the caller. */
#include "platform/thread.h"

#include <sched.h>
#include <signal.h>

u32 vm_cpu_count(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (u32)n : 1;
}

bool vm_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    /* inherited by the thread: the embedder's signals stay on the embedder's threads */
    if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) return false;
    bool ok = pthread_create(thread, NULL, fn, arg) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ok;
}

void vm_thread_join(pthread_t thread) { (void)pthread_join(thread, NULL); }
