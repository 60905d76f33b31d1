/* SPDX-License-Identifier: Apache-2.0 */
/* LEB128 integers, bounds-checked. spec binary-int */
#ifndef VM_BASE_LEB128_H
#define VM_BASE_LEB128_H

#include "base/port.h"
#include "base/status.h"

/*
 * Each reads one integer from [*p, end), stores it and advances *p past it. On failure *p is
 * unchanged and the result is VM_ERR_END, VM_ERR_INT_LONG (more bytes than the width allows) or
 * VM_ERR_INT_LARGE (unused bits of the last byte set); VM_ERR_NONE on success.
 */
vm_error_id vm_leb_u32_slow(const u8 **p, const u8 *end, u32 *out);
vm_error_id vm_leb_u64(const u8 **p, const u8 *end, u64 *out);
vm_error_id vm_leb_s32_slow(const u8 **p, const u8 *end, i32 *out);
vm_error_id vm_leb_s33(const u8 **p, const u8 *end, i64 *out);
vm_error_id vm_leb_s64(const u8 **p, const u8 *end, i64 *out);

/** Unsigned 32-bit, the one-byte case inline. */
static inline vm_error_id vm_leb_u32(const u8 **p, const u8 *end, u32 *out)
{
    if (VM_LIKELY(*p < end && **p < 0x80)) {
        *out = *(*p)++;
        return VM_ERR_NONE;
    }
    return vm_leb_u32_slow(p, end, out);
}

/** Signed 32-bit, the one-byte case inline. */
static inline vm_error_id vm_leb_s32(const u8 **p, const u8 *end, i32 *out)
{
    if (VM_LIKELY(*p < end && **p < 0x80)) {
        u8 b = *(*p)++;
        *out = (i32)(b & 0x3f) - (i32)(b & 0x40);
        return VM_ERR_NONE;
    }
    return vm_leb_s32_slow(p, end, out);
}

#endif
