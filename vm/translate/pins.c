/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins: locals whose values registers hold as well as their slots, through the whole function. The
 * choice is made by a look at the body; then every instruction leaves them right, but calls, behind
 * which they are loaded. Chains that read and write them are found in chain.c.
 */
#include "binary/module.h"
#include "translate/ahead.h"

#include <string.h>

enum {
    LOAD_COST = 4, /* of loading pins, in operands taken from them */
    READS_MIN = 8 /* of pinned locals, for each call and the entry, or they are not tried */
};

/* Stress builds have them wherever they can be. */
#if defined(VM_STRESS) && VM_STRESS
enum { ALWAYS = 1 };
#else
enum { ALWAYS = 0 };
#endif
enum { NEST_MAX = 64, LOOPS_MAX = 4, LOOP_SHIFT = 3 /* a loop runs eight times */ };

/** What a look at the body finds, weighed by the loops around. */
struct uses {
    u64 loops; /* of the blocks that are open, which are loops; the innermost: bit 0 */
    u32 depth;
    u64 weight; /* of what stands here */
    u64 calls;
    u64 *reads; /* by local */
};

static u64 weight(u32 loops)
{
    return (u64)1 << LOOP_SHIFT * (loops < LOOPS_MAX ? loops : LOOPS_MAX);
}

/** Of what is emitted now. */
static u64 weight_here(const struct vm_lower *l)
{
    u32 loops = 0;
    for (u32 i = 0; i < l->frames.len && loops < LOOPS_MAX; i++)
        loops += l->frames.data[i].op == VM_OP_LOOP;
    return weight(loops);
}

static void nest(struct uses *u, u64 loops)
{
    u->loops = loops;
    u->weight = weight((u32)__builtin_popcountll(loops));
}

/** False: the function has something that pins do not go with. */
static bool take(struct uses *u, vm_op op)
{
    switch (op) {
    case VM_OP_BLOCK:
    case VM_OP_IF: u->loops <<= 1; return ++u->depth < NEST_MAX;
    case VM_OP_LOOP: nest(u, u->loops << 1 | 1); return ++u->depth < NEST_MAX;
    case VM_OP_END: nest(u, u->loops >> 1); return u->depth-- != 0;
    case VM_OP_CALL:
    case VM_OP_CALL_INDIRECT:
    case VM_OP_CALL_REF: u->calls += u->weight; return true;
    /* what is thrown arrives with other values */
    case VM_OP_TRY:
    case VM_OP_TRY_TABLE: return false;
    default: return true;
    }
}

/** False: not all of it is known. */
static bool look(const struct vm_lower *l, struct uses *u)
{
    struct vm_ahead a = vm_ahead_from_start(l);
    u->depth = 1; /* the function */
    u->weight = weight(0);
    while (!a.failed && a.p < a.end) {
        vm_op op = vm_ahead_next(&a);
        if (op == VM_OP_LOCAL_GET && a.imm < l->local_count)
            u->reads[a.imm] += u->weight;
        else if (!take(u, op))
            return false;
    }
    return !a.failed;
}

static bool is_pinnable(const struct vm_lower *l, u32 local, bool floats)
{
    vm_valtype type = l->local_types[local];
    if (l->local_slots[local] != (i16)l->local_slots[local]) return false;
    return floats ? type == VM_F64 : type == VM_I32 || type == VM_I64;
}

/** Pins the local that is read most and is not pinned; how often it is read. */
static u64 pin_next(struct vm_lower *l, struct uses *u, u32 pin)
{
    u32 best = VM_NO_INDEX;
    for (u32 i = 0; i < l->local_count; i++)
        if (u->reads[i] && is_pinnable(l, i, pin >= VM_PIN_FLOAT) &&
            (best == VM_NO_INDEX || u->reads[i] > u->reads[best]))
            best = i;
    if (best == VM_NO_INDEX) return 0;
    u64 reads = u->reads[best];
    u->reads[best] = 0;
    l->pins[pin] = l->local_slots[best];
    return reads;
}

static void forget_pins(struct vm_lower *l)
{
    for (u32 pin = VM_PIN_FIRST; pin < VM_PIN_END; pin++) l->pins[pin] = VM_NO_SLOT;
    l->has_pins = false;
}

void vm_pins_choose(struct vm_lower *l)
{
    forget_pins(l);
    if (VM_PINS + VM_FLOAT_PINS == 0 || l->far || l->no_pins || l->local_count == 0) return;
    if (l->backend->ops <= VM_IR_GENERIC_COUNT) return;
    struct uses u = {.reads = vm_alloc_array(l->env->alloc, l->local_count, sizeof *u.reads)};
    if (!u.reads) {
        l->status = VM_OOM;
        return;
    }
    memset(u.reads, 0, l->local_count * sizeof *u.reads);
    const u32 integers = VM_PINS, floats = VM_FLOAT_PINS;
    u64 saved = 0;
    if (look(l, &u)) {
        for (u32 i = 0; i < integers; i++) saved += pin_next(l, &u, VM_PIN_FIRST + i);
        for (u32 i = 0; i < floats; i++) saved += pin_next(l, &u, VM_PIN_FLOAT + i);
    }
    l->has_pins = saved && (ALWAYS || saved > READS_MIN * (u.calls + 1));
    if (!l->has_pins) forget_pins(l);
    vm_alloc_free(l->env->alloc, u.reads, l->local_count * sizeof *u.reads);
}

static u64 pin_slot(const struct vm_lower *l, u32 pin, u32 place)
{
    u16 slot = l->pins[pin] == VM_NO_SLOT ? 0 : (u16)l->pins[pin];
    return (u64)slot << 16 * place;
}

void vm_pins_load(struct vm_lower *l)
{
    if (!l->has_pins || l->status != VM_OK) return;
    l->pin_cost += LOAD_COST * weight_here(l);
    u64 slots = pin_slot(l, 1, 0) | pin_slot(l, 2, 1) | pin_slot(l, 5, 2);
    vm_emit_part(l, VM_PART_pin, NULL, slots, VM_NO_SLOT);
    slots = pin_slot(l, 3, 0) | pin_slot(l, 4, 1) | pin_slot(l, 6, 2);
    if (VM_PINS > 2 || VM_FLOAT_PINS > 1)
        vm_emit_part(l, VM_PART_pin_more, NULL, slots, VM_NO_SLOT);
}

vm_pinning vm_pin_of(const struct vm_lower *l, i32 slot, enum vm_class class, bool wide)
{
    if (!l->has_pins) return VM_PIN_NONE;
    for (u32 i = VM_PIN_FIRST; class == VM_CLASS_INT && i < VM_PIN_FIRST + VM_PINS; i++)
        if (l->pins[i] == slot) return i;
    bool bits = class == VM_CLASS_F64 || (class == VM_CLASS_INT && wide);
    for (u32 i = VM_PIN_FLOAT; bits && i < VM_PIN_FLOAT + VM_FLOAT_PINS; i++)
        if (l->pins[i] == slot) return i;
    return VM_PIN_NONE;
}

void vm_pins_count(struct vm_lower *l)
{
    if (l->tail.taken) l->pin_gain += l->tail.taken * weight_here(l);
    l->tail.taken = 0;
}

bool vm_pins_paid(const struct vm_lower *l)
{
    return !l->has_pins || ALWAYS || l->pin_gain > l->pin_cost;
}

bool vm_is_pinned(const struct vm_lower *l, i32 slot)
{
    for (u32 i = VM_PIN_FIRST; l->has_pins && i < VM_PIN_END; i++)
        if (l->pins[i] == slot) return true;
    return false;
}
