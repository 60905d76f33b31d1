/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic accesses to guest memory, sequentially consistent. Always checked explicitly: memory never
 * shrinks, so what has been checked can't fault. No waiting: runtime/waiters.h.
 */
#ifndef VM_INTERP_ATOMIC_H
#define VM_INTERP_ATOMIC_H

#include "runtime/objects.h"

/**
 * Host address of `size` bytes at addr + offset. spec exec-atomic: unaligned comes before out of
 * bounds.
 */
VM_INLINE u32 vm_atomic_check(const struct vm_memory *m, u64 addr, u64 offset, u64 size, u8 **out)
{
    u64 ea, at = m->type.is_64 ? addr : (u32)addr;
    bool wraps = __builtin_add_overflow(at, offset, &ea);
    if (VM_UNLIKELY(ea % size)) return VM_TRAP_UNALIGNED_ATOMIC;
    if (VM_UNLIKELY(wraps || !vm_range_ok(ea, size, vm_memory_size(m)))) return VM_TRAP_MEMORY;
    *out = m->base + ea;
    return VM_TRAP_NONE;
}

/* vm_atomic_HOW_M(p, …): the value before, zero-extended. Values given are cut to M. */
#define VM_ATOMIC_RMW(M, how, builtin)                                                             \
    VM_INLINE M vm_atomic_##how##_##M(u8 *p, u64 v)                                                \
    {                                                                                              \
        return builtin((vm_cell_##M *)(void *)p, (M)v, __ATOMIC_SEQ_CST);                          \
    }
#define VM_ATOMIC_ACCESS(M)                                                                        \
    typedef M __attribute__((may_alias)) vm_cell_##M;                                              \
    VM_INLINE M vm_atomic_load_##M(const u8 *p)                                                    \
    {                                                                                              \
        return __atomic_load_n((const vm_cell_##M *)(const void *)p, __ATOMIC_SEQ_CST);            \
    }                                                                                              \
    VM_INLINE void vm_atomic_store_##M(u8 *p, u64 v)                                               \
    {                                                                                              \
        __atomic_store_n((vm_cell_##M *)(void *)p, (M)v, __ATOMIC_SEQ_CST);                        \
    }                                                                                              \
    VM_INLINE M vm_atomic_cmpxchg_##M(u8 *p, u64 expected, u64 v)                                  \
    {                                                                                              \
        M old = (M)expected;                                                                       \
        (void)__atomic_compare_exchange_n((vm_cell_##M *)(void *)p, &old, (M)v, false,             \
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                     \
        return old;                                                                                \
    }                                                                                              \
    VM_ATOMIC_RMW(M, add, __atomic_fetch_add)                                                      \
    VM_ATOMIC_RMW(M, sub, __atomic_fetch_sub)                                                      \
    VM_ATOMIC_RMW(M, and, __atomic_fetch_and)                                                      \
    VM_ATOMIC_RMW(M, or, __atomic_fetch_or)                                                        \
    VM_ATOMIC_RMW(M, xor, __atomic_fetch_xor)                                                      \
    VM_ATOMIC_RMW(M, xchg, __atomic_exchange_n)
VM_ATOMIC_ACCESS(u8)
VM_ATOMIC_ACCESS(u16)
VM_ATOMIC_ACCESS(u32)
VM_ATOMIC_ACCESS(u64)

#endif
