/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions that wait and notify. A wait that is stopped goes on where the exec does. */
#include "interp/atomic.h"
#include "interp/slow.h"

u32 vm_slow_atomic_notify(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset)
{
    struct vm_memory *m = x->now.inst->memories[memory];
    u8 *p = NULL;
    u32 trap = vm_atomic_check(m, s[0].u64, offset, 4, &p);
    if (trap) return trap;
    s[0].u64 = m->sharing ? vm_waiters_notify(m, (u64)(p - m->base), s[1].u32) : 0;
    return VM_STOP_NONE;
}

/** Queues the exec; `*answer` stays VM_WAIT_STOPPED if it is to wait. spec exec-memory.atomic.wait:
 *  unaligned comes before not shared, and that before out of bounds. */
static u32 begin(struct vm_exec *x, struct vm_memory *m, struct vm_wait *wait, u64 offset,
                 enum vm_wait_result *answer)
{
    u8 *p = NULL;
    u32 trap = vm_atomic_check(m, wait->addr, offset, wait->size, &p);
    if (trap != VM_TRAP_UNALIGNED_ATOMIC && !m->sharing) trap = VM_TRAP_NOT_SHARED;
    if (trap) return trap;
    wait->addr = (u64)(p - m->base);
    if (!vm_waiter_begin(&x->waiter, m, wait)) *answer = VM_WAIT_NOT_EQUAL;
    return VM_STOP_NONE;
}

static u32 wait_on(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset, u32 size)
{
    enum vm_wait_result answer = VM_WAIT_STOPPED;
    u32 bits = ~(u32)0;
    if (x->waiter.memory) {
        bits = ~(u32)VM_INTERRUPT_STRESS; /* once is enough */
    } else {
        struct vm_wait wait = {.addr = s[0].u64,
                               .expected = size == 8 ? s[1].u64 : s[1].u32,
                               .size = size,
                               .timeout_ns = (i64)s[2].u64};
        u32 trap = begin(x, x->now.inst->memories[memory], &wait, offset, &answer);
        if (trap) return trap;
    }
    if (answer == VM_WAIT_STOPPED) answer = vm_waiter_sleep(&x->waiter, &x->interrupt, bits);
    if (answer == VM_WAIT_STOPPED) return VM_STOP_INTERRUPT;
    s[0].u64 = answer;
    return VM_STOP_NONE;
}

u32 vm_slow_atomic_wait32(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset)
{
    return wait_on(x, s, memory, offset, 4);
}

u32 vm_slow_atomic_wait64(struct vm_exec *x, union vm_slot *s, u32 memory, u64 offset)
{
    return wait_on(x, s, memory, offset, 8);
}
