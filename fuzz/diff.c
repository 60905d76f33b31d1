/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison in lockstep. The plan of calls follows from the modules and the case's seed. */
#include "diff.h"

#include "diff_engine.h"
#include "diff_json.h"
#include "ref_interp.h"
#include "validate/validate.h"

#include <stdarg.h>
#include <stdio.h>

enum { CALLS_MAX = 14, STEPS_PER_CALL = 400000, FUEL = 120, VALUES = 64 };

const char *const diff_verdict_name[DIFF_VERDICTS] = {"same",          "refused",         "skipped",
                                                      "NaN bits seen", "stack exhausted", "FOUND"};

/** A function of an instance, as the oracle and as each configuration has it. */
struct pair {
    const struct ref_func *ref;
    wr_func_t *func[ENGINE_KINDS];
};

struct run {
    const struct diff_case *c;
    struct diff_report *r;
    struct vm_module decoded[GEN_MODULES];
    u32 decoded_count;
    wr_engine_t *engine;
    wr_module_t *modules[GEN_MODULES];
    struct engine engines[ENGINE_KINDS];
    bool open[ENGINE_KINDS];
    struct ref_store *store;
    struct ref_instance *inst[GEN_MODULES];
    u32 instances;
    const struct ref_exn *held; /* as in struct engine */
    struct pair *pairs;
    u32 pair_count;
    u64 rng;
    usize live; /* bytes of the engine's allocator */
    char where[80];
    bool stop;
};

/* ---- reporting */

static VM_PRINTF(2, 3) void found(struct run *d, const char *format, ...)
{
    struct diff_report *r = d->r;
    if (r->verdict == DIFF_FOUND) return;
    int n = snprintf(r->text, sizeof r->text, "%s: ", d->where);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->text + n, sizeof r->text - (usize)n, format, args);
    va_end(args);
    r->verdict = DIFF_FOUND;
    d->stop = true;
}

static void give_up(struct run *d, enum diff_verdict v)
{
    if (d->r->verdict == DIFF_SAME) d->r->verdict = v;
    d->stop = true;
}

static void *counting_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    usize *live = ctx;
    *live += new_bytes;
    *live -= ptr ? old_bytes : 0;
    if (new_bytes) return realloc(ptr, new_bytes);
    free(ptr);
    return NULL;
}

/* ---- values */

static bool is_nan(vm_valtype t, u64 bits)
{
    if (t == VM_F32) return ((u32)bits & 0x7fffffff) > 0x7f800000;
    return t == VM_F64 && (bits & INT64_MAX) > 0x7ff0000000000000;
}

/** A vector is the same when its lanes are, and its open lanes are NaNs. */
static bool same_vector(struct ref_val want, const u8 got[16])
{
    u64 half[2], word[2] = {want.bits, want.high};
    memcpy(half, got, sizeof half);
    for (u32 i = 0; i < 2; i++) {
        if (want.open & 16u << i) {
            if (!is_nan(VM_F64, half[i])) return false;
            continue;
        }
        for (u32 k = 0; k < 2; k++) {
            u64 a = (u32)(word[i] >> 32 * k), b = (u32)(half[i] >> 32 * k);
            bool open = want.open & 1u << (2 * i + k);
            if (open ? !is_nan(VM_F32, b) : a != b) return false;
        }
    }
    return true;
}

static wr_val_t to_engine(const struct run *d, u32 kind, vm_valtype t, struct ref_val v)
{
    wr_val_t out = {.kind = WR_I32, .of.i64 = v.bits};
    switch (t) {
    case VM_I32: break;
    case VM_I64: out.kind = WR_I64; break;
    case VM_F32: out.kind = WR_F32; break;
    case VM_F64: out.kind = WR_F64; break;
    case VM_V128:
        out.kind = WR_V128;
        memcpy(out.of.v128, &v.bits, 8);
        memcpy(out.of.v128 + 8, &v.high, 8);
        break;
    default:
        out.kind = ref_is_exn(t) ? WR_EXNREF : ref_is_func(t) ? WR_FUNCREF : WR_EXTERNREF;
        out.of.ref = (void *)(uintptr_t)v.bits;
        if (ref_is_exn(t)) out.of.exn = v.bits ? d->engines[kind].held : NULL;
        if (!ref_is_func(t) || !v.bits) break;
        out.of.func = NULL;
        for (u32 i = 0; i < d->pair_count && !out.of.func; i++)
            if ((u64)(uintptr_t)d->pairs[i].ref == v.bits) out.of.func = d->pairs[i].func[kind];
        break;
    }
    return out;
}

/**
 * Functions are the same when they were exported under one name. Those that never were may be; a
 * host function has one address for each import of it.
 */
static bool same_func(const struct run *d, u32 kind, u64 ref, const wr_func_t *f)
{
    const struct ref_func *want = (const struct ref_func *)(uintptr_t)ref;
    bool known = false;
    if (!want || !f) return !want && !f;
    for (u32 i = 0; i < d->pair_count; i++) {
        if (d->pairs[i].func[kind] == f) return d->pairs[i].ref == want;
        known |= d->pairs[i].ref == want;
    }
    return !known || !want->inst;
}

static bool same_value(const struct run *d, u32 kind, vm_valtype t, struct ref_val want,
                       const wr_val_t *got)
{
    if (t == VM_V128) return same_vector(want, got->of.v128);
    if (ref_is_exn(t)) return !want.bits == !got->of.exn;
    if (vm_valtype_is_ref(t))
        return ref_is_func(t) ? same_func(d, kind, want.bits, got->of.func)
                              : want.bits == (u64)(uintptr_t)got->of.ref;
    u64 bits = t == VM_I32 || t == VM_F32 ? got->of.i32 : got->of.i64;
    if (want.open) return is_nan(t, bits);
    return want.bits == bits;
}

static u64 bits_of(const wr_val_t *v)
{
    return v->kind == WR_I32 || v->kind == WR_F32 ? v->of.i32 : v->of.i64;
}

/* ---- loading */

/** Decodes and validates without an engine. */
static bool load_for_oracle(struct run *d, u32 i)
{
    const struct bytes *b = &d->c->module[i];
    struct vm_module *m = &d->decoded[i];
    struct vm_err e;
    vm_err_init(&e);
    bool good = vm_module_decode(m, &vm_alloc_libc, b->data, b->size, &e) == VM_OK;
    d->decoded_count += good;
    good = good && vm_validate_module(m, vm_features_all(), &vm_alloc_libc, &e) == VM_OK;
    if (good) return true;
    if (d->c->must_validate) found(d, "refused: %s", e.text);
    give_up(d, DIFF_REFUSED);
    return false;
}

static bool load_one(struct run *d, u32 i)
{
    if (d->c->oracle_only) return load_for_oracle(d, i);

    const struct bytes *b = &d->c->module[i];
    wr_error_t err;
    struct vm_err e;
    wr_status_t s = wr_module_new(d->engine, b->data, b->size, &d->modules[i], &err);
    (void)snprintf(d->where, sizeof d->where, "module %u", i);
    if (s != WR_OK) {
        if (d->c->must_validate) found(d, "refused: %s", err.text);
        give_up(d, DIFF_REFUSED);
        return false;
    }
    vm_err_init(&e);
    if (vm_module_decode(&d->decoded[i], &vm_alloc_libc, b->data, b->size, &e) != VM_OK) {
        found(d, "loads, and then is malformed: %s", e.text);
        return false;
    }
    d->decoded_count++;
    return true;
}

/** Host modules are imported from by name; only the first letter counts here. */
static bool imports_host_memory(const struct run *d)
{
    for (u32 i = 0; i < d->decoded_count; i++)
        for (u32 k = 0; k < d->decoded[i].import_count; k++) {
            const struct vm_import *im = &d->decoded[i].imports[k];
            if (im->kind == VM_EXTERN_MEMORY && im->module.size && im->module.data[0] == 'h')
                return true;
        }
    return false;
}

static void load(struct run *d)
{
    const wr_allocator_t alloc = {counting_realloc, &d->live};
    d->engine = wr_engine_new(&alloc);
    if (!d->engine) abort();
    wr_engine_set_features(d->engine, UINT64_MAX); /* those of no standard too */
    for (u32 i = 0; i < d->c->count; i++)
        if (!load_one(d, i)) return;
    d->store = ref_store_new();
    for (u32 k = 0; k < ENGINE_KINDS && !d->c->oracle_only; k++)
        d->open[k] = engine_open(&d->engines[k], k, d->engine, d->c->seed, imports_host_memory(d));
}

static void unload(struct run *d)
{
    for (u32 k = 0; k < ENGINE_KINDS; k++)
        if (d->open[k]) engine_close(&d->engines[k]);
    for (u32 i = 0; i < GEN_MODULES; i++) wr_module_delete(d->modules[i]);
    for (u32 i = 0; i < d->decoded_count; i++) vm_module_free(&d->decoded[i]);
    wr_engine_delete(d->engine);
    ref_store_free(d->store);
    free(d->pairs);
    (void)snprintf(d->where, sizeof d->where, "end");
    if (d->live) found(d, "%zu bytes were not freed", d->live);
}

/* ---- comparing state */

static wr_name_t export_name(const struct vm_export *x)
{
    return (wr_name_t){(const char *)x->name.data, x->name.size};
}

/** Compares what an export is now. */
static void compare_memory(struct run *d, u32 k, const struct ref_memory *m, const wr_memory_t *w)
{
    u64 size = ref_memory_bytes(m);
    if (wr_memory_size(w) != size) {
        found(d, "%s: memory of %llu bytes, oracle %llu", d->engines[k].name,
              (unsigned long long)wr_memory_size(w), (unsigned long long)size);
        return;
    }
    const u8 *p = wr_memory_data(w);
    if (size == 0 || memcmp(p, m->data, (usize)size) == 0) return;
    u64 at = 0;
    while (p[at] == m->data[at]) at++;
    found(d, "%s: memory at 0x%llx is %02x, oracle %02x", d->engines[k].name,
          (unsigned long long)at, p[at], m->data[at]);
}

static void compare_table(struct run *d, u32 k, const struct ref_table *t, vm_valtype elem,
                          const wr_table_t *w)
{
    if (wr_table_size(w) != t->size)
        found(d, "%s: table of %llu, oracle %llu", d->engines[k].name,
              (unsigned long long)wr_table_size(w), (unsigned long long)t->size);
    for (u64 i = 0; i < t->size && !d->stop; i++) {
        wr_val_t v;
        struct ref_val want = {.bits = t->elems[i]};
        if (!wr_table_get(w, i, &v) || !same_value(d, k, elem, want, &v))
            found(d, "%s: table element %llu differs", d->engines[k].name, (unsigned long long)i);
    }
}

static void compare_global(struct run *d, u32 k, const struct ref_global *g, const wr_global_t *w)
{
    wr_val_t v;
    wr_global_get(w, &v);
    if (!same_value(d, k, g->type, g->value, &v))
        found(d, "%s: global is 0x%llx, oracle 0x%llx%s", d->engines[k].name,
              (unsigned long long)bits_of(&v), (unsigned long long)g->value.bits,
              g->value.open ? " (any NaN)" : "");
}

static void compare_export(struct run *d, u32 k, u32 i, const struct vm_export *x)
{
    const struct ref_instance *in = d->inst[i];
    wr_extern_t e;
    if (x->kind == VM_EXTERN_FUNC || !d->engines[k].inst[i]) return;
    (void)snprintf(d->where, sizeof d->where, "after call %u: module %u, %.*s", d->r->calls, i,
                   x->name.size < 20 ? (int)x->name.size : 20, (const char *)x->name.data);
    if (!wr_instance_export(d->engines[k].inst[i], export_name(x), &e)) {
        found(d, "%s: no such export", d->engines[k].name);
        return;
    }
    if (x->kind == VM_EXTERN_MEMORY)
        compare_memory(d, k, in->memories[x->index], e.of.memory);
    else if (x->kind == VM_EXTERN_TABLE)
        compare_table(d, k, in->tables[x->index], in->module->tables[x->index].type.elem,
                      e.of.table);
    else if (x->kind == VM_EXTERN_GLOBAL)
        compare_global(d, k, in->globals[x->index], e.of.global);
}

static void compare_host(struct run *d, u32 k)
{
    const struct engine *e = &d->engines[k];
    (void)snprintf(d->where, sizeof d->where, "after call %u: host", d->r->calls);
    if (e->host.trace != d->store->host.trace)
        found(d, "%s: the host was called otherwise (%u calls, oracle %u)", e->name, e->host.calls,
              d->store->host.calls);
    if (!d->stop && e->host_memory) compare_memory(d, k, d->store->host_memory, e->host_memory);
    if (!d->stop) compare_table(d, k, d->store->host_table, VM_FUNCREF, e->host_table);
    for (u32 i = 0; i < HOST_GLOBALS && !d->stop; i++)
        compare_global(d, k, d->store->host_globals[i], e->host_globals[i]);
}

static void compare_state(struct run *d)
{
    for (u32 k = 0; k < ENGINE_KINDS && !d->stop; k++) {
        if (!d->open[k]) continue;
        compare_host(d, k);
        for (u32 i = 0; i < d->instances; i++)
            for (u32 x = 0; x < d->inst[i]->module->export_count && !d->stop; x++)
                compare_export(d, k, i, &d->inst[i]->module->exports[x]);
    }
}

/* ---- comparing ends */

/** The frames of a trap are the oracle's. */
static void compare_place(struct run *d, u32 k, const struct ref_end *want, const wr_error_t *err)
{
    const char *name = d->engines[k].name;
    /* a host function that was tail-called has its caller's frame here, and has none there */
    if (want->trap == VM_TRAP_HOST) return;
    if (err->frames + err->frames_left_out != want->frame_count)
        found(d, "%s: \"%s\" under %u frames, oracle: %u", name, err->text,
              err->frames + err->frames_left_out, want->frame_count);
    for (u32 i = 0; i < want->frame_count && i < REF_FRAMES && !d->stop; i++) {
        const struct ref_place *w = &want->frame[i];
        u32 module = 0;
        while (module < d->decoded_count && &d->decoded[module] != w->module) module++;
        if (err->frame[i].module == d->modules[module] && err->frame[i].func_idx == w->func &&
            err->frame[i].file_offset == w->offset)
            continue;
        found(d, "%s: \"%s\": frame %u in function %u at 0x%llx, oracle: module %u, %u at 0x%x",
              name, err->text, i, err->frame[i].func_idx,
              (unsigned long long)err->frame[i].file_offset, module, w->func, w->offset);
    }
}

/** The export of a tag of the oracle, as configuration `k` has it; NULL: there is none. */
static const wr_tag_t *tag_of(const struct run *d, u32 k, const struct ref_tag *t)
{
    for (u32 i = 0; i < d->instances; i++)
        for (u32 x = 0; x < d->inst[i]->module->export_count; x++) {
            const struct vm_export *ex = &d->inst[i]->module->exports[x];
            wr_extern_t e;
            if (ex->kind != VM_EXTERN_TAG || d->inst[i]->tags[ex->index] != t) continue;
            if (!d->engines[k].inst[i]) continue;
            if (wr_instance_export(d->engines[k].inst[i], export_name(ex), &e)) return e.of.tag;
        }
    return NULL;
}

/** What nobody caught. */
static void compare_exception(struct run *d, u32 k, const struct ref_exn *want)
{
    const wr_exception_t *got = d->engines[k].exception;
    const char *name = d->engines[k].name;
    wr_val_t values[VALUES];
    u32 n = want->tag->type->param_count;
    if (!got) {
        found(d, "%s: an exception, but none is to be had", name);
        return;
    }
    const wr_tag_t *tag = tag_of(d, k, want->tag);
    if (tag && tag != wr_exception_tag(got)) found(d, "%s: an exception of another tag", name);
    if (n > VALUES || d->stop) return;
    if (wr_exception_values(got, values, VALUES) != n)
        found(d, "%s: an exception with another number of values", name);
    for (u32 i = 0; i < n && !d->stop; i++)
        if (!same_value(d, k, want->tag->type->types[i], want->vals[i], &values[i]))
            found(d, "%s: value %u of the exception is 0x%llx, oracle 0x%llx", name, i,
                  (unsigned long long)bits_of(&values[i]), (unsigned long long)want->vals[i].bits);
}

static void compare_end(struct run *d, u32 k, const struct ref_end *want, wr_status_t s,
                        const wr_error_t *err)
{
    const char *name = d->engines[k].name;
    if (d->engines[k].exhausted) {
        give_up(d, DIFF_EXHAUSTED);
        return;
    }
    if (want->kind == REF_OK) {
        if (s != WR_OK) found(d, "%s: %s (%s), oracle: fine", name, wr_status_name(s), err->text);
    } else if (want->kind == REF_EXCEPTION) {
        if (s != WR_EXCEPTION)
            found(d, "%s: %s (%s), oracle: an exception", name, wr_status_name(s),
                  s == WR_OK ? "" : err->text);
        if (!d->stop) compare_exception(d, k, want->exn);
        if (!d->stop && !want->from_host) compare_place(d, k, want, err);
    } else if (s != WR_TRAP || !err->trap) {
        found(d, "%s: %s (%s), oracle: trap \"%s\"", name, wr_status_name(s),
              s == WR_OK ? "" : err->text, vm_trap_text(want->trap));
    } else if (strcmp(err->trap, vm_trap_text(want->trap)) != 0) {
        found(d, "%s: trap \"%s\", oracle \"%s\"", name, err->trap, vm_trap_text(want->trap));
    } else {
        compare_place(d, k, want, err);
    }
}

/* ---- instances */

/** Makes the functions of an instance known under both their pointers. */
static void add_pairs(struct run *d, u32 i)
{
    const struct ref_instance *in = d->inst[i];
    d->pairs = realloc(d->pairs, (d->pair_count + in->module->export_count + 1) * sizeof *d->pairs);
    if (!d->pairs) abort();
    for (u32 x = 0; x < in->module->export_count; x++) {
        const struct vm_export *ex = &in->module->exports[x];
        if (ex->kind != VM_EXTERN_FUNC) continue;
        struct pair *p = &d->pairs[d->pair_count++];
        *p = (struct pair){.ref = in->funcs[ex->index]};
        for (u32 k = 0; k < ENGINE_KINDS; k++) {
            wr_extern_t e;
            if (!d->open[k] || !d->engines[k].inst[i]) continue;
            if (wr_instance_export(d->engines[k].inst[i], export_name(ex), &e))
                p->func[k] = e.of.func;
        }
    }
}

static void instantiate(struct run *d, u32 i)
{
    struct ref_end end;
    d->store->steps = STEPS_PER_CALL;
    d->inst[i] = ref_instantiate(d->store, &d->decoded[i], i ? d->inst[0] : NULL, &end);
    if (end.kind == REF_SKIP) {
        give_up(d, DIFF_SKIPPED);
        return;
    }
    d->instances++;
    json_instance(d->r->json, &end);
    for (u32 k = 0; k < ENGINE_KINDS && !d->stop; k++) {
        wr_error_t err;
        if (!d->open[k]) continue;
        wr_status_t s = engine_instantiate(&d->engines[k], i, d->modules[i], &err);
        (void)snprintf(d->where, sizeof d->where, "instantiating module %u", i);
        if (d->store->leaked)
            give_up(d, DIFF_LEAKED);
        else
            compare_end(d, k, &end, s, &err);
    }
    if (end.kind != REF_OK) {
        d->r->traps++;
        if (!d->stop) compare_state(d);
        d->stop = true; /* it has no exports to go on with */
    } else if (!d->stop) {
        add_pairs(d, i);
    }
}

/* ---- calls */

/** An argument; NaNs come with canonical bits but may arrive with others (in V8). */
static u64 number(struct run *d, vm_valtype t)
{
    static const u64 ints[] = {0,     1,          UINT64_MAX,        2,         7,
                               100,   0x7fffffff, 0x80000000,        INT64_MAX, (u64)1 << 63,
                               65535, 65536,      0xffffffff00000000};
    static const f64 floats[] = {0, -0.0, 1, -1, 0.5, 1.5, 1e10, -1e10, 3e38, 1e300, 4294967296.0};
    u64 r = choice_next(&d->rng), bits;
    if (t == VM_I32 || t == VM_I64) {
        u64 v = r & 1 ? ints[(r >> 8) % VM_COUNT(ints)] : r & 2 ? (r >> 8) % 300 : r;
        return t == VM_I32 ? (u32)v : v;
    }
    f64 f = r & 1 ? floats[(r >> 8) % VM_COUNT(floats)] : (f64)(i64)(r >> 40) / 16 - 100000;
    f32 narrow = (f32)f;
    if ((r >> 32) % 16 == 0) return t == VM_F32 ? 0x7fc00000 : 0x7ff8000000000000;
    if (t == VM_F32) {
        u32 narrow_bits;
        memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
        return narrow_bits;
    }
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/** Two numbers of 64 bits, or four or two floats; their NaNs are what they are. */
static struct ref_val vector(struct run *d)
{
    u64 how = choice_next(&d->rng) % 4;
    struct ref_val v = {.bits = number(d, how == 3 ? VM_F64 : VM_I64)};
    v.high = number(d, how == 3 ? VM_F64 : VM_I64);
    if (how == 2) {
        v.bits = number(d, VM_F32) | number(d, VM_F32) << 32;
        v.high = number(d, VM_F32) | number(d, VM_F32) << 32;
    }
    return v;
}

/** A function that may be passed as `t`; NULL when none is exported. */
static const struct ref_func *function_for(struct run *d, const struct vm_module *m, vm_valtype t)
{
    u32 n = d->pair_count, first = n ? (u32)(choice_next(&d->rng) % n) : 0;
    for (u32 i = 0; i < n; i++) {
        const struct ref_func *f = d->pairs[(first + i) % n].ref;
        u32 heap = vm_valtype_heap(t);
        if (vm_heap_is_abstract(heap) || ref_same_type(f, m, heap)) return f;
    }
    return NULL;
}

/** False when there is no such value. */
static bool argument(struct run *d, const struct vm_module *m, vm_valtype t, struct ref_val *v)
{
    *v = (struct ref_val){0};
    if (t == VM_V128) {
        *v = vector(d);
        return true;
    }
    if (!vm_valtype_is_ref(t)) {
        v->bits = number(d, t);
        v->open = is_nan(t, v->bits);
        return true;
    }
    if (ref_is_exn(t)) {
        bool use = d->held && !d->c->oracle_only && choice_next(&d->rng) % 3;
        v->bits = use ? (u64)(uintptr_t)d->held : 0;
        return use || vm_valtype_is_nullable(t);
    }
    bool null = vm_valtype_is_nullable(t) && choice_next(&d->rng) % 3 == 0;
    if (ref_is_func(t) && !null) {
        v->bits = (u64)(uintptr_t)function_for(d, m, t);
    } else if (!null && vm_valtype_heap(t) == (VM_HEAP_ABSTRACT | VM_HEAP_EXTERN)) {
        v->bits = 1 + choice_next(&d->rng) % (HOST_EXTERNS - 1);
    }
    return v->bits || vm_valtype_is_nullable(t);
}

static void set_fuel(struct run *d)
{
    const wr_name_t name = {"fuel", 4};
    const wr_val_t fuel = {.kind = WR_I32, .of.i32 = FUEL};
    for (u32 i = 0; i < d->instances; i++) {
        const struct vm_export *x =
            vm_module_find_export(d->inst[i]->module, (const u8 *)"fuel", 4);
        if (!x || x->kind != VM_EXTERN_GLOBAL) continue;
        if (d->inst[i]->module->globals[x->index].type.type != VM_I32) continue;
        if (!d->inst[i]->module->globals[x->index].type.is_mutable) continue;
        d->inst[i]->globals[x->index]->value.bits = FUEL;
        for (u32 k = 0; k < ENGINE_KINDS; k++) {
            wr_extern_t e;
            if (d->open[k] && wr_instance_export(d->engines[k].inst[i], name, &e))
                (void)wr_global_set(e.of.global, &fuel);
        }
    }
}

static void compare_results(struct run *d, u32 k, const struct diff_call *c, const wr_val_t *got)
{
    for (u32 i = 0; i < c->sig->result_count && !d->stop; i++) {
        if (same_value(d, k, c->sig->types[c->sig->param_count + i], c->results[i], &got[i]))
            continue;
        found(d, "%s: result %u is 0x%llx, oracle 0x%llx%s", d->engines[k].name, i,
              (unsigned long long)bits_of(&got[i]), (unsigned long long)c->results[i].bits,
              c->results[i].open ? " (any NaN)" : "");
    }
}

/**
 * Fuel is what the oracle executed. A trap leaves some that was paid in advance, and an exception
 * takes it along.
 */
static void compare_fuel(struct run *d, u32 k)
{
    const struct engine *e = &d->engines[k];
    u64 used = e->fuel_given - wr_store_fuel(e->store);
    bool good = d->store->throws ? used >= d->store->fuel : used == d->store->fuel;
    if (e->style == STYLE_FUEL && !good)
        found(d, "%s: %llu fuel used, oracle %llu", e->name, (unsigned long long)used,
              (unsigned long long)d->store->fuel);
}

static void call_engine(struct run *d, u32 k, wr_func_t *f, const struct diff_call *c)
{
    wr_val_t in[VALUES], out[VALUES];
    wr_error_t err;
    for (u32 i = 0; i < c->sig->param_count; i++)
        in[i] = to_engine(d, k, c->sig->types[i], c->args[i]);
    wr_status_t s = engine_call(&d->engines[k], f, in, out, &err);
    if (d->store->leaked) return;
    compare_end(d, k, &c->end, s, &err);
    if (s == WR_OK && !d->stop) compare_results(d, k, c, out);
    if (s == WR_OK && !d->stop) compare_fuel(d, k);
}

/** An exception that nobody caught is kept, to be thrown again. */
static void hold(struct run *d, const struct ref_end *end)
{
    if (end->kind != REF_EXCEPTION || d->stop || d->r->json) return;
    d->held = end->exn;
    for (u32 k = 0; k < ENGINE_KINDS; k++) {
        struct engine *e = &d->engines[k];
        if (!d->open[k]) continue;
        wr_exception_delete(e->held);
        e->held = wr_exception_hold(e->exception);
    }
}

static void call(struct run *d, u32 i, const struct vm_export *x)
{
    const struct ref_func *f = d->inst[i]->funcs[x->index];
    struct ref_val args[VALUES], vals[VALUES];
    u32 at = 0;
    if (f->sig->param_count > VALUES || f->sig->result_count > VALUES) return;
    if (d->r->json && !json_can_call(f->sig)) return;
    while (at < d->pair_count && d->pairs[at].ref != f) at++;
    if (at == d->pair_count) return;
    const struct vm_module *m = f->inst ? f->sig_module : d->inst[i]->module;
    for (u32 k = 0; k < f->sig->param_count; k++)
        if (!argument(d, m, f->sig->types[k], &args[k])) return;
    memcpy(vals, args, sizeof vals);
    set_fuel(d);
    d->store->steps = STEPS_PER_CALL;
    d->store->fuel = 0;
    d->store->throws = 0;
    const struct diff_call c = {i, x, f->sig, args, vals, ref_call(d->store, f, vals)};
    if (c.end.kind == REF_SKIP) {
        give_up(d, DIFF_SKIPPED);
        return;
    }
    d->r->calls++;
    d->r->traps += c.end.kind == REF_TRAP;
    d->r->exceptions += c.end.kind == REF_EXCEPTION;
    (void)snprintf(d->where, sizeof d->where, "call %u: module %u, %.*s", d->r->calls, i,
                   x->name.size < 20 ? (int)x->name.size : 20, (const char *)x->name.data);
    for (u32 k = 0; k < ENGINE_KINDS && !d->stop; k++)
        if (d->open[k]) call_engine(d, k, d->pairs[at].func[k], &c);
    if (d->store->leaked) give_up(d, DIFF_LEAKED);
    hold(d, &c.end);
    if (!d->stop && c.end.kind != REF_OK) compare_state(d);
    if (!d->stop) json_call(d->r->json, &c, d->inst, d->instances);
}

static void call_all(struct run *d)
{
    for (u32 round = 0; round < 2; round++)
        for (u32 i = d->instances; i-- > 0;)
            for (u32 x = 0; x < d->inst[i]->module->export_count && !d->stop; x++) {
                const struct vm_export *ex = &d->inst[i]->module->exports[x];
                if (d->r->calls >= CALLS_MAX) return;
                if (ex->kind == VM_EXTERN_FUNC) call(d, i, ex);
            }
}

void diff_run(const struct diff_case *c, struct diff_report *r)
{
    struct run *d = calloc(1, sizeof *d);
    if (!d) abort();
    d->c = c;
    d->r = r;
    d->rng = c->seed;
    struct bytes *json = r->json;
    *r = (struct diff_report){.json = json};
    json_begin(json, c);
    load(d);
    for (u32 i = 0; i < d->decoded_count; i++) r->funcs += d->decoded[i].body_count;
    for (u32 i = 0; i < c->count && !d->stop; i++) instantiate(d, i);
    if (!d->stop) call_all(d);
    if (!d->stop) compare_state(d);
    if (r->verdict == DIFF_SAME) json_end(json, d->inst, d->instances, &d->store->host);
    for (u32 k = 0; k < ENGINE_KINDS; k++)
        r->stops += d->engines[k].yields + d->engines[k].suspensions + d->engines[k].refuels;
    unload(d);
    free(d);
}
