/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c - calls a ttrpc server with frames that are ready, one after the other, and says when
 * each answer was there: what is measured is the server, not the language that prepares the calls.
 *
 * Argument: the server's socket. Standard input: batches, each a number of frames and then for each
 * one its size and its bytes. Standard output: CLOCK_REALTIME at the first byte of a batch, then
 * for each frame the nanoseconds from there to its answer, the answer's size and its payload.
 * Numbers have 8 bytes in the machine's order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES_MAX = 16, FRAME_MAX = 1 << 20, HEADER = 10 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int read_all(int fd, void *out, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(fd, (char *)out + at, size - at);
        if (got <= 0) return 0;
        at += (size_t)got;
    }
    return 1;
}

static void write_all(int fd, const void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(fd, (const char *)data + at, size - at);
        if (wrote <= 0) fail("write");
        at += (size_t)wrote;
    }
}

struct frame {
    uint64_t size;
    unsigned char *bytes;
};
struct answer {
    uint64_t after, size;
    unsigned char *payload;
};

static uint64_t read_size(void)
{
    uint64_t size;
    if (!read_all(0, &size, sizeof size) || size > FRAME_MAX) exit(1);
    return size;
}

static struct answer read_answer(int server, uint64_t begun)
{
    unsigned char header[HEADER];
    struct answer out;
    if (!read_all(server, header, HEADER)) fail("the answer's header");
    out.size = (uint64_t)header[0] << 24 | header[1] << 16 | header[2] << 8 | header[3];
    out.payload = out.size <= FRAME_MAX ? malloc(out.size + 1) : NULL;
    if (!out.payload || !read_all(server, out.payload, out.size)) fail("the answer");
    out.after = now(CLOCK_MONOTONIC) - begun;
    return out;
}

int main(int argc, char **argv)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (argc != 2 || strlen(argv[1]) >= sizeof name.sun_path) return 2;
    strcpy(name.sun_path, argv[1]);
    if (connect(server, (struct sockaddr *)&name, sizeof name) != 0) fail(argv[1]);
    for (uint64_t count; read_all(0, &count, sizeof count) && count <= FRAMES_MAX;) {
        struct frame frames[FRAMES_MAX];
        struct answer answers[FRAMES_MAX];
        for (uint64_t i = 0; i < count; i++) {
            frames[i].size = read_size();
            frames[i].bytes = malloc(frames[i].size + 1);
            if (!frames[i].bytes || !read_all(0, frames[i].bytes, frames[i].size)) fail("a frame");
        }
        uint64_t when = now(CLOCK_REALTIME), begun = now(CLOCK_MONOTONIC);
        for (uint64_t i = 0; i < count; i++) {
            write_all(server, frames[i].bytes, frames[i].size);
            answers[i] = read_answer(server, begun);
        }
        write_all(1, &when, sizeof when);
        for (uint64_t i = 0; i < count; i++) {
            write_all(1, &answers[i].after, sizeof answers[i].after);
            write_all(1, &answers[i].size, sizeof answers[i].size);
            write_all(1, answers[i].payload, answers[i].size);
            free(frames[i].bytes);
            free(answers[i].payload);
        }
    }
    return 0;
}
