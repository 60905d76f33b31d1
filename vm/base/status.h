/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's one status enumeration and its error sink. No meaning of any error lives here. */
#ifndef VM_BASE_STATUS_H
#define VM_BASE_STATUS_H

#include "base/port.h"

/** What went wrong, by class; the api folder maps these to wr_status_t. */
typedef enum vm_status {
    VM_OK = 0,
    VM_MALFORMED,
    VM_INVALID,
    VM_UNSUPPORTED,
    VM_LINK,
    VM_TRAP,
    VM_EXCEPTION,
    VM_EXIT,
    VM_PENDING,
    VM_YIELD,
    VM_CANCELLED,
    VM_LIMIT,
    VM_OOM,
    VM_IO,
    VM_NOT_FOUND,
    VM_ARGUMENT,
    VM_INTERNAL,
    VM_FUEL
} vm_status;

/** One enumerator per row of errors.def. */
typedef enum vm_error_id {
    VM_ERR_NONE = 0,
#define ERR(id, cls, text) VM_ERR_##id,
#include "base/errors.def"
#undef ERR
    VM_ERR_COUNT
} vm_error_id;

#define VM_NO_OFFSET UINT64_MAX
#define VM_NO_FUNC UINT32_MAX
enum { VM_ERR_TEXT = 400 };

/** Caller-owned, fixed size, no allocation. The first error set wins. */
struct vm_err {
    vm_status status;
    vm_error_id id;
    u64 offset;             /* byte offset in the module's file or VM_NO_OFFSET */
    u32 func_idx;           /* or VM_NO_FUNC */
    char text[VM_ERR_TEXT]; /* "spec message: detail", without offset, function or file */
};

/** Makes an empty error. */
void vm_err_init(struct vm_err *err);

/**
 * Records error `id` at `offset` with a printf-style detail (NULL: none) unless one is recorded
 * already. Returns the status of the recorded error, so that `return vm_err_set(…)` reads well.
 * `err` may be NULL: then only the status of `id` is returned.
 */
vm_status vm_err_set(struct vm_err *err, vm_error_id id, u64 offset, const char *detail, ...)
    VM_PRINTF(4, 5) VM_COLD;

/** The spec's message of a row, static. */
const char *vm_error_text(vm_error_id id);
/** The class of a row. */
vm_status vm_error_status(vm_error_id id);

#endif
