/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a generator's decisions come from: a random sequence, or bytes that a fuzzer mutates. What
 * was decided can be logged, and the log replayed: shrinking a case is shortening its log. 0 is the
 * simplest decision, and the one taken when the bytes have ended.
 */
#ifndef FUZZ_CHOICE_H
#define FUZZ_CHOICE_H

#include "bytes.h"

struct choice {
    const u8 *data; /* NULL: random */
    usize size, pos;
    u64 state;
    struct bytes *log; /* may be NULL */
};

struct choice choice_random(u64 seed);
struct choice choice_bytes(const u8 *data, usize size);

/** A number below `n`, which is 1 to 65536. */
u32 choice_below(struct choice *c, u32 n);
/** True in about `percent` of 100 cases; false when the bytes have ended. */
static inline bool choice_percent(struct choice *c, u32 percent)
{
    return choice_below(c, 100) >= 100 - percent;
}
/** Any 64 bits. */
u64 choice_u64(struct choice *c);

/** The next number of the sequence that random decisions and call plans are made from. */
u64 choice_next(u64 *state);

#endif
