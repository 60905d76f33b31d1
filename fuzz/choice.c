/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions from random numbers or from bytes. */
#include "choice.h"

/* splitmix64: a counter put through a mixing function, known for passing statistical tests. */
u64 choice_next(u64 *state)
{
    u64 z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

struct choice choice_random(u64 seed) { return (struct choice){.state = seed}; }

struct choice choice_bytes(const u8 *data, usize size)
{
    return (struct choice){.data = data ? data : (const u8 *)"", .size = size};
}

static u8 next_byte(struct choice *c)
{
    if (!c->data) return (u8)(choice_next(&c->state) >> 32);
    return c->pos < c->size ? c->data[c->pos++] : 0;
}

u32 choice_below(struct choice *c, u32 n)
{
    if (n <= 1) return 0;
    u32 v = next_byte(c), bytes = n > 256 ? 2 : 1;
    if (bytes == 2) v |= (u32)next_byte(c) << 8;
    v %= n;
    if (c->log) bytes_le(c->log, v, bytes);
    return v;
}

u64 choice_u64(struct choice *c)
{
    u64 v = 0;
    for (u32 i = 0; i < 8; i++) v |= (u64)next_byte(c) << 8 * i;
    if (c->log) bytes_le(c->log, v, 8);
    return v;
}
