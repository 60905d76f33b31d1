/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c - proc_exit, proc_raise and sched_yield.
 */
#include "p1/p1.h"

#include <sched.h>

wasi_errno wasi_p1_proc_exit(struct wasi_call *c)
{
    c->end = WR_EXIT;
    c->exit_code = (int)c->arg[0].i32;
    return WASI_E_SUCCESS;
}

/* A guest has no signals yet. */
wasi_errno wasi_p1_proc_raise(struct wasi_call *c)
{
    (void)c;
    return WASI_E_NOSYS;
}

wasi_errno wasi_p1_sched_yield(struct wasi_call *c)
{
    (void)c;
    (void)sched_yield();
    return WASI_E_SUCCESS;
}
