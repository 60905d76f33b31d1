/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - limits of resources and the score that the kernel's OOM killer goes by. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

bool wrap_limits_set(const struct wrap_process *process, struct wrap_error *err)
{
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct wrap_rlimit *row = &process->rlimits[i];
        const uint64_t values[2] = {row->soft, row->hard}; /* as the kernel has them */
        if (syscall(SYS_prlimit64, 0, row->resource, values, NULL) != 0) {
            return wrap_fail_errno(err, errno, "process.rlimits[%zu]", i);
        }
    }
    return true;
}

bool wrap_oom_score_set(int score, struct wrap_error *err)
{
    char text[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0) return wrap_fail_errno(err, errno, "process.oomScoreAdj");
    int length = snprintf(text, sizeof text, "%d", score);
    bool good = write(fd, text, (size_t)length) == length;
    int problem = errno;
    if (!good) { /* not allowed to lower it: fine when that is what it is */
        ssize_t got = pread(fd, text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = '\0';
        good = got > 0 && strtol(text, NULL, 10) == score;
    }
    close(fd);
    return good || wrap_fail_errno(err, problem, "process.oomScoreAdj %d", score);
}
