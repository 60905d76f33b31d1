/* SPDX-License-Identifier: Apache-2.0 */
/* The x86-64 program counter in a ucontext. The only code of this architecture that sees one. */
#include "platform/signal.h"

#if defined(__x86_64__)
#include <ucontext.h>

usize vm_ucontext_pc(void *ucontext, usize pc)
{
    if (!ucontext) return 1; /* supported */
    ucontext_t *uc = ucontext;
    usize old = (usize)uc->uc_mcontext.gregs[REG_RIP];
    if (pc) uc->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
    return old;
}
#else
typedef int vm_signal_x86_64_is_empty;
#endif
