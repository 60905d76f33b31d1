/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions by name and type, and the resolution of imports. */
#include "runtime/link.h"

#include <string.h>

struct vm_linker *vm_linker_new(const struct vm_alloc *alloc, struct vm_types *types)
{
    struct vm_linker *l = vm_alloc_zero(alloc, sizeof *l);
    if (!l) return NULL;
    l->alloc = alloc;
    l->types = types;
    vm_hash_key_make(&l->key, l);
    return l;
}

static void name_free(const struct vm_alloc *a, struct vm_name n)
{
    vm_alloc_free(a, (void *)(uintptr_t)n.data, (usize)n.size + 1);
}

static void def_free(struct vm_linker *l, struct vm_def *d)
{
    name_free(l->alloc, d->module);
    name_free(l->alloc, d->name);
    if (d->shared)
        vm_memory_release(d->shared);
    else if (!d->store)
        vm_types_release_func(l->types, d->type);
    if (d->env_free) d->env_free(l->alloc, d->env);
}

void vm_linker_delete(struct vm_linker *l)
{
    if (!l) return;
    for (u32 i = 0; i < l->defs.len; i++) def_free(l, &l->defs.data[i]);
    VM_VEC_FREE(l->alloc, &l->defs);
    vm_alloc_free(l->alloc, l->buckets, (usize)l->bucket_count * sizeof(u32));
    vm_alloc_free(l->alloc, l, sizeof *l);
}

/* ---- hashing */

static void hash_name(struct vm_hash *h, struct vm_name n)
{
    u64 word = 0;
    for (u32 i = 0; i < n.size; i++) {
        word = word << 8 | n.data[i];
        if (i % 8 == 7) vm_hash_add(h, word);
    }
    vm_hash_add(h, word);
    vm_hash_add(h, n.size);
}

/** Keyed: names come from modules, which could choose ones that collide. */
static u32 hash_names(const struct vm_linker *l, struct vm_name module, struct vm_name name)
{
    struct vm_hash h;
    vm_hash_init(&h, &l->key);
    hash_name(&h, module);
    hash_name(&h, name);
    return (u32)vm_hash_end(&h);
}

static bool name_equal(struct vm_name a, struct vm_name b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool grow_buckets(struct vm_linker *l)
{
    if (l->defs.len < l->bucket_count) return true;
    u32 count = l->bucket_count ? l->bucket_count * 2 : 64;
    u32 *buckets = vm_alloc_array(l->alloc, count, sizeof *buckets);
    if (!buckets) return false;
    for (u32 i = 0; i < count; i++) buckets[i] = VM_NO_INDEX;
    for (u32 i = 0; i < l->defs.len; i++) {
        struct vm_def *d = &l->defs.data[i];
        if (d->replaced) continue;
        d->next = buckets[d->hash & (count - 1)];
        buckets[d->hash & (count - 1)] = i;
    }
    vm_alloc_free(l->alloc, l->buckets, (usize)l->bucket_count * sizeof *buckets);
    l->buckets = buckets;
    l->bucket_count = count;
    return true;
}

/** First definition of these names from index `i` of a chain on, or VM_NO_INDEX. */
static u32 find_from(const struct vm_linker *l, u32 i, u32 hash, struct vm_name module,
                     struct vm_name name)
{
    for (; i != VM_NO_INDEX; i = l->defs.data[i].next) {
        const struct vm_def *d = &l->defs.data[i];
        if (d->hash == hash && name_equal(d->module, module) && name_equal(d->name, name)) break;
    }
    return i;
}

static u32 chain_head(const struct vm_linker *l, u32 hash)
{
    return l->bucket_count ? l->buckets[hash & (l->bucket_count - 1)] : VM_NO_INDEX;
}

/* ---- definition */

/** A NUL-terminated copy; data NULL when out of memory. */
static struct vm_name name_copy(const struct vm_alloc *a, struct vm_name n)
{
    u8 *p = vm_alloc_zero(a, (usize)n.size + 1);
    if (p && n.size) memcpy(p, n.data, n.size);
    return (struct vm_name){.data = p, .size = n.size};
}

static enum vm_extern_kind def_kind(const struct vm_def *d)
{
    if (d->shared) return VM_EXTERN_MEMORY;
    return d->store ? d->item.kind : VM_EXTERN_FUNC;
}

static u32 def_func_type(const struct vm_def *d)
{
    return d->store ? d->item.of.func->type : d->type;
}

/** True when adding `d` replaces `old`: same kind and store and, for functions, same type. */
static bool replaces(const struct vm_def *old, const struct vm_def *d)
{
    if (def_kind(old) != def_kind(d)) return false;
    if (old->store && d->store && old->store != d->store) return false;
    return def_kind(d) != VM_EXTERN_FUNC || def_func_type(old) == def_func_type(d);
}

/** Takes definition `i` out of its chain. */
static void unlink_def(struct vm_linker *l, u32 i)
{
    u32 *at = &l->buckets[l->defs.data[i].hash & (l->bucket_count - 1)];
    while (*at != i) at = &l->defs.data[*at].next;
    *at = l->defs.data[i].next;
    l->defs.data[i].replaced = true;
}

/** Takes over proto's type and env; on failure they stay the caller's. */
static vm_status add(struct vm_linker *l, struct vm_name module, struct vm_name name,
                     const struct vm_def *proto, struct vm_err *err)
{
    struct vm_def d = *proto;
    if (!VM_VEC_RESERVE(l->alloc, &l->defs, 1) || !grow_buckets(l))
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "linker");
    d.hash = hash_names(l, module, name);
    d.module = name_copy(l->alloc, module);
    d.name = name_copy(l->alloc, name);
    if (!d.module.data || !d.name.data) {
        name_free(l->alloc, d.module);
        name_free(l->alloc, d.name);
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "linker");
    }
    u32 i = find_from(l, chain_head(l, d.hash), d.hash, module, name);
    while (i != VM_NO_INDEX && !replaces(&l->defs.data[i], &d))
        i = find_from(l, l->defs.data[i].next, d.hash, module, name);
    if (i != VM_NO_INDEX) unlink_def(l, i);
    u32 *bucket = &l->buckets[d.hash & (l->bucket_count - 1)];
    d.next = *bucket;
    *bucket = l->defs.len;
    VM_VEC_PUSH(&l->defs, d);
    return VM_OK;
}

vm_status vm_linker_add_host(struct vm_linker *l, struct vm_name module, struct vm_name name,
                             const struct vm_functype *type, const struct vm_def *proto,
                             struct vm_err *err)
{
    struct vm_def d = *proto;
    d.store = NULL;
    d.type = vm_types_intern_func(l->types, type);
    if (d.type == VM_NO_TYPE) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "linker");
    vm_status s = add(l, module, name, &d, err);
    if (s != VM_OK) vm_types_release_func(l->types, d.type);
    return s;
}

vm_status vm_linker_add_extern(struct vm_linker *l, struct vm_name module, struct vm_name name,
                               struct vm_store *store, struct vm_extern item, struct vm_err *err)
{
    struct vm_def d = {.store = store, .item = item};
    return add(l, module, name, &d, err);
}

vm_status vm_linker_add_shared(struct vm_linker *l, struct vm_name module, struct vm_name name,
                               struct vm_memory *memory, struct vm_err *err)
{
    struct vm_def d = {.shared = memory};
    vm_status s = add(l, module, name, &d, err);
    if (s == VM_OK) vm_memory_retain(memory);
    return s;
}

/* ---- matching. spec match-externtype */

static bool func_matches(const struct vm_linker *l, const struct vm_def *d,
                         const struct vm_program *p, u32 index)
{
    return vm_types_match(l->types, def_func_type(d), vm_program_func_type(p, index));
}

static bool global_matches(const struct vm_linker *l, const struct vm_global *g,
                           const struct vm_program *p, u32 index)
{
    const struct vm_globaltype *want = &p->module.globals[index].type;
    vm_valtype t = vm_program_valtype(p, want->type);
    if (g->type.is_mutable != want->is_mutable) return false;
    if (!vm_types_valtype_matches(l->types, g->type.type, t)) return false;
    return !want->is_mutable || vm_types_valtype_matches(l->types, t, g->type.type);
}

static bool table_matches(const struct vm_linker *l, const struct vm_table *t,
                          const struct vm_program *p, u32 index)
{
    const struct vm_tabletype *want = &p->module.tables[index].type;
    vm_valtype elem = vm_program_valtype(p, want->elem);
    return vm_types_valtype_matches(l->types, t->type.elem, elem) &&
           vm_types_valtype_matches(l->types, elem, t->type.elem) &&
           vm_limits_match(&t->type.limits, t->size, &want->limits);
}

static bool memory_matches(const struct vm_memory *m, const struct vm_program *p, u32 index)
{
    return vm_limits_match(&m->type, vm_memory_pages(m), &p->module.memories[index]);
}

static bool matches(const struct vm_linker *l, const struct vm_def *d, const struct vm_program *p,
                    const struct vm_import *im, const struct vm_store *store)
{
    if (d->store && store && d->store != store) return false;
    if (def_kind(d) != im->kind) return false;
    if (d->shared) return memory_matches(d->shared, p, im->index);
    switch (im->kind) {
    case VM_EXTERN_FUNC: return func_matches(l, d, p, im->index);
    case VM_EXTERN_TABLE: return table_matches(l, d->item.of.table, p, im->index);
    case VM_EXTERN_GLOBAL: return global_matches(l, d->item.of.global, p, im->index);
    case VM_EXTERN_MEMORY: return memory_matches(d->item.of.memory, p, im->index);
    default: {
        u32 want = p->canon[p->module.tags[im->index]], have = d->item.of.tag->type;
        return want == have;
    }
    }
}

const struct vm_def *vm_linker_find(const struct vm_linker *l, const struct vm_program *p, u32 i,
                                    const struct vm_store *store)
{
    const struct vm_import *im = &p->module.imports[i];
    u32 hash = hash_names(l, im->module, im->name);
    u32 k = find_from(l, chain_head(l, hash), hash, im->module, im->name);
    while (k != VM_NO_INDEX && !matches(l, &l->defs.data[k], p, im, store))
        k = find_from(l, l->defs.data[k].next, hash, im->module, im->name);
    return k == VM_NO_INDEX ? NULL : &l->defs.data[k];
}

const struct vm_def *vm_linker_find_name(const struct vm_linker *l, struct vm_name module,
                                         struct vm_name name)
{
    u32 hash = hash_names(l, module, name);
    u32 k = find_from(l, chain_head(l, hash), hash, module, name);
    return k == VM_NO_INDEX ? NULL : &l->defs.data[k];
}

/* ---- near misses */

enum { SIMILAR_BYTES = 64 };

/** Edit distance, or a large number for names too long to care. */
static u32 edit_distance(struct vm_name a, struct vm_name b)
{
    u32 row[SIMILAR_BYTES + 1];
    if (a.size > SIMILAR_BYTES || b.size > SIMILAR_BYTES) return UINT32_MAX;
    for (u32 j = 0; j <= b.size; j++) row[j] = j;
    for (u32 i = 1; i <= a.size; i++) {
        u32 diagonal = row[0];
        row[0] = i;
        for (u32 j = 1; j <= b.size; j++) {
            u32 change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            u32 step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = step < change ? step : change;
        }
    }
    return row[b.size];
}

const struct vm_def *vm_linker_similar(const struct vm_linker *l, struct vm_name module,
                                       struct vm_name name)
{
    const struct vm_def *best = NULL;
    u32 best_distance = name.size / 3 + 1; /* worse is not similar */
    for (u32 i = 0; i < l->defs.len && i < 4096; i++) {
        const struct vm_def *d = &l->defs.data[i];
        if (d->replaced) continue;
        bool same_name = name_equal(d->name, name);
        if (!same_name && !name_equal(d->module, module)) continue;
        u32 distance = same_name ? 0 : edit_distance(d->name, name);
        if (distance <= best_distance) {
            best_distance = distance;
            best = d;
        }
    }
    return best;
}

/* ---- resolution */

static vm_status resolve_one(const struct vm_linker *l, struct vm_store *store,
                             struct vm_program *p, u32 i, struct vm_extern *out, struct vm_err *err)
{
    const struct vm_import *im = &p->module.imports[i];
    const struct vm_def *d = vm_linker_find(l, p, i, store);
    if (!d) {
        bool known = vm_linker_find_name(l, im->module, im->name) != NULL;
        return vm_err_set(
            err, known ? VM_ERR_IMPORT_TYPE : VM_ERR_UNKNOWN_IMPORT, VM_NO_OFFSET, "%.*s.%.*s",
            im->module.size > 100 ? 100 : (int)im->module.size, (const char *)im->module.data,
            im->name.size > 100 ? 100 : (int)im->name.size, (const char *)im->name.data);
    }
    if (d->store) {
        *out = d->item;
        return VM_OK;
    }
    if (d->shared) {
        *out = (struct vm_extern){.kind = VM_EXTERN_MEMORY, .of.memory = d->shared};
        return vm_store_add_memory(store, d->shared)
                   ? VM_OK
                   : vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "memory");
    }
    *out = (struct vm_extern){.kind = VM_EXTERN_FUNC};
    out->of.func = vm_host_func_new(store, d->type, d->fn, d->env);
    return out->of.func ? VM_OK : vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "host function");
}

vm_status vm_linker_resolve(const struct vm_linker *l, struct vm_store *store, struct vm_program *p,
                            struct vm_extern *out, struct vm_err *err)
{
    for (u32 i = 0; i < p->module.import_count; i++) {
        vm_status s = resolve_one(l, store, p, i, &out[i], err);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}
