/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container_inside.c - makes containers and tries, from where a guest's interpreter would run,
 * what they must refuse and what they must leave; looks at them from outside as well. Needs root;
 * skipped loudly without.
 */
#include "container_box.h"

#include <sys/utsname.h>

/* ---------------------------------------------------------------- isolation, from inside */

static int try_everything(void)
{
    char *const none[] = {NULL};
    SHOW("proc", open_for("/proc/self/mem", O_RDWR));
    SHOW("outside", open_for("/tmp", O_RDONLY));
    SHOW("execve", execve("/bin/sh", none, none));
    SHOW("exec-mmap",
         mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
             ? -1
             : 0);
    SHOW("fork", fork());
    SHOW("mount", mount("a", "/home", "tmpfs", 0, NULL));
    SHOW("unshare", unshare(CLONE_NEWUSER));
    SHOW("write", open_for("/home/new", O_CREAT | O_WRONLY));
    SHOW("null", open_for("/dev/null", O_RDWR));
    SHOW("tty", open_for("/dev/tty", O_RDWR));
    SHOW("socket", socket(AF_INET, SOCK_STREAM, 0));
    dprintf(1, "pid=%d", (int)getpid());
    return 0;
}

static void test_the_guest_can_do_what_wasi_needs_and_no_more(void **state)
{
    struct box box;
    (void)state;
    need_root();
    box_make(&box);
    struct wrap_key_value row = {"io.wasmrun/net", "none"};
    box.spec.annotations = &row;
    box.spec.annotation_count = 1;
    assert_int_equal(box_run(&box, try_everything), 0);
    assert_string_equal(box.text,
                        "proc=ENOENT outside=ENOENT execve=EPERM exec-mmap=EPERM fork=EPERM "
                        "mount=EPERM unshare=EPERM write=ok null=ok tty=ENOENT socket=EPERM pid=1");
    box_drop(&box);
}

static void add_volumes(struct box *box)
{
    add_mount(box, "bind", in(box, "volume"), "/data", "rbind,rw");
    add_mount(box, "bind", in(box, "volume"), "/fixed", "rbind,ro");
    add_mount(box, "tmpfs", "tmpfs", "/tmp", "mode=1777,size=1m");
    add_mount(box, "tmpfs", "tmpfs", "/rotmp", "mode=1777,size=1m,ro");
    put(box, "hosts", "host", 4);
    add_mount(box, "bind", in(box, "hosts"), "/etc/hosts", "rbind,rprivate,rw");
}

static void test_read_only_is_read_only(void **state)
{
    struct box box;
    (void)state;
    need_root();
    box_make(&box);
    char volume[128];
    char hosts[128];
    add_volumes(&box);
    strcpy(volume, box.mounts[3].source);
    strcpy(hosts, box.mounts[7].source);
    box.mounts[3].source = box.mounts[4].source = volume;
    box.mounts[7].source = hosts;
    assert_int_equal(box_run(&box, write_everywhere), 0);
    assert_string_equal(box.text, "root=ok volume=ok ro=EROFS ro-read=ok tmp=ok ro-tmp=EROFS "
                                  "hosts=ok dev=ok [/=rw /fixed=ro /rotmp=ro ]");
    assert_true(exists(in(&box, "volume/new")));
    assert_false(exists(in(&box, "rootfs/tmp/new")));
    assert_int_equal(unlink(in(&box, "rootfs/home/new")), 0);
    box.spec.root_readonly = true;
    assert_int_equal(box_run(&box, write_everywhere), 0);
    /* A file that can be written makes "/" writable for WASI; the kernel knows better. */
    assert_string_equal(box.text, "root=EROFS volume=ok ro=EROFS ro-read=ok tmp=ok "
                                  "ro-tmp=EROFS hosts=ok dev=ok [/=rw /fixed=ro /rotmp=ro ]");
    box.mounts[7].options.items[2] = "ro";
    assert_int_equal(box_run(&box, write_everywhere), 0);
    assert_non_null(strstr(box.text, "hosts=EROFS"));
    assert_non_null(strstr(box.text, "[/=ro /dev=rw /data=rw /tmp=rw ]"));
    box_drop(&box);
}

static int look_at_masks(void)
{
    char byte;
    struct stat st;
    int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
    dprintf(1, "file=%zd ", read(fd, &byte, 1));
    SHOW("folder", open_for("/secret/file", O_RDONLY));
    SHOW("readonly", open_for("/home/new", O_CREAT | O_WRONLY));
    SHOW("free", open_for("/bin/new", O_CREAT | O_WRONLY));
    dprintf(1, "secret=%o ", stat("/secret", &st) == 0 ? (unsigned)st.st_mode & 0777 : 0);
    return 0;
}

static void test_masked_and_read_only_paths(void **state)
{
    const char *masked[] = {"/etc/hosts", "/secret", "/proc/kcore", "/none"};
    const char *closed[] = {"/home", "/proc/sys"};
    struct box box;
    (void)state;
    need_root();
    box_make(&box);
    box.spec.masked_paths = (struct wrap_strings){masked, 4};
    box.spec.readonly_paths = (struct wrap_strings){closed, 2};
    assert_int_equal(box_run(&box, look_at_masks), 0);
    assert_string_equal(box.text, "file=0 folder=ENOENT readonly=EROFS free=ok secret=555 ");
    box_drop(&box);
}

static int look_at_volume(void)
{
    SHOW("link", open_for("/evil/file", O_RDONLY));
    SHOW("deep", open_for("/x/y/z/file", O_RDONLY));
    SHOW("dangling", open_for("/run/shm/file", O_RDONLY));
    return 0;
}

static void test_destinations_stay_in_the_root(void **state)
{
    struct box box;
    char target[128];
    char volume[128];
    (void)state;
    need_root();
    box_make(&box);
    strcpy(volume, in(&box, "volume"));
    snprintf(target, sizeof target, "%s/outside", box.bundle);
    assert_int_equal(symlink(target, in(&box, "rootfs/evil")), 0);
    assert_int_equal(symlink("../../../../../../outside", in(&box, "rootfs/up")), 0);
    assert_int_equal(symlink("/run/shm", in(&box, "rootfs/home/shm")), 0);
    assert_int_equal(symlink("loop", in(&box, "rootfs/loop")), 0);
    add_mount(&box, "bind", volume, "/evil", "rbind,ro");
    add_mount(&box, "bind", volume, "/up/a/b", "rbind,ro");
    add_mount(&box, "bind", volume, "/x/y/../y/./z", "rbind,ro");
    add_mount(&box, "bind", volume, "/home/shm", "rbind,ro");
    assert_int_equal(box_run(&box, look_at_volume), 0);
    /* The link is followed as the guest would follow it: into its own root. */
    assert_string_equal(box.text, "link=ok deep=ok dangling=ok ");
    assert_false(exists(in(&box, "outside/a")));
    assert_true(exists(in(&box, "rootfs/outside/a/b")));
    char inside[320];
    snprintf(inside, sizeof inside, "%s/rootfs%s", box.bundle, target);
    assert_true(exists(inside));
    int code;
    box.mounts[3].destination = "/loop/a";
    assert_non_null(strstr(box_failure(&box, &code), "mount on /loop/a: destination"));
    box_drop(&box);
}

/* Another container, in a volume that it shares: a folder and a link outside change places. */
static _Noreturn void swap_forever(const char *one, const char *other)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) (void)!renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

static void test_destinations_that_change_meanwhile_stay_in_the_root(void **state)
{
    enum { STARTS = 60 };
    struct box box;
    char volume[128];
    char target[128];
    struct wrap_report report;
    struct wrap_error err = {0};
    (void)state;
    need_root();
    box_make(&box);
    strcpy(volume, in(&box, "volume"));
    strcpy(target, in(&box, "outside"));
    assert_int_equal(mkdir(in(&box, "volume/a"), 0755), 0);
    assert_int_equal(symlink(target, in(&box, "volume/b")), 0);
    add_mount(&box, "bind", volume, "/data", "rbind,rw");
    add_mount(&box, "bind", volume, "/data/a/x/y", "rbind,ro");
    pid_t swapper = fork();
    assert_true(swapper >= 0);
    if (swapper == 0) swap_forever(in(&box, "volume/a"), in(&box, "volume/b"));
    guest_now = answer;
    for (int i = 0; i < STARTS; i++) {
        assert_true(wrap_container_fork(&box.config, &box.child, &err));
        next_report(&box.child, &report);
        assert_true(report.kind == WRAP_REPORT_LOCKED || report.kind == WRAP_REPORT_FAILED);
        kill(box.child.pid, SIGKILL);
        reap(&box.child);
        assert_false(exists(in(&box, "outside/x")));
    }
    kill(swapper, SIGKILL);
    assert_int_equal(waitpid(swapper, NULL, 0), swapper);
    box_drop(&box);
}

static int look_for_procfs(void)
{
    SHOW("volume", open_for("/host/file", O_RDONLY));
    SHOW("mem", open_for("/host/p roc/self/mem", O_RDWR));
    return 0;
}

static void test_a_volume_brings_no_procfs(void **state)
{
    struct box box;
    char volume[128];
    (void)state;
    need_root();
    need_forks_of_one_thread();
    box_make(&box);
    strcpy(volume, in(&box, "volume"));
    const char *proc = in(&box, "volume/p roc");
    assert_int_equal(mkdir(proc, 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* in a namespace of its own, which the container's begins as a copy of */
        if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("proc", proc, "proc", 0, NULL) != 0 ||
            mount("proc", proc, "proc", 0, NULL) != 0) {
            _exit(3);
        }
        add_mount(&box, "bind", volume, "/host", "rbind,rslave");
        int code = box_run(&box, look_for_procfs);
        _exit(code == 0 && strcmp(box.text, "volume=ok mem=ENOENT ") == 0 ? 0 : 4);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    box_drop(&box);
}

/* ---------------------------------------------------------------- isolation, from outside */

static void test_identity_and_locks_are_as_asked(void **state)
{
    struct box box;
    uint32_t groups[] = {7, 1000};
    (void)state;
    need_root();
    box_make(&box);
    struct wrap_process *process = &box.spec.process;
    process->uid = 1000;
    process->gid = 2000;
    process->groups = groups;
    process->group_count = 2;
    process->umask = 0027;
    process->has_caps = true;
    const uint64_t all = ~UINT64_C(0);
    process->caps = (struct wrap_caps){all, all, all, all, 0};
    box_prepare(&box, answer);
    pid_t pid = box.child.pid;
    assert_string_equal(status_of(pid, "Uid"), "1000\t1000\t1000\t1000");
    assert_string_equal(status_of(pid, "Gid"), "2000\t2000\t2000\t2000");
    assert_string_equal(status_of(pid, "Groups"), "7 1000 ");
    assert_string_equal(status_of(pid, "CapPrm"), "0000000000000000");
    assert_string_equal(status_of(pid, "CapEff"), "0000000000000000");
    assert_string_equal(status_of(pid, "CapBnd"), "0000000000000000");
    assert_string_equal(status_of(pid, "NoNewPrivs"), "1");
    assert_string_equal(status_of(pid, "Seccomp"), "2");
    assert_string_equal(status_of(pid, "Umask"), "0027");
    assert_string_equal(status_of(pid, "SigBlk"), "0000000000000000");
    static const char *const own[] = {"pid", "mnt", "ipc", "uts"};
    for (size_t i = 0; i < 4; i++) assert_false(same_ns(pid, own[i]));
    assert_true(same_ns(pid, "net"));
    assert_true(same_ns(pid, "user"));
    box_drop(&box);
}

static void test_root_keeps_the_capabilities_that_mean_something(void **state)
{
    struct box box;
    (void)state;
    need_root();
    box_make(&box);
    const uint64_t all = ~UINT64_C(0);
    box.spec.process.has_caps = true;
    box.spec.process.caps = (struct wrap_caps){all, all, all, all, all};
    box_prepare(&box, answer);
    assert_string_equal(status_of(box.child.pid, "CapEff"), "000000000000041e");
    assert_string_equal(status_of(box.child.pid, "CapBnd"), "000000000000041e");
    assert_string_equal(status_of(box.child.pid, "CapInh"), "0000000000000000");
    assert_string_equal(status_of(box.child.pid, "CapAmb"), "0000000000000000");
    box_drop(&box);
}

static void test_descriptors_of_the_parent_are_closed(void **state)
{
    struct box box;
    int extra[20];
    (void)state;
    need_root();
    box_make(&box);
    for (size_t i = 0; i < 20; i++) extra[i] = open("/", O_RDONLY);
    assert_int_equal(box_run(&box, count_descriptors), 4); /* three streams, the reports */
    for (size_t i = 0; i < 20; i++) close(extra[i]);
    box_drop(&box);
}

static int show_names(void)
{
    char name[65] = "";
    struct rlimit limit;
    gethostname(name, sizeof name);
    getrlimit(RLIMIT_NOFILE, &limit);
    dprintf(1, "%s %d %s", name, (int)limit.rlim_cur, environment);
    return 0;
}

static void test_names_limits_and_sysctls(void **state)
{
    struct box box;
    int code;
    struct wrap_rlimit limit = {RLIMIT_NOFILE, 64, 64};
    struct wrap_key_value rows[] = {{"net.ipv4.ip_unprivileged_port_start", "77"},
                                    {"kernel.shmmni", "128"}};
    (void)state;
    need_root();
    box_make(&box);
    box.spec.hostname = "gast";
    box.spec.process.rlimits = &limit;
    box.spec.process.rlimit_count = 1;
    box.spec.namespaces_new |= 1u << WRAP_NS_NETWORK;
    box.spec.sysctl = rows;
    box.spec.sysctl_count = 2;
    box.config.traceparent = "00-1-2-3";
    assert_int_equal(box_run(&box, show_names), 0);
    assert_string_equal(box.text, "gast 64 TRACEPARENT=00-1-2-3 ");
    static const char *const foreign[] = {
        "kernel.core_pattern",        "kernel.hostname", "vm.overcommit",
        "net/../kernel/core_pattern", "net..x",          ""};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        rows[0].key = foreign[i];
        assert_non_null(strstr(box_failure(&box, &code), "linux.sysctl"));
    }
    box.spec.sysctl_count = 0;
    box.spec.namespaces_new &= ~(1u << WRAP_NS_UTS);
    assert_non_null(strstr(box_failure(&box, &code), "uts namespace"));
    box_drop(&box);
}

static int look_at_devices(void)
{
    struct stat st;
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "mine"};
    for (size_t i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", names[i]);
        bool there = stat(path, &st) == 0 && S_ISCHR(st.st_mode);
        dprintf(1, "%s=%d,%o ", names[i], there ? (int)minor(st.st_rdev) : -1,
                (unsigned)st.st_mode & 0777);
    }
    SHOW("image", open_for("/home/null", O_RDWR));
    return 0;
}

static void test_devices_are_those_of_the_container(void **state)
{
    struct box box;
    struct wrap_device mine = {'c', "/dev/mine", 1, 3, 0640, 0, 0};
    (void)state;
    need_root();
    box_make(&box);
    if (mknod(in(&box, "rootfs/home/null"), S_IFCHR | 0666, makedev(1, 3)) != 0) {
        box_drop(&box);
        print_message("SKIPPED: no device nodes here\n");
        skip();
    }
    box.spec.devices = &mine;
    box.spec.device_count = 1;
    assert_int_equal(box_run(&box, look_at_devices), 0);
    assert_string_equal(box.text, "null=3,666 zero=5,666 full=7,666 random=8,666 urandom=9,666 "
                                  "mine=3,640 image=EACCES ");
    box_drop(&box);
}

static void test_roots_are_mounted_for_the_child_alone(void **state)
{
    struct box box;
    const char *options[] = {"rbind", "ro"};
    char source[128];
    char target[128];
    struct wrap_error err = {0};
    (void)state;
    need_root();
    box_make(&box);
    strcpy(source, in(&box, "rootfs"));
    strcpy(target, in(&box, "elsewhere"));
    const struct wrap_root_mount mount = {"bind", source, "", {options, 1}};
    box.spec.root = "elsewhere";
    box.config.root_mounts = &mount;
    box.config.root_mount_count = 1;
    assert_int_equal(box_run(&box, answer), 42);
    assert_false(mounted_below(box.bundle));
    const struct wrap_root_mount closed = {"bind", source, "", {options, 2}};
    assert_true(wrap_root_mount(&closed, 1, target, &err));
    assert_true(mounted_below(box.bundle));
    assert_int_equal(open_for(in(&box, "elsewhere/new"), O_CREAT | O_WRONLY), -1);
    assert_int_equal(errno, EROFS);
    assert_true(wrap_root_unmount(target, &err));
    assert_true(wrap_root_unmount(target, &err));
    assert_false(mounted_below(box.bundle));
    box_drop(&box);
}

static void test_overlay_with_layers_longer_than_a_page(void **state)
{
    enum { LAYERS = 60 };
    static char lower[LAYERS * 160];
    struct box box;
    char name[128];
    char folder[101];
    char upper[160];
    char work[160];
    struct wrap_error err = {0};
    (void)state;
    need_root();
    box_make(&box);
    memset(folder, 'l', 100);
    folder[100] = '\0';
    assert_int_equal(mkdir(in(&box, folder), 0755), 0);
    assert_int_equal(mkdir(in(&box, "up"), 0755), 0);
    assert_int_equal(mkdir(in(&box, "work"), 0755), 0);
    strcpy(lower, "lowerdir=");
    for (int i = 0; i < LAYERS; i++) {
        snprintf(name, sizeof name, "%s/%d", folder, i);
        assert_int_equal(mkdir(in(&box, name), 0755), 0);
        sprintf(lower + strlen(lower), "%s%s", i ? ":" : "", in(&box, name));
    }
    snprintf(upper, sizeof upper, "upperdir=%s", in(&box, "up"));
    snprintf(work, sizeof work, "workdir=%s", in(&box, "work"));
    const char *options[] = {work, upper, lower};
    char target[128];
    strcpy(target, in(&box, "rootfs"));
    const struct wrap_root_mount mount = {"overlay", "overlay", "/", {options, 3}};
    bool good = wrap_root_mount(&mount, 1, target, &err);
    if (!good && strstr(err.text, "No such device")) {
        box_drop(&box);
        print_message("SKIPPED: no overlay here\n");
        skip();
    }
    if (!good) fail_msg("%s", err.text);
    assert_true(wrap_root_unmount(target, &err));
    box_drop(&box);
}

static int call_uname(void)
{
    struct utsname name;
    SHOW("uname", uname(&name));
    SHOW("execve", syscall(SYS_execve, NULL, NULL, NULL));
    return 0;
}

static void test_the_profile_of_the_container_counts_as_well(void **state)
{
    struct box box;
    int code;
    const char *names[] = {"uname", "no_such_call"};
    struct wrap_seccomp_rule rules[] = {
        {.names = {names, 2}, .action = WRAP_SCMP_ERRNO, .errno_ret = EDOM}};
    (void)state;
    need_root();
    box_make(&box);
    box.spec.has_seccomp = true;
    box.spec.seccomp = (struct wrap_seccomp){
        .default_action = WRAP_SCMP_ALLOW, .default_errno = EPERM, .rules = rules, .rule_count = 1};
    assert_int_equal(box_run(&box, call_uname), 0);
    assert_string_equal(box.text, "uname=EDOM execve=EPERM ");
    rules[0].action = WRAP_SCMP_NOTIFY;
    assert_true(strlen(box_failure(&box, &code)) > 0);
    assert_int_equal(code, 126);
    box_drop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_guest_can_do_what_wasi_needs_and_no_more),
        cmocka_unit_test(test_read_only_is_read_only),
        cmocka_unit_test(test_masked_and_read_only_paths),
        cmocka_unit_test(test_destinations_stay_in_the_root),
        cmocka_unit_test(test_destinations_that_change_meanwhile_stay_in_the_root),
        cmocka_unit_test(test_a_volume_brings_no_procfs),
        cmocka_unit_test(test_identity_and_locks_are_as_asked),
        cmocka_unit_test(test_root_keeps_the_capabilities_that_mean_something),
        cmocka_unit_test(test_descriptors_of_the_parent_are_closed),
        cmocka_unit_test(test_names_limits_and_sysctls),
        cmocka_unit_test(test_devices_are_those_of_the_container),
        cmocka_unit_test(test_roots_are_mounted_for_the_child_alone),
        cmocka_unit_test(test_overlay_with_layers_longer_than_a_page),
        cmocka_unit_test(test_the_profile_of_the_container_counts_as_well),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
