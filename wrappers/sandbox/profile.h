/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - a container's own seccomp profile as a filter that stands beside ours: the kernel
 * takes the stricter answer of both, which is their intersection. Only the system calls that ours
 * allows are in it, so it is short.
 */
#ifndef WRAPPERS_SANDBOX_PROFILE_H
#define WRAPPERS_SANDBOX_PROFILE_H

#include "common/spec.h"

#include <linux/filter.h>

/** A program for the kernel; freed by wrap_profile_free. */
struct wrap_profile_filter {
    struct sock_filter *code;
    unsigned short length; /**< 0: the profile takes nothing away from ours */
    unsigned flags;        /**< SECCOMP_FILTER_FLAG_… */
};

/**
 * Writes the filter. An architecture other than this process's plays no part (ours kills its
 * calls). Errors: NOTIFY, unknown flags, too long for the kernel; unknown names are skipped, as the
 * specification wants it.
 */
bool wrap_profile_compile(const struct wrap_seccomp *seccomp, struct wrap_profile_filter *out,
                          struct wrap_error *err);
/** The same, for a filter of which ours is the second half: without what ours answers alike. Of the
 * profile that the CRI makes nothing is left. */
bool wrap_profile_compile_beside(const struct wrap_seccomp *seccomp,
                                 struct wrap_profile_filter *out, struct wrap_error *err);
/** One that was never filled (all 0) is fine. */
void wrap_profile_free(struct wrap_profile_filter *filter);
/** Installs it on the calling thread; before ours, which denies seccomp. 0, or an errno. */
int wrap_profile_apply(const struct wrap_profile_filter *filter);

#endif
