/* SPDX-License-Identifier: Apache-2.0 */
/* LEB128 decoding, one loop for each signedness. spec binary-int */
#include "base/leb128.h"

/*
 * Both loops check in this order, as the spec's tests expect: input left, unused bits of the last
 * byte, then the continuation bit of the last byte.
 */
VM_INLINE vm_error_id read_unsigned(const u8 **p, const u8 *end, u32 width, u64 *out)
{
    const u8 *at = *p;
    u64 value = 0;
    for (u32 shift = 0;; shift += 7) {
        if (at == end) return VM_ERR_END;
        u8 byte = *at++;
        u32 left = width - shift; /* bits that may still come */
        if (left < 7 && (byte & 0x7f) >> left != 0) return VM_ERR_INT_LARGE;
        value |= (u64)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
        if (left <= 7) return VM_ERR_INT_LONG;
    }
    *p = at;
    *out = value;
    return VM_ERR_NONE;
}

VM_INLINE vm_error_id read_signed(const u8 **p, const u8 *end, u32 width, i64 *out)
{
    const u8 *at = *p;
    u64 value = 0;
    for (u32 shift = 0;; shift += 7) {
        if (at == end) return VM_ERR_END;
        u8 byte = *at++;
        u32 left = width - shift;
        u32 sign_bits = left < 7 ? (0x7fu << (left - 1)) & 0x7f : 0;
        u32 seen = byte & sign_bits;
        if (seen != 0 && seen != sign_bits) return VM_ERR_INT_LARGE;
        value |= (u64)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if ((byte & 0x40) && shift + 7 < 64) value |= ~(u64)0 << (shift + 7);
            break;
        }
        if (left <= 7) return VM_ERR_INT_LONG;
    }
    *p = at;
    *out = (i64)value;
    return VM_ERR_NONE;
}

vm_error_id vm_leb_u32_slow(const u8 **p, const u8 *end, u32 *out)
{
    u64 value;
    vm_error_id id = read_unsigned(p, end, 32, &value);
    if (id == VM_ERR_NONE) *out = (u32)value;
    return id;
}

vm_error_id vm_leb_u64(const u8 **p, const u8 *end, u64 *out)
{
    return read_unsigned(p, end, 64, out);
}

vm_error_id vm_leb_s32_slow(const u8 **p, const u8 *end, i32 *out)
{
    i64 value;
    vm_error_id id = read_signed(p, end, 32, &value);
    if (id == VM_ERR_NONE) *out = (i32)value;
    return id;
}

vm_error_id vm_leb_s33(const u8 **p, const u8 *end, i64 *out)
{
    return read_signed(p, end, 33, out);
}

vm_error_id vm_leb_s64(const u8 **p, const u8 *end, i64 *out)
{
    return read_signed(p, end, 64, out);
}
