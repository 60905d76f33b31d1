/* SPDX-License-Identifier: Apache-2.0 */
/* queens.c - backtracking: n queens with bits, knight tours by Warnsdorff. size: queens. */
#include "workload.h"

enum { SIDE = 20 };

static u32 place(u32 columns, u32 left, u32 right, u32 all)
{
    u32 count = 0;
    if (columns == all) return 1;
    for (u32 open = ~(columns | left | right) & all; open; open &= open - 1) {
        u32 bit = open & -open;
        count += place(columns | bit, (left | bit) << 1, (right | bit) >> 1, all);
    }
    return count;
}

static u8 visited[SIDE][SIDE];

static u32 is_free(i32 row, i32 column)
{
    return row >= 0 && row < SIDE && column >= 0 && column < SIDE && !visited[row][column];
}

static const signed char moves[8][2] = {{1, 2},   {2, 1},   {2, -1}, {1, -2},
                                        {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}};

static u32 exits(i32 row, i32 column)
{
    u32 count = 0;
    for (u32 i = 0; i < 8; i++) count += is_free(row + moves[i][0], column + moves[i][1]);
    return count;
}

/* Goes where fewest ways lead on; how far it gets. */
static u32 tour(i32 row, i32 column)
{
    memset(visited, 0, sizeof visited);
    for (u32 length = 1;; length++) {
        u32 best = 8;
        u32 fewest = 9;
        visited[row][column] = 1;
        for (u32 i = 0; i < 8; i++) {
            i32 to_row = row + moves[i][0];
            i32 to_column = column + moves[i][1];
            if (!is_free(to_row, to_column)) continue;
            u32 count = exits(to_row, to_column);
            if (count >= fewest) continue;
            fewest = count;
            best = i;
        }
        if (best == 8) return length;
        row += moves[best][0];
        column += moves[best][1];
    }
}

u64 workload(u32 size)
{
    u64 sum = 0;
    for (u32 n = 4; n <= size && n < 31; n++) sum = wl_mix(sum, place(0, 0, 0, (1u << n) - 1));
    for (i32 i = 0; i < SIDE * SIDE; i += 3) sum = wl_mix(sum, tour(i / SIDE, i % SIDE));
    return sum;
}
