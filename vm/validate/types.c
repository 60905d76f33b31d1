/* SPDX-License-Identifier: Apache-2.0 */
/* The type section: do declared subtypes fit their supertypes? spec valid-subtype, match-comptype
 */
#include "validate/checker.h"

static bool is_packed(vm_valtype t) { return t == VM_I8 || t == VM_I16; }

/* spec match-storagetype */
static bool storage_matches(const struct vm_typespace *ts, vm_valtype sub, vm_valtype super)
{
    if (sub == super) return true;
    return !is_packed(sub) && !is_packed(super) && vm_valtype_matches(ts, sub, super);
}

/* spec match-fieldtype: what can be written must be the same both ways. */
static bool field_matches(const struct vm_typespace *ts, const struct vm_fieldtype *sub,
                          const struct vm_fieldtype *super)
{
    if (sub->is_mutable != super->is_mutable) return false;
    if (!storage_matches(ts, sub->type, super->type)) return false;
    return !sub->is_mutable || storage_matches(ts, super->type, sub->type);
}

/* spec match-functype: parameters the other way round. */
static bool func_matches(const struct vm_typespace *ts, const struct vm_functype *sub,
                         const struct vm_functype *super)
{
    if (sub->param_count != super->param_count || sub->result_count != super->result_count) {
        return false;
    }
    u32 params = sub->param_count, all = params + sub->result_count;
    for (u32 i = 0; i < params; i++) {
        if (!vm_valtype_matches(ts, super->types[i], sub->types[i])) return false;
    }
    for (u32 i = params; i < all; i++) {
        if (!vm_valtype_matches(ts, sub->types[i], super->types[i])) return false;
    }
    return true;
}

static bool comp_matches(const struct vm_typespace *ts, const struct vm_deftype *sub,
                         const struct vm_deftype *super)
{
    if (sub->kind != super->kind) return false;
    if (sub->kind == VM_COMP_FUNC) return func_matches(ts, &sub->of.func, &super->of.func);
    if (sub->of.agg.count < super->of.agg.count) return false;
    for (u32 i = 0; i < super->of.agg.count; i++) {
        if (!field_matches(ts, &sub->of.agg.fields[i], &super->of.agg.fields[i])) return false;
    }
    return true;
}

/* Equal types of two groups count as one from here on. */
static vm_status number_types(struct vm_checker *k)
{
    struct vm_module *m = k->m;
    if (m->types.canon || m->types.count == 0) return VM_OK;
    u32 *canon = vm_arena_array(&m->arena, m->types.count, sizeof *canon);
    if (!canon) return vm_err_set(k->err, VM_ERR_OOM, VM_NO_OFFSET, NULL);
    vm_status s = vm_typespace_canon(&m->types, m->arena.alloc, canon);
    if (s != VM_OK) {
        return vm_checker_fail(k, s == VM_OOM ? VM_ERR_OOM : VM_ERR_LIMIT, VM_SECTION_TYPE, NULL);
    }
    m->types.canon = canon;
    return VM_OK;
}

static vm_status check_super(struct vm_checker *k, u32 index)
{
    const struct vm_typespace *ts = &k->m->types;
    const struct vm_deftype *t = &ts->types[index];
    if (t->super == VM_NO_TYPE) return VM_OK;
    const struct vm_deftype *super = &ts->types[t->super];
    if (super->is_final) {
        return vm_checker_fail(k, VM_ERR_SUB_TYPE, VM_SECTION_TYPE, "type %u: type %u is final",
                               index, t->super);
    }
    if (!comp_matches(ts, t, super)) {
        return vm_checker_fail(k, VM_ERR_SUB_TYPE, VM_SECTION_TYPE,
                               "type %u does not match type %u", index, t->super);
    }
    return VM_OK;
}

vm_status vm_check_types(struct vm_checker *k)
{
    const struct vm_typespace *ts = &k->m->types;
    for (u32 i = 0; i < ts->count; i++) {
        u32 super = ts->types[i].super;
        if (super == VM_NO_TYPE || super < i) continue;
        return vm_checker_fail(k, VM_ERR_UNKNOWN_TYPE, VM_SECTION_TYPE, "supertype %u of type %u",
                               super, i);
    }
    vm_status s = number_types(k);
    for (u32 i = 0; s == VM_OK && i < ts->count; i++) s = check_super(k, i);
    return s;
}
