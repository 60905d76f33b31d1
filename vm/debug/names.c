/* SPDX-License-Identifier: Apache-2.0 */
/* The table of function names, and looking functions up in it. */
#include "debug/names.h"

#include "binary/cursor.h"

#include <string.h>

bool vm_func_names_init(struct vm_func_names *n, const struct vm_alloc *a,
                        const struct vm_module *m)
{
    *n = (struct vm_func_names){.count = m->func_count};
    if (m->func_count == 0) return true;
    n->names = vm_alloc_array(a, m->func_count, sizeof *n->names);
    if (!n->names) return false;
    const u8 *p = m->bytes + m->func_names.start;
    struct vm_cursor c = {.start = m->bytes, .p = p, .end = p + m->func_names.size};
    u32 count = m->func_names.size ? vm_cursor_count(&c) : 0;
    for (u32 i = 0; i < count; i++) {
        u32 func = vm_cursor_u32(&c), size;
        const u8 *name = vm_cursor_name(&c, &size);
        if (!name) break;
        if (func < n->count && n->names[func].size == 0)
            n->names[func] = (struct vm_name){name, size};
    }
    for (u32 i = 0; i < m->export_count; i++) {
        const struct vm_export *e = &m->exports[i];
        if (e->kind == VM_EXTERN_FUNC && n->names[e->index].size == 0) n->names[e->index] = e->name;
    }
    return true;
}

void vm_func_names_free(struct vm_func_names *n, const struct vm_alloc *a)
{
    vm_alloc_free(a, n->names, (usize)n->count * sizeof *n->names);
    n->names = NULL;
}

u32 vm_func_names_find(const struct vm_func_names *n, const struct vm_module *m, const char *text)
{
    usize size = strlen(text);
    if (size == 0 || size > UINT32_MAX) return VM_NO_INDEX;
    const struct vm_export *e = vm_module_find_export(m, (const u8 *)text, (u32)size);
    if (e && e->kind == VM_EXTERN_FUNC) return e->index;
    for (u32 i = 0; i < n->count; i++)
        if (n->names[i].size == size && memcmp(n->names[i].data, text, size) == 0) return i;
    u64 index = 0;
    for (usize i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || index > UINT32_MAX) return VM_NO_INDEX;
        index = index * 10 + (u64)(text[i] - '0');
    }
    return index < n->count ? (u32)index : VM_NO_INDEX;
}
