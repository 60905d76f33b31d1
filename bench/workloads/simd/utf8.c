/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c - is a text UTF-8 (RFC 3629)? Half of it is nearly all ASCII, in the other half characters
 * of one to four bytes change; some rounds have an error. size: texts of 32 KiB.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { BYTES = 32 * 1024 };

#ifdef __wasm_simd128__

/* What 0xX0 to 0xXF is in a table of 16; 0 for bytes of another X. */
static v128_t look_up(v128_t table, v128_t bytes, u8 first)
{
    return wasm_i8x16_swizzle(table, wasm_v128_xor(bytes, wasm_u8x16_splat(first)));
}

/* Where bytes are wrong behind those that stand one, two and three before them. */
static v128_t errors_of(v128_t in, v128_t one, v128_t two, v128_t three)
{
    /* the least that may follow a first byte: nothing follows 0xc0 and 0xc1 */
    const v128_t least_c = wasm_u8x16_const(0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const v128_t least_e = wasm_u8x16_const(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const v128_t least_f = wasm_u8x16_const(0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    /* 255 less the most that may follow: surrogates, above 0x10ffff, nothing from 0xf5 on */
    const v128_t most_e = wasm_u8x16_const(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0);
    const v128_t most_f = wasm_u8x16_const(0, 0, 0, 0, 0x70, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff);
    v128_t wanted = wasm_v128_or(wasm_u8x16_ge(one, wasm_u8x16_const_splat(0xc0)),
                                 wasm_u8x16_ge(two, wasm_u8x16_const_splat(0xe0)));
    wanted = wasm_v128_or(wanted, wasm_u8x16_ge(three, wasm_u8x16_const_splat(0xf0)));
    v128_t is_later = wasm_i8x16_lt(in, wasm_i8x16_const_splat(-64)); /* 0x80 to 0xbf */
    v128_t least = wasm_v128_or(look_up(least_c, one, 0xc0), look_up(least_e, one, 0xe0));
    least = wasm_v128_or(least, look_up(least_f, one, 0xf0));
    v128_t most = wasm_v128_or(look_up(most_e, one, 0xe0), look_up(most_f, one, 0xf0));
    v128_t range = wasm_v128_or(wasm_u8x16_lt(in, least), wasm_u8x16_lt(wasm_v128_not(in), most));
    return wasm_v128_or(range, wasm_v128_xor(wanted, is_later));
}

/* Reads up to 32 bytes behind the text, which are 0: they end it. */
static int is_utf8(const u8 *text, u32 count)
{
    v128_t before = wasm_i8x16_const_splat(0), errors = before;
    for (u32 i = 0; i < count + 16; i += 16) {
        v128_t in = wasm_v128_load(text + i);
        if (wasm_i8x16_bitmask(wasm_v128_or(in, before))) {
            v128_t one = wasm_i8x16_shuffle(before, in, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                            26, 27, 28, 29, 30);
            v128_t two = wasm_i8x16_shuffle(before, in, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
                                            25, 26, 27, 28, 29);
            v128_t three = wasm_i8x16_shuffle(before, in, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                              23, 24, 25, 26, 27, 28);
            errors = wasm_v128_or(errors, errors_of(in, one, two, three));
        }
        before = in;
    }
    return !wasm_v128_any_true(errors);
}

#else

static int is_later(u8 byte) { return (byte & 0xc0) == 0x80; }

/* Bytes of the character that begins here, of two or more; 0 when it is none. 0 ends the text. */
static u32 character(const u8 *at)
{
    if (at[0] < 0xc2 || at[0] > 0xf4 || !is_later(at[1])) return 0;
    if (at[0] < 0xe0) return 2;
    if (!is_later(at[2])) return 0;
    if (at[0] < 0xf0) {
        if (at[0] == 0xe0 && at[1] < 0xa0) return 0;
        return at[0] == 0xed && at[1] > 0x9f ? 0 : 3;
    }
    if (at[0] == 0xf0 && at[1] < 0x90) return 0;
    if (at[0] == 0xf4 && at[1] > 0x8f) return 0;
    return is_later(at[3]) ? 4 : 0;
}

static int is_utf8(const u8 *text, u32 count)
{
    for (u32 i = 0; i < count;) {
        u64 eight;
        memcpy(&eight, text + i, sizeof eight);
        if (!(eight & 0x8080808080808080u)) {
            i += 8;
        } else if (text[i] < 0x80) {
            i++;
        } else {
            u32 bytes = character(text + i);
            if (!bytes) return 0;
            i += bytes;
        }
    }
    return 1;
}
#endif

/* Writes a character; its bytes. */
static u32 put(u8 *to, u32 code)
{
    if (code < 0x80) {
        to[0] = (u8)code;
        return 1;
    }
    u32 bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (u32 i = bytes - 1; i; i--, code >>= 6) to[i] = (u8)(0x80 | (code & 0x3f));
    to[0] = (u8)(0xf00u >> bytes | code);
    return bytes;
}

static u32 pick(u32 *seed, int is_mixed)
{
    u32 random = wl_random(seed), kind = random >> 27;
    if (is_mixed ? kind < 10 : kind || random >> 25 & 1) return 0x20 + random % 95;
    if (kind < 18) return 0x80 + random % 0x780;
    if (kind < 29) return 0x800 + random % 0xd000;
    return 0x10000 + random % 0x100000;
}

static void write_text(u8 *text)
{
    u32 seed = 3629, at = 0;
    while (at < BYTES - 4) at += put(text + at, pick(&seed, at > BYTES / 2));
    memset(text + at, ' ', BYTES - at);
}

u64 workload(u32 size)
{
    u8 *text = wl_alloc(BYTES + 32);
    u32 seed = 28;
    u64 sum = 0;
    write_text(text);
    for (u32 round = 0; round < size; round++) {
        /* errors in some rounds, near the end: both builds read nearly all */
        u32 at = BYTES - 1 - wl_random(&seed) % 512;
        u8 old = text[at];
        if (round % 4 == 3) text[at] = (u8)wl_random(&seed);
        sum = wl_mix(sum, (u32)is_utf8(text, BYTES));
        text[at] = old;
    }
    for (u32 i = 0; i < BYTES; i++) sum = wl_mix(sum, text[i]);
    return sum;
}
