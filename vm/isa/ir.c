/* SPDX-License-Identifier: Apache-2.0 */
/* Names of internal instructions. Nothing else. */
#include "isa/ir.h"

static const char *const names[VM_IR_COUNT] = {
#define EACH(name) #name,
#define EACH_CHAIN(name) #name,
#include "isa/ir_each.h"
};

const char *vm_ir_name(vm_ir op) { return (u32)op < VM_IR_COUNT ? names[op] : "<none>"; }
