/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: decode, validate, make types canonical. Code sets. No instances. */
#include "runtime/program.h"

#include "isa/handlers.h"
#include "runtime/load.h"

#include <string.h>

static void free_types(struct vm_program *p)
{
    usize count = p->module.types.count;
    vm_alloc_free(p->alloc, p->canon, count * sizeof *p->canon);
    vm_alloc_free(p->alloc, p->sigs, count * sizeof *p->sigs);
    p->canon = NULL;
    p->sigs = NULL;
}

/** Canonical numbers for a module's types, and what they stand for. */
static vm_status make_types(struct vm_program *p)
{
    const struct vm_typespace *types = &p->module.types;
    if (types->count == 0) return VM_OK;
    p->canon = vm_alloc_array(p->alloc, types->count, sizeof *p->canon);
    p->sigs = vm_alloc_array(p->alloc, types->count, sizeof *p->sigs);
    vm_status s = VM_OOM;
    if (p->canon && p->sigs) s = vm_types_intern(p->types, types, p->canon);
    if (s != VM_OK) {
        free_types(p);
        return s;
    }
    for (u32 i = 0; i < types->count; i++)
        if (types->types[i].kind == VM_COMP_FUNC)
            p->sigs[i] = &vm_types_get(p->types, p->canon[i])->of.func;
    return VM_OK;
}

/** spec valid-module, then canonical types. */
static vm_status check(struct vm_program *p, u32 threads, struct vm_err *err)
{
    struct vm_module *m = &p->module;
    vm_status s = vm_validate_declarations(m, p->features, p->alloc, err);
    if (s == VM_OK) s = vm_load_bodies(m, p->features, threads, p->alloc, err);
    if (s != VM_OK) return s;
    s = make_types(p);
    if (s == VM_OK) return VM_OK;
    return vm_err_set(err, s == VM_OOM ? VM_ERR_OOM : VM_ERR_LIMIT, VM_NO_OFFSET, "types");
}

static vm_status load(struct vm_program *p, const struct vm_load *from, struct vm_err *err)
{
    vm_status s = vm_module_decode(&p->module, p->alloc, from->bytes, from->size, err);
    if (s != VM_OK) return s;
    s = check(p, from->threads, err);
    if (s != VM_OK) vm_module_free(&p->module);
    return s;
}

vm_status vm_program_new(const struct vm_load *from, struct vm_program **out, struct vm_err *err)
{
    const struct vm_alloc *alloc = from->alloc;
    usize name_bytes = strlen(from->name) + 1;
    struct vm_program *p = vm_alloc_zero(alloc, sizeof *p);
    char *copy = vm_alloc_zero(alloc, name_bytes);
    vm_status s = VM_OOM;
    if (p && copy) {
        memcpy(copy, from->name, name_bytes);
        p->alloc = alloc;
        p->types = from->types;
        p->features = from->features;
        s = load(p, from, err);
    }
    if (s != VM_OK) {
        vm_alloc_free(alloc, copy, name_bytes);
        vm_alloc_free(alloc, p, sizeof *p);
        return s == VM_OOM ? vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "loading a module") : s;
    }
    p->name = copy;
    p->bytes = from->bytes;
    (void)pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return VM_OK;
}

static void codeset_free(struct vm_program *p, struct vm_codeset *set)
{
    if (!set->codes) return;
    for (u32 i = 0; i < p->module.body_count; i++) vm_code_free(p->alloc, &set->codes[i]);
    vm_alloc_free(p->alloc, set->codes, (usize)p->module.body_count * sizeof *set->codes);
}

void vm_program_delete(struct vm_program *p)
{
    if (!p) return;
    vm_image_fini(&p->image);
    for (u32 b = 0; b < VM_CODE_BACKENDS; b++)
        for (u32 m = 0; m < VM_CODE_MEMORIES; m++)
            for (u32 f = 0; f < 2; f++) codeset_free(p, &p->sets[b][m][f]);
    if (p->canon) {
        vm_types_release(p->types, p->canon, &p->module.types);
        free_types(p);
    }
    usize size = p->module.size;
    vm_module_free(&p->module);
    vm_alloc_free(p->alloc, p->bytes, size);
    vm_alloc_free(p->alloc, p->name, strlen(p->name) + 1);
    (void)pthread_mutex_destroy(&p->lock);
    vm_alloc_free(p->alloc, p, sizeof *p);
}

static bool codeset_init(struct vm_program *p, struct vm_codeset *set)
{
    const struct vm_module *m = &p->module;
    u32 n_imported = m->n_imported[VM_EXTERN_FUNC];
    const struct vm_stubs *stubs = &vm_backend_get(set->mode.backend)->stubs;
    struct vm_code *codes = vm_alloc_array(p->alloc, m->body_count, sizeof *codes);
    if (!codes) return false;
    for (u32 i = 0; i < m->body_count; i++) {
        const struct vm_functype *t = vm_module_functype(m, n_imported + i);
        atomic_init(&codes[i].entry, stubs->lazy);
        atomic_init(&codes[i].frame_slots, VM_FRAME_SLOTS);
        codes[i].below = vm_functype_shared_slots(t);
        codes[i].func_idx = n_imported + i;
        codes[i].set = set;
    }
    set->codes = codes;
    return true;
}

struct vm_codeset *vm_program_codeset(struct vm_program *p, struct vm_code_mode mode)
{
    struct vm_codeset *set = &p->sets[mode.backend][mode.memory][mode.fuel];
    bool ok = true;
    (void)pthread_mutex_lock(&p->lock);
    if (!set->program) {
        set->mode = mode;
        ok = p->module.body_count == 0 || codeset_init(p, set);
        if (ok) set->program = p;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return ok ? set : NULL;
}

vm_valtype vm_program_valtype(const struct vm_program *p, vm_valtype t)
{
    if (!vm_valtype_is_indexed(t)) return t;
    return VM_REFTYPE(vm_valtype_is_nullable(t), p->canon[vm_valtype_heap(t)]);
}
