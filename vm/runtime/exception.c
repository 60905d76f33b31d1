/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mark and sweep over a store's exceptions. Value stacks are scanned conservatively (a frame does
 * not say which slots are references); globals, tables, segments and exceptions by their types.
 */
#include "runtime/exception.h"

#include "runtime/exec.h"

#include <string.h>

enum {
    SMALL_SLOTS = 4, /* all that need no more have this many, and are kept for the next */
    COUNT_MIN = 1024,
    BYTES_MIN = 1 << 18,
    ROOTS_PER_EXCEPTION = 8 /* a collection pays when this many roots come to each new exception */
};

static u64 bytes_of(u32 slots)
{
    return sizeof(struct vm_exception) + (u64)slots * sizeof(union vm_slot);
}

static bool holds_exceptions(vm_valtype t)
{
    return vm_valtype_is_ref(t) &&
           vm_valtype_heap(t) == (u32)(VM_HEAP_ABSTRACT | VM_HEAP_EXN); /* noexn: only null */
}

/* ---- the set of live ones */

static u32 bucket_of(const struct vm_exceptions *e, const void *p)
{
    u64 h = ((u64)(uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u;
    return (u32)(h >> 32) & (e->table_size - 1);
}

static void make_set(struct vm_exceptions *e)
{
    if (e->table_size) memset(e->table, 0, (usize)e->table_size * sizeof(void *));
    for (u32 i = 0; i < e->live.len; i++) {
        u32 at = bucket_of(e, e->live.data[i]);
        while (e->table[at]) at = (at + 1) & (e->table_size - 1);
        e->table[at] = e->live.data[i];
    }
}

/** The exception that a word is the address of, or NULL. */
static struct vm_exception *find(const struct vm_exceptions *e, const void *p)
{
    if (e->table_size == 0) return NULL;
    u32 at = bucket_of(e, p);
    while (e->table[at] && e->table[at] != p) at = (at + 1) & (e->table_size - 1);
    return e->table[at];
}

/** Room for one live exception more, in a set that is at most half full. */
static bool reserve(struct vm_store *s)
{
    struct vm_exceptions *e = &s->exceptions;
    if (!VM_VEC_RESERVE(s->alloc, &e->live, 1)) return false;
    u32 size = e->table_size ? e->table_size : COUNT_MIN;
    while (size < 2 * (u64)e->live.cap && size < (u32)1 << 31) size *= 2;
    if (size == e->table_size) return true;
    struct vm_exception **table = vm_alloc_array(s->alloc, size, sizeof(void *));
    if (!table) return false;
    vm_alloc_free(s->alloc, e->table, (usize)e->table_size * sizeof(void *));
    e->table = table;
    e->table_size = size;
    return true;
}

/* ---- marking */

struct marker {
    const struct vm_exceptions *set;
    struct vm_exception *todo; /* marked, values not looked at */
    u64 roots;
};

static void mark(struct marker *m, struct vm_exception *e)
{
    if (!e || e->marked) return;
    e->marked = true;
    e->link = m->todo;
    m->todo = e;
}

/** Any words. */
static void mark_slots(struct marker *m, const union vm_slot *from, const union vm_slot *to)
{
    for (const union vm_slot *s = from; s < to; s++)
        if (s->u64 && s->u64 % sizeof(void *) == 0) mark(m, find(m->set, s->cptr));
    m->roots += to > from ? (u64)(to - from) : 0;
}

/** The values of a tag. */
static void mark_values(struct marker *m, const struct vm_functype *type,
                        const union vm_slot *values)
{
    for (u32 i = 0; i < type->param_count; i++) {
        if (holds_exceptions(type->types[i])) mark(m, values->ptr);
        values += vm_valtype_slots(type->types[i]);
    }
}

static void mark_refs(struct marker *m, void *const *refs, u64 count)
{
    for (u64 i = 0; i < count; i++) mark(m, refs[i]);
    m->roots += count;
}

static void mark_instance(struct marker *m, const struct vm_instance *in)
{
    const struct vm_module *module = &in->program->module;
    for (u32 i = 0; i < module->elem_count; i++)
        if (holds_exceptions(module->elems[i].type))
            mark_refs(m, in->elems[i].refs, in->elems[i].refs ? in->elems[i].size : 0);
}

static void mark_store(struct marker *m, const struct vm_store *s)
{
    for (const struct vm_exec *x = s->execs; x; x = x->next) {
        mark(m, x->exception);
        if (x->now.fp) mark_slots(m, x->stack, vm_exec_top(x));
    }
    mark(m, s->exception);
    for (u32 i = 0; i < s->globals.len; i++)
        if (holds_exceptions(s->globals.data[i]->type.type))
            mark(m, s->globals.data[i]->value[0].ptr);
    for (u32 i = 0; i < s->tables.len; i++)
        if (holds_exceptions(s->tables.data[i]->type.elem))
            mark_refs(m, s->tables.data[i]->elems, s->tables.data[i]->size);
    for (const struct vm_instance *in = s->instances; in; in = in->next) mark_instance(m, in);
    for (u32 i = 0; i < s->exceptions.live.len; i++)
        if (s->exceptions.live.data[i]->holds) mark(m, s->exceptions.live.data[i]);
    m->roots += s->globals.len + s->instance_count;
}

static void mark_all(struct marker *m)
{
    while (m->todo) {
        struct vm_exception *e = m->todo;
        m->todo = e->link;
        mark_values(m, e->tag->sig, e->values);
    }
}

/* ---- sweeping */

static void release(struct vm_store *s, struct vm_exception *e)
{
    s->exceptions.bytes -= bytes_of(e->slots);
    if (e->slots == SMALL_SLOTS) {
        e->link = s->exceptions.free;
        s->exceptions.free = e;
        return;
    }
    vm_alloc_free(s->alloc, e, (usize)bytes_of(e->slots));
}

static void sweep(struct vm_store *s)
{
    struct vm_exceptions *e = &s->exceptions;
    u32 kept = 0;
    for (u32 i = 0; i < e->live.len; i++) {
        struct vm_exception *one = e->live.data[i];
        if (one->marked)
            e->live.data[kept++] = one;
        else
            release(s, one);
        one->marked = false;
    }
    e->live.len = kept;
}

static u64 larger(u64 a, u64 b) { return a > b ? a : b; }

static void collect(struct vm_store *s, const struct vm_tag *tag, const union vm_slot *values)
{
    struct vm_exceptions *e = &s->exceptions;
    struct marker m = {.set = e};
    make_set(e);
    mark_values(&m, tag->sig, values);
    mark_store(&m, s);
    mark_all(&m);
    sweep(s);
    e->count_goal = larger(larger(COUNT_MIN, 2 * (u64)e->live.len), m.roots / ROOTS_PER_EXCEPTION);
    e->bytes_goal = larger(BYTES_MIN, 2 * e->bytes);
}

/* ---- making */

static struct vm_exception *take(struct vm_store *s, u32 slots)
{
    struct vm_exceptions *e = &s->exceptions;
    struct vm_exception *one = slots == SMALL_SLOTS ? e->free : NULL;
    if (one) {
        e->free = one->link;
        return one;
    }
    return vm_alloc_zero(s->alloc, (usize)bytes_of(slots));
}

struct vm_exception *vm_exception_new(struct vm_store *s, struct vm_tag *tag,
                                      const union vm_slot *values)
{
    struct vm_exceptions *e = &s->exceptions;
    u32 used = tag->sig->param_slots, slots = used < SMALL_SLOTS ? (u32)SMALL_SLOTS : used;
    u64 bytes = bytes_of(slots), limit = s->limits.exception_bytes;
    bool many = e->live.len >= larger(e->count_goal, COUNT_MIN) ||
                e->bytes + bytes > larger(e->bytes_goal, BYTES_MIN);
    bool stress = VM_STRESS && e->live.len < COUNT_MIN; /* or many would take their square */
    if (many || stress || e->bytes + bytes > limit) collect(s, tag, values);
    if (e->bytes + bytes > limit || !reserve(s)) return NULL;
    struct vm_exception *one = take(s, slots);
    if (!one) return NULL;
    *one = (struct vm_exception){.tag = tag, .slots = slots};
    if (used) memcpy(one->values, values, (usize)used * sizeof *values);
    e->bytes += bytes;
    VM_VEC_PUSH(&e->live, one);
    return one;
}

void vm_exceptions_free(struct vm_store *s)
{
    struct vm_exceptions *e = &s->exceptions;
    for (u32 i = 0; i < e->live.len; i++) release(s, e->live.data[i]);
    while (e->free) {
        struct vm_exception *next = e->free->link;
        vm_alloc_free(s->alloc, e->free, (usize)bytes_of(SMALL_SLOTS));
        e->free = next;
    }
    vm_alloc_free(s->alloc, e->table, (usize)e->table_size * sizeof(void *));
    VM_VEC_FREE(s->alloc, &e->live);
}
