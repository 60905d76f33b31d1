/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - Base64 (RFC 4648) of a buffer and back. size: buffers of 12 KiB. */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { BYTES = 12 * 1024, LETTERS = BYTES / 3 * 4 };

#ifdef __wasm_simd128__

/* Letters of 16 values below 64: each range of the alphabet is the value and a constant. */
static v128_t letters_of(v128_t values)
{
    /* 0: a small letter, 1 to 10: digits, 11: '+', 12: '/', 13: a capital letter */
    v128_t range = wasm_u8x16_sub_sat(values, wasm_u8x16_const_splat(51));
    v128_t upper = wasm_i8x16_lt(values, wasm_i8x16_const_splat(26));
    range = wasm_v128_or(range, wasm_v128_and(upper, wasm_i8x16_const_splat(13)));
    v128_t offsets =
        wasm_i8x16_const('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                         '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
    return wasm_i8x16_add(values, wasm_i8x16_swizzle(offsets, range));
}

/* 12 bytes become 16 letters. 16 are read: the buffer has room. */
static void encode(char *to, const u8 *from, u32 bytes)
{
    v128_t low6 = wasm_i32x4_const_splat(0x3f);
    for (u32 i = 0; i < bytes; i += 12, to += 16) {
        /* each 32-bit lane: three bytes, the first one highest */
        v128_t in = wasm_v128_load(from + i);
        v128_t lane = wasm_i8x16_shuffle(in, in, 2, 1, 0, 0, 5, 4, 3, 3, 8, 7, 6, 6, 11, 10, 9, 9);
        v128_t first = wasm_v128_and(wasm_u32x4_shr(lane, 18), low6);
        v128_t second = wasm_v128_and(wasm_u32x4_shr(lane, 4), wasm_i32x4_const_splat(0x3f00));
        v128_t third = wasm_v128_and(wasm_i32x4_shl(lane, 10), wasm_i32x4_const_splat(0x3f0000));
        v128_t fourth = wasm_i32x4_shl(wasm_v128_and(lane, low6), 24);
        v128_t values = wasm_v128_or(wasm_v128_or(first, second), wasm_v128_or(third, fourth));
        wasm_v128_store(to, letters_of(values));
    }
}

static v128_t between(v128_t letters, char first, char last)
{
    return wasm_v128_and(wasm_i8x16_ge(letters, wasm_i8x16_splat(first)),
                         wasm_i8x16_le(letters, wasm_i8x16_splat(last)));
}

/* 16 letters become 12 bytes. 16 are written: the buffer has room. False for another character. */
static int decode(u8 *to, const char *from, u32 letters)
{
    v128_t good = wasm_i8x16_const_splat(-1);
    for (u32 i = 0; i < letters; i += 16, to += 12) {
        v128_t in = wasm_v128_load(from + i);
        v128_t upper = between(in, 'A', 'Z'), lower = between(in, 'a', 'z');
        v128_t digit = between(in, '0', '9'), plus = wasm_i8x16_eq(in, wasm_i8x16_const_splat('+'));
        v128_t slash = wasm_i8x16_eq(in, wasm_i8x16_const_splat('/'));
        v128_t offset = wasm_v128_and(upper, wasm_i8x16_const_splat(-'A'));
        offset = wasm_v128_or(offset, wasm_v128_and(lower, wasm_i8x16_const_splat(26 - 'a')));
        offset = wasm_v128_or(offset, wasm_v128_and(digit, wasm_i8x16_const_splat(52 - '0')));
        offset = wasm_v128_or(offset, wasm_v128_and(plus, wasm_i8x16_const_splat(62 - '+')));
        offset = wasm_v128_or(offset, wasm_v128_and(slash, wasm_i8x16_const_splat(63 - '/')));
        v128_t known = wasm_v128_or(wasm_v128_or(upper, lower), wasm_v128_or(digit, plus));
        good = wasm_v128_and(good, wasm_v128_or(known, slash));
        v128_t values = wasm_i8x16_add(in, offset);
        /* pairs of 6 bits to 12 bits, pairs of these to 24 bits, the first one highest */
        v128_t pairs =
            wasm_v128_or(wasm_i16x8_shl(wasm_v128_and(values, wasm_i16x8_const_splat(0xff)), 6),
                         wasm_u16x8_shr(values, 8));
        v128_t words = wasm_i32x4_dot_i16x8(pairs, wasm_i32x4_const_splat(0x00011000));
        wasm_v128_store(to, wasm_i8x16_shuffle(words, words, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12,
                                               3, 3, 3, 3));
    }
    return wasm_i8x16_all_true(good);
}

#else

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(char *to, const u8 *from, u32 bytes)
{
    for (u32 i = 0; i < bytes; i += 3, to += 4) {
        u32 word = (u32)from[i] << 16 | (u32)from[i + 1] << 8 | from[i + 2];
        to[0] = alphabet[word >> 18];
        to[1] = alphabet[word >> 12 & 63];
        to[2] = alphabet[word >> 6 & 63];
        to[3] = alphabet[word & 63];
    }
}

static u8 values[256]; /* 64: not in the alphabet */

static void make_values(void)
{
    memset(values, 64, sizeof values);
    for (u8 i = 0; i < 64; i++) values[(u8)alphabet[i]] = i;
}

static int decode(u8 *to, const char *from, u32 letters)
{
    u32 all = 0;
    if (!values[0]) make_values();
    for (u32 i = 0; i < letters; i += 4, to += 3) {
        u32 a = values[(u8)from[i]], b = values[(u8)from[i + 1]];
        u32 c = values[(u8)from[i + 2]], d = values[(u8)from[i + 3]];
        u32 word = a << 18 | b << 12 | c << 6 | d;
        all |= a | b | c | d;
        to[0] = (u8)(word >> 16);
        to[1] = (u8)(word >> 8);
        to[2] = (u8)word;
    }
    return all < 64;
}
#endif

u64 workload(u32 size)
{
    u8 *bytes = wl_alloc(BYTES + 16), *back = wl_alloc(BYTES + 16);
    char *letters = wl_alloc(LETTERS + 16);
    u32 seed = 64;
    u64 sum = 0;
    for (u32 i = 0; i < BYTES; i++) bytes[i] = (u8)wl_random(&seed);
    for (u32 round = 0; round < size; round++) {
        bytes[round % BYTES] ^= (u8)round;
        encode(letters, bytes, BYTES);
        u32 at = wl_random(&seed) % LETTERS;
        if (round % 16 == 15) letters[at] = (char)wl_random(&seed);
        sum = wl_mix(sum, (u32)decode(back, letters, LETTERS));
        sum = wl_mix(sum, (u64)(u8)letters[at] << 8 | (round % 16 == 15 ? 0 : back[at / 4 * 3]));
    }
    encode(letters, bytes, BYTES);
    (void)decode(back, letters, LETTERS);
    for (u32 i = 0; i < LETTERS; i++) sum = wl_mix(sum, (u8)letters[i]);
    return wl_mix(sum, (u32)memcmp(bytes, back, BYTES) == 0);
}
