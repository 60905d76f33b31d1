/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal code: the instruction words and the enumeration of ir_ops.def. No handlers, no lowering.
 *
 * A function's code is an array of 64-bit words. Each instruction is one handler word followed by
 * its operand words; slot operands are 16-bit slot numbers relative to the frame pointer, branch
 * targets are 32-bit word distances from the instruction's own handler word.
 *
 *   UN, mov         [handler] [dst16 src16 -]
 *   BIN/CMP ss      [handler] [dst16 a16 b16 -]
 *   BIN/CMP sc      [handler] [dst16 a16 constant32]          (64-bit: sign-extended)
 *   br_CMP ss       [handler] [a16 b16 target32]
 *   br_CMP sc       [handler] [a16 - constant32] [target32 -]
 *   LOAD g          [handler] [dst16 address16 offset32]
 *   LOAD x          [handler] [dst16 address16 memory32] [offset64]
 *   STORE g         [handler] [address16 value16 offset32]
 *   STORE x         [handler] [address16 value16 memory32] [offset64]
 * Layouts of the others stand at their emitters in translate/ and their steps in interp/.
 */
#ifndef VM_ISA_IR_H
#define VM_ISA_IR_H

#include "base/port.h"

/** One 64-bit word of internal code, seen as the layouts above. */
union vm_word {
    u64 u;
    const void *ptr; /* handler address, or an object of the module */
    struct {
        i16 a, b, c, d;
    } s; /* four slots */
    struct {
        i16 a, b;
        u32 i;
    } si; /* two slots and an immediate */
    struct {
        i16 a, b;
        i32 target;
    } st; /* two slots and a branch distance */
    struct {
        i32 lo, hi;
    } w; /* two 32-bit fields */
};
_Static_assert(sizeof(union vm_word) == 8, "code words are 8 bytes");

/** One 8-byte slot of the value stack. 32-bit values are kept zero-extended. */
union vm_slot {
    u64 u64;
    u32 u32; /* low half: little-endian hosts only */
    f32 f32;
    f64 f64;
    void *ptr;
    const void *cptr;
};
_Static_assert(sizeof(union vm_slot) == 8, "slots are 8 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian hosts only");

/** Locals are zeroed in blocks of this many slots, perhaps past the last one (`enter`). */
enum { VM_ENTER_BLOCK = 4 };

typedef enum vm_ir {
#define EACH(name) VM_IR_##name,
#include "isa/ir_each.h"
    VM_IR_COUNT
} vm_ir;

/** Name with shape, "i32_add_sc", static; for traces and disassembly. */
const char *vm_ir_name(vm_ir op);

#endif
