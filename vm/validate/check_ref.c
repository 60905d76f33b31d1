/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of reference instructions, casts and i31. spec valid-instr-ref */
#include "validate/rules.h"

#define ABSTRACT(nullable, heap) VM_REFTYPE(nullable, VM_HEAP_ABSTRACT | (heap))

/* ---------------------------------------------------------------- null and functions */

bool vm_check_ref_null(struct vm_walker *w)
{
    w->insn.type = VM_REFTYPE(true, w->insn.a);
    return vm_push(w, w->insn.type);
}

bool vm_check_ref_is_null(struct vm_walker *w)
{
    return vm_pop_ref(w, &w->insn.type) && vm_push(w, VM_I32);
}

/* spec valid-ref.func: declared outside of bodies. A constant expression declares. */
bool vm_check_ref_func(struct vm_walker *w)
{
    u32 index = w->insn.a;
    if (index >= w->m->func_count) return vm_walk_fail_index(w, VM_ERR_UNKNOWN_FUNC, index);
    u64 bit = (u64)1 << index % 64;
    if (w->is_const) {
        if (w->declare) w->declare[index / 64] |= bit;
    } else if (!w->m->declared_funcs || !(w->m->declared_funcs[index / 64] & bit)) {
        return vm_walk_fail_index(w, VM_ERR_UNDECLARED_REF, index);
    }
    w->insn.type = VM_REFTYPE(false, w->m->funcs[index]);
    return vm_push(w, w->insn.type);
}

bool vm_check_ref_eq(struct vm_walker *w)
{
    vm_valtype eq = ABSTRACT(true, VM_HEAP_EQ);
    return vm_pop(w, eq) && vm_pop(w, eq) && vm_push(w, VM_I32);
}

/* The same reference without null. Of an unknown operand only "a reference" is known. */
static vm_valtype non_null(vm_valtype t)
{
    return t == VM_BOT ? VM_REF_BOT : VM_REFTYPE(false, vm_valtype_heap(t));
}

bool vm_check_ref_as_non_null(struct vm_walker *w)
{
    return vm_pop_ref(w, &w->insn.type) && vm_push(w, non_null(w->insn.type));
}

bool vm_check_br_on_null(struct vm_walker *w)
{
    const struct vm_ctrl *c = vm_ctrl_at(w, w->insn.a);
    return c && vm_pop_ref(w, &w->insn.type) && vm_retype(w, vm_ctrl_label(w, c)) &&
           vm_walk_reserve(w, 0) && vm_push(w, non_null(w->insn.type));
}

/* A label whose last type is a reference takes `last`, below it the values on the stack. */
static bool branch_with(struct vm_walker *w, vm_valtype last)
{
    const struct vm_ctrl *c = vm_ctrl_at(w, w->insn.a);
    if (!c) return false;
    struct vm_types_view v = vm_ctrl_label(w, c);
    if (v.count == 0 || !vm_valtype_is_ref(v.types[v.count - 1])) {
        return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%s to a label that takes no reference",
                            vm_op_name(w->insn.op));
    }
    v.count--;
    if (!vm_walk_matches(w, last, v.types[v.count])) {
        return vm_walk_mismatch(w, v.types[v.count], last);
    }
    return vm_retype(w, v);
}

bool vm_check_br_on_non_null(struct vm_walker *w)
{
    return vm_pop_ref(w, &w->insn.type) && branch_with(w, non_null(w->insn.type));
}

/* ---------------------------------------------------------------- casts */

/* The top of the hierarchy a heap type is in. */
static u32 top_heap(const struct vm_walker *w, u32 heap)
{
    if (!vm_heap_is_abstract(heap)) heap = vm_deftype_abstract(&w->m->types.types[heap]);
    switch (heap & 0xff) {
    case VM_HEAP_FUNC:
    case VM_HEAP_NOFUNC: return VM_HEAP_ABSTRACT | VM_HEAP_FUNC;
    case VM_HEAP_EXTERN:
    case VM_HEAP_NOEXTERN: return VM_HEAP_ABSTRACT | VM_HEAP_EXTERN;
    case VM_HEAP_EXN:
    case VM_HEAP_NOEXN: return VM_HEAP_ABSTRACT | VM_HEAP_EXN;
    default: return VM_HEAP_ABSTRACT | VM_HEAP_ANY;
    }
}

/* Reads the target from the opcode and its heap type; pops an operand of the same hierarchy. */
static bool pop_castable(struct vm_walker *w, bool nullable)
{
    vm_valtype got;
    w->insn.type = VM_REFTYPE(nullable, w->insn.a);
    return vm_pop_as(w, VM_REFTYPE(true, top_heap(w, w->insn.a)), &got);
}

bool vm_check_ref_test(struct vm_walker *w)
{
    return pop_castable(w, w->insn.op == VM_OP_REF_TEST_NULL) && vm_push(w, VM_I32);
}

bool vm_check_ref_cast(struct vm_walker *w)
{
    return pop_castable(w, w->insn.op == VM_OP_REF_CAST_NULL) && vm_push(w, w->insn.type);
}

/* spec aux-reftypediff: what remains of `from` when it is known not to be `to`. */
static vm_valtype difference(vm_valtype from, vm_valtype to)
{
    return vm_valtype_is_nullable(to) ? VM_REFTYPE(false, vm_valtype_heap(from)) : from;
}

/* insn.b is the type cast from, insn.type the one cast to. */
static bool check_br_cast(struct vm_walker *w, vm_valtype taken, vm_valtype kept)
{
    vm_valtype from = w->insn.b, to = w->insn.type;
    if (!vm_walk_matches(w, to, from)) return vm_walk_mismatch(w, from, to);
    return vm_pop(w, from) && branch_with(w, taken) && vm_walk_reserve(w, 0) && vm_push(w, kept);
}

bool vm_check_br_on_cast(struct vm_walker *w)
{
    return check_br_cast(w, w->insn.type, difference(w->insn.b, w->insn.type));
}

bool vm_check_br_on_cast_fail(struct vm_walker *w)
{
    return check_br_cast(w, difference(w->insn.b, w->insn.type), w->insn.type);
}

/* ---------------------------------------------------------------- conversions */

/* Keeps what is known of null. */
static bool convert(struct vm_walker *w, u32 from, u32 to)
{
    if (!vm_pop_as(w, ABSTRACT(true, from), &w->insn.type)) return false;
    return vm_push(w, ABSTRACT(vm_valtype_is_nullable(w->insn.type), to));
}

bool vm_check_any_convert_extern(struct vm_walker *w)
{
    return convert(w, VM_HEAP_EXTERN, VM_HEAP_ANY);
}

bool vm_check_extern_convert_any(struct vm_walker *w)
{
    return convert(w, VM_HEAP_ANY, VM_HEAP_EXTERN);
}

bool vm_check_ref_i31(struct vm_walker *w)
{
    return vm_pop(w, VM_I32) && vm_push(w, ABSTRACT(false, VM_HEAP_I31));
}

bool vm_check_i31_get(struct vm_walker *w)
{
    return vm_pop_as(w, ABSTRACT(true, VM_HEAP_I31), &w->insn.type) && vm_push(w, VM_I32);
}
