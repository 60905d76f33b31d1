/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of moves, branches, calls and the other hand-written rows. Layouts: translate/. */
#ifndef VM_INTERP_STEP_CONTROL_H
#define VM_INTERP_STEP_CONTROL_H

#include "interp/slow.h"
#include "interp/step.h"

/* ---- values */

VM_STEP_VALUE(ref_func, u64, (u64)(uintptr_t)r->x->now.inst->funcs[w.si.i])
VM_STEP_VALUE(memory_size, u64, vm_memory_pages(r->x->now.inst->memories[w.si.i]))
VM_STEP_VALUE(table_size, u64, r->x->now.inst->tables[w.si.i]->size)

/* ---- two results; a local.set may have sent both to one slot, the lower half wins */

VM_INLINE void vm_put_wide(struct vm_regs *r, u128 value, i16 lo, i16 hi)
{
    r->fp[hi].u64 = sem_wide_hi(value);
    r->fp[lo].u64 = sem_wide_lo(value);
}

/** [h] [lo16 hi16 lo16 hi16] [lo16 hi16 -] */
#define VM_STEP_ON_PAIRS(name)                                                                     \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1], d = r->pc[2];                                            \
        u128 a = sem_wide(r->fp[w.s.a].u64, r->fp[w.s.b].u64);                                     \
        u128 b = sem_wide(r->fp[w.s.c].u64, r->fp[w.s.d].u64);                                     \
        vm_put_wide(r, sem_##name(a, b), d.s.a, d.s.b);                                            \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
VM_STEP_ON_PAIRS(i64_add128)
VM_STEP_ON_PAIRS(i64_sub128)

/** [h] [a16 b16 lo16 hi16] */
#define VM_STEP_TO_PAIR(name)                                                                      \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u128 value = sem_##name(r->fp[w.s.a].u64, r->fp[w.s.b].u64);                               \
        vm_put_wide(r, value, w.s.c, w.s.d);                                                       \
        r->pc += 2;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
VM_STEP_TO_PAIR(i64_mul_wide_s)
VM_STEP_TO_PAIR(i64_mul_wide_u)

/* ---- moves */

VM_STEP(mov_far)
{
    const union vm_word w = r->pc[1];
    r->fp[w.w.lo] = r->fp[w.w.hi];
    r->pc += 2;
    return VM_STOP_NONE;
}

VM_STEP(mov_n)
{
    const union vm_word w = r->pc[1];
    u64 n = r->pc[2].u;
    for (u64 i = 0; i < n; i++) r->fp[(i64)w.w.lo + (i64)i] = r->fp[(i64)w.w.hi + (i64)i];
    r->pc += 3;
    return VM_STOP_NONE;
}

VM_STEP(table_get)
{
    const union vm_word w = r->pc[1];
    const struct vm_table *t = r->x->now.inst->tables[w.si.i];
    u64 i = t->type.limits.is_64 ? B_(u64) : B_(u32);
    if (VM_UNLIKELY(i >= t->size)) return VM_TRAP_TABLE;
    r->fp[w.si.a].u64 = (u64)(uintptr_t)t->elems[i];
    r->pc += 2;
    return VM_STOP_NONE;
}

VM_STEP(table_set)
{
    const union vm_word w = r->pc[1];
    const struct vm_table *t = r->x->now.inst->tables[w.si.i];
    u64 i = t->type.limits.is_64 ? A_(u64) : A_(u32);
    if (VM_UNLIKELY(i >= t->size)) return VM_TRAP_TABLE;
    t->elems[i] = r->fp[w.si.b].ptr;
    r->pc += 2;
    return VM_STOP_NONE;
}

VM_STEP(ref_as_non_null)
{
    if (VM_UNLIKELY(r->fp[r->pc[1].s.a].u64 == 0)) return VM_TRAP_NULL_REF;
    r->pc += 2;
    return VM_STOP_NONE;
}

/* ---- branches */

/** [h] [ref16 - - -] [target64] */
#define VM_STEP_BRANCH(name, condition)                                                            \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        if (condition) return vm_take(r, r->pc[2].ptr);                                            \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
VM_STEP_BRANCH(br_on_null, A_(u64) == 0)
VM_STEP_BRANCH(br_on_non_null, A_(u64) != 0)

/** [h] [count64]. Runs again when the store has got more fuel. */
VM_STEP(fuel)
{
    u64 cost = r->pc[1].u, *left = &r->x->store->fuel;
    if (VM_UNLIKELY(*left < cost)) return VM_STOP_FUEL;
    *left -= cost;
    r->pc += 2;
    return VM_STOP_NONE;
}

VM_STEP(unreachable)
{
    (void)r;
    return VM_TRAP_UNREACHABLE;
}

/* ---- calls and returns */

/** Takes over the state that a slow function left. */
VM_INLINE u32 vm_reload(struct vm_regs *r, u32 stop)
{
    r->pc = r->x->now.pc;
    r->fp = r->x->now.fp;
    r->mem = vm_memory_base(r->x->now.inst);
    return stop;
}

VM_STEP(call_import)
{
    const union vm_word w = r->pc[1];
    struct vm_func *f = r->x->now.inst->funcs[(u32)w.w.hi];
    if (VM_UNLIKELY(!f->host))
        return vm_reload(r, vm_slow_call(r->x, r->pc + 2, r->fp, f, r->fp + w.w.lo));
    u32 stop = vm_slow_host(r->x, r->pc + 2, r->fp, f, r->fp + w.w.lo);
    if (VM_UNLIKELY(stop)) return vm_reload(r, stop);
    r->pc += 2;
    return VM_STOP_NONE;
}

/** The element called by call_indirect when it is of the very type wanted, else NULL. */
VM_INLINE struct vm_func *vm_callee(struct vm_regs *r)
{
    const union vm_word w = r->pc[1], t = r->pc[2];
    const struct vm_table *table = r->x->now.inst->tables[(u32)t.w.lo];
    u64 i = A_(u32);
    if (VM_UNLIKELY(i >= table->size || table->type.limits.is_64)) return NULL;
    struct vm_func *f = table->elems[i];
    return VM_LIKELY(f && f->type == (u32)t.w.hi) ? f : NULL;
}

VM_STEP(call_indirect)
{
    struct vm_func *f = vm_callee(r);
    if (VM_UNLIKELY(!f || f->inst != r->x->now.inst)) return VM_GOTO | VM_IR_call_indirect_slow;
    return vm_enter_frame(r, f->code, &f->code->entry, r->fp + r->pc[1].st.target + f->below,
                          r->pc + 3, 0);
}

VM_STEP(call_indirect_slow) { return vm_reload(r, vm_slow_call_indirect(r->x, r->pc, r->fp)); }

VM_STEP(call_ref)
{
    const union vm_word w = r->pc[1];
    struct vm_func *f = r->fp[w.st.a].ptr;
    if (VM_UNLIKELY(!f || f->inst != r->x->now.inst)) return VM_GOTO | VM_IR_call_ref_slow;
    return vm_enter_frame(r, f->code, &f->code->entry, r->fp + w.st.target + f->below, r->pc + 2,
                          0);
}

VM_STEP(call_ref_slow)
{
    const union vm_word w = r->pc[1];
    struct vm_func *f = r->fp[w.st.a].ptr;
    if (!f) return VM_TRAP_NULL_FUNC_REF;
    return vm_reload(r, vm_slow_call(r->x, r->pc + 2, r->fp, f, r->fp + w.st.target));
}

VM_STEP(return_call)
{
    const struct vm_code *code = r->pc[2].ptr;
    struct vm_instance *inst = r->x->now.inst;
    struct vm_func *f = inst->funcs[code->func_idx];
    return vm_reload(
        r, vm_slow_tail(r->x, r->pc + 4, r->fp, f, r->fp + r->pc[1].w.lo, (u32)r->pc[3].u));
}

VM_STEP(return_call_import)
{
    const union vm_word w = r->pc[1];
    struct vm_func *f = r->x->now.inst->funcs[(u32)w.w.hi];
    return vm_reload(r, vm_slow_tail(r->x, r->pc + 3, r->fp, f, r->fp + w.w.lo, (u32)r->pc[2].u));
}

VM_STEP(return_call_indirect) { return vm_reload(r, vm_slow_tail_indirect(r->x, r->pc, r->fp)); }

VM_STEP(return_call_ref)
{
    const union vm_word w = r->pc[1];
    struct vm_func *f = r->fp[w.st.a].ptr;
    if (VM_UNLIKELY(!f)) return VM_TRAP_NULL_FUNC_REF;
    return vm_reload(r,
                     vm_slow_tail(r->x, r->pc + 3, r->fp, f, r->fp + w.st.target, (u32)r->pc[2].u));
}

VM_STEP(lazy) { return vm_reload(r, vm_slow_lazy(r->x, r->fp)); }

VM_STEP(link) { return vm_reload(r, vm_slow_link(r->x, r->fp)); }

VM_STEP(return_foreign) { return vm_reload(r, vm_slow_return_foreign(r->x, r->fp)); }

VM_STEP(call_start)
{
    return vm_reload(
        r, vm_slow_call(r->x, r->pc + 1, r->fp, r->x->now.start_func, r->fp + VM_FRAME_SLOTS));
}

VM_STEP(exit)
{
    (void)r;
    return VM_STOP_DONE;
}

/* ---- exceptions */

VM_STEP(throw) { return vm_reload(r, vm_slow_throw(r->x, r->pc, r->fp)); }

VM_STEP(throw_ref) { return vm_reload(r, vm_slow_throw_ref(r->x, r->pc, r->fp)); }

/* ---- bulk operations: [h] [base32 -] [a32 b32] */

#define VM_STEP_BULK(name)                                                                         \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word i = r->pc[2];                                                          \
        u32 t = vm_slow_##name(r->x, r->fp + r->pc[1].w.lo, (u32)i.w.lo, (u32)i.w.hi);             \
        if (VM_UNLIKELY(t)) return t;                                                              \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
VM_STEP_BULK(memory_grow)
VM_STEP_BULK(memory_fill)
VM_STEP_BULK(memory_copy)
VM_STEP_BULK(memory_init)
VM_STEP_BULK(data_drop)
VM_STEP_BULK(table_grow)
VM_STEP_BULK(table_fill)
VM_STEP_BULK(table_copy)
VM_STEP_BULK(table_init)
VM_STEP_BULK(elem_drop)

/* ---- threads: [h] [base32 memory32] [offset64] */

#define VM_STEP_WAIT(name)                                                                         \
    VM_STEP(name)                                                                                  \
    {                                                                                              \
        const union vm_word w = r->pc[1];                                                          \
        u32 t = vm_slow_##name(r->x, r->fp + w.w.lo, (u32)w.w.hi, r->pc[2].u);                     \
        if (VM_UNLIKELY(t)) return t;                                                              \
        r->pc += 3;                                                                                \
        return VM_STOP_NONE;                                                                       \
    }
VM_STEP_WAIT(atomic_notify)
VM_STEP_WAIT(atomic_wait32)
VM_STEP_WAIT(atomic_wait64)

VM_STEP(atomic_fence)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    r->pc += 1;
    return VM_STOP_NONE;
}

#endif
