/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_start.c - `start`: lets the process of a created container go on. */
#include "oci/launch.h"
#include "oci/oci.h"

static bool start(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    struct wrap_error problem = {0};
    enum wrap_oci_status status = wrap_oci_status_of(state);
    if (status != WRAP_OCI_CREATED) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "cannot start a container that is %s",
                         state->pid ? wrap_oci_status_name(status) : "half-made");
    }
    bool good = wrap_oci_hooks_run(state, WRAP_HOOK_START_CONTAINER, WRAP_OCI_CREATED, err) &&
                wrap_oci_start_go(state, err);
    /* runtime.md: a failure of these is logged. */
    if (good && !wrap_oci_hooks_run(state, WRAP_HOOK_POSTSTART, WRAP_OCI_RUNNING, &problem)) {
        wrap_oci_note("warning", "poststart: %s", problem.text);
    }
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    int code = 0;
    if (!wrap_oci_find_named(self, argc, argv, WRAP_OCI_CHANGE, &state, &code)) {
        return code;
    }
    bool good = start(&state, &err);
    wrap_oci_state_close(&state);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_start = {
    .name = "start",
    .usage = WRAP_OCI_PROGRAM " start ID",
    .summary = "Starts a container that was created.",
    .run = run,
};
