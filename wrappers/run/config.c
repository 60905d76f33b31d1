/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - --config: options from a JSON file, by the same table as those of the command line. */
#include "run/options.h"

#include "common/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 1 << 20 };

struct wrap_configs {
    json_t *root;
    struct wrap_configs *next;
};

/** One file being read. */
struct reader {
    struct wrap_run_options *run;
    const struct wrap_command *command;
    const char *path;
    wrap_apply_fn apply;
    json_t *made; /* texts of numbers: options keep pointers to them */
};

void wrap_configs_free(struct wrap_configs *configs)
{
    while (configs) {
        struct wrap_configs *next = configs->next;
        json_decref(configs->root);
        free(configs);
        configs = next;
    }
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {"an object", "an array", "a string", "a number",
                                        "a number",  "true",     "false",    "null"};
    return names[json_typeof(value)];
}

static bool wrong(const struct reader *reader, const char *key, const char *what,
                  const json_t *value)
{
    wrap_say("--config: %s: \"%s\" must be %s, not %s", reader->path, key, what, type_name(value));
    return false;
}

/* The shortest text that is this number. */
static json_t *shortest(double value)
{
    enum { LEAST = 6, MOST = 17 }; /* digits: the last is always enough */
    char text[32];
    for (int digits = LEAST; digits <= MOST; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    if (strstr(text, "e+") && value < 1e17 && value > -1e17) { /* options know no exponents */
        snprintf(text, sizeof text, "%.0f", value);
    }
    return json_string(text);
}

/* The text that would stand on the command line; NULL: it is of another type. */
static const char *text_of(const struct reader *reader, json_t *value)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (!json_is_number(value)) {
        return NULL;
    }
    json_t *text = json_is_integer(value)
                       ? json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                       : shortest(json_real_value(value));
    return json_array_append_new(reader->made, text) == 0 ? json_string_value(text) : NULL;
}

static bool take_value(const struct reader *reader, const struct wrap_option *option, json_t *value)
{
    const char *text = text_of(reader, value);
    if (!text) {
        return wrong(reader, option->name, "a string, a number or an array of them", value);
    }
    if (reader->apply(reader->run, option->id, text)) {
        return true;
    }
    wrap_say("--config: %s: \"%s\" is wrong", reader->path, option->name);
    return false;
}

static bool take_option(const struct reader *reader, const struct wrap_option *option,
                        json_t *value)
{
    if (!option->value) {
        if (!json_is_true(value)) { /* what is on already can't be turned off */
            return wrong(reader, option->name, "true, or left out", value);
        }
        return reader->apply(reader->run, option->id, NULL);
    }
    if (!json_is_array(value)) {
        return take_value(reader, option, value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!take_value(reader, option, json_array_get(value, i))) {
            return false;
        }
    }
    return true;
}

/* "env": {"K": "V"} */
static bool take_env(const struct reader *reader, json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        const char *text = text_of(reader, value);
        if (!text || strchr(key, '=')) {
            return wrong(reader, key, "a variable with a string or a number", value);
        }
        json_t *joined = json_sprintf("%s=%s", key, text);
        bool good = joined && wrap_env_add(reader->run, "env", json_string_value(joined));
        json_decref(joined);
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool take_args(const struct reader *reader, json_t *value)
{
    struct wrap_run_options *run = reader->run;
    if (!json_is_array(value)) {
        return wrong(reader, "args", "an array of strings", value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = text_of(reader, json_array_get(value, i));
        if (!text) {
            return wrong(reader, "args", "an array of strings", json_array_get(value, i));
        }
        if (!wrap_list_add(&run->args, &run->arg_count, text)) {
            return false;
        }
    }
    return true;
}

static bool take_member(const struct reader *reader, const char *key, json_t *value)
{
    if (strcmp(key, "module") == 0) {
        reader->run->file = json_string_value(value);
        return json_is_string(value) || wrong(reader, key, "a string", value);
    }
    if (strcmp(key, "args") == 0) {
        return take_args(reader, value);
    }
    if (strcmp(key, "env") == 0 && json_is_object(value)) {
        return take_env(reader, value);
    }
    const struct wrap_option *option = wrap_opts_find(reader->command, key);
    if (!option || option->id >= WRAP_OPT_HELP) {
        wrap_say("--config: %s: there is no \"%s\"%s", reader->path, key,
                 option ? " in a file" : "");
        return false;
    }
    return take_option(reader, option, value);
}

/* Keeps `root`, which from then on is freed with the options. NULL: out of memory. */
static json_t *keep(struct wrap_run_options *run, json_t *root)
{
    struct wrap_configs *entry = root ? malloc(sizeof *entry) : NULL;
    if (!entry) {
        json_decref(root);
        wrap_say("out of memory");
        return NULL;
    }
    *entry = (struct wrap_configs){.root = root, .next = run->configs};
    run->configs = entry;
    return root;
}

bool wrap_config_apply(struct wrap_run_options *run, const struct wrap_command *command,
                       const char *path, wrap_apply_fn apply)
{
    size_t size = 0;
    json_error_t error;
    char *text = wrap_file_read("config", path, CONFIG_MAX, &size);
    if (!text) {
        return false;
    }
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!root) {
        wrap_say("--config: %s: line %d: %s", path, error.line, error.text);
        return false;
    }
    struct reader reader = {.run = run, .command = command, .path = path, .apply = apply};
    root = keep(run, root);
    reader.made = root ? keep(run, json_array()) : NULL;
    if (!reader.made) {
        return false;
    }
    if (!json_is_object(root)) {
        wrap_say("--config: %s: not an object but %s", path, type_name(root));
        return false;
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(root, key, value)
    {
        if (!take_member(&reader, key, value)) {
            return false;
        }
    }
    return true;
}
