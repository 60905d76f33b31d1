/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_resources.c - `linux.resources`, of a configuration and of an Update request
 * (config-linux.md#control-groups). Words that become names of files are checked here.
 */
#include "common/spec_read.h"

#include <ctype.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 1024, KEY_MAX = 128 };

#define IN(member) offsetof(struct wrap_resources, member)
_Static_assert(IN(device_rule_count) == IN(device_rules) + sizeof(void *), "pointer and count");
_Static_assert(IN(huge_limit_count) == IN(huge_limits) + sizeof(void *), "pointer and count");
_Static_assert(IN(unified_count) == IN(unified) + sizeof(void *), "pointer and count");
_Static_assert(IN(net_priority_count) == IN(net_priorities) + sizeof(void *), "pointer and count");

/* ---------------------------------------------------------------- memory, cpu, pids */

// clang-format off
static const struct wrap_field memory_fields[] = {
    {.name = "limit",       .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(memory_limit),       .min = -1, .max = INT64_MAX},
    {.name = "reservation", .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(memory_reservation), .min = -1, .max = INT64_MAX},
    {.name = "swap",        .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(memory_swap),        .min = -1, .max = INT64_MAX},
    {.name = "kernel",      .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(memory_kernel),      .min = -1, .max = INT64_MAX},
    {.name = "kernelTCP",   .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(memory_kernel_tcp),  .min = -1, .max = INT64_MAX},
    {.name = "swappiness",  .kind = WRAP_FIELD_MAYBE,    .offset = IN(memory_swappiness),  .max = 100},
    {.name = "disableOOMKiller", .kind = WRAP_FIELD_BOOL, .offset = IN(memory_disable_oom_killer)},
};
static const struct wrap_shape memory_shape = WRAP_SHAPE(memory_fields, struct wrap_resources, NULL);

static const struct wrap_field cpu_fields[] = {
    {.name = "shares",          .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(cpu_shares),           .max = INT64_MAX},
    {.name = "quota",           .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(cpu_quota), .min = -1, .max = INT64_MAX},
    {.name = "period",          .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(cpu_period),           .max = INT64_MAX},
    {.name = "burst",           .kind = WRAP_FIELD_MAYBE,    .offset = IN(cpu_burst),            .max = INT64_MAX},
    {.name = "realtimeRuntime", .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(cpu_realtime_runtime), .min = -1, .max = INT64_MAX},
    {.name = "realtimePeriod",  .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(cpu_realtime_period),  .max = INT64_MAX},
    {.name = "idle",            .kind = WRAP_FIELD_MAYBE,    .offset = IN(cpu_idle),             .max = 1},
    {.name = "cpus",            .kind = WRAP_FIELD_TEXT_IF,  .offset = IN(cpus)},
    {.name = "mems",            .kind = WRAP_FIELD_TEXT_IF,  .offset = IN(mems)},
};
// clang-format on

/* "0-3,7": what goes into a file of the kernel has nothing else in it. */
static bool is_cpu_list(const char *text)
{
    return !text || text[strspn(text, "0123456789,- ")] == 0;
}

static bool check_cpu(struct wrap_reader *reader, void *object)
{
    const struct wrap_resources *resources = object;
    if (!is_cpu_list(resources->cpus)) {
        return wrap_read_fail_at(reader, "cpus", "not a list such as 0-3,7");
    }
    return is_cpu_list(resources->mems) ||
           wrap_read_fail_at(reader, "mems", "not a list such as 0-1");
}
static const struct wrap_shape cpu_shape = WRAP_SHAPE(cpu_fields, struct wrap_resources, check_cpu);

static const struct wrap_field pids_fields[] = {
    /* Unlike those of memory and cpu, a limit of 0 is one. */
    {.name = "limit",
     .kind = WRAP_FIELD_MAYBE,
     .offset = IN(pids_limit),
     .min = -1,
     .max = INT64_MAX},
};
static const struct wrap_shape pids_shape = WRAP_SHAPE(pids_fields, struct wrap_resources, NULL);

/* ---------------------------------------------------------------- devices */

static const struct wrap_word rule_types[] = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"", 'a'}};
static const struct wrap_words rule_type_words = WRAP_WORDS(rule_types);

struct rule_row {
    bool allow;
    int type;
    int64_t major, minor;
    const char *access;
};
// clang-format off
static const struct wrap_field rule_fields[] = {
    {.name = "allow",  .kind = WRAP_FIELD_BOOL, .offset = offsetof(struct rule_row, allow)},
    {.name = "type",   .kind = WRAP_FIELD_WORD, .offset = offsetof(struct rule_row, type), .words = &rule_type_words},
    {.name = "major",  .kind = WRAP_FIELD_I64,  .offset = offsetof(struct rule_row, major), .min = -1, .max = UINT32_MAX, .otherwise = -1},
    {.name = "minor",  .kind = WRAP_FIELD_I64,  .offset = offsetof(struct rule_row, minor), .min = -1, .max = UINT32_MAX, .otherwise = -1},
    {.name = "access", .kind = WRAP_FIELD_TEXT, .offset = offsetof(struct rule_row, access)},
};
// clang-format on
static const struct wrap_shape rule_shape = WRAP_SHAPE(rule_fields, struct rule_row, NULL);

static bool read_rule(struct wrap_reader *reader, const json_t *json, struct wrap_device_rule *out)
{
    static const char letters[] = "rwm";
    struct rule_row row = {.type = 'a'};
    size_t used = 0;
    if (!wrap_read_object(reader, json, &rule_shape, &row)) {
        return false;
    }
    if (row.access[strspn(row.access, letters)]) {
        return wrap_read_fail_at(reader, "access", "'%.20s' is not of r, w, m", row.access);
    }
    *out = (struct wrap_device_rule){.allow = row.allow, .type = (char)row.type};
    out->major = row.major;
    out->minor = row.minor;
    for (const char *letter = letters; *letter; letter++) {
        if (!row.access[0] || strchr(row.access, *letter)) {
            out->access[used++] = *letter;
        }
    }
    return true;
}

static bool read_rules(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_resources *resources = out;
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > ROWS_MAX) {
        return wrap_read_fail(reader, "not an array of at most %d objects", ROWS_MAX);
    }
    resources->device_rules = wrap_read_take(reader, count, sizeof resources->device_rules[0]);
    for (size_t i = 0; resources->device_rules && i < count; i++) {
        reader->path[reader->depth - 1].index = i;
        if (!read_rule(reader, json_array_get(json, i), &resources->device_rules[i])) {
            return false;
        }
    }
    resources->device_rule_count = count;
    return resources->device_rules;
}

/* ---------------------------------------------------------------- block devices */

struct io_row {
    int64_t major, minor;
    uint64_t rate;
    struct wrap_maybe weight;
};
// clang-format off
static const struct wrap_field rate_fields[] = {
    {.name = "major", .kind = WRAP_FIELD_I64, .offset = offsetof(struct io_row, major), .required = true, .max = UINT32_MAX},
    {.name = "minor", .kind = WRAP_FIELD_I64, .offset = offsetof(struct io_row, minor), .required = true, .max = UINT32_MAX},
    {.name = "rate",  .kind = WRAP_FIELD_U64, .offset = offsetof(struct io_row, rate),  .required = true, .max = UINT64_MAX},
};
static const struct wrap_field weight_fields[] = {
    {.name = "major",  .kind = WRAP_FIELD_I64,      .offset = offsetof(struct io_row, major), .required = true, .max = UINT32_MAX},
    {.name = "minor",  .kind = WRAP_FIELD_I64,      .offset = offsetof(struct io_row, minor), .required = true, .max = UINT32_MAX},
    {.name = "weight", .kind = WRAP_FIELD_MAYBE_NZ, .offset = offsetof(struct io_row, weight), .max = 1000},
    {.name = "leafWeight", .kind = WRAP_FIELD_REFUSED},
};
static const struct wrap_shape rate_shape = WRAP_SHAPE(rate_fields, struct io_row, NULL);
static const struct wrap_shape weight_shape = WRAP_SHAPE(weight_fields, struct io_row, NULL);

struct io_kind {
    const char *name, *file;
    const struct wrap_shape *shape;
};
static const struct io_kind io_kinds[] = {
    {"weightDevice",            "blkio.weight_device",              &weight_shape},
    {"throttleReadBpsDevice",   "blkio.throttle.read_bps_device",   &rate_shape},
    {"throttleWriteBpsDevice",  "blkio.throttle.write_bps_device",  &rate_shape},
    {"throttleReadIOPSDevice",  "blkio.throttle.read_iops_device",  &rate_shape},
    {"throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", &rate_shape},
};
static const struct wrap_field io_fields[] = {
    {.name = "weight",     .kind = WRAP_FIELD_MAYBE_NZ, .offset = IN(io_weight), .max = 1000},
    {.name = "leafWeight", .kind = WRAP_FIELD_REFUSED},
};
// clang-format on
static const struct wrap_shape io_shape = WRAP_SHAPE(io_fields, struct wrap_resources, NULL);

static bool read_io_rows(struct wrap_reader *reader, const json_t *json, const struct io_kind *kind,
                         struct wrap_resources *out)
{
    size_t count = json_array_size(json);
    if (!wrap_read_enter(reader, kind->name, SIZE_MAX)) {
        return false;
    }
    if (!json_is_array(json) || count > ROWS_MAX) {
        return wrap_read_fail(reader, "not an array of at most %d objects", ROWS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct io_row row = {0};
        reader->path[reader->depth - 1].index = i;
        if (!wrap_read_object(reader, json_array_get(json, i), kind->shape, &row)) {
            return false;
        }
        bool is_weight = kind->shape == &weight_shape;
        if (is_weight && !row.weight.given) {
            continue;
        }
        out->io_limits[out->io_limit_count++] = (struct wrap_io_limit){
            kind->file, row.major, row.minor, is_weight ? (uint64_t)row.weight.value : row.rate};
    }
    wrap_read_leave(reader);
    return true;
}

static bool read_io(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_resources *resources = out;
    size_t total = 0;
    if (!wrap_read_object(reader, json, &io_shape, resources)) {
        return false;
    }
    for (size_t i = 0; i < WRAP_COUNT_OF(io_kinds); i++) {
        size_t count = json_array_size(json_object_get(json, io_kinds[i].name));
        total += count <= ROWS_MAX ? count : 0; /* the others are refused below */
    }
    resources->io_limits = wrap_read_take(reader, total, sizeof resources->io_limits[0]);
    if (!resources->io_limits) {
        return false;
    }
    for (size_t i = 0; i < WRAP_COUNT_OF(io_kinds); i++) {
        const json_t *rows = json_object_get(json, io_kinds[i].name);
        bool given = rows && !json_is_null(rows);
        if (given && !read_io_rows(reader, rows, &io_kinds[i], resources)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- huge pages, network, v2 files */

/* "2MB", "1GB", "64KB" */
static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    return digits && digits < 8 && unit[0] && strchr("KMG", unit[0]) && strcmp(unit + 1, "B") == 0;
}

static bool check_huge(struct wrap_reader *reader, void *object)
{
    const struct wrap_huge_limit *limit = object;
    return is_page_size(limit->page_size) ||
           wrap_read_fail_at(reader, "pageSize", "'%.20s' is not a size such as 2MB",
                             limit->page_size);
}

// clang-format off
static const struct wrap_field huge_fields[] = {
    {.name = "pageSize", .kind = WRAP_FIELD_TEXT, .offset = offsetof(struct wrap_huge_limit, page_size), .required = true},
    {.name = "limit",    .kind = WRAP_FIELD_U64,  .offset = offsetof(struct wrap_huge_limit, bytes),     .required = true, .max = UINT64_MAX},
};
// clang-format on
static const struct wrap_shape huge_shape =
    WRAP_SHAPE(huge_fields, struct wrap_huge_limit, check_huge);

struct priority_row {
    const char *name;
    uint32_t priority;
};

static bool is_interface(const char *name)
{
    for (const char *at = name; *at; at++) {
        if (*at == '/' || isspace((unsigned char)*at)) {
            return false;
        }
    }
    return name[0] && strlen(name) < IFNAMSIZ;
}

// clang-format off
static const struct wrap_field priority_fields[] = {
    {.name = "name",     .kind = WRAP_FIELD_TEXT, .offset = offsetof(struct priority_row, name),     .required = true},
    {.name = "priority", .kind = WRAP_FIELD_U32,  .offset = offsetof(struct priority_row, priority), .required = true, .max = UINT32_MAX},
};
// clang-format on
static const struct wrap_shape priority_shape =
    WRAP_SHAPE(priority_fields, struct priority_row, NULL);

static bool read_priorities(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_resources *resources = out;
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > ROWS_MAX) {
        return wrap_read_fail(reader, "not an array of at most %d objects", ROWS_MAX);
    }
    resources->net_priorities = wrap_read_take(reader, count, sizeof resources->net_priorities[0]);
    for (size_t i = 0; resources->net_priorities && i < count; i++) {
        struct priority_row row = {0};
        reader->path[reader->depth - 1].index = i;
        if (!wrap_read_object(reader, json_array_get(json, i), &priority_shape, &row)) {
            return false;
        }
        if (!is_interface(row.name)) {
            return wrap_read_fail_at(reader, "name", "not the name of an interface");
        }
        const char *text = wrap_read_format(reader, "%" PRIu32, row.priority);
        if (!text) {
            return false;
        }
        resources->net_priorities[i] = (struct wrap_key_value){row.name, text};
    }
    resources->net_priority_count = count;
    return resources->net_priorities;
}

// clang-format off
static const struct wrap_field net_fields[] = {
    {.name = "classID",    .kind = WRAP_FIELD_MAYBE, .offset = IN(net_class_id), .max = UINT32_MAX},
    {.name = "priorities", .kind = WRAP_FIELD_CALL,  .read = read_priorities},
};
// clang-format on
static const struct wrap_shape net_shape = WRAP_SHAPE(net_fields, struct wrap_resources, NULL);

/* A file in the group's own folder: "memory.high". */
static bool is_v2_file(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t length = strlen(name);
    return name[0] != '.' && strchr(name, '.') && length < KEY_MAX &&
           strspn(name, allowed) == length;
}

/* ---------------------------------------------------------------- all of it */

static bool check_resources(struct wrap_reader *reader, void *object)
{
    const struct wrap_resources *resources = object;
    for (size_t i = 0; i < resources->unified_count; i++) {
        if (!is_v2_file(resources->unified[i].key)) {
            return wrap_read_fail_at(reader, "unified", "'%.60s' is not a file of a cgroup",
                                     resources->unified[i].key);
        }
    }
    return true;
}

// clang-format off
static const struct wrap_field resources_fields[] = {
    {.name = "devices",        .kind = WRAP_FIELD_CALL,   .read = read_rules},
    {.name = "memory",         .kind = WRAP_FIELD_OBJECT, .shape = &memory_shape},
    {.name = "cpu",            .kind = WRAP_FIELD_OBJECT, .shape = &cpu_shape},
    {.name = "pids",           .kind = WRAP_FIELD_OBJECT, .shape = &pids_shape},
    {.name = "blockIO",        .kind = WRAP_FIELD_CALL,   .read = read_io},
    {.name = "hugepageLimits", .kind = WRAP_FIELD_ITEMS,  .offset = IN(huge_limits), .max = ROWS_MAX, .shape = &huge_shape},
    {.name = "network",        .kind = WRAP_FIELD_OBJECT, .shape = &net_shape},
    {.name = "rdma",           .kind = WRAP_FIELD_REFUSED},
    {.name = "unified",        .kind = WRAP_FIELD_MAP,    .offset = IN(unified), .max = ROWS_MAX},
};
// clang-format on
const struct wrap_shape wrap_resources_shape =
    WRAP_SHAPE(resources_fields, struct wrap_resources, check_resources);
