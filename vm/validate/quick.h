/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common case of the most frequent instructions: exact operand types on the stack, small
 * immediates. What is not common is left untouched to the full rules, which accept the same; so
 * nothing is refused here. For quick.c only.
 */
#ifndef VM_VALIDATE_QUICK_H
#define VM_VALIDATE_QUICK_H

#include "base/bits.h"
#include "validate/ctrl.h"
#include "validate/signature.h"

/** Which short cut may serve an instruction. */
enum vm_quick {
    VM_QUICK_NONE,   /* the others as listed by VM_QUICK_EACH */
    VM_QUICK_NOP,    /* neither operands nor results nor immediates */
    VM_QUICK_UNARY,  /* one operand, one result, no immediate */
    VM_QUICK_BINARY, /* two operands, one result, no immediate */
    VM_QUICK_LOAD,
    VM_QUICK_STORE,
    VM_QUICK_I32_CONST,
    VM_QUICK_I64_CONST,
    VM_QUICK_F32_CONST,
    VM_QUICK_F64_CONST,
    VM_QUICK_DROP,
    VM_QUICK_SELECT,
    VM_QUICK_LOCAL_GET,
    VM_QUICK_LOCAL_SET,
    VM_QUICK_LOCAL_TEE,
    VM_QUICK_GLOBAL_GET,
    VM_QUICK_GLOBAL_SET,
    VM_QUICK_CALL,
    VM_QUICK_CALL_INDIRECT,
    VM_QUICK_UNREACHABLE,
    VM_QUICK_BR,
    VM_QUICK_BR_IF,
    VM_QUICK_RETURN,
    VM_QUICK_BLOCK, /* and loop */
    VM_QUICK_IF,
    VM_QUICK_ELSE,
    VM_QUICK_END
};

/** What the short cuts know of a one-byte opcode; 8 bytes. */
struct vm_quick_row {
    u8 quick; /* enum vm_quick */
    u8 align;
    u8 types[3]; /* as those of vm_rule */
    u16 op; /* vm_op */
};

/* of##KIND of the short cut for a row of wasm_ops.def: by name, or by a plain signature's look. */
#define VM_QUICK_OF(of, op, imm, s)                                                                \
    ((op) == VM_OP_I32_CONST        ? of##I32_CONST                                                \
     : (op) == VM_OP_I64_CONST      ? of##I64_CONST                                                \
     : (op) == VM_OP_F32_CONST      ? of##F32_CONST                                                \
     : (op) == VM_OP_F64_CONST      ? of##F64_CONST                                                \
     : (op) == VM_OP_DROP           ? of##DROP                                                     \
     : (op) == VM_OP_SELECT         ? of##SELECT                                                   \
     : (op) == VM_OP_LOCAL_GET      ? of##LOCAL_GET                                                \
     : (op) == VM_OP_LOCAL_SET      ? of##LOCAL_SET                                                \
     : (op) == VM_OP_LOCAL_TEE      ? of##LOCAL_TEE                                                \
     : (op) == VM_OP_GLOBAL_GET     ? of##GLOBAL_GET                                               \
     : (op) == VM_OP_GLOBAL_SET     ? of##GLOBAL_SET                                               \
     : (op) == VM_OP_CALL           ? of##CALL                                                     \
     : (op) == VM_OP_CALL_INDIRECT  ? of##CALL_INDIRECT                                            \
     : (op) == VM_OP_UNREACHABLE    ? of##UNREACHABLE                                              \
     : (op) == VM_OP_BR             ? of##BR                                                       \
     : (op) == VM_OP_BR_IF          ? of##BR_IF                                                    \
     : (op) == VM_OP_RETURN         ? of##RETURN                                                   \
     : (op) == VM_OP_BLOCK          ? of##BLOCK                                                    \
     : (op) == VM_OP_LOOP           ? of##BLOCK                                                    \
     : (op) == VM_OP_IF             ? of##IF                                                       \
     : (op) == VM_OP_ELSE           ? of##ELSE                                                     \
     : (op) == VM_OP_END            ? of##END                                                      \
     : !VM_SIG_IS_PLAIN(s)          ? of##NONE                                                     \
     : VM_QUICK_LOOKS(imm, s, 0, 0) ? of##NOP                                                      \
     : VM_QUICK_LOOKS(imm, s, 1, 1) ? of##UNARY                                                    \
     : VM_QUICK_LOOKS(imm, s, 2, 1) ? of##BINARY                                                   \
     : (imm) != VM_IMM_MEMARG       ? of##NONE                                                     \
     : VM_SIG_POPS(s) == 1          ? of##LOAD                                                     \
     : VM_SIG_POPS(s) == 2          ? of##STORE                                                    \
                                    : of##NONE)
#define VM_QUICK_LOOKS(imm, s, pops, pushes)                                                       \
    ((imm) == VM_IMM_NONE && VM_SIG_POPS(s) == (pops) && VM_SIG_PUSHES(s) == (pushes))

/** What the loop keeps in registers; the walker's own fields are stale meanwhile. */
struct vm_quick_state {
    const u8 *p;              /* this instruction */
    const u8 *next;           /* the one behind it */
    const u8 *end;            /* all begin before: there is room to push and to read ahead */
    vm_valtype *sp;           /* of the value stack */
    const vm_valtype *locals; /* these may be read: */
    u32 local_count; /* as many as have a number of one byte; 0: some need a value first */
};

/** No short cut reads further than so many bytes from its opcode. */
enum { VM_QUICK_AHEAD = 16 };
/** A push takes an instruction of at least so many bytes. */
enum { VM_QUICK_PUSH_BYTES = 2 };

/** The next instruction is at `next`; false when this is the last that may begin. */
VM_INLINE bool vm_quick_next(struct vm_quick_state *q, const u8 *next)
{
    q->next = next;
    return next < q->end;
}
/** This instruction takes `size` bytes. */
VM_INLINE bool vm_quick_size(struct vm_quick_state *q, u32 size)
{
    return vm_quick_next(q, q->p + size);
}

/* ---------------------------------------------------------------- immediates */

/* Behind the LEB128 at `p`, NULL: it takes more than `most` bytes, which are 8 at the most. */
VM_INLINE const u8 *vm_quick_leb(const u8 *p, u32 most)
{
    if (VM_LIKELY(p[0] < 0x80)) return p + 1;
    u64 last = ~vm_load_u64(p) & 0x8080808080808080 >> (64 - 8 * most);
    return last ? p + vm_ctz64(last) / 8 + 1 : NULL;
}

/* The value of a LEB128 without its sign. */
VM_INLINE u64 vm_quick_bits(const u8 *p, const u8 *behind)
{
    u64 bits = 0;
    for (u32 shift = 0; p < behind; shift += 7) bits |= (u64)(*p++ & 0x7f) << shift;
    return bits;
}

/* Behind the index at `p`, NULL: it is not below `count`, or not well-formed. */
VM_INLINE const u8 *vm_quick_index(const u8 *p, u32 count, u32 *index)
{
    *index = p[0];
    if (VM_LIKELY(p[0] < 0x80)) return p[0] < count ? p + 1 : NULL;
    const u8 *behind = vm_quick_leb(p, 5);
    if (!behind) return NULL;
    u64 value = vm_quick_bits(p, behind);
    *index = (u32)value;
    return value < count ? behind : NULL;
}

/* Of memory 0 with 32-bit addresses, no more aligned than natural. */
VM_INLINE bool vm_quick_memarg(const struct vm_walker *w, struct vm_quick_state *q,
                               const struct vm_quick_row *r, struct vm_insn *in)
{
    const u8 *p = q->p + 2, *behind = vm_quick_leb(p, 5);
    if (!behind || q->p[1] > r->align || !w->plain_memory) return false;
    if (VM_UNLIKELY(behind - p == 5) && p[4] > 0x0f) return false;
    in->imm.mem.align = q->p[1];
    in->imm.mem.memory = 0;
    in->imm.mem.offset = vm_quick_bits(p, behind);
    return vm_quick_next(q, behind);
}

/* ---------------------------------------------------------------- values */

VM_INLINE bool vm_quick_unary(struct vm_quick_state *q, const struct vm_quick_row *r)
{
    if (!vm_quick_size(q, 1) || q->sp[-1] != r->types[0]) return false;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_binary(struct vm_quick_state *q, const struct vm_quick_row *r)
{
    if (!vm_quick_size(q, 1) || q->sp[-1] != r->types[1] || q->sp[-2] != r->types[0]) return false;
    q->sp[-2] = r->types[2];
    q->sp--;
    return true;
}

VM_INLINE bool vm_quick_load(const struct vm_walker *w, struct vm_quick_state *q,
                             const struct vm_quick_row *r, struct vm_insn *in)
{
    if (!vm_quick_memarg(w, q, r, in) || q->sp[-1] != VM_I32) return false;
    q->sp[-1] = r->types[1];
    return true;
}

VM_INLINE bool vm_quick_store(const struct vm_walker *w, struct vm_quick_state *q,
                              const struct vm_quick_row *r, struct vm_insn *in)
{
    if (!vm_quick_memarg(w, q, r, in)) return false;
    if (q->sp[-1] != r->types[1] || q->sp[-2] != VM_I32) return false;
    q->sp -= 2;
    return true;
}

/* i32.const, and i64.const in at most 8 bytes. */
VM_INLINE bool vm_quick_const(struct vm_quick_state *q, struct vm_insn *in, vm_valtype type)
{
    const u8 *p = q->p + 1, *behind = vm_quick_leb(p, type == VM_I32 ? 5 : 8);
    if (!behind || !vm_quick_next(q, behind)) return false;
    /* The unused bits of a fifth byte are as the sign bit, its fourth. */
    if (type == VM_I32 && VM_UNLIKELY(behind - p == 5) && ((p[4] + 8) & 0x70) != 0) return false;
    u64 sign = (u64)1 << (7 * (behind - p) - 1), value = (vm_quick_bits(p, behind) ^ sign) - sign;
    in->imm.bits = type == VM_I32 ? (u32)value : value;
    *q->sp++ = type;
    return true;
}

VM_INLINE bool vm_quick_float(struct vm_quick_state *q, struct vm_insn *in, vm_valtype type)
{
    if (!vm_quick_size(q, type == VM_F32 ? 5 : 9)) return false;
    in->imm.bits = type == VM_F32 ? vm_load_u32(q->p + 1) : vm_load_u64(q->p + 1);
    *q->sp++ = type;
    return true;
}

VM_INLINE bool vm_quick_drop(struct vm_quick_state *q, struct vm_insn *in)
{
    if (!vm_quick_size(q, 1) || q->sp[-1] == VM_MARK) return false;
    in->type = *--q->sp;
    return true;
}

VM_INLINE bool vm_quick_select(struct vm_quick_state *q, struct vm_insn *in)
{
    if (!vm_quick_size(q, 1) || q->sp[-1] != VM_I32) return false;
    vm_valtype type = q->sp[-2];
    if (type - VM_V128 > VM_I32 - VM_V128 || q->sp[-3] != type) return false;
    in->type = type;
    q->sp -= 2;
    return true;
}

/* ---------------------------------------------------------------- variables */

VM_INLINE bool vm_quick_get(struct vm_quick_state *q, const struct vm_insn *in)
{
    *q->sp++ = in->type;
    return true;
}

/* Sets keep 0 values, local.tee 1. */
VM_INLINE bool vm_quick_set(struct vm_quick_state *q, const struct vm_insn *in, u32 keep)
{
    if (q->sp[-1] != in->type) return false;
    q->sp -= 1 - keep;
    return true;
}

/* How many locals may be read without looking whether they were set. */
VM_INLINE u32 vm_quick_locals(const struct vm_walker *w)
{
    return w->locals.need_value ? 0 : w->locals.expanded;
}

/* Index and type of a local. */
VM_INLINE bool vm_quick_local(const struct vm_walker *w, struct vm_quick_state *q,
                              struct vm_insn *in)
{
    const u8 *behind = q->p + 2;
    in->a = q->p[1];
    if (VM_UNLIKELY(in->a >= q->local_count)) {
        behind = vm_quick_index(q->p + 1, vm_quick_locals(w), &in->a);
        if (!behind) return false;
    }
    in->type = q->locals[in->a];
    return vm_quick_next(q, behind);
}

VM_INLINE bool vm_quick_local_get(const struct vm_walker *w, struct vm_quick_state *q,
                                  struct vm_insn *in)
{
    return vm_quick_local(w, q, in) && vm_quick_get(q, in);
}

VM_INLINE bool vm_quick_local_set(const struct vm_walker *w, struct vm_quick_state *q,
                                  struct vm_insn *in, u32 keep)
{
    return vm_quick_local(w, q, in) && vm_quick_set(q, in, keep);
}

VM_INLINE bool vm_quick_global(const struct vm_walker *w, struct vm_quick_state *q,
                               struct vm_insn *in, bool is_set)
{
    const u8 *behind = vm_quick_index(q->p + 1, w->m->global_count, &in->a);
    if (!behind || !vm_quick_next(q, behind)) return false;
    const struct vm_globaltype *g = &w->m->globals[in->a].type;
    in->type = g->type;
    return is_set ? g->is_mutable && vm_quick_set(q, in, 0) : vm_quick_get(q, in);
}

/* ---------------------------------------------------------------- control */

/* The parameters are there exactly, and there is one result at most. */
VM_INLINE bool vm_quick_apply(struct vm_quick_state *q, const struct vm_functype *f)
{
    u32 count = f->param_count;
    if (f->result_count > 1) return false;
    /* From the top down: at the latest the mark is another type. */
    const vm_valtype *want = f->types + count, *have = q->sp;
    while (want > f->types) {
        if (*--have != *--want) return false;
    }
    q->sp -= count;
    if (f->result_count) *q->sp++ = f->types[count];
    return true;
}

VM_INLINE bool vm_quick_call(const struct vm_walker *w, struct vm_quick_state *q,
                             struct vm_insn *in)
{
    const u8 *behind = vm_quick_index(q->p + 1, w->m->func_count, &in->a);
    if (!behind || !vm_quick_next(q, behind)) return false;
    in->func = vm_module_functype(w->m, in->a);
    return vm_quick_apply(q, in->func);
}

/* Through a table of funcref with 32-bit indices, of a number of one byte. */
VM_INLINE bool vm_quick_call_indirect(const struct vm_walker *w, struct vm_quick_state *q,
                                      struct vm_insn *in)
{
    const u8 *behind = vm_quick_index(q->p + 1, w->m->types.count, &in->a);
    if (!behind || *behind >= 0x80 || *behind >= w->m->table_count) return false;
    in->b = *behind;
    const struct vm_tabletype *t = &w->m->tables[in->b].type;
    const struct vm_deftype *d = &w->m->types.types[in->a];
    if (t->elem != VM_FUNCREF || t->limits.is_64 || d->kind != VM_COMP_FUNC) return false;
    if (!vm_quick_next(q, behind + 1) || q->sp[-1] != VM_I32) return false;
    in->func = &d->of.func;
    q->sp--;
    if (vm_quick_apply(q, in->func)) return true;
    q->sp++;
    return false;
}

/* One value at most is taken by a branch to `c`, and it is there, `below` so many others. */
VM_INLINE bool vm_quick_label(const struct vm_quick_state *q, const struct vm_ctrl *c, u32 below)
{
    if (VM_LIKELY(c->bt_kind == VM_BT_EMPTY)) return true;
    if (c->bt_kind == VM_BT_INDEX) return false;
    return c->op == VM_OP_LOOP || q->sp[-1 - (int)below] == c->type;
}

/* The label's number, in one byte. */
VM_INLINE const struct vm_ctrl *vm_quick_target(const struct vm_walker *w, struct vm_quick_state *q,
                                                struct vm_insn *in)
{
    in->a = q->p[1];
    if (in->a >= w->ctrl_count || in->a >= 0x80 || !vm_quick_size(q, 2)) return NULL;
    return w->top - in->a;
}

VM_INLINE bool vm_quick_leave_arm(const struct vm_walker *w, struct vm_quick_state *q)
{
    q->sp = w->stack + w->top->height;
    w->top->unreachable = true;
    return true;
}

VM_INLINE bool vm_quick_br(const struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in)
{
    const struct vm_ctrl *c = vm_quick_target(w, q, in);
    return c && vm_quick_label(q, c, 0) && vm_quick_leave_arm(w, q);
}

VM_INLINE bool vm_quick_br_if(const struct vm_walker *w, struct vm_quick_state *q,
                              struct vm_insn *in)
{
    const struct vm_ctrl *c = vm_quick_target(w, q, in);
    if (!c || q->sp[-1] != VM_I32 || !vm_quick_label(q, c, 1)) return false;
    q->sp--;
    return true;
}

VM_INLINE bool vm_quick_return(const struct vm_walker *w, struct vm_quick_state *q)
{
    return vm_quick_size(q, 1) && vm_quick_label(q, w->ctrls, 0) && vm_quick_leave_arm(w, q);
}

VM_INLINE bool vm_quick_unreachable(const struct vm_walker *w, struct vm_quick_state *q)
{
    return vm_quick_size(q, 1) && vm_quick_leave_arm(w, q);
}

VM_INLINE struct vm_blocktype vm_quick_describe(const struct vm_ctrl *c)
{
    u32 count = c->bt_kind == VM_BT_VALUE;
    return (struct vm_blocktype){.results = count ? &c->type : NULL, .result_count = count};
}

/* Without parameters, with no result or one number; `pops`: 1 for the condition of if. */
VM_INLINE bool vm_quick_block(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in,
                              vm_op op, u32 pops)
{
    u8 type = q->p[1];
    if (VM_UNLIKELY(type != 0x40) && (type < VM_F64 || type > VM_I32)) return false;
    if (w->ctrl_count == w->ctrl_cap || !vm_quick_size(q, 2)) return false;
    if (pops && q->sp[-1] != VM_I32) return false;
    q->sp -= pops;
    *q->sp++ = VM_MARK;
    bool dead = w->top->unreachable | w->top->dead;
    *++w->top = (struct vm_ctrl){.height = (u32)(q->sp - w->stack),
                                 .inits = w->locals.set_count,
                                 .type = type,
                                 .op = (u16)op,
                                 .bt_kind = type == 0x40 ? VM_BT_EMPTY : VM_BT_VALUE,
                                 .dead = dead};
    w->ctrl_count++;
    in->block = vm_quick_describe(w->top);
    return true;
}

/* The innermost arm has what its end takes and nothing else; that is popped. */
VM_INLINE bool vm_quick_arm_ends(const struct vm_walker *w, struct vm_quick_state *q)
{
    const struct vm_ctrl *c = w->top;
    if (w->locals.need_value) return false;
    if (VM_LIKELY(c->bt_kind == VM_BT_EMPTY)) return q->sp[-1] == VM_MARK;
    if (c->bt_kind == VM_BT_INDEX) return false;
    if (c->unreachable && q->sp[-1] == VM_MARK) return true;
    if (q->sp[-1] != c->type || q->sp[-2] != VM_MARK) return false;
    q->sp--;
    return true;
}

VM_INLINE bool vm_quick_else(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in)
{
    if (!vm_quick_size(q, 1) || w->top->op != VM_OP_IF || !vm_quick_arm_ends(w, q)) return false;
    in->block = vm_quick_describe(w->top);
    w->top->op = VM_OP_ELSE;
    w->top->unreachable = false;
    return true;
}

/* Of a block, not of the body. An if with a result ends here without an else. */
VM_INLINE bool vm_quick_end(struct vm_walker *w, struct vm_quick_state *q, struct vm_insn *in)
{
    const struct vm_ctrl *c = w->top;
    if (c->op == VM_CTRL_BODY || (c->op == VM_OP_IF && c->bt_kind != VM_BT_EMPTY)) return false;
    if (!vm_quick_size(q, 1) || !vm_quick_arm_ends(w, q)) return false;
    in->block = vm_quick_describe(c);
    q->sp--;
    if (c->bt_kind == VM_BT_VALUE) *q->sp++ = c->type;
    w->top--;
    w->ctrl_count--;
    return true;
}

/**
 * Every short cut: X(kind, check), with w, q, r and in as above. True: immediates are read, the
 * stacks changed and q->next set; `in` knows what a sink wants to know. False: nothing has
 * happened.
 */
// clang-format off
#define VM_QUICK_EACH(X)                                                                           \
    X(NOP, vm_quick_size(q, 1))                                                                    \
    X(UNARY, vm_quick_unary(q, r))                                                                 \
    X(BINARY, vm_quick_binary(q, r))                                                               \
    X(LOAD, vm_quick_load(w, q, r, in))                                                            \
    X(STORE, vm_quick_store(w, q, r, in))                                                          \
    X(I32_CONST, vm_quick_const(q, in, VM_I32))                                                    \
    X(I64_CONST, vm_quick_const(q, in, VM_I64))                                                    \
    X(F32_CONST, vm_quick_float(q, in, VM_F32))                                                    \
    X(F64_CONST, vm_quick_float(q, in, VM_F64))                                                    \
    X(DROP, vm_quick_drop(q, in))                                                                  \
    X(SELECT, vm_quick_select(q, in))                                                              \
    X(LOCAL_GET, vm_quick_local_get(w, q, in))                                                     \
    X(LOCAL_SET, vm_quick_local_set(w, q, in, 0))                                                  \
    X(LOCAL_TEE, vm_quick_local_set(w, q, in, 1))                                                  \
    X(GLOBAL_GET, vm_quick_global(w, q, in, false))                                                \
    X(GLOBAL_SET, vm_quick_global(w, q, in, true))                                                 \
    X(CALL, vm_quick_call(w, q, in))                                                               \
    X(CALL_INDIRECT, vm_quick_call_indirect(w, q, in))                                             \
    X(UNREACHABLE, vm_quick_unreachable(w, q))                                                     \
    X(BR, vm_quick_br(w, q, in))                                                                   \
    X(BR_IF, vm_quick_br_if(w, q, in))                                                             \
    X(RETURN, vm_quick_return(w, q))                                                               \
    X(BLOCK, vm_quick_block(w, q, in, (vm_op)r->op, 0))                                            \
    X(IF, vm_quick_block(w, q, in, VM_OP_IF, 1))                                                   \
    X(ELSE, vm_quick_else(w, q, in))                                                               \
    X(END, vm_quick_end(w, q, in))
// clang-format on

#endif
