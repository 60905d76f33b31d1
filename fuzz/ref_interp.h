/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle: a naive stack interpreter straight over the bytes of decoded, valid modules. Knows
 * nothing of translation, internal code, or the engine's arithmetic: whatever differs from it is a
 * finding in one or the other. Single thread; memory is the C library's, no memory ends the
 * program.
 *
 * NaNs: the spec leaves sign and payload of an arithmetic NaN open. Such a value is marked `open`
 * and compared by class only. Once its bits reach something that shows them (a store, reinterpret,
 * the sign operand of copysign) the run has `leaked`: nothing after it can be compared.
 */
#ifndef FUZZ_REF_INTERP_H
#define FUZZ_REF_INTERP_H

#include "base/trap.h"
#include "binary/module.h"
#include "host.h"

struct ref_instance;
struct ref_store;

/**
 * Number bits; a struct ref_func or ref_exn pointer; or the number of an externref. 0 is null.
 * `open`: 1 for a number; for a vector which lanes (ref_vec.c).
 */
struct ref_val {
    u64 bits;
    u64 high; /* of v128 */
    u8 open;
};

struct ref_func {
    struct ref_instance *inst; /* NULL: host */
    u32 index;                 /* in inst, or enum host_func */
    const struct vm_module *sig_module;
    const struct vm_functype *sig;
};
struct ref_memory {
    u8 *data;
    u64 pages, max;
    u32 page_log2;
    bool is_64, is_shared;
};
static inline u64 ref_memory_bytes(const struct ref_memory *m) { return m->pages << m->page_log2; }
struct ref_table {
    u64 *elems;
    u64 size, max;
    bool is_64;
};
struct ref_global {
    struct ref_val value;
    vm_valtype type;
};
struct ref_tag {
    const struct vm_functype *type;
};
struct ref_exn {
    const struct ref_tag *tag;
    struct ref_val vals[]; /* as many as the tag has parameters */
};
struct ref_segment { /* elements; of data only the size counts */
    u64 *refs;
    u64 size;
};

/** Index spaces as in the module; what is imported belongs to somebody else. */
struct ref_instance {
    const struct vm_module *module;
    struct ref_store *store;
    struct ref_func **funcs;
    struct ref_memory **memories;
    struct ref_table **tables;
    struct ref_global **globals;
    struct ref_tag **tags;
    struct ref_segment *elems, *datas;
    struct ref_body *bodies;
    u32 number; /* in the store */
};

struct ref_store {
    struct host_state host;
    u64 steps; /* instructions still granted; none left: REF_SKIP */
    u64 fuel;  /* used so far by what wr_store_set_fuel counts, outside calls from the host */
    u64 throws; /* so far; 0 and `fuel` is exact, else the least */
    bool leaked;
    u32 instance_count;
    struct ref_func host_funcs[HOST_FUNC_COUNT];
    struct ref_tag *host_tag;
    struct vm_functype host_tag_type;
    struct ref_memory *host_memory;
    struct ref_table *host_table;
    struct ref_global *host_globals[HOST_GLOBALS];
    struct vm_functype host_sigs[HOST_FUNC_COUNT];
    vm_valtype host_types[HOST_FUNC_COUNT][2 * HOST_SLOTS];
    void *blocks; /* everything allocated */
};

enum ref_kind {
    REF_OK,
    REF_TRAP,
    REF_EXCEPTION, /* nothing caught it */
    REF_SKIP /* too long, too large, or not supported here */
};
/** An instruction: its function and its offset in the module. */
struct ref_place {
    const struct vm_module *module;
    u32 func, offset;
};
enum { REF_FRAMES = 8 };
struct ref_end {
    enum ref_kind kind;
    vm_trap trap;
    const struct ref_exn *exn; /* REF_EXCEPTION; lives as long as the store */
    bool from_host;            /* it passed through a host function, and lost its frames there */
    u32 frame_count; /* REF_TRAP, REF_EXCEPTION: of calls in progress; the innermost REF_FRAMES of
                        them: */
    struct ref_place frame[REF_FRAMES];
};

/** How often each instruction (vm_op) was executed in this process. */
extern u64 ref_executed[];

struct ref_store *ref_store_new(void);
void ref_store_free(struct ref_store *s);

/**
 * Instantiates and runs the start function. `lib` is what imports from "a" come from, or NULL.
 * NULL with REF_SKIP; else the instance, also after a trap (its functions may be in lib's table).
 */
struct ref_instance *ref_instantiate(struct ref_store *s, const struct vm_module *m,
                                     const struct ref_instance *lib, struct ref_end *end);
/** Calls; `vals` holds the arguments and takes the results. */
struct ref_end ref_call(struct ref_store *s, const struct ref_func *f, struct ref_val *vals);

/** True when two functions have the same type. */
bool ref_same_type(const struct ref_func *f, const struct vm_module *m, u32 type);
bool ref_is_func(vm_valtype t);
bool ref_is_exn(vm_valtype t);

/* ---- private to ref_*.c */

void *ref_alloc(struct ref_store *s, usize bytes);
/** Replaces a block of ref_alloc by one of `bytes`, the contents kept and zeroes behind. */
void *ref_resize(struct ref_store *s, void *p, usize old_bytes, usize bytes);

/** A plain numeric instruction; false: it is none. `b` is the second operand, if any. */
struct ref_num {
    struct ref_val a, b, out;
    vm_trap trap;
    bool leaked;
};
bool ref_num(u32 op, struct ref_num *n);
u32 ref_num_arity(u32 op);
/** The instructions with two results: v is the operands, then the results. */
bool ref_wide(u32 op, u64 v[4]);

u64 ref_leb(const u8 **p);
i64 ref_sleb(const u8 **p);
/** Behind an instruction's immediates; NULL: one that is not supported. */
const u8 *ref_skip(u32 op, const u8 *p);
/** The instruction at *p; moves behind its opcode. */
u32 ref_op(const u8 **p);

/** Grows; UINT64_MAX when refused. `skip` is set when the answer depends on the host. */
u64 ref_memory_grow(struct ref_store *s, struct ref_memory *m, u64 pages, bool *skip);
u64 ref_table_grow(struct ref_store *s, struct ref_table *t, u64 n, u64 init);
bool ref_fits(u64 at, u64 n, u64 size);
vm_trap ref_memory_init(struct ref_instance *in, u32 data, u32 memory, const u64 v[3]);
vm_trap ref_table_init(struct ref_instance *in, u32 elem, u32 table, const u64 v[3]);

/** Where control instructions of a body end: by offset from the body's start. */
struct ref_body {
    const u8 *start, *code, *end; /* entry, first instruction, behind the last end */
    u32 *end_of, *else_of; /* else_of a legacy try or handler: the next handler */
    u32 local_count; /* parameters too */
};
/** NULL: holds something not supported. */
const struct ref_body *ref_body_of(struct ref_instance *in, u32 func);

#endif
