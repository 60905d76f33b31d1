/* SPDX-License-Identifier: Apache-2.0 */
/* What instructions are made of, and their names. Nothing else. */
#include "isa/ir.h"

#include <string.h>

#define FIRST_OF(part, inputs, begin)
#define EDGES_OF(from, begin, mask)
#define NO_PARENT VM_IR_COUNT
const struct vm_ir_step vm_ir_steps[VM_IR_COUNT] = {
#define STEP(op, parent, part, form) [op] = {parent, part, form},
#include "isa/edges.def"
#undef STEP
#define STEP(op, parent, part, form)
};

static const u8 part_inputs[VM_PART_COUNT + 1] = {
#undef FIRST_OF
#define FIRST_OF(part, inputs, begin) [part] = inputs,
#include "isa/edges.def"
};

VM_NOINLINE const char *vm_part_name(vm_part part)
{
    static const char *const names[VM_PART_COUNT] = {
#define PART(name) #name,
#include "isa/part_each.h"
    };
    return names[part];
}

static VM_NOINLINE const char *other_name(vm_ir op)
{
    static const char *const names[VM_IR_OTHER_COUNT] = {
#define OTHER(name) #name,
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    };
    return names[op];
}

bool vm_ir_chained(const struct vm_ir_step *step)
{
    for (u32 k = 0; k < VM_INPUTS_MAX; k++)
        if (vm_ir_source(step, k) == VM_FROM_CHAIN) return true;
    return false;
}

/** Appends to the `at` bytes of `name` what fits; how many there are then. */
static usize append(char *name, usize at, const char *text)
{
    usize size = strlen(text), room = VM_IR_NAME_SIZE - 1 - at;
    if (size > room) size = room;
    memcpy(name + at, text, size);
    return at + size;
}

static usize append_chain(char *name, vm_ir op)
{
    const struct vm_ir_step *step = &vm_ir_steps[op];
    usize at = 0;
    if (step->parent != NO_PARENT) {
        at = append_chain(name, (vm_ir)step->parent);
        bool kept = (step->form & VM_FORM_KEEP) != 0;
        at = append(name, at, !vm_ir_chained(step) ? "_n__" : kept ? "_k__" : "__");
    }
    at = append(name, at, vm_part_name((vm_part)step->part));
    char form[VM_INPUTS_MAX + 2] = "_";
    u32 inputs = part_inputs[step->part];
    for (u32 k = 0; k < inputs; k++) form[1 + k] = "scta"[vm_ir_source(step, k)];
    return inputs ? append(name, at, form) : at;
}

const char *vm_ir_name(vm_ir op, char name[VM_IR_NAME_SIZE])
{
    usize size = (u32)op >= VM_IR_COUNT   ? append(name, 0, "<none>")
                 : op < VM_IR_OTHER_COUNT ? append(name, 0, other_name(op))
                                          : append_chain(name, op);
    name[size] = 0;
    return name;
}
