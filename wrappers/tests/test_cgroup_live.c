/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cgroup_live.c - real groups, on whatever this host has, in a view that has v2 alone, and
 * through a systemd that is not real. They need root and run in children, since a process looks at
 * its host once.
 */
#include "sandbox/cgroup_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------------------------------------------------------------- live */

#define CHECK(what) check(what, #what, __LINE__)
static struct wrap_error err;
static void check(bool good, const char *what, int line)
{
    if (!good) {
        fprintf(stderr, "test_cgroup.c:%d: %s (%s)\n", line, what, err.text);
        _exit(1);
    }
}

enum { SKIPPED = 77 };
static void skipped(const char *why)
{
    fprintf(stderr, "SKIPPED: %s\n", why);
    _exit(SKIPPED);
}

static void live(void (*body)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() != 0) {
            skipped("groups need root");
        }
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        skip();
    }
    assert_int_equal(status, 0);
}

static char path[128];
static struct wrap_cgroup_config config_of(const char *name, const struct wrap_resources *resources)
{
    snprintf(path, sizeof path, "/wasmrun-test-%d/%s", (int)getpid(), name);
    return (struct wrap_cgroup_config){.path = path, .id = name, .resources = resources};
}

static void remove_parent(void)
{
    struct wrap_cgroup *parent;
    snprintf(path, sizeof path, "/wasmrun-test-%d", (int)getpid());
    struct wrap_cgroup_config config = {.path = path, .id = "x"};
    if (wrap_cgroup_open(&config, &parent, &err)) {
        CHECK(wrap_cgroup_delete(parent, 2000, &err));
        wrap_cgroup_free(parent);
    }
    err = (struct wrap_error){0};
    CHECK(!wrap_cgroup_open(&config, &parent, &err) && err.code == WRAP_NOT_FOUND);
    err = (struct wrap_error){0};
}

static bool writable(void)
{
    const struct wrap_host *host = wrap_host_get();
    return host->count > 0 && access(host->items[host->count - 1].mount, W_OK) == 0;
}

/* Forks, into the folder of v2 when `folder` is one. */
static pid_t fork_into(int folder)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)folder};
    return folder < 0 ? fork() : (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* A child that is in the group and waits. */
static pid_t inside(struct wrap_cgroup *group, int folder)
{
    int ends[2];
    char byte = 0;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork_into(folder);
    if (pid < 0) {
        CHECK(errno == ENOSYS || errno == E2BIG); /* a kernel without it */
        close(ends[0]);
        close(ends[1]);
        return inside(group, -1);
    }
    if (pid == 0) {
        CHECK(wrap_cgroup_enter(group, folder >= 0, &err));
        CHECK(write(ends[1], &byte, 1) == 1);
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    return pid;
}

static uint64_t number(struct wrap_cgroup *group, enum wrap_controller controller, const char *file)
{
    uint64_t value = 0;
    int dir = wrap_cgroup_dir_of(group, controller);
    CHECK(dir >= 0 && wrap_cgroup_number(dir, file, &value));
    close(dir);
    return value;
}

static void holds_and_dies(struct wrap_cgroup *group)
{
    pid_t *pids;
    size_t count;
    int status;
    pid_t pid = inside(group, wrap_cgroup_clone_fd(group));
    CHECK(wrap_cgroup_pids(group, &pids, &count, &err) && count == 1 && pids[0] == pid);
    free(pids);
    CHECK(wrap_cgroup_freeze(group, true, &err));
    CHECK(!wrap_cgroup_delete(group, 20, &err) && err.code == WRAP_FAILED_PRECONDITION);
    err = (struct wrap_error){0};
    CHECK(wrap_cgroup_kill(group, &err)); /* frozen as it is */
    CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
    CHECK(wrap_cgroup_freeze(group, false, &err));
    pid = inside(group, -1);
    CHECK(wrap_cgroup_freeze(group, true, &err) && wrap_cgroup_freeze(group, false, &err));
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
}

static void live_life(void)
{
    struct wrap_cgroup *group;
    struct wrap_cgroup *second;
    if (!writable()) {
        skipped("no group can be made here");
    }
    struct wrap_cgroup_config config = config_of("life", NULL);
    CHECK(wrap_cgroup_create(&config, &group, &err));
    holds_and_dies(group);
    pid_t pid = inside(group, -1);
    CHECK(!wrap_cgroup_create(&config, &second, &err) && err.code == WRAP_ALREADY_EXISTS);
    err = (struct wrap_error){0};
    CHECK(wrap_cgroup_open(&config, &second, &err));
    CHECK(wrap_cgroup_kill(second, &err) && waitpid(pid, NULL, 0) == pid);
    CHECK(wrap_cgroup_delete(second, 2000, &err) && wrap_cgroup_delete(group, 0, &err));
    CHECK(wrap_cgroup_kill(group, &err));
    wrap_cgroup_free(second);
    wrap_cgroup_free(group);
    remove_parent();
}

static struct wrap_resources some_limits(void)
{
    return (struct wrap_resources){
        .memory_limit = {true, 64 << 20},
        .memory_swap = {true, 64 << 20},
        .cpu_shares = {true, 512},
        .cpu_quota = {true, 50000},
        .cpu_period = {true, 100000},
        .pids_limit = {true, 20},
    };
}

static void skip_without_v1(void)
{
    const struct wrap_host *host = wrap_host_get();
    if (!writable() || !wrap_host_with(host, WRAP_CTL_MEMORY) ||
        !wrap_host_with(host, WRAP_CTL_CPU) || !wrap_host_with(host, WRAP_CTL_PIDS)) {
        skipped("no memory, cpu and pids of cgroup v1 here");
    }
}

static void check_rare(const struct wrap_cgroup *group, const struct wrap_cgroup_stats *stats)
{
    static struct wrap_cgroup_rare rare;
    uint64_t sum = 0;
    wrap_cgroup_rare(group, &rare);
    CHECK(rare.cpu_count > 0 && rare.cpu_count == rare.mode_count);
    for (size_t i = 0; i < rare.cpu_count; i++) sum += rare.cpu_ns[i];
    CHECK(sum >= stats->cpu_total_ns); /* read later */
    CHECK(rare.swap.max >= rare.kernel.max && rare.kernel.max > 0);
    CHECK(strcmp(rare.sets[7].name, "sched_load_balance") == 0 && rare.sets[7].value <= 1);
    if (wrap_host_with(wrap_host_get(), WRAP_CTL_CPUSET)) {
        CHECK(rare.cpus[0] >= '0' && rare.cpus[0] <= '9' && rare.mems[0] == '0');
        CHECK(rare.sets[8].value >= -1);
    }
}

static void live_limits_v1(void)
{
    static struct wrap_device_rule rules[] = {{false, 'a', -1, -1, "rwm"},
                                              {true, 'a', 10, 229, "r"}};
    struct wrap_resources limits = some_limits();
    struct wrap_cgroup *group;
    struct wrap_cgroup_stats stats;
    skip_without_v1();
    if (wrap_host_with(wrap_host_get(), WRAP_CTL_DEVICES)) {
        limits.device_rules = rules;
        limits.device_rule_count = 2;
    }
    struct wrap_cgroup_config config = config_of("limits", &limits);
    CHECK(wrap_cgroup_create(&config, &group, &err));
    CHECK(number(group, WRAP_CTL_MEMORY, "memory.limit_in_bytes") == 64 << 20);
    CHECK(number(group, WRAP_CTL_CPU, "cpu.shares") == 512);
    CHECK(number(group, WRAP_CTL_CPU, "cpu.cfs_quota_us") == 50000);
    struct wrap_resources more = {.memory_limit = {true, 128 << 20},
                                  .memory_swap = {true, 128 << 20},
                                  .cpu_quota = {true, 2000},
                                  .cpu_period = {true, 2000}};
    CHECK(wrap_cgroup_update(group, &more, &err));
    CHECK(number(group, WRAP_CTL_MEMORY, "memory.memsw.limit_in_bytes") == 128 << 20);
    limits.device_rule_count = 0;
    CHECK(wrap_cgroup_update(group, &limits, &err)); /* lower again */
    CHECK(number(group, WRAP_CTL_MEMORY, "memory.memsw.limit_in_bytes") == 64 << 20);
    more = (struct wrap_resources){.memory_limit = {true, -1}, .pids_limit = {true, -1}};
    CHECK(wrap_cgroup_update(group, &more, &err));
    more = (struct wrap_resources){.cpu_shares = {true, 262144}, .pids_limit = {true, 7}};
    CHECK(wrap_cgroup_update(group, &more, &err));
    pid_t pid = inside(group, -1);
    CHECK(wrap_cgroup_stats(group, &stats, &err));
    CHECK(stats.version == WRAP_CGROUP_V1 && stats.pids_current == 1 && stats.pids_limit == 7);
    CHECK(stats.memory_count > 10 && stats.cpu_total_ns > 0 && stats.memory_usage > 0);
    check_rare(group, &stats);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(wrap_cgroup_delete(group, 2000, &err));
    CHECK(!wrap_cgroup_stats(group, &stats, &err) && err.code == WRAP_NOT_FOUND);
    err = (struct wrap_error){0};
    wrap_cgroup_free(group);
    remove_parent();
}

static void live_refused_limit_leaves_nothing(void)
{
    struct wrap_cgroup *group;
    skip_without_v1();
    struct wrap_resources limits = {.memory_swap = {true, 64 << 20},
                                    .memory_limit = {true, 1 << 30}};
    struct wrap_cgroup_config config = config_of("refused", &limits);
    CHECK(!wrap_cgroup_create(&config, &group, &err));
    CHECK(strstr(err.text, "memory.memsw.limit_in_bytes") && strstr(err.text, "67108864"));
    err = (struct wrap_error){0};
    limits = (struct wrap_resources){.cpus = "4000"};
    CHECK(!wrap_cgroup_create(&config, &group, &err) && strstr(err.text, "cpuset"));
    err = (struct wrap_error){0};
    struct wrap_key_value pair = {"memory.high", "1"};
    limits = (struct wrap_resources){.unified = &pair, .unified_count = 1};
    CHECK(!wrap_cgroup_create(&config, &group, &err) && err.code == WRAP_INVALID_ARGUMENT);
    err = (struct wrap_error){0};
    snprintf(path, sizeof path, "/wasmrun-test-%d", (int)getpid());
    CHECK(!wrap_cgroup_open(&config, &group, &err) && err.code == WRAP_NOT_FOUND);
}

static void live_lack_of_memory(void)
{
    struct wrap_resources limits = {.memory_limit = {true, 8 << 20}};
    struct wrap_cgroup *group;
    int status;
    skip_without_v1();
    struct wrap_cgroup_config config = config_of("oom", &limits);
    CHECK(wrap_cgroup_create(&config, &group, &err));
    int fd = wrap_cgroup_oom_fd(group);
    if (fd < 0) {
        CHECK(wrap_cgroup_delete(group, 1000, &err));
        remove_parent();
        skipped("no news of lacking memory from this kernel");
    }
    CHECK(!wrap_cgroup_oom_happened(group));
    limits = (struct wrap_resources){.memory_swap = {true, 8 << 20}};
    (void)wrap_cgroup_update(group, &limits, NULL); /* where swap is counted */
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(wrap_cgroup_enter(group, false, &err));
        char *much =
            mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(much, 1, 64 << 20);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK(poll(&wait, 1, 5000) == 1);
    CHECK(wrap_cgroup_oom_happened(group) && !wrap_cgroup_oom_happened(group));
    CHECK(wrap_cgroup_delete(group, 2000, &err));
    wrap_cgroup_free(group);
    remove_parent();
}

/* ---------------------------------------------------------------- live, v2 alone */

static void only_v2(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0) {
        skipped("no view of cgroup v2 can be made");
    }
    CHECK(wrap_cgroup_host() == WRAP_CGROUP_V2);
}

static void live_v2(void)
{
    struct wrap_cgroup *group;
    struct wrap_cgroup_stats stats;
    only_v2();
    struct wrap_cgroup_config config = config_of("two", NULL);
    CHECK(wrap_cgroup_create(&config, &group, &err));
    CHECK(wrap_cgroup_clone_fd(group) >= 0);
    holds_and_dies(group);
    CHECK(wrap_cgroup_stats(group, &stats, &err) && stats.version == WRAP_CGROUP_V2);
    CHECK(stats.cpu_total_ns > 0);
    if (stats.huge_count > 0) {
        struct wrap_huge_limit huge = {stats.huge[0].page_size, 0};
        struct wrap_resources limits = {.huge_limits = &huge, .huge_limit_count = 1};
        struct wrap_key_value pair = {"hugetlb.2MB.max", "4194304\nmax"};
        CHECK(wrap_cgroup_update(group, &limits, &err));
        CHECK(wrap_cgroup_stats(group, &stats, &err) && stats.huge[0].max == 0);
        limits = (struct wrap_resources){.unified = &pair, .unified_count = 1};
        CHECK(strcmp(huge.page_size, "2MB") != 0 || wrap_cgroup_update(group, &limits, &err));
        pair.key = "cgroup.procs";
        CHECK(!wrap_cgroup_update(group, &limits, &err) && err.code == WRAP_INVALID_ARGUMENT);
        err = (struct wrap_error){0};
    }
    struct wrap_resources tuned = {.memory_swappiness = {true, 10}};
    CHECK(!wrap_cgroup_update(group, &tuned, &err) && strstr(err.text, "swappiness"));
    err = (struct wrap_error){0};
    CHECK(mkdir("/sys/fs/cgroup/wasmrun-test-x", 0755) == 0 &&
          rmdir("/sys/fs/cgroup/wasmrun-test-x") == 0);
    CHECK(wrap_cgroup_delete(group, 2000, &err));
    wrap_cgroup_free(group);
    remove_parent();
}

/* ---------------------------------------------------------------- live, systemd */

static pid_t started[2];

static pid_t start(const char *const argv[])
{
    int ends[2];
    char text[8];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(open("/dev/null", O_WRONLY), 2);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], text, sizeof text); /* both say something when they are ready */
    close(ends[0]);
    return got > 0 ? pid : -1;
}

static char scratch[64];

static void stop_all(void)
{
    char command[128];
    for (size_t i = 0; i < 2; i++) {
        if (started[i] > 0) {
            kill(started[i], SIGKILL);
            waitpid(started[i], NULL, 0);
        }
    }
    snprintf(command, sizeof command, "rm -r %s", scratch);
    CHECK(system(command) == 0);
}

static void start_systemd(void)
{
    char text[600];
    char configuration[96];
    char log[96];
    const struct wrap_hierarchy *tree = wrap_host_with(wrap_host_get(), WRAP_CTL_SYSTEMD);
    snprintf(scratch, sizeof scratch, "/tmp/wasmrun-bus-XXXXXX");
    CHECK(mkdtemp(scratch) != NULL);
    snprintf(configuration, sizeof configuration, "%s/bus.conf", scratch);
    snprintf(log, sizeof log, "%s/log", scratch);
    FILE *file = fopen(configuration, "w");
    fprintf(file,
            "<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
            "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
            "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
            scratch);
    fclose(file);
    snprintf(text, sizeof text, "unix:path=%s/bus", scratch);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", text, 1);
    snprintf(text, sizeof text, "--config-file=%s", configuration);
    started[0] = start(
        (const char *const[]){"/usr/bin/dbus-daemon", text, "--nofork", "--print-address", NULL});
    if (started[0] > 0) {
        started[1] = start((const char *const[]){
            "/usr/bin/python3", WRAP_TESTS_DIR "/fake_systemd.py", tree->mount, log, NULL});
    }
    if (started[0] < 0 || started[1] < 0) {
        stop_all();
        skipped("no dbus-daemon, or no dbus and gi for /usr/bin/python3");
    }
}

static bool logged(const char *words)
{
    char name[96];
    char text[4096];
    snprintf(name, sizeof name, "%s/log", scratch);
    FILE *file = fopen(name, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = '\0';
    if (file) {
        fclose(file);
    }
    return strstr(text, words) != NULL;
}

static void live_systemd(void)
{
    struct wrap_resources limits = some_limits();
    struct wrap_resources more = {.pids_limit = {true, -1}};
    struct wrap_cgroup *group;
    char slice[64];
    pid_t *pids;
    size_t count;
    skip_without_v1();
    if (access("/usr/bin/busctl", X_OK) != 0 ||
        !wrap_host_with(wrap_host_get(), WRAP_CTL_SYSTEMD)) {
        skipped("no busctl, or no hierarchy name=systemd");
    }
    start_systemd();
    snprintf(slice, sizeof slice, "wasmruntest%d-pod.slice:cri:abc", (int)getpid());
    struct wrap_cgroup_config config = {
        .path = slice, .id = "x", .systemd = true, .resources = &limits};
    CHECK(wrap_cgroup_create(&config, &group, &err));
    CHECK(!logged("start") && wrap_cgroup_clone_fd(group) == -1);
    pid_t pid = inside(group, -1);
    CHECK(logged("start cri-abc.scope fail") && logged("('Delegate', '1')"));
    CHECK(logged("('MemoryLimit', '67108864')") && logged("('CPUQuotaPerSecUSec', '500000')"));
    CHECK(wrap_cgroup_pids(group, &pids, &count, &err) && count == 1 && pids[0] == pid);
    free(pids);
    CHECK(number(group, WRAP_CTL_MEMORY, "memory.limit_in_bytes") == 64 << 20);
    CHECK(number(group, WRAP_CTL_SYSTEMD, "cgroup.procs") == (uint64_t)pid);
    pid_t other = inside(group, -1); /* joins: the scope is there */
    CHECK(wrap_cgroup_update(group, &more, &err));
    CHECK(wrap_cgroup_kill(group, &err));
    CHECK(waitpid(pid, NULL, 0) == pid && waitpid(other, NULL, 0) == other);
    CHECK(wrap_cgroup_delete(group, 2000, &err) && logged("stop cri-abc.scope"));
    wrap_cgroup_free(group);
    /* A name that systemd still has, of a crash. */
    CHECK(wrap_cgroup_create(&config, &group, &err));
    pid = inside(group, -1);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    wrap_cgroup_free(group);
    CHECK(wrap_cgroup_create(&config, &group, &err));
    CHECK(wrap_cgroup_delete(group, 2000, &err));
    wrap_cgroup_free(group);
    snprintf(path, sizeof path, "/wasmruntest%d.slice", (int)getpid());
    config = (struct wrap_cgroup_config){.path = path, .id = "x"};
    CHECK(wrap_cgroup_open(&config, &group, &err) && wrap_cgroup_delete(group, 2000, &err));
    wrap_cgroup_free(group);
    stop_all();
}

/* ---------------------------------------------------------------- how long it takes */

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Said, not judged. */
static void live_times(void)
{
    double best[3] = {1e9, 1e9, 1e9};
    struct wrap_resources limits = some_limits();
    skip_without_v1();
    struct wrap_cgroup_config keep = config_of("keep", NULL);
    struct wrap_cgroup *kept;
    CHECK(wrap_cgroup_create(&keep, &kept, &err)); /* the parent of all */
    for (int i = 0; i < 30; i++) {
        struct wrap_cgroup *group;
        int ends[2];
        double entered = 0;
        struct wrap_cgroup_config config = config_of("times", &limits);
        double start = now_us();
        CHECK(wrap_cgroup_create(&config, &group, &err));
        double created = now_us() - start;
        CHECK(pipe(ends) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            start = now_us();
            CHECK(wrap_cgroup_enter(group, false, &err));
            start = now_us() - start;
            CHECK(write(ends[1], &start, sizeof start) == sizeof start);
            _exit(0);
        }
        CHECK(read(ends[0], &entered, sizeof entered) == sizeof entered);
        CHECK(waitpid(pid, NULL, 0) == pid);
        close(ends[0]);
        close(ends[1]);
        start = now_us();
        CHECK(wrap_cgroup_delete(group, 2000, &err));
        double deleted = now_us() - start;
        wrap_cgroup_free(group);
        best[0] = created < best[0] ? created : best[0];
        best[1] = entered < best[1] ? entered : best[1];
        best[2] = deleted < best[2] ? deleted : best[2];
    }
    fprintf(stderr,
            "%zu hierarchies, at best: created in %.0f us, entered in %.0f, deleted in %.0f\n",
            wrap_host_get()->count, best[0], best[1], best[2]);
    CHECK(wrap_cgroup_delete(kept, 1000, &err));
    wrap_cgroup_free(kept);
    remove_parent();
}

#define LIVE(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        live(live_##name);                                                                         \
    }
LIVE(life)
LIVE(limits_v1)
LIVE(refused_limit_leaves_nothing)
LIVE(lack_of_memory)
LIVE(v2)
LIVE(systemd)
LIVE(times)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_limits_v1),
        cmocka_unit_test(test_refused_limit_leaves_nothing),
        cmocka_unit_test(test_lack_of_memory),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_systemd),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
