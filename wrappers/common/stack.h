/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack.h - pages of a process's stack that nobody needs any more: of 200 pods each counts 200
 * times. For processes with one thread.
 */
#ifndef WRAPPERS_COMMON_STACK_H
#define WRAPPERS_COMMON_STACK_H

#include <stdint.h>

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
