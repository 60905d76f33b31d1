/* SPDX-License-Identifier: Apache-2.0 */
/* spec_process.c - `process`, of a configuration and of an Exec request (config.md#process). */
#include "common/spec_read.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/resource.h>

enum {
    GROUPS_MAX = 65536, /* the kernel's NGROUPS_MAX */
    STRINGS_MAX = 65536,
    CAPS_MAX = 256,
    UMASK_MAX = 0777
};

#define IN(member) offsetof(struct wrap_process, member)
#define IN_CAPS(member) offsetof(struct wrap_caps, member)
#define IN_RLIMIT(member) offsetof(struct wrap_rlimit, member)
_Static_assert(IN(rlimit_count) == IN(rlimits) + sizeof(void *), "a pointer and its count");
_Static_assert(IN(group_count) == IN(groups) + sizeof(void *), "a pointer and its count");

/* ---------------------------------------------------------------- user */

static bool read_groups(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_process *process = out;
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > GROUPS_MAX) {
        return wrap_read_fail(reader, "not an array of at most %d groups", GROUPS_MAX);
    }
    process->groups = wrap_read_take(reader, count, sizeof process->groups[0]);
    if (!process->groups) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json, i);
        int64_t group = json_integer_value(item);
        if (!json_is_integer(item) || group < 0 || group > UINT32_MAX) {
            return wrap_read_fail(reader, "not integers from 0 to %u", UINT32_MAX);
        }
        process->groups[i] = (uint32_t)group;
    }
    process->group_count = count;
    return true;
}

// clang-format off
static const struct wrap_field user_fields[] = {
    {.name = "uid",   .kind = WRAP_FIELD_U32, .offset = IN(uid),   .max = UINT32_MAX},
    {.name = "gid",   .kind = WRAP_FIELD_U32, .offset = IN(gid),   .max = UINT32_MAX},
    {.name = "umask", .kind = WRAP_FIELD_U32, .offset = IN(umask), .max = UMASK_MAX, .otherwise = -1},
    {.name = "additionalGids", .kind = WRAP_FIELD_CALL, .read = read_groups},
};
static const struct wrap_shape user_shape = WRAP_SHAPE(user_fields, struct wrap_process, NULL);

static const struct wrap_field console_fields[] = {
    {.name = "height", .kind = WRAP_FIELD_U16, .offset = IN(rows),    .max = UINT16_MAX},
    {.name = "width",  .kind = WRAP_FIELD_U16, .offset = IN(columns), .max = UINT16_MAX},
};
static const struct wrap_shape console_shape = WRAP_SHAPE(console_fields, struct wrap_process, NULL);
// clang-format on

/* ---------------------------------------------------------------- capabilities */

/*
 * A name that libcap does not know is left out: what can't be named can't be granted, and runc does
 * the same. libcap takes any case and also bare numbers, which are no names.
 */
static bool read_caps(struct wrap_reader *reader, const json_t *json, void *out)
{
    uint64_t bits = 0;
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > CAPS_MAX) {
        return wrap_read_fail(reader, "not an array of at most %d strings", CAPS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(json, i));
        cap_value_t cap = 0;
        if (!name) {
            return wrap_read_fail(reader, "not an array of strings");
        }
        bool known = strncasecmp(name, "CAP_", 4) == 0 && cap_from_name(name, &cap) == 0;
        if (known && cap >= 0 && cap < 64) {
            bits |= UINT64_C(1) << cap;
        }
    }
    memcpy(out, &bits, sizeof bits);
    return true;
}

// clang-format off
static const struct wrap_field caps_fields[] = {
    {.name = "bounding",    .kind = WRAP_FIELD_CALL, .offset = IN_CAPS(bounding),    .read = read_caps},
    {.name = "effective",   .kind = WRAP_FIELD_CALL, .offset = IN_CAPS(effective),   .read = read_caps},
    {.name = "inheritable", .kind = WRAP_FIELD_CALL, .offset = IN_CAPS(inheritable), .read = read_caps},
    {.name = "permitted",   .kind = WRAP_FIELD_CALL, .offset = IN_CAPS(permitted),   .read = read_caps},
    {.name = "ambient",     .kind = WRAP_FIELD_CALL, .offset = IN_CAPS(ambient),     .read = read_caps},
};
// clang-format on
static const struct wrap_shape caps_shape = WRAP_SHAPE(caps_fields, struct wrap_caps, NULL);

static bool read_all_caps(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_process *process = out;
    process->has_caps = true;
    return wrap_read_object(reader, json, &caps_shape, &process->caps);
}

/* ---------------------------------------------------------------- limits */

// clang-format off
static const struct wrap_word rlimit_names[] = {
    {"RLIMIT_AS", RLIMIT_AS},                 {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},               {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},           {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},       {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},             {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},           {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},         {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING}, {"RLIMIT_STACK", RLIMIT_STACK},
};
static const struct wrap_words rlimit_words = WRAP_WORDS(rlimit_names);
static const struct wrap_field rlimit_fields[] = {
    {.name = "type", .kind = WRAP_FIELD_WORD, .offset = IN_RLIMIT(resource), .required = true, .words = &rlimit_words},
    {.name = "soft", .kind = WRAP_FIELD_U64,  .offset = IN_RLIMIT(soft),     .required = true, .max = UINT64_MAX},
    {.name = "hard", .kind = WRAP_FIELD_U64,  .offset = IN_RLIMIT(hard),     .required = true, .max = UINT64_MAX},
};
// clang-format on

static bool check_rlimit(struct wrap_reader *reader, void *object)
{
    const struct wrap_rlimit *limit = object;
    return limit->soft <= limit->hard || wrap_read_fail_at(reader, "soft", "larger than hard");
}
static const struct wrap_shape rlimit_shape =
    WRAP_SHAPE(rlimit_fields, struct wrap_rlimit, check_rlimit);

static bool check_rlimits(struct wrap_reader *reader, const struct wrap_process *process)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < process->rlimit_count; i++) {
        uint64_t bit = UINT64_C(1) << process->rlimits[i].resource;
        if (seen & bit) {
            return wrap_read_fail_at(reader, "rlimits", "one type is given twice");
        }
        seen |= bit;
    }
    return true;
}

/* ---------------------------------------------------------------- all of it */

static bool read_oom_score(struct wrap_reader *reader, const json_t *json, void *out)
{
    struct wrap_process *process = out;
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < -1000 || value > 1000) {
        return wrap_read_fail(reader, "not an integer from -1000 to 1000");
    }
    process->has_oom_score_adj = true;
    process->oom_score_adj = (int)value;
    return true;
}

/* As runc: an entry that no program could look up is refused. */
static bool check_env(struct wrap_reader *reader, const struct wrap_strings *env)
{
    for (size_t i = 0; i < env->count; i++) {
        const char *equals = strchr(env->items[i], '=');
        if (!equals || equals == env->items[i]) {
            return wrap_read_fail_at(reader, "env", "'%.60s' is not NAME=VALUE", env->items[i]);
        }
    }
    return true;
}

static bool check_process(struct wrap_reader *reader, void *object)
{
    struct wrap_process *process = object;
    if (!process->terminal) {
        process->rows = process->columns = 0; /* "MUST ignore consoleSize" */
    }
    if (!process->args.count) {
        return wrap_read_fail_at(reader, "args", "is empty");
    }
    return check_env(reader, &process->env) && check_rlimits(reader, process);
}

// clang-format off
static const struct wrap_field process_fields[] = {
    {.name = "terminal",        .kind = WRAP_FIELD_BOOL,    .offset = IN(terminal)},
    {.name = "consoleSize",     .kind = WRAP_FIELD_OBJECT,  .shape = &console_shape},
    {.name = "user",            .kind = WRAP_FIELD_OBJECT,  .shape = &user_shape},
    {.name = "args",            .kind = WRAP_FIELD_LIST,    .offset = IN(args), .required = true, .max = STRINGS_MAX},
    {.name = "env",             .kind = WRAP_FIELD_LIST,    .offset = IN(env), .max = STRINGS_MAX},
    {.name = "cwd",             .kind = WRAP_FIELD_PATH,    .offset = IN(cwd), .required = true},
    {.name = "capabilities",    .kind = WRAP_FIELD_CALL,    .read = read_all_caps},
    {.name = "rlimits",         .kind = WRAP_FIELD_ITEMS,   .offset = IN(rlimits), .max = RLIM_NLIMITS, .shape = &rlimit_shape},
    {.name = "noNewPrivileges", .kind = WRAP_FIELD_BOOL,    .offset = IN(no_new_privileges)},
    {.name = "apparmorProfile", .kind = WRAP_FIELD_TEXT,    .offset = IN(apparmor_profile)},
    {.name = "selinuxLabel",    .kind = WRAP_FIELD_TEXT,    .offset = IN(selinux_label)},
    {.name = "oomScoreAdj",     .kind = WRAP_FIELD_CALL,    .read = read_oom_score},
    {.name = "scheduler",       .kind = WRAP_FIELD_REFUSED},
    {.name = "ioPriority",      .kind = WRAP_FIELD_REFUSED},
    {.name = "execCPUAffinity", .kind = WRAP_FIELD_REFUSED},
};
// clang-format on
const struct wrap_shape wrap_process_shape =
    WRAP_SHAPE(process_fields, struct wrap_process, check_process);

const char *wrap_process_env(const struct wrap_process *process, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = process->env.count; i-- > 0;) { /* the last one counts */
        const char *entry = process->env.items[i];
        if (strncmp(entry, name, length) == 0 && entry[length] == '=') {
            return entry + length + 1;
        }
    }
    return NULL;
}
