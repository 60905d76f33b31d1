/* SPDX-License-Identifier: Apache-2.0 */
/* fft.c - Fourier transforms there and back, and LU decomposition, f64. size: repetitions. */
#include "workload.h"

#include <math.h>

enum { POINTS = 4096, ORDER = 64 };

struct complex {
    double re, im;
};

static struct complex points[POINTS], roots[POINTS / 2];
static double matrix[ORDER][ORDER];

/* exp(2 pi i k / POINTS), by halving the angle from -1: only sqrt, so the same everywhere. */
static void make_roots(void)
{
    double re = 0;
    double im = 1;
    roots[0].re = 1;
    for (u32 step = POINTS / 4; step; step /= 2) {
        for (u32 k = 0; k + step < POINTS / 2; k += 2 * step) {
            struct complex from = roots[k];
            roots[k + step].re = from.re * re - from.im * im;
            roots[k + step].im = from.re * im + from.im * re;
        }
        double half = sqrt((1 + re) / 2);
        im = im / (2 * half);
        re = half;
    }
}

static void reorder(void)
{
    for (u32 i = 1, k = 0; i < POINTS; i++) {
        u32 bit = POINTS / 2;
        for (; k & bit; bit /= 2) k ^= bit;
        k ^= bit;
        if (i >= k) continue;
        struct complex swap = points[i];
        points[i] = points[k];
        points[k] = swap;
    }
}

static void transform(double sign)
{
    reorder();
    for (u32 half = 1; half < POINTS; half *= 2) {
        u32 stride = POINTS / 2 / half;
        for (u32 from = 0; from < POINTS; from += 2 * half) {
            for (u32 k = 0; k < half; k++) {
                struct complex *a = &points[from + k];
                struct complex *b = &points[from + k + half];
                struct complex root = {roots[k * stride].re, sign * roots[k * stride].im};
                double re = b->re * root.re - b->im * root.im;
                double im = b->re * root.im + b->im * root.re;
                *b = (struct complex){a->re - re, a->im - im};
                *a = (struct complex){a->re + re, a->im + im};
            }
        }
    }
}

/* In place, rows swapped for the largest pivot; the determinant. */
static double decompose(void)
{
    double determinant = 1;
    for (u32 k = 0; k < ORDER; k++) {
        u32 pivot = k;
        for (u32 i = k + 1; i < ORDER; i++) {
            if (fabs(matrix[i][k]) > fabs(matrix[pivot][k])) pivot = i;
        }
        for (u32 j = 0; j < ORDER; j++) {
            double swap = matrix[k][j];
            matrix[k][j] = matrix[pivot][j];
            matrix[pivot][j] = swap;
        }
        determinant *= matrix[k][k];
        for (u32 i = k + 1; i < ORDER; i++) {
            double factor = matrix[i][k] / matrix[k][k];
            for (u32 j = k; j < ORDER; j++) matrix[i][j] -= factor * matrix[k][j];
        }
    }
    return determinant;
}

u64 workload(u32 size)
{
    u32 seed = 11;
    u64 sum = 0;
    make_roots();
    for (u32 round = 0; round < size; round++) {
        for (u32 i = 0; i < POINTS; i++) {
            points[i] = (struct complex){(double)(wl_random(&seed) >> 20) / 4096, 0};
        }
        double first = points[0].re * (double)POINTS;
        transform(1);
        sum = wl_mix(sum, wl_double_bits(points[round % POINTS].im));
        transform(-1);
        sum = wl_mix(sum, wl_double_bits(points[round % POINTS].re));
        if (fabs(points[0].re - first) > 1e-6) return 0;
        for (u32 i = 0; i < ORDER * ORDER; i++) {
            matrix[i / ORDER][i % ORDER] = points[i].re / (1 << 18) - 0.001;
        }
        sum = wl_mix(sum, wl_double_bits(decompose()));
    }
    return sum;
}
