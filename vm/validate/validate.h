/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of a whole module. spec valid-module */
#ifndef VM_VALIDATE_VALIDATE_H
#define VM_VALIDATE_VALIDATE_H

#include "validate/sink.h"

/**
 * Validates a decoded module and all its bodies; fills m->declared_funcs.
 * Errors: VM_INVALID, VM_MALFORMED (bodies), VM_UNSUPPORTED (a feature not in `features`),
 * VM_LIMIT, VM_OOM.
 */
vm_status vm_validate_module(struct vm_module *m, vm_features features,
                             const struct vm_alloc *alloc, struct vm_err *err) VM_MUST_USE;

/** The two parts of vm_validate_module: first all but bodies, then bodies [first, first + count) of
 *  the defined functions, which several threads may do at once. */
vm_status vm_validate_declarations(struct vm_module *m, vm_features features,
                                   const struct vm_alloc *alloc, struct vm_err *err) VM_MUST_USE;
vm_status vm_validate_bodies(const struct vm_module *m, vm_features features, u32 first, u32 count,
                             const struct vm_alloc *alloc, struct vm_err *err) VM_MUST_USE;

#endif
