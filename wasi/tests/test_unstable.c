/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unstable.c - wasi_unstable: its functions, and the layouts that are its own.
 */
#include "fake_vm.h"

#include "p1/p1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUBS = 0x20001, EVENTS = 0x80003, COUNT = 0x100 };

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    host_write(f, "a", "0123456789");
    fake_preopen(f, "", "/", false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

static void test_all_but_accept_are_there_with_the_same_types(void **state)
{
    struct fake *f = *state;
    size_t found = 0;
    for (size_t i = 0; i < WASI_P1_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof(name), "unstable.%s", wasi_p1_table[i].name);
        const char *signature = fake_signature(f, name);
        bool accept = strcmp(wasi_p1_table[i].name, "sock_accept") == 0;
        assert_int_equal(signature == NULL, accept);
        if (signature != NULL) assert_string_equal(signature, wasi_p1_table[i].signature);
        found += signature != NULL;
    }
    assert_int_equal(found, 45);
    assert_null(fake_signature(f, "unstable.sock_open")); /* the extensions are preview1's */
}

static void test_only_what_is_imported_is_defined(void **state)
{
    struct fake *f = *state;
    static const char p1[] = "wasi_snapshot_preview1";
    const char *const none[] = {NULL};
    const char *const some[] = {
        p1,    "fd_write", "wasi_unstable", "fd_seek", "env",     "fd_read", p1,
        "fd_", p1,         "fd_write",      p1,        "nothing", NULL};
    assert_int_equal(fake_link_imports(f, none), 0);
    assert_int_equal(fake_link_imports(f, some), 2);
    assert_non_null(fake_signature(f, "fd_write"));
    assert_non_null(fake_signature(f, "unstable.fd_seek"));
    const char *const sock[] = {p1, "sock_open", NULL}; /* of WasmEdge, and of WAMR */
    assert_int_equal(fake_link_imports(f, sock), 2);
    const char *many[2 * 1000 + 1] = {NULL}; /* not looked for one by one */
    for (size_t i = 0; i < 2000; i++) many[i] = "x";
    assert_in_range(fake_link_imports(f, many), 100, 192);
}

static void test_whence_is_cur_end_set(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHTS_RW, &fd), SUCCESS);
    assert_errno(CALL(f, "unstable.fd_seek", fd, 4, 2, FAKE_OUT), SUCCESS); /* set */
    assert_int_equal(fake_u64(f, FAKE_OUT), 4);
    assert_errno(CALL(f, "unstable.fd_seek", fd, 3, 0, FAKE_OUT), SUCCESS); /* cur */
    assert_int_equal(fake_u64(f, FAKE_OUT), 7);
    assert_errno(CALL(f, "unstable.fd_seek", fd, (u64)-1, 1, FAKE_OUT), SUCCESS); /* end */
    assert_int_equal(fake_u64(f, FAKE_OUT), 9);
    assert_errno(CALL(f, "unstable.fd_seek", fd, 0, 3, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_seek", fd, 1, 0, FAKE_OUT), SUCCESS); /* preview1: set */
    assert_int_equal(fake_u64(f, FAKE_OUT), 1);
}

/* The same file in both layouts; the byte behind the shorter one stays. */
static void expect_filestat(struct fake *f, u32 old, u32 now)
{
    assert_int_equal(fake_u64(f, old), fake_u64(f, now));
    assert_int_equal(fake_u64(f, old + 8), fake_u64(f, now + 8));
    assert_int_equal(f->mem[old + 16], WASI_FILETYPE_REGULAR);
    assert_int_equal(fake_u32(f, old + 20), 1);
    assert_int_equal(fake_u64(f, old + 24), 10);
    for (u32 i = 0; i < 3; i++)
        assert_int_equal(fake_u64(f, old + 32 + 8 * i), fake_u64(f, now + 40 + 8 * i));
    assert_int_equal(f->mem[old + 56], 0xee);
}

static void test_filestat_is_56_bytes(void **state)
{
    struct fake *f = *state;
    u32 fd, now = FAKE_OUT, old = FAKE_OUT + 0x100;
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHTS_RW, &fd), SUCCESS);
    memset(f->mem + old, 0xee, 64);
    assert_errno(CALL(f, "fd_filestat_get", fd, now), SUCCESS);
    assert_errno(CALL(f, "unstable.fd_filestat_get", fd, old), SUCCESS);
    expect_filestat(f, old, now);
    memset(f->mem + old, 0xee, 64);
    u32 len = fake_str(f, FAKE_PATH, "a");
    assert_errno(CALL(f, "unstable.path_filestat_get", 3, 0, FAKE_PATH, len, old), SUCCESS);
    expect_filestat(f, old, now);
    assert_errno(CALL(f, "unstable.fd_filestat_get", fd, FAKE_MEMORY - 56), SUCCESS);
    assert_errno(CALL(f, "unstable.fd_filestat_get", fd, FAKE_MEMORY - 55), FAULT);
}

static void clock_sub(struct fake *f, u32 i, u64 timeout)
{
    u8 *s = f->mem + SUBS + i * WASI_P0_SUBSCRIPTION_BYTES;
    memset(s, 0, WASI_P0_SUBSCRIPTION_BYTES);
    wasi_put64(s, 1000 + i);
    s[8] = WASI_EVENT_CLOCK;
    wasi_put64(s + 16, 0x123456789abcdef); /* the identifier */
    wasi_put32(s + 24, WASI_CLOCK_MONOTONIC);
    wasi_put64(s + 32, timeout);
}

static void test_subscriptions_are_56_bytes(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_errno(fake_open(f, 3, "a", 0, WASI_RIGHTS_RW, &fd), SUCCESS);
    clock_sub(f, 0, UINT64_MAX);
    clock_sub(f, 1, 2000000);
    u64 begin = wasi_clock_now(CLOCK_MONOTONIC);
    assert_errno(CALL(f, "unstable.poll_oneoff", SUBS, EVENTS, 2, COUNT), SUCCESS);
    assert_true(wasi_clock_now(CLOCK_MONOTONIC) - begin >= 2000000);
    assert_int_equal(fake_u32(f, COUNT), 1);
    assert_int_equal(fake_u64(f, EVENTS), 1001);
    u8 *s = f->mem + SUBS + WASI_P0_SUBSCRIPTION_BYTES;
    memset(s, 0, WASI_P0_SUBSCRIPTION_BYTES);
    wasi_put64(s, 77);
    s[8] = WASI_EVENT_FD_READ;
    wasi_put32(s + 16, fd);
    assert_errno(CALL(f, "unstable.poll_oneoff", SUBS, EVENTS, 2, COUNT), SUCCESS);
    assert_int_equal(fake_u32(f, COUNT), 1);
    assert_int_equal(fake_u64(f, EVENTS), 77);
    assert_int_equal(fake_u64(f, EVENTS + 16), 10);
    u32 last = FAKE_MEMORY - 2 * WASI_P0_SUBSCRIPTION_BYTES;
    assert_errno(CALL(f, "unstable.poll_oneoff", last + 1, EVENTS, 2, COUNT), FAULT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_all_but_accept_are_there_with_the_same_types),
        T(test_only_what_is_imported_is_defined),
        T(test_whence_is_cur_end_set),
        T(test_filestat_is_56_bytes),
        T(test_subscriptions_are_56_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
