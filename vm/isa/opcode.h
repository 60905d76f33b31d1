/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every WebAssembly instruction, from wasm_ops.def: identifiers, immediates, signatures, names.
 * No execution, no validation rules beyond the plain signature.
 */
#ifndef VM_ISA_OPCODE_H
#define VM_ISA_OPCODE_H

#include "base/port.h"
#include "isa/feature.h"
#include "types/valtype.h"

/** Dense identifier of an instruction: VM_OP_I32_ADD. */
typedef enum vm_op {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule) VM_OP_##id,
#include "isa/wasm_ops.def"
#undef OP
    VM_OP_COUNT,
    VM_OP_ILLEGAL = VM_OP_COUNT
} vm_op;

/** Immediates of an instruction, in the order they stand in the binary format. */
typedef enum vm_imm {
    VM_IMM_NONE,
    VM_IMM_BLOCKTYPE,  /* block, loop, if */
    VM_IMM_LABEL,      /* u32 depth */
    VM_IMM_BR_TABLE,   /* vec(u32), u32 */
    VM_IMM_FUNC,       /* funcidx */
    VM_IMM_TYPE,       /* typeidx */
    VM_IMM_CALL_INDIRECT, /* typeidx tableidx */
    VM_IMM_LOCAL,
    VM_IMM_GLOBAL,
    VM_IMM_TABLE,
    VM_IMM_TABLE_TABLE,   /* table.copy: destination, source */
    VM_IMM_ELEM_TABLE,    /* table.init: elemidx tableidx */
    VM_IMM_ELEM,
    VM_IMM_DATA,
    VM_IMM_MEMORY,
    VM_IMM_MEMORY_MEMORY, /* memory.copy: destination, source */
    VM_IMM_DATA_MEMORY,   /* memory.init: dataidx memidx */
    VM_IMM_MEMARG,
    VM_IMM_MEMARG_LANE,
    VM_IMM_LANE,
    VM_IMM_LANES16, /* i8x16.shuffle */
    VM_IMM_I32,
    VM_IMM_I64,
    VM_IMM_F32,
    VM_IMM_F64,
    VM_IMM_V128,
    VM_IMM_SELECT_T, /* vec(valtype) */
    VM_IMM_HEAPTYPE,
    VM_IMM_TYPE_FIELD, /* struct.get: typeidx fieldidx */
    VM_IMM_TYPE_U32,   /* array.new_fixed: typeidx count */
    VM_IMM_TYPE_DATA,
    VM_IMM_TYPE_ELEM,
    VM_IMM_TYPE_TYPE, /* array.copy */
    VM_IMM_BR_CAST,   /* flags label heaptype heaptype */
    VM_IMM_TAG,
    VM_IMM_TRY_TABLE, /* blocktype vec(catch) */
    VM_IMM_LEGACY_TRY, /* blocktype */
    VM_IMM_ZERO_BYTE, /* atomic.fence */
    VM_IMM_COUNT
} vm_imm;

/** Mnemonic as in the text format, "i32.add", static; "<illegal>" for VM_OP_ILLEGAL. */
const char *vm_op_name(vm_op op);
vm_imm vm_op_imm(vm_op op);
vm_feature vm_op_feature(vm_op op);

/**
 * Signature: parameters, ':', results, one letter each: i I f F V (numbers and vectors),
 * a (address type of the memory of the memarg). "*" when the rule is not a plain signature and
 * validate/check_*.c has it by hand. Static.
 */
const char *vm_op_sig(vm_op op);

/** One-byte opcodes: VM_OP_ILLEGAL for prefixes and holes. */
extern const u16 vm_op_of_byte[256];
/** Opcode `code` behind prefix byte 0xfb, 0xfc, 0xfd or 0xfe; VM_OP_ILLEGAL if there is none. */
vm_op vm_op_of_prefixed(u8 prefix, u32 code);
/** log2 of the bytes a load, store or atomic accesses: the natural alignment; else 0. */
u32 vm_op_natural_align(vm_op op);

#endif
