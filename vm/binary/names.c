/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name section: best effort, a bad one never fails a module. spec binary-namesec
 */
#include "binary/decode.h"

enum { SUB_MODULE = 0, SUB_FUNCS = 1, SUB_TAGS = 11 };

static struct vm_cursor quiet_cursor(const struct vm_module *m, const u8 *p, usize size)
{
    return (struct vm_cursor){.start = m->bytes, .p = p, .end = p + size};
}

void vm_decode_names(struct vm_module *m, const u8 *payload, usize size)
{
    struct vm_cursor c = quiet_cursor(m, payload, size);
    while (vm_cursor_left(&c) > 0) {
        u8 id = vm_cursor_u8(&c);
        u32 len = vm_cursor_count(&c);
        u64 start = vm_cursor_offset(&c);
        const u8 *p = vm_cursor_bytes(&c, len);
        if (!p) return;
        if (id == SUB_MODULE && m->module_name.size == 0) {
            struct vm_cursor name = quiet_cursor(m, p, len);
            m->module_name.data = vm_cursor_name(&name, &m->module_name.size);
        } else if (id == SUB_FUNCS && m->func_names.size == 0) {
            m->func_names = (struct vm_range){(u32)start, len};
        } else if (id == SUB_TAGS && m->tag_names.size == 0) {
            m->tag_names = (struct vm_range){(u32)start, len};
        }
    }
}

/** In a subsection that is vec(idx name). */
static bool find_name(const struct vm_module *m, struct vm_range names, u32 index,
                      struct vm_name *out)
{
    if (names.size == 0) return false;
    struct vm_cursor c = quiet_cursor(m, m->bytes + names.start, names.size);
    u32 count = vm_cursor_count(&c);
    for (u32 i = 0; i < count; i++) {
        u32 idx = vm_cursor_u32(&c);
        u32 size;
        const u8 *name = vm_cursor_name(&c, &size);
        if (!name) return false;
        if (idx == index) {
            *out = (struct vm_name){name, size};
            return true;
        }
    }
    return false;
}

bool vm_module_func_name(const struct vm_module *m, u32 func_idx, struct vm_name *out)
{
    return find_name(m, m->func_names, func_idx, out);
}

bool vm_module_tag_name(const struct vm_module *m, u32 tag_idx, struct vm_name *out)
{
    return find_name(m, m->tag_names, tag_idx, out);
}
