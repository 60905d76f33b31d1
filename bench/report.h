/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - results as JSON, and the page with charts made from such JSON. Not here: measuring. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

#include <jansson.h>

enum { BENCH_JSON_FLAGS = JSON_INDENT(1) | JSON_REAL_PRECISION(6) };

/** All figures of a run. New reference. */
json_t *bench_results_json(const struct bench_results *results);

/**
 * Writes a self-contained page: bars of the last run, lines over all runs when there are several.
 * `files` are earlier runs, oldest first; `now` is the last run (NULL: the last file is). False
 * with a message on stderr.
 */
bool bench_report(const char *path, const struct bench_words *files, const json_t *now);

/* ---------------------------------------------------------------- charts (svg.c) */

/** Writes text with <, >, & and " escaped. */
void bench_svg_text(FILE *to, const char *text);

struct bench_bar {
    const char *group; /**< bars of a group stand together */
    const char *name;
    size_t colour;
    double value; /**< NaN: "failed" */
    char note[64];
};

void bench_svg_bars(FILE *to, const struct bench_bar *bars, size_t count);

struct bench_line {
    char *name;
    double *values; /**< one for each label; NaN: a gap */
};

void bench_svg_lines(FILE *to, const struct bench_line *lines, size_t line_count,
                     const char *const *labels, size_t label_count);
/** The colour of the n-th engine. */
const char *bench_svg_colour(size_t index);

#endif
