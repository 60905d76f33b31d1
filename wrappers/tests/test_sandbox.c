/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sandbox.c - applies sandboxes in child processes and tries, from inside, what they must
 * refuse and what they must leave; each attempt's errno is compared. Skipped where the kernel lacks
 * Landlock or seccomp.
 */
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/** A folder with box/file, box/sub, ro/file and outside. */
struct tree {
    char root[64];
};

static void path_in(const struct tree *tree, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", tree->root, name);
}

static void make_file(const struct tree *tree, const char *name)
{
    char path[128];
    path_in(tree, name, path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "text", 4), 4);
    close(fd);
}

static int set_up(void **state)
{
    static struct tree tree;
    char path[128];
    strcpy(tree.root, "/tmp/wrap-sandbox-XXXXXX");
    if (!mkdtemp(tree.root)) {
        return -1;
    }
    static const char *const folders[] = {"box", "box/sub", "ro"};
    for (size_t i = 0; i < 3; i++) {
        path_in(&tree, folders[i], path);
        mkdir(path, 0700);
    }
    make_file(&tree, "box/file");
    make_file(&tree, "ro/file");
    make_file(&tree, "outside");
    *state = &tree;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"box/file", "box/new", "box/sub/file", "ro/file",
                                        "outside",  "box/sub", "box",          "ro"};
    struct tree *tree = *state;
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_in(tree, names[i], path);
        remove(path);
    }
    return rmdir(tree->root);
}

/* ---------------------------------------------------------------- a child in a sandbox */

/** Runs inside; answers 0, or the number of the line whose expectation does not hold. */
typedef int (*inside_fn)(const struct tree *tree);

/* What an attempt must end in: 0, or an errno. */
#define EXPECT(call, wanted)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int got_ = (call) < 0 ? errno : 0;                                                         \
        if (got_ != (wanted)) {                                                                    \
            fprintf(stderr, "%s: errno %d, not %d\n", #call, got_, (wanted));                      \
            return __LINE__;                                                                       \
        }                                                                                          \
    } while (0)

static void in_strict_sandbox(const struct tree *tree, const struct wrap_sandbox *what,
                              inside_fn inside)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char box[128];
        char ro[128];
        path_in(tree, "box", box);
        path_in(tree, "ro", ro);
        const struct wrap_sandbox_path paths[] = {{box, false}, {ro, true}};
        struct wrap_sandbox sandbox = *what;
        sandbox.mode = WRAP_SANDBOX_STRICT;
        sandbox.paths = paths;
        sandbox.path_count = 2;
        struct wrap_sandbox_result result;
        bool good = wrap_sandbox_apply(&sandbox, &result);
        int line =
            !good || !result.seccomp || !result.landlock || result.missing[0] ? -1 : inside(tree);
        (void)!write(ends[1], &line, sizeof line);
        _exit(0);
    }
    int line = -2;
    int status = 0;
    close(ends[1]);
    assert_int_equal(read(ends[0], &line, sizeof line), sizeof line);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(line, 0);
}

static void in_sandbox(const struct tree *tree, enum wrap_sandbox_net network, inside_fn inside)
{
    const struct wrap_sandbox sandbox = {.network = network};
    in_strict_sandbox(tree, &sandbox, inside);
}

static void need_kernel(void)
{
    if (!wrap_landlock_version() || prctl(PR_GET_SECCOMP) != 0) {
        skip();
    }
}

/* ---------------------------------------------------------------- programs, code */

static int no_programs(const struct tree *tree)
{
    char path[128];
    char *const argv[] = {path, NULL};
    path_in(tree, "box/file", path);
    EXPECT(execve("/bin/true", argv, argv + 1), EPERM);
    EXPECT(execve(path, argv, argv + 1), EPERM);
    EXPECT(syscall(SYS_execveat, AT_FDCWD, path, argv, argv + 1, 0), EPERM);
    EXPECT(fork(), EPERM);
    EXPECT(vfork(), EPERM);
    EXPECT(syscall(SYS_clone3, NULL, 0), ENOSYS);
    EXPECT(unshare(CLONE_NEWUSER), EPERM);
    EXPECT(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
    EXPECT(kill(getppid(), 0), EPERM);
    EXPECT(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM);
    EXPECT(syscall(SYS_tgkill, getpid(), getpid(), 0), 0);
    EXPECT(prctl(PR_SET_DUMPABLE, 1), EPERM);
    struct rlimit limit = {1, 1};
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    return 0;
}

static void test_programs_cannot_be_started(void **state)
{
    need_kernel();
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, no_programs);
    in_sandbox(*state, WRAP_SANDBOX_UNIX, no_programs);
}

#define MAP(prot, flags, fd) ((intptr_t)mmap(NULL, 4096, prot, flags, fd, 0) == -1 ? -1 : 0)

static int no_code(const struct tree *tree)
{
    char path[128];
    path_in(tree, "box/file", path);
    EXPECT(MAP(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1), EPERM);
    EXPECT(MAP(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1), EPERM);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT(fd, 0);
    EXPECT(MAP(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd), EPERM);
    int memory = memfd_create("code", MFD_CLOEXEC);
    EXPECT(memory, 0);
    EXPECT(ftruncate(memory, 4096), 0);
    EXPECT(MAP(PROT_EXEC, MAP_SHARED, memory), EPERM);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT((intptr_t)page == -1 ? -1 : 0, 0);
    EXPECT(mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM);
    EXPECT(syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1), EPERM);
    EXPECT(mprotect(page, 4096, PROT_READ), 0);
    return 0;
}

static void test_no_memory_becomes_executable(void **state)
{
    need_kernel();
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, no_code);
}

/* ---------------------------------------------------------------- sockets */

static int no_sockets(const struct tree *tree)
{
    int pair[2];
    (void)tree;
    EXPECT(socket(AF_INET, SOCK_STREAM, 0), EPERM);
    EXPECT(socket(AF_INET6, SOCK_DGRAM, 0), EPERM);
    EXPECT(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
    EXPECT(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), EPERM);
    return 0;
}

static int internet_sockets(const struct tree *tree)
{
    int pair[2];
    (void)tree;
    EXPECT(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    EXPECT(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), 0);
    EXPECT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), EPERM);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), EPERM);
    EXPECT(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
    EXPECT(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
    EXPECT(socket(AF_PACKET, SOCK_DGRAM, 0), EPERM);
    return 0;
}

static int sockets(const struct tree *tree)
{
    int pair[2];
    EXPECT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    EXPECT(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 0);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    EXPECT(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
    EXPECT(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    EXPECT(socket(AF_NETLINK, SOCK_RAW, 0), EPERM);
    (void)tree;
    return 0;
}

static void test_sockets_need_the_network(void **state)
{
    need_kernel();
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, no_sockets);
    in_sandbox(*state, WRAP_SANDBOX_INET, internet_sockets);
    in_sandbox(*state, WRAP_SANDBOX_UNIX, sockets);
}

static int open_socket = -1;

static int use_socket(const struct tree *tree)
{
    char byte = 0;
    (void)tree;
    EXPECT(send(open_socket, "x", 1, MSG_NOSIGNAL), 0);
    EXPECT(recv(open_socket, &byte, 1, MSG_DONTWAIT), EAGAIN);
    return 0;
}

static void test_open_sockets_stay_usable(void **state)
{
    int pair[2];
    need_kernel();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    open_socket = pair[0];
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, use_socket);
    close(pair[0]);
    close(pair[1]);
}

/* ---------------------------------------------------------------- files */

static int files(const struct tree *tree)
{
    char path[128];
    char other[128];
    struct stat st;
    path_in(tree, "outside", path);
    EXPECT(open(path, O_RDONLY), EACCES);
    EXPECT(open(path, O_WRONLY), EACCES);
    EXPECT(open("/etc/passwd", O_RDONLY), EACCES);
    EXPECT(open("/proc/self/maps", O_RDONLY), EACCES);
    EXPECT(open("/dev/null", O_RDWR), EACCES);
    EXPECT(open("/", O_RDONLY | O_DIRECTORY), EACCES);
    path_in(tree, "fresh", path);
    EXPECT(open(path, O_CREAT | O_WRONLY, 0600), EACCES);
    EXPECT(mkdir(path, 0700), EPERM); /* mkdirat alone is in the filter */
    EXPECT(mkdirat(AT_FDCWD, path, 0700), EACCES);
    path_in(tree, "box/new", path);
    EXPECT(open(path, O_CREAT | O_WRONLY, 0600), 0);
    path_in(tree, "box/file", path);
    EXPECT(open(path, O_RDWR | O_TRUNC), 0);
    EXPECT(fstatat(AT_FDCWD, path, &st, 0), 0);
    path_in(tree, "box/sub/file", other);
    EXPECT(renameat(AT_FDCWD, path, AT_FDCWD, other), 0);
    path_in(tree, "outside2", path);
    EXPECT(renameat(AT_FDCWD, other, AT_FDCWD, path), EACCES);
    return 0;
}

static int read_only_files(const struct tree *tree)
{
    char path[128];
    path_in(tree, "ro/file", path);
    EXPECT(open(path, O_RDONLY), 0);
    EXPECT(open(path, O_WRONLY), EACCES);
    EXPECT(open(path, O_RDONLY | O_TRUNC), EACCES);
    EXPECT(unlinkat(AT_FDCWD, path, 0), EACCES);
    path_in(tree, "ro/new", path);
    EXPECT(open(path, O_CREAT | O_WRONLY, 0600), EACCES);
    EXPECT(mkdirat(AT_FDCWD, path, 0700), EACCES);
    EXPECT(symlinkat("file", AT_FDCWD, path), EACCES);
    path_in(tree, "ro", path);
    EXPECT(open(path, O_RDONLY | O_DIRECTORY), 0);
    return 0;
}

static void test_files_outside_are_out_of_reach(void **state)
{
    need_kernel();
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, files);
}

static void test_read_only_paths_cannot_be_changed(void **state)
{
    need_kernel();
    in_sandbox(*state, WRAP_SANDBOX_NO_NET, read_only_files);
}

/* ---------------------------------------------------------------- threads */

static void *try_things(void *arg)
{
    int *failed = arg;
    *failed = open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES;
    *failed |= socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM;
    return NULL;
}

static int later_threads(const struct tree *tree)
{
    pthread_t thread;
    int failed = 1;
    (void)tree;
    EXPECT(-pthread_create(&thread, NULL, try_things, &failed), 0);
    EXPECT(-pthread_join(thread, NULL), 0);
    EXPECT(-failed, 0);
    return 0;
}

static void test_later_threads_are_in_it(void **state)
{
    const struct wrap_sandbox sandbox = {0};
    need_kernel();
    in_strict_sandbox(*state, &sandbox, later_threads);
}

static pthread_barrier_t before;
static pthread_barrier_t after;

static void *helper(void *arg)
{
    wrap_sandbox_helper();
    pthread_barrier_wait(&before);
    pthread_barrier_wait(&after);
    return try_things(arg);
}

static void test_earlier_threads_are_in_it(void **state)
{
    (void)state;
    need_kernel();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pthread_t thread;
        int failed = 1;
        struct wrap_sandbox_result result;
        const struct wrap_sandbox sandbox = {.mode = WRAP_SANDBOX_STRICT};
        pthread_barrier_init(&before, NULL, 2);
        pthread_barrier_init(&after, NULL, 2);
        bool good = pthread_create(&thread, NULL, helper, &failed) == 0;
        pthread_barrier_wait(&before);
        good = good && wrap_sandbox_apply(&sandbox, &result);
        pthread_barrier_wait(&after);
        pthread_join(thread, NULL);
        _exit(good && !failed ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---------------------------------------------------------------- modes */

static void test_off_changes_nothing(void **state)
{
    struct wrap_sandbox_result result;
    const struct wrap_sandbox sandbox = {.mode = WRAP_SANDBOX_OFF};
    (void)state;
    assert_true(wrap_sandbox_apply(&sandbox, &result));
    assert_false(result.seccomp);
    assert_int_equal(result.landlock, 0);
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

static void test_a_path_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    need_kernel();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct wrap_sandbox_result result;
        const struct wrap_sandbox_path path = {"/no/such/path", false};
        const struct wrap_sandbox sandbox = {
            .mode = WRAP_SANDBOX_AUTO, .paths = &path, .path_count = 1};
        bool good = wrap_sandbox_apply(&sandbox, &result);
        _exit(!good && strstr(result.missing, "/no/such/path") ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_programs_cannot_be_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_becomes_executable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sockets_need_the_network, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_sockets_stay_usable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_outside_are_out_of_reach, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only_paths_cannot_be_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_later_threads_are_in_it, set_up, tear_down),
        cmocka_unit_test(test_earlier_threads_are_in_it),
        cmocka_unit_test(test_off_changes_nothing),
        cmocka_unit_test(test_a_path_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
