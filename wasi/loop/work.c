/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c - handlers that may block on a file, run by libuv's worker threads while their guest is
 * parked. Nobody else enters the context meanwhile (wr_wasi.working).
 */
#include "loop/loop.h"

static void on_worker(uv_work_t *work)
{
    struct wr_task *task = work->data;
    struct wasi_call c;
    struct wasi_want want;
    wasi_op_call(task, &c, &want);
    c.on_worker = true;
    task->op.answer = wasi_try(&c);
    task->op.end = c.end;
    task->op.exit_code = c.exit_code;
}

static void after_work(uv_work_t *work, int status)
{
    struct wr_task *task = work->data;
    if (status != 0) task->op.answer = WASI_E_CANCELED; /* never begun */
    task->config.wasi->working = false;
    wasi_task_worked(task);
}

wasi_errno wasi_work_start(struct wr_task *task)
{
    struct wasi_op *op = &task->op;
    op->work.data = task;
    op->end = WR_OK;
    if (uv_queue_work(task->loop->uv, &op->work, on_worker, after_work) != 0) return WASI_E_NOMEM;
    task->config.wasi->working = true;
    task->state = WASI_TASK_WORKING;
    return WASI_E_SUCCESS;
}
