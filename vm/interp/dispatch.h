/* SPDX-License-Identifier: Apache-2.0 */
/* The two dispatchers' entry points and the calling convention of handlers. */
#ifndef VM_INTERP_DISPATCH_H
#define VM_INTERP_DISPATCH_H

#include "interp/step.h"

/** Runs from *r until a step stops; *r is then where it stopped. The reason. */
u32 vm_dispatch_loop(struct vm_regs *r);
/** The same with tail-call handlers; the loop in builds without them. */
u32 vm_dispatch_tail(struct vm_regs *r);

/* The build says VM_DISPATCH_TAIL=0 for the portable loop alone (gcc 12 has no musttail). */
#ifndef VM_DISPATCH_TAIL
#define VM_DISPATCH_TAIL 1
#endif
#if VM_DISPATCH_TAIL
#define VM_MUSTTAIL __attribute__((musttail))
#endif
/* preserve_none keeps the machine state in registers; sanitizer builds define this empty. */
#ifndef VM_HANDLER_CC
#define VM_HANDLER_CC __attribute__((preserve_none))
#endif

#endif
