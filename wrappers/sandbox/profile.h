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
/**
 * The same out of a cache that all pods of the host share: files in `folder` named by the SHA-256
 * of the profile and of what it is compiled against, made by atomic rename, owned by root alone,
 * checked before use. A cache that can't be used costs time, never a failure. `folder` NULL:
 * /run/wasmrun/seccomp.
 */
bool wrap_profile_get(const struct wrap_seccomp *seccomp, const char *folder,
                      struct wrap_profile_filter *out, struct wrap_error *err);
void wrap_profile_free(struct wrap_profile_filter *filter);
/** Installs it on the calling thread; before ours, which denies seccomp. 0, or an errno. */
int wrap_profile_apply(const struct wrap_profile_filter *filter);

#endif
