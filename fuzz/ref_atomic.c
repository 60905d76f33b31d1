/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's atomics: one thread, so plain accesses with the checks of the threads proposal. */
#include "ref_machine.h"

#include <string.h>

/** What a read-modify-write leaves in memory. */
static u64 modify(const char *name, u64 old, u64 x)
{
    if (strstr(name, ".add")) return old + x;
    if (strstr(name, ".sub")) return old - x;
    if (strstr(name, ".and")) return old & x;
    if (strstr(name, ".or")) return old | x;
    if (strstr(name, ".xor")) return old ^ x;
    return x; /* xchg, and a store */
}

/** The memory and the offset that the memarg at the instruction pointer names. */
static const struct ref_memory *memory_of(const struct machine *m, u64 *offset)
{
    const u8 *p = m->f->p;
    u64 flags = ref_leb(&p), memory = flags & 0x40 ? ref_leb(&p) : 0;
    *offset = ref_leb(&p);
    return m->f->inst->memories[memory];
}

static u64 read_bytes(const u8 *at, u32 n)
{
    u64 v = 0;
    for (u32 i = 0; i < n; i++) v |= (u64)at[i] << 8 * i;
    return v;
}

bool ref_atomic(struct machine *m, u32 op)
{
    const char *name = vm_op_name((vm_op)op), *sig = vm_op_sig((vm_op)op);
    if (vm_op_feature((vm_op)op) != VM_FEATURE_THREADS) return false;
    if (op == VM_OP_ATOMIC_FENCE) {
        m->f->p++;
        return true;
    }
    u32 n = 1u << vm_op_natural_align((vm_op)op), operands = (u32)(strchr(sig, ':') - sig) - 1;
    u64 in[2] = {0};
    for (u32 i = operands; i-- > 0;) in[i] = ref_pop(m).bits;
    bool waits = strstr(name, ".wait") != NULL;
    u64 offset;
    const struct ref_memory *mem = memory_of(m, &offset);
    u64 base = ref_pop_size(m, mem->is_64);
    ref_push_bits(m, base);
    u8 *at = ref_access(m, n);
    if ((base + offset) % n) m->trap = VM_TRAP_UNALIGNED_ATOMIC; /* also where there is no memory */
    if (waits && !mem->is_shared && m->trap != VM_TRAP_UNALIGNED_ATOMIC)
        m->trap = VM_TRAP_NOT_SHARED;
    if (m->trap) return true;
    u64 old = read_bytes(at, n), mask = n == 8 ? UINT64_MAX : ((u64)1 << 8 * n) - 1, now = old;
    if (waits) {
        ref_push_bits(m, old == (in[0] & mask) ? 2 : 1); /* nobody wakes it; or not equal */
        return true;
    }
    if (op == VM_OP_MEMORY_ATOMIC_NOTIFY) {
        ref_push_bits(m, 0);
        return true;
    }
    if (strstr(name, "cmpxchg"))
        now = old == (in[0] & mask) ? in[1] : old;
    else if (operands)
        now = modify(name, old, in[0]);
    for (u32 i = 0; i < n; i++) at[i] = (u8)(now >> 8 * i);
    if (strchr(sig, ':')[1]) ref_push_bits(m, old);
    return true;
}
