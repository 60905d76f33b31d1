/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one body walker: decodes and checks a function body and tells a sink what it saw. The sink
 * is called after the instruction has been checked. No lowering here.
 */
#ifndef VM_VALIDATE_SINK_H
#define VM_VALIDATE_SINK_H

#include "binary/module.h"
#include "isa/opcode.h"

/** Types of a block; pointers live during the callback. */
struct vm_blocktype {
    const vm_valtype *params, *results;
    u32 param_count, result_count;
};

/** One checked instruction. Valid during the callback. */
struct vm_insn {
    vm_op op;
    u32 offset;     /* file offset of the opcode */
    bool reachable; /* false behind br, return, unreachable, throw… up to the end of the block */
    /**
     * Operand type where the opcode alone does not tell: drop, select (of the value), local.*,
     * global.*, table.get/set (element), ref.*. VM_BOT in unreachable code.
     */
    vm_valtype type;
    u32 a, b; /* indices in binary order: local, global, func, type, table, label, memory, lane … */
    union {
        u64 bits;   /* constants, sign- or zero-extended as the instruction wants; f32 low half */
        const u8 *bytes; /* v128.const, i8x16.shuffle: 16 bytes */
        struct {
            u64 offset;
            u32 memory;
            u32 align; /* log2 */
        } mem;
        struct {
            const u8 *raw; /* `count` + 1 LEB128 labels, checked; the last is the default */
            u32 count;
        } table;
        struct {
            const u8 *raw; /* `count` catch clauses, checked */
            u32 count;
        } catches;
    } imm;
    struct vm_blocktype block;      /* block, loop, if, try_table, legacy try */
    const struct vm_functype *func; /* call, call_indirect, call_ref and their return_ forms */
};

/** Receives a body. `local_types` (parameters first) live during the walk. */
struct vm_sink {
    /** Before the first instruction; `local_count` includes parameters. */
    vm_status (*begin)(void *ctx, const vm_valtype *local_types, u32 local_count);
    /** Every instruction, the final `end` included. Other than VM_OK stops the walk. */
    vm_status (*insn)(void *ctx, const struct vm_insn *insn);
};

/** Bit per enum vm_feature that may be used; others are refused by name and offset. */
typedef u64 vm_features;

/**
 * Checks body of defined function `func_idx` (index in the function index space) and reports to
 * `sink` (NULL: check only). `scratch` is reset first and holds the walker's stacks. Iterative:
 * C stack use does not depend on nesting. Any thread, with its own scratch.
 */
vm_status vm_walk_body(const struct vm_module *m, u32 func_idx, vm_features features,
                       const struct vm_sink *sink, void *ctx, struct vm_arena *scratch,
                       struct vm_err *err) VM_MUST_USE;

#endif
