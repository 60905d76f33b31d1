/* SPDX-License-Identifier: Apache-2.0 */
/* State of one generated module, private to gen*.c: index spaces, and a model of the body's stack.
 */
#ifndef FUZZ_GEN_STATE_H
#define FUZZ_GEN_STATE_H

#include "gen.h"
#include "isa/opcode.h"

enum {
    GEN_TYPES = 200,
    GEN_ARITY = 20,
    GEN_FUNCS = 48,
    GEN_TABLES = 6,
    GEN_MEMORIES = 5,
    GEN_GLOBALS = 32,
    GEN_SEGMENTS = 8,
    GEN_TAGS = 8,
    GEN_KNOWN = 16,
    GEN_LOCALS = 160,
    GEN_STACK = 600,
    GEN_CTL = 48,
    GEN_DEPTH = 5
};
#define GEN_NONE UINT32_MAX

struct gen_types {
    u32 n;
    vm_valtype t[GEN_ARITY];
};
struct gen_type {
    struct gen_types params, results;
};
struct gen_limits {
    u64 min, max;
    bool has_max, is_64;
    bool is_shared, one_byte; /* memories: threads, pages of one byte */
};
/** What a memory begins with. */
static inline u64 gen_bytes(const struct gen_limits *l) { return l->min << (l->one_byte ? 0 : 16); }

struct gen_func {
    u32 type;
    bool is_leaf; /* calls nothing, loops only by counters: needs no fuel */
};
struct gen_table {
    vm_valtype elem;
    struct gen_limits limits;
    u32 known[GEN_KNOWN]; /* function index + 1 that an active segment put there, or 0 */
};
struct gen_global {
    vm_valtype type;
    bool is_mutable, is_fuel;
};
struct gen_segment {
    vm_valtype type; /* elements */
    u32 count;       /* elements or bytes */
    u8 mode;         /* 0 active, 1 passive, 2 declarative */
};

/** Index spaces, imports first. */
struct gen_module {
    struct gen_type types[GEN_TYPES];
    struct gen_func funcs[GEN_FUNCS];
    struct gen_table tables[GEN_TABLES];
    struct gen_limits memories[GEN_MEMORIES];
    struct gen_global globals[GEN_GLOBALS];
    struct gen_segment elems[GEN_SEGMENTS], datas[GEN_SEGMENTS];
    u32 tags[GEN_TAGS]; /* types */
    u32 tag_count, tag_imports;
    u32 type_count, func_count, table_count, memory_count, global_count, elem_count, data_count;
    u32 func_imports, global_imports, table_imports, memory_imports;
    u32 fuel; /* global index */
};

/** A structured instruction, or the function, while its body is made. */
struct gen_ctl {
    struct gen_types label, results;
    u32 height; /* of the stack model, below the parameters */
    u32 floor;  /* outside of it */
    bool dead;
    bool is_loop;
    bool no_branch; /* a counted loop: only its own back-branch may go there */
    bool is_try;    /* its body, not its handlers */
    bool is_catch;  /* a handler of a legacy try */
};

struct gen {
    struct choice *c;
    u32 features;
    struct gen_module *m;
    const struct gen_module *lib; /* what "a" exports, or NULL */
    struct bytes imports;
    u32 import_count;

    /* the function being made */
    struct bytes code;
    const struct gen_type *sig;
    bool is_leaf;
    u32 func;
    u32 ops; /* instructions still granted */
    vm_valtype locals[GEN_LOCALS];
    u8 reserved[GEN_LOCALS]; /* loop counters: not to be written */
    u32 local_count;
    u8 lanes;  /* of the last float vector made: 4 or 2 */
    u32 hot;   /* local used last: likely to be used again */
    u32 spare; /* so many more locals of i64 behind them, for large frames */
    vm_valtype stack[GEN_STACK];
    bool missing[GEN_STACK]; /* in dead code: not on the real stack */
    u32 height;
    u32 floor; /* what is below must stay */
    struct gen_ctl ctl[GEN_CTL];
    u32 ctl_count;
};

static inline u32 gen_below(struct gen *g, u32 n) { return choice_below(g->c, n); }
static inline bool gen_percent(struct gen *g, u32 p) { return choice_percent(g->c, p); }
/** `lo` to `hi`, both included. */
static inline u32 gen_range(struct gen *g, u32 lo, u32 hi)
{
    return lo + gen_below(g, hi - lo + 1);
}
static inline bool gen_has(const struct gen *g, u32 feature)
{
    return (g->features & feature) != 0;
}

/* ---- types: gen_types.c */

bool gen_type_matches(vm_valtype sub, vm_valtype super);
/** Index of a function type, a new one when there is none. */
u32 gen_type_index(struct gen *g, const struct gen_types *params, const struct gen_types *results);
/** A type that has a default value: for locals, globals, tables. */
vm_valtype gen_defaultable(struct gen *g);
/** Any type that values can be made of. */
vm_valtype gen_any_type(struct gen *g);
vm_valtype gen_num_type(struct gen *g);
void gen_put_valtype(struct bytes *b, vm_valtype t);
void gen_put_heaptype(struct bytes *b, vm_valtype t);
void gen_put_types(struct bytes *b, const struct gen_types *t);
/** Interesting constants: bits. */
u32 gen_i32(struct gen *g);
u64 gen_i64(struct gen *g);
u32 gen_f32(struct gen *g);
u64 gen_f64(struct gen *g);
/** A function of a type, by structure of the index; GEN_NONE when there is none. */
u32 gen_func_of(struct gen *g, u32 type);
/** A constant expression of a type without its end. Uses globals below `globals`. */
void gen_constexpr(struct gen *g, struct bytes *b, vm_valtype t, u32 globals);

/* ---- instructions: gen_op.c */

void gen_op(struct gen *g, vm_op op);
void gen_op_u(struct gen *g, vm_op op, u64 immediate);
void gen_push(struct gen *g, vm_valtype t);
void gen_pop(struct gen *g, u32 n);
/** Values that may be used: above the innermost frame's base and the floor. */
static inline u32 gen_avail(const struct gen *g)
{
    u32 base = g->ctl[g->ctl_count - 1].height;
    return g->height - (base > g->floor ? base : g->floor);
}
static inline bool gen_dead(const struct gen *g) { return g->ctl[g->ctl_count - 1].dead; }
/** The top `n` values are really there from now on: an instruction pushed them. */
void gen_settle(struct gen *g, u32 n);
/** What follows can't be reached. */
void gen_set_dead(struct gen *g);
/** Brings values of these types to the top: takes what is there, makes the rest. */
void gen_operands(struct gen *g, const struct gen_types *t, u32 depth);
/** Index of a new local. */
u32 gen_local_new(struct gen *g, vm_valtype t, bool reserved);
/** A local of exactly this type, or GEN_NONE. */
u32 gen_local_of(struct gen *g, vm_valtype t, bool to_write);
u32 gen_global_of(struct gen *g, vm_valtype t, bool to_write);
/** Rows of wasm_ops.def by what they do, of the features the case has. */
vm_op gen_pick_num(struct gen *g, vm_valtype result);
vm_op gen_pick_load(struct gen *g, vm_valtype result);
vm_op gen_pick_store(struct gen *g);
vm_op gen_pick_cmp(struct gen *g);
/** An atomic that answers `result`; VM_BOT: any. */
vm_op gen_pick_atomic(struct gen *g, vm_valtype result);
/** Of the drawn features, those this build can execute. */
u32 gen_executable(void);
vm_valtype gen_letter(char c);

/* ---- values: gen_expr.c. Each leaves one value of the type on the stack. */

void gen_value(struct gen *g, vm_valtype t, u32 depth);
void gen_leaf(struct gen *g, vm_valtype t);
/** Mostly makes a NaN at the top the canonical one, before its bits are seen. */
void gen_canonicalise(struct gen *g);
/** A condition; what branches fuse with is frequent. */
void gen_cond(struct gen *g, u32 depth);
/** An address or index, mostly below `bound`. */
void gen_index(struct gen *g, bool is_64, u64 bound, u32 depth);
/** An address of memory `m` and, after it, the immediate of an access of `size` bytes. */
void gen_address(struct gen *g, u32 memory, u32 depth);
void gen_memarg(struct gen *g, vm_op op, u32 memory);
/** One plain instruction with its operands; they may be on the stack already. */
void gen_plain(struct gen *g, vm_op op, u32 depth);
void gen_const(struct gen *g, vm_valtype t);
/** Calls a function that answers `result` (VM_BOT: any) with its arguments; false: there is none.
 */
bool gen_call(struct gen *g, vm_valtype result, u32 depth);
/** Tail-calls a function that has this one's results; false: there is none. */
bool gen_tail_call(struct gen *g, u32 depth);

/** Leaves only the last of the values above `height`, when a local can hold it meanwhile. */
void gen_keep_last(struct gen *g, u32 height, vm_valtype t);

/* ---- vectors: gen_vec.c */

/** Sixteen bytes: lanes of interesting numbers. */
void gen_v128(struct gen *g, u8 out[16]);
/** The lane indices behind `op`, if it has any. */
void gen_lanes(struct gen *g, vm_op op);
/** Makes NaN lanes of the vector at the top canonical. */
void gen_canonical_lanes(struct gen *g);
/** A counted loop that reads memory in steps and collects in locals. */
void gen_kernel(struct gen *g, u32 depth);

/* ---- exceptions, atomics, two results: gen_newer.c, gen_eh.c */

/** A statement of one of the drawn features; may leave values or dead code. */
void gen_newer(struct gen *g, u32 depth);
/** A value by one of the drawn features; false: there is no such. */
bool gen_newer_value(struct gen *g, vm_valtype t, u32 depth);
void gen_exceptions(struct gen *g, u32 depth);
void gen_legacy(struct gen *g, u32 depth);
/** A caught exception as a value. */
void gen_caught(struct gen *g, u32 depth);

/* ---- statements and blocks: gen_body.c */

/** A structured instruction whose parameters are the top `np` values. */
void gen_block(struct gen *g, vm_op op, u32 np, const struct gen_types *results, u32 depth);
/** A few instructions, leaving what they leave, or dead code. */
void gen_sequence(struct gen *g, u32 count, u32 depth);
/** Something that leaves the stack as it was, and goes on behind it. */
void gen_statement(struct gen *g, u32 depth);
/** The encoded type of a block; false when there is no room for one more type. */
bool gen_block_type(struct gen *g, const struct gen_types *params, const struct gen_types *results,
                    struct bytes *out);
/** Begins a block whose instruction stands there; its parameters are not in the model any more. */
void gen_enter(struct gen *g, const struct gen_types *params, const struct gen_types *results);
/** A few instructions, then exactly the block's results, or dead code. */
void gen_arm(struct gen *g, u32 depth);
void gen_finish(struct gen *g, u32 depth);
/** After the block's end was written: its results are there. */
void gen_leave(struct gen *g);
/** A label that may be branched to with these values; GEN_NONE when there is none. */
u32 gen_label_for(struct gen *g, const struct gen_types *t);
/** The whole body of function `func`: code entry without its size. */
void gen_body(struct gen *g, u32 func, struct bytes *out);
/** Tables, segments, bulk memory: gen_bulk.c. */
void gen_bulk(struct gen *g, u32 depth);

#endif
