/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder's working state and its sections. Private to binary/. */
#ifndef VM_BINARY_DECODE_H
#define VM_BINARY_DECODE_H

#include "base/vec.h"
#include "binary/cursor.h"
#include "binary/module.h"

/**
 * Arrays grow while entries are read, so that only bytes that are there make memory grow; the end
 * of decoding moves them to the module's arena. One thread.
 */
struct vm_decoder {
    struct vm_module *m;
    const struct vm_alloc *alloc;
    struct VM_VEC(struct vm_deftype) types;
    struct VM_VEC(struct vm_import) imports;
    struct VM_VEC(u32) funcs;
    struct VM_VEC(struct vm_body) bodies;
    struct VM_VEC(struct vm_table_decl) tables;
    struct VM_VEC(struct vm_limits) memories;
    struct VM_VEC(struct vm_global_decl) globals;
    struct VM_VEC(u32) tags;
    struct VM_VEC(struct vm_export) exports;
    struct VM_VEC(struct vm_elem_decl) elems;
    struct VM_VEC(struct vm_data_decl) datas;
    struct VM_VEC(struct vm_section) sections;
    u32 data_count; /* of the data count section */
};

/** Appends `value`; out of memory fails cursor `c`. */
#define VM_DECODER_PUSH(d, c, vec, value)                                                          \
    do {                                                                                           \
        if (VM_VEC_RESERVE((d)->alloc, vec, 1)) {                                                  \
            VM_VEC_PUSH(vec, value);                                                               \
        } else {                                                                                   \
            (void)vm_cursor_fail(c, VM_ERR_OOM, NULL);                                             \
        }                                                                                          \
    } while (0)

/** The range from the file position `start` to the cursor. */
static inline struct vm_range vm_range_from(const struct vm_cursor *c, u64 start)
{
    return (struct vm_range){(u32)start, (u32)(vm_cursor_offset(c) - start)};
}

/**
 * A vector's count, refused when it makes `have` + count exceed `limit` `what`s.
 */
u32 vm_decode_count(struct vm_cursor *c, u32 have, u32 limit, const char *what);

/** Records `id` at `offset` and quotes the byte that stands there; makes the cursor fail. */
void vm_decode_fail_byte(struct vm_cursor *c, vm_error_id id, u64 offset) VM_COLD;

/** spec binary-typesec */
void vm_decode_types(struct vm_decoder *d, struct vm_cursor *c);
/** Contents of the section `id`, neither custom nor type. */
void vm_decode_section(struct vm_decoder *d, struct vm_cursor *c, u8 id);

/** spec binary-expr: passes a constant expression and its END; its range. */
struct vm_range vm_decode_expr(struct vm_cursor *c, u32 type_count);

/** Remembers where the parts of the name section are; never fails. */
void vm_decode_names(struct vm_module *m, const u8 *payload, usize size);

#endif
