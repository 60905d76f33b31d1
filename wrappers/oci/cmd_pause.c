/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pause.c - `pause` and `resume`: the container's group is frozen and thawed. */
#include "oci/oci.h"
#include "oci/state.h"

static bool set_paused(struct wrap_oci_state_doc *state, bool pause, struct wrap_error *err)
{
    enum wrap_oci_status status = wrap_oci_status_of(state);
    bool fits = pause ? status == WRAP_OCI_RUNNING || status == WRAP_OCI_CREATED
                      : status == WRAP_OCI_PAUSED;
    if (!fits) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "cannot %s a container that is %s",
                         pause ? "pause" : "resume", wrap_oci_status_name(status));
    }
    struct wrap_cgroup *cgroup = wrap_oci_state_cgroup(state, err);
    if (!cgroup) {
        return false;
    }
    /* Said before it is done: a `resume` of what is not frozen yet does no harm. */
    state->paused = true;
    bool good = wrap_oci_state_save(state, err) && wrap_cgroup_freeze(cgroup, pause, err);
    if (!pause || !good) {
        state->paused = !pause && !good;
        (void)wrap_oci_state_save(state, err);
    }
    wrap_cgroup_free(cgroup);
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
    bool good = set_paused(&state, self == &wrap_oci_pause, &err);
    wrap_oci_state_close(&state);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_pause = {
    .name = "pause",
    .usage = WRAP_OCI_PROGRAM " pause ID",
    .summary = "Freezes all processes of a container.",
    .run = run,
};
const struct wrap_command wrap_oci_resume = {
    .name = "resume",
    .usage = WRAP_OCI_PROGRAM " resume ID",
    .summary = "Lets a container that is paused go on.",
    .run = run,
};
