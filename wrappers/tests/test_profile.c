/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_profile.c - profiles of seccomp: programs run by an interpreter of BPF and compared with a
 * naive reading of the rules and with libseccomp's programs; what is refused.
 */
#include "bpf.h"
#include "sandbox/landlock.h"
#include "sandbox/policy.h"
#include "sandbox/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if WRAP_HAVE_SECCOMP
#include <seccomp.h>
#endif

#if defined(__x86_64__)
enum { AUDIT = (int)WRAP_AUDIT_X86_64 };
#define NUMBER(x86_64, aarch64) x86_64
#else
enum { AUDIT = (int)WRAP_AUDIT_AARCH64 };
#define NUMBER(x86_64, aarch64) aarch64
#endif
enum { NONE = -1, ROOM = 64 };

static const struct {
    const char *name;
    int number;
} calls[] = {
#define SYSCALL(name, x86_64, aarch64, rule) {#name, NUMBER(x86_64, aarch64)},
#include "sandbox/syscalls.def"
#undef SYSCALL
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

static uint64_t seed = 88172645463325252u;
static uint64_t chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static unsigned below(unsigned limit) { return (unsigned)(chance() % limit); }

/* ---------------------------------------------------------------- what rules mean, naively */

static uint32_t answer_of(enum wrap_seccomp_action action, uint32_t number)
{
    switch (action) {
    case WRAP_SCMP_KILL_THREAD: return SECCOMP_RET_KILL_THREAD;
    case WRAP_SCMP_KILL_PROCESS: return SECCOMP_RET_KILL_PROCESS;
    case WRAP_SCMP_TRAP: return SECCOMP_RET_TRAP;
    case WRAP_SCMP_ERRNO: return SECCOMP_RET_ERRNO | number;
    case WRAP_SCMP_TRACE: return SECCOMP_RET_TRACE | number;
    case WRAP_SCMP_LOG: return SECCOMP_RET_LOG;
    default: return SECCOMP_RET_ALLOW;
    }
}

static bool holds(const struct wrap_seccomp_arg *arg, uint64_t value)
{
    switch (arg->op) {
    case WRAP_CMP_NE: return value != arg->value;
    case WRAP_CMP_LT: return value < arg->value;
    case WRAP_CMP_LE: return value <= arg->value;
    case WRAP_CMP_EQ: return value == arg->value;
    case WRAP_CMP_GE: return value >= arg->value;
    case WRAP_CMP_GT: return value > arg->value;
    default: return (value & arg->value) == arg->value_two;
    }
}

static bool twice(const struct wrap_seccomp_rule *rule)
{
    unsigned seen = 0;
    bool found = false;
    for (size_t i = 0; i < rule->arg_count; i++) {
        found = found || (seen & 1u << rule->args[i].index);
        seen |= 1u << rule->args[i].index;
    }
    return found;
}

static bool matches(const struct wrap_seccomp_rule *rule, const struct seccomp_data *data)
{
    bool all = true;
    bool any = false;
    for (size_t i = 0; i < rule->arg_count; i++) {
        bool now = holds(&rule->args[i], data->args[rule->args[i].index]);
        all = all && now;
        any = any || now;
    }
    return twice(rule) ? any : all;
}

static bool names(const struct wrap_seccomp_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->names.count; i++) {
        if (strcmp(rule->names.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool stricter(uint32_t a, uint32_t b)
{
    return (int32_t)(a & SECCOMP_RET_ACTION_FULL) < (int32_t)(b & SECCOMP_RET_ACTION_FULL);
}

static uint32_t expected(const struct wrap_seccomp *profile, const char *name,
                         const struct seccomp_data *data)
{
    uint32_t otherwise = answer_of(profile->default_action, profile->default_errno);
    uint32_t found = otherwise;
    bool matched = false;
    for (size_t i = 0; i < profile->rule_count; i++) {
        const struct wrap_seccomp_rule *rule = &profile->rules[i];
        uint32_t answer = answer_of(rule->action, rule->errno_ret);
        if (answer == otherwise || !names(rule, name)) {
            continue;
        }
        if (rule->arg_count == 0) {
            return answer;
        }
        if (matches(rule, data) && (!matched || stricter(answer, found))) {
            found = answer;
            matched = true;
        }
    }
    return found;
}

/* How rules with conditions are about one call. */
struct overlap {
    bool disagree; /* with several answers */
    bool woven;    /* several, and not all with one EQ or MASKED_EQ each */
};

static struct overlap overlap_of(const struct wrap_seccomp *profile, const char *name)
{
    uint32_t otherwise = answer_of(profile->default_action, profile->default_errno);
    struct overlap found = {false, false};
    uint32_t seen = otherwise;
    bool mixed = false;
    for (size_t i = 0; i < profile->rule_count; i++) {
        const struct wrap_seccomp_rule *rule = &profile->rules[i];
        uint32_t answer = answer_of(rule->action, rule->errno_ret);
        if (answer == otherwise || rule->arg_count == 0 || !names(rule, name)) {
            continue;
        }
        bool simple = rule->args[0].op == WRAP_CMP_EQ || rule->args[0].op == WRAP_CMP_MASKED_EQ;
        mixed = mixed || rule->arg_count > 1 || !simple;
        found.disagree |= seen != otherwise && seen != answer;
        found.woven |= mixed && (seen != otherwise || twice(rule));
        seen = answer;
    }
    return found;
}

/* ---------------------------------------------------------------- libseccomp's */

struct program {
    struct sock_filter code[8192];
    size_t length;
};

#if WRAP_HAVE_SECCOMP
static uint32_t their_action(enum wrap_seccomp_action action, uint32_t number)
{
    switch (action) {
    case WRAP_SCMP_KILL_THREAD: return SCMP_ACT_KILL_THREAD;
    case WRAP_SCMP_KILL_PROCESS: return SCMP_ACT_KILL_PROCESS;
    case WRAP_SCMP_TRAP: return SCMP_ACT_TRAP;
    case WRAP_SCMP_ERRNO: return SCMP_ACT_ERRNO(number);
    case WRAP_SCMP_TRACE: return SCMP_ACT_TRACE(number);
    case WRAP_SCMP_LOG: return SCMP_ACT_LOG;
    default: return SCMP_ACT_ALLOW;
    }
}

static struct scmp_arg_cmp their_arg(const struct wrap_seccomp_arg *arg)
{
    static const enum scmp_compare ops[] = {
        [WRAP_CMP_NE] = SCMP_CMP_NE,
        [WRAP_CMP_LT] = SCMP_CMP_LT,
        [WRAP_CMP_LE] = SCMP_CMP_LE,
        [WRAP_CMP_EQ] = SCMP_CMP_EQ,
        [WRAP_CMP_GE] = SCMP_CMP_GE,
        [WRAP_CMP_GT] = SCMP_CMP_GT,
        [WRAP_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
    };
    return (struct scmp_arg_cmp){arg->index, ops[arg->op], arg->value, arg->value_two};
}

/*
 * As runc hands a rule over. libseccomp 2.5 weaves the conditions of all rules about a call into
 * one tree and can get it wrong (with default KILL_PROCESS, {a1 >= 0xfffffffffffffffe: KILL_THREAD}
 * and {a1 < 0xffffffff: KILL_THREAD} kill the thread for a1 = 0xffffffff, which neither means) or
 * never come to an end: such calls are compared with the naive reading alone.
 */
static void their_rule(scmp_filter_ctx context, const struct wrap_seccomp_rule *rule,
                       uint32_t action, int number)
{
    struct scmp_arg_cmp args[6];
    if (!twice(rule)) {
        assert_true(rule->arg_count <= 6);
        for (size_t i = 0; i < rule->arg_count; i++) {
            args[i] = their_arg(&rule->args[i]);
        }
        int done = seccomp_rule_add_array(context, action, number, (unsigned)rule->arg_count, args);
        assert_true(done == 0 || done == -EEXIST);
        return;
    }
    for (size_t i = 0; i < rule->arg_count; i++) {
        args[0] = their_arg(&rule->args[i]);
        int done = seccomp_rule_add_array(context, action, number, 1, args);
        assert_true(done == 0 || done == -EEXIST);
    }
}

static void their_program(const struct wrap_seccomp *profile, struct program *out)
{
    uint32_t otherwise = their_action(profile->default_action, profile->default_errno);
    scmp_filter_ctx context = seccomp_init(otherwise);
    assert_non_null(context);
    for (size_t i = 0; i < profile->rule_count; i++) {
        const struct wrap_seccomp_rule *rule = &profile->rules[i];
        uint32_t action = their_action(rule->action, rule->errno_ret);
        for (size_t n = 0; action != otherwise && n < rule->names.count; n++) {
            int number = seccomp_syscall_resolve_name(rule->names.items[n]);
            if (number >= 0 && !overlap_of(profile, rule->names.items[n]).woven) {
                their_rule(context, rule, action, number);
            }
        }
    }
    int fd = memfd_create("filter", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(seccomp_export_bpf(context, fd), 0);
    ssize_t size = pread(fd, out->code, sizeof out->code, 0);
    assert_true(size > 0 && size < (ssize_t)sizeof out->code);
    out->length = (size_t)size / sizeof out->code[0];
    close(fd);
    seccomp_release(context);
}
#endif

/* ---------------------------------------------------------------- comparing */

static uint64_t near_value(const struct wrap_seccomp *profile)
{
    const struct wrap_seccomp_rule *rule =
        profile->rule_count ? &profile->rules[below((unsigned)profile->rule_count)] : NULL;
    if (!rule || rule->arg_count == 0) {
        return below(3) ? below(20) : chance();
    }
    const struct wrap_seccomp_arg *arg = &rule->args[below((unsigned)rule->arg_count)];
    uint64_t value = below(2) ? arg->value : arg->value_two;
    switch (below(8)) {
    case 0: return value - 1;
    case 1: return value + 1;
    case 2: return value ^ (UINT64_C(1) << below(64));
    case 3: return value | UINT64_C(0xffffffff00000000);
    case 4: return (uint32_t)value;
    case 5: return chance();
    default: return value;
    }
}

static struct program theirs;

static void compare_call(const struct wrap_seccomp *profile, const struct wrap_profile_filter *ours,
                         unsigned call)
{
    struct seccomp_data data = {.nr = calls[call].number, .arch = (uint32_t)AUDIT};
    struct overlap overlap = overlap_of(profile, calls[call].name);
    for (unsigned i = 0; i < 6; i++) {
        data.args[i] = near_value(profile);
    }
    uint32_t want = expected(profile, calls[call].name, &data);
    uint32_t got = ours->length ? bpf_run(ours->code, ours->length, &data) : SECCOMP_RET_ALLOW;
    assert_int_equal(got, want);
    if (theirs.length && !overlap.woven) {
        uint32_t other = bpf_run(theirs.code, theirs.length, &data);
        /* Rules that contradict each other: never more than there. */
        assert_true(got == other || (overlap.disagree && !stricter(other, got)));
    }
}

static struct program join(const struct wrap_profile_filter *profile)
{
    struct wrap_sandbox sandbox = {.network = WRAP_SANDBOX_INET, .profile = profile};
    struct program out;
    struct sock_filter *code = NULL;
    unsigned short length = 0;
    assert_int_equal(wrap_seccomp_make(&sandbox, &code, &length), 0);
    assert_true(length <= sizeof out.code / sizeof out.code[0]);
    memcpy(out.code, code, length * sizeof code[0]);
    out.length = length;
    free(code);
    return out;
}

/* Flags of threads and of namespaces as often as others. */
static uint64_t flags_near_clone(void)
{
    static const uint64_t some[] = {0x3d0f00,   0x10900, 0x20000,           0x10000000,
                                    0x80000000, 0x1000,  UINT64_C(1) << 32, 0};
    return some[below(8)] | some[below(8)];
}

/*
 * One program of a profile and our filter: ours where the profile allows, else the profile's; and
 * the same when what ours answers alike was left out of the profile's.
 */
static void compare_joined(const struct wrap_seccomp *source,
                           const struct wrap_profile_filter *profile)
{
    struct wrap_profile_filter less;
    struct wrap_error err = {0};
    const struct program ours = join(NULL);
    const struct program both = join(profile);
    assert_true(wrap_profile_compile_beside(source, &less, &err));
    const struct program shorter = join(less.length ? &less : NULL);
    for (unsigned i = 0; i < 4000; i++) {
        struct seccomp_data data = {.nr = (int)below(500), .arch = (uint32_t)AUDIT};
        if (i % 4 == 0) {
            data.nr = calls[below(CALL_COUNT)].number;
        } else if (i % 4 == 1) {
            data.nr = below(2) ? SYS_clone : SYS_clone3;
        }
        for (unsigned k = 0; k < 6; k++) {
            data.args[k] = below(2) ? flags_near_clone() : below(8) ? below(64) : chance();
        }
        uint32_t first = bpf_run(profile->code, profile->length, &data);
        uint32_t then = bpf_run(ours.code, ours.length, &data);
        uint32_t want = first == SECCOMP_RET_ALLOW ? then : first;
        assert_int_equal(bpf_run(both.code, both.length, &data), want);
        assert_int_equal(bpf_run(shorter.code, shorter.length, &data), want);
    }
    wrap_profile_free(&less);
}

static void compare(const struct wrap_seccomp *profile, unsigned rounds)
{
    struct wrap_profile_filter ours;
    struct wrap_error err = {0};
    assert_true(wrap_profile_compile(profile, &ours, &err));
    theirs.length = 0;
#if WRAP_HAVE_SECCOMP
    their_program(profile, &theirs);
#endif
    for (unsigned call = 0; call < CALL_COUNT; call++) {
        for (unsigned round = 0; calls[call].number != NONE && round < rounds; round++) {
            compare_call(profile, &ours, call);
        }
    }
    struct seccomp_data other = {.nr = 600, .arch = (uint32_t)AUDIT};
    if (ours.length && ours.length < 1000) {
        compare_joined(profile, &ours);
    }
    if (ours.length) {
        assert_int_equal(bpf_run(ours.code, ours.length, &other), SECCOMP_RET_ALLOW);
        other.arch = 0x40000003;
        assert_int_equal(bpf_run(ours.code, ours.length, &other), SECCOMP_RET_KILL_PROCESS);
    }
    wrap_profile_free(&ours);
}

/* ---------------------------------------------------------------- profiles */

/* The members of a profile that lives in JSON, or is made up. */
struct made {
    struct wrap_seccomp profile;
    struct wrap_seccomp_rule rules[ROOM];
    struct wrap_seccomp_arg args[ROOM][6];
    const char *names[ROOM][512];
};

static int word_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (words[i] && strcmp(word, words[i]) == 0) {
            return i;
        }
    }
    fail_msg("unknown word %s", word);
    return 0;
}

static enum wrap_seccomp_action action_of(const json_t *value)
{
    static const char *const words[] = {
        [WRAP_SCMP_ERRNO] = "SCMP_ACT_ERRNO",
        [WRAP_SCMP_ALLOW] = "SCMP_ACT_ALLOW",
    };
    return (enum wrap_seccomp_action)word_of(json_string_value(value), words,
                                             sizeof words / sizeof words[0]);
}

static void read_rule(struct made *out, size_t at, const json_t *from)
{
    static const char *const ops[] = {
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
        "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
    };
    struct wrap_seccomp_rule *rule = &out->rules[at];
    const json_t *list = json_object_get(from, "names");
    const json_t *number = json_object_get(from, "errnoRet");
    rule->names = (struct wrap_strings){out->names[at], json_array_size(list)};
    assert_true(rule->names.count <= 512);
    for (size_t i = 0; i < rule->names.count; i++) {
        out->names[at][i] = json_string_value(json_array_get(list, i));
    }
    rule->action = action_of(json_object_get(from, "action"));
    rule->errno_ret = number ? (uint32_t)json_integer_value(number) : EPERM;
    list = json_object_get(from, "args");
    rule->args = out->args[at];
    rule->arg_count = json_array_size(list);
    for (size_t i = 0; i < rule->arg_count; i++) {
        const json_t *arg = json_array_get(list, i);
        const json_t *two = json_object_get(arg, "valueTwo");
        rule->args[i] = (struct wrap_seccomp_arg){
            .index = (unsigned)json_integer_value(json_object_get(arg, "index")),
            .value = (uint64_t)json_integer_value(json_object_get(arg, "value")),
            .value_two = two ? (uint64_t)json_integer_value(two) : 0,
            .op = word_of(json_string_value(json_object_get(arg, "op")), ops, 7),
        };
    }
}

static json_t *cri_json;
static struct made cri;

/* False: the sample is not there. */
static bool load_cri(void)
{
    cri_json = cri_json ? cri_json
                        : json_load_file(WASMRUN_SHARED_DIR "/containers/cri-config.json", 0, NULL);
    if (!cri_json) {
        print_message("SKIPPED: no containers/cri-config.json\n");
        return false;
    }
    const json_t *from = json_object_get(json_object_get(cri_json, "linux"), "seccomp");
    const json_t *rules = json_object_get(from, "syscalls");
    cri.profile = (struct wrap_seccomp){
        .default_action = action_of(json_object_get(from, "defaultAction")),
        .default_errno = EPERM,
        .rules = cri.rules,
        .rule_count = json_array_size(rules),
    };
    assert_true(cri.profile.rule_count > 0 && cri.profile.rule_count <= ROOM);
    for (size_t i = 0; i < cri.profile.rule_count; i++) {
        read_rule(&cri, i, json_array_get(rules, i));
    }
    return true;
}

static void make_up_rule(struct made *out, size_t at, unsigned few)
{
    struct wrap_seccomp_rule *rule = &out->rules[at];
    static const enum wrap_seccomp_action actions[] = {
        WRAP_SCMP_ALLOW, WRAP_SCMP_ALLOW, WRAP_SCMP_ERRNO,        WRAP_SCMP_LOG,
        WRAP_SCMP_TRAP,  WRAP_SCMP_TRACE, WRAP_SCMP_KILL_PROCESS, WRAP_SCMP_KILL_THREAD};
    rule->names = (struct wrap_strings){out->names[at], 1 + below(few ? 3 : 40)};
    for (size_t i = 0; i < rule->names.count; i++) {
        out->names[at][i] = below(10)  ? calls[below(few ? few : CALL_COUNT)].name
                            : below(2) ? "execve"
                                       : "no_such_call";
    }
    rule->action = actions[below(8)];
    rule->errno_ret = 1 + below(50);
    rule->args = out->args[at];
    rule->arg_count = below(3) ? 1 + below(3) : 0;
    for (size_t i = 0; i < rule->arg_count; i++) {
        static const uint64_t values[] = {0,
                                          1,
                                          5,
                                          6,
                                          0x80000000u,
                                          0xffffffffu,
                                          0x100000000u,
                                          0x100000005u,
                                          UINT64_MAX,
                                          UINT64_MAX - 1};
        bool masked = below(4) == 0;
        uint64_t value = below(8) ? values[below(10)] : chance();
        value |= masked; /* without a mask it is no condition for libseccomp */
        rule->args[i] = (struct wrap_seccomp_arg){
            .index = below(6),
            .value = value,
            .value_two = masked ? value & (below(2) ? values[below(10)] : chance()) : 0,
            .op = masked ? WRAP_CMP_MASKED_EQ : (int)below(6),
        };
    }
}

static void make_up(struct made *out)
{
    static const enum wrap_seccomp_action defaults[] = {WRAP_SCMP_ERRNO, WRAP_SCMP_ALLOW,
                                                        WRAP_SCMP_KILL_PROCESS, WRAP_SCMP_LOG};
    unsigned few = below(2) ? 4 : 0; /* many rules about the same calls */
    memset(&out->profile, 0, sizeof out->profile);
    out->profile.default_action = defaults[below(4)];
    out->profile.default_errno = below(2) ? EPERM : ENOSYS;
    out->profile.rules = out->rules;
    out->profile.rule_count = below(12);
    for (size_t i = 0; i < out->profile.rule_count; i++) {
        make_up_rule(out, i, few);
    }
}

/* ---------------------------------------------------------------- programs */

static void test_profile_of_the_cri_is_as_libseccomp_has_it(void **state)
{
    (void)state;
    if (!load_cri()) {
        skip();
    }
    compare(&cri.profile, 200);
}

static void test_made_up_profiles_are_as_libseccomp_has_them(void **state)
{
    static struct made made;
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        make_up(&made);
        compare(&made.profile, 12);
    }
}

static void test_nothing_of_the_cri_s_is_left_beside_ours(void **state)
{
    struct wrap_profile_filter filter;
    (void)state;
    if (!load_cri()) {
        skip();
    }
    assert_true(wrap_profile_compile_beside(&cri.profile, &filter, NULL));
    assert_int_equal(filter.length, 0);
    wrap_profile_free(&filter);
}

static void test_all_allowed_is_no_program(void **state)
{
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ALLOW};
    struct wrap_profile_filter filter;
    (void)state;
    assert_true(wrap_profile_compile(&profile, &filter, NULL));
    assert_int_equal(filter.length, 0);
    assert_int_equal(wrap_profile_apply(&filter), 0);
    wrap_profile_free(&filter);
}

static void test_masked_value_outside_of_the_mask_never_matches(void **state)
{
    const char *name = "read";
    struct wrap_seccomp_arg arg = {
        .index = 1, .value = 1, .value_two = 3, .op = WRAP_CMP_MASKED_EQ};
    struct wrap_seccomp_rule rule = {{&name, 1}, WRAP_SCMP_ALLOW, 0, &arg, 1};
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ERRNO, .default_errno = 1};
    struct wrap_profile_filter filter;
    struct seccomp_data data = {
        .nr = calls[0].number, .arch = (uint32_t)AUDIT, .args = {0, 3, 0, 0, 0, 0}};
    (void)state;
    profile.rules = &rule;
    profile.rule_count = 1;
    assert_true(wrap_profile_compile(&profile, &filter, NULL));
    assert_int_equal(bpf_run(filter.code, filter.length, &data), SECCOMP_RET_ERRNO | 1);
    wrap_profile_free(&filter);
}

static void test_kernel_takes_the_program(void **state)
{
    const char *name = "getuid";
    struct wrap_seccomp_rule rule = {{&name, 1}, WRAP_SCMP_ERRNO, 77, NULL, 0};
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ALLOW};
    struct wrap_profile_filter filter;
    uint32_t action = SECCOMP_RET_ERRNO;
    int status = 0;
    (void)state;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) { /* as in qemu-user */
        print_message("SKIPPED: no seccomp here\n");
        skip();
    }
    profile.rules = &rule;
    profile.rule_count = 1;
    assert_true(wrap_profile_compile(&profile, &filter, NULL));
    pid_t child = fork();
    if (child == 0) {
        bool set = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && wrap_profile_apply(&filter) == 0;
        bool denied = syscall(SYS_getuid) == -1 && errno == 77;
        _exit(!set ? 1 : !denied ? 2 : syscall(SYS_getgid) < 0 ? 3 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    wrap_profile_free(&filter);
}

/* ---------------------------------------------------------------- what is refused */

static void refused(const struct wrap_seccomp *profile, enum wrap_code code, const char *word)
{
    struct wrap_profile_filter filter;
    struct wrap_error err = {0};
    assert_false(wrap_profile_compile(profile, &filter, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, word));
    assert_null(filter.code);
}

static void test_what_cannot_be_honoured_is_an_error(void **state)
{
    const char *name = "read";
    const char *flag = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
    struct wrap_seccomp_arg arg = {.index = 6, .op = WRAP_CMP_EQ};
    struct wrap_seccomp_rule rule = {{&name, 1}, WRAP_SCMP_NOTIFY, 0, NULL, 0};
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ALLOW, .rules = &rule};
    (void)state;
    profile.rule_count = 1;
    refused(&profile, WRAP_UNIMPLEMENTED, "NOTIFY");
    rule.action = WRAP_SCMP_ERRNO;
    rule.errno_ret = 4096;
    refused(&profile, WRAP_INVALID_ARGUMENT, "errnoRet");
    rule.errno_ret = 1;
    rule.args = &arg;
    rule.arg_count = 1;
    refused(&profile, WRAP_INVALID_ARGUMENT, "argument");
    arg.index = 5;
    arg.op = 7;
    refused(&profile, WRAP_INVALID_ARGUMENT, "comparison");
    arg.op = WRAP_CMP_EQ;
    profile.flags = (struct wrap_strings){&flag, 1};
    refused(&profile, WRAP_UNIMPLEMENTED, "KILLABLE");
    profile.flags.count = 0;
    rule.action = (enum wrap_seccomp_action)99;
    refused(&profile, WRAP_INVALID_ARGUMENT, "action");
}

static void test_too_many_conditions_are_an_error(void **state)
{
    enum { MANY = 5000, SOME = 500 };
    static struct wrap_seccomp_rule rules[MANY];
    static struct wrap_seccomp_arg args[6];
    const char *name = "write";
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ALLOW, .rules = rules};
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        args[i] = (struct wrap_seccomp_arg){.index = i, .value = i, .op = WRAP_CMP_GE};
    }
    for (unsigned i = 0; i < MANY; i++) {
        rules[i] = (struct wrap_seccomp_rule){{&name, 1}, WRAP_SCMP_ERRNO, 1, args, 6};
    }
    profile.rule_count = MANY;
    refused(&profile, WRAP_INVALID_ARGUMENT, "too many");
    profile.rule_count = SOME; /* few rules, long code */
    refused(&profile, WRAP_INVALID_ARGUMENT, "fit");
}

/* Many distinct answers: the search is so long that its jumps need helpers. */
static void test_each_call_with_its_own_answer(void **state)
{
    static struct wrap_seccomp_rule rules[CALL_COUNT];
    struct wrap_seccomp profile = {.default_action = WRAP_SCMP_ALLOW, .rules = rules};
    (void)state;
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        rules[i] = (struct wrap_seccomp_rule){
            {(const char **)&calls[i].name, 1}, WRAP_SCMP_ERRNO, 1 + i, NULL, 0};
    }
    profile.rule_count = CALL_COUNT;
    compare(&profile, 1);
}

/* ---------------------------------------------------------------- how long it takes */

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Said, not judged. */
static void test_times(void **state)
{
    double best = 1e9;
    struct wrap_profile_filter filter;
    (void)state;
    if (!load_cri()) {
        skip();
    }
    for (int i = 0; i < 300; i++) {
        double start = now_us();
        assert_true(wrap_profile_compile(&cri.profile, &filter, NULL));
        double took = now_us() - start;
        best = took < best ? took : best;
        assert_true(filter.length > 0);
        wrap_profile_free(&filter);
    }
    print_message("the CRI's profile: compiled in %.1f us\n", best);
}

static int free_cri(void **state)
{
    (void)state;
    json_decref(cri_json);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile_of_the_cri_is_as_libseccomp_has_it),
        cmocka_unit_test(test_made_up_profiles_are_as_libseccomp_has_them),
        cmocka_unit_test(test_nothing_of_the_cri_s_is_left_beside_ours),
        cmocka_unit_test(test_all_allowed_is_no_program),
        cmocka_unit_test(test_masked_value_outside_of_the_mask_never_matches),
        cmocka_unit_test(test_kernel_takes_the_program),
        cmocka_unit_test(test_what_cannot_be_honoured_is_an_error),
        cmocka_unit_test(test_too_many_conditions_are_an_error),
        cmocka_unit_test(test_each_call_with_its_own_answer),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, free_cri);
}
