/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and their bulk operations. */
#include "runtime/objects.h"

#include <string.h>

static bool ensure(struct vm_table *t, u64 size)
{
    if (size <= t->capacity) return true;
    u64 cap = t->capacity * 2 > size ? t->capacity * 2 : size;
    if (t->type.limits.has_max && cap > t->type.limits.max) cap = t->type.limits.max;
    if (cap < size || cap > SIZE_MAX / 16) return false;
    void *p = vm_alloc_resize(t->store->alloc, t->elems, (usize)t->capacity * sizeof(void *),
                              (usize)cap * sizeof(void *));
    if (!p) return false;
    t->elems = p;
    t->capacity = cap;
    return true;
}

u64 vm_table_grow(struct vm_table *t, u64 n, void *init)
{
    struct vm_store *s = t->store;
    u64 old = t->size, format = t->type.limits.is_64 ? UINT64_MAX : UINT32_MAX;
    u64 max = t->type.limits.has_max && t->type.limits.max < format ? t->type.limits.max : format;
    if (n > max || old > max - n) return UINT64_MAX;
    if (n > s->limits.table_elems || s->table_elems > s->limits.table_elems - n) return UINT64_MAX;
    if (!ensure(t, old + n)) return UINT64_MAX;
    for (u64 i = old; i < old + n; i++) t->elems[i] = init;
    s->table_elems += n;
    t->size = old + n;
    struct vm_usage *usage = s->quota->usage;
    if (usage) __atomic_store_n(&usage->table_elems, s->table_elems, __ATOMIC_RELAXED);
    return old;
}

vm_status vm_table_new(struct vm_store *store, const struct vm_tabletype *type, void *init,
                       struct vm_table **out, struct vm_err *err)
{
    struct vm_table *t = NULL;
    if (VM_VEC_RESERVE(store->alloc, &store->tables, 1)) t = vm_alloc_zero(store->alloc, sizeof *t);
    if (!t) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "table");
    t->store = store;
    t->type = *type;
    VM_VEC_PUSH(&store->tables, t);
    u64 min = type->limits.min;
    if (min > store->limits.table_elems - store->table_elems)
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET,
                          "a table of %llu elements is over the store's limit",
                          (unsigned long long)min);
    if (vm_table_grow(t, min, init) == UINT64_MAX)
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "a table of %llu elements",
                          (unsigned long long)min);
    *out = t;
    return VM_OK;
}

vm_trap vm_table_init(struct vm_instance *inst, u32 table, u32 elem, u64 d, u64 s, u64 n)
{
    struct vm_table *t = inst->tables[table];
    const struct vm_elem *e = &inst->elems[elem];
    if (!vm_range_ok(s, n, e->size) || !vm_range_ok(d, n, t->size)) return VM_TRAP_TABLE;
    if (n) memcpy(t->elems + d, e->refs + s, (usize)n * sizeof(void *));
    return VM_TRAP_NONE;
}

vm_trap vm_table_copy(struct vm_table *dst, struct vm_table *src, u64 d, u64 s, u64 n)
{
    if (!vm_range_ok(s, n, src->size) || !vm_range_ok(d, n, dst->size)) return VM_TRAP_TABLE;
    if (n) memmove(dst->elems + d, src->elems + s, (usize)n * sizeof(void *));
    return VM_TRAP_NONE;
}

vm_trap vm_table_fill(struct vm_table *t, u64 i, void *value, u64 n)
{
    if (!vm_range_ok(i, n, t->size)) return VM_TRAP_TABLE;
    for (u64 k = i; k < i + n; k++) t->elems[k] = value;
    return VM_TRAP_NONE;
}
