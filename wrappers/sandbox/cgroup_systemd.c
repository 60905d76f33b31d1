/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_systemd.c - scopes of systemd, asked for over D-Bus.
 *
 * It is busctl, systemd's own tool, that speaks D-Bus: the shim is a static program that stays
 * small for its whole life, where libsystemd could neither be linked (Debian has no static one) nor
 * be opened safely (dlopen out of static glibc). It costs 6 to 11 ms a call, on hosts with systemd
 * only, which have it.
 *
 * Limits are told to systemd when it has a property for them, or it would take them back when it
 * reloads; the exact values, and all others, are written to files afterwards. Sets of processors,
 * limits of devices' speed and rules about devices are by files alone.
 *
 * Source: org.freedesktop.systemd1(5), systemd.resource-control(5), busctl(1).
 */
#include "sandbox/cgroup_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 96, NUMBERS_MAX = 16, OUTPUT_MAX = 384 };
#define CALL_NS UINT64_C(15000000000)
#define SCOPE_NS UINT64_C(10000000000)

/* A command line; numbers live in it. */
struct call {
    const char *argv[ARGS_MAX];
    size_t count;
    char numbers[NUMBERS_MAX][24];
    size_t number_count;
};

static void add(struct call *call, const char *word)
{
    if (call->count < ARGS_MAX - 1) {
        call->argv[call->count++] = word;
    }
}

static void add_number(struct call *call, uint64_t value)
{
    if (call->number_count < NUMBERS_MAX) {
        char *text = call->numbers[call->number_count++];
        snprintf(text, sizeof call->numbers[0], "%llu", (unsigned long long)value);
        add(call, text);
    }
}

static void begin(struct call *call, const char *method, const char *signature)
{
    static const char *const words[] = {
        "busctl",
        "--system",
        "--timeout=10",
        "--",
        "call",
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
    };
    *call = (struct call){.count = 0};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        add(call, words[i]);
    }
    add(call, method);
    add(call, signature);
}

/* ---------------------------------------------------------------- running it */

static pid_t spawn(struct call *call, int output)
{
    static const char *const places[] = {"/usr/bin/busctl", "/bin/busctl",
                                         "/run/current-system/sw/bin/busctl"};
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    pid_t pid = -1;
    int problem = ENOENT;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    for (size_t i = 0; problem == ENOENT && i < sizeof places / sizeof places[0]; i++) {
        problem = posix_spawn(&pid, places[i], &actions, &attributes,
                              (char *const *)(uintptr_t)call->argv, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    errno = problem;
    return problem ? -1 : pid;
}

/* Keeps the begin of what is said until it ends; false: the deadline is over. */
static bool listen_to(int fd, char out[OUTPUT_MAX])
{
    uint64_t deadline = wrap_cgroup_now_ns() + CALL_NS;
    size_t at = 0;
    for (;;) {
        char text[256];
        uint64_t now = wrap_cgroup_now_ns();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = now < deadline ? poll(&wait, 1, (int)((deadline - now) / 1000000) + 1) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t got = ready > 0 ? read(fd, text, sizeof text) : -1;
        if (got <= 0) {
            out[at] = '\0';
            return got == 0;
        }
        size_t room = OUTPUT_MAX - 1 - at;
        size_t part = (size_t)got < room ? (size_t)got : room;
        memcpy(out + at, text, part);
        at += part;
    }
}

static bool run(struct call *call, struct wrap_error *err)
{
    int ends[2];
    char said[OUTPUT_MAX];
    int status = 0;
    call->argv[call->count] = NULL;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return wrap_fail_errno(err, errno, "systemd: pipe");
    }
    pid_t pid = spawn(call, ends[1]);
    int problem = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "systemd: busctl can't be run: %s",
                         strerror(problem));
    }
    bool ended = listen_to(ends[0], said);
    close(ends[0]);
    if (!ended) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return wrap_fail_errno(err, errno, "systemd: waiting for busctl");
        }
    }
    if (!ended) {
        return wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "systemd: no answer on D-Bus");
    }
    said[strcspn(said, "\n")] = '\0';
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           wrap_fail(err, WRAP_UNAVAILABLE, "systemd: %s", *said ? said : "busctl failed");
}

/* ---------------------------------------------------------------- properties */

struct properties {
    struct call *call;
    size_t count_at; /* the place of their number */
    size_t count;
};

static void begin_properties(struct properties *list, struct call *call)
{
    *list = (struct properties){.call = call, .count_at = call->count};
    add(call, "0");
}

static void end_properties(struct properties *list)
{
    struct call *call = list->call;
    char *text = call->numbers[call->number_count++];
    snprintf(text, sizeof call->numbers[0], "%zu", list->count);
    call->argv[list->count_at] = text;
}

static void property(struct properties *list, const char *name, const char *type, const char *value)
{
    add(list->call, name);
    add(list->call, type);
    add(list->call, value);
    list->count++;
}

/* Negative: none. */
static void limit(struct properties *list, const char *name, int64_t value)
{
    add(list->call, name);
    add(list->call, "t");
    add_number(list->call, value < 0 ? UINT64_MAX : (uint64_t)value);
    list->count++;
}

/* Microseconds of a second; systemd keeps whole percents, so upwards. */
static int64_t quota_of(const struct wrap_resources *r)
{
    uint64_t period = wrap_given(&r->cpu_period) && r->cpu_period.value > 0
                          ? (uint64_t)r->cpu_period.value
                          : 100000;
    if (r->cpu_quota.value < 0 || r->cpu_quota.value > INT64_MAX / 1000000) {
        return -1;
    }
    uint64_t part = (uint64_t)r->cpu_quota.value * 1000000 / period;
    return (int64_t)((part + 9999) / 10000 * 10000);
}

static bool add_limits(struct properties *list, const struct wrap_resources *r, bool v2,
                       struct wrap_error *err)
{
    if (wrap_given(&r->memory_limit)) {
        limit(list, v2 ? "MemoryMax" : "MemoryLimit", r->memory_limit.value);
    }
    if (v2 && wrap_given(&r->memory_reservation)) {
        limit(list, "MemoryLow", r->memory_reservation.value);
    }
    if (v2 && wrap_given(&r->memory_swap)) {
        int64_t swap;
        if (!wrap_swap_of(r, &swap, err)) {
            return false;
        }
        limit(list, "MemorySwapMax", swap);
    }
    if (wrap_given(&r->cpu_shares)) {
        limit(list, v2 ? "CPUWeight" : "CPUShares",
              v2 ? (int64_t)wrap_weight_of_shares(r->cpu_shares.value) : r->cpu_shares.value);
    }
    if (wrap_given(&r->cpu_quota)) {
        limit(list, "CPUQuotaPerSecUSec", quota_of(r));
    }
    if (wrap_given(&r->io_weight)) {
        limit(list, v2 ? "IOWeight" : "BlockIOWeight",
              v2 ? (int64_t)wrap_weight_of_blkio(r->io_weight.value) : r->io_weight.value);
    }
    if (wrap_given(&r->pids_limit)) {
        limit(list, "TasksMax", r->pids_limit.value);
    }
    return true;
}

/* ---------------------------------------------------------------- scopes */

/* Whether a process is in the scope: 1, 0, or -1 when there is no such process. */
static int is_in_scope(const struct wrap_cgroup *cgroup, pid_t pid)
{
    char file[32];
    char line[4096];
    int found = 0;
    snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
    FILE *groups = fopen(file, "re");
    if (!groups) {
        return -1;
    }
    size_t wanted = strlen(cgroup->place.path);
    while (fgets(line, sizeof line, groups)) {
        line[strcspn(line, "\n")] = '\0';
        size_t size = strlen(line);
        bool tracked = strstr(line, ":name=systemd:") || strncmp(line, "0::", 3) == 0;
        found |= tracked && size >= wanted && strcmp(line + size - wanted, cgroup->place.path) == 0;
    }
    fclose(groups);
    return found;
}

/* The call answers when the job is queued; done is what counts. */
static bool wait_for_scope(const struct wrap_cgroup *cgroup, pid_t pid, struct wrap_error *err)
{
    uint64_t deadline = wrap_cgroup_now_ns() + SCOPE_NS;
    for (unsigned turn = 0;;) {
        int in = is_in_scope(cgroup, pid);
        if (in > 0) {
            return true;
        }
        if (in < 0) {
            return wrap_fail(err, WRAP_NOT_FOUND, "systemd: process %d is gone", (int)pid);
        }
        if (!wrap_cgroup_pause(deadline, &turn)) {
            return wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "systemd: %s was not started",
                             cgroup->place.unit);
        }
    }
}

static bool start(const struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                  pid_t pid, struct wrap_error *err)
{
    bool v2 = cgroup->host->version == WRAP_CGROUP_V2;
    struct call call;
    struct properties list;
    begin(&call, "StartTransientUnit", "ssa(sv)a(sa(sv))");
    add(&call, cgroup->place.unit);
    add(&call, "fail");
    begin_properties(&list, &call);
    property(&list, "Description", "s", "wasmrun container");
    property(&list, "Slice", "s", cgroup->place.slice);
    property(&list, "Delegate", "b", "true");
    property(&list, "DefaultDependencies", "b", "false");
    property(&list, "CollectMode", "s", "inactive-or-failed"); /* nothing to reset when it failed */
    property(&list, "MemoryAccounting", "b", "true");
    property(&list, "CPUAccounting", "b", "true");
    property(&list, "TasksAccounting", "b", "true");
    property(&list, v2 ? "IOAccounting" : "BlockIOAccounting", "b", "true");
    add(&call, "PIDs");
    add(&call, "au");
    add(&call, "1");
    add_number(&call, (uint64_t)pid);
    list.count++;
    if (resources && !add_limits(&list, resources, v2, err)) {
        return false;
    }
    end_properties(&list);
    add(&call, "0"); /* no other units */
    return run(&call, err);
}

bool wrap_systemd_start(const struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                        pid_t pid, struct wrap_error *err)
{
    struct wrap_error first = {0};
    if (!start(cgroup, resources, pid, &first)) {
        /* A scope of a crash may be there still, without processes: they were looked for. */
        if (first.code != WRAP_UNAVAILABLE || !strstr(first.text, "already")) {
            return wrap_fail(err, first.code, "%s", first.text);
        }
        wrap_systemd_stop(cgroup);
        if (!start(cgroup, resources, pid, err)) {
            return false;
        }
    }
    return wait_for_scope(cgroup, pid, err);
}

bool wrap_systemd_update(const struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                         struct wrap_error *err)
{
    struct call call;
    struct properties list;
    begin(&call, "SetUnitProperties", "sba(sv)");
    add(&call, cgroup->place.unit);
    add(&call, "true"); /* until the next boot */
    begin_properties(&list, &call);
    if (!add_limits(&list, resources, cgroup->host->version == WRAP_CGROUP_V2, err)) {
        return false;
    }
    end_properties(&list);
    return list.count == 0 || run(&call, err);
}

void wrap_systemd_stop(const struct wrap_cgroup *cgroup)
{
    struct call call;
    begin(&call, "StopUnit", "ss");
    add(&call, cgroup->place.unit);
    add(&call, "replace");
    (void)run(&call, NULL);
}
