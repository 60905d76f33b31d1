/* SPDX-License-Identifier: Apache-2.0 */
/* Element and data segments. spec valid-elem, valid-data */
#include "validate/checker.h"

static vm_valtype address_type(const struct vm_limits *l) { return l->is_64 ? VM_I64 : VM_I32; }

/* Items are function indices: they need only exist. */
static vm_status check_func_items(struct vm_checker *k, const struct vm_elem_decl *e)
{
    struct vm_walker *w = &k->w;
    vm_walk_seek(w, e->items);
    for (u32 i = 0; i < e->count; i++) {
        u64 offset = vm_cursor_offset(&w->c);
        u32 func;
        if (!vm_walk_u32(w, &func)) return w->status;
        if (func >= k->m->func_count) {
            return vm_err_set(k->err, VM_ERR_UNKNOWN_FUNC, offset, "%u in an element segment",
                              func);
        }
        vm_checker_declare(k, func);
    }
    return VM_OK;
}

static vm_status check_expr_items(struct vm_checker *k, const struct vm_elem_decl *e)
{
    vm_walk_seek(&k->w, e->items);
    for (u32 i = 0; i < e->count; i++) {
        if (!vm_walk_const(&k->w, e->type, k->m->global_count)) return k->w.status;
    }
    return VM_OK;
}

static vm_status check_elem_place(struct vm_checker *k, const struct vm_elem_decl *e)
{
    if (e->table >= k->m->table_count) {
        return vm_checker_fail(k, VM_ERR_UNKNOWN_TABLE, VM_SECTION_ELEM, "%u", e->table);
    }
    const struct vm_tabletype *t = &k->m->tables[e->table].type;
    if (!vm_valtype_matches(&k->m->types, e->type, t->elem)) {
        return vm_checker_fail(k, VM_ERR_TYPE_MISMATCH, VM_SECTION_ELEM,
                               "element segment for table %u has other elements", e->table);
    }
    return vm_checker_const(k, e->offset, address_type(&t->limits), k->m->global_count);
}

vm_status vm_check_elems(struct vm_checker *k)
{
    for (u32 i = 0; i < k->m->elem_count; i++) {
        const struct vm_elem_decl *e = &k->m->elems[i];
        vm_status s = e->mode == VM_SEGMENT_ACTIVE ? check_elem_place(k, e) : VM_OK;
        if (s == VM_OK) s = e->is_exprs ? check_expr_items(k, e) : check_func_items(k, e);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}

vm_status vm_check_datas(struct vm_checker *k)
{
    for (u32 i = 0; i < k->m->data_count; i++) {
        const struct vm_data_decl *d = &k->m->datas[i];
        if (d->mode != VM_SEGMENT_ACTIVE) continue;
        if (d->memory >= k->m->memory_count) {
            return vm_checker_fail(k, VM_ERR_UNKNOWN_MEMORY, VM_SECTION_DATA, "%u", d->memory);
        }
        vm_status s = vm_checker_const(k, d->offset, address_type(&k->m->memories[d->memory]),
                                       k->m->global_count);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}
