/* SPDX-License-Identifier: Apache-2.0 */
/* action.c - invoke and get actions: finding the export, calling it, judging what it gave. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "unsupported instruction: i8x16.add" without the place it stands at. */
static void skip_unsupported(struct spec_outcome *out, const char *text)
{
    static const char *const places[] = {" (", ", ", " at "};
    const char *start = strstr(text, "unsupported");
    if (!start) {
        start = text;
    }
    size_t length = strlen(start);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *cut = strstr(start, places[i]);
        if (cut && (size_t)(cut - start) < length) {
            length = (size_t)(cut - start);
        }
    }
    spec_skip(out, "%.*s", (int)length, start);
}

void spec_wrong_status(struct spec_outcome *out, const char *expected, wr_status_t status,
                       const wr_error_t *err)
{
    bool unsupported_call =
        status == WR_TRAP && err->trap && strcmp(err->trap, "unsupported instruction") == 0;
    /* What this build lacks is skipped; a script's own set of features has all that it needs. */
    bool lacking = status == WR_UNSUPPORTED && !strstr(err->text, "needs feature");
    if (lacking || unsupported_call) {
        skip_unsupported(out, err->text);
    } else if (status == WR_OK) {
        spec_fail(out, "expected %s, got success", expected);
    } else if (status == WR_TRAP) {
        spec_fail(out, "expected %s, got trap \"%s\"", expected, err->trap ? err->trap : err->text);
    } else {
        spec_fail(out, "expected %s, got %s: %s", expected, wr_status_name(status), err->text);
    }
}

bool spec_item_blocks(const struct spec_item *item, struct spec_outcome *out)
{
    if (!item) {
        spec_fail(out, "no such module or instance in the script");
        return true;
    }
    if (item->state == SPEC_SKIPPED) {
        spec_skip(out, "%s", item->reason);
        return true;
    }
    if (item->state == SPEC_BROKEN) {
        spec_fail(out, "depends on a module that failed: %s", item->reason);
        out->consequence = true;
        return true;
    }
    return false;
}

static bool find_export(struct spec_script *script, const json_t *action, wr_extern_t *item,
                        struct spec_outcome *out)
{
    const struct spec_item *instance =
        spec_items_find(&script->instances, json_object_get(action, "module"));
    if (spec_item_blocks(instance, out)) {
        return false;
    }
    if (!instance->instance) {
        spec_fail(out, "the instance is another thread's");
        return false;
    }
    wr_name_t field = spec_json_name(json_object_get(action, "field"));
    if (!field.data || !wr_instance_export(instance->instance, field, item)) {
        spec_fail(out, "no export named \"%.*s\"", (int)field.size, field.data ? field.data : "");
        return false;
    }
    return true;
}

/* Runs a started call to its end, however often it stops on the way. */
static wr_status_t run_to_end(wr_exec_t *exec, wr_error_t *err)
{
    wr_status_t status = WR_YIELD;
    while (status == WR_YIELD) {
        status = wr_exec_run(exec, err);
    }
    return status;
}

static bool call(struct spec_script *script, wr_func_t *func, const json_t *args,
                 struct spec_result *result, struct spec_outcome *out)
{
    wr_val_t values[SPEC_MAX_VALUES];
    size_t count = json_array_size(args);
    bool odd = false;
    result->count = wr_func_result_count(func);
    if (count > SPEC_MAX_VALUES || result->count > SPEC_MAX_VALUES) {
        spec_skip(out, "more than %d arguments or results", SPEC_MAX_VALUES);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *why = NULL;
        if (!spec_value_from_json(json_array_get(args, i), &values[i], &why)) {
            spec_skip(out, "%s", why);
            return false;
        }
        odd |= values[i].kind == WR_OTHERREF;
    }
    wr_exec_t *exec = spec_script_exec(script, out);
    if (!exec) {
        return false;
    }
    result->status = wr_exec_start(exec, func, values, count, &result->err);
    if (result->status == WR_ARGUMENT && odd) {
        (void)spec_script_exec_done(script);
        spec_skip(out, "argument of a kind the API cannot express");
        return false;
    }
    if (result->status == WR_OK) {
        result->status = run_to_end(exec, &result->err);
    }
    if (result->status == WR_OK) {
        result->status = wr_exec_results(exec, result->values, result->count);
    }
    if (spec_script_exec_done(script)) {
        spec_fail(out, "hung: cancelled by the watchdog");
        return false;
    }
    return true;
}

bool spec_action_perform(struct spec_script *script, const json_t *action,
                         struct spec_result *result, struct spec_outcome *out)
{
    wr_extern_t item;
    memset(result, 0, sizeof *result);
    if (!find_export(script, action, &item, out)) {
        return false;
    }
    const char *type = json_string_value(json_object_get(action, "type"));
    if (type && strcmp(type, "get") == 0) {
        if (item.kind != WR_EXTERN_GLOBAL) {
            spec_fail(out, "the export is not a global");
            return false;
        }
        wr_global_get(item.of.global, &result->values[0]);
        result->count = 1;
        return true;
    }
    if (!type || strcmp(type, "invoke") != 0 || item.kind != WR_EXTERN_FUNC) {
        spec_fail(out, "the export is not a function");
        return false;
    }
    return call(script, item.of.func, json_object_get(action, "args"), result, out);
}

static void print_values(const struct spec_result *result, char *buf, size_t cap)
{
    size_t at = 0;
    buf[0] = 0;
    for (size_t i = 0; i < result->count && at < cap; i++) {
        char one[128];
        spec_value_print(&result->values[i], one, sizeof one);
        int wrote = snprintf(buf + at, cap - at, "%s%s", i ? " " : "", one);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void fail_values(const struct spec_result *result, const json_t *expected,
                        struct spec_outcome *out)
{
    char got[SPEC_TEXT / 2];
    print_values(result, got, sizeof got);
    char *want = json_dumps(expected, JSON_COMPACT);
    spec_fail(out, "expected %.400s, got [%s]", want ? want : "?", got);
    free(want);
}

void spec_result_check(const struct spec_result *result, const json_t *expected,
                       struct spec_outcome *out)
{
    if (json_array_size(expected) != result->count) {
        fail_values(result, expected, out);
        return;
    }
    bool unsure = false;
    for (size_t i = 0; i < result->count; i++) {
        enum spec_match match = spec_value_match(json_array_get(expected, i), &result->values[i]);
        if (match == SPEC_MISMATCH) {
            fail_values(result, expected, out);
            return;
        }
        unsure |= match == SPEC_CANNOT_TELL;
    }
    if (unsure) {
        spec_skip(out, "result of a kind the API cannot express");
    } else {
        spec_pass(out);
    }
}
