/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's run loop: a value stack, labels, frames. Numbers are ref_num's, objects ref_store's.
 */
#include "ref_interp.h"

#include "isa/opcode.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 20000, VALUES_MAX = 1 << 20 };

struct label {
    const u8 *to; /* where a branch goes on */
    u32 height, arity;
};

struct frame {
    struct ref_instance *inst;
    const struct ref_body *body;
    u32 func;
    const u8 *p;
    const u8 *insn; /* being executed */
    u32 locals, labels; /* bases */
    u32 results;
};

struct machine {
    struct ref_store *store;
    struct ref_val *vals;
    struct label *labels;
    struct frame *frames;
    u32 val_count, val_cap, label_count, label_cap, frame_count, frame_cap;
    vm_trap trap;
    bool skip, done;
    struct frame *f; /* the innermost */
    const u8 *insn; /* being executed */
};

/* ---- stacks */

static void *room(void *p, u32 count, u32 *cap, usize size)
{
    if (count < *cap) return p;
    *cap = count + *cap + 64;
    p = realloc(p, *cap * size);
    if (!p) abort();
    return p;
}

static void push(struct machine *m, struct ref_val v)
{
    m->vals = room(m->vals, m->val_count, &m->val_cap, sizeof *m->vals);
    m->vals[m->val_count++] = v;
}

static void push_bits(struct machine *m, u64 bits) { push(m, (struct ref_val){bits, false}); }
static struct ref_val pop(struct machine *m) { return m->vals[--m->val_count]; }

/** An address or size popped. */
static u64 pop_size(struct machine *m, bool is_64)
{
    u64 v = pop(m).bits;
    return is_64 ? v : (u32)v;
}

static void push_label(struct machine *m, const u8 *to, u32 height, u32 arity)
{
    m->labels = room(m->labels, m->label_count, &m->label_cap, sizeof *m->labels);
    m->labels[m->label_count++] = (struct label){to, height, arity};
}

static struct ref_val *local(struct machine *m, u64 i) { return &m->vals[m->f->locals + i]; }

/** Moves the top `n` values down to `height`. */
static void unwind(struct machine *m, u32 height, u32 n)
{
    if (n) memmove(m->vals + height, m->vals + m->val_count - n, n * sizeof *m->vals);
    m->val_count = height + n;
}

/* ---- functions */

static void leave(struct machine *m)
{
    unwind(m, m->f->locals, m->f->results);
    m->label_count = m->f->labels;
    m->frame_count--;
    m->f = m->frame_count ? &m->frames[m->frame_count - 1] : NULL;
    m->done = m->frame_count == 0;
}

static void host_call(struct machine *m, const struct ref_func *f);

/** Calls with the arguments on the stack. */
static void enter(struct machine *m, const struct ref_func *f)
{
    if (!f->inst) {
        host_call(m, f);
        return;
    }
    const struct ref_body *b = ref_body_of(f->inst, f->index);
    if (!b || m->frame_count >= FRAMES_MAX || m->val_count > VALUES_MAX) {
        m->skip = true;
        return;
    }
    m->frames = room(m->frames, m->frame_count, &m->frame_cap, sizeof *m->frames);
    m->f = &m->frames[m->frame_count++];
    *m->f = (struct frame){.inst = f->inst,
                           .body = b,
                           .func = f->index,
                           .p = b->code,
                           .locals = m->val_count - f->sig->param_count,
                           .labels = m->label_count,
                           .results = f->sig->result_count};
    for (u32 i = f->sig->param_count; i < b->local_count; i++) push_bits(m, 0);
    push_label(m, NULL, 0, f->sig->result_count);
}

/** spec syntax-instr-control: the frame goes before the callee comes. */
static void enter_tail(struct machine *m, const struct ref_func *f)
{
    unwind(m, m->f->locals, f->sig->param_count);
    m->label_count = m->f->labels;
    m->frame_count--;
    m->f = m->frame_count ? &m->frames[m->frame_count - 1] : NULL;
    enter(m, f);
    m->done = m->frame_count == 0; /* a host function was the last */
}

/** Host function CALL: any (i32) -> i32 function, not too deep. */
static bool call_back(struct machine *m, u64 slots[HOST_SLOTS])
{
    const struct ref_func *f = (const struct ref_func *)(uintptr_t)slots[0];
    struct ref_store *s = m->store;
    u64 args[HOST_SLOTS] = {slots[0], slots[1]};
    (void)host_apply(&s->host, HOST_CALL, slots);
    if (!f || f->sig->param_count != 1 || f->sig->result_count != 1) return true;
    if (f->sig->types[0] != VM_I32 || f->sig->types[1] != VM_I32) return true;
    if (s->host.depth >= HOST_CALL_DEPTH) return true;
    struct ref_val v = {(u32)args[1], false};
    u64 fuel = s->fuel;
    s->host.depth++;
    struct ref_end end = ref_call(s, f, &v);
    s->host.depth--;
    s->fuel = fuel;
    slots[0] = (u32)v.bits;
    m->skip |= end.kind == REF_SKIP;
    return end.kind == REF_OK;
}

static void host_call(struct machine *m, const struct ref_func *f)
{
    u64 slots[HOST_SLOTS] = {0};
    u32 n = f->sig->param_count;
    m->val_count -= n;
    for (u32 i = 0; i < n; i++) slots[i] = m->vals[m->val_count + i].bits;
    bool ok = f->index == HOST_CALL ? call_back(m, slots)
                                    : host_apply(&m->store->host, (enum host_func)f->index, slots);
    if (!ok) {
        m->trap = VM_TRAP_HOST;
        return;
    }
    for (u32 i = 0; i < f->sig->result_count; i++) {
        vm_valtype t = f->sig->types[n + i];
        struct ref_val v = {slots[i], false};
        v.open = (t == VM_F32 && (slots[i] & 0x7fffffff) > 0x7f800000) ||
                 (t == VM_F64 && (slots[i] & INT64_MAX) > 0x7ff0000000000000);
        push(m, v);
    }
}

/* ---- control */

/** spec binary-blocktype: how many parameters and results. */
static void block_type(struct machine *m, u32 *params, u32 *results)
{
    const u8 *p = m->f->p;
    i64 type = ref_sleb(&p);
    *params = 0;
    *results = type == -64 ? 0 : 1;
    if (type >= 0) {
        const struct vm_functype *t = &m->f->inst->module->types.types[type].of.func;
        *params = t->param_count;
        *results = t->result_count;
    }
    m->f->p = ref_skip(VM_OP_BLOCK, m->f->p);
}

static void block(struct machine *m, u32 op, const u8 *insn)
{
    const struct ref_body *b = m->f->body;
    u32 params, results, at = (u32)(insn - b->start);
    block_type(m, &params, &results);
    bool taken = op != VM_OP_IF || (u32)pop(m).bits != 0;
    const u8 *end = b->start + b->end_of[at];
    if (!taken && !b->else_of[at]) {
        m->f->p = end;
        return;
    }
    if (!taken) m->f->p = b->start + b->else_of[at];
    push_label(m, op == VM_OP_LOOP ? insn : end, m->val_count - params,
               op == VM_OP_LOOP ? params : results);
}

static void branch(struct machine *m, u64 depth)
{
    u32 i = m->label_count - 1 - (u32)depth;
    struct label l = m->labels[i];
    if (i == m->f->labels) {
        leave(m);
        return;
    }
    unwind(m, l.height, l.arity);
    m->label_count = i;
    m->f->p = l.to; /* a loop's own instruction pushes its label again */
}

static void branch_table(struct machine *m)
{
    u64 n = ref_leb(&m->f->p), index = (u32)pop(m).bits, depth = 0;
    for (u64 i = 0; i <= n; i++) {
        u64 d = ref_leb(&m->f->p);
        if (i == index || i == n) {
            depth = d;
            break;
        }
    }
    branch(m, depth);
}

static void end_block(struct machine *m)
{
    if (m->label_count - 1 == m->f->labels)
        leave(m);
    else
        m->label_count--;
}

/** From the end of a then part behind the end of the if. */
static void skip_else(struct machine *m)
{
    m->f->p = m->labels[m->label_count - 1].to;
    m->label_count--;
}

static void call_indirect(struct machine *m, bool tail)
{
    u32 type = (u32)ref_leb(&m->f->p), table = (u32)ref_leb(&m->f->p);
    const struct ref_table *t = m->f->inst->tables[table];
    u64 i = pop_size(m, t->is_64);
    const struct ref_func *f = i < t->size ? (const void *)(uintptr_t)t->elems[i] : NULL;
    if (i >= t->size)
        m->trap = VM_TRAP_UNDEFINED_ELEM;
    else if (!f)
        m->trap = VM_TRAP_UNINIT_ELEM;
    else if (!ref_same_type(f, m->f->inst->module, type))
        m->trap = VM_TRAP_INDIRECT_TYPE;
    else if (tail)
        enter_tail(m, f);
    else
        enter(m, f);
}

static void call_ref(struct machine *m, bool tail)
{
    (void)ref_leb(&m->f->p);
    const struct ref_func *f = (const void *)(uintptr_t)pop(m).bits;
    if (!f)
        m->trap = VM_TRAP_NULL_FUNC_REF;
    else if (tail)
        enter_tail(m, f);
    else
        enter(m, f);
}

static void br_on_null(struct machine *m, bool on_null)
{
    u64 depth = ref_leb(&m->f->p);
    struct ref_val v = pop(m);
    if ((v.bits == 0) == on_null) {
        if (!on_null) push(m, v);
        branch(m, depth);
    } else if (on_null) {
        push(m, v);
    }
}

static bool control(struct machine *m, u32 op, const u8 *insn)
{
    u64 n;
    switch (op) {
    case VM_OP_UNREACHABLE: m->trap = VM_TRAP_UNREACHABLE; break;
    case VM_OP_NOP: break;
    case VM_OP_BLOCK:
    case VM_OP_LOOP:
    case VM_OP_IF: block(m, op, insn); break;
    case VM_OP_ELSE: skip_else(m); break;
    case VM_OP_END: end_block(m); break;
    case VM_OP_BR: branch(m, ref_leb(&m->f->p)); break;
    case VM_OP_BR_IF:
        n = ref_leb(&m->f->p);
        if ((u32)pop(m).bits) branch(m, n);
        break;
    case VM_OP_BR_TABLE: branch_table(m); break;
    case VM_OP_RETURN: leave(m); break;
    case VM_OP_CALL: enter(m, m->f->inst->funcs[ref_leb(&m->f->p)]); break;
    case VM_OP_RETURN_CALL: enter_tail(m, m->f->inst->funcs[ref_leb(&m->f->p)]); break;
    case VM_OP_CALL_INDIRECT: call_indirect(m, false); break;
    case VM_OP_RETURN_CALL_INDIRECT: call_indirect(m, true); break;
    case VM_OP_CALL_REF: call_ref(m, false); break;
    case VM_OP_RETURN_CALL_REF: call_ref(m, true); break;
    case VM_OP_BR_ON_NULL: br_on_null(m, true); break;
    case VM_OP_BR_ON_NON_NULL: br_on_null(m, false); break;
    default: return false;
    }
    return true;
}

/* ---- variables and references */

static void select_one(struct machine *m)
{
    bool first = (u32)pop(m).bits != 0;
    struct ref_val b = pop(m), a = pop(m);
    push(m, first ? a : b);
}

static bool variable(struct machine *m, u32 op)
{
    const u8 **p = &m->f->p;
    struct ref_instance *in = m->f->inst;
    struct ref_val v = {0};
    switch (op) {
    case VM_OP_DROP: (void)pop(m); return true;
    case VM_OP_SELECT_T:
        *p = ref_skip(op, *p);
        select_one(m);
        return true;
    case VM_OP_SELECT: select_one(m); return true;
    case VM_OP_LOCAL_GET: v = *local(m, ref_leb(p)); break;
    case VM_OP_LOCAL_SET: *local(m, ref_leb(p)) = pop(m); return true;
    case VM_OP_LOCAL_TEE: *local(m, ref_leb(p)) = m->vals[m->val_count - 1]; return true;
    case VM_OP_GLOBAL_GET: v = in->globals[ref_leb(p)]->value; break;
    case VM_OP_GLOBAL_SET: in->globals[ref_leb(p)]->value = pop(m); return true;
    case VM_OP_I32_CONST: v.bits = (u32)ref_sleb(p); break;
    case VM_OP_I64_CONST: v.bits = (u64)ref_sleb(p); break;
    case VM_OP_F32_CONST:
        memcpy(&v.bits, *p, 4);
        *p += 4;
        break;
    case VM_OP_F64_CONST:
        memcpy(&v.bits, *p, 8);
        *p += 8;
        break;
    case VM_OP_REF_NULL: *p = ref_skip(op, *p); break;
    case VM_OP_REF_IS_NULL: v.bits = pop(m).bits == 0; break;
    case VM_OP_REF_FUNC: v.bits = (u64)(uintptr_t)in->funcs[ref_leb(p)]; break;
    case VM_OP_REF_AS_NON_NULL:
        v = pop(m);
        if (!v.bits) m->trap = VM_TRAP_NULL_REF;
        break;
    default: return false;
    }
    push(m, v);
    return true;
}

/* ---- memory and tables */

/** The bytes that an access means, or NULL and a trap. */
static u8 *access(struct machine *m, u32 size)
{
    const u8 **p = &m->f->p;
    u64 flags = ref_leb(p), memory = flags & 0x40 ? ref_leb(p) : 0, offset = ref_leb(p);
    const struct ref_memory *mem = m->f->inst->memories[memory];
    u64 at = pop_size(m, mem->is_64), limit = mem->pages << 16;
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

static bool load_store(struct machine *m, u32 op)
{
    u32 to, n = load_size(op, &to);
    u64 v = 0;
    if (n) {
        const u8 *from = access(m, n);
        for (u32 i = 0; i < n && from; i++) v |= (u64)from[i] << 8 * i;
        if (to && v >> (8 * n - 1) & 1) v |= UINT64_MAX << 8 * n;
        push_bits(m, to == 32 ? (u32)v : v);
        return true;
    }
    n = store_size(op);
    if (!n) return false;
    struct ref_val value = pop(m);
    u8 *at = access(m, n);
    if (at) m->store->leaked |= value.open;
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
    u64 n = pop_size(m, d->is_64 && s->is_64), from = pop_size(m, s->is_64);
    u64 to = pop_size(m, d->is_64);
    if (ref_fits(from, n, s->pages << 16) && ref_fits(to, n, d->pages << 16))
        copy(d->data + to, s->data + from, n);
    else
        m->trap = VM_TRAP_MEMORY;
}

static void memory_fill(struct machine *m)
{
    struct ref_memory *d = m->f->inst->memories[ref_leb(&m->f->p)];
    u64 n = pop_size(m, d->is_64);
    u8 byte = (u8)pop(m).bits;
    u64 to = pop_size(m, d->is_64);
    if (!ref_fits(to, n, d->pages << 16)) m->trap = VM_TRAP_MEMORY;
    for (u64 i = 0; i < n && !m->trap; i++) d->data[to + i] = byte;
}

/** memory.init and table.init: three operands, all of them i32 but the destination. */
static void init(struct machine *m, bool is_table)
{
    struct ref_instance *in = m->f->inst;
    u32 segment = (u32)ref_leb(&m->f->p), to = (u32)ref_leb(&m->f->p);
    u64 v[3];
    v[2] = (u32)pop(m).bits;
    v[1] = (u32)pop(m).bits;
    v[0] = pop_size(m, is_table ? in->tables[to]->is_64 : in->memories[to]->is_64);
    m->trap = is_table ? ref_table_init(in, segment, to, v) : ref_memory_init(in, segment, to, v);
}

static void memory_grow(struct machine *m)
{
    struct ref_memory *mem = m->f->inst->memories[ref_leb(&m->f->p)];
    u64 old = ref_memory_grow(m->store, mem, pop_size(m, mem->is_64), &m->skip);
    push_bits(m, mem->is_64 ? old : (u32)old);
}

static void table_grow(struct machine *m)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 n = pop_size(m, t->is_64), value = pop(m).bits;
    u64 old = ref_table_grow(m->store, t, n, value);
    push_bits(m, t->is_64 ? old : (u32)old);
}

static void table_copy(struct machine *m)
{
    struct ref_instance *in = m->f->inst;
    struct ref_table *d = in->tables[ref_leb(&m->f->p)], *s = in->tables[ref_leb(&m->f->p)];
    u64 n = pop_size(m, d->is_64 && s->is_64), from = pop_size(m, s->is_64);
    u64 to = pop_size(m, d->is_64);
    if (ref_fits(from, n, s->size) && ref_fits(to, n, d->size))
        copy(d->elems + to, s->elems + from, n * sizeof *d->elems);
    else
        m->trap = VM_TRAP_TABLE;
}

static void table_fill(struct machine *m)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 n = pop_size(m, t->is_64), value = pop(m).bits, to = pop_size(m, t->is_64);
    if (!ref_fits(to, n, t->size)) m->trap = VM_TRAP_TABLE;
    for (u64 i = 0; i < n && !m->trap; i++) t->elems[to + i] = value;
}

static void table_access(struct machine *m, bool set)
{
    struct ref_table *t = m->f->inst->tables[ref_leb(&m->f->p)];
    u64 value = set ? pop(m).bits : 0, i = pop_size(m, t->is_64);
    if (i >= t->size)
        m->trap = VM_TRAP_TABLE;
    else if (set)
        t->elems[i] = value;
    else
        push_bits(m, t->elems[i]);
}

static bool bulk(struct machine *m, u32 op)
{
    struct ref_instance *in = m->f->inst;
    const u8 **p = &m->f->p;
    switch (op) {
    case VM_OP_MEMORY_SIZE: push_bits(m, in->memories[ref_leb(p)]->pages); break;
    case VM_OP_MEMORY_GROW: memory_grow(m); break;
    case VM_OP_MEMORY_COPY: memory_copy(m); break;
    case VM_OP_MEMORY_FILL: memory_fill(m); break;
    case VM_OP_MEMORY_INIT: init(m, false); break;
    case VM_OP_DATA_DROP: in->datas[ref_leb(p)].size = 0; break;
    case VM_OP_TABLE_SIZE: push_bits(m, in->tables[ref_leb(p)]->size); break;
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

/* ---- the loop */

static bool numeric(struct machine *m, u32 op)
{
    struct ref_num n = {0};
    if (vm_op_sig((vm_op)op)[0] == '*') return false;
    bool two = ref_num_arity(op) == 2;
    if (m->val_count < (two ? 2u : 1u)) return false;
    n.b = m->vals[m->val_count - 1];
    n.a = m->vals[m->val_count - (two ? 2 : 1)];
    if (!ref_num(op, &n)) return false;
    m->val_count -= two ? 2 : 1;
    push(m, n.out);
    m->trap = n.trap;
    m->store->leaked |= n.leaked;
    return true;
}

/** What wr_store_set_fuel says costs nothing. */
static bool is_free(u32 op)
{
    return op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_ELSE || op == VM_OP_END ||
           op == VM_OP_NOP || op == VM_OP_DROP;
}

static void run(struct machine *m)
{
    while (!m->done && !m->trap && !m->skip) {
        const u8 *insn = m->f->insn = m->f->p;
        u32 op = ref_op(&m->f->p);
        if (m->store->steps == 0) {
            m->skip = true;
            break;
        }
        m->store->steps--;
        m->store->fuel += !is_free(op);
        if (!control(m, op, insn) && !variable(m, op) && !load_store(m, op) && !bulk(m, op) &&
            !numeric(m, op))
            m->skip = true;
    }
}

struct ref_end ref_call(struct ref_store *s, const struct ref_func *f, struct ref_val *vals)
{
    struct machine m = {.store = s};
    for (u32 i = 0; i < f->sig->param_count; i++) push(&m, vals[i]);
    enter(&m, f);
    m.done = m.frame_count == 0;
    run(&m);
    for (u32 i = 0; i < f->sig->result_count && !m.trap && !m.skip; i++) vals[i] = m.vals[i];
    struct ref_end end = {.kind = m.skip ? REF_SKIP : m.trap ? REF_TRAP : REF_OK, .trap = m.trap};
    end.frame_count = m.frame_count;
    for (u32 i = 0; i < m.frame_count && i < REF_FRAMES; i++) {
        const struct frame *x = &m.frames[m.frame_count - 1 - i];
        const struct vm_module *module = x->inst->module;
        end.frame[i] = (struct ref_place){module, x->func, (u32)(x->insn - module->bytes)};
    }
    free(m.vals);
    free(m.labels);
    free(m.frames);
    return end;
}
