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

/** Slots whose values the accumulators have: integer, f64, v128; VM_NO_SLOT: of none. */
struct vm_carried {
    i32 acc, facc, vacc;
};
#define VM_CARRIES_NOTHING ((struct vm_carried){VM_NO_SLOT, VM_NO_SLOT, VM_NO_SLOT})

/**
 * A place in the code that must get a branch target, or a clause that must get its own. Until
 * publication targets are indices of words.
 */
struct vm_fixup {
    u32 word; /* its index; of a clause, the clause's */
    bool clause; /* it is one */
    u32 next; /* in the list of its label, VM_NO_INDEX ends it */
    struct vm_carried have; /* in the accumulators when the branch is taken */
};

struct vm_label_frame {
    vm_op op; /* block, loop, if, else; VM_OP_ILLEGAL for the function */
    u32 height; /* operand count below the block's parameters */
    i32 base; /* home slot of the first parameter and of the first result */
    /* branches to the end, or to a loop without what it carries; VM_NO_INDEX: none */
    u32 fixups;
    u32 else_fixup; /* if: the branch around the then part, VM_NO_INDEX: none */
    u32 loop_start; /* loop: word index; what it carries is in the accumulators */
    u32 loop_entry; /* loop: the instruction that puts it there, VM_NO_INDEX: none of its own */
    struct vm_carried carried; /* loop: at the start of each iteration */
    const vm_valtype *params, *results;
    u32 param_count, result_count;
    vm_valtype one_result; /* storage of a one-value block type */
    /* br_table number `stub_table` has its moves for this label at word `stub`; VM_NO_INDEX: none
     */
    u32 stub_table, stub;
    u32 region; /* innermost one in the block, of l->tries; VM_TRY_NONE: none */
    u32 own; /* the one that the block has opened, even if it has ended; VM_TRY_NONE: none */
    u32 arm; /* last clause of that one; in a handler its own */
};

/** A loop that begins with a br_table on a local (switch.c). */
struct vm_switch {
    u32 loop; /* index of its frame, VM_NO_INDEX: there is none */
    u32 local; /* VM_NO_INDEX: there is none */
    u32 open; /* frames below this index are still those that the table saw */
    bool known; /* the local has `value` here */
    u32 value;
    struct VM_VEC(
        u32) targets; /* of the table: indices of frames, VM_NO_INDEX: none of its blocks */
    struct VM_VEC(u32) ends; /* words where the blocks in the loop ended, outermost first */
};

/** What can still be built upon: the last instruction, and the accumulators behind it. */
struct vm_tail {
    u32 insn; /* word index of the last instruction if it may be changed, or VM_NO_INDEX */
    vm_ir op;
    u32 halves; /* operands so far */
    i32 dst; /* slot of its last part's result: its last half; VM_NO_SLOT: none */
    u32 dst_slots; /* of that result: 2 for v128 */
    struct vm_carried has; /* in the accumulators */
    struct vm_carried before; /* what they were before the last part */
    u32 slots; /* operands that are slots so far */
    vm_pinning pins; /* of these */
    vm_pinning must; /* those of them that are written: no chain will do that doesn't */
    u32 taken; /* how many the instruction takes from pins, or writes to them */
    bool ended; /* control does not come from the last instruction: a jump, a return */
};

/** The end of the code as it was: what is behind it can be taken back. */
struct vm_point {
    u32 words, map;
    struct vm_tail tail;
};

/** Shifts of one local just emitted, which an or of theirs takes back: a rotation (rotate.c). */
struct vm_rotation {
    u32 shifts; /* so far: 0, 1, 2 */
    vm_part part; /* of the rotation */
    struct vm_operand input;
    u32 left; /* count of the left shift */
    vm_part other; /* the second shift: its part, its count */
    u32 other_count;
    struct vm_point before, after;
};

struct vm_lower {
    const struct vm_translate_env *env;
    const struct vm_backend *backend;
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
    struct VM_VEC(struct vm_try) tries;
    struct VM_VEC(struct vm_catch) catches;

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

    i32 pins[VM_PIN_END]; /* slots of the locals that are pinned, by number; VM_NO_SLOT: not in use
                           */
    bool has_pins;
    bool no_pins; /* they didn't pay */
    u64 pin_gain, pin_cost; /* operands taken from pins, and what loading them costs, by loops */

    struct vm_switch chosen;
    u32 fuel_word; /* word that counts the instructions of the current region */
    struct vm_tail tail;
    u32 wide_half; /* its lower result's slot: a half counted from the start of the code */
    u32 wide_end; /* the end of the code while that is behind an instruction with two results */
    i32 far_dst; /* slot that the scratch destination must be moved to; 0: none */

    struct vm_rotation rotation;
    /* an i32.eqz or i64.eqz just emitted: a branch on it takes it back and tests its operand */
    u32 eqz_insn; /* its word, VM_NO_INDEX: none */
    struct vm_operand eqz_input;
    struct vm_point before_eqz;
};

/* ---- emit.c: words, branch targets, the offset map */

/** Appends one of the OTHER instructions with one operand word. Later words by vm_emit_word. */
u32 vm_emit(struct vm_lower *l, vm_ir op, union vm_word w1);
void vm_emit_word(struct vm_lower *l, union vm_word w);
/** Appends one without operands. */
u32 vm_emit_bare(struct vm_lower *l, vm_ir op);
/** Maps the next instruction emitted to the Wasm instruction being lowered. */
void vm_emit_mark(struct vm_lower *l);
/** Control may arrive here from elsewhere: nothing is known of accumulators. */
void vm_emit_barrier(struct vm_lower *l);
/** Control arrives here only from where the accumulators have this. */
void vm_emit_label(struct vm_lower *l, struct vm_carried have);
/** Control does not go on behind the last instruction. */
void vm_emit_end(struct vm_lower *l);
/** New fixup for the target in that word; its index. */
u32 vm_fixup_new(struct vm_lower *l, u32 word, u32 next);
/** One for the target of a clause. Nothing is known of accumulators behind a throw. */
u32 vm_fixup_clause(struct vm_lower *l, u32 clause, u32 next);
/** Writes the current end of the code into one fixup, or a list of them. */
void vm_fixup_here(struct vm_lower *l, u32 fixup);
void vm_fixup_list_here(struct vm_lower *l, u32 fixup);
/** Writes `word` into one fixup. */
void vm_fixup_to(struct vm_lower *l, u32 fixup, u32 word);
/** Moves; far slots and constants of any size. */
void vm_emit_mov(struct vm_lower *l, i32 dst, i32 src, u32 slots);
void vm_emit_const(struct vm_lower *l, i32 dst, u64 bits);

/* ---- parts.c: tables of parts and chains */

enum vm_class { VM_CLASS_NONE, VM_CLASS_INT, VM_CLASS_F32, VM_CLASS_F64, VM_CLASS_V128 };
/** Memory that a part accesses: none; with name_x behind it for explicit checks; atomically. */
enum vm_part_memory { VM_MEMORY_NONE, VM_MEMORY_PAIR, VM_MEMORY_ATOMIC };
struct vm_part_info {
    u8 inputs;
    u8 imm; /* halves */
    bool traps;
    bool wide; /* its constants are 64 bits: sign-extended */
    u8 input[VM_INPUTS_MAX]; /* enum vm_class */
    u8 result; /* enum vm_class */
    u8 memory; /* enum vm_part_memory: if any, the first input is an address */
    u16 mirror; /* the part with swapped inputs, VM_PART_COUNT: none */
};
const struct vm_part_info *vm_part_info(vm_part part);
/** True for comparisons and eqz, which a branch behind them takes in. */
bool vm_part_tests(vm_part part);
/** The instruction of one part, or of `from` and one more; VM_IR_COUNT: there is none. */
vm_ir vm_first(vm_part part, u32 form);
vm_ir vm_chain(vm_ir from, vm_part part, u32 form);
/** False: there is no chain of `from` and the part in any form. */
bool vm_may_chain(vm_ir from, vm_part part);
/** The chain with the opposite comparison at its end; VM_IR_COUNT: none. */
vm_ir vm_chain_inverse(vm_ir chain);
/** The part that a plain Wasm instruction is, and the type of its result; false: not plain. */
bool vm_part_of(vm_op op, vm_part *part, vm_valtype *result);

/* ---- chain.c: parts */

/**
 * One part: behind the last instruction if there is such a chain, else as a new instruction. `in`:
 * its inputs, popped; `imm`: its immediates; `dst`: slot of its result or VM_NO_SLOT.
 */
void vm_emit_part(struct vm_lower *l, vm_part part, const struct vm_operand *in, u128 imm, i32 dst);
/** A word behind the last part's immediates: the address that a JUMP goes to. */
void vm_append_word(struct vm_lower *l, u64 bits);
/** The last part writes to another slot, which must be near. */
void vm_retarget(struct vm_lower *l, i32 dst);
/** Turns the comparison that the last part is into its opposite, if it is one that has one. */
bool vm_invert(struct vm_lower *l);
/** Where the code ends now; and back there, with nothing emitted since but parts. */
struct vm_point vm_point_here(const struct vm_lower *l);
void vm_point_back(struct vm_lower *l, const struct vm_point *p);
/** Takes back the eqz that computed `o`, if it is the last instruction; `o` is then its operand. */
bool vm_take_back_eqz(struct vm_lower *l, struct vm_operand *o);
/** The target of the branch part just emitted: a word, and a fixup for it. */
u32 vm_fixup_branch(struct vm_lower *l, u32 next);

/** Fuel: a region is code that is entered at its start only; one instruction pays for all of it. */
void vm_fuel_region(struct vm_lower *l);
void vm_fuel_count(struct vm_lower *l, vm_op op);

/* ---- switch.c: branches through a br_table with a known index */

/** A br_table is about to be lowered. */
void vm_switch_begin(struct vm_lower *l, const struct vm_operand *index, const struct vm_insn *in);
/** The local gets the operand's value. Known until control comes together (vm_emit_barrier). */
void vm_switch_wrote(struct vm_lower *l, u32 local, const struct vm_operand *o);
/** The innermost frame has ended; its branches arrive here. */
void vm_switch_end(struct vm_lower *l);
/**
 * Where a branch to *f really goes: the word, or VM_NO_INDEX and *f, which may be another frame
 * now.
 */
u32 vm_switch_follow(struct vm_lower *l, struct vm_label_frame **f);
void vm_switch_free(struct vm_lower *l);

/* ---- pins.c */

/** Chooses those of the function, whose locals have their slots. */
void vm_pins_choose(struct vm_lower *l);
/** Loads them, if there are any: before the body, and behind what changes the registers. */
void vm_pins_load(struct vm_lower *l);
/** The pin of a slot as an operand of that class, of all 64 bits if `wide`; VM_PIN_NONE: none. */
vm_pinning vm_pin_of(const struct vm_lower *l, i32 slot, enum vm_class class, bool wide);
bool vm_is_pinned(const struct vm_lower *l, i32 slot);
/** The last instruction is as it will be. */
void vm_pins_count(struct vm_lower *l);
/** At the end: false if the function should be translated again without. */
bool vm_pins_paid(const struct vm_lower *l);

/* ---- carry.c: accumulators across labels */

/** What the loop that is being lowered should carry. Looks at a bounded number of instructions. */
struct vm_carried vm_carry_choose(const struct vm_lower *l);
/** What the accumulators have where a branch with `have` comes in; all that control has there. */
struct vm_carried vm_carry_meet(const struct vm_lower *l, struct vm_carried have);
/** True when the accumulators have it. */
bool vm_carry_matches(struct vm_carried have, struct vm_carried want);
/** Immediates of the part that loads it. */
u32 vm_carry_imm(struct vm_carried c);

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
/** True when `o` is a stack operand just computed by the last part. */
bool vm_is_fresh(const struct vm_lower *l, const struct vm_operand *o);
/** Records that frame slots up to `slot` (exclusive) are used. */
void vm_use_slots(struct vm_lower *l, i64 slot);

/* ---- branch.c: structured control */

static inline struct vm_label_frame *vm_frame_at(struct vm_lower *l, u32 depth)
{
    return &l->frames.data[l->frames.len - 1 - depth];
}
/** The innermost block's next arm: this one goes to the end; its operands begin at `home`. */
void vm_lower_next_arm(struct vm_lower *l, i32 home);
void vm_push_slots(struct vm_lower *l, const vm_valtype *types, u32 n);
/** Where a branch to a loop goes that has this in the accumulators; VM_NO_INDEX: f->fixups. */
u32 vm_loop_target(const struct vm_label_frame *f, struct vm_carried have);
void vm_lower_function_begin(struct vm_lower *l);
void vm_lower_block(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_else(struct vm_lower *l);
void vm_lower_end(struct vm_lower *l);
void vm_lower_br(struct vm_lower *l, u32 depth);
void vm_lower_br_if(struct vm_lower *l, u32 depth);
void vm_lower_br_table(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_br_on_null(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_return(struct vm_lower *l);
/** The next of a br_table's labels, which the walker has checked. */
u32 vm_next_label(const u8 **p);

/* ---- try.c: regions and their handlers */

/** A try or try_table begins; `f` is its frame, not pushed yet. */
void vm_try_begin(struct vm_lower *l, const struct vm_insn *in, struct vm_label_frame *f);
/** The region that the block has opened, if any, ends here. */
void vm_try_end(struct vm_lower *l, struct vm_label_frame *f);
/** From word `begin` to here exceptions leave the function at once: a tail call. */
void vm_try_hole(struct vm_lower *l, u32 begin);
void vm_lower_catch(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_delegate(struct vm_lower *l, u32 depth);
void vm_lower_throw(struct vm_lower *l, const struct vm_insn *in);
void vm_lower_throw_ref(struct vm_lower *l);
void vm_lower_rethrow(struct vm_lower *l, u32 depth);
/** The table of the function, NULL: it has none, or status is VM_OOM. */
struct vm_handlers *vm_try_publish(struct vm_lower *l);

/* ---- rotate.c */

/** A part of two inputs, on top of the stack, is about to be lowered, and has been. */
void vm_rotation_before(struct vm_lower *l, vm_part part);
void vm_rotation_after(struct vm_lower *l);
/** Lowers an or of two shifts that make a rotation; false: it is none, nothing is done. */
bool vm_lower_rotation(struct vm_lower *l, vm_part part);

/* ---- call.c */
void vm_lower_call(struct vm_lower *l, const struct vm_insn *in);

#endif
