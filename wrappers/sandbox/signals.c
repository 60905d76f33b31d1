/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.c - the first process of a pid namespace ignores each signal that it has no handler for,
 * but a stop has to work: what would end another process ends this one with the same code.
 */
#include "sandbox/child.h"

#include <signal.h>
#include <unistd.h>

static void end(int number) { _exit(128 + number); }

static bool prepared; /* one thread */

static void end_by_realtime(const struct sigaction *action)
{
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) sigaction(number, action, NULL);
}

void wrap_signals_prepare(void)
{
    struct sigaction action = {.sa_handler = end};
    sigfillset(&action.sa_mask);
    end_by_realtime(&action);
    prepared = true;
}

void wrap_signals_reset(void)
{
    /* SIGSEGV and its like are the engine's and can't be ignored anyhow; a guest gets EPIPE. */
    static const int ending[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGABRT,   SIGUSR1,
                                 SIGUSR2, SIGALRM,   SIGTERM, SIGXCPU,   SIGXFSZ,
                                 SIGPROF, SIGVTALRM, SIGPOLL, SIGSTKFLT, SIGPWR};
    struct sigaction action = {.sa_handler = end};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        sigaction(ending[i], &action, NULL);
    if (!prepared) end_by_realtime(&action);
    signal(SIGPIPE, SIG_IGN);
    static const int usual[] = {SIGCHLD, SIGWINCH, SIGURG, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) signal(usual[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
