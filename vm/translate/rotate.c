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
    const struct vm_rotation *r = &l->rotation;
    return l->words.len == r->words_after && l->tail.insn == r->after.insn &&
           l->tail.halves == r->after.halves && l->tail.insn != VM_NO_INDEX;
}

/** True when the shift on top of the stack is the other half of what has begun. */
static bool completes(const struct vm_lower *l, vm_part part, const struct vm_operand *x, u32 count)
{
    const struct vm_rotation *r = &l->rotation;
    for (u32 i = 0; i < VM_COUNT(widths); i++) {
        vm_part other = r->wants_left ? widths[i].shl : widths[i].shr;
        u32 wanted = r->wants_left ? r->left : r->bits - r->left;
        if (widths[i].rotl == r->part && part == other)
            return x->where == VM_IN_LOCAL && x->local == r->input.local && count == wanted;
    }
    return false;
}

/** Begins anew with a shift of a local by a constant; else there is nothing. */
static void begin_rotation(struct vm_lower *l, vm_part part, const struct vm_operand *x, u32 count)
{
    struct vm_rotation *r = &l->rotation;
    r->shifts = 0;
    for (u32 i = 0; i < VM_COUNT(widths); i++) {
        bool left = part == widths[i].shl;
        u32 bits = widths[i].bits;
        if ((!left && part != widths[i].shr) || x->where != VM_IN_LOCAL) continue;
        if (count == 0 || count >= bits || l->far) continue;
        *r = (struct vm_rotation){.shifts = 1,
                                  .part = widths[i].rotl,
                                  .input = *x,
                                  .bits = bits,
                                  .left = left ? count : bits - count,
                                  .wants_left = !left,
                                  .before = l->tail,
                                  .words_before = l->words.len,
                                  .map_before = l->map.len};
    }
}

void vm_rotation_before(struct vm_lower *l, vm_part part)
{
    struct vm_rotation *r = &l->rotation;
    if (l->status != VM_OK || l->stack.len < 2) return;
    const struct vm_operand *count = vm_top(l, 0), *x = vm_top(l, 1);
    u32 n = count->where == VM_IN_CONST ? (u32)count->bits : 0;
    if (r->shifts == 1 && is_fresh_shift(l) && completes(l, part, x, n))
        r->shifts = 2;
    else
        begin_rotation(l, part, x, n);
}

void vm_rotation_after(struct vm_lower *l, vm_part part)
{
    (void)part;
    l->rotation.after = l->tail;
    l->rotation.words_after = l->words.len;
}

bool vm_lower_rotation(struct vm_lower *l, vm_part part)
{
    const struct vm_rotation r = l->rotation;
    if (part != VM_PART_v128_or || r.shifts != 2 || !is_fresh_shift(l) || l->status != VM_OK)
        return false;
    const struct vm_operand *b = vm_top(l, 0), *a = vm_top(l, 1);
    bool theirs = b->where == VM_IN_SLOT && a->where == VM_IN_SLOT && b->home == l->tail.dst;
    if (!theirs || b->home != a->home + 2) return false;
    (void)vm_pop(l);
    (void)vm_pop(l);
    l->rotation.shifts = 0;
    l->words.len = r.words_before;
    l->map.len = r.map_before;
    l->tail = r.before;
    if (l->tail.insn != VM_NO_INDEX)
        l->words.data[l->tail.insn] = vm_backend_word(l->backend, l->tail.op);
    vm_emit_part(l, r.part, &r.input, r.left, l->next_home);
    vm_push_slot(l, VM_V128);
    return true;
}
