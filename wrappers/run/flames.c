/* SPDX-License-Identifier: Apache-2.0 */
/* flames.c - a tree of sampled calls as folded stacks and as a flame graph. */
#include "run/profile.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_BYTES = 512 };

/* ---------------------------------------------------------------- text */

/* Bytes of the UTF-8 character at `p` when it is well-formed and may stand in XML, else 0. */
static size_t character(const char *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)p[0];
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7f;
    }
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t code = first & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80) {
            return 0; /* also at the end of the text */
        }
        code = code << 6 | ((unsigned char)p[i] & 0x3fu);
    }
    bool good = first >= 0xc2 && first < 0xf8 && code >= least[size] && code >= 0xa0 &&
                code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && (code & 0xfffe) != 0xfffe;
    return good ? size : 0;
}

/* Writes up to `limit` characters; what may not stand there as \xNN. */
static void put_xml(FILE *to, const char *text, size_t limit)
{
    for (size_t n = 0; *text && n < limit; n++) {
        size_t size = character(text);
        switch (size == 1 ? *text : 0) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default:
            if (size) {
                fwrite(text, 1, size, to);
            } else {
                fprintf(to, "\\x%02x", (unsigned char)*text);
            }
        }
        text += size ? size : 1;
    }
}

static size_t length_of(const char *text)
{
    size_t count = 0;
    for (; *text; count++) {
        size_t size = character(text);
        text += size ? size : 1;
    }
    return count;
}

static void name_of(const struct wrap_node *node, wrap_node_name_fn name, const void *ctx,
                    char buf[NAME_BYTES])
{
    if (node->func == WRAP_NODE_DEEP) {
        snprintf(buf, NAME_BYTES, "[callers left out]");
    } else {
        name(ctx, node->func, buf, NAME_BYTES);
    }
}

/* ---------------------------------------------------------------- folded stacks */

/* A semicolon ends a frame and a newline a stack: names have neither. */
static void put_folded(FILE *to, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            fprintf(to, "\\x%02x", c);
        } else {
            fputc(c == ';' ? ':' : c, to);
        }
    }
}

void wrap_write_folded(FILE *to, const struct wrap_calls *calls, wrap_node_name_fn name,
                       const void *ctx)
{
    uint32_t stack[WRAP_STACK_MAX + 2];
    char text[NAME_BYTES];
    for (uint32_t i = wrap_calls_walk(calls, 0); i; i = wrap_calls_walk(calls, i)) {
        if (!calls->nodes[i].self) {
            continue;
        }
        size_t depth = 0;
        for (uint32_t at = i; at && depth < WRAP_STACK_MAX + 2; at = calls->nodes[at].parent) {
            stack[depth++] = at;
        }
        while (depth-- > 0) {
            name_of(&calls->nodes[stack[depth]], name, ctx, text);
            put_folded(to, text);
            fputc(depth ? ';' : ' ', to);
        }
        fprintf(to, "%" PRIu64 "\n", calls->nodes[i].self);
    }
}

/* ---------------------------------------------------------------- flame graph */

enum { WIDTH = 1200, MARGIN = 10, ROW = 17, TOP = 40, LETTER = 7, HUES = 55 };
static const double least_width = 0.2; /* narrower boxes are left out, with all above them */

static unsigned hue_of(const char *text)
{
    unsigned hash = 2166136261u;
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    }
    return hash % HUES;
}

struct drawing {
    FILE *to;
    const struct wrap_calls *calls;
    double scale; /* pixels a sample */
    unsigned height;
};

static void draw_box(const struct drawing *d, const struct wrap_node *node, double x,
                     const char *text)
{
    double width = (double)node->total * d->scale;
    unsigned y = d->height - (node->depth + 2) * ROW;
    double share = 100.0 * (double)node->total / (double)d->calls->nodes[0].total;
    fputs("<g><title>", d->to);
    put_xml(d->to, text, NAME_BYTES);
    fprintf(d->to, " (%" PRIu64 " samples, %.2f%%, %" PRIu64 " of its own)</title>", node->total,
            share, node->self);
    fprintf(d->to,
            "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\" rx=\"2\" "
            "fill=\"hsl(%u,80%%,66%%)\"/>",
            x, y, width, ROW - 1, hue_of(text));
    size_t fits = width > 2 * LETTER ? (size_t)(width - 6) / LETTER : 0;
    size_t length = length_of(text);
    if (fits >= 3 || (fits && length <= fits)) {
        bool cut = length > fits;
        fprintf(d->to, "<text x=\"%.2f\" y=\"%u\">", x + 3, y + 12);
        put_xml(d->to, text, cut ? fits - 2 : fits);
        fputs(cut ? "..</text>" : "</text>", d->to);
    }
    fputs("</g>\n", d->to);
}

static bool is_drawn(const struct drawing *d, const struct wrap_node *node)
{
    return (double)node->total * d->scale >= least_width;
}

static unsigned deepest_drawn(const struct drawing *d)
{
    unsigned deepest = 0;
    for (uint32_t i = 1; i < d->calls->count; i++) {
        const struct wrap_node *node = &d->calls->nodes[i];
        deepest = is_drawn(d, node) && node->depth > deepest ? node->depth : deepest;
    }
    return deepest;
}

/* Left edges by depth: a box begins where the one before it of the same caller ends. */
static void draw_boxes(const struct drawing *d, wrap_node_name_fn name, const void *ctx)
{
    double edges[WRAP_STACK_MAX + 4] = {MARGIN, MARGIN};
    char text[NAME_BYTES];
    const struct wrap_node *nodes = d->calls->nodes;
    draw_box(d, &nodes[0], MARGIN, "all");
    for (uint32_t i = wrap_calls_walk(d->calls, 0); i; i = wrap_calls_walk(d->calls, i)) {
        uint32_t depth = nodes[i].depth;
        double x = edges[depth];
        edges[depth] = x + (double)nodes[i].total * d->scale;
        edges[depth + 1] = x;
        if (is_drawn(d, &nodes[i])) {
            name_of(&nodes[i], name, ctx, text);
            draw_box(d, &nodes[i], x, text);
        }
    }
}

void wrap_write_flames(FILE *to, const struct wrap_calls *calls, const char *title,
                       wrap_node_name_fn name, const void *ctx)
{
    uint64_t total = calls->count ? calls->nodes[0].total : 0;
    struct drawing d = {.to = to, .calls = calls};
    d.scale = total ? (double)(WIDTH - 2 * MARGIN) / (double)total : 0;
    d.height = TOP + (deepest_drawn(&d) + 3) * ROW;
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
            "viewBox=\"0 0 %d %u\">\n"
            "<style>text{font:12px monospace;fill:#222}g:hover rect{stroke:#222}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fdfaf3\"/>\n"
            "<text x=\"%d\" y=\"22\" style=\"font-size:15px\">",
            WIDTH, d.height, WIDTH, d.height, MARGIN);
    put_xml(to, title, NAME_BYTES);
    fprintf(to, " (%" PRIu64 " samples)</text>\n", calls->samples);
    if (total) {
        draw_boxes(&d, name, ctx);
    }
    fputs("</svg>\n", to);
}
