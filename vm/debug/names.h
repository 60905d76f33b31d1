/* SPDX-License-Identifier: Apache-2.0 */
/* Names of all functions of a module at once: finding one by one is linear each time. */
#ifndef VM_DEBUG_NAMES_H
#define VM_DEBUG_NAMES_H

#include "binary/module.h"

/** `count` names, of size 0 where a function has none: from the name section, else an export. */
struct vm_func_names {
    struct vm_name *names;
    u32 count;
};

/** False: no memory. Names point into the module. */
bool vm_func_names_init(struct vm_func_names *n, const struct vm_alloc *a,
                        const struct vm_module *m);
void vm_func_names_free(struct vm_func_names *n, const struct vm_alloc *a);
/** The function of that export, else of that name, else of that number; VM_NO_INDEX: none. */
u32 vm_func_names_find(const struct vm_func_names *n, const struct vm_module *m, const char *text);

#endif
