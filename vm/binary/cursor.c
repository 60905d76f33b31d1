/* SPDX-License-Identifier: Apache-2.0 */
/* Reads integers, names and types from a module's bytes. Knows no section and no instruction. */
#include "binary/cursor.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

vm_status vm_cursor_fail_at(struct vm_cursor *c, vm_error_id id, u64 offset, const char *what)
{
    c->failed = true;
    c->end = c->p; /* every later read ends here */
    return what ? vm_err_set(c->err, id, offset, "%s", what) : vm_err_set(c->err, id, offset, NULL);
}

vm_status vm_cursor_fail(struct vm_cursor *c, vm_error_id id, const char *what)
{
    return vm_cursor_fail_at(c, id, vm_cursor_offset(c), what);
}

/* The bytes ran out: the error stands where they end. */
static void fail_end(struct vm_cursor *c)
{
    if (c->failed) return;
    (void)vm_cursor_fail_at(c, VM_ERR_END_OF_SECTION, (u64)(c->end - c->start), NULL);
}

/* What a LEB128 reader answered. */
static bool leb_ok(struct vm_cursor *c, vm_error_id id)
{
    if (VM_LIKELY(id == VM_ERR_NONE)) return true;
    if (c->failed) return false;
    if (id == VM_ERR_END) {
        fail_end(c);
    } else {
        (void)vm_cursor_fail(c, id, NULL);
    }
    return false;
}

u8 vm_cursor_u8(struct vm_cursor *c)
{
    if (VM_LIKELY(c->p < c->end)) return *c->p++;
    fail_end(c);
    return 0;
}

u32 vm_cursor_u32(struct vm_cursor *c)
{
    u32 v = 0;
    return leb_ok(c, vm_leb_u32(&c->p, c->end, &v)) ? v : 0;
}

u64 vm_cursor_u64(struct vm_cursor *c)
{
    u64 v = 0;
    return leb_ok(c, vm_leb_u64(&c->p, c->end, &v)) ? v : 0;
}

i32 vm_cursor_s32(struct vm_cursor *c)
{
    i32 v = 0;
    return leb_ok(c, vm_leb_s32(&c->p, c->end, &v)) ? v : 0;
}

i64 vm_cursor_s33(struct vm_cursor *c)
{
    i64 v = 0;
    return leb_ok(c, vm_leb_s33(&c->p, c->end, &v)) ? v : 0;
}

i64 vm_cursor_s64(struct vm_cursor *c)
{
    i64 v = 0;
    return leb_ok(c, vm_leb_s64(&c->p, c->end, &v)) ? v : 0;
}

u32 vm_cursor_count(struct vm_cursor *c)
{
    usize left_before = vm_cursor_left(c);
    u64 offset = vm_cursor_offset(c);
    u32 n = vm_cursor_u32(c);
    if (VM_LIKELY(n <= vm_cursor_left(c))) return n;
    if (n > left_before) {
        char what[64];
        (void)snprintf(what, sizeof what, "%" PRIu32 ", but %zu bytes are left", n,
                       vm_cursor_left(c));
        (void)vm_cursor_fail_at(c, VM_ERR_LENGTH, offset, what);
    } else {
        fail_end(c);
    }
    return 0;
}

const u8 *vm_cursor_bytes(struct vm_cursor *c, usize n)
{
    if (c->failed) return NULL;
    if (n > vm_cursor_left(c)) {
        fail_end(c);
        return NULL;
    }
    const u8 *p = c->p;
    c->p += n;
    return p;
}

const u8 *vm_cursor_name(struct vm_cursor *c, u32 *len)
{
    *len = 0;
    u32 n = vm_cursor_count(c);
    const u8 *p = vm_cursor_bytes(c, n);
    if (!p) return NULL;
    if (!vm_utf8_valid(p, n)) {
        (void)vm_cursor_fail_at(c, VM_ERR_UTF8, (u64)(p - c->start), NULL);
        return NULL;
    }
    *len = n;
    return p;
}

/* A type's byte is a one-byte s7: `byte` starts a longer integer or is no type of this kind. */
static vm_valtype fail_type(struct vm_cursor *c, u8 byte, vm_error_id id, u64 offset)
{
    if (!c->failed) (void)vm_cursor_fail_at(c, byte & 0x80 ? VM_ERR_INT_LONG : id, offset, NULL);
    return VM_BOT;
}

static bool is_abstract_heap(u8 byte) { return byte >= VM_HEAP_EXN && byte <= VM_HEAP_NOEXN; }

u32 vm_cursor_heaptype(struct vm_cursor *c, u32 type_count)
{
    u64 offset = vm_cursor_offset(c);
    if (c->p < c->end && is_abstract_heap(*c->p)) return VM_HEAP_ABSTRACT | *c->p++;
    i64 index = vm_cursor_s33(c);
    if (c->failed) return 0;
    if (index < 0) {
        (void)vm_cursor_fail_at(c, VM_ERR_HEAPTYPE, offset, NULL);
        return 0;
    }
    if (index >= (i64)type_count) {
        char what[64];
        (void)snprintf(what, sizeof what, "%" PRIi64 " of %" PRIu32, index, type_count);
        (void)vm_cursor_fail_at(c, VM_ERR_UNKNOWN_TYPE, offset, what);
        return 0;
    }
    return (u32)index;
}

/* A reference type that starts with `byte`, already read; VM_BOT if none does. */
static vm_valtype reftype_from(struct vm_cursor *c, u8 byte, u32 type_count)
{
    if (byte == VM_REF || byte == VM_REFNULL) {
        u32 heap = vm_cursor_heaptype(c, type_count);
        return c->failed ? VM_BOT : VM_REFTYPE(byte == VM_REFNULL, heap);
    }
    return is_abstract_heap(byte) ? VM_REFTYPE(true, VM_HEAP_ABSTRACT | byte) : VM_BOT;
}

vm_valtype vm_cursor_reftype(struct vm_cursor *c, u32 type_count)
{
    u64 offset = vm_cursor_offset(c);
    u8 byte = vm_cursor_u8(c);
    vm_valtype t = reftype_from(c, byte, type_count);
    return t != VM_BOT ? t : fail_type(c, byte, VM_ERR_REFTYPE, offset);
}

vm_valtype vm_cursor_valtype(struct vm_cursor *c, u32 type_count)
{
    u64 offset = vm_cursor_offset(c);
    u8 byte = vm_cursor_u8(c);
    if (byte >= VM_V128 && byte <= VM_I32) return byte;
    vm_valtype t = reftype_from(c, byte, type_count);
    return t != VM_BOT ? t : fail_type(c, byte, VM_ERR_VALTYPE, offset);
}
