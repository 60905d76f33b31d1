/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops that begin with a br_table on a local: how compilers write control flow that is not
 * structured (Go's, and what undoes irreducible graphs). A branch to such a loop that comes with a
 * known value in the local goes to where the table would send it. One loop at a time, the
 * outermost.
 */
#include "translate/lower.h"

void vm_switch_begin(struct vm_lower *l, const struct vm_operand *index, const struct vm_insn *in)
{
    struct vm_switch *s = &l->chosen;
    const struct vm_label_frame *frames = l->frames.data;
    u32 at = l->frames.len, n = in->imm.table.count + 1;
    if (s->loop != VM_NO_INDEX || index->where != VM_IN_LOCAL) return;
    while (at > 0 && frames[at - 1].op == VM_OP_BLOCK && !frames[at - 1].param_count &&
           !frames[at - 1].result_count)
        at--;
    if (at == 0 || frames[at - 1].op != VM_OP_LOOP || frames[at - 1].param_count) return;
    if (l->words.len != frames[at - 1].loop_start) return; /* the loop does something before */
    u32 blocks = l->frames.len - at;
    s->targets.len = s->ends.len = 0;
    if (!VM_VEC_RESERVE(l->env->alloc, &s->targets, n) ||
        !VM_VEC_RESERVE(l->env->alloc, &s->ends, (usize)blocks + 1)) {
        l->status = VM_OOM;
        return;
    }
    const u8 *p = in->imm.table.raw;
    for (u32 i = 0; i < n; i++) {
        u32 depth = vm_next_label(&p);
        u32 target = depth < blocks ? l->frames.len - 1 - depth : VM_NO_INDEX;
        VM_VEC_PUSH(&s->targets, target);
    }
    for (u32 i = 0; i < blocks; i++) VM_VEC_PUSH(&s->ends, VM_NO_INDEX);
    s->loop = at - 1;
    s->local = index->local;
    s->open = l->frames.len;
    s->known = false;
}

void vm_switch_wrote(struct vm_lower *l, u32 local, const struct vm_operand *o)
{
    struct vm_switch *s = &l->chosen;
    if (local != s->local) return;
    s->known = o->where == VM_IN_CONST;
    s->value = (u32)o->bits;
}

void vm_switch_end(struct vm_lower *l)
{
    struct vm_switch *s = &l->chosen;
    u32 frame = l->frames.len - 1;
    if (s->loop == VM_NO_INDEX || frame + 1 != s->open) return;
    s->open = frame;
    if (frame == s->loop) {
        s->loop = s->local = VM_NO_INDEX;
        return;
    }
    s->ends.data[frame - s->loop - 1] = l->words.len;
    vm_emit_barrier(l); /* branches may come from further on */
}

u32 vm_switch_follow(struct vm_lower *l, struct vm_label_frame **f)
{
    const struct vm_switch *s = &l->chosen;
    if (!s->known || s->loop == VM_NO_INDEX || *f != &l->frames.data[s->loop]) return VM_NO_INDEX;
    u32 last = s->targets.len - 1;
    u32 target = s->targets.data[s->value < last ? s->value : last];
    if (target == VM_NO_INDEX) return VM_NO_INDEX;
    if (target >= s->open) return s->ends.data[target - s->loop - 1];
    *f = &l->frames.data[target];
    return VM_NO_INDEX;
}

void vm_switch_free(struct vm_lower *l)
{
    VM_VEC_FREE(l->env->alloc, &l->chosen.targets);
    VM_VEC_FREE(l->env->alloc, &l->chosen.ends);
}
