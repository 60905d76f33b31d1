/* SPDX-License-Identifier: Apache-2.0 */
/* landlock.h - files by Landlock, through its system calls; seccomp filters. */
#ifndef WRAPPERS_SANDBOX_LANDLOCK_H
#define WRAPPERS_SANDBOX_LANDLOCK_H

#include "sandbox/profile.h"
#include "sandbox/sandbox.h"

/** The version of Landlock's rules that this kernel has, 0: none. */
int wrap_landlock_version(void);
/**
 * Leaves the calling thread the paths of `sandbox` only, NULL: none. 0, or an errno; `*what` then
 * names what failed. no_new_privs must be set.
 */
int wrap_landlock_apply(const struct wrap_sandbox *sandbox, const char **what);

/**
 * The filter for this architecture and what `sandbox` says of network and threads; with a profile,
 * one that asks it first and goes on to ours where it allows. `*code` is the caller's, `*length`
 * its instructions. 0, or an errno.
 */
int wrap_seccomp_make(const struct wrap_sandbox *sandbox, struct sock_filter **code,
                      unsigned short *length);
/**
 * Installs it on all threads; 0, or an errno. no_new_privs must be set. As one program, since what
 * a program costs is mostly its installation; a profile with flags, or one that logs what it
 * allows, is installed by itself.
 */
int wrap_seccomp_apply(const struct wrap_sandbox *sandbox);

#endif
