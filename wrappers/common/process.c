/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - signals of process 1, where names are looked up, the stack: see process.h. */
#include "common/process.h"

#include <nss.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static void end_by_signal(int signal) { _exit(128 + signal); }

void wrap_heed_signals(void)
{
    static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,   SIGUSR1,
                                 SIGUSR2, SIGALRM, SIGPROF, SIGVTALRM, SIGABRT};
    struct sigaction action = {.sa_handler = end_by_signal};
    for (size_t i = 0; getpid() == 1 && i < sizeof deadly / sizeof deadly[0]; i++) {
        struct sigaction old;
        if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            sigaction(deadly[i], &action, NULL);
        }
    }
}

void wrap_choose_names(void)
{
    static bool chosen;
    if (!chosen) {
        chosen = __nss_configure_lookup("hosts", "files dns") == 0 &&
                 __nss_configure_lookup("services", "files") == 0;
    }
}

__attribute__((noinline)) void wrap_stack_forget(void)
{
    /* Of the first stack: the kernel leaves more than both unmapped below it. */
    enum { ABOVE_MAX = 1 << 20, BELOW_MAX = 1 << 20 };
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    uintptr_t top = (uintptr_t)getauxval(AT_RANDOM); /* 16 bytes above the first frame */
    uintptr_t end = (frame & ~(page - 1)) - page;    /* the calls made here have room */
    if (top > frame && top - frame < ABOVE_MAX && end > BELOW_MAX) {
        /* ENOMEM: it has never been that deep. What there is of it is given back all the same. */
        (void)madvise((void *)(end - BELOW_MAX), BELOW_MAX, MADV_DONTNEED);
    }
}
