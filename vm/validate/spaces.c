/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions, tables, memories, globals and tags, imported and defined.
 * spec valid-limits, valid-tabletype, valid-memtype, valid-globaltype, valid-tagtype, valid-import
 */
#include "validate/checker.h"

/* Where index `i` of the kind was declared. */
static u8 section_of(const struct vm_checker *k, u32 i, u8 kind)
{
    static const u8 defined[] = {[VM_EXTERN_FUNC] = VM_SECTION_FUNC,
                                 [VM_EXTERN_TABLE] = VM_SECTION_TABLE,
                                 [VM_EXTERN_MEMORY] = VM_SECTION_MEMORY,
                                 [VM_EXTERN_GLOBAL] = VM_SECTION_GLOBAL,
                                 [VM_EXTERN_TAG] = VM_SECTION_TAG};
    return i < k->m->n_imported[kind] ? VM_SECTION_IMPORT : defined[kind];
}

static const struct vm_functype *functype_at(const struct vm_checker *k, u32 type)
{
    const struct vm_typespace *ts = &k->m->types;
    return type < ts->count && ts->types[type].kind == VM_COMP_FUNC ? &ts->types[type].of.func
                                                                    : NULL;
}

static vm_status check_funcs(struct vm_checker *k)
{
    for (u32 i = 0; i < k->m->func_count; i++) {
        if (functype_at(k, k->m->funcs[i])) continue;
        return vm_checker_fail(k, VM_ERR_UNKNOWN_TYPE, section_of(k, i, VM_EXTERN_FUNC),
                               "%u of function %u is no function type", k->m->funcs[i], i);
    }
    return VM_OK;
}

static vm_status check_order(struct vm_checker *k, const struct vm_limits *l, u8 section)
{
    if (!l->has_max || l->min <= l->max) return VM_OK;
    return vm_checker_fail(k, VM_ERR_LIMITS_ORDER, section, "%llu and %llu",
                           (unsigned long long)l->min, (unsigned long long)l->max);
}

static vm_status check_table(struct vm_checker *k, u32 i)
{
    const struct vm_table_decl *t = &k->m->tables[i];
    const struct vm_limits *l = &t->type.limits;
    u8 section = section_of(k, i, VM_EXTERN_TABLE);
    if (!l->is_64 && (l->min > UINT32_MAX || (l->has_max && l->max > UINT32_MAX))) {
        return vm_checker_fail(k, VM_ERR_TABLE_SIZE, section, NULL);
    }
    vm_status s = check_order(k, l, section);
    if (s != VM_OK || section == VM_SECTION_IMPORT) return s;
    if (t->init.size == 0) {
        if (vm_type_is_defaultable(t->type.elem)) return VM_OK;
        return vm_checker_fail(k, VM_ERR_TYPE_MISMATCH, section,
                               "table %u of non-null references needs an initial value", i);
    }
    /* spec valid-module: tables see imported globals only. */
    return vm_checker_const(k, t->init, t->type.elem, k->m->n_imported[VM_EXTERN_GLOBAL]);
}

/* Pages in the whole address space; of one byte each, as many as an address counts. */
static u64 max_pages(const struct vm_limits *l)
{
    if (l->page_log2 == 0) return l->is_64 ? UINT64_MAX : UINT32_MAX;
    return (u64)1 << ((l->is_64 ? 64 : 32) - l->page_log2);
}

static vm_status check_memory(struct vm_checker *k, u32 i)
{
    const struct vm_limits *l = &k->m->memories[i];
    u8 section = section_of(k, i, VM_EXTERN_MEMORY);
    if (l->page_log2 != 0 && l->page_log2 != VM_PAGE_LOG2) {
        return vm_checker_fail(k, VM_ERR_PAGE_SIZE, section, "2^%u", l->page_log2);
    }
    if (l->min > max_pages(l) || (l->has_max && l->max > max_pages(l))) {
        return vm_checker_fail(k, VM_ERR_MEMORY_SIZE, section, NULL);
    }
    if (l->is_shared && !l->has_max) return vm_checker_fail(k, VM_ERR_SHARED_MAX, section, NULL);
    return check_order(k, l, section);
}

static vm_status check_memories(struct vm_checker *k)
{
    vm_status s = VM_OK;
    for (u32 i = 0; s == VM_OK && i < k->m->memory_count; i++) s = check_memory(k, i);
    return s;
}

/* A global's initial value may use the globals before it. */
static vm_status check_globals(struct vm_checker *k)
{
    vm_status s = VM_OK;
    for (u32 i = 0; s == VM_OK && i < k->m->global_count; i++) {
        const struct vm_global_decl *g = &k->m->globals[i];
        if (i < k->m->n_imported[VM_EXTERN_GLOBAL]) continue;
        s = vm_checker_const(k, g->init, g->type.type, i);
    }
    return s;
}

static vm_status check_tags(struct vm_checker *k)
{
    for (u32 i = 0; i < k->m->tag_count; i++) {
        u8 section = section_of(k, i, VM_EXTERN_TAG);
        const struct vm_functype *f = functype_at(k, k->m->tags[i]);
        if (!f) {
            return vm_checker_fail(k, VM_ERR_UNKNOWN_TYPE, section,
                                   "%u of tag %u is no function type", k->m->tags[i], i);
        }
        if (f->result_count > 0) {
            return vm_checker_fail(k, VM_ERR_TAG_RESULT, section, "tag %u", i);
        }
    }
    return VM_OK;
}

vm_status vm_check_spaces(struct vm_checker *k)
{
    vm_status s = check_funcs(k);
    if (s == VM_OK) s = check_tags(k);
    if (s == VM_OK) s = check_memories(k);
    if (s == VM_OK) s = check_globals(k);
    for (u32 i = 0; s == VM_OK && i < k->m->table_count; i++) s = check_table(k, i);
    return s;
}
