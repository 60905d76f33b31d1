/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_race.c - a second thread swaps a directory of the preopen for a symlink out of it, a file
 * for such a symlink, and moves a directory out and back, while every path_* function is called
 * with paths through them. Nothing outside is read, changed, made or removed; both resolvers.
 */
#include "fake_vm.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BOX = 3, RACE_MS = 400, EXCHANGE = 2 /* RENAME_EXCHANGE */ };

/*
 *   box/            preopened; holds
 *     swap/           a directory, exchanged with `other` -> ../outside
 *     leaf            a file, exchanged with `other-leaf` -> ../outside/secret
 *     deep/a/         exchanged with moved/a: "deep/a/.." may turn out to be moved/
 *     file, n         for calls with two paths; n numbers them
 *   outside/, moved/  must stay as they are
 * swap/ and outside/ hold the same names: secret, victim, vdir/, vlink.
 */
struct world {
    struct fake f;
    int box, inside; /* host descriptors of box/ and of the directory that swap/ is at first */
    atomic_bool stop;
    atomic_uint swaps;
    bool racing;
    pthread_t thread;
};

static enum wasi_resolve_mode mode;

/* ---------------------------------------------------------------- the host's side */

static void put_file(int dir, const char *name, const char *text)
{
    struct stat st;
    ssize_t length = (ssize_t)strlen(text);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return; /* a guest has put something else there, which heal removes */
    if (fstat(fd, &st) != 0 || st.st_size != length) (void)!pwrite(fd, text, (size_t)length, 0);
    close(fd);
}

static void fill(int dir, const char *text)
{
    (void)mkdirat(dir, "vdir", 0777);
    (void)!symlinkat(text, dir, "vlink");
    put_file(dir, "secret", text);
    put_file(dir, "victim", text);
}

static void *swap_forever(void *arg)
{
    struct world *w = arg;
    int moved = open(host_path(&w->f, "moved"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        syscall(SYS_renameat2, w->box, "swap", w->box, "other", EXCHANGE);
        syscall(SYS_renameat2, w->box, "leaf", w->box, "other-leaf", EXCHANGE);
        syscall(SYS_renameat2, w->box, "deep/a", moved, "a", EXCHANGE);
        /* Without a pause openat2 only ever answers EAGAIN to a path with ".." in it. */
        if (atomic_fetch_add_explicit(&w->swaps, 1, memory_order_relaxed) % 3 == 0) usleep(1);
    }
    close(moved);
    return NULL;
}

static int open_dir(struct fake *f, const char *sub)
{
    int fd = open(host_path(f, sub), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static int setup(void **state)
{
    static const char *const dirs[] = {"box",     "box/swap", "box/deep", "box/deep/a",
                                       "outside", "moved",    "moved/a"};
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_init(&w->f);
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) host_mkdir(&w->f, dirs[i]);
    w->box = open_dir(&w->f, "box");
    w->inside = open_dir(&w->f, "box/swap");
    fill(w->inside, "inside");
    int outside = open_dir(&w->f, "outside");
    fill(outside, "OUTSIDE");
    close(outside);
    host_write(&w->f, "moved/secret", "OUTSIDE");
    host_write(&w->f, "box/deep/secret", "inside");
    host_write(&w->f, "box/leaf", "inside");
    host_write(&w->f, "box/file", "inside");
    host_symlink(&w->f, "../outside", "box/other");
    host_symlink(&w->f, "../outside/secret", "box/other-leaf");
    fake_preopen(&w->f, "box", "/", false);
    w->f.wasi->resolver.mode = mode;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    atomic_store_explicit(&w->stop, true, memory_order_relaxed);
    if (w->racing) pthread_join(w->thread, NULL);
    close(w->box);
    close(w->inside);
    fake_fini(&w->f);
    free(w);
    return 0;
}

/* What guests took away is there again, what they made is gone: of the inside only. */
static void heal(struct world *w)
{
    static const char *const made[] = {"made", "new", "renamed", "linked"};
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        (void)unlinkat(w->inside, made[i], 0);
        (void)unlinkat(w->inside, made[i], AT_REMOVEDIR);
        (void)unlinkat(w->box, made[i], 0);
    }
    fill(w->inside, "inside");
    put_file(w->box, "file", "inside");
}

/* ---------------------------------------------------------------- canaries */

enum { CANARIES = 8 };
static const char *const canaries[CANARIES] = {"outside",      "outside/secret", "outside/victim",
                                               "outside/vdir", "outside/vlink",  "moved/secret",
                                               "outside/made", "outside/new"};

/* The time of the last change of a file or of what is in a directory: nobody can set it back. */
struct canary {
    bool there;
    ino_t ino;
    struct timespec changed, modified;
    nlink_t links;
};

static void look_outside(struct fake *f, struct canary now[CANARIES])
{
    for (int i = 0; i < CANARIES; i++) {
        struct stat st = {0};
        now[i] = (struct canary){.there = lstat(host_path(f, canaries[i]), &st) == 0};
        now[i].ino = st.st_ino;
        now[i].changed = st.st_ctim;
        now[i].modified = st.st_mtim;
        now[i].links = st.st_nlink;
    }
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* NULL, or the canary that is not what it was. */
static const char *changed_outside(struct fake *f, const struct canary before[CANARIES])
{
    struct canary now[CANARIES];
    look_outside(f, now);
    for (int i = 0; i < CANARIES; i++)
        if (now[i].there != before[i].there || now[i].ino != before[i].ino ||
            now[i].links != before[i].links || !same_time(now[i].changed, before[i].changed) ||
            !same_time(now[i].modified, before[i].modified))
            return canaries[i];
    return NULL;
}

/* ---------------------------------------------------------------- calls, one function each */

static wasi_errno two_paths(struct fake *f, const char *name, const char *from, const char *to)
{
    u32 len = fake_str(f, FAKE_PATH, from), len2 = fake_str(f, FAKE_PATH2, to);
    return CALL(f, name, BOX, FAKE_PATH, len, BOX, FAKE_PATH2, len2);
}

/* A descriptor that was got is of a file inside. */
static void check_inside(struct fake *f, u32 fd)
{
    char got[16];
    assert_errno(fake_read(f, fd, got, sizeof(got)), SUCCESS);
    if (got[0] != '\0') assert_string_equal(got, "inside"); /* or it was emptied, or is new */
    assert_errno(CALL(f, "fd_close", fd), SUCCESS);
}

static bool open_flags(struct world *w, u32 round)
{
    static const u32 flags[] = {0, WASI_OFLAG_CREAT, WASI_OFLAG_CREAT | WASI_OFLAG_EXCL,
                                WASI_OFLAG_TRUNC, WASI_OFLAG_CREAT | WASI_OFLAG_TRUNC};
    static const char *const paths[] = {"swap/secret", "swap/made",         "leaf",
                                        "swap/victim", "swap/../swap/made", "deep/a/../secret"};
    u32 len = fake_str(&w->f, FAKE_PATH, paths[round % 6]);
    u64 rights = WASI_RIGHTS_RW;
    u32 fdflags = round % 7 == 0 ? WASI_FDFLAG_APPEND : 0;
    wasi_errno e = CALL(&w->f, "path_open", BOX, round / 6 % 2, FAKE_PATH, len,
                        flags[round / 12 % 5], rights, 0, fdflags, FAKE_OUT);
    if (e == WASI_E_SUCCESS) check_inside(&w->f, fake_u32(&w->f, FAKE_OUT));
    return e == WASI_E_SUCCESS;
}

static bool open_directory(struct world *w, u32 round)
{
    u32 fd, file;
    const char *path = round % 2 ? "swap" : "swap/../swap/vdir/..";
    u64 rights = WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING;
    wasi_errno e = fake_open(&w->f, BOX, path, WASI_OFLAG_DIRECTORY, rights, &fd);
    if (e != WASI_E_SUCCESS) return false;
    e = fake_open(&w->f, fd, "secret", 0, WASI_RIGHT_FD_READ, &file);
    if (e == WASI_E_SUCCESS) check_inside(&w->f, file);
    assert_errno(CALL(&w->f, "fd_close", fd), SUCCESS);
    return e == WASI_E_SUCCESS;
}

static bool is_outside(struct world *w, u64 ino)
{
    for (int i = 0; i < CANARIES; i++) {
        struct stat st;
        if (lstat(host_path(&w->f, canaries[i]), &st) == 0 && st.st_ino == ino) return true;
    }
    return false;
}

static bool stat_path(struct world *w, u32 round)
{
    static const char *const paths[] = {"swap/secret", "swap", "leaf", "swap/vdir",
                                        "deep/a/../secret"};
    if (fake_stat(&w->f, BOX, paths[round % 5], round / 5 % 2) != WASI_E_SUCCESS) return false;
    assert_false(is_outside(w, fake_u64(&w->f, FAKE_OUT + 8)));
    return true;
}

static bool set_times(struct world *w, u32 round)
{
    static const char *const paths[] = {"swap/secret", "swap", "leaf", "deep/a/../secret"};
    u32 len = fake_str(&w->f, FAKE_PATH, paths[round % 4]);
    return CALL(&w->f, "path_filestat_set_times", BOX, round / 4 % 2, FAKE_PATH, len, 0, 77, 4) ==
           WASI_E_SUCCESS;
}

static bool link_from(struct world *w, u32 round)
{
    struct stat st;
    const char *from = round % 2 ? "swap/secret" : "leaf";
    u32 len = fake_str(&w->f, FAKE_PATH, from), len2 = fake_str(&w->f, FAKE_PATH2, "linked");
    if (CALL(&w->f, "path_link", BOX, round / 2 % 2, FAKE_PATH, len, BOX, FAKE_PATH2, len2) !=
        WASI_E_SUCCESS)
        return false;
    assert_int_equal(fstatat(w->box, "linked", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_false(is_outside(w, st.st_ino));
    return true;
}

static bool link_to(struct world *w, u32 round)
{
    (void)round;
    u32 len = fake_str(&w->f, FAKE_PATH, "file"), len2 = fake_str(&w->f, FAKE_PATH2, "swap/new");
    return CALL(&w->f, "path_link", BOX, 0, FAKE_PATH, len, BOX, FAKE_PATH2, len2) ==
           WASI_E_SUCCESS;
}

static bool make_symlink(struct world *w, u32 round)
{
    (void)round;
    u32 len = fake_str(&w->f, FAKE_PATH, "x"), len2 = fake_str(&w->f, FAKE_PATH2, "swap/new");
    return CALL(&w->f, "path_symlink", FAKE_PATH, len, BOX, FAKE_PATH2, len2) == WASI_E_SUCCESS;
}

static bool read_link(struct world *w, u32 round)
{
    (void)round;
    u32 len = fake_str(&w->f, FAKE_PATH, "swap/vlink");
    if (CALL(&w->f, "path_readlink", BOX, FAKE_PATH, len, FAKE_DATA, 64, FAKE_OUT) !=
        WASI_E_SUCCESS)
        return false;
    assert_int_equal(fake_u32(&w->f, FAKE_OUT), strlen("inside"));
    assert_memory_equal(w->f.mem + FAKE_DATA, "inside", strlen("inside"));
    return true;
}

static bool rename_from(struct world *w, u32 round)
{
    const char *from = round % 2 ? "swap/victim" : "swap/../swap/victim";
    if (two_paths(&w->f, "path_rename", from, "renamed") != WASI_E_SUCCESS) return false;
    host_expect(&w->f, "box/renamed", "inside");
    return true;
}

static bool rename_to(struct world *w, u32 round)
{
    return two_paths(&w->f, "path_rename", "file", round % 2 ? "swap/victim" : "swap/new") ==
           WASI_E_SUCCESS;
}

static bool remove_directory(struct world *w, u32 round)
{
    (void)round;
    return fake_path_call(&w->f, "path_remove_directory", BOX, "swap/vdir") == WASI_E_SUCCESS;
}

static bool unlink_file(struct world *w, u32 round)
{
    (void)round;
    return fake_path_call(&w->f, "path_unlink_file", BOX, "swap/victim") == WASI_E_SUCCESS;
}

static bool create_directory(struct world *w, u32 round)
{
    (void)round;
    return fake_path_call(&w->f, "path_create_directory", BOX, "swap/made") == WASI_E_SUCCESS;
}

typedef bool race_fn(struct world *w, u32 round); /* whether the call succeeded */

static const struct racer {
    const char *name;
    race_fn *call;
} racers[] = {
    {"path_open", open_flags},
    {"path_open, a directory", open_directory},
    {"path_filestat_get", stat_path},
    {"path_filestat_set_times", set_times},
    {"path_link, from", link_from},
    {"path_link, to", link_to},
    {"path_symlink", make_symlink},
    {"path_readlink", read_link},
    {"path_rename, from", rename_from},
    {"path_rename, to", rename_to},
    {"path_remove_directory", remove_directory},
    {"path_unlink_file", unlink_file},
    {"path_create_directory", create_directory},
};
enum { RACERS = sizeof(racers) / sizeof(racers[0]) };

/* ---------------------------------------------------------------- the race */

static long ms_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void test_no_path_function_is_led_out_by_a_racing_renamer(void **state)
{
    struct world *w = *state;
    struct canary before[CANARIES];
    u32 good[RACERS] = {0}, rounds = 0;
    struct timespec start;
    usleep(20000); /* the kernel's clock for changes is coarse: what happens now is later */
    look_outside(&w->f, before);
    assert_int_equal(pthread_create(&w->thread, NULL, swap_forever, w), 0);
    w->racing = true;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (; ms_since(&start) < RACE_MS || rounds < 120; rounds++) {
        for (u32 i = 0; i < RACERS; i++) {
            good[i] += racers[i].call(w, rounds);
            heal(w);
        }
        const char *changed = changed_outside(&w->f, before);
        if (changed != NULL) fail_msg("round %u: %s", rounds, changed);
    }
    printf("%u rounds, %u swaps\n", rounds, atomic_load(&w->swaps));
    assert_true(atomic_load(&w->swaps) > rounds / 4);
    u32 all = 0;
    for (u32 i = 0; i < RACERS; i++) {
        if (good[i] == 0) fail_msg("%s never succeeded", racers[i].name);
        all += good[i];
    }
    assert_true(all < rounds * RACERS); /* and some have met the symlink */
}

/* The check itself sees each of what it is there for. */
static void test_the_canaries_tell(void **state)
{
    struct world *w = *state;
    struct canary before[CANARIES];
    int outside = open_dir(&w->f, "outside");
    for (int what = 0; what < 6; what++) {
        usleep(20000);
        look_outside(&w->f, before);
        assert_null(changed_outside(&w->f, before));
        if (what == 0) put_file(outside, "secret", "longer than before");
        if (what == 1) assert_int_equal(linkat(outside, "victim", w->box, "linked", 0), 0);
        if (what == 2) assert_int_equal(mkdirat(outside, "something", 0777), 0);
        if (what == 3) assert_int_equal(unlinkat(outside, "something", AT_REMOVEDIR), 0);
        if (what == 4) assert_int_equal(utimensat(outside, "vlink", NULL, AT_SYMLINK_NOFOLLOW), 0);
        if (what == 5) assert_int_equal(unlinkat(outside, "vdir", AT_REMOVEDIR), 0);
        assert_non_null(changed_outside(&w->f, before));
    }
    close(outside);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_no_path_function_is_led_out_by_a_racing_renamer)};
    const struct CMUnitTest once[] = {T(test_the_canaries_tell)};
    mode = WASI_RESOLVE_OPENAT2;
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    mode = WASI_RESOLVE_WALK;
    failed += cmocka_run_group_tests_name("walk", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("canaries", once, NULL, NULL);
}
