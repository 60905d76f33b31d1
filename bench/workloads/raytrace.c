/* SPDX-License-Identifier: Apache-2.0 */
/* raytrace.c - spheres over a chequered floor, shadows, reflections, f64. size: width in pixels. */
#include "workload.h"

#include <math.h>

struct vec {
    double x, y, z;
};

struct sphere {
    struct vec centre;
    double radius, shine;
    struct vec colour;
};

struct hit {
    double distance;
    struct vec at, normal, colour;
    double shine;
};

static const struct sphere spheres[] = {
    {{0, 1, 6}, 1, 0.5, {0.9, 0.2, 0.2}},         {{2, 0.6, 5}, 0.6, 0.2, {0.2, 0.9, 0.3}},
    {{-2, 1.2, 7}, 1.2, 0.7, {0.3, 0.3, 0.9}},    {{-1, 0.4, 4}, 0.4, 0.1, {0.9, 0.8, 0.2}},
    {{0.8, 0.3, 3.6}, 0.3, 0.3, {0.8, 0.4, 0.8}}, {{1.2, 2.4, 7.5}, 0.8, 0.6, {0.5, 0.9, 0.9}},
};
enum { SPHERES = sizeof spheres / sizeof spheres[0] };

static const struct vec light = {-4, 8, 0};

static struct vec add(struct vec a, struct vec b)
{
    return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z};
}
static struct vec scale(struct vec a, double by)
{
    return (struct vec){a.x * by, a.y * by, a.z * by};
}
static struct vec sub(struct vec a, struct vec b) { return add(a, scale(b, -1)); }
static double dot(struct vec a, struct vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static struct vec unit(struct vec a) { return scale(a, 1 / sqrt(dot(a, a))); }

static double meet(const struct sphere *sphere, struct vec from, struct vec way)
{
    struct vec to = sub(from, sphere->centre);
    double half = dot(to, way);
    double root = half * half - dot(to, to) + sphere->radius * sphere->radius;
    if (root < 0) return -1;
    root = sqrt(root);
    return -half - root > 1e-6 ? -half - root : -half + root;
}

static int trace(struct vec from, struct vec way, struct hit *hit)
{
    hit->distance = 1e9;
    if (way.y < -1e-6) {
        hit->distance = -from.y / way.y;
        hit->at = add(from, scale(way, hit->distance));
        hit->normal = (struct vec){0, 1, 0};
        i32 tile = (i32)(floor(hit->at.x) + floor(hit->at.z));
        hit->colour = tile & 1 ? (struct vec){0.9, 0.9, 0.9} : (struct vec){0.1, 0.1, 0.1};
        hit->shine = 0.15;
    }
    for (u32 i = 0; i < SPHERES; i++) {
        double distance = meet(&spheres[i], from, way);
        if (distance < 1e-6 || distance >= hit->distance) continue;
        hit->distance = distance;
        hit->at = add(from, scale(way, distance));
        hit->normal = unit(sub(hit->at, spheres[i].centre));
        hit->colour = spheres[i].colour;
        hit->shine = spheres[i].shine;
    }
    return hit->distance < 1e3;
}

static struct vec shade(struct vec from, struct vec way, u32 depth)
{
    struct hit hit, blocker;
    if (!trace(from, way, &hit)) return (struct vec){0.4, 0.5, 0.8 - way.y / 2};
    struct vec to_light = unit(sub(light, hit.at));
    struct vec start = add(hit.at, scale(hit.normal, 1e-5));
    double facing = dot(hit.normal, to_light);
    double bright = facing > 0 && !trace(start, to_light, &blocker) ? 0.2 + 0.8 * facing : 0.2;
    struct vec colour = scale(hit.colour, bright * (1 - hit.shine));
    if (!depth) return colour;
    struct vec back = sub(way, scale(hit.normal, 2 * dot(way, hit.normal)));
    return add(colour, scale(shade(start, back, depth - 1), hit.shine));
}

u64 workload(u32 size)
{
    u32 height = size * 3 / 4;
    u64 sum = 0;
    for (u32 y = 0; y < height; y++) {
        for (u32 x = 0; x < size; x++) {
            struct vec way = {(x + 0.5) / size - 0.5, 0.375 - (y + 0.5) / size, 1};
            struct vec colour = shade((struct vec){0, 1.5, 0}, unit(way), 3);
            u32 red = (u32)(colour.x * 255);
            u32 green = (u32)(colour.y * 255);
            sum = wl_mix(sum, red << 16 | green << 8 | (u32)(colour.z * 255));
        }
    }
    return sum;
}
