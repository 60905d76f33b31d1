/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - signals of process 1, where names are looked up: see process.h. */
#include "common/process.h"

#include <nss.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static void end_by_signal(int signal) { _exit(128 + signal); }

void wrap_heed_signals(void)
{
    static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,   SIGUSR1,
                                 SIGUSR2, SIGALRM, SIGPROF, SIGVTALRM, SIGABRT};
    struct sigaction action = {.sa_handler = end_by_signal};
    bool first = getpid() == 1;
    for (size_t i = 0; first && i < sizeof deadly / sizeof deadly[0]; i++) {
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
