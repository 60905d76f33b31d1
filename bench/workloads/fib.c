/* SPDX-License-Identifier: Apache-2.0 */
/* fib.c - recursion: Fibonacci, Takeuchi, Hofstadter's pair. size: the Fibonacci number's index. */
#include "workload.h"

static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static i32 tak(i32 x, i32 y, i32 z)
{
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static u32 male(u32 n);
static u32 female(u32 n) { return n ? n - male(female(n - 1)) : 1; }
static u32 male(u32 n) { return n ? n - female(male(n - 1)) : 0; }

static u32 ackermann(u32 m, u32 n)
{
    if (!m) return n + 1;
    return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

u64 workload(u32 size)
{
    u32 half = size / 2;
    u64 sum = wl_mix(0, fib(size));
    sum = wl_mix(sum, (u64)tak((i32)half + 5, (i32)half, (i32)half / 2));
    sum = wl_mix(sum, female(size * 2) + male(size * 2 + 1));
    for (u32 i = 0; i < 16; i++) sum = wl_mix(sum, ackermann(2, size + i));
    return sum;
}
