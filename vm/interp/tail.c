/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast dispatcher: one function per internal instruction, each ending in a guaranteed tail call
 * of the next. One expansion:
 *
 *   static VM_HANDLER_CC void handle_mov(const union vm_word *pc, union vm_slot *fp, u8 *mem,
 *                                        struct vm_exec *x)
 *   {
 *       struct vm_regs r = {pc, fp, mem, x};
 *       u32 stop = step_mov(&r);
 *       if (stop == VM_STOP_NONE) musttail return (r.pc->ptr)(r.pc, r.fp, r.mem, r.x);
 *       if (stop == VM_TAKEN) musttail return (r.pc->ptr)(r.pc, r.fp, r.mem, r.x);
 *       x->stop = stop;
 *       musttail return handle_stop(r.pc, r.fp, r.mem, r.x);
 *   }
 */
#include "interp/dispatch.h"
#include "interp/step_control.h"

extern const union vm_word vm_loop_words[VM_IR_COUNT];

#if VM_DISPATCH_TAIL

const bool vm_has_tail_backend = true;

typedef VM_HANDLER_CC void vm_handler(const union vm_word *pc, union vm_slot *fp, u8 *mem,
                                      struct vm_exec *x);

#define DISPATCH(r)                                                                                \
    VM_MUSTTAIL return ((vm_handler *)(uintptr_t)(r).pc->ptr)((r).pc, (r).fp, (r).mem, (r).x)

/** Leaves the handlers: returns to vm_dispatch_tail. */
static VM_HANDLER_CC VM_NOINLINE VM_COLD void handle_stop(const union vm_word *pc,
                                                          union vm_slot *fp, u8 *mem,
                                                          struct vm_exec *x)
{
    (void)mem;
    x->pc = pc;
    x->fp = fp;
}

#define EACH(name)                                                                                 \
    static VM_HANDLER_CC void handle_##name(const union vm_word *pc, union vm_slot *fp, u8 *mem,   \
                                            struct vm_exec *x)                                     \
    {                                                                                              \
        struct vm_regs r = {pc, fp, mem, x};                                                       \
        u32 stop = step_##name(&r);                                                                \
        if (VM_LIKELY(stop == VM_STOP_NONE)) DISPATCH(r);                                          \
        if (VM_LIKELY(stop == VM_TAKEN)) {                                                         \
            __asm__ volatile("" : "+r"(r.pc)); /* keeps the two dispatches apart */                \
            DISPATCH(r);                                                                           \
        }                                                                                          \
        x->stop = stop;                                                                            \
        VM_MUSTTAIL return handle_stop(r.pc, r.fp, r.mem, r.x);                                    \
    }
#include "isa/ir_each.h"

static const union vm_word tail_words[VM_IR_COUNT] = {
#define EACH(name) [VM_IR_##name] = {.ptr = (const void *)&handle_##name},
#include "isa/ir_each.h"
};

VM_NOINLINE u32 vm_dispatch_tail(struct vm_regs *r)
{
    struct vm_exec *x = r->x;
    ((vm_handler *)(uintptr_t)r->pc->ptr)(r->pc, r->fp, r->mem, x);
    r->pc = x->pc;
    r->fp = x->fp;
    return x->stop;
}

#define TAIL_WORD(name) {.ptr = (const void *)&handle_##name}
#define TAIL_WORDS tail_words

#else

const bool vm_has_tail_backend = false;

u32 vm_dispatch_tail(struct vm_regs *r) { return vm_dispatch_loop(r); }

#define TAIL_WORD(name) {.u = VM_IR_##name}
#define TAIL_WORDS vm_loop_words

#endif

const union vm_word *const vm_handler_words[VM_CODE_BACKENDS] = {
    [VM_CODE_TAIL] = TAIL_WORDS,
    [VM_CODE_LOOP] = vm_loop_words,
};

const struct vm_stubs vm_stubs[VM_CODE_BACKENDS] = {
    [VM_CODE_TAIL] = {.lazy = {TAIL_WORD(lazy)},
                      .start = {TAIL_WORD(call_start), TAIL_WORD(exit)},
                      .return_foreign = {TAIL_WORD(return_foreign)}},
    [VM_CODE_LOOP] = {.lazy = {{.u = VM_IR_lazy}},
                      .start = {{.u = VM_IR_call_start}, {.u = VM_IR_exit}},
                      .return_foreign = {{.u = VM_IR_return_foreign}}},
};
