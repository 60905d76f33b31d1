/* SPDX-License-Identifier: Apache-2.0 */
/* sleeper.c - a guest that is parked in poll_oneoff until each moment that its host (parked.c)
 * names.
 */
#include <stdint.h>
#include <stdio.h>
#include <wasi/api.h>

#define IMPORT(name) __attribute__((import_module("bench"), import_name(name)))
IMPORT("number") int32_t bench_number(void);
/* Tells that `deadline` has come; answers the next one, 0: no more. */
IMPORT("next") uint64_t bench_next(int32_t number, uint64_t deadline);

int main(void)
{
    int32_t number = bench_number();
    uint64_t deadline = 0;
    while ((deadline = bench_next(number, deadline)) != 0) {
        const __wasi_subscription_t sub = {
            .u = {.tag = __WASI_EVENTTYPE_CLOCK,
                  .u.clock = {.id = __WASI_CLOCKID_MONOTONIC,
                              .timeout = deadline,
                              .flags = __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME}}};
        __wasi_event_t event;
        __wasi_size_t count;
        if (__wasi_poll_oneoff(&sub, &event, 1, &count) != 0 || count != 1) return 1;
    }
    return 0;
}
