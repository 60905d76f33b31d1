/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c - the public life of a loop, its libuv handles, and contexts entering and leaving it.
 */
#include "loop/loop.h"

#include "loop/uvloop.h"

#include <stdlib.h>
#include <unistd.h>

/* ---------------------------------------------------------------- libuv's callbacks */

static void on_poll(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    struct wr_loop *loop = handle->data;
    wasi_watches_run(&loop->watches);
}

static void on_idle(uv_idle_t *handle) { wasi_loop_round(handle->data); }

static void on_async(uv_async_t *handle) { wasi_loop_attend(handle->data); }

static void free_loop(struct wr_loop *loop)
{
    wasi_slicer_fini(&loop->slicer);
    wasi_timers_fini(&loop->timers);
    wasi_watches_fini(&loop->watches);
    if (!loop->own_uv) free(loop);
}

/* On an embedder's loop the last of our handles to close takes the rest with it. */
static void on_closed(uv_handle_t *handle)
{
    struct wr_loop *loop = handle->data;
    if (--loop->handles == 0) free_loop(loop);
}

static void close_handle(struct wr_loop *loop, uv_handle_t *handle)
{
    handle->data = loop;
    uv_close(handle, on_closed);
}

/* ---------------------------------------------------------------- a new loop */

/* libuv's descriptors are ready or there is none: an own loop may fail to be made. */
static int init_handles(struct wr_loop *loop)
{
    int r = uv_idle_init(loop->uv, &loop->idle);
    loop->idle.data = loop;
    loop->idle.idle_cb = on_idle;
    loop->handles = 1;
    if (r == 0) r = uv_async_init(loop->uv, &loop->async, on_async);
    if (r != 0) return r;
    loop->async.data = loop;
    loop->handles = 2;
    r = uv_poll_init(loop->uv, &loop->poll, loop->watches.epoll_fd);
    if (r != 0) return r;
    loop->poll.data = loop;
    loop->handles = 3;
    r = uv_poll_start(&loop->poll, UV_READABLE, on_poll);
    uv_unref((uv_handle_t *)&loop->async);
    uv_unref((uv_handle_t *)&loop->poll);
    return r;
}

static void close_handles(struct wr_loop *loop)
{
    int handles = loop->handles;
    close_handle(loop, (uv_handle_t *)&loop->idle);
    if (handles > 1) close_handle(loop, (uv_handle_t *)&loop->async);
    if (handles > 2) close_handle(loop, (uv_handle_t *)&loop->poll);
    if (!loop->own_uv) return;
    while (loop->handles > 0 || uv_loop_alive(loop->uv)) uv_run(loop->uv, UV_RUN_ONCE);
    uv_loop_close(loop->uv);
    free(loop);
}

static wr_status_t new_failed(wr_error_t *err, wasi_errno e)
{
    wr_status_t s = e == WASI_E_MFILE || e == WASI_E_NFILE ? WR_LIMIT : WR_OOM;
    return wasi_fail(err, s, "cannot make a loop: %s", wasi_errno_name(e));
}

/* What is there before libuv's handles. */
static wasi_errno init_parts(struct wr_loop *loop)
{
    wasi_link_init(&loop->tasks);
    wasi_link_init(&loop->ready);
    wasi_link_init(&loop->busy);
    wasi_errno e = wasi_slicer_init(&loop->slicer);
    if (e != WASI_E_SUCCESS) return e;
    e = wasi_watches_init(&loop->watches);
    if (e == WASI_E_SUCCESS) e = wasi_timers_init(&loop->timers, &loop->watches);
    if (e == WASI_E_SUCCESS) return e;
    wasi_slicer_fini(&loop->slicer);
    wasi_timers_fini(&loop->timers);
    wasi_watches_fini(&loop->watches);
    return e;
}

wr_status_t wr_loop_new(struct uv_loop_s *uv, wr_loop_t **out, wr_error_t *err)
{
    *out = NULL;
    struct wr_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) return new_failed(err, WASI_E_NOMEM);
    loop->watches.epoll_fd = loop->timers.timer_fd = -1;
    wasi_errno e = init_parts(loop);
    if (e != WASI_E_SUCCESS) {
        free(loop);
        return new_failed(err, e);
    }
    loop->uv = uv;
    loop->own_uv = uv == NULL;
    if (uv == NULL) e = wasi_uv_loop_init(loop->uv = &loop->uv_storage);
    if (e != WASI_E_SUCCESS) {
        free_loop(loop);
        free(loop);
        return new_failed(err, e);
    }
    int r = init_handles(loop);
    if (r != 0) {
        close_handles(loop);
        return new_failed(err, wasi_errno_from_host(-r));
    }
    *out = loop;
    return WR_OK;
}

/* ---------------------------------------------------------------- running */

void wasi_loop_set_alive(struct wr_loop *loop)
{
    if (loop->task_count > 0)
        uv_ref((uv_handle_t *)&loop->poll);
    else
        uv_unref((uv_handle_t *)&loop->poll);
}

void wr_loop_run(wr_loop_t *loop)
{
    while (loop->task_count > 0) {
        if (atomic_exchange_explicit(&loop->halted, false, memory_order_acq_rel)) return;
        uv_run(loop->uv, UV_RUN_ONCE);
    }
}

static void call_attention(struct wr_loop *loop)
{
    atomic_store_explicit(&loop->attention, true, memory_order_release);
    uv_async_send(&loop->async);
}

void wr_loop_stop(wr_loop_t *loop)
{
    atomic_store_explicit(&loop->halted, true, memory_order_release);
    call_attention(loop);
}

void wr_loop_delete(wr_loop_t *loop)
{
    if (loop == NULL) return;
    for (struct wasi_link *l = loop->tasks.next; l != &loop->tasks; l = l->next)
        wr_task_kill(WASI_LINK_OWNER(l, struct wr_task, all));
    while (loop->task_count > 0) uv_run(loop->uv, UV_RUN_ONCE);
    close_handles(loop);
}

void wr_loop_set_slice(wr_loop_t *loop, uint64_t ns) { wasi_slicer_set(&loop->slicer, ns); }

void wr_loop_set_park_always(wr_loop_t *loop, bool always) { loop->force = always; }

/* ---------------------------------------------------------------- contexts */

static void on_wake(struct wasi_waiter *w)
{
    wr_wasi_t *wasi = w->owner;
    struct wr_loop *loop = wasi->fds.loop;
    u64 drain;
    ssize_t got = read(wasi->wait.wake_fd, &drain, sizeof(drain));
    (void)got;
    atomic_store_explicit(&wasi->wait.woken, false, memory_order_relaxed); /* nobody kicks here */
    wasi_loop_woken(loop, wasi);
    /* Known to the kernel already: this needs no memory. */
    wasi_errno e = wasi_watch_add(&loop->watches, w, wasi->wait.wake_fd, POLLIN);
    (void)e;
}

wasi_errno wasi_loop_attach(struct wr_loop *loop, wr_wasi_t *wasi)
{
    struct wasi_waiter *w = calloc(1, sizeof(*w));
    if (w == NULL) return WASI_E_NOMEM;
    *w = (struct wasi_waiter){.fire = on_wake, .owner = wasi};
    wasi_errno e = wasi_watch_add(&loop->watches, w, wasi->wait.wake_fd, POLLIN);
    if (e != WASI_E_SUCCESS) {
        free(w);
        return e;
    }
    wasi->wake_waiter = w;
    wasi->wake_pending = false;
    wasi->fds.loop = loop;
    return WASI_E_SUCCESS;
}

void wasi_loop_detach(struct wr_loop *loop, wr_wasi_t *wasi)
{
    wasi_fdtable_unwatch(&wasi->fds);
    wasi_watch_remove(wasi->wake_waiter);
    wasi_watch_drop(&loop->watches, wasi->wait.wake_fd, true);
    free(wasi->wake_waiter);
    wasi->wake_waiter = NULL;
    wasi->fds.loop = NULL;
}

void wasi_watch_forget(struct wr_loop *loop, int host, bool closing)
{
    wasi_watch_drop(&loop->watches, host, closing);
}

/* ---------------------------------------------------------------- tasks */

wr_status_t wr_loop_spawn(wr_loop_t *loop, const wr_task_config_t *config, wr_task_t **out,
                          wr_error_t *err)
{
    wr_wasi_t *wasi = config->wasi;
    if (wasi != NULL && wasi->fds.loop != NULL && wasi->fds.loop != loop)
        return wasi_fail(err, WR_ARGUMENT, "the WASI context is in another loop");
    if (wasi != NULL && wasi->group != NULL)
        return wasi_fail(err, WR_ARGUMENT, "the WASI context is shared by threads");
    struct wr_task *task = calloc(1, sizeof(*task));
    wasi_errno e = task == NULL ? WASI_E_NOMEM : WASI_E_SUCCESS;
    if (e == WASI_E_SUCCESS && wasi != NULL && wasi->tasks == 0) e = wasi_loop_attach(loop, wasi);
    if (e != WASI_E_SUCCESS) {
        free(task);
        return wasi_fail(err, WR_OOM, "cannot begin a task: %s", wasi_errno_name(e));
    }
    task->loop = loop;
    task->config = *config;
    if (wasi != NULL) wasi->tasks++;
    wasi_task_enter(task);
    wasi_loop_set_alive(loop);
    if (out != NULL) *out = task;
    return WR_OK;
}

static void ask(struct wr_task *task, u32 what)
{
    struct wr_loop *loop = task->loop;
    atomic_fetch_or_explicit(&task->asked, what, memory_order_release);
    call_attention(loop);
}

/* The cancel may end a running guest and with it the task: nothing of it is touched after that. */
void wr_task_kill(wr_task_t *task)
{
    struct wr_loop *loop = task->loop;
    wr_exec_t *exec = task->config.exec;
    atomic_fetch_or_explicit(&task->asked, WASI_ASK_KILL, memory_order_release);
    wr_exec_cancel(exec);
    call_attention(loop);
}

void wr_task_stop(wr_task_t *task, uint64_t grace_ns)
{
    atomic_store_explicit(&task->grace_ns, grace_ns, memory_order_relaxed);
    ask(task, WASI_ASK_STOP);
}

void wr_task_ready(wr_task_t *task) { ask(task, WASI_ASK_READY); }
