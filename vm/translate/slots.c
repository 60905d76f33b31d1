/* SPDX-License-Identifier: Apache-2.0 */
/* The abstract operand stack: deferral, materialisation, near and far slots. No control flow. */
#include "translate/lower.h"

/* Scratch slots right behind the header when l->far: three sources, a destination, two slots each.
 */
enum { SCRATCH_SRC = VM_FRAME_SLOTS, SCRATCH_DST = VM_FRAME_SLOTS + 6 };
_Static_assert(SCRATCH_DST + 2 == VM_FRAME_SLOTS + VM_FAR_SLOTS, "room for all scratch slots");

static bool is_near(i32 slot) { return slot == (i16)slot; }

void vm_use_slots(struct vm_lower *l, i64 slot)
{
    if (slot > VM_MAX_STACK_SLOTS) {
        if (l->status == VM_OK) l->status = VM_LIMIT;
    } else if (slot > l->max_slot) {
        l->max_slot = (i32)slot;
    }
}

static void push(struct vm_lower *l, struct vm_operand o)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->stack, 1)) {
        l->status = VM_OOM;
        return;
    }
    vm_use_slots(l, (i64)l->next_home + o.slots);
    /* calls of 1,000 values could make two bytes of body a thousand pushes */
    if (++l->pushes > VM_MAX_TRANSLATE_OPERANDS && l->status == VM_OK) l->status = VM_LIMIT;
    if (l->status != VM_OK) return;
    o.home = l->next_home;
    l->next_home += o.slots;
    VM_VEC_PUSH(&l->stack, o);
}

void vm_push_slot(struct vm_lower *l, vm_valtype type)
{
    push(l, (struct vm_operand){.where = VM_IN_SLOT, .slots = (u8)vm_valtype_slots(type)});
}

void vm_push_const(struct vm_lower *l, u64 bits)
{
    push(l, (struct vm_operand){.where = VM_IN_CONST, .slots = 1, .bits = bits});
}

void vm_push_local(struct vm_lower *l, u32 local)
{
    push(l, (struct vm_operand){.where = VM_IN_LOCAL,
                                .slots = (u8)vm_valtype_slots(l->local_types[local]),
                                .slot = l->local_slots[local],
                                .local = local,
                                .next = l->local_heads[local]});
    if (l->status == VM_OK) l->local_heads[local] = l->stack.len - 1;
}

struct vm_operand vm_pop(struct vm_lower *l)
{
    if (l->status != VM_OK || l->stack.len == 0) {
        if (l->status == VM_OK) l->status = VM_INTERNAL;
        return (struct vm_operand){.where = VM_IN_CONST, .slots = 1, .home = VM_FRAME_SLOTS};
    }
    struct vm_operand o = l->stack.data[--l->stack.len];
    if (o.where == VM_IN_LOCAL) l->local_heads[o.local] = o.next;
    l->next_home = o.home;
    if (l->flushed > l->stack.len) l->flushed = l->stack.len;
    if (l->in_slots > l->stack.len) l->in_slots = l->stack.len;
    return o;
}

void vm_stack_reset(struct vm_lower *l, u32 height, i32 next_home)
{
    while (l->stack.len > height && l->status == VM_OK) (void)vm_pop(l);
    l->next_home = next_home;
}

void vm_copy_to(struct vm_lower *l, const struct vm_operand *o, i32 dst)
{
    switch (o->where) {
    case VM_IN_SLOT: vm_emit_mov(l, dst, o->home, o->slots); break;
    case VM_IN_LOCAL: vm_emit_mov(l, dst, o->slot, o->slots); break;
    default: vm_emit_const(l, dst, o->bits); break;
    }
}

/** Moves one operand home; its deferred read, if any, is taken off the list by the caller. */
static void materialise(struct vm_lower *l, struct vm_operand *o)
{
    vm_copy_to(l, o, o->home);
    o->where = VM_IN_SLOT;
}

void vm_materialise_top(struct vm_lower *l, u32 count)
{
    u32 bottom = l->stack.len - count;
    for (u32 i = l->stack.len; i > bottom && i > l->in_slots && l->status == VM_OK; i--) {
        struct vm_operand *o = &l->stack.data[i - 1];
        if (o->where == VM_IN_SLOT) continue;
        /* from the top down, so a deferred read is the head of its list */
        if (o->where == VM_IN_LOCAL) l->local_heads[o->local] = o->next;
        materialise(l, o);
    }
    if (bottom <= l->in_slots) l->in_slots = l->stack.len;
}

void vm_materialise_local(struct vm_lower *l, u32 local)
{
    u32 i = l->local_heads[local];
    while (i != VM_NO_INDEX && l->status == VM_OK) {
        struct vm_operand *o = &l->stack.data[i];
        i = o->next;
        materialise(l, o);
    }
    l->local_heads[local] = VM_NO_INDEX;
}

void vm_materialise_locals(struct vm_lower *l)
{
    for (u32 i = l->flushed; i < l->stack.len && l->status == VM_OK; i++) {
        struct vm_operand *o = &l->stack.data[i];
        if (o->where != VM_IN_LOCAL) continue;
        l->local_heads[o->local] = VM_NO_INDEX;
        materialise(l, o);
    }
    l->flushed = l->stack.len;
}

/** Asks for a translation with scratch slots when this one has none. */
static bool want_far(struct vm_lower *l)
{
    if (!l->far) {
        l->need_far = true;
        if (l->status == VM_OK) l->status = VM_LIMIT;
    }
    return l->far;
}

i16 vm_src(struct vm_lower *l, const struct vm_operand *o, u32 k)
{
    i32 slot = o->where == VM_IN_LOCAL ? o->slot : o->home;
    i32 scratch = (i32)(SCRATCH_SRC + 2 * k);
    if (o->where == VM_IN_CONST) {
        i32 at = is_near(slot) || !want_far(l) ? slot : scratch;
        vm_emit_const(l, at, o->bits);
        return (i16)at;
    }
    if (is_near(slot)) return (i16)slot;
    if (!want_far(l)) return 0;
    vm_emit_mov(l, scratch, slot, o->slots);
    return (i16)scratch;
}

i16 vm_dst(struct vm_lower *l, i32 slot)
{
    l->far_dst = 0;
    if (is_near(slot) || !want_far(l)) return (i16)slot;
    l->far_dst = slot;
    return SCRATCH_DST;
}

void vm_dst_done(struct vm_lower *l, u32 slots)
{
    if (l->far_dst == 0) return;
    i32 slot = l->far_dst;
    l->far_dst = 0;
    vm_emit_mov(l, slot, SCRATCH_DST, slots);
}

bool vm_is_fresh(const struct vm_lower *l, const struct vm_operand *o)
{
    return o->where == VM_IN_SLOT && l->tail.insn != VM_NO_INDEX && l->status == VM_OK &&
           l->tail.dst == o->home;
}
