/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of exceptions: try_table and throw of the standard, try, catch, delegate and rethrow of
 * the legacy proposal. spec valid-try_table, valid-throw, valid-catch
 */
#include "validate/rules.h"

#define EXN_REF VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_EXN)

/* Kinds of catch clauses. spec binary-catch */
enum { CATCH = 0, CATCH_REF = 1, CATCH_ALL = 2, CATCH_ALL_REF = 3 };

bool vm_check_tag_index(struct vm_walker *w, u32 index)
{
    return index < w->m->tag_count || vm_walk_fail_index(w, VM_ERR_UNKNOWN_TAG, index);
}

static const struct vm_functype *tag_type(const struct vm_walker *w, u32 tag)
{
    return &w->m->types.types[w->m->tags[tag]].of.func;
}

bool vm_check_throw(struct vm_walker *w)
{
    if (!vm_check_tag_index(w, w->insn.a)) return false;
    w->insn.func = tag_type(w, w->insn.a);
    return vm_pop_types(w, vm_func_params(w->insn.func)) && vm_ctrl_unreachable(w);
}

bool vm_check_throw_ref(struct vm_walker *w)
{
    return vm_pop_as(w, VM_EXNREF, &w->insn.type) && vm_ctrl_unreachable(w);
}

/* The label takes the values, and the reference when there is one. */
static bool check_clause_types(struct vm_walker *w, struct vm_types_view values, bool with_ref,
                               const struct vm_ctrl *target)
{
    struct vm_types_view label = vm_ctrl_label(w, target);
    bool good = label.count == values.count + with_ref;
    bool same = good && (values.count == 0 || memcmp(values.types, label.types,
                                                     values.count * sizeof *values.types) == 0);
    for (u32 i = 0; good && !same && i < values.count; i++) {
        good = vm_walk_matches(w, values.types[i], label.types[i]);
    }
    if (good && with_ref) good = vm_walk_matches(w, EXN_REF, label.types[values.count]);
    return good || vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "catch clause and its label disagree");
}

static bool check_clause(struct vm_walker *w)
{
    u8 kind;
    u32 tag = 0, depth;
    if (!vm_walk_u8(w, &kind)) return false;
    if (kind > CATCH_ALL_REF) return vm_walk_fail_here(w, VM_ERR_CATCH_KIND);
    bool is_all = kind == CATCH_ALL || kind == CATCH_ALL_REF;
    if ((!is_all && !vm_walk_u32(w, &tag)) || !vm_walk_u32(w, &depth)) return false;
    if (!is_all && !vm_check_tag_index(w, tag)) return false;
    const struct vm_ctrl *target = vm_ctrl_at(w, depth);
    if (!target) return false;
    struct vm_types_view values = {NULL, 0};
    if (!is_all) values = vm_func_params(tag_type(w, tag));
    return check_clause_types(w, values, kind == CATCH_REF || kind == CATCH_ALL_REF, target);
}

/* Clauses name labels outside of the block they belong to. */
bool vm_check_try_table(struct vm_walker *w)
{
    for (u32 i = 0; i < w->insn.imm.catches.count; i++) {
        if (!check_clause(w)) return false;
    }
    return vm_check_block(w);
}

/* ---------------------------------------------------------------- legacy */

bool vm_check_try(struct vm_walker *w) { return vm_check_block(w); }

static bool next_handler(struct vm_walker *w, u16 op)
{
    if (w->top->op != VM_OP_TRY && w->top->op != VM_OP_CATCH) {
        return vm_walk_fail(w, VM_ERR_END_EXPECTED, "%s without try", vm_op_name(w->insn.op));
    }
    if (!vm_ctrl_finish(w)) return false;
    vm_ctrl_next_arm(w, op);
    vm_ctrl_describe(w);
    return true;
}

bool vm_check_catch(struct vm_walker *w)
{
    if (!next_handler(w, VM_OP_CATCH) || !vm_check_tag_index(w, w->insn.a)) return false;
    w->insn.func = tag_type(w, w->insn.a);
    return vm_push_types(w, vm_func_params(w->insn.func));
}

bool vm_check_catch_all(struct vm_walker *w) { return next_handler(w, VM_OP_CATCH_ALL); }

/* Ends its try; the label counts from outside of it. */
bool vm_check_delegate(struct vm_walker *w)
{
    if (w->top->op != VM_OP_TRY) {
        return vm_walk_fail(w, VM_ERR_END_EXPECTED, "delegate without try");
    }
    if (!vm_ctrl_finish(w)) return false;
    struct vm_types_view results = vm_ctrl_results(w, w->top);
    vm_ctrl_describe(w);
    vm_ctrl_pop(w);
    return vm_ctrl_at(w, w->insn.a) && vm_push_types(w, results);
}

bool vm_check_rethrow(struct vm_walker *w)
{
    const struct vm_ctrl *c = vm_ctrl_at(w, w->insn.a);
    if (!c) return false;
    if (c->op != VM_OP_CATCH && c->op != VM_OP_CATCH_ALL) {
        return vm_walk_fail_index(w, VM_ERR_RETHROW_LABEL, w->insn.a);
    }
    return vm_ctrl_unreachable(w);
}
