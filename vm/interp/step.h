/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps: what each instruction does, as inline functions from registers to registers, shared by the
 * tail-call handlers and the portable loop. Chains are put together here from their parts
 * (chains.def, written by isa/gen); hand-written instructions are in step_control.h. No dispatch.
 *
 * A step reads its operands at r->pc, does its work, moves r->pc on, and answers 0, VM_TAKEN (a
 * branch was taken: dispatch separately, for the sake of prediction), VM_GOTO | op (the rare case
 * of an instruction is another step, so that the frequent one keeps off the C stack) or why to stop
 * (exec.h), with the place of the trapping part among those of the chain that can trap; then
 * r->pc is where a backtrace or a resumption wants it. One expansion, of
 * CHAIN(i32_load_s__i32_add_tc, 3, LOAD_(1, u32, u32, S_(u32, 0), 1, 0)
 *       BIN_(2, i32_add, u32, V_(u32, t1), K_(u32, 3)) PUT_(u32, t2, 5)):
 *
 *   VM_INLINE u32 step_i32_load_s__i32_add_tc(struct vm_regs *r)
 *   {
 *       u64 v1;
 *       u32 s1 = vm_guard_load_u32(r->mem, u32 at half 1, get_u32(slot at half 0), &v1);
 *       if (s1) return s1 | 0 << VM_PLACE_SHIFT;
 *       const u32 t1 = (u32)v1;
 *       const u32 t2 = sem_i32_add(t1, (u32 at half 3));
 *       put_u32(slot at half 5, t2);
 *       r->acc = t2;
 *       r->pc += 3;
 *       return VM_STOP_NONE;
 *   }
 */
#ifndef VM_INTERP_STEP_H
#define VM_INTERP_STEP_H

#include "base/fbits.h"
#include "interp/atomic.h"
#include "interp/guest.h"
#include "isa/handlers.h"
#include "runtime/exec.h"
#include "sem/convert.h"
#include "sem/float.h"
#include "sem/int.h"
#include "sem/vec_float.h"
#include "sem/vec_int.h"
#include "sem/vec_lane.h"
#include "sem/vec_mem.h"
#include "sem/vec_relaxed.h"
#include "sem/vec_widen.h"
#include "sem/wide.h"

#include <string.h>

/* P(number, type) for each pin there is (isa/ir.h). */
#if VM_PINS >= 1
#define EACH_PIN_1(P) P(1, u64)
#define LOAD_PIN_1(i) LOAD_PIN(1, u64, i)
#else
#define EACH_PIN_1(P)
#define LOAD_PIN_1(i)
#endif
#if VM_PINS >= 2
#define EACH_PIN_2(P) P(2, u64)
#define LOAD_PIN_2(i) LOAD_PIN(2, u64, i)
#else
#define EACH_PIN_2(P)
#define LOAD_PIN_2(i)
#endif
#if VM_PINS >= 4
#define EACH_PIN_3(P) P(3, u64) P(4, u64)
#define LOAD_PIN_3(i) LOAD_PIN(3, u64, i)
#define LOAD_PIN_4(i) LOAD_PIN(4, u64, i)
#else
#define EACH_PIN_3(P)
#define LOAD_PIN_3(i)
#define LOAD_PIN_4(i)
#endif
#if VM_FLOAT_PINS >= 1
#define EACH_PIN_5(P) P(5, f64)
#define LOAD_PIN_5(i) LOAD_PIN(5, f64, i)
#else
#define EACH_PIN_5(P)
#define LOAD_PIN_5(i)
#endif
#if VM_FLOAT_PINS >= 2
#define EACH_PIN_6(P) P(6, f64)
#define LOAD_PIN_6(i) LOAD_PIN(6, f64, i)
#else
#define EACH_PIN_6(P)
#define LOAD_PIN_6(i)
#endif
#define LOAD_PIN(n, T, i) r->pin##n = r->fp[vm_half(r->pc, i)].T;
#define VM_EACH_PIN(P) EACH_PIN_1(P) EACH_PIN_2(P) EACH_PIN_3(P) EACH_PIN_5(P) EACH_PIN_6(P)

/** The machine state that handlers pass on in registers. */
struct vm_regs {
    const union vm_word *pc;
    union vm_slot *fp;
    u8 *mem; /* base of memory 0 of the running instance */
    struct vm_exec *x;
    /* last integer result, as its slot has it; undefined behind calls and labels, but those of
     * loops that carry it from one iteration to the next */
    u64 acc;
    f64 facc; /* last f64 result */
    v128 vacc; /* last v128 result */
    /* locals of the running function that are pinned, as their slots have them */
#define PIN(n, T) T pin##n;
    VM_EACH_PIN(PIN)
#undef PIN
};

enum {
    VM_PLACE_SHIFT = 24,
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
VM_INLINE v128 get_v128(const union vm_slot *s)
{
    v128 v; /* two slots, at any multiple of 8 */
    memcpy(&v, s, sizeof v);
    return v;
}
VM_INLINE void put_v128(union vm_slot *s, v128 v) { memcpy(s, &v, sizeof v); }
VM_INLINE void put_f64(union vm_slot *s, f64 v) { s->f64 = v; }
/** All 8 bytes are written, so that a later 8-byte move can be forwarded from the store. */
VM_INLINE void put_f32(union vm_slot *s, f32 v) { s->u64 = vm_f32_bits(v); }

/** Goes to `target`; stops there when somebody asks. */
VM_INLINE u32 vm_take(struct vm_regs *r, const union vm_word *target)
{
    r->pc = target;
    if (VM_UNLIKELY(atomic_load_explicit(&r->x->interrupt, memory_order_relaxed)))
        return VM_STOP_INTERRUPT;
    return VM_TAKEN;
}

/** Operand half `i` of the instruction: a slot number. */
VM_INLINE i16 vm_half(const union vm_word *pc, u32 i)
{
    i16 v;
    memcpy(&v, (const char *)(pc + 1) + 2 * (usize)i, sizeof v);
    return v;
}

/** Two halves: a constant, an offset, an index. */
VM_INLINE u32 vm_imm32(const union vm_word *pc, u32 i)
{
    u32 v;
    memcpy(&v, (const char *)(pc + 1) + 2 * (usize)i, sizeof v);
    return v;
}

VM_INLINE u64 vm_imm64(const union vm_word *pc, u32 i)
{
    return vm_imm32(pc, i) | (u64)vm_imm32(pc, i + 2) << 32;
}

/** The address in the word that begins with half `i`, or in the n-th behind it. */
VM_INLINE const void *vm_address(const union vm_word *pc, u32 i, u32 n)
{
    return pc[1 + i / VM_WORD_HALVES + n].ptr;
}

/** Eight halves. */
VM_INLINE v128 vm_imm128(const union vm_word *pc, u32 i)
{
    v128 v;
    memcpy(&v, (const char *)(pc + 1) + 2 * (usize)i, sizeof v);
    return v;
}

VM_INLINE u64 vm_bits_u64(u64 v) { return v; }
VM_INLINE f64 vm_same_f64(f64 v) { return v; }

#define LANE_OF(n, R, T)                                                                           \
    VM_INLINE R lane_##n(const u8 *v, u32 lane)                                                    \
    {                                                                                              \
        T value;                                                                                   \
        memcpy(&value, v + lane * sizeof value, sizeof value);                                     \
        return (R)value;                                                                           \
    }
LANE_OF(i8x16_extract_lane_s, u32, i8)
LANE_OF(i8x16_extract_lane_u, u32, u8)
LANE_OF(i16x8_extract_lane_s, u32, i16)
LANE_OF(i16x8_extract_lane_u, u32, u16)
LANE_OF(i32x4_extract_lane, u32, u32)
LANE_OF(i64x2_extract_lane, u64, u64)
LANE_OF(f32x4_extract_lane, f32, f32)
LANE_OF(f64x2_extract_lane, f64, f64)

#define VM_ROTL(shape, bits)                                                                       \
    VM_INLINE v128 vm_rotl_##shape(v128 v, u32 n)                                                  \
    {                                                                                              \
        return sem_##shape##_shl(v, n) | sem_##shape##_shr_u(v, (bits) - n);                       \
    }
VM_ROTL(i16x8, 16)
VM_ROTL(i32x4, 32)
VM_ROTL(i64x2, 64)

/*
 * For measurements (CMAKE_C_FLAGS=-DVM_READ_TWICE=n): slots are read once more before they are
 * read, those of integers (1) or floats (2). What that costs is about what reading none would gain.
 */
#ifndef VM_READ_TWICE
#define VM_READ_TWICE 0
#endif
/** 0, known when the slot has been read. */
VM_INLINE i64 vm_read_first(const struct vm_regs *r, u32 i, u32 class)
{
    u64 none = 0;
    if (!(VM_READ_TWICE & class)) return 0;
    __asm__("" : "+r"(none));
    return (i64)(get_u64(&r->fp[vm_half(r->pc, i)]) & none);
}
#define CLASS_u32 1
#define CLASS_u64 1
#define CLASS_f32 2
#define CLASS_f64 2
#define CLASS_v128 0

/* Sources of inputs: slot, pin, constant, the value of a part, accumulator. */
#define S_(T, i) get_##T(&r->fp[vm_half(r->pc, i) + vm_read_first(r, i, CLASS_##T)])
#define P_(T, n) V_(T, r->pin##n)
#define K_(T, i) CONST_##T(i)
#define CONST_u32(i) vm_imm32(r->pc, i)
#define CONST_u64(i) ((u64)(i64)(i32)vm_imm32(r->pc, i))
#define CONST_f32(i) vm_f32_from_bits(vm_imm32(r->pc, i))
#define CONST_f64(i) vm_f64_from_bits(vm_imm64(r->pc, i))
#define V_(T, t) VALUE_##T(t)
#define VALUE_u32(t) ((u32)(t)) /* of a moved 64-bit slot, too */
#define VALUE_f32(t) (t)
#define VALUE_f64(t) (t)
#define VALUE_v128(t) (t)
#define VALUE_u64(t) _Generic((t), f32: vm_f32_bits, f64: vm_f64_bits, default: vm_bits_u64)(t)
#define ACC_u32 ((u32)r->acc)
#define ACC_u64 (r->acc)
#define ACC_f64 (r->facc)
#define ACC_v128 (r->vacc)

/* A part's result into its slot, and the accumulator. */
#define PUT_(T, t, i)                                                                              \
    put_##T(&r->fp[vm_half(r->pc, i)], t);                                                         \
    SET_##T(t)
#define PIN_(n, T, t) r->pin##n = PINNED_##T(t); /* what was put, into its pin, too */
#define PINNED_u64(t) VALUE_u64(t)
#define PINNED_f64(t) _Generic((t), f64: vm_same_f64, default: vm_f64_from_bits)(t)
#define SET_u32(t) r->acc = (t);
#define SET_u64(t) r->acc = (t);
#define SET_f32(t)
#define SET_f64(t) r->facc = (t);
#define SET_v128(t) r->vacc = (t);

/* Parts, number k of their chain. `place`: see above. */
#define UN_(k, n, R, x) const R t##k = sem_##n(x);
#define BIN_(k, n, R, x, y) const R t##k = sem_##n(x, y);
#define TER_(k, n, R, x, y, z) const R t##k = sem_##n(x, y, z);
#define LANE_(k, n, R, ...) const R t##k = sem_##n(__VA_ARGS__);
#define LANES_ LANE_
/* x is S_(v128, half): the lane alone is loaded, from where it lies in the slots */
#define LANEAT_(k, n, R, x, lane) const R t##k = lane_##n((const u8 *)AT_##x, lane);
#define AT_S_(T, i) (&r->fp[vm_half(r->pc, i)])
#define L_(i) ((u32)(u16)vm_half(r->pc, i)) /* a lane's number */
#define LL_(i) vm_imm128(r->pc, i)          /* 16 of them */
#define UNT_(k, n, R, x, place)                                                                    \
    TRAP_IF(k, sem_##n##_trap(x), place)                                                           \
    UN_(k, n, R, x)
#define BINT_(k, n, R, x, y, place)                                                                \
    TRAP_IF(k, sem_##n##_trap(x, y), place)                                                        \
    BIN_(k, n, R, x, y)
#define TRAP_IF(k, why, place)                                                                     \
    const u32 s##k = (why);                                                                        \
    if (VM_UNLIKELY(s##k)) return s##k | (u32)(place) << VM_PLACE_SHIFT;
#define LOAD_(k, R, M, address, offset, place)                                                     \
    vm_loaded_##M v##k;                                                                            \
    TRAP_IF(k, vm_guard_load_##M(r->mem, vm_imm32(r->pc, offset), address, &v##k), place)          \
    const R t##k = (R)(M)v##k;
#define STORE_(k, T, M, address, value, offset, place)                                             \
    TRAP_IF(k, vm_guard_store_##M(r->mem, vm_imm32(r->pc, offset), address, value), place)
/* immediates: 16-bit memory index, 48-bit offset */
#define CHECK_(k, M, address, imm, place)                                                          \
    u8 *p##k = vm_guest_check(r->x->now.inst->memories[(u16)vm_half(r->pc, imm)], address,         \
                              vm_imm64(r->pc, imm) >> 16, sizeof(M));                              \
    TRAP_IF(k, p##k ? VM_TRAP_NONE : VM_TRAP_MEMORY, place)
#define LOADX_(k, R, M, address, imm, place)                                                       \
    CHECK_(k, M, address, imm, place)                                                              \
    const R t##k = (R)(M)vm_checked_load_##M(p##k);
#define STOREX_(k, T, M, address, value, imm, place)                                               \
    CHECK_(k, M, address, imm, place)                                                              \
    vm_checked_store_##M(p##k, value);

#define VLOAD_(k, n, M, address, offset, place)                                                    \
    vm_loaded_##M v##k;                                                                            \
    TRAP_IF(k, vm_guard_load_##M(r->mem, vm_imm32(r->pc, offset), address, &v##k), place)          \
    const v128 t##k = sem_##n((M)v##k);
#define VLOADX_(k, n, M, address, imm, place)                                                      \
    CHECK_(k, M, address, imm, place)                                                              \
    const v128 t##k = sem_##n((M)vm_checked_load_##M(p##k));
#define VLOADL_(k, n, M, address, vec, offset, place)                                              \
    vm_loaded_##M v##k;                                                                            \
    TRAP_IF(k, vm_guard_load_##M(r->mem, vm_imm32(r->pc, offset), address, &v##k), place)          \
    const v128 t##k = sem_##n(vec, (M)v##k, L_((offset) + 2));
#define VLOADLX_(k, n, M, address, vec, imm, place)                                                \
    CHECK_(k, M, address, imm, place)                                                              \
    const v128 t##k = sem_##n(vec, (M)vm_checked_load_##M(p##k), L_((imm) + 4));
#define VSTOREL_(k, n, M, address, vec, offset, place)                                             \
    STORE_(k, M, M, address, sem_##n(vec, L_((offset) + 2)), offset, place)
#define VSTORELX_(k, n, M, address, vec, imm, place)                                               \
    STOREX_(k, M, M, address, sem_##n(vec, L_((imm) + 4)), imm, place)

/* atomic accesses: immediates as above */
#define ACHECK_(k, M, address, imm, place)                                                         \
    u8 *p##k = NULL;                                                                               \
    TRAP_IF(k,                                                                                     \
            vm_atomic_check(r->x->now.inst->memories[(u16)vm_half(r->pc, imm)], address,           \
                            vm_imm64(r->pc, imm) >> 16, sizeof(M), &p##k),                         \
            place)
#define ALOAD_(k, R, M, address, imm, place)                                                       \
    ACHECK_(k, M, address, imm, place)                                                             \
    const R t##k = vm_atomic_load_##M(p##k);
#define ASTORE_(k, T, M, address, value, imm, place)                                               \
    ACHECK_(k, M, address, imm, place)                                                             \
    vm_atomic_store_##M(p##k, value);
#define ARMW_(k, T, M, how, address, value, imm, place)                                            \
    ACHECK_(k, M, address, imm, place)                                                             \
    const T t##k = vm_atomic_##how##_##M(p##k, value);
#define ACMPXCHG_(k, T, M, address, expected, value, imm, place)                                   \
    ACHECK_(k, M, address, imm, place)                                                             \
    const T t##k = vm_atomic_cmpxchg_##M(p##k, expected, value);

#define DO_const32(k, x) const u32 t##k = (x);
#define DO_const64(k, imm) const u64 t##k = vm_imm64(r->pc, imm);
#define DO_const128(k, imm) const v128 t##k = vm_imm128(r->pc, imm);
#define DO_permute(k, x, imm) const v128 t##k = vm_v128_permute(x, vm_imm128(r->pc, imm));
#define DO_i16x8_rotl(k, x, imm) const v128 t##k = vm_rotl_i16x8(x, L_(imm));
#define DO_i32x4_rotl(k, x, imm) const v128 t##k = vm_rotl_i32x4(x, L_(imm));
#define DO_i64x2_rotl(k, x, imm) const v128 t##k = vm_rotl_i64x2(x, L_(imm));
#define DO_mov(k, x) const u64 t##k = (x);
#define DO_mov128(k, x) const v128 t##k = (x);
#define DO_select(k, x, y, c) const u64 t##k = (c) ? (x) : (y);
#define DO_select128(k, x, y, c) const v128 t##k = (c) ? (x) : (y);
#define DO_global_get(k, imm) const u64 t##k = r->x->now.cells[vm_imm32(r->pc, imm)]->u64;
#define DO_global_set(k, v, imm) r->x->now.cells[vm_imm32(r->pc, imm)]->u64 = (v);
#define DO_global_get128(k, imm) const v128 t##k = get_v128(r->x->now.cells[vm_imm32(r->pc, imm)]);
#define DO_global_set128(k, v, imm) put_v128(r->x->now.cells[vm_imm32(r->pc, imm)], v);
#define DO_br(k, target) return vm_take(r, vm_address(r->pc, target, 0));
#define DO_br_if(k, c, target)                                                                     \
    if (c) return vm_take(r, vm_address(r->pc, target, 0));
#define DO_br_unless(k, c, target)                                                                 \
    if (!(c)) return vm_take(r, vm_address(r->pc, target, 0));
#define DO_br_table(k, c, imm, targets)                                                            \
    const u32 last##k = vm_imm32(r->pc, imm), at##k = (c) < last##k ? (c) : last##k;               \
    return vm_take(r, vm_address(r->pc, targets, at##k));
#define DO_enter(k, imm) vm_zero(r->fp + (i32)vm_imm32(r->pc, imm), vm_imm32(r->pc, (imm) + 2));
#define DO_enter1(k, imm) vm_zero_blocks(r->fp + vm_half(r->pc, imm), 1);
#define DO_enter2(k, imm) vm_zero_blocks(r->fp + vm_half(r->pc, imm), 2);
#define DO_enter3(k, imm) vm_zero_blocks(r->fp + vm_half(r->pc, imm), 3);
#define DO_enter4(k, imm) vm_zero_blocks(r->fp + vm_half(r->pc, imm), 4);
#define DO_carry(k, imm)                                                                           \
    r->acc = r->fp[vm_half(r->pc, imm)].u64;                                                       \
    r->facc = r->fp[vm_half(r->pc, (imm) + 1)].f64;
#define DO_pin(k, imm) LOAD_PIN_1(imm) LOAD_PIN_2((imm) + 1) LOAD_PIN_5((imm) + 2)
#define DO_pin_more(k, imm) LOAD_PIN_3(imm) LOAD_PIN_4((imm) + 1) LOAD_PIN_6((imm) + 2)
#define DO_call(k, imm, target, place)                                                             \
    return vm_enter_frame(r, (const struct vm_code *)(uintptr_t)vm_imm64(r->pc, (imm) + 2),        \
                          &r->pc[1 + (target) / VM_WORD_HALVES].entry,                             \
                          r->fp + (i32)vm_imm32(r->pc, imm),                                       \
                          r->pc + 2 + (target) / VM_WORD_HALVES, (u32)(place) << VM_PLACE_SHIFT);
#define DO_ret(k) return vm_leave(r);
#define DO_ret_value(k, x, imm)                                                                    \
    r->acc = (x);                                                                                  \
    r->fp[vm_half(r->pc, imm)].u64 = r->acc;                                                       \
    return vm_leave(r);

/**
 * Enters `code` of the running instance, by the entry that stands at `from`, with frame `nfp`, to
 * return to `next`.
 */
VM_INLINE u32 vm_enter_frame(struct vm_regs *r, const struct vm_code *code,
                             const vm_code_entry *from, union vm_slot *nfp,
                             const union vm_word *next, u32 place)
{
    const union vm_word *entry = atomic_load_explicit(from, memory_order_acquire);
    u32 frame_slots = atomic_load_explicit(&code->frame_slots, memory_order_relaxed);
    if (VM_UNLIKELY(nfp + frame_slots > r->x->stack_limit)) return VM_TRAP_STACK | place;
    nfp[VM_FRAME_RET].cptr = next;
    nfp[VM_FRAME_CALLER].ptr = r->fp;
    nfp[VM_FRAME_CODE].cptr = code;
    r->fp = nfp;
    r->pc = entry;
    if (VM_UNLIKELY(atomic_load_explicit(&r->x->interrupt, memory_order_relaxed)))
        return VM_STOP_INTERRUPT; /* resumed at the callee's entry */
    return VM_STOP_NONE;
}

/** Zeroes `count` slots from `p` on, a multiple of VM_ENTER_BLOCK that the frame was checked for.
 */
VM_INLINE void vm_zero(union vm_slot *p, u32 count)
{
    union vm_slot *end = p + count;
    do {
        memset(p, 0, VM_ENTER_BLOCK * sizeof *p);
        p += VM_ENTER_BLOCK;
        __asm__ volatile("" : "+r"(p)); /* or it becomes a call of memset, with a prologue */
    } while (p < end);
}

/** The same for a few blocks, without a loop whose end is guessed wrong. */
VM_INLINE void vm_zero_blocks(union vm_slot *p, u32 blocks)
{
    memset(p, 0, blocks * VM_ENTER_BLOCK * sizeof *p);
}

/** Returns; the results are in place. */
VM_INLINE u32 vm_leave(struct vm_regs *r)
{
    r->pc = r->fp[VM_FRAME_RET].cptr;
    r->fp = r->fp[VM_FRAME_CALLER].ptr;
    return VM_STOP_NONE;
}

#define CHAIN(name, words, level, ...)                                                             \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
        r->pc += (words);                                                                          \
        return VM_STOP_NONE;                                                                       \
    }
#define GENERIC CHAIN
#define PINNED CHAIN
#include "isa/chains.def"
#undef GENERIC
#undef PINNED
#undef CHAIN

#define VM_STEP_VALUE(name, R, value)                                                              \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        put_##R(&r->fp[w.s.a], (value));                                                           \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
#define A_(T) get_##T(&r->fp[w.s.a])
#define B_(T) get_##T(&r->fp[w.s.b])

#endif
