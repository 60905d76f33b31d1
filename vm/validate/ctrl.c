/* SPDX-License-Identifier: Apache-2.0 */
/* Value stack, control stack and failures of the walker. No rule of any instruction. */
#include "validate/ctrl.h"

#include <stdarg.h>
#include <stdio.h>

#include "types/limits.h"

enum { DETAIL_TEXT = 240, TYPE_TEXT = 64 };

/* ---------------------------------------------------------------- failures */

static bool fail_at(struct vm_walker *w, vm_error_id id, u64 offset, const char *detail)
{
    vm_status s = detail ? vm_err_set(w->c.err, id, offset, "%s", detail)
                         : vm_err_set(w->c.err, id, offset, NULL);
    if (w->status == VM_OK) w->status = s;
    return false;
}

bool vm_walk_fail(struct vm_walker *w, vm_error_id id, const char *detail, ...)
{
    if (!detail) return fail_at(w, id, w->insn.offset, NULL);
    char text[DETAIL_TEXT];
    va_list args;
    va_start(args, detail);
    int n = vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    return fail_at(w, id, w->insn.offset, n < 0 ? NULL : text);
}

bool vm_walk_fail_here(struct vm_walker *w, vm_error_id id)
{
    return fail_at(w, id, vm_cursor_offset(&w->c), NULL);
}

bool vm_walk_fail_index(struct vm_walker *w, vm_error_id id, u32 index)
{
    return vm_walk_fail(w, id, "%u in %s", index, vm_op_name(w->insn.op));
}

bool vm_walk_fail_oom(struct vm_walker *w) { return vm_walk_fail(w, VM_ERR_OOM, NULL); }

bool vm_walk_mismatch(struct vm_walker *w, vm_valtype want, vm_valtype got)
{
    char a[TYPE_TEXT], b[TYPE_TEXT];
    vm_valtype_print(want, a, sizeof a);
    if (got == VM_REF_BOT) {
        snprintf(b, sizeof b, "a reference");
    } else {
        vm_valtype_print(got, b, sizeof b);
    }
    return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%s expects %s but got %s", vm_op_name(w->insn.op),
                        a, b);
}

bool vm_walk_fail_cursor(struct vm_walker *w)
{
    if (w->status == VM_OK) w->status = w->c.err->status;
    if (w->status == VM_OK) w->status = VM_INTERNAL;
    return false;
}

bool vm_walk_fail_need(struct vm_walker *w, vm_feature need, const char *what)
{
    const char *name = vm_feature_name(need);
    return vm_walk_fail(w, VM_ERR_UNSUPPORTED, "%s needs feature %s (--features +%s)", what, name,
                        name);
}

static bool underflow(struct vm_walker *w, vm_valtype want)
{
    char a[TYPE_TEXT] = "a value";
    if (want != VM_BOT) vm_valtype_print(want, a, sizeof a);
    return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%s expects %s but the stack is empty",
                        vm_op_name(w->insn.op), a);
}

/* ---------------------------------------------------------------- room */

void *vm_walk_grow(struct vm_walker *w, const void *old, usize used, usize bytes)
{
    void *grown = vm_arena_alloc(w->scratch, bytes);
    if (grown && used) memcpy(grown, old, used);
    return grown;
}

bool vm_walk_reserve_slow(struct vm_walker *w, u32 count)
{
    usize used = (usize)(w->sp - w->stack), floor = (usize)(w->floor - w->stack);
    usize cap = (usize)(w->limit - w->stack), need = used + count + VM_WALK_ROOM;
    if (vm_walk_depth(w) + count > VM_MAX_STACK_SLOTS) {
        return vm_walk_fail(w, VM_ERR_LIMIT, "more than %d operands", VM_MAX_STACK_SLOTS);
    }
    cap = cap * 2 < need ? need : cap * 2;
    vm_valtype *grown = vm_walk_grow(w, w->stack, used * sizeof *grown, cap * sizeof *grown);
    if (!grown) return vm_walk_fail_oom(w);
    w->stack = grown;
    w->sp = grown + used;
    w->floor = grown + floor;
    w->limit = grown + cap;
    return true;
}

/* ---------------------------------------------------------------- values */

bool vm_pop_any(struct vm_walker *w, vm_valtype *got)
{
    if (VM_LIKELY(w->sp > w->floor)) {
        *got = *--w->sp;
        return true;
    }
    *got = VM_BOT;
    return w->top->unreachable || underflow(w, VM_BOT);
}

bool vm_pop_slow(struct vm_walker *w, vm_valtype want, vm_valtype *got)
{
    if (w->sp == w->floor) {
        *got = VM_BOT;
        return w->top->unreachable || underflow(w, want);
    }
    *got = *--w->sp;
    return vm_walk_matches(w, *got, want) || vm_walk_mismatch(w, want, *got);
}

bool vm_pop_as(struct vm_walker *w, vm_valtype want, vm_valtype *got)
{
    return vm_pop_slow(w, want, got);
}

bool vm_pop_ref(struct vm_walker *w, vm_valtype *got)
{
    if (!vm_pop_any(w, got)) return false;
    if (*got == VM_BOT || vm_valtype_is_ref(*got)) return true;
    char a[TYPE_TEXT];
    vm_valtype_print(*got, a, sizeof a);
    return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%s expects a reference but got %s",
                        vm_op_name(w->insn.op), a);
}

bool vm_peek_types(struct vm_walker *w, struct vm_types_view v)
{
    usize have = (usize)(w->sp - w->floor);
    if (VM_LIKELY(have >= v.count && (v.count == 0 || memcmp(w->sp - v.count, v.types,
                                                             v.count * sizeof *v.types) == 0))) {
        return true;
    }
    const vm_valtype *sp = w->sp;
    for (u32 i = v.count; i-- > 0;) {
        if (sp == w->floor) return w->top->unreachable || underflow(w, v.types[i]);
        sp--;
        if (!vm_walk_matches(w, *sp, v.types[i])) return vm_walk_mismatch(w, v.types[i], *sp);
    }
    return true;
}

bool vm_pop_types(struct vm_walker *w, struct vm_types_view v)
{
    if (v.count == 0) return true;
    if (!vm_peek_types(w, v)) return false;
    usize have = (usize)(w->sp - w->floor);
    w->sp -= have < v.count ? have : v.count;
    return true;
}

bool vm_push_types(struct vm_walker *w, struct vm_types_view v)
{
    if (v.count == 0) return true;
    if (!vm_walk_reserve(w, v.count)) return false;
    memcpy(w->sp, v.types, v.count * sizeof *v.types);
    w->sp += v.count;
    return true;
}

bool vm_retype(struct vm_walker *w, struct vm_types_view v)
{
    return vm_pop_types(w, v) && vm_push_types(w, v);
}

/* ---------------------------------------------------------------- control */

struct vm_types_view vm_ctrl_params(const struct vm_walker *w, const struct vm_ctrl *c)
{
    if (c->bt_kind != VM_BT_INDEX || c->op == VM_CTRL_BODY) return (struct vm_types_view){NULL, 0};
    return vm_func_params(&w->m->types.types[c->type].of.func);
}

struct vm_types_view vm_ctrl_results(const struct vm_walker *w, const struct vm_ctrl *c)
{
    if (c->bt_kind == VM_BT_EMPTY) return (struct vm_types_view){NULL, 0};
    if (c->bt_kind == VM_BT_VALUE) return (struct vm_types_view){&c->type, 1};
    return vm_func_results(&w->m->types.types[c->type].of.func);
}

struct vm_types_view vm_ctrl_label(const struct vm_walker *w, const struct vm_ctrl *c)
{
    return c->op == VM_OP_LOOP ? vm_ctrl_params(w, c) : vm_ctrl_results(w, c);
}

const struct vm_ctrl *vm_ctrl_at(struct vm_walker *w, u32 depth)
{
    if (VM_LIKELY(depth < w->ctrl_count)) return w->top - depth;
    vm_walk_fail_index(w, VM_ERR_UNKNOWN_LABEL, depth);
    return NULL;
}

static bool grow_ctrls(struct vm_walker *w)
{
    u32 cap = w->ctrl_cap * 2;
    struct vm_ctrl *grown =
        vm_walk_grow(w, w->ctrls, w->ctrl_count * sizeof *grown, (usize)cap * sizeof *grown);
    if (!grown) return vm_walk_fail_oom(w);
    w->ctrls = grown;
    w->ctrl_cap = cap;
    return true;
}

bool vm_ctrl_push(struct vm_walker *w, u16 op, u8 bt_kind, u32 type)
{
    if (w->ctrl_count == w->ctrl_cap && !grow_ctrls(w)) return false;
    const struct vm_ctrl *outer = w->ctrl_count > 0 ? &w->ctrls[w->ctrl_count - 1] : NULL;
    bool dead = outer && (outer->unreachable || outer->dead);
    w->top = &w->ctrls[w->ctrl_count++];
    vm_push(w, VM_MARK);
    *w->top = (struct vm_ctrl){.height = (u32)(w->sp - w->stack),
                               .inits = w->locals.set_count,
                               .type = type,
                               .op = op,
                               .bt_kind = bt_kind,
                               .dead = dead};
    w->floor = w->sp;
    return vm_push_types(w, vm_ctrl_params(w, w->top));
}

bool vm_ctrl_finish(struct vm_walker *w)
{
    if (!vm_pop_types(w, vm_ctrl_results(w, w->top))) return false;
    if (VM_LIKELY(w->sp == w->floor)) return true;
    return vm_walk_fail(w, VM_ERR_TYPE_MISMATCH, "%u values remain on the stack at the %s",
                        (u32)(w->sp - w->floor), vm_op_name(w->insn.op));
}

void vm_ctrl_pop(struct vm_walker *w)
{
    vm_local_undo_sets(w, w->top->inits);
    w->sp--; /* the mark */
    w->ctrl_count--;
    if (w->ctrl_count == 0) return;
    w->top--;
    w->floor = w->stack + w->top->height;
}

void vm_ctrl_next_arm(struct vm_walker *w, u16 op)
{
    vm_local_undo_sets(w, w->top->inits);
    w->top->op = op;
    w->top->unreachable = false;
}

bool vm_ctrl_unreachable(struct vm_walker *w)
{
    w->sp = w->floor;
    w->top->unreachable = true;
    return true;
}

void vm_ctrl_describe(struct vm_walker *w)
{
    struct vm_types_view params = vm_ctrl_params(w, w->top), results = vm_ctrl_results(w, w->top);
    w->insn.block = (struct vm_blocktype){.params = params.types,
                                          .results = results.types,
                                          .param_count = params.count,
                                          .result_count = results.count};
}
