/* SPDX-License-Identifier: Apache-2.0 */
/* results_json.c - the results of a run as JSON. */
#include "inside.h"
#include "report.h"

#include <string.h>
#include <time.h>

static json_t *json_list(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_real(values[i]));
    }
    return list;
}

static json_t *json_cell(const struct bench_results *results, const struct bench_cell *cell)
{
    json_t *out = json_object();
    if (cell->problem[0]) json_object_set_new(out, "problem", json_string(cell->problem));
    if (results->is_counted) {
        json_object_set_new(out, "million_instructions", json_list(cell->cpu_ms, cell->rounds));
        return out;
    }
    json_object_set_new(out, "cpu_ms", json_list(cell->cpu_ms, cell->rounds));
    json_object_set_new(out, "wall_ms", json_list(cell->wall_ms, cell->rounds));
    json_object_set_new(out, "cpu_ms_median", json_real(bench_median(cell->cpu_ms, cell->rounds)));
    json_object_set_new(out, "cpu_ms_minimum",
                        json_real(bench_minimum(cell->cpu_ms, cell->rounds)));
    json_object_set_new(out, "max_rss_kib", json_integer(cell->rss_kib));
    return out;
}

/* Names in order; what is subtracted from an engine's times beside it. */
static json_t *json_engines(const struct bench_results *results)
{
    json_t *list = json_array();
    for (size_t e = 0; e < results->engine_count; e++) {
        json_t *engine = json_object();
        json_object_set_new(engine, "name", json_string(results->engines[e].name));
        if (results->bases[e].rounds) {
            json_object_set_new(engine, "base", json_cell(results, &results->bases[e]));
        }
        json_array_append_new(list, engine);
    }
    return list;
}

static json_t *json_set(const struct bench_results *results, const char *set)
{
    json_t *out = json_object();
    for (size_t e = 1; e < results->engine_count; e++) {
        struct bench_summary sum;
        bench_results_sum(results, set, e, &sum);
        if (!sum.used) continue;
        json_t *row = json_object();
        json_object_set_new(row, "workloads", json_integer((json_int_t)sum.used));
        json_object_set_new(row, "geomean_of_medians", json_real(sum.median));
        json_object_set_new(row, "geomean_of_minima", json_real(sum.minimum));
        json_object_set_new(row, "least", json_real(sum.least));
        json_object_set_new(row, "least_on", json_string(sum.where));
        json_object_set_new(out, results->engines[e].name, row);
    }
    return out;
}

static json_t *json_workload(const struct bench_results *results, size_t w)
{
    const struct bench_workload *workload = results->workloads[w];
    json_t *row = json_object();
    json_t *engines = json_object();
    for (size_t e = 0; e < results->engine_count; e++) {
        json_object_set_new(engines, results->engines[e].name,
                            json_cell(results, bench_results_cell(results, w, e)));
    }
    json_object_set_new(row, "set", json_string(bench_set_name(workload)));
    json_object_set_new(row, "engines", engines);
    return row;
}

json_t *bench_results_json(const struct bench_results *results)
{
    json_t *root = json_object();
    json_t *workloads = json_object();
    json_t *sets = json_object();
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%MZ", gmtime_r(&now, &utc));
    for (size_t w = 0; w < results->workload_count; w++) {
        const char *set = bench_set_name(results->workloads[w]);
        json_object_set_new(workloads, results->workloads[w]->name, json_workload(results, w));
        if (!json_object_get(sets, set)) json_object_set_new(sets, set, json_set(results, set));
    }
    json_object_set_new(root, "measures",
                        json_string(results->is_counted ? "instructions" : "programs"));
    json_object_set_new(root, "label", json_string(results->label ? results->label : date));
    json_object_set_new(root, "date", json_string(date));
    json_object_set_new(root, "machine", bench_machine_json());
    json_object_set_new(root, "rounds", json_integer(results->rounds));
    json_object_set_new(root, "engines", json_engines(results));
    json_object_set_new(root, "time_over_first", sets);
    json_object_set_new(root, "workloads", workloads);
    return root;
}
