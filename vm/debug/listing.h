/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function twice: its WebAssembly instructions and its internal ones, and which came from
 * which. Made for reading, not for running. No printing.
 */
#ifndef VM_DEBUG_LISTING_H
#define VM_DEBUG_LISTING_H

#include "base/vec.h"
#include "debug/decode.h"
#include "runtime/program.h"

/** A WebAssembly instruction. Pointers in `insn.imm` live as long as the module. */
struct vm_listed_wasm {
    struct vm_insn insn; /* block and func are cleared */
    u32 depth; /* of blocks */
};

/** An internal instruction. */
struct vm_listed_ir {
    u32 word, words;
    vm_ir op;
    u32 first_link; /* its parts' places in vm_listing.links; an OTHER row has one */
};

struct vm_listing {
    const struct vm_alloc *alloc;
    struct VM_VEC(struct vm_listed_wasm) wasm;
    struct VM_VEC(struct vm_listed_ir) ir;
    struct VM_VEC(u32) links; /* index in `wasm`, or VM_NO_INDEX; ascending */
    struct VM_VEC(i32) local_slots;
    i32 first_home; /* slot of the first stack position */
    u32 undecoded; /* words at the end that are no known instruction */
    u32 depth;
    bool is_far; /* slots past 16 bits: which is which is not known here */
};

/** Lists `code`, translated; `scratch` is reset. VM_OOM, or what the walk answers. Free in any
 * case. */
vm_status vm_listing_make(struct vm_listing *l, const struct vm_program *p,
                          const struct vm_code *code, const struct vm_decoder_table *table,
                          struct vm_arena *scratch) VM_MUST_USE;
void vm_listing_free(struct vm_listing *l);
/** How many links an instruction has: parts, at least one. */
u32 vm_listing_links(const struct vm_decoder_table *table, vm_ir op);

#endif
