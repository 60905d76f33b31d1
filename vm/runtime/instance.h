/* SPDX-License-Identifier: Apache-2.0 */
/* Life of an instance, for the store. Private to runtime/. */
#ifndef VM_RUNTIME_INSTANCE_H
#define VM_RUNTIME_INSTANCE_H

#include "runtime/objects.h"

void vm_instance_free(struct vm_instance *inst);

#endif
