/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostcalls.c - what one host call costs beside the system call that it makes: the same source as a
 * guest, which calls its imports directly, and as a native program. Prints nanoseconds a call, the
 * least of the repeats.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { REPEATS = 20, CLOCK_CALLS = 100000, WRITE_CALLS = 50000 };

#ifdef __wasi__
#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

struct ciovec {
    const void *data;
    uint32_t size;
};
IMPORT("clock_time_get") int32_t clock_time_get(int32_t id, int64_t precision, uint64_t *out);
IMPORT("fd_write")
int32_t fd_write(int32_t fd, const struct ciovec *iovs, int32_t count, uint32_t *done);

static inline int ask_clock(void)
{
    uint64_t ns;
    return clock_time_get(1, 1, &ns);
}

static inline int write_byte(void)
{
    const struct ciovec byte = {"x", 1};
    uint32_t done;
    return fd_write(1, &byte, 1, &done);
}
#else
static inline int ask_clock(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC, &now);
}

static inline int write_byte(void) { return write(1, "x", 1) != 1; }
#endif

/* Through the C library of each. */
static inline int ask_libc(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC, &now);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define MEASURE(call, calls)                                                                       \
    static double measure_##call(void)                                                             \
    {                                                                                              \
        double least = 1e18;                                                                       \
        for (int repeat = 0; repeat < REPEATS; repeat++) {                                         \
            double begin = now_ns();                                                               \
            for (int i = 0; i < (calls); i++)                                                      \
                if (call()) abort();                                                               \
            double ns = (now_ns() - begin) / (double)(calls);                                      \
            if (ns < least) least = ns;                                                            \
        }                                                                                          \
        return least;                                                                              \
    }
MEASURE(ask_clock, CLOCK_CALLS)
MEASURE(ask_libc, CLOCK_CALLS)
MEASURE(write_byte, WRITE_CALLS)

int main(void)
{
    double clock_ns = measure_ask_clock(), libc_ns = measure_ask_libc();
    double write_ns = measure_write_byte();
    fprintf(stderr, "clock %.2f libc_clock %.2f write %.2f\n", clock_ns, libc_ns, write_ns);
    return 0;
}
