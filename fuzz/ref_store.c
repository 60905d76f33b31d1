/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's store: host objects, instances, constant expressions, segments. */
#include "ref_interp.h"

#include "isa/opcode.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 512 << 16, ELEMS_MAX = 100000, STORE_ELEMS_MAX = 10000000 };

/* ---- memory: blocks in a list, freed with the store */

struct block {
    struct block *next, *before;
    u64 content[];
};

static void link_block(struct ref_store *s, struct block *b)
{
    b->before = NULL;
    b->next = s->blocks;
    if (b->next) b->next->before = b;
    s->blocks = b;
}

void *ref_alloc(struct ref_store *s, usize bytes)
{
    struct block *b = calloc(1, sizeof *b + bytes + 1);
    if (!b) abort();
    link_block(s, b);
    return b->content;
}

void *ref_resize(struct ref_store *s, void *p, usize old_bytes, usize bytes)
{
    void *to = ref_alloc(s, bytes);
    if (!p) return to;
    struct block *old = (struct block *)(void *)((char *)p - offsetof(struct block, content));
    memcpy(to, p, old_bytes < bytes ? old_bytes : bytes);
    if (old->before)
        old->before->next = old->next;
    else
        s->blocks = old->next;
    if (old->next) old->next->before = old->before;
    free(old);
    return to;
}

void ref_store_free(struct ref_store *s)
{
    struct block *b = s ? s->blocks : NULL;
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    free(s);
}

/* ---- types */

bool ref_is_func(vm_valtype t)
{
    if (!vm_valtype_is_ref(t)) return false;
    u32 heap = vm_valtype_heap(t);
    return !vm_heap_is_abstract(heap) || (heap & 0xff) == VM_HEAP_FUNC;
}

bool ref_is_exn(vm_valtype t)
{
    return vm_valtype_is_ref(t) && vm_valtype_heap(t) == (VM_HEAP_ABSTRACT | VM_HEAP_EXN);
}

static bool same_functype(const struct vm_module *a, const struct vm_functype *x,
                          const struct vm_module *b, const struct vm_functype *y);

/** Types of one's own group can only be the type itself: groups of one. */
static bool same_deftype(const struct vm_module *a, u32 x, const struct vm_module *b, u32 y)
{
    if (a == b && x == y) return true;
    return same_functype(a, &a->types.types[x].of.func, b, &b->types.types[y].of.func);
}

static bool same_valtype(const struct vm_module *a, vm_valtype x, const struct vm_module *b,
                         vm_valtype y)
{
    if (!vm_valtype_is_indexed(x) || !vm_valtype_is_indexed(y)) return x == y;
    return vm_valtype_kind(x) == vm_valtype_kind(y) &&
           same_deftype(a, vm_valtype_heap(x), b, vm_valtype_heap(y));
}

static bool same_functype(const struct vm_module *a, const struct vm_functype *x,
                          const struct vm_module *b, const struct vm_functype *y)
{
    if (x->param_count != y->param_count || x->result_count != y->result_count) return false;
    for (u32 i = 0; i < x->param_count + x->result_count; i++)
        if (!same_valtype(a, x->types[i], b, y->types[i])) return false;
    return true;
}

bool ref_same_type(const struct ref_func *f, const struct vm_module *m, u32 type)
{
    return same_functype(f->sig_module, f->sig, m, &m->types.types[type].of.func);
}

/** No GC types, no groups: what this oracle is for. */
static bool is_supported(const struct vm_module *m)
{
    for (u32 i = 0; i < m->types.count; i++) {
        const struct vm_deftype *t = &m->types.types[i];
        if (t->kind != VM_COMP_FUNC || t->rec_count != 1 || !t->is_final) return false;
        if (t->super != VM_NO_TYPE) return false;
        const struct vm_functype *f = &t->of.func;
        for (u32 k = 0; k < f->param_count + f->result_count; k++) {
            vm_valtype v = f->types[k];
            if (vm_valtype_is_indexed(v) && vm_valtype_heap(v) >= i) return false;
        }
    }
    return true;
}

/* ---- memories and tables */

u64 ref_memory_grow(struct ref_store *s, struct ref_memory *m, u64 pages, bool *skip)
{
    u64 old = m->pages;
    if (pages > m->max || old > m->max - pages) return UINT64_MAX;
    if (old + pages > (u64)MEMORY_MAX >> m->page_log2) {
        *skip = true;
        return UINT64_MAX;
    }
    m->data = ref_resize(s, m->data, (usize)(old << m->page_log2),
                         (usize)((old + pages) << m->page_log2));
    m->pages = old + pages;
    return old;
}

u64 ref_table_grow(struct ref_store *s, struct ref_table *t, u64 n, u64 init)
{
    u64 old = t->size;
    if (n > t->max || old > t->max - n || n > STORE_ELEMS_MAX) return UINT64_MAX;
    if (old + n > ELEMS_MAX) {
        s->steps = 0;
        return UINT64_MAX;
    }
    t->elems = ref_resize(s, t->elems, (usize)old * 8, (usize)(old + n) * 8);
    for (u64 i = old; i < old + n; i++) t->elems[i] = init;
    t->size = old + n;
    return old;
}

bool ref_fits(u64 at, u64 n, u64 size) { return n <= size && at <= size - n; }

static struct ref_memory *new_memory(struct ref_store *s, const struct vm_limits *l, bool *skip)
{
    struct ref_memory *m = ref_alloc(s, sizeof *m);
    u64 format = l->is_64 ? (u64)1 << 48 : (u64)1 << (32 - l->page_log2);
    m->is_64 = l->is_64;
    m->is_shared = l->is_shared;
    m->page_log2 = l->page_log2;
    m->max = l->has_max && l->max < format ? l->max : format;
    if (ref_memory_grow(s, m, l->min, skip) == UINT64_MAX) *skip = true;
    return m;
}

static struct ref_table *new_table(struct ref_store *s, const struct vm_limits *l, u64 init,
                                   bool *skip)
{
    struct ref_table *t = ref_alloc(s, sizeof *t);
    u64 format = l->is_64 ? UINT64_MAX : UINT32_MAX;
    t->is_64 = l->is_64;
    t->max = l->has_max && l->max < format ? l->max : format;
    if (ref_table_grow(s, t, l->min, init) == UINT64_MAX) *skip = true;
    return t;
}

/** spec exec-memory.init; v: destination, source, length. */
vm_trap ref_memory_init(struct ref_instance *in, u32 data, u32 memory, const u64 v[3])
{
    struct ref_memory *m = in->memories[memory];
    if (!ref_fits(v[1], v[2], in->datas[data].size)) return VM_TRAP_MEMORY;
    if (!ref_fits(v[0], v[2], ref_memory_bytes(m))) return VM_TRAP_MEMORY;
    const u8 *from = in->module->bytes + in->module->datas[data].bytes.start;
    for (u64 i = 0; i < v[2]; i++) m->data[v[0] + i] = from[v[1] + i];
    return VM_TRAP_NONE;
}

/** spec exec-table.init */
vm_trap ref_table_init(struct ref_instance *in, u32 elem, u32 table, const u64 v[3])
{
    struct ref_table *t = in->tables[table];
    if (!ref_fits(v[1], v[2], in->elems[elem].size)) return VM_TRAP_TABLE;
    if (!ref_fits(v[0], v[2], t->size)) return VM_TRAP_TABLE;
    for (u64 i = 0; i < v[2]; i++) t->elems[v[0] + i] = in->elems[elem].refs[v[1] + i];
    return VM_TRAP_NONE;
}

/* ---- the host's objects */

static vm_valtype letter(char c)
{
    switch (c) {
    case 'i': return VM_I32;
    case 'I': return VM_I64;
    case 'f': return VM_F32;
    case 'F': return VM_F64;
    case 'V': return VM_V128;
    case 'r': return VM_FUNCREF;
    default: return VM_EXTERNREF;
    }
}

static void make_host_func(struct ref_store *s, u32 f)
{
    struct vm_functype *t = &s->host_sigs[f];
    u32 n = 0;
    bool results = false;
    for (const char *p = host_func_signature[f]; *p; p++) {
        if (*p == ':') {
            results = true;
            continue;
        }
        s->host_types[f][n++] = letter(*p);
        *(results ? &t->result_count : &t->param_count) += 1;
    }
    t->types = s->host_types[f];
    s->host_funcs[f] = (struct ref_func){.index = f, .sig = t};
}

struct ref_store *ref_store_new(void)
{
    static const struct vm_limits memory = {
        .min = HOST_MEMORY_MIN, .max = HOST_MEMORY_MAX, .has_max = true, .page_log2 = VM_PAGE_LOG2};
    static const struct vm_limits table = {
        .min = HOST_TABLE_MIN, .max = HOST_TABLE_MAX, .has_max = true};
    static const vm_valtype tag_params[] = {VM_I32, VM_I64}; /* HOST_TAG_SIGNATURE */
    bool skip = false;
    struct ref_store *s = calloc(1, sizeof *s);
    if (!s) abort();
    for (u32 i = 0; i < HOST_FUNC_COUNT; i++) make_host_func(s, i);
    s->host_tag = ref_alloc(s, sizeof *s->host_tag);
    s->host_tag->type = &s->host_tag_type;
    s->host_tag_type.types = tag_params;
    s->host_tag_type.param_count = VM_COUNT(tag_params);
    s->host_memory = new_memory(s, &memory, &skip);
    s->host_table = new_table(s, &table, 0, &skip);
    for (u32 i = 0; i < HOST_GLOBALS; i++) {
        s->host_globals[i] = ref_alloc(s, sizeof(struct ref_global));
        s->host_globals[i]->value.bits = host_globals[i].bits;
        s->host_globals[i]->type = letter(host_globals[i].type);
    }
    return s;
}

/* ---- imports */

static bool is_name(struct vm_name n, const char *s)
{
    return n.size == strlen(s) && memcmp(n.data, s, n.size) == 0;
}

static bool import_host(struct ref_instance *in, const struct vm_import *im)
{
    struct ref_store *s = in->store;
    if (im->kind == VM_EXTERN_TABLE && is_name(im->name, "table"))
        return (in->tables[im->index] = s->host_table) != NULL;
    if (im->kind == VM_EXTERN_MEMORY && is_name(im->name, "memory"))
        return (in->memories[im->index] = s->host_memory) != NULL;
    if (im->kind == VM_EXTERN_TAG && is_name(im->name, "tag"))
        return (in->tags[im->index] = s->host_tag) != NULL;
    if (im->kind == VM_EXTERN_GLOBAL && im->name.size == 2 && im->name.data[0] == 'g') {
        u32 i = (u32)im->name.data[1] - '0';
        if (i < HOST_GLOBALS) in->globals[im->index] = s->host_globals[i];
        return i < HOST_GLOBALS;
    }
    for (u32 i = 0; i < HOST_FUNC_COUNT && im->kind == VM_EXTERN_FUNC; i++) {
        if (!is_name(im->name, host_func_name[i])) continue;
        if (!ref_same_type(&s->host_funcs[i], in->module, in->module->funcs[im->index]))
            return false;
        in->funcs[im->index] = &s->host_funcs[i];
        return true;
    }
    return false;
}

static bool import_lib(struct ref_instance *in, const struct ref_instance *lib,
                       const struct vm_import *im)
{
    const struct vm_export *e = vm_module_find_export(lib->module, im->name.data, im->name.size);
    if (!e || e->kind != im->kind) return false;
    switch (im->kind) {
    case VM_EXTERN_FUNC: in->funcs[im->index] = lib->funcs[e->index]; break;
    case VM_EXTERN_TABLE: in->tables[im->index] = lib->tables[e->index]; break;
    case VM_EXTERN_MEMORY: in->memories[im->index] = lib->memories[e->index]; break;
    case VM_EXTERN_GLOBAL: in->globals[im->index] = lib->globals[e->index]; break;
    case VM_EXTERN_TAG: in->tags[im->index] = lib->tags[e->index]; break;
    default: return false;
    }
    return true;
}

static bool resolve(struct ref_instance *in, const struct ref_instance *lib)
{
    for (u32 i = 0; i < in->module->import_count; i++) {
        const struct vm_import *im = &in->module->imports[i];
        bool done = is_name(im->module, "host")       ? import_host(in, im)
                    : is_name(im->module, "a") && lib ? import_lib(in, lib, im)
                                                      : false;
        if (!done) return false;
    }
    return true;
}

/* ---- constant expressions: numbers, references, globals, add, sub, mul */

static const u8 *const_insn(struct ref_instance *in, u32 op, const u8 *p, struct ref_val *v)
{
    *v = (struct ref_val){0};
    switch (op) {
    case VM_OP_I32_CONST: v->bits = (u32)ref_sleb(&p); break;
    case VM_OP_I64_CONST: v->bits = (u64)ref_sleb(&p); break;
    case VM_OP_F32_CONST:
        memcpy(&v->bits, p, 4);
        p += 4;
        break;
    case VM_OP_F64_CONST:
        memcpy(&v->bits, p, 8);
        p += 8;
        break;
    case VM_OP_V128_CONST:
        memcpy(&v->bits, p, 8);
        memcpy(&v->high, p + 8, 8);
        p += 16;
        break;
    case VM_OP_GLOBAL_GET: *v = in->globals[ref_leb(&p)]->value; break;
    case VM_OP_REF_FUNC: v->bits = (u64)(uintptr_t)in->funcs[ref_leb(&p)]; break;
    default: (void)ref_sleb(&p); break; /* ref.null */
    }
    return p;
}

/** Evaluates at `p`; *end is behind the expression's end. */
static struct ref_val eval(struct ref_instance *in, const u8 *p, const u8 **end, bool *skip)
{
    struct ref_val stack[64] = {{0}};
    u32 n = 0;
    for (;;) {
        u32 op = ref_op(&p);
        if (op == VM_OP_END) break;
        const char *sig = vm_op_sig((vm_op)op);
        struct ref_num num = {0};
        if (n >= 62 || op == VM_OP_ILLEGAL || vm_op_feature((vm_op)op) == VM_FEATURE_GC) {
            *skip = true;
            break;
        }
        if (strcmp(sig, "ii:i") == 0 || strcmp(sig, "II:I") == 0) {
            num.a = stack[n - 2];
            num.b = stack[n - 1];
            (void)ref_num(op, &num);
            stack[--n - 1] = num.out;
        } else {
            p = const_insn(in, op, p, &stack[n++]);
        }
    }
    *end = p;
    return stack[0];
}

static struct ref_val eval_range(struct ref_instance *in, struct vm_range r, bool *skip)
{
    const u8 *end;
    return eval(in, in->module->bytes + r.start, &end, skip);
}

/* ---- instances */

static void make_elem(struct ref_instance *in, u32 i, bool *skip)
{
    const struct vm_elem_decl *d = &in->module->elems[i];
    const u8 *p = in->module->bytes + d->items.start;
    struct ref_segment *e = &in->elems[i];
    e->refs = ref_alloc(in->store, (usize)d->count * 8);
    e->size = d->mode == VM_SEGMENT_DECLARATIVE ? 0 : d->count;
    for (u32 k = 0; k < d->count && !*skip; k++)
        e->refs[k] =
            d->is_exprs ? eval(in, p, &p, skip).bits : (u64)(uintptr_t)in->funcs[ref_leb(&p)];
}

static void make_spaces(struct ref_instance *in, bool *skip)
{
    const struct vm_module *m = in->module;
    struct ref_store *s = in->store;
    for (u32 i = m->n_imported[VM_EXTERN_FUNC]; i < m->func_count; i++) {
        in->funcs[i] = ref_alloc(s, sizeof(struct ref_func));
        *in->funcs[i] = (struct ref_func){in, i, m, vm_module_functype(m, i)};
    }
    for (u32 i = m->n_imported[VM_EXTERN_MEMORY]; i < m->memory_count; i++)
        in->memories[i] = new_memory(s, &m->memories[i], skip);
    for (u32 i = m->n_imported[VM_EXTERN_GLOBAL]; i < m->global_count && !*skip; i++) {
        in->globals[i] = ref_alloc(s, sizeof(struct ref_global));
        in->globals[i]->type = m->globals[i].type.type;
        in->globals[i]->value = eval_range(in, m->globals[i].init, skip);
    }
    for (u32 i = m->n_imported[VM_EXTERN_TABLE]; i < m->table_count && !*skip; i++) {
        u64 init = m->tables[i].init.size ? eval_range(in, m->tables[i].init, skip).bits : 0;
        in->tables[i] = new_table(s, &m->tables[i].type.limits, init, skip);
    }
    for (u32 i = m->n_imported[VM_EXTERN_TAG]; i < m->tag_count; i++) {
        in->tags[i] = ref_alloc(s, sizeof(struct ref_tag));
        in->tags[i]->type = &m->types.types[m->tags[i]].of.func;
    }
    for (u32 i = 0; i < m->elem_count && !*skip; i++) make_elem(in, i, skip);
    for (u32 i = 0; i < m->data_count; i++) in->datas[i].size = m->datas[i].bytes.size;
}

/** spec exec-instantiation: element segments, then data segments, each in order. */
static vm_trap write_segments(struct ref_instance *in, bool *skip)
{
    const struct vm_module *m = in->module;
    vm_trap t = VM_TRAP_NONE;
    for (u32 i = 0; i < m->elem_count && !t; i++) {
        if (m->elems[i].mode != VM_SEGMENT_ACTIVE) continue;
        u64 v[3] = {eval_range(in, m->elems[i].offset, skip).bits, 0, in->elems[i].size};
        t = ref_table_init(in, i, m->elems[i].table, v);
        if (!t) in->elems[i].size = 0;
    }
    for (u32 i = 0; i < m->data_count && !t; i++) {
        if (m->datas[i].mode != VM_SEGMENT_ACTIVE) continue;
        u64 v[3] = {eval_range(in, m->datas[i].offset, skip).bits, 0, in->datas[i].size};
        t = ref_memory_init(in, i, m->datas[i].memory, v);
        if (!t) in->datas[i].size = 0;
    }
    return t;
}

static struct ref_instance *alloc_instance(struct ref_store *s, const struct vm_module *m)
{
    struct ref_instance *in = ref_alloc(s, sizeof *in);
    in->module = m;
    in->store = s;
    in->number = s->instance_count++;
    in->funcs = ref_alloc(s, m->func_count * sizeof(void *));
    in->memories = ref_alloc(s, m->memory_count * sizeof(void *));
    in->tables = ref_alloc(s, m->table_count * sizeof(void *));
    in->globals = ref_alloc(s, m->global_count * sizeof(void *));
    in->tags = ref_alloc(s, m->tag_count * sizeof(void *));
    in->elems = ref_alloc(s, m->elem_count * sizeof *in->elems);
    in->datas = ref_alloc(s, m->data_count * sizeof *in->datas);
    in->bodies = ref_alloc(s, m->body_count * sizeof *in->bodies);
    return in;
}

struct ref_instance *ref_instantiate(struct ref_store *s, const struct vm_module *m,
                                     const struct ref_instance *lib, struct ref_end *end)
{
    bool skip = false;
    *end = (struct ref_end){.kind = REF_SKIP};
    if (!is_supported(m)) return NULL;
    struct ref_instance *in = alloc_instance(s, m);
    if (!resolve(in, lib)) return NULL;
    make_spaces(in, &skip);
    if (skip) return NULL;
    vm_trap t = write_segments(in, &skip);
    if (skip) return NULL;
    *end = (struct ref_end){.kind = t ? REF_TRAP : REF_OK, .trap = t};
    if (!t && m->start != VM_NO_INDEX) *end = ref_call(s, in->funcs[m->start], NULL);
    return in;
}
