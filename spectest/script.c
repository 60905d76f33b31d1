/* SPDX-License-Identifier: Apache-2.0 */
/* script.c - one script: reading it, its state, running its commands, reporting each. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- items */

wr_name_t spec_json_name(const json_t *json)
{
    return (wr_name_t){json_string_value(json), json_string_length(json)};
}

struct spec_item *spec_items_add(struct spec_items *items, const json_t *name)
{
    if (items->count == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 16;
        items->list = spec_realloc(items->list, items->cap * sizeof items->list[0]);
    }
    struct spec_item *item = &items->list[items->count++];
    memset(item, 0, sizeof *item);
    wr_name_t text = spec_json_name(name);
    if (text.data) {
        item->name = memcpy(spec_realloc(NULL, text.size), text.data, text.size);
        item->name_size = text.size;
    }
    return item;
}

struct spec_item *spec_items_find(const struct spec_items *items, const json_t *name)
{
    wr_name_t text = spec_json_name(name);
    for (size_t i = items->count; i-- > 0;) {
        struct spec_item *item = &items->list[i];
        if (!text.data || (item->name && item->name_size == text.size &&
                           memcmp(item->name, text.data, text.size) == 0)) {
            return item;
        }
    }
    return NULL;
}

void spec_items_fini(struct spec_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free(items->list[i].name);
        free(items->list[i].reason);
        for (size_t k = 0; k < items->list[i].shared_count; k++) {
            wr_shared_memory_delete(items->list[i].shared[k].memory);
        }
        free(items->list[i].shared);
    }
    free(items->list);
}

/* ---------------------------------------------------------------- exec */

wr_exec_t *spec_script_exec(struct spec_script *script, struct spec_outcome *out)
{
    wr_error_t err = {0};
    if (!script->exec) {
        wr_status_t status = wr_exec_new(script->store, &script->exec, &err);
        if (status != WR_OK) {
            script->exec = NULL;
            spec_wrong_status(out, "a new exec", status, &err);
            return NULL;
        }
    }
    script->watch =
        (struct spec_watch){.exec = script->exec, .script = script->path, .line = script->line};
    spec_watchdog_arm(&script->ctx->dog, &script->watch);
    return script->exec;
}

bool spec_script_exec_done(struct spec_script *script)
{
    bool fired = spec_watchdog_disarm(&script->ctx->dog, &script->watch);
    if (fired) {
        wr_exec_delete(script->exec);
        script->exec = NULL;
    }
    return fired;
}

/* ---------------------------------------------------------------- the script */

/* True when `path` goes through the directories `part`, "/core/" or "core/". */
static bool goes_through(const char *path, const char *part)
{
    return strstr(path, part) || strncmp(path, part + 1, strlen(part) - 1) == 0;
}

/*
 * What a script's modules may use: the standard the suite is written for, and what the script's
 * directory adds. Others see nothing that is not of the release they test.
 */
static wr_features_t features_of(const char *path)
{
    static const struct {
        const char *part;
        const char *features;
    } sets[] = {
        {"/legacy/exceptions/", "wasm-3.0,+legacy-exceptions"},
        {"/proposals/threads/", "wasm-2.0,+threads"},
        {"/proposals/wide-arithmetic/", "wasm-3.0,+wide-arithmetic"},
        {"/proposals/custom-page-sizes/", "wasm-3.0,+custom-page-sizes"},
        {"/", "wasm-3.0"},
    };
    size_t i = 0;
    while (i + 1 < sizeof sets / sizeof sets[0] && !goes_through(path, sets[i].part)) {
        i++;
    }
    wr_features_t set = 0;
    (void)wr_features_parse(sets[i].features, &set, NULL);
    return set;
}

bool spec_script_setup(struct spec_script *script)
{
    wr_error_t err = {0};
    wr_status_t status =
        wr_store_new(script->engine, &script->ctx->store_config, &script->store, &err);
    if (status == WR_OK) {
        status = wr_linker_new(script->engine, &script->linker, &err);
    }
    if (status == WR_OK) {
        status = spec_host_define(script->linker, script->store, &err);
    }
    if (status != WR_OK) {
        fprintf(stderr, "wasm-spectest: cannot set up: %s: %s\n", wr_status_name(status), err.text);
    }
    return status == WR_OK;
}

void spec_script_teardown(struct spec_script *script)
{
    spec_threads_join(script);
    wr_exec_delete(script->exec);
    wr_linker_delete(script->linker);
    wr_store_delete(script->store);
    for (size_t i = 0; i < script->module_count; i++) {
        wr_module_delete(script->modules[i]);
    }
    free(script->modules);
    spec_items_fini(&script->definitions);
    spec_items_fini(&script->instances);
    spec_items_fini(&script->registered);
}

/* `  invoke "name"` or `  file.wasm`: what the command is about, for its line of output. */
static void describe(const json_t *command, char *buf, size_t cap)
{
    const json_t *action = json_object_get(command, "action");
    const char *kind = json_string_value(json_object_get(action, "type"));
    wr_name_t field = spec_json_name(json_object_get(action, "field"));
    const char *file = json_string_value(json_object_get(command, "filename"));
    buf[0] = 0;
    if (kind && field.data) {
        snprintf(buf, cap, " %s \"%.*s\"", kind, (int)field.size, field.data);
    } else if (file) {
        snprintf(buf, cap, " %s", file);
    }
}

static void report(const struct spec_script *script, const json_t *command,
                   const struct spec_outcome *outcome)
{
    static const char *const words[] = {"pass", "FAIL", "skip"};
    bool verbose = script->ctx->verbose;
    if (!verbose && (outcome->verdict != SPEC_FAIL || outcome->consequence)) {
        return;
    }
    char about[256];
    const char *type = json_string_value(json_object_get(command, "type"));
    describe(command, about, sizeof about);
    printf("%s %s:%lld: %s%s%s%s\n", words[outcome->verdict], script->path,
           (long long)json_integer_value(json_object_get(command, "line")), type ? type : "?",
           about, outcome->text[0] ? ": " : "", outcome->text);
}

void spec_script_commands(struct spec_script *script, const json_t *commands)
{
    size_t consequences = 0;
    struct spec_outcome outcome;
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *command = json_array_get(commands, i);
        long line = (long)json_integer_value(json_object_get(command, "line"));
        const char *reason = spec_skip_list_find(&script->ctx->skips, script->path, line);
        script->line = line;
        spec_crash_place(script->path, line);
        memset(&outcome, 0, sizeof outcome);
        if (reason) {
            spec_skip(&outcome, "skip list: %s", reason);
        } else {
            spec_command_run(script, command, &outcome);
        }
        spec_tally_add(&script->tally, &outcome);
        report(script, command, &outcome);
        consequences += outcome.consequence;
    }
    if (consequences && !script->ctx->verbose) {
        printf("FAIL %s: %zu more commands failed because a module above failed (-v shows them)\n",
               script->path, consequences);
    }
}

bool spec_script_run(struct spec_context *ctx, const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    const json_t *commands = json_object_get(root, "commands");
    if (!root || !json_is_array(commands)) {
        fprintf(stderr, "wasm-spectest: %s: %s\n", path, root ? "no list of commands" : error.text);
        json_decref(root);
        return false;
    }
    const char *slash = strrchr(path, '/');
    char *dir = spec_strdup(path);
    dir[slash ? slash - path + 1 : 0] = 0;
    struct spec_script script = {
        .ctx = ctx, .path = path, .dir = dir, .engine = wr_engine_new(NULL)};
    if (script.engine) {
        wr_engine_set_features(script.engine, features_of(path));
    } else {
        fputs("wasm-spectest: cannot make an engine\n", stderr);
    }
    bool good = script.engine && spec_script_setup(&script);
    if (good) {
        spec_script_commands(&script, commands);
    }
    spec_script_teardown(&script);
    spec_tally_merge(&ctx->tally, &script.tally);
    fflush(stdout);
    wr_engine_delete(script.engine);
    free(dir);
    json_decref(root);
    return good;
}
