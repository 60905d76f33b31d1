/* SPDX-License-Identifier: Apache-2.0 */
/* Stores and the objects in them, as the embedder sees them. Memories are wr_memory.c's. */
#include "api/internal.h"

#include "isa/handlers.h"
#include "platform/signal.h"

#include <string.h>

/* ---- values */

/** The kind of a reference, by the hierarchy that its heap type is in. */
static wr_valkind_t refkind(struct vm_types *types, u32 heap)
{
    if (!vm_heap_is_abstract(heap))
        return vm_types_get(types, heap)->kind == VM_COMP_FUNC ? WR_FUNCREF : WR_OTHERREF;
    switch (heap & 0xff) {
    case VM_HEAP_FUNC:
    case VM_HEAP_NOFUNC: return WR_FUNCREF;
    case VM_HEAP_EXTERN:
    case VM_HEAP_NOEXTERN: return WR_EXTERNREF;
    case VM_HEAP_EXN:
    case VM_HEAP_NOEXN: return WR_EXNREF;
    default: return WR_OTHERREF;
    }
}

wr_valkind_t api_valkind(struct vm_types *types, vm_valtype t)
{
    switch (t) {
    case VM_I32: return WR_I32;
    case VM_I64: return WR_I64;
    case VM_F32: return WR_F32;
    case VM_F64: return WR_F64;
    case VM_V128: return WR_V128;
    default: return refkind(types, vm_valtype_heap(t));
    }
}

bool api_val_matches(const struct vm_store *store, const wr_val_t *v, vm_valtype want)
{
    struct vm_types *types = store->types;
    if (v->kind != api_valkind(types, want) || v->kind == WR_OTHERREF) return false;
    if (!vm_valtype_is_ref(want)) return true;
    if (!v->of.ref) return vm_valtype_is_nullable(want);
    if (v->kind == WR_FUNCREF && to_func(v->of.func)->store != store) return false;
    if (v->kind == WR_EXNREF && to_exception(v->of.exn)->tag->store != store) return false;
    u32 heap = VM_HEAP_ABSTRACT | VM_HEAP_EXTERN;
    if (v->kind == WR_FUNCREF) heap = to_func(v->of.func)->type;
    if (v->kind == WR_EXNREF) heap = VM_HEAP_ABSTRACT | VM_HEAP_EXN;
    return vm_types_valtype_matches(types, VM_REFTYPE(false, heap), want);
}

vm_valtype api_valtype(wr_valkind_t kind)
{
    static const vm_valtype types[] = {VM_I32,     VM_I64,       VM_F32, VM_F64,   VM_V128,
                                       VM_FUNCREF, VM_EXTERNREF, VM_BOT, VM_EXNREF};
    return (usize)kind < VM_COUNT(types) ? types[kind] : VM_BOT;
}

void api_val_to_slots(const wr_val_t *v, union vm_slot *s)
{
    s[0].u64 = 0;
    switch (v->kind) {
    case WR_I32:
    case WR_F32: s[0].u64 = v->of.i32; break;
    case WR_V128: memcpy(s, v->of.v128, 16); break;
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_EXNREF:
    case WR_OTHERREF: s[0].ptr = v->of.ref; break;
    default: s[0].u64 = v->of.i64; break;
    }
}

void api_val_from_slots(struct vm_types *types, wr_val_t *v, vm_valtype t, const union vm_slot *s)
{
    memset(v, 0, sizeof *v);
    v->kind = api_valkind(types, t);
    switch (v->kind) {
    case WR_I32:
    case WR_F32: v->of.i32 = s[0].u32; break;
    case WR_V128: memcpy(v->of.v128, s, 16); break;
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_EXNREF:
    case WR_OTHERREF: v->of.ref = s[0].ptr; break;
    default: v->of.i64 = s[0].u64; break;
    }
}

/* ---- stores */

/** Sets backend and memory mode; WR_UNSUPPORTED when this build or machine lacks what is asked. */
static wr_status_t choose_modes(struct vm_store *s, const wr_store_config_t *c, wr_error_t *err)
{
    static const enum vm_code_backend backends[] = {[WR_BACKEND_TAIL] = VM_CODE_TAIL,
                                                    [WR_BACKEND_LOOP] = VM_CODE_LOOP,
                                                    [WR_BACKEND_TAIL_V3] = VM_CODE_TAIL_V3};
    if ((usize)c->backend >= VM_COUNT(backends))
        return api_error_text(err, WR_ARGUMENT, "no such backend");
    s->backend = c->backend == WR_BACKEND_AUTO ? vm_backend_best() : backends[c->backend];
    if (!vm_backend_usable(s->backend))
        return api_error_text(err, WR_UNSUPPORTED, "this build or processor lacks that backend");
    s->use_guard = c->memory_mode != WR_MEMORY_EXPLICIT && vm_guard_available();
    if (c->memory_mode == WR_MEMORY_GUARD && !s->use_guard)
        return api_error_text(err, WR_UNSUPPORTED, "guard pages are not available here");
    return WR_OK;
}

wr_status_t wr_store_new(wr_engine_t *engine, const wr_store_config_t *config, wr_store_t **out,
                         wr_error_t *err)
{
    static const wr_store_config_t none = {0};
    const wr_store_config_t *c = config ? config : &none;
    struct vm_store_limits limits = {
        .memory_bytes = c->max_memory_bytes ? c->max_memory_bytes : UINT64_MAX,
        .table_elems = c->max_table_elems ? c->max_table_elems : 10000000,
        .stack_bytes = c->stack_bytes ? c->stack_bytes : (u64)8 << 20,
        .exception_bytes = c->max_exception_bytes ? c->max_exception_bytes : (u64)64 << 20,
        .instances = c->max_instances ? c->max_instances : 10000,
        .nested_calls = c->max_nested_calls ? c->max_nested_calls : 64,
    };
    api_error_clear(err);
    struct wr_store *w = vm_alloc_zero(&engine->alloc, sizeof *w);
    struct vm_store *s = w ? vm_store_new(&engine->alloc, engine->types, &limits) : NULL;
    if (!s) {
        vm_alloc_free(&engine->alloc, w, sizeof *w);
        return api_error_text(err, WR_OOM, "out of memory");
    }
    w->engine = engine;
    w->store = s;
    s->use_fuel = c->use_fuel;
    s->epochs = &engine->epochs;
    s->handle = w;
    if (choose_modes(s, c, err) != WR_OK) {
        wr_store_delete(w);
        return WR_UNSUPPORTED;
    }
    *out = w;
    return WR_OK;
}

void wr_store_delete(wr_store_t *store)
{
    if (!store) return;
    vm_store_delete(store->store);
    vm_alloc_free(&store->engine->alloc, store, sizeof *store);
}

void wr_store_set_data(wr_store_t *store, void *data) { store->data = data; }
void *wr_store_data(const wr_store_t *store) { return store->data; }
void wr_store_set_fuel(wr_store_t *store, uint64_t fuel) { store->store->fuel = fuel; }
uint64_t wr_store_fuel(const wr_store_t *store) { return store->store->fuel; }
uint64_t wr_store_memory_bytes(const wr_store_t *store)
{
    return vm_store_memory_bytes(store->store);
}

_Static_assert(sizeof(wr_usage_t) == sizeof(struct vm_usage) &&
                   offsetof(wr_usage_t, memory_limit_bytes) ==
                       offsetof(struct vm_usage, memory_limit_bytes) &&
                   offsetof(wr_usage_t, table_elems) == offsetof(struct vm_usage, table_elems),
               "one is taken for the other");
void wr_store_set_usage(wr_store_t *store, wr_usage_t *usage)
{
    if (usage) memset(usage, 0, sizeof *usage);
    store->store->quota->usage = (struct vm_usage *)(void *)usage;
}

/* ---- externs */

wr_extern_t api_extern(struct vm_extern e)
{
    wr_extern_t out = {.kind = (wr_extern_kind_t)e.kind};
    out.of.func = (wr_func_t *)e.of.any; /* all members are pointers to opaque objects */
    return out;
}

struct vm_extern api_to_extern(wr_extern_t e)
{
    struct vm_extern out = {.kind = (enum vm_extern_kind)e.kind};
    out.of.any = e.of.func;
    return out;
}

size_t wr_func_param_count(const wr_func_t *func) { return to_func(func)->sig->param_count; }
size_t wr_func_result_count(const wr_func_t *func) { return to_func(func)->sig->result_count; }

wr_valkind_t wr_func_param(const wr_func_t *func, size_t i)
{
    const struct vm_functype *t = to_func(func)->sig;
    struct vm_types *types = to_func(func)->store->types;
    return i < t->param_count ? api_valkind(types, t->types[i]) : WR_OTHERREF;
}

wr_valkind_t wr_func_result(const wr_func_t *func, size_t i)
{
    const struct vm_functype *t = to_func(func)->sig;
    struct vm_types *types = to_func(func)->store->types;
    return i < t->result_count ? api_valkind(types, t->types[t->param_count + i]) : WR_OTHERREF;
}

struct vm_limits api_to_limits(wr_limits_t l)
{
    return (struct vm_limits){.min = l.min,
                              .max = l.max,
                              .has_max = l.max != UINT64_MAX,
                              .is_64 = l.is_64,
                              .is_shared = l.is_shared};
}

/* ---- globals */

wr_status_t wr_global_new(wr_store_t *store, bool is_mutable, const wr_val_t *value,
                          wr_global_t **out, wr_error_t *err)
{
    struct vm_globaltype type = {.type = api_valtype(value->kind), .is_mutable = is_mutable};
    union vm_slot slots[2];
    if (type.type == VM_BOT) return api_error_text(err, WR_ARGUMENT, "no such value type");
    if (!api_val_matches(store->store, value, type.type))
        return api_error_text(err, WR_ARGUMENT, "the value belongs to another store");
    api_val_to_slots(value, slots);
    struct vm_global *g = vm_global_new(store->store, &type, slots);
    if (!g) return api_error_text(err, WR_OOM, "out of memory");
    *out = (wr_global_t *)g;
    return WR_OK;
}

void wr_global_get(const wr_global_t *global, wr_val_t *out)
{
    const struct vm_global *g = to_global(global);
    api_val_from_slots(g->store->types, out, g->type.type, g->value);
}

wr_status_t wr_global_set(wr_global_t *global, const wr_val_t *value)
{
    struct vm_global *g = to_global(global);
    if (!g->type.is_mutable || !api_val_matches(g->store, value, g->type.type)) return WR_ARGUMENT;
    api_val_to_slots(value, g->value);
    return WR_OK;
}

/* ---- tables */

wr_status_t wr_table_new(wr_store_t *store, wr_valkind_t kind, wr_limits_t limits, wr_table_t **out,
                         wr_error_t *err)
{
    struct vm_tabletype type = {.elem = api_valtype(kind), .limits = api_to_limits(limits)};
    struct vm_table *t = NULL;
    struct vm_err e;
    vm_err_init(&e);
    if (type.elem == VM_BOT || !vm_valtype_is_ref(type.elem))
        return api_error_text(err, WR_ARGUMENT, "a table holds funcref, externref or exnref");
    if (limits.is_shared) return api_error_text(err, WR_ARGUMENT, "a table can't be shared");
    if (type.limits.has_max && type.limits.min > type.limits.max)
        return api_error_text(err, WR_ARGUMENT, "minimum greater than maximum");
    vm_status s = vm_table_new(store->store, &type, NULL, &t, &e);
    if (s != VM_OK) return api_error(err, &e, NULL);
    *out = (wr_table_t *)t;
    return WR_OK;
}

uint64_t wr_table_size(const wr_table_t *table) { return to_table(table)->size; }

bool wr_table_get(const wr_table_t *table, uint64_t i, wr_val_t *out)
{
    const struct vm_table *t = to_table(table);
    if (i >= t->size) return false;
    union vm_slot s = {.ptr = t->elems[i]};
    api_val_from_slots(t->store->types, out, t->type.elem, &s);
    return true;
}

wr_status_t wr_table_set(wr_table_t *table, uint64_t i, const wr_val_t *value)
{
    struct vm_table *t = to_table(table);
    if (i >= t->size || !api_val_matches(t->store, value, t->type.elem)) return WR_ARGUMENT;
    t->elems[i] = value->of.ref;
    return WR_OK;
}

/* ---- signals */

bool wr_signal_try(int sig, void *siginfo, void *ucontext)
{
    return vm_signal_try(sig, siginfo, ucontext);
}
