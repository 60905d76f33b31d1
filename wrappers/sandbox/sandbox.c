/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - the parts of a sandbox, in the order that they need. */
#include "sandbox/sandbox.h"

#include "sandbox/landlock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

enum { LANDLOCK_TRUNCATE = 3 /* from this version on, read-only files can't be emptied */ };

static void note(struct wrap_sandbox_result *out, const char *what, int problem)
{
    size_t length = strlen(out->missing);
    snprintf(out->missing + length, sizeof out->missing - length, "%s%s: %s", length ? "; " : "",
             what, strerror(problem));
}

/* Errors that say that the kernel lacks it, or that somebody outside forbids it. */
static bool is_lacking(int problem)
{
    return problem == ENOSYS || problem == EOPNOTSUPP || problem == EINVAL || problem == EPERM;
}

bool wrap_sandbox_apply(const struct wrap_sandbox *sandbox, struct wrap_sandbox_result *out)
{
    *out = (struct wrap_sandbox_result){0};
    if (sandbox->mode == WRAP_SANDBOX_OFF) {
        return true;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        note(out, "no_new_privs", errno);
        return sandbox->mode == WRAP_SANDBOX_AUTO;
    }
    const char *what = NULL;
    int problem = wrap_landlock_apply(sandbox, &what);
    if (!problem) {
        out->landlock = wrap_landlock_version();
        if (out->landlock < LANDLOCK_TRUNCATE) {
            note(out, "Landlock's rules for truncating files", EOPNOTSUPP);
            if (sandbox->mode == WRAP_SANDBOX_STRICT) return false;
        }
    } else {
        note(out, what, problem);
        if (sandbox->mode == WRAP_SANDBOX_STRICT || !is_lacking(problem)) {
            return false;
        }
    }
    problem = wrap_seccomp_apply(sandbox);
    out->seccomp = problem == 0;
    if (problem) {
        note(out, "seccomp", problem);
    }
    return !problem || (sandbox->mode == WRAP_SANDBOX_AUTO && is_lacking(problem));
}

void wrap_sandbox_helper(void)
{
    const char *what = NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        (void)wrap_landlock_apply(NULL, &what);
    }
}
