/* SPDX-License-Identifier: Apache-2.0 */
/* results.c - medians, minima, ratios, geometric means, and the tables that show them. */
#include "bench.h"

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

void bench_cell_fini(struct bench_cell *cell)
{
    free(cell->cpu_ms);
    free(cell->wall_ms);
}

/* ---------------------------------------------------------------- statistics */

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

static const double no_time = (double)NAN;

double bench_results_time(const struct bench_results *results, size_t workload, size_t engine,
                          bench_statistic of)
{
    const struct bench_cell *cell = bench_results_cell(results, workload, engine);
    const struct bench_cell *base = &results->bases[engine];
    if (cell->problem[0] || base->problem[0] || !cell->rounds) return no_time;
    double time = of(cell->cpu_ms, cell->rounds) - of(base->cpu_ms, base->rounds);
    return time > 0 ? time : no_time;
}

/* Time of engine e over time of engine 0: above 1, engine 0 is faster. NaN when there is none. */
static double ratio(const struct bench_results *results, size_t workload, size_t engine,
                    bench_statistic of)
{
    return bench_results_time(results, workload, engine, of) /
           bench_results_time(results, workload, 0, of);
}

const char *bench_set_name(const struct bench_workload *workload)
{
    return workload->set ? workload->set : "corpus";
}

void bench_results_sum(const struct bench_results *results, const char *set, size_t engine,
                       struct bench_summary *out)
{
    double medians = 0;
    double minima = 0;
    memset(out, 0, sizeof *out);
    for (size_t w = 0; w < results->workload_count; w++) {
        if (set && strcmp(set, bench_set_name(results->workloads[w])) != 0) continue;
        double median = ratio(results, w, engine, bench_median);
        double minimum = ratio(results, w, engine, bench_minimum);
        if (isnan(median) || isnan(minimum)) continue;
        medians += log(median);
        minima += log(minimum);
        if (!out->used++ || median < out->least) {
            out->least = median;
            out->where = results->workloads[w]->name;
        }
    }
    out->median = out->used ? exp(medians / (double)out->used) : no_time;
    out->minimum = out->used ? exp(minima / (double)out->used) : no_time;
}

/* ---------------------------------------------------------------- tables */

enum { NAME_WIDTH = 22 };

static void print_head(const struct bench_results *results, const char *title, FILE *to)
{
    fprintf(to, "\n%-*s", NAME_WIDTH, title);
    for (size_t e = 0; e < results->engine_count; e++) {
        fprintf(to, e ? " | %16.16s" : " | %9.9s", results->engines[e].name);
    }
    fputc('\n', to);
}

static void print_times(const struct bench_results *results, size_t w, bench_statistic of, FILE *to)
{
    fprintf(to, "%-*s", NAME_WIDTH, results->workloads[w]->name);
    for (size_t e = 0; e < results->engine_count; e++) {
        double time = bench_results_time(results, w, e, of);
        double relative = ratio(results, w, e, of);
        if (isnan(time)) {
            fprintf(to, e ? " | %16s" : " | %9s", "failed");
        } else if (!e || isnan(relative)) {
            fprintf(to, e ? " | %8.1f       -" : " | %9.1f", time);
        } else {
            fprintf(to, " | %8.1f %6.2fx", time, relative);
        }
    }
    fputc('\n', to);
}

static void print_geomeans(const struct bench_results *results, const char *set, bool is_median,
                           FILE *to)
{
    char left[64];
    snprintf(left, sizeof left, "%s: geomean", set);
    fprintf(to, "%-*s | %9s", NAME_WIDTH, left, "");
    for (size_t e = 1; e < results->engine_count; e++) {
        struct bench_summary sum;
        char used[32];
        bench_results_sum(results, set, e, &sum);
        snprintf(used, sizeof used, "(of %zu)", sum.used);
        if (sum.used) {
            fprintf(to, " | %8s %6.2fx", used, is_median ? sum.median : sum.minimum);
        } else {
            fprintf(to, " | %16s", "-");
        }
    }
    fputc('\n', to);
}

static bool ends_set(const struct bench_results *results, size_t w)
{
    const struct bench_workload *const *list = results->workloads;
    return w + 1 == results->workload_count ||
           strcmp(bench_set_name(list[w]), bench_set_name(list[w + 1])) != 0;
}

static void print_statistic(const struct bench_results *results, bool is_median, FILE *to)
{
    char title[64];
    snprintf(title, sizeof title, "%s, %s", results->is_counted ? "M instr." : "CPU ms",
             is_median ? "medians" : "minima");
    print_head(results, title, to);
    for (size_t w = 0; w < results->workload_count; w++) {
        print_times(results, w, is_median ? bench_median : bench_minimum, to);
        if (!ends_set(results, w) || results->engine_count == 1) continue;
        print_geomeans(results, bench_set_name(results->workloads[w]), is_median, to);
    }
}

static void print_memory(const struct bench_results *results, FILE *to)
{
    print_head(results, "peak memory, MiB", to);
    for (size_t w = 0; w < results->workload_count; w++) {
        fprintf(to, "%-*s", NAME_WIDTH, results->workloads[w]->name);
        for (size_t e = 0; e < results->engine_count; e++) {
            const struct bench_cell *cell = bench_results_cell(results, w, e);
            if (cell->problem[0]) {
                fprintf(to, e ? " | %16s" : " | %9s", "failed");
            } else {
                fprintf(to, e ? " | %16.1f" : " | %9.1f", (double)cell->rss_kib / 1024);
            }
        }
        fputc('\n', to);
    }
}

static void print_summary(const struct bench_results *results, const char *set, FILE *to)
{
    for (size_t e = 1; e < results->engine_count; e++) {
        struct bench_summary sum;
        bench_results_sum(results, set, e, &sum);
        if (!sum.used) continue;
        fprintf(to,
                "%s: %s takes %.2fx (medians), %.2fx (minima) the %s of %s over %zu, at least "
                "%.2fx (%s)\n",
                set, results->engines[e].name, sum.median, sum.minimum,
                results->is_counted ? "instructions" : "time", results->engines[0].name, sum.used,
                sum.least, sum.where);
    }
}

static void print_problems(const struct bench_results *results, FILE *to)
{
    for (size_t e = 0; e < results->engine_count; e++) {
        const struct bench_cell *base = &results->bases[e];
        if (base->problem[0]) {
            fprintf(to, "FAILED base of %s: %s\n", results->engines[e].name, base->problem);
        } else if (base->rounds) {
            fprintf(to, "subtracted from %s: %.1f (median), %.1f (minimum)\n",
                    results->engines[e].name, bench_median(base->cpu_ms, base->rounds),
                    bench_minimum(base->cpu_ms, base->rounds));
        }
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

void bench_results_print(const struct bench_results *results, FILE *to)
{
    if (!results->is_counted) print_memory(results, to);
    if (results->rounds > 1) print_statistic(results, false, to);
    print_statistic(results, true, to);
    fputc('\n', to);
    for (size_t w = 0; w < results->workload_count; w++) {
        if (ends_set(results, w)) {
            print_summary(results, bench_set_name(results->workloads[w]), to);
        }
    }
    print_problems(results, to);
}
