/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.c - a guest for the tests of the loop: one word says what it does.
 *
 *   sleep MS        poll_oneoff on a clock; prints how long it took in ms
 *   absolute MS     the same until a point in time, with a second clock that never comes
 *   forever         a clock that never comes; prints the errno that ends it
 *   again           the same, over and over, for as long as the errno is not SUCCESS
 *   ticks N MS      N sleeps of MS after a random part of one; prints how late all but the first
 * ended, in us yield N         yields N times and prints random N        fills N bytes with random
 * ones, again and again cat             copies stdin to stdout poll            waits for stdin and
 * a clock of 5 s; prints what came and the bytes there spin            computes for ever count N
 * computes for N rounds, then ends write N         writes N bytes of 'x' to stdout starve with
 * COPY=0 sleeps 100 times 1 ms and prints the time; else computes for ever file            makes,
 * writes, syncs, reads, lists and removes a file in /
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

static unsigned long long now(void)
{
    __wasi_timestamp_t t = 0;
    (void)!__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &t);
    return t;
}

static __wasi_subscription_t clock_sub(unsigned long long timeout, int absolute)
{
    __wasi_subscription_t s;
    memset(&s, 0, sizeof s);
    s.userdata = 7;
    s.u.tag = __WASI_EVENTTYPE_CLOCK;
    s.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    s.u.u.clock.timeout = timeout;
    s.u.u.clock.flags = absolute ? __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME : 0;
    return s;
}

static int do_sleep(long ms, int absolute)
{
    __wasi_subscription_t subs[2];
    __wasi_event_t events[2];
    __wasi_size_t count = 0;
    unsigned long long begin = now(), ns = (unsigned long long)ms * 1000000;
    subs[0] = clock_sub(absolute ? begin + ns : ns, absolute);
    subs[1] = clock_sub(~0ull, 0);
    __wasi_errno_t e = __wasi_poll_oneoff(subs, events, 2, &count);
    unsigned long long took = now() - begin;
    printf("errno %d events %u early %d ms %llu\n", e, (unsigned)count, took < ns, took / 1000000);
    return 0;
}

static int do_forever(int again)
{
    __wasi_subscription_t sub = clock_sub(~0ull, 0);
    __wasi_event_t event;
    __wasi_size_t count;
    __wasi_errno_t e;
    do {
        e = __wasi_poll_oneoff(&sub, &event, 1, &count);
    } while (again && e != 0);
    printf("errno %d\n", e);
    return 3;
}

static int do_ticks(long n, long ms)
{
    unsigned start = 0;
    if (__wasi_random_get((uint8_t *)&start, sizeof start) != 0) return 1;
    unsigned long long next = now() + start % ((unsigned)ms * 1000) * 1000ull;
    for (long i = 0; i < n; i++) {
        __wasi_subscription_t sub = clock_sub(next, 1);
        __wasi_event_t event;
        __wasi_size_t count;
        if (__wasi_poll_oneoff(&sub, &event, 1, &count) != 0) return 2;
        if (i > 0) printf("late %llu\n", (now() - next) / 1000);
        next += (unsigned long long)ms * 1000000;
    }
    return 0;
}

static int do_yield(long n)
{
    for (long i = 0; i < n; i++)
        if (__wasi_sched_yield() != 0) return 1;
    printf("yielded\n");
    return 0;
}

static int do_count(long rounds)
{
    volatile unsigned x = 1;
    for (long i = 0; i < rounds; i++) x = x * 1664525u + 1013904223u;
    return x == 1;
}

static int do_starve(int sleeps)
{
    const char *copy = getenv("COPY");
    while (!copy || strcmp(copy, "0") != 0) do_count(1000000);
    unsigned long long begin = now();
    for (int i = 0; i < sleeps; i++) usleep(1000);
    printf("slept %llu\n", (now() - begin) / 1000000);
    return 0;
}

static int do_random(long n)
{
    const char *copy = getenv("COPY");
    if (copy && strcmp(copy, "0") == 0) return do_starve(20);
    for (uint8_t *bytes = malloc((size_t)n);;)
        if (!bytes || __wasi_random_get(bytes, (size_t)n) != 0) return 1;
}

static int do_cat(void)
{
    char buf[10000];
    ssize_t n;
    while ((n = read(0, buf, sizeof buf)) > 0)
        if (write(1, buf, (size_t)n) != n) return 1;
    return n == 0 ? 0 : 2;
}

static int do_poll(void)
{
    __wasi_subscription_t subs[2];
    __wasi_event_t events[2];
    __wasi_size_t count = 0;
    memset(&subs[0], 0, sizeof subs[0]);
    subs[0].userdata = 9;
    subs[0].u.tag = __WASI_EVENTTYPE_FD_READ;
    subs[1] = clock_sub(5000000000ull, 0);
    __wasi_errno_t e = __wasi_poll_oneoff(subs, events, 2, &count);
    printf("errno %d events %u who %d bytes %d flags %d\n", e, (unsigned)count,
           (int)events[0].userdata, (int)events[0].fd_readwrite.nbytes,
           (int)events[0].fd_readwrite.flags);
    return 0;
}

static int do_write(long size)
{
    char *bytes = malloc((size_t)size);
    memset(bytes, 'x', (size_t)size);
    long done = 0, n = 0;
    int calls = 0;
    for (; done < size && (n = (long)write(1, bytes + done, (size_t)(size - done))) >= 0; calls++)
        done += n;
    fprintf(stderr, "wrote %ld errno %d calls %d\n", done, n < 0 ? errno : 0, calls);
    return done == size ? 0 : 1;
}

static int do_file(void)
{
    static char text[300000], back[300000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7);
    int fd = open("/made", O_RDWR | O_CREAT | O_TRUNC, 0666), found = 0;
    if (fd < 0 || write(fd, text, sizeof text) != (ssize_t)sizeof text) return 10;
    if (fsync(fd) != 0 || fdatasync(fd) != 0 || ftruncate(fd, sizeof text - 1) != 0) return 11;
    if (lseek(fd, 0, SEEK_SET) != 0) return 12;
    if (read(fd, back, sizeof back) != (ssize_t)sizeof back - 1) return 13;
    if (memcmp(text, back, sizeof back - 1) != 0 || pread(fd, back, 10, 5) != 10) return 14;
    if (read(fd, back, 1) != 0 || close(fd) != 0) return 15;
    if (mkdir("/dir", 0777) != 0 || rename("/made", "/dir/moved") != 0) return 16;
    DIR *dir = opendir("/dir");
    for (struct dirent *d; dir && (d = readdir(dir));) found += strcmp(d->d_name, "moved") == 0;
    if (found != 1 || closedir(dir) != 0) return 17;
    if (unlink("/dir/moved") != 0 || rmdir("/dir") != 0) return 18;
    printf("good\n");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    long number = argc > 2 ? atol(argv[2]) : 0;
    if (strcmp(what, "sleep") == 0) return do_sleep(number, 0);
    if (strcmp(what, "absolute") == 0) return do_sleep(number, 1);
    if (strcmp(what, "forever") == 0) return do_forever(0);
    if (strcmp(what, "again") == 0) return do_forever(1);
    if (strcmp(what, "ticks") == 0) return do_ticks(number, argc > 3 ? atol(argv[3]) : 1000);
    if (strcmp(what, "yield") == 0) return do_yield(number);
    if (strcmp(what, "random") == 0) return do_random(number);
    if (strcmp(what, "cat") == 0) return do_cat();
    if (strcmp(what, "poll") == 0) return do_poll();
    if (strcmp(what, "spin") == 0) return do_count(0x7fffffff) + do_count(0x7fffffff);
    if (strcmp(what, "count") == 0) return do_count(number);
    if (strcmp(what, "write") == 0) return do_write(number);
    if (strcmp(what, "starve") == 0) return do_starve(100);
    if (strcmp(what, "file") == 0) return do_file();
    return 99;
}
