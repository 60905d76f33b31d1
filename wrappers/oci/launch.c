/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.c - a container from its bundle to a process that waits, and back to nothing. Each step
 * leaves what `delete --force` can find: the folder of the state first, the group and the process
 * after it; a process whose maker is killed ends by itself.
 */
#include "oci/launch.h"

#include "common/entry.h"
#include "common/text.h"
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONFIG_MAX = 4 << 20, GROUP_MS = 3000, END_MS = 10000, SHARED_MS = 20 };

/* ---------------------------------------------------------------- a child */

void wrap_oci_child_close(struct wrap_child *child)
{
    int *fds[] = {&child->pidfd, &child->report_fd, &child->control_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0) close(*fds[i]);
        *fds[i] = -1;
    }
}

static int reap(struct wrap_child *child)
{
    int status = 0;
    while (child->pid > 0 && waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    child->pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void wrap_oci_child_end(struct wrap_child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        (void)reap(child);
    }
    wrap_oci_child_close(child);
}

/* The next report; false: end of file. */
static bool next_report(int fd, struct wrap_report *out)
{
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    int got;
    while ((got = wrap_container_report(fd, out)) == 0) {
        (void)poll(&waits, 1, -1);
    }
    return got > 0;
}

enum wrap_oci_outcome wrap_oci_follow(struct wrap_child *child, wrap_oci_on_created created,
                                      void *context, struct wrap_error *err)
{
    struct wrap_report report;
    while (next_report(child->report_fd, &report)) {
        switch (report.kind) {
        case WRAP_REPORT_CREATED:
            if (created && !created(context, err)) {
                wrap_oci_child_end(child);
                return WRAP_OCI_HAS_FAILED;
            }
            break;
        case WRAP_REPORT_LINUX: wrap_oci_child_end(child); return WRAP_OCI_IS_LINUX;
        case WRAP_REPORT_LOCKED:
            if (report.error.text[0]) wrap_oci_note("warning", "sandbox: %s", report.error.text);
            break;
        case WRAP_REPORT_READY: return WRAP_OCI_IS_READY;
        case WRAP_REPORT_FAILED:
            wrap_fail(err, report.error.code, "%s", report.error.text);
            wrap_oci_child_end(child);
            return WRAP_OCI_HAS_FAILED;
        case WRAP_REPORT_REASON: break;
        }
    }
    int status = reap(child);
    wrap_fail(err, WRAP_UNKNOWN, "the container's process died with status %d while it was made%s",
              status, status == 128 + SIGKILL ? " (out of memory?)" : "");
    wrap_oci_child_close(child);
    return WRAP_OCI_HAS_FAILED;
}

bool wrap_oci_pid_file_write(const char *file, pid_t pid, struct wrap_error *err)
{
    char draft[PATH_MAX];
    char text[16];
    int length = snprintf(text, sizeof text, "%d", (int)pid);
    if ((size_t)snprintf(draft, sizeof draft, "%s.new", file) >= sizeof draft) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "--pid-file: path too long");
    }
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool good = fd >= 0 && write(fd, text, (size_t)length) == length && rename(draft, file) == 0;
    if (!good) {
        wrap_fail_errno(err, errno, "pid file %.200s", file);
        if (fd >= 0) (void)unlink(draft);
    }
    if (fd >= 0) close(fd);
    return good;
}

/* ---------------------------------------------------------------- the bundle */

/* All that is read before anything is made. */
struct plan {
    const struct wrap_oci_launch *launch;
    char bundle[PATH_MAX];
    char rootfs[PATH_MAX];
    char *cgroup;
    char *text; /* of config.json */
    size_t size;
    struct wrap_spec *spec;
    enum wrap_kind kind;
};

static void plan_fini(struct plan *plan)
{
    free(plan->text);
    free(plan->cgroup);
    wrap_spec_free(plan->spec);
}

static bool read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, text + used, size - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        used += (size_t)got;
    }
    return true;
}

static bool read_config(struct plan *plan, struct wrap_error *err)
{
    char path[PATH_MAX + 16];
    struct stat st;
    snprintf(path, sizeof path, "%s/config.json", plan->bundle);
    /* A FIFO in its place must not make us wait. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        wrap_fail_errno(err, errno, "%s", path);
        if (fd >= 0) close(fd);
        return false;
    }
    bool good = S_ISREG(st.st_mode) && st.st_size <= CONFIG_MAX;
    if (!good) wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: not a file of at most 4 MiB", path);
    plan->size = good ? (size_t)st.st_size : 0;
    plan->text = good ? malloc(plan->size + 1) : NULL;
    if (good && (!plan->text || !read_all(fd, plan->text, plan->size))) {
        good = wrap_fail(err, WRAP_INTERNAL, "%s: cannot be read", path);
    }
    close(fd);
    good = good && wrap_spec_parse(plan->text, plan->size, &plan->spec, err);
    if (!good) wrap_error_prefix(err, "config.json");
    return good;
}

/* Most entries are in the root: a look there spares a Linux container the rest. What is not there
 * may be in a volume, which the child will see. */
static void look_in_root(struct plan *plan)
{
    struct wrap_entry entry;
    struct wrap_error ignored = {0};
    int module = -1;
    int root = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0 && wrap_entry_parse(&plan->spec->process, &entry, &ignored)) {
        if (wrap_entry_open(root, &plan->spec->process, &entry, &module, &ignored) &&
            wrap_entry_look(module) == WRAP_KIND_LINUX) {
            plan->kind = WRAP_KIND_LINUX;
        }
        wrap_entry_fini(&entry);
    }
    if (module >= 0) close(module);
    if (root >= 0) close(root);
}

static bool place_group(struct plan *plan, struct wrap_error *err)
{
    const struct wrap_oci *globals = wrap_oci_globals();
    /* Without privilege none can be made unless the caller has one for us, and names it. */
    bool none = globals->rootless && !globals->systemd_cgroup && !plan->spec->cgroups_path[0];
    if (none && wrap_cgroup_has_limits(&plan->spec->resources)) {
        return wrap_fail(err, WRAP_PERMISSION_DENIED,
                         "linux.resources: no limits without privilege and linux.cgroupsPath");
    }
    if (none) {
        plan->cgroup = strdup("");
        return plan->cgroup || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    plan->cgroup = wrap_oci_state_place(plan->spec->cgroups_path, plan->launch->id,
                                        wrap_oci_globals()->systemd_cgroup);
    if (!plan->cgroup) return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    return strlen(plan->cgroup) < PATH_MAX ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "linux.cgroupsPath: too long");
}

/* Whoever is in the group already must not be taken for a part of this container: it would be
 * killed along with it. */
static bool is_group_free(const struct plan *plan, struct wrap_error *err)
{
    const struct wrap_cgroup_config config = {.path = plan->cgroup,
                                              .id = plan->launch->id,
                                              .systemd = wrap_oci_globals()->systemd_cgroup};
    struct wrap_cgroup *cgroup = NULL;
    pid_t *pids = NULL;
    size_t count = 0;
    if (!config.systemd && !plan->cgroup[0]) return true;
    if (!wrap_cgroup_open(&config, &cgroup, NULL)) return true;
    bool good = wrap_cgroup_pids(cgroup, &pids, &count, err) &&
                (!count || wrap_fail(err, WRAP_ALREADY_EXISTS, "cgroup: %.200s holds processes",
                                     plan->cgroup));
    free(pids);
    wrap_cgroup_free(cgroup);
    return good;
}

static bool plan_make(const struct wrap_oci_launch *launch, struct plan *plan,
                      struct wrap_error *err)
{
    *plan = (struct plan){.launch = launch};
    const char *bundle = launch->bundle ? launch->bundle : ".";
    if (!wrap_oci_id_check(launch->id, err)) return false;
    if (!realpath(bundle, plan->bundle)) {
        return wrap_fail_errno(err, errno, "bundle %.200s", bundle);
    }
    if (!read_config(plan, err)) return false;
    const char *root = plan->spec->root;
    if ((size_t)snprintf(plan->rootfs, sizeof plan->rootfs, "%s%s%s",
                         root[0] == '/' ? "" : plan->bundle, root[0] == '/' ? "" : "/",
                         root) >= sizeof plan->rootfs) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "root.path: too long");
    }
    if (!plan->spec->has_process) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "config.json: process is missing");
    }
    if (!wrap_kind_of(plan->spec, &plan->kind, err)) return false;
    if (plan->kind == WRAP_KIND_LOOK) look_in_root(plan);
    if (plan->kind == WRAP_KIND_LINUX) return true;
    if (plan->spec->unsupported && plan->kind != WRAP_KIND_LOOK) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED, "config.json: %s is not supported",
                         plan->spec->unsupported);
    }
    return place_group(plan, err);
}

/* ---------------------------------------------------------------- making */

static void now_text(char out[40])
{
    struct timespec now;
    char date[WRAP_TIME_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    wrap_time_text(now.tv_sec, date);
    snprintf(out, 40, "%s.%09ldZ", date, now.tv_nsec);
}

static json_t *annotations_of(const struct wrap_spec *spec)
{
    json_t *out = json_object();
    for (size_t i = 0; i < spec->annotation_count; i++) {
        json_object_set_new(out, spec->annotations[i].key, json_string(spec->annotations[i].value));
    }
    return out;
}

static unsigned hooks_of(const struct wrap_spec *spec)
{
    unsigned out = 0;
    for (unsigned i = 0; i < WRAP_HOOK_STAGES; i++) {
        out |= spec->hooks[i].count ? 1u << i : 0;
    }
    return out;
}

static bool has_create_hooks(const struct wrap_spec *spec)
{
    return hooks_of(spec) & (1u << WRAP_HOOK_PRESTART | 1u << WRAP_HOOK_CREATE_RUNTIME |
                             1u << WRAP_HOOK_CREATE_CONTAINER);
}

/* The folder with all that is known beforehand. */
static bool begin_state(const struct plan *plan, struct wrap_oci_state_doc *state,
                        struct wrap_error *err)
{
    char created[40];
    if (!wrap_oci_state_new(wrap_oci_globals()->root, plan->launch->id, state, err)) return false;
    /* Before the group is on disk as ours. */
    if (!is_group_free(plan, err)) return false;
    now_text(created);
    state->bundle = strdup(plan->bundle);
    state->rootfs = strdup(plan->rootfs);
    state->version = strdup(plan->spec->version);
    state->cgroup = strdup(plan->cgroup);
    state->created = strdup(created);
    state->annotations = annotations_of(plan->spec);
    state->owner = geteuid();
    state->hooks = hooks_of(plan->spec);
    state->systemd = wrap_oci_globals()->systemd_cgroup;
    if (!state->bundle || !state->rootfs || !state->version || !state->cgroup || !state->created) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    return wrap_oci_state_save(state, err) &&
           wrap_oci_state_keep_config(state, plan->text, plan->size, err);
}

/* What the steps of a creation share. */
struct making {
    const struct plan *plan;
    struct wrap_oci_state_doc *state;
    struct wrap_oci_running *running;
    struct wrap_cgroup *cgroup;
    bool hooks_wait;
    bool group_taken; /* somebody was faster, and it is not ours to remove */
};

static bool on_created(void *context, struct wrap_error *err)
{
    static const enum wrap_hook_stage stages[] = {WRAP_HOOK_PRESTART, WRAP_HOOK_CREATE_RUNTIME,
                                                  WRAP_HOOK_CREATE_CONTAINER};
    struct making *making = context;
    struct wrap_oci_state_doc now = *making->state; /* its pid is not on disk yet */
    now.pid = making->running->child.pid;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (!wrap_oci_hooks_run(&now, stages[i], WRAP_OCI_CREATING, err)) {
            return false;
        }
    }
    (void)wrap_container_go(making->running->child.control_fd); /* or it is gone, and says why */
    return true;
}

static bool make_group(struct making *making, struct wrap_error *err)
{
    bool good = !making->cgroup || wrap_cgroup_make(making->cgroup, err);
    making->group_taken = !good && err->code == WRAP_ALREADY_EXISTS;
    return good;
}

static enum wrap_oci_outcome fork_and_follow(struct making *making,
                                             const struct wrap_oci_terminal *terminal, int start,
                                             struct wrap_error *err)
{
    const struct plan *plan = making->plan;
    struct wrap_container_config config = {
        .id = plan->launch->id,
        .bundle = plan->bundle,
        .spec = plan->spec,
        .kind = plan->kind,
        .cgroup = making->cgroup,
        .stdio = {0, 1, 2},
        .console = terminal->slave,
        .hooks_wait = making->hooks_wait,
        .detached = plan->launch->detach,
        .start_fd = start,
    };
    for (int i = 0; i < 3 && config.console >= 0; i++) config.stdio[i] = config.console;
    config.group_late = making->cgroup && !config.hooks_wait && !wrap_oci_globals()->systemd_cgroup;
    if (!config.group_late && !make_group(making, err)) return WRAP_OCI_HAS_FAILED;
    struct wrap_child *child = &making->running->child;
    config.usage = wrap_oci_usage_make(making->state);
    bool forked = wrap_container_fork(&config, child, err);
    if (config.usage >= 0) close(config.usage);
    if (!forked) return WRAP_OCI_HAS_FAILED;
    if (config.group_late && !make_group(making, err)) {
        wrap_oci_child_end(child);
        return WRAP_OCI_HAS_FAILED;
    }
    if (config.group_late) (void)wrap_container_go(child->control_fd);
    return wrap_oci_follow(child, on_created, making, err);
}

/* The process is ready: now it is on disk, and others may see it. */
static bool commit(struct making *making, const struct wrap_oci_terminal *terminal,
                   struct wrap_error *err)
{
    const struct wrap_oci_launch *launch = making->plan->launch;
    struct wrap_oci_state_doc *state = making->state;
    const struct wrap_child *child = &making->running->child;
    if (!wrap_oci_process_started(child->pid, &state->started)) {
        return wrap_fail(err, WRAP_UNKNOWN, "the container's process is gone");
    }
    state->pid = child->pid;
    if (launch->console_socket && !wrap_oci_terminal_send(terminal, launch->console_socket, err)) {
        return false;
    }
    if (launch->pid_file && !wrap_oci_pid_file_write(launch->pid_file, child->pid, err)) {
        return false;
    }
    if (wrap_oci_state_save(state, err) &&
        (!launch->wait_for_start || wrap_container_go(child->control_fd))) {
        return true;
    }
    if (launch->pid_file) (void)unlink(launch->pid_file);
    return wrap_fail(err, WRAP_UNKNOWN, "the container's process is gone");
}

static enum wrap_oci_outcome make_process(struct making *making, struct wrap_error *err)
{
    const struct wrap_oci_launch *launch = making->plan->launch;
    const struct wrap_spec *spec = making->plan->spec;
    const struct wrap_cgroup_config group = {
        .path = making->plan->cgroup,
        .id = launch->id,
        .systemd = wrap_oci_globals()->systemd_cgroup,
        .resources = spec->has_resources ? &spec->resources : NULL,
    };
    struct wrap_oci_terminal terminal;
    enum wrap_oci_outcome outcome = WRAP_OCI_HAS_FAILED;
    if (!wrap_oci_terminal_open(spec->process.terminal, launch->console_socket, launch->detach,
                                &terminal, err)) {
        return outcome;
    }
    int start = launch->wait_for_start ? wrap_oci_start_make(making->state, err) : -1;
    bool grouped = group.systemd || group.path[0];
    if ((start >= 0 || !launch->wait_for_start) &&
        (!grouped || wrap_cgroup_plan(&group, &making->cgroup, err))) {
        outcome = fork_and_follow(making, &terminal, start, err);
    }
    if (outcome == WRAP_OCI_IS_READY && !commit(making, &terminal, err)) {
        wrap_oci_child_end(&making->running->child);
        outcome = WRAP_OCI_HAS_FAILED;
    }
    if (outcome == WRAP_OCI_IS_READY && !launch->detach) {
        making->running->master = terminal.master;
        terminal.master = -1;
    }
    if (start >= 0) close(start);
    wrap_oci_terminal_close(&terminal);
    return outcome;
}

enum wrap_oci_outcome wrap_oci_make(const struct wrap_oci_launch *launch,
                                    struct wrap_oci_state_doc *state,
                                    struct wrap_oci_running *running, struct wrap_error *err)
{
    struct plan plan;
    enum wrap_oci_outcome outcome = WRAP_OCI_HAS_FAILED;
    *state = (struct wrap_oci_state_doc){.dir = -1};
    *running = (struct wrap_oci_running){
        .child = {.pid = -1, .pidfd = -1, .report_fd = -1, .control_fd = -1}, .master = -1};
    if (!plan_make(launch, &plan, err)) {
        plan_fini(&plan);
        return outcome;
    }
    struct making making = {.plan = &plan,
                            .state = state,
                            .running = running,
                            .hooks_wait = has_create_hooks(plan.spec)};
    if (plan.kind == WRAP_KIND_LINUX) {
        outcome = WRAP_OCI_IS_LINUX;
    } else {
        if (begin_state(&plan, state, err)) outcome = make_process(&making, err);
        if (outcome != WRAP_OCI_IS_READY && state->dir >= 0) {
            struct wrap_error problem = {0};
            if (making.group_taken && state->cgroup) state->cgroup[0] = 0;
            if (!wrap_oci_destroy(state, false, &problem)) {
                wrap_oci_note("warning", "%s", problem.text);
            }
        }
    }
    wrap_cgroup_free(making.cgroup);
    plan_fini(&plan);
    return outcome;
}

/* ---------------------------------------------------------------- removing */

static bool end_process(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    int fd = wrap_oci_state_pidfd(state);
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    bool gone = true;
    if (fd < 0) return true;
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0) {
        gone = poll(&waits, 1, END_MS) > 0;
    }
    close(fd);
    return gone || wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "container %s: its process does not end",
                             state->id);
}

static bool remove_group(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    struct wrap_error problem = {0};
    struct wrap_cgroup *cgroup = wrap_oci_state_cgroup(state, &problem);
    if (!cgroup) { /* also where it can't be: no such path, no groups on this host */
        return problem.code != WRAP_RESOURCE_EXHAUSTED ||
               wrap_fail(err, problem.code, "%s", problem.text);
    }
    bool good = wrap_cgroup_delete(cgroup, 0, NULL); /* mostly nobody is in it any more */
    if (!good) {
        good = wrap_cgroup_delete(cgroup, SHARED_MS, NULL) ||
               (wrap_cgroup_kill(cgroup, err) && end_process(state, err) &&
                wrap_cgroup_delete(cgroup, GROUP_MS, err));
    }
    wrap_cgroup_free(cgroup);
    return good;
}

/* A group that is frozen lets nobody die in v1. */
static void kill_group(const struct wrap_oci_state_doc *state)
{
    struct wrap_cgroup *cgroup = wrap_oci_state_cgroup(state, NULL);
    if (cgroup) (void)wrap_cgroup_kill(cgroup, NULL);
    wrap_cgroup_free(cgroup);
}

bool wrap_oci_destroy(struct wrap_oci_state_doc *state, bool hooks, struct wrap_error *err)
{
    bool ran = state->pid > 0;
    if (wrap_oci_status_of(state) != WRAP_OCI_STOPPED) kill_group(state);
    bool good = end_process(state, err) && remove_group(state, err);
    struct wrap_error problem = {0};
    /* runtime.md: a failure is logged, the rest goes on. */
    if (good && hooks && ran &&
        !wrap_oci_hooks_run(state, WRAP_HOOK_POSTSTOP, WRAP_OCI_STOPPED, &problem)) {
        wrap_oci_note("warning", "poststop: %s", problem.text);
    }
    good = good && wrap_oci_state_remove(wrap_oci_globals()->root, state, err);
    wrap_oci_state_close(state);
    return good;
}
