/* SPDX-License-Identifier: Apache-2.0 */
/* Core dumps of stopped execs, as tool-conventions/Coredump.md describes them. */
#ifndef VM_DEBUG_COREDUMP_H
#define VM_DEBUG_COREDUMP_H

#include "debug/text.h"
#include "runtime/exec.h"

/**
 * Writes a module that says what an exec and its store hold: sections core, coremodules,
 * coreinstances, corestack (the exec's frames with their locals), all memories (without pages of
 * zeroes) and globals. `name` is that of the program. VM_OOM; what the sink was given is cut then.
 */
vm_status vm_coredump(const struct vm_exec *x, const char *name, const struct vm_text_sink *sink);

#endif
