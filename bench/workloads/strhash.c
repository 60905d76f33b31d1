/* SPDX-License-Identifier: Apache-2.0 */
/* strhash.c - words of a text counted in a hash table with open addressing. size: KiB of text. */
#include "workload.h"

enum { SLOTS = 1 << 15 };

struct slot {
    const char *word; /* NULL: free */
    u32 length;
    u32 hash;
    u32 count;
};

static struct slot slots[SLOTS];

/* FNV-1a */
static u32 hash_word(const char *word, u32 length)
{
    u32 hash = 2166136261u;
    for (u32 i = 0; i < length; i++) hash = (hash ^ (u8)word[i]) * 16777619u;
    return hash;
}

static struct slot *find(const char *word, u32 length)
{
    u32 hash = hash_word(word, length);
    u32 at = hash % SLOTS;
    for (;; at = (at + 1) % SLOTS) {
        struct slot *slot = &slots[at];
        if (!slot->word) {
            *slot = (struct slot){word, length, hash, 0};
            return slot;
        }
        if (slot->hash == hash && slot->length == length && memcmp(slot->word, word, length) == 0) {
            return slot;
        }
    }
}

static u32 count_words(const char *text, u32 bytes)
{
    u32 words = 0;
    for (u32 at = 0; at < bytes;) {
        while (at < bytes && (text[at] == ' ' || text[at] == '\n')) at++;
        u32 from = at;
        while (at < bytes && text[at] != ' ' && text[at] != '\n') at++;
        if (at == from) break;
        find(text + from, at - from)->count++;
        words++;
    }
    return words;
}

u64 workload(u32 size)
{
    enum { PART = 64 * 1024 };
    char *text = wl_alloc(PART);
    u64 sum = 0;
    for (u32 done = 0; done < size; done += PART / 1024) {
        u32 left = (size - done) * 1024;
        if (done % 1024 == 0) {
            memset(slots, 0, sizeof slots);
            wl_text(text, PART, done + 1);
        }
        sum = wl_mix(sum, count_words(text, left < PART ? left : PART));
    }
    for (u32 i = 0; i < SLOTS; i++) {
        if (slots[i].word) sum += wl_mix(slots[i].hash, slots[i].count);
    }
    return sum;
}
