/* SPDX-License-Identifier: Apache-2.0 */
/* Tables from ir_ops.def: which row serves a Wasm instruction, what folds into a branch. */
#include "translate/lower.h"

/* C type of a row -> value type of the stack. */
enum { type_u32 = VM_I32, type_u64 = VM_I64, type_f32 = VM_F32, type_f64 = VM_F64 };
enum { wide_u32 = 0, wide_u64 = 1 };

// clang-format off
static const struct vm_row rows[VM_OP_COUNT] = {
#define UN(n, OP, R, A)   [VM_OP_##OP] = {VM_ROW_UN, false, false, VM_IR_##n, VM_IR_COUNT, type_##R},
#define UNT(n, OP, R, A)  [VM_OP_##OP] = {VM_ROW_UN, true, false, VM_IR_##n, VM_IR_COUNT, type_##R},
#define IBIN(n, OP, T, C) [VM_OP_##OP] = {VM_ROW_IBIN, false, wide_##T, VM_IR_##n##_ss, \
                                          (C) ? VM_IR_##n##_ss : VM_IR_COUNT, type_##T},
#define IBINT(n, OP, T)   [VM_OP_##OP] = {VM_ROW_IBIN, true, wide_##T, VM_IR_##n##_ss, VM_IR_COUNT, type_##T},
#define FBIN(n, OP, T)    [VM_OP_##OP] = {VM_ROW_BIN, false, false, VM_IR_##n##_ss, VM_IR_COUNT, type_##T},
#define ICMP(n, OP, T, INV, MIR) [VM_OP_##OP] = {VM_ROW_IBIN, false, wide_##T, VM_IR_##n##_ss, \
                                                 VM_IR_##MIR##_ss, VM_I32},
#define FCMP(n, OP, T)    [VM_OP_##OP] = {VM_ROW_BIN, false, false, VM_IR_##n##_ss, VM_IR_COUNT, VM_I32},
#define LOAD(n, OP, R, M) [VM_OP_##OP] = {VM_ROW_LOAD, true, false, VM_IR_##n##_g, VM_IR_COUNT, type_##R},
#define STORE(n, OP, M)   [VM_OP_##OP] = {VM_ROW_STORE, true, false, VM_IR_##n##_g, VM_IR_COUNT, 0},
#define OTHER(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};

/* A comparison's branch forms and its inverse, plus one so that 0 is "none". */
static const struct { u16 if_true, if_false, inverse; } compares[VM_IR_COUNT] = {
#define UN(n, OP, R, A)
#define UNT(n, OP, R, A)
#define IBIN(n, OP, T, C)
#define IBINT(n, OP, T)
#define FBIN(n, OP, T)
#define ICMP(n, OP, T, INV, MIR) \
    [VM_IR_##n##_ss] = {VM_IR_br_##n##_ss + 1, VM_IR_br_##INV##_ss + 1, VM_IR_##INV##_ss + 1}, \
    [VM_IR_##n##_sc] = {VM_IR_br_##n##_sc + 1, VM_IR_br_##INV##_sc + 1, VM_IR_##INV##_sc + 1},
#define FCMP(n, OP, T) \
    [VM_IR_##n##_ss] = {VM_IR_br_##n##_ss + 1, VM_IR_brn_##n##_ss + 1, 0},
#define LOAD(n, OP, R, M)
#define STORE(n, OP, M)
#define OTHER(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};

static const bool has_constant[VM_IR_COUNT] = {
#define UN(n, OP, R, A)
#define UNT(n, OP, R, A)
#define IBIN(n, OP, T, C)
#define IBINT(n, OP, T)
#define FBIN(n, OP, T)
#define ICMP(n, OP, T, INV, MIR) [VM_IR_br_##n##_sc] = true,
#define FCMP(n, OP, T)
#define LOAD(n, OP, R, M)
#define STORE(n, OP, M)
#define OTHER(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};

static const bool writes_a[VM_IR_COUNT] = {
#define UN(n, OP, R, A)   [VM_IR_##n] = true,
#define UNT(n, OP, R, A)  [VM_IR_##n] = true,
#define IBIN(n, OP, T, C) [VM_IR_##n##_ss] = true, [VM_IR_##n##_sc] = true,
#define IBINT(n, OP, T)   [VM_IR_##n##_ss] = true, [VM_IR_##n##_sc] = true,
#define FBIN(n, OP, T)    [VM_IR_##n##_ss] = true,
#define ICMP(n, OP, T, INV, MIR) [VM_IR_##n##_ss] = true, [VM_IR_##n##_sc] = true,
#define FCMP(n, OP, T)    [VM_IR_##n##_ss] = true,
#define LOAD(n, OP, R, M) [VM_IR_##n##_g] = true, [VM_IR_##n##_x] = true,
#define STORE(n, OP, M)
#define OTHER(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    [VM_IR_const32] = true, [VM_IR_const64] = true, [VM_IR_mov] = true, [VM_IR_select] = true,
    [VM_IR_global_get] = true, [VM_IR_memory_size] = true, [VM_IR_table_get] = true,
    [VM_IR_table_size] = true, [VM_IR_ref_func] = true,
};
// clang-format on

const struct vm_row *vm_row_of(vm_op op) { return &rows[op]; }

bool vm_fuse_has_constant(vm_ir branch) { return has_constant[branch]; }

bool vm_ir_writes_a(vm_ir op) { return writes_a[op]; }

vm_ir vm_fuse_branch(vm_ir cmp, bool sense)
{
    u16 br = sense ? compares[cmp].if_true : compares[cmp].if_false;
    return br ? (vm_ir)(br - 1) : VM_IR_COUNT;
}

vm_ir vm_fuse_inverse(vm_ir cmp)
{
    return compares[cmp].inverse ? (vm_ir)(compares[cmp].inverse - 1) : VM_IR_COUNT;
}
