/* SPDX-License-Identifier: Apache-2.0 */
/* spectral.c - spectral norm of an infinite matrix's corner by power iteration. size: its order. */
#include "workload.h"

#include <math.h>

static double element(u32 row, u32 column)
{
    u32 diagonal = row + column;
    return 1.0 / (double)(diagonal * (diagonal + 1) / 2 + row + 1);
}

static void times(double *out, const double *in, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        double sum = 0;
        for (u32 k = 0; k < n; k++) sum += element(i, k) * in[k];
        out[i] = sum;
    }
}

static void times_transposed(double *out, const double *in, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        double sum = 0;
        for (u32 k = 0; k < n; k++) sum += element(k, i) * in[k];
        out[i] = sum;
    }
}

u64 workload(u32 size)
{
    double *u = wl_alloc(size * sizeof u[0]);
    double *v = wl_alloc(size * sizeof v[0]);
    double *middle = wl_alloc(size * sizeof middle[0]);
    for (u32 i = 0; i < size; i++) u[i] = 1;
    for (u32 round = 0; round < 10; round++) {
        times(middle, u, size);
        times_transposed(v, middle, size);
        times(middle, v, size);
        times_transposed(u, middle, size);
    }
    double uv = 0;
    double vv = 0;
    for (u32 i = 0; i < size; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    return wl_mix(0, wl_double_bits(sqrt(uv / vv)));
}
