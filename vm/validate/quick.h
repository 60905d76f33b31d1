/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common case of the most frequent instructions: exact operand types on the stack, small
 * immediates. What is not common is left untouched to the full rules, which accept the same; so
 * nothing is refused here. For walk.c only.
 */
#ifndef VM_VALIDATE_QUICK_H
#define VM_VALIDATE_QUICK_H

#include "validate/ctrl.h"

/** What the loop keeps in registers; the walker's own fields are stale meanwhile. */
struct vm_quick_state {
    const u8 *p, *end;           /* of the body; p is behind the opcode */
    vm_valtype *sp, *floor;      /* of the value stack */
    const vm_valtype *locals;    /* all of them may be read: */
    u32 local_count;             /* 0 when some need a value first */
    bool memory;                 /* there is a memory 0 and its addresses are i32 */
};

VM_INLINE bool vm_quick_unary(struct vm_quick_state *q, const struct vm_rule *r)
{
    if (q->sp == q->floor || q->sp[-1] != r->types[0]) return false;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_binary(struct vm_quick_state *q, const struct vm_rule *r)
{
    if (q->sp - q->floor < 2 || q->sp[-1] != r->types[1] || q->sp[-2] != r->types[0]) return false;
    q->sp[-2] = r->types[2];
    q->sp--;
    return true;
}

/* Index and type of a local; how many bytes were looked at, 0: not this way. */
VM_INLINE u32 vm_quick_local(const struct vm_quick_state *q, struct vm_insn *in)
{
    if (q->end - q->p < 2) return 0;
    u32 index = q->p[0], used = 1;
    if (VM_UNLIKELY(index >= 0x80)) {
        if (q->p[1] >= 0x80) return 0;
        index = (index & 0x7f) | (u32)q->p[1] << 7;
        used = 2;
    }
    if (index >= q->local_count) return 0;
    in->a = index;
    in->type = q->locals[index];
    return used;
}

VM_INLINE bool vm_quick_local_get(struct vm_quick_state *q, struct vm_insn *in)
{
    u32 used = vm_quick_local(q, in);
    if (!used) return false;
    q->p += used;
    *q->sp++ = in->type;
    return true;
}

/* local.set keeps 0 values, local.tee 1. */
VM_INLINE bool vm_quick_local_set(struct vm_quick_state *q, struct vm_insn *in, u32 keep)
{
    u32 used = vm_quick_local(q, in);
    if (!used || q->sp == q->floor || q->sp[-1] != in->type) return false;
    q->p += used;
    q->sp -= 1 - keep;
    return true;
}

VM_INLINE bool vm_quick_i32_const(struct vm_quick_state *q, struct vm_insn *in)
{
    i32 value;
    const u8 *p = q->p; /* a copy, so that the state stays in registers */
    if (vm_leb_s32(&p, q->end, &value) != VM_ERR_NONE) return false;
    q->p = p;
    in->imm.bits = (u32)value;
    *q->sp++ = VM_I32;
    return true;
}

/* Of memory 0 with 32-bit addresses, no more aligned than natural, offset below 2^21. */
VM_INLINE u32 vm_quick_memarg(const struct vm_quick_state *q, const struct vm_rule *r,
                              struct vm_insn *in)
{
    const u8 *p = q->p;
    if (q->end - p < 4 || p[0] > r->align || !q->memory) return 0;
    u32 offset = p[1], used = 2;
    if (offset >= 0x80) {
        offset = (offset & 0x7f) | (u32)p[2] << 7;
        used = 3;
        if (p[2] >= 0x80) {
            if (p[3] >= 0x80) return 0;
            offset = (offset & 0x3fff) | (u32)p[3] << 14;
            used = 4;
        }
    }
    in->imm.mem.align = p[0];
    in->imm.mem.memory = 0;
    in->imm.mem.offset = offset;
    return used;
}

VM_INLINE bool vm_quick_load(struct vm_quick_state *q, const struct vm_rule *r, struct vm_insn *in)
{
    u32 used = vm_quick_memarg(q, r, in);
    if (!used || q->sp == q->floor || q->sp[-1] != VM_I32) return false;
    q->p += used;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_store(struct vm_quick_state *q, const struct vm_rule *r, struct vm_insn *in)
{
    u32 used = vm_quick_memarg(q, r, in);
    if (!used || q->sp - q->floor < 2) return false;
    if (q->sp[-1] != r->types[1] || q->sp[-2] != VM_I32) return false;
    q->p += used;
    q->sp -= 2;
    return true;
}

VM_INLINE bool vm_quick_drop(struct vm_quick_state *q, struct vm_insn *in)
{
    if (q->sp == q->floor) return false;
    in->type = *--q->sp;
    return true;
}

/* A branch that takes no values changes nothing but the condition. */
VM_INLINE bool vm_quick_br_if(struct vm_walker *w, struct vm_quick_state *q)
{
    if (q->p == q->end || q->p[0] >= w->ctrl_count || q->p[0] >= 0x80) return false;
    const struct vm_ctrl *c = w->top - q->p[0];
    if (c->bt_kind != VM_BT_EMPTY || q->sp == q->floor || q->sp[-1] != VM_I32) return false;
    w->insn.a = *q->p++;
    q->sp--;
    return true;
}

/* block and loop without types. */
VM_INLINE bool vm_quick_block(struct vm_walker *w, struct vm_quick_state *q, vm_op op)
{
    if (q->p == q->end || q->p[0] != 0x40 || w->ctrl_count == w->ctrl_cap) return false;
    q->p++;
    bool dead = w->top->unreachable || w->top->dead;
    *++w->top = (struct vm_ctrl){.height = (u32)(q->sp - w->stack),
                                 .inits = w->locals.set_count,
                                 .op = (u16)op,
                                 .bt_kind = VM_BT_EMPTY,
                                 .dead = dead};
    w->ctrl_count++;
    q->floor = q->sp;
    w->insn.block = (struct vm_blocktype){0};
    return true;
}

/* end of any of those, but for the function's and where locals must be unset again. */
VM_INLINE bool vm_quick_end(struct vm_walker *w, struct vm_quick_state *q)
{
    if (w->top->bt_kind != VM_BT_EMPTY || w->ctrl_count < 2 || q->sp != q->floor) return false;
    if (w->locals.need_value) return false;
    w->top--;
    w->ctrl_count--;
    q->floor = w->stack + w->top->height;
    w->insn.block = (struct vm_blocktype){0};
    return true;
}

/** True: immediates are read and the stacks changed. False: nothing has happened. Room is made. */
VM_INLINE bool vm_quick_check(struct vm_walker *w, struct vm_quick_state *q, vm_op op)
{
    const struct vm_rule *r = &vm_rules[op];
    struct vm_insn *in = &w->insn;
    switch ((enum vm_quick)r->quick) {
    case VM_QUICK_UNARY: return vm_quick_unary(q, r);
    case VM_QUICK_BINARY: return vm_quick_binary(q, r);
    case VM_QUICK_LOAD: return vm_quick_load(q, r, in);
    case VM_QUICK_STORE: return vm_quick_store(q, r, in);
    case VM_QUICK_LOCAL_GET: return vm_quick_local_get(q, in);
    case VM_QUICK_LOCAL_SET: return vm_quick_local_set(q, in, 0);
    case VM_QUICK_LOCAL_TEE: return vm_quick_local_set(q, in, 1);
    case VM_QUICK_I32_CONST: return vm_quick_i32_const(q, in);
    case VM_QUICK_DROP: return vm_quick_drop(q, in);
    case VM_QUICK_BR_IF: return vm_quick_br_if(w, q);
    case VM_QUICK_BLOCK: return vm_quick_block(w, q, op);
    case VM_QUICK_END: return vm_quick_end(w, q);
    case VM_QUICK_NONE: break;
    }
    return false;
}

#endif
