/* SPDX-License-Identifier: Apache-2.0 */
/* spec_linux.c - `linux` but for resources and seccomp (config-linux.md), and what of it must fit
 * together. */
#include "common/spec_read.h"

#include <string.h>

enum { LIST_MAX = 4096, ID_MAPS_MAX = 340 /* the kernel's own limit */, MODE_MAX = 07777 };

#define IN(member) offsetof(struct wrap_spec, member)
#define IN_DEVICE(member) offsetof(struct wrap_device, member)
#define IN_MAP(member) offsetof(struct wrap_id_map, member)
_Static_assert(IN(device_count) == IN(devices) + sizeof(void *), "a pointer and its count");
_Static_assert(IN(sysctl_count) == IN(sysctl) + sizeof(void *), "a pointer and its count");
_Static_assert(offsetof(struct wrap_id_maps, count) == sizeof(void *), "a pointer and its count");

/* ---------------------------------------------------------------- namespaces */

// clang-format off
static const struct wrap_word namespace_types[] = { /* in the order of their values */
    {"pid", WRAP_NS_PID}, {"network", WRAP_NS_NETWORK}, {"mount",  WRAP_NS_MOUNT},  {"ipc",  WRAP_NS_IPC},
    {"uts", WRAP_NS_UTS}, {"user",    WRAP_NS_USER},    {"cgroup", WRAP_NS_CGROUP}, {"time", WRAP_NS_TIME},
};
// clang-format on
static const struct wrap_words namespace_words = WRAP_WORDS(namespace_types);

struct namespace_row {
    int type;
    const char *path;
};
// clang-format off
static const struct wrap_field namespace_fields[] = {
    {.name = "type", .kind = WRAP_FIELD_WORD, .offset = offsetof(struct namespace_row, type), .required = true, .words = &namespace_words},
    {.name = "path", .kind = WRAP_FIELD_PATH, .offset = offsetof(struct namespace_row, path)},
};
// clang-format on
static const struct wrap_shape namespace_shape =
    WRAP_SHAPE(namespace_fields, struct namespace_row, NULL);

static bool has_namespace(const struct wrap_spec *spec, enum wrap_namespace type)
{
    return (spec->namespaces_new & (1u << type)) || spec->namespace_paths[type];
}

static bool add_namespace(struct wrap_reader *reader, const struct namespace_row *row,
                          struct wrap_spec *spec)
{
    if (has_namespace(spec, (enum wrap_namespace)row->type)) {
        return wrap_read_fail(reader, "'%s' is given twice", namespace_types[row->type].word);
    }
    if (row->path[0]) {
        spec->namespace_paths[row->type] = row->path;
    } else {
        spec->namespaces_new |= 1u << row->type;
    }
    return row->type != WRAP_NS_TIME || wrap_read_refuse(reader);
}

static bool read_namespaces(struct wrap_reader *reader, const json_t *json, void *out)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > WRAP_NS_COUNT) {
        return wrap_read_fail(reader, "not an array of at most %d objects", WRAP_NS_COUNT);
    }
    for (size_t i = 0; i < count; i++) {
        struct namespace_row row = {0};
        reader->path[reader->depth - 1].index = i;
        if (!wrap_read_object(reader, json_array_get(json, i), &namespace_shape, &row) ||
            !add_namespace(reader, &row, out)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- ids and devices */

static bool check_id_map(struct wrap_reader *reader, void *object)
{
    const struct wrap_id_map *map = object;
    bool fits = map->size && map->container_id <= UINT32_MAX - map->size &&
                map->host_id <= UINT32_MAX - map->size;
    return fits || wrap_read_fail_at(reader, "size", "not a range of ids");
}

// clang-format off
static const struct wrap_field id_map_fields[] = {
    {.name = "containerID", .kind = WRAP_FIELD_U32, .offset = IN_MAP(container_id), .required = true, .max = UINT32_MAX},
    {.name = "hostID",      .kind = WRAP_FIELD_U32, .offset = IN_MAP(host_id),      .required = true, .max = UINT32_MAX},
    {.name = "size",        .kind = WRAP_FIELD_U32, .offset = IN_MAP(size),         .required = true, .max = UINT32_MAX},
};
// clang-format on
const struct wrap_shape wrap_id_map_shape =
    WRAP_SHAPE(id_map_fields, struct wrap_id_map, check_id_map);

static const struct wrap_word device_types[] = {{"c", 'c'}, {"u", 'u'}, {"b", 'b'}, {"p", 'p'}};
static const struct wrap_words device_words = WRAP_WORDS(device_types);

static bool read_device_type(struct wrap_reader *reader, const json_t *json, void *out)
{
    const char *word = json_string_value(json);
    int type = word ? wrap_word_value(&device_words, word) : -1;
    if (type < 0) {
        return wrap_read_fail(reader, "not c, u, b or p");
    }
    *(char *)out = (char)type;
    return true;
}

/* "Unless type is p", numbers must be given; what is not is the largest number, which none has. */
static bool check_device(struct wrap_reader *reader, void *object)
{
    struct wrap_device *device = object;
    if (device->type == 'p') {
        device->major = device->minor = 0;
    } else if (device->major == UINT32_MAX || device->minor == UINT32_MAX) {
        return wrap_read_fail_at(reader, device->major == UINT32_MAX ? "major" : "minor",
                                 "missing");
    }
    device->mode &= MODE_MAX; /* the type may stand in it as well */
    return true;
}

// clang-format off
static const struct wrap_field device_fields[] = {
    {.name = "type",     .kind = WRAP_FIELD_CALL, .offset = IN_DEVICE(type),  .required = true, .read = read_device_type},
    {.name = "path",     .kind = WRAP_FIELD_PATH, .offset = IN_DEVICE(path),  .required = true},
    {.name = "major",    .kind = WRAP_FIELD_U32,  .offset = IN_DEVICE(major), .max = UINT32_MAX - 1, .otherwise = -1},
    {.name = "minor",    .kind = WRAP_FIELD_U32,  .offset = IN_DEVICE(minor), .max = UINT32_MAX - 1, .otherwise = -1},
    {.name = "fileMode", .kind = WRAP_FIELD_U32,  .offset = IN_DEVICE(mode),  .max = UINT32_MAX, .otherwise = 0666},
    {.name = "uid",      .kind = WRAP_FIELD_U32,  .offset = IN_DEVICE(uid),   .max = UINT32_MAX},
    {.name = "gid",      .kind = WRAP_FIELD_U32,  .offset = IN_DEVICE(gid),   .max = UINT32_MAX},
};
// clang-format on
static const struct wrap_shape device_shape =
    WRAP_SHAPE(device_fields, struct wrap_device, check_device);

/* ---------------------------------------------------------------- the rest */

static bool read_propagation(struct wrap_reader *reader, const json_t *json, void *out)
{
    static const char *const words[] = {"private", "rprivate", "shared",     "rshared",    "slave",
                                        "rslave",  "",         "unbindable", "runbindable"};
    struct wrap_spec *spec = out;
    const char *word = json_string_value(json);
    for (size_t i = 0; word && i < WRAP_COUNT_OF(words); i++) {
        if (strcmp(words[i], word) == 0) {
            spec->rootfs_propagation = word;
            return true;
        }
    }
    return wrap_read_fail(reader, "unknown '%.60s'", word ? word : "value");
}

/* LINUX without flags is what every process has. */
static bool read_personality(struct wrap_reader *reader, const json_t *json, void *out)
{
    const char *domain = json_string_value(json_object_get(json, "domain"));
    (void)out;
    bool usual =
        domain && strcmp(domain, "LINUX") == 0 && !json_array_size(json_object_get(json, "flags"));
    return usual || wrap_read_refuse(reader);
}

static bool read_resources(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_spec *spec = out;
    spec->has_resources = true;
    return wrap_read_object(reader, json, &wrap_resources_shape, &spec->resources);
}

static bool read_seccomp(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_spec *spec = out;
    spec->has_seccomp = true;
    return wrap_read_object(reader, json, &wrap_seccomp_shape, &spec->seccomp);
}

static bool check_paths(struct wrap_reader *reader, const char *name,
                        const struct wrap_strings *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (paths->items[i][0] != '/') {
            return wrap_read_fail_at(reader, name, "'%.100s' is not an absolute path",
                                     paths->items[i]);
        }
    }
    return true;
}

static bool check_members(struct wrap_reader *reader, void *object)
{
    const struct wrap_spec *spec = object;
    return check_paths(reader, "maskedPaths", &spec->masked_paths) &&
           check_paths(reader, "readonlyPaths", &spec->readonly_paths);
}

// clang-format off
static const struct wrap_field linux_fields[] = {
    {.name = "namespaces",        .kind = WRAP_FIELD_CALL,  .read = read_namespaces},
    {.name = "uidMappings",       .kind = WRAP_FIELD_ITEMS, .offset = IN(uid_maps), .max = ID_MAPS_MAX, .shape = &wrap_id_map_shape},
    {.name = "gidMappings",       .kind = WRAP_FIELD_ITEMS, .offset = IN(gid_maps), .max = ID_MAPS_MAX, .shape = &wrap_id_map_shape},
    {.name = "devices",           .kind = WRAP_FIELD_ITEMS, .offset = IN(devices), .max = LIST_MAX, .shape = &device_shape},
    {.name = "cgroupsPath",       .kind = WRAP_FIELD_TEXT,  .offset = IN(cgroups_path)},
    {.name = "resources",         .kind = WRAP_FIELD_CALL,  .read = read_resources},
    {.name = "rootfsPropagation", .kind = WRAP_FIELD_CALL,  .read = read_propagation},
    {.name = "seccomp",           .kind = WRAP_FIELD_CALL,  .read = read_seccomp},
    {.name = "maskedPaths",       .kind = WRAP_FIELD_LIST,  .offset = IN(masked_paths), .max = LIST_MAX},
    {.name = "readonlyPaths",     .kind = WRAP_FIELD_LIST,  .offset = IN(readonly_paths), .max = LIST_MAX},
    {.name = "mountLabel",        .kind = WRAP_FIELD_TEXT,  .offset = IN(mount_label)},
    {.name = "sysctl",            .kind = WRAP_FIELD_MAP,   .offset = IN(sysctl), .max = LIST_MAX},
    {.name = "personality",       .kind = WRAP_FIELD_CALL,  .read = read_personality},
    {.name = "intelRdt",          .kind = WRAP_FIELD_REFUSED},
    {.name = "memoryPolicy",      .kind = WRAP_FIELD_REFUSED},
    {.name = "netDevices",        .kind = WRAP_FIELD_REFUSED},
    {.name = "timeOffsets",       .kind = WRAP_FIELD_REFUSED},
};
// clang-format on
const struct wrap_shape wrap_linux_shape =
    WRAP_SHAPE(linux_fields, struct wrap_spec, check_members);

/* ---------------------------------------------------------------- together */

/* Which namespace a sysctl belongs to, by its beginning. Others are the whole host's. */
struct sysctl_home {
    const char *name;
    enum wrap_namespace home;
};
static const struct sysctl_home sysctl_homes[] = {
    {"net.", WRAP_NS_NETWORK},      {"fs.mqueue.", WRAP_NS_IPC},
    {"kernel.msgmax", WRAP_NS_IPC}, {"kernel.msgmnb", WRAP_NS_IPC},
    {"kernel.msgmni", WRAP_NS_IPC}, {"kernel.sem", WRAP_NS_IPC},
    {"kernel.shmall", WRAP_NS_IPC}, {"kernel.shmmax", WRAP_NS_IPC},
    {"kernel.shmmni", WRAP_NS_IPC}, {"kernel.shm_rmid_forced", WRAP_NS_IPC},
    {"user.", WRAP_NS_USER},        {"kernel.domainname", WRAP_NS_UTS},
};

/* Compares as sysctl(8) does: a name may be written with slashes instead of dots. */
static bool is_sysctl(const char *name, const char *pattern)
{
    size_t i = 0;
    for (; pattern[i]; i++) {
        if (name[i] != pattern[i] && !(name[i] == '/' && pattern[i] == '.')) {
            return false;
        }
    }
    return pattern[i - 1] == '.' || !name[i];
}

/* It becomes the name of a file: no "..", no empty parts, whichever separator. */
static bool is_sysctl_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:";
    size_t length = strlen(name);
    if (!length || length > 255 || name[strspn(name, allowed)] || strchr("./", name[0]) ||
        strchr("./", name[length - 1])) {
        return false;
    }
    for (size_t i = 1; i < length; i++) {
        if (strchr("./", name[i - 1]) && strchr("./", name[i])) {
            return false;
        }
    }
    return true;
}

bool wrap_sysctl_check(struct wrap_reader *reader, const struct wrap_spec *spec)
{
    for (size_t i = 0; i < spec->sysctl_count; i++) {
        const char *name = spec->sysctl[i].key;
        int home = -1;
        for (size_t k = 0; k < WRAP_COUNT_OF(sysctl_homes); k++) {
            home = is_sysctl(name, sysctl_homes[k].name) ? (int)sysctl_homes[k].home : home;
        }
        bool own = home >= 0 && has_namespace(spec, (enum wrap_namespace)home);
        if (!own || !is_sysctl_name(name)) {
            return wrap_read_fail_at(reader, "linux.sysctl",
                                     "'%.80s' is not of a namespace of this container", name);
        }
    }
    return true;
}

bool wrap_linux_check(struct wrap_reader *reader, const struct wrap_spec *spec)
{
    bool user = has_namespace(spec, WRAP_NS_USER);
    bool mapped = spec->uid_maps.count && spec->gid_maps.count;
    if ((spec->hostname[0] || spec->domainname[0]) && !has_namespace(spec, WRAP_NS_UTS)) {
        return wrap_read_fail_at(reader, spec->hostname[0] ? "hostname" : "domainname",
                                 "needs a uts namespace");
    }
    if (!user && (spec->uid_maps.count || spec->gid_maps.count)) {
        return wrap_read_fail_at(reader, "linux.uidMappings", "need a user namespace");
    }
    if ((spec->namespaces_new & (1u << WRAP_NS_USER)) && !mapped) {
        return wrap_read_fail_at(reader, "linux.uidMappings",
                                 "a new user namespace needs them and gidMappings");
    }
    if ((spec->masked_paths.count || spec->readonly_paths.count) &&
        !has_namespace(spec, WRAP_NS_MOUNT)) {
        return wrap_read_fail_at(reader, "linux.maskedPaths", "need a mount namespace");
    }
    return wrap_sysctl_check(reader, spec);
}
