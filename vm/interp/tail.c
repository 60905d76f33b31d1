/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast dispatcher: one function per internal instruction, each ending in a guaranteed tail call
 * of the next. Compiled once for the baseline and, on x86-64, once for x86-64-v3, there without
 * those that would be the same. Where the program has to be small (VM_TAIL_ONCE) each chain is in
 * one of both only: those with vectors in the latter, all others in the former. One expansion:
 *
 *   static VM_HANDLER_CC void handle_mov_s(pc, fp, mem, x, acc, facc, vacc)
 *   {
 *       struct vm_regs r = {pc, fp, mem, x, acc, facc, vacc};
 *       u32 stop = step_mov_s(&r);
 *       if (stop == VM_STOP_NONE) musttail return (r.pc->ptr)(r.pc, r.fp, r.mem, r.x, …);
 *       if (stop == VM_TAKEN) musttail return (r.pc->ptr)(r.pc, r.fp, r.mem, r.x, …);
 *       musttail return handle_stop(r.pc, r.fp, (u8 *)stop, r.x, …);
 *   }
 */
#include "interp/dispatch.h"
#include "interp/profile.h"
#include "interp/step_control.h"

#ifndef VM_TAIL_TABLE
#define VM_TAIL_TABLE vm_backend_tail
#endif

/* Which rows of ir_each.h this table has handlers for (the first), and which are another's. */
#define HERE(here, there) here
#define THERE(here, there) there
#if VM_TAIL_ONCE
#define IF_TWICE THERE
#else
#define IF_TWICE HERE
#endif
#ifdef VM_TAIL_ALIKE
#define IF_ALIKE THERE
#define IF_LEVELS IF_TWICE
#define IF_CHAIN_VECTORS HERE
#else
#define IF_ALIKE HERE
#define IF_LEVELS HERE
#define IF_CHAIN_VECTORS IF_TWICE
#endif

/* How well jumps are guessed depends on the handlers' places in their pages: there they stay where
 * they are, whatever is linked beside them, and those of two tables, which take turns, do not begin
 * at the same place (docs/decisions/0012-handlers-alike.md). */
#ifdef VM_TAIL_ALIKE
__asm__(".pushsection .text\n.p2align 12\n.skip 96\n.popsection\n");
#else
__asm__(".pushsection .text\n.p2align 12\n.popsection\n");
#endif

#define PARAMETER(n, T) , T pin##n
#define ARGUMENT(n, T) , r.pin##n /* r is what DISPATCH has, too */
#define MEMBER(n, T) , pin##n
#define SAVE(n, T) x->now.pins[n - 1].T = pin##n;
#define RESTORE(n, T) r->pin##n = x->now.pins[n - 1].T;
#define MEMBER_OF(n, T) , r->pin##n

typedef VM_HANDLER_CC void vm_handler(const union vm_word *pc, union vm_slot *fp, u8 *mem,
                                      struct vm_exec *x, u64 acc, f64 facc,
                                      v128 vacc VM_EACH_PIN(PARAMETER));

#define DISPATCH(handler)                                                                          \
    __attribute__((musttail)) return ((vm_handler *)(uintptr_t)(handler))(                         \
        r.pc, r.fp, r.mem, r.x, r.acc, r.facc, r.vacc VM_EACH_PIN(ARGUMENT))

/* the build names the tables: vm_backend_tail or vm_backend_tail_v3, and vm_handlers_of_… */
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define HANDLERS JOIN(vm_handlers_of_, VM_TAIL_TABLE)
#define HIDDEN __attribute__((visibility("hidden")))
extern const i32 HANDLERS[VM_IR_COUNT] HIDDEN, vm_handlers_of_vm_backend_tail[VM_IR_COUNT] HIDDEN;

/** Of those that each table has. */
VM_INLINE const void *vm_handler_of(vm_ir op)
{
    return (const char *)(HANDLERS + op) + HANDLERS[op];
}

/** Leaves the handlers: returns to dispatch. Why is in the place of `mem`, which is read anew. */
static VM_HANDLER_CC VM_NOINLINE VM_COLD void handle_stop(const union vm_word *pc,
                                                          union vm_slot *fp, u8 *mem,
                                                          struct vm_exec *x, u64 acc, f64 facc,
                                                          v128 vacc VM_EACH_PIN(PARAMETER))
{
    x->stop = (u32)(uintptr_t)mem;
    x->now.pc = pc;
    x->now.fp = fp;
    x->now.acc = acc;
    x->now.facc = facc;
    put_v128(x->now.vacc, vacc);
    VM_EACH_PIN(SAVE)
}

#define EACH(name)                                                                                 \
    __attribute__((used)) static VM_HANDLER_CC void handle_##name(                                 \
        const union vm_word *pc, union vm_slot *fp, u8 *mem, struct vm_exec *x, u64 acc, f64 facc, \
        v128 vacc VM_EACH_PIN(PARAMETER))                                                          \
    {                                                                                              \
        struct vm_regs r = {pc, fp, mem, x, acc, facc, vacc VM_EACH_PIN(MEMBER)};                  \
        VM_PROFILE_RUN(VM_IR_##name, pc, fp);                                                      \
        u32 stop = step_##name(&r);                                                                \
        if (VM_LIKELY(stop == VM_STOP_NONE)) DISPATCH(r.pc->ptr);                                  \
        if (VM_LIKELY(stop == VM_TAKEN)) {                                                         \
            VM_PROFILE_TAKEN();                                                                    \
            __asm__ volatile("" : "+r"(r.pc)); /* keeps the two dispatches apart */                \
            DISPATCH(r.pc->ptr);                                                                   \
        }                                                                                          \
        if (stop & VM_GOTO) DISPATCH(vm_handler_of((vm_ir)(stop & 0xffff)));                       \
        r.mem = (u8 *)(uintptr_t)stop; /* shorter than a store, here where text is scarce */       \
        DISPATCH(&handle_stop);                                                                    \
    }
#define EACH_CHAIN EACH
#define EACH_ALIKE(name) IF_ALIKE(EACH(name), )
#define EACH_LEVELS(name) IF_LEVELS(EACH(name), )
#define EACH_CHAIN_ALIKE(name) IF_ALIKE(EACH(name), )
#define EACH_CHAIN_LEVELS(name) IF_LEVELS(EACH(name), )
#define EACH_CHAIN_VECTORS(name) IF_CHAIN_VECTORS(EACH(name), )
#include "isa/ir_each.h"

#define TAIL_WORD(name) {.ptr = (const void *)&handle_##name}

/* In the order of enum vm_ir, which is made in the same two passes. */
__asm__(".pushsection .rodata." TEXT(
    HANDLERS) ",\"a\"\n"
              ".balign 4\n"
              ".hidden " TEXT(HANDLERS) "\n"
                                        ".globl " TEXT(HANDLERS) "\n" TEXT(HANDLERS) ":\n");
#define DISTANCE(name) __asm__(".long handle_" #name " - .\n");
#define NOT_HERE __asm__(".long 0\n");
#define EACH DISTANCE
#define EACH_ALIKE(name) IF_ALIKE(DISTANCE(name), NOT_HERE)
#define EACH_LEVELS(name) IF_LEVELS(DISTANCE(name), NOT_HERE)
#include "isa/ir_each.h"
#define EACH(name)
#define EACH_CHAIN DISTANCE
#define EACH_CHAIN_ALIKE(name) IF_ALIKE(DISTANCE(name), NOT_HERE)
#define EACH_CHAIN_LEVELS(name) IF_LEVELS(DISTANCE(name), NOT_HERE)
#define EACH_CHAIN_VECTORS(name) IF_CHAIN_VECTORS(DISTANCE(name), NOT_HERE)
#include "isa/ir_each.h"
__asm__(".popsection\n");

static VM_NOINLINE u32 dispatch(struct vm_regs *r)
{
    struct vm_exec *x = r->x;
    ((vm_handler *)(uintptr_t)r->pc->ptr)(r->pc, r->fp, r->mem, x, r->acc, r->facc,
                                          r->vacc VM_EACH_PIN(MEMBER_OF));
    r->pc = x->now.pc;
    r->fp = x->now.fp;
    r->acc = x->now.acc;
    r->facc = x->now.facc;
    r->vacc = get_v128(x->now.vacc);
    VM_EACH_PIN(RESTORE)
    return x->stop;
}

const struct vm_backend VM_TAIL_TABLE =
    VM_BACKEND(HANDLERS, vm_handlers_of_vm_backend_tail, VM_IR_COUNT, TAIL_WORD, dispatch);
