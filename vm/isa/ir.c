/* SPDX-License-Identifier: Apache-2.0 */
/* What instructions are made of, and their names. Nothing else. */
#include "isa/ir.h"

#include <string.h>

#define FIRST_OF(part, inputs, begin)
#define EDGES_OF(from, begin, mask)
#define NO_PARENT VM_IR_COUNT
#define PINS(op, of, pins)
#define PINS_OF(from, begin)
const struct vm_ir_step vm_ir_steps[VM_IR_FIRST_PINNED] = {
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

#undef FIRST_OF
#define FIRST_OF(part, inputs, begin)

/* one more, or there would be none without pins */
static const struct vm_ir_pinned pinned[VM_IR_PINNED_COUNT + 1] = {
#undef PINS
#define PINS(op, of, pins) [op - VM_IR_FIRST_PINNED] = {pins, of},
#include "isa/edges.def"
#undef PINS
#define PINS(op, of, pins)
};

/* where those of one chain begin in `pinned`; they end where those of the next begin */
static const vm_ir_id pinned_of[VM_IR_FIRST_PINNED + 1] = {
#undef PINS_OF
#define PINS_OF(from, begin) [from] = begin,
#include "isa/edges.def"
};

static bool is_pinned(vm_ir op)
{
    const u32 first = VM_IR_FIRST_PINNED, end = VM_IR_COUNT; /* there may be none */
    return op >= first && op < end;
}

const struct vm_ir_pinned *vm_ir_pinned(vm_ir op) { return &pinned[op - VM_IR_FIRST_PINNED]; }

vm_ir vm_ir_unpinned(vm_ir op) { return is_pinned(op) ? (vm_ir)vm_ir_pinned(op)->of : op; }

/** All bits of each slot that has a pin. */
static vm_pinning slots_of(vm_pinning pins)
{
    const vm_pinning ones = ~(vm_pinning)0 / 15;
    pins |= pins >> 2;
    return ((pins | pins >> 1) & ones) * 15;
}

u32 vm_pinning_count(vm_pinning pins)
{
    return (u32)__builtin_popcountll(slots_of(pins)) / VM_PIN_BITS;
}

u32 vm_ir_pin_count(vm_ir op)
{
    return is_pinned(op) ? vm_pinning_count(vm_ir_pinned(op)->pins) : 0;
}

vm_ir vm_ir_with_pins(vm_ir of, vm_pinning pins, vm_pinning must)
{
    vm_ir best = must ? VM_IR_COUNT : of;
    int most = 0;
    for (u32 i = pinned_of[of]; i < pinned_of[of + 1]; i++) {
        vm_pinning has = pinned[i].pins, slots = slots_of(has);
        int count = __builtin_popcountll(slots);
        if ((pins & slots) != has || (has & slots_of(must)) != must || count <= most) continue;
        most = count;
        best = (vm_ir)(VM_IR_FIRST_PINNED + i);
    }
    return best;
}

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

static usize append_pins(char *name, usize at, vm_pinning pins)
{
    at = append(name, at, "_p");
    for (; pins; pins >>= VM_PIN_BITS) at = append(name, at, (char[]){"0123456"[pins & 15], 0});
    return at;
}

const char *vm_ir_name(vm_ir op, char name[VM_IR_NAME_SIZE])
{
    vm_ir of = vm_ir_unpinned(op);
    usize size = (u32)op >= VM_IR_COUNT   ? append(name, 0, "<none>")
                 : op < VM_IR_OTHER_COUNT ? append(name, 0, other_name(op))
                                          : append_chain(name, of);
    if (of != op) size = append_pins(name, size, vm_ir_pinned(op)->pins);
    name[size] = 0;
    return name;
}
