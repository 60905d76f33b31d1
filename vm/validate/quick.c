/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop over the short cuts of quick.h. Its twin for walks without a sink is threaded: each
 * short cut ends with a jump of its own to the next, which processors predict far better than one
 * jump for all (a fifth of the time of loading a module). No rules here.
 */
#include "validate/quick.h"

static struct vm_quick_state enter(const struct vm_walker *w)
{
    const struct vm_module *m = w->m;
    return (struct vm_quick_state){
        .p = w->c.p,
        .end = w->c.end,
        .sp = w->sp,
        .floor = w->floor,
        .limit = w->limit - VM_WALK_ROOM,
        .locals = w->locals.types,
        .local_count = w->locals.need_value ? 0 : w->locals.expanded,
        .memory = m->memory_count > 0 && !m->memories[0].is_64,
    };
}

static bool leave(struct vm_walker *w, const struct vm_quick_state *q)
{
    w->c.p = q->start;
    w->sp = q->sp;
    w->floor = q->floor;
    return true;
}

/** Takes the next opcode; false when it is not for us: the end, no room, or switched off. */
VM_INLINE bool next_row(const struct vm_walker *w, struct vm_quick_state *q,
                        const struct vm_quick_row **r)
{
    q->start = q->p;
    if (q->p == q->end || q->sp > q->limit) return false;
    *r = &vm_quick_rows[*q->p++];
    return w->features >> (*r)->feature & 1;
}

static bool walk_alone(struct vm_walker *w)
{
    // clang-format off
    static const void *const labels[] = {
        [VM_QUICK_NONE] = &&stop,
#define LABEL(kind, check) [VM_QUICK_##kind] = &&kind,
        VM_QUICK_EACH(LABEL)
#undef LABEL
    };
    // clang-format on
    struct vm_quick_state state = enter(w), *q = &state;
    struct vm_insn unused, *in = &unused; /* what is told here, the compiler leaves out */
    const struct vm_quick_row *r;
    if (!next_row(w, q, &r)) goto stop;
    goto *labels[r->quick];
    /* UNARY: if (!vm_quick_unary(q, r) || !next_row(w, q, &r)) goto stop; goto *labels[r->quick];
     */
#define STEP(kind, check)                                                                          \
kind:                                                                                              \
    if (!(check) || !next_row(w, q, &r)) goto stop;                                                \
    goto *labels[r->quick];
    VM_QUICK_EACH(STEP)
#undef STEP
stop:
    return leave(w, q);
}

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

static bool walk_telling(struct vm_walker *w)
{
    struct vm_quick_state q = enter(w);
    struct vm_insn *in = &w->insn;
    for (;;) {
        const struct vm_quick_row *r;
        in->reachable = !w->top->unreachable && !w->top->dead;
        if (!next_row(w, &q, &r) || !check_row(w, &q, r, in)) return leave(w, &q);
        in->op = (vm_op)r->op;
        in->offset = (u32)(q.start - w->c.start);
        if (!vm_walk_tell_sink(w)) return false;
    }
}

bool vm_walk_quickly(struct vm_walker *w) { return w->sink ? walk_telling(w) : walk_alone(w); }
