/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fd.c - descriptors: numbers, rights, files, streams, waiting and waking.
 */
#include "fake_vm.h"
#include "p1/p1.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    host_mkdir(f, "d");
    fake_preopen(f, "d", "/", false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

static u32 create(struct fake *f, const char *path)
{
    u32 fd;
    assert_errno(fake_open(f, 3, path, WASI_OFLAG_CREAT, WASI_RIGHTS_RW, &fd), SUCCESS);
    return fd;
}

/* ---------------------------------------------------------------- numbers */

static void test_odd_numbers_are_badf_in_every_function(void **state)
{
    struct fake *f = *state;
    u32 closed = create(f, "x");
    assert_errno(CALL(f, "fd_close", closed), SUCCESS);
    const u32 odd[] = {UINT32_MAX, 0x80000000, 0x7fffffff, 0, 1, 2, 4, 1023, 1024, 1025, 65536};
    static const char *const unary[] = {"fd_close", "fd_datasync", "fd_sync"};
    static const char *const binary[] = {"fd_fdstat_get",   "fd_fdstat_set_flags",
                                         "fd_filestat_get", "fd_filestat_set_size",
                                         "fd_prestat_get",  "fd_tell",
                                         "sock_shutdown",   "fd_renumber"};
    static const char *const quad[] = {"fd_read", "fd_write", "fd_seek", "fd_advise"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        for (size_t k = 0; k < 3; k++) assert_errno(CALL(f, unary[k], odd[i]), BADF);
        for (size_t k = 0; k < 8; k++) assert_errno(CALL(f, binary[k], odd[i], 0), BADF);
        for (size_t k = 0; k < 4; k++) assert_errno(CALL(f, quad[k], odd[i], 0, 0, 0), BADF);
        assert_errno(CALL(f, "fd_renumber", 3, odd[i]), BADF);
        assert_errno(CALL(f, "fd_readdir", odd[i], 0, 0, 0, 0), BADF);
        assert_errno(fake_path_call(f, "path_create_directory", odd[i], "y"), BADF);
    }
    assert_errno(CALL(f, "fd_prestat_get", 3, FAKE_OUT), SUCCESS);
}

static void test_renumber_replaces_and_closes_the_target(void **state)
{
    struct fake *f = *state;
    u32 a = create(f, "a"), b = create(f, "b");
    assert_errno(CALL(f, "fd_renumber", a, a), SUCCESS);
    assert_errno(fake_write(f, a, "A"), SUCCESS);
    assert_errno(CALL(f, "fd_renumber", a, b), SUCCESS);
    assert_errno(fake_write(f, a, "?"), BADF);
    assert_errno(fake_write(f, b, "A"), SUCCESS);
    host_expect(f, "d/a", "AA");
    host_expect(f, "d/b", "");
    assert_errno(CALL(f, "fd_renumber", b, 3), SUCCESS); /* over the preopen */
    assert_errno(CALL(f, "fd_prestat_get", 3, FAKE_OUT), BADF);
    assert_errno(fake_path_call(f, "path_create_directory", 3, "y"), NOTDIR);
}

static void test_numbers_are_reused_and_never_below_three(void **state)
{
    struct fake *f = *state;
    assert_int_equal(create(f, "a"), 4);
    assert_int_equal(create(f, "b"), 5);
    assert_errno(CALL(f, "fd_close", 4), SUCCESS);
    assert_int_equal(create(f, "c"), 4);
}

static void test_quota_of_descriptors_is_mfile(void **state)
{
    struct fake *f = *state;
    u32 fd, n = 4;
    wasi_errno e;
    while ((e = fake_open(f, 3, ".", 0, 0, &fd)) == WASI_E_SUCCESS) assert_int_equal(fd, n++);
    assert_errno(e, MFILE);
    assert_int_equal(n, WASI_FD_LIMIT);
    assert_errno(CALL(f, "fd_close", 77), SUCCESS);
    assert_errno(fake_open(f, 3, ".", 0, 0, &fd), SUCCESS);
    assert_int_equal(fd, 77);
}

static void test_quota_of_descriptors_can_be_set(void **state)
{
    struct fake *f = *state;
    u32 fd, n = 4;
    assert_int_equal(wr_wasi_set_max_fds(f->wasi, 2, NULL), WR_ARGUMENT);
    assert_int_equal(wr_wasi_set_max_fds(f->wasi, (1 << 20) + 1, NULL), WR_ARGUMENT);
    assert_int_equal(wr_wasi_set_max_fds(f->wasi, 20, NULL), WR_OK);
    while (fake_open(f, 3, ".", 0, 0, &fd) == WASI_E_SUCCESS) assert_int_equal(fd, n++);
    /* Room comes in powers of two, the limit does not. */
    assert_int_equal(n, 20);
    assert_int_equal(wr_wasi_set_max_fds(f->wasi, 21, NULL), WR_OK);
    assert_errno(fake_open(f, 3, ".", 0, 0, &fd), SUCCESS);
    assert_errno(fake_open(f, 3, ".", 0, 0, &fd), MFILE);
}

/* An open that cannot get a number must not have made or emptied a file. */
static void test_open_past_the_quota_changes_nothing(void **state)
{
    struct fake *f = *state;
    u32 fd;
    host_write(f, "d/full", "data");
    while (fake_open(f, 3, ".", 0, 0, &fd) == WASI_E_SUCCESS) continue;
    assert_errno(fake_open(f, 3, "full", WASI_OFLAG_TRUNC, WASI_RIGHTS_RW, &fd), MFILE);
    assert_errno(fake_open(f, 3, "new", WASI_OFLAG_CREAT, WASI_RIGHTS_RW, &fd), MFILE);
    host_expect(f, "d/full", "data");
    assert_false(host_exists(f, "d/new"));
}

/* ---------------------------------------------------------------- rights */

static void test_set_rights_only_takes_away(void **state)
{
    struct fake *f = *state;
    u32 fd = create(f, "a");
    assert_errno(CALL(f, "fd_fdstat_get", fd, FAKE_OUT), SUCCESS);
    u64 base = fake_u64(f, FAKE_OUT + 8), inheriting = fake_u64(f, FAKE_OUT + 16);
    assert_int_equal(base, WASI_RIGHTS_RW);
    assert_errno(CALL(f, "fd_fdstat_set_rights", fd, base | WASI_RIGHT_FD_ADVISE, inheriting),
                 NOTCAPABLE);
    assert_errno(CALL(f, "fd_fdstat_set_rights", fd, base & ~WASI_RIGHT_FD_WRITE, inheriting),
                 SUCCESS);
    assert_errno(fake_write(f, fd, "x"), NOTCAPABLE);
    assert_errno(CALL(f, "fd_fdstat_set_rights", fd, base, inheriting), NOTCAPABLE);
}

static void test_inheriting_limits_what_is_opened_beneath(void **state)
{
    struct fake *f = *state;
    u32 fd;
    create(f, "a");
    assert_errno(CALL(f, "fd_fdstat_get", 3, FAKE_OUT), SUCCESS);
    u64 base = fake_u64(f, FAKE_OUT + 8);
    assert_int_equal(base & WASI_RIGHT_FD_SEEK, 0);
    assert_int_equal(base & WASI_RIGHT_FD_FILESTAT_SET_SIZE, 0);
    assert_errno(CALL(f, "fd_fdstat_set_rights", 3, base, WASI_RIGHT_FD_READ), SUCCESS);
    u32 len = fake_str(f, FAKE_PATH, "a");
    assert_errno(CALL(f, "path_open", 3, 0, FAKE_PATH, len, 0, WASI_RIGHT_FD_WRITE, 0, 0, FAKE_OUT),
                 NOTCAPABLE);
    assert_errno(CALL(f, "path_open", 3, 0, FAKE_PATH, len, 0, WASI_RIGHT_FD_READ,
                      WASI_RIGHT_FD_WRITE, 0, FAKE_OUT),
                 NOTCAPABLE);
    assert_errno(CALL(f, "path_open", 3, 0, FAKE_PATH, len, 0, WASI_RIGHT_FD_READ, 0, 0, FAKE_OUT),
                 SUCCESS);
    fd = fake_u32(f, FAKE_OUT);
    assert_errno(fake_write(f, fd, "x"), NOTCAPABLE);
    assert_errno(CALL(f, "fd_seek", fd, 0, WASI_WHENCE_CUR, FAKE_OUT), NOTCAPABLE);
}

static void test_tell_right_lets_seek_ask_but_not_move(void **state)
{
    struct fake *f = *state;
    u32 fd;
    host_write(f, "d/a", "abc");
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHT_FD_READ | WASI_RIGHT_FD_TELL, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_seek", fd, 0, WASI_WHENCE_CUR, FAKE_OUT), SUCCESS);
    assert_errno(CALL(f, "fd_seek", fd, 1, WASI_WHENCE_CUR, FAKE_OUT), NOTCAPABLE);
    assert_errno(CALL(f, "fd_seek", fd, 0, WASI_WHENCE_SET, FAKE_OUT), NOTCAPABLE);
    assert_errno(CALL(f, "fd_tell", fd, FAKE_OUT), SUCCESS);
}

/* ---------------------------------------------------------------- files */

static wasi_errno positioned(struct fake *f, const char *name, u32 fd, u32 len, u64 offset)
{
    wasi_put32(f->mem + FAKE_IOV, FAKE_DATA);
    wasi_put32(f->mem + FAKE_IOV + 4, len);
    return CALL(f, name, fd, FAKE_IOV, 1, offset, FAKE_OUT);
}

static void test_append_applies_to_write_but_not_to_pwrite(void **state)
{
    struct fake *f = *state;
    u32 fd = create(f, "a");
    assert_errno(fake_write(f, fd, "hello"), SUCCESS);
    assert_errno(CALL(f, "fd_fdstat_set_flags", fd, WASI_FDFLAG_APPEND), SUCCESS);
    fake_str(f, FAKE_DATA, "J");
    assert_errno(positioned(f, "fd_pwrite", fd, 1, 0), SUCCESS);
    assert_errno(CALL(f, "fd_seek", fd, 0, WASI_WHENCE_SET, FAKE_OUT), SUCCESS);
    assert_errno(fake_write(f, fd, "!"), SUCCESS);
    host_expect(f, "d/a", "Jello!");
    assert_errno(CALL(f, "fd_fdstat_get", fd, FAKE_OUT), SUCCESS);
    assert_int_equal(wasi_get16(f->mem + FAKE_OUT + 2), WASI_FDFLAG_APPEND);
    assert_errno(CALL(f, "fd_fdstat_set_flags", fd, WASI_FDFLAG_SYNC | WASI_FDFLAG_DSYNC), SUCCESS);
    assert_errno(CALL(f, "fd_seek", fd, 1, WASI_WHENCE_SET, FAKE_OUT), SUCCESS);
    assert_errno(fake_write(f, fd, "u"), SUCCESS);
    host_expect(f, "d/a", "Jullo!");
    assert_errno(CALL(f, "fd_fdstat_set_flags", fd, 0x20), INVAL);
}

static void test_positioned_io_keeps_the_position(void **state)
{
    struct fake *f = *state;
    u32 fd = create(f, "a");
    assert_errno(fake_write(f, fd, "0123456789"), SUCCESS);
    assert_errno(positioned(f, "fd_pread", fd, 4, 3), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 4);
    assert_memory_equal(f->mem + FAKE_DATA, "3456", 4);
    assert_errno(positioned(f, "fd_pread", fd, 4, 10), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 0);
    assert_errno(positioned(f, "fd_pread", fd, 4, UINT64_C(1) << 63), INVAL);
    assert_errno(positioned(f, "fd_pwrite", fd, 4, UINT64_MAX), INVAL);
    assert_errno(CALL(f, "fd_tell", fd, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u64(f, FAKE_OUT), 10);
    assert_errno(CALL(f, "fd_seek", fd, (u64)-11, WASI_WHENCE_CUR, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_seek", fd, 0, 3, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_seek", fd, (u64)-1, WASI_WHENCE_END, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u64(f, FAKE_OUT), 9);
}

static void test_iovecs_hostile(void **state)
{
    struct fake *f = *state;
    u32 fd = create(f, "a");
    assert_errno(CALL(f, "fd_write", fd, FAKE_IOV, 1025, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_write", fd, FAKE_IOV, UINT32_MAX, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_write", fd, FAKE_MEMORY - 7, 1, FAKE_OUT), FAULT);
    assert_errno(CALL(f, "fd_write", fd, 0, 0, FAKE_MEMORY - 3), FAULT);
    assert_errno(CALL(f, "fd_write", fd, FAKE_MEMORY, 0, FAKE_OUT), SUCCESS);
    const u32 bad[][2] = {
        {FAKE_MEMORY - 1, 2}, {UINT32_MAX, 1}, {1, UINT32_MAX}, {FAKE_MEMORY + 1, 0}};
    for (size_t i = 0; i < 4; i++) {
        wasi_put32(f->mem + FAKE_IOV, bad[i][0]);
        wasi_put32(f->mem + FAKE_IOV + 4, bad[i][1]);
        assert_errno(CALL(f, "fd_write", fd, FAKE_IOV, 1, FAKE_OUT), FAULT);
        assert_errno(CALL(f, "fd_read", fd, FAKE_IOV, 1, FAKE_OUT), FAULT);
    }
    /* Overlapping ones are legal: the whole memory, 1024 times, is more than 4 GiB / 4. */
    for (u32 i = 0; i < 1024; i++) {
        wasi_put32(f->mem + FAKE_DATA + i * 8, 0);
        wasi_put32(f->mem + FAKE_DATA + i * 8 + 4, FAKE_MEMORY);
    }
    assert_errno(CALL(f, "fd_read", fd, FAKE_DATA, 1024, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 0);
    host_expect(f, "d/a", "");
}

/* The count of bytes is a u32: 1024 times almost 4 GiB must not wrap in it. */
static void test_iovecs_together_stay_below_two_gib(void **state)
{
    (void)state;
    const u64 size = UINT64_C(1) << 32;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(base != MAP_FAILED);
    struct wasi_mem mem = {.base = base, .size = size};
    static struct iovec iov[WASI_IOV_MAX];
    u64 total = 0;
    for (size_t i = 0; i < WASI_IOV_MAX; i++) wasi_put32(mem.base + i * 8 + 4, 0x7fff0000);
    assert_errno(wasi_mem_iovecs(&mem, 0, WASI_IOV_MAX, iov), SUCCESS);
    for (size_t i = 0; i < WASI_IOV_MAX; i++) total += iov[i].iov_len;
    assert_int_equal(total, 0x7ffff000);
    assert_int_equal(iov[0].iov_len, 0x7fff0000);
    munmap(base, size);
}

static void test_size_space_and_advice_are_checked(void **state)
{
    struct fake *f = *state;
    u32 fd = create(f, "a"), file;
    assert_errno(CALL(f, "fd_filestat_set_size", fd, 5), SUCCESS);
    assert_errno(CALL(f, "fd_filestat_set_size", fd, UINT64_C(1) << 63), INVAL);
    assert_errno(CALL(f, "fd_allocate", fd, 0, 0), INVAL);
    assert_errno(CALL(f, "fd_allocate", fd, UINT64_MAX, 1), INVAL);
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHT_FD_ADVISE | WASI_RIGHT_FD_READ, &file),
                 SUCCESS);
    for (u32 advice = 0; advice < 6; advice++)
        assert_errno(CALL(f, "fd_advise", file, 0, 0, advice), SUCCESS);
    assert_errno(CALL(f, "fd_advise", file, 0, 0, 6), INVAL);
    assert_errno(CALL(f, "fd_advise", file, UINT64_MAX, 0, 0), INVAL);
    assert_errno(CALL(f, "fd_filestat_set_size", file, 1), NOTCAPABLE);
    assert_errno(CALL(f, "fd_advise", 3, 0, 0, 0), BADF);
    assert_errno(CALL(f, "fd_filestat_get", fd, FAKE_MEMORY - 63), FAULT);
}

static void test_times_are_set_and_contradictions_refused(void **state)
{
    struct fake *f = *state;
    u32 fd;
    const u64 rights = WASI_RIGHT_FD_FILESTAT_SET_TIMES | WASI_RIGHT_FD_FILESTAT_GET;
    host_write(f, "d/a", "");
    assert_errno(fake_open(f, 3, "a", 0, rights, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_filestat_set_times", fd, 1500000007, 2600000009, 1 | 4), SUCCESS);
    assert_errno(CALL(f, "fd_filestat_get", fd, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u64(f, FAKE_OUT + 40), 1500000007);
    assert_int_equal(fake_u64(f, FAKE_OUT + 48), 2600000009);
    const u32 bad[] = {1 | 2, 4 | 8, 15, 16, UINT32_MAX};
    for (size_t i = 0; i < 5; i++)
        assert_errno(CALL(f, "fd_filestat_set_times", fd, 0, 0, bad[i]), INVAL);
    assert_errno(CALL(f, "fd_filestat_set_times", fd, 0, 0, 8), SUCCESS);
    assert_errno(CALL(f, "fd_filestat_get", fd, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u64(f, FAKE_OUT + 40), 1500000007);
    assert_true(fake_u64(f, FAKE_OUT + 48) > UINT64_C(1500000000000000000));
    /* The largest guest time is beyond what most file systems hold; it must not be a fault of ours.
     */
    assert_errno(CALL(f, "fd_filestat_set_times", fd, UINT64_MAX, UINT64_MAX, 1 | 4), SUCCESS);
}

/* ---------------------------------------------------------------- streams */

struct stream {
    struct fake *f;
    int host[2]; /* read end, write end */
};

static void open_pipe(struct stream *s, struct fake *f, int guest, int end)
{
    s->f = f;
    assert_int_equal(pipe2(s->host, O_CLOEXEC), 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, guest, s->host[end], NULL), WR_OK);
}

static void close_pipe(struct stream *s)
{
    close(s->host[0]);
    close(s->host[1]);
}

static void test_stdin_reads_no_more_than_asked(void **state)
{
    struct stream s;
    char got[64];
    open_pipe(&s, *state, 0, 0);
    assert_int_equal(write(s.host[1], "abcdef", 6), 6);
    assert_errno(fake_read(s.f, 0, got, 4), SUCCESS);
    assert_string_equal(got, "abc");
    assert_int_equal(read(s.host[0], got, 64), 3);
    assert_errno(fake_write(s.f, 0, "x"), NOTCAPABLE); /* it is open for reading only */
    close_pipe(&s);
}

static void test_nonblock_is_the_guests_alone(void **state)
{
    struct stream s;
    char got[64];
    open_pipe(&s, *state, 0, 0);
    int before = fcntl(s.host[0], F_GETFL);
    assert_errno(CALL(s.f, "fd_fdstat_set_flags", 0, WASI_FDFLAG_NONBLOCK), SUCCESS);
    assert_errno(fake_read(s.f, 0, got, 64), AGAIN);
    assert_int_equal(fcntl(s.host[0], F_GETFL), before);
    assert_int_equal(before & O_NONBLOCK, 0);
    assert_errno(CALL(s.f, "fd_seek", 0, 0, WASI_WHENCE_SET, FAKE_OUT), SPIPE);
    close(s.host[1]);
    assert_errno(fake_read(s.f, 0, got, 64), SUCCESS); /* the end */
    assert_int_equal(fake_u32(s.f, FAKE_OUT), 0);
    close(s.host[0]);
}

static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
    (void)sig;
    sigpipes++;
}

static void test_write_without_reader_is_pipe_and_raises_nothing(void **state)
{
    struct stream s;
    struct sigaction old, act = {.sa_handler = on_sigpipe};
    sigaction(SIGPIPE, &act, &old);
    open_pipe(&s, *state, 1, 1);
    close(s.host[0]);
    sigpipes = 0;
    assert_errno(fake_write(s.f, 1, "lost"), PIPE);
    assert_errno(fake_write(s.f, 1, "lost"), PIPE);
    assert_int_equal(sigpipes, 0);
    sigset_t pending;
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    sigaction(SIGPIPE, &old, NULL);
    close(s.host[1]);
}

static void test_socket_without_peer_is_pipe(void **state)
{
    struct stream s = {.f = *state};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s.host), 0);
    assert_int_equal(wr_wasi_set_stdio(s.f->wasi, 1, s.host[1], NULL), WR_OK);
    assert_errno(fake_write(s.f, 1, "there"), SUCCESS);
    assert_errno(CALL(s.f, "fd_fdstat_get", 1, FAKE_OUT), SUCCESS);
    assert_int_equal(s.f->mem[FAKE_OUT], WASI_FILETYPE_SOCKET_STREAM);
    assert_errno(CALL(s.f, "sock_shutdown", 1, 1), SUCCESS);
    close(s.host[0]);
    assert_errno(fake_write(s.f, 1, "lost"), PIPE);
    close(s.host[1]);
}

static void *drain(void *arg)
{
    struct stream *s = arg;
    static char buf[65536];
    size_t total = 0;
    ssize_t n;
    usleep(20000);
    while ((n = read(s->host[0], buf, sizeof(buf))) > 0) total += (size_t)n;
    return (void *)(uintptr_t)total;
}

static void test_large_write_to_a_slow_pipe_is_whole(void **state)
{
    struct stream s;
    struct fake *f = *state;
    pthread_t reader;
    open_pipe(&s, f, 1, 1);
    assert_int_equal(pthread_create(&reader, NULL, drain, &s), 0);
    const u32 len = 700000;
    wasi_put32(f->mem + FAKE_IOV, 1);
    wasi_put32(f->mem + FAKE_IOV + 4, len);
    wasi_put32(f->mem + FAKE_IOV + 8, 5);
    wasi_put32(f->mem + FAKE_IOV + 12, 0);
    wasi_put32(f->mem + FAKE_IOV + 16, 7);
    wasi_put32(f->mem + FAKE_IOV + 20, 3);
    assert_errno(CALL(f, "fd_write", 1, FAKE_IOV, 3, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), len + 3);
    close(s.host[1]);
    void *total;
    pthread_join(reader, &total);
    assert_int_equal((uintptr_t)total, len + 3);
    close(s.host[0]);
}

static void *wake_soon(void *arg)
{
    struct stream *s = arg;
    usleep(30000);
    wr_wasi_wake(s->f->wasi);
    return NULL;
}

static void test_wake_ends_a_blocking_read_and_a_full_write(void **state)
{
    struct stream in, out;
    struct fake *f = *state;
    char got[8];
    pthread_t waker;
    open_pipe(&in, f, 0, 0);
    open_pipe(&out, f, 1, 1);
    assert_int_equal(pthread_create(&waker, NULL, wake_soon, &in), 0);
    assert_errno(fake_read(f, 0, got, 8), INTR);
    pthread_join(waker, NULL);
    assert_int_equal(pthread_create(&waker, NULL, wake_soon, &in), 0);
    wasi_put32(f->mem + FAKE_IOV, 0);
    wasi_put32(f->mem + FAKE_IOV + 4, 500000);
    assert_errno(CALL(f, "fd_write", 1, FAKE_IOV, 1, FAKE_OUT), SUCCESS); /* in part */
    pthread_join(waker, NULL);
    assert_true(fake_u32(f, FAKE_OUT) >= 4096 && fake_u32(f, FAKE_OUT) < 500000);
    wr_wasi_wake(f->wasi); /* before the wait: it ends the next one */
    assert_errno(fake_read(f, 0, got, 8), INTR);
    close_pipe(&in);
    close_pipe(&out);
}

static void test_directory_as_stdin_is_no_preopen(void **state)
{
    struct fake *f = *state;
    int dir = open(host_path(f, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, dir, NULL), WR_OK);
    u32 fd;
    assert_errno(fake_open(f, 0, "d", 0, 0, &fd), NOTDIR);
    assert_errno(CALL(f, "fd_readdir", 0, 0, 64, 0, FAKE_OUT), NOTDIR);
    assert_errno(CALL(f, "fd_prestat_get", 0, FAKE_OUT), BADF);
    assert_errno(fake_path_call(f, "path_create_directory", 0, "y"), NOTDIR);
    close(dir);
}

/* `< file` gives a file to be read: its times are not the guest's to set. */
static void test_a_stream_for_reading_changes_nothing(void **state)
{
    struct fake *f = *state;
    host_write(f, "d/in", "data");
    int host = open(host_path(f, "d/in"), O_RDONLY | O_CLOEXEC);
    assert_true(host >= 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, host, NULL), WR_OK);
    struct stat before, after;
    assert_int_equal(fstat(host, &before), 0);
    assert_errno(CALL(f, "fd_filestat_set_times", 0, 77, 77, WASI_FST_MTIM | WASI_FST_ATIM), PERM);
    assert_errno(CALL(f, "fd_filestat_set_size", 0, 0), NOTCAPABLE);
    assert_int_equal(fstat(host, &after), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_errno(CALL(f, "fd_filestat_get", 0, FAKE_OUT), SUCCESS);
    close(host);
}

/* The wake descriptor must not take the number, and so the place, of a stream that is closed. */
static void test_streams_closed_in_the_process_are_closed_for_the_guest(void **state)
{
    (void)state;
    int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_true(saved >= 0);
    assert_int_equal(close(STDIN_FILENO), 0);
    wr_wasi_t *wasi = NULL;
    wr_status_t s = wr_wasi_new(&wasi, NULL);
    int wake_fd = s == WR_OK ? wasi->wait.wake_fd : -1;
    bool closed = s == WR_OK && wasi_fdtable_get(&wasi->fds, 0) == NULL;
    wr_wasi_delete(wasi);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    assert_int_equal(s, WR_OK);
    assert_true(wake_fd > 2);
    assert_true(closed);
}

static void test_inherited_append_is_reported_and_kept(void **state)
{
    struct fake *f = *state;
    host_write(f, "log", "old ");
    int log = open(host_path(f, "log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(log >= 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 2, log, NULL), WR_OK);
    assert_errno(CALL(f, "fd_fdstat_get", 2, FAKE_OUT), SUCCESS);
    assert_int_equal(wasi_get16(f->mem + FAKE_OUT + 2), WASI_FDFLAG_APPEND);
    assert_errno(fake_write(f, 2, "new"), SUCCESS);
    host_expect(f, "log", "old new");
    assert_errno(CALL(f, "fd_close", 2), SUCCESS);
    assert_true(fcntl(log, F_GETFL) >= 0); /* still ours */
    close(log);
}

static void test_fifo_open_does_not_block(void **state)
{
    struct fake *f = *state;
    u32 fd;
    char got[8];
    assert_int_equal(mkfifo(host_path(f, "d/fifo"), 0600), 0);
    assert_errno(fake_open(f, 3, "fifo", 0, WASI_RIGHT_FD_WRITE, &fd), NXIO);
    assert_errno(
        fake_open(f, 3, "fifo", 0, WASI_RIGHT_FD_READ | WASI_RIGHT_FD_FDSTAT_SET_FLAGS, &fd),
        SUCCESS);
    assert_errno(CALL(f, "fd_fdstat_set_flags", fd, WASI_FDFLAG_NONBLOCK), SUCCESS);
    assert_errno(fake_read(f, fd, got, 8), AGAIN);
    int writer = open(host_path(f, "d/fifo"), O_WRONLY | O_CLOEXEC);
    assert_true(writer >= 0);
    assert_int_equal(write(writer, "hi", 2), 2);
    assert_errno(fake_read(f, fd, got, 8), SUCCESS);
    assert_string_equal(got, "hi");
    close(writer);
}

/* ---------------------------------------------------------------- anything at all */

/* Random arguments for every function but proc_exit: no crash, no sanitizer report, no hang. */
static void test_random_calls_never_crash(void **state)
{
    struct fake *f = *state;
    static const u32 spice[] = {0,           1,          3,          4,         5,
                                8,           16,         1024,       4096,      FAKE_MEMORY - 1,
                                FAKE_MEMORY, 0x7fffffff, 0x80000000, UINT32_MAX};
    u64 seed = 88172645463325252u;
    wr_memory_t *memory = f->memory;
    for (int round = 0; round < 20000; round++) {
        const struct wasi_row *fn = &wasi_p1_table[round % WASI_P1_COUNT];
        if (strncmp(fn->name, "proc_", 5) == 0) continue;
        u64 args[16];
        size_t n = strcspn(fn->signature, ":");
        for (size_t i = 0; i < n; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            args[i] = (seed & 3) != 0 ? spice[(seed >> 8) % 14] : seed >> 20;
        }
        if (strcmp(fn->name, "poll_oneoff") == 0) wr_wasi_wake(f->wasi);
        f->memory = round % 7 == 0 ? NULL : memory;
        wasi_errno e = fake_call(f, fn->name, n, args);
        assert_in_range(e, 0, WASI_E_NOTCAPABLE);
        assert_int_equal(f->status, WR_OK);
        if (round % 500 == 0) fake_str(f, (u32)(seed % 4096), "a/../b");
    }
    f->memory = memory;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_odd_numbers_are_badf_in_every_function),
        T(test_renumber_replaces_and_closes_the_target),
        T(test_numbers_are_reused_and_never_below_three),
        T(test_quota_of_descriptors_is_mfile),
        T(test_quota_of_descriptors_can_be_set),
        T(test_open_past_the_quota_changes_nothing),
        T(test_set_rights_only_takes_away),
        T(test_inheriting_limits_what_is_opened_beneath),
        T(test_tell_right_lets_seek_ask_but_not_move),
        T(test_append_applies_to_write_but_not_to_pwrite),
        T(test_positioned_io_keeps_the_position),
        T(test_iovecs_hostile),
        T(test_iovecs_together_stay_below_two_gib),
        T(test_size_space_and_advice_are_checked),
        T(test_times_are_set_and_contradictions_refused),
        T(test_stdin_reads_no_more_than_asked),
        T(test_nonblock_is_the_guests_alone),
        T(test_write_without_reader_is_pipe_and_raises_nothing),
        T(test_socket_without_peer_is_pipe),
        T(test_large_write_to_a_slow_pipe_is_whole),
        T(test_wake_ends_a_blocking_read_and_a_full_write),
        T(test_directory_as_stdin_is_no_preopen),
        T(test_a_stream_for_reading_changes_nothing),
        T(test_streams_closed_in_the_process_are_closed_for_the_guest),
        T(test_inherited_append_is_reported_and_kept),
        T(test_fifo_open_does_not_block),
        T(test_random_calls_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
