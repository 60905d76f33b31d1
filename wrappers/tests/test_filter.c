/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_filter.c - the seccomp filters of both architectures, run by a small interpreter of classic
 * BPF for every number and for arguments on either side of each condition; the numbers themselves
 * against libseccomp's, by name.
 */
#include "bpf.h"
#include "sandbox/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cmocka.h>

#include "sandbox/filters.h"

#if WRAP_HAVE_SECCOMP
#include <seccomp.h>
#endif

enum { NONE = -1, NUMBERS = 700, PROT_EXECUTE = 4 };
enum rule { ALLOW, NOSYS, NET, SOCKET, UNIX, FCNTL, IOCTL, PRCTL, PROT, CLONE, PRLIMIT, OWN_PID };

struct call {
    const char *name;
    int number[2];
    enum rule rule;
};

static const struct call calls[] = {
#define SYSCALL(name, x86_64, aarch64, rule) {#name, {x86_64, aarch64}, rule},
#include "sandbox/syscalls.def"
#undef SYSCALL
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

struct filter {
    int arch;
    int net; /* 0: none, 1: internet, 2: and Unix */
    uint32_t audit;
    const struct sock_filter *code;
    size_t length;
};

#define FILTER(arch, net, audit, code) {arch, net, audit, code, sizeof(code) / sizeof(code)[0]}
static const struct filter filters[] = {
    FILTER(0, 0, WRAP_AUDIT_X86_64, wrap_filter_x86_64_closed),
    FILTER(0, 1, WRAP_AUDIT_X86_64, wrap_filter_x86_64_inet),
    FILTER(0, 2, WRAP_AUDIT_X86_64, wrap_filter_x86_64_unix),
    FILTER(1, 0, WRAP_AUDIT_AARCH64, wrap_filter_aarch64_closed),
    FILTER(1, 1, WRAP_AUDIT_AARCH64, wrap_filter_aarch64_inet),
    FILTER(1, 2, WRAP_AUDIT_AARCH64, wrap_filter_aarch64_unix),
};
enum { FILTER_COUNT = sizeof filters / sizeof filters[0] };

/* ---------------------------------------------------------------- asking */

static uint32_t run(const struct filter *filter, const struct seccomp_data *data)
{
    return bpf_run(filter->code, filter->length, data);
}

static uint32_t ask(const struct filter *filter, int number, unsigned arg, uint64_t value)
{
    struct seccomp_data data = {.nr = number, .arch = filter->audit};
    data.args[arg] = value;
    return run(filter, &data);
}

#define FAILS(number) (SECCOMP_RET_ERRNO | (uint32_t)(number))

/* ---------------------------------------------------------------- numbers */

static const struct call *find(int arch, int number)
{
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number[arch] == number) {
            return &calls[i];
        }
    }
    return NULL;
}

static void check_number(const struct filter *filter, int number)
{
    const struct call *call = find(filter->arch, number);
    uint32_t got = ask(filter, number, 0, 0);
    if (!call) {
        assert_int_equal(got, FAILS(number >= WRAP_SYSCALL_NEW ? ENOSYS : EPERM));
        return;
    }
    switch (call->rule) {
    case ALLOW: assert_int_equal(got, SECCOMP_RET_ALLOW); break;
    case NOSYS: assert_int_equal(got, FAILS(ENOSYS)); break;
    case NET: assert_int_equal(got, filter->net > 0 ? SECCOMP_RET_ALLOW : FAILS(EPERM)); break;
    case UNIX: assert_int_equal(got, filter->net > 1 ? SECCOMP_RET_ALLOW : FAILS(EPERM)); break;
    default: break; /* test_arguments */
    }
}

static void test_every_number(void **state)
{
    (void)state;
    for (size_t f = 0; f < FILTER_COUNT; f++) {
        for (int number = 0; number < NUMBERS; number++) {
            check_number(&filters[f], number);
        }
        check_number(&filters[f], 100000);
    }
}

/* What must never be there, by name and number: x86-64, aarch64. */
static void test_dangerous_calls_fail(void **state)
{
    static const struct call never[] = {
        {"execve", {59, 221}, 0},       {"execveat", {322, 281}, 0},
        {"ptrace", {101, 117}, 0},      {"fork", {57, NONE}, 0},
        {"vfork", {58, NONE}, 0},       {"open_by_handle_at", {304, 265}, 0},
        {"mount", {165, 40}, 0},        {"bpf", {321, 280}, 0},
        {"kill", {62, 129}, 0},         {"pkey_mprotect", {329, 288}, 0},
        {"shmat", {30, 196}, 0},        {"personality", {135, 92}, 0},
        {"setuid", {105, 146}, 0},      {"unshare", {272, 97}, 0},
        {"userfaultfd", {323, 282}, 0}, {"process_vm_writev", {311, 271}, 0},
        {"seccomp", {317, 277}, 0},     {"remap_file_pages", {216, 234}, 0},
        {"keyctl", {250, 219}, 0},      {"perf_event_open", {298, 241}, 0},
        {"chroot", {161, 51}, 0},       {"init_module", {175, 105}, 0},
    };
    (void)state;
    for (size_t f = 0; f < FILTER_COUNT; f++) {
        for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
            int number = never[i].number[filters[f].arch];
            if (number != NONE) {
                assert_int_equal(ask(&filters[f], number, 0, 0), FAILS(EPERM));
            }
        }
        assert_int_equal(ask(&filters[f], 425, 0, 0), FAILS(ENOSYS)); /* io_uring_setup */
        assert_int_equal(ask(&filters[f], 435, 0, 0), FAILS(ENOSYS)); /* clone3 */
    }
}

static void test_other_architectures_are_killed(void **state)
{
    (void)state;
    for (size_t f = 0; f < FILTER_COUNT; f++) {
        struct seccomp_data data = {.nr = 0, .arch = 0x40000003 /* i386 */};
        assert_int_equal(run(&filters[f], &data), SECCOMP_RET_KILL_PROCESS);
        data.arch = filters[f].audit ^ 0x80000000u;
        assert_int_equal(run(&filters[f], &data), SECCOMP_RET_KILL_PROCESS);
    }
    /* x32 hides behind x86-64's number. */
    assert_int_equal(ask(&filters[0], (int)(WRAP_X32_BIT | 520), 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask(&filters[1], -1, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask(&filters[2], -1, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

/* ---------------------------------------------------------------- arguments */

struct argument_row {
    const char *name;
    unsigned arg;
    uint64_t value;
    bool good;
};

static const struct argument_row arguments[] = {
    {"mmap", 2, 3, true},
    {"mmap", 2, 0, true},
    {"mmap", 2, PROT_EXECUTE, false},
    {"mmap", 2, 7, false},
    {"mmap", 2, UINT64_C(0x100000000) | PROT_EXECUTE, false},
    {"mprotect", 2, 1, true},
    {"mprotect", 2, 5, false},
    {"fcntl", 1, 3, true},
    {"fcntl", 1, 1030, true},
    {"fcntl", 1, 8 /* F_SETOWN */, false},
    {"fcntl", 1, 1024 /* F_SETLEASE */, false},
    {"ioctl", 1, 0x541b, true},
    {"ioctl", 1, 0x5413, true},
    {"ioctl", 1, 0x5412 /* TIOCSTI */, false},
    {"ioctl", 1, 0x40045431 /* TIOCSPTLCK */, false},
    {"prctl", 0, 15, true},
    {"prctl", 0, 22 /* PR_SET_SECCOMP */, false},
    {"prctl", 0, 4 /* PR_SET_DUMPABLE */, false},
    {"prlimit64", 2, 0, true},
    {"prlimit64", 2, 1, false},
    {"prlimit64", 2, UINT64_C(0x100000000), false},
    {"clone", 0, 0x3d0f00 /* what pthread_create asks for */, true},
    {"clone", 0, 0x11 /* fork: SIGCHLD */, false},
    {"clone", 0, 0x4111 /* vfork */, false},
    {"clone", 0, 0x3d0f00 | 0x10000000 /* NEWUSER */, false},
    {"clone", 0, 0x3d0f00 & ~0x10000 /* no thread */, false},
    {"tgkill", 0, WRAP_FILTER_PID, true}, /* where the installer puts the number */
    {"tgkill", 0, 1, false},
};

static void test_arguments(void **state)
{
    (void)state;
    for (size_t f = 0; f < FILTER_COUNT; f++) {
        for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
            const struct argument_row *row = &arguments[i];
            size_t c = 0;
            while (strcmp(calls[c].name, row->name) != 0) {
                assert_true(++c < CALL_COUNT);
            }
            int number = calls[c].number[filters[f].arch];
            uint32_t got = ask(&filters[f], number, row->arg, row->value);
            assert_int_equal(got, row->good ? SECCOMP_RET_ALLOW : FAILS(EPERM));
        }
    }
}

/* socket(family, type): from which filter on it is allowed; 3: in none. */
static void test_sockets_by_family_and_type(void **state)
{
    static const struct {
        uint64_t family, type, protocol;
        int from;
    } table[] = {
        {2, 1, 0, 1},
        {2, 2, 0, 1},
        {10, 1, 0, 1},
        {10, 2, 0, 1},
        {2, 1 | 02000000 | 04000, 0, 1},
        {1, 1, 0, 2},
        {1, 2, 0, 2},
        {1, 5, 0, 3},
        {2, 3, 0, 3},
        {10, 3, 0, 3},
        {16, 3, 0, 3},
        {16, 2, 0, 3},
        {17, 3, 0, 3},
        {40, 1, 0, 3},
        {38, 5, 0, 3},
        {0, 1, 0, 3},
        {2, 0, 0, 3},
        {31, 3, 0, 3},
        {2, 1, 6, 1},
        {2, 2, 17, 1},
        {2, 1, 132, 3},
        {2, 1, 262, 3},
        {2, 2, 1, 3},
        {2, 2, 115, 3},
    };
    (void)state;
    for (size_t f = 0; f < FILTER_COUNT; f++) {
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            struct seccomp_data data = {
                .nr = filters[f].arch == 0 ? 41 : 198,
                .arch = filters[f].audit,
                .args = {table[i].family, table[i].type, table[i].protocol}};
            bool good = filters[f].net >= table[i].from;
            assert_int_equal(run(&filters[f], &data), good ? SECCOMP_RET_ALLOW : FAILS(EPERM));
        }
    }
}

/* ---------------------------------------------------------------- against libseccomp */

#if WRAP_HAVE_SECCOMP
static void test_numbers_are_those_of_libseccomp(void **state)
{
    static const uint32_t arches[2] = {SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64};
    (void)state;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        for (int arch = 0; arch < 2; arch++) {
            int number = seccomp_syscall_resolve_name_arch(arches[arch], calls[i].name);
            assert_int_not_equal(number, __NR_SCMP_ERROR);
            assert_int_equal(calls[i].number[arch], number < 0 ? NONE : number);
        }
    }
}
#else
static void test_numbers_are_those_of_libseccomp(void **state)
{
    (void)state;
    skip(); /* libseccomp-dev is not installed for this architecture */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number),
        cmocka_unit_test(test_dangerous_calls_fail),
        cmocka_unit_test(test_other_architectures_are_killed),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_sockets_by_family_and_type),
        cmocka_unit_test(test_numbers_are_those_of_libseccomp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
