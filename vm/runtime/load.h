/* SPDX-License-Identifier: Apache-2.0 */
/* Validation of a module's bodies on several threads. Private to runtime/. */
#ifndef VM_RUNTIME_LOAD_H
#define VM_RUNTIME_LOAD_H

#include "validate/validate.h"

/**
 * Validates all bodies, on up to `threads` threads (0: as many as there are processors) when there
 * is enough code to share. The error is that of the first bad function, as with one thread.
 */
vm_status vm_load_bodies(const struct vm_module *m, vm_features features, u32 threads,
                         const struct vm_alloc *alloc, struct vm_err *err) VM_MUST_USE;

#endif
