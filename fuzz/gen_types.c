/* SPDX-License-Identifier: Apache-2.0 */
/* Types, constants and constant expressions of generated modules. */
#include "gen_state.h"

/* ---- types */

bool gen_type_matches(vm_valtype sub, vm_valtype super)
{
    if (sub == super) return true;
    if (!vm_valtype_is_ref(sub) || !vm_valtype_is_ref(super)) return false;
    if (vm_valtype_is_nullable(sub) && !vm_valtype_is_nullable(super)) return false;
    u32 a = vm_valtype_heap(sub), b = vm_valtype_heap(super);
    return a == b || (!vm_heap_is_abstract(a) && b == (VM_HEAP_ABSTRACT | VM_HEAP_FUNC));
}

static bool same_types(const struct gen_types *a, const struct gen_types *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->t, b->t, a->n * sizeof a->t[0]) == 0);
}

u32 gen_type_index(struct gen *g, const struct gen_types *params, const struct gen_types *results)
{
    struct gen_module *m = g->m;
    bool again = gen_percent(g, 4) && m->type_count < GEN_TYPES / 2; /* equal types are one type */
    for (u32 i = 0; i < m->type_count && !again; i++)
        if (same_types(&m->types[i].params, params) && same_types(&m->types[i].results, results))
            return i;
    if (m->type_count == GEN_TYPES) return GEN_NONE;
    m->types[m->type_count] = (struct gen_type){.params = *params, .results = *results};
    return m->type_count++;
}

vm_valtype gen_num_type(struct gen *g)
{
    static const vm_valtype types[] = {VM_I32, VM_I32, VM_I32, VM_I64, VM_I64, VM_F32, VM_F64};
    if (gen_has(g, GEN_SIMD) && gen_percent(g, 40)) return VM_V128;
    return types[gen_below(g, VM_COUNT(types))];
}

/** The type of some function. */
static u32 used_type(struct gen *g)
{
    return g->m->func_count ? g->m->funcs[gen_below(g, g->m->func_count)].type : GEN_NONE;
}

vm_valtype gen_defaultable(struct gen *g)
{
    if (!gen_percent(g, 20)) return gen_num_type(g);
    if (gen_has(g, GEN_EXCEPTIONS) && gen_percent(g, 50)) return VM_EXNREF;
    u32 type = gen_percent(g, 40) && gen_has(g, GEN_FUNC_REFS) ? used_type(g) : GEN_NONE;
    if (type != GEN_NONE) return VM_REFTYPE(true, type);
    return gen_percent(g, 50) ? VM_EXTERNREF : VM_FUNCREF;
}

vm_valtype gen_any_type(struct gen *g)
{
    if (!gen_percent(g, 8) || !gen_has(g, GEN_FUNC_REFS)) return gen_defaultable(g);
    u32 type = used_type(g);
    if (type == GEN_NONE) return VM_I32;
    return gen_percent(g, 50) ? VM_REFTYPE(false, type)
                              : VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_FUNC);
}

/* spec binary-heaptype */
void gen_put_heaptype(struct bytes *b, vm_valtype t)
{
    u32 heap = vm_valtype_heap(t);
    if (vm_heap_is_abstract(heap))
        bytes_u8(b, (u8)heap);
    else
        bytes_s64(b, heap);
}

/* spec binary-valtype */
void gen_put_valtype(struct bytes *b, vm_valtype t)
{
    if (t == VM_FUNCREF || t == VM_EXTERNREF || t == VM_EXNREF) {
        bytes_u8(b, (u8)vm_valtype_heap(t));
    } else {
        bytes_u8(b, (u8)vm_valtype_kind(t));
        if (vm_valtype_is_ref(t)) gen_put_heaptype(b, t);
    }
}

void gen_put_types(struct bytes *b, const struct gen_types *t)
{
    bytes_u64(b, t->n);
    for (u32 i = 0; i < t->n; i++) gen_put_valtype(b, t->t[i]);
}

u32 gen_func_of(struct gen *g, u32 type)
{
    u32 n = g->m->func_count, first = n ? gen_below(g, n) : 0;
    for (u32 i = 0; i < n; i++) {
        u32 f = (first + i) % n;
        if (g->m->funcs[f].type == type) return f;
    }
    return GEN_NONE;
}

/* ---- constants */

u32 gen_i32(struct gen *g)
{
    static const u32 special[] = {
        0,  1,  0xffffffff, 0x80000000, 0x7fffffff, 2,      8,      31,      32,         33,
        63, 64, 0xff,       0x80,       0xffffff80, 0xffff, 0x8000, 0x10000, 0xaaaaaaaa, 0x7fff};
    u32 k = gen_below(g, 10);
    if (k < 5) return special[gen_below(g, VM_COUNT(special))];
    if (k < 9) return gen_below(g, 200) - 20u;
    return (u32)choice_u64(g->c);
}

u64 gen_i64(struct gen *g)
{
    static const u64 special[] = {0x8000000000000000, INT64_MAX,  0x80000000,         0x7fffffff,
                                  0xffffffff,         1ull << 32, 0xffffffff80000000, 1ull << 52,
                                  1ull << 53,         1ull << 63, 0xaaaaaaaa55555555, 63};
    u32 k = gen_below(g, 10);
    if (k < 5) return (u64)(i64)(i32)gen_i32(g);
    if (k < 9) return special[gen_below(g, VM_COUNT(special))];
    return choice_u64(g->c);
}

u32 gen_f32(struct gen *g)
{
    static const u32 special[] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x40200000,
        0x7f7fffff, 0xff7fffff, 0x00800000, 0x00000001, 0x80000001, 0x007fffff, 0x7f800000,
        0xff800000, 0x4f000000, 0xcf000000, 0x4f800000, 0x5f000000, 0xdf000000, 0x5f800000,
        0x4effffff, 0x4b000000, 0x4b7fffff, 0x3effffff, 0x7fc00000, 0xffc00000, 0x7fa00001,
        0x7f800001, 0xffbfffff, 0xcf000001, 0xbf7fffff};
    u32 k = gen_below(g, 12);
    if (k < 7) return special[gen_below(g, k < 2 ? 2 : VM_COUNT(special))];
    if (k < 11) {
        f32 f = (f32)(i32)(gen_below(g, 400) - 200) / 8;
        u32 bits;
        memcpy(&bits, &f, sizeof bits);
        return bits;
    }
    return (u32)choice_u64(g->c);
}

u64 gen_f64(struct gen *g)
{
    static const u64 special[] = {0,
                                  0x8000000000000000,
                                  0x3ff0000000000000,
                                  0xbff0000000000000,
                                  0x3fe0000000000000,
                                  0xbfe0000000000000,
                                  0x4004000000000000,
                                  0x7fefffffffffffff,
                                  0xffefffffffffffff,
                                  0x0010000000000000,
                                  0x0000000000000001,
                                  0x8000000000000001,
                                  0x7ff0000000000000,
                                  0xfff0000000000000,
                                  0x41e0000000000000,
                                  0xc1e0000000000000,
                                  0x41dfffffffc00000,
                                  0xc1e0000000200000,
                                  0x41efffffffe00000,
                                  0x41f0000000000000,
                                  0x43e0000000000000,
                                  0xc3e0000000000000,
                                  0x43f0000000000000,
                                  0x4330000000000000,
                                  0x3fdfffffffffffff,
                                  0x47efffffe0000000,
                                  0x47effffff0000000,
                                  0x36a0000000000000,
                                  0x3810000000000000,
                                  0x7ff8000000000000,
                                  0xfff8000000000000,
                                  0x7ff4000000000001,
                                  0x7ff0000000000001,
                                  0xfff7ffffffffffff,
                                  0xbfefffffffffffff,
                                  0x43dfffffffffffff};
    u32 k = gen_below(g, 12);
    if (k < 7) return special[gen_below(g, k < 2 ? 2 : VM_COUNT(special))];
    if (k < 11) {
        f64 f = (f64)(i32)(gen_below(g, 400) - 200) / 8;
        u64 bits;
        memcpy(&bits, &f, sizeof bits);
        return bits;
    }
    return choice_u64(g->c);
}

/* ---- constant expressions. spec valid-constant */

static void put_const_op(struct bytes *b, vm_valtype t, u64 bits)
{
    switch (t) {
    case VM_I32:
        bytes_u8(b, 0x41);
        bytes_s64(b, (i32)(u32)bits);
        break;
    case VM_I64:
        bytes_u8(b, 0x42);
        bytes_s64(b, (i64)bits);
        break;
    case VM_F32:
        bytes_u8(b, 0x43);
        bytes_le(b, bits, 4);
        break;
    default:
        bytes_u8(b, 0x44);
        bytes_le(b, bits, 8);
        break;
    }
}

static void const_ref(struct gen *g, struct bytes *b, vm_valtype t)
{
    u32 heap = vm_valtype_heap(t), func = GEN_NONE;
    bool may_null = vm_valtype_is_nullable(t);
    bool is_func =
        heap != (VM_HEAP_ABSTRACT | VM_HEAP_EXTERN) && heap != (VM_HEAP_ABSTRACT | VM_HEAP_EXN);
    if (is_func && (!may_null || gen_percent(g, 75)) && g->m->func_count)
        func = vm_heap_is_abstract(heap) ? gen_below(g, g->m->func_count) : gen_func_of(g, heap);
    if (func != GEN_NONE) {
        bytes_u8(b, 0xd2);
        bytes_u64(b, func);
    } else {
        bytes_u8(b, 0xd0);
        gen_put_heaptype(b, t);
    }
}

/** A global that a constant expression may read: immutable, below `globals`. */
static u32 const_global(struct gen *g, vm_valtype t, u32 globals)
{
    if (!gen_has(g, GEN_EXTENDED_CONST) && globals > g->m->global_imports)
        globals = g->m->global_imports;
    u32 first = globals ? gen_below(g, globals) : 0;
    for (u32 i = 0; i < globals; i++) {
        const struct gen_global *x = &g->m->globals[(first + i) % globals];
        if (!x->is_mutable && gen_type_matches(x->type, t)) return (first + i) % globals;
    }
    return GEN_NONE;
}

void gen_constexpr(struct gen *g, struct bytes *b, vm_valtype t, u32 globals)
{
    u32 global = gen_percent(g, 30) ? const_global(g, t, globals) : GEN_NONE;
    if (global != GEN_NONE) {
        bytes_u8(b, 0x23);
        bytes_u64(b, global);
    } else if (vm_valtype_is_ref(t)) {
        const_ref(g, b, t);
    } else if ((t == VM_I32 || t == VM_I64) && gen_has(g, GEN_EXTENDED_CONST) &&
               gen_percent(g, 25)) {
        gen_constexpr(g, b, t, globals);
        gen_constexpr(g, b, t, globals);
        bytes_u8(b, (u8)((t == VM_I32 ? 0x6a : 0x7c) + gen_below(g, 3))); /* add sub mul */
    } else if (t == VM_V128) {
        u8 bytes[16];
        gen_v128(g, bytes);
        bytes_put(b, "\xfd\x0c", 2);
        bytes_put(b, bytes, sizeof bytes);
    } else {
        u64 bits = t == VM_I32 ? gen_i32(g) : t == VM_I64 ? gen_i64(g) : 0;
        if (t == VM_F32) bits = gen_f32(g);
        if (t == VM_F64) bits = gen_f64(g);
        put_const_op(b, t, bits);
    }
}
