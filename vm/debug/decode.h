/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads internal code back: which instruction a word is, which parts it is made of, how long it is.
 * Knows the layout of isa/ir.h; not where the code came from.
 */
#ifndef VM_DEBUG_DECODE_H
#define VM_DEBUG_DECODE_H

#include "isa/handlers.h"
#include "isa/opcode.h"

struct vm_alloc;

enum { VM_DECODE_PARTS = 16 };

/** One part of an instruction. */
struct vm_decoded_part {
    u16 part; /* vm_part */
    u8 source[VM_INPUTS_MAX]; /* enum vm_source */
    bool put; /* its result goes to a slot */
};
/** What an instruction is made of; no parts: an OTHER row. */
struct vm_decoded_op {
    u8 part_count;
    u8 words; /* OTHER rows; 0: not known here */
    struct vm_decoded_part parts[VM_DECODE_PARTS];
};

/** What is fixed of a part. */
struct vm_decoded_row {
    vm_op op; /* the Wasm instruction that becomes it; VM_OP_ILLEGAL: no plain one */
    u16 alike[3]; /* others, vm_op: inverses and mirrors of comparisons */
    u8 inputs;
    u8 imm; /* halves */
    bool memory, traps, has_result;
    char type; /* of its inputs: 'i' u32, 'I' u64, 'f' f32, 'F' f64, 'V' v128 */
    bool jumps; /* behind the immediates an address, in a word of its own */
};
const struct vm_decoded_row *vm_decoded_row(vm_part part);
/** Halves that an input takes; f64 constants four, others two, slots one, the rest none. */
u32 vm_decoded_input_halves(const struct vm_decoded_part *p, u32 input);

/** All instructions of a backend. */
struct vm_decoder_table;
/** NULL: no memory. */
struct vm_decoder_table *vm_decoder_table_new(const struct vm_alloc *a,
                                              const struct vm_backend *backend);
void vm_decoder_table_delete(const struct vm_alloc *a, struct vm_decoder_table *t);
/** The instruction that begins with this word, VM_IR_COUNT: none. */
vm_ir vm_decoder_find(const struct vm_decoder_table *t, union vm_word word);
const struct vm_decoded_op *vm_decoder_op(const struct vm_decoder_table *t, vm_ir op);
/** Its words, at `words` of which `left` are left; 0: not known, or more than are left. */
u32 vm_decoder_size(const struct vm_decoder_table *t, vm_ir op, const union vm_word *words,
                    u32 left);
/** A 16-bit half, counted from the first operand. */
i16 vm_decoded_half(const union vm_word *insn, u32 half);
/** Two halves as a number. */
i32 vm_decoded_i32(const union vm_word *insn, u32 half);

#endif
