/* SPDX-License-Identifier: Apache-2.0 */
/* A bounds-checked read position in a module's bytes, with errors at file offsets. */
#ifndef VM_BINARY_CURSOR_H
#define VM_BINARY_CURSOR_H

#include "base/leb128.h"
#include "base/status.h"
#include "types/valtype.h"

/**
 * Caller's storage. On the first error `err` is set and `failed` stays true; readers answer 0 from
 * then on, so a caller may read a few fields and test once.
 */
struct vm_cursor {
    const u8 *start; /* of the module: offsets in messages count from here */
    const u8 *p, *end;
    struct vm_err *err;
    bool failed;
};

static inline u64 vm_cursor_offset(const struct vm_cursor *c) { return (u64)(c->p - c->start); }
static inline usize vm_cursor_left(const struct vm_cursor *c) { return (usize)(c->end - c->p); }

/** Records `id` at the cursor's position with an optional detail; makes it fail. */
vm_status vm_cursor_fail(struct vm_cursor *c, vm_error_id id, const char *what) VM_COLD;
/** The same at the file offset `offset`. */
vm_status vm_cursor_fail_at(struct vm_cursor *c, vm_error_id id, u64 offset, const char *what)
    VM_COLD;

u8 vm_cursor_u8(struct vm_cursor *c);
u32 vm_cursor_u32(struct vm_cursor *c); /* LEB128 */
u64 vm_cursor_u64(struct vm_cursor *c); /* LEB128 */
/**
 * The count of a vector or a length in bytes: refused when more than the bytes left, as each
 * element has at least one byte. spec binary-list
 */
u32 vm_cursor_count(struct vm_cursor *c);
i32 vm_cursor_s32(struct vm_cursor *c);
i64 vm_cursor_s33(struct vm_cursor *c);
i64 vm_cursor_s64(struct vm_cursor *c);
/** `n` raw bytes or NULL. */
const u8 *vm_cursor_bytes(struct vm_cursor *c, usize n);
/** spec binary-name: length and UTF-8 checked. Points into the module. */
const u8 *vm_cursor_name(struct vm_cursor *c, u32 *len);

/** spec binary-valtype; type indices are checked to be below `type_count` (VM_ERR_UNKNOWN_TYPE). */
vm_valtype vm_cursor_valtype(struct vm_cursor *c, u32 type_count);
/** spec binary-reftype */
vm_valtype vm_cursor_reftype(struct vm_cursor *c, u32 type_count);
/** spec binary-heaptype: index below `type_count`, or VM_HEAP_ABSTRACT | byte. */
u32 vm_cursor_heaptype(struct vm_cursor *c, u32 type_count);

#endif
