/* SPDX-License-Identifier: Apache-2.0 */
/* The backends' tables and the calling convention of handlers. */
#ifndef VM_INTERP_DISPATCH_H
#define VM_INTERP_DISPATCH_H

#include "interp/step.h"

/* 1: each chain is in one table only (tail.c). */
#ifndef VM_TAIL_ONCE
#define VM_TAIL_ONCE 0
#endif

/** The tables; those that a build lacks are not defined. */
extern const struct vm_backend vm_backend_loop, vm_backend_tail, vm_backend_tail_v3;

/** Initialiser of a backend; WORD(op) makes the words of its stubs. */
#define VM_BACKEND(table, others, count, WORD, run)                                                \
    {                                                                                              \
        .handlers = (table),                                                                       \
        .alike = (others),                                                                         \
        .ops = (count),                                                                            \
        .dispatch = (run),                                                                         \
        .stubs = {.lazy = {WORD(lazy)},                                                            \
                  .link = {WORD(link)},                                                            \
                  .start = {WORD(call_start), WORD(exit)},                                         \
                  .return_foreign = {WORD(return_foreign)}},                                       \
    }

/* The build says VM_DISPATCH_TAIL=0 for the portable loop alone (gcc 12 has no musttail). */
#ifndef VM_DISPATCH_TAIL
#define VM_DISPATCH_TAIL 1
#endif
#ifndef VM_DISPATCH_V3
#define VM_DISPATCH_V3 0
#endif
/* preserve_none keeps the machine state in registers; sanitizer builds define this empty. */
#ifndef VM_HANDLER_CC
#define VM_HANDLER_CC __attribute__((preserve_none))
#endif

#endif
