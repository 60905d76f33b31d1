/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store and what lives in it: instances, functions, memories, tables, globals, tags.
 * spec syntax-store. Data and life cycle only; running code is interp's.
 *
 * All objects belong to their store and die with it. Owner thread, unless a field says otherwise.
 */
#ifndef VM_RUNTIME_OBJECTS_H
#define VM_RUNTIME_OBJECTS_H

#include "base/trap.h"
#include "base/vec.h"
#include "isa/code.h"
#include "runtime/exception.h"
#include "runtime/program.h"

struct vm_call;
struct vm_epochs;
struct vm_exec;

/**
 * A host function: arguments in, results out, both from slots[0]. Answers VM_OK, VM_TRAP (with
 * call->exec->trap and text set), VM_EXIT or VM_PENDING.
 */
typedef vm_status (*vm_host_fn)(struct vm_call *call, union vm_slot *slots, void *env);

/** spec syntax-funcinst. Immutable after creation. A funcref value is a pointer to this. */
struct vm_func {
    struct vm_code *code;      /* Wasm functions; NULL for host functions */
    struct vm_instance *inst;  /* whose function; NULL for host functions */
    u32 type;                  /* canonical */
    u32 below;                 /* max(parameter, result slots) */
    const struct vm_functype *sig; /* canonical signature */
    struct vm_store *store;
    vm_host_fn host;
    void *env;
};

/** What wr_usage_t is, for those who read it elsewhere: words are written whole, relaxed. */
struct vm_usage {
    u64 memory_bytes, memory_limit_bytes, table_elems;
};
/**
 * Host memory that linear memories may hold together. A store has one; shared memories outlive the
 * store whose quota they are charged to, so it is counted. Any thread.
 */
struct vm_quota {
    const struct vm_alloc *alloc;
    u64 limit_bytes;
    _Atomic u64 used_bytes; /* relaxed: only its own value matters */
    _Atomic usize refs;
    struct vm_usage *usage; /* told of changes; NULL, or set before anything is made */
};

/**
 * spec syntax-meminst. `base` never moves; the length only grows. With `sharing`, any thread may
 * use it, several stores register it, and it dies with the last reference; without, it belongs to
 * one store.
 */
struct vm_memory {
    u8 *base;
    /* Relaxed: it says what may be touched, and the pages are there before it grows. What is in
     * them is the guest's affair. Written by the one that grows. */
    _Atomic u64 size_bytes;
    struct vm_limits type; /* min as declared */
    u64 max_pages; /* what grow may reach: declared, limits and reservation */
    u64 reserved_bytes; /* with guard */
    enum vm_code_memory mode;
    const struct vm_alloc *alloc;
    struct vm_quota *quota; /* own reference: what growth is charged to */
    struct vm_sharing *sharing; /* own (runtime/sharing.h), or NULL */
};

/** spec syntax-tableinst. Elements are references: pointers, NULL is null. */
struct vm_table {
    void **elems;
    u64 size, capacity;
    struct vm_tabletype type; /* canonical element type */
    struct vm_store *store;
};

/** spec syntax-globalinst. v128 uses both slots. */
struct vm_global {
    union vm_slot value[2];
    struct vm_globaltype type; /* canonical */
    struct vm_store *store;
};

/** spec syntax-taginst */
struct vm_tag {
    u32 type; /* canonical */
    const struct vm_functype *sig; /* canonical; the values are its parameters */
    const struct vm_program *program; /* that defines it, NULL: the embedder */
    u32 index; /* in that one */
    struct vm_store *store;
};

/** An element segment of an instance; dropped segments have size 0. */
struct vm_elem {
    void **refs; /* own; NULL when never needed at run time */
    u32 size;
};

/** spec syntax-moduleinst */
struct vm_instance {
    struct vm_store *store;
    struct vm_program *program;
    struct vm_codeset *codeset;
    struct vm_func **funcs; /* index space: imports first */
    struct vm_func *own_funcs; /* defined ones, contiguous; not zeroed */
    struct vm_memory **memories;
    struct vm_table **tables;
    union vm_slot **cells; /* value of each global, imported ones too */
    struct vm_global **globals;
    struct vm_tag **tags;
    struct vm_elem *elems;
    u32 *data_sizes; /* bytes left of each data segment: 0 when dropped */
    struct vm_instance *next; /* in the store */
};

/** What can be imported or exported. */
struct vm_extern {
    enum vm_extern_kind kind;
    union {
        struct vm_func *func;
        struct vm_table *table;
        struct vm_memory *memory;
        struct vm_global *global;
        struct vm_tag *tag;
        void *any;
    } of;
};

/** Limits of a store; see wr_store_config_t. */
struct vm_store_limits {
    u64 memory_bytes, table_elems, stack_bytes, exception_bytes;
    u32 instances, nested_calls;
};

struct vm_store {
    const struct vm_alloc *alloc;
    struct vm_types *types;
    struct vm_epochs *epochs; /* the engine's */
    enum vm_code_backend backend;
    bool use_guard; /* memories with guard pages are wanted and possible */
    struct vm_store_limits limits;
    struct vm_quota *quota; /* own reference: of memories made here */
    u64 table_elems; /* used */
    u32 instance_count;
    u32 nested_calls; /* now on the C stack */
    bool use_fuel; /* code of this store counts fuel */
    u64 fuel; /* left */
    struct vm_instance *instances;
    struct VM_VEC(struct vm_memory *) memories;
    struct VM_VEC(struct vm_table *) tables;
    struct VM_VEC(struct vm_global *) globals;
    struct VM_VEC(struct vm_tag *) tags;
    struct VM_VEC(struct vm_func *) host_funcs;
    struct vm_exec *running; /* innermost exec on this thread's C stack */
    struct vm_exec *execs; /* all; not owned */
    struct vm_exceptions exceptions;
    struct vm_exception *exception; /* uncaught in a call whose exec is gone; NULL: none */
    void *handle; /* the public store; set by api */
};

struct vm_store *vm_store_new(const struct vm_alloc *alloc, struct vm_types *types,
                              const struct vm_store_limits *limits);
void vm_store_delete(struct vm_store *store);

/**
 * New memory of a store with its initial pages, shared if the type says so. VM_LIMIT when the
 * store's limits or the address space end.
 */
vm_status vm_memory_new(struct vm_store *store, const struct vm_limits *type,
                        struct vm_memory **out, struct vm_err *err);
/** New memory of a shared type and no store, with one reference and a limit of its own. */
vm_status vm_memory_new_shared(const struct vm_alloc *alloc, const struct vm_limits *type,
                               struct vm_memory **out, struct vm_err *err);
/** One reference to a shared memory more, or less. Any thread. */
void vm_memory_retain(struct vm_memory *m);
void vm_memory_release(struct vm_memory *m);
/** Registers a shared memory, once: the store holds a reference. False: out of memory. */
bool vm_store_add_memory(struct vm_store *store, struct vm_memory *m);
/** Frees memories and their references, and the quota. */
void vm_store_free_memories(struct vm_store *store);
/** spec exec-memory.grow: old size in pages, or UINT64_MAX. Any thread if it is shared. */
u64 vm_memory_grow(struct vm_memory *m, u64 pages);

struct vm_quota *vm_quota_new(const struct vm_alloc *alloc, u64 limit_bytes);
/** Bytes that memories of the store hold, also of shared ones made by it. */
static inline u64 vm_store_memory_bytes(const struct vm_store *store)
{
    return atomic_load_explicit(&store->quota->used_bytes, memory_order_relaxed);
}
static inline u64 vm_memory_size(const struct vm_memory *m)
{
    return atomic_load_explicit(&m->size_bytes, memory_order_relaxed);
}
static inline u64 vm_memory_pages(const struct vm_memory *m)
{
    return vm_memory_size(m) >> m->type.page_log2;
}
/** True when [addr, addr + size) is inside `total`; no overflow. */
static inline bool vm_range_ok(u64 addr, u64 size, u64 total)
{
    return size <= total && addr <= total - size;
}

/** New table filled with `init`. */
vm_status vm_table_new(struct vm_store *store, const struct vm_tabletype *type, void *init,
                       struct vm_table **out, struct vm_err *err);
/** spec exec-table.grow: old size, or UINT64_MAX. */
u64 vm_table_grow(struct vm_table *t, u64 n, void *init);

/** New global of canonical type; value copied (two slots for v128). */
struct vm_global *vm_global_new(struct vm_store *store, const struct vm_globaltype *type,
                                const union vm_slot *value);
/** New tag of canonical type; `program` NULL: the embedder's, which gives a reference to `type`. */
struct vm_tag *vm_tag_new(struct vm_store *store, u32 type, const struct vm_program *program,
                          u32 index);
/** New host function of canonical type `type`. */
struct vm_func *vm_host_func_new(struct vm_store *store, u32 type, vm_host_fn fn, void *env);

/**
 * Allocates an instance and resolves nothing: `imports` has one extern per import, already checked.
 * Evaluates globals, tables and element segments; does not write active segments.
 * Errors: VM_LIMIT, VM_OOM.
 */
vm_status vm_instance_new(struct vm_store *store, struct vm_program *program,
                          const struct vm_extern *imports, struct vm_instance **out,
                          struct vm_err *err);
/**
 * Writes active element, then data segments in order. After VM_TRAP, with the trap in `*trap`, what
 * was written before it stays. VM_OOM: its memory is lost, and the instance must not be used.
 */
vm_status vm_instance_write_segments(struct vm_instance *inst, vm_trap *trap) VM_MUST_USE;
/** Fills `out` with the extern of an index space. */
struct vm_extern vm_instance_extern(struct vm_instance *inst, enum vm_extern_kind kind, u32 index);

/** spec exec-table.init, exec-memory.init and their like over whole ranges; a trap or none. */
vm_trap vm_table_init(struct vm_instance *inst, u32 table, u32 elem, u64 d, u64 s, u64 n);
vm_trap vm_table_copy(struct vm_table *dst, struct vm_table *src, u64 d, u64 s, u64 n);
vm_trap vm_table_fill(struct vm_table *t, u64 i, void *value, u64 n);
vm_trap vm_memory_init(struct vm_instance *inst, u32 memory, u32 data, u64 d, u64 s, u64 n);

/**
 * Evaluates a validated constant expression, up to its END or that of `expr`. spec exec-expr-const.
 * Two slots for v128. Returns the offset in the module behind it.
 */
u32 vm_constexpr_eval(const struct vm_instance *inst, struct vm_range expr, union vm_slot out[2]);
/** The bits of a validated integer expression; false when they may differ between instances. */
bool vm_constexpr_fixed(const struct vm_module *m, struct vm_range expr, u64 *out);

#endif
