/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the main function of every workload: PROGRAM SIZE prints the checksum. */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>

void *wl_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void wl_text(char *text, size_t length, u32 seed)
{
    u32 word = 0;
    u32 letters = 0;
    for (size_t i = 0; i < length; i++) {
        if (!letters) {
            u32 pick = wl_random(&seed);
            u32 range = 1u << (3 + (pick & 7));
            word = ((pick >> 8) % range + 1) * 2654435761u;
            letters = 2 + (word >> 29);
            text[i] = (pick >> 3) % 13 ? ' ' : '\n';
            continue;
        }
        wl_random(&word);
        text[i] = "etaoinshrdlucmfwypvbgkjqxz"[((word >> 5) % 26) * ((word >> 11) % 26) / 26];
        letters--;
    }
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long size = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
    if (!size || *end || size > 1000000000) {
        fputs("usage: PROGRAM SIZE\n", stderr);
        return 2;
    }
    printf("%016llx\n", (unsigned long long)workload((u32)size));
    return 0;
}
