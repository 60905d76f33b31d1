/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accumulators across labels. Where branches meet: what all of them have. Loops: their iterations
 * hand a local (no v128) on in an accumulator; which one is found by a short look at the bytes
 * ahead. Nothing here emits code; a wrong guess costs an instruction, never a result.
 */
#include "binary/module.h"
#include "translate/ahead.h"

/*
 * What of it is on (CMAKE_C_FLAGS=-DVM_CARRY=0: nothing). Loops lost on the whole when measured
 * (decision 0007); stress builds have them on, so that the code stays right.
 */
#ifndef VM_CARRY
#if defined(VM_STRESS) && VM_STRESS
#define VM_CARRY (CARRY_INT | CARRY_F64 | CARRY_LABELS)
#else
#define VM_CARRY CARRY_LABELS
#endif
#endif
enum { CARRY_INT = 1, CARRY_F64 = 2 /* in loops */, CARRY_LABELS = 4 /* forward branches */ };

enum { AHEAD_MAX = 64 /* instructions */, LABELS_MAX = 16, READ_MAX = 8, DEPTH_MAX = 12 };

/** Locals that are read before the first write to one of their class. */
struct reads {
    i32 slot[READ_MAX];
    u32 count;
    bool closed;
};

/** What the accumulators have where branches come together. */
struct meeting {
    struct vm_carried have;
    bool reached;
};

/** A walk over the body of a loop; follows what the emitter will do to the accumulators. */
struct ahead {
    const struct vm_lower *l;
    struct vm_ahead bytes;
    u32 depth; /* blocks open inside the loop */
    struct meeting ends[DEPTH_MAX], elses[DEPTH_MAX]; /* of the blocks: ends, and the ifs' else */
    bool loops[DEPTH_MAX]; /* a block that is one */
    u32 dead; /* blocks open in dead code, plus one; 0: live */
    bool done;
    bool is_test, was_test; /* this instruction, the one before: a comparison */
    i32 before_test; /* acc before the comparison, which a branch takes in */
    enum vm_class made; /* accumulator that a set of the topmost operand leaves it in */
    struct vm_carried now, found;
    struct reads reads, freads;
};

static void forget_all(struct ahead *a)
{
    a->now = VM_CARRIES_NOTHING;
    a->made = VM_CLASS_INT; /* what calls and labels leave is moved as an integer */
}

static void close_all(struct ahead *a)
{
    forget_all(a);
    a->reads.closed = a->freads.closed = true;
}

static void arrive(struct meeting *m, struct vm_carried have)
{
    if (m->reached && m->have.acc != have.acc) have.acc = VM_NO_SLOT;
    if (m->reached && m->have.facc != have.facc) have.facc = VM_NO_SLOT;
    *m = (struct meeting){have, true};
}

/** Goes on with what is known where branches have come together. */
static void leave(struct ahead *a, const struct meeting *m)
{
    a->now = m->have;
    a->made = VM_CLASS_INT;
    a->dead = m->reached ? 0 : 1;
}

/* ---- what instructions do to the accumulators */

static bool is_known(struct ahead *a)
{
    if (a->bytes.imm >= a->l->local_count) a->bytes.failed = true;
    return !a->bytes.failed;
}

static void on_read(struct ahead *a)
{
    a->made = VM_CLASS_INT; /* whatever its type: moved as 64 bits */
    if (!is_known(a)) return;
    vm_valtype type = a->l->local_types[a->bytes.imm];
    struct reads *r = type == VM_F64 ? &a->freads : &a->reads;
    if (r->closed || r->count == READ_MAX) return;
    r->slot[r->count++] = a->l->local_slots[a->bytes.imm];
}

static void on_write(struct ahead *a)
{
    if (!is_known(a)) return;
    i32 slot = a->l->local_slots[a->bytes.imm];
    if (a->now.acc == slot) a->now.acc = VM_NO_SLOT;
    if (a->now.facc == slot) a->now.facc = VM_NO_SLOT;
    if (a->made == VM_CLASS_INT) {
        a->now.acc = slot;
        a->reads.closed = true;
    } else if (a->made == VM_CLASS_F64) {
        a->now.facc = slot;
        a->freads.closed = true;
    }
    a->made = VM_CLASS_INT; /* a tee leaves a local */
}

static void on_part(struct ahead *a, vm_part part)
{
    const struct vm_part_info *info = vm_part_info(part);
    if (info->result == VM_CLASS_NONE) return;
    a->made = (enum vm_class)info->result;
    if (a->made == VM_CLASS_F64) a->now.facc = VM_NO_SLOT;
    if (a->made != VM_CLASS_INT) return;
    a->is_test = vm_part_tests(part);
    if (!a->was_test) a->before_test = a->now.acc;
    a->now.acc = VM_NO_SLOT;
}

static void on_branch(struct ahead *a)
{
    if (a->was_test) a->now.acc = a->before_test;
    if (a->bytes.imm == a->depth) a->found = a->now;
    if (a->bytes.imm < a->depth && !a->loops[a->depth - 1 - a->bytes.imm])
        arrive(&a->ends[a->depth - 1 - a->bytes.imm], a->now);
}

static void on_block(struct ahead *a, vm_op op)
{
    if (a->depth == DEPTH_MAX) {
        a->bytes.failed = true;
        return;
    }
    if (op == VM_OP_LOOP) close_all(a);
    if (a->was_test && op == VM_OP_IF) a->now.acc = a->before_test;
    a->loops[a->depth] = op == VM_OP_LOOP;
    a->ends[a->depth] = a->elses[a->depth] = (struct meeting){.reached = false};
    if (op == VM_OP_IF) arrive(&a->elses[a->depth], a->now);
    a->depth++;
}

static void on_end(struct ahead *a)
{
    if (a->depth == 0) {
        a->done = true;
        return;
    }
    a->depth--;
    struct meeting *m = &a->ends[a->depth];
    if (!a->dead) arrive(m, a->now);
    if (a->elses[a->depth].reached) arrive(m, a->elses[a->depth].have);
    leave(a, m);
}

static void on_else(struct ahead *a)
{
    if (a->depth == 0) {
        a->bytes.failed = true;
        return;
    }
    struct meeting *m = &a->elses[a->depth - 1];
    if (!a->dead) arrive(&a->ends[a->depth - 1], a->now);
    leave(a, m);
    m->reached = false;
}

/** In dead code only the nesting of blocks matters. */
static void on_dead(struct ahead *a, vm_op op)
{
    if (op == VM_OP_BLOCK || op == VM_OP_LOOP || op == VM_OP_IF) a->dead++;
    if (a->dead > 1 && op == VM_OP_END)
        a->dead--;
    else if (a->dead == 1 && op == VM_OP_END)
        on_end(a);
    else if (a->dead == 1 && op == VM_OP_ELSE)
        on_else(a);
}

static void on_other(struct ahead *a, vm_op op)
{
    switch (op) {
    case VM_OP_BR:
        on_branch(a);
        a->dead = 1;
        break;
    case VM_OP_BR_TABLE:
    case VM_OP_RETURN:
    case VM_OP_RETURN_CALL:
    case VM_OP_RETURN_CALL_INDIRECT:
    case VM_OP_UNREACHABLE: a->dead = 1; break;
    case VM_OP_BR_IF: on_branch(a); break;
    case VM_OP_BLOCK:
    case VM_OP_LOOP:
    case VM_OP_IF: on_block(a, op); break;
    case VM_OP_ELSE: on_else(a); break;
    case VM_OP_END: on_end(a); break;
    case VM_OP_GLOBAL_GET:
    case VM_OP_SELECT:
        a->now.acc = VM_NO_SLOT;
        a->made = VM_CLASS_INT;
        break;
    case VM_OP_I32_CONST:
    case VM_OP_I64_CONST:
    case VM_OP_F32_CONST:
    case VM_OP_F64_CONST: a->made = VM_CLASS_INT; break;
    case VM_OP_NOP:
    case VM_OP_DROP:
    case VM_OP_GLOBAL_SET:
    case VM_OP_I32_REINTERPRET_F32:
    case VM_OP_I64_REINTERPRET_F64:
    case VM_OP_F32_REINTERPRET_I32:
    case VM_OP_F64_REINTERPRET_I64: break;
    default: close_all(a); break; /* calls, bulk operations */
    }
}

static void on_op(struct ahead *a, vm_op op)
{
    vm_part part;
    vm_valtype result;
    a->was_test = a->is_test;
    a->is_test = false;
    if (a->dead)
        on_dead(a, op);
    else if (op == VM_OP_LOCAL_GET)
        on_read(a);
    else if (op == VM_OP_LOCAL_SET || op == VM_OP_LOCAL_TEE)
        on_write(a);
    else if (vm_part_of(op, &part, &result))
        on_part(a, part);
    else
        on_other(a, op);
}

/* ---- the choice */

static bool has(const struct reads *r, i32 slot)
{
    for (u32 i = 0; i < r->count; i++)
        if (r->slot[i] == slot) return true;
    return false;
}

struct vm_carried vm_carry_choose(const struct vm_lower *l)
{
    const struct vm_carried none = VM_CARRIES_NOTHING;
    if (!(VM_CARRY & (CARRY_INT | CARRY_F64)) || l->far || l->backend->ops <= VM_IR_GENERIC_COUNT)
        return none;
    struct ahead a = {.l = l, .bytes = vm_ahead_from(l, l->offset), .found = none};
    a.bytes.labels_max = LABELS_MAX;
    forget_all(&a);
    (void)vm_ahead_next(&a.bytes); /* the loop */
    for (u32 i = 0; i < AHEAD_MAX && !a.bytes.failed && !a.done; i++) {
        vm_op op = vm_ahead_next(&a.bytes);
        if (!a.bytes.failed) on_op(&a, op);
    }
    if (!a.done) return none;
    if (!(VM_CARRY & CARRY_INT) || !has(&a.reads, a.found.acc)) a.found.acc = VM_NO_SLOT;
    if (!(VM_CARRY & CARRY_F64) || !has(&a.freads, a.found.facc)) a.found.facc = VM_NO_SLOT;
    return a.found;
}

struct vm_carried vm_carry_meet(const struct vm_lower *l, struct vm_carried have)
{
    const struct vm_tail *t = &l->tail;
    if (!(VM_CARRY & CARRY_LABELS)) return VM_CARRIES_NOTHING;
    if (t->ended) return have;
    if (t->has.acc != have.acc) have.acc = VM_NO_SLOT;
    if (t->has.facc != have.facc) have.facc = VM_NO_SLOT;
    if (t->has.vacc != have.vacc) have.vacc = VM_NO_SLOT;
    return have;
}

bool vm_carry_matches(struct vm_carried have, struct vm_carried want)
{
    return (want.acc == VM_NO_SLOT || have.acc == want.acc) &&
           (want.facc == VM_NO_SLOT || have.facc == want.facc);
}

u32 vm_carry_imm(struct vm_carried c)
{
    u16 acc = c.acc == VM_NO_SLOT ? 0 : (u16)c.acc, facc = c.facc == VM_NO_SLOT ? 0 : (u16)c.facc;
    return acc | (u32)facc << 16;
}
