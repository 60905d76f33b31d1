/* SPDX-License-Identifier: Apache-2.0 */
/* Writes code words, branch targets and the offset map. Knows nothing of operands. */
#include "translate/lower.h"

#include <string.h>

void vm_emit_word(struct vm_lower *l, union vm_word w)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->words, 1)) {
        l->status = VM_OOM;
        return;
    }
    VM_VEC_PUSH(&l->words, w);
}

void vm_emit_barrier(struct vm_lower *l)
{
    vm_pins_count(l);
    l->chosen.known = false;
    l->wide_end = VM_NO_INDEX;
    l->tail = (struct vm_tail){.insn = VM_NO_INDEX,
                               .dst = VM_NO_SLOT,
                               .has = VM_CARRIES_NOTHING,
                               .before = VM_CARRIES_NOTHING};
}

void vm_emit_label(struct vm_lower *l, struct vm_carried have)
{
    vm_emit_barrier(l);
    l->tail.has = have;
}

void vm_emit_end(struct vm_lower *l)
{
    vm_emit_barrier(l);
    l->tail.ended = true;
}

u32 vm_emit_bare(struct vm_lower *l, vm_ir op)
{
    u32 pos = l->words.len;
    vm_emit_word(l, vm_backend_word(l->backend, op));
    vm_emit_barrier(l);
    return pos;
}

u32 vm_emit(struct vm_lower *l, vm_ir op, union vm_word w1)
{
    u32 pos = vm_emit_bare(l, op);
    vm_emit_word(l, w1);
    return pos;
}

void vm_emit_mark(struct vm_lower *l)
{
    struct vm_codemap *end = l->map.len ? &l->map.data[l->map.len - 1] : NULL;
    if (end && end->offset == l->offset) return;
    if (!VM_VEC_RESERVE(l->env->alloc, &l->map, 1)) {
        l->status = VM_OOM;
        return;
    }
    struct vm_codemap entry = {.word = l->words.len, .offset = l->offset};
    VM_VEC_PUSH(&l->map, entry);
}

u32 vm_fixup_new(struct vm_lower *l, u32 word, u32 next)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->fixups, 1)) {
        l->status = VM_OOM;
        return VM_NO_INDEX;
    }
    struct vm_fixup f = {.word = word, .next = next, .have = l->tail.has};
    VM_VEC_PUSH(&l->fixups, f);
    return l->fixups.len - 1;
}

u32 vm_fixup_clause(struct vm_lower *l, u32 clause, u32 next)
{
    u32 fixup = vm_fixup_new(l, clause, next);
    if (fixup == VM_NO_INDEX) return fixup;
    struct vm_fixup *f = &l->fixups.data[fixup];
    f->clause = true;
    f->have = VM_CARRIES_NOTHING;
    return fixup;
}

void vm_fixup_to(struct vm_lower *l, u32 fixup, u32 word)
{
    if (l->status != VM_OK || fixup == VM_NO_INDEX) return;
    const struct vm_fixup *f = &l->fixups.data[fixup];
    if (f->clause) {
        l->catches.data[f->word].target = word;
        return;
    }
    l->words.data[f->word].u = word;
}

void vm_fixup_here(struct vm_lower *l, u32 fixup)
{
    vm_fixup_to(l, fixup, l->words.len);
    if (l->status != VM_OK || fixup == VM_NO_INDEX) return;
    vm_emit_label(l, vm_carry_meet(l, l->fixups.data[fixup].have));
}

void vm_fixup_list_here(struct vm_lower *l, u32 fixup)
{
    while (fixup != VM_NO_INDEX && l->status == VM_OK) {
        vm_fixup_here(l, fixup);
        fixup = l->fixups.data[fixup].next;
    }
}

void vm_emit_mov(struct vm_lower *l, i32 dst, i32 src, u32 slots)
{
    if (dst == src) return;
    bool near = dst == (i16)dst && src == (i16)src && dst < INT16_MAX && src < INT16_MAX;
    if (slots <= 2 && near) {
        struct vm_operand o = {.where = VM_IN_LOCAL, .slots = (u8)slots, .slot = src};
        vm_emit_part(l, slots == 1 ? VM_PART_mov : VM_PART_mov128, &o, 0, dst);
    } else if (slots == 1) {
        vm_emit(l, VM_IR_mov_far, (union vm_word){.w = {.lo = dst, .hi = src}});
    } else {
        vm_emit(l, VM_IR_mov_n, (union vm_word){.w = {.lo = dst, .hi = src}});
        vm_emit_word(l, (union vm_word){.u = slots});
    }
}

void vm_emit_const(struct vm_lower *l, i32 dst, u64 bits)
{
    struct vm_operand o = {.where = VM_IN_CONST, .slots = 1, .bits = bits};
    if (bits == (u32)bits)
        vm_emit_part(l, VM_PART_const32, &o, 0, dst);
    else
        vm_emit_part(l, VM_PART_const64, NULL, bits, dst);
}

void vm_fuel_region(struct vm_lower *l)
{
    if (!l->env->mode.fuel || l->dead || l->status != VM_OK) return;
    struct vm_carried have = l->tail.has;
    l->fuel_word = vm_emit(l, VM_IR_fuel, (union vm_word){.u = 0}) + 1;
    vm_emit_label(l, have); /* it leaves them alone */
}

void vm_fuel_count(struct vm_lower *l, vm_op op)
{
    bool free = op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_ELSE || op == VM_OP_END ||
                op == VM_OP_NOP || op == VM_OP_DROP || op == VM_OP_TRY_TABLE || op == VM_OP_TRY ||
                op == VM_OP_CATCH || op == VM_OP_CATCH_ALL || op == VM_OP_DELEGATE;
    if (l->env->mode.fuel && !free && l->status == VM_OK) l->words.data[l->fuel_word].u++;
}
