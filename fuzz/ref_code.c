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

const u8 *ref_skip(u32 op, const u8 *p)
{
    u64 n = 0, flags;
    switch (vm_op_imm((vm_op)op)) {
    case VM_IMM_NONE: break;
    case VM_IMM_BLOCKTYPE: skip_type(&p); break;
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

/** Notes for each block, loop and if where its end (and its else) is. */
static bool match_blocks(struct ref_body *b)
{
    usize size = (usize)(b->end - b->start), depth = 0;
    u32 *open = malloc((size + 1) * sizeof *open);
    const u8 *p = b->code;
    if (!open) abort();
    while (p && p < b->end) {
        u32 at = (u32)(p - b->start), op = ref_op(&p);
        if (op == VM_OP_ILLEGAL) break;
        p = ref_skip(op, p);
        if (!p) break;
        if (op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_IF) open[depth++] = at;
        if (op == VM_OP_ELSE && depth) b->else_of[open[depth - 1]] = (u32)(p - b->start);
        if (op == VM_OP_END && depth) b->end_of[open[--depth]] = (u32)(p - b->start);
    }
    free(open);
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
