/* SPDX-License-Identifier: Apache-2.0 */
/* binaries.c - see binaries.h. */
#include "node/binaries.h"

#include "common/text.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *const names[WRAP_NODE_BINARIES] = {WRAP_NODE_SHIM, WRAP_NODE_OCI};

const char *wrap_node_binary(const struct wrap_node *node, size_t i, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", node->bin_dir, names[i]);
    return names[i];
}

/* The one to copy; `exists` may be false. */
static bool read_source(const struct wrap_node *node, size_t i, char path[PATH_MAX],
                        struct wrap_node_file *out, struct wrap_error *err)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", node->from, names[i]);
    if (length < 0 || length >= PATH_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "option '--from': too long a path");
    }
    return wrap_node_file_read(AT_FDCWD, path, WRAP_NODE_PROGRAM_MAX, out, err);
}

static bool plan_one(const struct wrap_node *node, size_t i, struct wrap_node_plan *plan,
                     struct wrap_error *err)
{
    char from[PATH_MAX], path[PATH_MAX];
    struct wrap_node_change change = {.path = path};
    wrap_node_binary(node, i, path);
    if (!read_source(node, i, from, &change.content, err)) return false;
    if (!change.content.exists) {
        return wrap_fail(err, WRAP_NOT_FOUND, "%s: there is no such program; --from says where",
                         from);
    }
    bool good = change.content.size > SELFMAG && memcmp(change.content.data, ELFMAG, SELFMAG) == 0;
    if (!good) wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s is no program of Linux", from);
    good =
        good && wrap_node_file_read(node->root, path, WRAP_NODE_PROGRAM_MAX, &change.before, err);
    if (!good) {
        wrap_node_file_free(&change.content);
        return false;
    }
    /* The same bytes without the right to execute them are of no use. */
    if (change.before.exists && (change.before.st.st_mode & 0111) != 0111) {
        change.before.size = 0;
    }
    return wrap_node_plan_write(plan, &change, 0755, err);
}

bool wrap_node_binaries_plan(const struct wrap_node *node, struct wrap_node_plan *plan,
                             struct wrap_error *err)
{
    for (size_t i = 0; i < WRAP_NODE_BINARIES; i++) {
        if (!plan_one(node, i, plan, err)) return false;
    }
    return true;
}

bool wrap_node_binaries_remove(const struct wrap_node *node, const struct wrap_node_state *state,
                               struct wrap_node_plan *plan, struct wrap_error *err)
{
    for (size_t i = 0; i < state->binaries; i++) {
        const char *path = state->binary[i].path;
        struct wrap_node_change change = {.path = (char *)path};
        char hash[WRAP_NODE_HASH];
        if (!wrap_node_file_read(node->root, path, WRAP_NODE_PROGRAM_MAX, &change.before, err)) {
            return false;
        }
        if (!change.before.exists) continue;
        wrap_node_hash(change.before.data, change.before.size, hash);
        if (strcmp(hash, state->binary[i].hash) != 0) {
            wrap_print(stdout, "kept %s: it is not the one that was installed\n", path);
            wrap_node_file_free(&change.before);
        } else if (!wrap_node_plan_remove(plan, &change, err)) {
            return false;
        }
    }
    return true;
}

static bool placed_as(const struct wrap_node_state *state, const char *path, const char *hash)
{
    for (size_t i = 0; i < state->binaries; i++) {
        if (strcmp(state->binary[i].path, path) == 0) {
            return strcmp(state->binary[i].hash, hash) == 0;
        }
    }
    return false;
}

bool wrap_node_binary_look(const struct wrap_node *node, const struct wrap_node_state *state,
                           size_t i, struct wrap_node_found *out, struct wrap_error *err)
{
    char from[PATH_MAX], wanted[WRAP_NODE_HASH];
    struct wrap_node_file there, source;
    *out = (struct wrap_node_found){.presence = WRAP_NODE_MISSING};
    wrap_node_binary(node, i, out->path);
    if (!wrap_node_file_read(node->root, out->path, WRAP_NODE_PROGRAM_MAX, &there, err)) {
        return false;
    }
    if (!there.exists) return true;
    wrap_node_hash(there.data, there.size, out->hash);
    wrap_node_file_free(&there);
    if (!read_source(node, i, from, &source, err)) return false;
    bool same = placed_as(state, out->path, out->hash);
    if (source.exists) {
        wrap_node_hash(source.data, source.size, wanted);
        same = strcmp(wanted, out->hash) == 0;
    }
    wrap_node_file_free(&source);
    out->presence = same ? WRAP_NODE_SAME : WRAP_NODE_DIFFERENT;
    return true;
}
