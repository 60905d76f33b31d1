/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of control, parametric and variable instructions.
 * spec valid-instr-control, valid-instr-parametric, valid-instr-variable
 */
#include "validate/rules.h"

/* ---------------------------------------------------------------- blocks */

bool vm_check_unreachable(struct vm_walker *w) { return vm_ctrl_unreachable(w); }

/* block, loop and, after its condition, if. */
bool vm_check_block(struct vm_walker *w)
{
    struct vm_types_view params = {NULL, 0};
    if (w->bt_kind == VM_BT_INDEX) {
        params = vm_func_params(&w->m->types.types[w->bt_type].of.func);
    }
    if (!vm_pop_types(w, params)) return false;
    if (!vm_ctrl_push(w, (u16)w->insn.op, w->bt_kind, w->bt_type)) return false;
    if (w->sink) vm_ctrl_describe(w);
    return true;
}

bool vm_check_if(struct vm_walker *w) { return vm_pop(w, VM_I32) && vm_check_block(w); }

bool vm_check_else(struct vm_walker *w)
{
    /* spec binary-instr-control: an else elsewhere stands where an END must. */
    if (w->top->op != VM_OP_IF) return vm_walk_fail(w, VM_ERR_END_EXPECTED, "else without if");
    if (!vm_ctrl_finish(w)) return false;
    vm_ctrl_next_arm(w, VM_OP_ELSE);
    vm_ctrl_describe(w);
    return vm_push_types(w, vm_ctrl_params(w, w->top));
}

/* An if without else passes its parameters on: they must be good as results. */
static bool check_missing_else(struct vm_walker *w)
{
    struct vm_types_view params = vm_ctrl_params(w, w->top), results = vm_ctrl_results(w, w->top);
    if (params.count == results.count &&
        (params.count == 0 || params.types == results.types ||
         memcmp(params.types, results.types, params.count * sizeof *params.types) == 0)) {
        return true;
    }
    bool same = params.count == results.count;
    for (u32 i = 0; same && i < params.count; i++) {
        same = vm_walk_matches(w, params.types[i], results.types[i]);
    }
    return same || vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "if without else has results");
}

bool vm_check_end(struct vm_walker *w)
{
    if (!vm_ctrl_finish(w)) return false;
    if (w->top->op == VM_OP_IF && !check_missing_else(w)) return false;
    /* The frame's memory outlives the pop: results may point into it. */
    struct vm_types_view results = vm_ctrl_results(w, w->top);
    if (w->sink) vm_ctrl_describe(w);
    vm_ctrl_pop(w);
    return w->ctrl_count == 0 || vm_push_types(w, results);
}

/* ---------------------------------------------------------------- branches */

bool vm_check_br(struct vm_walker *w)
{
    const struct vm_ctrl *c = vm_ctrl_at(w, w->insn.a);
    return c && vm_pop_types(w, vm_ctrl_label(w, c)) && vm_ctrl_unreachable(w);
}

bool vm_check_br_if(struct vm_walker *w)
{
    const struct vm_ctrl *c = vm_ctrl_at(w, w->insn.a);
    return c && vm_pop(w, VM_I32) && vm_retype(w, vm_ctrl_label(w, c));
}

static bool same_view(struct vm_types_view a, struct vm_types_view b)
{
    return a.types == b.types && a.count == b.count;
}

/* All labels take as many values as the default does. Equal neighbours are checked once. */
bool vm_check_br_table(struct vm_walker *w)
{
    if (!vm_pop(w, VM_I32)) return false;
    struct vm_types_view first = {NULL, 0}, last = {NULL, 0};
    for (u32 i = 0; i <= w->insn.imm.table.count; i++) {
        u32 depth;
        if (!vm_walk_u32(w, &depth)) return false;
        const struct vm_ctrl *c = vm_ctrl_at(w, depth);
        if (!c) return false;
        struct vm_types_view v = vm_ctrl_label(w, c);
        if (i == 0) first = v;
        if (v.count != first.count) {
            return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "br_table with labels of %u and %u values",
                                first.count, v.count);
        }
        if (v.count > 0 && !same_view(v, last) && !vm_peek_types(w, v)) return false;
        last = v;
    }
    return vm_pop_types(w, last) && vm_ctrl_unreachable(w);
}

bool vm_check_return(struct vm_walker *w)
{
    return vm_pop_types(w, vm_ctrl_results(w, &w->ctrls[0])) && vm_ctrl_unreachable(w);
}

/* ---------------------------------------------------------------- calls */

/* spec valid-return_call: the callee's results are good as the function's own. */
static bool check_tail_results(struct vm_walker *w, const struct vm_functype *f)
{
    struct vm_types_view have = vm_func_results(f), want = vm_ctrl_results(w, &w->ctrls[0]);
    bool good = have.count == want.count;
    if (good && (have.count == 0 || have.types == want.types ||
                 memcmp(have.types, want.types, have.count * sizeof *have.types) == 0)) {
        return true;
    }
    for (u32 i = 0; good && i < have.count; i++) {
        good = vm_walk_matches(w, have.types[i], want.types[i]);
    }
    return good || vm_walk_fail(w, VM_ERR_TYPE_MISMATCH,
                                "%s of a function with other results than the caller's",
                                vm_op_name(w->insn.op));
}

static bool call_with(struct vm_walker *w, const struct vm_functype *f)
{
    vm_op op = w->insn.op;
    w->insn.func = f;
    if (!vm_pop_types(w, vm_func_params(f))) return false;
    if (op == VM_OP_CALL || op == VM_OP_CALL_INDIRECT || op == VM_OP_CALL_REF) {
        return vm_push_types(w, vm_func_results(f));
    }
    return check_tail_results(w, f) && vm_ctrl_unreachable(w);
}

/* Both forms of each call: with and without return_. */
bool vm_check_call(struct vm_walker *w)
{
    if (w->insn.a >= w->m->func_count) {
        return vm_walk_fail_index(w, VM_ERR_UNKNOWN_FUNC, w->insn.a);
    }
    return call_with(w, vm_module_functype(w->m, w->insn.a));
}

static const struct vm_functype *functype_at(struct vm_walker *w, u32 index)
{
    const struct vm_typespace *ts = &w->m->types;
    if (index < ts->count && ts->types[index].kind == VM_COMP_FUNC) {
        return &ts->types[index].of.func;
    }
    vm_walk_fail_index(w, VM_ERR_UNKNOWN_TYPE, index);
    return NULL;
}

bool vm_check_call_indirect(struct vm_walker *w)
{
    if (!vm_check_table_index(w, w->insn.b)) return false;
    const struct vm_tabletype *table = &w->m->tables[w->insn.b].type;
    if (!vm_walk_matches(w, table->elem, VM_FUNCREF)) {
        return vm_walk_mismatch(w, VM_FUNCREF, table->elem);
    }
    const struct vm_functype *f = functype_at(w, w->insn.a);
    return f && vm_pop(w, table->limits.is_64 ? VM_I64 : VM_I32) && call_with(w, f);
}

bool vm_check_call_ref(struct vm_walker *w)
{
    const struct vm_functype *f = functype_at(w, w->insn.a);
    return f && vm_pop_as(w, VM_REFTYPE(true, w->insn.a), &w->insn.type) && call_with(w, f);
}

/* ---------------------------------------------------------------- parametric */

bool vm_check_drop(struct vm_walker *w) { return vm_pop_any(w, &w->insn.type); }

static bool is_num_or_vec(vm_valtype t) { return t == VM_BOT || !vm_valtype_is_ref(t); }

bool vm_check_select(struct vm_walker *w)
{
    vm_valtype a, b;
    if (!vm_pop(w, VM_I32) || !vm_pop_any(w, &b) || !vm_pop_any(w, &a)) return false;
    if (!is_num_or_vec(a) || !is_num_or_vec(b)) {
        return vm_walk_fail(w, VM_ERR_NO_DROP_VALUE, NULL);
    }
    if (a != b && a != VM_BOT && b != VM_BOT) return vm_walk_mismatch(w, a, b);
    w->insn.type = a == VM_BOT ? b : a;
    return vm_push(w, w->insn.type);
}

bool vm_check_select_t(struct vm_walker *w)
{
    vm_valtype t = w->insn.type;
    return vm_pop(w, VM_I32) && vm_pop(w, t) && vm_pop(w, t) && vm_push(w, t);
}

/* ---------------------------------------------------------------- variables */

static bool local_type(struct vm_walker *w)
{
    u32 index = w->insn.a;
    if (VM_UNLIKELY(index >= w->locals.count)) {
        return vm_walk_fail_index(w, VM_ERR_UNKNOWN_LOCAL, index);
    }
    w->insn.type = vm_local_type(w, index);
    return true;
}

bool vm_check_local_get(struct vm_walker *w)
{
    if (!local_type(w)) return false;
    if (VM_UNLIKELY(!vm_local_is_set(w, w->insn.a))) {
        return vm_walk_fail_index(w, VM_ERR_UNINIT_LOCAL, w->insn.a);
    }
    return vm_push(w, w->insn.type);
}

bool vm_check_local_set(struct vm_walker *w)
{
    return local_type(w) && vm_pop(w, w->insn.type) &&
           (VM_LIKELY(!w->locals.need_value) || vm_local_mark_set(w, w->insn.a));
}

bool vm_check_local_tee(struct vm_walker *w)
{
    return vm_check_local_set(w) && vm_push(w, w->insn.type);
}

bool vm_check_global_get(struct vm_walker *w)
{
    u32 index = w->insn.a;
    if (index >= (w->is_const ? w->visible_globals : w->m->global_count)) {
        return vm_walk_fail_index(w, VM_ERR_UNKNOWN_GLOBAL, index);
    }
    const struct vm_globaltype *g = &w->m->globals[index].type;
    if (w->is_const && g->is_mutable) {
        return vm_walk_fail(w, VM_ERR_CONST_EXPR, "global %u is mutable", index);
    }
    w->insn.type = g->type;
    return vm_push(w, g->type);
}

bool vm_check_global_set(struct vm_walker *w)
{
    u32 index = w->insn.a;
    if (index >= w->m->global_count) return vm_walk_fail_index(w, VM_ERR_UNKNOWN_GLOBAL, index);
    const struct vm_globaltype *g = &w->m->globals[index].type;
    if (!g->is_mutable) return vm_walk_fail_index(w, VM_ERR_IMMUTABLE_GLOBAL, index);
    w->insn.type = g->type;
    return vm_pop(w, g->type);
}
