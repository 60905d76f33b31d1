/* SPDX-License-Identifier: Apache-2.0 */
/* fannkuch.c - prefix reversals of permutations of 11 numbers. size: thousands of these. */
#include "workload.h"

enum { COUNT = 11 };

/* How often the prefix named by the first element is reversed until that element is 0. */
static u32 count_flips(const u32 *permutation)
{
    u32 cards[COUNT];
    u32 flips = 0;
    memcpy(cards, permutation, sizeof cards);
    for (u32 first = cards[0]; first; first = cards[0]) {
        for (u32 low = 0, high = first; low < high; low++, high--) {
            u32 swap = cards[low];
            cards[low] = cards[high];
            cards[high] = swap;
        }
        flips++;
    }
    return flips;
}

/* The next permutation, by rotating ever longer prefixes; 0 after the last. */
static u32 advance(u32 *permutation, u32 *counts)
{
    for (u32 length = 1; length < COUNT; length++) {
        u32 first = permutation[0];
        for (u32 i = 0; i < length; i++) permutation[i] = permutation[i + 1];
        permutation[length] = first;
        if (++counts[length] <= length) return 1;
        counts[length] = 0;
    }
    return 0;
}

u64 workload(u32 size)
{
    u32 permutation[COUNT];
    u32 counts[COUNT] = {0};
    u32 most = 0;
    u32 index = 0;
    i32 checksum = 0;
    for (u32 i = 0; i < COUNT; i++) permutation[i] = i;
    do {
        u32 flips = count_flips(permutation);
        most = flips > most ? flips : most;
        checksum += index++ % 2 ? -(i32)flips : (i32)flips;
    } while (index < size * 1000 && advance(permutation, counts));
    return wl_mix(wl_mix(0, most), (u32)checksum);
}
