/* SPDX-License-Identifier: Apache-2.0 */
/* Reading instructions of valid bodies: LEB128, immediates, where blocks end. */
#include "ref_interp.h"

#include "isa/opcode.h"

#include <stdlib.h>
#include <string.h>

u64 ref_leb(const u8 **p)
{
    u64 v = 0;
    for (u32 shift = 0;; shift += 7) {
        u8 b = *(*p)++;
        if (shift < 64) v |= (u64)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
}

i64 ref_sleb(const u8 **p)
{
    u64 v = 0;
    u32 shift = 0;
    u8 b;
    do {
        b = *(*p)++;
        if (shift < 64) v |= (u64)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    if (b & 0x40 && shift < 64) v |= UINT64_MAX << shift;
    return (i64)v;
}

u32 ref_op(const u8 **p)
{
    u8 b = *(*p)++;
    if (b < 0xfb || b == 0xff) return vm_op_of_byte[b];
    return vm_op_of_prefixed(b, (u32)ref_leb(p));
}

/** A value type or heap type: one number, or 0x63/0x64 and a heap type. */
static void skip_type(const u8 **p)
{
    u8 b = **p;
    if (b == 0x63 || b == 0x64) (*p)++;
    (void)ref_sleb(p);
}

/** The catch clauses of a try_table. */
static void skip_clauses(const u8 **p)
{
    for (u64 n = ref_leb(p); n; n--) {
        u8 kind = *(*p)++;
        if (kind < 2) (void)ref_leb(p);
        (void)ref_leb(p);
    }
}

const u8 *ref_skip(u32 op, const u8 *p)
{
    u64 n = 0, flags;
    switch (vm_op_imm((vm_op)op)) {
    case VM_IMM_NONE: break;
    case VM_IMM_BLOCKTYPE:
    case VM_IMM_LEGACY_TRY: skip_type(&p); break;
    case VM_IMM_TRY_TABLE:
        skip_type(&p);
        skip_clauses(&p);
        break;
    case VM_IMM_TAG:
    case VM_IMM_LABEL:
    case VM_IMM_FUNC:
    case VM_IMM_TYPE:
    case VM_IMM_LOCAL:
    case VM_IMM_GLOBAL:
    case VM_IMM_TABLE:
    case VM_IMM_ELEM:
    case VM_IMM_DATA:
    case VM_IMM_MEMORY:
    case VM_IMM_HEAPTYPE:
    case VM_IMM_I32:
    case VM_IMM_I64: n = 1; break;
    case VM_IMM_CALL_INDIRECT:
    case VM_IMM_TABLE_TABLE:
    case VM_IMM_ELEM_TABLE:
    case VM_IMM_MEMORY_MEMORY:
    case VM_IMM_DATA_MEMORY: n = 2; break;
    case VM_IMM_BR_TABLE: n = ref_leb(&p) + 1; break;
    case VM_IMM_MEMARG:
        flags = ref_leb(&p);
        n = flags & 0x40 ? 2 : 1;
        break;
    case VM_IMM_MEMARG_LANE: p = ref_skip(VM_OP_V128_LOAD, p) + 1; break;
    case VM_IMM_LANE:
    case VM_IMM_ZERO_BYTE: p++; break;
    case VM_IMM_LANES16:
    case VM_IMM_V128: p += 16; break;
    case VM_IMM_F32: p += 4; break;
    case VM_IMM_F64: p += 8; break;
    case VM_IMM_SELECT_T:
        for (u64 k = ref_leb(&p); k; k--) skip_type(&p);
        break;
    default: return NULL;
    }
    for (; n; n--) (void)ref_leb(&p);
    return p;
}

static void read_locals(struct ref_body *b, const struct vm_functype *sig)
{
    const u8 *p = b->start;
    u64 count = sig->param_count;
    for (u64 runs = ref_leb(&p); runs; runs--) {
        count += ref_leb(&p);
        skip_type(&p);
    }
    b->code = p;
    b->local_count = (u32)count;
}

static bool opens(u32 op)
{
    return op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_IF || op == VM_OP_TRY ||
           op == VM_OP_TRY_TABLE;
}

static bool handles(u32 op)
{
    return op == VM_OP_CATCH || op == VM_OP_CATCH_ALL || op == VM_OP_DELEGATE;
}

/** Notes where blocks end and have their else; of a legacy try and its handlers the next handler.
 */
static bool match_blocks(struct ref_body *b)
{
    usize size = (usize)(b->end - b->start), depth = 0;
    u32 *open = malloc((size + 1) * sizeof *open), *last = malloc((size + 1) * sizeof *last);
    const u8 *p = b->code;
    if (!open || !last) abort();
    while (p && p < b->end) {
        u32 at = (u32)(p - b->start), op = ref_op(&p);
        if (op == VM_OP_ILLEGAL) break;
        p = ref_skip(op, p);
        if (!p) break;
        if (opens(op)) {
            open[depth] = last[depth] = at;
            depth++;
        }
        if (op == VM_OP_ELSE && depth) b->else_of[open[depth - 1]] = (u32)(p - b->start);
        if (handles(op) && depth) last[depth - 1] = b->else_of[last[depth - 1]] = at;
        if ((op == VM_OP_END || op == VM_OP_DELEGATE) && depth)
            b->end_of[open[--depth]] = (u32)(p - b->start);
    }
    free(open);
    free(last);
    return p == b->end;
}

const struct ref_body *ref_body_of(struct ref_instance *in, u32 func)
{
    const struct vm_module *m = in->module;
    u32 i = func - m->n_imported[VM_EXTERN_FUNC];
    struct ref_body *b = &in->bodies[i];
    if (b->end_of) return b;
    b->start = m->bytes + m->bodies[i].range.start;
    b->end = b->start + m->bodies[i].range.size;
    read_locals(b, vm_module_functype(m, func));
    b->else_of = ref_alloc(in->store, m->bodies[i].range.size * sizeof(u32) + 4);
    b->end_of = ref_alloc(in->store, m->bodies[i].range.size * sizeof(u32) + 4);
    if (match_blocks(b)) return b;
    b->end_of = NULL;
    return NULL;
}
