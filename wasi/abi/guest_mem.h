/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_mem.h - checked access to the caller's memory: a guest pointer is (memory, offset, length),
 * checked in 64-bit arithmetic each time it is used. Unaligned pointers are legal.
 *
 * The memory may be shared and change at any time. So what is there is looked at once: by accesses
 * that the compiler can't repeat (wasi_guest_*), never in place; the kernel copies for itself.
 */
#ifndef WASI_ABI_GUEST_MEM_H
#define WASI_ABI_GUEST_MEM_H

#include "abi/ints.h"
#include "abi/p1_types.h"
#include "wasmrun.h"

#include <sys/uio.h>

enum {
    WASI_PATH_MAX = 4096, /**< bytes of a guest path, without a NUL */
    WASI_IOV_MAX = 1024,  /**< iovecs per call */
    /** Bytes per call, as in Linux: more is moved by the next call. Its count is a guest u32. */
    WASI_IO_MAX = 0x7ffff000
};

/** A snapshot of the caller's memory: the base never moves and the size never shrinks. */
struct wasi_mem {
    u8 *base;
    u64 size;
};

/** `memory` NULL gives an empty memory, in which every access of at least one byte fails. */
void wasi_mem_init(struct wasi_mem *mem, const wr_memory_t *memory);

/** What an empty span points to: never read or written. */
extern u8 wasi_mem_nothing[1];

/** Host pointer to [addr, addr+len), or NULL when that is not inside. Never NULL for length 0
 * inside. */
static inline u8 *wasi_mem_at(const struct wasi_mem *mem, u64 addr, u64 len)
{
    if (addr > mem->size || len > mem->size - addr) return NULL;
    return len == 0 ? wasi_mem_nothing : mem->base + addr;
}

/** Copies a guest structure out once, so that a second look cannot differ. FAULT. */
WASI_MUST_USE wasi_errno wasi_mem_read(const struct wasi_mem *mem, u64 addr, void *out, size_t len);
/** Copies into guest memory. FAULT. */
WASI_MUST_USE wasi_errno wasi_mem_write(const struct wasi_mem *mem, u64 addr, const void *in,
                                        size_t len);

/**
 * Reads a path into `buf` with a final NUL.
 * FAULT, NAMETOOLONG, INVAL (a NUL inside), ILSEQ (not UTF-8).
 */
WASI_MUST_USE wasi_errno wasi_mem_path(const struct wasi_mem *mem, u32 addr, u32 len,
                                       char buf[WASI_PATH_MAX + 1]);

/**
 * Translates a guest iovec array into host iovecs over guest memory. At most WASI_IOV_MAX,
 * which together are cut to WASI_IO_MAX bytes. FAULT, INVAL (too many).
 */
WASI_MUST_USE wasi_errno wasi_mem_iovecs(const struct wasi_mem *mem, u32 addr, u32 count,
                                         struct iovec out[WASI_IOV_MAX]);

/** Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool wasi_utf8_valid(const u8 *s, size_t len);

/* Numbers in host memory. */

static inline u16 wasi_get16(const u8 *p) { return (u16)(p[0] | (u16)((u16)p[1] << 8)); }

static inline u32 wasi_get32(const u8 *p)
{
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline u64 wasi_get64(const u8 *p)
{
    return (u64)wasi_get32(p) | (u64)wasi_get32(p + 4) << 32;
}

static inline void wasi_put16(u8 *p, u16 v)
{
    p[0] = (u8)v;
    p[1] = (u8)(v >> 8);
}

static inline void wasi_put32(u8 *p, u32 v)
{
    p[0] = (u8)v;
    p[1] = (u8)(v >> 8);
    p[2] = (u8)(v >> 16);
    p[3] = (u8)(v >> 24);
}

static inline void wasi_put64(u8 *p, u64 v)
{
    wasi_put32(p, (u32)v);
    wasi_put32(p + 4, (u32)(v >> 32));
}

/*
 * Guest memory, at a pointer that wasi_mem_at gave. Each number is one access, of any alignment;
 * the guest may race with it, which is its own affair and none of ThreadSanitizer's.
 */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the guest's order is the host's");
#define WASI_GUEST_ACCESS static inline __attribute__((no_sanitize("thread")))
struct wasi_any16 {
    u16 v;
} __attribute__((packed, may_alias));
struct wasi_any32 {
    u32 v;
} __attribute__((packed, may_alias));
struct wasi_any64 {
    u64 v;
} __attribute__((packed, may_alias));

WASI_GUEST_ACCESS u32 wasi_guest_get32(const u8 *guest)
{
    return ((const volatile struct wasi_any32 *)(const void *)guest)->v;
}

WASI_GUEST_ACCESS u64 wasi_guest_get64(const u8 *guest)
{
    return ((const volatile struct wasi_any64 *)(const void *)guest)->v;
}

WASI_GUEST_ACCESS void wasi_guest_put16(u8 *guest, u16 v)
{
    ((volatile struct wasi_any16 *)(void *)guest)->v = v;
}

WASI_GUEST_ACCESS void wasi_guest_put32(u8 *guest, u32 v)
{
    ((volatile struct wasi_any32 *)(void *)guest)->v = v;
}

WASI_GUEST_ACCESS void wasi_guest_put64(u8 *guest, u64 v)
{
    ((volatile struct wasi_any64 *)(void *)guest)->v = v;
}

/** Copies out of guest memory: what is in `to` is what was looked at. */
void wasi_guest_read(void *to, const u8 *guest, size_t size);
/** Copies into guest memory. */
void wasi_guest_write(u8 *guest, const void *from, size_t size);

#endif
