/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's instructions over memories and tables. */
#include "ref_machine.h"

#include <string.h>

/* ---- memory and tables */

/** The bytes that an access means, or NULL and a trap. */
u8 *ref_access(struct machine *m, u32 size)
{
    const u8 **p = &m->f->p;
    u64 flags = ref_leb(p), memory = flags & 0x40 ? ref_leb(p) : 0, offset = ref_leb(p);
    const struct ref_memory *mem = m->f->inst->memories[memory];
    u64 at = ref_pop_size(m, mem->is_64), limit = ref_memory_bytes(mem);
    if (offset <= limit && ref_fits(at, size, limit - offset)) return mem->data + offset + at;
    m->trap = VM_TRAP_MEMORY;
    return NULL;
}

/** Bytes accessed and whether they extend by sign to `to` bits; 0: no load. */
static u32 load_size(u32 op, u32 *to)
{
    *to = 0;
    switch (op) {
    case VM_OP_I32_LOAD8_S: *to = 32; return 1;
    case VM_OP_I64_LOAD8_S: *to = 64; return 1;
    case VM_OP_I32_LOAD16_S: *to = 32; return 2;
    case VM_OP_I64_LOAD16_S: *to = 64; return 2;
    case VM_OP_I64_LOAD32_S: *to = 64; return 4;
    case VM_OP_I32_LOAD8_U:
    case VM_OP_I64_LOAD8_U: return 1;
    case VM_OP_I32_LOAD16_U:
    case VM_OP_I64_LOAD16_U: return 2;
    case VM_OP_I64_LOAD32_U:
    case VM_OP_I32_LOAD:
    case VM_OP_F32_LOAD: return 4;
    case VM_OP_I64_LOAD:
    case VM_OP_F64_LOAD: return 8;
    default: return 0;
    }
}

static u32 store_size(u32 op)
{
    switch (op) {
    case VM_OP_I32_STORE8:
    case VM_OP_I64_STORE8: return 1;
    case VM_OP_I32_STORE16:
    case VM_OP_I64_STORE16: return 2;
    case VM_OP_I64_STORE32:
    case VM_OP_I32_STORE:
    case VM_OP_F32_STORE: return 4;
    case VM_OP_I64_STORE:
    case VM_OP_F64_STORE: return 8;
    default: return 0;
    }
}

bool ref_load_store(struct machine *m, u32 op)
{
    u32 to, n = load_size(op, &to);
    u64 v = 0;
    if (n) {
        const u8 *from = ref_access(m, n);
        for (u32 i = 0; i < n && from; i++) v |= (u64)from[i] << 8 * i;
        if (to && v >> (8 * n - 1) & 1) v |= UINT64_MAX << 8 * n;
        ref_push_bits(m, to == 32 ? (u32)v : v);
        return true;
    }
    n = store_size(op);
    if (!n) return false;
    struct ref_val value = ref_pop(m);
    u8 *at = ref_access(m, n);
    if (at) m->store->leaked |= value.open != 0;
    for (u32 i = 0; i < n && at; i++) at[i] = (u8)(value.bits >> 8 * i);
    return true;
}

/** Bytes or elements moved as if all were read first. */
static void copy(void *to, const void *from, u64 bytes)
{
    if (bytes) memmove(to, from, (usize)bytes);
}

static void memory_copy(struct machine *m)
{
    struct ref_instance *in = m->f->inst;
    struct ref_memory *d = in->memories[ref_leb(&m->f->p)], *s = in->memories[ref_leb(&m->f->p)];
    u64 n = ref_pop_size(m, d->is_64 && s->is_64), from = ref_pop_size(m, s->is_64);
    u64 to = ref_pop_size(m, d->is_64);
    if (ref_fits(from, n, ref_memory_bytes(s)) && ref_fits(to, n, ref_memory_bytes(d)))
        copy(d->data + to, s->data + from, n);
    else
        m->trap = VM_TRAP_MEMORY;
}

static void memory_fill(struct machine *m)
{
    struct ref_memory *d = m->f->inst->memories[ref_leb(&m->f->p)];
    u64 n = ref_pop_size(m, d->is_64);
    u8 byte = (u8)ref_pop(m).bits;
    u64 to = ref_pop_size(m, d->is_64);
    if (!ref_fits(to, n, ref_memory_bytes(d))) m->trap = VM_TRAP_MEMORY;
    for (u64 i = 0; i < n && !m->trap; i++) d->data[to + i] = byte;
}

/** memory.init and table.init: three operands, all of them i32 but the destination. */
static void init(struct machine *m, bool is_table)
{
    struct ref_instance *in = m->f->inst;
    u32 segment = (u32)ref_leb(&m->f->p), to = (u32)ref_leb(&m->f->p);
    u64 v[3];
    v[2] = (u32)ref_pop(m).bits;
    v[1] = (u32)ref_pop(m).bits;
    v[0] = ref_pop_size(m, is_table ? in->tables[to]->is_64 : in->memories[to]->is_64);
    m->trap = is_table ? ref_table_init(in, segment, to, v) : ref_memory_init(in, segment, to, v);
}

static void memory_grow(struct machine *m)
{
    struct ref_memory *mem = m->f->inst->memories[ref_leb(&m->f->p)];
    u64 old = ref_memory_grow(m->store, mem, ref_pop_size(m, mem->is_64), &m->skip);
    ref_push_bits(m, mem->is_64 ? old : (u32)old);
}

static void table_grow(struct machine *m)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 n = ref_pop_size(m, t->is_64), value = ref_pop(m).bits;
    u64 old = ref_table_grow(m->store, t, n, value);
    ref_push_bits(m, t->is_64 ? old : (u32)old);
}

static void table_copy(struct machine *m)
{
    struct ref_instance *in = m->f->inst;
    struct ref_table *d = in->tables[ref_leb(&m->f->p)], *s = in->tables[ref_leb(&m->f->p)];
    u64 n = ref_pop_size(m, d->is_64 && s->is_64), from = ref_pop_size(m, s->is_64);
    u64 to = ref_pop_size(m, d->is_64);
    if (ref_fits(from, n, s->size) && ref_fits(to, n, d->size))
        copy(d->elems + to, s->elems + from, n * sizeof *d->elems);
    else
        m->trap = VM_TRAP_TABLE;
}

static void table_fill(struct machine *m)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 n = ref_pop_size(m, t->is_64), value = ref_pop(m).bits, to = ref_pop_size(m, t->is_64);
    if (!ref_fits(to, n, t->size)) m->trap = VM_TRAP_TABLE;
    for (u64 i = 0; i < n && !m->trap; i++) t->elems[to + i] = value;
}

static void table_access(struct machine *m, bool set)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 value = set ? ref_pop(m).bits : 0, i = ref_pop_size(m, t->is_64);
    if (i >= t->size)
        m->trap = VM_TRAP_TABLE;
    else if (set)
        t->elems[i] = value;
    else
        ref_push_bits(m, t->elems[i]);
}

bool ref_bulk(struct machine *m, u32 op)
{
    struct ref_instance *in = m->f->inst;
    const u8 **p = &m->f->p;
    switch (op) {
    case VM_OP_MEMORY_SIZE: ref_push_bits(m, in->memories[ref_leb(p)]->pages); break;
    case VM_OP_MEMORY_GROW: memory_grow(m); break;
    case VM_OP_MEMORY_COPY: memory_copy(m); break;
    case VM_OP_MEMORY_FILL: memory_fill(m); break;
    case VM_OP_MEMORY_INIT: init(m, false); break;
    case VM_OP_DATA_DROP: in->datas[ref_leb(p)].size = 0; break;
    case VM_OP_TABLE_SIZE: ref_push_bits(m, in->tables[ref_leb(p)]->size); break;
    case VM_OP_TABLE_GET: table_access(m, false); break;
    case VM_OP_TABLE_SET: table_access(m, true); break;
    case VM_OP_TABLE_GROW: table_grow(m); break;
    case VM_OP_TABLE_COPY: table_copy(m); break;
    case VM_OP_TABLE_FILL: table_fill(m); break;
    case VM_OP_TABLE_INIT: init(m, true); break;
    case VM_OP_ELEM_DROP: in->elems[ref_leb(p)].size = 0; break;
    default: return false;
    }
    return true;
}
