/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - `run`: create, start, and without --detach the wait and the removal as well. */
#include "oci/cmd_create.h"
#include "oci/oci.h"

#include <signal.h>

enum { OPT_DETACH = WRAP_OCI_OPT_OTHERS, OPT_KEEP };

// clang-format off
static const struct wrap_option options[] = {
    WRAP_OCI_CREATE_OPTIONS,
    {"detach",       'd', NULL, OPT_DETACH,         "do not wait for its end"},
    {"keep",         0,   NULL, OPT_KEEP,           "do not delete it when it has ended"},
    {"no-subreaper", 0,   NULL, WRAP_OCI_OPT_LINUX, "for Linux containers"},
};
// clang-format on

struct run {
    struct wrap_oci_launch launch;
    bool keep;
};

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct run *run = out;
    switch (id) {
    case OPT_DETACH: run->launch.detach = true; return true;
    case OPT_KEEP: run->keep = true; return true;
    default: return wrap_oci_create_take(&run->launch, id, value, err);
    }
}

/* Hooks around the byte that it waits for. */
static bool start(struct wrap_oci_state_doc *state, struct wrap_oci_running *running,
                  struct wrap_error *err)
{
    struct wrap_error problem = {0};
    bool good = wrap_oci_hooks_run(state, WRAP_HOOK_START_CONTAINER, WRAP_OCI_CREATED, err) &&
                (wrap_container_go(running->child.control_fd) ||
                 wrap_fail(err, WRAP_UNKNOWN, "the container's process is gone"));
    if (good && !wrap_oci_hooks_run(state, WRAP_HOOK_POSTSTART, WRAP_OCI_RUNNING, &problem)) {
        wrap_oci_note("warning", "poststart: %s", problem.text);
    }
    return good;
}

/* To the end. The lock is given back meanwhile: others may look, kill, pause. */
static int serve(const struct run *run, struct wrap_oci_state_doc *state,
                 struct wrap_oci_running *running)
{
    struct wrap_error err = {0};
    struct wrap_oci_state_doc again;
    wrap_oci_state_close(state);
    int code = wrap_oci_serve(running);
    running->child.pid = -1;
    wrap_oci_child_close(&running->child);
    if (run->keep) {
        return code;
    }
    const char *root = wrap_oci_globals()->root;
    if (wrap_oci_state_open(root, run->launch.id, WRAP_OCI_CHANGE, &again, &err)) {
        (void)wrap_oci_destroy(&again, true, &err);
    } else if (err.code == WRAP_NOT_FOUND) {
        err.code = WRAP_OK; /* somebody was faster */
    }
    return err.code ? wrap_oci_complain(&err) : code;
}

static int run_container(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct run run = {0};
    struct wrap_oci_state_doc state;
    struct wrap_oci_running running;
    struct wrap_error err = {0};
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &run, words, &code);
    if (at < 0) {
        return code;
    }
    run.launch.id = argv[at];
    sigset_t before;
    sigprocmask(SIG_SETMASK, NULL, &before);
    if (!run.launch.detach && !wrap_oci_serve_prepare(&err)) {
        return wrap_oci_complain(&err);
    }
    enum wrap_oci_outcome outcome = wrap_oci_make(&run.launch, &state, &running, &err);
    if (outcome == WRAP_OCI_IS_LINUX) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        return wrap_oci_pass_on(NULL);
    }
    if (outcome == WRAP_OCI_HAS_FAILED) {
        return wrap_oci_complain(&err);
    }
    if (!start(&state, &running, &err)) {
        wrap_oci_child_end(&running.child);
        (void)wrap_oci_destroy(&state, true, NULL);
        return wrap_oci_complain(&err);
    }
    if (!run.launch.detach) {
        return serve(&run, &state, &running);
    }
    wrap_oci_child_close(&running.child);
    wrap_oci_state_close(&state);
    return 0;
}

const struct wrap_command wrap_oci_run = {
    .name = "run",
    .usage = WRAP_OCI_PROGRAM " run [OPTIONS] ID",
    .summary = "Makes and starts a container, waits for its end and deletes it.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .notes = "Exit: the guest's own code, 128 and the signal that ended it, 1 for an error. While "
             "it waits\nthe container ends with it.\n",
    .run = run_container,
};
