/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions: try_table, the legacy try, and what throws. Nothing is emitted for entering or
 * leaving a region: a side table (isa/code.h) says which words it covers, so instructions end at
 * its borders. A clause is a branch to its label from anywhere in the body: what is below the
 * label's operands stands in its home slots or is constant.
 *
 *   throw      [h] [base32 tag32]      base: slot of the first value
 *   throw_ref  [h] [exception16 - - -]
 *
 * A legacy handler keeps its exception at the block's base, for rethrow, and has the values behind.
 */
#include "base/leb128.h"
#include "binary/module.h"
#include "translate/lower.h"

#include <string.h>

/** What follows is an instruction of its own; the accumulators stay as they are. */
static void cut(struct vm_lower *l)
{
    l->tail.insn = VM_NO_INDEX;
    l->tail.dst = VM_NO_SLOT;
}

/** Opens a region inside of `parent`; its index. */
static u32 add_region(struct vm_lower *l, u32 parent)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->tries, 1)) {
        l->status = VM_OOM;
        return VM_TRY_NONE;
    }
    struct vm_try t = {.begin = l->words.len,
                       .end = l->words.len,
                       .parent = parent,
                       .outer = parent,
                       .first = VM_CATCH_NONE};
    VM_VEC_PUSH(&l->tries, t);
    return l->tries.len - 1;
}

/** Appends a clause to the region that the block has opened. */
static void add_clause(struct vm_lower *l, struct vm_label_frame *f, struct vm_catch c)
{
    if (l->status == VM_OK && !VM_VEC_RESERVE(l->env->alloc, &l->catches, 1)) l->status = VM_OOM;
    if (l->status != VM_OK) return;
    u32 *link =
        f->arm == VM_CATCH_NONE ? &l->tries.data[f->own].first : &l->catches.data[f->arm].next;
    *link = f->arm = l->catches.len;
    VM_VEC_PUSH(&l->catches, c);
}

static u32 tag_slots(const struct vm_lower *l, u32 tag)
{
    const struct vm_module *m = l->env->module;
    return m->types.types[m->tags[tag]].of.func.param_slots;
}

/** The last clause's target is a label. */
static void aim_clause(struct vm_lower *l, struct vm_label_frame *target)
{
    u32 word = target->op == VM_OP_LOOP ? vm_loop_target(target, VM_CARRIES_NOTHING) : VM_NO_INDEX;
    u32 clause = l->catches.len - 1;
    if (word != VM_NO_INDEX)
        l->catches.data[clause].target = word;
    else
        target->fixups = vm_fixup_clause(l, clause, target->fixups);
}

enum { KIND_REF = 1, KIND_ALL = 2 }; /* bits of a clause's kind. spec binary-catch */

static void lower_clauses(struct vm_lower *l, const struct vm_insn *in, struct vm_label_frame *f)
{
    const u8 *p = in->imm.catches.raw;
    for (u32 i = 0; i < in->imm.catches.count && l->status == VM_OK; i++) {
        u8 kind = *p++;
        u32 tag = kind & KIND_ALL ? (u32)VM_CATCH_ALL : vm_next_label(&p);
        struct vm_label_frame *target = vm_frame_at(l, vm_next_label(&p));
        u32 slots = tag == VM_CATCH_ALL ? 0 : tag_slots(l, tag);
        struct vm_catch c = {.tag = tag,
                             .next = VM_CATCH_NONE,
                             .values = target->base,
                             .ref = kind & KIND_REF ? target->base + (i32)slots : VM_NO_SLOT};
        add_clause(l, f, c);
        if (l->status == VM_OK) aim_clause(l, target);
    }
}

void vm_try_begin(struct vm_lower *l, const struct vm_insn *in, struct vm_label_frame *f)
{
    bool is_table = in->op == VM_OP_TRY_TABLE;
    f->arm = VM_CATCH_NONE;
    if (is_table && in->imm.catches.count == 0) return;
    cut(l);
    f->own = add_region(l, f->region);
    if (l->status != VM_OK) return;
    f->region = f->own;
    if (is_table) lower_clauses(l, in, f);
}

void vm_try_end(struct vm_lower *l, struct vm_label_frame *f)
{
    if (f->own == VM_TRY_NONE || f->region != f->own) return;
    struct vm_try *t = &l->tries.data[f->own];
    t->end = l->words.len;
    f->region = t->parent;
    cut(l);
}

void vm_try_hole(struct vm_lower *l, u32 begin)
{
    u32 parent = vm_frame_at(l, 0)->region;
    if (parent == VM_TRY_NONE || l->status != VM_OK) return;
    u32 hole = add_region(l, parent);
    if (hole == VM_TRY_NONE) return;
    l->tries.data[hole].begin = begin;
    l->tries.data[hole].outer = VM_TRY_NONE;
}

/* ---- legacy handlers */

void vm_lower_catch(struct vm_lower *l, const struct vm_insn *in)
{
    struct vm_label_frame *f = vm_frame_at(l, 0);
    bool all = in->op == VM_OP_CATCH_ALL;
    i32 values = f->base + 1;
    vm_lower_next_arm(l, values);
    vm_try_end(l, f);
    vm_emit_barrier(l);
    vm_use_slots(l, values);
    struct vm_catch c = {.tag = all ? (u32)VM_CATCH_ALL : in->a,
                         .target = l->words.len,
                         .next = VM_CATCH_NONE,
                         .values = values,
                         .ref = VM_NO_SLOT};
    add_clause(l, f, c);
    f->op = VM_OP_CATCH;
    l->dead = false;
    if (!all) vm_push_slots(l, in->func->types, in->func->param_count);
    vm_fuel_region(l);
}

/** spec: the label's block is where the search goes on, handlers between it and here are passed. */
void vm_lower_delegate(struct vm_lower *l, u32 depth)
{
    const struct vm_label_frame *f = vm_frame_at(l, 0), *target = vm_frame_at(l, depth + 1);
    if (f->own != VM_TRY_NONE) l->tries.data[f->own].outer = target->region;
    vm_lower_end(l);
}

/* ---- throwing */

void vm_lower_throw(struct vm_lower *l, const struct vm_insn *in)
{
    u32 count = in->func->param_count;
    vm_materialise_top(l, count);
    if (l->status != VM_OK) return;
    i32 base = count ? vm_top(l, count - 1)->home : l->next_home;
    vm_emit_mark(l);
    vm_emit(l, VM_IR_throw, (union vm_word){.w = {.lo = base, .hi = (i32)in->a}});
    vm_emit_end(l);
    l->dead = true;
}

static void throw_operand(struct vm_lower *l, const struct vm_operand *o)
{
    union vm_word w = {.s = {.a = vm_src(l, o, 0)}};
    vm_emit_mark(l);
    vm_emit(l, VM_IR_throw_ref, w);
    vm_emit_end(l);
    l->dead = true;
}

void vm_lower_throw_ref(struct vm_lower *l)
{
    struct vm_operand o = vm_pop(l);
    throw_operand(l, &o);
}

void vm_lower_rethrow(struct vm_lower *l, u32 depth)
{
    const struct vm_label_frame *f = vm_frame_at(l, depth);
    struct vm_operand o = {.where = VM_IN_LOCAL, .slots = 1, .slot = f->base};
    l->catches.data[f->arm].ref = f->base; /* it is wanted */
    throw_operand(l, &o);
}

/* ---- the table */

struct vm_handlers *vm_try_publish(struct vm_lower *l)
{
    u32 tries = l->tries.len, catches = l->catches.len;
    if (catches == 0) return NULL; /* whatever there is, it handles nothing */
    struct vm_handlers *h = vm_alloc_zero(l->env->alloc, vm_handlers_bytes(tries, catches));
    if (!h) {
        l->status = VM_OOM;
        return NULL;
    }
    struct vm_catch *to = (struct vm_catch *)(void *)(h->tries + tries);
    memcpy(h->tries, l->tries.data, (usize)tries * sizeof *h->tries);
    memcpy(to, l->catches.data, (usize)catches * sizeof *to);
    h->try_count = tries;
    h->catch_count = catches;
    h->catches = to;
    return h;
}
