/* SPDX-License-Identifier: Apache-2.0 */
/* The linker: importable things by (module, name, type). spec exec-instantiation, match-externtype
 */
#ifndef VM_RUNTIME_LINK_H
#define VM_RUNTIME_LINK_H

#include "base/hash.h"
#include "runtime/objects.h"

/** One definition. Host functions have no store until they are imported. */
struct vm_def {
    struct vm_name module, name; /* own */
    u32 hash;
    u32 next;               /* of the same hash chain; VM_NO_INDEX ends it */
    bool replaced;          /* in no chain; kept, since imported functions use env and type */
    struct vm_store *store; /* NULL: host function, or `shared` */
    struct vm_extern item;  /* store != NULL */
    struct vm_memory *shared; /* own reference: a memory for every store; `store` is NULL */
    u32 type;               /* host function: canonical, retained */
    vm_host_fn fn;
    void *env;
    void (*env_free)(const struct vm_alloc *alloc, void *env); /* or NULL */
};

/** One thread at a time. */
struct vm_linker {
    const struct vm_alloc *alloc;
    struct vm_types *types;
    struct vm_hash_key key;
    struct VM_VEC(struct vm_def) defs;
    u32 *buckets; /* index into defs or VM_NO_INDEX; a power of two of them */
    u32 bucket_count;
};

struct vm_linker *vm_linker_new(const struct vm_alloc *alloc, struct vm_types *types);
void vm_linker_delete(struct vm_linker *l);

/** Adds or replaces (same names and, for functions, same type). VM_OOM. */
vm_status vm_linker_add_host(struct vm_linker *l, struct vm_name module, struct vm_name name,
                             const struct vm_functype *type, const struct vm_def *proto,
                             struct vm_err *err);
vm_status vm_linker_add_extern(struct vm_linker *l, struct vm_name module, struct vm_name name,
                               struct vm_store *store, struct vm_extern item, struct vm_err *err);
/** A shared memory, which becomes every store's that imports it. */
vm_status vm_linker_add_shared(struct vm_linker *l, struct vm_name module, struct vm_name name,
                               struct vm_memory *memory, struct vm_err *err);

/** The definition that satisfies import `i`, or NULL. `store` NULL accepts any store. */
const struct vm_def *vm_linker_find(const struct vm_linker *l, const struct vm_program *p, u32 i,
                                    const struct vm_store *store);
/** A definition of the same names with another type, or NULL. */
const struct vm_def *vm_linker_find_name(const struct vm_linker *l, struct vm_name module,
                                         struct vm_name name);
/** The most similar name in the same module (or anywhere), or NULL. Bounded work. */
const struct vm_def *vm_linker_similar(const struct vm_linker *l, struct vm_name module,
                                       struct vm_name name);

/** Resolves all imports into `out` (one per import). VM_LINK names the first that fails. */
vm_status vm_linker_resolve(const struct vm_linker *l, struct vm_store *store, struct vm_program *p,
                            struct vm_extern *out, struct vm_err *err);

#endif
