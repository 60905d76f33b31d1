/* SPDX-License-Identifier: Apache-2.0 */
/* Copying and filling by single instructions, in the order of memmove. */
#include "platform/copy.h"

/* An access of any alignment; an aligned one is not torn. */
#if defined(__x86_64__)
#define LOAD8 "movzbl %1, %k0"
#define LOAD16 "movzwl %1, %k0"
#define LOAD32 "movl %1, %k0"
#define LOAD64 "movq %1, %0"
#define STORE8 "movb %b1, %0"
#define STORE16 "movw %w1, %0"
#define STORE32 "movl %k1, %0"
#define STORE64 "movq %1, %0"
#define ADDRESS "m"
#elif defined(__aarch64__)
#define LOAD8 "ldrb %w0, %1"
#define LOAD16 "ldrh %w0, %1"
#define LOAD32 "ldr %w0, %1"
#define LOAD64 "ldr %x0, %1"
#define STORE8 "strb %w1, %0"
#define STORE16 "strh %w1, %0"
#define STORE32 "str %w1, %0"
#define STORE64 "str %x1, %0"
#define ADDRESS "Q"
#else
#error "copying instructions of this architecture are missing"
#endif

#define ACCESS(bits)                                                                               \
    struct word##bits {                                                                            \
        u##bits v;                                                                                 \
    } __attribute__((packed, may_alias));                                                          \
    VM_INLINE u64 load##bits(const u8 *p)                                                          \
    {                                                                                              \
        u64 v;                                                                                     \
        __asm__ volatile(LOAD##bits                                                                \
                         : "=r"(v)                                                                 \
                         : ADDRESS(*(const struct word##bits *)(const void *)p));                  \
        return v;                                                                                  \
    }                                                                                              \
    VM_INLINE void store##bits(u8 *p, u64 v)                                                       \
    {                                                                                              \
        __asm__ volatile(STORE##bits : "=" ADDRESS(*(struct word##bits *)(void *)p) : "r"(v));     \
    }
ACCESS(8)
ACCESS(16)
ACCESS(32)
ACCESS(64)

/** Bytes of the widest word that may be written at `p`, or end there, with `size` left. */
VM_INLINE usize width(const u8 *p, usize size)
{
    usize w = 8;
    while (w > size || (usize)p % w) w /= 2;
    return w;
}

VM_INLINE void copy_word(u8 *to, const u8 *from, usize w)
{
    switch (w) {
    case 8: store64(to, load64(from)); break;
    case 4: store32(to, load32(from)); break;
    case 2: store16(to, load16(from)); break;
    default: store8(to, load8(from)); break;
    }
}

static void copy_forward(u8 *to, const u8 *from, usize size)
{
    while (size) {
        usize w = width(to, size);
        copy_word(to, from, w);
        to += w;
        from += w;
        size -= w;
        while (w == 8 && size >= 8) { /* aligned from here on */
            store64(to, load64(from));
            to += 8;
            from += 8;
            size -= 8;
        }
    }
}

static void copy_backward(u8 *to, const u8 *from, usize size)
{
    while (size) {
        usize w = width(to + size, size);
        size -= w;
        copy_word(to + size, from + size, w);
        while (w == 8 && size >= 8) {
            size -= 8;
            store64(to + size, load64(from + size));
        }
    }
}

void vm_copy_shared(void *to, const void *from, usize size)
{
    /* forward unless that would overwrite what is still to be read */
    if ((usize)to - (usize)from >= size)
        copy_forward(to, from, size);
    else
        copy_backward(to, from, size);
}

void vm_fill_shared(void *to, u8 value, usize size)
{
    u8 *p = to;
    u64 v = value * (u64)0x0101010101010101;
    while (size) {
        usize w = width(p, size);
        switch (w) {
        case 8: store64(p, v); break;
        case 4: store32(p, v); break;
        case 2: store16(p, v); break;
        default: store8(p, v); break;
        }
        p += w;
        size -= w;
        for (; w == 8 && size >= 8; size -= 8, p += 8) store64(p, v);
    }
}
