/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops over the short cuts of quick.h. Without a sink each short cut is a function: its state
 * is in registers, and it ends with a jump of its own to the next, which processors predict far
 * better than one jump for all. No rules here.
 */
#include "validate/quick.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

/* By the byte; of what stands behind a prefix nothing is known. */
static const struct vm_quick_row rows[256] = {
    [0 ... 255] = {.op = VM_OP_ILLEGAL},
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [(prefix) ? (prefix) : (code)] = {                                                             \
        (prefix) ? VM_QUICK_NONE : VM_QUICK_OF(VM_QUICK_, VM_OP_##id, VM_IMM_##imm, sig),          \
        align,                                                                                     \
        {VM_SIG_TYPE(sig, 0), VM_SIG_TYPE(sig, 1), VM_SIG_TYPE(sig, 2)},                           \
        (prefix) ? VM_OP_ILLEGAL : VM_OP_##id},
#include "isa/wasm_ops.def"
#undef OP
};

/* What the short cuts may serve, all of it: they don't look at the feature of each. */
static const vm_features served = 0
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    | ((prefix) || VM_QUICK_OF(VM_QUICK_, VM_OP_##id, VM_IMM_##imm, sig) == VM_QUICK_NONE          \
           ? 0                                                                                     \
           : (vm_features)1 << VM_FEATURE_##feature)
#include "isa/wasm_ops.def"
#undef OP
    ;

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

static struct vm_quick_state enter(const struct vm_walker *w)
{
    u32 locals = vm_quick_locals(w);
    return (struct vm_quick_state){
        .p = w->c.p,
        .end = end_of(w),
        .sp = w->sp,
        .locals = w->locals.types,
        .local_count = locals < 0x80 ? locals : 0x80,
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

/* preserve_none: all registers are free; sanitizer builds define this empty. */
#ifndef VM_HANDLER_CC
#define VM_HANDLER_CC __attribute__((preserve_none))
#endif

typedef VM_HANDLER_CC void step_fn(STATE);
static step_fn *const steps[VM_QUICK_END + 1];

static VM_HANDLER_CC void at_NONE(STATE)
{
    (void)end, (void)locals, (void)local_count;
    leave(w, p, sp);
}

/*
 * static void at_DROP(w, p, sp, end, locals, local_count)
 * {
 *     if (!vm_quick_drop(q, in)) musttail return at_NONE(w, p, sp, …);
 *     musttail return steps[rows[*q->next].quick](w, q->next, q->sp, …);
 * }
 */
#define STEP(kind, check)                                                                          \
    static VM_HANDLER_CC void at_##kind(STATE)                                                     \
    {                                                                                              \
        struct vm_quick_state state = {p, p, end, sp, locals, local_count}, *q = &state;           \
        struct vm_insn unused, *in = &unused; /* what is told here, the compiler leaves out */     \
        const struct vm_quick_row *r = &rows[*p];                                                  \
        (void)in, (void)r;                                                                         \
        bool good = check;                                                                         \
        if (VM_UNLIKELY(!good)) GO_ON(at_NONE)(w, p, sp, end, locals, local_count);                \
        GO_ON(steps[rows[*q->next].quick])(w, q->next, q->sp, end, locals, local_count);           \
    }
VM_QUICK_EACH(STEP)
#undef STEP

// clang-format off
static step_fn *const steps[VM_QUICK_END + 1] = {
    [VM_QUICK_NONE] = at_NONE,
#define STEP(kind, check) [VM_QUICK_##kind] = at_##kind,
    VM_QUICK_EACH(STEP)
#undef STEP
};
// clang-format on

static void walk_alone(struct vm_walker *w, struct vm_quick_state *q)
{
    if (q->p < q->end) steps[rows[*q->p].quick](w, q->p, q->sp, q->end, q->locals, q->local_count);
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
    if (served & ~w->features) return true;
    struct vm_quick_state q = enter(w);
    if (w->sink) return walk_telling(w, &q);
    walk_alone(w, &q);
    walk_last(w);
    return true;
}
