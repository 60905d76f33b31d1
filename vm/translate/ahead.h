/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the instructions ahead, which are valid or will be refused when they are reached. */
#ifndef VM_TRANSLATE_AHEAD_H
#define VM_TRANSLATE_AHEAD_H

#include "translate/lower.h"

/** Where in the body one looks. */
struct vm_ahead {
    const u8 *p, *end;
    u32 imm; /* of the instruction: its index, if it has one */
    u32 labels_max; /* a br_table of more fails */
    bool failed; /* an instruction that is not known here, or the end */
};

/** At an offset in the file, of the function that is translated. */
struct vm_ahead vm_ahead_from(const struct vm_lower *l, u32 offset);
/** At the first instruction of that function: behind its locals. */
struct vm_ahead vm_ahead_from_start(const struct vm_lower *l);
/** The next instruction, and its immediates passed; VM_OP_ILLEGAL: failed. */
vm_op vm_ahead_next(struct vm_ahead *a);

#endif
