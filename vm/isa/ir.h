/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal code: parts, the instructions made of them, and their layout. No handlers, no lowering.
 *
 * A function's code is an array of 64-bit words. Each instruction is one handler word followed by
 * its operands. An instruction is a chain of parts (ir_ops.def), or one of the OTHER rows, whose
 * layouts stand at their emitters in translate/ and their steps in interp/.
 *
 * The operands of a chain are 16-bit halves, part after part: for each input from a slot its number
 * relative to the frame pointer, for each constant two halves (i64: sign-extended) or,
 * of an f64, four, then the
 * part's immediates (two halves of memory offset, …), then the slot of its result unless only the
 * next part uses it:
 *
 *   i32_add_sc                         [handler] [a k k dst]
 *   i32_load_s__i32_add_tc__i32_store_st   [handler] [a o o k] [k address o o]
 *   i32_add_sc_k__i32_ne_ts__br_if_t   [handler] [a k k dst] [b t t t] [t - - -]
 *
 * Names: parts with the sources of their inputs (s slot, c constant, t the previous part's result,
 * a accumulator), joined by __ (result used up), _k__ (used, and kept in its slot) or _n__ (not
 * used).
 *
 * A function may have pins: locals whose values registers hold as well as their slots, integers
 * (1 to 4) and f64 (5, 6). PINNED rows are chains that take some of their slots from pins or write
 * to both; their layout is that of the chain without. i32_add_sc_p11 adds to the first pin.
 */
#ifndef VM_ISA_IR_H
#define VM_ISA_IR_H

#include "base/port.h"
#include "isa/pins.def"

/** Where a function's code begins. */
typedef _Atomic(const union vm_word *) vm_code_entry;
/** One 64-bit word of internal code. */
union vm_word {
    u64 u;
    const void *ptr; /* handler address, or an object of the module */
    vm_code_entry entry; /* in a call */
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
    } st; /* two slots and a distance in slots */
    struct {
        i32 lo, hi;
    } w; /* two 32-bit fields */
};
_Static_assert(sizeof(union vm_word) == 8, "code words are 8 bytes");
enum { VM_WORD_HALVES = 4 };
/** Words that so many halves take. */
static inline u32 vm_words_of(u32 halves) { return (halves + VM_WORD_HALVES - 1) / VM_WORD_HALVES; }
/** So many halves, up to the end of a word. */
static inline u32 vm_whole_words(u32 halves) { return vm_words_of(halves) * VM_WORD_HALVES; }

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
enum { VM_ENTER_BLOCK = 4, VM_ENTER_BLOCKS_MAX = 4 /* with an instruction of their own */ };

typedef enum vm_part {
#define PART(name) VM_PART_##name,
#include "isa/part_each.h"
    VM_PART_COUNT
} vm_part;

/** Where an input of a part comes from; a form is two bits for each input and VM_FORM_KEEP. */
enum vm_source { VM_FROM_SLOT, VM_FROM_CONST, VM_FROM_CHAIN, VM_FROM_ACC };
enum { VM_INPUTS_MAX = 3, VM_FORM_KEEP = 0x40 /* the previous part's result has a slot */ };

/** Every instruction; those below VM_IR_GENERIC_COUNT are in all backends. */
typedef enum vm_ir {
#define EACH(name) VM_IR_##name,
#include "isa/ir_each.h"
    VM_IR_GENERIC_COUNT,
    VM_IR_BEFORE_CHAINS = VM_IR_GENERIC_COUNT - 1,
#define EACH(name)
#define EACH_CHAIN(name) VM_IR_##name,
#include "isa/ir_each.h"
    VM_IR_COUNT,
    VM_IR_OTHER_COUNT = 0 /* how many are OTHER; they come first */
#define OTHER(name) +1
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    ,
    VM_IR_PINNED_COUNT = 0 /* how many are PINNED; they come last */
#define GENERIC(name, words, level, ...)
#define CHAIN(name, words, level, ...)
#define PINNED(name, words, level, ...) +1
#include "isa/chains.def"
#undef GENERIC
#undef CHAIN
#undef PINNED
    ,
    VM_IR_FIRST_PINNED = VM_IR_COUNT - VM_IR_PINNED_COUNT
} vm_ir;

/** Numbers of pins; VM_PINS integers and VM_FLOAT_PINS floats of them there are. */
enum { VM_PIN_NONE, VM_PIN_FIRST = 1, VM_PIN_FLOAT = 5, VM_PIN_END = 7 };
enum { VM_PIN_BITS = 4, VM_PIN_SLOTS = 64 / VM_PIN_BITS };
/** Of the slots of a chain, in their order, the pin of each: VM_PIN_BITS for the first, …. */
typedef u64 vm_pinning;

/** A number of an instruction in tables; the censuses have more than 65,535 of them. */
#if defined VM_CENSUS && VM_CENSUS
typedef u32 vm_ir_id;
enum { VM_IR_BITS = 32 };
#else
typedef u16 vm_ir_id;
enum { VM_IR_BITS = 15 };
_Static_assert(VM_IR_COUNT < 1 << VM_IR_BITS, "an instruction or none is 15 bits");
#endif

/** What an instruction is made of: its last part, and the chain before it; 4 bytes. */
struct vm_ir_step {
    u32 parent : VM_IR_BITS; /* VM_IR_COUNT: the part is the only one */
    u32 part : 10; /* vm_part */
    u32 form : 7; /* enum vm_source, two bits for each input; VM_FORM_KEEP */
};
_Static_assert(VM_PART_COUNT <= 1 << 10 && VM_FORM_KEEP == 1 << 6, "widths of vm_ir_step");
/** By instruction, from VM_IR_OTHER_COUNT on; OTHER rows are not made of parts. */
extern const struct vm_ir_step vm_ir_steps[VM_IR_FIRST_PINNED];
/** A PINNED row: that of chain `of` with these pins. */
struct vm_ir_pinned {
    vm_pinning pins;
    vm_ir_id of;
};
/** Of the row `op`, VM_IR_FIRST_PINNED or later. */
const struct vm_ir_pinned *vm_ir_pinned(vm_ir op);
/** How many slots have pins. */
u32 vm_pinning_count(vm_pinning pins);
/** The same of an instruction. */
u32 vm_ir_pin_count(vm_ir op);
/** The same instruction without pins. */
vm_ir vm_ir_unpinned(vm_ir op);
/**
 * The row of chain `of` with the most of these pins, `must` among them; `of` itself if there is
 * none and `must` is 0, else VM_IR_COUNT.
 */
vm_ir vm_ir_with_pins(vm_ir of, vm_pinning pins, vm_pinning must);

/** Where the k-th input of the last part comes from. */
static inline enum vm_source vm_ir_source(const struct vm_ir_step *step, u32 k)
{
    return (enum vm_source)(step->form >> 2 * k & 3);
}
/** The last part takes the result of the one before it. */
bool vm_ir_chained(const struct vm_ir_step *step);

const char *vm_part_name(vm_part part);
/** Size of a buffer that each name fits in, with its NUL. */
enum { VM_IR_NAME_SIZE = 256 };
/** Writes the name, "i32_add_sc", and returns `name`; for traces and disassembly. */
const char *vm_ir_name(vm_ir op, char name[VM_IR_NAME_SIZE]);

#endif
