/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what is said about modules that do not load, link or end well, and with which exit. */
#include "run/json.h"
#include "run/run.h"
#include "run/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *wrap_file_name(const char *file) { return strcmp(file, "-") == 0 ? "<stdin>" : file; }

const char *wrap_extern_kind(wr_extern_kind_t kind)
{
    static const char *const names[] = {
        [WR_EXTERN_FUNC] = "func",     [WR_EXTERN_TABLE] = "table", [WR_EXTERN_MEMORY] = "memory",
        [WR_EXTERN_GLOBAL] = "global", [WR_EXTERN_TAG] = "tag",
    };
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

bool wrap_common_option(const struct wrap_command *command, int id)
{
    if (id == WRAP_OPT_HELP) {
        wrap_opts_help(command);
    } else if (id == WRAP_OPT_VERSION) {
        printf("wasmrun %s\n", wr_version());
    }
    return id == WRAP_OPT_HELP || id == WRAP_OPT_VERSION;
}

/* ---------------------------------------------------------------- errors */

/* The engine's text may begin with the name of the file, which the message names already. */
static const char *without_file(const char *file, const char *text)
{
    size_t length = strlen(file);
    if (strncmp(text, file, length) == 0 && strncmp(text + length, ": ", 2) == 0) {
        return text + length + 2;
    }
    return text;
}

/* " (function 12, offset 0x3f)" as far as it is known and not said in the text already. */
static void format_place(const wr_error_t *err, char *buf, size_t cap)
{
    buf[0] = 0;
    if (strstr(err->text, "offset 0x") || err->offset == UINT64_MAX) {
        return;
    }
    if (err->func_idx != UINT32_MAX) {
        snprintf(buf, cap, " (function %" PRIu32 ", offset 0x%" PRIx64 ")", err->func_idx,
                 err->offset);
    } else {
        snprintf(buf, cap, " (offset 0x%" PRIx64 ")", err->offset);
    }
}

static void print_trap(const char *file, const wr_error_t *err)
{
    const char *text = without_file(file, err->text);
    const char *trap = err->trap ? err->trap : text;
    if (strncmp(text, trap, strlen(trap)) == 0) {
        wrap_say("%s: trap: %s", file, text);
    } else {
        wrap_say("%s: trap: %s%s%s", file, trap, text[0] ? ": " : "", text);
    }
    wrap_trace_print(stderr, err);
}

/* As an object: {"file","error","message","exit_code"} and what else is known. */
static void print_json(const char *file, const char *error, int code, const wr_error_t *err)
{
    const char *text = without_file(file, err->text);
    const char *message = text[0] ? text : err->trap ? err->trap : error;
    fputc('{', stderr);
    wrap_json_field(stderr, "message", message, strlen(message));
    wrap_json_more(stderr, "file", file);
    wrap_json_more(stderr, "error", error);
    fprintf(stderr, ",\"exit_code\":%d", code);
    if (err->trap) {
        wrap_json_more(stderr, "trap", err->trap);
    }
    if (err->offset != UINT64_MAX) {
        fprintf(stderr, ",\"offset\":%" PRIu64, err->offset);
    }
    if (err->func_idx != UINT32_MAX) {
        fprintf(stderr, ",\"function\":%" PRIu32, err->func_idx);
    }
    wrap_trace_json(stderr, err);
    fputs("}\n", stderr);
}

struct status_exit {
    wr_status_t status;
    int code;
};

/* All others are 126: the module or what it needs cannot be used. */
static int exit_of(wr_status_t status)
{
    static const struct status_exit status_exits[] = {
        {WR_TRAP, WRAP_EXIT_TRAP},         {WR_NOT_FOUND, WRAP_EXIT_NOT_FOUND},
        {WR_CANCELLED, WRAP_EXIT_TIMEOUT}, {WR_FUEL, WRAP_EXIT_TIMEOUT},
        {WR_EXCEPTION, WRAP_EXIT_TRAP},
    };
    for (size_t i = 0; i < sizeof status_exits / sizeof status_exits[0]; i++) {
        if (status_exits[i].status == status) {
            return status_exits[i].code;
        }
    }
    return WRAP_EXIT_INVALID;
}

int wrap_report(const char *file, wr_status_t status, const wr_error_t *err)
{
    int code = exit_of(status);
    bool timed_out = status == WR_CANCELLED && wrap_timeout_fired();
    const char *error = timed_out ? "timed out" : wr_status_name(status);
    if (wrap_errors_json()) {
        print_json(file, error, code, err);
    } else if (status == WR_TRAP) {
        print_trap(file, err);
    } else if (timed_out) {
        wrap_say("%s: timed out", file);
    } else {
        char place[64];
        const char *text = without_file(file, err->text);
        format_place(err, place, sizeof place);
        wrap_say("%s: %s%s%s%s", file, error, text[0] ? ": " : "", text, place);
        wrap_trace_print(stderr, err);
    }
    return code;
}

bool wrap_module_load(wr_engine_t *engine, const char *file, wr_module_t **out, int *code)
{
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    bool from_stdin = strcmp(file, "-") == 0;
    wr_status_t status = from_stdin ? wr_module_load_fd(engine, 0, wrap_file_name(file), out, &err)
                                    : wr_module_load(engine, file, out, &err);
    if (status != WR_OK) {
        *code = wrap_report(wrap_file_name(file), status, &err);
    }
    return status == WR_OK;
}

/* ---------------------------------------------------------------- imports and exports */

enum { MISSING_SHOWN = 100 };

static void print_missing(const wr_missing_t *missing, void *env)
{
    size_t *printed = env;
    if (++*printed > MISSING_SHOWN) {
        return;
    }
    const wr_importtype_t *import = &missing->import;
    wrap_print(stderr, "  %.*s.%.*s %s\n", (int)import->module.size, import->module.data,
               (int)import->name.size, import->name.data, missing->wanted);
    if (missing->offered) {
        wrap_print(stderr, "      there is one of another type: %s\n", missing->offered);
    } else if (missing->similar) {
        wrap_print(stderr, "      did you mean %s?\n", missing->similar);
    }
}

static void print_missing_json(const wr_missing_t *missing, void *env)
{
    size_t *printed = env;
    if (++*printed > MISSING_SHOWN) {
        return;
    }
    const wr_importtype_t *import = &missing->import;
    fputs(*printed > 1 ? ",{" : "{", stderr);
    wrap_json_field(stderr, "module", import->module.data, import->module.size);
    fputc(',', stderr);
    wrap_json_field(stderr, "name", import->name.data, import->name.size);
    wrap_json_more(stderr, "wanted", missing->wanted);
    if (missing->offered) {
        wrap_json_more(stderr, "offered", missing->offered);
    }
    if (missing->similar) {
        wrap_json_more(stderr, "similar", missing->similar);
    }
    fputc('}', stderr);
}

static void ignore_missing(const wr_missing_t *missing, void *env)
{
    (void)missing;
    (void)env;
}

size_t wrap_report_missing(const char *file, const wr_linker_t *linker, const wr_module_t *module)
{
    size_t count = wr_linker_missing(linker, module, ignore_missing, NULL);
    if (!count) {
        return 0;
    }
    size_t printed = 0;
    if (wrap_errors_json()) {
        fprintf(stderr, "{\"message\":\"%zu import%s cannot be satisfied\"", count,
                count == 1 ? "" : "s");
        wrap_json_more(stderr, "file", file);
        fprintf(stderr, ",\"error\":\"link error\",\"exit_code\":%d,\"imports\":[",
                WRAP_EXIT_INVALID);
        wr_linker_missing(linker, module, print_missing_json, &printed);
        fputs("]}\n", stderr);
        return count;
    }
    wrap_say("%s: link error: %zu import%s cannot be satisfied:", file, count,
             count == 1 ? "" : "s");
    wr_linker_missing(linker, module, print_missing, &printed);
    return count;
}

void wrap_report_exports(const wr_module_t *module, wr_extern_kind_t kind)
{
    enum { SHOWN = 20 };
    wr_exporttype_t item;
    size_t found = 0;
    char type[256];
    if (wrap_errors_json()) {
        return; /* the message says it all; a program can look at `inspect --json` */
    }
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        if (item.kind != kind || ++found > SHOWN) {
            continue;
        }
        wr_module_export_type(module, i, type, sizeof type);
        wrap_print(stderr, "  %.*s %s\n", (int)item.name.size, item.name.data, type);
    }
    if (found > SHOWN) {
        fprintf(stderr, "  ... and %zu more\n", found - SHOWN);
    } else if (!found) {
        fprintf(stderr, "  (it exports no %s)\n", wrap_extern_kind(kind));
    }
}
