/* SPDX-License-Identifier: Apache-2.0 */
/* mandel.c - the Mandelbrot set in f64 and a Julia set in f32. size: width and height. */
#include "workload.h"

enum { STEPS = 100 };

static u32 escape_f64(double cx, double cy)
{
    double x = 0;
    double y = 0;
    for (u32 i = 0; i < STEPS; i++) {
        double xx = x * x;
        double yy = y * y;
        if (xx + yy > 4) return i;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
    }
    return STEPS;
}

static u32 escape_f32(float x, float y)
{
    for (u32 i = 0; i < STEPS; i++) {
        float xx = x * x;
        float yy = y * y;
        if (xx + yy > 4) return i;
        y = 2 * x * y + 0.15625f;
        x = xx - yy - 0.8125f;
    }
    return STEPS;
}

u64 workload(u32 size)
{
    u64 sum = 0;
    for (u32 row = 0; row < size; row++) {
        u32 line = 0;
        for (u32 column = 0; column < size; column++) {
            double x = 3.0 * column / size;
            double y = 2.0 * row / size - 1;
            line += escape_f64(x - 2, y) * (column + 1);
            if (column % 2) line ^= escape_f32((float)x - 1.5f, (float)y);
        }
        sum = wl_mix(sum, line);
    }
    return sum;
}
