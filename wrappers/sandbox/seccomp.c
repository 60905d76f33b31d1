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

int wrap_seccomp_apply(enum wrap_sandbox_net network)
{
    static const struct {
        const struct sock_filter *code;
        unsigned short length;
    } filters[WRAP_SANDBOX_NETS] = {
        [WRAP_SANDBOX_NO_NET] = {FILTER(closed), LENGTH(closed)},
        [WRAP_SANDBOX_INET] = {FILTER(inet), LENGTH(inet)},
        [WRAP_SANDBOX_UNIX] = {FILTER(unix), LENGTH(unix)},
    };
    struct sock_filter code[LENGTH_MAX];
    struct sock_fprog program = {.len = filters[network].length, .filter = code};
    memcpy(code, filters[network].code, program.len * sizeof code[0]);
    for (unsigned i = 0; i < program.len; i++) {
        if (code[i].k == WRAP_FILTER_PID && BPF_CLASS(code[i].code) == BPF_JMP) {
            code[i].k = (unsigned)getpid();
        }
    }
    /* A positive answer is a thread that could not be included. */
    long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return done == 0 ? 0 : done > 0 ? ESRCH : errno;
}
