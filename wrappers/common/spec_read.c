/* SPDX-License-Identifier: Apache-2.0 */
/* spec_read.c - the readers of each kind of member. */
#include "common/spec_read.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- errors */

static void write_path(const struct wrap_reader *reader, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < reader->depth && used < size; i++) {
        const struct wrap_read_step *step = &reader->path[i];
        used += (size_t)snprintf(out + used, size - used, "%s%.80s", i ? "." : "", step->name);
        if (step->index != SIZE_MAX && used < size) {
            used += (size_t)snprintf(out + used, size - used, "[%zu]", step->index);
        }
    }
}

static bool vfail(struct wrap_reader *reader, const char *name, const char *format, va_list args)
{
    char path[256];
    char what[200];
    write_path(reader, path, sizeof path);
    vsnprintf(what, sizeof what, format, args);
    return wrap_fail(reader->err, WRAP_INVALID_ARGUMENT, "%s%s%s: %s", path,
                     path[0] && name ? "." : "", name ? name : "", what);
}

bool wrap_read_fail(struct wrap_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfail(reader, NULL, format, args);
    va_end(args);
    return false;
}

bool wrap_read_fail_at(struct wrap_reader *reader, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfail(reader, name, format, args);
    va_end(args);
    return false;
}

bool wrap_read_refuse(struct wrap_reader *reader)
{
    char path[256];
    if (reader->unsupported) {
        return true;
    }
    write_path(reader, path, sizeof path);
    reader->unsupported = wrap_read_format(reader, "%s", path);
    return reader->unsupported;
}

bool wrap_read_enter(struct wrap_reader *reader, const char *name, size_t index)
{
    if (reader->depth == WRAP_READ_DEPTH) {
        return wrap_read_fail(reader, "nested too deeply");
    }
    reader->path[reader->depth++] = (struct wrap_read_step){name, index};
    return true;
}

void wrap_read_leave(struct wrap_reader *reader) { reader->depth--; }

void *wrap_read_take(struct wrap_reader *reader, size_t count, size_t size)
{
    void *items = wrap_pool_take(reader->pool, count, size);
    if (!items) {
        wrap_fail(reader->err, WRAP_RESOURCE_EXHAUSTED, "no memory for the configuration");
    }
    return items;
}

const char *wrap_read_format(struct wrap_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : wrap_read_take(reader, (size_t)length + 1, 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
    }
    return text;
}

/* ---------------------------------------------------------------- plain values */

int wrap_word_value(const struct wrap_words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i].word, word) == 0) {
            return words->items[i].value;
        }
    }
    return -1;
}

static bool read_text(struct wrap_reader *reader, const json_t *json, const char **out)
{
    *out = json_string_value(json);
    return *out || wrap_read_fail(reader, "not a string");
}

/* A number: its sign and its size. What passes INT64_MAX is a string, see spec.c. */
static bool read_number(const json_t *json, bool *negative, uint64_t *size)
{
    if (json_is_integer(json)) {
        int64_t value = json_integer_value(json);
        *negative = value < 0;
        *size = *negative ? 0 - (uint64_t)value : (uint64_t)value;
        return true;
    }
    const char *text = json_string_value(json);
    char *end = NULL;
    if (!text || text[0] != '\1') {
        return false;
    }
    errno = 0;
    *negative = false;
    *size = strtoull(text + 1, &end, 10);
    return !errno && end != text + 1 && !*end;
}

static bool in_range(const struct wrap_field *field, bool negative, uint64_t size)
{
    if (negative) {
        return field->min < 0 && size <= 0 - (uint64_t)field->min;
    }
    return size <= field->max && (field->min <= 0 || size >= (uint64_t)field->min);
}

static void store_number(const struct wrap_field *field, uint64_t value, void *out)
{
    uint16_t narrow = (uint16_t)value;
    uint32_t half = (uint32_t)value;
    struct wrap_maybe maybe = {true, (int64_t)value};
    switch (field->kind) {
    case WRAP_FIELD_U16: memcpy(out, &narrow, sizeof narrow); break;
    case WRAP_FIELD_INT:
    case WRAP_FIELD_U32: memcpy(out, &half, sizeof half); break;
    case WRAP_FIELD_MAYBE: memcpy(out, &maybe, sizeof maybe); break;
    case WRAP_FIELD_MAYBE_NZ:
        maybe.given = value != 0;
        memcpy(out, &maybe, sizeof maybe);
        break;
    default: memcpy(out, &value, sizeof value); break;
    }
}

static bool read_field_number(struct wrap_reader *reader, const json_t *json,
                              const struct wrap_field *field, void *out)
{
    bool negative = false;
    uint64_t size = 0;
    if (!read_number(json, &negative, &size) || !in_range(field, negative, size)) {
        return wrap_read_fail(reader, "not an integer from %" PRId64 " to %" PRIu64, field->min,
                              field->max);
    }
    store_number(field, negative ? 0 - size : size, out);
    return true;
}

/* ---------------------------------------------------------------- many values */

/* A pointer and a count, as each struct with items has them one behind the other. */
static void store_items(void *out, const void *items, size_t count)
{
    memcpy(out, &items, sizeof items);
    memcpy((unsigned char *)out + sizeof items, &count, sizeof count);
}

static bool check_count(struct wrap_reader *reader, size_t count, uint64_t most)
{
    return count <= most || wrap_read_fail(reader, "more than %" PRIu64 " items", most);
}

static bool read_list(struct wrap_reader *reader, const json_t *json, uint64_t most, void *out)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        return wrap_read_fail(reader, "not an array of strings");
    }
    if (!check_count(reader, count, most)) {
        return false;
    }
    const char **items = wrap_read_take(reader, count, sizeof items[0]);
    if (!items) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = json_string_value(json_array_get(json, i));
        if (!items[i]) {
            reader->path[reader->depth - 1].index = i;
            return wrap_read_fail(reader, "not a string");
        }
    }
    store_items(out, items, count);
    return true;
}

static bool read_map(struct wrap_reader *reader, const json_t *json, uint64_t most, void *out)
{
    size_t count = json_object_size(json);
    size_t used = 0;
    const char *key = NULL;
    json_t *value = NULL;
    if (!json_is_object(json)) {
        return wrap_read_fail(reader, "not an object");
    }
    if (!check_count(reader, count, most)) {
        return false;
    }
    struct wrap_key_value *items = wrap_read_take(reader, count, sizeof items[0]);
    if (!items) {
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        items[used] = (struct wrap_key_value){key, json_string_value(value)};
        if (!items[used++].value) {
            return wrap_read_fail_at(reader, key, "not a string");
        }
    }
    store_items(out, items, used);
    return true;
}

static bool read_items(struct wrap_reader *reader, const json_t *json,
                       const struct wrap_field *field, void *out)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        return wrap_read_fail(reader, "not an array");
    }
    if (!check_count(reader, count, field->max)) {
        return false;
    }
    unsigned char *items = wrap_read_take(reader, count, field->shape->size);
    if (!items) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        reader->path[reader->depth - 1].index = i;
        if (!wrap_read_object(reader, json_array_get(json, i), field->shape,
                              items + i * field->shape->size)) {
            return false;
        }
    }
    reader->path[reader->depth - 1].index = SIZE_MAX;
    store_items(out, items, count);
    return true;
}

/* ---------------------------------------------------------------- members */

static bool is_empty(const json_t *json)
{
    return json_is_false(json) || (json_is_array(json) && !json_array_size(json)) ||
           (json_is_object(json) && !json_object_size(json)) ||
           (json_is_string(json) && !json_string_length(json)) ||
           (json_is_integer(json) && !json_integer_value(json));
}

static bool read_word(struct wrap_reader *reader, const json_t *json,
                      const struct wrap_field *field, void *out)
{
    const char *word = NULL;
    if (!read_text(reader, json, &word)) {
        return false;
    }
    int value = wrap_word_value(field->words, word);
    memcpy(out, &value, sizeof value);
    return value >= 0 || wrap_read_fail(reader, "unknown '%.60s'", word);
}

static bool read_field_text(struct wrap_reader *reader, const json_t *json,
                            const struct wrap_field *field, void *out)
{
    const char *text = NULL;
    if (!read_text(reader, json, &text)) {
        return false;
    }
    if (field->required && !text[0]) {
        return wrap_read_fail(reader, "is empty");
    }
    if (field->kind == WRAP_FIELD_PATH && text[0] && text[0] != '/') {
        return wrap_read_fail(reader, "not an absolute path");
    }
    if (field->kind == WRAP_FIELD_TEXT_IF && !text[0]) {
        text = NULL;
    }
    memcpy(out, &text, sizeof text);
    return true;
}

static bool read_bool(struct wrap_reader *reader, const json_t *json, void *out)
{
    bool value = json_is_true(json);
    memcpy(out, &value, sizeof value);
    return json_is_boolean(json) || wrap_read_fail(reader, "not true or false");
}

static bool read_field(struct wrap_reader *reader, const json_t *json,
                       const struct wrap_field *field, void *out)
{
    switch (field->kind) {
    case WRAP_FIELD_BOOL: return read_bool(reader, json, out);
    case WRAP_FIELD_TEXT:
    case WRAP_FIELD_TEXT_IF:
    case WRAP_FIELD_PATH: return read_field_text(reader, json, field, out);
    case WRAP_FIELD_LIST: return read_list(reader, json, field->max, out);
    case WRAP_FIELD_MAP: return read_map(reader, json, field->max, out);
    case WRAP_FIELD_WORD: return read_word(reader, json, field, out);
    case WRAP_FIELD_OBJECT: return wrap_read_object(reader, json, field->shape, out);
    case WRAP_FIELD_ITEMS: return read_items(reader, json, field, out);
    case WRAP_FIELD_CALL: return field->read(reader, json, out);
    case WRAP_FIELD_REFUSED: return is_empty(json) || wrap_read_refuse(reader);
    default: return read_field_number(reader, json, field, out);
    }
}

/* What a member is when it is not given; all else is zero already. */
static bool set_default(struct wrap_reader *reader, const struct wrap_field *field, void *out)
{
    static const char *const empty = "";
    switch (field->kind) {
    case WRAP_FIELD_TEXT:
    case WRAP_FIELD_PATH: memcpy(out, &empty, sizeof empty); return true;
    case WRAP_FIELD_OBJECT: return wrap_read_object(reader, NULL, field->shape, out);
    case WRAP_FIELD_U16:
    case WRAP_FIELD_U32:
    case WRAP_FIELD_INT:
    case WRAP_FIELD_I64:
    case WRAP_FIELD_U64: store_number(field, (uint64_t)field->otherwise, out); return true;
    default: return true;
    }
}

bool wrap_read_object(struct wrap_reader *reader, const json_t *json,
                      const struct wrap_shape *shape, void *out)
{
    if (json && !json_is_object(json)) {
        return wrap_read_fail(reader, "not an object");
    }
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct wrap_field *field = &shape->fields[i];
        void *place = (unsigned char *)out + field->offset;
        const json_t *member = json ? json_object_get(json, field->name) : NULL;
        if (!wrap_read_enter(reader, field->name, SIZE_MAX)) {
            return false;
        }
        bool given = member && !json_is_null(member);
        if (!given && json && field->required) {
            return wrap_read_fail(reader, "missing");
        }
        bool good =
            given ? read_field(reader, member, field, place) : set_default(reader, field, place);
        if (!good) {
            return false;
        }
        wrap_read_leave(reader);
    }
    return !json || !shape->check || shape->check(reader, out);
}
