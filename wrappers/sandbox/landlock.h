/* SPDX-License-Identifier: Apache-2.0 */
/* landlock.h - files by Landlock, through its system calls; seccomp filters. */
#ifndef WRAPPERS_SANDBOX_LANDLOCK_H
#define WRAPPERS_SANDBOX_LANDLOCK_H

#include "sandbox/sandbox.h"

/** The version of Landlock's rules that this kernel has, 0: none. */
int wrap_landlock_version(void);
/**
 * Leaves the calling thread the paths of `sandbox` only, NULL: none. 0, or an errno; `*what` then
 * names what failed. no_new_privs must be set.
 */
int wrap_landlock_apply(const struct wrap_sandbox *sandbox, const char **what);

/** Installs the filter on all threads; 0, or an errno. no_new_privs must be set. */
int wrap_seccomp_apply(enum wrap_sandbox_net network);

#endif
