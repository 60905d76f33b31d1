/* SPDX-License-Identifier: Apache-2.0 */
/* command.c - one function for each command of the scripts, found through one table. */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- loading */

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    uint8_t *bytes = NULL;
    size_t cap = 0;
    *size = 0;
    while (file) {
        if (*size == cap) {
            cap = cap ? cap * 2 : 1u << 14;
            bytes = spec_realloc(bytes, cap);
        }
        size_t got = fread(bytes + *size, 1, cap - *size, file);
        if (!got) {
            break;
        }
        *size += got;
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

/* How far a module got. */
struct attempt {
    wr_module_t *module;
    wr_instance_t *instance;
    wr_status_t status;
    wr_error_t err;
};

/*
 * Loads the command's module. False when `out` holds a verdict already (a text module, no file).
 * A loaded module belongs to the script.
 */
static bool load(struct spec_script *script, const json_t *command, struct attempt *attempt,
                 struct spec_outcome *out)
{
    const char *form = json_string_value(json_object_get(command, "module_type"));
    const char *filename = json_string_value(json_object_get(command, "filename"));
    if (form && strcmp(form, "text") == 0) {
        spec_skip(out, "text format module (no text parser)");
        return false;
    }
    if (!filename) {
        spec_fail(out, "command without a filename");
        return false;
    }
    size_t path_cap = strlen(script->dir) + strlen(filename) + 1;
    char *path = spec_realloc(NULL, path_cap);
    snprintf(path, path_cap, "%s%s", script->dir, filename);
    size_t size = 0;
    uint8_t *bytes = read_file(path, &size);
    free(path);
    if (!bytes) {
        spec_fail(out, "cannot read %s: %s", filename, strerror(errno));
        return false;
    }
    /* An exact copy, so that a read past the end is a fault under the sanitizers. */
    uint8_t *exact = spec_realloc(NULL, size);
    memcpy(exact, bytes, size);
    free(bytes);
    attempt->status = wr_module_new(script->engine, exact, size, &attempt->module, &attempt->err);
    free(exact);
    if (attempt->status == WR_OK) {
        if (script->module_count == script->module_cap) {
            script->module_cap = script->module_cap ? script->module_cap * 2 : 16;
            script->modules =
                spec_realloc(script->modules, script->module_cap * sizeof script->modules[0]);
        }
        script->modules[script->module_count++] = attempt->module;
    }
    return true;
}

/* True when the module imports from a registered instance that was skipped or failed. */
static bool imports_block(struct spec_script *script, const wr_module_t *module,
                          struct spec_outcome *out)
{
    wr_importtype_t import;
    for (size_t i = 0; wr_module_import(module, i, &import); i++) {
        json_t *name = json_stringn_nocheck(import.module.data, import.module.size);
        const struct spec_item *item = spec_items_find(&script->registered, name);
        json_decref(name);
        if (item && spec_item_blocks(item, out)) {
            return true;
        }
    }
    return false;
}

/* False when `out` holds a verdict already. */
static bool instantiate(struct spec_script *script, const wr_module_t *module,
                        struct attempt *attempt, struct spec_outcome *out)
{
    if (imports_block(script, module, out)) {
        return false;
    }
    wr_exec_t *exec = spec_script_exec(script, out);
    if (!exec) {
        return false;
    }
    attempt->status = wr_linker_instantiate(script->linker, script->store, module, exec,
                                            &attempt->instance, &attempt->err);
    if (spec_script_exec_done(script)) {
        spec_fail(out, "start function hung: cancelled by the watchdog");
        return false;
    }
    return true;
}

/* Gives an item the state that a verdict stands for. */
static void settle(struct spec_item *item, const struct spec_outcome *out)
{
    if (out->verdict == SPEC_PASS) {
        item->state = SPEC_READY;
        return;
    }
    item->state = out->verdict == SPEC_SKIP ? SPEC_SKIPPED : SPEC_BROKEN;
    item->reason = spec_strdup(out->text);
}

/* ---------------------------------------------------------------- modules */

static struct spec_item *define(struct spec_script *script, const json_t *command,
                                struct spec_outcome *out)
{
    struct attempt attempt = {0};
    if (load(script, command, &attempt, out)) {
        if (attempt.status == WR_OK) {
            spec_pass(out);
        } else {
            spec_wrong_status(out, "a valid module", attempt.status, &attempt.err);
        }
    }
    struct spec_item *item = spec_items_add(&script->definitions, json_object_get(command, "name"));
    item->module = attempt.module;
    settle(item, out);
    return item;
}

static void make_instance(struct spec_script *script, const json_t *name,
                          const struct spec_item *definition, struct spec_outcome *out)
{
    struct attempt attempt = {0};
    if (!spec_item_blocks(definition, out) &&
        instantiate(script, definition->module, &attempt, out)) {
        if (attempt.status == WR_OK) {
            spec_pass(out);
        } else {
            spec_wrong_status(out, "an instance", attempt.status, &attempt.err);
        }
    }
    struct spec_item *item = spec_items_add(&script->instances, name);
    item->instance = attempt.instance;
    settle(item, out);
}

static void do_definition(struct spec_script *script, const json_t *command,
                          struct spec_outcome *out)
{
    (void)define(script, command, out);
}

static void do_module(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    const struct spec_item *definition = define(script, command, out);
    struct spec_outcome verdict = *out;
    make_instance(script, json_object_get(command, "name"), definition, out);
    if (verdict.verdict != SPEC_PASS) {
        *out = verdict; /* the module's own verdict, not "depends on itself" */
    }
}

static void do_instance(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    const struct spec_item *definition =
        spec_items_find(&script->definitions, json_object_get(command, "module"));
    make_instance(script, json_object_get(command, "instance"), definition, out);
}

static void do_register(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    const json_t *as = json_object_get(command, "as");
    const struct spec_item *instance =
        spec_items_find(&script->instances, json_object_get(command, "name"));
    if (!spec_item_blocks(instance, out)) {
        wr_error_t err = {0};
        wr_name_t name = spec_json_name(as);
        wr_status_t status =
            instance->instance
                ? wr_linker_define_instance(script->linker, name, instance->instance, &err)
                : spec_shared_define(script, name, instance, &err);
        if (status == WR_OK) {
            spec_pass(out);
        } else {
            spec_wrong_status(out, "a registration", status, &err);
        }
    }
    settle(spec_items_add(&script->registered, as), out);
}

/* ---------------------------------------------------------------- actions */

/* A bare action is there for what it changes: without it the instance says nothing any more. */
static void do_action(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    struct spec_result result;
    const json_t *action = json_object_get(command, "action");
    if (!spec_action_perform(script, action, &result, out)) {
        return;
    }
    if (result.status == WR_OK) {
        spec_pass(out);
        return;
    }
    spec_wrong_status(out, "a return", result.status, &result.err);
    struct spec_item *item = spec_items_find(&script->instances, json_object_get(action, "module"));
    if (out->verdict == SPEC_SKIP && item && item->state == SPEC_READY) {
        settle(item, out);
    }
}

static void do_return(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    struct spec_result result;
    if (!spec_action_perform(script, json_object_get(command, "action"), &result, out)) {
        return;
    }
    if (result.status == WR_OK) {
        spec_result_check(&result, json_object_get(command, "expected"), out);
    } else {
        spec_wrong_status(out, "a return", result.status, &result.err);
    }
}

/* The script's text may be longer ("uninitialized element 2") or shorter than the engine's. */
static bool same_start(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    return strncmp(a, b, a_len < b_len ? a_len : b_len) == 0 && a_len && b_len;
}

static void check_trap(const json_t *command, wr_status_t status, const wr_error_t *err,
                       struct spec_outcome *out)
{
    const char *text = json_string_value(json_object_get(command, "text"));
    char expected[160];
    snprintf(expected, sizeof expected, "trap \"%.120s\"", text ? text : "");
    if (status == WR_TRAP && err->trap && text && same_start(err->trap, text)) {
        spec_pass(out);
    } else {
        spec_wrong_status(out, expected, status, err);
    }
}

static void do_trap(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    struct spec_result result;
    if (spec_action_perform(script, json_object_get(command, "action"), &result, out)) {
        check_trap(command, result.status, &result.err, out);
    }
}

static void do_exception(struct spec_script *script, const json_t *command,
                         struct spec_outcome *out)
{
    struct spec_result result;
    if (!spec_action_perform(script, json_object_get(command, "action"), &result, out)) {
        return;
    }
    if (result.status == WR_EXCEPTION) {
        spec_pass(out);
    } else {
        spec_wrong_status(out, "an uncaught exception", result.status, &result.err);
    }
}

/* ---------------------------------------------------------------- refused modules */

/* The class decides; a message that differs from the reference interpreter's is only noted. */
static void check_refusal(const json_t *command, const char *expected, const wr_error_t *err,
                          struct spec_outcome *out)
{
    const char *text = json_string_value(json_object_get(command, "text"));
    if (text && !same_start(err->text, text) && !strstr(err->text, text)) {
        spec_note(out, "note: %s message \"%s\", the spec says \"%s\"", expected, err->text, text);
    } else {
        spec_pass(out);
    }
}

static void expect_refusal(struct spec_script *script, const json_t *command, wr_status_t wanted,
                           struct spec_outcome *out)
{
    struct attempt attempt = {0};
    if (!load(script, command, &attempt, out)) {
        return;
    }
    if (attempt.status == wanted) {
        check_refusal(command, wr_status_name(wanted), &attempt.err, out);
        return;
    }
    char expected[200];
    const char *text = json_string_value(json_object_get(command, "text"));
    snprintf(expected, sizeof expected, "%s \"%.120s\"", wr_status_name(wanted), text ? text : "");
    spec_wrong_status(out, expected, attempt.status, &attempt.err);
}

static void do_invalid(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    expect_refusal(script, command, WR_INVALID, out);
}

static void do_malformed(struct spec_script *script, const json_t *command,
                         struct spec_outcome *out)
{
    expect_refusal(script, command, WR_MALFORMED, out);
}

/* Loads and instantiates a module that must load; false when `out` holds a verdict. */
static bool try_instance(struct spec_script *script, const json_t *command, struct attempt *attempt,
                         struct spec_outcome *out)
{
    if (!load(script, command, attempt, out)) {
        return false;
    }
    if (attempt->status != WR_OK) {
        spec_wrong_status(out, "a valid module", attempt->status, &attempt->err);
        return false;
    }
    return instantiate(script, attempt->module, attempt, out);
}

static void do_unlinkable(struct spec_script *script, const json_t *command,
                          struct spec_outcome *out)
{
    struct attempt attempt = {0};
    if (!try_instance(script, command, &attempt, out)) {
        return;
    }
    if (attempt.status == WR_LINK) {
        check_refusal(command, wr_status_name(WR_LINK), &attempt.err, out);
    } else {
        spec_wrong_status(out, "a link error", attempt.status, &attempt.err);
    }
}

static void do_uninstantiable(struct spec_script *script, const json_t *command,
                              struct spec_outcome *out)
{
    struct attempt attempt = {0};
    if (try_instance(script, command, &attempt, out)) {
        check_trap(command, attempt.status, &attempt.err, out);
    }
}

/* ---------------------------------------------------------------- not yet */

static void do_custom(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    (void)script;
    (void)command;
    spec_skip(out, "contents of custom sections are not checked");
}

/* ---------------------------------------------------------------- dispatch */

struct command_kind {
    const char *name;
    void (*run)(struct spec_script *script, const json_t *command, struct spec_outcome *out);
};

static const struct command_kind command_kinds[] = {
    {"module", do_module},
    {"module_definition", do_definition},
    {"module_instance", do_instance},
    {"register", do_register},
    {"action", do_action},
    {"assert_return", do_return},
    {"assert_trap", do_trap},
    {"assert_exhaustion", do_trap},
    {"assert_exception", do_exception},
    {"assert_invalid", do_invalid},
    {"assert_malformed", do_malformed},
    {"assert_unlinkable", do_unlinkable},
    {"assert_uninstantiable", do_uninstantiable},
    {"assert_invalid_custom", do_custom},
    {"assert_malformed_custom", do_custom},
    {"thread", spec_thread_start},
    {"wait", spec_thread_wait},
};

void spec_command_run(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    const char *type = json_string_value(json_object_get(command, "type"));
    for (size_t i = 0; type && i < sizeof command_kinds / sizeof command_kinds[0]; i++) {
        if (strcmp(command_kinds[i].name, type) == 0) {
            command_kinds[i].run(script, command, out);
            return;
        }
    }
    spec_fail(out, "unknown command \"%s\"", type ? type : "");
}
