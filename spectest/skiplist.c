/* SPDX-License-Identifier: Apache-2.0 */
/* skiplist.c - the file of commands that are known not to apply: `script.json:LINE reason`. */
#include "spectest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct spec_skip_list *list, struct spec_skip_line line)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->lines = spec_realloc(list->lines, list->cap * sizeof list->lines[0]);
    }
    list->lines[list->count++] = line;
}

/* "dir/x.json:12 why" or "dir/x.json:* why"; false when it is neither. */
static bool parse_line(struct spec_skip_list *list, char *text)
{
    size_t place = strcspn(text, " \t");
    if (!text[place]) {
        return false;
    }
    text[place] = 0;
    char *reason = text + place + 1;
    reason += strspn(reason, " \t");
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1] || !*reason) {
        return false;
    }
    *colon = 0;
    long line = -1;
    if (strcmp(colon + 1, "*") != 0) {
        char *end = NULL;
        line = strtol(colon + 1, &end, 10);
        if (*end || line <= 0) {
            return false;
        }
    }
    append(list, (struct spec_skip_line){spec_strdup(text), line, spec_strdup(reason)});
    return true;
}

bool spec_skip_list_load(struct spec_skip_list *list, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "wasm-spectest: %s: %s\n", path, strerror(errno));
        return false;
    }
    char *text = NULL;
    size_t cap = 0;
    bool good = true;
    for (unsigned number = 1; good && getline(&text, &cap, file) >= 0; number++) {
        text[strcspn(text, "\r\n")] = 0;
        char *start = text + strspn(text, " \t");
        if (*start && *start != '#' && !parse_line(list, start)) {
            fprintf(stderr, "wasm-spectest: %s:%u: not `script.json:LINE reason`\n", path, number);
            good = false;
        }
    }
    free(text);
    fclose(file);
    return good;
}

static bool path_ends_in(const char *path, const char *tail)
{
    size_t path_len = strlen(path);
    size_t tail_len = strlen(tail);
    if (tail_len > path_len || strcmp(path + path_len - tail_len, tail) != 0) {
        return false;
    }
    return path_len == tail_len || path[path_len - tail_len - 1] == '/';
}

const char *spec_skip_list_find(const struct spec_skip_list *list, const char *script, long line)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct spec_skip_line *entry = &list->lines[i];
        if ((entry->line == -1 || entry->line == line) && path_ends_in(script, entry->script)) {
            return entry->reason;
        }
    }
    return NULL;
}

void spec_skip_list_fini(struct spec_skip_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->lines[i].script);
        free(list->lines[i].reason);
    }
    free(list->lines);
}
