/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.c - the hooks of a configuration, one after the other, with the state of the container on
 * their standard input (OCI runtime specification, config.md, "POSIX-platform Hooks"). */
#include "oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 256 };

struct hook_run {
    const struct wrap_hook *hook;
    const char *bundle;
    int input, output; /* memory files */
};

static int memory_file(const char *text)
{
    size_t size = strlen(text);
    int fd = memfd_create("hook", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What a new program must not inherit: blocked and ignored signals. */
static int plain_signals(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int wrong = posix_spawnattr_setsigmask(attributes, &none);
    wrong = wrong ? wrong : posix_spawnattr_setsigdefault(attributes, &all);
    return wrong ? wrong
                 : posix_spawnattr_setflags(attributes,
                                            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const struct hook_run *run, char *const *argv, char *const *env, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    int wrong = posix_spawnattr_init(&attributes);
    if (!wrong) {
        wrong = plain_signals(&attributes);
        const int from[3] = {run->input, run->output, run->output};
        for (int i = 0; i < 3 && !wrong; i++) {
            wrong = posix_spawn_file_actions_adddup2(&actions, from[i], i);
        }
        wrong = wrong ? wrong : posix_spawn_file_actions_addchdir_np(&actions, run->bundle);
        wrong = wrong ? wrong : posix_spawn(pid, run->hook->path, &actions, &attributes, argv, env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return wrong;
}

/* Its status; a hook that takes too long is killed. */
static bool wait_for_hook(const struct wrap_hook *hook, pid_t pid, int *status)
{
    int fd = hook->timeout_s ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    bool in_time = true;
    if (fd >= 0) {
        int64_t limit = (int64_t)hook->timeout_s * 1000;
        in_time = poll(&waits, 1, limit < INT32_MAX ? (int)limit : INT32_MAX) != 0;
        if (!in_time) kill(pid, SIGKILL);
        close(fd);
    }
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
    return in_time;
}

static bool run_hook(const struct hook_run *run, char *const *argv, char *const *env,
                     struct wrap_error *err)
{
    const struct wrap_hook *hook = run->hook;
    pid_t pid = 0;
    int status = 0;
    int wrong = spawn(run, argv, env, &pid);
    if (wrong) return wrap_fail_errno(err, wrong, "hook %s", hook->path);
    if (!wait_for_hook(hook, pid, &status)) {
        return wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "hook %s: killed after %u s", hook->path,
                         hook->timeout_s);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    char output[OUTPUT_MAX];
    ssize_t size = pread(run->output, output, sizeof output - 1, 0);
    output[size > 0 ? size : 0] = 0;
    return wrap_fail(err, WRAP_FAILED_PRECONDITION, "hook %s: status %d: %s", hook->path,
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output);
}

/* argv[0] of a hook is a name for the program; where it has none, its path. */
static bool run_one(const struct wrap_hook *hook, const char *bundle, const char *state,
                    struct wrap_error *err)
{
    const char **argv = calloc(hook->args.count + 2, sizeof argv[0]);
    const char **env = calloc(hook->env.count + 1, sizeof env[0]);
    struct hook_run run = {
        .hook = hook, .bundle = bundle, .input = memory_file(state), .output = memory_file("")};
    bool good = argv && env && run.input >= 0 && run.output >= 0;
    if (good) {
        argv[0] = hook->path;
        for (size_t i = 0; i < hook->args.count; i++) argv[i] = hook->args.items[i];
        for (size_t i = 0; i < hook->env.count; i++) env[i] = hook->env.items[i];
        good = run_hook(&run, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env, err);
    } else {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (run.input >= 0) close(run.input);
    if (run.output >= 0) close(run.output);
    free(argv);
    free(env);
    return good;
}

static bool run_all(const struct wrap_oci_state_doc *state, const struct wrap_hooks *hooks,
                    const char *status, struct wrap_error *err)
{
    json_t *doc = wrap_oci_state_json(state, status);
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    bool good = text || wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    for (size_t i = 0; good && i < hooks->count; i++) {
        good = run_one(&hooks->items[i], state->bundle, text, err);
    }
    free(text);
    json_decref(doc);
    return good;
}

bool wrap_oci_hooks_run(const struct wrap_oci_state_doc *state, enum wrap_hook_stage stage,
                        enum wrap_oci_status status, struct wrap_error *err)
{
    struct wrap_spec *spec = NULL;
    if (!(state->hooks & (1u << stage))) return true; /* mostly: nothing has to be read */
    if (!wrap_oci_state_spec(state, &spec, err)) return false;
    bool good = run_all(state, &spec->hooks[stage], wrap_oci_status_name(status), err);
    wrap_spec_free(spec);
    return good;
}
