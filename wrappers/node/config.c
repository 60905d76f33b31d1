/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - see config.h.
 *
 * containerd 1 takes a plug-in's whole section from the last file that has one: a drop-in would
 * unset all else (github.com/containerd/containerd, issues 5837 and 7982). Version 3 is read by
 * containerd 2 only, which merges. So a drop-in is used for version 3 alone, and in version 2 the
 * lines go to the file whose section counts.
 */
#include "node/config.h"

#include "node/sources.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION_MAX = 4 };
#define DROP_IN "wasmrun.toml"

/* What a planner of one distribution works on. */
struct work {
    const struct wrap_node *node;
    const struct wrap_node_distro *distro;
    struct wrap_node_plan *plan;
    struct wrap_node_config *out;
    struct wrap_error *err;
    struct wrap_node_sources sources;
    struct wrap_node_table table;
};

/* ---------------------------------------------------------------- looking */

/* The runtimes of a file, by any of the plug-in's names. */
static const struct wrap_toml *runtimes_of(const struct wrap_node_source *source, unsigned version)
{
    const char *path[] = {"plugins", wrap_node_plugin(version), "containerd", "runtimes", NULL};
    return source->tree ? wrap_toml_find(source->tree, path) : NULL;
}

static bool taken(const struct work *work, const struct wrap_node_source *source, unsigned line)
{
    return wrap_fail(work->err, WRAP_ALREADY_EXISTS,
                     "%s: line %u: a runtime '%s' is there that wasmrun-node did not make; remove "
                     "it, or choose another --runtime-name",
                     source->path, line, work->node->runtime);
}

static bool foreign(const struct work *work, const struct wrap_node_source *source,
                    const struct wrap_toml *runtimes)
{
    const struct wrap_toml *found = wrap_toml_get(runtimes, work->node->runtime);
    return found && !taken(work, source, found->line);
}

/* No file has a runtime of our name that is not between our marks. */
static bool none_foreign(const struct work *work)
{
    for (size_t i = 0; i < work->sources.count; i++) {
        const struct wrap_node_source *source = &work->sources.all[i];
        for (unsigned version = 1; version <= 3; version++) {
            if (foreign(work, source, runtimes_of(source, version))) return false;
        }
    }
    return true;
}

/* Some file has a runtime that is not ours. */
static bool any_runtime(const struct work *work)
{
    for (size_t i = 0; i < work->sources.count; i++) {
        for (unsigned version = 1; version <= 3; version++) {
            const struct wrap_toml *runtimes = runtimes_of(&work->sources.all[i], version);
            if (runtimes && runtimes->first) return true;
        }
    }
    return false;
}

/* Whether the control groups of runc are systemd's: ours are then the same kubelet's. */
static bool runc_has_systemd(const struct work *work)
{
    const struct wrap_toml *last = NULL;
    for (size_t i = 0; i < work->sources.count; i++) {
        for (unsigned version = 1; version <= 3; version++) {
            static const char *const path[] = {"runc", "options", "SystemdCgroup", NULL};
            const struct wrap_toml *runtimes = runtimes_of(&work->sources.all[i], version);
            const struct wrap_toml *found = runtimes ? wrap_toml_find(runtimes, path) : NULL;
            last = found ? found : last;
        }
    }
    return last && last->kind == WRAP_TOML_BOOLEAN && last->number;
}

static bool cri_disabled(const struct work *work)
{
    for (size_t i = 0; i < work->sources.count; i++) {
        const struct wrap_toml *list = wrap_toml_get(work->sources.all[i].tree, "disabled_plugins");
        for (list = list ? list->first : NULL; list; list = list->next) {
            for (unsigned version = 1; version <= 3; version++) {
                if (wrap_toml_is(list, wrap_node_plugin(version))) return true;
            }
        }
    }
    return false;
}

/* 1 when the file does not say; 0: `err`. */
static unsigned version_of(const struct work *work, const struct wrap_node_source *source)
{
    const struct wrap_toml *version = wrap_toml_get(source->tree, "version");
    if (!version) return 1;
    if (version->kind == WRAP_TOML_INTEGER && version->number >= 1 &&
        version->number <= VERSION_MAX) {
        return (unsigned)version->number;
    }
    wrap_fail(work->err, WRAP_UNIMPLEMENTED,
              "%s: line %u: this version of the configuration is not known (1 to %d are)",
              source->path, version->line, VERSION_MAX);
    return 0;
}

/* ---------------------------------------------------------------- writing */

static void note(struct work *work, const char *path, bool present)
{
    size_t used = strlen(work->out->where);
    snprintf(work->out->where + used, sizeof work->out->where - used, "%s%s", used ? ", " : "",
             path);
    work->out->present = work->out->present || present;
}

/* Into a file that is whole, or that does not exist yet (`source` NULL). */
static bool put(struct work *work, const char *path, struct wrap_node_source *source)
{
    static char nothing[] = "";
    struct wrap_node_text lines, all, rest = {.data = nothing};
    bool made = work->distro->kind == WRAP_NODE_CRIO
                    ? wrap_node_table_crio(&work->table, &lines, work->err)
                    : wrap_node_table_containerd(&work->table, &lines, work->err);
    if (!made) return false;
    note(work, path, source && source->ours);
    made = wrap_node_block_append(source ? &source->rest : &rest, &lines, &all, work->err);
    free(lines.data);
    if (!made) return false;
    struct wrap_node_change change = {.path = (char *)path, .distro = work->distro};
    change.content = (struct wrap_node_file){.data = all.data, .size = all.size};
    if (source) {
        change.before = source->file;
        source->file = (struct wrap_node_file){0};
    }
    return wrap_node_plan_write(work->plan, &change, 0644, work->err);
}

/* The same, once it is sure that the result is correct: nothing on the way is an inline table. */
static bool put_toml(struct work *work, const char *path, struct wrap_node_source *source)
{
    size_t before = work->plan->count;
    if (!put(work, path, source)) return false;
    if (work->plan->count == before) return true;
    const struct wrap_node_file *content = &work->plan->changes[before].content;
    struct wrap_error why = {0};
    struct wrap_toml *tree = wrap_toml_read(content->data, content->size, &why);
    wrap_toml_free(tree);
    return tree ||
           wrap_fail(work->err, WRAP_FAILED_PRECONDITION,
                     "%s: a runtime's table can't be added at its end (%s)", path, why.text);
}

/* A file of our own in a folder; one of that name without our marks is somebody else's. */
static bool put_drop_in(struct work *work, const char *path)
{
    struct wrap_node_source *there = NULL;
    if (!wrap_node_sources_add(&work->sources, path, true, &there, work->err)) {
        return false;
    }
    if (there && there->rest.size > 0) {
        return wrap_fail(work->err, WRAP_ALREADY_EXISTS, "%s: wasmrun-node did not make this file",
                         path);
    }
    return put_toml(work, path, there);
}

/* Lines that an earlier run put elsewhere. */
static bool clear_others(struct work *work, const struct wrap_node_source *target)
{
    for (size_t i = 0; i < work->sources.count; i++) {
        const struct wrap_node_source *source = &work->sources.all[i];
        if (source->ours && source != target &&
            !wrap_node_config_remove(work->node, work->distro, source->path, work->plan,
                                     work->err)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- containerd */

/* Of version 2, the file whose section of the plug-in counts: the last one; else the main one. */
static struct wrap_node_source *counting(struct work *work, struct wrap_node_source *main)
{
    struct wrap_node_source *found = main;
    for (size_t i = 0; i < work->sources.count; i++) {
        const char *path[] = {"plugins", wrap_node_plugin(work->table.version), NULL};
        if (wrap_toml_find(work->sources.all[i].tree, path)) found = &work->sources.all[i];
    }
    return found;
}

static bool in_folder(struct work *work, const char *folder)
{
    char path[PATH_MAX + sizeof DROP_IN + 1];
    snprintf(path, sizeof path, "%s/" DROP_IN, folder);
    struct wrap_node_source *there = NULL;
    work->table.with_version = true;
    return wrap_node_sources_add(&work->sources, path, true, &there, work->err) &&
           clear_others(work, there) && put_drop_in(work, path);
}

static bool plan_containerd(struct work *work, const char *path)
{
    struct wrap_node_source *main = NULL;
    char folder[PATH_MAX];
    if (!wrap_node_sources_add(&work->sources, path, true, &main, work->err)) {
        return false;
    }
    if (main && !wrap_node_sources_follow(&work->sources, work->err)) {
        return false;
    }
    bool empty = !main || !main->tree->first;
    work->table.version = empty ? 2 : version_of(work, main);
    if (!work->table.version || !none_foreign(work)) return false;
    if (cri_disabled(work)) {
        work->out->skipped = true;
        snprintf(work->out->where, sizeof work->out->where, "%s disables the CRI plug-in", path);
        return true;
    }
    work->table.systemd = runc_has_systemd(work) ? "true" : "false";
    if (work->table.version >= 3 && main && wrap_node_source_drop_ins(main, folder)) {
        return in_folder(work, folder);
    }
    work->table.with_version = empty;
    work->table.with_runc = work->table.version <= 2 && !any_runtime(work);
    struct wrap_node_source *target = work->table.version >= 3 ? main : counting(work, main);
    return clear_others(work, target) && put_toml(work, target ? target->path : path, target);
}

/* ---------------------------------------------------------------- k3s, rke2 */

/* Templates are no TOML: their headers are looked at line by line. */
static bool template_is_free(const struct work *work, const struct wrap_node_source *source)
{
    unsigned number = 1;
    const char *end = source->rest.data + source->rest.size;
    for (const char *at = source->rest.data; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = newline ? (size_t)(newline - at) : (size_t)(end - at);
        char parts[1024];
        size_t count = wrap_toml_header(at, size, parts, sizeof parts);
        const char *part = parts, *third = "";
        for (size_t i = 1; i < count; i++) {
            if (i + 1 == count) third = part;
            part += strlen(part) + 1;
        }
        if (count == 5 && strcmp(parts, "plugins") == 0 && strcmp(third, "runtimes") == 0 &&
            strcmp(part, work->node->runtime) == 0) {
            return taken(work, source, number);
        }
        at += size + (newline != NULL);
    }
    return true;
}

static bool put_template(struct work *work, unsigned version)
{
    char path[PATH_MAX];
    struct wrap_node_source *there = NULL;
    snprintf(path, sizeof path, "%s/%s", work->distro->config,
             version >= 3 ? "config-v3.toml.tmpl" : "config.toml.tmpl");
    if (!wrap_node_sources_add(&work->sources, path, false, &there, work->err) ||
        (there && !template_is_free(work, there))) {
        return false;
    }
    work->table.version = version;
    work->table.with_base = !there || there->rest.size == 0;
    /* Whoever has the base template has this field too; an older k3s would not start with it. */
    bool field = work->table.with_base || strstr(there->rest.data, "template \"base\"") ||
                 strstr(there->rest.data, ".SystemdCgroup");
    const char *systemd = work->table.systemd;
    if (field) work->table.systemd = "{{ .SystemdCgroup }}";
    bool good = put(work, path, there);
    work->table.systemd = systemd;
    return good;
}

/*
 * The version is that of the file that was made at the last start. Before the first one nothing
 * says which containerd there is: each reads the template that it knows, the newer the newer one.
 */
static bool plan_rancher(struct work *work)
{
    char path[PATH_MAX], folder[PATH_MAX];
    struct wrap_node_source *made = NULL;
    snprintf(path, sizeof path, "%s/config.toml", work->distro->config);
    if (!wrap_node_sources_add(&work->sources, path, true, &made, work->err)) {
        return false;
    }
    if (!made) {
        char v2[PATH_MAX], v3[PATH_MAX];
        snprintf(v2, sizeof v2, "%s/config.toml.tmpl", work->distro->config);
        snprintf(v3, sizeof v3, "%s/config-v3.toml.tmpl", work->distro->config);
        bool old = wrap_node_exists(work->node->root, v2);
        bool new = wrap_node_exists(work->node->root, v3);
        work->table.systemd = "false";
        return (!(old || !new) || put_template(work, 2)) &&
               (!(new || !old) || put_template(work, 3));
    }
    unsigned version = version_of(work, made);
    made->ours = false; /* what is rendered from the template is no place of ours */
    if (!version || !wrap_node_sources_follow(&work->sources, work->err) || !none_foreign(work)) {
        return false;
    }
    work->table.version = version;
    work->table.systemd = runc_has_systemd(work) ? "true" : "false";
    if (version >= 3 && wrap_node_source_drop_ins(made, folder)) {
        return in_folder(work, folder);
    }
    return put_template(work, version);
}

/* ---------------------------------------------------------------- k0s, CRI-O */

static bool plan_k0s(struct work *work)
{
    static const char managed[] = "# k0s_managed=true";
    struct wrap_node_source *main = NULL;
    if (!wrap_node_sources_add(&work->sources, work->distro->config, true, &main, work->err)) {
        return false;
    }
    if (main && strncmp(main->rest.data, managed, sizeof managed - 1) != 0) {
        return plan_containerd(work, work->distro->config); /* then it reads no drop-ins */
    }
    work->table.version = main ? version_of(work, main) : 2;
    if (!work->table.version ||
        !wrap_node_sources_folder(&work->sources, "/etc/k0s/containerd.d", "*.toml", work->err) ||
        !none_foreign(work)) {
        return false;
    }
    work->table.systemd = runc_has_systemd(work) ? "true" : "false";
    work->table.with_version = true;
    return put_drop_in(work, "/etc/k0s/containerd.d/" DROP_IN);
}

static bool plan_crio(struct work *work)
{
    const char *path[] = {"crio", "runtime", "runtimes", NULL};
    if (!wrap_node_sources_add(&work->sources, "/etc/crio/crio.conf", true, NULL, work->err) ||
        !wrap_node_sources_folder(&work->sources, "/etc/crio/crio.conf.d", "*", work->err)) {
        return false;
    }
    for (size_t i = 0; i < work->sources.count; i++) {
        const struct wrap_node_source *source = &work->sources.all[i];
        if (foreign(work, source, wrap_toml_find(source->tree, path))) return false;
    }
    return put_drop_in(work, work->distro->config);
}

/* ---------------------------------------------------------------- all */

bool wrap_node_config_plan(const struct wrap_node *node, const struct wrap_node_distro *distro,
                           struct wrap_node_plan *plan, struct wrap_node_config *out,
                           struct wrap_error *err)
{
    struct work work = {.node = node, .distro = distro, .plan = plan, .out = out, .err = err};
    work.sources.root = node->root;
    work.table = (struct wrap_node_table){.runtime = node->runtime, .bin_dir = node->bin_dir};
    *out = (struct wrap_node_config){0};
    bool good = distro->kind == WRAP_NODE_CRIO      ? plan_crio(&work)
                : distro->kind == WRAP_NODE_K0S     ? plan_k0s(&work)
                : distro->kind == WRAP_NODE_RANCHER ? plan_rancher(&work)
                                                    : plan_containerd(&work, distro->config);
    wrap_node_sources_free(&work.sources);
    return good;
}

bool wrap_node_config_remove(const struct wrap_node *node, const struct wrap_node_distro *distro,
                             const char *path, struct wrap_node_plan *plan, struct wrap_error *err)
{
    struct wrap_node_change change = {.path = (char *)path, .distro = distro};
    struct wrap_node_text rest;
    struct wrap_error why = {0};
    bool ours = false;
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->changes[i].path, path) == 0) return true;
    }
    if (!wrap_node_file_read(node->root, path, WRAP_NODE_TEXT_MAX, &change.before, err)) {
        return false;
    }
    if (!change.before.exists) return true;
    if (!wrap_node_block_strip(change.before.data, change.before.size, &rest, &ours, &why)) {
        wrap_node_file_free(&change.before);
        return wrap_fail(err, why.code, "%s: %s", path, why.text);
    }
    char backup[PATH_MAX];
    snprintf(backup, sizeof backup, "%s" WRAP_NODE_BACKUP, path);
    if (ours && rest.size == 0 && !wrap_node_exists(node->root, backup)) {
        free(rest.data);
        return wrap_node_plan_remove(plan, &change, err);
    }
    change.content = (struct wrap_node_file){.data = rest.data, .size = rest.size};
    return wrap_node_plan_write(plan, &change, 0644, err);
}
