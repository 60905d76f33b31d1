/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: index spaces, initial values, segments. spec exec-instantiation */
#include "runtime/instance.h"

#include "base/leb128.h"
#include "isa/opcode.h"

#include <string.h>

/** Sizes of the arrays of an instance; all counts were checked by the decoder. */
static bool alloc_spaces(struct vm_instance *in)
{
    const struct vm_module *m = &in->program->module;
    const struct vm_alloc *a = in->store->alloc;
    in->funcs = vm_alloc_array(a, (usize)m->func_count + 1, sizeof *in->funcs);
    in->own_funcs = vm_alloc_resize(a, NULL, 0, ((usize)m->body_count + 1) * sizeof *in->own_funcs);
    in->memories = vm_alloc_array(a, (usize)m->memory_count + 1, sizeof *in->memories);
    in->tables = vm_alloc_array(a, (usize)m->table_count + 1, sizeof *in->tables);
    in->cells = vm_alloc_array(a, (usize)m->global_count + 1, sizeof *in->cells);
    in->globals = vm_alloc_array(a, (usize)m->global_count + 1, sizeof *in->globals);
    in->tags = vm_alloc_array(a, (usize)m->tag_count + 1, sizeof *in->tags);
    in->elems = vm_alloc_array(a, (usize)m->elem_count + 1, sizeof *in->elems);
    in->data_sizes = vm_alloc_array(a, (usize)m->data_count + 1, sizeof *in->data_sizes);
    return in->funcs && in->own_funcs && in->memories && in->tables && in->cells && in->globals &&
           in->tags && in->elems && in->data_sizes;
}

void vm_instance_free(struct vm_instance *in)
{
    const struct vm_module *m = &in->program->module;
    const struct vm_alloc *a = in->store->alloc;
    for (u32 i = 0; in->elems && i < m->elem_count; i++)
        vm_alloc_free(a, in->elems[i].refs, (usize)m->elems[i].count * sizeof(void *));
    vm_alloc_free(a, in->funcs, ((usize)m->func_count + 1) * sizeof *in->funcs);
    vm_alloc_free(a, in->own_funcs, ((usize)m->body_count + 1) * sizeof *in->own_funcs);
    vm_alloc_free(a, in->memories, ((usize)m->memory_count + 1) * sizeof *in->memories);
    vm_alloc_free(a, in->tables, ((usize)m->table_count + 1) * sizeof *in->tables);
    vm_alloc_free(a, in->cells, ((usize)m->global_count + 1) * sizeof *in->cells);
    vm_alloc_free(a, in->globals, ((usize)m->global_count + 1) * sizeof *in->globals);
    vm_alloc_free(a, in->tags, ((usize)m->tag_count + 1) * sizeof *in->tags);
    vm_alloc_free(a, in->elems, ((usize)m->elem_count + 1) * sizeof *in->elems);
    vm_alloc_free(a, in->data_sizes, ((usize)m->data_count + 1) * sizeof *in->data_sizes);
    vm_alloc_free(a, in, sizeof *in);
}

static void place_imports(struct vm_instance *in, const struct vm_extern *imports)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = 0; i < m->import_count; i++) {
        const struct vm_import *im = &m->imports[i];
        switch (im->kind) {
        case VM_EXTERN_FUNC: in->funcs[im->index] = imports[i].of.func; break;
        case VM_EXTERN_TABLE: in->tables[im->index] = imports[i].of.table; break;
        case VM_EXTERN_MEMORY: in->memories[im->index] = imports[i].of.memory; break;
        case VM_EXTERN_GLOBAL: in->globals[im->index] = imports[i].of.global; break;
        default: in->tags[im->index] = imports[i].of.tag; break;
        }
    }
    for (u32 i = 0; i < m->n_imported[VM_EXTERN_GLOBAL]; i++) in->cells[i] = in->globals[i]->value;
}

static vm_status make_memories(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = m->n_imported[VM_EXTERN_MEMORY]; i < m->memory_count; i++) {
        vm_status s = vm_memory_new(in->store, &m->memories[i], &in->memories[i], err);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}

static vm_status make_funcs(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    u32 n_imported = m->n_imported[VM_EXTERN_FUNC];
    /* a shared memory may have guard pages that this store does not want */
    bool guard =
        !m->memory_count || (in->store->use_guard && in->memories[0]->mode == VM_CODE_GUARD);
    struct vm_code_mode mode = {.backend = in->store->backend,
                                .memory = guard ? VM_CODE_GUARD : VM_CODE_EXPLICIT,
                                .fuel = in->store->use_fuel};
    in->codeset = vm_program_codeset(in->program, mode);
    if (!in->codeset) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "code");
    for (u32 i = 0; i < m->body_count; i++) {
        struct vm_func *f = &in->own_funcs[i];
        u32 type = m->funcs[n_imported + i];
        f->code = &in->codeset->codes[i];
        f->inst = in;
        f->type = in->program->canon[type];
        f->below = vm_functype_shared_slots(in->program->sigs[type]);
        f->sig = in->program->sigs[type];
        f->store = in->store;
        f->host = NULL;
        f->env = NULL;
        in->funcs[n_imported + i] = f;
    }
    return VM_OK;
}

static vm_status make_globals(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = m->n_imported[VM_EXTERN_GLOBAL]; i < m->global_count; i++) {
        union vm_slot value[2] = {{0}, {0}};
        struct vm_globaltype type = m->globals[i].type;
        type.type = vm_program_valtype(in->program, type.type);
        vm_constexpr_eval(in, m->globals[i].init, value);
        in->globals[i] = vm_global_new(in->store, &type, value);
        if (!in->globals[i]) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "global");
        in->cells[i] = in->globals[i]->value;
    }
    return VM_OK;
}

static vm_status make_tables(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = m->n_imported[VM_EXTERN_TABLE]; i < m->table_count; i++) {
        union vm_slot init[2] = {{0}, {0}};
        struct vm_tabletype type = m->tables[i].type;
        type.elem = vm_program_valtype(in->program, type.elem);
        if (m->tables[i].init.size) vm_constexpr_eval(in, m->tables[i].init, init);
        vm_status s = vm_table_new(in->store, &type, init[0].ptr, &in->tables[i], err);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}

static vm_status make_tags(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = m->n_imported[VM_EXTERN_TAG]; i < m->tag_count; i++) {
        in->tags[i] = vm_tag_new(in->store, in->program->canon[m->tags[i]], in->program, i);
        if (!in->tags[i]) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "tag");
    }
    return VM_OK;
}

/** Evaluates the items of one element segment. Declarative ones are dropped at once. */
static vm_status make_elem(struct vm_instance *in, u32 i, struct vm_err *err)
{
    const struct vm_elem_decl *d = &in->program->module.elems[i];
    if (d->mode == VM_SEGMENT_DECLARATIVE || d->count == 0) return VM_OK;
    const u8 *start = in->program->module.bytes;
    const u8 *p = start + d->items.start, *end = p + d->items.size;
    void **refs = vm_alloc_array(in->store->alloc, d->count, sizeof *refs);
    if (!refs) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "element segment");
    in->elems[i] = (struct vm_elem){.refs = refs, .size = d->count};
    for (u32 k = 0; k < d->count; k++) {
        if (d->is_exprs) {
            union vm_slot value[2] = {{0}, {0}};
            struct vm_range r = {.start = (u32)(p - start), .size = (u32)(end - p)};
            p = start + vm_constexpr_eval(in, r, value);
            refs[k] = value[0].ptr;
        } else {
            u32 func = 0;
            (void)vm_leb_u32(&p, end, &func); /* validated */
            refs[k] = in->funcs[func];
        }
    }
    return VM_OK;
}

static vm_status make_segments(struct vm_instance *in, struct vm_err *err)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = 0; i < m->data_count; i++) in->data_sizes[i] = m->datas[i].bytes.size;
    for (u32 i = 0; i < m->elem_count; i++) {
        vm_status s = make_elem(in, i, err);
        if (s != VM_OK) return s;
    }
    return VM_OK;
}

vm_status vm_instance_new(struct vm_store *store, struct vm_program *program,
                          const struct vm_extern *imports, struct vm_instance **out,
                          struct vm_err *err)
{
    if (store->instance_count >= store->limits.instances)
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET, "the store has %u instances",
                          store->instance_count);
    if (program->module.unsupported_const)
        return vm_err_set(err, VM_ERR_UNSUPPORTED_OP, program->module.unsupported_const,
                          "%s in a constant expression",
                          vm_op_name((vm_op)program->module.unsupported_const_op));
    struct vm_instance *in = vm_alloc_zero(store->alloc, sizeof *in);
    if (!in) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "instance");
    in->store = store;
    in->program = program;
    if (!alloc_spaces(in)) {
        vm_instance_free(in);
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "instance");
    }
    /* from here the store owns it, also after a failure: tables may point to its functions */
    in->next = store->instances;
    store->instances = in;
    store->instance_count++;
    place_imports(in, imports);
    vm_status s = make_memories(in, err);
    if (s == VM_OK) s = make_funcs(in, err);
    if (s == VM_OK) s = make_tags(in, err);
    if (s == VM_OK) s = make_globals(in, err);
    if (s == VM_OK) s = make_tables(in, err);
    if (s == VM_OK) s = make_segments(in, err);
    if (s == VM_OK) *out = in;
    return s;
}

static u64 eval_offset(const struct vm_instance *in, struct vm_range expr, bool is_64)
{
    union vm_slot v[2] = {{0}, {0}};
    (void)vm_constexpr_eval(in, expr, v);
    return is_64 ? v[0].u64 : v[0].u32;
}

static vm_trap write_elems(struct vm_instance *in)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = 0; i < m->elem_count; i++) {
        const struct vm_elem_decl *d = &m->elems[i];
        if (d->mode != VM_SEGMENT_ACTIVE) continue;
        u64 at = eval_offset(in, d->offset, in->tables[d->table]->type.limits.is_64);
        vm_trap t = vm_table_init(in, d->table, i, at, 0, d->count);
        if (t) return t;
        vm_alloc_free(in->store->alloc, in->elems[i].refs, (usize)d->count * sizeof(void *));
        in->elems[i] = (struct vm_elem){0};
    }
    return VM_TRAP_NONE;
}

/** Active data segments; those below `mapped` are in the memory already. */
static vm_trap write_datas(struct vm_instance *in, u32 mapped)
{
    const struct vm_module *m = &in->program->module;
    for (u32 i = 0; i < m->data_count; i++) {
        const struct vm_data_decl *d = &m->datas[i];
        if (d->mode != VM_SEGMENT_ACTIVE) continue;
        if (i >= mapped) {
            u64 at = eval_offset(in, d->offset, in->memories[d->memory]->type.is_64);
            vm_trap t = vm_memory_init(in, d->memory, i, at, 0, d->bytes.size);
            if (t) return t;
        }
        in->data_sizes[i] = 0;
    }
    return VM_TRAP_NONE;
}

vm_status vm_instance_write_segments(struct vm_instance *in, vm_trap *trap)
{
    *trap = write_elems(in);
    if (*trap) return VM_TRAP;
    enum vm_image_result image = vm_image_map(in);
    if (image == VM_IMAGE_BROKEN) return VM_OOM;
    *trap = write_datas(in, image == VM_IMAGE_MAPPED ? in->program->image.data_end : 0);
    return *trap ? VM_TRAP : VM_OK;
}

struct vm_extern vm_instance_extern(struct vm_instance *in, enum vm_extern_kind kind, u32 index)
{
    struct vm_extern e = {.kind = kind};
    switch (kind) {
    case VM_EXTERN_FUNC: e.of.func = in->funcs[index]; break;
    case VM_EXTERN_TABLE: e.of.table = in->tables[index]; break;
    case VM_EXTERN_MEMORY: e.of.memory = in->memories[index]; break;
    case VM_EXTERN_GLOBAL: e.of.global = in->globals[index]; break;
    default: e.of.tag = in->tags[index]; break;
    }
    return e;
}
