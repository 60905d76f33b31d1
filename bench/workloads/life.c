/* SPDX-License-Identifier: Apache-2.0 */
/* life.c - Conway's game of life on a torus, one byte a cell. size: generations. */
#include "workload.h"

enum { SIDE = 128 };

static u8 grids[2][SIDE][SIDE];

static u32 neighbours(u8 (*grid)[SIDE], u32 row, u32 column)
{
    u32 above = (row + SIDE - 1) % SIDE;
    u32 below = (row + 1) % SIDE;
    u32 left = (column + SIDE - 1) % SIDE;
    u32 right = (column + 1) % SIDE;
    return (u32)grid[above][left] + grid[above][column] + grid[above][right] + grid[row][left] +
           grid[row][right] + grid[below][left] + grid[below][column] + grid[below][right];
}

static u32 generation(u8 (*from)[SIDE], u8 (*to)[SIDE])
{
    u32 alive = 0;
    for (u32 row = 0; row < SIDE; row++) {
        for (u32 column = 0; column < SIDE; column++) {
            u32 around = neighbours(from, row, column);
            if (around == 3) {
                to[row][column] = 1;
            } else if (around == 2) {
                to[row][column] = from[row][column];
            } else {
                to[row][column] = 0;
            }
            alive += to[row][column];
        }
    }
    return alive;
}

u64 workload(u32 size)
{
    u32 seed = 1234;
    u64 sum = 0;
    for (u32 i = 0; i < SIDE * SIDE; i++) {
        grids[0][i / SIDE][i % SIDE] = wl_random(&seed) % 3 == 0;
    }
    for (u32 i = 0; i < size; i++) {
        sum = wl_mix(sum, generation(grids[i % 2], grids[(i + 1) % 2]));
    }
    for (u32 i = 0; i < SIDE * SIDE; i++) sum = wl_mix(sum, grids[size % 2][i / SIDE][i % SIDE]);
    return sum;
}
