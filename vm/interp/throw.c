/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throwing: finds the handler up the frames before anything changes, so that an uncaught exception
 * stops with the frames of its throw in place, then goes on in it. What is only caught by its
 * values never becomes an object.
 */
#include "interp/slow.h"
#include "interp/step.h"

#include <string.h>

/** What is thrown, and where. */
struct thrown {
    struct vm_tag *tag;
    const union vm_slot *values;
    struct vm_exception *exception; /* NULL: there is no object yet */
    const union vm_word *pc; /* in the instruction */
    union vm_slot *fp;
};

/** A frame, and the handler in it. */
struct handler {
    struct vm_frame_at at;
    const struct vm_code *code;
    const struct vm_catch *clause; /* NULL: there is none */
    bool cancelled; /* looking was given up */
};

/** The innermost region that a word is in; VM_TRY_NONE: none. */
static u32 region_at(const struct vm_handlers *h, u32 word)
{
    u32 lo = 0, hi = h->try_count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (h->tries[mid].begin <= word)
            lo = mid + 1;
        else
            hi = mid;
    }
    u32 region = lo ? lo - 1 : (u32)VM_TRY_NONE;
    while (region != VM_TRY_NONE && word >= h->tries[region].end) region = h->tries[region].parent;
    return region;
}

static const struct vm_catch *clause_at(const struct vm_handlers *h, u32 word,
                                        const struct vm_instance *inst, const struct vm_tag *tag)
{
    for (u32 r = region_at(h, word); r != VM_TRY_NONE; r = h->tries[r].outer) {
        for (u32 i = h->tries[r].first; i != VM_CATCH_NONE; i = h->catches[i].next) {
            const struct vm_catch *c = &h->catches[i];
            if (c->tag == VM_CATCH_ALL || inst->tags[c->tag] == tag) return c;
        }
    }
    return NULL;
}

/** spec exec-throw_ref. A long search gives way to a cancel. */
static struct handler search(const struct vm_exec *x, const struct thrown *t)
{
    const union vm_word *foreign = vm_return_stub(x);
    struct handler h = {.at = {.fp = t->fp, .pc = t->pc, .inst = x->now.inst}};
    while ((h.code = h.at.fp[VM_FRAME_CODE].cptr) != NULL) {
        if (h.code->handlers) {
            u32 word = (u32)(h.at.pc - h.code->words);
            h.clause = clause_at(h.code->handlers, word, h.at.inst, t->tag);
            if (h.clause) return h;
            u32 bits = atomic_load_explicit(&x->interrupt, memory_order_relaxed);
            h.cancelled = bits & VM_INTERRUPT_CANCEL;
            if (VM_UNLIKELY(h.cancelled)) return h;
        }
        vm_frame_up(&h.at, foreign);
        h.at.pc--; /* in the call */
    }
    return h;
}

/** Puts the values where the clause wants them, and goes there. */
static u32 land(struct vm_exec *x, const struct thrown *t, const struct handler *h)
{
    const struct vm_catch *c = h->clause;
    u32 slots = c->tag == VM_CATCH_ALL ? 0 : t->tag->sig->param_slots;
    memmove(h->at.fp + c->values, t->values, (usize)slots * sizeof *t->values);
    if (c->ref != VM_NO_SLOT) h->at.fp[c->ref].ptr = t->exception;
    x->exception = NULL;
    x->now.pc = h->code->words + c->target;
    x->now.fp = h->at.fp;
    x->now.inst = h->at.inst;
    x->now.cells = h->at.inst->cells;
    /* a place to stop at: loops may consist of throws */
    return atomic_load_explicit(&x->interrupt, memory_order_relaxed) ? (u32)VM_STOP_INTERRUPT
                                                                     : (u32)VM_TAKEN;
}

/** VM_STOP_INTERRUPT: in the handler, or of a cancel, where it was thrown. */
static u32 throw_it(struct vm_exec *x, struct thrown *t)
{
    x->now.pc = t->pc;
    x->now.fp = t->fp;
    struct handler h = search(x, t);
    if (h.cancelled) return VM_STOP_INTERRUPT;
    bool wants_object = !h.clause || h.clause->ref != VM_NO_SLOT;
    if (wants_object && !t->exception) {
        t->exception = vm_exception_new(x->store, t->tag, t->values);
        if (!t->exception) return VM_STOP_OOM;
    }
    if (h.clause) return land(x, t, &h);
    x->exception = t->exception;
    return VM_STOP_EXCEPTION;
}

static u32 throw_object(struct vm_exec *x, struct vm_exception *e, const union vm_word *pc,
                        union vm_slot *fp)
{
    struct thrown t = {.tag = e->tag, .values = e->values, .exception = e, .pc = pc, .fp = fp};
    return throw_it(x, &t);
}

u32 vm_slow_throw(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp)
{
    const union vm_word w = pc[1];
    struct thrown t = {
        .tag = x->now.inst->tags[(u32)w.w.hi], .values = fp + w.w.lo, .pc = pc, .fp = fp};
    return throw_it(x, &t);
}

u32 vm_slow_throw_ref(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp)
{
    struct vm_exception *e = fp[pc[1].s.a].ptr;
    if (e) return throw_object(x, e, pc, fp);
    x->now.pc = pc;
    x->now.fp = fp;
    return VM_TRAP_NULL_EXN_REF;
}

u32 vm_throw_at_call(struct vm_exec *x, struct vm_exception *e)
{
    return throw_object(x, e, x->now.pc - 1, x->now.fp);
}
