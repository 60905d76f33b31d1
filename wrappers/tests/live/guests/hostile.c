/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c - guests that take what they can:
 *   memory   touches pages until there are none
 *   fds      opens a file again and again; says how often and why it ended
 *   flood    writes lines without end; flood N: so many
 *   spin     never asks the host for anything
 *   trap     an instruction that traps
 *   recurse  calls itself until the stack is full
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned counter;

static int memory(void)
{
    size_t step = 1 << 20;
    for (size_t taken = 0;; taken += step) {
        char *block = malloc(step);
        if (!block) {
            printf("no more memory after %zu MiB\n", taken >> 20);
            return 3;
        }
        memset(block, (int)(taken >> 20) | 1, step);
        counter += (unsigned char)block[step / 2];
    }
}

static int fds(const char *path)
{
    long count = 0;
    while (open(path, O_RDONLY) >= 0) count++;
    printf("opened %ld, then %s\n", count, strerror(errno));
    return errno == EMFILE || errno == ENFILE ? 0 : 1;
}

static int flood(long lines)
{
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (long i = 0; lines == 0 || i < lines; i++)
        if (write(1, line, sizeof line) < 0) return 1;
    return 0;
}

static int recurse(int depth)
{
    volatile char frame[256];
    frame[depth & 255] = (char)depth;
    if (depth < 0) return 0;
    return recurse(depth + 1) + frame[(depth + 1) & 255];
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    printf("%s\n", what);
    fflush(stdout);
    if (strcmp(what, "memory") == 0) return memory();
    if (strcmp(what, "fds") == 0) return fds(argc > 2 ? argv[2] : argv[0]);
    if (strcmp(what, "flood") == 0) return flood(argc > 2 ? atol(argv[2]) : 0);
    if (strcmp(what, "trap") == 0) __builtin_trap();
    if (strcmp(what, "recurse") == 0) return recurse(0);
    if (strcmp(what, "spin") == 0)
        for (;;) counter++;
    return 99;
}
