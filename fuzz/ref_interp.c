/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's run loop: a value stack, labels, frames. Numbers are ref_num's, objects ref_store's.
 */
#include "ref_machine.h"

#include <stdlib.h>
#include <string.h>

u64 ref_executed[VM_OP_COUNT + 1];

enum { FRAMES_MAX = 20000, VALUES_MAX = 1 << 20 };

/* ---- stacks */

static void *room(void *p, u32 count, u32 *cap, usize size)
{
    if (count < *cap) return p;
    *cap = count + *cap + 64;
    p = realloc(p, *cap * size);
    if (!p) abort();
    return p;
}

void ref_push(struct machine *m, struct ref_val v)
{
    m->vals = room(m->vals, m->val_count, &m->val_cap, sizeof *m->vals);
    m->vals[m->val_count++] = v;
}

static void push_label(struct machine *m, const u8 *to, u32 height, u32 arity)
{
    m->labels = room(m->labels, m->label_count, &m->label_cap, sizeof *m->labels);
    m->labels[m->label_count++] = (struct label){.to = to, .height = height, .arity = arity};
}

static struct ref_val *local(struct machine *m, u64 i) { return &m->vals[m->f->locals + i]; }

/** Moves the top `n` values down to `height`. */
void ref_unwind(struct machine *m, u32 height, u32 n)
{
    if (n) memmove(m->vals + height, m->vals + m->val_count - n, n * sizeof *m->vals);
    m->val_count = height + n;
}

/* ---- functions */

static void leave(struct machine *m)
{
    ref_unwind(m, m->f->locals, m->f->results);
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
    for (u32 i = f->sig->param_count; i < b->local_count; i++) ref_push_bits(m, 0);
    push_label(m, NULL, 0, f->sig->result_count);
}

/** spec syntax-instr-control: the frame goes before the callee comes. */
static void enter_tail(struct machine *m, const struct ref_func *f)
{
    ref_unwind(m, m->f->locals, f->sig->param_count);
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
    struct ref_val v = {.bits = (u32)args[1]};
    u64 fuel = s->fuel;
    s->host.depth++;
    struct ref_end end = ref_call(s, f, &v);
    s->host.depth--;
    s->fuel = fuel;
    slots[0] = (u32)v.bits;
    m->skip |= end.kind == REF_SKIP;
    m->thrown = end.exn;
    return end.kind == REF_OK;
}

/** The arguments, popped; a vector is two. */
static void host_arguments(struct machine *m, const struct ref_func *f, u64 slots[HOST_SLOTS])
{
    u32 n = f->sig->param_count, at = 0;
    m->val_count -= n;
    for (u32 i = 0; i < n; i++) {
        const struct ref_val *v = &m->vals[m->val_count + i];
        slots[at++] = v->bits;
        if (f->sig->types[i] != VM_V128) continue;
        slots[at++] = v->high;
        m->store->leaked |= v->open != 0;
    }
}

static void host_results(struct machine *m, const struct ref_func *f, const u64 *slots)
{
    for (u32 i = 0; i < f->sig->result_count; i++) {
        vm_valtype t = f->sig->types[f->sig->param_count + i];
        struct ref_val v = {.bits = *slots++};
        if (t == VM_V128) v.high = *slots++;
        v.open = (t == VM_F32 && (v.bits & 0x7fffffff) > 0x7f800000) ||
                 (t == VM_F64 && (v.bits & INT64_MAX) > 0x7ff0000000000000);
        ref_push(m, v);
    }
}

static void host_call(struct machine *m, const struct ref_func *f)
{
    u64 slots[HOST_SLOTS] = {0};
    enum host_func index = (enum host_func)f->index;
    host_arguments(m, f, slots);
    bool ok = index == HOST_CALL ? call_back(m, slots) : host_apply(&m->store->host, index, slots);
    if (host_throws(index, slots)) {
        ref_push_bits(m, slots[0]);
        ref_push_bits(m, slots[1]);
        m->thrown = ref_exn_new(m, m->store->host_tag);
    }
    m->from_host |= m->thrown != NULL;
    if (!m->thrown && !ok) m->trap = VM_TRAP_HOST;
    if (!m->thrown && ok) host_results(m, f, slots);
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
    const u8 *clauses = op == VM_OP_TRY ? insn : m->f->p;
    if (op == VM_OP_TRY_TABLE) m->f->p = ref_skip(op, insn + 1);
    bool taken = op != VM_OP_IF || (u32)ref_pop(m).bits != 0;
    const u8 *end = b->start + b->end_of[at];
    if (!taken && !b->else_of[at]) {
        m->f->p = end;
        return;
    }
    if (!taken) m->f->p = b->start + b->else_of[at];
    push_label(m, op == VM_OP_LOOP ? insn : end, m->val_count - params,
               op == VM_OP_LOOP ? params : results);
    struct label *l = &m->labels[m->label_count - 1];
    l->clauses = clauses;
    if (op == VM_OP_TRY_TABLE) l->kind = LABEL_TRY_TABLE;
    if (op == VM_OP_TRY) l->kind = LABEL_TRY;
}

void ref_branch(struct machine *m, u64 depth)
{
    u32 i = m->label_count - 1 - (u32)depth;
    struct label l = m->labels[i];
    if (i == m->f->labels) {
        leave(m);
        return;
    }
    ref_unwind(m, l.height, l.arity);
    m->label_count = i;
    m->f->p = l.to; /* a loop's own instruction pushes its label again */
}

static void branch_table(struct machine *m)
{
    u64 n = ref_leb(&m->f->p), index = (u32)ref_pop(m).bits, depth = 0;
    for (u64 i = 0; i <= n; i++) {
        u64 d = ref_leb(&m->f->p);
        if (i == index || i == n) {
            depth = d;
            break;
        }
    }
    ref_branch(m, depth);
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
    u64 i = ref_pop_size(m, t->is_64);
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
    const struct ref_func *f = (const void *)(uintptr_t)ref_pop(m).bits;
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
    struct ref_val v = ref_pop(m);
    if ((v.bits == 0) == on_null) {
        if (!on_null) ref_push(m, v);
        ref_branch(m, depth);
    } else if (on_null) {
        ref_push(m, v);
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
    case VM_OP_TRY:
    case VM_OP_TRY_TABLE:
    case VM_OP_IF: block(m, op, insn); break;
    case VM_OP_ELSE: skip_else(m); break;
    case VM_OP_END: end_block(m); break;
    case VM_OP_BR: ref_branch(m, ref_leb(&m->f->p)); break;
    case VM_OP_BR_IF:
        n = ref_leb(&m->f->p);
        if ((u32)ref_pop(m).bits) ref_branch(m, n);
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
    bool first = (u32)ref_pop(m).bits != 0;
    struct ref_val b = ref_pop(m), a = ref_pop(m);
    ref_push(m, first ? a : b);
}

static bool variable(struct machine *m, u32 op)
{
    const u8 **p = &m->f->p;
    struct ref_instance *in = m->f->inst;
    struct ref_val v = {0};
    switch (op) {
    case VM_OP_DROP: (void)ref_pop(m); return true;
    case VM_OP_SELECT_T:
        *p = ref_skip(op, *p);
        select_one(m);
        return true;
    case VM_OP_SELECT: select_one(m); return true;
    case VM_OP_LOCAL_GET: v = *local(m, ref_leb(p)); break;
    case VM_OP_LOCAL_SET: *local(m, ref_leb(p)) = ref_pop(m); return true;
    case VM_OP_LOCAL_TEE: *local(m, ref_leb(p)) = m->vals[m->val_count - 1]; return true;
    case VM_OP_GLOBAL_GET: v = in->globals[ref_leb(p)]->value; break;
    case VM_OP_GLOBAL_SET: in->globals[ref_leb(p)]->value = ref_pop(m); return true;
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
    case VM_OP_REF_IS_NULL: v.bits = ref_pop(m).bits == 0; break;
    case VM_OP_REF_FUNC: v.bits = (u64)(uintptr_t)in->funcs[ref_leb(p)]; break;
    case VM_OP_REF_AS_NON_NULL:
        v = ref_pop(m);
        if (!v.bits) m->trap = VM_TRAP_NULL_REF;
        break;
    default: return false;
    }
    ref_push(m, v);
    return true;
}

/* ---- the loop */

static bool wide(struct machine *m, u32 op)
{
    u64 v[4] = {0};
    if (vm_op_feature((vm_op)op) != VM_FEATURE_WIDE_ARITHMETIC) return false;
    for (u32 i = op == VM_OP_I64_ADD128 || op == VM_OP_I64_SUB128 ? 4 : 2; i-- > 0;)
        v[i] = ref_pop(m).bits;
    bool known = ref_wide(op, v);
    ref_push_bits(m, v[0]);
    ref_push_bits(m, v[1]);
    return known;
}

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
    ref_push(m, n.out);
    m->trap = n.trap;
    m->store->leaked |= n.leaked;
    return true;
}

/** What wr_store_set_fuel says costs nothing. */
static bool is_free(u32 op)
{
    return op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_ELSE || op == VM_OP_END ||
           op == VM_OP_NOP || op == VM_OP_DROP || op == VM_OP_TRY_TABLE || op == VM_OP_TRY ||
           op == VM_OP_CATCH || op == VM_OP_CATCH_ALL || op == VM_OP_DELEGATE;
}

static bool execute(struct machine *m, u32 op)
{
    return ref_load_store(m, op) || ref_bulk(m, op) || ref_vector(m, op) || ref_atomic(m, op) ||
           ref_exceptions(m, op) || wide(m, op) || numeric(m, op);
}

static void run(struct machine *m)
{
    while (!m->done && !m->trap && !m->skip && !m->uncaught) {
        const u8 *insn = m->f->insn = m->f->p;
        u32 op = ref_op(&m->f->p);
        if (m->store->steps == 0) {
            m->skip = true;
            break;
        }
        m->store->steps--;
        ref_executed[op]++;
        m->store->fuel += !is_free(op);
        if (!control(m, op, insn) && !variable(m, op) && !execute(m, op)) m->skip = true;
        if (m->thrown && !m->skip) ref_throw(m);
    }
}

struct ref_end ref_call(struct ref_store *s, const struct ref_func *f, struct ref_val *vals)
{
    struct machine m = {.store = s};
    for (u32 i = 0; i < f->sig->param_count; i++) ref_push(&m, vals[i]);
    enter(&m, f);
    if (m.thrown) ref_throw(&m); /* a host function */
    m.done = m.frame_count == 0;
    run(&m);
    struct ref_end end = {.trap = m.trap, .frame_count = m.frame_count, .from_host = m.from_host};
    end.kind = m.skip ? REF_SKIP : m.trap ? REF_TRAP : m.uncaught ? REF_EXCEPTION : REF_OK;
    if (end.kind == REF_EXCEPTION) end.exn = m.thrown;
    for (u32 i = 0; i < f->sig->result_count && end.kind == REF_OK; i++) vals[i] = m.vals[i];
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
