/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotations of vectors: no instruction of their own, but both shifts of one local and an or of the
 * results. The shifts are emitted as they come; the or takes them back.
 */
#include "translate/lower.h"

static const struct {
    vm_part shl, shr, rotl;
    u32 bits;
} widths[] = {{VM_PART_i16x8_shl, VM_PART_i16x8_shr_u, VM_PART_i16x8_rotl, 16},
              {VM_PART_i32x4_shl, VM_PART_i32x4_shr_u, VM_PART_i32x4_rotl, 32},
              {VM_PART_i64x2_shl, VM_PART_i64x2_shr_u, VM_PART_i64x2_rotl, 64}};

/** Nothing was emitted since the last shift. */
static bool is_fresh_shift(const struct vm_lower *l)
{
    const struct vm_point *p = &l->rotation.after;
    return l->words.len == p->words && l->tail.insn == p->tail.insn &&
           l->tail.halves == p->tail.halves && l->tail.insn != VM_NO_INDEX;
}

/** Begins anew with a shift of a local by a constant; else there is nothing. */
static void begin_rotation(struct vm_lower *l, vm_part part, const struct vm_operand *x, u32 count)
{
    l->rotation.shifts = 0;
    if (x->where != VM_IN_LOCAL || l->far) return;
    for (u32 i = 0; i < VM_COUNT(widths); i++) {
        bool left = part == widths[i].shl;
        if (!left && part != widths[i].shr) continue;
        if (count == 0 || count >= widths[i].bits) return;
        u32 rest = widths[i].bits - count;
        l->rotation = (struct vm_rotation){.shifts = 1,
                                           .part = widths[i].rotl,
                                           .input = *x,
                                           .left = left ? count : rest,
                                           .other = left ? widths[i].shr : widths[i].shl,
                                           .other_count = rest,
                                           .before = vm_point_here(l)};
    }
}

void vm_rotation_before(struct vm_lower *l, vm_part part)
{
    struct vm_rotation *r = &l->rotation;
    if (l->status != VM_OK || l->stack.len < 2) return;
    const struct vm_operand *count = vm_top(l, 0), *x = vm_top(l, 1);
    u32 n = count->where == VM_IN_CONST ? (u32)count->bits : 0;
    bool same = x->where == VM_IN_LOCAL && x->local == r->input.local;
    if (r->shifts == 1 && is_fresh_shift(l) && part == r->other && same && n == r->other_count)
        r->shifts = 2;
    else
        begin_rotation(l, part, x, n);
}

void vm_rotation_after(struct vm_lower *l)
{
    if (l->rotation.shifts) l->rotation.after = vm_point_here(l);
}

bool vm_lower_rotation(struct vm_lower *l, vm_part part)
{
    const struct vm_rotation *r = &l->rotation;
    if (part != VM_PART_v128_or || r->shifts != 2 || !is_fresh_shift(l) || l->status != VM_OK)
        return false;
    const struct vm_operand *b = vm_top(l, 0), *a = vm_top(l, 1);
    bool theirs = b->where == VM_IN_SLOT && a->where == VM_IN_SLOT && b->home == l->tail.dst;
    if (!theirs || b->home != a->home + 2) return false;
    (void)vm_pop(l);
    (void)vm_pop(l);
    vm_point_back(l, &r->before);
    vm_emit_part(l, r->part, &r->input, r->left, l->next_home);
    vm_push_slot(l, VM_V128);
    l->rotation.shifts = 0;
    return true;
}
