/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.c - config.json: its text, the members at the top, hooks and mounts.
 *
 * The JSON tree, which the strings of a spec belong to, and all else of it lie in one pool. A
 * member that is given twice is an error: no generator writes that, and readers that take the first
 * or the last would disagree on what a container may do.
 */
#include "common/spec.h"

#include "common/spec_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX = 4 << 20,
    POOL_MAX = 64 << 20, /* 60 kB for what the CRI writes */
    MOUNTS_MAX = 4096,
    OPTIONS_MAX = 256,
    HOOKS_MAX = 256,
    STRINGS_MAX = 65536,
    ID_MAPS_MAX = 340
};

#define IN(member) offsetof(struct wrap_spec, member)
#define IN_MOUNT(member) offsetof(struct wrap_spec_mount, member)
#define IN_HOOK(member) offsetof(struct wrap_hook, member)
_Static_assert(IN(mount_count) == IN(mounts) + sizeof(void *), "a pointer and its count");
_Static_assert(IN(annotation_count) == IN(annotations) + sizeof(void *), "a pointer and its count");
_Static_assert(offsetof(struct wrap_hooks, count) == sizeof(void *), "a pointer and its count");

/* ---------------------------------------------------------------- mounts */

static bool check_mount(struct wrap_reader *reader, void *object)
{
    struct wrap_spec_mount *mount = object;
    if (!mount->uid_maps.count != !mount->gid_maps.count) {
        return wrap_read_fail_at(reader, "uidMappings", "must be given along with gidMappings");
    }
    if (mount->destination[0] != '/') { /* "MUST be interpreted as relative to /" */
        mount->destination = wrap_read_format(reader, "/%s", mount->destination);
    }
    return mount->destination;
}

// clang-format off
static const struct wrap_field mount_fields[] = {
    {.name = "destination", .kind = WRAP_FIELD_TEXT,  .offset = IN_MOUNT(destination), .required = true},
    {.name = "type",        .kind = WRAP_FIELD_TEXT,  .offset = IN_MOUNT(type)},
    {.name = "source",      .kind = WRAP_FIELD_TEXT,  .offset = IN_MOUNT(source)},
    {.name = "options",     .kind = WRAP_FIELD_LIST,  .offset = IN_MOUNT(options), .max = OPTIONS_MAX},
    {.name = "uidMappings", .kind = WRAP_FIELD_ITEMS, .offset = IN_MOUNT(uid_maps), .max = ID_MAPS_MAX, .shape = &wrap_id_map_shape},
    {.name = "gidMappings", .kind = WRAP_FIELD_ITEMS, .offset = IN_MOUNT(gid_maps), .max = ID_MAPS_MAX, .shape = &wrap_id_map_shape},
};
// clang-format on
static const struct wrap_shape mount_shape =
    WRAP_SHAPE(mount_fields, struct wrap_spec_mount, check_mount);

/* ---------------------------------------------------------------- hooks */

// clang-format off
static const struct wrap_field hook_fields[] = {
    {.name = "path",    .kind = WRAP_FIELD_PATH, .offset = IN_HOOK(path), .required = true},
    {.name = "args",    .kind = WRAP_FIELD_LIST, .offset = IN_HOOK(args), .max = STRINGS_MAX},
    {.name = "env",     .kind = WRAP_FIELD_LIST, .offset = IN_HOOK(env), .max = STRINGS_MAX},
    {.name = "timeout", .kind = WRAP_FIELD_U32,  .offset = IN_HOOK(timeout_s), .min = 1, .max = INT32_MAX},
};
static const struct wrap_shape hook_shape = WRAP_SHAPE(hook_fields, struct wrap_hook, NULL);

#define HOOKS(json_name, stage)                                                                    \
    {.name = json_name, .kind = WRAP_FIELD_ITEMS, .offset = IN(hooks[stage]), .max = HOOKS_MAX,    \
     .shape = &hook_shape}
static const struct wrap_field hooks_fields[] = {
    HOOKS("prestart",        WRAP_HOOK_PRESTART),
    HOOKS("createRuntime",   WRAP_HOOK_CREATE_RUNTIME),
    HOOKS("createContainer", WRAP_HOOK_CREATE_CONTAINER),
    HOOKS("startContainer",  WRAP_HOOK_START_CONTAINER),
    HOOKS("poststart",       WRAP_HOOK_POSTSTART),
    HOOKS("poststop",        WRAP_HOOK_POSTSTOP),
};
// clang-format on
static const struct wrap_shape hooks_shape = WRAP_SHAPE(hooks_fields, struct wrap_spec, NULL);

/* ---------------------------------------------------------------- the top */

// clang-format off
static const struct wrap_field root_fields[] = {
    {.name = "path",     .kind = WRAP_FIELD_TEXT, .offset = IN(root), .required = true},
    {.name = "readonly", .kind = WRAP_FIELD_BOOL, .offset = IN(root_readonly)},
};
static const struct wrap_shape root_shape = WRAP_SHAPE(root_fields, struct wrap_spec, NULL);
// clang-format on

static bool read_process(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_spec *spec = out;
    spec->has_process = true;
    return wrap_read_object(reader, json, &wrap_process_shape, &spec->process);
}

/* All of 1.x are compatible; the numbers before were drafts. */
static bool check_spec(struct wrap_reader *reader, void *object)
{
    const struct wrap_spec *spec = object;
    if (strncmp(spec->version, "1.", 2) != 0) {
        return wrap_read_fail_at(reader, "ociVersion", "'%.40s' is not 1.x", spec->version);
    }
    return wrap_linux_check(reader, spec);
}

// clang-format off
static const struct wrap_field spec_fields[] = {
    {.name = "ociVersion",  .kind = WRAP_FIELD_TEXT,   .offset = IN(version), .required = true},
    {.name = "hostname",    .kind = WRAP_FIELD_TEXT,   .offset = IN(hostname)},
    {.name = "domainname",  .kind = WRAP_FIELD_TEXT,   .offset = IN(domainname)},
    {.name = "root",        .kind = WRAP_FIELD_OBJECT, .required = true, .shape = &root_shape},
    {.name = "process",     .kind = WRAP_FIELD_CALL,   .read = read_process},
    {.name = "mounts",      .kind = WRAP_FIELD_ITEMS,  .offset = IN(mounts), .max = MOUNTS_MAX, .shape = &mount_shape},
    {.name = "hooks",       .kind = WRAP_FIELD_OBJECT, .shape = &hooks_shape},
    {.name = "annotations", .kind = WRAP_FIELD_MAP,    .offset = IN(annotations), .max = STRINGS_MAX},
    {.name = "linux",       .kind = WRAP_FIELD_OBJECT, .shape = &wrap_linux_shape},
    {.name = "vm",          .kind = WRAP_FIELD_REFUSED},
    {.name = "solaris",     .kind = WRAP_FIELD_REFUSED},
    {.name = "windows",     .kind = WRAP_FIELD_REFUSED},
    {.name = "zos",         .kind = WRAP_FIELD_REFUSED},
    {.name = "freebsd",     .kind = WRAP_FIELD_REFUSED},
};
// clang-format on
static const struct wrap_shape spec_shape = WRAP_SHAPE(spec_fields, struct wrap_spec, check_spec);

/* ---------------------------------------------------------------- text to tree */

/*
 * jansson's memory, while it parses: the pool, so that a hostile text costs no more than that, and
 * a tree of a thousand pieces is freed at once. Its functions are the process's own, so no other
 * thread may use jansson meanwhile; programs that parse configurations have one.
 */
static struct wrap_pool *parsing;

static void *pool_malloc(size_t size) { return wrap_pool_take(parsing, 1, size); }
static void pool_free(void *memory) { (void)memory; }

static json_t *parse_into(struct wrap_pool *pool, const char *json, size_t size,
                          json_error_t *error)
{
    json_malloc_t usual_malloc = NULL;
    json_free_t usual_free = NULL;
    json_get_alloc_funcs(&usual_malloc, &usual_free);
    parsing = pool;
    json_set_alloc_funcs(pool_malloc, pool_free);
    json_t *tree = json_loadb(json, size, JSON_REJECT_DUPLICATES, error);
    json_set_alloc_funcs(usual_malloc, usual_free);
    parsing = NULL;
    return tree;
}

/* How many digits of a number begin here that int64_t is too small for and uint64_t is not; 0. */
static size_t large_number(const char *at, const char *end)
{
    static const char int64_max[] = "9223372036854775807";
    static const char uint64_max[] = "18446744073709551615";
    size_t digits = 0;
    while (at + digits < end && at[digits] >= '0' && at[digits] <= '9') {
        digits++;
    }
    bool real = at + digits < end && strchr(".eE", at[digits]) && at[digits];
    bool large = (digits == 19 && memcmp(at, int64_max, 19) > 0) ||
                 (digits == 20 && at[0] != '0' && memcmp(at, uint64_max, 20) <= 0);
    return large && !real ? digits : 0;
}

/*
 * jansson's integers end at INT64_MAX, but limits and conditions of seccomp may pass it (no limit
 * is UINT64_MAX). Such a number becomes a string with U+0001 before its digits. NULL: no memory.
 */
static char *quote_large_numbers(struct wrap_pool *pool, const char *json, size_t *size)
{
    static const char mark[] = "\"\\u0001";
    const char *end = json + *size;
    char *text = wrap_pool_take(pool, *size + *size / 2 + 16, 1); /* 8 bytes more for each 19 */
    char *to = text;
    bool in_string = false, in_number = false;
    for (const char *at = json; text && at < end; at++) {
        if (in_string && *at == '\\' && at + 1 < end) {
            *to++ = *at++;
        } else if (*at == '"') {
            in_string = !in_string;
        } else if (!in_string && !in_number) {
            size_t digits = large_number(at, end);
            if (digits) {
                memcpy(to, mark, sizeof mark - 1);
                to += sizeof mark - 1;
                memcpy(to, at, digits);
                to += digits;
                *to++ = '"';
                at += digits - 1;
                continue;
            }
        }
        /* Digits behind a sign, a point or other digits begin no number. */
        in_number = !in_string && *at && strchr("+-.0123456789eE", *at);
        *to++ = *at;
    }
    *size = text ? (size_t)(to - text) : 0;
    return text;
}

static json_t *parse_text(struct wrap_pool *pool, const char *json, size_t size,
                          struct wrap_error *err)
{
    json_error_t error = {0};
    if (size > FILE_MAX) {
        wrap_fail(err, WRAP_INVALID_ARGUMENT, "larger than %d MiB", FILE_MAX >> 20);
        return NULL;
    }
    json_t *tree = parse_into(pool, json, size, &error);
    if (!tree && json_error_code(&error) == json_error_numeric_overflow) {
        char *text = quote_large_numbers(pool, json, &size);
        tree = text ? parse_into(pool, text, size, &error) : NULL;
    }
    if (!tree) {
        wrap_fail(err, WRAP_INVALID_ARGUMENT, "line %d, column %d: %s", error.line, error.column,
                  error.text[0] ? error.text : "out of memory");
    }
    return tree;
}

/* ---------------------------------------------------------------- tree to spec */

/* What a text holds and where in a spec it belongs. */
struct text_kind {
    const char *path[2]; /* put before the members' names */
    const struct wrap_shape *shape;
    size_t offset;
};

static bool read_tree(struct wrap_reader *reader, const struct text_kind *kind, const json_t *tree,
                      struct wrap_spec *spec)
{
    for (size_t i = 0; i < WRAP_COUNT_OF(kind->path) && kind->path[i]; i++) {
        wrap_read_enter(reader, kind->path[i], SIZE_MAX);
    }
    /* What the text does not speak of has its defaults as well. */
    spec->rootfs_propagation = "";
    if (!wrap_read_object(reader, NULL, &wrap_process_shape, &spec->process) ||
        !wrap_read_object(reader, NULL, &spec_shape, spec)) {
        return false;
    }
    return wrap_read_object(reader, tree, kind->shape, (unsigned char *)spec + kind->offset);
}

static bool parse_kind(const struct text_kind *kind, const char *json, size_t size,
                       struct wrap_spec **out, struct wrap_error *err)
{
    struct wrap_pool *pool = wrap_pool_new(POOL_MAX);
    *out = NULL;
    if (!pool) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    struct wrap_reader reader = {.pool = pool, .err = err};
    struct wrap_spec *spec = wrap_read_take(&reader, 1, sizeof *spec);
    json_t *tree = spec ? parse_text(pool, json, size, err) : NULL;
    if (!tree || !read_tree(&reader, kind, tree, spec)) {
        wrap_pool_delete(pool);
        return false;
    }
    spec->unsupported = reader.unsupported;
    spec->owner = pool;
    *out = spec;
    return true;
}

bool wrap_spec_parse(const char *json, size_t size, struct wrap_spec **out, struct wrap_error *err)
{
    static const struct text_kind kind = {.shape = &spec_shape};
    return parse_kind(&kind, json, size, out, err);
}

bool wrap_spec_parse_process(const char *json, size_t size, struct wrap_spec **out,
                             struct wrap_error *err)
{
    static const struct text_kind kind = {
        .path = {"process"}, .shape = &wrap_process_shape, .offset = IN(process)};
    bool good = parse_kind(&kind, json, size, out, err);
    if (good) {
        (*out)->has_process = true;
    }
    return good;
}

bool wrap_spec_parse_resources(const char *json, size_t size, struct wrap_spec **out,
                               struct wrap_error *err)
{
    static const struct text_kind kind = {
        .path = {"linux", "resources"}, .shape = &wrap_resources_shape, .offset = IN(resources)};
    bool good = parse_kind(&kind, json, size, out, err);
    if (good) {
        (*out)->has_resources = true;
    }
    return good;
}

void wrap_spec_free(struct wrap_spec *spec)
{
    if (spec) {
        wrap_pool_delete(spec->owner);
    }
}

/* ---------------------------------------------------------------- files */

/* A whole file, from its beginning; one that grows meanwhile is cut. */
static char *read_file(int fd, size_t size)
{
    char *text = malloc(size + 1);
    size_t used = 0;
    while (text && used < size) {
        ssize_t got = pread(fd, text + used, size - used, (off_t)used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
    }
    if (text && used < size) {
        free(text);
        errno = EIO;
        return NULL;
    }
    return text;
}

bool wrap_spec_load_fd(int fd, struct wrap_spec **out, struct wrap_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return wrap_fail_errno(err, errno, "cannot read");
    }
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "not a file of at most %d MiB",
                         FILE_MAX >> 20);
    }
    char *text = read_file(fd, (size_t)status.st_size);
    if (!text) {
        return wrap_fail_errno(err, errno, "cannot read");
    }
    bool good = wrap_spec_parse(text, (size_t)status.st_size, out, err);
    free(text);
    return good;
}

bool wrap_spec_open(const char *file, int *fd, struct wrap_spec **out, struct wrap_error *err)
{
    *out = NULL;
    /* A FIFO in its place must not make us wait. */
    *fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool good =
        *fd >= 0 ? wrap_spec_load_fd(*fd, out, err) : wrap_fail_errno(err, errno, "cannot open");
    if (!good && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    if (!good) {
        wrap_error_prefix(err, "%s", file);
    }
    return good;
}

bool wrap_spec_load(const char *file, struct wrap_spec **out, struct wrap_error *err)
{
    int fd;
    bool good = wrap_spec_open(file, &fd, out, err);
    if (good) {
        close(fd);
    }
    return good;
}

/* ---------------------------------------------------------------- a small copy */

/* NULL: no memory. */
static const char *copy_text(struct wrap_pool *pool, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wrap_pool_take(pool, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool copy_parts(struct wrap_pool *pool, const struct wrap_spec *spec, struct wrap_spec *out)
{
    const struct wrap_strings *args = &spec->process.args;
    *out = (struct wrap_spec){
        .version = copy_text(pool, spec->version),
        .hostname = "",
        .domainname = "",
        .root = "",
        .has_process = spec->has_process,
        .process = {.args.items = wrap_pool_take(pool, args->count, sizeof args->items[0]),
                    .cwd = "",
                    .umask = UINT32_MAX,
                    .apparmor_profile = "",
                    .selinux_label = ""},
        .namespaces_new = spec->namespaces_new,
        .cgroups_path = copy_text(pool, spec->cgroups_path),
        .rootfs_propagation = "",
        .mount_label = "",
        .owner = pool,
    };
    bool good = out->version && out->cgroups_path && out->process.args.items;
    for (size_t i = 0; good && i < args->count; i++) {
        out->process.args.items[i] = copy_text(pool, args->items[i]);
        good = out->process.args.items[i] != NULL;
        out->process.args.count += good;
    }
    return good;
}

bool wrap_spec_reduce(const struct wrap_spec *spec, struct wrap_spec **out)
{
    enum { PADDING = 16, ITEMS = 5 };
    const struct wrap_strings *args = &spec->process.args;
    size_t size = sizeof *spec + strlen(spec->version) + strlen(spec->cgroups_path) +
                  ITEMS * PADDING + args->count * (sizeof args->items[0] + PADDING + 1);
    *out = NULL;
    for (size_t i = 0; i < WRAP_HOOK_STAGES; i++) {
        if (spec->hooks[i].count) {
            return false;
        }
    }
    for (size_t i = 0; i < args->count; i++) {
        size += strlen(args->items[i]);
    }
    struct wrap_pool *pool = wrap_pool_new(size);
    struct wrap_spec *copy = pool ? wrap_pool_take(pool, 1, sizeof *copy) : NULL;
    if (!copy || !copy_parts(pool, spec, copy)) {
        wrap_pool_delete(pool);
        return false;
    }
    *out = copy;
    return true;
}

/* ---------------------------------------------------------------- looking up */

const char *wrap_spec_annotation(const struct wrap_spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->annotation_count; i++) {
        if (strcmp(spec->annotations[i].key, key) == 0) {
            return spec->annotations[i].value;
        }
    }
    return NULL;
}
