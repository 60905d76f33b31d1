/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of internal code, from the steps and rows of the instructions' own tables. */
#include "debug/decode.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts */

enum {
    char_u32 = 'i',
    char_u64 = 'I',
    char_f32 = 'f',
    char_f64 = 'F',
    char_v128 = 'V',
    char_none = 0
};
enum {
    result_u32 = 1,
    result_u64 = 1,
    result_f32 = 1,
    result_f64 = 1,
    result_v128 = 1,
    result_none = 0
};

// clang-format off
#define ROW(n, OP, IN, IMM, M, TRAPS, R, T) \
    [VM_PART_##n] = {OP, {VM_OP_ILLEGAL, VM_OP_ILLEGAL, VM_OP_ILLEGAL}, IN, IMM, M, TRAPS, R, T, false},
/* Wasm instructions by the part's name, for inverses and mirrors of comparisons. */
enum {
#define ICMP(n, OP, T, INV, MIR) op_##n = VM_OP_##OP,
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    op_end
};
enum {
#define ICMP(n, OP, T, INV, MIR) inverse_##n = op_##INV,
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
    inverse_end
};
static const struct vm_decoded_row rows[VM_PART_COUNT] = {
#define UN(n, OP, R, A)   ROW(n, VM_OP_##OP, 1, 0, false, false, true, char_##A)
#define UNT(n, OP, R, A)  ROW(n, VM_OP_##OP, 1, 0, false, true, true, char_##A)
#define IBIN(n, OP, T, C) ROW(n, VM_OP_##OP, 2, 0, false, false, true, char_##T)
#define IBINT(n, OP, T)   ROW(n, VM_OP_##OP, 2, 0, false, true, true, char_##T)
#define FBIN(n, OP, T)    ROW(n, VM_OP_##OP, 2, 0, false, false, true, char_##T)
#define ICMP(n, OP, T, INV, MIR) [VM_PART_##n] = {VM_OP_##OP, {op_##INV, op_##MIR, inverse_##MIR}, \
                                                  2, 0, false, false, true, char_##T, false},
#define FCMP(n, OP, T)    ROW(n, VM_OP_##OP, 2, 0, false, false, true, char_##T)
#define LOAD(n, OP, R, M) ROW(n, VM_OP_##OP, 1, 2, true, true, true, 'i') \
                          ROW(n##_x, VM_OP_##OP, 1, 4, true, true, true, 'i')
#define STORE(n, OP, T, M) ROW(n, VM_OP_##OP, 2, 2, true, true, false, char_##T) \
                           ROW(n##_x, VM_OP_##OP, 2, 4, true, true, false, char_##T)
#define VBIN(n, OP, B, C) ROW(n, VM_OP_##OP, 2, 0, false, false, true, char_##B)
#define VTER(n, OP)       ROW(n, VM_OP_##OP, 3, 0, false, false, true, 'V')
#define VLANE(n, OP, IN, B, R, IMM) ROW(n, VM_OP_##OP, IN, IMM, false, false, true, char_##B)
#define VLOAD(n, OP, M)   ROW(n, VM_OP_##OP, 1, 2, true, true, true, 'i') \
                          ROW(n##_x, VM_OP_##OP, 1, 4, true, true, true, 'i')
#define VLOADL(n, OP, M)  ROW(n, VM_OP_##OP, 2, 3, true, true, true, 'V') \
                          ROW(n##_x, VM_OP_##OP, 2, 5, true, true, true, 'V')
#define VSTOREL(n, OP, M) ROW(n, VM_OP_##OP, 2, 3, true, true, false, 'V') \
                          ROW(n##_x, VM_OP_##OP, 2, 5, true, true, false, 'V')
#define ALOAD(n, OP, R, M)  ROW(n, VM_OP_##OP, 1, 4, true, true, true, 'i')
#define ASTORE(n, OP, T, M) ROW(n, VM_OP_##OP, 2, 4, true, true, false, char_##T)
#define ARMW(n, OP, T, M, H) ROW(n, VM_OP_##OP, 2, 4, true, true, true, char_##T)
#define ACMPXCHG(n, OP, T, M) ROW(n, VM_OP_##OP, 3, 4, true, true, true, char_##T)
#define SPECIAL(n, IN, T, R, IMM, TRAPS) ROW(n, VM_OP_ILLEGAL, IN, IMM, false, TRAPS, result_##R, char_##T)
#define JUMP(n, IN, IMM, TRAPS) [VM_PART_##n] = {VM_OP_ILLEGAL, {VM_OP_ILLEGAL, VM_OP_ILLEGAL, VM_OP_ILLEGAL}, \
                                                 IN, IMM, false, TRAPS, false, 'i', true},
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};

/* Words of the OTHER rows; what is new there is 0, "not known", until it stands here too. */
static const u8 other_words[VM_IR_OTHER_COUNT] = {
    [VM_IR_mov_far] = 2, [VM_IR_mov_n] = 3, 
    [VM_IR_unreachable] = 1, [VM_IR_fuel] = 2, [VM_IR_lazy] = 1, [VM_IR_link] = 1,
    [VM_IR_call_import] = 2, [VM_IR_call_indirect] = 3, [VM_IR_call_ref] = 2,
    [VM_IR_call_indirect_slow] = 3, [VM_IR_call_ref_slow] = 2, [VM_IR_return_call] = 4,
    [VM_IR_return_call_import] = 3, [VM_IR_return_call_indirect] = 4, [VM_IR_return_call_ref] = 3,
    [VM_IR_call_start] = 1, [VM_IR_exit] = 1, [VM_IR_return_foreign] = 1, [VM_IR_ref_func] = 2,
    [VM_IR_br_on_null] = 3, [VM_IR_br_on_non_null] = 3, [VM_IR_ref_as_non_null] = 2, [VM_IR_throw] = 2, [VM_IR_throw_ref] = 2,
    [VM_IR_i64_add128] = 3, [VM_IR_i64_sub128] = 3, [VM_IR_i64_mul_wide_s] = 2, [VM_IR_i64_mul_wide_u] = 2,
    [VM_IR_memory_size] = 2, [VM_IR_memory_grow] = 3, [VM_IR_memory_fill] = 3,
    [VM_IR_memory_copy] = 3, [VM_IR_memory_init] = 3, [VM_IR_data_drop] = 3, [VM_IR_table_get] = 2,
    [VM_IR_table_set] = 2, [VM_IR_table_size] = 2, [VM_IR_table_grow] = 3, [VM_IR_table_fill] = 3,
    [VM_IR_table_copy] = 3, [VM_IR_table_init] = 3, [VM_IR_elem_drop] = 3, [VM_IR_atomic_notify] = 3,
    [VM_IR_atomic_wait32] = 3, [VM_IR_atomic_wait64] = 3, [VM_IR_atomic_fence] = 1,
};
// clang-format on

const struct vm_decoded_row *vm_decoded_row(vm_part part) { return &rows[part]; }

u32 vm_decoded_input_halves(const struct vm_decoded_part *p, u32 input)
{
    const struct vm_decoded_row *row = &rows[p->part];
    if (p->source[input] == VM_FROM_SLOT) return 1;
    if (p->source[input] != VM_FROM_CONST) return 0;
    bool address = row->memory && input == 0;
    return row->type == 'F' && !address && input < 2 ? 4 : 2;
}

/** The parts of a chain; none of an OTHER row, or if they are too many. */
static void decode_op(vm_ir op, struct vm_decoded_op *out)
{
    *out = (struct vm_decoded_op){.words = op < VM_IR_OTHER_COUNT ? other_words[op] : 0};
    u32 count = 0;
    if (op < VM_IR_OTHER_COUNT) return;
    op = vm_ir_unpinned(op); /* the layout is the same */
    for (vm_ir at = op; at != VM_IR_COUNT; at = (vm_ir)vm_ir_steps[at].parent) count++;
    if (count > VM_DECODE_PARTS) return;
    out->part_count = (u8)count;
    bool put = true;
    for (vm_ir at = op; at != VM_IR_COUNT; at = (vm_ir)vm_ir_steps[at].parent) {
        const struct vm_ir_step *step = &vm_ir_steps[at];
        struct vm_decoded_part *p = &out->parts[--count];
        *p = (struct vm_decoded_part){.part = step->part};
        p->put = rows[step->part].has_result && put;
        for (u32 k = 0; k < rows[step->part].inputs; k++) p->source[k] = (u8)vm_ir_source(step, k);
        put = !vm_ir_chained(step) || (step->form & VM_FORM_KEEP);
    }
}

/* ---- the table */

struct entry {
    union vm_word word;
    u32 op;
};

struct vm_decoder_table {
    u32 count;
    struct entry *entries; /* by word */
    struct vm_decoded_op *ops; /* VM_IR_COUNT */
};

static int by_word(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->word.u != y->word.u) return x->word.u < y->word.u ? -1 : 1;
    return x->op < y->op ? -1 : x->op > y->op;
}

struct vm_decoder_table *vm_decoder_table_new(const struct vm_alloc *a,
                                              const struct vm_backend *backend)
{
    struct vm_decoder_table *t = vm_alloc_zero(a, sizeof *t);
    if (!t) return NULL;
    t->entries = vm_alloc_array(a, VM_IR_COUNT, sizeof *t->entries);
    t->ops = vm_alloc_array(a, VM_IR_COUNT, sizeof *t->ops);
    if (!t->entries || !t->ops) {
        vm_decoder_table_delete(a, t);
        return NULL;
    }
    for (u32 i = 0; i < VM_IR_COUNT; i++)
        if (vm_backend_has(backend, (vm_ir)i))
            t->entries[t->count++] =
                (struct entry){.word = vm_backend_word(backend, (vm_ir)i), .op = i};
    for (u32 i = 0; i < VM_IR_COUNT; i++) decode_op((vm_ir)i, &t->ops[i]);
    qsort(t->entries, t->count, sizeof *t->entries, by_word);
    return t;
}

void vm_decoder_table_delete(const struct vm_alloc *a, struct vm_decoder_table *t)
{
    if (!t) return;
    vm_alloc_free(a, t->entries, VM_IR_COUNT * sizeof *t->entries);
    vm_alloc_free(a, t->ops, VM_IR_COUNT * sizeof *t->ops);
    vm_alloc_free(a, t, sizeof *t);
}

vm_ir vm_decoder_find(const struct vm_decoder_table *t, union vm_word word)
{
    u32 lo = 0, hi = t->count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (t->entries[mid].word.u < word.u)
            lo = mid + 1;
        else
            hi = mid;
    }
    bool found = lo < t->count && t->entries[lo].word.u == word.u;
    return found ? (vm_ir)t->entries[lo].op : VM_IR_COUNT;
}

const struct vm_decoded_op *vm_decoder_op(const struct vm_decoder_table *t, vm_ir op)
{
    return &t->ops[op];
}

i16 vm_decoded_half(const union vm_word *insn, u32 half)
{
    i16 value;
    memcpy(&value, (const u8 *)(insn + 1) + 2 * (usize)half, sizeof value);
    return value;
}

i32 vm_decoded_i32(const union vm_word *insn, u32 half)
{
    i32 value;
    memcpy(&value, (const u8 *)(insn + 1) + 2 * (usize)half, sizeof value);
    return value;
}

/** Halves of a chain's operands; of a br_table the first label is one of them. */
static u32 chain_halves(const struct vm_decoded_op *d)
{
    u32 halves = 0;
    for (u32 i = 0; i < d->part_count; i++) {
        const struct vm_decoded_part *p = &d->parts[i];
        for (u32 k = 0; k < rows[p->part].inputs; k++) halves += vm_decoded_input_halves(p, k);
        halves += rows[p->part].imm;
        if (rows[p->part].jumps) halves = vm_whole_words(halves) + VM_WORD_HALVES;
        if (p->put) halves++;
    }
    return halves;
}

/** A br_table's labels but the first. */
static u64 more_labels(const struct vm_decoded_op *d, const union vm_word *insn)
{
    const struct vm_decoded_part *last = &d->parts[d->part_count - 1];
    struct vm_decoded_op before = *d;
    if (last->part != VM_PART_br_table) return 0;
    before.part_count--;
    u32 count_at = chain_halves(&before) + vm_decoded_input_halves(last, 0);
    return (u32)vm_decoded_i32(insn, count_at);
}

u32 vm_decoder_size(const struct vm_decoder_table *t, vm_ir op, const union vm_word *words,
                    u32 left)
{
    const struct vm_decoded_op *d = &t->ops[op];
    if (d->part_count == 0) return d->words <= left ? d->words : 0;
    u64 size = 1 + vm_words_of(chain_halves(d));
    if (size <= left) size += more_labels(d, words);
    return size <= left ? (u32)size : 0;
}
