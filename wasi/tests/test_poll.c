/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_poll.c - poll_oneoff: clocks, descriptors, faults of single subscriptions, odd numbers.
 */
#include "fake_vm.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SUBS = 0x20001, EVENTS = 0x80003, COUNT = 0x100 }; /* unaligned on purpose */

#define MS UINT64_C(1000000)

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

static void clock_sub(struct fake *f, u32 i, u32 id, u64 timeout, u32 flags)
{
    u8 *s = f->mem + SUBS + i * WASI_SUBSCRIPTION_BYTES;
    memset(s, 0, WASI_SUBSCRIPTION_BYTES);
    wasi_put64(s, 1000 + i);
    s[8] = WASI_EVENT_CLOCK;
    wasi_put32(s + 16, id);
    wasi_put64(s + 24, timeout);
    wasi_put16(s + 40, (u16)flags);
}

static void fd_sub(struct fake *f, u32 i, u8 type, u32 fd)
{
    u8 *s = f->mem + SUBS + i * WASI_SUBSCRIPTION_BYTES;
    memset(s, 0, WASI_SUBSCRIPTION_BYTES);
    wasi_put64(s, 1000 + i);
    s[8] = type;
    wasi_put32(s + 16, fd);
}

static wasi_errno poll_now(struct fake *f, u32 n)
{
    memset(f->mem + EVENTS, 0xee, (size_t)n * WASI_EVENT_BYTES);
    return CALL(f, "poll_oneoff", SUBS, EVENTS, n, COUNT);
}

/* Event `i` is for subscription `sub` with this error, type, byte count and flags. */
static void expect_event(struct fake *f, u32 i, u32 sub, wasi_errno error, u8 type, u64 nbytes,
                         u32 flags)
{
    const u8 *e = f->mem + EVENTS + i * WASI_EVENT_BYTES;
    assert_int_equal(wasi_get64(e), 1000 + sub);
    assert_string_equal(wasi_errno_name(wasi_get16(e + 8)), wasi_errno_name(error));
    assert_int_equal(e[10], type);
    assert_int_equal(wasi_get64(e + 16), nbytes);
    assert_int_equal(wasi_get16(e + 24), flags);
}

static u64 now_ns(void) { return wasi_clock_now(CLOCK_MONOTONIC); }

/* ---------------------------------------------------------------- clocks */

static void test_none_and_too_many_are_inval(void **state)
{
    struct fake *f = *state;
    assert_errno(poll_now(f, 0), INVAL);
    assert_errno(CALL(f, "poll_oneoff", 0, 0, 4097, 0), INVAL);
    assert_errno(CALL(f, "poll_oneoff", 0, 0, UINT32_MAX, 0), INVAL);
    clock_sub(f, 0, 1, 0, 0);
    assert_errno(CALL(f, "poll_oneoff", SUBS, FAKE_MEMORY - 31, 1, COUNT), FAULT);
    assert_errno(CALL(f, "poll_oneoff", FAKE_MEMORY - 47, EVENTS, 1, COUNT), FAULT);
    assert_errno(CALL(f, "poll_oneoff", SUBS, EVENTS, 1, FAKE_MEMORY - 3), FAULT);
    f->mem[SUBS + 8] = 3;
    assert_errno(poll_now(f, 1), INVAL);
}

static void test_sleep_is_neither_short_nor_rounded_to_milliseconds(void **state)
{
    struct fake *f = *state;
    for (u32 id = 0; id < 2; id++) {
        clock_sub(f, 0, id, 300000, 0); /* 0.3 ms */
        u64 start = now_ns();
        for (int i = 0; i < 10; i++) assert_errno(poll_now(f, 1), SUCCESS);
        u64 took = now_ns() - start;
        assert_true(took >= 3 * MS);
        assert_true(took < 500 * MS);
        assert_int_equal(fake_u32(f, COUNT), 1);
        expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_CLOCK, 0, 0);
    }
}

static void test_several_clocks_first_wins_and_all_due_are_told(void **state)
{
    struct fake *f = *state;
    u64 mono = now_ns(), real = wasi_clock_now(CLOCK_REALTIME);
    clock_sub(f, 0, 1, UINT64_MAX, 0);
    clock_sub(f, 1, 1, mono + 10 * MS, 1);
    clock_sub(f, 2, 0, real + 3600000 * MS, 1);
    clock_sub(f, 3, 0, 5 * MS, 0);
    clock_sub(f, 4, 0, UINT64_MAX, 1);
    assert_errno(poll_now(f, 5), SUCCESS);
    assert_true(now_ns() - mono >= 5 * MS && now_ns() - mono < 1000 * MS);
    assert_true(fake_u32(f, COUNT) >= 1);
    clock_sub(f, 0, 1, 0, 0);
    clock_sub(f, 1, 1, mono, 1);
    clock_sub(f, 2, 0, real, 1);
    assert_errno(poll_now(f, 5), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 3);
    for (u32 i = 0; i < 3; i++) expect_event(f, i, i, WASI_E_SUCCESS, WASI_EVENT_CLOCK, 0, 0);
}

static void test_realtime_deadline_is_met(void **state)
{
    struct fake *f = *state;
    u64 start = now_ns();
    clock_sub(f, 0, 0, wasi_clock_now(CLOCK_REALTIME) + 20 * MS, 1);
    assert_errno(poll_now(f, 1), SUCCESS);
    assert_true(now_ns() - start >= 19 * MS && now_ns() - start < 1000 * MS);
}

static void test_bad_subscriptions_are_events_and_do_not_block(void **state)
{
    struct fake *f = *state;
    host_write(f, "a", "abc");
    fake_preopen(f, "", "/", false);
    u32 fd;
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHT_FD_READ, &fd), SUCCESS);
    clock_sub(f, 0, 1, UINT64_MAX, 0);
    fd_sub(f, 1, WASI_EVENT_FD_READ, 99);
    fd_sub(f, 2, WASI_EVENT_FD_READ, fd); /* without POLL_FD_READWRITE */
    clock_sub(f, 3, 2, 0, 0);
    clock_sub(f, 4, 77, 0, 0);
    clock_sub(f, 5, 1, 0, 2);
    fd_sub(f, 6, WASI_EVENT_FD_WRITE, UINT32_MAX);
    fd_sub(f, 7, WASI_EVENT_FD_READ, 3);
    assert_errno(poll_now(f, 8), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 7);
    expect_event(f, 0, 1, WASI_E_BADF, WASI_EVENT_FD_READ, 0, 0);
    expect_event(f, 1, 2, WASI_E_NOTCAPABLE, WASI_EVENT_FD_READ, 0, 0);
    expect_event(f, 2, 3, WASI_E_NOTSUP, WASI_EVENT_CLOCK, 0, 0);
    expect_event(f, 3, 4, WASI_E_INVAL, WASI_EVENT_CLOCK, 0, 0);
    expect_event(f, 4, 5, WASI_E_INVAL, WASI_EVENT_CLOCK, 0, 0);
    expect_event(f, 5, 6, WASI_E_BADF, WASI_EVENT_FD_WRITE, 0, 0);
    expect_event(f, 6, 7, WASI_E_NOTCAPABLE, WASI_EVENT_FD_READ, 0, 0);
}

/* ---------------------------------------------------------------- descriptors */

static void test_files_are_always_ready(void **state)
{
    struct fake *f = *state;
    host_write(f, "a", "abcdef");
    fake_preopen(f, "", "/", false);
    u32 fd;
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHTS_RW, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_seek", fd, 2, WASI_WHENCE_SET, FAKE_OUT), SUCCESS);
    fd_sub(f, 0, WASI_EVENT_FD_READ, fd);
    fd_sub(f, 1, WASI_EVENT_FD_WRITE, fd);
    fd_sub(f, 2, WASI_EVENT_FD_READ, fd);
    clock_sub(f, 3, 1, UINT64_MAX, 0);
    assert_errno(poll_now(f, 4), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 3);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 4, 0);
    expect_event(f, 2, 2, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 4, 0);
    assert_errno(CALL(f, "fd_seek", fd, 100, WASI_WHENCE_SET, FAKE_OUT), SUCCESS);
    assert_errno(poll_now(f, 1), SUCCESS);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 0, WASI_EVENT_FD_HANGUP);
}

static void test_socket_read_write_hangup(void **state)
{
    struct fake *f = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, pair[0], NULL), WR_OK);
    fd_sub(f, 0, WASI_EVENT_FD_READ, 0);
    fd_sub(f, 1, WASI_EVENT_FD_WRITE, 0);
    fd_sub(f, 2, WASI_EVENT_FD_READ, 0); /* the same twice */
    clock_sub(f, 3, 1, UINT64_MAX, 0);
    assert_errno(poll_now(f, 4), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 1);
    assert_int_equal(fake_u64(f, EVENTS), 1001);
    assert_int_equal(write(pair[1], "hello", 5), 5);
    assert_errno(poll_now(f, 4), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 3);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 5, 0);
    expect_event(f, 2, 2, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 5, 0);
    close(pair[1]);
    assert_errno(poll_now(f, 1), SUCCESS);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 5, WASI_EVENT_FD_HANGUP);
    close(pair[0]);
    assert_errno(poll_now(f, 1), SUCCESS); /* closed behind our back */
    expect_event(f, 0, 0, WASI_E_BADF, WASI_EVENT_FD_READ, 0, 0);
}

static void test_pipe_ends(void **state)
{
    struct fake *f = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, ends[0], NULL), WR_OK);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 1, ends[1], NULL), WR_OK);
    fd_sub(f, 0, WASI_EVENT_FD_READ, 0);
    fd_sub(f, 1, WASI_EVENT_FD_WRITE, 1);
    assert_errno(poll_now(f, 2), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 1);
    assert_int_equal(fake_u64(f, EVENTS), 1001);
    fd_sub(f, 1, WASI_EVENT_FD_WRITE, 0); /* the read end: no right to write */
    clock_sub(f, 2, 1, 1 * MS, 0);
    assert_errno(poll_now(f, 3), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 1);
    expect_event(f, 0, 1, WASI_E_NOTCAPABLE, WASI_EVENT_FD_WRITE, 0, 0);
    close(ends[1]);
    assert_errno(poll_now(f, 1), SUCCESS);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 0, WASI_EVENT_FD_HANGUP);
    close(ends[0]);
}

/* The kernel refuses more entries than RLIMIT_NOFILE: one descriptor is one entry. */
static void test_many_subscriptions_of_one_descriptor(void **state)
{
    struct fake *f = *state;
    struct rlimit old, low;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, ends[0], NULL), WR_OK);
    for (u32 i = 0; i < 4096; i++) fd_sub(f, i, WASI_EVENT_FD_READ, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = 256;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    wasi_errno e = poll_now(f, 4096);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_errno(e, SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 4096);
    expect_event(f, 4095, 4095, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 1, 0);
    close(ends[0]);
    close(ends[1]);
}

static void test_output_may_overlap_input(void **state)
{
    struct fake *f = *state;
    for (u32 i = 0; i < 3; i++) clock_sub(f, i, 1, 0, 0);
    assert_errno(CALL(f, "poll_oneoff", SUBS, SUBS, 3, COUNT), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 3);
    for (u32 i = 0; i < 3; i++)
        assert_int_equal(fake_u64(f, SUBS + i * WASI_EVENT_BYTES), 1000 + i);
}

static void *wake_soon(void *arg)
{
    struct fake *f = arg;
    usleep(20000);
    wr_wasi_wake(f->wasi);
    return NULL;
}

static void test_wake_ends_an_endless_sleep(void **state)
{
    struct fake *f = *state;
    pthread_t waker;
    u64 start = now_ns();
    clock_sub(f, 0, 1, UINT64_MAX, 0);
    clock_sub(f, 1, 1, UINT64_MAX - 1, 1);
    assert_int_equal(pthread_create(&waker, NULL, wake_soon, f), 0);
    assert_errno(poll_now(f, 2), INTR);
    assert_true(now_ns() - start >= 15 * MS);
    pthread_join(waker, NULL);
    clock_sub(f, 0, 1, 1 * MS, 0);
    assert_errno(poll_now(f, 1), SUCCESS); /* once only */
}

/* ---------------------------------------------------------------- what is not new */

static void socket_stdin(struct fake *f, int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 0, pair[0], NULL), WR_OK);
    fd_sub(f, 0, WASI_EVENT_FD_READ, 0);
    fd_sub(f, 1, WASI_EVENT_FD_WRITE, 0);
}

static u64 timed_poll(struct fake *f, u32 subs, u32 events)
{
    u64 start = now_ns();
    assert_errno(poll_now(f, subs), SUCCESS);
    u64 took = now_ns() - start;
    assert_int_equal(fake_u32(f, COUNT), events);
    return took;
}

static void test_stale_writable_is_held_back_and_then_told(void **state)
{
    struct fake *f = *state;
    int pair[2];
    socket_stdin(f, pair);
    assert_true(timed_poll(f, 2, 1) < 15 * MS); /* news */
    for (int i = 0; i < 3; i++) {
        u64 took = timed_poll(f, 2, 1);
        assert_true(took >= 20 * MS && took < 1000 * MS);
        expect_event(f, 0, 1, WASI_E_SUCCESS, WASI_EVENT_FD_WRITE, 4096, 0);
    }
    assert_errno(fake_write(f, 0, "x"), SUCCESS); /* used: news again */
    assert_true(timed_poll(f, 2, 1) < 15 * MS);
    clock_sub(f, 2, 1, 5 * MS, 0); /* a deadline is not missed for it */
    u64 took = timed_poll(f, 3, 2);
    assert_true(took >= 5 * MS && took < 20 * MS);
    wr_wasi_set_strict_poll(f->wasi, true);
    assert_true(timed_poll(f, 2, 1) < 15 * MS);
    close(pair[0]);
    close(pair[1]);
}

static void *write_soon(void *arg)
{
    usleep(5000);
    assert_int_equal(write(*(int *)arg, "abc", 3), 3);
    return NULL;
}

static void test_data_ends_the_wait_for_stale_writable(void **state)
{
    struct fake *f = *state;
    int pair[2];
    bool soon = false;
    for (u32 tries = 0; tries < 10 && !soon; tries++) { /* a busy machine may be late */
        pthread_t writer;
        if (tries) {
            close(pair[0]);
            close(pair[1]);
        }
        socket_stdin(f, pair);
        (void)timed_poll(f, 2, 1);
        assert_int_equal(pthread_create(&writer, NULL, write_soon, &pair[1]), 0);
        u64 took = timed_poll(f, 2, 2);
        pthread_join(writer, NULL);
        assert_true(took >= 4 * MS);
        soon = took < 19 * MS;
    }
    assert_true(soon);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 3, 0);
    assert_true(timed_poll(f, 2, 2) < 15 * MS); /* unread data is level-triggered */
    close(pair[0]);
    close(pair[1]);
}

static void test_writable_alone_is_not_held_back(void **state)
{
    struct fake *f = *state;
    int pair[2];
    socket_stdin(f, pair);
    fd_sub(f, 0, WASI_EVENT_FD_WRITE, 0);
    for (int i = 0; i < 5; i++) assert_true(timed_poll(f, 1, 1) < 15 * MS);
    close(pair[0]);
    close(pair[1]);
}

/* A peer that only stopped sending leaves us writable; one that is gone does not. */
static void test_half_closed_peer_is_no_hangup_for_writing(void **state)
{
    struct fake *f = *state;
    int pair[2];
    socket_stdin(f, pair);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    (void)timed_poll(f, 2, 2);
    expect_event(f, 0, 0, WASI_E_SUCCESS, WASI_EVENT_FD_READ, 0, WASI_EVENT_FD_HANGUP);
    expect_event(f, 1, 1, WASI_E_SUCCESS, WASI_EVENT_FD_WRITE, 4096, 0);
    close(pair[1]);
    (void)timed_poll(f, 2, 2);
    expect_event(f, 1, 1, WASI_E_SUCCESS, WASI_EVENT_FD_WRITE, 0, WASI_EVENT_FD_HANGUP);
    close(pair[0]);
}

static void on_alarm(int sig) { (void)sig; }

static void test_signals_do_not_end_a_sleep(void **state)
{
    struct fake *f = *state;
    struct sigaction old, act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, &old);
    clock_sub(f, 0, 1, 30 * MS, 0);
    u64 start = now_ns();
    ualarm(5000, 5000);
    assert_errno(poll_now(f, 1), SUCCESS);
    ualarm(0, 0);
    assert_true(now_ns() - start >= 30 * MS);
    sigaction(SIGALRM, &old, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_none_and_too_many_are_inval),
        T(test_sleep_is_neither_short_nor_rounded_to_milliseconds),
        T(test_several_clocks_first_wins_and_all_due_are_told),
        T(test_realtime_deadline_is_met),
        T(test_bad_subscriptions_are_events_and_do_not_block),
        T(test_files_are_always_ready),
        T(test_socket_read_write_hangup),
        T(test_pipe_ends),
        T(test_many_subscriptions_of_one_descriptor),
        T(test_output_may_overlap_input),
        T(test_wake_ends_an_endless_sleep),
        T(test_signals_do_not_end_a_sleep),
        T(test_stale_writable_is_held_back_and_then_told),
        T(test_data_ends_the_wait_for_stale_writable),
        T(test_writable_alone_is_not_held_back),
        T(test_half_closed_peer_is_no_hangup_for_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
