/* SPDX-License-Identifier: Apache-2.0 */
/* aside.c - fork, and a page in common for what went wrong. */
#include "shim/aside.h"

#include "shim/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct aside {
    struct wrap_reap reap;
    struct wrap_aside_config config;
    struct wrap_error *problem; /* shared with the child */
};

static void aside_free(struct aside *aside)
{
    if (aside->problem) {
        munmap(aside->problem, sizeof *aside->problem);
    }
    free(aside);
}

static void on_ended(struct wrap_reap *reap, unsigned status, struct timespec when)
{
    struct aside *aside = (struct aside *)reap;
    const struct wrap_aside_config config = aside->config;
    struct wrap_error err = *aside->problem;
    (void)when;
    aside_free(aside);
    err.text[sizeof err.text - 1] = 0;
    if (status != 0) {
        wrap_fail(&err, WRAP_UNKNOWN, "a helper ended with status %u", status);
    }
    config.done(err.code ? &err : NULL, config.context);
}

bool wrap_aside(const struct wrap_aside_config *config, struct wrap_error *err)
{
    struct aside *aside = calloc(1, sizeof *aside);
    void *page = mmap(NULL, sizeof *aside->problem, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!aside || page == MAP_FAILED) {
        if (page != MAP_FAILED) {
            munmap(page, sizeof *aside->problem);
        }
        free(aside);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    aside->config = *config;
    aside->problem = page;
    aside->reap.ended = on_ended;
    aside->reap.pid = fork();
    if (aside->reap.pid == 0) {
        (void)syscall(SYS_close_range, 3, ~0U, 0); /* streams of containers must be able to end */
        _exit(config->work(config->context, aside->problem) ? 0 : 1);
    }
    if (aside->reap.pid < 0) {
        int problem = errno;
        aside_free(aside);
        return wrap_fail_errno(err, problem, "cannot fork");
    }
    wrap_reap_expect(&aside->reap, wrap_reap_mark());
    return true;
}
