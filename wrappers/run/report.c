/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what is said about modules that do not load, link or end well, and with which exit. */
#include "common/failure.h"
#include "common/json.h"
#include "common/trace.h"
#include "run/run.h"

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

/* As an object: {"file","error","message","exit_code"} and what else is known. */
static void print_json(FILE *to, const char *file, const char *error, int code,
                       const wr_error_t *err)
{
    const char *text = wrap_failure_text(file, err);
    const char *message = text[0] ? text : err->trap ? err->trap : error;
    fputc('{', to);
    wrap_json_field(to, "message", message, strlen(message));
    wrap_json_more(to, "file", file);
    wrap_json_more(to, "error", error);
    fprintf(to, ",\"exit_code\":%d", code);
    if (err->trap) {
        wrap_json_more(to, "trap", err->trap);
    }
    if (err->offset != UINT64_MAX) {
        fprintf(to, ",\"offset\":%" PRIu64, err->offset);
    }
    if (err->func_idx != UINT32_MAX) {
        fprintf(to, ",\"function\":%" PRIu32, err->func_idx);
    }
    wrap_trace_json(to, err);
    fputs("}\n", to);
}

int wrap_report(const char *file, wr_status_t status, const wr_error_t *err)
{
    int code = wrap_failure_exit(status);
    bool timed_out = status == WR_CANCELLED && wrap_timeout_fired();
    const char *error = timed_out ? "timed out" : wr_status_name(status);
    struct wrap_message message;
    wrap_message_begin(&message);
    if (wrap_errors_json()) {
        print_json(message.to, file, error, code, err);
    } else if (timed_out) {
        wrap_say("%s: timed out", file);
    } else {
        char line[WRAP_FAILURE_TEXT];
        wrap_failure_line(file, status, err, line);
        wrap_say("%s", line);
        wrap_trace_print(message.to, err);
    }
    wrap_message_end(&message);
    return code;
}

wr_engine_t *wrap_engine_new(wr_features_t features)
{
    wr_engine_t *engine = wr_engine_new(NULL);
    if (!engine) {
        wrap_say("out of memory");
        return NULL;
    }
    wr_engine_set_features(engine, features);
    return engine;
}

bool wrap_features_apply(wr_features_t *features, const char *value)
{
    wr_error_t err = {0};
    if (wr_features_parse(value, features, &err) == WR_OK) {
        return true;
    }
    wrap_say("--features: %s", err.text);
    return false;
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
