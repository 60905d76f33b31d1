/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only accesses to guest memory. Guard mode: one machine instruction with an exception-table
 * entry; a fault continues at a label and answers VM_TRAP_MEMORY. Explicit mode: a check, then the
 * same instruction. A plain C access would be optimised away when its value is unused, and a data
 * race where threads share the memory. Atomic accesses are atomic.h's.
 */
#ifndef VM_INTERP_GUEST_H
#define VM_INTERP_GUEST_H

#include "platform/signal.h"
#include "runtime/objects.h"

#if defined(__x86_64__)
#include "interp/guest_x86_64.h"
#elif defined(__aarch64__)
#include "interp/guest_aarch64.h"
#else
#include "interp/guest_none.h"
#endif

/** The exception table of this library, for vm_signal_install. */
extern const struct vm_extable_entry __start_vm_extable[] __attribute__((visibility("hidden")));
extern const struct vm_extable_entry __stop_vm_extable[] __attribute__((visibility("hidden")));

/* How a loaded value comes, integers zero-extended. */
typedef u64 vm_loaded_u8, vm_loaded_u16, vm_loaded_u32, vm_loaded_u64;
typedef u64 vm_loaded_i8, vm_loaded_i16, vm_loaded_i32;
typedef f32 vm_loaded_f32;
typedef f64 vm_loaded_f64;
typedef v128 vm_loaded_v128;

/*
 * u32 vm_guard_load_T(mem, offset, address, out) and vm_guard_store_T(mem, offset, address, value):
 * T at mem + offset + address, where mem is the base of a guard-mode memory. 0 or VM_TRAP_MEMORY.
 * The address often has to be waited for; it is the last to be added, by the access itself.
 */
#define VM_GUARD_LOAD(T, reg, insn, fits)                                                          \
    VM_INLINE u32 vm_guard_load_##T(const u8 *mem, u32 offset, u32 address, vm_loaded_##T *out)    \
    {                                                                                              \
        vm_loaded_##T v;                                                                           \
        __asm__ goto("1: " insn(VM_AT_PAIR) "\n" VM_EXTABLE_ENTRY                                  \
                     : [v] reg(v)                                                                  \
                     : [m] "r"(mem + offset), [e] "r"((u64)address)                                \
                     : "memory"                                                                    \
                     : fault);                                                                     \
        VM_ASSUME(fits);                                                                           \
        *out = v;                                                                                  \
        return VM_TRAP_NONE;                                                                       \
fault:                                                                                             \
        return VM_TRAP_MEMORY;                                                                     \
    }
#define VM_GUARD_STORE(T, reg, insn)                                                               \
    VM_INLINE u32 vm_guard_store_##T(u8 *mem, u32 offset, u32 address, vm_loaded_##T v)            \
    {                                                                                              \
        __asm__ goto("1: " insn(VM_AT_PAIR) "\n" VM_EXTABLE_ENTRY                                  \
                     :                                                                             \
                     : [v] reg(v), [m] "r"(mem + offset), [e] "r"((u64)address)                    \
                     : "memory"                                                                    \
                     : fault);                                                                     \
        return VM_TRAP_NONE;                                                                       \
fault:                                                                                             \
        return VM_TRAP_MEMORY;                                                                     \
    }

VM_GUARD_LOAD(u8, "=r", VM_INSN_LOAD8, v <= UINT8_MAX)
VM_GUARD_LOAD(u16, "=r", VM_INSN_LOAD16, v <= UINT16_MAX)
VM_GUARD_LOAD(u32, "=r", VM_INSN_LOAD32, v <= UINT32_MAX)
VM_GUARD_LOAD(u64, "=r", VM_INSN_LOAD64, true)
VM_GUARD_LOAD(f32, "=" VM_FLOAT_REG, VM_INSN_LOADF32, true)
VM_GUARD_LOAD(f64, "=" VM_FLOAT_REG, VM_INSN_LOADF64, true)
VM_GUARD_LOAD(v128, "=" VM_FLOAT_REG, VM_INSN_LOADV128, true)
VM_GUARD_STORE(u8, "r", VM_INSN_STORE8)
VM_GUARD_STORE(u16, "r", VM_INSN_STORE16)
VM_GUARD_STORE(u32, "r", VM_INSN_STORE32)
VM_GUARD_STORE(u64, "r", VM_INSN_STORE64)
VM_GUARD_STORE(f32, VM_FLOAT_REG, VM_INSN_STOREF32)
VM_GUARD_STORE(f64, VM_FLOAT_REG, VM_INSN_STOREF64)
VM_GUARD_STORE(v128, VM_FLOAT_REG, VM_INSN_STOREV128)

/* Signed loads: the same bits, the caller casts. */
#define vm_guard_load_i8 vm_guard_load_u8
#define vm_guard_load_i16 vm_guard_load_u16
#define vm_guard_load_i32 vm_guard_load_u32

/** Access of any alignment to memory that has been checked: one instruction, so no data race. */
#define VM_CHECKED_ACCESS(T, reg, load, store)                                                     \
    struct vm_unaligned_##T {                                                                      \
        T v;                                                                                       \
    } __attribute__((packed, may_alias));                                                          \
    VM_INLINE vm_loaded_##T vm_checked_load_##T(const u8 *p)                                       \
    {                                                                                              \
        vm_loaded_##T v;                                                                           \
        __asm__ volatile(load(VM_AT_ONE)                                                           \
                         : [v] "=" reg(v)                                                          \
                         : [p] VM_PLACE(*(const struct vm_unaligned_##T *)(const void *)p));       \
        return v;                                                                                  \
    }                                                                                              \
    VM_INLINE void vm_checked_store_##T(u8 *p, vm_loaded_##T v)                                    \
    {                                                                                              \
        __asm__ volatile(store(VM_AT_ONE)                                                          \
                         : [p] "=" VM_PLACE(*(struct vm_unaligned_##T *)(void *)p)                 \
                         : [v] reg(v));                                                            \
    }

VM_CHECKED_ACCESS(u8, "r", VM_INSN_LOAD8, VM_INSN_STORE8)
VM_CHECKED_ACCESS(u16, "r", VM_INSN_LOAD16, VM_INSN_STORE16)
VM_CHECKED_ACCESS(u32, "r", VM_INSN_LOAD32, VM_INSN_STORE32)
VM_CHECKED_ACCESS(u64, "r", VM_INSN_LOAD64, VM_INSN_STORE64)
VM_CHECKED_ACCESS(f32, VM_FLOAT_REG, VM_INSN_LOADF32, VM_INSN_STOREF32)
VM_CHECKED_ACCESS(f64, VM_FLOAT_REG, VM_INSN_LOADF64, VM_INSN_STOREF64)
VM_CHECKED_ACCESS(v128, VM_FLOAT_REG, VM_INSN_LOADV128, VM_INSN_STOREV128)
#define vm_checked_load_i8 vm_checked_load_u8
#define vm_checked_load_i16 vm_checked_load_u16
#define vm_checked_load_i32 vm_checked_load_u32

/** Host address of [addr + offset, + size) in a memory, or NULL when any of it is outside. */
VM_INLINE u8 *vm_guest_check(const struct vm_memory *m, u64 addr, u64 offset, u64 size)
{
    u64 ea, at = m->type.is_64 ? addr : (u32)addr;
    if (__builtin_add_overflow(at, offset, &ea)) return NULL;
    return vm_range_ok(ea, size, vm_memory_size(m)) ? m->base + ea : NULL;
}

#endif
