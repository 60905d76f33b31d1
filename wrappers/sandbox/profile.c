/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c - writes a container's seccomp profile as a program for the kernel. Not here: our
 * own filter (gen/filter.c).
 *
 * What several rules about one call mean is what the usual runtimes make of them through
 * libseccomp: a rule whose answer is the profile's own default is no rule; a rule without
 * conditions beats all with conditions, the first of them counts; conditions of a rule are all
 * needed, but when two are about one argument each is a rule of its own. Where rules with
 * conditions overlap and disagree, libseccomp's order follows from how it stores them; here the
 * strictest answer counts, so never more is allowed than there.
 */
#include "sandbox/profile.h"
#include "sandbox/policy.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define AUDIT WRAP_AUDIT_X86_64
#define NUMBER(x86_64, aarch64) x86_64
#elif defined(__aarch64__)
#define AUDIT WRAP_AUDIT_AARCH64
#define NUMBER(x86_64, aarch64) aarch64
#else
#error "profiles know x86-64 and aarch64"
#endif

enum { NONE = -1, ERRNO_MAX = 4095, CODE_MAX = BPF_MAXINSNS, JUMP_MAX = 255, NOBODY = 0xffff };

/* Rules of syscalls.def. */
enum ours {
    OURS_ALLOW,
    OURS_NOSYS,
    OURS_NET,
    OURS_SOCKET,
    OURS_UNIX,
    OURS_FCNTL,
    OURS_IOCTL,
    OURS_PRCTL,
    OURS_PROT,
    OURS_CLONE,
    OURS_PRLIMIT,
    OURS_OWN_PID
};

/* The calls that our filter allows, or answers itself; others can't get as far as this one. */
static const struct {
    const char *name;
    int number;
    enum ours ours;
} calls[] = {
#define SYSCALL(name, x86_64, aarch64, rule) {#name, NUMBER(x86_64, aarch64), OURS_##rule},
#include "sandbox/syscalls.def"
#undef SYSCALL
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0], SLOTS = 512, TESTS_MAX = CODE_MAX / 4 };
_Static_assert(CALL_COUNT * 2 < SLOTS, "room for every name, and short searches");
_Static_assert(sizeof(struct sock_filter) == 8, "what the kernel reads");

/* A rule with conditions, for one call: `arg` of the rule, or all of them. */
struct test {
    const struct wrap_seccomp_rule *rule;
    uint32_t answer;
    int arg; /* -1: all */
    unsigned short next;
};

/* What happens at a call. */
struct verdict {
    bool decided; /* by a rule without conditions */
    uint32_t answer;
    unsigned short first; /* of the tests; NOBODY: none */
};

struct range {
    int first;  /* number from which on it holds */
    int call;   /* -1: not ours, allowed */
};

struct compiler {
    const struct wrap_seccomp *profile;
    bool beside; /* ours follows */
    struct wrap_error *err;
    uint32_t otherwise;
    unsigned short slots[SLOTS]; /* calls by hash of their name, one more than the index */
    unsigned test_count;
    unsigned range_count;
    unsigned length;
    bool overflow;
    /* From here on nothing is read that was not written: pages that no profile needs stay away. */
    struct verdict verdicts[CALL_COUNT];
    struct range ranges[2 * CALL_COUNT + 1];
    unsigned jumps[CALL_COUNT]; /* where the search goes on to a call's tests */
    struct sock_filter code[CODE_MAX];
    struct test tests[TESTS_MAX];
};

/* ---------------------------------------------------------------- answers */

static bool answer_of(enum wrap_seccomp_action action, uint32_t number, uint32_t *out,
                      struct wrap_error *err)
{
    static const uint32_t answers[] = {
        [WRAP_SCMP_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
        [WRAP_SCMP_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
        [WRAP_SCMP_TRAP] = SECCOMP_RET_TRAP,
        [WRAP_SCMP_ERRNO] = SECCOMP_RET_ERRNO,
        [WRAP_SCMP_TRACE] = SECCOMP_RET_TRACE,
        [WRAP_SCMP_LOG] = SECCOMP_RET_LOG,
        [WRAP_SCMP_ALLOW] = SECCOMP_RET_ALLOW,
    };
    if (action == WRAP_SCMP_NOTIFY) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED,
                         "seccomp: SCMP_ACT_NOTIFY: there is no agent that would be asked");
    }
    if ((unsigned)action >= sizeof answers / sizeof answers[0]) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "seccomp: unknown action");
    }
    bool counts = action == WRAP_SCMP_ERRNO || action == WRAP_SCMP_TRACE;
    if (counts && number > ERRNO_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "seccomp: errnoRet %u is too large", number);
    }
    *out = answers[action] | (counts ? number : 0);
    return true;
}

/* The kernel's order: the smaller, as a signed number without its data, is the stricter. */
static bool is_stricter(uint32_t a, uint32_t b)
{
    return (int32_t)(a & SECCOMP_RET_ACTION_FULL) < (int32_t)(b & SECCOMP_RET_ACTION_FULL);
}

/* ---------------------------------------------------------------- rules by call */

static unsigned slot_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash % SLOTS;
}

static void fill_slots(struct compiler *c)
{
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        unsigned slot = slot_of(calls[i].name);
        while (c->slots[slot]) {
            slot = (slot + 1) % SLOTS;
        }
        c->slots[slot] = (unsigned short)(i + 1);
        c->verdicts[i] = (struct verdict){false, c->otherwise, NOBODY};
    }
}

/* -1: not ours. */
static int find_call(const struct compiler *c, const char *name)
{
    for (unsigned slot = slot_of(name); c->slots[slot]; slot = (slot + 1) % SLOTS) {
        int call = c->slots[slot] - 1;
        if (strcmp(calls[call].name, name) == 0) {
            return calls[call].number == NONE ? -1 : call;
        }
    }
    return -1;
}

/* Into the call's list, the strictest first and else in the profile's order. */
static bool add_test(struct compiler *c, struct verdict *verdict, struct test test)
{
    if (c->test_count == TESTS_MAX) {
        return wrap_fail(c->err, WRAP_INVALID_ARGUMENT, "seccomp: too many rules with conditions");
    }
    unsigned short here = (unsigned short)c->test_count++;
    unsigned short *at = &verdict->first;
    while (*at != NOBODY && !is_stricter(test.answer, c->tests[*at].answer)) {
        at = &c->tests[*at].next;
    }
    test.next = *at;
    c->tests[here] = test;
    *at = here;
    return true;
}

static bool check_args(const struct wrap_seccomp_rule *rule, bool *apart, struct wrap_error *err)
{
    unsigned seen = 0;
    *apart = false;
    for (size_t i = 0; i < rule->arg_count; i++) {
        const struct wrap_seccomp_arg *arg = &rule->args[i];
        if (arg->index > 5 || arg->op < WRAP_CMP_NE || arg->op > WRAP_CMP_MASKED_EQ) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "seccomp: no such argument or comparison");
        }
        *apart = *apart || (seen & 1u << arg->index);
        seen |= 1u << arg->index;
    }
    return true;
}

static bool add_rule_to(struct compiler *c, int call, const struct wrap_seccomp_rule *rule,
                        uint32_t answer, bool apart)
{
    struct verdict *verdict = &c->verdicts[call];
    struct test test = {rule, answer, -1, NOBODY};
    if (verdict->decided) {
        return true;
    }
    if (rule->arg_count == 0) {
        verdict->decided = true;
        verdict->answer = answer;
        verdict->first = NOBODY;
        return true;
    }
    if (!apart) {
        return add_test(c, verdict, test);
    }
    for (size_t i = 0; i < rule->arg_count; i++) {
        test.arg = (int)i;
        if (!add_test(c, verdict, test)) {
            return false;
        }
    }
    return true;
}

static bool add_rule(struct compiler *c, const struct wrap_seccomp_rule *rule)
{
    uint32_t answer;
    bool apart;
    if (!answer_of(rule->action, rule->errno_ret, &answer, c->err) ||
        !check_args(rule, &apart, c->err)) {
        return false;
    }
    for (size_t i = 0; answer != c->otherwise && i < rule->names.count; i++) {
        int call = find_call(c, rule->names.items[i]);
        if (call >= 0 && !add_rule_to(c, call, rule, answer, apart)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- code */

static unsigned emit(struct compiler *c, unsigned short what, uint32_t k, unsigned yes, unsigned no)
{
    if (c->length == CODE_MAX) {
        c->overflow = true;
        return 0;
    }
    c->code[c->length] = (struct sock_filter){what, (unsigned char)yes, (unsigned char)no, k};
    return c->length++;
}

static void emit_answer(struct compiler *c, uint32_t answer)
{
    emit(c, BPF_RET | BPF_K, answer, 0, 0);
}

static void emit_load(struct compiler *c, size_t at)
{
    emit(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

/* The two halves of an argument; both architectures have the lower one first. */
static void emit_half(struct compiler *c, unsigned arg, bool high)
{
    emit_load(c, offsetof(struct seccomp_data, args) + 8 * arg + (high ? 4 : 0));
}

/* Jumps whose target is the next test: at most two for each condition. */
struct misses {
    unsigned at[16];
    bool when[16]; /* the side of the jump */
    unsigned count;
};

static void miss(struct misses *misses, unsigned at, bool when)
{
    misses->at[misses->count] = at;
    misses->when[misses->count++] = when;
}

static void patch_misses(struct compiler *c, const struct misses *misses)
{
    for (unsigned i = 0; i < misses->count; i++) {
        struct sock_filter *jump = &c->code[misses->at[i]];
        *(misses->when[i] ? &jump->jt : &jump->jf) = (unsigned char)(c->length - misses->at[i] - 1);
    }
}

static void emit_equal(struct compiler *c, const struct wrap_seccomp_arg *arg,
                       struct misses *misses)
{
    bool masked = arg->op == WRAP_CMP_MASKED_EQ;
    uint64_t value = masked ? arg->value_two : arg->value;
    for (int high = 1; high >= 0; high--) {
        emit_half(c, arg->index, high);
        if (masked) {
            emit(c, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(arg->value >> (high ? 32 : 0)), 0, 0);
        }
        miss(misses, emit(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value >> (high ? 32 : 0)), 0, 0),
             false);
    }
}

static void emit_unequal(struct compiler *c, const struct wrap_seccomp_arg *arg,
                         struct misses *misses)
{
    emit_half(c, arg->index, true);
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(arg->value >> 32), 0, 2);
    emit_half(c, arg->index, false);
    miss(misses, emit(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)arg->value, 0, 0), true);
}

/* Greater, or greater and equal; the two others are their opposites. */
static void emit_order(struct compiler *c, const struct wrap_seccomp_arg *arg,
                       struct misses *misses)
{
    bool below = arg->op == WRAP_CMP_LT || arg->op == WRAP_CMP_LE;
    bool equal_is_above = arg->op == WRAP_CMP_GE || arg->op == WRAP_CMP_LT;
    uint32_t high = (uint32_t)(arg->value >> 32);
    emit_half(c, arg->index, true);
    /* High halves that differ decide; else the low ones do. */
    unsigned at = emit(c, BPF_JMP | BPF_JGT | BPF_K, high, below ? 0 : 3, 0);
    if (below) {
        miss(misses, at, true);
    }
    at = emit(c, BPF_JMP | BPF_JEQ | BPF_K, high, 0, below ? 2 : 0);
    if (!below) {
        miss(misses, at, false);
    }
    emit_half(c, arg->index, false);
    at =
        emit(c, BPF_JMP | (equal_is_above ? BPF_JGE : BPF_JGT) | BPF_K, (uint32_t)arg->value, 0, 0);
    miss(misses, at, below);
}

static void emit_condition(struct compiler *c, const struct wrap_seccomp_arg *arg,
                           struct misses *misses)
{
    switch (arg->op) {
    case WRAP_CMP_EQ:
    case WRAP_CMP_MASKED_EQ: emit_equal(c, arg, misses); break;
    case WRAP_CMP_NE: emit_unequal(c, arg, misses); break;
    default: emit_order(c, arg, misses);
    }
}

static void emit_tests(struct compiler *c, const struct verdict *verdict)
{
    for (unsigned short at = verdict->first; at != NOBODY; at = c->tests[at].next) {
        const struct test *test = &c->tests[at];
        struct misses misses = {.count = 0};
        for (size_t i = 0; i < test->rule->arg_count; i++) {
            if (test->arg < 0 || test->arg == (int)i) {
                emit_condition(c, &test->rule->args[i], &misses);
            }
        }
        emit_answer(c, test->answer);
        patch_misses(c, &misses);
    }
    emit_answer(c, verdict->answer);
}

/* ---------------------------------------------------------------- what ours says, too */

/* Whether clone fails only with what it fails with in ours: "none of these flags, else EPERM". */
static bool is_clone_of_ours(const struct compiler *c, const struct verdict *verdict)
{
    if (verdict->first == NOBODY || verdict->answer != (SECCOMP_RET_ERRNO | EPERM)) {
        return false;
    }
    const struct test *test = &c->tests[verdict->first];
    const struct wrap_seccomp_arg *arg = test->rule->args;
    return test->next == NOBODY && test->answer == SECCOMP_RET_ALLOW &&
           test->rule->arg_count == 1 && arg->index == 0 && arg->op == WRAP_CMP_MASKED_EQ &&
           arg->value_two == 0 && (arg->value & ~(uint64_t)WRAP_FILTER_CLONE_NEVER) == 0;
}

/* What ours answers in the same way need not be asked twice. */
static void leave_out_ours(struct compiler *c)
{
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        struct verdict *verdict = &c->verdicts[i];
        bool alike =
            calls[i].ours == OURS_NOSYS
                ? verdict->first == NOBODY && verdict->answer == (SECCOMP_RET_ERRNO | ENOSYS)
                : calls[i].ours == OURS_CLONE && is_clone_of_ours(c, verdict);
        if (alike) {
            *verdict = (struct verdict){true, SECCOMP_RET_ALLOW, NOBODY};
        }
    }
}

/* ---------------------------------------------------------------- the search */

static bool same_verdict(const struct compiler *c, int a, int b)
{
    uint32_t first = a < 0 ? SECCOMP_RET_ALLOW : c->verdicts[a].answer;
    uint32_t second = b < 0 ? SECCOMP_RET_ALLOW : c->verdicts[b].answer;
    return first == second && (a < 0 || c->verdicts[a].first == NOBODY) &&
           (b < 0 || c->verdicts[b].first == NOBODY);
}

static void add_range(struct compiler *c, int first, int call)
{
    if (c->range_count && same_verdict(c, c->ranges[c->range_count - 1].call, call)) {
        return;
    }
    if (c->range_count && c->ranges[c->range_count - 1].first == first) {
        c->range_count--; /* nothing was between two calls */
        add_range(c, first, call);
        return;
    }
    c->ranges[c->range_count++] = (struct range){first, call};
}

static int by_number(const void *a, const void *b)
{
    return calls[*(const unsigned char *)a].number - calls[*(const unsigned char *)b].number;
}

static void make_ranges(struct compiler *c)
{
    _Static_assert(CALL_COUNT < 256, "an index is a byte");
    unsigned char order[CALL_COUNT];
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        order[i] = (unsigned char)i;
    }
    qsort(order, CALL_COUNT, 1, by_number);
    add_range(c, 0, -1);
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        int number = calls[order[i]].number;
        if (number != NONE) {
            add_range(c, number, order[i]);
            add_range(c, number + 1, -1);
        }
    }
}

static void emit_leaf(struct compiler *c, int call)
{
    if (call < 0 || c->verdicts[call].first == NOBODY) {
        emit_answer(c, call < 0 ? SECCOMP_RET_ALLOW : c->verdicts[call].answer);
    } else {
        c->jumps[call] = emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
    }
}

/* The number is in the accumulator and in one of the ranges low to high. */
static void emit_search(struct compiler *c, unsigned low, unsigned high)
{
    if (low == high) {
        emit_leaf(c, c->ranges[low].call);
        return;
    }
    unsigned middle = (low + high + 1) / 2;
    /* A leaf is one instruction, a comparison at most two. */
    bool far = 3 * (middle - low) > JUMP_MAX;
    unsigned at =
        emit(c, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)c->ranges[middle].first, 0, far ? 1 : 0);
    unsigned over = far ? emit(c, BPF_JMP | BPF_JA, 0, 0, 0) : at;
    emit_search(c, low, middle - 1);
    unsigned distance = c->length - over - 1;
    if (far) {
        c->code[over].k = distance;
    } else {
        c->code[at].jt = (unsigned char)distance;
    }
    emit_search(c, middle, high);
}

static void emit_all(struct compiler *c)
{
    emit_load(c, offsetof(struct seccomp_data, arch));
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, AUDIT, 1, 0);
    emit_answer(c, SECCOMP_RET_KILL_PROCESS);
    emit_load(c, offsetof(struct seccomp_data, nr));
    emit_search(c, 0, c->range_count - 1);
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number != NONE && c->verdicts[i].first != NOBODY) {
            c->code[c->jumps[i]].k = c->length - c->jumps[i] - 1;
            emit_tests(c, &c->verdicts[i]);
        }
    }
}

/* ---------------------------------------------------------------- the whole */

static bool flags_of(const struct wrap_strings *names, unsigned *out, struct wrap_error *err)
{
    static const struct {
        const char *name;
        unsigned flag;
    } known[] = {
        {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
        {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
        {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    };
    *out = 0;
    for (size_t i = 0; i < names->count; i++) {
        unsigned flag = 0;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            flag |= strcmp(names->items[i], known[k].name) == 0 ? known[k].flag : 0;
        }
        if (!flag) {
            return wrap_fail(err, WRAP_UNIMPLEMENTED, "seccomp: flag '%.100s' can't be honoured",
                             names->items[i]);
        }
        *out |= flag;
    }
    return true;
}

static bool compile(struct compiler *c, struct wrap_profile_filter *out)
{
    const struct wrap_seccomp *profile = c->profile;
    if (!answer_of(profile->default_action, profile->default_errno, &c->otherwise, c->err)) {
        return false;
    }
    fill_slots(c);
    for (size_t i = 0; i < profile->rule_count; i++) {
        if (!add_rule(c, &profile->rules[i])) {
            return false;
        }
    }
    if (c->beside) {
        leave_out_ours(c);
    }
    make_ranges(c);
    if (c->range_count == 1 && same_verdict(c, c->ranges[0].call, -1)) {
        return true; /* all is allowed */
    }
    emit_all(c);
    if (c->overflow) {
        return wrap_fail(c->err, WRAP_INVALID_ARGUMENT,
                         "seccomp: the profile has more conditions than fit into a filter (%d)",
                         CODE_MAX);
    }
    out->code = malloc(c->length * sizeof *out->code);
    if (!out->code) {
        return wrap_fail(c->err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    memcpy(out->code, c->code, c->length * sizeof *out->code);
    out->length = (unsigned short)c->length;
    return true;
}

static bool compile_new(const struct wrap_seccomp *seccomp, bool beside,
                        struct wrap_profile_filter *out, struct wrap_error *err)
{
    *out = (struct wrap_profile_filter){0};
    if (!flags_of(&seccomp->flags, &out->flags, err)) {
        return false;
    }
    struct compiler *compiler = malloc(sizeof *compiler);
    if (!compiler) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    memset(compiler, 0, offsetof(struct compiler, verdicts));
    compiler->profile = seccomp;
    compiler->beside = beside;
    compiler->err = err;
    bool good = compile(compiler, out);
    free(compiler);
    return good;
}

bool wrap_profile_compile(const struct wrap_seccomp *seccomp, struct wrap_profile_filter *out,
                          struct wrap_error *err)
{
    return compile_new(seccomp, false, out, err);
}

bool wrap_profile_compile_beside(const struct wrap_seccomp *seccomp,
                                 struct wrap_profile_filter *out, struct wrap_error *err)
{
    return compile_new(seccomp, true, out, err);
}

void wrap_profile_free(struct wrap_profile_filter *filter)
{
    free(filter->code);
    *filter = (struct wrap_profile_filter){0};
}

int wrap_profile_apply(const struct wrap_profile_filter *filter)
{
    struct sock_fprog program = {.len = filter->length, .filter = filter->code};
    if (filter->length == 0) {
        return 0;
    }
    long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);
    return done == 0 ? 0 : done > 0 ? ESRCH : errno;
}
