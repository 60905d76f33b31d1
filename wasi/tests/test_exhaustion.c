/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_exhaustion.c - the host process has no descriptor left, or one, or two ...: every call that
 * needs some answers MFILE (NFILE when the system has none), makes nothing, leaks nothing, and
 * works again as soon as there are descriptors.
 */
#include "fake_vm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROOT = 3,
    LISTENER = 4,
    ROOM = 16,   /* more descriptors than any call needs at once */
    MOST = 4096, /* host descriptors that are looked at */
    ADDR_AT = 0x3000,
    NAME_AT = 0x3100
};

struct world {
    struct fake f;
    u32 free_fds;          /* that the next call finds */
    struct sockaddr_in at; /* of LISTENER */
};

static enum wasi_resolve_mode mode;

/* ---------------------------------------------------------------- descriptors of this process */

static int open_count(void)
{
    int n = 0;
    for (int fd = 0; fd < MOST; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Leaves room for `free_fds` more descriptors; ROOM: as before. */
static void limit_to(u32 free_fds)
{
    struct rlimit now;
    rlim_t limit = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    for (u32 n = 0; n < free_fds || fcntl((int)limit, F_GETFD) >= 0; limit++)
        n += fcntl((int)limit, F_GETFD) < 0;
    now.rlim_cur = free_fds == ROOM ? now.rlim_max : limit;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* The call, with w->free_fds descriptors to be had. */
static wasi_errno limited(struct world *w, const char *name, size_t count, const u64 *args)
{
    limit_to(w->free_fds);
    wasi_errno e = fake_call(&w->f, name, count, args);
    limit_to(ROOM);
    return e;
}
#define LIMITED(w, name, ...)                                                                      \
    limited(w, name, sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64), (const u64[]){__VA_ARGS__})

/* ---------------------------------------------------------------- the world */

/* A listener at a free port of loopback, given to the guest. */
static void give_listener(struct world *w)
{
    socklen_t len = sizeof(w->at);
    int host = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    w->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(host >= 0);
    assert_int_equal(bind(host, (struct sockaddr *)&w->at, len), 0);
    assert_int_equal(listen(host, 64), 0);
    assert_int_equal(getsockname(host, (struct sockaddr *)&w->at, &len), 0);
    assert_int_equal(wr_wasi_preopen_socket(w->f.wasi, host, NULL), WR_OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_init(&w->f);
    host_mkdir(&w->f, "d");
    host_mkdir(&w->f, "d/one");
    host_mkdir(&w->f, "d/one/two");
    host_write(&w->f, "d/one/two/file", "data");
    host_symlink(&w->f, "two/file", "d/one/link");
    fake_preopen(&w->f, "d", "/", false);
    give_listener(w);
    wr_wasi_net_inherit(w->f.wasi);
    wr_wasi_net_allow_resolve(w->f.wasi);
    w->f.wasi->resolver.mode = mode;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    fake_fini(&w->f);
    free(w);
    return 0;
}

/* ---------------------------------------------------------------- calls, each undone after it */

typedef wasi_errno call_fn(struct world *w);

/* Closes what a call has put at FAKE_OUT. */
static wasi_errno close_opened(struct world *w, wasi_errno e)
{
    if (e == WASI_E_SUCCESS)
        assert_errno(CALL(&w->f, "fd_close", fake_u32(&w->f, FAKE_OUT)), SUCCESS);
    return e;
}

static wasi_errno open_file(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/../one/link");
    return close_opened(
        w, LIMITED(w, "path_open", ROOT, 1, FAKE_PATH, len, 0, WASI_RIGHTS_RW, 0, 0, FAKE_OUT));
}

static wasi_errno create_file(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/two/new");
    wasi_errno e = LIMITED(w, "path_open", ROOT, 1, FAKE_PATH, len, WASI_OFLAG_CREAT,
                           WASI_RIGHTS_RW, 0, 0, FAKE_OUT);
    assert_int_equal(host_exists(&w->f, "d/one/two/new"), e == WASI_E_SUCCESS);
    if (e == WASI_E_SUCCESS) unlink(host_path(&w->f, "d/one/two/new"));
    return close_opened(w, e);
}

static wasi_errno empty_file(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/two/file");
    wasi_errno e = LIMITED(w, "path_open", ROOT, 1, FAKE_PATH, len, WASI_OFLAG_TRUNC,
                           WASI_RIGHTS_RW, 0, 0, FAKE_OUT);
    host_expect(&w->f, "d/one/two/file", e == WASI_E_SUCCESS ? "" : "data");
    host_write(&w->f, "d/one/two/file", "data");
    return close_opened(w, e);
}

static wasi_errno stat_file(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/link");
    return LIMITED(w, "path_filestat_get", ROOT, 1, FAKE_PATH, len, FAKE_OUT);
}

static wasi_errno set_times(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/link");
    return LIMITED(w, "path_filestat_set_times", ROOT, 1, FAKE_PATH, len, 0, 77, 4);
}

static wasi_errno two_names(struct world *w, const char *name, u32 follow)
{
    u32 len = fake_str(&w->f, FAKE_PATH, follow ? "one/link" : "one/two/file");
    u32 len2 = fake_str(&w->f, FAKE_PATH2, "one/made");
    wasi_errno e = strcmp(name, "path_link") == 0
                       ? LIMITED(w, name, ROOT, follow, FAKE_PATH, len, ROOT, FAKE_PATH2, len2)
                       : LIMITED(w, name, ROOT, FAKE_PATH, len, ROOT, FAKE_PATH2, len2);
    assert_int_equal(host_exists(&w->f, "d/one/made"), e == WASI_E_SUCCESS);
    return e;
}

static wasi_errno link_file(struct world *w)
{
    wasi_errno e = two_names(w, "path_link", 0);
    if (e == WASI_E_SUCCESS) unlink(host_path(&w->f, "d/one/made"));
    return e;
}

static wasi_errno link_followed(struct world *w)
{
    wasi_errno e = two_names(w, "path_link", 1);
    if (e == WASI_E_SUCCESS) unlink(host_path(&w->f, "d/one/made"));
    return e;
}

static wasi_errno rename_file(struct world *w)
{
    wasi_errno e = two_names(w, "path_rename", 0);
    assert_int_equal(host_exists(&w->f, "d/one/two/file"), e != WASI_E_SUCCESS);
    if (e == WASI_E_SUCCESS)
        rename(host_path(&w->f, "d/one/made"), host_path(&w->f, "d/one/two/file"));
    return e;
}

static wasi_errno make_symlink(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "x"), len2 = fake_str(&w->f, FAKE_PATH2, "one/made");
    wasi_errno e = LIMITED(w, "path_symlink", FAKE_PATH, len, ROOT, FAKE_PATH2, len2);
    if (e == WASI_E_SUCCESS) unlink(host_path(&w->f, "d/one/made"));
    return e;
}

static wasi_errno read_link(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/link");
    return LIMITED(w, "path_readlink", ROOT, FAKE_PATH, len, FAKE_DATA, 64, FAKE_OUT);
}

static wasi_errno make_directory(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/made");
    wasi_errno e = LIMITED(w, "path_create_directory", ROOT, FAKE_PATH, len);
    if (e == WASI_E_SUCCESS) rmdir(host_path(&w->f, "d/one/made"));
    return e;
}

static wasi_errno remove_directory(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/gone");
    host_mkdir(&w->f, "d/one/gone");
    wasi_errno e = LIMITED(w, "path_remove_directory", ROOT, FAKE_PATH, len);
    assert_int_equal(host_exists(&w->f, "d/one/gone"), e != WASI_E_SUCCESS);
    rmdir(host_path(&w->f, "d/one/gone"));
    return e;
}

static wasi_errno unlink_file(struct world *w)
{
    u32 len = fake_str(&w->f, FAKE_PATH, "one/gone");
    host_write(&w->f, "d/one/gone", "");
    wasi_errno e = LIMITED(w, "path_unlink_file", ROOT, FAKE_PATH, len);
    assert_int_equal(host_exists(&w->f, "d/one/gone"), e != WASI_E_SUCCESS);
    unlink(host_path(&w->f, "d/one/gone"));
    return e;
}

/* A connection that could not be taken is still there for the next call. */
static wasi_errno accept_as(struct world *w, bool p1)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&w->at, sizeof(w->at)), 0);
    wasi_errno e = p1 ? LIMITED(w, "sock_accept", LISTENER, 0, FAKE_OUT)
                      : LIMITED(w, "sock_accept", LISTENER, FAKE_OUT);
    if (e != WASI_E_SUCCESS) {
        u32 all = w->free_fds;
        w->free_fds = ROOM;
        assert_errno(LIMITED(w, "sock_accept", LISTENER, 0, FAKE_OUT), SUCCESS);
        w->free_fds = all;
    }
    close(client);
    assert_errno(CALL(&w->f, "fd_close", fake_u32(&w->f, FAKE_OUT)), SUCCESS);
    return e;
}

static wasi_errno accept_p1(struct world *w) { return accept_as(w, true); }

static wasi_errno accept_wasmedge(struct world *w) { return accept_as(w, false); }

static wasi_errno open_wasmedge(struct world *w)
{
    return close_opened(w, LIMITED(w, "sock_open", 1, 2, FAKE_OUT));
}

static wasi_errno open_wamr(struct world *w)
{
    return close_opened(w, LIMITED(w, "sock_open", UINT32_MAX, 0, 1, FAKE_OUT));
}

/* Binds an open Unix socket: what needs descriptors is the path. */
static wasi_errno bind_unix(struct world *w)
{
    assert_errno(CALL(&w->f, "sock_open", 3, 2, FAKE_OUT), SUCCESS);
    u32 fd = fake_u32(&w->f, FAKE_OUT);
    wasi_put32(w->f.mem + ADDR_AT, NAME_AT);
    wasi_put32(w->f.mem + ADDR_AT + 4, 128);
    memset(w->f.mem + NAME_AT, 0, 128);
    wasi_put16(w->f.mem + NAME_AT, 3);
    fake_str(&w->f, NAME_AT + 2, "/one/socket");
    wasi_errno e = LIMITED(w, "sock_bind", fd, ADDR_AT, 0);
    unlink(host_path(&w->f, "d/one/socket"));
    assert_errno(CALL(&w->f, "fd_close", fd), SUCCESS);
    return e;
}

static const struct {
    const char *name;
    call_fn *call;
} table[] = {
    {"path_open", open_file},
    {"path_open, CREAT", create_file},
    {"path_open, TRUNC", empty_file},
    {"path_filestat_get", stat_file},
    {"path_filestat_set_times", set_times},
    {"path_link", link_file},
    {"path_link, followed", link_followed},
    {"path_rename", rename_file},
    {"path_symlink", make_symlink},
    {"path_readlink", read_link},
    {"path_create_directory", make_directory},
    {"path_remove_directory", remove_directory},
    {"path_unlink_file", unlink_file},
    {"sock_accept", accept_p1},
    {"sock_accept of WasmEdge", accept_wasmedge},
    {"sock_open of WasmEdge", open_wasmedge},
    {"sock_open of WAMR", open_wamr},
    {"sock_bind to a path", bind_unix},
};
enum { TABLE = sizeof(table) / sizeof(table[0]) };

static void test_without_descriptors_it_is_mfile_and_nothing_else(void **state)
{
    struct world *w = *state;
    for (u32 i = 0; i < TABLE; i++) {
        int before = open_count();
        bool works = false;
        for (w->free_fds = 0; w->free_fds < ROOM; w->free_fds++) {
            wasi_errno e = table[i].call(w);
            if (e != WASI_E_SUCCESS && e != WASI_E_MFILE)
                fail_msg("%s with %u: %s", table[i].name, w->free_fds, wasi_errno_name(e));
            if (e == WASI_E_SUCCESS && w->free_fds == 0) fail_msg("%s needs none", table[i].name);
            if (e != WASI_E_SUCCESS && works) fail_msg("%s: less was enough", table[i].name);
            works = e == WASI_E_SUCCESS;
            assert_int_equal(open_count(), before);
        }
        if (!works) fail_msg("%s never works", table[i].name);
    }
}

/* What needs none goes on without. */
static void test_some_calls_need_no_descriptor(void **state)
{
    struct world *w = *state;
    u32 fd;
    u8 *sub = w->f.mem + ADDR_AT;
    assert_errno(fake_open(&w->f, ROOT, "one/two/file", 0, WASI_RIGHTS_RW, &fd), SUCCESS);
    memset(sub, 0, WASI_SUBSCRIPTION_BYTES);
    wasi_put32(sub + 16, WASI_CLOCK_MONOTONIC);
    w->free_fds = 0;
    assert_errno(LIMITED(w, "fd_readdir", ROOT, FAKE_DATA, 1000, 0, FAKE_OUT), SUCCESS);
    assert_true(fake_u32(&w->f, FAKE_OUT) > 3 * WASI_DIRENT_BYTES);
    assert_errno(LIMITED(w, "poll_oneoff", ADDR_AT, FAKE_DATA, 1, FAKE_OUT), SUCCESS);
    assert_errno(LIMITED(w, "random_get", FAKE_DATA, 1000), SUCCESS);
    assert_errno(LIMITED(w, "fd_renumber", fd, LISTENER), SUCCESS);
    assert_errno(LIMITED(w, "fd_filestat_get", LISTENER, FAKE_OUT), SUCCESS);
    assert_errno(LIMITED(w, "fd_close", LISTENER), SUCCESS);
}

/* A lookup needs descriptors for itself, for libuv and for the C library: it fails, we go on. */
static void test_a_lookup_without_descriptors_fails(void **state)
{
    struct world *w = *state;
    u8 *mem = w->f.mem;
    int before = -1;
    memset(mem + NAME_AT, 0, 256);
    wasi_put32(mem + FAKE_OUT + 8, NAME_AT); /* where the list begins */
    wasi_put32(mem + NAME_AT + 12, NAME_AT + 64);
    wasi_put32(mem + NAME_AT + 64 + 4, 26);
    wasi_put32(mem + NAME_AT + 64 + 8, NAME_AT + 100);
    u32 len = fake_str(&w->f, FAKE_PATH, "127.0.0.1"), len2 = fake_str(&w->f, FAKE_PATH2, "80");
    /* Twice: what libuv keeps for the whole process is there after the first round. */
    for (u32 i = 0; i < 2 * (ROOM + 1); i++) {
        w->free_fds = i % (ROOM + 1);
        if (i == ROOM + 1) before = open_count();
        wasi_errno e = LIMITED(w, "sock_getaddrinfo", FAKE_PATH, len, FAKE_PATH2, len2, NAME_AT,
                               FAKE_OUT + 8, 1, FAKE_OUT);
        if (w->free_fds == 0) assert_errno(e, MFILE);
        if (w->free_fds == ROOM) assert_errno(e, SUCCESS);
        if (before >= 0) assert_int_equal(open_count(), before);
    }
}

/* A context and a loop are made, or are told to be beyond the limit. */
static void test_contexts_and_loops_are_limits_not_crashes(void **state)
{
    struct world *w = *state;
    int before = open_count(), made = 0;
    for (w->free_fds = 0; w->free_fds <= ROOM; w->free_fds++) {
        wr_wasi_t *wasi;
        wr_loop_t *loop;
        wr_error_t err;
        limit_to(w->free_fds);
        wr_status_t s = wr_wasi_new(&wasi, &err), s2 = wr_loop_new(NULL, &loop, &err);
        limit_to(ROOM);
        if (w->free_fds == 0) assert_int_equal(s, WR_LIMIT);
        if (s != WR_OK) assert_int_equal(s, WR_LIMIT);
        if (s2 != WR_OK) assert_int_equal(s2, WR_LIMIT);
        made = s == WR_OK && s2 == WR_OK;
        wr_loop_delete(loop);
        wr_wasi_delete(wasi);
        assert_int_equal(open_count(), before);
    }
    assert_true(made);
}

/* ---------------------------------------------------------------- the system has none left */

/* From now on what makes descriptors answers ENFILE in this process. */
static bool take_all(void)
{
    static const u32 calls[] = {SYS_openat, SYS_openat2, SYS_accept4, SYS_socket};
    struct sock_filter code[16] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short n = 1;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENFILE);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = n, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a child: the number of the first call that does not answer NFILE, 0: none. */
static int all_are_nfile(struct world *w)
{
    struct fake *f = &w->f;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    u32 len = fake_str(f, FAKE_PATH, "one/two/file");
    if (connect(client, (struct sockaddr *)&w->at, sizeof(w->at)) != 0) return 1;
    if (!take_all()) return 77;
    const wasi_errno got[] = {
        CALL(f, "path_open", ROOT, 1, FAKE_PATH, len, 0, WASI_RIGHTS_RW, 0, 0, FAKE_OUT),
        CALL(f, "path_filestat_get", ROOT, 1, FAKE_PATH, len, FAKE_OUT),
        CALL(f, "path_unlink_file", ROOT, FAKE_PATH, len),
        CALL(f, "sock_accept", LISTENER, 0, FAKE_OUT),
        CALL(f, "sock_open", 1, 2, FAKE_OUT),
    };
    for (int i = 0; i < 5; i++)
        if (got[i] != WASI_E_NFILE) return 2 + i;
    return 0;
}

static void test_a_system_without_descriptors_is_nfile(void **state)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(all_are_nfile(*state));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip(); /* no filters here */
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_without_descriptors_it_is_mfile_and_nothing_else),
        T(test_some_calls_need_no_descriptor),
        T(test_a_system_without_descriptors_is_nfile),
    };
    const struct CMUnitTest once[] = {T(test_a_lookup_without_descriptors_fails),
                                      T(test_contexts_and_loops_are_limits_not_crashes)};
    mode = WASI_RESOLVE_OPENAT2;
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    mode = WASI_RESOLVE_WALK;
    failed += cmocka_run_group_tests_name("walk", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("once", once, NULL, NULL);
}
