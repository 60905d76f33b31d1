/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common case of the most frequent instructions: exact operand types on the stack, small
 * immediates. What is not common is left untouched to the full rules, which accept the same; so
 * nothing is refused here. For quick.c only.
 */
#ifndef VM_VALIDATE_QUICK_H
#define VM_VALIDATE_QUICK_H

#include "validate/ctrl.h"

/** What the loop keeps in registers; the walker's own fields are stale meanwhile. */
struct vm_quick_state {
    const u8 *p, *end;        /* of the body; p is behind the opcode */
    const u8 *start;          /* of this instruction */
    vm_valtype *sp, *floor;   /* of the value stack */
    const vm_valtype *limit;  /* up to here an instruction may push */
    const vm_valtype *locals; /* all of them may be read: */
    u32 local_count;          /* 0 when some need a value first */
    bool memory;              /* there is a memory 0 and its addresses are i32 */
};

/* ---------------------------------------------------------------- immediates */

/* An index below 2^14; how many bytes it takes, 0: not this way. */
VM_INLINE u32 vm_quick_index(const struct vm_quick_state *q, u32 *index)
{
    if (q->end - q->p < 2) return 0;
    *index = q->p[0];
    if (VM_LIKELY(*index < 0x80)) return 1;
    if (q->p[1] >= 0x80) return 0;
    *index = (*index & 0x7f) | (u32)q->p[1] << 7;
    return 2;
}

/* A signed integer of at most `most` bytes, all of whose bits count; bytes taken, 0: not so. */
VM_INLINE u32 vm_quick_signed(const struct vm_quick_state *q, u32 most, u64 *value)
{
    u32 used = 0;
    u64 bits = 0;
    if ((usize)(q->end - q->p) < most) return 0;
    u8 byte;
    do {
        if (used == most) return 0;
        byte = q->p[used];
        bits |= (u64)(byte & 0x7f) << 7 * used;
        used++;
    } while (byte >= 0x80);
    u64 sign = (u64)1 << (7 * used - 1);
    *value = (bits ^ sign) - sign;
    return used;
}

/* Of memory 0 with 32-bit addresses, no more aligned than natural, offset below 2^21. */
VM_INLINE u32 vm_quick_memarg(const struct vm_quick_state *q, const struct vm_quick_row *r,
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

/* ---------------------------------------------------------------- values */

VM_INLINE bool vm_quick_unary(struct vm_quick_state *q, const struct vm_quick_row *r)
{
    if (q->sp == q->floor || q->sp[-1] != r->types[0]) return false;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_binary(struct vm_quick_state *q, const struct vm_quick_row *r)
{
    if (q->sp - q->floor < 2 || q->sp[-1] != r->types[1] || q->sp[-2] != r->types[0]) return false;
    q->sp[-2] = r->types[2];
    q->sp--;
    return true;
}

VM_INLINE bool vm_quick_load(struct vm_quick_state *q, const struct vm_quick_row *r,
                             struct vm_insn *in)
{
    u32 used = vm_quick_memarg(q, r, in);
    if (!used || q->sp == q->floor || q->sp[-1] != VM_I32) return false;
    q->p += used;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_store(struct vm_quick_state *q, const struct vm_quick_row *r,
                              struct vm_insn *in)
{
    u32 used = vm_quick_memarg(q, r, in);
    if (!used || q->sp - q->floor < 2) return false;
    if (q->sp[-1] != r->types[1] || q->sp[-2] != VM_I32) return false;
    q->p += used;
    q->sp -= 2;
    return true;
}

/* i32.const in at most 4 bytes, i64.const in at most 9. */
VM_INLINE bool vm_quick_const(struct vm_quick_state *q, struct vm_insn *in, vm_valtype type)
{
    u64 value;
    u32 used = vm_quick_signed(q, type == VM_I32 ? 4 : 9, &value);
    if (!used) return false;
    q->p += used;
    in->imm.bits = type == VM_I32 ? (u32)value : value;
    *q->sp++ = type;
    return true;
}

VM_INLINE bool vm_quick_drop(struct vm_quick_state *q, struct vm_insn *in)
{
    if (q->sp == q->floor) return false;
    in->type = *--q->sp;
    return true;
}

/* ---------------------------------------------------------------- variables */

VM_INLINE bool vm_quick_get(struct vm_quick_state *q, struct vm_insn *in, u32 used)
{
    q->p += used;
    *q->sp++ = in->type;
    return true;
}

/* Sets keep 0 values, local.tee 1. */
VM_INLINE bool vm_quick_set(struct vm_quick_state *q, const struct vm_insn *in, u32 used, u32 keep)
{
    if (q->sp == q->floor || q->sp[-1] != in->type) return false;
    q->p += used;
    q->sp -= 1 - keep;
    return true;
}

/* Index and type of a local; bytes of the index, 0: not this way. */
VM_INLINE u32 vm_quick_local(const struct vm_quick_state *q, struct vm_insn *in)
{
    u32 index = 0, used = vm_quick_index(q, &index);
    if (!used || index >= q->local_count) return 0;
    in->a = index;
    in->type = q->locals[index];
    return used;
}

VM_INLINE bool vm_quick_local_get(struct vm_quick_state *q, struct vm_insn *in)
{
    u32 used = vm_quick_local(q, in);
    return used && vm_quick_get(q, in, used);
}

VM_INLINE bool vm_quick_local_set(struct vm_quick_state *q, struct vm_insn *in, u32 keep)
{
    u32 used = vm_quick_local(q, in);
    return used && vm_quick_set(q, in, used, keep);
}

VM_INLINE bool vm_quick_global(const struct vm_walker *w, struct vm_quick_state *q,
                               struct vm_insn *in, bool is_set)
{
    u32 index = 0, used = vm_quick_index(q, &index);
    if (!used || index >= w->m->global_count) return false;
    const struct vm_globaltype *g = &w->m->globals[index].type;
    in->a = index;
    in->type = g->type;
    return is_set ? g->is_mutable && vm_quick_set(q, in, used, 0) : vm_quick_get(q, in, used);
}

/* ---------------------------------------------------------------- control */

/* A function whose parameters are there exactly, with one result at most. */
VM_INLINE bool vm_quick_call(const struct vm_walker *w, struct vm_quick_state *q,
                             struct vm_insn *in)
{
    u32 index = 0, used = vm_quick_index(q, &index);
    if (!used || index >= w->m->func_count) return false;
    const struct vm_functype *f = vm_module_functype(w->m, index);
    u32 count = f->param_count;
    if (f->result_count > 1 || (usize)(q->sp - q->floor) < count) return false;
    vm_valtype *args = q->sp - count;
    for (u32 i = 0; i < count; i++) {
        if (args[i] != f->types[i]) return false;
    }
    q->p += used;
    q->sp = args;
    if (f->result_count) *q->sp++ = f->types[count];
    in->a = index;
    in->func = f;
    return true;
}

/* The label of a branch that takes no values, or NULL. */
VM_INLINE const struct vm_ctrl *vm_quick_label(const struct vm_walker *w,
                                               const struct vm_quick_state *q)
{
    if (q->p == q->end || q->p[0] >= w->ctrl_count || q->p[0] >= 0x80) return NULL;
    const struct vm_ctrl *c = w->top - q->p[0];
    return c->bt_kind == VM_BT_EMPTY ? c : NULL;
}

VM_INLINE bool vm_quick_br(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in)
{
    if (!vm_quick_label(w, q)) return false;
    in->a = *q->p++;
    q->sp = q->floor;
    w->top->unreachable = true;
    return true;
}

VM_INLINE bool vm_quick_br_if(const struct vm_walker *w, struct vm_quick_state *q,
                              struct vm_insn *in)
{
    if (!vm_quick_label(w, q) || q->sp == q->floor || q->sp[-1] != VM_I32) return false;
    in->a = *q->p++;
    q->sp--;
    return true;
}

/* block, loop and if without types; `pops`: 1 for the condition of if. */
VM_INLINE bool vm_quick_block(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in,
                              vm_op op, u32 pops)
{
    if (q->p == q->end || q->p[0] != 0x40 || w->ctrl_count == w->ctrl_cap) return false;
    if (pops && (q->sp == q->floor || q->sp[-1] != VM_I32)) return false;
    q->p++;
    q->sp -= pops;
    bool dead = w->top->unreachable || w->top->dead;
    *++w->top = (struct vm_ctrl){.height = (u32)(q->sp - w->stack),
                                 .inits = w->locals.set_count,
                                 .op = (u16)op,
                                 .bt_kind = VM_BT_EMPTY,
                                 .dead = dead};
    w->ctrl_count++;
    q->floor = q->sp;
    in->block = (struct vm_blocktype){0};
    return true;
}

/* The end of an arm without types, but where locals must be unset again. */
VM_INLINE bool vm_quick_arm_ends(const struct vm_walker *w, const struct vm_quick_state *q)
{
    return w->top->bt_kind == VM_BT_EMPTY && q->sp == q->floor && !w->locals.need_value;
}

VM_INLINE bool vm_quick_else(struct vm_walker *w, const struct vm_quick_state *q,
                             struct vm_insn *in)
{
    if (w->top->op != VM_OP_IF || !vm_quick_arm_ends(w, q)) return false;
    w->top->op = VM_OP_ELSE;
    w->top->unreachable = false;
    in->block = (struct vm_blocktype){0};
    return true;
}

/* Not the function's, whose types are those of an index. */
VM_INLINE bool vm_quick_end(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in)
{
    if (!vm_quick_arm_ends(w, q)) return false;
    w->top--;
    w->ctrl_count--;
    q->floor = w->stack + w->top->height;
    in->block = (struct vm_blocktype){0};
    return true;
}

/**
 * Every short cut: X(kind, check), with w, q, r and in as above. True: immediates are read and the
 * stacks changed; `in` knows what a sink wants to know. False: nothing has happened. Room is made.
 */
// clang-format off
#define VM_QUICK_EACH(X)                                                                           \
    X(UNARY, vm_quick_unary(q, r))                                                                 \
    X(BINARY, vm_quick_binary(q, r))                                                               \
    X(LOAD, vm_quick_load(q, r, in))                                                               \
    X(STORE, vm_quick_store(q, r, in))                                                             \
    X(LOCAL_GET, vm_quick_local_get(q, in))                                                        \
    X(LOCAL_SET, vm_quick_local_set(q, in, 0))                                                     \
    X(LOCAL_TEE, vm_quick_local_set(q, in, 1))                                                     \
    X(GLOBAL_GET, vm_quick_global(w, q, in, false))                                                \
    X(GLOBAL_SET, vm_quick_global(w, q, in, true))                                                 \
    X(I32_CONST, vm_quick_const(q, in, VM_I32))                                                    \
    X(I64_CONST, vm_quick_const(q, in, VM_I64))                                                    \
    X(DROP, vm_quick_drop(q, in))                                                                  \
    X(CALL, vm_quick_call(w, q, in))                                                               \
    X(BR, vm_quick_br(w, q, in))                                                                   \
    X(BR_IF, vm_quick_br_if(w, q, in))                                                             \
    X(BLOCK, vm_quick_block(w, q, in, (vm_op)r->op, 0))                                            \
    X(IF, vm_quick_block(w, q, in, VM_OP_IF, 1))                                                   \
    X(ELSE, vm_quick_else(w, q, in))                                                               \
    X(END, vm_quick_end(w, q, in))
// clang-format on

#endif
