/* SPDX-License-Identifier: Apache-2.0 */
/* grower.c - 16 pages more of linear memory for each line of its input; says how many there are. */
#include <stdio.h>

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%zu\n", __builtin_wasm_memory_size(0));
    for (int c = getchar(); c != EOF; c = getchar()) {
        if (c == '\n') {
            __builtin_wasm_memory_grow(0, 16);
            printf("%zu\n", __builtin_wasm_memory_size(0));
        }
    }
}
