/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_state.c - `state`: the state document of a container. */
#include "oci/oci.h"
#include "oci/state.h"

#include <stdio.h>

static int run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_oci_state_doc state;
    int code = 0;
    if (!wrap_oci_find_named(self, argc, argv, WRAP_OCI_READ, &state, &code)) {
        return code;
    }
    json_t *doc = wrap_oci_state_json(&state, wrap_oci_status_name(wrap_oci_status_of(&state)));
    bool good = doc && json_dumpf(doc, stdout, JSON_INDENT(2)) == 0;
    putchar('\n');
    json_decref(doc);
    wrap_oci_state_close(&state);
    return good ? 0 : WRAP_OCI_FAILED;
}

const struct wrap_command wrap_oci_state = {
    .name = "state",
    .usage = WRAP_OCI_PROGRAM " state ID",
    .summary = "Prints the state of a container as JSON.",
    .run = run,
};
