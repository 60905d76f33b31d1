/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - the insides of wr_loop_t and wr_task_t: many guests on one thread over one libuv loop.
 *
 *   a task runs until its guest ends, yields (its time slice is over) or parks
 *   parked: waiters and a timer are set; the first that fires puts the task in `ready`
 *   ready: its handler is tried again, then the guest runs on
 *   busy: used up its slice; one of them runs after all that were ready
 */
#ifndef WASI_LOOP_LOOP_H
#define WASI_LOOP_LOOP_H

#include "context.h"
#include "loop/list.h"
#include "loop/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum { WASI_OP_FEW = 2 };

/** A call of a parked guest. */
struct wasi_op {
    const struct wasi_row *row; /**< NULL: none of ours */
    bool p0;
    wr_slot_t arg[WASI_ARGS_MAX];
    wr_memory_t *memory;
    struct wasi_progress progress;
    struct wasi_waiter few[WASI_OP_FEW];
    struct wasi_waiter *waiter; /**< `few`, or own */
    u32 waiters;
    wasi_errno stop;  /**< ends the wait: see wasi_call */
    /* What the worker thread leaves behind. */
    uv_work_t work;
    wasi_errno answer;
    wr_status_t end;
    int exit_code;
};

enum wasi_task_state {
    WASI_TASK_QUEUED, /**< in `ready` or `busy` */
    WASI_TASK_RUNNING,
    WASI_TASK_PARKED,  /**< in one of our functions */
    WASI_TASK_GATED,   /**< the same, until a worker is done with the context */
    WASI_TASK_WORKING, /**< a worker thread runs its handler */
    WASI_TASK_OUTSIDE  /**< in a host function of the embedder's */
};

/* What other threads ask for; acquire and release pair with `attention` of the loop. */
enum { WASI_ASK_KILL = 1, WASI_ASK_STOP = 2, WASI_ASK_READY = 4 };

struct wr_task {
    struct wr_loop *loop;
    wr_task_config_t config;
    struct wasi_link all;   /**< in wr_loop.tasks */
    struct wasi_link queue; /**< in ready or busy */
    enum wasi_task_state state;
    bool stopping; /**< waits end with CANCELED */
    struct wasi_op op;
    struct wasi_timer timer; /**< of what it is parked in */
    struct wasi_timer grace; /**< after it, a stopped task is killed */
    _Atomic u32 asked;       /**< WASI_ASK_* */
    _Atomic u64 grace_ns;    /**< with WASI_ASK_STOP */
};

/** The thread that ends time slices: interrupts the exec that runs for longer than one. */
struct wasi_slicer {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    u64 slice_ns; /* written by the loop's thread, which may read it without the lock */
    wr_exec_t *running; /* NULL: none */
    u64 runs;           /* counts them, so that a tick knows whether it is still the same */
    bool asleep, over;
};

/* Its thread only, but for `attention`, `halted` and the slicer's own. */
struct wr_loop {
    uv_loop_t *uv;
    bool own_uv;
    uv_loop_t uv_storage;
    uv_poll_t poll;   /* of watches.epoll_fd */
    uv_idle_t idle;   /* runs while tasks are queued */
    uv_async_t async; /* after `attention` has been set */
    int handles;      /* of them, still open */
    struct wasi_watches watches;
    struct wasi_timers timers;
    struct wasi_slicer slicer;
    struct wasi_link tasks, ready, busy;
    u32 task_count;
    struct wr_task *current; /* that runs now */
    bool force;              /* tests: every call parks before its handler runs */
    _Atomic bool attention;
    _Atomic bool halted; /* wr_loop_stop */
};

/** Queues a task that is in no queue. */
void wasi_task_queue(struct wr_task *task);
/** One round: all that are ready and one that is busy. Loop thread. */
void wasi_loop_round(struct wr_loop *loop);
/** The context's first task enters the loop. NOMEM. */
WASI_MUST_USE wasi_errno wasi_loop_attach(struct wr_loop *loop, wr_wasi_t *wasi);
/** Its last task has left. */
void wasi_loop_detach(struct wr_loop *loop, wr_wasi_t *wasi);
/** Somebody called wr_wasi_wake: what is parked answers INTR now, else the next wait does. */
void wasi_loop_woken(struct wr_loop *loop, wr_wasi_t *wasi);
/** The libuv loop is alive for as long as there are tasks: after their number has changed. */
void wasi_loop_set_alive(struct wr_loop *loop);
/** Does what other threads have asked of tasks. */
void wasi_loop_attend(struct wr_loop *loop);

/** Starts the worker for a task's call. NOMEM. */
WASI_MUST_USE wasi_errno wasi_work_start(struct wr_task *task);
/** A lookup that a parked task waits for has its answer. */
void wasi_task_answered(struct wr_task *task);
/** The task that a call is of; it may park. */
struct wr_task *wasi_loop_task(const struct wasi_call *c);
/** After the worker: the answer of the call is in `task->op`. */
void wasi_task_worked(struct wr_task *task);
/** Makes `task` one of the loop's; it is queued. */
void wasi_task_enter(struct wr_task *task);
/** Fills a call from a task's op, for one more try. */
void wasi_op_call(struct wr_task *task, struct wasi_call *c, struct wasi_want *want);

wasi_errno wasi_slicer_init(struct wasi_slicer *s);
void wasi_slicer_fini(struct wasi_slicer *s);
/** The length of slices, from the next on; 0: for ever. */
void wasi_slicer_set(struct wasi_slicer *s, u64 slice_ns);
/** Around one run of an exec. */
void wasi_slicer_begin(struct wasi_slicer *s, wr_exec_t *exec);
void wasi_slicer_end(struct wasi_slicer *s);

#endif
