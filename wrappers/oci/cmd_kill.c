/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_kill.c - `kill`: a signal for the first process, or for all in the container's group. */
#include "oci/oci.h"
#include "oci/state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPT_ALL = 1 };

// clang-format off
static const struct wrap_option options[] = {
    {"all", 'a', NULL, OPT_ALL, "to all processes of the container"},
};
// clang-format on

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    (void)value;
    (void)err;
    *(bool *)out = *(bool *)out || id == OPT_ALL;
    return true;
}

/* "9", "KILL", "SIGKILL" in any case. */
static bool parse_signal(const char *text, int *out, struct wrap_error *err)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);
    if (end != text && !*end && number > 0 && number <= SIGRTMAX) {
        *out = (int)number;
        return true;
    }
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    for (int i = 1; *name && i <= SIGRTMAX; i++) {
        const char *known = sigabbrev_np(i);
        if (known && strcasecmp(known, name) == 0) {
            *out = i;
            return true;
        }
    }
    return wrap_fail(err, WRAP_INVALID_ARGUMENT, "unknown signal '%.60s'", text);
}

static bool kill_all(const struct wrap_oci_state_doc *state, int number, struct wrap_error *err)
{
    struct wrap_error problem = {0};
    pid_t *pids = NULL;
    size_t count = 0;
    struct wrap_cgroup *cgroup = wrap_oci_state_cgroup(state, &problem);
    if (!cgroup) { /* and so nobody is in it */
        return problem.code == WRAP_NOT_FOUND || wrap_fail(err, problem.code, "%s", problem.text);
    }
    bool good = number == SIGKILL ? wrap_cgroup_kill(cgroup, err)
                                  : wrap_cgroup_pids(cgroup, &pids, &count, err);
    for (size_t i = 0; i < count; i++) {
        (void)kill(pids[i], number);
    }
    free(pids);
    wrap_cgroup_free(cgroup);
    return good;
}

static bool kill_first(const struct wrap_oci_state_doc *state, int number, struct wrap_error *err)
{
    int fd = wrap_oci_state_pidfd(state);
    bool good = fd >= 0 && syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
    if (!good && (fd < 0 || errno == ESRCH)) {
        wrap_fail(err, WRAP_NOT_FOUND, "container not running"); /* runc's words: looked for */
    } else if (!good) {
        wrap_fail_errno(err, errno, "signal %d", number);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Who is frozen in v1 does not die. */
static void thaw(const struct wrap_oci_state_doc *state)
{
    struct wrap_cgroup *cgroup = state->paused ? wrap_oci_state_cgroup(state, NULL) : NULL;
    if (cgroup) {
        (void)wrap_cgroup_freeze(cgroup, false, NULL);
    }
    wrap_cgroup_free(cgroup);
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 2};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    bool all = false;
    int number = SIGTERM;
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &all, words, &code);
    if (at < 0 || !wrap_oci_find(argv[at], WRAP_OCI_READ, &state, &code)) {
        return code;
    }
    all = all && (state.systemd || state.cgroup[0]); /* without a group: the first takes along */
    bool good = (at + 1 == argc || parse_signal(argv[at + 1], &number, &err)) &&
                (all ? kill_all(&state, number, &err) : kill_first(&state, number, &err));
    if (good && number == SIGKILL) {
        thaw(&state);
    }
    wrap_oci_state_close(&state);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_kill = {
    .name = "kill",
    .usage = WRAP_OCI_PROGRAM " kill [OPTIONS] ID [SIGNAL]",
    .summary = "Sends a signal (TERM) to a container's first process.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
