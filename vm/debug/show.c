/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions of both kinds as text. Operands of internal code: l3 a local, s3 a position of the
 * operand stack, [3] another slot, acc the accumulator, +8 an offset in memory, @12 the word where
 * a branch goes, "-> x" where the result goes. Inputs from the part before are not written.
 */
#include "debug/show.h"

#include "base/fbits.h"

#include <stdlib.h>

enum { SHOWN_LABELS = 12 };

void vm_show_func(const struct vm_shown *s, struct vm_line *line, u32 func)
{
    vm_line_add(line, "%u", func);
    if (func >= s->names->count || s->names->names[func].size == 0) return;
    vm_line_add(line, " ");
    vm_line_add_name(line, s->names->names[func].data, s->names->names[func].size);
}

/* ---- WebAssembly */

static void show_memarg(struct vm_line *line, const struct vm_insn *in)
{
    if (in->imm.mem.memory) vm_line_add(line, " memory=%u", in->imm.mem.memory);
    if (in->imm.mem.offset)
        vm_line_add(line, " offset=%llu", (unsigned long long)in->imm.mem.offset);
}

void vm_show_wasm(const struct vm_shown *s, struct vm_line *line, const struct vm_insn *in)
{
    vm_line_add(line, "%s", vm_op_name(in->op));
    switch (vm_op_imm(in->op)) {
    case VM_IMM_NONE:
    case VM_IMM_BLOCKTYPE: break;
    case VM_IMM_FUNC:
        vm_line_add(line, " ");
        vm_show_func(s, line, in->a);
        break;
    case VM_IMM_LABEL:
    case VM_IMM_TYPE:
    case VM_IMM_LOCAL:
    case VM_IMM_GLOBAL:
    case VM_IMM_TABLE:
    case VM_IMM_ELEM:
    case VM_IMM_DATA:
    case VM_IMM_TAG:
    case VM_IMM_LANE: vm_line_add(line, " %u", in->a); break;
    case VM_IMM_CALL_INDIRECT: vm_line_add(line, " type=%u table=%u", in->a, in->b); break;
    case VM_IMM_TYPE_FIELD:
    case VM_IMM_TYPE_U32: vm_line_add(line, " %u %u", in->a, in->b); break;
    case VM_IMM_BR_TABLE: vm_line_add(line, " (%u labels)", in->imm.table.count + 1); break;
    case VM_IMM_MEMARG:
    case VM_IMM_MEMARG_LANE: show_memarg(line, in); break;
    case VM_IMM_I32: vm_line_add(line, " %d", (i32)(u32)in->imm.bits); break;
    case VM_IMM_I64: vm_line_add(line, " %lld", (long long)in->imm.bits); break;
    case VM_IMM_F32: vm_line_add(line, " %g", (f64)vm_f32_from_bits((u32)in->imm.bits)); break;
    case VM_IMM_F64: vm_line_add(line, " %g", vm_f64_from_bits(in->imm.bits)); break;
    default: break;
    }
}

/* ---- internal code */

/** Index of the local that stands in a slot, or VM_NO_INDEX; locals ascend but for the header. */
static u32 local_at(const struct vm_listing *l, i32 slot)
{
    u32 lo = 0, hi = l->local_slots.len;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (l->local_slots.data[mid] < slot)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->local_slots.len && l->local_slots.data[lo] == slot ? lo : VM_NO_INDEX;
}

static void show_slot(const struct vm_shown *s, struct vm_line *line, i32 slot)
{
    u32 local = local_at(s->listing, slot);
    if (s->listing->is_far)
        vm_line_add(line, " [%d]", slot);
    else if (local != VM_NO_INDEX)
        vm_line_add(line, " l%u", local);
    else if (slot >= s->listing->first_home)
        vm_line_add(line, " s%d", slot - s->listing->first_home);
    else
        vm_line_add(line, " [%d]", slot);
}

/** Where one reads in an instruction. */
struct reader {
    const union vm_word *insn;
    u32 word; /* its place in the code */
    u32 half;
};

static i32 read_i32(struct reader *r)
{
    r->half += 2;
    return vm_decoded_i32(r->insn, r->half - 2);
}

static u64 read_u64(struct reader *r)
{
    u64 low = (u32)read_i32(r);
    return low | (u64)(u32)read_i32(r) << 32;
}

static void show_constant(struct vm_line *line, char type, struct reader *r)
{
    if (type == 'F')
        vm_line_add(line, " %g", vm_f64_from_bits(read_u64(r)));
    else if (type == 'f')
        vm_line_add(line, " %g", (f64)vm_f32_from_bits((u32)read_i32(r)));
    else
        vm_line_add(line, " %d", read_i32(r));
}

static void show_input(const struct vm_shown *s, struct vm_line *line,
                       const struct vm_decoded_part *p, u32 i, struct reader *r)
{
    const struct vm_decoded_row *row = vm_decoded_row((vm_part)p->part);
    bool integer = (row->memory && i == 0) || i == 2;
    if (p->source[i] == VM_FROM_SLOT)
        show_slot(s, line, vm_decoded_half(r->insn, r->half++));
    else if (p->source[i] == VM_FROM_CONST)
        show_constant(line, integer ? 'i' : row->type, r);
    else if (p->source[i] == VM_FROM_ACC)
        vm_line_add(line, " acc");
}

/** Of a JUMP: it stands in a word of its own. */
static const void *read_address(struct reader *r)
{
    r->half = vm_whole_words(r->half);
    return (const void *)(uintptr_t)read_u64(r);
}

static void show_call(const struct vm_shown *s, struct vm_line *line, struct reader *r)
{
    i32 base = read_i32(r);
    const struct vm_code *callee = (const struct vm_code *)(uintptr_t)read_u64(r);
    (void)read_address(r); /* its entry, or where that is found */
    vm_line_add(line, " frame+%d func ", base);
    vm_show_func(s, line, (u32)(callee - s->codes) + s->program->module.n_imported[VM_EXTERN_FUNC]);
}

static void show_target(struct vm_line *line, struct reader *r)
{
    const union vm_word *target = read_address(r);
    vm_line_add(line, " @%lld", (long long)(target - r->insn) + r->word);
}

static void show_targets(struct vm_line *line, struct reader *r)
{
    u32 labels = (u32)read_i32(r) + 1;
    for (u32 i = 0; i < labels && i < SHOWN_LABELS; i++) show_target(line, r);
    if (labels > SHOWN_LABELS) vm_line_add(line, " ... %u in all", labels);
}

static void show_imm(const struct vm_shown *s, struct vm_line *line, vm_part part, struct reader *r)
{
    const struct vm_decoded_row *row = vm_decoded_row(part);
    if (row->memory) {
        /* four halves: a 16-bit memory index and the offset */
        u64 imm = row->imm >= 4 ? read_u64(r) : (u64)(u32)read_i32(r) << 16;
        if (imm & 0xffff) vm_line_add(line, " m%u", (u32)(imm & 0xffff));
        vm_line_add(line, " +%llu", (unsigned long long)(imm >> 16));
        if (row->imm % 2) vm_line_add(line, " lane %d", vm_decoded_half(r->insn, r->half++));
        return;
    }
    switch (part) {
    case VM_PART_const64: vm_line_add(line, " %lld", (long long)read_u64(r)); break;
    case VM_PART_global_get:
    case VM_PART_global_get128:
    case VM_PART_global_set128:
    case VM_PART_global_set: vm_line_add(line, " g%d", read_i32(r)); break;
    case VM_PART_br:
    case VM_PART_br_if:
    case VM_PART_br_unless: show_target(line, r); break;
    case VM_PART_enter:
        vm_line_add(line, " [%d]", read_i32(r));
        vm_line_add(line, " %d slots", read_i32(r));
        break;
    case VM_PART_br_table: show_targets(line, r); break;
    case VM_PART_carry:
        show_slot(s, line, vm_decoded_half(r->insn, r->half++));
        show_slot(s, line, vm_decoded_half(r->insn, r->half++));
        break;
    case VM_PART_call: show_call(s, line, r); break;
    case VM_PART_ret_value:
        vm_line_add(line, " ->");
        show_slot(s, line, vm_decoded_half(r->insn, r->half++));
        break;
    default: /* what is new here: as it stands */
        for (u32 i = 0; i < row->imm; i++)
            vm_line_add(line, " %d", vm_decoded_half(r->insn, r->half++));
    }
}

static void show_other(const struct vm_shown *s, struct vm_line *line,
                       const struct vm_listed_ir *ir, const union vm_word *insn)
{
    if (ir->op == VM_IR_call_import) {
        vm_line_add(line, " ");
        show_slot(s, line, insn[1].w.lo);
        vm_line_add(line, " func ");
        vm_show_func(s, line, (u32)insn[1].w.hi);
        return;
    }
    if (ir->op == VM_IR_throw) {
        vm_line_add(line, " ");
        show_slot(s, line, insn[1].w.lo);
        vm_line_add(line, " tag %u", (u32)insn[1].w.hi);
        return;
    }
    if (ir->op == VM_IR_throw_ref) {
        vm_line_add(line, " ");
        show_slot(s, line, insn[1].s.a);
        return;
    }
    if (ir->words > 1) vm_line_add(line, " ");
    for (u32 i = 1; i < ir->words; i++) vm_line_add(line, " %#llx", (unsigned long long)insn[i].u);
}

static void show_clause(const struct vm_shown *s, struct vm_line *line, const struct vm_catch *c)
{
    if (c->tag == VM_CATCH_ALL)
        vm_line_add(line, " all @%u", c->target);
    else
        vm_line_add(line, " tag %u @%u", c->tag, c->target);
    vm_line_add(line, " ->");
    show_slot(s, line, c->values);
    if (c->ref == VM_NO_SLOT) return;
    vm_line_add(line, " ref");
    show_slot(s, line, c->ref);
}

void vm_show_try(const struct vm_shown *s, struct vm_line *line, u32 region)
{
    const struct vm_handlers *h = s->code->handlers;
    const struct vm_try *t = &h->tries[region];
    vm_line_add(line, "try %u: %u to %u", region, t->begin, t->end);
    if (t->outer != VM_TRY_NONE) vm_line_add(line, ", then try %u", t->outer);
    for (u32 i = t->first; i != VM_CATCH_NONE; i = h->catches[i].next) {
        vm_line_add(line, i == t->first ? ":" : ";");
        show_clause(s, line, &h->catches[i]);
    }
}

void vm_show_ir(const struct vm_shown *s, struct vm_line *line, const struct vm_listed_ir *ir)
{
    const struct vm_decoded_op *d = vm_decoder_op(s->table, ir->op);
    struct reader r = {.insn = s->code->words + ir->word, .word = ir->word};
    char name[VM_IR_NAME_SIZE];
    vm_line_add(line, "%s", vm_ir_name(ir->op, name));
    if (d->part_count == 0) {
        show_other(s, line, ir, r.insn);
        return;
    }
    if (ir->words > 1) vm_line_add(line, " ");
    for (u32 i = 0; i < d->part_count; i++) {
        const struct vm_decoded_part *p = &d->parts[i];
        usize before = line->len;
        for (u32 k = 0; k < vm_decoded_row((vm_part)p->part)->inputs; k++)
            show_input(s, line, p, k, &r);
        show_imm(s, line, (vm_part)p->part, &r);
        if (p->put) {
            vm_line_add(line, " ->");
            show_slot(s, line, vm_decoded_half(r.insn, r.half++));
        }
        bool last = i + 1 == d->part_count;
        if (!last && line->len > before) vm_line_add(line, ";");
    }
}
