/* SPDX-License-Identifier: Apache-2.0 */
/* Subtyping over one module's types or over canonical ones. spec match */
#include "types/deftype.h"
#include "types/limits.h"

/* Where indices are looked up: exactly one of the two is set. */
struct scope {
    const struct vm_typespace *local;
    struct vm_types *canonical;
};

static const struct vm_deftype *type_at(const struct scope *s, u32 index)
{
    if (s->canonical) return vm_types_get(s->canonical, index);
    return index < s->local->count ? &s->local->types[index] : NULL;
}

static bool same_type(const struct scope *s, u32 a, u32 b)
{
    if (a == b) return true;
    const u32 *canon = s->local ? s->local->canon : NULL;
    return canon && a < s->local->count && b < s->local->count && canon[a] == canon[b];
}

/* spec match-deftype: equal, or a declared supertype matches. The chain's length is bounded. */
static bool type_matches(const struct scope *s, u32 sub, u32 super)
{
    for (u32 steps = 0; steps <= VM_MAX_SUBTYPE_DEPTH + 1u; steps++) {
        if (same_type(s, sub, super)) return true;
        const struct vm_deftype *t = type_at(s, sub);
        if (!t || t->super == VM_NO_TYPE) return false;
        sub = t->super;
    }
    return false;
}

/* The abstract types directly above; 0 for the tops. spec match-heaptype */
static u32 abstract_above(u32 byte)
{
    // clang-format off
    switch (byte) {
    case VM_HEAP_EQ: return VM_HEAP_ANY;
    case VM_HEAP_I31:
    case VM_HEAP_STRUCT:
    case VM_HEAP_ARRAY: return VM_HEAP_EQ;
    case VM_HEAP_NOFUNC: return VM_HEAP_FUNC;
    case VM_HEAP_NOEXTERN: return VM_HEAP_EXTERN;
    case VM_HEAP_NOEXN: return VM_HEAP_EXN;
    default: return 0;
    }
    // clang-format on
}

static bool abstract_matches(u32 sub, u32 super)
{
    if (sub == VM_HEAP_NONE && super != VM_HEAP_NONE) {
        return super == VM_HEAP_I31 || super == VM_HEAP_STRUCT || super == VM_HEAP_ARRAY ||
               super == VM_HEAP_EQ || super == VM_HEAP_ANY;
    }
    while (sub != super && sub != 0) {
        sub = abstract_above(sub);
    }
    return sub == super;
}

u32 vm_deftype_abstract(const struct vm_deftype *t)
{
    // clang-format off
    switch (t->kind) {
    case VM_COMP_STRUCT: return VM_HEAP_ABSTRACT | VM_HEAP_STRUCT;
    case VM_COMP_ARRAY: return VM_HEAP_ABSTRACT | VM_HEAP_ARRAY;
    default: return VM_HEAP_ABSTRACT | VM_HEAP_FUNC;
    }
    // clang-format on
}

/* An abstract type is below an indexed one only as the bottom of its hierarchy. */
static bool bottom_matches(const struct scope *s, u32 sub_byte, u32 super)
{
    const struct vm_deftype *t = type_at(s, super);
    if (!t) return false;
    return sub_byte == (t->kind == VM_COMP_FUNC ? VM_HEAP_NOFUNC : VM_HEAP_NONE);
}

static bool heap_matches(const struct scope *s, u32 sub, u32 super)
{
    if (sub == super) return true;
    bool sub_abstract = vm_heap_is_abstract(sub), super_abstract = vm_heap_is_abstract(super);
    if (!super_abstract) {
        return sub_abstract ? bottom_matches(s, sub & 0xff, super) : type_matches(s, sub, super);
    }
    if (!sub_abstract) {
        const struct vm_deftype *t = type_at(s, sub);
        if (!t) return false;
        sub = vm_deftype_abstract(t);
    }
    return abstract_matches(sub & 0xff, super & 0xff);
}

/* spec match-valtype, match-reftype */
static bool valtype_matches(const struct scope *s, vm_valtype sub, vm_valtype super)
{
    if (sub == super || sub == VM_BOT) return true;
    if (!vm_valtype_is_ref(sub) || !vm_valtype_is_ref(super)) return false;
    if (vm_valtype_is_nullable(sub) && !vm_valtype_is_nullable(super)) return false;
    return heap_matches(s, vm_valtype_heap(sub), vm_valtype_heap(super));
}

bool vm_type_matches(const struct vm_typespace *ts, u32 sub, u32 super)
{
    return type_matches(&(struct scope){.local = ts}, sub, super);
}

bool vm_heap_matches(const struct vm_typespace *ts, u32 sub, u32 super)
{
    return heap_matches(&(struct scope){.local = ts}, sub, super);
}

bool vm_valtype_matches_slow(const struct vm_typespace *ts, vm_valtype sub, vm_valtype super)
{
    return valtype_matches(&(struct scope){.local = ts}, sub, super);
}

bool vm_types_match(struct vm_types *types, u32 sub, u32 super)
{
    return type_matches(&(struct scope){.canonical = types}, sub, super);
}

bool vm_types_valtype_matches(struct vm_types *types, vm_valtype sub, vm_valtype super)
{
    return valtype_matches(&(struct scope){.canonical = types}, sub, super);
}
