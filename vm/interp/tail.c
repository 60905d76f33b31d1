/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast dispatcher: one function per internal instruction, each ending in a guaranteed tail call
 * of the next. Compiled once for the baseline and, on x86-64, once for x86-64-v3. One expansion:
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

#ifndef VM_TAIL_TABLE
#define VM_TAIL_TABLE vm_backend_tail
#endif

typedef VM_HANDLER_CC void vm_handler(const union vm_word *pc, union vm_slot *fp, u8 *mem,
                                      struct vm_exec *x);

#define DISPATCH(r)                                                                                \
    __attribute__((musttail)) return ((vm_handler *)(uintptr_t)(r).pc->ptr)((r).pc, (r).fp,        \
                                                                            (r).mem, (r).x)

static const union vm_word words[VM_IR_COUNT];

#define GO_TO(op, r)                                                                               \
    __attribute__((musttail)) return ((vm_handler *)(uintptr_t)words[op].ptr)((r).pc, (r).fp,      \
                                                                              (r).mem, (r).x)

/** Leaves the handlers: returns to dispatch. */
static VM_HANDLER_CC VM_NOINLINE VM_COLD void handle_stop(const union vm_word *pc,
                                                          union vm_slot *fp, u8 *mem,
                                                          struct vm_exec *x)
{
    (void)mem;
    x->now.pc = pc;
    x->now.fp = fp;
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
        if (stop & VM_GOTO) GO_TO(stop & 0xffff, r);                                               \
        x->stop = stop;                                                                            \
        __attribute__((musttail)) return handle_stop(r.pc, r.fp, r.mem, r.x);                      \
    }
#include "isa/ir_each.h"

#define TAIL_WORD(name) {.ptr = (const void *)&handle_##name}

static const union vm_word words[VM_IR_COUNT] = {
#define EACH(name) [VM_IR_##name] = TAIL_WORD(name),
#include "isa/ir_each.h"
};

static VM_NOINLINE u32 dispatch(struct vm_regs *r)
{
    struct vm_exec *x = r->x;
    ((vm_handler *)(uintptr_t)r->pc->ptr)(r->pc, r->fp, r->mem, x);
    r->pc = x->now.pc;
    r->fp = x->now.fp;
    return x->stop;
}

/* the build names the table: vm_backend_tail or vm_backend_tail_v3 */
const struct vm_backend VM_TAIL_TABLE = VM_BACKEND(words, TAIL_WORD, dispatch);
