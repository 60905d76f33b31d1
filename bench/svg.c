/* SPDX-License-Identifier: Apache-2.0 */
/* svg.c - two kinds of charts as SVG: grouped horizontal bars, lines over labelled runs. */
#include "report.h"

#include <math.h>
#include <string.h>

/* All in pixels. */
static const double width = 900, left_edge = 150, right_edge = 170, bar_height = 13, group_gap = 9;
static const double lines_height = 260, lines_left = 50, lines_top = 12, lines_bottom = 40;

const char *bench_svg_colour(size_t index)
{
    static const char *const colours[] = {"#2b6cb0", "#dd8433", "#3d9a50", "#b8404e",
                                          "#8064a8", "#8a6d54", "#cc79b0", "#7a7a7a"};
    return colours[index % (sizeof colours / sizeof colours[0])];
}

void bench_svg_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc(*text, to); break;
        }
    }
}

static void put_text(FILE *to, double x, double y, const char *anchor, const char *text)
{
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    bench_svg_text(to, text);
    fputs("</text>\n", to);
}

static void begin_svg(FILE *to, double height)
{
    fprintf(to, "<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" role=\"img\">\n", width, height,
            width);
}

/* ---------------------------------------------------------------- bars */

static double largest(const struct bench_bar *bars, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        if (bars[i].value > most) most = bars[i].value;
    }
    return most > 0 ? most : 1;
}

static bool begins_group(const struct bench_bar *bars, size_t i)
{
    return i == 0 || strcmp(bars[i].group, bars[i - 1].group) != 0;
}

static void put_bar(FILE *to, const struct bench_bar *bar, double y, double scale)
{
    char note[128];
    double length = isnan(bar->value) ? 0 : bar->value * scale;
    snprintf(note, sizeof note, "%.60s %.60s", bar->name, isnan(bar->value) ? "failed" : bar->note);
    fprintf(to,
            "<rect x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\">"
            "<title>",
            left_edge, y, length, bar_height - 2, bench_svg_colour(bar->colour));
    bench_svg_text(to, bar->group);
    fputs(": ", to);
    bench_svg_text(to, note);
    fputs("</title></rect>\n", to);
    put_text(to, left_edge + length + 4, y + bar_height - 3, "start", note);
}

void bench_svg_bars(FILE *to, const struct bench_bar *bars, size_t count)
{
    double scale = (width - left_edge - right_edge) / largest(bars, count);
    double height = 4;
    for (size_t i = 0; i < count; i++)
        height += bar_height + (begins_group(bars, i) ? group_gap : 0);
    begin_svg(to, height);
    double y = 0;
    for (size_t i = 0; i < count; i++, y += bar_height) {
        if (begins_group(bars, i)) {
            y += group_gap;
            put_text(to, left_edge - 6, y + bar_height - 3, "end", bars[i].group);
        }
        put_bar(to, &bars[i], y, scale);
    }
    fputs("</svg>\n", to);
}

/* ---------------------------------------------------------------- lines */

struct plane {
    double most;    /* the value at the top; 0 is at the bottom */
    size_t columns; /* labels */
};

static double plane_x(const struct plane *plane, size_t column)
{
    double span = width - lines_left - right_edge;
    return plane->columns > 1 ? lines_left + span * (double)column / (double)(plane->columns - 1)
                              : lines_left + span / 2;
}

static double plane_y(const struct plane *plane, double value)
{
    return lines_top + (lines_height - lines_top - lines_bottom) * (1 - value / plane->most);
}

static void put_grid(FILE *to, const struct plane *plane, const char *const *labels)
{
    double step = 0.1;
    while (plane->most / step > 8) step *= 2;
    for (double value = 0; value <= plane->most; value += step) {
        char text[32];
        double y = plane_y(plane, value);
        snprintf(text, sizeof text, "%.1f", value);
        fprintf(to, "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/>\n", lines_left, y,
                width - right_edge);
        put_text(to, lines_left - 6, y + 4, "end", text);
    }
    for (size_t i = 0; i < plane->columns; i++) {
        const char *anchor = plane->columns == 1 ? "middle" : i ? "end" : "start";
        bool is_shown = i == 0 || i + 1 == plane->columns || plane->columns <= 6;
        if (i && i + 1 < plane->columns) anchor = "middle";
        if (!is_shown) continue;
        put_text(to, plane_x(plane, i), lines_height - lines_bottom + 18, anchor, labels[i]);
    }
}

static void put_line(FILE *to, const struct plane *plane, const struct bench_line *line,
                     size_t index)
{
    const char *command = "M";
    size_t last = plane->columns;
    fprintf(to, "<path fill=\"none\" stroke-width=\"2\" stroke=\"%s\" d=\"",
            bench_svg_colour(index));
    for (size_t i = 0; i < plane->columns; i++) {
        bool is_gap = isnan(line->values[i]);
        if (!is_gap) {
            fprintf(to, "%s%.1f %.1f", command, plane_x(plane, i), plane_y(plane, line->values[i]));
            last = i;
        }
        command = is_gap ? "M" : "L";
    }
    fputs("\"/>\n", to);
    for (size_t i = 0; i < plane->columns; i++) {
        if (isnan(line->values[i])) continue;
        fprintf(
            to,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%.3f</title></circle>\n",
            plane_x(plane, i), plane_y(plane, line->values[i]), bench_svg_colour(index),
            line->values[i]);
    }
    if (last < plane->columns) {
        char text[128];
        snprintf(text, sizeof text, "%.80s %.2f", line->name, line->values[last]);
        fprintf(to, "<rect x=\"%.0f\" y=\"%.1f\" width=\"9\" height=\"9\" fill=\"%s\"/>\n",
                width - right_edge + 10, lines_top + 16.0 * (double)index, bench_svg_colour(index));
        put_text(to, width - right_edge + 24, lines_top + 9 + 16.0 * (double)index, "start", text);
    }
}

void bench_svg_lines(FILE *to, const struct bench_line *lines, size_t line_count,
                     const char *const *labels, size_t label_count)
{
    struct plane plane = {1, label_count};
    for (size_t i = 0; i < line_count * label_count; i++) {
        double value = lines[i / label_count].values[i % label_count];
        if (value > plane.most) plane.most = value;
    }
    plane.most *= 1.05;
    begin_svg(to, lines_height);
    put_grid(to, &plane, labels);
    for (size_t i = 0; i < line_count; i++) put_line(to, &plane, &lines[i], i);
    fputs("</svg>\n", to);
}
