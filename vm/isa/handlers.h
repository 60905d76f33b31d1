/* SPDX-License-Identifier: Apache-2.0 */
/* The table of handler words, defined by interp; the only thing translate knows of execution. */
#ifndef VM_ISA_HANDLERS_H
#define VM_ISA_HANDLERS_H

#include "isa/ir.h"

/**
 * First word of an instruction of `op`, for each enum vm_code_backend: the address of a handler,
 * or the op's number for the portable loop.
 */
extern const union vm_word *const vm_handler_words[2];

#endif
