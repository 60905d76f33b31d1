/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what a process that runs a guest asks of the system for its own sake.
 * Not here: what it gives up (sandbox/).
 */
#ifndef WRAPPERS_COMMON_PROCESS_H
#define WRAPPERS_COMMON_PROCESS_H

#include <stdint.h>

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

/**
 * Gives back what lies on the stack below the caller's frame: earlier calls have used it. Does
 * nothing on another stack than the process's first.
 */
void wrap_stack_forget(void);

/**
 * Goes on with `go` where the first frames of the process were, if this is its first stack: those
 * of all callers are no more, so `go` finds what it needs elsewhere, and must not return.
 */
_Noreturn void wrap_stack_begin_again(void (*go)(void));

/** Goes on with `go`, which must not return, on a stack that ends at `stack`: 16 bytes aligned. */
_Noreturn void wrap_stack_jump(uintptr_t stack, void (*go)(void));

#endif
