/* SPDX-License-Identifier: Apache-2.0 */
/* huffman.c - move-to-front and a Huffman code, both ways, bit by bit, on text. size: KiB. */
#include "workload.h"

enum { PART = 1 << 15, NODES = 512 };

struct code {
    u32 weight[NODES];
    u16 kids[NODES][2]; /* of nodes from 256 on */
    u32 bits[256];
    u8 lengths[256];
    u32 root;
};

struct stream {
    u8 *bytes;
    u32 at; /* in bits */
};

static u8 to_front(u8 table[256], u32 from)
{
    u8 value = table[from];
    for (; from; from--) table[from] = table[from - 1];
    table[0] = value;
    return value;
}

static void rank(const u8 *text, u8 *out, u32 length)
{
    u8 table[256];
    for (u32 i = 0; i < 256; i++) table[i] = (u8)i;
    for (u32 i = 0; i < length; i++) {
        u32 at = 0;
        while (table[at] != text[i]) at++;
        to_front(table, at);
        out[i] = (u8)at;
    }
}

static void unrank(u8 *text, u32 length)
{
    u8 table[256];
    for (u32 i = 0; i < 256; i++) table[i] = (u8)i;
    for (u32 i = 0; i < length; i++) text[i] = to_front(table, text[i]);
}

static u32 lightest(const u32 *weight, u32 count)
{
    u32 best = NODES;
    for (u32 i = 0; i < count; i++) {
        if (weight[i] && (best == NODES || weight[i] < weight[best])) best = i;
    }
    return best;
}

static void assign(struct code *code, u32 node, u32 bits, u8 length)
{
    if (node < 256) {
        code->bits[node] = bits;
        code->lengths[node] = length;
        return;
    }
    assign(code, code->kids[node][0], bits << 1, length + 1);
    assign(code, code->kids[node][1], bits << 1 | 1, length + 1);
}

/* Joins the two lightest nodes until one is left. Every symbol counts once more than it occurs. */
static void build(struct code *code, const u8 *text, u32 length)
{
    memset(code, 0, sizeof *code);
    for (u32 i = 0; i < 256; i++) code->weight[i] = 1;
    for (u32 i = 0; i < length; i++) code->weight[text[i]] += 4;
    for (u32 next = 256; next < 511; next++) {
        u32 weight = 0;
        for (u32 side = 0; side < 2; side++) {
            u32 node = lightest(code->weight, next);
            weight += code->weight[node];
            code->weight[node] = 0;
            code->kids[next][side] = (u16)node;
        }
        code->weight[next] = weight;
    }
    code->root = 510;
    assign(code, code->root, 0, 0);
}

static void encode(const struct code *code, const u8 *text, u32 length, struct stream *out)
{
    for (u32 i = 0; i < length; i++) {
        for (u32 bit = code->lengths[text[i]]; bit-- > 0; out->at++) {
            u32 mask = 1u << (out->at & 7);
            u8 *byte = &out->bytes[out->at >> 3];
            *byte = (u8)(code->bits[text[i]] >> bit & 1 ? *byte | mask : *byte & ~mask);
        }
    }
}

static void decode(const struct code *code, u8 *text, u32 length, struct stream *in)
{
    for (u32 i = 0; i < length; i++) {
        u32 node = code->root;
        for (; node >= 256; in->at++) {
            node = code->kids[node][in->bytes[in->at >> 3] >> (in->at & 7) & 1];
        }
        text[i] = (u8)node;
    }
}

u64 workload(u32 size)
{
    static struct code code;
    u8 *text = wl_alloc(PART);
    u8 *ranks = wl_alloc(PART);
    u8 *bytes = wl_alloc(PART * 4);
    u64 sum = 0;
    for (u32 done = 0; done < size; done += PART / 1024) {
        wl_text((char *)text, PART, done + 9);
        rank(text, ranks, PART);
        build(&code, ranks, PART);
        struct stream out = {bytes, 0};
        encode(&code, ranks, PART, &out);
        struct stream in = {bytes, 0};
        decode(&code, ranks, PART, &in);
        unrank(ranks, PART);
        if (memcmp(text, ranks, PART) != 0) return 0;
        sum = wl_mix(sum, out.at);
    }
    return sum;
}
