/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_mem.c - bounds checks and copies between guest memory and host structures.
 */
#include "abi/guest_mem.h"

#include <string.h>

u8 wasi_mem_nothing[1];

void wasi_mem_init(struct wasi_mem *mem, const wr_memory_t *memory)
{
    mem->base = memory != NULL ? wr_memory_data(memory) : NULL;
    mem->size = mem->base != NULL ? wr_memory_size(memory) : 0;
}

WASI_GUEST_ACCESS u8 get8(const u8 *guest) { return *(const volatile u8 *)guest; }

WASI_GUEST_ACCESS void put8(u8 *guest, u8 v) { *(volatile u8 *)guest = v; }

void wasi_guest_read(void *to, const u8 *guest, size_t size)
{
    u8 *out = to;
    for (; size >= 8; size -= 8, out += 8, guest += 8) {
        u64 word = wasi_guest_get64(guest);
        memcpy(out, &word, sizeof(word));
    }
    while (size-- > 0) *out++ = get8(guest++);
}

void wasi_guest_write(u8 *guest, const void *from, size_t size)
{
    const u8 *in = from;
    for (; size >= 8; size -= 8, in += 8, guest += 8) {
        u64 word;
        memcpy(&word, in, sizeof(word));
        wasi_guest_put64(guest, word);
    }
    while (size-- > 0) put8(guest++, *in++);
}

wasi_errno wasi_mem_read(const struct wasi_mem *mem, u64 addr, void *out, size_t len)
{
    const u8 *p = wasi_mem_at(mem, addr, len);
    if (p == NULL) return WASI_E_FAULT;
    wasi_guest_read(out, p, len);
    return WASI_E_SUCCESS;
}

wasi_errno wasi_mem_write(const struct wasi_mem *mem, u64 addr, const void *in, size_t len)
{
    u8 *p = wasi_mem_at(mem, addr, len);
    if (p == NULL) return WASI_E_FAULT;
    wasi_guest_write(p, in, len);
    return WASI_E_SUCCESS;
}

wasi_errno wasi_mem_path(const struct wasi_mem *mem, u32 addr, u32 len, char buf[WASI_PATH_MAX + 1])
{
    const u8 *p = wasi_mem_at(mem, addr, len);
    if (p == NULL) return WASI_E_FAULT;
    if (len > WASI_PATH_MAX) return WASI_E_NAMETOOLONG;
    wasi_guest_read(buf, p, len);
    buf[len] = '\0';
    if (memchr(buf, '\0', len) != NULL) return WASI_E_INVAL;
    return wasi_utf8_valid((const u8 *)buf, len) ? WASI_E_SUCCESS : WASI_E_ILSEQ;
}

wasi_errno wasi_mem_iovecs(const struct wasi_mem *mem, u32 addr, u32 count,
                           struct iovec out[WASI_IOV_MAX])
{
    if (count > WASI_IOV_MAX) return WASI_E_INVAL;
    const u8 *vec = wasi_mem_at(mem, addr, (u64)count * WASI_IOVEC_BYTES);
    if (vec == NULL) return WASI_E_FAULT;
    size_t room = WASI_IO_MAX;
    for (u32 i = 0; i < count; i++) {
        const u64 one = wasi_guest_get64(vec + (size_t)i * WASI_IOVEC_BYTES);
        u32 len = (u32)(one >> 32);
        u8 *p = wasi_mem_at(mem, (u32)one, len);
        if (p == NULL) return WASI_E_FAULT;
        out[i] = (struct iovec){.iov_base = p, .iov_len = len < room ? len : room};
        room -= out[i].iov_len;
    }
    return WASI_E_SUCCESS;
}

/* Length of the sequence that starts with `lead`, and the range its second byte must be in. */
static size_t sequence(u8 lead, u8 *lo, u8 *hi)
{
    *lo = 0x80;
    *hi = 0xbf;
    if (lead < 0x80) return 1;
    if (lead < 0xc2) return 0;
    if (lead < 0xe0) return 2;
    if (lead < 0xf0) {
        if (lead == 0xe0) *lo = 0xa0; /* overlong */
        if (lead == 0xed) *hi = 0x9f; /* surrogates */
        return 3;
    }
    if (lead > 0xf4) return 0;
    if (lead == 0xf0) *lo = 0x90;
    if (lead == 0xf4) *hi = 0x8f; /* past U+10FFFF */
    return 4;
}

bool wasi_utf8_valid(const u8 *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        u8 lo, hi;
        size_t n = sequence(s[i], &lo, &hi);
        if (n == 0 || n > len - i) return false;
        if (n > 1 && (s[i + 1] < lo || s[i + 1] > hi)) return false;
        for (size_t k = 2; k < n; k++)
            if ((s[i + k] & 0xc0) != 0x80) return false;
        i += n;
    }
    return true;
}
