/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps: what each internal instruction does, as inline functions from registers to registers,
 * shared by the tail-call handlers and the portable loop. Plain rows here; the hand-written ones in
 * step_control.h and step_bulk.h. No dispatch.
 *
 * A step reads its operands at r->pc, does its work, moves r->pc on, and answers 0, VM_TAKEN (a
 * branch was taken: dispatch separately, for the sake of prediction), VM_GOTO | op (the rare case
 * of an instruction is another step, so that the frequent one keeps off the C stack) or why to stop
 * (exec.h); then
 * r->pc is where a backtrace or a resumption wants it. One expansion:
 *
 *   VM_INLINE u32 step_i32_add_sc(struct vm_regs *r)
 *   {
 *       const union vm_word w = r->pc[1];
 *       put_u32(&r->fp[w.s.a], sem_i32_add(get_u32(&r->fp[w.s.b]), (u32)(i64)(i32)w.si.i));
 *       r->pc += 2;
 *       return VM_STOP_NONE;
 *   }
 */
#ifndef VM_INTERP_STEP_H
#define VM_INTERP_STEP_H

#include "interp/guest.h"
#include "isa/handlers.h"
#include "runtime/exec.h"
#include "sem/convert.h"
#include "sem/float.h"
#include "sem/int.h"

#include <string.h>

/** The machine state that handlers pass on in registers. */
struct vm_regs {
    const union vm_word *pc;
    union vm_slot *fp;
    u8 *mem; /* base of memory 0 of the running instance */
    struct vm_exec *x;
};

enum {
    VM_TAKEN = 0x10000,
    VM_GOTO = 0x20000 /* plus an op: go on with that op's step, everything as it is */
};

#define VM_STEP(name) VM_INLINE u32 step_##name(struct vm_regs *r)

VM_INLINE u32 get_u32(const union vm_slot *s) { return s->u32; }
VM_INLINE u64 get_u64(const union vm_slot *s) { return s->u64; }
VM_INLINE f32 get_f32(const union vm_slot *s) { return s->f32; }
VM_INLINE f64 get_f64(const union vm_slot *s) { return s->f64; }
VM_INLINE void put_u32(union vm_slot *s, u32 v) { s->u64 = v; }
VM_INLINE void put_u64(union vm_slot *s, u64 v) { s->u64 = v; }
VM_INLINE void put_f64(union vm_slot *s, f64 v) { s->f64 = v; }
/** All 8 bytes are written, so that a later 8-byte move can be forwarded from the store. */
VM_INLINE void put_f32(union vm_slot *s, f32 v)
{
    u32 bits;
    memcpy(&bits, &v, sizeof bits);
    s->u64 = bits;
}

/** Goes to `distance` words from the instruction; stops there when somebody asks. */
VM_INLINE u32 vm_take(struct vm_regs *r, i32 distance)
{
    r->pc += distance;
    if (VM_UNLIKELY(atomic_load_explicit(&r->x->interrupt, memory_order_relaxed)))
        return VM_STOP_INTERRUPT;
    return VM_TAKEN;
}

/* A step of one result: dst = value, `n` words long. */
#define VM_STEP_VALUE(name, R, value)                                                              \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        put_##R(&r->fp[w.s.a], (value));                                                           \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
#define VM_STEP_VALUE_TRAP(name, R, value, trap)                                                   \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u32 t = (trap);                                                                            \
        if (VM_UNLIKELY(t)) return t;                                                              \
        put_##R(&r->fp[w.s.a], (value));                                                           \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
#define VM_STEP_BRANCH(name, condition, distance, n)                                               \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        if (condition) return vm_take(r, (distance));                                              \
        r->pc += (n);                                                                              \
        return VM_STOP_NONE;                                                                       \
    }
#define A_(T) get_##T(&r->fp[w.s.a])
#define B_(T) get_##T(&r->fp[w.s.b])
#define C_(T) get_##T(&r->fp[w.s.c])
#define K_(T) ((T)(i64)(i32)w.si.i)

#define UN(n, OP, R, A) VM_STEP_VALUE(n, R, sem_##n(B_(A)))
#define UNT(n, OP, R, A) VM_STEP_VALUE_TRAP(n, R, sem_##n(B_(A)), sem_##n##_trap(B_(A)))
#define IBIN(n, OP, T, C)                                                                          \
    VM_STEP_VALUE(n##_ss, T, sem_##n(B_(T), C_(T)))                                                \
    VM_STEP_VALUE(n##_sc, T, sem_##n(B_(T), K_(T)))
#define IBINT(n, OP, T)                                                                            \
    VM_STEP_VALUE_TRAP(n##_ss, T, sem_##n(B_(T), C_(T)), sem_##n##_trap(B_(T), C_(T)))             \
    VM_STEP_VALUE_TRAP(n##_sc, T, sem_##n(B_(T), K_(T)), sem_##n##_trap(B_(T), K_(T)))
#define FBIN(n, OP, T) VM_STEP_VALUE(n##_ss, T, sem_##n(B_(T), C_(T)))
#define ICMP(n, OP, T, INV, MIR)                                                                   \
    VM_STEP_VALUE(n##_ss, u32, sem_##n(B_(T), C_(T)))                                              \
    VM_STEP_VALUE(n##_sc, u32, sem_##n(B_(T), K_(T)))                                              \
    VM_STEP_BRANCH(br_##n##_ss, sem_##n(A_(T), B_(T)), w.st.target, 2)                             \
    VM_STEP_BRANCH(br_##n##_sc, sem_##n(A_(T), K_(T)), r->pc[2].w.lo, 3)
#define FCMP(n, OP, T)                                                                             \
    VM_STEP_VALUE(n##_ss, u32, sem_##n(B_(T), C_(T)))                                              \
    VM_STEP_BRANCH(br_##n##_ss, sem_##n(A_(T), B_(T)), w.st.target, 2)                             \
    VM_STEP_BRANCH(brn_##n##_ss, !sem_##n(A_(T), B_(T)), w.st.target, 2)
#define LOAD(n, OP, R, M)                                                                          \
    VM_STEP(n##_g)                                                                                 \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u64 v;                                                                                     \
        u32 t = vm_guard_load_##M(r->mem, (u64)B_(u32) + w.si.i, &v);                              \
        if (VM_UNLIKELY(t)) return t;                                                              \
        put_##R(&r->fp[w.si.a], (R)(M)v);                                                          \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }                                                                                              \
    VM_STEP(n##_x)                                                                                 \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        const u8 *p = vm_guest_check(r->x->now.inst->memories[w.si.i], r->fp[w.si.b], r->pc[2].u,  \
                                     sizeof(M));                                                   \
        if (VM_UNLIKELY(!p)) return VM_TRAP_MEMORY;                                                \
        put_##R(&r->fp[w.si.a], (R)(M)vm_checked_load_##M(p));                                     \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
#define STORE(n, OP, M)                                                                            \
    VM_STEP(n##_g)                                                                                 \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u32 t = vm_guard_store_##M(r->mem, (u64)A_(u32) + w.si.i, B_(u64));                        \
        if (VM_UNLIKELY(t)) return t;                                                              \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }                                                                                              \
    VM_STEP(n##_x)                                                                                 \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u8 *p = vm_guest_check(r->x->now.inst->memories[w.si.i], r->fp[w.si.a], r->pc[2].u,        \
                               sizeof(M));                                                         \
        if (VM_UNLIKELY(!p)) return VM_TRAP_MEMORY;                                                \
        vm_checked_store_##M(p, B_(u64));                                                          \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
#define OTHER(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"

#endif
