/* SPDX-License-Identifier: Apache-2.0 */
/* The two dispatchers' entry points and the calling convention of handlers. */
#ifndef VM_INTERP_DISPATCH_H
#define VM_INTERP_DISPATCH_H

#include "interp/step.h"

/** Runs from *r until a step stops; *r is then where it stopped. The reason. */
u32 vm_dispatch_loop(struct vm_regs *r);
/** The same with tail-call handlers; the loop in builds without them. */
u32 vm_dispatch_tail(struct vm_regs *r);

/* preserve_none keeps the machine state in registers across handlers; sanitizers can't have it. */
#if defined(__has_attribute) && !defined(VM_NO_TAIL_CALLS)
#if __has_attribute(musttail)
#define VM_HAS_TAIL_CALLS 1
#define VM_MUSTTAIL __attribute__((musttail))
#endif
#endif
#ifndef VM_HAS_TAIL_CALLS
#define VM_HAS_TAIL_CALLS 0
#endif
#if VM_HAS_TAIL_CALLS && !defined(VM_PLAIN_HANDLER_CC)
#if __has_attribute(preserve_none)
#define VM_HANDLER_CC __attribute__((preserve_none))
#endif
#endif
#ifndef VM_HANDLER_CC
#define VM_HANDLER_CC
#endif

#endif
