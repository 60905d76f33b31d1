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
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-const-variable" /* those of the other architecture */
#include "sandbox/filters.h"
#pragma GCC diagnostic pop

#if defined(__x86_64__)
#define FILTER(kind) wrap_filter_x86_64_##kind
#elif defined(__aarch64__)
#define FILTER(kind) wrap_filter_aarch64_##kind
#else
#error "the sandbox knows x86-64 and aarch64"
#endif

enum {
    LENGTH_CLOSED = sizeof FILTER(closed) / sizeof FILTER(closed)[0],
    LENGTH_NET = sizeof FILTER(net) / sizeof FILTER(net)[0],
    LENGTH_MAX = LENGTH_CLOSED > LENGTH_NET ? LENGTH_CLOSED : LENGTH_NET
};

int wrap_seccomp_apply(bool network)
{
    struct sock_filter code[LENGTH_MAX];
    struct sock_fprog program = {
        .len = network ? LENGTH_NET : LENGTH_CLOSED,
        .filter = code,
    };
    memcpy(code, network ? FILTER(net) : FILTER(closed), program.len * sizeof code[0]);
    for (unsigned i = 0; i < program.len; i++) {
        if (code[i].k == WRAP_FILTER_PID && BPF_CLASS(code[i].code) == BPF_JMP) {
            code[i].k = (unsigned)getpid();
        }
    }
    /* A positive answer is a thread that could not be included. */
    long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return done == 0 ? 0 : done > 0 ? ESRCH : errno;
}
