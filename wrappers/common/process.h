/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what a process that runs a guest asks of the system for its own sake.
 * Not here: what it gives up (sandbox/).
 */
#ifndef WRAPPERS_COMMON_PROCESS_H
#define WRAPPERS_COMMON_PROCESS_H

/**
 * Process 1 of a pid namespace ends at signals that end any other: the kernel keeps those without
 * a handler from it, so that a guest there would outlive every TERM. The exit code is 128 and the
 * number. Signals that have a handler or are ignored stay so. Before there are threads.
 */
void wrap_heed_signals(void);

/**
 * Names are looked up in files and by DNS from now on, both built into the C library, a static one
 * too. What nsswitch.conf says is not asked: it may name a library, which would be loaded into this
 * process. Before there are threads.
 */
void wrap_choose_names(void);

#endif
