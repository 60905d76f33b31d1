/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - the page with charts: bars of the last run, lines over all runs. */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double no_value = (double)NAN;

/** Runs, oldest first. */
struct runs {
    json_t **list;
    size_t count;
};

/* ---------------------------------------------------------------- reading results */

static void add_run(struct runs *runs, json_t *run)
{
    runs->list = bench_realloc(runs->list, (runs->count + 1) * sizeof runs->list[0]);
    runs->list[runs->count++] = run;
}

static bool read_runs(struct runs *runs, const struct bench_words *files)
{
    for (size_t i = 0; i < files->count; i++) {
        json_error_t error;
        json_t *run = json_load_file(files->list[i], 0, &error);
        if (json_is_array(json_object_get(run, "engines")) &&
            json_is_object(json_object_get(run, "workloads"))) {
            add_run(runs, run);
            continue;
        }
        fprintf(stderr, "wasm-bench: %s: %s\n", files->list[i],
                run ? "no results of programs" : error.text);
        json_decref(run);
        return false;
    }
    return true;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "?";
}

static const char *engine_name(const json_t *run, size_t index)
{
    return text_of(json_array_get(json_object_get(run, "engines"), index), "name");
}

static size_t engine_count(const json_t *run)
{
    return json_array_size(json_object_get(run, "engines"));
}

/* Median CPU time in ms of an engine on a workload, its base subtracted; NaN when there is none. */
static double time_of(const json_t *run, const json_t *workload, size_t engine)
{
    const json_t *cells = json_object_get(workload, "engines");
    const json_t *cell = json_object_get(cells, engine_name(run, engine));
    const json_t *row = json_array_get(json_object_get(run, "engines"), engine);
    double base = json_number_value(json_object_get(json_object_get(row, "base"), "cpu_ms_median"));
    double time = json_number_value(json_object_get(cell, "cpu_ms_median")) - base;
    return time > 0 && !json_object_get(cell, "problem") ? time : no_value;
}

/* Geometric mean of engine's time / time of engine 0 on a set. */
static double set_ratio(const json_t *run, const char *set, const char *engine)
{
    const json_t *sets = json_object_get(run, "time_over_first");
    const json_t *row = json_object_get(json_object_get(sets, set), engine);
    double mean = json_number_value(json_object_get(row, "geomean_of_medians"));
    return mean > 0 ? mean : no_value;
}

/* Time of the first engine over that in an older run, on the workloads of a set that both have. */
static double set_change(const json_t *old, const json_t *run, const char *set)
{
    double sum = 0;
    size_t used = 0;
    const char *name = NULL;
    json_t *workload = NULL;
    json_object_foreach(json_object_get(run, "workloads"), name, workload)
    {
        const json_t *before = json_object_get(json_object_get(old, "workloads"), name);
        double ratio = time_of(run, workload, 0) / time_of(old, before, 0);
        if (strcmp(set, text_of(workload, "set")) != 0 || isnan(ratio)) continue;
        sum += log(ratio);
        used++;
    }
    return used ? exp(sum / (double)used) : no_value;
}

/* ---------------------------------------------------------------- bars */

struct bars {
    struct bench_bar *list;
    size_t count;
};

static struct bench_bar *add_bar(struct bars *bars, const char *group, const char *name)
{
    bars->list = bench_realloc(bars->list, (bars->count + 1) * sizeof bars->list[0]);
    struct bench_bar *bar = &bars->list[bars->count++];
    *bar = (struct bench_bar){.group = group, .name = name};
    return bar;
}

static void put_bars(FILE *to, struct bars *bars)
{
    bench_svg_bars(to, bars->list, bars->count);
    free(bars->list);
}

static void put_means(FILE *to, const json_t *run)
{
    struct bars bars = {0};
    const char *set = NULL;
    json_t *unused = NULL;
    json_object_foreach(json_object_get(run, "time_over_first"), set, unused)
    {
        for (size_t e = 0; e < engine_count(run); e++) {
            struct bench_bar *bar = add_bar(&bars, set, engine_name(run, e));
            bar->colour = e;
            bar->value = e ? set_ratio(run, set, bar->name) : 1;
            snprintf(bar->note, sizeof bar->note, "%.2fx", bar->value);
        }
    }
    fputs("<h2>Geometric means of time, ", to);
    bench_svg_text(to, engine_name(run, 0));
    fputs(" = 1</h2>\n", to);
    put_bars(to, &bars);
}

static void put_set(FILE *to, const json_t *run, const char *set)
{
    struct bars bars = {0};
    const char *name = NULL;
    json_t *workload = NULL;
    json_object_foreach(json_object_get(run, "workloads"), name, workload)
    {
        if (strcmp(set, text_of(workload, "set")) != 0) continue;
        double own = time_of(run, workload, 0);
        for (size_t e = 0; e < engine_count(run); e++) {
            struct bench_bar *bar = add_bar(&bars, name, engine_name(run, e));
            bar->colour = e;
            bar->value = time_of(run, workload, e);
            snprintf(bar->note, sizeof bar->note, "%.0f ms (%.2fx)", bar->value, bar->value / own);
        }
    }
    fputs("<h2>", to);
    bench_svg_text(to, set);
    fputs(": CPU ms, medians</h2>\n", to);
    put_bars(to, &bars);
}

/* ---------------------------------------------------------------- lines */

static struct bench_line *make_lines(size_t lines, size_t values)
{
    struct bench_line *list = bench_realloc(NULL, lines * sizeof list[0]);
    for (size_t i = 0; i < lines; i++) {
        list[i].values = bench_realloc(NULL, values * sizeof list[i].values[0]);
        list[i].name = NULL;
    }
    return list;
}

static void free_lines(struct bench_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(lines[i].name);
        free(lines[i].values);
    }
    free(lines);
}

static void put_changes(FILE *to, const struct runs *runs, const char *const *labels)
{
    const json_t *last = runs->list[runs->count - 1];
    json_t *sets = json_object_get(last, "time_over_first");
    size_t count = 0;
    struct bench_line *lines = make_lines(json_object_size(sets), runs->count);
    const char *set = NULL;
    json_t *unused = NULL;
    json_object_foreach(sets, set, unused)
    {
        lines[count].name = bench_strdup(set);
        for (size_t i = 0; i < runs->count; i++) {
            lines[count].values[i] = set_change(runs->list[0], runs->list[i], set);
        }
        count++;
    }
    fputs("<h2>History: time over that of the oldest run (lower is faster)</h2>\n", to);
    bench_svg_lines(to, lines, count, labels, runs->count);
    free_lines(lines, count);
}

static void put_history_of(FILE *to, const struct runs *runs, const char *const *labels,
                           const char *set)
{
    const json_t *last = runs->list[runs->count - 1];
    size_t peers = engine_count(last) - 1;
    struct bench_line *lines = make_lines(peers, runs->count);
    for (size_t e = 0; e < peers; e++) {
        const char *peer = engine_name(last, e + 1);
        lines[e].name = bench_format("/ %s", peer);
        for (size_t i = 0; i < runs->count; i++) {
            lines[e].values[i] = 1 / set_ratio(runs->list[i], set, peer);
        }
    }
    fputs("<h2>History, ", to);
    bench_svg_text(to, set);
    fputs(": time over that of each peer (lower is faster)</h2>\n", to);
    bench_svg_lines(to, lines, peers, labels, runs->count);
    free_lines(lines, peers);
}

/* ---------------------------------------------------------------- the page */

static void put_head(FILE *to, const json_t *run)
{
    const json_t *machine = json_object_get(run, "machine");
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>wasm-bench</title>\n"
        "<style>\nbody { font: 15px sans-serif; max-width: 920px; margin: 2em auto; padding: 0 1em;"
        " color: #222; background: #fff }\nh2 { font-size: 1.05em; margin: 1.6em 0 .4em }\n"
        "svg { max-width: 100%; height: auto }\ntext { font: 11px sans-serif; fill: #222 }\n"
        ".grid { stroke: #ddd }\n"
        "@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 }"
        " text { fill: #ddd } .grid { stroke: #444 } }\n</style>\n<h1>wasm-bench</h1>\n<p>",
        to);
    bench_svg_text(to, text_of(run, "label"));
    fputs(", ", to);
    bench_svg_text(to, text_of(run, "date"));
    fputs("; ", to);
    bench_svg_text(to, text_of(machine, "cpu"));
    fprintf(to, ", %lld processors; %lld rounds, interleaved; user and system time.</p>\n",
            (long long)json_integer_value(json_object_get(machine, "processors")),
            (long long)json_integer_value(json_object_get(run, "rounds")));
}

static void put_history(FILE *to, const struct runs *runs)
{
    const json_t *last = runs->list[runs->count - 1];
    const char **labels = bench_realloc(NULL, runs->count * sizeof labels[0]);
    for (size_t i = 0; i < runs->count; i++) labels[i] = text_of(runs->list[i], "label");
    put_changes(to, runs, labels);
    const char *set = NULL;
    json_t *unused = NULL;
    json_object_foreach(json_object_get(last, "time_over_first"), set, unused)
    {
        if (engine_count(last) > 1) put_history_of(to, runs, labels, set);
    }
    free(labels);
}

static void put_page(FILE *to, const struct runs *runs)
{
    const json_t *last = runs->list[runs->count - 1];
    put_head(to, last);
    put_means(to, last);
    if (runs->count > 1) put_history(to, runs);
    const char *set = NULL;
    json_t *unused = NULL;
    json_object_foreach(json_object_get(last, "time_over_first"), set, unused)
    {
        put_set(to, last, set);
    }
    fputs("</html>\n", to);
}

bool bench_report(const char *path, const struct bench_words *files, const json_t *now)
{
    struct runs runs = {0};
    bool good = read_runs(&runs, files);
    if (now) add_run(&runs, json_deep_copy(now));
    FILE *to = good && runs.count ? fopen(path, "we") : NULL;
    if (to) {
        put_page(to, &runs);
        good = !ferror(to);
        good &= fclose(to) == 0;
    }
    if (good && !to) fprintf(stderr, "wasm-bench: %s: %s\n", path, strerror(errno));
    for (size_t i = 0; i < runs.count; i++) json_decref(runs.list[i]);
    free(runs.list);
    return good && to;
}
