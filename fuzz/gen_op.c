/* SPDX-License-Identifier: Apache-2.0 */
/* Single instructions, from the table, and the model of the operand stack. */
#include "gen_state.h"

/* ---- the table */

struct row {
    u8 prefix;
    u32 code;
    const char *sig;
    u8 feature;
    const char *rule;
};
static const struct row rows[VM_OP_COUNT] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    {prefix, code, sig, VM_FEATURE_##feature, rule},
#include "isa/wasm_ops.def"
#undef OP
};
static const bool executable[VM_FEATURE_COUNT] = {
#define FEATURE(id, name, executable, since, by_default) executable,
#include "isa/features.def"
#undef FEATURE
};

u32 gen_executable(void)
{
    u32 f = 0;
    if (executable[VM_FEATURE_SIMD]) f |= GEN_SIMD;
    if (executable[VM_FEATURE_RELAXED_SIMD]) f |= GEN_RELAXED_SIMD;
    if (executable[VM_FEATURE_EXCEPTIONS]) f |= GEN_EXCEPTIONS;
    if (executable[VM_FEATURE_LEGACY_EXCEPTIONS]) f |= GEN_LEGACY_EXCEPTIONS;
    if (executable[VM_FEATURE_THREADS]) f |= GEN_THREADS;
    if (executable[VM_FEATURE_WIDE_ARITHMETIC]) f |= GEN_WIDE_ARITHMETIC;
    if (executable[VM_FEATURE_CUSTOM_PAGE_SIZES]) f |= GEN_CUSTOM_PAGES;
    return f | GEN_MIXED_EXCEPTIONS;
}

struct list {
    u16 ops[200];
    u32 n;
};
enum { SCALAR, VECTOR, RELAXED, ATOMIC, FAMILIES };
/* By family and by type of the result. */
static struct list nums[FAMILIES][5], loads[5], stores, vector_stores, cmps;
static struct list atomics;

vm_valtype gen_letter(char c)
{
    switch (c) {
    case 'i': return VM_I32;
    case 'I': return VM_I64;
    case 'f': return VM_F32;
    case 'F': return VM_F64;
    case 'V': return VM_V128;
    default: return VM_BOT;
    }
}

static u32 slot_of(vm_valtype t) { return VM_I32 - t; }
_Static_assert(VM_I32 - VM_V128 == 4, "number types and v128 are five neighbours");

static void add(struct list *l, u32 op)
{
    if (l->n == VM_COUNT(l->ops)) abort();
    l->ops[l->n++] = (u16)op;
}

static u32 family_of(u32 feature)
{
    switch (feature) {
    case VM_FEATURE_SIMD: return VECTOR;
    case VM_FEATURE_RELAXED_SIMD: return RELAXED;
    case VM_FEATURE_THREADS: return ATOMIC;
    case VM_FEATURE_WIDE_ARITHMETIC: return FAMILIES; /* gen_newer.c */
    default: return executable[feature] ? SCALAR : FAMILIES;
    }
}

static void sort_memory_row(u32 op, u32 family, char result)
{
    if (family == ATOMIC) {
        add(&atomics, op);
        if (result) add(&nums[ATOMIC][slot_of(gen_letter(result))], op);
    } else if (result) {
        add(&loads[slot_of(gen_letter(result))], op);
    } else {
        add(family == VECTOR ? &vector_stores : &stores, op);
    }
}

static void sort_rows(void)
{
    for (u32 op = 0; op < VM_OP_COUNT; op++) {
        const struct row *r = &rows[op];
        const char *results = strchr(r->sig, ':');
        u32 family = family_of(r->feature);
        if (!results || family == FAMILIES) continue;
        if (r->sig[0] == 'a') {
            sort_memory_row(op, family, results[1]);
        } else if (results[1] && results != r->sig) {
            add(&nums[family][slot_of(gen_letter(results[1]))], op);
            if (strcmp(r->rule, "relop") == 0) add(&cmps, op);
        }
    }
}

static vm_op pick(struct gen *g, const struct list *l)
{
    if (cmps.n == 0) sort_rows();
    return (vm_op)l->ops[gen_below(g, l->n)];
}

vm_op gen_pick_num(struct gen *g, vm_valtype result)
{
    u32 t = slot_of(result);
    if (result == VM_V128 && gen_has(g, GEN_RELAXED_SIMD) && gen_percent(g, 15))
        return pick(g, &nums[RELAXED][t]);
    if (result == VM_V128 || (gen_has(g, GEN_SIMD) && gen_percent(g, 25)))
        return pick(g, &nums[VECTOR][t]);
    return pick(g, &nums[SCALAR][t]);
}

vm_op gen_pick_load(struct gen *g, vm_valtype result) { return pick(g, &loads[slot_of(result)]); }

vm_op gen_pick_store(struct gen *g)
{
    return pick(g, gen_has(g, GEN_SIMD) && gen_percent(g, 45) ? &vector_stores : &stores);
}

vm_op gen_pick_cmp(struct gen *g) { return pick(g, &cmps); }

vm_op gen_pick_atomic(struct gen *g, vm_valtype result)
{
    return pick(g, result == VM_BOT ? &atomics : &nums[ATOMIC][slot_of(result)]);
}

void gen_op(struct gen *g, vm_op op)
{
    const struct row *r = &rows[op];
    if (r->prefix) {
        bytes_u8(&g->code, r->prefix);
        bytes_u64(&g->code, r->code);
    } else {
        bytes_u8(&g->code, (u8)r->code);
    }
    if (g->ops) g->ops--;
}

void gen_op_u(struct gen *g, vm_op op, u64 immediate)
{
    gen_op(g, op);
    bytes_u64(&g->code, immediate);
}

/* ---- the stack model */

void gen_push(struct gen *g, vm_valtype t)
{
    if (g->height == GEN_STACK) abort();
    g->missing[g->height] = false;
    g->stack[g->height++] = t;
}

void gen_pop(struct gen *g, u32 n)
{
    if (gen_avail(g) < n) abort();
    g->height -= n;
}

void gen_settle(struct gen *g, u32 n)
{
    for (u32 i = 0; i < n; i++) g->missing[g->height - 1 - i] = false;
}

void gen_set_dead(struct gen *g)
{
    struct gen_ctl *f = &g->ctl[g->ctl_count - 1];
    f->dead = true;
    g->height = f->height;
}

/** In dead code the bottom of the stack may be missing: any type is there. */
static bool may_miss(struct gen *g)
{
    if (!gen_dead(g)) return false;
    u32 base = g->ctl[g->ctl_count - 1].height;
    for (u32 i = base; i < g->height; i++)
        if (!g->missing[i]) return false;
    return true;
}

/** How many of `t` from the first on are already at the top. */
static u32 present(struct gen *g, const struct gen_types *t)
{
    u32 avail = gen_avail(g);
    for (u32 k = t->n < avail ? t->n : avail; k > 0; k--) {
        u32 i = 0;
        while (i < k && gen_type_matches(g->stack[g->height - k + i], t->t[i])) i++;
        if (i == k) return k;
    }
    return 0;
}

void gen_operands(struct gen *g, const struct gen_types *t, u32 depth)
{
    u32 k = gen_percent(g, 70) ? present(g, t) : 0;
    for (u32 i = k; i < t->n; i++) {
        if (may_miss(g) && gen_percent(g, 60)) {
            gen_push(g, t->t[i]);
            g->missing[g->height - 1] = true;
        } else {
            gen_value(g, t->t[i], depth);
        }
    }
    for (u32 i = 0; i < t->n; i++) g->stack[g->height - t->n + i] = t->t[i];
}

/* ---- locals and globals */

u32 gen_local_new(struct gen *g, vm_valtype t, bool reserved)
{
    if (g->local_count == GEN_LOCALS) return GEN_NONE;
    g->locals[g->local_count] = t;
    g->reserved[g->local_count] = reserved;
    return g->local_count++;
}

u32 gen_local_of(struct gen *g, vm_valtype t, bool to_write)
{
    u32 n = g->local_count, first = n ? gen_below(g, n) : 0;
    if (g->hot < n && gen_percent(g, 35)) first = g->hot;
    for (u32 i = 0; i < n; i++) {
        u32 l = (first + i) % n;
        if (to_write && g->reserved[l]) continue;
        if (to_write ? gen_type_matches(t, g->locals[l]) : gen_type_matches(g->locals[l], t))
            return g->hot = l;
    }
    return GEN_NONE;
}

u32 gen_global_of(struct gen *g, vm_valtype t, bool to_write)
{
    u32 n = g->m->global_count, first = n ? gen_below(g, n) : 0;
    for (u32 i = 0; i < n; i++) {
        const struct gen_global *x = &g->m->globals[(first + i) % n];
        if (x->is_fuel || (to_write && !x->is_mutable)) continue;
        if (to_write ? gen_type_matches(t, x->type) : gen_type_matches(x->type, t))
            return (first + i) % n;
    }
    return GEN_NONE;
}
