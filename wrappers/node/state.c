/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - see state.h. */
#include "node/state.h"

#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define STATE WRAP_NODE_STATE_DIR "/state.json"

int wrap_node_lock(int root, struct wrap_error *err)
{
    int at = wrap_beneath(root, WRAP_NODE_STATE_DIR, WRAP_MISSING_DIRECTORY);
    int fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int problem = fd < 0 ? errno : flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
    if (at >= 0) close(at);
    if (!problem) return fd;
    if (fd >= 0) close(fd);
    if (problem == EWOULDBLOCK) {
        wrap_fail(err, WRAP_UNAVAILABLE, "another wasmrun-node is at work on this node");
    } else {
        wrap_fail_errno(err, problem, "%s: cannot open it", WRAP_NODE_STATE_DIR);
    }
    return -1;
}

/* ---------------------------------------------------------------- reading */

/* Another one than the recorded: all services have been started since. */
static void read_boot(char out[WRAP_NODE_BOOT])
{
    ssize_t size = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        size = read(fd, out, WRAP_NODE_BOOT - 1);
        close(fd);
    }
    out[size > 0 ? size : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static bool copy(char *out, size_t size, const json_t *value)
{
    const char *text = json_string_value(value);
    return text && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool read_rows(const json_t *root, struct wrap_node_state *state)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "binaries"), i, row)
    {
        if (i == WRAP_NODE_STATE_ROWS ||
            !copy(state->binary[i].path, PATH_MAX, json_object_get(row, "path")) ||
            !copy(state->binary[i].hash, WRAP_NODE_HASH, json_object_get(row, "sha256"))) {
            return false;
        }
        state->binaries = i + 1;
    }
    json_array_foreach(json_object_get(root, "configs"), i, row)
    {
        if (i == WRAP_NODE_STATE_ROWS ||
            !copy(state->config[i].path, PATH_MAX, json_object_get(row, "path")) ||
            !copy(state->config[i].distro, WRAP_NODE_NAME, json_object_get(row, "distro"))) {
            return false;
        }
        state->configs = i + 1;
    }
    json_array_foreach(json_object_get(root, "folders"), i, row)
    {
        if (i == WRAP_NODE_STATE_ROWS || !copy(state->folder[i], PATH_MAX, row)) return false;
        state->folders = i + 1;
    }
    json_array_foreach(json_object_get(root, "restart"), i, row)
    {
        if (i == WRAP_NODE_STATE_ROWS || !copy(state->restart[i], WRAP_NODE_NAME, row)) {
            return false;
        }
        state->pending = i + 1;
    }
    return copy(state->version, sizeof state->version, json_object_get(root, "version"));
}

bool wrap_node_state_read(int root, struct wrap_node_state *state, struct wrap_error *err)
{
    struct wrap_node_file file;
    *state = (struct wrap_node_state){0};
    if (!wrap_node_file_read(root, STATE, WRAP_NODE_TEXT_MAX, &file, err)) return false;
    if (!file.exists) return true;
    json_error_t why;
    json_t *read = json_loadb(file.data, file.size, JSON_REJECT_DUPLICATES, &why);
    char boot[WRAP_NODE_BOOT];
    bool good = json_is_object(read) && read_rows(read, state);
    const char *then = json_string_value(json_object_get(read, "boot"));
    read_boot(boot);
    if (!then || strcmp(then, boot) != 0) state->pending = 0;
    json_decref(read);
    wrap_node_file_free(&file);
    state->exists = good;
    return good || wrap_fail(err, WRAP_INVALID_ARGUMENT,
                             "%s is not what wasmrun-node wrote; look at it, and remove it", STATE);
}

/* ---------------------------------------------------------------- writing */

static json_t *as_json(const struct wrap_node_state *state)
{
    json_t *binaries = json_array(), *configs = json_array(), *folders = json_array();
    json_t *restart = json_array();
    for (size_t i = 0; i < state->binaries; i++) {
        json_array_append_new(binaries, json_pack("{s:s, s:s}", "path", state->binary[i].path,
                                                  "sha256", state->binary[i].hash));
    }
    for (size_t i = 0; i < state->configs; i++) {
        json_array_append_new(configs, json_pack("{s:s, s:s}", "path", state->config[i].path,
                                                 "distro", state->config[i].distro));
    }
    for (size_t i = 0; i < state->folders; i++) {
        json_array_append_new(folders, json_string(state->folder[i]));
    }
    for (size_t i = 0; i < state->pending; i++) {
        json_array_append_new(restart, json_string(state->restart[i]));
    }
    char boot[WRAP_NODE_BOOT];
    read_boot(boot);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "version", state->version, "boot", boot,
                     "binaries", binaries, "configs", configs, "folders", folders, "restart",
                     restart);
}

bool wrap_node_state_write(int root, const struct wrap_node_state *state, struct wrap_error *err)
{
    json_t *made = as_json(state);
    char *text = made ? json_dumps(made, JSON_INDENT(1)) : NULL;
    json_decref(made);
    if (!text) return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    struct wrap_node_file file = {.exists = true, .data = text, .size = strlen(text)};
    file.st.st_mode = S_IFREG | 0644;
    bool good = wrap_node_file_write(root, STATE, &file, NULL, err);
    free(text);
    return good;
}

bool wrap_node_state_remove(int root, struct wrap_error *err)
{
    bool good = wrap_node_file_remove(root, STATE, err);
    wrap_node_folder_remove(root, WRAP_NODE_STATE_DIR);
    return good;
}

void wrap_node_state_tidy(int root, const struct wrap_node_state *state)
{
    wrap_node_file_tidy(root, STATE);
    for (size_t i = 0; i < state->binaries; i++) {
        wrap_node_file_tidy(root, state->binary[i].path);
    }
    for (size_t i = 0; i < state->configs; i++) {
        char backup[PATH_MAX + sizeof WRAP_NODE_BACKUP];
        snprintf(backup, sizeof backup, "%s" WRAP_NODE_BACKUP, state->config[i].path);
        wrap_node_file_tidy(root, state->config[i].path);
        wrap_node_file_tidy(root, backup);
    }
}

/* ---------------------------------------------------------------- intentions */

static bool full(size_t used, struct wrap_error *err)
{
    return used == WRAP_NODE_STATE_ROWS &&
           !wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "%s: more than %d rows", STATE,
                      WRAP_NODE_STATE_ROWS);
}

static bool add_binary(struct wrap_node_state *state, const struct wrap_node_change *change,
                       struct wrap_error *err)
{
    size_t i = 0;
    while (i < state->binaries && strcmp(state->binary[i].path, change->path) != 0) {
        i++;
    }
    if (i == state->binaries && full(i, err)) return false;
    if (i == state->binaries) state->binaries++;
    snprintf(state->binary[i].path, PATH_MAX, "%s", change->path);
    wrap_node_hash(change->content.data, change->content.size, state->binary[i].hash);
    snprintf(state->version, sizeof state->version, "%s", WASMRUN_VERSION);
    return true;
}

static bool add_config(struct wrap_node_state *state, const struct wrap_node_change *change,
                       struct wrap_error *err)
{
    size_t i = 0;
    while (i < state->configs && strcmp(state->config[i].path, change->path) != 0) {
        i++;
    }
    if (i == state->configs && full(i, err)) return false;
    if (i == state->configs) state->configs++;
    snprintf(state->config[i].path, PATH_MAX, "%s", change->path);
    snprintf(state->config[i].distro, WRAP_NODE_NAME, "%s", change->distro->name);
    if (wrap_node_state_is_pending(state, change->distro->name)) return true;
    if (full(state->pending, err)) return false;
    snprintf(state->restart[state->pending++], WRAP_NODE_NAME, "%s", change->distro->name);
    return true;
}

/* The folders above a path that are not there yet. */
static bool add_folders(int root, struct wrap_node_state *state, const char *path,
                        struct wrap_error *err)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        char folder[PATH_MAX];
        bool known = false;
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        for (size_t i = 0; i < state->folders; i++) {
            known = known || strcmp(state->folder[i], folder) == 0;
        }
        if (known || wrap_node_exists(root, folder)) continue;
        if (full(state->folders, err)) return false;
        strcpy(state->folder[state->folders++], folder);
    }
    return true;
}

bool wrap_node_state_intend(int root, struct wrap_node_state *state,
                            const struct wrap_node_plan *plan, struct wrap_error *err)
{
    if (!state->version[0]) snprintf(state->version, sizeof state->version, "%s", WASMRUN_VERSION);
    for (size_t i = 0; i < plan->count; i++) {
        const struct wrap_node_change *change = &plan->changes[i];
        if (!change->remove && !add_folders(root, state, change->path, err)) return false;
        bool good = change->distro   ? add_config(state, change, err)
                    : change->remove ? true
                                     : add_binary(state, change, err);
        if (!good) return false;
    }
    return true;
}

bool wrap_node_state_is_pending(const struct wrap_node_state *state, const char *distro)
{
    for (size_t i = 0; i < state->pending; i++) {
        if (strcmp(state->restart[i], distro) == 0) return true;
    }
    return false;
}

void wrap_node_state_not_pending(struct wrap_node_state *state, const char *distro)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->pending; i++) {
        if (strcmp(state->restart[i], distro) == 0) continue;
        if (kept != i) memcpy(state->restart[kept], state->restart[i], WRAP_NODE_NAME);
        kept++;
    }
    state->pending = kept;
}
