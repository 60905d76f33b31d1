/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyed hash of 64-bit words (SipHash-1-3 over words): with a secret key nobody can choose inputs
 * that collide, so tables keyed by a module's contents stay fast. No tables here.
 */
#ifndef VM_BASE_HASH_H
#define VM_BASE_HASH_H

#include "base/bits.h"

struct vm_hash_key {
    u64 word[2];
};

/** A hash in the making; caller's storage. */
struct vm_hash {
    u64 v0, v1, v2, v3;
    u64 words;
};

static inline void vm_hash_round(struct vm_hash *h)
{
    h->v0 += h->v1;
    h->v1 = vm_rotl64(h->v1, 13) ^ h->v0;
    h->v0 = vm_rotl64(h->v0, 32);
    h->v2 += h->v3;
    h->v3 = vm_rotl64(h->v3, 16) ^ h->v2;
    h->v0 += h->v3;
    h->v3 = vm_rotl64(h->v3, 21) ^ h->v0;
    h->v2 += h->v1;
    h->v1 = vm_rotl64(h->v1, 17) ^ h->v2;
    h->v2 = vm_rotl64(h->v2, 32);
}

static inline void vm_hash_init(struct vm_hash *h, const struct vm_hash_key *key)
{
    h->v0 = key->word[0] ^ 0x736f6d6570736575u;
    h->v1 = key->word[1] ^ 0x646f72616e646f6du;
    h->v2 = key->word[0] ^ 0x6c7967656e657261u;
    h->v3 = key->word[1] ^ 0x7465646279746573u;
    h->words = 0;
}

static inline void vm_hash_add(struct vm_hash *h, u64 word)
{
    h->v3 ^= word;
    vm_hash_round(h);
    h->v0 ^= word;
    h->words++;
}

static inline u64 vm_hash_end(struct vm_hash *h)
{
    vm_hash_add(h, h->words << 56);
    h->v2 ^= 0xff;
    vm_hash_round(h);
    vm_hash_round(h);
    vm_hash_round(h);
    return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

/** A fresh secret key, from the system's random numbers; `salt` is used where there are none. */
void vm_hash_key_make(struct vm_hash_key *key, const void *salt);

#endif
