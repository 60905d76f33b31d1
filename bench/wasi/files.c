/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - copies into and out of a file in pieces of 64 KiB, as dd does: `files PATH MIB` writes
 * the file over, then reads it, several times each. Prints MiB a second, the most of the repeats.
 * The same source as a guest and as a native program.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, REPEATS = 7 };

static _Alignas(4096) char piece[PIECE]; /* as dd's; how bytes lie decides how fast they move */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double write_all(int fd, int pieces)
{
    if (lseek(fd, 0, SEEK_SET) != 0) fail("lseek");
    double begin = now_s();
    for (int i = 0; i < pieces; i++)
        if (write(fd, piece, PIECE) != PIECE) fail("write");
    return now_s() - begin;
}

static double read_all(int fd, int pieces)
{
    if (lseek(fd, 0, SEEK_SET) != 0) fail("lseek");
    double begin = now_s();
    for (int i = 0; i < pieces; i++)
        if (read(fd, piece, PIECE) != PIECE) fail("read");
    return now_s() - begin;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    int mib = atoi(argv[2]), pieces = mib * (1024 * 1024 / PIECE);
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) fail(argv[1]);
    for (int i = 0; i < PIECE; i++) piece[i] = (char)i;
    write_all(fd, pieces); /* the pages of the file are there, and ours */
    double wrote = 1e18, took = 1e18;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double s = write_all(fd, pieces);
        if (s < wrote) wrote = s;
        s = read_all(fd, pieces);
        if (s < took) took = s;
    }
    printf("write %.1f read %.1f\n", mib / wrote, mib / took);
    return 0;
}
