/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - what is known about the frames of an error, as text and as JSON. */
#include "common/trace.h"

#include "common/demangle.h"
#include "common/dwarf.h"
#include "common/json.h"
#include "common/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    INLINED_MAX = 8, /* source frames of a frame; callers further out are left out */
    SOURCES = WR_ERROR_FRAMES * INLINED_MAX,
    WORK = 50000000, /* steps of the DWARF reader for all frames: under a second */
    CODE_SECTION = 10
};

struct source {
    char file[WRAP_DWARF_PATH];
    uint64_t line, column;
};

struct trace {
    const wr_error_t *err;
    size_t first[WR_ERROR_FRAMES]; /* of a frame's sources, innermost first */
    size_t count[WR_ERROR_FRAMES];
    struct source source[SOURCES];
    size_t sources;
    /* Names of frames, then of sources: all are demangled together. */
    char name[WR_ERROR_FRAMES + SOURCES][WRAP_NAME_BYTES];
    struct wrap_dwarf_frame found[INLINED_MAX];
};

/* ---------------------------------------------------------------- DWARF */

static void take_section(struct wrap_dwarf *dwarf, const wr_section_t *section)
{
    for (unsigned i = 0; i < WRAP_DWARF_SECTIONS; i++) {
        const char *name = wrap_dwarf_section_name(i);
        if (section->name.size == strlen(name) &&
            memcmp(section->name.data, name, section->name.size) == 0) {
            dwarf->section[i] = (struct wrap_bytes){section->data, section->size};
        }
    }
}

/* Gathers a module's sections; false when it has no DWARF. `code` is where addresses begin. */
static bool open_dwarf(const wr_module_t *module, struct wrap_dwarf *dwarf, uint64_t *code)
{
    wr_section_t section;
    memset(dwarf->section, 0, sizeof dwarf->section);
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        if (section.id == CODE_SECTION) {
            *code = section.file_offset;
        } else if (section.id == 0) {
            take_section(dwarf, &section);
        }
    }
    return dwarf->section[WRAP_DWARF_INFO].data && dwarf->section[WRAP_DWARF_ABBREV].data;
}

static void add_sources(struct trace *trace, size_t frame, struct wrap_dwarf *dwarf, uint64_t pc)
{
    size_t count = wrap_dwarf_lookup(dwarf, pc, trace->found, INLINED_MAX);
    trace->first[frame] = trace->sources;
    trace->count[frame] = count;
    for (size_t i = 0; i < count; i++) {
        const struct wrap_dwarf_frame *found = &trace->found[i];
        struct source *source = &trace->source[trace->sources];
        char *name = trace->name[WR_ERROR_FRAMES + trace->sources++];
        source->line = found->line;
        source->column = found->column;
        snprintf(source->file, sizeof source->file, "%s", found->file);
        snprintf(name, WRAP_NAME_BYTES, "%s", found->function);
    }
}

static struct trace *make_trace(const wr_error_t *err)
{
    struct trace *trace = calloc(1, sizeof *trace);
    struct wrap_dwarf dwarf = {.budget = WORK};
    uint64_t code = 0;
    bool has_dwarf = false;
    if (!trace) {
        return NULL;
    }
    trace->err = err;
    for (uint32_t i = 0; i < err->frames; i++) {
        const wr_frame_t *frame = &err->frame[i];
        wr_module_func_name(frame->module, frame->func_idx, trace->name[i], WRAP_NAME_BYTES);
        if (!i || frame->module != err->frame[i - 1].module) {
            has_dwarf = open_dwarf(frame->module, &dwarf, &code);
        }
        if (has_dwarf && frame->file_offset >= code) {
            add_sources(trace, i, &dwarf, frame->file_offset - code);
        }
    }
    wrap_demangle(trace->name, WR_ERROR_FRAMES + trace->sources);
    return trace;
}

/* The number of frame `i`, those left out counted. */
static unsigned long long number_of(const wr_error_t *err, uint32_t i)
{
    bool tail = err->frames_left_out && i >= WR_ERROR_FRAMES / 2;
    return i + (tail ? (unsigned long long)err->frames_left_out : 0);
}

/* ---------------------------------------------------------------- text */

static void print_line(FILE *to, const struct trace *trace, uint32_t i, const char *name)
{
    const wr_frame_t *frame = &trace->err->frame[i];
    fprintf(to, "  #%llu %s0x%" PRIx64 "%s ", number_of(trace->err, i), wrap_colour_on(true),
            frame->file_offset, wrap_colour_off());
    wrap_print(to, "%s", name);
}

/* " at FILE:LINE:COLUMN (inlined)" as far as it is known. */
static void print_source(FILE *to, const struct source *source, bool inlined)
{
    if (source->file[0]) {
        wrap_print(to, " at %s", source->file);
        if (source->line) {
            fprintf(to, ":%" PRIu64, source->line);
        }
        if (source->line && source->column) {
            fprintf(to, ":%" PRIu64, source->column);
        }
    }
    if (inlined) {
        fputs(" (inlined)", to);
    }
}

static void print_frame(FILE *to, const struct trace *trace, uint32_t i)
{
    size_t count = trace->count[i];
    for (size_t k = 0; k + 1 < count; k++) {
        size_t at = trace->first[i] + k;
        const char *name = trace->name[WR_ERROR_FRAMES + at];
        print_line(to, trace, i, name[0] ? name : "?");
        print_source(to, &trace->source[at], true);
        fputc('\n', to);
    }
    print_line(to, trace, i, trace->name[i]);
    if (count) {
        print_source(to, &trace->source[trace->first[i] + count - 1], false);
    }
    fputc('\n', to);
}

void wrap_trace_print(FILE *to, const wr_error_t *err)
{
    struct trace *trace = err->frames ? make_trace(err) : NULL;
    unsigned long long left_out = err->frames_left_out;
    for (uint32_t i = 0; trace && i < err->frames; i++) {
        if (left_out && i == WR_ERROR_FRAMES / 2) {
            fprintf(to, "  ... %llu frame%s left out\n", left_out, left_out == 1 ? "" : "s");
        }
        print_frame(to, trace, i);
    }
    free(trace);
}

/* ---------------------------------------------------------------- JSON */

static void json_sources(FILE *to, const struct trace *trace, uint32_t i)
{
    fputs(",\"source\":[", to);
    for (size_t k = 0; k < trace->count[i]; k++) {
        size_t at = trace->first[i] + k;
        const struct source *source = &trace->source[at];
        const char *name = trace->name[WR_ERROR_FRAMES + at];
        fputs(k ? ",{" : "{", to);
        wrap_json_field(to, "function", name, strlen(name));
        wrap_json_more(to, "file", source->file);
        fprintf(to, ",\"line\":%" PRIu64 ",\"column\":%" PRIu64 "}", source->line, source->column);
    }
    fputc(']', to);
}

void wrap_trace_json(FILE *to, const wr_error_t *err)
{
    struct trace *trace = err->frames ? make_trace(err) : NULL;
    if (!trace) {
        return;
    }
    fputs(",\"frames\":[", to);
    for (uint32_t i = 0; i < err->frames; i++) {
        const wr_frame_t *frame = &err->frame[i];
        fprintf(to, "%s{\"number\":%llu,\"offset\":%" PRIu64 ",\"index\":%" PRIu32, i ? "," : "",
                number_of(err, i), frame->file_offset, frame->func_idx);
        wrap_json_more(to, "function", trace->name[i]);
        wrap_json_more(to, "module", wr_module_name(frame->module));
        if (trace->count[i]) {
            json_sources(to, trace, i);
        }
        fputc('}', to);
    }
    fprintf(to, "],\"frames_left_out\":%" PRIu32, err->frames_left_out);
    free(trace);
}
