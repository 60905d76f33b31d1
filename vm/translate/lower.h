/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of one translation, private to translate/. The abstract stack holds deferred operands:
 * constants and local reads emit nothing until somebody needs them in a slot.
 */
#ifndef VM_TRANSLATE_LOWER_H
#define VM_TRANSLATE_LOWER_H

#include "base/vec.h"
#include "isa/handlers.h"
#include "translate/translate.h"

/** Where an operand is. A SLOT operand is in its home slot. */
enum vm_where { VM_IN_SLOT, VM_IN_LOCAL, VM_IN_CONST };

struct vm_operand {
    u8 where; /* enum vm_where */
    u8 slots; /* 1, or 2 for v128 */
    i32 home; /* slot of this stack position */
    i32 slot; /* VM_IN_LOCAL: the local's slot */
    u32 local;
    u32 next; /* VM_IN_LOCAL: next lower deferred read of the same local, or VM_NO_INDEX */
    u64 bits; /* VM_IN_CONST */
};

/** A place in the code that must get a branch distance. */
struct vm_fixup {
    u32 insn;  /* word index of the instruction */
    u32 field; /* index of the 32-bit field, in half words from the start of the code */
    u32 next;  /* in the list of its label, VM_NO_INDEX ends it */
};

struct vm_label_frame {
    vm_op op;       /* block, loop, if, else; VM_OP_ILLEGAL for the function */
    u32 height;     /* operand count below the block's parameters */
    i32 base;       /* home slot of the first parameter and of the first result */
    u32 fixups;     /* branches to the end, VM_NO_INDEX: none */
    u32 else_fixup; /* if: the branch around the then part, VM_NO_INDEX: none */
    u32 loop_start; /* loop: word index */
    const vm_valtype *params, *results;
    u32 param_count, result_count;
    vm_valtype one_result; /* storage of a one-value block type */
    /* br_table number `stub_table` has its moves for this label at word `stub`; VM_NO_INDEX: none
     */
    u32 stub_table, stub;
};

struct vm_lower {
    const struct vm_translate_env *env;
    const union vm_word *handlers; /* of the backend */
    const struct vm_functype *sig;
    struct vm_code *code;
    vm_status status; /* sticky */
    bool far; /* frames past 16-bit slots: scratch slots are reserved */
    bool need_far; /* start over with `far` */

    struct VM_VEC(union vm_word) words;
    struct VM_VEC(struct vm_codemap) map;
    struct VM_VEC(struct vm_operand) stack;
    struct VM_VEC(struct vm_label_frame) frames;
    struct VM_VEC(struct vm_fixup) fixups;

    u32 *local_heads; /* topmost deferred read of each local, VM_NO_INDEX: none */
    i32 *local_slots;
    const vm_valtype *local_types; /* copy */
    u32 local_count;

    u32 below; /* of this function's frame */
    i32 next_home; /* home slot of the next operand pushed */
    i32 max_slot; /* highest slot used, plus one */
    u32 flushed; /* no operand below this index is VM_IN_LOCAL */
    u32 in_slots; /* all operands below this index are VM_IN_SLOT */
    u32 pushes; /* so far: bounds the work */
    bool dead; /* code is unreachable */
    u32 table_count; /* br_tables so far */
    u32 dead_depth; /* blocks opened in dead code */
    u32 offset; /* file offset of the instruction being lowered */

    u32 fuel_word; /* word that counts the instructions of the current region */
    u32 last; /* word index of the last instruction if it may be changed, or VM_NO_INDEX */
    vm_ir last_op;
    i32 far_dst; /* slot that the scratch destination must be moved to; 0: none */
};

/* ---- emit.c: words, branch distances, the offset map */

/** Appends an instruction with one operand word; its word index. Later words by vm_emit_word. */
u32 vm_emit(struct vm_lower *l, vm_ir op, union vm_word w1);
void vm_emit_word(struct vm_lower *l, union vm_word w);
/** Appends an instruction without operands. */
u32 vm_emit_bare(struct vm_lower *l, vm_ir op);
/** Maps the next instruction emitted to the Wasm instruction being lowered. */
void vm_emit_mark(struct vm_lower *l);
/** The last instruction can't be changed any more: control may arrive here from elsewhere. */
static inline void vm_emit_barrier(struct vm_lower *l) { l->last = VM_NO_INDEX; }
/** Replaces the handler of the instruction at `pos`. */
void vm_emit_set_op(struct vm_lower *l, u32 pos, vm_ir op);
/** New fixup for the 32-bit field `half` (half words behind `insn`); its index. */
u32 vm_fixup_new(struct vm_lower *l, u32 insn, u32 half, u32 next);
/** Writes the distance to the current end of the code into one fixup, or a list of them. */
void vm_fixup_here(struct vm_lower *l, u32 fixup);
void vm_fixup_list_here(struct vm_lower *l, u32 fixup);
/** Writes the distance to `word` into one fixup. */
void vm_fixup_to(struct vm_lower *l, u32 fixup, u32 word);
/** Moves; far slots and constants of any size. */
void vm_emit_mov(struct vm_lower *l, i32 dst, i32 src, u32 slots);
void vm_emit_const(struct vm_lower *l, i32 dst, u64 bits);

/** Fuel: a region is code that is entered at its start only; one instruction pays for all of it. */
void vm_fuel_region(struct vm_lower *l);
void vm_fuel_count(struct vm_lower *l, vm_op op);

/* ---- slots.c: the abstract operand stack */

void vm_push_slot(struct vm_lower *l, vm_valtype type);
void vm_push_const(struct vm_lower *l, u64 bits);
void vm_push_local(struct vm_lower *l, u32 local);
struct vm_operand vm_pop(struct vm_lower *l);
static inline struct vm_operand *vm_top(struct vm_lower *l, u32 depth)
{
    return &l->stack.data[l->stack.len - 1 - depth];
}
/** Brings the operands in the top `count` positions into their home slots. */
void vm_materialise_top(struct vm_lower *l, u32 count);
/** Saves all deferred reads of a local, before it is written. */
void vm_materialise_local(struct vm_lower *l, u32 local);
/** Saves all deferred reads of all locals, before control splits. */
void vm_materialise_locals(struct vm_lower *l);
/** Copies an operand's value to `dst` without changing the abstract stack. */
void vm_copy_to(struct vm_lower *l, const struct vm_operand *o, i32 dst);
enum { VM_FAR_SLOTS = 8 }; /* scratch slots of a function with far slots */
/** A 16-bit slot holding a popped operand; scratch slot `k` (0..2) serves far ones. */
i16 vm_src(struct vm_lower *l, const struct vm_operand *o, u32 k);
/** A 16-bit slot for a result bound for `slot`; vm_dst_done after the instruction. */
i16 vm_dst(struct vm_lower *l, i32 slot);
void vm_dst_done(struct vm_lower *l, u32 slots);
/** Truncates the stack. */
void vm_stack_reset(struct vm_lower *l, u32 height, i32 next_home);
/** True when `o` was just computed by the last instruction, whose word 1 field a is its slot. */
bool vm_is_fresh(const struct vm_lower *l, const struct vm_operand *o);
/** Records that frame slots up to `slot` (exclusive) are used. */
void vm_use_slots(struct vm_lower *l, i64 slot);

/* ---- fuse.c: what may be folded into what, as tables from ir_ops.def */

/** The compare-and-branch of a comparison, taken when it is `sense`; VM_IR_COUNT: none. */
vm_ir vm_fuse_branch(vm_ir cmp, bool sense);
/** True for the branch forms that carry a constant, and so a second operand word. */
bool vm_fuse_has_constant(vm_ir branch);
/** The comparison with the opposite result; VM_IR_COUNT: none. */
vm_ir vm_fuse_inverse(vm_ir cmp);
/** True when field a of the first operand word is the slot that the instruction writes. */
bool vm_ir_writes_a(vm_ir op);
/** Row of a plain Wasm instruction. */
enum vm_row_kind { VM_ROW_NONE, VM_ROW_UN, VM_ROW_BIN, VM_ROW_IBIN, VM_ROW_LOAD, VM_ROW_STORE };
struct vm_row {
    u8 kind; /* enum vm_row_kind */
    bool traps;
    bool wide; /* 64-bit constants: sign-extended */
    u16 ir; /* first shape: s, ss or g; sc and x follow it */
    u16 mirrored; /* op with swapped operands, VM_IR_COUNT: none */
    u32 result; /* vm_valtype */
};
const struct vm_row *vm_row_of(vm_op op);

/* ---- branch.c: structured control */

void vm_lower_function_begin(struct vm_lower *l);
void vm_lower_block(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_else(struct vm_lower *l);
void vm_lower_end(struct vm_lower *l);
void vm_lower_br(struct vm_lower *l, u32 depth);
void vm_lower_br_if(struct vm_lower *l, u32 depth);
void vm_lower_br_table(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_br_on_null(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_return(struct vm_lower *l);

/* ---- call.c */
void vm_lower_call(struct vm_lower *l, const struct vm_insn *in);

#endif
