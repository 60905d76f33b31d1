/* SPDX-License-Identifier: Apache-2.0 */
/* reaper.c - SIGCHLD through a descriptor, waitid until there is nothing left. */
#include "shim/reaper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends that nobody has expected yet: a container's first process can be gone before the runtime
 * that made it has told its pid. */
enum { EARLY_MAX = 256 };
struct early {
    pid_t pid; /* 0: empty */
    uint64_t number; /* of all ends */
    unsigned status;
    struct timespec when;
};

static struct {
    uv_poll_t poll;
    uv_idle_t idle; /* runs while an expected process is among the early ones */
    int fd;
    struct wrap_reap *expected;
    unsigned next_early;
    uint64_t ends;
} reaper = {.fd = -1};
static struct early earlies[EARLY_MAX]; /* apart: most pods never write there */

static struct wrap_reap *take_expected(pid_t pid)
{
    for (struct wrap_reap **at = &reaper.expected; *at; at = &(*at)->next) {
        if ((*at)->pid == pid) {
            struct wrap_reap *found = *at;
            *at = found->next;
            found->next = NULL;
            return found;
        }
    }
    return NULL;
}

static void tell(pid_t pid, unsigned status, struct timespec when)
{
    struct wrap_reap *reap = take_expected(pid);
    uint64_t number = reaper.ends++;
    if (reap) {
        reap->ended(reap, status, when);
        return;
    }
    earlies[reaper.next_early] = (struct early){pid, number, status, when};
    reaper.next_early = (reaper.next_early + 1) % EARLY_MAX;
}

static void reap_all(void)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
            if (errno == EINTR) {
                continue;
            }
            return; /* ECHILD */
        }
        if (info.si_pid == 0) {
            return;
        }
        struct timespec when;
        clock_gettime(CLOCK_REALTIME, &when);
        unsigned status = (unsigned)info.si_status;
        tell(info.si_pid, info.si_code == CLD_EXITED ? status : 128 + status, when);
    }
}

static void on_signal(uv_poll_t *poll, int status, int events)
{
    struct signalfd_siginfo infos[8];
    (void)poll;
    (void)status;
    (void)events;
    while (read(reaper.fd, infos, sizeof infos) > 0) {
    }
    reap_all();
}

/* Pairs early ends with those that are expected since. */
static void on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    for (unsigned i = 0; i < EARLY_MAX; i++) {
        struct early early = earlies[i];
        struct wrap_reap *reap = early.pid ? take_expected(early.pid) : NULL;
        if (reap) {
            earlies[i].pid = 0;
            reap->ended(reap, early.status, early.when);
        }
    }
}

bool wrap_reaper_start(uv_loop_t *loop, struct wrap_error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        return wrap_fail_errno(err, errno, "cannot become a subreaper");
    }
    reaper.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (reaper.fd < 0) {
        return wrap_fail_errno(err, errno, "signalfd");
    }
    int wrong = uv_poll_init(loop, &reaper.poll, reaper.fd);
    if (wrong == 0) {
        wrong = uv_poll_start(&reaper.poll, UV_READABLE, on_signal);
    }
    if (wrong != 0) {
        return wrap_fail_errno(err, -wrong, "cannot watch for ends of processes");
    }
    return uv_idle_init(loop, &reaper.idle) == 0;
}

uint64_t wrap_reap_mark(void) { return reaper.ends; }

void wrap_reap_expect(struct wrap_reap *reap, uint64_t mark)
{
    reap->next = reaper.expected;
    reaper.expected = reap;
    for (unsigned i = 0; i < EARLY_MAX; i++) {
        struct early *early = &earlies[i];
        if (early->pid == reap->pid && early->number < mark) {
            early->pid = 0; /* its number is used again */
        } else if (early->pid == reap->pid) {
            uv_idle_start(&reaper.idle, on_idle);
        }
    }
}

void wrap_reap_forget(struct wrap_reap *reap)
{
    for (struct wrap_reap **at = &reaper.expected; *at; at = &(*at)->next) {
        if (*at == reap) {
            *at = reap->next;
            reap->next = NULL;
            return;
        }
    }
}

void wrap_reaper_stop(void)
{
    uv_close((uv_handle_t *)&reaper.poll, NULL);
    uv_close((uv_handle_t *)&reaper.idle, NULL);
    close(reaper.fd);
    reaper.fd = -1;
}
