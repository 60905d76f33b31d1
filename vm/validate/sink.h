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

/** One checked instruction. Valid during the callback; what is not named for an op is not set. */
struct vm_insn {
    vm_op op;
    u32 offset;     /* file offset of the opcode */
    /**
     * False behind br, return, unreachable, throw… up to the end of the block, blocks inside
     * included. Of else, catch and end: of the arm before.
     */
    bool reachable;
    /**
     * Operand type where the opcode alone does not tell: drop, select (of the value), local.*,
     * global.*, table.* but copy (element), ref.null (result), ref.func (result), ref.is_null,
     * ref.as_non_null, br_on_null, br_on_non_null, call_ref (operand), ref.test, ref.cast,
     * br_on_cast* (target type), struct.get/set and all array.* (storage type). VM_BOT in
     * unreachable code where it is not known.
     */
    vm_valtype type;
    /**
     * Indices in binary order: local, global, func, type, table, label, memory, tag, lane …
     * ref.null, ref.test, ref.cast: a is the heap type. br_on_cast*: a is the label, b the
     * vm_valtype cast from. array.new_fixed: b is the count.
     */
    u32 a, b;
    union {
        u64 bits;        /* constants: i32 and f32 in the low half, the upper half 0 */
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
            const u8
                *raw; /* `count` catch clauses, checked: kind, [tag,] label outside the block */
            u32 count;
        } catches;
    } imm;
    /** block, loop, if, try_table, try: the new block; else, catch*, delegate, end: the old one. */
    struct vm_blocktype block;
    /** call, call_indirect, call_ref and their return_ forms; throw and catch: the tag's. */
    const struct vm_functype *func;
};

/** Receives a body. `local_types` (parameters first) live during the walk. */
struct vm_sink {
    /** Before the first instruction; `local_count` includes parameters. */
    vm_status (*begin)(void *ctx, const vm_valtype *local_types, u32 local_count);
    /** Every instruction, the final `end` included. Other than VM_OK stops the walk. */
    vm_status (*insn)(void *ctx, const struct vm_insn *insn);
};

/**
 * Checks body of defined function `func_idx` (index in the function index space) and reports to
 * `sink` (NULL: check only). `scratch` is reset first and holds the walker's stacks. Iterative:
 * C stack use does not depend on nesting. Any thread, with its own scratch.
 */
vm_status vm_walk_body(const struct vm_module *m, u32 func_idx, vm_features features,
                       const struct vm_sink *sink, void *ctx, struct vm_arena *scratch,
                       struct vm_err *err) VM_MUST_USE;

#endif
