/* SPDX-License-Identifier: Apache-2.0 */
/* sources.c - see sources.h. */
#include "node/sources.h"

#include "sandbox/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void free_source(struct wrap_node_source *source)
{
    free(source->path);
    free(source->rest.data);
    wrap_node_file_free(&source->file);
    wrap_toml_free(source->tree);
    *source = (struct wrap_node_source){0};
}

void wrap_node_sources_free(struct wrap_node_sources *sources)
{
    while (sources->count > 0) {
        free_source(&sources->all[--sources->count]);
    }
}

static bool parse(struct wrap_node_source *source, bool toml, struct wrap_error *err)
{
    if (!wrap_node_block_strip(source->file.data, source->file.size, &source->rest, &source->ours,
                               err)) {
        return false;
    }
    if (!toml) return true;
    source->tree = wrap_toml_read(source->rest.data, source->rest.size, err);
    return source->tree != NULL;
}

static struct wrap_node_source *same_file(struct wrap_node_sources *sources, const struct stat *st)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct stat *other = &sources->all[i].st;
        if (other->st_dev == st->st_dev && other->st_ino == st->st_ino) return &sources->all[i];
    }
    return NULL;
}

bool wrap_node_sources_add(struct wrap_node_sources *sources, const char *path, bool toml,
                           struct wrap_node_source **out, struct wrap_error *err)
{
    struct wrap_node_source *none;
    out = out ? out : &none;
    *out = NULL;
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->all[i].path, path) == 0) {
            *out = &sources->all[i];
            return true;
        }
    }
    if (sources->count == WRAP_NODE_SOURCES_MAX) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "%s: more than %d files of configuration",
                         path, WRAP_NODE_SOURCES_MAX);
    }
    struct wrap_node_source *made = &sources->all[sources->count];
    struct wrap_error why = {0};
    if (!wrap_node_file_read(sources->root, path, WRAP_NODE_TEXT_MAX, &made->file, err))
        return false;
    if (!made->file.exists) return true;
    *out = same_file(sources, &made->file.st); /* by another name: a link, or "./" in an import */
    if (*out) {
        wrap_node_file_free(&made->file);
        return true;
    }
    made->path = strdup(path);
    if (!made->path || !parse(made, toml, &why)) {
        free_source(made);
        return wrap_fail(err, why.code ? why.code : WRAP_RESOURCE_EXHAUSTED, "%s: %s", path,
                         why.code ? why.text : "no memory");
    }
    made->st = made->file.st;
    sources->count++;
    *out = made;
    return true;
}

/* ---------------------------------------------------------------- folders */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a folder's files that match, sorted; the caller frees them. */
static size_t list(int root, const char *folder, const char *pattern,
                   char *names[WRAP_NODE_SOURCES_MAX])
{
    size_t count = 0;
    int at = wrap_beneath(root, folder, WRAP_MISSING_FAIL);
    int fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (at >= 0) close(at);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir)) && count < WRAP_NODE_SOURCES_MAX;) {
        if (entry->d_type == DT_DIR || fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0) continue;
        names[count] = strdup(entry->d_name);
        count += names[count] != NULL;
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

bool wrap_node_sources_folder(struct wrap_node_sources *sources, const char *folder,
                              const char *pattern, struct wrap_error *err)
{
    char *names[WRAP_NODE_SOURCES_MAX];
    size_t count = list(sources->root, folder, pattern, names);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (good && length > 0 && (size_t)length < sizeof path) {
            good = wrap_node_sources_add(sources, path, true, NULL, err);
        }
        free(names[i]);
    }
    return good;
}

/* ---------------------------------------------------------------- imports */

/* An import as a folder and the last part, which may have wildcards. */
static bool resolve(const struct wrap_node_source *from, const struct wrap_toml *import,
                    char folder[PATH_MAX], char last[NAME_MAX + 1])
{
    if (import->kind != WRAP_TOML_STRING || strlen(import->text) != import->text_size) return false;
    char path[PATH_MAX];
    int above = (int)(strrchr(from->path, '/') - from->path);
    int length = import->text[0] == '/'
                     ? snprintf(path, sizeof path, "%s", import->text)
                     : snprintf(path, sizeof path, "%.*s/%s", above, from->path, import->text);
    if (length <= 0 || (size_t)length >= sizeof path) return false;
    char *slash = strrchr(path, '/');
    if (strlen(slash + 1) > NAME_MAX || slash == path) return false;
    strcpy(last, slash + 1);
    *slash = '\0';
    strcpy(folder, path);
    return strpbrk(folder, "*?[") == NULL;
}

static const struct wrap_toml *imports(const struct wrap_node_source *source)
{
    const struct wrap_toml *list = wrap_toml_get(source->tree, "imports");
    return list && list->kind == WRAP_TOML_ARRAY ? list->first : NULL;
}

bool wrap_node_sources_follow(struct wrap_node_sources *sources, struct wrap_error *err)
{
    for (size_t i = 0; i < sources->count; i++) {
        for (const struct wrap_toml *at = imports(&sources->all[i]); at; at = at->next) {
            char folder[PATH_MAX], last[NAME_MAX + 1], path[PATH_MAX + NAME_MAX + 2];
            if (!resolve(&sources->all[i], at, folder, last)) continue;
            snprintf(path, sizeof path, "%s/%s", folder, last);
            bool good = strchr(last, '*') ? wrap_node_sources_folder(sources, folder, last, err)
                                          : wrap_node_sources_add(sources, path, true, NULL, err);
            if (!good) return false;
        }
    }
    return true;
}

bool wrap_node_source_drop_ins(const struct wrap_node_source *source, char out[PATH_MAX])
{
    for (const struct wrap_toml *at = imports(source); at; at = at->next) {
        char last[NAME_MAX + 1];
        if (resolve(source, at, out, last) && strcmp(last, "*.toml") == 0) return true;
    }
    return false;
}
