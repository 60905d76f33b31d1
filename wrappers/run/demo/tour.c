/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo of `./dev run`: an ordinary WASI program, compiled to wasm32-wasi when it is built. It
 * shows its arguments, its environment, a file of a preopened directory, what it may not do, and
 * some work with a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern char **environ;

static void greet(int argc, char **argv)
{
    const char *who = getenv("WHO");
    printf("Hello, %s! I am a WebAssembly program.\n", who ? who : "stranger");
    printf("\nMy arguments:");
    for (int i = 1; i < argc; i++) {
        printf(" [%s]", argv[i]);
    }
    printf("\nMy environment:");
    for (char **entry = environ; *entry; entry++) {
        printf(" %s", *entry);
    }
    puts("");
}

static void show_files(void)
{
    char line[100];
    FILE *page = fopen("/docs/architecture.md", "r");
    if (page && fgets(line, sizeof line, page)) {
        printf("/docs/architecture.md begins: %s", line);
    } else {
        printf("/docs/architecture.md: %s\n", strerror(errno));
    }
    if (page) {
        fclose(page);
    }
    page = fopen("/docs/new.txt", "w");
    printf("Writing to /docs, given read-only: %s\n", page ? "done?!" : strerror(errno));
    page = fopen("/etc/passwd", "r");
    printf("Reading /etc/passwd, never given: %s\n", page ? "done?!" : strerror(errno));
}

/* Steps until the point leaves the circle, at most `limit`. */
static int escape_steps(double re, double im, int limit)
{
    double x = 0, y = 0;
    int step = 0;
    while (x * x + y * y <= 4 && step < limit) {
        double next = x * x - y * y + re;
        y = 2 * x * y + im;
        x = next;
        step++;
    }
    return step;
}

static void draw(void)
{
    static const char ink[] = " .:-=+*#%@";
    enum { WIDTH = 64, HEIGHT = 16, LIMIT = 2000 };
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    long total = 0;
    puts("");
    for (int row = 0; row < HEIGHT; row++) {
        char line[WIDTH + 1];
        for (int column = 0; column < WIDTH; column++) {
            int steps = escape_steps(-2.2 + 3.2 * column / WIDTH, -1.2 + 2.4 * row / HEIGHT, LIMIT);
            line[column] = steps == LIMIT ? '@' : ink[steps % 9];
            total += steps;
        }
        line[WIDTH] = 0;
        puts(line);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double ms =
        (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
    printf("\n%ld steps in %.0f ms\n", total, ms);
}

int main(int argc, char **argv)
{
    greet(argc, argv);
    show_files();
    draw();
    return 0;
}
