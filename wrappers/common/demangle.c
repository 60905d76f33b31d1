/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demangle.c - demangles names of untrusted modules within a bound of time: on a thread of its own,
 * which is left alone, and its memory with it, when it is too slow. The process ends soon then.
 */
#include "common/demangle.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAMES_MAX = 4096, WAIT_MS = 300, STACK_BYTES = 8 << 20 };

struct job {
    size_t count;
    atomic_size_t done; /* release after a name is written, acquire before it is read */
    atomic_int users;   /* acquire-release: the last one frees */
    sem_t over;
    char names[][WRAP_NAME_BYTES];
};

struct output {
    char text[WRAP_NAME_BYTES];
    size_t length;
};

static bool is_mangled(const char *name)
{
    return strncmp(name, "_Z", 2) == 0 || strncmp(name, "__Z", 3) == 0 ||
           strncmp(name, "_R", 2) == 0;
}

static void add_piece(const char *text, size_t size, void *ctx)
{
    struct output *out = ctx;
    size_t room = sizeof out->text - 1 - out->length;
    size = size < room ? size : room;
    memcpy(out->text + out->length, text, size);
    out->length += size;
}

static void release(struct job *job)
{
    if (atomic_fetch_sub_explicit(&job->users, 1, memory_order_acq_rel) == 1) {
        sem_destroy(&job->over);
        free(job);
    }
}

static void *work(void *arg)
{
    struct job *job = arg;
    for (size_t i = 0; i < job->count; i++) {
        struct output out = {.length = 0};
        if (is_mangled(job->names[i]) && wrap_demangle_pieces(job->names[i], add_piece, &out) &&
            out.length) {
            memcpy(job->names[i], out.text, out.length);
            job->names[i][out.length] = 0;
        }
        atomic_store_explicit(&job->done, i + 1, memory_order_release);
    }
    sem_post(&job->over);
    release(job);
    return NULL;
}

static bool start(struct job *job)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool good = pthread_create(&thread, &attr, work, job) == 0;
    pthread_attr_destroy(&attr);
    return good;
}

static void wait_for(struct job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)sem_timedwait(&job->over, &until); /* a signal ends the wait early: names stay mangled */
}

void wrap_demangle(char (*names)[WRAP_NAME_BYTES], size_t count)
{
    bool any = false;
    count = count < NAMES_MAX ? count : NAMES_MAX;
    for (size_t i = 0; i < count; i++) {
        any = any || is_mangled(names[i]);
    }
    struct job *job = any ? malloc(sizeof *job + count * WRAP_NAME_BYTES) : NULL;
    if (!job) {
        return;
    }
    job->count = count;
    memcpy(job->names, names, count * WRAP_NAME_BYTES);
    atomic_init(&job->done, 0);
    atomic_init(&job->users, 2);
    sem_init(&job->over, 0, 0);
    if (start(job)) {
        wait_for(job);
        size_t done = atomic_load_explicit(&job->done, memory_order_acquire);
        memcpy(names, job->names, done * WRAP_NAME_BYTES);
    } else {
        release(job); /* the thread's share */
    }
    release(job);
}
