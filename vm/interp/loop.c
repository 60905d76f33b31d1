/* SPDX-License-Identifier: Apache-2.0 */
/* The portable dispatcher: one switch over the same steps as the tail-call handlers, one part each.
 */
#include "interp/dispatch.h"
#include "interp/step_control.h"

#define LOOP_WORD(name) {.u = VM_IR_##name}

static u32 dispatch(struct vm_regs *regs)
{
    struct vm_regs r = *regs;
    u32 stop = VM_STOP_NONE;
    while (stop == VM_STOP_NONE || stop >= VM_TAKEN) {
        switch (stop & VM_GOTO ? (vm_ir)(stop & 0xffff) : (vm_ir)r.pc->u) {
#define EACH(name)                                                                                 \
    case VM_IR_##name: stop = step_##name(&r); break;
#include "isa/ir_each.h"
        default: __builtin_unreachable();
        }
    }
    *regs = r;
    return stop;
}

const struct vm_backend vm_backend_loop =
    VM_BACKEND(NULL, NULL, VM_IR_GENERIC_COUNT, LOOP_WORD, dispatch);
