/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - reads the corpus manifest: programs, their arguments, files and expected output. */
#include "bench.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *join(const char *dir, const char *path) { return bench_format("%s/%s", dir, path); }

static char *optional_path(const char *dir, const json_t *json)
{
    const char *path = json_string_value(json);
    return path ? join(dir, path) : NULL;
}

static char *optional_text(const json_t *json)
{
    const char *text = json_string_value(json);
    return text ? bench_strdup(text) : NULL;
}

static char *find_module(const json_t *module, const char *dir, const char *modules)
{
    const char *file = json_string_value(json_object_get(module, "file"));
    const char *name = json_string_value(json_object_get(module, "name"));
    if (file) return join(dir, file);
    return modules && name ? bench_format("%s/%s.wasm", modules, name) : NULL;
}

static void read_dirs(struct bench_workload *out, json_t *dirs, const char *base)
{
    const char *guest = NULL;
    json_t *fixture = NULL;
    json_object_foreach(dirs, guest, fixture)
    {
        if (!json_is_string(fixture)) continue;
        out->dirs = bench_realloc(out->dirs, (out->dir_count + 1) * sizeof out->dirs[0]);
        out->dirs[out->dir_count++] = (struct bench_dir){
            .guest = bench_strdup(guest), .fixture = join(base, json_string_value(fixture))};
    }
}

static void read_run(struct bench_workload *out, const json_t *run, const char *base)
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
    read_dirs(out, json_object_get(run, "dirs"), base);
    out->stdin_file = optional_path(base, json_object_get(run, "stdin"));
    out->stdin_text = optional_text(json_object_get(run, "stdin_text"));
    out->sha256 = optional_text(json_object_get(expect, "stdout_sha256"));
    out->exit_code = (int)json_integer_value(json_object_get(expect, "exit"));
}

static void read_module(struct bench_workloads *out, const json_t *module, const char *base,
                        const char *modules)
{
    const char *name = json_string_value(json_object_get(module, "name"));
    const json_t *runs = json_object_get(module, "runs");
    for (size_t i = 0; name && i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        const char *id = json_string_value(json_object_get(run, "id"));
        char *path = find_module(module, base, modules);
        if (!id || !path) {
            free(path);
            continue;
        }
        struct bench_workload workload = {.name = bench_format("%s:%s", name, id), .module = path};
        read_run(&workload, run, base);
        out->list = bench_realloc(out->list, (out->count + 1) * sizeof out->list[0]);
        out->list[out->count++] = workload;
    }
}

bool bench_workloads_load(struct bench_workloads *out, const char *manifest, const char *modules)
{
    json_error_t error;
    json_t *root = json_load_file(manifest, 0, &error);
    const json_t *list = json_object_get(root, "modules");
    if (!root || !json_is_array(list)) {
        fprintf(stderr, "wasm-bench: %s: %s\n", manifest, root ? "no modules" : error.text);
        json_decref(root);
        return false;
    }
    /* An absolute path: each run has a working directory of its own. */
    char *real = realpath(manifest, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (slash) *slash = 0;
    for (size_t i = 0; real && i < json_array_size(list); i++) {
        read_module(out, json_array_get(list, i), real, modules);
    }
    free(real);
    json_decref(root);
    return true;
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
        free(workload->module);
        free(workload->stdin_file);
        free(workload->stdin_text);
        free(workload->sha256);
    }
    free(workloads->list);
}
