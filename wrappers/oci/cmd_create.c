/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_create.c - `create` and `run`'s options; `create`: a container that waits for its start. */
#include "oci/cmd_create.h"

#include "oci/oci.h"

// clang-format off
static const struct wrap_option options[] = { WRAP_OCI_CREATE_OPTIONS };
// clang-format on

bool wrap_oci_create_take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct wrap_oci_launch *launch = out;
    long long number = 0;
    switch (id) {
    case WRAP_OCI_OPT_BUNDLE: launch->bundle = value; return true;
    case WRAP_OCI_OPT_CONSOLE: launch->console_socket = value; return true;
    case WRAP_OCI_OPT_PID_FILE: launch->pid_file = value; return true;
    case WRAP_OCI_OPT_PRESERVE: return wrap_oci_number("preserve-fds", value, &number, err);
    default: return true; /* of Linux containers */
    }
}

static int create(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_launch launch = {.detach = true, .wait_for_start = true};
    struct wrap_oci_state_doc state;
    struct wrap_oci_running running;
    struct wrap_error err = {0};
    int code = 0;
    int at = wrap_oci_parse(&opts, wrap_oci_create_take, &launch, words, &code);
    if (at < 0) {
        return code;
    }
    launch.id = argv[at];
    enum wrap_oci_outcome outcome = wrap_oci_make(&launch, &state, &running, &err);
    if (outcome == WRAP_OCI_IS_LINUX) {
        return wrap_oci_pass_on(NULL);
    }
    if (outcome == WRAP_OCI_HAS_FAILED) {
        return wrap_oci_complain(&err);
    }
    wrap_oci_child_close(&running.child);
    wrap_oci_state_close(&state);
    return 0;
}

const struct wrap_command wrap_oci_create = {
    .name = "create",
    .usage = WRAP_OCI_PROGRAM " create [OPTIONS] ID",
    .summary = "Makes a container that waits for `start`.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = create,
};
