/* SPDX-License-Identifier: Apache-2.0 */
/* Exports: what they name exists, and no name stands twice. spec valid-export */
#include "validate/checker.h"

static vm_error_id unknown(u8 kind)
{
    switch (kind) {
    case VM_EXTERN_FUNC: return VM_ERR_UNKNOWN_FUNC;
    case VM_EXTERN_TABLE: return VM_ERR_UNKNOWN_TABLE;
    case VM_EXTERN_MEMORY: return VM_ERR_UNKNOWN_MEMORY;
    case VM_EXTERN_GLOBAL: return VM_ERR_UNKNOWN_GLOBAL;
    default: return VM_ERR_UNKNOWN_TAG;
    }
}

static u32 count_of(const struct vm_module *m, u8 kind)
{
    switch (kind) {
    case VM_EXTERN_FUNC: return m->func_count;
    case VM_EXTERN_TABLE: return m->table_count;
    case VM_EXTERN_MEMORY: return m->memory_count;
    case VM_EXTERN_GLOBAL: return m->global_count;
    default: return m->tag_count;
    }
}

static vm_status check_target(struct vm_checker *k, const struct vm_export *x)
{
    if (x->index >= count_of(k->m, x->kind)) {
        return vm_checker_fail(k, unknown(x->kind), VM_SECTION_EXPORT, "%u in an export", x->index);
    }
    if (x->kind == VM_EXTERN_FUNC) vm_checker_declare(k, x->index);
    return VM_OK;
}

/*
 * The seed is not known to who wrote the module, so that names with equal hashes cannot be
 * prepared: eight bytes a step, mixed by a multiplication and the upper half folded in.
 */
static u64 hash_name(const struct vm_name *name, u64 seed)
{
    u64 h = seed ^ name->size;
    for (u32 at = 0; at < name->size; at += 8) {
        u64 word = 0;
        u32 left = name->size - at;
        memcpy(&word, name->data + at, left < 8 ? left : 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29 ^ seed;
    }
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

static bool same_name(const struct vm_name *a, const struct vm_name *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Quotes no more of a name than fits a message. */
static vm_status duplicate(struct vm_checker *k, const struct vm_name *name)
{
    int shown = name->size < 100 ? (int)name->size : 100;
    return vm_checker_fail(k, VM_ERR_DUPLICATE_EXPORT, VM_SECTION_EXPORT, "\"%.*s\"", shown,
                           (const char *)name->data);
}

/* Open addressing, at most half full; slots hold an export's number + 1. */
static vm_status check_names(struct vm_checker *k)
{
    const struct vm_export *exports = k->m->exports;
    u32 cap = 16;
    while (cap / 2 < k->m->export_count) cap *= 2;
    u32 *slots = vm_arena_array(&k->keep, cap, sizeof *slots);
    if (!slots) return vm_err_set(k->err, VM_ERR_OOM, VM_NO_OFFSET, NULL);
    u64 seed = (u64)(uintptr_t)slots * 0x94d049bb133111ebu;
    for (u32 i = 0; i < k->m->export_count; i++) {
        u32 at = (u32)hash_name(&exports[i].name, seed) & (cap - 1);
        for (; slots[at] != 0; at = (at + 1) & (cap - 1)) {
            if (same_name(&exports[slots[at] - 1].name, &exports[i].name)) {
                return duplicate(k, &exports[i].name);
            }
        }
        slots[at] = i + 1;
    }
    return VM_OK;
}

vm_status vm_check_exports(struct vm_checker *k)
{
    vm_status s = VM_OK;
    for (u32 i = 0; s == VM_OK && i < k->m->export_count; i++) {
        s = check_target(k, &k->m->exports[i]);
    }
    return s == VM_OK && k->m->export_count > 1 ? check_names(k) : s;
}
