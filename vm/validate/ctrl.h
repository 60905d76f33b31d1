/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker's state: value stack, control stack, locals, and the pops and pushes all rules are
 * written with. Private to validate/; no rule of any one instruction lives here.
 * spec validation-algorithm (appendix)
 */
#ifndef VM_VALIDATE_CTRL_H
#define VM_VALIDATE_CTRL_H

#include <string.h>

#include "binary/cursor.h"
#include "validate/constexpr.h"
#include "validate/sink.h"

/** What a plain instruction may push at most: so much room is made before each one. */
enum { VM_WALK_ROOM = 8 };

/** So much the walker itself has room for; what is larger moves to scratch. */
enum { VM_FIRST_VALUES = 256, VM_FIRST_CTRLS = 16, VM_FIRST_LOCALS = 64, VM_FIRST_RUNS = 8 };

/** `op` of the outermost control frame: a function body or a constant expression. */
enum { VM_CTRL_BODY = VM_OP_COUNT };

/**
 * Stands on the value stack right below every floor, and once more at the bottom. No value has this
 * type: what compares types from the top down needs not look for the floor.
 */
enum { VM_MARK = 0xff };

/** The non-null reference made from a value of unknown type; below every reference type. */
#define VM_REF_BOT VM_REFTYPE(false, VM_HEAP_ABSTRACT)

enum vm_bt_kind {
    VM_BT_EMPTY, /* no types */
    VM_BT_VALUE, /* one result: `type` is a vm_valtype */
    VM_BT_INDEX  /* `type` is the index of a function type */
};

/** One open block. 16 bytes, because a hostile body nests by the million. */
struct vm_ctrl {
    u32 height; /* of the value stack, below the block's parameters and above its mark */
    u32 inits;  /* length of the walker's set-stack at entry */
    u32 type;   /* as bt_kind says */
    u16 op;     /* vm_op that began this arm: block, loop, if, else, try, catch … */
    u8 bt_kind; /* enum vm_bt_kind */
    bool unreachable : 1; /* the rest of this arm: the stack is polymorphic */
    bool dead : 1;        /* the whole block stands in unreachable code */
};

/** `end` is the number of the first local behind the run. Parameters have no runs. */
struct vm_local_run {
    u32 end;
    vm_valtype type;
};

struct vm_locals {
    const vm_valtype *types; /* of the first `expanded`: all when there is a sink */
    u32 count, expanded;
    const struct vm_functype *func; /* for parameters behind `expanded`; NULL in constants */
    const struct vm_local_run *runs;
    u32 run_count;
    bool need_value; /* some have no default value and must be set first */
    u64 *set_bits;   /* those of them that were set; NULL: none yet */
    u32 *sets;  /* locals set since, in order, to be undone at the end of their block */
    u32 set_count, set_cap;
};

/** Checked parameter and result lists; pointers may point into the control stack. */
struct vm_types_view {
    const vm_valtype *types;
    u32 count;
};

/** Caller's storage, one body at a time, never copied; what it has no room for is in `scratch`. */
struct vm_walker {
    const struct vm_module *m;
    vm_features features;
    struct vm_arena *scratch;
    const struct vm_sink *sink; /* or NULL */
    void *sink_ctx;
    struct vm_cursor c;
    vm_status status; /* of the first failure */

    /* Values: sp is one past the top; below `floor` lie those of the blocks around. */
    vm_valtype *stack, *sp, *floor, *limit;
    struct vm_ctrl *ctrls, *top; /* top: innermost */
    u32 ctrl_count, ctrl_cap;
    struct vm_locals locals;
    struct vm_insn insn;
    bool plain_memory; /* there is a memory 0 and its addresses are i32 */
    u8 bt_kind; /* of the block type just read */
    u32 bt_type;

    /* Bit set: structs whose fields all have default values; NULL: look at the fields. */
    const u64 *defaultable;
    /* Constant expressions only. */
    bool is_const;
    u32 visible_globals; /* global.get may name those below */
    u64 *declare;        /* functions named are added here; NULL: not wanted */
    struct vm_module *note; /* declarations: takes unsupported_const; NULL: nobody asks */

    vm_valtype first_values[VM_FIRST_VALUES];
    struct vm_ctrl first_ctrls[VM_FIRST_CTRLS];
    vm_valtype first_locals[VM_FIRST_LOCALS];
    struct vm_local_run first_runs[VM_FIRST_RUNS];
};

/** A check reads nothing but immediates left to it, changes the stacks, answers false on error. */
typedef bool vm_check_fn(struct vm_walker *w);

/* -------- failures: all record the first error and return false */

/** Error `id` at the current instruction, with a printf-style detail or NULL. */
bool vm_walk_fail(struct vm_walker *w, vm_error_id id, const char *detail, ...) VM_PRINTF(3, 4)
    VM_COLD;
/** Error `id` at the read position. */
bool vm_walk_fail_here(struct vm_walker *w, vm_error_id id) VM_COLD;
/** An instruction's index is out of range: the detail is the index. */
bool vm_walk_fail_index(struct vm_walker *w, vm_error_id id, u32 index) VM_COLD;
bool vm_walk_fail_oom(struct vm_walker *w) VM_COLD;
/** "type mismatch: <op> expects <want> but got <got>". */
bool vm_walk_mismatch(struct vm_walker *w, vm_valtype want, vm_valtype got) VM_COLD;
/** What is named so needs a feature that is off: VM_ERR_UNSUPPORTED. */
bool vm_walk_fail_need(struct vm_walker *w, vm_feature need, const char *what) VM_COLD;
/** Takes over the failure of the cursor. */
bool vm_walk_fail_cursor(struct vm_walker *w) VM_COLD;

/* -------- room */

/** Values on the stack, marks not counted. */
VM_INLINE usize vm_walk_depth(const struct vm_walker *w)
{
    return (usize)(w->sp - w->stack) - w->ctrl_count - 1;
}

/** Room for `count` pushes and VM_WALK_ROOM more. */
bool vm_walk_reserve_slow(struct vm_walker *w, u32 count);
VM_INLINE bool vm_walk_reserve(struct vm_walker *w, u32 count)
{
    return VM_LIKELY((usize)(w->limit - w->sp) >= (usize)count + VM_WALK_ROOM) ||
           vm_walk_reserve_slow(w, count);
}
/** A larger zeroed array in scratch with the `used` bytes of `old` copied; NULL: out of memory. */
void *vm_walk_grow(struct vm_walker *w, const void *old, usize used, usize bytes);

/* -------- values */

/** Is a value of type `got` good where `want` is expected? */
VM_INLINE bool vm_walk_matches(const struct vm_walker *w, vm_valtype got, vm_valtype want)
{
    if (got == want || got == VM_BOT) return true;
    if (got == VM_REF_BOT) return vm_valtype_is_ref(want);
    return vm_valtype_matches(&w->m->types, got, want);
}

/** Room has been made. */
VM_INLINE bool vm_push(struct vm_walker *w, vm_valtype t)
{
    *w->sp++ = t;
    return true;
}
bool vm_pop_slow(struct vm_walker *w, vm_valtype want, vm_valtype *got);
/** Pops a value good for `want`. */
VM_INLINE bool vm_pop(struct vm_walker *w, vm_valtype want)
{
    if (VM_LIKELY(w->sp > w->floor && w->sp[-1] == want)) {
        w->sp--;
        return true;
    }
    vm_valtype got;
    return vm_pop_slow(w, want, &got);
}
/** Pops any value; VM_BOT where the stack is polymorphic. */
bool vm_pop_any(struct vm_walker *w, vm_valtype *got);
/** Pops a reference of any type: its type or VM_BOT. */
bool vm_pop_ref(struct vm_walker *w, vm_valtype *got);
/** Pops a reference that matches `want`; *got is its own type or VM_BOT. */
bool vm_pop_as(struct vm_walker *w, vm_valtype want, vm_valtype *got);
/** Pops a whole list, last type first. */
bool vm_pop_types(struct vm_walker *w, struct vm_types_view v);
bool vm_push_types(struct vm_walker *w, struct vm_types_view v);
/** Do the topmost values match the list? Pops nothing. */
bool vm_peek_types(struct vm_walker *w, struct vm_types_view v);
/** The topmost values match the list and become exactly it. */
bool vm_retype(struct vm_walker *w, struct vm_types_view v);

/* -------- control */

static inline struct vm_types_view vm_func_params(const struct vm_functype *f)
{
    return (struct vm_types_view){f->types, f->param_count};
}
static inline struct vm_types_view vm_func_results(const struct vm_functype *f)
{
    return (struct vm_types_view){f->types + f->param_count, f->result_count};
}
struct vm_types_view vm_ctrl_params(const struct vm_walker *w, const struct vm_ctrl *c);
struct vm_types_view vm_ctrl_results(const struct vm_walker *w, const struct vm_ctrl *c);
/** What a branch to this block takes. */
struct vm_types_view vm_ctrl_label(const struct vm_walker *w, const struct vm_ctrl *c);
/** The control frame `depth` blocks out, or a failure "unknown label". */
const struct vm_ctrl *vm_ctrl_at(struct vm_walker *w, u32 depth);
/** Opens a block; its parameters are popped already and are pushed here. */
bool vm_ctrl_push(struct vm_walker *w, u16 op, u8 bt_kind, u32 type);
/** Checks the end of the innermost arm: its results are there and nothing else. */
bool vm_ctrl_finish(struct vm_walker *w);
/** Forgets the innermost frame after vm_ctrl_finish; pushes nothing. */
void vm_ctrl_pop(struct vm_walker *w);
/** Begins another arm of the innermost block: else, catch, catch_all. */
void vm_ctrl_next_arm(struct vm_walker *w, u16 op);
/** The rest of the block cannot be reached. */
bool vm_ctrl_unreachable(struct vm_walker *w);
/** Describes the innermost block in insn.block. */
void vm_ctrl_describe(struct vm_walker *w);

/* -------- locals (locals.c) */

vm_valtype vm_local_type_slow(const struct vm_walker *w, u32 index);
VM_INLINE vm_valtype vm_local_type(const struct vm_walker *w, u32 index)
{
    return VM_LIKELY(index < w->locals.expanded) ? w->locals.types[index]
                                                 : vm_local_type_slow(w, index);
}
/** Has a default value: everything but non-null references. */
static inline bool vm_type_is_defaultable(vm_valtype t) { return vm_valtype_kind(t) != VM_REF; }
bool vm_local_is_set_slow(const struct vm_walker *w, u32 index);
/** True unless the local needs a value and has none yet. */
static inline bool vm_local_is_set(const struct vm_walker *w, u32 index)
{
    return VM_LIKELY(!w->locals.need_value) || vm_local_is_set_slow(w, index);
}
/** Notes that a local was set, until the end of the block; only when some need a value. */
bool vm_local_mark_set(struct vm_walker *w, u32 index);
/** Forgets all but the first `count` notes: linear in what it forgets. */
void vm_local_undo_sets(struct vm_walker *w, u32 count);
/** Reads the declarations of a body at the cursor and fills w->locals. */
bool vm_locals_read(struct vm_walker *w, u32 func_idx);

/* -------- the walk (walk.c) and its table (check.c) */

/** A row of wasm_ops.def packed for checking; 16 bytes. */
struct vm_rule {
    u8 imm, feature, align;
    u8 pops, pushes;
    u8 types[6]; /* pops, then pushes: the kind byte of a value type, or VM_RULE_ADDR */
    u8 pad[5];
};

/** One row more, of VM_OP_ILLEGAL, with nothing in it. */
extern const struct vm_rule vm_rules[VM_OP_COUNT + 1];
/** The rule of the current instruction, written by hand or plain. */
bool vm_check_insn(struct vm_walker *w);
/** The operands and results of its row alone. */
bool vm_check_signature(struct vm_walker *w);

/** Empty stacks with one outermost frame; keeps m, features, scratch, sink and err. */
bool vm_walk_begin(struct vm_walker *w, u8 bt_kind, u32 type);
/** Reads the opcode: false on an illegal or disabled one. Sets insn.op and insn.offset. */
bool vm_walk_opcode(struct vm_walker *w);
/** Reads immediates, checks, tells the sink. */
bool vm_walk_insn(struct vm_walker *w);
/** As many instructions as short cuts serve (quick.c); false when the sink stops the walk. */
bool vm_walk_quickly(struct vm_walker *w);
/** Hands insn to the sink; false when that stops the walk. */
bool vm_walk_tell_sink(struct vm_walker *w);
/** LEB128 u32 with the walker's errors. */
bool vm_walk_u32(struct vm_walker *w, u32 *out);
bool vm_walk_u8(struct vm_walker *w, u8 *out);
/** May bodies name this type? What a sink is told has been validated: then all are good. */
bool vm_walk_type_slow(struct vm_walker *w, vm_valtype type);
VM_INLINE bool vm_walk_type(struct vm_walker *w, vm_valtype type)
{
    return VM_LIKELY(type >= VM_F64 && type <= VM_I32) || vm_walk_type_slow(w, type);
}
/** Places the cursor on a range of the module. */
void vm_walk_seek(struct vm_walker *w, struct vm_range range);
/** The constant expression at the cursor, of type `type`; stops behind its END. constexpr.c */
bool vm_walk_const(struct vm_walker *w, vm_valtype type, u32 visible_globals);
/** A constant expression that fills its range. */
bool vm_walk_const_range(struct vm_walker *w, const struct vm_constexpr *expr);
/** Body of one function, on a walker whose m, features, sink, scratch, c.err are set. */
vm_status vm_walk_function(struct vm_walker *w, u32 func_idx);

#endif
