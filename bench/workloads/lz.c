/* SPDX-License-Identifier: Apache-2.0 */
/* lz.c - an LZ77 compressor with hash chains and its decompressor, on text. size: KiB. */
#include "workload.h"

#include <stdlib.h>

enum { MIN_MATCH = 4, MAX_MATCH = 130, WINDOW = 1 << 16, HASH_SIZE = 1 << 14, MAX_CHAIN = 12 };

static u32 heads[HASH_SIZE]; /* position + 1 of the last place with this hash */
static u32 chain[WINDOW];

static u32 hash_at(const u8 *at)
{
    u32 word = 0;
    memcpy(&word, at, sizeof word);
    return word * 2654435761u >> 18;
}

static void insert(const u8 *text, u32 at)
{
    u32 *head = &heads[hash_at(text + at)];
    chain[at % WINDOW] = *head;
    *head = at + 1;
}

static u32 match_length(const u8 *a, const u8 *b, u32 limit)
{
    u32 length = 0;
    while (length < limit && a[length] == b[length]) length++;
    return length;
}

/* The longest earlier text like that at `at`; its distance. */
static u32 find(const u8 *text, u32 at, u32 limit, u32 *length)
{
    u32 distance = 0;
    u32 tries = MAX_CHAIN;
    for (u32 head = heads[hash_at(text + at)]; head && tries--; head = chain[(head - 1) % WINDOW]) {
        u32 from = head - 1;
        if (at - from >= WINDOW) break;
        if (text[from + *length] != text[at + *length]) continue;
        u32 found = match_length(text + from, text + at, limit);
        if (found <= *length) continue;
        *length = found;
        distance = at - from;
        if (found == limit) break;
    }
    return distance;
}

/* 0LLLLLLL and that many + 1 literals, or 1LLLLLLL and a distance of 16 bits. */
static u32 compress(const u8 *text, u32 bytes, u8 *out)
{
    u32 to = 0;
    u32 run = 0; /* where the open run of literals has its length; 0: none */
    for (u32 at = 0; at < bytes;) {
        u32 left = bytes - at;
        u32 length = MIN_MATCH - 1;
        u32 limit = left < MAX_MATCH ? left : MAX_MATCH;
        u32 distance = left > MIN_MATCH ? find(text, at, limit, &length) : 0;
        u32 step = 1;
        if (distance) {
            out[to++] = (u8)(0x80 + length - MIN_MATCH);
            out[to++] = (u8)distance;
            out[to++] = (u8)(distance >> 8);
            step = length;
            run = 0;
        } else if (run && out[run - 1] < 0x7f) {
            out[run - 1]++;
            out[to++] = text[at];
        } else {
            out[to++] = 0;
            run = to;
            out[to++] = text[at];
        }
        for (; step--; at++) {
            if (bytes - at > MIN_MATCH) insert(text, at);
        }
    }
    return to;
}

static u32 expand(const u8 *in, u32 bytes, u8 *out)
{
    u32 to = 0;
    for (u32 at = 0; at < bytes;) {
        u32 token = in[at++];
        if (token < 0x80) {
            for (u32 i = 0; i <= token; i++) out[to++] = in[at++];
            continue;
        }
        u32 from = to - (in[at] | (u32)in[at + 1] << 8);
        at += 2;
        for (u32 i = 0; i < token - 0x80 + MIN_MATCH; i++) out[to++] = out[from++];
    }
    return to;
}

u64 workload(u32 size)
{
    u32 bytes = size * 1024;
    u8 *text = wl_alloc(bytes + MAX_MATCH);
    u8 *packed = wl_alloc(bytes * 2);
    u8 *back = wl_alloc(bytes + MAX_MATCH);
    wl_text((char *)text, bytes, 5);
    u32 length = compress(text, bytes, packed);
    u64 sum = wl_mix(0, length);
    for (u32 i = 0; i < length; i += 7) sum = wl_mix(sum, packed[i]);
    if (expand(packed, length, back) != bytes || memcmp(text, back, bytes) != 0) return 0;
    return sum;
}
