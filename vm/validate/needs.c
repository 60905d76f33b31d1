/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which declarations belong to which feature: one table; only rows of features that are off are
 * looked at. Instructions and the types in bodies are the walker's (walk.c). No rule of validity.
 */
#include "validate/checker.h"

enum space { TYPES, TABLES, MEMORIES, GLOBALS, TAGS, ELEMS, DATAS, EXPORTS, SPACES };

struct need {
    u8 space;
    u8 feature;      /* enum vm_feature */
    vm_features also; /* any of these will do too */
    const char *what;
    /** Is item `i` of the space one that needs `f`? Indices may be out of range. */
    bool (*is)(const struct vm_module *m, u32 i, vm_feature f);
};

/* ---- what items are */

static bool any_item(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)m, (void)i, (void)f;
    return true;
}

static bool second_item(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)m, (void)f;
    return i > 0;
}

static bool type_many_results(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    const struct vm_deftype *t = &m->types.types[i];
    return t->kind == VM_COMP_FUNC && t->of.func.result_count > 1;
}

static bool type_aggregate(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->types.types[i].kind != VM_COMP_FUNC;
}

static bool type_subtyped(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    const struct vm_deftype *t = &m->types.types[i];
    return t->super != VM_NO_TYPE || !t->is_final || t->rec_count > 1;
}

static bool type_names(const struct vm_module *m, u32 i, vm_feature f)
{
    const struct vm_deftype *t = &m->types.types[i];
    if (t->kind == VM_COMP_FUNC) {
        u32 count = t->of.func.param_count + t->of.func.result_count;
        for (u32 k = 0; k < count; k++)
            if (vm_valtype_feature(t->of.func.types[k]) == f) return true;
        return false;
    }
    for (u32 k = 0; k < t->of.agg.count; k++)
        if (vm_valtype_feature(t->of.agg.fields[k].type) == f) return true;
    return false;
}

/* Tables of functions are older than reference types. */
static bool elements_need(vm_valtype t, vm_feature f)
{
    return t != VM_FUNCREF && vm_valtype_feature(t) == f;
}

static bool table_of(const struct vm_module *m, u32 i, vm_feature f)
{
    return elements_need(m->tables[i].type.elem, f);
}

static bool table_64(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->tables[i].type.limits.is_64;
}

static bool table_init(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->tables[i].init.size > 0;
}

static bool memory_64(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->memories[i].is_64;
}

static bool memory_shared(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->memories[i].is_shared;
}

static bool memory_pages(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->memories[i].page_log2 != VM_PAGE_LOG2;
}

static bool global_of(const struct vm_module *m, u32 i, vm_feature f)
{
    return vm_valtype_feature(m->globals[i].type.type) == f;
}

static bool global_mutable_import(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return i < m->n_imported[VM_EXTERN_GLOBAL] && m->globals[i].type.is_mutable;
}

static bool export_mutable(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    const struct vm_export *x = &m->exports[i];
    return x->kind == VM_EXTERN_GLOBAL && x->index < m->global_count &&
           m->globals[x->index].type.is_mutable;
}

static bool elem_of(const struct vm_module *m, u32 i, vm_feature f)
{
    return m->elems[i].is_exprs && elements_need(m->elems[i].type, f);
}

static bool elem_passive(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->elems[i].mode == VM_SEGMENT_PASSIVE;
}

static bool elem_declarative(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->elems[i].mode == VM_SEGMENT_DECLARATIVE;
}

static bool elem_exprs(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->elems[i].is_exprs;
}

static bool data_passive(const struct vm_module *m, u32 i, vm_feature f)
{
    (void)f;
    return m->datas[i].mode == VM_SEGMENT_PASSIVE;
}

// clang-format off
#define NEED(space, feature, what, is) {space, VM_FEATURE_##feature, 0, what, is}
/* Types of a feature, wherever they are declared. */
#define TYPED(feature, what)                                                                       \
    NEED(TYPES,   feature, "type with " what,            type_names),                              \
    NEED(TABLES,  feature, "table of " what,             table_of),                                \
    NEED(GLOBALS, feature, "global of " what,            global_of),                               \
    NEED(ELEMS,   feature, "element segment of " what,   elem_of)

static const struct need needs[] = {
    TYPED(SIMD,       "v128"),
    TYPED(REF_TYPES,  "references"),
    TYPED(FUNC_REFS,  "typed references"),
    TYPED(GC,         "references to heap objects"),
    TYPED(EXCEPTIONS, "exception references"),
    NEED(TYPES,    MULTI_VALUE,       "type with several results", type_many_results),
    NEED(TYPES,    GC,                "struct or array type",      type_aggregate),
    NEED(TYPES,    GC,                "recursive or open type",    type_subtyped),
    NEED(TABLES,   REF_TYPES,         "second table",              second_item),
    NEED(TABLES,   MEMORY64,          "64-bit table",              table_64),
    NEED(TABLES,   FUNC_REFS,         "table with initial value",  table_init),
    NEED(MEMORIES, MULTI_MEMORY,      "second memory",             second_item),
    NEED(MEMORIES, MEMORY64,          "64-bit memory",             memory_64),
    NEED(MEMORIES, THREADS,           "shared memory",             memory_shared),
    NEED(MEMORIES, CUSTOM_PAGE_SIZES, "memory with a page size",   memory_pages),
    NEED(GLOBALS,  MUTABLE_GLOBAL,    "imported mutable global",   global_mutable_import),
    NEED(EXPORTS,  MUTABLE_GLOBAL,    "exported mutable global",   export_mutable),
    NEED(ELEMS,    BULK,              "passive element segment",   elem_passive),
    NEED(ELEMS,    REF_TYPES,         "declared element segment",  elem_declarative),
    NEED(ELEMS,    BULK,              "element expressions",       elem_exprs),
    NEED(DATAS,    BULK,              "passive data segment",      data_passive),
    {TAGS, VM_FEATURE_EXCEPTIONS, VM_FEATURE_BIT(LEGACY_EXCEPTIONS), "tag", any_item},
};
// clang-format on

/* ---- the check */

static u32 count_of(const struct vm_module *m, u8 space)
{
    const u32 counts[SPACES] = {
        [TYPES] = m->types.count,    [TABLES] = m->table_count,   [MEMORIES] = m->memory_count,
        [GLOBALS] = m->global_count, [TAGS] = m->tag_count,       [ELEMS] = m->elem_count,
        [DATAS] = m->data_count,     [EXPORTS] = m->export_count,
    };
    return counts[space];
}

/* Where item `i` was declared. */
static u8 section_of(const struct vm_module *m, u8 space, u32 i)
{
    static const struct {
        u8 section, imported; /* enum vm_extern_kind; functions, which are no space here: none */
    } places[SPACES] = {
        [TYPES] = {VM_SECTION_TYPE, VM_EXTERN_FUNC},
        [TABLES] = {VM_SECTION_TABLE, VM_EXTERN_TABLE},
        [MEMORIES] = {VM_SECTION_MEMORY, VM_EXTERN_MEMORY},
        [GLOBALS] = {VM_SECTION_GLOBAL, VM_EXTERN_GLOBAL},
        [TAGS] = {VM_SECTION_TAG, VM_EXTERN_TAG},
        [ELEMS] = {VM_SECTION_ELEM, VM_EXTERN_FUNC},
        [DATAS] = {VM_SECTION_DATA, VM_EXTERN_FUNC},
        [EXPORTS] = {VM_SECTION_EXPORT, VM_EXTERN_FUNC},
    };
    u8 kind = places[space].imported;
    if (kind != VM_EXTERN_FUNC && i < m->n_imported[kind]) return VM_SECTION_IMPORT;
    return places[space].section;
}

static vm_status check_need(struct vm_checker *k, const struct need *n)
{
    vm_feature f = (vm_feature)n->feature;
    u32 count = count_of(k->m, n->space);
    for (u32 i = 0; i < count; i++) {
        if (!n->is(k->m, i, f)) continue;
        const char *name = vm_feature_name(f);
        return vm_checker_fail(k, VM_ERR_UNSUPPORTED, section_of(k->m, n->space, i),
                               "%s (%u) needs feature %s (--features +%s)", n->what, i, name, name);
    }
    return VM_OK;
}

vm_status vm_check_needs(struct vm_checker *k)
{
    vm_status s = VM_OK;
    for (u32 i = 0; s == VM_OK && i < VM_COUNT(needs); i++) {
        const struct need *n = &needs[i];
        if (!vm_features_have(k->features, (vm_feature)n->feature) && !(k->features & n->also))
            s = check_need(k, n);
    }
    return s;
}
