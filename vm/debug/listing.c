/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds for the parts of internal code the WebAssembly instructions that they came from: what may
 * trap by the code's own map; between those, in order, by what each kind of part is made of.
 */
#include "debug/listing.h"

#include <string.h>

/* ---- the two lists */

static vm_status on_begin(void *ctx, const vm_valtype *types, u32 count)
{
    struct vm_listing *l = ctx;
    if (!VM_VEC_RESERVE(l->alloc, &l->local_slots, count)) return VM_OOM;
    i32 slot = 0;
    for (u32 i = 0; i < count; i++) { /* numbers of slots, made places by place_locals */
        VM_VEC_PUSH(&l->local_slots, slot);
        slot += (i32)vm_valtype_slots(types[i]);
    }
    l->first_home = slot;
    return VM_OK;
}

static vm_status on_insn(void *ctx, const struct vm_insn *in)
{
    struct vm_listing *l = ctx;
    bool ends = in->op == VM_OP_END || in->op == VM_OP_ELSE || in->op == VM_OP_CATCH ||
                in->op == VM_OP_CATCH_ALL || in->op == VM_OP_DELEGATE;
    if (ends && l->depth) l->depth--;
    struct vm_listed_wasm w = {.insn = *in, .depth = l->depth};
    memset(&w.insn.block, 0, sizeof w.insn.block);
    w.insn.func = NULL;
    if (!VM_VEC_RESERVE(l->alloc, &l->wasm, 1)) return VM_OOM;
    VM_VEC_PUSH(&l->wasm, w);
    bool begins = in->op == VM_OP_BLOCK || in->op == VM_OP_LOOP || in->op == VM_OP_IF ||
                  in->op == VM_OP_ELSE || in->op == VM_OP_TRY_TABLE || in->op == VM_OP_TRY ||
                  in->op == VM_OP_CATCH || in->op == VM_OP_CATCH_ALL;
    if (begins) l->depth++;
    return VM_OK;
}

/** Parameters lie from -below on, the others behind the header. */
static void place_locals(struct vm_listing *l, const struct vm_functype *sig, u32 below)
{
    i32 params = (i32)sig->param_slots;
    for (u32 i = 0; i < l->local_slots.len; i++) {
        i32 *slot = &l->local_slots.data[i];
        *slot += i < sig->param_count ? -(i32)below : (i32)VM_FRAME_SLOTS - params;
    }
    l->first_home += (i32)VM_FRAME_SLOTS - params;
}

u32 vm_listing_links(const struct vm_decoder_table *table, vm_ir op)
{
    u32 parts = vm_decoder_op(table, op)->part_count;
    return parts ? parts : 1;
}

static bool list_code(struct vm_listing *l, const struct vm_code *code,
                      const struct vm_decoder_table *table)
{
    u32 at = 0;
    while (at < code->word_count) {
        vm_ir op = vm_decoder_find(table, code->words[at]);
        u32 left = code->word_count - at;
        u32 size = op == VM_IR_COUNT ? 0 : vm_decoder_size(table, op, code->words + at, left);
        if (size == 0) break;
        u32 links = vm_listing_links(table, op);
        if (!VM_VEC_RESERVE(l->alloc, &l->ir, 1) || !VM_VEC_RESERVE(l->alloc, &l->links, links))
            return false;
        struct vm_listed_ir ir = {.word = at, .words = size, .op = op, .first_link = l->links.len};
        VM_VEC_PUSH(&l->ir, ir);
        for (u32 i = 0; i < links; i++) VM_VEC_PUSH(&l->links, VM_NO_INDEX);
        at += size;
    }
    l->undecoded = code->word_count - at;
    return true;
}

/* ---- links that the map knows */

static u32 wasm_at(const struct vm_listing *l, u32 offset)
{
    u32 lo = 0, hi = l->wasm.len;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (l->wasm.data[mid].insn.offset < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->wasm.len && l->wasm.data[lo].insn.offset == offset ? lo : VM_NO_INDEX;
}

static void link_map(struct vm_listing *l, const struct vm_code *code,
                     const struct vm_decoder_table *table)
{
    u32 m = 0;
    for (u32 i = 0; i < l->ir.len; i++) {
        const struct vm_listed_ir *ir = &l->ir.data[i];
        const struct vm_decoded_op *d = vm_decoder_op(table, ir->op);
        while (m < code->map_count && code->map[m].word < ir->word) m++;
        for (u32 k = 0; k < vm_listing_links(table, ir->op); k++) {
            const struct vm_decoded_part *p = &d->parts[k];
            bool mapped = d->part_count == 0 || vm_decoded_row((vm_part)p->part)->traps;
            if (!mapped || m == code->map_count || code->map[m].word != ir->word) continue;
            l->links.data[ir->first_link + k] = wasm_at(l, code->map[m++].offset);
        }
    }
}

/* ---- links by kind */

/** True when instructions of this kind become nothing, moves, or part of another. */
static bool is_soft(vm_op op)
{
    switch (op) {
    case VM_OP_NOP:
    case VM_OP_DROP:
    case VM_OP_BLOCK:
    case VM_OP_LOOP:
    case VM_OP_END:
    case VM_OP_ELSE:
    case VM_OP_TRY:
    case VM_OP_TRY_TABLE:
    case VM_OP_CATCH:
    case VM_OP_CATCH_ALL:
    case VM_OP_DELEGATE:
    case VM_OP_LOCAL_GET:
    case VM_OP_LOCAL_SET:
    case VM_OP_LOCAL_TEE:
    case VM_OP_I32_CONST:
    case VM_OP_I64_CONST:
    case VM_OP_F32_CONST:
    case VM_OP_F64_CONST:
    case VM_OP_REF_NULL:
    case VM_OP_I32_EQZ:
    case VM_OP_I64_EQZ: return true;
    default: return false;
    }
}

static bool is_constant(vm_op op)
{
    return op == VM_OP_I32_CONST || op == VM_OP_I64_CONST || op == VM_OP_F32_CONST ||
           op == VM_OP_F64_CONST || op == VM_OP_REF_NULL;
}

static bool from_special(vm_part part, vm_op op)
{
    bool leaves = op == VM_OP_RETURN || op == VM_OP_BR || op == VM_OP_END;
    switch (part) {
    case VM_PART_const32:
    case VM_PART_const64: return is_constant(op);
    case VM_PART_const128: return op == VM_OP_V128_CONST;
    case VM_PART_permute: return op == VM_OP_I8X16_SHUFFLE;
    case VM_PART_i16x8_rotl:
    case VM_PART_i32x4_rotl:
    case VM_PART_i64x2_rotl: return op == VM_OP_V128_OR;
    case VM_PART_mov:
    case VM_PART_mov128: return op == VM_OP_LOCAL_SET || op == VM_OP_LOCAL_TEE || leaves;
    case VM_PART_select:
    case VM_PART_select128: return op == VM_OP_SELECT || op == VM_OP_SELECT_T;
    case VM_PART_global_get:
    case VM_PART_global_get128: return op == VM_OP_GLOBAL_GET;
    case VM_PART_global_set:
    case VM_PART_global_set128: return op == VM_OP_GLOBAL_SET;
    case VM_PART_br:
        return op == VM_OP_BR || op == VM_OP_ELSE || op == VM_OP_BR_IF || op == VM_OP_CATCH ||
               op == VM_OP_CATCH_ALL;
    case VM_PART_br_if:
    case VM_PART_br_unless: return op == VM_OP_BR_IF || op == VM_OP_IF;
    case VM_PART_br_table: return op == VM_OP_BR_TABLE;
    case VM_PART_call: return op == VM_OP_CALL;
    case VM_PART_ret:
    case VM_PART_ret_value: return leaves || op == VM_OP_BR_IF;
    default: return false;
    }
}

/** "memory_size" and "memory.size", "call_import" and "call". */
static bool from_other(vm_ir ir, vm_op op)
{
    char name[VM_IR_NAME_SIZE];
    const char *a = vm_ir_name(ir, name), *b = vm_op_name(op);
    while (*b && (*a == *b || (*a == '_' && *b == '.'))) a++, b++;
    if (*b) return ir == VM_IR_mov_far || ir == VM_IR_mov_n ? op == VM_OP_LOCAL_SET : false;
    return !*a || strcmp(a, "2") == 0 || strcmp(a, "_import") == 0;
}

/** One part, or an OTHER instruction. */
struct item {
    vm_ir op;
    const struct vm_decoded_row *row; /* NULL: OTHER */
    vm_part part;
};

static bool comes_from(const struct item *it, vm_op op)
{
    if (!it->row) return from_other(it->op, op);
    if (it->row->op == VM_OP_ILLEGAL) return from_special(it->part, op);
    if (op == it->row->op) return true;
    for (u32 i = 0; i < VM_COUNT(it->row->alike); i++)
        if (it->row->alike[i] != VM_OP_ILLEGAL && op == it->row->alike[i]) return true;
    return false;
}

/** The first instruction in [from, to) that it can be; moves and constants pass soft ones only. */
static u32 search(const struct vm_listing *l, const struct item *it, u32 from, u32 to)
{
    enum { SOFT_WINDOW = 64, PLAIN_WINDOW = 1024 }; /* so that hostile bodies cost linear time */
    bool plain = it->row && it->row->op != VM_OP_ILLEGAL;
    u32 window = plain ? PLAIN_WINDOW : SOFT_WINDOW;
    if (to > from && to - from > window) to = from + window;
    for (u32 i = from; i < to; i++) {
        const struct vm_insn *in = &l->wasm.data[i].insn;
        if (comes_from(it, in->op) && (in->reachable || in->op == VM_OP_END)) return i;
        if (!plain && in->reachable && !is_soft(in->op)) break;
    }
    return VM_NO_INDEX;
}

/** The next link of the map from link i on. */
static u32 next_known(const struct vm_listing *l, u32 i)
{
    while (i < l->links.len && l->links.data[i] == VM_NO_INDEX) i++;
    return i;
}

static void link_rest(struct vm_listing *l, const struct vm_decoder_table *table)
{
    u32 from = 0, known = 0;
    for (u32 i = 0; i < l->ir.len; i++) {
        const struct vm_listed_ir *ir = &l->ir.data[i];
        const struct vm_decoded_op *d = vm_decoder_op(table, ir->op);
        for (u32 k = 0; k < vm_listing_links(table, ir->op); k++) {
            u32 at = ir->first_link + k;
            struct item it = {.op = ir->op, .part = (vm_part)d->parts[k].part};
            if (d->part_count) it.row = vm_decoded_row(it.part);
            if (known < at + 1) known = next_known(l, at);
            u32 to = known < l->links.len ? l->links.data[known] : l->wasm.len;
            u32 *link = &l->links.data[at];
            if (known != at) *link = search(l, &it, from, to);
            if (*link != VM_NO_INDEX && *link >= from) from = *link + 1;
        }
    }
}

vm_status vm_listing_make(struct vm_listing *l, const struct vm_program *p,
                          const struct vm_code *code, const struct vm_decoder_table *table,
                          struct vm_arena *scratch)
{
    static const struct vm_sink sink = {.begin = on_begin, .insn = on_insn};
    struct vm_err err;
    vm_err_init(&err);
    *l = (struct vm_listing){.alloc = p->alloc, .depth = 1};
    l->is_far = atomic_load_explicit(&code->frame_slots, memory_order_relaxed) > INT16_MAX + 1;
    vm_status s = vm_walk_body(&p->module, code->func_idx, p->features, &sink, l, scratch, &err);
    if (s != VM_OK) return s;
    place_locals(l, vm_module_functype(&p->module, code->func_idx), code->below);
    if (!list_code(l, code, table)) return VM_OOM;
    link_map(l, code, table);
    link_rest(l, table);
    return VM_OK;
}

void vm_listing_free(struct vm_listing *l)
{
    VM_VEC_FREE(l->alloc, &l->wasm);
    VM_VEC_FREE(l->alloc, &l->ir);
    VM_VEC_FREE(l->alloc, &l->links);
    VM_VEC_FREE(l->alloc, &l->local_slots);
}
