/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - the folder of a container: made, locked, written by a rename, removed. */
#include "oci/state.h"

#include "oci/oci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, TURN_MS = 5, DOC_MAX = 8 << 20, ID_MAX = 255 };

static const char doc_name[] = "wasmrun.json";
static const char config_name[] = "wasmrun.config.json";
/* All files of ours in such a folder begin so. */
static const char own_prefix[] = "wasmrun.";

/* ---------------------------------------------------------------- names */

bool wrap_oci_id_check(const char *id, struct wrap_error *err)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
    size_t length = strspn(id, good);
    bool fine =
        length && !id[length] && length <= ID_MAX && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
    return fine || wrap_fail(err, WRAP_INVALID_ARGUMENT, "invalid container ID '%.100s'", id);
}

char *wrap_oci_state_place(const char *path, const char *id, bool systemd)
{
    char *out = NULL;
    const char *slash = systemd || path[0] == '/' ? "" : "/";
    return asprintf(&out, "%s%s", slash, path[0] || systemd ? path : id) < 0 ? NULL : out;
}

static bool folder_of(const char *root, const char *id, char out[PATH_MAX], struct wrap_error *err)
{
    return (size_t)snprintf(out, PATH_MAX, "%s/%s", root, id) < PATH_MAX ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "--root '%.100s': path too long", root);
}

/* ---------------------------------------------------------------- files */

/* A whole file of the folder; malloc'ed, with a final NUL; NULL: `err`. */
static char *read_file(int dir, const char *name, size_t *size, struct wrap_error *err)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        wrap_fail_errno(err, errno, "%s", name);
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > DOC_MAX) {
        wrap_fail(err, WRAP_INTERNAL, "%s: not a file of at most 8 MiB", name);
        close(fd);
        return NULL;
    }
    char *text = malloc((size_t)st.st_size + 1);
    ssize_t got = text ? pread(fd, text, (size_t)st.st_size, 0) : -1;
    close(fd);
    if (got != st.st_size) { /* files here are replaced, never changed */
        free(text);
        wrap_fail(err, WRAP_INTERNAL, "%s: cannot be read", name);
        return NULL;
    }
    text[got] = 0;
    *size = (size_t)got;
    return text;
}

static bool write_file(int dir, const char *name, const char *text, size_t size,
                       struct wrap_error *err)
{
    char draft[64];
    snprintf(draft, sizeof draft, "%s.new", name);
    int fd = openat(dir, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t done = fd >= 0 ? write(fd, text, size) : -1;
    bool good = done == (ssize_t)size && renameat(dir, draft, dir, name) == 0;
    if (!good) {
        wrap_fail_errno(err, done >= 0 && done < (ssize_t)size ? ENOSPC : errno, "state: %s", name);
    }
    if (fd >= 0) close(fd);
    return good;
}

/* ---------------------------------------------------------------- the document */

static char *copy_of(const json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return strdup(text ? text : "");
}

static bool doc_read(const json_t *doc, struct wrap_oci_state_doc *out, struct wrap_error *err)
{
    json_int_t pid = json_integer_value(json_object_get(doc, "pid"));
    json_int_t owner = json_integer_value(json_object_get(doc, "owner"));
    json_int_t started = json_integer_value(json_object_get(doc, "started"));
    out->bundle = copy_of(doc, "bundle");
    out->rootfs = copy_of(doc, "rootfs");
    out->version = copy_of(doc, "version");
    out->cgroup = copy_of(doc, "cgroup");
    out->created = copy_of(doc, "created");
    out->annotations = json_incref(json_object_get(doc, "annotations"));
    out->hooks = (unsigned)json_integer_value(json_object_get(doc, "hooks"));
    out->systemd = json_is_true(json_object_get(doc, "systemd"));
    out->paused = json_is_true(json_object_get(doc, "paused"));
    out->pid = pid > 0 && pid < INT_MAX ? (pid_t)pid : 0;
    out->owner = owner > 0 && owner < UINT32_MAX ? (uid_t)owner : 0;
    out->started = started > 0 ? (uint64_t)started : 0;
    return (out->bundle && out->rootfs && out->version && out->cgroup && out->created) ||
           wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

bool wrap_oci_state_save(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    json_t *doc = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:b, s:b, s:O?}", "id", state->id,
        "bundle", state->bundle, "rootfs", state->rootfs, "version", state->version, "cgroup",
        state->cgroup, "created", state->created, "pid", (json_int_t)state->pid, "started",
        (json_int_t)state->started, "owner", (json_int_t)state->owner, "hooks", (int)state->hooks,
        "systemd", state->systemd, "paused", state->paused, "annotations", state->annotations);
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    bool good = text ? write_file(state->dir, doc_name, text, strlen(text), err)
                     : wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    free(text);
    json_decref(doc);
    return good;
}

bool wrap_oci_state_keep_config(const struct wrap_oci_state_doc *state, const char *text,
                                size_t size, struct wrap_error *err)
{
    return write_file(state->dir, config_name, text, size, err);
}

char *wrap_oci_state_config(const struct wrap_oci_state_doc *state, size_t *size,
                            struct wrap_error *err)
{
    return read_file(state->dir, config_name, size, err);
}

bool wrap_oci_state_spec(const struct wrap_oci_state_doc *state, struct wrap_spec **out,
                         struct wrap_error *err)
{
    size_t size = 0;
    char *text = wrap_oci_state_config(state, &size, err);
    bool good = text && wrap_spec_parse(text, size, out, err);
    free(text);
    return good;
}

/* ---------------------------------------------------------------- folders */

/* 0755 as others do: names are no secrets, files are. */
static bool make_root(const char *root, struct wrap_error *err)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s", root) >= sizeof path) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "--root: path too long");
    }
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST || wrap_fail_errno(err, errno, "%s", path);
}

static bool lock_folder(int dir, const char *id, struct wrap_error *err)
{
    for (unsigned waited = 0;; waited += TURN_MS) {
        const struct timespec turn = {.tv_nsec = TURN_MS * 1000000L};
        struct stat st;
        if (flock(dir, LOCK_EX | LOCK_NB) == 0) {
            /* Who has held it may have removed the folder. */
            return (fstat(dir, &st) == 0 && st.st_nlink > 0) ||
                   wrap_fail(err, WRAP_NOT_FOUND, "container %s does not exist", id);
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return wrap_fail_errno(err, errno, "locking the state of container %s", id);
        }
        if (waited >= PATIENCE_MS) {
            return wrap_fail(err, WRAP_UNAVAILABLE,
                             "container %s: another command has been changing it for %d s", id,
                             PATIENCE_MS / 1000);
        }
        nanosleep(&turn, NULL);
    }
}

/* -1: `err`, NOT_FOUND when there is none. What another user has put there is not followed: it
 * names processes to kill and groups to remove. */
static int open_folder(const char *path, const char *id, struct wrap_error *err)
{
    struct stat st;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
        wrap_fail(err, WRAP_NOT_FOUND, "container %s does not exist", id);
    } else if (dir < 0 || fstat(dir, &st) != 0) {
        wrap_fail_errno(err, errno, "%s", path);
    } else if (st.st_uid == geteuid()) {
        return dir;
    } else {
        wrap_fail(err, WRAP_PERMISSION_DENIED, "%s belongs to another user", path);
    }
    if (dir >= 0) close(dir);
    return -1;
}

bool wrap_oci_state_new(const char *root, const char *id, struct wrap_oci_state_doc *out,
                        struct wrap_error *err)
{
    char path[PATH_MAX];
    *out = (struct wrap_oci_state_doc){.dir = -1};
    if (!wrap_oci_id_check(id, err) || !folder_of(root, id, path, err)) return false;
    bool made = mkdir(path, 0711) == 0;
    if (!made && errno == ENOENT) {
        if (!make_root(root, err)) return false;
        made = mkdir(path, 0711) == 0;
    }
    if (!made) {
        return errno == EEXIST ? wrap_fail(err, WRAP_ALREADY_EXISTS,
                                           "container with given ID already exists: %s", id)
                               : wrap_fail_errno(err, errno, "%s", path);
    }
    out->dir = open_folder(path, id, err);
    out->id = strdup(id);
    if (!out->id) wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    bool good = out->dir >= 0 && out->id;
    if (!good) (void)rmdir(path);
    /* Who has the lock before us removes the folder. */
    if (!good || !lock_folder(out->dir, id, err)) {
        wrap_oci_state_close(out);
        return false;
    }
    return true;
}

enum whose { NOBODYS, OURS, ANOTHERS };

/* By what is in it. */
static enum whose whose_folder(int dir)
{
    enum whose out = NOBODYS;
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        if (copy >= 0) close(copy);
        return ANOTHERS;
    }
    for (const struct dirent *row; out == NOBODYS && (row = readdir(folder)) != NULL;) {
        if (row->d_name[0] == '.' && (!row->d_name[1] || strcmp(row->d_name, "..") == 0)) continue;
        bool own = strncmp(row->d_name, own_prefix, sizeof own_prefix - 1) == 0;
        out = own ? OURS : ANOTHERS;
    }
    closedir(folder);
    return out;
}

/* What a container has whose document was not written yet. */
static bool begin_empty(struct wrap_oci_state_doc *out, struct wrap_error *err)
{
    out->bundle = strdup("");
    out->rootfs = strdup("");
    out->version = strdup("1.0.0");
    out->cgroup = strdup("");
    out->created = strdup("");
    return (out->bundle && out->rootfs && out->version && out->cgroup && out->created) ||
           wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static bool load(struct wrap_oci_state_doc *out, struct wrap_error *err)
{
    size_t size = 0;
    struct wrap_error problem = {0};
    char *text = read_file(out->dir, doc_name, &size, &problem);
    if (!text && problem.code == WRAP_NOT_FOUND) return begin_empty(out, err);
    json_error_t why = {0};
    json_t *doc = text ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &why) : NULL;
    free(text);
    bool good = json_is_object(doc) ? doc_read(doc, out, err)
                                    : wrap_fail(err, WRAP_INTERNAL, "state of container %s: %s",
                                                out->id, text ? why.text : problem.text);
    json_decref(doc);
    return good;
}

/* Of a document that cannot be read: the group, by which all processes are found, is in the copy of
 * config.json, placed as `create` has done it. */
static bool recover(struct wrap_oci_state_doc *out, struct wrap_error *err)
{
    struct wrap_spec *spec = NULL;
    if (!begin_empty(out, err)) return false;
    if (!wrap_oci_state_spec(out, &spec, NULL)) return true;
    free(out->cgroup);
    out->systemd = strchr(spec->cgroups_path, ':') != NULL;
    out->cgroup = wrap_oci_state_place(spec->cgroups_path, out->id, out->systemd);
    wrap_spec_free(spec);
    return out->cgroup || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

bool wrap_oci_state_open(const char *root, const char *id, enum wrap_oci_access access,
                         struct wrap_oci_state_doc *out, struct wrap_error *err)
{
    char path[PATH_MAX];
    *out = (struct wrap_oci_state_doc){.dir = -1};
    if (!wrap_oci_id_check(id, err) || !folder_of(root, id, path, err)) return false;
    int dir = open_folder(path, id, err);
    if (dir < 0) return false;
    enum whose whose = whose_folder(dir);
    /* Another runtime makes its folder empty, too, for a moment: only a change needs to know. */
    if (whose == ANOTHERS || (whose == NOBODYS && access == WRAP_OCI_READ)) {
        close(dir);
        return wrap_fail(err, WRAP_NOT_FOUND, "container %s does not exist", id);
    }
    out->dir = dir;
    out->id = strdup(id);
    bool good = out->id || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    good = good && (access == WRAP_OCI_READ || lock_folder(dir, id, err));
    struct wrap_error problem = {0};
    if (good && !load(out, &problem)) {
        good = access == WRAP_OCI_REMOVE && recover(out, err);
        if (access == WRAP_OCI_REMOVE)
            wrap_oci_note("warning", "%s", problem.text);
        else
            wrap_fail(err, problem.code, "%s", problem.text);
    }
    if (!good) wrap_oci_state_close(out);
    return good;
}

void wrap_oci_state_close(struct wrap_oci_state_doc *state)
{
    free(state->id);
    free(state->bundle);
    free(state->rootfs);
    free(state->version);
    free(state->cgroup);
    free(state->created);
    json_decref(state->annotations);
    if (state->dir >= 0) close(state->dir);
    *state = (struct wrap_oci_state_doc){.dir = -1};
}

bool wrap_oci_state_remove(const char *root, struct wrap_oci_state_doc *state,
                           struct wrap_error *err)
{
    /* The document last: what is left of a removal that was killed can be removed again. */
    static const char *const names[] = {"wasmrun.start",       "wasmrun.usage",
                                        "wasmrun.json.new",    "wasmrun.config.json.new",
                                        "wasmrun.config.json", "wasmrun.json"};
    char path[PATH_MAX];
    if (!folder_of(root, state->id, path, err)) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (unlinkat(state->dir, names[i], 0) != 0 && errno != ENOENT &&
            (errno != EISDIR || unlinkat(state->dir, names[i], AT_REMOVEDIR) != 0)) {
            return wrap_fail_errno(err, errno, "%s/%s", path, names[i]);
        }
    }
    return rmdir(path) == 0 || errno == ENOENT || wrap_fail_errno(err, errno, "%s", path);
}
