/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops over the short cuts of quick.h. Without a sink every opcode has a function of its own,
 * made from wasm_ops.def: types are constants there, the state is in registers, and each ends with
 * a jump of its own to the next, which processors predict far better than one jump for all. No
 * rules here.
 */
#include "validate/quick.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

/* By the byte; of what stands behind a prefix nothing is known. */
static const struct vm_quick_row rows[256] = {
    [0 ... 255] = {.op = VM_OP_ILLEGAL},
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [(prefix) ? (prefix)                                                                           \
              : (code)] = {(prefix) ? VM_QUICK_NONE : VM_QUICK_OF(VM_OP_##id, VM_IMM_##imm, sig),  \
                           VM_FEATURE_##feature,                                                   \
                           align,                                                                  \
                           {VM_SIG_TYPE(sig, 0), VM_SIG_TYPE(sig, 1), VM_SIG_TYPE(sig, 2)},        \
                           (prefix) ? VM_OP_ILLEGAL : VM_OP_##id},
#include "isa/wasm_ops.def"
#undef OP
};

/*
 * Up to the end of the body, unless room for values ends before: then the full rules make more for
 * one instruction. The last bytes of a module are theirs too, for nothing may be read behind them.
 */
static const u8 *end_of(const struct vm_walker *w)
{
    usize left = (usize)(w->c.end - w->c.p);
    usize ahead = (usize)(w->m->bytes + w->m->size - w->c.p);
    usize room = VM_QUICK_PUSH_BYTES * (usize)(w->limit - w->sp);
    ahead = ahead < VM_QUICK_AHEAD ? 0 : ahead - VM_QUICK_AHEAD;
    if (left > ahead) left = ahead;
    return w->c.p + (left < room ? left : room);
}

static struct vm_quick_state enter(struct vm_walker *w)
{
    return (struct vm_quick_state){
        .p = w->c.p,
        .end = end_of(w),
        .sp = w->sp,
        .locals = w->locals.types,
        .local_count = w->locals.need_value ? 0 : w->locals.expanded,
    };
}

static void leave(struct vm_walker *w, const u8 *p, vm_valtype *sp)
{
    w->c.p = p;
    w->sp = sp;
    w->floor = w->stack + w->top->height;
}

/* The end of the body and nothing behind it: w->ctrl_count becomes 0. */
static void walk_last(struct vm_walker *w)
{
    if (w->ctrl_count != 1 || w->c.p + 1 != w->c.end || *w->c.p != 0x0b) return;
    struct vm_quick_state q = {.p = w->c.p, .sp = w->sp};
    if (!vm_quick_arm_ends(w, &q)) return;
    leave(w, q.p + 1, q.sp - 1);
    w->ctrl_count = 0;
}

/* One instruction; false: it is not for us. */
VM_INLINE bool check_row(struct vm_walker *w, struct vm_quick_state *q,
                         const struct vm_quick_row *r, struct vm_insn *in)
{
    if (r->feature != VM_FEATURE_MVP && !(w->features >> r->feature & 1)) return false;
    switch ((enum vm_quick)r->quick) {
#define CASE(kind, check)                                                                          \
    case VM_QUICK_##kind: return check;
        VM_QUICK_EACH(CASE)
#undef CASE
    case VM_QUICK_NONE: break;
    }
    return false;
}

#if VM_DISPATCH_TAIL

#define STATE                                                                                      \
    struct vm_walker *w, const u8 *p, vm_valtype *sp, const u8 *end, const vm_valtype *locals,     \
        u32 local_count
#define GO_ON(to) __attribute__((musttail)) return (to)

typedef void step_fn(STATE);
static step_fn *const steps[256];

static void stop(STATE)
{
    (void)end, (void)locals, (void)local_count;
    leave(w, p, sp);
}

/*
 * static void at_I32_ADD(w, p, sp, end, locals, local_count)
 * {
 *     if (!vm_quick_binary(q, &rows[0x6a])) musttail return stop(w, p, sp, …);
 *     musttail return steps[*q->next](w, q->next, q->sp, …);
 * }
 */
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    static void at_##id(STATE)                                                                     \
    {                                                                                              \
        struct vm_quick_state state = {p, p, end, sp, locals, local_count}, *q = &state;           \
        struct vm_insn unused, *in = &unused; /* what is told here, the compiler leaves out */     \
        bool good = check_row(w, q, &rows[(prefix) ? (prefix) : (code)], in);                      \
        if (VM_UNLIKELY(!good)) GO_ON(stop)(w, p, sp, end, locals, local_count);                   \
        GO_ON(steps[*q->next])(w, q->next, q->sp, end, locals, local_count);                       \
    }
#include "isa/wasm_ops.def"
#undef OP

static step_fn *const steps[256] = {
    [0 ... 255] = stop,
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [(prefix) ? (prefix) : (code)] = (prefix) ? stop : at_##id,
#include "isa/wasm_ops.def"
#undef OP
};

static void walk_alone(struct vm_walker *w, struct vm_quick_state *q)
{
    if (q->p < q->end) steps[*q->p](w, q->p, q->sp, q->end, q->locals, q->local_count);
}

#else

static void walk_alone(struct vm_walker *w, struct vm_quick_state *q)
{
    struct vm_insn unused;
    while (q->p < q->end && check_row(w, q, &rows[*q->p], &unused)) q->p = q->next;
    leave(w, q->p, q->sp);
}

#endif

#pragma GCC diagnostic pop

static bool walk_telling(struct vm_walker *w, struct vm_quick_state *q)
{
    struct vm_insn *in = &w->insn;
    while (q->p < q->end) {
        const struct vm_quick_row *r = &rows[*q->p];
        in->reachable = !w->top->unreachable && !w->top->dead;
        if (!check_row(w, q, r, in)) break;
        in->op = (vm_op)r->op;
        in->offset = (u32)(q->p - w->c.start);
        q->p = q->next;
        if (!vm_walk_tell_sink(w)) return false;
    }
    leave(w, q->p, q->sp);
    return true;
}

bool vm_walk_quickly(struct vm_walker *w)
{
    if (!(w->features >> VM_FEATURE_MVP & 1)) return true;
    struct vm_quick_state q = enter(w);
    if (w->sink) return walk_telling(w, &q);
    walk_alone(w, &q);
    walk_last(w);
    return true;
}
