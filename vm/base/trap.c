/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of traps.def. */
#include "base/trap.h"

static const char *const trap_texts[VM_TRAP_COUNT] = {
    [VM_TRAP_NONE] = "",
#define TRAP(id, text) [VM_TRAP_##id] = text,
#include "base/traps.def"
#undef TRAP
};

const char *vm_trap_text(vm_trap trap)
{
    return (u32)trap < VM_TRAP_COUNT ? trap_texts[trap] : "unknown trap";
}
