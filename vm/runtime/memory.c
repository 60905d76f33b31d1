/* SPDX-License-Identifier: Apache-2.0 */
/* Linear memories: reservation, growth, bulk initialisation. Single accesses are interp's. */
#include "runtime/objects.h"

#include "platform/vmem.h"

#include <string.h>

/* A 32-bit address plus a 32-bit offset reaches below 8 GiB; the widest access is 16 bytes. */
#define GUARD_BYTES ((u64)64 << 10)
#define GUARD_RESERVATION (((u64)8 << 30) + GUARD_BYTES)

static u64 pages_to_bytes(const struct vm_limits *type, u64 pages)
{
    return pages << type->page_log2;
}

/** Pages that the declared type, the store's limits and the format allow. */
static u64 allowed_pages(const struct vm_store *store, const struct vm_limits *type)
{
    u64 format = (type->is_64 ? (u64)1 << 48 : (u64)1 << 32) >> type->page_log2;
    u64 limit = store->limits.memory_bytes >> type->page_log2;
    u64 max = type->has_max && type->max < format ? type->max : format;
    return max < limit ? max : limit;
}

/** Reserves for `max` pages, or for less when the address space is short; never below `min`. */
static bool reserve_explicit(struct vm_memory *m, u64 max)
{
    for (u64 pages = max;; pages = pages / 2 > m->type.min ? pages / 2 : m->type.min) {
        u64 page = vm_page_bytes();
        u64 bytes = (pages_to_bytes(&m->type, pages) + page - 1) / page * page;
        m->base = vm_reserve(bytes ? bytes : page);
        if (m->base) {
            m->reserved_bytes = bytes ? bytes : page;
            m->max_pages = pages;
            return true;
        }
        if (pages <= m->type.min) return false;
    }
}

static bool reserve(struct vm_memory *m, u64 max)
{
    m->max_pages = max;
    if (m->store->use_guard && !m->type.is_64 && m->type.page_log2 == VM_PAGE_LOG2) {
        m->base = vm_reserve(GUARD_RESERVATION);
        m->reserved_bytes = GUARD_RESERVATION;
        m->mode = VM_CODE_GUARD;
        if (m->base) return true;
    }
    m->mode = VM_CODE_EXPLICIT;
    return reserve_explicit(m, max);
}

u64 vm_memory_grow(struct vm_memory *m, u64 pages)
{
    u64 old_bytes = vm_memory_size(m), old_pages = old_bytes >> m->type.page_log2;
    if (pages > m->max_pages || old_pages > m->max_pages - pages) return UINT64_MAX;
    u64 extra = pages_to_bytes(&m->type, pages);
    struct vm_store *s = m->store;
    if (extra > s->limits.memory_bytes || s->memory_bytes > s->limits.memory_bytes - extra)
        return UINT64_MAX;
    if (!vm_commit(m->base, old_bytes + extra)) return UINT64_MAX;
    s->memory_bytes += extra;
    atomic_store_explicit(&m->size_bytes, old_bytes + extra, memory_order_relaxed);
    return old_pages;
}

vm_status vm_memory_new(struct vm_store *store, const struct vm_limits *type,
                        struct vm_memory **out, struct vm_err *err)
{
    if (!VM_VEC_RESERVE(store->alloc, &store->memories, 1))
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    u64 max = allowed_pages(store, type);
    if (type->min > max)
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET,
                          "a memory of %llu pages is over the store's limit",
                          (unsigned long long)type->min);
    struct vm_memory *m = vm_alloc_zero(store->alloc, sizeof *m);
    if (!m) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    m->store = store;
    m->type = *type;
    if (!reserve(m, max)) {
        vm_alloc_free(store->alloc, m, sizeof *m);
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET, "no address space for a memory");
    }
    VM_VEC_PUSH(&store->memories, m);
    if (pages_to_bytes(type, type->min) > store->limits.memory_bytes - store->memory_bytes)
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET,
                          "a memory of %llu pages is over the store's limit",
                          (unsigned long long)type->min);
    if (vm_memory_grow(m, type->min) == UINT64_MAX)
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "a memory of %llu pages",
                          (unsigned long long)type->min);
    *out = m;
    return VM_OK;
}

vm_trap vm_memory_init(struct vm_instance *inst, u32 memory, u32 data, u64 d, u64 s, u64 n)
{
    struct vm_memory *m = inst->memories[memory];
    if (!vm_range_ok(s, n, inst->data_sizes[data]) || !vm_range_ok(d, n, vm_memory_size(m)))
        return VM_TRAP_MEMORY;
    const struct vm_module *mod = &inst->program->module;
    if (n) memcpy(m->base + d, mod->bytes + mod->datas[data].bytes.start + s, (usize)n);
    return VM_TRAP_NONE;
}
