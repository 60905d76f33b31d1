/* SPDX-License-Identifier: Apache-2.0 */
/* results.c - medians, minima, ratios and geometric means, as a table and as JSON. */
#include "bench.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bench_cell *bench_results_cell(const struct bench_results *results, size_t workload,
                                      size_t engine)
{
    return &results->cells[workload * results->engine_count + engine];
}

void bench_cell_add(struct bench_cell *cell, const struct bench_run *run)
{
    if (!run->good) {
        if (!cell->problem[0]) memcpy(cell->problem, run->problem, sizeof cell->problem);
        return;
    }
    size_t bytes = (cell->rounds + 1) * sizeof(double);
    cell->cpu_ms = bench_realloc(cell->cpu_ms, bytes);
    cell->wall_ms = bench_realloc(cell->wall_ms, bytes);
    cell->cpu_ms[cell->rounds] = run->cpu_ms;
    cell->wall_ms[cell->rounds] = run->wall_ms;
    cell->rounds++;
    cell->rss_kib = run->rss_kib > cell->rss_kib ? run->rss_kib : cell->rss_kib;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_median(const double *values, size_t count)
{
    if (!count) return 0;
    double *sorted = bench_realloc(NULL, count * sizeof sorted[0]);
    memcpy(sorted, values, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], by_value);
    double median = count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    free(sorted);
    return median;
}

double bench_minimum(const double *values, size_t count)
{
    double least = count ? values[0] : 0;
    for (size_t i = 1; i < count; i++) {
        least = values[i] < least ? values[i] : least;
    }
    return least;
}

static bool usable(const struct bench_cell *cell) { return !cell->problem[0] && cell->rounds; }

static const double no_ratio = (double)NAN;

typedef double (*statistic)(const double *values, size_t count);

/* Time of engine e over time of engine 0: above 1, engine 0 is faster. NaN when there is none. */
static double ratio(const struct bench_results *results, size_t workload, size_t engine,
                    statistic of)
{
    const struct bench_cell *own = bench_results_cell(results, workload, 0);
    const struct bench_cell *peer = bench_results_cell(results, workload, engine);
    if (!usable(own) || !usable(peer)) return no_ratio;
    double base = of(own->cpu_ms, own->rounds);
    return base > 0 ? of(peer->cpu_ms, peer->rounds) / base : no_ratio;
}

static double geomean(const struct bench_results *results, size_t engine, statistic of,
                      size_t *used)
{
    double sum = 0;
    *used = 0;
    for (size_t w = 0; w < results->workload_count; w++) {
        double one = ratio(results, w, engine, of);
        if (isnan(one) || one <= 0) continue;
        sum += log(one);
        ++*used;
    }
    return *used ? exp(sum / (double)*used) : no_ratio;
}

static void print_row(const struct bench_results *results, size_t w, FILE *to)
{
    fprintf(to, "%-24s", results->workloads[w]->name);
    for (size_t e = 0; e < results->engine_count; e++) {
        const struct bench_cell *cell = bench_results_cell(results, w, e);
        if (!usable(cell)) {
            fprintf(to, " | %10s %10s %9s %7s", "failed", "-", "-", "-");
            continue;
        }
        fprintf(to, " | %10.1f %10.1f %9.1f", bench_median(cell->cpu_ms, cell->rounds),
                bench_minimum(cell->cpu_ms, cell->rounds), (double)cell->rss_kib / 1024);
        double relative = e ? ratio(results, w, e, bench_median) : 1;
        if (isnan(relative)) {
            fprintf(to, " %7s", "-");
        } else {
            fprintf(to, " %6.2fx", relative);
        }
    }
    fputc('\n', to);
}

void bench_results_print(const struct bench_results *results, FILE *to)
{
    fprintf(to, "%-24s", "CPU ms (user + system)");
    for (size_t e = 0; e < results->engine_count; e++) {
        fprintf(to, " | %-39.39s", results->engines[e].name);
    }
    fprintf(to, "\n%-24s", "");
    for (size_t e = 0; e < results->engine_count; e++) {
        fprintf(to, " | %10s %10s %9s %7s", "median", "minimum", "RSS MiB", "time");
    }
    fputc('\n', to);
    for (size_t w = 0; w < results->workload_count; w++) {
        print_row(results, w, to);
    }
    for (size_t e = 1; e < results->engine_count; e++) {
        size_t used = 0;
        double median = geomean(results, e, bench_median, &used);
        double minimum = geomean(results, e, bench_minimum, &used);
        fprintf(to, "geomean of %zu: %s takes %.2fx (medians), %.2fx (minima) the time of %s\n",
                used, results->engines[e].name, median, minimum, results->engines[0].name);
    }
    for (size_t w = 0; w < results->workload_count; w++) {
        for (size_t e = 0; e < results->engine_count; e++) {
            const struct bench_cell *cell = bench_results_cell(results, w, e);
            if (cell->problem[0]) {
                fprintf(to, "FAILED %s on %s: %s\n", results->workloads[w]->name,
                        results->engines[e].name, cell->problem);
            }
        }
    }
}

/* ---------------------------------------------------------------- JSON */

static json_t *json_list(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_real(values[i]));
    }
    return list;
}

static json_t *json_cell(const struct bench_cell *cell)
{
    json_t *out = json_object();
    if (cell->problem[0]) json_object_set_new(out, "problem", json_string(cell->problem));
    json_object_set_new(out, "cpu_ms", json_list(cell->cpu_ms, cell->rounds));
    json_object_set_new(out, "wall_ms", json_list(cell->wall_ms, cell->rounds));
    json_object_set_new(out, "cpu_ms_median", json_real(bench_median(cell->cpu_ms, cell->rounds)));
    json_object_set_new(out, "cpu_ms_minimum",
                        json_real(bench_minimum(cell->cpu_ms, cell->rounds)));
    json_object_set_new(out, "max_rss_kib", json_integer(cell->rss_kib));
    return out;
}

static json_t *json_geomeans(const struct bench_results *results)
{
    json_t *out = json_object();
    for (size_t e = 1; e < results->engine_count; e++) {
        size_t used = 0;
        double mean = geomean(results, e, bench_median, &used);
        if (used) json_object_set_new(out, results->engines[e].name, json_real(mean));
    }
    return out;
}

bool bench_results_write_json(const struct bench_results *results, const char *path)
{
    json_t *root = json_object();
    json_t *workloads = json_object();
    for (size_t w = 0; w < results->workload_count; w++) {
        json_t *row = json_object();
        for (size_t e = 0; e < results->engine_count; e++) {
            json_object_set_new(row, results->engines[e].name,
                                json_cell(bench_results_cell(results, w, e)));
        }
        json_object_set_new(workloads, results->workloads[w]->name, row);
    }
    json_object_set_new(root, "workloads", workloads);
    json_object_set_new(root, "geomean_time_over_first", json_geomeans(results));
    bool good = json_dump_file(root, path, JSON_INDENT(1)) == 0;
    json_decref(root);
    return good;
}
