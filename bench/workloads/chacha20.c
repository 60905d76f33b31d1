/* SPDX-License-Identifier: Apache-2.0 */
/* chacha20.c - the ChaCha20 stream cipher (RFC 8439) over a buffer. size: KiB encrypted. */
#include "workload.h"

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

static void encrypt(u32 state[16], u8 *message, u32 bytes)
{
    u32 stream[16];
    u8 key[64];
    for (u32 at = 0; at < bytes; at += 64) {
        block(state, stream);
        memcpy(key, stream, sizeof key);
        for (u32 i = 0; i < 64; i++) message[at + i] ^= key[i];
        state[12]++;
    }
}

u64 workload(u32 size)
{
    u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    u8 *message = wl_alloc(1024);
    u32 seed = 7;
    for (u32 i = 4; i < 16; i++) state[i] = wl_random(&seed);
    for (u32 i = 0; i < size; i++) encrypt(state, message, 1024);
    u64 sum = 0;
    for (u32 i = 0; i < 1024; i++) sum = wl_mix(sum, message[i]);
    return sum;
}
