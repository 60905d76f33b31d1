/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_readdir.c - fd_readdir: cookies, cut entries, inode numbers; and fd_prestat_*.
 */
#include "fake_vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 300 };

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    host_mkdir(f, "d");
    host_mkdir(f, "d/sub");
    host_write(f, "d/file", "");
    host_symlink(f, "file", "d/link");
    fake_preopen(f, "d", "/guest", true);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

struct entry {
    u64 next, ino;
    u8 type;
    char name[256];
};

static u32 read_dir(struct fake *f, u32 fd, u64 cookie, u32 size)
{
    memset(f->mem + FAKE_DATA, 0xee, size);
    assert_errno(CALL(f, "fd_readdir", fd, FAKE_DATA, size, cookie, FAKE_OUT), SUCCESS);
    assert_true(fake_u32(f, FAKE_OUT) <= size);
    return fake_u32(f, FAKE_OUT);
}

/* Decodes the entry at `*at` of the buffer; false when it is not whole. */
static bool next_entry(struct fake *f, u32 *at, u32 used, struct entry *e)
{
    const u8 *p = f->mem + FAKE_DATA + *at;
    if (used - *at < WASI_DIRENT_BYTES) return false;
    u32 len = wasi_get32(p + 16);
    assert_in_range(len, 1, 255);
    if (used - *at - WASI_DIRENT_BYTES < len) return false;
    e->next = wasi_get64(p);
    e->ino = wasi_get64(p + 8);
    e->type = p[20];
    memcpy(e->name, p + WASI_DIRENT_BYTES, len);
    e->name[len] = '\0';
    *at += WASI_DIRENT_BYTES + len;
    return true;
}

static void test_entries_agree_with_stat(void **state)
{
    struct fake *f = *state;
    struct entry e;
    u32 used = read_dir(f, 3, 0, 4096), at = 0, seen = 0;
    assert_true(used < 4096);
    u8 copy[4096];
    memcpy(copy, f->mem + FAKE_DATA, used);
    while (next_entry(f, &at, used, &e)) {
        const char *name =
            strcmp(e.name, "..") == 0 ? "." : e.name; /* a preopen is its own parent */
        assert_errno(fake_stat(f, 3, name, false), SUCCESS);
        assert_int_equal(e.ino, fake_u64(f, FAKE_OUT + 8));
        assert_int_equal(e.type, f->mem[FAKE_OUT + 16]);
        seen++;
    }
    assert_int_equal(at, used);
    assert_int_equal(seen, 5);
    assert_errno(CALL(f, "fd_filestat_get", 3, FAKE_OUT), SUCCESS);
    assert_int_equal(f->mem[FAKE_OUT + 16], WASI_FILETYPE_DIR);
}

/* However small the buffer: every entry once, each call resumed at the last whole entry's cookie.
 */
static void walk_with_buffer(struct fake *f, u32 fd, u32 size, u32 expected)
{
    static u8 seen[MANY];
    u64 cookie = 0;
    u32 count = 0, used;
    memset(seen, 0, sizeof(seen));
    do {
        struct entry e;
        u32 at = 0;
        used = read_dir(f, fd, cookie, size);
        while (next_entry(f, &at, used, &e)) {
            cookie = e.next;
            count++;
            unsigned i;
            if (sscanf(e.name, "file%u", &i) == 1) assert_int_equal(seen[i]++, 0);
        }
        assert_true(at > 0 || used < size);
    } while (used == size);
    assert_int_equal(count, expected);
}

static void test_small_buffers_see_every_entry_once(void **state)
{
    struct fake *f = *state;
    u32 fd;
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "d/sub/file%d", i);
        host_write(f, name, "");
    }
    assert_errno(fake_open(f, 3, "sub", WASI_OFLAG_DIRECTORY, WASI_RIGHT_FD_READDIR, &fd), SUCCESS);
    const u32 sizes[] = {35, 64, 100, 511, 1000, 4096, 9000, 40000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        walk_with_buffer(f, fd, sizes[i], MANY + 2);
}

static void test_last_entry_is_cut_to_fill_the_buffer(void **state)
{
    struct fake *f = *state;
    u32 whole = read_dir(f, 3, 0, 4096);
    static u8 all[4096];
    memcpy(all, f->mem + FAKE_DATA, whole);
    for (u32 size = 0; size <= whole; size++) {
        assert_int_equal(read_dir(f, 3, 0, size), size);
        assert_memory_equal(f->mem + FAKE_DATA, all, size);
    }
    assert_int_equal(read_dir(f, 3, 0, whole + 1), whole);
}

static void test_rewinding_sees_new_entries(void **state)
{
    struct fake *f = *state;
    struct entry e;
    u32 used = read_dir(f, 3, 0, 4096), at = 0, count = 0;
    while (next_entry(f, &at, used, &e)) continue;
    assert_int_equal(read_dir(f, 3, e.next, 4096), 0); /* the end is resumable too */
    host_write(f, "d/fresh", "");
    used = read_dir(f, 3, 0, 4096);
    at = 0;
    while (next_entry(f, &at, used, &e)) count++;
    assert_int_equal(count, 6);
}

static void test_a_removed_directory_is_empty(void **state)
{
    struct fake *f = *state;
    u32 fd;
    host_mkdir(f, "d/gone");
    assert_errno(fake_open(f, 3, "gone", WASI_OFLAG_DIRECTORY, WASI_RIGHT_FD_READDIR, &fd),
                 SUCCESS);
    assert_int_equal(rmdir(host_path(f, "d/gone")), 0);
    assert_int_equal(read_dir(f, fd, 0, 4096), 0);
}

/* What lies above a preopen is not shown, whichever way its root was opened. */
static void test_the_parent_of_the_root_is_the_root(void **state)
{
    struct fake *f = *state;
    struct stat root;
    assert_int_equal(stat(host_path(f, "d"), &root), 0);
    static const char *const ways[] = {".", "sub/..", "./", "sub"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        u32 fd, again, at = 0;
        struct entry e;
        bool found = false;
        assert_errno(fake_open(f, 3, ways[i], 0, WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING, &fd),
                     SUCCESS);
        assert_errno(fake_open(f, fd, ".", 0, WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING, &again),
                     SUCCESS);
        u32 used = read_dir(f, again, 0, 4096);
        while (next_entry(f, &at, used, &e)) {
            if (strcmp(e.name, "..") != 0) continue;
            assert_int_equal(e.ino, root.st_ino);
            found = true;
        }
        assert_true(found);
    }
}

static void test_odd_arguments(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_errno(CALL(f, "fd_readdir", 3, FAKE_DATA, 64, UINT64_MAX, FAKE_OUT), INVAL);
    assert_errno(CALL(f, "fd_readdir", 3, FAKE_MEMORY - 63, 64, 0, FAKE_OUT), FAULT);
    assert_errno(CALL(f, "fd_readdir", 3, FAKE_DATA, UINT32_MAX, 0, FAKE_OUT), FAULT);
    assert_errno(CALL(f, "fd_readdir", 3, FAKE_DATA, 64, 0, FAKE_MEMORY - 3), FAULT);
    assert_errno(fake_open(f, 3, "file", 0, WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_readdir", fd, FAKE_DATA, 64, 0, FAKE_OUT), NOTDIR);
    assert_errno(fake_open(f, 3, ".", 0, WASI_RIGHT_PATH_OPEN, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_readdir", fd, FAKE_DATA, 64, 0, FAKE_OUT), NOTCAPABLE);
}

static void test_prestat_names_the_preopen(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_errno(CALL(f, "fd_prestat_get", 3, FAKE_OUT), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 0);
    assert_int_equal(fake_u32(f, FAKE_OUT + 4), 6);
    assert_errno(CALL(f, "fd_prestat_dir_name", 3, FAKE_DATA, 5), NAMETOOLONG);
    assert_errno(CALL(f, "fd_prestat_dir_name", 3, FAKE_MEMORY - 5, 6), FAULT);
    f->mem[FAKE_DATA + 6] = 'Z';
    assert_errno(CALL(f, "fd_prestat_dir_name", 3, FAKE_DATA, 100), SUCCESS);
    assert_memory_equal(f->mem + FAKE_DATA, "/guestZ", 7);
    assert_errno(fake_open(f, 3, "sub", WASI_OFLAG_DIRECTORY, 0, &fd), SUCCESS);
    assert_errno(CALL(f, "fd_prestat_get", fd, FAKE_OUT), BADF);
    assert_errno(CALL(f, "fd_prestat_dir_name", fd, FAKE_DATA, 100), BADF);
    assert_errno(CALL(f, "fd_close", 3), SUCCESS);
    assert_errno(CALL(f, "fd_prestat_get", 3, FAKE_OUT), BADF);
}

static void test_preopen_errors_name_the_path(void **state)
{
    struct fake *f = *state;
    wr_error_t err;
    assert_int_equal(wr_wasi_preopen_dir(f->wasi, host_path(f, "none"), "/", false, &err),
                     WR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none"));
    assert_int_equal(wr_wasi_preopen_dir(f->wasi, host_path(f, "d/file"), "/", false, &err), WR_IO);
    assert_int_equal(wr_wasi_preopen_dir(f->wasi, host_path(f, "d"), "", false, &err), WR_ARGUMENT);
    assert_int_equal(wr_wasi_set_stdio(f->wasi, 3, 0, &err), WR_ARGUMENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_entries_agree_with_stat),
        T(test_small_buffers_see_every_entry_once),
        T(test_last_entry_is_cut_to_fill_the_buffer),
        T(test_rewinding_sees_new_entries),
        T(test_a_removed_directory_is_empty),
        T(test_the_parent_of_the_root_is_the_root),
        T(test_odd_arguments),
        T(test_prestat_names_the_preopen),
        T(test_preopen_errors_name_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
