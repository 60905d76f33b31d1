/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locals of a body: reads the declarations, answers the types, tracks which are set.
 * spec binary-func, valid-local
 */
#include "types/limits.h"
#include "validate/ctrl.h"

enum { FIRST_SETS = 16 };

struct run_list {
    struct vm_local_run *runs;
    u32 count, cap;
};

static bool add_run(struct vm_walker *w, struct run_list *list, u64 end, vm_valtype type)
{
    if (list->count == list->cap) {
        u32 cap = list->cap * 2;
        struct vm_local_run *grown =
            vm_walk_grow(w, list->runs, list->count * sizeof *grown, cap * sizeof *grown);
        if (!grown) return vm_walk_fail_oom(w);
        list->runs = grown;
        list->cap = cap;
    }
    list->runs[list->count++] = (struct vm_local_run){(u32)end, type};
    return true;
}

/* Runs past our own limit are read to the end too: the format's limit is another error. */
static bool read_runs(struct vm_walker *w, u32 params, struct run_list *list)
{
    u32 groups, n;
    u64 total = params;
    if (!vm_walk_u32(w, &groups)) return false;
    if (groups > vm_cursor_left(&w->c)) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    for (u32 i = 0; i < groups; i++) {
        if (!vm_walk_u32(w, &n)) return false;
        total += n;
        if (total - params > UINT32_MAX) return vm_walk_fail_here(w, VM_ERR_TOO_MANY_LOCALS);
        vm_valtype type = vm_cursor_valtype(&w->c, w->m->types.count);
        if (w->c.failed) return vm_walk_fail_cursor(w);
        if (!vm_walk_type(w, type)) return false;
        if (n == 0 || total > VM_MAX_LOCALS) continue;
        if (!add_run(w, list, total, type)) return false;
    }
    if (total > VM_MAX_LOCALS) {
        return vm_walk_fail(w, VM_ERR_LIMIT, "%llu locals", (unsigned long long)total);
    }
    w->locals.count = (u32)total;
    return true;
}

/*
 * Without a sink only so many are written out one by one and the rest stays in runs, or else
 * a module of many tiny bodies with 50,000 locals each would cost 50,000 times its size.
 */
static bool expand(struct vm_walker *w, const struct vm_functype *func)
{
    struct vm_locals *l = &w->locals;
    vm_valtype *types = w->first_locals;
    l->expanded = l->count;
    if (l->count > VM_FIRST_LOCALS) {
        if (w->sink) types = vm_arena_array(w->scratch, l->count, sizeof *types);
        if (!types) return vm_walk_fail_oom(w);
        if (!w->sink) l->expanded = VM_FIRST_LOCALS;
    }
    u32 at = 0;
    for (; at < l->expanded && at < func->param_count; at++) types[at] = func->types[at];
    for (u32 r = 0; r < l->run_count; r++) {
        u32 end = l->runs[r].end < l->expanded ? l->runs[r].end : l->expanded;
        while (at < end) types[at++] = l->runs[r].type;
    }
    l->types = types;
    return true;
}

static bool any_needs_value(const struct vm_locals *l)
{
    for (u32 r = 0; r < l->run_count; r++) {
        if (!vm_type_is_defaultable(l->runs[r].type)) return true;
    }
    return false;
}

bool vm_locals_read(struct vm_walker *w, u32 func_idx)
{
    const struct vm_functype *func = vm_module_functype(w->m, func_idx);
    struct run_list list = {.runs = w->first_runs, .cap = VM_FIRST_RUNS};
    w->locals = (struct vm_locals){.func = func};
    if (!read_runs(w, func->param_count, &list)) return false;
    w->locals.runs = list.runs;
    w->locals.run_count = list.count;
    w->locals.need_value = any_needs_value(&w->locals);
    return expand(w, func);
}

vm_valtype vm_local_type_slow(const struct vm_walker *w, u32 index)
{
    const struct vm_locals *l = &w->locals;
    if (index < l->func->param_count) return l->func->types[index];
    u32 low = 0, high = l->run_count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (index < l->runs[mid].end) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return l->runs[low].type;
}

static bool needs_value(const struct vm_walker *w, u32 index)
{
    return index >= w->locals.func->param_count && !vm_type_is_defaultable(vm_local_type(w, index));
}

bool vm_local_is_set_slow(const struct vm_walker *w, u32 index)
{
    const u64 *bits = w->locals.set_bits;
    return !needs_value(w, index) || (bits && bits[index / 64] >> index % 64 & 1);
}

/* The bits are made at the first set: many functions with many locals never come to that. */
bool vm_local_mark_set(struct vm_walker *w, u32 index)
{
    struct vm_locals *l = &w->locals;
    if (vm_local_is_set_slow(w, index)) return true;
    if (!l->set_bits) {
        l->set_bits = vm_arena_array(w->scratch, (usize)l->count / 64 + 1, sizeof *l->set_bits);
        if (!l->set_bits) return vm_walk_fail_oom(w);
    }
    if (l->set_count == l->set_cap) {
        u32 cap = l->set_cap ? l->set_cap * 2 : FIRST_SETS;
        u32 *grown = vm_walk_grow(w, l->sets, l->set_count * sizeof *grown, cap * sizeof *grown);
        if (!grown) return vm_walk_fail_oom(w);
        l->sets = grown;
        l->set_cap = cap;
    }
    l->set_bits[index / 64] |= (u64)1 << index % 64;
    l->sets[l->set_count++] = index;
    return true;
}

void vm_local_undo_sets(struct vm_walker *w, u32 count)
{
    struct vm_locals *l = &w->locals;
    while (l->set_count > count) {
        u32 index = l->sets[--l->set_count];
        l->set_bits[index / 64] &= ~((u64)1 << index % 64);
    }
}
