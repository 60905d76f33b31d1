/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - `wasmrun inspect FILE`: what a module consists of, for people or as JSON. */
#include "common/json.h"
#include "run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSPECT_JSON = 1, TYPE_BYTES = 1024, NAME_COLUMN_MAX = 60 };

static const struct wrap_option inspect_options[] = {
    {"json", 0, NULL, INSPECT_JSON, "print one JSON object"},
    WRAP_FEATURES_OPTION,
};

/* ---------------------------------------------------------------- counts */

struct count_row {
    const char *name;
    uint64_t value;
};
enum { COUNT_ROWS = 12 };

static void list_counts(const wr_module_t *module, struct count_row rows[COUNT_ROWS])
{
    wr_module_stats_t stats;
    wr_module_stats(module, &stats);
    const struct count_row all[COUNT_ROWS] = {
        {"types", stats.types},   {"imports", stats.imports},   {"functions", stats.funcs},
        {"tables", stats.tables}, {"memories", stats.memories}, {"globals", stats.globals},
        {"tags", stats.tags},     {"exports", stats.exports},   {"elements", stats.elems},
        {"data", stats.datas},    {"custom", stats.customs},    {"code_bytes", stats.code_bytes},
    };
    memcpy(rows, all, sizeof all);
}

/* ---------------------------------------------------------------- for people */

static void print_sections(const wr_module_t *module)
{
    wr_section_t section;
    puts("\nsections\n  id  name                       offset        bytes");
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        char name[256];
        snprintf(name, sizeof name, section.id ? "%.*s" : "\"%.*s\"", (int)section.name.size,
                 section.name.data);
        wrap_print(stdout, "  %2u  %-22s %#10" PRIx64 " %12" PRIu64 "\n", section.id, name,
                   section.file_offset, section.size);
    }
}

static void print_counts(const wr_module_t *module)
{
    struct count_row rows[COUNT_ROWS];
    list_counts(module, rows);
    puts("\ncounts");
    for (size_t i = 0; i < COUNT_ROWS; i++) {
        if (rows[i].value) {
            printf("  %-12s %12" PRIu64 "\n", rows[i].name, rows[i].value);
        }
    }
}

/* Width of the name column: the longest name, within reason. */
static int name_width(const wr_module_t *module, bool imports)
{
    size_t width = 0;
    wr_importtype_t import;
    wr_exporttype_t export;
    for (size_t i = 0; imports && wr_module_import(module, i, &import); i++) {
        size_t length = import.module.size + 1 + import.name.size;
        width = length > width && length <= NAME_COLUMN_MAX ? length : width;
    }
    for (size_t i = 0; !imports && wr_module_export(module, i, &export); i++) {
        width = export.name.size > width && export.name.size <= NAME_COLUMN_MAX ? export.name.size
                                                                                : width;
    }
    return (int)width;
}

static void print_imports(const wr_module_t *module)
{
    wr_importtype_t item;
    char type[TYPE_BYTES];
    char name[TYPE_BYTES];
    size_t count = wr_module_import_count(module);
    int width = name_width(module, true);
    if (count) {
        printf("\nimports\n");
    }
    for (size_t i = 0; wr_module_import(module, i, &item); i++) {
        wr_module_import_type(module, i, type, sizeof type);
        snprintf(name, sizeof name, "%.*s.%.*s", (int)item.module.size, item.module.data,
                 (int)item.name.size, item.name.data);
        wrap_print(stdout, "  %-*s  %s\n", width, name, type);
    }
}

static void print_exports(const wr_module_t *module)
{
    wr_exporttype_t item;
    char type[TYPE_BYTES];
    char name[TYPE_BYTES];
    size_t count = wr_module_export_count(module);
    int width = name_width(module, false);
    if (count) {
        printf("\nexports\n");
    }
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        wr_module_export_type(module, i, type, sizeof type);
        snprintf(name, sizeof name, "%.*s", (int)item.name.size, item.name.data);
        wrap_print(stdout, "  %-*s  %s\n", width, name, type);
    }
}

/* Memories and tables with their limits, imported ones too. */
static void print_limits(const wr_module_t *module)
{
    wr_module_stats_t stats;
    char type[TYPE_BYTES];
    wr_module_stats(module, &stats);
    if (stats.memories || stats.tables) puts("\nmemories and tables");
    for (uint32_t i = 0; i < stats.memories; i++) {
        wr_module_item_type(module, WR_EXTERN_MEMORY, i, type, sizeof type);
        printf("  %3" PRIu32 "  %s\n", i, type);
    }
    for (uint32_t i = 0; i < stats.tables; i++) {
        wr_module_item_type(module, WR_EXTERN_TABLE, i, type, sizeof type);
        printf("  %3" PRIu32 "  %s\n", i, type);
    }
}

static void print_text(const wr_module_t *module)
{
    wr_module_stats_t stats;
    wr_module_stats(module, &stats);
    wrap_print(stdout, "%s: valid module, %" PRIu64 " bytes\n", wr_module_name(module),
               stats.file_bytes);
    print_sections(module);
    print_counts(module);
    print_limits(module);
    print_imports(module);
    print_exports(module);
}

/* ---------------------------------------------------------------- JSON */

static void json_field(const char *key, wr_name_t value)
{
    wrap_json_field(stdout, key, value.data, value.size);
}

static wr_name_t name_of(const char *text) { return (wr_name_t){text, strlen(text)}; }

static void json_sections(const wr_module_t *module)
{
    wr_section_t section;
    fputs(",\"sections\":[", stdout);
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        printf("%s{\"id\":%u,", i ? "," : "", section.id);
        json_field("name", section.name);
        printf(",\"offset\":%" PRIu64 ",\"size\":%" PRIu64 "}", section.file_offset, section.size);
    }
    putchar(']');
}

static void json_imports(const wr_module_t *module)
{
    wr_importtype_t item;
    char type[TYPE_BYTES];
    fputs(",\"imports\":[", stdout);
    for (size_t i = 0; wr_module_import(module, i, &item); i++) {
        fputs(i ? ",{" : "{", stdout);
        json_field("module", item.module);
        putchar(',');
        json_field("name", item.name);
        printf(",\"kind\":\"%s\",", wrap_extern_kind(item.kind));
        wr_module_import_type(module, i, type, sizeof type);
        json_field("type", name_of(type));
        putchar('}');
    }
    putchar(']');
}

static void json_exports(const wr_module_t *module)
{
    wr_exporttype_t item;
    char type[TYPE_BYTES];
    fputs(",\"exports\":[", stdout);
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        fputs(i ? ",{" : "{", stdout);
        json_field("name", item.name);
        printf(",\"kind\":\"%s\",\"index\":%" PRIu32 ",", wrap_extern_kind(item.kind), item.index);
        wr_module_export_type(module, i, type, sizeof type);
        json_field("type", name_of(type));
        putchar('}');
    }
    putchar(']');
}

static void json_limits(const wr_module_t *module, const char *key, wr_extern_kind_t kind,
                        uint32_t count)
{
    char type[TYPE_BYTES];
    printf(",\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++) {
        wr_module_item_type(module, kind, i, type, sizeof type);
        if (i) putchar(',');
        wrap_json_string(stdout, type, strlen(type));
    }
    putchar(']');
}

static void print_json(const wr_module_t *module)
{
    wr_module_stats_t stats;
    struct count_row rows[COUNT_ROWS];
    wr_module_stats(module, &stats);
    putchar('{');
    json_field("file", name_of(wr_module_name(module)));
    printf(",\"bytes\":%" PRIu64 ",\"counts\":{", stats.file_bytes);
    list_counts(module, rows);
    for (size_t i = 0; i < COUNT_ROWS; i++) {
        printf("%s\"%s\":%" PRIu64, i ? "," : "", rows[i].name, rows[i].value);
    }
    putchar('}');
    json_limits(module, "memories", WR_EXTERN_MEMORY, stats.memories);
    json_limits(module, "tables", WR_EXTERN_TABLE, stats.tables);
    json_sections(module);
    json_imports(module);
    json_exports(module);
    puts("}");
}

/* ---------------------------------------------------------------- the command */

static int inspect(const char *file, bool json, wr_features_t features)
{
    int code = WRAP_EXIT_OK;
    wr_module_t *module = NULL;
    wr_engine_t *engine = wrap_engine_new(features);
    if (!engine) {
        return WRAP_EXIT_INVALID;
    }
    if (wrap_module_load(engine, file, &module, &code)) {
        if (json) {
            print_json(module);
        } else {
            print_text(module);
        }
    }
    wr_module_delete(module);
    wr_engine_delete(engine);
    return code;
}

static int cmd_inspect(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    wr_features_t features = wr_features_default();
    bool json = false;
    int id = 0;
    while ((id = wrap_opts_next(&opts)) != WRAP_OPTS_END) {
        if (wrap_common_option(self, id)) {
            return WRAP_EXIT_OK;
        }
        if (id == INSPECT_JSON) {
            json = true;
        } else if (id != WRAP_OPT_FEATURES || !wrap_features_apply(&features, opts.value)) {
            return wrap_opts_hint(self);
        }
    }
    if (opts.at + 1 != argc) {
        wrap_say(opts.at < argc ? "more than one FILE given" : "no FILE given");
        return wrap_opts_hint(self);
    }
    return inspect(argv[opts.at], json, features);
}

const struct wrap_command wrap_command_inspect = {
    .name = "inspect",
    .usage = "wasmrun inspect [--json] [--features LIST] FILE|-",
    .summary = "Shows the sections, imports and exports of a module.",
    .options = inspect_options,
    .option_count = sizeof inspect_options / sizeof inspect_options[0],
    .run = cmd_inspect,
    .operands = "file",
};
