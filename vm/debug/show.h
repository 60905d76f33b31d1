/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions of both kinds as text, for explore. Private to debug/. */
#ifndef VM_DEBUG_SHOW_H
#define VM_DEBUG_SHOW_H

#include "debug/listing.h"
#include "debug/names.h"
#include "debug/text.h"

/** What both need to know around an instruction. */
struct vm_shown {
    const struct vm_program *program;
    const struct vm_decoder_table *table;
    const struct vm_func_names *names;
    const struct vm_listing *listing;
    const struct vm_code *code;
    const struct vm_code *codes; /* of all defined functions: what calls point to */
};

/** Appends "12 name". */
void vm_show_func(const struct vm_shown *s, struct vm_line *line, u32 func);
/** Appends "i32.load offset=8", "call 12 name". */
void vm_show_wasm(const struct vm_shown *s, struct vm_line *line, const struct vm_insn *in);
/** Appends "i32_add_sc__i32_load_t  l0 4; +8 -> s1". */
void vm_show_ir(const struct vm_shown *s, struct vm_line *line, const struct vm_listed_ir *ir);
/** Appends a region of words and its handlers: "try 0: 16 to 51: tag 0 @95 -> s0 ref s1". */
void vm_show_try(const struct vm_shown *s, struct vm_line *line, u32 region);

#endif
