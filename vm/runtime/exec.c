/* SPDX-License-Identifier: Apache-2.0 */
/* Value stacks and stack walks. Running is interp/enter.c's. */
#include "runtime/exec.h"

#include "isa/handlers.h"
#include "platform/vmem.h"

vm_status vm_exec_new(struct vm_store *store, struct vm_exec **out, struct vm_err *err)
{
    u64 page = vm_page_bytes();
    u64 least = (u64)(VM_BOTTOM_SLOTS + VM_FRAME_SLOTS) * sizeof(union vm_slot);
    u64 bytes = store->limits.stack_bytes > least ? store->limits.stack_bytes : least;
    if (bytes > SIZE_MAX / 4)
        return vm_err_set(err, VM_ERR_LIMIT, VM_NO_OFFSET, "a value stack of %llu bytes",
                          (unsigned long long)bytes);
    bytes = (bytes + page - 1) / page * page;
    struct vm_exec *x = vm_alloc_zero(store->alloc, sizeof *x);
    if (!x) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "exec");
    x->store = store;
    x->alloc = store->alloc;
    vm_wakeup_init(&x->waiter.wakeup);
    x->stack_bytes = bytes + page;
    x->stack = vm_reserve(x->stack_bytes);
    if (!x->stack || !vm_commit(x->stack, bytes)) {
        vm_exec_delete(x);
        return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "a value stack of %llu bytes",
                          (unsigned long long)bytes);
    }
    x->now.bottom = x->stack;
    x->stack_limit = x->stack + bytes / sizeof(union vm_slot);
    x->next = store->execs;
    x->back = &store->execs;
    if (x->next) x->next->back = &x->next;
    store->execs = x;
    *out = x;
    return VM_OK;
}

void vm_exec_delete(struct vm_exec *x)
{
    if (!x) return;
    vm_waiter_leave(&x->waiter);
    vm_wakeup_fini(&x->waiter.wakeup);
    if (x->back) *x->back = x->next;
    if (x->back && x->next) x->next->back = x->back;
    vm_release(x->stack, x->stack_bytes);
    vm_alloc_free(x->alloc, x, sizeof *x);
}

void vm_execs_forget_store(struct vm_store *store)
{
    struct vm_exec *next;
    for (struct vm_exec *x = store->execs; x; x = next) {
        next = x->next;
        x->store = NULL;
        x->next = NULL;
        x->back = NULL;
    }
    store->execs = NULL;
}

/** File offset of the instruction at or before `word`; of a chain, that of its part at `place`,
 *  or the last. */
static u32 offset_of(const struct vm_code *code, u32 word, u32 place)
{
    u32 lo = 0, hi = code->map_count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (code->map[mid].word <= word)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo) { /* one entry for each part that may trap */
        u32 first = lo - 1;
        while (first > 0 && code->map[first - 1].word == code->map[lo - 1].word) first--;
        if (place < lo - first) lo = first + place + 1;
    }
    return lo ? code->map[lo - 1].offset
              : code->set->program->module.bodies[code - code->set->codes].range.start;
}

/**
 * The code that `pc` (of an instruction, or behind a call) lies in: `code` itself unless the frame
 * was being entered, when pc still points outside of it.
 */
static struct vm_frame_info frame_info(const struct vm_code *code, const union vm_word *pc,
                                       bool behind, u32 place)
{
    struct vm_frame_info f = {.code = code};
    u32 word = 0;
    f.entered = code->words && pc >= code->words && pc <= code->words + code->word_count;
    if (f.entered) word = (u32)(pc - code->words) - (behind ? 1 : 0);
    f.offset = offset_of(code, word, place);
    return f;
}

void vm_exec_walk(const struct vm_exec *x, bool (*fn)(const struct vm_frame_info *, void *env),
                  void *env)
{
    struct vm_frame_at at = {.fp = x->now.fp, .pc = x->now.pc, .inst = x->now.inst};
    bool behind = x->stop == VM_STOP_HOST;
    u32 place = x->place;
    const union vm_word *foreign = vm_return_stub(x);
    while (at.fp) {
        const struct vm_code *code = at.fp[VM_FRAME_CODE].cptr;
        if (!code) return; /* the bottom */
        struct vm_frame_info info = frame_info(code, at.pc, behind, place);
        info.fp = at.fp;
        info.inst = at.inst;
        if (!fn(&info, env)) return;
        vm_frame_up(&at, foreign);
        behind = true;
        place = UINT32_MAX; /* the call, which is the last of its chain */
    }
}
