/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical type numbers in runs, free runs kept in the map itself so that release cannot fail. */
#include "types/typeids.h"

#include "base/bits.h"

/* How many runs of a mixed class are tried before a larger class is. */
enum { MAX_TRIES = 8 };

static u32 class_of(u32 count)
{
    if (count <= VM_TYPEIDS_EXACT) return count - 1;
    return VM_TYPEIDS_EXACT + (31 - vm_clz32(count)) - 4;
}

static u32 run_length(vm_typeid_slot slot) { return (u32)slot >> 1; }
static u32 run_next(vm_typeid_slot slot) { return (u32)(slot >> 32); }
static vm_typeid_slot run_slot(u32 length, u32 next) { return (u64)next << 32 | length << 1 | 1; }

static void forget_runs(struct vm_typeids *ids)
{
    for (u32 i = 0; i < VM_TYPEIDS_CLASSES; i++) {
        ids->free_runs[i] = VM_NO_TYPE;
    }
}

void vm_typeids_init(struct vm_typeids *ids, const struct vm_alloc *alloc)
{
    ids->alloc = alloc;
    ids->fresh = ids->in_use = 0;
    forget_runs(ids);
    for (u32 i = 0; i < VM_TYPEIDS_CHUNKS; i++) {
        atomic_init(&ids->chunks[i], NULL);
    }
}

void vm_typeids_free(struct vm_typeids *ids)
{
    for (u32 i = 0; i < VM_TYPEIDS_CHUNKS; i++) {
        /* relaxed: nobody else may use the registry any more */
        vm_typeid_slot *chunk = atomic_load_explicit(&ids->chunks[i], memory_order_relaxed);
        vm_alloc_free(ids->alloc, chunk, vm_typeids_room(i) * sizeof *chunk);
    }
}

static void push_run(struct vm_typeids *ids, u32 first, u32 count)
{
    u32 *head = &ids->free_runs[class_of(count)];
    *vm_typeids_slot(ids, first) = run_slot(count, *head);
    *head = first;
}

/* Takes the first run of class `cls` that has `count` numbers; gives back what is over. */
static bool take_from_class(struct vm_typeids *ids, u32 cls, u32 count, u32 *first)
{
    u32 before = VM_NO_TYPE, run = ids->free_runs[cls];
    for (u32 tries = 0; run != VM_NO_TYPE && tries < MAX_TRIES; tries++) {
        vm_typeid_slot slot = *vm_typeids_slot(ids, run);
        if (run_length(slot) < count) {
            before = run;
            run = run_next(slot);
            continue;
        }
        if (before == VM_NO_TYPE) {
            ids->free_runs[cls] = run_next(slot);
        } else {
            vm_typeid_slot *prev = vm_typeids_slot(ids, before);
            *prev = run_slot(run_length(*prev), run_next(slot));
        }
        if (run_length(slot) > count) push_run(ids, run + count, run_length(slot) - count);
        *first = run;
        return true;
    }
    return false;
}

static bool take_free(struct vm_typeids *ids, u32 count, u32 *first)
{
    for (u32 cls = class_of(count); cls < VM_TYPEIDS_CLASSES; cls++) {
        if (take_from_class(ids, cls, count, first)) return true;
    }
    return false;
}

/* When the numbers run out: joins neighbouring free runs, one pass over all numbers. */
static void join_runs(struct vm_typeids *ids)
{
    forget_runs(ids);
    u32 run = 0, length = 0;
    for (u32 id = 0; id < ids->fresh;) {
        vm_typeid_slot slot = *vm_typeids_slot(ids, id);
        if (slot & 1) {
            if (length == 0) run = id;
            length += run_length(slot);
            id += run_length(slot);
            continue;
        }
        if (length) push_run(ids, run, length);
        length = 0;
        id += vm_typeids_get(ids, id)->rec_count;
    }
    if (length) push_run(ids, run, length);
}

static bool add_chunks(struct vm_typeids *ids, u32 end)
{
    u32 last = vm_typeids_chunk_of(end - 1);
    for (u32 i = vm_typeids_chunk_of(ids->fresh); i <= last; i++) {
        if (atomic_load_explicit(&ids->chunks[i], memory_order_relaxed)) continue;
        vm_typeid_slot *chunk =
            vm_alloc_array(ids->alloc, vm_typeids_room(i), sizeof(vm_typeid_slot));
        if (!chunk) return false;
        /* release: readers without the lock find the chunk initialised */
        atomic_store_explicit(&ids->chunks[i], chunk, memory_order_release);
    }
    return true;
}

vm_status vm_typeids_take(struct vm_typeids *ids, u32 count, u32 *first)
{
    if (count > VM_TYPEIDS_MAX) return VM_LIMIT;
    bool found = take_free(ids, count, first);
    if (!found && ids->fresh > VM_TYPEIDS_MAX - count) {
        join_runs(ids);
        found = take_free(ids, count, first);
        if (!found) return VM_LIMIT;
    }
    if (!found) {
        if (!add_chunks(ids, ids->fresh + count)) return VM_OOM;
        *first = ids->fresh;
        ids->fresh += count;
    }
    ids->in_use += count;
    return VM_OK;
}

void vm_typeids_set(struct vm_typeids *ids, u32 first, const struct vm_deftype *types, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        *vm_typeids_slot(ids, first + i) = (u64)(uintptr_t)&types[i];
    }
}

void vm_typeids_put(struct vm_typeids *ids, u32 first, u32 count)
{
    ids->in_use -= count;
    if (ids->in_use > 0) {
        push_run(ids, first, count);
        return;
    }
    ids->fresh = 0; /* all are free again: start over, so that no fragments stay */
    forget_runs(ids);
}
