/* SPDX-License-Identifier: Apache-2.0 */
/* Plain C functions as host functions, through libffi. Signatures: wr_linker_define_c. */
#ifndef VM_RUNTIME_HOSTCALL_H
#define VM_RUNTIME_HOSTCALL_H

#include "runtime/exec.h"

struct vm_hostcall;

/** Parses `signature` and prepares the call. VM_ARGUMENT, VM_OOM. */
vm_status vm_hostcall_new(const struct vm_alloc *alloc, const char *signature, void (*fn)(void),
                          struct vm_hostcall **out, struct vm_err *err) VM_MUST_USE;
void vm_hostcall_free(const struct vm_alloc *alloc, void *hostcall);
/** Its Wasm type; lives as long as it does. */
const struct vm_functype *vm_hostcall_type(const struct vm_hostcall *h);
/** A vm_host_fn; `env` is the vm_hostcall. Traps on pointers outside memory 0. */
vm_status vm_hostcall_run(struct vm_call *call, union vm_slot *slots, void *env);

#endif
