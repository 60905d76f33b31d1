/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - clock_res_get and clock_time_get.
 */
#include "p1/p1.h"

#include <errno.h>
#include <time.h>

/* The host clock of a guest clock id. INVAL. */
static wasi_errno host_clock(u32 id, clockid_t *out)
{
    static const clockid_t clocks[] = {
        [WASI_CLOCK_REALTIME] = CLOCK_REALTIME,
        [WASI_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
        [WASI_CLOCK_PROCESS_CPUTIME] = CLOCK_PROCESS_CPUTIME_ID,
        [WASI_CLOCK_THREAD_CPUTIME] = CLOCK_THREAD_CPUTIME_ID,
    };
    if (id >= sizeof(clocks) / sizeof(clocks[0])) return WASI_E_INVAL;
    *out = clocks[id];
    return WASI_E_SUCCESS;
}

static wasi_errno put_u64(struct wasi_call *c, u32 addr, u64 value)
{
    u8 *out = wasi_mem_at(&c->mem, addr, sizeof(value));
    if (out == NULL) return WASI_E_FAULT;
    wasi_guest_put64(out, value);
    return WASI_E_SUCCESS;
}

wasi_errno wasi_p1_clock_res_get(struct wasi_call *c)
{
    clockid_t clock;
    wasi_errno e = host_clock(c->arg[0].i32, &clock);
    if (e != WASI_E_SUCCESS) return e;
    struct timespec ts;
    if (clock_getres(clock, &ts) != 0) return wasi_errno_from_host(errno);
    return put_u64(c, c->arg[1].i32, (u64)ts.tv_sec * UINT64_C(1000000000) + (u64)ts.tv_nsec);
}

/* The precision argument is a permission to be less exact, which is not needed. */
wasi_errno wasi_p1_clock_time_get(struct wasi_call *c)
{
    clockid_t clock;
    wasi_errno e = host_clock(c->arg[0].i32, &clock);
    if (e != WASI_E_SUCCESS) return e;
    return put_u64(c, c->arg[2].i32, wasi_clock_now(clock));
}
