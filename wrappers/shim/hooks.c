/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.c - the hooks of a configuration, one after the other, with the state of the container on
 * their standard input (OCI runtime specification, config.md, "POSIX-platform Hooks"). */
#include "shim/spawn.h"
#include "shim/steps.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A stage that runs. */
struct wrap_hooks_stage {
    struct wrap_task *task; /* NULL: it is gone; the hook that runs is the last one */
    enum wrap_hook_stage stage;
    size_t next;
    char *state;
    void (*done)(struct wrap_task *task, const struct wrap_error *err);
};

/* The state document; malloc'ed, NULL: no memory. */
static char *state_of(const struct wrap_task *task, const char *status)
{
    json_t *annotations = json_object();
    for (size_t i = 0; i < task->spec->annotation_count; i++) {
        json_object_set_new(annotations, task->spec->annotations[i].key,
                            json_string(task->spec->annotations[i].value));
    }
    json_t *state =
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:o}", "ociVersion", task->spec->version, "id",
                  task->id, "status", status, "pid", (int)wrap_task_init_proc(task)->pid, "bundle",
                  task->bundle, "annotations", annotations);
    char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
    json_decref(state);
    return text;
}

static void stage_free(struct wrap_hooks_stage *run)
{
    free(run->state);
    free(run);
}

static void finish(struct wrap_hooks_stage *run, const struct wrap_error *err)
{
    struct wrap_hooks_stage copy = *run;
    run->task->hooks = NULL;
    stage_free(run);
    copy.done(copy.task, err);
}

static void run_next(struct wrap_hooks_stage *run);

static void on_done(unsigned status, const char *output, bool timed_out, void *context)
{
    struct wrap_hooks_stage *run = context;
    if (!run->task) {
        stage_free(run);
        return;
    }
    const struct wrap_hook *hook = &run->task->spec->hooks[run->stage].items[run->next - 1];
    struct wrap_error err = {0};
    if (timed_out) {
        wrap_fail(&err, WRAP_DEADLINE_EXCEEDED, "hook %s: killed after %u s", hook->path,
                  hook->timeout_s);
    } else if (status != 0) {
        wrap_fail(&err, WRAP_FAILED_PRECONDITION, "hook %s: status %u: %.256s", hook->path, status,
                  output);
    }
    if (err.code) {
        finish(run, &err);
        return;
    }
    run_next(run);
}

static void run_next(struct wrap_hooks_stage *run)
{
    const struct wrap_hooks *hooks = &run->task->spec->hooks[run->stage];
    if (run->next == hooks->count) {
        finish(run, NULL);
        return;
    }
    const struct wrap_hook *hook = &hooks->items[run->next++];
    struct wrap_error err = {0};
    const char **argv = calloc(hook->args.count + 2, sizeof argv[0]);
    const char **env = calloc(hook->env.count + 1, sizeof env[0]);
    bool good = argv && env;
    if (good) {
        argv[0] = hook->path;
        /* args[0] is a name for the program; posix_spawn would look that up. */
        for (size_t i = 1; i < hook->args.count; i++) {
            argv[i] = hook->args.items[i];
        }
        for (size_t i = 0; i < hook->env.count; i++) {
            env[i] = hook->env.items[i];
        }
        const struct wrap_spawn_config config = {
            .argv = argv,
            .env = env,
            .cwd = run->task->bundle,
            .stdio = {-1, -1, -1},
            .more = {-1, -1, -1},
            .input = run->state,
            .input_size = strlen(run->state),
            .timeout_ms = (uint64_t)hook->timeout_s * 1000,
            .done = on_done,
            .context = run,
        };
        good = wrap_spawn(run->task->shim->loop, &config, NULL, &err);
    } else {
        wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    free(argv);
    free(env);
    if (!good) {
        finish(run, &err);
    }
}

void wrap_hooks_run(struct wrap_task *task, enum wrap_hook_stage stage, const char *status,
                    void (*done)(struct wrap_task *task, const struct wrap_error *err))
{
    if (task->spec->hooks[stage].count == 0) {
        done(task, NULL);
        return;
    }
    struct wrap_hooks_stage *run = calloc(1, sizeof *run);
    char *state = state_of(task, status);
    if (!run || !state) {
        struct wrap_error err = {0};
        free(run);
        free(state);
        wrap_fail(&err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
        done(task, &err);
        return;
    }
    *run = (struct wrap_hooks_stage){.task = task, .stage = stage, .state = state, .done = done};
    task->hooks = run;
    run_next(run);
}

void wrap_hooks_forget(struct wrap_task *task)
{
    if (task->hooks) {
        task->hooks->task = NULL;
        task->hooks = NULL;
    }
}
