/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threaded.c - a guest with threads; the first word names what they do. Exit code 0, or what the
 * case is about; 1 with a line on standard error when something is not as it should be.
 */
#include "thr.h"

enum { DIR = 3, FOREVER = 3600000 };

static char words[4096];
static char *argv[16];

/* Opens `name` in the preopened directory. */
static int open_file(const char *name, u32 oflags, u32 fdflags)
{
    int fd = -1;
    u64 rights = RIGHT_READ | RIGHT_WRITE | RIGHT_SEEK | RIGHT_POLL;
    CHECK(path_open(DIR, 0, name, length(name), oflags, rights, 0, fdflags, &fd) == E_SUCCESS);
    return fd;
}

static int read_byte(int fd)
{
    char byte;
    const struct iov one = {&byte, 1};
    u32 done = 9;
    int e = fd_read(fd, &one, 1, &done);
    return e == E_SUCCESS ? (int)done : -e;
}

/* Waits for reading; the error of the event, or of the call. */
static int poll_byte(int fd)
{
    const struct sub s = {.type = 1, .of.fd = (u32)fd};
    struct event e = {.error = 99};
    u32 n = 0;
    int r = poll_oneoff(&s, &e, 1, &n);
    return r != E_SUCCESS ? r : n == 1 ? e.error : 98;
}

/* ---------------------------------------------------------------- writing together */

enum { WRITERS = 8, LINES = 200, LINE = 64 };
static int target;

static void write_lines(struct thread *self)
{
    char line[LINE];
    for (int i = 0; i < LINE - 1; i++) line[i] = (char)('a' + self->arg);
    line[LINE - 1] = '\n';
    const struct iov halves[] = {{line, 10}, {line + 10, LINE - 10}};
    for (int i = 0; i < LINES; i++) {
        u32 done = 0;
        CHECK(fd_write(target, halves, 2, &done) == E_SUCCESS && done == LINE);
    }
}

static void write_together(int fd)
{
    target = fd;
    for (int i = 0; i < WRITERS; i++) CHECK(begin(i, write_lines, i) > 0);
    for (int i = 0; i < WRITERS; i++) join(i);
}

static void append(void) { write_together(open_file("out", O_CREATE, FD_APPEND)); }

/* One position for all: nobody's bytes are lost either. */
static void position(void) { write_together(open_file("out", O_CREATE, 0)); }

static void to_pipe(void) { write_together(1); }

/* ---------------------------------------------------------------- closing what another waits for
 */

static _Atomic int answer;

static void reader(struct thread *self) { answer = read_byte(self->arg); }

static void poller(struct thread *self) { answer = poll_byte(self->arg); }

static void close_under(void (*waits)(struct thread *), int fd, int want)
{
    answer = 1000;
    CHECK(begin(0, waits, fd) > 0);
    sleep_ms(200);
    CHECK(answer == 1000);
    CHECK(fd_close(fd) == E_SUCCESS);
    join(0);
    CHECK(answer == want);
}

static void close_stdin_read(void) { close_under(reader, 0, -E_BADF); }

static void close_stdin_poll(void) { close_under(poller, 0, E_BADF); }

/* The next file that is opened gets the same number, here and perhaps in the host. */
static void close_fifo(void)
{
    for (int i = 0; i < 20; i++) {
        int fd = open_file("fifo", 0, 0);
        answer = 1000;
        CHECK(begin(0, i % 2 ? reader : poller, fd) > 0);
        if (i % 4 < 2) sleep_ms(20);
        CHECK(fd_close(fd) == E_SUCCESS);
        CHECK(open_file("other", 0, 0) == fd);
        join(0);
        CHECK(i % 2 == 0 || answer == -E_BADF || (i % 4 > 1 && answer == 1));
        CHECK(i % 2 != 0 || answer == E_BADF || answer == E_SUCCESS);
        CHECK(fd_close(fd) == E_SUCCESS);
    }
}

static void renumber(void)
{
    int fd = open_file("fifo", 0, 0), other = open_file("other", 0, 0);
    answer = 1000;
    CHECK(begin(0, reader, fd) > 0);
    sleep_ms(200);
    CHECK(fd_renumber(other, fd) == E_SUCCESS);
    join(0);
    CHECK(answer == -E_BADF || answer == 1); /* 1: it began late */
    CHECK(read_byte(fd) == 1);
}

/* What is written wakes who reads, and only one of two. */
static void fifo(void)
{
    int fd = open_file("fifo", 0, 0);
    CHECK(begin(0, reader, fd) > 0 && begin(1, reader, fd) > 0);
    sleep_ms(100);
    for (int i = 0; i < 2; i++) {
        const struct iov one = {"x", 1};
        u32 done;
        CHECK(fd_write(fd, &one, 1, &done) == E_SUCCESS);
        while (threads[0].over + threads[1].over == i) sleep_ms(1);
        CHECK(threads[0].over + threads[1].over == i + 1);
    }
    join(0);
    join(1);
}

/* ---------------------------------------------------------------- the end of all */

static _Atomic int never;

static void be_busy(struct thread *self)
{
    (void)self;
    while (!never) continue;
}

static void be_waiting(struct thread *self)
{
    (void)self;
    wait_while(&never, 0);
}

static void be_reading(struct thread *self)
{
    (void)self;
    read_byte(0);
}

static void be_polling(struct thread *self)
{
    (void)self;
    poll_byte(0);
}

static void be_asleep(struct thread *self)
{
    (void)self;
    sleep_ms(FOREVER);
}

static void be_writing(struct thread *self)
{
    static const char big[65536];
    const struct iov one = {big, sizeof(big)};
    u32 done;
    (void)self;
    for (;;) CHECK(fd_write(1, &one, 1, &done) == E_SUCCESS);
}

static void (*const states[])(struct thread *) = {be_busy,    be_waiting, be_reading,
                                                  be_polling, be_asleep,  be_writing};
enum { STATES = sizeof(states) / sizeof(states[0]) };

static void occupy(void)
{
    for (int i = 0; i < STATES; i++) CHECK(begin(i, states[i], 0) > 0);
    sleep_ms(200);
}

static void exiting(struct thread *self) { proc_exit(self->arg); }

static void trapping(struct thread *self)
{
    (void)self;
    __builtin_trap();
}

/* Behind the end of the memory: a fault that the host has to catch, on this thread. */
static void reaching(struct thread *self)
{
    (void)self;
    volatile char *end = (volatile char *)(__builtin_wasm_memory_size(0) * 65536u);
    *end = 1;
}

static void exit_main(void)
{
    occupy();
    proc_exit(33);
}

static void return_main(void) { occupy(); }

static void trap_main(void)
{
    occupy();
    __builtin_trap();
}

/* The main thread is in state argv[2] when another ends all. */
static void end_by_child(void (*how)(struct thread *))
{
    occupy();
    CHECK(begin(STATES, how, 33) > 0);
    states[argv[2][0] - '0'](0);
}

static void exit_child(void) { end_by_child(exiting); }

static void trap_child(void) { end_by_child(trapping); }

static void fault_child(void) { end_by_child(reaching); }

/* Whoever comes first: all have the same code. */
static void exit_race(void)
{
    for (int i = 0; i < 16; i++) begin(i, exiting, 33);
    proc_exit(33);
}

static void all_wait(void)
{
    occupy();
    be_waiting(0);
}

/* ---------------------------------------------------------------- numbers and limits */

static _Atomic int gate;

static void pass_gate(struct thread *self)
{
    CHECK(self == &threads[self->arg]);
    wait_while(&gate, 0);
}

static void numbers(void)
{
    for (int i = 0; i < 32; i++) {
        CHECK(begin(i, pass_gate, i) > 0);
        for (int k = 0; k < i; k++) CHECK(threads[k].got != threads[i].got);
        CHECK(threads[i].got < 1 << 29);
    }
    gate = 1;
    wake_all(&gate);
    for (int i = 0; i < 32; i++) {
        join(i);
        CHECK(threads[i].tid == threads[i].got);
    }
}

/* With --max-threads 4. */
static void limit(void)
{
    for (int i = 0; i < 4; i++) CHECK(begin(i, pass_gate, i) > 0);
    CHECK(begin(4, pass_gate, 4) == -E_AGAIN);
    gate = 1;
    wake_all(&gate);
    for (int i = 0; i < 4; i++) join(i);
    for (int tries = 0; begin(4, pass_gate, 4) < 0; tries++) { /* those may not be gone yet */
        CHECK(tries < 1000);
        sleep_ms(10);
    }
    join(4);
}

/* With --max-threads 0. */
static void forbidden(void) { CHECK(begin(0, pass_gate, 0) == -E_NOTSUP); }

static void nothing(struct thread *self) { (void)self; }

static void spawner(struct thread *self)
{
    int child = 8 + self->arg;
    for (int i = 0; i < 50; i++) {
        while (begin(child, nothing, 0) < 0) sched_yield();
        join(child);
    }
}

static void storm(void)
{
    for (int i = 0; i < 8; i++) CHECK(begin(i, spawner, i) > 0);
    for (int i = 0; i < 8; i++) join(i);
}

/* ---------------------------------------------------------------- everything at once */

enum { ROUNDS = 60 };

static void mix(struct thread *self)
{
    char name[] = "f0", buf[512];
    u32 used, n;
    u64 now;
    name[1] = (char)('0' + self->arg);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open_file(name, O_CREATE, 0);
        const struct iov out = {name, 2}, in = {buf, sizeof(buf)};
        const struct sub subs[] = {{.type = 2, .of.fd = (u32)fd},
                                   {.type = 0, .of.clock = {.id = 1, .timeout = 1000}}};
        struct event events[2];
        CHECK(fd_write(fd, &out, 1, &n) == E_SUCCESS && n == 2);
        CHECK(fd_seek(fd, 0, 0, &now) == E_SUCCESS && now == 0);
        CHECK(fd_read(fd, &in, 1, &n) == E_SUCCESS && n == 2 && buf[1] == name[1]);
        CHECK(poll_oneoff(subs, events, 2, &n) == E_SUCCESS && n >= 1);
        CHECK(fd_readdir(DIR, buf, sizeof(buf), 0, &used) == E_SUCCESS && used > 0);
        CHECK(clock_time_get(1, 0, &now) == E_SUCCESS && random_get(buf, 64) == E_SUCCESS);
        CHECK(fd_close(fd) == E_SUCCESS);
        if (i % 8 == 7) CHECK(path_unlink_file(DIR, name, 2) == E_SUCCESS);
    }
}

static void mixed(void)
{
    for (int i = 0; i < 8; i++) CHECK(begin(i, mix, i) > 0);
    for (int i = 0; i < 8; i++) join(i);
}

/* ---------------------------------------------------------------- which */

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"append", append},
    {"position", position},
    {"pipe", to_pipe},
    {"close_stdin_read", close_stdin_read},
    {"close_stdin_poll", close_stdin_poll},
    {"close_fifo", close_fifo},
    {"renumber", renumber},
    {"fifo", fifo},
    {"exit_main", exit_main},
    {"return_main", return_main},
    {"trap_main", trap_main},
    {"exit_child", exit_child},
    {"trap_child", trap_child},
    {"fault_child", fault_child},
    {"exit_race", exit_race},
    {"all_wait", all_wait},
    {"numbers", numbers},
    {"limit", limit},
    {"forbidden", forbidden},
    {"storm", storm},
    {"mixed", mixed},
};

__attribute__((export_name("_start"))) void start_main(void)
{
    u32 count, bytes;
    CHECK(args_sizes_get(&count, &bytes) == E_SUCCESS && count >= 2 && count <= 16);
    CHECK(bytes <= sizeof(words) && args_get(argv, words) == E_SUCCESS);
    for (u32 i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!same(argv[1], cases[i].name)) continue;
        cases[i].run();
        return;
    }
    fail("a case of that name", 0);
}
