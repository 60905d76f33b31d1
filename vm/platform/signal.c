/* SPDX-License-Identifier: Apache-2.0 */
/* Fault handler installation and look-up. The registers are signal_<arch>.c's. */
#include "platform/signal.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Written once under `once`, before the handlers are installed; read in signal handlers. */
static const struct vm_extable_entry *table_begin, *table_end;
static struct sigaction old_segv, old_bus;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool installed;

static usize entry_address(const i32 *field) { return (usize)field + (usize)(ptrdiff_t)*field; }

/** The label for a faulting instruction, or 0. The table is in link order, which is ascending. */
static usize find_label(usize pc)
{
    for (const struct vm_extable_entry *e = table_begin; e < table_end; e++)
        if (entry_address(&e->insn) == pc) return entry_address(&e->label);
    return 0;
}

bool vm_signal_try(int sig, void *siginfo, void *ucontext)
{
    (void)siginfo;
    if (sig != SIGSEGV && sig != SIGBUS) return false;
    usize label = find_label(vm_ucontext_pc(ucontext, 0));
    if (label == 0) return false;
    (void)vm_ucontext_pc(ucontext, label);
    return true;
}

/** Passes a fault that is not a guest's to whoever was there before us. */
static void chain(const struct sigaction *old, int sig, siginfo_t *info, void *ucontext)
{
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, info, ucontext);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(sig);
    } else {
        struct sigaction dfl;
        memset(&dfl, 0, sizeof dfl);
        dfl.sa_handler = SIG_DFL;
        (void)sigaction(sig, &dfl, NULL); /* the fault repeats and kills */
    }
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!vm_signal_try(sig, info, ucontext))
        chain(sig == SIGSEGV ? &old_segv : &old_bus, sig, info, ucontext);
}

static void install(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK; /* no SA_NODEFER: a fault in the handler kills */
    (void)sigemptyset(&act.sa_mask);
    installed = sigaction(SIGSEGV, &act, &old_segv) == 0 && sigaction(SIGBUS, &act, &old_bus) == 0;
}

bool vm_signal_install(const struct vm_extable_entry *begin, const struct vm_extable_entry *end)
{
    if (begin == end || vm_ucontext_pc(NULL, 0) == 0) return false;
    table_begin = begin;
    table_end = end;
    return pthread_once(&once, install) == 0 && installed;
}
