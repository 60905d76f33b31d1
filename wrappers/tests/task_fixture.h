/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_fixture.h - tasks whose containers are faked (fake_runtime.h), the events that they tell and
 * the ends of their steps. Around each test: all steps have ended once, events came in their order,
 * and nothing is left. For one file each: it defines wrap_event_*.
 */
#ifndef WRAPPERS_TESTS_TASK_FIXTURE_H
#define WRAPPERS_TESTS_TASK_FIXTURE_H

#include "fake_runtime.h"

#include "shim/log.h"
#include "shim/steps.h"
#include "shim/task.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { EVENTS_MAX = 4096, STEPS_MAX = 4096 };

static uv_loop_t loop;
static struct wrap_shim shim;
static char folder[64];
static char runtime[128];

/* ---------------------------------------------------------------- events */

struct event {
    char what[16];
    char id[32];
    char exec[32]; /* "": the first process */
    unsigned status;
};
static struct event events[EVENTS_MAX];
static size_t event_count;
static size_t events_from; /* of the current life of all containers */

static inline bool told(const char *what, const char *id, const char *exec)
{
    bool found = false;
    for (size_t i = event_count; i-- > events_from && !found;) {
        if (strcmp(events[i].id, id) != 0) {
            continue;
        }
        if (strcmp(events[i].what, "create") == 0 && strcmp(what, "create") != 0) {
            break; /* an earlier life of that name */
        }
        found = strcmp(events[i].what, what) == 0 && strcmp(events[i].exec, exec) == 0;
        if (strcmp(events[i].what, "delete") == 0) {
            break;
        }
    }
    return found;
}

static inline bool is_exec_in_flight(const char *id)
{
    const struct wrap_task *task = wrap_task_find(&shim, id, NULL);
    for (const struct wrap_proc *proc = task->processes->next; proc; proc = proc->next) {
        if (told("exec-started", id, proc->exec_id) && !told("exit", id, proc->exec_id)) {
            return true;
        }
    }
    return false;
}

static inline void check_order(const char *what, const char *id, const char *exec)
{
    if (strcmp(what, "create") == 0) {
        assert_false(told("create", id, "") && !told("delete", id, ""));
        return;
    }
    assert_true(told("create", id, ""));
    assert_false(told("delete", id, ""));
    if (strcmp(what, "delete") == 0) {
        assert_true(told("exit", id, ""));
        return;
    }
    assert_false(told("exit", id, "")); /* the last one but delete */
    if (strcmp(what, "start") == 0) {
        assert_false(told("start", id, ""));
    } else if (strcmp(what, "exec-started") == 0) {
        assert_true(told("exec-added", id, exec) && told("start", id, ""));
    } else if (strcmp(what, "exit") == 0 && exec[0]) {
        assert_true(told("exec-started", id, exec));
    } else if (strcmp(what, "exit") == 0) {
        assert_false(is_exec_in_flight(id));
    } else if (strcmp(what, "paused") == 0 || strcmp(what, "resumed") == 0) {
        assert_true(told("start", id, ""));
    }
}

static inline void note(const char *what, const char *id, const char *exec, unsigned status)
{
    check_order(what, id, exec);
    assert_true(event_count < EVENTS_MAX);
    struct event *event = &events[event_count++];
    snprintf(event->what, sizeof event->what, "%s", what);
    snprintf(event->id, sizeof event->id, "%s", id);
    snprintf(event->exec, sizeof event->exec, "%s", exec);
    event->status = status;
}

void wrap_event_create(struct wrap_events *to, const struct wrap_event_create *what)
{
    (void)to;
    note("create", what->id, "", 0);
}
void wrap_event_start(struct wrap_events *to, const char *id, pid_t pid)
{
    (void)to;
    (void)pid;
    note("start", id, "", 0);
}
void wrap_event_exit(struct wrap_events *to, const char *id, const char *process, pid_t pid,
                     uint32_t status, struct timespec when)
{
    (void)to;
    assert_true(pid > 0 && when.tv_sec > 0);
    note("exit", id, strcmp(id, process) == 0 ? "" : process, status);
}
void wrap_event_delete(struct wrap_events *to, const char *id, const char *exec_id, pid_t pid,
                       uint32_t status, struct timespec when)
{
    (void)to;
    (void)pid;
    (void)when;
    note("delete", id, exec_id, status);
}
void wrap_event_exec_added(struct wrap_events *to, const char *id, const char *exec_id)
{
    (void)to;
    note("exec-added", id, exec_id, 0);
}
void wrap_event_exec_started(struct wrap_events *to, const char *id, const char *exec_id, pid_t pid)
{
    (void)to;
    assert_true(pid > 0);
    note("exec-started", id, exec_id, 0);
}
void wrap_event_oom(struct wrap_events *to, const char *id)
{
    (void)to;
    note("oom", id, "", 0);
}
void wrap_event_paused(struct wrap_events *to, const char *id)
{
    (void)to;
    note("paused", id, "", 0);
}
void wrap_event_resumed(struct wrap_events *to, const char *id)
{
    (void)to;
    note("resumed", id, "", 0);
}

/* The events since the begin of the test, "what/exec " each. */
static inline const char *history(void)
{
    static char text[1024];
    size_t at = 0;
    text[0] = 0;
    for (size_t i = events_from; i < event_count && at < sizeof text; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s ", events[i].what,
                               events[i].exec[0] ? "/" : "", events[i].exec);
    }
    return text;
}

/* ---------------------------------------------------------------- steps */

struct step {
    unsigned ends;
    struct wrap_error err;
    unsigned status; /* of the process */
};
static struct step steps[STEPS_MAX];
static size_t step_count;

static inline struct step *step_new(void)
{
    assert_true(step_count < STEPS_MAX);
    steps[step_count] = (struct step){0};
    return &steps[step_count++];
}

static inline void on_step(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    struct step *step = context;
    step->ends++;
    step->status = proc->exit_status;
    if (err) {
        assert_int_not_equal(err->code, WRAP_OK);
        step->err = *err;
    }
}

static inline void on_waited(struct wrap_proc *proc, void *context)
{
    on_step(proc, NULL, context);
}

/* Notes that a step did not begin. */
static inline struct step *refuse(struct step *step, bool begun)
{
    if (!begun) {
        assert_int_equal(step->ends, 0);
        assert_int_not_equal(step->err.code, WRAP_OK);
        step->ends++;
    }
    return step;
}

static inline struct step *create(const char *id, const char *bundle, bool systemd)
{
    char path[128];
    struct step *step = step_new();
    const struct wrap_task_options options = {
        .binary = runtime, .root = folder, .shim_cgroup = "", .systemd_cgroup = systemd};
    snprintf(path, sizeof path, "%s/%s", folder, bundle);
    const struct wrap_task_create config = {
        .id = id, .bundle = path, .in = "", .out = "", .err = "", .options = &options};
    return refuse(step, wrap_task_create(&shim, &config, on_step, step, &step->err));
}

static inline struct wrap_proc *proc_of(const char *id, const char *exec)
{
    struct wrap_task *task = wrap_task_find(&shim, id, NULL);
    return task ? wrap_task_proc(task, exec, NULL) : NULL;
}

static inline struct step *start(const char *id, const char *exec)
{
    struct step *step = step_new();
    return refuse(step, wrap_proc_start(proc_of(id, exec), on_step, step, &step->err));
}

static inline struct step *delete(const char *id, const char *exec, bool force)
{
    struct step *step = step_new();
    return refuse(step, wrap_proc_delete(proc_of(id, exec), force, on_step, step, &step->err));
}

static inline struct step *wait_for(const char *id, const char *exec)
{
    struct step *step = step_new();
    struct wrap_waiter *waiter = calloc(1, sizeof *waiter);
    assert_non_null(waiter);
    waiter->ended = on_waited;
    waiter->context = step;
    wrap_proc_wait(proc_of(id, exec), waiter);
    return step;
}

static inline struct step *pause_task(const char *id, bool pause)
{
    struct step *step = step_new();
    return refuse(step, wrap_task_pause(proc_of(id, "")->task, pause, on_step, step, &step->err));
}

static inline struct step *update(const char *id, int pids)
{
    char json[64];
    struct step *step = step_new();
    snprintf(json, sizeof json, "{\"pids\": {\"limit\": %d}}", pids);
    return refuse(step, wrap_task_update(proc_of(id, "")->task, json, strlen(json), on_step, step,
                                         &step->err));
}

static inline bool exec_add(const char *id, const char *exec)
{
    static const char json[] = "{\"args\": [\"/m.wasm\"], \"cwd\": \"/\"}";
    struct wrap_error err = {0};
    const struct wrap_exec_config config = {.exec_id = exec,
                                            .process_json = json,
                                            .process_json_size = sizeof json - 1,
                                            .in = "",
                                            .out = "",
                                            .err = ""};
    return wrap_task_exec(proc_of(id, "")->task, &config, &err);
}

static inline bool signal_proc(const char *id, const char *exec, int number)
{
    struct wrap_error err = {0};
    return wrap_proc_kill(proc_of(id, exec), number, false, &err);
}

/* ---------------------------------------------------------------- the loop */

static inline void turn(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(500);
    }
}

static inline void until_end(const struct step *step)
{
    for (int i = 0; i < 20000 && !step->ends; i++) {
        turn(1);
    }
    assert_int_equal(step->ends, 1);
}

static inline void until_good(const struct step *step)
{
    until_end(step);
    if (step->err.code) {
        fail_msg("%s", step->err.text);
    }
}

static inline size_t open_files(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static inline bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Hooks of tasks that are gone, say, end by themselves. */
static inline void until_alone(void)
{
    for (int i = 0; i < 20000 && has_children(); i++) {
        turn(1);
    }
    assert_false(has_children());
    turn(3);
}

static inline void delete_all(void)
{
    for (int tries = 0; shim.tasks && tries < 20000; tries++) {
        const struct wrap_proc *init = shim.tasks->processes;
        if (!init->deleting && !init->deletion) {
            (void)delete (shim.tasks->id, "", true);
        }
        turn(1);
    }
    for (const struct wrap_task *task = shim.tasks; task; task = task->next) {
        for (const struct wrap_proc *proc = task->processes; proc; proc = proc->next) {
            print_error("left: %s/%s of %s, kind %d, state %d, pid %d%s%s%s%s\n", task->id,
                        proc->exec_id, task->bundle, (int)task->kind, (int)proc->state,
                        (int)proc->pid, proc->gone ? ", gone" : "",
                        proc->announced ? ", announced" : "", proc->done ? ", in a step" : "",
                        proc->deleting ? ", deleting" : "");
        }
    }
    assert_null(shim.tasks);
}

/* ---------------------------------------------------------------- fixture */

static size_t files_before;

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void make_bundle(const char *name, const char *hooks, const char *namespaces)
{
    char path[128];
    char text[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(text, sizeof text,
             "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"}, \"process\": "
             "{\"args\": [\"/m.wasm\"], \"cwd\": \"/\"}, \"hooks\": {%s}, \"linux\": "
             "{\"namespaces\": [%s]}}",
             hooks, namespaces);
    snprintf(path, sizeof path, "%s/%s/config.json", folder, name);
    write_file(path, text, 0600);
}

static inline void touch(const char *bundle, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s/%s", folder, bundle, name);
    write_file(path, "", 0600);
}

#define SLOW_HOOK "[{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"sleep 0.05\"]}]"
#define BAD_HOOK "[{\"path\": \"/bin/false\"}]"
#define PID_NS "{\"type\": \"pid\"}"

static inline void make_bundles(void)
{
    make_bundle("plain", "", PID_NS);
    make_bundle("shared", "", "");
    make_bundle("slow", "", PID_NS);
    make_bundle("hooked",
                "\"createRuntime\": " SLOW_HOOK ", \"startContainer\": " SLOW_HOOK
                ", \"poststart\": " SLOW_HOOK ", \"poststop\": " SLOW_HOOK,
                PID_NS);
    make_bundle("badly", "\"createRuntime\": " BAD_HOOK, PID_NS);
    make_bundle("nostart", "\"startContainer\": " BAD_HOOK, PID_NS);
    make_bundle("nopid", "", PID_NS);
    make_bundle("noexec", "", PID_NS);
    touch("slow", "slow-create");
    touch("slow", "slow-exec");
    touch("slow", "slow-delete");
    touch("nopid", "nopid-create");
    touch("noexec", "fail-exec");
}

static inline int set_up(void **state)
{
    struct wrap_error err = {0};
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    strcpy(folder, "/tmp/wasmrun-task-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(runtime, sizeof runtime, "%s/runtime", folder);
    write_file(runtime, fake_script, 0700);
    make_bundles();
    assert_int_equal(uv_loop_init(&loop), 0);
    if (!wrap_reaper_start(&loop, &err)) {
        fail_msg("%s", err.text);
    }
    shim = (struct wrap_shim){.loop = &loop, .ns = "test"};
    return 0;
}

static inline int remove_folder(void **state)
{
    char command[128];
    (void)state;
    wrap_reaper_stop();
    turn(3);
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : -1;
}

static inline int before(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    events_from = event_count = 0;
    step_count = 0;
    shim.in_cgroup = shim.told_lacks = false;
    turn(2);
    files_before = open_files();
    return 0;
}

/* Whatever has happened: all steps have ended once, and nothing is left. */
static inline int after(void **state)
{
    (void)state;
    delete_all();
    until_alone();
    for (size_t i = 0; i < step_count; i++) {
        assert_int_equal(steps[i].ends, 1);
    }
    assert_int_equal(fake.groups, 0);
    assert_int_equal(open_files(), files_before);
    return 0;
}

static inline void run_task(const char *id, const char *bundle)
{
    until_good(create(id, bundle, false));
    until_good(start(id, ""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

#endif
