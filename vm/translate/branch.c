/* SPDX-License-Identifier: Apache-2.0 */
/* Structured control: labels, branches, their operands' moves, returns. */
#include "base/leb128.h"
#include "translate/lower.h"

/* More operands than this go home first and move with one instruction: bounded code per branch. */
enum { MOVES_MAX = 4 };

static bool is_function(const struct vm_label_frame *f) { return f->op == VM_OP_ILLEGAL; }

static u32 label_count(const struct vm_label_frame *f)
{
    return f->op == VM_OP_LOOP ? f->param_count : f->result_count;
}

static void push_frame(struct vm_lower *l, struct vm_label_frame f)
{
    if (!VM_VEC_RESERVE(l->env->alloc, &l->frames, 1)) {
        l->status = VM_OOM;
        return;
    }
    VM_VEC_PUSH(&l->frames, f);
}

void vm_lower_function_begin(struct vm_lower *l)
{
    struct vm_label_frame f = {.op = VM_OP_ILLEGAL,
                               .base = -(i32)l->below,
                               .fixups = VM_NO_INDEX,
                               .else_fixup = VM_NO_INDEX,
                               .region = VM_TRY_NONE,
                               .own = VM_TRY_NONE,
                               .results = l->sig->types + l->sig->param_count,
                               .result_count = l->sig->result_count};
    push_frame(l, f);
}

/* ---- moving a label's operands */

/** True when the top `n` operands already stand where the label wants them. */
static bool in_place(struct vm_lower *l, i32 base, u32 n)
{
    for (u32 i = l->stack.len; i > l->stack.len - n && i > l->in_slots; i--)
        if (l->stack.data[i - 1].where != VM_IN_SLOT) return false;
    return n == 0 || vm_top(l, n - 1)->home == base;
}

/** Brings the operands into consecutive homes when one by one would be much code. */
static void prepare_moves(struct vm_lower *l, const struct vm_label_frame *f, u32 n)
{
    bool hazard = false; /* results overlap parameters that are still to be read */
    for (u32 i = 0; i < n && n <= MOVES_MAX && is_function(f) && n > 1; i++)
        hazard |= vm_top(l, i)->where == VM_IN_LOCAL;
    if (n > MOVES_MAX || hazard) vm_materialise_top(l, n);
}

/** Copies the top `n` operands to `base` on; ascending, so that overlaps are safe. */
static void emit_moves(struct vm_lower *l, i32 base, u32 n)
{
    if (n == 0 || in_place(l, base, n)) return;
    const struct vm_operand *first = vm_top(l, n - 1);
    if (n > MOVES_MAX) {
        vm_emit_mov(l, base, first->home, (u32)(l->next_home - first->home));
        return;
    }
    if (n == 1 && vm_is_fresh(l, first) && base == (i16)base) {
        vm_retarget(l, base);
        return;
    }
    for (u32 i = n; i-- > 0 && l->status == VM_OK;) {
        const struct vm_operand *o = vm_top(l, i);
        vm_copy_to(l, o, base);
        base += o->slots;
    }
}

/** Emits the return of the top operands. A single slot or constant goes with it. */
static void emit_return(struct vm_lower *l)
{
    u32 n = l->sig->result_count;
    i32 base = -(i32)l->below;
    if (n == 1 && vm_top(l, 0)->slots == 1 && base == (i16)base) {
        vm_emit_part(l, VM_PART_ret_value, vm_top(l, 0), (u16)(i16)base, VM_NO_SLOT);
    } else {
        emit_moves(l, base, n);
        vm_emit_part(l, VM_PART_ret, NULL, 0, VM_NO_SLOT);
    }
    vm_emit_end(l);
}

u32 vm_loop_target(const struct vm_label_frame *f, struct vm_carried have)
{
    return vm_carry_matches(have, f->carried) ? f->loop_start : f->loop_entry;
}

/** A branch to the label, its target to be filled in. */
static void fix_branch(struct vm_lower *l, struct vm_label_frame *f)
{
    u32 target = vm_switch_follow(l, &f);
    if (target == VM_NO_INDEX && f->op == VM_OP_LOOP) target = vm_loop_target(f, l->tail.has);
    u32 fixup = vm_fixup_branch(l, target == VM_NO_INDEX ? f->fixups : VM_NO_INDEX);
    if (target != VM_NO_INDEX)
        vm_fixup_to(l, fixup, target);
    else
        f->fixups = fixup;
}

/** An unconditional branch whose operands are moved already. */
static void emit_jump(struct vm_lower *l, u32 depth)
{
    vm_emit_part(l, VM_PART_br, NULL, 0, VM_NO_SLOT);
    fix_branch(l, vm_frame_at(l, depth));
    vm_emit_end(l);
}

/** Moves and leaves: to a label or out of the function. */
static void emit_leave(struct vm_lower *l, u32 depth)
{
    struct vm_label_frame *f = vm_frame_at(l, depth);
    if (is_function(f)) {
        emit_return(l);
    } else {
        emit_moves(l, f->base, label_count(f));
        emit_jump(l, depth);
    }
}

/* ---- loops that carry values in accumulators */

static void emit_carry(struct vm_lower *l, const struct vm_label_frame *f)
{
    vm_emit_part(l, VM_PART_carry, NULL, vm_carry_imm(f->carried), VM_NO_SLOT);
}

/** The loop's start. What it carries is loaded first unless it is there already. */
static void begin_loop(struct vm_lower *l, struct vm_label_frame *f)
{
    f->carried = vm_carry_choose(l);
    f->loop_entry = VM_NO_INDEX;
    if (!vm_carry_matches(l->tail.has, f->carried)) {
        u32 here = l->words.len;
        emit_carry(l, f);
        if (l->tail.insn == here) f->loop_entry = here; /* not part of the code before the loop */
    }
    vm_emit_label(l, f->carried);
    f->loop_start = l->words.len;
}

/** Code for the branches to the loop that didn't have what it carries. */
static void end_loop(struct vm_lower *l, const struct vm_label_frame *f)
{
    if (f->fixups == VM_NO_INDEX) return;
    u32 around = VM_NO_INDEX;
    if (!l->dead) {
        vm_emit_part(l, VM_PART_br, NULL, 0, VM_NO_SLOT);
        around = vm_fixup_branch(l, VM_NO_INDEX);
        vm_emit_end(l);
    }
    vm_fixup_list_here(l, f->fixups);
    emit_carry(l, f);
    vm_emit_part(l, VM_PART_br, NULL, 0, VM_NO_SLOT);
    vm_fixup_to(l, vm_fixup_branch(l, VM_NO_INDEX), f->loop_start);
    vm_emit_end(l);
    if (around != VM_NO_INDEX) vm_fixup_here(l, around);
}

/* ---- conditions */

/** Emits a branch taken when the popped condition is `sense`; its fixup is the caller's. */
static void emit_condition(struct vm_lower *l, const struct vm_operand *condition, bool sense)
{
    struct vm_operand o = *condition;
    if (vm_take_back_eqz(l, &o)) sense = !sense;
    if (!sense && vm_is_fresh(l, &o) && vm_invert(l)) sense = true;
    vm_emit_part(l, sense ? VM_PART_br_if : VM_PART_br_unless, &o, 0, VM_NO_SLOT);
}

/* ---- blocks */

void vm_lower_block(struct vm_lower *l, const struct vm_insn *in)
{
    struct vm_label_frame f = {.op = in->op,
                               .fixups = VM_NO_INDEX,
                               .else_fixup = VM_NO_INDEX,
                               .region = vm_frame_at(l, 0)->region,
                               .own = VM_TRY_NONE,
                               .params = in->block.params,
                               .results = in->block.results,
                               .param_count = in->block.param_count,
                               .result_count = in->block.result_count};
    struct vm_operand cond = {0};
    if (in->op == VM_OP_IF) cond = vm_pop(l);
    vm_materialise_top(l, f.param_count);
    vm_materialise_locals(l);
    if (l->status != VM_OK) return;
    f.height = l->stack.len - f.param_count;
    f.base = f.param_count ? vm_top(l, f.param_count - 1)->home : l->next_home;
    if (in->op == VM_OP_IF) {
        emit_condition(l, &cond, false);
        f.else_fixup = vm_fixup_branch(l, VM_NO_INDEX);
    }
    if (in->op == VM_OP_LOOP) begin_loop(l, &f);
    if (in->op == VM_OP_TRY || in->op == VM_OP_TRY_TABLE) vm_try_begin(l, in, &f);
    if (in->op == VM_OP_LOOP || in->op == VM_OP_IF) vm_fuel_region(l);
    if (f.result_count == 1) f.one_result = f.results[0];
    push_frame(l, f);
}

void vm_push_slots(struct vm_lower *l, const vm_valtype *types, u32 n)
{
    for (u32 i = 0; i < n && l->status == VM_OK; i++) vm_push_slot(l, types[i]);
}

void vm_lower_next_arm(struct vm_lower *l, i32 home)
{
    struct vm_label_frame *f = vm_frame_at(l, 0);
    if (!l->dead) {
        prepare_moves(l, f, f->result_count);
        emit_leave(l, 0);
    }
    vm_stack_reset(l, f->height, home);
}

void vm_lower_else(struct vm_lower *l)
{
    struct vm_label_frame *f = vm_frame_at(l, 0);
    vm_lower_next_arm(l, f->base);
    vm_push_slots(l, f->params, f->param_count);
    vm_fixup_here(l, f->else_fixup);
    f->else_fixup = VM_NO_INDEX;
    f->op = VM_OP_ELSE;
    l->dead = false;
    vm_fuel_region(l);
}

/** Handlers that are the function's end find their values in the places of the results. */
static void return_caught(struct vm_lower *l, u32 fixups)
{
    if (fixups == VM_NO_INDEX) return;
    struct vm_operand o = {.where = VM_IN_LOCAL, .slots = 1, .slot = -(i32)l->below};
    vm_fixup_list_here(l, fixups);
    if (l->sig->result_slots == 1) /* an integer must be in the accumulator (call.c) */
        vm_emit_part(l, VM_PART_ret_value, &o, (u16)(i16)o.slot, VM_NO_SLOT);
    else
        vm_emit_part(l, VM_PART_ret, NULL, 0, VM_NO_SLOT);
    vm_emit_end(l);
}

void vm_lower_end(struct vm_lower *l)
{
    struct vm_label_frame f = *vm_frame_at(l, 0);
    if (is_function(&f)) {
        if (!l->dead) vm_lower_return(l);
        return_caught(l, vm_frame_at(l, 0)->fixups);
        l->frames.len--;
        return;
    }
    if (!l->dead) {
        prepare_moves(l, &f, f.result_count);
        emit_moves(l, f.base, f.result_count);
    }
    vm_try_end(l, &f);
    if (f.op == VM_OP_LOOP) {
        end_loop(l, &f);
        f.fixups = VM_NO_INDEX;
    }
    vm_stack_reset(l, f.height, f.base);
    vm_fixup_list_here(l, f.fixups);
    if (f.else_fixup != VM_NO_INDEX) vm_fixup_here(l, f.else_fixup);
    l->dead = l->dead && f.fixups == VM_NO_INDEX && f.else_fixup == VM_NO_INDEX;
    vm_push_slots(l, f.result_count == 1 ? &f.one_result : f.results, f.result_count);
    vm_switch_end(l);
    l->frames.len--;
    if (f.fixups != VM_NO_INDEX || f.else_fixup != VM_NO_INDEX) vm_fuel_region(l);
}

/* ---- branches */

void vm_lower_br(struct vm_lower *l, u32 depth)
{
    struct vm_label_frame *f = vm_frame_at(l, depth);
    prepare_moves(l, f, label_count(f));
    emit_leave(l, depth);
    l->dead = true;
}

void vm_lower_return(struct vm_lower *l) { vm_lower_br(l, l->frames.len - 1); }

void vm_lower_br_if(struct vm_lower *l, u32 depth)
{
    struct vm_operand cond = vm_pop(l);
    struct vm_label_frame *f = vm_frame_at(l, depth);
    u32 n = label_count(f);
    prepare_moves(l, f, n);
    if (!is_function(f) && in_place(l, f->base, n)) {
        emit_condition(l, &cond, true);
        fix_branch(l, f);
        vm_fuel_region(l);
        return;
    }
    emit_condition(l, &cond, false);
    u32 around = vm_fixup_branch(l, VM_NO_INDEX);
    emit_leave(l, depth);
    vm_fixup_here(l, around);
    vm_fuel_region(l);
}

void vm_lower_br_on_null(struct vm_lower *l, const struct vm_insn *in)
{
    /* br_on_null: the reference is dropped when taken; br_on_non_null: kept when taken */
    bool on_null = in->op == VM_OP_BR_ON_NULL;
    struct vm_label_frame *f = vm_frame_at(l, in->a);
    vm_materialise_top(l, 1);
    struct vm_operand ref = *vm_top(l, 0);
    if (on_null) (void)vm_pop(l);
    prepare_moves(l, f, label_count(f));
    union vm_word w = {.st = {.a = vm_src(l, &ref, 0)}};
    u32 insn = vm_emit(l, on_null ? VM_IR_br_on_non_null : VM_IR_br_on_null, w);
    vm_emit_word(l, (union vm_word){.u = 0});
    u32 around = vm_fixup_new(l, insn + 2, VM_NO_INDEX);
    emit_leave(l, in->a);
    vm_fixup_here(l, around);
    if (on_null)
        vm_push_slot(l, VM_FUNCREF);
    else
        (void)vm_pop(l);
    vm_fuel_region(l);
}

u32 vm_next_label(const u8 **p)
{
    u32 label = 0;
    (void)vm_leb_u32(p, *p + 5, &label);
    return label;
}

void vm_lower_br_table(struct vm_lower *l, const struct vm_insn *in)
{
    struct vm_operand index = vm_pop(l);
    u32 n = in->imm.table.count + 1, deepest = l->frames.len - 1;
    const u8 *p = in->imm.table.raw;
    for (u32 i = 0; i < n; i++) { /* operands go home once, before the dispatch */
        struct vm_label_frame *f = vm_frame_at(l, vm_next_label(&p));
        if (label_count(f)) {
            vm_materialise_top(l, label_count(f));
            break;
        }
    }
    vm_switch_begin(l, &index, in);
    vm_emit_part(l, VM_PART_br_table, &index, n - 1, VM_NO_SLOT);
    for (u32 i = 0; i < n && l->status == VM_OK; i++) vm_append_word(l, 0);
    const u32 table = l->words.len - n;
    const struct vm_carried have = l->tail.has;
    const u32 number = ++l->table_count;
    p = in->imm.table.raw;
    for (u32 i = 0; i < n && l->status == VM_OK; i++) {
        u32 depth = vm_next_label(&p);
        struct vm_label_frame *f = vm_frame_at(l, depth);
        vm_emit_label(l, have); /* also what the code of a stub starts with */
        if (f->stub_table != number) { /* first entry of this label */
            bool needs_moves = depth == deepest || !in_place(l, f->base, label_count(f));
            f->stub_table = number;
            f->stub = needs_moves ? l->words.len : VM_NO_INDEX;
            if (needs_moves) emit_leave(l, depth);
        }
        if (f->stub == VM_NO_INDEX) {
            u32 target = f->op == VM_OP_LOOP ? vm_loop_target(f, l->tail.has) : VM_NO_INDEX;
            u32 fixup = vm_fixup_new(l, table + i, target == VM_NO_INDEX ? f->fixups : VM_NO_INDEX);
            if (target != VM_NO_INDEX)
                vm_fixup_to(l, fixup, target);
            else
                f->fixups = fixup;
            continue;
        }
        vm_fixup_to(l, vm_fixup_new(l, table + i, VM_NO_INDEX), f->stub);
    }
    vm_emit_end(l);
    l->dead = true;
}
