/* SPDX-License-Identifier: Apache-2.0 */
/* Which instructions are constant, and walks over expressions of them. spec valid-constant */
#include "validate/constexpr.h"

#include "validate/ctrl.h"
#include "validate/validate.h"

static bool is_extended_const(vm_op op)
{
    switch (op) {
    case VM_OP_I32_ADD:
    case VM_OP_I32_SUB:
    case VM_OP_I32_MUL:
    case VM_OP_I64_ADD:
    case VM_OP_I64_SUB:
    case VM_OP_I64_MUL: return true;
    default: return false;
    }
}

/* Which globals are constant is seen by the check of global.get. */
static bool is_const(vm_op op)
{
    switch (op) {
    case VM_OP_I32_CONST:
    case VM_OP_I64_CONST:
    case VM_OP_F32_CONST:
    case VM_OP_F64_CONST:
    case VM_OP_V128_CONST:
    case VM_OP_GLOBAL_GET:
    case VM_OP_REF_NULL:
    case VM_OP_REF_FUNC:
    case VM_OP_REF_I31:
    case VM_OP_STRUCT_NEW:
    case VM_OP_STRUCT_NEW_DEFAULT:
    case VM_OP_ARRAY_NEW:
    case VM_OP_ARRAY_NEW_DEFAULT:
    case VM_OP_ARRAY_NEW_FIXED:
    case VM_OP_ANY_CONVERT_EXTERN:
    case VM_OP_EXTERN_CONVERT_ANY:
    case VM_OP_END: return true;
    default: return is_extended_const(op);
    }
}

static bool check_const_op(struct vm_walker *w)
{
    vm_op op = w->insn.op;
    if (!is_const(op)) {
        return vm_walk_fail(w, VM_ERR_CONST_EXPR, "%s is not constant", vm_op_name(op));
    }
    if (is_extended_const(op) && !vm_features_have(w->features, VM_FEATURE_EXTENDED_CONST)) {
        return vm_walk_fail_need(w, VM_FEATURE_EXTENDED_CONST, "arithmetic in a constant");
    }
    /* v128.const is evaluated although its feature is not executed */
    if (w->note && !w->note->unsupported_const && op != VM_OP_V128_CONST &&
        !(vm_features_executable() >> vm_op_feature(op) & 1)) {
        w->note->unsupported_const = w->insn.offset;
        w->note->unsupported_const_op = op;
    }
    return true;
}

bool vm_walk_const(struct vm_walker *w, vm_valtype type, u32 visible_globals)
{
    w->is_const = true;
    w->visible_globals = visible_globals;
    if (!vm_walk_begin(w, VM_BT_VALUE, type)) return false;
    do {
        if (!vm_walk_opcode(w) || !check_const_op(w) || !vm_walk_insn(w)) return false;
        if (vm_walk_depth(w) > VM_MAX_CONSTEXPR_STACK)
            return vm_walk_fail(w, VM_ERR_LIMIT, "more than %d operands", VM_MAX_CONSTEXPR_STACK);
    } while (w->ctrl_count > 0);
    return true;
}

bool vm_walk_const_range(struct vm_walker *w, const struct vm_constexpr *expr)
{
    vm_walk_seek(w, expr->range);
    if (!vm_walk_const(w, expr->type, expr->visible_globals)) return false;
    return w->c.p == w->c.end || vm_walk_fail_here(w, VM_ERR_SECTION_SIZE);
}

vm_status vm_walk_constexpr(const struct vm_module *m, const struct vm_constexpr *expr,
                            vm_features features, const struct vm_sink *sink, void *ctx,
                            struct vm_arena *scratch, struct vm_err *err)
{
    struct vm_err own;
    vm_err_init(&own);
    struct vm_walker w = {.m = m,
                          .features = features,
                          .scratch = scratch,
                          .sink = sink,
                          .sink_ctx = ctx,
                          .c = {.err = err ? err : &own}};
    vm_arena_reset(scratch);
    if (vm_walk_const_range(&w, expr)) return VM_OK;
    return w.status == VM_OK ? VM_INTERNAL : w.status;
}
