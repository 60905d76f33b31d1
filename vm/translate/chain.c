/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emits parts: behind the last instruction where the table has such a chain (vm_chain), else as an
 * instruction of its own; either may take inputs from the accumulators. Knows nothing of Wasm.
 */
#include "translate/census.h"

#include <string.h>

/** One part about to be emitted. */
struct use {
    vm_part part;
    const struct vm_part_info *info;
    const struct vm_operand *in[VM_INPUTS_MAX];
    u8 source[VM_INPUTS_MAX]; /* enum vm_source */
    i16 slot[VM_INPUTS_MAX];  /* VM_FROM_SLOT */
};

/** Inputs that the part has not got are 0. */
static u32 form_of(const struct use *u)
{
    _Static_assert(VM_INPUTS_MAX == 3, "each has its bits");
    return (u32)u->source[0] | (u32)u->source[1] << 2 | (u32)u->source[2] << 4;
}

static enum vm_class input_class(const struct use *u, u32 i)
{
    return (enum vm_class)u->info->input[i];
}

/** The accumulator of a class: the slot whose value it has. */
static i32 *held(struct vm_carried *has, enum vm_class class)
{
    switch (class) {
    case VM_CLASS_INT: return &has->acc;
    case VM_CLASS_F64: return &has->facc;
    case VM_CLASS_V128: return &has->vacc;
    default: return NULL;
    }
}

/** True when there is a form of the chain that writes the pins that the instruction writes so far.
 */
static bool writes_pins(vm_ir op, const struct vm_tail *t)
{
    return VM_CENSUS || !t->must || vm_ir_with_pins(op, t->pins, t->must) != VM_IR_COUNT;
}

/** The chain that exists in this backend, or VM_IR_COUNT; `from` VM_IR_COUNT: of one part. */
static vm_ir chain(const struct vm_lower *l, vm_ir from, const struct use *u, u32 keep)
{
    u32 form = form_of(u) | keep;
    vm_ir to = from == VM_IR_COUNT ? vm_first(u->part, form) : vm_chain(from, u->part, form);
    if (!vm_backend_has(l->backend, to)) return VM_IR_COUNT;
    return from == VM_IR_COUNT || writes_pins(to, &l->tail) ? to : VM_IR_COUNT;
}

/** With input i from there instead. */
static vm_ir chain_with(const struct vm_lower *l, vm_ir from, struct use *u, u32 i,
                        enum vm_source source, u32 keep)
{
    u8 before = u->source[i];
    u->source[i] = (u8)source;
    vm_ir to = chain(l, from, u, keep);
    if (to == VM_IR_COUNT) u->source[i] = before;
    return to;
}

/** With one of the inputs from an accumulator if there is such a chain, else as they are. */
static vm_ir chain_best(const struct vm_lower *l, vm_ir from, struct use *u, u32 keep,
                        struct vm_carried have)
{
    for (u32 i = 0; i < u->info->inputs; i++) {
        if (u->source[i] != VM_FROM_SLOT) continue;
        const i32 *acc = held(&have, input_class(u, i));
        if (!acc || u->slot[i] != *acc) continue;
        vm_ir to = chain_with(l, from, u, i, VM_FROM_ACC, keep);
        if (to != VM_IR_COUNT) return to;
    }
    return chain(l, from, u, keep);
}

/* ---- operands */

static void swap(struct use *u)
{
    const struct vm_operand *in = u->in[0];
    u8 source = u->source[0];
    i16 slot = u->slot[0];
    u->part = (vm_part)u->info->mirror;
    u->info = vm_part_info(u->part);
    u->in[0] = u->in[1];
    u->source[0] = u->source[1];
    u->slot[0] = u->slot[1];
    u->in[1] = in;
    u->source[1] = source;
    u->slot[1] = slot;
}

static bool can_swap(const struct use *u) { return u->info->mirror != VM_PART_COUNT; }

/** True when the constant can be a part of the instruction at place i. */
static bool takes_constant(const struct vm_lower *l, struct use *u, u32 i)
{
    u64 bits = u->in[i]->bits;
    bool narrow =
        input_class(u, i) == VM_CLASS_INT && u->info->wide && !(i == 0 && u->info->memory);
    if (narrow && bits != (u64)(i64)(i32)bits) return false;
    return chain_with(l, VM_IR_COUNT, u, i, VM_FROM_CONST, 0) != VM_IR_COUNT;
}

/** Inputs become slots and constants; constants that the part doesn't take are emitted. */
static void settle(struct vm_lower *l, struct use *u)
{
    u32 n = u->info->inputs;
    if (n == 2 && can_swap(u) && u->in[0]->where == VM_IN_CONST && u->in[1]->where != VM_IN_CONST)
        swap(u);
    for (u32 i = n; i-- > 0;)
        if (u->in[i]->where == VM_IN_CONST) (void)takes_constant(l, u, i);
    for (u32 i = 0; i < n; i++)
        if (u->source[i] == VM_FROM_SLOT) u->slot[i] = vm_src(l, u->in[i], i);
}

/** Brings what was computed last to the left, which is where chains want it. */
static void order(struct vm_lower *l, struct use *u)
{
    const struct vm_tail *t = &l->tail;
    if (u->info->inputs != 2 || !can_swap(u)) return;
    if (u->source[0] != VM_FROM_SLOT || u->source[1] != VM_FROM_SLOT) return;
    i32 left = u->slot[0], right = u->slot[1];
    if (t->insn != VM_NO_INDEX && t->dst != VM_NO_SLOT && (left == t->dst || right == t->dst)) {
        if (left != t->dst) swap(u);
    } else {
        const i32 *acc = held(&l->tail.has, input_class(u, 1));
        if (acc && right == *acc && left != *acc) swap(u);
    }
}

/* ---- words */

/** Makes room for `count` halves more, in zeroed words; the caller writes and counts them. */
static u8 *more_halves(struct vm_lower *l, u32 count)
{
    struct vm_tail *t = &l->tail;
    u32 words = vm_words_of(t->halves + count);
    while (l->words.len < t->insn + 1 + words) {
        vm_emit_word(l, (union vm_word){.u = 0});
        if (l->status != VM_OK) return NULL;
    }
    return (u8 *)(l->words.data + t->insn + 1) + 2 * (usize)t->halves;
}

static void put_half(struct vm_lower *l, i16 half)
{
    u8 *at = more_halves(l, 1);
    if (!at) return;
    memcpy(at, &half, sizeof half);
    l->tail.halves++;
}

static void put_halves(struct vm_lower *l, u128 bits, u32 count)
{
    u8 *at = count ? more_halves(l, count) : NULL;
    if (!at) return;
    memcpy(at, &bits, 2 * (usize)count); /* little-endian: the low halves first */
    l->tail.halves += count;
}

/** The instruction's next slot is that of a pin, or not. */
static void note_slot(struct vm_tail *t, vm_pinning pin, bool written)
{
    if (t->slots < VM_PIN_SLOTS) {
        t->pins |= pin << VM_PIN_BITS * t->slots;
        if (written) t->must |= pin << VM_PIN_BITS * t->slots;
    }
    t->slots++;
}

/** Its last slot has no pin, after all. */
static void forget_slot(struct vm_tail *t)
{
    if (--t->slots >= VM_PIN_SLOTS) return;
    vm_pinning others = ((vm_pinning)1 << VM_PIN_BITS * t->slots) - 1;
    t->pins &= others;
    t->must &= others;
}

static void put_inputs(struct vm_lower *l, const struct use *u)
{
    for (u32 i = 0; i < u->info->inputs; i++) {
        if (u->source[i] == VM_FROM_SLOT) {
            put_half(l, u->slot[i]);
            note_slot(&l->tail, vm_pin_of(l, u->slot[i], input_class(u, i), u->info->wide), false);
        } else if (u->source[i] == VM_FROM_CONST)
            put_halves(l, u->in[i]->bits, input_class(u, i) == VM_CLASS_F64 ? 4 : 2);
    }
}

/** The word of the last instruction, with the pins that there is a form of it for. */
static void put_handler(struct vm_lower *l)
{
    struct vm_tail *t = &l->tail;
    vm_ir op = t->pins && !VM_CENSUS ? vm_ir_with_pins(t->op, t->pins, t->must) : t->op;
    l->words.data[t->insn] = vm_backend_word(l->backend, op);
    t->taken = VM_CENSUS ? vm_pinning_count(t->pins) : vm_ir_pin_count(op);
    if (t->pins) vm_census_pinned(l);
}

/** The last result goes to a slot: with its pin, or that is loaded then. */
static void put_result_pin(struct vm_lower *l, i32 slot)
{
    struct vm_tail *t = &l->tail;
    bool is_pinned = vm_is_pinned(l, slot), written = false;
    if (is_pinned) {
        const struct vm_part_info *info = vm_part_info((vm_part)vm_ir_steps[t->op].part);
        vm_pinning must = t->must;
        note_slot(t, vm_pin_of(l, slot, (enum vm_class)info->result, info->wide), true);
        written = t->must != must && writes_pins(t->op, t);
        if (!written) forget_slot(t);
    }
    if (!written) note_slot(t, VM_PIN_NONE, false);
    if (t->pins) put_handler(l);
    if (is_pinned && !written) vm_pins_load(l);
}

/** One entry for each part that may trap: a trap's place counts them. */
static void mark(struct vm_lower *l)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->map, 1)) {
        l->status = VM_OOM;
        return;
    }
    struct vm_codemap entry = {.word = l->tail.insn, .offset = l->offset};
    VM_VEC_PUSH(&l->map, entry);
}

/** `slots` slots from `slot` on get another value. */
static void forget(struct vm_carried *has, i32 slot, u32 slots)
{
    for (i32 s = slot; s < slot + (i32)slots; s++) {
        if (has->acc == s) has->acc = VM_NO_SLOT;
        if (has->facc == s) has->facc = VM_NO_SLOT;
        if (has->vacc == s || has->vacc == s - 1) has->vacc = VM_NO_SLOT;
    }
}

/** The part's result, now in `dst` and in an accumulator. */
static void note_result(struct vm_lower *l, enum vm_class class, i32 dst)
{
    struct vm_tail *t = &l->tail;
    t->before = t->has;
    t->dst = dst;
    t->dst_slots = class == VM_CLASS_V128 ? 2 : 1;
    if (dst == VM_NO_SLOT) return;
    forget(&t->has, dst, t->dst_slots);
    i32 *acc = held(&t->has, class);
    if (acc) *acc = dst;
}

/* ---- chains */

/** Drops the last result, which only the next part uses. */
static void drop_result(struct vm_lower *l)
{
    struct vm_tail *t = &l->tail;
    t->halves--;
    forget_slot(t);
    t->has = t->before;
    l->words.len = t->insn + 1 + vm_words_of(t->halves);
}

/** Puts the part behind the last instruction; false when there is no such chain. */
static bool extend(struct vm_lower *l, struct use *u)
{
    struct vm_tail *t = &l->tail;
    if (t->insn == VM_NO_INDEX || l->far || l->status != VM_OK) return false;
    if (!VM_CENSUS && !vm_may_chain(t->op, u->part)) return false;
    vm_ir to = VM_IR_COUNT;
    bool drop = false;
    u32 keep = t->dst == VM_NO_SLOT ? 0 : VM_FORM_KEEP, wish = form_of(u) | keep;
    const struct vm_carried have = t->has, before = t->before;
    for (u32 i = 0; i < u->info->inputs && to == VM_IR_COUNT; i++) {
        if (u->source[i] != VM_FROM_SLOT || t->dst == VM_NO_SLOT || u->slot[i] != t->dst) continue;
        u->source[i] = VM_FROM_CHAIN;
        drop = u->in[i]->where == VM_IN_SLOT;
        wish = form_of(u) | (drop ? 0 : VM_FORM_KEEP);
        if (drop) to = chain_best(l, t->op, u, 0, before);
        if (to != VM_IR_COUNT) break;
        drop = false;
        to = chain_best(l, t->op, u, VM_FORM_KEEP, have);
        if (to == VM_IR_COUNT) u->source[i] = VM_FROM_SLOT;
    }
    if (to == VM_IR_COUNT) to = chain_best(l, t->op, u, keep, have);
    if (to == VM_IR_COUNT) {
        vm_census_missed(l, u->part, wish);
        return false;
    }
    if (drop) drop_result(l);
    l->eqz_insn = VM_NO_INDEX; /* it is not alone any more */
    t->op = to;
    l->words.data[t->insn] = vm_backend_word(l->backend, to);
    return true;
}

static void begin(struct vm_lower *l, struct use *u)
{
    struct vm_tail *t = &l->tail;
    vm_ir to = chain_best(l, VM_IR_COUNT, u, 0, t->has);
    if (to == VM_IR_COUNT) { /* not in the table: a bug of it */
        if (l->status == VM_OK) l->status = VM_INTERNAL;
        return;
    }
    vm_pins_count(l);
    t->insn = l->words.len;
    t->op = to;
    t->halves = 0;
    t->slots = 0;
    t->pins = t->must = 0;
    t->ended = false;
    vm_emit_word(l, vm_backend_word(l->backend, to));
    vm_census_begin(l);
}

void vm_emit_part(struct vm_lower *l, vm_part part, const struct vm_operand *in, u128 imm, i32 dst)
{
    struct use u = {.part = part, .info = vm_part_info(part)};
    for (u32 i = 0; i < u.info->inputs; i++) u.in[i] = &in[i];
    settle(l, &u);
    order(l, &u);
    i16 near_dst = dst == VM_NO_SLOT ? 0 : vm_dst(l, dst);
    if (!extend(l, &u)) begin(l, &u);
    if (l->status != VM_OK) return;
    put_inputs(l, &u);
    put_halves(l, imm, u.info->imm);
    if (u.info->traps) mark(l);
    note_result(l, (enum vm_class)u.info->result, dst == VM_NO_SLOT ? VM_NO_SLOT : near_dst);
    if (dst == VM_NO_SLOT) {
        if (l->tail.pins) put_handler(l);
        return;
    }
    u32 slots = l->tail.dst_slots;
    put_half(l, near_dst);
    put_result_pin(l, near_dst);
    vm_dst_done(l, slots);
}

void vm_append_word(struct vm_lower *l, u64 bits)
{
    put_halves(l, 0, vm_whole_words(l->tail.halves) - l->tail.halves);
    put_halves(l, bits, VM_WORD_HALVES);
}

void vm_retarget(struct vm_lower *l, i32 dst)
{
    struct vm_tail *t = &l->tail;
    if (l->status != VM_OK) return;
    i16 half = (i16)dst;
    i32 old = t->dst;
    u8 *code = (u8 *)(l->words.data + t->insn + 1);
    memcpy(code + 2 * (usize)(t->halves - 1), &half, sizeof half);
    i32 *const all[] = {&t->has.acc, &t->has.facc, &t->has.vacc};
    bool moves[VM_COUNT(all)];
    for (u32 i = 0; i < VM_COUNT(all); i++) moves[i] = *all[i] == old;
    forget(&t->has, dst, t->dst_slots);
    for (u32 i = 0; i < VM_COUNT(all); i++)
        if (moves[i]) *all[i] = dst;
    t->dst = dst;
    forget_slot(t);
    put_result_pin(l, dst);
}

bool vm_invert(struct vm_lower *l)
{
    vm_ir inverse = vm_chain_inverse(l->tail.op);
    if (!vm_backend_has(l->backend, inverse) || l->status != VM_OK) return false;
    if (!writes_pins(inverse, &l->tail)) return false;
    l->tail.op = inverse;
    put_handler(l);
    return true;
}

struct vm_point vm_point_here(const struct vm_lower *l)
{
    return (struct vm_point){.words = l->words.len, .map = l->map.len, .tail = l->tail};
}

void vm_point_back(struct vm_lower *l, const struct vm_point *p)
{
    l->words.len = p->words;
    l->map.len = p->map;
    l->tail = p->tail;
    if (p->tail.insn != VM_NO_INDEX) /* it may have become a longer one */
        put_handler(l);
}

bool vm_take_back_eqz(struct vm_lower *l, struct vm_operand *o)
{
    if (l->eqz_insn == VM_NO_INDEX || l->tail.insn != l->eqz_insn || !vm_is_fresh(l, o))
        return false;
    *o = l->eqz_input;
    vm_point_back(l, &l->before_eqz);
    l->eqz_insn = VM_NO_INDEX;
    return true;
}

u32 vm_fixup_branch(struct vm_lower *l, u32 next)
{
    vm_append_word(l, 0);
    return vm_fixup_new(l, l->tail.insn + l->tail.halves / VM_WORD_HALVES, next);
}
