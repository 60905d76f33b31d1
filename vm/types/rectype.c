/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of canonical types: equal recursion groups get equal numbers. spec aux-roll-rectype
 *
 * A group's key is its types with references into the group made relative ("rolled") and all
 * others canonical, so two groups are equal exactly when their keys are. A group keeps the groups
 * that it mentions.
 */
#include "base/hash.h"
#include "types/typeids.h"

#include <pthread.h>

/* An interned group: one allocation, with its types' parts behind it. lock: of the registry */
struct group {
    struct group *next; /* in its bucket, or in the list of the dying */
    u64 hash;
    u64 refs; /* retained by modules, host functions and other groups */
    usize bytes;
    u32 first, count;
    struct vm_deftype types[];
};

/* The numbers are below 2^24, group_count too. */
struct vm_types {
    const struct vm_alloc *alloc;
    pthread_mutex_t lock;
    struct vm_hash_key key; /* immutable */
    struct group **buckets;
    u32 bucket_count; /* a power of two */
    u32 group_count;
    struct vm_typeids ids;
};

enum { MIN_BUCKETS = 64 };

/* A group in whichever index space: types [first, first + count) are itself. */
struct view {
    const struct vm_deftype *types; /* those of the group */
    u32 first, count;
    const u32 *canon; /* canonical numbers of the indices below first; NULL: indices are these */
};

/* -------- keys */

#define ROLLED ((u64)1 << 32)

/* A type index as it stands in the key; VM_NO_TYPE stays. */
static u64 roll_index(const struct view *v, u32 index)
{
    if (index == VM_NO_TYPE) return VM_NO_TYPE;
    if (index >= v->first && index - v->first < v->count) return ROLLED | (index - v->first);
    return v->canon ? v->canon[index] : index;
}

static u64 roll_valtype(const struct view *v, vm_valtype t)
{
    if (!vm_valtype_is_indexed(t)) return t;
    return roll_index(v, vm_valtype_heap(t)) << 8 | vm_valtype_kind(t);
}

static u32 func_type_count(const struct vm_deftype *t)
{
    return t->of.func.param_count + t->of.func.result_count;
}

static u64 hash_group(const struct vm_types *reg, const struct view *v)
{
    struct vm_hash h;
    vm_hash_init(&h, &reg->key);
    for (u32 i = 0; i < v->count; i++) {
        const struct vm_deftype *t = &v->types[i];
        vm_hash_add(&h, (u64)t->kind << 8 | t->is_final);
        vm_hash_add(&h, roll_index(v, t->super));
        if (t->kind == VM_COMP_FUNC) {
            vm_hash_add(&h, (u64)t->of.func.param_count << 32 | t->of.func.result_count);
            for (u32 k = 0; k < func_type_count(t); k++) {
                vm_hash_add(&h, roll_valtype(v, t->of.func.types[k]));
            }
            continue;
        }
        vm_hash_add(&h, t->of.agg.count);
        for (u32 k = 0; k < t->of.agg.count; k++) {
            const struct vm_fieldtype *f = &t->of.agg.fields[k];
            vm_hash_add(&h, roll_valtype(v, f->type) << 1 | f->is_mutable);
        }
    }
    return vm_hash_end(&h);
}

static bool equal_funcs(const struct view *v, const struct vm_functype *a, const struct view *w,
                        const struct vm_functype *b)
{
    if (a->param_count != b->param_count || a->result_count != b->result_count) return false;
    for (u32 k = 0; k < a->param_count + a->result_count; k++) {
        if (roll_valtype(v, a->types[k]) != roll_valtype(w, b->types[k])) return false;
    }
    return true;
}

static bool equal_aggs(const struct view *v, const struct vm_deftype *a, const struct view *w,
                       const struct vm_deftype *b)
{
    if (a->of.agg.count != b->of.agg.count) return false;
    for (u32 k = 0; k < a->of.agg.count; k++) {
        const struct vm_fieldtype *f = &a->of.agg.fields[k], *g = &b->of.agg.fields[k];
        if (f->is_mutable != g->is_mutable) return false;
        if (roll_valtype(v, f->type) != roll_valtype(w, g->type)) return false;
    }
    return true;
}

static bool equal_groups(const struct view *v, const struct view *w)
{
    if (v->count != w->count) return false;
    for (u32 i = 0; i < v->count; i++) {
        const struct vm_deftype *a = &v->types[i], *b = &w->types[i];
        if (a->kind != b->kind || a->is_final != b->is_final) return false;
        if (roll_index(v, a->super) != roll_index(w, b->super)) return false;
        bool equal = a->kind == VM_COMP_FUNC ? equal_funcs(v, &a->of.func, w, &b->of.func)
                                             : equal_aggs(v, a, w, b);
        if (!equal) return false;
    }
    return true;
}

/* True when every index is one that the registry can look up. */
static bool index_is_known(const struct view *v, u32 index)
{
    return index < v->first || index - v->first < v->count;
}

static bool view_is_sound(const struct view *v)
{
    for (u32 i = 0; i < v->count; i++) {
        const struct vm_deftype *t = &v->types[i];
        if (t->super != VM_NO_TYPE && !index_is_known(v, t->super)) return false;
        bool is_func = t->kind == VM_COMP_FUNC;
        u32 count = is_func ? func_type_count(t) : t->of.agg.count;
        for (u32 k = 0; k < count; k++) {
            vm_valtype part = is_func ? t->of.func.types[k] : t->of.agg.fields[k].type;
            if (vm_valtype_is_indexed(part) && !index_is_known(v, vm_valtype_heap(part))) {
                return false;
            }
        }
    }
    return true;
}

/* -------- groups */

static struct group *group_of(struct vm_types *reg, u32 id)
{
    const struct vm_deftype *t = vm_typeids_get(&reg->ids, id);
    const struct vm_deftype *first = vm_typeids_get(&reg->ids, t->rec_first);
    return (struct group *)(uintptr_t)((const u8 *)first - offsetof(struct group, types));
}

/* Bytes of a group's parts and the group itself; 0 when too many to count. */
static usize group_bytes(const struct view *v)
{
    usize bytes = sizeof(struct group) + v->count * sizeof(struct vm_deftype);
    for (u32 i = 0; i < v->count; i++) {
        const struct vm_deftype *t = &v->types[i];
        usize part = t->kind == VM_COMP_FUNC ? func_type_count(t) * sizeof(vm_valtype)
                                             : t->of.agg.count * sizeof(struct vm_fieldtype);
        if (__builtin_add_overflow(bytes, part, &bytes)) return 0;
    }
    return bytes;
}

static u32 canonical_index(const struct view *v, u32 first, u32 index)
{
    u64 rolled = roll_index(v, index);
    return rolled & ROLLED ? first + (u32)rolled : (u32)rolled;
}

static vm_valtype canonical_valtype(const struct view *v, u32 first, vm_valtype t)
{
    if (!vm_valtype_is_indexed(t)) return t;
    return canonical_index(v, first, vm_valtype_heap(t)) << 8 | vm_valtype_kind(t);
}

/* Copies the parts of type `from` to `room` with canonical references; returns the room left. */
static u8 *copy_parts(const struct view *v, u32 first, const struct vm_deftype *from,
                      struct vm_deftype *to, u8 *room)
{
    if (from->kind == VM_COMP_FUNC) {
        vm_valtype *types = (vm_valtype *)(void *)room;
        for (u32 k = 0; k < func_type_count(from); k++) {
            types[k] = canonical_valtype(v, first, from->of.func.types[k]);
        }
        to->of.func.types = types;
        return (u8 *)(types + func_type_count(from));
    }
    struct vm_fieldtype *fields = (struct vm_fieldtype *)(void *)room;
    for (u32 k = 0; k < from->of.agg.count; k++) {
        fields[k].type = canonical_valtype(v, first, from->of.agg.fields[k].type);
        fields[k].is_mutable = from->of.agg.fields[k].is_mutable;
    }
    to->of.agg.fields = fields;
    return (u8 *)(fields + from->of.agg.count);
}

/* `g` with the contents of `v` under the numbers from g->first on. */
static void fill_group(struct group *g, const struct view *v)
{
    u8 *room = (u8 *)&g->types[v->count];
    for (u32 i = 0; i < v->count; i++) {
        g->types[i] = v->types[i];
        g->types[i].super = canonical_index(v, g->first, v->types[i].super);
        g->types[i].rec_first = g->first;
        g->types[i].rec_count = v->count;
        room = copy_parts(v, g->first, &v->types[i], &g->types[i], room);
    }
}

static void unlink_group(struct vm_types *reg, struct group *g)
{
    struct group **at = &reg->buckets[g->hash & (reg->bucket_count - 1)];
    while (*at != g) {
        at = &(*at)->next;
    }
    *at = g->next;
    reg->group_count--;
}

/* Drops one reference; the last one moves the group from the table to `dying`. */
static void drop_ref(struct vm_types *reg, struct group *g, struct group **dying)
{
    if (--g->refs > 0) return;
    unlink_group(reg, g);
    g->next = *dying;
    *dying = g;
}

/* Retains (dying NULL) or releases the group of `index` unless that is `g` itself. */
static void mention_index(struct vm_types *reg, struct group *g, u32 index, struct group **dying)
{
    if (index == VM_NO_TYPE || (index >= g->first && index - g->first < g->count)) return;
    struct group *other = group_of(reg, index);
    if (dying) {
        drop_ref(reg, other, dying);
    } else {
        other->refs++;
    }
}

/* Retains (dying NULL) or releases, once a mention, all other groups that `g` mentions. */
static void mention_groups(struct vm_types *reg, struct group *g, struct group **dying)
{
    for (u32 i = 0; i < g->count; i++) {
        const struct vm_deftype *t = &g->types[i];
        mention_index(reg, g, t->super, dying);
        bool is_func = t->kind == VM_COMP_FUNC;
        u32 count = is_func ? func_type_count(t) : t->of.agg.count;
        for (u32 k = 0; k < count; k++) {
            vm_valtype part = is_func ? t->of.func.types[k] : t->of.agg.fields[k].type;
            if (vm_valtype_is_indexed(part)) {
                mention_index(reg, g, vm_valtype_heap(part), dying);
            }
        }
    }
}

/* -------- the table. All with the lock held. */

/* Doubles the table; without memory it just stays as full as it is. */
static void grow_buckets(struct vm_types *reg)
{
    u32 count = reg->bucket_count * 2;
    struct group **grown = vm_alloc_array(reg->alloc, count, sizeof(struct group *));
    if (!grown) return;
    for (u32 i = 0; i < reg->bucket_count; i++) {
        for (struct group *g = reg->buckets[i], *next; g; g = next) {
            next = g->next;
            struct group **bucket = &grown[g->hash & (count - 1)];
            g->next = *bucket;
            *bucket = g;
        }
    }
    vm_alloc_free(reg->alloc, reg->buckets, reg->bucket_count * sizeof(struct group *));
    reg->buckets = grown;
    reg->bucket_count = count;
}

static vm_status add_group(struct vm_types *reg, const struct view *v, u64 hash, struct group **out)
{
    usize bytes = group_bytes(v);
    struct group *g = vm_alloc_zero(reg->alloc, bytes);
    if (!g) return VM_OOM;
    vm_status status = vm_typeids_take(&reg->ids, v->count, &g->first);
    if (status != VM_OK) {
        vm_alloc_free(reg->alloc, g, bytes);
        return status;
    }
    g->hash = hash;
    g->bytes = bytes;
    g->count = v->count;
    fill_group(g, v);
    vm_typeids_set(&reg->ids, g->first, g->types, g->count);
    mention_groups(reg, g, NULL);

    if (reg->group_count >= reg->bucket_count) grow_buckets(reg);
    struct group **bucket = &reg->buckets[hash & (reg->bucket_count - 1)];
    g->next = *bucket;
    *bucket = g;
    reg->group_count++;
    *out = g;
    return VM_OK;
}

/* The group equal to `v`, retained; its number in `first`. */
static vm_status intern_group(struct vm_types *reg, const struct view *v, u32 *first)
{
    if (!view_is_sound(v)) return VM_INVALID;
    u64 hash = hash_group(reg, v);
    struct group *g = reg->buckets[hash & (reg->bucket_count - 1)];
    for (; g; g = g->next) {
        if (g->hash != hash) continue;
        if (equal_groups(v, &(struct view){g->types, g->first, g->count, NULL})) break;
    }
    if (!g) {
        vm_status status = add_group(reg, v, hash, &g);
        if (status != VM_OK) return status;
    }
    g->refs++;
    *first = g->first;
    return VM_OK;
}

static void release_group(struct vm_types *reg, u32 id)
{
    struct group *dying = NULL;
    drop_ref(reg, group_of(reg, id), &dying);
    /* A list, not recursion: chains of groups are as long as modules like. */
    while (dying) {
        struct group *g = dying;
        dying = g->next;
        mention_groups(reg, g, &dying);
        vm_typeids_put(&reg->ids, g->first, g->count);
        vm_alloc_free(reg->alloc, g, g->bytes);
    }
}

/* -------- the registry */

struct vm_types *vm_types_new(const struct vm_alloc *alloc)
{
    struct vm_types *reg = vm_alloc_zero(alloc, sizeof *reg);
    if (!reg) return NULL;
    reg->alloc = alloc;
    reg->bucket_count = MIN_BUCKETS;
    reg->buckets = vm_alloc_array(alloc, MIN_BUCKETS, sizeof(struct group *));
    if (!reg->buckets || pthread_mutex_init(&reg->lock, NULL) != 0) {
        vm_alloc_free(alloc, reg->buckets, MIN_BUCKETS * sizeof(struct group *));
        vm_alloc_free(alloc, reg, sizeof *reg);
        return NULL;
    }
    vm_hash_key_make(&reg->key, reg);
    vm_typeids_init(&reg->ids, alloc);
    return reg;
}

void vm_types_delete(struct vm_types *types)
{
    if (!types) return;
    for (u32 i = 0; i < types->bucket_count; i++) {
        for (struct group *g = types->buckets[i], *next; g; g = next) {
            next = g->next;
            vm_alloc_free(types->alloc, g, g->bytes);
        }
    }
    const struct vm_alloc *alloc = types->alloc;
    vm_typeids_free(&types->ids);
    vm_alloc_free(alloc, types->buckets, types->bucket_count * sizeof(struct group *));
    pthread_mutex_destroy(&types->lock);
    vm_alloc_free(alloc, types, sizeof *types);
}

/* Releases the groups of the types [0, end). */
static void release_until(struct vm_types *reg, const u32 *canon, const struct vm_typespace *local,
                          u32 end)
{
    for (u32 i = 0; i < end; i += local->types[i].rec_count) {
        release_group(reg, canon[i]);
    }
}

vm_status vm_types_intern(struct vm_types *types, const struct vm_typespace *local, u32 *canon)
{
    vm_status status = VM_OK;
    u32 i = 0;
    pthread_mutex_lock(&types->lock);
    while (i < local->count && status == VM_OK) {
        struct view v = {&local->types[i], i, local->types[i].rec_count, canon};
        u32 first = 0;
        bool fits = v.count > 0 && v.count <= local->count - i;
        status = fits ? intern_group(types, &v, &first) : VM_INVALID;
        for (u32 k = 0; k < v.count && status == VM_OK; k++) {
            canon[i + k] = first + k;
        }
        if (status == VM_OK) i += v.count;
    }
    if (status != VM_OK) release_until(types, canon, local, i);
    pthread_mutex_unlock(&types->lock);
    return status;
}

void vm_types_release(struct vm_types *types, const u32 *canon, const struct vm_typespace *local)
{
    pthread_mutex_lock(&types->lock);
    release_until(types, canon, local, local->count);
    pthread_mutex_unlock(&types->lock);
}

u32 vm_types_intern_func(struct vm_types *types, const struct vm_functype *func)
{
    struct vm_deftype t = {.kind = VM_COMP_FUNC,
                           .is_final = true,
                           .super = VM_NO_TYPE,
                           .rec_count = 1,
                           .of.func = *func};
    /* Its own number is one that no reference can have: all references are to other groups. */
    struct view v = {&t, VM_HEAP_ABSTRACT, 1, NULL};
    u32 first = VM_NO_TYPE;
    pthread_mutex_lock(&types->lock);
    if (intern_group(types, &v, &first) != VM_OK) first = VM_NO_TYPE;
    pthread_mutex_unlock(&types->lock);
    return first;
}

void vm_types_release_func(struct vm_types *types, u32 canon)
{
    if (canon == VM_NO_TYPE) return;
    pthread_mutex_lock(&types->lock);
    release_group(types, canon);
    pthread_mutex_unlock(&types->lock);
}

const struct vm_deftype *vm_types_get(struct vm_types *types, u32 canon)
{
    return vm_typeids_get(&types->ids, canon);
}

vm_status vm_typespace_canon(const struct vm_typespace *local, const struct vm_alloc *alloc,
                             u32 *canon)
{
    struct vm_types *own = vm_types_new(alloc);
    if (!own) return VM_OOM;
    vm_status status = vm_types_intern(own, local, canon);
    vm_types_delete(own);
    return status;
}
