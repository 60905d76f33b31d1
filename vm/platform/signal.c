/* SPDX-License-Identifier: Apache-2.0 */
/* Fault handler installation and look-up. The registers are signal_<arch>.c's. */
#include "platform/signal.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Written once under `lock`, before the handlers are installed; read in signal handlers. */
static const struct vm_extable_entry *table_begin, *table_end;
static struct sigaction old_segv, old_bus;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool tried, installed; /* lock: lock */

static usize entry_address(const i32 *field) { return (usize)field + (usize)(ptrdiff_t)*field; }

/** The label for a faulting instruction, or 0. The table is in link order, which is ascending. */
static usize find_label(usize pc)
{
    for (const struct vm_extable_entry *e = table_begin; e < table_end; e++)
        if (entry_address(&e->insn) == pc) return entry_address(&e->label);
    return 0;
}

/** True for a signal that somebody sent; the kernel's own have positive codes. */
static bool is_sent(const siginfo_t *info) { return info && info->si_code <= 0; }

bool vm_signal_try(int sig, void *siginfo, void *ucontext)
{
    if ((sig != SIGSEGV && sig != SIGBUS) || is_sent(siginfo)) return false;
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
        if (is_sent(info)) (void)raise(sig); /* which nothing repeats */
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
    (void)pthread_mutex_lock(&lock);
    if (!tried) {
        tried = true;
        table_begin = begin;
        table_end = end;
        install();
    }
    bool ok = installed;
    (void)pthread_mutex_unlock(&lock);
    return ok;
}
