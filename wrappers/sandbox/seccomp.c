/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.c - installs the filter that gen/filter.c wrote for this architecture. That numbers and
 * filters are right is checked by tests/test_filter.c.
 */
#include "sandbox/landlock.h"
#include "sandbox/policy.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-const-variable" /* those of the other architecture */
#include "sandbox/filters.h"
#pragma GCC diagnostic pop

#undef unix /* a macro of older C */
#if defined(__x86_64__)
#define FILTER(kind) wrap_filter_x86_64_##kind
#elif defined(__aarch64__)
#define FILTER(kind) wrap_filter_aarch64_##kind
#else
#error "the sandbox knows x86-64 and aarch64"
#endif

#define LENGTH(kind) (sizeof FILTER(kind) / sizeof FILTER(kind)[0])

enum { LENGTH_MAX = 512 };
_Static_assert(LENGTH(closed) <= LENGTH_MAX && LENGTH(inet) <= LENGTH_MAX &&
                   LENGTH(unix) <= LENGTH_MAX,
               "room for each filter");

/* The profile's program asks first: where it allows, ours goes on. */
static int make(const struct wrap_sandbox *sandbox, const struct wrap_profile_filter *profile,
                struct sock_filter **code, unsigned short *length)
{
    static const struct {
        const struct sock_filter *code;
        unsigned short length;
    } filters[WRAP_SANDBOX_NETS] = {
        [WRAP_SANDBOX_NO_NET] = {FILTER(closed), LENGTH(closed)},
        [WRAP_SANDBOX_INET] = {FILTER(inet), LENGTH(inet)},
        [WRAP_SANDBOX_UNIX] = {FILTER(unix), LENGTH(unix)},
    };
    unsigned before = profile ? profile->length : 0;
    unsigned total = before + filters[sandbox->network].length;
    if (total > BPF_MAXINSNS) {
        return EINVAL;
    }
    struct sock_filter *made = malloc(total * sizeof made[0]);
    if (!made) {
        return ENOMEM;
    }
    for (unsigned i = 0; i < before; i++) {
        made[i] = profile->code[i];
        if (made[i].code == (BPF_RET | BPF_K) && made[i].k == SECCOMP_RET_ALLOW) {
            made[i] =
                (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, before + WRAP_FILTER_NUMBER - i - 1);
        }
    }
    memcpy(made + before, filters[sandbox->network].code,
           filters[sandbox->network].length * sizeof made[0]);
    for (unsigned i = before; i < total; i++) {
        if (BPF_CLASS(made[i].code) == BPF_JMP && made[i].k == WRAP_FILTER_PID) {
            made[i].k = (unsigned)getpid(); /* which the installer alone knows */
        }
    }
    *code = made;
    *length = (unsigned short)total;
    return 0;
}

int wrap_seccomp_make(const struct wrap_sandbox *sandbox, struct sock_filter **code,
                      unsigned short *length)
{
    return make(sandbox, sandbox->profile, code, length);
}

static bool can_be_joined(const struct wrap_profile_filter *profile)
{
    bool can = profile->flags == 0;
    for (unsigned i = 0; i < profile->length; i++) {
        can = can && !(profile->code[i].code == (BPF_RET | BPF_K) &&
                       (profile->code[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_LOG);
    }
    return can && profile->length + LENGTH_MAX <= BPF_MAXINSNS;
}

int wrap_seccomp_apply(const struct wrap_sandbox *sandbox)
{
    const struct wrap_profile_filter *profile = sandbox->profile;
    struct sock_fprog program = {0};
    if (profile && !can_be_joined(profile)) {
        int problem = wrap_profile_apply(profile);
        if (problem) {
            return problem;
        }
        profile = NULL;
    }
    int problem = make(sandbox, profile, &program.filter, &program.len);
    if (problem) {
        return problem;
    }
    /* A positive answer is a thread that could not be included. */
    long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    problem = done == 0 ? 0 : done > 0 ? ESRCH : errno;
    free(program.filter);
    return problem;
}
