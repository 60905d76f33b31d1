/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_holes.c - holes that other hosts have had and that no other test is about. docs/wasi.md
 * lists all of them with the tests that would find them here.
 */
#include "fake_vm.h"
#include "p1/p1.h"
#include "sockext/sockext.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---------------------------------------------------------------- CVE-2025-53901 */

static const u32 odd[] = {UINT32_MAX, 0x80000000, 0x7fffffff, 0x7ffffffe, 1u << 20, 65536,
                          1025,       1024,       1023,       5,          4,        0};
enum { ODD = sizeof(odd) / sizeof(odd[0]) };

/* Every argument that is a descriptor, of every function of a table; how many there are. */
static int try_odd_numbers(struct fake *f, const struct wasi_row *rows, int count)
{
    int tried = 0;
    for (int r = 0; r < count; r++) {
        const signed char places[] = {rows[r].fd, rows[r].fd2};
        for (int p = 0; p < 2; p++) {
            if (places[p] < 0) continue;
            tried++;
            for (int i = 0; i < ODD; i++) {
                u64 args[WASI_ARGS_MAX] = {0};
                if (p == 1) args[rows[r].fd] = 3; /* the first one is good */
                args[places[p]] = odd[i];
                wasi_errno e = fake_call(f, rows[r].name, strcspn(rows[r].signature, ":"), args);
                if (e != WASI_E_BADF)
                    fail_msg("%s with %u: %s", rows[r].name, odd[i], wasi_errno_name(e));
            }
        }
    }
    return tried;
}

static void test_odd_numbers_in_every_argument_that_is_a_descriptor(void **state)
{
    struct fake *f = *state;
    fake_preopen(f, "", "/", false);
    assert_int_equal(try_odd_numbers(f, wasi_p1_table, WASI_P1_COUNT), 35);
    assert_int_equal(try_odd_numbers(f, wasi_we_table, WASI_WE_COUNT), 23);
    assert_int_equal(try_odd_numbers(f, wasi_wamr_table, WASI_WAMR_COUNT), WASI_WAMR_COUNT - 2);
    for (int i = 0; i < ODD; i++) { /* these two take numbers, not descriptors of a row */
        assert_errno(CALL(f, "fd_close", odd[i]), BADF);
        assert_errno(CALL(f, "fd_renumber", odd[i], 3), BADF);
        assert_errno(CALL(f, "fd_renumber", 3, odd[i]), BADF);
        assert_errno(CALL(f, "fd_renumber", odd[i], odd[i]), BADF);
    }
    assert_errno(CALL(f, "fd_renumber", 3, 3), SUCCESS);
    assert_errno(CALL(f, "fd_prestat_get", 3, FAKE_OUT), SUCCESS);
}

/* ---------------------------------------------------------------- CVE-2023-51661 */

/* Nothing is preopened that nobody gave: no number leads to a directory, not even the cwd. */
static void test_no_directory_is_given_by_itself(void **state)
{
    struct fake *f = *state;
    for (u32 fd = 0; fd < 64; fd++) {
        assert_errno(CALL(f, "fd_prestat_get", fd, FAKE_OUT), BADF);
        assert_errno(fake_stat(f, fd, ".", true), BADF);
        assert_errno(fake_path_call(f, "path_create_directory", fd, "made"), BADF);
    }
}

/* ---------------------------------------------------------------- erlang_wasm #36 */

/* A call with a small buffer reads a few entries of the host's directory, not all of them. */
static void test_readdir_reads_no_more_than_it_can_give(void **state)
{
    enum { FILES = 600 };
    struct fake *f = *state;
    char name[32], rest[32768];
    host_mkdir(f, "many");
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "many/file-%04d", i);
        host_write(f, name, "");
    }
    fake_preopen(f, "many", "/", false);
    assert_errno(CALL(f, "fd_readdir", 3, FAKE_DATA, 100, 0, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 100);
    int host = wasi_fdtable_get(&f->wasi->fds, 3)->host, left = 0;
    for (ssize_t n; (n = getdents64(host, rest, sizeof(rest))) > 0;)
        for (ssize_t at = 0; at < n; left++)
            at += ((const struct dirent64 *)(const void *)(rest + at))->d_reclen;
    assert_true(left > FILES - 50);
}

/* ---------------------------------------------------------------- CVE-2026-27204 */

/* What a guest may make one call hold: each limit, and one past it. */
static void test_sizes_that_a_guest_chooses_are_bounded(void **state)
{
    struct fake *f = *state;
    const u32 many = 1u << 28;
    fake_preopen(f, "", "/", false);
    u32 fd;
    assert_errno(fake_open(f, 3, "x", WASI_OFLAG_CREAT, WASI_RIGHTS_RW, &fd), SUCCESS);
    assert_errno(CALL(f, "poll_oneoff", 0, 0, WASI_SUBSCRIPTION_LIMIT + 1, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "poll_oneoff", 0, 0, many, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_read", fd, 0, WASI_IOV_MAX + 1, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_write", fd, 0, many, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "path_create_directory", 3, 0, WASI_PATH_MAX + 1), NAMETOOLONG);
    assert_errno(CALL(f, "path_create_directory", 3, 0, many), FAULT);
    assert_errno(CALL(f, "random_get", 0, FAKE_MEMORY + 1), FAULT);
    assert_errno(CALL(f, "fd_readdir", 3, 0, FAKE_MEMORY + 1, 0, FAKE_OUT), FAULT);
    assert_errno(CALL(f, "random_get", 0, FAKE_MEMORY), SUCCESS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_odd_numbers_in_every_argument_that_is_a_descriptor),
        T(test_no_directory_is_given_by_itself),
        T(test_readdir_reads_no_more_than_it_can_give),
        T(test_sizes_that_a_guest_chooses_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
