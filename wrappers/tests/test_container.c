/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container.c - makes containers and tries, from where a guest's interpreter would run, what
 * they must refuse and what they must leave; the parent looks at them from outside. In place of an
 * interpreter there is a C function of the test. Needs root; skipped loudly without.
 */
#include "sandbox/container.h"

#include "common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "container_stubs.h"

/* ---------------------------------------------------------------- in place of an interpreter */

/** Runs as the guest: prints what it found, answers with the exit code. */
typedef int (*guest_fn)(void);
static guest_fn guest_now;
static struct wrap_error guest_reason; /* why its run ended */
static char preopens[1024];            /* that the guest got */
static char environment[1024];

bool wrap_program_load(const struct wrap_program_config *config, struct wrap_program **out,
                       struct wrap_error *err)
{
    char magic[4];
    *out = NULL;
    for (size_t i = 0; i < config->preopen_count; i++) {
        size_t used = strlen(preopens);
        snprintf(preopens + used, sizeof preopens - used, "%s=%s ", config->preopens[i].guest,
                 config->preopens[i].read_only ? "ro" : "rw");
    }
    for (size_t i = 0; i < config->env.count; i++) {
        size_t used = strlen(environment);
        snprintf(environment + used, sizeof environment - used, "%s ", config->env.items[i]);
    }
    return (pread(config->module_fd, magic, 4, 0) == 4 && memcmp(magic, "\0asm", 4) == 0) ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "not a module");
}

int wrap_program_run(struct wrap_program *program, struct wrap_error *why)
{
    (void)program;
    *why = guest_reason;
    return guest_now();
}

/* ---------------------------------------------------------------- a container */

enum { MOUNTS_MAX = 12, KILLED = 1000 };

struct box {
    char bundle[64];
    struct wrap_spec spec;
    struct wrap_spec_mount mounts[MOUNTS_MAX];
    char *options[MOUNTS_MAX]; /* what the mounts' options point into */
    const char *args[2];
    const char *env[1];
    struct wrap_container_config config;
    struct wrap_child child;
    int output;      /* read end of the guest's standard output */
    char text[8192]; /* what it wrote */
};

/* A path in the bundle, good until the eighth next call. */
static const char *in(const struct box *box, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", box->bundle, name);
    return path;
}

static void put(const struct box *box, const char *name, const char *bytes, size_t size)
{
    int fd = open(in(box, name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void add_mount(struct box *box, const char *type, const char *source,
                      const char *destination, const char *options)
{
    size_t index = box->spec.mount_count++;
    struct wrap_spec_mount *mount = &box->mounts[index];
    assert_true(index < MOUNTS_MAX);
    *mount = (struct wrap_spec_mount){.type = type, .source = source, .destination = destination};
    mount->options.items = calloc(16, sizeof(char *));
    char *save = NULL;
    box->options[index] = strdup(options);
    for (char *word = strtok_r(box->options[index], ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        mount->options.items[mount->options.count++] = word;
    }
}

static void make_tree(struct box *box)
{
    static const char *const folders[] = {"rootfs",     "rootfs/bin", "rootfs/dev", "rootfs/secret",
                                          "rootfs/etc", "volume",     "outside",    "rootfs/home"};
    strcpy(box->bundle, "/tmp/wrap-container-XXXXXX");
    assert_non_null(mkdtemp(box->bundle));
    assert_int_equal(chmod(box->bundle, 0755), 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        assert_int_equal(mkdir(in(box, folders[i]), 0755), 0);
    }
    put(box, "rootfs/app.wasm", "\0asm\1\0\0\0", 8);
    put(box, "rootfs/bin/sh", "\177ELF....", 8);
    put(box, "rootfs/secret/file", "text", 4);
    put(box, "rootfs/etc/hosts", "image", 5);
    put(box, "volume/file", "text", 4);
    put(box, "outside/file", "outside", 7);
}

/* Everything is given that a pod's container has, but networks, which cost time. */
static void box_make(struct box *box)
{
    *box = (struct box){.output = -1};
    make_tree(box);
    guest_reason = (struct wrap_error){0};
    preopens[0] = environment[0] = '\0';
    struct wrap_spec *spec = &box->spec;
    box->args[0] = "/app.wasm";
    spec->version = "1.0.2";
    spec->hostname = spec->domainname = spec->rootfs_propagation = spec->mount_label = "";
    spec->cgroups_path = "";
    spec->root = "rootfs";
    spec->has_process = true;
    spec->process.args = (struct wrap_strings){box->args, 1};
    spec->process.env = (struct wrap_strings){box->env, 0};
    spec->process.cwd = "/";
    spec->process.umask = (uint32_t)-1;
    spec->process.apparmor_profile = spec->process.selinux_label = "";
    spec->mounts = box->mounts;
    spec->namespaces_new =
        1u << WRAP_NS_PID | 1u << WRAP_NS_MOUNT | 1u << WRAP_NS_IPC | 1u << WRAP_NS_UTS;
    box->config = (struct wrap_container_config){
        .id = "box",
        .bundle = box->bundle,
        .spec = spec,
        .kind = WRAP_KIND_LOOK,
        .stdio = {-1, -1, STDERR_FILENO},
        .console = -1,
    };
    box->child = (struct wrap_child){.pid = -1, .pidfd = -1, .report_fd = -1, .control_fd = -1};
    add_mount(box, "proc", "proc", "/proc", "nosuid,noexec,nodev");
    add_mount(box, "tmpfs", "tmpfs", "/dev", "nosuid,strictatime,mode=755,size=65536k");
    add_mount(box, "devpts", "devpts", "/dev/pts", "nosuid,noexec,newinstance");
}

static void close_child(struct wrap_child *child)
{
    const int fds[] = {child->pidfd, child->report_fd, child->control_fd};
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
    *child = (struct wrap_child){.pid = -1, .pidfd = -1, .report_fd = -1, .control_fd = -1};
}

/* Its exit code, or KILLED + the signal. */
static int reap(struct wrap_child *child)
{
    int status = 0;
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close_child(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

static void remove_tree(const char *path)
{
    char command[320];
    snprintf(command, sizeof command, "rm -rf --one-file-system %s", path);
    assert_int_equal(system(command), 0);
}

static bool mounted_below(const char *path)
{
    char line[4096];
    bool found = false;
    FILE *file = fopen("/proc/self/mountinfo", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        found = found || strstr(line, path);
    }
    fclose(file);
    return found;
}

/* Whatever a test did, nothing may be left of it in the host's mounts. */
static void box_drop(struct box *box)
{
    if (box->child.pid > 0) {
        kill(box->child.pid, SIGKILL);
        reap(&box->child);
    }
    if (box->output >= 0) close(box->output);
    assert_false(mounted_below(box->bundle));
    for (size_t i = 0; i < box->spec.mount_count; i++) {
        free(box->mounts[i].options.items);
        free(box->options[i]);
    }
    remove_tree(box->bundle);
}

static enum wrap_report_kind next_report(const struct wrap_child *child, struct wrap_report *out)
{
    struct pollfd wait = {.fd = child->report_fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_int_equal(wrap_container_report(child->report_fd, out), 1);
    return out->kind;
}

static int open_output(struct box *box)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (box->output >= 0) close(box->output);
    box->output = ends[0];
    box->config.stdio[1] = ends[1];
    return ends[1];
}

static void read_output(struct box *box)
{
    size_t used = 0;
    ssize_t got;
    while ((got = read(box->output, box->text + used, sizeof box->text - 1 - used)) > 0) {
        used += (size_t)got;
    }
    box->text[used] = '\0';
}

static void expect_ready(const struct wrap_child *child)
{
    struct wrap_report report;
    enum wrap_report_kind kind = next_report(child, &report);
    if (kind == WRAP_REPORT_CREATED) kind = next_report(child, &report);
    if (kind != WRAP_REPORT_READY) print_error("%s\n", report.error.text);
    assert_int_equal(kind, WRAP_REPORT_READY);
}

/* Until the guest would begin. */
static void box_prepare(struct box *box, guest_fn guest)
{
    struct wrap_error err = {0};
    int out = open_output(box);
    guest_now = guest;
    if (!wrap_container_fork(&box->config, &box->child, &err)) fail_msg("%s", err.text);
    close(out);
    expect_ready(&box->child);
}

static int box_run(struct box *box, guest_fn guest)
{
    box_prepare(box, guest);
    assert_true(wrap_container_go(box->child.control_fd));
    read_output(box);
    return reap(&box->child);
}

/* The text with which it fails; its exit code in *code. */
static const char *box_failure(struct box *box, int *code)
{
    static struct wrap_report report;
    struct wrap_error err = {0};
    int out = open_output(box);
    if (!wrap_container_fork(&box->config, &box->child, &err)) fail_msg("%s", err.text);
    close(out);
    while (next_report(&box->child, &report) == WRAP_REPORT_CREATED) {
    }
    assert_int_equal(report.kind, WRAP_REPORT_FAILED);
    *code = reap(&box->child);
    return report.error.text;
}

static void need_root(void)
{
    if (geteuid() == 0 && prctl(PR_CAPBSET_READ, 21 /* CAP_SYS_ADMIN */, 0, 0, 0) == 1) return;
    print_message("SKIPPED: containers need root\n");
    skip();
}

/* In a guest: what an attempt ends in. */
#define SHOW(name, call)                                                                           \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long got_ = (long)(call);                                                                  \
        dprintf(1, "%s=%s ", name, got_ < 0 ? strerrorname_np(errno) : "ok");                      \
    } while (0)

static long open_for(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd;
}

/* ---------------------------------------------------------------- life */

static int answer(void)
{
    dprintf(1, "hello");
    return 42;
}

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

static int sleep_long(void)
{
    for (;;) {
        struct timespec second = {1, 0};
        nanosleep(&second, NULL);
    }
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
    assert_int_equal(next_report(&box.child, &report), WRAP_REPORT_READY);
    assert_true(wrap_container_go(box.child.control_fd));
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

static int write_everywhere(void)
{
    SHOW("root", open_for("/home/new", O_CREAT | O_WRONLY));
    SHOW("volume", open_for("/data/new", O_CREAT | O_WRONLY));
    SHOW("ro", open_for("/fixed/file", O_WRONLY));
    SHOW("ro-read", open_for("/fixed/file", O_RDONLY));
    SHOW("tmp", open_for("/tmp/new", O_CREAT | O_WRONLY));
    SHOW("ro-tmp", open_for("/rotmp/new", O_CREAT | O_WRONLY));
    SHOW("hosts", open_for("/etc/hosts", O_WRONLY));
    SHOW("dev", open_for("/dev/new", O_CREAT | O_WRONLY));
    dprintf(1, "[%s]", preopens);
    return 0;
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

/* A line of /proc/<pid>/status. */
static const char *status_of(pid_t pid, const char *name)
{
    static char lines[4][256];
    static unsigned next;
    char *line = lines[next++ % 4];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = strlen(name);
    bool found = false;
    while (!found && fgets(line, sizeof lines[0], file)) {
        found = strncmp(line, name, length) == 0 && line[length] == ':';
    }
    fclose(file);
    assert_true(found);
    char *value = line + length + 1 + strspn(line + length + 1, "\t ");
    value[strcspn(value, "\n")] = '\0';
    return value;
}

static bool same_ns(pid_t pid, const char *name)
{
    char path[64];
    struct stat one;
    struct stat other;
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    assert_int_equal(stat(path, &one), 0);
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
    assert_int_equal(stat(path, &other), 0);
    return one.st_ino == other.st_ino;
}

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

static int count_descriptors(void)
{
    int open_ones = 0;
    for (int fd = 0; fd < 512; fd++) {
        struct stat st;
        open_ones += fstat(fd, &st) == 0;
    }
    return open_ones;
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
        if (dirty <= 24) break;
        usleep(10000);
    }
    print_message("pause: %ld kB private and dirty, %ld kB in all\n", dirty, pss);
#if !defined(__SANITIZE_ADDRESS__)
    assert_in_range(dirty, 0, 24);
#endif
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
    const struct wrap_container_join join = {box.child.pid, &process};
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
        cmocka_unit_test(test_a_linux_program_is_said_to_be_one),
        cmocka_unit_test(test_failures_have_texts_and_codes),
        cmocka_unit_test(test_the_guest_can_do_what_wasi_needs_and_no_more),
        cmocka_unit_test(test_read_only_is_read_only),
        cmocka_unit_test(test_masked_and_read_only_paths),
        cmocka_unit_test(test_destinations_stay_in_the_root),
        cmocka_unit_test(test_a_volume_brings_no_procfs),
        cmocka_unit_test(test_identity_and_locks_are_as_asked),
        cmocka_unit_test(test_root_keeps_the_capabilities_that_mean_something),
        cmocka_unit_test(test_descriptors_of_the_parent_are_closed),
        cmocka_unit_test(test_names_limits_and_sysctls),
        cmocka_unit_test(test_devices_are_those_of_the_container),
        cmocka_unit_test(test_pause_waits_and_takes_little),
        cmocka_unit_test(test_exec_joins_a_running_container),
        cmocka_unit_test(test_namespaces_of_a_pod_are_joined),
        cmocka_unit_test(test_user_namespaces_are_entered_last),
        cmocka_unit_test(test_roots_are_mounted_for_the_child_alone),
        cmocka_unit_test(test_overlay_with_layers_longer_than_a_page),
        cmocka_unit_test(test_the_process_is_in_its_group_before_anything_else),
        cmocka_unit_test(test_older_hosts_are_no_less_isolated),
        cmocka_unit_test(test_a_terminal_becomes_the_controlling_one),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
