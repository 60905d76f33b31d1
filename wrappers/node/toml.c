/* SPDX-License-Identifier: Apache-2.0 */
/* toml.c - lines of a TOML file: tables, keys, comments. Not here: values (toml_value.c). */
#include "node/toml.h"

#include "common/json.h"
#include "node/toml_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wrap_toml_bad(struct wrap_toml_reader *in, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return wrap_fail(in->err, WRAP_INVALID_ARGUMENT, "line %u: %s", in->line, text);
}

struct wrap_toml *wrap_toml_add(struct wrap_toml_reader *in, struct wrap_toml *parent, char *key,
                                size_t key_size)
{
    struct wrap_toml *node = in->nodes < WRAP_TOML_NODES_MAX ? calloc(1, sizeof *node) : NULL;
    if (!node) {
        free(key);
        wrap_fail(in->err, WRAP_RESOURCE_EXHAUSTED, "line %u: more than %d keys and values",
                  in->line, WRAP_TOML_NODES_MAX);
        return NULL;
    }
    in->nodes++;
    *node = (struct wrap_toml){.key = key, .key_size = key_size, .line = in->line};
    if (parent && parent->last) {
        parent->last->next = node;
    } else if (parent) {
        parent->first = node;
    }
    if (parent) parent->last = node;
    return node;
}

/* Depth is that of the file, which is limited: by DEPTH_MAX for each key and each nested value. */
void wrap_toml_free(struct wrap_toml *root)
{
    while (root) {
        struct wrap_toml *next = root->next;
        wrap_toml_free(root->first);
        free(root->key);
        free(root->text);
        free(root);
        root = next;
    }
}

/* ---------------------------------------------------------------- looking up */

static struct wrap_toml *child(const struct wrap_toml *table, const char *key, size_t size)
{
    if (table && table->kind == WRAP_TOML_TABLES) {
        table = table->last;
    }
    if (!table || table->kind != WRAP_TOML_TABLE) return NULL;
    for (struct wrap_toml *at = table->first; at; at = at->next) {
        if (at->key_size == size && memcmp(at->key, key, size) == 0) return at;
    }
    return NULL;
}

const struct wrap_toml *wrap_toml_get(const struct wrap_toml *table, const char *key)
{
    return child(table, key, strlen(key));
}

const struct wrap_toml *wrap_toml_find(const struct wrap_toml *root, const char *const *path)
{
    while (root && *path) {
        root = wrap_toml_get(root, *path++);
    }
    return root;
}

bool wrap_toml_is(const struct wrap_toml *value, const char *text)
{
    return value && value->kind == WRAP_TOML_STRING && value->text_size == strlen(text) &&
           memcmp(value->text, text, value->text_size) == 0;
}

/* ---------------------------------------------------------------- between words */

void wrap_toml_blanks(struct wrap_toml_reader *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t')) {
        in->at++;
    }
}

bool wrap_toml_newline(struct wrap_toml_reader *in)
{
    size_t left = (size_t)(in->end - in->at);
    size_t size = left && in->at[0] == '\n'                    ? 1
                  : left > 1 && memcmp(in->at, "\r\n", 2) == 0 ? 2
                                                               : 0;
    in->at += size;
    in->line += size > 0;
    return size > 0;
}

bool wrap_toml_comment(struct wrap_toml_reader *in)
{
    if (in->at == in->end || *in->at != '#') return true;
    for (; in->at < in->end && *in->at != '\n'; in->at++) {
        unsigned char c = (unsigned char)*in->at;
        bool ends = c == '\r' && in->at + 1 < in->end && in->at[1] == '\n';
        if (ends) break;
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return wrap_toml_bad(in, "a control character in a comment");
        }
    }
    return true;
}

bool wrap_toml_space(struct wrap_toml_reader *in)
{
    do {
        wrap_toml_blanks(in);
        if (!wrap_toml_comment(in)) return false;
    } while (wrap_toml_newline(in));
    return true;
}

/* ---------------------------------------------------------------- keys */

struct keys {
    size_t count;
    char *text[WRAP_TOML_DEPTH_MAX];
    size_t size[WRAP_TOML_DEPTH_MAX];
};

static void free_keys(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->text[i]);
    }
    keys->count = 0;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool simple_key(struct wrap_toml_reader *in, char **text, size_t *size)
{
    if (in->at < in->end && (*in->at == '"' || *in->at == '\'')) {
        return wrap_toml_string(in, false, text, size);
    }
    const char *from = in->at;
    while (in->at < in->end && is_bare(*in->at)) {
        in->at++;
    }
    *size = (size_t)(in->at - from);
    if (*size == 0) return wrap_toml_bad(in, "a key is missing");
    *text = strndup(from, *size);
    return *text || wrap_toml_bad(in, "no memory");
}

/* a . "b" . c */
static bool dotted_key(struct wrap_toml_reader *in, struct keys *keys)
{
    for (;;) {
        if (keys->count == WRAP_TOML_DEPTH_MAX) {
            return wrap_toml_bad(in, "a key of more than %d parts", WRAP_TOML_DEPTH_MAX);
        }
        wrap_toml_blanks(in);
        if (!simple_key(in, &keys->text[keys->count], &keys->size[keys->count])) return false;
        keys->count++;
        wrap_toml_blanks(in);
        if (in->at == in->end || *in->at != '.') return true;
        in->at++;
    }
}

/* The child `i` of the keys, made when it is missing. */
static struct wrap_toml *enter(struct wrap_toml_reader *in, struct wrap_toml *table,
                               struct keys *keys, size_t i)
{
    struct wrap_toml *found = child(table, keys->text[i], keys->size[i]);
    if (found) return found;
    char *key = keys->text[i];
    keys->text[i] = NULL;
    if (table->kind == WRAP_TOML_TABLES) {
        table = table->last;
    }
    return wrap_toml_add(in, table, key, keys->size[i]);
}

static bool doubled(struct wrap_toml_reader *in, const struct keys *keys, size_t i,
                    const struct wrap_toml *first)
{
    return wrap_toml_bad(in, "'%.60s' is defined already, in line %u",
                         keys->text[i] ? keys->text[i] : "", first->line);
}

static bool pair(struct wrap_toml_reader *in, struct wrap_toml *table, struct keys *keys,
                 unsigned depth)
{
    if (!dotted_key(in, keys)) return false;
    size_t last = keys->count - 1;
    for (size_t i = 0; i < last; i++) {
        struct wrap_toml *next = enter(in, table, keys, i);
        if (!next) return false;
        if (next->kind != WRAP_TOML_TABLE || next->closed || next->headed) {
            return doubled(in, keys, i, next);
        }
        next->named = true;
        table = next;
    }
    const struct wrap_toml *there = child(table, keys->text[last], keys->size[last]);
    if (there) return doubled(in, keys, last, there);
    if (in->at == in->end || *in->at != '=') return wrap_toml_bad(in, "'=' is missing");
    in->at++;
    wrap_toml_blanks(in);
    struct wrap_toml *value = enter(in, table, keys, last);
    return value && wrap_toml_value(in, value, depth);
}

bool wrap_toml_pair(struct wrap_toml_reader *in, struct wrap_toml *table, unsigned depth)
{
    struct keys keys = {0};
    bool good = pair(in, table, &keys, depth);
    free_keys(&keys);
    return good;
}

/* ---------------------------------------------------------------- tables */

/* What the keys of a header name; all but the last may have been there before. */
static struct wrap_toml *open_table(struct wrap_toml_reader *in, struct wrap_toml *table,
                                    struct keys *keys, bool many)
{
    for (size_t i = 0; i < keys->count; i++) {
        struct wrap_toml *next = child(table, keys->text[i], keys->size[i]);
        bool last = i + 1 == keys->count, made = !next;
        if (made) next = enter(in, table, keys, i);
        if (!next) return NULL;
        if (made && last && many) next->kind = WRAP_TOML_TABLES;
        bool fits = next->kind == WRAP_TOML_TABLES ? many || !last
                                                   : next->kind == WRAP_TOML_TABLE && !next->closed;
        if (last && next->kind == WRAP_TOML_TABLE && (next->named || many)) fits = false;
        if (!fits) {
            (void)doubled(in, keys, i, next);
            return NULL;
        }
        table = next;
    }
    if (!many) {
        table->named = table->headed = true;
        return table;
    }
    return wrap_toml_add(in, table, NULL, 0);
}

static struct wrap_toml *header(struct wrap_toml_reader *in, struct wrap_toml *root)
{
    struct keys keys = {0};
    struct wrap_toml *table = NULL;
    in->at++;
    bool many = in->at < in->end && *in->at == '[';
    in->at += many;
    size_t left = 0;
    if (dotted_key(in, &keys)) {
        left = (size_t)(in->end - in->at);
        if (left > (size_t)many && in->at[0] == ']' && in->at[many] == ']') {
            in->at += 1 + many;
            table = open_table(in, root, &keys, many);
        } else {
            (void)wrap_toml_bad(in, "the header of a table is not closed");
        }
    }
    free_keys(&keys);
    return table;
}

static bool line(struct wrap_toml_reader *in, struct wrap_toml *root, struct wrap_toml **table)
{
    wrap_toml_blanks(in);
    if (in->at < in->end && *in->at == '[') {
        *table = header(in, root);
        if (!*table) return false;
    } else if (in->at < in->end && !strchr("#\r\n", *in->at)) {
        if (!wrap_toml_pair(in, *table, 0)) return false;
    }
    wrap_toml_blanks(in);
    if (!wrap_toml_comment(in)) return false;
    return wrap_toml_newline(in) || in->at == in->end ||
           wrap_toml_bad(in, "the line goes on where it should end");
}

static bool is_text(struct wrap_toml_reader *in)
{
    const unsigned char *at = (const unsigned char *)in->at;
    size_t left = (size_t)(in->end - in->at);
    for (unsigned number = 1; left > 0;) {
        size_t size = wrap_utf8_sequence(at, left);
        if (size == 0 || *at == 0) {
            in->line = number;
            return wrap_toml_bad(in, "it is not UTF-8 text");
        }
        number += *at == '\n';
        at += size;
        left -= size;
    }
    return true;
}

struct wrap_toml *wrap_toml_read(const char *text, size_t size, struct wrap_error *err)
{
    struct wrap_toml_reader in = {.at = text, .end = text + size, .line = 1, .err = err};
    if (size > WRAP_TOML_BYTES_MAX) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "it has more than %d bytes", WRAP_TOML_BYTES_MAX);
        return NULL;
    }
    struct wrap_toml *root = wrap_toml_add(&in, NULL, NULL, 0);
    struct wrap_toml *table = root;
    bool good = root && is_text(&in);
    while (good && in.at < in.end) {
        good = line(&in, root, &table);
    }
    if (!good) {
        wrap_toml_free(root);
        return NULL;
    }
    return root;
}

size_t wrap_toml_header(const char *text, size_t size, char *parts, size_t parts_size)
{
    struct wrap_error ignored = {0};
    struct wrap_toml_reader in = {.at = text, .end = text + size, .err = &ignored};
    struct keys keys = {0};
    size_t used = 0, count = 0;
    wrap_toml_blanks(&in);
    if (in.at < in.end && *in.at == '[') {
        in.at++;
        count = dotted_key(&in, &keys) && in.at < in.end && *in.at == ']' ? keys.count : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts_size - used <= keys.size[i]) {
            count = 0;
            break;
        }
        memcpy(parts + used, keys.text[i], keys.size[i] + 1);
        used += keys.size[i] + 1;
    }
    free_keys(&keys);
    return count;
}
