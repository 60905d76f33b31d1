/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h - what a guest holds of its own, linear memory and tables, from its process to whoever
 * asks: a small file that the process maps before it is locked down and its engine writes to, and
 * that others read. Nothing waits, and the guest is not asked. What is in it is as hostile as a
 * guest that has taken over its interpreter: numbers to show, never sizes to trust. Not here: what
 * the kernel counts (cgroup.h).
 */
#ifndef WRAPPERS_SANDBOX_USAGE_H
#define WRAPPERS_SANDBOX_USAGE_H

#include "wasmrun.h"

#include <stdbool.h>

/** A file without a name, close-on-exec, with zeros; -1: none can be had. */
int wrap_usage_new(void);
/** The same as `name` in a folder; one that is there already is a failure. */
int wrap_usage_make(int dir, const char *name);
/** Maps such a file for the engine, for as long as the process lives; NULL: it cannot be. */
wr_usage_t *wrap_usage_map(int fd);
/** What it says now; the descriptor may be of any file. False: that is no such file. */
bool wrap_usage_read(int fd, wr_usage_t *out);

#endif
