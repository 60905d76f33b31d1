/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX semaphores with the monotonic clock, where the C library has that. */
#include "platform/wakeup.h"

#include <time.h>

enum { NS_PER_S = 1000000000 };

u64 vm_now_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

static struct timespec to_timespec(u64 ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 30)
#define HAS_CLOCKWAIT 1
#endif
#endif

#ifdef HAS_CLOCKWAIT
static void timed_wait(sem_t *sem, u64 deadline_ns)
{
    struct timespec t = to_timespec(deadline_ns);
    (void)sem_clockwait(sem, CLOCK_MONOTONIC, &t);
}
#else
/** By the clock that people set: a little at a time, so that setting it back does no harm. */
static void timed_wait(sem_t *sem, u64 deadline_ns)
{
    u64 now = vm_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
    struct timespec real = {0};
    (void)clock_gettime(CLOCK_REALTIME, &real);
    if (left > NS_PER_S) left = NS_PER_S;
    struct timespec t = to_timespec((u64)real.tv_sec * NS_PER_S + (u64)real.tv_nsec + left);
    (void)sem_timedwait(sem, &t);
}
#endif

void vm_wakeup_init(struct vm_wakeup *w) { (void)sem_init(&w->sem, 0, 0); }
void vm_wakeup_fini(struct vm_wakeup *w) { (void)sem_destroy(&w->sem); }
/* at its highest value it refuses, which loses nothing: the sleep ends all the same */
void vm_wakeup_post(struct vm_wakeup *w) { (void)sem_post(&w->sem); }

void vm_wakeup_drain(struct vm_wakeup *w)
{
    while (sem_trywait(&w->sem) == 0) {
    }
}

void vm_wakeup_wait(struct vm_wakeup *w, u64 deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        (void)sem_wait(&w->sem);
    else
        timed_wait(&w->sem, deadline_ns);
}
