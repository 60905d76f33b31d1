/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_runtime.h - what stands behind the tasks of the shim, faked for task_fixture.h: children
 * that report as containers do, control groups that are lists of pids, and a Linux runtime that is
 * a shell script. Only that file includes it.
 */
#ifndef WRAPPERS_TESTS_FAKE_RUNTIME_H
#define WRAPPERS_TESTS_FAKE_RUNTIME_H

#include "sandbox/cgroup.h"
#include "sandbox/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/** What the next child does. */
enum fake_life {
    FAKE_RUNS,         /**< until it is killed */
    FAKE_ENDS,         /**< with 7, when it is started */
    FAKE_FAILS,        /**< says why */
    FAKE_DIES,         /**< says nothing */
    FAKE_DIES_CREATED, /**< after CREATED: hooks may be running */
    FAKE_DIES_LOCKED,  /**< while it reads its module */
    FAKE_FAILS_LOCKED, /**< says what is wrong with its module */
    FAKE_HOSTILE_LOCKED, /**< its module has: reports without end, never READY */
    FAKE_DIES_READY,   /**< between READY and the start */
    FAKE_LINUX,        /**< is for the other runtime */
    FAKE_HOSTILE,      /**< has taken over its interpreter: reports without end */
    FAKE_LIVES
};

struct wrap_cgroup {
    pid_t pids[64];
    size_t count;
    unsigned busy; /* so many removals fail */
};

static struct {
    enum fake_life life;
    unsigned busy;   /* of the next group */
    bool no_group;   /* the next one can't be made */
    bool group_late; /* whether the last child was to wait for its group */
    const char *lacks; /* said with LOCKED; NULL: nothing */
    unsigned load_ms;  /* that a module takes to be read */
    bool scope;      /* systemd has something */
    size_t groups;   /* objects */
    char root[32];   /* the last child's, of its configuration */
} fake;

/* ---------------------------------------------------------------- children */

static void fake_report(int fd, enum wrap_report_kind kind, const char *why)
{
    struct wrap_report report;
    memset(&report, 0, sizeof report);
    report.kind = kind;
    if (why) {
        wrap_fail(&report.error, WRAP_NOT_FOUND, "%s", why);
    }
    (void)!write(fd, &report, sizeof report);
}

static void fake_wait(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1) {
        _exit(126);
    }
}

static _Noreturn void fake_child(const struct wrap_container_config *config, bool first)
{
    enum { REPORT = 3, CONTROL = 4 };
    enum fake_life life = fake.life;
    if (life == FAKE_DIES) {
        _exit(1);
    }
    if (life == FAKE_LINUX) {
        fake_report(REPORT, WRAP_REPORT_LINUX, NULL);
        _exit(0);
    }
    if (life == FAKE_FAILS) {
        fake_report(REPORT, WRAP_REPORT_FAILED, "no such module");
        _exit(127);
    }
    if (first) {
        if (config->hooks_wait) fake_report(REPORT, WRAP_REPORT_CREATED, NULL);
        if (life == FAKE_DIES_CREATED) {
            _exit(1);
        }
        if (config->hooks_wait) fake_wait(CONTROL);
        if (config->group_late) fake_wait(CONTROL);
    }
    fake_report(REPORT, WRAP_REPORT_LOCKED, fake.lacks);
    if (fake.load_ms) {
        usleep(fake.load_ms * 1000);
    }
    if (life == FAKE_DIES_LOCKED) {
        _exit(1);
    }
    if (life == FAKE_FAILS_LOCKED) {
        fake_report(REPORT, WRAP_REPORT_FAILED, "not a module");
        _exit(126);
    }
    while (life == FAKE_HOSTILE_LOCKED) {
        fake_report(REPORT, WRAP_REPORT_CREATED, NULL);
        fake_report(REPORT, WRAP_REPORT_LINUX, NULL);
        fake_report(REPORT, WRAP_REPORT_LOCKED, "boo");
    }
    fake_report(REPORT, WRAP_REPORT_READY, NULL);
    if (life == FAKE_DIES_READY) {
        _exit(3);
    }
    fake_wait(CONTROL);
    if (life == FAKE_ENDS) {
        _exit(7);
    }
    while (life == FAKE_HOSTILE) {
        fake_report(REPORT, WRAP_REPORT_CREATED, NULL);
        fake_report(REPORT, WRAP_REPORT_LOCKED, NULL);
        fake_report(REPORT, WRAP_REPORT_READY, NULL);
        fake_report(REPORT, WRAP_REPORT_REASON, "boo");
    }
    for (;;) {
        pause();
    }
}

static void fake_enter(struct wrap_cgroup *group, pid_t pid)
{
    if (group && group->count < sizeof group->pids / sizeof group->pids[0]) {
        group->pids[group->count++] = pid;
    }
}

static bool fake_fork(const struct wrap_container_config *config, bool first,
                      struct wrap_child *out, struct wrap_error *err)
{
    int reports[2];
    int control[2];
    if (pipe2(reports, O_CLOEXEC) != 0 || pipe2(control, O_CLOEXEC) != 0) {
        return wrap_fail_errno(err, errno, "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        sigprocmask(SIG_SETMASK, &none, NULL);
        int report = fcntl(reports[1], F_DUPFD, 100);
        int from = fcntl(control[0], F_DUPFD, 100);
        dup2(report, 3);
        dup2(from, 4);
        (void)syscall(SYS_close_range, 5, ~0U, 0);
        fake_child(config, first);
    }
    close(reports[1]);
    close(control[0]);
    fcntl(reports[0], F_SETFL, O_NONBLOCK);
    *out = (struct wrap_child){
        .pid = pid, .pidfd = dup(reports[0]), .report_fd = reports[0], .control_fd = control[1]};
    fake_enter(config->cgroup, pid);
    snprintf(fake.root, sizeof fake.root, "%s", config->spec->root);
    fake.group_late = config->group_late;
    return true;
}

bool wrap_container_fork(const struct wrap_container_config *config, struct wrap_child *out,
                         struct wrap_error *err)
{
    return fake_fork(config, true, out, err);
}

bool wrap_container_fork_into(const struct wrap_container_config *config,
                              const struct wrap_container_join *join, struct wrap_child *out,
                              struct wrap_error *err)
{
    if (kill(join->pid, 0) != 0) { /* reaped: its pid may be anybody's */
        fprintf(stderr, "exec in process %d, which is gone\n", (int)join->pid);
        abort();
    }
    return fake_fork(config, false, out, err);
}

int wrap_container_report(int report_fd, struct wrap_report *out)
{
    ssize_t got = read(report_fd, out, sizeof *out);
    if (got < 0 && errno == EAGAIN) {
        return 0;
    }
    return got == (ssize_t)sizeof *out ? 1 : -1;
}

bool wrap_container_go(int control_fd) { return write(control_fd, "", 1) == 1; }

/* ---------------------------------------------------------------- groups */

bool wrap_cgroup_plan(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err)
{
    (void)config;
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    (*out)->busy = fake.busy;
    fake.groups++;
    return true;
}

bool wrap_cgroup_make(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    (void)cgroup;
    return !fake.no_group || wrap_fail(err, WRAP_ALREADY_EXISTS, "no group");
}

bool wrap_cgroup_create(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                        struct wrap_error *err)
{
    return wrap_cgroup_plan(config, out, err);
}

bool wrap_cgroup_open(const struct wrap_cgroup_config *config, struct wrap_cgroup **out,
                      struct wrap_error *err)
{
    if (config->systemd && fake.scope) {
        return wrap_cgroup_plan(config, out, err);
    }
    *out = NULL;
    return wrap_fail(err, WRAP_NOT_FOUND, "no group");
}

void wrap_cgroup_forget_limits(struct wrap_cgroup *cgroup) { (void)cgroup; }

void wrap_cgroup_free(struct wrap_cgroup *cgroup)
{
    fake.groups -= cgroup != NULL;
    free(cgroup);
}

bool wrap_cgroup_add(struct wrap_cgroup *cgroup, pid_t pid, struct wrap_error *err)
{
    fake_enter(cgroup, pid);
    return !fake.no_group || wrap_fail(err, WRAP_PERMISSION_DENIED, "no group");
}

bool wrap_cgroup_update(struct wrap_cgroup *cgroup, const struct wrap_resources *resources,
                        struct wrap_error *err)
{
    (void)cgroup;
    return resources->pids_limit.value != 13 || wrap_fail(err, WRAP_INVALID_ARGUMENT, "bad luck");
}

bool wrap_cgroup_freeze(struct wrap_cgroup *cgroup, bool frozen, struct wrap_error *err)
{
    (void)cgroup;
    (void)frozen;
    (void)err;
    return true;
}

bool wrap_cgroup_kill(struct wrap_cgroup *cgroup, struct wrap_error *err)
{
    (void)err;
    for (size_t i = 0; i < cgroup->count; i++) {
        kill(cgroup->pids[i], SIGKILL); /* a reused pid is not to be feared within this test */
    }
    return true;
}

bool wrap_cgroup_pids(const struct wrap_cgroup *cgroup, pid_t **pids, size_t *count,
                      struct wrap_error *err)
{
    (void)cgroup;
    (void)err;
    *pids = NULL;
    *count = 0;
    return true;
}

bool wrap_cgroup_delete(struct wrap_cgroup *cgroup, unsigned patience_ms, struct wrap_error *err)
{
    (void)patience_ms;
    if (cgroup->busy) {
        cgroup->busy--;
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "busy");
    }
    return true;
}

int wrap_cgroup_oom_fd(struct wrap_cgroup *cgroup)
{
    (void)cgroup;
    return -1;
}

bool wrap_cgroup_oom_happened(struct wrap_cgroup *cgroup)
{
    (void)cgroup;
    return false;
}

/* ---------------------------------------------------------------- the Linux runtime */

/* Its working directory is the bundle; files there say what goes wrong. */
static const char fake_script[] =
    "#!/bin/sh\n"
    "while [ $# -gt 0 ]; do case \"$1\" in\n"
    "  --root|--log|--log-format) shift 2;; --*) shift;; *) op=$1; shift; break;; esac; done\n"
    "while [ $# -gt 0 ]; do case \"$1\" in\n"
    "  --pid-file) file=$2; shift 2;; --bundle|--process|--resources) shift 2;;\n"
    "  *) shift;; esac; done\n"
    "[ -e slow-$op ] && sleep 0.05\n"
    "[ -e fail-$op ] && { echo \"$op is impossible\" >&2; exit 1; }\n"
    "case $op in\n"
    "  create|exec) sleep 1000 & [ -e nopid-$op ] && { kill -9 $!; exit 0; }; echo $! >$file;;\n"
    "  delete) echo x >>deleted;;\n"
    "esac\n"
    "exit 0\n";

#endif
