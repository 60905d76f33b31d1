/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thr.h - threads and WASI calls for guests without a C library: Debian's has no threads. A thread
 * begins with the stack pointer that its instance has, the main thread's: it takes its own.
 */
#ifndef THR_H
#define THR_H

#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define WASI(name)                                                                                 \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern

struct iov {
    const void *base;
    u32 len;
};
struct sub {
    u64 userdata;
    u64 type; /* 0 clock, 1 read, 2 write */
    union {
        struct {
            u32 id, pad;
            u64 timeout, precision;
            u64 flags;
        } clock;
        u32 fd;
    } of;
};
struct event {
    u64 userdata;
    uint16_t error;
    uint8_t type;
    u64 nbytes;
    u64 flags;
};
_Static_assert(sizeof(struct sub) == 48 && sizeof(struct event) == 32, "the ABI");

enum { E_SUCCESS = 0, E_AGAIN = 6, E_BADF = 8, E_NOTSUP = 58, E_INTR = 27 };
enum { RIGHT_READ = 1 << 1, RIGHT_SEEK = 1 << 2, RIGHT_WRITE = 1 << 6, RIGHT_POLL = 1 << 27 };
enum { O_CREATE = 1, FD_APPEND = 1 };

WASI(args_get) int args_get(char **argv, char *text);
WASI(args_sizes_get) int args_sizes_get(u32 *count, u32 *bytes);
WASI(fd_write) int fd_write(int fd, const struct iov *iov, u32 n, u32 *done);
WASI(fd_read) int fd_read(int fd, const struct iov *iov, u32 n, u32 *done);
WASI(fd_pread) int fd_pread(int fd, const struct iov *iov, u32 n, u64 at, u32 *done);
WASI(fd_seek) int fd_seek(int fd, int64_t delta, u32 whence, u64 *at);
WASI(fd_close) int fd_close(int fd);
WASI(fd_renumber) int fd_renumber(int from, int to);
WASI(fd_readdir) int fd_readdir(int fd, void *buf, u32 len, u64 cookie, u32 *used);
WASI(path_open)
int path_open(int dir, u32 lookup, const char *path, u32 len, u32 oflags, u64 rights,
              u64 inheriting, u32 fdflags, int *fd);
WASI(path_unlink_file) int path_unlink_file(int dir, const char *path, u32 len);
WASI(poll_oneoff)
int poll_oneoff(const struct sub *in, struct event *out, u32 n, u32 *events);
WASI(clock_time_get) int clock_time_get(u32 id, u64 precision, u64 *out);
WASI(random_get) int random_get(void *buf, u32 len);
WASI(sched_yield) int sched_yield(void);
WASI(proc_exit) _Noreturn void proc_exit(int code);
__attribute__((import_module("wasi"), import_name("thread-spawn"))) extern int thread_spawn(
    void *arg);

enum { STACK = 32 * 1024, THREADS = 64 };

struct thread {
    void (*run)(struct thread *self);
    int arg;
    int got;  /* what thread-spawn answered */
    int tid;  /* what the thread was told */
    _Atomic int over;
    _Alignas(16) char stack[STACK];
};
static struct thread threads[THREADS];

static inline void wait_while(_Atomic int *word, int value)
{
    while (*word == value) __builtin_wasm_memory_atomic_wait32((int *)word, value, -1);
}

static inline void wake_all(_Atomic int *word)
{
    __builtin_wasm_memory_atomic_notify((int *)word, -1);
}

__attribute__((noinline)) void thread_body(int tid, struct thread *t)
{
    t->tid = tid;
    t->run(t);
    t->over = 1;
    wake_all(&t->over);
}

__attribute__((export_name("wasi_thread_start"))) void wasi_thread_start(int tid, struct thread *t)
{
    __asm__ volatile(".globaltype __stack_pointer, i32\n"
                     "local.get %0\n"
                     "global.set __stack_pointer\n" ::"r"(t->stack + STACK));
    thread_body(tid, t);
}

/* Makes thread `i`; what thread-spawn answers. */
static inline int begin(int i, void (*run)(struct thread *), int arg)
{
    struct thread *t = &threads[i];
    t->run = run;
    t->arg = arg;
    t->over = 0;
    return t->got = thread_spawn(t);
}

static inline void join(int i) { wait_while(&threads[i].over, 0); }

static inline u32 length(const char *s)
{
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

static inline int same(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static inline void say(const char *text)
{
    const struct iov one = {text, length(text)};
    u32 done;
    fd_write(2, &one, 1, &done);
}

static inline void sleep_ms(u32 ms)
{
    const struct sub s = {.of.clock = {.id = 1, .timeout = (u64)ms * 1000000}};
    struct event e;
    u32 n;
    poll_oneoff(&s, &e, 1, &n);
}

/* Ends the program with the line of what does not hold. */
#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) fail(#what, __LINE__);                                                        \
    } while (0)
static inline void fail(const char *what, int line)
{
    char number[8] = "   line";
    number[0] = (char)('0' + line / 100 % 10);
    number[1] = (char)('0' + line / 10 % 10);
    number[2] = (char)('0' + line % 10);
    say(number);
    say(": not so: ");
    say(what);
    say("\n");
    proc_exit(1);
}

#endif
