/* SPDX-License-Identifier: Apache-2.0 */
/* Tables from ir_ops.def and edges.def: what parts are like, which chains there are. */
#include "translate/lower.h"

/* C types of rows, as classes, value types, and widths of constants. */
enum {
    class_u32 = VM_CLASS_INT,
    class_u64 = VM_CLASS_INT,
    class_f32 = VM_CLASS_F32,
    class_f64 = VM_CLASS_F64,
    class_v128 = VM_CLASS_V128,
    class_none = VM_CLASS_NONE
};
enum {
    type_u32 = VM_I32,
    type_u64 = VM_I64,
    type_f32 = VM_F32,
    type_f64 = VM_F64,
    type_v128 = VM_V128
};
enum { wide_u32 = 0, wide_u64 = 1, wide_f32 = 0, wide_f64 = 1, wide_v128 = 0, wide_none = 0 };
enum { NONE = VM_PART_COUNT };
_Static_assert(VM_PART_COUNT < UINT16_MAX, "a part is 16 bits");

// clang-format off
#define ROW(n, IN, A, B, C, R, IMM, TRAPS, WIDE, MIRROR, MEMORY) \
    [VM_PART_##n] = {IN, IMM, TRAPS, WIDE, {A, B, C}, R, MEMORY, MIRROR},
#define PAIR(n, IN, A, B, R, IMM, WIDE) \
    ROW(n, IN, A, B, 0, R, IMM, true, WIDE, NONE, VM_MEMORY_PAIR) \
    ROW(n##_x, IN, A, B, 0, R, IMM + 2, true, WIDE, NONE, VM_MEMORY_PAIR)
static const struct vm_part_info infos[VM_PART_COUNT] = {
#define UN(n, OP, R, A)   ROW(n, 1, class_##A, 0, 0, class_##R, 0, false, 0, NONE, VM_MEMORY_NONE)
#define UNT(n, OP, R, A)  ROW(n, 1, class_##A, 0, 0, class_##R, 0, true, 0, NONE, VM_MEMORY_NONE)
#define IBIN(n, OP, T, C) ROW(n, 2, class_##T, class_##T, 0, class_##T, 0, false, wide_##T, (C) ? VM_PART_##n : NONE, VM_MEMORY_NONE)
#define IBINT(n, OP, T)   ROW(n, 2, class_##T, class_##T, 0, class_##T, 0, true, wide_##T, NONE, VM_MEMORY_NONE)
#define FBIN(n, OP, T)    ROW(n, 2, class_##T, class_##T, 0, class_##T, 0, false, 0, NONE, VM_MEMORY_NONE)
#define ICMP(n, OP, T, INV, MIR) ROW(n, 2, class_##T, class_##T, 0, VM_CLASS_INT, 0, false, wide_##T, VM_PART_##MIR, VM_MEMORY_NONE)
#define FCMP(n, OP, T)    ROW(n, 2, class_##T, class_##T, 0, VM_CLASS_INT, 0, false, 0, NONE, VM_MEMORY_NONE)
#define LOAD(n, OP, R, M) PAIR(n, 1, VM_CLASS_INT, 0, class_##R, 2, 0)
#define STORE(n, OP, T, M) PAIR(n, 2, VM_CLASS_INT, class_##T, VM_CLASS_NONE, 2, wide_##T)
#define VBIN(n, OP, B, C) ROW(n, 2, VM_CLASS_V128, class_##B, 0, VM_CLASS_V128, 0, false, 0, (C) ? VM_PART_##n : NONE, VM_MEMORY_NONE)
#define VTER(n, OP)       ROW(n, 3, VM_CLASS_V128, VM_CLASS_V128, VM_CLASS_V128, VM_CLASS_V128, 0, false, 0, NONE, VM_MEMORY_NONE)
#define VLANE(n, OP, IN, B, R, IMM) ROW(n, IN, VM_CLASS_V128, class_##B, 0, class_##R, IMM, false, wide_##B, NONE, VM_MEMORY_NONE)
#define VLOAD(n, OP, M)   PAIR(n, 1, VM_CLASS_INT, 0, VM_CLASS_V128, 2, 0)
#define VLOADL(n, OP, M)  PAIR(n, 2, VM_CLASS_INT, VM_CLASS_V128, VM_CLASS_V128, 3, 0)
#define VSTOREL(n, OP, M) PAIR(n, 2, VM_CLASS_INT, VM_CLASS_V128, VM_CLASS_NONE, 3, 0)
#define ALOAD(n, OP, R, M)  ROW(n, 1, VM_CLASS_INT, 0, 0, VM_CLASS_INT, 4, true, 0, NONE, VM_MEMORY_ATOMIC)
#define ASTORE(n, OP, T, M) ROW(n, 2, VM_CLASS_INT, VM_CLASS_INT, 0, VM_CLASS_NONE, 4, true, wide_##T, NONE, VM_MEMORY_ATOMIC)
#define ARMW(n, OP, T, M, H) ROW(n, 2, VM_CLASS_INT, VM_CLASS_INT, 0, VM_CLASS_INT, 4, true, wide_##T, NONE, VM_MEMORY_ATOMIC)
#define ACMPXCHG(n, OP, T, M) ROW(n, 3, VM_CLASS_INT, VM_CLASS_INT, VM_CLASS_INT, VM_CLASS_INT, 4, true, wide_##T, NONE, VM_MEMORY_ATOMIC)
#define SPECIAL(n, IN, T, R, IMM, TRAPS) ROW(n, IN, class_##T, class_##T, VM_CLASS_INT, class_##R, IMM, TRAPS, wide_##T, NONE, VM_MEMORY_NONE)
#define JUMP(n, IN, IMM, TRAPS) ROW(n, IN, VM_CLASS_INT, 0, 0, VM_CLASS_NONE, IMM, TRAPS, 0, NONE, VM_MEMORY_NONE)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};
#undef ROW
#undef PAIR

/* part + 1, so that 0 is none */
static const struct { u16 part; u32 result; } rows[VM_OP_COUNT] = {
#define UN(n, OP, R, A)   [VM_OP_##OP] = {VM_PART_##n + 1, type_##R},
#define UNT(n, OP, R, A)  [VM_OP_##OP] = {VM_PART_##n + 1, type_##R},
#define IBIN(n, OP, T, C) [VM_OP_##OP] = {VM_PART_##n + 1, type_##T},
#define IBINT(n, OP, T)   [VM_OP_##OP] = {VM_PART_##n + 1, type_##T},
#define FBIN(n, OP, T)    [VM_OP_##OP] = {VM_PART_##n + 1, type_##T},
#define ICMP(n, OP, T, INV, MIR) [VM_OP_##OP] = {VM_PART_##n + 1, VM_I32},
#define FCMP(n, OP, T)    [VM_OP_##OP] = {VM_PART_##n + 1, VM_I32},
#define LOAD(n, OP, R, M) [VM_OP_##OP] = {VM_PART_##n + 1, type_##R},
#define STORE(n, OP, T, M) [VM_OP_##OP] = {VM_PART_##n + 1, 0},
#define VBIN(n, OP, B, C) [VM_OP_##OP] = {VM_PART_##n + 1, VM_V128},
#define VTER(n, OP)       [VM_OP_##OP] = {VM_PART_##n + 1, VM_V128},
#define VLANE(n, OP, IN, B, R, IMM) [VM_OP_##OP] = {VM_PART_##n + 1, type_##R},
#define VLOAD(n, OP, M)   [VM_OP_##OP] = {VM_PART_##n + 1, VM_V128},
#define VLOADL(n, OP, M)  [VM_OP_##OP] = {VM_PART_##n + 1, VM_V128},
#define VSTOREL(n, OP, M) [VM_OP_##OP] = {VM_PART_##n + 1, 0},
#define ALOAD(n, OP, R, M) [VM_OP_##OP] = {VM_PART_##n + 1, type_##R},
#define ASTORE(n, OP, T, M) [VM_OP_##OP] = {VM_PART_##n + 1, 0},
#define ARMW(n, OP, T, M, H) [VM_OP_##OP] = {VM_PART_##n + 1, type_##T},
#define ACMPXCHG(n, OP, T, M) [VM_OP_##OP] = {VM_PART_##n + 1, type_##T},
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};

#define STEP(op, parent, part, form)
#define FIRST_OF(part, inputs, begin)
#define EDGES_OF(from, begin, mask)
#define PINS(op, of, pins)
#define PINS_OF(from, begin)
/* chains, by the one that they make longer, then part and form: all three are in vm_ir_steps */
static const vm_ir_id edges[] = {
#undef STEP
#define STEP(op, parent, part, form) op,
#include "isa/edges.def"
#undef STEP
#define STEP(op, parent, part, form)
};

/* Where those of one part begin in `edges`; they end where those of the next begin. */
static const vm_ir_id first_of[VM_PART_COUNT + 1] = {
#undef FIRST_OF
#define FIRST_OF(part, inputs, begin) [part] = begin,
#include "isa/edges.def"
#undef FIRST_OF
#define FIRST_OF(part, inputs, begin)
};

/* The same of longer ones; mask: which parts, modulo 16, there are, and most questions end there. */
static const struct { vm_ir_id begin; u16 mask; } edges_of[VM_IR_FIRST_PINNED + 1] = {
#undef EDGES_OF
#define EDGES_OF(from, begin, mask) [from] = {begin, mask},
#include "isa/edges.def"
};
// clang-format on

const struct vm_part_info *vm_part_info(vm_part part) { return &infos[part]; }

bool vm_part_tests(vm_part part)
{
    switch (part) {
#define ICMP(n, OP, T, INV, MIR) case VM_PART_##n:
#define FCMP(n, OP, T) case VM_PART_##n:
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    case VM_PART_i32_eqz:
    case VM_PART_i64_eqz: return true;
    default: return false;
    }
}

/** Among the edges from `lo` to `hi`; VM_IR_COUNT: it is none of them. */
static vm_ir find(u32 lo, u32 hi, vm_part part, u32 form)
{
    u32 key = (u32)part << 7 | form;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        struct vm_ir_step step = vm_ir_steps[edges[mid]];
        u32 at = (u32)step.part << 7 | step.form;
        if (at == key) return (vm_ir)edges[mid];
        if (at < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return VM_IR_COUNT;
}

vm_ir vm_first(vm_part part, u32 form)
{
    return find(first_of[part], first_of[part + 1], part, form);
}

bool vm_may_chain(vm_ir from, vm_part part) { return (edges_of[from].mask >> part % 16 & 1) != 0; }

vm_ir vm_chain(vm_ir from, vm_part part, u32 form)
{
    if (!vm_may_chain(from, part)) return VM_IR_COUNT;
    return find(edges_of[from].begin, edges_of[from + 1].begin, part, form);
}

/** The opposite comparison; VM_PART_COUNT: none. */
static vm_part inverse_of(vm_part part)
{
    switch (part) {
#define ICMP(n, OP, T, INV, MIR)                                                                   \
    case VM_PART_##n: return VM_PART_##INV;
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    default: return VM_PART_COUNT;
    }
}

vm_ir vm_chain_inverse(vm_ir chain)
{
    if (chain < VM_IR_OTHER_COUNT) return VM_IR_COUNT;
    const struct vm_ir_step *step = &vm_ir_steps[chain];
    vm_part inverse = inverse_of((vm_part)step->part);
    if (inverse == VM_PART_COUNT) return VM_IR_COUNT;
    return step->parent == VM_IR_COUNT ? vm_first(inverse, step->form)
                                       : vm_chain((vm_ir)step->parent, inverse, step->form);
}

bool vm_part_of(vm_op op, vm_part *part, vm_valtype *result)
{
    if (!rows[op].part) return false;
    *part = (vm_part)(rows[op].part - 1);
    *result = rows[op].result;
    return true;
}
