/* SPDX-License-Identifier: Apache-2.0 */
/* Linear memories: reservation, growth, sharing, bulk initialisation. Single accesses are interp's.
 */
#include "runtime/objects.h"

#include "platform/copy.h"
#include "platform/vmem.h"
#include "runtime/sharing.h"

/* A 32-bit address plus a 32-bit offset reaches below 8 GiB; the widest access is 16 bytes. */
#define GUARD_BYTES ((u64)64 << 10)
#define GUARD_RESERVATION (((u64)8 << 30) + GUARD_BYTES)

static u64 pages_to_bytes(const struct vm_limits *type, u64 pages)
{
    return pages << type->page_log2;
}

/* ---- quotas */

struct vm_quota *vm_quota_new(const struct vm_alloc *alloc, u64 limit_bytes)
{
    struct vm_quota *q = vm_alloc_zero(alloc, sizeof *q);
    if (!q) return NULL;
    q->alloc = alloc;
    q->limit_bytes = limit_bytes;
    atomic_init(&q->refs, 1);
    return q;
}

static struct vm_quota *quota_retain(struct vm_quota *q)
{
    atomic_fetch_add_explicit(&q->refs, 1, memory_order_relaxed);
    return q;
}

static void quota_release(struct vm_quota *q)
{
    /* acquire and release: whoever frees it sees all that others did with it */
    if (q && atomic_fetch_sub_explicit(&q->refs, 1, memory_order_acq_rel) == 1)
        vm_alloc_free(q->alloc, q, sizeof *q);
}

/* Several threads may grow shared memories of one quota: relaxed, since nobody concludes from one
 * figure what another is. */
static void tell_memory(struct vm_quota *q, u64 bytes)
{
    if (q->usage) (void)__atomic_fetch_add(&q->usage->memory_bytes, bytes, __ATOMIC_RELAXED);
}

static void tell_limit(struct vm_quota *q, u64 bytes)
{
    if (!q->usage) return;
    u64 sum = __atomic_load_n(&q->usage->memory_limit_bytes, __ATOMIC_RELAXED);
    u64 all =
        sum > UINT64_MAX - bytes || sum + bytes > q->limit_bytes ? q->limit_bytes : sum + bytes;
    __atomic_store_n(&q->usage->memory_limit_bytes, all, __ATOMIC_RELAXED); /* owner thread */
}

static bool quota_take(struct vm_quota *q, u64 bytes)
{
    u64 used = atomic_load_explicit(&q->used_bytes, memory_order_relaxed);
    do {
        if (bytes > q->limit_bytes || used > q->limit_bytes - bytes) return false;
    } while (!atomic_compare_exchange_weak_explicit(&q->used_bytes, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void quota_give_back(struct vm_quota *q, u64 bytes)
{
    atomic_fetch_sub_explicit(&q->used_bytes, bytes, memory_order_relaxed);
}

/* ---- reservation */

/** Pages that the declared type, the quota and the format allow. */
static u64 allowed_pages(const struct vm_quota *quota, const struct vm_limits *type)
{
    u64 format = (type->is_64 ? (u64)1 << 48 : (u64)1 << 32) >> type->page_log2;
    if (!type->is_64 && format > UINT32_MAX) format = UINT32_MAX; /* memory.size can tell */
    u64 limit = quota->limit_bytes >> type->page_log2;
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

static bool reserve(struct vm_memory *m, u64 max, bool use_guard)
{
    m->max_pages = max;
    if (use_guard && !m->type.is_64 && m->type.page_log2 == VM_PAGE_LOG2) {
        m->base = vm_reserve(GUARD_RESERVATION);
        m->reserved_bytes = GUARD_RESERVATION;
        m->mode = VM_CODE_GUARD;
        if (m->base) return true;
    }
    m->mode = VM_CODE_EXPLICIT;
    return reserve_explicit(m, max);
}

/* ---- growth */

static u64 grow(struct vm_memory *m, u64 pages)
{
    u64 old_bytes = vm_memory_size(m), old_pages = old_bytes >> m->type.page_log2;
    if (pages > m->max_pages || old_pages > m->max_pages - pages) return UINT64_MAX;
    u64 extra = pages_to_bytes(&m->type, pages);
    if (!quota_take(m->quota, extra)) return UINT64_MAX;
    if (!vm_commit(m->base, old_bytes + extra)) {
        quota_give_back(m->quota, extra);
        return UINT64_MAX;
    }
    atomic_store_explicit(&m->size_bytes, old_bytes + extra, memory_order_relaxed);
    tell_memory(m->quota, extra);
    return old_pages;
}

u64 vm_memory_grow(struct vm_memory *m, u64 pages)
{
    if (!m->sharing) return grow(m, pages);
    (void)pthread_mutex_lock(&m->sharing->lock);
    u64 old_pages = grow(m, pages);
    (void)pthread_mutex_unlock(&m->sharing->lock);
    return old_pages;
}

/* ---- life */

/** Frees what is there of a memory, also of one half made. */
static void memory_free(struct vm_memory *m)
{
    if (m->sharing) {
        (void)pthread_mutex_destroy(&m->sharing->lock);
        vm_alloc_free(m->alloc, m->sharing, sizeof *m->sharing);
    }
    vm_release(m->base, m->reserved_bytes);
    quota_release(m->quota);
    vm_alloc_free(m->alloc, m, sizeof *m);
}

static bool make_sharing(struct vm_memory *m)
{
    m->sharing = vm_alloc_zero(m->alloc, sizeof *m->sharing);
    if (!m->sharing) return false;
    atomic_init(&m->sharing->refs, 1);
    (void)pthread_mutex_init(&m->sharing->lock, NULL);
    return true;
}

static vm_status too_large(const struct vm_limits *type, struct vm_err *err)
{
    return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET,
                      "a memory of %llu pages is over the store's limit",
                      (unsigned long long)type->min);
}

/** A memory with its initial pages, charged to `quota`, of which it takes a reference. */
static vm_status make(struct vm_quota *quota, bool use_guard, const struct vm_limits *type,
                      struct vm_memory **out, struct vm_err *err)
{
    u64 max = allowed_pages(quota, type);
    if (type->min > max) return too_large(type, err);
    struct vm_memory *m = vm_alloc_zero(quota->alloc, sizeof *m);
    if (!m) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    m->alloc = quota->alloc;
    m->quota = quota_retain(quota);
    m->type = *type;
    vm_status s = VM_OK;
    u64 initial = pages_to_bytes(type, type->min);
    if (type->is_shared && !make_sharing(m))
        s = vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    else if (!reserve(m, max, use_guard))
        s = vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET, "no address space for a memory");
    else if (initial >
             quota->limit_bytes - atomic_load_explicit(&quota->used_bytes, memory_order_relaxed))
        s = too_large(type, err);
    else if (grow(m, type->min) == UINT64_MAX)
        s = vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "a memory of %llu pages",
                       (unsigned long long)type->min);
    if (s == VM_OK) {
        tell_limit(quota, pages_to_bytes(type, m->max_pages));
        *out = m;
    } else {
        memory_free(m);
    }
    return s;
}

vm_status vm_memory_new(struct vm_store *store, const struct vm_limits *type,
                        struct vm_memory **out, struct vm_err *err)
{
    if (!VM_VEC_RESERVE(store->alloc, &store->memories, 1))
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    vm_status s = make(store->quota, store->use_guard, type, out, err);
    if (s == VM_OK) VM_VEC_PUSH(&store->memories, *out);
    return s;
}

vm_status vm_memory_new_shared(const struct vm_alloc *alloc, const struct vm_limits *type,
                               struct vm_memory **out, struct vm_err *err)
{
    struct vm_quota *quota = vm_quota_new(alloc, UINT64_MAX);
    if (!quota) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    /* Room for guard pages needs no fault handler: a store that has none checks all accesses. */
    vm_status s = make(quota, true, type, out, err);
    quota_release(quota);
    return s;
}

void vm_memory_retain(struct vm_memory *m)
{
    atomic_fetch_add_explicit(&m->sharing->refs, 1, memory_order_relaxed);
}

void vm_memory_release(struct vm_memory *m)
{
    /* acquire and release: whoever frees it sees all that others did with it */
    if (atomic_fetch_sub_explicit(&m->sharing->refs, 1, memory_order_acq_rel) == 1) memory_free(m);
}

bool vm_store_add_memory(struct vm_store *store, struct vm_memory *m)
{
    for (u32 i = 0; i < store->memories.len; i++)
        if (store->memories.data[i] == m) return true;
    if (!VM_VEC_RESERVE(store->alloc, &store->memories, 1)) return false;
    vm_memory_retain(m);
    VM_VEC_PUSH(&store->memories, m);
    return true;
}

void vm_store_free_memories(struct vm_store *store)
{
    for (u32 i = 0; i < store->memories.len; i++) {
        struct vm_memory *m = store->memories.data[i];
        if (m->sharing)
            vm_memory_release(m);
        else
            memory_free(m);
    }
    VM_VEC_FREE(store->alloc, &store->memories);
    quota_release(store->quota);
}

/* ---- initialisation */

vm_trap vm_memory_init(struct vm_instance *inst, u32 memory, u32 data, u64 d, u64 s, u64 n)
{
    struct vm_memory *m = inst->memories[memory];
    if (!vm_range_ok(s, n, inst->data_sizes[data]) || !vm_range_ok(d, n, vm_memory_size(m)))
        return VM_TRAP_MEMORY;
    const struct vm_module *mod = &inst->program->module;
    const u8 *from = mod->bytes + mod->datas[data].bytes.start + s;
    vm_copy(m->base + d, from, (usize)n, m->sharing != NULL);
    return VM_TRAP_NONE;
}
