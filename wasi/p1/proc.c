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

/* A guest has no handlers: a signal does what it does by default. Those that would stop it are not
 * known, since nobody could make it go on. */
wasi_errno wasi_p1_proc_raise(struct wasi_call *c)
{
    enum { NONE = 0, CHLD = 16, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH = 27, SYS = 30 };
    u32 number = c->arg[0].i32;
    switch (number) {
    case NONE:
    case CHLD:
    case CONT:
    case URG:
    case WINCH: return WASI_E_SUCCESS;
    case STOP:
    case TSTP:
    case TTIN:
    case TTOU: return WASI_E_NOTSUP;
    default: break;
    }
    if (number > SYS) return WASI_E_INVAL;
    c->end = WR_EXIT;
    c->exit_code = 128 + (int)(number < CHLD ? number : number + 1); /* as the host counts them */
    return WASI_E_SUCCESS;
}

/* In a loop the turn goes to the other guests. */
wasi_errno wasi_p1_sched_yield(struct wasi_call *c)
{
    enum { YIELDED = 1 };
    if (!c->can_park) {
        (void)sched_yield();
        return WASI_E_SUCCESS;
    }
    if (c->progress.stage == YIELDED) return WASI_E_SUCCESS;
    c->progress.stage = YIELDED;
    return wasi_park(c, NULL, 0, WASI_AT_ONCE) == WASI_PARK ? WASI_PARK : WASI_E_SUCCESS;
}
