/* SPDX-License-Identifier: Apache-2.0 */
/* Address space: reserve, commit, release. Knows nothing of WebAssembly. */
#ifndef VM_PLATFORM_VMEM_H
#define VM_PLATFORM_VMEM_H

#include "base/port.h"

/** Bytes of a host page. */
usize vm_page_bytes(void);
/** Reserves inaccessible address space, page-aligned; NULL when refused. */
void *vm_reserve(u64 bytes);
/** Makes [p, p+bytes) readable and writable (zeroed at first touch); false when refused. */
bool vm_commit(void *p, u64 bytes);
/** Gives a reservation back. NULL is allowed. */
void vm_release(void *p, u64 bytes);

#endif
