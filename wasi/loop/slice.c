/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.c - the thread that ends time slices. It sleeps while nothing runs.
 */
#include "loop/loop.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

enum {
    IDLE_NS = 1000000, /* without a run: then the thread sleeps until one begins */
    STACK_BYTES = 64 * 1024,
    NS_PER_S = 1000000000,
    DEFAULT_SLICE_NS = 1000000,
    SPIN_NS = 1000, /* a shorter slice is shorter than any sleep */
    LEAST_TICK_NS = 100 /* that one round of the thread takes about */
};

/* Its deadlines are of the clock that is never set. */
static bool init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) return false;
    bool good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(wake, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return good;
}

wasi_errno wasi_slicer_init(struct wasi_slicer *s)
{
    *s = (struct wasi_slicer){.slice_ns = DEFAULT_SLICE_NS};
    if (pthread_mutex_init(&s->lock, NULL) != 0) return WASI_E_NOMEM;
    if (init_wake(&s->wake)) return WASI_E_SUCCESS;
    pthread_mutex_destroy(&s->lock);
    return WASI_E_NOMEM;
}

void wasi_slicer_set(struct wasi_slicer *s, u64 slice_ns)
{
    pthread_mutex_lock(&s->lock);
    s->slice_ns = slice_ns;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

/* Under the lock: for a slice, or until its length changes or the loop is deleted. */
static void sleep_slice(struct wasi_slicer *s)
{
    u64 slice_ns = s->slice_ns, now = wasi_clock_now(CLOCK_MONOTONIC);
    u64 end = slice_ns > UINT64_MAX - now ? UINT64_MAX : now + slice_ns;
    const struct timespec until = {(time_t)(end / NS_PER_S), (long)(end % NS_PER_S)};
    while (!s->over && s->slice_ns == slice_ns &&
           pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        continue;
}

/* Under the lock: one tick. Interrupts what was already running at the tick before. */
static void tick(struct wasi_slicer *s)
{
    u64 runs = s->runs;
    wr_exec_t *running = s->running;
    if (s->slice_ns < SPIN_NS) {
        pthread_mutex_unlock(&s->lock);
        sched_yield(); /* else who begins a run could wait for the lock for ever */
        pthread_mutex_lock(&s->lock);
    } else {
        sleep_slice(s);
    }
    if (running != NULL && s->running == running && s->runs == runs) wr_exec_interrupt(running);
}

static void *slice_regularly(void *arg)
{
    struct wasi_slicer *s = arg;
    u64 idle_ns = 0; /* without a run: one that follows soon shall not have to wake us */
    pthread_mutex_lock(&s->lock);
    while (!s->over) {
        u64 runs = s->runs;
        if (s->running == NULL && idle_ns >= IDLE_NS) {
            s->asleep = true;
            pthread_cond_wait(&s->wake, &s->lock);
            s->asleep = false;
            idle_ns = 0;
        } else {
            u64 slice_ns = s->slice_ns < LEAST_TICK_NS ? LEAST_TICK_NS : s->slice_ns;
            tick(s);
            idle_ns = s->runs == runs && s->running == NULL ? idle_ns + slice_ns : 0;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Without the thread, for want of memory, slices do not end by themselves. */
static void start(struct wasi_slicer *s)
{
    pthread_attr_t attr;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0) return;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all); /* signals of the process are the embedder's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->started = pthread_create(&s->thread, &attr, slice_regularly, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

void wasi_slicer_begin(struct wasi_slicer *s, wr_exec_t *exec)
{
    if (s->slice_ns == 0) return;
    if (!s->started) start(s);
    pthread_mutex_lock(&s->lock);
    s->running = exec;
    s->runs++;
    if (s->asleep) pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void wasi_slicer_end(struct wasi_slicer *s)
{
    pthread_mutex_lock(&s->lock);
    s->running = NULL;
    pthread_mutex_unlock(&s->lock);
}

void wasi_slicer_fini(struct wasi_slicer *s)
{
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->started) pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
}
