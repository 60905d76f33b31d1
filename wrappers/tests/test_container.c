/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container.c - the life of containers' processes: made, joined, waited for, ended, whatever
 * the host is like. What they can do is in test_container_inside.c. Needs root; skipped loudly
 * without.
 */
#include "container_box.h"
#include "sandbox/usage.h"

/* ---------------------------------------------------------------- life */

static void test_guest_runs_and_its_code_comes_back(void **state)
{
    struct box box;
    (void)state;
    need_root();
    box_make(&box);
    assert_int_equal(box_run(&box, answer), 42);
    assert_string_equal(box.text, "hello");
    box_drop(&box);
}

static void test_signals_that_end_a_process_end_the_first_one(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGABRT};
    struct box box;
    (void)state;
    need_root();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        box_make(&box);
        box_prepare(&box, sleep_long);
        assert_true(wrap_container_go(box.child.control_fd));
        assert_int_equal(kill(box.child.pid, numbers[i]), 0);
        assert_int_equal(reap(&box.child), 128 + numbers[i]);
        box_drop(&box);
    }
}

static void test_a_parent_that_is_gone_takes_the_child_along(void **state)
{
    struct box box;
    int ends[2];
    pid_t child = -1;
    (void)state;
    need_root();
    need_forks_of_one_thread();
    box_make(&box);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t shim = fork();
    assert_true(shim >= 0);
    if (shim == 0) {
        box_prepare(&box, sleep_long);
        wrap_container_go(box.child.control_fd);
        (void)!write(ends[1], &box.child.pid, sizeof box.child.pid);
        pause();
    }
    assert_int_equal(read(ends[0], &child, sizeof child), sizeof child);
    close(ends[0]);
    close(ends[1]);
    kill(shim, SIGKILL);
    assert_int_equal(waitpid(shim, NULL, 0), shim);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child); /* ours now */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    box_drop(&box);
}

static void test_hooks_are_waited_for(void **state)
{
    struct box box;
    struct wrap_report report;
    struct wrap_error err = {0};
    (void)state;
    need_root();
    box_make(&box);
    box.config.hooks_wait = true;
    guest_now = answer;
    int out = open_output(&box);
    assert_true(wrap_container_fork(&box.config, &box.child, &err));
    close(out);
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_CREATED);
    struct pollfd wait = {.fd = box.child.report_fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 50), 0);
    assert_true(wrap_container_go(box.child.control_fd));
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_LOCKED);
    assert_true(wrap_container_go(box.child.control_fd)); /* not before: it loads first */
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_READY);
    assert_int_equal(reap(&box.child), 42);
    box_drop(&box);
}

static void test_reasons_are_reported_and_written_for_kubernetes(void **state)
{
    struct box box;
    struct wrap_report report;
    char text[64] = "";
    (void)state;
    need_root();
    box_make(&box);
    put(&box, "log", "", 0);
    add_mount(&box, "bind", in(&box, "log"), "/dev/termination-log", "rbind,rprivate,rw");
    wrap_fail(&guest_reason, WRAP_INTERNAL, "out of fuel");
    box_prepare(&box, answer);
    assert_true(wrap_container_go(box.child.control_fd));
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_REASON);
    assert_string_equal(report.error.text, "out of fuel");
    assert_int_equal(reap(&box.child), 42);
    int fd = open(in(&box, "log"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), strlen("out of fuel"));
    assert_string_equal(text, "out of fuel");
    close(fd);
    box_drop(&box);
}

static void test_reports_may_be_hostile(void **state)
{
    int ends[2];
    struct wrap_report report;
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(wrap_container_report(ends[0], &report), 0);
    memset(&report, 'x', sizeof report);
    report.kind = WRAP_REPORT_REASON;
    assert_int_equal(write(ends[1], &report, sizeof report), sizeof report);
    assert_int_equal(wrap_container_report(ends[0], &report), 1);
    assert_int_equal(strlen(report.error.text), sizeof report.error.text - 1);
    report.kind = (enum wrap_report_kind)77;
    assert_int_equal(write(ends[1], &report, sizeof report), sizeof report);
    assert_int_equal(wrap_container_report(ends[0], &report), -1);
    assert_int_equal(write(ends[1], "short", 5), 5);
    assert_int_equal(wrap_container_report(ends[0], &report), -1);
    close(ends[1]);
    assert_int_equal(wrap_container_report(ends[0], &report), -1);
    assert_false(wrap_container_go(ends[0]));
    close(ends[0]);
}

/* ---------------------------------------------------------------- what a guest holds */

static int tell_figures(void)
{
    if (!guest_usage || guest_usage->memory_bytes) return 1;
    *guest_usage = (wr_usage_t){65536, 1 << 20, 7};
    return 42;
}

static void test_figures_of_a_guest_can_be_read(void **state)
{
    struct box box;
    wr_usage_t usage = {1, 1, 1};
    (void)state;
    need_root();
    box_make(&box);
    box.config.usage = wrap_usage_new();
    assert_true(box.config.usage > 0);
    assert_true(wrap_usage_read(box.config.usage, &usage));
    assert_true(!usage.memory_bytes && !usage.memory_limit_bytes && !usage.table_elems);
    box_prepare(&box, tell_figures);
    assert_true(wrap_container_go(box.child.control_fd));
    assert_int_equal(reap(&box.child), 42);
    assert_true(wrap_usage_read(box.config.usage, &usage));
    assert_int_equal(usage.memory_bytes, 65536);
    assert_int_equal(usage.memory_limit_bytes, 1 << 20);
    assert_int_equal(usage.table_elems, 7);
    close(box.config.usage);
    box_drop(&box);
}

static void test_files_of_figures_are_of_one_size(void **state)
{
    char folder[] = "/tmp/usage-XXXXXX";
    wr_usage_t usage;
    (void)state;
    int fd = wrap_usage_new();
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 4096), -1);
    close(fd);
    assert_false(wrap_usage_read(fd, &usage));
    assert_null(wrap_usage_map(fd));
    assert_non_null(mkdtemp(folder));
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(wrap_usage_read(dir, &usage));
    fd = wrap_usage_make(dir, "usage");
    assert_true(wrap_usage_read(fd, &usage));
    assert_int_equal(wrap_usage_make(dir, "usage"), -1); /* there, and not touched */
    assert_int_equal(ftruncate(fd, 8), 0);
    assert_false(wrap_usage_read(fd, &usage));
    close(fd);
    assert_int_equal(unlinkat(dir, "usage", 0), 0);
    assert_int_equal(wrap_usage_make(dir, "no/usage"), -1);
    close(dir);
    assert_int_equal(rmdir(folder), 0);
}

/* ---------------------------------------------------------------- what runs */

static void test_a_linux_program_is_said_to_be_one(void **state)
{
    struct box box;
    struct wrap_report report;
    struct wrap_error err = {0};
    (void)state;
    need_root();
    box_make(&box);
    box.args[0] = "/bin/sh";
    assert_true(wrap_container_fork(&box.config, &box.child, &err));
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_LINUX);
    assert_int_equal(reap(&box.child), 0);
    box_drop(&box);
}

static void test_failures_have_texts_and_codes(void **state)
{
    struct box box;
    int code;
    (void)state;
    need_root();
    box_make(&box);
    box.args[0] = "/none.wasm";
    assert_non_null(strstr(box_failure(&box, &code), "none.wasm"));
    assert_int_equal(code, 127);
    box.args[0] = "/bin/sh";
    box.config.kind = WRAP_KIND_WASM;
    assert_non_null(strstr(box_failure(&box, &code), "not a module"));
    assert_int_equal(code, 126);
    box.args[0] = "/app.wasm";
    box.spec.unsupported = "linux.intelRdt";
    assert_string_equal(box_failure(&box, &code), "linux.intelRdt is not supported");
    box.spec.unsupported = NULL;
    box.spec.namespaces_new |= 1u << WRAP_NS_TIME;
    assert_non_null(strstr(box_failure(&box, &code), "time namespaces"));
    box.spec.namespaces_new &= ~(1u << WRAP_NS_TIME);
    box.spec.root = "missing";
    assert_non_null(strstr(box_failure(&box, &code), "missing"));
    box.spec.root = "rootfs";
    add_mount(&box, "bind", "/nowhere/at/all", "/mnt", "rbind");
    assert_non_null(strstr(box_failure(&box, &code), "mount on /mnt: /nowhere/at/all"));
    box.mounts[3].source = "/proc";
    assert_non_null(strstr(box_failure(&box, &code), "procfs"));
    box.mounts[3].source = "/tmp";
    box.mounts[3].destination = "/bin/../..";
    assert_non_null(strstr(box_failure(&box, &code), "the destination is the root"));
    box_drop(&box);
}

/* ---------------------------------------------------------------- more of them */

static void test_pause_waits_and_takes_little(void **state)
{
    struct box box;
    struct wrap_error err = {0};
    char path[64];
    char line[256];
    long dirty = -1;
    long pss = -1;
    (void)state;
    need_root();
    box_make(&box);
    box.config.kind = WRAP_KIND_PAUSE;
    box.args[0] = "/pause";
    assert_true(wrap_container_fork(&box.config, &box.child, &err));
    expect_ready(&box.child);
    assert_true(wrap_container_go(box.child.control_fd));
    char byte;
    struct pollfd wait = {.fd = box.child.report_fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1); /* closed: it has begun */
    assert_int_equal(read(box.child.report_fd, &byte, 1), 0);
    for (int i = 0; i < 100; i++) { /* until it has given back what it has */
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)box.child.pid);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file)) {
            (void)sscanf(line, "Private_Dirty: %ld", &dirty);
            (void)sscanf(line, "Pss: %ld", &pss);
        }
        fclose(file);
        if (dirty <= 8) break;
        usleep(10000);
    }
    print_message("pause: %ld kB private and dirty, %ld kB in all\n", dirty, pss);
    if (!VM_SANITIZED) assert_in_range(dirty, 0, 8);
    assert_int_equal(kill(box.child.pid, SIGTERM), 0);
    assert_int_equal(reap(&box.child), 0);
    box_drop(&box);
}

static int show_self(void)
{
    dprintf(1, "pid=%d ", (int)getpid());
    SHOW("data", open_for("/tmp/from-first", O_RDONLY));
    SHOW("proc", open_for("/proc/self", O_RDONLY));
    char *const none[] = {NULL};
    SHOW("execve", execve("/bin/sh", none, none));
    return 9;
}

static int make_and_sleep(void)
{
    close(open("/tmp/from-first", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    dprintf(1, "x");
    return sleep_long();
}

static void test_exec_joins_a_running_container(void **state)
{
    struct box box;
    struct wrap_error err = {0};
    struct wrap_child second;
    struct wrap_report report;
    char byte;
    (void)state;
    need_root();
    box_make(&box);
    add_mount(&box, "tmpfs", "tmpfs", "/tmp", "mode=1777,size=1m");
    box_prepare(&box, make_and_sleep);
    assert_true(wrap_container_go(box.child.control_fd));
    assert_int_equal(read(box.output, &byte, 1), 1);

    struct wrap_process process = box.spec.process;
    const struct wrap_container_join join = {.pid = box.child.pid, .process = &process};
    process.uid = 1234;
    guest_now = show_self;
    int out = open_output(&box);
    if (!wrap_container_fork_into(&box.config, &join, &second, &err)) fail_msg("%s", err.text);
    close(out);
    expect_ready(&second);
    assert_string_equal(status_of(second.pid, "Uid"), "1234\t1234\t1234\t1234");
    assert_string_equal(status_of(second.pid, "Seccomp"), "2");
    assert_true(wrap_container_go(second.control_fd));
    read_output(&box);
    assert_int_equal(reap(&second), 9);
    assert_string_equal(box.text, "pid=2 data=ok proc=ENOENT execve=EPERM ");

    const char *shell[] = {"/bin/sh"};
    process.args = (struct wrap_strings){shell, 1};
    assert_true(wrap_container_fork_into(&box.config, &join, &second, &err));
    assert_int_equal(next_report(&second, &report), WRAP_REPORT_FAILED);
    assert_string_equal(report.error.text, "exec of /bin/sh: a Linux program in a Wasm container");
    assert_int_equal(reap(&second), 126);
    assert_true(same_ns(getpid(), "pid"));
    box_drop(&box);
}

static void test_namespaces_of_a_pod_are_joined(void **state)
{
    struct box pod;
    struct box box;
    char paths[3][64];
    static const char *const names[] = {"ipc", "uts", "pid"};
    static const enum wrap_namespace kinds[] = {WRAP_NS_IPC, WRAP_NS_UTS, WRAP_NS_PID};
    (void)state;
    need_root();
    box_make(&pod);
    box_prepare(&pod, sleep_long);
    box_make(&box);
    box.spec.namespaces_new = 1u << WRAP_NS_MOUNT;
    for (size_t i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "/proc/%d/ns/%s", (int)pod.child.pid, names[i]);
        box.spec.namespace_paths[kinds[i]] = paths[i];
    }
    box_prepare(&box, answer);
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        struct stat one;
        struct stat other;
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)box.child.pid, names[i]);
        assert_int_equal(stat(path, &one), 0);
        assert_int_equal(stat(paths[i], &other), 0);
        assert_int_equal(one.st_ino, other.st_ino);
    }
    assert_string_equal(status_of(box.child.pid, "NSpid") +
                            strcspn(status_of(box.child.pid, "NSpid"), "\t"),
                        "\t2");
    box_drop(&box);
    box_drop(&pod);
}

static int show_owner(void)
{
    struct stat st;
    dprintf(1, "uid=%d ", (int)getuid());
    dprintf(1, "dev=%d ", stat("/dev", &st) == 0 ? (int)st.st_uid : -1);
    SHOW("dev", open_for("/dev/new", O_CREAT | O_WRONLY));
    dprintf(1, "volume=%d ", stat("/data/file", &st) == 0 ? (int)st.st_uid : -1);
    return 0;
}

static void test_user_namespaces_are_entered_last(void **state)
{
    struct box box;
    struct wrap_id_map map = {0, 100000, 65536};
    char volume[128];
    (void)state;
    need_root();
    box_make(&box);
    strcpy(volume, in(&box, "volume"));
    add_mount(&box, "bind", volume, "/data", "rbind,rw");
    box.mounts[3].uid_maps = box.mounts[3].gid_maps = (struct wrap_id_maps){&map, 1};
    box.spec.namespaces_new |= 1u << WRAP_NS_USER;
    box.spec.uid_maps = box.spec.gid_maps = (struct wrap_id_maps){&map, 1};
    box_prepare(&box, show_owner);
    assert_false(same_ns(box.child.pid, "user"));
    assert_string_equal(status_of(box.child.pid, "Uid"), "100000\t100000\t100000\t100000");
    assert_true(wrap_container_go(box.child.control_fd));
    read_output(&box);
    assert_int_equal(reap(&box.child), 0);
    assert_string_equal(box.text, "uid=0 dev=0 dev=ok volume=0 ");
    box_drop(&box);
}

static void test_the_process_is_in_its_group_before_anything_else(void **state)
{
    struct box box;
    struct wrap_cgroup *group = NULL;
    struct wrap_error err = {0};
    char name[64];
    pid_t *pids = NULL;
    size_t count = 0;
    (void)state;
    need_root();
    box_make(&box);
    snprintf(name, sizeof name, "/wrap-container-test-%d", (int)getpid());
    const struct wrap_cgroup_config config = {.path = name, .id = "box"};
    if (!wrap_cgroup_create(&config, &group, &err)) {
        box_drop(&box);
        print_message("SKIPPED: %s\n", err.text);
        skip();
    }
    box.config.cgroup = group;
    box.spec.namespaces_new |= 1u << WRAP_NS_CGROUP;
    box_prepare(&box, answer);
    for (unsigned with_ns = 0; with_ns < 2; with_ns++) { /* and later, when the parent says so */
        struct box late = box;
        late.config.spec = &late.spec;
        late.config.group_late = true;
        late.output = -1;
        late.spec.namespaces_new &= with_ns ? ~0u : ~(1u << WRAP_NS_CGROUP);
        int out = open_output(&late);
        assert_true(wrap_container_fork(&late.config, &late.child, &err));
        close(out);
        struct pollfd wait = {.fd = late.child.report_fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 50), 0);
        assert_true(wrap_container_go(late.child.control_fd));
        expect_ready(&late.child);
        assert_int_equal(same_ns(late.child.pid, "cgroup"), !with_ns);
        assert_true(wrap_container_go(late.child.control_fd));
        read_output(&late);
        assert_int_equal(reap(&late.child), 42);
        close(late.output);
    }
    assert_true(wrap_cgroup_pids(group, &pids, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(pids[0], box.child.pid);
    assert_false(same_ns(box.child.pid, "cgroup"));
    free(pids);
    box_drop(&box);
    assert_true(wrap_cgroup_delete(group, 2000, &err));
    wrap_cgroup_free(group);
}

/* ---------------------------------------------------------------- other hosts */

/* From here on the calls are missing, as on an older kernel or behind an outer filter. */
static int lack(const unsigned *calls, size_t count)
{
    struct sock_filter code[16] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    unsigned short used = 1;
    for (size_t i = 0; i < count; i++) {
        code[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = used, .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int old_host(void)
{
    static const unsigned calls[] = {SYS_clone3, SYS_mount_setattr, SYS_close_range};
    struct box box;
    char volume[128];
    if (lack(calls, 3) != 0) return 2;
    box_make(&box);
    strcpy(volume, in(&box, "volume"));
    add_mount(&box, "bind", volume, "/data", "rbind,rw");
    add_mount(&box, "bind", volume, "/fixed", "rbind,ro");
    add_mount(&box, "tmpfs", "tmpfs", "/tmp", "mode=1777");
    add_mount(&box, "tmpfs", "tmpfs", "/rotmp", "mode=1777,ro");
    box.spec.root_readonly = true;
    int code = box_run(&box, write_everywhere);
    bool good = code == 0 && strncmp(box.text,
                                     "root=EROFS volume=ok ro=EROFS ro-read=ok tmp=ok "
                                     "ro-tmp=EROFS ",
                                     strlen("root=EROFS volume=ok ro=EROFS ro-read=ok tmp=ok "
                                            "ro-tmp=EROFS ")) == 0;
    if (!good) print_error("%d %s\n", code, box.text);
    code = box_run(&box, count_descriptors);
    good = good && code == 4;
    box_prepare(&box, answer);
    good = good && !same_ns(box.child.pid, "pid") && !same_ns(box.child.pid, "ipc");
    box_drop(&box);
    return good ? 0 : 1;
}

static void test_older_hosts_are_no_less_isolated(void **state)
{
    int status = 0;
    (void)state;
    need_root();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(old_host());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

/* ---------------------------------------------------------------- terminals */

static int name_stream(void)
{
    dprintf(1, "%d", isatty(0));
    return 0;
}

static void test_a_terminal_becomes_the_controlling_one(void **state)
{
    struct box box;
    struct wrap_error err = {0};
    char path[64];
    char stat_line[512] = "";
    struct winsize size = {0};
    (void)state;
    need_root();
    box_make(&box);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    for (size_t i = 0; i < 3; i++) box.config.stdio[i] = slave;
    box.config.console = slave;
    box.spec.process.terminal = true;
    box.spec.process.rows = 33;
    box.spec.process.columns = 77;
    guest_now = name_stream;
    assert_true(wrap_container_fork(&box.config, &box.child, &err));
    expect_ready(&box.child);
    close(slave);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)box.child.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, stat_line, sizeof stat_line - 1) > 0);
    close(fd);
    int tty = 0;
    assert_int_equal(sscanf(strrchr(stat_line, ')'), ") %*c %*d %*d %*d %d", &tty), 1);
    assert_int_not_equal(tty, 0);
    assert_int_equal(ioctl(master, TIOCGWINSZ, &size), 0);
    assert_int_equal(size.ws_row, 33);
    assert_int_equal(size.ws_col, 77);
    assert_true(wrap_container_go(box.child.control_fd));
    char byte = 0;
    assert_int_equal(read(master, &byte, 1), 1);
    assert_int_equal(byte, '1');
    assert_int_equal(reap(&box.child), 0);
    close(master);
    box_drop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_runs_and_its_code_comes_back),
        cmocka_unit_test(test_signals_that_end_a_process_end_the_first_one),
        cmocka_unit_test(test_a_parent_that_is_gone_takes_the_child_along),
        cmocka_unit_test(test_hooks_are_waited_for),
        cmocka_unit_test(test_reasons_are_reported_and_written_for_kubernetes),
        cmocka_unit_test(test_reports_may_be_hostile),
        cmocka_unit_test(test_figures_of_a_guest_can_be_read),
        cmocka_unit_test(test_files_of_figures_are_of_one_size),
        cmocka_unit_test(test_a_linux_program_is_said_to_be_one),
        cmocka_unit_test(test_failures_have_texts_and_codes),
        cmocka_unit_test(test_pause_waits_and_takes_little),
        cmocka_unit_test(test_exec_joins_a_running_container),
        cmocka_unit_test(test_namespaces_of_a_pod_are_joined),
        cmocka_unit_test(test_user_namespaces_are_entered_last),
        cmocka_unit_test(test_the_process_is_in_its_group_before_anything_else),
        cmocka_unit_test(test_older_hosts_are_no_less_isolated),
        cmocka_unit_test(test_a_terminal_becomes_the_controlling_one),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
