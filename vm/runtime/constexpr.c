/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates validated constant expressions straight from the module's bytes. */
#include "runtime/objects.h"

#include "base/leb128.h"
#include "isa/opcode.h"
#include "sem/int.h"

#include <string.h>

/** In slots; validation refuses expressions that need more operands. */
enum { STACK = 2 * VM_MAX_CONSTEXPR_STACK };

struct eval {
    const u8 *p, *end;
    union vm_slot stack[STACK];
    u32 len;
};

static void push(struct eval *e, union vm_slot v)
{
    if (e->len < STACK) e->stack[e->len++] = v;
}

static union vm_slot pop(struct eval *e)
{
    return e->len ? e->stack[--e->len] : (union vm_slot){0};
}

static void push_raw(struct eval *e, usize size)
{
    union vm_slot v[2] = {{0}, {0}};
    if ((usize)(e->end - e->p) < size) return;
    memcpy(v, e->p, size);
    e->p += size;
    push(e, v[0]);
    if (size == 16) push(e, v[1]);
}

static void eval_const(struct eval *e, vm_op op)
{
    i32 s32 = 0;
    i64 s64 = 0;
    switch (op) {
    case VM_OP_I32_CONST:
        (void)vm_leb_s32(&e->p, e->end, &s32);
        push(e, (union vm_slot){.u64 = (u32)s32});
        break;
    case VM_OP_I64_CONST:
        (void)vm_leb_s64(&e->p, e->end, &s64);
        push(e, (union vm_slot){.u64 = (u64)s64});
        break;
    case VM_OP_F32_CONST: push_raw(e, 4); break;
    case VM_OP_F64_CONST: push_raw(e, 8); break;
    case VM_OP_V128_CONST: push_raw(e, 16); break;
    default: /* ref.null heaptype */
        (void)vm_leb_s33(&e->p, e->end, &s64);
        push(e, (union vm_slot){0});
        break;
    }
}

static void eval_index(const struct vm_instance *in, struct eval *e, vm_op op)
{
    u32 i = 0;
    (void)vm_leb_u32(&e->p, e->end, &i);
    if (op == VM_OP_REF_FUNC) {
        push(e, (union vm_slot){.ptr = in->funcs[i]});
    } else {
        push(e, in->cells[i][0]);
        if (vm_valtype_slots(in->globals[i]->type.type) == 2) push(e, in->cells[i][1]);
    }
}

static void eval_binary(struct eval *e, vm_op op)
{
    u64 b = pop(e).u64, a = pop(e).u64, r;
    switch (op) {
    case VM_OP_I32_ADD: r = sem_i32_add((u32)a, (u32)b); break;
    case VM_OP_I32_SUB: r = sem_i32_sub((u32)a, (u32)b); break;
    case VM_OP_I32_MUL: r = sem_i32_mul((u32)a, (u32)b); break;
    case VM_OP_I64_ADD: r = sem_i64_add(a, b); break;
    case VM_OP_I64_SUB: r = sem_i64_sub(a, b); break;
    default: r = sem_i64_mul(a, b); break;
    }
    push(e, (union vm_slot){.u64 = r});
}

/** Next opcode; 0xfd is the only prefix among the supported constant instructions. */
static vm_op next_op(struct eval *e)
{
    u8 byte = *e->p++;
    u32 code = 0;
    if (byte != 0xfd) return (vm_op)vm_op_of_byte[byte];
    (void)vm_leb_u32(&e->p, e->end, &code);
    return vm_op_of_prefixed(byte, code);
}

static bool is_binary(vm_op op)
{
    return op == VM_OP_I32_ADD || op == VM_OP_I32_SUB || op == VM_OP_I32_MUL ||
           op == VM_OP_I64_ADD || op == VM_OP_I64_SUB || op == VM_OP_I64_MUL;
}

bool vm_constexpr_fixed(const struct vm_module *m, struct vm_range expr, u64 *out)
{
    struct eval e;
    e.p = m->bytes + expr.start;
    e.end = e.p + expr.size;
    e.len = 0;
    while (e.p < e.end) {
        vm_op op = next_op(&e);
        if (op == VM_OP_END) break;
        if (op == VM_OP_GLOBAL_GET || op == VM_OP_REF_FUNC) return false;
        if (is_binary(op))
            eval_binary(&e, op);
        else
            eval_const(&e, op);
    }
    *out = pop(&e).u64;
    return true;
}

u32 vm_constexpr_eval(const struct vm_instance *in, struct vm_range expr, union vm_slot out[2])
{
    const u8 *start = in->program->module.bytes;
    struct eval e; /* its stack is not cleared: there may be millions of these expressions */
    e.p = start + expr.start;
    e.end = e.p + expr.size;
    e.len = 0;
    while (e.p < e.end) {
        vm_op op = next_op(&e);
        if (op == VM_OP_END) break;
        if (op == VM_OP_GLOBAL_GET || op == VM_OP_REF_FUNC)
            eval_index(in, &e, op);
        else if (is_binary(op))
            eval_binary(&e, op);
        else
            eval_const(&e, op);
    }
    if (e.len == 2) out[1] = e.stack[1];
    if (e.len) out[0] = e.stack[0];
    return (u32)(e.p - start);
}
