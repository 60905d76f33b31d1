/* SPDX-License-Identifier: Apache-2.0 */
/* The store: owns every object; globals, tags, host functions. Instances are instance.c's. */
#include "runtime/objects.h"

#include "runtime/exec.h"
#include "runtime/instance.h"

struct vm_store *vm_store_new(const struct vm_alloc *alloc, struct vm_types *types,
                              const struct vm_store_limits *limits)
{
    struct vm_store *s = vm_alloc_zero(alloc, sizeof *s);
    if (!s) return NULL;
    s->alloc = alloc;
    s->types = types;
    s->limits = *limits;
    s->quota = vm_quota_new(alloc, limits->memory_bytes);
    if (s->quota) return s;
    vm_alloc_free(alloc, s, sizeof *s);
    return NULL;
}

void vm_store_delete(struct vm_store *s)
{
    if (!s) return;
    const struct vm_alloc *a = s->alloc;
    vm_execs_forget_store(s);
    vm_exceptions_free(s);
    while (s->instances) {
        struct vm_instance *next = s->instances->next;
        vm_instance_free(s->instances);
        s->instances = next;
    }
    vm_store_free_memories(s);
    for (u32 i = 0; i < s->tables.len; i++) {
        struct vm_table *t = s->tables.data[i];
        vm_alloc_free(a, t->elems, (usize)t->capacity * sizeof(void *));
        vm_alloc_free(a, t, sizeof *t);
    }
    for (u32 i = 0; i < s->globals.len; i++)
        vm_alloc_free(a, s->globals.data[i], sizeof(struct vm_global));
    for (u32 i = 0; i < s->tags.len; i++) {
        if (!s->tags.data[i]->program) vm_types_release_func(s->types, s->tags.data[i]->type);
        vm_alloc_free(a, s->tags.data[i], sizeof(struct vm_tag));
    }
    for (u32 i = 0; i < s->host_funcs.len; i++)
        vm_alloc_free(a, s->host_funcs.data[i], sizeof(struct vm_func));
    VM_VEC_FREE(a, &s->tables);
    VM_VEC_FREE(a, &s->globals);
    VM_VEC_FREE(a, &s->tags);
    VM_VEC_FREE(a, &s->host_funcs);
    vm_alloc_free(a, s, sizeof *s);
}

struct vm_global *vm_global_new(struct vm_store *store, const struct vm_globaltype *type,
                                const union vm_slot *value)
{
    if (!VM_VEC_RESERVE(store->alloc, &store->globals, 1)) return NULL;
    struct vm_global *g = vm_alloc_zero(store->alloc, sizeof *g);
    if (!g) return NULL;
    g->store = store;
    g->type = *type;
    g->value[0] = value[0];
    if (vm_valtype_slots(type->type) == 2) g->value[1] = value[1];
    VM_VEC_PUSH(&store->globals, g);
    return g;
}

struct vm_tag *vm_tag_new(struct vm_store *store, u32 type, const struct vm_program *program,
                          u32 index)
{
    if (!VM_VEC_RESERVE(store->alloc, &store->tags, 1)) return NULL;
    struct vm_tag *t = vm_alloc_zero(store->alloc, sizeof *t);
    if (!t) return NULL;
    t->store = store;
    t->type = type;
    t->sig = &vm_types_get(store->types, type)->of.func;
    t->program = program;
    t->index = index;
    VM_VEC_PUSH(&store->tags, t);
    return t;
}

struct vm_func *vm_host_func_new(struct vm_store *store, u32 type, vm_host_fn fn, void *env)
{
    if (!VM_VEC_RESERVE(store->alloc, &store->host_funcs, 1)) return NULL;
    struct vm_func *f = vm_alloc_zero(store->alloc, sizeof *f);
    if (!f) return NULL;
    f->type = type;
    f->sig = &vm_types_get(store->types, type)->of.func;
    f->below = vm_functype_shared_slots(f->sig);
    f->store = store;
    f->host = fn;
    f->env = env;
    VM_VEC_PUSH(&store->host_funcs, f);
    return f;
}
