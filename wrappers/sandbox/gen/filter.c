/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c - writes seccomp filters from syscalls.def, for the building machine: for each
 * architecture one without new sockets, one with those of the internet, and one with Unix sockets
 * too, as arrays of struct sock_filter.
 *
 * A filter looks at the architecture, then searches the number in a sorted list of ranges by
 * bisection (7 comparisons), each of which goes on to another one, or to an answer or a check of
 * the arguments that all share: the kernel's time to install a filter grows with its length.
 */
#include "sandbox/policy.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum rule {
    DENY,
    ALLOW,
    NOSYS,
    KILL,
    FCNTL,
    IOCTL,
    PRCTL,
    PROT,
    CLONE,
    PRLIMIT,
    OWN_PID,
    SOCKET_INET,
    SOCKET_UNIX,
    RULES, /* the rest is one of the above, in each filter */
    NET,
    SOCKET,
    UNIX
};

enum net { CLOSED, INET, WITH_UNIX, NETS };
static const char *const net_names[NETS] = {"closed", "inet", "unix"};

enum { NONE = -1, CALLS_MAX = 512, CODE_MAX = 1024, ARCHS = 2 };

struct call {
    int number[ARCHS];
    enum rule rule;
};

static const struct call calls[] = {
#define SYSCALL(name, x86_64, aarch64, rule) {{x86_64, aarch64}, rule},
#include "sandbox/syscalls.def"
#undef SYSCALL
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

static const char *const arch_names[ARCHS] = {"x86_64", "aarch64"};
static const uint32_t arch_audits[ARCHS] = {WRAP_AUDIT_X86_64, WRAP_AUDIT_AARCH64};

/* ---------------------------------------------------------------- code */

static struct sock_filter code[CODE_MAX];
static unsigned code_count;
/* Sides of comparisons that go to what is written later for a rule. */
static struct {
    unsigned at;
    int yes; /* which side */
    enum rule rule;
} forward[2 * CALLS_MAX];
static unsigned forward_count;

static void fail(const char *text)
{
    fprintf(stderr, "filter: %s\n", text);
    exit(1);
}

static unsigned emit(unsigned short what, uint32_t k, unsigned yes, unsigned no)
{
    if (code_count == CODE_MAX || yes > 255 || no > 255) {
        fail("a filter is too long");
    }
    code[code_count] = (struct sock_filter){what, (unsigned char)yes, (unsigned char)no, k};
    return code_count++;
}

static void answer(uint32_t action) { emit(BPF_RET | BPF_K, action, 0, 0); }

static void answer_errno(int number) { answer(SECCOMP_RET_ERRNO | (uint32_t)number); }

/* The low half of an argument; the kernel looks at no more of those that are checked so. */
static void load_arg(unsigned i)
{
    emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * i), 0, 0);
}

static void load_arg_high(unsigned i)
{
    emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * i + 4), 0,
         0);
}

/* ---------------------------------------------------------------- checks of arguments */

/* Allows the call when argument `i` is one of `words`. */
static void check_words(unsigned i, const uint32_t *words, unsigned count)
{
    load_arg(i);
    for (unsigned w = 0; w < count; w++) {
        emit(BPF_JMP | BPF_JEQ | BPF_K, words[w], count - w, 0);
    }
    answer_errno(EPERM);
    answer(SECCOMP_RET_ALLOW);
}

static void check_prot(void)
{
    load_arg(2);
    emit(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 0, 1);
    answer_errno(EPERM);
    answer(SECCOMP_RET_ALLOW);
}

static void check_clone(void)
{
    const uint32_t thread = WRAP_FILTER_THREAD;
    _Static_assert(WRAP_FILTER_THREAD == (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD), "flags");
    _Static_assert(WRAP_FILTER_CLONE_NEVER ==
                       (CLONE_PTRACE | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                        CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_IO),
                   "flags");
    load_arg(0);
    emit(BPF_JMP | BPF_JSET | BPF_K, WRAP_FILTER_CLONE_NEVER, 2, 0);
    emit(BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, thread, 1, 0);
    answer_errno(EPERM);
    answer(SECCOMP_RET_ALLOW);
}

/* prlimit64(pid, resource, new, old): asking only. */
static void check_prlimit(void)
{
    load_arg(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
    load_arg_high(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    answer_errno(EPERM);
    answer(SECCOMP_RET_ALLOW);
}

/*
 * socket(family, type, protocol): streams and datagrams of the usual protocols; no raw sockets even
 * where root runs us, nothing that the kernel would load a module for.
 */
static void check_socket(unsigned families)
{
    static const uint32_t known[] = {2 /* AF_INET */, 10 /* AF_INET6 */, 1 /* AF_UNIX */};
    static const uint32_t protocols[] = {0, 6 /* TCP */, 17 /* UDP */};
    load_arg(0);
    for (unsigned i = 0; i < families; i++) {
        emit(BPF_JMP | BPF_JEQ | BPF_K, known[i], families - i, 0);
    }
    answer_errno(EPERM);
    load_arg(1);
    emit(BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* above: NONBLOCK, CLOEXEC */
    emit(BPF_JMP | BPF_JEQ | BPF_K, 1 /* SOCK_STREAM */, 2, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 2 /* SOCK_DGRAM */, 1, 0);
    answer_errno(EPERM);
    check_words(2, protocols, sizeof protocols / sizeof protocols[0]);
}

/* What a rule comes to. */
static void check(enum rule rule)
{
    /* DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW DUPFD_CLOEXEC ADD_SEALS GET_SEALS */
    static const uint32_t fcntls[] = {0, 1, 2, 3, 4, 5, 6, 7, 1030, 1033, 1034};
    /* FIONREAD FIONBIO FIOCLEX FIONCLEX TCGETS TIOCGWINSZ: never TIOCSTI, which types */
    static const uint32_t ioctls[] = {0x541b, 0x5421, 0x5451, 0x5450, 0x5401, 0x5413};
    static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA};
    static const uint32_t own[] = {WRAP_FILTER_PID};
    switch (rule) {
    case DENY: answer_errno(EPERM); break;
    case ALLOW: answer(SECCOMP_RET_ALLOW); break;
    case NOSYS: answer_errno(ENOSYS); break;
    case KILL: answer(SECCOMP_RET_KILL_PROCESS); break;
    case FCNTL: check_words(1, fcntls, sizeof fcntls / sizeof fcntls[0]); break;
    case IOCTL: check_words(1, ioctls, sizeof ioctls / sizeof ioctls[0]); break;
    case PRCTL: check_words(0, prctls, sizeof prctls / sizeof prctls[0]); break;
    case OWN_PID: check_words(0, own, 1); break;
    case PROT: check_prot(); break;
    case CLONE: check_clone(); break;
    case PRLIMIT: check_prlimit(); break;
    case SOCKET_INET: check_socket(2); break;
    case SOCKET_UNIX: check_socket(3); break;
    default: fail("a rule has no check");
    }
}

/* ---------------------------------------------------------------- the search */

/* From `first` to the next range's: one rule. */
struct range {
    unsigned first;
    enum rule rule;
};
static struct range ranges[2 * CALLS_MAX];
static unsigned range_count;

static void add_range(unsigned first, enum rule rule)
{
    if (range_count && ranges[range_count - 1].rule == rule) {
        return;
    }
    ranges[range_count++] = (struct range){first, rule};
}

/* What a rule means in one of the filters. */
static enum rule rule_in(enum rule rule, enum net net)
{
    switch (rule) {
    case NET: return net == CLOSED ? DENY : ALLOW;
    case UNIX: return net == WITH_UNIX ? ALLOW : DENY;
    case SOCKET: return net == CLOSED ? DENY : net == INET ? SOCKET_INET : SOCKET_UNIX;
    default: return rule;
    }
}

static enum rule rule_of(unsigned number, int arch, enum net net)
{
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number[arch] == (int)number) {
            return rule_in(calls[i].rule, net);
        }
    }
    return number >= WRAP_SYSCALL_NEW ? NOSYS : DENY;
}

static void make_ranges(int arch, enum net net)
{
    unsigned end = WRAP_SYSCALL_NEW;
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        unsigned number = (unsigned)(calls[i].number[arch] + 1); /* NONE is 0 here */
        end = number > end ? number : end;
    }
    range_count = 0;
    for (unsigned number = 0; number <= end; number++) {
        add_range(number, rule_of(number, arch, net));
    }
    if (arch == 0) {
        add_range(WRAP_X32_BIT, KILL);
    }
}

static void set_side(unsigned at, int yes, unsigned target)
{
    unsigned distance = target - at - 1;
    if (distance > 255) {
        fail("a jump is too long");
    }
    *(yes ? &code[at].jt : &code[at].jf) = (unsigned char)distance;
}

static void emit_search(unsigned low, unsigned high);

/* What the comparison at `at` goes on to on one side: ranges low to high. */
static void emit_side(unsigned at, int yes, unsigned low, unsigned high)
{
    if (low < high) {
        set_side(at, yes, code_count);
        emit_search(low, high);
        return;
    }
    forward[forward_count].at = at;
    forward[forward_count].yes = yes;
    forward[forward_count++].rule = ranges[low].rule;
}

/* The number is in the accumulator and in one of ranges low to high, more than one. */
static void emit_search(unsigned low, unsigned high)
{
    unsigned middle = (low + high + 1) / 2;
    unsigned at = emit(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].first, 0, 0);
    emit_side(at, 0, low, middle - 1);
    emit_side(at, 1, middle, high);
}

static void emit_rules(void)
{
    for (int rule = 0; rule < RULES; rule++) {
        unsigned here = code_count;
        int used = 0;
        for (unsigned i = 0; i < forward_count; i++) {
            if ((int)forward[i].rule == rule) {
                set_side(forward[i].at, forward[i].yes, here);
                used = 1;
            }
        }
        if (used) {
            check((enum rule)rule);
        }
    }
}

static void make_filter(int arch, enum net net)
{
    code_count = 0;
    forward_count = 0;
    make_ranges(arch, net);
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, arch_audits[arch], 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    if (code_count != WRAP_FILTER_NUMBER) {
        fail("the number is loaded elsewhere");
    }
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    emit_search(0, range_count - 1);
    emit_rules();
}

static void print_filter(FILE *to, int arch, enum net net)
{
    fprintf(to, "static const struct sock_filter wrap_filter_%s_%s[] = {\n", arch_names[arch],
            net_names[net]);
    for (unsigned i = 0; i < code_count; i++) {
        fprintf(to, "    {0x%02x, %u, %u, 0x%xu},\n", code[i].code, code[i].jt, code[i].jf,
                code[i].k);
    }
    fprintf(to, "};\n\n");
}

int main(int argc, char **argv)
{
    FILE *to = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (!to) {
        fail("usage: filter OUTPUT");
    }
    fprintf(to, "/* Written by gen/filter.c from syscalls.def. */\n\n");
    for (int arch = 0; arch < ARCHS; arch++) {
        for (int net = 0; net < NETS; net++) {
            make_filter(arch, (enum net)net);
            print_filter(to, arch, (enum net)net);
        }
    }
    if (fclose(to) != 0) {
        fail("cannot write");
    }
    return 0;
}
