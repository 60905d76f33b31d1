/* SPDX-License-Identifier: Apache-2.0 */
/* The public linker: definitions, missing imports, instantiation. */
#include "api/internal.h"

#include "runtime/hostcall.h"

#include <stdio.h>
#include <string.h>

wr_status_t wr_linker_new(wr_engine_t *engine, wr_linker_t **out, wr_error_t *err)
{
    struct wr_linker *l = vm_alloc_zero(&engine->alloc, sizeof *l);
    struct vm_linker *inner = l ? vm_linker_new(&engine->alloc, engine->types) : NULL;
    if (!inner) {
        vm_alloc_free(&engine->alloc, l, sizeof *l);
        return api_error_text(err, WR_OOM, "out of memory");
    }
    l->engine = engine;
    l->linker = inner;
    api_error_clear(err);
    *out = l;
    return WR_OK;
}

void wr_linker_delete(wr_linker_t *linker)
{
    if (!linker) return;
    vm_linker_delete(linker->linker);
    vm_alloc_free(&linker->engine->alloc, linker, sizeof *linker);
}

static struct vm_name c_name(const char *s)
{
    return (struct vm_name){.data = (const u8 *)s, .size = (u32)strlen(s)};
}

static wr_status_t to_name(wr_name_t in, struct vm_name *out, wr_error_t *err)
{
    if (in.size > UINT32_MAX) return api_error_text(err, WR_ARGUMENT, "name too long");
    *out = (struct vm_name){.data = (const u8 *)in.data, .size = (u32)in.size};
    return WR_OK;
}

/* ---- raw host functions */

/** What a raw definition keeps. */
struct raw_env {
    wr_host_fn fn;
    void *env;
};

/** Between the engine's host functions and the public ones. A status that does not exist is a trap,
 *  as others are that a host function has no business to answer. */
static vm_status call_raw(struct vm_call *call, union vm_slot *slots, void *env)
{
    const struct raw_env *r = env;
    return (vm_status)r->fn((wr_call_t *)call, (wr_slot_t *)(void *)slots, r->env);
}
_Static_assert(WR_OK == (int)VM_OK && WR_TRAP == (int)VM_TRAP &&
                   WR_EXCEPTION == (int)VM_EXCEPTION && WR_EXIT == (int)VM_EXIT &&
                   WR_PENDING == (int)VM_PENDING && WR_CANCELLED == (int)VM_CANCELLED &&
                   WR_LIMIT == (int)VM_LIMIT && WR_OOM == (int)VM_OOM,
               "call_raw passes on what a host function may answer as it is");

static void free_raw(const struct vm_alloc *alloc, void *env)
{
    vm_alloc_free(alloc, env, sizeof(struct raw_env));
}

static vm_valtype letter_type(char c)
{
    switch (c) {
    case 'i': return VM_I32;
    case 'I': return VM_I64;
    case 'f': return VM_F32;
    case 'F': return VM_F64;
    case 'V': return VM_V128;
    case 'r': return VM_FUNCREF;
    case 'e': return VM_EXTERNREF;
    case 'x': return VM_EXNREF;
    default: return VM_BOT;
    }
}

bool api_signature(const char *s, vm_valtype types[API_SIGNATURE_MAX], struct vm_functype *out)
{
    u32 n = 0;
    bool results = false;
    *out = (struct vm_functype){.types = types};
    for (; *s; s++) {
        if (*s == ':' && !results) {
            results = true;
            continue;
        }
        vm_valtype t = letter_type(*s);
        if (t == VM_BOT || n == API_SIGNATURE_MAX) return false;
        types[n++] = t;
        *(results ? &out->result_count : &out->param_count) += 1;
        *(results ? &out->result_slots : &out->param_slots) += vm_valtype_slots(t);
    }
    return results;
}

wr_status_t wr_linker_define_raw(wr_linker_t *linker, const char *module, const char *name,
                                 const char *signature, wr_host_fn fn, void *env, wr_error_t *err)
{
    vm_valtype types[API_SIGNATURE_MAX];
    struct vm_functype type;
    struct vm_err e;
    vm_err_init(&e);
    if (!api_signature(signature, types, &type))
        return api_error_text(err, WR_ARGUMENT, "%s.%s: bad signature \"%s\"", module, name,
                              signature);
    const struct vm_alloc *a = &linker->engine->alloc;
    struct raw_env *raw = vm_alloc_zero(a, sizeof *raw);
    if (!raw) return api_error_text(err, WR_OOM, "out of memory");
    *raw = (struct raw_env){.fn = fn, .env = env};
    struct vm_def proto = {.fn = call_raw, .env = raw, .env_free = free_raw};
    vm_status s =
        vm_linker_add_host(linker->linker, c_name(module), c_name(name), &type, &proto, &e);
    if (s == VM_OK) return WR_OK;
    free_raw(a, raw);
    return api_error(err, &e, NULL);
}

wr_status_t wr_linker_define_c(wr_linker_t *linker, const char *module, const char *name,
                               const char *signature, wr_c_fn fn, wr_error_t *err)
{
    struct vm_hostcall *h = NULL;
    struct vm_err e;
    vm_err_init(&e);
    const struct vm_alloc *a = &linker->engine->alloc;
    vm_status s = vm_hostcall_new(a, signature, fn, &h, &e);
    if (s == VM_OK) {
        struct vm_def proto = {.fn = vm_hostcall_run, .env = h, .env_free = vm_hostcall_free};
        s = vm_linker_add_host(linker->linker, c_name(module), c_name(name), vm_hostcall_type(h),
                               &proto, &e);
        if (s != VM_OK) vm_hostcall_free(a, h);
    }
    return s == VM_OK ? WR_OK : api_error(err, &e, name);
}

/* ---- externs */

wr_status_t wr_linker_define(wr_linker_t *linker, wr_name_t module, wr_name_t name,
                             wr_store_t *store, wr_extern_t item, wr_error_t *err)
{
    struct vm_name m, n;
    struct vm_err e;
    vm_err_init(&e);
    if (to_name(module, &m, err) != WR_OK || to_name(name, &n, err) != WR_OK) return WR_ARGUMENT;
    vm_status s = vm_linker_add_extern(linker->linker, m, n, store->store, api_to_extern(item), &e);
    return s == VM_OK ? WR_OK : api_error(err, &e, NULL);
}

wr_status_t wr_linker_define_shared_memory(wr_linker_t *linker, wr_name_t module, wr_name_t name,
                                           wr_shared_memory_t *shared, wr_error_t *err)
{
    struct vm_name m, n;
    struct vm_err e;
    vm_err_init(&e);
    if (to_name(module, &m, err) != WR_OK || to_name(name, &n, err) != WR_OK) return WR_ARGUMENT;
    vm_status s = vm_linker_add_shared(linker->linker, m, n, to_shared(shared), &e);
    return s == VM_OK ? WR_OK : api_error(err, &e, NULL);
}

wr_status_t wr_linker_define_instance(wr_linker_t *linker, wr_name_t module,
                                      wr_instance_t *instance, wr_error_t *err)
{
    struct vm_instance *in = to_instance(instance);
    const struct vm_module *mod = &in->program->module;
    struct vm_name m;
    struct vm_err e;
    vm_err_init(&e);
    if (to_name(module, &m, err) != WR_OK) return WR_ARGUMENT;
    for (u32 i = 0; i < mod->export_count; i++) {
        const struct vm_export *x = &mod->exports[i];
        struct vm_extern item = vm_instance_extern(in, (enum vm_extern_kind)x->kind, x->index);
        vm_status s = vm_linker_add_extern(linker->linker, m, x->name, in->store, item, &e);
        if (s != VM_OK) return api_error(err, &e, NULL);
    }
    return WR_OK;
}

/* ---- missing imports */

/** Missing imports for which a near miss is looked for: the search takes time. */
enum { SIMILAR_MAX = 100 };

static usize memory_type(const struct vm_memory *m, char *buf, usize cap)
{
    char max[32] = "";
    if (m->type.has_max) (void)snprintf(max, sizeof max, " %llu", (unsigned long long)m->type.max);
    return (usize)snprintf(buf, cap, "(memory %s%llu%s%s%s)", m->type.is_64 ? "i64 " : "",
                           (unsigned long long)vm_memory_pages(m), max,
                           m->type.is_shared ? " shared" : "",
                           m->type.page_log2 == 0 ? " (pagesize 1)" : "");
}

static usize def_type(const struct vm_linker *l, const struct vm_def *d, char *buf, usize cap)
{
    static const char *const kinds[] = {"func", "table", "memory", "global", "tag"};
    char part[96];
    if (d->shared) return memory_type(d->shared, buf, cap);
    if (!d->store || d->item.kind == VM_EXTERN_FUNC) {
        u32 type = d->store ? d->item.of.func->type : d->type;
        return vm_functype_print(&vm_types_get(l->types, type)->of.func, buf, cap);
    }
    switch (d->item.kind) {
    case VM_EXTERN_GLOBAL: {
        const struct vm_globaltype *t = &d->item.of.global->type;
        (void)vm_valtype_print(t->type, part, sizeof part);
        return (usize)snprintf(buf, cap, t->is_mutable ? "(global (mut %s))" : "(global %s)", part);
    }
    case VM_EXTERN_MEMORY: return memory_type(d->item.of.memory, buf, cap);
    case VM_EXTERN_TABLE:
        (void)vm_valtype_print(d->item.of.table->type.elem, part, sizeof part);
        return (usize)snprintf(buf, cap, "(table %llu %s)",
                               (unsigned long long)d->item.of.table->size, part);
    default: return (usize)snprintf(buf, cap, "(%s)", kinds[d->item.kind]);
    }
}

struct report {
    wr_missing_fn fn;
    void *env;
    size_t count; /* so far */
};

static void report_missing(const wr_linker_t *linker, const wr_module_t *module, u32 i,
                           const struct report *r)
{
    char wanted[1024], offered[1024], similar[256];
    const struct vm_import *im = &module->program->module.imports[i];
    wr_missing_t m = {.wanted = wanted};
    (void)wr_module_import(module, i, &m.import);
    (void)wr_module_import_type(module, i, wanted, sizeof wanted);
    const struct vm_def *d = vm_linker_find_name(linker->linker, im->module, im->name);
    if (d) {
        (void)def_type(linker->linker, d, offered, sizeof offered);
        m.offered = offered;
    } else if (r->count <= SIMILAR_MAX &&
               (d = vm_linker_similar(linker->linker, im->module, im->name)) != NULL) {
        (void)snprintf(similar, sizeof similar, "%s.%s", (const char *)d->module.data,
                       (const char *)d->name.data);
        m.similar = similar;
    }
    r->fn(&m, r->env);
}

size_t wr_linker_missing(const wr_linker_t *linker, const wr_module_t *module, wr_missing_fn fn,
                         void *env)
{
    struct report r = {.fn = fn, .env = env};
    for (u32 i = 0; i < module->program->module.import_count; i++) {
        if (vm_linker_find(linker->linker, module->program, i, NULL)) continue;
        r.count++;
        if (fn) report_missing(linker, module, i, &r);
    }
    return r.count;
}

/* ---- instantiation */

static wr_status_t run_start(struct vm_instance *in, struct vm_exec *x, wr_error_t *err)
{
    u32 start = in->program->module.start;
    if (start == VM_NO_INDEX) return WR_OK;
    struct vm_func *f = in->funcs[start];
    if (!x) return api_call(in->store, f, NULL, NULL, err);
    x->now.no_suspend = true;
    vm_status s = vm_exec_start(x, f);
    while (s == VM_OK && (s = vm_exec_run(x)) == VM_YIELD) s = VM_OK;
    x->now.no_suspend = false;
    x->now.state = VM_EXEC_ENDED; /* also when fuel ran out */
    return api_exec_error(err, x, s);
}

/** True when a start function may run on `x`: of this store, no call in progress. */
static bool is_usable(const struct vm_exec *x, const struct vm_store *store)
{
    return x->store == store && (x->now.state == VM_EXEC_IDLE || x->now.state == VM_EXEC_ENDED);
}

wr_status_t wr_linker_instantiate(wr_linker_t *linker, wr_store_t *store, const wr_module_t *module,
                                  wr_exec_t *exec, wr_instance_t **out, wr_error_t *err)
{
    if (exec && !is_usable(to_exec(exec), store->store))
        return api_error_text(err, WR_ARGUMENT, "the exec is in use or of another store");
    struct vm_program *p = module->program;
    const struct vm_alloc *a = &linker->engine->alloc;
    usize bytes = ((usize)p->module.import_count + 1) * sizeof(struct vm_extern);
    struct vm_extern *imports = vm_alloc_zero(a, bytes);
    struct vm_instance *in = NULL;
    struct vm_err e;
    vm_err_init(&e);
    api_error_clear(err);
    if (!imports) return api_error_text(err, WR_OOM, "out of memory");
    vm_status s = vm_linker_resolve(linker->linker, store->store, p, imports, &e);
    if (s == VM_OK) s = vm_instance_new(store->store, p, imports, &in, &e);
    vm_alloc_free(a, imports, bytes);
    if (s != VM_OK) return api_error(err, &e, p->name);
    vm_trap trap;
    s = vm_instance_write_segments(in, &trap);
    if (s == VM_OOM) return api_error_text(err, WR_OOM, "out of memory");
    if (s != VM_OK) {
        api_error_text(err, WR_TRAP, "%s: %s", p->name, vm_trap_text(trap));
        if (err) err->trap = vm_trap_text(trap);
        return WR_TRAP;
    }
    wr_status_t status = run_start(in, exec ? to_exec(exec) : NULL, err);
    if (status == WR_OK) *out = (wr_instance_t *)in;
    return status;
}

bool wr_instance_export(wr_instance_t *instance, wr_name_t name, wr_extern_t *out)
{
    struct vm_instance *in = to_instance(instance);
    if (name.size > UINT32_MAX) return false;
    const struct vm_export *x =
        vm_module_find_export(&in->program->module, (const u8 *)name.data, (u32)name.size);
    if (!x) return false;
    *out = api_extern(vm_instance_extern(in, (enum vm_extern_kind)x->kind, x->index));
    return true;
}

const wr_module_t *wr_instance_module(const wr_instance_t *instance)
{
    return to_instance(instance)->program->handle;
}
