/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the public handles, and conversions. Private to api/. */
#ifndef VM_API_INTERNAL_H
#define VM_API_INTERNAL_H

#include "interp/enter.h"
#include "runtime/link.h"

#include "wasmrun.h"

struct wr_engine {
    struct vm_alloc alloc;
    struct vm_types *types;
    struct vm_epochs epochs;
    vm_features features; /* of modules to come */
    u32 load_threads; /* 0: as many as there are processors */
};

/** Modules, stores, … are their internal structs; the public names are only seen as pointers. */
struct wr_module {
    struct wr_engine *engine;
    struct vm_program *program;
};

struct wr_linker {
    struct wr_engine *engine;
    struct vm_linker *linker;
};

struct wr_store {
    struct wr_engine *engine;
    struct vm_store *store;
    void *data;
};

static inline struct vm_func *to_func(const wr_func_t *f) { return (struct vm_func *)(uintptr_t)f; }
static inline struct vm_table *to_table(const wr_table_t *t)
{
    return (struct vm_table *)(uintptr_t)t;
}
static inline struct vm_memory *to_memory(const wr_memory_t *m)
{
    return (struct vm_memory *)(uintptr_t)m;
}
static inline struct vm_memory *to_shared(const wr_shared_memory_t *m)
{
    return (struct vm_memory *)(uintptr_t)m;
}
static inline struct vm_global *to_global(const wr_global_t *g)
{
    return (struct vm_global *)(uintptr_t)g;
}
static inline struct vm_instance *to_instance(const wr_instance_t *i)
{
    return (struct vm_instance *)(uintptr_t)i;
}
static inline struct vm_exec *to_exec(const wr_exec_t *x) { return (struct vm_exec *)(uintptr_t)x; }
static inline struct vm_call *to_call(const wr_call_t *c) { return (struct vm_call *)(uintptr_t)c; }

static inline struct vm_tag *to_tag(const wr_tag_t *t) { return (struct vm_tag *)(uintptr_t)t; }
static inline struct vm_exception *to_exception(const wr_exception_t *e)
{
    return (struct vm_exception *)(uintptr_t)e;
}

wr_extern_t api_extern(struct vm_extern e);
struct vm_extern api_to_extern(wr_extern_t e);

struct vm_limits api_to_limits(wr_limits_t l);

wr_status_t api_status(vm_status s);
vm_status api_to_status(wr_status_t s);
/** Empties a public error; NULL is allowed. */
void api_error_clear(wr_error_t *err);
/** Fills a public error from an internal one; the status. `prefix` (file name) may be NULL. */
wr_status_t api_error(wr_error_t *out, const struct vm_err *err, const char *prefix);
/** Fills a public error by hand; the status. */
wr_status_t api_error_text(wr_error_t *out, wr_status_t status, const char *format, ...)
    VM_PRINTF(3, 4);
/** Fills a public error from a stopped exec: headline and frames; the status. */
wr_status_t api_exec_error(wr_error_t *out, const struct vm_exec *x, vm_status s);

enum { API_SIGNATURE_MAX = 64 };
/** Parses "PARAMS:RESULTS" into `types`; false when it does not read so. */
bool api_signature(const char *text, vm_valtype types[API_SIGNATURE_MAX], struct vm_functype *out);
/** "tag overflow (1, 2.5)": what was thrown, cut to `cap`, on one line. */
void api_exception_text(const struct vm_exception *e, char *buf, usize cap);

/** Runs checked arguments through `f` to its end, nested in what runs on this thread. */
wr_status_t api_call(struct vm_store *vs, struct vm_func *f, const wr_val_t *args,
                     wr_val_t *results, wr_error_t *err);

/** Public kind of a type with canonical numbers. */
wr_valkind_t api_valkind(struct vm_types *types, vm_valtype t);
/** True when a value may stand where `want` is; functions must be the store's. */
bool api_val_matches(const struct vm_store *store, const wr_val_t *v, vm_valtype want);
/** Value type of a public kind; VM_BOT when it has none. */
vm_valtype api_valtype(wr_valkind_t kind);
/** One value to or from slots. */
void api_val_to_slots(const wr_val_t *v, union vm_slot *s);
void api_val_from_slots(struct vm_types *types, wr_val_t *v, vm_valtype t, const union vm_slot *s);

#endif
