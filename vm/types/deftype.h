/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defined types: functions, structs, arrays, their recursion groups, and the engine-wide registry
 * that gives equal types equal numbers. spec syntax-rectype, syntax-subtype, aux-roll-rectype
 */
#ifndef VM_TYPES_DEFTYPE_H
#define VM_TYPES_DEFTYPE_H

#include "base/arena.h"
#include "base/status.h"
#include "types/valtype.h"

enum vm_comptype_kind { VM_COMP_FUNC = 0x60, VM_COMP_STRUCT = 0x5f, VM_COMP_ARRAY = 0x5e };

/** spec syntax-functype. Immutable. Slot counts are of 8-byte slots. */
struct vm_functype {
    u32 param_count, result_count;
    u32 param_slots, result_slots;
    const vm_valtype *types; /* parameters, then results */
};

/** Slots that parameters and results share in a frame: the larger of the two. */
static inline u32 vm_functype_shared_slots(const struct vm_functype *t)
{
    return t->param_slots > t->result_slots ? t->param_slots : t->result_slots;
}

/** spec syntax-fieldtype */
struct vm_fieldtype {
    vm_valtype type; /* may be VM_I8 or VM_I16 */
    bool is_mutable;
};

#define VM_NO_TYPE UINT32_MAX

/** One defined type (spec syntax-subtype). Immutable. */
struct vm_deftype {
    u8 kind; /* enum vm_comptype_kind */
    bool is_final;
    u32 super;     /* declared supertype or VM_NO_TYPE */
    u32 rec_first; /* index of the first type of this type's recursion group */
    u32 rec_count;
    u32 depth; /* length of the chain of supertypes, at most VM_MAX_SUBTYPE_DEPTH */
    union {
        struct vm_functype func;
        struct {
            u32 count; /* array: 1 */
            const struct vm_fieldtype *fields;
        } agg;
    } of;
};

/** Types of one index space, module-local or canonical: types[i]. */
struct vm_typespace {
    const struct vm_deftype *types;
    u32 count;
    /**
     * NULL (types are equal only to themselves), or canon[i] == canon[j] exactly when types i and
     * j are equal: what vm_typespace_canon or vm_types_intern filled. A module with two equal
     * groups does not validate as the spec wants without it.
     */
    const u32 *canon;
};

/**
 * Numbers the types of a module so that equal ones have equal numbers, for `canon` above; needs
 * only indices in range (supertypes below their own type, others below the end of the group).
 * `canon` has room for all. VM_OK, VM_LIMIT, VM_OOM, or VM_INVALID for indices out of range.
 */
vm_status vm_typespace_canon(const struct vm_typespace *local, const struct vm_alloc *alloc,
                             u32 *canon);

/* -------- subtyping: total functions over validated type spaces. spec match */

bool vm_heap_matches(const struct vm_typespace *ts, u32 sub, u32 super);
bool vm_valtype_matches_slow(const struct vm_typespace *ts, vm_valtype sub, vm_valtype super);
/** True when type index `sub` equals `super` or is declared below it; both in `ts`. */
bool vm_type_matches(const struct vm_typespace *ts, u32 sub, u32 super);

/** spec match-valtype; the equal case inline. VM_BOT matches everything. */
static inline bool vm_valtype_matches(const struct vm_typespace *ts, vm_valtype sub,
                                      vm_valtype super)
{
    return sub == super || vm_valtype_matches_slow(ts, sub, super);
}

/** The abstract heap type above an indexed one: VM_HEAP_ABSTRACT | func, struct or array. */
u32 vm_deftype_abstract(const struct vm_deftype *t);

/** Writes "(func (param i32) (result i64))" and the like, as snprintf does. */
usize vm_functype_print(const struct vm_functype *t, char *buf, usize cap);

/* -------- canonical types: one registry per engine */

struct vm_types; /* lock: its own; any thread */

struct vm_types *vm_types_new(const struct vm_alloc *alloc);
void vm_types_delete(struct vm_types *types);

/**
 * Interns the `count` types of a module in order, group by group: canon[i] becomes the canonical
 * number of local type i; equal recursion groups get equal numbers across modules. The groups are
 * retained; release them with the same array. Errors as vm_typespace_canon (then nothing is
 * retained).
 */
vm_status vm_types_intern(struct vm_types *types, const struct vm_typespace *local, u32 *canon);
void vm_types_release(struct vm_types *types, const u32 *canon, const struct vm_typespace *local);

/** Interns a single final function type, for host functions; VM_NO_TYPE when out of memory. */
u32 vm_types_intern_func(struct vm_types *types, const struct vm_functype *func);
void vm_types_release_func(struct vm_types *types, u32 canon);

/**
 * A canonical type's definition (indexed references in it are canonical). The pointer stays valid
 * while the type is retained. Any thread.
 */
const struct vm_deftype *vm_types_get(struct vm_types *types, u32 canon);
/** vm_type_matches and vm_valtype_matches over canonical numbers. Any thread. */
bool vm_types_match(struct vm_types *types, u32 sub, u32 super);
bool vm_types_valtype_matches(struct vm_types *types, vm_valtype sub, vm_valtype super);

#endif
