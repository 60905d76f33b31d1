/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle's exceptions, standard and legacy: search from the innermost label outwards, frame by
 * frame; nothing is unwound before a handler was found. spec exec-throw_ref
 */
#include "ref_machine.h"

enum { CATCH = 0, CATCH_REF = 1, CATCH_ALL = 2, CATCH_ALL_REF = 3 };

const struct ref_exn *ref_exn_new(struct machine *m, const struct ref_tag *tag)
{
    u32 n = tag->type->param_count;
    struct ref_exn *e = ref_alloc(m->store, sizeof *e + n * sizeof e->vals[0]);
    e->tag = tag;
    for (u32 i = n; i-- > 0;) e->vals[i] = ref_pop(m);
    return e;
}

/** Everything inside label `li` of frame `fi` ends; the label too, unless it is kept. */
static void unwind_to(struct machine *m, u32 fi, u32 li, bool keep)
{
    m->frame_count = fi + 1;
    m->f = &m->frames[fi];
    m->val_count = m->labels[li].height;
    m->label_count = li + keep;
}

static void push_values(struct machine *m, const struct ref_exn *e)
{
    for (u32 i = 0; i < e->tag->type->param_count; i++) ref_push(m, e->vals[i]);
}

/** spec exec-try_table */
static bool try_table(struct machine *m, u32 fi, u32 li, const struct ref_exn *e)
{
    const u8 *p = m->labels[li].clauses;
    for (u64 n = ref_leb(&p); n; n--) {
        u8 kind = *p++;
        bool all = kind == CATCH_ALL || kind == CATCH_ALL_REF;
        u64 tag = all ? 0 : ref_leb(&p), depth = ref_leb(&p);
        if (!all && m->frames[fi].inst->tags[tag] != e->tag) continue;
        unwind_to(m, fi, li, false);
        if (!all) push_values(m, e);
        if (kind == CATCH_REF || kind == CATCH_ALL_REF) ref_push_bits(m, (u64)(uintptr_t)e);
        ref_branch(m, depth);
        return true;
    }
    return false;
}

enum { NO_DELEGATE = UINT32_MAX };

/** A legacy try: its handlers stand one behind the other. `delegate` takes a delegate's label. */
static bool legacy_try(struct machine *m, u32 fi, u32 li, const struct ref_exn *e, u32 *delegate)
{
    const struct frame *f = &m->frames[fi];
    const struct ref_body *b = f->body;
    u32 at = b->else_of[m->labels[li].clauses - b->start];
    for (; at; at = b->else_of[at]) {
        const u8 *p = b->start + at;
        u32 op = ref_op(&p);
        u64 index = op == VM_OP_CATCH_ALL ? 0 : ref_leb(&p);
        if (op == VM_OP_DELEGATE) {
            *delegate = (u32)index;
            return false;
        }
        if (op == VM_OP_CATCH && f->inst->tags[index] != e->tag) continue;
        unwind_to(m, fi, li, true);
        m->labels[li].kind = LABEL_CATCH;
        m->labels[li].exn = e;
        m->f->p = p;
        if (op == VM_OP_CATCH) push_values(m, e);
        return true;
    }
    return false;
}

static bool catch_in_frame(struct machine *m, u32 fi, u32 labels, const struct ref_exn *e)
{
    u32 base = m->frames[fi].labels;
    for (u32 li = labels; li-- > base;) {
        u32 kind = m->labels[li].kind, delegate = NO_DELEGATE;
        if (kind == LABEL_TRY_TABLE && try_table(m, fi, li, e)) return true;
        if (kind == LABEL_TRY && legacy_try(m, fi, li, e, &delegate)) return true;
        if (delegate == NO_DELEGATE) continue;
        if (delegate >= li - base) return false; /* its label is the function */
        li -= delegate;
    }
    return false;
}

void ref_throw(struct machine *m)
{
    const struct ref_exn *e = m->thrown;
    u32 labels = m->label_count;
    m->thrown = NULL;
    m->store->throws++;
    for (u32 fi = m->frame_count; fi-- > 0;) {
        u32 base = m->frames[fi].labels;
        if (catch_in_frame(m, fi, labels, e)) return;
        labels = base;
    }
    m->thrown = e;
    m->uncaught = true;
}

bool ref_exceptions(struct machine *m, u32 op)
{
    const u8 **p = &m->f->p;
    struct ref_val v;
    switch (op) {
    case VM_OP_THROW: m->thrown = ref_exn_new(m, m->f->inst->tags[ref_leb(p)]); return true;
    case VM_OP_THROW_REF:
        v = ref_pop(m);
        m->thrown = (const struct ref_exn *)(uintptr_t)v.bits;
        if (!v.bits) m->trap = VM_TRAP_NULL_EXN_REF;
        return true;
    case VM_OP_RETHROW: m->thrown = m->labels[m->label_count - 1 - ref_leb(p)].exn; return true;
    case VM_OP_CATCH:
    case VM_OP_CATCH_ALL: /* what stands before it has ended */
    case VM_OP_DELEGATE: *p = m->labels[--m->label_count].to; return true;
    default: return false;
    }
}
