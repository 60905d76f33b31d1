/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded module ready to be instantiated: decoded, validated, its types made canonical, with the
 * places where translated code is kept. Not an instance: nothing here belongs to a store.
 */
#ifndef VM_RUNTIME_PROGRAM_H
#define VM_RUNTIME_PROGRAM_H

#include "binary/module.h"
#include "isa/code.h"
#include "runtime/image.h"
#include "validate/validate.h"

#include <pthread.h>

/** All functions' code in one mode. */
struct vm_codeset {
    struct vm_program *program;
    struct vm_code_mode mode;
    struct vm_code *codes; /* of defined function i; lock: program->lock until published */
};

/** Immutable but for `image` and for `sets`, whose members are filled under `lock`. */
struct vm_program {
    struct vm_module module;
    const struct vm_alloc *alloc;
    struct vm_types *types;
    u32 *canon; /* canonical number of local type i */
    const struct vm_functype **sigs; /* canonical signature of local type i; NULL: no function */
    vm_features features;
    void *bytes; /* own: the module's private copy */
    char *name;  /* own: file name for messages */
    void *handle; /* the public module, for frames; set by api */
    struct vm_image image;
    pthread_mutex_t lock;
    struct vm_codeset sets[VM_CODE_BACKENDS][VM_CODE_MEMORIES][2]; /* by mode */
};

/** What a program is loaded into and from; `name` is copied. */
struct vm_load {
    const struct vm_alloc *alloc;
    struct vm_types *types;
    vm_features features; /* what the module may use */
    u32 threads; /* for validation; 0: as many as there are processors */
    void *bytes; /* become the program's on success, stay the caller's on failure */
    usize size;
    const char *name;
};

/** Errors as vm_module_decode, vm_validate_module, vm_types_intern. Any thread. */
vm_status vm_program_new(const struct vm_load *from, struct vm_program **out, struct vm_err *err)
    VM_MUST_USE;
void vm_program_delete(struct vm_program *p);

/** The code set for a mode, made at first use; NULL: no memory. Any thread. */
struct vm_codeset *vm_program_codeset(struct vm_program *p, struct vm_code_mode mode);

/** A module-local value type with canonical type numbers. */
vm_valtype vm_program_valtype(const struct vm_program *p, vm_valtype t);
/** Canonical type of a function. */
static inline u32 vm_program_func_type(const struct vm_program *p, u32 func_idx)
{
    return p->canon[p->module.funcs[func_idx]];
}

#endif
