/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.c - the life of a guest in a loop: running, parking, being tried again, ending.
 */
#include "loop/loop.h"

#include "loop/dns.h"
#include "row.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Tasks that are ready run for this long before the loop looks at descriptors again. */
#define ROUND_NS UINT64_C(5000000)

void wasi_task_queue(struct wr_task *task)
{
    struct wr_loop *loop = task->loop;
    task->state = WASI_TASK_QUEUED;
    wasi_link_append(&loop->ready, &task->queue);
    uv_idle_start(&loop->idle, loop->idle.idle_cb);
}

/* ---------------------------------------------------------------- waiting */

static void unpark(struct wr_task *task)
{
    struct wasi_op *op = &task->op;
    for (u32 i = 0; i < op->waiters; i++) wasi_watch_remove(&op->waiter[i]);
    if (op->waiter != op->few) free(op->waiter);
    op->waiter = op->few;
    op->waiters = 0;
    wasi_timer_stop(&task->loop->timers, &task->timer);
}

static void wake(struct wr_task *task)
{
    if (task->state != WASI_TASK_PARKED && task->state != WASI_TASK_GATED) return;
    if (task->state == WASI_TASK_GATED) task->config.wasi->gated--;
    unpark(task);
    wasi_task_queue(task);
}

/* Until a worker is done with the context. */
static void gate(struct wr_task *task)
{
    task->state = WASI_TASK_GATED;
    task->config.wasi->gated++;
}

void wasi_task_answered(struct wr_task *task) { wake(task); }

static void on_descriptor(struct wasi_waiter *w) { wake(w->owner); }

static void on_timer(struct wasi_timer *t) { wake(WASI_LINK_OWNER(t, struct wr_task, timer)); }

static void on_grace(struct wasi_timer *t)
{
    wr_task_kill(WASI_LINK_OWNER(t, struct wr_task, grace));
}

/* The guest's descriptors among those waited for must tell the loop before they close. */
static void mark_watched(struct wr_task *task)
{
    const struct wasi_watches *watches = &task->loop->watches;
    struct wasi_fdtable *fds = &task->config.wasi->fds;
    for (u32 i = 0; i < fds->size; i++) {
        struct wasi_fd *fd = fds->slot[i];
        if (fd != NULL && !fd->watched) fd->watched = wasi_watch_knows(watches, fd->host);
    }
}

/* Sets waiters and timer for what the call wants; a descriptor that is ready already wakes. */
static wasi_errno arm(struct wr_task *task, const struct wasi_want *want)
{
    struct wasi_op *op = &task->op;
    struct wr_loop *loop = task->loop;
    op->waiter = op->few;
    if (want->count > WASI_OP_FEW) op->waiter = calloc(want->count, sizeof(*op->waiter));
    if (op->waiter == NULL) {
        op->waiter = op->few;
        return WASI_E_NOMEM;
    }
    op->waiters = want->count;
    for (u32 i = 0; i < want->count; i++)
        op->waiter[i] = (struct wasi_waiter){.fire = on_descriptor, .owner = task};
    task->state = WASI_TASK_PARKED;
    wasi_errno e = WASI_E_SUCCESS;
    if (want->deadline_ns == WASI_AT_ONCE)
        wake(task);
    else if (want->deadline_ns != WASI_FOREVER)
        e = wasi_timer_start(&loop->timers, &task->timer, want->deadline_ns);
    for (u32 i = 0; e == WASI_E_SUCCESS && i < want->count && task->state == WASI_TASK_PARKED; i++)
        e = wasi_watch_add(&loop->watches, &op->waiter[i], want->fd[i].fd, want->fd[i].events);
    if (want->count > 0) mark_watched(task);
    if (e != WASI_E_SUCCESS) unpark(task);
    return e;
}

/* Begins what the call wants; SUCCESS: it will be tried again. */
static wasi_errno begin_wait(struct wr_task *task, struct wasi_want *want, wasi_errno why)
{
    if (why == WASI_WORK) return wasi_work_start(task);
    if (why == WASI_E_SUCCESS) {
        gate(task);
        if (!task->config.wasi->working) wake(task);
        return WASI_E_SUCCESS;
    }
    wasi_errno e = arm(task, want);
    free(want->heap);
    want->heap = NULL;
    return e;
}

bool wasi_loop_may_park(const struct wr_loop *loop, const struct wr_wasi *wasi,
                        const wr_call_t *call)
{
    const struct wr_task *task = loop->current;
    const wr_call_view_t view = wr_call_look(call);
    return task != NULL && task->config.wasi == wasi && task->config.exec == view.exec &&
           view.can_suspend;
}

/* At the first try the exec runs, later the retry says whose it is. */
struct wr_task *wasi_loop_task(const struct wasi_call *c)
{
    return c->task != NULL ? c->task : c->wasi->fds.loop->current;
}

bool wasi_loop_forces(const struct wr_loop *loop) { return loop->force; }

/* Why a wait of this task is over before it begins. A turn given to others is no wait. */
static wasi_errno stop_of(struct wr_task *task, const struct wasi_want *want)
{
    if (want->deadline_ns == WASI_AT_ONCE) return WASI_E_SUCCESS;
    if (task->stopping) return WASI_E_CANCELED;
    if (!task->config.wasi->wake_pending) return WASI_E_SUCCESS;
    task->config.wasi->wake_pending = false;
    return WASI_E_INTR;
}

wasi_errno wasi_loop_park(struct wr_loop *loop, const struct wasi_call *c, wasi_errno why)
{
    struct wr_task *task = loop->current;
    struct wasi_op *op = &task->op;
    wasi_errno stop = why == WASI_PARK ? stop_of(task, c->want) : WASI_E_SUCCESS;
    if (stop != WASI_E_SUCCESS) {
        free(c->want->heap);
        c->want->heap = NULL;
        return stop;
    }
    op->row = c->row;
    op->p0 = c->p0;
    memcpy(op->arg, c->arg, strcspn(c->row->signature, ":") * sizeof(op->arg[0]));
    op->memory = c->memory;
    op->progress = c->progress;
    op->stop = WASI_E_SUCCESS;
    wasi_errno e = begin_wait(task, c->want, why);
    if (e != WASI_E_SUCCESS) {
        op->row = NULL;
        task->state = WASI_TASK_RUNNING;
    }
    return e;
}

/* ---------------------------------------------------------------- trying again */

void wasi_op_call(struct wr_task *task, struct wasi_call *c, struct wasi_want *want)
{
    struct wasi_op *op = &task->op;
    *c = (struct wasi_call){.wasi = task->config.wasi,
                            .row = op->row,
                            .p0 = op->p0,
                            .arg = op->arg,
                            .memory = op->memory,
                            .want = want,
                            .progress = op->progress,
                            .stop = op->stop,
                            .task = task,
                            .can_park = true};
}

/* Answers the engine; the guest runs on when its task is run. */
static void answer(struct wr_task *task, wasi_errno e, wr_status_t end, int exit_code)
{
    wr_slot_t slot = {.i64 = (u64)e};
    size_t results =
        strcmp(task->op.row->signature + strcspn(task->op.row->signature, ":"), ":i") == 0;
    (void)wr_exec_complete(task->config.exec, end, &slot, end == WR_OK ? results : 0, exit_code);
    task->op.row = NULL;
}

/* The worker is not needed twice: what it would do next has to be in its handler. */
void wasi_task_worked(struct wr_task *task)
{
    struct wr_loop *loop = task->loop;
    answer(task, task->op.answer, task->op.end, task->op.exit_code);
    wasi_task_queue(task);
    if (task->config.wasi->gated == 0) return;
    for (struct wasi_link *l = loop->tasks.next; l != &loop->tasks; l = l->next) {
        struct wr_task *other = WASI_LINK_OWNER(l, struct wr_task, all);
        if (other->config.wasi == task->config.wasi && other->state == WASI_TASK_GATED) wake(other);
    }
}

/* Tries the parked call again; true when it has been answered. */
static bool retry(struct wr_task *task)
{
    struct wasi_call c;
    struct wasi_want want;
    struct wasi_op *op = &task->op;
    if (task->config.wasi->working) {
        gate(task);
        return false;
    }
    wasi_errno e = WASI_E_SUCCESS;
    if ((op->row->flags & WASI_P1_WORK) != 0 && wasi_work_start(task) == WASI_E_SUCCESS)
        return false;
    wasi_op_call(task, &c, &want);
    for (;;) {
        e = wasi_try(&c);
        if (e != WASI_PARK && e != WASI_WORK) break;
        op->progress = c.progress;
        op->stop = WASI_E_SUCCESS;
        c.stop = e == WASI_PARK ? stop_of(task, &want) : WASI_E_SUCCESS;
        if (c.stop == WASI_E_SUCCESS)
            c.stop = begin_wait(task, &want, e);
        else if (e == WASI_PARK)
            free(want.heap);
        if (c.stop == WASI_E_SUCCESS) return false;
    }
    wasi_dns_drop(c.progress.dns);
    answer(task, e, c.end, c.exit_code);
    return true;
}

/* ---------------------------------------------------------------- running */

static void finish(struct wr_task *task, wr_status_t status, const wr_error_t *err)
{
    struct wr_loop *loop = task->loop;
    wr_wasi_t *wasi = task->config.wasi;
    wasi_timer_stop(&loop->timers, &task->grace);
    wasi_link_remove(&task->all);
    loop->task_count--;
    if (wasi != NULL && --wasi->tasks == 0) wasi_loop_detach(loop, wasi);
    wasi_loop_set_alive(loop);
    if (task->config.done != NULL) task->config.done(task, status, err, task->config.env);
    free(task);
}

/* One slice. */
static void run(struct wr_task *task)
{
    struct wr_loop *loop = task->loop;
    wr_error_t err;
    loop->current = task;
    task->state = WASI_TASK_RUNNING;
    wasi_slicer_begin(&loop->slicer, task->config.exec);
    wr_status_t s = wr_exec_run(task->config.exec, &err);
    wasi_slicer_end(&loop->slicer);
    loop->current = NULL;
    if (s == WR_YIELD) {
        task->state = WASI_TASK_QUEUED;
        wasi_link_append(&loop->busy, &task->queue);
    } else if (s == WR_PENDING) {
        if (task->state == WASI_TASK_RUNNING) task->state = WASI_TASK_OUTSIDE;
    } else {
        finish(task, s, &err);
    }
}

static void advance(struct wr_task *task)
{
    u32 asked = atomic_load_explicit(&task->asked, memory_order_acquire);
    bool killed = (asked & WASI_ASK_KILL) != 0;
    wasi_link_remove(&task->queue);
    if (killed && task->op.row != NULL) { /* the engine drops the call */
        wasi_dns_drop(task->op.progress.dns);
        task->op.progress.dns = NULL;
        task->op.row = NULL;
    }
    if (task->op.row == NULL || retry(task)) run(task);
}

void wasi_loop_round(struct wr_loop *loop)
{
    struct wasi_link list;
    u64 end = wasi_clock_now(CLOCK_MONOTONIC) + ROUND_NS;
    wasi_link_take(&list, &loop->ready);
    while (!wasi_link_is_alone(&list) && wasi_clock_now(CLOCK_MONOTONIC) < end)
        advance(WASI_LINK_OWNER(list.next, struct wr_task, queue));
    while (!wasi_link_is_alone(&list)) { /* those go first in the next round */
        struct wasi_link *last = list.prev;
        wasi_link_remove(last);
        wasi_link_append(loop->ready.next, last);
    }
    if (!wasi_link_is_alone(&loop->busy))
        advance(WASI_LINK_OWNER(loop->busy.next, struct wr_task, queue));
    if (wasi_link_is_alone(&loop->ready) && wasi_link_is_alone(&loop->busy))
        uv_idle_stop(&loop->idle);
}

void wasi_task_enter(struct wr_task *task)
{
    struct wr_loop *loop = task->loop;
    task->op.waiter = task->op.few;
    task->timer.fire = on_timer;
    task->grace.fire = on_grace;
    wasi_link_init(&task->queue);
    wasi_link_init(&task->all);
    wasi_link_append(&loop->tasks, &task->all);
    loop->task_count++;
    wasi_task_queue(task);
}

/* ---------------------------------------------------------------- what others ask for */

static void stop(struct wr_task *task)
{
    if (task->stopping) return;
    task->stopping = true;
    u64 now = wasi_clock_now(CLOCK_MONOTONIC);
    u64 grace = atomic_load_explicit(&task->grace_ns, memory_order_relaxed);
    u64 at = grace > UINT64_MAX - now ? UINT64_MAX : now + grace;
    if (wasi_timer_start(&task->loop->timers, &task->grace, at) != WASI_E_SUCCESS)
        wr_task_kill(task);
    if (task->state == WASI_TASK_PARKED) task->op.stop = WASI_E_CANCELED;
    wake(task);
}

static void attend(struct wr_task *task)
{
    u32 asked = atomic_fetch_and_explicit(&task->asked, ~(u32)(WASI_ASK_STOP | WASI_ASK_READY),
                                          memory_order_acquire);
    if ((asked & WASI_ASK_STOP) != 0) stop(task);
    if ((asked & WASI_ASK_KILL) != 0) {
        wake(task); /* one whose worker is still running is ended after that */
        if (task->state == WASI_TASK_OUTSIDE) wasi_task_queue(task);
    }
    if ((asked & WASI_ASK_READY) != 0 && task->state == WASI_TASK_OUTSIDE) wasi_task_queue(task);
}

void wasi_loop_attend(struct wr_loop *loop)
{
    if (!atomic_exchange_explicit(&loop->attention, false, memory_order_acq_rel)) return;
    for (struct wasi_link *l = loop->tasks.next; l != &loop->tasks; l = l->next)
        attend(WASI_LINK_OWNER(l, struct wr_task, all));
}

void wasi_loop_woken(struct wr_loop *loop, wr_wasi_t *wasi)
{
    bool parked = false;
    for (struct wasi_link *l = loop->tasks.next; l != &loop->tasks; l = l->next) {
        struct wr_task *task = WASI_LINK_OWNER(l, struct wr_task, all);
        if (task->config.wasi != wasi || task->state != WASI_TASK_PARKED) continue;
        parked = true;
        task->op.stop = WASI_E_INTR;
        wake(task);
    }
    if (!parked) wasi->wake_pending = true;
}
