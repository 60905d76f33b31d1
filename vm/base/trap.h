/* SPDX-License-Identifier: Apache-2.0 */
/* Trap codes, from traps.def. In base because pure semantics (sem/) answer them. */
#ifndef VM_BASE_TRAP_H
#define VM_BASE_TRAP_H

#include "base/port.h"

typedef enum vm_trap {
    VM_TRAP_NONE = 0,
#define TRAP(id, text) VM_TRAP_##id,
#include "base/traps.def"
#undef TRAP
    VM_TRAP_COUNT
} vm_trap;

/** The spec's message, static. */
const char *vm_trap_text(vm_trap trap);

#endif
