/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - reads workloads.list and manifests: programs, arguments, files, expected output. */
#include "bench.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *join(const char *dir, const char *path) { return bench_format("%s/%s", dir, path); }

/* A file of the manifest; "corpus:…" is one of the corpus's. */
static char *find_file(const struct bench_places *places, const char *path)
{
    static const char prefix[] = "corpus:";
    bool is_corpus = strncmp(path, prefix, strlen(prefix)) == 0;
    return join(is_corpus ? places->corpus : places->inputs,
                is_corpus ? path + strlen(prefix) : path);
}

static char *optional_path(const struct bench_places *places, const json_t *json)
{
    const char *path = json_string_value(json);
    return path ? find_file(places, path) : NULL;
}

static char *optional_text(const json_t *json)
{
    const char *text = json_string_value(json);
    return text ? bench_strdup(text) : NULL;
}

/* Where the module should be; whether it is there is looked at later. */
static char *find_module(const json_t *module, const char *name, const struct bench_places *places)
{
    const char *file = json_string_value(json_object_get(module, "file"));
    return file ? join(places->corpus, file) : bench_format("%s/%s.wasm", places->modules, name);
}

static void read_dirs(struct bench_workload *out, json_t *dirs, const struct bench_places *places)
{
    const char *guest = NULL;
    json_t *fixture = NULL;
    json_object_foreach(dirs, guest, fixture)
    {
        if (!json_is_string(fixture)) continue;
        out->dirs = bench_realloc(out->dirs, (out->dir_count + 1) * sizeof out->dirs[0]);
        out->dirs[out->dir_count++] = (struct bench_dir){
            .guest = bench_strdup(guest), .fixture = find_file(places, json_string_value(fixture))};
    }
}

static void read_run(struct bench_workload *out, const json_t *run,
                     const struct bench_places *places)
{
    const json_t *expect = json_object_get(run, "expect");
    const json_t *args = json_object_get(run, "args");
    const char *key = NULL;
    json_t *value = NULL;
    for (size_t i = 0; i < json_array_size(args); i++) {
        const char *word = json_string_value(json_array_get(args, i));
        if (word) bench_words_add(&out->args, bench_strdup(word));
    }
    json_object_foreach(json_object_get(run, "env"), key, value)
    {
        const char *text = json_string_value(value);
        if (text) bench_words_add(&out->envs, bench_format("%s=%s", key, text));
    }
    read_dirs(out, json_object_get(run, "dirs"), places);
    out->stdin_file = optional_path(places, json_object_get(run, "stdin"));
    out->stdin_text = optional_text(json_object_get(run, "stdin_text"));
    out->sha256 = optional_text(json_object_get(expect, "stdout_sha256"));
    out->exit_code = (int)json_integer_value(json_object_get(expect, "exit"));
}

static void add(struct bench_workloads *out, const struct bench_workload *workload)
{
    out->list = bench_realloc(out->list, (out->count + 1) * sizeof out->list[0]);
    out->list[out->count++] = *workload;
}

static void read_module(struct bench_workloads *out, const json_t *module,
                        const struct bench_places *places)
{
    const char *name = json_string_value(json_object_get(module, "name"));
    const json_t *runs = json_object_get(module, "runs");
    for (size_t i = 0; name && i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        const char *id = json_string_value(json_object_get(run, "id"));
        if (!id) continue;
        struct bench_workload workload = {.name = bench_format("%s:%s", name, id),
                                          .module = find_module(module, name, places)};
        read_run(&workload, run, places);
        add(out, &workload);
    }
}

bool bench_workloads_load(struct bench_workloads *out, const char *manifest,
                          const struct bench_places *places)
{
    json_error_t error;
    json_t *root = json_load_file(manifest, 0, &error);
    const json_t *list = json_object_get(root, "modules");
    bool good = root && json_is_array(list);
    if (!good) {
        fprintf(stderr, "wasm-bench: %s: %s\n", manifest, root ? "no modules" : error.text);
    }
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        read_module(out, json_array_get(list, i), places);
    }
    json_decref(root);
    return good;
}

struct bench_workload *bench_workloads_find(const struct bench_workloads *workloads,
                                            const char *name)
{
    for (size_t i = 0; i < workloads->count; i++) {
        if (strcmp(workloads->list[i].name, name) == 0) return &workloads->list[i];
    }
    return NULL;
}

/* ---------------------------------------------------------------- workloads.list */

/* SET NAME SIZE CHECKSUM TINY-SIZE TINY-CHECKSUM, or SET NAME of a run that is known already. */
static bool read_row(struct bench_workloads *out, const struct bench_words *row,
                     const struct bench_places *places)
{
    char **words = row->list;
    if (row->count == 2) {
        struct bench_workload *known = bench_workloads_find(out, words[1]);
        if (known && !known->set) known->set = bench_strdup(words[0]);
        return true;
    }
    if (row->count != 6 || bench_workloads_find(out, words[1])) return false;
    struct bench_workload workload = {.name = bench_strdup(words[1]),
                                      .set = bench_strdup(words[0]),
                                      .module =
                                          bench_format("%s/%s.wasm", places->programs, words[1]),
                                      .line = bench_strdup(words[3]),
                                      .tiny_size = bench_strdup(words[4]),
                                      .tiny_line = bench_strdup(words[5])};
    bench_words_add(&workload.args, bench_strdup(words[2]));
    add(out, &workload);
    return true;
}

bool bench_workloads_load_list(struct bench_workloads *out, const char *path,
                               const struct bench_places *places)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "wasm-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    char *line = NULL;
    size_t cap = 0;
    bool good = true;
    for (unsigned number = 1; good && getline(&line, &cap, file) >= 0; number++) {
        struct bench_words row = {0};
        line[strcspn(line, "#\r\n")] = 0;
        bench_words_split(&row, line);
        good = !row.count || read_row(out, &row, places);
        if (!good) fprintf(stderr, "wasm-bench: %s:%u: bad or double row\n", path, number);
        bench_words_fini(&row);
    }
    free(line);
    fclose(file);
    return good;
}

void bench_workloads_fini(struct bench_workloads *workloads)
{
    for (size_t i = 0; i < workloads->count; i++) {
        struct bench_workload *workload = &workloads->list[i];
        for (size_t k = 0; k < workload->dir_count; k++) {
            free(workload->dirs[k].guest);
            free(workload->dirs[k].fixture);
        }
        free(workload->dirs);
        bench_words_fini(&workload->args);
        bench_words_fini(&workload->envs);
        free(workload->name);
        free(workload->set);
        free(workload->line);
        free(workload->tiny_size);
        free(workload->tiny_line);
        free(workload->module);
        free(workload->stdin_file);
        free(workload->stdin_text);
        free(workload->sha256);
    }
    free(workloads->list);
}
