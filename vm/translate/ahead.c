/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes what is frequent in loops; what is seldom there ends the look. No meaning. */
#include "translate/ahead.h"

#include "base/leb128.h"
#include "binary/module.h"

static void skip(struct vm_ahead *a, usize count)
{
    if ((usize)(a->end - a->p) < count)
        a->failed = true;
    else
        a->p += count;
}

static u32 index_of(struct vm_ahead *a)
{
    u32 v = 0;
    if (vm_leb_u32(&a->p, a->end, &v) != VM_ERR_NONE) a->failed = true;
    return v;
}

/** A number of any size. */
static void skip_leb(struct vm_ahead *a)
{
    while (a->p < a->end && *a->p & 0x80) a->p++;
    skip(a, 1);
}

static void skip_memarg(struct vm_ahead *a)
{
    if (index_of(a) & 0x40) skip_leb(a);
    skip_leb(a);
}

static void skip_labels(struct vm_ahead *a)
{
    u32 count = index_of(a);
    if (count > a->labels_max) a->failed = true;
    for (u32 i = 0; i <= count && !a->failed; i++) skip_leb(a);
}

static void take_imm(struct vm_ahead *a, vm_imm imm)
{
    switch (imm) {
    case VM_IMM_NONE: break;
    case VM_IMM_BLOCKTYPE:
    case VM_IMM_I32:
    case VM_IMM_I64: skip_leb(a); break;
    case VM_IMM_F32: skip(a, 4); break;
    case VM_IMM_F64: skip(a, 8); break;
    case VM_IMM_MEMARG: skip_memarg(a); break;
    case VM_IMM_BR_TABLE: skip_labels(a); break;
    case VM_IMM_LABEL:
    case VM_IMM_LOCAL:
    case VM_IMM_GLOBAL:
    case VM_IMM_MEMORY:
    case VM_IMM_FUNC: a->imm = index_of(a); break;
    case VM_IMM_MEMORY_MEMORY:
    case VM_IMM_CALL_INDIRECT:
        skip_leb(a);
        skip_leb(a);
        break;
    default: a->failed = true; break;
    }
}

/** The function's body in the file: its locals, then its instructions. */
static struct vm_range body_of(const struct vm_lower *l)
{
    const struct vm_module *m = l->env->module;
    return m->bodies[l->code->func_idx - m->n_imported[VM_EXTERN_FUNC]].range;
}

struct vm_ahead vm_ahead_from(const struct vm_lower *l, u32 offset)
{
    const struct vm_range range = body_of(l);
    const u8 *bytes = l->env->module->bytes;
    return (struct vm_ahead){
        .p = bytes + offset, .end = bytes + range.start + range.size, .labels_max = UINT32_MAX};
}

struct vm_ahead vm_ahead_from_start(const struct vm_lower *l)
{
    struct vm_ahead a = vm_ahead_from(l, body_of(l).start);
    u32 groups = index_of(&a);
    for (u32 i = 0; i < groups && !a.failed; i++) {
        (void)index_of(&a);
        skip_leb(&a); /* a type of one byte is a small negative number */
        bool typed = !a.failed && (a.p[-1] == 0x63 || a.p[-1] == 0x64);
        if (typed) skip_leb(&a); /* a reference: its heap type */
    }
    return a;
}

vm_op vm_ahead_next(struct vm_ahead *a)
{
    vm_op op = VM_OP_ILLEGAL;
    if (a->failed || a->p >= a->end) {
        a->failed = true;
        return op;
    }
    u8 byte = *a->p++;
    op = (vm_op)(byte == 0xfc ? vm_op_of_prefixed(byte, index_of(a)) : vm_op_of_byte[byte]);
    if (op == VM_OP_ILLEGAL)
        a->failed = true;
    else
        take_imm(a, vm_op_imm(op));
    return op;
}
