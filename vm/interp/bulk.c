/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk memory and table instructions. Long ones look at the interrupt word after every chunk. */
#include "interp/slow.h"
#include "platform/copy.h"

#include <string.h>

/* A chunk of untouched memory costs a page fault for each page: below 1 ms on slow machines too. */
enum { CHUNK = VM_STRESS ? 1 << 12 : 1 << 17 };

static bool interrupted(const struct vm_exec *x)
{
    return atomic_load_explicit(&x->interrupt, memory_order_relaxed) != 0;
}

/** An address or count of an operand, by the address type. */
static u64 operand(const union vm_slot *s, bool is_64) { return is_64 ? s->u64 : s->u32; }

/** A size or -1 as the address type has it. */
static u64 result(u64 value, bool is_64) { return is_64 ? value : (u32)value; }

u32 vm_slow_memory_grow(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_memory *m = x->now.inst->memories[a];
    (void)b;
    s->u64 = result(vm_memory_grow(m, operand(s, m->type.is_64)), m->type.is_64);
    return VM_STOP_NONE;
}

u32 vm_slow_memory_fill(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_memory *m = x->now.inst->memories[a];
    bool is_64 = m->type.is_64;
    u64 d = operand(&s[0], is_64), n = operand(&s[2], is_64);
    (void)b;
    if (!vm_range_ok(d, n, vm_memory_size(m))) return VM_TRAP_MEMORY;
    while (n) {
        u64 k = n < CHUNK ? n : CHUNK;
        if (m->sharing)
            vm_fill_shared(m->base + d, (u8)s[1].u32, (usize)k);
        else
            memset(m->base + d, (int)(s[1].u32 & 0xff), (usize)k);
        d += k;
        n -= k;
        s[0].u64 = d;
        s[2].u64 = n;
        if (n && interrupted(x)) return VM_STOP_INTERRUPT;
    }
    return VM_STOP_NONE;
}

/** A piece of guest memory, or of a data segment. */
struct bytes {
    u8 *at;
    bool is_shared;
};

static struct bytes bytes_of(const struct vm_memory *m, u64 addr)
{
    return (struct bytes){m->base + addr, m->sharing != NULL};
}

/** One direction that never overwrites what is still to be read. */
static u32 copy_chunks(struct vm_exec *x, union vm_slot *s, struct bytes to, struct bytes from,
                       u64 n)
{
    u8 *dst = to.at;
    const u8 *src = from.at;
    bool is_shared = to.is_shared || from.is_shared;
    bool forward = dst <= src;
    while (n) {
        u64 k = n < CHUNK ? n : CHUNK;
        u64 at = forward ? 0 : n - k;
        vm_copy(dst + at, src + at, (usize)k, is_shared);
        n -= k;
        s[2].u64 = n;
        if (forward) {
            dst += k;
            src += k;
            s[0].u64 += k;
            s[1].u64 += k;
        }
        if (n && interrupted(x)) return VM_STOP_INTERRUPT;
    }
    return VM_STOP_NONE;
}

u32 vm_slow_memory_copy(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_memory *dst = x->now.inst->memories[a], *src = x->now.inst->memories[b];
    u64 d = operand(&s[0], dst->type.is_64), f = operand(&s[1], src->type.is_64);
    u64 n = operand(&s[2], dst->type.is_64 && src->type.is_64);
    if (!vm_range_ok(f, n, vm_memory_size(src)) || !vm_range_ok(d, n, vm_memory_size(dst)))
        return VM_TRAP_MEMORY;
    s[0].u64 = d;
    s[1].u64 = f;
    return n ? copy_chunks(x, s, bytes_of(dst, d), bytes_of(src, f), n) : VM_STOP_NONE;
}

u32 vm_slow_memory_init(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_instance *inst = x->now.inst;
    struct vm_memory *m = inst->memories[b];
    const struct vm_module *mod = &inst->program->module;
    u64 d = operand(&s[0], m->type.is_64), from = s[1].u32, n = s[2].u32;
    if (!vm_range_ok(from, n, inst->data_sizes[a]) || !vm_range_ok(d, n, vm_memory_size(m)))
        return VM_TRAP_MEMORY;
    s[0].u64 = d;
    s[1].u64 = from;
    if (n == 0) return VM_STOP_NONE;
    const u8 *segment = mod->bytes + mod->datas[a].bytes.start + from;
    return copy_chunks(x, s, bytes_of(m, d), (struct bytes){(u8 *)(uintptr_t)segment, false}, n);
}

u32 vm_slow_data_drop(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    (void)s;
    (void)b;
    x->now.inst->data_sizes[a] = 0;
    return VM_STOP_NONE;
}

u32 vm_slow_table_grow(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_table *t = x->now.inst->tables[a];
    bool is_64 = t->type.limits.is_64;
    (void)b;
    s->u64 = result(vm_table_grow(t, operand(&s[1], is_64), s[0].ptr), is_64);
    return VM_STOP_NONE;
}

u32 vm_slow_table_fill(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_table *t = x->now.inst->tables[a];
    bool is_64 = t->type.limits.is_64;
    (void)b;
    return vm_table_fill(t, operand(&s[0], is_64), s[1].ptr, operand(&s[2], is_64));
}

u32 vm_slow_table_copy(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    struct vm_table *dst = x->now.inst->tables[a], *src = x->now.inst->tables[b];
    bool d64 = dst->type.limits.is_64, s64 = src->type.limits.is_64;
    return vm_table_copy(dst, src, operand(&s[0], d64), operand(&s[1], s64),
                         operand(&s[2], d64 && s64));
}

u32 vm_slow_table_init(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    u64 d = operand(&s[0], x->now.inst->tables[b]->type.limits.is_64);
    return vm_table_init(x->now.inst, b, a, d, s[1].u32, s[2].u32);
}

u32 vm_slow_elem_drop(struct vm_exec *x, union vm_slot *s, u32 a, u32 b)
{
    (void)s;
    (void)b;
    x->now.inst->elems[a].size = 0;
    return VM_STOP_NONE;
}
