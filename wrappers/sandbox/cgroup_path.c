/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_path.c - from linux.cgroupsPath to the names of a group. Paths and ids are hostile: what
 * could leave the top of a hierarchy, or is no name at all, is refused. Pure.
 *
 * Source: OCI runtime specification, config-linux.md, cgroupsPath; systemd.slice(5),
 * systemd.unit(5).
 */
#include "sandbox/cgroup_impl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LENGTH_MAX = 1024 };

static bool refuse(const char *path, const char *why, struct wrap_error *err)
{
    return wrap_fail(err, WRAP_INVALID_ARGUMENT, "cgroupsPath '%.200s': %s", path, why);
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* One name between slashes. */
static const char *wrong_part(const char *part, size_t size)
{
    if (size == 0) {
        return "an empty name";
    }
    if (size > NAME_MAX) {
        return "a name is too long";
    }
    if (part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.'))) {
        return "'.' and '..' are no names of groups";
    }
    return NULL;
}

static bool check_path(const char *path, struct wrap_error *err)
{
    if (strlen(path) > PATH_LENGTH_MAX) {
        return refuse(path, "too long", err);
    }
    if (has_control(path)) {
        return refuse(path, "control characters", err);
    }
    for (const char *part = path + (*path == '/');; part++) {
        size_t size = strcspn(part, "/");
        const char *wrong = wrong_part(part, size);
        if (wrong) {
            return refuse(path, wrong, err);
        }
        part += size;
        if (!*part) {
            return true;
        }
    }
}

static bool is_unit_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(":-_.\\@", c));
}

static bool is_unit_name(const char *text)
{
    size_t size = 0;
    while (is_unit_char(text[size])) {
        size++;
    }
    return size > 0 && text[size] == '\0';
}

/* "a-b.slice" is in "a.slice": its folder is /a.slice/a-b.slice; "-.slice" is the top. */
static bool slice_folder(const char *slice, char *out, size_t size)
{
    static const char suffix[] = ".slice";
    size_t length = strlen(slice);
    size_t at = 0;
    if (length <= sizeof suffix - 1 || strcmp(slice + length - (sizeof suffix - 1), suffix) != 0) {
        return false;
    }
    length -= sizeof suffix - 1;
    out[0] = '\0';
    if (length == 1 && slice[0] == '-') {
        return true;
    }
    for (size_t end = 1; end <= length; end++) {
        if (end < length && slice[end] != '-') {
            continue;
        }
        if (slice[end - 1] == '-' || slice[0] == '-') {
            return false; /* an empty part */
        }
        int wrote = snprintf(out + at, size - at, "/%.*s%s", (int)end, slice, suffix);
        if (wrote < 0 || (size_t)wrote >= size - at) {
            return false;
        }
        at += (size_t)wrote;
    }
    return true;
}

static bool place_unit(const char *slice, const char *prefix, const char *name,
                       struct wrap_cgroup_place *out, struct wrap_error *err)
{
    char folder[PATH_LENGTH_MAX];
    char unit[256];
    char path[PATH_LENGTH_MAX + sizeof unit];
    slice = *slice ? slice : "system.slice";
    if (!is_unit_name(slice) || strlen(slice) > NAME_MAX ||
        !slice_folder(slice, folder, sizeof folder)) {
        return refuse(slice, "no name of a slice of systemd", err);
    }
    int wrote = snprintf(unit, sizeof unit, "%s%s%s.scope", prefix, *prefix ? "-" : "", name);
    if (!is_unit_name(name) || wrote < 0 || (size_t)wrote >= sizeof unit || !is_unit_name(unit)) {
        return refuse(name, "no name of a scope of systemd", err);
    }
    snprintf(path, sizeof path, "%s/%s", folder, unit);
    out->path = strdup(path);
    out->unit = strdup(unit);
    out->slice = strdup(slice);
    if (!out->path || !out->unit || !out->slice) {
        wrap_cgroup_place_fini(out);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    return true;
}

/* slice:prefix:name */
static bool place_scope(const struct wrap_cgroup_config *config, struct wrap_cgroup_place *out,
                        struct wrap_error *err)
{
    char text[PATH_LENGTH_MAX];
    if (!*config->path) {
        return place_unit("", "wasmrun", config->id, out, err);
    }
    int wrote = snprintf(text, sizeof text, "%s", config->path);
    if (wrote < 0 || (size_t)wrote >= sizeof text) {
        return refuse(config->path, "too long", err);
    }
    char *prefix = strchr(text, ':');
    char *name = prefix ? strchr(prefix + 1, ':') : NULL;
    if (!name || strchr(name + 1, ':')) {
        return refuse(config->path, "systemd's are SLICE:PREFIX:NAME", err);
    }
    *prefix++ = '\0';
    *name++ = '\0';
    return place_unit(text, prefix, name, out, err);
}

bool wrap_cgroup_place_of(const struct wrap_cgroup_config *config, struct wrap_cgroup_place *out,
                          struct wrap_error *err)
{
    const char *path = config->path ? config->path : "";
    struct wrap_cgroup_config known = *config;
    known.path = path;
    known.id = config->id ? config->id : "";
    *out = (struct wrap_cgroup_place){0};
    if (config->systemd) {
        return place_scope(&known, out, err);
    }
    bool by_id = !*path;
    if (by_id && strchr(known.id, '/')) {
        return refuse(known.id, "a container's id has no slash", err);
    }
    path = by_id ? known.id : path;
    if (!check_path(path, err)) {
        return false;
    }
    out->relative = !by_id && *path != '/';
    size_t size = strlen(path) + 2;
    out->path = malloc(size);
    if (!out->path) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    snprintf(out->path, size, "%s%s", *path == '/' ? "" : "/", path);
    return true;
}

void wrap_cgroup_place_fini(struct wrap_cgroup_place *place)
{
    free(place->path);
    free(place->unit);
    free(place->slice);
    *place = (struct wrap_cgroup_place){0};
}
