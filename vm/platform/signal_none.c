/* SPDX-License-Identifier: Apache-2.0 */
/* Other architectures: no guard mode; memories use explicit checks. */
#include "platform/signal.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
usize vm_ucontext_pc(void *ucontext, usize pc)
{
    (void)ucontext;
    (void)pc;
    return 0;
}
#else
typedef int vm_signal_none_is_empty;
#endif
