/* SPDX-License-Identifier: Apache-2.0 */
/* The aarch64 program counter in a ucontext. The only code of this architecture that sees one. */
#include "platform/signal.h"

#if defined(__aarch64__)
#include <ucontext.h>

usize vm_ucontext_pc(void *ucontext, usize pc)
{
    if (!ucontext) return 1; /* supported */
    ucontext_t *uc = ucontext;
    usize old = (usize)uc->uc_mcontext.pc;
    if (pc) uc->uc_mcontext.pc = pc;
    return old;
}
#else
typedef int vm_signal_aarch64_is_empty;
#endif
