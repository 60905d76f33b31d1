/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - posix_spawn, a memory file for output, a timer. */
#include "shim/spawn.h"

#include "shim/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;

struct spawned {
    struct wrap_reap reap;
    uv_timer_t timer;
    bool timed_out;
    int output; /* memory file, -1: nothing is captured */
    void (*done)(unsigned status, const char *output, bool timed_out, void *context);
    void *context;
};

static void on_timer_closed(uv_handle_t *handle) { free(handle->data); }

static void on_ended(struct wrap_reap *reap, unsigned status, struct timespec when)
{
    struct spawned *one = (struct spawned *)reap;
    char output[WRAP_SPAWN_OUTPUT_MAX];
    ssize_t size = 0;
    (void)when;
    if (one->output >= 0) {
        size = pread(one->output, output, sizeof output - 1, 0);
        close(one->output);
    }
    output[size > 0 ? size : 0] = 0;
    one->done(status, output, one->timed_out, one->context);
    uv_close((uv_handle_t *)&one->timer, on_timer_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    struct spawned *one = timer->data;
    one->timed_out = true;
    kill(one->reap.pid, SIGKILL); /* ours until it is reaped */
}

/* Text as a file to read from; -1 and errno. */
static int file_of(const char *text, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    while (fd >= 0 && size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0) {
            close(fd);
            return -1;
        }
        text += n;
        size -= (size_t)n;
    }
    if (fd >= 0) {
        lseek(fd, 0, SEEK_SET);
    }
    return fd;
}

/* What a new program must not inherit: blocked and ignored signals. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSID);
}

/* The descriptors 0 to 5 of the new program. They are above all of these here (see main.c). */
static int set_files(posix_spawn_file_actions_t *actions, const struct wrap_spawn_config *config,
                     int input, int output)
{
    int wrong = 0;
    for (int fd = 0; fd < 3 && !wrong; fd++) {
        int from = config->stdio[fd] >= 0 ? config->stdio[fd] : fd == 0 ? input : output;
        wrong = from >= 0 ? posix_spawn_file_actions_adddup2(actions, from, fd)
                          : posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    }
    for (int i = 0; i < WRAP_SPAWN_FDS - 3 && config->more[i] >= 0 && !wrong; i++) {
        wrong = posix_spawn_file_actions_adddup2(actions, config->more[i], i + 3);
    }
    if (!wrong && config->cwd) {
        wrong = posix_spawn_file_actions_addchdir_np(actions, config->cwd);
    }
    return wrong;
}

static int start(const struct wrap_spawn_config *config, int input, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const *env = config->env ? (char *const *)config->env : environ;
    int wrong = posix_spawn_file_actions_init(&actions);
    if (wrong) {
        return wrong;
    }
    wrong = posix_spawnattr_init(&attributes);
    if (!wrong) {
        wrong = set_attributes(&attributes);
        if (!wrong) {
            wrong = set_files(&actions, config, input, output);
        }
        if (!wrong) {
            wrong = posix_spawnp(pid, config->argv[0], &actions, &attributes,
                                 (char *const *)config->argv, env);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return wrong;
}

bool wrap_spawn(uv_loop_t *loop, const struct wrap_spawn_config *config, pid_t *pid,
                struct wrap_error *err)
{
    struct spawned *one = calloc(1, sizeof *one);
    bool captures = config->stdio[1] < 0 || config->stdio[2] < 0;
    if (!one || uv_timer_init(loop, &one->timer) != 0) {
        free(one);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    one->timer.data = one;
    one->done = config->done;
    one->context = config->context;
    one->reap.ended = on_ended;
    one->output = captures ? memfd_create("output", MFD_CLOEXEC) : -1;
    int input = config->input ? file_of(config->input, config->input_size) : -1;
    int wrong = (captures && one->output < 0) || (config->input && input < 0) ? errno : 0;
    if (!wrong) {
        wrong = start(config, input, one->output, &one->reap.pid);
    }
    if (input >= 0) {
        close(input);
    }
    if (wrong) {
        if (one->output >= 0) {
            close(one->output);
        }
        uv_close((uv_handle_t *)&one->timer, on_timer_closed);
        return wrap_fail_errno(err, wrong, "cannot start %s", config->argv[0]);
    }
    wrap_reap_expect(&one->reap, wrap_reap_mark());
    if (config->timeout_ms) {
        uv_timer_start(&one->timer, on_timeout, config->timeout_ms, 0);
    }
    if (pid) {
        *pid = one->reap.pid;
    }
    return true;
}
