/* SPDX-License-Identifier: Apache-2.0 */
/* A small builder of module type spaces, for the tests of vm/types. No assertions. */
#ifndef VM_TESTS_TYPE_SPACE_H
#define VM_TESTS_TYPE_SPACE_H

#include "types/deftype.h"

#include <string.h>

#define ABS(name) (VM_HEAP_ABSTRACT | VM_HEAP_##name)
#define REF(heap) VM_REFTYPE(false, heap)
#define REFN(heap) VM_REFTYPE(true, heap)

enum { MAX_TYPES = 16 };

struct space {
    struct vm_deftype types[MAX_TYPES];
    struct vm_typespace ts;
    u32 canon[MAX_TYPES];
    u32 group_first;
};

static inline void space_init(struct space *s)
{
    memset(s, 0, sizeof *s);
    s->ts.types = s->types;
}

static inline struct vm_deftype *add_type(struct space *s, u8 kind, u32 super, bool is_final)
{
    struct vm_deftype *t = &s->types[s->ts.count++];
    t->kind = kind;
    t->is_final = is_final;
    t->super = super;
    t->depth = super == VM_NO_TYPE ? 0 : s->types[super].depth + 1;
    return t;
}

/* `parts`: parameters then results, of static storage. */
static inline void add_func(struct space *s, u32 super, bool is_final, const vm_valtype *parts,
                            u32 params, u32 results)
{
    struct vm_deftype *t = add_type(s, VM_COMP_FUNC, super, is_final);
    t->of.func = (struct vm_functype){params, results, params, results, parts};
}

static inline void add_agg(struct space *s, u8 kind, u32 super, bool is_final,
                           const struct vm_fieldtype *fields, u32 count)
{
    struct vm_deftype *t = add_type(s, kind, super, is_final);
    t->of.agg.count = count;
    t->of.agg.fields = fields;
}

/* Ends a recursion group: all types since the last one. */
static inline void end_group(struct space *s)
{
    for (u32 i = s->group_first; i < s->ts.count; i++) {
        s->types[i].rec_first = s->group_first;
        s->types[i].rec_count = s->ts.count - s->group_first;
    }
    s->group_first = s->ts.count;
}

static inline void one_func(struct space *s, const vm_valtype *parts, u32 params, u32 results)
{
    add_func(s, VM_NO_TYPE, true, parts, params, results);
    end_group(s);
}

#endif
