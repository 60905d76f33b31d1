/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_delete.c - `delete`: what is left of a container is removed, half-made ones as well. */
#include "oci/launch.h"
#include "oci/oci.h"

enum { OPT_FORCE = 1 };

// clang-format off
static const struct wrap_option options[] = {
    {"force", 'f', NULL, OPT_FORCE, "one that runs is killed; one that does not exist is no error"},
};
// clang-format on

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    (void)value;
    (void)err;
    *(bool *)out = *(bool *)out || id == OPT_FORCE;
    return true;
}

/* With our lock nobody makes it any more: what has no process was left half-made. */
static bool may_go(const struct wrap_oci_state_doc *state, struct wrap_error *err)
{
    enum wrap_oci_status status = wrap_oci_status_of(state);
    return !state->pid || status == WRAP_OCI_STOPPED ||
           wrap_fail(err, WRAP_FAILED_PRECONDITION,
                     "cannot delete container %s that is not stopped: %s", state->id,
                     wrap_oci_status_name(status));
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    bool force = false;
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &force, words, &code);
    if (at < 0) {
        return code;
    }
    enum wrap_oci_access access = force ? WRAP_OCI_REMOVE : WRAP_OCI_CHANGE;
    if (!wrap_oci_state_open(wrap_oci_globals()->root, argv[at], access, &state, &err)) {
        bool absent = err.code == WRAP_NOT_FOUND;
        return absent ? wrap_oci_pass_on_delete(argv[at], force) : wrap_oci_complain(&err);
    }
    if (!force && !may_go(&state, &err)) {
        wrap_oci_state_close(&state);
        return wrap_oci_complain(&err);
    }
    return wrap_oci_destroy(&state, true, &err) ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_delete = {
    .name = "delete",
    .usage = WRAP_OCI_PROGRAM " delete [OPTIONS] ID",
    .summary = "Removes what is left of a container.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
