/* SPDX-License-Identifier: Apache-2.0 */
/* Shares a module's bodies among threads. What validation is, validate/ knows. */
#include "runtime/load.h"

#include "platform/thread.h"

enum {
    SHARE_BYTES = 128 << 10, /* code taken at a time */
    WORTH_BYTES = 2 << 20,   /* code below which threads cost more than they bring */
    THREADS_MAX = 16
};

/** Work that is left; lock: `lock`. */
struct shares {
    const struct vm_module *m;
    vm_features features;
    const struct vm_alloc *alloc;
    pthread_mutex_t lock;
    u32 next; /* first body that nobody has taken */
    u32 end;  /* bodies from here on need no look: an earlier one is bad */
};

/** One thread's part. */
struct worker {
    struct shares *shares;
    pthread_t thread;
    vm_status status;
    u32 failed; /* first body of the share that `err` is about */
    struct vm_err err;
};

/** Takes the next bodies; false when there are none. */
static bool take(struct shares *s, u32 *first, u32 *count)
{
    u64 bytes = 0;
    (void)pthread_mutex_lock(&s->lock);
    *first = s->next;
    while (s->next < s->end && bytes < SHARE_BYTES) bytes += s->m->bodies[s->next++].range.size;
    *count = s->next - *first;
    (void)pthread_mutex_unlock(&s->lock);
    return *count != 0;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct shares *s = w->shares;
    u32 first, count;
    while (w->status == VM_OK && take(s, &first, &count)) {
        w->status = vm_validate_bodies(s->m, s->features, first, count, s->alloc, &w->err);
        if (w->status == VM_OK) continue;
        w->failed = first;
        (void)pthread_mutex_lock(&s->lock);
        if (s->end > first) s->end = first; /* shares before this one are still wanted */
        (void)pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/** The error of the earliest share. */
static vm_status first_error(const struct worker *workers, u32 count, struct vm_err *err)
{
    const struct worker *first = NULL;
    for (u32 i = 0; i < count; i++)
        if (workers[i].status != VM_OK && (!first || workers[i].failed < first->failed))
            first = &workers[i];
    if (!first) return VM_OK;
    if (err) *err = first->err;
    return first->status;
}

static u64 code_bytes(const struct vm_module *m)
{
    return m->body_count ? (u64)m->bodies[m->body_count - 1].range.start +
                               m->bodies[m->body_count - 1].range.size - m->bodies[0].range.start
                         : 0;
}

vm_status vm_load_bodies(const struct vm_module *m, vm_features features, u32 threads,
                         const struct vm_alloc *alloc, struct vm_err *err)
{
    struct worker workers[THREADS_MAX];
    struct shares s = {.m = m, .features = features, .alloc = alloc, .end = m->body_count};
    u32 count = 1;
    if (code_bytes(m) >= WORTH_BYTES) count = threads ? threads : vm_cpu_count();
    if (count > THREADS_MAX) count = THREADS_MAX;
    if (count == 1) return vm_validate_bodies(m, features, 0, m->body_count, alloc, err);
    (void)pthread_mutex_init(&s.lock, NULL);
    for (u32 i = 0; i < count; i++) {
        workers[i] = (struct worker){.shares = &s, .status = VM_OK};
        vm_err_init(&workers[i].err);
    }
    u32 started = 1; /* this thread is the first worker */
    while (started < count && vm_thread_start(&workers[started].thread, work, &workers[started]))
        started++;
    (void)work(&workers[0]);
    for (u32 i = 1; i < started; i++) vm_thread_join(workers[i].thread);
    (void)pthread_mutex_destroy(&s.lock);
    return first_error(workers, started, err);
}
