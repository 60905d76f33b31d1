/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - SHA-256 (FIPS 180-4), each digest part of the next message. size: KiB hashed. */
#include "workload.h"

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const u32 constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const u32 start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static u32 rotate(u32 value, u32 by) { return value >> by | value << (32 - by); }

static void block(u32 state[8], const u8 *bytes)
{
    u32 w[64];
    for (u32 i = 0; i < 16; i++) {
        const u8 *at = bytes + 4 * i;
        w[i] = (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
    }
    for (u32 i = 16; i < 64; i++) {
        u32 a = w[i - 15];
        u32 b = w[i - 2];
        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    u32 s[8];
    memcpy(s, state, sizeof s);
    for (u32 i = 0; i < 64; i++) {
        u32 e = s[4];
        u32 a = s[0];
        u32 one = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                  ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
        u32 two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                  ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + one;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = one + two;
    }
    for (u32 i = 0; i < 8; i++) state[i] += s[i];
}

/* A message of 1024 bytes: 16 blocks and one of padding. */
static void digest(const u8 *message, u32 out[8])
{
    u8 padding[64] = {0x80};
    padding[62] = 1024 * 8 >> 8;
    memcpy(out, start, sizeof start);
    for (u32 i = 0; i < 16; i++) block(out, message + 64 * i);
    block(out, padding);
}

u64 workload(u32 size)
{
    u8 message[1024];
    u32 out[8];
    for (u32 i = 0; i < sizeof message; i++) message[i] = (u8)(i * 7);
    for (u32 i = 0; i < size; i++) {
        digest(message, out);
        memcpy(message + i % 31 * 32, out, sizeof out);
    }
    u64 sum = 0;
    for (u32 i = 0; i < 8; i++) sum = wl_mix(sum, out[i]);
    return sum;
}
