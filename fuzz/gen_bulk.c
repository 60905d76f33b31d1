/* SPDX-License-Identifier: Apache-2.0 */
/* Statements over tables, segments and whole ranges of memory. */
#include "gen_state.h"

/**
 * A length, mostly short; now and then too long. `bound` is what there is: in large memories more
 * than the engine moves at a time (a MiB).
 */
static void length(struct gen *g, bool is_64, u64 bound, u32 depth)
{
    if (gen_percent(g, 3)) {
        gen_value(g, is_64 ? VM_I64 : VM_I32, depth);
        return;
    }
    u32 n = gen_percent(g, 10) ? gen_below(g, 5000) : gen_below(g, 12);
    if (bound > 1 << 20 && gen_percent(g, 50)) n = (1 << 20) - 10 + gen_below(g, 65536);
    gen_op(g, is_64 ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, (i64)n);
    gen_push(g, is_64 ? VM_I64 : VM_I32);
}

static const struct gen_limits *memory(struct gen *g, u32 *index)
{
    *index = gen_below(g, g->m->memory_count);
    return &g->m->memories[*index];
}

/** Limits of a table of any type, or one that takes `elem`; NULL when there is none. */
static const struct gen_limits *table(struct gen *g, vm_valtype elem, u32 *index)
{
    u32 n = g->m->table_count, first = n ? gen_below(g, n) : 0;
    for (u32 i = 0; i < n; i++) {
        *index = (first + i) % n;
        const struct gen_table *t = &g->m->tables[*index];
        if (elem == VM_BOT || gen_type_matches(elem, t->elem)) return &t->limits;
    }
    return NULL;
}

static vm_valtype elem_of(const struct gen *g, u32 index) { return g->m->tables[index].elem; }

/* ---- memories */

static void memory_fill(struct gen *g, u32 depth)
{
    u32 m;
    const struct gen_limits *l = memory(g, &m);
    gen_address(g, m, depth);
    gen_value(g, VM_I32, depth);
    length(g, l->is_64, gen_bytes(l), depth);
    gen_op_u(g, VM_OP_MEMORY_FILL, m);
    gen_pop(g, 3);
}

static void memory_copy(struct gen *g, u32 depth)
{
    u32 d, s;
    const struct gen_limits *dst = memory(g, &d), *src = memory(g, &s);
    gen_address(g, d, depth);
    gen_address(g, s, depth);
    length(g, dst->is_64 && src->is_64,
           gen_bytes(dst) < gen_bytes(src) ? gen_bytes(dst) : gen_bytes(src), depth);
    gen_op_u(g, VM_OP_MEMORY_COPY, d);
    bytes_u64(&g->code, s);
    gen_pop(g, 3);
}

static void memory_init(struct gen *g, u32 depth)
{
    u32 m, d = gen_below(g, g->m->data_count), n = g->m->datas[d].count;
    (void)memory(g, &m);
    gen_address(g, m, depth);
    gen_index(g, false, n / 2 + 1u, 0);
    length(g, false, 0, 0);
    gen_op_u(g, VM_OP_MEMORY_INIT, d);
    bytes_u64(&g->code, m);
    gen_pop(g, 3);
}

/** Grows by little where there is a maximum, else by nothing or by more than there can be. */
static void memory_grow(struct gen *g)
{
    u32 m;
    const struct gen_limits *l = memory(g, &m);
    vm_valtype t = l->is_64 ? VM_I64 : VM_I32;
    u64 pages = l->has_max           ? gen_below(g, 3)
                : gen_percent(g, 50) ? 0
                                     : UINT64_MAX - gen_below(g, 3);
    if (l->one_byte) pages = gen_below(g, gen_percent(g, 50) ? 20 : 9000);
    gen_op(g, l->is_64 ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, l->is_64 ? (i64)pages : (i32)(u32)pages);
    gen_op_u(g, VM_OP_MEMORY_GROW, m);
    gen_push(g, t);
}

/* ---- tables */

static void table_set(struct gen *g, u32 depth)
{
    u32 t = 0;
    const struct gen_limits *l = table(g, VM_BOT, &t);
    gen_index(g, l->is_64, l->min, depth);
    gen_value(g, elem_of(g, t), depth);
    gen_op_u(g, VM_OP_TABLE_SET, t);
    gen_pop(g, 2);
}

static void table_grow(struct gen *g, u32 depth)
{
    u32 t = 0;
    const struct gen_limits *l = table(g, VM_BOT, &t);
    gen_value(g, elem_of(g, t), depth);
    gen_op(g, l->is_64 ? VM_OP_I64_CONST : VM_OP_I32_CONST);
    bytes_s64(&g->code, l->has_max ? (i64)gen_below(g, 4) : gen_percent(g, 50) ? 0 : -1);
    gen_op_u(g, VM_OP_TABLE_GROW, t);
    gen_pop(g, 1);
    gen_push(g, l->is_64 ? VM_I64 : VM_I32);
}

static void table_fill(struct gen *g, u32 depth)
{
    u32 t = 0;
    const struct gen_limits *l = table(g, VM_BOT, &t);
    gen_index(g, l->is_64, l->min, depth);
    gen_value(g, elem_of(g, t), depth);
    length(g, l->is_64, 0, 0);
    gen_op_u(g, VM_OP_TABLE_FILL, t);
    gen_pop(g, 3);
}

static void table_copy(struct gen *g, u32 depth)
{
    u32 s = 0, d = 0;
    const struct gen_limits *src = table(g, VM_BOT, &s), *dst = table(g, elem_of(g, s), &d);
    gen_index(g, dst->is_64, dst->min, depth);
    gen_index(g, src->is_64, src->min, depth);
    length(g, dst->is_64 && src->is_64, 0, 0);
    gen_op_u(g, VM_OP_TABLE_COPY, d);
    bytes_u64(&g->code, s);
    gen_pop(g, 3);
}

static void table_init(struct gen *g, u32 depth)
{
    u32 e = gen_below(g, g->m->elem_count), t;
    const struct gen_limits *l = table(g, g->m->elems[e].type, &t);
    if (!l) return;
    gen_index(g, l->is_64, l->min, depth);
    gen_index(g, false, g->m->elems[e].count / 2 + 1u, 0);
    length(g, false, 0, 0);
    gen_op_u(g, VM_OP_TABLE_INIT, e);
    bytes_u64(&g->code, t);
    gen_pop(g, 3);
}

void gen_bulk(struct gen *g, u32 depth)
{
    const struct gen_module *m = g->m;
    u32 k = gen_below(g, 16);
    if (k < 7 && m->memory_count) {
        switch (k) {
        case 0: gen_op(g, VM_OP_NOP); break;
        case 1:
        case 2: memory_fill(g, depth); break;
        case 3:
        case 4: memory_copy(g, depth); break;
        case 5: memory_grow(g); break;
        default:
            if (m->data_count) memory_init(g, depth);
            break;
        }
    } else if (k < 14 && m->table_count) {
        switch (k) {
        case 7: table_grow(g, depth); break;
        case 8: table_fill(g, depth); break;
        case 9:
        case 10: table_copy(g, depth); break;
        case 11:
            if (m->elem_count) table_init(g, depth);
            break;
        default: table_set(g, depth); break;
        }
    } else if (k == 14 && m->elem_count && gen_percent(g, 30)) {
        gen_op_u(g, VM_OP_ELEM_DROP, gen_below(g, m->elem_count));
    } else if (k == 15 && m->data_count && gen_percent(g, 30)) {
        gen_op_u(g, VM_OP_DATA_DROP, gen_below(g, m->data_count));
    }
}
