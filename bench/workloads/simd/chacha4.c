/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chacha4.c - the ChaCha20 stream cipher (RFC 8439); with SIMD four blocks at a time, one in each
 * lane. size: buffers of 4 KiB encrypted.
 */
#include "workload.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { BYTES = 4096 };

#ifdef __wasm_simd128__

#define ROTATE(value, by) wasm_v128_or(wasm_i32x4_shl(value, by), wasm_u32x4_shr(value, 32 - (by)))
#define ROTATE_16(value)                                                                           \
    wasm_i8x16_shuffle(value, value, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE_8(value)                                                                            \
    wasm_i8x16_shuffle(value, value, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)

static void quarter(v128_t *a, v128_t *b, v128_t *c, v128_t *d)
{
    *a = wasm_i32x4_add(*a, *b);
    *d = wasm_v128_xor(*d, *a);
    *d = ROTATE_16(*d);
    *c = wasm_i32x4_add(*c, *d);
    *b = wasm_v128_xor(*b, *c);
    *b = ROTATE(*b, 12);
    *a = wasm_i32x4_add(*a, *b);
    *d = wasm_v128_xor(*d, *a);
    *d = ROTATE_8(*d);
    *c = wasm_i32x4_add(*c, *d);
    *b = wasm_v128_xor(*b, *c);
    *b = ROTATE(*b, 7);
}

static void rounds(v128_t x[16])
{
    for (u32 i = 0; i < 10; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[1], &x[5], &x[9], &x[13]);
        quarter(&x[2], &x[6], &x[10], &x[14]);
        quarter(&x[3], &x[7], &x[11], &x[15]);
        quarter(&x[0], &x[5], &x[10], &x[15]);
        quarter(&x[1], &x[6], &x[11], &x[12]);
        quarter(&x[2], &x[7], &x[8], &x[13]);
        quarter(&x[3], &x[4], &x[9], &x[14]);
    }
}

static void xor_into(u8 *message, v128_t stream)
{
    wasm_v128_store(message, wasm_v128_xor(wasm_v128_load(message), stream));
}

/* Four words of each of the four blocks, which are 64 bytes apart. */
static void xor_words(u8 *message, const v128_t x[4])
{
    v128_t low01 = wasm_i32x4_shuffle(x[0], x[1], 0, 4, 1, 5);
    v128_t high01 = wasm_i32x4_shuffle(x[0], x[1], 2, 6, 3, 7);
    v128_t low23 = wasm_i32x4_shuffle(x[2], x[3], 0, 4, 1, 5);
    v128_t high23 = wasm_i32x4_shuffle(x[2], x[3], 2, 6, 3, 7);
    xor_into(message, wasm_i64x2_shuffle(low01, low23, 0, 2));
    xor_into(message + 64, wasm_i64x2_shuffle(low01, low23, 1, 3));
    xor_into(message + 128, wasm_i64x2_shuffle(high01, high23, 0, 2));
    xor_into(message + 192, wasm_i64x2_shuffle(high01, high23, 1, 3));
}

static void encrypt(u32 state[16], u8 *message, u32 bytes)
{
    v128_t x[16], in[16];
    for (u32 at = 0; at < bytes; at += 256) {
        for (u32 i = 0; i < 16; i++) in[i] = wasm_u32x4_splat(state[i]);
        in[12] = wasm_i32x4_add(in[12], wasm_i32x4_const(0, 1, 2, 3));
        memcpy(x, in, sizeof x);
        rounds(x);
        for (u32 i = 0; i < 16; i++) x[i] = wasm_i32x4_add(x[i], in[i]);
        for (u32 i = 0; i < 16; i += 4) xor_words(message + at + i * 4, x + i);
        state[12] += 4;
    }
}

#else

static u32 rotate(u32 value, u32 by) { return value << by | value >> (32 - by); }

static void quarter(u32 *a, u32 *b, u32 *c, u32 *d)
{
    *d = rotate(*d ^ (*a += *b), 16);
    *b = rotate(*b ^ (*c += *d), 12);
    *d = rotate(*d ^ (*a += *b), 8);
    *b = rotate(*b ^ (*c += *d), 7);
}

static void block(const u32 in[16], u32 out[16])
{
    u32 x[16];
    memcpy(x, in, sizeof x);
    for (u32 i = 0; i < 10; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[1], &x[5], &x[9], &x[13]);
        quarter(&x[2], &x[6], &x[10], &x[14]);
        quarter(&x[3], &x[7], &x[11], &x[15]);
        quarter(&x[0], &x[5], &x[10], &x[15]);
        quarter(&x[1], &x[6], &x[11], &x[12]);
        quarter(&x[2], &x[7], &x[8], &x[13]);
        quarter(&x[3], &x[4], &x[9], &x[14]);
    }
    for (u32 i = 0; i < 16; i++) out[i] = x[i] + in[i];
}

/* A word at a time: the machine's words are in the order that the cipher prescribes. */
static void encrypt(u32 state[16], u8 *message, u32 bytes)
{
    u32 stream[16];
    for (u32 at = 0; at < bytes; at += 64) {
        block(state, stream);
        for (u32 i = 0; i < 16; i++) {
            u32 word;
            memcpy(&word, message + at + i * 4, 4);
            word ^= stream[i];
            memcpy(message + at + i * 4, &word, 4);
        }
        state[12]++;
    }
}
#endif

u64 workload(u32 size)
{
    u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    u8 *message = wl_alloc(BYTES);
    u32 seed = 8439;
    u64 sum = 0;
    for (u32 i = 4; i < 16; i++) state[i] = wl_random(&seed);
    for (u32 i = 0; i < size; i++) encrypt(state, message, BYTES);
    for (u32 i = 0; i < BYTES; i++) sum = wl_mix(sum, message[i]);
    return sum;
}
