/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of structs and arrays. spec valid-instr-struct, valid-instr-array
 * insn.type is the storage type of the field or element where one is read or written.
 */
#include "validate/rules.h"

static vm_valtype unpacked(vm_valtype t) { return t == VM_I8 || t == VM_I16 ? VM_I32 : t; }
static bool is_packed(vm_valtype t) { return t == VM_I8 || t == VM_I16; }
static vm_valtype ref_to(bool nullable, u32 type) { return VM_REFTYPE(nullable, type); }

/* ---------------------------------------------------------------- types */

static const struct vm_deftype *type_of_kind(struct vm_walker *w, u32 index, u8 kind)
{
    const struct vm_typespace *ts = &w->m->types;
    if (index < ts->count && ts->types[index].kind == kind) return &ts->types[index];
    vm_walk_fail(w, VM_ERR_UNKNOWN_TYPE, "%u in %s is no %s", index, vm_op_name(w->insn.op),
                 kind == VM_COMP_STRUCT ? "struct" : "array");
    return NULL;
}

static const struct vm_deftype *struct_at(struct vm_walker *w, u32 index)
{
    return type_of_kind(w, index, VM_COMP_STRUCT);
}

/* The element of array type `index`; its storage type goes to insn.type. */
static const struct vm_fieldtype *array_at(struct vm_walker *w, u32 index)
{
    const struct vm_deftype *t = type_of_kind(w, index, VM_COMP_ARRAY);
    if (!t) return NULL;
    w->insn.type = t->of.agg.fields[0].type;
    return &t->of.agg.fields[0];
}

static const struct vm_fieldtype *mutable_array_at(struct vm_walker *w, u32 index)
{
    const struct vm_fieldtype *f = array_at(w, index);
    if (!f || f->is_mutable) return f;
    vm_walk_fail_index(w, VM_ERR_IMMUTABLE_ARRAY, index);
    return NULL;
}

static const struct vm_fieldtype *field_at(struct vm_walker *w)
{
    const struct vm_deftype *t = struct_at(w, w->insn.a);
    if (!t) return NULL;
    if (w->insn.b >= t->of.agg.count) {
        vm_walk_fail_index(w, VM_ERR_UNKNOWN_FIELD, w->insn.b);
        return NULL;
    }
    w->insn.type = t->of.agg.fields[w->insn.b].type;
    return &t->of.agg.fields[w->insn.b];
}

/* Packed fields are read with a sign, others without. */
static bool check_sign(struct vm_walker *w, vm_valtype storage, bool has_sign)
{
    return is_packed(storage) == has_sign ||
           vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%s of a field that is %spacked",
                        vm_op_name(w->insn.op), has_sign ? "not " : "");
}

/* ---------------------------------------------------------------- structs */

enum { FEW_FIELDS = 32 };

static bool fields_are_defaultable(const struct vm_deftype *t)
{
    for (u32 i = 0; i < t->of.agg.count; i++) {
        if (!vm_type_is_defaultable(t->of.agg.fields[i].type)) return false;
    }
    return true;
}

/* Linear in the type section; without it each struct.new_default costs its field count. */
u64 *vm_defaultable_new(const struct vm_typespace *types, struct vm_arena *arena)
{
    u64 *bits = vm_arena_array(arena, (usize)types->count / 64 + 1, sizeof *bits);
    for (u32 i = 0; bits && i < types->count; i++) {
        const struct vm_deftype *t = &types->types[i];
        bool all = t->kind == VM_COMP_STRUCT && fields_are_defaultable(t);
        if (all) bits[i / 64] |= (u64)1 << i % 64;
    }
    return bits;
}

bool vm_check_struct_new(struct vm_walker *w)
{
    const struct vm_deftype *t = struct_at(w, w->insn.a);
    if (!t) return false;
    for (u32 i = t->of.agg.count; i-- > 0;) {
        if (w->sp == w->floor && w->top->unreachable) break;
        if (!vm_pop(w, unpacked(t->of.agg.fields[i].type))) return false;
    }
    return vm_push(w, ref_to(false, w->insn.a));
}

bool vm_check_struct_new_default(struct vm_walker *w)
{
    const struct vm_deftype *t = struct_at(w, w->insn.a);
    if (!t) return false;
    if (!w->defaultable && t->of.agg.count > FEW_FIELDS) {
        w->defaultable = vm_defaultable_new(&w->m->types, w->scratch);
        if (!w->defaultable) return vm_walk_fail_oom(w);
    }
    bool good = w->defaultable ? w->defaultable[w->insn.a / 64] >> w->insn.a % 64 & 1
                               : fields_are_defaultable(t);
    if (!good) {
        return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "a field of type %u has no default value",
                            w->insn.a);
    }
    return vm_push(w, ref_to(false, w->insn.a));
}

bool vm_check_struct_get(struct vm_walker *w)
{
    const struct vm_fieldtype *f = field_at(w);
    return f && check_sign(w, f->type, w->insn.op != VM_OP_STRUCT_GET) &&
           vm_pop(w, ref_to(true, w->insn.a)) && vm_push(w, unpacked(f->type));
}

bool vm_check_struct_set(struct vm_walker *w)
{
    const struct vm_fieldtype *f = field_at(w);
    if (!f) return false;
    if (!f->is_mutable) return vm_walk_fail_index(w, VM_ERR_IMMUTABLE_FIELD, w->insn.b);
    return vm_pop(w, unpacked(f->type)) && vm_pop(w, ref_to(true, w->insn.a));
}

/* ---------------------------------------------------------------- new arrays */

bool vm_check_array_new(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    return f && vm_pop(w, VM_I32) && vm_pop(w, unpacked(f->type)) &&
           vm_push(w, ref_to(false, w->insn.a));
}

bool vm_check_array_new_default(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    if (!f) return false;
    if (!vm_type_is_defaultable(f->type)) {
        return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "elements of type %u have no default value",
                            w->insn.a);
    }
    return vm_pop(w, VM_I32) && vm_push(w, ref_to(false, w->insn.a));
}

bool vm_check_array_new_fixed(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    if (!f) return false;
    vm_valtype t = unpacked(f->type);
    for (u32 i = 0; i < w->insn.b; i++) {
        if (w->sp == w->floor && w->top->unreachable) break;
        if (!vm_pop(w, t)) return false;
    }
    return vm_push(w, ref_to(false, w->insn.a));
}

/* Bytes can become numbers and vectors, not references. */
static bool check_numeric(struct vm_walker *w, vm_valtype storage)
{
    return !vm_valtype_is_ref(storage) || vm_walk_fail(w, VM_ERR_ARRAY_NOT_NUMERIC, NULL);
}

static bool check_elem_type(struct vm_walker *w, vm_valtype storage, u32 elem)
{
    if (!vm_check_elem_index(w, elem)) return false;
    vm_valtype have = w->m->elems[elem].type;
    return vm_walk_matches(w, have, storage) || vm_walk_mismatch(w, storage, have);
}

bool vm_check_array_new_data(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    return f && check_numeric(w, f->type) && vm_check_data_index(w, w->insn.b) &&
           vm_pop(w, VM_I32) && vm_pop(w, VM_I32) && vm_push(w, ref_to(false, w->insn.a));
}

bool vm_check_array_new_elem(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    return f && check_elem_type(w, f->type, w->insn.b) && vm_pop(w, VM_I32) && vm_pop(w, VM_I32) &&
           vm_push(w, ref_to(false, w->insn.a));
}

/* ---------------------------------------------------------------- array access */

bool vm_check_array_get(struct vm_walker *w)
{
    const struct vm_fieldtype *f = array_at(w, w->insn.a);
    return f && check_sign(w, f->type, w->insn.op != VM_OP_ARRAY_GET) && vm_pop(w, VM_I32) &&
           vm_pop(w, ref_to(true, w->insn.a)) && vm_push(w, unpacked(f->type));
}

bool vm_check_array_set(struct vm_walker *w)
{
    const struct vm_fieldtype *f = mutable_array_at(w, w->insn.a);
    return f && vm_pop(w, unpacked(f->type)) && vm_pop(w, VM_I32) &&
           vm_pop(w, ref_to(true, w->insn.a));
}

bool vm_check_array_len(struct vm_walker *w)
{
    vm_valtype array = VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_ARRAY);
    return vm_pop_as(w, array, &w->insn.type) && vm_push(w, VM_I32);
}

bool vm_check_array_fill(struct vm_walker *w)
{
    const struct vm_fieldtype *f = mutable_array_at(w, w->insn.a);
    return f && vm_pop(w, VM_I32) && vm_pop(w, unpacked(f->type)) && vm_pop(w, VM_I32) &&
           vm_pop(w, ref_to(true, w->insn.a));
}

bool vm_check_array_copy(struct vm_walker *w)
{
    const struct vm_fieldtype *from = array_at(w, w->insn.b);
    const struct vm_fieldtype *to = from ? mutable_array_at(w, w->insn.a) : NULL;
    if (!to) return false;
    bool fits = from->type == to->type || (!is_packed(from->type) && !is_packed(to->type) &&
                                           vm_walk_matches(w, from->type, to->type));
    if (!fits) return vm_walk_fail(w, VM_ERR_ARRAY_MISMATCH, NULL);
    return vm_pop(w, VM_I32) && vm_pop(w, VM_I32) && vm_pop(w, ref_to(true, w->insn.b)) &&
           vm_pop(w, VM_I32) && vm_pop(w, ref_to(true, w->insn.a));
}

static bool pop_init_operands(struct vm_walker *w)
{
    return vm_pop(w, VM_I32) && vm_pop(w, VM_I32) && vm_pop(w, VM_I32) &&
           vm_pop(w, ref_to(true, w->insn.a));
}

bool vm_check_array_init_data(struct vm_walker *w)
{
    const struct vm_fieldtype *f = mutable_array_at(w, w->insn.a);
    return f && check_numeric(w, f->type) && vm_check_data_index(w, w->insn.b) &&
           pop_init_operands(w);
}

bool vm_check_array_init_elem(struct vm_walker *w)
{
    const struct vm_fieldtype *f = mutable_array_at(w, w->insn.a);
    return f && check_elem_type(w, f->type, w->insn.b) && pop_init_operands(w);
}
