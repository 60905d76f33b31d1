/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_box.h - a small container for tests: its folder, its configuration and, in place of an
 * interpreter, a C function of the test. For one file each: it defines wrap_program_load and its
 * like.
 */
#ifndef WRAPPERS_TESTS_CONTAINER_BOX_H
#define WRAPPERS_TESTS_CONTAINER_BOX_H

#include "common/program.h"
#include "sandbox/container.h"

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

/* ---------------------------------------------------------------- in place of an interpreter */

/** Runs as the guest: prints what it found, answers with the exit code. */
typedef int (*guest_fn)(void);
static guest_fn guest_now;
static struct wrap_error guest_reason; /* why its run ended */
static char preopens[1024];            /* that the guest got */
static char environment[1024];
static struct wr_usage *guest_usage; /* where its figures go */

bool wrap_program_load(const struct wrap_program_config *config, struct wrap_program **out,
                       struct wrap_error *err)
{
    char magic[4];
    *out = NULL;
    guest_usage = config->usage;
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

void wrap_program_make_ready(struct wrap_program *program) { (void)program; }

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
static inline const char *in(const struct box *box, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", box->bundle, name);
    return path;
}

static inline void put(const struct box *box, const char *name, const char *bytes, size_t size)
{
    int fd = open(in(box, name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static inline bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static inline void add_mount(struct box *box, const char *type, const char *source,
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

static inline void make_tree(struct box *box)
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
static inline void box_make(struct box *box)
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

static inline void close_child(struct wrap_child *child)
{
    const int fds[] = {child->pidfd, child->report_fd, child->control_fd};
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
    *child = (struct wrap_child){.pid = -1, .pidfd = -1, .report_fd = -1, .control_fd = -1};
}

/* Its exit code, or KILLED + the signal. */
static inline int reap(struct wrap_child *child)
{
    int status = 0;
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close_child(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

static inline void remove_tree(const char *path)
{
    char command[320];
    snprintf(command, sizeof command, "rm -rf --one-file-system %s", path);
    assert_int_equal(system(command), 0);
}

static inline bool mounted_below(const char *path)
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
static inline void box_drop(struct box *box)
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

static inline enum wrap_report_kind next_report(const struct wrap_child *child,
                                                struct wrap_report *out)
{
    struct pollfd wait = {.fd = child->report_fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_int_equal(wrap_container_report(child->report_fd, out), 1);
    return out->kind;
}

static inline int open_output(struct box *box)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (box->output >= 0) close(box->output);
    box->output = ends[0];
    box->config.stdio[1] = ends[1];
    return ends[1];
}

static inline void read_output(struct box *box)
{
    size_t used = 0;
    ssize_t got;
    while ((got = read(box->output, box->text + used, sizeof box->text - 1 - used)) > 0) {
        used += (size_t)got;
    }
    box->text[used] = '\0';
}

static inline void expect_ready(const struct wrap_child *child)
{
    struct wrap_report report;
    enum wrap_report_kind kind = next_report(child, &report);
    if (kind == WRAP_REPORT_LOCKED) kind = next_report(child, &report); /* a pause has no module */
    if (kind != WRAP_REPORT_READY) print_error("%s\n", report.error.text);
    assert_int_equal(kind, WRAP_REPORT_READY);
}

/* Until the guest would begin. */
static inline void box_prepare(struct box *box, guest_fn guest)
{
    struct wrap_error err = {0};
    int out = open_output(box);
    guest_now = guest;
    if (!wrap_container_fork(&box->config, &box->child, &err)) fail_msg("%s", err.text);
    close(out);
    expect_ready(&box->child);
}

static inline int box_run(struct box *box, guest_fn guest)
{
    box_prepare(box, guest);
    assert_true(wrap_container_go(box->child.control_fd));
    read_output(box);
    return reap(&box->child);
}

/* The text with which it fails; its exit code in *code. */
static inline const char *box_failure(struct box *box, int *code)
{
    static struct wrap_report report;
    struct wrap_error err = {0};
    int out = open_output(box);
    if (!wrap_container_fork(&box->config, &box->child, &err)) fail_msg("%s", err.text);
    close(out);
    if (next_report(&box->child, &report) == WRAP_REPORT_LOCKED) next_report(&box->child, &report);
    assert_int_equal(report.kind, WRAP_REPORT_FAILED);
    *code = reap(&box->child);
    return report.error.text;
}

static inline void need_root(void)
{
    enum { SYS_ADMIN = 21 };
    bool is_root = geteuid() == 0 && prctl(PR_CAPBSET_READ, SYS_ADMIN, 0, 0, 0) == 1;
    if (is_root && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0) return;
    print_message("SKIPPED: containers need %s\n", is_root ? "seccomp" : "root");
    skip();
}

/* ThreadSanitizer gives a forked process a thread of its own, whose locks containers made by it
 * would inherit. */
static inline void need_forks_of_one_thread(void)
{
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    print_message("SKIPPED: forked processes have a thread of ThreadSanitizer\n");
    skip();
#endif
#endif
}

/* In a guest: what an attempt ends in. */
#define SHOW(name, call)                                                                           \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long got_ = (long)(call);                                                                  \
        dprintf(1, "%s=%s ", name, got_ < 0 ? strerrorname_np(errno) : "ok");                      \
    } while (0)

static inline long open_for(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd;
}

/* ---------------------------------------------------------------- guests, and what is seen of them
 */

static inline int answer(void)
{
    dprintf(1, "hello");
    return 42;
}

static inline int sleep_long(void)
{
    const struct timespec second = {1, 0};
    while (nanosleep(&second, NULL) <= 0) {
    }
    return 0;
}

static inline int write_everywhere(void)
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

static inline int count_descriptors(void)
{
    int open_ones = 0;
    for (int fd = 0; fd < 512; fd++) {
        struct stat st;
        open_ones += fstat(fd, &st) == 0;
    }
    return open_ones;
}

/* A line of /proc/<pid>/status. */
static inline const char *status_of(pid_t pid, const char *name)
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

static inline bool same_ns(pid_t pid, const char *name)
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

#endif