/* SPDX-License-Identifier: Apache-2.0 */
/* Functions as text: WebAssembly beside the internal code made from it. */
#ifndef VM_DEBUG_EXPLORE_H
#define VM_DEBUG_EXPLORE_H

#include "debug/text.h"
#include "runtime/program.h"

/**
 * Translates one function (`func`: export, name or number; NULL: all) as a plain run would and
 * writes both sides. Nothing of the program's own code changes. Errors: VM_NOT_FOUND, VM_ARGUMENT
 * (an imported function), VM_OOM. Any thread.
 */
vm_status vm_explore(struct vm_program *p, const char *func, const struct vm_text_sink *sink)
    VM_MUST_USE;

#endif
