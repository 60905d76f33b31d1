/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_resolve.c - nothing leads out of a preopen: symlinks of every shape against every way of
 * opening, both resolvers. While somebody renames: test_race.c.
 */
#include "fake_vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static enum wasi_resolve_mode mode;

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    host_write(f, "secret", "secret");
    host_mkdir(f, "box");
    host_mkdir(f, "box/sub");
    host_mkdir(f, "box/sub/deep");
    host_write(f, "box/file", "inside");
    fake_preopen(f, "box", "/", false);
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

/* ---------------------------------------------------------------- escapes */

/* Symlinks that guests (or somebody else) may have put into the directory. */
static void plant(struct fake *f)
{
    char absolute[128];
    snprintf(absolute, sizeof(absolute), "%s/secret", f->dir);
    host_symlink(f, absolute, "box/abs");
    host_symlink(f, "/", "box/root");
    host_symlink(f, "../secret", "box/up");
    host_symlink(f, "../../secret", "box/sub/up2");
    host_symlink(f, "..", "box/parent");
    host_symlink(f, ".", "box/here");
    host_symlink(f, "sub/../..", "box/zigzag");
    host_symlink(f, "up", "box/chain");
    host_symlink(f, "/proc/self/root", "box/magic");
    host_symlink(f, "../made", "box/dangling");
}

static const char *const escapes[] = {
    "abs",
    "up",
    "sub/up2",
    "parent/secret",
    "here/../secret",
    "zigzag/secret",
    "chain",
    "here/../../box/../secret",
    "sub/../../secret",
    "sub/deep/../../../secret",
    "here/here/../secret",
    "sub/../up",
    "./up",
    "sub//..//..//secret",
    "here/parent/secret",
    "sub/deep/../up2",
    "dangling",
    "parent/made",
    "here/../made",
    "../secret",
    "root/etc/passwd",
    "magic/etc/passwd",
};

/* CVE-2024-38358 and its like: no combination of flags opens, makes or empties the outside. */
static void test_no_open_flags_lead_out(void **state)
{
    struct fake *f = *state;
    plant(f);
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        for (u32 oflags = 0; oflags < 16; oflags++) {
            for (u32 follow = 0; follow < 2; follow++) {
                u32 len = fake_str(f, FAKE_PATH, escapes[i]);
                u64 rights = oflags & WASI_OFLAG_DIRECTORY ? 0 : WASI_RIGHTS_RW;
                wasi_errno e =
                    CALL(f, "path_open", 3, follow, FAKE_PATH, len, oflags, rights, 0, 0, FAKE_OUT);
                assert_int_not_equal(e, WASI_E_SUCCESS);
            }
        }
    }
    host_expect(f, "secret", "secret");
    assert_false(host_exists(f, "made"));
}

static void test_no_other_call_follows_out(void **state)
{
    struct fake *f = *state;
    plant(f);
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        assert_int_not_equal(fake_stat(f, 3, escapes[i], true), WASI_E_SUCCESS);
        char below[64];
        snprintf(below, sizeof(below), "%s/x", escapes[i]);
        assert_int_not_equal(fake_path_call(f, "path_create_directory", 3, below), WASI_E_SUCCESS);
        assert_int_not_equal(fake_path_call(f, "path_unlink_file", 3, below), WASI_E_SUCCESS);
    }
    assert_errno(fake_path_call(f, "path_create_directory", 3, "parent/made"), PERM);
    assert_errno(fake_path_call(f, "path_create_directory", 3, "here/../made"), PERM);
    assert_errno(fake_path_call(f, "path_unlink_file", 3, "parent/secret"), PERM);
    assert_errno(fake_path_call(f, "path_unlink_file", 3, "here/../secret"), PERM);
    assert_errno(fake_path_call(f, "path_remove_directory", 3, "zigzag/box"), PERM);
    host_expect(f, "secret", "secret");
    assert_false(host_exists(f, "made"));
}

static void test_inside_symlinks_work(void **state)
{
    struct fake *f = *state;
    char got[16];
    u32 fd;
    plant(f);
    host_symlink(f, "../file", "box/sub/back");
    host_symlink(f, "sub/deep/../back", "box/tour");
    host_symlink(f, "new", "box/tonew");
    static const char *const inside[] = {
        "here/file", "here/here/file",      "sub/back",      "tour", "sub/../here/sub/back",
        "here/tour", "sub/deep/../../file", ".//here/./file"};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_errno(fake_open(f, 3, inside[i], 0, WASI_RIGHT_FD_READ, &fd), SUCCESS);
        assert_errno(fake_read(f, fd, got, 16), SUCCESS);
        assert_string_equal(got, "inside");
        assert_errno(CALL(f, "fd_close", fd), SUCCESS);
    }
    assert_errno(fake_open(f, 3, "tonew", WASI_OFLAG_CREAT, WASI_RIGHTS_RW, &fd), SUCCESS);
    assert_true(host_exists(f, "box/new"));
    assert_errno(fake_open(f, 3, "tonew", WASI_OFLAG_CREAT | WASI_OFLAG_EXCL, 0, &fd), EXIST);
}

static void test_symlink_loops_and_lengths(void **state)
{
    struct fake *f = *state;
    u32 fd;
    host_symlink(f, "b", "box/a");
    host_symlink(f, "a", "box/b");
    host_symlink(f, "self/x", "box/self");
    assert_errno(fake_open(f, 3, "a", 0, 0, &fd), LOOP);
    assert_errno(fake_open(f, 3, "a/x", 0, 0, &fd), LOOP);
    assert_errno(fake_open(f, 3, "self", 0, 0, &fd), LOOP);
    u32 len = fake_str(f, FAKE_PATH, "a");
    assert_errno(CALL(f, "path_open", 3, 0, FAKE_PATH, len, 0, 0, 0, 0, FAKE_OUT), LOOP);
    host_symlink(f, "file", "box/l0");
    for (int i = 1; i <= 41; i++) {
        char name[24], target[24];
        snprintf(name, sizeof(name), "box/l%d", i);
        snprintf(target, sizeof(target), "l%d", i - 1);
        host_symlink(f, target, name);
    }
    assert_errno(fake_open(f, 3, "l39", 0, 0, &fd), SUCCESS);
    assert_errno(fake_open(f, 3, "l41", 0, 0, &fd), LOOP);
}

static void test_descriptors_are_not_leaked(void **state)
{
    struct fake *f = *state;
    u32 fd;
    plant(f);
    int before = dup(0);
    close(before);
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        fake_open(f, 3, escapes[i], 0, 0, &fd);
        fake_stat(f, 3, escapes[i], true);
        fake_path_call(f, "path_create_directory", 3, escapes[i]);
        fake_stat(f, 3, "sub/deep/../../sub/deep/.", true);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

/* ---------------------------------------------------------------- the two resolvers agree */

static void test_resolvers_agree(void **state)
{
    struct fake *f = *state;
    plant(f);
    static const char *const pieces[] = {"sub", "deep", "..",     ".",    "file", "here",
                                         "up",  "none", "parent", "sub/", "/",    "zigzag"};
    static const int flags[] = {O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY, O_RDONLY | O_DIRECTORY,
                                O_PATH | O_DIRECTORY | O_NOFOLLOW};
    struct wasi_resolver kernel = {WASI_RESOLVE_OPENAT2}, walk = {WASI_RESOLVE_WALK};
    int dir = open(host_path(f, "box"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    u32 seed = 2463534242;
    for (int round = 0; round < 4000; round++) {
        char path[256] = "";
        for (u32 n = 1 + (u32)round % 5; n > 0; n--) {
            seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
            strcat(path, pieces[seed % 12]);
            if (n > 1) strcat(path, "/");
        }
        int flag = flags[round % 5], a, b;
        wasi_errno ea = wasi_resolve_open(&kernel, dir, path, flag, &a);
        wasi_errno eb = wasi_resolve_open(&walk, dir, path, flag, &b);
        if (ea != eb) print_error("path %s flags %x\n", path, (unsigned)flag);
        assert_string_equal(wasi_errno_name(ea), wasi_errno_name(eb));
        if (ea != WASI_E_SUCCESS) continue;
        struct stat sa, sb;
        assert_int_equal(fstat(a, &sa), 0);
        assert_int_equal(fstat(b, &sb), 0);
        assert_int_equal(sa.st_ino, sb.st_ino);
        close(a);
        close(b);
    }
    close(dir);
}

/* ---------------------------------------------------------------- the probe */

/* From now on openat2 answers `error` in this process, as an old kernel or a filter would. */
static bool deny_openat2(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (u32)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a child: 0 when paths are still resolved, by the walk, and still not out of the directory. */
static int without_openat2(struct fake *f, enum wasi_resolve_mode at_first, int error)
{
    struct wasi_resolver r = {at_first};
    int dir = open(host_path(f, "box"), O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    if (!deny_openat2(error)) return 77;
    if (wasi_resolve_open(&r, dir, "sub/../file", O_RDONLY, &fd) != WASI_E_SUCCESS) return 1;
    if (r.mode != WASI_RESOLVE_WALK) return 2;
    return wasi_resolve_open(&r, dir, "../secret", O_RDONLY, &fd) == WASI_E_PERM ? 0 : 3;
}

static void test_walk_is_chosen_without_openat2(void **state)
{
    struct fake *f = *state;
    static const struct {
        enum wasi_resolve_mode at_first;
        int error;
    } table[] = {
        {WASI_RESOLVE_PROBE, ENOSYS}, {WASI_RESOLVE_PROBE, EPERM}, {WASI_RESOLVE_OPENAT2, ENOSYS}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(without_openat2(f, table[i].at_first, table[i].error));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77) skip(); /* no filters here */
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_no_open_flags_lead_out),     T(test_no_other_call_follows_out),
        T(test_inside_symlinks_work),       T(test_symlink_loops_and_lengths),
        T(test_descriptors_are_not_leaked),
    };
    const struct CMUnitTest both[] = {T(test_resolvers_agree),
                                      T(test_walk_is_chosen_without_openat2)};
    mode = WASI_RESOLVE_PROBE;
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    mode = WASI_RESOLVE_WALK;
    failed += cmocka_run_group_tests_name("walk", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("agree", both, NULL, NULL);
}
