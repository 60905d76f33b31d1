/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.c - makes the process of a container and leads it through its steps; talks with it over
 * two pipes. What a step does is in the files that child.h lists.
 */
#include "sandbox/container.h"

#include "common/program.h"
#include "common/stack.h"
#include "sandbox/child.h"
#include "sandbox/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CODE_NOT_FOUND = 127, CODE_FAILED = 126 };
_Static_assert(sizeof(struct wrap_report) <= PIPE_BUF, "a report is written at once");

/* ---------------------------------------------------------------- reports */

static void report(const struct wrap_setup *setup, enum wrap_report_kind kind,
                   const struct wrap_error *error)
{
    struct wrap_report message;
    memset(&message, 0, sizeof message);
    message.kind = kind;
    message.no_entry = setup->no_entry;
    if (error) message.error = *error;
    while (write(setup->report, &message, sizeof message) < 0 && errno == EINTR) {
    }
}

static _Noreturn void fail(const struct wrap_setup *setup, const struct wrap_error *error)
{
    report(setup, WRAP_REPORT_FAILED, error);
    _exit(error->code == WRAP_NOT_FOUND ? CODE_NOT_FOUND : CODE_FAILED);
}

static void wait_for_byte(int fd)
{
    char byte;
    ssize_t got;
    do {
        got = read(fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1) _exit(CODE_FAILED);
}

/* Until the parent says so. Without one there is nothing to wait for. */
static void wait_for_go(const struct wrap_setup *setup) { wait_for_byte(setup->control); }

int wrap_container_report(int report_fd, struct wrap_report *out)
{
    ssize_t got;
    do {
        got = read(report_fd, out, sizeof *out);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return 0;
    /* After LOCKED it may be a module that has taken over its interpreter who writes. */
    if (got != (ssize_t)sizeof *out || (unsigned)out->kind > WRAP_REPORT_REASON) return -1;
    out->error.text[sizeof out->error.text - 1] = '\0';
    return 1;
}

bool wrap_container_go(int control_fd)
{
    /* SIGPIPE is the caller's to ignore, as for all that writes to others. */
    ssize_t done;
    do {
        done = write(control_fd, "", 1);
    } while (done < 0 && errno == EINTR);
    return done == 1;
}

/* ---------------------------------------------------------------- steps of the child */

/* Closes all descriptors from `first` on; before Linux 5.9 one by one. */
static int close_from(int first)
{
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return 0;
    DIR *folder = errno == ENOSYS ? opendir("/proc/self/fd") : NULL;
    if (!folder) return -1;
    for (const struct dirent *row; (row = readdir(folder)) != NULL;) {
        int fd = atoi(row->d_name);
        if (fd >= first && fd != dirfd(folder)) close(fd);
    }
    return closedir(folder);
}

/* Streams to 0, 1, 2, the pipes and the rest behind them, as far as they are given; all others are
 * closed. */
static bool arrange(struct wrap_setup *setup, struct wrap_error *err)
{
    enum { ABOVE = 16, KEPT = 9, STREAMS = 3 };
    const int *stdio = setup->config->stdio;
    int from[STREAMS] = {stdio[0], stdio[1], stdio[2]};
    int *const rest[KEPT - STREAMS] = {&setup->report, &setup->control, &setup->console,
                                       &setup->joined, &setup->start,   &setup->module};
    int above[KEPT];
    for (int i = 0; i < KEPT; i++) {
        int *source = i < STREAMS ? &from[i] : rest[i - STREAMS];
        if (i < STREAMS && *source < 0) *source = open("/dev/null", O_RDWR | O_CLOEXEC);
        above[i] = *source < 0 ? -1 : fcntl(*source, F_DUPFD_CLOEXEC, ABOVE);
        if (above[i] < 0 && (i < STREAMS || *source >= 0)) {
            return wrap_fail_errno(err, errno, "descriptor %d", *source);
        }
    }
    for (int i = 0; i < KEPT; i++) {
        if (above[i] < 0) {
            close(i);
        } else if (dup3(above[i], i, i < STREAMS ? 0 : O_CLOEXEC) < 0) {
            return wrap_fail_errno(err, errno, "descriptor %d", i);
        }
        if (i >= STREAMS) *rest[i - STREAMS] = above[i] < 0 ? -1 : i;
    }
    return close_from(KEPT) == 0 || wrap_fail_errno(err, errno, "closing descriptors");
}

/* The controlling terminal of the session that is made here. */
static bool take_terminal(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_process *process = setup->process;
    (void)setsid(); /* fails for a leader only, which a child is not */
    if (setup->console < 0) return true;
    if (ioctl(setup->console, TIOCSCTTY, 0) != 0) {
        return wrap_fail_errno(err, errno, "controlling terminal");
    }
    const struct winsize size = {.ws_row = process->rows, .ws_col = process->columns};
    if (size.ws_row && size.ws_col && ioctl(setup->console, TIOCSWINSZ, &size) != 0) {
        return wrap_fail_errno(err, errno, "size of the terminal");
    }
    return true;
}

static bool is_supported(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_spec *spec = setup->spec;
    if (spec->unsupported) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "%s is not supported", spec->unsupported);
    }
    if (wrap_ns_own(spec, WRAP_NS_TIME)) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "time namespaces are not supported");
    }
    if (spec->namespace_paths[WRAP_NS_MOUNT]) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "a mount namespace by path is not supported");
    }
    if (setup->profile_error.code != WRAP_OK) {
        *err = setup->profile_error;
        return false;
    }
    return true;
}

/* Says LINUX when the entry is no module; an entry that is not there yet may be in a volume. */
static void look(struct wrap_setup *setup, bool last)
{
    struct wrap_error error = {0};
    enum wrap_kind kind = WRAP_KIND_WASM;
    if (setup->config->artifact > 0) return; /* nothing is to be found */
    if (!wrap_guest_find(setup, &kind, &error)) {
        setup->no_entry = last && error.code == WRAP_NOT_FOUND;
        if (last) fail(setup, &error);
        return;
    }
    if (setup->config->kind == WRAP_KIND_LOOK && kind == WRAP_KIND_LINUX && setup->joined < 0) {
        report(setup, WRAP_REPORT_LINUX, NULL);
        _exit(0);
    }
    if (last && kind == WRAP_KIND_LINUX && setup->joined >= 0) {
        wrap_fail(&error, WRAP_FAILED_PRECONDITION,
                  "exec of %s: a Linux program in a Wasm container", setup->process->args.items[0]);
        fail(setup, &error);
    }
}

static void get_profile(struct wrap_setup *setup)
{
    if (setup->spec->has_seccomp && setup->config->kind != WRAP_KIND_PAUSE) {
        (void)wrap_profile_compile_beside(&setup->spec->seccomp, &setup->profile,
                                          &setup->profile_error);
    }
}

static bool begin(struct wrap_setup *setup, struct wrap_error *err)
{
    struct wrap_cgroup *cgroup = setup->config->cgroup;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    umask(0022);
    if (setup->config->usage > 0 && setup->joined < 0 && setup->config->kind != WRAP_KIND_PAUSE) {
        setup->usage = wrap_usage_map(setup->config->usage); /* else nobody is told */
    }
    bool late = setup->config->group_late && setup->joined < 0;
    if (cgroup && !late && !wrap_cgroup_enter(cgroup, setup->in_group, err)) return false;
    if (!arrange(setup, err)) return false;
    get_profile(setup);
    wrap_signals_reset();
    setup->proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (setup->proc < 0) return wrap_fail_errno(err, errno, "/proc/self");
    return take_terminal(setup, err) && (!setup->process->has_oom_score_adj ||
                                         wrap_oom_score_set(setup->process->oom_score_adj, err));
}

/* The first process: everything is made. */
static bool build(struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_container_config *config = setup->config;
    bool pause = config->kind == WRAP_KIND_PAUSE;
    if (chdir(config->bundle) != 0) return wrap_fail_errno(err, errno, "%s", config->bundle);
    if (!wrap_ns_join(setup, err) || !wrap_rootfs_make(setup, err)) return false;
    if (config->kind == WRAP_KIND_LOOK) look(setup, false);
    if (!is_supported(setup, err) || !wrap_ns_users(setup, err) || !wrap_ns_names(setup, err)) {
        return false;
    }
    if (!pause) {
        wrap_guest_open_termination(setup);
        if (!wrap_mounts_make(setup, err) || !wrap_devices_make(setup, err)) return false;
        look(setup, true);
    }
    if (config->hooks_wait) {
        report(setup, WRAP_REPORT_CREATED, NULL);
        wait_for_go(setup);
    }
    if (!pause && !wrap_rootfs_finish(setup, err)) return false;
    if (!wrap_bounding_drop(setup->process, err)) return false;
    if (config->group_late) {
        wait_for_go(setup);
        if (!wrap_cgroup_enter(config->cgroup, setup->in_group, err)) return false;
    }
    if (!wrap_ns_group(setup, err)) return false;
    if (pause) wrap_pause_prepare(setup);
    return wrap_rootfs_enter(setup, err);
}

/* Another process: everything is there. */
static bool join(struct wrap_setup *setup, struct wrap_error *err)
{
    if (!is_supported(setup, err) || !wrap_ns_users(setup, err) || !wrap_ns_join(setup, err)) {
        return false;
    }
    setup->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (setup->root < 0) return wrap_fail_errno(err, errno, "root of the container");
    look(setup, true);
    return wrap_bounding_drop(setup->process, err);
}

static void last_words(const struct wrap_setup *setup, const struct wrap_error *why)
{
    if (why->code == WRAP_OK) return;
    report(setup, WRAP_REPORT_REASON, why);
    wrap_guest_last_words(setup, why);
}

static void drop(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Descriptors that a guest's interpreter has no use for. */
static void drop_tools(struct wrap_setup *setup)
{
    if (setup->users != setup->joined) drop(&setup->users);
    setup->users = -1;
    drop(&setup->proc);
    drop(&setup->root);
    drop(&setup->joined);
    drop(&setup->console);
}

/* What a guest's process still needs when it waits for the start. */
static struct {
    struct wrap_program *program;
    int report, control, start, module, termination;
} ready;

/* Memory that only the steps up to here had use for: most of it is the configuration, of which
 * this process has a copy, and what loading the program took for a while. */
static void drop_memory(struct wrap_spec *spec)
{
    enum { TRIM_THRESHOLD = 64 * 1024 };
    wrap_spec_free(spec);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    malloc_trim(0);
}

static __attribute__((noinline)) void tell_end(const struct wrap_error *error)
{
    const struct wrap_setup setup = {.report = ready.report, .termination = ready.termination};
    last_words(&setup, error);
}

/* On a stack that was nobody's yet. */
static void run_guest(void)
{
    struct wrap_error error = {0};
    wrap_stack_forget();
    wrap_program_make_ready(ready.program);
    wait_for_byte(ready.control);
    if (ready.start >= 0) wait_for_byte(ready.start);
    drop(&ready.start);
    drop(&ready.control);
    drop(&ready.module);
    int code = wrap_program_run(ready.program, &error);
    tell_end(&error);
    _exit(code);
}

static _Noreturn void run(struct wrap_setup *setup)
{
    struct wrap_error error = {0};
    struct wrap_program *program = NULL;
    struct wrap_guest_view *view = NULL;
    bool pause = setup->config->kind == WRAP_KIND_PAUSE && setup->joined < 0;
    bool first = setup->joined < 0;
    if (!begin(setup, &error) || !(first ? build(setup, &error) : join(setup, &error)) ||
        !wrap_limits_set(setup->process, &error) || !wrap_labels_set(setup, &error) ||
        !wrap_identity_set(setup, &error)) {
        fail(setup, &error);
    }
    drop_tools(setup);
    if (!pause) {
        struct wrap_error note = {0};
        if (!wrap_guest_lock(setup, &view, &error)) fail(setup, &error);
        snprintf(note.text, sizeof note.text, "%s", setup->locks.missing);
        report(setup, WRAP_REPORT_LOCKED, &note);
        if (!wrap_guest_load(setup, view, &program, &error)) fail(setup, &error);
    }
    report(setup, WRAP_REPORT_READY, NULL);
    if (pause) {
        wait_for_go(setup);
        if (setup->start >= 0) wait_for_byte(setup->start);
        wrap_pause();
    }
    ready.program = program;
    ready.report = setup->report;
    ready.control = setup->control;
    ready.start = setup->start;
    ready.module = setup->module;
    ready.termination = setup->termination;
    drop_memory((struct wrap_spec *)setup->spec);
    wrap_stack_begin_again(run_guest);
}

/* ---------------------------------------------------------------- the parent */

static void close_pair(int pair[2])
{
    drop(&pair[0]);
    drop(&pair[1]);
}

static bool start(struct wrap_setup *setup, struct wrap_child *out, struct wrap_error *err)
{
    int reports[2];
    int control[2] = {-1, -1};
    *out = (struct wrap_child){.pid = -1, .pidfd = -1, .report_fd = -1, .control_fd = -1};
    if (pipe2(reports, O_CLOEXEC) != 0) return wrap_fail_errno(err, errno, "a pipe");
    bool good = pipe2(control, O_CLOEXEC) == 0 && fcntl(reports[0], F_SETFL, O_NONBLOCK) == 0;
    if (!good) wrap_fail_errno(err, errno, "a pipe");
    setup->report = reports[1];
    setup->control = control[0];
    good = good && wrap_ns_fork(setup, &out->pid, &out->pidfd, err);
    if (good && out->pid == 0) run(setup);
    if (!good) {
        close_pair(reports);
        close_pair(control);
        return false;
    }
    close(reports[1]);
    close(control[0]);
    out->report_fd = reports[0];
    out->control_fd = control[1];
    return true;
}

static struct wrap_setup setup_of(const struct wrap_container_config *config)
{
    return (struct wrap_setup){
        .config = config,
        .spec = config->spec,
        .process = &config->spec->process,
        .start = config->detached ? config->start_fd : -1,
        .joined = -1,
        .console = config->console,
        .proc = -1,
        .root = -1,
        .users = -1,
        .module = config->artifact > 0 ? config->artifact : -1,
        .termination = -1,
    };
}

bool wrap_container_fork(const struct wrap_container_config *config, struct wrap_child *out,
                         struct wrap_error *err)
{
    struct wrap_setup setup = setup_of(config);
    return start(&setup, out, err);
}

bool wrap_container_fork_into(const struct wrap_container_config *config,
                              const struct wrap_container_join *join_to, struct wrap_child *out,
                              struct wrap_error *err)
{
    struct wrap_setup setup = setup_of(config);
    setup.process = join_to->process;
    setup.last = join_to->last;
    setup.joined = (int)syscall(SYS_pidfd_open, join_to->pid, 0);
    if (setup.joined < 0) return wrap_fail_errno(err, errno, "process %d", (int)join_to->pid);
    bool good = start(&setup, out, err);
    close(setup.joined);
    return good;
}
