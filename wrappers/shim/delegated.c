/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegated.c - Linux containers: runc or crun makes them, as children that are left to us, since
 * this process is their subreaper. Its calls take tens of milliseconds; nobody waits for them here.
 */
#include "common/delegate.h"
#include "shim/console.h"
#include "shim/log.h"
#include "shim/spans.h"
#include "shim/spawn.h"
#include "shim/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Paths of one call, in the bundle. */
struct call {
    struct wrap_proc *proc;
    enum wrap_delegate_op op;
    uint64_t mark; /* of the reaper, before the runtime was started */
    struct wrap_error failure; /* what has to be undone */
    char binary[PATH_MAX];
    char root[PATH_MAX];
    char rootfs[PATH_MAX];
    char log[PATH_MAX];
    char pid_file[PATH_MAX];
    char process_file[PATH_MAX];
    struct wrap_console console;
};

static bool join_path(char out[PATH_MAX], const char *folder, const char *name, const char *ending,
                      struct wrap_error *err)
{
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s%s", folder, name, ending) < PATH_MAX) {
        return true;
    }
    return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%.128s/%s%s: path too long", folder, name,
                     ending);
}

static void call_free(struct call *call)
{
    wrap_console_close(&call->console);
    if (call->op == WRAP_DELEGATE_EXEC) { /* probes would fill /run with them */
        unlink(call->pid_file);
        unlink(call->log);
    }
    if (call->process_file[0]) {
        unlink(call->process_file);
    }
    free(call);
}

/* NULL: `err`. */
static struct call *call_new(struct wrap_proc *proc, enum wrap_delegate_op op,
                             struct wrap_error *err)
{
    struct wrap_task *task = proc->task;
    struct call *call = calloc(1, sizeof *call);
    const char *root = task->options.root[0] ? task->options.root : "/run/containerd/runc";
    bool is_init = wrap_is_init(proc);
    const char *name = is_init ? "init" : proc->exec_id;
    if (!call) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    call->proc = proc;
    call->op = op;
    call->console.fd = -1;
    bool good = wrap_delegate_find(task->options.binary, call->binary, sizeof call->binary, err) &&
                join_path(call->root, root, task->shim->ns, "", err) &&
                join_path(call->rootfs, task->bundle, "rootfs", "", err) &&
                join_path(call->log, task->bundle, is_init ? "log" : name,
                          is_init ? ".json" : ".exec.json", err) &&
                join_path(call->pid_file, task->bundle, name, is_init ? ".pid" : ".exec.pid", err);
    if (!good) {
        call_free(call);
        return NULL;
    }
    return call;
}

/* ---------------------------------------------------------------- starting the runtime */

static void on_done(unsigned status, const char *output, bool timed_out, void *context);

struct streams_of_call {
    int stdio[3];
    const char *input;
    size_t input_size;
};

static bool run(struct call *call, struct wrap_delegate_call *what,
                const struct streams_of_call *streams, struct wrap_error *err)
{
    struct wrap_task *task = call->proc->task;
    const struct wrap_delegate delegate = {
        .binary = call->binary,
        .root = call->root,
        .log = call->log,
        .systemd_cgroup = task->options.systemd_cgroup,
    };
    const char *argv[WRAP_DELEGATE_ARGS];
    char number[16];
    what->op = call->op;
    what->id = task->id;
    what->no_pivot = task->options.no_pivot;
    wrap_delegate_argv(&delegate, what, number, argv);
    unlink(call->log);
    if (what->pid_file) {
        unlink(call->pid_file); /* an old one is no answer */
    }
    call->mark = wrap_reap_mark();
    const struct wrap_spawn_config config = {
        .argv = argv,
        .cwd = task->bundle,
        .stdio = {streams->stdio[0], streams->stdio[1], streams->stdio[2]},
        .more = {-1, -1, -1},
        .input = streams->input,
        .input_size = streams->input_size,
        .done = on_done,
        .context = call,
    };
    return wrap_spawn(task->shim->loop, &config, NULL, err);
}

static const struct streams_of_call no_streams = {.stdio = {-1, -1, -1}};

/* A call without anything special. */
static bool run_plain(struct wrap_proc *proc, enum wrap_delegate_op op, struct wrap_error *err)
{
    struct call *call = call_new(proc, op, err);
    struct wrap_delegate_call what = {0};
    if (call && !run(call, &what, &no_streams, err)) {
        call_free(call);
        call = NULL;
    }
    return call != NULL;
}

/* ---------------------------------------------------------------- what follows a call */

static void unmount_root(struct wrap_task *task, const char *rootfs)
{
    struct wrap_error err = {0};
    if (task->mounted && !wrap_root_unmount(rootfs, &err)) {
        wrap_log(WRAP_LOG_ERROR, task->id, "%s", err.text);
    }
    task->mounted = false;
}

/* The process is there: its terminal, its pid. */
static bool take_process(struct call *call, struct wrap_error *err)
{
    pid_t pid = 0;
    if (!wrap_delegate_pid(call->pid_file, &pid, err)) {
        return false;
    }
    if (call->proc->terminal) {
        int master = wrap_console_take(&call->console, err);
        if (master < 0 || !wrap_streams_master(&call->proc->streams, master, err)) {
            kill(pid, SIGKILL);
            return false;
        }
    }
    wrap_streams_given(&call->proc->streams);
    wrap_proc_follow(call->proc, pid, call->mark);
    return true;
}

static bool run_delete(struct wrap_proc *init, const struct wrap_error *failure,
                       struct wrap_error *err)
{
    struct call *call = call_new(init, WRAP_DELEGATE_DELETE, err);
    struct wrap_delegate_call what = {.force = true};
    if (call && failure) {
        call->failure = *failure;
    }
    if (call && !run(call, &what, &no_streams, err)) {
        call_free(call);
        call = NULL;
    }
    return call != NULL;
}

/* The runtime has made the container, but we can't have it. */
static void undo_create(struct wrap_proc *init, const struct wrap_error *err)
{
    struct wrap_error problem = {0};
    if (!run_delete(init, err, &problem)) {
        wrap_log(WRAP_LOG_ERROR, init->task->id, "%s", problem.text);
        wrap_create_failed(init, err);
    }
}

static void created(struct call *call, const struct wrap_error *problem)
{
    struct wrap_proc *init = call->proc;
    struct wrap_task *task = init->task;
    struct wrap_error err = problem ? *problem : (struct wrap_error){0};
    if (!problem && take_process(call, &err)) {
        init->state = WRAP_STATE_CREATED;
        wrap_task_watch_memory(task);
        wrap_tell_created(init);
        wrap_step_end(init, NULL);
        return;
    }
    if (!problem) {
        undo_create(init, &err);
        return;
    }
    unmount_root(task, call->rootfs);
    wrap_create_failed(init, &err);
}

static void started(struct call *call, const struct wrap_error *problem)
{
    struct wrap_proc *init = call->proc;
    struct wrap_task *task = init->task;
    if (!problem) {
        init->state = WRAP_STATE_RUNNING;
        wrap_span_begin_again(task->life);
        wrap_event_start(task->shim->events, task->id, init->pid);
    }
    wrap_step_end(init, problem);
}

static void exec_started(struct call *call, const struct wrap_error *problem)
{
    struct wrap_proc *proc = call->proc;
    struct wrap_task *task = proc->task;
    struct wrap_error err = problem ? *problem : (struct wrap_error){0};
    if (problem || !take_process(call, &err)) {
        wrap_start_failed(proc, &err);
        return;
    }
    proc->state = WRAP_STATE_RUNNING;
    wrap_event_exec_started(task->shim->events, task->id, proc->exec_id, proc->pid);
    if (wrap_task_init_proc(task)->gone) { /* it ended meanwhile, and has waited for this one */
        kill(proc->pid, SIGKILL);
    }
    wrap_step_end(proc, NULL);
}

static void paused(struct call *call, const struct wrap_error *problem)
{
    struct wrap_proc *init = call->proc;
    if (!problem) {
        wrap_set_paused(init, call->op == WRAP_DELEGATE_PAUSE);
    }
    wrap_step_end(init, problem);
}

static void deleted(struct call *call, const struct wrap_error *problem)
{
    struct wrap_task *task = call->proc->task;
    if (problem) { /* its state may be gone already; nothing of it runs any more */
        wrap_log(WRAP_LOG_WARNING, task->id, "%s", problem->text);
    }
    unmount_root(task, call->rootfs);
    if (call->failure.code) {
        wrap_create_failed(call->proc, &call->failure);
    } else {
        wrap_step_end(call->proc, NULL);
    }
}

static void on_done(unsigned status, const char *output, bool timed_out, void *context)
{
    struct call *call = context;
    struct wrap_error err = {0};
    (void)timed_out;
    if (status != 0) {
        char reason[400];
        const char *name = strrchr(call->binary, '/');
        wrap_delegate_reason(call->log, output, reason, sizeof reason);
        wrap_fail(&err, WRAP_UNKNOWN, "%s: %s", name ? name + 1 : call->binary,
                  reason[0] ? reason : "failed without a word");
    }
    const struct wrap_error *problem = err.code ? &err : NULL;
    switch (call->op) {
    case WRAP_DELEGATE_CREATE: created(call, problem); break;
    case WRAP_DELEGATE_START: started(call, problem); break;
    case WRAP_DELEGATE_EXEC: exec_started(call, problem); break;
    case WRAP_DELEGATE_DELETE: deleted(call, problem); break;
    case WRAP_DELEGATE_PAUSE:
    case WRAP_DELEGATE_RESUME: paused(call, problem); break;
    case WRAP_DELEGATE_KILL:
    case WRAP_DELEGATE_UPDATE: wrap_step_end(call->proc, problem); break;
    }
    call_free(call);
}

/* ---------------------------------------------------------------- steps */

/* Streams of a process for the runtime, which gives them to it. */
static bool prepare_streams(struct call *call, struct streams_of_call *streams,
                            struct wrap_error *err)
{
    *streams = no_streams;
    if (!wrap_proc_open_streams(call->proc, false, err)) {
        return false;
    }
    if (call->proc->terminal) {
        return wrap_console_listen(&call->console, err);
    }
    memcpy(streams->stdio, call->proc->streams.child, sizeof streams->stdio);
    return true;
}

static bool delegated_create(struct wrap_proc *init, struct wrap_error *err)
{
    struct wrap_task *task = init->task;
    struct call *call = call_new(init, WRAP_DELEGATE_CREATE, err);
    struct streams_of_call streams;
    if (!call) {
        return false;
    }
    bool good = prepare_streams(call, &streams, err);
    if (good && task->root_mount_count) {
        task->mounted = true;
        good = (mkdir(call->rootfs, 0711) == 0 || errno == EEXIST ||
                wrap_fail_errno(err, errno, "%s", call->rootfs)) &&
               wrap_root_mount(task->root_mounts, task->root_mount_count, call->rootfs, err);
    }
    if (good) {
        struct wrap_delegate_call what = {
            .bundle = task->bundle,
            .pid_file = call->pid_file,
            .console_socket = init->terminal ? call->console.path : NULL,
        };
        good = run(call, &what, &streams, err);
    }
    if (!good) {
        unmount_root(task, call->rootfs);
        wrap_streams_close(&init->streams);
        call_free(call);
    }
    return good;
}

/* The process of an exec as a file that the runtime reads. */
static bool write_process(struct call *call, struct wrap_error *err)
{
    struct wrap_proc *proc = call->proc;
    size_t size = strlen(proc->process_json);
    if (!join_path(call->process_file, proc->task->bundle, proc->exec_id, ".process.json", err)) {
        return false;
    }
    int fd = open(call->process_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t done = fd >= 0 ? write(fd, proc->process_json, size) : -1;
    bool good = done == (ssize_t)size;
    if (!good) {
        wrap_fail_errno(err, done < 0 ? errno : ENOSPC, "%s", call->process_file);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static bool start_exec(struct wrap_proc *proc, struct wrap_error *err)
{
    struct call *call = call_new(proc, WRAP_DELEGATE_EXEC, err);
    struct streams_of_call streams;
    if (!call) {
        return false;
    }
    bool good = write_process(call, err) && prepare_streams(call, &streams, err);
    if (good) {
        struct wrap_delegate_call what = {
            .pid_file = call->pid_file,
            .process_file = call->process_file,
            .console_socket = proc->terminal ? call->console.path : NULL,
        };
        good = run(call, &what, &streams, err);
    }
    if (!good) {
        wrap_streams_close(&proc->streams);
        call_free(call);
    }
    return good;
}

static bool delegated_start(struct wrap_proc *proc, struct wrap_error *err)
{
    return wrap_is_init(proc) ? run_plain(proc, WRAP_DELEGATE_START, err) : start_exec(proc, err);
}

static bool delegated_remove(struct wrap_proc *proc, struct wrap_error *err)
{
    if (!wrap_is_init(proc)) {
        wrap_step_end(proc, NULL);
        return true;
    }
    return run_delete(proc, NULL, err);
}

static bool delegated_pause(struct wrap_proc *init, bool pause, struct wrap_error *err)
{
    return run_plain(init, pause ? WRAP_DELEGATE_PAUSE : WRAP_DELEGATE_RESUME, err);
}

static bool delegated_update(struct wrap_proc *init, const char *json, size_t size,
                             struct wrap_error *err)
{
    struct call *call = call_new(init, WRAP_DELEGATE_UPDATE, err);
    struct wrap_delegate_call what = {0};
    const struct streams_of_call streams = {
        .stdio = {-1, -1, -1}, .input = json, .input_size = size};
    if (call && !run(call, &what, &streams, err)) {
        call_free(call);
        call = NULL;
    }
    return call != NULL;
}

const struct wrap_way wrap_way_delegated = {
    .create = delegated_create,
    .start = delegated_start,
    .remove = delegated_remove,
    .pause = delegated_pause,
    .update = delegated_update,
};
