/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of a whole module, part by part. The parts' rules are in their own files. */
#include <stdarg.h>
#include <stdio.h>

#include "validate/checker.h"
#include "validate/rules.h"

enum { DETAIL_TEXT = 240 };

static u64 section_offset(const struct vm_module *m, u8 id)
{
    for (u32 i = 0; i < m->section_count; i++) {
        if (m->sections[i].id == id) return m->sections[i].payload.start;
    }
    return VM_NO_OFFSET;
}

vm_status vm_checker_fail(struct vm_checker *k, vm_error_id id, u8 section, const char *detail, ...)
{
    u64 offset = section_offset(k->m, section);
    if (!detail) return vm_err_set(k->err, id, offset, NULL);
    char text[DETAIL_TEXT];
    va_list args;
    va_start(args, detail);
    int n = vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    return n < 0 ? vm_err_set(k->err, id, offset, NULL)
                 : vm_err_set(k->err, id, offset, "%s", text);
}

vm_status vm_checker_const(struct vm_checker *k, struct vm_range range, vm_valtype type,
                           u32 visible_globals)
{
    struct vm_constexpr expr = {.range = range, .type = type, .visible_globals = visible_globals};
    if (vm_walk_const_range(&k->w, &expr)) return VM_OK;
    return k->w.status == VM_OK ? VM_INTERNAL : k->w.status;
}

void vm_checker_declare(struct vm_checker *k, u32 func_idx)
{
    k->m->declared_funcs[func_idx / 64] |= (u64)1 << func_idx % 64;
}

static vm_status new_declared(struct vm_checker *k)
{
    usize words = (usize)k->m->func_count / 64 + 1;
    k->m->declared_funcs = vm_arena_array(&k->m->arena, words, sizeof(u64));
    k->w.declare = k->m->declared_funcs;
    if (!k->m->declared_funcs) return vm_err_set(k->err, VM_ERR_OOM, VM_NO_OFFSET, NULL);
    return VM_OK;
}

/* spec valid-start */
static vm_status check_start(struct vm_checker *k)
{
    const struct vm_module *m = k->m;
    if (m->start == VM_NO_INDEX) return VM_OK;
    if (m->start >= m->func_count) {
        return vm_err_set(k->err, VM_ERR_UNKNOWN_FUNC, m->start_offset, "%u as start function",
                          m->start);
    }
    const struct vm_functype *f = vm_module_functype(m, m->start);
    if (f->param_count == 0 && f->result_count == 0) return VM_OK;
    return vm_err_set(k->err, VM_ERR_START_FUNC, m->start_offset,
                      "function %u has parameters or results", m->start);
}

/* One set for all bodies; small structs are looked at where they are used. */
static vm_status note_defaultable(struct vm_checker *k)
{
    const struct vm_typespace *ts = &k->w.m->types;
    bool any = false;
    for (u32 i = 0; !any && i < ts->count; i++) any = ts->types[i].kind == VM_COMP_STRUCT;
    if (!any) return VM_OK;
    k->w.defaultable = vm_defaultable_new(ts, &k->keep);
    return k->w.defaultable ? VM_OK : vm_err_set(k->err, VM_ERR_OOM, VM_NO_OFFSET, NULL);
}

static vm_status check_declarations(struct vm_checker *k)
{
    static vm_status (*const parts[])(struct vm_checker *) = {
        vm_check_needs,   note_defaultable, new_declared,   vm_check_types, vm_check_spaces,
        vm_check_exports, check_start,      vm_check_elems, vm_check_datas};
    vm_status s = VM_OK;
    for (u32 i = 0; s == VM_OK && i < VM_COUNT(parts); i++) s = parts[i](k);
    return s;
}

static void checker_init(struct vm_checker *k, const struct vm_module *m, vm_features features,
                         const struct vm_alloc *alloc, struct vm_err *err)
{
    *k = (struct vm_checker){.features = features, .err = err};
    vm_arena_init(&k->scratch, alloc);
    vm_arena_init(&k->keep, alloc);
    k->w =
        (struct vm_walker){.m = m, .features = features, .scratch = &k->scratch, .c = {.err = err}};
}

static void checker_free(struct vm_checker *k)
{
    vm_arena_free(&k->scratch);
    vm_arena_free(&k->keep);
}

vm_status vm_validate_declarations(struct vm_module *m, vm_features features,
                                   const struct vm_alloc *alloc, struct vm_err *err)
{
    struct vm_err own;
    struct vm_checker k;
    vm_err_init(&own);
    checker_init(&k, m, features, alloc, err ? err : &own);
    k.m = m;
    k.w.note = m;
    vm_status s = check_declarations(&k);
    checker_free(&k);
    return s;
}

vm_status vm_validate_bodies(const struct vm_module *m, vm_features features, u32 first, u32 count,
                             const struct vm_alloc *alloc, struct vm_err *err)
{
    struct vm_err own;
    struct vm_checker k;
    vm_err_init(&own);
    checker_init(&k, m, features, alloc, err ? err : &own);
    vm_status s = note_defaultable(&k);
    u32 func = m->n_imported[VM_EXTERN_FUNC] + first;
    for (u32 i = 0; s == VM_OK && i < count; i++) s = vm_walk_function(&k.w, func + i);
    checker_free(&k);
    return s;
}

vm_status vm_validate_module(struct vm_module *m, vm_features features,
                             const struct vm_alloc *alloc, struct vm_err *err)
{
    vm_status s = vm_validate_declarations(m, features, alloc, err);
    return s == VM_OK ? vm_validate_bodies(m, features, 0, m->body_count, alloc, err) : s;
}
