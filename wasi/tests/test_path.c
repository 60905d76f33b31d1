/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_path.c - path_*: read-only preopens, links and renames between preopens, slashes, odd names.
 * Everything runs twice: with openat2 and with the component walk.
 */
#include "fake_vm.h"
#include "p1/p1.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RW = 3, RO = 4 };

static enum wasi_resolve_mode mode;

/* rw/ and ro/ are preopened; beside them lies what no guest may see or touch. */
static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    host_write(f, "secret", "secret");
    host_mkdir(f, "rw");
    host_mkdir(f, "rw/dir");
    host_write(f, "rw/file", "data");
    host_mkdir(f, "ro");
    host_mkdir(f, "ro/dir");
    host_write(f, "ro/file", "data");
    host_symlink(f, "file", "ro/link");
    fake_preopen(f, "rw", "/rw", false);
    fake_preopen(f, "ro", "/ro", true);
    f->wasi->resolver.mode = mode;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

static wasi_errno two_paths(struct fake *f, const char *name, u32 fd, const char *from, u32 fd2,
                            const char *to, u32 follow)
{
    u32 len = fake_str(f, FAKE_PATH, from), len2 = fake_str(f, FAKE_PATH2, to);
    if (strcmp(name, "path_link") == 0)
        return CALL(f, name, fd, follow, FAKE_PATH, len, fd2, FAKE_PATH2, len2);
    return CALL(f, name, fd, FAKE_PATH, len, fd2, FAKE_PATH2, len2);
}

static wasi_errno make_symlink(struct fake *f, const char *target, u32 fd, const char *path)
{
    u32 len = fake_str(f, FAKE_PATH, target), len2 = fake_str(f, FAKE_PATH2, path);
    return CALL(f, "path_symlink", FAKE_PATH, len, fd, FAKE_PATH2, len2);
}

static wasi_errno set_times(struct fake *f, u32 fd, const char *path, u32 follow)
{
    u32 len = fake_str(f, FAKE_PATH, path);
    return CALL(f, "path_filestat_set_times", fd, follow, FAKE_PATH, len, 0, UINT64_C(77000000123),
                4);
}

static u64 mtime(struct fake *f, u32 fd, const char *path, bool follow)
{
    assert_errno(fake_stat(f, fd, path, follow), SUCCESS);
    return fake_u64(f, FAKE_OUT + 48);
}

/* ---------------------------------------------------------------- read-only preopens */

/* CVE-2026-47261: each flag that changes something, alone, with reading rights only. */
static void test_open_flags_alone_on_read_only_are_refused(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *path;
        u32 oflags;
        u32 fdflags;
        u64 rights;
    } table[] = {
        {"file", WASI_OFLAG_TRUNC, 0, WASI_RIGHT_FD_READ},
        {"file", WASI_OFLAG_TRUNC, 0, 0},
        {"file", WASI_OFLAG_CREAT, 0, WASI_RIGHT_FD_READ},
        {"new", WASI_OFLAG_CREAT, 0, WASI_RIGHT_FD_READ},
        {"new", WASI_OFLAG_CREAT | WASI_OFLAG_EXCL, 0, 0},
        {"file", 0, WASI_FDFLAG_APPEND, WASI_RIGHT_FD_READ},
        {"file", 0, 0, WASI_RIGHT_FD_WRITE},
        {"file", 0, 0, WASI_RIGHT_FD_ALLOCATE},
        {"file", 0, 0, WASI_RIGHT_FD_FILESTAT_SET_SIZE},
        {"link", WASI_OFLAG_TRUNC, 0, WASI_RIGHT_FD_READ},
        {"dir/../file", WASI_OFLAG_TRUNC, WASI_FDFLAG_APPEND, WASI_RIGHTS_RW},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        u32 len = fake_str(f, FAKE_PATH, table[i].path);
        assert_errno(CALL(f, "path_open", RO, 1, FAKE_PATH, len, table[i].oflags, table[i].rights,
                          0, table[i].fdflags, FAKE_OUT),
                     PERM);
    }
    host_expect(f, "ro/file", "data");
    assert_false(host_exists(f, "ro/new"));
}

static void test_changes_on_read_only_are_refused(void **state)
{
    struct fake *f = *state;
    u32 dir, file;
    const u64 all = WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING;
    assert_errno(fake_open(f, RO, "dir", WASI_OFLAG_DIRECTORY, all, &dir), SUCCESS);
    assert_errno(fake_open(f, RO, "file", 0, all, &file), SUCCESS);
    const u32 fds[] = {RO, dir};
    for (size_t i = 0; i < 2; i++) { /* the bit is inherited by what is opened beneath */
        assert_errno(fake_path_call(f, "path_create_directory", fds[i], "x"), PERM);
        assert_errno(fake_path_call(f, "path_remove_directory", fds[i], "x"), PERM);
        assert_errno(fake_path_call(f, "path_unlink_file", fds[i], "x"), PERM);
        assert_errno(make_symlink(f, "file", fds[i], "x"), PERM);
        assert_errno(set_times(f, fds[i], ".", 1), PERM);
        assert_errno(CALL(f, "fd_filestat_set_times", fds[i], 0, 0, 8), PERM);
        assert_errno(two_paths(f, "path_rename", fds[i], "a", fds[i], "b", 0), PERM);
        assert_errno(two_paths(f, "path_link", fds[i], "a", fds[i], "b", 0), PERM);
    }
    assert_errno(CALL(f, "fd_filestat_set_times", file, 0, 0, 8), PERM);
    assert_errno(CALL(f, "fd_filestat_set_size", file, 0), NOTCAPABLE);
    assert_errno(fake_write(f, file, "x"), NOTCAPABLE);
    char got[16];
    assert_errno(fake_read(f, file, got, 16), SUCCESS);
    assert_string_equal(got, "data");
    assert_errno(fake_stat(f, RO, "link", false), SUCCESS);
}

/* GHSA-4ch3-9j33-3pmj: a name in a writable place for a file of a read-only one. */
static void test_link_and_rename_between_policies_are_refused(void **state)
{
    struct fake *f = *state;
    static const char *const names[] = {"path_link", "path_rename"};
    for (size_t i = 0; i < 2; i++) {
        assert_errno(two_paths(f, names[i], RO, "file", RW, "got", 0), PERM);
        assert_errno(two_paths(f, names[i], RO, "file", RW, "got", 1), PERM);
        assert_errno(two_paths(f, names[i], RW, "file", RO, "put", 0), PERM);
        assert_errno(two_paths(f, names[i], RO, "file", RO, "put", 0), PERM);
    }
    assert_false(host_exists(f, "rw/got"));
    assert_true(host_exists(f, "rw/file"));
    assert_false(host_exists(f, "ro/put"));
}

/* ---------------------------------------------------------------- link and rename */

static void test_link_follows_only_when_asked(void **state)
{
    struct fake *f = *state;
    host_symlink(f, "file", "rw/link");
    host_symlink(f, "../secret", "rw/out");
    assert_errno(two_paths(f, "path_link", RW, "link", RW, "hard1", 0), SUCCESS);
    assert_errno(two_paths(f, "path_link", RW, "link", RW, "hard2", 1), SUCCESS);
    assert_errno(two_paths(f, "path_link", RW, "out", RW, "hard3", 1), PERM);
    assert_errno(two_paths(f, "path_link", RW, "dir", RW, "hard3", 0), PERM);
    assert_errno(two_paths(f, "path_link", RW, "dir/", RW, "hard3", 1), PERM);
    assert_errno(two_paths(f, "path_link", RW, "file/", RW, "hard3", 0), NOTDIR);
    assert_errno(two_paths(f, "path_link", RW, "out/", RW, "hard3", 0), PERM);
    assert_errno(two_paths(f, "path_link", RW, "none", RW, "hard3", 0), NOENT);
    assert_errno(two_paths(f, "path_link", RW, "file", RW, "hard1", 0), EXIST);
    assert_errno(two_paths(f, "path_link", RW, "file", RW, "hard3/", 0), NOENT);
    assert_errno(two_paths(f, "path_link", RW, "file", RW, "hard3", 2), INVAL);
    struct stat st;
    assert_int_equal(lstat(host_path(f, "rw/hard1"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(host_path(f, "rw/hard2"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_false(host_exists(f, "rw/hard3"));
}

/* Leaves words behind on the stack that read as "descriptor 257, to be closed". */
static void __attribute__((noinline)) dirty_stack(int fd)
{
    volatile int words[8192];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) words[i] = fd;
}

static void test_refused_link_closes_nothing(void **state)
{
    struct fake *f = *state;
    enum { VICTIM = 0x101 };
    assert_int_equal(fcntl(STDERR_FILENO, F_DUPFD, VICTIM), VICTIM);
    u32 len = fake_str(f, FAKE_PATH, "file");
    wr_slot_t arg[7] = {{.i32 = RW}, {.i32 = 2},         {.i32 = FAKE_PATH}, {.i32 = len},
                        {.i32 = RW}, {.i32 = FAKE_PATH}, {.i32 = len}};
    struct wasi_call c = {.wasi = f->wasi, .arg = arg, .fd = f->wasi->fds.slot[RW]};
    c.fd2 = c.fd;
    wasi_mem_init(&c.mem, f->memory);
    dirty_stack(VICTIM);
    assert_errno(wasi_p1_path_link(&c), INVAL);
    assert_int_equal(close(VICTIM), 0);
}

static void test_rename_slashes_and_dots(void **state)
{
    struct fake *f = *state;
    host_symlink(f, "dir", "rw/link");
    assert_errno(two_paths(f, "path_rename", RW, "file/", RW, "x", 0), NOTDIR);
    assert_errno(two_paths(f, "path_rename", RW, "file", RW, "x/", 0), NOTDIR);
    assert_errno(two_paths(f, "path_rename", RW, "link/", RW, "x", 0), NOTDIR);
    assert_errno(two_paths(f, "path_rename", RW, ".", RW, "x", 0), BUSY);
    assert_errno(two_paths(f, "path_rename", RW, "dir/..", RW, "x", 0), BUSY);
    assert_errno(two_paths(f, "path_rename", RW, "", RW, "x", 0), NOENT);
    assert_errno(two_paths(f, "path_rename", RW, "file", RW, "", 0), NOENT);
    assert_errno(two_paths(f, "path_rename", RW, "../secret", RW, "x", 0), PERM);
    assert_errno(two_paths(f, "path_rename", RW, "file", RW, "../x", 0), PERM);
    assert_errno(two_paths(f, "path_rename", RW, "/file", RW, "x", 0), PERM);
    assert_errno(two_paths(f, "path_rename", RW, "dir/", RW, "x///", 0), SUCCESS);
    assert_errno(two_paths(f, "path_rename", RW, "link", RW, "y", 0), SUCCESS);
    assert_true(host_exists(f, "rw/x"));
    assert_true(host_exists(f, "rw/y"));
    assert_true(host_exists(f, "secret"));
}

/* ---------------------------------------------------------------- names */

static void test_odd_names(void **state)
{
    struct fake *f = *state;
    static char longest[WASI_PATH_MAX + 2];
    memset(longest, '/', sizeof(longest) - 1);
    memcpy(longest, "dir", 3);
    u32 fd;
    assert_errno(fake_open(f, RW, "", 0, 0, &fd), NOENT);
    assert_errno(fake_open(f, RW, "/", 0, 0, &fd), PERM);
    assert_errno(fake_open(f, RW, "/file", 0, 0, &fd), PERM);
    assert_errno(fake_open(f, RW, "dir/../../secret", 0, 0, &fd), PERM);
    assert_errno(fake_open(f, RW, "..", 0, 0, &fd), PERM);
    assert_errno(fake_open(f, RW, "file/..", 0, 0, &fd), NOTDIR);
    assert_errno(fake_open(f, RW, "file/.", 0, 0, &fd), NOTDIR);
    assert_errno(fake_open(f, RW, "file/", 0, 0, &fd), NOTDIR);
    assert_errno(fake_open(f, RW, "none/", WASI_OFLAG_CREAT, 0, &fd), ISDIR);
    assert_errno(fake_open(f, RW, "dir//.//../dir/", 0, 0, &fd), SUCCESS);
    assert_errno(fake_open(f, RW, "\xff", 0, 0, &fd), ILSEQ);
    assert_errno(fake_open(f, RW, "a\xed\xa0\x80", 0, 0, &fd), ILSEQ);
    assert_errno(fake_open(f, RW, longest, 0, 0, &fd), NAMETOOLONG);
    longest[WASI_PATH_MAX - 1] = '\0';
    assert_errno(fake_open(f, RW, longest, 0, 0, &fd), SUCCESS);
    memset(longest, 'n', 256);
    longest[256] = '\0';
    assert_errno(fake_open(f, RW, longest, WASI_OFLAG_CREAT, 0, &fd), NAMETOOLONG);
    memcpy(f->mem + FAKE_PATH, "file\0x", 6);
    assert_errno(CALL(f, "path_unlink_file", RW, FAKE_PATH, 6), INVAL);
    assert_errno(CALL(f, "path_unlink_file", RW, FAKE_MEMORY - 1, 2), FAULT);
    assert_errno(CALL(f, "path_unlink_file", RW, 0, UINT32_MAX), FAULT);
    assert_errno(fake_open(f, RW, "\xe2\x82\xac", WASI_OFLAG_CREAT, 0, &fd), SUCCESS);
}

static void test_remove_slashes_and_dots(void **state)
{
    struct fake *f = *state;
    host_symlink(f, "dir", "rw/link");
    host_mkdir(f, "rw/gone");
    assert_errno(fake_path_call(f, "path_unlink_file", RW, "file/"), NOTDIR);
    assert_errno(fake_path_call(f, "path_unlink_file", RW, "dir"), ISDIR);
    assert_errno(fake_path_call(f, "path_unlink_file", RW, "link/"), NOTDIR);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "dir/."), INVAL);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "dir/.."), NOTEMPTY);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "file"), NOTDIR);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "file/"), NOTDIR);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "link/"), NOTDIR);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "../ro"), PERM);
    assert_errno(fake_path_call(f, "path_unlink_file", RW, "../secret"), PERM);
    assert_errno(fake_path_call(f, "path_remove_directory", RW, "gone///"), SUCCESS);
    assert_errno(fake_path_call(f, "path_unlink_file", RW, "link"), SUCCESS);
    assert_errno(fake_path_call(f, "path_create_directory", RW, "made/"), SUCCESS);
    assert_errno(fake_path_call(f, "path_create_directory", RW, "made"), EXIST);
    assert_errno(fake_path_call(f, "path_create_directory", RW, "."), EXIST);
    assert_errno(fake_path_call(f, "path_create_directory", RW, "../made"), PERM);
    assert_false(host_exists(f, "rw/gone"));
    assert_true(host_exists(f, "rw/dir"));
    assert_true(host_exists(f, "rw/made"));
}

/* ---------------------------------------------------------------- symlinks */

static wasi_errno read_link(struct fake *f, u32 fd, const char *path, u32 size)
{
    u32 len = fake_str(f, FAKE_PATH, path);
    return CALL(f, "path_readlink", fd, FAKE_PATH, len, FAKE_DATA, size, FAKE_OUT);
}

static void test_symlink_targets(void **state)
{
    struct fake *f = *state;
    assert_errno(make_symlink(f, "/etc/passwd", RW, "l"), PERM);
    assert_errno(make_symlink(f, "", RW, "l"), NOENT);
    assert_errno(make_symlink(f, "file", RW, "l/"), NOENT);
    assert_errno(make_symlink(f, "file", RW, "../l"), PERM);
    assert_errno(make_symlink(f, "file", RW, "file"), EXIST);
    assert_false(host_exists(f, "rw/l"));
    assert_errno(make_symlink(f, "../secret", RW, "l"), SUCCESS); /* may be made, not followed */
    u32 fd;
    assert_errno(fake_open(f, RW, "l", 0, WASI_RIGHT_FD_READ, &fd), PERM);
    assert_errno(read_link(f, RW, "l", 64), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 9);
    assert_memory_equal(f->mem + FAKE_DATA, "../secret", 9);
    assert_errno(read_link(f, RW, "l", 4), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 4);
    assert_errno(read_link(f, RW, "l", 0), SUCCESS);
    assert_int_equal(fake_u32(f, FAKE_OUT), 0);
    assert_errno(read_link(f, RW, "file", 64), INVAL);
    assert_errno(read_link(f, RW, "dir/", 64), INVAL);
    assert_errno(read_link(f, RW, "l/", 64), PERM);
    assert_errno(read_link(f, RW, "none", 64), NOENT);
}

static void test_stat_and_times_follow_only_when_asked(void **state)
{
    struct fake *f = *state;
    host_symlink(f, "file", "rw/in");
    host_symlink(f, "../secret", "rw/out");
    assert_errno(fake_stat(f, RW, "in", false), SUCCESS);
    assert_int_equal(f->mem[FAKE_OUT + 16], WASI_FILETYPE_SYMLINK);
    assert_errno(fake_stat(f, RW, "in", true), SUCCESS);
    assert_int_equal(f->mem[FAKE_OUT + 16], WASI_FILETYPE_REGULAR);
    assert_errno(fake_stat(f, RW, "out", false), SUCCESS);
    assert_errno(fake_stat(f, RW, "out", true), PERM);
    u64 secret = mtime(f, RW, "file", true);
    assert_errno(set_times(f, RW, "in", 0), SUCCESS);
    assert_int_equal(mtime(f, RW, "in", false), UINT64_C(77000000123));
    assert_int_equal(mtime(f, RW, "file", true), secret);
    assert_errno(set_times(f, RW, "in", 1), SUCCESS);
    assert_int_equal(mtime(f, RW, "file", true), UINT64_C(77000000123));
    assert_errno(set_times(f, RW, "out", 1), PERM);
    struct stat st;
    assert_int_equal(stat(host_path(f, "secret"), &st), 0);
    assert_int_not_equal(st.st_mtim.tv_sec, 77);
    assert_errno(set_times(f, RW, "file", 2), INVAL);
}

/* ---------------------------------------------------------------- path_open */

/* A guest that is given "/" is not given the memory of its host process. */
static void test_procfs_is_not_opened_for_writing(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_int_equal(wr_wasi_preopen_dir(f->wasi, "/proc", "/proc", false, NULL), WR_OK);
    assert_errno(fake_open(f, 5, "self/mem", 0, WASI_RIGHTS_RW, &fd), PERM);
    assert_errno(fake_open(f, 5, "self/mem", 0, WASI_RIGHT_FD_WRITE, &fd), PERM);
    assert_errno(fake_open(f, 5, "self/status", 0, WASI_RIGHT_FD_READ, &fd), SUCCESS);
    wr_wasi_hide_procfs(f->wasi);
    assert_errno(fake_open(f, 5, "self/status", 0, WASI_RIGHT_FD_READ, &fd), PERM);
    assert_errno(fake_open(f, 5, "self", 0, WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING, &fd), PERM);
    assert_errno(fake_open(f, RW, "file", 0, WASI_RIGHT_FD_READ, &fd), SUCCESS);
}

static void test_open_by_kind(void **state)
{
    struct fake *f = *state;
    u32 fd;
    assert_errno(fake_open(f, RW, "dir", 0, WASI_RIGHTS_RW, &fd), ISDIR);
    assert_errno(fake_open(f, RW, "file", WASI_OFLAG_DIRECTORY, WASI_RIGHT_FD_READ, &fd), NOTDIR);
    assert_errno(fake_open(f, RW, "d2", WASI_OFLAG_DIRECTORY | WASI_OFLAG_CREAT, 0, &fd), INVAL);
    assert_errno(fake_open(f, RW, "file", WASI_OFLAG_CREAT | WASI_OFLAG_EXCL, 0, &fd), EXIST);
    assert_errno(fake_open(f, RW, "file", 16, 0, &fd), INVAL);
    assert_errno(
        fake_open(f, RW, "dir", WASI_OFLAG_DIRECTORY, WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING, &fd),
        SUCCESS);
    assert_errno(CALL(f, "fd_fdstat_get", fd, FAKE_OUT), SUCCESS);
    assert_int_equal(f->mem[FAKE_OUT], WASI_FILETYPE_DIR);
    assert_int_equal(fake_u64(f, FAKE_OUT + 16), WASI_RIGHTS_ALL);
    assert_errno(fake_open(f, RW, "file", WASI_OFLAG_TRUNC, WASI_RIGHTS_RW, &fd), SUCCESS);
    host_expect(f, "rw/file", "");
    assert_errno(fake_open(f, fd, "x", 0, 0, &fd), NOTDIR);
    /* The place for the answer is looked at before anything is done. */
    u32 len = fake_str(f, FAKE_PATH, "made");
    assert_errno(
        CALL(f, "path_open", RW, 0, FAKE_PATH, len, WASI_OFLAG_CREAT, 0, 0, 0, FAKE_MEMORY - 3),
        FAULT);
    assert_false(host_exists(f, "rw/made"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_open_flags_alone_on_read_only_are_refused),
        T(test_changes_on_read_only_are_refused),
        T(test_link_and_rename_between_policies_are_refused),
        T(test_link_follows_only_when_asked),
        T(test_refused_link_closes_nothing),
        T(test_rename_slashes_and_dots),
        T(test_odd_names),
        T(test_remove_slashes_and_dots),
        T(test_symlink_targets),
        T(test_stat_and_times_follow_only_when_asked),
        T(test_procfs_is_not_opened_for_writing),
        T(test_open_by_kind),
    };
    mode = WASI_RESOLVE_PROBE;
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    mode = WASI_RESOLVE_WALK;
    return failed + cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
