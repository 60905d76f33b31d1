/* SPDX-License-Identifier: Apache-2.0 */
/* spec_seccomp.c - `linux.seccomp` (config-linux.md#seccomp); numbers of calls are not looked up.
 */
#include "common/spec_read.h"

#include <errno.h>
#include <string.h>

enum { RULES_MAX = 4096, NAMES_MAX = 4096, ARGS_MAX = 64, WORDS_MAX = 64, ERRNO_MAX = 4095 };

#define IN(member) offsetof(struct wrap_seccomp, member)
#define IN_RULE(member) offsetof(struct wrap_seccomp_rule, member)
#define IN_ARG(member) offsetof(struct wrap_seccomp_arg, member)
_Static_assert(IN(rule_count) == IN(rules) + sizeof(void *), "a pointer and its count");
_Static_assert(IN_RULE(arg_count) == IN_RULE(args) + sizeof(void *), "a pointer and its count");

static const struct wrap_word actions[] = {
    {"SCMP_ACT_ALLOW", WRAP_SCMP_ALLOW},
    {"SCMP_ACT_ERRNO", WRAP_SCMP_ERRNO},
    {"SCMP_ACT_KILL", WRAP_SCMP_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", WRAP_SCMP_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD", WRAP_SCMP_KILL_THREAD},
    {"SCMP_ACT_TRAP", WRAP_SCMP_TRAP},
    {"SCMP_ACT_TRACE", WRAP_SCMP_TRACE},
    {"SCMP_ACT_LOG", WRAP_SCMP_LOG},
    {"SCMP_ACT_NOTIFY", WRAP_SCMP_NOTIFY},
};
static const struct wrap_words action_words = WRAP_WORDS(actions);
static const struct wrap_word operators[] = {
    {"SCMP_CMP_NE", WRAP_CMP_NE},
    {"SCMP_CMP_LT", WRAP_CMP_LT},
    {"SCMP_CMP_LE", WRAP_CMP_LE},
    {"SCMP_CMP_EQ", WRAP_CMP_EQ},
    {"SCMP_CMP_GE", WRAP_CMP_GE},
    {"SCMP_CMP_GT", WRAP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", WRAP_CMP_MASKED_EQ},
};
static const struct wrap_words operator_words = WRAP_WORDS(operators);

// clang-format off
static const struct wrap_field arg_fields[] = {
    {.name = "index",    .kind = WRAP_FIELD_U32,  .offset = IN_ARG(index),     .required = true, .max = 5},
    {.name = "value",    .kind = WRAP_FIELD_U64,  .offset = IN_ARG(value),     .required = true, .max = UINT64_MAX},
    {.name = "valueTwo", .kind = WRAP_FIELD_U64,  .offset = IN_ARG(value_two), .max = UINT64_MAX},
    {.name = "op",       .kind = WRAP_FIELD_WORD, .offset = IN_ARG(op),        .required = true, .words = &operator_words},
};
// clang-format on
static const struct wrap_shape arg_shape = WRAP_SHAPE(arg_fields, struct wrap_seccomp_arg, NULL);

/* The kernel keeps errnos below 4096; for a tracer there are 16 bits. */
static bool check_errno(struct wrap_reader *reader, const char *name,
                        enum wrap_seccomp_action action, uint32_t number)
{
    bool fits = action == WRAP_SCMP_TRACE || number <= ERRNO_MAX;
    return fits || wrap_read_fail_at(reader, name, "not an integer from 0 to %d", ERRNO_MAX);
}

/* "When the action doesn't support an errno, the runtime MUST print and error and fail." */
static bool takes_errno(enum wrap_seccomp_action action)
{
    return action == WRAP_SCMP_ERRNO || action == WRAP_SCMP_TRACE;
}

static bool refuse_member(struct wrap_reader *reader, const char *name)
{
    if (!wrap_read_enter(reader, name, SIZE_MAX) || !wrap_read_refuse(reader)) {
        return false;
    }
    wrap_read_leave(reader);
    return true;
}

static const uint32_t errno_none = UINT32_MAX;

static bool settle_errno(struct wrap_reader *reader, const char *name,
                         enum wrap_seccomp_action action, uint32_t *number)
{
    if (*number == errno_none) {
        *number = EPERM;
        return true;
    }
    if (!takes_errno(action)) {
        return wrap_read_fail_at(reader, name, "the action takes none");
    }
    return check_errno(reader, name, action, *number);
}

static bool check_rule(struct wrap_reader *reader, void *object)
{
    struct wrap_seccomp_rule *rule = object;
    if (!rule->names.count) {
        return wrap_read_fail_at(reader, "names", "is empty");
    }
    if (rule->action == WRAP_SCMP_NOTIFY && !refuse_member(reader, "action")) {
        return false;
    }
    return settle_errno(reader, "errnoRet", rule->action, &rule->errno_ret);
}

// clang-format off
static const struct wrap_field rule_fields[] = {
    {.name = "names",    .kind = WRAP_FIELD_LIST,  .offset = IN_RULE(names),     .required = true, .max = NAMES_MAX},
    {.name = "action",   .kind = WRAP_FIELD_WORD,  .offset = IN_RULE(action),    .required = true, .words = &action_words},
    {.name = "errnoRet", .kind = WRAP_FIELD_U32,   .offset = IN_RULE(errno_ret), .max = UINT16_MAX, .otherwise = -1},
    {.name = "args",     .kind = WRAP_FIELD_ITEMS, .offset = IN_RULE(args),      .max = ARGS_MAX, .shape = &arg_shape},
};
// clang-format on
static const struct wrap_shape rule_shape =
    WRAP_SHAPE(rule_fields, struct wrap_seccomp_rule, check_rule);

/* Words that the profile's compiler knows or not; here they must only be of their kind. */
static bool check_words(struct wrap_reader *reader, const char *name, const char *prefix,
                        const struct wrap_strings *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strncmp(words->items[i], prefix, strlen(prefix)) != 0) {
            return wrap_read_fail_at(reader, name, "unknown '%.60s'", words->items[i]);
        }
    }
    return true;
}

static bool check_seccomp(struct wrap_reader *reader, void *object)
{
    struct wrap_seccomp *seccomp = object;
    if (seccomp->default_action == WRAP_SCMP_NOTIFY && !refuse_member(reader, "defaultAction")) {
        return false;
    }
    return settle_errno(reader, "defaultErrnoRet", seccomp->default_action,
                        &seccomp->default_errno) &&
           check_words(reader, "architectures", "SCMP_ARCH_", &seccomp->architectures) &&
           check_words(reader, "flags", "SECCOMP_FILTER_FLAG_", &seccomp->flags);
}

// clang-format off
static const struct wrap_field seccomp_fields[] = {
    {.name = "defaultAction",    .kind = WRAP_FIELD_WORD,  .offset = IN(default_action), .required = true, .words = &action_words},
    {.name = "defaultErrnoRet",  .kind = WRAP_FIELD_U32,   .offset = IN(default_errno),  .max = UINT16_MAX, .otherwise = -1},
    {.name = "architectures",    .kind = WRAP_FIELD_LIST,  .offset = IN(architectures),  .max = WORDS_MAX},
    {.name = "flags",            .kind = WRAP_FIELD_LIST,  .offset = IN(flags),          .max = WORDS_MAX},
    {.name = "listenerPath",     .kind = WRAP_FIELD_REFUSED},
    {.name = "listenerMetadata", .kind = WRAP_FIELD_REFUSED},
    {.name = "syscalls",         .kind = WRAP_FIELD_ITEMS, .offset = IN(rules), .max = RULES_MAX, .shape = &rule_shape},
};
// clang-format on
const struct wrap_shape wrap_seccomp_shape =
    WRAP_SHAPE(seccomp_fields, struct wrap_seccomp, check_seccomp);
