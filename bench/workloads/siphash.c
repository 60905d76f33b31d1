/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c - 64-bit mixing of short messages: SipHash-2-4, 128-bit products. size: KiB. */
#include "workload.h"

static u64 rotate(u64 value, u32 by) { return value << by | value >> (64 - by); }

static void round_of(u64 v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static u64 sip_hash(const u64 key[2], const u8 *message, u32 length)
{
    u64 v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    u64 last = (u64)length << 56;
    u32 at = 0;
    for (; at + 8 <= length; at += 8) {
        u64 word = 0;
        memcpy(&word, message + at, 8);
        v[3] ^= word;
        round_of(v), round_of(v);
        v[0] ^= word;
    }
    for (u32 i = 0; at + i < length; i++) last |= (u64)message[at + i] << (8 * i);
    v[3] ^= last;
    round_of(v), round_of(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (u32 i = 0; i < 4; i++) round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The upper half of the product of 64-bit numbers, folded into the lower. */
static u64 fold(u64 a, u64 b)
{
    u64 low = (u32)a * (u64)(u32)b;
    u64 one = (a >> 32) * (u32)b;
    u64 two = (u32)a * (b >> 32);
    u64 middle = (low >> 32) + (u32)one + (u32)two;
    u64 high = (a >> 32) * (b >> 32) + (one >> 32) + (two >> 32) + (middle >> 32);
    return high ^ (middle << 32 | (u32)low);
}

static u64 product_hash(u64 seed, const u8 *message, u32 length)
{
    for (u32 at = 0; at + 16 <= length; at += 16) {
        u64 words[2];
        memcpy(words, message + at, sizeof words);
        seed = fold(words[0] ^ 0x2d358dccaa6c78a5, words[1] ^ seed);
    }
    return fold(seed ^ 0x8bb84b93962eacc9, length);
}

u64 workload(u32 size)
{
    u8 message[1024];
    u64 key[2] = {1, 2};
    u64 sum = 0;
    for (u32 i = 0; i < sizeof message; i++) message[i] = (u8)(i * 31);
    for (u32 i = 0; i < size; i++) {
        for (u32 at = 0; at < 1024;) {
            u32 length = 16 + (at + i) % 93;
            length = at + length < 1024 ? length : 1024 - at;
            sum += sip_hash(key, message + at, length);
            sum ^= product_hash(sum, message + at, length);
            at += length;
        }
        key[i % 2] = sum;
    }
    return sum;
}
