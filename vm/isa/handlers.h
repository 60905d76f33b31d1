/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of handler words, defined by interp; all that the other folders know of execution. */
#ifndef VM_ISA_HANDLERS_H
#define VM_ISA_HANDLERS_H

#include "isa/code.h"

/**
 * First word of an instruction of op, [backend][op]: the address of a handler, or the op's number
 * for the portable loop. A build without tail calls has the loop's table in both places.
 */
extern const union vm_word *const vm_handler_words[VM_CODE_BACKENDS];

/** Code that belongs to no function, per backend. */
struct vm_stubs {
    union vm_word lazy[1];           /* entry of an untranslated function */
    union vm_word start[2];          /* call_start, exit: the bottom of every exec */
    union vm_word return_foreign[1]; /* return address of a call from another instance */
};
extern const struct vm_stubs vm_stubs[VM_CODE_BACKENDS];

/** True when this build has tail-call handlers. */
extern const bool vm_has_tail_backend;

#endif
