/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_task.c - the steps of tasks and processes in every order, also random ones: each step
 * ends once, events come in their order, and nothing is left. Containers are faked
 * (fake_runtime.h).
 */
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

enum { TASKS = 3, EXECS = 3, EVENTS_MAX = 4096, STEPS_MAX = 4096 };

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

static bool told(const char *what, const char *id, const char *exec)
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

static bool is_exec_in_flight(const char *id)
{
    const struct wrap_task *task = wrap_task_find(&shim, id, NULL);
    for (const struct wrap_proc *proc = task->processes->next; proc; proc = proc->next) {
        if (told("exec-started", id, proc->exec_id) && !told("exit", id, proc->exec_id)) {
            return true;
        }
    }
    return false;
}

static void check_order(const char *what, const char *id, const char *exec)
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

static void note(const char *what, const char *id, const char *exec, unsigned status)
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
static const char *history(void)
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

static struct step *step_new(void)
{
    assert_true(step_count < STEPS_MAX);
    steps[step_count] = (struct step){0};
    return &steps[step_count++];
}

static void on_step(struct wrap_proc *proc, const struct wrap_error *err, void *context)
{
    struct step *step = context;
    step->ends++;
    step->status = proc->exit_status;
    if (err) {
        assert_int_not_equal(err->code, WRAP_OK);
        step->err = *err;
    }
}

static void on_waited(struct wrap_proc *proc, void *context) { on_step(proc, NULL, context); }

/* Notes that a step did not begin. */
static struct step *refuse(struct step *step, bool begun)
{
    if (!begun) {
        assert_int_equal(step->ends, 0);
        assert_int_not_equal(step->err.code, WRAP_OK);
        step->ends++;
    }
    return step;
}

static struct step *create(const char *id, const char *bundle, bool systemd)
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

static struct wrap_proc *proc_of(const char *id, const char *exec)
{
    struct wrap_task *task = wrap_task_find(&shim, id, NULL);
    return task ? wrap_task_proc(task, exec, NULL) : NULL;
}

static struct step *start(const char *id, const char *exec)
{
    struct step *step = step_new();
    return refuse(step, wrap_proc_start(proc_of(id, exec), on_step, step, &step->err));
}

static struct step *delete(const char *id, const char *exec, bool force)
{
    struct step *step = step_new();
    return refuse(step, wrap_proc_delete(proc_of(id, exec), force, on_step, step, &step->err));
}

static struct step *wait_for(const char *id, const char *exec)
{
    struct step *step = step_new();
    struct wrap_waiter *waiter = calloc(1, sizeof *waiter);
    assert_non_null(waiter);
    waiter->ended = on_waited;
    waiter->context = step;
    wrap_proc_wait(proc_of(id, exec), waiter);
    return step;
}

static struct step *pause_task(const char *id, bool pause)
{
    struct step *step = step_new();
    return refuse(step, wrap_task_pause(proc_of(id, "")->task, pause, on_step, step, &step->err));
}

static struct step *update(const char *id, int pids)
{
    char json[64];
    struct step *step = step_new();
    snprintf(json, sizeof json, "{\"pids\": {\"limit\": %d}}", pids);
    return refuse(step, wrap_task_update(proc_of(id, "")->task, json, strlen(json), on_step, step,
                                         &step->err));
}

static bool exec_add(const char *id, const char *exec)
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

static bool signal_proc(const char *id, const char *exec, int number)
{
    struct wrap_error err = {0};
    return wrap_proc_kill(proc_of(id, exec), number, false, &err);
}

/* ---------------------------------------------------------------- the loop */

static void turn(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(500);
    }
}

static void until_end(const struct step *step)
{
    for (int i = 0; i < 20000 && !step->ends; i++) {
        turn(1);
    }
    assert_int_equal(step->ends, 1);
}

static void until_good(const struct step *step)
{
    until_end(step);
    if (step->err.code) {
        fail_msg("%s", step->err.text);
    }
}

static size_t open_files(void)
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

static bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Hooks of tasks that are gone, say, end by themselves. */
static void until_alone(void)
{
    for (int i = 0; i < 20000 && has_children(); i++) {
        turn(1);
    }
    assert_false(has_children());
    turn(3);
}

static void delete_all(void)
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

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void make_bundle(const char *name, const char *hooks, const char *namespaces)
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

static void touch(const char *bundle, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s/%s", folder, bundle, name);
    write_file(path, "", 0600);
}

#define SLOW_HOOK "[{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"sleep 0.05\"]}]"
#define BAD_HOOK "[{\"path\": \"/bin/false\"}]"
#define PID_NS "{\"type\": \"pid\"}"

static void make_bundles(void)
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

static int set_up(void **state)
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

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    wrap_reaper_stop();
    turn(3);
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : -1;
}

static int before(void **state)
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
static int after(void **state)
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

static void run_task(const char *id, const char *bundle)
{
    until_good(create(id, bundle, false));
    until_good(start(id, ""));
}

/* ---------------------------------------------------------------- a life */

static void test_life_tells_its_events_in_order(void **state)
{
    (void)state;
    fake.life = FAKE_ENDS;
    fake.busy = 2; /* the group is not free at once */
    until_good(create("a", "plain", false));
    struct step *waited = wait_for("a", "");
    until_good(start("a", ""));
    until_good(waited);
    assert_int_equal(waited->status, 7);
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start exit delete ");
    assert_null(proc_of("a", ""));
}

static void test_second_create_and_start_are_refused(void **state)
{
    (void)state;
    struct step *first = create("a", "plain", false);
    assert_int_equal(create("a", "plain", false)->err.code, WRAP_ALREADY_EXISTS);
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    until_good(first);
    until_good(start("a", ""));
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
}

static void test_creation_that_fails_leaves_nothing(void **state)
{
    static const enum fake_life lives[] = {FAKE_FAILS, FAKE_DIES, FAKE_DIES_READY,
                                           FAKE_DIES_CREATED};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        fake.life = lives[i];
        struct step *made = create("a", i == 3 ? "hooked" : "plain", false);
        struct step *waited = wait_for("a", "");
        until_end(made);
        /* One that was ready may have been so for a moment. */
        assert_true(made->err.code || lives[i] == FAKE_DIES_READY);
        until_end(waited);
        delete_all();
    }
    fake.life = FAKE_RUNS;
    fake.no_group = true;
    struct step *made = create("a", "plain", false);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_ALREADY_EXISTS);
    fake.no_group = false;
    made = create("a", "badly", false);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_FAILED_PRECONDITION);
    assert_non_null(strstr(made->err.text, "/bin/false"));
}

static void test_delete_gives_up_a_creation(void **state)
{
    static const char *const bundles[] = {"plain", "hooked", "slow"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fake.life = i == 2 ? FAKE_LINUX : FAKE_RUNS;
        struct step *made = create("a", bundles[i], false);
        turn(i == 2 ? 10 : 1); /* the slow one: its runtime is at work */
        if (!proc_of("a", "")) {
            continue;
        }
        struct step *deleted = delete ("a", "", false);
        assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
        until_end(deleted);
        until_end(made);
        assert_null(proc_of("a", ""));
        assert_true(!deleted->err.code || deleted->err.code == WRAP_NOT_FOUND);
    }
}

static void test_delete_of_a_created_one_ends_it(void **state)
{
    (void)state;
    until_good(create("a", "plain", false));
    struct step *deleted = delete ("a", "", false);
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(update("a", 10)->err.code, WRAP_FAILED_PRECONDITION);
    until_good(deleted);
    assert_int_equal(deleted->status, 128 + SIGKILL);
    assert_string_equal(history(), "create exit delete ");
}

static void test_forced_delete_ends_one_that_runs(void **state)
{
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    until_good(pause_task("a", true));
    until_good(delete ("a", "", true));
    assert_string_equal(history(),
                        "create start exec-added/e exec-started/e paused exit/e exit delete ");
}

static void test_kill_says_what_it_found(void **state)
{
    struct wrap_error err = {0};
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e"));
    assert_false(wrap_proc_kill(proc_of("a", "e"), SIGTERM, false, &err));
    assert_int_equal(err.code, WRAP_FAILED_PRECONDITION);
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGTERM));
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGTERM);
    err = (struct wrap_error){0};
    assert_false(wrap_proc_kill(proc_of("a", ""), SIGKILL, false, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    assert_string_equal(err.text, "process already finished");
}

/* ---------------------------------------------------------------- execs */

static void test_exec_ends_before_its_container(void **state)
{
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e") && exec_add("a", "never"));
    until_good(start("a", "e"));
    struct step *never = wait_for("a", "never");
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGKILL));
    until_good(waited);
    assert_string_equal(history(),
                        "create start exec-added/e exec-added/never exec-started/e exit/e exit ");
    assert_false(exec_add("a", "late"));
    assert_int_equal(start("a", "never")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(never->ends, 0);
    until_good(delete ("a", "", false)); /* the exec goes with it, and who waits is told */
    until_end(never);
}

/* The shim keeps a small part of it only, and the file, whatever becomes of its name. */
static void test_exec_has_the_whole_configuration(void **state)
{
    char path[128];
    (void)state;
    make_bundle("moved", "", PID_NS);
    run_task("a", "moved");
    assert_string_equal(fake.root, "rootfs");
    assert_string_equal(proc_of("a", "")->task->spec->root, "");
    fake.root[0] = 0;
    snprintf(path, sizeof path, "%s/moved/config.json", folder);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(exec_add("a", i ? "f" : "e"));
        until_good(start("a", i ? "f" : "e"));
        assert_string_equal(fake.root, "rootfs");
        fake.root[0] = 0;
    }
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGKILL));
    until_good(waited);
    until_good(delete ("a", "", false));
}

static void test_exec_that_starts_while_its_container_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        run_task("a", "plain");
        assert_true(exec_add("a", "e"));
        struct step *waited = wait_for("a", "");
        struct step *started = start("a", "e");
        assert_true(signal_proc("a", "", SIGKILL));
        until_good(waited);
        until_end(started);
        until_good(delete ("a", "", false));
    }
}

static void test_linux_exec_that_starts_while_its_container_ends(void **state)
{
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "slow");
    assert_true(exec_add("a", "e") && exec_add("a", "late"));
    struct step *waited = wait_for("a", "");
    struct step *started = start("a", "e");
    assert_true(signal_proc("a", "", SIGKILL));
    turn(10);
    assert_int_equal(waited->ends, 0); /* the runtime is not ready */
    assert_true(proc_of("a", "")->gone);
    assert_int_equal(start("a", "late")->err.code, WRAP_FAILED_PRECONDITION);
    assert_false(exec_add("a", "later"));
    until_end(started);
    until_good(waited);
    until_good(delete ("a", "", false));
}

static void test_exec_that_fails_has_stopped(void **state)
{
    (void)state;
    run_task("a", "plain");
    fake.life = FAKE_FAILS;
    assert_true(exec_add("a", "e"));
    struct step *waited = wait_for("a", "e");
    struct step *started = start("a", "e");
    until_end(started);
    assert_int_equal(started->err.code, WRAP_NOT_FOUND);
    until_good(waited);
    until_good(delete ("a", "e", false));
    assert_string_equal(history(), "create start exec-added/e ");
}

static void test_exec_of_linux_leaves_no_files(void **state)
{
    char path[128];
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "plain");
    snprintf(path, sizeof path, "%s/plain", folder);
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *row; (row = readdir(dir));) {
        assert_true(row->d_name[0] != 'e');
    }
    closedir(dir);
    struct step *waited = wait_for("a", "e");
    assert_true(signal_proc("a", "e", SIGKILL));
    until_good(waited);
    until_good(delete ("a", "e", false));
    assert_string_equal(history(), "create start exec-added/e exec-started/e exit/e ");
}

/* ---------------------------------------------------------------- hooks, Linux, systemd */

static void test_hooks_that_outlive_their_task(void **state)
{
    (void)state;
    /* While createRuntime runs. */
    struct step *made = create("a", "hooked", false);
    for (int i = 0; i < 2000 && proc_of("a", "") && !proc_of("a", "")->task->hooks; i++) {
        turn(1);
    }
    assert_non_null(proc_of("a", ""));
    assert_true(signal_proc("a", "", SIGKILL));
    until_end(made);
    assert_int_equal(made->err.code, WRAP_UNKNOWN);
    /* While startContainer and poststart run. */
    fake.life = FAKE_ENDS;
    until_good(create("a", "hooked", false));
    struct step *started = start("a", "");
    assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
    struct step *waited = wait_for("a", "");
    until_good(waited);
    assert_int_equal(started->ends, 1); /* Start is answered before the end is told */
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start exit delete ");
}

static void test_failing_start_hook_is_told(void **state)
{
    (void)state;
    until_good(create("a", "nostart", false));
    struct step *started = start("a", "");
    until_end(started);
    assert_int_equal(started->err.code, WRAP_FAILED_PRECONDITION);
    until_good(delete ("a", "", false));
}

static void test_linux_life(void **state)
{
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "plain");
    until_good(pause_task("a", true));
    until_good(pause_task("a", false));
    until_good(update("a", 10));
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGTERM));
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGTERM);
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start paused resumed exit delete ");
}

static void test_linux_container_without_pid_is_deleted(void **state)
{
    char path[128];
    (void)state;
    fake.life = FAKE_LINUX;
    struct step *made = create("a", "nopid", false);
    until_end(made);
    assert_int_not_equal(made->err.code, WRAP_OK);
    snprintf(path, sizeof path, "%s/nopid/deleted", folder);
    assert_int_equal(access(path, F_OK), 0);
    assert_null(proc_of("a", ""));
}

static void test_systemd_is_asked_aside(void **state)
{
    (void)state;
    fake.scope = true;
    until_good(create("a", "plain", true));
    until_good(start("a", ""));
    struct step *updated = update("a", 10);
    assert_int_equal(updated->ends, 0); /* later */
    until_good(updated);
    updated = update("a", 13);
    until_end(updated);
    assert_int_equal(updated->err.code, WRAP_INVALID_ARGUMENT);
    until_good(delete ("a", "", true));
    fake.life = FAKE_FAILS;
    struct step *made = create("a", "plain", true);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_NOT_FOUND);
    fake.life = FAKE_LINUX;
    until_good(create("a", "plain", true));
}

static void test_shim_enters_its_group_once(void **state)
{
    struct wrap_error err = {0};
    char path[128];
    (void)state;
    struct wrap_task_options options = {
        .binary = runtime, .root = folder, .shim_cgroup = (char *)"/shims"};
    snprintf(path, sizeof path, "%s/plain", folder);
    struct wrap_task_create config = {
        .id = "a", .bundle = path, .in = "", .out = "", .err = "", .options = &options};
    fake.no_group = true;
    assert_false(wrap_task_create(&shim, &config, on_step, NULL, &err));
    assert_non_null(strstr(err.text, "ShimCgroup"));
    fake.no_group = false;
    struct step *made = step_new();
    err = (struct wrap_error){0};
    assert_true(wrap_task_create(&shim, &config, on_step, made, &err));
    until_good(made);
    assert_true(shim.in_cgroup);
}

static void test_hostile_child_is_heard_once(void **state)
{
    (void)state;
    fake.life = FAKE_HOSTILE;
    run_task("a", "hooked");
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    turn(20);
    assert_string_equal(history(), "create start exec-added/e exec-started/e ");
    assert_int_equal(proc_of("a", "")->state, WRAP_STATE_RUNNING);
}

static void test_what_the_kernel_lacks_is_logged_once(void **state)
{
    char path[128];
    char text[1024] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/log", folder);
    write_file(path, "", 0600);
    wrap_log_open(path, false);
    fake.lacks = "Landlock: not in this kernel";
    run_task("a", "plain");
    run_task("b", "plain");
    wrap_log_open("", false); /* closes it */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    const char *line = strstr(text, "level=warning msg=\"sandbox: Landlock: not in this kernel\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "id=\"a\""));
    assert_null(strstr(line, "id=\"b\""));
}

static void test_ids_are_names(void **state)
{
    static const char *const bad[] = {"", "..", "a/b", "-a", "a.", "a\nb", "\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(create(bad[i], "plain", false)->err.code, WRAP_INVALID_ARGUMENT);
    }
    run_task("a", "plain");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(exec_add("a", bad[i]));
    }
}

/* ---------------------------------------------------------------- at random */

static unsigned seed;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

static void create_any(const char *id)
{
    static const char *const bundles[] = {"plain", "shared", "slow",  "hooked",
                                          "badly", "nopid",  "noexec"};
    fake.life = any(3) ? FAKE_RUNS : (enum fake_life)any(FAKE_LIVES);
    fake.busy = any(3);
    fake.no_group = any(10) == 0;
    fake.scope = any(2);
    (void)create(id, bundles[any(7)], any(6) == 0);
    fake.no_group = false;
}

static void exec_any(const char *id, const char *exec)
{
    if (!proc_of(id, exec)) {
        (void)exec_add(id, exec);
    } else {
        fake.life = any(2) ? FAKE_RUNS : (enum fake_life)any(FAKE_LIVES);
        (void)start(id, exec);
    }
}

static void do_any(void)
{
    static const int numbers[] = {SIGKILL, SIGTERM, SIGKILL, SIGUSR1};
    const char id[] = {'t', (char)('0' + any(TASKS)), 0};
    const char exec[] = {'e', (char)('0' + any(EXECS)), 0};
    if (!proc_of(id, "")) {
        create_any(id);
        return;
    }
    const char *which = any(3) && proc_of(id, exec) ? exec : "";
    switch (any(12)) {
    case 0:
    case 1:
    case 2: (void)start(id, ""); break;
    case 3:
    case 4: exec_any(id, exec); break;
    case 5: (void)wait_for(id, which); break;
    case 6: (void)delete (id, which, any(4) == 0); break;
    case 7: (void)pause_task(id, any(2)); break;
    case 8: (void)update(id, (int)any(14)); break;
    case 9: (void)wrap_proc_kill(proc_of(id, which), numbers[any(4)], any(2), NULL); break;
    case 10: wrap_streams_close_input(&proc_of(id, which)->streams); break;
    case 11: turn(any(60)); break;
    }
}

static void test_steps_in_any_order(void **state)
{
    const char *rounds = getenv("WRAP_TASK_ROUNDS");
    unsigned count = rounds ? (unsigned)atoi(rounds) : 40;
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        seed = i + 1;
        for (unsigned k = 0; k < 60; k++) {
            do_any();
            if (any(3) == 0) {
                turn(any(6));
            }
        }
        after(NULL);
        before(NULL);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_life_tells_its_events_in_order),
        CASE(test_second_create_and_start_are_refused),
        CASE(test_creation_that_fails_leaves_nothing),
        CASE(test_delete_gives_up_a_creation),
        CASE(test_delete_of_a_created_one_ends_it),
        CASE(test_forced_delete_ends_one_that_runs),
        CASE(test_kill_says_what_it_found),
        CASE(test_exec_ends_before_its_container),
        CASE(test_exec_has_the_whole_configuration),
        CASE(test_exec_that_starts_while_its_container_ends),
        CASE(test_linux_exec_that_starts_while_its_container_ends),
        CASE(test_exec_that_fails_has_stopped),
        CASE(test_exec_of_linux_leaves_no_files),
        CASE(test_hooks_that_outlive_their_task),
        CASE(test_failing_start_hook_is_told),
        CASE(test_linux_life),
        CASE(test_linux_container_without_pid_is_deleted),
        CASE(test_systemd_is_asked_aside),
        CASE(test_shim_enters_its_group_once),
        CASE(test_hostile_child_is_heard_once),
        CASE(test_what_the_kernel_lacks_is_logged_once),
        CASE(test_ids_are_names),
        CASE(test_steps_in_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
