/* SPDX-License-Identifier: Apache-2.0 */
/* inside.c - clocks, the machine's description and lists of times for inside.h. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static double clock_ms(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

double bench_now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }
double bench_cpu_ms(void) { return clock_ms(CLOCK_PROCESS_CPUTIME_ID); }

/* ---------------------------------------------------------------- the machine */

/* "model name : …" of the first processor; other systems have no such line. */
static void cpu_model(char *out, size_t cap)
{
    char line[256];
    snprintf(out, cap, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon += strspn(colon, ": \t");
        colon[strcspn(colon, "\n")] = 0;
        snprintf(out, cap, "%s", colon);
        break;
    }
    if (file) fclose(file);
}

json_t *bench_machine_json(void)
{
    char model[256];
    struct utsname system;
    json_t *out = json_object();
    cpu_model(model, sizeof model);
    json_object_set_new(out, "cpu", json_string(model));
    json_object_set_new(out, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    if (uname(&system) == 0) {
        json_object_set_new(out, "architecture", json_string(system.machine));
        json_object_set_new(out, "system", json_string(system.sysname));
    }
    return out;
}

/* ---------------------------------------------------------------- times */

void bench_times_add(struct bench_times *times, double wall_ms, double cpu_ms)
{
    size_t bytes = (times->count + 1) * sizeof(double);
    times->wall_ms = bench_realloc(times->wall_ms, bytes);
    times->cpu_ms = bench_realloc(times->cpu_ms, bytes);
    times->wall_ms[times->count] = wall_ms;
    times->cpu_ms[times->count++] = cpu_ms;
}

void bench_times_fini(struct bench_times *times)
{
    free(times->wall_ms);
    free(times->cpu_ms);
    *times = (struct bench_times){0};
}

json_t *bench_times_json(const struct bench_times *times)
{
    json_t *out = json_object();
    json_t *walls = json_array();
    json_t *cpus = json_array();
    for (size_t i = 0; i < times->count; i++) {
        json_array_append_new(walls, json_real(times->wall_ms[i]));
        json_array_append_new(cpus, json_real(times->cpu_ms[i]));
    }
    json_object_set_new(out, "wall_ms", walls);
    json_object_set_new(out, "cpu_ms", cpus);
    json_object_set_new(out, "wall_ms_median",
                        json_real(bench_median(times->wall_ms, times->count)));
    json_object_set_new(out, "cpu_ms_median", json_real(bench_median(times->cpu_ms, times->count)));
    return out;
}
