/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that need C: first calls, host functions, other instances, tail calls. */
#include "interp/slow.h"

#include "interp/enter.h"
#include "isa/handlers.h"
#include "translate/translate.h"

#include <stdio.h>
#include <string.h>

static void set_instance(struct vm_exec *x, struct vm_instance *inst)
{
    x->now.inst = inst;
    x->now.cells = inst ? inst->cells : NULL;
}

/** Stops at the call before `next`. */
static u32 stop_at_call(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, u32 stop)
{
    x->now.pc = next - 1; /* inside the call instruction, for the backtrace */
    x->now.fp = fp;
    return stop;
}

/** Room for a frame of `code` at `fp`. Ask after loading its entry (isa/code.h). */
static bool stack_fits(const struct vm_exec *x, const union vm_slot *fp, const struct vm_code *code)
{
    u32 frame_slots = atomic_load_explicit(&code->frame_slots, memory_order_relaxed);
    return fp <= x->stack_limit && (usize)(x->stack_limit - fp) >= frame_slots;
}

/** Goes to a function's first instruction; an interrupt stops there. */
static u32 go_to(struct vm_exec *x, const union vm_word *entry, union vm_slot *fp)
{
    x->now.pc = entry;
    x->now.fp = fp;
    return atomic_load_explicit(&x->interrupt, memory_order_relaxed) ? VM_STOP_INTERRUPT
                                                                     : VM_STOP_NONE;
}

/* ---- host functions */

u32 vm_slow_host(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args)
{
    struct vm_call call = {.exec = x, .inst = x->now.inst};
    x->now.pc = next;
    x->now.fp = fp;
    x->stop = VM_STOP_HOST; /* should the host ask for frames */
    x->trap = VM_TRAP_NONE;
    x->trap_text[0] = 0;
    x->exception = NULL;
    x->now.host_slots = args;
    x->now.host_func = f;
    /* release: whoever the host function tells of this call sees where its results go */
    atomic_store_explicit(&x->answer, VM_ANSWER_WAITING, memory_order_release);
    vm_status s = f->host(&call, args, f->env);
    if (VM_LIKELY(s != VM_PENDING))
        atomic_store_explicit(&x->answer, VM_ANSWER_NONE, memory_order_relaxed);
    if (VM_LIKELY(s == VM_OK && !VM_STRESS)) return VM_STOP_NONE;
    if (s == VM_PENDING && x->now.no_suspend) {
        vm_exec_drop_answer(x);
        return stop_at_call(x, next, fp, VM_TRAP_SUSPEND);
    }
    if (s == VM_EXCEPTION && x->exception) return vm_throw_at_call(x, x->exception);
    x->host_status = s;
    return VM_STOP_HOST;
}

/* ---- calls into other instances */

/** Writes the header of a frame that returns to another instance. */
static void foreign_header(struct vm_exec *x, union vm_slot *nfp, struct vm_instance *inst,
                           const void *ret, void *caller)
{
    nfp[VM_FRAME_RET].cptr = vm_return_stub(x);
    nfp[VM_FRAME_CALLER].ptr = nfp; /* the stub starts from the frame it returns from */
    nfp[VM_FRAME_INST].ptr = inst;
    nfp[VM_FRAME_REAL_RET].cptr = ret;
    nfp[VM_FRAME_REAL_CALLER].ptr = caller;
}

u32 vm_slow_return_foreign(struct vm_exec *x, union vm_slot *fp)
{
    set_instance(x, fp[VM_FRAME_INST].ptr);
    x->now.pc = fp[VM_FRAME_REAL_RET].cptr;
    x->now.fp = fp[VM_FRAME_REAL_CALLER].ptr;
    return VM_STOP_NONE;
}

u32 vm_slow_call(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args)
{
    if (f->host) return vm_slow_host(x, next, fp, f, args);
    const union vm_word *entry = atomic_load_explicit(&f->code->entry, memory_order_acquire);
    union vm_slot *nfp = args + f->below;
    if (!stack_fits(x, nfp, f->code)) return stop_at_call(x, next, fp, VM_TRAP_STACK);
    if (f->inst == x->now.inst) {
        nfp[VM_FRAME_RET].cptr = next;
        nfp[VM_FRAME_CALLER].ptr = fp;
    } else {
        foreign_header(x, nfp, x->now.inst, next, fp);
        set_instance(x, f->inst);
    }
    nfp[VM_FRAME_CODE].cptr = f->code;
    return go_to(x, entry, nfp);
}

/* ---- tail calls */

u32 vm_slow_tail(struct vm_exec *x, const union vm_word *next, union vm_slot *fp, struct vm_func *f,
                 union vm_slot *args, u32 n)
{
    if (f->host) return vm_slow_call(x, next, fp, f, args);
    const struct vm_code *code = fp[VM_FRAME_CODE].cptr;
    const union vm_word *entry = atomic_load_explicit(&f->code->entry, memory_order_acquire);
    union vm_slot *base = fp - code->below, *nfp = base + f->below;
    if (!stack_fits(x, nfp, f->code)) return stop_at_call(x, next, fp, VM_TRAP_STACK);
    union vm_slot header[VM_FRAME_SLOTS];
    memcpy(header, fp, sizeof header);
    if (n) memmove(base, args, (usize)n * sizeof *args);
    if (header[VM_FRAME_RET].cptr == vm_return_stub(x)) {
        foreign_header(x, nfp, header[VM_FRAME_INST].ptr, header[VM_FRAME_REAL_RET].cptr,
                       header[VM_FRAME_REAL_CALLER].ptr);
    } else if (f->inst != x->now.inst) {
        foreign_header(x, nfp, x->now.inst, header[VM_FRAME_RET].cptr, header[VM_FRAME_CALLER].ptr);
    } else {
        nfp[VM_FRAME_RET] = header[VM_FRAME_RET];
        nfp[VM_FRAME_CALLER] = header[VM_FRAME_CALLER];
    }
    nfp[VM_FRAME_CODE].cptr = f->code;
    if (f->inst != x->now.inst) set_instance(x, f->inst);
    return go_to(x, entry, nfp);
}

/* ---- indirect calls */

/** The function that an indirect call at `pc` means, or NULL and why not. spec exec-call_indirect
 */
static struct vm_func *callee(const struct vm_exec *x, const union vm_word *pc,
                              const union vm_slot *fp, vm_trap *trap)
{
    const struct vm_table *t = x->now.inst->tables[(u32)pc[2].w.lo];
    const union vm_slot *index = &fp[pc[1].st.a];
    u64 i = t->type.limits.is_64 ? index->u64 : index->u32;
    u32 type = (u32)pc[2].w.hi;
    *trap = i < t->size ? VM_TRAP_UNINIT_ELEM : VM_TRAP_UNDEFINED_ELEM;
    struct vm_func *f = i < t->size ? t->elems[i] : NULL;
    if (!f || f->type == type || vm_types_match(x->store->types, f->type, type)) return f;
    *trap = VM_TRAP_INDIRECT_TYPE;
    return NULL;
}

u32 vm_slow_call_indirect(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp)
{
    vm_trap trap;
    struct vm_func *f = callee(x, pc, fp, &trap);
    if (!f) return stop_at_call(x, pc + 3, fp, trap);
    return vm_slow_call(x, pc + 3, fp, f, fp + pc[1].st.target);
}

u32 vm_slow_tail_indirect(struct vm_exec *x, const union vm_word *pc, union vm_slot *fp)
{
    vm_trap trap;
    struct vm_func *f = callee(x, pc, fp, &trap);
    if (!f) return stop_at_call(x, pc + 4, fp, trap);
    return vm_slow_tail(x, pc + 4, fp, f, fp + pc[1].st.target, (u32)pc[3].u);
}

/* ---- first calls */

/** Translates under the program's lock; another thread may have been first. */
static vm_status translate(struct vm_code *code, struct vm_err *err)
{
    struct vm_program *p = code->set->program;
    struct vm_translate_env env = {.alloc = p->alloc,
                                   .module = &p->module,
                                   .canon = p->canon,
                                   .codes = code->set->codes,
                                   .mode = code->set->mode,
                                   .features = p->features & vm_features_executable()};
    struct vm_arena scratch;
    vm_status s = VM_OK;
    vm_arena_init(&scratch, p->alloc);
    (void)pthread_mutex_lock(&p->lock);
    if (!code->words) s = vm_translate(&env, code, &scratch, err);
    if (s == VM_OK) atomic_store_explicit(&code->entry, code->words, memory_order_release);
    (void)pthread_mutex_unlock(&p->lock);
    vm_arena_free(&scratch);
    return s;
}

/** "unsupported instruction: v128.add (offset 0x1234)" */
static u32 trap_unsupported(struct vm_exec *x, const struct vm_err *err)
{
    (void)snprintf(x->trap_text, sizeof x->trap_text, "%.80s (offset 0x%llx)", err->text,
                   (unsigned long long)err->offset);
    return VM_TRAP_UNSUPPORTED;
}

u32 vm_slow_lazy(struct vm_exec *x, union vm_slot *fp)
{
    struct vm_code *code = fp[VM_FRAME_CODE].ptr;
    struct vm_err err;
    vm_err_init(&err);
    vm_status s = translate(code, &err);
    x->now.fp = fp;
    x->now.pc = atomic_load_explicit(&code->entry, memory_order_acquire);
    if (s == VM_OOM) return VM_STOP_OOM;
    if (s == VM_LIMIT) return VM_STOP_LIMIT;
    if (s != VM_OK) return trap_unsupported(x, &err);
    return stack_fits(x, fp, code) ? (u32)VM_STOP_NONE : (u32)VM_TRAP_STACK;
}

u32 vm_slow_link(struct vm_exec *x, union vm_slot *fp)
{
    struct vm_code *code = fp[VM_FRAME_CODE].ptr;
    u32 stop = vm_slow_lazy(x, fp);
    /* where it was called, the last word before what it returns to */
    union vm_word *call = (union vm_word *)fp[VM_FRAME_RET].ptr - 1;
    const union vm_word *entry = atomic_load_explicit(&code->entry, memory_order_acquire);
    if (stop == VM_STOP_NONE) atomic_store_explicit(&call->entry, entry, memory_order_release);
    return stop;
}
