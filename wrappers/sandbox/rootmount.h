/* SPDX-License-Identifier: Apache-2.0 */
/* rootmount.h - mounts of a root file system, as containerd lists them, in whatever namespace. */
#ifndef WRAPPERS_SANDBOX_ROOTMOUNT_H
#define WRAPPERS_SANDBOX_ROOTMOUNT_H

#include "sandbox/container.h"

/** Mounts all on `target`, which exists; may change the working directory. On failure some may be
 * mounted. */
bool wrap_root_mount_here(const struct wrap_root_mount *mounts, size_t count, const char *target,
                          struct wrap_error *err);

#endif
