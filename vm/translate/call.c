/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of every kind. Arguments go to their home slots, which are the callee's parameters.
 *
 *   call             a part (isa/ir_ops.def)
 *   call_import      [h] [base32 func32]           base: slot of the first argument
 *   call_indirect    [h] [index16 - base32] [table32 type32]
 *   call_ref         [h] [ref16 - base32]
 *   return_call…     the same, with the number of argument slots in one more word; the code behind
 *                    it returns a host function's results
 */
#include "translate/lower.h"

#include "binary/module.h"

static bool is_import(const struct vm_lower *l, u32 func)
{
    return func < l->env->module->n_imported[VM_EXTERN_FUNC];
}

/** Where a call of it goes: until it is translated, to the stub that does it. */
static const union vm_word *entry_of(const struct vm_lower *l, struct vm_code *code)
{
    const union vm_word *entry = atomic_load_explicit(&code->entry, memory_order_acquire);
    return entry == l->backend->stubs.lazy ? l->backend->stubs.link : entry;
}

/** The instruction itself; `callee` is the popped index or reference of the indirect forms. */
static void emit_call(struct vm_lower *l, const struct vm_insn *in, i32 base,
                      const struct vm_operand *callee, bool tail)
{
    union vm_word w = {.w = {.lo = base}};
    switch (in->op) {
    case VM_OP_CALL:
    case VM_OP_RETURN_CALL:
        if (is_import(l, in->a)) {
            vm_emit_mark(l);
            w.w.hi = (i32)in->a;
            vm_emit(l, tail ? VM_IR_return_call_import : VM_IR_call_import, w);
            break;
        }
        struct vm_code *code = &l->env->codes[in->a - l->env->module->n_imported[VM_EXTERN_FUNC]];
        if (!tail) {
            u32 delta = (u32)(base + (i32)vm_functype_shared_slots(in->func));
            vm_emit_part(l, VM_PART_call, NULL, delta | (u128)(uintptr_t)code << 32, VM_NO_SLOT);
            vm_append_word(l, (uintptr_t)entry_of(l, code));
            break;
        }
        vm_emit_mark(l);
        vm_emit(l, VM_IR_return_call, w);
        vm_emit_word(l, (union vm_word){.ptr = code});
        break;
    case VM_OP_CALL_INDIRECT:
    case VM_OP_RETURN_CALL_INDIRECT:
        w = (union vm_word){.st = {.a = vm_src(l, callee, 0), .target = base}};
        vm_emit_mark(l);
        vm_emit(l, tail ? VM_IR_return_call_indirect : VM_IR_call_indirect, w);
        w = (union vm_word){.w = {.lo = (i32)in->b, .hi = (i32)l->env->canon[in->a]}};
        vm_emit_word(l, w);
        break;
    default:
        w = (union vm_word){.st = {.a = vm_src(l, callee, 0), .target = base}};
        vm_emit_mark(l);
        vm_emit(l, tail ? VM_IR_return_call_ref : VM_IR_call_ref, w);
        break;
    }
    if (tail) vm_emit_word(l, (union vm_word){.u = in->func->param_slots});
    vm_emit_barrier(l);
}

static bool is_integer(vm_valtype type) { return type == VM_I32 || type == VM_I64; }

void vm_lower_call(struct vm_lower *l, const struct vm_insn *in)
{
    const struct vm_functype *sig = in->func;
    bool direct = in->op == VM_OP_CALL || in->op == VM_OP_RETURN_CALL;
    bool tail = in->op == VM_OP_RETURN_CALL || in->op == VM_OP_RETURN_CALL_INDIRECT ||
                in->op == VM_OP_RETURN_CALL_REF;
    struct vm_operand callee = {0};
    if (!direct) callee = vm_pop(l);
    vm_materialise_top(l, sig->param_count);
    if (l->status != VM_OK) return;
    i32 base = sig->param_count ? vm_top(l, sig->param_count - 1)->home : l->next_home;
    vm_use_slots(l, (i64)base + vm_functype_shared_slots(sig));
    u32 begin = l->words.len;
    emit_call(l, in, base, &callee, tail);
    if (tail) vm_try_hole(l, begin);
    for (u32 i = 0; i < sig->param_count && l->status == VM_OK; i++) (void)vm_pop(l);
    for (u32 i = 0; i < sig->result_count && l->status == VM_OK; i++)
        vm_push_slot(l, sig->types[sig->param_count + i]);
    if (!tail) vm_pins_load(l);
    /* a direct callee leaves an integer result in the accumulator too: every way back is ret_value
     */
    bool defined = in->op == VM_OP_CALL && !is_import(l, in->a);
    if (defined && sig->result_count == 1 && is_integer(sig->types[sig->param_count]))
        l->tail.has.acc = base;
    if (tail) vm_lower_return(l);
}
