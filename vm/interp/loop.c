/* SPDX-License-Identifier: Apache-2.0 */
/* The portable dispatcher: one switch over the same steps as the tail-call handlers. */
#include "interp/dispatch.h"
#include "interp/step_control.h"

const union vm_word vm_loop_words[VM_IR_COUNT] = {
#define EACH(name) [VM_IR_##name] = {.u = VM_IR_##name},
#include "isa/ir_each.h"
};

u32 vm_dispatch_loop(struct vm_regs *regs)
{
    struct vm_regs r = *regs;
    u32 stop = VM_STOP_NONE;
    while (stop == VM_STOP_NONE || stop == VM_TAKEN) {
        switch ((vm_ir)r.pc->u) {
#define EACH(name)                                                                                 \
    case VM_IR_##name: stop = step_##name(&r); break;
#include "isa/ir_each.h"
        case VM_IR_COUNT: __builtin_unreachable();
        }
    }
    *regs = r;
    return stop;
}
