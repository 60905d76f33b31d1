/* SPDX-License-Identifier: Apache-2.0 */
/* nbody.c - five bodies under gravity, fixed steps, f64. size: thousands of steps. */
#include "workload.h"

#include <math.h>

enum { BODIES = 5 };

struct body {
    double at[3];
    double speed[3];
    double mass;
};

static struct body bodies[BODIES];

static void place_bodies(void)
{
    u32 seed = 31;
    for (u32 i = 0; i < BODIES; i++) {
        struct body *body = &bodies[i];
        for (u32 axis = 0; axis < 3; axis++) {
            body->at[axis] = (double)(wl_random(&seed) >> 8) / (1 << 20) - 8;
            body->speed[axis] = (double)(wl_random(&seed) >> 8) / (1 << 24) - 0.5;
        }
        body->mass = i ? 0.01 * i : 20;
    }
}

static void pull(struct body *a, struct body *b, double dt)
{
    double x = a->at[0] - b->at[0];
    double y = a->at[1] - b->at[1];
    double z = a->at[2] - b->at[2];
    double squared = x * x + y * y + z * z + 1e-6;
    double force = dt / (squared * sqrt(squared));
    a->speed[0] -= x * b->mass * force;
    a->speed[1] -= y * b->mass * force;
    a->speed[2] -= z * b->mass * force;
    b->speed[0] += x * a->mass * force;
    b->speed[1] += y * a->mass * force;
    b->speed[2] += z * a->mass * force;
}

static void step(double dt)
{
    for (u32 i = 0; i < BODIES; i++) {
        for (u32 k = i + 1; k < BODIES; k++) pull(&bodies[i], &bodies[k], dt);
    }
    for (u32 i = 0; i < BODIES; i++) {
        for (u32 axis = 0; axis < 3; axis++) bodies[i].at[axis] += dt * bodies[i].speed[axis];
    }
}

static double energy(void)
{
    double sum = 0;
    for (u32 i = 0; i < BODIES; i++) {
        const struct body *a = &bodies[i];
        for (u32 axis = 0; axis < 3; axis++) sum += a->mass * a->speed[axis] * a->speed[axis] / 2;
        for (u32 k = i + 1; k < BODIES; k++) {
            double x = a->at[0] - bodies[k].at[0];
            double y = a->at[1] - bodies[k].at[1];
            double z = a->at[2] - bodies[k].at[2];
            sum -= a->mass * bodies[k].mass / sqrt(x * x + y * y + z * z);
        }
    }
    return sum;
}

u64 workload(u32 size)
{
    place_bodies();
    u64 sum = wl_mix(0, wl_double_bits(energy()));
    for (u32 i = 0; i < size * 1000; i++) step(0.001);
    return wl_mix(sum, wl_double_bits(energy()));
}
