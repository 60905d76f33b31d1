/* SPDX-License-Identifier: Apache-2.0 */
/* Linear memories, shared ones and their references. */
#include "api/internal.h"

#include "platform/copy.h"

static wr_status_t check_limits(wr_limits_t l, wr_error_t *err)
{
    if (l.max != UINT64_MAX && l.min > l.max)
        return api_error_text(err, WR_ARGUMENT, "minimum greater than maximum");
    if (l.is_shared && l.max == UINT64_MAX)
        return api_error_text(err, WR_ARGUMENT, "a shared memory needs a maximum");
    return WR_OK;
}

wr_status_t wr_memory_new(wr_store_t *store, wr_limits_t limits, wr_memory_t **out, wr_error_t *err)
{
    struct vm_limits type = api_to_limits(limits);
    struct vm_memory *m = NULL;
    struct vm_err e;
    type.page_log2 = VM_PAGE_LOG2;
    vm_err_init(&e);
    if (check_limits(limits, err) != WR_OK) return WR_ARGUMENT;
    vm_status s = vm_memory_new(store->store, &type, &m, &e);
    if (s != VM_OK) return api_error(err, &e, NULL);
    *out = (wr_memory_t *)m;
    return WR_OK;
}

uint8_t *wr_memory_data(const wr_memory_t *memory) { return to_memory(memory)->base; }
uint64_t wr_memory_size(const wr_memory_t *memory) { return vm_memory_size(to_memory(memory)); }
bool wr_memory_is_shared(const wr_memory_t *memory) { return to_memory(memory)->sharing != NULL; }

uint64_t wr_memory_grow(wr_memory_t *memory, uint64_t pages)
{
    return vm_memory_grow(to_memory(memory), pages);
}

bool wr_memory_read(const wr_memory_t *memory, uint64_t addr, void *out, size_t size)
{
    const struct vm_memory *m = to_memory(memory);
    if (!vm_range_ok(addr, size, vm_memory_size(m))) return false;
    vm_copy(out, m->base + addr, size, m->sharing != NULL);
    return true;
}

bool wr_memory_write(wr_memory_t *memory, uint64_t addr, const void *in, size_t size)
{
    struct vm_memory *m = to_memory(memory);
    if (!vm_range_ok(addr, size, vm_memory_size(m))) return false;
    vm_copy(m->base + addr, in, size, m->sharing != NULL);
    return true;
}

void wr_guest_copy(void *to, const void *from, size_t size) { vm_copy_shared(to, from, size); }

/* ---- references to shared memories: the memory itself, counted */

wr_status_t wr_shared_memory_new(wr_engine_t *engine, uint64_t min_pages, uint64_t max_pages,
                                 wr_shared_memory_t **out, wr_error_t *err)
{
    const wr_limits_t limits = {.min = min_pages, .max = max_pages, .is_shared = true};
    struct vm_limits type = api_to_limits(limits);
    struct vm_memory *m = NULL;
    struct vm_err e;
    vm_err_init(&e);
    if (max_pages > (u64)1 << (32 - VM_PAGE_LOG2))
        return api_error_text(err, WR_ARGUMENT, "maximum greater than 65536 pages");
    if (check_limits(limits, err) != WR_OK) return WR_ARGUMENT;
    type.page_log2 = VM_PAGE_LOG2;
    vm_status s = vm_memory_new_shared(&engine->alloc, &type, &m, &e);
    if (s != VM_OK) return api_error(err, &e, NULL);
    api_error_clear(err);
    *out = (wr_shared_memory_t *)m;
    return WR_OK;
}

wr_shared_memory_t *wr_shared_memory_clone(wr_shared_memory_t *shared)
{
    vm_memory_retain(to_shared(shared));
    return shared;
}

void wr_shared_memory_delete(wr_shared_memory_t *shared)
{
    if (shared) vm_memory_release(to_shared(shared));
}

wr_memory_t *wr_store_add_shared_memory(wr_store_t *store, wr_shared_memory_t *shared)
{
    bool done = vm_store_add_memory(store->store, to_shared(shared));
    return done ? (wr_memory_t *)to_shared(shared) : NULL;
}

wr_shared_memory_t *wr_memory_shared(wr_memory_t *memory)
{
    struct vm_memory *m = to_memory(memory);
    if (!m->sharing) return NULL;
    vm_memory_retain(m);
    return (wr_shared_memory_t *)m;
}
